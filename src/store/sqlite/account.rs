//! Rows of accounts, with the groups of their pairs.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::unavailable;
use super::row::{Cells, json_opt, json_word, number};
use crate::domain::account::{AccountState, PairGroup};
use crate::domain::id::{AccountName, Etag, GroupId};
use crate::store::StoreError;

const SELECT: &str = "SELECT name, remote_user, contacts_cursor, full_begun, feed_position, settings,
    clock_ahead_ms, clock_set, budget, proven_equal, last_run, last_outcome, last_error,
    restored FROM account";

/// Inserts or replaces the state of an account, its pair groups included.
pub(super) async fn put(connection: &mut SqliteConnection, account: &AccountState) -> Result<(), StoreError> {
    put_row(&mut *connection, account).await?;
    sqlx::query("DELETE FROM pair_group WHERE account = $1")
        .bind(account.name.to_string())
        .execute(&mut *connection)
        .await
        .map_err(unavailable("replacing pair groups"))?;
    for (place, group) in (0_i64..).zip(&account.pair_groups) {
        put_group(&mut *connection, &account.name, place, group).await?;
    }
    Ok(())
}

async fn put_row(connection: &mut SqliteConnection, account: &AccountState) -> Result<(), StoreError> {
    const UPSERT: &str = "INSERT INTO account (name, remote_user, contacts_cursor, full_begun,
            feed_position, settings, clock_ahead_ms, clock_set, budget, proven_equal, last_run, last_outcome,
            last_error, restored)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (name) DO UPDATE SET remote_user = excluded.remote_user,
            contacts_cursor = excluded.contacts_cursor,
            full_begun = excluded.full_begun, feed_position = excluded.feed_position, settings = excluded.settings,
            clock_ahead_ms = excluded.clock_ahead_ms, clock_set = excluded.clock_set, budget = excluded.budget,
            proven_equal = excluded.proven_equal,
            last_run = excluded.last_run, last_outcome = excluded.last_outcome, last_error = excluded.last_error,
            restored = excluded.restored";
    let outcome = account.last_outcome.as_ref().map(|outcome| json_word("account", "last_outcome", outcome));
    sqlx::query(UPSERT)
        .bind(account.name.to_string())
        .bind(account.remote_user.clone())
        .bind(json_opt("account", "contacts_cursor", account.contacts.as_ref())?)
        .bind(account.full_begun.map(|begun| begun.as_micros()))
        .bind(number("account", "feed_position", account.feed_position)?)
        .bind(account.settings.clone())
        .bind(account.clock_ahead_ms)
        .bind(json_opt("account", "clock_set", account.clock_set.as_ref())?)
        .bind(json_opt("account", "budget", account.budget.as_ref())?)
        .bind(account.proven_equal.map(|proven| proven.as_micros()))
        .bind(account.last_run.map(|run| run.to_string()))
        .bind(outcome.transpose()?)
        .bind(account.last_error.clone())
        .bind(account.restored)
        .execute(connection)
        .await
        .map_err(unavailable("storing an account"))?;
    Ok(())
}

async fn put_group(
    connection: &mut SqliteConnection,
    account: &AccountName,
    place: i64,
    group: &PairGroup,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO pair_group (account, place, configured, remote, name, etag, members, outsiders, odd_since, deleted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(account.to_string())
    .bind(place)
    .bind(group.configured.clone())
    .bind(group.group.to_string())
    .bind(group.name.clone())
    .bind(group.etag.as_ref().map(ToString::to_string))
    .bind(number("pair_group", "members", group.members)?)
    .bind(group.outsiders)
    .bind(group.odd_since.map(|since| since.as_micros()))
    .bind(group.deleted)
    .execute(connection)
    .await
    .map_err(unavailable("storing a pair group"))?;
    Ok(())
}

/// The state of an account.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    name: &AccountName,
) -> Result<Option<AccountState>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push(" WHERE name = ").push_bind(name.to_string());
    Ok(fetch(connection, &mut query).await?.pop())
}

/// The states of all accounts ever stored, by name.
pub(super) async fn load_all(connection: &mut SqliteConnection) -> Result<Vec<AccountState>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push(" ORDER BY name");
    fetch(connection, &mut query).await
}

async fn fetch(
    connection: &mut SqliteConnection,
    query: &mut QueryBuilder<Sqlite>,
) -> Result<Vec<AccountState>, StoreError> {
    let rows = query.build().fetch_all(&mut *connection).await.map_err(unavailable("loading accounts"))?;
    let mut accounts = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut account = from_row(row)?;
        account.pair_groups = load_groups(&mut *connection, &account.name).await?;
        accounts.push(account);
    }
    Ok(accounts)
}

fn from_row(row: &SqliteRow) -> Result<AccountState, StoreError> {
    let cells = Cells::new(row, "account", "name");
    Ok(AccountState {
        name: cells.name("name", AccountName::new)?,
        remote_user: cells.get("remote_user")?,
        contacts: cells.json_opt("contacts_cursor")?,
        full_begun: cells.time_opt("full_begun")?,
        feed_position: cells.number("feed_position")?,
        settings: cells.get("settings")?,
        clock_ahead_ms: cells.get("clock_ahead_ms")?,
        clock_set: cells.json_opt("clock_set")?,
        budget: cells.json_opt("budget")?,
        proven_equal: cells.time_opt("proven_equal")?,
        last_run: cells.parsed_opt("last_run")?,
        last_outcome: cells.json_word_opt("last_outcome")?,
        last_error: cells.get("last_error")?,
        restored: cells.get("restored")?,
        pair_groups: Vec::new(),
    })
}

async fn load_groups(connection: &mut SqliteConnection, account: &AccountName) -> Result<Vec<PairGroup>, StoreError> {
    let rows = sqlx::query(
        "SELECT account, configured, remote, name, etag, members, outsiders, odd_since, deleted
         FROM pair_group WHERE account = $1 ORDER BY place",
    )
    .bind(account.to_string())
    .fetch_all(connection)
    .await
    .map_err(unavailable("loading pair groups"))?;
    rows.iter().map(group_from).collect()
}

fn group_from(row: &SqliteRow) -> Result<PairGroup, StoreError> {
    let cells = Cells::new(row, "pair_group", "account");
    Ok(PairGroup {
        configured: cells.get("configured")?,
        group: cells.name("remote", GroupId::new)?,
        name: cells.get("name")?,
        etag: cells.name_opt("etag", Etag::new)?,
        members: cells.number("members")?,
        outsiders: cells.get("outsiders")?,
        odd_since: cells.time_opt("odd_since")?,
        deleted: cells.get("deleted")?,
    })
}
