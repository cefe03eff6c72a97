//! The outbox, its memory, and markers.

use contactsync::domain::id::Marker;
use contactsync::domain::link::Link;
use contactsync::domain::outbox::Intent;
use contactsync::store::{Store, StoreError, Write};

use super::{AnyStore, write};
use crate::support::values::*;

/// Two contacts with their links.
async fn store_two(store: &dyn Store) -> [Link; 2] {
    let contacts = [1, 2].map(|number| contact(number, person("Ada King")));
    let links = [1, 2].map(|number| link(number, Some(contact_id(number))));
    let writes = contacts.iter().map(create).chain(links.iter().map(put)).collect();
    write(store, writes).await.unwrap();
    links
}

pub async fn an_intent_is_found_until_it_is_closed(store: AnyStore) {
    let [first, second] = store_two(&*store).await;
    write(&*store, vec![open_intent(6, &second), open_intent(5, &first)]).await.unwrap();
    let sales = account("sales");
    assert_eq!(store.open_intents(&sales).await.unwrap(), [intent(5, &first), intent(6, &second)]);
    assert_eq!(store.open_intents(&account("other")).await.unwrap(), []);
    write(&*store, vec![Write::ResendIntent(Marker(6), time(30)), Write::CloseIntent(Marker(5))]).await.unwrap();
    let resent = Intent { last_sent: time(30), ..intent(6, &second) };
    assert_eq!(store.open_intents(&sales).await.unwrap(), [resent]);
    write(&*store, vec![Write::CloseIntent(Marker(5)), Write::CloseIntent(Marker(77))]).await.unwrap();
}

pub async fn a_link_has_one_open_intent(store: AnyStore) {
    let [first, _] = store_two(&*store).await;
    write(&*store, vec![open_intent(5, &first)]).await.unwrap();
    let refused = write(&*store, vec![open_intent(6, &first)]).await;
    assert!(matches!(refused, Err(StoreError::Taken { .. })), "{refused:?}");
    assert_eq!(store.sent(&[Marker(6)]).await.unwrap(), []);
    write(&*store, vec![Write::CloseIntent(Marker(5)), open_intent(6, &first)]).await.unwrap();
}

pub async fn a_marker_is_used_once(store: AnyStore) {
    let [first, second] = store_two(&*store).await;
    write(&*store, vec![open_intent(5, &first)]).await.unwrap();
    let refused = write(&*store, vec![open_intent(5, &second)]).await;
    assert!(matches!(refused, Err(StoreError::Taken { .. })), "{refused:?}");
    write(&*store, vec![Write::CloseIntent(Marker(5))]).await.unwrap();
    let refused = write(&*store, vec![open_intent(5, &second)]).await;
    assert!(matches!(refused, Err(StoreError::Taken { .. })), "{refused:?}");
}

pub async fn what_was_meant_outlives_the_intent(store: AnyStore) {
    let [first, second] = store_two(&*store).await;
    write(&*store, vec![open_intent(6, &second), open_intent(5, &first)]).await.unwrap();
    write(&*store, vec![Write::CloseIntent(Marker(5))]).await.unwrap();
    let markers = [6, 5, 77, u64::MAX].map(Marker);
    assert_eq!(store.sent(&markers).await.unwrap(), [sent(5, &first), sent(6, &second)]);
    assert_eq!(store.sent(&[Marker(u64::MAX)]).await.unwrap(), []);
}

pub async fn a_closed_intent_is_not_sent_again(store: AnyStore) {
    let [first, _] = store_two(&*store).await;
    write(&*store, vec![open_intent(5, &first), Write::CloseIntent(Marker(5))]).await.unwrap();
    let refused = write(&*store, vec![Write::ResendIntent(Marker(5), time(30))]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "intent", .. })), "{refused:?}");
}

pub async fn an_intent_and_its_meaning_agree(store: AnyStore) {
    let [first, _] = store_two(&*store).await;
    let odd = Write::OpenIntent(Box::new(intent(5, &first)), Box::new(sent(6, &first)));
    let refused = write(&*store, vec![odd]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "sent", .. })), "{refused:?}");
    let dangling = open_intent(5, &link(77, None));
    let refused = write(&*store, vec![dangling]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "intent", .. })), "{refused:?}");
}

pub async fn markers_grow_even_when_the_clock_goes_back(store: AnyStore) {
    let first = store.mint_markers(3, time(100)).await.unwrap();
    assert_eq!(first.0, u64::try_from(time(100).as_micros()).unwrap());
    let second = store.mint_markers(1, time(50)).await.unwrap();
    assert_eq!(second.0, first.0 + 3);
    assert_eq!(store.mint_markers(0, time(50)).await.unwrap().0, first.0 + 4);
    assert_eq!(store.mint_markers(2, time(50)).await.unwrap().0, first.0 + 4);
    let later = store.mint_markers(1, time(200)).await.unwrap();
    assert_eq!(later.0, u64::try_from(time(200).as_micros()).unwrap());
}
