//! Contacts restored in the store whose records were left alone when they were deleted, and those that a user parted on
//! purpose: the former are linked to their records again, the latter stay as they are.

use std::time::Duration;

use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{Direction, InStore, Promise};
use contactsync::emulator::ReturnName;
use contactsync::emulator::settings::Delay;
use serde_json::json;

use crate::support::world::{World, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);

/// Deletions in the store leave records alone.
fn unlinking() -> Promise {
    let mut promise = promise();
    promise.delete.in_store = InStore::Unlink;
    promise
}

/// Two persons on both sides; Ada is deleted in the store, and her record is left alone.
async fn without_ada(promise: Promise) -> (World, ContactId) {
    let world = World::with(promise);
    let ada = world.add(person("Ada King")).await;
    world.add(person("Grace Hopper")).await;
    world.settle().await;
    world.advance(HOUR);
    world.delete(ada).await;
    world.settle().await;
    assert!(world.has_person("Ada King"));
    world.advance(HOUR);
    (world, ada)
}

#[tokio::test]
async fn a_restored_contact_is_linked_again_to_its_record() {
    let (world, ada) = without_ada(unlinking()).await;
    let resource = world.resource("Ada King");
    world.google_edit("Ada King", &json!({"biographies": [{"value": "meanwhile"}]}));
    world.settle().await;
    world.restore(ada).await;
    world.edit(ada, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.settle().await;
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("meanwhile"));
    assert_eq!(world.resource("Ada King"), resource, "the same record");
    assert_eq!(world.link(ada).await.state, LinkState::Bound);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The contact has no label of the pair: it belongs there only because its record is in the group.
#[tokio::test]
async fn a_restored_contact_that_only_the_group_selects_is_linked_again() {
    let mut promise = unlinking();
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    let world = World::with(promise);
    world.sync().await;
    world.google_create(json!({"names": [{"givenName": "Emmy", "familyName": "Noether"}]}), &["Team"]);
    world.settle().await;
    let emmy = world.by_name("Emmy Noether").await.id;
    world.delete(emmy).await;
    world.settle().await;
    world.restore(emmy).await;
    world.advance(HOUR);
    world.settle().await;
    world.google_edit("Emmy Noether", &json!({"biographies": [{"value": "later"}]}));
    world.settle().await;
    assert_eq!(world.contact(emmy).await.card.notes.as_deref(), Some("later"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_restored_contact_whose_record_is_gone_by_now_is_created_again() {
    // The deletion is seen while the contact is deleted, with its restoration, or never.
    for (sync_between, hidden) in [(true, false), (false, false), (false, true)] {
        let (world, ada) = without_ada(unlinking()).await;
        world.google_delete("Ada King");
        if sync_between {
            world.settle().await;
        }
        if hidden {
            world.expire_tokens();
        }
        world.advance(HOUR);
        world.restore(ada).await;
        world.settle().await;
        assert!(world.contact(ada).await.is_live(), "{sync_between} {hidden}");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_contact_restored_while_google_is_only_read_is_kept_equal_again() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    let mut world = world;
    world.promise = Promise { direction: Direction::FromRemote, ..promise() };
    world.settings = "from Google".to_owned();
    world.settle().await;
    world.advance(HOUR);
    world.delete(ada).await;
    world.settle().await;
    world.restore(ada).await;
    world.settle().await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "later"}]}));
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0);
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("later"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_taken_out_of_the_group_is_not_linked_again_by_an_edit_in_the_store() {
    let world = World::with(unlinking());
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.google_unlabel("Ada King", "Team");
    world.settle().await;
    world.edit(ada, |card| card.notes = Some("only here".to_owned())).await;
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0);
    assert_eq!(world.link(ada).await.state, LinkState::Dormant);
    assert_eq!(world.groups_of("Ada King"), ["myContacts"]);
    world.delete(ada).await;
    world.settle().await;
    world.restore(ada).await;
    world.settle().await;
    assert_eq!(world.write_calls(), 0, "they were parted before it was deleted");
    world.assert_at_rest().await;
}

// Deleted in Google, and brought back a minute before we find it gone: no read shows that yet. The state that the change
// stream shows later is older than our finding.
#[tokio::test]
async fn a_record_brought_back_just_before_it_is_found_gone_comes_back() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.add(person("Grace Hopper")).await;
    world.settle().await;
    world.advance(Duration::from_secs(3600));
    let name = world.resource("Ada King");
    world.by_hand(|user| user.delete(&name).unwrap());
    world.advance(Duration::from_secs(300));
    let delays = (Delay::constant(240_000), Delay::constant(120_000));
    world.switch(|settings| (settings.propagation.get, settings.propagation.delta) = delays);
    world.by_hand(|user| user.restore(&name, ReturnName::Same).unwrap());
    world.switch(|settings| settings.propagation = Default::default());
    world.advance(Duration::from_secs(60));
    world.sync().await;
    assert!(!world.contact(ada).await.is_live(), "it is gone as far as anybody can see");
    world.advance(Duration::from_secs(120));
    world.sync().await;
    world.advance(Duration::from_secs(1000));
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}
