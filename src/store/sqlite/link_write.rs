//! Writes of links, their tokens and their aliases.

use sqlx::SqliteConnection;

use super::error::{RowWrite, unavailable};
use super::row::{json, json_opt, json_word, number};
use crate::domain::id::{AccountName, LinkId, LinkToken, RemoteId};
use crate::domain::link::{Link, LinkState, PhotoTrail};
use crate::store::StoreError;

/// Inserts or replaces a link and remembers its token. The flag `unsettled` is right for a link without contact; for
/// the others it has to be brought up to date before the transaction ends.
pub(super) async fn put(connection: &mut SqliteConnection, link: &Link) -> Result<(), StoreError> {
    put_row(&mut *connection, link).await?;
    remember_token(connection, &link.account, &link.token, link.id).await
}

async fn put_row(connection: &mut SqliteConnection, link: &Link) -> Result<(), StoreError> {
    const UPSERT: &str = "INSERT INTO link (id, account, contact, state, remote, incarnation, token, base_store,
            base_remote, base_marker, base_certainty, acked, settled, etag, remote_time, changed_at, seen, own_delete,
            parked, map_revision, base_agreed, former, wanted, leaving, member_of, restless, unsettled,
            photo, photo_agreed, photo_restless)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $26,
            $27, $28, $29)
        ON CONFLICT (id) DO UPDATE SET account = excluded.account, contact = excluded.contact, state = excluded.state,
            remote = excluded.remote, incarnation = excluded.incarnation, token = excluded.token,
            base_store = excluded.base_store, base_remote = excluded.base_remote, base_marker = excluded.base_marker,
            base_certainty = excluded.base_certainty, acked = excluded.acked, settled = excluded.settled,
            etag = excluded.etag, remote_time = excluded.remote_time, changed_at = excluded.changed_at,
            seen = excluded.seen, own_delete = excluded.own_delete, parked = excluded.parked,
            map_revision = excluded.map_revision, base_agreed = excluded.base_agreed, former = excluded.former,
            wanted = excluded.wanted, leaving = excluded.leaving, member_of = excluded.member_of,
            restless = excluded.restless, unsettled = excluded.unsettled,
            photo = excluded.photo, photo_agreed = excluded.photo_agreed, photo_restless = excluded.photo_restless";
    let base = link.base.as_ref();
    let marker = base.and_then(|base| base.marker).map(|marker| number("link", "base_marker", marker.0)).transpose()?;
    let certainty = base.map(|base| json_word("link", "base_certainty", &base.certainty)).transpose()?;
    sqlx::query(UPSERT)
        .bind(link.id.to_string())
        .bind(link.account.to_string())
        .bind(link.contact.map(|contact| contact.to_string()))
        .bind(link.state.as_str())
        .bind(link.remote.as_ref().map(ToString::to_string))
        .bind(i64::from(link.incarnation))
        .bind(link.token.to_string())
        .bind(json_opt("link", "base_store", base.map(|base| &base.store))?)
        .bind(json_opt("link", "base_remote", base.map(|base| &base.remote))?)
        .bind(marker)
        .bind(certainty)
        .bind(json("link", "acked", &link.acked)?)
        .bind(json("link", "settled", &link.settled)?)
        .bind(link.etag.as_ref().map(ToString::to_string))
        .bind(link.remote_time.map(|time| time.as_micros()))
        .bind(link.changed_at.as_micros())
        .bind(json_opt("link", "seen", link.seen.as_ref())?)
        .bind(link.own_delete)
        .bind(json_opt("link", "parked", link.parked.as_ref())?)
        .bind(i64::from(link.map_revision))
        .bind(json_opt("link", "base_agreed", base.and_then(|base| base.agreed.as_ref()))?)
        .bind(json_opt("link", "former", link.former.as_ref())?)
        .bind(json("link", "wanted", &link.wanted)?)
        .bind(json("link", "leaving", &link.leaving)?)
        .bind(json("link", "member_of", &link.member_of)?)
        .bind(!link.is_settled(None))
        .bind(json_opt("link", "photo", (*link.photo != PhotoTrail::default()).then_some(&link.photo))?)
        .bind(link.photo.agreed.clone())
        .bind(link.state == LinkState::Bound && link.photo.is_restless())
        .execute(connection)
        .await
        .map_err(|cause| {
            RowWrite { doing: "storing a link", table: "link", refers_by: "contact", row: &link.id }
                .refused(cause, || StoreError::link_taken(&link.account))
        })?;
    Ok(())
}

async fn remember_token(
    connection: &mut SqliteConnection,
    account: &AccountName,
    token: &LinkToken,
    link: LinkId,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "INSERT INTO link_token (token, link) VALUES ($1, $2)
         ON CONFLICT (token) DO UPDATE SET link = excluded.link WHERE link_token.link = excluded.link",
    )
    .bind(token.to_string())
    .bind(link.to_string())
    .execute(connection)
    .await
    .map_err(unavailable("remembering a link's token"))?;
    // No row: the token is another link's.
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::link_taken(account)) }
}

/// Removes a link that never belonged to a contact, with its tokens and aliases. That it is not there is fine.
pub(super) async fn drop_found(connection: &mut SqliteConnection, link: LinkId) -> Result<(), StoreError> {
    const DOING: &str = "dropping a link";
    let done = sqlx::query("DELETE FROM link WHERE id = $1 AND state = $2")
        .bind(link.to_string())
        .bind(LinkState::Found.as_str())
        .execute(&mut *connection)
        .await
        .map_err(|cause| {
            RowWrite { doing: DOING, table: "link", refers_by: "id", row: &link }
                .refused(cause, || StoreError::inconsistent("link", "id", &link))
        })?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT id FROM link WHERE id = $1)")
        .bind(link.to_string())
        .fetch_one(connection)
        .await
        .map_err(unavailable(DOING))?;
    if is_there { Err(StoreError::inconsistent("link", "state", &link)) } else { Ok(()) }
}

/// Remembers that a former remote id leads to a link.
pub(super) async fn put_alias(
    connection: &mut SqliteConnection,
    account: &AccountName,
    remote: &RemoteId,
    link: LinkId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO link_alias (account, remote, link) VALUES ($1, $2, $3)
         ON CONFLICT (account, remote) DO UPDATE SET link = excluded.link",
    )
    .bind(account.to_string())
    .bind(remote.to_string())
    .bind(link.to_string())
    .execute(connection)
    .await
    .map_err(|cause| {
        RowWrite { doing: "remembering an alias", table: "link_alias", refers_by: "link", row: remote }
            .refused(cause, || StoreError::link_taken(account))
    })?;
    Ok(())
}
