//! The first link of two full books: the same people on both sides, each written in its own way. Everybody finds the twin,
//! nobody is made anew, nothing is lost, and the next run has nothing to do.

use std::collections::BTreeMap;

use contactsync::clock::{Clock as _, Entropy as _};
use contactsync::domain::contact::{Card, Email, OrganizationRef, Phone};
use contactsync::domain::dialling;
use contactsync::domain::history::{Action, Actor, Change};
use contactsync::domain::id::{ContactId, ReplicaId};
use contactsync::domain::version::VersionVector;
use contactsync::domain::{contact::Contact, diff, normal};
use contactsync::engine::Reach;
use contactsync::store::{Commit, ContactWrite, Write};
use serde_json::{Value, json};

use crate::support::effort::calls;
use crate::support::world::{World, as_person, promise};

const PEOPLE: u32 = 6_000;
const GIVEN: [&str; 25] = [
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jörg", "Karla", "Leo", "Mia", "Noah",
    "Olga", "Paul", "Quinn", "Rosa", "Stefan", "Tilda", "Ulrich", "Vera", "Willi", "Xenia", "Yannik",
];
const FAMILY: [&str; 24] = [
    "Müller",
    "Schmidt",
    "Weiß",
    "Fischer",
    "Weber",
    "Meyer",
    "Wagner",
    "Becker",
    "Schulz",
    "Hoffmann",
    "Koch",
    "Bauer",
    "Richter",
    "Klein",
    "Wolf",
    "Schröder",
    "Neumann",
    "Schwarz",
    "Zimmermann",
    "Braun",
    "Krüger",
    "Hofmann",
    "Hartmann",
    "Lange",
];

/// A person that does not exist. Everything about it follows from its number.
struct Somebody(u32);

impl Somebody {
    /// Every twentieth has the name of the one before, at the same firm.
    fn namesake(&self) -> usize {
        (if self.0 % 20 == 19 { self.0 - 1 } else { self.0 }) as usize
    }

    /// Of every tenth, each side knows something that the other one does not.
    fn is_known_better(&self) -> bool {
        self.0 % 10 == 3
    }

    fn given(&self) -> &'static str {
        GIVEN[self.namesake() % GIVEN.len()]
    }

    fn firm(&self) -> String {
        format!("Firma {}", self.namesake() % 40)
    }

    fn family(&self) -> String {
        let (first, second) = (self.namesake() / GIVEN.len(), self.namesake() / GIVEN.len() / FAMILY.len());
        format!("{}-{}", FAMILY[first % FAMILY.len()], FAMILY[second % FAMILY.len()])
    }

    /// Area code and number, as dialled in the country.
    fn number(&self) -> (&'static str, String) {
        (["30", "40", "89"][self.0 as usize % 3], format!("{}", 2_000_000 + self.0 * 7))
    }

    fn phone(&self, way: u32) -> String {
        let (area, number) = self.number();
        let (front, back) = number.split_at(3);
        match way % 6 {
            0 => format!("0{area} {number}"),
            1 => format!("+49 {area} {number}"),
            2 => format!("0{area}-{front}-{back}"),
            3 => format!("0049{area}{number}"),
            4 => format!("(0{area}) {front} {back}"),
            _ => format!("+49 (0){area}/{front}{back}"),
        }
    }

    fn email(&self) -> Option<String> {
        // Every third has none and is known by the phone alone.
        (!self.0.is_multiple_of(3)).then(|| format!("person{}@example.org", self.0))
    }

    fn label(&self, way: u32) -> &'static str {
        match (self.0 % 4, way % 3) {
            (0, _) => "Arbeit",
            (_, 0) => "Work",
            (_, 1) => "work",
            _ => "WORK",
        }
    }

    fn in_store(&self) -> Card {
        let mut card = Card::person();
        let person = as_person(&mut card);
        person.name.given = Some(self.given().to_owned());
        person.name.family = Some(self.family());
        person.organization = Some(OrganizationRef { id: None, name: self.firm() });
        person.job_title = self.is_known_better().then(|| "Leitung".to_owned());
        let label = Some(self.label(self.0).to_owned());
        card.emails.extend(self.email().map(|value| Email { value, label: label.clone(), primary: false }));
        card.phones.push(Phone { value: self.phone(self.0), label, primary: false });
        card.notes = self.is_known_better().then(|| format!("Notiz {}", self.0));
        card
    }

    fn in_google(&self) -> Value {
        let way = self.0 / 6 + 1;
        let label = self.label(way);
        let mut person = json!({
            "names": [{"givenName": self.given(), "familyName": self.family()}],
            "organizations": [{"name": self.firm()}],
            "phoneNumbers": [{"value": self.phone(way), "type": label}],
        });
        if self.is_known_better() {
            let (year, month, day) = (1950 + self.0 % 50, 1 + self.0 % 12, 1 + self.0 % 28);
            person["birthdays"] = json!([{"date": {"year": year, "month": month, "day": day}}]);
            let street = format!("Hauptstraße {}", self.0);
            person["addresses"] = json!([{"streetAddress": street, "city": "Berlin", "type": "home"}]);
        }
        if let Some(email) = self.email() {
            person["emailAddresses"] = json!([{"value": email.to_uppercase(), "type": label}]);
        }
        person
    }
}

/// Stores everybody in few commits, as an import does.
async fn fill_store(world: &World) -> BTreeMap<ContactId, u32> {
    let mut ids = BTreeMap::new();
    let mut writes = Vec::new();
    for number in 0..PEOPLE {
        let card = Somebody(number).in_store();
        let now = world.clock.now();
        let id = ContactId::new(now, world.entropy.next_u128());
        let mut version = VersionVector::new();
        version.tick(&ReplicaId::store(1));
        let fields = diff::changes(&Card::blank(card.kind()), &card);
        let change = Change {
            contact: id,
            at: now,
            actor: Actor::User,
            run: None,
            action: Action::Created,
            fields,
            conflicts: Vec::new(),
        };
        let touched = BTreeMap::new();
        let (created, updated, deleted, implicit) = (now, now, None, false);
        let contact = Contact { id, card, version, created, updated, deleted, touched, implicit };
        writes.push(Write::Contact(Box::new(ContactWrite { contact, expected: None, change })));
        ids.insert(id, number);
    }
    world.store.commit(Commit { fence: None, writes }).await.expect("stored");
    ids
}

#[tokio::test]
async fn two_books_of_six_thousand_identical_people_are_linked_without_a_creation() {
    let mut promise = promise();
    promise.home = "DE".parse().ok();
    let world = World::with(promise);
    world.by_hand(|user| user.create_group("Team").unwrap());
    let groups = ["contactGroups/myContacts".to_owned(), world.group_resource("Team")];
    let memberships: Vec<Value> =
        groups.iter().map(|group| json!({"contactGroupMembership": {"contactGroupResourceName": group}})).collect();
    world.by_hand(|user| {
        for number in 0..PEOPLE {
            let mut person = Somebody(number).in_google();
            person["memberships"] = json!(memberships);
            user.create(&person).expect("created");
        }
    });
    let ids = fill_store(&world).await;
    let summary = world.sync().await;
    assert_eq!((summary.pulled.created, summary.pushed.created), (0, 0), "{:?}", summary.outcome);
    assert_eq!((summary.parked, summary.conflicts, summary.failed.len()), (0, 0, 0), "{summary:?}");
    let people: BTreeMap<String, Value> = world
        .people()
        .into_iter()
        .map(|person| (person["resourceName"].as_str().expect("a name").to_owned(), person))
        .collect();
    assert_eq!(people.len(), PEOPLE as usize);
    let contacts: Vec<Contact> = world.contacts().await.into_iter().filter(|contact| !contact.implicit).collect();
    assert_eq!(contacts.len(), PEOPLE as usize);
    let mut links = BTreeMap::new();
    for chunk in ids.keys().copied().collect::<Vec<_>>().chunks(500) {
        let account = &world.promise.account;
        let found = world.store.links_of_contacts(account, chunk).await.expect("read");
        links.extend(found.into_iter().filter_map(|link| Some((link.contact?, link.remote?.to_string()))));
    }
    for contact in &contacts {
        let somebody = Somebody(ids[&contact.id]);
        assert_whole(&somebody, &contact.card, &people[&links[&contact.id]]);
    }
    // Whatever the first run had to wait for is done; from here on nothing is written any more.
    world.settle().await;
    let quiet = world.assert_quiet(Reach::Incremental).await;
    assert_eq!(quiet, calls(&[("contactGroups.list", 1), ("people.connections.list", 1)]));
    world.assert_no_violation();
}

/// Fails unless both sides have everything that either of them had, each number once, as each side spells it.
fn assert_whole(somebody: &Somebody, card: &Card, person: &Value) {
    let (ours, theirs) = (somebody.in_store(), somebody.in_google());
    let found = card.as_person().expect("a person");
    let wanted = ours.as_person().expect("a person");
    let (notes, title) = (&ours.notes, &wanted.job_title);
    assert_eq!((&found.name, &found.job_title, &card.notes), (&wanted.name, title, notes));
    let phones: Vec<&str> = card.phones.iter().map(|phone| phone.value.as_str()).collect();
    assert_eq!(phones, [somebody.phone(somebody.0).as_str()], "one number is one phone");
    assert_eq!(card.emails.len(), usize::from(somebody.email().is_some()));
    assert_eq!(
        found.birthday.map(|date| date.month()),
        theirs["birthdays"][0]["date"]["month"].as_u64().and_then(|month| u8::try_from(month).ok())
    );
    let streets: Vec<&str> = card.addresses.iter().filter_map(|address| address.street.as_deref()).collect();
    assert_eq!(streets.first().copied(), theirs["addresses"][0]["streetAddress"].as_str());
    assert_eq!(normal::label(card.phones[0].label.as_deref()), normal::label(Some(somebody.label(0))));

    let listed = |field: &str| person[field].as_array().cloned().unwrap_or_default();
    assert_eq!(listed("phoneNumbers").len(), 1, "{person}");
    assert_eq!(person["phoneNumbers"][0]["value"], theirs["phoneNumbers"][0]["value"], "as Google's user typed it");
    assert_eq!(listed("emailAddresses").len(), card.emails.len());
    let more = usize::from(somebody.is_known_better());
    assert_eq!((listed("birthdays").len(), listed("addresses").len(), streets.len()), (more, more, more));
    assert_eq!(person["biographies"][0]["value"].as_str(), notes.as_deref());
    assert_eq!(person["organizations"][0]["title"].as_str(), title.as_deref());
    let home = "DE".parse().ok();
    let theirs = person["phoneNumbers"][0]["value"].as_str().expect("a number");
    assert_eq!(dialling::number_key(phones[0], home), dialling::number_key(theirs, home));
}
