//! Reading records and composing new ones.

use serde_json::json;

use super::super::{GoogleCodec, Mapping, wire};
use super::{answered, groups, kept, said, tag};
use crate::domain::contact::{Card, Kind, Subject};
use crate::remotes::{Codec, Presence};

fn mapped(rules: &[(&str, &str)]) -> GoogleCodec {
    let rules = rules.iter().map(|(field, target)| (field.parse().expect("field"), target.parse().expect("target")));
    GoogleCodec::new(Mapping::new(rules).expect("a map"))
}

#[test]
fn an_answer_becomes_a_record_without_what_google_computes() {
    let record = wire::record(&answered()).expect("a person");
    assert_eq!(record.id.as_str(), "people/c1152921504606846977");
    assert_eq!(record.etag.expect("etag").as_str(), "#obLD1OX2Bxg=");
    assert_eq!(record.time.expect("time").to_string(), "2025-03-04T05:06:07.123456Z");
    assert_eq!(record.tag, Some(tag(6)));
    assert_eq!(record.groups, groups(&["myContacts", "5f"]));
    assert_eq!(record.presence, Presence::Present);
    assert_eq!(
        record.wire["names"],
        json!([{"givenName": "Ada", "middleName": "B.", "familyName": "King", "honorificPrefix": "Dr.",
                "phoneticGivenName": "eida"}])
    );
    assert_eq!(record.wire["metadata"]["sources"].as_array().expect("sources").len(), 1);
    let text = record.wire.to_string();
    for computed in [
        "formattedType",
        "formattedProtocol",
        "canonicalForm",
        "\"primary\"",
        "photos",
        "domainMembership",
        "contactGroupId",
        "displayNameLastFirst",
        "PROFILE",
    ] {
        assert!(!text.contains(computed), "{computed} in {text}");
    }
    assert!(text.contains("\"displayName\":\"Ada K.\""), "the display name of an e-mail is the user's: {text}");
}

#[test]
fn a_tombstone_is_a_record_without_content() {
    let record = wire::record(&json!({
        "resourceName": "people/c2", "metadata": {"deleted": true, "previousResourceNames": ["people/c1"]}}));
    let record = record.expect("a person");
    assert_eq!((record.presence, record.wire), (Presence::Deleted, json!({})));
    assert_eq!(record.former_ids.len(), 1);
    assert!(wire::record(&json!({"names": []})).is_err());
}

#[test]
fn every_field_is_read() {
    let reading = GoogleCodec::default().read(&kept(answered()), Kind::Person);
    assert_eq!(reading.card, said());
    assert_eq!(reading.groups, groups(&["myContacts", "5f"]));
}

#[test]
fn a_company_without_a_personal_name_is_an_organization() {
    let codec = GoogleCodec::default();
    for (person, kind) in [
        (json!({"organizations": [{"name": "Example GmbH"}]}), Kind::Organization),
        (json!({"organizations": [{"name": "Old"}, {"title": "CTO", "current": true}]}), Kind::Person),
        (json!({"organizations": [{"name": "Example GmbH"}], "names": [{"givenName": "Ada"}]}), Kind::Person),
        (json!({"organizations": [{"name": "Example GmbH"}], "names": [{"unstructuredName": "Ada"}]}), Kind::Person),
        (
            json!({"organizations": [{"name": "Example GmbH"}], "names": [{"phoneticGivenName": "a"}]}),
            Kind::Organization,
        ),
        (json!({"emailAddresses": [{"value": "a@example.org"}]}), Kind::Person),
        (json!({}), Kind::Person),
    ] {
        assert_eq!(codec.kind(&person), kind, "{person}");
    }
    let wire = json!({"organizations": [{"name": "Example GmbH", "title": "CTO"}],
        "emailAddresses": [{"value": "info@example.org"}]});
    let card = codec.read(&wire, Kind::Organization).card;
    assert_eq!(card.display_name(), "Example GmbH");
    assert_eq!(card.emails.len(), 1);
}

#[test]
fn odd_items_are_left_out_of_the_card() {
    let wire = json!({
        "names": [{"unstructuredName": "Ada King"}], "emailAddresses": [{"type": "work"}, 7, {"value": " a@b.example "}],
        "phoneNumbers": {}, "events": [{"date": {"month": 5}}], "userDefined": [{"key": "K"}, {"value": "V"}],
        "addresses": [{"poBox": "5"}, {"countryCode": "DE"}], "imClients": [{"protocol": "jabber"}]});
    let card = GoogleCodec::default().read(&wire, Kind::Person).card;
    let person = card.as_person().expect("a person");
    assert_eq!(person.name.family.as_deref(), Some("King"));
    assert_eq!(card.emails.iter().map(|email| email.value.as_str()).collect::<Vec<_>>(), ["a@b.example"]);
    assert_eq!(card.addresses.len(), 1);
    assert_eq!(card.addresses[0].country.as_deref(), Some("DE"));
    assert!(person.events.is_empty() && person.ims.is_empty() && card.custom.is_empty() && card.phones.is_empty());
}

#[test]
fn the_marked_item_is_primary_else_the_first() {
    let codec = GoogleCodec::default();
    let primaries = |wire| {
        let card = codec.read(&wire, Kind::Person).card;
        card.emails.iter().map(|email| email.primary).collect::<Vec<_>>()
    };
    assert_eq!(primaries(json!({"emailAddresses": [{"value": "a"}, {"value": "b"}]})), [true, false]);
    let marked = json!({"emailAddresses": [{"value": "a"}, {"value": "b", "metadata": {"sourcePrimary": true}}]});
    assert_eq!(primaries(marked), [false, true]);
}

#[test]
fn a_new_record_says_what_the_card_says() {
    let mut card = said();
    card.emails.reverse();
    card.phones[1].label = Some("Mobile".to_owned());
    card.addresses.truncate(1);
    card.addresses[0].country = Some("de".to_owned());
    card.notes = Some(" Likes\r\nengines.\u{7} ".to_owned());
    let wire = GoogleCodec::default().compose(&card, &groups(&["5f", "myContacts"]), &tag(1));
    assert_eq!(
        wire,
        json!({
            "names": [{"givenName": "Ada", "middleName": "B.", "familyName": "King", "honorificPrefix": "Dr."}],
            "nicknames": [{"value": "Adie"}],
            "emailAddresses": [
                {"value": "ada@example.org", "type": "work", "metadata": {"sourcePrimary": true}},
                {"value": "ada@home.example", "type": "Boat"}],
            "phoneNumbers": [{"value": "+49 30 1234567", "type": "work"}, {"value": "+49 170 7654321", "type": "mobile"}],
            "addresses": [{"type": "work", "streetAddress": "Linden 1", "extendedAddress": "2nd floor",
                "city": "Berlin", "region": "BE", "postalCode": "10117", "country": "de", "countryCode": "DE"}],
            "organizations": [{"name": "Example GmbH", "title": "CTO", "department": "Engines", "current": true}],
            "birthdays": [{"date": {"month": 5, "day": 17}}],
            "events": [{"date": {"year": 2015, "month": 6, "day": 1}, "type": "anniversary"}],
            "biographies": [{"value": "Likes\nengines.", "contentType": "TEXT_PLAIN"}],
            "urls": [{"value": "example.org", "type": "homePage"}],
            "relations": [{"person": "Charles", "type": "friend"}],
            "imClients": [{"username": "ada", "protocol": "jabber"}],
            "userDefined": [{"key": "Price list", "value": "Retail"}],
            "clientData": [{"key": "contactsync", "value": "v1.0123abcd.1.1"}],
            "memberships": [
                {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/5f"}},
                {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}}],
        })
    );
}

#[test]
fn an_organization_is_a_company_without_names() {
    let mut card = Card::organization("Example GmbH");
    card.websites = said().websites;
    let wire = GoogleCodec::default().compose(&card, &groups(&["myContacts"]), &tag(1));
    assert_eq!(wire["organizations"], json!([{"name": "Example GmbH", "current": true}]));
    assert_eq!(wire.get("names"), None);
    assert_eq!(GoogleCodec::default().kind(&wire), Kind::Organization);
    assert_eq!(GoogleCodec::default().read(&wire, Kind::Organization).card, card);
}

#[test]
fn the_field_map_moves_fields_and_switches_them_off() {
    let codec = mapped(&[
        ("custom.Price list", "userDefined:Tariff"),
        ("notes", "off"),
        ("emails", "off"),
        ("owner", "userDefined:Owner"),
    ]);
    let mut card = said();
    card.owner = Some("sales@example.org".to_owned());
    let wire = codec.compose(&card, &groups(&["myContacts"]), &tag(1));
    assert_eq!(wire.get("biographies"), None);
    assert_eq!(wire.get("emailAddresses"), None);
    assert_eq!(
        wire["userDefined"],
        json!([{"key": "Tariff", "value": "Retail"}, {"key": "Owner", "value": "sales@example.org"}])
    );
    let read = codec.read(&wire, Kind::Person).card;
    assert_eq!((read.notes, read.emails.len(), &read.custom), (None, 0, &card.custom));
    assert_eq!(read.owner, card.owner);
    let kept = codec.read(&kept(answered()), Kind::Person).card;
    assert!(kept.notes.is_none() && kept.emails.is_empty());
    assert_eq!(kept.custom, Default::default(), "the key of a mapped field is not ours");
}

#[test]
fn a_moved_field_leaves_its_usual_place_alone() {
    let codec = mapped(&[("notes", "userDefined:Remarks"), ("job_title", "userDefined:Role")]);
    let wire = kept(answered());
    let from = codec.read(&wire, Kind::Person).card;
    assert_eq!((from.notes.as_deref(), from.as_person().expect("a person").job_title.as_deref()), (None, None));
    let mut to = from.clone();
    to.notes = Some("Ours.".to_owned());
    to.as_person_mut().expect("a person").job_title = Some("Countess".to_owned());
    let changed = codec.recompose(&wire, &from, &to, None, &tag(7)).expect("a change");
    assert_eq!(changed.mask, ["userDefined", "clientData"]);
    assert_eq!(codec.read(&changed.wire, Kind::Person).card, to);
}

#[test]
fn what_google_cannot_hold_is_said_and_not_sent() {
    let long = "x".repeat(1_025);
    let mut card = said();
    card.emails[1].value = format!("{long}@example.org");
    card.notes = Some("n".repeat(30_001));
    card.custom.insert("Long".to_owned(), long.clone());
    card.owner = Some("sales@example.org".to_owned());
    let person = card.as_person_mut().expect("a person");
    person.job_title = Some(long);
    let codec = mapped(&[("nicknames", "off")]);
    let losses = codec.losses(&card);
    // The owner is the store's own; nobody expects it in Google.
    for words in ["1 of the emails", "notes", "\"Long\"", "job_title"] {
        assert_eq!(losses.iter().filter(|loss| loss.contains(words)).count(), 1, "{words} in {losses:?}");
    }
    assert_eq!(losses.len(), 4, "{losses:?}");
    let wire = codec.compose(&card, &groups(&["myContacts"]), &tag(1));
    assert_eq!(wire["emailAddresses"].as_array().expect("a list").len(), 1);
    assert_eq!(wire["organizations"][0].get("title"), None);
    assert_eq!(wire["userDefined"].as_array().expect("a list").len(), 1);
    assert_eq!(wire.get("biographies"), None);
    assert!(codec.losses(&Card::person()).is_empty());
}

#[test]
fn an_industry_stays_in_the_store_unless_it_is_mapped() {
    let mut card = Card::organization("Example GmbH");
    if let Subject::Organization(organization) = &mut card.subject {
        organization.industry = Some("Engines".to_owned());
    }
    assert_eq!(GoogleCodec::default().losses(&card), ["the industry stays in the store"]);
    let codec = mapped(&[("industry", "userDefined:Branch")]);
    assert!(codec.losses(&card).is_empty());
    let wire = codec.compose(&card, &groups(&[]), &tag(1));
    assert_eq!(wire["userDefined"], json!([{"key": "Branch", "value": "Engines"}]));
    assert_eq!(codec.read(&wire, Kind::Organization).card, card);
}

#[test]
fn a_record_in_no_group_is_put_into_my_contacts() {
    let wire = GoogleCodec::default().compose(&said(), &groups(&[]), &tag(1));
    assert_eq!(wire["memberships"].as_array().expect("a list").len(), 1);
}
