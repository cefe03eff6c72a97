//! The store refuses a commit, as when the disk is full for a moment: what was seen is not taken for done.

use contactsync::domain::account::Outcome;
use serde_json::json;

use crate::support::fuse::{Cut, Fuse};
use crate::support::world::{World, person};

/// One commit after the other is refused, each in a world of its own. What the run was about is made up for by the next
/// runs, without a full listing.
#[tokio::test]
async fn a_refused_commit_loses_nothing_that_was_seen() {
    let mut refused = 0;
    for step in 0..12 {
        let mut world = World::new();
        world.add(person("Ada King")).await;
        world.settle().await;
        world.google_edit("Ada King", &json!({"biographies": [{"value": "met in Paris"}]}));
        world.add(person("Grace Hopper")).await;
        world.fuse(&Fuse::at(step, Cut::Refused));
        let summary = world.sync().await;
        refused += u32::from(summary.outcome == Outcome::Unreachable);
        world.unfuse();
        world.settle().await;
        world.assert_equal().await;
        let ada = world.by_name("Ada King").await;
        assert_eq!(ada.card.notes.as_deref(), Some("met in Paris"), "commit {step} was refused");
        assert!(world.has_person("Grace Hopper"), "commit {step} was refused");
    }
    assert!(refused >= 5, "only {refused} runs met the refusal");
}
