//! When to try again: waits that double, with full jitter, up to a limit of tries. Pure; the waiting is done elsewhere.
//!
//! The arithmetic is that of the `backoff` crate, which is named in this file only. Its own jitter cannot be seeded,
//! so it is switched off, and the wait is drawn from our [`Entropy`]: anything between nothing and the doubled span.

use std::time::Duration;

use backoff::SystemClock;
use backoff::backoff::Backoff;
use backoff::exponential::ExponentialBackoff;

use crate::clock::Entropy;
use crate::domain::time::Timestamp;

/// How often and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryLimits {
    /// The most tries, the first one included.
    pub tries_max: u32,
    /// The upper bound of the first wait.
    pub first: Duration,
    /// The upper bound of any wait.
    pub cap: Duration,
}

/// For reads of a remote.
pub const READS: RetryLimits =
    RetryLimits { tries_max: 5, first: Duration::from_secs(1), cap: Duration::from_secs(64) };

/// The waits of one request.
pub struct RetrySchedule {
    limits: RetryLimits,
    tries: u32,
    spans: ExponentialBackoff<SystemClock>,
}

impl RetrySchedule {
    /// The schedule of a request that was not tried yet.
    pub fn new(limits: RetryLimits) -> Self {
        let spans = ExponentialBackoff {
            initial_interval: limits.first,
            current_interval: limits.first,
            max_interval: limits.cap,
            multiplier: 2.0,
            randomization_factor: 0.0,
            // Its notion of elapsed time is the machine's; ours is the limit of tries.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        RetrySchedule { limits, tries: 0, spans }
    }

    /// How long to wait after a failed try; `None` when it was the last one.
    pub fn next_wait(&mut self, entropy: &dyn Entropy) -> Option<Duration> {
        self.tries += 1;
        if self.tries >= self.limits.tries_max {
            return None;
        }
        Some(jitter(self.spans.next_backoff()?, entropy))
    }
}

/// A random part of the span.
pub fn jitter(span: Duration, entropy: &dyn Entropy) -> Duration {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    let share = u128::from(entropy.next_u64()) * u128::from(micros);
    Duration::from_micros(u64::try_from(share >> 64).unwrap_or(micros))
}

/// Reads a `Retry-After` header: seconds, or a date. A date that has passed is no wait at all.
///
/// Source: RFC 9110, section 10.2.3.
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = chrono::DateTime::parse_from_rfc2822(header).ok()?;
    Some(Timestamp::from(date.to_utc()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    /// Always draws the largest number.
    struct Longest;

    impl Entropy for Longest {
        fn next_u64(&self) -> u64 {
            u64::MAX
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_end_with_the_tries() {
        let mut schedule = RetrySchedule::new(RetryLimits { tries_max: 9, ..READS });
        let waits: Vec<u64> =
            std::iter::from_fn(|| schedule.next_wait(&Longest)).map(|wait| wait.as_secs_f64().round() as u64).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64]);
    }

    #[test]
    fn the_same_seed_gives_the_same_waits_within_the_span() {
        let waits = |seed| {
            let (entropy, mut schedule) = (SeededEntropy::new(seed), RetrySchedule::new(READS));
            std::iter::from_fn(|| schedule.next_wait(&entropy)).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
        assert_eq!(waits(7).len(), 4);
        assert!(waits(7).iter().zip([1, 2, 4, 8]).all(|(wait, span)| *wait <= Duration::from_secs(span)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-23T15:00:00Z".parse().expect("time");
        for (header, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Mon, 23 Nov 2026 15:01:30 GMT", Some(90)),
            ("Mon, 23 Nov 2026 14:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("", None),
        ] {
            assert_eq!(retry_after(header, now).map(|wait| wait.as_secs()), expected, "{header:?}");
        }
    }
}
