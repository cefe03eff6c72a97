//! What an import did, or would do.

use serde::Serialize;
use serde_json::Value;

use crate::domain::contact::Card;
use crate::domain::entry::Body;
use crate::domain::field::Field;
use crate::domain::id::ContactId;

/// How many rows are kept as examples.
pub const EXAMPLES: usize = 3;

/// How many matches with contacts that were there are kept; all of them are counted.
pub const MATCHES: usize = 10;

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ImportReport {
    /// Contacts that were created; organizations that persons name are counted too.
    pub created: u64,
    /// Contacts that took something in.
    pub updated: u64,
    /// Contacts that have everything the file says already.
    pub unchanged: u64,
    /// Rows whose contact was in the store before.
    pub matched: u64,
    /// Deals of the file.
    pub deals: Tally,
    /// Activities of the file.
    pub activities: Tally,
    /// Notes of the file that stand beside contacts.
    pub notes: Tally,
    /// Rows that could not be used.
    pub failed: Vec<FailedRow>,
    /// Values of the file that were not taken because the store has another one.
    pub kept: Vec<Kept>,
    /// What was odd about single rows.
    pub warnings: Vec<FailedRow>,
    /// The first rows as they come in; of a preview only.
    #[serde(skip)]
    pub examples: Vec<Example>,
    /// The first rows whose contact was in the store before; of a preview only.
    pub matches: Vec<Match>,
}

/// How many came in, and how many were there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// That came in.
    pub created: u64,
    /// That were there already.
    pub unchanged: u64,
}

/// A row and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedRow {
    /// The line, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// A value of the file that was not taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kept {
    /// The line, from 1.
    pub line: u64,
    /// The contact that has another value.
    pub contact: ContactId,
    /// The field.
    pub field: Field,
    /// What the store has.
    pub store: Value,
    /// What the file says.
    pub file: Value,
}

/// A row as it comes in.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The line, from 1.
    pub line: u64,
    /// The contact as it will be.
    pub card: Card,
    /// Its deal, activity and notes.
    pub entries: Vec<Body>,
    /// What becomes of the contact.
    pub fate: Fate,
}

/// A row whose contact was in the store before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Match {
    /// The line, from 1.
    pub line: u64,
    /// The contact.
    pub contact: ContactId,
    /// How people know it.
    pub name: String,
    /// The fields that it takes from the row; none when it says all of it already.
    pub takes: Vec<Field>,
}

/// What becomes of the contact of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Created,
    /// It takes these fields in.
    Updated(Vec<Field>),
    /// It says all of it already.
    Unchanged,
}

impl Tally {
    fn add(&mut self, more: Tally) {
        self.created += more.created;
        self.unchanged += more.unchanged;
    }
}

impl ImportReport {
    pub(super) fn add(&mut self, more: ImportReport) {
        let ImportReport { created, updated, unchanged, matched, deals, activities, notes, .. } = more;
        self.created += created;
        self.updated += updated;
        self.unchanged += unchanged;
        self.matched += matched;
        self.deals.add(deals);
        self.activities.add(activities);
        self.notes.add(notes);
        self.failed.extend(more.failed);
        self.kept.extend(more.kept);
        self.warnings.extend(more.warnings);
        self.examples.extend(more.examples);
        self.examples.truncate(EXAMPLES);
        self.matches.extend(more.matches);
        self.matches.truncate(MATCHES);
    }

    pub(super) fn warn(&mut self, line: u64, reason: String) {
        self.warnings.push(FailedRow { line, reason });
    }

    /// Puts what was found by the file and what was found by the store into the order of the file.
    pub(super) fn sort(&mut self) {
        self.failed.sort_by_key(|row| row.line);
        self.warnings.sort_by_key(|row| row.line);
    }
}
