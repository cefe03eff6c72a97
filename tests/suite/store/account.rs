//! What is remembered of accounts, and of the store itself.

use contactsync::domain::account::{AccountState, ClockSet, Cursor, Outcome, PairGroup};
use contactsync::domain::budget::{Allowance, Budget};
use contactsync::domain::id::{AccountName, ChangeToken, Etag, GroupId, Marker, ReplicaId};
use contactsync::domain::link::Link;
use contactsync::store::{Ghost, LinkCounts, StoreIdentity, Stranger, Write};

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
        odd_since: number.is_multiple_of(2).then(|| time(8)),
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
        restored: true,
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

// Two accounts and a contact in both: once one is forgotten, nothing names it, and what was settled stays settled.
pub async fn a_forgotten_account_leaves_nothing_behind_and_unsettles_nobody(store: AnyStore) {
    let (sales, field) = (account("sales"), account("field"));
    let (of_sales, of_field) = (ReplicaId::new("google:sales"), ReplicaId::new("google:field"));
    let contact = edited(&contact(1, person("Ada King")), |contact| {
        contact.version.tick(&of_sales);
        contact.version.tick(&of_field);
    });
    let version = contact.version.clone();
    let settled = |number: u32, name: &AccountName| Link {
        account: name.clone(),
        acked: version.clone(),
        settled: version.clone(),
        seen: None,
        parked: None,
        ..link(number, Some(contact_id(1)))
    };
    let (first, second) = (settled(1, &sales), settled(2, &field));
    let stranger = Stranger { account: sales.clone(), remote: remote(9), etag: None, keys: Default::default() };
    let writes = vec![
        create(&contact),
        put(&first),
        put(&second),
        open_intent(1, &first),
        Write::Conflict(Box::new(conflict(1, contact.id, &first))),
        Write::Stranger(stranger),
        Write::Ghost(Ghost { account: sales.clone(), remote: remote(10), seen: time(1) }),
        Write::Account(Box::new(account_state("sales"))),
        Write::Account(Box::new(account_state("field"))),
    ];
    write(&*store, writes).await.unwrap();
    let before = store.link_counts(&field).await.unwrap();
    write(&*store, vec![Write::ForgetAccount(sales.clone(), of_sales.clone())]).await.unwrap();
    assert_eq!(store.account(&sales).await.unwrap(), None);
    assert_eq!(store.link_counts(&sales).await.unwrap(), LinkCounts::default());
    assert_eq!(store.links(&[first.id]).await.unwrap(), []);
    assert_eq!(store.links_of_tokens(std::slice::from_ref(&first.token)).await.unwrap(), []);
    let stored = store.contacts(&[contact.id]).await.unwrap().pop().unwrap();
    assert_eq!((stored.version.get(&of_sales), stored.version.get(&of_field)), (0, 1));
    assert_eq!(stored.card, contact.card);
    assert_eq!(store.link_counts(&field).await.unwrap(), before);
    assert_eq!(store.unsettled_links(&field, None, 9).await.unwrap(), []);
    let left = store.links(&[second.id]).await.unwrap().pop().unwrap();
    assert_eq!((left.settled, left.acked), (stored.version.clone(), stored.version));
    // A new account of that name counts anew, and takes up nothing of the former.
    write(&*store, vec![put(&first)]).await.unwrap();
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
