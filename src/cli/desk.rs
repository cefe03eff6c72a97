//! What commands that work on the store find on their desk.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::config::{Config, KeyPlace};
use crate::contacts::detail::Detail;
use crate::contacts::edit::Editor;
use crate::contacts::show::{Company, Shown, page};
use crate::daemon::worker::{Parts, Worker};
use crate::domain::contact::{Contact, Kind};
use crate::domain::history::Actor;
use crate::engine::chain;
use crate::remotes::http::{ReqwestTransport, Transport};
use crate::store::grant::SealingKey;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};

use super::output::Output;
use super::scratch::Scratch;

/// Everything a command on the store works with.
pub struct Desk {
    /// The configuration.
    pub config: Config,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The same, as the file that it is.
    pub database: SqliteStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub entropy: Arc<dyn Entropy>,
    /// Where answers and remarks go.
    pub out: Arc<Output>,
    /// Shared by all workers on the store.
    settling: Arc<tokio::sync::Mutex<()>>,
    /// Holds the empty store that stands in for one that is not there yet.
    stand_in: Option<Scratch>,
}

impl Desk {
    /// Opens the store that the configuration names and puts everything in its place. Whoever leaves the desk closes the
    /// database, so that it is one file again.
    ///
    /// # Errors
    /// What the database or its folder says.
    pub async fn open(config: Config, out: Arc<Output>) -> anyhow::Result<Self> {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let database = match SqliteStore::open(&config.store.path, entropy.as_ref()).await {
            Ok(database) => database,
            Err(StoreError::Unusable { cause, .. }) => {
                let mut told = chain(&*cause);
                if told.ends_with("malformed") || told.ends_with("not a database") {
                    told.push_str("; `contactsync restore FILE` puts a backup in its place");
                }
                return Err(config.unusable_store(&told).into());
            }
            Err(error) => return Err(unopened(&config.store.path)(error)),
        };
        Ok(Desk::at(config, database, entropy, out))
    }

    /// The same for a command that only looks: where there is no database yet, none is made, and an empty one in a folder
    /// that goes away stands in for it.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub async fn open_to_look(config: Config, out: Arc<Output>) -> anyhow::Result<Self> {
        let path = &config.store.path;
        // What stands in the way of a folder is told by the one who would make the database.
        if path.symlink_metadata().is_ok() || path.parent().is_some_and(has_a_file_for_a_folder) {
            return Desk::open(config, out).await;
        }
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let scratch = Scratch::new(path, entropy.next_u64()).context("making a scratch folder")?;
        let database = open_database(&scratch.database(), entropy.as_ref()).await?;
        out.remark(&format!("there is no store at {} yet, and none is made: an empty one is assumed", path.display()));
        Ok(Desk { stand_in: Some(scratch), ..Desk::at(config, database, entropy, out) })
    }

    /// A desk with a store that is open already, and the clock of the system.
    pub(super) fn at(config: Config, database: SqliteStore, entropy: Arc<dyn Entropy>, out: Arc<Output>) -> Self {
        let store: Arc<dyn Store> = Arc::new(database.clone());
        let settling = Arc::default();
        Desk { config, store, database, clock: Arc::new(SystemClock), entropy, out, settling, stand_in: None }
    }

    /// Whether the store only stands in for one that is not there yet.
    pub fn is_stand_in(&self) -> bool {
        self.stand_in.is_some()
    }

    /// What runs are made with.
    ///
    /// # Errors
    /// A key that cannot be read, or a network stack that cannot be set up.
    pub fn worker(&self) -> anyhow::Result<Worker> {
        self.worker_for(&self.config, network()?)
    }

    /// The same for another configuration of the same store, over another network.
    ///
    /// # Errors
    /// As [`Desk::worker`].
    pub fn worker_for(&self, config: &Config, transport: Arc<dyn Transport>) -> anyhow::Result<Worker> {
        self.build_worker(config, Arc::clone(&self.store), &config.store.key, transport)
    }

    /// The same on another store, which grants never go to.
    ///
    /// # Errors
    /// As [`Desk::worker`].
    pub fn worker_on(&self, config: &Config, store: Arc<dyn Store>) -> anyhow::Result<Worker> {
        self.build_worker(config, store, &self.config.store.key, network()?)
    }

    /// A worker; `called` is what people know as the place of the key.
    fn build_worker(
        &self,
        config: &Config,
        store: Arc<dyn Store>,
        called: &KeyPlace,
        transport: Arc<dyn Transport>,
    ) -> anyhow::Result<Worker> {
        let key = match &config.store.key {
            KeyPlace::File(path) => SealingKey::load(path),
            KeyPlace::Credential(path) => SealingKey::load_credential(path),
            KeyPlace::Beside(path) => SealingKey::load_or_create(path, self.entropy.as_ref()),
        };
        Ok(Worker::new(Parts {
            store,
            settling: Arc::clone(&self.settling),
            grants: Arc::clone(&self.store),
            transport,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            key: Arc::new(key.context("the key that seals grants")?.called(called.path())),
            google: config.google.clone(),
        }))
    }

    /// Makes sure that every secret the configuration names can be read.
    ///
    /// # Errors
    /// The first that cannot; the others are warned about.
    pub fn check_secrets(&self) -> anyhow::Result<()> {
        let mut faults = self.config.check_secrets().into_iter();
        let Some(first) = faults.next() else { return Ok(()) };
        faults.for_each(|fault| self.out.warn(&fault.to_string()));
        Err(first.into())
    }

    /// Edits contacts on behalf of the person at the command line.
    pub fn editor(&self) -> Editor<'_> {
        Editor { store: &*self.store, clock: &*self.clock, entropy: &*self.entropy, actor: Actor::User }
    }

    /// Answers with one contact and everything that happens with it: its record as JSON, or a page.
    ///
    /// # Errors
    /// What the store or the stream says.
    pub async fn answer_contact(&self, contact: &Contact) -> anyhow::Result<()> {
        let company = self.company_of(contact).await?;
        let detail = Detail::load(&*self.store, contact).await.context("reading what surrounds the contact")?;
        if self.out.is_json() {
            self.out.json(&Shown::organization(contact, company).with(&detail))?;
        } else {
            let page = format!("{}\n\n{}", page(contact, &company), detail.text());
            self.out.text(page.trim_end())?;
        }
        Ok(())
    }

    /// Answers with a contact that was just changed: its record as JSON, or one sentence.
    ///
    /// # Errors
    /// What the store or the stream says.
    pub async fn answer_changed(&self, contact: &Contact, what: &str) -> anyhow::Result<()> {
        if self.out.is_json() {
            self.out.json(&Shown::organization(contact, self.company_of(contact).await?))?;
        } else {
            let name = contact.card.display_name();
            self.out.text(format!("{what} {} {} {name}", contact.card.kind().as_str(), contact.id).trim_end())?;
        }
        Ok(())
    }

    async fn company_of(&self, contact: &Contact) -> anyhow::Result<Company> {
        if contact.card.kind() == Kind::Person {
            return Ok(Company::default());
        }
        let mut companies =
            Company::load(&*self.store, &[contact.id]).await.context("reading about the organization")?;
        Ok(companies.remove(&contact.id).unwrap_or_default())
    }
}

/// The network.
///
/// # Errors
/// When the system's certificates cannot be used.
pub(super) fn network() -> anyhow::Result<Arc<dyn Transport>> {
    Ok(Arc::new(ReqwestTransport::new().context("setting up the network")?))
}

/// Whether the folder cannot be made, because a part of its path is a file.
fn has_a_file_for_a_folder(folder: &Path) -> bool {
    folder.ancestors().find(|part| part.symlink_metadata().is_ok()).is_some_and(|part| !part.is_dir())
}

/// Opens a database, which is made when it is missing.
///
/// # Errors
/// What the database or its folder says.
pub async fn open_database(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<SqliteStore> {
    SqliteStore::open(path, entropy).await.map_err(unopened(path))
}

fn unopened(path: &Path) -> impl FnOnce(StoreError) -> anyhow::Error {
    move |error| anyhow::Error::new(error).context(format!("cannot open the store {}", path.display()))
}
