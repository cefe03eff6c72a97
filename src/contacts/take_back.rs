//! What was done to the store under one id is taken back, as far as nothing has changed since: an import, a merge.
//!
//! The history says what that was. A contact that was made goes to the bin; one that was deleted comes back; one that was
//! changed gets the values from before. What hangs on contacts goes the same way. What somebody has edited since stays as it
//! is and is named, and so does an organization that people belong to by now. These are edits of the store like any other:
//! the next run carries them to the accounts.
//!
//! Whoever comes back comes first, so that others can refer to it. Persons come before organizations, so that an organization
//! which only they belonged to can follow. What hangs on contacts comes last. All of it is one commit, unless it is very much;
//! and it has an id of its own, under which it can be taken back in turn.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::{Clock, Entropy};
use crate::domain::contact::{Contact, Kind};
use crate::domain::diff::{self, FieldChange};
use crate::domain::entry::{Entry, EntryChange};
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change};
use crate::domain::id::{ContactId, EntryId, ImportId, RemoteId, RunId};
use crate::domain::link::LinkState;
use crate::domain::run::RunRecord;
use crate::domain::taking_back::{first_and_last, put_back};
use crate::store::{Commit, ContactQuery, DeletedContacts, EntryHistoryQuery, HistoryQuery, Store, StoreError, Write};

use super::draft::Draft;
use super::import::Effect;
use super::insist::insisting;

mod held;

/// How many contacts or entries are decided and committed together when there are more than [`AT_ONCE_MAX`].
const CHUNK: usize = 250;
/// How many are decided and committed all at once.
const AT_ONCE_MAX: usize = 2_000;

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
    /// The id under which it was done; `None` when nothing was written.
    pub run: Option<RunId>,
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

/// What was done under one id.
struct Done {
    contacts: BTreeMap<ContactId, Deeds>,
    entries: BTreeMap<EntryId, Vec<EntryChange>>,
}

/// A part of what is taken back, in the order in which the parts follow each other.
#[derive(Debug, Clone, Copy)]
enum Part<'i> {
    /// Those of these contacts that were deleted.
    Restore(&'i [ContactId]),
    /// What was done to those of these contacts that are of this kind.
    Of(Kind, &'i [ContactId]),
    /// What was done to these entries.
    Entries(&'i [EntryId]),
}

impl TakeBack<'_> {
    /// Takes something back, or tells what that comes to; `None` when the history does not know it.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails, or others change the same contacts again and again; what was committed before
    /// stays.
    pub async fn take_back(&self, deed: Deed) -> Result<Option<TakenBack>, StoreError> {
        let done = Done { contacts: self.deeds_of(deed).await?, entries: self.entry_deeds_of(deed).await? };
        if done.contacts.is_empty() && done.entries.is_empty() {
            return Ok(None);
        }
        let contacts: Vec<ContactId> = done.contacts.keys().copied().collect();
        let entries: Vec<EntryId> = done.entries.keys().copied().collect();
        let is_small = contacts.len() + entries.len() <= AT_ONCE_MAX;
        let parts = parts(&contacts, &entries, if is_small { AT_ONCE_MAX } else { CHUNK });
        let run = RunId::new(self.clock.now(), self.entropy.next_u128());
        let held = self.held(&contacts, &done.entries).await?;
        let mut taken_back = TakenBack { held, ..TakenBack::default() };
        for parts in parts.chunks(if is_small { parts.len().max(1) } else { 1 }) {
            let before = taken_back;
            taken_back = insisting(async || {
                let mut tried = before.clone();
                self.once(parts, &done, run, &mut tried).await.map(|()| tried)
            })
            .await?;
        }
        Ok(Some(taken_back))
    }

    async fn once(&self, parts: &[Part<'_>], done: &Done, run: RunId, sum: &mut TakenBack) -> Result<(), StoreError> {
        let mut draft = Draft::begin(self.store, self.entropy, self.clock.now()).await?.under(run);
        for part in parts {
            match part {
                Part::Restore(ids) | Part::Of(_, ids) => {
                    for contact in self.store.contacts(ids).await? {
                        let Some(deeds) = done.contacts.get(&contact.id) else { continue };
                        match part {
                            Part::Of(kind, _) if contact.card.kind() == *kind => {
                                self.take_back_one(contact, deeds, &mut draft, sum).await?;
                            }
                            Part::Restore(_) => restore(contact, deeds, &mut draft, sum).await?,
                            Part::Of(..) | Part::Entries(_) => {}
                        }
                    }
                }
                Part::Entries(ids) => {
                    for entry in self.store.entries(ids).await? {
                        if let Some(rows) = done.entries.get(&entry.id) {
                            take_back_entry(entry, rows, &mut draft, sum).await?;
                        }
                    }
                }
            }
        }
        self.commit(draft, run, sum).await
    }

    async fn commit(&self, draft: Draft<'_>, run: RunId, sum: &mut TakenBack) -> Result<(), StoreError> {
        let (mut writes, _) = draft.finish(&Actor::User);
        if self.effect == Effect::Preview || writes.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        writes.push(Write::Run(Box::new(RunRecord { run, begun: now, ended: Some(now), accounts: Vec::new() })));
        self.store.commit(Commit { fence: None, writes }).await?;
        sum.run = Some(run);
        Ok(())
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
        if !contact.is_live() {
            if deeds.rows.iter().all(|row| row.action == Action::Edited) {
                sum.skip(&contact, "it was deleted since".to_owned());
            }
            return Ok(());
        }
        match self.judge(&contact, deeds, sum).await? {
            Verdict::Delete => {
                draft.delete(contact.id).await?;
                sum.leaving.insert(contact.id);
                sum.steps.push(Step { contact, action: Action::Deleted, fields: Vec::new() });
            }
            Verdict::PutBack => put_back_one(contact, deeds, draft, sum).await?,
            Verdict::Stay(reason) => sum.skip(&contact, reason),
        }
        Ok(())
    }

    async fn judge(&self, contact: &Contact, deeds: &Deeds, sum: &TakenBack) -> Result<Verdict, StoreError> {
        let did = |action: Action| deeds.rows.iter().any(|row| row.action == action);
        let (was_made, came_back) = (did(Action::Created), did(Action::Restored));
        if !was_made && !came_back {
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
        // Deleting the contact would delete its record, which was there before. One that only came back had it all the time.
        let made_there: BTreeSet<&RemoteId> = rows
            .iter()
            .filter(|row| row.change.action == Action::Created)
            .filter_map(|row| row.remote.as_ref().map(|copy| &copy.record))
            .collect();
        let links = self.store.links_of_contact(contact.id).await?;
        let kept = links.iter().filter(|link| matches!(link.state, LinkState::Bound | LinkState::Unselected));
        if was_made && kept.filter_map(|link| link.remote.as_ref()).any(|remote| !made_there.contains(remote)) {
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

/// The parts of what is taken back, in order; each holds at most so many.
fn parts<'i>(contacts: &'i [ContactId], entries: &'i [EntryId], most: usize) -> Vec<Part<'i>> {
    let chunks = || contacts.chunks(most);
    let mut parts: Vec<Part<'i>> = chunks().map(Part::Restore).collect();
    for kind in [Kind::Person, Kind::Organization] {
        parts.extend(chunks().map(|ids| Part::Of(kind, ids)));
    }
    parts.extend(entries.chunks(most).map(Part::Entries));
    parts
}

/// Brings back a contact that was deleted, with the fields that were changed on the way.
async fn restore(
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

/// Gives a contact the values from before, where nobody has changed them since.
async fn put_back_one(
    contact: Contact,
    deeds: &Deeds,
    draft: &mut Draft<'_>,
    sum: &mut TakenBack,
) -> Result<(), StoreError> {
    // What this commit has changed already stays.
    let current = draft.contact(contact.id).await?.map_or_else(|| contact.card.clone(), |known| known.card.clone());
    let (card, skipped) = put_back(&current, first_and_last(&deeds.rows).into_values(), &BTreeSet::new());
    sum.skip_fields(&contact, &skipped);
    let fields = diff::changes(&contact.card, &card);
    if fields.is_empty() {
        return Ok(());
    }
    if fields.iter().any(|change| change.field == Field::Organization) {
        sum.leaving.insert(contact.id);
    }
    draft.set_card(contact.id, card).await?;
    sum.steps.push(Step { contact, action: Action::Edited, fields });
    Ok(())
}

/// Takes back what was done to one entry, unless it says something else since.
async fn take_back_entry(
    entry: Entry,
    rows: &[EntryChange],
    draft: &mut Draft<'_>,
    sum: &mut TakenBack,
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    let before = first.before.as_ref().unwrap_or(&first.after);
    let was_live = !matches!(first.action, Action::Created | Action::Restored);
    if entry.is_live() == was_live && (!was_live || entry.body == *before) {
        // It has been taken back already.
        return Ok(());
    }
    if entry.body != last.after || entry.is_live() == (last.action == Action::Deleted) {
        sum.skipped.push(Skipped {
            contact: None,
            name: format!("{} {:?}", entry.body.kind().as_str(), entry.body.title()),
            reason: "it changed since".to_owned(),
        });
        return Ok(());
    }
    let now = draft.now();
    let Some(next) = draft.entry(entry.id).await? else { return Ok(()) };
    before.clone_into(&mut next.body);
    next.deleted = (!was_live).then_some(now);
    let action = match (was_live, last.action) {
        (false, _) => Action::Deleted,
        (true, Action::Deleted) => Action::Restored,
        (true, _) => Action::Edited,
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
