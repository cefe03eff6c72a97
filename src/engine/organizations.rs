//! The organization that a remote record names as its company, found or made in the store.
//!
//! A company is only a text at the remote. In the store it is a contact of its own: the one of that name, or a new one
//! that is *implicit*, which means that nobody but a remote record has named it so far.

use std::collections::{BTreeMap, BTreeSet};

use super::{Doing, EngineError, Run};
use crate::domain::contact::{Card, Contact, Kind, OrganizationRef};
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change};
use crate::domain::id::ContactId;
use crate::domain::matching::MatchKey;
use crate::domain::normal;
use crate::domain::version::VersionVector;
use crate::store::{ContactQuery, ContactWrite, DeletedContacts, Write};

/// The organizations known while one chunk is decided.
#[derive(Debug, Default)]
pub(crate) struct Organizations {
    by_name: BTreeMap<String, OrganizationRef>,
}

impl Run<'_> {
    /// Loads the organizations that these cards name.
    pub(crate) async fn load_organizations<'c>(
        &self,
        cards: impl Iterator<Item = &'c Card>,
    ) -> Result<Organizations, EngineError> {
        let keys: BTreeSet<MatchKey> = cards
            .filter_map(|card| card.as_person()?.organization.as_ref())
            .filter(|organization| organization.id.is_none())
            .map(|organization| MatchKey::OrganizationName(normal::fold(&organization.name)))
            .collect();
        let mut organizations = Organizations::default();
        if keys.is_empty() {
            return Ok(organizations);
        }
        let store = self.deps.store;
        let found = store.contacts_with_keys(&keys).await.doing("looking for organizations")?;
        let ids: BTreeSet<ContactId> = found.iter().map(|(_, id)| *id).collect();
        let contacts = store.contacts(&ids.into_iter().collect::<Vec<_>>()).await.doing("reading organizations")?;
        for contact in contacts.into_iter().filter(|contact| contact.card.kind() == Kind::Organization) {
            organizations.remember(&contact);
        }
        Ok(organizations)
    }

    /// Replaces the company's text in a card by the organization of that name. Returns the write that makes it, when
    /// there is none yet.
    pub(crate) fn resolve_organization(&mut self, card: &mut Card, known: &mut Organizations) -> Option<Write> {
        let reference = card.as_person_mut()?.organization.as_mut()?;
        if reference.id.is_some() {
            return None;
        }
        let name = normal::text(&reference.name);
        if let Some(found) = known.by_name.get(&normal::fold(&name)) {
            *reference = found.clone();
            return None;
        }
        let now = self.now();
        let card = Card::organization(name);
        let mut version = VersionVector::new();
        version.tick(&self.order.promise.replica);
        let contact = Contact {
            id: ContactId::new(now, self.deps.entropy.next_u128()),
            card,
            version,
            created: now,
            updated: now,
            deleted: None,
            touched: BTreeMap::new(),
            implicit: true,
        };
        known.remember(&contact);
        self.newborn.insert(contact.id);
        *reference = OrganizationRef { id: Some(contact.id), name: contact.card.display_name() };
        let change = self.change(contact.id, Action::Created, &Card::organization(""), &contact.card);
        Some(Write::Contact(Box::new(ContactWrite { contact, expected: None, change })))
    }

    /// Lets people follow a new name of their organization that these writes bring: in the writes that are there already
    /// for them, else in further ones.
    pub(crate) async fn rename_at_people(&self, writes: &mut Vec<Write>) -> Result<(), EngineError> {
        let renamed: Vec<(ContactId, String)> = writes.iter().filter_map(new_name).collect();
        for (organization, name) in renamed {
            let mut written = BTreeSet::new();
            for write in writes.iter_mut() {
                if let Write::Contact(write) = write {
                    self.rename_within(write, organization, &name);
                    written.insert(write.contact.id);
                }
            }
            let query = ContactQuery {
                kind: Some(Kind::Person),
                organization: Some(organization),
                deleted: DeletedContacts::Hidden,
                ..ContactQuery::default()
            };
            let people = self.deps.store.find_contacts(&query).await.doing("reading people")?;
            let others = people.into_iter().filter(|person| !written.contains(&person.id));
            writes.extend(others.map(|person| self.rename_at(person, organization, &name)));
        }
        Ok(())
    }

    fn rename_at(&self, mut person: Contact, organization: ContactId, name: &str) -> Write {
        let (before, expected) = (person.card.clone(), person.version.clone());
        rename_company(&mut person.card, organization, name);
        person.version.tick(&self.order.promise.replica);
        person.updated = self.now();
        person.touched.insert(Field::Organization, self.now());
        let change = self.change(person.id, Action::Edited, &before, &person.card);
        Write::Contact(Box::new(ContactWrite { contact: person, expected: Some(expected), change }))
    }

    /// Renames the company in a write that is made anyway. That is an event of its own: the link which the same commit
    /// settles has to look at the contact again, because the record says the former name.
    fn rename_within(&self, write: &mut ContactWrite, organization: ContactId, name: &str) {
        let before = write.contact.card.clone();
        rename_company(&mut write.contact.card, organization, name);
        for renamed in diff::changes(&before, &write.contact.card) {
            write.contact.version.tick(&self.order.promise.replica);
            write.contact.touched.insert(Field::Organization, self.now());
            match write.change.fields.iter_mut().find(|change| change.field == renamed.field) {
                Some(change) => change.after = renamed.after,
                None => write.change.fields.push(renamed),
            }
        }
    }

    /// A row of the feed for a change that was pulled.
    pub(crate) fn change(&self, contact: ContactId, action: Action, before: &Card, after: &Card) -> Change {
        Change {
            contact,
            at: self.now(),
            actor: Actor::Replica { replica: self.order.promise.replica.clone() },
            run: Some(self.order.run),
            action,
            fields: diff::changes(before, after),
            conflicts: Vec::new(),
        }
    }
}

/// The organization that a write gives another name, and that name.
fn new_name(write: &Write) -> Option<(ContactId, String)> {
    let Write::Contact(write) = write else { return None };
    let organization = write.contact.card.as_organization()?;
    let renamed = write.expected.is_some() && write.change.fields.iter().any(|change| change.field == Field::Name);
    renamed.then(|| (write.contact.id, organization.name.clone()))
}

fn rename_company(card: &mut Card, organization: ContactId, name: &str) {
    let company = card.as_person_mut().and_then(|person| person.organization.as_mut());
    if let Some(company) = company.filter(|company| company.id == Some(organization)) {
        name.clone_into(&mut company.name);
    }
}

impl Organizations {
    fn remember(&mut self, contact: &Contact) {
        let reference = OrganizationRef { id: Some(contact.id), name: contact.card.display_name() };
        self.by_name.entry(normal::fold(&reference.name)).or_insert(reference);
    }
}
