//! `field`: the custom fields that persons, organizations and deals have.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Serialize;

use crate::contacts::definitions::{FieldEdit, find_definition, keys_in_use};
use crate::domain::custom_field::FieldType;
use crate::domain::entry::definition::{CustomField, FieldOf};
use crate::domain::entry::{Body, EntryKind};
use crate::domain::field::Field;
use crate::domain::filter::Asked;
use crate::domain::id::EntryId;
use crate::domain::normal;
use crate::store::EntryQuery;

use super::desk::Desk;
use super::entry;
use super::exit::{Exit, UsageError};
use super::filter::selecting_by;
use super::output::many;

/// What to do with custom fields.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum FieldCommand {
    /// List the custom fields, with how many have a value of each
    List,
    /// Define a custom field
    Add(AddField),
    /// Change a custom field; values follow a new name
    Edit(EditField),
    /// Delete a custom field that nothing has a value of
    Delete(Which),
}

/// Which field.
#[derive(Debug, Clone, clap::Args)]
pub struct Which {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    /// What has it: person, organization or deal
    #[arg(long, value_name = "KIND", value_parser = of, default_value = "person")]
    pub of: FieldOf,
}

/// A new field.
#[derive(Debug, Clone, clap::Args)]
pub struct AddField {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub which: Which,

    /// What its values are: varchar, varchar_auto, text, double, monetary, enum, set, date, daterange, time, timerange,
    /// phone, address, org, people or user
    #[arg(long = "type", value_name = "TYPE", value_parser = field_type, default_value = "varchar")]
    pub field_type: FieldType,

    /// A value it may have; repeat it for more, only of an enum or a set
    #[arg(long = "option", value_name = "TEXT")]
    pub options: Vec<String>,
}

/// Which field, and what becomes of it.
#[derive(Debug, Clone, clap::Args)]
pub struct EditField {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub which: Which,

    /// Its new name
    #[arg(long = "name", id = "new-name", value_name = "NAME")]
    pub new_name: Option<String>,

    /// Another value it may have; repeat it for more
    #[arg(long = "option", value_name = "TEXT")]
    pub options: Vec<String>,

    /// Give an option another name; values follow
    #[arg(long = "rename-option", value_name = "OLD=NEW")]
    pub renamed_options: Vec<String>,

    /// Take no new values; those that are there stay
    #[arg(long, conflicts_with = "reopen")]
    pub retire: bool,

    /// Take values again
    #[arg(long)]
    pub reopen: bool,
}

#[derive(Serialize)]
struct Row {
    id: Option<EntryId>,
    of: FieldOf,
    name: String,
    #[serde(rename = "type")]
    field_type: Option<FieldType>,
    options: Vec<String>,
    retired: bool,
    values: u64,
}

fn of(text: &str) -> Result<FieldOf, String> {
    let known = [FieldOf::Person, FieldOf::Organization, FieldOf::Deal];
    known.into_iter().find(|of| of.as_str() == text).ok_or_else(|| "expected person, organization or deal".to_owned())
}

fn field_type(text: &str) -> Result<FieldType, String> {
    let known = FieldType::ALL.into_iter().find(|known| known.as_str() == text);
    known.ok_or_else(|| format!("expected one of {}", FieldType::ALL.map(FieldType::as_str).join(", ")))
}

/// Carries out a command on custom fields.
///
/// # Errors
/// What the store, the editor or the stream says.
pub async fn field(command: &FieldCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        FieldCommand::List => list(desk).await,
        FieldCommand::Add(new) => add(new, desk).await,
        FieldCommand::Edit(edit) => edit_field(edit, desk).await,
        FieldCommand::Delete(which) => {
            let (id, _) = find(which, desk).await?;
            entry::answer_changed(&desk.editor().delete_field(id).await?, "deleted", desk).await
        }
    }
}

async fn list(desk: &Desk) -> anyhow::Result<Exit> {
    let mut used = keys_in_use(&*desk.store).await.context("reading contacts")?;
    let query = EntryQuery { kinds: [EntryKind::Field].into(), ..EntryQuery::default() };
    let mut rows = Vec::new();
    for entry in desk.store.find_entries(&query).await.context("reading the fields")? {
        let Body::Field(CustomField { of, name, field_type, options, retired }) = entry.body else { continue };
        let values = used.remove(&(of, name.clone())).unwrap_or(0);
        let (id, field_type) = (Some(entry.id), Some(field_type));
        rows.push(Row { id, of, name, field_type, options, retired: retired.is_some(), values });
    }
    // What somebody just wrote down, or what came from Google.
    rows.extend(used.into_iter().map(|((of, name), values)| Row {
        id: None,
        of,
        name,
        field_type: None,
        options: Vec::new(),
        retired: false,
        values,
    }));
    rows.sort_by(|one, other| (one.of, &one.name).cmp(&(other.of, &other.name)));
    if desk.out.is_json() {
        desk.out.json(&rows)?;
    } else {
        let cells = |row: Row| {
            let kind = row.field_type.map_or_else(|| "not defined".to_owned(), |known| known.to_string());
            let kind = if row.retired { format!("{kind}, retired") } else { kind };
            [row.of.as_str().to_owned(), row.name, kind, row.options.join(", "), row.values.to_string()]
        };
        desk.out.table(["OF", "NAME", "TYPE", "OPTIONS", "VALUES"], rows.into_iter().map(cells).collect())?;
    }
    Ok(Exit::Done)
}

async fn add(new: &AddField, desk: &Desk) -> anyhow::Result<Exit> {
    let field = CustomField {
        of: new.which.of,
        name: new.which.name.trim().to_owned(),
        field_type: new.field_type,
        options: new.options.iter().map(|option| option.trim().to_owned()).collect(),
        retired: None,
    };
    let unfit = unfit_values(&field, desk).await?;
    let added = desk.editor().add_entry(&Body::Field(field)).await?;
    if unfit > 0 {
        desk.out.warn(&format!("{} that are there do not fit the type; they stay as they are", many(unfit, "value")));
    }
    entry::answer_changed(&added, "added", desk).await
}

/// How many values that contacts have already do not fit a field that is about to be defined.
async fn unfit_values(field: &CustomField, desk: &Desk) -> anyhow::Result<u64> {
    let contacts =
        desk.store.find_contacts(&crate::store::ContactQuery::default()).await.context("reading contacts")?;
    let values = contacts
        .iter()
        .filter(|contact| FieldOf::from(contact.card.kind()) == field.of)
        .filter_map(|contact| contact.card.custom.get(&field.name));
    Ok(values.filter(|value| !field.fits(value)).count() as u64)
}

async fn find(which: &Which, desk: &Desk) -> anyhow::Result<(EntryId, CustomField)> {
    let like = CustomField {
        of: which.of,
        name: which.name.trim().to_owned(),
        field_type: FieldType::Varchar,
        options: Vec::new(),
        retired: None,
    };
    let found = find_definition(&*desk.store, &Body::Field(like)).await.context("reading the field")?;
    match found.map(|entry| (entry.id, entry.body)) {
        Some((id, Body::Field(field))) => Ok((id, field)),
        _ => {
            let (name, of) = (&which.name, which.of.as_str());
            let text = format!("there is no custom field {name:?} of {of}s; define it with `contactsync field add`");
            Err(UsageError(text).into())
        }
    }
}

async fn edit_field(edit: &EditField, desk: &Desk) -> anyhow::Result<Exit> {
    let (id, mut field) = find(&edit.which, desk).await?;
    if let Some(name) = &edit.new_name {
        name.trim().clone_into(&mut field.name);
    }
    let mut renamed_options = BTreeMap::new();
    for text in &edit.renamed_options {
        let (old, new) = renamed(text, &field)?;
        let place = field.options.iter().position(|option| *option == old);
        if let Some(option) = place.and_then(|place| field.options.get_mut(place)) {
            option.clone_from(&new);
        }
        renamed_options.insert(old, new);
    }
    field.options.extend(edit.options.iter().map(|option| option.trim().to_owned()));
    if edit.retire {
        field.retired.get_or_insert(desk.clock.now());
    }
    if edit.reopen {
        field.retired = None;
    }
    let spread = desk.editor().edit_field(id, &FieldEdit { field, renamed_options }).await?;
    warn_of_mapping(edit, desk);
    warn_of_filter(edit, desk).await?;
    if !desk.out.is_json() && spread.contacts + spread.deals > 0 {
        let (contacts, deals) = (many(spread.contacts, "contact"), many(spread.deals, "deal"));
        desk.out.text(&format!("{contacts}, {deals} changed; `contactsync undo {}` takes it back", spread.run))?;
    }
    match &spread.definition {
        Some(entry) => entry::answer_changed(entry, "saved", desk).await,
        None => Ok(Exit::Done),
    }
}

fn renamed(text: &str, field: &CustomField) -> anyhow::Result<(String, String)> {
    let (old, new) =
        text.split_once('=').ok_or_else(|| UsageError(format!("--rename-option {text:?}: expected OLD=NEW")))?;
    let folded = normal::fold(old);
    let known = field.options.iter().find(|option| normal::fold(option) == folded);
    let known = known.ok_or_else(|| {
        UsageError(format!("--rename-option: {old:?} is no option; expected one of {}", field.options.join(", ")))
    })?;
    Ok((known.clone(), new.trim().to_owned()))
}

/// A filter asks for a custom field by its key, and for its options by their names.
async fn warn_of_filter(edit: &EditField, desk: &Desk) -> anyhow::Result<()> {
    if edit.new_name.is_none() && edit.renamed_options.is_empty() {
        return Ok(());
    }
    let asked = Asked::Field(Field::Custom(edit.which.name.trim().to_owned()));
    if let Some(name) = selecting_by(|condition| *condition.asked() == asked, desk).await? {
        desk.out.warn(&format!(
            "the filter {name:?} asks for {asked} and selects who is in a Google group; change it with \
             `contactsync filter edit` before the next run"
        ));
    }
    Ok(())
}

/// The configuration maps custom fields by name.
fn warn_of_mapping(edit: &EditField, desk: &Desk) {
    let Some(new) = &edit.new_name else { return };
    let old = format!("custom.{}", edit.which.name.trim());
    for account in &desk.config.accounts {
        if account.fields.iter().any(|(field, _)| field.to_string() == old) {
            desk.out.warn(&format!(
                "account {} maps {old:?} by name; change [account.fields] to \"custom.{}\"",
                account.name,
                new.trim()
            ));
        }
    }
}
