//! Google's side of the [`Codec`]: cards out of records, and the change of a card carried over to its record.
//!
//! A new record is the change from nothing to the card, so there is one way of writing. Each field has its own file;
//! here they are put together, and fields that the account has switched off or moved are passed over.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::contact::{Card, Kind, Organization, OrganizationRef, Person, Subject};
use crate::domain::field::Field;
use crate::domain::id::GroupId;
use crate::remotes::{Codec, Reading, Recomposed, Tag};

use super::address::Addresses;
use super::company::{self, Company};
use super::custom::{self, Pairs};
use super::draft::Draft;
use super::items::{Emails, Events, Ims, Nicknames, Phones, Relations, Websites};
use super::list::{self, List};
use super::mapping::Mapping;
use super::wire::{self, Object};
use super::{dates, groups, losses, name, notes, tag};

/// The revision of what is read and written here.
const MAP_REVISION: u32 = 1;

/// Translates between Google's persons and cards.
#[derive(Debug, Clone, Default)]
pub struct GoogleCodec {
    mapping: Mapping,
}

impl GoogleCodec {
    /// A translator that follows the field map of an account.
    pub fn new(mapping: Mapping) -> Self {
        GoogleCodec { mapping }
    }

    fn is_usual(&self, field: Field) -> bool {
        self.mapping.is_usual(&field)
    }

    fn read_person(&self, wire: &Value) -> Person {
        let company = self.read_company(wire);
        Person {
            name: name::read(wire),
            organization: company.name.map(|name| OrganizationRef { id: None, name }),
            job_title: company.title,
            department: company.department,
            birthday: dates::birthday(wire).filter(|_| self.is_usual(Field::Birthday)),
            events: self.read_list::<Events>(wire, Field::Events),
            ims: self.read_list::<Ims>(wire, Field::Ims),
            relations: self.read_list::<Relations>(wire, Field::Relations),
            nicknames: self.read_list::<Nicknames>(wire, Field::Nicknames),
            photo: None,
        }
    }

    fn read_organization(&self, wire: &Value) -> Organization {
        let name = Company::read(wire).name.or_else(|| name::read(wire).full());
        Organization { name: name.unwrap_or_default(), industry: None }
    }

    /// The company as far as it is not switched off or moved.
    fn usual(&self, mut company: Company) -> Company {
        company.name = company.name.filter(|_| self.is_usual(Field::Organization));
        company.title = company.title.filter(|_| self.is_usual(Field::JobTitle));
        company.department = company.department.filter(|_| self.is_usual(Field::Department));
        company
    }

    fn read_company(&self, wire: &Value) -> Company {
        self.usual(Company::read(wire))
    }

    fn read_list<L: List>(&self, wire: &Value, field: Field) -> Vec<L::Item> {
        if !self.is_usual(field) {
            return Vec::new();
        }
        wire::items(wire, L::FIELD).iter().filter_map(L::read).collect()
    }

    /// The items of a list, the one to use first flagged.
    fn read_ranked<L: List>(&self, wire: &Value, field: Field, flag: fn(&mut L::Item)) -> Vec<L::Item> {
        if !self.is_usual(field) {
            return Vec::new();
        }
        let items = wire::items(wire, L::FIELD);
        let first = list::preferred(items);
        let read = |(place, item): (usize, &Value)| {
            let mut item = L::read(item)?;
            if first == Some(place) {
                flag(&mut item);
            }
            Some(item)
        };
        items.iter().enumerate().filter_map(read).collect()
    }

    /// Carries every change over to the draft, but for groups and tag.
    fn edit(&self, draft: &mut Draft, from: &Card, to: &Card) {
        match (&from.subject, &to.subject) {
            (Subject::Person(before), Subject::Person(after)) => {
                self.edit_person(draft, before, after);
                let known = self.read_company(draft.wire());
                company::edit(draft, &known, &self.usual(Company::of(from)), &self.usual(Company::of(to)));
            }
            // The company entry carries the name; a personal name that stands beside it is not ours.
            (Subject::Organization(_), Subject::Organization(_)) => {
                let known = Company { name: Company::read(draft.wire()).name, ..Company::default() };
                company::edit(draft, &known, &Company::of(from), &Company::of(to));
            }
            // A link never changes its kind; if it did, the other kind's fields are better left alone than mixed.
            _ => {}
        }
        self.edit_list::<Emails>(draft, Field::Emails, &from.emails, &to.emails);
        self.edit_list::<Phones>(draft, Field::Phones, &from.phones, &to.phones);
        self.edit_list::<Addresses>(draft, Field::Addresses, &from.addresses, &to.addresses);
        self.edit_list::<Websites>(draft, Field::Websites, &from.websites, &to.websites);
        if self.is_usual(Field::Notes) {
            notes::edit(draft, from.notes.as_deref(), to.notes.as_deref());
        }
        let (from, to) = (custom::of(from, &self.mapping), custom::of(to, &self.mapping));
        draft.replace(Pairs::FIELD, list::edit::<Pairs>(&draft.items(Pairs::FIELD), &from, &to));
    }

    fn edit_person(&self, draft: &mut Draft, from: &Person, to: &Person) {
        name::edit(draft, &from.name, &to.name);
        if self.is_usual(Field::Birthday) {
            dates::edit_birthday(draft, from.birthday, to.birthday);
        }
        self.edit_list::<Events>(draft, Field::Events, &from.events, &to.events);
        self.edit_list::<Ims>(draft, Field::Ims, &from.ims, &to.ims);
        self.edit_list::<Relations>(draft, Field::Relations, &from.relations, &to.relations);
        self.edit_list::<Nicknames>(draft, Field::Nicknames, &from.nicknames, &to.nicknames);
    }

    fn edit_list<L: List>(&self, draft: &mut Draft, field: Field, from: &[L::Item], to: &[L::Item]) {
        if self.is_usual(field) {
            draft.replace(L::FIELD, list::edit::<L>(&draft.items(L::FIELD), from, to));
        }
    }
}

impl Codec for GoogleCodec {
    fn map_revision(&self) -> u32 {
        self.mapping.revision(MAP_REVISION)
    }

    fn kind(&self, wire: &Value) -> Kind {
        let nameless = name::read(wire).is_empty();
        if nameless && Company::read(wire).name.is_some() { Kind::Organization } else { Kind::Person }
    }

    fn read(&self, wire: &Value, kind: Kind) -> Reading {
        let subject = match kind {
            Kind::Person => Subject::Person(self.read_person(wire)),
            Kind::Organization => Subject::Organization(self.read_organization(wire)),
        };
        let mut card = Card {
            subject,
            emails: self.read_ranked::<Emails>(wire, Field::Emails, |email| email.primary = true),
            phones: self.read_ranked::<Phones>(wire, Field::Phones, |phone| phone.primary = true),
            addresses: self.read_list::<Addresses>(wire, Field::Addresses),
            websites: self.read_list::<Websites>(wire, Field::Websites),
            notes: notes::read(wire).filter(|_| self.is_usual(Field::Notes)),
            ..Card::person()
        };
        custom::read(wire, &self.mapping, &mut card);
        let phones = wire::items(wire, Phones::FIELD).iter();
        let told = |phone: &Value| {
            let number = wire::canonical_number(Phones::FIELD, phone)?;
            Some((Phones::read(phone)?.value, number.to_owned()))
        };
        Reading { card, groups: groups::read(wire), numbers: phones.filter_map(told).collect() }
    }

    fn groups(&self, wire: &Value) -> BTreeSet<GroupId> {
        groups::read(wire)
    }

    fn compose(&self, card: &Card, groups: &BTreeSet<GroupId>, tag: &Tag) -> Value {
        let nothing = match card.kind() {
            Kind::Person => Card::person(),
            Kind::Organization => Card::organization(""),
        };
        let mut draft = Draft::of(&Value::Object(Object::new()));
        self.edit(&mut draft, &nothing, card);
        groups::write(&mut draft, groups);
        tag::write(&mut draft, tag);
        draft.into_wire()
    }

    fn recompose(
        &self,
        wire: &Value,
        from: &Card,
        to: &Card,
        groups: Option<&BTreeSet<GroupId>>,
        tag: &Tag,
    ) -> Option<Recomposed> {
        let mut draft = Draft::of(wire);
        self.edit(&mut draft, from, to);
        if let Some(groups) = groups {
            groups::write(&mut draft, groups);
        }
        if draft.mask().is_empty() {
            return None;
        }
        tag::write(&mut draft, tag);
        Some(Recomposed { mask: draft.mask(), wire: draft.into_wire() })
    }

    fn compose_again(&self, wire: &Value, from: &Card, to: &Card, groups: &BTreeSet<GroupId>, tag: &Tag) -> Value {
        let mut draft = Draft::of(&wire::lists(wire));
        self.edit(&mut draft, from, to);
        groups::write(&mut draft, groups);
        tag::write(&mut draft, tag);
        draft.into_wire()
    }

    fn tags(&self, wire: &Value) -> Vec<Tag> {
        tag::read_all(wire)
    }

    fn photo(&self, wire: &Value) -> Option<String> {
        wire::photo(wire).map(str::to_owned)
    }

    fn with_groups(&self, wire: &Value, groups: &BTreeSet<GroupId>) -> Value {
        let mut draft = Draft::of(wire);
        groups::write(&mut draft, groups);
        draft.into_wire()
    }

    fn losses(&self, card: &Card) -> Vec<String> {
        losses::of(card, &self.mapping)
    }
}
