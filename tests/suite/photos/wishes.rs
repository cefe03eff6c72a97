//! What people ask for about photos: to leave them alone, one direction, plans, approval, undo.

use std::sync::Arc;
use std::time::Duration;

use contactsync::clock::SeededEntropy;
use contactsync::domain::account::Outcome;
use contactsync::domain::pair::{Direction, Limit, Photos, Promise};
use contactsync::engine::{Licence, Purpose, Reach, Seen};
use contactsync::store::memory::MemoryStore;
use serde_json::{Value, json};

use crate::support::pictures::picture;
use crate::support::world::{World, person, promise};

use super::{ADA, UPLOAD, digest, linked, pictured};

#[tokio::test]
async fn an_account_without_photos_leaves_them_alone_everywhere() {
    let (world, id) = linked(Promise { photos: Photos::Stay, ..promise() }).await;
    world.set_photo(id, Some(picture(1))).await;
    world.google_set_photo(ADA, Some(picture(2)));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.total(), summary.pushed.total()), (Outcome::Done, 0, 0), "{summary:?}");
    assert_eq!((world.store_photo(id).await, world.google_photo(ADA)), (Some(picture(1)), Some(picture(2))));
    assert_eq!(world.calls_of("photos.download"), 0);
    world.assert_idle().await;
    // Switched on later, the policy decides; nothing is lost.
    let mut world = world;
    world.promise.photos = Photos::Travel;
    world.settings = "two".to_owned();
    world.settle().await;
    assert!(
        world.google_photo(ADA) == Some(picture(1))
            || world.store_photo(id).await == Some(world.served_photo(ADA).await)
    );
}

#[tokio::test]
async fn switched_off_after_the_first_photos_nothing_is_removed() {
    let (mut world, id) = pictured(promise()).await;
    world.promise.photos = Photos::Stay;
    world.settings = "two".to_owned();
    world.google_set_photo(ADA, None);
    world.settle().await;
    assert!(world.store_photo(id).await.is_some());
}

#[tokio::test]
async fn one_direction_carries_photos_one_way_and_blanks_nothing() {
    let (world, id) = linked(Promise { direction: Direction::ToRemote, ..promise() }).await;
    world.google_set_photo(ADA, Some(picture(1)));
    world.settle().await;
    assert_eq!(world.store_photo(id).await, None);
    assert_eq!(world.google_photo(ADA), Some(picture(1)));
    world.set_photo(id, Some(picture(2))).await;
    world.settle().await;
    assert_eq!(world.google_photo(ADA), Some(picture(2)));
    // What was overwritten is in the history.
    assert_eq!(world.calls_of(UPLOAD), 1);
    world.assert_idle().await;

    let world = World::with(Promise { direction: Direction::FromRemote, ..promise() });
    world.sync().await;
    world.by_hand(|user| user.create_group("Team").map(drop)).ok();
    world.google_create(json!({"names": [{"givenName": "Ada", "familyName": "King"}]}), &["Team"]);
    world.google_set_photo(ADA, Some(picture(1)));
    world.settle().await;
    let id = world.by_name(ADA).await.id;
    assert_eq!(world.store_photo(id).await, Some(world.served_photo(ADA).await));
    world.set_photo(id, Some(picture(2))).await;
    world.settle().await;
    assert_eq!((world.google_photo(ADA), world.calls_of(UPLOAD)), (Some(picture(1)), 0));
}

#[tokio::test]
async fn undo_brings_the_former_photo_back_on_both_sides() {
    // A run took Google's photo over.
    let (world, id) = pictured(promise()).await;
    let before = world.store_photo(id).await;
    world.google_set_photo(ADA, Some(picture(2)));
    world.sync().await;
    assert_ne!(world.store_photo(id).await, before);
    let run = world.run_id().await;
    world.advance(Duration::from_secs(3600));
    world.sync_under(&Licence::Undoing(run)).await;
    assert_eq!(world.store_photo(id).await, before);
    assert_eq!(world.google_photo(ADA), before);
    world.settle().await;
    world.assert_idle().await;

    // A run removed Google's photo.
    let (world, id) = pictured(promise()).await;
    let before = world.store_photo(id).await;
    world.set_photo(id, None).await;
    world.sync().await;
    assert_eq!(world.google_photo(ADA), None);
    let run = world.run_id().await;
    world.advance(Duration::from_secs(3600));
    world.sync_under(&Licence::Undoing(run)).await;
    assert_eq!((world.store_photo(id).await, world.google_photo(ADA)), (before.clone(), before));
    world.settle().await;
    world.assert_idle().await;
}

#[tokio::test]
async fn a_contact_that_is_made_again_keeps_its_photo() {
    let (world, id) = pictured(promise()).await;
    let kept = world.store_photo(id).await;
    world.delete(id).await;
    world.settle().await;
    assert!(!world.has_person(ADA));
    world.restore(id).await;
    world.settle().await;
    assert_eq!(world.google_photo(ADA), kept);
    world.assert_idle().await;
    // Deleted in Google, edited here meanwhile.
    world.google_delete(ADA);
    world.edit(id, |card| card.notes = Some("still needed".to_owned())).await;
    world.settle().await;
    assert_eq!(world.google_photo(ADA), kept);
    world.assert_idle().await;
}

#[tokio::test]
async fn many_removed_photos_wait_for_a_person() {
    let mut guarded = promise();
    guarded.guard.max_blanked_fields = Limit::Absolute(2);
    let world = World::with(guarded);
    let mut ids = Vec::new();
    for number in 0..8 {
        let id = world.add(person(&format!("Person {number}"))).await;
        world.set_photo(id, Some(picture(number))).await;
        ids.push(id);
    }
    world.settle().await;
    world.advance(Duration::from_secs(48 * 3600));
    for number in 0..8 {
        world.google_set_photo(&format!("Person {number}"), None);
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Parked, 8), "{summary:?}");
    let run = world.run_id().await;
    world.sync().await;
    for id in &ids {
        assert!(world.store_photo(*id).await.is_some());
    }
    world.sync_under(&Licence::Approved(run)).await;
    for id in &ids {
        assert!(world.store_photo(*id).await.is_none());
    }
    world.settle().await;
    world.assert_idle().await;
}

#[tokio::test]
async fn a_plan_shows_photos_and_apply_carries_out_just_that() {
    let memory = Arc::new(MemoryStore::new(&SeededEntropy::new(7)));
    let world = World::on(memory.clone(), promise());
    let id = world.add(person(ADA)).await;
    let other = world.add(person("Grace Hopper")).await;
    world.settle().await;
    world.google_set_photo(ADA, Some(picture(1)));
    world.settle().await;
    world.google_set_photo(ADA, Some(picture(2)));
    world.set_photo(other, Some(picture(3))).await;
    let before = world.contact(id).await;
    let operations = world.run_on(&memory.snapshot(), Reach::Incremental, Purpose::Preview).await.operations;
    let told: Vec<(String, Value, Value)> = operations
        .iter()
        .map(|operation| {
            let photo = &operation.fields["photo"];
            (format!("{:?}", operation.side), photo.before.clone(), photo.after.clone())
        })
        .collect();
    assert_eq!(told.len(), 2, "{operations:?}");
    assert!(told.contains(&("Remote".to_owned(), Value::Null, digest(&picture(3)))), "{told:?}");
    let served = digest(&world.served_photo(ADA).await);
    assert!(
        told.iter().any(|(side, before, after)| side == "Store" && !before.is_null() && *after == served),
        "{told:?}"
    );
    assert_eq!(world.contact(id).await, before, "a plan changes nothing");
    assert_eq!(world.calls_of(UPLOAD), 0);

    // One more photo that nobody has seen is left for the next run.
    world.google_create(json!({"names": [{"givenName": "Alan", "familyName": "Turing"}]}), &["Team"]);
    let summary = world.sync_under(&Licence::Planned(Seen::of(&operations))).await;
    assert_eq!((summary.pulled.updated, summary.pushed.updated), (1, 1), "{summary:?}");
    assert_eq!(world.google_photo("Grace Hopper"), Some(picture(3)));
    world.settle().await;
    world.assert_idle().await;
}

// A contact waits for one approval at a time: the photo for its own, once that of the edit was given.
#[tokio::test]
async fn an_edit_and_a_photo_that_a_guard_stops_are_approved_one_after_the_other() {
    let (mut world, id) = pictured(promise()).await;
    world.promise.guard.max_updates = Limit::Absolute(0);
    world.set_photo(id, Some(picture(2))).await;
    world.edit(id, |card| card.notes = Some("edited".to_owned())).await;
    world.settle_but(Outcome::Parked).await;
    let first = world.last_run().await;
    world.settle_but(Outcome::Parked).await;
    world.sync_under(&Licence::Approved(first)).await;
    assert_eq!(world.person(ADA)["biographies"][0]["value"], "edited", "later runs did not take its place");
    let second = world.last_run().await;
    world.sync_under(&Licence::Approved(second)).await;
    assert_eq!(world.google_photo(ADA), Some(picture(2)));
    world.settle().await;
    world.assert_idle().await;
}
