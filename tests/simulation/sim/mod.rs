//! Deterministic simulation of whole scenarios: the real engine and the real Google client, the emulated Google without
//! sockets, a store in memory or in SQLite, a clock that is moved by hand, users on every side, and everything that can
//! go wrong on the way. One seed is one scenario, played the same way every time.
//!
//! A scenario draws its `setting`, then rounds of users who act and runs that are cut off, refused, delayed and lied to.
//! Then it calms down: incremental runs alone must make both sides equal, unless entries of the change stream were lost;
//! full listings must find nothing to do; and the `ledger` of what users wrote must account for every value.

#![allow(dead_code, reason = "the tests and the long runs use different parts")]

pub mod conductor;
pub mod echoes;
pub mod gated;
pub mod in_process;
pub mod judge;
pub mod ledger;
pub mod people;
pub mod setting;
pub mod shrink;
pub mod stage;
pub mod sweep;
pub mod tape;
pub mod users;
pub mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contactsync::clock::SeededEntropy;
use contactsync::domain::account::Outcome;
use contactsync::domain::history::Change;
use contactsync::domain::link::{Link, LinkState};
use contactsync::domain::run::AccountSummary;
use contactsync::engine::reached::{self, Situation};
use contactsync::engine::rules::Rule;
use contactsync::engine::{LEASE_TTL, Purpose, Reach};
use contactsync::remotes::Remote as _;
use contactsync::store::memory::MemoryStore;
use contactsync::store::sqlite::SqliteStore;
use contactsync::store::{ContactQuery, DeletedContacts, HistoryQuery, Store};

use conductor::{Conductor, Mood};
use gated::Gate;
use setting::{Flavour, Setting};
use stage::{Process, Stage};
use tape::{Reel, Tape};
use users::Users;

/// Rules that scenarios need so often that a few hundred of them must notice when one is broken.
pub const FREQUENT: [Rule; 14] = [
    Rule::OwnBasePerSide,
    Rule::EtagPrecondition,
    Rule::EditBeatsDelete,
    Rule::OrderByRemoteTime,
    Rule::LinkToken,
    Rule::DeadIntentClosed,
    Rule::SentIsAcknowledged,
    Rule::TwinRepair,
    Rule::AbsenceConfirmed,
    Rule::FormerTokens,
    Rule::IntentLog,
    Rule::Fence,
    Rule::WaitBeforeRecreate,
    Rule::CheckBeforeDelete,
];
/// Situations that need a million scenarios to be met for sure.
pub const RARE: [Situation; 3] =
    [Situation::LostCreateBoundDeleted, Situation::MarkerOlderThanBase, Situation::ReturnSuspected];
/// Situations that no scenario brings about: what the users had entered since is forgotten with the store, and so it would
/// have to be by the ledger. The tests of `backups` are about them.
pub const ELSEWHERE: [Situation; 1] = [Situation::StoreRestored];
/// In how many rounds everything must be at rest.
const ROUNDS_TO_REST: u32 = 40;

/// How long a scenario may take that plays in a few milliseconds, or in a few seconds on a machine with other work.
const HANGS: Duration = Duration::from_secs(30);

/// On which store a scenario is played.
#[derive(Debug, Clone)]
pub enum Ground {
    Memory,
    /// A new database file in this folder.
    Sqlite(std::path::PathBuf),
}

/// What came of one scenario.
#[derive(Debug)]
pub struct Played {
    /// Invariants that did not hold.
    pub faults: Vec<judge::Fault>,
    /// Every decision that was made.
    pub reel: Reel,
    /// The log of events.
    pub log: Vec<String>,
    /// Steps at which something could have gone wrong.
    pub steps: u64,
    /// What went wrong, by kind.
    pub met: BTreeMap<String, u64>,
    /// What users did, by kind.
    pub taken: BTreeMap<&'static str, u64>,
    /// Rounds until everything was at rest.
    pub rounds: u32,
    /// Situations that the engine met.
    pub reached: BTreeMap<Situation, u64>,
}

impl Played {
    /// The first invariant that did not hold.
    pub fn rule(&self) -> Option<&'static str> {
        self.faults.first().map(|(rule, _)| *rule)
    }
}

/// Plays the scenario of a seed.
pub fn play_seed(seed: u64, ground: &Ground) -> Played {
    play([1, 2, 3].map(|number| tape(seed, number)), ground)
}

/// What kind of scenario a seed is.
pub fn flavour(seed: u64) -> Flavour {
    Setting::drawn(&mut tape(seed, 1)).flavour
}

fn tape(seed: u64, number: u64) -> Tape {
    Tape::drawn(seed.wrapping_mul(0x1000_0000_01B3).wrapping_add(number))
}

/// Plays a scenario that was kept.
pub fn play_reel(reel: &Reel, ground: &Ground) -> Played {
    play([&reel.world, &reel.users, &reel.trouble].map(|words| Tape::kept(words.clone())), ground)
}

fn play(tapes: [Tape; 3], ground: &Ground) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut scenario = Scenario::new(tapes, ground).await;
        // Nothing in a scenario takes real time, so one that lasts waits for something that never comes.
        let faults = match tokio::time::timeout(HANGS, scenario.play()).await {
            Ok(faults) => faults,
            Err(_) => vec![("I8", "it hangs".to_owned())],
        };
        scenario.end(faults).await
    })
}

/// Users act while a process sleeps.
async fn act_meanwhile(users: &tokio::sync::Mutex<Users>, stage: &Stage, conductor: &Conductor) {
    let mut users = users.lock().await;
    for _ in 0..=users.tape.below(3) {
        users.act(stage).await;
    }
    users.log.drain(..).for_each(|line| conductor.log(line));
}

/// One scenario in progress.
pub struct Scenario {
    pub stage: Arc<Stage>,
    pub users: Arc<tokio::sync::Mutex<Users>>,
    pub conductor: Arc<Conductor>,
    gate: Arc<dyn Gate>,
    process: Process,
    dead: Vec<String>,
    processes: u32,
    world: Tape,
    setting: Setting,
    rounds: u32,
}

impl Scenario {
    pub async fn new([mut world, users, trouble]: [Tape; 3], ground: &Ground) -> Self {
        let setting = Setting::drawn(&mut world);
        let entropy = SeededEntropy::new(7);
        let store: Arc<dyn Store> = match ground {
            Ground::Memory => Arc::new(MemoryStore::new(&entropy)),
            Ground::Sqlite(folder) => {
                Arc::new(SqliteStore::open(&folder.join("contacts.db"), &entropy).await.expect("a store"))
            }
        };
        let stage = Arc::new(Stage::new(store, setting.promises.clone(), &setting.service));
        let users = Arc::new(tokio::sync::Mutex::new(Users::new(users, &setting)));
        let conductor = Conductor::new(Arc::clone(&stage), Arc::clone(&users), trouble, &setting);
        let gate: Arc<dyn Gate> = conductor.clone();
        let process = stage.start(0, &gate);
        Scenario { stage, users, conductor, gate, process, dead: Vec::new(), processes: 0, world, setting, rounds: 0 }
    }

    /// Plays the whole scenario; returns what did not hold.
    async fn play(&mut self) -> Vec<judge::Fault> {
        if let Some(aim) = self.setting.aim {
            self.conductor.log(format!("aimed at {aim:?}"));
        }
        self.begin().await;
        for _ in 0..self.setting.rounds {
            self.act().await;
            self.conductor.set_mood(Mood::Stormy);
            self.one_round().await;
            self.conductor.set_mood(Mood::Calm);
        }
        if let Err(fault) = self.come_to_rest().await {
            let mut faults = self.conductor.take_violations();
            faults.push(fault);
            return faults;
        }
        self.judge().await
    }

    /// The people of the beginning, known to everybody.
    pub async fn begin(&mut self) {
        for _ in 0..self.setting.people {
            self.users.lock().await.add_to_store(&self.stage).await;
        }
        self.take_users_log().await;
        for account in 0..self.stage.promises.len() {
            self.sync(account, Reach::Incremental).await;
        }
    }

    /// Users act.
    pub async fn act(&mut self) {
        let mut users = self.users.lock().await;
        for _ in 0..users.tape.below(self.setting.acts + 1) {
            users.act(&self.stage).await;
        }
        let pause = users.tape.below(self.setting.pause);
        drop(users);
        self.take_users_log().await;
        self.stage.world.advance(Duration::from_secs(pause as u64));
        let (skew, expire) = self.conductor.draw(|tape, rates| {
            let skew = (rates.clock > 0 && tape.strikes(rates.clock)).then(|| tape.below(4));
            let expire = rates.tokens > 0 && tape.strikes(rates.tokens);
            (skew, expire)
        });
        if let Some(which) = skew {
            self.conductor.meet("clock jumps");
            let hour = 3_600_000_000;
            self.stage.clock.set_ahead([0, hour, -hour, 24 * hour][which]);
        }
        if expire {
            self.conductor.meet("tokens expire");
            for account in 0..self.stage.promises.len() {
                self.stage.by_hand(account, |user| user.expire_sync_tokens());
            }
        }
    }

    async fn take_users_log(&self) {
        let log = std::mem::take(&mut self.users.lock().await.log);
        log.into_iter().for_each(|line| self.conductor.log(line));
    }

    /// Every account once.
    async fn one_round(&mut self) {
        for account in 0..self.stage.promises.len() {
            self.sync(account, Reach::Incremental).await;
        }
    }

    /// One run, which may die on the way; the process then starts anew.
    pub async fn sync(&mut self, account: usize, reach: Reach) -> Option<AccountSummary> {
        let stage = Arc::clone(&self.stage);
        let conductor = Arc::clone(&self.conductor);
        conductor.begin_run(account);
        let report = {
            let run = stage.run(&self.process, account, reach, Purpose::Carry, &self.dead);
            tokio::pin!(run);
            tokio::select! {
                biased;
                report = &mut run => Some(report),
                () = conductor.died.notified() => None,
                () = conductor.stalled.notified() => {
                    // The machine sleeps through its lease, and another one takes over. What the sleeper does after it
                    // wakes up must not count.
                    stage.world.advance(LEASE_TTL + Duration::from_secs(60));
                    conductor.set_mood(Mood::Calm);
                    self.processes += 1;
                    let other = stage.start(self.processes, &self.gate);
                    stage.run(&other, account, Reach::Incremental, Purpose::Carry, &[]).await;
                    if self.setting.flavour == Flavour::Aimed {
                        // It sleeps longer than that: what the other one found and did is edited meanwhile.
                        act_meanwhile(&self.users, &stage, &conductor).await;
                        stage.run(&other, account, Reach::Incremental, Purpose::Carry, &[]).await;
                    }
                    conductor.wake();
                    let report = tokio::select! {
                        biased;
                        report = &mut run => Some(report),
                        // It was to die at the step that it slept in.
                        () = conductor.died.notified() => None,
                    };
                    conductor.set_mood(Mood::Stormy);
                    report
                }
            }
        };
        conductor.end_run();
        match report {
            Some(Some(report)) => {
                let summary = report.summary;
                let told = format!(
                    "run of {account}: {:?} {:?} pulled {:?} pushed {:?} failed {:?}",
                    summary.outcome, summary.error, summary.pulled, summary.pushed, summary.failed
                );
                conductor.log(told);
                Some(summary)
            }
            Some(None) => {
                conductor.log(format!("run of {account}: the lease is held elsewhere"));
                None
            }
            None => {
                self.processes += 1;
                let next = self.stage.start(self.processes, &self.gate);
                self.dead.push(std::mem::replace(&mut self.process, next).name().to_owned());
                None
            }
        }
    }

    /// Nothing goes wrong any more; incremental runs first, then full ones, until nothing is left to do.
    pub async fn come_to_rest(&mut self) -> Result<(), judge::Fault> {
        self.conductor.set_mood(Mood::Calm);
        self.conductor.log("calm".to_owned());
        self.stage.clock.set_ahead(0);
        {
            let mut emulator = self.stage.emulator();
            let settings = emulator.settings_mut();
            settings.propagation = contactsync::emulator::settings::Propagation::default();
            // A run with nothing to do is one that is shown nothing.
            settings.spurious_repeats = 0;
        }
        self.stage.world.advance(Duration::from_secs(1200));
        self.rest(Reach::Incremental).await?;
        let shown = self.setting.service.membership_changes == contactsync::emulator::settings::Feed::Shown;
        let users = self.users.lock().await;
        if !self.conductor.is_lossy() && shown && !users.hid_a_name {
            let codec = self.process.remote(0).codec();
            let faults = judge::judge(&self.stage, codec, &users.ledger).await;
            if let Some((_, text)) = faults.into_iter().find(|(rule, _)| *rule == "I1") {
                return Err(("I10", format!("only a full listing brings it: {text}")));
            }
        }
        drop(users);
        self.rest(Reach::Full).await?;
        let resolved = {
            let mut users = self.users.lock().await;
            let open = self.stage.store.open_conflicts(None).await.expect("conflicts").len();
            users.resolve_conflicts(&self.stage).await;
            open > 0
        };
        self.take_users_log().await;
        if resolved {
            self.rest(Reach::Incremental).await?;
        }
        self.stay_at_rest().await
    }

    /// Runs until nothing is left to do (I8).
    async fn rest(&mut self, reach: Reach) -> Result<(), judge::Fault> {
        let mut last = Vec::new();
        for round in 0..ROUNDS_TO_REST {
            let reach = if round == 0 { reach } else { Reach::Incremental };
            let mut busy = false;
            last.clear();
            for account in 0..self.stage.promises.len() {
                let summary = self.sync(account, reach).await;
                busy |= summary.as_ref().is_none_or(|summary| {
                    let moved = summary.pulled.total() + summary.pushed.total() > 0;
                    moved || summary.error.is_some() || !matches!(summary.outcome, Outcome::Done | Outcome::Parked)
                });
                last.push(summary);
            }
            self.rounds += 1;
            if !busy {
                return Ok(());
            }
            self.stage.world.advance(Duration::from_secs(20 * 60));
        }
        Err(("I8", format!("it does not come to rest: {last:?}")))
    }

    /// I7: four more rounds, two of them full, find nothing to do and write nothing.
    async fn stay_at_rest(&mut self) -> Result<(), judge::Fault> {
        let writes = self.conductor.writes();
        let feed = self.stage.store.feed_end().await.expect("the feed");
        for reach in [Reach::Incremental, Reach::Full, Reach::Incremental, Reach::Full] {
            for account in 0..self.stage.promises.len() {
                let reads = self.conductor.direct_reads();
                self.sync(account, reach).await;
                if reach == Reach::Incremental && self.conductor.direct_reads() > reads {
                    let open = self.open_links(account).await;
                    return Err(("I7", format!("a run with nothing to do reads more than the listings: {open}")));
                }
                let name = &self.stage.promises[account].account;
                let counts = self.stage.store.link_counts(name).await.expect("counts");
                if self.are_open(account).await || counts.intents > 0 {
                    let open = self.open_links(account).await;
                    return Err(("I8", format!("account {account} is at rest with {counts:?}: {open}")));
                }
            }
            self.stage.world.advance(Duration::from_secs(20 * 60));
        }
        if self.conductor.writes() > writes {
            return Err(("I7", "something is written to Google at rest".to_owned()));
        }
        if self.stage.store.feed_end().await.expect("the feed") > feed {
            return Err(("I7", "contacts change at rest".to_owned()));
        }
        Ok(())
    }

    async fn unsettled(&self, account: usize) -> Vec<Link> {
        let name = &self.stage.promises[account].account;
        let ids = self.stage.store.unsettled_links(name, None, 1000).await.expect("links");
        self.stage.store.links(&ids).await.expect("links")
    }

    /// Whether there is work that nobody waits for. A contact that a doubtful record may be is not created meanwhile.
    async fn are_open(&self, account: usize) -> bool {
        let mut links = self.unsettled(account).await;
        let doubts = links.iter().filter(|link| link.parked.is_some() && link.state == LinkState::Found).count();
        links.retain(|link| link.parked.is_none() && (link.state != LinkState::Need || doubts == 0));
        !links.is_empty()
    }

    /// The links that are not settled, for people who look for the reason.
    async fn open_links(&self, account: usize) -> String {
        format!("{:?}", self.unsettled(account).await)
    }

    /// Everything that is wrong at rest.
    pub async fn judge(&mut self) -> Vec<judge::Fault> {
        let mut faults = self.conductor.take_violations();
        let codec = self.process.remote(0).codec();
        let users = self.users.lock().await;
        faults.extend(judge::judge(&self.stage, codec, &users.ledger).await);
        let emulator = self.stage.emulator();
        // A repeated create is known by its content, and people of the simulation can have the same; whether anybody is
        // doubled is judged by who is there.
        let is_telling = |violation: &&String| !violation.contains("a create again");
        if let Some(violation) = emulator.counters().violations.iter().find(is_telling) {
            faults.push(("I18", violation.clone()));
        }
        faults
    }

    /// What both sides hold.
    pub async fn portrait(&self) -> Vec<String> {
        judge::portrait(&self.stage, self.process.remote(0).codec()).await
    }

    /// Logs everything that the store remembers, for people who look for the reason of a fault.
    async fn tell_history(&self) {
        let query = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
        for contact in self.stage.store.find_contacts(&query).await.expect("contacts") {
            let is_live = contact.is_live();
            self.conductor.log(format!(
                "history: {} is {:?}, live: {is_live}",
                contact.id,
                contact.card.display_name()
            ));
            for link in self.stage.store.links_of_contact(contact.id).await.expect("links") {
                let (account, state, remote) = (link.account, link.state, link.remote.map(|remote| remote.to_string()));
                self.conductor.log(format!("history:     {account} {state:?} {remote:?} {:?}", link.seen));
            }
        }
        for account in 0..self.stage.promises.len() {
            for person in people::people(&self.stage, account) {
                let (name, owners) = (people::resource(&person), people::owners(&person));
                let (groups, time) = (&person["memberships"], &person["metadata"]["sources"][0]["updateTime"]);
                self.conductor
                    .log(format!("history: account {account} has {name} of {owners:?} since {time} in {groups}"));
            }
        }
        let mut rows = self.stage.store.history(&HistoryQuery::default()).await.expect("history");
        rows.sort_by_key(|row| row.change.at);
        for row in rows {
            let Change { at, contact, action, actor, fields, .. } = row.change;
            let fields: Vec<String> =
                fields.iter().map(|one| format!("{}: {} -> {}", one.field, one.before, one.after)).collect();
            let remote = row.remote.map(|remote| format!(" {remote:?}")).unwrap_or_default();
            self.conductor.log(format!("history: {at} {contact} {actor:?} {action:?}{remote} {}", fields.join(", ")));
        }
    }

    async fn end(self, faults: Vec<judge::Fault>) -> Played {
        if !faults.is_empty() {
            self.tell_history().await;
        }
        let users = self.users.lock().await;
        Played {
            faults,
            reel: Reel {
                world: self.world.words().to_vec(),
                users: users.tape.words().to_vec(),
                trouble: self.conductor.words(),
            },
            log: self.conductor.take_log(),
            steps: self.conductor.steps(),
            met: self.conductor.met(),
            taken: users.taken.clone(),
            rounds: self.rounds,
            reached: reached::take(),
        }
    }
}
