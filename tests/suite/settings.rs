//! Other settings than last time: what they decide is decided anew, also about what nobody has touched since.

use std::time::Duration;

use contactsync::domain::pair::{Direction, Strangers};
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
