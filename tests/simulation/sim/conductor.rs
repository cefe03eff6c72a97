//! Stands at the gate between the engine and the rest of the world, and decides at every step whether it is taken, goes
//! wrong, or is the last one that the process takes. It also watches what must hold at every step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use contactsync::clock::Clock as _;
use contactsync::domain::id::{Marker, RemoteId};
use contactsync::domain::link::{Link, LinkState};
use contactsync::domain::outbox::IntentKind;
use contactsync::domain::time::Timestamp;
use contactsync::emulator::fault::{Fault, FaultKind};
use contactsync::remotes::http::{Transport, TransportError};
use contactsync::store::{Commit, Committed, Store, StoreError, Write};
use serde_json::Value;
use tokio::sync::Notify;

use super::echoes::Shown;
use super::gated::Gate;
use super::people;
use super::pictures;
use super::setting::{Rates, Setting};
use super::stage::Stage;
use super::tape::Tape;
use super::users::Users;
use super::watch::{self, Watch};

/// On which side of a step a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Before,
    After,
}

/// What the conductor does to steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Nothing goes wrong.
    Calm,
    /// What the tape says goes wrong.
    Stormy,
    /// The process dies at the step of this number, counted from 0.
    CutAt(u64, Cut),
}

/// See the module.
pub struct Conductor {
    stage: Arc<Stage>,
    users: Arc<tokio::sync::Mutex<Users>>,
    inner: Mutex<Inner>,
    /// The process has died.
    pub died: Notify,
    /// The process has stopped in the middle of a call, as a machine that was put to sleep.
    pub stalled: Notify,
    /// It goes on.
    pub resumed: Notify,
}

struct Inner {
    tape: Tape,
    rates: Rates,
    faults: Vec<FaultKind>,
    mood: Mood,
    steps: u64,
    writes: u64,
    direct_reads: u64,
    lossy: bool,
    log: Vec<String>,
    met: BTreeMap<String, u64>,
    violations: Vec<(&'static str, String)>,
    /// The account whose run is in progress; runs are played one after the other.
    account: usize,
    watch: Watch,
    /// Tokens of creates that were delivered twice, and ended in trouble: a refusal tells nobody that the first delivery
    /// had been carried out.
    made_unheard: BTreeSet<String>,
    /// The process has slept past its lease, and another one has had it.
    is_overtaken: bool,
    shown: Shown,
}

/// What happens to one step.
enum Fate {
    Taken,
    Dies(Cut),
}

impl Conductor {
    pub fn new(stage: Arc<Stage>, users: Arc<tokio::sync::Mutex<Users>>, tape: Tape, setting: &Setting) -> Arc<Self> {
        let inner = Inner {
            tape,
            rates: setting.rates,
            faults: if setting.faults.is_empty() { all_faults() } else { setting.faults.clone() },
            mood: Mood::Calm,
            steps: 0,
            writes: 0,
            direct_reads: 0,
            lossy: false,
            log: Vec::new(),
            met: BTreeMap::new(),
            violations: Vec::new(),
            account: 0,
            watch: Watch::default(),
            made_unheard: BTreeSet::new(),
            is_overtaken: false,
            shown: Shown::default(),
        };
        Arc::new(Conductor {
            stage,
            users,
            inner: Mutex::new(inner),
            died: Notify::new(),
            stalled: Notify::new(),
            resumed: Notify::new(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to steps from now on.
    pub fn set_mood(&self, mood: Mood) {
        let mut inner = self.inner();
        inner.mood = mood;
        if matches!(mood, Mood::CutAt(..)) {
            inner.steps = 0;
        }
    }

    /// A run of an account begins.
    pub fn begin_run(&self, account: usize) {
        let mut inner = self.inner();
        inner.account = account;
        inner.watch.begin_run(account);
    }

    /// A run is over.
    pub fn end_run(&self) {
        self.inner().is_overtaken = false;
    }

    /// The process that slept goes on, after another one has had its lease.
    pub fn wake(&self) {
        self.log("the sleeper wakes up".to_owned());
        self.inner().is_overtaken = true;
        self.resumed.notify_one();
    }

    /// How often things go wrong from now on.
    pub fn set_rates(&self, rates: Rates) {
        self.inner().rates = rates;
    }

    /// Draws something outside of a step.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut Tape, Rates) -> T) -> T {
        let mut inner = self.inner();
        let rates = inner.rates;
        draw(&mut inner.tape, rates)
    }

    /// Notes that something went wrong.
    pub fn meet(&self, kind: &str) {
        let mut inner = self.inner();
        *inner.met.entry(kind.to_owned()).or_default() += 1;
        let line = format!("! {kind}");
        inner.log.push(line);
    }

    /// Steps taken since the mood was set to a cut, or from the beginning.
    pub fn steps(&self) -> u64 {
        self.inner().steps
    }

    /// Calls that could change something at the service, from the beginning.
    pub fn writes(&self) -> u64 {
        self.inner().writes
    }

    /// Calls that read single records, or the members of a group.
    pub fn direct_reads(&self) -> u64 {
        self.inner().direct_reads
    }

    /// Whether entries of the change stream were lost, so that only a full listing brings everything.
    pub fn is_lossy(&self) -> bool {
        self.inner().lossy
    }

    /// What went wrong so far, by kind.
    pub fn met(&self) -> BTreeMap<String, u64> {
        self.inner().met.clone()
    }

    /// The trouble that was drawn.
    pub fn words(&self) -> Vec<u32> {
        self.inner().tape.words().to_vec()
    }

    /// Invariants that did not hold, with what was seen.
    pub fn take_violations(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.inner().violations)
    }

    /// Appends to the log of events.
    pub fn log(&self, line: String) {
        self.inner().log.push(line);
    }

    /// The log of events.
    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.inner().log)
    }

    /// Notes that an invariant did not hold.
    pub fn violate(&self, rule: &'static str, text: String) {
        self.inner().violations.push((rule, text));
    }

    fn step(&self, what: &str) -> Fate {
        let mut inner = self.inner();
        let number = inner.steps;
        inner.steps += 1;
        inner.log.push(what.to_owned());
        let fate = match inner.mood {
            Mood::Calm => Fate::Taken,
            Mood::CutAt(step, cut) if step == number => Fate::Dies(cut),
            Mood::CutAt(..) => Fate::Taken,
            Mood::Stormy => {
                let crash = inner.rates.crash;
                if crash > 0 && inner.tape.strikes(crash) {
                    let cut = if inner.tape.below(2) == 0 { Cut::Before } else { Cut::After };
                    *inner.met.entry(format!("crash {cut:?}")).or_default() += 1;
                    Fate::Dies(cut)
                } else {
                    Fate::Taken
                }
            }
        };
        if let Fate::Dies(cut) = fate {
            inner.log.push(format!("! dies {cut:?}"));
        }
        fate
    }

    fn is_stormy(&self) -> bool {
        self.inner().mood == Mood::Stormy
    }

    /// Whether something happens whose rate is chosen from all rates.
    fn strikes(&self, rate: impl Fn(&Rates) -> u32) -> bool {
        let mut inner = self.inner();
        let permille = rate(&inner.rates);
        inner.mood == Mood::Stormy && permille > 0 && inner.tape.strikes(permille)
    }

    /// What a run listed is not kept, so the next one lists anew.
    fn excuse_listing(&self) {
        let account = self.inner().account;
        self.stage.emulator().expect_full_pull(super::setting::account(account).1);
    }

    async fn die<T>(&self) -> T {
        self.excuse_listing();
        self.died.notify_one();
        std::future::pending().await
    }

    /// Takes a step, unless the process dies at it.
    async fn take<T>(&self, what: &str, step: impl Future<Output = T>) -> T {
        match self.step(what) {
            Fate::Taken => step.await,
            Fate::Dies(Cut::Before) => self.die().await,
            Fate::Dies(Cut::After) => {
                step.await;
                self.die().await
            }
        }
    }

    /// Users do something while a step is under way.
    async fn interrupt(&self) {
        if self.strikes(|rates| rates.interrupt) {
            self.meet("edit in the middle of a run");
            let mut users = self.users.lock().await;
            users.act(&self.stage).await;
            let log: Vec<String> = std::mem::take(&mut users.log);
            drop(users);
            log.into_iter().for_each(|line| self.log(line));
        }
    }

    async fn call(
        &self,
        transport: &dyn Transport,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        self.interrupt().await;
        let trouble = self.strikes(|rates| rates.call).then(|| self.draw_fault());
        // Whatever befalls a call befalls its last delivery: the service could not tell two from a client that tries again.
        if is_mutation(&request) && self.strikes(|rates| rates.twice) {
            self.meet("call delivered twice");
            if trouble.is_some() {
                self.inner().made_unheard.extend(made_by(&request));
            }
            let _ = transport.send(request.clone()).await;
        }
        if let Some(kind) = trouble {
            self.meet(&format!("call {}", name_of(&kind)));
            self.stage.emulator().faults_mut().push(Fault::once("*", kind));
        }
        if is_mutation(&request) && self.strikes(|rates| rates.stall) {
            self.meet("process sleeps in a call");
            self.sleep().await;
        }
        self.note_deletion(&request).await;
        let latency = if self.is_stormy() { self.draw(|tape, _| tape.below(400)) } else { 0 };
        self.stage.world.advance(Duration::from_millis(50 + latency as u64));
        let in_doubt = self.doubt_photo(&request).await;
        let answer = self.watched(transport, &request).await;
        self.stage.emulator().faults_mut().clear();
        self.interrupt().await;
        if self.strikes(|rates| rates.nap) {
            self.meet("process sleeps with an answer in hand");
            self.sleep().await;
        }
        if let Some((record, shown)) = in_doubt.filter(|_| answer.as_ref().is_ok_and(is_full)) {
            self.users.lock().await.ledger.pictures_are_told(&record, &shown);
        }
        match answer {
            Ok(answer) if is_listing(&request) => Ok(self.spoil(&request, answer)),
            other => other,
        }
    }

    /// The machine sleeps until somebody wakes it up. Whoever takes over lists anew what it had in hand.
    async fn sleep(&self) {
        self.excuse_listing();
        self.stalled.notify_one();
        self.resumed.notified().await;
    }

    /// What becomes of a page of a listing on its way.
    fn spoil(&self, request: &http::Request<Bytes>, answer: http::Response<Bytes>) -> http::Response<Bytes> {
        let answer = if self.strikes(|rates| rates.listing) { self.damage(answer) } else { answer };
        let has_echoes = self.inner().rates.echo > 0;
        // A full listing would count it.
        let is_delta = request.uri().query().is_some_and(|query| query.contains("syncToken="));
        if has_echoes { self.echo(is_delta, answer) } else { answer }
    }

    /// Remembers what a page shows, and now and then shows something again that an earlier one did: the change stream may
    /// come from a replica that lags behind.
    fn echo(&self, is_delta: bool, answer: http::Response<Bytes>) -> http::Response<Bytes> {
        let Ok(mut page) = serde_json::from_slice::<Value>(answer.body()) else { return answer };
        let now = self.stage.world.now();
        let strikes = self.strikes(|rates| rates.echo);
        let mut inner = self.inner();
        let account = inner.account;
        let old = inner.shown.lately(account, now);
        inner.shown.note(account, now, &page);
        let Some(old) = inner.tape.pick(&old).filter(|_| strikes && is_delta) else { return answer };
        let mut items = page["connections"].as_array().cloned().unwrap_or_default();
        items.push(old);
        page["connections"] = Value::Array(items);
        drop(inner);
        self.meet("an old state shows again");
        let (parts, _) = answer.into_parts();
        http::Response::from_parts(parts, Bytes::from(page.to_string()))
    }

    /// Lets a call pass, and compares the records that it updates with what they were.
    async fn watched(
        &self,
        transport: &dyn Transport,
        request: &http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let account = self.inner().account;
        let pending = watch::pending(account, request, &self.stage);
        let answer = transport.send(request.clone()).await;
        if let Some(pending) = pending {
            let groups = watch::groups(&self.stage, account);
            let mut inner = self.inner();
            let faults = inner.watch.check_update(&pending, &self.stage, &groups);
            inner.violations.extend(faults);
        }
        answer
    }

    /// I13: nothing is deleted unread.
    fn check_reads(&self, request: &http::Request<Bytes>) {
        let mut inner = self.inner();
        let account = inner.account;
        inner.watch.note_read(account, request, self.stage.world.now());
        let fault = inner.watch.check_deletion(account, &deleted_by(request));
        inner.violations.extend(fault);
    }

    /// I12: nobody is made again who is there: it takes a damaged listing, or a clock that jumps, to look as if nobody were.
    fn check_creates(&self, request: &http::Request<Bytes>) {
        let made = made_by(request);
        if made.is_empty() {
            return;
        }
        let account = self.inner().account;
        let mut records = people::people(&self.stage, account);
        records.retain(|record| !people::has_several_tokens(record));
        let there: BTreeSet<String> = records.iter().filter_map(people::token).map(str::to_owned).collect();
        let mut inner = self.inner();
        if inner.lossy || inner.rates.clock > 0 || inner.is_overtaken {
            return;
        }
        let again = made.iter().filter(|token| there.contains(*token) && !inner.made_unheard.contains(*token));
        let faults: Vec<_> = again.map(|token| ("I12", format!("{token} is made, and is there already"))).collect();
        inner.violations.extend(faults);
    }

    fn draw_fault(&self) -> FaultKind {
        let mut inner = self.inner();
        let Inner { tape, faults, .. } = &mut *inner;
        tape.pick(faults).unwrap_or(FaultKind::Drop)
    }

    /// Spoils a page of a listing.
    fn damage(&self, answer: http::Response<Bytes>) -> http::Response<Bytes> {
        let Ok(mut page) = serde_json::from_slice::<Value>(answer.body()) else { return answer };
        let full = page.get("totalItems").is_some();
        let Some(items) = page.get_mut("connections").and_then(Value::as_array_mut) else { return answer };
        let kind = match self.draw(|tape, _| tape.below(5)) {
            0 => {
                items.reverse();
                "listing out of order"
            }
            1 => {
                items.extend(items.first().cloned());
                "listing repeats an item"
            }
            2 => {
                items.pop();
                "listing lacks an item"
            }
            3 => {
                items.clear();
                "listing is empty"
            }
            _ => {
                items.truncate(items.len() / 2);
                "listing is cut in half"
            }
        };
        self.meet(kind);
        if kind != "listing out of order" && kind != "listing repeats an item" {
            let mut inner = self.inner();
            inner.lossy = true;
            if full && inner.tape.below(2) == 1 {
                page["totalItems"] = Value::from(page["connections"].as_array().map_or(0, Vec::len));
            }
        }
        let (parts, _) = answer.into_parts();
        http::Response::from_parts(parts, Bytes::from(page.to_string()))
    }

    /// A deletion takes along what is edited between its check and the moment it is carried out, and what a check that read
    /// too early could not see.
    async fn note_deletion(&self, request: &http::Request<Bytes>) {
        if let Some(record) = pictured_by(request) {
            self.users.lock().await.ledger.pictured_by_us.insert(record);
        }
        let deleted = deleted_by(request);
        if deleted.is_empty() {
            return;
        }
        let lag = Duration::from_millis(self.stage.emulator().settings_mut().propagation.get.max_ms);
        let read: Vec<(String, Timestamp)> = {
            let inner = self.inner();
            let read =
                |name: &String| inner.watch.read_at(inner.account, name).map_or(Timestamp::EPOCH, |at| at.minus(lag));
            deleted.into_iter().map(|name| (name.clone(), read(&name))).collect()
        };
        let mut users = self.users.lock().await;
        read.into_iter().for_each(|(name, checked)| users.ledger.we_delete(&name, checked));
    }

    /// A photo that somebody gave a record may come between our look and the call that replaces it. Until that is answered,
    /// nobody can tell whose photo the record shows. Returns whose photo is in doubt from now on.
    async fn doubt_photo(&self, request: &http::Request<Bytes>) -> Option<(RemoteId, String)> {
        let record = pictured_by(request)?;
        let shown = pictures::in_google(&self.stage, self.inner().account, &record)?;
        let record = RemoteId::new(record);
        let mut users = self.users.lock().await;
        let is_somebodys = users.ledger.is_of_google(&shown);
        (is_somebodys && users.ledger.pictures_are_in_doubt(&record, &shown)).then_some((record, shown))
    }

    /// I11: nothing that changes a record is sent without an intent that is open in the store.
    async fn check_intents(&self, request: &http::Request<Bytes>) {
        let (markers, deleted) = (markers_in(request), deleted_by(request));
        // What a sleeper sends once more when it wakes up was announced before; nobody can call it back.
        if markers.is_empty() && deleted.is_empty() || self.inner().is_overtaken {
            return;
        }
        let deleted: Vec<RemoteId> = deleted.into_iter().map(RemoteId::new).collect();
        let mut open = Vec::new();
        for promise in &self.stage.promises {
            let intents = self.stage.store.open_intents(&promise.account).await.expect("intents");
            let mut of_links = BTreeSet::new();
            if let Some(second) = intents.iter().find(|intent| !of_links.insert(intent.link)) {
                self.violate("I22", format!("{:?} has two open intents", second.link));
            }
            let links = self.stage.store.links_of_remotes(&promise.account, &deleted).await.expect("links");
            for (remote, link) in links.into_iter().filter(|(remote, link)| link.remote.as_ref() == Some(remote)) {
                // A doubled record that was folded says by itself that it is to be deleted.
                let is_folded = link.state == LinkState::Found && link.base.is_some();
                let is_open = intents.iter().any(|one| one.link == link.id && one.kind == IntentKind::Delete);
                if !is_folded && !is_open {
                    self.violate("I11", format!("{remote} is deleted without an open intent"));
                }
            }
            open.extend(intents.into_iter().map(|intent| intent.marker));
        }
        if let Some(marker) = markers.iter().find(|marker| !open.contains(marker)) {
            self.violate("I11", format!("{marker:?} is sent and has no open intent"));
        }
    }

    /// I14: no run deletes a contact whose record is there, unless somebody deleted either or moved it.
    async fn check_deleted_contacts(&self, commit: &Commit) {
        let account = self.inner().account;
        for write in &commit.writes {
            let Write::Contact(write) = write else { continue };
            let id = write.contact.id;
            let known = self.stage.store.contacts(&[id]).await.expect("contacts").pop();
            if write.contact.deleted.is_none() || !known.is_some_and(|known| known.is_live()) {
                continue;
            }
            let promise = &self.stage.promises[account];
            let links = self.stage.store.links_of_contacts(&promise.account, &[id]).await.expect("links");
            let is_there = |link: &Link| {
                link.remote.as_ref().is_some_and(|remote| self.stage.person(account, remote.as_str()).is_some())
            };
            let owners = people::owners_of_card(&write.contact.card);
            let users = self.users.lock().await;
            let is_nobodys_work = |owner: &String| {
                users.ledger.fate(owner).is_none_or(|fate| fate.deletions.is_empty() && !fate.murky && !fate.moved)
            };
            if links.iter().any(is_there) && owners.iter().all(is_nobodys_work) {
                self.violate("I14", format!("{owners:?} is deleted in the store, and nobody did it"));
            }
        }
    }

    /// I17: versions of contacts never fall.
    async fn check_versions(&self, commit: &Commit) {
        for write in &commit.writes {
            let Write::Contact(write) = write else { continue };
            let known = self.stage.store.contacts(&[write.contact.id]).await.expect("contacts").pop();
            if let Some(known) = known
                && write.expected.as_ref() == Some(&known.version)
                && !known.version.is_within(&write.contact.version)
            {
                self.violate("I17", format!("{:?} falls to {:?}", known.version, write.contact.version));
            }
        }
    }
}

#[async_trait]
impl Gate for Conductor {
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        self.check_versions(&commit).await;
        let about: Vec<&str> = commit.writes.iter().map(told).collect();
        let what = format!("commit {}", about.join(" "));
        self.interrupt().await;
        if self.strikes(|rates| rates.refused) {
            self.meet("commit refused");
            self.excuse_listing();
            return Err(StoreError::Unavailable { doing: "committing", cause: "the disk is full".into() });
        }
        if self.strikes(|rates| rates.nap) {
            self.meet("process sleeps before a commit");
            self.sleep().await;
        }
        self.check_deleted_contacts(&commit).await;
        let committed = self.take(&what, store.commit(commit)).await;
        if committed.is_ok() && self.inner().is_overtaken {
            self.violate("I18", format!("a process that has lost its lease commits: {what}"));
        }
        committed
    }

    async fn mint(&self, store: &dyn Store, count: u64, now: Timestamp) -> Result<Marker, StoreError> {
        self.take("mint markers", store.mint_markers(count, now)).await
    }

    async fn send(
        &self,
        transport: &dyn Transport,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        self.check_intents(&request).await;
        self.check_reads(&request);
        self.check_creates(&request);
        if is_mutation(&request) {
            self.inner().writes += 1;
        }
        let path = request.uri().path();
        if path.ends_with("atchGet") || path.starts_with("/v1/contactGroups/") && request.method() == http::Method::GET
        {
            self.inner().direct_reads += 1;
        }
        let what = format!("call {} {}", request.method(), request.uri().path());
        self.take(&what, self.call(transport, request)).await
    }
}

/// What a write is about, in one word.
fn told(write: &Write) -> &'static str {
    match write {
        Write::Contact(_) => "contact",
        Write::Entry(_) => "entry",
        Write::Photo(_) => "photo",
        Write::Link(_) => "link",
        Write::DropLink(_) => "drop-link",
        Write::Alias { .. } => "alias",
        Write::OpenIntent(..) => "open-intent",
        Write::ResendIntent(..) => "resend-intent",
        Write::CloseIntent(_) => "close-intent",
        Write::Account(_) => "account",
        Write::Ghost(_) => "ghost",
        Write::Stranger(_) => "stranger",
        Write::DropStranger(..) => "drop-stranger",
        Write::Answer(_) => "answer",
        Write::DropAnswer { .. } => "drop-answer",
        Write::AddFilter(_) => "add-filter",
        Write::Filter(_) => "filter",
        Write::DropFilter(_) => "drop-filter",
        Write::Conflict(_) => "conflict",
        Write::Run(_) => "run",
        Write::Only { .. } => "only",
        Write::RemoteChange(_) => "remote-change",
        Write::Harm(_) => "harm",
        Write::ForgetHarm(..) => "forget-harm",
        Write::RaiseEpoch { .. } => "raise-epoch",
        Write::ForgetAccount(..) => "forget-account",
    }
}

/// Everything that may go wrong with a call, the most benign first.
fn all_faults() -> Vec<FaultKind> {
    vec![
        FaultKind::Drop,
        FaultKind::DropAfter,
        FaultKind::StatusAfter(503),
        FaultKind::Status(500),
        FaultKind::Status(503),
        FaultKind::Status(502),
        FaultKind::Status(504),
        FaultKind::StatusAfter(500),
        FaultKind::Truncate,
        FaultKind::ApplyLate(30_000),
        FaultKind::ApplyLate(110_000),
        FaultKind::HalfApplied,
        FaultKind::MinuteQuota,
        FaultKind::StorageQuota,
        FaultKind::Status(401),
        FaultKind::Answer {
            status: 200,
            content_type: "text/html".to_owned(),
            body: "<html><body>Please sign in.</body></html>".to_owned(),
        },
    ]
}

fn name_of(kind: &FaultKind) -> String {
    match kind {
        FaultKind::Answer { .. } => "answered by a page".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Whether an answer says what became of a call.
fn is_full(answer: &http::Response<Bytes>) -> bool {
    let says = || serde_json::from_slice::<Value>(answer.body()).is_ok();
    answer.status().is_client_error() || answer.status().is_success() && says()
}

fn is_listing(request: &http::Request<Bytes>) -> bool {
    request.uri().path().ends_with("/people/me/connections")
}

fn is_mutation(request: &http::Request<Bytes>) -> bool {
    let path = request.uri().path();
    let reads = request.method() == http::Method::GET || path.contains("getBatchGet") || path.contains("batchGet");
    !reads && !path.contains("token") && request.headers().get("x-http-method-override").is_none()
}

/// The records that a call deletes.
fn deleted_by(request: &http::Request<Bytes>) -> Vec<String> {
    let path = request.uri().path();
    if let Some(rest) = path.strip_suffix(":deleteContact") {
        return rest.rsplit_once("/people/").map(|(_, id)| vec![format!("people/{id}")]).unwrap_or_default();
    }
    if path.ends_with("people:batchDeleteContacts") {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let names = body["resourceNames"].as_array().into_iter().flatten();
        return names.filter_map(|name| name.as_str().map(str::to_owned)).collect();
    }
    Vec::new()
}

/// The record whose photo a call replaces or removes.
fn pictured_by(request: &http::Request<Bytes>) -> Option<String> {
    let path = request.uri().path();
    let rest = path.strip_suffix(":updateContactPhoto").or_else(|| path.strip_suffix(":deleteContactPhoto"))?;
    rest.rsplit_once("/people/").map(|(_, id)| format!("people/{id}"))
}

/// The tokens of the records that a call makes.
fn made_by(request: &http::Request<Bytes>) -> Vec<String> {
    let path = request.uri().path();
    if !path.ends_with("people:createContact") && !path.ends_with("people:batchCreateContacts") {
        return Vec::new();
    }
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let of_batch = body["contacts"].as_array().into_iter().flatten().map(|one| &one["contactPerson"]);
    of_batch.chain([&body]).filter_map(people::token).map(str::to_owned).collect()
}

/// The markers that a call writes into records.
fn markers_in(request: &http::Request<Bytes>) -> Vec<Marker> {
    if !is_mutation(request) {
        return Vec::new();
    }
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let mut markers = Vec::new();
    collect_markers(&body, &mut markers);
    markers
}

fn collect_markers(value: &Value, into: &mut Vec<Marker>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_markers(item, into)),
        Value::Object(members) => {
            if members.get("key").and_then(Value::as_str) == Some("contactsync") {
                let text = members.get("value").and_then(Value::as_str).unwrap_or_default();
                into.extend(text.rsplit('.').next().and_then(|marker| marker.parse().ok()).map(Marker));
            }
            members.values().for_each(|member| collect_markers(member, into));
        }
        _ => {}
    }
}
