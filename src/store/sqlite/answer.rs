//! Rows of answers: whether a contact and a record are the same.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::error::{RowWrite, unavailable};
use super::row::Cells;
use crate::domain::answer::{Answer, Said};
use crate::domain::id::{AccountName, ContactId, RemoteId};
use crate::store::StoreError;

/// Inserts or replaces an answer.
pub(super) async fn put(connection: &mut SqliteConnection, answer: &Answer) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO answer (account, contact, remote, same, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account, contact, remote) DO UPDATE SET same = excluded.same, at = excluded.at",
    )
    .bind(answer.account.to_string())
    .bind(answer.contact.to_string())
    .bind(answer.remote.to_string())
    .bind(answer.said == Said::Same)
    .bind(answer.at.as_micros())
    .execute(connection)
    .await
    .map_err(|cause| {
        RowWrite { doing: "storing an answer", table: "answer", refers_by: "contact", row: &answer.contact }
            .refused(cause, || StoreError::inconsistent("answer", "contact", &answer.contact))
    })?;
    Ok(())
}

/// Forgets an answer, if there is one.
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    account: &AccountName,
    contact: ContactId,
    remote: &RemoteId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM answer WHERE account = $1 AND contact = $2 AND remote = $3")
        .bind(account.to_string())
        .bind(contact.to_string())
        .bind(remote.to_string())
        .execute(connection)
        .await
        .map_err(unavailable("forgetting an answer"))?;
    Ok(())
}

/// The answers about an account, in the order of contact and record.
pub(super) async fn of_account(
    connection: &mut SqliteConnection,
    account: &AccountName,
) -> Result<Vec<Answer>, StoreError> {
    let rows = sqlx::query(
        "SELECT account, contact, remote, same, at FROM answer WHERE account = $1 ORDER BY contact, remote",
    )
    .bind(account.to_string())
    .fetch_all(connection)
    .await
    .map_err(unavailable("loading answers"))?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &SqliteRow) -> Result<Answer, StoreError> {
    let cells = Cells::new(row, "answer", "contact");
    Ok(Answer {
        account: cells.name("account", AccountName::new)?,
        contact: cells.parsed("contact")?,
        remote: cells.name("remote", RemoteId::new)?,
        said: if cells.get("same")? { Said::Same } else { Said::Different },
        at: cells.time("at")?,
    })
}
