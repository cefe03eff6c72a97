//! Two contacts that are the same become one.
//!
//! The one that survives says everything that both said (`domain::unite`); the other one goes to the bin with its card as it
//! was, and everything that hung on it hangs on the survivor: deals, activities, notes, relations, and the people of an
//! organization. It is one commit under one id, by which it can be taken back.
//!
//! Who survives is decided by the accounts: where only one of the two is linked with a record, that one does, so that its
//! record stays and gets the values of both; else the one that is kept. Whose values win is another matter: always those of
//! the one that is kept. A value that loses stays in the history of the survivor, and in the bin.
//!
//! What becomes of the records is up to the next runs, which find one contact changed and one deleted. An edit in Google of
//! the one that went outlives its deletion, as everywhere.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;

use super::draft::Draft;
use super::edit::{EditError, Editor};
use super::insist::insisting;
use crate::domain::contact::{Card, Contact, Kind};
use crate::domain::dialling::{self, HomeRegion};
use crate::domain::diff;
use crate::domain::entry::Body;
use crate::domain::field::Field;
use crate::domain::history::Actor;
use crate::domain::id::{AccountName, ContactId, RemoteId, RunId};
use crate::domain::link::{Link, LinkState};
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
    /// The records of the two, by account.
    pub records: Vec<RecordsIn>,
}

/// The records that two contacts have in one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsIn {
    /// The account.
    pub account: AccountName,
    /// That of the contact that stays.
    pub survivors: Option<RemoteId>,
    /// That of the contact that goes.
    pub losers: Option<RemoteId>,
}

/// A merge that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The id under which it can be taken back.
    pub run: RunId,
    /// The contact that stayed.
    pub survivor: Contact,
    /// The one that went to the bin.
    pub gone: ContactId,
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
    /// one contact, [`EditError::NothingToTake`] when a field is to be taken that the other one does not have.
    pub async fn plan_merge(&self, request: &MergeRequest) -> Result<MergePlan, EditError> {
        let MergeRequest { kind, keep, other, .. } = *request;
        if keep == other {
            return Err(EditError::Same { id: keep });
        }
        let keep = living(self.store, keep, kind).await?;
        let other = living(self.store, other, kind).await?;
        let blank = Card::blank(kind);
        let has = diff::changed_fields(&blank, &other.card);
        if let Some(field) = request.from_other.iter().find(|field| !has.contains(field)) {
            return Err(EditError::NothingToTake { id: other.id, field: field.clone() });
        }
        let links = [linked(self.store, keep.id).await?, linked(self.store, other.id).await?];
        let survivor = if links[0].is_empty() && !links[1].is_empty() { other.id } else { keep.id };
        let records = records(links, survivor == keep.id);
        let mut others = other.card.clone();
        // One number is one phone, however it is spelled.
        dialling::spell_alike(&keep.card.phones, &mut others.phones, request.home, &BTreeMap::new());
        let united = unite(&keep.card, &others, &request.from_other);
        let loser = if survivor == keep.id { other.id } else { keep.id };
        let query = EntryQuery { contacts: [loser].into(), ..EntryQuery::default() };
        let hanging = self.store.find_entries(&query).await?;
        let entries = hanging.iter().filter(|entry| !matches!(entry.body, Body::Dismissal(_))).count() as u64;
        let people = match kind {
            Kind::Person => 0,
            Kind::Organization => self.store.people_counts(&[loser]).await?.get(&loser).copied().unwrap_or(0),
        };
        Ok(MergePlan { keep, other, survivor, united, people, entries, records })
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
            draft.tell(survivor, plan.united.disputes);
            draft.move_people(loser, survivor).await?;
            draft.move_entries(loser, survivor).await?;
            draft.delete(loser).await?;
            let (mut writes, mut contacts) = draft.finish(&Actor::Merge { survivor, gone: loser });
            writes.push(Write::Run(Box::new(RunRecord { run, begun: now, ended: Some(now), accounts: Vec::new() })));
            self.store.commit(Commit { fence: None, writes }).await?;
            let kind = request.kind;
            let survivor = contacts.remove(&survivor).ok_or(EditError::NotFound { id: survivor, kind })?;
            Ok(Merged { run, survivor, gone: loser })
        })
    }
}

async fn living(store: &dyn Store, id: ContactId, kind: Kind) -> Result<Contact, EditError> {
    let found = store.contacts(&[id]).await?.pop().filter(|contact| contact.card.kind() == kind);
    let contact = found.ok_or(EditError::NotFound { id, kind })?;
    if contact.is_live() { Ok(contact) } else { Err(EditError::Deleted { id, kind }) }
}

/// The records of accounts that belong to a contact, or are being made for it.
async fn linked(store: &dyn Store, contact: ContactId) -> Result<Vec<Link>, StoreError> {
    let mut links = store.links_of_contact(contact).await?;
    links.retain(|link| matches!(link.state, LinkState::Bound | LinkState::Creating | LinkState::Unselected));
    Ok(links)
}

/// The records of both, account by account.
fn records([keeps, others]: [Vec<Link>; 2], keep_survives: bool) -> Vec<RecordsIn> {
    let (survivors, losers) = if keep_survives { (keeps, others) } else { (others, keeps) };
    let accounts: BTreeSet<&AccountName> = survivors.iter().chain(&losers).map(|link| &link.account).collect();
    let record = |links: &[Link], account: &AccountName| {
        links.iter().find(|link| link.account == *account).and_then(|link| link.remote.clone())
    };
    accounts
        .into_iter()
        .map(|account| RecordsIn {
            account: account.clone(),
            survivors: record(&survivors, account),
            losers: record(&losers, account),
        })
        .collect()
}
