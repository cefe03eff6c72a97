//! The rule of leases, shared by every implementor: who may work on an account, as of when.

use super::LeaseRequest;
use crate::domain::time::Timestamp;

/// The lease of an account as it is kept; it outlives its holders, so that the token never starts again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeaseRow {
    /// Who holds it; `None` when it was given back.
    pub holder: Option<String>,
    /// Grows with each acquisition.
    pub token: u64,
    /// When it ends unless renewed; from then on, that moment included, anybody may have it.
    pub expires: Timestamp,
}

impl LeaseRow {
    /// Who holds the lease at `now`.
    pub(super) fn holder_at(&self, now: Timestamp) -> Option<&str> {
        self.holder.as_deref().filter(|_| now < self.expires)
    }

    /// What becomes of the lease when `request` asks for it at `now`: the lease as the asker now holds it, or the lease
    /// as somebody else holds it.
    ///
    /// Who holds it already renews it under the same token. Whoever let it expire gets a new token, even when nobody
    /// else asked in between: what was begun under the old one ends there.
    pub(super) fn ask(current: Option<LeaseRow>, request: &LeaseRequest, now: Timestamp) -> Result<LeaseRow, LeaseRow> {
        let expires = now.plus(request.ttl);
        let held = |token| Ok(LeaseRow { holder: Some(request.holder.clone()), token, expires });
        let Some(current) = current else { return held(1) };
        match current.holder_at(now) {
            Some(holder) if holder == request.holder => held(current.token),
            Some(holder) if request.dead_holder.as_deref() != Some(holder) => Err(current),
            Some(_) | None => held(current.token.saturating_add(1)),
        }
    }
}
