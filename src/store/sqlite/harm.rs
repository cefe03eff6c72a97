//! Rows of harm that runs did lately.

use sqlx::SqliteConnection;

use super::error::unavailable;
use super::row::Cells;
use crate::domain::harm::{Harm, HarmDone, LetBy};
use crate::domain::id::AccountName;
use crate::domain::time::Timestamp;
use crate::store::StoreError;

/// Remembers a harm; of the same one to the same contact the last time counts.
pub(super) async fn put(connection: &mut SqliteConnection, done: &HarmDone) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO harm (account, harm, contact, let_by, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account, harm, contact, let_by) DO UPDATE SET at = excluded.at",
    )
    .bind(done.account.to_string())
    .bind(done.harm.as_str())
    .bind(done.contact.to_string())
    .bind(done.let_by.as_str())
    .bind(done.at.as_micros())
    .execute(connection)
    .await
    .map_err(unavailable("remembering a harm"))?;
    Ok(())
}

/// Forgets what was done before a time.
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    account: &AccountName,
    before: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM harm WHERE account = $1 AND at < $2")
        .bind(account.to_string())
        .bind(before.as_micros())
        .execute(connection)
        .await
        .map_err(unavailable("forgetting old harm"))?;
    Ok(())
}

/// What was done since a time, in order.
pub(super) async fn since(
    connection: &mut SqliteConnection,
    account: &AccountName,
    since: Timestamp,
) -> Result<Vec<HarmDone>, StoreError> {
    let rows = sqlx::query(
        "SELECT account, harm, contact, let_by, at FROM harm WHERE account = $1 AND at >= $2
         ORDER BY harm, contact, let_by",
    )
    .bind(account.to_string())
    .bind(since.as_micros())
    .fetch_all(connection)
    .await
    .map_err(unavailable("loading harm"))?;
    rows.iter()
        .map(|row| {
            let cells = Cells::new(row, "harm", "contact");
            Ok(HarmDone {
                account: cells.name("account", AccountName::new)?,
                harm: cells.word("harm", Harm::parse)?,
                contact: cells.parsed("contact")?,
                let_by: cells.word("let_by", LetBy::parse)?,
                at: cells.time("at")?,
            })
        })
        .collect()
}
