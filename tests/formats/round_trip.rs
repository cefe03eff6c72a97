//! What is exported and read again is equal.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use contactsync::domain::contact::{
    Address, Card, Email, Event, Im, Organization, OrganizationRef, Person, Phone, Relation, Subject, Visibility,
    Website,
};
use contactsync::domain::date::PartialDate;
use contactsync::domain::name::Name;
use contactsync::formats::{ExportRecord, Separator, WriteError, write_csv, write_vcard, write_xlsx};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::read;

type Writer = fn(&mut dyn Write, Vec<ExportRecord>) -> Result<(), WriteError>;

const WRITERS: [(&str, Writer); 5] = [
    ("export.csv", |out, records| write_csv(out, records, Separator::Comma)),
    ("export-semicolons.csv", |out, records| write_csv(out, records, Separator::Semicolon)),
    ("export-tabs.csv", |out, records| write_csv(out, records, Separator::Tab)),
    ("export.xlsx", |out, records| write_xlsx(out, records)),
    ("export.vcf", |out, records| write_vcard(out, records)),
];

fn record(card: &Card) -> ExportRecord {
    let mut json = serde_json::to_value(card).expect("cards are JSON");
    json["id"] = "01JDABCDEF".into();
    json["version"] = serde_json::json!({"store": 3});
    json["updated"] = "2026-11-23T15:04:05Z".into();
    ExportRecord { json, card: card.clone() }
}

fn through(name: &str, write: Writer, cards: &[Card]) -> Vec<Card> {
    let mut bytes = Vec::new();
    write(&mut bytes, cards.iter().map(record).collect()).expect("memory takes everything");
    let read = read(name, &bytes);
    assert_eq!(read.rejected, [], "{name}: {}", String::from_utf8_lossy(&bytes));
    read.drafts.into_iter().map(|draft| draft.card).collect()
}

/// One line of text without blanks around it, with everything that formats escape.
fn line() -> impl Strategy<Value = String> {
    vec("[a-zA-Z0-9äßłŻ日😀=+@'\",;:|<>%_.!/()\\\\-]{1,12}", 1..4).prop_map(|words| words.join(" "))
}

fn text() -> impl Strategy<Value = String> {
    vec(line(), 1..3).prop_map(|lines| lines.join("\n"))
}

/// Labels, usual and unusual.
fn label() -> impl Strategy<Value = Option<String>> {
    let usual = prop::sample::select(vec![
        "work",
        "home",
        "mobile",
        "workFax",
        "homeFax",
        "fax",
        "pager",
        "main",
        "other",
        "spouse",
        "friend",
        "anniversary",
        "Work",
    ]);
    option::of(prop_oneof![usual.prop_map(str::to_owned), line()])
}

fn date() -> impl Strategy<Value = PartialDate> {
    (option::of(1700_u16..2100), 1_u8..=12, 1_u8..=28)
        .prop_map(|(year, month, day)| PartialDate::new(year, month, day).expect("every month has 28 days"))
}

fn name() -> impl Strategy<Value = Name> {
    let part = || option::of(line());
    (part(), line(), part(), part(), part()).prop_map(|(prefix, given, middle, family, suffix)| Name {
        prefix,
        given: Some(given),
        middle,
        family,
        suffix,
    })
}

fn address() -> impl Strategy<Value = Address> {
    let part = || option::of(text());
    (label(), text(), part(), part(), part(), part(), part()).prop_map(
        |(label, street, extended, city, region, postal_code, country)| Address {
            label,
            street: Some(street),
            extended,
            city,
            region,
            postal_code,
            country,
        },
    )
}

fn person() -> impl Strategy<Value = Person> {
    let events = vec((label(), date()), 0..3);
    let ims = vec((line(), label(), label()), 0..3);
    let relations = vec((line(), label()), 0..3);
    let organization = option::of(line());
    (
        name(),
        organization,
        option::of(line()),
        option::of(line()),
        option::of(date()),
        events,
        ims,
        relations,
        btree_set(line(), 0..3),
    )
        .prop_map(|(name, organization, job_title, department, birthday, events, ims, relations, nicknames)| {
            Person {
                name,
                organization: organization.map(|name| OrganizationRef { id: None, name }),
                job_title,
                department,
                birthday,
                events: events.into_iter().map(|(label, date)| Event { label, date }).collect(),
                ims: ims.into_iter().map(|(value, protocol, label)| Im { value, protocol, label }).collect(),
                relations: relations.into_iter().map(|(value, label)| Relation { value, label }).collect(),
                nicknames: nicknames.into_iter().collect(),
                photo: None,
            }
        })
}

fn subject() -> impl Strategy<Value = Subject> {
    let organization = (line(), option::of(line())).prop_map(|(name, industry)| Organization { name, industry });
    prop_oneof![person().prop_map(Subject::Person), organization.prop_map(Subject::Organization)]
}

fn card() -> impl Strategy<Value = Card> {
    let values = || (vec((line(), label()), 0..3), option::of(0_usize..3));
    let labels = btree_set(line().prop_filter("the separator", |label| !label.contains(":::")), 0..3);
    let websites = vec((line(), label()), 0..3);
    (
        subject(),
        values(),
        values(),
        vec(address(), 0..3),
        websites,
        option::of(text()),
        labels,
        btree_map(line(), text(), 0..3),
        (option::of(line()), option::of(select(Visibility::ALL.to_vec()))),
    )
        .prop_map(
            |(
                subject,
                (emails, email),
                (phones, phone),
                addresses,
                websites,
                notes,
                labels,
                custom,
                (owner, visibility),
            )| Card {
                subject,
                emails: emails
                    .into_iter()
                    .enumerate()
                    .map(|(at, (value, label))| Email { value, label, primary: Some(at) == email })
                    .collect(),
                phones: phones
                    .into_iter()
                    .enumerate()
                    .map(|(at, (value, label))| Phone { value, label, primary: Some(at) == phone })
                    .collect(),
                addresses,
                websites: websites.into_iter().map(|(value, label)| Website { value, label }).collect(),
                notes,
                labels,
                custom,
                owner,
                visibility,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn exported_contacts_are_read_back_equal(cards in vec(card(), 1..4)) {
        for (name, write) in WRITERS {
            let again = through(name, write, &cards);
            prop_assert_eq!(&again, &cards, "{}", name);
        }
    }
}

#[test]
fn a_person_of_whom_only_a_phone_is_known_stays_a_person() {
    let mut person = Card::person();
    person.phones.push(Phone { value: "+49 30 1234567".into(), label: None, primary: false });
    let mut of_company = Card::person();
    let organization = Some(OrganizationRef { id: None, name: "Example GmbH".into() });
    of_company.as_person_mut().expect("a person").organization = organization;
    let cards = [person, of_company, Card::organization("Example GmbH")];
    for (name, write) in WRITERS {
        assert_eq!(through(name, write, &cards), cards, "{name}");
    }
}

#[test]
fn values_that_spreadsheets_and_programs_love_to_change_survive() {
    let mut card = Card::person();
    card.as_person_mut().expect("a person").name.given = Some("ada@example.org".into());
    card.as_person_mut().expect("a person").ims =
        vec![Im { value: "xmpp:ada@example.org".into(), protocol: None, label: Some("Jabber".into()) }];
    card.emails = vec![
        Email { value: "no address".into(), label: Some("Work".into()), primary: false },
        Email { value: "a@example.org, b@example.org".into(), label: None, primary: true },
        Email { value: "A@example.org".into(), label: None, primary: false },
        Email { value: "a@example.org".into(), label: None, primary: false },
    ];
    card.phones = ["0049301234567", "+49 30 1234567", "-", "4.9E+11", "tel:1;ext=2", "=1+1"]
        .map(|value| Phone { value: value.into(), label: Some("* Work".into()), primary: false })
        .to_vec();
    card.custom = BTreeMap::from([("=cmd".to_owned(), "'quoted'".to_owned()), ("Id".to_owned(), "007".to_owned())]);
    card.labels = BTreeSet::from(["* myContacts".to_owned(), "a, b; c".to_owned()]);
    for (name, write) in WRITERS {
        assert_eq!(through(name, write, &[card.clone()]), [card.clone()], "{name}");
    }
}
