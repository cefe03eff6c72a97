//! Leases and fences.

use std::time::Duration;

use contactsync::store::{Commit, Fence, LeaseAnswer, LeaseRequest, Store, StoreError};

use super::AnyStore;
use crate::support::values::*;

fn request(holder: &str) -> LeaseRequest {
    LeaseRequest { account: account("sales"), holder: holder.into(), ttl: Duration::from_secs(90), dead_holder: None }
}

async fn ask(store: &dyn Store, request: &LeaseRequest, seconds: i64) -> LeaseAnswer {
    store.acquire_lease(request, time(seconds)).await.unwrap()
}

async fn held(store: &dyn Store, request: &LeaseRequest, seconds: i64) -> Fence {
    match ask(store, request, seconds).await {
        LeaseAnswer::Held(fence) => fence,
        LeaseAnswer::Busy { holder, .. } => panic!("{holder} holds it"),
    }
}

async fn commit_under(store: &dyn Store, fence: &Fence, number: u32) -> Result<(), StoreError> {
    let writes = vec![create(&contact(number, person("Ada King")))];
    store.commit(Commit { fence: Some(fence.clone()), writes }).await.map(drop)
}

pub async fn a_lease_is_held_by_one(store: AnyStore) {
    assert_eq!(store.lease_holder(&account("sales"), time(0)).await.unwrap(), None);
    let fence = held(&*store, &request("one"), 0).await;
    assert_eq!(fence, Fence { account: account("sales"), token: 1 });
    let busy = LeaseAnswer::Busy { holder: "one".into(), expires: time(90) };
    assert_eq!(ask(&*store, &request("two"), 89).await, busy);
    assert_eq!(store.lease_holder(&account("sales"), time(89)).await.unwrap(), Some(("one".into(), time(90))));
    assert_eq!(store.lease_holder(&account("sales"), time(90)).await.unwrap(), None);
}

pub async fn renewing_keeps_the_token(store: AnyStore) {
    let fence = held(&*store, &request("one"), 0).await;
    assert_eq!(held(&*store, &request("one"), 60).await, fence);
    let busy = LeaseAnswer::Busy { holder: "one".into(), expires: time(150) };
    assert_eq!(ask(&*store, &request("two"), 100).await, busy);
}

pub async fn an_expired_lease_is_taken_over(store: AnyStore) {
    let first = held(&*store, &request("one"), 0).await;
    let second = held(&*store, &request("two"), 90).await;
    assert!(second.token > first.token);
    assert!(matches!(ask(&*store, &request("one"), 91).await, LeaseAnswer::Busy { holder, .. } if holder == "two"));
    // Who let the own lease expire begins anew, too: what was begun before is fenced off.
    let third = held(&*store, &request("two"), 500).await;
    assert!(third.token > second.token);
}

pub async fn the_lease_of_a_dead_holder_is_taken_over_at_once(store: AnyStore) {
    let first = held(&*store, &request("one"), 0).await;
    let other_is_dead = LeaseRequest { dead_holder: Some("zero".into()), ..request("two") };
    assert!(matches!(ask(&*store, &other_is_dead, 1).await, LeaseAnswer::Busy { .. }));
    let one_is_dead = LeaseRequest { dead_holder: Some("one".into()), ..request("two") };
    let second = held(&*store, &one_is_dead, 1).await;
    assert!(second.token > first.token);
    assert_eq!(store.lease_holder(&account("sales"), time(2)).await.unwrap(), Some(("two".into(), time(91))));
}

pub async fn a_lease_given_back_is_free_and_the_token_still_grows(store: AnyStore) {
    let first = held(&*store, &request("one"), 0).await;
    store.release_lease(&first).await.unwrap();
    assert_eq!(store.lease_holder(&account("sales"), time(1)).await.unwrap(), None);
    let second = held(&*store, &request("two"), 1).await;
    assert!(second.token > first.token);
    store.release_lease(&second).await.unwrap();
    let third = held(&*store, &request("two"), 2).await;
    assert!(third.token > second.token);
}

pub async fn giving_back_a_lost_lease_changes_nothing(store: AnyStore) {
    let first = held(&*store, &request("one"), 0).await;
    let second = held(&*store, &request("two"), 100).await;
    store.release_lease(&first).await.unwrap();
    store.release_lease(&Fence { account: account("other"), token: 1 }).await.unwrap();
    assert!(store.lease_holder(&account("sales"), time(101)).await.unwrap().is_some());
    commit_under(&*store, &second, 1).await.unwrap();
}

pub async fn nothing_is_written_under_a_lost_lease(store: AnyStore) {
    let first = held(&*store, &request("one"), 0).await;
    commit_under(&*store, &first, 1).await.unwrap();
    let second = held(&*store, &request("two"), 100).await;
    let never = Fence { account: account("other"), token: 1 };
    for fence in [&first, &never, &Fence { token: 99, ..second.clone() }] {
        let refused = commit_under(&*store, fence, 2).await;
        assert!(matches!(refused, Err(StoreError::LeaseLost { .. })), "{fence:?}: {refused:?}");
    }
    store.release_lease(&second).await.unwrap();
    assert!(matches!(commit_under(&*store, &second, 2).await, Err(StoreError::LeaseLost { .. })));
    assert_eq!(store.feed_end().await.unwrap(), 1);
}

pub async fn leases_of_accounts_are_independent(store: AnyStore) {
    let sales = held(&*store, &request("one"), 0).await;
    let other = held(&*store, &LeaseRequest { account: account("other"), ..request("two") }, 0).await;
    commit_under(&*store, &sales, 1).await.unwrap();
    commit_under(&*store, &other, 2).await.unwrap();
}
