//! Time and randomness, handed in.
//!
//! Every rule that needs the time takes it as an argument, and whoever waits, waits on a [`Clock`]. Production uses
//! [`SystemClock`] and [`SystemEntropy`]; tests move a [`ManualClock`] by hand and draw from a [`SeededEntropy`], so
//! that the same seed gives the same run.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::time::Timestamp;

/// Tells the time and waits.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now, in UTC.
    fn now(&self) -> Timestamp;

    /// Waits for `span`.
    ///
    /// # Cancellation
    /// Safe to drop at any time.
    async fn sleep(&self, span: Duration);
}

/// A source of random numbers.
pub trait Entropy: Send + Sync {
    /// 64 random bits.
    fn next_u64(&self) -> u64;

    /// 128 random bits.
    fn next_u128(&self) -> u128 {
        (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64())
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is to ask")]
    fn now(&self) -> Timestamp {
        Timestamp::from(chrono::Utc::now())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is to sleep by")]
    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// The randomness of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the source that everybody else is to draw from")]
    fn next_u64(&self) -> u64 {
        // INVARIANT: the operating systems we run on always answer; a process without randomness cannot make
        // identifiers and must not go on.
        getrandom::u64().expect("the operating system has no randomness")
    }
}

/// A clock that stands still until somebody moves it; sleeping moves it by the time slept.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        ManualClock { now: Mutex::new(now) }
    }

    /// Moves the clock forward by `span`.
    pub fn advance(&self, span: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.plus(span);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, span: Duration) {
        self.advance(span);
    }
}

/// A reproducible source: SplitMix64 over a seed.
#[derive(Debug)]
pub struct SeededEntropy {
    state: Mutex<u64>,
}

impl SeededEntropy {
    /// A source whose numbers follow from `seed`.
    pub fn new(seed: u64) -> Self {
        SeededEntropy { state: Mutex::new(seed) }
    }
}

impl Entropy for SeededEntropy {
    fn next_u64(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
