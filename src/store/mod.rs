//! Durable state: contacts, links, cursors, the outbox and the history.
//!
//! A [`Store`] is read through small queries and written through one door: [`Store::commit`] takes a list of writes
//! that belong together and makes all of them true, or none. Nobody holds a transaction open while deciding, and no
//! transaction waits for the network: decide on what was read, commit the consequences, and let the commit refuse when
//! the world has moved (each contact write names the version it was decided on). That makes every step of a run a value
//! that a simulator can cut off before or after.
//!
//! | rows | hold |
//! |---|---|
//! | contact | the card, its version, times; deleted contacts stay with their card |
//! | entry | what hangs on contacts (deals, activities, notes, relations), and definitions; with a history of its own |
//! | contact key | canonical e-mails, phones and names, for finding twins |
//! | change | one row per committed edit, and per write to a remote: history, undo and the feed that tells a run what changed |
//! | link | one contact in one account, with the base and the sighting |
//! | link token, link alias | every token ever minted, every former remote id, and the link they belong to |
//! | account | cursors and what else is remembered between runs |
//! | intent, sent | the outbox and its memory |
//! | ghost, stranger | remote records that are not ours: deleted ones, and those outside every pair |
//! | answer | what people said about whether a contact and a record are the same |
//! | harm | what runs did within the last day that the guards count |
//! | photo | the bytes of photos under the digest that cards name; never removed: the history may lead back to any |
//! | filter | filters that were saved under a name |
//! | conflict, run, lease, grant | what people look at, and who may work |
//!
//! Two implementors obey one conformance suite: `sqlite` and `memory`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Entropy;
use crate::domain::account::AccountState;
use crate::domain::answer::Answer;
use crate::domain::conflict::Conflict;
use crate::domain::contact::{Contact, Kind};
use crate::domain::digest::Digest;
use crate::domain::entry::{Entry, EntryChange, EntryKind, RecordedEntryChange};
use crate::domain::filter::{Condition, Filter, SavedFilter};
use crate::domain::harm::HarmDone;
use crate::domain::history::{Change, RecordedChange, RemoteChange};
use crate::domain::id::{
    AccountName, ConflictId, ContactId, EntryId, Etag, GroupId, ImportId, LinkId, LinkToken, Marker, RemoteId,
    ReplicaId, RunId,
};
use crate::domain::link::Link;
use crate::domain::matching::MatchKey;
use crate::domain::outbox::{Intent, Sent};
use crate::domain::photo::PhotoFile;
use crate::domain::run::RunRecord;
use crate::domain::search::Search;
use crate::domain::time::Timestamp;
use crate::domain::version::VersionVector;

mod check;
pub mod error;
pub mod grant;
mod lease;
mod marker;
pub mod memory;
mod place;
mod private_file;
pub mod sqlite;

pub use error::StoreError;
pub use place::Place;

/// What identifies a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreIdentity {
    /// Random, made when the store was created; part of every link token.
    pub id: String,
    /// Rises when a backup is restored.
    pub epoch: u32,
    /// Key of the hashes of strangers' e-mails and phones; made when the store was created.
    pub hash_key: [u8; 32],
}

impl StoreIdentity {
    /// The identity of a new store.
    fn draw(entropy: &dyn Entropy) -> Self {
        let mut hash_key = [0; 32];
        for (bytes, random) in hash_key.chunks_exact_mut(16).zip([entropy.next_u128(), entropy.next_u128()]) {
            bytes.copy_from_slice(&random.to_be_bytes());
        }
        StoreIdentity { id: format!("{:032x}", entropy.next_u128()), epoch: 1, hash_key }
    }
}

/// Writes that belong together.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The lease under which they are made; the commit is refused when it is no longer held.
    pub fence: Option<Fence>,
    /// In the order in which they take effect.
    pub writes: Vec<Write>,
}

/// The right to work on an account, as of one acquisition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The account.
    pub account: AccountName,
    /// Grows with each acquisition.
    pub token: u64,
}

/// One change of the durable state.
#[derive(Debug, Clone)]
pub enum Write {
    /// Stores a contact and appends the change to the feed. All links of the contact become unsettled unless their
    /// `settled` version equals the contact's new one.
    Contact(Box<ContactWrite>),
    /// Stores an entry and appends the change to the history. The feed of contacts does not show it.
    Entry(Box<EntryWrite>),
    /// Writes nothing, and makes the commit conditional: refused as [`StoreError::Moved`] when another contact than
    /// `contacts` has one of the keys. It looks at the store as it is before the commit and belongs in front of it; who
    /// decided that a contact is new says here what that was decided on.
    Only {
        /// The keys that were looked for.
        keys: BTreeSet<MatchKey>,
        /// The contacts that were found under them.
        contacts: BTreeSet<ContactId>,
    },
    /// Keeps a photo; one that is kept already stays. Who writes a digest into a card writes the photo with it.
    Photo(PhotoFile),
    /// Appends to the history what was written to a remote. It takes a place of its own, and the feed does not show it.
    RemoteChange(Box<RemoteChange>),
    /// Inserts or replaces a link by its id; its token is remembered for ever.
    Link(Box<Link>),
    /// Removes a link that never belonged to a contact (state `Found`), with its tokens and aliases; refused in any
    /// other state. That it is not there is fine.
    DropLink(LinkId),
    /// Remembers that a remote id, no longer the link's own, leads to the link; the last word counts. Where it is some
    /// link's own id as well, it leads to that one.
    Alias {
        /// The account.
        account: AccountName,
        /// The former remote id.
        remote: RemoteId,
        /// The link.
        link: LinkId,
    },
    /// Opens an intent and remembers what it means. Refused when the link has an open one.
    OpenIntent(Box<Intent>, Box<Sent>),
    /// Notes that an open intent is sent again; refused when it is not open.
    ResendIntent(Marker, Timestamp),
    /// Closes an intent; what it meant stays remembered. Closing a closed one is fine.
    CloseIntent(Marker),
    /// Inserts or replaces the state of an account, its pair groups included. `feed_position` is replaced too.
    Account(Box<AccountState>),
    /// Remembers that a remote record that was never linked is deleted.
    Ghost(Ghost),
    /// Inserts or replaces a stranger.
    Stranger(Stranger),
    /// Forgets a stranger.
    DropStranger(AccountName, RemoteId),
    /// Inserts or replaces what was said about a contact and a record.
    Answer(Answer),
    /// Forgets what was said about a contact and a record, if anything was.
    DropAnswer {
        /// The account.
        account: AccountName,
        /// The contact.
        contact: ContactId,
        /// The record.
        remote: RemoteId,
    },
    /// Stores a filter; refused as [`StoreError::Taken`] when there is one of its name.
    AddFilter(Box<SavedFilter>),
    /// Replaces what the filter of this name selects, if there is one. When it was made stays.
    Filter(Box<SavedFilter>),
    /// Removes the filter of this name, if there is one.
    DropFilter(String),
    /// Inserts or replaces a conflict by its id.
    Conflict(Box<Conflict>),
    /// Inserts or replaces a run by its id.
    Run(Box<RunRecord>),
    /// Remembers a harm that was done; of the same one to the same contact the last counts.
    Harm(HarmDone),
    /// Forgets the harm that was done in an account before a time.
    ForgetHarm(AccountName, Timestamp),
    /// Removes everything that is known of an account but its history, and the counter of its replica from every version:
    /// the replica is retired. Contacts stay as they are.
    ForgetAccount(AccountName, ReplicaId),
    /// Begins a new epoch of the store, because its past was restored, and lets markers go on after this one. Every account
    /// is marked as restored and loses its change token.
    RaiseEpoch {
        /// The newest marker of the time that the store has forgotten.
        over: Marker,
    },
}

/// A contact to be stored, and why.
#[derive(Debug, Clone)]
pub struct ContactWrite {
    /// The contact as it is to be.
    pub contact: Contact,
    /// The version it must have now; `None` when it must not exist yet.
    pub expected: Option<VersionVector>,
    /// The row of the feed.
    pub change: Change,
}

/// An entry to be stored, and why.
#[derive(Debug, Clone)]
pub struct EntryWrite {
    /// The entry as it is to be.
    pub entry: Entry,
    /// The version it must have now; `None` when it must not exist yet.
    pub expected: Option<VersionVector>,
    /// The row of the history.
    pub change: EntryChange,
}

/// Which entries to list, in the order of their ids, that is by the time of creation.
#[derive(Debug, Clone, Default)]
pub struct EntryQuery {
    /// Only of these kinds; empty means every kind.
    pub kinds: BTreeSet<EntryKind>,
    /// Only what hangs on any of these contacts; empty means everything.
    pub contacts: BTreeSet<ContactId>,
    /// Only what hangs on this deal.
    pub deal: Option<EntryId>,
    /// Only with this unique name; see [`crate::domain::entry::Body::unique_name`].
    pub unique_name: Option<String>,
    /// Deleted entries instead of, or besides, living ones.
    pub deleted: DeletedContacts,
    /// Continue after this entry.
    pub after: Option<EntryId>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Which rows of the history of entries to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct EntryHistoryQuery {
    /// Only of this entry.
    pub entry: Option<EntryId>,
    /// Only of entries that hung on this contact before or after the change.
    pub contact: Option<ContactId>,
    /// Only what was done under this id.
    pub run: Option<RunId>,
    /// Only of this import.
    pub import: Option<ImportId>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// A deleted remote record that was never linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ghost {
    /// The account.
    pub account: AccountName,
    /// The record.
    pub remote: RemoteId,
    /// When its deletion was seen.
    pub seen: Timestamp,
}

/// A remote contact outside every pair. Nothing readable of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// The account.
    pub account: AccountName,
    /// The record.
    pub remote: RemoteId,
    /// Its etag when last seen.
    pub etag: Option<Etag>,
    /// Keyed hashes of its e-mails and phones.
    pub keys: BTreeSet<Vec<u8>>,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// The place in the feed of each contact written, in order.
    pub changes: Vec<(ContactId, u64)>,
}

/// Which contacts to list.
#[derive(Debug, Clone, Default)]
pub struct ContactQuery {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only with this label, spelled exactly.
    pub label: Option<String>,
    /// Only of this owner; the case of the address does not matter.
    pub owner: Option<String>,
    /// Only people of this organization.
    pub organization: Option<ContactId>,
    /// Only where this text is found; see [`Search`].
    pub text: Option<String>,
    /// Only those that all of these select.
    pub filters: Vec<Filter>,
    /// Deleted contacts instead of, or besides, living ones.
    pub deleted: DeletedContacts,
    /// Continue after this contact, in the order of the answer.
    pub after: Option<ContactId>,
    /// Where that contact stood when it was listed; it may have moved since. Without it, where it stands now.
    pub stood_at: Option<Place>,
    /// At most so many.
    pub limit: Option<u32>,
    /// In this order.
    pub order: ContactOrder,
    /// And in this direction.
    pub direction: ListDirection,
}

impl ContactQuery {
    /// What has to be found, if anything.
    fn search(&self) -> Option<Search> {
        let texts = [&self.text].into_iter().chain(self.filters.iter().map(|filter| &filter.text)).flatten();
        let search = Search::of_all(texts.map(|text| Search::new(text)));
        (!search.terms().is_empty()).then_some(search)
    }

    /// What has to hold.
    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.filters.iter().flat_map(|filter| &filter.conditions)
    }
}

/// Whether deleted contacts are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says it")]
pub enum DeletedContacts {
    #[default]
    Hidden,
    Included,
    Only,
}

impl DeletedContacts {
    /// Whether something is listed that is deleted, or lives.
    pub(crate) fn admit(self, is_deleted: bool) -> bool {
        match self {
            DeletedContacts::Hidden => !is_deleted,
            DeletedContacts::Included => true,
            DeletedContacts::Only => is_deleted,
        }
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ContactOrder {
    /// By id, that is by the time of creation.
    #[default]
    Id,
    /// By family name, then given name; organizations by name. Case and accents do not matter.
    Name,
    /// By the time when they came into the store, then by id.
    Created,
    /// By the time when they last changed, then by id.
    Updated,
}

/// From which end a list begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says it")]
pub enum ListDirection {
    #[default]
    Ascending,
    Descending,
}

/// Which rows of the history to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    /// Only of this contact.
    pub contact: Option<ContactId>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only of this import.
    pub import: Option<ImportId>,
    /// Only older than this place in the feed.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Numbers about one account's links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Links in state `Bound`.
    pub bound: u64,
    /// Links that are not settled.
    pub unsettled: u64,
    /// Links that are parked.
    pub parked: u64,
    /// Those of them that ask a person who is who.
    pub questions: u64,
    /// Open intents.
    pub intents: u64,
    /// Conflicts that wait.
    pub conflicts: u64,
    /// Strangers.
    pub strangers: u64,
}

/// Who asks for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The account.
    pub account: AccountName,
    /// Who asks: unique for a process start, readable by people.
    pub holder: String,
    /// For how long.
    pub ttl: Duration,
    /// A holder that is known to be dead; its lease may be taken over at once.
    pub dead_holder: Option<String>,
}

/// The answer to a request for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAnswer {
    /// Granted.
    Held(Fence),
    /// Somebody else holds it.
    Busy {
        /// Who.
        holder: String,
        /// Until when, unless renewed.
        expires: Timestamp,
    },
}

/// An OAuth grant as stored: sealed, with the row's identity as associated data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedGrant {
    /// The account.
    pub account: AccountName,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
    /// When it was stored.
    pub stored: Timestamp,
}

/// Durable state. See the module for the rules.
///
/// # Errors
/// Every method fails with [`StoreError::Unavailable`] when the database cannot be reached or is locked for too long, and
/// with [`StoreError::Inconsistent`] when a row cannot be what it must be.
#[async_trait]
pub trait Store: Send + Sync {
    /// What identifies this store.
    async fn identity(&self) -> Result<StoreIdentity, StoreError>;

    /// Makes all writes true, or none.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when a contact has another version than the write expects: read again and decide again.
    /// [`StoreError::EntryMoved`] the same of an entry.
    /// [`StoreError::LeaseLost`] when the fence is not the newest of its account or was given back. A lease that only
    /// expired still counts until somebody, its former holder included, acquires it anew: a commit knows no clock, and as
    /// long as nobody else began to work there is nobody to protect.
    /// [`StoreError::Taken`] when a link, a link's token, an intent or an entry's unique name would be there twice.
    /// [`StoreError::Inconsistent`] when a write contradicts itself or names a contact or link that is not there.
    ///
    /// # Cancellation
    /// Safe to drop at any time: the commit then still happens as a whole, or not at all.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// Mints `count` markers, each greater than every marker minted before. Returns the first; the others follow it
    /// one by one.
    async fn mint_markers(&self, count: u64, now: Timestamp) -> Result<Marker, StoreError>;

    /// The newest marker that was minted; zero before the first.
    async fn newest_marker(&self) -> Result<Marker, StoreError>;

    /// The contacts with these ids that exist, deleted ones included, in the order of their ids.
    async fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>, StoreError>;

    /// The contacts that the query selects.
    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>, StoreError>;

    /// Living contacts that have any of these keys, with the key they have; in the order of key and id.
    async fn contacts_with_keys(&self, keys: &BTreeSet<MatchKey>) -> Result<Vec<(MatchKey, ContactId)>, StoreError>;

    /// How many living people each of these organizations has; those without people are missing.
    async fn people_counts(&self, organizations: &[ContactId]) -> Result<BTreeMap<ContactId, u64>, StoreError>;

    /// Contacts that changed after this place in the feed, each once, with the place of its newest change; ordered by
    /// that place; at most `limit`.
    async fn changed_contacts(&self, after: u64, limit: u32) -> Result<Vec<(ContactId, u64)>, StoreError>;

    /// The filter of this name.
    async fn filter(&self, name: &str) -> Result<Option<SavedFilter>, StoreError>;

    /// All saved filters, by name.
    async fn filters(&self) -> Result<Vec<SavedFilter>, StoreError>;

    /// The last place in the feed: that of the newest edit of the store.
    async fn feed_end(&self) -> Result<u64, StoreError>;

    /// Rows of the history, newest first: edits of the store, and what was written to remotes.
    async fn history(&self, query: &HistoryQuery) -> Result<Vec<RecordedChange>, StoreError>;

    /// The entries with these ids that exist, deleted ones included, in the order of their ids.
    async fn entries(&self, ids: &[EntryId]) -> Result<Vec<Entry>, StoreError>;

    /// The entries that the query selects, in the order of their ids.
    async fn find_entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError>;

    /// Rows of the history of entries, newest first.
    async fn entry_history(&self, query: &EntryHistoryQuery) -> Result<Vec<RecordedEntryChange>, StoreError>;

    /// The links with these ids that exist, in the order of their ids.
    async fn links(&self, ids: &[LinkId]) -> Result<Vec<Link>, StoreError>;

    /// The links that these remote ids lead to, by the link's own remote id or by an alias; in the order of the remote
    /// ids.
    async fn links_of_remotes(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<Vec<(RemoteId, Link)>, StoreError>;

    /// The links that these remote ids lead to by an alias, also where a link has such an id as its own by now; in the
    /// order of the remote ids.
    async fn links_of_former_remotes(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<Vec<(RemoteId, Link)>, StoreError>;

    /// The links that these tokens lead to, tokens of former incarnations included; in the order of the tokens.
    async fn links_of_tokens(&self, tokens: &[LinkToken]) -> Result<Vec<(LinkToken, Link)>, StoreError>;

    /// The links of these contacts in one account, in the order of their ids.
    async fn links_of_contacts(&self, account: &AccountName, contacts: &[ContactId]) -> Result<Vec<Link>, StoreError>;

    /// The links of one contact in all accounts, in the order of their ids.
    async fn links_of_contact(&self, contact: ContactId) -> Result<Vec<Link>, StoreError>;

    /// The links of an account that are not settled, by id, after `after`, at most `limit`.
    async fn unsettled_links(
        &self,
        account: &AccountName,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<LinkId>, StoreError>;

    /// Bound links of an account whose photos may differ from what both sides last agreed on (see
    /// [`Link::is_photo_due`]), by id, after `after`, at most `limit`.
    async fn photo_links(
        &self,
        account: &AccountName,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<LinkId>, StoreError>;

    /// The photo of this digest; `None` when none was ever kept.
    async fn photo(&self, digest: &Digest) -> Result<Option<PhotoFile>, StoreError>;

    /// The remote ids of all links of an account whose record a full listing should show, in order: bound ones, and those
    /// found and not taken in yet.
    async fn listed_remotes(&self, account: &AccountName) -> Result<BTreeSet<RemoteId>, StoreError>;

    /// How many records of an account are known to be in each group; groups without any are left out.
    async fn group_sizes(&self, account: &AccountName) -> Result<BTreeMap<GroupId, u64>, StoreError>;

    /// The remote ids of an account that are known to be in a group.
    async fn remotes_in(&self, account: &AccountName, group: &GroupId) -> Result<BTreeSet<RemoteId>, StoreError>;

    /// Numbers about an account's links.
    async fn link_counts(&self, account: &AccountName) -> Result<LinkCounts, StoreError>;

    /// Open intents of an account, by marker.
    async fn open_intents(&self, account: &AccountName) -> Result<Vec<Intent>, StoreError>;

    /// What these markers meant, as far as it is remembered.
    async fn sent(&self, markers: &[Marker]) -> Result<Vec<Sent>, StoreError>;

    /// The state of an account; `None` when it was never stored.
    async fn account(&self, name: &AccountName) -> Result<Option<AccountState>, StoreError>;

    /// The states of all accounts ever stored, by name.
    async fn accounts(&self) -> Result<Vec<AccountState>, StoreError>;

    /// Those of the remote ids that are ghosts, with the time their deletion was seen.
    async fn ghosts(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Timestamp>, StoreError>;

    /// Those of the remote ids that are strangers, with the state in which they were seen last.
    async fn strangers(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Option<Etag>>, StoreError>;

    /// Strangers that have any of these hashed keys.
    async fn strangers_with_keys(
        &self,
        account: &AccountName,
        keys: &BTreeSet<Vec<u8>>,
    ) -> Result<Vec<Stranger>, StoreError>;

    /// What was said about contacts and records of an account, in the order of contact and record.
    async fn answers(&self, account: &AccountName) -> Result<Vec<Answer>, StoreError>;

    /// The harm that was done in an account since a time, that time included; in no promised order.
    async fn harms(&self, account: &AccountName, since: Timestamp) -> Result<Vec<HarmDone>, StoreError>;

    /// Conflicts that wait, oldest first; of one contact, or of all.
    async fn open_conflicts(&self, contact: Option<ContactId>) -> Result<Vec<Conflict>, StoreError>;

    /// A conflict by its id.
    async fn conflict(&self, id: ConflictId) -> Result<Option<Conflict>, StoreError>;

    /// The newest runs, newest first.
    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>, StoreError>;

    /// A run by its id.
    async fn run(&self, id: RunId) -> Result<Option<RunRecord>, StoreError>;

    /// Asks for the right to work on an account. A lease that has expired is taken over; renewing a lease one holds is
    /// asking again under the same holder, which keeps the fencing token. A lease ends at its expiry, that moment
    /// included; who asks from then on gets a new token, the former holder too.
    async fn acquire_lease(&self, request: &LeaseRequest, now: Timestamp) -> Result<LeaseAnswer, StoreError>;

    /// Gives a lease back. Giving back a lease that is no longer held changes nothing.
    async fn release_lease(&self, fence: &Fence) -> Result<(), StoreError>;

    /// The holder of an account's lease, if any holds it now, and until when.
    async fn lease_holder(
        &self,
        account: &AccountName,
        now: Timestamp,
    ) -> Result<Option<(String, Timestamp)>, StoreError>;

    /// The sealed grant of an account.
    async fn grant(&self, account: &AccountName) -> Result<Option<SealedGrant>, StoreError>;

    /// Replaces the sealed grant of an account.
    async fn put_grant(&self, grant: &SealedGrant) -> Result<(), StoreError>;

    /// Forgets the grant of an account; that there is none is no error.
    async fn drop_grant(&self, account: &AccountName) -> Result<(), StoreError>;
}
