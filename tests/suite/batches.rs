//! Many contacts at once: how few calls they take, and what becomes of the bad ones among them.

use std::collections::BTreeSet;
use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::contact::Card;
use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::{BadItems, CreatedOrder, Delay, UpdateAnswers};
use contactsync::store::HistoryQuery;
use serde_json::{Map, Value, json};

use crate::support::effort::calls;
use crate::support::hands::first;
use crate::support::world::{World, as_person, person};

const CREATE: &str = "people.batchCreateContacts";
const UPDATE: &str = "people.batchUpdateContacts";

/// More than Google takes for one contact.
fn spoil(card: &mut Card) {
    let long = "€".repeat(1_000);
    card.custom.extend((0..50).map(|number| (format!("Field {number}"), long.clone())));
}

fn heal(card: &mut Card) {
    card.custom.clear();
}

/// Ten persons on both sides, at rest.
async fn book() -> (World, Vec<ContactId>) {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..10 {
        ids.push(world.add(person(&format!("Number {number}"))).await);
    }
    world.settle().await;
    world.count_anew();
    (world, ids)
}

// 450 contacts go into a group that is not there yet: whose account it is costs nothing, since the grant says so.
#[tokio::test]
async fn a_first_run_lists_twice_makes_the_group_and_sends_batches_of_two_hundred() {
    let world = World::new();
    for number in 0..450 {
        world.add(person(&format!("Number {number}"))).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created, summary.calls), (Outcome::Done, 450, 6), "{summary:?}");
    let expected = [
        ("contactGroups.list", 1),
        ("contactGroups.create", 1),
        ("people.connections.list", 1),
        ("people.batchCreateContacts", 3),
    ];
    assert_eq!(world.api_calls(), calls(&expected));
    world.assert_equal().await;
}

#[tokio::test]
async fn one_contact_that_google_refuses_keeps_no_other_from_being_made() {
    for (bad_items, order, batches) in [
        (BadItems::RefuseCall, CreatedOrder::Request, 2),
        (BadItems::AnswerEach, CreatedOrder::Request, 1),
        (BadItems::AnswerEach, CreatedOrder::Shuffled, 1),
    ] {
        let world = World::new();
        world.switch(|settings| {
            settings.bad_items = bad_items;
            settings.created_order = order;
        });
        let mut bad = person("Bad");
        spoil(&mut bad);
        let bad = world.add(bad).await;
        for number in 0..9 {
            world.add(person(&format!("Number {number}"))).await;
        }
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Parked, 9), "{bad_items:?}: {summary:?}");
        assert_eq!(summary.failed[0].contact, bad.to_string());
        assert!(summary.failed[0].reason.starts_with("Google refuses to create it: Request contains"), "{summary:?}");
        assert_eq!(world.api_calls()[CREATE], batches);
        let link = world.link(bad).await;
        assert_eq!((link.state, link.parked.map(|parked| parked.times)), (LinkState::Need, Some(1)));
        world.edit(bad, heal).await;
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 1), "{bad_items:?}: {summary:?}");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// Everybody is edited in the store. One edit is more than Google takes, one person was edited in Google too, and one
// was deleted there; the change stream does not know it yet.
#[tokio::test]
async fn contacts_that_google_refuses_to_change_keep_no_other_from_being_changed() {
    for bad_items in [BadItems::RefuseCall, BadItems::AnswerEach] {
        let (world, ids) = book().await;
        world.advance(std::time::Duration::from_secs(3600));
        world.switch(|settings| {
            settings.bad_items = bad_items;
            settings.propagation.delta = Delay::constant(300_000);
        });
        for (place, id) in ids.iter().enumerate() {
            let edit = |card: &mut Card| {
                card.notes = Some("met in London".to_owned());
                card.custom.insert("City".to_owned(), "London".to_owned());
                if place == 3 {
                    spoil(card);
                }
            };
            world.edit(*id, edit).await;
        }
        world.google_edit("Number 5", &json!({"nicknames": [{"value": "Five"}]}));
        world.google_delete("Number 7");
        let summary = world.sync().await;
        assert_eq!(summary.outcome, Outcome::Parked, "{bad_items:?}: {summary:?}");
        assert!(summary.failed.iter().all(|failure| failure.contact == ids[3].to_string()), "{summary:?}");
        assert!(summary.failed[0].reason.starts_with("Google refuses the update: Request contains"), "{summary:?}");
        for number in [0, 1, 2, 4, 5, 6, 8, 9] {
            let google = world.person(&format!("Number {number}"));
            assert_eq!(first(&google, "biographies", "value"), Some("met in London"), "{bad_items:?}: {number}");
        }
        assert_eq!(first(&world.person("Number 3"), "biographies", "value"), None);
        assert_eq!(world.contact(ids[5]).await.card.as_person().unwrap().nicknames, ["Five"]);
        if bad_items == BadItems::AnswerEach {
            assert_eq!(world.api_calls()[UPDATE], 1, "nobody has to be sent again");
        }
        world.edit(ids[3], heal).await;
        world.settle().await;
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

/// An answer that carries nothing out, and says this of each person by the last figure of the name.
fn statuses(world: &World, status: impl Fn(usize) -> Value) -> FaultKind {
    let mut result = Map::new();
    for number in 0..10 {
        result.insert(world.resource(&format!("Number {number}")), json!({ "status": status(number) }));
    }
    let body = json!({ "updateResult": result }).to_string();
    FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body }
}

#[tokio::test]
async fn an_update_of_which_the_answer_does_not_say_whether_it_landed_is_repeated_by_the_next_run() {
    let (world, ids) = book().await;
    for id in &ids {
        world.edit(*id, |card| card.notes = Some("met in London".to_owned())).await;
    }
    world.switch(|settings| settings.propagation.delta = Delay::constant(300_000));
    world.google_edit("Number 4", &json!({"nicknames": [{"value": "Four"}]}));
    let stale = "Request person.etag is different than the current person.etag.";
    // The stale one is merged and sent again in the same run, which must leave the others alone.
    let answer = statuses(&world, |number| match number {
        4 => json!({"code": 9, "message": stale}),
        _ => json!({"code": 13, "message": "Internal error encountered."}),
    });
    world.strike(UPDATE, answer);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Unreachable, 1), "{summary:?}");
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 9), "{summary:?}");
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// ---- what an answer hides

/// So many persons on both sides, at rest, in a service that answers updates without a word about the records.
async fn silent(count: usize) -> (World, Vec<ContactId>) {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(world.add(person(&format!("Person {number:02}"))).await);
    }
    world.settle().await;
    world.advance(Duration::from_secs(3600));
    world.switch(|settings| {
        settings.update_answers = UpdateAnswers::Empty;
        settings.bad_items = BadItems::AnswerEach;
    });
    (world, ids)
}

#[tokio::test]
async fn updates_refused_without_a_word_are_found_out_and_named() {
    for count in [1, 9] {
        let (world, ids) = silent(10).await;
        for (place, id) in ids.iter().enumerate() {
            world
                .edit(*id, |card| match place < count {
                    true => spoil(card),
                    false => _ = card.custom.insert("Size".to_owned(), "L".to_owned()),
                })
                .await;
        }
        let summary = world.sync().await;
        assert_eq!(summary.pushed.updated, 10 - count as u64, "{summary:?}");
        let mut failed = BTreeSet::new();
        for _ in 0..3 {
            world.advance(Duration::from_secs(1200));
            let summary = world.sync().await;
            assert_eq!(summary.pushed.updated, 0, "{summary:?}");
            failed.extend(summary.failed.into_iter().map(|failure| failure.contact));
        }
        assert_eq!(failed, ids[..count].iter().map(ToString::to_string).collect(), "{count}");
        for id in &ids[..count] {
            world.edit(*id, heal).await;
        }
        world.settle().await;
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_stale_update_refused_without_a_word_is_merged_and_counted_once() {
    let (world, ids) = silent(10).await;
    for id in &ids {
        world.edit(*id, |card| card.notes = Some("edited".to_owned())).await;
    }
    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    world.google_edit("Person 04", &json!({"nicknames": [{"value": "Nick"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 10), "{summary:?}");
    assert_eq!(as_person(&mut world.contact(ids[4]).await.card).nicknames, ["Nick"]);
    world.advance(Duration::from_secs(3600));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// A run that has news to merge pushes a second time.
#[tokio::test]
async fn a_refused_contact_is_tried_and_named_once_in_a_run() {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..10 {
        ids.push(world.add(person(&format!("Person {number:02}"))).await);
    }
    world.settle().await;
    world.advance(Duration::from_secs(3600));
    for (place, id) in ids.iter().enumerate() {
        world
            .edit(*id, |card| match place {
                3 => spoil(card),
                _ => _ = card.custom.insert("Size".to_owned(), "L".to_owned()),
            })
            .await;
    }
    let mut bad = person("Bad One");
    spoil(&mut bad);
    let bad = world.add(bad).await;
    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    world.google_edit("Person 04", &json!({"nicknames": [{"value": "Nick"}]}));
    let summary = world.sync().await;
    assert_eq!(as_person(&mut world.contact(ids[4]).await.card).nicknames, ["Nick"], "there was news");
    let mut named: Vec<&str> = summary.failed.iter().map(|failure| failure.contact.as_str()).collect();
    named.sort_unstable();
    assert_eq!(named, [ids[3].to_string(), bad.to_string()]);
    for id in [ids[3], bad] {
        assert_eq!(world.link(id).await.parked.unwrap().times, 1, "the next run tries it once more");
    }
}

#[tokio::test]
async fn a_contact_whose_content_is_refused_can_be_deleted() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    let grace = world.add(person("Grace Hopper")).await;
    world.settle().await;
    world.edit(ada, spoil).await;
    let mut bad = person("Bad One");
    spoil(&mut bad);
    let bad = world.add(bad).await;
    for _ in 0..3 {
        world.advance(Duration::from_secs(3600));
        world.sync().await;
    }
    world.delete(ada).await;
    world.delete(bad).await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Grace Hopper"]);
    assert!(world.contact(grace).await.is_live());
    world.assert_at_rest().await;
}

// A batch of any size takes 200 writes of the day's budget. What is left of the day is used up by single writes.
#[tokio::test]
async fn when_the_budget_of_the_day_runs_out_contacts_are_written_one_by_one() {
    let world = World::new();
    world.switch(|settings| settings.quotas.daily_writes = Some(230));
    for number in 0..250 {
        world.add(person(&format!("Number {number}"))).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Unreachable, 200), "{summary:?}");
    world.advance(Duration::from_secs(600));
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Unreachable, 30), "{summary:?}");
    let made = world.api_calls();
    assert_eq!((made.get(CREATE), made.get("people.createContact")), (None, Some(&31)), "{made:?}");
    world.advance(Duration::from_secs(30 * 3600));
    world.count_anew();
    assert_eq!(world.sync().await.pushed.created, 20);
    assert_eq!(world.api_calls().get(CREATE), Some(&1), "a new day");
    world.assert_equal().await;
}

// Filling an address book takes minutes. Somebody edits a contact while the first batch is sent: the edit
// goes out before the second batch.
#[tokio::test]
async fn an_edit_does_not_wait_for_the_end_of_a_backfill() {
    let (mut world, ids) = book().await;
    for number in 0..800 {
        world.add(person(&format!("Later {number}"))).await;
    }
    world.interrupt_at("batchCreate", ids[3], |card| card.notes = Some("urgent".to_owned()));
    let summary = world.sync().await;
    assert_eq!(
        (summary.outcome, summary.pushed.created, summary.pushed.updated),
        (Outcome::Done, 800, 1),
        "{summary:?}"
    );
    let rows = world.store.history(&HistoryQuery::default()).await.unwrap();
    let sent: Vec<ContactId> =
        rows.iter().rev().filter(|row| row.remote.is_some()).map(|row| row.change.contact).collect();
    let place = sent.iter().rposition(|contact| *contact == ids[3]).unwrap();
    assert_eq!(place, ids.len() + 200, "after the first batch");
    assert_eq!(world.api_calls().get(CREATE), Some(&4));
    world.assert_equal().await;
}
