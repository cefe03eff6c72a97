//! Step 5: what was seen at the remote goes into the store.
//!
//! Two passes over the unsettled links make the same decisions: the first only counts what would be done, so that the
//! guard can bar a kind of operation before the first of it is carried out; the second carries out, chunk by chunk, each
//! chunk in one transaction. A contact that was edited between decision and commit makes the commit fail; the chunk is
//! then decided again, link by link, on what is there now.
//!
//! Company contacts come before persons, so that a person's company finds the contact it is the name of.

use std::collections::BTreeMap;

use super::decide::{Decision, Rulebook};
use super::guard::{Barred, Tally};
use super::held::Held;
use super::licence::Ruling;
use super::operation::{BeforeAfter, Operation, OperationKind, Side};
use super::reached::{self, Situation};
use super::scope::PairGroups;
use super::{CHUNK, Doing, EngineError, Run, Step};
use crate::domain::answer::Candidates;
use crate::domain::contact::{Card, Contact, Kind};
use crate::domain::id::{ContactId, LinkId};
use crate::domain::link::{Link, LinkState, Parked, ParkedWhy, Sighting};
use crate::store::{StoreError, Write};

mod apply;
mod found;

pub(crate) use apply::acknowledged;
pub(crate) use found::{Claims, is_folded_twin};

/// Which unsettled links a pass takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    /// New company contacts.
    NewOrganizations,
    /// Everything else.
    Rest,
}

/// What one link's decision comes to.
#[derive(Default)]
pub(crate) struct Settled {
    /// What to write.
    pub(crate) writes: Vec<Write>,
    /// What that means, for plans and guards.
    pub(crate) operations: Vec<Operation>,
    /// What it counts as.
    pub(crate) counted: Counted,
}

/// What a settled link adds to the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) conflicts: u64,
}

impl Run<'_> {
    /// Carries what was seen at the remote into the store. A new record that may be one that is gone is decided about once
    /// it is known whether that one is, and that one is settled.
    pub(crate) async fn settle(&mut self) -> Result<(), EngineError> {
        self.settle_once().await?;
        for _ in 0..2 {
            if self.heirs.is_empty() {
                return Ok(());
            }
            reached::note(Situation::HeirAwaited);
            self.confirm_suspects().await?;
            self.asked.append(&mut self.asking);
            self.settle_once().await?;
        }
        self.waiting += self.heirs.len() as u64;
        Ok(())
    }

    async fn settle_once(&mut self) -> Result<(), EngineError> {
        let _alone = self.deps.settling.lock().await;
        let held = self.held_fields().await?;
        self.doubted.clear();
        self.heirs.clear();
        let mut tally = Tally::default();
        let mut claims = Claims::default();
        let mut seen = 0;
        let mut after = None;
        while let Some(links) = self.sighted(&mut after, None).await? {
            seen += links.len() as u64;
            self.survey(links, &held, &mut tally, &mut claims).await?;
        }
        if seen == 0 {
            return Ok(());
        }
        let barred = self.bar(&tally).await?;
        let mut done = 0;
        for take in [Take::NewOrganizations, Take::Rest] {
            let mut after = None;
            while let Some(links) = self.sighted(&mut after, Some(take)).await? {
                self.check_stop()?;
                done += links.len() as u64;
                self.settle_chunk(links, &held, &barred, &claims).await?;
                self.deps.progress.advanced(Step::Merging, done, seen);
            }
        }
        Ok(())
    }

    /// Unsettled links that have something to be settled.
    async fn sighted(
        &mut self,
        after: &mut Option<LinkId>,
        take: Option<Take>,
    ) -> Result<Option<Vec<Link>>, EngineError> {
        while let Some(mut links) = self.unsettled(after).await? {
            let codec = self.deps.remote.codec();
            links.retain(|link| match &link.seen {
                Some(Sighting::Present { wire, .. }) => {
                    let new_organization = link.state == LinkState::Found && codec.kind(wire) == Kind::Organization;
                    take.is_none_or(|take| (take == Take::NewOrganizations) == new_organization)
                }
                Some(Sighting::Gone { .. }) => take != Some(Take::NewOrganizations),
                Some(Sighting::Suspect { .. }) | None => false,
            });
            if !links.is_empty() {
                return Ok(Some(links));
            }
        }
        Ok(None)
    }

    /// Decides without writing, and counts.
    async fn survey(
        &mut self,
        links: Vec<Link>,
        held: &Held,
        tally: &mut Tally,
        claims: &mut Claims,
    ) -> Result<(), EngineError> {
        let contacts = self.contacts_of(&links).await?;
        let pair_groups = self.pair_groups();
        let found: Vec<&Link> = links.iter().filter(|link| link.state == LinkState::Found).collect();
        self.claim(&found, claims).await?;
        for link in &links {
            let Some(contact) = link.contact.and_then(|id| contacts.get(&id)) else { continue };
            let decision = Decision::about(link, contact, &self.rulebook(held, &pair_groups));
            for operation in operations_of(link, contact, &decision) {
                tally.count(&operation);
            }
        }
        Ok(())
    }

    async fn settle_chunk(
        &mut self,
        links: Vec<Link>,
        held: &Held,
        barred: &Barred,
        claims: &Claims,
    ) -> Result<(), EngineError> {
        let ids: Vec<LinkId> = links.iter().map(|link| link.id).collect();
        match self.settle_together(links, held, barred, claims).await {
            Err(EngineError::Store { cause: StoreError::Moved { .. }, .. }) => {
                reached::note(Situation::ContactMovedMeanwhile);
            }
            other => return other,
        }
        // Somebody edited one of the contacts meanwhile. Alone, each link is decided on what is there now; one that
        // moves again waits for the next run.
        for id in ids {
            let links = self.deps.store.links(&[id]).await.doing("reading a link")?;
            match self.settle_together(links, held, barred, claims).await {
                Err(EngineError::Store { cause: StoreError::Moved { .. }, .. }) => self.left_over += 1,
                other => other?,
            }
        }
        Ok(())
    }

    async fn settle_together(
        &mut self,
        links: Vec<Link>,
        held: &Held,
        barred: &Barred,
        claims: &Claims,
    ) -> Result<(), EngineError> {
        debug_assert!(links.len() <= CHUNK as usize, "a chunk is one page of unsettled links");
        let (mut batch, moved) = self.decide_found(&links, held, claims).await?;
        let contacts = self.contacts_of(&links).await?;
        let pair_groups = self.pair_groups();
        let mut decided = Vec::new();
        for link in links.into_iter().filter(|link| link.state != LinkState::Found && !moved.contains(&link.id)) {
            let Some(contact) = link.contact.and_then(|id| contacts.get(&id)).cloned() else { continue };
            let decision = Decision::about(&link, &contact, &self.rulebook(held, &pair_groups));
            decided.push((link, contact, decision));
        }
        let cards: Vec<&Card> = decided
            .iter()
            .filter_map(|(_, _, decision)| match decision {
                Decision::Merge(merge) => Some(&merge.merged.card),
                _ => None,
            })
            .collect();
        let mut organizations = self.load_organizations(cards.into_iter()).await?;
        for (link, contact, decision) in decided {
            let operations = operations_of(&link, &contact, &decision);
            batch.push(match self.ruling(&link, &operations, barred) {
                Ruling::Park => {
                    self.held_back.insert(link.id);
                    self.park_for_guard(link, operations)
                }
                Ruling::Leave => Settled::default(),
                Ruling::Go(let_by) => {
                    let mut harm = self.harm_of(&operations, let_by);
                    harm.extend(self.trace_unlinks(&operations));
                    let mut settled = self.apply(link, contact, decision, operations, &mut organizations);
                    settled.writes.extend(harm);
                    settled
                }
            });
        }
        let mut writes = Vec::new();
        let mut counted = Counted::default();
        let mut operations = Vec::new();
        for settled in batch {
            writes.extend(settled.writes);
            counted.add(settled.counted);
            operations.extend(settled.operations);
        }
        self.rename_at_people(&mut writes).await?;
        self.commit(writes, "merging what was seen at the remote").await?;
        self.summary.pulled.created += counted.created;
        self.summary.pulled.updated += counted.updated;
        self.summary.pulled.deleted += counted.deleted;
        self.summary.conflicts += counted.conflicts;
        let is_link = |one: &&Operation| one.op == OperationKind::Link && one.side == Side::Store && !one.parked;
        self.summary.links.linked += operations.iter().filter(is_link).count() as u64;
        for operation in operations {
            self.record(operation);
        }
        Ok(())
    }

    pub(crate) fn park_for_guard(&self, mut link: Link, operations: Vec<Operation>) -> Settled {
        let reason = operations.first().map(|operation| operation.reason.clone()).unwrap_or_default();
        let digest = Some(self.digest_of(&operations).to_string());
        // The run that first parked it in this form is the one to approve.
        let parked_so = |parked: &Parked| parked.why == ParkedWhy::Guard && parked.digest == digest;
        let mut writes = Vec::new();
        if !link.parked.as_ref().is_some_and(parked_so) {
            let (why, run, since) = (ParkedWhy::Guard, Some(self.order.run), self.now());
            link.parked = Some(Parked { why, reason, digest, run, since, times: 0, candidates: Candidates::default() });
            writes.push(Write::Link(Box::new(link)));
        }
        let operations = operations
            .into_iter()
            .map(|mut operation| {
                operation.reason = format!("parked by the guard: {}", operation.reason);
                operation.parked = true;
                operation
            })
            .collect();
        Settled { writes, operations, counted: Counted::default() }
    }

    pub(crate) async fn contacts_of(&self, links: &[Link]) -> Result<BTreeMap<ContactId, Contact>, EngineError> {
        let ids: Vec<ContactId> = links.iter().filter_map(|link| link.contact).collect();
        let contacts = self.deps.store.contacts(&ids).await.doing("reading contacts")?;
        Ok(contacts.into_iter().map(|contact| (contact.id, contact)).collect())
    }

    pub(crate) fn rulebook<'r>(&'r self, held: &'r Held, pair_groups: &'r PairGroups) -> Rulebook<'r> {
        Rulebook {
            promise: self.order.promise,
            codec: self.deps.remote.codec(),
            pair_groups,
            held,
            now: self.now(),
            deletions: self.deletions(),
            remote_ahead_ms: self.deps.remote.clock_ahead_ms().unwrap_or(self.state.clock_ahead_ms),
        }
    }
}

impl Counted {
    fn add(&mut self, other: Counted) {
        self.created += other.created;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.conflicts += other.conflicts;
    }
}

/// What a decision about a link with a contact means for the store.
fn operations_of(link: &Link, contact: &Contact, decision: &Decision) -> Vec<Operation> {
    let operation = |op, reason: &str| {
        Operation::new(op, Side::Store, &contact.card, reason).about(Some(contact.id), link.remote.as_ref())
    };
    match decision {
        Decision::Nothing
        | Decision::Adopt
        | Decision::Ignore
        | Decision::GoOn
        | Decision::Respelled
        | Decision::Forget => Vec::new(),
        Decision::Merge(merge) => {
            let mut operations = Vec::new();
            if link.base.is_none() {
                operations.push(operation(OperationKind::Link, merge.reason));
            }
            if merge.merged.card != contact.card || merge.returns {
                let op = if merge.returns { OperationKind::Create } else { OperationKind::Update };
                let changed = operation(op, merge.reason).changing(&contact.card, &merge.merged.card);
                if merge.returns || !changed.fields.is_empty() {
                    operations.push(changed);
                }
            }
            for conflict in &merge.merged.conflicts {
                let mut found = operation(
                    OperationKind::Conflict,
                    match conflict.winner {
                        crate::domain::policy::Winner::Store => {
                            "both sides changed the field: the store's value is taken"
                        }
                        crate::domain::policy::Winner::Remote => {
                            "both sides changed the field: Google's value is taken"
                        }
                        crate::domain::policy::Winner::Hold => "both sides changed the field: a person has to decide",
                    },
                );
                found.fields.insert(conflict.field.to_string(), BeforeAfter::of_conflict(conflict));
                operations.push(found);
            }
            operations
        }
        Decision::DeleteContact(reason) => vec![operation(OperationKind::Delete, reason)],
        Decision::Unlink { reason, .. } => vec![operation(OperationKind::Unlink, reason)],
        Decision::Revive(reason) => {
            vec![operation(OperationKind::Create, reason), operation(OperationKind::Unlink, reason)]
        }
        Decision::Recreate(reason) => {
            let mut again = operation(OperationKind::Link, reason);
            again.side = Side::Remote;
            vec![again]
        }
    }
}
