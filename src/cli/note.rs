//! `note`: free text about a person, an organization or a deal.

use crate::domain::contact::Kind;
use crate::domain::entry::note::Note;
use crate::domain::entry::{About, Body, EntryKind};
use crate::domain::id::EntryId;

use super::desk::Desk;
use super::entry::{self, Listed, One};
use super::exit::{Exit, UsageError};
use super::whom;

/// What to do with notes.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum NoteCommand {
    /// List notes, pinned ones first, then the newest
    List(Listed),
    /// Show one note
    Show(One),
    /// Add a note
    Add(AddNote),
    /// Edit a note
    Edit(EditNote),
    /// Delete a note; it can be restored
    Delete(One),
    /// Restore a deleted note
    Restore(One),
}

/// A new note.
#[derive(Debug, Clone, clap::Args)]
pub struct AddNote {
    /// The text
    #[arg(value_name = "TEXT")]
    pub content: String,

    /// About this person, by id or name
    #[arg(long, value_name = "ID|NAME")]
    pub person: Option<String>,

    /// About this organization, by id or name
    #[arg(long, value_name = "ID|NAME")]
    pub organization: Option<String>,

    /// About this deal
    #[arg(long, value_name = "ID")]
    pub deal: Option<EntryId>,

    /// Let it stand above the others
    #[arg(long)]
    pub pin: bool,
}

/// Which note, and what becomes of it.
#[derive(Debug, Clone, clap::Args)]
pub struct EditNote {
    /// The note's id
    #[arg(value_name = "ID")]
    pub id: EntryId,

    /// Set the text
    #[arg(long, value_name = "TEXT")]
    pub content: Option<String>,

    /// Let it stand above the others
    #[arg(long, conflicts_with = "unpin")]
    pub pin: bool,

    /// Let it stand among the others
    #[arg(long)]
    pub unpin: bool,
}

/// Carries out a command on notes.
///
/// # Errors
/// What the store, the editor or the stream says.
pub async fn note(command: &NoteCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        NoteCommand::List(listed) => list(listed, desk).await,
        NoteCommand::Show(one) => entry::show(one.id, EntryKind::Note, desk).await,
        NoteCommand::Add(new) => add(new, desk).await,
        NoteCommand::Edit(edit) => edit_note(edit, desk).await,
        NoteCommand::Delete(one) => entry::delete(one.id, EntryKind::Note, desk).await,
        NoteCommand::Restore(one) => entry::restore(one.id, EntryKind::Note, desk).await,
    }
}

async fn list(listed: &Listed, desk: &Desk) -> anyhow::Result<Exit> {
    let mut found = listed.load(EntryKind::Note, desk, |_| true).await?;
    found.sort_by_key(|entry| {
        let is_pinned = matches!(&entry.body, Body::Note(note) if note.pinned);
        (!is_pinned, std::cmp::Reverse(entry.id))
    });
    entry::answer_list(
        &found,
        ["ID", "CREATED", "NOTE", "PINNED", "ABOUT"],
        |entry, names| match &entry.body {
            Body::Note(note) => [
                entry.id.to_string(),
                entry.created.to_string(),
                if entry.is_live() { entry.body.title() } else { format!("{} (deleted)", entry.body.title()) },
                if note.pinned { "yes".to_owned() } else { String::new() },
                names.about(note.about),
            ],
            _ => Default::default(),
        },
        desk,
    )
    .await
}

async fn add(new: &AddNote, desk: &Desk) -> anyhow::Result<Exit> {
    let about = About {
        person: whom::find_some(Kind::Person, new.person.as_ref(), desk).await?,
        organization: whom::find_some(Kind::Organization, new.organization.as_ref(), desk).await?,
    };
    let content = new.content.trim_end().to_owned();
    let body = Body::Note(Note { content, pinned: new.pin, about, deal: new.deal });
    entry::answer_changed(&desk.editor().add_entry(&body).await?, "added", desk).await
}

async fn edit_note(edit: &EditNote, desk: &Desk) -> anyhow::Result<Exit> {
    if edit.content.is_none() && !edit.pin && !edit.unpin {
        return Err(UsageError("nothing to change; see `contactsync note edit --help`".to_owned()).into());
    }
    let change = |body: &Body| {
        let mut body = body.clone();
        if let Body::Note(note) = &mut body {
            if let Some(content) = &edit.content {
                content.trim_end().clone_into(&mut note.content);
            }
            note.pinned = (note.pinned || edit.pin) && !edit.unpin;
        }
        Ok(body)
    };
    entry::answer_changed(&desk.editor().edit_entry(edit.id, EntryKind::Note, &change).await?, "saved", desk).await
}
