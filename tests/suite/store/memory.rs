//! What only the store in memory does.

use contactsync::store::Store;

use super::{memory_store, write};
use crate::support::values::*;

#[tokio::test]
async fn a_snapshot_and_its_original_go_separate_ways() {
    let store = memory_store();
    write(&store, vec![create(&contact(1, person("Ada King")))]).await.unwrap();
    let snapshot = store.snapshot();
    write(&store, vec![create(&contact(2, person("Eve Hill")))]).await.unwrap();
    write(&snapshot, vec![create(&contact(3, person("Zoe Adams")))]).await.unwrap();
    let ids = [1, 2, 3].map(contact_id);
    let known = |contacts: Vec<contactsync::domain::contact::Contact>| -> Vec<_> {
        contacts.into_iter().map(|contact| contact.id).collect()
    };
    assert_eq!(known(store.contacts(&ids).await.unwrap()), [1, 2].map(contact_id));
    assert_eq!(known(snapshot.contacts(&ids).await.unwrap()), [1, 3].map(contact_id));
    assert_eq!(store.identity().await.unwrap(), snapshot.identity().await.unwrap());
}
