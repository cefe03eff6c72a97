//! Rows of the outbox and of its memory.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::{RowWrite, unavailable};
use super::query::{pieces, push_list};
use super::row::{Cells, json, number};
use crate::domain::id::{AccountName, Etag, LinkToken, Marker};
use crate::domain::outbox::{Intent, IntentKind, Sent};
use crate::domain::time::Timestamp;
use crate::store::StoreError;

/// Opens an intent and remembers what it means.
pub(super) async fn open(connection: &mut SqliteConnection, intent: &Intent, sent: &Sent) -> Result<(), StoreError> {
    put_intent(&mut *connection, intent).await?;
    put_sent(connection, sent).await
}

async fn put_intent(connection: &mut SqliteConnection, intent: &Intent) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO intent (marker, link, account, kind, etag, remote_time, first_sent, last_sent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(number("intent", "marker", intent.marker.0)?)
    .bind(intent.link.to_string())
    .bind(intent.account.to_string())
    .bind(intent.kind.as_str())
    .bind(intent.etag.as_ref().map(ToString::to_string))
    .bind(intent.remote_time.map(|time| time.as_micros()))
    .bind(intent.first_sent.as_micros())
    .bind(intent.last_sent.as_micros())
    .execute(connection)
    .await
    .map_err(|cause| {
        RowWrite { doing: "opening an intent", table: "intent", refers_by: "link", row: &intent.marker }
            .refused(cause, || StoreError::intent_taken(&intent.link))
    })?;
    Ok(())
}

async fn put_sent(connection: &mut SqliteConnection, sent: &Sent) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sent (marker, link, token, kind, card, wire, mask, version, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(number("sent", "marker", sent.marker.0)?)
    .bind(sent.link.to_string())
    .bind(sent.token.to_string())
    .bind(sent.kind.as_str())
    .bind(json("sent", "card", &sent.card)?)
    .bind(json("sent", "wire", &sent.wire)?)
    .bind(json("sent", "mask", &sent.mask)?)
    .bind(json("sent", "version", &sent.version)?)
    .bind(sent.at.as_micros())
    .execute(connection)
    .await
    .map_err(|cause| {
        RowWrite { doing: "remembering a write", table: "sent", refers_by: "link", row: &sent.marker }
            .refused(cause, || StoreError::intent_taken(&sent.link))
    })?;
    Ok(())
}

/// Notes that an open intent is sent again. An intent that is not open must not be.
pub(super) async fn resend(connection: &mut SqliteConnection, marker: Marker, at: Timestamp) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE intent SET last_sent = $2 WHERE marker = $1")
        .bind(number("intent", "marker", marker.0)?)
        .bind(at.as_micros())
        .execute(connection)
        .await
        .map_err(unavailable("noting that an intent is sent again"))?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::inconsistent("intent", "marker", &marker)) }
}

/// Closes an intent; closing a closed one is fine.
pub(super) async fn close(connection: &mut SqliteConnection, marker: Marker) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM intent WHERE marker = $1")
        .bind(number("intent", "marker", marker.0)?)
        .execute(connection)
        .await
        .map_err(unavailable("closing an intent"))?;
    Ok(())
}

/// Open intents of an account, by marker.
pub(super) async fn open_intents(
    connection: &mut SqliteConnection,
    account: &AccountName,
) -> Result<Vec<Intent>, StoreError> {
    let rows = sqlx::query(
        "SELECT marker, link, account, kind, etag, remote_time, first_sent, last_sent
         FROM intent WHERE account = $1 ORDER BY marker",
    )
    .bind(account.to_string())
    .fetch_all(connection)
    .await
    .map_err(unavailable("loading open intents"))?;
    rows.iter().map(intent_from).collect()
}

fn intent_from(row: &SqliteRow) -> Result<Intent, StoreError> {
    let cells = Cells::new(row, "intent", "marker");
    Ok(Intent {
        marker: Marker(cells.number("marker")?),
        link: cells.parsed("link")?,
        account: cells.name("account", AccountName::new)?,
        kind: cells.word("kind", IntentKind::parse)?,
        etag: cells.name_opt("etag", Etag::new)?,
        remote_time: cells.time_opt("remote_time")?,
        first_sent: cells.time("first_sent")?,
        last_sent: cells.time("last_sent")?,
    })
}

/// What these markers meant, by marker.
pub(super) async fn sent(connection: &mut SqliteConnection, markers: &[Marker]) -> Result<Vec<Sent>, StoreError> {
    let mut found = Vec::with_capacity(markers.len());
    for piece in pieces(markers) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT marker, link, token, kind, card, wire, mask, version, at FROM sent WHERE marker IN ",
        );
        // A marker that a remote record claims may be any number; one that we never minted is not found.
        push_list(&mut query, piece.iter().filter_map(|marker| i64::try_from(marker.0).ok()));
        query.push(" ORDER BY marker");
        let rows = query.build().fetch_all(&mut *connection).await.map_err(unavailable("loading sent writes"))?;
        for row in &rows {
            found.push(sent_from(row)?);
        }
    }
    Ok(found)
}

fn sent_from(row: &SqliteRow) -> Result<Sent, StoreError> {
    let cells = Cells::new(row, "sent", "marker");
    Ok(Sent {
        marker: Marker(cells.number("marker")?),
        link: cells.parsed("link")?,
        token: cells.name("token", LinkToken::new)?,
        kind: cells.word("kind", IntentKind::parse)?,
        card: cells.json("card")?,
        wire: cells.json("wire")?,
        mask: cells.json("mask")?,
        version: cells.json("version")?,
        at: cells.time("at")?,
    })
}
