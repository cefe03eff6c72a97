//! The change feed as history.

use contactsync::domain::diff::FieldChange;
use contactsync::domain::field::Field;
use contactsync::domain::history::{Action, Actor, Change, RemoteChange, RemoteCopy};
use contactsync::domain::id::{ImportId, ReplicaId};
use contactsync::domain::merge::FieldConflict;
use contactsync::domain::policy::Winner;
use contactsync::store::{ContactWrite, HistoryQuery, Store, Write};
use serde_json::json;

use super::{AnyStore, write};
use crate::support::values::*;

pub async fn rows_come_newest_first_as_they_were_written(store: AnyStore) {
    let ada = contact(1, person("Ada King"));
    let again = edited(&ada, |contact| contact.deleted = Some(time(3)));
    let created = Change {
        actor: Actor::Import { import: ImportId::new(time(1), 1) },
        fields: vec![FieldChange { field: Field::Name, before: json!(null), after: json!({ "given": "Ada" }) }],
        ..change(&ada, Action::Created)
    };
    let deleted = Change {
        actor: Actor::Replica { replica: ReplicaId::google(&account("sales")) },
        run: Some(run_id(4)),
        conflicts: vec![FieldConflict {
            field: Field::Custom("x".into()),
            base: json!(null),
            store: json!("a"),
            remote: json!("b"),
            winner: Winner::Remote,
        }],
        ..change(&again, Action::Deleted)
    };
    let writes = vec![
        Write::Contact(Box::new(ContactWrite { contact: ada.clone(), expected: None, change: created.clone() })),
        Write::Contact(Box::new(ContactWrite {
            contact: again,
            expected: Some(ada.version.clone()),
            change: deleted.clone(),
        })),
    ];
    write(&*store, writes).await.unwrap();
    let rows = store.history(&HistoryQuery::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(rows.into_iter().map(|row| row.change).collect::<Vec<_>>(), [deleted, created]);
}

async fn places(store: &dyn Store, query: HistoryQuery) -> Vec<u64> {
    store.history(&query).await.unwrap().into_iter().map(|row| row.sequence).collect()
}

pub async fn rows_are_selected_by_contact_run_place_and_number(store: AnyStore) {
    for number in 1..=6 {
        let contact = contact(number, person("Ada King"));
        let change = Change { run: (number % 2 == 0).then(|| run_id(1)), ..change(&contact, Action::Created) };
        let write_one = Write::Contact(Box::new(ContactWrite { contact, expected: None, change }));
        write(&*store, vec![write_one]).await.unwrap();
    }
    let all = HistoryQuery::default();
    assert_eq!(places(&*store, HistoryQuery { contact: Some(contact_id(3)), ..all.clone() }).await, [3]);
    assert_eq!(places(&*store, HistoryQuery { run: Some(run_id(1)), ..all.clone() }).await, [6, 4, 2]);
    assert_eq!(places(&*store, HistoryQuery { run: Some(run_id(9)), ..all.clone() }).await, [0_u64; 0]);
    assert_eq!(places(&*store, HistoryQuery { before: Some(3), ..all.clone() }).await, [2, 1]);
    let page = HistoryQuery { run: Some(run_id(1)), before: Some(6), limit: Some(1), ..all };
    assert_eq!(places(&*store, page).await, [4]);
}

pub async fn writes_to_remotes_are_history_and_no_news(store: AnyStore) {
    let ada = contact(1, person("Ada King"));
    let copy = RemoteCopy { replica: ReplicaId::google(&account("sales")), record: remote(1) };
    let pushed = Change { run: Some(run_id(4)), ..change(&ada, Action::Edited) };
    let written = RemoteChange { copy: copy.clone(), change: pushed.clone() };
    let writes = vec![create(&ada), Write::RemoteChange(Box::new(written.clone()))];
    assert_eq!(write(&*store, writes).await.unwrap().changes, [(ada.id, 1)]);
    let rows = store.history(&HistoryQuery { contact: Some(ada.id), ..HistoryQuery::default() }).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.sequence, row.remote.clone())).collect::<Vec<_>>(),
        [(2, Some(copy)), (1, None)]
    );
    assert_eq!(rows[0].change, pushed);
    assert_eq!(store.changed_contacts(0, 9).await.unwrap(), [(ada.id, 1)]);
    assert_eq!(store.changed_contacts(1, 9).await.unwrap(), []);
    let again = edited(&ada, |_| {});
    assert_eq!(write(&*store, vec![replace(&again, &ada.version)]).await.unwrap().changes, [(ada.id, 3)]);
    let mut of_nobody = written;
    of_nobody.change.contact = contact_id(9);
    assert!(write(&*store, vec![Write::RemoteChange(Box::new(of_nobody))]).await.is_err());
}
