//! Rows of grants; what they hold is sealed.

use sqlx::{SqliteConnection, SqlitePool};

use super::error::unavailable;
use super::row::Cells;
use crate::domain::id::AccountName;
use crate::store::{SealedGrant, StoreError};

/// Replaces the grant of an account.
pub(super) async fn put(pool: &SqlitePool, grant: SealedGrant) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO account_grant (account, sealed, stored) VALUES ($1, $2, $3)
         ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed, stored = excluded.stored",
    )
    .bind(grant.account.to_string())
    .bind(grant.sealed)
    .bind(grant.stored.as_micros())
    .execute(pool)
    .await
    .map_err(unavailable("storing a grant"))?;
    Ok(())
}

/// Forgets the grant of an account.
pub(super) async fn drop(pool: &SqlitePool, account: &AccountName) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM account_grant WHERE account = $1")
        .bind(account.to_string())
        .execute(pool)
        .await
        .map_err(unavailable("forgetting a grant"))?;
    Ok(())
}

/// The grant of an account.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    account: &AccountName,
) -> Result<Option<SealedGrant>, StoreError> {
    let row = sqlx::query("SELECT account, sealed, stored FROM account_grant WHERE account = $1")
        .bind(account.to_string())
        .fetch_optional(connection)
        .await
        .map_err(unavailable("loading a grant"))?;
    let Some(row) = row else { return Ok(None) };
    let cells = Cells::new(&row, "account_grant", "account");
    Ok(Some(SealedGrant {
        account: cells.name("account", AccountName::new)?,
        sealed: cells.get("sealed")?,
        stored: cells.time("stored")?,
    }))
}
