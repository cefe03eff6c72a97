//! Cuts a run off at a chosen step: a store and a transport that share a fuse. When it blows, the step never returns, and
//! the run is dropped there, as in a crash. The step may have happened by then, or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use contactsync::domain::account::AccountState;
use contactsync::domain::conflict::Conflict;
use contactsync::domain::contact::Contact;
use contactsync::domain::harm::HarmDone;
use contactsync::domain::history::RecordedChange;
use contactsync::domain::id::{AccountName, ConflictId, ContactId, LinkId, LinkToken, Marker, RemoteId, RunId};
use contactsync::domain::link::Link;
use contactsync::domain::matching::MatchKey;
use contactsync::domain::outbox::{Intent, Sent};
use contactsync::domain::run::RunRecord;
use contactsync::domain::time::Timestamp;
use contactsync::remotes::http::{Transport, TransportError};
use contactsync::store::{
    Commit, Committed, ContactQuery, Fence, HistoryQuery, LeaseAnswer, LeaseRequest, LinkCounts, SealedGrant, Store,
    StoreError, StoreIdentity, Stranger,
};

/// On which side of the step the run is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Before,
    After,
    /// The store refuses the step, and the run goes on; only commits can be refused.
    Refused,
}

/// Blows at one step.
#[derive(Debug)]
pub struct Fuse {
    left: AtomicI64,
    cut: Cut,
}

impl Fuse {
    /// Blows at the step of this number, counted from 0.
    pub fn at(step: i64, cut: Cut) -> Arc<Self> {
        Arc::new(Fuse { left: AtomicI64::new(step), cut })
    }

    /// Never blows, but counts.
    pub fn counting() -> Arc<Self> {
        Self::at(i64::MAX, Cut::Before)
    }

    /// How many steps were taken.
    pub fn steps(&self) -> i64 {
        i64::MAX - self.left.load(Ordering::SeqCst)
    }

    /// Takes a step that the store may refuse.
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        if self.cut == Cut::Refused && self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(StoreError::Unavailable { doing: "committing", cause: "the disk is full".into() });
        }
        match self.cut {
            Cut::Refused => store.commit(commit).await,
            Cut::Before | Cut::After => self.step(store.commit(commit)).await,
        }
    }

    async fn step<T>(&self, step: impl Future<Output = T>) -> T {
        if self.cut == Cut::Refused {
            return step.await;
        }
        let blows = self.left.fetch_sub(1, Ordering::SeqCst) == 0;
        if blows && self.cut == Cut::Before {
            return std::future::pending().await;
        }
        let done = step.await;
        if blows {
            return std::future::pending().await;
        }
        done
    }
}

/// A transport with a fuse.
pub struct FusedTransport {
    pub inner: Arc<dyn Transport>,
    pub fuse: Arc<Fuse>,
}

#[async_trait]
impl Transport for FusedTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        self.fuse.step(self.inner.send(request)).await
    }
}

/// A store with a fuse at everything that writes.
pub struct FusedStore {
    pub inner: Arc<dyn Store>,
    pub fuse: Arc<Fuse>,
}

#[async_trait]
impl Store for FusedStore {
    async fn identity(&self) -> Result<StoreIdentity, StoreError> {
        self.inner.identity().await
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.fuse.commit(self.inner.as_ref(), commit).await
    }
    async fn mint_markers(&self, count: u64, now: Timestamp) -> Result<Marker, StoreError> {
        self.fuse.step(self.inner.mint_markers(count, now)).await
    }
    async fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>, StoreError> {
        self.inner.contacts(ids).await
    }
    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>, StoreError> {
        self.inner.find_contacts(query).await
    }
    async fn contacts_with_keys(&self, keys: &BTreeSet<MatchKey>) -> Result<Vec<(MatchKey, ContactId)>, StoreError> {
        self.inner.contacts_with_keys(keys).await
    }
    async fn people_counts(&self, ids: &[ContactId]) -> Result<BTreeMap<ContactId, u64>, StoreError> {
        self.inner.people_counts(ids).await
    }
    async fn changed_contacts(&self, after: u64, limit: u32) -> Result<Vec<(ContactId, u64)>, StoreError> {
        self.inner.changed_contacts(after, limit).await
    }
    async fn feed_end(&self) -> Result<u64, StoreError> {
        self.inner.feed_end().await
    }
    async fn history(&self, query: &HistoryQuery) -> Result<Vec<RecordedChange>, StoreError> {
        self.inner.history(query).await
    }
    async fn links(&self, ids: &[LinkId]) -> Result<Vec<Link>, StoreError> {
        self.inner.links(ids).await
    }
    async fn links_of_remotes(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<Vec<(RemoteId, Link)>, StoreError> {
        self.inner.links_of_remotes(account, remotes).await
    }
    async fn links_of_tokens(&self, tokens: &[LinkToken]) -> Result<Vec<(LinkToken, Link)>, StoreError> {
        self.inner.links_of_tokens(tokens).await
    }
    async fn links_of_contacts(&self, account: &AccountName, contacts: &[ContactId]) -> Result<Vec<Link>, StoreError> {
        self.inner.links_of_contacts(account, contacts).await
    }
    async fn links_of_contact(&self, contact: ContactId) -> Result<Vec<Link>, StoreError> {
        self.inner.links_of_contact(contact).await
    }
    async fn unsettled_links(
        &self,
        account: &AccountName,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<LinkId>, StoreError> {
        self.inner.unsettled_links(account, after, limit).await
    }
    async fn bound_remotes(&self, account: &AccountName) -> Result<BTreeSet<RemoteId>, StoreError> {
        self.inner.bound_remotes(account).await
    }
    async fn link_counts(&self, account: &AccountName) -> Result<LinkCounts, StoreError> {
        self.inner.link_counts(account).await
    }
    async fn open_intents(&self, account: &AccountName) -> Result<Vec<Intent>, StoreError> {
        self.inner.open_intents(account).await
    }
    async fn sent(&self, markers: &[Marker]) -> Result<Vec<Sent>, StoreError> {
        self.inner.sent(markers).await
    }
    async fn account(&self, name: &AccountName) -> Result<Option<AccountState>, StoreError> {
        self.inner.account(name).await
    }
    async fn accounts(&self) -> Result<Vec<AccountState>, StoreError> {
        self.inner.accounts().await
    }
    async fn ghosts(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Timestamp>, StoreError> {
        self.inner.ghosts(account, remotes).await
    }
    async fn strangers_with_keys(
        &self,
        account: &AccountName,
        keys: &BTreeSet<Vec<u8>>,
    ) -> Result<Vec<Stranger>, StoreError> {
        self.inner.strangers_with_keys(account, keys).await
    }
    async fn harms(&self, account: &AccountName, since: Timestamp) -> Result<Vec<HarmDone>, StoreError> {
        self.inner.harms(account, since).await
    }
    async fn open_conflicts(&self, contact: Option<ContactId>) -> Result<Vec<Conflict>, StoreError> {
        self.inner.open_conflicts(contact).await
    }
    async fn conflict(&self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        self.inner.conflict(id).await
    }
    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>, StoreError> {
        self.inner.runs(limit).await
    }
    async fn run(&self, id: RunId) -> Result<Option<RunRecord>, StoreError> {
        self.inner.run(id).await
    }
    async fn acquire_lease(&self, request: &LeaseRequest, now: Timestamp) -> Result<LeaseAnswer, StoreError> {
        self.inner.acquire_lease(request, now).await
    }
    async fn release_lease(&self, fence: &Fence) -> Result<(), StoreError> {
        self.inner.release_lease(fence).await
    }
    async fn lease_holder(
        &self,
        account: &AccountName,
        now: Timestamp,
    ) -> Result<Option<(String, Timestamp)>, StoreError> {
        self.inner.lease_holder(account, now).await
    }
    async fn grant(&self, account: &AccountName) -> Result<Option<SealedGrant>, StoreError> {
        self.inner.grant(account).await
    }
    async fn put_grant(&self, grant: &SealedGrant) -> Result<(), StoreError> {
        self.inner.put_grant(grant).await
    }
}
