//! Change tokens: what a listing costs, when everything is listed anew, and that a listing proves nothing by silence.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::id::ChangeToken;
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::ExpiredSyncToken;
use contactsync::engine::Reach;
use contactsync::store::{Commit, Write};
use serde_json::json;

use crate::support::effort::calls;
use crate::support::hands::first;
use crate::support::world::{World, person, phone};

const DAY: Duration = Duration::from_secs(24 * 3600);
const LIST: &str = "people.connections.list";
const GROUPS: &str = "contactGroups.list";

/// Persons, an organization and a stranger, on both sides, at rest.
async fn book() -> World {
    let world = World::new();
    for name in ["Ada King", "Grace Hopper", "Alan Turing"] {
        world.add(person(name)).await;
    }
    world.add(contactsync::domain::contact::Card::organization("Example GmbH")).await;
    world.sync().await;
    world.google_create(json!({"names": [{"givenName": "Emmy"}], "organizations": [{"name": "Uni"}]}), &["Team"]);
    world.google_create(json!({"names": [{"givenName": "Stranger"}]}), &[]);
    world.settle().await;
    world.assert_equal_within_group().await;
    world
}

/// Gives the account another change token.
async fn plant(world: &World, edit: impl FnOnce(&mut contactsync::domain::account::AccountState)) {
    let mut state = world.store.account(&world.promise.account).await.unwrap().unwrap();
    edit(&mut state);
    let writes = vec![Write::Account(Box::new(state))];
    world.store.commit(Commit { fence: None, writes }).await.unwrap();
}

fn full_listings(world: &World) -> u64 {
    world.emulator().counters().method(LIST).full_pulls
}

#[tokio::test]
async fn an_idle_run_is_two_calls() {
    let world = book().await;
    for _ in 0..3 {
        world.advance(Duration::from_secs(300));
        assert_eq!(world.assert_quiet(Reach::Incremental).await, calls(&[(LIST, 1), (GROUPS, 1)]));
    }
}

#[tokio::test]
async fn a_full_listing_of_a_quiet_book_changes_nothing() {
    let world = book().await;
    assert_eq!(world.assert_quiet(Reach::Full).await, calls(&[(LIST, 1), (GROUPS, 1)]));
    assert_eq!(full_listings(&world), 1);
    world.assert_quiet(Reach::Incremental).await;
}

#[tokio::test]
async fn an_expired_token_costs_one_full_listing_and_no_write() {
    for answer in [ExpiredSyncToken::FailedPrecondition, ExpiredSyncToken::InvalidArgument, ExpiredSyncToken::Gone] {
        let world = book().await;
        world.switch(|settings| settings.expired_sync_token = answer);
        world.advance(Duration::from_secs(3600));
        world.expire_tokens();
        let made = world.assert_quiet(Reach::Incremental).await;
        assert_eq!(full_listings(&world), 1, "{answer:?}");
        assert_eq!((made[LIST], made[GROUPS]), (2, 1), "{answer:?}: {made:?}");
        assert_eq!(world.assert_quiet(Reach::Incremental).await, calls(&[(LIST, 1), (GROUPS, 1)]));
    }
}

#[tokio::test]
async fn a_garbage_token_costs_one_full_listing_and_no_write() {
    let world = book().await;
    world.advance(Duration::from_secs(3600));
    plant(&world, |state| state.contacts.as_mut().unwrap().token = ChangeToken::new("garbage")).await;
    world.assert_quiet(Reach::Incremental).await;
    assert_eq!(full_listings(&world), 1);
}

#[tokio::test]
async fn a_token_of_another_request_is_not_used() {
    let world = book().await;
    world.advance(Duration::from_secs(3600));
    plant(&world, |state| state.contacts.as_mut().unwrap().template = "another request".to_owned()).await;
    let made = world.assert_quiet(Reach::Incremental).await;
    assert_eq!((made[LIST], made[GROUPS], full_listings(&world)), (1, 1, 1), "the old token is not even tried");
}

#[tokio::test]
async fn everything_is_listed_anew_before_a_token_dies() {
    let world = book().await;
    world.advance(DAY * 4);
    world.assert_quiet(Reach::Incremental).await;
    assert_eq!(full_listings(&world), 0, "after four days");
    world.advance(DAY * 2);
    world.assert_quiet(Reach::Incremental).await;
    assert_eq!(full_listings(&world), 1, "after six days");
    world.advance(DAY * 4);
    world.assert_quiet(Reach::Incremental).await;
    assert_eq!(full_listings(&world), 0, "the new listing began a new life");
}

#[tokio::test]
async fn edits_are_carried_over_by_a_full_listing_as_by_an_incremental_one() {
    let world = book().await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    let grace = world.by_name("Grace Hopper").await.id;
    world.edit(grace, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.expire_tokens();
    world.advance(Duration::from_secs(3600));
    let summary = world.sync().await;
    assert_eq!((summary.pulled.updated, summary.pushed.updated), (1, 1), "{summary:?}");
    assert_eq!(world.by_name("Ada King").await.card.notes.as_deref(), Some("met in London"));
    assert_eq!(first(&world.person("Grace Hopper"), "phoneNumbers", "value"), Some("+44 20 7946 0000"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_change_in_google_costs_no_call_more_than_an_idle_run() {
    let world = book().await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    world.google_edit("Grace Hopper", &json!({"nicknames": [{"value": "Amazing"}]}));
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!(summary.pulled.updated, 2, "{summary:?}");
    assert_eq!(world.api_calls(), calls(&[(LIST, 1), (GROUPS, 1)]));
}

#[tokio::test]
async fn a_change_in_the_store_costs_one_call_more_than_an_idle_run() {
    let world = book().await;
    let ada = world.by_name("Ada King").await.id;
    world.edit(ada, |card| card.notes = Some("met in London".to_owned())).await;
    world.count_anew();
    world.sync().await;
    assert_eq!(world.api_calls(), calls(&[(LIST, 1), (GROUPS, 1), ("people.updateContact", 1)]));
    assert_eq!(world.assert_quiet(Reach::Incremental).await, calls(&[(LIST, 1), (GROUPS, 1)]), "the echo is known");
}

#[tokio::test]
async fn automatic_full_listings_stay_ten_minutes_apart() {
    let world = book().await;
    world.advance(Duration::from_secs(3600));
    world.expire_tokens();
    world.count_anew();
    world.sync().await;
    assert_eq!(full_listings(&world), 1);
    world.expire_tokens();
    for _ in 0..4 {
        world.advance(Duration::from_secs(120));
        let summary = world.sync().await;
        assert_eq!(summary.outcome, Outcome::Unreachable, "{summary:?}");
        assert_eq!(full_listings(&world), 1, "{summary:?}");
    }
    world.advance(Duration::from_secs(130));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, full_listings(&world)), (Outcome::Done, 2), "{summary:?}");
}

#[tokio::test]
async fn a_full_listing_that_is_asked_for_is_made_at_once() {
    let world = book().await;
    for _ in 0..3 {
        world.assert_quiet(Reach::Full).await;
        assert_eq!(full_listings(&world), 1);
    }
}

#[tokio::test]
async fn an_unchanged_contact_that_is_listed_again_is_no_news() {
    let world = book().await;
    world.switch(|settings| {
        settings.spurious_repeats = 3;
        settings.page_repeats = true;
    });
    world.assert_at_rest().await;
}

#[tokio::test]
async fn another_etag_without_another_content_is_no_news() {
    let world = book().await;
    let ada = world.resource("Ada King");
    world.by_hand(|user| user.bump_etag(&ada).unwrap());
    world.assert_quiet(Reach::Incremental).await;
    let id = world.by_name("Ada King").await.id;
    world.edit(id, |card| card.notes = Some("met in London".to_owned())).await;
    world.count_anew();
    world.sync().await;
    assert_eq!(world.api_calls()["people.updateContact"], 1, "the new etag is known: {:?}", world.api_calls());
    world.assert_at_rest().await;
}

/// A listing in which nobody is: what a service in trouble may well say.
fn empty_listing(token: &str) -> FaultKind {
    let body = json!({ "nextSyncToken": token, "totalItems": 0 }).to_string();
    FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body }
}

#[tokio::test]
async fn an_empty_listing_deletes_nothing() {
    let world = book().await;
    world.advance(DAY);
    let (store, google) = (world.store_names().await, world.google_names());
    world.strike(LIST, empty_listing("odd"));
    let summary = world.sync_in_full().await;
    assert_eq!(summary.pulled.total() + summary.pushed.total(), 0, "{summary:?}");
    world.settle().await;
    assert_eq!((world.store_names().await, world.google_names()), (store, google));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_listing_that_shows_fewer_contacts_than_it_counts_proves_nothing() {
    let world = book().await;
    world.advance(DAY);
    let (store, google) = (world.store_names().await, world.google_names());
    let body = json!({ "nextSyncToken": "odd", "totalItems": 6 }).to_string();
    world.strike(LIST, FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body });
    world.count_anew();
    let summary = world.sync_in_full().await;
    assert_eq!(summary.pulled.total() + summary.pushed.total(), 0, "{summary:?}");
    assert!(summary.notices.iter().any(|notice| notice.contains("0 contacts of 6")), "{summary:?}");
    assert!(!world.api_calls().contains_key("people.getBatchGet"), "nobody is even suspected");
    world.settle().await;
    assert_eq!((world.store_names().await, world.google_names()), (store, google));
}

// Grace is deleted in Google, and the tombstone is missed because the token died: a full listing lacks her, a direct
// read confirms it.
#[tokio::test]
async fn a_missed_deletion_is_found_by_a_full_listing_and_a_direct_read() {
    let world = book().await;
    world.google_delete("Grace Hopper");
    world.expire_tokens();
    world.advance(Duration::from_secs(3600));
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.deleted), (Outcome::Done, 1), "{summary:?}");
    assert_eq!(world.api_calls()["people.getBatchGet"], 1);
    assert!(!world.store_names().await.contains(&"Grace Hopper".to_owned()));
    world.assert_at_rest().await;
}
