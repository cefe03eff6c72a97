//! A backup of the store is put back: what was done since is not undone in Google, and nothing is lost or doubled.

use std::sync::Arc;
use std::time::Duration;

use contactsync::clock::SeededEntropy;
use contactsync::domain::account::Outcome;
use contactsync::domain::id::{ContactId, ReplicaId};
use contactsync::store::memory::MemoryStore;

use crate::support::hands::first;
use crate::support::world::{World, person, promise};

const HOUR: Duration = Duration::from_secs(3600);

/// Three persons on both sides, and a backup of that. Then Ada is edited, Grace is deleted and Emmy added in the store,
/// all of that reaches Google, and the backup is put back.
async fn restored() -> (World, [ContactId; 3]) {
    let store = Arc::new(MemoryStore::new(&SeededEntropy::new(7)));
    let mut world = World::on(store.clone(), promise());
    let mut ids = Vec::new();
    for name in ["Ada King", "Grace Hopper", "Alan Turing"] {
        ids.push(world.add(person(name)).await);
    }
    world.settle().await;
    let backup = store.snapshot();
    world.advance(HOUR);
    world.edit(ids[0], |card| card.notes = Some("after the backup".to_owned())).await;
    world.delete(ids[1]).await;
    world.add(person("Emmy Noether")).await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King", "Alan Turing", "Emmy Noether"]);
    world.advance(HOUR);
    world.restore_store(Arc::new(backup));
    (world, ids.try_into().unwrap())
}

#[tokio::test]
async fn what_was_done_since_the_backup_comes_back_and_one_run_deletes_nothing() {
    let (world, [ada, grace, _]) = restored().await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Unreachable, "{summary:?}");
    assert!(summary.notices.iter().any(|notice| notice.contains("a backup was restored")), "{summary:?}");
    assert_eq!((summary.pulled.deleted, summary.pushed.deleted), (0, 0), "{summary:?}");
    assert!(world.contact(grace).await.is_live());
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("after the backup"));
    assert_eq!(world.store_names().await, ["Ada King", "Alan Turing", "Emmy Noether", "Grace Hopper"]);
    assert_eq!(world.google_names(), ["Ada King", "Alan Turing", "Emmy Noether"]);

    world.settle().await;
    assert!(!world.contact(grace).await.is_live(), "her record was deleted, and nobody objected");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// What was restored on purpose is edited before the second run: the edit outlives the deletion.
#[tokio::test]
async fn who_is_wanted_back_is_edited_and_made_again() {
    let (world, [_, grace, _]) = restored().await;
    world.sync().await;
    world.edit(grace, |card| card.notes = Some("wanted".to_owned())).await;
    world.settle().await;
    assert!(world.contact(grace).await.is_live());
    assert_eq!(first(&world.person("Grace Hopper"), "biographies", "value"), Some("wanted"));
    world.assert_equal().await;
}

// The restored store counts on from where it was; its counters must not be taken for those of the forgotten time.
#[tokio::test]
async fn edits_after_the_restore_belong_to_a_new_epoch() {
    let (world, [ada, ..]) = restored().await;
    world.sync().await;
    assert_eq!(world.store.identity().await.unwrap().epoch, 2);
    world.edit(ada, |card| card.notes = Some("in the new epoch".to_owned())).await;
    let version = world.contact(ada).await.version;
    assert_eq!((version.get(&ReplicaId::store(2)), version.display()["store"]), (1, 2));
    world.settle().await;
    assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("in the new epoch"));
    assert_eq!(world.store.identity().await.unwrap().epoch, 2, "once is enough");
    world.assert_equal().await;
}

// The backup is minutes old, and everything was listed minutes ago: the runs until the next listing go on with what changed,
// and still delete nothing.
#[tokio::test]
async fn a_backup_put_back_at_once_waits_for_its_listing_and_goes_on() {
    let store = Arc::new(MemoryStore::new(&SeededEntropy::new(7)));
    let mut world = World::on(store.clone(), promise());
    let ada = world.add(person("Ada King")).await;
    world.sync().await;
    let backup = store.snapshot();
    world.edit(ada, |card| card.notes = Some("after the backup".to_owned())).await;
    world.sync().await;
    world.restore_store(Arc::new(backup));
    for _ in 0..2 {
        let summary = world.sync().await;
        assert_eq!(summary.outcome, Outcome::Unreachable, "{summary:?}");
        assert!(summary.notices.iter().any(|notice| notice.contains("a backup was restored")), "{summary:?}");
        assert!(!summary.error.unwrap_or_default().contains("a full listing is needed"));
    }
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("after the backup"));
    world.advance(HOUR);
    world.settle().await;
    world.assert_equal().await;
}
