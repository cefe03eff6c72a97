//! The users of a scenario: they edit, add, remove, label, delete and bring back, in the store and in the web UI of every
//! account. What they write goes into the ledger, with what they had before them when they wrote it.
//!
//! A person is known by an e-mail address that nobody edits.

use std::collections::{BTreeMap, BTreeSet};

use contactsync::domain::id::RunId;
use contactsync::domain::pair::Direction;
use contactsync::engine::Licence;

use answers::Family;

use super::ledger::{Ledger, Slot};
use super::setting::{Aim, Feature, Habits, Setting};
use super::stage::Stage;
use super::tape::Tape;
use serde_json::Value;

mod answers;
pub mod approvals;
mod decisions;
mod editing;
mod identity;
mod in_google;
mod in_store;
mod merges;
mod organizations;
mod photos;
mod plots;
mod undo;
mod wide;

/// See the module.
pub struct Users {
    pub tape: Tape,
    pub ledger: Ledger,
    pub log: Vec<String>,
    habits: Habits,
    aim: Option<Aim>,
    /// Whom everything is done to, as long as that is said.
    focus: Option<String>,
    /// Which field is edited, as long as that is said.
    field: Option<usize>,
    features: BTreeSet<Feature>,
    /// What people have let through, by account: the next run carries it out.
    licences: BTreeMap<usize, Licence>,
    /// Who shares a phone with whom.
    families: BTreeMap<&'static str, Family>,
    /// Runs that have begun, each with its account.
    runs: Vec<(usize, RunId)>,
    serial: u32,
    /// A record was renamed, and its former name was not reported as gone: who it was is only told by a full listing.
    pub hid_a_name: bool,
    /// Actions taken, by kind.
    pub taken: BTreeMap<&'static str, u64>,
}

impl Users {
    pub fn new(tape: Tape, setting: &Setting) -> Self {
        Users {
            taken: setting.features.iter().map(|feature| (feature.told(), 1)).collect(),
            features: setting.features.clone(),
            licences: BTreeMap::new(),
            families: BTreeMap::new(),
            runs: Vec::new(),
            tape,
            ledger: Ledger::default(),
            log: Vec::new(),
            habits: setting.habits,
            aim: setting.aim,
            focus: None,
            field: None,
            serial: 0,
            hid_a_name: false,
        }
    }

    fn next(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    fn value(&mut self) -> String {
        format!("v{:04}", self.next())
    }

    /// The number of a field that is edited.
    fn draw_field(&mut self) -> usize {
        self.field.unwrap_or_else(|| self.tape.below(7))
    }

    fn note(&mut self, kind: &'static str, text: String) {
        *self.taken.entry(kind).or_default() += 1;
        self.log.push(text);
    }

    /// Somebody does something.
    pub async fn act(&mut self, stage: &Stage) {
        let account = self.tape.below(stage.promises.len());
        if let Some(aim) = self.aim
            && self.tape.below(3) > 0
        {
            return self.plot(aim, stage, account).await;
        }
        if !self.features.is_empty() && self.act_widely(stage, account).await {
            return;
        }
        match self.tape.below(20) {
            2..=4 if self.habits.grow => self.add_to_store(stage).await,
            0..=4 => self.edit_store(stage).await,
            5..=8 => self.edit_google(stage, account),
            9 => self.add_to_store(stage).await,
            10 => self.add_to_google(stage, account).await,
            11 if self.habits.delete => self.delete_in_store(stage).await,
            12 if self.habits.delete => self.delete_in_google(stage, account).await,
            13 if self.habits.delete => self.bring_back(stage, account).await,
            14 | 15 if self.habits.identify => self.identify(stage, account).await,
            16 if self.habits.label => self.label(stage).await,
            17 if self.habits.regroup => self.regroup(stage, account),
            18 if self.tape.below(2) == 1 => self.befriend(stage).await,
            18 => self.remove_from_store(stage).await,
            19 => self.remove_from_google(stage, account),
            _ => self.edit_store(stage).await,
        }
    }
}

/// Whether an account is one that nothing comes from.
fn is_deaf(stage: &Stage, account: usize) -> bool {
    stage.promises[account].direction == Direction::ToRemote
}

fn slot(person: &str, field: &str) -> Slot {
    Slot { person: person.to_owned(), field: field.to_owned() }
}

fn places(count: usize) -> Vec<usize> {
    (0..count).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn address(name: &str) -> String {
    format!("{name}@id.example.org")
}
