//! The bin: contacts that were deleted, since when, and by whom.
//!
//! Nothing goes out of the bin by itself. A contact in it keeps its card, its history, what hangs on it and what tells which
//! record it had, so that it can come back as it was after any time; all of that refers to it, and would lead nowhere without
//! it.

use super::detail::{verb, who};
use crate::domain::contact::{Contact, Kind};
use crate::domain::history::{Action, Change, Merged};
use crate::domain::id::{ContactId, RunId};
use crate::domain::time::Timestamp;
use crate::store::{ContactQuery, DeletedContacts, HistoryQuery, Store, StoreError};

/// A contact in the bin.
#[derive(Debug, Clone, PartialEq)]
pub struct Binned {
    /// The contact.
    pub contact: Contact,
    /// Since when.
    pub since: Timestamp,
    /// Who put it there, as people read it.
    pub who: String,
    /// What was done, as people read it.
    pub what: String,
    /// The contact that it was merged into.
    pub into: Option<ContactId>,
    /// What it can be taken back by, besides restoring it.
    pub run: Option<RunId>,
}

/// The contacts in the bin, the last one first.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn bin(store: &dyn Store, kind: Option<Kind>, limit: usize) -> Result<Vec<Binned>, StoreError> {
    let query = ContactQuery { kind, deleted: DeletedContacts::Only, ..ContactQuery::default() };
    let mut contacts: Vec<(Timestamp, Contact)> = store
        .find_contacts(&query)
        .await?
        .into_iter()
        .filter_map(|contact| Some((contact.deleted?, contact)))
        .collect();
    contacts.sort_by_key(|(since, contact)| std::cmp::Reverse((*since, contact.id)));
    contacts.truncate(limit);
    let mut binned = Vec::new();
    for (since, contact) in contacts {
        let deletion = deletion(store, contact.id).await?;
        let deletion = deletion.as_ref();
        binned.push(Binned {
            since,
            who: deletion.map(|change| who(&change.actor)).unwrap_or_default(),
            what: deletion.map_or_else(|| "deleted".to_owned(), verb),
            into: deletion.and_then(Change::merged).and_then(|merged| match merged {
                Merged::Into(survivor) => Some(survivor),
                Merged::With(_) => None,
            }),
            run: deletion.and_then(|change| change.run),
            contact,
        });
    }
    Ok(binned)
}

/// The change that put a contact into the bin.
async fn deletion(store: &dyn Store, contact: ContactId) -> Result<Option<Change>, StoreError> {
    let query = HistoryQuery { contact: Some(contact), ..HistoryQuery::default() };
    let rows = store.history(&query).await?;
    let of_store = rows.into_iter().filter(|row| row.remote.is_none()).map(|row| row.change);
    Ok(of_store.into_iter().find(|change| change.action == Action::Deleted))
}
