//! What was done to the store under one id is taken back, as far as nothing has changed since: an import, a merge.
//!
//! The history says what that was. A contact that was made goes to the bin; one that was deleted comes back; one that was
//! changed gets the values from before. What hangs on contacts goes the same way. What somebody has edited since stays as it
//! is and is named, and so does an organization that people belong to by now. These are edits of the store like any other:
//! the next run carries them to the accounts.
//!
//! Whoever comes back comes first, so that others can refer to it. Persons come before organizations, so that an organization
//! which only they belonged to can follow. What hangs on contacts comes last.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::{Clock, Entropy};
use crate::domain::contact::{Contact, Kind};
use crate::domain::diff::{self, FieldChange};
use crate::domain::entry::{Body, Entry, EntryChange};
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change};
use crate::domain::id::{ContactId, EntryId, ImportId, RemoteId, RunId};
use crate::domain::link::LinkState;
use crate::domain::taking_back::{first_and_last, put_back};
use crate::store::{Commit, ContactQuery, DeletedContacts, EntryHistoryQuery, HistoryQuery, Store, StoreError};

use super::draft::Draft;
use super::import::Effect;
use super::insist::insisting;

mod held;

/// How many contacts are decided and committed together.
const CHUNK: usize = 250;

/// Takes back what was done to the store.
pub struct TakeBack<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness for ids.
    pub entropy: &'a dyn Entropy,
    /// Whether anything is written.
    pub effect: Effect,
}

/// What is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// An import of a file.
    Import(ImportId),
    /// A command that changed several contacts together, such as a merge.
    Run(RunId),
}

/// What taking something back came to, or would.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TakenBack {
    /// Contacts that change.
    pub steps: Vec<Step>,
    /// Deals, activities, notes and the like that change.
    pub entries: Vec<EntryStep>,
    /// What stays as it is.
    pub skipped: Vec<Skipped>,
    /// Persons that go, or leave the organization they were given.
    leaving: BTreeSet<ContactId>,
    /// Contacts that came back from the bin.
    restored: BTreeSet<ContactId>,
    /// Contacts that something hangs on which stays.
    held: BTreeSet<ContactId>,
}

/// A contact that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The contact as it was.
    pub contact: Contact,
    /// What becomes of it as a whole: deleted, restored or edited.
    pub action: Action,
    /// The fields that get their former value.
    pub fields: Vec<FieldChange>,
}

/// An entry that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryStep {
    /// The entry as it was.
    pub entry: Entry,
    /// What becomes of it as a whole: deleted, restored or edited.
    pub action: Action,
}

/// Something that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The contact; `None` for something that hangs on contacts.
    pub contact: Option<ContactId>,
    /// How people know it.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What was done to one contact.
#[derive(Default)]
struct Deeds {
    /// Its rows, oldest first.
    rows: Vec<Change>,
    /// The place of the last one.
    last: u64,
}

/// What is taken back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Contacts that were deleted.
    Restore,
    /// What was done to contacts of this kind.
    Of(Kind),
}

impl TakeBack<'_> {
    /// Takes something back, or tells what that comes to; `None` when the history does not know it.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails, or others change the same contacts again and again; what was committed before
    /// stays.
    pub async fn take_back(&self, deed: Deed) -> Result<Option<TakenBack>, StoreError> {
        let deeds = self.deeds_of(deed).await?;
        let entries = self.entry_deeds_of(deed).await?;
        if deeds.is_empty() && entries.is_empty() {
            return Ok(None);
        }
        let ids: Vec<ContactId> = deeds.keys().copied().collect();
        let held = self.held(&ids, &entries).await?;
        let mut taken_back = TakenBack { held, ..TakenBack::default() };
        for phase in [Phase::Restore, Phase::Of(Kind::Person), Phase::Of(Kind::Organization)] {
            for chunk in ids.chunks(CHUNK) {
                self.chunk(chunk, phase, &deeds, &mut taken_back).await?;
            }
        }
        let ids: Vec<EntryId> = entries.keys().copied().collect();
        for chunk in ids.chunks(CHUNK) {
            self.entry_chunk(chunk, &entries, &mut taken_back).await?;
        }
        Ok(Some(taken_back))
    }

    async fn deeds_of(&self, deed: Deed) -> Result<BTreeMap<ContactId, Deeds>, StoreError> {
        let query = match deed {
            Deed::Import(import) => HistoryQuery { import: Some(import), ..HistoryQuery::default() },
            Deed::Run(run) => HistoryQuery { run: Some(run), ..HistoryQuery::default() },
        };
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

    /// What was done to entries, oldest first.
    async fn entry_deeds_of(&self, deed: Deed) -> Result<BTreeMap<EntryId, Vec<EntryChange>>, StoreError> {
        let query = match deed {
            Deed::Import(import) => EntryHistoryQuery { import: Some(import), ..EntryHistoryQuery::default() },
            Deed::Run(run) => EntryHistoryQuery { run: Some(run), ..EntryHistoryQuery::default() },
        };
        let mut deeds: BTreeMap<EntryId, Vec<EntryChange>> = BTreeMap::new();
        for row in self.store.entry_history(&query).await?.into_iter().rev() {
            deeds.entry(row.change.entry).or_default().push(row.change);
        }
        Ok(deeds)
    }

    /// Decides a chunk, within reason as often as others are faster.
    async fn chunk(
        &self,
        ids: &[ContactId],
        phase: Phase,
        deeds: &BTreeMap<ContactId, Deeds>,
        sum: &mut TakenBack,
    ) -> Result<(), StoreError> {
        let before = sum.clone();
        *sum = insisting(async || {
            let mut tried = before.clone();
            self.once(ids, phase, deeds, &mut tried).await.map(|()| tried)
        })
        .await?;
        Ok(())
    }

    async fn once(
        &self,
        ids: &[ContactId],
        phase: Phase,
        deeds: &BTreeMap<ContactId, Deeds>,
        sum: &mut TakenBack,
    ) -> Result<(), StoreError> {
        let mut draft = Draft::begin(self.store, self.entropy, self.clock.now()).await?;
        for contact in self.store.contacts(ids).await? {
            let Some(deeds) = deeds.get(&contact.id) else { continue };
            match phase {
                Phase::Restore => self.restore(contact, deeds, &mut draft, sum).await?,
                Phase::Of(kind) if contact.card.kind() == kind && contact.is_live() => {
                    self.take_back_one(contact, deeds, &mut draft, sum).await?;
                }
                Phase::Of(_) => {}
            }
        }
        self.commit(draft).await
    }

    async fn commit(&self, draft: Draft<'_>) -> Result<(), StoreError> {
        let (writes, _) = draft.finish(&Actor::User);
        if self.effect == Effect::Write && !writes.is_empty() {
            self.store.commit(Commit { fence: None, writes }).await?;
        }
        Ok(())
    }

    /// Brings back a contact that was deleted, with the fields that were changed on the way.
    async fn restore(
        &self,
        contact: Contact,
        deeds: &Deeds,
        draft: &mut Draft<'_>,
        sum: &mut TakenBack,
    ) -> Result<(), StoreError> {
        let was_deleted = deeds.rows.iter().any(|row| row.action == Action::Deleted);
        if !was_deleted || contact.is_live() {
            return Ok(());
        }
        let changes = first_and_last(&deeds.rows).into_values();
        let (card, skipped) = put_back(&contact.card, changes, &BTreeSet::new());
        sum.skip_fields(&contact, &skipped);
        let fields = diff::changes(&contact.card, &card);
        if let Some(contact) = draft.contact(contact.id).await? {
            contact.deleted = None;
        }
        draft.set_card(contact.id, card).await?;
        sum.restored.insert(contact.id);
        sum.steps.push(Step { contact, action: Action::Restored, fields });
        Ok(())
    }

    async fn take_back_one(
        &self,
        contact: Contact,
        deeds: &Deeds,
        draft: &mut Draft<'_>,
        sum: &mut TakenBack,
    ) -> Result<(), StoreError> {
        if sum.restored.contains(&contact.id) {
            return Ok(());
        }
        match self.judge(&contact, deeds, sum).await? {
            Verdict::Delete => {
                draft.delete(contact.id).await?;
                sum.leaving.insert(contact.id);
                sum.steps.push(Step { contact, action: Action::Deleted, fields: Vec::new() });
            }
            Verdict::PutBack => {
                let (card, skipped) =
                    put_back(&contact.card, first_and_last(&deeds.rows).into_values(), &BTreeSet::new());
                sum.skip_fields(&contact, &skipped);
                let fields = diff::changes(&contact.card, &card);
                if fields.is_empty() {
                    return Ok(());
                }
                if fields.iter().any(|change| change.field == Field::Organization) {
                    sum.leaving.insert(contact.id);
                }
                draft.contact(contact.id).await?;
                draft.set_card(contact.id, card).await?;
                sum.steps.push(Step { contact, action: Action::Edited, fields });
            }
            Verdict::Stay(reason) => sum.skip(&contact, reason),
        }
        Ok(())
    }

    async fn entry_chunk(
        &self,
        ids: &[EntryId],
        deeds: &BTreeMap<EntryId, Vec<EntryChange>>,
        sum: &mut TakenBack,
    ) -> Result<(), StoreError> {
        let before = sum.clone();
        *sum = insisting(async || {
            let mut tried = before.clone();
            let mut draft = Draft::begin(self.store, self.entropy, self.clock.now()).await?;
            for entry in self.store.entries(ids).await? {
                if let Some(rows) = deeds.get(&entry.id) {
                    take_back_entry(entry, rows, &mut draft, &mut tried).await?;
                }
            }
            self.commit(draft).await.map(|()| tried)
        })
        .await?;
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
        if sum.held.contains(&contact.id) {
            return Ok(Verdict::Stay("a deal, an activity, a note or a relation hangs on it".to_owned()));
        }
        // Deleting the contact would delete its record, which was there before.
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

/// Takes back what was done to one entry, unless it says something else since.
async fn take_back_entry(
    entry: Entry,
    rows: &[EntryChange],
    draft: &mut Draft<'_>,
    sum: &mut TakenBack,
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    let was_deleted = last.action == Action::Deleted;
    if first.before.as_ref().is_some_and(|before| *before == entry.body && entry.is_live()) {
        // It has been taken back already.
        return Ok(());
    }
    if entry.body != last.after || entry.is_live() == was_deleted {
        if entry.is_live() || !was_deleted {
            sum.skipped.push(Skipped {
                contact: None,
                name: format!("{} {:?}", entry.body.kind().as_str(), entry.body.title()),
                reason: "it changed since".to_owned(),
            });
        }
        return Ok(());
    }
    let Some(next) = draft.entry(entry.id).await? else { return Ok(()) };
    let action = match &first.before {
        None => {
            next.deleted.get_or_insert(first.at);
            Action::Deleted
        }
        Some(before) => {
            let before: &Body = before;
            before.clone_into(&mut next.body);
            next.deleted = None;
            if was_deleted { Action::Restored } else { Action::Edited }
        }
    };
    sum.entries.push(EntryStep { entry, action });
    Ok(())
}

/// What becomes of a contact that was touched.
enum Verdict {
    Delete,
    PutBack,
    Stay(String),
}

impl TakenBack {
    fn skip(&mut self, contact: &Contact, reason: String) {
        self.skipped.push(Skipped { contact: Some(contact.id), name: contact.card.display_name(), reason });
    }

    fn skip_fields(&mut self, contact: &Contact, fields: &[Field]) {
        for field in fields {
            self.skip(contact, format!("{field} changed since"));
        }
    }
}
