//! Rows of leases. The rule of who gets one is [`LeaseRow::ask`].

use sqlx::{SqliteConnection, SqlitePool};

use super::error::unavailable;
use super::row::{Cells, number};
use crate::domain::id::AccountName;
use crate::domain::time::Timestamp;
use crate::store::lease::LeaseRow;
use crate::store::{Fence, LeaseAnswer, LeaseRequest, StoreError};

/// Asks for the right to work on an account.
pub(super) async fn acquire(
    pool: &SqlitePool,
    request: LeaseRequest,
    now: Timestamp,
) -> Result<LeaseAnswer, StoreError> {
    const DOING: &str = "acquiring a lease";
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable(DOING))?;
    let current = load(&mut transaction, &request.account).await?;
    let row = match LeaseRow::ask(current, &request, now) {
        Ok(row) => row,
        Err(held) => {
            return Ok(LeaseAnswer::Busy { holder: held.holder.unwrap_or_default(), expires: held.expires });
        }
    };
    sqlx::query(
        "INSERT INTO lease (account, holder, token, expires) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account) DO UPDATE SET holder = excluded.holder, token = excluded.token,
            expires = excluded.expires",
    )
    .bind(request.account.to_string())
    .bind(row.holder)
    .bind(number("lease", "token", row.token)?)
    .bind(row.expires.as_micros())
    .execute(&mut *transaction)
    .await
    .map_err(unavailable(DOING))?;
    transaction.commit().await.map_err(unavailable(DOING))?;
    Ok(LeaseAnswer::Held(Fence { account: request.account, token: row.token }))
}

/// Gives a lease back, if it is still held.
pub(super) async fn release(pool: &SqlitePool, fence: Fence) -> Result<(), StoreError> {
    sqlx::query("UPDATE lease SET holder = NULL WHERE account = $1 AND token = $2")
        .bind(fence.account.to_string())
        .bind(number("lease", "token", fence.token)?)
        .execute(pool)
        .await
        .map_err(unavailable("releasing a lease"))?;
    Ok(())
}

/// Refuses a fence that is not the newest of its account or was given back.
pub(super) async fn check(connection: &mut SqliteConnection, fence: &Fence) -> Result<(), StoreError> {
    match load(connection, &fence.account).await? {
        Some(row) if row.token == fence.token && row.holder.is_some() => Ok(()),
        _ => Err(StoreError::LeaseLost { account: fence.account.to_string() }),
    }
}

/// Who holds the lease now, and until when.
pub(super) async fn holder(
    connection: &mut SqliteConnection,
    account: &AccountName,
    now: Timestamp,
) -> Result<Option<(String, Timestamp)>, StoreError> {
    let row = load(connection, account).await?;
    Ok(row.and_then(|row| row.holder_at(now).map(|holder| (holder.to_owned(), row.expires))))
}

async fn load(connection: &mut SqliteConnection, account: &AccountName) -> Result<Option<LeaseRow>, StoreError> {
    let row = sqlx::query("SELECT account, holder, token, expires FROM lease WHERE account = $1")
        .bind(account.to_string())
        .fetch_optional(connection)
        .await
        .map_err(unavailable("loading a lease"))?;
    let Some(row) = row else { return Ok(None) };
    let cells = Cells::new(&row, "lease", "account");
    Ok(Some(LeaseRow { holder: cells.get("holder")?, token: cells.number("token")?, expires: cells.time("expires")? }))
}
