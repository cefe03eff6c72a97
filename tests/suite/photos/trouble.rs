//! Photos under trouble: answers lost, runs cut off, photos that cannot travel, a host that is down.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::contact::Photo;
use contactsync::domain::id::ContactId;
use contactsync::emulator::fault::FaultKind;
use contactsync::store::{Commit, Write};
use serde_json::json;

use crate::support::fuse::{Cut, Fuse};
use crate::support::pictures::{picture, png};
use crate::support::world::{World, as_person, person, promise};

use super::{ADA, REMOVAL, UPLOAD, linked, pictured};

#[tokio::test]
async fn an_upload_whose_answer_was_lost_is_found_out_about() {
    for kind in [FaultKind::DropAfter, FaultKind::Drop, FaultKind::StatusAfter(503), FaultKind::ApplyLate(120_000)] {
        let (world, id) = pictured(promise()).await;
        world.set_photo(id, Some(picture(2))).await;
        world.strike(UPLOAD, kind.clone());
        assert_eq!(world.sync().await.outcome, Outcome::Unreachable, "{kind:?}");
        world.settle().await;
        assert_eq!(world.google_photo(ADA), Some(picture(2)), "{kind:?}");
        assert_eq!(world.store_photo(id).await, Some(picture(2)), "{kind:?}");
        assert!(world.calls_of(UPLOAD) <= 2, "{kind:?}");
        world.assert_idle().await;
    }
}

#[tokio::test]
async fn what_is_set_after_a_lost_upload_is_not_overrun_by_it() {
    let (world, id) = pictured(promise()).await;
    world.set_photo(id, Some(picture(2))).await;
    world.strike(UPLOAD, FaultKind::ApplyLate(120_000));
    world.sync().await;
    world.set_photo(id, Some(picture(3))).await;
    world.settle().await;
    assert_eq!((world.google_photo(ADA), world.store_photo(id).await), (Some(picture(3)), Some(picture(3))));
    world.assert_idle().await;
}

#[tokio::test]
async fn an_upload_from_when_the_clock_was_ahead_is_waited_for_no_longer_than_a_window() {
    let (world, id) = linked(promise()).await;
    world.set_photo(id, Some(picture(1))).await;
    world.strike(UPLOAD, FaultKind::Drop);
    world.sync().await;
    let mut link = world.link(id).await;
    let sending = link.photo.sending.as_mut().expect("what became of it is not known");
    sending.at = sending.at.plus(Duration::from_secs(365 * 24 * 3600));
    world.store.commit(Commit { fence: None, writes: vec![Write::Link(Box::new(link))] }).await.expect("stored");
    world.sync().await;
    world.advance(Duration::from_secs(16 * 60));
    world.settle().await;
    assert_eq!(world.google_photo(ADA), Some(picture(1)));
    world.assert_idle().await;
}

#[tokio::test]
async fn a_removal_whose_answer_was_lost_is_found_out_about() {
    for kind in [FaultKind::DropAfter, FaultKind::Drop] {
        let (world, id) = pictured(promise()).await;
        world.set_photo(id, None).await;
        world.strike(REMOVAL, kind.clone());
        world.settle().await;
        assert_eq!((world.google_photo(ADA), world.store_photo(id).await), (None, None), "{kind:?}");
        world.assert_idle().await;
    }
}

/// Photos on their way in both directions, new ones, changed ones and removed ones.
async fn busy_world() -> (World, Vec<ContactId>) {
    let world = World::new();
    let mut ids = Vec::new();
    for name in [ADA, "Grace Hopper", "Alan Turing", "Edsger Dijkstra", "Barbara Liskov"] {
        ids.push(world.add(person(name)).await);
    }
    world.settle().await;
    world.set_photo(ids[2], Some(picture(2))).await;
    world.google_set_photo("Edsger Dijkstra", Some(picture(3)));
    world.set_photo(ids[4], Some(picture(4))).await;
    world.settle().await;
    world.set_photo(ids[0], Some(picture(10))).await;
    world.google_set_photo("Grace Hopper", Some(picture(11)));
    world.set_photo(ids[2], None).await;
    world.google_set_photo("Edsger Dijkstra", None);
    world.set_photo(ids[4], Some(picture(14))).await;
    (world, ids)
}

async fn assert_carried(world: &World, ids: &[ContactId], at: &str) {
    assert_eq!(world.google_photo(ADA), Some(picture(10)), "{at}");
    assert_eq!(world.store_photo(ids[0]).await, Some(picture(10)), "{at}");
    assert_eq!(world.store_photo(ids[1]).await, Some(world.served_photo("Grace Hopper").await), "{at}");
    for (id, name) in [(ids[2], "Alan Turing"), (ids[3], "Edsger Dijkstra")] {
        assert_eq!((world.store_photo(id).await, world.google_photo(name)), (None, None), "{at}: {name}");
    }
    assert_eq!(world.google_photo("Barbara Liskov"), Some(picture(14)), "{at}");
    assert_eq!(world.store_photo(ids[4]).await, Some(picture(14)), "{at}");
}

#[tokio::test]
async fn a_crash_at_any_step_loses_no_photo_and_plays_none_back() {
    let (mut world, ids) = busy_world().await;
    let counting = Fuse::counting();
    world.fuse(&counting);
    world.sync_or_crash().expect("the fuse does not blow");
    world.unfuse();
    assert_carried(&world, &ids, "without a crash").await;
    let steps = counting.steps();
    assert!(steps > 20, "{steps} steps are too few to prove anything");
    // Between two steps, nothing happens: cut off after one is cut off before the next.
    for step in 0..steps {
        let (mut world, ids) = busy_world().await;
        world.fuse(&Fuse::at(step, Cut::After));
        assert!(world.sync_or_crash().is_none(), "step {step} was not reached");
        world.unfuse();
        world.settle().await;
        assert_carried(&world, &ids, &format!("cut after step {step}")).await;
        world.assert_idle().await;
    }
}

#[tokio::test]
async fn a_photo_that_google_was_not_told_of_outlives_a_deletion_there() {
    let (world, id) = linked(promise()).await;
    world.set_photo(id, Some(picture(1))).await;
    world.strike(UPLOAD, FaultKind::MinuteQuota);
    world.strike_always(UPLOAD, FaultKind::Status(503));
    world.sync().await;
    world.calm();
    world.google_delete(ADA);
    world.advance(Duration::from_secs(3600));
    world.settle().await;
    assert!(world.contact(id).await.is_live());
    assert_eq!(world.google_photo(ADA), Some(picture(1)));
}

#[tokio::test]
async fn a_photo_changed_in_google_outlives_a_deletion_in_the_store() {
    let (world, id) = pictured(promise()).await;
    world.delete(id).await;
    world.google_set_photo(ADA, Some(picture(2)));
    world.settle().await;
    assert!(world.contact(id).await.is_live(), "the photo is an edit, and edits outlive deletions");
    assert_eq!(world.store_photo(id).await, Some(world.served_photo(ADA).await));
    assert_eq!(world.google_photo(ADA), Some(picture(2)));
    world.assert_idle().await;
}

#[tokio::test]
async fn another_address_of_a_photo_keeps_nobody_who_was_deleted() {
    let (world, id) = pictured(promise()).await;
    let resource = world.resource(ADA);
    world.delete(id).await;
    world.by_hand(|user| user.rotate_photo(&resource).expect("rotated"));
    world.settle().await;
    assert!(!world.contact(id).await.is_live());
    assert_eq!(world.people().len(), 0, "the record went with its contact");
    world.assert_idle().await;
}

#[tokio::test]
async fn a_photo_that_cannot_travel_is_told_and_holds_nothing_up() {
    let (world, id) = linked(promise()).await;
    world.set_photo(id, Some(png(900, 900, 1))).await;
    world.edit(id, |card| card.notes = Some("goes on".to_owned())).await;
    let summary = world.sync().await;
    assert_eq!(world.person(ADA)["biographies"][0]["value"], "goes on");
    assert_eq!(summary.outcome, Outcome::Parked);
    assert!(summary.failed[0].reason.contains("900 x 900 pixels"), "{summary:?}");
    // Told again, tried never.
    let again = world.sync().await;
    assert_eq!((again.outcome, again.failed.len(), again.calls, world.calls_of(UPLOAD)), (Outcome::Parked, 1, 2, 0));
    world.set_photo(id, Some(picture(1))).await;
    world.settle().await;
    assert_eq!(world.google_photo(ADA), Some(picture(1)));

    // Refused by Google itself, and one whose bytes nobody has.
    let refusal = json!({"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}).to_string();
    let answer = FaultKind::Answer { status: 400, content_type: "application/json".to_owned(), body: refusal };
    world.set_photo(id, Some(picture(2))).await;
    world.strike(UPLOAD, answer);
    let summary = world.sync().await;
    assert!(summary.failed[0].reason.contains("Google refuses its photo"), "{summary:?}");
    world.edit(id, |card| as_person(card).photo = Some(Photo { digest: "00".repeat(32) })).await;
    let summary = world.sync().await;
    assert!(summary.failed[0].reason.contains("the store does not have it"), "{summary:?}");
    assert_eq!(world.google_photo(ADA), Some(picture(1)));
}

#[tokio::test]
async fn a_host_of_photos_that_is_down_is_asked_by_the_next_run() {
    let (world, id) = linked(promise()).await;
    world.google_set_photo(ADA, Some(picture(1)));
    world.google_edit(ADA, &json!({"biographies": [{"value": "goes on"}]}));
    world.strike_always("photos.download", FaultKind::Status(503));
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Unreachable, "{summary:?}");
    assert_eq!(world.contact(id).await.card.notes.as_deref(), Some("goes on"));
    world.calm();
    world.settle().await;
    assert_eq!(world.store_photo(id).await, Some(world.served_photo(ADA).await));
    // Somebody between us and the host asks to sign in: that says nothing of the photo.
    world.google_set_photo(ADA, Some(picture(2)));
    let (content_type, body) = ("text/html; charset=utf-8".to_owned(), "<html>Please sign in.</html>".to_owned());
    world.strike("photos.download", FaultKind::Answer { status: 200, content_type, body });
    let summary = world.sync().await;
    assert!(summary.failed[0].reason.contains("the next run asks again"), "{summary:?}");
    world.settle().await;
    assert_eq!(world.store_photo(id).await, Some(world.served_photo(ADA).await));
    // What is served there is not always a picture.
    world.google_set_photo(ADA, Some(b"GIF89a".to_vec()));
    let summary = world.sync().await;
    assert!(summary.failed[0].reason.contains("no JPEG or PNG"), "{summary:?}");
    assert_eq!(world.sync().await.calls, 2);
}
