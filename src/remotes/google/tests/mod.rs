//! The codec and the client together: tables of conversions, laws, recorded answers, scripted conversations.

mod client;
mod conversion;
mod fixtures;
mod laws;
mod photos;
mod recompose;
mod refusals;
mod silence;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::domain::contact::{Address, Card, Email, Event, Im, OrganizationRef, Phone, Relation, Website};
use crate::domain::id::{GroupId, LinkToken, Marker};
use crate::domain::name::Name;
use crate::remotes::Tag;

use super::wire;

/// Our tag, as of one write.
fn tag(marker: u64) -> Tag {
    Tag { token: LinkToken::new("0123abcd"), epoch: 1, marker: Marker(marker) }
}

fn groups(names: &[&str]) -> BTreeSet<GroupId> {
    names.iter().map(|name| GroupId::new(format!("contactGroups/{name}"))).collect()
}

/// The wire form of an answered person.
fn kept(person: Value) -> Value {
    wire::record(&person).expect("a person").wire
}

/// A person with something in every field, as Google answers it.
fn answered() -> Value {
    let source = json!({"source": {"type": "CONTACT", "id": "1000000000000001"}});
    let first = json!({"primary": true, "source": {"type": "CONTACT", "id": "1000000000000001"}});
    json!({
        "resourceName": "people/c1152921504606846977",
        "etag": "%EgYBAgMJNy4aBAECBQciDG9iTEQxT1gyQnhnPQ==",
        "metadata": {"objectType": "PERSON", "sources": [
            {"type": "PROFILE", "id": "108", "etag": "#profile"},
            {"type": "CONTACT", "id": "1000000000000001", "etag": "#obLD1OX2Bxg=",
             "updateTime": "2025-03-04T05:06:07.123456Z"}]},
        "names": [
            {"metadata": first, "displayName": "Dr. Ada B. King", "displayNameLastFirst": "King, Dr. Ada B.",
             "unstructuredName": "Dr. Ada B. King", "givenName": "Ada", "middleName": "B.", "familyName": "King",
             "honorificPrefix": "Dr.", "phoneticGivenName": "eida"},
            {"metadata": {"source": {"type": "PROFILE", "id": "108"}}, "givenName": "Somebody"}],
        "nicknames": [{"metadata": first, "value": "Adie", "type": "SHORT_NAME"}],
        "emailAddresses": [
            {"metadata": first, "value": "ada@example.org", "type": "work", "formattedType": "Work",
             "displayName": "Ada K."},
            {"metadata": source, "value": "ada@home.example", "type": "Boat", "formattedType": "Boat"}],
        "phoneNumbers": [
            {"metadata": first, "value": "+49 30 1234567", "canonicalForm": "+49301234567", "type": "work",
             "formattedType": "Work"},
            {"metadata": source, "value": "+49 170 7654321", "canonicalForm": "+491707654321", "type": "mobile",
             "formattedType": "Mobile"}],
        "addresses": [
            {"metadata": first, "type": "work", "formattedType": "Work", "formattedValue": "Linden 1\nPO 5\nBerlin",
             "poBox": "PO 5", "streetAddress": "Linden 1", "extendedAddress": "2nd floor", "city": "Berlin",
             "region": "BE", "postalCode": "10117", "country": "Germany", "countryCode": "DE"},
            {"metadata": source, "type": "home", "formattedValue": "Somewhere 5\nOtherwhere"}],
        "organizations": [
            {"metadata": first, "name": "Former Ltd", "title": "Clerk", "endDate": {"year": 2001, "month": 1, "day": 1}},
            {"metadata": source, "name": "Example GmbH", "title": "CTO", "department": "Engines", "current": true,
             "jobDescription": "thinks", "type": "work", "formattedType": "Work"}],
        "birthdays": [{"metadata": first, "date": {"month": 5, "day": 17}, "text": "17 May"}],
        "events": [
            {"metadata": first, "date": {"year": 2015, "month": 6, "day": 1}, "type": "anniversary"},
            {"metadata": source, "date": {"year": 2010}, "type": "other"}],
        "biographies": [{"metadata": first, "value": "Likes engines.", "contentType": "TEXT_PLAIN"}],
        "urls": [{"metadata": first, "value": "example.org", "type": "homePage", "formattedType": "Home Page"}],
        "relations": [{"metadata": first, "person": "Charles", "type": "friend", "formattedType": "Friend"}],
        "imClients": [{"metadata": first, "username": "ada", "protocol": "jabber", "formattedProtocol": "Jabber"}],
        "userDefined": [
            {"metadata": first, "key": "Price list", "value": "Retail"},
            {"metadata": source, "key": "Price list", "value": "Doubled"}],
        "externalIds": [{"metadata": first, "value": "77", "type": "customer"}],
        "clientData": [
            {"metadata": first, "key": "crm", "value": "4711"},
            {"metadata": source, "key": "contactsync", "value": "v1.0123abcd.1.6"}],
        "memberships": [
            {"metadata": source, "contactGroupMembership": {"contactGroupId": "myContacts",
             "contactGroupResourceName": "contactGroups/myContacts"}},
            {"metadata": source, "contactGroupMembership": {"contactGroupId": "5f",
             "contactGroupResourceName": "contactGroups/5f"}},
            {"metadata": {"source": {"type": "DOMAIN_PROFILE"}}, "domainMembership": {"inViewerDomain": true}}],
        "photos": [{"metadata": first, "url": "https://example.org/p=s100", "default": true}],
    })
}

/// What [`answered`] says.
fn said() -> Card {
    let text = |text: &str| Some(text.to_owned());
    let email = |value: &str, label: &str, primary| Email { value: value.to_owned(), label: text(label), primary };
    let phone = |value: &str, label: &str, primary| Phone { value: value.to_owned(), label: text(label), primary };
    let mut card = Card::person();
    let person = card.as_person_mut().expect("a person");
    person.name =
        Name { prefix: text("Dr."), given: text("Ada"), middle: text("B."), family: text("King"), suffix: None };
    person.organization = Some(OrganizationRef { id: None, name: "Example GmbH".to_owned() });
    person.job_title = text("CTO");
    person.department = text("Engines");
    person.birthday = "--05-17".parse().ok();
    person.events = vec![Event { label: text("anniversary"), date: "2015-06-01".parse().expect("date") }];
    person.ims = vec![Im { value: "ada".to_owned(), protocol: text("jabber"), label: None }];
    person.relations = vec![Relation { value: "Charles".to_owned(), label: text("friend") }];
    person.nicknames = vec!["Adie".to_owned()];
    card.emails = vec![email("ada@example.org", "work", true), email("ada@home.example", "Boat", false)];
    card.phones = vec![phone("+49 30 1234567", "work", true), phone("+49 170 7654321", "mobile", false)];
    card.addresses = vec![
        Address {
            label: text("work"),
            street: text("Linden 1"),
            extended: text("2nd floor"),
            city: text("Berlin"),
            region: text("BE"),
            postal_code: text("10117"),
            country: text("Germany"),
        },
        Address { label: text("home"), street: text("Somewhere 5\nOtherwhere"), ..Address::default() },
    ];
    card.websites = vec![Website { value: "example.org".to_owned(), label: text("homePage") }];
    card.notes = text("Likes engines.");
    card.custom.insert("Price list".to_owned(), "Retail".to_owned());
    card
}
