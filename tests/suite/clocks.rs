//! A clock that was years ahead and was set right: what is remembered of settled contacts lies in the future. It is waited
//! for one window, not for years.

use std::time::Duration;

use contactsync::clock::Clock as _;
use contactsync::domain::account::{ClockSet, Outcome};
use contactsync::domain::id::ContactId;
use contactsync::emulator::settings::Delay;
use contactsync::store::{Commit, Write};

use crate::support::world::{World, person};

const HOUR: Duration = Duration::from_secs(3600);
const YEARS: Duration = Duration::from_secs(3 * 365 * 24 * 3600);

/// A settled contact that was last looked at when the clock was ahead, beside others that keep the account alive.
async fn settled_ahead() -> (World, ContactId) {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.add(person("Grace Hopper")).await;
    world.add(person("Alan Turing")).await;
    world.settle().await;
    world.advance(HOUR);
    let mut link = world.link(ada).await;
    link.changed_at = world.clock.now().plus(YEARS);
    let writes = vec![Write::Link(Box::new(link))];
    world.store.commit(Commit { fence: None, writes }).await.expect("stored");
    (world, ada)
}

async fn assert_waits_no_longer_than_a_window(world: &World, ada: ContactId) {
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Unreachable, "{summary:?}");
    assert_eq!(world.link(ada).await.changed_at, world.clock.now());
    world.advance(Duration::from_secs(16 * 60));
    world.settle().await;
    assert!(!world.contact(ada).await.is_live());
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The clock was years ahead when it was found to have been set. Once it is right again, silence proves something again.
#[tokio::test]
async fn a_clock_that_was_found_ahead_and_is_right_again_is_followed() {
    let (world, ada) = settled_ahead().await;
    let account = world.promise.account.clone();
    let mut state = world.store.account(&account).await.expect("an answer").expect("the account");
    state.clock_set = Some(ClockSet { at: world.clock.now().plus(YEARS), by_ms: 3_600_000 });
    world.store.commit(Commit { fence: None, writes: vec![Write::Account(Box::new(state))] }).await.expect("stored");
    world.google_delete("Ada King");
    world.expire_tokens();
    assert_waits_no_longer_than_a_window(&world, ada).await;
}

#[tokio::test]
async fn a_deletion_in_google_that_only_a_listing_shows_is_believed_after_a_window() {
    let (world, ada) = settled_ahead().await;
    world.google_delete("Ada King");
    world.expire_tokens();
    assert_waits_no_longer_than_a_window(&world, ada).await;
}

#[tokio::test]
async fn a_deletion_in_the_store_of_what_is_gone_in_google_ends_after_a_window() {
    let (world, ada) = settled_ahead().await;
    world.switch(|settings| settings.propagation.delta = Delay::constant(3_600_000));
    world.google_delete("Ada King");
    world.delete(ada).await;
    assert_waits_no_longer_than_a_window(&world, ada).await;
}
