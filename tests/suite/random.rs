//! Random worlds: users edit on both sides, calls fail in every way, runs are cut off, listings lag. At rest both sides
//! are equal, nobody is doubled, and every value that a user wrote last is there or in the history.

use std::collections::BTreeMap;
use std::time::Duration;

use contactsync::domain::history::Change;
use contactsync::domain::id::ContactId;
use contactsync::emulator::fault::{Fault, FaultKind};
use contactsync::emulator::settings::Delay;
use contactsync::store::HistoryQuery;
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::json;

use crate::support::fuse::{Cut, Fuse};
use crate::support::world::{World, as_person, person, phone};

/// What a seed allows to happen.
struct Weather {
    faults: bool,
    crashes: bool,
    lag: bool,
    deletions: bool,
}

struct Script {
    rng: TestRng,
    weather: Weather,
    serial: u32,
    /// The last value that somebody wrote into a field, by side, contact and field.
    ledger: BTreeMap<(&'static str, String, &'static str), String>,
    log: Vec<String>,
}

const PEOPLE: [&str; 5] = ["Ada King", "Grace Hopper", "Alan Turing", "Donald Knuth", "Barbara Liskov"];

impl Script {
    fn new(seed: u64) -> Self {
        let mut bytes = [0_u8; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut coin = || rng.next_u32().is_multiple_of(2);
        let weather = Weather { faults: coin(), crashes: coin(), lag: coin(), deletions: coin() };
        Script { rng, weather, serial: 0, ledger: BTreeMap::new(), log: Vec::new() }
    }

    fn below(&mut self, end: usize) -> usize {
        self.rng.next_u32() as usize % end
    }

    fn value(&mut self) -> String {
        self.serial += 1;
        format!("v{}", self.serial)
    }

    fn note(&mut self, side: &'static str, name: &str, field: &'static str, value: &str) {
        self.log.push(format!("{side} {name} {field} = {value}"));
        self.ledger.insert((side, name.to_owned(), field), value.to_owned());
    }

    async fn act(&mut self, world: &World) {
        match self.below(12) {
            0..=3 => self.edit_store(world).await,
            4..=7 => self.edit_google(world),
            8 if self.weather.deletions => self.delete_in_store(world).await,
            9 if self.weather.deletions => self.delete_in_google(world),
            10 => {
                let name = format!("New {}", self.value());
                self.log.push(format!("store adds {name}"));
                world.add(person(&name)).await;
            }
            _ => {
                let name = self.value();
                self.log.push(format!("Google adds Guest {name}"));
                world.google_create(json!({"names": [{"givenName": "Guest", "familyName": name}]}), &["Team"]);
            }
        }
    }

    async fn edit_store(&mut self, world: &World) {
        let contacts = world.contacts().await;
        let named: Vec<_> = contacts.iter().filter(|c| PEOPLE.contains(&c.card.display_name().as_str())).collect();
        if named.is_empty() {
            return;
        }
        let contact = named[self.below(named.len())];
        let (id, name) = (contact.id, contact.card.display_name());
        let value = self.value();
        match self.below(3) {
            0 => {
                self.note("store", &name, "notes", &value);
                world.edit(id, |card| card.notes = Some(value)).await;
            }
            1 => {
                self.note("store", &name, "job_title", &value);
                world.edit(id, |card| as_person(card).job_title = Some(value)).await;
            }
            _ => {
                let number = format!("+49 30 1000{:04}", self.serial);
                self.log.push(format!("store {name} phone + {number}"));
                world.edit(id, |card| card.phones.push(phone(&number))).await;
            }
        }
    }

    fn edit_google(&mut self, world: &World) {
        let name = PEOPLE[self.below(PEOPLE.len())];
        if !world.has_person(name) {
            return;
        }
        let value = self.value();
        match self.below(2) {
            0 => {
                self.note("google", name, "notes", &value);
                world.google_edit(name, &json!({"biographies": [{"value": value}]}));
            }
            _ => {
                self.note("google", name, "job_title", &value);
                world.google_edit(name, &json!({"organizations": [{"title": value}]}));
            }
        }
    }

    async fn delete_in_store(&mut self, world: &World) {
        let contacts = world.contacts().await;
        if contacts.is_empty() {
            return;
        }
        let contact = &contacts[self.below(contacts.len())];
        self.log.push(format!("store deletes {}", contact.card.display_name()));
        world.delete(contact.id).await;
    }

    fn delete_in_google(&mut self, world: &World) {
        let name = PEOPLE[self.below(PEOPLE.len())];
        if world.has_person(name) {
            self.log.push(format!("Google deletes {name}"));
            // Whoever deletes a contact there has seen what was written there, and wants it gone.
            self.ledger.retain(|(side, owner, _), _| (*side, owner.as_str()) != ("google", name));
            world.google_delete(name);
        }
    }

    fn strike(&mut self, world: &World) {
        if !self.weather.faults {
            return;
        }
        let method = [
            "people.createContact",
            "people.updateContact",
            "people.deleteContact",
            "people.connections.list",
            "people.batchGet",
            "contactGroups.list",
        ][self.below(6)];
        let kind = match self.below(7) {
            0 => FaultKind::Drop,
            1 => FaultKind::DropAfter,
            2 => FaultKind::StatusAfter(503),
            3 => FaultKind::Status(500),
            4 => FaultKind::Truncate,
            5 => FaultKind::ApplyLate(30_000),
            _ => FaultKind::MinuteQuota,
        };
        self.log.push(format!("fault {method} {kind:?}"));
        world.emulator().faults_mut().push(Fault::once(method, kind));
    }

    async fn sync(&mut self, world: &mut World) {
        if self.weather.crashes && self.below(2) == 0 {
            let step = self.below(25) as i64;
            let cut = if self.below(2) == 0 { Cut::Before } else { Cut::After };
            world.fuse(&Fuse::at(step, cut));
            let survived = world.sync_or_crash().is_some();
            self.log.push(format!("sync cut {cut:?} {step}: survived {survived}"));
            world.unfuse();
        } else {
            let summary = world.sync().await;
            self.log.push(format!("sync {:?} {:?}", summary.outcome, summary.error));
        }
    }
}

async fn play(seed: u64) -> Result<(), String> {
    let mut script = Script::new(seed);
    let mut world = World::new();
    for name in PEOPLE {
        world.add(person(name)).await;
    }
    world.sync().await;
    if script.weather.lag {
        let mut emulator = world.emulator();
        emulator.settings_mut().propagation.delta = Delay { min_ms: 0, max_ms: 600_000 };
        // A deletion that overruns an edit which no read shows yet is the one loss that nobody can prevent.
        if !script.weather.deletions {
            emulator.settings_mut().propagation.get = Delay { min_ms: 0, max_ms: 5_000 };
        }
    }
    for _ in 0..6 {
        for _ in 0..script.below(4) {
            script.act(&world).await;
        }
        script.strike(&world);
        script.sync(&mut world).await;
        let pause = script.below(900);
        world.advance(Duration::from_secs(pause as u64));
    }
    world.emulator().faults_mut().clear();
    world.emulator().settings_mut().propagation = Default::default();
    world.advance(Duration::from_secs(1200));
    let told = |what: String| format!("seed {seed}: {what}\n{}", script.log.join("\n"));
    world.try_settle().await.map_err(told)?;
    world.try_equal().await.map_err(told)?;
    let history = world.store.history(&HistoryQuery::default()).await.expect("history");
    let told_of: String =
        history.iter().map(|row| serde_json::to_string::<Change>(&row.change).expect("a change")).collect();
    for ((side, name, field), value) in &script.ledger {
        if !told_of.contains(&format!("\"{value}\"")) {
            return Err(told(format!("{side} wrote {value} into {field} of {name}, and nobody remembers it")));
        }
    }
    let mut ids: Vec<ContactId> = world.contacts().await.into_iter().map(|contact| contact.id).collect();
    ids.dedup();
    let summary = world.sync_in_full().await;
    if summary.pushed.total() + summary.pulled.total() > 0 {
        return Err(told(format!("a full listing at rest finds work: {summary:?}")));
    }
    Ok(())
}

#[tokio::test]
async fn random_worlds_come_to_rest_equal_and_complete() {
    let (from, count) = (0, 300);
    let (from, count) = std::env::var("SEEDS")
        .ok()
        .and_then(|text| text.split_once('+').map(|(a, b)| (a.parse().unwrap_or(0), b.parse().unwrap_or(1))))
        .unwrap_or((from, count));
    let mut failures = Vec::new();
    for seed in from..from + count {
        if let Err(failure) = play(seed).await {
            failures.push(failure);
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {count} seeds failed; the first:\n{}",
        failures.len(),
        failures.join("\n=====\n")
    );
}
