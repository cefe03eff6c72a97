//! What Google cannot hold of a contact is told before it is carried there, and stays in the store.

use std::time::Duration;

use contactsync::engine::{Purpose, Reach};
use contactsync::store::memory::MemoryStore;

use contactsync::clock::SeededEntropy;

use crate::support::world::{World, as_person, person, promise};

const TOO_LONG: &str = "Google cannot hold everything: the notes are longer than";
const NICKNAME: &str = "Google cannot hold everything: 1 of the nicknames are longer than";

fn told<'n>(notices: &'n [String], start: &str) -> Vec<&'n String> {
    notices.iter().filter(|notice| notice.starts_with(start)).collect()
}

#[tokio::test]
async fn what_cannot_be_carried_is_told_before_with_counts_and_ids() {
    let memory = std::sync::Arc::new(MemoryStore::new(&SeededEntropy::new(7)));
    let world = World::on(memory.clone(), promise());
    let mut ids = Vec::new();
    for number in 0..5 {
        let mut card = person(&format!("Person {number}"));
        // The owner is the store's alone, which is no loss.
        card.owner = Some("sales@example.org".to_owned());
        as_person(&mut card).nicknames.push("n".repeat(2_000));
        if number == 0 {
            card.notes = Some("x".repeat(200_000));
        }
        ids.push(world.add(card).await);
    }
    ids.sort();
    let plan = world.run_on(&memory.snapshot(), Reach::Incremental, Purpose::Preview).await;
    let named = ids[..3].iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let losses = told(&plan.summary.notices, NICKNAME);
    assert_eq!(losses.len(), 1, "{:?}", plan.summary.notices);
    assert!(losses[0].ends_with(&format!("(5 contacts: {named} and 2 more)")), "{losses:?}");
    assert!(!plan.summary.notices.iter().any(|notice| notice.contains("owner")), "{:?}", plan.summary.notices);
    assert_eq!(told(&plan.summary.notices, TOO_LONG).len(), 1, "{:?}", plan.summary.notices);
    let summary = world.sync().await;
    assert_eq!(told(&summary.notices, NICKNAME).len(), 1, "{summary:?}");
    world.advance(Duration::from_secs(3600));
    assert_eq!(world.sync().await.notices, [] as [String; 0], "it was told");

    // A later edit that cannot be carried is told as well, even though nothing else is sent.
    world.edit(ids[1], |card| card.notes = Some("y".repeat(200_000))).await;
    let summary = world.sync().await;
    assert_eq!(told(&summary.notices, TOO_LONG).len(), 1, "{summary:?}");
    assert!(summary.notices[0].contains(&ids[1].to_string()), "{summary:?}");
    assert_eq!(told(&summary.notices, NICKNAME).len(), 0, "{summary:?}");
    assert_eq!(world.sync().await.notices, [] as [String; 0]);
    assert_eq!(world.contact(ids[1]).await.card.notes.map(|notes| notes.len()), Some(200_000));
}
