//! An import is taken back, as far as nothing has changed since.
//!
//! The history says what the import did. A contact that it made goes to the bin; one that took something in gets the values
//! from before. What somebody has edited since stays as it is and is named, and so does an organization that people belong
//! to by now. These are edits of the store like any other: the next run carries them to the accounts.
//!
//! Persons come first, so that an organization which only they belonged to can follow.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::{Clock, Entropy};
use crate::domain::contact::{Contact, Kind};
use crate::domain::diff::{self, FieldChange};
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change};
use crate::domain::id::{ContactId, ImportId, RemoteId};
use crate::domain::link::LinkState;
use crate::domain::taking_back::{first_and_last, put_back};
use crate::store::{Commit, ContactQuery, DeletedContacts, HistoryQuery, Store, StoreError};

use super::draft::Draft;
use super::import::Effect;

/// How many contacts are decided and committed together.
const CHUNK: usize = 250;
/// How often they are decided, when others are faster each time.
const ATTEMPTS: usize = 5;

/// Takes imports back.
pub struct ImportUndo<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness for ids.
    pub entropy: &'a dyn Entropy,
    /// Whether anything is written.
    pub effect: Effect,
}

/// What taking an import back came to, or would.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TakenBack {
    /// Contacts that change.
    pub steps: Vec<Step>,
    /// What stays as it is.
    pub skipped: Vec<Skipped>,
    /// Persons that go, or leave the organization the import gave them.
    leaving: BTreeSet<ContactId>,
}

/// A contact that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The contact as it was.
    pub contact: Contact,
    /// The fields that get their former value; none when it goes to the bin.
    pub fields: Vec<FieldChange>,
}

/// Something that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The contact.
    pub contact: ContactId,
    /// How people know it.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Step {
    /// Whether the contact goes to the bin.
    pub fn is_deletion(&self) -> bool {
        self.fields.is_empty()
    }
}

/// What an import did to one contact.
#[derive(Default)]
struct Deeds {
    /// Its rows, oldest first.
    rows: Vec<Change>,
    /// The place of the last one.
    last: u64,
}

impl ImportUndo<'_> {
    /// Takes an import back, or tells what that comes to; `None` when the history does not know it.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails, or others change the same contacts again and again; what was committed before
    /// stays.
    pub async fn take_back(&self, import: ImportId) -> Result<Option<TakenBack>, StoreError> {
        let deeds = self.deeds_of(import).await?;
        if deeds.is_empty() {
            return Ok(None);
        }
        let ids: Vec<ContactId> = deeds.keys().copied().collect();
        let mut taken_back = TakenBack::default();
        for kind in [Kind::Person, Kind::Organization] {
            for chunk in ids.chunks(CHUNK) {
                self.chunk(chunk, kind, &deeds, &mut taken_back).await?;
            }
        }
        Ok(Some(taken_back))
    }

    async fn deeds_of(&self, import: ImportId) -> Result<BTreeMap<ContactId, Deeds>, StoreError> {
        let query = HistoryQuery { import: Some(import), ..HistoryQuery::default() };
        let mut rows = self.store.history(&query).await?;
        rows.reverse();
        let mut deeds: BTreeMap<ContactId, Deeds> = BTreeMap::new();
        for row in rows {
            let of_contact = deeds.entry(row.change.contact).or_default();
            of_contact.last = row.sequence;
            of_contact.rows.push(row.change);
        }
        Ok(deeds)
    }

    /// Decides a chunk, within reason as often as others are faster.
    async fn chunk(
        &self,
        ids: &[ContactId],
        kind: Kind,
        deeds: &BTreeMap<ContactId, Deeds>,
        sum: &mut TakenBack,
    ) -> Result<(), StoreError> {
        for _ in 1..ATTEMPTS {
            let mut tried = sum.clone();
            match self.once(ids, kind, deeds, &mut tried).await {
                Err(StoreError::Moved { .. }) => {}
                decided => return decided.map(|()| *sum = tried),
            }
        }
        self.once(ids, kind, deeds, sum).await
    }

    async fn once(
        &self,
        ids: &[ContactId],
        kind: Kind,
        deeds: &BTreeMap<ContactId, Deeds>,
        sum: &mut TakenBack,
    ) -> Result<(), StoreError> {
        let mut draft = Draft::begin(self.store, self.entropy, self.clock.now()).await?;
        for contact in self.store.contacts(ids).await? {
            let Some(deeds) = deeds.get(&contact.id) else { continue };
            if contact.card.kind() != kind || !contact.is_live() {
                continue;
            }
            match self.judge(&contact, deeds, sum).await? {
                Verdict::Delete => {
                    draft.delete(contact.id).await?;
                    sum.leaving.insert(contact.id);
                    sum.steps.push(Step { contact, fields: Vec::new() });
                }
                Verdict::PutBack => {
                    let (card, skipped) =
                        put_back(&contact.card, first_and_last(&deeds.rows).into_values(), &BTreeSet::new());
                    sum.skip_fields(&contact, &skipped);
                    let fields = diff::changes(&contact.card, &card);
                    if fields.is_empty() {
                        continue;
                    }
                    if fields.iter().any(|change| change.field == Field::Organization) {
                        sum.leaving.insert(contact.id);
                    }
                    draft.contact(contact.id).await?;
                    draft.set_card(contact.id, card).await?;
                    sum.steps.push(Step { contact, fields });
                }
                Verdict::Stay(reason) => sum.skip(&contact, reason),
            }
        }
        let (writes, _) = draft.finish(&Actor::User);
        if self.effect == Effect::Write && !writes.is_empty() {
            self.store.commit(Commit { fence: None, writes }).await?;
        }
        Ok(())
    }

    async fn judge(&self, contact: &Contact, deeds: &Deeds, sum: &TakenBack) -> Result<Verdict, StoreError> {
        if !deeds.rows.iter().any(|row| row.action == Action::Created) {
            return Ok(Verdict::PutBack);
        }
        let query = HistoryQuery { contact: Some(contact.id), ..HistoryQuery::default() };
        let rows = self.store.history(&query).await?;
        if rows.iter().any(|row| row.sequence > deeds.last && row.remote.is_none()) {
            return Ok(Verdict::Stay("it was edited since".to_owned()));
        }
        // Deleting the contact would delete its record, which the import did not make.
        let made_there: BTreeSet<&RemoteId> = rows
            .iter()
            .filter(|row| row.change.action == Action::Created)
            .filter_map(|row| row.remote.as_ref().map(|copy| &copy.record))
            .collect();
        let links = self.store.links_of_contact(contact.id).await?;
        let kept = links.iter().filter(|link| matches!(link.state, LinkState::Bound | LinkState::Unselected));
        if kept.filter_map(|link| link.remote.as_ref()).any(|remote| !made_there.contains(remote)) {
            return Ok(Verdict::Stay("it is linked with a record that was in Google before".to_owned()));
        }
        if contact.card.kind() == Kind::Organization {
            let people = ContactQuery {
                kind: Some(Kind::Person),
                organization: Some(contact.id),
                deleted: DeletedContacts::Hidden,
                ..ContactQuery::default()
            };
            let people = self.store.find_contacts(&people).await?;
            let stay = people.iter().filter(|person| !sum.leaving.contains(&person.id)).count();
            if stay > 0 {
                let people = if stay == 1 { "1 person belongs".to_owned() } else { format!("{stay} persons belong") };
                return Ok(Verdict::Stay(format!("{people} to it")));
            }
        }
        Ok(Verdict::Delete)
    }
}

/// What becomes of a contact that an import touched.
enum Verdict {
    Delete,
    PutBack,
    Stay(String),
}

impl TakenBack {
    fn skip(&mut self, contact: &Contact, reason: String) {
        self.skipped.push(Skipped { contact: contact.id, name: contact.card.display_name(), reason });
    }

    fn skip_fields(&mut self, contact: &Contact, fields: &[Field]) {
        for field in fields {
            self.skip(contact, format!("{field} changed since"));
        }
    }
}
