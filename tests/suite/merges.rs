//! Two contacts of the store that become one, and what Google makes of it: one record with what both said, and nothing that
//! anybody wrote is lost, whichever of the two was linked and whatever goes on meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use contactsync::contacts::edit::Editor;
use contactsync::contacts::import::Effect;
use contactsync::contacts::merge::{MergeRequest, Merged};
use contactsync::contacts::take_back::{Deed, TakeBack, TakenBack};
use contactsync::domain::contact::{Card, Kind};
use contactsync::domain::history::Actor;
use contactsync::domain::id::{ContactId, RunId};
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{InStore, Promise};
use contactsync::store::{DeletedContacts, Store};
use futures_util::FutureExt as _;
use serde_json::json;

use crate::support::world::{World, as_person, person, promise};

const HOUR: Duration = Duration::from_secs(3600);

/// Somebody to whom the merged contacts are compared, so that no guard sees every contact go.
async fn world_with(promise: Promise) -> World {
    let world = World::with(promise);
    world.add(person("Grace Hopper")).await;
    world
}

/// Two on both sides, at rest.
async fn both_linked(promise: Promise) -> (World, [ContactId; 2]) {
    let world = world_with(promise).await;
    let both = [world.add(person("Ada King")).await, world.add(person("Ada Byron")).await];
    world.settle().await;
    world.advance(HOUR);
    (world, both)
}

fn request([keep, other]: [ContactId; 2]) -> MergeRequest {
    MergeRequest { kind: Kind::Person, keep, other, from_other: BTreeSet::new(), home: None }
}

async fn merge(world: &World, both: [ContactId; 2]) -> Merged {
    world.tick();
    let editor = Editor { store: &*world.store, clock: &*world.clock, entropy: &*world.entropy, actor: Actor::User };
    editor.merge(&request(both)).await.unwrap()
}

async fn take_back(world: &World, run: RunId) -> TakenBack {
    world.tick();
    let undo = TakeBack { store: &*world.store, clock: &*world.clock, entropy: &*world.entropy, effect: Effect::Write };
    undo.take_back(Deed::Run(run)).await.unwrap().unwrap()
}

fn emails(card: &Card) -> Vec<&str> {
    card.emails.iter().map(|email| email.value.as_str()).collect()
}

async fn assert_one_ada(world: &World, survivor: ContactId) {
    assert_eq!(world.store_names().await, ["Ada King", "Grace Hopper"]);
    assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"]);
    assert_eq!(emails(&world.contact(survivor).await.card), ["ada.king@example.org", "ada.byron@example.org"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn two_linked_contacts_become_one_updated_and_one_deleted_record() {
    let (world, both) = both_linked(promise()).await;
    let kept = world.resource("Ada King");
    let merged = merge(&world, both).await;
    assert_eq!((merged.survivor.id, merged.gone), (both[0], both[1]));
    let summary = world.sync().await;
    assert_eq!((summary.pushed.created, summary.pushed.updated, summary.pushed.deleted), (0, 1, 1), "{summary:?}");
    assert_eq!(world.resource("Ada King"), kept);
    assert_one_ada(&world, both[0]).await;
}

// What Google keeps and the store does not know is only in the record.
#[tokio::test]
async fn the_record_of_the_only_linked_one_stays_with_all_that_google_alone_knows() {
    let world = world_with(promise()).await;
    let other = world.add(person("Ada Byron")).await;
    world.settle().await;
    world.google_edit("Ada Byron", &json!({"interests": [{"value": "engines"}]}));
    world.settle().await;
    world.advance(HOUR);
    let record = world.resource("Ada Byron");
    let keep = world.add(person("Ada King")).await;
    let merged = merge(&world, [keep, other]).await;
    assert_eq!((merged.survivor.id, merged.gone), (other, keep));
    let summary = world.sync().await;
    assert_eq!((summary.pushed.created, summary.pushed.updated, summary.pushed.deleted), (0, 1, 0), "{summary:?}");
    assert_eq!(world.resource("Ada King"), record);
    assert_eq!(world.person("Ada King")["interests"][0]["value"], "engines");
    assert_one_ada(&world, other).await;
}

#[tokio::test]
async fn of_two_that_were_never_linked_one_goes_out() {
    let world = world_with(promise()).await;
    let both = [world.add(person("Ada King")).await, world.add(person("Ada Byron")).await];
    let merged = merge(&world, both).await;
    assert_eq!(merged.survivor.id, both[0]);
    world.settle().await;
    assert_eq!(world.by_hand(|user| user.trash().len()), 0, "the other one was never there");
    assert_one_ada(&world, both[0]).await;
}

#[tokio::test]
async fn where_deletions_leave_records_alone_the_other_record_stays_by_itself() {
    for in_store in [InStore::Unlink, InStore::TrashGroup] {
        let mut promise = promise();
        promise.delete.in_store = in_store;
        let (world, both) = both_linked(promise).await;
        merge(&world, both).await;
        world.settle().await;
        assert_eq!(world.store_names().await, ["Ada King", "Grace Hopper"], "{in_store:?}");
        assert_eq!(world.google_names(), ["Ada Byron", "Ada King", "Grace Hopper"], "{in_store:?}");
        world.assert_at_rest().await;
    }
}

// The merge is committed while a call of the run is under way, one for a single contact or for a batch; wherever that is, one contact and one record are left.
#[tokio::test]
async fn a_merge_while_a_run_is_under_way_leaves_one_of_each() {
    for (address, are_new) in
        [("reateContact", true), ("connections", true), ("pdateContact", false), ("connections", false)]
    {
        let mut world = world_with(promise()).await;
        let both = [world.add(person("Ada King")).await, world.add(person("Ada Byron")).await];
        if !are_new {
            world.settle().await;
            world.advance(HOUR);
            for id in both {
                world.edit(id, |card| as_person(card).department = Some("R&D".to_owned())).await;
            }
        }
        let (store, clock, entropy) = (Arc::clone(&world.store), Arc::clone(&world.clock), Arc::clone(&world.entropy));
        let made = Arc::new(std::sync::Mutex::new(None));
        let told = Arc::clone(&made);
        world.interrupt(address, move || {
            let editor = Editor { store: &*store, clock: &*clock, entropy: &*entropy, actor: Actor::User };
            let merged = editor.merge(&request(both)).now_or_never().expect("a store in memory answers at once");
            *told.lock().unwrap() = Some(merged.unwrap().survivor.id);
            Box::pin(async {})
        });
        world.sync().await;
        let survivor = made.lock().unwrap().expect("the merge was made meanwhile");
        world.settle().await;
        assert_one_ada(&world, survivor).await;
    }
}

// The other one comes back with the edit: it is seen as a duplicate again, and merged once more.
#[tokio::test]
async fn an_edit_in_google_of_the_one_that_went_survives_and_can_be_merged_again() {
    let (world, both) = both_linked(promise()).await;
    world.google_edit("Ada Byron", &json!({"nicknames": [{"value": "Countess"}]}));
    world.google_edit("Ada King", &json!({"biographies": [{"value": "engines"}]}));
    merge(&world, both).await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada Byron", "Ada King", "Grace Hopper"]);
    let nicknames = |card: &Card| card.as_person().unwrap().nicknames.clone();
    let [keep, other] = [world.contact(both[0]).await, world.contact(both[1]).await];
    assert!(other.is_live(), "the edit outlives the deletion");
    assert_eq!(nicknames(&other.card), ["Countess"]);
    assert_eq!(keep.card.notes.as_deref(), Some("engines"));
    assert_eq!(emails(&keep.card), ["ada.king@example.org", "ada.byron@example.org"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
    world.advance(HOUR);
    merge(&world, both).await;
    world.settle().await;
    assert_eq!(nicknames(&world.contact(both[0]).await.card), ["Countess"]);
    assert_one_ada(&world, both[0]).await;
}

#[tokio::test]
async fn a_merge_that_was_carried_over_is_taken_back_on_both_sides_and_made_again() {
    let (world, both) = both_linked(promise()).await;
    let merged = merge(&world, both).await;
    world.settle().await;
    world.advance(HOUR);
    let undone = take_back(&world, merged.run).await;
    assert_eq!(undone.skipped, []);
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada Byron", "Ada King", "Grace Hopper"]);
    assert_eq!(emails(&world.contact(both[0]).await.card), ["ada.king@example.org"]);
    assert_eq!(world.link(both[1]).await.state, LinkState::Bound);
    world.assert_equal().await;
    world.assert_at_rest().await;
    world.advance(HOUR);
    take_back(&world, undone.run.unwrap()).await;
    world.settle().await;
    assert_one_ada(&world, both[0]).await;
}

// The deletion was never carried over, so nothing happens to the record of the one that went.
#[tokio::test]
async fn a_merge_that_is_taken_back_before_a_run_writes_nothing_to_google() {
    let (world, both) = both_linked(promise()).await;
    let merged = merge(&world, both).await;
    take_back(&world, merged.run).await;
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0);
    assert_eq!(world.google_names(), ["Ada Byron", "Ada King", "Grace Hopper"]);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn what_changed_since_a_merge_stays_and_is_named_when_it_is_taken_back() {
    let (world, both) = both_linked(promise()).await;
    let merged = merge(&world, both).await;
    world.settle().await;
    world.google_edit("Ada King", &json!({"emailAddresses": [{"value": "countess@example.org"}]}));
    world.settle().await;
    let undone = take_back(&world, merged.run).await;
    let told: Vec<&str> = undone.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(told, ["emails changed since"]);
    world.settle().await;
    assert_eq!(emails(&world.contact(both[0]).await.card), ["countess@example.org"]);
    assert!(world.contact(both[1]).await.is_live());
    world.assert_equal().await;
}

#[tokio::test]
async fn a_merge_is_one_commit_that_the_history_can_tell() {
    let (world, both) = both_linked(promise()).await;
    world.edit(both[0], |card| as_person(card).job_title = Some("CTO".to_owned())).await;
    world.edit(both[1], |card| as_person(card).job_title = Some("Chief".to_owned())).await;
    let merged = merge(&world, both).await;
    let run = world.store.run(merged.run).await.unwrap().unwrap();
    assert_eq!((run.accounts.len(), run.ended.is_some()), (0, true));
    let [kept, gone] = [world.history(both[0]).await.remove(0), world.history(both[1]).await.remove(0)];
    assert_eq!((kept.run, gone.run), (Some(merged.run), Some(merged.run)));
    assert_eq!(kept.merged().unwrap().to_string(), format!("merged with {}", both[1]));
    assert_eq!(gone.merged().unwrap().to_string(), format!("merged into {}", both[0]));
    let lost: Vec<(String, &serde_json::Value)> =
        kept.conflicts.iter().map(|conflict| (conflict.field.to_string(), &conflict.remote)).collect();
    assert!(lost.contains(&("job_title".to_owned(), &json!("Chief"))), "{lost:?}");
    let bin = contactsync::contacts::bin::bin(&*world.store, None, 10).await.unwrap();
    assert_eq!((bin.len(), bin[0].into, bin[0].run), (1, Some(both[0]), Some(merged.run)));
    assert_eq!(bin[0].contact.card.as_person().unwrap().job_title.as_deref(), Some("Chief"), "with its card as it was");
}

async fn everybody(store: &dyn Store) -> usize {
    let query = contactsync::store::ContactQuery { deleted: DeletedContacts::Included, ..Default::default() };
    store.find_contacts(&query).await.unwrap().len()
}

// Nobody is made anew by a restoration: it is the same contact, and where the record still exists the same record.
#[tokio::test]
async fn a_contact_out_of_the_bin_takes_up_its_record_or_gets_another_one() {
    for (in_store, is_carried_over, same_record) in [
        (InStore::Propagate, false, true),
        (InStore::Propagate, true, false),
        (InStore::Unlink, true, true),
        (InStore::TrashGroup, true, true),
    ] {
        let mut promise = promise();
        promise.delete.in_store = in_store;
        let (world, [ada, _]) = both_linked(promise).await;
        let record = world.resource("Ada King");
        world.delete(ada).await;
        if is_carried_over {
            world.settle().await;
        }
        world.advance(HOUR);
        world.restore(ada).await;
        world.settle().await;
        let case = format!("{in_store:?} {is_carried_over}");
        assert_eq!(world.resource("Ada King") == record, same_record, "{case}");
        assert_eq!(world.link(ada).await.state, LinkState::Bound, "{case}");
        assert_eq!(everybody(&*world.store).await, 3, "{case}");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}
