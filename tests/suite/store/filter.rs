//! Filters under their names.

use contactsync::domain::filter::{Filter, SavedFilter};
use contactsync::store::{StoreError, Write};

use super::{AnyStore, write};
use crate::support::values::*;

fn saved(name: &str, condition: &str) -> SavedFilter {
    let filter = Filter { text: Some("ada".into()), conditions: [condition.parse().unwrap()].into() };
    SavedFilter { name: name.into(), filter, created: time(1), updated: time(2) }
}

fn add(filter: &SavedFilter) -> Write {
    Write::AddFilter(Box::new(filter.clone()))
}

pub async fn a_filter_is_found_as_it_was_saved(store: AnyStore) {
    let (retail, vips) = (saved("Retail", "custom.Price list=Retail"), saved("VIPs", "labels=VIP"));
    write(&*store, vec![add(&vips), add(&retail)]).await.unwrap();
    assert_eq!(store.filter("Retail").await.unwrap(), Some(retail.clone()));
    assert_eq!(store.filter("retail").await.unwrap(), None);
    assert_eq!(store.filters().await.unwrap(), [retail, vips]);
}

pub async fn a_name_is_taken_once(store: AnyStore) {
    let (first, second) = (saved("VIPs", "labels=VIP"), saved("VIPs", "labels=Other"));
    write(&*store, vec![add(&first)]).await.unwrap();
    let refused = write(&*store, vec![add(&saved("Other", "labels=x")), add(&second)]).await;
    let Err(error @ StoreError::Taken { .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(error.to_string(), "a filter \"VIPs\" exists already");
    assert_eq!(store.filters().await.unwrap(), [first], "the rest of the commit is not there either");
}

pub async fn an_edit_keeps_when_it_was_made(store: AnyStore) {
    let first = saved("VIPs", "labels=VIP");
    write(&*store, vec![add(&first)]).await.unwrap();
    let edited = SavedFilter { created: time(7), updated: time(9), ..saved("VIPs", "labels=Other") };
    let unknown = saved("Nobody", "labels=x");
    write(&*store, vec![Write::Filter(Box::new(edited.clone())), Write::Filter(Box::new(unknown))]).await.unwrap();
    assert_eq!(store.filters().await.unwrap(), [SavedFilter { created: time(1), ..edited }]);
}

pub async fn a_removed_filter_is_gone(store: AnyStore) {
    let (first, second) = (saved("One", "labels=VIP"), saved("Two", "labels=VIP"));
    write(&*store, vec![add(&first), add(&second)]).await.unwrap();
    write(&*store, vec![Write::DropFilter("One".into()), Write::DropFilter("Nobody".into())]).await.unwrap();
    assert_eq!(store.filters().await.unwrap(), [second]);
    write(&*store, vec![add(&first)]).await.unwrap();
    assert_eq!(store.filters().await.unwrap().len(), 2);
}
