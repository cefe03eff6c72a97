//! A record that got another name which nothing shows yet is taken for gone, and its contact, edited meanwhile, is made
//! anew. Once the old record shows up, what was edited there is taken in, and nothing else.

use std::time::Duration;

use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::InRemote;
use contactsync::emulator::FormerName;
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::{Delay, Feed};
use serde_json::{Value, json};

use crate::support::fuse::{Cut, Fuse};
use crate::support::world::{GROUP, World, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);

fn mails(values: &[&str]) -> Value {
    json!({"emailAddresses": values.iter().map(|value| json!({"value": value, "type": "work"})).collect::<Vec<_>>()})
}

fn answer(body: &Value) -> FaultKind {
    FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body: body.to_string() }
}

async fn made_anew(edited_there: bool) {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.google_edit("Ada King", &mails(&["ada.king@example.org", "second@example.net"]));
    world.settle().await;
    assert_eq!(world.contact(ada).await.card.emails.len(), 2);
    world.advance(HOUR);

    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Shown).unwrap());
    if edited_there {
        world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    }
    world.edit(ada, |card| card.emails.retain(|email| email.value != "second@example.net")).await;
    world.edit(ada, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    // Nor can the members of the group be read, among whom it would be found.
    world.strike_always("contactGroups.get", FaultKind::Status(400));
    world.sync().await;
    assert_eq!(world.people().len(), 2, "made anew");
    world.calm();
    world.advance(HOUR);
    world.settle().await;

    assert_eq!(world.google_names(), ["Ada King"]);
    let card = world.contact(ada).await.card;
    let mails: Vec<&str> = card.emails.iter().map(|email| email.value.as_str()).collect();
    assert_eq!(mails, ["ada.king@example.org"], "what was removed stays removed");
    assert_eq!((card.phones.len(), card.as_person().unwrap().nicknames.len()), (1, usize::from(edited_there)));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Among the members of its group it is known by our tag, long before any listing shows it.
#[tokio::test]
async fn a_record_that_got_another_name_is_found_in_its_group() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.advance(HOUR);
    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Shown).unwrap());
    world.edit(ada, |card| card.notes = Some("edited".to_owned())).await;
    world.sync().await;
    assert_eq!(world.google_names(), ["Ada King"], "neither doubled nor gone");
    world.advance(HOUR);
    world.settle().await;
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The tombstone of the former name came, and no read shows the record under the new one.
#[tokio::test]
async fn a_contact_whose_record_had_no_name_for_too_long_comes_back_with_it() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.advance(HOUR);
    let resource = world.resource("Ada King");
    let mut team = world.group("Team");
    team["memberResourceNames"] = json!([]);
    world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Shown).unwrap());
    let tombstone = json!({"resourceName": resource, "metadata": {"deleted": true}});
    let short = json!({"connections": [tombstone], "nextSyncToken": "odd", "totalItems": 1});
    world.strike("people.connections.list", answer(&short));
    world.strike_always("contactGroups.get", answer(&team));
    world.sync().await;
    assert!(!world.contact(ada).await.is_live(), "nothing showed it");
    world.calm();
    world.advance(HOUR);
    world.expect_full_pull();
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King"]);
    assert!(world.contact(ada).await.is_live());
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The listing shows the record under both names, and reads still show it under the former one.
#[tokio::test]
async fn a_late_state_under_the_former_name_is_nobody_new() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.edit(ada, |card| card.notes = Some("edited".to_owned())).await;
    world.settle().await;
    world.advance(HOUR);
    let former = world.resource("Ada King");
    let before = world.person("Ada King");
    world.by_hand(|user| user.rename(&former, FormerName::Gone, Feed::Hidden).unwrap());
    let mut after = world.person("Ada King");
    after["metadata"]["previousResourceNames"] = json!([former]);
    world.strike("people.connections.list", answer(&json!({"connections": [after, before], "nextSyncToken": "odd"})));
    let read = |person: &Value| json!({"person": person, "requestedResourceName": person["resourceName"]});
    world.strike("people.getBatchGet", answer(&json!({"responses": [read(&after), read(&before)]})));
    world.sync().await;
    assert_eq!(world.store_names().await, ["Ada King"]);
    world.advance(HOUR);
    world.expect_full_pull();
    world.settle().await;
    assert_eq!((world.store_names().await.len(), world.people().len()), (1, 1));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_value_removed_while_the_record_had_no_name_does_not_come_back_with_it() {
    made_anew(false).await;
}

#[tokio::test]
async fn what_was_edited_on_the_record_that_had_no_name_is_taken_in() {
    made_anew(true).await;
}

/// A record that got another name which nothing shows yet, and whose contact was edited: the next run finds it gone.
async fn renamed_unseen() -> (World, ContactId) {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.advance(HOUR);
    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Shown).unwrap());
    world.edit(ada, |card| card.notes = Some("edited".to_owned())).await;
    (world, ada)
}

/// A run has looked for the record; it is the only one, and so is its contact.
async fn assert_found(world: &World, ada: ContactId, at: &str) {
    assert_eq!(world.google_names(), ["Ada King"], "{at}");
    assert!(world.contact(ada).await.is_live(), "{at}");
    world.advance(HOUR);
    world.settle().await;
    assert_eq!((world.google_names().len(), world.contacts().await.len()), (1, 1), "{at}");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_search_that_was_cut_off_is_made_up_for_before_anybody_is_taken_for_gone() {
    let (world, ada) = renamed_unseen().await;
    world.strike_always("contactGroups.get", FaultKind::MinuteQuota);
    world.sync().await;
    world.calm();
    world.sync().await;
    assert_found(&world, ada, "after the quota").await;
}

#[tokio::test]
async fn a_crash_while_it_is_looked_for_neither_deletes_nor_doubles_it() {
    for step in 0.. {
        let (mut world, ada) = renamed_unseen().await;
        world.fuse(&Fuse::at(step, Cut::After));
        if world.sync_or_crash().is_some() {
            assert!(step > 10, "{step} steps are too few to prove anything");
            break;
        }
        world.unfuse();
        world.sync().await;
        assert_found(&world, ada, &format!("cut after step {step}")).await;
    }
}

// It was found in the group and never written to: it carries no tag of ours.
#[tokio::test]
async fn a_record_without_our_tag_that_had_no_name_is_known_again() {
    for edited_there in [false, true] {
        let world = World::new();
        world.add(person("Zoe Z")).await;
        world.settle().await;
        let mut king = mails(&["ada@example.org"]);
        king["names"] = json!([{"givenName": "Ada", "familyName": "King"}]);
        world.google_create(king, &[GROUP]);
        world.settle().await;
        world.advance(HOUR);
        let ada = world.by_name("Ada King").await.id;
        world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
        let resource = world.resource("Ada King");
        world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Shown).unwrap());
        if edited_there {
            world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
        }
        world.edit(ada, |card| card.notes = Some("edited".to_owned())).await;
        // Nor can the members of the group be read, among whom it would be found.
        world.strike_always("contactGroups.get", FaultKind::Status(400));
        world.sync().await;
        world.calm();
        assert_eq!(world.google_names(), ["Ada King", "Ada King", "Zoe Z"], "made anew");
        world.advance(HOUR);
        world.settle().await;
        assert_eq!(world.google_names(), ["Ada King", "Zoe Z"]);
        assert_eq!(world.contacts().await.len(), 2);
        let card = world.contact(ada).await.card;
        assert_eq!(card.as_person().unwrap().nicknames.len(), usize::from(edited_there));
        assert_eq!(card.notes.as_deref(), Some("edited"));
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// Nothing of ours was ever written to it, so nothing but its e-mail tells who it is.
#[tokio::test]
async fn a_foreign_record_that_got_another_name_while_its_contact_was_edited_is_not_doubled() {
    let world = World::new();
    world.settle().await;
    world.google_create(
        json!({"names": [{"givenName": "Ada", "familyName": "King"}],
               "emailAddresses": [{"value": "ada.king@example.org"}]}),
        &[GROUP],
    );
    world.settle().await;
    let ada = world.by_name("Ada King").await.id;
    world.advance(HOUR);
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Shown).unwrap());
    world.by_hand(|user| user.expire_sync_tokens());
    world.edit(ada, |card| card.notes = Some("edited".to_owned())).await;
    world.settle().await;

    assert_eq!(world.google_names(), ["Ada King"]);
    assert_eq!(world.contacts().await.len(), 1);
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("edited"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The policy keeps contacts whose record is gone. The record under its new name, which nothing of ours names, is not another.
#[tokio::test]
async fn a_foreign_record_that_got_another_name_finds_the_contact_that_was_kept() {
    let mut promise = promise();
    promise.delete.in_remote = InRemote::Unlink;
    let world = World::with(promise);
    world.add(person("Zoe Z")).await;
    world.settle().await;
    let mut king = mails(&["ada@example.org"]);
    king["names"] = json!([{"givenName": "Ada", "familyName": "King"}]);
    world.google_create(king, &[GROUP]);
    world.settle().await;
    world.advance(HOUR);
    let ada = world.by_name("Ada King").await.id;
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Shown).unwrap());
    world.by_hand(|user| user.expire_sync_tokens());
    world.expect_full_pull();
    world.settle().await;
    assert_eq!(world.store_names().await, ["Ada King", "Zoe Z"], "nobody is doubled");
    assert_eq!(world.link(ada).await.remote.unwrap().as_str(), world.resource("Ada King"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Nor is it another one where the policy would have deleted the contact: what the store alone knows of it stays.
#[tokio::test]
async fn a_foreign_record_that_got_another_name_keeps_its_contact() {
    let world = World::new();
    world.add(person("Zoe Z")).await;
    world.settle().await;
    let mut king = mails(&["ada@example.org"]);
    king["names"] = json!([{"givenName": "Ada", "familyName": "King"}]);
    world.google_create(king, &[GROUP]);
    world.settle().await;
    let ada = world.by_name("Ada King").await.id;
    world.edit(ada, |card| _ = card.labels.insert("Friend".to_owned())).await;
    world.settle().await;
    world.advance(HOUR);
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Shown).unwrap());
    world.by_hand(|user| user.expire_sync_tokens());
    world.expect_full_pull();
    world.settle().await;
    assert_eq!(world.store_names().await, ["Ada King", "Zoe Z"]);
    let contact = world.contact(ada).await;
    assert!(contact.is_live() && contact.card.labels.contains("Friend"), "{contact:?}");
    assert_eq!(world.link(ada).await.remote.unwrap().as_str(), world.resource("Ada King"));
    world.assert_at_rest().await;
}

/// Two contacts that came from Google, and have never been written to there.
async fn came_from_google() -> World {
    let world = World::new();
    world.settle().await;
    for name in ["Ada King", "Alan Turing"] {
        let mail = format!("{}@example.org", name.to_lowercase().replace(' ', "."));
        let (given, family) = name.split_once(' ').unwrap();
        let names = json!([{"givenName": given, "familyName": family}]);
        world.google_create(json!({"names": names, "emailAddresses": [{"value": mail, "type": "work"}]}), &[GROUP]);
    }
    world.settle().await;
    world.advance(HOUR);
    world
}

// It carries no tag of ours, no listing shows it, and neither does a read, only the list of members. Until it has been read
// it may be the one that an update did not find.
#[tokio::test]
async fn a_record_without_our_tag_under_another_name_that_no_read_shows_yet_is_waited_for() {
    let world = came_from_google().await;
    let ada = world.by_name("Ada King").await.id;
    let resource = world.resource("Ada King");
    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Hidden).unwrap());
    let unknown = |name: &str| json!({"requestedResourceName": name, "status": {"code": 5, "message": "Not Found"}});
    let responses = [unknown(&resource), unknown(&world.resource("Ada King"))];
    world.strike_always("people.getBatchGet", answer(&json!({"responses": responses})));
    world.edit(ada, |card| card.notes = Some("edited".to_owned())).await;
    world.sync().await;
    assert_eq!(world.people().len(), 2, "not made anew");
    world.calm();
    world.advance(HOUR);
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King", "Alan Turing"], "nobody twice");
    assert_eq!(world.contacts().await.len(), 2);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Somebody takes it out of the group, and puts it in again under another name that nothing of ours names.
#[tokio::test]
async fn a_foreign_record_that_left_the_group_comes_back_to_its_contact_under_another_name() {
    let world = came_from_google().await;
    let ada = world.by_name("Ada King").await.id;
    world.google_unlabel("Ada King", GROUP);
    world.settle().await;
    assert_eq!(world.link(ada).await.state, LinkState::Dormant);
    world.advance(HOUR);
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.rename(&resource, FormerName::Gone, Feed::Shown).unwrap());
    world.google_label("Ada King", GROUP);
    world.by_hand(|user| user.expire_sync_tokens());
    world.expect_full_pull();
    world.settle().await;
    assert_eq!(world.store_names().await, ["Ada King", "Alan Turing"], "nobody twice");
    assert_eq!(world.link(ada).await.remote.unwrap().as_str(), world.resource("Ada King"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The one that left the group is still there, so the one that is put into it is somebody else.
#[tokio::test]
async fn a_record_like_one_that_left_the_group_is_another_one_while_that_is_there() {
    let world = came_from_google().await;
    let ada = world.by_name("Ada King").await.id;
    world.google_unlabel("Ada King", GROUP);
    world.settle().await;
    let mut like = mails(&["ada.king@example.org"]);
    like["names"] = json!([{"givenName": "Ada", "familyName": "King"}]);
    world.google_create(like, &[GROUP]);
    world.advance(HOUR);
    world.settle().await;
    assert_eq!(world.store_names().await, ["Ada King", "Ada King", "Alan Turing"]);
    assert_eq!(world.link(ada).await.state, LinkState::Dormant);
    world.assert_at_rest().await;
}

/// A contact that was taken out of the selection, and with that out of the group; its record is still there.
async fn taken_out() -> (World, ContactId) {
    let mut promise = promise();
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    promise.pairs[0].add_label = Some("Customer".to_owned());
    let world = World::with(promise);
    let mut card = person("Ada King");
    card.labels.insert("Customer".to_owned());
    let ada = world.add(card).await;
    world.settle().await;
    world.advance(HOUR);
    world.edit(ada, |card| card.labels.clear()).await;
    world.settle().await;
    world.advance(HOUR);
    (world, ada)
}

#[tokio::test]
async fn a_contact_outside_the_selection_whose_record_went_is_the_one_that_is_put_into_the_group() {
    let (world, ada) = taken_out().await;
    let mut again = world.person("Ada King");
    world.google_delete("Ada King");
    world.settle().await;
    world.advance(HOUR);
    for output in ["resourceName", "etag", "metadata", "memberships", "clientData"] {
        again.as_object_mut().unwrap().remove(output);
    }
    world.google_create(again, &[GROUP]);
    world.settle().await;
    let contacts: Vec<ContactId> = world.contacts().await.iter().map(|contact| contact.id).collect();
    assert_eq!(contacts, [ada], "not taken for somebody new");
    assert_eq!(world.google_names(), ["Ada King"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}
