//! Stops a run from doing much harm at once. Before anything of a kind is done, all of that kind is counted; a kind
//! that exceeds its limit is parked whole, and the other kinds go on.

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{Operation, OperationKind, Side};
use crate::domain::pair::{Guard, Limit};

/// A kind of harm that is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Contacts deleted on a side.
    Deletes(Side),
    /// Contacts changed on a side.
    Updates(Side),
    /// Contacts that would lose a value on a side.
    Blanks(Side),
}

/// Counts planned operations by the harm they do.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    counts: BTreeMap<Harm, u64>,
}

impl Tally {
    /// Counts one operation.
    pub fn count(&mut self, operation: &Operation) {
        for harm in harms_of(operation) {
            *self.counts.entry(harm).or_insert(0) += 1;
        }
    }

    /// The kinds of which there are more than the guard allows, each with its number.
    pub fn exceeding(&self, guard: &Guard, linked: u64) -> BTreeMap<Harm, u64> {
        self.counts
            .iter()
            .filter(|(harm, count)| limit_of(**harm, guard).is_exceeded(**count, linked))
            .map(|(harm, count)| (*harm, *count))
            .collect()
    }
}

/// The kinds of operations that must wait for a person.
#[derive(Debug, Clone, Default)]
pub struct Barred(BTreeSet<Harm>);

impl Barred {
    /// Bars these kinds.
    pub fn new(harms: impl IntoIterator<Item = Harm>) -> Self {
        Barred(harms.into_iter().collect())
    }

    /// Whether an operation has to wait.
    pub fn stops(&self, operation: &Operation) -> bool {
        harms_of(operation).any(|harm| self.0.contains(&harm))
    }
}

impl Harm {
    /// How a notice names the kind, and the key of the configuration that limits it.
    pub fn describe(self) -> (String, &'static str) {
        let side = |side: Side| match side {
            Side::Store => "in the store",
            Side::Remote => "in Google",
        };
        match self {
            Harm::Deletes(s) => (format!("deletions {}", side(s)), "max_deletes"),
            Harm::Updates(s) => (format!("updates {}", side(s)), "max_updates"),
            Harm::Blanks(s) => (format!("updates {} that empty a field", side(s)), "max_blanked_fields"),
        }
    }
}

fn harms_of(operation: &Operation) -> impl Iterator<Item = Harm> {
    let side = operation.side;
    let (first, second) = match operation.op {
        OperationKind::Delete => (Some(Harm::Deletes(side)), None),
        OperationKind::Update if operation.blanks() => (Some(Harm::Updates(side)), Some(Harm::Blanks(side))),
        OperationKind::Update => (Some(Harm::Updates(side)), None),
        OperationKind::Create
        | OperationKind::Link
        | OperationKind::Unlink
        | OperationKind::Join
        | OperationKind::Leave
        | OperationKind::Conflict => (None, None),
    };
    first.into_iter().chain(second)
}

fn limit_of(harm: Harm, guard: &Guard) -> Limit {
    match harm {
        Harm::Deletes(_) => guard.max_deletes,
        Harm::Updates(_) => guard.max_updates,
        Harm::Blanks(_) => guard.max_blanked_fields,
    }
}
