//! Rows of the change feed.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::{RowWrite, unavailable};
use super::row::{Cells, json, json_word, number};
use crate::domain::history::{Actor, Change, RecordedChange, RemoteCopy};
use crate::domain::id::{RemoteId, ReplicaId};
use crate::store::{HistoryQuery, StoreError};

/// Appends a change at its place.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    sequence: u64,
    change: &Change,
    copy: Option<&RemoteCopy>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO change (sequence, contact, at, actor, run, replica, remote, action, fields, conflicts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(number("change", "sequence", sequence)?)
    .bind(change.contact.to_string())
    .bind(change.at.as_micros())
    .bind(json("change", "actor", &change.actor)?)
    .bind(change.run.map(|run| run.to_string()))
    .bind(copy.map(|copy| copy.replica.to_string()))
    .bind(copy.map(|copy| copy.record.to_string()))
    .bind(json_word("change", "action", &change.action)?)
    .bind(json("change", "fields", &change.fields)?)
    .bind(json("change", "conflicts", &change.conflicts)?)
    .execute(connection)
    .await
    .map_err(|cause| {
        RowWrite { doing: "appending to the feed", table: "change", refers_by: "contact", row: &sequence }
            .refused(cause, || StoreError::inconsistent("change", "sequence", &sequence))
    })?;
    Ok(())
}

/// Rows of the history, newest first.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &HistoryQuery,
) -> Result<Vec<RecordedChange>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT sequence, contact, at, actor, run, replica, remote, action, fields, conflicts FROM change WHERE TRUE",
    );
    if let Some(contact) = wanted.contact {
        query.push(" AND contact = ").push_bind(contact.to_string());
    }
    if let Some(run) = wanted.run {
        query.push(" AND run = ").push_bind(run.to_string());
    }
    if let Some(import) = wanted.import {
        query.push(" AND actor = ").push_bind(json("change", "actor", &Actor::Import { import })?);
    }
    if let Some(before) = wanted.before {
        query.push(" AND sequence < ").push_bind(i64::try_from(before).unwrap_or(i64::MAX));
    }
    query.push(" ORDER BY sequence DESC");
    if let Some(limit) = wanted.limit {
        query.push(" LIMIT ").push_bind(i64::from(limit));
    }
    let rows = query.build().fetch_all(connection).await.map_err(unavailable("loading the history"))?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &SqliteRow) -> Result<RecordedChange, StoreError> {
    let cells = Cells::new(row, "change", "sequence");
    let replica = cells.name_opt("replica", ReplicaId::new)?;
    let record = cells.name_opt("remote", RemoteId::new)?;
    Ok(RecordedChange {
        remote: replica.zip(record).map(|(replica, record)| RemoteCopy { replica, record }),
        sequence: cells.number("sequence")?,
        change: Change {
            contact: cells.parsed("contact")?,
            at: cells.time("at")?,
            actor: cells.json("actor")?,
            run: cells.parsed_opt("run")?,
            action: cells.json_word("action")?,
            fields: cells.json("fields")?,
            conflicts: cells.json("conflicts")?,
        },
    })
}
