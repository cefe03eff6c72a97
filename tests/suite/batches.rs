//! Many contacts at once: how few calls they take, and what becomes of the bad ones among them.

use contactsync::domain::account::Outcome;

use crate::support::effort::calls;
use crate::support::world::{World, person};

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
