//! Edits against the store in memory: what is written, and what follows from it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::clock::{ManualClock, SeededEntropy};
use crate::domain::field::Field;
use crate::domain::history::{Action, RecordedChange};
use crate::domain::id::{AccountName, ConflictId, LinkId, LinkToken, ReplicaId};
use crate::domain::link::{Link, LinkState};
use crate::domain::policy::ConflictPolicy;
use crate::domain::time::Timestamp;
use crate::domain::version::VersionVector;
use crate::store::HistoryQuery;
use crate::store::memory::MemoryStore;

struct World {
    store: MemoryStore,
    clock: ManualClock,
    entropy: SeededEntropy,
}

impl World {
    fn new() -> Self {
        let entropy = SeededEntropy::new(7);
        let clock = ManualClock::new("2026-11-23T15:00:00Z".parse().expect("a time"));
        World { store: MemoryStore::new(&entropy), clock, entropy }
    }

    fn editor(&self) -> Editor<'_> {
        Editor { store: &self.store, clock: &self.clock, entropy: &self.entropy, actor: Actor::User }
    }

    async fn add(&self, kind: Kind, patch: Value) -> Contact {
        self.clock.advance(Duration::from_secs(1));
        self.editor().add(kind, &patch).await.expect("added")
    }

    async fn edit(&self, contact: &Contact, patch: Value) -> Contact {
        self.clock.advance(Duration::from_secs(1));
        self.editor().edit(contact.id, contact.card.kind(), &patch).await.expect("edited")
    }

    async fn read(&self, id: ContactId) -> Contact {
        self.store.contacts(&[id]).await.expect("read").pop().expect("there")
    }

    async fn history(&self) -> Vec<RecordedChange> {
        self.store.history(&HistoryQuery::default()).await.expect("read")
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn company(contact: &Contact) -> (Option<ContactId>, String) {
    let person = contact.card.as_person().expect("a person");
    let reference = person.organization.as_ref().expect("an organization");
    (reference.id, reference.name.clone())
}

#[tokio::test]
async fn an_added_person_is_stored_with_its_first_version_and_its_history() {
    let world = World::new();
    let ada = world.add(Kind::Person, json!({"name": "Ada King", "labels": ["VIP"]})).await;
    assert_eq!(world.read(ada.id).await, ada);
    assert_eq!(ada.version.get(&ReplicaId::store(1)), 1);
    assert!(ada.touched.is_empty() && ada.created == world.now() && ada.updated == world.now());
    let history = world.history().await;
    assert_eq!((history.len(), history[0].change.action), (1, Action::Created));
    let fields: Vec<String> = history[0].change.fields.iter().map(|change| change.field.to_string()).collect();
    assert_eq!(fields, ["name", "labels"]);
}

#[tokio::test]
async fn an_edit_ticks_the_version_and_touches_only_what_it_changes() {
    let world = World::new();
    let ada = world.add(Kind::Person, json!({"name": "Ada King", "job_title": "CTO"})).await;
    let edited = world.edit(&ada, json!({"job_title": "CEO", "name": {"given": "Ada"}})).await;
    assert_eq!(edited.version.get(&ReplicaId::store(1)), 2);
    assert_eq!(edited.touched.keys().collect::<Vec<_>>(), [&Field::JobTitle]);
    assert_eq!((edited.touched[&Field::JobTitle], edited.created), (world.now(), ada.created));
    let change = &world.history().await[0].change;
    assert_eq!(
        (change.action, &change.fields[0].before, &change.fields[0].after),
        (Action::Edited, &json!("CTO"), &json!("CEO"))
    );
}

#[tokio::test]
async fn an_edit_that_changes_nothing_writes_nothing() {
    let world = World::new();
    let ada = world.add(Kind::Person, json!({"name": "Ada King", "organization": "Acme", "emails": ["a@x.org"]})).await;
    let end = world.store.feed_end().await.expect("read");
    let same = world
        .edit(&ada, json!({"name": {"family": "King"}, "organization": {"name": "Acme"}, "emails": ["a@x.org"]}))
        .await;
    assert_eq!(same, ada);
    assert_eq!(world.store.feed_end().await.expect("read"), end);
}

#[tokio::test]
async fn an_organization_is_found_by_its_folded_name_or_made_in_the_same_commit() {
    let world = World::new();
    let ada = world.add(Kind::Person, json!({"name": "Ada", "organization": "Zürich AG"})).await;
    let (made, _) = company(&ada);
    let made = world.read(made.expect("an id")).await;
    assert_eq!((made.card.display_name().as_str(), made.implicit), ("Zürich AG", false));
    let bob = world.add(Kind::Person, json!({"name": "Bob", "organization": {"name": "zurich ag"}})).await;
    assert_eq!(company(&bob), (Some(made.id), "Zürich AG".to_owned()));
}

#[tokio::test]
async fn people_follow_a_new_name_of_their_organization() {
    let world = World::new();
    let ada = world.add(Kind::Person, json!({"name": "Ada", "organization": "Acme"})).await;
    let bob = world.add(Kind::Person, json!({"name": "Bob", "organization": "Other"})).await;
    let acme = world.read(company(&ada).0.expect("an id")).await;
    world.edit(&acme, json!({"name": "Acme Inc."})).await;
    assert_eq!(company(&world.read(ada.id).await), (Some(acme.id), "Acme Inc.".to_owned()));
    assert_eq!(world.read(bob.id).await, bob);
    let follows = world.history().await.into_iter().find(|row| row.change.contact == ada.id).expect("a row");
    assert_eq!(follows.change.fields[0].field, Field::Organization);
}

#[tokio::test]
async fn the_people_of_a_deleted_organization_keep_its_name_as_text() {
    let world = World::new();
    let ada = world.add(Kind::Person, json!({"name": "Ada", "organization": "Acme"})).await;
    let acme = company(&ada).0.expect("an id");
    let gone = world.editor().delete(acme, Kind::Organization).await.expect("deleted");
    assert_eq!(gone.deleted, Some(world.now()));
    assert_eq!(company(&world.read(ada.id).await), (None, "Acme".to_owned()));
}

#[tokio::test]
async fn editing_an_implicit_organization_makes_it_explicit() {
    let world = World::new();
    let acme = world.add(Kind::Organization, json!({"name": "Acme"})).await;
    let implicit = Contact { implicit: true, ..acme.clone() };
    let change = world.history().await.remove(0).change;
    let write = crate::store::ContactWrite { contact: implicit, expected: Some(acme.version.clone()), change };
    let commit = Commit { fence: None, writes: vec![Write::Contact(Box::new(write))] };
    world.store.commit(commit).await.expect("committed");
    let bob = world.add(Kind::Person, json!({"name": "Bob", "organization": "Acme"})).await;
    assert!(world.read(acme.id).await.implicit, "naming it is not editing it");
    assert_eq!(company(&bob).0, Some(acme.id));
    assert!(!world.edit(&acme, json!({"labels": ["Customer"]})).await.implicit);
}

#[tokio::test]
async fn a_deleted_contact_is_restored_as_it_was() {
    let world = World::new();
    let ada = world.add(Kind::Person, json!({"name": "Ada", "job_title": "CTO"})).await;
    let gone = world.editor().delete(ada.id, Kind::Person).await.expect("deleted");
    assert_eq!((gone.version.get(&ReplicaId::store(1)), &gone.card), (2, &ada.card));
    let again = world.editor().delete(ada.id, Kind::Person).await.expect("deleted");
    assert_eq!(again, gone, "deleting twice changes nothing");
    let refused = world.editor().edit(ada.id, Kind::Person, &json!({"job_title": "CEO"})).await;
    assert!(matches!(refused, Err(EditError::Deleted { .. })));
    let back = world.editor().restore(ada.id, Kind::Person).await.expect("restored");
    assert_eq!((back.version.get(&ReplicaId::store(1)), &back.card, back.deleted), (3, &ada.card, None));
    let actions: Vec<Action> = world.history().await.iter().map(|row| row.change.action).collect();
    assert_eq!(actions, [Action::Restored, Action::Deleted, Action::Created]);
}

#[tokio::test]
async fn a_restored_person_follows_what_became_of_the_organization() {
    let world = World::new();
    let ada = world.add(Kind::Person, json!({"name": "Ada", "organization": "Acme"})).await;
    let acme = world.read(company(&ada).0.expect("an id")).await;
    world.editor().delete(ada.id, Kind::Person).await.expect("deleted");
    world.edit(&acme, json!({"name": "Acme Inc."})).await;
    assert_eq!(company(&world.read(ada.id).await).1, "Acme", "the bin is left alone");
    let back = world.editor().restore(ada.id, Kind::Person).await.expect("restored");
    assert_eq!(company(&back), (Some(acme.id), "Acme Inc.".to_owned()));
}

#[tokio::test]
async fn a_contact_of_the_other_kind_is_not_found() {
    let world = World::new();
    let acme = world.add(Kind::Organization, json!({"name": "Acme"})).await;
    let error = world.editor().delete(acme.id, Kind::Person).await.expect_err("not a person");
    assert_eq!(error.to_string(), format!("there is no person {}", acme.id));
}

fn conflict(world: &World, contact: &Contact) -> Conflict {
    Conflict {
        id: ConflictId::new(world.now(), 1),
        contact: contact.id,
        link: LinkId::new(world.now(), 2),
        account: AccountName::new("sales"),
        field: Field::JobTitle,
        base: json!("Clerk"),
        store: json!("CTO"),
        remote: json!("CEO"),
        policy: ConflictPolicy::Manual,
        since: world.now(),
        resolved: None,
    }
}

impl World {
    /// Stores the link that a conflict is about.
    async fn link(&self, conflict: &Conflict) {
        let link = Link {
            id: conflict.link,
            account: conflict.account.clone(),
            contact: Some(conflict.contact),
            state: LinkState::Need,
            remote: None,
            incarnation: 1,
            token: LinkToken::new("token"),
            base: None,
            acked: VersionVector::new(),
            settled: VersionVector::new(),
            etag: None,
            remote_time: None,
            changed_at: self.now(),
            seen: None,
            own_delete: false,
            parked: None,
            map_revision: 1,
            former: None,
            photo: Box::default(),
            wanted: BTreeSet::new(),
            leaving: BTreeSet::new(),
            member_of: BTreeSet::new(),
        };
        let writes = vec![Write::Link(Box::new(link))];
        self.store.commit(Commit { fence: None, writes }).await.expect("stored");
    }
}

#[tokio::test]
async fn a_conflict_is_decided_for_either_side() {
    for (winner, title) in [(Winner::Remote, "CEO"), (Winner::Store, "CTO")] {
        let world = World::new();
        let ada = world.add(Kind::Person, json!({"name": "Ada", "job_title": "CTO"})).await;
        let conflict = conflict(&world, &ada);
        world.link(&conflict).await;
        world.clock.advance(Duration::from_secs(60));
        world.editor().resolve(&conflict, winner).await.expect("decided");
        let after = world.read(ada.id).await;
        assert_eq!(after.card.as_person().expect("a person").job_title.as_deref(), Some(title));
        assert_eq!((after.touched_at(&Field::JobTitle), after.version.get(&ReplicaId::store(1))), (world.now(), 2));
        assert!(world.store.open_conflicts(None).await.expect("read").is_empty());
    }
}
