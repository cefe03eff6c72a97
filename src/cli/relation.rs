//! `organization relate` and `unrelate`: parents, daughters, and organizations related in some other way.

use anyhow::Context as _;

use crate::contacts::definitions::find_definition;
use crate::domain::contact::Kind;
use crate::domain::entry::relation::{Relation, Seen};
use crate::domain::entry::{Body, Entry, EntryKind};
use crate::domain::id::ContactId;

use super::contact::{Couple, Relate};
use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::whom;

/// Says what another organization is to this one; a couple has one relation, which is replaced.
///
/// # Errors
/// [`UsageError`] when a name leads nowhere; what the editor or the stream says.
pub async fn relate(asked: &Relate, desk: &Desk) -> anyhow::Result<Exit> {
    let words = &asked.words;
    let said = [(Seen::Parent, &words.parent), (Seen::Daughter, &words.daughter), (Seen::Related, &words.related)];
    let Some((seen, name)) = said.into_iter().find_map(|(seen, name)| Some((seen, name.as_ref()?))) else {
        return Err(UsageError("say --parent, --daughter or --related".to_owned()).into());
    };
    let organization = whom::find(Kind::Organization, &asked.organization, desk).await?;
    let other = whom::find(Kind::Organization, name, desk).await?;
    let body = Body::Relation(seen.between(organization, other));
    match between(organization, other, desk).await? {
        Some(known) => desk.editor().edit_entry(known.id, EntryKind::Relation, &|_| Ok(body.clone())).await?,
        None => desk.editor().add_entry(&body).await?,
    };
    answer(organization, desk).await
}

/// Takes the relation of two organizations away.
///
/// # Errors
/// [`UsageError`] when a name leads nowhere, or they have none; what the editor or the stream says.
pub async fn unrelate(asked: &Couple, desk: &Desk) -> anyhow::Result<Exit> {
    let one = whom::find(Kind::Organization, &asked.one, desk).await?;
    let other = whom::find(Kind::Organization, &asked.other, desk).await?;
    let Some(known) = between(one, other, desk).await? else {
        return Err(UsageError(format!("organizations {one} and {other} are not related")).into());
    };
    desk.editor().delete_entry(known.id, EntryKind::Relation).await?;
    answer(one, desk).await
}

async fn between(one: ContactId, other: ContactId, desk: &Desk) -> anyhow::Result<Option<Entry>> {
    let like: Relation = Seen::Related.between(one, other);
    find_definition(&*desk.store, &Body::Relation(like)).await.context("reading the relation")
}

async fn answer(organization: ContactId, desk: &Desk) -> anyhow::Result<Exit> {
    if let Some(contact) = desk.store.contacts(&[organization]).await.context("reading the organization")?.pop() {
        desk.answer_changed(&contact, "saved").await?;
    }
    Ok(Exit::Done)
}
