//! Whom a command is about: a contact by its id or its name.

use anyhow::Context as _;

use crate::contacts::custom::named;
use crate::domain::contact::Kind;
use crate::domain::id::ContactId;

use super::desk::Desk;
use super::exit::UsageError;

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One contact.
    One(ContactId),
    /// Nobody of this name.
    Nobody,
}

/// The contact of this id or name. An id is taken as it is.
///
/// # Errors
/// [`UsageError`] when several have the name; it names them. What the store says.
pub async fn look_up(kind: Kind, asked: &str, desk: &Desk) -> anyhow::Result<Found> {
    if let Ok(id) = asked.trim().parse() {
        return Ok(Found::One(id));
    }
    let word = kind.as_str();
    let found = named(&*desk.store, kind, asked).await.with_context(|| format!("looking for the {word}"))?;
    match found.as_slice() {
        [] => Ok(Found::Nobody),
        [(id, _)] => Ok(Found::One(*id)),
        several => {
            let ids: Vec<String> = several.iter().map(|(id, _)| id.to_string()).collect();
            let text =
                format!("{asked:?} is the name of {} {word}s; give the id of one: {}", ids.len(), ids.join(", "));
            Err(UsageError(text).into())
        }
    }
}

/// The same for a contact that has to be there.
///
/// # Errors
/// As [`look_up`], and [`UsageError`] when there is none.
pub async fn find(kind: Kind, asked: &str, desk: &Desk) -> anyhow::Result<ContactId> {
    match look_up(kind, asked, desk).await? {
        Found::One(id) => Ok(id),
        Found::Nobody => Err(UsageError(format!("there is no {} {asked:?}", kind.as_str())).into()),
    }
}

/// The same for a flag that may be missing; an empty text says nobody.
///
/// # Errors
/// As [`find`].
pub async fn find_some(kind: Kind, asked: Option<&String>, desk: &Desk) -> anyhow::Result<Option<ContactId>> {
    match asked.map(|text| text.trim()).filter(|text| !text.is_empty()) {
        Some(text) => find(kind, text, desk).await.map(Some),
        None => Ok(None),
    }
}
