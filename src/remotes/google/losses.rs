//! What Google cannot hold of a card, said once for people. Fields that were switched off on purpose are no losses, and
//! neither is the owner: it says whose contact it is in the store, and Google has nobody else to tell that to.

use crate::domain::contact::{Card, Subject};
use crate::domain::field::Field;

use super::address::Addresses;
use super::company::Company;
use super::custom::{self, Pairs};
use super::items::{Emails, Events, Ims, Nicknames, Phones, Relations, Websites};
use super::list::List;
use super::mapping::Mapping;
use super::name;
use super::text::{NOTES_BYTES_MAX, TEXT_CHARS_MAX, fits, notes_fit};

/// One sentence for each value that stays in the store.
pub(super) fn of(card: &Card, mapping: &Mapping) -> Vec<String> {
    let mut losses = Vec::new();
    match &card.subject {
        Subject::Person(person) => {
            losses.extend(name::too_long(&person.name).map(too_long));
            losses.extend(long_items::<Events>(mapping, Field::Events, &person.events));
            losses.extend(long_items::<Ims>(mapping, Field::Ims, &person.ims));
            losses.extend(long_items::<Relations>(mapping, Field::Relations, &person.relations));
            losses.extend(long_items::<Nicknames>(mapping, Field::Nicknames, &person.nicknames));
        }
        Subject::Organization(organization) => {
            let industry = organization.industry.is_some();
            losses.extend(homeless(mapping, Field::Industry, industry));
        }
    }
    losses.extend(long_company(card, mapping));
    losses.extend(long_items::<Emails>(mapping, Field::Emails, &card.emails));
    losses.extend(long_items::<Phones>(mapping, Field::Phones, &card.phones));
    losses.extend(long_items::<Addresses>(mapping, Field::Addresses, &card.addresses));
    losses.extend(long_items::<Websites>(mapping, Field::Websites, &card.websites));
    if mapping.is_usual(&Field::Notes) && !notes_fit(card.notes.as_deref()) {
        losses.push(format!("the notes are longer than {NOTES_BYTES_MAX} bytes"));
    }
    losses.extend(lost_custom_fields(card, mapping));
    losses
}

fn too_long(what: impl std::fmt::Display) -> String {
    format!("the {what} is longer than {TEXT_CHARS_MAX} characters")
}

fn long_items<L: List>(mapping: &Mapping, field: Field, items: &[L::Item]) -> Option<String> {
    let count = items.iter().filter(|item| !L::fits(item)).count();
    let lost = count > 0 && mapping.is_on(&field);
    lost.then(|| format!("{count} of the {field} are longer than {TEXT_CHARS_MAX} characters"))
}

fn long_company(card: &Card, mapping: &Mapping) -> Vec<String> {
    let company = Company::of(card);
    let name = if card.as_person().is_some() { Field::Organization } else { Field::Name };
    [(name, company.name), (Field::JobTitle, company.title), (Field::Department, company.department)]
        .into_iter()
        .filter(|(field, text)| mapping.is_usual(field) && !fits(text.as_deref()))
        .map(|(field, _)| too_long(field))
        .collect()
}

/// A field that Google has no place for, unless the field map gives it one.
fn homeless(mapping: &Mapping, field: Field, present: bool) -> Option<String> {
    let lost = present && mapping.is_on(&field) && mapping.key_of(&field).is_none();
    lost.then(|| format!("the {field} stays in the store"))
}

fn lost_custom_fields(card: &Card, mapping: &Mapping) -> Vec<String> {
    let long = custom::of(card, mapping).into_iter().filter(|pair| !Pairs::fits(pair));
    let long = long.map(|pair| too_long(format_args!("custom field {:?}", short(&pair.key))));
    let fields = card.custom.keys().map(|key| Field::Custom(key.clone()));
    let crowded_out = fields.filter(|field| mapping.is_on(field) && mapping.key_of(field).is_none());
    let crowded_out =
        crowded_out.map(|field| format!("the field {field} stays in the store: its key holds another field"));
    long.chain(crowded_out).collect()
}

fn short(key: &str) -> String {
    key.chars().take(40).collect()
}
