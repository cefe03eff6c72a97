use serde_json::{Value, json};

use super::super::mask::Field;
use super::super::settings::{Mode, Settings};
use super::super::world::{Dice, Extent, World};
use super::items;
use crate::domain::time::Timestamp;

fn shaped_in(mode: Mode, field: Field, sent: Value) -> Result<Vec<Value>, String> {
    let settings = Settings { mode, region: "ES".to_owned(), ..Settings::default() };
    let dice = Dice::new(1);
    let (now, extent) = (Timestamp::EPOCH, Extent::Whole);
    let world = World { now, settings: &settings, dice: &dice, extent, photo_host: "" };
    items(field, sent.as_array().expect("a list"), &world).map_err(|failure| failure.explanation())
}

fn shaped(field: Field, sent: Value) -> Value {
    Value::Array(shaped_in(Mode::Strict, field, sent).expect("accepted"))
}

fn refused(field: Field, sent: Value) -> String {
    shaped_in(Mode::Strict, field, sent).expect_err("refused")
}

#[test]
fn display_forms_are_computed_from_the_parts() {
    let sent = json!([{
        "givenName": "John", "middleName": "Jay", "familyName": "Doe",
        "honorificPrefix": "Dr.", "honorificSuffix": "III", "displayName": "ignored",
    }]);
    let name = &shaped(Field::Names, sent)[0];
    assert_eq!(name["displayName"], "Dr. John Jay Doe III");
    assert_eq!(name["displayNameLastFirst"], "Doe, Dr. John Jay, III");
    assert_eq!(name["unstructuredName"], "Dr. John Jay Doe III");
}

#[test]
fn a_mononym_is_its_own_last_first_form() {
    let name = &shaped(Field::Names, json!([{"givenName": "Prince"}]))[0];
    assert_eq!(name["displayNameLastFirst"], "Prince");
    let name = &shaped(Field::Names, json!([{"unstructuredName": "Ada King Lovelace"}]))[0];
    assert_eq!((&name["givenName"], &name["familyName"]), (&json!("Ada King"), &json!("Lovelace")));
}

#[test]
fn only_a_display_name_is_refused() {
    assert!(
        refused(Field::Names, json!([{"displayName": "Ada"}])).starts_with("Request contains an invalid argument.")
    );
    refused(Field::Names, json!([{"givenName": "Ada", "unstructuredName": "Grace"}]));
}

#[test]
fn singletons_are_refused_twice() {
    for (field, item) in [
        (Field::Names, json!({"givenName": "A"})),
        (Field::Birthdays, json!({"date": {"year": 2000, "month": 1, "day": 1}})),
        (Field::Biographies, json!({"value": "x"})),
        (Field::Genders, json!({"value": "female"})),
    ] {
        let text = refused(field, json!([item.clone(), item]));
        assert_eq!(text, format!("Cannot have more than one person.{} per source.", field.name()));
    }
}

#[test]
fn custom_types_stay_verbatim_and_known_ones_get_words() {
    let sent = json!([
        {"value": "1234567890", "type": "workFax"},
        {"value": "1234567891", "type": "Boat"},
        {"value": "1234567892", "type": "Mobile"},
        {"value": "1234567893"},
    ]);
    let phones = shaped(Field::PhoneNumbers, sent);
    assert_eq!(phones[0]["formattedType"], "Work Fax");
    assert_eq!((&phones[1]["type"], &phones[1]["formattedType"]), (&json!("Boat"), &json!("Boat")));
    assert_eq!(phones[2]["formattedType"], "Mobile");
    assert!(phones[3].get("formattedType").is_none());
}

#[test]
fn the_default_type_of_a_nickname_is_not_echoed() {
    let names =
        shaped(Field::Nicknames, json!([{"value": "Jo", "type": "DEFAULT"}, {"value": "X", "type": "INITIALS"}]));
    assert!(names[0].get("type").is_none());
    assert_eq!(names[1]["type"], "INITIALS");
}

#[test]
fn computed_members_are_added_and_sent_ones_ignored() {
    let phone =
        &shaped(Field::PhoneNumbers, json!([{"value": "666 12 34 90", "canonicalForm": "+1", "formattedType": "x"}]))
            [0];
    assert_eq!(phone["canonicalForm"], "+34666123490");
    assert!(phone.get("formattedType").is_none());
    let note = &shaped(Field::Biographies, json!([{"value": "hi"}]))[0];
    assert_eq!(note["contentType"], "TEXT_PLAIN");
    let address = &shaped(Field::Addresses, json!([{"streetAddress": "Way 1", "city": "Town", "country": "ES"}]))[0];
    assert_eq!(address["formattedValue"], "Way 1\nTown\nES");
    let chat = &shaped(Field::ImClients, json!([{"username": "u", "protocol": "googleTalk"}]))[0];
    assert_eq!(chat["formattedProtocol"], "Google Talk");
    let gender = &shaped(Field::Genders, json!([{"value": "female"}]))[0];
    assert_eq!(gender["formattedValue"], "Female");
}

#[test]
fn items_of_a_profile_are_not_contact_data() {
    let sent = json!([
        {"value": "a@x.test"},
        {"value": "b@x.test", "metadata": {"source": {"type": "PROFILE", "id": "1"}}},
    ]);
    assert_eq!(shaped(Field::EmailAddresses, sent), json!([{"value": "a@x.test"}]));
}

#[test]
fn empty_and_doubled_items_are_refused_in_strict_mode_and_dropped_in_lenient_mode() {
    let empty = json!([{"value": "", "type": "work"}]);
    let doubled = json!([{"value": "a@x.test"}, {"value": "a@x.test"}]);
    refused(Field::EmailAddresses, empty.clone());
    refused(Field::EmailAddresses, doubled.clone());
    assert_eq!(shaped_in(Mode::Lenient, Field::EmailAddresses, empty), Ok(vec![]));
    assert_eq!(shaped_in(Mode::Lenient, Field::EmailAddresses, doubled).map(|items| items.len()), Ok(1));
}

#[test]
fn long_texts_are_refused_except_in_notes() {
    let long = "é".repeat(1025);
    refused(Field::Nicknames, json!([{"value": long}]));
    shaped(Field::Nicknames, json!([{"value": "é".repeat(1024)}]));
    shaped(Field::Biographies, json!([{"value": long}]));
    refused(Field::Biographies, json!([{"value": "x".repeat(30_001)}]));
}

#[test]
fn dates_may_miss_parts_and_must_exist() {
    let date = |year, month, day| json!([{"date": {"year": year, "month": month, "day": day}}]);
    let birthday = shaped(Field::Birthdays, date(0, 2, 29));
    assert_eq!(birthday, json!([{"date": {"month": 2, "day": 29}}]));
    shaped(Field::Birthdays, date(1990, 0, 0));
    shaped(Field::Birthdays, date(1990, 5, 0));
    refused(Field::Birthdays, date(1990, 2, 29));
    refused(Field::Birthdays, date(1990, 13, 1));
    refused(Field::Birthdays, date(1990, 0, 5));
}

#[test]
fn the_marked_item_is_kept_as_source_primary_and_only_one_may_be() {
    let marked = |value: &str| json!({"value": value, "metadata": {"sourcePrimary": true}});
    let mails = shaped(Field::EmailAddresses, json!([{"value": "a@x.test"}, marked("b@x.test")]));
    assert_eq!(mails[1]["metadata"], json!({"sourcePrimary": true}));
    refused(Field::EmailAddresses, json!([marked("a@x.test"), marked("b@x.test")]));
}
