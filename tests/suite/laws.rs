//! Laws of a run, in drawn worlds: people edit, add and delete on both sides between two runs, and whatever they did, a
//! plan ends, tells the same twice, leaves nothing for a second one, writes nothing where it may only read, comes out the
//! same with the sides exchanged, and can be taken back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contactsync::clock::{Entropy as _, SeededEntropy};
use contactsync::domain::id::ContactId;
use contactsync::domain::pair::{Direction, Limit, Promise};
use contactsync::domain::policy::ConflictPolicy;
use contactsync::engine::{Licence, Operation, Purpose, Reach};
use contactsync::remotes::Remote as _;
use contactsync::store::memory::MemoryStore;
use serde_json::{Value, json};

use crate::support::world::{World, as_person, comparable, person, phone, promise};

const HOUR: Duration = Duration::from_secs(3600);
const WORLDS: u64 = 40;
const PEOPLE: usize = 5;

/// On which side somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hand {
    Store,
    Google,
}

impl Hand {
    fn other(self) -> Hand {
        match self {
            Hand::Store => Hand::Google,
            Hand::Google => Hand::Store,
        }
    }
}

/// What somebody does to the person of this number.
#[derive(Debug, Clone)]
enum Deed {
    Notes(String),
    Title(String),
    Nickname(String),
    Phone(String),
    NoPhones,
    Family(String),
    Delete,
}

#[derive(Debug, Clone)]
struct Act {
    hand: Hand,
    whose: usize,
    deed: Deed,
}

/// The acts of a seed. Nobody edits a person that the same hand deleted.
fn drawn(seed: u64) -> Vec<Act> {
    let entropy = SeededEntropy::new(seed);
    let below = |end: u128| entropy.next_u128() % end;
    let mut acts = Vec::new();
    for number in 0..=below(8) {
        let hand = if below(2) == 0 { Hand::Store } else { Hand::Google };
        let whose = usize::try_from(below(PEOPLE as u128)).expect("a number");
        let value = format!("value {number}");
        let deed = match below(9) {
            0 | 1 => Deed::Notes(value),
            2 => Deed::Title(value),
            3 => Deed::Nickname(value),
            4 | 5 => Deed::Phone(format!("+44 20 7946 {number:04}")),
            6 => Deed::NoPhones,
            7 => Deed::Family(value),
            _ => Deed::Delete,
        };
        let is_gone = |act: &Act| (act.hand, act.whose) == (hand, whose) && matches!(act.deed, Deed::Delete);
        if !acts.iter().any(is_gone) {
            acts.push(Act { hand, whose, deed });
        }
    }
    acts
}

fn name(number: usize) -> String {
    format!("Person{number} Smith")
}

/// A world whose store can be copied.
struct Drawn {
    world: World,
    memory: Arc<MemoryStore>,
    ids: Vec<ContactId>,
    records: Vec<String>,
}

impl Drawn {
    async fn new(promise: Promise) -> Drawn {
        let memory = Arc::new(MemoryStore::new(&SeededEntropy::new(7)));
        let world = World::on(memory.clone(), promise);
        let mut ids = Vec::new();
        for number in 0..PEOPLE {
            let mut card = person(&name(number));
            card.phones.push(phone(&format!("+44 20 7946 9{number:03}")));
            ids.push(world.add(card).await);
        }
        let direction = world.promise.direction;
        let mut drawn = Drawn { world, memory, ids, records: Vec::new() };
        // Both sides know everybody, whatever may travel afterwards.
        drawn.world.promise.direction = Direction::TwoWay;
        drawn.world.settle().await;
        drawn.world.promise.direction = direction;
        drawn.world.advance(HOUR);
        drawn.records = (0..PEOPLE).map(|number| drawn.world.resource(&name(number))).collect();
        drawn
    }

    async fn act(&self, act: &Act) {
        match act.hand {
            Hand::Store => self.act_in_store(act).await,
            Hand::Google => self.act_in_google(act),
        }
        self.world.advance(Duration::from_secs(60));
    }

    async fn act_in_store(&self, Act { whose, deed, .. }: &Act) {
        let id = self.ids[*whose];
        match deed.clone() {
            Deed::Notes(value) => self.world.edit(id, |card| card.notes = Some(value)).await,
            Deed::Title(value) => self.world.edit(id, |card| as_person(card).job_title = Some(value)).await,
            Deed::Nickname(value) => self.world.edit(id, |card| as_person(card).nicknames.push(value)).await,
            Deed::Phone(value) => self.world.edit(id, |card| card.phones.push(phone(&value))).await,
            Deed::NoPhones => self.world.edit(id, |card| card.phones.clear()).await,
            Deed::Family(value) => self.world.edit(id, |card| as_person(card).name.family = Some(value)).await,
            Deed::Delete => self.world.delete(id).await,
        }
    }

    fn act_in_google(&self, Act { whose, deed, .. }: &Act) {
        let record = &self.records[*whose];
        self.world.by_hand(|user| {
            let shown = user.person(record).expect("a person");
            let with = |list: &str, item: Value| {
                let mut items = shown[list].as_array().cloned().unwrap_or_default();
                items.push(item);
                json!({ list: items })
            };
            let patch = match deed {
                Deed::Notes(value) => json!({"biographies": [{"value": value}]}),
                Deed::Title(value) => json!({"organizations": [{"title": value}]}),
                Deed::Nickname(value) => with("nicknames", json!({"value": value})),
                Deed::Phone(value) => with("phoneNumbers", json!({"value": value, "type": "work"})),
                Deed::NoPhones => json!({"phoneNumbers": null}),
                Deed::Family(value) => {
                    json!({"names": [{"givenName": shown["names"][0]["givenName"], "familyName": value}]})
                }
                Deed::Delete => return user.delete(record).expect("deleted"),
            };
            user.edit(record, &patch).expect("edited");
        });
    }

    async fn plan(&self) -> Vec<Operation> {
        let report = self.world.run_on(&self.memory.snapshot(), Reach::Incremental, Purpose::Preview).await;
        report.operations
    }

    /// What both sides hold, in canonical form and in order.
    async fn sides(&self) -> [Vec<String>; 2] {
        let codec = self.world.google.codec();
        let mut store: Vec<String> = self.world.contacts().await.iter().map(|one| comparable(&one.card)).collect();
        let people = self.world.people();
        let mut google: Vec<String> =
            people.iter().map(|one| comparable(&codec.read(one, codec.kind(one)).card)).collect();
        store.sort();
        google.sort();
        [store, google]
    }
}

/// No guard is in the way.
fn unguarded() -> Promise {
    let mut promise = promise();
    promise.guard.max_deletes = Limit::Percent(100.0);
    promise.guard.max_blanked_fields = Limit::Percent(100.0);
    promise
}

#[tokio::test]
async fn a_plan_tells_the_same_twice_and_leaves_nothing_for_a_second_one() {
    for seed in 0..WORLDS {
        let drawn_world = Drawn::new(unguarded()).await;
        let acts = drawn(seed);
        for act in &acts {
            drawn_world.act(act).await;
        }
        let told = |operations: &[Operation]| serde_json::to_string(operations).expect("operations");
        let plan = drawn_world.plan().await;
        assert_eq!(told(&drawn_world.plan().await), told(&plan), "seed {seed}: {acts:?}");
        drawn_world.world.settle().await;
        assert_eq!(told(&drawn_world.plan().await), "[]", "seed {seed}: {acts:?}");
        let [store, google] = drawn_world.sides().await;
        assert_eq!(store, google, "seed {seed}: {acts:?}");
    }
}

#[tokio::test]
async fn a_side_that_is_only_read_gets_no_write() {
    for (direction, read_only) in [(Direction::ToRemote, Hand::Store), (Direction::FromRemote, Hand::Google)] {
        for seed in 0..WORLDS / 2 {
            let drawn_world = Drawn::new(Promise { direction, ..unguarded() }).await;
            let acts = drawn(seed);
            for act in &acts {
                drawn_world.act(act).await;
            }
            let [store, google] = drawn_world.sides().await;
            drawn_world.world.count_anew();
            drawn_world.world.settle().await;
            let [store_after, google_after] = drawn_world.sides().await;
            match read_only {
                Hand::Store => assert_eq!(store, store_after, "seed {seed}: {acts:?}"),
                Hand::Google => {
                    assert_eq!(google, google_after, "seed {seed}: {acts:?}");
                    assert_eq!(drawn_world.world.write_calls(), 0, "seed {seed}: {acts:?}");
                }
            }
        }
    }
}

// What users did on one side, done on the other one, under the opposite policy: the same people come out.
#[tokio::test]
async fn with_the_sides_exchanged_the_same_comes_out() {
    for seed in 0..WORLDS {
        let acts = drawn(seed);
        let mut ends = Vec::new();
        for (conflict, exchanged) in [(ConflictPolicy::Store, false), (ConflictPolicy::Remote, true)] {
            let drawn_world = Drawn::new(Promise { conflict, ..unguarded() }).await;
            for act in &acts {
                let hand = if exchanged { act.hand.other() } else { act.hand };
                drawn_world.act(&Act { hand, ..act.clone() }).await;
            }
            drawn_world.world.settle().await;
            ends.push(drawn_world.sides().await);
        }
        assert_eq!(ends[0], ends[1], "seed {seed}: {acts:?}");
    }
}

#[tokio::test]
async fn an_undo_restores_every_field_that_the_run_changed() {
    for seed in 0..WORLDS {
        let drawn_world = Drawn::new(unguarded()).await;
        let acts = drawn(seed);
        for act in &acts {
            drawn_world.act(act).await;
        }
        let before = by_owner(&drawn_world.sides().await);
        drawn_world.world.sync().await;
        let run = drawn_world.world.last_run().await;
        drawn_world.world.advance(HOUR);
        drawn_world.world.sync_under(&Licence::Undoing(run)).await;
        let after = by_owner(&drawn_world.sides().await);
        // Whoever was there on a side before the run is there as before, but for values that both sides had changed: of
        // those the one that lost is back.
        for (owner, card) in &before[0] {
            assert!(after[0].contains_key(owner), "seed {seed}: {owner} is missing, {card}: {acts:?}");
        }
        // What came from one side alone is, on the other side, as it was.
        let has_acted = |hand: Hand, owner: &str| acts.iter().any(|act| act.hand == hand && mail(act.whose) == owner);
        // One that was edited and then deleted comes back with that edit.
        let is_edited_and_deleted = |owner: &str| {
            let mut deeds = acts.iter().filter(|act| mail(act.whose) == owner);
            deeds.clone().count() > 1 && deeds.any(|act| matches!(act.deed, Deed::Delete))
        };
        for (place, own, other) in [(0, Hand::Store, Hand::Google), (1, Hand::Google, Hand::Store)] {
            let is_meant = |owner: &String| !has_acted(own, owner) && !is_edited_and_deleted(owner);
            for (owner, card) in before[place].iter().filter(|(owner, _)| is_meant(owner)) {
                assert!(after[place].get(owner) == Some(card), "seed {seed}: {other:?} changed {owner}: {acts:?}");
            }
        }
    }
}

fn mail(number: usize) -> String {
    person(&name(number)).emails[0].value.clone()
}

/// The cards of each side, by the address that nobody edits.
fn by_owner(sides: &[Vec<String>; 2]) -> [BTreeMap<String, String>; 2] {
    sides.each_ref().map(|side| {
        let owned = side.iter().filter_map(|card| {
            let owner = (0..PEOPLE).map(mail).find(|address| card.contains(address.as_str()))?;
            Some((owner, card.clone()))
        });
        owned.collect()
    })
}
