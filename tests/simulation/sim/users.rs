//! The users of a scenario: they edit, add, remove, label, delete and bring back, in the store and in the web UI of every
//! account. What they write goes into the ledger, with what they had before them when they wrote it.
//!
//! A person is known by an e-mail address that nobody edits.

use std::collections::{BTreeMap, BTreeSet};

use contactsync::clock::{Clock as _, Entropy as _};
use contactsync::contacts::edit::Editor;
use contactsync::domain::contact::{Card, Contact, Email, Phone};
use contactsync::domain::diff;
use contactsync::domain::history::{Action, Actor, Change};
use contactsync::domain::id::{ContactId, RemoteId, ReplicaId};
use contactsync::domain::link::Link;
use contactsync::domain::pair::LeftGroup;
use contactsync::domain::policy::Winner;
use contactsync::domain::version::VersionVector;
use contactsync::emulator::settings::Feed;
use contactsync::emulator::{FormerName, MergeTrace, ReturnName};
use contactsync::store::{Commit, ContactQuery, ContactWrite, DeletedContacts, Write};
use serde_json::{Value, json};

use super::ledger::{Ledger, Slot};
use super::people::{
    group, owner, owner_of_card, owners, owners_of_card, people, resource, title, values_of_card, values_of_person,
};
use super::setting::{Aim, FRIEND, Habits, LABEL, SECOND, Setting};
use super::stage::Stage;
use super::tape::Tape;

mod plots;

/// See the module.
pub struct Users {
    pub tape: Tape,
    pub ledger: Ledger,
    pub log: Vec<String>,
    habits: Habits,
    aim: Option<Aim>,
    /// Whom everything is done to, as long as that is said.
    focus: Option<String>,
    /// Which field is edited, as long as that is said.
    field: Option<usize>,
    serial: u32,
    /// A record was renamed, and its former name was not reported as gone: who it was is only told by a full listing.
    pub hid_a_name: bool,
    /// Actions taken, by kind.
    pub taken: BTreeMap<&'static str, u64>,
}

impl Users {
    pub fn new(tape: Tape, setting: &Setting) -> Self {
        Users {
            tape,
            ledger: Ledger::default(),
            log: Vec::new(),
            habits: setting.habits,
            aim: setting.aim,
            focus: None,
            field: None,
            serial: 0,
            hid_a_name: false,
            taken: BTreeMap::new(),
        }
    }

    fn next(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    fn value(&mut self) -> String {
        format!("v{:04}", self.next())
    }

    fn note(&mut self, kind: &'static str, text: String) {
        *self.taken.entry(kind).or_default() += 1;
        self.log.push(text);
    }

    /// Somebody does something.
    pub async fn act(&mut self, stage: &Stage) {
        let account = self.tape.below(stage.promises.len());
        if let Some(aim) = self.aim
            && self.tape.below(3) > 0
        {
            return self.plot(aim, stage, account).await;
        }
        match self.tape.below(20) {
            2..=4 if self.habits.grow => self.add_to_store(stage).await,
            0..=4 => self.edit_store(stage).await,
            5..=8 => self.edit_google(stage, account),
            9 => self.add_to_store(stage).await,
            10 => self.add_to_google(stage, account).await,
            11 if self.habits.delete => self.delete_in_store(stage).await,
            12 if self.habits.delete => self.delete_in_google(stage, account).await,
            13 if self.habits.delete => self.bring_back(stage, account).await,
            14 | 15 if self.habits.identify => self.identify(stage, account).await,
            16 if self.habits.label => self.label(stage).await,
            17 if self.habits.regroup => self.regroup(stage, account),
            18 if self.tape.below(2) == 1 => self.befriend(stage).await,
            18 => self.remove_from_store(stage).await,
            19 => self.remove_from_google(stage, account),
            _ => self.edit_store(stage).await,
        }
    }

    // ---- the store ----

    /// Adds a person to the store.
    pub async fn add_to_store(&mut self, stage: &Stage) {
        let name = format!("p{:04}", self.next());
        let mut card = Card::person();
        let Some(person) = card.as_person_mut() else { return };
        person.name.given = Some(name.clone());
        card.emails.push(Email { value: address(&name), label: Some("work".to_owned()), primary: true });
        if !self.habits.label || self.tape.below(3) > 0 {
            card.labels.insert(LABEL.to_owned());
        }
        self.note("store adds", format!("store adds {name}"));
        let now = stage.tick();
        let mut version = VersionVector::new();
        version.tick(&ReplicaId::store(1));
        let id = ContactId::new(now, stage.entropy.next_u128());
        let blank = Card::blank(card.kind());
        let change = change(stage, id, Action::Created, &blank, &card);
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
        put(stage, contact, None, change).await;
    }

    async fn pick_contact(&mut self, stage: &Stage, deleted: DeletedContacts) -> Option<Contact> {
        let query = ContactQuery { deleted, ..ContactQuery::default() };
        let mut contacts = stage.store.find_contacts(&query).await.expect("contacts");
        contacts.retain(|contact| contact.card.as_person().is_some() && owner_of_card(&contact.card).is_some());
        if let Some(focus) = &self.focus {
            contacts.retain(|contact| owners_of_card(&contact.card).contains(focus));
        }
        self.tape.pick(&contacts)
    }

    async fn pick_somebody(&mut self, stage: &Stage) -> Option<String> {
        let contact = self.pick_contact(stage, DeletedContacts::Hidden).await?;
        owner_of_card(&contact.card)
    }

    fn draw_field(&mut self) -> usize {
        self.field.unwrap_or_else(|| self.tape.below(7))
    }

    async fn edit_store(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(owner) = owner_of_card(&contact.card) else { return };
        let mut card = contact.card.clone();
        match self.draw_field() {
            0 => {
                let value = self.value();
                let parent = card.notes.replace(value.clone());
                self.ledger.wrote(slot(&owner, "notes"), &value, parent);
                self.note("store edits", format!("store {owner} notes = {value}"));
            }
            1 => {
                let value = self.value();
                let Some(person) = card.as_person_mut() else { return };
                let parent = person.job_title.replace(value.clone()).map(|title| title.to_lowercase());
                self.ledger.wrote(slot(&owner, "job_title"), &value, parent);
                self.note("store edits", format!("store {owner} job_title = {value}"));
            }
            2 => {
                let value = self.value();
                let parent = card.custom.insert("Tier".to_owned(), value.clone());
                self.ledger.wrote(slot(&owner, "custom.Tier"), &value, parent);
                self.note("store edits", format!("store {owner} custom.Tier = {value}"));
            }
            3 => {
                let value = self.value();
                let Some(person) = card.as_person_mut() else { return };
                let parent = person.name.family.replace(value.clone());
                self.ledger.wrote(slot(&owner, "family"), &value, parent);
                self.note("store edits", format!("store {owner} family = {value}"));
            }
            4 => {
                let value = self.number();
                card.phones.push(Phone { value: value.clone(), label: Some("work".to_owned()), primary: false });
                self.ledger.added(slot(&owner, "phones"), &value);
                self.note("store adds items", format!("store {owner} + {value}"));
            }
            5 if self.habits.relabel => {
                let Some(item) = self.tape.pick(&places(card.phones.len())) else { return };
                let value = self.value();
                let phone = &mut card.phones[item];
                let parent = phone.label.replace(value.clone());
                let field = format!("label of {}", phone.value);
                self.ledger.relabelled(&phone.value.clone());
                self.ledger.wrote(slot(&owner, &field), &value, parent);
                self.note("store relabels", format!("store {owner} {field} = {value}"));
            }
            _ => {
                let value = self.value();
                let Some(person) = card.as_person_mut() else { return };
                person.nicknames.push(value.clone());
                self.ledger.added(slot(&owner, "nicknames"), &value);
                self.note("store adds items", format!("store {owner} + {value}"));
            }
        }
        self.store_edit(stage, contact, card, Action::Edited).await;
    }

    fn number(&mut self) -> String {
        format!("+49 30 1{:05}", self.next())
    }

    async fn remove_from_store(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(owner) = owner_of_card(&contact.card) else { return };
        let mut card = contact.card.clone();
        let Some(item) = self.tape.pick(&places(card.phones.len())) else { return };
        let value = card.phones.remove(item).value;
        self.ledger.removed(&value);
        self.note("store removes items", format!("store {owner} - {value}"));
        self.store_edit(stage, contact, card, Action::Edited).await;
    }

    async fn label(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(owner) = owner_of_card(&contact.card) else { return };
        let mut card = contact.card.clone();
        let label = self.tape.pick(&[LABEL, SECOND.1]).unwrap_or(LABEL);
        if !card.labels.remove(label) {
            card.labels.insert(label.to_owned());
        }
        self.ledger.moved(&owner);
        self.note("store labels", format!("store labels {owner}: {:?}", card.labels));
        self.store_edit(stage, contact, card, Action::Edited).await;
    }

    /// Gives or takes a label that no pair speaks of, and that never leaves the store.
    async fn befriend(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(owner) = owner_of_card(&contact.card) else { return };
        let mut card = contact.card.clone();
        let is_friend = !card.labels.remove(FRIEND);
        if is_friend {
            card.labels.insert(FRIEND.to_owned());
        }
        self.ledger.befriended(&owner, is_friend);
        // An edit that no value tells of: whoever deletes the person elsewhere may not have seen it.
        self.ledger.deleted_too_soon(&owner);
        self.note("store befriends", format!("store befriends {owner}: {is_friend}"));
        self.store_edit(stage, contact, card, Action::Edited).await;
    }

    async fn delete_in_store(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(owner) = owner_of_card(&contact.card) else { return };
        for owner in owners_of_card(&contact.card) {
            self.ledger.deleted(&owner, values_of_card(&contact.card));
        }
        // After a lost answer, a job title that the service writes in capitals looks like an edit, and that survives.
        if contact.card.as_person().is_some_and(|person| person.job_title.is_some())
            && is_in_doubt(stage, &contact).await
        {
            self.ledger.deleted_too_soon(&owner);
        }
        self.note("store deletes", format!("store deletes {owner}"));
        let card = contact.card.clone();
        self.store_edit(stage, contact, card, Action::Deleted).await;
    }

    /// Writes an edit of the store. An edit that meets another one has read too early, and is made on what is there.
    async fn store_edit(&mut self, stage: &Stage, mut contact: Contact, card: Card, action: Action) {
        let now = stage.tick();
        let expected = contact.version.clone();
        let before = std::mem::replace(&mut contact.card, card);
        for field in diff::changed_fields(&before, &contact.card) {
            contact.touched.insert(field, stage.clock.now());
        }
        contact.version.tick(&ReplicaId::store(1));
        contact.updated = now;
        contact.deleted = (action == Action::Deleted).then_some(now);
        let change = change(stage, contact.id, action, &before, &contact.card);
        put(stage, contact, Some(expected), change).await;
    }

    // ---- Google ----

    async fn add_to_google(&mut self, stage: &Stage, account: usize) {
        let mut name = format!("g{:04}", self.next());
        if self.tape.below(4) == 3
            && let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await
            && let Some(owner) = owner_of_card(&contact.card)
        {
            // Somebody who is in the store already; whether twice is one has to be found out.
            self.ledger.blurred(&owner);
            name = owner;
        }
        let into = self.tape.below(3) < 2;
        let Some(group) = group(stage, account) else { return };
        let mut memberships =
            vec![json!({"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}})];
        if into {
            memberships.push(json!({"contactGroupMembership": {"contactGroupResourceName": group}}));
        }
        let person = json!({
            "names": [{"givenName": name}],
            "emailAddresses": [{"value": address(&name), "type": "work"}],
            "clientData": [{"key": "another program", "value": format!("of {name}")}],
            "memberships": memberships,
        });
        self.note("Google adds", format!("Google {account} adds {name}, into the group: {into}"));
        stage.by_hand(account, |user| user.create(&person).map(drop).unwrap_or_default());
    }

    fn pick_person(&mut self, stage: &Stage, account: usize) -> Option<Value> {
        let mut people = people(stage, account);
        people.retain(|person| owner(person).is_some());
        if let Some(focus) = &self.focus {
            people.retain(|person| owners(person).contains(focus));
        }
        self.tape.pick(&people)
    }

    fn edit_google(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        let Some(owner) = owner(&person) else { return };
        let patch = match self.draw_field() {
            0 => {
                let value = self.value();
                let parent = text(&person["biographies"][0]["value"]);
                self.ledger.wrote(slot(&owner, "notes"), &value, parent);
                self.note("Google edits", format!("Google {account} {owner} notes = {value}"));
                json!({"biographies": [{"value": value}]})
            }
            1 => {
                let value = self.value();
                let parent = title(&person);
                self.ledger.wrote(slot(&owner, "job_title"), &value, parent);
                self.note("Google edits", format!("Google {account} {owner} job_title = {value}"));
                json!({"organizations": [{"title": value}]})
            }
            2 => {
                let value = self.value();
                let mut items = bare(&person["userDefined"], &["key", "value"]);
                let parent = items.iter().find(|item| item["key"] == "Tier").and_then(|item| text(&item["value"]));
                items.retain(|item| item["key"] != "Tier");
                items.push(json!({"key": "Tier", "value": value}));
                self.ledger.wrote(slot(&owner, "custom.Tier"), &value, parent);
                self.note("Google edits", format!("Google {account} {owner} custom.Tier = {value}"));
                json!({"userDefined": items})
            }
            3 => {
                let value = self.value();
                let given = person["names"][0]["givenName"].clone();
                let parent = text(&person["names"][0]["familyName"]);
                self.ledger.wrote(slot(&owner, "family"), &value, parent);
                self.note("Google edits", format!("Google {account} {owner} family = {value}"));
                json!({"names": [{"givenName": given, "familyName": value}]})
            }
            4 => {
                let value = self.number();
                let mut items = bare(&person["phoneNumbers"], &["value", "type"]);
                items.push(json!({"value": value, "type": "work"}));
                self.ledger.added(slot(&owner, "phones"), &value);
                self.note("Google adds items", format!("Google {account} {owner} + {value}"));
                json!({"phoneNumbers": items})
            }
            5 if self.habits.relabel => {
                let mut items = bare(&person["phoneNumbers"], &["value", "type"]);
                let Some(place) = self.tape.pick(&places(items.len())) else { return };
                let value = self.value();
                let item = text(&items[place]["value"]).unwrap_or_default();
                let parent = text(&items[place]["type"]);
                items[place]["type"] = json!(value);
                let field = format!("label of {item}");
                self.ledger.relabelled(&item);
                self.ledger.wrote(slot(&owner, &field), &value, parent);
                self.note("Google relabels", format!("Google {account} {owner} {field} = {value}"));
                json!({"phoneNumbers": items})
            }
            _ => {
                let value = self.value();
                let mut items = bare(&person["nicknames"], &["value"]);
                items.push(json!({"value": value}));
                self.ledger.added(slot(&owner, "nicknames"), &value);
                self.note("Google adds items", format!("Google {account} {owner} + {value}"));
                json!({"nicknames": items})
            }
        };
        let value = format!("v{:04}", self.serial);
        let number = format!("+49 30 1{:05}", self.serial);
        for value in [value, number] {
            self.ledger.wrote_on(resource(&person), &value, stage.world.now());
        }
        edit(stage, account, &person, &patch);
    }

    fn remove_from_google(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        let Some(owner) = owner(&person) else { return };
        let mut items = bare(&person["phoneNumbers"], &["value", "type"]);
        let Some(place) = self.tape.pick(&places(items.len())) else { return };
        let value = text(&items.remove(place)["value"]).unwrap_or_default();
        self.ledger.removed(&value);
        self.note("Google removes items", format!("Google {account} {owner} - {value}"));
        edit(stage, account, &person, &json!({"phoneNumbers": items}));
    }

    async fn delete_in_google(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        let Some(owner) = owner(&person) else { return };
        for owner in owners(&person) {
            self.ledger.deleted(&owner, values_of_person(&person));
            // One of two copies may not be the one that the contact is linked to.
            let copies = people(stage, account).iter().filter(|one| owners(one).contains(&owner)).count();
            if copies > 1 || !is_acknowledged(stage, &owner).await {
                // Nobody can know yet whether what was sent had been seen, and an edit that may be unseen survives.
                self.ledger.deleted_too_soon(&owner);
            }
        }
        self.note("Google deletes", format!("Google {account} deletes {owner}"));
        stage.by_hand(account, |user| user.delete(resource(&person)).unwrap_or_default());
    }

    async fn bring_back(&mut self, stage: &Stage, account: usize) {
        if self.tape.below(2) == 0 {
            let Some(contact) = self.pick_contact(stage, DeletedContacts::Only).await else { return };
            let Some(owner) = owner_of_card(&contact.card) else { return };
            self.ledger.blurred(&owner);
            self.note("store restores", format!("store restores {owner}"));
            let card = contact.card.clone();
            return self.store_edit(stage, contact, card, Action::Restored).await;
        }
        let trash = stage.by_hand(account, |user| user.trash());
        let Some(person) = self.tape.pick(&trash) else { return };
        let name = if self.tape.below(2) == 0 { ReturnName::Same } else { ReturnName::Fresh };
        for owner in owners(&person) {
            self.ledger.blurred(&owner);
        }
        self.note("Google restores", format!("Google {account} restores {:?} {name:?}", owners(&person)));
        stage.by_hand(account, |user| user.restore(resource(&person), name).map(drop).unwrap_or_default());
    }

    /// Renames, merges and touches records.
    async fn identify(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        match self.tape.below(4) {
            0 => {
                self.note("Google touches", format!("Google {account} touches {:?}", owners(&person)));
                stage.by_hand(account, |user| user.bump_etag(resource(&person)).map(drop).unwrap_or_default());
            }
            1 | 2 => {
                let former = if self.tape.below(2) == 0 { FormerName::Gone } else { FormerName::Leads };
                let tombstone = if self.tape.below(2) == 0 { Feed::Shown } else { Feed::Hidden };
                let is_known = is_linked(stage, account, resource(&person)).await;
                for owner in owners(&person) {
                    // Under two names that are both new, one of which still shows, it is two people.
                    if !is_known {
                        self.ledger.blurred(&owner);
                    }
                    if !is_tagged(&person) {
                        self.ledger.lost_its_name(&owner);
                    }
                    // A deletion of ours may meet the former name, and a full listing does not tell a renamed record from
                    // a copy that somebody made: that one is kept.
                    self.ledger.deleted_too_soon(&owner);
                }
                self.hid_a_name |= tombstone == Feed::Hidden;
                let told = format!("Google {account} renames {:?} {former:?} {tombstone:?}", owners(&person));
                self.note("Google renames", told);
                stage.by_hand(account, |user| {
                    user.rename(resource(&person), former, tombstone).map(drop).unwrap_or_default();
                });
            }
            _ => {
                let Some(other) = self.pick_person(stage, account) else { return };
                if other["resourceName"] == person["resourceName"] {
                    return;
                }
                let trace = if self.tape.below(2) == 0 { MergeTrace::PreviousNames } else { MergeTrace::None };
                for owner in owners(&person).into_iter().chain(owners(&other)) {
                    self.ledger.blurred(&owner);
                }
                for owner in owners(&other) {
                    self.ledger.deleted(&owner, values_of_person(&other));
                }
                let told = format!("Google {account} merges {:?} into {:?} {trace:?}", owners(&other), owners(&person));
                self.note("Google merges", told);
                stage.by_hand(account, |user| {
                    user.merge(resource(&person), &[resource(&other)], trace).map(drop).unwrap_or_default();
                });
            }
        }
    }

    fn regroup(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        let Some(group) = group(stage, account) else { return };
        let into = self.tape.below(2) == 0;
        for owner in owners(&person) {
            self.ledger.moved(&owner);
            if !into && stage.promises[account].delete.left_group == LeftGroup::Delete {
                self.ledger.deleted(&owner, values_of_person(&person));
            }
        }
        self.note("Google regroups", format!("Google {account} groups {:?}: {into}", owners(&person)));
        stage.by_hand(account, |user| {
            let done = match into {
                true => user.label(resource(&person), &group),
                false => user.unlabel(resource(&person), &group),
            };
            done.map(drop).unwrap_or_default();
        });
    }

    /// A person decides every conflict that waits.
    pub async fn resolve_conflicts(&mut self, stage: &Stage) {
        for conflict in stage.store.open_conflicts(None).await.expect("conflicts") {
            let takes_store = self.tape.below(2) == 0;
            self.log.push(format!("somebody decides {}: the store's value: {takes_store}", conflict.field));
            let before = values_of_contact(stage, conflict.contact).await;
            let editor = Editor {
                store: stage.store.as_ref(),
                clock: stage.clock.as_ref(),
                entropy: stage.entropy.as_ref(),
                actor: Actor::User,
            };
            let winner = if takes_store { Winner::Store } else { Winner::Remote };
            self.ledger.chosen(if takes_store { &conflict.store } else { &conflict.remote });
            editor.resolve(&conflict, winner).await.expect("a conflict is decided");
            let after = values_of_contact(stage, conflict.contact).await;
            self.ledger.given_up.extend(before.difference(&after).cloned());
        }
    }
}

async fn values_of_contact(stage: &Stage, id: ContactId) -> BTreeSet<String> {
    let contact = stage.store.contacts(&[id]).await.expect("contacts").pop();
    contact.map(|contact| values_of_card(&contact.card)).unwrap_or_default()
}

fn change(stage: &Stage, contact: ContactId, action: Action, before: &Card, after: &Card) -> Change {
    let fields = diff::changes(before, after);
    Change { contact, at: stage.clock.now(), actor: Actor::User, run: None, action, fields, conflicts: Vec::new() }
}

async fn put(stage: &Stage, contact: Contact, expected: Option<VersionVector>, change: Change) {
    let write = Write::Contact(Box::new(ContactWrite { contact, expected, change }));
    stage.store.commit(Commit { fence: None, writes: vec![write] }).await.expect("a user's edit is stored");
}

fn edit(stage: &Stage, account: usize, person: &Value, patch: &Value) {
    stage.by_hand(account, |user| user.edit(resource(person), patch).map(drop).expect("a user's edit is taken"));
}

fn slot(person: &str, field: &str) -> Slot {
    Slot { person: person.to_owned(), field: field.to_owned() }
}

fn places(count: usize) -> Vec<usize> {
    (0..count).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The items of a list with nothing but these members.
fn bare(list: &Value, members: &[&str]) -> Vec<Value> {
    let items = list.as_array().into_iter().flatten();
    let bare = |item: &Value| {
        members.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone()))).collect::<Value>()
    };
    items.map(bare).collect()
}

fn address(name: &str) -> String {
    format!("{name}@id.example.org")
}

/// Whether we ever wrote to a record.
fn is_tagged(person: &Value) -> bool {
    person["clientData"].as_array().into_iter().flatten().any(|entry| entry["key"] == "contactsync")
}

/// Whether a record is known to be a contact's.
async fn is_linked(stage: &Stage, account: usize, remote: &str) -> bool {
    let ids = [RemoteId::new(remote)];
    let links = stage.store.links_of_remotes(&stage.promises[account].account, &ids).await.expect("links");
    links.iter().any(|(_, link)| link.contact.is_some())
}

/// Whether every account is known to have everything that the store has of a person.
async fn is_acknowledged(stage: &Stage, owner: &str) -> bool {
    let query = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
    let contacts = stage.store.find_contacts(&query).await.expect("contacts");
    let owned = contacts.iter().filter(|contact| owners_of_card(&contact.card).iter().any(|one| one == owner));
    for contact in owned {
        let links = stage.store.links_of_contact(contact.id).await.expect("links");
        // A deletion of ours may still be on its way, and is not taken for that of somebody else.
        let knows = |link: &Link| contact.version.is_within(&link.acked) && !link.own_delete;
        if links.len() < stage.promises.len() || !links.iter().all(knows) {
            return false;
        }
    }
    true
}

/// Whether nobody knows yet what became of something that was sent for a contact.
async fn is_in_doubt(stage: &Stage, contact: &Contact) -> bool {
    for link in stage.store.links_of_contact(contact.id).await.expect("links") {
        let intents = stage.store.open_intents(&link.account).await.expect("intents");
        if intents.iter().any(|intent| intent.link == link.id) {
            return true;
        }
    }
    false
}
