//! The guards: a kind of harm that is more than its limit is parked whole, on the side where it would happen; the other
//! kinds go on, and a raised limit lets everything through.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::id::ContactId;
use contactsync::domain::link::ParkedWhy;
use contactsync::domain::pair::{Guard, Limit, Promise};
use serde_json::json;

use crate::support::hands::first;
use crate::support::world::{World, as_person, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);

fn guarded(change: impl FnOnce(&mut Guard)) -> Promise {
    let mut promise = promise();
    change(&mut promise.guard);
    promise
}

fn name(number: usize) -> String {
    format!("Person {number:02}")
}

/// So many persons, each with a phone and a note, on both sides, at rest for an hour.
async fn book(count: usize, promise: Promise) -> (World, Vec<ContactId>) {
    let world = World::with(promise);
    let mut ids = Vec::new();
    for number in 0..count {
        let mut card = person(&name(number));
        card.phones.push(phone(&format!("+44 20 7946 {number:04}")));
        card.notes = Some("first".to_owned());
        ids.push(world.add(card).await);
    }
    world.settle().await;
    world.advance(HOUR);
    (world, ids)
}

async fn parked(world: &World, ids: &[ContactId]) -> usize {
    let mut count = 0;
    for id in ids {
        count += usize::from(world.link(*id).await.parked.is_some_and(|parked| parked.why == ParkedWhy::Guard));
    }
    count
}

fn notes_in_google(world: &World, text: &str) -> usize {
    world.people().iter().filter(|person| first(person, "biographies", "value") == Some(text)).count()
}

async fn notes_in_store(world: &World, text: &str) -> usize {
    world.contacts().await.iter().filter(|contact| contact.card.notes.as_deref() == Some(text)).count()
}

#[tokio::test]
async fn too_many_deletions_in_the_store_are_parked_whole_and_the_rest_goes_on() {
    let (mut world, ids) = book(40, promise()).await;
    for id in &ids[..6] {
        world.delete(*id).await;
    }
    world.edit(ids[10], |card| card.notes = Some("edited".to_owned())).await;
    world.add(person("New Person")).await;
    world.google_edit(&name(11), &json!({"biographies": [{"value": "edited"}]}));
    for round in 0..3 {
        world.count_anew();
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.parked), (Outcome::Parked, 6), "{summary:?}");
        assert!(summary.notices.iter().any(|notice| notice.contains("guard.max_deletes")), "{summary:?}");
        assert_eq!((summary.pushed.deleted, world.people().len()), (0, 41), "round {round}");
        world.advance(HOUR);
    }
    assert_eq!(world.write_calls(), 0, "what is parked is not tried again and again");
    assert_eq!((notes_in_google(&world, "edited"), notes_in_store(&world, "edited").await), (2, 2), "edits go on");
    assert_eq!(parked(&world, &ids[..6]).await, 6);

    world.promise.guard.max_deletes = Limit::Percent(20.0);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.deleted, summary.parked), (Outcome::Done, 6, 0), "{summary:?}");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn too_many_deletions_in_google_are_parked_whole_and_the_rest_goes_on() {
    let (mut world, ids) = book(40, promise()).await;
    for number in 0..6 {
        world.google_delete(&name(number));
    }
    world.google_edit(&name(11), &json!({"biographies": [{"value": "edited"}]}));
    for _ in 0..3 {
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.parked, summary.pulled.deleted), (Outcome::Parked, 6, 0), "{summary:?}");
        world.advance(HOUR);
    }
    assert_eq!(world.contacts().await.len(), 40);
    assert_eq!(notes_in_store(&world, "edited").await, 1);
    assert_eq!(parked(&world, &ids[..6]).await, 6);

    world.promise.guard.max_deletes = Limit::Absolute(6);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.deleted, summary.parked), (Outcome::Done, 6, 0), "{summary:?}");
    assert_eq!(world.contacts().await.len(), 34);
    world.assert_at_rest().await;
}

// Six here and six there: each side has its own count.
#[tokio::test]
async fn each_side_is_counted_by_itself() {
    let (world, ids) = book(60, promise()).await;
    for id in &ids[..6] {
        world.delete(*id).await;
    }
    for number in 6..12 {
        world.google_delete(&name(number));
    }
    world.settle().await;
    assert_eq!((world.contacts().await.len(), world.people().len()), (48, 48));
}

#[tokio::test]
async fn five_or_fewer_never_trip_a_percentage() {
    let (world, ids) = book(
        5,
        guarded(|guard| {
            guard.max_deletes = Limit::Percent(0.0);
            guard.max_updates = Limit::Percent(0.0);
            guard.max_blanked_fields = Limit::Percent(0.0);
        }),
    )
    .await;
    for id in &ids {
        world.edit(*id, |card| card.notes = None).await;
    }
    assert_eq!(world.sync().await.pushed.updated, 5);
    for number in 0..5 {
        world.google_delete(&name(number));
    }
    assert_eq!(world.sync().await.pulled.deleted, 5);
}

#[tokio::test]
async fn an_absolute_number_trips_on_the_next_one() {
    let (world, ids) = book(10, guarded(|guard| guard.max_deletes = Limit::Absolute(2))).await;
    for id in &ids[..2] {
        world.delete(*id).await;
    }
    assert_eq!(world.sync().await.pushed.deleted, 2);
    for id in &ids[2..5] {
        world.delete(*id).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.deleted, summary.parked), (Outcome::Parked, 0, 3), "{summary:?}");
}

#[tokio::test]
async fn too_many_updates_are_parked_on_either_side() {
    let (mut world, ids) = book(20, guarded(|guard| guard.max_updates = Limit::Percent(25.0))).await;
    for id in &ids[..6] {
        world.edit(*id, |card| card.notes = Some("store".to_owned())).await;
    }
    for number in 10..16 {
        world.google_edit(&name(number), &json!({"biographies": [{"value": "google"}]}));
    }
    world.delete(ids[19]).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Parked, 12), "{summary:?}");
    assert_eq!((notes_in_google(&world, "store"), notes_in_store(&world, "google").await), (0, 0));
    assert_eq!(summary.pushed.deleted, 1, "another kind goes on");
    assert_eq!(summary.notices.len(), 2, "one notice for each side: {summary:?}");

    world.promise.guard.max_updates = Limit::Percent(100.0);
    let summary = world.sync().await;
    assert_eq!((summary.pushed.updated, summary.pulled.updated, summary.parked), (6, 6, 0), "{summary:?}");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn too_many_emptied_fields_are_parked_and_other_updates_go_on() {
    let (mut world, ids) = book(40, promise()).await;
    for id in &ids[..6] {
        world.edit(*id, |card| card.phones.clear()).await;
    }
    for number in 10..16 {
        world.google_edit(&name(number), &json!({"biographies": null}));
    }
    world.edit(ids[20], |card| card.notes = Some("edited".to_owned())).await;
    world.google_edit(&name(21), &json!({"biographies": [{"value": "edited"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Parked, 12), "{summary:?}");
    assert!(summary.notices.iter().all(|notice| notice.contains("guard.max_blanked_fields")), "{summary:?}");
    assert_eq!((summary.pushed.updated, summary.pulled.updated), (1, 1), "{summary:?}");
    assert_eq!(world.people().iter().filter(|person| person.get("phoneNumbers").is_some()).count(), 40);
    assert_eq!(notes_in_store(&world, "first").await, 38);

    world.promise.guard.max_blanked_fields = Limit::Absolute(6);
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// What is parked is decided anew in each run, on what is there then.
#[tokio::test]
async fn a_parked_deletion_that_is_taken_back_is_parked_no_longer() {
    let (world, ids) = book(40, promise()).await;
    for id in &ids[..6] {
        world.delete(*id).await;
    }
    world.sync().await;
    for id in &ids[..6] {
        world.restore(*id).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Done, 0), "{summary:?}");
    assert_eq!(world.people().len(), 40);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_parked_deletion_in_google_whose_contact_is_edited_is_parked_no_longer() {
    let (world, ids) = book(40, promise()).await;
    for number in 0..6 {
        world.google_delete(&name(number));
    }
    world.sync().await;
    world.edit(ids[0], |card| as_person(card).job_title = Some("needed".to_owned())).await;
    world.settle().await;
    assert!(world.has_person(&name(0)), "the edit survives");
    assert_eq!(world.contacts().await.len(), 35, "five are no longer too many");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The first meeting of two books changes every contact that both have, and empties nothing.
#[tokio::test]
async fn creations_and_first_meetings_trip_no_guard() {
    let world = World::with(guarded(|guard| guard.max_deletes = Limit::Absolute(0)));
    world.by_hand(|user| user.create_group("Team").unwrap());
    for number in 0..20 {
        world.add(person(&name(number))).await;
        let value = format!("person.{number:02}@example.org");
        world.google_create(
            json!({"names": [{"givenName": "Person", "familyName": format!("{number:02}")}],
            "emailAddresses": [{"value": value}], "biographies": [{"value": "from Google"}]}),
            &["Team"],
        );
    }
    for number in 20..40 {
        world.add(person(&name(number))).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Done, 0), "{summary:?}");
    assert_eq!(notes_in_store(&world, "from Google").await, 20);
    world.assert_equal().await;
    world.assert_at_rest().await;
}
