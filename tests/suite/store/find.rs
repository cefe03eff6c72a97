//! Lists of contacts.

use contactsync::domain::contact::{Card, Contact, Kind};
use contactsync::domain::filter::Filter;
use contactsync::domain::id::ContactId;
use contactsync::store::{ContactOrder, ContactQuery, DeletedContacts, ListDirection, Place, Store};

use super::{AnyStore, write};
use crate::support::values::*;

async fn found(store: &dyn Store, query: ContactQuery) -> Vec<ContactId> {
    store.find_contacts(&query).await.unwrap().into_iter().map(|contact| contact.id).collect()
}

fn text(text: &str) -> ContactQuery {
    ContactQuery { text: Some(text.into()), ..ContactQuery::default() }
}

/// An organization, two of its people, and somebody else.
async fn store_four(store: &dyn Store) -> [Contact; 4] {
    let organization = contact(1, with_label(Card::organization("Müller & Söhne"), "Customer"));
    let mut ada = contact(2, at_organization(with_label(person("Ada King"), "Customer"), organization.id));
    ada.card.owner = Some("Sales@Example.org".into());
    ada.card.notes = Some("met at the fair\nlikes 100% cotton".into());
    let eve = contact(3, at_organization(with_email(person("Eve Adams"), "eve_hill@x.org"), organization.id));
    let zoe = contact(4, with_phone(with_label(person("Zoë Adams"), "customer"), "+49 (30) 1234-567"));
    let four = [organization, ada, eve, zoe];
    write(store, four.iter().map(create).collect()).await.unwrap();
    four
}

pub async fn filters_narrow_the_list(store: AnyStore) {
    let [organization, ada, eve, zoe] = store_four(&*store).await;
    let all = ContactQuery::default();
    assert_eq!(found(&*store, all.clone()).await, [organization.id, ada.id, eve.id, zoe.id]);
    let people = ContactQuery { kind: Some(Kind::Person), ..all.clone() };
    assert_eq!(found(&*store, people).await, [ada.id, eve.id, zoe.id]);
    let customers = ContactQuery { label: Some("Customer".into()), ..all.clone() };
    assert_eq!(found(&*store, customers.clone()).await, [organization.id, ada.id]);
    let theirs = ContactQuery { organization: Some(organization.id), ..all.clone() };
    assert_eq!(found(&*store, theirs.clone()).await, [ada.id, eve.id]);
    let owned = ContactQuery { owner: Some("sales@example.ORG".into()), ..all.clone() };
    assert_eq!(found(&*store, owned).await, [ada.id]);
    let nobody = ContactQuery { owner: Some("".into()), ..all };
    assert_eq!(found(&*store, nobody).await, []);
    let both = ContactQuery { kind: Some(Kind::Person), text: Some("king".into()), ..customers };
    assert_eq!(found(&*store, both).await, [ada.id]);
}

pub async fn text_finds_names_mails_phones_and_notes(store: AnyStore) {
    let [organization, ada, eve, zoe] = store_four(&*store).await;
    assert_eq!(found(&*store, text("MULLER")).await, [organization.id]);
    assert_eq!(found(&*store, text("sohne")).await, [organization.id]);
    assert_eq!(found(&*store, text("zoe")).await, [zoe.id]);
    assert_eq!(found(&*store, text("X.ORG")).await, [eve.id]);
    assert_eq!(found(&*store, text("the  fair likes")).await, [ada.id]);
    assert_eq!(found(&*store, text("030 1234567")).await, [zoe.id]);
    assert_eq!(found(&*store, text("(30) 1234-5")).await, [zoe.id]);
    assert_eq!(found(&*store, text("ada")).await, [ada.id, eve.id, zoe.id]);
    assert_eq!(found(&*store, text("nobody")).await, []);
    assert_eq!(found(&*store, text(" ")).await.len(), 4);
}

pub async fn signs_of_patterns_are_only_signs(store: AnyStore) {
    let [_, ada, eve, _] = store_four(&*store).await;
    assert_eq!(found(&*store, text("100%")).await, [ada.id]);
    assert_eq!(found(&*store, text("e_h")).await, [eve.id]);
    for pattern in ["%", "a_a", "\\", "[a]", "*"] {
        let expected = if pattern == "%" { vec![ada.id] } else { Vec::new() };
        assert_eq!(found(&*store, text(pattern)).await, expected, "{pattern}");
    }
}

pub async fn deleted_contacts_are_hidden_unless_asked_for(store: AnyStore) {
    let (ada, eve) = (contact(1, with_label(person("Ada King"), "VIP")), contact(2, person("Eve Hill")));
    let deleted = edited(&ada, |contact| contact.deleted = Some(time(9)));
    write(&*store, vec![create(&ada), create(&eve), replace(&deleted, &ada.version)]).await.unwrap();
    let with = |deleted| ContactQuery { deleted, ..ContactQuery::default() };
    assert_eq!(found(&*store, with(DeletedContacts::Hidden)).await, [eve.id]);
    assert_eq!(found(&*store, with(DeletedContacts::Included)).await, [ada.id, eve.id]);
    assert_eq!(found(&*store, with(DeletedContacts::Only)).await, [ada.id]);
    let labelled = ContactQuery { label: Some("VIP".into()), ..with(DeletedContacts::Only) };
    assert_eq!(found(&*store, labelled).await, [ada.id]);
}

async fn pages(store: &dyn Store, order: ContactOrder) -> Vec<ContactId> {
    let mut listed = Vec::new();
    loop {
        let query = ContactQuery { after: listed.last().copied(), limit: Some(3), order, ..ContactQuery::default() };
        let page = found(store, query).await;
        listed.extend(&page);
        if page.len() < 3 {
            return listed;
        }
    }
}

pub async fn pages_follow_each_other_by_id(store: AnyStore) {
    let contacts: Vec<Contact> = (0..7).map(|number| contact(number, person("Ada King"))).collect();
    write(&*store, contacts.iter().rev().map(create).collect()).await.unwrap();
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    assert_eq!(pages(&*store, ContactOrder::Id).await, ids);
    assert_eq!(found(&*store, ContactQuery { limit: Some(0), ..ContactQuery::default() }).await, []);
}

pub async fn pages_follow_each_other_by_name(store: AnyStore) {
    // Equal names stand in the order of their ids, also across the border of two pages.
    let names = ["Zoe Adams", "Éva adams", "Ben Adams", "Ben Adams", "Ben Adams", "", "Ann Zimmer"];
    let mut cards: Vec<Card> = names.map(person).to_vec();
    cards.push(Card::organization("Bakery"));
    let contacts: Vec<Contact> = (0..).zip(cards).map(|(number, card)| contact(number, card)).collect();
    write(&*store, contacts.iter().map(create).collect()).await.unwrap();
    let expected = [5, 2, 3, 4, 1, 0, 7, 6].map(contact_id);
    assert_eq!(pages(&*store, ContactOrder::Name).await, expected);
    let after_nobody =
        ContactQuery { after: Some(contact_id(77)), order: ContactOrder::Name, ..ContactQuery::default() };
    assert_eq!(found(&*store, after_nobody).await, []);
}

pub async fn words_occur_in_any_value_and_phrases_in_one(store: AnyStore) {
    let [_, ada, eve, zoe] = store_four(&*store).await;
    assert_eq!(found(&*store, text("cotton king")).await, [ada.id]);
    assert_eq!(found(&*store, text("\"king ada\"")).await, []);
    assert_eq!(found(&*store, text("\"ada king\" FAIR")).await, [ada.id]);
    assert_eq!(found(&*store, text("adams 030 1234567")).await, [zoe.id]);
    assert_eq!(found(&*store, text("adams 030 7654321")).await, []);
    assert_eq!(found(&*store, text("a ad da")).await, [ada.id, eve.id, zoe.id]);
    assert_eq!(found(&*store, text("zo")).await, [zoe.id]);
    assert_eq!(found(&*store, text("xq")).await, []);
    assert_eq!(found(&*store, text("\"")).await, []);
}

pub async fn what_was_edited_is_found_by_what_it_says_now(store: AnyStore) {
    let ada = contact(1, person("Ada King"));
    write(&*store, vec![create(&ada)]).await.unwrap();
    let married = edited(&ada, |contact| {
        contact.card = person("Ada Lovelace");
        contact.card.as_person_mut().unwrap().nicknames.push("Countess".into());
        contact.card.custom.insert("Price list".into(), "Retail".into());
    });
    write(&*store, vec![replace(&married, &ada.version)]).await.unwrap();
    for (text_of, expected) in
        [("king", vec![]), ("lovelace", vec![ada.id]), ("countess", vec![ada.id]), ("ada retail", vec![ada.id])]
    {
        assert_eq!(found(&*store, text(text_of)).await, expected, "{text_of}");
    }
    // Twice in one commit: the last counts.
    let once = edited(&married, |contact| contact.card = person("Ada Byron"));
    let twice = edited(&once, |contact| contact.card = person("Augusta Byron"));
    write(&*store, vec![replace(&once, &married.version), replace(&twice, &once.version)]).await.unwrap();
    assert_eq!(found(&*store, text("ada byron")).await, []);
    assert_eq!(found(&*store, text("augusta")).await, [ada.id]);
    let deleted = edited(&twice, |contact| contact.deleted = Some(time(9)));
    write(&*store, vec![replace(&deleted, &twice.version)]).await.unwrap();
    let bin = ContactQuery { deleted: DeletedContacts::Only, ..text("augusta") };
    assert_eq!((found(&*store, text("augusta")).await, found(&*store, bin).await), (vec![], vec![ada.id]));
}

/// So many that the way to them is another one than for a few.
pub async fn more_than_a_few_are_found_in_order_and_in_pages(store: AnyStore) {
    let name = |number: u32| format!("Crowd {:04}", (number * 7919) % 1500);
    let contacts: Vec<Contact> = (0..1500).map(|number| contact(number, person(&name(number)))).collect();
    for piece in contacts.chunks(500) {
        write(&*store, piece.iter().map(create).collect()).await.unwrap();
    }
    let mut expected: Vec<(String, ContactId)> = (0..).zip(&contacts).map(|(n, one)| (name(n), one.id)).collect();
    expected.sort();
    let expected: Vec<ContactId> = expected.into_iter().map(|(_, id)| id).collect();
    let by_name = ContactQuery { order: ContactOrder::Name, ..text("crowd") };
    assert_eq!(found(&*store, by_name.clone()).await, expected);
    let page = ContactQuery { after: Some(expected[699]), limit: Some(40), ..by_name.clone() };
    assert_eq!(found(&*store, page).await, expected[700..740]);
    assert_eq!(found(&*store, ContactQuery { limit: Some(2), ..text("crowd 0007") }).await.len(), 1);
    assert_eq!(found(&*store, ContactQuery { limit: Some(2), ..text("cr") }).await.len(), 2);
}

fn filter(conditions: &[&str]) -> Filter {
    Filter { text: None, conditions: conditions.iter().map(|text| text.parse().expect("a condition")).collect() }
}

pub async fn every_list_is_the_same_in_either_direction_and_any_order(store: AnyStore) {
    let mut contacts: Vec<Contact> = (0..9).map(|number| contact(number, person("Ada King"))).collect();
    for (place, one) in contacts.iter_mut().enumerate() {
        // Some are equal, so that the id decides.
        one.created = time((place as i64 * 5) % 3);
        one.updated = time(10 + (place as i64 * 7) % 4);
        if place % 2 == 0 {
            one.card.notes = Some("even".into());
        }
    }
    write(&*store, contacts.iter().map(create).collect()).await.unwrap();
    for order in [ContactOrder::Id, ContactOrder::Name, ContactOrder::Created, ContactOrder::Updated] {
        for narrowed in [Filter::default(), filter(&["notes=even"])] {
            let mut expected: Vec<&Contact> = contacts.iter().filter(|one| narrowed.selects(one)).collect();
            expected.sort_by_key(|one| (Place::of(one, order), one.id));
            let mut expected: Vec<ContactId> = expected.into_iter().map(|one| one.id).collect();
            for direction in [ListDirection::Ascending, ListDirection::Descending] {
                let filters = vec![narrowed.clone()];
                let whole = ContactQuery { order, direction, filters, ..ContactQuery::default() };
                assert_eq!(found(&*store, whole.clone()).await, expected, "{order:?} {direction:?}");
                let mut listed: Vec<ContactId> = Vec::new();
                while listed.len() < expected.len() {
                    let page = ContactQuery { after: listed.last().copied(), limit: Some(2), ..whole.clone() };
                    let page = found(&*store, page).await;
                    assert!(!page.is_empty(), "{order:?} {direction:?} ends at {}", listed.len());
                    listed.extend(page);
                }
                assert_eq!(listed, expected, "{order:?} {direction:?} in pages");
                expected.reverse();
            }
        }
    }
}

pub async fn a_page_goes_on_where_the_last_contact_stood(store: AnyStore) {
    let contacts: Vec<Contact> = (0..6)
        .map(|number| {
            let mut one = contact(number, person("Ada King"));
            one.updated = time(number as i64);
            one
        })
        .collect();
    write(&*store, contacts.iter().map(create).collect()).await.unwrap();
    let order = ContactOrder::Updated;
    let page = ContactQuery { order, limit: Some(3), ..ContactQuery::default() };
    let last = store.find_contacts(&page).await.unwrap().pop().unwrap();
    let stood_at = Some(Place::of(&last, order));
    // Meanwhile it is edited, and stands at the end.
    let later = edited(&last, |contact| contact.updated = time(99));
    write(&*store, vec![replace(&later, &last.version)]).await.unwrap();
    let next = ContactQuery { after: Some(last.id), stood_at, ..page };
    assert_eq!(found(&*store, next).await, [3, 4, 5].map(contact_id));
}

pub async fn filters_and_columns_narrow_alike(store: AnyStore) {
    let [organization, ada, eve, zoe] = store_four(&*store).await;
    let of_organization = format!("organization={}", organization.id);
    for (conditions, expected) in [
        (vec!["labels=Customer"], vec![organization.id, ada.id]),
        (vec!["labels!=Customer"], vec![eve.id, zoe.id]),
        (vec!["owner=SALES@example.org"], vec![ada.id]),
        (vec!["owner="], vec![organization.id, eve.id, zoe.id]),
        (vec![of_organization.as_str()], vec![ada.id, eve.id]),
        (vec![of_organization.as_str(), "notes="], vec![eve.id]),
        (vec!["phones~0301234"], vec![zoe.id]),
        (vec!["kind=organization"], vec![organization.id]),
        (vec!["created>=1970-01-01", "labels=Customer", "notes~cotton"], vec![ada.id]),
        (vec!["created<1970-01-01"], vec![]),
        (vec!["updated>=2100-01-01"], vec![]),
    ] {
        let narrowed = filter(&conditions);
        let query = ContactQuery { filters: vec![narrowed.clone()], ..ContactQuery::default() };
        assert_eq!(found(&*store, query.clone()).await, expected, "{conditions:?}");
        let four = [&organization, &ada, &eve, &zoe];
        let by_value: Vec<ContactId> = four.into_iter().filter(|one| narrowed.selects(one)).map(|one| one.id).collect();
        assert_eq!(by_value, expected, "{conditions:?} by the value");
        let one = ContactQuery { limit: Some(1), ..query };
        assert_eq!(found(&*store, one).await, expected[..expected.len().min(1)], "{conditions:?}");
    }
    let texts = [Some("adams".to_owned()), Some("zoe".to_owned())];
    let filters = texts.map(|text| Filter { text, ..Filter::default() }).to_vec();
    assert_eq!(found(&*store, ContactQuery { filters, ..ContactQuery::default() }).await, [zoe.id]);
}

pub async fn people_are_counted_per_organization(store: AnyStore) {
    let [organization, _, eve, _] = store_four(&*store).await;
    let ids = [organization.id, contact_id(77), eve.id, organization.id];
    assert_eq!(store.people_counts(&ids).await.unwrap(), [(organization.id, 2)].into_iter().collect());
    let deleted = edited(&eve, |contact| contact.deleted = Some(time(9)));
    write(&*store, vec![replace(&deleted, &eve.version)]).await.unwrap();
    assert_eq!(store.people_counts(&ids).await.unwrap(), [(organization.id, 1)].into_iter().collect());
}
