//! A store that is older than what was written from it: a backup was restored.
//!
//! Every write to the remote carries a marker that the store counted up before it was sent. A record of ours that shows a
//! marker beyond the newest one can only be from a time that the store has forgotten. Then the store begins a new epoch,
//! so that its counters are never taken for those of the forgotten time, and every account is marked: its next run lists
//! everything and deletes nothing on either side, since what is missing may be what the backup was restored for. The mark
//! is in the store before the change token moves, and goes with the run that has compared everything.

use super::reached::{self, Situation};
use super::{Doing, EngineError, Purpose, Run};
use crate::remotes::Tag;
use crate::store::Write;

/// Whether a run may delete contacts or records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletions {
    /// As everything else.
    Carried,
    /// None: the store was restored, and nobody has compared everything since.
    Held,
}

impl Run<'_> {
    /// Whether anything may be deleted.
    pub(crate) fn deletions(&self) -> Deletions {
        if self.state.restored { Deletions::Held } else { Deletions::Carried }
    }

    /// Looks whether records show a write of ours that the store does not know of; `tags` are those of known links.
    pub(crate) async fn notice_restored_store(&mut self, tags: &[Tag]) -> Result<(), EngineError> {
        let own = tags.iter().filter(|tag| tag.epoch == self.identity.epoch);
        let Some(shown) = own.map(|tag| tag.marker).max().filter(|shown| *shown > self.newest_marker) else {
            return Ok(());
        };
        self.newest_marker = self.deps.store.newest_marker().await.doing("reading the newest marker")?;
        if shown <= self.newest_marker {
            return Ok(());
        }
        reached::note(Situation::StoreRestored);
        (self.state.restored, self.state.contacts) = (true, None);
        if self.order.purpose == Purpose::Carry {
            let state = Write::Account(Box::new(self.state.clone()));
            self.commit(vec![state, Write::RaiseEpoch { over: shown }], "beginning a new epoch of the store").await?;
            self.identity = self.deps.store.identity().await.doing("reading the store's identity")?;
        }
        self.newest_marker = self.newest_marker.max(shown);
        Ok(())
    }

    /// Tells that nothing is deleted, and ends that once everything was compared.
    pub(crate) fn conclude_restored(&mut self) {
        if !self.state.restored {
            return;
        }
        self.notice(
            "the store is older than what was written from it to Google: a backup was restored. Everything is compared \
             with what is there, and nothing is deleted in this run, on either side; `contactsync plan` shows what the \
             next one would delete"
                .to_owned(),
        );
        self.waiting += 1;
        self.state.restored = !self.listed_whole;
    }
}
