//! Lists of contacts: filters, order and pages.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::contact;
use crate::domain::contact::Contact;
use crate::store::search::{Needle, owner_key};
use crate::store::{ContactOrder, ContactQuery, DeletedContacts, StoreError};

/// The contacts that the query selects.
pub(super) async fn contacts(
    connection: &mut SqliteConnection,
    wanted: &ContactQuery,
) -> Result<Vec<Contact>, StoreError> {
    let mut query = QueryBuilder::new(contact::SELECT);
    if let Some(label) = &wanted.label {
        query.push(" JOIN contact_label ON contact_label.contact = contact.id AND label = ").push_bind(label.clone());
    }
    push_filters(&mut query, wanted);
    push_place(&mut query, wanted);
    if let Some(limit) = wanted.limit {
        query.push(" LIMIT ").push_bind(i64::from(limit));
    }
    contact::fetch(connection, &mut query).await
}

fn push_filters(query: &mut QueryBuilder<Sqlite>, wanted: &ContactQuery) {
    query.push(living(wanted.deleted));
    if let Some(kind) = wanted.kind {
        query.push(" AND kind = ").push_bind(kind.as_str());
    }
    if let Some(owner) = &wanted.owner {
        query.push(" AND owner = ").push_bind(owner_key(owner));
    }
    if let Some(organization) = &wanted.organization {
        query.push(" AND organization = ").push_bind(organization.to_string());
    }
    if let Some(text) = &wanted.text {
        let needle = Needle::new(text);
        query.push(" AND (search LIKE ").push_bind(containing(&needle.text)).push(r" ESCAPE '\'");
        if let Some(number) = needle.phone_digits {
            query.push(" OR phone_digits LIKE ").push_bind(containing(&number)).push(r" ESCAPE '\'");
        }
        query.push(")");
    }
}

/// The condition of a list that deleted rows are in it, or are not.
pub(super) fn living(deleted: DeletedContacts) -> &'static str {
    match deleted {
        DeletedContacts::Hidden => " WHERE deleted IS NULL",
        DeletedContacts::Only => " WHERE deleted IS NOT NULL",
        DeletedContacts::Included => " WHERE TRUE",
    }
}

fn push_place(query: &mut QueryBuilder<Sqlite>, wanted: &ContactQuery) {
    let after = wanted.after.map(|after| after.to_string());
    match wanted.order {
        ContactOrder::Id => {
            if let Some(after) = after {
                query.push(" AND contact.id > ").push_bind(after);
            }
            query.push(" ORDER BY contact.id");
        }
        ContactOrder::Name => {
            if let Some(after) = after {
                query
                    .push(" AND (sort_key, contact.id) > ((SELECT sort_key FROM contact WHERE id = ")
                    .push_bind(after.clone())
                    .push("), ")
                    .push_bind(after)
                    .push(")");
            }
            query.push(" ORDER BY sort_key, contact.id");
        }
    }
}

/// The pattern that matches texts which contain `text`.
fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
