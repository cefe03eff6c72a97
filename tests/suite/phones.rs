//! One number, spelled in many ways: contacts that share it find each other, each side keeps its own spelling, and a later
//! edit of one side is an edit of that very number on the other.

use std::time::Duration;

use contactsync::domain::contact::Card;
use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::Direction;
use serde_json::{Value, json};

use crate::support::hands::values;
use crate::support::world::{World, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);
const NATIONAL: &str = "030 1234567";
const INTERNATIONAL: &str = "+49 30 1234567";

/// A contact that nothing but these numbers tells apart.
fn with_phones(numbers: &[&str]) -> Card {
    let mut card = person("Ada King");
    card.emails.clear();
    card.phones = numbers.iter().map(|number| phone(number)).collect();
    card
}

fn in_google(numbers: &[&str]) -> Value {
    let phones: Vec<Value> = numbers.iter().map(|number| json!({"value": number, "type": "work"})).collect();
    json!({"names": [{"givenName": "Ada", "familyName": "King"}], "phoneNumbers": phones})
}

/// An account with the group whose user lives in `region`, and a store whose home is `home`.
fn world(home: Option<&str>, region: &str) -> World {
    let mut promise = promise();
    promise.home = home.and_then(|code| code.parse().ok());
    let world = World::with(promise);
    world.switch(|settings| region.clone_into(&mut settings.region));
    world.by_hand(|user| user.create_group("Team").unwrap());
    world
}

fn numbers(card: &Card) -> Vec<&str> {
    card.phones.iter().map(|phone| phone.value.as_str()).collect()
}

/// Fails unless both sides have one Ada, linked.
async fn assert_one(world: &World, case: &str) {
    assert_eq!((world.people().len(), world.contacts().await.len()), (1, 1), "{case}");
}

#[tokio::test]
async fn contacts_that_share_a_number_are_linked_however_it_is_spelled() {
    for (home, region, ours, theirs) in [
        (Some("DE"), "US", NATIONAL, INTERNATIONAL),
        (Some("DE"), "US", INTERNATIONAL, NATIONAL),
        (Some("DE"), "US", "0049 (30) 123-45-67", NATIONAL),
        // Nobody told us where the store is at home, but Google knows where its user is.
        (None, "DE", INTERNATIONAL, NATIONAL),
        (None, "DE", "0049301234567", "030/1234567"),
        (Some("GB"), "US", "020 7946 0018", "+442079460018"),
    ] {
        let case = format!("{home:?} {region} {ours} {theirs}");
        let world = world(home, region);
        let id = world.add(with_phones(&[ours])).await;
        world.google_create(in_google(&[theirs]), &["Team"]);
        world.settle().await;
        assert_one(&world, &case).await;
        assert_eq!(numbers(&world.contact(id).await.card), [ours], "{case}");
        assert_eq!(values(&world.person("Ada King"), "phoneNumbers"), [theirs], "{case}");
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_number_that_google_spells_otherwise_is_not_sent_again_where_nothing_comes_back() {
    let mut world = world(Some("DE"), "US");
    world.promise.direction = Direction::ToRemote;
    let id = world.add(with_phones(&[NATIONAL, "040 7654321"])).await;
    world.google_create(in_google(&[INTERNATIONAL]), &["Team"]);
    world.settle().await;
    assert_eq!(values(&world.person("Ada King"), "phoneNumbers"), [INTERNATIONAL, "040 7654321"]);
    assert_eq!(numbers(&world.contact(id).await.card), [NATIONAL, "040 7654321"]);
}

#[tokio::test]
async fn without_a_region_a_national_number_is_nothing_but_its_digits() {
    let world = world(None, "US");
    world.add(with_phones(&[NATIONAL])).await;
    world.google_create(in_google(&[INTERNATIONAL]), &["Team"]);
    world.settle().await;
    assert_eq!((world.people().len(), world.contacts().await.len()), (2, 2));
}

/// Two numbers, each spelled differently on both sides and in another order, linked and at rest.
async fn linked() -> (World, ContactId) {
    let world = world(Some("DE"), "DE");
    let id = world.add(with_phones(&[NATIONAL, "040 7654321"])).await;
    world.google_create(in_google(&["+49 40 7654321", INTERNATIONAL]), &["Team"]);
    world.settle().await;
    assert_one(&world, "two numbers").await;
    world.advance(HOUR);
    (world, id)
}

#[tokio::test]
async fn a_number_taken_away_in_google_is_taken_away_in_the_store_and_no_other() {
    let (world, id) = linked().await;
    world.google_edit("Ada King", &json!({"phoneNumbers": [{"value": INTERNATIONAL, "type": "work"}]}));
    world.settle().await;
    assert_eq!(numbers(&world.contact(id).await.card), [NATIONAL]);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_number_relabelled_or_taken_away_in_the_store_is_so_in_google_and_no_other() {
    let (world, id) = linked().await;
    world.edit(id, |card| card.phones[0].label = Some("home".to_owned())).await;
    world.settle().await;
    let found = world.person("Ada King");
    let phones = found["phoneNumbers"].as_array().expect("phones");
    let told: Vec<_> = phones.iter().map(|phone| (phone["value"].as_str(), phone["type"].as_str())).collect();
    assert_eq!(
        told,
        [(Some("+49 40 7654321"), Some("work")), (Some(INTERNATIONAL), Some("home"))],
        "neither rewritten nor doubled"
    );
    world.edit(id, |card| _ = card.phones.remove(1)).await;
    world.settle().await;
    assert_eq!(values(&world.person("Ada King"), "phoneNumbers"), [INTERNATIONAL]);
    assert_eq!(numbers(&world.contact(id).await.card), [NATIONAL]);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn what_google_takes_a_number_for_is_never_sent() {
    let (world, id) = linked().await;
    world.edit(id, |card| card.phones.push(phone("089 1112223"))).await;
    world.settle().await;
    assert_eq!(
        values(&world.person("Ada King"), "phoneNumbers"),
        [INTERNATIONAL, "+49 40 7654321", "089 1112223"],
        "a new number goes as it is typed"
    );
    world.assert_no_violation();
}

#[tokio::test]
async fn a_stranger_is_found_by_a_number_however_it_is_spelled() {
    for (home, region, ours, theirs) in [
        (Some("DE"), "US", INTERNATIONAL, NATIONAL),
        (Some("DE"), "US", NATIONAL, INTERNATIONAL),
        (None, "DE", INTERNATIONAL, NATIONAL),
    ] {
        let world = world(home, region);
        let resource = world.google_create(in_google(&[theirs]), &[]);
        world.sync().await;
        let id = world.add(with_phones(&[ours])).await;
        world.settle().await;
        assert_one(&world, &format!("{home:?} {region} {ours}")).await;
        assert_eq!(world.link(id).await.remote.map(|remote| remote.to_string()), Some(resource));
        world.assert_at_rest().await;
    }
}

/// What the store and the hashes of strangers were indexed under before is found under the new setting.
#[tokio::test]
async fn another_region_counts_from_the_next_run_for_what_was_stored_before() {
    let mut world = world(None, "US");
    world.promise.pairs[0].labels = vec!["Customer".to_owned()];
    let stranger = world.google_create(in_google(&[NATIONAL]), &[]);
    let grace = json!({"names": [{"givenName": "Grace", "familyName": "Hopper"}],
        "phoneNumbers": [{"value": "+49 40 7654321"}]});
    let suitor = world.add(with_phones(&[INTERNATIONAL])).await;
    let mut known = person("Grace Hopper");
    known.emails.clear();
    known.phones.push(phone("040 7654321"));
    let known = world.add(known).await;
    world.settle().await;
    world.advance(HOUR);
    world.promise.home = "DE".parse().ok();
    world.settings = "two".to_owned();
    for id in [suitor, known] {
        world.edit(id, |card| card.labels = ["Customer".to_owned()].into()).await;
    }
    world.google_create(grace, &["Team"]);
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"]);
    assert_eq!(world.link(suitor).await.remote.map(|remote| remote.to_string()), Some(stranger));
    assert_eq!(world.link(known).await.state, LinkState::Bound);
    world.assert_at_rest().await;
}
