//! A consent exchanged for another user's: nothing is concluded from that user's account, and nothing written.

use std::time::Duration;

use contactsync::clock::Clock as _;
use contactsync::domain::account::Outcome;
use contactsync::domain::run::AccountSummary;
use contactsync::engine::Reach;

use crate::support::effort::calls;
use crate::support::world::{EMAIL, OTHER, Telling, World, person};

const LIST: &str = "people.connections.list";
const GROUPS: &str = "contactGroups.list";
const ME: &str = "people.get";

/// Two contacts on both sides, at rest, some while ago.
async fn book(telling: Telling) -> World {
    let mut world = World::of_two();
    world.consent_of(EMAIL, telling);
    for name in ["Ada King", "Grace Hopper"] {
        world.add(person(name)).await;
    }
    world.settle().await;
    world.advance(Duration::from_secs(3600));
    world
}

fn people_of_other(world: &World) -> usize {
    let now = world.clock.now();
    let mut emulator = world.emulator();
    let user = emulator.user(OTHER, now).unwrap();
    assert!(user.groups().iter().all(|group| group["name"] != "Team"), "no group was made");
    user.people().len()
}

fn assert_noticed(summary: &AccountSummary) {
    assert_eq!(summary.outcome, Outcome::NoConsent, "{summary:?}");
    let error = summary.error.as_deref().unwrap();
    assert!(error.contains("the consent was given by other@example.org"), "{error}");
    assert!(error.contains("belongs to sales@example.org"), "{error}");
}

#[tokio::test]
async fn a_consent_that_tells_of_another_user_is_not_used_for_any_call() {
    let mut world = book(Telling::Whose).await;
    world.add(person("Alan Turing")).await;
    world.consent_of(OTHER, Telling::Whose);
    for reach in [Reach::Incremental, Reach::Full] {
        world.count_anew();
        let summary = world.run(reach, contactsync::engine::Purpose::Carry).await.summary;
        assert_noticed(&summary);
        assert_eq!(world.api_calls(), calls(&[]));
    }
    assert_eq!((world.contacts().await.len(), people_of_other(&world)), (3, 0));
    world.consent_of(EMAIL, Telling::Whose);
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn another_user_whom_the_consent_does_not_name_is_noticed_before_everything_is_listed() {
    for full in [false, true] {
        let mut world = book(Telling::Nothing).await;
        world.add(person("Alan Turing")).await;
        world.consent_of(OTHER, Telling::Nothing);
        // Change tokens of one account are none in another.
        let summary = if full { world.sync_in_full().await } else { world.sync().await };
        assert_eq!(summary.outcome, Outcome::NoConsent, "{summary:?}");
        assert_eq!((world.contacts().await.len(), people_of_other(&world)), (3, 0));
        world.consent_of(EMAIL, Telling::Nothing);
        world.settle().await;
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn asking_whose_account_it_is_costs_one_call_before_a_full_listing_and_none_else() {
    let world = book(Telling::Nothing).await;
    assert_eq!(world.assert_quiet(Reach::Incremental).await, calls(&[(LIST, 1), (GROUPS, 1)]));
    assert_eq!(world.assert_quiet(Reach::Full).await, calls(&[(LIST, 1), (GROUPS, 1), (ME, 1)]));
    let world = book(Telling::Whose).await;
    assert_eq!(world.assert_quiet(Reach::Full).await, calls(&[(LIST, 1), (GROUPS, 1)]));
}
