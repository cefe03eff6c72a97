//! The store in one SQLite file.
//!
//! One connection writes, a few read. Every write is one transaction that takes the write lock at its start, so two
//! processes on one file wait for each other and never fail half-way. A transaction runs as a task of its own: whoever
//! asked for it may go away, and it still ends as a whole. Each file here holds the rows of one subject; `commit` calls
//! them in order.
//!
//! The file is readable by its owner only, and so are the two files that SQLite keeps beside it.

mod account;
mod answer;
mod commit;
mod conflict;
mod contact;
mod entry;
mod error;
mod filter;
mod find;
mod forget;
mod grant;
mod harm;
mod history;
mod lease;
mod link;
mod link_write;
mod meta;
mod migration;
mod outbox;
mod outsider;
mod photo;
mod query;
mod row;
mod run;
pub mod swap;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tracing::Instrument;

use self::error::{not_created, unavailable, unopened};
use super::private_file;
use super::{
    Commit, Committed, ContactQuery, EntryHistoryQuery, EntryQuery, Fence, HistoryQuery, LeaseAnswer, LeaseRequest,
    LinkCounts, SealedGrant, Store, StoreError, StoreIdentity, Stranger,
};
use crate::clock::Entropy;
use crate::domain::account::AccountState;
use crate::domain::answer::Answer;
use crate::domain::conflict::Conflict;
use crate::domain::contact::Contact;
use crate::domain::digest::Digest;
use crate::domain::entry::{Entry, RecordedEntryChange};
use crate::domain::filter::SavedFilter;
use crate::domain::harm::HarmDone;
use crate::domain::history::RecordedChange;
use crate::domain::id::{
    AccountName, ConflictId, ContactId, EntryId, Etag, GroupId, LinkId, LinkToken, Marker, RemoteId, RunId,
};
use crate::domain::link::Link;
use crate::domain::matching::MatchKey;
use crate::domain::outbox::{Intent, Sent};
use crate::domain::photo::PhotoFile;
use crate::domain::run::RunRecord;
use crate::domain::time::Timestamp;

/// How long a connection waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Readers beside the one writer.
const READERS_MAX: u32 = 4;

/// The store in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    reader: SqlitePool,
}

impl SqliteStore {
    /// Opens the store in the file at `path`; creates file and folder when they are missing, and brings the schema up to
    /// date. A new store draws its identity from `entropy`.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] when a newer version of this program made the file; it is left as it was.
    /// [`StoreError::Unusable`] when the file cannot be created or opened, or is not a database;
    /// [`StoreError::Unavailable`] when it may be another time.
    pub fn open<'o>(path: &'o Path, entropy: &'o dyn Entropy) -> BoxFuture<'o, Result<Self, StoreError>> {
        Box::pin(Self::opened(path, entropy))
    }

    async fn opened(path: &Path, entropy: &dyn Entropy) -> Result<Self, StoreError> {
        const DOING: &str = "opening the database file";
        private_file::create_when_missing(path).map_err(not_created(DOING))?;
        let options = SqliteConnectOptions::new().filename(path).foreign_keys(true).busy_timeout(BUSY_TIMEOUT);
        let pool = || SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None).test_before_acquire(false);
        let whole = |pool: SqlitePoolOptions| pool.after_release(|connection, _| Box::pin(is_whole(connection)));
        let writing = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let writer = whole(pool()).max_connections(1).connect_with(writing).await.map_err(unopened(DOING))?;
        if let Err(error) = migration::bring_up_to_date(&writer, entropy).await {
            writer.close().await;
            return Err(error);
        }
        let reading = options.read_only(true);
        let reader = pool().max_connections(READERS_MAX).connect_with(reading).await.map_err(unopened(DOING))?;
        Ok(SqliteStore { writer, reader })
    }

    /// Whether the file at `path` holds a store, of this or another version of this program. Nothing is written.
    ///
    /// # Errors
    /// The file cannot be opened, or is no database.
    pub async fn is_store(path: &Path) -> Result<bool, StoreError> {
        const DOING: &str = "looking into a database file";
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
        let mut connection = SqliteConnection::connect_with(&options).await.map_err(unopened(DOING))?;
        let found =
            sqlx::query("SELECT name FROM sqlite_master WHERE name IN ('store_meta', 'contact', '_sqlx_migrations')")
                .fetch_all(&mut connection)
                .await
                .map_err(unopened(DOING));
        connection.close().await.map_err(unavailable(DOING))?;
        Ok(found?.len() == 3)
    }

    /// Writes a copy of the whole store, as of one moment, into a new file at `path`. Commits go on meanwhile.
    ///
    /// The copy has the identity and the leases of the original; it is for looking at what would happen, not for
    /// working on accounts.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is a file already, or the copy cannot be written.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        const DOING: &str = "copying the database";
        let failed = |cause: std::io::Error| StoreError::Unavailable { doing: DOING, cause: Box::new(cause) };
        let Some(target) = path.to_str() else {
            // The database takes texts only, and would make the copy under another name.
            return Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, "the path is not UTF-8")));
        };
        private_file::create(path).map_err(failed)?;
        // SQLite fills an empty file and leaves its mode alone.
        let copied = sqlx::query("VACUUM INTO $1").bind(target.to_owned()).execute(&self.reader).await;
        if let Err(cause) = copied {
            // A half-written copy is of no use; that it cannot be removed either is the smaller trouble.
            let _ = std::fs::remove_file(path);
            return Err(unavailable(DOING)(cause));
        }
        Ok(())
    }

    /// Closes all connections, after what they are doing. The readers go first, so that the writer, the last one,
    /// can fold the journal into the database file.
    pub async fn close(self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// A connection for a read of one statement.
    async fn connection(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.reader.acquire().await.map_err(unavailable("beginning to read"))
    }

    /// A view of the store as of one moment, for reads of several statements.
    async fn view(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.reader.begin().await.map_err(unavailable("beginning to read"))
    }

    /// Runs `work` to its end, whether or not the caller waits for it.
    async fn to_its_end<T, W>(doing: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        match tokio::spawn(work.in_current_span()).await {
            Ok(result) => result,
            Err(cause) => Err(StoreError::Unavailable { doing, cause: Box::new(cause) }),
        }
    }
}

/// Whether a connection that was given back can be used again. When the disk is full, SQLite ends a transaction by itself;
/// the library does not notice, takes it to go on for ever, and refuses to begin another one.
async fn is_whole(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // What was dropped is rolled back before this is answered.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

#[async_trait]
impl Store for SqliteStore {
    async fn identity(&self) -> Result<StoreIdentity, StoreError> {
        meta::load_identity(&mut *self.connection().await?).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let pool = self.writer.clone();
        Self::to_its_end("committing", async move { commit::run(&pool, commit).await }).await
    }

    async fn mint_markers(&self, count: u64, now: Timestamp) -> Result<Marker, StoreError> {
        let pool = self.writer.clone();
        Self::to_its_end("minting markers", async move { meta::mint_markers(&pool, count, now).await }).await
    }

    async fn newest_marker(&self) -> Result<Marker, StoreError> {
        meta::newest_marker(&mut *self.connection().await?).await
    }

    async fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>, StoreError> {
        contact::load(&mut *self.view().await?, ids).await
    }

    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>, StoreError> {
        find::contacts(&mut *self.view().await?, query).await
    }

    async fn filter(&self, name: &str) -> Result<Option<SavedFilter>, StoreError> {
        filter::load(&mut *self.connection().await?, name).await
    }

    async fn filters(&self) -> Result<Vec<SavedFilter>, StoreError> {
        filter::load_all(&mut *self.connection().await?).await
    }

    async fn contacts_with_keys(&self, keys: &BTreeSet<MatchKey>) -> Result<Vec<(MatchKey, ContactId)>, StoreError> {
        contact::with_keys(&mut *self.view().await?, keys).await
    }

    async fn people_counts(&self, organizations: &[ContactId]) -> Result<BTreeMap<ContactId, u64>, StoreError> {
        contact::count_people(&mut *self.view().await?, organizations).await
    }

    async fn changed_contacts(&self, after: u64, limit: u32) -> Result<Vec<(ContactId, u64)>, StoreError> {
        contact::changed(&mut *self.connection().await?, after, limit).await
    }

    async fn feed_end(&self) -> Result<u64, StoreError> {
        meta::feed_end(&mut *self.connection().await?).await
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<RecordedChange>, StoreError> {
        history::load(&mut *self.connection().await?, query).await
    }

    async fn entries(&self, ids: &[EntryId]) -> Result<Vec<Entry>, StoreError> {
        entry::load(&mut *self.connection().await?, ids).await
    }

    async fn find_entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        entry::find(&mut *self.connection().await?, query).await
    }

    async fn entry_history(&self, query: &EntryHistoryQuery) -> Result<Vec<RecordedEntryChange>, StoreError> {
        entry::history(&mut *self.connection().await?, query).await
    }

    async fn links(&self, ids: &[LinkId]) -> Result<Vec<Link>, StoreError> {
        link::load(&mut *self.view().await?, ids).await
    }

    async fn links_of_remotes(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<Vec<(RemoteId, Link)>, StoreError> {
        link::of_remotes(&mut *self.view().await?, account, remotes).await
    }

    async fn links_of_former_remotes(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<Vec<(RemoteId, Link)>, StoreError> {
        let found = link::of_aliases(&mut *self.view().await?, account, remotes).await?;
        Ok(found.into_iter().collect())
    }

    async fn links_of_tokens(&self, tokens: &[LinkToken]) -> Result<Vec<(LinkToken, Link)>, StoreError> {
        link::of_tokens(&mut *self.view().await?, tokens).await
    }

    async fn links_of_contacts(&self, account: &AccountName, contacts: &[ContactId]) -> Result<Vec<Link>, StoreError> {
        link::of_contacts(&mut *self.view().await?, account, contacts).await
    }

    async fn links_of_contact(&self, contact: ContactId) -> Result<Vec<Link>, StoreError> {
        link::of_contact(&mut *self.connection().await?, contact).await
    }

    async fn unsettled_links(
        &self,
        account: &AccountName,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<LinkId>, StoreError> {
        link::unsettled(&mut *self.connection().await?, account, after, limit).await
    }

    async fn photo_links(
        &self,
        account: &AccountName,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<LinkId>, StoreError> {
        link::photo_due(&mut *self.connection().await?, account, after, limit).await
    }

    async fn photo(&self, digest: &Digest) -> Result<Option<PhotoFile>, StoreError> {
        photo::load(&mut *self.connection().await?, digest).await
    }

    async fn listed_remotes(&self, account: &AccountName) -> Result<BTreeSet<RemoteId>, StoreError> {
        link::listed_remotes(&mut *self.connection().await?, account).await
    }

    async fn group_sizes(&self, account: &AccountName) -> Result<BTreeMap<GroupId, u64>, StoreError> {
        link::group_sizes(&mut *self.connection().await?, account).await
    }

    async fn remotes_in(&self, account: &AccountName, group: &GroupId) -> Result<BTreeSet<RemoteId>, StoreError> {
        link::remotes_in(&mut *self.connection().await?, account, group).await
    }

    async fn link_counts(&self, account: &AccountName) -> Result<LinkCounts, StoreError> {
        link::counts(&mut *self.connection().await?, account).await
    }

    async fn open_intents(&self, account: &AccountName) -> Result<Vec<Intent>, StoreError> {
        outbox::open_intents(&mut *self.connection().await?, account).await
    }

    async fn sent(&self, markers: &[Marker]) -> Result<Vec<Sent>, StoreError> {
        outbox::sent(&mut *self.view().await?, markers).await
    }

    async fn account(&self, name: &AccountName) -> Result<Option<AccountState>, StoreError> {
        account::load(&mut *self.view().await?, name).await
    }

    async fn accounts(&self) -> Result<Vec<AccountState>, StoreError> {
        account::load_all(&mut *self.view().await?).await
    }

    async fn ghosts(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Timestamp>, StoreError> {
        outsider::ghosts(&mut *self.view().await?, account, remotes).await
    }

    async fn strangers(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Option<Etag>>, StoreError> {
        outsider::strangers(&mut *self.view().await?, account, remotes).await
    }

    async fn strangers_with_keys(
        &self,
        account: &AccountName,
        keys: &BTreeSet<Vec<u8>>,
    ) -> Result<Vec<Stranger>, StoreError> {
        outsider::strangers_with_keys(&mut *self.view().await?, account, keys).await
    }

    async fn answers(&self, account: &AccountName) -> Result<Vec<Answer>, StoreError> {
        answer::of_account(&mut *self.connection().await?, account).await
    }

    async fn harms(&self, account: &AccountName, since: Timestamp) -> Result<Vec<HarmDone>, StoreError> {
        harm::since(&mut *self.connection().await?, account, since).await
    }

    async fn open_conflicts(&self, contact: Option<ContactId>) -> Result<Vec<Conflict>, StoreError> {
        conflict::waiting(&mut *self.connection().await?, contact).await
    }

    async fn conflict(&self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        conflict::load(&mut *self.connection().await?, id).await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>, StoreError> {
        run::newest(&mut *self.connection().await?, limit).await
    }

    async fn run(&self, id: RunId) -> Result<Option<RunRecord>, StoreError> {
        run::load(&mut *self.connection().await?, id).await
    }

    async fn acquire_lease(&self, request: &LeaseRequest, now: Timestamp) -> Result<LeaseAnswer, StoreError> {
        let (pool, request) = (self.writer.clone(), request.clone());
        Self::to_its_end("acquiring a lease", async move { lease::acquire(&pool, request, now).await }).await
    }

    async fn release_lease(&self, fence: &Fence) -> Result<(), StoreError> {
        let (pool, fence) = (self.writer.clone(), fence.clone());
        Self::to_its_end("releasing a lease", async move { lease::release(&pool, fence).await }).await
    }

    async fn lease_holder(
        &self,
        account: &AccountName,
        now: Timestamp,
    ) -> Result<Option<(String, Timestamp)>, StoreError> {
        lease::holder(&mut *self.connection().await?, account, now).await
    }

    async fn grant(&self, account: &AccountName) -> Result<Option<SealedGrant>, StoreError> {
        grant::load(&mut *self.connection().await?, account).await
    }

    async fn put_grant(&self, grant: &SealedGrant) -> Result<(), StoreError> {
        let (pool, grant) = (self.writer.clone(), grant.clone());
        Self::to_its_end("storing a grant", async move { grant::put(&pool, grant).await }).await
    }

    async fn drop_grant(&self, account: &AccountName) -> Result<(), StoreError> {
        let (pool, account) = (self.writer.clone(), account.clone());
        Self::to_its_end("forgetting a grant", async move { grant::drop(&pool, &account).await }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use crate::store::{Ghost, Write};

    fn ghosts(count: u32) -> Commit {
        let ghost = |number| {
            let remote = RemoteId::new(format!("people/{number:0>1000}"));
            Write::Ghost(Ghost { account: AccountName::new("sales"), remote, seen: Timestamp::EPOCH })
        };
        Commit { fence: None, writes: (0..count).map(ghost).collect() }
    }

    // As when the disk is full for a while: nothing of it is written, and what comes later is.
    #[tokio::test]
    async fn a_database_that_was_full_takes_writes_again_when_there_is_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("contacts.db"), &SystemEntropy).await.expect("opened");
        // The limit goes with the connection, as the cause of a full disk goes with whoever cleans up.
        sqlx::query("PRAGMA max_page_count = 1").execute(&store.writer).await.expect("limited");
        let full = store.commit(ghosts(500)).await.expect_err("no room");
        assert!(format!("{full:?}").contains("full"), "{full:?}");
        store.mint_markers(1, Timestamp::EPOCH).await.expect("there is room again");
        store.commit(ghosts(500)).await.expect("for everything");
        let remotes: Vec<RemoteId> = (0..500).map(|number| RemoteId::new(format!("people/{number:0>1000}"))).collect();
        assert_eq!(store.ghosts(&AccountName::new("sales"), &remotes).await.expect("read").len(), 500);
    }
}
