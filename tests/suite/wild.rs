//! Wild worlds: everything that users do in the web UI and in the store beside edits (labels, groups, renames, merges,
//! the trash), under any policy, with batches, trouble and crashes. At rest every link is equal on both sides, nobody is
//! there twice, and nobody is gone whom no user has sent away.
//!
//! Each person has an e-mail address that nobody edits; it is the person's identity for the test.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::contact::{Card, Contact};
use contactsync::domain::id::{ContactId, RemoteId};
use contactsync::domain::link::{Link, LinkState};
use contactsync::domain::pair::{InRemote, InStore, LeftGroup, Limit, Promise};
use contactsync::domain::policy::ConflictPolicy;
use contactsync::emulator::fault::{Fault, FaultKind};
use contactsync::emulator::settings::{BadItems, CreatedOrder, Delay, Feed, MissingDelete, UpdateAnswers};
use contactsync::emulator::{FormerName, MergeTrace, ReturnName};
use contactsync::remotes::{Codec, Remote as _};
use contactsync::store::{ContactQuery, DeletedContacts};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};

use crate::support::fuse::{Cut, Fuse};
use crate::support::world::{World, as_person, comparable, person, phone, promise};

/// What a seed allows to happen.
#[derive(Debug)]
struct Weather {
    faults: bool,
    crashes: bool,
    lag: bool,
    labels: bool,
    deletions: bool,
    identity: bool,
    tokens: bool,
}

struct Script {
    rng: TestRng,
    weather: Weather,
    serial: u32,
    /// Who was sent away by a user, on whichever side: these may be anywhere or nowhere.
    sent_away: BTreeSet<String>,
    log: Vec<String>,
}

fn email_of(person: &Value) -> Option<&str> {
    person["emailAddresses"].as_array()?.iter().find_map(|email| email["value"].as_str())
}

fn mail(contact: &Contact) -> Option<&str> {
    contact.card.emails.first().map(|email| email.value.as_str())
}

impl Script {
    fn new(seed: u64) -> Self {
        let mut bytes = [1_u8; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut coin = || rng.next_u32().is_multiple_of(2);
        let weather = Weather {
            faults: coin(),
            crashes: coin(),
            lag: coin(),
            labels: coin(),
            deletions: coin(),
            identity: coin(),
            tokens: coin(),
        };
        Script { rng, weather, serial: 0, sent_away: BTreeSet::new(), log: Vec::new() }
    }

    fn below(&mut self, end: usize) -> usize {
        self.rng.next_u32() as usize % end
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        (!list.is_empty()).then(|| list[self.below(list.len())].clone())
    }

    fn value(&mut self) -> String {
        self.serial += 1;
        format!("v{}", self.serial)
    }

    fn name(&mut self) -> String {
        self.serial += 1;
        format!("Person {:03}", self.serial)
    }

    fn promise(&mut self) -> Promise {
        let mut promise = promise();
        let policies = [ConflictPolicy::Newest, ConflictPolicy::Store, ConflictPolicy::Remote];
        promise.conflict = self.pick(&policies).unwrap_or_default();
        promise.delete.in_remote = if self.below(4) == 0 { InRemote::Unlink } else { InRemote::Propagate };
        promise.delete.in_store = self.pick(&[InStore::Propagate, InStore::Propagate, InStore::TrashGroup]).unwrap();
        promise.delete.left_group = self.pick(&[LeftGroup::Unlink, LeftGroup::Unlabel, LeftGroup::Delete]).unwrap();
        promise.guard.max_deletes = Limit::Absolute(1000);
        promise.guard.max_updates = Limit::Absolute(1000);
        promise.guard.max_blanked_fields = Limit::Absolute(1000);
        promise.guard.max_unlinks = Limit::Absolute(1000);
        promise.guard.max_left_groups = Limit::Absolute(1000);
        if self.weather.labels {
            promise.pairs[0].labels = vec!["Customer".to_owned()];
            promise.pairs[0].add_label = self.coin().then(|| "Customer".to_owned());
        }
        promise
    }

    fn card(&mut self) -> Card {
        let mut card = person(&self.name());
        if !self.weather.labels || self.below(3) > 0 {
            card.labels.insert("Customer".to_owned());
        }
        card
    }

    fn turn_switches(&mut self, world: &World) {
        let (repeats, shuffled, empty, each, missing, hidden) =
            (self.below(3), self.coin(), self.coin(), self.coin(), self.coin(), self.below(4) == 0);
        world.switch(|settings| {
            settings.spurious_repeats = repeats as u32;
            settings.page_repeats = shuffled;
            settings.created_order = if shuffled { CreatedOrder::Shuffled } else { CreatedOrder::Request };
            settings.update_answers = if empty { UpdateAnswers::Empty } else { UpdateAnswers::Full };
            settings.bad_items = if each { BadItems::AnswerEach } else { BadItems::RefuseCall };
            settings.missing_delete = if missing { MissingDelete::Internal } else { MissingDelete::NotFound };
            settings.membership_changes = if hidden { Feed::Hidden } else { Feed::Shown };
        });
        if self.weather.lag {
            world.switch(|settings| settings.propagation.delta = Delay { min_ms: 0, max_ms: 600_000 });
        }
    }

    async fn act(&mut self, world: &World) {
        match self.below(16) {
            0..=3 => self.edit_store(world).await,
            4..=6 => self.edit_google(world),
            7 => {
                let card = self.card();
                self.log.push(format!("store adds {}", card.display_name()));
                world.add(card).await;
            }
            8 => {
                let name = self.name();
                let value = format!("{}@example.org", name.to_lowercase().replace(' ', "."));
                self.log.push(format!("Google adds {name}"));
                let person = json!({"names": [{"givenName": name}], "emailAddresses": [{"value": value}]});
                world.google_create(person, if self.coin() { &["Team"] } else { &[] });
            }
            9 | 10 if self.weather.deletions => self.delete(world).await,
            11 if self.weather.deletions => self.restore(world).await,
            12 | 13 if self.weather.identity => self.identify(world),
            14 if self.weather.labels => self.label(world).await,
            15 if self.weather.tokens => {
                self.log.push("tokens expire".to_owned());
                world.expire_tokens();
            }
            _ => self.regroup(world),
        }
    }

    async fn edit_store(&mut self, world: &World) {
        let Some(contact) = self.pick(&world.contacts().await) else { return };
        let value = self.value();
        self.log.push(format!("store edits {}: {value}", contact.card.display_name()));
        if contact.card.as_person().is_none() {
            return;
        }
        match self.below(4) {
            0 => world.edit(contact.id, |card| card.notes = Some(value)).await,
            1 => world.edit(contact.id, |card| as_person(card).job_title = Some(value)).await,
            2 => world.edit(contact.id, |card| as_person(card).nicknames.push(value)).await,
            _ => {
                let number = format!("+49 30 1000{:04}", self.serial);
                world.edit(contact.id, |card| card.phones.push(phone(&number))).await;
            }
        }
    }

    fn edit_google(&mut self, world: &World) {
        let Some(person) = self.pick(&world.people()) else { return };
        let value = self.value();
        self.log.push(format!("Google edits {}: {value}", email_of(&person).unwrap_or_default()));
        let resource = person["resourceName"].as_str().unwrap();
        let patch = match self.below(3) {
            0 => json!({"biographies": [{"value": value}]}),
            1 => json!({"organizations": [{"title": value}]}),
            _ => json!({"nicknames": [{"value": value}]}),
        };
        world.by_hand(|user| user.edit(resource, &patch).unwrap());
    }

    async fn delete(&mut self, world: &World) {
        if self.coin() {
            let Some(contact) = self.pick(&world.contacts().await) else { return };
            self.log.push(format!("store deletes {}", contact.card.display_name()));
            self.sent_away.extend(contact.card.emails.iter().map(|email| email.value.clone()));
            world.delete(contact.id).await;
        } else if let Some(person) = self.pick(&world.people()) {
            self.log.push(format!("Google deletes {}", email_of(&person).unwrap_or_default()));
            self.send_away(&person);
            world.by_hand(|user| user.delete(person["resourceName"].as_str().unwrap()).unwrap());
        }
    }

    fn send_away(&mut self, person: &Value) {
        let emails = person["emailAddresses"].as_array().into_iter().flatten();
        self.sent_away.extend(emails.filter_map(|email| email["value"].as_str()).map(str::to_owned));
    }

    async fn restore(&mut self, world: &World) {
        if self.coin() {
            let query = ContactQuery { deleted: DeletedContacts::Only, ..ContactQuery::default() };
            let deleted = world.store.find_contacts(&query).await.unwrap();
            let Some(contact) = self.pick(&deleted) else { return };
            self.log.push(format!("store restores {}", contact.card.display_name()));
            world.restore(contact.id).await;
        } else {
            let trash = world.by_hand(|user| user.trash());
            let Some(person) = self.pick(&trash) else { return };
            let name = if self.coin() { ReturnName::Same } else { ReturnName::Fresh };
            self.log.push(format!("Google restores {} {name:?}", email_of(&person).unwrap_or_default()));
            // A copy may come back beside the contact that was made anew: two of one are no harm of ours then.
            self.send_away(&person);
            world.by_hand(|user| _ = user.restore(person["resourceName"].as_str().unwrap(), name));
        }
    }

    /// Renames, merges and touches records.
    fn identify(&mut self, world: &World) {
        let people = world.people();
        let Some(person) = self.pick(&people) else { return };
        let resource = person["resourceName"].as_str().unwrap();
        match self.below(4) {
            0 | 1 => {
                let former = if self.coin() { FormerName::Gone } else { FormerName::Leads };
                let tombstone = if self.coin() { Feed::Shown } else { Feed::Hidden };
                self.log.push(format!("Google renames {:?} {former:?} {tombstone:?}", email_of(&person)));
                world.by_hand(|user| user.rename(resource, former, tombstone).unwrap());
            }
            2 => {
                let Some(other) = self.pick(&people).filter(|other| other["resourceName"] != person["resourceName"])
                else {
                    return;
                };
                let trace = if self.coin() { MergeTrace::PreviousNames } else { MergeTrace::None };
                self.log.push(format!("Google merges {:?} into {:?} {trace:?}", email_of(&other), email_of(&person)));
                // From now on one contact has both addresses, and the other one is gone.
                self.send_away(&person);
                self.send_away(&other);
                let other = other["resourceName"].as_str().unwrap();
                world.by_hand(|user| user.merge(resource, &[other], trace).unwrap());
            }
            _ => {
                self.log.push(format!("Google touches {:?}", email_of(&person)));
                world.by_hand(|user| user.bump_etag(resource).unwrap());
            }
        }
    }

    async fn label(&mut self, world: &World) {
        let Some(contact) = self.pick(&world.contacts().await) else { return };
        let on = self.coin();
        self.log.push(format!("store labels {}: {on}", contact.card.display_name()));
        world
            .edit(contact.id, |card| match on {
                true => _ = card.labels.insert("Customer".to_owned()),
                false => _ = card.labels.remove("Customer"),
            })
            .await;
    }

    fn regroup(&mut self, world: &World) {
        let Some(person) = self.pick(&world.people()) else { return };
        let resource = person["resourceName"].as_str().unwrap();
        let (into, group) = (self.coin(), world.group_resource("Team"));
        self.log.push(format!("Google groups {:?}: {into}", email_of(&person)));
        if world.promise.delete.left_group == LeftGroup::Delete && !into {
            self.send_away(&person);
        }
        world.by_hand(|user| match into {
            true => user.label(resource, &group).unwrap(),
            false => user.unlabel(resource, &group).unwrap(),
        });
    }

    fn strike(&mut self, world: &World) {
        if !self.weather.faults {
            return;
        }
        let method = [
            "people.*",
            "people.batch*",
            "people.updateContact",
            "people.createContact",
            "people.deleteContact",
            "contactGroups.members.modify",
            "people.getBatchGet",
        ][self.below(7)];
        let kind = match self.below(8) {
            0 => FaultKind::Drop,
            1 => FaultKind::DropAfter,
            2 => FaultKind::StatusAfter(503),
            3 => FaultKind::Status(500),
            4 => FaultKind::Truncate,
            5 => FaultKind::ApplyLate(30_000),
            6 => FaultKind::HalfApplied,
            _ => FaultKind::MinuteQuota,
        };
        let skip = self.below(3) as u32;
        self.log.push(format!("fault {method} {kind:?} after {skip}"));
        world.emulator().faults_mut().push(Fault { skip, ..Fault::once(method, kind) });
    }

    async fn sync(&mut self, world: &mut World) {
        if self.weather.crashes && self.coin() {
            let step = self.below(30) as i64;
            let cut = if self.coin() { Cut::Before } else { Cut::After };
            world.fuse(&Fuse::at(step, cut));
            let survived = world.sync_or_crash().is_some();
            self.log.push(format!("sync cut {cut:?} {step}: survived {survived}"));
            world.unfuse();
        } else {
            let summary = world.sync().await;
            self.log.push(format!("sync {:?} {:?}", summary.outcome, summary.error));
        }
    }
}

/// All contacts of the store with their links.
async fn linked(world: &World) -> Vec<(Contact, Option<Link>)> {
    let query = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
    let contacts = world.store.find_contacts(&query).await.unwrap();
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    let links = world.store.links_of_contacts(&world.promise.account, &ids).await.unwrap();
    let mut links: BTreeMap<ContactId, Link> = links.into_iter().map(|link| (link.contact.unwrap(), link)).collect();
    contacts.into_iter().map(|contact| (contact.clone(), links.remove(&contact.id))).collect()
}

/// How contact and record differ in meaning, as far as Google can hold it.
fn difference(codec: &dyn Codec, contact: &Contact, person: &Value) -> Option<String> {
    let (ours, theirs) = (comparable(&contact.card), comparable(&codec.read(person, contact.card.kind()).card));
    (ours != theirs).then(|| format!("\nstore:  {ours}\ngoogle: {theirs}"))
}

/// Everything that must hold at rest.
async fn judge(world: &World, script: &Script) -> Result<(), String> {
    let linked = linked(world).await;
    let people: BTreeMap<RemoteId, Value> =
        world.people().into_iter().map(|p| (RemoteId::new(p["resourceName"].as_str().unwrap()), p)).collect();
    let codec = world.google.codec();
    let team = world.group_resource("Team");
    let is_in_team = |person: &Value| {
        let groups = person["memberships"].as_array().into_iter().flatten();
        groups.into_iter().any(|one| one["contactGroupMembership"]["contactGroupResourceName"] == team.as_str())
    };
    let mut bound = BTreeSet::new();
    for (contact, link) in &linked {
        let Some(link) = link.as_ref().filter(|link| link.state == LinkState::Bound) else { continue };
        let name = contact.card.display_name();
        let Some(person) = link.remote.as_ref().and_then(|remote| people.get(remote)) else {
            return Err(format!("{name} is linked to nobody"));
        };
        bound.insert(link.remote.clone().unwrap());
        if !contact.is_live() {
            return Err(format!("{name} is deleted and linked"));
        }
        if let Some(difference) = difference(codec, contact, person) {
            return Err(format!("{name} differs: {difference}"));
        }
        if !is_in_team(person) {
            return Err(format!("{name} is linked, and not in the group"));
        }
    }
    for (remote, person) in &people {
        if is_in_team(person) && !bound.contains(remote) {
            return Err(format!("{:?} is in the group and not linked: {person}", email_of(person)));
        }
    }
    let count = |email: &str| {
        let store = linked.iter().filter(|(one, _)| one.is_live() && mail(one) == Some(email)).count();
        let google = people.values().filter(|one| email_of(one) == Some(email)).count();
        (store, google)
    };
    let emails: BTreeSet<&str> =
        linked.iter().filter_map(|(contact, _)| mail(contact)).chain(people.values().filter_map(email_of)).collect();
    for email in emails.into_iter().filter(|email| !script.sent_away.contains(*email)) {
        let (store, google) = count(email);
        if store > 1 || google > 1 {
            return Err(format!("{email} is there {store} times in the store and {google} times in Google"));
        }
    }
    for (contact, _) in &linked {
        let away = contact.card.emails.iter().any(|email| script.sent_away.contains(&email.value));
        if !contact.is_live() && !away {
            return Err(format!("{} is deleted in the store, and nobody did it", contact.card.display_name()));
        }
    }
    Ok(())
}

async fn play(seed: u64) -> Result<(), String> {
    let mut script = Script::new(seed);
    let mut world = World::with(script.promise());
    let count = if script.coin() { 4 } else { 12 };
    for _ in 0..count {
        let card = script.card();
        world.add(card).await;
    }
    world.sync().await;
    script.turn_switches(&world);
    for _ in 0..8 {
        for _ in 0..script.below(5) {
            script.act(&world).await;
        }
        script.strike(&world);
        script.sync(&mut world).await;
        let pause = script.below(1200);
        world.advance(Duration::from_secs(pause as u64));
    }
    world.calm();
    world.switch(|settings| *settings = Default::default());
    world.advance(Duration::from_secs(1200));
    let told =
        |what: String, script: &Script| format!("seed {seed} {:?}: {what}\n{}", script.weather, script.log.join("\n"));
    // What the change stream hides comes with a full listing.
    world.sync_in_full().await;
    world.try_settle().await.map_err(|what| told(what, &script))?;
    judge(&world, &script).await.map_err(|what| told(what, &script))?;
    let summary = world.sync_in_full().await;
    if summary.pushed.total() + summary.pulled.total() > 0 || summary.outcome != Outcome::Done {
        return Err(told(format!("a full listing at rest finds work: {summary:?}"), &script));
    }
    Ok(())
}

#[tokio::test]
async fn wild_worlds_come_to_rest_and_lose_and_double_nobody() {
    let (from, count) = std::env::var("SEEDS")
        .ok()
        .and_then(|text| text.split_once('+').map(|(a, b)| (a.parse().unwrap_or(0), b.parse().unwrap_or(1))))
        .unwrap_or((0, 100));
    let mut failures = Vec::new();
    for seed in from..from + count {
        if let Err(failure) = play(seed).await {
            failures.push(failure);
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {count} seeds failed; the shortest:\n{}",
        failures.len(),
        failures.iter().min_by_key(|failure| failure.len()).map(String::as_str).unwrap_or_default()
    );
}
