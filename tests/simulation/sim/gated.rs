//! A store and a transport with a gate before everything that leaves the process or becomes durable. Who keeps the gate
//! decides whether a step is taken, refused, or never comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use contactsync::domain::account::AccountState;
use contactsync::domain::answer::Answer;
use contactsync::domain::conflict::Conflict;
use contactsync::domain::contact::Contact;
use contactsync::domain::digest::Digest;
use contactsync::domain::entry::{Entry, RecordedEntryChange};
use contactsync::domain::filter::SavedFilter;
use contactsync::domain::harm::HarmDone;
use contactsync::domain::history::RecordedChange;
use contactsync::domain::id::{
    AccountName, ConflictId, ContactId, EntryId, Etag, GroupId, LinkId, LinkToken, Marker, RemoteId, RunId,
};
use contactsync::domain::link::Link;
use contactsync::domain::matching::MatchKey;
use contactsync::domain::outbox::{Intent, Sent};
use contactsync::domain::photo::PhotoFile;
use contactsync::domain::run::RunRecord;
use contactsync::domain::time::Timestamp;
use contactsync::remotes::http::{Transport, TransportError};
use contactsync::store::{
    Commit, Committed, ContactQuery, EntryHistoryQuery, EntryQuery, Fence, HistoryQuery, LeaseAnswer, LeaseRequest,
    LinkCounts, SealedGrant, Store, StoreError, StoreIdentity, Stranger,
};

/// Keeps the gate.
#[async_trait]
pub trait Gate: Send + Sync {
    /// A commit wants to pass.
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError>;

    /// Markers are about to be minted.
    async fn mint(&self, store: &dyn Store, count: u64, now: Timestamp) -> Result<Marker, StoreError>;

    /// A request wants to pass.
    async fn send(
        &self,
        transport: &dyn Transport,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError>;
}

/// A transport with a gate.
pub struct GatedTransport {
    pub inner: Arc<dyn Transport>,
    pub gate: Arc<dyn Gate>,
}

#[async_trait]
impl Transport for GatedTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        self.gate.send(self.inner.as_ref(), request).await
    }
}

/// A store with a gate before everything that writes.
pub struct GatedStore {
    pub inner: Arc<dyn Store>,
    pub gate: Arc<dyn Gate>,
}

#[async_trait]
impl Store for GatedStore {
    async fn identity(&self) -> Result<StoreIdentity, StoreError> {
        self.inner.identity().await
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.gate.commit(self.inner.as_ref(), commit).await
    }
    async fn mint_markers(&self, count: u64, now: Timestamp) -> Result<Marker, StoreError> {
        self.gate.mint(self.inner.as_ref(), count, now).await
    }
    async fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>, StoreError> {
        self.inner.contacts(ids).await
    }
    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>, StoreError> {
        self.inner.find_contacts(query).await
    }
    async fn filter(&self, name: &str) -> Result<Option<SavedFilter>, StoreError> {
        self.inner.filter(name).await
    }
    async fn filters(&self) -> Result<Vec<SavedFilter>, StoreError> {
        self.inner.filters().await
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
    async fn entries(&self, ids: &[EntryId]) -> Result<Vec<Entry>, StoreError> {
        self.inner.entries(ids).await
    }
    async fn find_entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        self.inner.find_entries(query).await
    }
    async fn entry_history(&self, query: &EntryHistoryQuery) -> Result<Vec<RecordedEntryChange>, StoreError> {
        self.inner.entry_history(query).await
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
    async fn links_of_former_remotes(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<Vec<(RemoteId, Link)>, StoreError> {
        self.inner.links_of_former_remotes(account, remotes).await
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
    async fn newest_marker(&self) -> Result<Marker, StoreError> {
        self.inner.newest_marker().await
    }

    async fn group_sizes(&self, account: &AccountName) -> Result<BTreeMap<GroupId, u64>, StoreError> {
        self.inner.group_sizes(account).await
    }

    async fn remotes_in(&self, account: &AccountName, group: &GroupId) -> Result<BTreeSet<RemoteId>, StoreError> {
        self.inner.remotes_in(account, group).await
    }

    async fn photo_links(
        &self,
        account: &AccountName,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<LinkId>, StoreError> {
        self.inner.photo_links(account, after, limit).await
    }

    async fn photo(&self, digest: &Digest) -> Result<Option<PhotoFile>, StoreError> {
        self.inner.photo(digest).await
    }

    async fn listed_remotes(&self, account: &AccountName) -> Result<BTreeSet<RemoteId>, StoreError> {
        self.inner.listed_remotes(account).await
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
    async fn strangers(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Option<Etag>>, StoreError> {
        self.inner.strangers(account, remotes).await
    }
    async fn strangers_with_keys(
        &self,
        account: &AccountName,
        keys: &BTreeSet<Vec<u8>>,
    ) -> Result<Vec<Stranger>, StoreError> {
        self.inner.strangers_with_keys(account, keys).await
    }
    async fn answers(&self, account: &AccountName) -> Result<Vec<Answer>, StoreError> {
        self.inner.answers(account).await
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
    async fn drop_grant(&self, account: &AccountName) -> Result<(), StoreError> {
        self.inner.drop_grant(account).await
    }
}
