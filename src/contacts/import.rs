//! Contacts of a file go into the store.
//!
//! Row by row, each contact of the file is looked for among those of the store: by e-mail, phone, and name at an
//! organization, as twins are everywhere here, and by the bare name when a contact has nothing else. One that is found
//! takes in what it lacks; where both have a value the store's stays, and the file's is reported. One that is not found
//! is created. So the same file a second time changes nothing.
//!
//! A row may tell of a deal, an activity and notes as well (`entries`). They come in with its contact or not at all, and are
//! not made again when they are there.
//!
//! Contacts are written in transactions of a few hundred. A row that fails does not keep the others from coming in. When
//! somebody else changed one of the contacts meanwhile, or made one that would have been found, the transaction is
//! decided again on what they are now.

mod book;
mod entries;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;

use crate::clock::{Clock, Entropy};
use crate::domain::contact::{Card, Contact, Kind, OrganizationRef};
use crate::domain::dialling::{self, HomeRegion};
use crate::domain::diff;
use crate::domain::entry::deal::Currency;
use crate::domain::entry::{About, Body, Entry, EntryChange, EntryKind};
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change};
use crate::domain::id::{ContactId, EntryId, ImportId, ReplicaId};
use crate::domain::merge::{Rules, three_way};
use crate::domain::normal;
use crate::domain::policy::Winner;
use crate::domain::time::Timestamp;
use crate::domain::version::VersionVector;
use crate::formats::{Draft, Item, Rejected};
use crate::store::{Commit, ContactWrite, EntryQuery, EntryWrite, Store, StoreError, Write};

use book::{Book, Pending, organization_key, search_keys};
use entries::{Catalogue, RowEntries, key_of, set_about, set_deal};

pub use report::{EXAMPLES, Example, FailedRow, Fate, ImportReport, Kept, MATCHES, Match, Tally};

/// How many rows are decided and committed together.
const CHUNK: usize = 250;
/// How often they are decided, when others are faster each time.
const ATTEMPTS: usize = 5;

/// What an import works with.
pub struct Importer<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness for ids.
    pub entropy: &'a dyn Entropy,
    /// Whether anything is written.
    pub effect: Effect,
    /// The country that phone numbers without one belong to, when twins are looked for.
    pub home: Option<HomeRegion>,
    /// The currency of amounts that come without one.
    pub currency: Option<Currency>,
}

/// Whether an import writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Contacts are written.
    Write,
    /// Only counts what would be written.
    Preview,
}

impl Importer<'_> {
    /// Takes in the items of a file; `rejected` gets the rows that cannot be used, and `advanced` hears how many rows
    /// are done.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails, or others change the same contacts again and again; what was committed before
    /// stays.
    pub async fn import(
        &self,
        import: ImportId,
        items: impl Iterator<Item = Item>,
        mut rejected: impl FnMut(Rejected),
        mut advanced: impl FnMut(u64),
    ) -> Result<ImportReport, StoreError> {
        let catalogue = Catalogue::load(self.store, self.currency).await?;
        let mut report = ImportReport::default();
        let mut drafts = Vec::with_capacity(CHUNK);
        // A preview writes nothing, so it has to remember what earlier chunks would have made.
        let mut book = Book::new(self.home);
        let mut done = 0;
        for item in items {
            done += 1;
            match item {
                Item::Draft(draft) => drafts.push(*draft),
                Item::Rejected(row) => {
                    report.failed.push(FailedRow { line: row.line, reason: row.reason.clone() });
                    rejected(row);
                }
            }
            if drafts.len() == CHUNK {
                let drafts = std::mem::take(&mut drafts);
                self.take_in(import, drafts, &catalogue, &mut book, &mut report)
                    .await?
                    .into_iter()
                    .for_each(&mut rejected);
                advanced(done);
            }
        }
        self.take_in(import, drafts, &catalogue, &mut book, &mut report).await?.into_iter().for_each(rejected);
        advanced(done);
        report.sort();
        Ok(report)
    }

    /// Takes in some rows, within reason as often as others are faster. Returns those that the store cannot take.
    fn take_in<'i>(
        &'i self,
        import: ImportId,
        drafts: Vec<Draft>,
        catalogue: &'i Catalogue,
        book: &'i mut Book,
        report: &'i mut ImportReport,
    ) -> BoxFuture<'i, Result<Vec<Rejected>, StoreError>> {
        Box::pin(async move {
            let (rows, refused) = judge(drafts, catalogue);
            report.failed.extend(refused.iter().map(|row| FailedRow { line: row.line, reason: row.reason.clone() }));
            for _ in 1..ATTEMPTS {
                let mut more = ImportReport::default();
                match self.decide(import, rows.clone(), book, &mut more).await {
                    Err(error) if error.is_moved() => {}
                    decided => return decided.map(|()| report.add(more)).map(|()| refused),
                }
            }
            let mut more = ImportReport::default();
            self.decide(import, rows, book, &mut more).await?;
            report.add(more);
            Ok(refused)
        })
    }

    async fn decide(
        &self,
        import: ImportId,
        rows: Vec<Row>,
        book: &mut Book,
        report: &mut ImportReport,
    ) -> Result<(), StoreError> {
        if self.effect == Effect::Write {
            *book = Book::new(self.home);
        }
        self.load(&rows, book).await?;
        let replica = ReplicaId::store(self.store.identity().await?.epoch);
        for row in rows {
            self.take_row(row, &replica, book, report);
        }
        let made = std::mem::take(&mut book.made);
        if self.effect == Effect::Preview {
            return Ok(());
        }
        let now = self.clock.now();
        // Somebody else, another import of the same file perhaps, may have made meanwhile what is new here.
        let only = Write::Only { keys: std::mem::take(&mut book.keys), contacts: std::mem::take(&mut book.known) };
        let changed = std::mem::take(&mut book.changed);
        if changed.is_empty() && made.is_empty() {
            return Ok(());
        }
        let actor = Actor::Import { import };
        let pending = changed.into_iter().filter_map(|id| book.contacts.remove(&id));
        let contacts = pending.map(|pending| contact_write(*pending, &actor, now));
        let entries = made.into_iter().map(|entry| entry_write(entry, &actor));
        let writes = std::iter::once(only).chain(contacts).chain(entries).collect();
        self.store.commit(Commit { fence: None, writes }).await.map(|_| ())
    }

    /// Takes one row in: its organization, its contact, and what hangs on them.
    fn take_row(&self, row: Row, replica: &ReplicaId, book: &mut Book, report: &mut ImportReport) {
        let Row {
            draft: Draft { line, mut card, organization, warnings, .. },
            entries: RowEntries { bodies, oddities },
        } = row;
        warnings.iter().for_each(|warning| report.warn(line, warning.to_string()));
        oddities.into_iter().for_each(|oddity| report.warn(line, oddity));
        if let Some(organization) = organization {
            self.place(line, organization, replica, book, report);
        }
        self.refer(line, &mut card, replica, book, report);
        let (id, fate) = self.place(line, card, replica, book, report);
        let Some(pending) = book.contacts.get(&id) else { return };
        if let Some(before) = &pending.before {
            report.matched += 1;
            if self.effect == Effect::Preview && report.matches.len() < MATCHES {
                let takes = if let Fate::Updated(fields) = &fate { fields.clone() } else { Vec::new() };
                report.matches.push(Match { line, contact: id, name: before.card.display_name(), takes });
            }
        }
        if self.effect == Effect::Preview && report.examples.len() < EXAMPLES {
            let card = pending.contact.card.clone();
            report.examples.push(Example { line, card, entries: bodies.clone(), fate });
        }
        self.hang_on(id, bodies, replica, book, report);
    }

    /// Hangs entries on the contact of their row, unless they are there.
    fn hang_on(
        &self,
        contact: ContactId,
        bodies: Vec<Body>,
        replica: &ReplicaId,
        book: &mut Book,
        report: &mut ImportReport,
    ) {
        let Some(card) = book.contacts.get(&contact).map(|pending| &pending.contact.card) else { return };
        let about = match card.kind() {
            Kind::Organization => About { person: None, organization: Some(contact) },
            Kind::Person => {
                let employer = card.as_person().and_then(|person| person.organization.as_ref()?.id);
                About { person: Some(contact), organization: employer }
            }
        };
        let mut deal = None;
        for mut body in bodies {
            set_about(&mut body, about);
            set_deal(&mut body, deal);
            let kind = body.kind();
            let tally = match kind {
                EntryKind::Deal => &mut report.deals,
                EntryKind::Activity => &mut report.activities,
                _ => &mut report.notes,
            };
            let key = key_of(&body);
            let known = key.as_ref().and_then(|key| book.entries.get(key)).copied();
            let id = match known {
                Some(known) => {
                    tally.unchanged += 1;
                    known
                }
                None => {
                    tally.created += 1;
                    let entry = self.entry(body, replica);
                    let id = entry.id;
                    book.made.push(entry);
                    book.entries.extend(key.map(|key| (key, id)));
                    id
                }
            };
            if kind == EntryKind::Deal {
                deal = Some(id);
            }
        }
    }

    fn entry(&self, body: Body, replica: &ReplicaId) -> Entry {
        let now = self.clock.now();
        let mut version = VersionVector::new();
        version.tick(replica);
        let id = EntryId::new(now, self.entropy.next_u128());
        Entry { id, body, version, created: now, updated: now, deleted: None }
    }

    /// Loads the contacts that share a key with these rows.
    async fn load(&self, rows: &[Row], book: &mut Book) -> Result<(), StoreError> {
        let mut keys = BTreeSet::new();
        for Row { draft, .. } in rows {
            for card in std::iter::once(&draft.card).chain(&draft.organization) {
                keys.extend(search_keys(card, self.home));
                keys.extend(organization_key(card));
            }
        }
        let found = self.store.contacts_with_keys(&keys).await?;
        let ids: BTreeSet<ContactId> = found.iter().map(|(_, id)| *id).collect();
        book.keys = keys;
        book.known.clone_from(&ids);
        if !ids.is_empty() && rows.iter().any(|row| !row.entries.bodies.is_empty()) {
            let kinds = BTreeSet::from([EntryKind::Deal, EntryKind::Activity, EntryKind::Note]);
            let query = EntryQuery { kinds, contacts: ids.clone(), ..EntryQuery::default() };
            let there = self.store.find_entries(&query).await?;
            book.entries.extend(there.iter().filter_map(|entry| Some((key_of(&entry.body)?, entry.id))));
        }
        let ids: Vec<ContactId> = ids.into_iter().filter(|id| !book.contacts.contains_key(id)).collect();
        for contact in self.store.contacts(&ids).await? {
            book.index(&contact);
            let before = Some(Box::new(contact.clone()));
            book.contacts.insert(contact.id, Box::new(Pending { contact, before }));
        }
        Ok(())
    }

    /// Replaces the name of a person's organization by the organization of that name, made when there is none.
    fn refer(&self, line: u64, card: &mut Card, replica: &ReplicaId, book: &mut Book, report: &mut ImportReport) {
        let Some(key) = organization_key(card) else { return };
        let Some(reference) = card.as_person_mut().and_then(|person| person.organization.as_mut()) else { return };
        if book.first(&key).is_none() {
            self.place(line, Card::organization(normal::text(&reference.name)), replica, book, report);
        }
        if let Some(found) = book.first(&key) {
            *reference = OrganizationRef { id: Some(found.contact.id), name: found.contact.card.display_name() };
        }
    }

    /// Merges a card into the contact that it is, or makes a new one.
    fn place(
        &self,
        line: u64,
        mut card: Card,
        replica: &ReplicaId,
        book: &mut Book,
        report: &mut ImportReport,
    ) -> (ContactId, Fate) {
        let twin = book.twin(&card);
        let Some((id, pending)) = twin.and_then(|id| Some((id, book.contacts.get_mut(&id)?))) else {
            report.created += 1;
            return (self.create(card, replica, book), Fate::Created);
        };
        let own = pending.contact.card.clone();
        // One number is one phone, however the file spells it.
        dialling::spell_alike(&own.phones, &mut card.phones, self.home, &BTreeMap::new());
        let blank = Card::blank(own.kind());
        let none = BTreeSet::new();
        let winner = |_: &Field| Winner::Store;
        let merged = three_way(&blank, &blank, &own, &card, &Rules { winner: &winner, held: &none });
        for conflict in merged.conflicts {
            report.kept.push(Kept {
                line,
                contact: id,
                field: conflict.field,
                store: conflict.store,
                file: conflict.remote,
            });
        }
        let changed = diff::changed_fields(&own, &merged.card);
        if changed.is_empty() {
            report.unchanged += 1;
            return (id, Fate::Unchanged);
        }
        let changed: Vec<Field> = changed.into_iter().collect();
        if book.changed.insert(id) {
            pending.contact.version.tick(replica);
            report.updated += 1;
        } else {
            report.unchanged += 1;
        }
        let now = self.clock.now();
        pending.contact.updated = now;
        pending.contact.implicit = false;
        pending.contact.touched.extend(changed.iter().map(|field| (field.clone(), now)));
        pending.contact.card = merged.card;
        let contact = pending.contact.clone();
        book.index(&contact);
        (id, Fate::Updated(changed))
    }

    fn create(&self, card: Card, replica: &ReplicaId, book: &mut Book) -> ContactId {
        let now = self.clock.now();
        let mut version = VersionVector::new();
        version.tick(replica);
        let contact = Contact {
            id: ContactId::new(now, self.entropy.next_u128()),
            card,
            version,
            created: now,
            updated: now,
            deleted: None,
            touched: BTreeMap::new(),
            implicit: false,
        };
        book.index(&contact);
        book.changed.insert(contact.id);
        let id = contact.id;
        book.contacts.insert(id, Box::new(Pending { contact, before: None }));
        id
    }
}

/// A row that the store can take.
#[derive(Clone)]
struct Row {
    draft: Draft,
    entries: RowEntries,
}

/// Brings what rows say into the spelling of the store, and refuses those that contradict its rules.
fn judge(drafts: Vec<Draft>, catalogue: &Catalogue) -> (Vec<Row>, Vec<Rejected>) {
    let (mut rows, mut refused) = (Vec::with_capacity(drafts.len()), Vec::new());
    for mut draft in drafts {
        match judge_one(&mut draft, catalogue) {
            Ok(entries) => rows.push(Row { draft, entries }),
            Err(reason) => refused.push(Rejected { line: draft.line, reason, raw: draft.raw }),
        }
    }
    (rows, refused)
}

fn judge_one(draft: &mut Draft, catalogue: &Catalogue) -> Result<RowEntries, String> {
    catalogue.spell(&mut draft.card)?;
    if let Some(organization) = &mut draft.organization {
        catalogue.spell(organization)?;
    }
    let entries = catalogue.entries(std::mem::take(&mut draft.entries), &draft.card)?;
    // The cells were kept for a row that is refused.
    draft.raw = Vec::new();
    Ok(entries)
}

fn contact_write(pending: Pending, actor: &Actor, now: Timestamp) -> Write {
    let blank = Card::blank(pending.contact.card.kind());
    let before = pending.before.as_ref().map_or(&blank, |contact| &contact.card);
    let change = Change {
        contact: pending.contact.id,
        at: now,
        actor: actor.clone(),
        run: None,
        action: if pending.before.is_some() { Action::Edited } else { Action::Created },
        fields: diff::changes(before, &pending.contact.card),
        conflicts: Vec::new(),
    };
    let expected = pending.before.map(|contact| contact.version);
    Write::Contact(Box::new(ContactWrite { contact: pending.contact, expected, change }))
}

fn entry_write(entry: Entry, actor: &Actor) -> Write {
    let change = EntryChange {
        entry: entry.id,
        at: entry.created,
        actor: actor.clone(),
        run: None,
        action: Action::Created,
        before: None,
        after: entry.body.clone(),
    };
    Write::Entry(Box::new(EntryWrite { entry, expected: None, change }))
}

#[cfg(test)]
mod tests;
