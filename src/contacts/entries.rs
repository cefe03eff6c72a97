//! What people do with entries: deals, activities, notes and relations are added, edited, put into the bin and taken out
//! again. Each is one commit with all of its consequences.
//!
//! A deal may bring its person and its organization along: all three come into the store together, or none.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::draft::Draft;
use super::edit::{EditError, Editor};
use super::insist::{Moved, insisting};
use super::{custom, patch};
use crate::domain::contact::{Card, Contact, Kind, OrganizationRef};
use crate::domain::custom_field::ValueError;
use crate::domain::entry::deal::{Deal, Status};
use crate::domain::entry::definition::{FieldOf, Pipeline};
use crate::domain::entry::relation::{Relation, RelationKind, is_below};
use crate::domain::entry::rules::RuleError;
use crate::domain::entry::{About, Body, Entry, EntryKind};
use crate::domain::id::{ContactId, EntryId};
use crate::domain::normal;
use crate::domain::time::Timestamp;
use crate::store::{Commit, EntryQuery, Store, StoreError};

/// Why an edit of an entry was not made.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// There is no entry of this id, or it is of another kind.
    #[error("there is no {} {id}", kind.as_str())]
    NotFound {
        /// The id.
        id: EntryId,
        /// The kind asked for.
        kind: EntryKind,
    },
    /// The entry is deleted.
    #[error("{} {id} is deleted; restore it first", kind.as_str())]
    Deleted {
        /// The id.
        id: EntryId,
        /// Its kind.
        kind: EntryKind,
    },
    /// The entry breaks a rule.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A value of a custom field does not fit it.
    #[error("deal {0}")]
    Custom(#[from] ValueError),
    /// The entry contradicts what is in the store.
    #[error("{0}")]
    Contradiction(String),
    /// The contact that it brings along cannot be made.
    #[error(transparent)]
    Contact(#[from] EditError),
    /// The store failed, or others changed the same again and again.
    #[error("cannot write the entry")]
    Store(#[from] StoreError),
}

impl Moved for EntryError {
    fn is_moved(&self) -> bool {
        match self {
            EntryError::Store(error) | EntryError::Contact(EditError::Store(error)) => error.is_moved(),
            _ => false,
        }
    }
}

/// What an entry becomes, decided on what it says now.
pub type BodyFor<'e> = dyn Fn(&Body) -> Result<Body, EntryError> + Sync + 'e;

/// A contact that a deal is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Who {
    /// Nobody.
    #[default]
    Nobody,
    /// One that is there.
    Known(ContactId),
    /// One that comes into the store with the deal, as this patch says it.
    New(Value),
}

/// An entry, and the contacts that came into the store with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Added {
    /// The entry.
    pub entry: Entry,
    /// The contacts.
    pub contacts: Vec<Contact>,
}

/// One edit.
enum Edit<'e> {
    Change(&'e BodyFor<'e>),
    Delete,
    Restore,
}

impl Editor<'_> {
    /// Adds an entry.
    ///
    /// # Errors
    /// [`EntryError`] names the rule that it breaks; nothing is written then.
    pub async fn add_entry(&self, body: &Body) -> Result<Entry, EntryError> {
        let added = insisting(async || self.add_once(body, &Who::Nobody, &Who::Nobody).await).await?;
        Ok(added.entry)
    }

    /// Adds a deal together with its person and its organization. A new person works for the organization.
    ///
    /// # Errors
    /// As [`Editor::add_entry`]; neither deal nor contact is written then.
    pub async fn add_deal(&self, deal: &Deal, person: &Who, organization: &Who) -> Result<Added, EntryError> {
        let body = Body::Deal(deal.clone());
        insisting(async || self.add_once(&body, person, organization).await).await
    }

    /// Edits an entry.
    ///
    /// # Errors
    /// [`EntryError`] names what is wrong; the entry stays as it is then.
    pub async fn edit_entry(&self, id: EntryId, kind: EntryKind, change: &BodyFor<'_>) -> Result<Entry, EntryError> {
        insisting(async || self.edit_once(id, kind, &Edit::Change(change)).await).await
    }

    /// Puts an entry into the bin. Deleting a deleted one changes nothing.
    ///
    /// # Errors
    /// [`EntryError::NotFound`] when there is none.
    pub async fn delete_entry(&self, id: EntryId, kind: EntryKind) -> Result<Entry, EntryError> {
        insisting(async || self.edit_once(id, kind, &Edit::Delete).await).await
    }

    /// Takes an entry out of the bin as it was. Restoring a living one changes nothing.
    ///
    /// # Errors
    /// [`EntryError`] when there is none, or when it contradicts what is there by now.
    pub async fn restore_entry(&self, id: EntryId, kind: EntryKind) -> Result<Entry, EntryError> {
        insisting(async || self.edit_once(id, kind, &Edit::Restore).await).await
    }

    /// Boxed, as whatever is called from other programs, so that it is compiled here and not there.
    fn add_once<'e>(
        &'e self,
        body: &'e Body,
        person: &'e Who,
        organization: &'e Who,
    ) -> BoxFuture<'e, Result<Added, EntryError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let mut draft = Draft::begin(self.store, self.entropy, now).await?;
            let mut body = body.clone();
            let mut made = Vec::new();
            if let Body::Deal(deal) = &mut body {
                made = bring_along(self.store, &mut draft, deal, person, organization).await?;
                place_deal(&pipelines(self.store).await?, deal)?;
                spell_custom(self.store, deal, &BTreeMap::new()).await?;
                deal.closed = (deal.status != Status::Open).then_some(now);
            }
            body.check()?;
            fits_in(self.store, &mut draft, &body, None).await?;
            let id = draft.add_entry(body);
            let (writes, mut contacts, mut entries) = draft.finish_all(&self.actor);
            self.store.commit(Commit { fence: None, writes }).await?;
            let entry = entries.remove(&id).ok_or(EntryError::NotFound { id, kind: EntryKind::Deal })?;
            Ok(Added { entry, contacts: made.iter().filter_map(|id| contacts.remove(id)).collect() })
        })
    }

    fn edit_once<'e>(
        &'e self,
        id: EntryId,
        kind: EntryKind,
        edit: &'e Edit<'_>,
    ) -> BoxFuture<'e, Result<Entry, EntryError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let mut draft = Draft::begin(self.store, self.entropy, now).await?;
            let current = draft.entry(id).await?.filter(|entry| entry.body.kind() == kind).cloned();
            let current = current.ok_or(EntryError::NotFound { id, kind })?;
            let mut next = current.clone();
            match edit {
                Edit::Delete => {
                    next.deleted.get_or_insert(now);
                }
                Edit::Restore => next.deleted = None,
                Edit::Change(_) if !current.is_live() => return Err(EntryError::Deleted { id, kind }),
                Edit::Change(change) => next.body = change(&current.body)?,
            }
            if next != current && next.is_live() {
                if let (Body::Deal(after), Body::Deal(before)) = (&mut next.body, &current.body) {
                    if (&after.pipeline, &after.stage) != (&before.pipeline, &before.stage) {
                        place_deal(&pipelines(self.store).await?, after)?;
                    }
                    close_deal(after, before, now);
                    spell_custom(self.store, after, &before.custom).await?;
                }
                next.body.check()?;
                let before = current.is_live().then_some(&current.body);
                fits_in(self.store, &mut draft, &next.body, before).await?;
            }
            if let Some(entry) = draft.entry(id).await? {
                *entry = next;
            }
            let (writes, _, mut entries) = draft.finish_all(&self.actor);
            if !writes.is_empty() {
                self.store.commit(Commit { fence: None, writes }).await?;
            }
            entries.remove(&id).ok_or(EntryError::NotFound { id, kind })
        })
    }
}

/// Gives a deal its person and its organization, made where they are new. Returns those that are new.
async fn bring_along(
    store: &dyn Store,
    draft: &mut Draft<'_>,
    deal: &mut Deal,
    person: &Who,
    organization: &Who,
) -> Result<Vec<ContactId>, EntryError> {
    let mut made = Vec::new();
    match organization {
        Who::Nobody => {}
        Who::Known(id) => deal.about.organization = Some(*id),
        Who::New(patch) => {
            let id = draft.create(new_card(store, Kind::Organization, patch).await?);
            deal.about.organization = Some(id);
            made.push(id);
        }
    }
    match person {
        Who::Nobody => {}
        Who::Known(id) => deal.about.person = Some(*id),
        Who::New(patch) => {
            let mut card = new_card(store, Kind::Person, patch).await?;
            if let (Some(person), Some(id)) = (card.as_person_mut(), deal.about.organization)
                && person.organization.is_none()
            {
                person.organization = Some(OrganizationRef { id: Some(id), name: String::new() });
            }
            draft.resolve_organization(&mut card).await?;
            let id = draft.create(card);
            deal.about.person = Some(id);
            made.push(id);
        }
    }
    Ok(made)
}

async fn new_card(store: &dyn Store, kind: Kind, patch: &Value) -> Result<Card, EditError> {
    let blank = Card::blank(kind);
    let patch = custom::spelled(store, kind.into(), &blank.custom, patch.clone()).await?;
    Ok(patch::apply(&blank, &patch)?)
}

/// The pipelines there are, the usual one when none is defined.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn pipelines(store: &dyn Store) -> Result<Vec<Pipeline>, StoreError> {
    let query = EntryQuery { kinds: [EntryKind::Pipeline].into(), ..EntryQuery::default() };
    let defined = store.find_entries(&query).await?.into_iter().filter_map(|entry| match entry.body {
        Body::Pipeline(pipeline) => Some(pipeline),
        _ => None,
    });
    let defined: Vec<Pipeline> = defined.collect();
    Ok(if defined.is_empty() { vec![Pipeline::usual()] } else { defined })
}

/// Puts a deal into a stage of a pipeline: what it does not say is the first one there is.
///
/// # Errors
/// [`EntryError::Contradiction`] names what there is when it says another one.
pub(super) fn place_deal(pipelines: &[Pipeline], deal: &mut Deal) -> Result<(), EntryError> {
    let wanted = normal::fold(&deal.pipeline);
    let found = pipelines.iter().find(|pipeline| wanted.is_empty() || normal::fold(&pipeline.name) == wanted);
    let Some(pipeline) = found else {
        let known: Vec<&str> = pipelines.iter().map(|pipeline| pipeline.name.as_str()).collect();
        let text = format!("deal pipeline: {:?} is none; expected one of {}", deal.pipeline, known.join(", "));
        return Err(EntryError::Contradiction(text));
    };
    let wanted = normal::fold(&deal.stage);
    let found = pipeline.stages.iter().find(|stage| wanted.is_empty() || normal::fold(stage) == wanted);
    let Some(stage) = found else {
        let text = format!(
            "deal stage: {:?} is none of pipeline {:?}; expected one of {}",
            deal.stage,
            pipeline.name,
            pipeline.stages.join(", ")
        );
        return Err(EntryError::Contradiction(text));
    };
    (deal.pipeline, deal.stage) = (pipeline.name.clone(), stage.clone());
    Ok(())
}

/// Notes when a deal was won or lost, and forgets it when it is opened again.
fn close_deal(after: &mut Deal, before: &Deal, now: Timestamp) {
    if after.status == before.status {
        return;
    }
    after.closed = (after.status != Status::Open).then_some(now);
    if after.status != Status::Lost {
        after.lost_reason = None;
    }
}

/// Brings new custom values of a deal into the spelling of their fields; those that are `known` stay as they are.
async fn spell_custom(store: &dyn Store, after: &mut Deal, known: &BTreeMap<String, String>) -> Result<(), EntryError> {
    if after.custom == *known {
        return Ok(());
    }
    let given = serde_json::to_value(&after.custom).unwrap_or_default();
    let patch = custom::spelled(store, FieldOf::Deal, known, serde_json::json!({ "custom": given })).await?;
    let members = patch["custom"].as_object().cloned().unwrap_or_default();
    let texts = members.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())));
    after.custom = texts.collect();
    Ok(())
}

/// Refuses an entry about somebody who is not there, and a relation that closes a circle. What the entry hung on before
/// may have gone meanwhile.
async fn fits_in(
    store: &dyn Store,
    draft: &mut Draft<'_>,
    body: &Body,
    before: Option<&Body>,
) -> Result<(), EntryError> {
    let known = before.map(Body::contacts).unwrap_or_default();
    let kind = body.kind().as_str();
    for (id, wanted) in expected_kinds(body).into_iter().filter(|(id, _)| !known.contains(id)) {
        let found = draft.contact(id).await?.filter(|contact| contact.card.kind() == wanted);
        let word = wanted.as_str();
        match found {
            None => return Err(EntryError::Contradiction(format!("{kind} {word}: there is no {word} {id}"))),
            Some(contact) if !contact.is_live() => {
                return Err(EntryError::Contradiction(format!(
                    "{kind} {word}: {word} {id} is deleted; restore it first"
                )));
            }
            Some(_) => {}
        }
    }
    if let Some(deal) = body.deal().filter(|deal| before.and_then(Body::deal) != Some(*deal)) {
        let found = draft.entry(deal).await?.filter(|entry| entry.is_live() && entry.body.kind() == EntryKind::Deal);
        if found.is_none() {
            return Err(EntryError::Contradiction(format!("{kind} deal: there is no deal {deal}")));
        }
    }
    match body {
        Body::Relation(relation) => no_circle(store, relation).await,
        _ => Ok(()),
    }
}

fn expected_kinds(body: &Body) -> Vec<(ContactId, Kind)> {
    let of = |about: About| {
        let person = about.person.map(|id| (id, Kind::Person));
        person.into_iter().chain(about.organization.map(|id| (id, Kind::Organization))).collect()
    };
    match body {
        Body::Deal(deal) => of(deal.about),
        Body::Activity(activity) => of(activity.about),
        Body::Note(note) => of(note.about),
        Body::Relation(relation) => [relation.owner, relation.linked].map(|id| (id, Kind::Organization)).to_vec(),
        // Either kind; that both are of one kind is checked by who compares them.
        Body::Dismissal(_) | Body::Field(_) | Body::Label(_) | Body::Pipeline(_) => Vec::new(),
    }
}

async fn no_circle(store: &dyn Store, wanted: &Relation) -> Result<(), EntryError> {
    if wanted.kind == RelationKind::Related {
        return Ok(());
    }
    let couple = wanted.couple();
    let others: Vec<Relation> =
        relations(store).await?.into_iter().filter(|relation| relation.couple() != couple).collect();
    if is_below(wanted.owner, wanted.linked, &others) {
        let (owner, linked) = (wanted.owner, wanted.linked);
        let text = format!("relation parent: {owner} is below {linked} already, so it cannot be its parent");
        return Err(EntryError::Contradiction(text));
    }
    Ok(())
}

/// All living relations between organizations.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn relations(store: &dyn Store) -> Result<Vec<Relation>, StoreError> {
    let query = EntryQuery { kinds: [EntryKind::Relation].into(), ..EntryQuery::default() };
    let found = store.find_entries(&query).await?.into_iter();
    Ok(found
        .filter_map(|entry| match entry.body {
            Body::Relation(relation) => Some(relation),
            _ => None,
        })
        .collect())
}
