//! A run may be cut off anywhere: the next runs finish it, and nothing is lost, doubled or resurrected.

use contactsync::domain::contact::Card;
use serde_json::json;

use crate::support::fuse::{Cut, Fuse};
use crate::support::world::{World, as_person, person, phone};

/// Some contacts on both sides, equal; then edits, additions and deletions on either side at once.
async fn busy_world() -> World {
    let world = World::new();
    let mut ids = Vec::new();
    for name in ["Ada King", "Grace Hopper", "Alan Turing", "Edsger Dijkstra", "Barbara Liskov", "Donald Knuth"] {
        ids.push(world.add(person(name)).await);
    }
    world.add(Card::organization("Example GmbH")).await;
    world.sync().await;
    world.edit(ids[0], |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    world.edit(ids[1], |card| as_person(card).job_title = Some("Admiral".into())).await;
    world.google_edit("Alan Turing", &json!({"nicknames": [{"value": "Prof"}]}));
    world.delete(ids[3]).await;
    world.google_delete("Barbara Liskov");
    world.add(person("Margaret Hamilton")).await;
    world.google_create(
        json!({"names": [{"givenName": "Katherine", "familyName": "Johnson"}], "organizations": [{"name": "NACA"}]}),
        &["Team"],
    );
    world
}

const SURVIVORS: [&str; 6] =
    ["Ada King", "Alan Turing", "Donald Knuth", "Grace Hopper", "Katherine Johnson", "Margaret Hamilton"];

async fn assert_sound(world: &World, at: &str) {
    let mut names: Vec<String> = world
        .contacts()
        .await
        .into_iter()
        .filter(|contact| contact.card.as_person().is_some())
        .map(|contact| contact.card.display_name())
        .collect();
    names.sort();
    assert_eq!(names, SURVIVORS, "{at}");
    assert_eq!(world.people().len(), SURVIVORS.len() + 1, "{at}: people in Google");
    let ada = world.by_name("Ada King").await.card;
    assert_eq!((ada.notes.as_deref(), ada.phones.len()), (Some("met in London"), 1), "{at}");
    world.assert_equal().await;
    world.assert_no_violation();
}

#[tokio::test]
async fn a_run_that_is_not_cut_off_makes_both_sides_equal() {
    let world = busy_world().await;
    world.sync().await;
    assert_sound(&world, "after one run").await;
    assert_eq!(world.settle().await, 1, "a second run has nothing to do");
}

#[tokio::test]
async fn a_crash_at_any_step_loses_and_doubles_nothing() {
    let mut world = busy_world().await;
    let counting = Fuse::counting();
    world.fuse(&counting);
    world.sync_or_crash().expect("the fuse does not blow");
    let steps = counting.steps();
    assert!(steps > 20, "{steps} steps are too few to prove anything");
    for cut in [Cut::Before, Cut::After] {
        for step in 0..steps {
            let mut world = busy_world().await;
            world.fuse(&Fuse::at(step, cut));
            assert!(world.sync_or_crash().is_none(), "step {step} was not reached");
            world.unfuse();
            world.settle().await;
            assert_sound(&world, &format!("cut {cut:?} step {step}")).await;
        }
    }
}

#[tokio::test]
async fn two_crashes_in_a_row_lose_and_double_nothing() {
    for first in (0..40).step_by(3) {
        for second in (0..40).step_by(7) {
            let mut world = busy_world().await;
            for step in [first, second] {
                world.fuse(&Fuse::at(step, Cut::After));
                world.sync_or_crash();
                world.unfuse();
            }
            world.settle().await;
            assert_sound(&world, &format!("cut at {first}, then at {second}")).await;
        }
    }
}
