//! What people have said about who is who.

use contactsync::domain::answer::{Answer, Said};
use contactsync::domain::id::AccountName;
use contactsync::store::{StoreError, Write};

use super::link::store_contacts;
use super::{AnyStore, write};
use crate::support::values::*;

fn answer(name: &str, contact: u32, record: u32, said: Said) -> Answer {
    Answer { account: account(name), contact: contact_id(contact), remote: remote(record), said, at: time(1) }
}

fn forget(name: &str, contact: u32, record: u32) -> Write {
    Write::DropAnswer { account: account(name), contact: contact_id(contact), remote: remote(record) }
}

async fn told(store: &AnyStore, account: &AccountName) -> Vec<Answer> {
    store.answers(account).await.unwrap()
}

pub async fn the_last_word_about_a_couple_counts_until_it_is_taken_back(store: AnyStore) {
    store_contacts(&*store, 2).await;
    let sales = account("sales");
    let [first, second, other] = [
        answer("sales", 1, 7, Said::Same),
        answer("sales", 2, 5, Said::Different),
        answer("other", 1, 7, Said::Different),
    ];
    let writes = [&second, &first, &other].map(|answer| Write::Answer(answer.clone()));
    write(&*store, writes.to_vec()).await.unwrap();
    assert_eq!(told(&store, &sales).await, [first.clone(), second.clone()]);
    assert_eq!(told(&store, &account("other")).await, [other]);
    let contrary = Answer { said: Said::Different, at: time(2), ..first };
    write(&*store, vec![Write::Answer(contrary.clone()), forget("sales", 2, 5), forget("sales", 2, 6)]).await.unwrap();
    assert_eq!(told(&store, &sales).await, [contrary]);
}

pub async fn an_answer_is_about_a_contact_that_exists(store: AnyStore) {
    let refused = write(&*store, vec![Write::Answer(answer("sales", 1, 7, Said::Same))]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { .. })), "{refused:?}");
    assert_eq!(told(&store, &account("sales")).await, []);
}
