//! What people do with contacts: add, edit, delete, restore, decide a conflict. Each is one commit with all of its
//! consequences.
//!
//! Edits are decided on what was just read and committed on the condition that it is still so. When another process
//! was faster, everything is read and decided again. An edit that changes nothing writes nothing.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::clock::{Clock, Entropy};
use crate::domain::conflict::Conflict;
use crate::domain::contact::{Card, Contact, Kind};
use crate::domain::custom_field::ValueError;
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::history::Actor;
use crate::domain::id::ContactId;
use crate::domain::merge::FieldConflict;
use crate::domain::photo::PhotoFile;
use crate::domain::policy::Winner;
use crate::store::{Commit, Store, StoreError, Write};

use super::custom;
use super::draft::Draft;
use super::insist::{Moved, insisting};
use super::patch::{self, PatchError};
use super::show;

/// Edits contacts on somebody's behalf.
pub struct Editor<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness for ids.
    pub entropy: &'a dyn Entropy,
    /// On whose behalf.
    pub actor: Actor,
}

/// Why an edit was not made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no contact of this id, or it is of the other kind.
    #[error("there is no {} {id}", kind.as_str())]
    NotFound {
        /// The id.
        id: ContactId,
        /// The kind asked for.
        kind: Kind,
    },
    /// The contact is deleted.
    #[error("{} {id} is deleted; restore it first", kind.as_str())]
    Deleted {
        /// The id.
        id: ContactId,
        /// Its kind.
        kind: Kind,
    },
    /// A contact cannot be merged with itself.
    #[error("{id} is one contact; a merge takes two")]
    Same {
        /// The id.
        id: ContactId,
    },
    /// A merge is to take a field that the other contact does not have.
    #[error("{id} has no {field} that could be taken")]
    NothingToTake {
        /// The other contact.
        id: ContactId,
        /// The field.
        field: Field,
    },
    /// The patch is refused.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// A value of a custom field does not fit it.
    #[error(transparent)]
    Custom(#[from] ValueError),
    /// A value of a conflict does not fit its field any more.
    #[error("the value cannot be taken")]
    Value(#[source] diff::SetFieldError),
    /// The store failed, or others changed the contact again and again.
    #[error("cannot write the contact")]
    Store(#[from] StoreError),
}

impl Moved for EditError {
    fn is_moved(&self) -> bool {
        matches!(self, EditError::Store(error) if error.is_moved())
    }
}

/// A patch that depends on the card it is laid over: "one label more" means another list each time.
pub type PatchFor<'e> = dyn Fn(&Card) -> Value + Sync + 'e;

/// What becomes of a person's photo; a patch can do no more than take it away, since it has not the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PhotoEdit {
    /// What the patch says, else nothing.
    #[default]
    Keep,
    /// The person gets this one.
    Set(PhotoFile),
    /// The person has none any more.
    Remove,
}

impl PhotoEdit {
    fn lay_over(&self, card: &mut Card) {
        let Some(person) = card.as_person_mut() else { return };
        match self {
            PhotoEdit::Keep => {}
            PhotoEdit::Set(file) => person.photo = Some(file.photo()),
            PhotoEdit::Remove => person.photo = None,
        }
    }

    /// The write that keeps the bytes; it belongs into the commit that names them.
    fn write(&self) -> Option<Write> {
        match self {
            PhotoEdit::Set(file) => Some(Write::Photo(file.clone())),
            PhotoEdit::Keep | PhotoEdit::Remove => None,
        }
    }
}

/// One edit.
#[derive(Clone)]
enum Edit<'e> {
    Add(&'e Card),
    Patch(ContactId, &'e PatchFor<'e>, &'e PhotoEdit),
    Delete(ContactId),
    Restore(ContactId),
}

impl Editor<'_> {
    /// Adds a contact that says what the patch says.
    ///
    /// # Errors
    /// [`EditError::Patch`] when the patch is refused or says nothing.
    pub async fn add(&self, kind: Kind, patch: &Value) -> Result<Contact, EditError> {
        self.add_with(kind, patch, &PhotoEdit::Keep).await
    }

    /// As [`Editor::add`], with a photo.
    ///
    /// # Errors
    /// As [`Editor::add`].
    pub async fn add_with(&self, kind: Kind, patch: &Value, photo: &PhotoEdit) -> Result<Contact, EditError> {
        let blank = Card::blank(kind);
        let patch = custom::spelled(self.store, kind.into(), &blank.custom, patch.clone()).await?;
        let mut card = patch::apply(&blank, &patch)?;
        photo.lay_over(&mut card);
        insisting(async || self.once(kind, &Edit::Add(&card), photo.write()).await).await
    }

    /// Edits a contact by a patch over its public shape. Members that are there to be read may stand in the patch when
    /// they say what the contact says, so that a record may be shown, edited and handed back as a whole.
    ///
    /// # Errors
    /// [`EditError::Patch`] when the patch is refused, [`EditError::Deleted`] when the contact is deleted.
    pub async fn edit(&self, id: ContactId, kind: Kind, patch: &Value) -> Result<Contact, EditError> {
        self.edit_by(id, kind, &|_| patch.clone()).await
    }

    /// As [`Editor::edit`], by a patch that is made for the card as it is when the edit is decided.
    ///
    /// # Errors
    /// As [`Editor::edit`].
    pub async fn edit_by(&self, id: ContactId, kind: Kind, patch: &PatchFor<'_>) -> Result<Contact, EditError> {
        self.edit_with(id, kind, patch, &PhotoEdit::Keep).await
    }

    /// As [`Editor::edit_by`], with another photo.
    ///
    /// # Errors
    /// As [`Editor::edit`].
    pub async fn edit_with(
        &self,
        id: ContactId,
        kind: Kind,
        patch: &PatchFor<'_>,
        photo: &PhotoEdit,
    ) -> Result<Contact, EditError> {
        insisting(async || self.once(kind, &Edit::Patch(id, patch, photo), photo.write()).await).await
    }

    /// Deletes a contact. It keeps its card and can be restored. The people of a deleted organization keep its name as
    /// a text. Deleting a deleted contact changes nothing.
    ///
    /// # Errors
    /// [`EditError::NotFound`] when there is none.
    pub async fn delete(&self, id: ContactId, kind: Kind) -> Result<Contact, EditError> {
        self.retried(kind, &Edit::Delete(id)).await
    }

    /// Brings a deleted contact back as it was. Restoring a living one changes nothing.
    ///
    /// # Errors
    /// [`EditError::NotFound`] when there is none.
    pub async fn restore(&self, id: ContactId, kind: Kind) -> Result<Contact, EditError> {
        self.retried(kind, &Edit::Restore(id)).await
    }

    /// Decides a waiting conflict. Taking the remote's value edits the contact; keeping the store's confirms it, so that
    /// the next run carries it out. [`Winner::Hold`] changes nothing.
    ///
    /// # Errors
    /// [`EditError::Value`] when the value does not fit the field any more.
    pub async fn resolve(&self, conflict: &Conflict, winner: Winner) -> Result<(), EditError> {
        if winner == Winner::Hold {
            return Ok(());
        }
        insisting(async || self.resolve_once(conflict, winner).await).await
    }

    fn resolve_once<'e>(&'e self, conflict: &'e Conflict, winner: Winner) -> BoxFuture<'e, Result<(), EditError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let mut draft = Draft::begin(self.store, self.entropy, now).await?;
            if let Some(contact) = draft.contact(conflict.contact).await?.filter(|contact| contact.is_live()) {
                let (id, mut card) = (contact.id, contact.card.clone());
                if winner == Winner::Remote {
                    diff::set_field(&mut card, &conflict.field, &conflict.remote).map_err(EditError::Value)?;
                    draft.set_card(id, card).await?;
                }
                draft.confirm(id, conflict.field.clone());
            }
            let (mut writes, _) = draft.finish(&self.actor);
            remember(&mut writes, conflict, winner);
            writes.push(Write::Conflict(Box::new(Conflict { resolved: Some(now), ..conflict.clone() })));
            self.store.commit(Commit { fence: None, writes }).await?;
            Ok(())
        })
    }

    async fn retried(&self, kind: Kind, edit: &Edit<'_>) -> Result<Contact, EditError> {
        insisting(async || self.once(kind, edit, None).await).await
    }

    /// Decides an edit on what is there now, and commits it together with the photo that it brings. Boxed, as whatever is
    /// called from other programs, so that it is compiled here and not there.
    fn once<'e>(
        &'e self,
        kind: Kind,
        edit: &'e Edit<'_>,
        photo: Option<Write>,
    ) -> BoxFuture<'e, Result<Contact, EditError>> {
        Box::pin(self.decide(kind, edit, photo))
    }

    async fn decide(&self, kind: Kind, edit: &Edit<'_>, photo: Option<Write>) -> Result<Contact, EditError> {
        let now = self.clock.now();
        let mut draft = Draft::begin(self.store, self.entropy, now).await?;
        let id = match edit {
            Edit::Add(card) => {
                let mut card = (*card).clone();
                draft.resolve_organization(&mut card).await?;
                draft.create(card)
            }
            Edit::Patch(id, patch, photo) => {
                let contact = existing(&mut draft, *id, kind).await?;
                if !contact.is_live() {
                    return Err(EditError::Deleted { id: *id, kind });
                }
                let said = show::without_echo(contact, &patch(&contact.card));
                let current = contact.card.clone();
                let said = custom::spelled(self.store, kind.into(), &current.custom, said).await?;
                let mut card = patch::apply(&current, &said)?;
                photo.lay_over(&mut card);
                draft.set_card(*id, card).await?;
                *id
            }
            Edit::Delete(id) => {
                existing(&mut draft, *id, kind).await?;
                draft.delete(*id).await?;
                *id
            }
            Edit::Restore(id) => {
                let contact = existing(&mut draft, *id, kind).await?;
                contact.deleted = None;
                let card = contact.card.clone();
                draft.set_card(*id, card).await?;
                *id
            }
        };
        let (mut writes, mut contacts) = draft.finish(&self.actor);
        if !writes.is_empty() {
            writes.extend(photo);
            self.store.commit(Commit { fence: None, writes }).await?;
        }
        contacts.remove(&id).ok_or(EditError::NotFound { id, kind })
    }
}

/// Keeps both values of a decided conflict in the history, so that the one that lost can be taken back.
fn remember(writes: &mut [Write], conflict: &Conflict, winner: Winner) {
    for write in writes {
        if let Write::Contact(write) = write
            && write.contact.id == conflict.contact
        {
            write.change.conflicts.push(FieldConflict {
                field: conflict.field.clone(),
                base: conflict.base.clone(),
                store: conflict.store.clone(),
                remote: conflict.remote.clone(),
                winner,
            });
        }
    }
}

async fn existing<'d>(draft: &'d mut Draft<'_>, id: ContactId, kind: Kind) -> Result<&'d mut Contact, EditError> {
    let contact = draft.contact(id).await?.filter(|contact| contact.card.kind() == kind);
    contact.ok_or(EditError::NotFound { id, kind })
}

#[cfg(test)]
mod tests;
