//! What is known while rows are decided: contacts of the store that share a key with them, those that they made, and what
//! hangs on both.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::contact::{Card, Contact};
use crate::domain::dialling::HomeRegion;
use crate::domain::diff;
use crate::domain::entry::Entry;
use crate::domain::field::Field;
use crate::domain::id::{ContactId, EntryId};
use crate::domain::matching::{self, Face, MatchKey, Verdict};
use crate::domain::merge::{Rules, three_way};
use crate::domain::normal;
use crate::domain::policy::Winner;

use super::entries::EntryKey;

/// A contact as it is to be written, and as it was; what it was is boxed, since most contacts of a long file are new.
pub(super) struct Pending {
    pub(super) contact: Contact,
    pub(super) before: Option<Box<Contact>>,
}

/// What is known while one chunk is decided.
#[derive(Default)]
pub(super) struct Book {
    pub(super) home: Option<HomeRegion>,
    /// Boxed, because the map keeps room for more than it holds, and a preview holds each contact of a long file.
    pub(super) contacts: BTreeMap<ContactId, Box<Pending>>,
    /// In the order of the ids. Most keys lead to one contact only, and a preview has a key for each of a long file.
    by_key: BTreeMap<MatchKey, Vec<ContactId>>,
    pub(super) changed: BTreeSet<ContactId>,
    /// What was looked for in the store, and what was found.
    pub(super) keys: BTreeSet<MatchKey>,
    pub(super) known: BTreeSet<ContactId>,
    /// What hangs on these contacts, by what makes it the same.
    pub(super) entries: BTreeMap<EntryKey, EntryId>,
    /// Entries that the rows made.
    pub(super) made: Vec<Entry>,
}

impl Book {
    pub(super) fn new(home: Option<HomeRegion>) -> Self {
        Book { home, ..Book::default() }
    }

    pub(super) fn index(&mut self, contact: &Contact) {
        for key in matching::index_keys(&contact.card) {
            let ids = self.by_key.entry(key).or_default();
            if let Err(at) = ids.binary_search(&contact.id) {
                ids.insert(at, contact.id);
            }
        }
    }

    pub(super) fn first(&self, key: &MatchKey) -> Option<&Pending> {
        self.by_key.get(key)?.iter().find_map(|id| self.contacts.get(id)).map(Box::as_ref)
    }

    /// The contact that a card of the file is. Where several could be it, one that says all of it already, so that the
    /// same file again changes nothing.
    pub(super) fn twin(&self, card: &Card) -> Option<ContactId> {
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
pub(super) fn search_keys(card: &Card, home: Option<HomeRegion>) -> BTreeSet<MatchKey> {
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
pub(super) fn organization_key(card: &Card) -> Option<MatchKey> {
    let organization = card.as_person()?.organization.as_ref()?;
    let folded = normal::fold(&organization.name);
    (!folded.is_empty()).then_some(MatchKey::OrganizationName(folded))
}
