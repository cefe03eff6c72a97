//! The daemon's one loop: it hears signals, the clock and edits, and has at most one run of each account going on.
//!
//! Hints only decide when a run starts: a tick of the schedule, a signal, a reload, an edit. What they ask for is gathered
//! while a run of the account goes on and served by its next one, so that no hint is lost and no two runs of one account
//! overlap. What a run does follows from the state of both sides alone. Accounts do not wait for each other.
//!
//! Start: listen to signals, enter the accounts into the timetable, look at their consents, tell the service manager. Stop:
//! let the requests in flight be answered and recorded, then end; a second request to stop ends at once, which is as safe
//! as a crash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::control::Control;
use super::edits::Edits;
use super::lifecycle::{Request, Requests};
use super::notify;
use super::runs::{Ending, Runs};
use super::schedule::{Heartbeat, Timetable};
use super::silence::{News, Waits};
use super::watch::Watch;
use super::worker::{Job, Worker};
use crate::config::{Account, Config};
use crate::domain::account::{AccountState, Outcome};
use crate::domain::id::{AccountName, RunId};
use crate::domain::pair::Direction;
use crate::domain::run::{AccountSummary, Fault};
use crate::domain::time::Timestamp;
use crate::engine::{Purpose, Reach, chain};
use crate::store::{Store, StoreError};

/// How long a run may take to finish what is in flight: the longest request, and time to record it.
const GRACE: Duration = Duration::from_secs(45);
/// How often it is looked whether any request is in flight, when stopping.
const LOOK: Duration = Duration::from_millis(200);
/// How long recording an answer may take.
const RECORDED: Duration = Duration::from_secs(5);
/// How long the start may wait for an answer about a consent.
const CONSENT: Duration = Duration::from_secs(10);
/// How long the bell may be silent.
const BELL_MISSED: Duration = Duration::from_secs(3);
/// How long after a run that left work the account is tried again, if its schedule does not come before. After each further
/// run that leaves work it is twice as long, up to [`AGAIN_MAX`].
const AGAIN: Duration = Duration::from_secs(15);
/// The longest time until then.
const AGAIN_MAX: Duration = Duration::from_secs(5 * 60);
/// How many ticks of the clock there are between two looks at what other processes did.
const LOOK_AROUND: u32 = 30;

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
    control: Arc<Control>,
    timetable: Timetable,
    /// Accounts that a run is wanted of, the first one first, and which part of the remote it is to read.
    wanted: Vec<(AccountName, Reach)>,
    /// When accounts are tried again that had work left.
    again: BTreeMap<AccountName, Timestamp>,
    /// How many runs in a row left work.
    unfinished: BTreeMap<AccountName, u32>,
    watch: Watch,
    runs: Runs,
    edits: Edits,
    ticks: u32,
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
    /// A daemon that has not started yet; what it sees is written down in `control`.
    ///
    /// # Errors
    /// [`ServiceError::Worker`] when the accounts cannot be set up.
    pub fn new(
        config: Config,
        read_config: ReadConfig,
        make_worker: MakeWorker,
        follow: Follow,
        control: Arc<Control>,
    ) -> Result<Self, ServiceError> {
        let worker = make_worker(&config).map_err(ServiceError::Worker)?;
        let edits = Edits::new(Arc::clone(worker.clock()));
        Ok(Service {
            config: Arc::new(config),
            read_config,
            make_worker,
            follow,
            worker,
            control,
            timetable: Timetable::new(),
            wanted: Vec::new(),
            again: BTreeMap::new(),
            unfinished: BTreeMap::new(),
            watch: Watch::new(),
            runs: Runs::default(),
            edits,
            ticks: 0,
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
        self.check_consents().await;
        self.want_unfinished().await;
        info!(count = self.config.accounts.len(), "contactsync is running");
        notify::ready();
        started();
        loop {
            self.keep_watch().await;
            self.start_runs();
            let (store, clock) = (Arc::clone(self.worker.store()), Arc::clone(self.worker.clock()));
            tokio::select! {
                request = requests.next() => match request {
                    Request::StopSoon | Request::StopNow => break,
                    Request::Resync => self.want_all(Reach::Incremental),
                    Request::ResyncFull => self.want_all(Reach::Full),
                    Request::Reload => self.reload().await,
                },
                () = bell.notified() => self.tick().await,
                (account, took, ending) = self.runs.ended() => self.conclude(account, took, ending).await,
                end = self.edits.gathered(store.as_ref()) => self.want_edited(end).await,
                // The scheduler goes by the time of day, and is silent for as long as the clock was set back.
                () = clock.sleep(BELL_MISSED) => self.tick().await,
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
        for account in self.active() {
            let last = last_run(self.worker.store().as_ref(), account).await.map_err(ServiceError::Store)?;
            timetable.enter(account.name.clone(), account.schedule.clone(), last, now);
        }
        let active: Vec<&Account> = self.active().collect();
        self.control.follow(&active).await.map_err(ServiceError::Store)?;
        self.timetable = timetable;
        Ok(())
    }

    /// Asks whether each account's consent is accepted, so that whoever starts the daemon learns at once of one that is
    /// not. None keeps the others from starting.
    async fn check_consents(&self) {
        let check = async |account: &Account| {
            let name = &account.name;
            match tokio::time::timeout(CONSENT, self.worker.check_consent(account)).await {
                Ok(Ok(())) => info!(account = %name, "the consent of account {name} is accepted"),
                Ok(Err(error)) => warn!(account = %name, error, "account {name} cannot be synchronized now: {error}"),
                Err(_) => {
                    warn!(account = %name, "it is not known yet whether the consent of account {name} is accepted")
                }
            }
        };
        futures_util::future::join_all(self.active().map(check)).await;
    }

    fn active(&self) -> impl Iterator<Item = &Account> {
        self.config.accounts.iter().filter(|account| account.enabled)
    }

    /// Makes sure that this daemon is the one that serves its accounts, or waits for the one that does.
    async fn keep_watch(&mut self) {
        let active = self.config.accounts.iter().filter(|account| account.enabled).map(|account| &account.name);
        self.watch.keep(active, self.worker.store().as_ref(), self.worker.clock().as_ref()).await;
    }

    async fn tick(&mut self) {
        self.control.beat();
        if self.runs.get_ahead() {
            notify::alive();
        }
        let now = self.worker.clock().now();
        let mut due = self.timetable.due(now);
        due.extend(self.again.extract_if(.., |_, at| *at <= now).map(|(account, _)| account));
        due.into_iter().for_each(|account| self.want(account, Reach::Incremental));
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(LOOK_AROUND)
            && let Err(error) = self.control.refresh().await
        {
            warn!(error = %chain(&error), "the state of the accounts cannot be read");
        }
        self.control.news().into_iter().for_each(|(account, news)| tell(&account, news));
    }

    fn want(&mut self, account: AccountName, reach: Reach) {
        match self.wanted.iter_mut().find(|(wanted, _)| *wanted == account) {
            Some((_, wanted)) if reach == Reach::Full => *wanted = reach,
            Some(_) => {}
            None => self.wanted.push((account, reach)),
        }
    }

    fn want_all(&mut self, reach: Reach) {
        let names: Vec<AccountName> = self.active().map(|account| account.name.clone()).collect();
        names.into_iter().for_each(|account| self.want(account, reach));
        match reach {
            Reach::Incremental => info!("asked to synchronize every account now"),
            Reach::Full => info!("asked to synchronize every account now, in full"),
        }
    }

    /// Wants the accounts to be told that have not seen the change feed up to its end. One whose last run failed for a reason
    /// that stays waits for its schedule.
    async fn want_edited(&mut self, end: u64) {
        let states = match self.worker.store().accounts().await {
            Ok(states) => states,
            Err(error) => {
                warn!(error = %chain(&error), "it is not known yet whom edits are for");
                return self.edits.tell_again();
            }
        };
        let stays = |state: &AccountState| matches!(state.last_outcome, Some(Outcome::NoConsent | Outcome::Failed));
        let behind: BTreeSet<AccountName> = states
            .into_iter()
            .filter(|state| state.feed_position < end && !stays(state))
            .map(|state| state.name)
            .collect();
        let told = |account: &&Account| account.direction != Direction::FromRemote && behind.contains(&account.name);
        let names: Vec<AccountName> = self.active().filter(told).map(|account| account.name.clone()).collect();
        names.into_iter().for_each(|account| self.want(account, Reach::Incremental));
    }

    /// Wants the accounts that the last daemon, or a command, left with work: it may be long until their schedules come round.
    async fn want_unfinished(&mut self) {
        let names: Vec<AccountName> = self.active().map(|account| account.name.clone()).collect();
        for name in names {
            match self.worker.store().link_counts(&name).await {
                Ok(counts) if counts.intents > 0 || counts.unsettled > counts.parked => {
                    info!(account = %name, "account {name} has work left from before");
                    self.want(name, Reach::Incremental);
                }
                Ok(_) => {}
                Err(error) => warn!(account = %name, error = %chain(&error), "what is left of {name} is not known yet"),
            }
        }
    }

    fn active_names(&self) -> BTreeSet<AccountName> {
        self.active().map(|account| account.name.clone()).collect()
    }

    /// Starts a run of each account that is wanted, unless one goes on.
    fn start_runs(&mut self) {
        // A reload may have taken an account away meanwhile.
        let active = self.active_names();
        self.wanted.retain(|(account, _)| active.contains(account));
        for (account, reach) in std::mem::take(&mut self.wanted) {
            // What another daemon serves stays wanted, until that one is gone.
            if !self.watch.serves(&account) || !self.runs.has_room_for(&account) {
                self.wanted.push((account, reach));
                continue;
            }
            let (worker, config) = (Arc::clone(&self.worker), Arc::clone(&self.config));
            self.control.begins(&account);
            notify::status(&self.control.line());
            self.again.remove(&account);
            self.runs.begin(account.clone(), |pulse, stop| async move {
                let accounts = config.accounts.iter().filter(|one| one.name == account).collect();
                let job = Job { accounts, reach, purpose: Purpose::Carry, licences: BTreeMap::new() };
                worker.run(job, pulse.as_ref(), &stop).await
            });
        }
    }

    /// Takes note of a run that ended.
    async fn conclude(&mut self, account: AccountName, took: Duration, ending: Ending) {
        let mut waits = Waits::ForNothing;
        let lost = match ending {
            Ok(Ok(finished)) => {
                for summary in &finished.record.accounts {
                    // Whoever reads in the log that it ended finds it counted.
                    self.control.counters().ran(summary, took);
                    log_summary(finished.record.run, summary);
                    if summary.fault == Some(Fault::Lag) {
                        waits = Waits::ForNews;
                    }
                    self.try_again(summary);
                }
                None
            }
            Ok(Err(cause)) => Some(format!("it could not be recorded: {}", chain(&cause))),
            Err(cause) => Some(format!("it ended unexpectedly: {cause}")),
        };
        if let Some(why) = lost {
            error!(%account, error = why, "a run of account {account} is lost; the next one goes on from there");
            self.control.counters().lost(&account.to_string());
        }
        self.control.ended(&account, waits).await;
        notify::status(&self.control.line());
    }

    /// Notes when an account is tried again whose run left work.
    fn try_again(&mut self, summary: &AccountSummary) {
        if summary.outcome != Outcome::Unreachable {
            self.unfinished.remove(&summary.account);
            return;
        }
        let times = self.unfinished.entry(summary.account.clone()).or_insert(0);
        // What the remote does not show yet takes its time.
        let wait = match summary.fault {
            Some(Fault::Lag) => AGAIN_MAX,
            _ => AGAIN.saturating_mul(1 << (*times).min(5)).min(AGAIN_MAX),
        };
        *times = times.saturating_add(1);
        self.again.insert(summary.account.clone(), self.worker.clock().now().plus(wait));
    }

    /// Reads the configuration again. One that is not valid is refused, and the old one stays.
    async fn reload(&mut self) {
        notify::reloading();
        match (self.read_config)() {
            Err(cause) => refuse(cause.as_ref()),
            Ok(config) if config.store.path != self.config.store.path => {
                warn!("the store cannot be changed while the daemon runs; restart it. The old configuration stays");
            }
            Ok(config) => match (self.make_worker)(&config) {
                Err(cause) => refuse(cause.as_ref()),
                Ok(worker) => {
                    // A run that goes on ends under the old configuration; its lease keeps the new one apart.
                    let changes = changes(&self.config.accounts, &config.accounts);
                    self.config = Arc::new(config);
                    self.worker = worker;
                    self.runs.stop_all_but(&self.active_names());
                    (self.follow)(&self.config);
                    if let Err(cause) = self.enter_accounts().await {
                        error!(error = %chain(&cause), "the schedules could not be read again");
                    }
                    info!(count = self.config.accounts.len(), "the configuration was read again{changes}");
                    // An account that is resumed, or back, missed the edits of meanwhile.
                    self.edits.tell_again();
                    self.want_unfinished().await;
                    notify::status(&self.control.line());
                }
            },
        }
        notify::ready();
    }

    /// Lets the runs in flight finish, within limits.
    async fn wind_down(mut self, requests: &mut Requests) {
        self.runs.stop_all_but(&BTreeSet::new());
        let clock = Arc::clone(self.worker.clock());
        let limit = clock.sleep(GRACE);
        tokio::pin!(limit);
        let mut idle: Option<Instant> = None;
        while !self.runs.is_empty() {
            tokio::select! {
                (account, took, ending) = self.runs.ended() => self.conclude(account, took, ending).await,
                () = asked_again(requests) => {
                    warn!("stopping at once; the next start finds out what was in flight");
                    break;
                }
                () = clock.sleep(LOOK) => {
                    let is_idle = self.control.counters().in_flight() == 0;
                    idle = idle.filter(|_| is_idle).or(is_idle.then(Instant::now));
                    // It waits until it may call again, and what was answered is recorded by now.
                    if idle.is_some_and(|since| since.elapsed() >= RECORDED) {
                        break;
                    }
                }
                () = &mut limit => {
                    warn!("the request in flight takes too long; stopping");
                    break;
                }
            }
        }
        self.runs.abort().await;
        self.watch.end(self.worker.store().as_ref()).await;
    }
}

/// Says that a configuration is refused; also to the service manager, for whom the reload is over all the same.
fn refuse(cause: &(dyn std::error::Error + Send + Sync + 'static)) {
    let cause = chain(cause);
    error!(error = %cause, "the configuration is refused; the old one stays");
    notify::status(&format!("the configuration is refused, the old one stays: {cause}"));
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
    let did = format!("{pulled} contact{} pulled, {pushed} pushed", if pulled == 1 { "" } else { "s" });
    let unfinished = match outcome {
        Outcome::Done => {
            info!(run.id = %run, %account, calls, count = pulled + pushed, "account {account} is equal: {did}");
            return;
        }
        Outcome::Parked => {
            format!("{} refused, {parked} parked and {conflicts} conflicts wait for a person", failed.len())
        }
        Outcome::Failed => format!("it failed: {error}"),
        Outcome::Unreachable if summary.fault == Some(Fault::Lag) => {
            info!(run.id = %run, %account, calls, "account {account} waits: {did}; {error}");
            return;
        }
        Outcome::Unreachable => format!("not finished, the next run goes on: {error}"),
        Outcome::NoConsent => format!("without consent: {error}"),
    };
    warn!(run.id = %run, %account, calls, error, "account {account} is not equal: {did}; {unfinished}");
}

/// Says that an account is late, or is so no more.
fn tell(account: &AccountName, news: News) {
    match news {
        News::None => {}
        News::Late(None) => error!(
            %account,
            "account {account} has never been proven equal, for three intervals of its schedule; `contactsync status` says why"
        ),
        News::Late(Some(since)) => error!(
            %account,
            "account {account} was last proven equal at {since}, more than three intervals of its schedule ago; \
             `contactsync status` says why"
        ),
        News::Over => info!(%account, "account {account} is equal again"),
    }
}

/// What a new configuration changes about accounts, to be put after a sentence.
fn changes(old: &[Account], new: &[Account]) -> String {
    let all = |accounts: &[Account]| -> BTreeMap<String, bool> {
        accounts.iter().map(|account| (account.name.to_string(), account.enabled)).collect()
    };
    let (before, after) = (all(old), all(new));
    let mut by_change: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let what = match (before.get(name), after.get(name)) {
            (None, _) => "new",
            (_, None) => "gone",
            (Some(true), Some(false)) => "paused",
            (Some(false), Some(true)) => "resumed",
            _ => continue,
        };
        by_change.entry(what).or_default().push(name);
    }
    by_change.into_iter().map(|(what, names)| format!("; {what}: {}", names.join(", "))).collect()
}
