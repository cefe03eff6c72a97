//! `history`: who changed what, when, on which replica.

use anyhow::Context;

use crate::domain::history::{Action, Actor, Change, RecordedChange};
use crate::domain::id::{ContactId, RunId};
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

/// Shows the history, newest first.
///
/// # Errors
/// What the store or the stream says.
pub async fn history(args: &HistoryArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let query = HistoryQuery { contact: args.contact, run: args.run, before: None, limit: args.limit };
    let changes = desk.store.history(&query).await.context("reading the history")?;
    if desk.out.is_json() {
        desk.out.json(&changes)?;
    } else {
        let rows = changes.iter().flat_map(rows).collect();
        desk.out.table(["TIME", "CONTACT", "WHO", "WHAT", "FIELD", "BEFORE", "AFTER"], rows)?;
    }
    Ok(Exit::Done)
}

/// One row for each field; one for a change without fields.
fn rows(recorded: &RecordedChange) -> Vec<[String; 7]> {
    let change = &recorded.change;
    let row = |field: &str, before: &str, after: &str| {
        [
            change.at.to_string(),
            change.contact.to_string(),
            who(change),
            what(change.action).to_owned(),
            field.to_owned(),
            before.to_owned(),
            after.to_owned(),
        ]
    };
    if change.fields.is_empty() {
        return vec![row("", "", "")];
    }
    let fields = change.fields.iter();
    fields.map(|field| row(&field.field.to_string(), &brief(&field.before), &brief(&field.after))).collect()
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
    }
}
