//! One change of a card at a time: what it does to the record, and what it leaves alone.

use serde_json::{Value, json};

use super::super::GoogleCodec;
use super::{answered, groups, kept, said, tag};
use crate::domain::contact::{Card, Email, Kind, Person, Phone, Website};
use crate::remotes::{Codec, Recomposed};

fn change(edit: impl FnOnce(&mut Card)) -> Recomposed {
    change_of(&kept(answered()), edit)
}

fn change_of(wire: &Value, edit: impl FnOnce(&mut Card)) -> Recomposed {
    recompose(wire, edit).expect("something to send")
}

fn recompose(wire: &Value, edit: impl FnOnce(&mut Card)) -> Option<Recomposed> {
    let codec = GoogleCodec::default();
    let from = codec.read(wire, Kind::Person).card;
    let mut to = from.clone();
    edit(&mut to);
    codec.recompose(wire, &from, &to, None, &tag(7))
}

fn person(card: &mut Card) -> &mut Person {
    card.as_person_mut().expect("a person")
}

/// Checks one change: the mask, and the changed list.
fn check(field: &str, edit: impl FnOnce(&mut Card), expected: Value) {
    let changed = change(edit);
    assert_eq!(changed.mask.iter().filter(|name| *name != "clientData").collect::<Vec<_>>(), [field]);
    let list = changed.wire.get(field).cloned().unwrap_or(json!([]));
    assert_eq!(list, expected, "{field}");
    let mut before = kept(answered());
    for field in [field, "clientData"] {
        before[field] = changed.wire.get(field).cloned().unwrap_or_default();
    }
    let mut after = changed.wire;
    after[field] = before[field].clone();
    assert_eq!(after, before, "everything beside {field} is as it was");
}

#[test]
fn a_changed_name_keeps_its_other_parts() {
    check(
        "names",
        |card| {
            person(card).name.family = Some("Lovelace".to_owned());
            person(card).name.prefix = None;
        },
        json!([{"givenName": "Ada", "middleName": "B.", "familyName": "Lovelace", "phoneticGivenName": "eida"}]),
    );
}

#[test]
fn a_whole_name_is_split_when_a_part_changes() {
    let wire = json!({"names": [{"unstructuredName": "Ada King"}]});
    let changed = change_of(&wire, |card| person(card).name.family = Some("Lovelace".to_owned()));
    assert_eq!(changed.wire["names"], json!([{"givenName": "Ada", "familyName": "Lovelace"}]));
}

#[test]
fn an_edited_email_keeps_its_display_name_and_its_place() {
    check(
        "emailAddresses",
        |card| card.emails[0].value = "king@example.org".to_owned(),
        json!([{"value": "king@example.org", "type": "work", "displayName": "Ada K."},
            {"value": "ada@home.example", "type": "Boat"}]),
    );
    check(
        "emailAddresses",
        |card| card.emails[0].label = Some("Home".to_owned()),
        json!([{"value": "ada@example.org", "type": "home", "displayName": "Ada K."},
            {"value": "ada@home.example", "type": "Boat"}]),
    );
    check(
        "emailAddresses",
        |card| card.emails[1].label = None,
        json!([{"value": "ada@example.org", "type": "work", "displayName": "Ada K."}, {"value": "ada@home.example"}]),
    );
}

#[test]
fn items_are_added_and_removed() {
    check(
        "phoneNumbers",
        |card| {
            card.phones.push(Phone { value: "0800 1".to_owned(), label: Some("Hotline".to_owned()), primary: false })
        },
        json!([{"value": "+49 30 1234567", "type": "work"}, {"value": "+49 170 7654321", "type": "mobile"},
            {"value": "0800 1", "type": "Hotline"}]),
    );
    check("relations", |card| person(card).relations.clear(), json!([]));
    check(
        "nicknames",
        |card| person(card).nicknames = vec!["Countess".to_owned()],
        json!([{"value": "Countess", "type": "SHORT_NAME"}]),
    );
    check(
        "imClients",
        |card| person(card).ims[0].protocol = Some("XMPP".to_owned()),
        json!([{"username": "ada", "protocol": "XMPP"}]),
    );
    check(
        "urls",
        |card| card.websites.push(Website { value: "https://ada.example".to_owned(), label: None }),
        json!([{"value": "example.org", "type": "homePage"}, {"value": "https://ada.example"}]),
    );
}

#[test]
fn a_new_preference_is_written_as_order_and_mark() {
    check(
        "emailAddresses",
        |card| {
            card.emails[0].primary = false;
            card.emails[1].primary = true;
        },
        json!([{"value": "ada@home.example", "type": "Boat", "metadata": {"sourcePrimary": true}},
            {"value": "ada@example.org", "type": "work", "displayName": "Ada K."}]),
    );
}

#[test]
fn an_edited_address_keeps_its_po_box_and_loses_its_text() {
    check(
        "addresses",
        |card| card.addresses[0].street = Some("Linden 2".to_owned()),
        json!([
            {"type": "work", "poBox": "PO 5", "streetAddress": "Linden 2", "extendedAddress": "2nd floor",
             "city": "Berlin", "region": "BE", "postalCode": "10117", "country": "Germany", "countryCode": "DE"},
            {"type": "home", "formattedValue": "Somewhere 5\nOtherwhere"}]),
    );
    check(
        "addresses",
        |card| {
            card.addresses[0].country = Some("Austria".to_owned());
            card.addresses[1].city = Some("Linz".to_owned());
        },
        json!([
            {"type": "work", "poBox": "PO 5", "streetAddress": "Linden 1", "extendedAddress": "2nd floor",
             "city": "Berlin", "region": "BE", "postalCode": "10117", "country": "Austria"},
            {"type": "home", "streetAddress": "Somewhere 5\nOtherwhere", "city": "Linz"}]),
    );
}

#[test]
fn an_address_whose_country_google_spells_otherwise_is_still_the_same() {
    let codec = GoogleCodec::default();
    let (mut from, wire) = (said(), kept(answered()));
    from.addresses[0].country = Some("DE".to_owned());
    let mut to = from.clone();
    to.addresses[0].street = Some("Linden 2".to_owned());
    let changed = codec.recompose(&wire, &from, &to, None, &tag(7)).expect("a change");
    let addresses = changed.wire["addresses"].as_array().expect("a list");
    assert_eq!((addresses.len(), &addresses[0]["streetAddress"]), (2, &json!("Linden 2")));
}

#[test]
fn the_company_of_a_person_is_the_current_entry() {
    let former = json!({"name": "Former Ltd", "title": "Clerk", "endDate": {"year": 2001, "month": 1, "day": 1}});
    check(
        "organizations",
        |card| {
            person(card).job_title = None;
            if let Some(organization) = &mut person(card).organization {
                organization.name = "Renamed GmbH".to_owned();
            }
        },
        json!([former, {"name": "Renamed GmbH", "department": "Engines", "current": true, "jobDescription": "thinks",
            "type": "work"}]),
    );
    let wire = json!({"organizations": [{"name": "A", "current": true}, former]});
    let without = change_of(&wire, |card| person(card).organization = None);
    assert_eq!(without.wire["organizations"], json!([former]));
}

#[test]
fn a_company_the_card_never_knew_is_not_overwritten() {
    let codec = GoogleCodec::default();
    let wire = json!({"organizations": [{"name": "Former Ltd"}]});
    let mut to = Card::person();
    person(&mut to).organization =
        Some(crate::domain::contact::OrganizationRef { id: None, name: "New GmbH".to_owned() });
    let changed = codec.recompose(&wire, &Card::person(), &to, None, &tag(7)).expect("a change");
    assert_eq!(changed.wire["organizations"], json!([{"name": "New GmbH", "current": true}, {"name": "Former Ltd"}]));
}

#[test]
fn singletons_are_replaced_and_emptied() {
    check(
        "birthdays",
        |card| person(card).birthday = "1990-05-17".parse().ok(),
        json!([{"date": {"year": 1990, "month": 5, "day": 17}}]),
    );
    check("birthdays", |card| person(card).birthday = None, json!([]));
    check(
        "biographies",
        |card| card.notes = Some("Liked engines.".to_owned()),
        json!([{"value": "Liked engines.", "contentType": "TEXT_PLAIN"}]),
    );
    check("biographies", |card| card.notes = None, json!([]));
}

#[test]
fn dates_we_cannot_express_survive() {
    check(
        "events",
        |card| person(card).events[0].date = "2016-06-01".parse().expect("date"),
        json!([{"date": {"year": 2016, "month": 6, "day": 1}, "type": "anniversary"},
            {"date": {"year": 2010}, "type": "other"}]),
    );
    let wire = json!({"birthdays": [{"text": "in May"}]});
    assert_eq!(recompose(&wire, |_| ()), None);
}

#[test]
fn a_custom_field_that_stands_twice_changes_once() {
    check(
        "userDefined",
        |card| {
            card.custom.insert("Price list".to_owned(), "Trade".to_owned());
            card.custom.insert("Size".to_owned(), "L".to_owned());
        },
        json!([{"key": "Price list", "value": "Trade"}, {"key": "Price list", "value": "Doubled"},
            {"key": "Size", "value": "L"}]),
    );
}

#[test]
fn the_tag_is_replaced_with_every_change_and_others_stay() {
    let changed = change(|card| card.notes = None);
    assert_eq!(changed.mask, ["biographies", "clientData"]);
    assert_eq!(
        changed.wire["clientData"],
        json!([{"key": "crm", "value": "4711"}, {"key": "contactsync", "value": "v1.0123abcd.1.7"}])
    );
}

#[test]
fn what_changes_nothing_at_google_is_not_sent() {
    let wire = kept(answered());
    assert_eq!(recompose(&wire, |_| ()), None);
    assert_eq!(recompose(&wire, |card| card.owner = Some("x".to_owned())), None);
    assert_eq!(recompose(&wire, |card| _ = card.labels.insert("x".to_owned())), None);
    assert_eq!(recompose(&wire, |card| card.emails.reverse()), None, "order alone is no change");
    assert_eq!(recompose(&wire, |card| card.emails[0].value = "ADA@example.org".to_owned()), None);
    assert_eq!(recompose(&wire, |card| card.notes = Some("x".repeat(40_000))), None, "too long to be held");
    assert_eq!(recompose(&wire, |card| card.emails[0].value = "x".repeat(2_000)), None, "too long to be held");
    let doubled = Email { value: "ada@example.org".to_owned(), label: Some("work".to_owned()), primary: false };
    assert_eq!(recompose(&wire, |card| card.emails.push(doubled)), None, "the same thing twice");
}

#[test]
fn an_item_that_is_there_already_is_not_added_again() {
    let codec = GoogleCodec::default();
    let wire = json!({"emailAddresses": [{"value": "A@example.org", "displayName": "A"}]});
    let mut to = Card::person();
    to.emails.push(Email { value: "a@example.org".to_owned(), label: Some("work".to_owned()), primary: true });
    let changed = codec.recompose(&wire, &Card::person(), &to, None, &tag(7)).expect("a change");
    assert_eq!(changed.wire["emailAddresses"], json!([{"value": "A@example.org", "displayName": "A", "type": "work"}]));
    // The old value is edited into one that somebody else has put there meanwhile.
    let wire = json!({"emailAddresses": [{"value": "a@example.org"}, {"value": "b@example.org", "type": "home"}]});
    let (mut from, mut to) = (Card::person(), Card::person());
    from.emails.push(Email { value: "a@example.org".to_owned(), label: None, primary: false });
    to.emails.push(Email { value: "b@example.org".to_owned(), label: None, primary: false });
    let changed = codec.recompose(&wire, &from, &to, None, &tag(7)).expect("a change");
    assert_eq!(changed.wire["emailAddresses"], json!([{"value": "b@example.org"}]));
}

#[test]
fn groups_are_sent_only_when_they_change() {
    let codec = GoogleCodec::default();
    let (wire, card) = (kept(answered()), said());
    let with = |names: &[&str]| codec.recompose(&wire, &card, &card, Some(&groups(names)), &tag(7));
    assert_eq!(with(&["5f", "myContacts"]), None);
    let changed = with(&["myContacts", "77"]).expect("a change");
    assert_eq!(changed.mask, ["clientData", "memberships"]);
    assert_eq!(
        changed.wire["memberships"],
        json!([{"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}},
            {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/77"}}])
    );
}

#[test]
fn a_renamed_organization_changes_its_company_only() {
    let codec = GoogleCodec::default();
    let wire = json!({"organizations": [{"name": "Example GmbH", "title": "kept", "domain": "example.org"}]});
    let (from, to) = (Card::organization("Example GmbH"), Card::organization("Example AG"));
    let changed = codec.recompose(&wire, &from, &to, None, &tag(7)).expect("a change");
    assert_eq!(
        changed.wire["organizations"],
        json!([{"name": "Example AG", "title": "kept", "domain": "example.org"}])
    );
}
