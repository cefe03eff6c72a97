//! Silence is an alarm: when an account has not been proven equal for too long.
//!
//! Arithmetic only. Whether an account is late follows from its schedule: three of its ticks have passed since both sides
//! were last proven equal, and the run of the last one has had time to end.

use std::time::Duration;

use crate::config::Schedule;
use crate::domain::time::Timestamp;
use crate::remotes::FRESHNESS_WINDOW;

/// How many ticks of the schedule may pass.
const INTERVALS: usize = 3;
/// How long the run that begins with the last of them may take at the most; where ticks are closer, until the next one.
const RUN: Duration = Duration::from_secs(60);

/// The time from which on an account is late that was equal at `since`; `None` when its schedule never comes round again.
pub(super) fn deadline(schedule: &Schedule, since: Timestamp) -> Option<Timestamp> {
    let last = (0..INTERVALS).try_fold(since, |tick, _| schedule.next_after(tick))?;
    let next = schedule.next_after(last)?;
    Some(last.plus(RUN.min(next.since(last))))
}

/// How things stand with one account's silence.
#[derive(Debug, Clone)]
pub(super) struct Silence {
    schedule: Schedule,
    /// When this daemon began to care for the account.
    entered: Timestamp,
    /// When both sides were last proven equal.
    equal: Option<Timestamp>,
    /// Since when the schedule rules: a shorter one does not make late what was in time under the longer one.
    ruled: Timestamp,
    /// Whether a run of this daemon has ended: before that, a long silence only shows that nothing was running.
    has_run: bool,
    /// Whether the last run waits for the remote to show what it knows.
    lags: bool,
    /// Whether the silence was told. It is told once.
    told: bool,
}

/// What a run that ended waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// Nothing, or nothing that passes by itself.
    ForNothing,
    /// That the remote shows what it knows; by then it will.
    ForNews,
}

/// What is to be said about a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing that was not said before.
    None,
    /// The account is late; since when it was last proven equal.
    Late(Option<Timestamp>),
    /// It was late, and is equal again.
    Over,
}

impl Silence {
    /// The silence of an account that was last equal at `equal`.
    pub(super) fn new(schedule: Schedule, equal: Option<Timestamp>, now: Timestamp) -> Self {
        Silence { schedule, entered: now, equal, ruled: Timestamp::EPOCH, has_run: false, lags: false, told: false }
    }

    /// The same under a schedule, which may be another one from now on.
    pub(super) fn follow(&mut self, schedule: Schedule, now: Timestamp) {
        if self.schedule != schedule {
            self.schedule = schedule;
            self.ruled = now;
        }
    }

    /// Both sides are known to have been proven equal at this time.
    pub(super) fn is_equal_since(&mut self, equal: Option<Timestamp>) {
        self.equal = equal;
    }

    /// A run of this daemon ended; whether it waits for the remote to show what it knows.
    pub(super) fn heard(&mut self, waits: Waits) {
        self.has_run = true;
        self.lags = waits == Waits::ForNews;
    }

    /// When both sides were last proven equal.
    pub(super) fn equal(&self) -> Option<Timestamp> {
        self.equal
    }

    /// Whether the account is late. A time of equality that lies ahead means that the clock was set back.
    pub(super) fn is_late(&self, now: Timestamp) -> bool {
        let since = self.equal.filter(|equal| *equal <= now).unwrap_or(self.entered).max(self.ruled).min(now);
        let patience = if self.lags { FRESHNESS_WINDOW } else { Duration::ZERO };
        deadline(&self.schedule, since).is_some_and(|deadline| deadline.plus(patience) < now)
    }

    /// What is to be said now; remembers that it was said.
    pub(super) fn news(&mut self, now: Timestamp) -> News {
        let has_waited = deadline(&self.schedule, self.entered).is_some_and(|deadline| deadline < now);
        match (self.is_late(now), self.told) {
            (true, false) if self.has_run || has_waited => {
                self.told = true;
                News::Late(self.equal)
            }
            (false, true) => {
                self.told = false;
                News::Over
            }
            _ => News::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::schedule::tests::schedule;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn silence(pattern: &str, equal: Option<&str>, now: &str) -> Silence {
        Silence::new(schedule(pattern, "UTC"), equal.map(at), at(now))
    }

    #[test]
    fn an_account_is_late_after_three_ticks_and_the_time_of_a_run() {
        let mut silence = silence("0 */2 * * * *", None, "2026-11-23T15:00:30Z");
        silence.is_equal_since(Some(at("2026-11-23T15:00:40Z")));
        for (now, is_late) in [("2026-11-23T15:07:00Z", false), ("2026-11-23T15:07:01Z", true)] {
            assert_eq!(silence.is_late(at(now)), is_late, "{now}");
        }
    }

    #[test]
    fn a_schedule_that_rests_at_night_is_not_late_in_the_morning() {
        let silence = silence("0 0 8-18 * * *", Some("2026-11-23T17:00:10Z"), "2026-11-23T17:00:10Z");
        assert!(!silence.is_late(at("2026-11-24T08:30:00Z")));
        assert!(silence.is_late(at("2026-11-24T09:01:30Z")));
    }

    #[test]
    fn a_silence_is_told_once_and_so_is_its_end() {
        let mut silence = silence("0 */2 * * * *", Some("2026-11-12T15:00:00Z"), "2026-11-23T15:00:00Z");
        assert_eq!(silence.news(at("2026-11-23T15:00:01Z")), News::None, "nothing was running");
        silence.heard(Waits::ForNothing);
        let late = News::Late(Some(at("2026-11-12T15:00:00Z")));
        assert_eq!(silence.news(at("2026-11-23T15:00:05Z")), late);
        assert_eq!(silence.news(at("2026-11-23T15:00:06Z")), News::None);
        silence.is_equal_since(Some(at("2026-11-23T15:02:05Z")));
        assert_eq!(silence.news(at("2026-11-23T15:02:06Z")), News::Over);
        assert_eq!(silence.news(at("2026-11-23T15:02:07Z")), News::None);
    }

    #[test]
    fn an_account_that_never_was_equal_is_late_counted_from_the_start() {
        let mut silence = silence("0 */2 * * * *", None, "2026-11-23T15:00:00Z");
        assert_eq!(silence.news(at("2026-11-23T15:06:30Z")), News::None);
        assert_eq!(silence.news(at("2026-11-23T15:07:30Z")), News::Late(None), "no run ended at all");
    }

    #[test]
    fn a_clock_that_is_set_back_alarms_nobody_at_once_and_does_not_end_the_watch() {
        let silence = silence("0 */2 * * * *", Some("2026-11-23T15:00:00Z"), "2026-11-23T13:59:00Z");
        assert!(!silence.is_late(at("2026-11-23T14:00:00Z")));
        assert!(silence.is_late(at("2026-11-23T14:10:00Z")));
    }

    #[test]
    fn an_account_that_waits_for_news_has_longer() {
        let mut silence = silence("0 */2 * * * *", Some("2026-11-23T15:00:00Z"), "2026-11-23T15:00:00Z");
        silence.heard(Waits::ForNews);
        assert!(!silence.is_late(at("2026-11-23T15:20:00Z")));
        assert!(silence.is_late(at("2026-11-23T15:25:00Z")));
        silence.heard(Waits::ForNothing);
        assert!(silence.is_late(at("2026-11-23T15:20:00Z")));
    }
}
