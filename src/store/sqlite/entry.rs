//! Rows of entries, of what they hang on, and of their history.

use std::collections::BTreeSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::{RowWrite, unavailable};
use super::find::living;
use super::query::{VALUES_MAX, pieces, push_list};
use super::row::{Cells, json, json_opt, json_word, number};
use crate::domain::entry::{Entry, EntryChange, RecordedEntryChange};
use crate::domain::history::Actor;
use crate::domain::id::{ContactId, EntryId};
use crate::store::{EntryHistoryQuery, EntryQuery, EntryWrite, StoreError};

/// The columns that make an [`Entry`].
const SELECT: &str = "SELECT id, body, version, created, updated, deleted FROM entry";

/// Stores an entry that has the expected version, or does not exist when none is expected, and appends the change.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    write: &EntryWrite,
    sequence: u64,
) -> Result<(), StoreError> {
    put_row(connection, write).await?;
    let (id, contacts) = (write.entry.id, write.entry.body.contacts());
    sqlx::query("DELETE FROM entry_contact WHERE entry = $1")
        .bind(id.to_string())
        .execute(&mut *connection)
        .await
        .map_err(unavailable("storing what an entry hangs on"))?;
    hang(connection, "entry_contact", "entry", &contacts, id.to_string()).await?;
    append(connection, sequence, &write.change).await?;
    let sequence = number("entry_change", "sequence", sequence)?;
    hang(connection, "entry_change_contact", "sequence", &write.change.contacts(), sequence).await
}

async fn put_row(connection: &mut SqliteConnection, write: &EntryWrite) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO entry (id, kind, body, version, deal, name, created, updated, deleted)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";
    const UPDATE: &str = "UPDATE entry SET kind = $2, body = $3, version = $4, deal = $5, name = $6, created = $7,
            updated = $8, deleted = $9
        WHERE id = $1 AND version = $10";
    let Entry { id, body, version, created, updated, deleted } = &write.entry;
    let mut query = sqlx::query(if write.expected.is_some() { UPDATE } else { INSERT })
        .bind(id.to_string())
        .bind(body.kind().as_str())
        .bind(json("entry", "body", body)?)
        .bind(json("entry", "version", version)?)
        .bind(body.deal().map(|deal| deal.to_string()))
        .bind(body.unique_name())
        .bind(created.as_micros())
        .bind(updated.as_micros())
        .bind(deleted.map(|deleted| deleted.as_micros()));
    if let Some(expected) = &write.expected {
        query = query.bind(json("entry", "version", expected)?);
    }
    let done = query.execute(connection).await.map_err(|cause| {
        RowWrite { doing: "storing an entry", table: "entry", refers_by: "deal", row: id }
            .refused(cause, || StoreError::entry_taken(body))
    })?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::EntryMoved { entry: *id }) }
}

/// Hangs a row of `table` on contacts; `column` names it.
async fn hang<T>(
    connection: &mut SqliteConnection,
    table: &'static str,
    column: &'static str,
    contacts: &BTreeSet<ContactId>,
    key: T,
) -> Result<(), StoreError>
where
    T: for<'q> sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + Send + Clone + 'static,
{
    for contact in contacts {
        let mut query = QueryBuilder::<Sqlite>::new(format!("INSERT INTO {table} (contact, {column}) VALUES ("));
        query.push_bind(contact.to_string()).push(", ").push_bind(key.clone()).push(")");
        query.build().execute(&mut *connection).await.map_err(|cause| {
            RowWrite { doing: "storing what an entry hangs on", table, refers_by: "contact", row: contact }
                .refused(cause, || StoreError::inconsistent(table, "contact", contact))
        })?;
    }
    Ok(())
}

async fn append(connection: &mut SqliteConnection, sequence: u64, change: &EntryChange) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO entry_change (sequence, entry, at, actor, run, action, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(number("entry_change", "sequence", sequence)?)
    .bind(change.entry.to_string())
    .bind(change.at.as_micros())
    .bind(json("entry_change", "actor", &change.actor)?)
    .bind(change.run.map(|run| run.to_string()))
    .bind(json_word("entry_change", "action", &change.action)?)
    .bind(json_opt("entry_change", "before", change.before.as_ref())?)
    .bind(json("entry_change", "after", &change.after)?)
    .execute(connection)
    .await
    .map_err(|cause| {
        RowWrite { doing: "appending to the history", table: "entry_change", refers_by: "entry", row: &sequence }
            .refused(cause, || StoreError::inconsistent("entry_change", "sequence", &sequence))
    })?;
    Ok(())
}

/// The entries with these ids, in the order of their ids.
pub(super) async fn load(connection: &mut SqliteConnection, ids: &[EntryId]) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::with_capacity(ids.len());
    for piece in pieces(ids) {
        let mut query = QueryBuilder::new(SELECT);
        query.push(" WHERE id IN ");
        push_list(&mut query, piece.iter().map(ToString::to_string));
        query.push(" ORDER BY id");
        entries.extend(fetch(connection, &mut query).await?);
    }
    Ok(entries)
}

/// The entries that the query selects, in the order of their ids.
pub(super) async fn find(connection: &mut SqliteConnection, wanted: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
    let contacts: Vec<ContactId> = wanted.contacts.iter().copied().collect();
    if contacts.is_empty() {
        return find_about(connection, wanted, &[]).await;
    }
    let mut found = Vec::new();
    for piece in contacts.chunks(VALUES_MAX) {
        found.extend(find_about(connection, wanted, piece).await?);
    }
    // An entry that hangs on contacts of two pieces was found twice.
    found.sort_by_key(|entry| entry.id);
    found.dedup_by_key(|entry| entry.id);
    found.truncate(wanted.limit.map_or(usize::MAX, |limit| limit as usize));
    Ok(found)
}

async fn find_about(
    connection: &mut SqliteConnection,
    wanted: &EntryQuery,
    contacts: &[ContactId],
) -> Result<Vec<Entry>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push(living(wanted.deleted));
    if !wanted.kinds.is_empty() {
        query.push(" AND kind IN ");
        push_list(&mut query, wanted.kinds.iter().map(|kind| kind.as_str()));
    }
    if !contacts.is_empty() {
        query.push(" AND id IN (SELECT entry FROM entry_contact WHERE contact IN ");
        push_list(&mut query, contacts.iter().map(ToString::to_string));
        query.push(")");
    }
    if let Some(deal) = wanted.deal {
        query.push(" AND deal = ").push_bind(deal.to_string());
    }
    if let Some(name) = &wanted.unique_name {
        query.push(" AND name = ").push_bind(name.clone());
    }
    if let Some(after) = wanted.after {
        query.push(" AND id > ").push_bind(after.to_string());
    }
    query.push(" ORDER BY id");
    if let Some(limit) = wanted.limit {
        query.push(" LIMIT ").push_bind(i64::from(limit));
    }
    fetch(connection, &mut query).await
}

async fn fetch(connection: &mut SqliteConnection, query: &mut QueryBuilder<Sqlite>) -> Result<Vec<Entry>, StoreError> {
    let rows = query.build().fetch_all(connection).await.map_err(unavailable("loading entries"))?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &SqliteRow) -> Result<Entry, StoreError> {
    let cells = Cells::new(row, "entry", "id");
    Ok(Entry {
        id: cells.parsed("id")?,
        body: cells.json("body")?,
        version: cells.json("version")?,
        created: cells.time("created")?,
        updated: cells.time("updated")?,
        deleted: cells.time_opt("deleted")?,
    })
}

/// Rows of the history of entries, newest first.
pub(super) async fn history(
    connection: &mut SqliteConnection,
    wanted: &EntryHistoryQuery,
) -> Result<Vec<RecordedEntryChange>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT sequence, entry, at, actor, run, action, before, after FROM entry_change WHERE TRUE",
    );
    if let Some(entry) = wanted.entry {
        query.push(" AND entry = ").push_bind(entry.to_string());
    }
    if let Some(contact) = wanted.contact {
        query
            .push(" AND sequence IN (SELECT sequence FROM entry_change_contact WHERE contact = ")
            .push_bind(contact.to_string())
            .push(")");
    }
    if let Some(run) = wanted.run {
        query.push(" AND run = ").push_bind(run.to_string());
    }
    if let Some(import) = wanted.import {
        query.push(" AND actor = ").push_bind(json("entry_change", "actor", &Actor::Import { import })?);
    }
    query.push(" ORDER BY sequence DESC");
    if let Some(limit) = wanted.limit {
        query.push(" LIMIT ").push_bind(i64::from(limit));
    }
    let rows = query.build().fetch_all(connection).await.map_err(unavailable("loading the history of entries"))?;
    rows.iter().map(change_from_row).collect()
}

fn change_from_row(row: &SqliteRow) -> Result<RecordedEntryChange, StoreError> {
    let cells = Cells::new(row, "entry_change", "sequence");
    Ok(RecordedEntryChange {
        sequence: cells.number("sequence")?,
        change: EntryChange {
            entry: cells.parsed("entry")?,
            at: cells.time("at")?,
            actor: cells.json("actor")?,
            run: cells.parsed_opt("run")?,
            action: cells.json_word("action")?,
            before: cells.json_opt("before")?,
            after: cells.json("after")?,
        },
    })
}
