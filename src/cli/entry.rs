//! What the commands on entries share: finding, listing, showing, deleting and restoring them.

use std::collections::BTreeSet;

use anyhow::Context as _;

use crate::contacts::show_entry::{Names, Shown, lines};
use crate::domain::contact::Kind;
use crate::domain::entry::{Entry, EntryKind};
use crate::domain::id::{ContactId, EntryId};
use crate::store::{DeletedContacts, EntryQuery};

use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::whom;

/// Which entry.
#[derive(Debug, Clone, clap::Args)]
pub struct One {
    /// The id
    #[arg(value_name = "ID")]
    pub id: EntryId,
}

/// Which entries to list.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Listed {
    /// Only those about this person, by id or name
    #[arg(long, value_name = "ID|NAME")]
    pub person: Option<String>,

    /// Only those about this organization, by id or name
    #[arg(long, value_name = "ID|NAME")]
    pub organization: Option<String>,

    /// Include deleted ones
    #[arg(long)]
    pub deleted: bool,

    /// List at most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

impl Listed {
    /// The entries of a kind that are to be listed, and that `wanted` lets through.
    ///
    /// # Errors
    /// What the store says; [`UsageError`] when a name leads to nobody, or to several.
    pub async fn load(
        &self,
        kind: EntryKind,
        desk: &Desk,
        wanted: impl Fn(&Entry) -> bool,
    ) -> anyhow::Result<Vec<Entry>> {
        let person = whom::find_some(Kind::Person, self.person.as_ref(), desk).await?;
        let organization = whom::find_some(Kind::Organization, self.organization.as_ref(), desk).await?;
        let contacts: BTreeSet<ContactId> = [person, organization].into_iter().flatten().collect();
        let query = EntryQuery {
            kinds: [kind].into(),
            contacts: contacts.clone(),
            deleted: if self.deleted { DeletedContacts::Included } else { DeletedContacts::Hidden },
            ..EntryQuery::default()
        };
        let found = desk.store.find_entries(&query).await.with_context(|| format!("reading {}s", kind.as_str()))?;
        // Asked for both, it is about both.
        let is_about = |entry: &Entry| contacts.is_subset(&entry.body.contacts());
        Ok(found
            .into_iter()
            .filter(|entry| is_about(entry) && wanted(entry))
            .take(self.limit.unwrap_or(usize::MAX))
            .collect())
    }
}

/// Answers with entries: a list of records as JSON, or a table of the rows that `row` makes of them.
///
/// # Errors
/// What the store or the stream says.
pub async fn answer_list<const N: usize>(
    entries: &[Entry],
    header: [&str; N],
    row: impl Fn(&Entry, &Names) -> [String; N],
    desk: &Desk,
) -> anyhow::Result<Exit> {
    let names = Names::load(&*desk.store, entries).await.context("reading contacts")?;
    if desk.out.is_json() {
        desk.out.json(&entries.iter().map(|entry| Shown::of(entry, &names)).collect::<Vec<_>>())?;
    } else {
        desk.out.table(header, entries.iter().map(|entry| row(entry, &names)).collect())?;
    }
    Ok(Exit::Done)
}

/// Answers with an entry that was just changed: its record as JSON, or one sentence.
///
/// # Errors
/// What the store or the stream says.
pub async fn answer_changed(entry: &Entry, what: &str, desk: &Desk) -> anyhow::Result<Exit> {
    if desk.out.is_json() {
        return answer(entry, desk).await;
    }
    desk.out.text(&format!("{what} {} {} {}", entry.body.kind().as_str(), entry.id, entry.body.title()))?;
    Ok(Exit::Done)
}

/// Answers with an entry: its record as JSON, or a page.
///
/// # Errors
/// What the store or the stream says.
pub async fn answer(entry: &Entry, desk: &Desk) -> anyhow::Result<Exit> {
    let names = Names::load(&*desk.store, std::slice::from_ref(entry)).await.context("reading contacts")?;
    if desk.out.is_json() {
        desk.out.json(&Shown::of(entry, &names))?;
    } else {
        desk.out.text(&crate::contacts::show::table_of(&lines(entry, &names)))?;
    }
    Ok(Exit::Done)
}

/// Shows one entry.
///
/// # Errors
/// [`UsageError`] when there is none; what the store or the stream says.
pub async fn show(id: EntryId, kind: EntryKind, desk: &Desk) -> anyhow::Result<Exit> {
    let found = desk.store.entries(&[id]).await.with_context(|| format!("reading the {}", kind.as_str()))?.pop();
    let entry = found.filter(|entry| entry.body.kind() == kind);
    let entry = entry.ok_or_else(|| UsageError(format!("there is no {} {id}", kind.as_str())))?;
    answer(&entry, desk).await
}

/// Puts an entry into the bin.
///
/// # Errors
/// As the editor.
pub async fn delete(id: EntryId, kind: EntryKind, desk: &Desk) -> anyhow::Result<Exit> {
    answer_changed(&desk.editor().delete_entry(id, kind).await?, "deleted", desk).await
}

/// Takes an entry out of the bin.
///
/// # Errors
/// As the editor.
pub async fn restore(id: EntryId, kind: EntryKind, desk: &Desk) -> anyhow::Result<Exit> {
    answer_changed(&desk.editor().restore_entry(id, kind).await?, "restored", desk).await
}

/// A text as a flag gives it: an empty one takes the value away.
pub fn text_flag(given: &str) -> Option<String> {
    let text = given.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
