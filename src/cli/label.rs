//! `label`: the labels that contacts carry.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Serialize;

use crate::domain::contact::Kind;
use crate::store::ContactQuery;

use super::desk::Desk;
use super::exit::Exit;

/// What to do with labels.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum LabelCommand {
    /// List the labels in use, with how many contacts carry each
    List,
}

#[derive(Serialize)]
struct Row {
    label: String,
    persons: u64,
    organizations: u64,
}

/// Carries out a command on labels.
///
/// # Errors
/// What the store or the stream says.
pub async fn label(command: &LabelCommand, desk: &Desk) -> anyhow::Result<Exit> {
    let LabelCommand::List = command;
    let contacts = desk.store.find_contacts(&ContactQuery::default()).await.context("reading contacts")?;
    let mut counts: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for contact in contacts {
        let of_kind = usize::from(contact.card.kind() == Kind::Organization);
        for label in contact.card.labels {
            counts.entry(label).or_default()[of_kind] += 1;
        }
    }
    let rows: Vec<Row> =
        counts.into_iter().map(|(label, [persons, organizations])| Row { label, persons, organizations }).collect();
    if desk.out.is_json() {
        desk.out.json(&rows)?;
    } else {
        let cells = |row: Row| [row.label, row.persons.to_string(), row.organizations.to_string()];
        desk.out.table(["LABEL", "PERSONS", "ORGANIZATIONS"], rows.into_iter().map(cells).collect())?;
    }
    Ok(Exit::Done)
}
