//! What the database says, by what a caller can do about it.

use std::fmt::Display;

use crate::store::StoreError;

/// The database did not answer as it must when it is well.
pub(super) fn unavailable(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |cause| StoreError::Unavailable { doing, cause: Box::new(cause) }
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
