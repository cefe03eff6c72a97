//! Undo: what a run did to either side is taken back, as far as nothing has changed since; and that can be undone too.

use std::time::Duration;

use contactsync::clock::{Entropy as _, SeededEntropy};
use contactsync::domain::account::Outcome;
use contactsync::domain::contact::{Address, Card, OrganizationRef, Website};
use contactsync::domain::history::{Action, RecordedChange};
use contactsync::domain::id::{ContactId, RunId};
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{Direction, Promise};
use contactsync::domain::policy::ConflictPolicy;
use contactsync::domain::run::AccountSummary;
use contactsync::engine::Licence;
use contactsync::remotes::Remote as _;
use contactsync::store::HistoryQuery;
use serde_json::{Value, json};

use crate::support::fuse::{Cut, Fuse};
use crate::support::hands::first;
use crate::support::world::{World, as_person, comparable, pair, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);

fn name(number: usize) -> String {
    format!("Person {number:02}")
}

fn rich(number: usize) -> Card {
    let mut card = person(&name(number));
    card.phones.push(phone(&format!("+44 20 7946 {number:04}")));
    card.notes = Some(format!("notes {number}"));
    card.websites.push(Website { value: format!("https://{number}.example.org"), label: Some("work".to_owned()) });
    card.custom.insert("Price list".to_owned(), "Retail".to_owned());
    let address =
        json!({"label": "work", "street": format!("{number} High Street"), "city": "London", "country": "GB"});
    card.addresses.push(serde_json::from_value::<Address>(address).expect("an address"));
    let person = as_person(&mut card);
    person.job_title = Some("Engineer".to_owned());
    person.nicknames.push(format!("Nick {number}"));
    person.organization = Some(OrganizationRef { id: None, name: "Example GmbH".to_owned() });
    card
}

async fn book(count: usize, promise: Promise) -> (World, Vec<ContactId>) {
    let world = World::with(promise);
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(world.add(rich(number)).await);
    }
    world.settle().await;
    world.advance(48 * HOUR);
    (world, ids)
}

async fn run(world: &World) -> (RunId, AccountSummary) {
    let summary = world.sync().await;
    world.advance(HOUR);
    (world.last_run().await, summary)
}

async fn undo(world: &World, run: RunId) -> (RunId, AccountSummary) {
    let summary = world.sync_under(&Licence::Undoing(run)).await;
    world.advance(HOUR);
    (world.last_run().await, summary)
}

/// What both sides hold, in canonical form and in order.
async fn sides(world: &World) -> (Vec<String>, Vec<String>) {
    let codec = world.google.codec();
    let contacts = world.contacts().await;
    let mut store: Vec<String> =
        contacts.iter().filter(|contact| !contact.implicit).map(|contact| comparable(&contact.card)).collect();
    let mut google: Vec<String> =
        world.people().iter().map(|person| comparable(&codec.read(person, codec.kind(person)).card)).collect();
    store.sort();
    google.sort();
    (store, google)
}

async fn written(world: &World, run: RunId) -> Vec<RecordedChange> {
    let rows = world.store.history(&HistoryQuery { run: Some(run), ..HistoryQuery::default() }).await.expect("read");
    rows.into_iter().filter(|row| row.remote.is_some()).collect()
}

#[tokio::test]
async fn what_a_run_writes_to_the_remote_is_in_the_history() {
    let (world, ids) = book(4, promise()).await;
    world.edit(ids[0], |card| card.notes = Some("edited".to_owned())).await;
    world.delete(ids[1]).await;
    let new = world.add(person("New Person")).await;
    world.google_edit(&name(2), &json!({"nicknames": [{"value": "pulled"}]}));
    let end = world.store.feed_end().await.expect("read");
    let (id, _) = run(&world).await;
    let rows = written(&world, id).await;
    let of = |contact: ContactId| rows.iter().find(|row| row.change.contact == contact).expect("a row");
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!((of(new).change.action, of(ids[1]).change.action), (Action::Created, Action::Deleted));
    let edited = &of(ids[0]).change;
    assert_eq!((edited.action, edited.fields.len()), (Action::Edited, 1));
    assert_eq!((&edited.fields[0].before, &edited.fields[0].after), (&json!("notes 0"), &json!("edited")));
    let copy = of(ids[0]).remote.as_ref().expect("a copy");
    assert_eq!(copy.replica.as_str(), "google:sales");
    assert_eq!(Some(&copy.record), world.link(ids[0]).await.remote.as_ref());
    // What was pushed is no news for the feed, and a run without work writes nothing at all.
    let changed = world.store.changed_contacts(end, 100).await.expect("read");
    assert!(changed.iter().all(|(contact, _)| ![ids[0], ids[1], new].contains(contact)), "{changed:?}");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn fields_are_put_back_on_both_sides() {
    let (world, ids) = book(3, promise()).await;
    let before = sides(&world).await;
    world.edit(ids[0], |card| card.notes = Some("edited".to_owned())).await;
    world.google_edit(&name(1), &json!({"biographies": null, "nicknames": [{"value": "other"}]}));
    let (id, _) = run(&world).await;
    assert_ne!(sides(&world).await, before);
    let (undone, summary) = undo(&world, id).await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 2), "{summary:?}");
    assert_eq!(sides(&world).await, before);
    world.assert_equal().await;
    world.assert_at_rest().await;
    // An undo is undone like any other run.
    undo(&world, undone).await;
    assert_eq!(first(&world.person(&name(0)), "biographies", "value"), Some("edited"));
    assert_eq!(first(&world.person(&name(1)), "nicknames", "value"), Some("other"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn what_changed_since_is_left_and_named() {
    let (world, ids) = book(3, promise()).await;
    for id in &ids {
        world.edit(*id, |card| card.notes = Some("edited".to_owned())).await;
        world.edit(*id, |card| as_person(card).job_title = Some("Chief".to_owned())).await;
    }
    let (id, _) = run(&world).await;
    world.edit(ids[0], |card| card.notes = Some("by hand".to_owned())).await;
    world.google_edit(&name(1), &json!({"biographies": [{"value": "in Google"}]}));
    let (_, summary) = undo(&world, id).await;
    for left in &ids[..2] {
        let named = |notice: &&String| notice.contains(&left.to_string()) && notice.contains("notes");
        assert_eq!(summary.notices.iter().filter(named).count(), 1, "{summary:?}");
    }
    world.settle().await;
    let notes = |number| first(&world.person(&name(number)), "biographies", "value").map(str::to_owned);
    assert_eq!(notes(0).as_deref(), Some("by hand"));
    assert_eq!(notes(1).as_deref(), Some("in Google"));
    assert_eq!(notes(2).as_deref(), Some("notes 2"));
    for contact in world.contacts().await.iter_mut().filter(|contact| !contact.implicit) {
        assert_eq!(as_person(&mut contact.card).job_title.as_deref(), Some("Engineer"));
    }
    world.assert_equal().await;
}

#[tokio::test]
async fn deleted_contacts_come_back_with_labels_and_groups() {
    let mut promise = promise();
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    promise.pairs.push(contactsync::domain::pair::Pair { labels: vec!["Friend".to_owned()], ..pair("Choir") });
    let world = World::with(promise);
    let mut ids = Vec::new();
    for number in 0..2 {
        let mut card = rich(number);
        card.labels.extend(["Customer".to_owned(), "Friend".to_owned()]);
        ids.push(world.add(card).await);
    }
    world.settle().await;
    world.advance(HOUR);
    let before = sides(&world).await;
    world.delete(ids[0]).await;
    world.google_delete(&name(1));
    let (id, summary) = run(&world).await;
    assert_eq!((summary.pulled.deleted, summary.pushed.deleted), (1, 1), "{summary:?}");
    assert_eq!(world.people().len(), 0);
    let (undone, _) = undo(&world, id).await;
    assert_eq!(sides(&world).await, before);
    for number in 0..2 {
        assert_eq!(world.groups_of(&name(number)), ["Choir", "Team", "myContacts"]);
    }
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
    undo(&world, undone).await;
    assert_eq!((world.contacts().await.iter().filter(|one| !one.implicit).count(), world.people().len()), (0, 0));
    world.settle().await;
}

#[tokio::test]
async fn what_the_run_made_is_taken_back_where_it_made_it() {
    let (world, _) = book(1, promise()).await;
    let ours = world.add(person("Made Here")).await;
    world.google_create(json!({"names": [{"givenName": "Made There"}]}), &["Team"]);
    let (id, summary) = run(&world).await;
    assert_eq!((summary.pulled.created, summary.pushed.created), (1, 1), "{summary:?}");
    let theirs = world.by_name("Made There").await.id;
    let (undone, summary) = undo(&world, id).await;
    assert_eq!((summary.outcome, summary.pushed.deleted, summary.pulled.deleted), (Outcome::Done, 1, 1), "{summary:?}");
    assert!(!world.has_person("Made Here") && world.has_person("Made There"));
    assert!(world.contact(ours).await.is_live() && !world.contact(theirs).await.is_live());
    assert_eq!(world.link(ours).await.state, LinkState::Dormant);
    assert_eq!(world.link(theirs).await.state, LinkState::Unselected);
    // Nobody undoes the undo by the way.
    world.settle().await;
    world.edit(ours, |card| card.notes = Some("edited".to_owned())).await;
    world.google_edit("Made There", &json!({"biographies": [{"value": "edited"}]}));
    world.settle().await;
    world.sync_in_full().await;
    assert!(!world.has_person("Made Here") && world.has_person("Made There"));
    assert!(world.contact(ours).await.is_live() && !world.contact(theirs).await.is_live());
    // But a person does.
    undo(&world, undone).await;
    world.settle().await;
    assert!(world.has_person("Made Here") && world.contact(theirs).await.is_live());
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// A run brings a contact in. It is undone. The contact is restored by hand. A run.
#[tokio::test]
async fn what_an_undo_put_into_the_bin_is_kept_equal_again_once_it_is_restored() {
    for meanwhile in ["left alone", "edited", "deleted"] {
        let (world, _) = book(1, promise()).await;
        world.google_create(json!({"names": [{"givenName": "Made There"}]}), &["Team"]);
        let (id, _) = run(&world).await;
        let theirs = world.by_name("Made There").await.id;
        undo(&world, id).await;
        match meanwhile {
            "edited" => world.google_edit("Made There", &json!({"biographies": [{"value": "meanwhile"}]})),
            "deleted" => world.google_delete("Made There"),
            _ => {}
        }
        run(&world).await;
        world.restore(theirs).await;
        run(&world).await;
        world.settle().await;
        assert_eq!(world.link(theirs).await.state, LinkState::Bound, "{meanwhile}");
        assert_eq!(world.google_names().iter().filter(|name| *name == "Made There").count(), 1, "{meanwhile}");
        world.edit(theirs, |card| as_person(card).job_title = Some("Engineer".to_owned())).await;
        world.settle().await;
        assert_eq!(first(&world.person("Made There"), "organizations", "title"), Some("Engineer"), "{meanwhile}");
        if meanwhile == "edited" {
            assert_eq!(world.contact(theirs).await.card.notes.as_deref(), Some("meanwhile"));
        }
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn what_was_made_and_edited_since_stays() {
    let (world, _) = book(1, promise()).await;
    world.add(person("Made Here")).await;
    world.google_create(json!({"names": [{"givenName": "Made There"}]}), &["Team"]);
    let (id, _) = run(&world).await;
    let theirs = world.by_name("Made There").await.id;
    world.google_edit("Made Here", &json!({"biographies": [{"value": "edited"}]}));
    world.edit(theirs, |card| card.notes = Some("edited".to_owned())).await;
    let (_, summary) = undo(&world, id).await;
    assert_eq!(summary.notices.iter().filter(|notice| notice.contains("edited since")).count(), 2, "{summary:?}");
    world.settle().await;
    assert!(world.has_person("Made Here") && world.contact(theirs).await.is_live());
    world.assert_equal().await;
}

#[tokio::test]
async fn what_was_made_one_way_and_edited_there_since_stays() {
    let (world, _) = book(1, Promise { direction: Direction::ToRemote, ..promise() }).await;
    world.add(person("Made Here")).await;
    let (id, _) = run(&world).await;
    world.google_edit("Made Here", &json!({"nicknames": [{"value": "edited"}]}));
    // The edit does not come into the store, and is remembered all the same.
    run(&world).await;
    let (_, summary) = undo(&world, id).await;
    assert_eq!(summary.notices.iter().filter(|notice| notice.contains("edited since")).count(), 1, "{summary:?}");
    assert_eq!(first(&world.person("Made Here"), "nicknames", "value"), Some("edited"));
}

#[tokio::test]
async fn the_value_that_lost_a_conflict_comes_back() {
    for (policy, lost) in [(ConflictPolicy::Store, "google"), (ConflictPolicy::Remote, "store")] {
        let mut promise = promise();
        promise.conflict = policy;
        let (world, ids) = book(2, promise).await;
        world.edit(ids[0], |card| card.notes = Some("store".to_owned())).await;
        world.google_edit(&name(0), &json!({"biographies": [{"value": "google"}]}));
        let (id, summary) = run(&world).await;
        assert_eq!(summary.conflicts, 1, "{summary:?}");
        undo(&world, id).await;
        assert_eq!(world.contact(ids[0]).await.card.notes.as_deref(), Some(lost));
        assert_eq!(first(&world.person(&name(0)), "biographies", "value"), Some(lost));
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_contact_that_left_the_group_is_put_back() {
    let mut promise = promise();
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    let world = World::with(promise);
    let mut card = rich(0);
    card.labels.insert("Customer".to_owned());
    let id = world.add(card).await;
    world.settle().await;
    world.advance(HOUR);
    world.edit(id, |card| card.labels.clear()).await;
    let (left, _) = run(&world).await;
    assert_eq!(world.groups_of(&name(0)), ["myContacts"]);
    undo(&world, left).await;
    assert_eq!(world.groups_of(&name(0)), ["Team", "myContacts"]);
    world.settle().await;
    world.advance(HOUR);
    world.google_unlabel(&name(0), "Team");
    let (unlinked, _) = run(&world).await;
    assert_eq!(world.link(id).await.state, LinkState::Dormant);
    undo(&world, unlinked).await;
    assert_eq!(world.groups_of(&name(0)), ["Team", "myContacts"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_label_that_never_leaves_the_store_is_not_taken_back_with_a_change_of_groups() {
    let mut promise = promise();
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    let world = World::with(promise);
    let mut card = rich(0);
    card.labels.insert("Customer".to_owned());
    let id = world.add(card).await;
    world.settle().await;
    world.advance(HOUR);
    world
        .edit(id, |card| {
            card.labels.clear();
            card.labels.insert("Friend".to_owned());
        })
        .await;
    let (left, _) = run(&world).await;
    undo(&world, left).await;
    assert_eq!(world.groups_of(&name(0)), ["Team", "myContacts"]);
    let labels = world.contact(id).await.card.labels;
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["Customer", "Friend"]);
}

#[tokio::test]
async fn only_the_contacts_of_the_run_are_touched() {
    let (world, ids) = book(3, promise()).await;
    world.edit(ids[0], |card| card.notes = Some("edited".to_owned())).await;
    let (id, _) = run(&world).await;
    world.edit(ids[1], |card| card.notes = Some("later".to_owned())).await;
    world.google_edit(&name(2), &json!({"nicknames": [{"value": "later"}]}));
    let (_, summary) = undo(&world, id).await;
    assert_eq!((summary.pulled.updated, summary.pushed.updated), (1, 1), "{summary:?}");
    assert_eq!(first(&world.person(&name(1)), "biographies", "value"), Some("notes 1"));
    world.settle().await;
    world.assert_equal().await;
}

/// One edit of a field on one side, and sometimes one of another field on the other side.
async fn edit_at_random(world: &World, id: ContactId, number: usize, draw: u64) {
    let (in_store, field) = (draw.is_multiple_of(2), draw / 2 % 6);
    edit_field(world, id, number, in_store, field, draw).await;
    if (draw / 64).is_multiple_of(2) {
        edit_field(world, id, number, !in_store, (field + 1) % 6, draw / 128).await;
    }
}

async fn edit_field(world: &World, id: ContactId, number: usize, in_store: bool, field: u64, draw: u64) {
    let text = format!("edited {draw}");
    let empties = (draw / 16).is_multiple_of(3);
    if in_store {
        world
            .edit(id, |card| match field {
                0 => card.notes = (!empties).then_some(text),
                1 => card.phones = if empties { Vec::new() } else { vec![phone("+49 30 1234567")] },
                2 => as_person(card).job_title = (!empties).then_some(text),
                3 => as_person(card).nicknames.push(text),
                4 => card.addresses.clear(),
                _ => {
                    card.custom.insert("Price list".to_owned(), text);
                }
            })
            .await;
        return;
    }
    let list = |value: Value| if empties { Value::Null } else { json!([value]) };
    let patch = match field {
        0 => json!({"biographies": list(json!({"value": text}))}),
        1 => json!({"phoneNumbers": list(json!({"value": "+49 30 7654321", "type": "home"}))}),
        2 => json!({"organizations": [{"name": "Example GmbH", "title": text}]}),
        3 => json!({"nicknames": list(json!({"value": text}))}),
        4 => json!({"urls": list(json!({"value": "https://new.example.org"}))}),
        _ => json!({"userDefined": list(json!({"key": "Price list", "value": text}))}),
    };
    world.google_edit(&name(number), &patch);
}

#[tokio::test]
async fn undo_after_a_run_restores_every_field_on_both_sides() {
    for seed in 0..32 {
        let entropy = SeededEntropy::new(seed);
        let (world, ids) = book(6, promise()).await;
        let (mut store, mut google) = sides(&world).await;
        // Never two edits of one field: then one of them was to lose.
        for (number, id) in ids.iter().enumerate() {
            match entropy.next_u64() % 8 {
                0 => world.delete(*id).await,
                1 => world.google_delete(&name(number)),
                _ => edit_at_random(&world, *id, number, entropy.next_u64() >> 8).await,
            }
        }
        if seed % 2 == 0 {
            let made = person("Made Here");
            store.push(comparable(&made));
            world.add(made).await;
        } else {
            let made = json!({"names": [{"givenName": "Made There"}]});
            let codec = world.google.codec();
            world.google_create(made, &["Team"]);
            let made = world.person("Made There");
            google.push(comparable(&codec.read(&made, codec.kind(&made)).card));
        }
        store.sort();
        google.sort();
        let (id, summary) = run(&world).await;
        assert_eq!(summary.outcome, Outcome::Done, "seed {seed}: {summary:?}");
        let after_run = sides(&world).await;
        let (undone, summary) = undo(&world, id).await;
        assert_eq!(summary.outcome, Outcome::Done, "seed {seed}: {summary:?}");
        assert_eq!(sides(&world).await, (store, google), "seed {seed}: {:?}", summary.notices);
        world.settle().await;
        world.assert_at_rest().await;
        undo(&world, undone).await;
        world.settle().await;
        assert_eq!(sides(&world).await, after_run, "seed {seed}: undone twice");
    }
}

/// A book of four after a run that made, changed and deleted something on each side, and what both sides were to hold
/// after the undo of that run.
async fn eventful() -> (World, RunId, (Vec<String>, Vec<String>)) {
    let (world, ids) = book(4, promise()).await;
    let (mut store, mut google) = sides(&world).await;
    world.edit(ids[0], |card| card.notes = Some("edited".to_owned())).await;
    world.google_edit(&name(1), &json!({"biographies": null}));
    world.delete(ids[2]).await;
    world.google_delete(&name(3));
    let ours = person("Made Here");
    store.push(comparable(&ours));
    world.add(ours).await;
    world.google_create(json!({"names": [{"givenName": "Made There"}]}), &["Team"]);
    let made = world.person("Made There");
    let codec = world.google.codec();
    google.push(comparable(&codec.read(&made, codec.kind(&made)).card));
    store.sort();
    google.sort();
    let (id, _) = run(&world).await;
    (world, id, (store, google))
}

// Cut off anywhere, and asked for again: the undo comes to its end, and nothing else happens meanwhile.
#[tokio::test]
async fn an_undo_that_is_cut_off_can_be_asked_for_again() {
    let (mut world, id, expected) = eventful().await;
    let fuse = Fuse::counting();
    world.fuse(&fuse);
    undo(&world, id).await;
    assert_eq!(sides(&world).await, expected);
    let steps = fuse.steps();
    assert!(steps > 10, "{steps}");
    for step in 0..steps {
        for cut in [Cut::Before, Cut::After] {
            let (mut world, id, expected) = eventful().await;
            world.fuse(&Fuse::at(step, cut));
            world.sync_under_or_crash(&Licence::Undoing(id));
            world.unfuse();
            world.advance(HOUR);
            if step % 2 == 0 {
                world.settle().await;
            }
            undo(&world, id).await;
            world.settle().await;
            assert_eq!(sides(&world).await, expected, "cut {cut:?} step {step}");
        }
    }
}

#[tokio::test]
async fn groups_that_follow_from_the_configuration_are_named() {
    let mut promise = promise();
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    let mut world = World::with(promise);
    let mut card = rich(0);
    card.labels.insert("Customer".to_owned());
    let id = world.add(card).await;
    world.settle().await;
    world.advance(HOUR);
    world.promise.pairs[0].labels = vec!["Partner".to_owned()];
    world.settings = "two".to_owned();
    let (left, _) = run(&world).await;
    assert_eq!(world.groups_of(&name(0)), ["myContacts"]);
    let (_, summary) = undo(&world, left).await;
    assert!(summary.notices.iter().any(|notice| notice.contains(&id.to_string())), "{summary:?}");
    assert_eq!(world.groups_of(&name(0)), ["myContacts"]);
    world.assert_at_rest().await;
}

/// Ada on both sides, linked by the run that is returned: either side knows something that the other one does not.
async fn met() -> (World, ContactId, Card, Value, RunId) {
    let world = World::new();
    world.add(person("Grace Hopper")).await;
    world.settle().await;
    let person_there = json!({
        "names": [{"givenName": "Ada", "familyName": "King"}], "nicknames": [{"value": "Countess"}],
        "emailAddresses": [{"value": "ada.king@example.org", "type": "home"}],
        "phoneNumbers": [{"value": "+44 20 7946 0000", "type": "workFax"}]});
    world.google_create(person_there, &[]);
    let mut card = person("Ada King");
    card.notes = Some("my notes of ten years".to_owned());
    as_person(&mut card).job_title = Some("CTO".to_owned());
    let ada = world.add(card).await;
    let (card, there) = (world.contact(ada).await.card, world.person("Ada King"));
    world.advance(HOUR);
    let (id, summary) = run(&world).await;
    assert_eq!(summary.links.linked, 1, "{summary:?}");
    assert_eq!(world.person("Ada King")["organizations"][0]["title"], "CTO");
    assert_eq!(world.contact(ada).await.card.phones.len(), 1);
    (world, ada, card, there, id)
}

/// What a person says, without what the service makes of it.
fn content(person: &Value, world: &World) -> (String, usize) {
    let reading = world.google.codec().read(person, contactsync::domain::contact::Kind::Person);
    (comparable(&reading.card), reading.groups.len())
}

#[tokio::test]
async fn what_was_linked_is_parted_and_either_side_has_what_it_had() {
    let (world, ada, card, there, linking) = met().await;
    let (taken_back, summary) = undo(&world, linking).await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    assert_eq!((summary.pulled.updated, summary.pushed.updated, summary.links.unlinked), (1, 1, 1), "{summary:?}");
    assert_eq!(comparable(&world.contact(ada).await.card), comparable(&card));
    assert_eq!(content(&world.person("Ada King"), &world), content(&there, &world), "in no group that it was not in");
    assert_eq!(world.link(ada).await.state, LinkState::Dormant);
    let (_, summary) = run(&world).await;
    assert_eq!((summary.pulled.total(), summary.pushed.total(), summary.links.linked), (0, 0, 0), "and stays so");
    // That can be taken back as well.
    undo(&world, taken_back).await;
    world.settle().await;
    assert_eq!(world.link(ada).await.state, LinkState::Bound);
    assert_eq!(world.contact(ada).await.card.phones.len(), 1);
    assert_eq!(world.person("Ada King")["organizations"][0]["title"], "CTO");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_parting_that_is_cut_off_anywhere_blanks_nothing_on_either_side() {
    for step in 0.. {
        let (mut world, ada, card, there, linking) = met().await;
        world.fuse(&Fuse::at(step, Cut::After));
        let whole = world.sync_under_or_crash(&Licence::Undoing(linking)).is_some();
        world.unfuse();
        world.advance(HOUR);
        world.settle().await;
        let again = undo(&world, linking).await.1;
        let told = again.notices.iter().any(|notice| notice.contains("parted from its record already"));
        assert_eq!(told, again.links.unlinked == 0, "cut after step {step}: {again:?}");
        let now = world.contact(ada).await.card;
        assert_eq!(
            (&now.notes, &as_person(&mut now.clone()).job_title),
            (&card.notes, &Some("CTO".to_owned())),
            "{step}"
        );
        let person = world.person("Ada King");
        assert_eq!(person["phoneNumbers"][0]["value"], there["phoneNumbers"][0]["value"], "cut after step {step}");
        assert_eq!(person["nicknames"][0]["value"], "Countess", "cut after step {step}");
        if whole {
            assert!(step > 5, "{step} steps are too few to prove anything");
            break;
        }
    }
}

#[tokio::test]
async fn what_was_edited_since_a_parted_run_stays() {
    let (world, ada, _, _, linking) = met().await;
    world.edit(ada, |card| as_person(card).job_title = Some("Retired".to_owned())).await;
    world.settle().await;
    world.advance(HOUR);
    undo(&world, linking).await;
    assert_eq!(world.contact(ada).await.card.as_person().unwrap().job_title.as_deref(), Some("Retired"));
    assert_eq!(world.person("Ada King")["organizations"][0]["title"], "Retired", "not what the run had written");
    assert_eq!(world.link(ada).await.state, LinkState::Dormant);
}

// The run that linked them was stopped before it wrote to Google; the next one went on.
#[tokio::test]
async fn what_a_later_run_wrote_because_of_a_link_goes_with_the_link_and_not_by_itself() {
    let world = World::new();
    world.add(person("Grace Hopper")).await;
    world.settle().await;
    let names = json!([{"givenName": "Ada", "familyName": "King"}]);
    let mail = json!([{"value": "ada.king@example.org", "type": "work"}]);
    world.google_create(json!({"names": names, "emailAddresses": mail}), &["Team"]);
    let mut card = person("Ada King");
    card.notes = Some("my notes of ten years".to_owned());
    let ada = world.add(card).await;
    let there = world.person("Ada King");
    world.advance(HOUR);
    for method in ["people.updateContact", "people.batchUpdateContacts"] {
        world.strike_always(method, contactsync::emulator::fault::FaultKind::MinuteQuota);
    }
    let (linking, _) = run(&world).await;
    world.calm();
    let (writing, summary) = run(&world).await;
    assert_eq!(summary.pushed.updated, 1, "{summary:?}");
    assert_eq!(world.person("Ada King")["biographies"][0]["value"], "my notes of ten years");

    let (_, summary) = undo(&world, writing).await;
    assert!(summary.notices.iter().any(|notice| notice.contains("earlier run that linked")), "{summary:?}");
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("my notes of ten years"));
    assert_eq!(world.person("Ada King")["biographies"][0]["value"], "my notes of ten years");

    undo(&world, linking).await;
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("my notes of ten years"));
    assert_eq!(content(&world.person("Ada King"), &world), content(&there, &world));
    assert_eq!(world.link(ada).await.state, LinkState::Dormant);
}

#[tokio::test]
async fn a_parted_record_that_is_put_into_the_group_again_is_united_and_loses_nothing() {
    let (world, ada, _, _, linking) = met().await;
    undo(&world, linking).await;
    world.google_label("Ada King", "Team");
    world.settle().await;
    let contact = world.contact(ada).await;
    assert_eq!(world.link(ada).await.state, LinkState::Bound, "{contact:?}");
    assert_eq!((contact.card.phones.len(), contact.card.notes.as_deref()), (1, Some("my notes of ten years")));
    let person = world.person("Ada King");
    assert_eq!(
        (&person["nicknames"][0]["value"], &person["organizations"][0]["title"]),
        (&json!("Countess"), &json!("CTO"))
    );
    world.assert_equal().await;
}
