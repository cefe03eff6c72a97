//! A store that is older than what was written from it: a backup was restored.
//!
//! Every write to the remote carries a marker that the store counted up before it was sent. A record of ours that shows a
//! marker beyond the newest one can only be from a time that the store has forgotten. Then the store begins a new epoch,
//! so that its counters are never taken for those of the forgotten time; everything is listed, since the change token
//! belongs to a time that is listed already; and one run deletes nothing on either side: what is missing here may be what
//! the backup was restored for.

use super::reached::{self, Situation};
use super::{Doing, EngineError, Purpose, Reach, Run};
use crate::remotes::Tag;
use crate::store::Write;

/// Whether a run may delete contacts or records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletions {
    /// As everything else.
    Carried,
    /// None: the store was restored, and this is its first run.
    Held,
}

impl Run<'_> {
    /// Notes the newest write of ours that a record shows.
    pub(crate) fn note_own_write(&mut self, tag: &Tag) {
        if tag.epoch == self.identity.epoch {
            self.newest_shown = self.newest_shown.max(Some(tag.marker));
        }
    }

    /// Begins a new epoch when the store turns out to be restored; to be called once everything was observed.
    pub(crate) async fn notice_restored_store(&mut self) -> Result<(), EngineError> {
        let Some(shown) = self.newest_shown.take() else { return Ok(()) };
        let known = self.deps.store.newest_marker().await.doing("reading the newest marker")?;
        if shown <= known {
            return Ok(());
        }
        reached::note(Situation::StoreRestored);
        self.deletions = Deletions::Held;
        self.waiting += 1;
        self.notice(
            "the store is older than what was written from it to Google: a backup was restored. Everything is compared \
             with what is there, and nothing is deleted in this run, on either side; `contactsync plan` shows what the \
             next one would delete"
                .to_owned(),
        );
        if self.order.purpose == Purpose::Carry {
            self.commit(vec![Write::RaiseEpoch { over: shown }], "beginning a new epoch of the store").await?;
            self.identity = self.deps.store.identity().await.doing("reading the store's identity")?;
        }
        if self.order.reach == Reach::Incremental && !self.listed_lately() {
            return self.observe_everything().await;
        }
        Ok(())
    }
}
