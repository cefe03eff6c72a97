//! Contacts: versions, keys, the feed.

use std::collections::BTreeSet;

use contactsync::domain::contact::Card;
use contactsync::domain::history::Action;
use contactsync::domain::id::ContactId;
use contactsync::domain::matching::MatchKey;
use contactsync::domain::name::Name;
use contactsync::store::{ContactWrite, StoreError, Write};

use super::{AnyStore, write};
use crate::support::values::*;

pub async fn a_contact_is_found_as_it_was_stored(store: AnyStore) {
    let mut full = contact(2, with_phone(with_email(with_label(person("Dr. Ada B. King Jr."), "VIP"), "a@x.org"), "1"));
    full.card.notes = Some("line\nline \u{0} \"'; %_\\ Łódź 🙂".into());
    full.card.custom.insert("Price list".into(), "Retail".into());
    full.card.owner = Some("Sales@Example.org".into());
    full.deleted = Some(time(99));
    full.implicit = true;
    let bare = contact(1, Card::organization(""));
    write(&*store, vec![create(&full), create(&bare)]).await.unwrap();
    let found = store.contacts(&[full.id, contact_id(9), bare.id, full.id]).await.unwrap();
    assert_eq!(found, [bare, full]);
}

pub async fn a_contact_that_exists_is_not_created_again(store: AnyStore) {
    let ada = contact(1, person("Ada King"));
    write(&*store, vec![create(&ada)]).await.unwrap();
    let refused = write(&*store, vec![create(&ada)]).await;
    assert!(matches!(refused, Err(StoreError::Moved { contact }) if contact == ada.id), "{refused:?}");
    assert_eq!(store.feed_end().await.unwrap(), 1);
}

pub async fn a_write_decided_on_an_older_version_is_refused(store: AnyStore) {
    let first = contact(1, person("Ada King"));
    let second = edited(&first, |contact| contact.card.notes = Some("second".into()));
    write(&*store, vec![create(&first)]).await.unwrap();
    write(&*store, vec![replace(&second, &first.version)]).await.unwrap();
    let refused = write(&*store, vec![replace(&first, &first.version)]).await;
    assert!(matches!(refused, Err(StoreError::Moved { contact }) if contact == first.id), "{refused:?}");
    assert_eq!(store.contacts(&[first.id]).await.unwrap(), [second]);
}

pub async fn a_write_of_a_contact_that_does_not_exist_is_refused(store: AnyStore) {
    let ada = contact(1, person("Ada King"));
    let refused = write(&*store, vec![replace(&ada, &ada.version)]).await;
    assert!(matches!(refused, Err(StoreError::Moved { .. })), "{refused:?}");
    assert_eq!(store.contacts(&[ada.id]).await.unwrap(), []);
}

pub async fn a_contact_can_be_written_twice_in_one_commit(store: AnyStore) {
    let first = contact(1, with_email(person("Ada King"), "first@x.org"));
    let second = edited(&first, |contact| contact.card = with_email(person("Ada King"), "second@x.org"));
    let committed = write(&*store, vec![create(&first), replace(&second, &first.version)]).await.unwrap();
    assert_eq!(committed.changes, [(first.id, 1), (first.id, 2)]);
    assert_eq!(store.contacts(&[first.id]).await.unwrap(), [second]);
    let keys = ["first@x.org", "second@x.org"].map(|address| MatchKey::Email(address.into()));
    let found = store.contacts_with_keys(&keys.iter().cloned().collect()).await.unwrap();
    assert_eq!(found, [(keys[1].clone(), first.id)]);
}

pub async fn a_change_that_names_another_contact_is_refused(store: AnyStore) {
    let (ada, eve) = (contact(1, person("Ada King")), contact(2, person("Eve Hill")));
    let change = change(&eve, Action::Created);
    let odd = Write::Contact(Box::new(ContactWrite { contact: ada.clone(), expected: None, change }));
    let refused = write(&*store, vec![create(&eve), odd]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "change", .. })), "{refused:?}");
}

pub async fn keys_follow_the_card_and_go_with_the_contact(store: AnyStore) {
    let key = |address: &str| BTreeSet::from([MatchKey::Email(address.into())]);
    let ada = contact(1, with_email(person("Ada King"), "ada@x.org"));
    let eve = contact(2, with_email(person("Eve Hill"), "ada@x.org"));
    write(&*store, vec![create(&eve), create(&ada)]).await.unwrap();
    let found: Vec<ContactId> =
        store.contacts_with_keys(&key("ada@x.org")).await.unwrap().into_iter().map(|(_, id)| id).collect();
    assert_eq!(found, [ada.id, eve.id]);

    let moved = edited(&ada, |contact| contact.card = with_email(person("Ada King"), "new@x.org"));
    let deleted = edited(&eve, |contact| contact.deleted = Some(time(50)));
    write(&*store, vec![replace(&moved, &ada.version), replace(&deleted, &eve.version)]).await.unwrap();
    assert_eq!(store.contacts_with_keys(&key("ada@x.org")).await.unwrap(), []);
    assert_eq!(store.contacts_with_keys(&key("new@x.org")).await.unwrap().len(), 1);

    let restored = edited(&deleted, |contact| contact.deleted = None);
    write(&*store, vec![replace(&restored, &deleted.version)]).await.unwrap();
    assert_eq!(store.contacts_with_keys(&key("ada@x.org")).await.unwrap().len(), 1);
    assert_eq!(store.contacts_with_keys(&BTreeSet::new()).await.unwrap(), []);
}

pub async fn a_commit_that_expects_no_other_contact_under_a_key_is_refused_when_there_is_one(store: AnyStore) {
    let only = |contacts: &[ContactId]| Write::Only {
        keys: BTreeSet::from([MatchKey::Email("ada@x.org".into())]),
        contacts: contacts.iter().copied().collect(),
    };
    let [ada, eve] =
        [(1, "Ada King"), (2, "Eve Hill")].map(|(n, name)| contact(n, with_email(person(name), "ada@x.org")));
    write(&*store, vec![only(&[]), create(&ada)]).await.unwrap();
    let refused = write(&*store, vec![only(&[]), create(&eve)]).await;
    assert!(matches!(refused, Err(StoreError::Moved { contact }) if contact == ada.id), "{refused:?}");
    assert_eq!(store.contacts(&[eve.id]).await.unwrap(), []);
    write(&*store, vec![only(&[ada.id]), create(&eve)]).await.unwrap();
}

pub async fn the_feed_names_each_contact_once_at_its_newest_change(store: AnyStore) {
    assert_eq!(store.feed_end().await.unwrap(), 0);
    let (ada, eve) = (contact(1, person("Ada King")), contact(2, person("Eve Hill")));
    let again = edited(&ada, |_| {});
    let committed = write(&*store, vec![create(&ada), create(&eve)]).await.unwrap();
    assert_eq!(committed.changes, [(ada.id, 1), (eve.id, 2)]);
    write(&*store, vec![replace(&again, &ada.version)]).await.unwrap();
    assert_eq!(store.changed_contacts(0, 10).await.unwrap(), [(eve.id, 2), (ada.id, 3)]);
    assert_eq!(store.changed_contacts(0, 1).await.unwrap(), [(eve.id, 2)]);
    assert_eq!(store.changed_contacts(2, 10).await.unwrap(), [(ada.id, 3)]);
    assert_eq!(store.changed_contacts(3, 10).await.unwrap(), []);
    assert_eq!(store.feed_end().await.unwrap(), 3);
}

pub async fn more_contacts_than_fit_one_statement_are_found(store: AnyStore) {
    let contacts: Vec<_> = (0..1_203)
        .map(|number| {
            let mut card = with_label(with_email(Card::person(), &format!("c{number}@x.org")), "all");
            card.as_person_mut().unwrap().name = Name { given: Some(number.to_string()), ..Name::default() };
            contact(number, card)
        })
        .collect();
    write(&*store, contacts.iter().map(create).collect()).await.unwrap();
    let mut ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    ids.reverse();
    assert_eq!(store.contacts(&ids).await.unwrap(), contacts);
    let keys: BTreeSet<MatchKey> = (0..1_203).map(|number| MatchKey::Email(format!("c{number}@x.org"))).collect();
    let found = store.contacts_with_keys(&keys).await.unwrap();
    assert_eq!(found.len(), 1_203);
    assert!(found.is_sorted());
}
