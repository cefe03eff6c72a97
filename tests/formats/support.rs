//! Reading files in tests, and the way to the fixtures.

use std::path::PathBuf;

use contactsync::domain::contact::{Card, Person};
use contactsync::formats::{self, ColumnMap, Columns, Draft, FormatError, Item, Rejected};

/// Everything a file holds.
pub struct Read {
    pub columns: Option<Columns>,
    pub encoding: Option<&'static str>,
    pub drafts: Vec<Draft>,
    pub rejected: Vec<Rejected>,
}

pub fn try_read(name: &str, bytes: &[u8], map: Option<&ColumnMap>) -> Result<Read, FormatError> {
    let import = formats::open(name, bytes, map)?;
    let (columns, encoding) = (import.columns().cloned(), import.encoding());
    let (mut drafts, mut rejected) = (Vec::new(), Vec::new());
    for item in import.items() {
        match item {
            Item::Draft(draft) => drafts.push(*draft),
            Item::Rejected(row) => rejected.push(row),
        }
    }
    Ok(Read { columns, encoding, drafts, rejected })
}

pub fn read(name: &str, bytes: impl AsRef<[u8]>) -> Read {
    try_read(name, bytes.as_ref(), None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The cards of a CSV text that has nothing to reject.
pub fn cards(csv: &str) -> Vec<Card> {
    let read = read("test.csv", csv);
    assert_eq!(read.rejected, [], "{csv}");
    read.drafts.into_iter().map(|draft| draft.card).collect()
}

/// The one card of a CSV text.
pub fn card(csv: &str) -> Card {
    let mut cards = cards(csv);
    assert_eq!(cards.len(), 1, "{csv}");
    cards.remove(0)
}

pub fn person(card: &Card) -> &Person {
    card.as_person().unwrap_or_else(|| panic!("{} is no person", card.display_name()))
}

pub fn emails(card: &Card) -> Vec<&str> {
    card.emails.iter().map(|email| email.value.as_str()).collect()
}

/// Phones as `label: number`.
pub fn phones(card: &Card) -> Vec<String> {
    let one = |label: Option<&str>, value: &str| format!("{}: {value}", label.unwrap_or("-"));
    card.phones.iter().map(|phone| one(phone.label.as_deref(), &phone.value)).collect()
}

/// Our own sample files.
pub fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folder with files of other programs; `None`, said loudly, where it is missing.
pub fn fixtures() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let folder = std::env::var_os("CONTACTSYNC_FIXTURES").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no fixtures at {}; set CONTACTSYNC_FIXTURES to check against them", folder.display());
    None
}

/// A fixture file; the path is inside the folder.
pub fn fixture(path: &str) -> Option<Vec<u8>> {
    let path = fixtures()?.join(path);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
