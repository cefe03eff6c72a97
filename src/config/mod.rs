//! The configuration: one TOML file, read as a whole, checked as a whole, or refused as a whole.
//!
//! [`Surroundings::locate`] finds the file, [`Config::load`] reads it. Every key has a default but the required ones.
//! Whatever is wrong is reported at once, each problem with file, line, column, key and what is expected
//! ([`ConfigError`]); no message quotes a line, because lines may hold secrets. Secrets themselves are read when they
//! are needed ([`Secret::read`]). [`Config::effective`] writes down what the program understood, with secrets redacted.
//!
//! One file here is one section of the TOML file. `table.rs` and `value.rs` are how sections are read.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

mod account;
mod digest;
mod effective;
mod error;
mod fields;
mod google;
mod locate;
mod log;
mod pair;
mod pipedrive;
mod policy;
mod schedule;
mod secret;
mod service_key;
mod store;
mod table;
mod value;
mod web;

pub use account::{Account, Definitions, GrantSource, Undefined};
pub use error::{At, ConfigError, Position, Problem, SecretError};
pub use fields::FieldTarget;
pub use google::Google;
pub use locate::Surroundings;
pub use log::Log;
pub use pair::PairWish;
pub use pipedrive::{Pipedrive, PipedriveAccess};
pub use schedule::{DEFAULT_PATTERN, Schedule};
pub use secret::{Secret, SecretSource};
pub use service_key::ServiceKey;
pub use store::{KeyPlace, Store};
pub use web::Web;

use account::ReadAccount;
use table::{Notes, Table};

/// Everything the file says, with defaults filled in and relative paths resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub file: PathBuf,
    /// Where the contacts live.
    pub store: Store,
    /// How accounts reach Google.
    pub google: Google,
    /// The CRM behind the store, if there is one.
    pub pipedrive: Option<Pipedrive>,
    /// The accounts, in the order of the file.
    pub accounts: Vec<Account>,
    /// Where the console listens.
    pub web: Web,
    /// How much is logged.
    pub log: Log,
    /// What is allowed, but a person should know.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Finds and reads the configuration.
    ///
    /// # Errors
    /// [`ConfigError`], each variant with what a person needs to repair it.
    pub fn load(around: &Surroundings) -> Result<Config, ConfigError> {
        let file = around.locate()?;
        let unreadable = |cause| ConfigError::Unreadable { file: file.clone(), cause };
        let source = std::fs::read_to_string(&file).map_err(unreadable)?;
        let mode = std::fs::metadata(&file).map_err(unreadable)?.permissions().mode();
        let config = Config::parse(&source, &file, around)?;
        if let Some(secret) =
            config.google.client_secret.as_ref().filter(|secret| secret.is_inline() && mode & 0o077 != 0)
        {
            let problem = Problem {
                position: secret.at.position,
                key: secret.key.to_owned(),
                message: "other users may read this file and the secret in it; use client_secret_file, or chmod 600"
                    .into(),
            };
            return Err(ConfigError::Invalid { file, problems: vec![problem] });
        }
        Ok(config)
    }

    /// Reads the text of a configuration that stands in `file`; relative paths are relative to its folder.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with everything that is wrong.
    pub fn parse(source: &str, file: &Path, around: &Surroundings) -> Result<Config, ConfigError> {
        let mut notes = Notes::new(source);
        let (root, errors) = DeTable::parse_recoverable(source);
        for error in errors {
            let place = error.span().unwrap_or_default();
            notes.problem(&place, "", format!("this is not TOML: {}", error.message()));
        }
        // What was recovered from a broken file would only yield problems that are not there.
        let config = if notes.has_problems() { None } else { Config::read(root, file, around, &mut notes) };
        let (problems, warnings) = notes.finish();
        match config {
            Some(config) if problems.is_empty() => Ok(Config { warnings, ..config }),
            _ => Err(ConfigError::Invalid { file: file.to_owned(), problems }),
        }
    }

    /// Reads the root table; `None` only when a problem was noted.
    fn read(
        root: toml::Spanned<DeTable<'_>>,
        file: &Path,
        around: &Surroundings,
        notes: &mut Notes<'_>,
    ) -> Option<Config> {
        // Paths in messages and in the effective configuration are to be understood from anywhere.
        let folder =
            std::path::absolute(file).ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default();
        let mut root = Table::root(root);
        let store = Store::read(root.table("store", notes), &folder, around, notes);
        let google_table = root.table("google", notes);
        let google_place = google_table.place().clone();
        let google = Google::read(google_table, file, &folder, around, notes);
        let pipedrive = root.table_if_present("pipedrive", notes).map(|table| Pipedrive::read(table, &folder, notes));
        let accounts: Vec<Option<ReadAccount>> = root
            .tables("account", notes)
            .into_iter()
            .map(|table| Account::read(table, file, &folder, around, store.region, notes))
            .collect();
        let web = Web::read(root.table("web", notes), file, &folder, around, notes);
        let log = Log::read(root.table("log", notes), notes);
        root.finish(notes);
        check_unique(accounts.iter().flatten(), notes);
        let accounts: Option<Vec<Account>> = accounts.into_iter().map(|read| read.map(|read| read.account)).collect();
        let (google, accounts) = (google?, accounts?);
        if google.client_id.is_none() && accounts.iter().any(Account::needs_client) {
            notes.problem(&google_place, "google.client_id", "required with accounts, but missing");
        }
        let file = file.to_owned();
        Some(Config { file, store, google, pipedrive: pipedrive.flatten(), accounts, web, log, warnings: Vec::new() })
    }

    /// The error for a database that can never be opened where the configuration says it is; `why` says what is wrong.
    pub fn unusable_store(&self, why: &str) -> ConfigError {
        let message = format!("cannot use {}: {why}", self.store.path.display());
        let problem = Problem { position: self.store.place, key: "store.url".to_owned(), message };
        ConfigError::Invalid { file: self.file.clone(), problems: vec![problem] }
    }

    /// The account of this name.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name.as_str() == name)
    }

    /// Reads every secret the configuration names and tells what is wrong with each; for `check-config` and the start of
    /// the daemon, so that a wrong permission shows before the first run needs the secret.
    pub fn check_secrets(&self) -> Vec<SecretError> {
        let grants = self.accounts.iter().filter_map(|account| match &account.grant {
            GrantSource::RefreshToken(secret) => Some(secret),
            GrantSource::Store | GrantSource::ServiceAccount(_) => None,
        });
        let keys = self.accounts.iter().filter_map(|account| match &account.grant {
            GrantSource::ServiceAccount(secret) => ServiceKey::read(secret).err(),
            GrantSource::Store | GrantSource::RefreshToken(_) => None,
        });
        let needs_client = self.accounts.iter().any(Account::needs_client);
        let client = needs_client.then(|| self.google.read_client_secret());
        let read = client.into_iter().chain(grants.chain(&self.web.password).map(Secret::read));
        read.filter_map(Result::err).chain(keys).collect()
    }
}

/// Names and users must be unique: an account's name is its replica's, and a user's contacts cannot have two masters.
fn check_unique<'a>(accounts: impl Iterator<Item = &'a ReadAccount>, notes: &mut Notes<'_>) {
    let (mut names, mut emails) = (BTreeSet::new(), BTreeSet::new());
    for read in accounts {
        if !names.insert(read.name.value.as_str()) {
            notes.problem(
                &read.name.place,
                "account.name",
                format!("another account is called {:?} already", read.name.value),
            );
        }
        if !emails.insert(read.email.value.to_lowercase()) {
            let message =
                format!("another account belongs to {} already; give that one a second pair", read.email.value);
            notes.problem(&read.email.place, "account.email", message);
        }
    }
}

#[cfg(test)]
mod tests;
