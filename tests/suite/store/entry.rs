//! Entries: what hangs on contacts, definitions, and the history of both.

use std::collections::{BTreeMap, BTreeSet};

use contactsync::domain::custom_field::FieldType;
use contactsync::domain::entry::deal::{Deal, Status};
use contactsync::domain::entry::definition::{CustomField, FieldOf};
use contactsync::domain::entry::note::Note;
use contactsync::domain::entry::relation::Seen;
use contactsync::domain::entry::{About, Body, Entry, EntryChange, EntryKind};
use contactsync::domain::history::{Action, Actor};
use contactsync::domain::id::{ContactId, EntryId};
use contactsync::store::{DeletedContacts, EntryHistoryQuery, EntryQuery, EntryWrite, Store, StoreError, Write};

use super::link::store_contacts;
use super::{AnyStore, write};
use crate::support::values::*;

fn entry_id(number: u32) -> EntryId {
    EntryId::new(time(0), u128::from(number))
}

fn about(person: u32) -> About {
    About { person: Some(contact_id(person)), organization: None }
}

fn deal(person: u32) -> Body {
    Body::Deal(Deal {
        title: "Pilot".into(),
        value: Some("12000.50 EUR".parse().unwrap()),
        pipeline: "Pipeline".into(),
        stage: "Qualified".into(),
        status: Status::Open,
        lost_reason: None,
        expected_close: Some("2026-12-24".parse().unwrap()),
        closed: None,
        owner: Some("sales@example.org".into()),
        labels: BTreeSet::from(["Hot".to_owned()]),
        custom: BTreeMap::from([("Source".to_owned(), "Fair".to_owned())]),
        about: about(person),
    })
}

fn note(person: u32, deal: Option<u32>) -> Body {
    let deal = deal.map(entry_id);
    Body::Note(Note { content: "Called.".into(), pinned: false, about: about(person), deal })
}

fn field(name: &str) -> Body {
    let (of, field_type) = (FieldOf::Person, FieldType::Enum);
    let options = vec!["Retail".to_owned(), "Trade".to_owned()];
    Body::Field(CustomField { of, name: name.into(), field_type, options, retired: None })
}

fn entry(number: u32, body: Body) -> Entry {
    let (created, updated) = (time(1), time(1));
    Entry { id: entry_id(number), body, version: version(1), created, updated, deleted: None }
}

fn put(entry: &Entry, before: Option<&Entry>) -> Write {
    let action = match before {
        None => Action::Created,
        Some(_) if entry.is_live() => Action::Edited,
        Some(_) => Action::Deleted,
    };
    let change = EntryChange {
        entry: entry.id,
        at: entry.updated,
        actor: Actor::User,
        run: Some(run_id(1)),
        action,
        before: before.map(|before| before.body.clone()),
        after: entry.body.clone(),
    };
    let expected = before.map(|before| before.version.clone());
    Write::Entry(Box::new(EntryWrite { entry: entry.clone(), expected, change }))
}

fn edited(before: &Entry, body: Body) -> Entry {
    Entry { body, version: version(2), updated: time(2), ..before.clone() }
}

async fn found(store: &dyn Store, query: EntryQuery) -> Vec<EntryId> {
    store.find_entries(&query).await.unwrap().into_iter().map(|entry| entry.id).collect()
}

fn on(contacts: impl IntoIterator<Item = ContactId>) -> EntryQuery {
    EntryQuery { contacts: contacts.into_iter().collect(), ..EntryQuery::default() }
}

pub async fn an_entry_is_found_as_it_was_stored(store: AnyStore) {
    store_contacts(&*store, 2).await;
    let relation = Body::Relation(Seen::Daughter.between(contact_id(1), contact_id(2)));
    let entries = [entry(1, deal(1)), entry(2, note(1, Some(1))), entry(3, field("Price list")), entry(4, relation)];
    write(&*store, entries.iter().map(|entry| put(entry, None)).collect()).await.unwrap();
    assert_eq!(store.entries(&[4, 2, 1, 3, 2, 9].map(entry_id)).await.unwrap(), entries);
    let gone = Entry { deleted: Some(time(2)), ..edited(&entries[0], deal(2)) };
    write(&*store, vec![put(&gone, Some(&entries[0]))]).await.unwrap();
    assert_eq!(store.entries(&[entry_id(1)]).await.unwrap(), [gone]);
}

pub async fn entries_are_selected_by_kind_contact_deal_and_name(store: AnyStore) {
    store_contacts(&*store, 3).await;
    let gone = Entry { deleted: Some(time(1)), ..entry(5, note(3, None)) };
    let relation = Body::Relation(Seen::Related.between(contact_id(2), contact_id(3)));
    let entries = [entry(1, deal(1)), entry(2, note(1, Some(1))), entry(3, field("Size")), entry(4, relation), gone];
    write(&*store, entries.iter().map(|entry| put(entry, None)).collect()).await.unwrap();
    let ids = |numbers: &[u32]| numbers.iter().copied().map(entry_id).collect::<Vec<_>>();
    assert_eq!(found(&*store, EntryQuery::default()).await, ids(&[1, 2, 3, 4]));
    let kinds = BTreeSet::from([EntryKind::Deal, EntryKind::Field]);
    assert_eq!(found(&*store, EntryQuery { kinds, ..EntryQuery::default() }).await, ids(&[1, 3]));
    assert_eq!(found(&*store, on([contact_id(1)])).await, ids(&[1, 2]));
    assert_eq!(found(&*store, on([contact_id(2), contact_id(3)])).await, ids(&[4]));
    let of_deal = EntryQuery { deal: Some(entry_id(1)), ..EntryQuery::default() };
    assert_eq!(found(&*store, of_deal).await, ids(&[2]));
    let named = EntryQuery { unique_name: field("size").unique_name(), ..EntryQuery::default() };
    assert_eq!(found(&*store, named).await, ids(&[3]));
    let in_the_bin = EntryQuery { deleted: DeletedContacts::Only, ..EntryQuery::default() };
    assert_eq!(found(&*store, in_the_bin).await, ids(&[5]));
    let page = EntryQuery { after: Some(entry_id(1)), limit: Some(2), ..EntryQuery::default() };
    assert_eq!(found(&*store, page).await, ids(&[2, 3]));
    let many = on((1..=600).map(contact_id));
    assert_eq!(found(&*store, EntryQuery { limit: Some(2), ..many }).await, ids(&[1, 2]));
}

pub async fn a_write_decided_on_an_older_version_is_refused_and_leaves_nothing(store: AnyStore) {
    store_contacts(&*store, 1).await;
    let first = entry(1, note(1, None));
    write(&*store, vec![put(&first, None)]).await.unwrap();
    let again = write(&*store, vec![put(&entry(2, deal(1)), None), put(&first, None)]).await;
    assert!(matches!(again, Err(StoreError::EntryMoved { entry }) if entry == entry_id(1)), "{again:?}");
    let stale = Entry { version: version(7), ..first.clone() };
    let refused = write(&*store, vec![put(&edited(&first, deal(1)), Some(&stale))]).await;
    assert!(matches!(refused, Err(StoreError::EntryMoved { .. })), "{refused:?}");
    let missing = entry(3, note(1, None));
    let refused = write(&*store, vec![put(&edited(&missing, deal(1)), Some(&missing))]).await;
    assert!(matches!(refused, Err(StoreError::EntryMoved { .. })), "{refused:?}");
    assert_eq!(store.find_entries(&EntryQuery::default()).await.unwrap(), [first]);
    assert_eq!(store.entry_history(&EntryHistoryQuery::default()).await.unwrap().len(), 1);
}

pub async fn a_name_belongs_to_one_living_entry_of_its_kind(store: AnyStore) {
    let first = entry(1, field("Price list"));
    write(&*store, vec![put(&first, None)]).await.unwrap();
    let taken = write(&*store, vec![put(&entry(2, field("PRICE  list")), None)]).await;
    assert!(matches!(taken, Err(StoreError::Taken { .. })), "{taken:?}");
    let gone = Entry { deleted: Some(time(2)), ..edited(&first, field("Price list")) };
    let writes = vec![put(&gone, Some(&first)), put(&entry(2, field("Price List")), None)];
    write(&*store, writes).await.unwrap();
    assert_eq!(found(&*store, EntryQuery::default()).await, [entry_id(2)]);
}

pub async fn what_an_entry_hangs_on_exists(store: AnyStore) {
    store_contacts(&*store, 1).await;
    for body in [note(7, None), note(1, Some(7))] {
        let refused = write(&*store, vec![put(&entry(1, body), None)]).await;
        assert!(matches!(refused, Err(StoreError::Inconsistent { .. })), "{refused:?}");
    }
    let mut write_of_another = put(&entry(1, note(1, None)), None);
    if let Write::Entry(write) = &mut write_of_another {
        write.change.entry = entry_id(2);
    }
    let refused = write(&*store, vec![write_of_another]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { .. })), "{refused:?}");
    assert_eq!(found(&*store, EntryQuery::default()).await, []);
}

pub async fn the_history_of_a_contact_tells_what_hung_on_it(store: AnyStore) {
    store_contacts(&*store, 3).await;
    let first = entry(1, note(1, None));
    let second = edited(&first, note(2, None));
    write(&*store, vec![put(&first, None), put(&entry(2, deal(3)), None)]).await.unwrap();
    write(&*store, vec![put(&second, Some(&first))]).await.unwrap();
    let of = async |query: EntryHistoryQuery| {
        let rows = store.entry_history(&query).await.unwrap();
        rows.into_iter().map(|row| (row.change.entry, row.change.action)).collect::<Vec<_>>()
    };
    let [made, moved] = [(entry_id(1), Action::Created), (entry_id(1), Action::Edited)];
    let about = |number| EntryHistoryQuery { contact: Some(contact_id(number)), ..EntryHistoryQuery::default() };
    assert_eq!(of(about(1)).await, [moved, made]);
    assert_eq!(of(about(2)).await, [moved]);
    let entry = EntryHistoryQuery { entry: Some(entry_id(1)), limit: Some(1), ..EntryHistoryQuery::default() };
    assert_eq!(of(entry).await, [moved]);
    let run = EntryHistoryQuery { run: Some(run_id(1)), ..EntryHistoryQuery::default() };
    assert_eq!(of(run).await.len(), 3);
    let rows = store.entry_history(&about(2)).await.unwrap();
    assert_eq!(rows[0].change.before, Some(first.body), "what it said before is kept");
}

pub async fn entries_are_no_news_for_accounts(store: AnyStore) {
    store_contacts(&*store, 1).await;
    let end = store.feed_end().await.unwrap();
    write(&*store, vec![put(&entry(1, note(1, None)), None)]).await.unwrap();
    assert_eq!(store.feed_end().await.unwrap(), end);
    let ada = edited_contact(&*store).await;
    write(&*store, vec![replace(&ada.1, &ada.0)]).await.unwrap();
    assert!(store.feed_end().await.unwrap() > end + 1, "contacts and entries share their places");
}

/// The first contact's version, and the contact with another name.
async fn edited_contact(
    store: &dyn Store,
) -> (contactsync::domain::version::VersionVector, contactsync::domain::contact::Contact) {
    let before = store.contacts(&[contact_id(1)]).await.unwrap().remove(0);
    let after = crate::support::values::edited(&before, |contact| contact.card = person("Ada King"));
    (before.version, after)
}
