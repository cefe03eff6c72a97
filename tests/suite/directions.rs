//! One-way accounts: the side that is only read gets no write at all.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::contact::{Card, OrganizationRef};
use contactsync::domain::id::ContactId;
use contactsync::domain::pair::{Direction, Promise};
use contactsync::emulator::{ReturnName, User};
use serde_json::json;

use crate::support::hands::first;
use crate::support::world::{World, as_person, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);

fn one_way(direction: Direction) -> Promise {
    Promise { direction, ..promise() }
}

/// A store with Ada and Grace and a group with Emmy and with Grace too, never synchronized.
async fn unmet(direction: Direction) -> World {
    let world = World::with(one_way(direction));
    world.by_hand(|user: &mut User<'_>| user.create_group("Team").unwrap());
    world.add(person("Ada King")).await;
    world.add(person("Grace Hopper")).await;
    world.google_create(json!({"names": [{"givenName": "Emmy", "familyName": "Noether"}]}), &["Team"]);
    let grace = json!({"names": [{"givenName": "Grace", "familyName": "Hopper"}],
        "emailAddresses": [{"value": "grace.hopper@example.org"}], "biographies": [{"value": "from Google"}]});
    world.google_create(grace, &["Team"]);
    world
}

/// Ada is on both sides and equal.
async fn met(direction: Direction) -> (World, ContactId) {
    let mut world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.advance(HOUR);
    world.promise = one_way(direction);
    world.settings = "one-way".to_owned();
    (world, ada)
}

async fn store_version(world: &World) -> u64 {
    world.store.feed_end().await.unwrap()
}

#[tokio::test]
async fn to_google_writes_nothing_into_the_store() {
    let world = unmet(Direction::ToRemote).await;
    let before = store_version(&world).await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    world.settle().await;
    assert_eq!(store_version(&world).await, before);
    assert_eq!(world.google_names(), ["Ada King", "Emmy Noether", "Grace Hopper"], "Grace is joined, not doubled");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn to_google_carries_edits_and_deletions_one_way() {
    let (world, ada) = met(Direction::ToRemote).await;
    let grace = world.add(person("Grace Hopper")).await;
    world.settle().await;
    world.edit(ada, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    let before = store_version(&world).await;
    world.settle().await;
    assert_eq!(first(&world.person("Ada King"), "phoneNumbers", "value"), Some("+44 20 7946 0000"));
    assert_eq!(first(&world.person("Ada King"), "nicknames", "value"), Some("Countess"), "it is left alone");
    assert!(as_person(&mut world.contact(ada).await.card).nicknames.is_empty());
    assert_eq!(store_version(&world).await, before);

    world.google_delete("Ada King");
    world.delete(grace).await;
    let before = store_version(&world).await;
    world.settle().await;
    assert!(world.contact(ada).await.is_live(), "a deletion there does not reach the store");
    assert!(world.google_names().is_empty(), "a deletion here reaches Google");
    assert_eq!(store_version(&world).await, before);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn to_google_a_contact_taken_out_of_the_group_leaves_the_store_as_it_is() {
    let (world, ada) = met(Direction::ToRemote).await;
    let before = store_version(&world).await;
    world.google_unlabel("Ada King", "Team");
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    assert_eq!(store_version(&world).await, before);
    world.assert_at_rest().await;
}

// Without the label of the pair, with a company that the store knows as a text only, and an organization that only a
// person names: reasons for a two-way account to write into the store.
#[tokio::test]
async fn to_google_a_first_meeting_leaves_the_store_as_it_is() {
    let mut promise = one_way(Direction::ToRemote);
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    let world = World::with(promise);
    world.by_hand(|user: &mut User<'_>| user.create_group("Team").unwrap());
    let mut ada = person("Ada King");
    as_person(&mut ada).organization = Some(OrganizationRef { id: None, name: "Example GmbH".to_owned() });
    world.add(ada).await;
    let ada = json!({"names": [{"givenName": "Ada", "familyName": "King"}],
        "emailAddresses": [{"value": "ada.king@example.org"}], "organizations": [{"name": "Elsewhere"}]});
    world.google_create(ada, &["Team"]);
    let before = store_version(&world).await;
    world.settle().await;
    assert_eq!(store_version(&world).await, before);
    assert_eq!(world.people().len(), 1);
    assert_eq!(first(&world.person("Ada King"), "organizations", "name"), Some("Example GmbH"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn to_google_a_deletion_in_the_store_outlives_an_edit_in_google() {
    let (world, ada) = met(Direction::ToRemote).await;
    world.delete(ada).await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "from Google"}]}));
    let before = store_version(&world).await;
    world.settle().await;
    assert!(world.google_names().is_empty());
    assert_eq!(store_version(&world).await, before);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn from_google_writes_nothing_to_google() {
    let world = unmet(Direction::FromRemote).await;
    world.add(Card::organization("Acme Ltd")).await;
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    world.settle().await;
    assert_eq!(world.write_calls(), 0);
    assert_eq!(world.store_names().await, ["Acme Ltd", "Ada King", "Emmy Noether", "Grace Hopper"]);
    assert_eq!(world.by_name("Grace Hopper").await.card.notes.as_deref(), Some("from Google"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn from_google_carries_edits_and_deletions_one_way() {
    let (world, ada) = met(Direction::FromRemote).await;
    world.edit(ada, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    world.count_anew();
    world.settle().await;
    let mut card = world.contact(ada).await.card;
    assert_eq!(card.phones.len(), 1, "the store keeps its own edit");
    assert_eq!(as_person(&mut card).nicknames, ["Countess"]);
    world.add(person("Grace Hopper")).await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King"]);
    assert_eq!(world.write_calls(), 0);

    world.delete(ada).await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King"], "a deletion here does not reach Google");
    assert_eq!(world.write_calls(), 0);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn from_google_a_deletion_there_reaches_the_store() {
    let (world, ada) = met(Direction::FromRemote).await;
    world.google_delete("Ada King");
    world.settle().await;
    assert!(!world.contact(ada).await.is_live());
    world.assert_at_rest().await;
}

// The contact had outlived its record. Nothing is made in its stead there, so what comes back is the only record there is.
#[tokio::test]
async fn from_google_a_record_that_comes_back_to_a_contact_that_was_kept_stays() {
    let (world, ada) = met(Direction::FromRemote).await;
    world.settle().await;
    world.advance(HOUR);
    let record = world.resource("Ada King");
    world.google_delete("Ada King");
    world.edit(ada, |card| card.notes = Some("kept".to_owned())).await;
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    world.advance(HOUR);
    world.by_hand(|user| user.restore(&record, ReturnName::Same).unwrap());
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    world.count_anew();
    world.settle().await;
    assert_eq!((world.google_names(), world.write_calls()), (vec!["Ada King".to_owned()], 0));
    assert_eq!(as_person(&mut world.contact(ada).await.card).nicknames, ["Countess"], "it is linked again");
    assert_eq!(world.store_names().await, ["Ada King"]);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn from_google_does_not_take_contacts_out_of_groups() {
    let (mut world, ada) = met(Direction::FromRemote).await;
    world.promise.pairs[0].labels = vec!["Customer".to_owned()];
    world.settings = "labels".to_owned();
    world.edit(ada, |card| _ = card.labels.insert("Customer".to_owned())).await;
    world.settle().await;
    world.edit(ada, |card| card.labels.clear()).await;
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0);
    assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"]);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn from_google_a_missing_group_is_named_and_not_created() {
    let world = World::with(one_way(Direction::FromRemote));
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, world.write_calls()), (Outcome::Failed, 0), "{summary:?}");
    assert!(summary.error.as_deref().unwrap().contains("\"Team\""), "{summary:?}");
}

// What the store had to say while the account was one-way goes out once it is two-way again.
#[tokio::test]
async fn an_account_that_becomes_two_way_again_catches_up() {
    let (mut world, ada) = met(Direction::FromRemote).await;
    world.edit(ada, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.add(person("Grace Hopper")).await;
    world.settle().await;
    world.promise = promise();
    world.settings = "two-way".to_owned();
    world.settle().await;
    assert_eq!(first(&world.person("Ada King"), "phoneNumbers", "value"), Some("+44 20 7946 0000"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// What Google had to say while the account was one-way comes in once it is two-way again, whatever the store pushed
// meanwhile: each side keeps what it alone changed.
#[tokio::test]
async fn edits_in_google_of_the_one_way_time_come_in_once_the_account_is_two_way_again() {
    let (mut world, ada) = met(Direction::ToRemote).await;
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}], "biographies": [{"value": "Google"}]}));
    world.settle().await;
    world.edit(ada, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.edit(ada, |card| card.notes = Some("store".to_owned())).await;
    world.settle().await;
    let both = [json!({"value": "+44 20 7946 0000"}), json!({"value": "+44 20 7946 0001"})];
    world.google_edit("Ada King", &json!({"phoneNumbers": both}));
    world.settle().await;
    world.edit(ada, |card| as_person(card).job_title = Some("CTO".to_owned())).await;
    world.settle().await;
    let mut card = world.contact(ada).await.card;
    assert!(as_person(&mut card).nicknames.is_empty() && card.phones.len() == 1);
    world.assert_at_rest().await;

    world.promise = promise();
    world.settings = "two-way".to_owned();
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0, "everything else is in Google already");
    let mut card = world.contact(ada).await.card;
    assert_eq!(as_person(&mut card).nicknames, ["Countess"]);
    assert_eq!((card.phones.len(), card.notes.as_deref()), (2, Some("store")));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn what_google_had_of_its_own_at_a_one_way_meeting_comes_in_once_the_account_is_two_way() {
    let mut world = unmet(Direction::ToRemote).await;
    world.settle().await;
    assert_eq!(world.by_name("Grace Hopper").await.card.notes, None);
    let grace = world.by_name("Grace Hopper").await.id;
    world.edit(grace, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.settle().await;
    world.promise = promise();
    world.settings = "two-way".to_owned();
    world.settle().await;
    let card = world.contact(grace).await.card;
    assert_eq!((card.notes.as_deref(), card.phones.len(), card.emails.len()), (Some("from Google"), 1, 1));
    assert_eq!(first(&world.person("Grace Hopper"), "biographies", "value"), Some("from Google"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Neither what the store removed nor what Google removed in the one-way time comes back.
#[tokio::test]
async fn values_removed_in_the_one_way_time_stay_removed_once_the_account_is_two_way_again() {
    let mut world = World::new();
    let mut ada = person("Ada King");
    ada.phones = vec![phone("+44 20 7946 0001"), phone("+44 20 7946 0002"), phone("+44 20 7946 0003")];
    let ada = world.add(ada).await;
    world.settle().await;
    world.promise = one_way(Direction::ToRemote);
    world.settings = "one-way".to_owned();
    world.advance(HOUR);
    let left = [json!({"value": "+44 20 7946 0001"}), json!({"value": "+44 20 7946 0003"})];
    world.google_edit("Ada King", &json!({"phoneNumbers": left}));
    world.settle().await;
    world.edit(ada, |card| card.phones.retain(|phone| !phone.value.ends_with('3'))).await;
    world.settle().await;
    world.promise = promise();
    world.settings = "two-way".to_owned();
    world.settle().await;
    let phones: Vec<String> = world.contact(ada).await.card.phones.into_iter().map(|phone| phone.value).collect();
    assert_eq!(phones, ["+44 20 7946 0001"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}
