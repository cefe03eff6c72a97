//! `history`: who changed what, when, on which replica. What runs wrote to Google stands beside the edits of the store, and
//! a value that lost a conflict beside the one that won.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Serialize;

use crate::domain::history::{Action, Actor, Change, RecordedChange};
use crate::domain::id::{ContactId, RemoteId, RunId};
use crate::domain::merge::FieldConflict;
use crate::domain::policy::Winner;
use crate::store::HistoryQuery;

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
    fn of(recorded: &'c RecordedChange, names: &'c Names) -> Self {
        let RecordedChange { sequence, change, remote } = recorded;
        let record = remote.as_ref().map(|copy| &copy.record);
        Shown { sequence: *sequence, name: names.of(change.contact), replica: replica(recorded), record, change }
    }
}

/// How people know contacts.
struct Names(BTreeMap<ContactId, String>);

impl Names {
    async fn read(changes: &[RecordedChange], desk: &Desk) -> anyhow::Result<Self> {
        let ids: BTreeSet<ContactId> = changes.iter().map(|recorded| recorded.change.contact).collect();
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
    let changes = desk.store.history(&query).await.context("reading the history")?;
    let names = Names::read(&changes, desk).await?;
    if desk.out.is_json() {
        desk.out.json(&changes.iter().map(|change| Shown::of(change, &names)).collect::<Vec<_>>())?;
    } else {
        let rows = changes.iter().flat_map(|change| rows(change, &names)).collect();
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
        [time, contact, name, replica, who(change), run, what.to_owned(), field, before, after]
    };
    let what = what(change.action);
    let fields = change.fields.iter();
    let mut rows: Vec<[String; 10]> = fields
        .map(|field| {
            let [before, after] = briefs([&field.before, &field.after]);
            row(what, field.field.to_string(), before, after)
        })
        .collect();
    rows.extend(change.conflicts.iter().map(|conflict| {
        let (what, lost, taken) = outcome(conflict);
        row(what, conflict.field.to_string(), lost, taken)
    }));
    if rows.is_empty() {
        rows.push(row(what, String::new(), String::new(), String::new()));
    }
    rows
}

/// How a conflict ended: the value that lost, and the one that was taken. While it waits, what the store and Google have.
fn outcome(conflict: &FieldConflict) -> (&'static str, String, String) {
    let [store, google] = briefs([&conflict.store, &conflict.remote]);
    match conflict.winner {
        Winner::Store => ("conflict, Google's value lost", google, store),
        Winner::Remote => ("conflict, the store's value lost", store, google),
        Winner::Hold => ("conflict, a person decides", store, google),
    }
}

fn who(change: &Change) -> String {
    match &change.actor {
        Actor::User => "user".to_owned(),
        Actor::Import { import } => format!("import {import}"),
        Actor::Replica { replica } => replica.display_name().to_owned(),
    }
}

fn what(action: Action) -> &'static str {
    match action {
        Action::Created => "created",
        Action::Edited => "edited",
        Action::Deleted => "deleted",
        Action::Restored => "restored",
        Action::Joined => "joined the group",
        Action::Left => "left the group",
        Action::Linked => "linked",
        Action::Unlinked => "unlinked",
    }
}
