//! Who is who where nobody but a person can tell: the question is kept, it is answered once, and the next run does what was
//! said. An answer holds when the record is renamed or listed again, and can be taken back.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::answer::{Answer, Said};
use contactsync::domain::contact::Card;
use contactsync::domain::id::{ContactId, RemoteId};
use contactsync::domain::link::{Link, LinkState, Parked};
use contactsync::emulator::FormerName;
use contactsync::emulator::settings::Feed;
use contactsync::engine::operation::OperationKind;
use contactsync::engine::{Purpose, Reach};
use contactsync::store::{Commit, Write};
use serde_json::{Value, json};

use crate::support::effort::calls;
use crate::support::world::{World, as_person, person, phone};

const HOUR: Duration = Duration::from_secs(3600);
const SHARED: &str = "+49 30 1234567";

impl World {
    /// Says something about a contact and a record.
    async fn say(&self, contact: ContactId, remote: &str, said: Said) {
        let (account, remote, at) = (self.promise.account.clone(), RemoteId::new(remote), self.tick());
        let writes = vec![Write::Answer(Answer { account, contact, remote, said, at })];
        self.store.commit(Commit { fence: None, writes }).await.expect("said");
    }

    async fn answers(&self) -> Vec<Answer> {
        self.store.answers(&self.promise.account).await.expect("read")
    }

    async fn link_of(&self, remote: &str) -> Link {
        let found = self.store.links_of_remotes(&self.promise.account, &[RemoteId::new(remote)]).await.expect("read");
        found.into_iter().next().expect("a link").1
    }

    /// How many questions wait.
    async fn questions(&self) -> u64 {
        self.store.link_counts(&self.promise.account).await.expect("read").questions
    }
}

fn question(link: &Link) -> &Parked {
    link.parked.as_ref().expect("a question")
}

/// One of a family that has one phone.
fn member(given: &str) -> Card {
    let mut card = person(format!("{given} King").trim());
    card.emails.clear();
    card.phones.push(phone(SHARED));
    card
}

/// The same in Google; without a given name it may be anybody of them.
fn google_member(given: &str) -> Value {
    let name = if given.is_empty() {
        json!({"familyName": "King"})
    } else {
        json!({"givenName": given, "familyName": "King"})
    };
    json!({"names": [name], "phoneNumbers": [{"value": SHARED}], "biographies": [{"value": "from Google"}]})
}

/// A record in the group that may be either of two contacts, which it shares a phone with.
async fn doubtful_record() -> (World, String, [ContactId; 2]) {
    let world = World::new();
    world.by_hand(|user| user.create_group("Team").unwrap());
    let contacts = [world.add(member("Ada")).await, world.add(member("Eve")).await];
    let record = world.google_create(google_member(""), &["Team"]);
    world.settle_but(Outcome::Parked).await;
    world.advance(HOUR);
    (world, record, contacts)
}

#[tokio::test]
async fn a_question_names_its_candidates_and_costs_no_call() {
    let (world, record, contacts) = doubtful_record().await;
    let link = world.link_of(&record).await;
    assert_eq!(question(&link).candidates.contacts, contacts.into());
    assert!(question(&link).reason.contains(&format!("contactsync match show {record}")), "{:?}", link.parked);
    assert_eq!((world.questions().await, world.people().len()), (1, 1), "neither of both is created meanwhile");
    world.count_anew();
    let report = world.run(Reach::Incremental, Purpose::Preview).await;
    let told: Vec<&str> = report.operations.iter().map(|operation| operation.reason.as_str()).collect();
    assert_eq!(report.operations.len(), 1, "{told:?}");
    assert_eq!(report.operations[0].op, OperationKind::Conflict);
    assert!(
        told[0].starts_with("doubtful: ") && told[0].contains("Ada King (") && told[0].contains(&record),
        "{told:?}"
    );
    assert!(report.summary.notices.iter().any(|notice| notice.contains("contactsync match list")), "{report:?}");
    assert_eq!(world.api_calls(), calls(&[("contactGroups.list", 1), ("people.connections.list", 1)]));
}

#[tokio::test]
async fn what_was_said_to_be_the_same_is_linked_and_unites_and_the_other_is_made() {
    let (world, record, [ada, eve]) = doubtful_record().await;
    world.say(eve, &record, Said::Same).await;
    world.settle().await;
    let link = world.link(eve).await;
    assert_eq!((link.state, link.remote.map(|remote| remote.to_string())), (LinkState::Bound, Some(record)));
    let card = world.contact(eve).await.card;
    assert_eq!(card.notes.as_deref(), Some("from Google"));
    assert_eq!(card.phones.len(), 1);
    assert_eq!(world.link(ada).await.state, LinkState::Bound);
    assert_eq!((world.people().len(), world.contacts().await.len(), world.questions().await), (2, 2, 0));
    assert_eq!(world.answers().await, [], "what was asked for is done");
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn when_one_of_two_is_ruled_out_the_other_is_it() {
    let (world, record, [ada, eve]) = doubtful_record().await;
    world.say(eve, &record, Said::Different).await;
    world.settle().await;
    assert_eq!(world.link(ada).await.remote.map(|remote| remote.to_string()), Some(record));
    assert_eq!((world.people().len(), world.contacts().await.len()), (2, 2));
    assert_eq!(world.answers().await.len(), 1, "not the same is remembered");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn when_nobody_is_left_the_record_becomes_a_contact_of_its_own() {
    let (world, record, contacts) = doubtful_record().await;
    for contact in contacts {
        world.say(contact, &record, Said::Different).await;
    }
    world.settle().await;
    assert_eq!((world.people().len(), world.contacts().await.len(), world.questions().await), (3, 3, 0));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_answer_to_the_contrary_and_one_taken_back_count_as_the_last_word() {
    let (world, record, [ada, eve]) = doubtful_record().await;
    world.say(ada, &record, Said::Same).await;
    world.say(ada, &record, Said::Different).await;
    world.say(eve, &record, Said::Different).await;
    let account = world.promise.account.clone();
    let writes = vec![Write::DropAnswer { account, contact: eve, remote: RemoteId::new(&record) }];
    world.store.commit(Commit { fence: None, writes }).await.unwrap();
    world.settle().await;
    assert_eq!(world.link(eve).await.remote.map(|remote| remote.to_string()), Some(record));
}

#[tokio::test]
async fn what_was_said_before_the_first_run_is_not_asked() {
    let world = World::new();
    world.by_hand(|user| user.create_group("Team").unwrap());
    let [ada, eve] = [world.add(member("Ada")).await, world.add(member("Eve")).await];
    let record = world.google_create(google_member(""), &["Team"]);
    world.say(ada, &record, Said::Same).await;
    world.settle().await;
    assert_eq!(world.link(ada).await.remote.map(|remote| remote.to_string()), Some(record));
    assert_eq!(world.link(eve).await.state, LinkState::Bound);
}

#[tokio::test]
async fn what_nothing_speaks_for_is_linked_when_a_person_says_so() {
    let world = World::new();
    world.by_hand(|user| user.create_group("Team").unwrap());
    let ada = world.add(person("Ada Byron")).await;
    let record = world.google_create(json!({"names": [{"givenName": "Augusta", "familyName": "King"}]}), &["Team"]);
    world.say(ada, &record, Said::Same).await;
    world.settle().await;
    assert_eq!((world.people().len(), world.contacts().await.len()), (1, 1));
    world.assert_equal().await;
}

#[tokio::test]
async fn an_answer_follows_its_record_to_another_name_and_survives_a_full_listing() {
    let (world, record, [ada, eve]) = doubtful_record().await;
    for contact in [ada, eve] {
        world.say(contact, &record, Said::Different).await;
    }
    let renamed = world.by_hand(|user| user.rename(&record, FormerName::Gone, Feed::Shown)).expect("renamed");
    let renamed = renamed["resourceName"].as_str().expect("a name");
    world.settle().await;
    assert_eq!((world.people().len(), world.contacts().await.len()), (3, 3), "parted under the new name too");
    assert!(
        world.answers().await.iter().any(|answer| answer.remote.as_str() == renamed),
        "{:?}",
        world.answers().await
    );
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_e_mail_in_common_with_another_birthday_is_a_question() {
    let world = World::new();
    world.by_hand(|user| user.create_group("Team").unwrap());
    let mut card = person("Ada King");
    as_person(&mut card).birthday = "1990-05-17".parse().ok();
    let ada = world.add(card).await;
    let record = world.google_create(
        json!({"names": [{"givenName": "Ada", "familyName": "King"}],
            "emailAddresses": [{"value": "ada.king@example.org"}],
            "birthdays": [{"date": {"year": 1990, "month": 7, "day": 15}}]}),
        &["Team"],
    );
    world.settle_but(Outcome::Parked).await;
    assert_eq!((world.people().len(), world.contacts().await.len()), (1, 1), "neither is made anew");
    assert_eq!(question(&world.link_of(&record).await).candidates.contacts, [ada].into());
    world.say(ada, &record, Said::Same).await;
    world.settle().await;
    assert_eq!((world.people().len(), world.contacts().await.len()), (1, 1));
    world.assert_equal().await;
    world.assert_at_rest().await;
}

/// A contact that may be either of two strangers.
async fn doubtful_contact() -> (World, ContactId, [String; 2]) {
    let world = World::new();
    world.by_hand(|user| user.create_group("Team").unwrap());
    let strangers = ["Ada", "Eve"].map(|given| world.google_create(google_member(given), &[]));
    world.sync().await;
    let contact = world.add(member("")).await;
    world.settle_but(Outcome::Parked).await;
    world.advance(HOUR);
    (world, contact, strangers)
}

#[tokio::test]
async fn a_doubt_about_strangers_is_a_question_and_is_told_in_every_plan() {
    let (world, contact, strangers) = doubtful_contact().await;
    let expected = strangers.iter().map(RemoteId::new).collect();
    assert_eq!(question(&world.link(contact).await).candidates.records, expected);
    for _ in 0..2 {
        world.count_anew();
        let report = world.run(Reach::Incremental, Purpose::Preview).await;
        assert_eq!(report.operations.len(), 1, "{report:?}");
        assert!(report.operations[0].reason.contains(&format!("contactsync match show {contact}")), "{report:?}");
        assert_eq!(world.write_calls(), 0);
    }
}

#[tokio::test]
async fn a_contact_is_joined_to_the_stranger_that_a_person_chose() {
    let (world, contact, [ada, eve]) = doubtful_contact().await;
    world.say(contact, &eve, Said::Same).await;
    world.settle().await;
    assert_eq!(world.link(contact).await.remote.map(|remote| remote.to_string()), Some(eve));
    assert_eq!((world.groups_of("Ada King"), world.people().len()), (vec!["myContacts".to_owned()], 2), "{ada}");
    assert_eq!(world.contact(contact).await.card.notes.as_deref(), Some("from Google"));
    assert_eq!(world.answers().await, []);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_contact_that_is_none_of_the_strangers_is_made() {
    let (world, contact, strangers) = doubtful_contact().await;
    for stranger in &strangers {
        world.say(contact, stranger, Said::Different).await;
    }
    world.settle().await;
    assert_eq!(world.people().len(), 3);
    assert_eq!(world.groups_of("King"), ["Team", "myContacts"]);
    assert_eq!(world.link(contact).await.state, LinkState::Bound);
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_chosen_stranger_that_is_gone_is_not_waited_for() {
    let (world, contact, [ada, _]) = doubtful_contact().await;
    world.say(contact, &ada, Said::Same).await;
    world.google_delete("Ada King");
    world.google_edit("Eve King", &json!({"phoneNumbers": [{"value": "+49 40 7654321"}]}));
    world.settle().await;
    assert_eq!(world.groups_of("King"), ["Team", "myContacts"]);
    assert_eq!(world.answers().await, [], "there is nothing to be done about it any more");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn of_two_contacts_that_claim_one_stranger_the_chosen_one_gets_it_and_the_other_is_made() {
    let world = World::new();
    world.by_hand(|user| user.create_group("Team").unwrap());
    let stranger = world.google_create(google_member(""), &[]);
    world.sync().await;
    let [ada, eve] = [world.add(member("Ada")).await, world.add(member("Eve")).await];
    world.settle_but(Outcome::Parked).await;
    assert_eq!(world.questions().await, 2);
    world.say(ada, &stranger, Said::Same).await;
    world.settle().await;
    assert_eq!(world.link(ada).await.remote.map(|remote| remote.to_string()), Some(stranger));
    assert_eq!(world.link(eve).await.state, LinkState::Bound);
    assert_eq!((world.people().len(), world.questions().await), (2, 0));
    world.assert_at_rest().await;
}

#[tokio::test]
async fn an_answer_about_a_record_that_enters_the_group_meanwhile_holds() {
    let (world, contact, [ada, _]) = doubtful_contact().await;
    world.say(contact, &ada, Said::Same).await;
    world.google_label("Ada King", "Team");
    world.settle().await;
    assert_eq!(world.link(contact).await.remote.map(|remote| remote.to_string()), Some(ada));
    assert_eq!((world.people().len(), world.contacts().await.len()), (2, 1));
    world.assert_at_rest().await;
}
