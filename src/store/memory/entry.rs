//! Entries in memory.

use super::draft::Draft;
use super::state::State;
use crate::domain::entry::{Entry, RecordedEntryChange};
use crate::domain::history::Actor;
use crate::store::{EntryHistoryQuery, EntryQuery, EntryWrite, StoreError};

/// Stores an entry that has the expected version, or does not exist when none is expected, and appends the change.
pub(super) fn put(draft: &mut Draft<'_>, write: EntryWrite) -> Result<(), StoreError> {
    let EntryWrite { entry, expected, change } = write;
    let (id, state) = (entry.id, draft.state());
    if state.entries.get(&id).map(|current| &current.version) != expected.as_ref() {
        return Err(StoreError::EntryMoved { entry: id });
    }
    if let Some(name) = entry.body.unique_name().filter(|_| entry.is_live()) {
        let mut others = state.entries.values().filter(|other| other.id != id && other.is_live());
        if others
            .any(|other| other.body.kind() == entry.body.kind() && other.body.unique_name().as_ref() == Some(&name))
        {
            return Err(StoreError::entry_taken(&entry.body));
        }
    }
    if let Some(missing) = change.contacts().iter().find(|contact| !state.contacts.contains_key(contact)) {
        return Err(StoreError::inconsistent("entry_contact", "contact", missing));
    }
    if entry.body.deal().is_some_and(|deal| !state.entries.contains_key(&deal)) {
        return Err(StoreError::inconsistent("entry", "deal", &id));
    }
    let sequence = state.last_place() + 1;
    draft.put(|state| &mut state.entries, id, entry);
    draft.put(|state| &mut state.entry_changes, sequence, RecordedEntryChange { sequence, change });
    Ok(())
}

/// The entries that the query selects, in the order of their ids.
pub(super) fn find(state: &State, wanted: &EntryQuery) -> Vec<Entry> {
    let found = state.entries.values().filter(|entry| is_wanted(entry, wanted));
    found.take(wanted.limit.map_or(usize::MAX, |limit| limit as usize)).cloned().collect()
}

fn is_wanted(entry: &Entry, wanted: &EntryQuery) -> bool {
    wanted.deleted.admit(entry.deleted.is_some())
        && (wanted.kinds.is_empty() || wanted.kinds.contains(&entry.body.kind()))
        && (wanted.contacts.is_empty() || !wanted.contacts.is_disjoint(&entry.body.contacts()))
        && wanted.deal.is_none_or(|deal| entry.body.deal() == Some(deal))
        && wanted.unique_name.as_ref().is_none_or(|name| entry.body.unique_name().as_ref() == Some(name))
        && wanted.after.is_none_or(|after| entry.id > after)
}

/// Rows of the history of entries, newest first.
pub(super) fn history(state: &State, wanted: &EntryHistoryQuery) -> Vec<RecordedEntryChange> {
    let rows = state.entry_changes.values().rev();
    let found = rows
        .filter(|row| wanted.entry.is_none_or(|entry| row.change.entry == entry))
        .filter(|row| wanted.contact.is_none_or(|contact| row.change.contacts().contains(&contact)))
        .filter(|row| wanted.run.is_none_or(|run| row.change.run == Some(run)))
        .filter(|row| wanted.import.is_none_or(|import| row.change.actor == Actor::Import { import }));
    found.take(wanted.limit.map_or(usize::MAX, |limit| limit as usize)).cloned().collect()
}
