//! The runs that go on: at most one of each account, and not too many at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};

use super::pulse::{Pulse, STANDSTILL};
use super::worker::Finished;
use crate::domain::id::AccountName;
use crate::engine::StopFlag;
use crate::store::StoreError;

/// How many accounts are synchronized at a time. Most of a run is waiting, for Google or for the budget; what they share is
/// the store, and the memory for a page each.
const AT_ONCE: usize = 32;

/// What became of a run.
pub(super) type Ending = Result<Result<Finished, StoreError>, JoinError>;

/// The runs that go on.
#[derive(Debug, Default)]
pub(super) struct Runs {
    tasks: JoinSet<Result<Finished, StoreError>>,
    busy: Vec<Busy>,
}

#[derive(Debug)]
struct Busy {
    task: Id,
    account: AccountName,
    pulse: Arc<Pulse>,
    stop: StopFlag,
    /// Whether it was told that it stands still. It is told once.
    told: bool,
}

impl Runs {
    /// Whether a run of the account can begin.
    pub(super) fn has_room_for(&self, account: &AccountName) -> bool {
        self.busy.len() < AT_ONCE && self.busy.iter().all(|busy| busy.account != *account)
    }

    /// Begins a run of the account.
    pub(super) fn begin<F>(&mut self, account: AccountName, run: impl FnOnce(Arc<Pulse>, StopFlag) -> F)
    where
        F: Future<Output = Result<Finished, StoreError>> + Send + 'static,
    {
        let (pulse, stop) = (Arc::new(Pulse::new()), StopFlag::default());
        let run = Arc::clone(&pulse).of(run(Arc::clone(&pulse), stop.clone()));
        let task = self.tasks.spawn(run).id();
        self.busy.push(Busy { task, account, pulse, stop, told: false });
    }

    /// Asks the runs of all accounts but these to stop, each after the request that it has in flight.
    pub(super) fn stop_all_but(&self, accounts: &BTreeSet<AccountName>) {
        self.busy.iter().filter(|busy| !accounts.contains(&busy.account)).for_each(|busy| busy.stop.stop());
    }

    /// The next run that ends, and how long it took; waits for ever when none goes on.
    ///
    /// # Cancellation
    /// Safe to drop.
    pub(super) async fn ended(&mut self) -> (AccountName, Duration, Ending) {
        loop {
            let Some(ended) = self.tasks.join_next_with_id().await else { return std::future::pending().await };
            let (id, ending) = match ended {
                Ok((id, outcome)) => (id, Ok(outcome)),
                Err(cause) => (cause.id(), Err(cause)),
            };
            if let Some(place) = self.busy.iter().position(|busy| busy.task == id) {
                let busy = self.busy.swap_remove(place);
                return (busy.account, busy.pulse.age(), ending);
            }
        }
    }

    /// Whether no run goes on.
    pub(super) fn is_empty(&self) -> bool {
        self.busy.is_empty()
    }

    /// Whether every run gets ahead; logs those that do not.
    pub(super) fn get_ahead(&mut self) -> bool {
        let mut all = true;
        for busy in self.busy.iter_mut().filter(|busy| busy.pulse.silence() > STANDSTILL) {
            all = false;
            if !std::mem::replace(&mut busy.told, true) {
                let account = &busy.account;
                tracing::error!(%account, "the run of account {account} has stood still for a quarter of an hour");
            }
        }
        all
    }

    /// Ends all of them at once.
    pub(super) async fn abort(&mut self) {
        self.tasks.shutdown().await;
        self.busy.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Progress as _, Step};

    fn account(name: &str) -> AccountName {
        AccountName::new(name)
    }

    fn endless(runs: &mut Runs, name: &str) {
        runs.begin(account(name), |_, _| std::future::pending());
    }

    #[tokio::test]
    async fn an_account_has_one_run_at_a_time_and_all_have_a_few() {
        let mut runs = Runs::default();
        endless(&mut runs, "a");
        assert!(!runs.has_room_for(&account("a")) && runs.has_room_for(&account("b")));
        (1..AT_ONCE).for_each(|number| endless(&mut runs, &number.to_string()));
        assert!(!runs.has_room_for(&account("e")));
        runs.abort().await;
        assert!(runs.is_empty() && runs.has_room_for(&account("a")));
    }

    #[tokio::test]
    async fn an_account_that_is_not_to_be_served_any_more_is_asked_to_stop() {
        let mut runs = Runs::default();
        ["a", "b"].into_iter().for_each(|name| endless(&mut runs, name));
        runs.stop_all_but(&BTreeSet::from([account("b")]));
        let stopped: Vec<bool> = runs.busy.iter().map(|busy| busy.stop.is_stopped()).collect();
        assert_eq!(stopped, [true, false]);
    }

    #[tokio::test]
    async fn a_run_that_panics_ends_and_is_named() {
        let mut runs = Runs::default();
        runs.begin(account("a"), |_, _| async { panic!("on purpose") });
        let (name, _, ending) = runs.ended().await;
        assert_eq!(name, account("a"));
        assert!(ending.is_err_and(|cause| cause.is_panic()));
        assert!(runs.is_empty());
    }

    #[tokio::test]
    async fn a_run_that_stands_still_is_noticed_until_it_gets_ahead() {
        let mut runs = Runs::default();
        endless(&mut runs, "a");
        assert!(runs.get_ahead());
        runs.busy[0].pulse = Arc::new(Pulse::silent_for(STANDSTILL + Duration::from_secs(1)));
        assert!(!runs.get_ahead());
        runs.busy[0].pulse.advanced(Step::Writing, 1, 2);
        assert!(runs.get_ahead());
    }
}
