//! The contacts that the demo starts with.

use contactsync::domain::contact::{Card, Kind};

use crate::support::read;

fn sample() -> Vec<Card> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/sample-contacts.csv");
    let read = read("sample-contacts.csv", std::fs::read(path).expect("the sample is part of the project"));
    assert_eq!(read.rejected, []);
    let columns = read.columns.expect("a table");
    assert_eq!(columns.unknown().map(|column| column.heading.as_str()).collect::<Vec<_>>(), ["Price list"]);
    assert!(read.drafts.iter().all(|draft| draft.warnings.is_empty()));
    read.drafts.into_iter().map(|draft| draft.card).collect()
}

#[test]
fn the_demo_has_persons_and_organizations_of_every_sort() {
    let cards = sample();
    let count = |kind: Kind| cards.iter().filter(|card| card.kind() == kind).count();
    assert_eq!((count(Kind::Person), count(Kind::Organization)), (25, 6));
    let persons: Vec<_> = cards.iter().filter_map(Card::as_person).collect();
    assert!(persons.iter().any(|person| person.birthday.is_some_and(|date| date.year().is_none())));
    assert!(cards.iter().any(|card| card.phones.len() > 1));
    assert!(cards.iter().any(|card| card.notes.is_some()) && cards.iter().any(|card| !card.labels.is_empty()));
    assert!(cards.iter().any(|card| !card.display_name().is_ascii()));
}

#[test]
fn every_organization_of_a_demo_person_is_in_the_sample() {
    let cards = sample();
    let known: Vec<String> =
        cards.iter().filter(|card| card.kind() == Kind::Organization).map(Card::display_name).collect();
    for person in cards.iter().filter_map(Card::as_person) {
        if let Some(organization) = &person.organization {
            assert!(known.contains(&organization.name), "{}", organization.name);
        }
    }
}

#[test]
fn demo_contacts_use_reserved_addresses_and_numbers_only() {
    for card in sample() {
        for email in &card.emails {
            let domain = email.value.rsplit('@').next().unwrap_or_default();
            let is_reserved = ["example.org", "example.com", "example.net"]
                .iter()
                .any(|reserved| domain == *reserved || domain.ends_with(&format!(".{reserved}")))
                || domain.ends_with(".example");
            assert!(is_reserved, "{}", email.value);
        }
        for phone in &card.phones {
            let digits: String = phone.value.chars().filter(char::is_ascii_digit).collect();
            // Fictional use: Germany 030 23125 xxx, Britain 020 7946 0xxx and 07700 900xxx, America xxx-555-01xx.
            let is_reserved = digits.starts_with("493023125")
                || digits.starts_with("442079460")
                || digits.starts_with("447700900")
                || (digits.starts_with('1') && digits.get(4..9).is_some_and(|part| part.starts_with("55501")));
            assert!(is_reserved, "{}", phone.value);
        }
    }
}
