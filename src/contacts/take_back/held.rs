//! Contacts that stay because something stays that hangs on them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::entry::{Body, EntryChange};
use crate::domain::id::{ContactId, EntryId};
use crate::store::{EntryQuery, StoreError};

use super::{CHUNK, TakeBack};

impl TakeBack<'_> {
    /// Those of the contacts on which something hangs that was not made by the deed, or that changed since.
    pub(super) async fn held(
        &self,
        contacts: &[ContactId],
        deeds: &BTreeMap<EntryId, Vec<EntryChange>>,
    ) -> Result<BTreeSet<ContactId>, StoreError> {
        let mut held = BTreeSet::new();
        for chunk in contacts.chunks(CHUNK) {
            let query = EntryQuery { contacts: chunk.iter().copied().collect(), ..EntryQuery::default() };
            for entry in self.store.find_entries(&query).await? {
                if matches!(entry.body, Body::Dismissal(_)) {
                    // That two are not the same is nothing that anybody would miss.
                    continue;
                }
                let last = deeds.get(&entry.id).and_then(|rows| rows.last());
                if last.is_none_or(|last| last.after != entry.body) {
                    held.extend(entry.body.contacts());
                }
            }
        }
        Ok(held)
    }
}
