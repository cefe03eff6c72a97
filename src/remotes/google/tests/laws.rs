//! Laws of the codec, over generated records and cards.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::GoogleCodec;
use super::{groups, tag};
use crate::domain::contact::{Address, Card, Email, Event, Im, Kind, OrganizationRef, Phone, Relation, Website};
use crate::domain::name::Name;
use crate::domain::normal;
use crate::remotes::Codec;

fn word() -> impl Strategy<Value = String> {
    "[A-Za-zäß][A-Za-z0-9 éÜ-]{0,8}[a-z]"
}

fn label() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), Just(Some("work".to_owned())), Just(Some("Home".to_owned())), word().prop_map(Some)]
}

fn email() -> impl Strategy<Value = Email> {
    ("[a-e]{1,2}@[ab]\\.example", label()).prop_map(|(value, label)| Email { value, label, primary: false })
}

fn phone() -> impl Strategy<Value = Phone> {
    ("\\+49 30 [1-4]{3}|0[1-3]{3}", label()).prop_map(|(value, label)| Phone { value, label, primary: false })
}

fn address() -> impl Strategy<Value = Address> {
    let part = || proptest::option::of(word());
    (label(), part(), part(), part(), part(), part(), proptest::option::of("DE|at|Germany")).prop_map(
        |(label, street, extended, city, region, postal_code, country)| Address {
            label,
            street,
            extended,
            city,
            region,
            postal_code,
            country,
        },
    )
}

fn cards() -> impl Strategy<Value = Card> {
    let part = || proptest::option::of(word());
    let name = (part(), part(), part(), part(), part()).prop_map(|(prefix, given, middle, family, suffix)| Name {
        prefix,
        given,
        middle,
        family,
        suffix,
    });
    let work = (part(), part(), part());
    let date = (proptest::option::of(1_u16..=9999), 1_u8..=12, 1_u8..=28)
        .prop_map(|(year, month, day)| crate::domain::date::PartialDate::new(year, month, day).expect("a day"));
    let event = (label(), date.clone()).prop_map(|(label, date)| Event { label, date });
    let relation = (word(), label()).prop_map(|(value, label)| Relation { value, label });
    let im = (word(), proptest::option::of("jabber|Skype|own"), label()).prop_map(|(value, protocol, label)| Im {
        value,
        protocol,
        label,
    });
    let website = ("https://[ab]\\.example/[xy]?", label()).prop_map(|(value, label)| Website { value, label });
    let own = (
        proptest::option::of(date),
        proptest::collection::vec(event, 0..3),
        proptest::collection::vec(relation, 0..3),
        proptest::collection::vec(im, 0..3),
        proptest::collection::vec(word(), 0..3),
    );
    let shared = (
        proptest::collection::vec(email(), 0..4),
        proptest::collection::vec(phone(), 0..4),
        proptest::collection::vec(address(), 0..3),
        proptest::collection::vec(website, 0..3),
        proptest::option::of(word()),
        proptest::collection::btree_map("[a-c]", word(), 0..3),
        any::<prop::sample::Index>(),
    );
    (name, work, own, shared).prop_map(|(name, work, own, shared)| {
        let mut card = Card::person();
        let person = card.as_person_mut().expect("a person");
        person.name = name;
        person.organization = work.0.map(|name| OrganizationRef { id: None, name });
        (person.job_title, person.department) = (work.1, work.2);
        (person.birthday, person.events, person.relations, person.ims, person.nicknames) = own;
        (card.emails, card.phones, card.addresses, card.websites, card.notes, card.custom) =
            (shared.0, shared.1, shared.2, shared.3, shared.4, shared.5);
        if !card.emails.is_empty() {
            let place = shared.6.index(card.emails.len());
            card.emails[place].primary = true;
        }
        single(card)
    })
}

/// Without items that say the same thing twice, which no remote is asked to hold.
fn single(mut card: Card) -> Card {
    fn once<T>(items: &mut Vec<T>, key: impl Fn(&T) -> String) {
        let mut seen = BTreeSet::new();
        items.retain(|item| seen.insert(key(item)));
    }
    once(&mut card.emails, |item| normal::email_key(&item.value));
    once(&mut card.phones, |item| normal::phone_key(&item.value));
    once(&mut card.websites, |item| normal::url_key(&item.value));
    once(&mut card.addresses, |item| format!("{item:?}").to_lowercase());
    let person = card.as_person_mut().expect("a person");
    once(&mut person.events, |item| item.date.to_string());
    once(&mut person.relations, |item| normal::text(&item.value));
    once(&mut person.ims, |item| normal::text(&item.value));
    once(&mut person.nicknames, |item| normal::text(item));
    card
}

/// The card as Google can hold it: something is always the one to use first.
fn held(card: &Card) -> Card {
    let mut card = card.clone();
    if !card.phones.is_empty() && !card.phones.iter().any(|phone| phone.primary) {
        card.phones[0].primary = true;
    }
    if !card.emails.is_empty() && !card.emails.iter().any(|email| email.primary) {
        card.emails[0].primary = true;
    }
    normal::card(&card)
}

/// A record that says what the card says, full of members and items that cards know nothing of.
fn records() -> impl Strategy<Value = (Card, Value)> {
    (cards(), any::<bool>()).prop_map(|(card, foreign_first)| {
        let mut wire = GoogleCodec::default().compose(&card, &groups(&["myContacts", "5f"]), &tag(1));
        for (field, items) in wire.as_object_mut().expect("an object") {
            let items = items.as_array_mut().expect("a list");
            for (number, item) in items.iter_mut().enumerate().filter(|_| field != "clientData") {
                item["unknownMember"] = json!(number);
            }
            let foreign = json!({"unknownItem": field.clone()});
            let single = ["names", "birthdays", "biographies", "organizations"].contains(&field.as_str());
            match (single, foreign_first && field != "emailAddresses" && field != "phoneNumbers") {
                (true, _) => {}
                (false, true) => items.insert(0, foreign),
                (false, false) => items.push(foreign),
            }
        }
        if let Some(companies) = wire.get_mut("organizations").and_then(Value::as_array_mut) {
            companies.insert(0, json!({"name": "Former Ltd"}));
        }
        wire["externalIds"] = json!([{"value": "7"}]);
        wire["resourceName"] = json!("people/c1");
        (card, wire)
    })
}

/// One change of one field; the name of the list it must show up in.
type Edit = (&'static str, fn(&mut Card, String, usize));

const EDITS: [Edit; 15] = [
    ("names", |card, word, _| card.as_person_mut().expect("a person").name.given = Some(word)),
    ("names", |card, word, _| card.as_person_mut().expect("a person").name.suffix = Some(word)),
    ("emailAddresses", |card, word, place| match card.emails.len() {
        0 => card.emails.push(Email { value: "new@c.example".to_owned(), label: Some(word), primary: true }),
        count => card.emails[place % count].label = Some(word),
    }),
    ("emailAddresses", |card, _, place| match card.emails.len() {
        0 => {}
        count => card.emails[place % count].value = "new@c.example".to_owned(),
    }),
    ("phoneNumbers", |card, _, place| match card.phones.len() {
        0 => {}
        count => _ = card.phones.remove(place % count),
    }),
    ("phoneNumbers", |card, _, _| {
        card.phones.push(Phone { value: "+49 30 999".to_owned(), label: None, primary: false });
    }),
    ("addresses", |card, word, place| match card.addresses.len() {
        0 => card.addresses.push(Address { street: Some(word), ..Address::default() }),
        count => card.addresses[place % count].city = Some(word),
    }),
    ("organizations", |card, word, _| card.as_person_mut().expect("a person").job_title = Some(word)),
    ("organizations", |card, word, _| {
        card.as_person_mut().expect("a person").organization = Some(OrganizationRef { id: None, name: word });
    }),
    ("birthdays", |card, _, _| card.as_person_mut().expect("a person").birthday = None),
    ("biographies", |card, word, _| card.notes = Some(word)),
    ("urls", |card, word, _| {
        card.websites.push(Website { value: "https://new.example".to_owned(), label: Some(word) })
    }),
    ("relations", |card, _, _| card.as_person_mut().expect("a person").relations.clear()),
    ("nicknames", |card, word, _| card.as_person_mut().expect("a person").nicknames.push(word)),
    ("userDefined", |card, word, place| _ = card.custom.insert(["a", "z"][place % 2].to_owned(), word)),
];

fn items(wire: &Value, field: &str) -> Vec<Value> {
    wire.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn what_was_composed_is_read_back(card in cards()) {
        let codec = GoogleCodec::default();
        let wire = codec.compose(&card, &groups(&["myContacts"]), &tag(1));
        let mut expected = card.clone();
        let nowhere = |address: &Address| Address { label: None, ..address.clone() } == Address::default();
        expected.addresses.retain(|address| !nowhere(address));
        prop_assert_eq!(normal::card(&codec.read(&wire, Kind::Person).card), held(&expected));
        prop_assert!(codec.losses(&card).is_empty());
        prop_assert_eq!(codec.recompose(&wire, &card, &card, None, &tag(2)), None);
    }

    #[test]
    fn one_edit_changes_one_item_of_one_list(
        (card, wire) in records(), edit in 0..EDITS.len(), text in word(), place in 0_usize..4,
    ) {
        let codec = GoogleCodec::default();
        let (field, change) = EDITS[edit];
        let mut to = card.clone();
        change(&mut to, text, place);
        let to = single(to);
        let changed = match codec.recompose(&wire, &card, &to, None, &tag(2)) {
            None => {
                prop_assert_eq!(normal::card(&card), normal::card(&to));
                return Ok(());
            }
            Some(changed) => changed,
        };
        prop_assert_eq!(&changed.mask, &[field.to_owned(), "clientData".to_owned()]);
        // Everything beside the list and our tag is the same to the byte.
        for (name, value) in wire.as_object().expect("an object") {
            if name != field && name != "clientData" {
                prop_assert_eq!(changed.wire.get(name), Some(value), "{}", name);
            }
        }
        // In the list at most one item is gone or changed, and at most one is new; the rest keeps its order.
        let (before, after) = (items(&wire, field), items(&changed.wire, field));
        let kept: Vec<&Value> = after.iter().filter(|item| before.contains(item)).collect();
        let untouched: Vec<&Value> = before.iter().filter(|item| after.contains(item)).collect();
        prop_assert_eq!(&kept, &untouched);
        let touched = if field == "relations" { before.len() } else { 1 };
        prop_assert!(before.len() - untouched.len() <= touched, "{:?} became {:?}", before, after);
        prop_assert!(after.len() - kept.len() <= 1, "{:?} became {:?}", before, after);
        prop_assert!(field == "relations" || before.iter().filter(|item| item.get("unknownItem").is_some()).all(|item| after.contains(item)));
        // And it says what the card says.
        prop_assert_eq!(normal::card(&codec.read(&changed.wire, Kind::Person).card), held(&to));
        prop_assert_eq!(codec.recompose(&changed.wire, &to, &to, None, &tag(3)), None);
    }

    #[test]
    fn any_change_of_a_whole_card_arrives((card, wire) in records(), to in cards()) {
        let codec = GoogleCodec::default();
        let result = codec.recompose(&wire, &card, &to, None, &tag(2)).map_or(wire.clone(), |changed| changed.wire);
        let (mut read, mut wanted) = (normal::card(&codec.read(&result, Kind::Person).card), held(&to));
        // Which phone comes first is the remote's affair unless the card says so; and the entry of a former employer
        // shows when the present one is gone.
        read.phones.iter_mut().chain(&mut wanted.phones).for_each(|phone| phone.primary = false);
        if to.as_person().is_some_and(|own| own.organization.is_none() && own.job_title.is_none() && own.department.is_none()) {
            read.as_person_mut().expect("a person").organization = None;
        }
        if to.emails.iter().all(|email| !email.primary) {
            read.emails.iter_mut().chain(&mut wanted.emails).for_each(|email| email.primary = false);
        }
        prop_assert_eq!(read, wanted);
    }
}
