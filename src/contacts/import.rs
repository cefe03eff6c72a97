//! Contacts of a file go into the store.
//!
//! Row by row, each contact of the file is looked for among those of the store: by e-mail, phone, and name at an
//! organization, as twins are everywhere here, and by the bare name when a contact has nothing else. One that is found
//! takes in what it lacks; where both have a value the store's stays, and the file's is reported. One that is not found
//! is created. So the same file a second time changes nothing.
//!
//! Contacts are written in transactions of a few hundred. A row that fails does not keep the others from coming in. When
//! somebody else changed one of the contacts meanwhile, or made one that would have been found, the transaction is
//! decided again on what they are now.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;

use crate::clock::{Clock, Entropy};
use crate::domain::contact::{Card, Contact, OrganizationRef};
use crate::domain::dialling::{self, HomeRegion};
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change};
use crate::domain::id::{ContactId, ImportId, ReplicaId};
use crate::domain::matching::{self, Face, MatchKey, Verdict};
use crate::domain::merge::{Rules, three_way};
use crate::domain::normal;
use crate::domain::policy::Winner;
use crate::domain::version::VersionVector;
use crate::formats::{Draft, Item};
use crate::store::{Commit, ContactWrite, Store, StoreError, Write};

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
}

/// Whether an import writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Contacts are written.
    Write,
    /// Only counts what would be written.
    Preview,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ImportReport {
    /// Contacts that were created; organizations that persons name are counted too.
    pub created: u64,
    /// Contacts that took something in.
    pub updated: u64,
    /// Contacts that have everything the file says already.
    pub unchanged: u64,
    /// Rows that could not be used.
    pub failed: Vec<FailedRow>,
    /// Values of the file that were not taken because the store has another one.
    pub kept: Vec<Kept>,
    /// What was odd about single rows.
    pub warnings: Vec<FailedRow>,
}

/// A row and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedRow {
    /// The line, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// A value of the file that was not taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kept {
    /// The line, from 1.
    pub line: u64,
    /// The contact that has another value.
    pub contact: ContactId,
    /// The field.
    pub field: Field,
    /// What the store has.
    pub store: Value,
    /// What the file says.
    pub file: Value,
}

impl ImportReport {
    fn add(&mut self, more: ImportReport) {
        let ImportReport { created, updated, unchanged, failed, kept, warnings } = more;
        self.created += created;
        self.updated += updated;
        self.unchanged += unchanged;
        self.failed.extend(failed);
        self.kept.extend(kept);
        self.warnings.extend(warnings);
    }
}

/// A contact as it is to be written, and as it was.
struct Pending {
    contact: Contact,
    before: Option<Contact>,
}

/// What is known while one chunk is decided: contacts of the store that share a key with its rows, and those that its
/// rows made.
#[derive(Default)]
struct Book {
    home: Option<HomeRegion>,
    contacts: BTreeMap<ContactId, Pending>,
    by_key: BTreeMap<MatchKey, BTreeSet<ContactId>>,
    changed: BTreeSet<ContactId>,
    /// What was looked for in the store, and what was found.
    keys: BTreeSet<MatchKey>,
    known: BTreeSet<ContactId>,
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
        mut rejected: impl FnMut(crate::formats::Rejected),
        mut advanced: impl FnMut(u64),
    ) -> Result<ImportReport, StoreError> {
        let mut report = ImportReport::default();
        let mut drafts = Vec::with_capacity(CHUNK);
        // A preview writes nothing, so it has to remember what earlier chunks would have made.
        let mut book = Book::new(self.home);
        let mut done = 0;
        for item in items {
            match item {
                Item::Draft(draft) => drafts.push(*draft),
                Item::Rejected(row) => {
                    report.failed.push(FailedRow { line: row.line, reason: row.reason.clone() });
                    rejected(row);
                }
            }
            if drafts.len() == CHUNK {
                done += drafts.len() as u64;
                self.take_in(import, std::mem::take(&mut drafts), &mut book, &mut report).await?;
                advanced(done);
            }
        }
        done += drafts.len() as u64;
        self.take_in(import, drafts, &mut book, &mut report).await?;
        advanced(done);
        Ok(report)
    }

    /// Takes in some rows, within reason as often as others are faster.
    fn take_in<'i>(
        &'i self,
        import: ImportId,
        drafts: Vec<Draft>,
        book: &'i mut Book,
        report: &'i mut ImportReport,
    ) -> BoxFuture<'i, Result<(), StoreError>> {
        Box::pin(self.insist(import, drafts, book, report))
    }

    async fn insist(
        &self,
        import: ImportId,
        drafts: Vec<Draft>,
        book: &mut Book,
        report: &mut ImportReport,
    ) -> Result<(), StoreError> {
        for _ in 1..ATTEMPTS {
            let mut more = ImportReport::default();
            match self.decide(import, drafts.clone(), book, &mut more).await {
                Err(StoreError::Moved { .. }) => {}
                decided => return decided.map(|()| report.add(more)),
            }
        }
        self.decide(import, drafts, book, report).await
    }

    async fn decide(
        &self,
        import: ImportId,
        drafts: Vec<Draft>,
        book: &mut Book,
        report: &mut ImportReport,
    ) -> Result<(), StoreError> {
        if self.effect == Effect::Write {
            *book = Book::new(self.home);
        }
        self.load(&drafts, book).await?;
        let replica = ReplicaId::store(self.store.identity().await?.epoch);
        for draft in drafts {
            let Draft { line, mut card, organization, warnings, .. } = draft;
            report.warnings.extend(warnings.iter().map(|warning| FailedRow { line, reason: warning.to_string() }));
            if let Some(organization) = organization {
                self.place(line, organization, &replica, book, report);
            }
            self.refer(line, &mut card, &replica, book, report);
            self.place(line, card, &replica, book, report);
        }
        if self.effect == Effect::Preview {
            return Ok(());
        }
        let now = self.clock.now();
        // Somebody else, another import of the same file perhaps, may have made meanwhile what is new here.
        let only = Write::Only { keys: std::mem::take(&mut book.keys), contacts: std::mem::take(&mut book.known) };
        let changed = std::mem::take(&mut book.changed);
        if changed.is_empty() {
            return Ok(());
        }
        let writes = changed.into_iter().filter_map(|id| book.contacts.remove(&id)).map(|pending| {
            let kind = pending.contact.card.kind();
            let blank = Card::blank(kind);
            let before = pending.before.as_ref().map_or(&blank, |contact| &contact.card);
            let change = Change {
                contact: pending.contact.id,
                at: now,
                actor: Actor::Import { import },
                run: None,
                action: if pending.before.is_some() { Action::Edited } else { Action::Created },
                fields: diff::changes(before, &pending.contact.card),
                conflicts: Vec::new(),
            };
            let expected = pending.before.map(|contact| contact.version);
            Write::Contact(Box::new(ContactWrite { contact: pending.contact, expected, change }))
        });
        let writes = std::iter::once(only).chain(writes).collect();
        self.store.commit(Commit { fence: None, writes }).await.map(|_| ())
    }

    /// Loads the contacts that share a key with these rows.
    async fn load(&self, drafts: &[Draft], book: &mut Book) -> Result<(), StoreError> {
        let mut keys = BTreeSet::new();
        for draft in drafts {
            for card in std::iter::once(&draft.card).chain(&draft.organization) {
                keys.extend(search_keys(card, self.home));
                keys.extend(organization_key(card));
            }
        }
        let found = self.store.contacts_with_keys(&keys).await?;
        let ids: BTreeSet<ContactId> = found.iter().map(|(_, id)| *id).collect();
        book.keys = keys;
        book.known.clone_from(&ids);
        let ids: Vec<ContactId> = ids.into_iter().filter(|id| !book.contacts.contains_key(id)).collect();
        for contact in self.store.contacts(&ids).await? {
            book.index(&contact);
            book.contacts.insert(contact.id, Pending { before: Some(contact.clone()), contact });
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
    fn place(&self, line: u64, mut card: Card, replica: &ReplicaId, book: &mut Book, report: &mut ImportReport) {
        let Some(id) = book.twin(&card) else {
            self.create(card, replica, book);
            report.created += 1;
            return;
        };
        let Some(pending) = book.contacts.get_mut(&id) else { return };
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
            return;
        }
        if book.changed.insert(id) {
            pending.contact.version.tick(replica);
            report.updated += 1;
        } else {
            report.unchanged += 1;
        }
        let now = self.clock.now();
        pending.contact.updated = now;
        pending.contact.implicit = false;
        pending.contact.touched.extend(changed.into_iter().map(|field| (field, now)));
        pending.contact.card = merged.card;
        let contact = pending.contact.clone();
        book.index(&contact);
    }

    fn create(&self, card: Card, replica: &ReplicaId, book: &mut Book) {
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
        book.contacts.insert(contact.id, Pending { contact, before: None });
    }
}

impl Book {
    fn new(home: Option<HomeRegion>) -> Self {
        Book { home, ..Book::default() }
    }

    fn index(&mut self, contact: &Contact) {
        for key in matching::index_keys(&contact.card) {
            self.by_key.entry(key).or_default().insert(contact.id);
        }
    }

    fn first(&self, key: &MatchKey) -> Option<&Pending> {
        self.by_key.get(key)?.iter().find_map(|id| self.contacts.get(id))
    }

    /// The contact that a card of the file is. Where several could be it, one that says all of it already, so that the
    /// same file again changes nothing.
    fn twin(&self, card: &Card) -> Option<ContactId> {
        let ids: BTreeSet<ContactId> =
            search_keys(card, self.home).iter().filter_map(|key| self.by_key.get(key)).flatten().copied().collect();
        let candidates: Vec<(ContactId, &Card)> =
            ids.iter().filter_map(|id| Some((*id, &self.contacts.get(id)?.contact.card))).collect();
        let faces: Vec<(ContactId, Face<'_>)> =
            candidates.iter().map(|(id, candidate)| (*id, Face::of(candidate, self.home))).collect();
        match matching::judge(&Face::of(card, self.home), &faces) {
            Verdict::Twin { id, .. } => Some(id),
            Verdict::Alone | Verdict::Doubtful { .. } => {
                candidates.iter().find(|(_, candidate)| says_all_of(candidate, card)).map(|(id, _)| *id)
            }
        }
    }
}

/// Everything by which a contact that a card may be is found.
fn search_keys(card: &Card, home: Option<HomeRegion>) -> BTreeSet<MatchKey> {
    let mut keys = matching::index_keys(card);
    keys.extend(Face::of(card, home).search_keys(home));
    keys
}

/// Whether a card says everything that another one says.
fn says_all_of(whole: &Card, part: &Card) -> bool {
    if whole.kind() != part.kind() {
        return false;
    }
    let blank = Card::blank(whole.kind());
    let none = BTreeSet::new();
    let winner = |_: &Field| Winner::Store;
    let merged = three_way(&blank, &blank, whole, part, &Rules { winner: &winner, held: &none });
    merged.conflicts.is_empty() && diff::changed_fields(whole, &merged.card).is_empty()
}

/// The key of the organization that a person names.
fn organization_key(card: &Card) -> Option<MatchKey> {
    let organization = card.as_person()?.organization.as_ref()?;
    let folded = normal::fold(&organization.name);
    (!folded.is_empty()).then_some(MatchKey::OrganizationName(folded))
}

#[cfg(test)]
mod tests;
