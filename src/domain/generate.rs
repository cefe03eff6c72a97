//! Cards for property tests.
//!
//! Alphabets are small and hold several spellings of one meaning, so that values collide. States that a merge sees are
//! correlated: one card is drawn and then edited apart ([`scene`]), because cards drawn independently never meet.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::contact::{
    Address, Card, Email, Event, Im, Kind, Organization, OrganizationRef, Person, Phone, Photo, Relation, Subject,
    Visibility, Website,
};
use super::diff::{copy_field, fields_of};
use super::field::Field;
use super::item::{Flag, Item};
use super::name::Name;

/// Cases of one property in a normal run; `PROPTEST_CASES` asks for more.
const CASES: u32 = 256;

/// How properties of this floor are run.
pub(crate) fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 4_000, ..ProptestConfig::default() }
}

const LABELS: [Option<&str>; 5] = [None, Some("work"), Some("WORK"), Some("home"), Some("Alte Nummer")];
const EMAILS: [&str; 6] =
    ["ada@example.org", "ADA@Example.org", "bob@example.org", "c@bücher.example", "c@xn--bcher-kva.example", " "];
const PHONES: [&str; 8] = [
    "030 1234567",
    "0301234567",
    "+49 30 1234567",
    "0049301234567",
    "+48 22 123 45 67",
    "\u{202d}+48221234567\u{202c}",
    "112",
    "ask for Ada",
];
const TEXTS: [&str; 5] = ["Zürich", "Zu\u{308}rich", "one\ntwo", "one\r\ntwo ", ""];
/// Without outer blanks, which the JSON shape of names does not carry.
const WORDS: [&str; 5] = ["Ada", "Zoë", "Zoe\u{308}", "King", "Müller-Lee"];
const SITES: [&str; 4] = ["https://example.org", "HTTPS://EXAMPLE.ORG/", "example.org/about", "https://example.net"];
const DATES: [&str; 4] = ["1990-05-17", "--05-17", "--02-29", "2024-02-29"];

fn owned(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(values).prop_map(str::to_owned)
}

fn label() -> impl Strategy<Value = Option<String>> {
    select(&LABELS[..]).prop_map(|label| label.map(str::to_owned))
}

fn email() -> impl Strategy<Value = Email> {
    (owned(&EMAILS), label()).prop_map(|(value, label)| Email { value, label, primary: false })
}

fn phone() -> impl Strategy<Value = Phone> {
    (owned(&PHONES), label()).prop_map(|(value, label)| Phone { value, label, primary: false })
}

fn address() -> impl Strategy<Value = Address> {
    let part = || option::of(owned(&TEXTS));
    (label(), part(), part(), option::of(select(&["DE", "de", "Germany"][..]))).prop_map(
        |(label, street, city, country)| Address {
            label,
            street,
            city,
            country: country.map(str::to_owned),
            ..Address::default()
        },
    )
}

fn website() -> impl Strategy<Value = Website> {
    (owned(&SITES), label()).prop_map(|(value, label)| Website { value, label })
}

fn event() -> impl Strategy<Value = Event> {
    (select(&DATES[..]), label()).prop_map(|(date, label)| Event { date: date.parse().expect("a date"), label })
}

fn im() -> impl Strategy<Value = Im> {
    let protocol = option::of(select(&["jabber", "Jabber", "skype", "Own"][..]));
    (owned(&WORDS), protocol, label()).prop_map(|(value, protocol, label)| Im {
        value,
        protocol: protocol.map(str::to_owned),
        label,
    })
}

fn relation() -> impl Strategy<Value = Relation> {
    (owned(&WORDS), label()).prop_map(|(value, label)| Relation { value, label })
}

/// Up to three items, perhaps one of them primary. A remote may flag several, so that happens, too.
fn with_primary<T: Item + std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    let flags = prop_oneof![9 => (0_usize..6).prop_map(|index| vec![index]), 1 => Just(vec![0, 1])];
    (vec(item, 0..4), flags).prop_map(|(mut items, primaries)| {
        for primary in primaries {
            items.iter_mut().skip(primary).take(1).for_each(|item| item.flag(Flag::Primary));
        }
        items
    })
}

fn name() -> impl Strategy<Value = Name> {
    let part = || option::weighted(0.6, owned(&WORDS));
    (option::weighted(0.2, Just("Dr.".to_owned())), part(), option::weighted(0.2, owned(&WORDS)), part())
        .prop_map(|(prefix, given, middle, family)| Name { prefix, given, middle, family, suffix: None })
}

fn person() -> impl Strategy<Value = Person> {
    let organization = option::of(owned(&TEXTS).prop_map(|name| OrganizationRef { id: None, name }));
    let photo = option::weighted(0.3, select(&["ab12", "AB12", "cd34"][..]));
    let birthday = option::of(select(&DATES[..]).prop_map(|date| date.parse().expect("a date")));
    let sets = (vec(event(), 0..3), vec(im(), 0..3), vec(relation(), 0..3), vec(owned(&WORDS), 0..3));
    (name(), organization, option::of(owned(&TEXTS)), option::of(owned(&TEXTS)), birthday, sets, photo).prop_map(
        |(name, organization, job_title, department, birthday, (events, ims, relations, nicknames), photo)| Person {
            name,
            organization,
            job_title,
            department,
            birthday,
            events,
            ims,
            relations,
            nicknames,
            photo: photo.map(|digest| Photo { digest: digest.to_owned() }),
        },
    )
}

fn subject(kind: Kind) -> BoxedStrategy<Subject> {
    match kind {
        Kind::Person => person().prop_map(Subject::Person).boxed(),
        Kind::Organization => (owned(&TEXTS), option::of(owned(&TEXTS)))
            .prop_map(|(name, industry)| Subject::Organization(Organization { name, industry }))
            .boxed(),
    }
}

/// A card of this kind.
pub(crate) fn card_of(kind: Kind) -> impl Strategy<Value = Card> {
    let sets = (with_primary(email()), with_primary(phone()), vec(address(), 0..3), vec(website(), 0..3));
    let custom = btree_map(owned(&["Price list", "Zürich"]), owned(&TEXTS), 0..3);
    let labels = btree_set(owned(&["Customer", "Zürich", "Zu\u{308}rich", "VIP"]), 0..3);
    let visibility = option::of(proptest::sample::select(Visibility::ALL.to_vec()));
    let texts = (option::of(owned(&TEXTS)), option::of(owned(&EMAILS)), visibility);
    (subject(kind), sets, custom, labels, texts).prop_map(
        |(subject, (emails, phones, addresses, websites), custom, labels, (notes, owner, visibility))| Card {
            subject,
            emails,
            phones,
            addresses,
            websites,
            notes,
            labels,
            custom,
            owner,
            visibility,
        },
    )
}

/// A kind of contact; persons are more frequent.
pub(crate) fn kind() -> impl Strategy<Value = Kind> {
    select(&[Kind::Person, Kind::Person, Kind::Organization][..])
}

/// A card of any kind.
pub(crate) fn card() -> impl Strategy<Value = Card> {
    kind().prop_flat_map(card_of)
}

/// What one edit does to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Takes the whole field from the donor.
    Replace,
    /// Adds the donor's first item.
    Add,
    /// Removes an item.
    Remove,
    /// Gives an item the label of the donor's first.
    Relabel,
    /// Gives an item the value of the donor's first.
    Revalue,
    /// Moves the primary flag to an item.
    Point,
    /// Takes the primary flag away.
    Unpoint,
    /// Turns the order round.
    Reverse,
}

const ACTS: [Act; 10] = [
    Act::Replace,
    Act::Add,
    Act::Add,
    Act::Remove,
    Act::Relabel,
    Act::Relabel,
    Act::Revalue,
    Act::Point,
    Act::Unpoint,
    Act::Reverse,
];

/// One edit as a user would make it.
#[derive(Debug, Clone)]
struct Edit {
    field: Field,
    act: Act,
    index: usize,
    donor: Card,
}

fn edit(kind: Kind) -> impl Strategy<Value = Edit> {
    let mut fields = fields_of(kind).to_vec();
    // The fields with the richest rules more often than the others.
    fields.extend([Field::Phones, Field::Phones, Field::Emails, Field::Custom("Price list".to_owned())]);
    (select(fields), select(&ACTS[..]), 0_usize..4, card_of(kind)).prop_map(|(field, act, index, donor)| Edit {
        field,
        act,
        index,
        donor,
    })
}

fn apply(card: &mut Card, edit: &Edit) {
    let donor = &edit.donor;
    match edit.field {
        Field::Emails => edit_set(&mut card.emails, edit, &donor.emails),
        Field::Phones => edit_set(&mut card.phones, edit, &donor.phones),
        Field::Addresses => edit_set(&mut card.addresses, edit, &donor.addresses),
        Field::Websites => edit_set(&mut card.websites, edit, &donor.websites),
        _ => match (&mut card.subject, &donor.subject, &edit.field) {
            (Subject::Person(person), Subject::Person(donor), Field::Events) => {
                edit_set(&mut person.events, edit, &donor.events);
            }
            (Subject::Person(person), Subject::Person(donor), Field::Ims) => {
                edit_set(&mut person.ims, edit, &donor.ims)
            }
            (Subject::Person(person), Subject::Person(donor), Field::Relations) => {
                edit_set(&mut person.relations, edit, &donor.relations);
            }
            (Subject::Person(person), Subject::Person(donor), Field::Nicknames) => {
                edit_set(&mut person.nicknames, edit, &donor.nicknames);
            }
            _ => copy_field(&edit.field, donor, card),
        },
    }
}

fn edit_set<T: Item>(items: &mut Vec<T>, edit: &Edit, donor: &[T]) {
    let index = if items.is_empty() { 0 } else { edit.index % items.len() };
    match (edit.act, donor.first()) {
        (Act::Replace, _) => *items = donor.to_vec(),
        (Act::Add, Some(new)) => {
            let mut new = new.clone();
            new.flag(Flag::Plain);
            items.push(new);
        }
        (Act::Remove, _) if !items.is_empty() => {
            items.remove(index);
        }
        (Act::Relabel, Some(new)) => {
            items.iter_mut().skip(index).take(1).for_each(|item| item.relabel(new.label().map(str::to_owned)));
        }
        (Act::Revalue, Some(new)) => items.iter_mut().skip(index).take(1).for_each(|item| {
            let mut new = new.clone();
            new.relabel(item.label().map(str::to_owned));
            new.flag(if item.is_primary() { Flag::Primary } else { Flag::Plain });
            *item = new;
        }),
        (Act::Point, _) => point(items, Some(index)),
        (Act::Unpoint, _) => point(items, None),
        (Act::Reverse, _) => items.reverse(),
        _ => {}
    }
}

fn point<T: Item>(items: &mut [T], primary: Option<usize>) {
    for (index, item) in items.iter_mut().enumerate() {
        item.flag(if primary == Some(index) { Flag::Primary } else { Flag::Plain });
    }
}

/// The card after a few edits, perhaps none.
pub(crate) fn edited(card: Card) -> impl Strategy<Value = Card> {
    vec(edit(card.kind()), 0..5).prop_map(move |edits| {
        let mut card = card.clone();
        edits.iter().for_each(|edit| apply(&mut card, edit));
        card
    })
}

/// The card in another order and spelling with the same meaning.
pub(crate) fn respelled(card: &Card) -> Card {
    let mut card = card.clone();
    card.emails.reverse();
    card.phones.reverse();
    card.addresses.reverse();
    card.websites.reverse();
    card.emails.iter_mut().for_each(|email| email.value = email.value.to_ascii_uppercase());
    card.phones.iter_mut().for_each(|phone| phone.value = format!("\u{202d}{}\u{202c} ", phone.value));
    card.notes = card.notes.map(|notes| format!(" {}\r\n", notes.replace('ü', "u\u{308}")));
    card.labels = card.labels.iter().map(|label| label.replace('ü', "u\u{308}")).collect();
    card.custom = card.custom.into_iter().map(|(key, value)| (key.replace('ü', "u\u{308}"), value)).collect();
    if let Some(person) = card.as_person_mut() {
        person.events.reverse();
        person.nicknames.reverse();
        let organization = person.organization.take();
        person.organization = organization
            .map(|organization| OrganizationRef { name: format!("{} ", organization.name), ..organization });
    }
    card
}

/// A common past and what became of it on two sides.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    /// What both sides last agreed on.
    pub(crate) base: Card,
    /// The store's card now.
    pub(crate) store: Card,
    /// The remote's card now.
    pub(crate) remote: Card,
}

/// One card and two edited copies of it.
pub(crate) fn scene() -> impl Strategy<Value = Scene> {
    card().prop_flat_map(|base| {
        (Just(base.clone()), edited(base.clone()), edited(base)).prop_map(|(base, store, remote)| Scene {
            base,
            store,
            remote,
        })
    })
}

/// Some of the fields that a card of either kind can have.
pub(crate) fn some_fields() -> impl Strategy<Value = std::collections::BTreeSet<Field>> {
    subsequence(fields_of(Kind::Person).to_vec(), 0..6).prop_map(|fields| fields.into_iter().collect())
}
