//! `person` and `organization`: the local contact store.

use anyhow::Context;
use serde_json::Value;

use crate::contacts::patch;
use crate::domain::contact::{Card, Contact, Kind};
use crate::domain::id::ContactId;
use crate::domain::matching::MatchKey;
use crate::domain::normal;

use super::card_flags::{CardFlags, OrganizationFlags, PersonFlags};
use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::merge::{self, MergeArgs};
use super::{list, photo, relation};

/// What to do with persons.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum PersonCommand {
    /// List persons
    List(Box<list::ListPersons>),
    /// Show one person
    Show(One),
    /// Add a person
    Add(Box<PersonFlags>),
    /// Edit a person
    Edit(Box<Edit<PersonFlags>>),
    /// Delete a person; it can be restored
    Delete(One),
    /// Restore a deleted person
    Restore(One),
    /// Make two persons that are the same into one; `undo` takes it back
    ///
    /// Without --yes it tells what that comes to, field by field, and writes nowhere
    Merge(MergeArgs),
    /// Write a person's photo into a file, or to stdout
    Photo(photo::PhotoArgs),
}

/// What to do with organizations.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum OrganizationCommand {
    /// List organizations
    List(Box<list::ListContacts>),
    /// Show one organization
    Show(One),
    /// Add an organization
    Add(Box<AddOrganization>),
    /// Edit an organization; its people follow a new name
    Edit(Box<Edit<OrganizationFlags>>),
    /// Delete an organization; its people keep the name, and it can be restored
    Delete(One),
    /// Restore a deleted organization
    Restore(One),
    /// Make two organizations that are the same into one; `undo` takes it back
    ///
    /// Without --yes it tells what that comes to, field by field, and writes nowhere
    Merge(MergeArgs),
    /// Say what another organization is to this one
    Relate(Relate),
    /// Say that two organizations have nothing to do with each other
    Unrelate(Couple),
}

/// Two organizations, and what the other is to the one.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "word", required = true, multiple = false)]
pub struct Words {
    /// This one is its parent, by id or name
    #[arg(long, value_name = "ID|NAME")]
    pub parent: Option<String>,

    /// This one is its daughter, by id or name
    #[arg(long, value_name = "ID|NAME")]
    pub daughter: Option<String>,

    /// This one is related to it in some other way, by id or name
    #[arg(long, value_name = "ID|NAME")]
    pub related: Option<String>,
}

/// Which organization, and what another one is to it.
#[derive(Debug, Clone, clap::Args)]
pub struct Relate {
    /// The organization, by id or name
    #[arg(value_name = "ID|NAME")]
    pub organization: String,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub words: Words,
}

/// Two organizations.
#[derive(Debug, Clone, clap::Args)]
pub struct Couple {
    /// The one, by id or name
    #[arg(value_name = "ID|NAME")]
    pub one: String,

    /// The other, by id or name
    #[arg(value_name = "ID|NAME")]
    pub other: String,
}

/// Which contact.
#[derive(Debug, Clone, clap::Args)]
pub struct One {
    /// The contact's id
    #[arg(value_name = "ID")]
    pub id: ContactId,
}

/// A new organization.
#[derive(Debug, Clone, clap::Args)]
pub struct AddOrganization {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub flags: OrganizationFlags,

    /// Add it even when there is one of the same name
    #[arg(long)]
    pub anyway: bool,
}

/// Which contact, and what becomes of it.
#[derive(Debug, Clone, clap::Args)]
pub struct Edit<F: clap::Args> {
    /// The contact's id
    #[arg(value_name = "ID")]
    pub id: ContactId,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub flags: F,
}

/// Carries out a command on persons.
///
/// # Errors
/// What the store, the patch or the stream says.
pub async fn person(command: &PersonCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        PersonCommand::List(list) => list::persons(list, desk).await,
        PersonCommand::Show(one) => show(one.id, Kind::Person, desk).await,
        PersonCommand::Add(flags) => add(&**flags, desk).await,
        PersonCommand::Edit(edit) => edit_contact(edit, desk).await,
        PersonCommand::Delete(one) => delete(one.id, Kind::Person, desk).await,
        PersonCommand::Restore(one) => restore(one.id, Kind::Person, desk).await,
        PersonCommand::Merge(args) => merge::merge(args, Kind::Person, desk).await,
        PersonCommand::Photo(args) => photo::photo(args, desk).await,
    }
}

/// Carries out a command on organizations.
///
/// # Errors
/// What the store, the patch or the stream says.
pub async fn organization(command: &OrganizationCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        OrganizationCommand::List(list) => list::organizations(list, desk).await,
        OrganizationCommand::Show(one) => show(one.id, Kind::Organization, desk).await,
        OrganizationCommand::Add(new) => add_organization(new, desk).await,
        OrganizationCommand::Edit(edit) => edit_contact(edit, desk).await,
        OrganizationCommand::Delete(one) => delete(one.id, Kind::Organization, desk).await,
        OrganizationCommand::Restore(one) => restore(one.id, Kind::Organization, desk).await,
        OrganizationCommand::Merge(args) => merge::merge(args, Kind::Organization, desk).await,
        OrganizationCommand::Relate(relate) => relation::relate(relate, desk).await,
        OrganizationCommand::Unrelate(couple) => relation::unrelate(couple, desk).await,
    }
}

async fn show(id: ContactId, kind: Kind, desk: &Desk) -> anyhow::Result<Exit> {
    let found = desk.store.contacts(&[id]).await.context("reading the contact")?.pop();
    let contact = found.filter(|contact| contact.card.kind() == kind);
    let contact = contact.ok_or_else(|| UsageError(format!("there is no {} {id}", kind.as_str())))?;
    desk.answer_contact(&contact).await?;
    Ok(Exit::Done)
}

async fn add<F: CardFlags>(flags: &F, desk: &Desk) -> anyhow::Result<Exit> {
    let (blank, patch) = (Card::blank(F::KIND), flags.patch()?);
    flags.check(&blank, &patch)?;
    let patch = flags.laid_over(&blank, &patch);
    let contact = desk.editor().add_with(F::KIND, &patch, &flags.photo()?).await?;
    warn_of_oddities(&contact, desk);
    desk.answer_changed(&contact, "added").await?;
    Ok(Exit::Done)
}

/// People find their organization by its name, so a second one of the same name is rarely meant.
async fn add_organization(new: &AddOrganization, desk: &Desk) -> anyhow::Result<Exit> {
    let patch = new.flags.patch()?;
    let name = patch.get("name").and_then(Value::as_str).filter(|name| !new.anyway && !name.trim().is_empty());
    if let Some(name) = name {
        let key = MatchKey::OrganizationName(normal::fold(name));
        let known = desk.store.contacts_with_keys(&[key].into()).await.context("looking for the organization")?;
        if let Some((_, id)) = known.into_iter().next() {
            let text = format!(
                "there is an organization {name:?} already, {id}; change it with `contactsync organization edit {id}`, \
                 or say --anyway to have two"
            );
            return Err(UsageError(text).into());
        }
    }
    add(&new.flags, desk).await
}

async fn edit_contact<F: CardFlags + clap::Args + Sync>(edit: &Edit<F>, desk: &Desk) -> anyhow::Result<Exit> {
    if edit.flags.says_nothing()? {
        let help = format!("nothing to change; see `contactsync {} edit --help`", F::KIND.as_str());
        return Err(UsageError(help).into());
    }
    let patch = edit.flags.patch()?;
    let current = desk.store.contacts(&[edit.id]).await.context("reading the contact")?.pop();
    edit.flags.check(&current.map_or_else(|| Card::blank(F::KIND), |contact| contact.card), &patch)?;
    let photo = edit.flags.photo()?;
    let laid_over = |card: &Card| edit.flags.laid_over(card, &patch);
    let contact = desk.editor().edit_with(edit.id, F::KIND, &laid_over, &photo).await?;
    warn_of_oddities(&contact, desk);
    desk.answer_changed(&contact, "saved").await?;
    Ok(Exit::Done)
}

async fn delete(id: ContactId, kind: Kind, desk: &Desk) -> anyhow::Result<Exit> {
    let contact = desk.editor().delete(id, kind).await?;
    desk.answer_changed(&contact, "deleted").await?;
    Ok(Exit::Done)
}

async fn restore(id: ContactId, kind: Kind, desk: &Desk) -> anyhow::Result<Exit> {
    let contact = desk.editor().restore(id, kind).await?;
    desk.answer_changed(&contact, "restored").await?;
    Ok(Exit::Done)
}

fn warn_of_oddities(contact: &Contact, desk: &Desk) {
    for oddity in patch::oddities(&contact.card) {
        desk.out.warn(&oddity);
    }
}
