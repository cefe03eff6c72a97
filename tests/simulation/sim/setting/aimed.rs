//! Scenarios in which one kind of trouble comes so often that it meets another one. A rule that stands between two rare
//! events is not missed by chance: each aim turns the scenario towards what one or two of the rules are there for.

use std::time::Duration;

use contactsync::domain::pair::{InRemote, InStore};
use contactsync::domain::policy::ConflictPolicy;
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::{Delay, Propagation, Spelling};

use super::{Flavour, Habits, Rates, Setting};
use crate::sim::tape::Tape;

/// What a scenario is turned towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Processes sleep past their lease, between any two steps, and what they had in hand is old when they wake up.
    Sleepers,
    /// Creates go unanswered, land late or land twice, while somebody edits who was to be made.
    LostCreates,
    /// Records are deleted while their contacts are edited, made again, and come back under old and new names.
    FormerLives,
    /// Direct reads do not find what the change stream shows already, while listings lack some of it.
    BlindReads,
    /// What happened before a deletion shows up after the deletion is known.
    LateWords,
    /// Updates are refused although they landed, and the same field is edited again before that is known.
    InFlight,
    /// Updates go unanswered, and the service spells what it was told its own way.
    Respelled,
    /// Records are made and deleted before anybody has taken them in, and show once more.
    ShortLives,
    /// Somebody edits what is about to be deleted.
    Overruns,
    /// Two changes of a record have one time, and the older one shows up after the newer one is known.
    SameTimes,
}

const AIMS: [Aim; 10] = [
    Aim::Sleepers,
    Aim::LostCreates,
    Aim::FormerLives,
    Aim::BlindReads,
    Aim::LateWords,
    Aim::InFlight,
    Aim::Respelled,
    Aim::ShortLives,
    Aim::Overruns,
    Aim::SameTimes,
];

/// Turns a setting into one with a single, frequent kind of trouble. Half of them have whatever else was drawn as well.
pub fn aim(setting: &mut Setting, tape: &mut Tape) {
    let aim = tape.pick(&AIMS).unwrap_or(Aim::Sleepers);
    if tape.below(2) == 0 {
        setting.rates = Rates::default();
        setting.service.propagation = Propagation::default();
    }
    setting.flavour = Flavour::Aimed;
    setting.aim = Some(aim);
    setting.people = 1 + tape.below(3);
    setting.rounds = 4 + tape.below(9);
    setting.acts = 1 + tape.below(4);
    setting.habits = Habits { delete: true, label: false, grow: false, ..setting.habits };
    for promise in &mut setting.promises {
        for pair in &mut promise.pairs {
            // Nobody is in or out by a label: what is aimed at is about the records.
            pair.labels.clear();
            pair.add_label = None;
        }
        promise.pairs.truncate(1);
        // What is deleted on one side is deleted on the other one, or nothing could be said of who is there.
        promise.delete.in_remote = InRemote::Propagate;
        promise.delete.in_store = InStore::Propagate;
        promise.delete.grace = Duration::ZERO;
    }
    take(setting, aim, tape);
}

fn take(setting: &mut Setting, aim: Aim, tape: &mut Tape) {
    let rates = &mut setting.rates;
    match aim {
        Aim::Sleepers => {
            rates.nap = 30 + permille(tape, 60);
            rates.interrupt = 150;
            setting.pause = 120;
            favour_remote(setting, tape);
        }
        Aim::LostCreates => {
            rates.call = 250;
            rates.twice = 100 * permille(tape, 2);
            rates.crash = permille(tape, 30);
            setting.habits.grow = true;
            setting.pause = tape.pick(&[60, 600, 1800]).unwrap_or(60);
            setting.faults = lost();
        }
        Aim::FormerLives => {
            rates.twice = 300;
            rates.call = 60;
            setting.faults = lost();
            setting.pause = tape.pick(&[240, 60, 1200]).unwrap_or(240);
            lag(setting, tape, 5_000, 0, 600_000);
        }
        Aim::BlindReads => {
            rates.tokens = 600;
            rates.listing = 400;
            setting.habits.identify = true;
            setting.pause = tape.pick(&[240, 120, 900]).unwrap_or(240);
            lag(setting, tape, 300_000, 0, 0);
        }
        Aim::LateWords => {
            rates.tokens = 500;
            rates.echo = permille(tape, 300);
            setting.pause = tape.pick(&[1800, 600, 2400]).unwrap_or(1800);
            lag(setting, tape, 0, 0, 600_000);
        }
        Aim::InFlight => {
            rates.twice = 300;
            rates.call = 150;
            rates.interrupt = 150;
            setting.faults = lost();
            setting.pause = 60;
            favour_remote(setting, tape);
            lag(setting, tape, 300_000, 0, 600_000);
        }
        Aim::Respelled => {
            rates.call = 300;
            rates.interrupt = 150;
            setting.faults = vec![FaultKind::DropAfter, FaultKind::StatusAfter(503), FaultKind::Truncate];
            setting.service.spelling = Spelling::Capitals;
            setting.pause = 120;
            favour_remote(setting, tape);
        }
        Aim::ShortLives => {
            rates.crash = 40;
            rates.refused = 40;
            rates.echo = 400;
            setting.pause = tape.pick(&[60, 240]).unwrap_or(60);
        }
        Aim::Overruns => {
            rates.interrupt = permille(tape, 100);
            setting.pause = tape.pick(&[60, 240]).unwrap_or(60);
            lag(setting, tape, 0, 0, 600_000);
        }
        Aim::SameTimes => {
            rates.interrupt = 200;
            setting.pause = tape.pick(&[60, 240]).unwrap_or(60);
            setting.service.update_time_step_ms = 2000;
            favour_remote(setting, tape);
            lag(setting, tape, 0, 0, 600_000);
        }
    }
}

/// Ways in which a call is carried out and its caller does not learn of it, and two in which it is not.
fn lost() -> Vec<FaultKind> {
    vec![
        FaultKind::DropAfter,
        FaultKind::Drop,
        FaultKind::StatusAfter(503),
        FaultKind::ApplyLate(30_000),
        FaultKind::ApplyLate(110_000),
        FaultKind::Status(503),
        FaultKind::Truncate,
    ]
}

fn permille(tape: &mut Tape, below: usize) -> u32 {
    u32::try_from(tape.below(below)).unwrap_or(0)
}

/// Has every change show late, at most by so many milliseconds in each way of reading.
fn lag(setting: &mut Setting, tape: &mut Tape, get: u64, list: u64, delta: u64) {
    let least = |most: u64, tape: &mut Tape| if tape.below(2) == 1 { most / 2 } else { 0 };
    let mut delay = |most: u64| Delay { min_ms: least(most, tape), max_ms: most };
    setting.service.propagation = Propagation { get: delay(get), list: delay(list), delta: delay(delta) };
}

/// Where the store wins every conflict, much that goes wrong looks as if it had gone right.
fn favour_remote(setting: &mut Setting, tape: &mut Tape) {
    if tape.below(2) == 1 {
        setting.promises.iter_mut().for_each(|promise| promise.conflict = ConflictPolicy::Remote);
    }
}
