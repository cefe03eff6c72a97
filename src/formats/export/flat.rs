//! Contacts laid flat: as many columns as the contact with the most entries needs, headings as
//! [`super::super::headings::own`] reads them.

use std::collections::BTreeSet;

use crate::domain::contact::{Card, Kind, Organization, Person, Subject};

use super::super::headings::own;
use super::ExportRecord;

/// The separator of labels in one cell, as Google writes it.
const LABELS: &str = " ::: ";

/// Which columns a set of contacts needs.
pub(super) struct Layout {
    /// For each of [`own::NUMBERED`], how many entries a contact has at most.
    counts: Vec<usize>,
    /// The keys of all custom fields.
    keys: BTreeSet<String>,
}

impl Layout {
    /// The columns that all `records` fit into.
    pub(super) fn of(records: &[ExportRecord]) -> Self {
        let most = |name: &str| records.iter().map(|record| entries(&record.card, name).len()).max().unwrap_or(0);
        Layout {
            counts: own::NUMBERED.iter().map(|(name, _)| most(name)).collect(),
            keys: records.iter().flat_map(|record| record.card.custom.keys().cloned()).collect(),
        }
    }

    /// The headings in the order of the columns.
    pub(super) fn headings(&self) -> Vec<String> {
        let mut headings: Vec<String> = vec!["Name".to_owned()];
        headings.extend(own::SINGLE.iter().map(|(name, _)| (*name).to_owned()));
        for ((name, parts), count) in own::NUMBERED.iter().zip(&self.counts) {
            for number in 1..=*count {
                headings.extend(parts.iter().map(|part| format!("{name} {number} {part}").trim_end().to_owned()));
            }
        }
        headings.extend(self.keys.iter().map(|key| format!("{}{key}", own::CUSTOM)));
        headings.push(own::NOTES.to_owned());
        headings.extend(own::PRIMARY.iter().map(|(name, _)| (*name).to_owned()));
        headings.extend(["Version", "Created", "Updated", "Deleted", own::ID].map(str::to_owned));
        headings
    }

    /// The cells of one contact, one per heading.
    pub(super) fn row(&self, record: &ExportRecord) -> Vec<String> {
        let card = &record.card;
        let mut cells = vec![card.display_name()];
        cells.extend(own::SINGLE.iter().map(|(name, _)| single(card, name)));
        for ((name, parts), count) in own::NUMBERED.iter().zip(&self.counts) {
            let entries = entries(card, name);
            let missing = (count - entries.len()) * parts.len();
            cells.extend(entries.into_iter().flatten());
            cells.extend(std::iter::repeat_n(String::new(), missing));
        }
        cells.extend(self.keys.iter().map(|key| card.custom.get(key).cloned().unwrap_or_default()));
        cells.push(card.notes.clone().unwrap_or_default());
        cells.push(primary(card.emails.iter().map(|email| email.primary)));
        cells.push(primary(card.phones.iter().map(|phone| phone.primary)));
        cells.extend(["version", "created", "updated", "deleted", "id"].map(|name| record.member(name)));
        cells
    }
}

/// The number of the primary entry, from 1; empty when there is none.
fn primary(mut marks: impl Iterator<Item = bool>) -> String {
    marks.position(|mark| mark).map(|at| (at + 1).to_string()).unwrap_or_default()
}

fn single(card: &Card, heading: &str) -> String {
    let text = match (heading, &card.subject) {
        ("Kind", _) => Some(match card.kind() {
            Kind::Person => "person".to_owned(),
            Kind::Organization => "organization".to_owned(),
        }),
        ("Labels", _) => Some(card.labels.iter().cloned().collect::<Vec<_>>().join(LABELS)),
        ("Owner", _) => card.owner.clone(),
        ("Visibility", _) => card.visibility.map(|visibility| visibility.as_str().to_owned()),
        (heading, Subject::Person(person)) => of_person(person, heading),
        (heading, Subject::Organization(organization)) => of_organization(organization, heading),
    };
    text.unwrap_or_default()
}

fn of_person(person: &Person, heading: &str) -> Option<String> {
    match heading {
        "Prefix" => person.name.prefix.clone(),
        "Given name" => person.name.given.clone(),
        "Middle name" => person.name.middle.clone(),
        "Family name" => person.name.family.clone(),
        "Suffix" => person.name.suffix.clone(),
        "Organization" => person.organization.as_ref().map(|organization| organization.name.clone()),
        "Job title" => person.job_title.clone(),
        "Department" => person.department.clone(),
        "Birthday" => person.birthday.map(|date| date.to_string()),
        _ => None,
    }
}

fn of_organization(organization: &Organization, heading: &str) -> Option<String> {
    match heading {
        "Organization" => Some(organization.name.clone()),
        "Industry" => organization.industry.clone(),
        _ => None,
    }
}

/// The entries of a numbered field, each with its parts in the order of [`own::NUMBERED`].
fn entries(card: &Card, name: &str) -> Vec<Vec<String>> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let none = Person::default();
    let person = card.as_person().unwrap_or(&none);
    match name {
        "Email" => card.emails.iter().map(|email| vec![email.value.clone(), text(&email.label)]).collect(),
        "Phone" => card.phones.iter().map(|phone| vec![phone.value.clone(), text(&phone.label)]).collect(),
        "Address" => {
            let parts = |address: &crate::domain::contact::Address| {
                let parts = [
                    &address.label,
                    &address.street,
                    &address.extended,
                    &address.city,
                    &address.region,
                    &address.postal_code,
                    &address.country,
                ];
                parts.map(text).to_vec()
            };
            card.addresses.iter().map(parts).collect()
        }
        "Website" => card.websites.iter().map(|site| vec![site.value.clone(), text(&site.label)]).collect(),
        "IM" => person.ims.iter().map(|im| vec![im.value.clone(), text(&im.protocol), text(&im.label)]).collect(),
        "Event" => person.events.iter().map(|event| vec![event.date.to_string(), text(&event.label)]).collect(),
        "Relation" => person.relations.iter().map(|other| vec![other.value.clone(), text(&other.label)]).collect(),
        "Nickname" => person.nicknames.iter().map(|nickname| vec![nickname.clone()]).collect(),
        _ => Vec::new(),
    }
}
