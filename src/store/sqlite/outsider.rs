//! Rows of remote records that are not ours: ghosts and strangers.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::unavailable;
use super::query::{VALUES_MAX, pieces, push_list};
use super::row::Cells;
use crate::domain::id::{AccountName, Etag, RemoteId};
use crate::domain::time::Timestamp;
use crate::store::{Ghost, StoreError, Stranger};

/// Remembers a ghost; the newest sighting of the deletion counts.
pub(super) async fn put_ghost(connection: &mut SqliteConnection, ghost: &Ghost) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO ghost (account, remote, seen) VALUES ($1, $2, $3)
         ON CONFLICT (account, remote) DO UPDATE SET seen = excluded.seen",
    )
    .bind(ghost.account.to_string())
    .bind(ghost.remote.to_string())
    .bind(ghost.seen.as_micros())
    .execute(connection)
    .await
    .map_err(unavailable("remembering a ghost"))?;
    Ok(())
}

/// Those of the remote ids that are ghosts.
pub(super) async fn ghosts(
    connection: &mut SqliteConnection,
    account: &AccountName,
    remotes: &[RemoteId],
) -> Result<BTreeMap<RemoteId, Timestamp>, StoreError> {
    let mut ghosts = BTreeMap::new();
    for piece in pieces(remotes) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT remote, seen FROM ghost WHERE account = ");
        query.push_bind(account.to_string()).push(" AND remote IN ");
        push_list(&mut query, piece.iter().map(ToString::to_string));
        let rows = query.build().fetch_all(&mut *connection).await.map_err(unavailable("loading ghosts"))?;
        for row in &rows {
            let cells = Cells::new(row, "ghost", "remote");
            ghosts.insert(cells.name("remote", RemoteId::new)?, cells.time("seen")?);
        }
    }
    Ok(ghosts)
}

/// Inserts or replaces a stranger with its keys.
pub(super) async fn put_stranger(connection: &mut SqliteConnection, stranger: &Stranger) -> Result<(), StoreError> {
    const DOING: &str = "remembering a stranger";
    drop_stranger(&mut *connection, &stranger.account, &stranger.remote).await?;
    sqlx::query("INSERT INTO stranger (account, remote, etag) VALUES ($1, $2, $3)")
        .bind(stranger.account.to_string())
        .bind(stranger.remote.to_string())
        .bind(stranger.etag.as_ref().map(ToString::to_string))
        .execute(&mut *connection)
        .await
        .map_err(unavailable(DOING))?;
    for key in &stranger.keys {
        sqlx::query("INSERT INTO stranger_key (account, key, remote) VALUES ($1, $2, $3)")
            .bind(stranger.account.to_string())
            .bind(key.clone())
            .bind(stranger.remote.to_string())
            .execute(&mut *connection)
            .await
            .map_err(unavailable(DOING))?;
    }
    Ok(())
}

/// Forgets a stranger with its keys; that it is not there is fine.
pub(super) async fn drop_stranger(
    connection: &mut SqliteConnection,
    account: &AccountName,
    remote: &RemoteId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM stranger WHERE account = $1 AND remote = $2")
        .bind(account.to_string())
        .bind(remote.to_string())
        .execute(connection)
        .await
        .map_err(unavailable("forgetting a stranger"))?;
    Ok(())
}

/// Those of the remote ids that are strangers, with the state in which they were seen last.
pub(super) async fn strangers(
    connection: &mut SqliteConnection,
    account: &AccountName,
    remotes: &[RemoteId],
) -> Result<BTreeMap<RemoteId, Option<Etag>>, StoreError> {
    let mut strangers = BTreeMap::new();
    for piece in pieces(remotes) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT remote, etag FROM stranger WHERE account = ");
        query.push_bind(account.to_string()).push(" AND remote IN ");
        push_list(&mut query, piece.iter().map(ToString::to_string));
        let rows = query.build().fetch_all(&mut *connection).await.map_err(unavailable("loading strangers"))?;
        for row in &rows {
            let cells = Cells::new(row, "stranger", "remote");
            strangers.insert(cells.name("remote", RemoteId::new)?, cells.name_opt("etag", Etag::new)?);
        }
    }
    Ok(strangers)
}

/// Strangers that have any of these keys, in the order of their remote ids, each with all its keys.
pub(super) async fn strangers_with_keys(
    connection: &mut SqliteConnection,
    account: &AccountName,
    keys: &BTreeSet<Vec<u8>>,
) -> Result<Vec<Stranger>, StoreError> {
    let wanted: Vec<&Vec<u8>> = keys.iter().collect();
    let mut strangers: BTreeMap<RemoteId, Stranger> = BTreeMap::new();
    for piece in wanted.chunks(VALUES_MAX) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT stranger.remote, etag, every.key FROM stranger
             JOIN stranger_key AS every ON every.account = stranger.account AND every.remote = stranger.remote
             WHERE stranger.account = ",
        );
        query.push_bind(account.to_string());
        query.push(" AND stranger.remote IN (SELECT remote FROM stranger_key WHERE account = ");
        query.push_bind(account.to_string()).push(" AND key IN ");
        push_list(&mut query, piece.iter().map(|key| (*key).clone()));
        query.push(")");
        let rows = query.build().fetch_all(&mut *connection).await.map_err(unavailable("looking for strangers"))?;
        for row in &rows {
            let cells = Cells::new(row, "stranger", "remote");
            let remote = cells.name("remote", RemoteId::new)?;
            let etag = cells.name_opt("etag", Etag::new)?;
            let stranger = strangers.entry(remote.clone()).or_insert_with(|| Stranger {
                account: account.clone(),
                remote,
                etag,
                keys: BTreeSet::new(),
            });
            stranger.keys.insert(cells.get("key")?);
        }
    }
    Ok(strangers.into_values().collect())
}
