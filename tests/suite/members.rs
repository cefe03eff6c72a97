//! Who is in a group, where the change stream of people does not tell: the count of members does.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{Pair, Promise, Strangers};
use contactsync::emulator::FormerName;
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::{Delay, Feed};
use contactsync::engine::Reach;
use contactsync::store::{Commit, Write};
use serde_json::json;

use crate::support::effort::calls;
use crate::support::world::{World, pair, person, promise};

const HOUR: Duration = Duration::from_secs(3600);
const LIST: &str = "people.connections.list";
const GROUPS: &str = "contactGroups.list";
const GROUP: &str = "contactGroups.get";
const BATCH_GET: &str = "people.getBatchGet";

fn idle() -> std::collections::BTreeMap<String, u64> {
    calls(&[(LIST, 1), (GROUPS, 1)])
}

/// Two contacts on both sides and a stranger, in a world whose change stream does not show changes of groups.
async fn silent(promise: Promise) -> World {
    let world = World::with(promise);
    world.switch(|settings| settings.membership_changes = Feed::Hidden);
    world.add(person("Ada King")).await;
    world.add(person("Grace Hopper")).await;
    world.google_create(json!({"names": [{"givenName": "Alan", "familyName": "Turing"}]}), &[]);
    world.settle().await;
    world.advance(HOUR);
    world.sync().await;
    world.count_anew();
    world
}

#[tokio::test]
async fn somebody_put_into_the_group_unseen_comes_in_without_a_full_listing() {
    let world = silent(promise()).await;
    world.google_label("Alan Turing", "Team");
    let summary = world.sync().await;
    assert_eq!(summary.pulled.created, 1, "{summary:?}");
    let made = world.api_calls();
    assert_eq!((made.get(GROUP), made.get(BATCH_GET)), (Some(&1), Some(&1)), "{made:?}");
    assert_eq!(world.emulator().counters().method(LIST).full_pulls, 0);
    assert_eq!(world.store_names().await, ["Ada King", "Alan Turing", "Grace Hopper"]);
    world.settle().await;
    assert_eq!(world.assert_quiet(Reach::Incremental).await, idle());
}

#[tokio::test]
async fn somebody_taken_out_of_the_group_unseen_is_unlinked() {
    let world = silent(promise()).await;
    let ada = world.by_name("Ada King").await.id;
    world.google_unlabel("Ada King", "Team");
    assert_eq!(world.sync().await.outcome, Outcome::Done);
    assert_eq!(world.link(ada).await.state, LinkState::Dormant);
    assert_eq!(world.emulator().counters().method(LIST).full_pulls, 0);
    assert_eq!(world.assert_quiet(Reach::Incremental).await, idle());
}

// One in, one out: the count is the same, the members are not. Nothing but a full listing can tell.
#[tokio::test]
async fn an_exchange_that_leaves_the_count_alone_is_seen_by_the_next_full_listing() {
    let world = silent(promise()).await;
    world.google_unlabel("Ada King", "Team");
    world.google_label("Alan Turing", "Team");
    assert_eq!(world.assert_quiet(Reach::Incremental).await, idle());
    assert_eq!(world.sync_in_full().await.pulled.created, 1);
    let ada = world.by_name("Ada King").await.id;
    assert_eq!(world.link(ada).await.state, LinkState::Dormant);
}

#[tokio::test]
async fn our_own_changes_of_groups_explain_themselves() {
    let labelled = |group: &str, label: &str| Pair { labels: vec![label.to_owned()], ..pair(group) };
    let world = silent(Promise { pairs: vec![pair("Team"), labelled("Customers", "Customer")], ..promise() }).await;
    let (ada, grace) = (world.by_name("Ada King").await.id, world.by_name("Grace Hopper").await.id);
    world.edit(ada, |card| _ = card.labels.insert("Customer".to_owned())).await;
    world.add(person("Emmy Noether")).await;
    world.delete(grace).await;
    world.settle().await;
    world.advance(HOUR);
    world.sync().await;
    assert_eq!(world.api_calls().get(GROUP), None, "{:?}", world.api_calls());
    assert_eq!(world.assert_quiet(Reach::Incremental).await, idle());
}

#[tokio::test]
async fn members_that_are_not_taken_in_are_counted_once() {
    let promise = promise();
    let pairs = vec![Pair { strangers: Strangers::LeaveAlone, ..pair("Team") }];
    let world = silent(Promise { pairs, ..promise }).await;
    world.google_label("Alan Turing", "Team");
    world.sync().await;
    assert_eq!(world.api_calls().get(GROUP), Some(&1));
    assert_eq!(world.assert_quiet(Reach::Incremental).await, idle());
    assert_eq!(world.store_names().await, ["Ada King", "Grace Hopper"]);
}

#[tokio::test]
async fn a_group_whose_members_cannot_be_read_is_asked_again() {
    let world = silent(promise()).await;
    world.google_label("Alan Turing", "Team");
    world.strike_always(GROUP, FaultKind::Status(400));
    assert_eq!(world.sync().await.pulled.created, 0);
    world.calm();
    assert_eq!(world.sync().await.pulled.created, 1);
}

#[tokio::test]
async fn somebody_who_is_counted_before_the_members_show_it_is_looked_for_again() {
    let world = silent(promise()).await;
    let mut before = world.group("Team");
    before["memberResourceNames"] = json!([world.resource("Ada King"), world.resource("Grace Hopper")]);
    world.google_label("Alan Turing", "Team");
    let (content_type, body) = ("application/json".to_owned(), before.to_string());
    world.strike(GROUP, FaultKind::Answer { status: 200, content_type, body });
    assert_eq!(world.sync().await.pulled.created, 0);
    assert_eq!(world.sync().await.pulled.created, 1);
    assert_eq!(world.assert_quiet(Reach::Incremental).await, idle());
}

#[tokio::test]
async fn a_member_that_a_read_does_not_find_yet_is_looked_for_again() {
    let world = silent(promise()).await;
    world.google_label("Alan Turing", "Team");
    let alan = world.resource("Alan Turing");
    let not_found = json!({"responses": [{"requestedResourceName": alan, "status": {"code": 5}}]});
    let (content_type, body) = ("application/json".to_owned(), not_found.to_string());
    world.strike(BATCH_GET, FaultKind::Answer { status: 200, content_type, body });
    assert_eq!(world.sync().await.pulled.created, 0);
    assert_eq!(world.sync().await.pulled.created, 1);
    world.settle().await;
    assert_eq!(world.assert_quiet(Reach::Incremental).await, idle());
}

#[tokio::test]
async fn a_group_whose_members_can_never_be_read_is_left_to_the_listings() {
    let world = silent(promise()).await;
    world.google_label("Alan Turing", "Team");
    world.strike_always(GROUP, FaultKind::Status(400));
    for _ in 0..3 {
        world.count_anew();
        world.sync().await;
        assert_eq!(world.api_calls().get(GROUP), Some(&1));
        world.advance(Duration::from_secs(450));
    }
    assert_eq!(world.assert_quiet(Reach::Incremental).await, idle());
    assert_eq!(world.sync_in_full().await.pulled.created, 1);
}

// That the group is odd was noted while the clock was years ahead.
#[tokio::test]
async fn a_group_found_odd_when_the_clock_was_ahead_is_left_to_the_listings_all_the_same() {
    let world = silent(promise()).await;
    world.google_label("Alan Turing", "Team");
    world.strike_always(GROUP, FaultKind::Status(400));
    world.sync().await;
    let account = world.promise.account.clone();
    let mut state = world.store.account(&account).await.expect("an answer").expect("the account");
    for group in &mut state.pair_groups {
        group.odd_since = group.odd_since.map(|since| since.plus(Duration::from_secs(3 * 365 * 24 * 3600)));
    }
    world.store.commit(Commit { fence: None, writes: vec![Write::Account(Box::new(state))] }).await.expect("stored");
    for _ in 0..2 {
        world.sync().await;
        world.advance(Duration::from_secs(901));
    }
    assert_eq!(world.assert_quiet(Reach::Incremental).await, idle());
}

// A listing of groups that lacks one is no proof that the group is gone.
#[tokio::test]
async fn a_short_listing_of_groups_parks_no_pair() {
    let world = silent(promise()).await;
    let body = json!({"contactGroups": [], "nextSyncToken": "t"}).to_string();
    let answer = FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body };
    world.strike(GROUPS, answer);
    assert_eq!(world.assert_quiet(Reach::Incremental).await, calls(&[(LIST, 1), (GROUPS, 1), (GROUP, 1)]));
}

// Somebody comes into the group, and somebody else gets another name, before the change stream tells of either: the one
// who has another name is not taken for gone.
#[tokio::test]
async fn a_member_that_got_another_name_is_followed() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.advance(HOUR);
    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    world.google_create(json!({"names": [{"givenName": "Alan"}]}), &["Team"]);
    let name = world.resource("Ada King");
    world.by_hand(|user| user.rename(&name, FormerName::Gone, Feed::Hidden).unwrap());
    assert_eq!(world.sync().await.outcome, Outcome::Done);
    world.settle().await;
    assert_eq!(world.link(ada).await.remote.unwrap().as_str(), world.resource("Ada King"));
    assert_eq!(world.store_names().await, ["Ada King", "Alan"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}
