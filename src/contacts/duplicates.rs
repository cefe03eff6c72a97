//! Likely duplicates among the contacts of the store, and what people have said about them.

use std::collections::{BTreeMap, BTreeSet};

use super::edit::Editor;
use super::entries::EntryError;
use crate::domain::contact::{Card, Kind};
use crate::domain::dialling::HomeRegion;
use crate::domain::duplicates::{Candidate, find};
use crate::domain::entry::dismissal::Dismissal;
use crate::domain::entry::{Body, Entry, EntryKind};
use crate::domain::id::ContactId;
use crate::store::{ContactQuery, EntryQuery, Store, StoreError};

/// How many contacts are read at once.
const CHUNK: u32 = 2_000;

/// The couples of living contacts of one kind that may be the same and were not dismissed, strongest first.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn candidates(store: &dyn Store, kind: Kind, home: Option<HomeRegion>) -> Result<Vec<Candidate>, StoreError> {
    let mut cards: Vec<(ContactId, Card)> = Vec::new();
    loop {
        let query = ContactQuery {
            kind: Some(kind),
            after: cards.last().map(|(id, _)| *id),
            limit: Some(CHUNK),
            ..ContactQuery::default()
        };
        let page = store.find_contacts(&query).await?;
        if page.is_empty() {
            break;
        }
        // What is no evidence is the longest part of a card.
        let bare = |card: Card| Card { notes: None, custom: BTreeMap::new(), labels: BTreeSet::new(), ..card };
        cards.extend(page.into_iter().map(|contact| (contact.id, bare(contact.card))));
    }
    let couples = dismissals(store).await?.into_iter().filter_map(|entry| match entry.body {
        Body::Dismissal(couple) => Some((couple.first, couple.second)),
        _ => None,
    });
    let dismissed: BTreeSet<(ContactId, ContactId)> = couples.collect();
    Ok(find(&cards, home, &dismissed))
}

/// The couples that were dismissed.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn dismissals(store: &dyn Store) -> Result<Vec<Entry>, StoreError> {
    store.find_entries(&EntryQuery { kinds: [EntryKind::Dismissal].into(), ..EntryQuery::default() }).await
}

impl Editor<'_> {
    /// Remembers that two contacts are not the same. Saying it twice is saying it once.
    ///
    /// # Errors
    /// [`EntryError::Contradiction`] when there is no such contact, or they are of two kinds.
    pub async fn dismiss(&self, one: ContactId, other: ContactId) -> Result<Entry, EntryError> {
        let found = self.store.contacts(&[one, other]).await?;
        for id in [one, other] {
            if !found.iter().any(|contact| contact.id == id) {
                return Err(EntryError::Contradiction(format!("there is no contact {id}")));
            }
        }
        let of_kind = |kind: Kind| found.iter().any(|contact| contact.card.kind() == kind);
        if of_kind(Kind::Person) && of_kind(Kind::Organization) {
            return Err(EntryError::Contradiction(format!(
                "{one} and {other} are a person and an organization anyway"
            )));
        }
        let body = Body::Dismissal(Dismissal::of(one, other));
        match self.dismissed(&body).await? {
            Some(known) => Ok(known),
            None => self.add_entry(&body).await,
        }
    }

    /// Takes back that two contacts are not the same.
    ///
    /// # Errors
    /// [`EntryError::Contradiction`] when nobody said so.
    pub async fn take_dismissal_back(&self, one: ContactId, other: ContactId) -> Result<Entry, EntryError> {
        match self.dismissed(&Body::Dismissal(Dismissal::of(one, other))).await? {
            Some(known) => self.delete_entry(known.id, EntryKind::Dismissal).await,
            None => Err(EntryError::Contradiction(format!("nobody said that {one} and {other} are not the same"))),
        }
    }

    async fn dismissed(&self, body: &Body) -> Result<Option<Entry>, StoreError> {
        super::definitions::find_definition(self.store, body).await
    }
}
