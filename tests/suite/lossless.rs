//! What an edit of one field in the store leaves alone: everything else on the Google person, whether our contacts can
//! express it or not.

use std::time::Duration;

use contactsync::domain::contact::{Address, Card, Email, OrganizationRef};
use contactsync::domain::id::ContactId;
use contactsync::emulator::MemberFate;
use serde_json::{Value, json};

use crate::support::world::{World, as_person, phone};

/// A person with everything that Google holds, most of which contacts of the store cannot express.
fn rich() -> Value {
    json!({
        "names": [{"givenName": "Ada", "familyName": "King", "middleName": "B.", "honorificPrefix": "Lady",
                   "phoneticGivenName": "Ey-da", "phoneticFamilyName": "King"}],
        "nicknames": [{"value": "Countess"}, {"value": "A. L.", "type": "INITIALS"}],
        "emailAddresses": [{"value": "ada@example.org", "type": "work", "displayName": "Ada at work"},
                           {"value": "ada@home.example", "type": "Boat"}],
        "phoneNumbers": [{"value": "+44 20 7946 0000", "type": "workFax"}, {"value": "call me", "type": "pager"}],
        "addresses": [{"type": "work", "poBox": "PO 12", "streetAddress": "Linden 1", "city": "Berlin",
                       "postalCode": "10117", "country": "Germany", "countryCode": "DE"},
                      {"type": "home", "formattedValue": "Somewhere\nover the rainbow"}],
        "organizations": [{"name": "Example GmbH", "title": "CTO", "current": true, "phoneticName": "Eks",
                           "jobDescription": "engines", "symbol": "EXG", "domain": "example.org",
                           "startDate": {"year": 2015, "month": 6, "day": 1}},
                          {"name": "Analytical Ltd", "title": "Founder", "current": false,
                           "endDate": {"year": 2014}}],
        "birthdays": [{"date": {"month": 12, "day": 10}}],
        "events": [{"date": {"year": 2015, "month": 6, "day": 1}, "type": "anniversary"},
                   {"date": {"year": 2016}, "type": "vague"}],
        "biographies": [{"value": "Likes engines.", "contentType": "TEXT_PLAIN"}],
        "urls": [{"value": "https://example.org", "type": "homePage"}, {"value": "https://blog.example", "type": "blog"}],
        "relations": [{"person": "Charles", "type": "friend"}],
        "imClients": [{"username": "ada", "protocol": "jabber", "type": "work"}],
        "userDefined": [{"key": "Price list", "value": "Retail"}, {"key": "Price list", "value": "Second"}],
        "externalIds": [{"value": "4711", "type": "customer"}],
        "clientData": [{"key": "crm", "value": "abc"}, {"key": "crm", "value": "def"}],
        "sipAddresses": [{"value": "sip:ada@example.org", "type": "work"}],
        "genders": [{"value": "female", "addressMeAs": "she"}],
        "locations": [{"value": "Desk 7", "type": "desk", "current": true}],
        "occupations": [{"value": "Mathematician"}],
        "interests": [{"value": "Poetry"}],
        "miscKeywords": [{"value": "vip", "type": "OUTLOOK_KEYWORD"}],
        "calendarUrls": [{"url": "https://calendar.example/ada", "type": "home"}],
        "locales": [{"value": "en"}],
    })
}

/// The person in both books, at rest.
async fn book() -> (World, ContactId) {
    let world = World::new();
    world.sync().await;
    world.by_hand(|user| user.create_group("Golf").unwrap());
    world.google_create(rich(), &["Team", "Golf"]);
    let resource = world.people()[0]["resourceName"].as_str().unwrap().to_owned();
    world.by_hand(|user| user.label(&resource, "starred").unwrap());
    world.settle().await;
    world.advance(Duration::from_secs(3600));
    let ada = world.contacts().await.into_iter().find(|contact| contact.card.as_person().is_some()).unwrap().id;
    (world, ada)
}

/// The person without what every write changes: revisions, times, and our own entry among the data of clients.
fn content(world: &World) -> Value {
    let mut person = world.people().remove(0);
    let object = person.as_object_mut().unwrap();
    object.remove("etag");
    object.remove("metadata");
    if let Some(entries) = object.get_mut("clientData").and_then(Value::as_array_mut) {
        entries.retain(|entry| entry["key"] != "contactsync");
    }
    person
}

/// Edits one field in the store; fails unless in Google nothing but these lists changes.
async fn assert_changes_only(lists: &[&str], edit: impl FnOnce(&mut Card)) -> (Value, Value) {
    let (world, ada) = book().await;
    let before = content(&world);
    world.edit(ada, edit).await;
    let summary = world.sync().await;
    assert_eq!(summary.pushed.updated, 1, "{summary:?}");
    let after = content(&world);
    for (list, value) in after.as_object().unwrap() {
        if !lists.contains(&list.as_str()) {
            assert_eq!(before.get(list), Some(value), "{list} has changed");
        }
    }
    for list in before.as_object().unwrap().keys() {
        assert!(lists.contains(&list.as_str()) || after.get(list).is_some(), "{list} is gone");
    }
    for list in lists {
        assert_ne!(before.get(*list), after.get(*list), "{list} has not changed");
    }
    world.assert_at_rest().await;
    (before, after)
}

/// Fails unless all members of the item but these are what they were.
fn assert_same_but(before: &Value, after: &Value, members: &[&str]) {
    for (member, value) in before.as_object().unwrap() {
        if !members.contains(&member.as_str()) {
            assert_eq!(after.get(member), Some(value), "{member} of {before}");
        }
    }
}

#[tokio::test]
async fn taking_a_person_in_writes_nothing_to_it() {
    let (world, _) = book().await;
    assert!(!world.people()[0].to_string().contains("contactsync"), "not even our tag");
}

#[tokio::test]
async fn editing_the_notes_leaves_everything_else_alone() {
    assert_changes_only(&["biographies"], |card| card.notes = Some("New.".to_owned())).await;
}

#[tokio::test]
async fn editing_the_name_keeps_its_phonetic_parts() {
    let edit = |card: &mut Card| as_person(card).name.family = Some("Lovelace".to_owned());
    let (before, after) = assert_changes_only(&["names"], edit).await;
    let computed = ["familyName", "displayName", "displayNameLastFirst", "unstructuredName"];
    assert_same_but(&before["names"][0], &after["names"][0], &computed);
}

#[tokio::test]
async fn adding_a_mail_address_keeps_the_display_names_of_the_others() {
    let edit = |card: &mut Card| {
        card.emails.push(Email { value: "new@example.org".to_owned(), label: None, primary: false });
    };
    let (before, after) = assert_changes_only(&["emailAddresses"], edit).await;
    assert_eq!(after["emailAddresses"].as_array().unwrap().len(), 3);
    for place in 0..2 {
        assert_eq!(before["emailAddresses"][place], after["emailAddresses"][place]);
    }
}

#[tokio::test]
async fn changing_a_mail_address_keeps_what_else_is_said_of_it() {
    let edit = |card: &mut Card| card.emails[0].value = "ada.king@example.org".to_owned();
    let (before, after) = assert_changes_only(&["emailAddresses"], edit).await;
    assert_same_but(&before["emailAddresses"][0], &after["emailAddresses"][0], &["value", "metadata"]);
    assert_eq!(before["emailAddresses"][1], after["emailAddresses"][1]);
}

#[tokio::test]
async fn removing_a_phone_keeps_the_other_with_its_unusual_type() {
    let edit = |card: &mut Card| card.phones.retain(|phone| phone.value != "+44 20 7946 0000");
    let (_, after) = assert_changes_only(&["phoneNumbers"], edit).await;
    assert_eq!(
        (&after["phoneNumbers"][0]["value"], &after["phoneNumbers"][0]["type"]),
        (&json!("call me"), &json!("pager"))
    );
    let edit = |card: &mut Card| card.phones.push(phone("+1 212 555 0100"));
    let (before, after) = assert_changes_only(&["phoneNumbers"], edit).await;
    assert_eq!(before["phoneNumbers"][0], after["phoneNumbers"][0]);
}

#[tokio::test]
async fn changing_the_street_keeps_the_post_box_and_the_other_address() {
    let edit = |card: &mut Card| card.addresses[0].street = Some("Linden 2".to_owned());
    let (before, after) = assert_changes_only(&["addresses"], edit).await;
    assert_same_but(&before["addresses"][0], &after["addresses"][0], &["streetAddress", "formattedValue"]);
    assert_eq!(before["addresses"][1], after["addresses"][1]);
    let edit = |card: &mut Card| {
        card.addresses.push(Address { city: Some("London".to_owned()), ..Address::default() });
    };
    let (before, after) = assert_changes_only(&["addresses"], edit).await;
    assert_eq!(before["addresses"][0], after["addresses"][0]);
}

#[tokio::test]
async fn changing_the_job_keeps_the_rest_of_the_employment_and_former_ones() {
    let edit = |card: &mut Card| as_person(card).job_title = Some("CEO".to_owned());
    let (before, after) = assert_changes_only(&["organizations"], edit).await;
    assert_same_but(&before["organizations"][0], &after["organizations"][0], &["title"]);
    assert_eq!(before["organizations"][1], after["organizations"][1]);
    let edit = |card: &mut Card| {
        as_person(card).organization = Some(OrganizationRef { id: None, name: "Acme Ltd".to_owned() });
    };
    let (before, after) = assert_changes_only(&["organizations"], edit).await;
    assert_same_but(&before["organizations"][0], &after["organizations"][0], &["name"]);
    assert_eq!(before["organizations"][1], after["organizations"][1]);
}

#[tokio::test]
async fn changing_a_birthday_leaves_everything_else_alone() {
    assert_changes_only(&["birthdays"], |card| as_person(card).birthday = "1815-12-10".parse().ok()).await;
}

#[tokio::test]
async fn changing_an_event_keeps_one_that_we_cannot_express() {
    let edit = |card: &mut Card| as_person(card).events.clear();
    let (before, after) = assert_changes_only(&["events"], edit).await;
    assert_eq!(after["events"].as_array().unwrap().len(), 1, "the one without a day stays: {after}");
    assert_eq!(before["events"][1]["date"], after["events"][0]["date"]);
}

#[tokio::test]
async fn changing_a_nickname_keeps_those_of_other_kinds() {
    let edit = |card: &mut Card| {
        let nicknames = &mut as_person(card).nicknames;
        let place = nicknames.iter().position(|name| name == "Countess").unwrap();
        nicknames[place] = "Ada the Great".to_owned();
    };
    let (before, after) = assert_changes_only(&["nicknames"], edit).await;
    assert_eq!(before["nicknames"][1], after["nicknames"][1]);
}

#[tokio::test]
async fn changing_a_custom_field_keeps_a_second_of_the_same_key() {
    let edit = |card: &mut Card| _ = card.custom.insert("Size".to_owned(), "L".to_owned());
    let (before, after) = assert_changes_only(&["userDefined"], edit).await;
    let kept = after["userDefined"].as_array().unwrap();
    assert!(before["userDefined"].as_array().unwrap().iter().all(|item| kept.contains(item)), "{after}");
}

#[tokio::test]
async fn changing_sites_messengers_and_relations_leaves_everything_else_alone() {
    let edit = |card: &mut Card| _ = card.websites.remove(0);
    let (before, after) = assert_changes_only(&["urls"], edit).await;
    assert_eq!(before["urls"][1]["value"], after["urls"][0]["value"]);
    assert_changes_only(&["imClients"], |card| as_person(card).ims[0].value = "ada.king".to_owned()).await;
    assert_changes_only(&["relations"], |card| as_person(card).relations[0].label = Some("partner".to_owned())).await;
}

// Merged from both sides at once: what the store adds goes out, what Google has beside it stays.
#[tokio::test]
async fn a_merge_leaves_what_we_cannot_express_alone_too() {
    let (world, ada) = book().await;
    let before = content(&world);
    let resource = world.people()[0]["resourceName"].as_str().unwrap().to_owned();
    world.by_hand(|user| {
        user.edit(
            &resource,
            &json!({"interests": [{"value": "Engines"}],
        "biographies": [{"value": "From Google."}]}),
        )
        .unwrap()
    });
    world.edit(ada, |card| card.phones.push(phone("+1 212 555 0100"))).await;
    world.settle().await;
    let after = content(&world);
    for list in
        ["names", "addresses", "organizations", "sipAddresses", "genders", "externalIds", "clientData", "memberships"]
    {
        assert_eq!(before[list], after[list], "{list}");
    }
    assert_eq!(after["interests"][0]["value"], "Engines");
    assert_eq!(after["phoneNumbers"].as_array().unwrap().len(), 3);
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("From Google."));
}

/// A list without what says which record its items are of.
fn bare(list: &Value) -> Value {
    let mut list = list.clone();
    for item in list.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        item.remove("metadata");
    }
    list
}

// The record is deleted and has to be made again: because the contact was edited meanwhile, or restored later. It gets back
// what it had, also what no contact of the store can hold, and its star and its other labels.
#[tokio::test]
async fn a_record_made_again_has_what_it_had() {
    for is_edited in [true, false] {
        let (world, ada) = book().await;
        let before = content(&world);
        let name = before["resourceName"].as_str().unwrap().to_owned();
        world.by_hand(|user| user.create_group("Chess").unwrap());
        world.by_hand(|user| {
            user.label(&name, user.groups().last().unwrap()["resourceName"].as_str().unwrap()).unwrap()
        });
        world.settle().await;
        if is_edited {
            world.by_hand(|user| user.delete(&name).unwrap());
            world.edit(ada, |card| card.notes = Some("edited meanwhile".to_owned())).await;
        } else {
            world.delete(ada).await;
            world.settle().await;
            world.restore(ada).await;
        }
        // A label that is gone by then must not keep the contact from being made.
        world.by_hand(|user| {
            let chess = user.groups().into_iter().find(|group| group["name"] == "Chess").unwrap();
            user.delete_group(chess["resourceName"].as_str().unwrap(), MemberFate::Keep).unwrap();
        });
        world.settle().await;
        let after = content(&world);
        assert_ne!(after["resourceName"], before["resourceName"]);
        for (list, value) in before.as_object().unwrap() {
            let is_other = ["resourceName", "photos"].contains(&list.as_str()) || is_edited && list == "biographies";
            if !is_other {
                assert_eq!(bare(&after[list]), bare(value), "{list}, edited: {is_edited}");
            }
        }
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// The contact is deleted in the store and restored after its record is gone. Nothing of that may be doubled or reordered by a second life.
#[tokio::test]
async fn a_second_life_has_everything_that_the_store_knows() {
    let (world, ada) = book().await;
    let known = world.contact(ada).await.card;
    world.delete(ada).await;
    world.settle().await;
    assert!(world.people().is_empty());
    world.restore(ada).await;
    world.settle().await;
    assert_eq!(world.contact(ada).await.card, known);
    world.assert_equal().await;
    world.assert_at_rest().await;
}
