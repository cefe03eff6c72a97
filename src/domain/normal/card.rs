//! Whole cards.

use crate::domain::contact::{Card, Organization, OrganizationRef, Person, Photo, Subject};
use crate::domain::item::{Flag, Item};
use crate::domain::name::Name;

use super::{email_key, text};

/// The card in normal form: values normal, sets sorted, at most one primary item per set, nothing empty, the
/// organization by name alone. Two cards mean the same exactly when their normal forms are equal.
pub fn card(card: &Card) -> Card {
    Card {
        subject: match &card.subject {
            Subject::Person(person) => Subject::Person(self::person(person)),
            Subject::Organization(organization) => Subject::Organization(Organization {
                name: text(&organization.name),
                industry: scalar(organization.industry.as_deref()),
            }),
        },
        emails: set(&card.emails),
        phones: set(&card.phones),
        addresses: set(&card.addresses),
        websites: set(&card.websites),
        notes: scalar(card.notes.as_deref()),
        labels: card.labels.iter().filter_map(Item::normal).collect(),
        // The last of several keys that differ in composition only wins; no such card comes out of our own code.
        custom: card.custom.iter().filter_map(|(key, value)| Some((text(key), scalar(Some(value))?))).collect(),
        owner: card.owner.as_deref().map(email_key).filter(|owner| !owner.is_empty()),
        visibility: card.visibility,
    }
}

fn person(person: &Person) -> Person {
    Person {
        name: name(&person.name),
        organization: organization(person.organization.as_ref()),
        job_title: scalar(person.job_title.as_deref()),
        department: scalar(person.department.as_deref()),
        birthday: person.birthday,
        events: set(&person.events),
        ims: set(&person.ims),
        relations: set(&person.relations),
        nicknames: set(&person.nicknames),
        photo: photo(person.photo.as_ref()),
    }
}

/// A name, part by part.
fn name(name: &Name) -> Name {
    Name {
        prefix: scalar(name.prefix.as_deref()),
        given: scalar(name.given.as_deref()),
        middle: scalar(name.middle.as_deref()),
        family: scalar(name.family.as_deref()),
        suffix: scalar(name.suffix.as_deref()),
    }
}

/// A text field; empty is absent.
pub(in crate::domain) fn scalar(value: Option<&str>) -> Option<String> {
    Some(text(value?)).filter(|value| !value.is_empty())
}

/// A person's organization: the name is what both sides of a link can speak of.
pub(in crate::domain) fn organization(organization: Option<&OrganizationRef>) -> Option<OrganizationRef> {
    let name = scalar(Some(&organization?.name))?;
    Some(OrganizationRef { id: None, name })
}

/// A photo; the case of its digest has no meaning.
pub(in crate::domain) fn photo(photo: Option<&Photo>) -> Option<Photo> {
    let digest = scalar(Some(&photo?.digest))?.to_ascii_lowercase();
    Some(Photo { digest })
}

/// The items of a set in normal form, sorted. Order has no meaning; doubled items do not vanish.
///
/// Of several primary items the first in this order stays primary: the choice must not depend on the order in which
/// a remote happens to list them.
pub(in crate::domain) fn set<T: Item>(items: &[T]) -> Vec<T> {
    let mut items: Vec<T> = items.iter().filter_map(Item::normal).collect();
    items.sort_by_cached_key(|item| (item.key(), item.label().map(str::to_owned), !item.is_primary()));
    let mut primaries = items.iter_mut().filter(|item| item.is_primary());
    primaries.next();
    primaries.for_each(|item| item.flag(Flag::Plain));
    // Taking a flag away may leave equal items in another order than a card that never had the flag.
    items.sort_by_cached_key(|item| (item.key(), item.label().map(str::to_owned), !item.is_primary()));
    items
}
