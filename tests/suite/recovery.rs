//! Creates whose answer was lost: found at once in their group although the listings do not show them yet, and waited
//! for when they are not found there.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::{Delay, Propagation};
use serde_json::json;

use crate::support::effort::calls;
use crate::support::world::{World, as_person, pair, person, promise};

const MINUTE: Duration = Duration::from_secs(60);
const LIST: &str = "people.connections.list";
const GROUPS: &str = "contactGroups.list";
const MEMBERS: &str = "contactGroups.get";
const FETCH: &str = "people.getBatchGet";

/// Two persons on both sides, at rest for an hour; from now on the change stream shows everything ten minutes late.
async fn book() -> World {
    let world = World::new();
    for name in ["Ada King", "Grace Hopper"] {
        world.add(person(name)).await;
    }
    world.settle().await;
    world.advance(60 * MINUTE);
    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    world
}

/// Adds persons to the store and meets trouble with creating them.
async fn lose(world: &World, count: u32, kind: FaultKind) -> Vec<ContactId> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(world.add(person(&format!("Number {number}"))).await);
    }
    world.strike(if count < 7 { "people.createContact" } else { "people.batchCreateContacts" }, kind);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Unreachable, 0), "{summary:?}");
    world.advance(MINUTE);
    world.count_anew();
    ids
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_bound_by_the_next_run_before_the_stream_shows_it() {
    let world = book().await;
    let ids = lose(&world, 1, FaultKind::DropAfter).await;
    assert_eq!(world.link(ids[0]).await.state, LinkState::Creating);
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    assert_eq!(world.api_calls(), calls(&[(LIST, 1), (GROUPS, 1), (MEMBERS, 1), (FETCH, 1)]));
    let link = world.link(ids[0]).await;
    assert_eq!(link.remote.map(|id| id.to_string()), Some(world.resource("Number 0")));
    assert_eq!(link.state, LinkState::Bound);
    world.assert_quiet(contactsync::engine::Reach::Incremental).await;
    world.advance(20 * MINUTE);
    world.assert_at_rest().await;
    world.assert_equal().await;
}

#[tokio::test]
async fn a_lost_batch_is_bound_with_two_calls() {
    let world = book().await;
    lose(&world, 30, FaultKind::Truncate).await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    assert_eq!(world.api_calls(), calls(&[(LIST, 1), (GROUPS, 1), (MEMBERS, 1), (FETCH, 1)]));
    world.advance(20 * MINUTE);
    world.assert_at_rest().await;
    world.assert_equal().await;
}

#[tokio::test]
async fn of_a_batch_that_was_carried_out_in_part_that_part_is_bound() {
    let world = book().await;
    let ids = lose(&world, 8, FaultKind::HalfApplied).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, world.people().len()), (Outcome::Unreachable, 6), "{summary:?}");
    let mut bound = 0;
    for id in &ids {
        bound += u32::from(world.link(*id).await.state == LinkState::Bound);
    }
    assert_eq!(bound, 4);
    world.advance(20 * MINUTE);
    world.settle().await;
    world.assert_at_rest().await;
    world.assert_equal().await;
}

// Nobody knows whether the create will still land: that it is not in the group yet does not make it fail.
#[tokio::test]
async fn a_create_that_is_not_found_in_its_group_is_waited_for() {
    let world = book().await;
    lose(&world, 1, FaultKind::ApplyLate(5 * 60_000)).await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Unreachable, "{summary:?}");
    let looked = calls(&[(LIST, 1), (GROUPS, 1), (MEMBERS, 1)]);
    assert_eq!(world.api_calls(), looked, "nobody in the group is unknown, and nothing is sent again");
    world.advance(6 * MINUTE);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, world.people().len()), (Outcome::Done, 3), "{summary:?}");
    world.advance(20 * MINUTE);
    world.assert_at_rest().await;
    world.assert_equal().await;
}

// It counts one more than it shows, and that may be the one.
#[tokio::test]
async fn a_listing_that_shows_less_than_it_counts_does_not_settle_a_create() {
    let world = book().await;
    let late = Delay::constant(20 * 60_000);
    world.switch(|settings| settings.propagation = Propagation { get: late, list: late, delta: late });
    lose(&world, 1, FaultKind::DropAfter).await;
    world.advance(16 * MINUTE);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Unreachable, 0), "{summary:?}");
    world.switch(|settings| settings.propagation = Propagation::default());
    world.advance(20 * MINUTE);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 0), "{summary:?}");
    assert_eq!(world.people().len(), 3);
    world.assert_equal().await;
}

#[tokio::test]
async fn once_a_full_listing_has_settled_a_create_its_group_is_not_looked_into() {
    let world = book().await;
    lose(&world, 1, FaultKind::Drop).await;
    world.advance(16 * MINUTE);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 1), "{summary:?}");
    assert_eq!(world.api_calls(), calls(&[(LIST, 1), (GROUPS, 1), ("people.createContact", 1)]));
}

#[tokio::test]
async fn only_the_group_of_the_lost_create_is_looked_into() {
    let mut promise = promise();
    promise.pairs = ["Customers", "Suppliers"].map(pair).to_vec();
    for pair in &mut promise.pairs {
        pair.labels = vec![pair.group.to_lowercase()];
    }
    let world = World::with(promise);
    let labelled = |name: &str, label: &str| {
        let mut card = person(name);
        card.labels.insert(label.to_owned());
        card
    };
    world.add(labelled("Ada King", "customers")).await;
    world.settle().await;
    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    world.add(labelled("Grace Hopper", "suppliers")).await;
    world.strike("people.createContact", FaultKind::DropAfter);
    world.sync().await;
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    assert_eq!(world.api_calls(), calls(&[(LIST, 1), (GROUPS, 1), (MEMBERS, 1), (FETCH, 1)]));
}

#[tokio::test]
async fn a_group_that_cannot_be_read_keeps_nothing_from_being_done() {
    let world = book().await;
    lose(&world, 1, FaultKind::DropAfter).await;
    world.switch(|settings| settings.propagation.delta = Delay::default());
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    let grace = world.by_name("Grace Hopper").await.id;
    world.edit(grace, |card| card.notes = Some("Admiral".to_owned())).await;
    for trouble in [FaultKind::Status(404), FaultKind::Status(503)] {
        world.strike_always(MEMBERS, trouble.clone());
        world.count_anew();
        let summary = world.sync().await;
        world.calm();
        assert_eq!(summary.outcome, Outcome::Unreachable, "{summary:?}");
        assert!(world.api_calls().contains_key(MEMBERS), "{trouble:?}");
    }
    assert_eq!(world.by_name("Ada King").await.card.notes.as_deref(), Some("met in London"));
    assert_eq!(world.person("Grace Hopper")["biographies"][0]["value"], "Admiral");
    let summary = world.sync().await;
    assert_eq!((summary.outcome, world.people().len()), (Outcome::Done, 3), "{summary:?}");
}

// The read after a refused etag shows a state from before the one that is known: it is no news, and the same write would
// be refused again.
#[tokio::test]
async fn a_stale_etag_is_not_tried_again_before_a_read_shows_why() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.advance(Duration::from_secs(3600));
    world.switch(|settings| {
        settings.propagation.get = Delay::constant(600_000);
        settings.propagation.delta = Delay::constant(600_000);
    });
    world.edit(ada, |card| card.notes = Some("met in London".to_owned())).await;
    world.sync().await;
    world.google_edit("Ada King", &json!({"organizations": [{"title": "Countess"}]}));
    world.edit(ada, |card| card.notes = Some("met in Paris".to_owned())).await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Unreachable, "work is left: {summary:?}");
    assert!(summary.calls <= 4, "groups, contacts, the update, the read: {summary:?}");
    world.switch(|settings| settings.propagation = Default::default());
    world.advance(Duration::from_secs(3600));
    world.settle().await;
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("met in Paris"));
    assert_eq!(as_person(&mut world.contact(ada).await.card).job_title.as_deref(), Some("Countess"));
    world.assert_equal().await;
}

// Some records make the remote fail whatever is written to them.
#[tokio::test]
async fn a_record_that_is_never_answered_for_keeps_nobody_else_waiting() {
    let world = book().await;
    let ada = world.by_name("Ada King").await.id;
    world.edit(ada, |card| card.notes = Some("never answered".to_owned())).await;
    world.strike_always("people.updateContact", FaultKind::Status(500));
    for _ in 0..3 {
        world.sync().await;
        world.advance(Duration::from_secs(600));
    }
    world.add(person("Emmy Noether")).await;
    let summary = world.sync().await;
    assert!(world.has_person("Emmy Noether"), "{summary:?}");
    assert_eq!(summary.outcome, Outcome::Parked);
    assert!(summary.failed.iter().any(|failure| failure.contact == ada.to_string()), "{summary:?}");
    world.calm();
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}
