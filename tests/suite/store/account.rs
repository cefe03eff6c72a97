//! What is remembered of accounts, and of the store itself.

use contactsync::domain::account::{AccountState, ClockSet, Cursor, Outcome, PairGroup};
use contactsync::domain::budget::{Allowance, Budget};
use contactsync::domain::id::{ChangeToken, Etag, GroupId, Marker};
use contactsync::store::{StoreIdentity, Write};

use super::{AnyStore, write};
use crate::support::values::*;

fn allowance(units: u64) -> Allowance {
    let (milliunits, rate) = (units * 1000, 60_000);
    Allowance { milliunits, per_minute: rate, configured: rate, at: time(6), paused_until: time(7) }
}

fn group(number: u64) -> PairGroup {
    PairGroup {
        configured: format!("Group {number}"),
        group: GroupId::new(format!("contactGroups/{number}")),
        name: "Renamed".into(),
        etag: number.is_multiple_of(2).then(|| Etag::new("e")),
        members: number,
        outsiders: number.is_multiple_of(2).then_some(-3),
        deleted: number == 3,
    }
}

fn full_account() -> AccountState {
    let cursor =
        |text: &str| Cursor { token: ChangeToken::new(text), template: "t".into(), lineage: time(1), short: 2 };
    AccountState {
        name: account("sales"),
        remote_user: Some("people/1".into()),
        contacts: Some(cursor("c")),
        full_begun: Some(time(2)),
        feed_position: 17,
        settings: Some("digest".into()),
        clock_ahead_ms: -250,
        clock_set: Some(ClockSet { at: time(5), by_ms: 90_000 }),
        budget: Some(Budget { reads: allowance(12), writes: allowance(3), exhausted: 2, singles_until: Some(time(9)) }),
        proven_equal: Some(time(3)),
        last_run: Some(run_id(1)),
        last_outcome: Some(Outcome::NoConsent),
        last_error: Some("consent was withdrawn".into()),
        pair_groups: vec![group(3), group(2), group(3)],
    }
}

pub async fn an_account_is_found_as_it_was_stored(store: AnyStore) {
    let (full, bare) = (full_account(), account_state("office"));
    write(&*store, vec![Write::Account(Box::new(full.clone())), Write::Account(Box::new(bare.clone()))]).await.unwrap();
    assert_eq!(store.account(&full.name).await.unwrap(), Some(full.clone()));
    assert_eq!(store.account(&account("nobody")).await.unwrap(), None);
    assert_eq!(store.accounts().await.unwrap(), [bare, full]);
}

pub async fn a_new_epoch_goes_on_after_every_marker_of_the_former(store: AnyStore) {
    let before = store.identity().await.unwrap();
    assert_eq!(store.newest_marker().await.unwrap(), Marker(0));
    let first = store.mint_markers(3, time(1)).await.unwrap();
    let newest = store.newest_marker().await.unwrap();
    assert_eq!(newest, Marker(first.0 + 2));
    let over = Marker(newest.0 + 1_000);
    write(&*store, vec![Write::RaiseEpoch { over }]).await.unwrap();
    assert_eq!(store.identity().await.unwrap(), StoreIdentity { epoch: before.epoch + 1, ..before });
    assert!(store.mint_markers(1, time(1)).await.unwrap() > over);
    let refused = vec![Write::RaiseEpoch { over: Marker(over.0 * 2) }, put(&link(1, Some(contact_id(77))))];
    assert!(write(&*store, refused).await.is_err(), "a link without its contact");
    assert!(store.newest_marker().await.unwrap() < Marker(over.0 * 2), "all or nothing");
}

pub async fn groups_are_replaced_together_with_the_account(store: AnyStore) {
    let full = full_account();
    let outcomes = [
        Some(Outcome::Done),
        Some(Outcome::Parked),
        Some(Outcome::Failed),
        Some(Outcome::Unreachable),
        Some(Outcome::NoConsent),
        None,
    ];
    for (number, last_outcome) in (0..).zip(outcomes) {
        let state = AccountState {
            pair_groups: (0..number).map(group).collect(),
            contacts: None,
            last_error: None,
            last_outcome,
            ..full.clone()
        };
        write(&*store, vec![Write::Account(Box::new(full.clone())), Write::Account(Box::new(state.clone()))])
            .await
            .unwrap();
        assert_eq!(store.account(&full.name).await.unwrap(), Some(state));
    }
}

pub async fn the_identity_stays(store: AnyStore) {
    let identity = store.identity().await.unwrap();
    assert_eq!((identity.id.len(), identity.epoch), (32, 1));
    assert_ne!(identity.hash_key[..16], identity.hash_key[16..]);
    write(&*store, vec![create(&contact(1, person("Ada King")))]).await.unwrap();
    assert_eq!(store.identity().await.unwrap(), identity);
}
