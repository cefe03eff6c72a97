//! Lists of contacts: filters, order and pages.
//!
//! What there are columns or indexes for is asked of the database; what only the card knows is asked of the contacts that
//! come out of it, in the order of the list and no further than the page reaches.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::contact;
use super::query::push_list;
use super::text::{self, Access};
use crate::domain::contact::Contact;
use crate::domain::field::Field;
use crate::domain::filter::{Asked, Condition, Test};
use crate::domain::id::ContactId;
use crate::domain::search::{Search, owner_key};
use crate::store::{ContactOrder, ContactQuery, DeletedContacts, ListDirection, Place, StoreError};

/// How many contacts are looked at together where not the database decides.
const CHUNK: u32 = 500;

/// What a list is narrowed with.
struct Narrowed<'q> {
    wanted: &'q ContactQuery,
    /// What has to be found, if anything.
    search: Option<(Search, Access)>,
    /// Conditions that the database does not know how to ask.
    rest: Vec<&'q Condition>,
}

/// The contacts that the query selects.
pub(super) async fn contacts(
    connection: &mut SqliteConnection,
    wanted: &ContactQuery,
) -> Result<Vec<Contact>, StoreError> {
    let rest = wanted.conditions().filter(|condition| !is_asked_of_columns(condition)).collect();
    let search = match wanted.search() {
        Some(search) => {
            let access = text::look(connection, &search).await?;
            Some((search, access))
        }
        None => None,
    };
    let narrowed = Narrowed { wanted, search, rest };
    if narrowed.rest.is_empty() {
        return narrowed.page(connection, wanted.after, wanted.stood_at.as_ref(), wanted.limit).await;
    }
    narrowed.sifted(connection).await
}

impl Narrowed<'_> {
    /// Goes through the list until enough contacts have passed.
    async fn sifted(&self, connection: &mut SqliteConnection) -> Result<Vec<Contact>, StoreError> {
        let most = self.wanted.limit.map_or(usize::MAX, |limit| limit as usize);
        let (mut after, mut stood_at) = (self.wanted.after, self.wanted.stood_at.clone());
        let mut found: Vec<Contact> = Vec::new();
        while found.len() < most {
            let chunk = self.page(connection, after, stood_at.as_ref(), Some(CHUNK)).await?;
            let is_last = chunk.len() < CHUNK as usize;
            after = chunk.last().map(|contact| contact.id);
            stood_at = chunk.last().map(|contact| Place::of(contact, self.wanted.order));
            found.extend(chunk.into_iter().filter(|contact| self.rest.iter().all(|one| one.holds_for(contact))));
            if is_last {
                break;
            }
        }
        found.truncate(most);
        Ok(found)
    }

    async fn page(
        &self,
        connection: &mut SqliteConnection,
        after: Option<ContactId>,
        stood_at: Option<&Place>,
        limit: Option<u32>,
    ) -> Result<Vec<Contact>, StoreError> {
        let mut query = QueryBuilder::new(contact::SELECT);
        let in_order = self.search.as_ref().filter(|(_, access)| matches!(access, Access::Many) && limit.is_some());
        if in_order.is_some() {
            // The list goes first: enough of it will have the text.
            query.push(" CROSS JOIN contact_text ON contact_text.contact = contact.id");
        }
        push_filters(&mut query, self.wanted);
        match &self.search {
            Some((search, Access::Many)) if limit.is_some() => text::push_occurs(&mut query, search),
            Some((search, Access::Many)) => {
                query.push(" AND contact.id IN (SELECT contact FROM ");
                text::push_found(&mut query, search);
                query.push(")");
            }
            Some((_, Access::Among(found))) => {
                query.push(" AND contact.id IN ");
                push_list(&mut query, found.iter().cloned());
            }
            None => {}
        }
        push_place(&mut query, self.wanted, after, stood_at);
        if let Some(limit) = limit {
            query.push(" LIMIT ").push_bind(i64::from(limit));
        }
        contact::fetch(connection, &mut query).await
    }
}

fn push_filters(query: &mut QueryBuilder<Sqlite>, wanted: &ContactQuery) {
    query.push(living(wanted.deleted));
    if let Some(kind) = wanted.kind {
        query.push(" AND kind = ").push_bind(kind.as_str());
    }
    if let Some(label) = &wanted.label {
        push_labels(query, [label.clone()]);
    }
    if let Some(owner) = &wanted.owner {
        query.push(" AND owner = ").push_bind(owner_key(owner));
    }
    if let Some(organization) = &wanted.organization {
        query.push(" AND organization = ").push_bind(organization.to_string());
    }
    for condition in wanted.conditions() {
        push_condition(query, condition);
    }
}

/// Whether the database can be asked, and comes to the same.
fn is_asked_of_columns(condition: &Condition) -> bool {
    match (condition.asked(), condition.test()) {
        (Asked::Field(Field::Labels | Field::Owner), Test::Is(_)) => true,
        (Asked::Field(Field::Organization), Test::Is(values)) => {
            // By its id: a name stands in the card alone.
            values.iter().all(|value| value.parse::<ContactId>().is_ok_and(|id| id.to_string() == *value))
        }
        (Asked::Created | Asked::Updated, Test::Since(_) | Test::Before(_)) => true,
        _ => false,
    }
}

fn push_condition(query: &mut QueryBuilder<Sqlite>, condition: &Condition) {
    if !is_asked_of_columns(condition) {
        return;
    }
    match (condition.asked(), condition.test()) {
        (Asked::Field(Field::Labels), Test::Is(labels)) => push_labels(query, labels.iter().cloned()),
        (Asked::Field(Field::Owner), Test::Is(owners)) => {
            query.push(" AND owner IN ");
            push_list(query, owners.iter().map(|owner| owner_key(owner)));
        }
        (Asked::Field(Field::Organization), Test::Is(organizations)) => {
            query.push(" AND organization IN ");
            push_list(query, organizations.iter().cloned());
        }
        (asked, Test::Since(time)) => {
            query.push(format_args!(" AND {asked} >= ")).push_bind(time.as_micros());
        }
        (asked, Test::Before(time)) => {
            query.push(format_args!(" AND {asked} < ")).push_bind(time.as_micros());
        }
        _ => {}
    }
}

fn push_labels(query: &mut QueryBuilder<Sqlite>, labels: impl IntoIterator<Item = String>) {
    query.push(" AND contact.id IN (SELECT contact FROM contact_label WHERE label IN ");
    push_list(query, labels);
    query.push(")");
}

/// The condition of a list that deleted rows are in it, or are not.
pub(super) fn living(deleted: DeletedContacts) -> &'static str {
    match deleted {
        DeletedContacts::Hidden => " WHERE deleted IS NULL",
        DeletedContacts::Only => " WHERE deleted IS NOT NULL",
        DeletedContacts::Included => " WHERE TRUE",
    }
}

fn push_place(
    query: &mut QueryBuilder<Sqlite>,
    wanted: &ContactQuery,
    after: Option<ContactId>,
    stood_at: Option<&Place>,
) {
    let column = match wanted.order {
        ContactOrder::Id => None,
        ContactOrder::Name => Some("sort_key"),
        ContactOrder::Created => Some("created"),
        ContactOrder::Updated => Some("updated"),
    };
    let (beyond, direction) = match wanted.direction {
        ListDirection::Ascending => (">", ""),
        ListDirection::Descending => ("<", " DESC"),
    };
    let after = after.map(|after| after.to_string());
    let Some(column) = column else {
        if let Some(after) = after {
            query.push(format_args!(" AND contact.id {beyond} ")).push_bind(after);
        }
        query.push(format_args!(" ORDER BY contact.id{direction}"));
        return;
    };
    if let Some(after) = after {
        query.push(format_args!(" AND ({column}, contact.id) {beyond} ("));
        match stood_at {
            Some(Place::Name(name)) => query.push_bind(name.clone()),
            Some(Place::Time(time)) => query.push_bind(time.as_micros()),
            Some(Place::Id) | None => {
                query.push(format_args!("(SELECT {column} FROM contact WHERE id = ")).push_bind(after.clone()).push(")")
            }
        };
        query.push(", ").push_bind(after).push(")");
    }
    query.push(format_args!(" ORDER BY {column}{direction}, contact.id{direction}"));
}
