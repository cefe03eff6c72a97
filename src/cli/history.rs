//! `history`: who changed what, when, on which replica. What runs wrote to Google stands beside the edits of the store, and
//! a value that lost a conflict beside the one that won.

use anyhow::Context;
use serde::Serialize;

use crate::domain::history::{Action, Actor, Change, RecordedChange};
use crate::domain::id::{ContactId, RemoteId, RunId};
use crate::domain::merge::FieldConflict;
use crate::domain::policy::Winner;
use crate::store::HistoryQuery;

use super::brief::brief;
use super::desk::Desk;
use super::exit::Exit;

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
    /// Where it was made.
    replica: &'c str,
    /// The record, where it was not the store.
    record: Option<&'c RemoteId>,
    #[serde(flatten)]
    change: &'c Change,
}

impl<'c> From<&'c RecordedChange> for Shown<'c> {
    fn from(recorded: &'c RecordedChange) -> Self {
        let RecordedChange { sequence, change, remote } = recorded;
        let record = remote.as_ref().map(|copy| &copy.record);
        Shown { sequence: *sequence, replica: replica(recorded), record, change }
    }
}

/// Shows the history, newest first.
///
/// # Errors
/// What the store or the stream says.
pub async fn history(args: &HistoryArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let query = HistoryQuery { contact: args.contact, run: args.run, before: None, limit: args.limit };
    let changes = desk.store.history(&query).await.context("reading the history")?;
    if desk.out.is_json() {
        desk.out.json(&changes.iter().map(Shown::from).collect::<Vec<_>>())?;
    } else {
        let rows = changes.iter().flat_map(rows).collect();
        let header = ["TIME", "CONTACT", "REPLICA", "WHO", "RUN", "WHAT", "FIELD", "BEFORE", "AFTER"];
        desk.out.table(header, rows)?;
    }
    Ok(Exit::Done)
}

fn replica(recorded: &RecordedChange) -> &str {
    recorded.remote.as_ref().map_or("store", |copy| copy.replica.display_name())
}

/// One row for each field, and for each conflict; one for a change with neither.
fn rows(recorded: &RecordedChange) -> Vec<[String; 9]> {
    let change = &recorded.change;
    let row = |what: &str, field: String, before: String, after: String| {
        let run = change.run.map(|run| run.to_string()).unwrap_or_default();
        let (time, contact, replica) =
            (change.at.to_string(), change.contact.to_string(), replica(recorded).to_owned());
        [time, contact, replica, who(change), run, what.to_owned(), field, before, after]
    };
    let what = what(change.action);
    let fields = change.fields.iter();
    let mut rows: Vec<[String; 9]> =
        fields.map(|field| row(what, field.field.to_string(), brief(&field.before), brief(&field.after))).collect();
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
    let (store, google) = (brief(&conflict.store), brief(&conflict.remote));
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
        Action::Unlinked => "unlinked",
    }
}
