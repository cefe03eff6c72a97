//! Other settings than last time: what they decide is decided anew, also about what nobody has touched since.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{Direction, Strangers};
use contactsync::engine::Licence;
use serde_json::json;

use crate::support::fuse::{Cut, Fuse};
use crate::support::world::{World, pair, person, promise};

const HOUR: Duration = Duration::from_secs(3600);

fn somebody(name: &str) -> serde_json::Value {
    json!({"names": [{"givenName": name}]})
}

#[tokio::test]
async fn members_of_the_group_of_a_new_pair_come_in_although_nobody_touched_them() {
    let mut world = World::new();
    world.by_hand(|user| user.create_group("Choir").expect("a group"));
    world.google_create(somebody("Ada"), &["Choir"]);
    world.settle().await;
    assert!(world.contacts().await.is_empty(), "in no pair's group");
    world.advance(HOUR);
    world.promise.pairs.push(pair("Choir"));
    world.settings = "two".to_owned();
    world.settle().await;
    assert_eq!(world.contacts().await.len(), 1);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn contacts_left_alone_come_in_once_they_may() {
    let mut promise = promise();
    promise.pairs[0].strangers = Strangers::LeaveAlone;
    let mut world = World::with(promise);
    world.settle().await;
    world.google_create(somebody("Ada"), &["Team"]);
    world.settle().await;
    assert!(world.contacts().await.is_empty(), "left alone");
    world.advance(HOUR);
    world.promise.pairs[0].strangers = Strangers::Adopt;
    world.settings = "two".to_owned();
    world.settle().await;
    assert_eq!(world.contacts().await.len(), 1);
    world.assert_at_rest().await;
}

/// More contacts than are looked at together wait to be pushed, and the run that looks at them anew is cut off.
#[tokio::test]
async fn a_look_at_everybody_that_was_cut_off_is_taken_up_again() {
    for step in 0..8 {
        let mut world = World::new();
        let mut ids = Vec::new();
        for number in 0..450 {
            ids.push(world.add(person(&format!("Person {number}"))).await);
        }
        world.settle().await;
        world.advance(HOUR);
        world.promise.direction = Direction::FromRemote;
        world.settings = "two".to_owned();
        world.settle().await;
        let last = ids[449];
        world.edit(last, |card| card.notes = Some("met in Paris".to_owned())).await;
        world.settle().await;
        world.advance(HOUR);
        world.promise.direction = Direction::TwoWay;
        world.settings = "three".to_owned();
        world.fuse(&Fuse::at(step, Cut::After));
        world.sync_or_crash();
        world.unfuse();
        world.advance(HOUR);
        world.settle().await;
        let notes = world.person("Person 449")["biographies"][0]["value"].clone();
        assert_eq!(notes, "met in Paris", "cut off at step {step}");
    }
}

/// So many contacts with the label `Customer`, the last ten with `Partner` as well, all in the group; and one that came
/// in from the group and has no label.
async fn labelled(count: usize) -> (World, Vec<ContactId>) {
    let mut promise = promise();
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    let world = World::with(promise);
    let mut ids = Vec::new();
    for number in 0..count {
        let mut card = person(&format!("Person {number:02}"));
        card.labels.insert("Customer".to_owned());
        if number + 10 >= count {
            card.labels.insert("Partner".to_owned());
        }
        ids.push(world.add(card).await);
    }
    world.settle().await;
    world.google_create(somebody("Adopted"), &["Team"]);
    world.settle().await;
    world.advance(48 * HOUR);
    (world, ids)
}

fn members(world: &World) -> usize {
    world.google_names().iter().filter(|name| world.groups_of(name).contains(&"Team".to_owned())).count()
}

#[tokio::test]
async fn a_narrowed_selection_unlinks_and_deletes_nothing() {
    let (mut world, ids) = labelled(50).await;
    assert_eq!(members(&world), 51);
    world.promise.pairs[0].labels = vec!["Partner".to_owned()];
    world.settings = "two".to_owned();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Parked, 40), "{summary:?}");
    assert!(summary.notices.iter().any(|notice| notice.contains("guard.max_left_groups")), "{summary:?}");
    let run = world.last_run().await;
    world.advance(HOUR);
    // What waits is not forgotten meanwhile.
    assert_eq!(world.sync().await.parked, 40);
    let summary = world.sync_under(&Licence::Approved(run)).await;
    assert_eq!((summary.outcome, summary.pushed.updated, summary.parked), (Outcome::Done, 40, 0), "{summary:?}");
    assert_eq!((summary.pushed.deleted, summary.pulled.total()), (0, 0), "{summary:?}");
    assert_eq!((world.people().len(), world.contacts().await.len()), (51, 51), "nothing is deleted");
    assert_eq!(members(&world), 11, "whoever was taken in from the group stays in it");
    for id in &ids[..40] {
        let link = world.link(*id).await;
        assert_eq!((link.state, link.remote.is_some()), (LinkState::Unselected, true), "the link is kept");
    }
    world.advance(HOUR);
    world.assert_at_rest().await;

    // And back: the same records come into the group again.
    world.promise.pairs[0].labels = vec!["Customer".to_owned()];
    world.settings = "three".to_owned();
    world.settle().await;
    assert_eq!((members(&world), world.people().len()), (51, 51));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_pair_that_is_removed_leaves_everything_as_it_is() {
    let (mut world, ids) = labelled(20).await;
    world.promise.guard.max_unlinks = contactsync::domain::pair::Limit::Percent(100.0);
    world.promise.pairs = vec![pair("Choir")];
    world.promise.pairs[0].labels = vec!["Singer".to_owned()];
    world.settings = "two".to_owned();
    let before = world.people();
    world.settle().await;
    assert_eq!((world.contacts().await.len(), members(&world)), (21, 21));
    assert_eq!(world.people(), before, "no record was touched");
    assert_eq!(world.link(ids[0]).await.state, LinkState::Unselected);
    // Edits on either side stay where they are.
    world.edit(ids[0], |card| card.notes = Some("here".to_owned())).await;
    world.google_delete("Person 01");
    world.settle().await;
    assert_eq!(world.contacts().await.len(), 21);
    assert!(world.person("Person 00").get("biographies").is_none());
    world.assert_at_rest().await;
}
