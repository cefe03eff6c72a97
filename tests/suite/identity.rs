//! Who is who: two books are linked for the first time, records change their name, are merged, doubled and unlinked, and
//! organizations are persons' companies and contacts of their own.

use std::time::Duration;

use contactsync::contacts::edit::Editor;
use contactsync::domain::account::Outcome;
use contactsync::domain::contact::{Card, Contact, Kind};
use contactsync::domain::history::Actor;
use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{InRemote, Organizations, Promise};
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::{Delay, Feed};
use contactsync::emulator::{FormerName, MergeTrace};
use serde_json::{Value, json};

use crate::support::hands::{first, values};
use crate::support::world::{GROUP, World, as_person, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);

/// An empty account with the group, and a store without runs.
fn two_books() -> World {
    let world = World::new();
    world.by_hand(|user| user.create_group("Team").unwrap());
    world
}

/// Names and an e-mail address, as Google has them.
fn google_person(given: &str, family: &str, email: &str) -> Value {
    let mut person = json!({"names": [{"givenName": given, "familyName": family}]});
    if !email.is_empty() {
        person["emailAddresses"] = json!([{ "value": email }]);
    }
    person
}

fn named(name: &str) -> Card {
    let mut card = person(name);
    card.emails.clear();
    card
}

fn company_of(contact: &Contact) -> Option<String> {
    contact.card.as_person()?.organization.as_ref().map(|organization| organization.name.clone())
}

async fn editor<T>(world: &World, edit: impl AsyncFnOnce(Editor<'_>) -> T) -> T {
    world.tick();
    edit(Editor {
        store: world.store.as_ref(),
        clock: world.clock.as_ref(),
        entropy: world.entropy.as_ref(),
        actor: Actor::User,
    })
    .await
}

/// Three persons on both sides, at rest for an hour.
async fn book() -> (World, ContactId) {
    let world = World::new();
    let mut ids = Vec::new();
    for name in ["Ada King", "Grace Hopper", "Alan Turing"] {
        ids.push(world.add(person(name)).await);
    }
    world.settle().await;
    world.advance(HOUR);
    (world, ids[0])
}

// ---- the first meeting of two books

#[tokio::test]
async fn the_same_mail_address_links_two_books_and_unites_what_they_know() {
    let world = two_books();
    let mut ada = google_person("Ada", "King", "ADA.King@example.org");
    ada["phoneNumbers"] = json!([{"value": "+44 20 7946 0000"}]);
    ada["biographies"] = json!([{"value": "from Google"}]);
    world.google_create(ada, &["Team"]);
    let id = world.add({
        let mut card = person("Ada King");
        as_person(&mut card).job_title = Some("Countess".to_owned());
        card.phones.push(phone("+1 212 555 0100"));
        card
    });
    let id = id.await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    assert_eq!((world.store_names().await, world.google_names()), (vec!["Ada King".into()], vec!["Ada King".into()]));
    let contact = world.contact(id).await;
    assert_eq!((contact.card.notes.as_deref(), contact.card.phones.len()), (Some("from Google"), 2));
    let google = world.person("Ada King");
    assert_eq!(first(&google, "organizations", "title"), Some("Countess"));
    assert_eq!(values(&google, "phoneNumbers"), ["+1 212 555 0100", "+44 20 7946 0000"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn the_same_phone_links_two_books() {
    let world = two_books();
    let mut ada = google_person("Ada", "King", "");
    ada["phoneNumbers"] = json!([{"value": "+44 (0)20 7946 0000"}]);
    world.google_create(ada, &["Team"]);
    let mut card = named("Ada King");
    card.phones.push(phone("0044 20 79460000"));
    world.add(card).await;
    world.settle().await;
    assert_eq!((world.contacts().await.len(), world.people().len()), (1, 1));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn the_same_name_at_the_same_organization_links_two_books() {
    let world = two_books();
    let mut ada = google_person("Ada", "King", "");
    ada["organizations"] = json!([{"name": "Example GmbH"}]);
    world.google_create(ada, &["Team"]);
    editor(&world, async |editor| {
        let patch = json!({"name": {"full": "Ada King"}, "organization": {"name": "EXAMPLE GmbH"}});
        editor.add(Kind::Person, &patch).await.unwrap()
    })
    .await;
    world.settle().await;
    let persons = world.contacts().await.into_iter().filter(|contact| contact.card.kind() == Kind::Person);
    assert_eq!(persons.count(), 1);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn the_same_name_alone_links_nobody() {
    let world = two_books();
    world.google_create(google_person("Ada", "King", ""), &["Team"]);
    world.add(named("Ada King")).await;
    world.settle().await;
    assert_eq!((world.contacts().await.len(), world.people().len()), (2, 2), "both live on, on both sides");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn another_name_is_a_veto() {
    let world = two_books();
    world.google_create(google_person("Bob", "Smith", "office@example.org"), &["Team"]);
    let mut colleague = named("Grace Hopper");
    colleague.emails = person("x").emails;
    colleague.emails[0].value = "office@example.org".to_owned();
    world.add(colleague).await;
    world.settle().await;
    assert_eq!((world.contacts().await.len(), world.people().len()), (2, 2));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// One record, two contacts that could be it: a person has to decide, and until then nothing is written about any of the
// three. Everybody else goes on.
#[tokio::test]
async fn where_several_contacts_could_be_it_nothing_is_written() {
    let world = two_books();
    world.google_create(google_person("Ada", "King", "home@example.org"), &["Team"]);
    for name in ["Ada King", "Ada B. King"] {
        let mut card = person(name);
        card.emails[0].value = "home@example.org".to_owned();
        world.add(card).await;
    }
    world.add(person("Grace Hopper")).await;
    world.settle_but(Outcome::Parked).await;
    assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"], "neither of the two is created");
    assert_eq!(world.store_names().await, ["Ada B. King", "Ada King", "Grace Hopper"], "nobody is doubled");
    assert_eq!(values(&world.person("Ada King"), "emailAddresses"), ["home@example.org"]);
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Parked, "it is a question: {summary:?}");

    // The person decides by deleting the contact that is too many.
    let other = world.by_name("Ada B. King").await.id;
    world.delete(other).await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"]);
    assert_eq!(world.store_names().await, ["Ada King", "Grace Hopper"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn where_several_records_could_be_it_nothing_is_written() {
    let world = two_books();
    world.google_create(google_person("Ada", "King", "home@example.org"), &["Team"]);
    world.google_create(google_person("Ada", "Lovelace", "home@example.org"), &["Team"]);
    let mut card = person("Ada King");
    card.emails[0].value = "home@example.org".to_owned();
    let ada = world.add(card).await;
    world.settle_but(Outcome::Parked).await;
    assert_eq!(world.google_names(), ["Ada King", "Ada Lovelace"], "no third one");
    assert_eq!(world.store_names().await, ["Ada King"]);

    // The person decides by another address.
    world.edit(ada, |card| card.emails[0].value = "other@example.org".to_owned()).await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King", "Ada King", "Ada Lovelace"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_stranger_outside_the_group_is_joined_instead_of_doubled() {
    let world = two_books();
    let mut ada = google_person("Ada", "King", "ada.king@example.org");
    ada["biographies"] = json!([{"value": "from Google"}]);
    let resource = world.google_create(ada, &[]);
    world.sync().await;
    assert!(world.store_names().await.is_empty(), "outside the group it does not come in");
    let id = world.add(person("Ada King")).await;
    let summary = world.sync().await;
    assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
    assert_eq!((world.people().len(), world.resource("Ada King")), (1, resource));
    assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"]);
    assert_eq!(world.contact(id).await.card.notes.as_deref(), Some("from Google"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Under whatever name it is known, it is one record.
#[tokio::test]
async fn a_stranger_with_another_name_is_joined_instead_of_doubled() {
    for former in [FormerName::Gone, FormerName::Leads] {
        for lag in [0, 600_000] {
            let world = two_books();
            let resource = world.google_create(google_person("Ada", "King", "ada.king@example.org"), &[]);
            world.sync().await;
            world.advance(HOUR);
            world.switch(|settings| settings.propagation.delta = Delay::constant(lag));
            world.by_hand(|user| user.rename(&resource, former, Feed::Hidden).unwrap());
            if lag == 0 {
                world.sync().await;
            } else if former == FormerName::Gone {
                continue; // Nothing can lead to it.
            }
            world.add(person("Ada King")).await;
            world.sync().await;
            assert_eq!(world.people().len(), 1, "{former:?} {lag}");
            world.advance(HOUR);
            world.settle().await;
            assert_eq!(world.google_names(), ["Ada King"], "{former:?} {lag}");
            assert_eq!(world.groups_of("Ada King"), ["Team", "myContacts"]);
            world.assert_equal().await;
            world.assert_at_rest().await;
        }
    }
}

// The stranger leads to the record of another contact by now: that is no twin, and the contact gets a record of its own.
#[tokio::test]
async fn a_stranger_merged_into_a_linked_record_is_nobodys_twin() {
    let (world, _) = book().await;
    let stranger = world.google_create(google_person("Annabella", "Byron", "annabella.byron@example.org"), &[]);
    world.sync().await;
    world.advance(HOUR);
    world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
    let survivor = world.resource("Ada King");
    world.by_hand(|user| user.merge(&survivor, &[&stranger], MergeTrace::PreviousNames).unwrap());
    world.add(person("Annabella Byron")).await;
    world.sync().await;
    world.advance(HOUR);
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King", "Alan Turing", "Annabella Byron", "Grace Hopper"]);
    world.assert_equal().await;
}

#[tokio::test]
async fn of_several_strangers_none_is_joined() {
    let world = two_books();
    for family in ["King", "Lovelace"] {
        world.google_create(google_person("Ada", family, "ada.king@example.org"), &[]);
    }
    world.sync().await;
    world.add(person("Ada King")).await;
    world.settle_but(Outcome::Parked).await;
    assert_eq!(world.people().len(), 2, "nobody is created either");
    assert_eq!(world.group("Team").get("memberCount"), None);
}

#[tokio::test]
async fn a_stranger_is_remembered_by_hashes_only_and_forgotten_when_it_goes() {
    let world = two_books();
    world.google_create(google_person("Ada", "King", "ada.king@example.org"), &[]);
    world.sync().await;
    assert_eq!(world.store.link_counts(&world.promise.account).await.unwrap().strangers, 1);
    world.google_delete("Ada King");
    world.sync().await;
    assert_eq!(world.store.link_counts(&world.promise.account).await.unwrap().strangers, 0);
    world.add(person("Ada King")).await;
    world.settle().await;
    assert_eq!(world.people().len(), 1);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn two_contacts_that_share_an_address_stay_two() {
    let world = two_books();
    for name in ["Ada King", "William King"] {
        let mut card = person(name);
        card.emails[0].value = "kings@example.org".to_owned();
        world.add(card).await;
    }
    world.google_create(google_person("Grace", "Hopper", "hoppers@example.org"), &["Team"]);
    world.google_create(google_person("Vincent", "Hopper", "hoppers@example.org"), &["Team"]);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.created, summary.pushed.created), (Outcome::Done, 2, 2), "{summary:?}");
    assert_eq!((world.contacts().await.len(), world.people().len()), (4, 4));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// ---- names of records

#[tokio::test]
async fn a_renamed_record_is_followed() {
    for former in [FormerName::Gone, FormerName::Leads] {
        for tombstone in [Feed::Shown, Feed::Hidden] {
            let (world, ada) = book().await;
            let resource = world.resource("Ada King");
            world.by_hand(|user| user.rename(&resource, former, tombstone).unwrap());
            world.count_anew();
            world.settle().await;
            assert_eq!(world.write_calls(), 0, "{former:?} {tombstone:?}");
            assert_eq!(world.link(ada).await.remote.unwrap().as_str(), world.resource("Ada King"));
            world.edit(ada, |card| card.notes = Some("later".to_owned())).await;
            world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
            world.settle().await;
            assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("later"));
            assert_eq!(world.contacts().await.len(), 3);
            world.assert_equal().await;
            world.assert_at_rest().await;
        }
    }
}

// The change stream alone tells former names. Here the token dies, and the full listing shows a record that nobody
// knows, carrying our tag.
#[tokio::test]
async fn a_record_renamed_while_the_token_died_is_followed() {
    for former in [FormerName::Gone, FormerName::Leads] {
        let (world, ada) = book().await;
        let resource = world.resource("Ada King");
        world.by_hand(|user| user.rename(&resource, former, Feed::Shown).unwrap());
        world.expire_tokens();
        world.count_anew();
        world.settle().await;
        assert_eq!(world.write_calls(), 0, "{former:?}");
        assert_eq!(world.link(ada).await.remote.unwrap().as_str(), world.resource("Ada King"), "{former:?}");
        assert_eq!(world.store_names().await.len(), 3, "{former:?}");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// As before, but the record came from Google and we have never written to it, so it carries no tag of ours: what a read
// of its old name leads to tells who it is.
#[tokio::test]
async fn a_record_without_our_tag_renamed_while_the_token_died_is_followed() {
    let world = two_books();
    world.google_create(google_person("Ada", "King", "ada@example.org"), &["Team"]);
    world.settle().await;
    world.advance(HOUR);
    let ada = world.by_name("Ada King").await.id;
    world.edit(ada, |card| _ = card.labels.insert("Friend".to_owned())).await;
    world.settle().await;
    let resource = world.resource("Ada King");
    world.by_hand(|user| user.rename(&resource, FormerName::Leads, Feed::Shown).unwrap());
    world.expire_tokens();
    world.settle().await;
    assert_eq!(world.contacts().await.len(), 1, "neither doubled nor replaced");
    assert_eq!(world.link(ada).await.remote.unwrap().as_str(), world.resource("Ada King"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_record_renamed_while_an_edit_is_on_its_way_gets_the_edit() {
    for former in [FormerName::Gone, FormerName::Leads] {
        let (world, ada) = book().await;
        world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
        let resource = world.resource("Ada King");
        world.by_hand(|user| user.rename(&resource, former, Feed::Shown).unwrap());
        world.edit(ada, |card| card.notes = Some("later".to_owned())).await;
        world.sync().await;
        world.advance(HOUR);
        world.settle().await;
        assert_eq!(world.google_names(), ["Ada King", "Alan Turing", "Grace Hopper"], "{former:?}");
        assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("later"), "{former:?}");
        world.assert_at_rest().await;
        world.assert_equal().await;
    }
}

#[tokio::test]
async fn a_record_renamed_just_before_its_deletion_is_deleted_under_its_new_name() {
    for former in [FormerName::Gone, FormerName::Leads] {
        let (world, ada) = book().await;
        world.switch(|settings| settings.propagation.delta = Delay::constant(600_000));
        let resource = world.resource("Ada King");
        world.by_hand(|user| user.rename(&resource, former, Feed::Shown).unwrap());
        world.delete(ada).await;
        world.sync().await;
        world.settle().await;
        world.advance(HOUR);
        world.settle().await;
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// Two contacts of the store are one in Google by "Merge & fix": the survivor has the values of both, the other record
// is gone. What the other contact alone knew in the store is in the bin with it, not lost.
#[tokio::test]
async fn a_merge_in_google_unites_the_values_and_removes_the_other_contact() {
    for trace in [MergeTrace::PreviousNames, MergeTrace::None] {
        let (world, ada) = book().await;
        let grace = world.by_name("Grace Hopper").await.id;
        let (survivor, other) = (world.resource("Ada King"), world.resource("Grace Hopper"));
        world.by_hand(|user| user.merge(&survivor, &[&other], trace).unwrap());
        world.settle().await;
        let contact = world.contact(ada).await;
        let addresses: Vec<&str> = contact.card.emails.iter().map(|email| email.value.as_str()).collect();
        assert_eq!(addresses, ["ada.king@example.org", "grace.hopper@example.org"], "{trace:?}");
        assert!(!world.contact(grace).await.is_live(), "{trace:?}");
        assert_eq!(world.google_names(), ["Ada King", "Alan Turing"], "{trace:?}");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// The survivor of the merge is a record that nobody had linked: it takes over the link.
#[tokio::test]
async fn a_contact_merged_into_a_stranger_lives_on_there() {
    for trace in [MergeTrace::PreviousNames, MergeTrace::None] {
        let (world, ada) = book().await;
        let survivor = world.google_create(google_person("Countess", "Lovelace", "countess@example.org"), &[]);
        world.sync().await;
        let other = world.resource("Ada King");
        world.by_hand(|user| user.merge(&survivor, &[&other], trace).unwrap());
        world.settle().await;
        let contact = world.contact(ada).await;
        assert!(contact.is_live(), "{trace:?}");
        assert_eq!(contact.card.display_name(), "Countess Lovelace", "{trace:?}");
        assert_eq!(contact.card.emails.len(), 2, "{trace:?}");
        assert_eq!(world.contacts().await.len(), 3, "{trace:?}: nobody is doubled");
        assert_eq!(world.people().len(), 3, "{trace:?}");
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// Merged, deleted in the store, and renamed at once: of the two whose names lead to the record, its tag names the one that
// lived on in it, and with her it goes.
#[tokio::test]
async fn a_contact_that_another_one_was_merged_into_is_deleted_under_its_new_name() {
    let (world, ada) = book().await;
    let grace = world.by_name("Grace Hopper").await.id;
    let (survivor, other) = (world.resource("Grace Hopper"), world.resource("Ada King"));
    world.delete(grace).await;
    world.by_hand(|user| user.merge(&survivor, &[&other], MergeTrace::PreviousNames).unwrap());
    world.sync().await;
    assert!(world.contact(grace).await.is_live(), "it was edited there");
    world.delete(grace).await;
    world.by_hand(|user| user.rename(&survivor, FormerName::Leads, Feed::Hidden).unwrap());
    world.settle().await;
    assert!(!world.contact(ada).await.is_live(), "she became one with Grace before");
    assert!(!world.contact(grace).await.is_live(), "it is her record that got another name, and nobody edited it");
    assert_eq!(world.people().len(), 1, "only Alan is there");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Both contacts' records are one, under a name that leads to it from either, and the other contact has it by now: there is
// no record any more by which the outcome of the edit could be found out.
#[tokio::test]
async fn an_unanswered_edit_of_a_record_that_another_contact_has_taken_over_comes_to_an_end() {
    let (world, ada) = book().await;
    let grace = world.by_name("Grace Hopper").await.id;
    let (survivor, other) = (world.resource("Ada King"), world.resource("Grace Hopper"));
    world.edit(ada, |card| card.notes = Some("met in London".to_owned())).await;
    world.strike("people.updateContact", FaultKind::Drop);
    world.sync().await;
    world.by_hand(|user| user.merge(&survivor, &[&other], MergeTrace::PreviousNames).unwrap());
    world.by_hand(|user| user.rename(&survivor, FormerName::Leads, Feed::Hidden).unwrap());
    world.settle().await;
    assert!(world.contact(grace).await.is_live());
    assert!(world.contact(ada).await.is_live(), "the edit outlives its record");
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("met in London"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// ---- doubled records

/// Sends the creation of a contact twice: the first request is thought lost and lands later.
async fn twins() -> (World, ContactId) {
    twins_listed_after(Duration::ZERO).await
}

/// The same; the change stream tells of the second one only so long after it landed.
async fn twins_listed_after(delay: Duration) -> (World, ContactId) {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.add(person("Grace Hopper")).await;
    // The request for Ada is carried out only long after everybody has given it up.
    world.strike("people.createContact", FaultKind::ApplyLate(2_700_000));
    world.sync().await;
    for _ in 0..2 {
        world.advance(Duration::from_secs(1200));
        world.sync().await;
    }
    assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"], "created once so far");
    let millis = u64::try_from(delay.as_millis()).unwrap();
    world.switch(|settings| settings.propagation.delta = Delay::constant(millis));
    world.advance(Duration::from_secs(600));
    world.switch(|settings| settings.propagation.delta = Delay::constant(0));
    world.assert_twice("Ada King");
    (world, ada)
}

#[tokio::test]
async fn a_contact_that_was_created_twice_is_one_again() {
    let (world, ada) = twins().await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"]);
    assert_eq!(world.contacts().await.len(), 2);
    assert!(world.contact(ada).await.is_live());
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn what_was_edited_on_the_doubled_record_is_kept() {
    let (world, ada) = twins().await;
    let own = world.link(ada).await.remote.unwrap();
    let twin = world.people().iter().map(|p| p["resourceName"].as_str().unwrap().to_owned()).find(|name| {
        *name != own.as_str() && world.by_hand(|user| user.person(name).unwrap())["names"][0]["givenName"] == "Ada"
    });
    let twin = twin.unwrap();
    world.by_hand(|user| user.edit(&twin, &json!({"nicknames": [{"value": "Countess"}]})).unwrap());
    world.edit(ada, |card| card.notes = Some("from the store".to_owned())).await;
    world.settle().await;
    let google = world.person("Ada King");
    assert_eq!(google["resourceName"], own.as_str());
    assert_eq!(first(&google, "nicknames", "value"), Some("Countess"));
    assert_eq!(first(&google, "biographies", "value"), Some("from the store"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// The first of two creates lands late and is edited, before reads show the second one: neither is the other under a new
// name, and who is taken for that would show up as somebody new.
#[tokio::test]
async fn a_doubled_record_that_was_edited_does_not_take_the_place_of_one_that_does_not_show_yet() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.strike("people.createContact", FaultKind::ApplyLate(1_260_000));
    world.sync().await;
    world.advance(Duration::from_secs(1200));
    world.switch(|settings| settings.propagation.get = Delay::constant(600_000));
    world.sync().await;
    world.switch(|settings| settings.propagation.get = Delay::constant(0));
    let own = world.link(ada).await.remote.expect("created again");
    world.advance(Duration::from_secs(120));
    world.assert_twice("Ada King");
    let names: Vec<String> = world.people().iter().map(|p| p["resourceName"].as_str().unwrap().to_owned()).collect();
    let twin = names.iter().find(|name| **name != own.as_str()).expect("the first one");
    world.by_hand(|user| user.edit(twin, &json!({"nicknames": [{"value": "Countess"}]})).unwrap());
    world.sync().await;
    assert_eq!(world.link(ada).await.remote, Some(own));
    world.advance(Duration::from_secs(1800));
    world.settle().await;
    assert_eq!((world.google_names(), world.contacts().await.len()), (vec!["Ada King".to_owned()], 1));
    assert_eq!(first(&world.person("Ada King"), "nicknames", "value"), Some("Countess"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Somebody sees a contact twice in Google and deletes one of the two: the other one is the contact from then on, with what
// only the deleted one had been told.
#[tokio::test]
async fn a_doubled_record_takes_the_place_of_one_that_was_deleted_in_google() {
    for is_told_first in [true, false] {
        let (world, ada) = twins().await;
        world.sync().await;
        let own = world.link(ada).await.remote.unwrap();
        world.by_hand(|user| user.edit(own.as_str(), &json!({"biographies": [{"value": "met in London"}]})).unwrap());
        world.sync().await;
        world.assert_twice("Ada King");
        world.by_hand(|user| user.delete(own.as_str()).unwrap());
        if !is_told_first {
            // The push asks for the record before the change stream tells.
            world.switch(|settings| settings.propagation.delta = Delay::constant(3_600_000));
            world.advance(Duration::from_secs(1200));
        }
        world.sync().await;
        world.switch(|settings| settings.propagation.delta = Delay::constant(0));
        world.advance(Duration::from_secs(7200));
        world.settle().await;
        assert!(world.contact(ada).await.is_live(), "told first: {is_told_first}");
        assert_eq!(
            world.contact(ada).await.card.notes.as_deref(),
            Some("met in London"),
            "told first: {is_told_first}"
        );
        assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"], "told first: {is_told_first}");
        assert_ne!(world.link(ada).await.remote.unwrap(), own);
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// The second record is listed only when the first one, which was told more, has been deleted in Google. It has never had
// what it lacks: nobody took that off.
#[tokio::test]
async fn a_doubled_record_that_shows_after_the_other_one_is_gone_has_lost_nothing() {
    let (world, ada) = twins_listed_after(Duration::from_secs(3600)).await;
    world.edit(ada, |card| card.notes = Some("from the store".to_owned())).await;
    world.sync().await;
    let own = world.link(ada).await.remote.unwrap();
    world.by_hand(|user| user.delete(own.as_str()).unwrap());
    world.advance(Duration::from_secs(7200));
    world.settle().await;
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("from the store"));
    assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("from the store"));
    assert_ne!(world.link(ada).await.remote.unwrap(), own);
    assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"]);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Two new records look like one contact: it was deleted in Google and made anew by hand, and somebody else shares its
// phone. The change stream tells of the deletion late. Neither is taken in before it is known whether the contact's record
// is there.
#[tokio::test]
async fn new_records_that_look_like_one_contact_all_wait_for_the_answer() {
    let world = World::new();
    world.add(person("Grace Hopper")).await;
    world.settle().await;
    // New records are looked at in no order of theirs: one of these comes after the other.
    let numbers = 10..18;
    let create = |mail: &str, number: i32| {
        let mut one = google_person(&format!("Ada{number}"), "King", &format!("{mail}{number}@example.org"));
        one["phoneNumbers"] = json!([{"value": format!("+49 30 1234{number}"), "type": "home"}]);
        world.google_create(one, &[GROUP]);
    };
    numbers.clone().for_each(|number| create("ada", number));
    world.settle().await;
    world.advance(Duration::from_secs(7200));
    let mut before: Vec<ContactId> = world.contacts().await.iter().map(|contact| contact.id).collect();
    before.sort();
    world.switch(|settings| settings.propagation.delta = Delay::constant(3_600_000));
    numbers.clone().for_each(|number| world.google_delete(&format!("Ada{number} King")));
    world.switch(|settings| settings.propagation.delta = Delay::constant(0));
    numbers.clone().for_each(|number| create("home", number));
    numbers.clone().for_each(|number| create("work", number));
    for id in &before {
        world.edit(*id, |card| card.notes = Some("edited meanwhile".to_owned())).await;
    }
    world.sync().await;
    world.advance(Duration::from_secs(7200));
    world.settle_but(Outcome::Parked).await;
    // Which of the two each contact is now is for a person to say.
    let mut after: Vec<ContactId> = world.contacts().await.iter().map(|contact| contact.id).collect();
    after.sort();
    assert_eq!(after, before);
}

// The listing shows the doubled record long after the contact's own one was edited, and before a direct read does.
#[tokio::test]
async fn a_doubled_record_that_is_listed_before_it_can_be_read_is_looked_at_again() {
    let world = World::new();
    let ada = world.add(person("Ada King")).await;
    world.strike("people.createContact", FaultKind::ApplyLate(2_700_000));
    world.sync().await;
    for _ in 0..2 {
        world.advance(Duration::from_secs(1200));
        world.sync().await;
    }
    let delays = (Delay::constant(600_000), Delay::constant(300_000));
    world.switch(|settings| (settings.propagation.get, settings.propagation.delta) = delays);
    world.advance(Duration::from_secs(600));
    world.assert_twice("Ada King");
    world.switch(|settings| settings.propagation = Default::default());
    world.edit(ada, |card| card.notes = Some("met in London".to_owned())).await;
    world.sync().await;
    world.advance(Duration::from_secs(310));
    world.sync().await;
    world.advance(Duration::from_secs(1200));
    world.settle().await;
    assert_eq!((world.google_names().len(), world.contacts().await.len()), (1, 1));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_doubled_record_whose_deletion_goes_unanswered_is_gone_all_the_same() {
    for kind in [FaultKind::DropAfter, FaultKind::Drop, FaultKind::StatusAfter(500)] {
        let (world, _) = twins().await;
        world.strike("people.deleteContact", kind);
        world.sync().await;
        world.settle().await;
        assert_eq!(world.google_names(), ["Ada King", "Grace Hopper"]);
        world.assert_equal().await;
        world.assert_at_rest().await;
    }
}

// Somebody duplicates a contact in Google on purpose; clients' data is copied along. The copy is a contact of its own,
// whether we have changed the original since we made it, or made it long ago.
#[tokio::test]
async fn a_copy_made_in_google_is_a_contact_of_its_own() {
    for edited in [true, false] {
        copy_in_google(edited).await;
    }
}

async fn copy_in_google(edited: bool) {
    let (world, ada) = book().await;
    match edited {
        true => world.edit(ada, |card| card.notes = Some("original".to_owned())).await,
        false => world.advance(HOUR * 48),
    }
    world.settle().await;
    let original = world.person("Ada King");
    let mut copy = json!({});
    for list in ["names", "emailAddresses", "clientData"] {
        copy[list] = original[list].clone();
        for item in copy[list].as_array_mut().unwrap() {
            item.as_object_mut().unwrap().remove("metadata");
        }
    }
    copy["names"] = json!([{"givenName": "Ada", "familyName": "Copy"}]);
    world.google_create(copy, &["Team"]);
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada Copy", "Ada King", "Alan Turing", "Grace Hopper"]);
    assert_eq!(world.store_names().await, ["Ada Copy", "Ada King", "Alan Turing", "Grace Hopper"]);
    let id = world.by_name("Ada Copy").await.id;
    world.edit(id, |card| card.notes = Some("copy".to_owned())).await;
    world.edit(ada, |card| card.notes = Some("still the original".to_owned())).await;
    world.settle().await;
    assert_eq!(first(&world.person("Ada Copy"), "biographies", "value"), Some("copy"));
    assert_eq!(first(&world.person("Ada King"), "biographies", "value"), Some("still the original"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// ---- unlinked

#[tokio::test]
async fn an_unlinked_pair_is_never_made_again() {
    let mut promise = promise();
    promise.delete.in_remote = InRemote::Unlink;
    let world = World::with(promise);
    let ada = world.add(person("Ada King")).await;
    world.settle().await;
    world.advance(HOUR);
    world.google_unlabel("Ada King", "Team");
    world.settle().await;
    assert_eq!(world.link(ada).await.state, LinkState::Dormant);
    world.edit(ada, |card| card.notes = Some("store".to_owned())).await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "google"}]}));
    world.settle().await;
    world.sync_in_full().await;
    assert_eq!(world.people().len(), 1, "not created again");
    assert_eq!(world.contacts().await.len(), 1, "not taken in again");
    assert_eq!(world.groups_of("Ada King"), ["myContacts"], "not joined again");
    world.google_delete("Ada King");
    world.settle().await;
    assert!(world.contact(ada).await.is_live());
    assert!(world.people().is_empty());
    world.assert_at_rest().await;
}

// ---- organizations

#[tokio::test]
async fn an_organization_is_a_company_contact_and_back() {
    let world = two_books();
    world.google_create(
        json!({"organizations": [{"name": "Example GmbH"}], "phoneNumbers": [{"value": "+49 30 1234567"}]}),
        &["Team"],
    );
    let mut acme = Card::organization("Acme Ltd");
    acme.notes = Some("from the store".to_owned());
    world.add(acme).await;
    world.settle().await;
    let example = world.by_name("Example GmbH").await;
    assert_eq!((example.card.kind(), example.implicit), (Kind::Organization, false));
    assert_eq!(first(&world.person("Acme Ltd"), "biographies", "value"), Some("from the store"));
    world.google_edit("Acme Ltd", &json!({"organizations": [{"name": "Acme Inc", "current": true}]}));
    world.edit(example.id, |card| card.notes = Some("seen".to_owned())).await;
    world.settle().await;
    assert_eq!(world.store_names().await, ["Acme Inc", "Example GmbH"]);
    assert_eq!(first(&world.person("Example GmbH"), "biographies", "value"), Some("seen"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_organization_that_only_a_person_names_is_implicit_until_somebody_edits_it() {
    let world = two_books();
    let mut ada = google_person("Ada", "King", "ada@example.org");
    ada["organizations"] = json!([{"name": "Example GmbH"}]);
    world.google_create(ada, &["Team"]);
    world.settle().await;
    let company = world.by_name("Example GmbH").await;
    assert!(company.implicit);
    assert_eq!(world.people().len(), 1, "it is no contact of its own in Google");
    editor(&world, async |editor| {
        editor.edit(company.id, Kind::Organization, &json!({"notes": "a customer"})).await.unwrap();
    })
    .await;
    world.settle().await;
    assert_eq!(world.google_names(), ["Ada King", "Example GmbH"]);
    assert_eq!(company_of(&world.by_name("Ada King").await).as_deref(), Some("Example GmbH"));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// A person names the company first; then the company contact itself is put into the group: one organization.
#[tokio::test]
async fn a_company_contact_is_the_organization_that_persons_name() {
    let world = two_books();
    let mut ada = google_person("Ada", "King", "ada@example.org");
    ada["organizations"] = json!([{"name": "Example GmbH"}]);
    world.google_create(ada, &["Team"]);
    world.settle().await;
    world.google_create(
        json!({"organizations": [{"name": "Example GmbH"}], "phoneNumbers": [{"value": "+49 30 1234567"}]}),
        &["Team"],
    );
    world.settle().await;
    let company = world.by_name("Example GmbH").await;
    assert_eq!(company.card.phones.len(), 1);
    assert!(!company.implicit, "it is a contact of its own now");
    let ada = world.by_name("Ada King").await;
    assert_eq!(ada.card.as_person().unwrap().organization.as_ref().unwrap().id, Some(company.id));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn both_in_one_run_the_company_comes_before_its_people() {
    let world = two_books();
    let mut ada = google_person("Ada", "King", "ada@example.org");
    ada["organizations"] = json!([{"name": "Example GmbH"}]);
    world.google_create(ada, &["Team"]);
    world.google_create(json!({"organizations": [{"name": "Example GmbH"}]}), &["Team"]);
    world.settle().await;
    let company = world.by_name("Example GmbH").await;
    assert!(!company.implicit);
    let ada = world.by_name("Ada King").await;
    assert_eq!(ada.card.as_person().unwrap().organization.as_ref().unwrap().id, Some(company.id));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_company_edited_in_google_moves_the_person() {
    let world = two_books();
    let mut ada = google_person("Ada", "King", "ada@example.org");
    ada["organizations"] = json!([{"name": "Example GmbH", "title": "CTO"}]);
    world.google_create(ada, &["Team"]);
    world.add(Card::organization("Acme Ltd")).await;
    world.settle().await;
    world.google_edit("Ada King", &json!({"organizations": [{"name": "acme ltd", "title": "CTO"}]}));
    world.count_anew();
    world.settle().await;
    let acme = world.by_name("Acme Ltd").await.id;
    let organization = world.by_name("Ada King").await.card.as_person().unwrap().organization.clone().unwrap();
    assert_eq!((organization.id, organization.name.as_str()), (Some(acme), "Acme Ltd"));
    assert_eq!(world.write_calls(), 0, "the spelling in Google is left alone");
    world.google_edit("Ada King", &json!({"organizations": [{"name": "Brand New", "title": "CTO"}]}));
    world.settle().await;
    assert!(world.by_name("Brand New").await.implicit, "created when missing");
    world.google_edit("Ada King", &json!({"organizations": [{"title": "CTO"}]}));
    world.settle().await;
    assert_eq!(company_of(&world.by_name("Ada King").await), None);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_organization_renamed_in_the_store_is_renamed_at_its_people_in_google() {
    let (world, _) = book().await;
    let acme = world.add(Card::organization("Acme Ltd")).await;
    for name in ["Ada King", "Grace Hopper"] {
        let id = world.by_name(name).await.id;
        editor(&world, async |editor| {
            editor.edit(id, Kind::Person, &json!({"organization": {"name": "Acme Ltd"}})).await.unwrap();
        })
        .await;
    }
    world.settle().await;
    editor(&world, async |editor| {
        editor.edit(acme, Kind::Organization, &json!({"name": "Acme Inc"})).await.unwrap();
    })
    .await;
    world.settle().await;
    for name in ["Ada King", "Grace Hopper"] {
        assert_eq!(first(&world.person(name), "organizations", "name"), Some("Acme Inc"), "{name}");
    }
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_organization_renamed_in_google_is_renamed_at_its_people() {
    let (world, ada) = book().await;
    let acme = world.add(Card::organization("Acme Ltd")).await;
    editor(&world, async |editor| {
        editor.edit(ada, Kind::Person, &json!({"organization": {"name": "Acme Ltd"}})).await.unwrap();
    })
    .await;
    world.settle().await;
    world.google_edit("Acme Ltd", &json!({"organizations": [{"name": "Acme Inc", "current": true}]}));
    world.settle().await;
    assert_eq!(world.contact(acme).await.card.display_name(), "Acme Inc");
    let organization = world.contact(ada).await.card.as_person().unwrap().organization.clone().unwrap();
    assert_eq!((organization.id, organization.name.as_str()), (Some(acme), "Acme Inc"));
    assert_eq!(first(&world.person("Ada King"), "organizations", "name"), Some("Acme Inc"));
    assert_eq!(world.store_names().await.iter().filter(|name| name.starts_with("Acme")).count(), 1);
    world.assert_equal().await;
    world.assert_at_rest().await;
}

// Whoever was edited, or came to the organization, in the same moment follows as well.
#[tokio::test]
async fn people_edited_while_their_organization_is_renamed_in_google_follow_it() {
    let (world, ada) = book().await;
    world.add(Card::organization("Firm One")).await;
    world.settle().await;
    world.google_edit("Ada King", &json!({"organizations": [{"name": "Firm One"}]}));
    world.google_edit("Firm One", &json!({"organizations": [{"name": "Firm Two"}]}));
    world.settle().await;
    assert_eq!(first(&world.person("Ada King"), "organizations", "name"), Some("Firm Two"));
    world.google_edit("Ada King", &json!({"nicknames": [{"value": "Countess"}]}));
    world.google_edit("Firm Two", &json!({"organizations": [{"name": "Firm Three"}]}));
    world.settle().await;
    assert_eq!(first(&world.person("Ada King"), "organizations", "name"), Some("Firm Three"));
    let history = serde_json::to_string(&world.history(ada).await).unwrap();
    assert!(history.contains("Firm Three"), "{history}");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn with_company_only_organizations_are_no_contacts_in_google() {
    for organizations in [Organizations::Company, Organizations::Off] {
        let world = World::with(Promise { organizations, ..promise() });
        world.add(Card::organization("Acme Ltd")).await;
        editor(&world, async |editor| {
            let patch = json!({"name": {"full": "Ada King"}, "organization": {"name": "Acme Ltd"}});
            editor.add(Kind::Person, &patch).await.unwrap()
        })
        .await;
        world.settle().await;
        world.google_create(json!({"organizations": [{"name": "Example GmbH"}]}), &["Team"]);
        world.google_create(json!({"names": [{"givenName": "Emmy"}], "organizations": [{"name": "Uni"}]}), &["Team"]);
        world.settle().await;
        // The company contact of somebody else stays as it is, and does not come in.
        assert_eq!(world.google_names(), ["Ada King", "Emmy", "Example GmbH"], "{organizations:?}");
        assert_eq!(world.store_names().await, ["Acme Ltd", "Ada King", "Emmy"], "{organizations:?}");
        world.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_person_who_works_for_a_company_in_text_only_keeps_it_while_google_edits_something_else() {
    let (world, ada) = book().await;
    let acme = world.add(Card::organization("Acme Ltd")).await;
    editor(&world, async |editor| {
        editor.edit(ada, Kind::Person, &json!({"organization": {"name": "Acme Ltd"}})).await.unwrap();
        editor.delete(acme, Kind::Organization).await.unwrap();
    })
    .await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "from Google"}]}));
    world.settle().await;
    assert_eq!(first(&world.person("Ada King"), "organizations", "name"), Some("Acme Ltd"), "the edit still goes out");
    assert_eq!(world.contact(ada).await.card.notes.as_deref(), Some("from Google"));
    world.assert_at_rest().await;
}
