//! Rows of conflicts.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::{RowWrite, unavailable};
use super::row::{Cells, json, json_word};
use crate::domain::conflict::Conflict;
use crate::domain::id::{AccountName, ConflictId, ContactId};
use crate::store::StoreError;

const SELECT: &str =
    "SELECT id, contact, link, account, field, base, store, remote, policy, since, resolved FROM conflict";

/// Inserts or replaces a conflict.
pub(super) async fn put(connection: &mut SqliteConnection, conflict: &Conflict) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO conflict (id, contact, link, account, field, base, store, remote, policy, since, resolved)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id) DO UPDATE SET contact = excluded.contact, link = excluded.link, account = excluded.account,
            field = excluded.field, base = excluded.base, store = excluded.store, remote = excluded.remote,
            policy = excluded.policy, since = excluded.since, resolved = excluded.resolved",
    )
    .bind(conflict.id.to_string())
    .bind(conflict.contact.to_string())
    .bind(conflict.link.to_string())
    .bind(conflict.account.to_string())
    .bind(conflict.field.to_string())
    .bind(json("conflict", "base", &conflict.base)?)
    .bind(json("conflict", "store", &conflict.store)?)
    .bind(json("conflict", "remote", &conflict.remote)?)
    .bind(json_word("conflict", "policy", &conflict.policy)?)
    .bind(conflict.since.as_micros())
    .bind(conflict.resolved.map(|resolved| resolved.as_micros()))
    .execute(connection)
    .await
    .map_err(|cause| {
        RowWrite { doing: "storing a conflict", table: "conflict", refers_by: "link", row: &conflict.id }
            .refused(cause, || StoreError::inconsistent("conflict", "id", &conflict.id))
    })?;
    Ok(())
}

/// Conflicts that wait, oldest first; of one contact, or of all.
pub(super) async fn waiting(
    connection: &mut SqliteConnection,
    contact: Option<ContactId>,
) -> Result<Vec<Conflict>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push(" WHERE resolved IS NULL");
    if let Some(contact) = contact {
        query.push(" AND contact = ").push_bind(contact.to_string());
    }
    query.push(" ORDER BY since, id");
    fetch(connection, &mut query).await
}

/// A conflict by its id.
pub(super) async fn load(connection: &mut SqliteConnection, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push(" WHERE id = ").push_bind(id.to_string());
    Ok(fetch(connection, &mut query).await?.pop())
}

async fn fetch(
    connection: &mut SqliteConnection,
    query: &mut QueryBuilder<Sqlite>,
) -> Result<Vec<Conflict>, StoreError> {
    let rows = query.build().fetch_all(connection).await.map_err(unavailable("loading conflicts"))?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &SqliteRow) -> Result<Conflict, StoreError> {
    let cells = Cells::new(row, "conflict", "id");
    Ok(Conflict {
        id: cells.parsed("id")?,
        contact: cells.parsed("contact")?,
        link: cells.parsed("link")?,
        account: cells.name("account", AccountName::new)?,
        field: cells.parsed("field")?,
        base: cells.json("base")?,
        store: cells.json("store")?,
        remote: cells.json("remote")?,
        policy: cells.json_word("policy")?,
        since: cells.time("since")?,
        resolved: cells.time_opt("resolved")?,
    })
}
