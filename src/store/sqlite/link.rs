//! Rows of links, with their tokens and aliases.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::unavailable;
use super::query::{VALUES_MAX, pieces, push_list};
use super::row::Cells;
use crate::domain::id::{AccountName, ContactId, Etag, GroupId, LinkId, LinkToken, Marker, RemoteId};
use crate::domain::link::{Base, Link, LinkState};
use crate::store::{LinkCounts, StoreError};

const SELECT: &str = "SELECT link.id, link.account, link.contact, state, link.remote, incarnation, link.token,
    base_store, base_remote, base_marker, base_certainty, base_agreed, former, acked, settled, etag, remote_time, changed_at, seen,
    own_delete, parked, map_revision, wanted, leaving, member_of, link.photo";

/// The links with these ids, in the order of their ids.
pub(super) async fn load(connection: &mut SqliteConnection, ids: &[LinkId]) -> Result<Vec<Link>, StoreError> {
    let mut links = Vec::with_capacity(ids.len());
    for piece in pieces(ids) {
        let mut query = QueryBuilder::new(SELECT);
        query.push(" FROM link WHERE id IN ");
        push_list(&mut query, piece.iter().map(ToString::to_string));
        query.push(" ORDER BY id");
        links.extend(fetch(connection, &mut query).await?);
    }
    Ok(links)
}

/// The links that these remote ids lead to, in the order of the remote ids. A link's own remote id goes before an alias.
pub(super) async fn of_remotes(
    connection: &mut SqliteConnection,
    account: &AccountName,
    remotes: &[RemoteId],
) -> Result<Vec<(RemoteId, Link)>, StoreError> {
    let mut found = of_aliases(connection, account, remotes).await?;
    for piece in pieces(remotes) {
        let mut own = QueryBuilder::new(SELECT);
        own.push(" FROM link WHERE account = ").push_bind(account.to_string()).push(" AND remote IN ");
        push_list(&mut own, piece.iter().map(ToString::to_string));
        for link in fetch(connection, &mut own).await? {
            found.extend(link.remote.clone().map(|remote| (remote, link)));
        }
    }
    Ok(found.into_iter().collect())
}

/// The links that these remote ids lead to by an alias.
pub(super) async fn of_aliases(
    connection: &mut SqliteConnection,
    account: &AccountName,
    remotes: &[RemoteId],
) -> Result<BTreeMap<RemoteId, Link>, StoreError> {
    let mut found = BTreeMap::new();
    for piece in pieces(remotes) {
        let mut by_alias = QueryBuilder::new(SELECT);
        by_alias.push(", link_alias.remote AS led_by FROM link_alias JOIN link ON link.id = link_alias.link");
        by_alias.push(" WHERE link_alias.account = ").push_bind(account.to_string());
        by_alias.push(" AND link_alias.remote IN ");
        push_list(&mut by_alias, piece.iter().map(ToString::to_string));
        found.extend(fetch_led_to(connection, &mut by_alias, RemoteId::new).await?);
    }
    Ok(found)
}

/// The links that these tokens lead to, in the order of the tokens.
pub(super) async fn of_tokens(
    connection: &mut SqliteConnection,
    tokens: &[LinkToken],
) -> Result<Vec<(LinkToken, Link)>, StoreError> {
    let mut found = Vec::new();
    for piece in pieces(tokens) {
        let mut query = QueryBuilder::new(SELECT);
        query.push(", link_token.token AS led_by FROM link_token JOIN link ON link.id = link_token.link");
        query.push(" WHERE link_token.token IN ");
        push_list(&mut query, piece.iter().map(ToString::to_string));
        query.push(" ORDER BY link_token.token");
        found.extend(fetch_led_to(connection, &mut query, LinkToken::new).await?);
    }
    Ok(found)
}

/// The links of these contacts in one account, in the order of their ids.
pub(super) async fn of_contacts(
    connection: &mut SqliteConnection,
    account: &AccountName,
    contacts: &[ContactId],
) -> Result<Vec<Link>, StoreError> {
    let mut links = Vec::new();
    for piece in pieces(contacts) {
        let mut query = QueryBuilder::new(SELECT);
        query.push(" FROM link WHERE account = ").push_bind(account.to_string()).push(" AND contact IN ");
        push_list(&mut query, piece.iter().map(ToString::to_string));
        links.extend(fetch(connection, &mut query).await?);
    }
    links.sort_by_key(|link| link.id);
    Ok(links)
}

/// The links of one contact in all accounts, in the order of their ids.
pub(super) async fn of_contact(connection: &mut SqliteConnection, contact: ContactId) -> Result<Vec<Link>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push(" FROM link WHERE contact = ").push_bind(contact.to_string()).push(" ORDER BY id");
    fetch(connection, &mut query).await
}

/// Links of an account that are not settled, by id.
pub(super) async fn unsettled(
    connection: &mut SqliteConnection,
    account: &AccountName,
    after: Option<LinkId>,
    limit: u32,
) -> Result<Vec<LinkId>, StoreError> {
    let rows = sqlx::query("SELECT id FROM link WHERE account = $1 AND unsettled AND id > $2 ORDER BY id LIMIT $3")
        .bind(account.to_string())
        .bind(after.map(|after| after.to_string()).unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await
        .map_err(unavailable("loading unsettled links"))?;
    rows.iter().map(|row| Cells::new(row, "link", "id").parsed("id")).collect()
}

/// Links of an account whose photos may differ, by id.
pub(super) async fn photo_due(
    connection: &mut SqliteConnection,
    account: &AccountName,
    after: Option<LinkId>,
    limit: u32,
) -> Result<Vec<LinkId>, StoreError> {
    let rows = sqlx::query("SELECT id FROM link WHERE account = $1 AND photo_due AND id > $2 ORDER BY id LIMIT $3")
        .bind(account.to_string())
        .bind(after.map(|after| after.to_string()).unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await
        .map_err(unavailable("loading links with photos"))?;
    rows.iter().map(|row| Cells::new(row, "link", "id").parsed("id")).collect()
}

/// The remote ids of all bound links of an account.
pub(super) async fn listed_remotes(
    connection: &mut SqliteConnection,
    account: &AccountName,
) -> Result<BTreeSet<RemoteId>, StoreError> {
    let rows =
        sqlx::query("SELECT id, remote FROM link WHERE account = $1 AND state IN ($2, $3) AND remote IS NOT NULL")
            .bind(account.to_string())
            .bind(LinkState::Bound.as_str())
            .bind(LinkState::Found.as_str())
            .fetch_all(connection)
            .await
            .map_err(unavailable("loading the ids of records"))?;
    rows.iter().map(|row| Cells::new(row, "link", "id").name("remote", RemoteId::new)).collect()
}

/// How many records of an account are known to be in each group.
pub(super) async fn group_sizes(
    connection: &mut SqliteConnection,
    account: &AccountName,
) -> Result<BTreeMap<GroupId, u64>, StoreError> {
    // Few sets of groups, many links: the index alone answers.
    let rows = sqlx::query(
        "SELECT MIN(id) AS id, member_of, COUNT(*) AS size FROM link WHERE account = $1 AND member_of <> '[]'
         GROUP BY member_of",
    )
    .bind(account.to_string())
    .fetch_all(connection)
    .await
    .map_err(unavailable("counting the members of groups"))?;
    let mut sizes = BTreeMap::new();
    for row in &rows {
        let cells = Cells::new(row, "link", "id");
        let groups: BTreeSet<GroupId> = cells.json("member_of")?;
        let size: u64 = cells.number("size")?;
        groups.into_iter().for_each(|group| *sizes.entry(group).or_default() += size);
    }
    Ok(sizes)
}

/// The remote ids that are known to be in a group.
pub(super) async fn remotes_in(
    connection: &mut SqliteConnection,
    account: &AccountName,
    group: &GroupId,
) -> Result<BTreeSet<RemoteId>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, remote FROM link
         WHERE account = $1 AND remote IS NOT NULL AND member_of <> '[]'
           AND EXISTS (SELECT 1 FROM json_each(member_of) WHERE value = $2)",
    )
    .bind(account.to_string())
    .bind(group.to_string())
    .fetch_all(connection)
    .await
    .map_err(unavailable("loading the members of a group"))?;
    rows.iter().map(|row| Cells::new(row, "link", "id").name("remote", RemoteId::new)).collect()
}

/// Numbers about an account's links.
pub(super) async fn counts(connection: &mut SqliteConnection, account: &AccountName) -> Result<LinkCounts, StoreError> {
    let row = sqlx::query(
        "SELECT $1 AS account,
            (SELECT COUNT(*) FROM link WHERE account = $1 AND state = $2) AS bound,
            (SELECT COUNT(*) FROM link WHERE account = $1 AND unsettled) AS unsettled,
            (SELECT COUNT(*) FROM link WHERE account = $1 AND parked IS NOT NULL) AS parked,
            (SELECT COUNT(*) FROM link WHERE account = $1 AND parked IS NOT NULL
                AND json_extract(parked, '$.candidates') IS NOT NULL) AS questions,
            (SELECT COUNT(*) FROM intent WHERE account = $1) AS intents,
            (SELECT COUNT(*) FROM conflict WHERE account = $1 AND resolved IS NULL) AS conflicts,
            (SELECT COUNT(*) FROM stranger WHERE account = $1) AS strangers",
    )
    .bind(account.to_string())
    .bind(LinkState::Bound.as_str())
    .fetch_one(connection)
    .await
    .map_err(unavailable("counting links"))?;
    let cells = Cells::new(&row, "link", "account");
    Ok(LinkCounts {
        bound: cells.number("bound")?,
        unsettled: cells.number("unsettled")?,
        parked: cells.number("parked")?,
        questions: cells.number("questions")?,
        intents: cells.number("intents")?,
        conflicts: cells.number("conflicts")?,
        strangers: cells.number("strangers")?,
    })
}

/// Brings the flags `unsettled` and `photo_due` of all links of these contacts up to date; the rest of the rules is
/// [`Link::is_settled`], kept in `restless`, and [`Link::is_photo_due`], kept in `photo_restless`.
pub(super) async fn mark_unsettled(
    connection: &mut SqliteConnection,
    contacts: &BTreeSet<ContactId>,
) -> Result<(), StoreError> {
    let contacts: Vec<&ContactId> = contacts.iter().collect();
    for piece in contacts.chunks(VALUES_MAX) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "UPDATE link SET
                unsettled = (restless OR settled <> (SELECT version FROM contact WHERE id = link.contact)),
                photo_due = (photo_restless OR state = 'bound'
                    AND photo_agreed IS DISTINCT FROM (SELECT contact.photo FROM contact WHERE id = link.contact))
             WHERE contact IN ",
        );
        push_list(&mut query, piece.iter().map(ToString::to_string));
        query.build().execute(&mut *connection).await.map_err(unavailable("marking unsettled links"))?;
    }
    Ok(())
}

async fn fetch(connection: &mut SqliteConnection, query: &mut QueryBuilder<Sqlite>) -> Result<Vec<Link>, StoreError> {
    let rows = query.build().fetch_all(connection).await.map_err(unavailable("loading links"))?;
    rows.iter().map(from_row).collect()
}

async fn fetch_led_to<N>(
    connection: &mut SqliteConnection,
    query: &mut QueryBuilder<Sqlite>,
    name: fn(String) -> N,
) -> Result<Vec<(N, Link)>, StoreError> {
    let rows = query.build().fetch_all(connection).await.map_err(unavailable("loading links"))?;
    rows.iter().map(|row| Ok((Cells::new(row, "link", "id").name("led_by", name)?, from_row(row)?))).collect()
}

fn from_row(row: &SqliteRow) -> Result<Link, StoreError> {
    let cells = Cells::new(row, "link", "id");
    Ok(Link {
        id: cells.parsed("id")?,
        account: cells.name("account", AccountName::new)?,
        contact: cells.parsed_opt("contact")?,
        state: cells.word("state", LinkState::parse)?,
        remote: cells.name_opt("remote", RemoteId::new)?,
        incarnation: cells.number("incarnation")?,
        token: cells.name("token", LinkToken::new)?,
        base: base_from(&cells)?,
        acked: cells.json("acked")?,
        settled: cells.json("settled")?,
        etag: cells.name_opt("etag", Etag::new)?,
        remote_time: cells.time_opt("remote_time")?,
        changed_at: cells.time("changed_at")?,
        seen: cells.json_opt("seen")?,
        own_delete: cells.get("own_delete")?,
        parked: cells.json_opt("parked")?,
        map_revision: cells.number("map_revision")?,
        former: cells.json_opt("former")?,
        wanted: cells.json("wanted")?,
        leaving: cells.json("leaving")?,
        member_of: cells.json("member_of")?,
        photo: cells.json_opt("photo")?.unwrap_or_default(),
    })
}

fn base_from(cells: &Cells<'_>) -> Result<Option<Base>, StoreError> {
    let Some(store) = cells.json_opt("base_store")? else { return Ok(None) };
    Ok(Some(Base {
        store,
        remote: cells.json("base_remote")?,
        marker: cells.number_opt("base_marker")?.map(Marker),
        certainty: cells.json_word("base_certainty")?,
        agreed: cells.json_opt("base_agreed")?,
    }))
}
