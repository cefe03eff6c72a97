//! Forgetting an account: what is known of it, and its counter in every version.

use sqlx::SqliteConnection;

use super::error::unavailable;
use crate::domain::id::{AccountName, ReplicaId};
use crate::store::StoreError;

const DOING: &str = "forgetting an account";

/// Everything that names the account, in an order that leaves no reference dangling. Tokens, aliases and keys of
/// strangers go with what they belong to.
const ROWS: [&str; 11] = [
    "DELETE FROM answer WHERE account = $1",
    "DELETE FROM conflict WHERE account = $1",
    "DELETE FROM intent WHERE account = $1",
    "DELETE FROM sent WHERE link IN (SELECT id FROM link WHERE account = $1)",
    "DELETE FROM link WHERE account = $1",
    "DELETE FROM ghost WHERE account = $1",
    "DELETE FROM stranger WHERE account = $1",
    "DELETE FROM harm WHERE account = $1",
    "DELETE FROM pair_group WHERE account = $1",
    "DELETE FROM account WHERE name = $1",
    "DELETE FROM account_grant WHERE account = $1",
];

/// The columns that hold versions. All of them lose the counter in the same transaction, so that what was equal stays
/// equal.
const VERSIONS: [(&str, &str); 4] =
    [("contact", "version"), ("link", "acked"), ("link", "settled"), ("sent", "version")];

/// Removes what is known of an account, and the counter of its replica everywhere.
pub(super) async fn account(
    connection: &mut SqliteConnection,
    account: &AccountName,
    replica: &ReplicaId,
) -> Result<(), StoreError> {
    for statement in ROWS {
        sqlx::query(statement).bind(account.to_string()).execute(&mut *connection).await.map_err(unavailable(DOING))?;
    }
    for (table, column) in VERSIONS {
        drop_counter(&mut *connection, table, column, replica).await?;
    }
    Ok(())
}

async fn drop_counter(
    connection: &mut SqliteConnection,
    table: &'static str,
    column: &'static str,
    replica: &ReplicaId,
) -> Result<(), StoreError> {
    // Names of accounts have neither quotes nor backslashes.
    let path = format!("$.\"{replica}\"");
    let mut query = sqlx::QueryBuilder::new(format!("UPDATE {table} SET {column} = json_remove({column}, "));
    query.push_bind(path.clone()).push(format!(") WHERE json_type({column}, ")).push_bind(path).push(") IS NOT NULL");
    query.build().execute(connection).await.map_err(unavailable(DOING))?;
    Ok(())
}
