//! `history`: who changed what, when, on which replica. What runs wrote to Google stands beside the edits of the store, and
//! a value that lost a conflict beside the one that won.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Serialize;

use crate::contacts::detail::{action, verb, who};
use crate::domain::entry::{EntryChange, RecordedEntryChange};
use crate::domain::history::{Action, Change, RecordedChange};
use crate::domain::id::{ContactId, RemoteId, RunId};
use crate::domain::merge::FieldConflict;
use crate::domain::policy::Winner;
use crate::store::{EntryHistoryQuery, HistoryQuery};

use super::brief::briefs;
use super::desk::Desk;
use super::exit::Exit;

/// How many contacts are read at once.
const CHUNK: usize = 500;

/// Which part of the history to show.
#[derive(Debug, Clone, clap::Args)]
pub struct HistoryArgs {
    /// Only of this contact
    #[arg(value_name = "CONTACT")]
    pub contact: Option<ContactId>,

    /// Only what this run did
    #[arg(long, value_name = "RUN")]
    pub run: Option<RunId>,

    /// Show at most so many changes
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
}

/// A change as programs see it.
#[derive(Serialize)]
struct Shown<'c> {
    sequence: u64,
    /// How people know the contact by now.
    name: &'c str,
    /// Where it was made.
    replica: &'c str,
    /// The record, where it was not the store.
    record: Option<&'c RemoteId>,
    #[serde(flatten)]
    change: &'c Change,
}

impl<'c> Shown<'c> {
    fn of_contact(recorded: &'c RecordedChange, names: &'c Names) -> Self {
        let RecordedChange { sequence, change, remote } = recorded;
        let record = remote.as_ref().map(|copy| &copy.record);
        Shown { sequence: *sequence, name: names.of(change.contact), replica: replica(recorded), record, change }
    }
}

/// A change of an entry as programs see it.
#[derive(Serialize)]
struct ShownEntry<'c> {
    sequence: u64,
    kind: &'static str,
    /// How people know the entry by now.
    name: String,
    replica: &'static str,
    #[serde(flatten)]
    change: &'c EntryChange,
}

impl<'c> ShownEntry<'c> {
    fn of(recorded: &'c RecordedEntryChange) -> Self {
        let RecordedEntryChange { sequence, change } = recorded;
        let (kind, name) = (change.after.kind().as_str(), change.after.title());
        ShownEntry { sequence: *sequence, kind, name, replica: "store", change }
    }
}

/// A change of a contact, or of an entry.
enum Row {
    Contact(Box<RecordedChange>),
    Entry(Box<RecordedEntryChange>),
}

impl Row {
    fn sequence(&self) -> u64 {
        match self {
            Row::Contact(row) => row.sequence,
            Row::Entry(row) => row.sequence,
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum AnyShown<'c> {
    Contact(Shown<'c>),
    Entry(ShownEntry<'c>),
}

/// How people know contacts.
struct Names(BTreeMap<ContactId, String>);

impl Names {
    async fn read(rows: &[Row], desk: &Desk) -> anyhow::Result<Self> {
        let ids: BTreeSet<ContactId> = rows
            .iter()
            .filter_map(|row| match row {
                Row::Contact(recorded) => Some(recorded.change.contact),
                Row::Entry(_) => None,
            })
            .collect();
        let ids: Vec<ContactId> = ids.into_iter().collect();
        let mut names = BTreeMap::new();
        for chunk in ids.chunks(CHUNK) {
            let contacts = desk.store.contacts(chunk).await.context("reading the contacts")?;
            names.extend(contacts.into_iter().map(|contact| (contact.id, contact.card.display_name())));
        }
        Ok(Names(names))
    }

    fn of(&self, contact: ContactId) -> &str {
        self.0.get(&contact).map_or("", String::as_str)
    }
}

/// Shows the history, newest first.
///
/// # Errors
/// What the store or the stream says.
pub async fn history(args: &HistoryArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let query = HistoryQuery { contact: args.contact, run: args.run, limit: args.limit, ..HistoryQuery::default() };
    let of_contacts = desk.store.history(&query).await.context("reading the history")?;
    let query =
        EntryHistoryQuery { contact: args.contact, run: args.run, limit: args.limit, ..EntryHistoryQuery::default() };
    let of_entries = desk.store.entry_history(&query).await.context("reading the history")?;
    let mut changes: Vec<Row> = of_contacts.into_iter().map(|row| Row::Contact(Box::new(row))).collect();
    changes.extend(of_entries.into_iter().map(|row| Row::Entry(Box::new(row))));
    changes.sort_by_key(|row| std::cmp::Reverse(row.sequence()));
    changes.truncate(args.limit.map_or(usize::MAX, |limit| limit as usize));
    let names = Names::read(&changes, desk).await?;
    if desk.out.is_json() {
        let shown = changes.iter().map(|row| match row {
            Row::Contact(recorded) => AnyShown::Contact(Shown::of_contact(recorded, &names)),
            Row::Entry(recorded) => AnyShown::Entry(ShownEntry::of(recorded)),
        });
        desk.out.json(&shown.collect::<Vec<_>>())?;
    } else {
        let lines = changes.iter().flat_map(|row| match row {
            Row::Contact(recorded) => rows(recorded, &names),
            Row::Entry(recorded) => entry_rows(&recorded.change),
        });
        let rows = lines.collect();
        let header = ["TIME", "CONTACT", "NAME", "REPLICA", "WHO", "RUN", "WHAT", "FIELD", "BEFORE", "AFTER"];
        desk.out.table(header, rows)?;
    }
    Ok(Exit::Done)
}

fn replica(recorded: &RecordedChange) -> &str {
    recorded.remote.as_ref().map_or("store", |copy| copy.replica.display_name())
}

/// One row for each field, and for each conflict; one for a change with neither.
fn rows(recorded: &RecordedChange, names: &Names) -> Vec<[String; 10]> {
    let change = &recorded.change;
    let row = |what: &str, field: String, before: String, after: String| {
        let run = change.run.map(|run| run.to_string()).unwrap_or_default();
        let (time, contact, replica) =
            (change.at.to_string(), change.contact.to_string(), replica(recorded).to_owned());
        let name = names.of(change.contact).to_owned();
        [time, contact, name, replica, who(&change.actor), run, what.to_owned(), field, before, after]
    };
    let what = verb(change);
    let fields = change.fields.iter();
    let mut rows: Vec<[String; 10]> = fields
        .map(|field| {
            let [before, after] = briefs([&field.before, &field.after]);
            row(&what, field.field.to_string(), before, after)
        })
        .collect();
    rows.extend(change.conflicts.iter().map(|conflict| {
        let (lost, taken) = outcome(conflict);
        let what = if change.merged().is_some() { "merge, this value lost" } else { told(conflict) };
        row(what, conflict.field.to_string(), lost, taken)
    }));
    if rows.is_empty() {
        rows.push(row(&what, String::new(), String::new(), String::new()));
    }
    rows
}

/// One row for each member that changed; one for a change of none.
fn entry_rows(change: &EntryChange) -> Vec<[String; 10]> {
    let kind = change.after.kind().as_str();
    let what = format!("{kind} {}", action(change.action));
    let row = |field: String, before: String, after: String| {
        let run = change.run.map(|run| run.to_string()).unwrap_or_default();
        let (time, entry, name) = (change.at.to_string(), change.entry.to_string(), change.after.title());
        [time, entry, name, "store".to_owned(), who(&change.actor), run, what.clone(), field, before, after]
    };
    let members = if change.action == Action::Deleted { Vec::new() } else { change.members() };
    let rows: Vec<[String; 10]> = members
        .into_iter()
        .map(|changed| {
            let [before, after] = briefs([&changed.before, &changed.after]);
            row(changed.member, before, after)
        })
        .collect();
    if rows.is_empty() { vec![row(String::new(), String::new(), String::new())] } else { rows }
}

/// How a conflict ended.
fn told(conflict: &FieldConflict) -> &'static str {
    match conflict.winner {
        Winner::Store => "conflict, Google's value lost",
        Winner::Remote => "conflict, the store's value lost",
        Winner::Hold => "conflict, a person decides",
    }
}

/// The value that lost, and the one that was taken. While it waits, what the store and Google have.
fn outcome(conflict: &FieldConflict) -> (String, String) {
    let [store, other] = briefs([&conflict.store, &conflict.remote]);
    match conflict.winner {
        Winner::Store => (other, store),
        Winner::Remote | Winner::Hold => (store, other),
    }
}
