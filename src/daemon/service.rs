//! The daemon's one loop: it hears signals and the clock, and has at most one run going on.
//!
//! Hints only decide when a run starts: a tick of the schedule, a signal, a reload. What they ask for is gathered while
//! a run goes on and served by the next one, so that no hint is lost and none makes two runs of one account overlap.
//! What a run does follows from the state of both sides alone.
//!
//! Start: listen to signals, enter the accounts into the timetable, tell the service manager. Stop: let the request in
//! flight be answered and recorded, then end; a second request to stop ends at once, which is as safe as a crash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::lifecycle::{Request, Requests};
use super::notify;
use super::schedule::{Heartbeat, Timetable};
use super::watch::Watch;
use super::worker::{Finished, Job, Worker};
use crate::config::{Account, Config};
use crate::domain::account::Outcome;
use crate::domain::id::{AccountName, RunId};
use crate::domain::run::AccountSummary;
use crate::domain::time::Timestamp;
use crate::engine::{Purpose, Reach, Silent, StopFlag, chain};
use crate::store::{Store, StoreError};

/// How long a run may take to finish what is in flight: the longest request, and time to record it.
const GRACE: Duration = Duration::from_secs(45);

/// Makes a worker for a configuration; anew after each reload.
pub type MakeWorker = Box<dyn Fn(&Config) -> Result<Arc<Worker>, Box<dyn std::error::Error + Send + Sync>> + Send>;
/// Reads the configuration again.
pub type ReadConfig = Box<dyn Fn() -> Result<Config, Box<dyn std::error::Error + Send + Sync>> + Send>;
/// Is told of each configuration that was taken over, for what lives outside of the daemon, such as the log.
pub type Follow = Box<dyn Fn(&Config) + Send>;

/// What the daemon is made of.
pub struct Service {
    config: Arc<Config>,
    read_config: ReadConfig,
    make_worker: MakeWorker,
    follow: Follow,
    worker: Arc<Worker>,
    timetable: Timetable,
    wanted: Wanted,
    watch: Watch,
    running: Option<Running>,
    stop: StopFlag,
}

/// Accounts that the next run is to serve, and how.
#[derive(Debug, Default)]
struct Wanted {
    accounts: BTreeSet<AccountName>,
    /// Those of them that are to be listed in full.
    in_full: BTreeSet<AccountName>,
}

struct Running {
    task: JoinHandle<Result<Finished, StoreError>>,
}

/// Why the daemon could not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The operating system refuses signal handlers.
    #[error("cannot listen to signals")]
    Signals(#[source] std::io::Error),
    /// The scheduler does not start.
    #[error("cannot start the clock of the schedules")]
    Heartbeat(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store cannot be read.
    #[error("cannot read the accounts")]
    Store(#[source] StoreError),
    /// Another daemon on the same store does the work already.
    #[error("another daemon serves these accounts already: {holder}")]
    ServedElsewhere {
        /// Its process and host.
        holder: String,
    },
    /// There is nothing to work with.
    #[error("cannot set up the accounts")]
    Worker(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Service {
    /// A daemon that has not started yet.
    ///
    /// # Errors
    /// [`ServiceError::Worker`] when the accounts cannot be set up.
    pub fn new(
        config: Config,
        read_config: ReadConfig,
        make_worker: MakeWorker,
        follow: Follow,
    ) -> Result<Self, ServiceError> {
        let worker = make_worker(&config).map_err(ServiceError::Worker)?;
        Ok(Service {
            config: Arc::new(config),
            read_config,
            make_worker,
            follow,
            worker,
            timetable: Timetable::new(),
            wanted: Wanted::default(),
            watch: Watch::new(),
            running: None,
            stop: StopFlag::default(),
        })
    }

    /// Runs until somebody asks to stop. `started` is called once everything listens.
    ///
    /// # Errors
    /// [`ServiceError`] when it cannot start; a failing run is logged and tried again on schedule.
    pub async fn run(mut self, started: impl FnOnce()) -> Result<(), ServiceError> {
        let mut requests = Requests::listen().map_err(ServiceError::Signals)?;
        self.enter_accounts().await?;
        self.keep_watch().await;
        if let Some(holder) = self.watch.shut_out() {
            return Err(ServiceError::ServedElsewhere { holder });
        }
        let bell = Arc::new(Notify::new());
        let heartbeat =
            Heartbeat::start(Arc::clone(&bell)).await.map_err(|cause| ServiceError::Heartbeat(Box::new(cause)))?;
        info!(count = self.config.accounts.len(), "contactsync is running");
        notify::ready();
        started();
        loop {
            self.keep_watch().await;
            self.start_run();
            tokio::select! {
                request = requests.next() => match request {
                    Request::StopSoon => break,
                    Request::StopNow => break,
                    Request::Resync => self.want_all(Reach::Incremental),
                    Request::ResyncFull => self.want_all(Reach::Full),
                    Request::Reload => self.reload().await,
                },
                () = bell.notified() => self.tick(),
                finished = finished(&mut self.running) => self.conclude(finished),
            }
        }
        info!("stopping");
        notify::stopping();
        heartbeat.stop().await;
        self.wind_down(&mut requests).await;
        Ok(())
    }

    /// Enters every active account into the timetable, with the time it last ran.
    async fn enter_accounts(&mut self) -> Result<(), ServiceError> {
        let now = self.worker.clock().now();
        let mut timetable = Timetable::new();
        for account in self.config.accounts.iter().filter(|account| account.enabled) {
            let last = last_run(self.worker.store().as_ref(), account).await.map_err(ServiceError::Store)?;
            timetable.enter(account.name.clone(), account.schedule.clone(), last, now);
        }
        self.timetable = timetable;
        Ok(())
    }

    /// Makes sure that this daemon is the one that serves its accounts, or waits for the one that does.
    async fn keep_watch(&mut self) {
        let active = self.config.accounts.iter().filter(|account| account.enabled).map(|account| &account.name);
        self.watch.keep(active, self.worker.store().as_ref(), self.worker.clock().as_ref()).await;
    }

    fn tick(&mut self) {
        notify::alive();
        let due = self.timetable.due(self.worker.clock().now());
        self.wanted.accounts.extend(due);
    }

    fn want_all(&mut self, reach: Reach) {
        let active = self.config.accounts.iter().filter(|account| account.enabled);
        let names: Vec<AccountName> = active.map(|account| account.name.clone()).collect();
        if reach == Reach::Full {
            self.wanted.in_full.extend(names.iter().cloned());
        }
        self.wanted.accounts.extend(names);
        info!("asked to synchronize every account now");
    }

    /// Starts a run when one is wanted and none goes on.
    fn start_run(&mut self) {
        if self.running.is_some() {
            return;
        }
        // What another daemon serves stays wanted, until that one is gone.
        let served = self.wanted.accounts.iter().filter(|name| self.watch.serves(name));
        // Those that are to be listed in full go first; the next run serves the others.
        let (full, rest): (BTreeSet<AccountName>, BTreeSet<AccountName>) =
            served.cloned().partition(|name| self.wanted.in_full.contains(name));
        let (accounts, reach) = if full.is_empty() { (rest, Reach::Incremental) } else { (full, Reach::Full) };
        self.wanted.accounts.retain(|name| !accounts.contains(name));
        self.wanted.in_full.retain(|name| !accounts.contains(name));
        // A reload may have taken an account away meanwhile.
        if !self.config.accounts.iter().any(|account| account.enabled && accounts.contains(&account.name)) {
            return;
        }
        let (worker, config, stop) = (Arc::clone(&self.worker), Arc::clone(&self.config), self.stop.clone());
        let task = tokio::spawn(async move {
            let accounts = config.accounts.iter().filter(|a| a.enabled && accounts.contains(&a.name)).collect();
            let job = Job { accounts, reach, purpose: Purpose::Carry, licences: BTreeMap::new() };
            worker.run(job, &Silent, &stop).await
        });
        self.running = Some(Running { task });
    }

    /// Takes note of a run that ended.
    fn conclude(&mut self, finished: Result<Result<Finished, StoreError>, tokio::task::JoinError>) {
        self.running = None;
        match finished {
            Ok(Ok(finished)) => {
                finished.record.accounts.iter().for_each(|summary| log_summary(finished.record.run, summary));
                notify::status(&status_line(&finished.record.accounts));
            }
            Ok(Err(cause)) => error!(error = %chain(&cause), "a run could not be recorded"),
            Err(cause) => error!(error = %cause, "a run ended unexpectedly; the next one goes on from there"),
        }
    }

    /// Reads the configuration again. One that is not valid is refused, and the old one stays.
    async fn reload(&mut self) {
        notify::reloading();
        match (self.read_config)() {
            Err(cause) => error!(error = %chain(cause.as_ref()), "the configuration is refused; the old one stays"),
            Ok(config) if config.store.path != self.config.store.path => {
                warn!("the store cannot be changed while the daemon runs; restart it. The old configuration stays");
            }
            Ok(config) => match (self.make_worker)(&config) {
                Err(cause) => error!(error = %chain(cause.as_ref()), "the configuration is refused; the old one stays"),
                Ok(worker) => {
                    // A run that goes on ends under the old configuration; its lease keeps the new one apart.
                    self.config = Arc::new(config);
                    self.worker = worker;
                    (self.follow)(&self.config);
                    if let Err(cause) = self.enter_accounts().await {
                        error!(error = %chain(&cause), "the schedules could not be read again");
                    }
                    info!(count = self.config.accounts.len(), "the configuration was read again");
                }
            },
        }
        notify::ready();
    }

    /// Lets the run in flight finish, within limits.
    async fn wind_down(mut self, requests: &mut Requests) {
        self.stop.stop();
        if self.running.is_none() {
            return self.watch.end(self.worker.store().as_ref()).await;
        }
        tokio::select! {
            finished = finished(&mut self.running) => self.conclude(finished),
            () = asked_again(requests) => warn!("stopping at once; the next start finds out what was in flight"),
            () = self.worker.clock().sleep(GRACE) => warn!("the request in flight takes too long; stopping"),
        }
        if let Some(running) = self.running.take() {
            running.task.abort();
        }
        self.watch.end(self.worker.store().as_ref()).await;
    }
}

/// Waits for the run in flight; for ever when there is none.
async fn finished(running: &mut Option<Running>) -> Result<Result<Finished, StoreError>, tokio::task::JoinError> {
    match running {
        Some(running) => (&mut running.task).await,
        None => std::future::pending().await,
    }
}

async fn asked_again(requests: &mut Requests) {
    while requests.next().await != Request::StopNow {}
}

/// When an account last ran.
async fn last_run(store: &dyn Store, account: &Account) -> Result<Option<Timestamp>, StoreError> {
    let Some(state) = store.account(&account.name).await? else { return Ok(None) };
    let Some(run) = state.last_run else { return Ok(None) };
    Ok(store.run(run).await?.map(|record| record.begun))
}

/// One line for the account, and one for each thing that a person should know; warnings when it is not equal.
fn log_summary(run: RunId, summary: &AccountSummary) {
    let AccountSummary { account, outcome, pulled, pushed, failed, parked, calls, error, notices, .. } = summary;
    let conflicts = summary.conflicts_waiting;
    for notice in notices {
        warn!(run.id = %run, %account, "account {account}: {notice}");
    }
    for failure in failed {
        // Why stands in the run's record: the remote's words could quote the contact.
        let contact = &failure.contact;
        warn!(run.id = %run, %account, contact.id = contact, "contact {contact} is refused by account {account}");
    }
    let error = error.as_deref().unwrap_or_default();
    let (pulled, pushed) = (pulled.total(), pushed.total());
    let did = format!("{pulled} contacts pulled, {pushed} pushed");
    let unfinished = match outcome {
        Outcome::Done => {
            info!(run.id = %run, %account, calls, count = pulled + pushed, "account {account} is equal: {did}");
            return;
        }
        Outcome::Parked => {
            format!("{} refused, {parked} parked and {conflicts} conflicts wait for a person", failed.len())
        }
        Outcome::Failed => format!("it failed: {error}"),
        Outcome::Unreachable => format!("not finished, the next run goes on: {error}"),
        Outcome::NoConsent => format!("without consent: {error}"),
    };
    warn!(run.id = %run, %account, calls, error, "account {account} is not equal: {did}; {unfinished}");
}

/// One line for the service manager: how many accounts are how.
fn status_line(accounts: &[AccountSummary]) -> String {
    let mut by_outcome: BTreeMap<&'static str, usize> = BTreeMap::new();
    for account in accounts {
        let word = match account.outcome {
            Outcome::Done => "equal",
            Outcome::Parked => "waiting for a person",
            Outcome::Failed => "failed",
            Outcome::Unreachable => "unfinished",
            Outcome::NoConsent => "without consent",
        };
        *by_outcome.entry(word).or_insert(0) += 1;
    }
    by_outcome.into_iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}
