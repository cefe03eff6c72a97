//! The plan: everything that a run would do, with side, reason and fields, without doing any of it; and the run that
//! follows does exactly that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contactsync::clock::SeededEntropy;
use contactsync::domain::account::Outcome;
use contactsync::domain::contact::Card;
use contactsync::domain::id::ContactId;
use contactsync::domain::pair::{Limit, Promise};
use contactsync::engine::operation::{Operation, OperationKind, Side};
use contactsync::engine::{Purpose, Reach, Report};
use contactsync::store::memory::MemoryStore;
use contactsync::store::{ContactQuery, DeletedContacts, Store as _};
use serde_json::{Value, json};

use crate::support::world::{World, as_person, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);

/// A world whose store can be copied.
struct Planned {
    world: World,
    memory: Arc<MemoryStore>,
}

impl Planned {
    fn new(promise: Promise) -> Self {
        let memory = Arc::new(MemoryStore::new(&SeededEntropy::new(7)));
        Planned { world: World::on(memory.clone(), promise), memory }
    }

    /// What a run would do. Fails when making the plan changes anything.
    async fn plan(&self, reach: Reach) -> Report {
        let before = self.state().await;
        self.world.count_anew();
        let report = self.world.run_on(&self.memory.snapshot(), reach, Purpose::Preview).await;
        assert_eq!(self.world.write_calls(), 0, "{:?}", self.world.api_calls());
        assert_eq!(self.state().await, before);
        report
    }

    /// Everything on both sides, by name.
    async fn state(&self) -> (BTreeMap<ContactId, String>, BTreeMap<String, Value>) {
        let query = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
        let contacts = self.memory.find_contacts(&query).await.unwrap();
        let store = contacts.into_iter().map(|contact| (contact.id, format!("{contact:?}"))).collect();
        let google = self.world.people().into_iter();
        (store, google.map(|person| (person["resourceName"].as_str().unwrap().to_owned(), person)).collect())
    }
}

/// A world in which everything happens at once.
async fn busy() -> Planned {
    let mut promise = promise();
    promise.guard.max_deletes = Limit::Absolute(10);
    promise.guard.max_blanked_fields = Limit::Absolute(10);
    let planned = Planned::new(promise);
    let world = &planned.world;
    let mut ids = Vec::new();
    for name in ["Ada King", "Grace Hopper", "Alan Turing", "Edsger Dijkstra", "Barbara Liskov", "Donald Knuth"] {
        ids.push(world.add(person(name)).await);
    }
    world.settle().await;
    world.advance(HOUR);
    world.edit(ids[0], |card| card.phones.push(phone("+44 20 7946 0000"))).await;
    world.google_edit("Ada King", &json!({"biographies": [{"value": "met in London"}]}));
    world.edit(ids[1], |card| as_person(card).job_title = Some("Admiral".into())).await;
    world.google_edit("Grace Hopper", &json!({"organizations": [{"title": "Commodore"}]}));
    world.google_edit("Alan Turing", &json!({"nicknames": [{"value": "Prof"}]}));
    world.delete(ids[3]).await;
    world.google_delete("Barbara Liskov");
    world.add(person("Margaret Hamilton")).await;
    world.google_create(json!({"names": [{"givenName": "Katherine", "familyName": "Johnson"}]}), &["Team"]);
    let dorothy = json!({"names": [{"givenName": "Dorothy", "familyName": "Vaughan"}],
        "emailAddresses": [{"value": "dorothy.vaughan@example.org"}]});
    world.google_create(dorothy, &["Team"]);
    world.add(person("Dorothy Vaughan")).await;
    world.google_unlabel("Donald Knuth", "Team");
    planned
}

/// Kind, side, name and fields of each operation, in order.
fn told(operations: &[Operation]) -> Vec<String> {
    let mut told: Vec<String> = operations
        .iter()
        .map(|operation| {
            let fields: Vec<&str> = operation.fields.keys().map(String::as_str).collect();
            format!("{} {} {} [{}]", operation.side.as_str(), operation.op.as_str(), operation.name, fields.join(" "))
        })
        .collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_plan_lists_every_operation_with_side_reason_and_fields() {
    let planned = busy().await;
    let report = planned.plan(Reach::Incremental).await;
    let expected = [
        "google create Margaret Hamilton [emails name]",
        "google delete Edsger Dijkstra []",
        "google update Ada King [phones]",
        "google update Dorothy Vaughan [emails]",
        "store conflict Grace Hopper [job_title]",
        "store create Katherine Johnson [name]",
        "store delete Barbara Liskov []",
        "store link Dorothy Vaughan []",
        "store unlink Donald Knuth []",
        "store update Ada King [notes]",
        "store update Alan Turing [nicknames]",
        "store update Grace Hopper [job_title]",
    ];
    assert_eq!(told(&report.operations), expected);
    assert!(report.operations.iter().all(|operation| !operation.reason.is_empty()));
    let of = |side: Side, op: OperationKind, name: &str| {
        report.operations.iter().find(|one| (one.side, one.op, one.name.as_str()) == (side, op, name)).unwrap()
    };
    let notes = &of(Side::Store, OperationKind::Update, "Ada King").fields["notes"];
    assert_eq!((&notes.before, &notes.after), (&Value::Null, &json!("met in London")));
    assert!(of(Side::Remote, OperationKind::Delete, "Edsger Dijkstra").reason.contains("deleted in the store"));
    let conflict = of(Side::Store, OperationKind::Conflict, "Grace Hopper");
    assert_eq!(conflict.fields["job_title"].before, json!("Admiral"));
    assert!(conflict.reason.contains("Google's value is taken"), "{}", conflict.reason);
    let sides = conflict.fields["job_title"].conflict.as_ref().expect("both sides");
    assert_eq!((&sides.store, &sides.google), (&json!("Admiral"), &conflict.fields["job_title"].after));
}

#[tokio::test]
async fn the_run_that_follows_does_exactly_what_was_planned() {
    for reach in [Reach::Incremental, Reach::Full] {
        let planned = busy().await;
        let report = planned.plan(reach).await;
        let (store_before, google_before) = planned.state().await;
        let summary = planned.world.run(reach, Purpose::Carry).await.summary;
        assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
        let (store_after, google_after) = planned.state().await;

        let planned_for = |side: Side, ops: &[OperationKind]| {
            report.operations.iter().filter(|one| one.side == side && ops.contains(&one.op)).count() as u64
        };
        let created = store_after.keys().filter(|id| !store_before.contains_key(*id)).count() as u64;
        assert_eq!(created, planned_for(Side::Store, &[OperationKind::Create]));
        let changed: Vec<&ContactId> =
            store_before.iter().filter(|(id, row)| store_after.get(*id) != Some(*row)).map(|(id, _)| id).collect();
        for id in &changed {
            let is_it = |one: &&Operation| one.side == Side::Store && one.contact == Some(**id);
            assert!(report.operations.iter().any(|one| is_it(&one)), "{id} changed, which was not planned");
        }
        assert_eq!(
            changed.len() as u64,
            planned_for(Side::Store, &[OperationKind::Update, OperationKind::Delete]),
            "nothing of the plan was left out"
        );
        let new = google_after.keys().filter(|name| !google_before.contains_key(*name)).count() as u64;
        assert_eq!(new, planned_for(Side::Remote, &[OperationKind::Create]));
        let gone = google_before.keys().filter(|name| !google_after.contains_key(*name)).count() as u64;
        assert_eq!(gone, planned_for(Side::Remote, &[OperationKind::Delete]));
        let edited = google_before.iter().filter(|(name, row)| google_after.get(*name).is_some_and(|now| now != *row));
        assert_eq!(edited.count() as u64, planned_for(Side::Remote, &[OperationKind::Update]));
        assert_eq!(
            (summary.pulled.total(), summary.pushed.total()),
            (created + changed.len() as u64, new + gone + planned_for(Side::Remote, &[OperationKind::Update])),
            "{summary:?}"
        );
        planned.world.assert_at_rest().await;
        assert!(planned.plan(reach).await.operations.is_empty(), "at rest there is nothing to plan");
    }
}

#[tokio::test]
async fn the_first_plan_creates_nothing_not_even_the_group() {
    let planned = Planned::new(promise());
    planned.world.add(person("Ada King")).await;
    planned.world.add(Card::organization("Example GmbH")).await;
    let report = planned.plan(Reach::Incremental).await;
    assert_eq!(told(&report.operations), ["google create Ada King [emails name]", "google create Example GmbH [name]"]);
    assert!(report.summary.notices.iter().any(|notice| notice.contains("would be created")), "{:?}", report.summary);
    assert!(planned.memory.account(&planned.world.promise.account).await.unwrap().is_none());
    planned.world.settle().await;
    planned.world.assert_equal().await;
}

// A stranger outside the group is found by the plan too: each operation is told once.
#[tokio::test]
async fn a_plan_that_needs_several_rounds_tells_each_operation_once() {
    let planned = Planned::new(promise());
    let world = &planned.world;
    world.sync().await;
    let ada = json!({"names": [{"givenName": "Ada", "familyName": "King"}],
        "emailAddresses": [{"value": "ada.king@example.org", "type": "work"}], "biographies": [{"value": "there"}]});
    world.google_create(ada, &[]);
    world.google_create(
        json!({"names": [{"givenName": "Guest"}], "emailAddresses": [{"value": "x@example.org"}]}),
        &["Team"],
    );
    for name in ["One", "Two"] {
        let mut card = person(name);
        card.emails[0].value = "x@example.org".to_owned();
        world.add(card).await;
    }
    world.sync().await;
    world.add(person("Ada King")).await;
    let report = planned.plan(Reach::Incremental).await;
    let told = told(&report.operations);
    let mut once = told.clone();
    once.dedup();
    assert_eq!(told, once);
    assert!(told.contains(&"google join Ada King [groups]".to_owned()), "{told:?}");
    assert!(told.contains(&"store update Ada King [notes]".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_plan_shows_what_a_guard_would_park() {
    let mut promise = promise();
    promise.guard.max_deletes = Limit::Absolute(1);
    let planned = Planned::new(promise);
    let world = &planned.world;
    let mut ids = Vec::new();
    for name in ["Ada King", "Grace Hopper", "Alan Turing"] {
        ids.push(world.add(person(name)).await);
    }
    world.settle().await;
    world.advance(HOUR);
    world.delete(ids[0]).await;
    world.delete(ids[1]).await;
    let report = planned.plan(Reach::Incremental).await;
    assert_eq!(told(&report.operations), ["google delete Ada King []", "google delete Grace Hopper []"]);
    assert!(report.operations.iter().all(|one| one.reason.contains("parked by the guard")), "{report:?}");
    assert_eq!(report.summary.outcome, Outcome::Parked);
}
