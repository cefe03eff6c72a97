//! Whole scenarios, played in the tests: some new ones, every one that has ever failed, and the crash sweep over a few.
//! `make simulate` plays many more, compiled for speed; see `examples/simulate.rs`.

mod sim;

use contactsync::engine::rules::{self, Rule};
use sim::tape::Reel;
use sim::{Ground, Played, sweep};

fn told(seed: u64, played: &Played) -> String {
    let faults: Vec<String> = played.faults.iter().map(|(rule, text)| format!("{rule}: {text}")).collect();
    format!(
        "seed {seed}:\n{}\n{}\nsimulate --replay '{}'",
        played.log.join("\n"),
        faults.join("\n"),
        played.reel.to_argument()
    )
}

fn all_hold(seeds: std::ops::Range<u64>, ground: &Ground) {
    for seed in seeds {
        let played = sim::play_seed(seed, ground);
        assert!(played.faults.is_empty(), "{}", told(seed, &played));
    }
}

/// A new folder in memory, where there is one.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

#[test]
fn scenarios_on_the_store_in_memory_hold() {
    all_hold(0..150, &Ground::Memory);
}

#[test]
fn more_scenarios_on_the_store_in_memory_hold() {
    all_hold(150..300, &Ground::Memory);
}

#[test]
fn scenarios_on_sqlite_hold() {
    for seed in 0..12 {
        let folder = folder();
        all_hold(seed..seed + 1, &Ground::Sqlite(folder.path().to_owned()));
    }
}

#[test]
fn the_stores_play_a_scenario_alike() {
    for seed in 0..6 {
        let folder = folder();
        let (memory, sqlite) =
            (sim::play_seed(seed, &Ground::Memory), sim::play_seed(seed, &Ground::Sqlite(folder.path().to_owned())));
        assert_eq!(memory.log, sqlite.log, "seed {seed}");
    }
}

#[test]
fn a_seed_is_played_alike_every_time() {
    for seed in 0..40 {
        let (one, other) = (sim::play_seed(seed, &Ground::Memory), sim::play_seed(seed, &Ground::Memory));
        assert_eq!(one.log, other.log, "seed {seed}");
        assert_eq!(one.reel, other.reel, "seed {seed}");
    }
}

#[test]
fn a_tape_is_played_as_the_seed_that_wrote_it() {
    for seed in 0..20 {
        let written = sim::play_seed(seed, &Ground::Memory);
        let kept = Reel::from_argument(&written.reel.to_argument()).expect("a tape");
        assert_eq!(sim::play_reel(&kept, &Ground::Memory).log, written.log, "seed {seed}");
    }
}

#[test]
fn what_failed_once_holds() {
    for line in include_str!("tapes.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let played = sim::play_reel(&Reel::from_argument(line).expect("a tape"), &Ground::Memory);
        assert!(played.faults.is_empty(), "{}", told(0, &played));
    }
}

// Those that show soonest; `make simulate` breaks more of them.
#[test]
fn a_broken_rule_is_noticed() {
    for rule in [Rule::EtagPrecondition, Rule::DeadIntentClosed, Rule::SentIsAcknowledged, Rule::TwinRepair] {
        rules::break_rule(Some(rule));
        let caught = (0..100).find(|seed| !sim::play_seed(*seed, &Ground::Memory).faults.is_empty());
        rules::break_rule(None);
        assert!(caught.is_some(), "{rule:?} is broken, and 100 scenarios do not notice");
    }
}

#[test]
fn a_crash_at_any_step_changes_nothing_in_the_end() {
    for seed in 0..4 {
        let swept = sweep::sweep(seed, &|| Ground::Memory);
        assert!(swept.fault.is_none(), "seed {seed}, cut at {:?}", swept.fault);
        assert!(swept.cuts > 10, "seed {seed} was cut {} times only", swept.cuts);
    }
}
