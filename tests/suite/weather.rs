//! A service on a bad day: trouble of every kind drawn for each call, answers that come too late, etags that change by
//! themselves, tokens of a short life. Nothing is lost or doubled, and nothing is done that a careful client does not do.

use std::time::Duration;

use contactsync::clock::Clock as _;
use contactsync::domain::account::Outcome;
use contactsync::emulator::fault::{Fault, FaultKind};
use serde_json::json;

use crate::support::world::{World, person, phone};

const MINUTES_20: Duration = Duration::from_secs(20 * 60);

/// Twelve persons on both sides, at rest.
async fn book() -> (World, Vec<contactsync::domain::id::ContactId>) {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(world.add(person(&format!("Person {number:02}"))).await);
    }
    world.settle().await;
    world.advance(Duration::from_secs(3600));
    (world, ids)
}

// 40 seconds are longer than anybody waits for an answer.
#[tokio::test]
async fn trouble_of_every_kind_loses_and_doubles_nothing() {
    let (world, ids) = book().await;
    let kinds = vec![
        FaultKind::Status(500),
        FaultKind::Status(502),
        FaultKind::Status(503),
        FaultKind::StatusAfter(503),
        FaultKind::Delay(2_000),
        FaultKind::Delay(40_000),
        FaultKind::Truncate,
        FaultKind::Drop,
        FaultKind::DropAfter,
        FaultKind::HalfApplied,
    ];
    let fault = Fault { times: None, permille: 250, ..Fault::once("people.*", FaultKind::OneOf(kinds)) };
    world.emulator().faults_mut().push(fault);
    for (round, id) in ids.iter().enumerate().take(8) {
        world.add(person(&format!("Guest {round}"))).await;
        world.edit(*id, |card| card.phones.push(phone(&format!("+44 20 7946 {round:04}")))).await;
        world.google_edit(&format!("Person {:02}", 11 - round), &json!({"biographies": [{"value": "from Google"}]}));
        world.sync().await;
        world.advance(MINUTES_20);
    }
    world.calm();
    world.settle().await;
    assert_eq!(world.people().len(), 20);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_lost_one() {
    let (world, ids) = book().await;
    world.edit(ids[0], |card| card.notes = Some("edited".to_owned())).await;
    world.strike("people.updateContact", FaultKind::Delay(40_000));
    let before = world.clock.now();
    world.sync().await;
    assert!(world.clock.now().since(before) >= Duration::from_secs(30), "it was waited for");
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn etags_that_change_by_themselves_are_no_edits_and_keep_no_edit_from_being_written() {
    let (world, ids) = book().await;
    world.switch(|settings| settings.background_bumps = 3);
    for _ in 0..3 {
        world.count_anew();
        let summary = world.sync().await;
        assert_eq!(
            (summary.outcome, summary.pulled.total(), summary.pushed.total()),
            (Outcome::Done, 0, 0),
            "{summary:?}"
        );
        assert_eq!(world.write_calls(), 0);
        world.advance(MINUTES_20);
    }
    for id in &ids {
        world.edit(*id, |card| card.notes = Some("edited".to_owned())).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 12), "{summary:?}");
    world.assert_equal().await;
    world.switch(|settings| settings.background_bumps = 0);
    world.settle().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn tokens_of_a_short_life_are_replaced_in_time() {
    let world = World::new();
    world.switch(|settings| {
        settings.access_token_lifetime_s = 600;
        settings.sync_token_lifetime_s = 1_800;
    });
    for round in 0..6 {
        world.add(person(&format!("Person {round}"))).await;
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 1), "{summary:?}");
        world.advance(MINUTES_20);
    }
    world.assert_equal().await;
    world.assert_at_rest().await;
}
