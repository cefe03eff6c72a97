//! What users do in the store.

use std::collections::BTreeMap;

use contactsync::clock::{Clock as _, Entropy as _};
use contactsync::domain::contact::{Card, Contact, Email, Phone};
use contactsync::domain::diff;
use contactsync::domain::history::{Action, Actor, Change};
use contactsync::domain::id::{ContactId, ReplicaId};
use contactsync::domain::version::VersionVector;
use contactsync::store::{Commit, ContactQuery, ContactWrite, DeletedContacts, Write};

use super::{Users, address, places, slot};
use crate::sim::people::{owner_of_card, owners_of_card, values_of_card};
use crate::sim::pictures;
use crate::sim::setting::{FRIEND, LABEL, SECOND};
use crate::sim::stage::Stage;

impl Users {
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

    pub(super) async fn pick_contact(&mut self, stage: &Stage, deleted: DeletedContacts) -> Option<Contact> {
        let query = ContactQuery { deleted, ..ContactQuery::default() };
        let mut contacts = stage.store.find_contacts(&query).await.expect("contacts");
        contacts.retain(|contact| contact.card.as_person().is_some() && owner_of_card(&contact.card).is_some());
        if let Some(focus) = &self.focus {
            contacts.retain(|contact| owners_of_card(&contact.card).contains(focus));
        }
        self.tape.pick(&contacts)
    }

    pub(super) async fn pick_somebody(&mut self, stage: &Stage) -> Option<String> {
        let contact = self.pick_contact(stage, DeletedContacts::Hidden).await?;
        owner_of_card(&contact.card)
    }

    pub(super) async fn edit_store(&mut self, stage: &Stage) {
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

    pub(super) fn number(&mut self) -> String {
        format!("+49 30 1{:05}", self.next())
    }

    pub(super) async fn remove_from_store(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(owner) = owner_of_card(&contact.card) else { return };
        let mut card = contact.card.clone();
        let Some(item) = self.tape.pick(&places(card.phones.len())) else { return };
        let phone = card.phones.remove(item);
        let value = phone.value;
        // Whoever removes it has seen its label, and it may come back with another one.
        self.ledger.superseded.extend(phone.label);
        self.ledger.removed(&value);
        self.note("store removes items", format!("store {owner} - {value}"));
        self.store_edit(stage, contact, card, Action::Edited).await;
    }

    pub(super) async fn label(&mut self, stage: &Stage) {
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
    pub(super) async fn befriend(&mut self, stage: &Stage) {
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

    pub(super) async fn delete_in_store(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(owner) = owner_of_card(&contact.card) else { return };
        let photo = pictures::in_store(stage, &contact.card).await;
        for owner in owners_of_card(&contact.card) {
            let mut seen = values_of_card(&contact.card);
            seen.extend(photo.clone());
            self.ledger.deleted(&owner, seen);
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
    pub(super) async fn store_edit(&mut self, stage: &Stage, mut contact: Contact, card: Card, action: Action) {
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
}

pub(super) fn change(stage: &Stage, contact: ContactId, action: Action, before: &Card, after: &Card) -> Change {
    let fields = diff::changes(before, after);
    Change { contact, at: stage.clock.now(), actor: Actor::User, run: None, action, fields, conflicts: Vec::new() }
}

pub(super) async fn put(stage: &Stage, contact: Contact, expected: Option<VersionVector>, change: Change) {
    let write = Write::Contact(Box::new(ContactWrite { contact, expected, change }));
    stage.store.commit(Commit { fence: None, writes: vec![write] }).await.expect("a user's edit is stored");
}

/// Whether nobody knows yet what became of something that was sent for a contact.
pub(super) async fn is_in_doubt(stage: &Stage, contact: &Contact) -> bool {
    for link in stage.store.links_of_contact(contact.id).await.expect("links") {
        let intents = stage.store.open_intents(&link.account).await.expect("intents");
        if intents.iter().any(|intent| intent.link == link.id) {
            return true;
        }
    }
    false
}
