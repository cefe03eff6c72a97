//! Links that were lost are found again, by what is stored and by the tags that records carry; nobody is made anew, on
//! either side, however little is known of them.

use std::sync::Arc;
use std::time::Duration;

use contactsync::clock::SeededEntropy;
use contactsync::domain::contact::{Card, Contact};
use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::Limit;
use contactsync::store::Store;
use contactsync::store::memory::MemoryStore;
use serde_json::json;

use crate::support::world::{World, pair, person};

const HOUR: Duration = Duration::from_secs(3600);

/// Contacts of which nothing is known but the name, and one who shares it with another; all of them made in Google by us.
async fn linked() -> (World, Vec<ContactId>) {
    let world = World::new();
    let mut ids = Vec::new();
    for name in ["Ada", "Ada", "Bob Stone", "Grace Hopper"] {
        let mut card = person(name);
        card.emails.clear();
        ids.push(world.add(card).await);
    }
    world.settle().await;
    world.advance(HOUR);
    (world, ids)
}

async fn records(world: &World, ids: &[ContactId]) -> Vec<String> {
    let mut records = Vec::new();
    for id in ids {
        records.push(world.link(*id).await.remote.expect("a record").to_string());
    }
    records
}

/// The same store with its contacts, as of a backup from before the first run: without accounts and links.
async fn restore_backup(world: &mut World) {
    let contacts: Vec<Contact> = world.contacts().await;
    let restored: Arc<dyn Store> = Arc::new(MemoryStore::new(&SeededEntropy::new(7)));
    assert_eq!(restored.identity().await.unwrap(), world.store.identity().await.unwrap(), "it is the same store");
    world.store = restored;
    for contact in contacts {
        let change = world.change(
            contact.id,
            contactsync::domain::history::Action::Created,
            &Card::blank(contact.card.kind()),
            &contact.card,
        );
        world.put(contact, None, change).await;
    }
}

#[tokio::test]
async fn lost_links_are_found_again_by_the_tags_of_the_records() {
    let (mut world, ids) = linked().await;
    let before = records(&world, &ids).await;
    restore_backup(&mut world).await;
    world.google_edit("Grace Hopper", &json!({"names": [{"givenName": "Rear", "familyName": "Admiral"}]}));
    world.count_anew();
    world.settle().await;
    assert_eq!(records(&world, &ids).await, before, "each has its own record, namesakes too");
    assert_eq!((world.people().len(), world.contacts().await.len()), (4, 4));
    assert_eq!(world.api_calls().get("people.batchCreateContacts"), None);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_record_that_was_made_again_is_found_by_the_tag_of_its_second_life() {
    let (mut world, ids) = linked().await;
    world.edit(ids[2], |card| card.notes = Some("edited meanwhile".to_owned())).await;
    world.google_delete("Bob Stone");
    world.settle().await;
    world.advance(HOUR);
    let before = records(&world, &ids).await;
    restore_backup(&mut world).await;
    world.settle().await;
    assert_eq!(records(&world, &ids).await, before);
    assert_eq!((world.people().len(), world.contacts().await.len()), (4, 4));
}

#[tokio::test]
async fn a_pair_that_is_taken_out_and_put_back_links_the_same_records() {
    let (mut world, ids) = linked().await;
    let (before, pairs) = (records(&world, &ids).await, world.promise.pairs.clone());
    world.promise.guard.max_unlinks = Limit::Percent(100.0);
    world.promise.pairs = vec![pair("Choir")];
    world.promise.pairs[0].labels = vec!["Singer".to_owned()];
    world.settings = "two".to_owned();
    world.settle().await;
    assert_eq!(world.link(ids[0]).await.state, LinkState::Unselected);
    world.advance(HOUR);
    world.promise.pairs = pairs;
    world.settings = "one".to_owned();
    world.settle().await;
    assert_eq!(records(&world, &ids).await, before);
    assert_eq!((world.people().len(), world.contacts().await.len()), (4, 4));
    world.assert_at_rest().await;
}
