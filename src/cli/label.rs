//! `label`: the labels that contacts and deals carry, and their colours.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Serialize;

use crate::config::PairWish;
use crate::contacts::definitions::{LabelEdit, Spread, find_definition};
use crate::domain::contact::Kind;
use crate::domain::entry::definition::{Colour, Label};
use crate::domain::entry::{Body, EntryKind};
use crate::domain::field::Field;
use crate::domain::filter::{Asked, Condition};
use crate::store::{ContactQuery, EntryQuery};

use super::desk::Desk;
use super::entry;
use super::exit::{Exit, UsageError};
use super::filter::selecting_by;
use super::output::many;

/// What to do with labels.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum LabelCommand {
    /// List the labels, with how many contacts and deals carry each
    List,
    /// Define a label before anybody carries it, or give one its colour
    Add(AddLabel),
    /// Give a label another name or colour; whoever carries it follows
    Edit(EditLabel),
    /// Take a label away from everybody who carries it
    Delete(DeleteLabel),
}

/// A new label.
#[derive(Debug, Clone, clap::Args)]
pub struct AddLabel {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Its colour: green, blue, red, yellow, purple, gray, brown, orange or pink
    #[arg(long = "label-colour", alias = "label-color", value_name = "COLOUR", value_parser = colour)]
    pub colour: Option<Colour>,
}

/// Which label, and what becomes of it.
#[derive(Debug, Clone, clap::Args)]
pub struct EditLabel {
    /// Its name
    #[arg(value_name = "LABEL")]
    pub label: String,

    /// Its new name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Its new colour: green, blue, red, yellow, purple, gray, brown, orange or pink
    #[arg(long = "label-colour", alias = "label-color", value_name = "COLOUR", value_parser = colour)]
    pub colour: Option<Colour>,

    /// Rename it even when the configuration selects contacts by it
    #[arg(long)]
    pub anyway: bool,
}

/// Which label.
#[derive(Debug, Clone, clap::Args)]
pub struct DeleteLabel {
    /// Its name
    #[arg(value_name = "LABEL")]
    pub label: String,

    /// Delete it even when contacts carry it or the configuration selects contacts by it
    #[arg(long)]
    pub anyway: bool,
}

#[derive(Serialize)]
struct Row {
    label: String,
    colour: Option<Colour>,
    persons: u64,
    organizations: u64,
    deals: u64,
}

fn colour(text: &str) -> Result<Colour, String> {
    let known = Colour::ALL.into_iter().find(|colour| colour.as_str() == text);
    known.ok_or_else(|| format!("expected one of {}", Colour::ALL.map(Colour::as_str).join(", ")))
}

/// Carries out a command on labels.
///
/// # Errors
/// What the store, the editor or the stream says.
pub async fn label(command: &LabelCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        LabelCommand::List => list(desk).await,
        LabelCommand::Add(new) => add(new, desk).await,
        LabelCommand::Edit(edit) => edit_label(edit, desk).await,
        LabelCommand::Delete(asked) => delete(asked, desk).await,
    }
}

async fn list(desk: &Desk) -> anyhow::Result<Exit> {
    let rows = rows(desk).await?;
    if desk.out.is_json() {
        desk.out.json(&rows)?;
    } else {
        let cells = |row: Row| {
            let colour = row.colour.map(|colour| colour.as_str().to_owned()).unwrap_or_default();
            [row.label, colour, row.persons.to_string(), row.organizations.to_string(), row.deals.to_string()]
        };
        let header = ["LABEL", "COLOUR", "PERSONS", "ORGANIZATIONS", "DEALS"];
        desk.out.table(header, rows.into_iter().map(cells).collect())?;
    }
    Ok(Exit::Done)
}

async fn rows(desk: &Desk) -> anyhow::Result<Vec<Row>> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let blank = |label: &str| Row { label: label.to_owned(), colour: None, persons: 0, organizations: 0, deals: 0 };
    for contact in desk.store.find_contacts(&ContactQuery::default()).await.context("reading contacts")? {
        for label in &contact.card.labels {
            let row = rows.entry(label.clone()).or_insert_with(|| blank(label));
            match contact.card.kind() {
                Kind::Person => row.persons += 1,
                Kind::Organization => row.organizations += 1,
            }
        }
    }
    let kinds = BTreeSet::from([EntryKind::Deal, EntryKind::Label]);
    let query = EntryQuery { kinds, ..EntryQuery::default() };
    for entry in desk.store.find_entries(&query).await.context("reading deals and labels")? {
        match entry.body {
            Body::Deal(deal) => {
                for label in &deal.labels {
                    rows.entry(label.clone()).or_insert_with(|| blank(label)).deals += 1;
                }
            }
            Body::Label(label) => {
                rows.entry(label.name.clone()).or_insert_with(|| blank(&label.name)).colour = label.colour;
            }
            _ => {}
        }
    }
    Ok(rows.into_values().collect())
}

async fn add(new: &AddLabel, desk: &Desk) -> anyhow::Result<Exit> {
    let body = Body::Label(Label { name: new.name.trim().to_owned(), colour: new.colour });
    entry::answer_changed(&desk.editor().add_entry(&body).await?, "added", desk).await
}

async fn edit_label(edit: &EditLabel, desk: &Desk) -> anyhow::Result<Exit> {
    if edit.name.is_none() && edit.colour.is_none() {
        return Err(UsageError("nothing to change; see `contactsync label edit --help`".to_owned()).into());
    }
    let name = edit.name.as_deref().map_or(edit.label.as_str(), str::trim).to_owned();
    if name != edit.label && !edit.anyway {
        refuse_selected(&edit.label, "renaming it", desk).await?;
    }
    let like = Body::Label(Label { name: edit.label.clone(), colour: None });
    let known = find_definition(&*desk.store, &like).await.context("reading the label")?;
    let known = known.and_then(|entry| if let Body::Label(label) = entry.body { label.colour } else { None });
    let label = Label { name, colour: edit.colour.or(known) };
    Body::Label(label.clone()).check().map_err(|error| UsageError(error.to_string()))?;
    let spread = desk.editor().edit_label(&edit.label, &LabelEdit::Become(label)).await?;
    tell(&spread, "saved", desk).await
}

async fn delete(asked: &DeleteLabel, desk: &Desk) -> anyhow::Result<Exit> {
    if !asked.anyway {
        refuse_selected(&asked.label, "deleting it", desk).await?;
        let row = rows(desk).await?.into_iter().find(|row| row.label == asked.label);
        let carriers = row.map_or(0, |row| row.persons + row.organizations + row.deals);
        if carriers > 0 {
            let text =
                format!("{carriers} contacts and deals carry label {:?}; say --anyway to take it away", asked.label);
            return Err(UsageError(text).into());
        }
    }
    let spread = desk.editor().edit_label(&asked.label, &LabelEdit::Delete).await?;
    tell(&spread, "deleted", desk).await
}

/// A label that selects the contacts of a pair, by itself or through a saved filter, decides who is in a Google group.
async fn refuse_selected(label: &str, doing: &str, desk: &Desk) -> anyhow::Result<()> {
    for account in &desk.config.accounts {
        let selects = |wish: &&PairWish| wish.pair.labels.iter().any(|selected| selected == label);
        if let Some(PairWish { pair, .. }) = account.pairs.iter().find(selects) {
            let text = format!(
                "label {label:?} selects the contacts of account {}, group {:?}: {doing} would take them out of the \
                 group. Change the configuration first, or say --anyway",
                account.name, pair.group
            );
            return Err(UsageError(text).into());
        }
    }
    let named = |condition: &Condition| {
        *condition.asked() == Asked::Field(Field::Labels) && condition.values().any(|value| value == label)
    };
    if let Some(name) = selecting_by(named, desk).await? {
        let text = format!(
            "label {label:?} is asked for by the filter {name:?}, which selects who is in a Google group: {doing} would \
             change that. Change the filter first, or say --anyway"
        );
        return Err(UsageError(text).into());
    }
    Ok(())
}

async fn tell(spread: &Spread, what: &str, desk: &Desk) -> anyhow::Result<Exit> {
    if desk.out.is_json() {
        let label = spread.definition.as_ref().map(|entry| entry.body.title());
        desk.out.json(&serde_json::json!({ "label": label, "contacts": spread.contacts, "deals": spread.deals,
            "run": spread.run }))?;
    } else {
        desk.out.text(&format!(
            "{what}; {}, {} changed; `contactsync undo {}` takes it back",
            many(spread.contacts, "contact"),
            many(spread.deals, "deal"),
            spread.run
        ))?;
    }
    Ok(Exit::Done)
}
