//! The main job: a store and a group are made equal.

use contactsync::domain::account::Outcome;
use serde_json::json;

use crate::support::world::{World, as_person, person, phone};

#[tokio::test]
async fn contacts_of_the_store_appear_in_the_group() {
    let world = World::new();
    for name in ["Ada King", "Grace Hopper", "Plato"] {
        world.add(person(name)).await;
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.created), (Outcome::Done, 3), "{summary:?}");
    assert_eq!(world.people().len(), 3);
    assert_eq!(world.group("Team")["memberCount"], 3);
    let again = world.sync().await;
    assert_eq!((again.outcome, again.pushed.total(), again.pulled.total()), (Outcome::Done, 0, 0), "{again:?}");
    world.assert_no_violation();
}

#[tokio::test]
async fn contacts_of_the_group_come_into_the_store() {
    let world = World::new();
    world.sync().await;
    world.google_create(
        json!({"names": [{"givenName": "Ada", "familyName": "King"}], "emailAddresses": [{"value": "ada@example.org"}],
               "organizations": [{"name": "Example GmbH", "title": "CTO"}]}),
        &["Team"],
    );
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.created), (Outcome::Done, 1), "{summary:?}");
    let ada = world.by_name("Ada King").await;
    assert_eq!(ada.card.emails[0].value, "ada@example.org");
    let organization = ada.card.as_person().unwrap().organization.clone().unwrap();
    assert_eq!(organization.name, "Example GmbH");
    assert!(world.contact(organization.id.unwrap()).await.implicit);
    let again = world.sync().await;
    assert_eq!((again.pushed.total(), again.pulled.total()), (0, 0), "{again:?}");
    assert_eq!(world.people().len(), 1, "an implicit organization is no contact of its own");
}

#[tokio::test]
async fn edits_to_different_fields_on_both_sides_are_both_kept() {
    let world = World::new();
    let id = world.add(person("Ada King")).await;
    world.sync().await;
    world.edit(id, |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 0), "{summary:?}");
    let contact = world.contact(id).await;
    assert_eq!(contact.card.notes.as_deref(), Some("met in London"));
    let google = world.person("Ada King");
    assert_eq!(google["phoneNumbers"][0]["value"], "+44 20 7946 0000");
    assert_eq!(google["biographies"][0]["value"], "met in London");
    let again = world.sync().await;
    assert_eq!((again.pushed.total(), again.pulled.total()), (0, 0), "{again:?}");
}

#[tokio::test]
async fn of_two_edits_to_one_field_the_newest_wins_and_the_other_is_in_the_history() {
    let world = World::new();
    let id = world.add(person("Ada King")).await;
    world.sync().await;
    world.edit(id, |card| as_person(card).job_title = Some("CTO".into())).await;
    world.google_edit("Ada King", &json!({"organizations": [{"title": "CEO"}]}));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 1), "{summary:?}");
    assert_eq!(world.contact(id).await.card.as_person().unwrap().job_title.as_deref(), Some("CEO"));
    let history = world.history(id).await;
    let conflict = history.iter().flat_map(|change| &change.conflicts).next().expect("a conflict in the history");
    assert_eq!((&conflict.store, &conflict.remote), (&json!("CTO"), &json!("CEO")));
}
