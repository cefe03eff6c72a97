//! Guards over a day, and what a person lets through: exactly what was parked, as long as it is still the same.

use std::time::Duration;

use contactsync::clock::Clock as _;
use contactsync::domain::account::Outcome;
use contactsync::domain::harm::{Harm, HarmDone, LetBy};
use contactsync::domain::id::{ContactId, RunId};
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{InStore, Limit, Promise};
use contactsync::domain::time::Timestamp;
use contactsync::engine::{Licence, Purpose, Reach, Seen};
use contactsync::store::{Commit, Write};
use serde_json::json;

use crate::support::fuse::{Cut, Fuse};
use crate::support::world::{World, pair, person, promise};

const HOUR: Duration = Duration::from_secs(3600);

fn name(number: usize) -> String {
    format!("Person {number:02}")
}

/// So many persons on both sides, at rest for two days.
async fn book(count: usize, promise: Promise) -> (World, Vec<ContactId>) {
    let world = World::with(promise);
    let mut ids = Vec::new();
    for number in 0..count {
        let mut card = person(&name(number));
        card.labels.insert("Customer".to_owned());
        card.notes = Some("first".to_owned());
        ids.push(world.add(card).await);
    }
    world.settle().await;
    world.advance(48 * HOUR);
    (world, ids)
}

async fn released(world: &World, run: RunId) -> contactsync::domain::run::AccountSummary {
    world.sync_under(&Licence::Approved(run)).await
}

#[tokio::test]
async fn a_little_every_hour_is_noticed_too() {
    let (world, ids) = book(100, promise()).await;
    for (step, chunk) in ids.chunks(4).enumerate().take(2) {
        for id in chunk {
            world.delete(*id).await;
        }
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.pushed.deleted), (Outcome::Done, 4), "step {step}: {summary:?}");
        world.advance(HOUR);
    }
    for id in &ids[8..12] {
        world.delete(*id).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.deleted, summary.parked), (Outcome::Parked, 0, 4), "{summary:?}");
    let run = world.last_run().await;
    let notice = summary.notices.join(" ");
    for words in [
        "4 deletions in Google (12 within 24 hours)",
        "10% allows 10",
        "the 100 contacts",
        "guard.max_deletes = 10%",
        &format!("approve {run}"),
    ] {
        assert!(notice.contains(words), "{words}: {notice}");
    }
    // A day later the first ones no longer count.
    world.advance(25 * HOUR);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.deleted), (Outcome::Done, 4), "{summary:?}");
    world.assert_equal().await;
    let remembered = world.store.harms(&world.promise.account, Timestamp::EPOCH).await.expect("read");
    assert_eq!(remembered.len(), 4, "what is older than a day is forgotten");
}

#[tokio::test]
async fn the_same_contacts_again_and_again_are_counted_once() {
    let mut promise = promise();
    promise.guard.max_updates = Limit::Percent(25.0);
    let (world, ids) = book(40, promise).await;
    for round in 0..6 {
        for id in &ids[..8] {
            world.edit(*id, |card| card.notes = Some(format!("edit {round}"))).await;
        }
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 8), "{summary:?}");
        world.advance(HOUR);
    }
}

#[tokio::test]
async fn harm_from_google_counts_over_a_day_too() {
    let (world, _) = book(40, promise()).await;
    for number in 0..4 {
        world.google_delete(&name(number));
    }
    assert_eq!(world.sync().await.pulled.deleted, 4);
    world.advance(HOUR);
    for number in 4..8 {
        world.google_delete(&name(number));
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.deleted, summary.parked), (Outcome::Parked, 0, 4), "{summary:?}");
    assert_eq!(world.contacts().await.len(), 36);
}

#[tokio::test]
async fn too_many_unlinked_contacts_are_parked() {
    let (world, ids) = book(40, promise()).await;
    for number in 0..6 {
        world.google_unlabel(&name(number), "Team");
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Parked, 6), "{summary:?}");
    assert!(summary.notices.iter().any(|notice| notice.contains("guard.max_unlinks")), "{summary:?}");
    assert_eq!(world.link(ids[0]).await.state, LinkState::Bound);
    let run = world.last_run().await;
    let summary = released(&world, run).await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Done, 0), "{summary:?}");
    assert_eq!(world.link(ids[0]).await.state, LinkState::Dormant);
}

#[tokio::test]
async fn too_many_contacts_deleted_in_the_store_whose_records_are_left_are_parked() {
    let mut promise = promise();
    promise.delete.in_store = InStore::Unlink;
    let (world, ids) = book(40, promise).await;
    for id in &ids[..6] {
        world.delete(*id).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Parked, 6), "{summary:?}");
    assert!(summary.notices.iter().any(|notice| notice.contains("guard.max_unlinks")), "{summary:?}");
    let run = world.last_run().await;
    let summary = released(&world, run).await;
    assert_eq!((summary.outcome, summary.parked), (Outcome::Done, 0), "{summary:?}");
    assert_eq!(world.link(ids[0]).await.state, LinkState::Unselected);
    assert_eq!(world.people().len(), 40);
}

#[tokio::test]
async fn harm_of_a_future_that_did_not_come_is_harm_of_now() {
    let (world, ids) = book(10, promise()).await;
    let (account, now) = (&world.promise.account, world.clock.now());
    let ahead = now.plus(1_000 * HOUR);
    let done =
        HarmDone { account: account.clone(), harm: Harm::Unlinks, contact: ids[0], let_by: LetBy::Guard, at: ahead };
    let mut state = world.store.account(account).await.expect("read").expect("a state");
    state.last_run = Some(RunId::new(ahead, 1));
    let writes = vec![Write::Harm(done), Write::Account(Box::new(state))];
    world.store.commit(Commit { fence: None, writes }).await.expect("stored");
    world.sync().await;
    let remembered = world.store.harms(account, Timestamp::EPOCH).await.expect("read");
    assert_eq!(remembered.iter().map(|done| done.at).collect::<Vec<_>>(), [now]);
}

#[tokio::test]
async fn too_many_contacts_that_would_leave_the_group_are_parked() {
    let mut promise = promise();
    promise.pairs = vec![contactsync::domain::pair::Pair { labels: vec!["Customer".to_owned()], ..pair("Team") }];
    let (world, ids) = book(40, promise).await;
    for id in &ids[..6] {
        world.edit(*id, |card| card.labels.clear()).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.parked, summary.pushed.updated), (Outcome::Parked, 6, 0), "{summary:?}");
    assert!(summary.notices.iter().any(|notice| notice.contains("guard.max_left_groups")), "{summary:?}");
    let run = world.last_run().await;
    let summary = released(&world, run).await;
    assert_eq!((summary.outcome, summary.pushed.updated, summary.parked), (Outcome::Done, 6, 0), "{summary:?}");
    assert_eq!(world.people().len(), 40, "nothing is deleted");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_approval_lets_through_exactly_what_was_parked_then() {
    let (world, ids) = book(40, promise()).await;
    for id in &ids[..7] {
        world.delete(*id).await;
    }
    assert_eq!(world.sync().await.parked, 7);
    let run = world.last_run().await;
    world.advance(HOUR);
    // Parked by a later run, or something else by now: not approved with the first.
    for id in &ids[10..12] {
        world.delete(*id).await;
    }
    assert_eq!(world.sync().await.parked, 9);
    world.advance(HOUR);
    let summary = released(&world, run).await;
    assert_eq!((summary.outcome, summary.pushed.deleted, summary.parked), (Outcome::Parked, 7, 2), "{summary:?}");
    assert!(!world.has_person(&name(0)) && world.has_person(&name(10)));
    // What a person let through does not count: two alone are no harm.
    world.advance(HOUR);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.deleted, summary.parked), (Outcome::Done, 2, 0), "{summary:?}");
    let harms = world.store.harms(&world.promise.account, Timestamp::EPOCH).await.expect("read");
    assert_eq!(harms.iter().filter(|one| matches!(one.harm, Harm::Deletes(_))).count(), 9);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn what_changed_since_it_was_parked_is_parked_anew() {
    let mut promise = promise();
    promise.guard.max_updates = Limit::Absolute(2);
    let (world, ids) = book(40, promise).await;
    for id in &ids[..4] {
        world.edit(*id, |card| card.notes = Some("second".to_owned())).await;
    }
    assert_eq!(world.sync().await.parked, 4);
    let first = world.last_run().await;
    world.advance(HOUR);
    world.edit(ids[0], |card| card.notes = Some("third".to_owned())).await;
    let summary = released(&world, first).await;
    assert_eq!((summary.pushed.updated, summary.parked), (3, 1), "{summary:?}");
    let again = world.last_run().await;
    let parked = world.link(ids[0]).await.parked.expect("parked");
    assert_eq!(parked.run, Some(again));
}

#[tokio::test]
async fn an_approval_of_deletions_in_google_is_carried_out_in_the_store() {
    let (world, _) = book(40, promise()).await;
    for number in 0..6 {
        world.google_delete(&name(number));
    }
    world.google_edit(&name(20), &json!({"biographies": [{"value": "meanwhile"}]}));
    assert_eq!(world.sync().await.parked, 6);
    let run = world.last_run().await;
    let summary = released(&world, run).await;
    assert_eq!((summary.outcome, summary.pulled.deleted, summary.parked), (Outcome::Done, 6, 0), "{summary:?}");
    assert!(summary.notices.is_empty(), "nothing waits: {summary:?}");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

/// A world whose store can be copied, to look at what a run would do.
struct Planned {
    world: World,
    memory: std::sync::Arc<contactsync::store::memory::MemoryStore>,
}

impl Planned {
    fn new() -> Self {
        let entropy = contactsync::clock::SeededEntropy::new(7);
        let memory = std::sync::Arc::new(contactsync::store::memory::MemoryStore::new(&entropy));
        Planned { world: World::on(memory.clone(), promise()), memory }
    }

    /// What a person sees who looks at what a run would do.
    async fn seen(&self) -> Licence {
        let report = self.world.run_on(&self.memory.snapshot(), Reach::Incremental, Purpose::Preview).await;
        Licence::Planned(Seen::of(&report.operations))
    }
}

#[tokio::test]
async fn a_plan_is_carried_out_and_only_that() {
    let planned = Planned::new();
    let world = &planned.world;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(world.add(person(&name(number))).await);
    }
    world.settle().await;
    world.advance(HOUR);
    let company = json!({"names": [{"givenName": "Cleo"}], "organizations": [{"name": "New Company"}]});
    world.google_create(company, &["Team"]);
    world.google_edit(&name(0), &json!({"nicknames": [{"value": "Zero"}]}));
    world.google_edit(&name(1), &json!({"nicknames": [{"value": "One"}]}));
    world.edit(ids[2], |card| card.notes = Some("seen".to_owned())).await;
    world.edit(ids[3], |card| card.notes = Some("seen".to_owned())).await;
    world.delete(ids[4]).await;
    let licence = planned.seen().await;
    assert_eq!(planned.seen().await, licence, "the same plan again");

    // Meanwhile, somebody goes on working: some of what was seen is something else by now, and more has come up.
    world.google_edit(&name(1), &json!({"nicknames": [{"value": "Uno"}]}));
    world.edit(ids[3], |card| card.notes = Some("unseen".to_owned())).await;
    world.add(person("Late Comer")).await;
    world.delete(ids[5]).await;
    world.google_create(json!({"names": [{"givenName": "Later"}]}), &["Team"]);
    let summary = world.sync_under(&licence).await;
    let numbers = |counts: contactsync::domain::run::Counts| (counts.created, counts.updated, counts.deleted);
    assert_eq!((numbers(summary.pulled), numbers(summary.pushed)), ((1, 1, 0), (0, 1, 1)), "{summary:?}");
    assert_eq!((summary.outcome, summary.parked), (Outcome::Done, 0), "left alone is not parked: {summary:?}");
    assert!(!world.has_person(&name(4)) && world.has_person(&name(5)) && !world.has_person("Late Comer"));
    assert!(world.contacts().await.iter().all(|contact| contact.card.display_name() != "Later"));

    world.advance(HOUR);
    let summary = world.sync().await;
    assert_eq!((numbers(summary.pulled), numbers(summary.pushed)), ((1, 1, 0), (1, 1, 1)), "{summary:?}");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_plan_that_was_seen_counts_as_approved() {
    let planned = Planned::new();
    let world = &planned.world;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(world.add(person(&name(number))).await);
    }
    world.settle().await;
    world.advance(HOUR);
    for id in &ids[..5] {
        world.delete(*id).await;
    }
    let licence = planned.seen().await;
    assert_eq!(world.sync_under(&licence).await.pushed.deleted, 5);
    for id in &ids[5..10] {
        world.delete(*id).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.deleted), (Outcome::Done, 5), "those before do not count: {summary:?}");
}

/// Three deletions on each side, all parked; and the run that parked them.
async fn parked_on_both_sides() -> (World, RunId) {
    let mut promise = promise();
    promise.guard.max_deletes = Limit::Absolute(2);
    let (world, ids) = book(8, promise).await;
    for id in &ids[..3] {
        world.delete(*id).await;
    }
    for number in 3..6 {
        world.google_delete(&name(number));
    }
    assert_eq!(world.sync().await.parked, 6);
    world.advance(HOUR);
    let run = world.last_run().await;
    (world, run)
}

#[tokio::test]
async fn an_approval_that_is_cut_off_can_be_given_again() {
    let (mut world, run) = parked_on_both_sides().await;
    let fuse = Fuse::counting();
    world.fuse(&fuse);
    assert_eq!(released(&world, run).await.parked, 0);
    for step in 0..fuse.steps() {
        for cut in [Cut::Before, Cut::After] {
            let (mut world, run) = parked_on_both_sides().await;
            world.fuse(&Fuse::at(step, cut));
            world.sync_under_or_crash(&Licence::Approved(run));
            world.unfuse();
            world.advance(HOUR);
            released(&world, run).await;
            world.settle().await;
            assert_eq!((world.contacts().await.len(), world.people().len()), (2, 2), "cut {cut:?} step {step}");
            world.assert_equal().await;
        }
    }
}
