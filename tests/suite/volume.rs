//! Many contacts at once: equal after one run, quiet after the second, with the fewest calls that the API allows.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::contact::Card;
use contactsync::domain::pair::Limit;
use contactsync::engine::Reach;
use serde_json::json;

use crate::support::effort::calls;
use crate::support::world::{World, as_person, person, phone, promise};

fn name(number: usize) -> String {
    format!("Person {number:04}")
}

fn full(number: usize) -> Card {
    let mut card = person(&name(number));
    card.phones.push(phone(&format!("+44 20 7946 {number:04}")));
    card.notes = Some(format!("note {number}"));
    as_person(&mut card).job_title = Some("Clerk".to_owned());
    card
}

// 300 persons and 40 organizations; then 30 edits, 10 additions and 5 deletions on each side before the next run.
#[tokio::test]
async fn a_busy_day_of_a_large_book_is_equal_after_one_run_and_quiet_after_two() {
    let mut promise = promise();
    promise.guard.max_deletes = Limit::Absolute(20);
    let world = World::with(promise);
    let mut ids = Vec::new();
    for number in 0..300 {
        ids.push(world.add(full(number)).await);
    }
    for number in 0..40 {
        world.add(Card::organization(format!("Company {number:02}"))).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 340), "{:?}", summary.error);
    world.assert_equal().await;
    world.advance(Duration::from_secs(3600));

    for (place, id) in ids[..30].iter().enumerate() {
        world.edit(*id, |card| card.notes = Some(format!("store {place}"))).await;
    }
    for number in 15..45 {
        world.google_edit(&name(number), &json!({"nicknames": [{"value": format!("Nick {number}")}]}));
    }
    for number in 0..10 {
        world.add(full(1000 + number)).await;
        let family = format!("Guest {number:02}");
        world.google_create(json!({"names": [{"givenName": "Google", "familyName": family}]}), &["Team"]);
    }
    for (number, id) in ids.iter().enumerate().skip(100).take(5) {
        world.delete(*id).await;
        world.google_delete(&name(number + 100));
    }
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    let (pulled, pushed) = (summary.pulled, summary.pushed);
    assert_eq!((pulled.created, pulled.updated, pulled.deleted), (10, 30, 5), "{summary:?}");
    assert_eq!((pushed.created, pushed.updated, pushed.deleted), (10, 30, 5), "{summary:?}");
    world.assert_equal().await;
    world.assert_at_rest().await;
    world.assert_no_violation();
}

#[tokio::test]
async fn a_first_sync_of_a_thousand_contacts_takes_the_fewest_calls() {
    let world = World::new();
    for number in 0..1000 {
        world.add(full(number)).await;
    }
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 1000), "{:?}", summary.error);
    let expected = [
        ("contactGroups.list", 1),
        ("contactGroups.create", 1),
        ("people.connections.list", 1),
        ("people.batchCreateContacts", 5),
    ];
    assert_eq!(world.api_calls(), calls(&expected));
    world.assert_equal().await;
    assert_eq!(
        world.assert_quiet(Reach::Incremental).await,
        calls(&[("contactGroups.list", 1), ("people.connections.list", 1)])
    );
}

#[tokio::test]
async fn a_thousand_contacts_come_in_with_one_page_and_no_write() {
    let world = World::new();
    world.sync().await;
    for number in 0..1000 {
        let person = json!({"names": [{"givenName": "Person", "familyName": format!("{number:04}")}],
            "emailAddresses": [{"value": format!("person.{number:04}@example.org")}]});
        world.google_create(person, &["Team"]);
    }
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.created), (Outcome::Done, 1000), "{:?}", summary.error);
    assert_eq!(world.api_calls(), calls(&[("contactGroups.list", 1), ("people.connections.list", 1)]));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn edits_of_the_same_fields_are_one_call() {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..250 {
        ids.push(world.add(full(number)).await);
    }
    world.sync().await;
    for id in &ids {
        world.edit(*id, |card| card.notes = Some("edited".to_owned())).await;
    }
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 250), "{:?}", summary.error);
    assert_eq!(world.api_calls()["people.batchUpdateContacts"], 2, "{:?}", world.api_calls());
    assert_eq!(world.write_calls(), 2);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_batch_of_two_hundred_whose_answer_is_lost_is_found_out_without_sending_it_again() {
    let world = World::new();
    for number in 0..200 {
        world.add(full(number)).await;
    }
    world.strike("people.batchCreateContacts", contactsync::emulator::fault::FaultKind::DropAfter);
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Unreachable, "{summary:?}");
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0, "{:?}", world.api_calls());
    assert_eq!(world.people().len(), 200);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn two_hundred_lost_edits_are_found_out_with_one_read() {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..200 {
        ids.push(world.add(full(number)).await);
    }
    world.sync().await;
    for id in &ids {
        world.edit(*id, |card| card.notes = Some("edited".to_owned())).await;
    }
    world.strike("people.batchUpdateContacts", contactsync::emulator::fault::FaultKind::HalfApplied);
    world.sync().await;
    world.count_anew();
    world.settle().await;
    assert!(world.write_calls() <= 2, "{:?}", world.api_calls());
    world.assert_equal().await;
    world.assert_at_rest().await;
}
