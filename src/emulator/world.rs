//! What every action in the emulator may look at besides the account it works on: the time, the switches, the dice.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::history::Visibility;
use super::settings::{Delay, Mode, Settings};
use crate::clock::{Entropy, SeededEntropy};
use crate::domain::time::Timestamp;

/// How much of a batch is written before the scripted trouble strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The first half; then the call fails with a 500.
    Half,
}

/// The surroundings of one call.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The time of the call.
    pub now: Timestamp,
    /// The switches.
    pub settings: &'a Settings,
    /// The one source of everything random.
    pub dice: &'a Dice,
    /// How much of a batch is written.
    pub extent: Extent,
    /// Where photos are served, without a slash at its end.
    pub photo_host: &'a str,
}

impl World<'_> {
    /// Whether whatever is unknown is refused.
    pub fn is_strict(&self) -> bool {
        self.settings.mode == Mode::Strict
    }

    /// The update time of a change made now to what had this one.
    pub fn update_time(&self, before: Timestamp) -> Timestamp {
        let step = i64::try_from(self.settings.update_time_step_ms).unwrap_or(i64::MAX).saturating_mul(1000);
        if step == 0 {
            return self.now.max(before.plus(Duration::from_micros(1)));
        }
        let now = self.now.as_micros();
        Timestamp::from_micros(now - now.rem_euclid(step)).max(before)
    }

    /// Draws when a change made now will show.
    pub fn visibility(&self) -> Visibility {
        let propagation = &self.settings.propagation;
        let at = |delay| self.now.plus(self.dice.span(delay));
        let (get, list, delta) = (at(propagation.get), at(propagation.list), at(propagation.delta));
        Visibility { get, list, delta: delta.max(list) }
    }
}

/// Seeded randomness in the forms the emulator needs.
#[derive(Debug)]
pub struct Dice(SeededEntropy);

impl Dice {
    /// Dice whose throws follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Dice(SeededEntropy::new(seed))
    }

    /// 64 random bits.
    pub fn bits(&self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`; zero when `end` is zero.
    pub fn below(&self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.bits() % end).unwrap_or(0)
    }

    /// Whether something that happens `permille` times in a thousand happens now.
    pub fn strikes(&self, permille: u16) -> bool {
        permille >= 1000 || self.below(1000) < usize::from(permille)
    }

    /// A span between the bounds of `delay`. A constant delay throws no dice, so that settings do not shift the seed.
    pub fn span(&self, delay: Delay) -> Duration {
        let width = delay.max_ms.saturating_sub(delay.min_ms);
        if width == 0 {
            return Duration::from_millis(delay.min_ms);
        }
        Duration::from_millis(delay.min_ms + self.bits() % (width + 1))
    }

    /// A new etag text, the way Google writes eight bytes.
    pub fn etag(&self) -> String {
        STANDARD.encode(self.bits().to_be_bytes())
    }

    /// A secret of about `words` times eleven characters that can stand in a URL.
    pub fn secret(&self, words: usize) -> String {
        let bytes: Vec<u8> = (0..words).flat_map(|_| self.bits().to_be_bytes()).collect();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Brings `items` into a random order.
    pub fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
