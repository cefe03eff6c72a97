//! What people look at: conflicts and runs; and what they give: grants.

use contactsync::domain::conflict::Conflict;
use contactsync::domain::harm::{Harm, HarmDone, LetBy, Side};
use contactsync::domain::run::RunRecord;
use contactsync::store::{SealedGrant, StoreError, Write};

use super::{AnyStore, write};
use crate::support::values::*;

pub async fn conflicts_wait_oldest_first_until_resolved(store: AnyStore) {
    let contacts = [1, 2].map(|number| contact(number, person("Ada King")));
    let links = [1, 2].map(|number| link(number, Some(contact_id(number))));
    let old = conflict(1, contact_id(2), &links[1]);
    let new = Conflict { since: time(0), ..conflict(2, contact_id(1), &links[0]) };
    let put_conflict = |conflict: &Conflict| Write::Conflict(Box::new(conflict.clone()));
    let writes = contacts.iter().map(create).chain(links.iter().map(put)).chain([&old, &new].map(put_conflict));
    write(&*store, writes.collect()).await.unwrap();
    assert_eq!(store.open_conflicts(None).await.unwrap(), [new.clone(), old.clone()]);
    assert_eq!(store.open_conflicts(Some(contact_id(2))).await.unwrap(), std::slice::from_ref(&old));
    assert_eq!(store.open_conflicts(Some(contact_id(9))).await.unwrap(), []);

    let resolved = Conflict { resolved: Some(time(9)), ..old.clone() };
    write(&*store, vec![put_conflict(&resolved)]).await.unwrap();
    assert_eq!(store.open_conflicts(None).await.unwrap(), [new]);
    assert_eq!(store.conflict(old.id).await.unwrap(), Some(resolved));
    assert_eq!(store.conflict(conflict_id(9)).await.unwrap(), None);

    let dangling = conflict(3, contact_id(1), &link(77, None));
    let refused = write(&*store, vec![put_conflict(&dangling)]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "conflict", .. })), "{refused:?}");
}

pub async fn runs_are_listed_newest_first(store: AnyStore) {
    let put_run = |run: &RunRecord| Write::Run(Box::new(run.clone()));
    write(&*store, [run(2), run(3), run(1)].iter().map(put_run).collect()).await.unwrap();
    let ended = RunRecord { ended: Some(time(9)), accounts: Vec::new(), ..run(3) };
    write(&*store, vec![put_run(&ended)]).await.unwrap();
    assert_eq!(store.runs(2).await.unwrap(), [ended.clone(), run(2)]);
    assert_eq!(store.runs(9).await.unwrap().len(), 3);
    assert_eq!(store.run(run_id(3)).await.unwrap(), Some(ended));
    assert_eq!(store.run(run_id(9)).await.unwrap(), None);
}

pub async fn a_grant_is_replaced_and_forgotten(store: AnyStore) {
    let sales = account("sales");
    assert_eq!(store.grant(&sales).await.unwrap(), None);
    for sealed in [vec![1, 2, 0], vec![3]] {
        let grant = SealedGrant { account: sales.clone(), sealed, stored: time(1) };
        store.put_grant(&grant).await.unwrap();
        assert_eq!(store.grant(&sales).await.unwrap(), Some(grant));
    }
    assert_eq!(store.grant(&account("other")).await.unwrap(), None);
    for _ in 0..2 {
        store.drop_grant(&sales).await.unwrap();
        assert_eq!(store.grant(&sales).await.unwrap(), None);
    }
}

pub async fn harm_is_remembered_once_for_each_contact_until_it_is_forgotten(store: AnyStore) {
    let done = |harm, contact, let_by, at| HarmDone {
        account: account("sales"),
        harm,
        contact: contact_id(contact),
        let_by,
        at: time(at),
    };
    let early = done(Harm::Deletes(Side::Store), 1, LetBy::Guard, 1);
    let again = HarmDone { at: time(5), ..early.clone() };
    let approved = HarmDone { let_by: LetBy::Person, ..early.clone() };
    let other = done(Harm::Unlinks, 2, LetBy::Guard, 3);
    let elsewhere = HarmDone { account: account("other"), ..early.clone() };
    let all = [early, other.clone(), again.clone(), approved.clone(), elsewhere.clone()];
    write(&*store, all.into_iter().map(Write::Harm).collect()).await.unwrap();
    let found = async |name: &str, since| {
        let mut found = store.harms(&account(name), time(since)).await.unwrap();
        found.sort();
        found
    };
    assert_eq!(found("sales", 0).await, [again.clone(), approved, other.clone()]);
    assert_eq!(found("sales", 3).await, [again.clone(), other]);
    assert_eq!(found("other", 1).await, std::slice::from_ref(&elsewhere));
    write(&*store, vec![Write::ForgetHarm(account("sales"), time(5))]).await.unwrap();
    assert_eq!(found("sales", 0).await, [again], "what was done at that time stays");
    assert_eq!(found("other", 0).await, [elsewhere]);
}
