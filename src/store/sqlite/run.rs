//! Rows of runs.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::unavailable;
use super::row::{Cells, json};
use crate::domain::id::RunId;
use crate::domain::run::RunRecord;
use crate::store::StoreError;

const SELECT: &str = "SELECT id, begun, ended, accounts FROM run";

/// Inserts or replaces a run.
pub(super) async fn put(connection: &mut SqliteConnection, run: &RunRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO run (id, begun, ended, accounts) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET begun = excluded.begun, ended = excluded.ended, accounts = excluded.accounts",
    )
    .bind(run.run.to_string())
    .bind(run.begun.as_micros())
    .bind(run.ended.map(|ended| ended.as_micros()))
    .bind(json("run", "accounts", &run.accounts)?)
    .execute(connection)
    .await
    .map_err(unavailable("storing a run"))?;
    Ok(())
}

/// The newest runs, newest first.
pub(super) async fn newest(connection: &mut SqliteConnection, limit: u32) -> Result<Vec<RunRecord>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push(" ORDER BY begun DESC, id DESC LIMIT ").push_bind(i64::from(limit));
    fetch(connection, &mut query).await
}

/// A run by its id.
pub(super) async fn load(connection: &mut SqliteConnection, id: RunId) -> Result<Option<RunRecord>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push(" WHERE id = ").push_bind(id.to_string());
    Ok(fetch(connection, &mut query).await?.pop())
}

async fn fetch(
    connection: &mut SqliteConnection,
    query: &mut QueryBuilder<Sqlite>,
) -> Result<Vec<RunRecord>, StoreError> {
    let rows = query.build().fetch_all(connection).await.map_err(unavailable("loading runs"))?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &SqliteRow) -> Result<RunRecord, StoreError> {
    let cells = Cells::new(row, "run", "id");
    Ok(RunRecord {
        run: cells.parsed("id")?,
        begun: cells.time("begun")?,
        ended: cells.time_opt("ended")?,
        accounts: cells.json("accounts")?,
    })
}
