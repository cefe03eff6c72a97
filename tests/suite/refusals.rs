//! What Google refuses, and what goes wrong on the way: one bad record never keeps the others, nothing is sent twice
//! blindly, and every failure names its reason.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::contact::Card;
use contactsync::domain::id::ContactId;
use contactsync::domain::link::ParkedWhy;
use contactsync::domain::run::{AccountSummary, Fault as RunFault};
use contactsync::emulator::fault::{Fault, FaultKind};
use contactsync::emulator::settings::{BadItems, CreatedOrder, UpdateAnswers};
use serde_json::json;

use crate::support::hands::first;
use crate::support::world::{World, as_person, person, phone};

const HOUR: Duration = Duration::from_secs(3600);

/// A person that Google does not take: it is larger than a contact may be.
fn refused(name: &str) -> Card {
    let mut card = person(name);
    overfill(&mut card);
    card
}

fn overfill(card: &mut Card) {
    card.custom = (0..140).map(|number| (format!("Key {number}"), "x".repeat(1_000))).collect();
}

/// So many persons in the store, not yet in Google.
async fn persons(world: &World, count: usize) -> Vec<ContactId> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(world.add(person(&format!("Person {number:02}"))).await);
    }
    ids
}

/// So many persons on both sides, at rest for an hour.
async fn book(count: usize) -> (World, Vec<ContactId>) {
    let world = World::new();
    let ids = persons(&world, count).await;
    world.settle().await;
    world.advance(HOUR);
    (world, ids)
}

/// Lets each of these contacts get a note.
async fn edit_all(world: &World, ids: &[ContactId]) {
    for id in ids {
        world.edit(*id, |card| card.notes = Some("edited".to_owned())).await;
    }
}

fn noted(world: &World) -> usize {
    world.people().iter().filter(|person| first(person, "biographies", "value") == Some("edited")).count()
}

/// The contacts that failed, in order.
fn whom(summary: &AccountSummary) -> Vec<&str> {
    let mut failed: Vec<&str> = summary.failed.iter().map(|failure| failure.contact.as_str()).collect();
    failed.sort_unstable();
    failed
}

// ---- refused for good

#[tokio::test]
async fn two_refused_records_of_ten_do_not_keep_the_others() {
    let world = World::new();
    persons(&world, 8).await;
    let bad = [world.add(refused("Bad One")).await, world.add(refused("Bad Two")).await];
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Parked, 8), "{summary:?}");
    assert_eq!(whom(&summary), bad.map(|id| id.to_string()));
    assert!(summary.failed.iter().all(|failure| failure.reason.contains("refuses to create")), "{summary:?}");
    assert_eq!(world.api_calls()["people.batchCreateContacts"], 2, "the healthy rest is sent again at once");
    assert_eq!(world.people().len(), 8);
}

#[tokio::test]
async fn two_refused_edits_of_ten_do_not_keep_the_others() {
    let (world, ids) = book(10).await;
    for (place, id) in ids.iter().enumerate() {
        // Two of the ten get more custom fields than there is room for.
        world
            .edit(*id, |card| match place {
                3 | 7 => overfill(card),
                _ => _ = card.custom.insert("Size".to_owned(), "L".to_owned()),
            })
            .await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Parked, 8), "{summary:?}");
    assert_eq!(whom(&summary), [ids[3].to_string(), ids[7].to_string()]);
    assert!(summary.failed.iter().all(|failure| failure.reason.contains("refuses the update")), "{summary:?}");
}

#[tokio::test]
async fn a_record_refused_twice_is_left_alone_until_it_changes() {
    let world = World::new();
    let bad = world.add(refused("Bad One")).await;
    for attempt in 1..=2 {
        assert_eq!(world.sync().await.failed.len(), 1, "attempt {attempt}");
        world.advance(HOUR);
    }
    assert_eq!(world.link(bad).await.parked.unwrap().why, ParkedWhy::Refused);
    world.count_anew();
    for _ in 0..3 {
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.failed.len(), summary.parked), (Outcome::Parked, 0, 1), "{summary:?}");
        world.advance(HOUR);
    }
    assert_eq!(world.write_calls(), 0, "quarantined");
    world.edit(bad, |card| card.custom.clear()).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created, summary.parked), (Outcome::Done, 1, 0), "{summary:?}");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_edit_refused_twice_is_left_alone_until_it_changes() {
    let (world, ids) = book(1).await;
    world.edit(ids[0], overfill).await;
    for _ in 0..2 {
        assert_eq!(world.sync().await.failed.len(), 1);
        world.advance(HOUR);
    }
    world.google_edit("Person 00", &json!({"biographies": [{"value": "from Google"}]}));
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!(summary.pulled.updated, 1, "what comes from Google goes on: {summary:?}");
    world.sync().await;
    world.advance(HOUR);
    world.count_anew();
    world.sync().await;
    assert_eq!(world.write_calls(), 0, "quarantined again, with what came from Google");
    world.edit(ids[0], |card| card.custom.clear()).await;
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The answer names no record: the batch is cut in halves until the bad ones are alone.
#[tokio::test]
async fn a_batch_that_is_refused_without_details_is_told_apart() {
    let world = World::new();
    persons(&world, 14).await;
    let bad = world.add(refused("Bad One")).await;
    let silent = json!({"error": {"code": 400, "message": "Request contains an invalid argument.",
                                   "status": "INVALID_ARGUMENT"}});
    let kind = FaultKind::Answer { status: 400, content_type: "application/json".into(), body: silent.to_string() };
    // Of 15, of the half with the bad one, and so on: every batch that holds it.
    world.emulator().faults_mut().push(Fault { times: Some(1), ..Fault::once("people.batchCreateContacts", kind) });
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Parked, 14), "{summary:?}");
    assert_eq!(whom(&summary), [bad.to_string()]);
    assert_eq!(world.people().len(), 14);
}

#[tokio::test]
async fn a_batch_of_edits_that_is_refused_without_details_is_told_apart() {
    let (world, ids) = book(9).await;
    edit_all(&world, &ids).await;
    let silent = json!({"error": {"code": 400, "message": "Request contains an invalid argument.",
                                   "status": "INVALID_ARGUMENT"}});
    let kind = FaultKind::Answer { status: 400, content_type: "application/json".into(), body: silent.to_string() };
    world.emulator().faults_mut().push(Fault { times: Some(3), ..Fault::once("people.batchUpdateContacts", kind) });
    world.settle().await;
    assert_eq!(noted(&world), 9);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_full_address_book_is_named_and_not_tried_contact_by_contact() {
    let world = World::new();
    world.switch(|settings| settings.contacts_max = 10);
    persons(&world, 30).await;
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Parked, "{summary:?}");
    assert!(format!("{summary:?}").contains("full"), "{summary:?}");
    assert!(world.write_calls() < 12, "{:?}", world.api_calls());
    world.switch(|settings| settings.contacts_max = 100);
    world.settle().await;
    assert_eq!(world.people().len(), 30);
}

// The service writes the good ones of a batch and tells each one's fate inside a success.
#[tokio::test]
async fn refusals_inside_a_success_are_refusals() {
    let world = World::new();
    world.switch(|settings| {
        settings.bad_items = BadItems::AnswerEach;
        settings.created_order = CreatedOrder::Shuffled;
    });
    let ids = persons(&world, 8).await;
    let bad = [world.add(refused("Bad One")).await, world.add(refused("Bad Two")).await];
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Parked, 8), "{summary:?}");
    assert_eq!(whom(&summary), bad.map(|id| id.to_string()));
    for (place, id) in ids.iter().enumerate() {
        let edit = |card: &mut Card| match place {
            2 => overfill(card),
            _ => _ = card.custom.insert("Size".to_owned(), "L".to_owned()),
        };
        world.edit(*id, edit).await;
    }
    let summary = world.sync().await;
    assert_eq!(summary.pushed.updated, 7, "{summary:?}");
    assert!(whom(&summary).contains(&ids[2].to_string().as_str()), "{summary:?}");
    for id in [ids[2], bad[0], bad[1]] {
        world.edit(id, |card| card.custom.clear()).await;
    }
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// ---- stale

#[tokio::test]
async fn a_stale_record_in_a_batch_is_merged_and_the_others_go_on() {
    let (world, ids) = book(10).await;
    edit_all(&world, &ids).await;
    // The change stream does not show it yet, so the etag we know is stale.
    world.switch(|settings| settings.propagation.delta = contactsync::emulator::settings::Delay::constant(600_000));
    world.google_edit("Person 04", &json!({"nicknames": [{"value": "Nick"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated, summary.conflicts), (Outcome::Done, 10, 0), "{summary:?}");
    assert_eq!(noted(&world), 10);
    assert_eq!(as_person(&mut world.contact(ids[4]).await.card).nicknames, ["Nick"], "merged, not overwritten");
    world.advance(HOUR);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// A direct read right after the refusal still shows the old revision: nothing is forced, the next run goes on.
#[tokio::test]
async fn a_stale_record_that_reads_do_not_show_yet_waits() {
    let (world, ids) = book(1).await;
    world.switch(|settings| {
        settings.propagation.delta = contactsync::emulator::settings::Delay::constant(120_000);
        settings.propagation.get = contactsync::emulator::settings::Delay::constant(60_000);
    });
    world.google_edit("Person 00", &json!({"biographies": [{"value": "from Google"}]}));
    world.edit(ids[0], |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.total()), (Outcome::Unreachable, 0), "{summary:?}");
    world.settle().await;
    assert_eq!(world.contact(ids[0]).await.card.notes.as_deref(), Some("from Google"));
    assert_eq!(first(&world.person("Person 00"), "phoneNumbers", "value"), Some("+44 20 7946 0000"));
    world.advance(HOUR);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_update_that_is_answered_without_the_records_is_read_again() {
    let (world, ids) = book(10).await;
    world.switch(|settings| settings.update_answers = UpdateAnswers::Empty);
    edit_all(&world, &ids).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 10), "{summary:?}");
    assert_eq!(noted(&world), 10);
    world.assert_equal().await;
    world.assert_at_rest().await;
    for id in &ids {
        world.edit(*id, |card| card.notes = Some("again".to_owned())).await;
    }
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    assert_eq!(world.api_calls()["people.batchUpdateContacts"], 1, "the new etags are known");
}

// ---- quotas

#[tokio::test]
async fn a_quota_of_a_minute_is_waited_out_within_the_run() {
    for method in ["people.batchCreateContacts", "contactGroups.list", "contactGroups.create"] {
        let world = World::new();
        persons(&world, 10).await;
        world.strike(method, FaultKind::MinuteQuota);
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 10), "{method}: {summary:?}");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_long_quota_ends_the_push_and_reading_goes_on() {
    let (world, ids) = book(10).await;
    edit_all(&world, &ids[..9]).await;
    world.strike("people.batchUpdateContacts", FaultKind::StorageQuota);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.total()), (Outcome::Unreachable, 0), "try again later: {summary:?}");
    world.google_edit("Person 09", &json!({"biographies": [{"value": "from Google"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.updated), (Outcome::Unreachable, 1), "{summary:?}");
    world.settle().await;
    assert_eq!(noted(&world), 9);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_storm_of_quotas_loses_no_lease_and_no_answer() {
    let world = World::new();
    persons(&world, 10).await;
    for _ in 0..2 {
        world.strike("people.batchCreateContacts", FaultKind::MinuteQuota);
        world.strike("contactGroups.list", FaultKind::MinuteQuota);
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 10), "{summary:?}");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// ---- lost answers and server errors

/// Every way in which an answer fails to come, with or without effect.
fn troubles() -> Vec<FaultKind> {
    vec![
        FaultKind::Status(500),
        FaultKind::Status(502),
        FaultKind::Status(503),
        FaultKind::Status(504),
        FaultKind::StatusAfter(500),
        FaultKind::StatusAfter(502),
        FaultKind::StatusAfter(503),
        FaultKind::Drop,
        FaultKind::DropAfter,
        FaultKind::Truncate,
        FaultKind::HalfApplied,
        FaultKind::ApplyLate(60_000),
        FaultKind::Answer { status: 200, content_type: "text/html".into(), body: "<html>".into() },
        FaultKind::Answer {
            status: 409,
            content_type: "application/json".into(),
            body: json!({"error": {"code": 409, "message": "The operation was aborted.", "status": "ABORTED"}})
                .to_string(),
        },
    ]
}

#[tokio::test]
async fn creates_that_go_wrong_are_made_exactly_once() {
    for count in [3, 10] {
        for kind in troubles() {
            let world = World::new();
            persons(&world, count).await;
            world.strike("people.createContact", kind.clone());
            world.strike("people.batchCreateContacts", kind.clone());
            world.settle().await;
            assert_eq!(world.people().len(), count, "{kind:?}");
            world.assert_equal().await;
            world.assert_at_rest().await;
            world.assert_no_violation();
        }
    }
}

#[tokio::test]
async fn edits_that_go_wrong_are_made_exactly_once() {
    for count in [3, 10] {
        for kind in troubles() {
            let (world, ids) = book(count).await;
            edit_all(&world, &ids).await;
            world.strike("people.updateContact", kind.clone());
            world.strike("people.batchUpdateContacts", kind.clone());
            world.settle().await;
            assert_eq!(noted(&world), count, "{kind:?}");
            world.assert_equal().await;
            world.assert_at_rest().await;
            world.assert_no_violation();
        }
    }
}

#[tokio::test]
async fn deletions_that_go_wrong_are_made_exactly_once() {
    for count in [3, 10] {
        for kind in troubles() {
            let (mut world, ids) = book(count + 2).await;
            world.promise.guard.max_deletes = contactsync::domain::pair::Limit::Absolute(100);
            for id in &ids[..count] {
                world.delete(*id).await;
            }
            world.strike("people.deleteContact", kind.clone());
            world.strike("people.batchDeleteContacts", kind.clone());
            world.settle().await;
            assert_eq!((world.people().len(), world.contacts().await.len()), (2, 2), "{kind:?}");
            world.assert_equal().await;
            world.assert_at_rest().await;
        }
    }
}

#[tokio::test]
async fn group_changes_that_go_wrong_are_made() {
    for kind in troubles() {
        let mut world = World::new();
        world.promise.pairs[0].labels = vec!["Customer".to_owned()];
        let mut card = person("Ada King");
        card.labels.insert("Customer".to_owned());
        let ada = world.add(card).await;
        world.settle().await;
        world.edit(ada, |card| card.labels.clear()).await;
        world.strike("contactGroups.members.modify", kind.clone());
        world.settle().await;
        assert_eq!(world.groups_of("Ada King"), ["myContacts"], "{kind:?}");
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn readings_that_go_wrong_are_tried_again_within_the_run() {
    for kind in troubles().into_iter().filter(|kind| !matches!(kind, FaultKind::Answer { .. })) {
        for method in ["people.connections.list", "contactGroups.list", "people.getBatchGet"] {
            let (world, ids) = book(3).await;
            world.delete(ids[0]).await;
            world.google_edit("Person 01", &json!({"biographies": [{"value": "edited"}]}));
            world.strike(method, kind.clone());
            let summary = world.sync().await;
            assert_eq!(summary.outcome, Outcome::Done, "{method} {kind:?}: {summary:?}");
            world.assert_equal().await;
        }
    }
}

#[tokio::test]
async fn a_remote_that_is_down_changes_nothing_and_is_no_failure_of_ours() {
    let (world, ids) = book(3).await;
    edit_all(&world, &ids).await;
    world.strike_always("*", FaultKind::Status(503));
    let before = (world.store_names().await, world.people());
    for _ in 0..3 {
        let summary = world.sync().await;
        assert_eq!(summary.outcome, Outcome::Unreachable, "{summary:?}");
        assert_eq!((world.store_names().await, world.people()), before);
        world.advance(HOUR);
    }
    world.calm();
    world.settle().await;
    assert_eq!(noted(&world), 3);
    world.assert_at_rest().await;
}

// ---- consent

#[tokio::test]
async fn a_withdrawn_consent_is_told_and_deletes_nothing() {
    let (world, ids) = book(3).await;
    edit_all(&world, &ids).await;
    world.by_hand(|user| user.revoke_grant());
    for _ in 0..2 {
        let summary = world.sync().await;
        assert_eq!(summary.outcome, Outcome::NoConsent, "{summary:?}");
        assert!(summary.error.as_deref().unwrap().contains("contactsync login sales"), "{summary:?}");
        world.advance(HOUR);
    }
    assert_eq!((world.contacts().await.len(), world.people().len(), noted(&world)), (3, 3, 0));
}

#[tokio::test]
async fn an_access_token_that_expires_during_a_run_is_renewed() {
    let (world, ids) = book(3).await;
    edit_all(&world, &ids).await;
    world.by_hand(|user| user.expire_access_tokens());
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 3), "{summary:?}");
}

#[tokio::test]
async fn a_switched_off_api_is_told_as_a_matter_of_setup_and_deletes_nothing() {
    let (world, ids) = book(1).await;
    edit_all(&world, &ids).await;
    world.switch(|settings| settings.api_enabled = false);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.fault), (Outcome::Failed, Some(RunFault::Setup)), "{summary:?}");
    assert_eq!((world.contacts().await.len(), world.people().len()), (1, 1));
    world.switch(|settings| settings.api_enabled = true);
    world.advance(HOUR);
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}
