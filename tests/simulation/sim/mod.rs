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
pub mod guards;
pub mod in_process;
pub mod judge;
pub mod ledger;
pub mod one_way;
pub mod people;
pub mod pictures;
pub mod rest;
pub mod setting;
pub mod shrink;
pub mod stage;
pub mod sweep;
pub mod tape;
pub mod undone;
pub mod users;
pub mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contactsync::clock::SeededEntropy;
use contactsync::domain::history::Change;
use contactsync::domain::pair::Direction;
use contactsync::domain::run::AccountSummary;
use contactsync::engine::reached::{self, Situation};
use contactsync::engine::rules::Rule;
use contactsync::engine::{LEASE_TTL, Reach};
use contactsync::remotes::Remote as _;
use contactsync::store::memory::MemoryStore;
use contactsync::store::sqlite::SqliteStore;
use contactsync::store::{ContactQuery, DeletedContacts, HistoryQuery, Store};

use conductor::{Conductor, Mood};
use gated::Gate;
use setting::{Feature, Flavour, Setting};
use stage::{Errand, Process, Stage};
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
/// Situations that need a million scenarios to be met for sure, or that plain ones do not bring about.
pub const RARE: [Situation; 5] = [
    Situation::LostCreateBoundDeleted,
    Situation::MarkerOlderThanBase,
    Situation::ReturnSuspected,
    Situation::FormerRecordTakenBack,
    Situation::OwnWriteShowsAfterDeletion,
];
/// Situations that no scenario brings about: what the users had entered since is forgotten with the store, and so it would
/// have to be by the ledger. The tests of `backups` are about them.
pub const ELSEWHERE: [Situation; 1] = [Situation::StoreRestored];
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

fn tape(seed: u64, number: u64) -> Tape {
    Tape::drawn(seed.wrapping_mul(0x1000_0000_01B3).wrapping_add(number))
}

/// What kind of scenario a seed is, and what is in it beside persons who are kept equal in both directions.
pub fn setting_of(seed: u64) -> Setting {
    Setting::drawn(&mut tape(seed, 1))
}

/// Plays a scenario that was kept.
pub fn play_reel(reel: &Reel, ground: &Ground) -> Played {
    play([&reel.world, &reel.users, &reel.trouble].map(|words| Tape::kept(words.clone())), ground)
}

fn play(tapes: [Tape; 3], ground: &Ground) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
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
        let faults = self.judge().await;
        if faults.is_empty()
            && self.setting.has(Feature::Undo)
            && let Err(fault) = self.undo_at_rest().await
        {
            return vec![fault];
        }
        faults
    }

    /// The people of the beginning, known to everybody.
    pub async fn begin(&mut self) {
        for _ in 0..self.setting.people {
            self.users.lock().await.add_to_store(&self.stage).await;
        }
        self.begin_one_way().await;
        self.take_users_log().await;
        for account in 0..self.stage.promises.len() {
            self.sync(account, Reach::Incremental).await;
        }
    }

    /// An account that is only read has a group of its own, with people that nobody but Google knows.
    async fn begin_one_way(&mut self) {
        for account in 0..self.stage.promises.len() {
            if self.stage.promises[account].direction != Direction::FromRemote {
                continue;
            }
            for pair in &self.stage.promises[account].pairs {
                self.stage.by_hand(account, |user| user.create_group(&pair.group).map(drop).unwrap_or_default());
            }
            for _ in 0..self.setting.people {
                self.users.lock().await.add_to_google(&self.stage, account).await;
            }
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
        let licence = self.users.lock().await.take_licence(account);
        let errand = Errand { reach, licence };
        let writes = conductor.writes();
        let report = {
            let run = stage.run(&self.process, account, &errand, &self.dead);
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
                    stage.run(&other, account, &Errand::scheduled(Reach::Incremental), &[]).await;
                    if self.setting.flavour == Flavour::Aimed {
                        // It sleeps longer than that: what the other one found and did is edited meanwhile.
                        act_meanwhile(&self.users, &stage, &conductor).await;
                        stage.run(&other, account, &Errand::scheduled(Reach::Incremental), &[]).await;
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
        if let Some(run) = stage.last_run() {
            self.users.lock().await.heard_of(account, run);
        }
        conductor.end_run();
        match report {
            Some(Some((run, report))) => {
                let summary = report.summary;
                if let Some((rule, text)) = self.check_limits(account, run, &errand.licence).await {
                    conductor.violate(rule, text);
                }
                let written = conductor.writes() - writes;
                if let Some((rule, text)) = one_way::check_run(&stage, account, run, written, &errand.licence).await {
                    conductor.violate(rule, text);
                }
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
