//! What is left of an account's request budget, as one process hands it to the next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The most units that can be spent at once. The dearest call costs ten.
pub const BURST_UNITS: u32 = 12;

/// The budgets of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// For reads.
    pub reads: Allowance,
    /// For writes.
    pub writes: Allowance,
    /// How often in a row the remote said that its storage is exhausted; each time the pause doubles.
    pub exhausted: u32,
    /// Until when only single writes fit into what is left of the day; `None` when batches do.
    #[serde(default)]
    pub singles_until: Option<Timestamp>,
}

/// One budget: a bucket that fills up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// What was in it, in thousandths of a unit.
    pub milliunits: u64,
    /// How fast it fills, in thousandths of a unit per minute.
    pub per_minute: u64,
    /// How fast it fills when the remote has refused nothing for long.
    pub configured: u64,
    /// When that was.
    pub at: Timestamp,
    /// Until when nothing is sent.
    pub paused_until: Timestamp,
}

impl Allowance {
    /// How long from `now` until so many units have been spent, at the present rate.
    pub fn time_for(&self, units: u64, now: Timestamp) -> Duration {
        let pause = self.paused_until.since(now);
        let filled = u128::from(self.per_minute).saturating_mul(now.since(self.at).as_millis()) / 60_000;
        let there = u128::from(self.milliunits).saturating_add(filled);
        let missing = u128::from(units).saturating_mul(1000).saturating_sub(there);
        let millis = missing.saturating_mul(60_000) / u128::from(self.per_minute.max(1));
        pause + Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// Whole units that can be spent at `now`; none while nothing may be sent.
    pub fn units_at(&self, now: Timestamp) -> u64 {
        if self.paused_until > now {
            return 0;
        }
        let filled = u128::from(self.per_minute).saturating_mul(now.since(self.at).as_millis()) / 60_000;
        let there = u128::from(self.milliunits).saturating_add(filled).min(u128::from(BURST_UNITS) * 1000);
        u64::try_from(there / 1000).unwrap_or(u64::MAX)
    }

    /// Whether the remote has refused so lately that the rate is lower than configured.
    pub fn is_slowed_down(&self) -> bool {
        self.per_minute < self.configured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_spent_first_and_a_pause_is_waited_for() {
        let at = Timestamp::EPOCH;
        let allowance = Allowance { milliunits: 10_000, per_minute: 60_000, configured: 60_000, at, paused_until: at };
        assert_eq!(allowance.time_for(10, at), Duration::ZERO);
        assert_eq!(allowance.time_for(70, at), Duration::from_secs(60));
        assert_eq!(allowance.time_for(70, at.plus(Duration::from_secs(30))), Duration::from_secs(30));
        let paused = Allowance { paused_until: at.plus(Duration::from_secs(90)), ..allowance };
        assert_eq!(paused.time_for(70, at), Duration::from_secs(150));
        assert!(!paused.is_slowed_down());
    }
}
