//! A conflict that waits for a person, and what happens once the person has decided.

use std::time::Duration;

use contactsync::contacts::edit::Editor;
use contactsync::domain::account::Outcome;
use contactsync::domain::history::Actor;
use contactsync::domain::id::ContactId;
use contactsync::domain::policy::{ConflictPolicy, Winner};
use contactsync::store::HistoryQuery;
use serde_json::json;

use crate::support::world::{World, as_person, person, promise};

/// Both sides changed the job title, and nobody decided.
async fn waiting_world() -> (World, ContactId) {
    let mut promise = promise();
    promise.conflict = ConflictPolicy::Manual;
    let world = World::with(promise);
    let id = world.add(person("Ada King")).await;
    world.sync().await;
    world.edit(id, |card| as_person(card).job_title = Some("CTO".into())).await;
    world.google_edit("Ada King", &json!({"organizations": [{"title": "CEO"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts), (Outcome::Parked, 1), "{summary:?}");
    (world, id)
}

async fn decide(world: &World, id: ContactId, winner: Winner) {
    let conflict = world.store.open_conflicts(Some(id)).await.unwrap().pop().expect("a conflict waits");
    let editor = Editor {
        store: world.store.as_ref(),
        clock: world.clock.as_ref(),
        entropy: world.entropy.as_ref(),
        actor: Actor::User,
    };
    world.tick();
    editor.resolve(&conflict, winner).await.expect("resolved");
}

fn title_there(world: &World) -> serde_json::Value {
    world.person("Ada King")["organizations"][0]["title"].clone()
}

async fn title_here(world: &World, id: ContactId) -> Option<String> {
    world.contact(id).await.card.as_person().unwrap().job_title.clone()
}

#[tokio::test]
async fn each_side_keeps_its_value_while_a_conflict_waits() {
    let (world, id) = waiting_world().await;
    for _ in 0..3 {
        let summary = world.sync().await;
        assert_eq!((summary.pulled.total(), summary.pushed.total(), summary.conflicts), (0, 0, 0), "{summary:?}");
    }
    assert_eq!((title_here(&world, id).await.as_deref(), title_there(&world)), (Some("CTO"), json!("CEO")));
}

#[tokio::test]
async fn the_value_that_lost_a_decision_is_in_the_history() {
    for winner in [Winner::Store, Winner::Remote] {
        let (world, id) = waiting_world().await;
        // Changed again while the conflict waits: no merge has noted this one.
        world.google_edit("Ada King", &json!({"organizations": [{"title": "Chair"}]}));
        world.sync().await;
        decide(&world, id, winner).await;
        let last = world.history(id).await.into_iter().next().expect("a change");
        let conflict = last.conflicts.first().expect("the decision");
        assert_eq!((&conflict.store, &conflict.remote, conflict.winner), (&json!("CTO"), &json!("Chair"), winner));
    }
}

#[tokio::test]
async fn the_stores_value_goes_to_the_remote_once_it_is_taken() {
    let (world, id) = waiting_world().await;
    decide(&world, id, Winner::Store).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 1), "{summary:?}");
    assert_eq!((title_here(&world, id).await.as_deref(), title_there(&world)), (Some("CTO"), json!("CTO")));
    assert_eq!(world.settle().await, 1);
}

#[tokio::test]
async fn the_remotes_value_comes_into_the_store_once_it_is_taken() {
    let (world, id) = waiting_world().await;
    decide(&world, id, Winner::Remote).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.total()), (Outcome::Done, 0), "{summary:?}");
    assert_eq!((title_here(&world, id).await.as_deref(), title_there(&world)), (Some("CEO"), json!("CEO")));
}

#[tokio::test]
async fn a_value_that_changes_while_its_conflict_waits_is_the_one_that_is_decided_about() {
    // Both edit. Nobody decides. Google edits again. The person takes Google's value.
    let (world, id) = waiting_world().await;
    world.google_edit("Ada King", &json!({"organizations": [{"title": "Chair"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.pulled.total(), summary.pushed.total()), (0, 0), "{summary:?}");
    decide(&world, id, Winner::Remote).await;
    world.sync().await;
    assert_eq!((title_here(&world, id).await.as_deref(), title_there(&world)), (Some("Chair"), json!("Chair")));
}

// What waits in the store never went to Google: whoever deletes the record there has not seen it.
#[tokio::test]
async fn a_value_that_waits_outlives_the_deletion_of_the_record() {
    let (world, id) = waiting_world().await;
    world.edit(id, |card| card.notes = Some("sent and known".to_owned())).await;
    world.sync().await;
    world.advance(Duration::from_secs(3600));
    world.google_delete("Ada King");
    for _ in 0..4 {
        world.sync().await;
        world.advance(Duration::from_secs(1200));
    }
    assert!(world.contact(id).await.is_live());
    assert_eq!((title_here(&world, id).await.as_deref(), title_there(&world)), (Some("CTO"), json!("CTO")));
}

// With the record goes what there was to decide: one that is made in its place is the store's.
#[tokio::test]
async fn a_conflict_ends_with_its_record() {
    let (world, id) = waiting_world().await;
    world.advance(Duration::from_secs(3600));
    world.google_delete("Ada King");
    world.settle().await;
    assert!(world.store.open_conflicts(None).await.unwrap().is_empty());
    world.edit(id, |card| as_person(card).job_title = Some("CFO".into())).await;
    world.settle().await;
    assert_eq!((title_here(&world, id).await.as_deref(), title_there(&world)), (Some("CFO"), json!("CFO")));
}

#[tokio::test]
async fn what_waited_on_a_record_that_went_with_its_contact_is_in_the_history() {
    let (world, id) = waiting_world().await;
    // Changed again while the conflict waits: no merge has noted this one.
    world.google_edit("Ada King", &json!({"organizations": [{"title": "Chair"}]}));
    world.sync().await;
    world.advance(Duration::from_secs(3600));
    world.delete(id).await;
    world.settle().await;
    assert!(world.people().is_empty());
    assert!(world.store.open_conflicts(None).await.unwrap().is_empty());
    let query = HistoryQuery { contact: Some(id), ..HistoryQuery::default() };
    let rows = world.store.history(&query).await.unwrap();
    let told = rows.iter().flat_map(|row| &row.change.conflicts).find(|conflict| conflict.remote == json!("Chair"));
    assert_eq!(told.map(|conflict| (&conflict.store, conflict.winner)), Some((&json!("CTO"), Winner::Store)));
}
