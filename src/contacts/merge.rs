//! Two contacts that are the same become one.
//!
//! The one that survives says everything that both said (`domain::unite`); the other one goes to the bin with its card as it
//! was, and everything that hung on it hangs on the survivor: deals, activities, notes, relations, and the people of an
//! organization. It is one commit under one id, by which it can be taken back.
//!
//! Who survives is decided by the accounts: where only one of the two is linked with a record, that one does, so that its
//! record stays and gets the values of both; else the one that is kept. Whose values win is another matter: always those of
//! the one that is kept.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;

use super::draft::Draft;
use super::edit::{EditError, Editor};
use super::insist::insisting;
use crate::domain::contact::{Contact, Kind};
use crate::domain::dialling::{self, HomeRegion};
use crate::domain::field::Field;
use crate::domain::id::{ContactId, RunId};
use crate::domain::link::LinkState;
use crate::domain::run::RunRecord;
use crate::domain::unite::{FieldOutcome, United, unite};
use crate::store::{Commit, EntryQuery, Store, StoreError, Write};

/// Which two contacts become one, and how.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// Their kind.
    pub kind: Kind,
    /// The one whose values win.
    pub keep: ContactId,
    /// The other one.
    pub other: ContactId,
    /// Fields that are taken from the other one.
    pub from_other: BTreeSet<Field>,
    /// The country that phone numbers without one belong to.
    pub home: Option<HomeRegion>,
}

/// What a merge comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct MergePlan {
    /// The contact whose values win.
    pub keep: Contact,
    /// The other one.
    pub other: Contact,
    /// The one of both that stays.
    pub survivor: ContactId,
    /// What becomes of each field.
    pub united: United,
    /// How many people get another organization.
    pub people: u64,
    /// How many deals, activities, notes and relations follow.
    pub entries: u64,
}

/// A merge that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The id under which it can be taken back.
    pub run: RunId,
    /// The contact that stayed.
    pub survivor: Contact,
}

impl MergePlan {
    /// The one of both that goes to the bin.
    pub fn loser(&self) -> ContactId {
        if self.survivor == self.keep.id { self.other.id } else { self.keep.id }
    }

    /// The fields of which something is said nowhere afterwards but in the bin and the history.
    pub fn losses(&self) -> impl Iterator<Item = &FieldOutcome> {
        self.united.fields.iter().filter(|outcome| outcome.lost.is_some())
    }
}

impl Editor<'_> {
    /// Tells what a merge comes to, and writes nothing.
    ///
    /// # Errors
    /// [`EditError::NotFound`] or [`EditError::Deleted`] when one of the two is not there, [`EditError::Same`] when they are
    /// one contact.
    pub async fn plan_merge(&self, request: &MergeRequest) -> Result<MergePlan, EditError> {
        let MergeRequest { kind, keep, other, .. } = *request;
        if keep == other {
            return Err(EditError::Same { id: keep });
        }
        let keep = living(self.store, keep, kind).await?;
        let other = living(self.store, other, kind).await?;
        let survivor = survivor(self.store, &keep, &other).await?;
        let mut others = other.card.clone();
        // One number is one phone, however it is spelled.
        dialling::spell_alike(&keep.card.phones, &mut others.phones, request.home, &std::collections::BTreeMap::new());
        let united = unite(&keep.card, &others, &request.from_other);
        let loser = if survivor == keep.id { other.id } else { keep.id };
        let query = EntryQuery { contacts: [loser].into(), ..EntryQuery::default() };
        let entries = self.store.find_entries(&query).await?.len() as u64;
        let people = match kind {
            Kind::Person => 0,
            Kind::Organization => self.store.people_counts(&[loser]).await?.get(&loser).copied().unwrap_or(0),
        };
        Ok(MergePlan { keep, other, survivor, united, people, entries })
    }

    /// Merges two contacts.
    ///
    /// # Errors
    /// As [`Editor::plan_merge`]; nothing is written then.
    pub async fn merge(&self, request: &MergeRequest) -> Result<Merged, EditError> {
        insisting(async || self.merge_once(request).await).await
    }

    fn merge_once<'e>(&'e self, request: &'e MergeRequest) -> BoxFuture<'e, Result<Merged, EditError>> {
        Box::pin(async move {
            let plan = self.plan_merge(request).await?;
            let (survivor, loser) = (plan.survivor, plan.loser());
            let now = self.clock.now();
            let run = RunId::new(now, self.entropy.next_u128());
            let mut draft = Draft::begin(self.store, self.entropy, now).await?.under(run);
            let [kept, other] = [plan.keep, plan.other];
            draft.take(kept);
            draft.take(other);
            draft.set_card(survivor, plan.united.card).await?;
            draft.move_people(loser, survivor).await?;
            draft.move_entries(loser, survivor).await?;
            draft.delete(loser).await?;
            let (mut writes, mut contacts) = draft.finish(&self.actor);
            writes.push(Write::Run(Box::new(RunRecord { run, begun: now, ended: Some(now), accounts: Vec::new() })));
            self.store.commit(Commit { fence: None, writes }).await?;
            let kind = request.kind;
            let survivor = contacts.remove(&survivor).ok_or(EditError::NotFound { id: survivor, kind })?;
            Ok(Merged { run, survivor })
        })
    }
}

async fn living(store: &dyn Store, id: ContactId, kind: Kind) -> Result<Contact, EditError> {
    let found = store.contacts(&[id]).await?.pop().filter(|contact| contact.card.kind() == kind);
    let contact = found.ok_or(EditError::NotFound { id, kind })?;
    if contact.is_live() { Ok(contact) } else { Err(EditError::Deleted { id, kind }) }
}

/// The one of both that stays.
async fn survivor(store: &dyn Store, keep: &Contact, other: &Contact) -> Result<ContactId, StoreError> {
    let [kept, others] = [records_of(store, keep.id).await?, records_of(store, other.id).await?];
    Ok(if kept == 0 && others > 0 { other.id } else { keep.id })
}

/// How many records of accounts belong to a contact.
async fn records_of(store: &dyn Store, contact: ContactId) -> Result<usize, StoreError> {
    let links = store.links_of_contact(contact).await?;
    let has_record = |state| matches!(state, LinkState::Bound | LinkState::Creating | LinkState::Unselected);
    Ok(links.iter().filter(|link| has_record(link.state)).count())
}
