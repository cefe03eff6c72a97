//! Lists of contacts.

use contactsync::domain::contact::{Card, Contact, Kind};
use contactsync::domain::id::ContactId;
use contactsync::store::{ContactOrder, ContactQuery, DeletedContacts, Store};

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

pub async fn people_are_counted_per_organization(store: AnyStore) {
    let [organization, _, eve, _] = store_four(&*store).await;
    let ids = [organization.id, contact_id(77), eve.id, organization.id];
    assert_eq!(store.people_counts(&ids).await.unwrap(), [(organization.id, 2)].into_iter().collect());
    let deleted = edited(&eve, |contact| contact.deleted = Some(time(9)));
    write(&*store, vec![replace(&deleted, &eve.version)]).await.unwrap();
    assert_eq!(store.people_counts(&ids).await.unwrap(), [(organization.id, 1)].into_iter().collect());
}
