//! When accounts are due.
//!
//! A [`Timetable`] is arithmetic: told the time, it says who is due. Time comes from a heartbeat that rings a bell every
//! second and knows nothing else, because the scheduler's own idea of a time zone goes wrong when the clocks change, and
//! because it would start a job again while it still runs. Ticks that pass while a run goes on, or while the process is
//! down, collapse into one. Accounts that are due at the same time follow each other at a distance, in the order of their
//! names, so that they do not all call at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::config::Schedule;
use crate::domain::id::AccountName;
use crate::domain::time::Timestamp;

/// How far apart accounts begin that are due at the same time.
const DISTANCE: Duration = Duration::from_secs(2);

/// When each account is due next.
#[derive(Debug, Default)]
pub struct Timetable {
    entries: BTreeMap<AccountName, Entry>,
}

#[derive(Debug)]
struct Entry {
    schedule: Schedule,
    /// `None` when the pattern never comes again.
    next: Option<Timestamp>,
}

impl Entry {
    /// How long after its tick the account begins that is at this place; never past the middle between two ticks.
    fn delay(&self, place: usize, tick: Timestamp) -> Duration {
        let wanted = DISTANCE.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
        let interval = self.schedule.next_after(tick).map_or(wanted, |following| following.since(tick));
        wanted.min(interval / 2)
    }
}

impl Timetable {
    /// A timetable without accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters an account, or replaces its schedule.
    ///
    /// `last_run` is when it last ran: a tick that was missed since then is due at once, however many were missed. An
    /// account that never ran is due at once, so that the first start shows whether everything works.
    pub fn enter(&mut self, account: AccountName, schedule: Schedule, last_run: Option<Timestamp>, now: Timestamp) {
        let next = match last_run {
            // A last run in the future means that the clock was set back; its ticks cannot have been missed.
            Some(last) => schedule.next_after(last.min(now)),
            None => Some(now),
        };
        self.entries.insert(account, Entry { schedule, next });
    }

    /// Removes an account.
    pub fn remove(&mut self, account: &AccountName) {
        self.entries.remove(account);
    }

    /// The accounts that are due at `now`, each once, however many of its ticks have passed; each is due again after
    /// `now` only.
    pub fn due(&mut self, now: Timestamp) -> Vec<AccountName> {
        let mut due = Vec::new();
        for (place, (account, entry)) in self.entries.iter_mut().enumerate() {
            let upcoming = entry.schedule.next_after(now);
            match entry.next {
                Some(next) if next.plus(entry.delay(place, next)) <= now => {
                    entry.next = upcoming;
                    due.push(account.clone());
                }
                // The clock was set back: what was next is further away than the next tick seen from here.
                Some(next) if upcoming.is_some_and(|upcoming| upcoming < next) => entry.next = upcoming,
                _ => {}
            }
        }
        due
    }

    /// When an account is due next; `None` when it is not entered or never due again.
    pub fn next_of(&self, account: &AccountName) -> Option<Timestamp> {
        self.entries.get(account)?.next
    }

    /// When the first account is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.entries.values().filter_map(|entry| entry.next).min()
    }
}

/// Rings a bell every second.
pub struct Heartbeat {
    scheduler: JobScheduler,
}

impl Heartbeat {
    /// Starts to ring. The bell keeps at most one ring, so a listener that is busy hears one when it comes back.
    ///
    /// # Errors
    /// [`JobSchedulerError`] when the scheduler cannot start.
    pub async fn start(bell: Arc<Notify>) -> Result<Heartbeat, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let job = Job::new_async("* * * * * *", move |_, _| {
            let bell = Arc::clone(&bell);
            Box::pin(async move { bell.notify_one() })
        })?;
        scheduler.add(job).await?;
        scheduler.start().await?;
        Ok(Heartbeat { scheduler })
    }

    /// Stops to ring.
    pub async fn stop(mut self) {
        // It fails only when the scheduler is gone already, which is what is wanted.
        let _ = self.scheduler.shutdown().await;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::{Config, Surroundings};

    pub(in crate::daemon) fn schedule(pattern: &str, timezone: &str) -> Schedule {
        let source = format!(
            "[google]\nclient_id = \"id\"\n[[account]]\nname = \"a\"\nemail = \"a@acme.example\"\n\
             schedule = {pattern:?}\ntimezone = {timezone:?}\n[[account.pair]]\ngroup = \"CRM\"\n"
        );
        let config = Config::parse(&source, "/etc/contactsync.toml".as_ref(), &Surroundings::default());
        config.expect("valid").accounts[0].schedule.clone()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn account() -> AccountName {
        AccountName::new("a")
    }

    /// A timetable with one account that last ran at `last`.
    fn timetable(pattern: &str, last: Option<&str>, now: &str) -> Timetable {
        let mut timetable = Timetable::new();
        timetable.enter(account(), schedule(pattern, "UTC"), last.map(at), at(now));
        timetable
    }

    #[test]
    fn an_account_is_due_when_its_tick_has_come_and_then_not_again() {
        let mut timetable = timetable("0 */2 * * * *", Some("2026-11-23T15:00:00Z"), "2026-11-23T15:00:30Z");
        for (now, is_due) in [
            ("2026-11-23T15:01:59.999Z", false),
            ("2026-11-23T15:02:00Z", true),
            ("2026-11-23T15:02:00.500Z", false),
            ("2026-11-23T15:03:59Z", false),
            ("2026-11-23T15:04:00.7Z", true),
        ] {
            assert_eq!(!timetable.due(at(now)).is_empty(), is_due, "{now}");
        }
    }

    #[test]
    fn ticks_that_passed_during_a_run_collapse_into_one() {
        let mut timetable = timetable("0 */2 * * * *", Some("2026-11-23T15:00:00Z"), "2026-11-23T15:00:00Z");
        assert_eq!(timetable.due(at("2026-11-23T15:31:00Z")), [account()]);
        assert_eq!(timetable.next_of(&account()), Some(at("2026-11-23T15:32:00Z")));
    }

    #[test]
    fn a_tick_missed_while_the_process_was_down_is_due_once() {
        let mut timetable = timetable("0 0 3 * * *", Some("2026-11-20T03:00:00Z"), "2026-11-23T15:00:00Z");
        assert_eq!(timetable.due(at("2026-11-23T15:00:00Z")), [account()]);
        assert_eq!(timetable.due(at("2026-11-23T15:00:01Z")), []);
        assert_eq!(timetable.next(), Some(at("2026-11-24T03:00:00Z")));
    }

    #[test]
    fn accounts_with_the_same_tick_follow_each_other_at_a_distance() {
        let mut timetable = Timetable::new();
        for name in ["b", "a", "c"] {
            let last = Some(at("2026-11-23T15:00:00Z"));
            timetable.enter(AccountName::new(name), schedule("0 */2 * * * *", "UTC"), last, at("2026-11-23T15:00:00Z"));
        }
        let mut seen = Vec::new();
        for second in 0..6 {
            let due = timetable.due(at(&format!("2026-11-23T15:02:0{second}Z")));
            seen.extend(due.into_iter().map(|account| (second, account.to_string())));
        }
        assert_eq!(seen, [(0, "a".to_owned()), (2, "b".to_owned()), (4, "c".to_owned())]);
    }

    #[test]
    fn an_account_at_a_late_place_still_begins_before_its_next_tick() {
        let mut timetable = Timetable::new();
        for place in 0..30 {
            let last = Some(at("2026-11-23T15:00:00Z"));
            let (name, pattern) = (AccountName::new(format!("{place:02}")), schedule("*/10 * * * * *", "UTC"));
            timetable.enter(name, pattern, last, at("2026-11-23T15:00:00Z"));
        }
        let begun: usize = (10..20).map(|s| timetable.due(at(&format!("2026-11-23T15:00:{s}Z"))).len()).sum();
        assert_eq!(begun, 30);
    }

    #[test]
    fn an_account_that_never_ran_is_due_at_once() {
        let mut timetable = timetable("0 0 3 * * *", None, "2026-11-23T15:00:00Z");
        assert_eq!(timetable.due(at("2026-11-23T15:00:00Z")), [account()]);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_silence_an_account() {
        let mut timetable = timetable("0 */2 * * * *", Some("2026-11-23T15:00:00Z"), "2026-11-23T15:00:00Z");
        assert_eq!(timetable.due(at("2026-11-23T10:00:30Z")), []);
        assert_eq!(timetable.due(at("2026-11-23T10:02:00Z")), [account()]);
        let future = Some("2027-01-01T00:00:00Z");
        let restarted = self::timetable("0 */2 * * * *", future, "2026-11-23T10:00:30Z");
        assert_eq!(restarted.next(), Some(at("2026-11-23T10:02:00Z")));
    }

    #[test]
    fn a_local_time_stays_the_same_wall_clock_time_through_the_year() {
        let mut timetable = Timetable::new();
        let schedule = schedule("0 0 18 * * *", "Europe/Warsaw");
        timetable.enter(account(), schedule, Some(at("2026-10-23T17:00:00Z")), at("2026-10-23T17:00:00Z"));
        let mut now = at("2026-10-23T17:00:00Z");
        let mut ticks = Vec::new();
        while ticks.len() < 3 {
            now = timetable.next().expect("a tick");
            assert_eq!(timetable.due(now), [account()]);
            ticks.push(now.to_string());
        }
        assert_eq!(ticks, ["2026-10-24T16:00:00Z", "2026-10-25T17:00:00Z", "2026-10-26T17:00:00Z"], "{now}");
    }

    #[tokio::test]
    async fn the_heartbeat_rings_until_it_is_stopped() {
        let bell = Arc::new(Notify::new());
        let heartbeat = Heartbeat::start(Arc::clone(&bell)).await.expect("started");
        let bound = std::time::Duration::from_secs(20);
        tokio::time::timeout(bound, bell.notified()).await.expect("a ring");
        tokio::time::timeout(bound, bell.notified()).await.expect("another ring");
        heartbeat.stop().await;
    }
}
