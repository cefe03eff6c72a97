//! Pairs and their groups: found or made, followed, lost; who belongs into them, who leaves them, and who comes back.

use std::sync::Arc;
use std::time::Duration;

use contactsync::clock::SeededEntropy;
use contactsync::domain::account::Outcome;
use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{LeftGroup, MissingGroup, Pair, Promise, Strangers};
use contactsync::emulator::MemberFate;
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::{Delay, Feed};
use contactsync::engine::{Operation, Purpose, Reach};
use contactsync::store::memory::MemoryStore;
use serde_json::json;

use crate::support::fuse::{Cut, Fuse};
use crate::support::hands::{first, values};
use crate::support::world::{World, as_person, pair, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);

fn with_pairs(pairs: Vec<Pair>) -> Promise {
    Promise { pairs, ..promise() }
}

fn labelled(group: &str, label: &str) -> Pair {
    Pair { labels: vec![label.to_owned()], ..pair(group) }
}

/// A world whose pair selects by the label `Customer`, with Ada selected and Grace not.
async fn customers() -> (World, ContactId) {
    let world = World::with(with_pairs(vec![labelled("Team", "Customer")]));
    let mut ada = person("Ada King");
    ada.labels.insert("Customer".to_owned());
    let id = world.add(ada).await;
    world.add(person("Grace Hopper")).await;
    world.settle().await;
    world.advance(HOUR);
    (world, id)
}

async fn label(world: &World, id: ContactId, label: &str) {
    world.edit(id, |card| _ = card.labels.insert(label.to_owned())).await;
}

async fn unlabel(world: &World, id: ContactId, label: &str) {
    world.edit(id, |card| _ = card.labels.remove(label)).await;
}

fn group_names(world: &World) -> Vec<String> {
    let groups = world.by_hand(|user| user.groups());
    let users = groups.iter().filter(|group| group["groupType"] == "USER_CONTACT_GROUP");
    users.map(|group| group["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_missing_group_is_created_once() {
    let world = World::new();
    world.sync().await;
    assert_eq!(group_names(&world), ["Team"]);
    world.assert_at_rest().await;
    assert_eq!(group_names(&world), ["Team"]);
}

#[tokio::test]
async fn a_group_that_exists_is_taken_whatever_its_case() {
    let world = World::with(with_pairs(vec![pair(" team ")]));
    world.by_hand(|user| user.create_group("Team").unwrap());
    world.count_anew();
    world.sync().await;
    assert_eq!(world.write_calls(), 0);
    assert_eq!(group_names(&world), ["Team"]);
}

// Somebody makes the group between our listing and our own creation: 409.
#[tokio::test]
async fn a_group_that_somebody_made_meanwhile_is_taken() {
    let world = World::new();
    world.by_hand(|user| user.create_group("Team").unwrap());
    let body = json!({"nextSyncToken": "early"}).to_string();
    let before = FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body };
    world.strike("contactGroups.list", before);
    let ada = world.add(person("Ada King")).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 1), "{summary:?}");
    assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"]);
    assert_eq!(group_names(&world), ["Team"]);
    assert!(world.contact(ada).await.is_live());
}

#[tokio::test]
async fn a_group_whose_creation_went_unanswered_is_taken() {
    for kind in [FaultKind::DropAfter, FaultKind::StatusAfter(503), FaultKind::Truncate] {
        let world = World::new();
        world.add(person("Ada King")).await;
        world.strike("contactGroups.create", kind);
        world.settle().await;
        assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"]);
        assert_eq!(group_names(&world), ["Team"]);
    }
}

#[tokio::test]
async fn a_missing_group_that_must_not_be_created_ends_the_run_and_is_named() {
    let world = World::with(with_pairs(vec![Pair { missing_group: MissingGroup::Report, ..pair("Team") }]));
    world.add(person("Ada King")).await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Failed);
    assert!(summary.error.unwrap().contains("\"Team\""));
    assert!(group_names(&world).is_empty() && world.people().is_empty());
}

#[tokio::test]
async fn a_group_renamed_in_google_is_followed() {
    let world = World::new();
    world.add(person("Ada King")).await;
    world.settle().await;
    let team = world.group_resource("Team");
    world.by_hand(|user| user.rename_group(&team, "Crew").unwrap());
    let grace = world.add(person("Grace Hopper")).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 1), "{summary:?}");
    assert!(summary.notices.iter().any(|notice| notice.contains("\"Crew\"")), "it is shown: {summary:?}");
    assert_eq!(group_names(&world), ["Crew"], "the old name is not created again");
    assert_eq!(world.groups_of("Grace Hopper"), ["Crew", "myContacts"]);
    world.edit(grace, |card| card.phones.push(phone("+1 212 555 0100"))).await;
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The group is deleted in Google, its members stay. The pair waits: neither edits nor deletions of its contacts travel,
// nobody is created. Then a person makes the group again, and everything goes on.
#[tokio::test]
async fn a_deleted_group_parks_its_pair_until_somebody_makes_it_again() {
    for feed in [Feed::Shown, Feed::Hidden] {
        let world = World::new();
        world.switch(|settings| settings.group_deletions = feed);
        let ada = world.add(person("Ada King")).await;
        let grace = world.add(person("Grace Hopper")).await;
        let alan = world.add(person("Alan Turing")).await;
        world.settle().await;
        world.advance(HOUR);
        let team = world.group_resource("Team");
        world.by_hand(|user| user.delete_group(&team, MemberFate::Keep).unwrap());
        world.edit(ada, |card| card.notes = Some("from the store".to_owned())).await;
        world.google_edit("Grace Hopper", &json!({"biographies": [{"value": "from Google"}]}));
        world.delete(alan).await;
        world.add(person("Emmy Noether")).await;
        for _ in 0..3 {
            world.count_anew();
            let summary = world.sync().await;
            assert_eq!(summary.outcome, Outcome::Parked, "{feed:?}: {summary:?}");
            assert!(summary.notices.iter().any(|notice| notice.contains("was deleted")), "{summary:?}");
            assert_eq!((summary.pulled.total(), world.write_calls()), (0, 0), "{feed:?}: {summary:?}");
            world.advance(HOUR);
        }
        assert_eq!(world.google_names(), ["Ada King", "Alan Turing", "Grace Hopper"]);
        assert_eq!(world.store_names().await, ["Ada King", "Emmy Noether", "Grace Hopper"]);

        world.by_hand(|user| user.create_group("Team").unwrap());
        world.settle().await;
        assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"], "{feed:?}");
        assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("from the store"));
        assert_eq!(world.contact(grace).await.card.notes.as_deref(), Some("from Google"));
        assert_eq!(world.store_names().await, ["Ada King", "Emmy Noether", "Grace Hopper"]);
        assert_eq!(world.groups_of("Alan Turing"), ["myContacts"], "outside every pair nobody is deleted");
        world.assert_equal_within_group().await;
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_contact_deleted_in_the_store_and_taken_out_of_the_group_in_google_stays_so() {
    let (world, ada) = customers().await;
    world.delete(ada).await;
    world.google_unlabel("Ada King", "Team");
    world.settle().await;
    assert!(!world.contact(ada).await.is_live());
    assert_eq!(world.groups_of("Ada King"), ["myContacts"]);
    world.assert_at_rest().await;
}

// Nobody knows whether the deletion of the group was meant for the contacts of the store too.
#[tokio::test]
async fn a_group_deleted_together_with_its_contacts_deletes_nothing_in_the_store() {
    let world = World::new();
    for name in ["Ada King", "Grace Hopper"] {
        world.add(person(name)).await;
    }
    world.settle().await;
    world.advance(HOUR);
    let team = world.group_resource("Team");
    world.by_hand(|user| user.delete_group(&team, MemberFate::Trash).unwrap());
    for _ in 0..3 {
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.pulled.total()), (Outcome::Parked, 0), "{summary:?}");
        world.advance(HOUR);
    }
    assert_eq!(world.store_names().await, ["Ada King", "Grace Hopper"]);
}

#[tokio::test]
async fn another_pair_goes_on_while_one_has_lost_its_group() {
    let world = World::with(with_pairs(vec![labelled("Team", "Customer"), labelled("Club", "Club")]));
    for (name, label) in [("Ada King", "Customer"), ("Grace Hopper", "Club")] {
        let mut card = person(name);
        card.labels.insert(label.to_owned());
        world.add(card).await;
    }
    world.settle().await;
    let team = world.group_resource("Team");
    world.by_hand(|user| user.delete_group(&team, MemberFate::Keep).unwrap());
    let grace = world.by_name("Grace Hopper").await.id;
    world.edit(grace, |card| card.notes = Some("still here".to_owned())).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Parked, 1), "{summary:?}");
    assert_eq!(first(&world.person("Grace Hopper"), "biographies", "value"), Some("still here"));
}

// Right after its creation, or on a bad day, a group can be missing in the listing and unknown when asked for.
#[tokio::test]
async fn what_was_edited_while_a_group_was_not_to_be_seen_is_carried_over_when_it_is_back() {
    let world = World::with(with_pairs(vec![labelled("Team", "Customer"), labelled("Club", "Club")]));
    let mut card = person("Ada King");
    card.labels.insert("Customer".to_owned());
    let ada = world.add(card).await;
    world.settle().await;
    let body = json!({"contactGroups": [world.group("Team")]}).to_string();
    let short = FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body };
    for listing in 0..2 {
        world.strike("contactGroups.list", short.clone());
        if listing == 0 {
            world.strike("contactGroups.get", FaultKind::Status(404));
        } else {
            label(&world, ada, "Club").await;
        }
        let summary = world.sync().await;
        assert_eq!(summary.outcome, Outcome::Parked, "{summary:?}");
    }
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["Club", "Team", "myContacts"]);
    world.assert_equal_within_group().await;
}

fn left_group(policy: LeftGroup) -> Promise {
    let mut promise = with_pairs(vec![labelled("Team", "Customer")]);
    promise.delete.left_group = policy;
    promise
}

/// Ada is a customer and in the group; then somebody takes her out of it.
async fn taken_out(policy: LeftGroup) -> (World, ContactId) {
    let world = World::with(left_group(policy));
    let mut ada = person("Ada King");
    ada.labels.insert("Customer".to_owned());
    ada.labels.insert("Friend".to_owned());
    let id = world.add(ada).await;
    world.settle().await;
    world.advance(HOUR);
    world.google_unlabel("Ada King", "Team");
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0, "{policy:?}: nothing is written to Google");
    assert_eq!(world.groups_of("Ada King"), ["myContacts"]);
    (world, id)
}

#[tokio::test]
async fn a_contact_taken_out_of_the_group_is_no_longer_kept_equal() {
    let (world, ada) = taken_out(LeftGroup::Unlink).await;
    assert!(world.contact(ada).await.card.labels.contains("Customer"));
    world.edit(ada, |card| card.notes = Some("from the store".to_owned())).await;
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0);
    let contact = world.contact(ada).await;
    assert!(as_person(&mut contact.card.clone()).nicknames.is_empty());
    assert!(first(&world.person("Ada King"), "biographies", "value").is_none());
    world.assert_at_rest().await;
}

#[tokio::test]
async fn left_group_delete_deletes_the_contact_in_the_store_only() {
    let (world, ada) = taken_out(LeftGroup::Delete).await;
    assert!(!world.contact(ada).await.is_live());
    assert_eq!(world.google_names(), ["Ada King"]);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn left_group_delete_spares_a_contact_that_was_edited_in_the_store() {
    let world = World::with(left_group(LeftGroup::Delete));
    let mut ada = person("Ada King");
    ada.labels.insert("Customer".to_owned());
    let ada = world.add(ada).await;
    world.settle().await;
    world.edit(ada, |card| card.notes = Some("needed".to_owned())).await;
    world.google_unlabel("Ada King", "Team");
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    assert_eq!(world.groups_of("Ada King"), ["myContacts"]);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn left_group_unlabel_takes_the_label_that_selects() {
    let (world, ada) = taken_out(LeftGroup::Unlabel).await;
    let labels = world.contact(ada).await.card.labels;
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["Friend"]);
    world.assert_at_rest().await;
}

// Taken out of the group, edited on both sides, put into it again: both edits meet.
#[tokio::test]
async fn a_contact_that_returns_to_the_group_is_kept_equal_again() {
    for policy in [LeftGroup::Unlink, LeftGroup::Unlabel, LeftGroup::Delete] {
        let (world, ada) = taken_out(policy).await;
        if world.contact(ada).await.is_live() {
            world.edit(ada, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
        }
        world.google_edit("Ada King", &json!({"biographies": [{"value": "from Google"}]}));
        world.settle().await;
        world.google_label("Ada King", "Team");
        world.settle().await;
        let contact = world.contact(ada).await;
        assert!(contact.is_live(), "{policy:?}");
        assert_eq!(contact.card.notes.as_deref(), Some("from Google"), "{policy:?}");
        assert!(contact.card.labels.contains("Customer"), "{policy:?}: it belongs to the pair");
        assert_eq!(world.contacts().await.len(), 1, "{policy:?}: nobody is doubled");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// Out of the selection, edited on both sides, and back into it. Nothing that was written meanwhile is lost.
#[tokio::test]
async fn a_contact_that_leaves_the_selection_leaves_the_group_and_may_come_back() {
    let (world, ada) = customers().await;
    unlabel(&world, ada, "Customer").await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 1), "{summary:?}");
    assert_eq!(world.groups_of("Ada King"), ["myContacts"]);
    assert_eq!(world.link(ada).await.state, LinkState::Unselected);
    world.assert_at_rest().await;

    world.edit(ada, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.google_edit("Ada King", &json!({"phoneNumbers": [{"value": "+1 212 555 0100"}]}));
    world.google_edit("Ada King", &json!({"biographies": [{"value": "from Google"}]}));
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0, "no longer kept equal");
    assert_eq!(world.contact(ada).await.card.notes, None);

    label(&world, ada, "Customer").await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"]);
    assert_eq!(values(&world.person("Ada King"), "phoneNumbers"), ["+1 212 555 0100", "+44 20 7946 0000"]);
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("from Google"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_edited_as_it_leaves_the_selection_is_set_aside_too() {
    let (world, ada) = customers().await;
    world
        .edit(ada, |card| {
            card.labels.clear();
            card.notes = Some("goodbye".to_owned());
        })
        .await;
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["myContacts"]);
    world.edit(ada, |card| card.notes = Some("later".to_owned())).await;
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0, "outside every pair nothing is written");
    assert!(as_person(&mut world.contact(ada).await.card).nicknames.is_empty());
    world.assert_at_rest().await;
}

// The record is edited in Google, and the change stream is late: it shows the edit, still in the group, after the store
// has taken the contact out of it.
#[tokio::test]
async fn a_late_state_from_before_it_left_does_not_bring_a_contact_back() {
    let (world, ada) = customers().await;
    world.switch(|settings| settings.propagation.delta = Delay::constant(300_000));
    world.google_edit("Ada King", &json!({"biographies": [{"value": "from Google"}]}));
    world.advance(Duration::from_secs(60));
    unlabel(&world, ada, "Customer").await;
    world.sync().await;
    assert_eq!(world.groups_of("Ada King"), ["myContacts"]);
    for _ in 0..10 {
        world.advance(Duration::from_secs(60));
        world.sync().await;
    }
    assert!(world.contact(ada).await.card.labels.is_empty());
    assert_eq!(world.groups_of("Ada King"), ["myContacts"]);
    world.settle().await;
    world.assert_at_rest().await;
}

// Selected, but the run was cut off before the contact was created; then no longer selected, then selected again.
#[tokio::test]
async fn a_contact_that_was_never_created_may_leave_the_selection_and_come_back() {
    let (world, _) = customers().await;
    let mut emmy = person("Emmy Noether");
    emmy.labels.insert("Customer".to_owned());
    let emmy = world.add(emmy).await;
    world.strike("people.createContact", FaultKind::MinuteQuota);
    world.strike("people.createContact", FaultKind::StorageQuota);
    world.sync().await;
    unlabel(&world, emmy, "Customer").await;
    world.advance(HOUR);
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King"]);
    label(&world, emmy, "Customer").await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King", "Emmy Noether"]);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn only_who_carries_a_label_of_the_pair_is_written() {
    let (world, _) = customers().await;
    assert_eq!(world.google_names(), ["Ada King"]);
    assert_eq!(world.store_names().await, ["Ada King", "Grace Hopper"]);
}

#[tokio::test]
async fn only_contacts_of_the_pairs_owners_are_written() {
    let world = World::with(with_pairs(vec![Pair { owners: vec!["Sales@example.org".to_owned()], ..pair("Team") }]));
    for (name, owner) in
        [("Ada King", Some("sales@example.org")), ("Grace Hopper", Some("other@example.org")), ("Plato", None)]
    {
        let mut card = person(name);
        card.owner = owner.map(str::to_owned);
        world.add(card).await;
    }
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King"]);
}

#[tokio::test]
async fn who_comes_in_through_a_pair_gets_its_label() {
    let world = World::with(with_pairs(vec![Pair { add_label: Some("From Google".to_owned()), ..pair("Team") }]));
    world.sync().await;
    world.google_create(json!({"names": [{"givenName": "Emmy"}]}), &["Team"]);
    world.sync().await;
    assert!(world.by_name("Emmy").await.card.labels.contains("From Google"));
    world.assert_at_rest().await;
}

// Grace is in the store without the pair's label, and somebody puts her into the group.
#[tokio::test]
async fn who_is_put_into_the_group_gets_the_label_that_selects() {
    let (world, _) = customers().await;
    let grace = json!({"names": [{"givenName": "Grace", "familyName": "Hopper"}],
                       "emailAddresses": [{"value": "grace.hopper@example.org"}]});
    world.google_create(grace, &["Team"]);
    world.settle().await;
    let contact = world.by_name("Grace Hopper").await;
    assert!(contact.card.labels.contains("Customer"));
    assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"]);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_pair_that_does_not_adopt_leaves_strangers_alone_and_joins_twins() {
    let world = World::with(with_pairs(vec![Pair { strangers: Strangers::LeaveAlone, ..pair("Team") }]));
    world.by_hand(|user| user.create_group("Team").unwrap());
    world.google_create(json!({"names": [{"givenName": "Emmy"}]}), &["Team"]);
    let ada = json!({"names": [{"givenName": "Ada"}], "emailAddresses": [{"value": "ada.king@example.org"}],
                     "biographies": [{"value": "from Google"}]});
    world.google_create(ada, &["Team"]);
    let id = world.add(person("Ada King")).await;
    world.settle().await;
    assert_eq!(world.store_names().await, ["Ada King"]);
    assert_eq!(world.contact(id).await.card.notes.as_deref(), Some("from Google"));
    assert_eq!(world.people().len(), 2);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn two_pairs_of_an_account_have_the_contacts_of_their_labels() {
    let world = World::with(with_pairs(vec![labelled("Team", "Customer"), labelled("Club", "Club")]));
    let mut ids = Vec::new();
    for (name, labels) in [("Ada King", vec!["Customer"]), ("Grace Hopper", vec!["Customer", "Club"])] {
        let mut card = person(name);
        card.labels.extend(labels.into_iter().map(str::to_owned));
        ids.push(world.add(card).await);
    }
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"]);
    assert_eq!(world.groups_of("Grace Hopper"), ["Club", "Team", "myContacts"]);

    world
        .edit(ids[0], |card| {
            card.labels.clear();
            card.labels.insert("Club".to_owned());
        })
        .await;
    unlabel(&world, ids[1], "Customer").await;
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["Club", "myContacts"], "it changed the pair");
    assert_eq!(world.groups_of("Grace Hopper"), ["Club", "myContacts"]);

    world.google_unlabel("Grace Hopper", "Club");
    world.google_label("Ada King", "Team");
    world.settle().await;
    let ada = world.contact(ids[0]).await;
    assert_eq!(ada.card.labels.into_iter().collect::<Vec<_>>(), ["Club", "Customer"], "put into a second group");
    assert_eq!(world.groups_of("Ada King"), ["Club", "Team", "myContacts"]);
    world.assert_at_rest().await;
}

// Two plans that differ in nothing but the group are two plans.
#[tokio::test]
async fn a_plan_names_the_groups_that_a_contact_joins_and_leaves() {
    let memory = Arc::new(MemoryStore::new(&SeededEntropy::new(7)));
    let world = World::on(memory.clone(), with_pairs(vec![labelled("Team", "Customer"), labelled("Club", "Club")]));
    let mut card = person("Ada King");
    card.labels.extend(["Customer".to_owned(), "Club".to_owned()]);
    let ada = world.add(card).await;
    world.settle().await;
    let mut told = Vec::new();
    for label in ["Customer", "Club"] {
        let before = world.contact(ada).await.card.labels;
        unlabel(&world, ada, label).await;
        let report = world.run_on(&memory.snapshot(), Reach::Incremental, Purpose::Preview).await;
        told.push((report.operations[0].fields["groups"].before.clone(), Operation::digest_of(&report.operations)));
        world.edit(ada, |card| card.labels = before).await;
    }
    assert_eq!((&told[0].0, &told[1].0), (&json!("Team"), &json!("Club")));
    assert_ne!(told[0].1, told[1].1);
}

// Labels that are mapped to groups travel as memberships, both ways.
#[tokio::test]
async fn a_label_taken_off_or_exchanged_in_google_is_so_in_the_store() {
    let world = World::with(with_pairs(vec![labelled("Team", "Customer"), labelled("Club", "Club")]));
    let mut ids = Vec::new();
    for name in ["Ada King", "Grace Hopper"] {
        let mut card = person(name);
        card.labels.extend(["Customer".to_owned(), "Club".to_owned(), "Friend".to_owned()]);
        ids.push(world.add(card).await);
    }
    world.settle().await;
    world.advance(Duration::from_secs(3600));
    let labels = async |id| world.contact(id).await.card.labels.into_iter().collect::<Vec<_>>();

    world.google_unlabel("Ada King", "Club");
    world.settle().await;
    assert_eq!(labels(ids[0]).await, ["Customer", "Friend"]);
    world.edit(ids[0], |card| card.notes = Some("edited".to_owned())).await;
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"], "nothing puts it back");

    world.google_label("Ada King", "Club");
    world.google_unlabel("Ada King", "Team");
    world.google_unlabel("Grace Hopper", "Team");
    unlabel(&world, ids[1], "Friend").await;
    world.settle().await;
    assert_eq!(labels(ids[0]).await, ["Club", "Friend"], "it was moved from one to the other");
    assert_eq!(labels(ids[1]).await, ["Club"], "and what the store changed meanwhile is kept");
    assert_eq!(world.groups_of("Ada King"), ["Club", "myContacts"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_change_of_labels_alone_costs_one_call_per_group() {
    let world = World::with(with_pairs(vec![labelled("Team", "Customer"), pair("Everybody")]));
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(world.add(person(&format!("Person {number}"))).await);
    }
    world.settle().await;
    for id in &ids[..15] {
        label(&world, *id, "Customer").await;
    }
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 15), "{summary:?}");
    assert_eq!((world.write_calls(), world.api_calls()["contactGroups.members.modify"]), (1, 1));
    assert_eq!(world.group("Team")["memberCount"], 15);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn other_memberships_and_stars_are_kept() {
    let (world, ada) = customers().await;
    world.by_hand(|user| user.create_group("Golf").unwrap());
    world.google_label("Ada King", "Golf");
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.label(&resource, "starred").unwrap());
    world.settle().await;
    world.edit(ada, |card| card.notes = Some("edited".to_owned())).await;
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["Golf", "Team", "myContacts", "starred"]);
    world
        .edit(ada, |card| {
            card.labels.clear();
            card.notes = Some("edited again".to_owned());
        })
        .await;
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["Golf", "myContacts", "starred"]);
    world
        .edit(ada, |card| {
            card.labels.insert("Customer".to_owned());
            card.notes = Some("and back".to_owned());
        })
        .await;
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["Golf", "Team", "myContacts", "starred"]);
    assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("and back"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn who_joins_a_group_is_in_my_contacts_too() {
    let (world, ada) = customers().await;
    unlabel(&world, ada, "Customer").await;
    world.settle().await;
    world.by_hand(|user| user.create_group("Golf").unwrap());
    world.google_label("Ada King", "Golf");
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.unlabel(&resource, "myContacts").unwrap());
    label(&world, ada, "Customer").await;
    world.settle().await;
    assert_eq!(world.groups_of("Ada King"), ["Golf", "Team", "myContacts"]);
}

// Ada leaves the group of one pair for that of another; while that is under way, somebody edits her.
#[tokio::test]
async fn a_contact_edited_while_its_groups_are_changed_is_carried_over_later() {
    let mut world = World::with(with_pairs(vec![labelled("Team", "Customer"), labelled("Club", "Club")]));
    let mut card = person("Ada King");
    card.labels.insert("Customer".to_owned());
    let ada = world.add(card).await;
    world.settle().await;
    label(&world, ada, "Club").await;
    world.interrupt_at("/members:modify", ada, |card| card.notes = Some("meanwhile".to_owned()));
    world.sync().await;
    assert_eq!(world.groups_of("Ada King"), ["Club", "Team", "myContacts"]);
    world.settle().await;
    assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("meanwhile"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_pair_taken_out_of_the_configuration_is_no_longer_written() {
    let mut world = World::with(with_pairs(vec![labelled("Team", "Customer"), labelled("Club", "Club")]));
    let mut card = person("Ada King");
    card.labels.insert("Club".to_owned());
    let ada = world.add(card).await;
    world.settle().await;
    world.promise.pairs.pop();
    world.settings = "two".to_owned();
    world.settle().await;
    world.edit(ada, |card| card.notes = Some("private".to_owned())).await;
    world.count_anew();
    world.settle().await;
    assert_eq!(world.write_calls(), 0);
    assert_eq!(world.groups_of("Ada King"), ["Club", "myContacts"], "nobody is taken out of a group that is not ours");
    world.assert_at_rest().await;
}

// The change stream is late: it shows the record as it was before we took it out, and then without the group. Neither is
// somebody who took the contact out, even where that would delete it.
#[tokio::test]
async fn what_we_took_out_ourselves_is_not_deleted_when_the_listings_are_late() {
    for crash in [false, true] {
        let mut promise = promise();
        promise.pairs[0].labels = vec!["Customer".to_owned()];
        promise.delete.left_group = LeftGroup::Delete;
        let mut world = World::with(promise);
        let mut card = person("Ada King");
        card.labels.insert("Customer".to_owned());
        let ada = world.add(card).await;
        world.settle().await;
        world.advance(Duration::from_secs(3600));
        world.switch(|settings| {
            settings.propagation.delta = Delay::constant(300_000);
            settings.propagation.get = Delay::constant(5_000);
        });
        world.google_edit("Ada King", &json!({"biographies": [{"value": "edited there"}]}));
        world.edit(ada, |card| _ = card.labels.remove("Customer")).await;
        if crash {
            // The members are changed, and the process dies before that is recorded.
            let calls = |world: &World| world.emulator().counters().method("contactGroups.members.modify").calls;
            let before = calls(&world);
            for step in 0..40 {
                world.fuse(&Fuse::at(step, Cut::After));
                world.sync_or_crash();
                world.unfuse();
                if calls(&world) > before {
                    break;
                }
            }
        }
        for _ in 0..20 {
            world.sync().await;
            world.advance(Duration::from_secs(60));
        }
        world.settle().await;
        assert!(world.contact(ada).await.is_live(), "crash {crash}");
        assert_eq!(world.groups_of("Ada King"), ["myContacts"], "crash {crash}");
    }
}
