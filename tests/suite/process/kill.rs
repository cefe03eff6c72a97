//! Power failures: a process that is killed at any moment loses nothing and doubles nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use contactsync::clock::{Entropy as _, SeededEntropy, SystemEntropy};
use serde_json::{Value, json};

use crate::support::process::{Home, Ran, Sandbox};

const PEOPLE: u64 = 300;

/// How often the process is killed: 20 times, or as often as `CONTACTSYNC_KILLS` says.
fn kills_wanted() -> u64 {
    std::env::var("CONTACTSYNC_KILLS").ok().map_or(20, |kills| kills.parse().expect("a number"))
}

fn email(number: u64) -> String {
    format!("p{number}@example.org")
}

/// The seed of this run; `CONTACTSYNC_SEED` repeats one.
fn seed() -> u64 {
    let given = std::env::var("CONTACTSYNC_SEED").ok().map(|seed| seed.parse().expect("a number"));
    given.unwrap_or_else(|| SystemEntropy.next_u64() % 1_000_000)
}

fn below(entropy: &SeededEntropy, end: u64) -> u64 {
    entropy.next_u64() % end
}

/// Kills a sync after some calls and a moment more; `false` when it had ended by itself before.
fn sync_that_is_killed(home: &Home, sandbox: &Sandbox, entropy: &SeededEntropy) -> bool {
    // The first sync makes about eight calls, one with edits four.
    let until = sandbox.calls(&["*"]) + below(entropy, 6);
    let moment = Duration::from_micros(below(entropy, 40_000));
    if below(entropy, 8) == 0 {
        // A call that nobody carries out and nobody answers: its outcome stays unknown for a quarter of an hour.
        sandbox.fault(&json!({"method": "people.batchCreateContacts", "kind": "drop"}));
    }
    let mut sync = home.start(["sync"]);
    if sandbox.sees(&["*"], until, || !sync.has_ended()) {
        sync.ends_within(moment);
    }
    sync.kill().code.is_none()
}

/// How many records of each e-mail there are at Google.
fn counted(sandbox: &Sandbox) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for person in sandbox.people() {
        for email in person["emailAddresses"].as_array().into_iter().flatten() {
            *counts.entry(email["value"].as_str().expect("text").to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Adds a mark to some contacts, in the store or at Google.
fn edit_some(home: &Home, sandbox: &Sandbox, entropy: &SeededEntropy, round: u64) {
    let rows: String = (0..PEOPLE)
        .filter(|_| below(entropy, 4) == 0)
        .map(|number| format!("{},{}\n", email(number), below(entropy, 1_000)))
        .collect();
    home.write("marks.csv", format!("E-mail,Round {round}\n{rows}"));
    home.json(&["import", "marks.csv", "--yes"]);
    let people = sandbox.people();
    for _ in 0..3.min(people.len()) {
        let place = usize::try_from(below(entropy, people.len() as u64)).expect("small");
        sandbox.edit(&people[place], &json!({"nicknames": [{"value": format!("Nick {round}")}]}));
    }
}

/// Synchronizes until nothing more can be done now: what is left waits for the outcome of a create.
fn last_sync(home: &Home) -> (Ran, Value) {
    let ended_well = (0..3).map(|_| home.run(["sync", "--json"])).find(|ran| ran.code == Some(0));
    let ran = ended_well.unwrap_or_else(|| home.run(["sync", "--json"]));
    (ran, home.json(&["status"])["accounts"][0].clone())
}

/// What the store has of everybody who is at Google, is there too, and nothing else.
fn are_equal(home: &Home, sandbox: &Sandbox) {
    let people: BTreeMap<String, Value> = sandbox
        .people()
        .into_iter()
        .map(|person| (person["emailAddresses"][0]["value"].as_str().expect("text").to_owned(), person))
        .collect();
    for ours in home.json(&["person", "list"]).as_array().expect("a list") {
        let Some(theirs) = people.get(ours["emails"][0]["value"].as_str().expect("text")) else { continue };
        let marks: BTreeMap<&str, &Value> = theirs["userDefined"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|field| (field["key"].as_str().expect("a key"), &field["value"]))
            .collect();
        assert_eq!(json!(marks), ours["custom"], "{ours}");
        let nicknames: Vec<&Value> =
            theirs["nicknames"].as_array().into_iter().flatten().map(|nickname| &nickname["value"]).collect();
        assert_eq!(json!(nicknames), ours["nicknames"], "{ours}");
    }
}

#[test]
fn a_sync_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let seed = seed();
    println!("CONTACTSYNC_SEED={seed}");
    let entropy = SeededEntropy::new(seed);
    let sandbox = Sandbox::start();
    // A listing that a kill cut off is made again.
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    let rows: String = (0..PEOPLE).map(|number| format!("Person {number},{}\n", email(number))).collect();
    home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.json(&["import", "people.csv", "--yes"]);
    let (mut kills, mut rounds, wanted) = (0, 0, kills_wanted());
    while kills < wanted {
        kills += u64::from(sync_that_is_killed(&home, &sandbox, &entropy));
        rounds += 1;
        assert!(rounds < 5 * wanted, "only {kills} kills came in time");
        assert!(counted(&sandbox).values().all(|count| *count == 1), "doubled after round {rounds}");
        edit_some(&home, &sandbox, &entropy, rounds);
    }
    sandbox.control("DELETE", "/faults", None);
    let (ran, status) = last_sync(&home);
    let found = counted(&sandbox);
    let missing: Vec<u64> = (0..PEOPLE).filter(|number| !found.contains_key(&email(*number))).collect();
    assert!(found.values().all(|count| *count == 1), "doubled: {found:?}");
    assert_eq!(status["waiting"].as_u64(), Some(missing.len() as u64), "missing {missing:?}: {status}");
    assert_eq!(ran.code, Some(if missing.is_empty() { 0 } else { 75 }), "{ran:?}");
    println!("{kills} kills in {rounds} rounds, {} contacts wait for an unknown outcome", missing.len());
    are_equal(&home, &sandbox);
    sandbox.has_no_complaints();
}
