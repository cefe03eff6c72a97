//! The lease under which a run works.
//!
//! Every commit carries the fence of the lease, which is renewed before that when it is time. A call can take longer than
//! the lease lasts (the remote may ask to wait for a minute, more than once). Then the lease has to be taken again, and
//! the run goes on if nobody had it in between: fencing tokens are counted without gaps, so the next one tells.

use super::rules::{self, Rule};
use super::{LEASE_RENEWAL, Run};
use crate::domain::history::Action;
use crate::domain::time::Timestamp;
use crate::store::{Commit, Fence, LeaseAnswer, StoreError, Write};

/// A lease as a run holds it.
#[derive(Debug, Clone)]
pub(crate) struct Tenure {
    fence: Fence,
    renewed: Timestamp,
}

impl Tenure {
    /// A lease that was given just now.
    pub(crate) fn begin(fence: Fence, now: Timestamp) -> Self {
        Tenure { fence, renewed: now }
    }
}

impl Run<'_> {
    /// Commits under the lease, renewing it first when it is time. For callers that can act on the store's refusal.
    pub(crate) async fn try_commit(&mut self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.keep_lease().await?;
        let mut writes: Vec<Write> = writes.into_iter().map(|write| self.with_groups_noted(write)).collect();
        self.note_shown_photos(&mut writes);
        let moved: Vec<Action> = writes.iter().filter_map(moved).collect();
        let commit = Commit { fence: rules::holds(Rule::Fence).then(|| self.tenure.fence.clone()), writes };
        self.deps.store.commit(commit).await?;
        moved.into_iter().for_each(|action| self.count_move(action));
        Ok(())
    }

    /// Counts what is in the history by now.
    fn count_move(&mut self, action: Action) {
        let links = &mut self.summary.links;
        match action {
            Action::Joined => links.joined += 1,
            Action::Left => links.left += 1,
            Action::Unlinked => links.unlinked += 1,
            Action::Created | Action::Edited | Action::Deleted | Action::Restored | Action::Linked => {}
        }
    }

    /// What is known of a link's record decides in which groups the record counts.
    fn with_groups_noted(&self, write: Write) -> Write {
        match write {
            Write::Link(mut link) => {
                link.member_of = self.known_groups(&link);
                Write::Link(link)
            }
            other => other,
        }
    }

    /// Copies, into every link that is written, the address of the photo out of the record: there the store can compare it.
    fn note_shown_photos(&self, writes: &mut [Write]) {
        for write in writes {
            if let Write::Link(link) = write {
                link.photo.shown = self.shown_photo(link);
            }
        }
    }

    /// Makes sure that the lease outlives what comes next.
    async fn keep_lease(&mut self) -> Result<(), StoreError> {
        let now = self.now();
        if !rules::holds(Rule::Fence) {
            return Ok(());
        }
        if now.since(self.tenure.renewed) < LEASE_RENEWAL {
            return Ok(());
        }
        let next = self.tenure.fence.token.saturating_add(1);
        match self.deps.store.acquire_lease(&self.order.lease, now).await? {
            LeaseAnswer::Held(fence) if [self.tenure.fence.token, next].contains(&fence.token) => {
                self.tenure = Tenure::begin(fence, now);
                Ok(())
            }
            LeaseAnswer::Held(_) | LeaseAnswer::Busy { .. } => {
                Err(StoreError::LeaseLost { account: self.order.promise.account.to_string() })
            }
        }
    }

    /// Gives a lease back that had to be taken again; the caller only knows the one it gave.
    pub(crate) async fn give_back(&self) -> Result<(), StoreError> {
        if self.tenure.fence == self.order.fence {
            return Ok(());
        }
        self.deps.store.release_lease(&self.tenure.fence).await
    }
}

/// What a write says about a record that was moved or let go.
fn moved(write: &Write) -> Option<Action> {
    match write {
        Write::RemoteChange(row) => Some(row.change.action),
        _ => None,
    }
}
