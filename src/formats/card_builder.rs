//! Collects the values of one row or card and makes a [`Card`] of them.
//!
//! Nothing that was read is dropped: a second value for a field that holds one goes to a custom field, and what an
//! organization cannot hold goes to custom fields of the organization. Values that occur twice are kept once.

use std::collections::{BTreeMap, BTreeSet};

pub(super) use crate::domain::contact::Kind;
use crate::domain::contact::{
    Address, Card, Email, Event, Im, Organization, OrganizationRef, Person, Phone, Relation, Subject, Visibility,
    Website,
};
use crate::domain::date::PartialDate;
use crate::domain::name::Name;

use super::clean;
use super::target::NamePart;

/// How faithful the source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Fidelity {
    /// Somebody else's file: doubles are dropped, and the first e-mail and phone are primary if none is marked.
    #[default]
    Tidied,
    /// Our own export: every entry is as it was.
    Exact,
}

/// The fields that hold one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Single {
    Organization,
    JobTitle,
    Department,
    Industry,
    Owner,
    Visibility,
}

impl Single {
    /// The key under which a value goes that does not fit.
    fn spare_key(self) -> &'static str {
        match self {
            Single::Organization => "Organization",
            Single::JobTitle => "Job title",
            Single::Department => "Department",
            Single::Industry => "Industry",
            Single::Owner => "Owner",
            Single::Visibility => "Visibility",
        }
    }
}

/// The values read so far.
#[derive(Debug, Default)]
pub(super) struct CardBuilder {
    pub(super) fidelity: Fidelity,
    pub(super) kind: Option<Kind>,
    pub(super) name: Name,
    full_name: Option<String>,
    singles: BTreeMap<Single, String>,
    birthday: Option<PartialDate>,
    pub(super) emails: Vec<Email>,
    pub(super) phones: Vec<Phone>,
    pub(super) addresses: Vec<Address>,
    pub(super) websites: Vec<Website>,
    pub(super) ims: Vec<Im>,
    pub(super) events: Vec<Event>,
    pub(super) relations: Vec<Relation>,
    nicknames: Vec<String>,
    notes: Vec<String>,
    labels: BTreeSet<String>,
    custom: BTreeMap<String, String>,
}

impl CardBuilder {
    /// An empty card of a source of this fidelity.
    pub(super) fn new(fidelity: Fidelity) -> Self {
        CardBuilder { fidelity, ..CardBuilder::default() }
    }

    /// Adds to a part of the name; two values for one part stand side by side, as `Herr` and `Dr.` do.
    pub(super) fn name_part(&mut self, part: NamePart, value: &str) {
        let slot = match part {
            NamePart::Full => &mut self.full_name,
            NamePart::Prefix => &mut self.name.prefix,
            NamePart::Given => &mut self.name.given,
            NamePart::Middle => &mut self.name.middle,
            NamePart::Family => &mut self.name.family,
            NamePart::Suffix => &mut self.name.suffix,
        };
        let value = clean::line(value);
        match slot {
            _ if value.is_empty() => {}
            Some(present) if *present == value => {}
            Some(present) => *present = format!("{present} {value}"),
            None => *slot = Some(value),
        }
    }

    /// Sets a field of one text; another value for it goes to the custom field `heading`.
    pub(super) fn single(&mut self, field: Single, value: &str, heading: &str) {
        let value = clean::line(value);
        match self.singles.get(&field) {
            _ if value.is_empty() => {}
            Some(present) if *present == value => {}
            Some(_) => self.custom(heading, &value),
            None => {
                self.singles.insert(field, value);
            }
        }
    }

    /// Sets the birthday; another one goes to the custom field `heading`.
    pub(super) fn birthday(&mut self, date: PartialDate, heading: &str) {
        match self.birthday {
            Some(present) if present != date => self.custom(heading, &date.to_string()),
            _ => self.birthday = Some(date),
        }
    }

    /// Adds a nickname.
    pub(super) fn nickname(&mut self, value: &str) {
        let value = clean::line(value);
        if !value.is_empty() && !self.nicknames.contains(&value) {
            self.nicknames.push(value);
        }
    }

    /// Adds free text; several texts stand one below the other.
    pub(super) fn note(&mut self, value: &str) {
        let value = clean::value(value);
        if !value.is_empty() && !self.notes.contains(&value) {
            self.notes.push(value);
        }
    }

    /// Adds a label.
    pub(super) fn label(&mut self, value: &str) {
        let value = clean::line(value);
        if !value.is_empty() {
            self.labels.insert(value);
        }
    }

    /// Adds a custom field; another value under the same key stands one line below.
    pub(super) fn custom(&mut self, key: &str, value: &str) {
        let (key, value) = (clean::line(key), clean::value(value));
        if key.is_empty() || value.is_empty() {
            return;
        }
        match self.custom.get_mut(&key) {
            Some(present) if present.lines().any(|line| line == value) || *present == value => {}
            Some(present) => *present = format!("{present}\n{value}"),
            None => {
                self.custom.insert(key, value);
            }
        }
    }

    /// Makes the card. `None` when there is nothing to know the contact by: no name, e-mail, phone or organization.
    pub(super) fn finish(mut self) -> Option<Card> {
        if self.fidelity == Fidelity::Tidied {
            self.settle_name();
            self.tidy();
        }
        let card = match self.kind.unwrap_or_else(|| self.guess_kind()) {
            Kind::Person => self.into_person(),
            Kind::Organization => self.into_organization(),
        };
        (!card.display_name().is_empty()).then_some(card)
    }

    /// Uses the full name where the parts do not say more.
    fn settle_name(&mut self) {
        self.addresses_are_no_names();
        let Some(full) = self.full_name.take() else { return };
        let has_both = self.name.given.is_some() && self.name.family.is_some();
        let parts = self.name.full().unwrap_or_default();
        if parts.is_empty() {
            self.full_name = Some(full);
        } else if !has_both && full != parts {
            let mut name = Name::split(&full);
            name.prefix = name.prefix.or_else(|| self.name.prefix.take());
            name.suffix = name.suffix.or_else(|| self.name.suffix.take());
            if !says_more(&full, &parts) {
                self.custom("Name", &parts);
            }
            self.name = name;
        }
    }

    /// Programs put the e-mail address where a name is missing. It is no name.
    fn addresses_are_no_names(&mut self) {
        let mut found = Vec::new();
        found.extend(self.full_name.take_if(|full| super::emails::is_address(full)));
        for part in [&mut self.name.given, &mut self.name.family] {
            found.extend(part.take_if(|part| super::emails::is_address(part)));
        }
        for value in found {
            if self.emails.iter().all(|email| !email.value.eq_ignore_ascii_case(&value)) {
                self.emails.push(Email { value, label: None, primary: false });
            }
        }
    }

    fn is_organizations_name(&self, full: &str) -> bool {
        self.name.is_empty() && self.singles.get(&Single::Organization).is_some_and(|name| name == full)
    }

    /// Without a personal name, with an organization and with nothing that only a person has, it is the organization.
    fn guess_kind(&self) -> Kind {
        let only_of_persons =
            self.singles.contains_key(&Single::JobTitle) || self.birthday.is_some() || !self.nicknames.is_empty();
        let has_name = match &self.full_name {
            Some(full) => !self.is_organizations_name(full),
            None => !self.name.is_empty(),
        };
        match self.singles.contains_key(&Single::Organization) && !has_name && !only_of_persons {
            true => Kind::Organization,
            false => Kind::Person,
        }
    }

    fn tidy(&mut self) {
        let mut seen = BTreeSet::new();
        self.emails.retain(|email| seen.insert(email.value.to_lowercase()));
        let mut seen = BTreeSet::new();
        self.phones.retain(|phone| seen.insert(phone_key(&phone.value)));
        drop_doubles(&mut self.addresses);
        drop_doubles(&mut self.websites);
        drop_doubles(&mut self.ims);
        drop_doubles(&mut self.events);
        drop_doubles(&mut self.relations);
        one_primary(self.emails.iter_mut().map(|email| &mut email.primary).collect());
        one_primary(self.phones.iter_mut().map(|phone| &mut phone.primary).collect());
    }

    fn into_person(mut self) -> Card {
        let name = match self.full_name.take() {
            Some(full) => Name::split(&full),
            None => std::mem::take(&mut self.name),
        };
        if let Some(industry) = self.singles.remove(&Single::Industry) {
            self.custom(Single::Industry.spare_key(), &industry);
        }
        let organization = self.singles.remove(&Single::Organization);
        let person = Person {
            name,
            organization: organization.map(|name| OrganizationRef { id: None, name }),
            job_title: self.singles.remove(&Single::JobTitle),
            department: self.singles.remove(&Single::Department),
            birthday: self.birthday,
            events: std::mem::take(&mut self.events),
            ims: std::mem::take(&mut self.ims),
            relations: std::mem::take(&mut self.relations),
            nicknames: std::mem::take(&mut self.nicknames),
            photo: None,
        };
        self.into_card(Subject::Person(person))
    }

    fn into_organization(mut self) -> Card {
        let full = self.full_name.take().or_else(|| self.name.full());
        let name = match (self.singles.remove(&Single::Organization), full) {
            (Some(name), Some(full)) if name != full => {
                self.custom("Name", &full);
                name
            }
            (name, full) => name.or(full).unwrap_or_default(),
        };
        self.spare_what_only_persons_have();
        let industry = self.singles.remove(&Single::Industry);
        self.into_card(Subject::Organization(Organization { name, industry }))
    }

    fn spare_what_only_persons_have(&mut self) {
        for field in [Single::JobTitle, Single::Department] {
            if let Some(value) = self.singles.remove(&field) {
                self.custom(field.spare_key(), &value);
            }
        }
        if let Some(birthday) = self.birthday {
            self.custom("Birthday", &birthday.to_string());
        }
        for nickname in std::mem::take(&mut self.nicknames) {
            self.custom("Nickname", &nickname);
        }
        for event in std::mem::take(&mut self.events) {
            self.custom(event.label.as_deref().unwrap_or("Event"), &event.date.to_string());
        }
        for im in std::mem::take(&mut self.ims) {
            self.custom(im.protocol.as_deref().unwrap_or("Messenger"), &im.value);
        }
        for relation in std::mem::take(&mut self.relations) {
            self.custom(relation.label.as_deref().unwrap_or("Relation"), &relation.value);
        }
    }

    fn into_card(mut self, subject: Subject) -> Card {
        Card {
            subject,
            owner: self.singles.remove(&Single::Owner),
            visibility: self.singles.remove(&Single::Visibility).and_then(|word| Visibility::parse(&word)),
            emails: self.emails,
            phones: self.phones,
            addresses: self.addresses,
            websites: self.websites,
            notes: clean::some(self.notes.join("\n")),
            labels: self.labels,
            custom: self.custom,
        }
    }
}

/// Whether the full name holds all words of the parts and others too.
fn says_more(full: &str, parts: &str) -> bool {
    let words: BTreeSet<&str> = full.split_whitespace().collect();
    let known: BTreeSet<&str> = parts.split_whitespace().collect();
    known.is_subset(&words) && known.len() < words.len()
}

/// Numbers are equal when their digits and letters are; blanks and dashes do not count.
fn phone_key(value: &str) -> String {
    let key: String = value.chars().filter(|&c| c.is_alphanumeric() || c == '+').collect();
    if key.is_empty() { value.to_owned() } else { key.to_lowercase() }
}

fn drop_doubles<T: PartialEq>(items: &mut Vec<T>) {
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    *items = kept;
}

/// Keeps the first mark of several; sets the first where there is none.
fn one_primary(mut marks: Vec<&mut bool>) {
    let first = marks.iter().position(|mark| **mark).unwrap_or(0);
    for (at, mark) in marks.iter_mut().enumerate() {
        **mark = at == first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(value: &str) -> Email {
        Email { value: value.to_owned(), label: None, primary: false }
    }

    #[test]
    fn nothing_to_know_a_contact_by_makes_no_card() {
        let mut builder = CardBuilder::default();
        builder.note("only a note");
        builder.label("Customer");
        assert_eq!(builder.finish(), None);
    }

    #[test]
    fn doubles_are_dropped_and_the_first_is_primary() {
        let emails = vec![email("Ada@example.org"), email("ada@example.org"), email("b@example.org")];
        let builder = CardBuilder { emails, ..CardBuilder::default() };
        let card = builder.finish().expect("a card");
        let kept: Vec<(&str, bool)> = card.emails.iter().map(|email| (email.value.as_str(), email.primary)).collect();
        assert_eq!(kept, [("Ada@example.org", true), ("b@example.org", false)]);
    }

    #[test]
    fn second_values_of_one_field_become_custom_fields() {
        let mut builder = CardBuilder::default();
        builder.name_part(NamePart::Full, "Ada King");
        builder.single(Single::JobTitle, "CTO", "Title");
        builder.single(Single::JobTitle, "Founder", "Position");
        builder.single(Single::JobTitle, "CTO", "Role");
        let card = builder.finish().expect("a card");
        assert_eq!(card.as_person().and_then(|person| person.job_title.as_deref()), Some("CTO"));
        assert_eq!(card.custom, BTreeMap::from([("Position".to_owned(), "Founder".to_owned())]));
    }

    #[test]
    fn without_a_personal_name_an_organization_is_one() {
        let mut builder = CardBuilder::default();
        builder.single(Single::Organization, "Example GmbH", "Firma");
        builder.single(Single::Department, "Sales", "Abteilung");
        let card = builder.finish().expect("a card");
        assert_eq!(card.as_organization().map(|organization| organization.name.as_str()), Some("Example GmbH"));
        assert_eq!(card.custom.get("Department").map(String::as_str), Some("Sales"));

        let mut builder = CardBuilder::default();
        builder.single(Single::Organization, "Example GmbH", "Firma");
        builder.single(Single::JobTitle, "CEO", "Title");
        assert_eq!(builder.finish().expect("a card").kind(), Kind::Person, "somebody there who has a job");
    }

    #[test]
    fn a_full_name_fills_in_where_parts_are_missing() {
        for (full, given, family, expected) in [
            ("Ada King", Some("Ada"), None, "Ada King"),
            ("Zoë, Smith", Some("Zoë"), Some("Smith"), "Zoë Smith"),
            ("Ada", Some("Ada"), None, "Ada"),
            ("Somebody Else", Some("Ada"), None, "Somebody Else"),
            ("ada@example.org", None, Some("King"), "King"),
        ] {
            let mut builder = CardBuilder::default();
            builder.name.given = given.map(str::to_owned);
            builder.name.family = family.map(str::to_owned);
            builder.name_part(NamePart::Full, full);
            assert_eq!(builder.finish().expect("a card").display_name(), expected);
        }
    }
}
