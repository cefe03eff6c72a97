//! Rows into values and values into columns. What cannot be read names its table, column and row.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Decode, Row, Sqlite, Type};

use crate::domain::time::Timestamp;
use crate::store::StoreError;

/// The columns of one row.
pub(super) struct Cells<'r> {
    row: &'r SqliteRow,
    table: &'static str,
    key: &'static str,
}

impl<'r> Cells<'r> {
    /// The columns of a row of `table`, which is found again by the column `key`.
    pub(super) fn new(row: &'r SqliteRow, table: &'static str, key: &'static str) -> Self {
        Cells { row, table, key }
    }

    /// A column as the database has it.
    pub(super) fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
        &'static str: ColumnIndex<SqliteRow>,
    {
        self.row.try_get(column).map_err(|cause| self.odd(column, Some(Box::new(cause))))
    }

    /// A column that names something.
    pub(super) fn parsed<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        let text: &str = self.get(column)?;
        text.parse().map_err(|cause| self.odd(column, Some(Box::new(cause))))
    }

    /// A column that names something, or is null.
    pub(super) fn parsed_opt<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        let Some(text) = self.get::<Option<&str>>(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|cause| self.odd(column, Some(Box::new(cause))))
    }

    /// A column that holds one word of a list.
    pub(super) fn word<T>(&self, column: &'static str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        parse(self.get(column)?).ok_or_else(|| self.odd(column, None))
    }

    /// A column that holds a name of ours or of the remote.
    pub(super) fn name<T>(&self, column: &'static str, make: fn(String) -> T) -> Result<T, StoreError> {
        self.get(column).map(make)
    }

    /// A column that holds a name, or is null.
    pub(super) fn name_opt<T>(&self, column: &'static str, make: fn(String) -> T) -> Result<Option<T>, StoreError> {
        Ok(self.get::<Option<String>>(column)?.map(make))
    }

    /// A column that holds a document.
    pub(super) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        let text: &str = self.get(column)?;
        serde_json::from_str(text).map_err(|cause| self.odd(column, Some(Box::new(cause))))
    }

    /// A column that holds a document, or is null.
    pub(super) fn json_opt<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        let Some(text) = self.get::<Option<&str>>(column)? else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|cause| self.odd(column, Some(Box::new(cause))))
    }

    /// A column that holds one word, spelled as in documents.
    pub(super) fn json_word<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        self.json_word_opt(column)?.ok_or_else(|| self.odd(column, None))
    }

    /// A column that holds one word, spelled as in documents, or is null.
    pub(super) fn json_word_opt<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        let Some(text) = self.get::<Option<String>>(column)? else { return Ok(None) };
        serde_json::from_value(serde_json::Value::String(text))
            .map(Some)
            .map_err(|cause| self.odd(column, Some(Box::new(cause))))
    }

    /// A column that holds a time.
    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.get(column).map(Timestamp::from_micros)
    }

    /// A column that holds a time, or is null.
    pub(super) fn time_opt(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>(column)?.map(Timestamp::from_micros))
    }

    /// A column that holds a number that is never negative.
    pub(super) fn number<T: TryFrom<i64, Error: std::error::Error + Send + Sync + 'static>>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        T::try_from(self.get::<i64>(column)?).map_err(|cause| self.odd(column, Some(Box::new(cause))))
    }

    /// A column that holds such a number, or is null.
    pub(super) fn number_opt<T: TryFrom<i64, Error: std::error::Error + Send + Sync + 'static>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let Some(number) = self.get::<Option<i64>>(column)? else { return Ok(None) };
        T::try_from(number).map(Some).map_err(|cause| self.odd(column, Some(Box::new(cause))))
    }

    /// The error that says that a column of this row cannot be what it is.
    pub(super) fn odd(
        &self,
        column: &'static str,
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> StoreError {
        StoreError::Inconsistent { table: self.table, column, row: self.key_text(), cause }
    }

    fn key_text(&self) -> String {
        let as_text = self.row.try_get::<String, _>(self.key);
        as_text
            .or_else(|_| self.row.try_get::<i64, _>(self.key).map(|number| number.to_string()))
            .unwrap_or_else(|_| "?".to_owned())
    }
}

/// A document for a column of `table`.
pub(super) fn json<T: Serialize>(table: &'static str, column: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|cause| StoreError::Inconsistent {
        table,
        column,
        row: "?".to_owned(),
        cause: Some(Box::new(cause)),
    })
}

/// A document for a column of `table` that may be null.
pub(super) fn json_opt<T: Serialize>(
    table: &'static str,
    column: &'static str,
    value: Option<&T>,
) -> Result<Option<String>, StoreError> {
    value.map(|value| json(table, column, value)).transpose()
}

/// One word, spelled as in documents, for a column of `table`.
pub(super) fn json_word<T: Serialize>(
    table: &'static str,
    column: &'static str,
    value: &T,
) -> Result<String, StoreError> {
    Ok(json(table, column, value)?.trim_matches('"').to_owned())
}

/// A number that is never negative, for a column of `table`.
pub(super) fn number(table: &'static str, column: &'static str, value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|cause| StoreError::Inconsistent {
        table,
        column,
        row: value.to_string(),
        cause: Some(Box::new(cause)),
    })
}
