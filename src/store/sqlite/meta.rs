//! The one row that identifies the store and holds its counters.

use sqlx::{SqliteConnection, SqlitePool};

use super::error::unavailable;
use super::row::{Cells, number};
use crate::clock::Entropy;
use crate::domain::id::Marker;
use crate::domain::time::Timestamp;
use crate::store::marker::Minted;
use crate::store::{StoreError, StoreIdentity};

/// Gives a new store its identity.
pub(super) async fn create_when_missing(
    connection: &mut SqliteConnection,
    entropy: &dyn Entropy,
) -> Result<(), StoreError> {
    let identity = StoreIdentity::draw(entropy);
    sqlx::query(
        "INSERT INTO store_meta (one, id, epoch, hash_key, last_marker, last_place) VALUES (1, $1, $2, $3, 0, 0)
         ON CONFLICT (one) DO NOTHING",
    )
    .bind(identity.id)
    .bind(i64::from(identity.epoch))
    .bind(identity.hash_key.to_vec())
    .execute(connection)
    .await
    .map_err(unavailable("creating the store's identity"))?;
    Ok(())
}

/// What identifies the store.
pub(super) async fn load_identity(connection: &mut SqliteConnection) -> Result<StoreIdentity, StoreError> {
    let row = sqlx::query("SELECT id, epoch, hash_key FROM store_meta")
        .fetch_one(connection)
        .await
        .map_err(unavailable("loading the store's identity"))?;
    let cells = Cells::new(&row, "store_meta", "id");
    let hash_key: Vec<u8> = cells.get("hash_key")?;
    Ok(StoreIdentity {
        id: cells.get("id")?,
        epoch: cells.number("epoch")?,
        hash_key: hash_key.try_into().map_err(|_| cells.odd("hash_key", None))?,
    })
}

/// Mints markers: see [`Minted`].
pub(super) async fn mint_markers(pool: &SqlitePool, count: u64, now: Timestamp) -> Result<Marker, StoreError> {
    const DOING: &str = "minting markers";
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable(DOING))?;
    let row = sqlx::query("SELECT id, last_marker FROM store_meta")
        .fetch_one(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
    let minted = Minted::after(Cells::new(&row, "store_meta", "id").number("last_marker")?, count, now);
    sqlx::query("UPDATE store_meta SET last_marker = $1")
        .bind(number("store_meta", "last_marker", minted.last)?)
        .execute(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
    transaction.commit().await.map_err(unavailable(DOING))?;
    Ok(Marker(minted.first))
}

/// The newest marker that was minted.
pub(super) async fn newest_marker(connection: &mut SqliteConnection) -> Result<Marker, StoreError> {
    let row = sqlx::query("SELECT id, last_marker FROM store_meta")
        .fetch_one(connection)
        .await
        .map_err(unavailable("loading the newest marker"))?;
    Ok(Marker(Cells::new(&row, "store_meta", "id").number("last_marker")?))
}

/// Begins a new epoch, with markers after `over`.
pub(super) async fn raise_epoch(connection: &mut SqliteConnection, over: Marker) -> Result<(), StoreError> {
    sqlx::query("UPDATE store_meta SET epoch = epoch + 1, last_marker = MAX(last_marker, $1)")
        .bind(number("store_meta", "last_marker", over.0)?)
        .execute(&mut *connection)
        .await
        .map_err(unavailable("beginning a new epoch"))?;
    sqlx::query("UPDATE account SET restored = 1, contacts_cursor = NULL")
        .execute(connection)
        .await
        .map_err(unavailable("beginning a new epoch"))?;
    Ok(())
}

/// The last place in the feed.
pub(super) async fn feed_end(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COALESCE(MAX(newest), 0) AS newest FROM contact")
        .fetch_one(connection)
        .await
        .map_err(unavailable("loading the end of the feed"))?;
    Cells::new(&row, "contact", "newest").number("newest")
}

/// Takes `count` places at the end of the history, for good once the transaction commits. Returns the last place before
/// them.
pub(super) async fn take_places(connection: &mut SqliteConnection, count: u64) -> Result<u64, StoreError> {
    let row =
        sqlx::query("UPDATE store_meta SET last_place = last_place + $1 RETURNING id, last_place - $1 AS last_place")
            .bind(number("store_meta", "last_place", count)?)
            .fetch_one(connection)
            .await
            .map_err(unavailable("appending to the feed"))?;
    Cells::new(&row, "store_meta", "id").number("last_place")
}
