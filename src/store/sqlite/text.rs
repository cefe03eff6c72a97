//! What contacts can be found by: rows beside the contacts, and an index of every three characters in a row.
//!
//! The index says which rows have the characters of what is looked for, in any order and at any place; the rows themselves
//! say whether it really occurs. So the index needs no places and stays small, and what is found is exactly what
//! [`Search`] finds in memory.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::unavailable;
use super::query::VALUES_MAX;
use super::row::Cells;
use crate::domain::contact::Card;
use crate::domain::id::ContactId;
use crate::domain::search::{self, Search, SearchText, Term};
use crate::store::StoreError;

/// Up to so many contacts that a text finds are taken from the index. More of them are met soon enough by going through a
/// list in its order, while putting all of them in order would take long.
const FEW: usize = 1000;
/// How many contacts are read at a time when everything is filled anew.
const CHUNK: u32 = 500;

/// Brings what these contacts can be found by up to date. What is the same already costs next to nothing.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    texts: &BTreeMap<ContactId, SearchText>,
) -> Result<(), StoreError> {
    const DOING: &str = "storing what contacts can be found by";
    let rows: Vec<(&ContactId, &SearchText)> = texts.iter().collect();
    for piece in rows.chunks(VALUES_MAX / 4) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO contact_text (contact, text, phone_digits) ");
        query.push_values(piece, |mut row, (id, text)| {
            row.push_bind(id.to_string()).push_bind(text.text.clone()).push_bind(text.phone_digits.clone());
        });
        query.push(
            " ON CONFLICT (contact) DO UPDATE SET text = excluded.text, phone_digits = excluded.phone_digits
             WHERE text <> excluded.text OR phone_digits <> excluded.phone_digits
             RETURNING number, text || char(10) || phone_digits AS indexed",
        );
        let changed = query.build().fetch_all(&mut *connection).await.map_err(unavailable(DOING))?;
        if changed.is_empty() {
            continue;
        }
        let mut rows = Vec::with_capacity(changed.len());
        for row in &changed {
            let cells = Cells::new(row, "contact_text", "number");
            rows.push((cells.get::<i64>("number")?, cells.get::<String>("indexed")?));
        }
        let mut query = QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO contact_trigram (rowid, text) ");
        query.push_values(rows, |mut row, (number, text)| {
            row.push_bind(number).push_bind(text);
        });
        query.build().execute(&mut *connection).await.map_err(unavailable(DOING))?;
    }
    Ok(())
}

/// Fills everything anew when it was filled under another idea of what a contact can be found by.
pub(super) async fn refill_when_old(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    const DOING: &str = "indexing contacts for the search";
    let revision: i64 = sqlx::query_scalar("SELECT search_revision FROM store_meta")
        .fetch_one(&mut *connection)
        .await
        .map_err(unavailable(DOING))?;
    if revision == i64::from(search::REVISION) {
        return Ok(());
    }
    let mut after = String::new();
    loop {
        let rows = sqlx::query("SELECT id, card FROM contact WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.clone())
            .bind(i64::from(CHUNK))
            .fetch_all(&mut *connection)
            .await
            .map_err(unavailable(DOING))?;
        let Some(last) = rows.last() else { break };
        after = Cells::new(last, "contact", "id").get("id")?;
        let mut texts = BTreeMap::new();
        for row in &rows {
            let cells = Cells::new(row, "contact", "id");
            // An odd row is told by whoever needs it; it is no reason not to open the store.
            if let Ok(card) = cells.json::<Card>("card") {
                texts.insert(cells.parsed("id")?, SearchText::of(&card));
            }
        }
        put(connection, &texts).await?;
    }
    sqlx::query("UPDATE store_meta SET search_revision = $1")
        .bind(i64::from(search::REVISION))
        .execute(connection)
        .await
        .map_err(unavailable(DOING))?;
    Ok(())
}

/// How the contacts that a text finds are got at.
pub(super) enum Access {
    /// These are all of them.
    Among(Vec<String>),
    /// There are many.
    Many,
}

/// Looks how many contacts the search finds.
pub(super) async fn look(connection: &mut SqliteConnection, search: &Search) -> Result<Access, StoreError> {
    let mut query = QueryBuilder::new("SELECT contact FROM ");
    push_found(&mut query, search);
    query.push(" LIMIT ").push_bind(i64::try_from(FEW + 1).unwrap_or(i64::MAX));
    let rows = query.build().fetch_all(connection).await.map_err(unavailable("looking for a text"))?;
    if rows.len() > FEW {
        return Ok(Access::Many);
    }
    let found: Result<_, _> =
        rows.iter().map(|row| Cells::new(row, "contact_text", "contact").get("contact")).collect();
    found.map(Access::Among)
}

/// Adds the table of what is found, with its condition.
pub(super) fn push_found(query: &mut QueryBuilder<Sqlite>, search: &Search) {
    match expression(search) {
        // The index goes first, so that it can stop early.
        Some(expression) => {
            query
                .push("contact_trigram CROSS JOIN contact_text ON number = contact_trigram.rowid")
                .push(" WHERE contact_trigram MATCH ")
                .push_bind(expression);
        }
        None => {
            query.push("contact_text WHERE TRUE");
        }
    }
    push_occurs(query, search);
}

/// Adds the conditions that everything occurs in a row of `contact_text`.
pub(super) fn push_occurs(query: &mut QueryBuilder<Sqlite>, search: &Search) {
    for term in search.terms() {
        match term {
            Term::Text(text) => {
                query.push(" AND instr(contact_text.text, ").push_bind(text.clone()).push(") > 0");
            }
            Term::Number { digits, words } => {
                query.push(" AND (instr(phone_digits, ").push_bind(digits.clone()).push(") > 0 OR (TRUE");
                for word in words {
                    query.push(" AND instr(contact_text.text, ").push_bind(word.clone()).push(") > 0");
                }
                query.push("))");
            }
        }
    }
}

/// What the index is asked; `None` when everything that is looked for is shorter than what it knows.
fn expression(search: &Search) -> Option<String> {
    let all = |texts: &[String]| join(texts.iter().filter_map(|text| trigrams(text)), " AND ");
    let terms = search.terms().iter().filter_map(|term| match term {
        Term::Text(text) => trigrams(text),
        // Without either half, it could be anywhere.
        Term::Number { digits, words } => Some(format!("({} OR {})", trigrams(digits)?, all(words)?)),
    });
    join(terms, " AND ")
}

fn trigrams(text: &str) -> Option<String> {
    let characters: Vec<char> = text.chars().collect();
    let quoted = |trigram: &[char]| format!("\"{}\"", String::from_iter(trigram).replace('"', "\"\""));
    join(characters.windows(3).map(quoted), " AND ")
}

/// The parts in brackets with something between them; `None` without parts.
fn join(parts: impl Iterator<Item = String>, between: &str) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| format!("({})", parts.join(between)))
}
