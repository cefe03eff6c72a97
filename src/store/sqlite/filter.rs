//! Rows of saved filters.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::error::{RowWrite, unavailable};
use super::row::{Cells, json};
use crate::domain::filter::SavedFilter;
use crate::store::StoreError;

/// Stores a filter whose name is free.
pub(super) async fn add(connection: &mut SqliteConnection, filter: &SavedFilter) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO filter (name, definition, created, updated) VALUES ($1, $2, $3, $4)")
        .bind(filter.name.clone())
        .bind(json("filter", "definition", &filter.filter)?)
        .bind(filter.created.as_micros())
        .bind(filter.updated.as_micros())
        .execute(connection)
        .await
        .map_err(|cause| {
            RowWrite { doing: "storing a filter", table: "filter", refers_by: "name", row: &filter.name }
                .refused(cause, || StoreError::filter_taken(&filter.name))
        })?;
    Ok(())
}

/// Replaces what a filter selects, if there is one of the name. When it was made stays.
pub(super) async fn replace(connection: &mut SqliteConnection, filter: &SavedFilter) -> Result<(), StoreError> {
    sqlx::query("UPDATE filter SET definition = $2, updated = $3 WHERE name = $1")
        .bind(filter.name.clone())
        .bind(json("filter", "definition", &filter.filter)?)
        .bind(filter.updated.as_micros())
        .execute(connection)
        .await
        .map_err(unavailable("replacing a filter"))?;
    Ok(())
}

/// Removes a filter, if there is one of the name.
pub(super) async fn remove(connection: &mut SqliteConnection, name: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM filter WHERE name = $1")
        .bind(name.to_owned())
        .execute(connection)
        .await
        .map_err(unavailable("removing a filter"))?;
    Ok(())
}

/// The filter of this name.
pub(super) async fn load(connection: &mut SqliteConnection, name: &str) -> Result<Option<SavedFilter>, StoreError> {
    let row = sqlx::query("SELECT name, definition, created, updated FROM filter WHERE name = $1")
        .bind(name.to_owned())
        .fetch_optional(connection)
        .await
        .map_err(unavailable("loading a filter"))?;
    row.as_ref().map(from_row).transpose()
}

/// All filters, by name.
pub(super) async fn load_all(connection: &mut SqliteConnection) -> Result<Vec<SavedFilter>, StoreError> {
    let rows = sqlx::query("SELECT name, definition, created, updated FROM filter ORDER BY name")
        .fetch_all(connection)
        .await
        .map_err(unavailable("loading filters"))?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &SqliteRow) -> Result<SavedFilter, StoreError> {
    let cells = Cells::new(row, "filter", "name");
    Ok(SavedFilter {
        name: cells.get("name")?,
        filter: cells.json("definition")?,
        created: cells.time("created")?,
        updated: cells.time("updated")?,
    })
}
