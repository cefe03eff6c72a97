//! Remote records that are not ours: ghosts and strangers.

use std::collections::BTreeSet;

use contactsync::domain::id::Etag;
use contactsync::store::{Ghost, Stranger, Write};

use super::{AnyStore, write};
use crate::support::values::*;

pub async fn ghosts_are_remembered_per_account(store: AnyStore) {
    let ghost = |name: &str, number, seconds| {
        Write::Ghost(Ghost { account: account(name), remote: remote(number), seen: time(seconds) })
    };
    write(&*store, vec![ghost("sales", 1, 1), ghost("sales", 2, 2), ghost("other", 1, 3)]).await.unwrap();
    write(&*store, vec![ghost("sales", 2, 4)]).await.unwrap();
    let found = store.ghosts(&account("sales"), &[3, 2, 1].map(remote)).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(remote(1), time(1)), (remote(2), time(4))]);
    let found = store.ghosts(&account("other"), &[3, 2, 1].map(remote)).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(remote(1), time(3))]);
    assert!(store.ghosts(&account("sales"), &[]).await.unwrap().is_empty());
}

fn stranger(number: u32, keys: &[&str]) -> Stranger {
    Stranger {
        account: account("sales"),
        remote: remote(number),
        etag: Some(Etag::new(format!("e{number}"))),
        keys: keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
    }
}

fn keys(keys: &[&str]) -> BTreeSet<Vec<u8>> {
    keys.iter().map(|key| key.as_bytes().to_vec()).collect()
}

pub async fn strangers_are_found_by_any_key(store: AnyStore) {
    let (first, second, without) = (stranger(1, &["a", "b", "\0"]), stranger(2, &["b", "c"]), stranger(3, &[]));
    let writes = [&first, &second, &without].map(|stranger| Write::Stranger(stranger.clone()));
    write(&*store, writes.to_vec()).await.unwrap();
    let sales = account("sales");
    assert_eq!(store.strangers_with_keys(&sales, &keys(&["b", "a"])).await.unwrap(), [first.clone(), second]);
    assert_eq!(store.strangers_with_keys(&sales, &keys(&["\0", "x"])).await.unwrap(), [first]);
    assert_eq!(store.strangers_with_keys(&sales, &keys(&[])).await.unwrap(), []);
    assert_eq!(store.strangers_with_keys(&account("other"), &keys(&["a"])).await.unwrap(), []);
}

pub async fn strangers_are_known_by_name(store: AnyStore) {
    let nameless = Stranger { etag: None, ..stranger(2, &["b"]) };
    write(&*store, vec![Write::Stranger(stranger(1, &["a"])), Write::Stranger(nameless)]).await.unwrap();
    let asked = [3, 2, 1].map(remote);
    let found = store.strangers(&account("sales"), &asked).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(remote(1), Some(Etag::new("e1"))), (remote(2), None)]);
    assert!(store.strangers(&account("other"), &asked).await.unwrap().is_empty());
    assert!(store.strangers(&account("sales"), &[]).await.unwrap().is_empty());
}

pub async fn a_stranger_is_replaced_and_forgotten(store: AnyStore) {
    let sales = account("sales");
    let replaced = Stranger { etag: None, ..stranger(1, &["b"]) };
    write(&*store, vec![Write::Stranger(stranger(1, &["a"])), Write::Stranger(replaced.clone())]).await.unwrap();
    assert_eq!(store.strangers_with_keys(&sales, &keys(&["a"])).await.unwrap(), []);
    assert_eq!(store.strangers_with_keys(&sales, &keys(&["b"])).await.unwrap(), [replaced]);
    let forget = |number| Write::DropStranger(account("sales"), remote(number));
    write(&*store, vec![forget(1), forget(1), forget(77)]).await.unwrap();
    assert_eq!(store.strangers_with_keys(&sales, &keys(&["b"])).await.unwrap(), []);
    assert_eq!(store.link_counts(&sales).await.unwrap().strangers, 0);
}
