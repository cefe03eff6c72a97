//! Both sides changed the same thing: who wins by each policy, what is kept of the loser, and what is no conflict at all.

use std::time::Duration;

use contactsync::contacts::edit::Editor;
use contactsync::domain::account::Outcome;
use contactsync::domain::conflict::Conflict;
use contactsync::domain::field::Field;
use contactsync::domain::history::Actor;
use contactsync::domain::id::ContactId;
use contactsync::domain::merge::FieldConflict;
use contactsync::domain::pair::Promise;
use contactsync::domain::policy::{ConflictPolicy, Winner};
use contactsync::emulator::fault::FaultKind;
use contactsync::engine::{Purpose, Reach};
use serde_json::{Value, json};

use crate::support::hands::{first, values};
use crate::support::world::{World, as_person, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);

/// Ada, with a phone and a note, on both sides, at rest.
async fn book(promise: Promise) -> (World, ContactId) {
    let world = World::with(promise);
    let mut ada = person("Ada King");
    ada.phones.push(phone("+44 20 7946 0000"));
    ada.notes = Some("first".to_owned());
    let ada = world.add(ada).await;
    world.settle().await;
    world.advance(HOUR);
    (world, ada)
}

fn by(conflict: ConflictPolicy) -> Promise {
    Promise { conflict, ..promise() }
}

fn google_notes(world: &World, notes: &str) {
    world.google_edit("Ada King", &json!({"biographies": [{"value": notes}]}));
}

async fn store_notes(world: &World, ada: ContactId, notes: &str) {
    world.edit(ada, |card| card.notes = Some(notes.to_owned())).await;
}

/// What both sides say in the notes.
async fn notes(world: &World, ada: ContactId) -> (String, String) {
    let store = world.contact(ada).await.card.notes.unwrap_or_default();
    let google = first(&world.person("Ada King"), "biographies", "value").unwrap_or_default().to_owned();
    (store, google)
}

async fn both(world: &World, ada: ContactId, expected: &str) {
    assert_eq!(notes(world, ada).await, (expected.to_owned(), expected.to_owned()));
}

/// All conflicts that the history of the contact tells of.
async fn told(world: &World, ada: ContactId) -> Vec<FieldConflict> {
    world.history(ada).await.into_iter().flat_map(|change| change.conflicts).collect()
}

async fn waiting(world: &World) -> Vec<Conflict> {
    world.store.open_conflicts(None).await.unwrap()
}

async fn resolve(world: &World, conflict: &Conflict, winner: Winner) {
    let editor = Editor {
        store: world.store.as_ref(),
        clock: world.clock.as_ref(),
        entropy: world.entropy.as_ref(),
        actor: Actor::User,
    };
    world.tick();
    editor.resolve(conflict, winner).await.unwrap();
}

#[tokio::test]
async fn the_newest_edit_wins_when_it_is_googles() {
    let (world, ada) = book(by(ConflictPolicy::Newest)).await;
    store_notes(&world, ada, "store").await;
    google_notes(&world, "google");
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 1), "{summary:?}");
    both(&world, ada, "google").await;
    let told = told(&world, ada).await;
    assert_eq!((&told[0].base, &told[0].store, &told[0].remote), (&json!("first"), &json!("store"), &json!("google")));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn the_newest_edit_wins_when_it_is_the_stores() {
    let (world, ada) = book(by(ConflictPolicy::Newest)).await;
    google_notes(&world, "google");
    store_notes(&world, ada, "store").await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 1), "{summary:?}");
    both(&world, ada, "store").await;
    assert_eq!(told(&world, ada).await[0].remote, json!("google"), "the loser is kept");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_on_one_side_decides_nothing() {
    for ahead in [Duration::from_secs(7200), Duration::ZERO] {
        let (world, ada) = book(by(ConflictPolicy::Newest)).await;
        world.emulator().advance(ahead);
        world.sync().await;
        google_notes(&world, "older");
        world.advance(Duration::from_secs(60));
        store_notes(&world, ada, "newer").await;
        world.sync().await;
        both(&world, ada, "newer").await;
        world.advance(Duration::from_secs(60));
        store_notes(&world, ada, "older").await;
        world.advance(Duration::from_secs(60));
        google_notes(&world, "newest");
        world.sync().await;
        both(&world, ada, "newest").await;
    }
}

#[tokio::test]
async fn a_tie_goes_to_the_store() {
    let (world, ada) = book(by(ConflictPolicy::Newest)).await;
    store_notes(&world, ada, "store").await;
    let (name, now) = (world.resource("Ada King"), contactsync::clock::Clock::now(world.clock.as_ref()));
    let patch = json!({"biographies": [{"value": "google"}]});
    world.emulator().user(crate::support::world::EMAIL, now).unwrap().edit(&name, &patch).unwrap();
    world.sync().await;
    both(&world, ada, "store").await;
}

// The store writes the notes, then Google notes and title, then the store the title: each field has its own time.
#[tokio::test]
async fn each_field_has_its_own_time_in_the_store() {
    let (world, ada) = book(by(ConflictPolicy::Newest)).await;
    store_notes(&world, ada, "store").await;
    world.google_edit(
        "Ada King",
        &json!({"biographies": [{"value": "google"}], "organizations": [{"title": "from Google"}]}),
    );
    world.edit(ada, |card| as_person(card).job_title = Some("from the store".to_owned())).await;
    let summary = world.sync().await;
    assert_eq!(summary.conflicts, 2, "{summary:?}");
    both(&world, ada, "google").await;
    assert_eq!(first(&world.person("Ada King"), "organizations", "title"), Some("from the store"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_side_may_always_win() {
    for (policy, winner) in [(ConflictPolicy::Store, "store"), (ConflictPolicy::Remote, "google")] {
        for store_first in [true, false] {
            let (world, ada) = book(by(policy)).await;
            if store_first {
                store_notes(&world, ada, "store").await;
                google_notes(&world, "google");
            } else {
                google_notes(&world, "google");
                store_notes(&world, ada, "store").await;
            }
            let summary = world.sync().await;
            assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 1), "{policy:?}: {summary:?}");
            both(&world, ada, winner).await;
            let told = told(&world, ada).await;
            assert_eq!((&told[0].store, &told[0].remote), (&json!("store"), &json!("google")), "{policy:?}");
            world.assert_at_rest().await;
        }
    }
}

#[tokio::test]
async fn a_field_may_have_a_policy_of_its_own() {
    let mut promise = by(ConflictPolicy::Store);
    promise.conflict_fields.insert(Field::Notes, ConflictPolicy::Remote);
    let (world, ada) = book(promise).await;
    world
        .edit(ada, |card| {
            card.notes = Some("store".to_owned());
            as_person(card).job_title = Some("store".to_owned());
        })
        .await;
    world.google_edit(
        "Ada King",
        &json!({"biographies": [{"value": "google"}], "organizations": [{"title": "google"}]}),
    );
    world.sync().await;
    both(&world, ada, "google").await;
    assert_eq!(first(&world.person("Ada King"), "organizations", "title"), Some("store"));
    world.assert_at_rest().await;
}

/// Runs a few times. Nothing may move but what the caller expects to have moved already.
async fn assert_holds(world: &World, ada: ContactId, expected: (&str, &str)) {
    world.settle_but(Outcome::Parked).await;
    let (version, rows) = (world.contact(ada).await.version, world.history(ada).await.len());
    world.count_anew();
    for reach in [Reach::Incremental, Reach::Full, Reach::Incremental, Reach::Incremental] {
        world.advance(HOUR);
        let summary = world.run(reach, Purpose::Carry).await.summary;
        assert_eq!(summary.outcome, Outcome::Parked, "a conflict waits: {summary:?}");
        assert_eq!(summary.pulled.total() + summary.pushed.total() + summary.conflicts, 0, "{summary:?}");
    }
    assert_eq!(world.write_calls(), 0);
    assert_eq!((world.contact(ada).await.version, world.history(ada).await.len()), (version, rows), "no ping-pong");
    let (store, google) = notes(world, ada).await;
    assert_eq!((store.as_str(), google.as_str()), expected);
}

#[tokio::test]
async fn manual_holds_the_field_on_both_sides_while_the_others_go_on() {
    let (world, ada) = book(by(ConflictPolicy::Manual)).await;
    store_notes(&world, ada, "store").await;
    google_notes(&world, "google");
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts), (Outcome::Parked, 1), "{summary:?}");
    assert_holds(&world, ada, ("store", "google")).await;
    let held = waiting(&world).await;
    assert_eq!(held.len(), 1);
    assert_eq!((&held[0].base, &held[0].store, &held[0].remote), (&json!("first"), &json!("store"), &json!("google")));

    world.edit(ada, |card| card.phones.push(phone("+1 212 555 0100"))).await;
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.pulled.updated, summary.pushed.updated, summary.conflicts), (1, 1, 0), "{summary:?}");
    assert_eq!(values(&world.person("Ada King"), "phoneNumbers").len(), 2);
    assert_eq!(as_person(&mut world.contact(ada).await.card).nicknames, ["Countess"]);
    assert_holds(&world, ada, ("store", "google")).await;
}

#[tokio::test]
async fn a_held_field_that_is_edited_again_stays_held_and_its_conflict_follows() {
    let (world, ada) = book(by(ConflictPolicy::Manual)).await;
    store_notes(&world, ada, "store").await;
    google_notes(&world, "google");
    world.sync().await;
    google_notes(&world, "google again");
    world.sync().await;
    store_notes(&world, ada, "store again").await;
    world.sync().await;
    assert_holds(&world, ada, ("store again", "google again")).await;
    let held = waiting(&world).await;
    assert_eq!(held.len(), 1, "one conflict, not three");
    assert_eq!((&held[0].store, &held[0].remote), (&json!("store again"), &json!("google again")));
    resolve(&world, &held[0], Winner::Remote).await;
    world.settle().await;
    both(&world, ada, "google again").await;
}

#[tokio::test]
async fn a_resolved_conflict_is_carried_out() {
    for (winner, expected) in [(Winner::Store, "store"), (Winner::Remote, "google")] {
        let (world, ada) = book(by(ConflictPolicy::Manual)).await;
        store_notes(&world, ada, "store").await;
        google_notes(&world, "google");
        world.sync().await;
        world.advance(HOUR);
        resolve(&world, &waiting(&world).await[0], winner).await;
        let summary = world.sync().await;
        assert_eq!(summary.outcome, Outcome::Done, "{winner:?}: {summary:?}");
        both(&world, ada, expected).await;
        world.assert_at_rest().await;
        google_notes(&world, "later");
        world.settle().await;
        both(&world, ada, "later").await;
    }
}

#[tokio::test]
async fn a_held_field_on_which_both_sides_come_to_agree_is_no_conflict_any_more() {
    for in_store in [true, false] {
        let (world, ada) = book(by(ConflictPolicy::Manual)).await;
        store_notes(&world, ada, "store").await;
        google_notes(&world, "google");
        world.sync().await;
        match in_store {
            true => store_notes(&world, ada, "google").await,
            false => google_notes(&world, "store"),
        }
        world.settle().await;
        assert!(waiting(&world).await.is_empty(), "in the store: {in_store}");
        world.assert_at_rest().await;
        world.assert_equal().await;
    }
}

#[tokio::test]
async fn a_conflict_of_a_list_is_held_as_a_whole() {
    let (world, ada) = book(by(ConflictPolicy::Manual)).await;
    world.edit(ada, |card| card.phones[0].label = Some("home".to_owned())).await;
    world.google_edit("Ada King", &json!({"phoneNumbers": [{"value": "+44 20 7946 0000", "type": "mobile"}]}));
    world.sync().await;
    assert_eq!(waiting(&world).await.len(), 1);
    world.edit(ada, |card| card.phones.push(phone("+1 212 555 0100"))).await;
    world.sync().await;
    assert_eq!(values(&world.person("Ada King"), "phoneNumbers").len(), 1);
    resolve(&world, &waiting(&world).await[0], Winner::Store).await;
    world.settle().await;
    assert_eq!(values(&world.person("Ada King"), "phoneNumbers").len(), 2);
    assert_eq!(first(&world.person("Ada King"), "phoneNumbers", "type"), Some("home"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn the_same_edit_on_both_sides_is_no_conflict() {
    let (world, ada) = book(by(ConflictPolicy::Manual)).await;
    store_notes(&world, ada, "the same").await;
    google_notes(&world, "the same");
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts, world.write_calls()), (Outcome::Done, 0, 0), "{summary:?}");
    assert!(waiting(&world).await.is_empty() && told(&world, ada).await.is_empty());
    world.assert_at_rest().await;
}

#[tokio::test]
async fn another_spelling_of_the_same_is_no_conflict() {
    let (world, ada) = book(by(ConflictPolicy::Manual)).await;
    world.edit(ada, |card| card.phones.push(phone("+1 212 555 0100"))).await;
    world.google_edit(
        "Ada King",
        &json!({"phoneNumbers": [{"value": "+44 20 7946 0000", "type": "work"}, {"value": "+1 (212) 555-0100", "type": "work"}]}),
    );
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 0), "{summary:?}");
    assert_eq!(world.contact(ada).await.card.phones.len(), 2);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn what_both_sides_add_to_a_list_is_all_there() {
    let (world, ada) = book(by(ConflictPolicy::Manual)).await;
    world.edit(ada, |card| card.phones.push(phone("+1 212 555 0100"))).await;
    world.google_edit(
        "Ada King",
        &json!({"phoneNumbers": [{"value": "+44 20 7946 0000", "type": "work"}, {"value": "+49 30 1234567"}]}),
    );
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 0), "{summary:?}");
    let expected = ["+1 212 555 0100", "+44 20 7946 0000", "+49 30 1234567"];
    assert_eq!(values(&world.person("Ada King"), "phoneNumbers"), expected);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn what_one_side_removes_from_a_list_and_the_other_leaves_alone_is_gone() {
    let (world, ada) = book(by(ConflictPolicy::Manual)).await;
    world.edit(ada, |card| card.phones.push(phone("+1 212 555 0100"))).await;
    world.google_edit("Ada King", &json!({"phoneNumbers": null}));
    world.settle().await;
    assert_eq!(values(&world.person("Ada King"), "phoneNumbers"), ["+1 212 555 0100"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn different_parts_of_a_name_are_merged() {
    let (world, ada) = book(by(ConflictPolicy::Manual)).await;
    world.edit(ada, |card| as_person(card).name.prefix = Some("Dr.".to_owned())).await;
    world.google_edit("Ada King", &json!({"names": [{"givenName": "Ada", "familyName": "Lovelace"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 0), "{summary:?}");
    assert_eq!(world.contact(ada).await.card.display_name(), "Dr. Ada Lovelace");
    assert_eq!(first(&world.person("Dr. Ada Lovelace"), "names", "familyName"), Some("Lovelace"));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_value_that_one_side_empties_and_the_other_changes_is_a_conflict() {
    let (world, ada) = book(by(ConflictPolicy::Remote)).await;
    world.edit(ada, |card| card.notes = None).await;
    google_notes(&world, "google");
    let summary = world.sync().await;
    assert_eq!(summary.conflicts, 1, "{summary:?}");
    both(&world, ada, "google").await;
    assert_eq!(told(&world, ada).await[0].store, Value::Null);
}

// The answer of an update is lost although the update landed. That is found out, and from then on the base is as sure
// as any: a later conflict follows the policy.
#[tokio::test]
async fn a_lost_answer_does_not_decide_later_conflicts() {
    let (world, ada) = book(by(ConflictPolicy::Newest)).await;
    store_notes(&world, ada, "second").await;
    world.strike("people.updateContact", FaultKind::DropAfter);
    world.sync().await;
    world.settle().await;
    both(&world, ada, "second").await;
    store_notes(&world, ada, "store").await;
    google_notes(&world, "google");
    world.sync().await;
    both(&world, ada, "google").await;
    world.assert_at_rest().await;
}

// The answer is lost, and before anybody looks both sides change the field again. What Google says may descend from
// what we sent or not: its marker tells, and nothing is lost.
#[tokio::test]
async fn edits_around_a_lost_answer_are_merged_against_what_was_sent() {
    let (world, ada) = book(by(ConflictPolicy::Newest)).await;
    store_notes(&world, ada, "sent").await;
    world.strike("people.updateContact", FaultKind::DropAfter);
    world.sync().await;
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    store_notes(&world, ada, "later").await;
    let summary = world.sync().await;
    assert_eq!(summary.conflicts, 0, "what Google says in the notes is our own: {summary:?}");
    world.settle().await;
    both(&world, ada, "later").await;
    assert_eq!(as_person(&mut world.contact(ada).await.card).nicknames, ["Countess"]);
    world.assert_at_rest().await;
}
