//! A whole world in one process: a store, the real engine, the real client, an emulated Google, and a clock that is
//! moved by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use contactsync::clock::{Clock, Entropy, ManualClock, SeededEntropy};
use contactsync::domain::account::Outcome;
use contactsync::domain::contact::{Card, Contact, Email, Phone, Subject};
use contactsync::domain::diff;
use contactsync::domain::history::{Action, Actor, Change};
use contactsync::domain::id::{AccountName, ContactId, GroupId, ReplicaId, RunId};
use contactsync::domain::normal;
use contactsync::domain::pair::{
    DeletePolicy, Direction, Guard, InRemote, InStore, LeftGroup, Limit, MissingGroup, Organizations, Pair, Photos,
    Promise, Strangers,
};
use contactsync::domain::policy::ConflictPolicy;
use contactsync::domain::run::AccountSummary;
use contactsync::domain::time::Timestamp;
use contactsync::domain::version::VersionVector;
use contactsync::emulator::{Config, Emulator};
use contactsync::engine::{self, Deps, LEASE_TTL, Licence, Order, Purpose, Reach, Report, Silent, StopFlag};
use contactsync::remotes::Remote as _;
use contactsync::remotes::google::{Google, GoogleOptions, Mapping};
use contactsync::remotes::http::Transport;
use contactsync::remotes::oauth::{GrantError, GrantStore, OauthClient, RefreshSource};
use contactsync::remotes::token_cache::TokenCache;
use contactsync::store::memory::MemoryStore;
use contactsync::store::{
    Commit, ContactQuery, ContactWrite, DeletedContacts, HistoryQuery, LeaseAnswer, LeaseRequest, Store, Write,
};
use futures_util::future::BoxFuture;
use oauth2::TokenUrl;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::fuse::{Fuse, until_stuck};
use super::gated::{Gate, GatedStore, GatedTransport};
use super::in_process::InProcess;
use super::manners::{MindsManners, check_manners};
use super::transport::{Anonymous, Interrupting};

pub const EMAIL: &str = "sales@example.org";
/// Another user of the same service.
pub const OTHER: &str = "other@example.org";
pub const GROUP: &str = "Team";

/// A request budget that nobody has to wait for.
const UNHURRIED: u32 = 60_000;

/// See the module.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub entropy: Arc<SeededEntropy>,
    pub emulator: Arc<Mutex<Emulator>>,
    /// The store that runs use; may have a fuse.
    pub store: Arc<dyn Store>,
    sound: Arc<dyn Store>,
    pub promise: Promise,
    pub google: Google,
    pub settings: String,
    /// The settings of the last run; with others everything is listed anew.
    ran_with: Mutex<String>,
    /// Units of the request budgets.
    per_minute: u32,
    _manners: MindsManners,
}

/// Whether a consent tells whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    Whose,
    Nothing,
}

struct Kept(SecretString);

#[async_trait]
impl GrantStore for Kept {
    async fn load(&self) -> Result<Option<SecretString>, GrantError> {
        Ok(Some(self.0.clone()))
    }

    async fn save(&self, _: &SecretString) -> Result<(), GrantError> {
        Ok(())
    }
}

/// The promise that most tests start from: one pair with every contact, both ways, the store's clock decides.
pub fn promise() -> Promise {
    let account = AccountName::new("sales");
    Promise {
        replica: ReplicaId::google(&account),
        account,
        direction: Direction::TwoWay,
        conflict: ConflictPolicy::Newest,
        conflict_fields: BTreeMap::new(),
        organizations: Organizations::Contact,
        photos: Photos::Travel,
        delete: DeletePolicy {
            in_remote: InRemote::Propagate,
            in_store: InStore::Propagate,
            left_group: LeftGroup::Unlink,
            grace: Duration::ZERO,
        },
        guard: Guard {
            max_deletes: Limit::Percent(10.0),
            max_updates: Limit::Percent(100.0),
            max_blanked_fields: Limit::Percent(10.0),
            max_unlinks: Limit::Percent(10.0),
            max_left_groups: Limit::Percent(10.0),
        },
        pairs: vec![pair(GROUP)],
        home: None,
    }
}

pub fn pair(group: &str) -> Pair {
    Pair {
        group: group.to_owned(),
        missing_group: MissingGroup::Create,
        labels: Vec::new(),
        owners: Vec::new(),
        filter: None,
        strangers: Strangers::Adopt,
        add_label: None,
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(promise())
    }

    pub fn with(promise: Promise) -> Self {
        let entropy = Arc::new(SeededEntropy::new(7));
        let store = Arc::new(MemoryStore::new(entropy.as_ref()));
        Self::on(store, promise)
    }

    /// A world where [`OTHER`] has an account too.
    pub fn of_two() -> Self {
        let world = World::new();
        *world.emulator() = Emulator::new(Config::new(3, &[EMAIL, OTHER]));
        let mut world = world;
        world.restart();
        world
    }

    /// A world on a store of the caller's.
    pub fn on(store: Arc<dyn Store>, promise: Promise) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-24T08:00:00Z".parse().expect("a time")));
        let entropy = Arc::new(SeededEntropy::new(11));
        let emulator = Arc::new(Mutex::new(Emulator::new(Config::new(3, &[EMAIL]))));
        let transport = Arc::new(InProcess { emulator: Arc::clone(&emulator), clock: clock.clone() });
        let google = client(transport, &emulator, &clock, &entropy, &promise.account, UNHURRIED);
        World {
            clock,
            entropy,
            sound: Arc::clone(&store),
            store,
            promise,
            google,
            settings: "one".to_owned(),
            ran_with: Mutex::new("one".to_owned()),
            per_minute: UNHURRIED,
            _manners: MindsManners(Arc::clone(&emulator)),
            emulator,
        }
    }

    /// The client forgets everything it knows, as after a restart of the process.
    pub fn restart(&mut self) {
        let transport = self.transport();
        self.google =
            client(transport, &self.emulator, &self.clock, &self.entropy, &self.promise.account, self.per_minute);
    }

    /// The process starts anew with a budget of so many units per minute, for reads and for writes.
    pub fn pace(&mut self, per_minute: u32) {
        self.per_minute = per_minute;
        self.restart();
    }

    /// The process starts anew on another state of the store: a backup.
    pub fn restore_store(&mut self, backup: Arc<dyn Store>) {
        self.sound = Arc::clone(&backup);
        self.store = backup;
        self.restart();
    }

    /// The process starts anew with a consent of this user, which tells whose it is or does not.
    pub fn consent_of(&mut self, email: &str, tells: Telling) {
        let transport = match tells {
            Telling::Whose => self.transport(),
            Telling::Nothing => Arc::new(Anonymous { inner: self.transport() }),
        };
        self.google = client_of(
            email,
            transport,
            &self.emulator,
            &self.clock,
            &self.entropy,
            &self.promise.account,
            self.per_minute,
        );
    }

    /// Puts a fuse into everything that writes to the store or calls the remote, until [`World::unfuse`].
    pub fn fuse(&mut self, fuse: &Arc<Fuse>) {
        let gate: Arc<dyn Gate> = fuse.clone();
        let transport = Arc::new(GatedTransport { inner: self.transport(), gate: gate.clone() });
        self.google =
            client(transport, &self.emulator, &self.clock, &self.entropy, &self.promise.account, self.per_minute);
        self.store = Arc::new(GatedStore { inner: Arc::clone(&self.sound), gate });
    }

    /// Takes the fuse out; the process has started anew.
    pub fn unfuse(&mut self) {
        self.store = Arc::clone(&self.sound);
        self.restart();
    }

    /// Somebody edits a contact of the store while the next call of this address is under way.
    pub fn interrupt_at(&mut self, address: &'static str, id: ContactId, edit: fn(&mut Card)) {
        let (store, clock) = (Arc::clone(&self.sound), Arc::clone(&self.clock));
        self.interrupt(address, move || {
            Box::pin(async move { edit_contact(store.as_ref(), clock.now(), id, edit).await })
        });
    }

    /// Somebody does something while the next call of this address is under way.
    pub fn interrupt(&mut self, address: &'static str, act: impl FnOnce() -> BoxFuture<'static, ()> + Send + 'static) {
        let transport = Interrupting { inner: self.transport(), address, act: Mutex::new(Some(Box::new(act))) };
        let transport = Arc::new(transport);
        self.google =
            client(transport, &self.emulator, &self.clock, &self.entropy, &self.promise.account, self.per_minute);
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(InProcess { emulator: Arc::clone(&self.emulator), clock: self.clock.clone() })
    }

    /// A run that may be cut off; `None` when it was.
    pub fn sync_or_crash(&self) -> Option<AccountSummary> {
        self.or_crashed(until_stuck(self.run(Reach::Incremental, Purpose::Carry)))
    }

    /// As [`World::sync_or_crash`], under what a person has let through.
    pub fn sync_under_or_crash(&self, licence: &Licence) -> Option<AccountSummary> {
        let run = self.run_under(licence, self.store.as_ref(), Reach::Incremental, Purpose::Carry);
        self.or_crashed(until_stuck(run))
    }

    fn or_crashed(&self, report: Option<Report>) -> Option<AccountSummary> {
        if report.is_none() {
            // What was listed died with the process.
            self.expect_full_pull();
        }
        report.map(|report| report.summary)
    }

    /// Runs until nothing is left to do, moving the clock on as far as open questions need. Returns how many runs. With
    /// `TRACE` in the environment, each run is told.
    pub async fn settle(&self) -> u32 {
        self.try_settle().await.unwrap_or_else(|unrest| panic!("{unrest}"))
    }

    /// As [`World::settle`], where the runs end with another outcome because something waits for a person.
    pub async fn settle_but(&self, outcome: Outcome) -> u32 {
        self.rest(outcome).await.unwrap_or_else(|unrest| panic!("{unrest}"))
    }

    /// As [`World::settle`], telling what keeps it from coming to rest.
    pub async fn try_settle(&self) -> Result<u32, String> {
        self.rest(Outcome::Done).await
    }

    async fn rest(&self, outcome: Outcome) -> Result<u32, String> {
        let mut last = None;
        for round in 1..=12 {
            let summary = self.sync().await;
            if summary.outcome == outcome && summary.pushed.total() + summary.pulled.total() == 0 {
                return Ok(round);
            }
            if std::env::var_os("TRACE").is_some() {
                eprintln!("{summary:?}");
            }
            last = Some(summary);
            self.advance(Duration::from_secs(20 * 60));
        }
        Err(format!("twelve runs were not enough: {last:?}"))
    }

    /// A person asks for a full listing, or does what needs one: it is no violation, however soon.
    pub fn expect_full_pull(&self) {
        let mut emulator = self.emulator();
        [EMAIL, OTHER].into_iter().for_each(|email| emulator.expect_full_pull(email));
    }

    pub fn emulator(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().expect("the emulator is sound")
    }

    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    pub async fn sync(&self) -> AccountSummary {
        self.run(Reach::Incremental, Purpose::Carry).await.summary
    }

    pub async fn sync_in_full(&self) -> AccountSummary {
        self.run(Reach::Full, Purpose::Carry).await.summary
    }

    pub async fn run(&self, reach: Reach, purpose: Purpose) -> Report {
        self.run_on(self.store.as_ref(), reach, purpose).await
    }

    /// Runs on another store than the world's own, such as a copy of it.
    pub async fn run_on(&self, store: &dyn Store, reach: Reach, purpose: Purpose) -> Report {
        self.run_under(&Licence::Guarded, store, reach, purpose).await
    }

    /// Carries out what a person has let through.
    pub async fn sync_under(&self, licence: &Licence) -> AccountSummary {
        self.run_under(licence, self.store.as_ref(), Reach::Incremental, Purpose::Carry).await.summary
    }

    /// The newest run.
    pub async fn last_run(&self) -> RunId {
        let state = self.store.account(&self.promise.account).await.expect("read").expect("an account");
        state.last_run.expect("a run")
    }

    async fn run_under(&self, licence: &Licence, store: &dyn Store, reach: Reach, purpose: Purpose) -> Report {
        let lease = LeaseRequest {
            account: self.promise.account.clone(),
            holder: "test".to_owned(),
            ttl: LEASE_TTL,
            dead_holder: None,
        };
        let answer = store.acquire_lease(&lease, self.clock.now()).await.expect("a lease");
        let LeaseAnswer::Held(fence) = answer else { panic!("the lease is held by somebody else") };
        let is_reconfigured =
            std::mem::replace(&mut *self.ran_with.lock().expect("sound"), self.settings.clone()) != self.settings;
        if reach == Reach::Full || is_reconfigured {
            self.expect_full_pull();
        }
        let stop = StopFlag::default();
        let settling = tokio::sync::Mutex::new(());
        let deps = Deps {
            settling: &settling,
            store,
            remote: &self.google,
            clock: self.clock.as_ref(),
            entropy: self.entropy.as_ref(),
            progress: &Silent,
            stop: &stop,
        };
        let order = Order {
            promise: &self.promise,
            email: EMAIL,
            settings: &self.settings,
            reach,
            purpose,
            run: RunId::new(self.clock.now(), self.entropy.next_u128()),
            lease,
            fence: fence.clone(),
            licence,
            newborn: BTreeSet::new(),
        };
        // On the heap: tests hold many runs, and a thread of a test has little room.
        let report = Box::pin(engine::run_account(deps, order)).await;
        if purpose != Purpose::Carry {
            // What a preview listed is kept nowhere.
            self.expect_full_pull();
        }
        store.release_lease(&fence).await.expect("released");
        report
    }

    /// Adds a contact to the store, as a user would.
    pub async fn add(&self, card: Card) -> ContactId {
        let now = self.tick();
        let mut version = VersionVector::new();
        version.tick(&ReplicaId::store(1));
        let id = ContactId::new(now, self.entropy.next_u128());
        let change = self.change(id, Action::Created, &Card::blank(card.kind()), &card);
        let contact = Contact {
            id,
            card,
            version,
            created: now,
            updated: now,
            deleted: None,
            touched: BTreeMap::new(),
            implicit: false,
        };
        self.put(contact, None, change).await;
        id
    }

    /// Edits a contact of the store, as a user would.
    pub async fn edit(&self, id: ContactId, edit: impl FnOnce(&mut Card)) {
        edit_contact(self.store.as_ref(), self.tick(), id, edit).await;
    }

    /// Deletes a contact of the store, as a user would.
    pub async fn delete(&self, id: ContactId) {
        let now = self.tick();
        let mut contact = self.contact(id).await;
        let expected = contact.version.clone();
        contact.deleted = Some(now);
        contact.version.tick(&ReplicaId::store(1));
        let change = self.change(id, Action::Deleted, &contact.card, &contact.card);
        self.put(contact, Some(expected), change).await;
    }

    pub fn change(&self, contact: ContactId, action: Action, before: &Card, after: &Card) -> Change {
        change(self.clock.now(), contact, action, before, after)
    }

    pub async fn put(&self, contact: Contact, expected: Option<VersionVector>, change: Change) {
        put_contact(self.store.as_ref(), contact, expected, change).await;
    }

    /// Time goes on a little, so that no two edits happen at once.
    pub fn tick(&self) -> Timestamp {
        self.clock.advance(Duration::from_secs(1));
        self.clock.now()
    }

    pub async fn contact(&self, id: ContactId) -> Contact {
        self.store.contacts(&[id]).await.expect("read").pop().expect("the contact exists")
    }

    /// Fails unless both sides have the same contacts with the same content, each once.
    pub async fn assert_equal(&self) {
        self.try_equal().await.unwrap_or_else(|difference| panic!("{difference}"));
    }

    /// As [`World::assert_equal`], leaving aside who is in no pair's group in Google.
    pub async fn assert_equal_within_group(&self) {
        let groups = self.pair_groups().await;
        let members = self.people().into_iter().filter(|person| {
            let codec = self.google.codec();
            !groups.is_disjoint(&codec.read(person, codec.kind(person)).groups)
        });
        self.compare(members.collect()).await.unwrap_or_else(|difference| panic!("{difference}"));
    }

    /// As [`World::assert_equal`], telling the difference.
    pub async fn try_equal(&self) -> Result<(), String> {
        self.compare(self.people()).await
    }

    async fn compare(&self, people: Vec<Value>) -> Result<(), String> {
        let codec = self.google.codec();
        let contacts = self.contacts().await;
        let mut ours: Vec<String> = Vec::new();
        let known = self.pair_groups().await;
        for contact in contacts.iter().filter(|contact| !contact.implicit) {
            ours.push(comparable(&contact.card));
        }
        let mut theirs: Vec<String> = Vec::new();
        for person in people {
            let reading = codec.read(&person, codec.kind(&person));
            if known.is_disjoint(&reading.groups) {
                return Err(format!("outside the group: {person}"));
            }
            theirs.push(comparable(&reading.card));
        }
        ours.sort();
        theirs.sort();
        if ours == theirs {
            return Ok(());
        }
        Err(format!(
            "store and Google differ\nstore:  {}\ngoogle: {}",
            ours.join("\n        "),
            theirs.join("\n        ")
        ))
    }

    async fn pair_groups(&self) -> BTreeSet<GroupId> {
        let state = self.store.account(&self.promise.account).await.expect("read").expect("an account");
        let is_pair = |name: &String| self.promise.pairs.iter().any(|pair| pair.group == *name);
        state.pair_groups.into_iter().filter(|known| is_pair(&known.configured)).map(|known| known.group).collect()
    }

    /// Living contacts of the store.
    pub async fn contacts(&self) -> Vec<Contact> {
        let query = ContactQuery { deleted: DeletedContacts::Hidden, ..ContactQuery::default() };
        self.store.find_contacts(&query).await.expect("read")
    }

    pub async fn by_name(&self, name: &str) -> Contact {
        let found: Vec<Contact> =
            self.contacts().await.into_iter().filter(|contact| contact.card.display_name() == name).collect();
        assert_eq!(found.len(), 1, "{name}: {} contacts", found.len());
        found.into_iter().next().expect("one")
    }

    pub async fn history(&self, contact: ContactId) -> Vec<Change> {
        let query = HistoryQuery { contact: Some(contact), ..HistoryQuery::default() };
        let rows = self.store.history(&query).await.expect("read");
        rows.into_iter().filter(|row| row.remote.is_none()).map(|row| row.change).collect()
    }

    /// Everybody in the emulated account, complete.
    pub fn people(&self) -> Vec<Value> {
        let now = self.clock.now();
        self.emulator().user(EMAIL, now).expect("the account").people()
    }

    /// The person with this display name or company.
    pub fn person(&self, name: &str) -> Value {
        let found: Vec<Value> = self.people().into_iter().filter(|person| shown(person) == name).collect();
        assert_eq!(found.len(), 1, "{name}: {} people", found.len());
        found.into_iter().next().expect("one")
    }

    /// Whether there is a person with this display name or company.
    pub fn has_person(&self, name: &str) -> bool {
        self.people().iter().any(|person| shown(person) == name)
    }

    pub fn group(&self, name: &str) -> Value {
        let now = self.clock.now();
        let groups = self.emulator().user(EMAIL, now).expect("the account").groups();
        groups.into_iter().find(|group| group["name"] == name).expect("the group")
    }

    /// A person made in the web UI, in the groups of these names besides My Contacts.
    pub fn google_create(&self, mut person: Value, groups: &[&str]) -> String {
        let mut memberships =
            vec![json!({"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}})];
        for group in groups {
            let group = self.group(group);
            memberships.push(json!({"contactGroupMembership": {"contactGroupResourceName": group["resourceName"]}}));
        }
        person["memberships"] = Value::Array(memberships);
        let now = self.tick();
        let created = self.emulator().user(EMAIL, now).expect("the account").create(&person).expect("created");
        created["resourceName"].as_str().expect("a name").to_owned()
    }

    /// A person edited in the web UI, by a merge patch.
    pub fn google_edit(&self, name: &str, patch: &Value) {
        let resource = self.person(name)["resourceName"].as_str().expect("a name").to_owned();
        let now = self.tick();
        self.emulator().user(EMAIL, now).expect("the account").edit(&resource, patch).expect("edited");
    }

    /// A person deleted in the web UI.
    pub fn google_delete(&self, name: &str) {
        let resource = self.person(name)["resourceName"].as_str().expect("a name").to_owned();
        let now = self.tick();
        self.emulator().user(EMAIL, now).expect("the account").delete(&resource).expect("deleted");
    }

    /// Fails unless nobody did what the service does not allow.
    pub fn assert_no_violation(&self) {
        check_manners(&self.emulator());
    }
}

/// Edits a contact of a store, as a user would.
pub async fn edit_contact(store: &dyn Store, now: Timestamp, id: ContactId, edit: impl FnOnce(&mut Card)) {
    let mut contact = store.contacts(&[id]).await.expect("read").pop().expect("the contact exists");
    let (before, expected) = (contact.card.clone(), contact.version.clone());
    edit(&mut contact.card);
    for field in diff::changed_fields(&before, &contact.card) {
        contact.touched.insert(field, now);
    }
    contact.version.tick(&ReplicaId::store(store.identity().await.expect("read").epoch));
    contact.updated = now;
    let change = change(now, id, Action::Edited, &before, &contact.card);
    put_contact(store, contact, Some(expected), change).await;
}

async fn put_contact(store: &dyn Store, contact: Contact, expected: Option<VersionVector>, change: Change) {
    let write = Write::Contact(Box::new(ContactWrite { contact, expected, change }));
    store.commit(Commit { fence: None, writes: vec![write] }).await.expect("stored");
}

fn change(at: Timestamp, contact: ContactId, action: Action, before: &Card, after: &Card) -> Change {
    let fields = diff::changes(before, after);
    Change { contact, at, actor: Actor::User, run: None, action, fields, conflicts: Vec::new() }
}

fn client(
    transport: Arc<dyn Transport>,
    emulator: &Arc<Mutex<Emulator>>,
    clock: &Arc<ManualClock>,
    entropy: &Arc<SeededEntropy>,
    account: &AccountName,
    per_minute: u32,
) -> Google {
    client_of(EMAIL, transport, emulator, clock, entropy, account, per_minute)
}

fn client_of(
    email: &str,
    transport: Arc<dyn Transport>,
    emulator: &Arc<Mutex<Emulator>>,
    clock: &Arc<ManualClock>,
    entropy: &Arc<SeededEntropy>,
    account: &AccountName,
    per_minute: u32,
) -> Google {
    let (id, secret, token) = {
        let emulator = emulator.lock().expect("the emulator is sound");
        let client = emulator.client();
        let token = emulator.refresh_token(email).expect("a refresh token").to_owned();
        (client.id.clone(), client.secret.clone(), token)
    };
    let oauth = OauthClient {
        id,
        secret: SecretString::from(secret),
        token_url: TokenUrl::new("http://127.0.0.1/token".to_owned()).expect("an address"),
    };
    let grants = Arc::new(Kept(SecretString::from(token)));
    let source = RefreshSource::new(account.clone(), oauth, transport.clone(), grants, clock.clone());
    let tokens = Arc::new(TokenCache::new(Arc::new(source), clock.clone()));
    let options = GoogleOptions {
        api_url: "http://127.0.0.1".parse().expect("an address"),
        account: account.clone(),
        vouched: None,
        mapping: Mapping::default(),
        reads_per_minute: per_minute,
        writes_per_minute: per_minute,
    };
    Google::new(options, transport, tokens, clock.clone(), entropy.clone())
}

/// What of a card both sides can hold in the record itself, in canonical form.
pub fn comparable(card: &Card) -> String {
    let mut card = normal::card(card);
    card.labels.clear();
    card.owner = None;
    for email in &mut card.emails {
        email.primary = false;
    }
    for phone in &mut card.phones {
        phone.primary = false;
    }
    match &mut card.subject {
        Subject::Organization(organization) => organization.industry = None,
        Subject::Person(person) => person.photo = None,
    }
    serde_json::to_string(&card).expect("a card")
}

/// The name a person of the emulator is shown by.
pub fn shown(person: &Value) -> String {
    let name = person["names"][0]["displayName"].as_str();
    name.or_else(|| person["organizations"][0]["name"].as_str()).unwrap_or_default().to_owned()
}

/// A person with a name and an e-mail address made from it.
pub fn person(name: &str) -> Card {
    let mut card: Card = serde_json::from_value(json!({"kind": "person", "name": {"full": name}})).expect("a person");
    card.emails.push(Email {
        value: format!("{}@example.org", name.to_lowercase().replace(' ', ".")),
        label: Some("work".to_owned()),
        primary: true,
    });
    card
}

pub fn phone(value: &str) -> Phone {
    Phone { value: value.to_owned(), label: Some("work".to_owned()), primary: false }
}

pub fn as_person(card: &mut Card) -> &mut contactsync::domain::contact::Person {
    match &mut card.subject {
        Subject::Person(person) => person,
        Subject::Organization(_) => panic!("not a person"),
    }
}
