//! How much one account may ask of its remote per minute.
//!
//! Two budgets, reads and writes, fill up at the configured rate and are spent before a request is sent. When the
//! remote refuses nevertheless (429), nothing more is sent until it is ready again, the rate is halved, and every
//! quiet minute gives back a tenth of the configured rate.
//!
//! The budget is our own arithmetic because the rate changes while it is in use: a `governor` limiter has a fixed
//! rate, and replacing it by another one forgets what was spent, just when the remote is short of patience.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Entropy};
use crate::domain::budget::{Allowance, BURST_UNITS};
use crate::domain::time::Timestamp;

use super::retry::jitter;

/// The slowest a budget gets, in units per minute.
const FLOOR_PER_MINUTE: f64 = 3.0;
/// What a quiet minute gives back, of the configured rate.
const RECOVERY_PER_MINUTE: f64 = 0.1;
/// A pause is waited out up to this length; a longer one is an answer to the caller.
const PAUSE_WAITED_MAX: Duration = Duration::from_secs(120);
/// The longest pause that is taken over from another process.
const PAUSE_KEPT_MAX: Duration = Duration::from_secs(6 * 3600);
/// The pause when the remote does not name one: its window of a minute, and some more so that many do not come at once.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_JITTER: Duration = Duration::from_secs(10);

/// The most units that can be spent at once.
fn burst() -> f64 {
    f64::from(BURST_UNITS)
}

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Units of the read budget.
    pub reads: u32,
    /// Units of the write budget.
    pub writes: u32,
}

/// Which budgets a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Reads.
    Reads,
    /// Writes.
    Writes,
    /// The remote did not say.
    Unknown,
}

/// The budget of one account.
pub struct Quota {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    budgets: Mutex<Budgets>,
}

struct Budgets {
    reads: Budget,
    writes: Budget,
    /// Whether anything was spent or refused here, so that more is known than that the process is new.
    is_used: bool,
}

/// Whose budget is gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// The own one.
    Own,
    /// That of another process.
    Theirs,
}

impl Quota {
    /// A full budget of so many units per minute.
    pub fn new(
        reads_per_minute: u32,
        writes_per_minute: u32,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let now = clock.now();
        let (reads, writes) = (Budget::new(reads_per_minute, now), Budget::new(writes_per_minute, now));
        let budgets = Budgets { reads, writes, is_used: false };
        Quota { clock, entropy, budgets: Mutex::new(budgets) }
    }

    /// Spends the cost, and waits until the budget allows it.
    ///
    /// # Errors
    /// The rest of a pause that is too long to be waited out here; nothing is spent then.
    ///
    /// # Cancellation
    /// What was spent stays spent; that errs on the slow side.
    pub async fn spend(&self, cost: Cost) -> Result<(), Duration> {
        loop {
            let wait = self.try_spend(cost)?;
            if wait.is_zero() {
                return Ok(());
            }
            self.clock.sleep(wait).await;
        }
    }

    /// Waits until the budget would allow the cost, without spending it.
    ///
    /// # Errors
    /// As [`Quota::spend`].
    pub async fn wait_for(&self, cost: Cost) -> Result<(), Duration> {
        loop {
            let wait = wait_of(&mut self.lock(), cost, self.clock.now())?;
            if wait.is_zero() {
                return Ok(());
            }
            self.clock.sleep(wait).await;
        }
    }

    /// How long to wait before trying again; zero when the cost was spent.
    fn try_spend(&self, cost: Cost) -> Result<Duration, Duration> {
        let now = self.clock.now();
        let mut budgets = self.lock();
        let wait = wait_of(&mut budgets, cost, now)?;
        if wait.is_zero() {
            budgets.is_used = true;
            budgets.reads.units -= f64::from(cost.reads);
            budgets.writes.units -= f64::from(cost.writes);
        }
        Ok(wait)
    }

    /// Takes a refusal to heart: slower from now on, and nothing at all until the time the remote named, or the
    /// window of a minute is over. Returns the length of the pause.
    pub fn refused(&self, metric: Metric, named: Option<Duration>) -> Duration {
        let now = self.clock.now();
        let pause = named.unwrap_or_else(|| PAUSE + jitter(PAUSE_JITTER, self.entropy.as_ref()));
        let mut budgets = self.lock();
        budgets.is_used = true;
        if metric != Metric::Writes {
            budgets.reads.refused(pause, now);
        }
        if metric != Metric::Reads {
            budgets.writes.refused(pause, now);
        }
        pause
    }

    /// What is left for reads and writes.
    pub fn left(&self) -> (Allowance, Allowance) {
        let now = self.clock.now();
        let mut budgets = self.lock();
        (budgets.reads.left(now), budgets.writes.left(now))
    }

    /// Goes on with what another process has left, unless what is known here is newer.
    pub fn resume(&self, reads: &Allowance, writes: &Allowance) -> Resumed {
        let now = self.clock.now();
        let mut budgets = self.lock();
        if budgets.is_used && reads.at <= budgets.reads.at {
            return Resumed::Own;
        }
        budgets.is_used = true;
        budgets.reads.resume(reads, now);
        budgets.writes.resume(writes, now);
        Resumed::Theirs
    }

    fn lock(&self) -> MutexGuard<'_, Budgets> {
        self.budgets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One budget: a bucket that fills up.
struct Budget {
    configured: f64,
    rate: f64,
    units: f64,
    at: Timestamp,
    paused_until: Timestamp,
    paused_for: Duration,
}

impl Budget {
    fn new(per_minute: u32, now: Timestamp) -> Self {
        let rate = f64::from(per_minute.max(1));
        Budget { configured: rate, rate, units: burst(), at: now, paused_until: now, paused_for: Duration::ZERO }
    }

    /// Follows a clock that was set back: what has to be waited for takes no longer than it would have.
    fn follow(&mut self, now: Timestamp) {
        if now < self.at {
            self.at = now;
            self.paused_until = self.paused_until.min(now.plus(self.paused_for));
        }
    }

    fn fill(&mut self, now: Timestamp) {
        self.follow(now);
        let minutes = now.since(self.at).as_secs_f64() / 60.0;
        let quiet = now.since(self.paused_until.max(self.at)).as_secs_f64() / 60.0;
        self.rate = (self.rate + quiet * RECOVERY_PER_MINUTE * self.configured).min(self.configured);
        self.units = (self.units + minutes * self.rate).min(burst());
        self.at = self.at.max(now);
    }

    fn pause(&mut self, now: Timestamp) -> Duration {
        self.follow(now);
        self.paused_until.since(now)
    }

    /// How long until so many units are there.
    fn wait(&mut self, units: u32, now: Timestamp) -> Duration {
        self.fill(now);
        // A cost above the burst would never be met; the whole burst is the most that can be asked for.
        let missing = f64::from(units).min(burst()) - self.units;
        if units == 0 || missing <= 0.0 {
            return Duration::ZERO;
        }
        // Rounded up, so that the wait is never a hair too short.
        Duration::from_secs_f64(missing / self.rate * 60.0) + Duration::from_millis(1)
    }

    fn refused(&mut self, pause: Duration, now: Timestamp) {
        self.fill(now);
        self.rate = (self.rate / 2.0).max(FLOOR_PER_MINUTE.min(self.configured));
        self.units = 0.0;
        self.paused_until = self.paused_until.max(now.plus(pause));
        self.paused_for = self.paused_until.since(now);
    }

    fn left(&mut self, now: Timestamp) -> Allowance {
        self.fill(now);
        // Never negative, and far below the limit of the type.
        let milli = |value: f64| (value.max(0.0) * 1000.0) as u64;
        Allowance {
            milliunits: milli(self.units),
            per_minute: milli(self.rate),
            configured: milli(self.configured),
            at: self.at,
            paused_until: self.paused_until,
        }
    }

    /// What another process left. A pause is never longer than the longest that a refusal can lead to.
    fn resume(&mut self, left: &Allowance, now: Timestamp) {
        let units =
            |milli: u64| u32::try_from(milli / 1000).map_or(f64::MAX, f64::from) + (milli % 1000) as f64 / 1000.0;
        self.units = units(left.milliunits).min(burst());
        self.rate = units(left.per_minute).clamp(FLOOR_PER_MINUTE.min(self.configured), self.configured);
        self.at = left.at.min(now);
        self.paused_until = left.paused_until.min(now.plus(PAUSE_KEPT_MAX));
        self.paused_for = self.paused_until.since(now);
    }
}

/// How long the budgets need until they allow the cost.
fn wait_of(budgets: &mut Budgets, cost: Cost, now: Timestamp) -> Result<Duration, Duration> {
    let pause = match (cost.reads, cost.writes) {
        (0, _) => budgets.writes.pause(now),
        (_, 0) => budgets.reads.pause(now),
        _ => budgets.reads.pause(now).max(budgets.writes.pause(now)),
    };
    if pause > PAUSE_WAITED_MAX {
        return Err(pause);
    }
    Ok(pause.max(budgets.reads.wait(cost.reads, now)).max(budgets.writes.wait(cost.writes, now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SeededEntropy};

    const WRITE: Cost = Cost { reads: 1, writes: 1 };

    fn quota(per_minute: u32) -> (Arc<ManualClock>, Quota) {
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        (clock.clone(), Quota::new(per_minute, per_minute, clock, Arc::new(SeededEntropy::new(1))))
    }

    #[tokio::test]
    async fn a_burst_is_free_and_the_rest_keeps_the_rate() {
        let (clock, quota) = quota(60);
        for _ in 0..12 {
            quota.spend(WRITE).await.expect("no pause");
        }
        assert_eq!(clock.now(), Timestamp::EPOCH);
        for _ in 0..60 {
            quota.spend(WRITE).await.expect("no pause");
        }
        let seconds = clock.now().since(Timestamp::EPOCH).as_secs_f64();
        assert!((60.0..60.2).contains(&seconds), "{seconds}");
    }

    #[tokio::test]
    async fn a_refusal_pauses_and_halves_the_rate_and_quiet_minutes_give_it_back() {
        let (clock, quota) = quota(60);
        let pause = quota.refused(Metric::Unknown, Some(Duration::from_secs(30)));
        assert_eq!(pause, Duration::from_secs(30));
        quota.spend(WRITE).await.expect("waited out");
        let waited = clock.now().since(Timestamp::EPOCH);
        assert!(waited >= Duration::from_secs(30), "{waited:?}");
        // Half of 60 per minute, and what a pause of half a minute let in.
        for _ in 0..40 {
            quota.spend(WRITE).await.expect("no pause");
        }
        let seconds = clock.now().since(Timestamp::EPOCH).as_secs();
        assert!((70..110).contains(&seconds), "{seconds}");
        clock.advance(Duration::from_secs(600));
        let start = clock.now();
        for _ in 0..72 {
            quota.spend(WRITE).await.expect("no pause");
        }
        let seconds = clock.now().since(start).as_secs_f64();
        assert!((60.0..60.2).contains(&seconds), "the full rate is back: {seconds}");
    }

    #[tokio::test]
    async fn a_long_pause_of_writes_is_an_answer_and_reads_go_on() {
        let (clock, quota) = quota(60);
        quota.refused(Metric::Writes, Some(Duration::from_secs(300)));
        assert_eq!(quota.spend(WRITE).await, Err(Duration::from_secs(300)));
        assert_eq!(quota.spend(Cost { reads: 1, writes: 0 }).await, Ok(()));
        clock.advance(Duration::from_secs(200));
        assert_eq!(quota.spend(WRITE).await, Ok(()));
        assert!(clock.now() >= Timestamp::EPOCH.plus(Duration::from_secs(300)));
    }

    #[test]
    fn a_pause_grows_no_longer_when_the_clock_is_set_back() {
        let day = Duration::from_secs(24 * 3600);
        let tomorrow = Timestamp::EPOCH.plus(day);
        let mut budget = Budget::new(60, tomorrow);
        budget.refused(Duration::from_secs(60), tomorrow);
        assert_eq!(budget.pause(tomorrow), Duration::from_secs(60));
        assert_eq!(budget.pause(Timestamp::EPOCH), Duration::from_secs(60), "a day earlier");
        assert_eq!(budget.pause(Timestamp::EPOCH.plus(Duration::from_secs(60))), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_refusal_without_a_time_waits_for_the_next_minute() {
        let (_, quota) = quota(60);
        let pause = quota.refused(Metric::Reads, None);
        assert!((60..=70).contains(&pause.as_secs()), "{pause:?}");
    }

    #[tokio::test]
    async fn what_one_process_has_spent_and_been_refused_the_next_one_knows() {
        let (clock, first) = quota(60);
        for _ in 0..12 {
            first.spend(WRITE).await.expect("no pause");
        }
        first.refused(Metric::Writes, Some(Duration::from_secs(1800)));
        let (reads, writes) = first.left();
        let next = Quota::new(60, 60, clock.clone(), Arc::new(SeededEntropy::new(2)));
        assert_eq!(next.resume(&reads, &writes), Resumed::Theirs);
        assert_eq!(next.left(), (reads, writes));
        assert_eq!(next.spend(WRITE).await, Err(Duration::from_secs(1800)));
        assert_eq!(next.resume(&reads, &writes), Resumed::Own, "nobody has spent since");
        clock.advance(Duration::from_secs(3600));
        next.spend(WRITE).await.expect("the pause is over");
        assert_eq!(first.resume(&next.left().0, &next.left().1), Resumed::Theirs);
    }

    #[tokio::test]
    async fn no_rate_is_so_low_that_a_call_is_never_sent() {
        let (_, quota) = quota(0);
        for _ in 0..3 {
            quota.spend(Cost { reads: 6, writes: 10 }).await.expect("no pause");
        }
    }
}
