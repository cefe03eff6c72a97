//! Rows of contacts, with their keys and labels.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::error::{RowWrite, unavailable};
use super::query::{VALUES_MAX, pieces, push_list};
use super::row::{Cells, json, number};
use super::text;
use crate::domain::contact::Contact;
use crate::domain::id::ContactId;
use crate::domain::matching;
use crate::domain::matching::MatchKey;
use crate::domain::search::{SearchText, owner_key, sort_key};
use crate::store::{ContactWrite, StoreError};

/// The columns that make a [`Contact`].
pub(super) const SELECT: &str =
    "SELECT contact.id, card, version, created, updated, deleted, touched, implicit FROM contact";

/// What lies beside a contact's row and follows from its card.
pub(super) struct Beside {
    keys: BTreeSet<String>,
    labels: BTreeSet<String>,
    text: SearchText,
}

impl Beside {
    /// What lies beside a contact.
    pub(super) fn of(contact: &Contact) -> Self {
        let keys = if contact.is_live() {
            matching::index_keys(&contact.card).iter().map(ToString::to_string).collect()
        } else {
            BTreeSet::new()
        };
        Beside { keys, labels: contact.card.labels.clone(), text: SearchText::of(&contact.card) }
    }
}

/// Stores a contact that has the expected version, or does not exist when none is expected.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    write: &ContactWrite,
    sequence: u64,
) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO contact (id, kind, card, version, name, sort_key,
            organization, owner, created, updated, deleted, touched, implicit, newest, photo)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT (id) DO NOTHING";
    const UPDATE: &str = "UPDATE contact SET kind = $2, card = $3, version = $4, name = $5, sort_key = $6,
            organization = $7, owner = $8, created = $9, updated = $10, deleted = $11, touched = $12, implicit = $13,
            newest = $14, photo = $15
        WHERE id = $1 AND version = $16";
    let Contact { id, card, version, created, updated, deleted, touched, implicit } = &write.contact;
    let organization = card.as_person().and_then(|person| person.organization.as_ref()).and_then(|named| named.id);
    let mut query = sqlx::query(if write.expected.is_some() { UPDATE } else { INSERT })
        .bind(id.to_string())
        .bind(card.kind().as_str())
        .bind(json("contact", "card", card)?)
        .bind(json("contact", "version", version)?)
        .bind(card.display_name())
        .bind(sort_key(card))
        .bind(organization.map(|organization| organization.to_string()))
        .bind(card.owner.as_deref().map(owner_key))
        .bind(created.as_micros())
        .bind(updated.as_micros())
        .bind(deleted.map(|deleted| deleted.as_micros()))
        .bind(json("contact", "touched", touched)?)
        .bind(*implicit)
        .bind(number("contact", "newest", sequence)?)
        .bind(card.photo().map(|photo| photo.digest.clone()));
    if let Some(expected) = &write.expected {
        query = query.bind(json("contact", "version", expected)?);
    }
    let done = query.execute(connection).await.map_err(unavailable("storing a contact"))?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Moved { contact: *id }) }
}

/// Replaces what lies beside these contacts.
pub(super) async fn replace_beside(
    connection: &mut SqliteConnection,
    contacts: &BTreeMap<ContactId, Beside>,
) -> Result<(), StoreError> {
    let ids: Vec<&ContactId> = contacts.keys().collect();
    for (table, column) in [("contact_key", "key"), ("contact_label", "label")] {
        for piece in ids.chunks(VALUES_MAX) {
            let mut query = QueryBuilder::new(format!("DELETE FROM {table} WHERE contact IN "));
            push_list(&mut query, piece.iter().map(ToString::to_string));
            query.build().execute(&mut *connection).await.map_err(unavailable("replacing keys and labels"))?;
        }
        let rows: Vec<(&String, &ContactId)> = contacts
            .iter()
            .flat_map(|(id, beside)| {
                let values = if column == "key" { &beside.keys } else { &beside.labels };
                values.iter().map(move |value| (value, id))
            })
            .collect();
        for piece in rows.chunks(VALUES_MAX / 2) {
            let mut query = QueryBuilder::<Sqlite>::new(format!("INSERT INTO {table} ({column}, contact) "));
            query.push_values(piece, |mut row, (value, id)| {
                row.push_bind((*value).clone()).push_bind(id.to_string());
            });
            query.build().execute(&mut *connection).await.map_err(|cause| {
                RowWrite { doing: "storing keys and labels", table, refers_by: "contact", row: &"?" }
                    .refused(cause, || StoreError::inconsistent(table, column, &"?"))
            })?;
        }
    }
    let texts = contacts.iter().map(|(id, beside)| (*id, beside.text.clone())).collect();
    text::put(connection, &texts).await
}

/// The contacts with these ids, in the order of their ids.
pub(super) async fn load(connection: &mut SqliteConnection, ids: &[ContactId]) -> Result<Vec<Contact>, StoreError> {
    let mut contacts = Vec::with_capacity(ids.len());
    for piece in pieces(ids) {
        let mut query = QueryBuilder::new(SELECT);
        query.push(" WHERE id IN ");
        push_list(&mut query, piece.iter().map(ToString::to_string));
        query.push(" ORDER BY id");
        contacts.extend(fetch(connection, &mut query).await?);
    }
    Ok(contacts)
}

/// The contacts that a query which begins with [`SELECT`] finds.
pub(super) async fn fetch(
    connection: &mut SqliteConnection,
    query: &mut QueryBuilder<Sqlite>,
) -> Result<Vec<Contact>, StoreError> {
    let rows = query.build().fetch_all(connection).await.map_err(unavailable("loading contacts"))?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &SqliteRow) -> Result<Contact, StoreError> {
    let cells = Cells::new(row, "contact", "id");
    Ok(Contact {
        id: cells.parsed("id")?,
        card: cells.json("card")?,
        version: cells.json("version")?,
        created: cells.time("created")?,
        updated: cells.time("updated")?,
        deleted: cells.time_opt("deleted")?,
        touched: cells.json("touched")?,
        implicit: cells.get("implicit")?,
    })
}

/// Living contacts that have any of these keys, in the order of key and id.
pub(super) async fn with_keys(
    connection: &mut SqliteConnection,
    keys: &BTreeSet<MatchKey>,
) -> Result<Vec<(MatchKey, ContactId)>, StoreError> {
    let by_text: BTreeMap<String, &MatchKey> = keys.iter().map(|key| (key.to_string(), key)).collect();
    let texts: Vec<&String> = by_text.keys().collect();
    let mut found = Vec::new();
    for piece in texts.chunks(VALUES_MAX) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT key, contact FROM contact_key WHERE key IN ");
        push_list(&mut query, piece.iter().map(|text| (*text).clone()));
        let rows = query.build().fetch_all(&mut *connection).await.map_err(unavailable("looking for twins"))?;
        for row in &rows {
            let cells = Cells::new(row, "contact_key", "key");
            let key = by_text.get(cells.get::<&str>("key")?).ok_or_else(|| cells.odd("key", None))?;
            found.push(((*key).clone(), cells.parsed("contact")?));
        }
    }
    found.sort();
    Ok(found)
}

/// Refuses when another contact than `known` has one of the keys.
pub(super) async fn must_be_only(
    connection: &mut SqliteConnection,
    keys: &BTreeSet<MatchKey>,
    known: &BTreeSet<ContactId>,
) -> Result<(), StoreError> {
    let found = with_keys(connection, keys).await?;
    match found.into_iter().find(|(_, contact)| !known.contains(contact)) {
        Some((_, contact)) => Err(StoreError::Moved { contact }),
        None => Ok(()),
    }
}

/// How many living people each of these organizations has.
pub(super) async fn count_people(
    connection: &mut SqliteConnection,
    organizations: &[ContactId],
) -> Result<BTreeMap<ContactId, u64>, StoreError> {
    let mut counts = BTreeMap::new();
    for piece in pieces(organizations) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT organization, COUNT(*) AS people FROM contact WHERE deleted IS NULL AND organization IN ",
        );
        push_list(&mut query, piece.iter().map(ToString::to_string));
        query.push(" GROUP BY organization");
        let rows = query.build().fetch_all(&mut *connection).await.map_err(unavailable("counting people"))?;
        for row in &rows {
            let cells = Cells::new(row, "contact", "organization");
            counts.insert(cells.parsed("organization")?, cells.number("people")?);
        }
    }
    Ok(counts)
}

/// Contacts that changed after this place in the feed, in the order of their newest changes.
pub(super) async fn changed(
    connection: &mut SqliteConnection,
    after: u64,
    limit: u32,
) -> Result<Vec<(ContactId, u64)>, StoreError> {
    let rows = sqlx::query("SELECT id, newest FROM contact WHERE newest > $1 ORDER BY newest LIMIT $2")
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await
        .map_err(unavailable("reading the feed"))?;
    rows.iter()
        .map(|row| {
            let cells = Cells::new(row, "contact", "id");
            Ok((cells.parsed("id")?, cells.number("newest")?))
        })
        .collect()
}
