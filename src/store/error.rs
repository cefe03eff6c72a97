//! What can go wrong with the store, by what a caller can do about it.

use std::fmt::Display;

use crate::domain::entry::Body;
use crate::domain::id::{ContactId, EntryId};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked for too long, or is full. Try again later.
    #[error("the store is not available: {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database cannot be used where it is: its folder cannot be made, its path is no file or no database, or the
    /// file may not be read or written. Waiting does not help.
    #[error("the store cannot be used: {doing}")]
    Unusable {
        /// What was being done.
        doing: &'static str,
        /// What the operating system or the database said.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A row cannot be what it must be. A person has to look.
    #[error("the store is inconsistent: table {table}, column {column}, row {row}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What was wrong with the value.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A contact changed since it was read. Read again and decide again.
    #[error("contact {contact} has changed since it was read")]
    Moved {
        /// The contact.
        contact: ContactId,
    },
    /// An entry changed since it was read. Read again and decide again.
    #[error("entry {entry} has changed since it was read")]
    EntryMoved {
        /// The entry.
        entry: EntryId,
    },
    /// The lease is no longer held, so nothing may be written under it.
    #[error("the lease on account {account} is no longer held")]
    LeaseLost {
        /// The account.
        account: String,
    },
    /// A row that must be unique would be there twice.
    #[error("{what} exists already")]
    Taken {
        /// What would be there twice.
        what: String,
    },
    /// The database was made by a newer version of this program.
    #[error("the database has schema {found}, this program knows up to {known}; install a newer contactsync")]
    TooNew {
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
}

impl StoreError {
    /// Whether something changed since it was read, so that deciding again helps.
    pub fn is_moved(&self) -> bool {
        matches!(self, StoreError::Moved { .. } | StoreError::EntryMoved { .. })
    }

    /// A second living entry of the same unique name.
    pub(super) fn entry_taken(body: &Body) -> Self {
        StoreError::Taken { what: format!("a {} {:?}", body.kind().as_str(), body.title()) }
    }

    /// A row whose column cannot be what it is.
    pub(super) fn inconsistent(table: &'static str, column: &'static str, row: &dyn Display) -> Self {
        StoreError::Inconsistent { table, column, row: row.to_string(), cause: None }
    }

    /// A link whose contact or remote record has another link in that account.
    pub(super) fn link_taken(account: &dyn Display) -> Self {
        StoreError::Taken { what: format!("a link of this contact, remote record or token in account {account}") }
    }

    /// A second filter of the same name.
    pub(super) fn filter_taken(name: &str) -> Self {
        StoreError::Taken { what: format!("a filter {name:?}") }
    }

    /// A second open intent of a link, or a marker used twice.
    pub(super) fn intent_taken(link: &dyn Display) -> Self {
        StoreError::Taken { what: format!("an open intent of link {link}, or its marker,") }
    }
}
