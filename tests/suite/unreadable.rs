//! One contact that cannot be read holds up itself and nobody else, and nothing is concluded from it.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::run::AccountSummary;
use contactsync::emulator::fault::FaultKind;
use serde_json::{Value, json};

use crate::support::world::{World, person};

const HOUR: Duration = Duration::from_secs(3600);
const LIST: &str = "people.connections.list";

async fn book() -> World {
    let world = World::new();
    for name in ["Ada King", "Alan Turing", "Grace Hopper"] {
        world.add(person(name)).await;
    }
    world.settle().await;
    world.advance(HOUR);
    world
}

fn answer(body: &Value) -> FaultKind {
    FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body: body.to_string() }
}

/// Direct reads of this contact show somebody's profile, and no contact.
fn make_unreadable(world: &World, name: &str) {
    let profile = json!({"resourceName": name, "metadata": {"sources": [{"type": "PROFILE", "id": "2"}]}});
    let responses = json!({"responses": [{"requestedResourceName": name, "person": profile}]});
    world.strike_always("people.getBatchGet", answer(&responses));
    world.strike_always("people.get", answer(&profile));
}

/// Somebody is edited in the store, and the run carries it while it leaves alone whom it cannot read.
async fn assert_goes_on(world: &World, unreadable: &str) -> AccountSummary {
    let grace = world.by_name("Grace Hopper").await.id;
    world.edit(grace, |card| card.notes = Some("Admiral".to_owned())).await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Parked, "{summary:?}");
    let failed: Vec<&str> = summary.failed.iter().map(|failure| failure.contact.as_str()).collect();
    assert!(failed.len() == 1 && failed[0].contains(unreadable), "{failed:?}");
    assert_eq!(world.person("Grace Hopper")["biographies"][0]["value"], "Admiral", "the others go on");
    summary
}

#[tokio::test]
async fn what_cannot_be_read_is_not_deleted_in_google_until_it_can() {
    let world = book().await;
    let (ada, name) = (world.by_name("Ada King").await.id, world.resource("Ada King"));
    world.delete(ada).await;
    make_unreadable(&world, &name);
    assert_goes_on(&world, &name).await;
    assert!(world.has_person("Ada King"));
    world.calm();
    world.settle().await;
    assert!(!world.has_person("Ada King"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn what_is_not_listed_and_cannot_be_read_is_not_gone() {
    let world = book().await;
    let (ada, name) = (world.by_name("Ada King").await.id, world.resource("Ada King"));
    world.google_delete("Ada King");
    make_unreadable(&world, &name);
    for _ in 0..2 {
        world.advance(HOUR);
        assert_goes_on(&world, &name).await;
        assert!(world.contact(ada).await.is_live());
    }
    world.calm();
    world.settle().await;
    assert!(!world.contact(ada).await.is_live());
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_that_may_be_a_stranger_who_cannot_be_read_waits() {
    let world = book().await;
    let mail = json!([{"value": "katherine.johnson@example.org"}]);
    let katherine = json!({"names": [{"givenName": "Katherine", "familyName": "Johnson"}], "emailAddresses": mail});
    let name = world.google_create(katherine, &[]);
    world.sync().await;
    world.add(person("Katherine Johnson")).await;
    make_unreadable(&world, &name);
    assert_goes_on(&world, &name).await;
    assert_eq!(world.people().len(), 4, "nobody is created");
    world.calm();
    world.settle().await;
    assert_eq!(world.people().len(), 4, "joined to the group");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_page_of_changes_with_somebody_unreadable_is_read_again() {
    let world = book().await;
    world.google_edit("Alan Turing", &json!({"nicknames": [{"value": "Prof"}]}));
    world.strike(LIST, answer(&json!({"connections": [{"names": []}], "nextSyncToken": "odd"})));
    assert_goes_on(&world, "entry 1").await;
    let summary = world.sync().await;
    assert_eq!(
        (summary.outcome, summary.pulled.updated),
        (Outcome::Done, 1),
        "the token stayed where it was: {summary:?}"
    );
    world.assert_equal().await;
}

#[tokio::test]
async fn a_full_listing_with_somebody_unreadable_shows_nobody_absent() {
    let world = book().await;
    world.expire_tokens();
    let odd = json!({"connections": [{"names": []}], "nextSyncToken": "odd", "totalItems": 1});
    world.strike("people.connections.list:full", answer(&odd));
    world.count_anew();
    assert_goes_on(&world, "entry 1").await;
    assert!(!world.api_calls().contains_key("people.getBatchGet"), "nobody is even suspected");
    world.advance(HOUR);
    world.settle().await;
    world.assert_equal().await;
}
