//! Lists of persons and organizations: what is in them, in which order, and how they go on.
//!
//! A page ends with a cursor. It holds where the last contact stood, so that the next page goes on there even when that
//! contact was renamed or edited meanwhile.

use std::fmt;
use std::str::FromStr;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::contacts::show::Shown;
use crate::domain::contact::{Contact, Kind};
use crate::domain::filter::{Condition, Filter};
use crate::domain::id::ContactId;
use crate::store::{ContactOrder, ContactQuery, DeletedContacts, ListDirection, Place};

use super::conditions::{ConditionFlags, people_of, saved_filter};
use super::desk::Desk;
use super::exit::{Exit, UsageError};

/// Which contacts to list.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ListContacts {
    /// Only those in whom every one of these words is found: in the name, a nickname, the organization, an e-mail, a phone, the
    /// notes or a custom field
    ///
    /// Words in quotation marks stay together: '"new york"'. Case and accents do not matter, and three digits or more find
    /// phones however they are written
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub conditions: ConditionFlags,

    /// Only those that this saved filter selects; repeated, all of them
    #[arg(long, value_name = "NAME")]
    pub filter: Vec<String>,

    /// Include deleted ones
    #[arg(long)]
    pub deleted: bool,

    /// Put them in this order
    #[arg(long, value_enum, default_value_t, value_name = "ORDER")]
    pub sort: Sort,

    /// Begin with the last one
    #[arg(long)]
    pub desc: bool,

    /// List at most so many; a remark on stderr says how to go on
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,

    /// Go on where the page ended that gave this cursor; with the same flags otherwise
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<Cursor>,
}

/// Which persons to list.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ListPersons {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub common: ListContacts,

    /// Only people of this organization, by its id or name
    #[arg(long, value_name = "ID|NAME")]
    pub organization: Option<String>,
}

/// An order of lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// By family name, then given name; organizations by name
    #[default]
    Name,
    /// By the time when they came into the store
    Created,
    /// By the time when they last changed
    Updated,
}

impl Sort {
    fn order(self) -> ContactOrder {
        match self {
            Sort::Name => ContactOrder::Name,
            Sort::Created => ContactOrder::Created,
            Sort::Updated => ContactOrder::Updated,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Sort::Name => "name",
            Sort::Created => "created",
            Sort::Updated => "updated",
        }
    }
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    sort: Sort,
    desc: bool,
    place: Place,
    id: ContactId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(document))
    }
}

impl FromStr for Cursor {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let document = URL_SAFE_NO_PAD.decode(text).ok();
        let cursor: Option<Cursor> = document.and_then(|document| serde_json::from_slice(&document).ok());
        let fitting = cursor.filter(|cursor| cursor.place.is_in(cursor.sort.order()));
        fitting.ok_or_else(|| UsageError(format!("{text:?} is not the cursor of a list")))
    }
}

impl ListContacts {
    /// The query, with one more than the page holds, which tells whether the list goes on.
    async fn query(&self, kind: Kind, desk: &Desk) -> anyhow::Result<ContactQuery> {
        let mut query = ContactQuery {
            kind: Some(kind),
            text: (!self.text.is_empty()).then(|| self.text.join(" ")),
            deleted: if self.deleted { DeletedContacts::Included } else { DeletedContacts::Hidden },
            limit: self.limit.map(|limit| limit.saturating_add(1)),
            order: self.sort.order(),
            direction: if self.desc { ListDirection::Descending } else { ListDirection::Ascending },
            ..ContactQuery::default()
        };
        query.filters.push(Filter { text: None, conditions: self.conditions.conditions()? });
        for name in &self.filter {
            query.filters.push(saved_filter(name, &*desk.store).await?.filter);
        }
        if let Some(Cursor { sort, desc, place, id }) = &self.after {
            if (*sort, *desc) != (self.sort, self.desc) {
                let direction = if *desc { " --desc" } else { "" };
                let text = format!("--after: the cursor is of a list with --sort {}{direction}", sort.as_str());
                return Err(UsageError(text).into());
            }
            (query.after, query.stood_at) = (Some(*id), Some(place.clone()));
        }
        Ok(query)
    }
}

/// Lists persons.
///
/// # Errors
/// [`UsageError`] when a flag means nothing, and what the store or the stream says.
pub async fn persons(list: &ListPersons, desk: &Desk) -> anyhow::Result<Exit> {
    let Some(organization) = &list.organization else {
        return contacts(Kind::Person, &list.common, None, desk).await;
    };
    match people_of(organization, &*desk.store).await? {
        Some(condition) => contacts(Kind::Person, &list.common, Some(condition), desk).await,
        None => answer(Kind::Person, &[], desk).await,
    }
}

/// Lists organizations.
///
/// # Errors
/// As [`persons`].
pub async fn organizations(list: &ListContacts, desk: &Desk) -> anyhow::Result<Exit> {
    contacts(Kind::Organization, list, None, desk).await
}

async fn contacts(kind: Kind, list: &ListContacts, more: Option<Condition>, desk: &Desk) -> anyhow::Result<Exit> {
    let mut query = list.query(kind, desk).await?;
    query.filters.push(Filter { text: None, conditions: more.into_iter().collect() });
    let mut contacts = desk.store.find_contacts(&query).await.context("listing contacts")?;
    let most = list.limit.map_or(usize::MAX, |limit| limit as usize);
    let goes_on = contacts.len() > most;
    contacts.truncate(most);
    let exit = answer(kind, &contacts, desk).await?;
    if let Some(last) = contacts.last().filter(|_| goes_on) {
        let place = Place::of(last, query.order);
        let cursor = Cursor { sort: list.sort, desc: list.desc, place, id: last.id };
        desk.out.remark(&format!("there are more; go on with --after {cursor}"));
    }
    Ok(exit)
}

async fn answer(kind: Kind, contacts: &[Contact], desk: &Desk) -> anyhow::Result<Exit> {
    if desk.out.is_json() {
        desk.out.json(&Shown::all(contacts, &*desk.store).await?)?;
        return Ok(Exit::Done);
    }
    match kind {
        Kind::Person => {
            let header = ["ID", "NAME", "E-MAIL", "PHONE", "ORGANIZATION", "LABELS"];
            desk.out.table(header, contacts.iter().map(person_row).collect())?;
        }
        Kind::Organization => {
            let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
            let counts = desk.store.people_counts(&ids).await?;
            let people = |contact: &Contact| counts.get(&contact.id).copied().unwrap_or(0);
            let rows = contacts.iter().map(|contact| organization_row(contact, people(contact))).collect();
            desk.out.table(["ID", "NAME", "E-MAIL", "PHONE", "PEOPLE", "LABELS"], rows)?;
        }
    }
    Ok(Exit::Done)
}

fn person_row(contact: &Contact) -> [String; 6] {
    let card = &contact.card;
    let organization = card.as_person().and_then(|person| person.organization.as_ref());
    let [id, name, email, phone, labels] = common_cells(contact);
    [id, name, email, phone, organization.map_or_else(String::new, |organization| organization.name.clone()), labels]
}

fn organization_row(contact: &Contact, people: u64) -> [String; 6] {
    let [id, name, email, phone, labels] = common_cells(contact);
    [id, name, email, phone, people.to_string(), labels]
}

fn common_cells(contact: &Contact) -> [String; 5] {
    let card = &contact.card;
    let email = card.emails.iter().find(|email| email.primary).or(card.emails.first());
    let phone = card.phones.iter().find(|phone| phone.primary).or(card.phones.first());
    let name = card.display_name();
    [
        contact.id.to_string(),
        if contact.is_live() { name } else { format!("{name} (deleted)") },
        email.map_or_else(String::new, |email| email.value.clone()),
        phone.map_or_else(String::new, |phone| phone.value.clone()),
        card.labels.iter().cloned().collect::<Vec<_>>().join(", "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let id = ContactId::new(Timestamp::EPOCH, 7);
        let cursor = Cursor { sort: Sort::Name, desc: true, place: Place::Name("king\nada".into()), id };
        let text = cursor.to_string();
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')), "{text}");
        assert_eq!(text.parse::<Cursor>().ok(), Some(cursor.clone()));
        let misfit = Cursor { sort: Sort::Updated, ..cursor }.to_string();
        for odd in [id.to_string(), String::new(), "!".to_owned(), text[1..].to_owned(), misfit] {
            assert!(odd.parse::<Cursor>().is_err(), "{odd}");
        }
    }
}
