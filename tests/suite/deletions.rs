//! Deletions: on either side, on both, against edits, taken back, and by every policy. A deletion is carried over only
//! on evidence, and an edit outlives it.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::contact::Contact;
use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{DeletePolicy, InRemote, InStore, Promise};
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::{Delay, MissingDelete};
use contactsync::emulator::{MergeTrace, ReturnName};
use contactsync::store::{ContactQuery, DeletedContacts};
use serde_json::json;

use crate::support::fuse::{Cut, Fuse};
use crate::support::hands::first;
use crate::support::world::{World, person, phone, promise};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Three persons on both sides, at rest for an hour.
async fn book(promise: Promise) -> (World, ContactId) {
    let world = World::with(promise);
    let mut ids = Vec::new();
    for name in ["Ada King", "Grace Hopper", "Alan Turing"] {
        ids.push(world.add(person(name)).await);
    }
    world.settle().await;
    world.advance(HOUR);
    (world, ids[0])
}

fn with(change: impl FnOnce(&mut DeletePolicy)) -> Promise {
    let mut promise = promise();
    change(&mut promise.delete);
    promise
}

async fn everybody(world: &World) -> Vec<Contact> {
    let query = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
    world.store.find_contacts(&query).await.unwrap()
}

fn in_google(world: &World, name: &str) -> bool {
    world.google_names().contains(&name.to_owned())
}

#[tokio::test]
async fn a_contact_deleted_in_google_is_deleted_in_the_store() {
    let (world, ada) = book(promise()).await;
    world.google_delete("Ada King");
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.deleted), (Outcome::Done, 1), "{summary:?}");
    let contact = world.contact(ada).await;
    assert!(!contact.is_live());
    assert_eq!(contact.card.display_name(), "Ada King", "a deleted contact keeps its card");
    world.assert_at_rest().await;
    world.assert_equal().await;
}

#[tokio::test]
async fn a_contact_deleted_in_the_store_is_deleted_in_google() {
    let (world, ada) = book(promise()).await;
    world.delete(ada).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.deleted), (Outcome::Done, 1), "{summary:?}");
    assert!(!in_google(&world, "Ada King"));
    assert_eq!(world.by_hand(|user| user.trash().len()), 1, "in Google it is in the trash");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_deleted_on_both_sides_is_done() {
    let (world, ada) = book(promise()).await;
    world.delete(ada).await;
    world.google_delete("Ada King");
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, world.write_calls()), (Outcome::Done, 0), "{summary:?}");
    assert!(!world.contact(ada).await.is_live());
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_edit_in_the_store_outlives_a_deletion_in_google() {
    let (world, ada) = book(promise()).await;
    world.edit(ada, |card| card.notes = Some("met in London".to_owned())).await;
    world.google_delete("Ada King");
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("met in London"));
    assert_eq!(first(&world.person("Ada King"), "emailAddresses", "value"), Some("ada.king@example.org"));
    world.assert_at_rest().await;
    world.assert_equal().await;
}

#[tokio::test]
async fn an_edit_in_google_outlives_a_deletion_in_the_store() {
    let (world, ada) = book(promise()).await;
    world.delete(ada).await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    world.settle().await;
    let contact = world.contact(ada).await;
    assert!(contact.is_live());
    assert_eq!(contact.card.notes.as_deref(), Some("met in London"));
    assert!(in_google(&world, "Ada King"));
    world.assert_at_rest().await;
    world.assert_equal().await;
}

// The edit is not in the change stream yet when the deletion is about to be carried out: the direct read before it
// finds the edit.
#[tokio::test]
async fn an_edit_that_the_change_stream_does_not_show_yet_outlives_a_deletion() {
    let (world, ada) = book(promise()).await;
    world.switch(|settings| settings.propagation.delta = Delay::constant(300_000));
    world.delete(ada).await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    let summary = world.sync().await;
    assert_eq!(summary.pushed.deleted, 0, "{summary:?}");
    world.settle().await;
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("met in London"));
    assert!(in_google(&world, "Ada King"));
    world.assert_equal().await;
}

// No read shows the edit before the deletion; its entry of the change stream does, later. The contact comes back with
// the edit.
#[tokio::test]
async fn an_edit_that_was_overrun_by_a_deletion_brings_the_contact_back() {
    let (world, ada) = book(promise()).await;
    world.delete(ada).await;
    world.switch(|settings| settings.propagation.get = Delay::constant(2_000));
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    // Only the direct read before the deletion lags; what the stream showed so far is without the edit as well.
    world.switch(|settings| settings.propagation.delta = Delay::constant(0));
    world.settle().await;
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("met in London"));
    assert!(world.contact(ada).await.is_live());
    assert!(in_google(&world, "Ada King"));
    world.assert_equal().await;
}

// The same with two edits, and reads are so late that the record seems to be there still when the stream tells of them.
// That it is gone after all is our own doing.
#[tokio::test]
async fn an_edit_that_was_overrun_by_a_deletion_survives_reads_that_do_not_show_that() {
    let (world, ada) = book(promise()).await;
    world.delete(ada).await;
    world.switch(|settings| settings.propagation.get = Delay::constant(300_000));
    world.switch(|settings| settings.propagation.delta = Delay::constant(30_000));
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    world.switch(|settings| settings.propagation.delta = Delay::constant(90_000));
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    world.switch(|settings| settings.propagation.delta = Delay::constant(300_000));
    assert_eq!(world.sync().await.pushed.deleted, 1);
    for _ in 0..2 {
        world.advance(MINUTE);
        assert_eq!(world.sync().await.pulled.total(), 1);
        assert!(world.contact(ada).await.is_live(), "the stream shows an edit, and a read the record");
    }
    world.advance(HOUR);
    world.settle().await;
    let card = world.contact(ada).await.card;
    assert_eq!(card.notes.as_deref(), Some("met in London"));
    assert_eq!(card.as_person().unwrap().nicknames, ["Countess"]);
    assert!(world.contact(ada).await.is_live() && in_google(&world, "Ada King"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The deletion goes unanswered, and the stream tells of the edit before it is known what became of it: by then the contact
// is back.
#[tokio::test]
async fn a_contact_that_an_edit_brings_back_while_its_deletion_is_unanswered_gets_another_record() {
    let (world, ada) = book(promise()).await;
    world.delete(ada).await;
    world.switch(|settings| settings.propagation.get = Delay::constant(10_000));
    world.switch(|settings| settings.propagation.delta = Delay::constant(30_000));
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    world.switch(|settings| settings.propagation.get = Delay::constant(0));
    world.switch(|settings| settings.propagation.delta = Delay::constant(300_000));
    world.strike("people.deleteContact", FaultKind::DropAfter);
    world.sync().await;
    assert!(!in_google(&world, "Ada King"));
    world.advance(MINUTE);
    world.sync().await;
    assert!(world.contact(ada).await.is_live(), "the edit survives");
    world.advance(HOUR);
    world.settle().await;
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("met in London"));
    assert!(world.contact(ada).await.is_live() && in_google(&world, "Ada King"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_restored_from_the_trash_comes_back() {
    for name in [ReturnName::Same, ReturnName::Fresh] {
        let (world, ada) = book(promise()).await;
        let resource = world.resource("Ada King");
        world.google_delete("Ada King");
        world.sync().await;
        assert!(!world.contact(ada).await.is_live());
        world.advance(HOUR);
        world.by_hand(|user| user.restore(&resource, name).unwrap());
        world.settle().await;
        assert!(in_google(&world, "Ada King"), "{name:?}: the user brought it back");
        assert!(world.contact(ada).await.is_live(), "{name:?}: it is the contact that it was");
        assert_eq!(everybody(&world).await.len(), 3, "{name:?}: nobody is doubled");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_contact_that_we_deleted_and_somebody_restored_from_the_trash_comes_back() {
    for name in [ReturnName::Same, ReturnName::Fresh] {
        let (world, ada) = book(promise()).await;
        let resource = world.resource("Ada King");
        world.delete(ada).await;
        world.sync().await;
        assert!(!in_google(&world, "Ada King"));
        world.advance(HOUR);
        world.by_hand(|user| user.restore(&resource, name).unwrap());
        world.settle().await;
        assert!(in_google(&world, "Ada King"), "{name:?}: the user brought it back");
        assert!(world.contact(ada).await.is_live(), "{name:?}: it is the contact that it was");
        assert_eq!(everybody(&world).await.len(), 3, "{name:?}: nobody is doubled");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// Deleted in Google and edited in the store: created again under another name. Then the first one is taken out of the
// trash, so there are two of one contact; one of them goes again, and what was edited stays.
#[tokio::test]
async fn a_former_record_that_returns_is_folded_into_the_one_that_replaced_it() {
    for name in [ReturnName::Same, ReturnName::Fresh] {
        let (world, ada) = book(promise()).await;
        let resource = world.resource("Ada King");
        world.edit(ada, |card| card.notes = Some("met in London".to_owned())).await;
        world.google_delete("Ada King");
        world.settle().await;
        assert_ne!(world.resource("Ada King"), resource);
        world.advance(HOUR);
        let returned = world.by_hand(|user| user.restore(&resource, name).unwrap());
        let returned = returned["resourceName"].as_str().unwrap().to_owned();
        world.by_hand(|user| user.edit(&returned, &json!({"nicknames": [{"value": "Countess"}]})).unwrap());
        world.settle().await;
        let person = world.person("Ada King");
        assert_eq!(first(&person, "nicknames", "value"), Some("Countess"), "{name:?}");
        assert_eq!(first(&person, "biographies", "value"), Some("met in London"), "{name:?}");
        assert_eq!(everybody(&world).await.len(), 3, "{name:?}: nobody is doubled");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// Google merges Ada into Grace, and the store deletes Ada. Google deletes what it merged, the store edits Grace, so that she
// is created again. Then the record that has been both is taken out of the trash, and reads may be late.
#[tokio::test]
async fn a_record_that_was_two_contacts_is_somebodys_when_it_returns() {
    let (world, ada) = book(promise()).await;
    world.edit(ada, |card| card.notes = Some("written last".to_owned())).await;
    world.settle().await;
    world.advance(HOUR);
    let (grace, other) = (world.resource("Grace Hopper"), world.resource("Ada King"));
    world.by_hand(|user| user.merge(&grace, &[&other], MergeTrace::PreviousNames).unwrap());
    world.delete(ada).await;
    world.sync().await;
    world.google_delete("Grace Hopper");
    let kept = world.by_name("Grace Hopper").await.id;
    world.edit(kept, |card| card.notes = Some("needed".to_owned())).await;
    world.sync().await;
    world.by_hand(|user| user.restore(&grace, ReturnName::Same).unwrap());
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The contact came from Google, so that its first record gave the link its name. That record is deleted and replaced,
// and then taken out of the trash: it must not be taken for the one that has its name by now.
#[tokio::test]
async fn a_first_record_that_returns_after_it_was_replaced_is_folded() {
    for name in [ReturnName::Same, ReturnName::Fresh] {
        let world = World::new();
        world.sync().await;
        world.google_create(
            json!({"names": [{"givenName": "Ada"}], "emailAddresses": [{"value": "ada@example.org"}]}),
            &["Team"],
        );
        world.settle().await;
        let ada = world.by_name("Ada").await.id;
        world.edit(ada, |card| card.notes = Some("written".to_owned())).await;
        world.settle().await;
        world.advance(HOUR);
        let resource = world.resource("Ada");
        world.google_delete("Ada");
        world.edit(ada, |card| card.notes = Some("needed".to_owned())).await;
        world.settle().await;
        world.advance(HOUR);
        world.by_hand(|user| user.restore(&resource, name).unwrap());
        world.settle().await;
        assert_eq!((world.people().len(), everybody(&world).await.len()), (1, 1), "{name:?}");
        assert_eq!(first(&world.person("Ada"), "biographies", "value"), Some("needed"), "{name:?}");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// The same, but for a record that never carried our tag, and it comes back while nothing shows that yet. Until it can be
// told from the one that was made in its stead it is known whose it was.
#[tokio::test]
async fn a_first_record_that_returns_unseen_before_it_is_replaced_is_folded() {
    let world = World::new();
    world.sync().await;
    let king = json!({"names": [{"givenName": "Ada"}], "emailAddresses": [{"value": "ada@example.org"}]});
    let record = world.google_create(king, &["Team"]);
    world.settle().await;
    let ada = world.by_name("Ada").await.id;
    world.advance(HOUR);
    world.google_delete("Ada");
    world.switch(|settings| {
        settings.propagation.get = Delay::constant(60_000);
        settings.propagation.delta = Delay::constant(60_000);
    });
    world.by_hand(|user| user.restore(&record, ReturnName::Same).unwrap());
    world.switch(|settings| {
        settings.propagation.get = Delay::constant(0);
        settings.propagation.delta = Delay::constant(0);
    });
    world.edit(ada, |card| card.notes = Some("needed".to_owned())).await;
    assert_eq!(world.sync().await.pushed.created, 1, "the edit outlives the deletion");
    world.advance(2 * MINUTE);
    world.sync().await;
    world.settle().await;
    assert_eq!((world.people().len(), everybody(&world).await.len()), (1, 1));
    assert_eq!(first(&world.person("Ada"), "biographies", "value"), Some("needed"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The record that comes back was written by us more than once, so its tag is that of an update.
#[tokio::test]
async fn a_record_that_was_updated_returns_after_it_was_replaced_and_is_folded() {
    for name in [ReturnName::Same, ReturnName::Fresh] {
        let (world, ada) = book(promise()).await;
        for note in ["first", "second"] {
            world.edit(ada, |card| card.notes = Some(note.to_owned())).await;
            world.settle().await;
        }
        let resource = world.resource("Ada King");
        world.edit(ada, |card| card.notes = Some("third".to_owned())).await;
        world.google_delete("Ada King");
        world.settle().await;
        world.advance(HOUR);
        world.by_hand(|user| user.restore(&resource, name).unwrap());
        world.settle().await;
        assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("third"), "{name:?}");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_contact_unlinked_by_a_deletion_in_google_returns_with_its_record() {
    let (world, ada) = book(with(|delete| delete.in_remote = InRemote::Unlink)).await;
    let resource = world.resource("Ada King");
    world.google_delete("Ada King");
    world.settle().await;
    world.advance(HOUR);
    world.by_hand(|user| user.restore(&resource, ReturnName::Same).unwrap());
    world.google_edit("Ada King", &json!({"biographies": [{"value": "back"}]}));
    world.settle().await;
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("back"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_restored_in_the_store_is_created_in_google_again() {
    let (world, ada) = book(promise()).await;
    world.delete(ada).await;
    world.sync().await;
    world.advance(HOUR);
    world.restore(ada).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 1), "{summary:?}");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_deleted_and_restored_in_the_store_between_two_runs_stays() {
    let (world, ada) = book(promise()).await;
    let resource = world.resource("Ada King");
    world.delete(ada).await;
    world.restore(ada).await;
    world.count_anew();
    world.sync().await;
    assert_eq!(world.write_calls(), 0);
    assert_eq!(world.resource("Ada King"), resource);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn unlink_keeps_in_the_store_what_was_deleted_in_google() {
    let (world, ada) = book(with(|delete| delete.in_remote = InRemote::Unlink)).await;
    world.google_delete("Ada King");
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    world.edit(ada, |card| card.notes = Some("later".to_owned())).await;
    world.settle().await;
    assert!(!in_google(&world, "Ada King"), "it is not created again");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn archive_labels_in_the_store_what_was_deleted_in_google() {
    let (world, ada) = book(with(|delete| delete.in_remote = InRemote::Archive)).await;
    world.google_delete("Ada King");
    world.settle().await;
    let contact = world.contact(ada).await;
    assert!(contact.is_live() && contact.card.labels.contains("Archived"));
    assert!(!in_google(&world, "Ada King"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn unlink_keeps_in_google_what_was_deleted_in_the_store() {
    let (world, ada) = book(with(|delete| delete.in_store = InStore::Unlink)).await;
    world.delete(ada).await;
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0);
    assert!(in_google(&world, "Ada King"));
    world.google_edit("Ada King", &json!({"biographies": [{"value": "later"}]}));
    world.settle().await;
    assert!(!world.contact(ada).await.is_live(), "an edit there brings nothing back: they are no longer linked");
    assert_eq!(everybody(&world).await.len(), 3);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn the_trash_group_keeps_in_google_what_was_deleted_in_the_store() {
    let (world, ada) = book(with(|delete| delete.in_store = InStore::TrashGroup)).await;
    world.delete(ada).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.deleted), (Outcome::Done, 1), "{summary:?}");
    assert_eq!(world.groups_of("Ada King"), ["Deleted by contactsync", "myContacts"]);
    world.assert_at_rest().await;
    assert!(!world.contact(ada).await.is_live());
    let grace = world.by_name("Grace Hopper").await.id;
    world.delete(grace).await;
    world.sync().await;
    assert_eq!(world.groups_of("Grace Hopper"), ["Deleted by contactsync", "myContacts"], "the group is there already");
}

// Deleted in the store, moved to the group of deleted contacts in Google, restored in the store.
// What was edited last was never sent: only the groups of the record changed when it went.
#[tokio::test]
async fn an_edit_made_just_before_a_deletion_is_there_when_the_contact_leaves_the_trash_group() {
    let (world, ada) = book(with(|delete| delete.in_store = InStore::TrashGroup)).await;
    world.edit(ada, |card| card.notes = Some("written last".to_owned())).await;
    world.delete(ada).await;
    world.settle().await;
    world.advance(HOUR);
    world.restore(ada).await;
    world.settle().await;
    assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("written last"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_restored_in_the_store_leaves_the_trash_group() {
    let (world, ada) = book(with(|delete| delete.in_store = InStore::TrashGroup)).await;
    let resource = world.resource("Ada King");
    world.delete(ada).await;
    world.sync().await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "seen in the trash"}]}));
    world.sync().await;
    world.restore(ada).await;
    world.settle().await;
    assert_eq!(world.resource("Ada King"), resource, "the same record");
    assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"]);
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("seen in the trash"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_deletion_in_the_store_waits_for_the_grace() {
    let (world, ada) = book(with(|delete| delete.grace = HOUR)).await;
    world.delete(ada).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.total()), (Outcome::Done, 0), "waiting is no failure: {summary:?}");
    world.advance(59 * MINUTE);
    assert_eq!(world.sync().await.pushed.total(), 0);
    world.advance(2 * MINUTE);
    assert_eq!(world.sync().await.pushed.deleted, 1);
    assert!(!in_google(&world, "Ada King"));
}

#[tokio::test]
async fn a_deletion_in_google_waits_for_the_grace() {
    let (world, ada) = book(with(|delete| delete.grace = HOUR)).await;
    world.google_delete("Ada King");
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.total()), (Outcome::Done, 0), "{summary:?}");
    world.advance(59 * MINUTE);
    assert_eq!(world.sync().await.pulled.total(), 0);
    world.advance(2 * MINUTE);
    assert_eq!(world.sync().await.pulled.deleted, 1);
    assert!(!world.contact(ada).await.is_live());
}

#[tokio::test]
async fn a_deletion_in_google_that_is_taken_back_within_the_grace_leaves_no_trace() {
    let (world, ada) = book(with(|delete| delete.grace = HOUR)).await;
    let resource = world.resource("Ada King");
    world.google_delete("Ada King");
    world.sync().await;
    world.advance(10 * MINUTE);
    world.by_hand(|user| user.restore(&resource, ReturnName::Same).unwrap());
    world.sync().await;
    world.advance(2 * HOUR);
    world.sync().await;
    assert!(world.contact(ada).await.is_live());
    assert_eq!(world.history(ada).await.len(), 1, "only its creation");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_edit_in_the_store_within_the_grace_keeps_the_contact() {
    let (world, ada) = book(with(|delete| delete.grace = HOUR)).await;
    world.google_delete("Ada King");
    world.sync().await;
    world.edit(ada, |card| card.notes = Some("needed".to_owned())).await;
    world.advance(2 * HOUR);
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    assert!(in_google(&world, "Ada King"), "it is created again");
    world.assert_equal().await;
}

// The record is deleted in Google, and no listing has shown it yet, when an edit of the store is sent: 404.
#[tokio::test]
async fn a_write_that_finds_nothing_creates_the_edited_contact_again() {
    let (world, ada) = book(promise()).await;
    world.switch(|settings| settings.propagation.delta = Delay::constant(3_600_000));
    world.google_delete("Ada King");
    world.edit(ada, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.sync().await;
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    assert_eq!(first(&world.person("Ada King"), "phoneNumbers", "value"), Some("+44 20 7946 0000"));
    world.advance(2 * HOUR);
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Ada has just been created. A write says 404 although she is there (a late replica): inside the freshness window that
// proves nothing.
#[tokio::test]
async fn a_404_inside_the_freshness_window_proves_nothing() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.sync().await;
    let resource = world.resource("Ada King");
    world.edit(ada, |card| card.notes = Some("met in London".to_owned())).await;
    world.strike("people.updateContact", FaultKind::Status(404));
    let gone = json!({"responses": [{"requestedResourceName": resource,
        "status": {"code": 5, "message": "Requested entity was not found."}}]});
    let gone = FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body: gone.to_string() };
    world.strike("people.getBatchGet", gone);
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Unreachable, "nobody knows yet: {summary:?}");
    world.settle().await;
    assert_eq!(world.resource("Ada King"), resource, "it was not created again");
    assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("met in London"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// A contact that was made a moment ago is not shown to everybody yet. Taken for gone, it would stay in Google for ever.
#[tokio::test]
async fn a_fresh_record_that_no_read_shows_yet_is_deleted_later() {
    for lost in [false, true] {
        let world = World::new();
        let ada = world.add(person("Ada King")).await;
        world.sync().await;
        let resource = world.resource("Ada King");
        world.delete(ada).await;
        if lost {
            world.strike("people.deleteContact", FaultKind::Drop);
            world.sync().await;
        }
        let gone = json!({"responses": [{"requestedResourceName": resource,
            "status": {"code": 5, "message": "Requested entity was not found."}}]});
        let gone =
            FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body: gone.to_string() };
        world.strike("people.getBatchGet", gone);
        let summary = world.sync().await;
        assert_eq!(summary.outcome, Outcome::Unreachable, "nobody knows yet: {summary:?}");
        world.settle().await;
        assert!(!in_google(&world, "Ada King"), "answer lost: {lost}");
        assert!(!world.contact(ada).await.is_live());
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn deleting_what_is_gone_already_is_done_whatever_google_says() {
    for answer in [MissingDelete::NotFound, MissingDelete::Internal] {
        let (world, ada) = book(promise()).await;
        world.switch(|settings| {
            settings.missing_delete = answer;
            settings.propagation.delta = Delay::constant(3_600_000);
            settings.propagation.get = Delay::constant(60_000);
        });
        world.google_delete("Ada King");
        world.delete(ada).await;
        let summary = world.sync().await;
        assert!(summary.failed.is_empty(), "{answer:?}: {summary:?}");
        world.switch(|settings| settings.propagation = Default::default());
        world.advance(2 * HOUR);
        world.settle().await;
        assert!(!world.contact(ada).await.is_live());
        world.assert_at_rest().await;
    }
}

// A batch of deletions costs as much as ten single ones.
#[tokio::test]
async fn eleven_deletions_are_one_batch_and_ten_are_not() {
    for (count, batches, singles) in [(11, 1, 0), (10, 0, 10)] {
        let mut promise = promise();
        promise.guard.max_deletes = contactsync::domain::pair::Limit::Absolute(100);
        let world = World::with(promise);
        let mut ids = Vec::new();
        for number in 0..14 {
            ids.push(world.add(person(&format!("Person {number}"))).await);
        }
        world.settle().await;
        for id in &ids[..count] {
            world.delete(*id).await;
        }
        world.count_anew();
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.pushed.deleted), (Outcome::Done, count as u64), "{summary:?}");
        let made = world.api_calls();
        let calls = |method: &str| made.get(method).copied().unwrap_or(0);
        let deleted = (calls("people.batchDeleteContacts"), calls("people.deleteContact"));
        assert_eq!(deleted, (batches, singles), "{made:?}");
        assert_eq!(world.google_names().len(), 14 - count);
        world.assert_at_rest().await;
    }
}

// Of twelve contacts that the store deleted, one is gone in Google already and the check before the deletion does not
// know it yet: the batch is refused as a whole and told apart.
#[tokio::test]
async fn a_missing_contact_in_a_batch_of_deletions_does_not_keep_the_others() {
    let mut promise = promise();
    promise.guard.max_deletes = contactsync::domain::pair::Limit::Absolute(100);
    let world = World::with(promise);
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(world.add(person(&format!("Person {number}"))).await);
    }
    world.settle().await;
    world.advance(HOUR);
    world.switch(|settings| {
        settings.propagation.delta = Delay::constant(60_000);
        settings.propagation.get = Delay::constant(60_000);
    });
    world.google_delete("Person 3");
    for id in &ids {
        world.delete(*id).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.failed.len()), (Outcome::Done, 0), "{summary:?}");
    assert!(world.google_names().is_empty());
    world.switch(|settings| settings.propagation = Default::default());
    world.advance(HOUR);
    world.assert_at_rest().await;
}

// Google's listings still show what we have deleted, for some minutes.
#[tokio::test]
async fn an_own_deletion_that_is_still_listed_stays_deleted() {
    let (world, ada) = book(promise()).await;
    world.switch(|settings| {
        settings.propagation.list = Delay::constant(240_000);
        settings.propagation.delta = Delay::constant(240_000);
    });
    world.delete(ada).await;
    assert_eq!(world.sync().await.pushed.deleted, 1);
    world.advance(MINUTE);
    let summary = world.sync_in_full().await;
    assert_eq!(summary.pulled.total() + summary.pushed.total(), 0, "{summary:?}");
    world.advance(HOUR);
    world.settle().await;
    assert!(!world.contact(ada).await.is_live() && !in_google(&world, "Ada King"));
    assert_eq!(world.link(ada).await.state, LinkState::Gone);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_new_contact_that_is_deleted_before_it_is_seen_never_comes_into_the_store() {
    let (world, _) = book(promise()).await;
    world.google_create(json!({"names": [{"givenName": "Nobody"}]}), &["Team"]);
    world.google_delete("Nobody");
    world.settle().await;
    assert_eq!(everybody(&world).await.len(), 3);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_deleted_before_its_first_run_is_never_created() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.delete(ada).await;
    world.count_anew();
    world.settle().await;
    assert!(!world.api_calls().contains_key("people.createContact"));
    assert!(world.google_names().is_empty());
}

// The answer of the create is lost and the contact is deleted before anybody knows what became of it.
#[tokio::test]
async fn a_contact_deleted_while_its_creation_is_unresolved_is_deleted_in_google_too() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.strike("people.createContact", FaultKind::DropAfter);
    world.sync().await;
    assert!(in_google(&world, "Ada King"));
    world.delete(ada).await;
    world.settle().await;
    assert!(!in_google(&world, "Ada King"));
    assert!(!world.contact(ada).await.is_live());
    world.assert_at_rest().await;
}

// A run is cut off, and the record is deleted afterwards: what the cut run had seen of it is no sign of life.
#[tokio::test]
async fn a_deletion_is_not_missed_because_an_earlier_run_had_seen_an_edit_and_died() {
    let mut finished = false;
    let mut step = 0;
    while !finished {
        let (mut world, ada) = book(promise()).await;
        world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
        world.by_hand(|user| user.expire_sync_tokens());
        world.fuse(&Fuse::at(step, Cut::After));
        finished = world.sync_or_crash().is_some();
        world.unfuse();
        world.google_delete("Ada King");
        world.by_hand(|user| user.expire_sync_tokens());
        world.advance(HOUR);
        world.settle().await;
        assert!(!in_google(&world, "Ada King"), "cut at {step}");
        assert!(!world.contact(ada).await.is_live(), "cut at {step}");
        world.assert_at_rest().await;
        step += 1;
    }
    assert!(step > 5, "{step} steps are too few to prove anything");
}

// Edited and deleted in Google within a minute. The change stream tells of the deletion, and a direct read still shows the
// edit, which is news: that does not make it live.
#[tokio::test]
async fn a_late_read_that_shows_something_new_does_not_undo_a_deletion_in_google() {
    let (world, ada) = book(promise()).await;
    let name = world.resource("Ada King");
    world.switch(|settings| settings.propagation.delta = Delay::constant(60_000));
    world.by_hand(|user| user.edit(&name, &json!({"biographies": [{"value": "met in London"}]})).unwrap());
    world.switch(|settings| {
        settings.propagation.get = Delay::constant(300_000);
        settings.propagation.delta = Delay::constant(100_000);
    });
    world.by_hand(|user| user.delete(&name).unwrap());
    world.switch(|settings| settings.propagation.delta = Delay::constant(0));
    world.advance(Duration::from_secs(110));
    world.sync().await;
    world.advance(HOUR);
    world.settle().await;
    assert!(!world.contact(ada).await.is_live());
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// A listing told of it, the run was cut off before it was taken in, and the token that would have told of the deletion died.
#[tokio::test]
async fn somebody_new_who_went_before_being_taken_in_does_not_come_in_after_all() {
    for step in 0..8 {
        let (mut world, _) = book(promise()).await;
        world.google_create(json!({"names": [{"givenName": "Emmy"}]}), &["Team"]);
        world.fuse(&Fuse::at(step, Cut::Before));
        world.sync_or_crash();
        world.unfuse();
        let is_in = world.store_names().await.contains(&"Emmy".to_owned());
        world.advance(HOUR);
        world.google_delete("Emmy");
        world.by_hand(|user| user.expire_sync_tokens());
        world.expect_full_pull();
        world.settle().await;
        let query = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
        let known = world.store.find_contacts(&query).await.unwrap().len();
        assert_eq!((world.store_names().await.len(), known), (3, 3 + usize::from(is_in)), "cut at {step}");
    }
}

#[tokio::test]
async fn a_record_that_comes_back_to_a_contact_that_was_kept_leaves_nothing_open() {
    let (world, ada) = book(with(|delete| delete.in_remote = InRemote::Unlink)).await;
    let record = world.resource("Ada King");
    world.google_delete("Ada King");
    world.settle().await;
    world.advance(HOUR);
    world.edit(ada, |card| card.notes = Some("edited meanwhile".to_owned())).await;
    world.by_hand(|user| user.restore(&record, ReturnName::Same).unwrap());
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    assert_eq!((world.store_names().await.len(), world.people().len()), (3, 3));
    world.assert_at_rest().await;
}
