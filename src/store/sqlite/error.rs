//! What the database says, by what a caller can do about it.

use std::fmt::Display;
use std::io;

use crate::store::StoreError;

/// The database did not answer as it must when it is well.
pub(super) fn unavailable(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |cause| StoreError::Unavailable { doing, cause: Box::new(cause) }
}

/// The database file cannot be opened. Some reasons pass, such as a lock of another process; others stay until somebody
/// mends the path or the file.
pub(super) fn unopened(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |cause| {
        let code = cause.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
        match code.map(|code| code & 0xFF) {
            Some(code) if STAYING.contains(&code) => StoreError::Unusable { doing, cause: Box::new(cause) },
            _ => unavailable(doing)(cause),
        }
    }
}

/// What SQLite says when waiting does not help: no permission, read-only, damaged, cannot be opened, no database.
/// Source: the list of result codes in SQLite's documentation (read 2026-11).
const STAYING: [u32; 5] = [3, 8, 11, 14, 26];

/// The same for what the operating system says about file and folder.
pub(super) fn not_created(doing: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    use io::ErrorKind::{
        AlreadyExists, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        ReadOnlyFilesystem,
    };
    move |cause| match cause.kind() {
        AlreadyExists | InvalidFilename | InvalidInput | IsADirectory | NotADirectory | NotFound | PermissionDenied
        | ReadOnlyFilesystem => StoreError::Unusable { doing, cause: Box::new(cause) },
        _ => StoreError::Unavailable { doing, cause: Box::new(cause) },
    }
}

/// A write to one row, told for the case that it is refused.
pub(super) struct RowWrite<'a> {
    /// What it does.
    pub doing: &'static str,
    /// The table.
    pub table: &'static str,
    /// The column that refers to another row.
    pub refers_by: &'static str,
    /// The row's key.
    pub row: &'a dyn Display,
}

impl RowWrite<'_> {
    /// What the refusal means; `taken` says what a unique key that is there already means.
    pub(super) fn refused(self, cause: sqlx::Error, taken: impl FnOnce() -> StoreError) -> StoreError {
        let Some(database) = cause.as_database_error() else { return unavailable(self.doing)(cause) };
        if database.is_unique_violation() {
            taken()
        } else if database.is_foreign_key_violation() || database.is_check_violation() {
            StoreError::Inconsistent {
                table: self.table,
                column: self.refers_by,
                row: self.row.to_string(),
                cause: Some(Box::new(cause)),
            }
        } else {
            unavailable(self.doing)(cause)
        }
    }
}
