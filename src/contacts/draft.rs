//! The contacts that one commit is going to write: each as it was, and as it is to be; and the entries that hang on them
//! (`entries`).
//!
//! Several edits of one commit can touch the same contact (a person joins an organization that the same commit renames);
//! they meet here, and the contact is written once, with one tick of its version and one row of history.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Entropy;
use crate::domain::contact::{Card, Contact, Kind, OrganizationRef};
use crate::domain::diff;
use crate::domain::entry::Entry;
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change};
use crate::domain::id::{ContactId, EntryId, ReplicaId, RunId};
use crate::domain::matching::MatchKey;
use crate::domain::merge::FieldConflict;
use crate::domain::normal;
use crate::domain::time::Timestamp;
use crate::domain::version::VersionVector;
use crate::store::{ContactQuery, ContactWrite, DeletedContacts, Store, StoreError, Write};

mod entries;

use entries::PendingEntry;

/// The contacts and entries of one commit.
pub(super) struct Draft<'a> {
    store: &'a dyn Store,
    entropy: &'a dyn Entropy,
    replica: ReplicaId,
    now: Timestamp,
    /// The id under which it is done, when it is to be taken back as a whole.
    run: Option<RunId>,
    contacts: BTreeMap<ContactId, Pending>,
    entries: BTreeMap<EntryId, PendingEntry>,
}

/// How a draft is written down.
#[derive(Clone, Copy)]
struct How<'h> {
    replica: &'h ReplicaId,
    now: Timestamp,
    actor: &'h Actor,
    run: Option<RunId>,
}

/// A contact as it was and as it is to be.
struct Pending {
    before: Option<Contact>,
    after: Contact,
    /// Fields that count as touched although their value stays.
    confirmed: BTreeSet<Field>,
    /// What is told in the history although it shows in no field; `None` for nothing.
    told: Option<Vec<FieldConflict>>,
}

impl<'a> Draft<'a> {
    /// A draft without contacts, as of `now`.
    pub(super) async fn begin(
        store: &'a dyn Store,
        entropy: &'a dyn Entropy,
        now: Timestamp,
    ) -> Result<Draft<'a>, StoreError> {
        let replica = ReplicaId::store(store.identity().await?.epoch);
        Ok(Draft { store, entropy, replica, now, run: None, contacts: BTreeMap::new(), entries: BTreeMap::new() })
    }

    /// The same, under an id by which it can be taken back as a whole.
    pub(super) fn under(self, run: RunId) -> Self {
        Draft { run: Some(run), ..self }
    }

    /// When all of it is done.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Takes in a contact as it was just read.
    pub(super) fn take(&mut self, contact: Contact) {
        self.know(contact);
    }

    /// A contact as it is to be so far; `None` when there is none of this id.
    pub(super) async fn contact(&mut self, id: ContactId) -> Result<Option<&mut Contact>, StoreError> {
        if !self.contacts.contains_key(&id)
            && let Some(contact) = self.store.contacts(&[id]).await?.pop()
        {
            self.know(contact);
        }
        Ok(self.contacts.get_mut(&id).map(|pending| &mut pending.after))
    }

    fn know(&mut self, contact: Contact) {
        let pending = || Pending {
            before: Some(contact.clone()),
            after: contact.clone(),
            confirmed: BTreeSet::new(),
            told: None,
        };
        self.contacts.entry(contact.id).or_insert_with(pending);
    }

    /// A new contact with this card.
    pub(super) fn create(&mut self, card: Card) -> ContactId {
        let contact = Contact {
            id: ContactId::new(self.now, self.entropy.next_u128()),
            card,
            version: VersionVector::new(),
            created: self.now,
            updated: self.now,
            deleted: None,
            touched: BTreeMap::new(),
            implicit: false,
        };
        let id = contact.id;
        self.contacts.insert(id, Pending { before: None, after: contact, confirmed: BTreeSet::new(), told: None });
        id
    }

    /// Replaces the card of a contact of this draft, with what that means for others: the organization that a person
    /// names is found or made, and people follow a new name of their organization.
    pub(super) async fn set_card(&mut self, id: ContactId, mut card: Card) -> Result<(), StoreError> {
        self.resolve_organization(&mut card).await?;
        let Some(pending) = self.contacts.get_mut(&id) else { return Ok(()) };
        let renamed = match (pending.after.card.as_organization(), card.as_organization()) {
            (Some(old), Some(new)) if old.name != new.name => Some(new.name.clone()),
            _ => None,
        };
        let exists = pending.before.is_some();
        pending.after.card = card;
        match renamed {
            Some(name) if exists => self.rename_at_people(id, &name).await,
            _ => Ok(()),
        }
    }

    /// The same for a contact that was just read.
    pub(super) async fn set_card_of(&mut self, contact: Contact, card: Card) -> Result<(), StoreError> {
        let id = contact.id;
        self.know(contact);
        self.set_card(id, card).await
    }

    /// Puts a contact into the bin. The people of an organization keep its name as a text.
    pub(super) async fn delete(&mut self, id: ContactId) -> Result<(), StoreError> {
        let now = self.now;
        let Some(contact) = self.contact(id).await? else { return Ok(()) };
        contact.deleted.get_or_insert(now);
        match contact.card.kind() {
            Kind::Organization => self.release_people(id).await,
            Kind::Person => Ok(()),
        }
    }

    /// Lets a field of a contact count as edited now, although its value stays.
    pub(super) fn confirm(&mut self, id: ContactId, field: Field) {
        if let Some(pending) = self.contacts.get_mut(&id) {
            pending.confirmed.insert(field);
        }
    }

    /// Lets a contact have a row of the history even if no field changes, with values that lost.
    pub(super) fn tell(&mut self, id: ContactId, conflicts: Vec<FieldConflict>) {
        if let Some(pending) = self.contacts.get_mut(&id) {
            pending.told = Some(conflicts);
        }
    }

    /// Replaces the organization that a person names by the one of the store: by its id, else by its name, else a new
    /// one. An id that leads nowhere, or to a deleted organization, leaves the name as text.
    pub(super) async fn resolve_organization(&mut self, card: &mut Card) -> Result<(), StoreError> {
        let Some(reference) = card.as_person_mut().and_then(|person| person.organization.as_mut()) else {
            return Ok(());
        };
        if let Some(id) = reference.id {
            let found = self.contact(id).await?.filter(|c| c.is_live() && c.card.kind() == Kind::Organization);
            match found {
                Some(organization) => reference.name = organization.card.display_name(),
                None => reference.id = None,
            }
            if reference.name.is_empty() {
                card.as_person_mut().map(|person| person.organization.take());
            }
            return Ok(());
        }
        *reference = self.organization_named(&reference.name).await?;
        Ok(())
    }

    async fn organization_named(&mut self, name: &str) -> Result<OrganizationRef, StoreError> {
        let folded = normal::fold(name);
        self.load_organizations(&folded).await?;
        // Among several of one name: the one spelled so, else one that a person made, else the oldest.
        let same = self.contacts.values().map(|pending| &pending.after).filter(|contact| {
            contact.is_live()
                && contact.card.as_organization().is_some_and(|organization| normal::fold(&organization.name) == folded)
        });
        let best = same.min_by_key(|contact| (contact.card.display_name() != name, contact.implicit, contact.id));
        if let Some(found) = best {
            return Ok(OrganizationRef { id: Some(found.id), name: found.card.display_name() });
        }
        let id = self.create(Card::organization(name));
        Ok(OrganizationRef { id: Some(id), name: name.to_owned() })
    }

    async fn load_organizations(&mut self, folded: &str) -> Result<(), StoreError> {
        if folded.is_empty() {
            return Ok(());
        }
        let keys = BTreeSet::from([MatchKey::OrganizationName(folded.to_owned())]);
        let ids: Vec<ContactId> = self.store.contacts_with_keys(&keys).await?.into_iter().map(|(_, id)| id).collect();
        for contact in self.store.contacts(&ids).await? {
            self.know(contact);
        }
        Ok(())
    }

    /// The living people of an organization, all of them in this draft.
    async fn people_of(&mut self, organization: ContactId) -> Result<Vec<ContactId>, StoreError> {
        let query = ContactQuery {
            kind: Some(Kind::Person),
            organization: Some(organization),
            deleted: DeletedContacts::Hidden,
            ..ContactQuery::default()
        };
        for person in self.store.find_contacts(&query).await? {
            self.know(person);
        }
        let belongs = |contact: &&Contact| contact.is_live() && employer(contact) == Some(organization);
        Ok(self.contacts.values().map(|pending| &pending.after).filter(belongs).map(|contact| contact.id).collect())
    }

    async fn rename_at_people(&mut self, organization: ContactId, name: &str) -> Result<(), StoreError> {
        for id in self.people_of(organization).await? {
            self.change_employer(id, |reference| name.clone_into(&mut reference.name));
        }
        Ok(())
    }

    /// Lets the people of one organization belong to another one.
    pub(super) async fn move_people(&mut self, from: ContactId, to: ContactId) -> Result<(), StoreError> {
        let Some(name) = self.contact(to).await?.map(|organization| organization.card.display_name()) else {
            return Ok(());
        };
        for id in self.people_of(from).await? {
            self.change_employer(id, |reference| *reference = OrganizationRef { id: Some(to), name: name.clone() });
        }
        Ok(())
    }

    /// Lets people keep the name of their organization as a text, when the organization itself goes.
    async fn release_people(&mut self, organization: ContactId) -> Result<(), StoreError> {
        for id in self.people_of(organization).await? {
            self.change_employer(id, |reference| reference.id = None);
        }
        Ok(())
    }

    fn change_employer(&mut self, person: ContactId, change: impl FnOnce(&mut OrganizationRef)) {
        let person = self.contacts.get_mut(&person).and_then(|pending| pending.after.card.as_person_mut());
        if let Some(reference) = person.and_then(|person| person.organization.as_mut()) {
            change(reference);
        }
    }

    /// The writes of this draft, and every contact of it as it is after them. Contacts that stay as they are yield no
    /// write.
    pub(super) fn finish(self, actor: &Actor) -> (Vec<Write>, BTreeMap<ContactId, Contact>) {
        let (writes, contacts, _) = self.finish_all(actor);
        (writes, contacts)
    }

    /// The same, with the entries of the draft.
    pub(super) fn finish_all(
        self,
        actor: &Actor,
    ) -> (Vec<Write>, BTreeMap<ContactId, Contact>, BTreeMap<EntryId, Entry>) {
        let Draft { replica, now, run, contacts: pending, entries: pending_entries, .. } = self;
        let how = How { replica: &replica, now, actor, run };
        let (mut writes, mut contacts, mut entries) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (id, pending) in pending {
            let (contact, write) = pending.finish(&how);
            writes.extend(write);
            contacts.insert(id, contact);
        }
        // After the contacts they hang on.
        for (id, pending) in pending_entries {
            let (entry, write) = pending.finish(&how);
            writes.extend(write);
            entries.insert(id, entry);
        }
        (writes, contacts, entries)
    }
}

impl Pending {
    fn finish(self, how: &How<'_>) -> (Contact, Option<Write>) {
        let How { replica, now, actor, run } = *how;
        let Pending { before, mut after, confirmed, told } = self;
        let blank = Card::blank(after.card.kind());
        let fields = diff::changes(before.as_ref().map_or(&blank, |contact| &contact.card), &after.card);
        let action = match &before {
            None => Action::Created,
            Some(before) if before.is_live() && !after.is_live() => Action::Deleted,
            Some(before) if !before.is_live() && after.is_live() => Action::Restored,
            Some(before) if fields.is_empty() && confirmed.is_empty() && told.is_none() => {
                return (before.clone(), None);
            }
            Some(_) => Action::Edited,
        };
        after.version.tick(replica);
        after.updated = now;
        if action == Action::Edited {
            // Somebody looks after it now, whoever named it first.
            after.implicit = false;
        }
        if before.is_some() {
            let touched = fields.iter().map(|change| change.field.clone()).chain(confirmed);
            after.touched.extend(touched.map(|field| (field, now)));
        }
        let conflicts = told.unwrap_or_default();
        let change = Change { contact: after.id, at: now, actor: actor.clone(), run, action, fields, conflicts };
        let expected = before.map(|contact| contact.version);
        let write = ContactWrite { contact: after.clone(), expected, change };
        (after, Some(Write::Contact(Box::new(write))))
    }
}

/// The organization that a person works for, by its id.
fn employer(contact: &Contact) -> Option<ContactId> {
    contact.card.as_person()?.organization.as_ref()?.id
}
