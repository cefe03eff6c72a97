//! The entries of a commit: made, edited, put into the bin, taken out of it, moved from one contact to another.

use std::collections::BTreeSet;

use super::{Draft, How};
use crate::domain::entry::{Body, Entry, EntryChange};
use crate::domain::history::Action;
use crate::domain::id::{ContactId, EntryId};
use crate::domain::version::VersionVector;
use crate::store::{DeletedContacts, EntryQuery, EntryWrite, StoreError, Write};

/// An entry as it was and as it is to be.
pub(super) struct PendingEntry {
    before: Option<Entry>,
    after: Entry,
}

impl Draft<'_> {
    /// A new entry that says this.
    pub(in crate::contacts) fn add_entry(&mut self, body: Body) -> EntryId {
        let (created, updated) = (self.now, self.now);
        let id = EntryId::new(self.now, self.entropy.next_u128());
        let after = Entry { id, body, version: VersionVector::new(), created, updated, deleted: None };
        self.entries.insert(id, PendingEntry { before: None, after });
        id
    }

    /// An entry as it is to be so far; `None` when there is none of this id.
    pub(in crate::contacts) async fn entry(&mut self, id: EntryId) -> Result<Option<&mut Entry>, StoreError> {
        if !self.entries.contains_key(&id)
            && let Some(entry) = self.store.entries(&[id]).await?.pop()
        {
            self.know_entry(entry);
        }
        Ok(self.entries.get_mut(&id).map(|pending| &mut pending.after))
    }

    /// The living entries that a query selects, as they are to be so far.
    pub(in crate::contacts) async fn entries(&mut self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        let found = self.store.find_entries(query).await?;
        let ids: Vec<EntryId> = found.iter().map(|entry| entry.id).collect();
        found.into_iter().for_each(|entry| self.know_entry(entry));
        Ok(ids.into_iter().filter_map(|id| self.entries.get(&id)).map(|pending| pending.after.clone()).collect())
    }

    fn know_entry(&mut self, entry: Entry) {
        let pending = || PendingEntry { before: Some(entry.clone()), after: entry.clone() };
        self.entries.entry(entry.id).or_insert_with(pending);
    }

    /// Lets everything that hangs on one contact hang on another, deleted entries included. A relation that would relate
    /// an organization to itself, or repeat one that is there, goes to the bin.
    pub(in crate::contacts) async fn move_entries(&mut self, from: ContactId, to: ContactId) -> Result<(), StoreError> {
        let on = |contact| EntryQuery {
            contacts: BTreeSet::from([contact]),
            deleted: DeletedContacts::Included,
            ..EntryQuery::default()
        };
        let there = self.entries(&on(to)).await?;
        let mut couples: BTreeSet<String> =
            there.iter().filter(|entry| entry.is_live()).filter_map(|entry| entry.body.unique_name()).collect();
        for entry in self.entries(&on(from)).await? {
            let Some(pending) = self.entries.get_mut(&entry.id) else { continue };
            let moved = entry.body.moved(from, to);
            let mut is_new = |body: &Body| body.unique_name().is_none_or(|name| couples.insert(name));
            match moved.filter(|body| !entry.is_live() || is_new(body)) {
                Some(body) => pending.after.body = body,
                None => {
                    pending.after.deleted.get_or_insert(self.now);
                }
            }
        }
        Ok(())
    }
}

impl PendingEntry {
    /// The entry as it is afterwards, and the write that makes it so; no write when it stays as it is.
    pub(super) fn finish(self, how: &How<'_>) -> (Entry, Option<Write>) {
        let How { replica, now, actor, run } = *how;
        let PendingEntry { before, mut after } = self;
        let action = match &before {
            None => Action::Created,
            Some(before) if before.is_live() && !after.is_live() => Action::Deleted,
            Some(before) if !before.is_live() && after.is_live() => Action::Restored,
            Some(before) if before.body == after.body => return (after, None),
            Some(_) => Action::Edited,
        };
        after.version.tick(replica);
        after.updated = now;
        let change = EntryChange {
            entry: after.id,
            at: now,
            actor: actor.clone(),
            run,
            action,
            before: before.as_ref().map(|before| before.body.clone()),
            after: after.body.clone(),
        };
        let expected = before.map(|before| before.version);
        (after.clone(), Some(Write::Entry(Box::new(EntryWrite { entry: after, expected, change }))))
    }
}
