//! Contacts about to be created that may be somebody outside the group: what is in doubt waits, for nothing, and only as
//! long as the doubt lasts.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::id::ContactId;
use contactsync::emulator::User;
use serde_json::json;

use crate::support::effort::calls;
use crate::support::world::{World, person, promise};

const HOUR: Duration = Duration::from_secs(3600);
const ADDRESS: &str = "ada.king@example.org";

fn stranger(world: &World, family: &str) -> String {
    let person = json!({"names": [{"givenName": "Ada", "familyName": family}], "emailAddresses": [{"value": ADDRESS}]});
    world.google_create(person, &[])
}

/// Two strangers and a contact that either of them could be; it waits.
async fn doubt() -> (World, ContactId) {
    let world = World::new();
    world.by_hand(|user: &mut User<'_>| user.create_group("Team").unwrap());
    for family in ["King", "Lovelace"] {
        stranger(&world, family);
    }
    world.sync().await;
    let ada = world.add(person("Ada King")).await;
    world.settle_but(Outcome::Parked).await;
    world.advance(HOUR);
    (world, ada)
}

#[tokio::test]
async fn a_doubt_that_stands_costs_no_call() {
    let (world, ada) = doubt().await;
    for _ in 0..2 {
        world.count_anew();
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.parked), (Outcome::Parked, 1), "{summary:?}");
        assert_eq!(world.api_calls(), calls(&[("contactGroups.list", 1), ("people.connections.list", 1)]));
    }
    assert_eq!(world.link(ada).await.remote, None);
}

#[tokio::test]
async fn a_contact_goes_on_when_one_of_the_strangers_it_could_be_is_gone() {
    let (world, _) = doubt().await;
    world.google_delete("Ada Lovelace");
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King"], "it is joined to the one that is left");
    assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_goes_on_when_the_strangers_it_could_be_are_gone_or_somebody_else() {
    let (world, _) = doubt().await;
    world.google_delete("Ada Lovelace");
    world.google_edit("Ada King", &json!({"emailAddresses": [{"value": "another@example.org"}]}));
    world.settle().await;
    world.assert_equal_within_group().await;
    assert_eq!(world.people().len(), 2, "a record of its own beside the one that is somebody else");
    world.assert_at_rest().await;
}

// Far apart in the store, so that they are not looked at in one go.
#[tokio::test]
async fn of_two_contacts_that_claim_one_stranger_neither_gets_it_until_one_gives_up() {
    for between in [0, 450] {
        let world = World::new();
        world.by_hand(|user: &mut User<'_>| user.create_group("Team").unwrap());
        let resource = stranger(&world, "King");
        world.sync().await;
        world.add(person("Ada King")).await;
        for number in 0..between {
            world.add(person(&format!("Person {number:04}"))).await;
        }
        let mut other = person("Ada Lovelace");
        other.emails[0].value = ADDRESS.to_owned();
        let other = world.add(other).await;
        world.settle_but(Outcome::Parked).await;
        assert_eq!(world.people().len(), 1 + between, "neither is joined nor created");
        world.edit(other, |card| card.emails[0].value = "lovelace@example.org".to_owned()).await;
        world.settle().await;
        assert_eq!(world.resource("Ada King"), resource);
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

/// As [`doubt`], for a contact that a label selects.
async fn doubt_by_label() -> (World, ContactId) {
    let mut promise = promise();
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    let world = World::with(promise);
    world.by_hand(|user: &mut User<'_>| user.create_group("Team").unwrap());
    for family in ["King", "Lovelace"] {
        stranger(&world, family);
    }
    world.sync().await;
    let mut card = person("Ada King");
    card.labels.insert("Customer".to_owned());
    let ada = world.add(card).await;
    world.settle_but(Outcome::Parked).await;
    world.advance(HOUR);
    (world, ada)
}

#[tokio::test]
async fn a_contact_in_doubt_that_is_no_longer_selected_parks_nothing_and_gets_no_stranger() {
    let (world, ada) = doubt_by_label().await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "private"}]}));
    world.edit(ada, |card| card.labels.clear()).await;
    world.settle().await;
    world.google_delete("Ada Lovelace");
    world.settle().await;
    let contact = world.contact(ada).await;
    assert_eq!((contact.card.notes, world.link(ada).await.remote), (None, None));
    assert_eq!(world.groups_of("Ada King"), ["myContacts"]);
    world.edit(ada, |card| card.labels = ["Customer".to_owned()].into()).await;
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"], "selected again, it is met again");
}
