//! What other products did to their users, one test for each that is told nowhere else.
//!
//! The rest of them: an empty listing, one that shows less than it counts, tokens that died (`tokens`); a new contact
//! that is not listed yet, a deleted one that still is (`deletions`, `recovery`); HTML where JSON belongs (`refusals`,
//! `wild`); somebody taken out of a group and nothing else (`members`); a narrowed selection, and a guard that trips
//! (`groups`, `guards`); two daemons on one store (`process::daemon`); persons that share an address (`identity`).

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::contact::{Card, Email};
use contactsync::domain::pair::Promise;
use contactsync::domain::policy::ConflictPolicy;
use contactsync::emulator::FormerName;
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::Feed;
use contactsync::engine::Reach;
use serde_json::{Value, json};

use crate::support::hands::{first, values};
use crate::support::world::{World, as_person, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);
const LIST: &str = "people.connections.list";

/// So many persons on both sides, at rest.
async fn book(count: usize) -> World {
    let world = World::new();
    for number in 0..count {
        let mut card = person(&format!("Number {number}"));
        card.phones.push(phone(&format!("+49 30 {:07}", 1_000_000 + number)));
        world.add(card).await;
    }
    world.settle().await;
    world.advance(HOUR);
    world.sync().await;
    world
}

fn json_answer(body: &Value) -> FaultKind {
    FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body: body.to_string() }
}

// A full listing ends after 1,500 of 2,400 contacts, with a token, as if that were all.
#[tokio::test]
async fn a_list_cut_at_1500_of_2400_deletes_nobody() {
    let world = book(2_400).await;
    let connections: Vec<Value> = world.people().into_iter().take(1_500).collect();
    let cut = json!({"connections": connections, "totalItems": 2_400, "nextSyncToken": "odd"});
    world.strike(LIST, json_answer(&cut));
    world.count_anew();
    let summary = world.sync_in_full().await;
    assert_eq!((summary.pulled.total(), summary.pushed.total()), (0, 0), "{summary:?}");
    assert_eq!(world.write_calls(), 0);
    world.advance(HOUR);
    world.settle().await;
    assert_eq!((world.google_names().len(), world.store_names().await.len()), (2_400, 2_400));
}

#[tokio::test]
async fn ten_runs_keep_the_same_count_on_both_sides() {
    let world = book(25).await;
    for round in 0..10 {
        world.advance(HOUR * 5);
        let reach = if round % 4 == 3 { Reach::Full } else { Reach::Incremental };
        world.assert_quiet(reach).await;
        assert_eq!((world.google_names().len(), world.store_names().await.len()), (25, 25), "run {round}");
    }
}

// The service touches every contact without changing any.
#[tokio::test]
async fn four_thousand_phantom_updates_write_nothing() {
    let world = book(4_000).await;
    for person in world.people() {
        let name = person["resourceName"].as_str().unwrap().to_owned();
        world.by_hand(|user| user.bump_etag(&name).unwrap());
    }
    let calls = world.assert_quiet(Reach::Incremental).await;
    assert_eq!(calls[LIST], 4, "{calls:?}");
    world.assert_quiet(Reach::Incremental).await;
}

#[tokio::test]
async fn a_run_that_dies_between_two_pages_goes_on_where_it_was() {
    let world = World::new();
    world.sync().await;
    for number in 0..2_500 {
        world.google_create(json!({"names": [{"givenName": format!("Number {number}")}]}), &["Team"]);
    }
    world.emulator().faults_mut().push(contactsync::emulator::fault::Fault {
        method: LIST.to_owned(),
        account: None,
        skip: 1,
        times: Some(5),
        permille: 1_000,
        kind: FaultKind::Drop,
    });
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.created), (Outcome::Unreachable, 0), "{summary:?}");
    world.advance(HOUR);
    assert_eq!(world.sync().await.pulled.created, 2_500);
    world.settle().await;
    assert_eq!((world.google_names().len(), world.store_names().await.len()), (2_500, 2_500));
}

#[tokio::test]
async fn a_contact_without_any_name_travels_in_both_directions() {
    let world = World::new();
    let mut nameless = Card::person();
    nameless.phones.push(phone("+44 20 7946 0000"));
    let id = world.add(nameless).await;
    world.sync().await;
    world.google_create(json!({"emailAddresses": [{"value": "nobody@example.org"}]}), &["Team"]);
    world.settle().await;
    let people = world.people();
    assert_eq!(people.len(), 2);
    assert!(people.iter().any(|person| values(person, "phoneNumbers") == ["+44 20 7946 0000"]), "{people:?}");
    let stored = world.contacts().await;
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().any(|contact| contact.card.emails.iter().any(|email| email.value == "nobody@example.org")));
    world.edit(id, |card| card.notes = Some("still without a name".to_owned())).await;
    world.settle().await;
    world.assert_equal().await;
}

#[tokio::test]
async fn of_ten_custom_fields_the_one_edited_changes() {
    let world = World::new();
    let mut ada = person("Ada King");
    ada.custom.extend((0..10).map(|number| (format!("Field {number}"), format!("value {number}"))));
    let id = world.add(ada).await;
    world.settle().await;
    let custom = || world.person("Ada King")["userDefined"].as_array().cloned().unwrap_or_default();
    let before = custom();
    world.edit(id, |card| _ = card.custom.insert("Field 4".to_owned(), "changed".to_owned())).await;
    world.settle().await;
    let after = custom();
    assert_eq!((before.len(), after.len()), (10, 10));
    let changed: Vec<&Value> = after.iter().filter(|item| !before.contains(item)).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!((&changed[0]["key"], &changed[0]["value"]), (&json!("Field 4"), &json!("changed")));
    world.assert_equal().await;
}

#[tokio::test]
async fn a_birthday_keeps_what_it_is_with_or_without_a_year_and_on_a_leap_day() {
    let world = World::new();
    for (name, day) in [("Ada", "--12-10"), ("Grace", "--02-29"), ("Alan", "1912-06-23"), ("Emmy", "1884-02-29")] {
        let mut card = person(name);
        as_person(&mut card).birthday = day.parse().ok();
        assert!(as_person(&mut card).birthday.is_some(), "{day}");
        world.add(card).await;
    }
    world.settle().await;
    let date = |name: &str| world.person(name)["birthdays"][0]["date"].clone();
    assert_eq!(date("Ada"), json!({"month": 12, "day": 10}));
    assert_eq!(date("Grace"), json!({"month": 2, "day": 29}));
    assert_eq!(date("Emmy"), json!({"year": 1884, "month": 2, "day": 29}));
    world.google_edit("Grace", &json!({"biographies": [{"value": "edited"}]}));
    world.settle().await;
    let grace = world.by_name("Grace").await;
    assert_eq!(grace.card.as_person().unwrap().birthday.map(|day| day.to_string()).as_deref(), Some("--02-29"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// No policy needs a second run, and none takes turns.
#[tokio::test]
async fn a_conflict_is_settled_in_one_run() {
    for (conflict, winner) in [
        (ConflictPolicy::Store, "from the store"),
        (ConflictPolicy::Remote, "from Google"),
        (ConflictPolicy::Newest, "from Google"),
    ] {
        let world = World::with(Promise { conflict, ..promise() });
        let ada = world.add(person("Ada King")).await;
        world.settle().await;
        world.advance(HOUR);
        world.edit(ada, |card| card.notes = Some("from the store".to_owned())).await;
        world.advance(HOUR);
        world.google_edit("Ada King", &json!({"biographies": [{"value": "from Google"}]}));
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 1), "{conflict:?}: {summary:?}");
        assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some(winner), "{conflict:?}");
        assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some(winner), "{conflict:?}");
        world.assert_quiet(Reach::Incremental).await;
    }
}

#[tokio::test]
async fn no_address_is_not_the_same_as_no_address() {
    let world = World::new();
    world.sync().await;
    world.add(person("Ada")).await;
    world.google_create(json!({"names": [{"givenName": "Grace"}]}), &["Team"]);
    world.google_create(json!({"organizations": [{"name": "Example GmbH"}]}), &["Team"]);
    world.add(Card::organization("Acme Ltd")).await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Acme Ltd", "Ada", "Example GmbH", "Grace"]);
    assert_eq!(world.store_names().await, ["Acme Ltd", "Ada", "Example GmbH", "Grace"]);
}

// The address that linked the two is removed, on one side and then on the other: they stay linked, and nobody is doubled.
#[tokio::test]
async fn an_address_emptied_after_linking_leaves_the_link_alone() {
    let world = World::new();
    world.sync().await;
    let mail = json!({"names": [{"givenName": "Ada"}], "emailAddresses": [{"value": "ada@example.org"}]});
    world.google_create(mail, &["Team"]);
    let mut ada = person("Ada");
    ada.emails.push(Email { value: "ada@example.org".to_owned(), label: None, primary: true });
    let id = world.add(ada).await;
    world.settle().await;
    let remote = world.link(id).await.remote;
    world.edit(id, |card| card.emails.clear()).await;
    world.settle().await;
    assert!(values(&world.person("Ada"), "emailAddresses").is_empty());
    world.google_edit("Ada", &json!({"biographies": [{"value": "still linked"}]}));
    world.settle().await;
    assert_eq!((world.link(id).await.remote, world.contacts().await.len()), (remote, 1));
    assert_eq!(world.contact(id).await.card.notes.as_deref(), Some("still linked"));
}

// Google gave 60 of 100 contacts other names, and lists the old ones as deleted. Nobody was.
#[tokio::test]
async fn sixty_of_a_hundred_ids_that_change_trip_no_guard() {
    let world = book(100).await;
    for number in 0..60 {
        let name = world.resource(&format!("Number {number}"));
        world.by_hand(|user| user.rename(&name, FormerName::Gone, Feed::Shown).unwrap());
    }
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Done, 0), "{summary:?}");
    assert_eq!((summary.pulled.deleted, summary.pushed.total(), world.write_calls()), (0, 0, 0), "{summary:?}");
    assert_eq!((world.google_names().len(), world.store_names().await.len()), (100, 100));
    world.assert_at_rest().await;
}
