//! `[store]`: where the contacts live.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use crate::domain::dialling::HomeRegion;

use super::Surroundings;
use super::error::Position;
use super::table::{Notes, Table};
use super::value;

/// The database of a configuration that names none.
const DEFAULT_PATH: &str = "/var/lib/contactsync/contacts.db";

/// Where the contacts live, and what seals the grants kept beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The SQLite database.
    pub path: PathBuf,
    /// Where the file names the database; where its section is, or the file begins, when it names none.
    pub place: Position,
    /// Where the key is that encrypts grants at rest.
    pub key: KeyPlace,
    /// The country that phone numbers without one belong to, when twins are looked for.
    pub region: Option<HomeRegion>,
}

/// Where the key is that encrypts grants at rest: 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// In this file, which must exist.
    File(PathBuf),
    /// In this credential, handed over by systemd as `store-key`.
    Credential(PathBuf),
    /// Beside the database, in a file of mode 0600 that is created when it is first needed.
    Beside(PathBuf),
}

impl KeyPlace {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            KeyPlace::File(path) | KeyPlace::Credential(path) | KeyPlace::Beside(path) => path,
        }
    }
}

impl Store {
    pub(super) fn read(mut table: Table<'_>, folder: &Path, around: &Surroundings, notes: &mut Notes<'_>) -> Self {
        let named = table.optional("url", notes, |value| url(value, folder));
        let place = notes.position(named.as_ref().map_or(table.place(), |named| &named.place).start);
        let path = named.map_or_else(|| PathBuf::from(DEFAULT_PATH), |named| named.value);
        let key_file = table.optional("key_file", notes, value::text).map(|at| folder.join(at.value));
        let region = table.or("region", None, notes, region);
        table.finish(notes);
        let key = match (key_file, around.credential("store-key")) {
            (Some(file), _) => KeyPlace::File(file),
            (None, Some(credential)) => KeyPlace::Credential(credential),
            (None, None) => KeyPlace::Beside(beside(&path)),
        };
        Store { path, place, key, region }
    }
}

/// The key's file beside a database: `contacts.db` has `contacts.db.key`.
fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// The code of a country; empty for none.
fn region(value: &DeValue<'_>) -> Result<Option<HomeRegion>, String> {
    const EXPECTED: &str = "the two-letter code of a country, such as \"DE\", or \"\" for none";
    match value::text_or_empty(value).map_err(|_| EXPECTED.to_owned())?.as_str() {
        "" => Ok(None),
        code => code.parse().map(Some).map_err(|_| EXPECTED.to_owned()),
    }
}

fn url(value: &DeValue<'_>, folder: &Path) -> Result<PathBuf, String> {
    const EXPECTED: &str = "the address of a SQLite database, such as \"sqlite:/var/lib/contactsync/contacts.db\"";
    let text = value::text(value).map_err(|_| EXPECTED.to_owned())?;
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        return Err(format!("{EXPECTED}; postgres comes in a later release"));
    }
    let path = text.strip_prefix("sqlite:").ok_or_else(|| EXPECTED.to_owned())?;
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.contains('?') || path.contains(":memory:") {
        return Err(format!("{EXPECTED}, with a file and nothing behind it"));
    }
    Ok(folder.join(path))
}
