//! What a book of the largest size costs, counted in calls: the fewest that the API allows, within its quotas, and with no
//! manners to complain of. Everything is held in memory, so that counting is quick.

use std::time::Duration;

use contactsync::clock::Clock as _;
use contactsync::domain::account::Outcome;
use contactsync::domain::pair::Limit;
use contactsync::emulator::quota::{Limits, Refill};
use contactsync::engine::Reach;
use serde_json::json;

use crate::support::effort::calls;
use crate::support::world::{EMAIL, World, person, promise};

/// So many people in the pair's group, made in the web UI. They have nothing but names: it is the calls that count.
fn fill(world: &World, count: usize) {
    world.by_hand(|user| user.create_group("Team").unwrap());
    let team = world.group_resource("Team");
    let now = world.tick();
    let mut emulator = world.emulator();
    let mut user = emulator.user(EMAIL, now).expect("the account");
    let groups = json!([
        {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}},
        {"contactGroupMembership": {"contactGroupResourceName": team}},
    ]);
    for number in 0..count {
        let name = json!({"givenName": "Person", "familyName": format!("{number:05}")});
        let person = json!({"names": [name], "memberships": groups});
        user.create(&person).unwrap();
    }
}

#[tokio::test]
async fn twenty_five_thousand_contacts_come_in_with_twenty_six_calls_and_an_idle_cycle_takes_two() {
    let world = World::new();
    fill(&world, 25_000);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.created), (Outcome::Done, 25_000), "{:?}", summary.error);
    assert_eq!(world.api_calls(), calls(&[("contactGroups.list", 1), ("people.connections.list", 25)]));
    assert_eq!(summary.calls, 26);
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.pulled.total(), summary.pushed.total()), (0, 0));
    assert_eq!(world.api_calls(), calls(&[("contactGroups.list", 1), ("people.connections.list", 1)]));
}

#[tokio::test]
async fn ten_thousand_contacts_are_made_with_fifty_calls() {
    let world = World::new();
    world.sync().await;
    for number in 0..10_000 {
        let mut card = person(&format!("Person {number:05}"));
        card.emails.clear();
        world.add(card).await;
    }
    world.count_anew();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 10_000), "{:?}", summary.error);
    let expected = [("contactGroups.list", 1), ("people.connections.list", 1), ("people.batchCreateContacts", 50)];
    assert_eq!(world.api_calls(), calls(&expected));
    // Once the service shows what was written: that many pages, and then nothing.
    for pages in [10, 1] {
        world.count_anew();
        world.sync().await;
        assert_eq!(world.api_calls(), calls(&[("contactGroups.list", 1), ("people.connections.list", pages)]));
    }
}

/// How often each status was answered, by status.
fn refusals_for_quota(world: &World) -> u64 {
    world.emulator().counters().total().statuses.get(&429).copied().unwrap_or_default()
}

// 60 units a minute for reads, for writes and for deletions; the clock goes on by what the client waits.
#[tokio::test]
async fn a_large_book_within_the_quotas_meets_no_refusal() {
    let mut promise = promise();
    promise.guard.max_deletes = Limit::Absolute(5_000);
    let mut world = World::with(promise);
    world.pace(60);
    let sixty = Some(60);
    world.switch(|settings| {
        settings.quotas = Limits {
            critical_reads: sixty,
            critical_writes: sixty,
            writes: sixty,
            full_pulls: Some(1),
            ..Limits::default()
        };
    });
    let mut ids = Vec::new();
    for number in 0..3_000 {
        ids.push(world.add(person(&format!("Person {number:05}"))).await);
    }
    let begun = world.clock.now();
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 3_000), "{:?}", summary.error);
    let taken = world.clock.now().since(begun);
    // 15 batches of six units; the burst is free.
    assert!((60..=120).contains(&taken.as_secs()), "{taken:?}");

    world.advance(Duration::from_secs(3600));
    for (place, id) in ids.iter().enumerate().skip(1_000) {
        world.edit(*id, |card| card.notes = Some(format!("note {place}"))).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 2_000), "{:?}", summary.error);
    for id in &ids[..1_000] {
        world.delete(*id).await;
    }
    world.advance(Duration::from_secs(3600));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.deleted), (Outcome::Done, 1_000), "{:?}", summary.error);
    assert_eq!(refusals_for_quota(&world), 0);
    world.advance(Duration::from_secs(3600));
    world.assert_quiet(Reach::Full).await;
    assert_eq!(refusals_for_quota(&world), 0);
}

// Where a minute's units come back all at once, the burst at the start is too much once; the client takes it to heart and
// everything arrives.
#[tokio::test]
async fn quotas_of_whole_minutes_cost_one_pause_at_the_most() {
    let mut world = World::new();
    world.pace(60);
    let sixty = Some(60);
    world.switch(|settings| {
        settings.quotas =
            Limits { critical_reads: sixty, critical_writes: sixty, refill: Refill::Window, ..Limits::default() };
    });
    for number in 0..3_000 {
        world.add(person(&format!("Person {number:05}"))).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 3_000), "{:?}", summary.error);
    assert!(refusals_for_quota(&world) <= 1, "{}", refusals_for_quota(&world));
    world.assert_equal().await;
}
