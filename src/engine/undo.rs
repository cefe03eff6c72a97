//! Takes back what an earlier run did, as far as nothing has changed since.
//!
//! The history of that run says what it did to either side. Its inverse is made of ordinary edits of the store, which are
//! then pushed like any other: a field gets the value from before, on whichever side the run changed it; of a field that
//! both sides had changed, the value that lost. A contact that the run deleted is restored, and its record made again.
//! What the run made is taken back on the side where it made it, and its link set aside: the other side's original
//! stays. What the run linked is parted: either side gets back what the run changed there, and nothing else. Every account
//! takes back its own part.
//!
//! What changed since is left as it is and named.

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{Operation, OperationKind, Side};
use super::organizations::Organizations;
use super::{CHUNK, Doing, EngineError, Licence, Run};
use crate::domain::contact::{Card, Contact};
use crate::domain::diff::{self, FieldChange};
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change, RecordedChange};
use crate::domain::id::{ContactId, GroupId, ReplicaId, RunId};
use crate::domain::link::{Base, Link, LinkState, Sighting};
use crate::domain::pair::{Direction, Photos};
use crate::domain::policy::Winner;
use crate::domain::taking_back::{self, first_and_last};
use crate::domain::version::VersionVector;
use crate::store::{ContactWrite, HistoryQuery, Write};

/// What the run did to one contact, as far as this account takes it back.
#[derive(Debug, Default)]
struct Deeds {
    /// The last row of the run about the contact.
    last: u64,
    /// Rows, oldest first.
    store: Vec<Change>,
    here: Vec<Change>,
}

/// What becomes of a record that the run had linked.
#[derive(Debug, Clone)]
pub(crate) struct Parting {
    /// What both sides last agreed on.
    pub(crate) base: Base,
    /// What the record says afterwards.
    pub(crate) card: Card,
    /// The pairs' groups that the run had put it into.
    pub(crate) leaves: BTreeSet<GroupId>,
}

/// The inverse of what was done to one contact.
struct Inverse {
    contact: Contact,
    link: Option<Link>,
    writes: Vec<Write>,
    operations: Vec<Operation>,
}

impl Run<'_> {
    /// Takes back what the run did that this one is to undo. Does nothing under any other licence.
    pub(crate) async fn undo(&mut self) -> Result<(), EngineError> {
        let Licence::Undoing(run) = *self.order.licence else { return Ok(()) };
        // What we moved ourselves is asked for before it is taken for an edit of somebody else.
        self.confirm_suspects().await?;
        let deeds = self.deeds_of(run).await?;
        self.undone = deeds.keys().copied().collect();
        let ids: Vec<ContactId> = deeds.keys().copied().collect();
        for chunk in ids.chunks(CHUNK as usize) {
            self.check_stop()?;
            self.undo_chunk(chunk, &deeds).await?;
        }
        Ok(())
    }

    async fn deeds_of(&self, run: RunId) -> Result<BTreeMap<ContactId, Deeds>, EngineError> {
        let query = HistoryQuery { run: Some(run), ..HistoryQuery::default() };
        let mut rows = self.deps.store.history(&query).await.doing("reading what the run did")?;
        rows.reverse();
        let mut deeds: BTreeMap<ContactId, Deeds> = BTreeMap::new();
        for RecordedChange { sequence, change, remote } in rows {
            let of_contact = deeds.entry(change.contact).or_default();
            of_contact.last = sequence;
            match remote {
                None => of_contact.store.push(change),
                Some(copy) if copy.replica == self.order.promise.replica => of_contact.here.push(change),
                Some(_) => {}
            }
        }
        Ok(deeds)
    }

    async fn undo_chunk(&mut self, ids: &[ContactId], deeds: &BTreeMap<ContactId, Deeds>) -> Result<(), EngineError> {
        let store = self.deps.store;
        let contacts = store.contacts(ids).await.doing("reading contacts")?;
        let links = store.links_of_contacts(&self.order.promise.account, ids).await.doing("reading links")?;
        let mut links: BTreeMap<ContactId, Link> =
            links.into_iter().filter_map(|link| Some((link.contact?, link))).collect();
        let mut companies = Vec::new();
        for contact in &contacts {
            if let Some(deeds) = deeds.get(&contact.id) {
                companies.extend([self.put_back(contact, None, deeds).0, self.put_back_here(contact, deeds).0]);
            }
        }
        let mut organizations = self.load_organizations(companies.iter()).await?;
        let mut writes = Vec::new();
        for contact in contacts {
            let Some(deeds) = deeds.get(&contact.id) else { continue };
            let link = links.remove(&contact.id);
            let inverse = self.invert(contact, link, deeds, &mut organizations).await?;
            writes.extend(inverse.writes);
            for operation in &inverse.operations {
                let pulled = &mut self.summary.pulled;
                match operation.op {
                    OperationKind::Create => pulled.created += 1,
                    OperationKind::Delete => pulled.deleted += 1,
                    // Counted among the links, when it is in the history.
                    OperationKind::Unlink => {}
                    _ => pulled.updated += 1,
                }
            }
            inverse.operations.into_iter().for_each(|operation| self.record(operation));
        }
        self.rename_at_people(&mut writes).await?;
        self.commit(writes, "taking back what the run did").await
    }

    /// The inverse of everything that was done to one contact.
    async fn invert(
        &mut self,
        contact: Contact,
        link: Option<Link>,
        deeds: &Deeds,
        organizations: &mut Organizations,
    ) -> Result<Inverse, EngineError> {
        let mut inverse = Inverse { contact, link, writes: Vec::new(), operations: Vec::new() };
        let did = |rows: &[Change], action: Action| rows.iter().any(|row| row.action == action);
        let brought_in = self.brought_in(deeds);
        let made_there = did(&deeds.here, Action::Created);
        if brought_in && inverse.contact.implicit {
            // An organization that is there because somebody named it; it is on no side by itself.
            return Ok(inverse);
        }
        if brought_in || made_there {
            if self.has_moved(&inverse, deeds).await? {
                self.skip(&inverse.contact, "it was edited since");
                return Ok(inverse);
            }
            if made_there {
                self.retract(&mut inverse);
            }
            if brought_in {
                self.bin(&mut inverse, made_there);
                return Ok(inverse);
            }
        }
        if did(&deeds.here, Action::Linked) && !made_there {
            self.part(&mut inverse, deeds, organizations).await?;
            return Ok(inverse);
        }
        if did(&deeds.here, Action::Edited) && self.belongs_to_linking(&inverse.contact, deeds).await? {
            self.skip(&inverse.contact, "what was written to its record belongs to an earlier run that linked the two");
            return Ok(inverse);
        }
        let was_deleted = did(&deeds.here, Action::Deleted) || did(&deeds.store, Action::Deleted);
        let was_unlinked = did(&deeds.here, Action::Unlinked);
        let before = inverse.contact.clone();
        if was_deleted {
            inverse.contact.deleted = None;
        }
        if !inverse.contact.is_live() {
            return Ok(inverse);
        }
        let (card, skipped) = self.put_back(&inverse.contact, inverse.link.as_ref(), deeds);
        for field in skipped {
            self.skip(&before, &format!("{field} changed since"));
        }
        let moved = |row: &Change| matches!(row.action, Action::Joined | Action::Left) && row.fields.is_empty();
        if deeds.here.iter().any(moved) && !was_unlinked && !made_there {
            // No label of the contact led there, so there is none to be put back.
            self.skip(&before, "the groups of its record follow from the configuration");
        }
        inverse.contact.card = card;
        if !before.is_live() {
            self.select_again(&mut inverse);
        }
        inverse.writes.extend(self.resolve_organization(&mut inverse.contact.card, organizations));
        self.write_back(&mut inverse, &before);
        if (was_deleted || was_unlinked) && !made_there {
            self.revive(&mut inverse);
        }
        Ok(inverse)
    }

    /// Whether the run brought the contact into the store: from this account, or back out of the bin.
    fn brought_in(&self, deeds: &Deeds) -> bool {
        let from_here = |change: &Change| match &change.actor {
            Actor::Replica { replica } => *replica == self.order.promise.replica,
            Actor::User | Actor::Import { .. } | Actor::Merge { .. } => true,
        };
        let whole = deeds.store.iter().rfind(|row| row.action != Action::Edited);
        whole.is_some_and(|row| matches!(row.action, Action::Created | Action::Restored) && from_here(row))
    }

    /// Whether anything happened to the contact since, here or in the store.
    async fn has_moved(&self, inverse: &Inverse, deeds: &Deeds) -> Result<bool, EngineError> {
        let link = inverse.link.as_ref();
        if link.is_some_and(|link| link.seen.is_some()) || !self.unsettled_fields(link).is_empty() {
            return Ok(true);
        }
        let query = HistoryQuery { contact: Some(inverse.contact.id), limit: Some(20), ..HistoryQuery::default() };
        let rows = self.deps.store.history(&query).await.doing("reading what happened since")?;
        let replica = &self.order.promise.replica;
        Ok(rows.iter().any(|row| {
            let later = row.sequence > deeds.last && row.change.run != Some(self.order.run);
            later && row.remote.as_ref().is_none_or(|copy| copy.replica == *replica)
        }))
    }

    /// The card with the values from before the run, and the fields that changed since.
    fn put_back(&self, contact: &Contact, link: Option<&Link>, deeds: &Deeds) -> (Card, Vec<Field>) {
        taking_back::put_back(&contact.card, taken_back(deeds), &self.unsettled_fields(link))
    }

    /// The same, of what the run did to the store alone.
    fn put_back_here(&self, contact: &Contact, deeds: &Deeds) -> (Card, Vec<Field>) {
        taking_back::put_back(&contact.card, first_and_last(&deeds.store).into_values(), &BTreeSet::new())
    }

    /// Parts a contact and a record that the run had linked. The two are not kept equal any more, and have nothing that they
    /// agreed on, before anything is written to either: a run that is cut off carries nothing over, and whoever takes the
    /// link up again unites them.
    async fn part(
        &mut self,
        inverse: &mut Inverse,
        deeds: &Deeds,
        organizations: &mut Organizations,
    ) -> Result<(), EngineError> {
        let before = inverse.contact.clone();
        if inverse.link.as_ref().is_some_and(|link| link.seen.is_some() || self.intents.contains_key(&link.id)) {
            self.skip(&before, "its record was edited since, or Google has not said yet what became of a change");
            return Ok(());
        }
        let since = self.since_linked(&before, deeds).await?;
        if before.is_live() {
            let (card, skipped) = self.put_back_here(&before, deeds);
            for field in skipped {
                self.skip(&before, &format!("{field} changed since"));
            }
            inverse.contact.card = card;
            inverse.writes.extend(self.resolve_organization(&mut inverse.contact.card, organizations));
            self.write_back(inverse, &before);
        }
        if inverse.link.as_ref().is_some_and(|link| link.state == LinkState::Dormant) && !since.is_empty() {
            self.skip(&before, "it is parted from its record already, which keeps what it has now");
        }
        let was_kept = |link: &&mut Link| matches!(link.state, LinkState::Bound | LinkState::Unselected);
        let Some(link) = inverse.link.as_mut().filter(was_kept) else { return Ok(()) };
        let (Some(base), Some(record)) = (link.base.take(), link.remote.clone()) else { return Ok(()) };
        let written = first_and_last(&since);
        if written.contains_key(&Field::Photo) {
            self.skip(&before, "its record keeps the photo");
        }
        let written = written.into_values().filter(|change| change.field != Field::Photo);
        let (card, skipped) = taking_back::put_back(&base.store, written, &BTreeSet::new());
        let joined = since.iter().any(|row| row.action == Action::Joined);
        let groups = self.deps.remote.codec().groups(&base.remote);
        let pairs = self.pair_groups();
        let leaves = pairs.live().filter(|group| joined && groups.contains(*group)).cloned().collect();
        self.parted.insert(link.id, Parting { base, card, leaves });
        inverse.writes.push(self.trace(before.id, &record, Action::Unlinked, Vec::new()));
        link.state = LinkState::Dormant;
        link.parked = None;
        link.wanted.clear();
        link.settled = VersionVector::new();
        let link = link.clone();
        inverse.writes.push(Write::Link(Box::new(link.clone())));
        let mut told = self.inverse_operation(OperationKind::Unlink, &inverse.contact, Some(&link));
        told.reason = "linked by the run that is undone; each side keeps its own".to_owned();
        inverse.operations.push(told);
        for field in skipped {
            self.skip(&before, &format!("{field} of its record changed since"));
        }
        Ok(())
    }

    /// What was written to the record because it was linked: by the run that linked it, and by later ones that only went on
    /// with it. Once somebody has edited the contact, only that run counts.
    async fn since_linked(&self, contact: &Contact, deeds: &Deeds) -> Result<Vec<Change>, EngineError> {
        let rows = self.rows_of(contact).await?;
        let Some(linked) = rows.iter().find(|row| row.change.action == Action::Linked && self.is_here(row)) else {
            return Ok(deeds.here.clone());
        };
        let run = &linked.change.run;
        let later = || rows.iter().filter(|row| row.sequence >= linked.sequence);
        if later().any(|row| row.remote.is_none() && row.change.run != *run) {
            return Ok(deeds.here.clone());
        }
        Ok(later().filter(|row| self.is_here(row)).map(|row| row.change.clone()).collect())
    }

    /// Whether what this run wrote to the record only carried on with a link that an earlier run had made.
    async fn belongs_to_linking(&self, contact: &Contact, deeds: &Deeds) -> Result<bool, EngineError> {
        let rows = self.rows_of(contact).await?;
        let Some(linked) = rows.iter().rfind(|row| row.change.action == Action::Linked && self.is_here(row)) else {
            return Ok(false);
        };
        let between = |row: &&RecordedChange| row.sequence > linked.sequence && row.sequence <= deeds.last;
        Ok(linked.sequence < deeds.last
            && !rows.iter().filter(between).any(|row| row.remote.is_none() && row.change.run != linked.change.run))
    }

    /// The history of a contact, oldest first.
    async fn rows_of(&self, contact: &Contact) -> Result<Vec<RecordedChange>, EngineError> {
        let query = HistoryQuery { contact: Some(contact.id), ..HistoryQuery::default() };
        let mut rows = self.deps.store.history(&query).await.doing("reading the history of a contact")?;
        rows.reverse();
        Ok(rows)
    }

    fn is_here(&self, row: &RecordedChange) -> bool {
        row.remote.as_ref().is_some_and(|copy| copy.replica == self.order.promise.replica)
    }

    /// Fields that somebody has changed at the remote, and that were not merged.
    fn unsettled_fields(&self, link: Option<&Link>) -> BTreeSet<Field> {
        let Some(link) = link else { return BTreeSet::new() };
        let Some(base) = &link.base else { return BTreeSet::new() };
        let wire = match &link.seen {
            Some(Sighting::Present { wire, .. }) => wire,
            Some(Sighting::Suspect { .. } | Sighting::Gone { .. }) | None => &base.remote,
        };
        let codec = self.deps.remote.codec();
        let kind = base.store.kind();
        let mut fields = diff::changed_fields(&codec.read(base.merged(), kind).card, &codec.read(wire, kind).card);
        if self.order.promise.photos == Photos::Travel && link.photo.shown != link.photo.address {
            fields.insert(Field::Photo);
        }
        fields
    }

    /// A restored contact that no pair selects was in a group all the same; the label that stands for the group brings it
    /// back there.
    fn select_again(&self, inverse: &mut Inverse) {
        let card = &mut inverse.contact.card;
        if self.order.promise.selecting(card).next().is_some() {
            return;
        }
        let groups = inverse.link.as_ref().map(|link| self.groups_of(link)).unwrap_or_default();
        let known = self.pair_groups();
        for (place, pair) in self.order.promise.pairs.iter().enumerate() {
            if known.of(place).is_some_and(|group| groups.contains(group)) {
                card.labels.extend(pair.add_label.clone().or_else(|| pair.labels.first().cloned()));
            }
        }
    }

    /// Writes the contact as it is to be, if that is different.
    fn write_back(&self, inverse: &mut Inverse, before: &Contact) {
        let contact = &mut inverse.contact;
        let action = match before.is_live() {
            false => Action::Restored,
            true if contact.card == before.card => return,
            true => Action::Edited,
        };
        for field in diff::changed_fields(&before.card, &contact.card) {
            contact.touched.insert(field, self.now());
        }
        contact.updated = self.now();
        contact.version.tick(&ReplicaId::store(self.identity.epoch));
        let op = if action == Action::Restored { OperationKind::Create } else { OperationKind::Update };
        let told = self.inverse_operation(op, contact, inverse.link.as_ref()).changing(&before.card, &contact.card);
        inverse.operations.push(told);
        let change = self.undoing(contact, action, diff::changes(&before.card, &contact.card));
        inverse.writes.push(Write::Contact(Box::new(ContactWrite {
            contact: contact.clone(),
            expected: Some(before.version.clone()),
            change,
        })));
    }

    /// Puts the contact into the bin. Unless its record goes too, its link is set aside: the record stays.
    fn bin(&self, inverse: &mut Inverse, record_goes: bool) {
        let contact = &mut inverse.contact;
        if !contact.is_live() {
            return;
        }
        let expected = contact.version.clone();
        contact.deleted = Some(self.now());
        contact.updated = self.now();
        contact.version.tick(&ReplicaId::store(self.identity.epoch));
        let told = self.inverse_operation(OperationKind::Delete, contact, inverse.link.as_ref());
        inverse.operations.push(told);
        let change = self.undoing(contact, Action::Deleted, Vec::new());
        let write = ContactWrite { contact: contact.clone(), expected: Some(expected), change };
        if let Some(link) = inverse.link.as_mut().filter(|_| !record_goes) {
            // Nobody parted the two: they are taken up again when the contact is restored.
            link.state = LinkState::Unselected;
            link.parked = None;
            link.settled = contact.version.clone();
            inverse.writes.push(Write::Link(Box::new(link.clone())));
        }
        inverse.writes.push(Write::Contact(Box::new(write)));
    }

    /// Lets the push delete the record and set its link aside.
    fn retract(&mut self, inverse: &mut Inverse) {
        let Some(link) = inverse.link.as_mut() else { return };
        let there = link.remote.is_some();
        if !there || matches!(link.state, LinkState::Gone | LinkState::Need | LinkState::Creating) {
            return;
        }
        if self.order.promise.direction == Direction::FromRemote {
            return self.skip(&inverse.contact, "nothing is written to an account that is only read");
        }
        self.retracted.insert(link.id);
        link.settled = VersionVector::new();
        link.parked = None;
        inverse.writes.push(Write::Link(Box::new(link.clone())));
    }

    /// Lets contact and record be kept equal again; a record that is gone is made again.
    fn revive(&self, inverse: &mut Inverse) {
        let Some(link) = inverse.link.as_mut() else { return };
        match link.state {
            // It seems to be there again, which is asked for next.
            LinkState::Gone if link.seen.is_some() => return,
            LinkState::Gone => inverse.writes.extend(self.renew(link)),
            // Where the record was deleted and the link set aside, there is nothing to be taken up.
            LinkState::Dormant | LinkState::Unselected if self.may_be_deleted_by_us(link) => {
                inverse.writes.extend(self.renew(link));
            }
            LinkState::Dormant | LinkState::Unselected => {
                link.own_delete = false;
                self.take_up(link);
            }
            LinkState::Found | LinkState::Need | LinkState::Creating | LinkState::Bound => return,
        }
        inverse.writes.push(Write::Link(Box::new(link.clone())));
    }

    fn inverse_operation(&self, op: OperationKind, contact: &Contact, link: Option<&Link>) -> Operation {
        let remote = link.and_then(|link| link.remote.as_ref());
        Operation::new(op, Side::Store, &contact.card, "as it was before the run").about(Some(contact.id), remote)
    }

    fn undoing(&self, contact: &Contact, action: Action, fields: Vec<FieldChange>) -> Change {
        Change {
            contact: contact.id,
            at: self.now(),
            actor: Actor::User,
            run: Some(self.order.run),
            action,
            fields,
            conflicts: Vec::new(),
        }
    }

    fn skip(&mut self, contact: &Contact, why: &str) {
        self.notice(format!("contact {}: {why}; that is left as it is", contact.id));
    }
}

/// The fields that a run changed, each once: with the value from before on the side that changed. Where both sides had
/// changed it, the value that lost is what comes back.
fn taken_back(deeds: &Deeds) -> Vec<FieldChange> {
    let (store, here) = (first_and_last(&deeds.store), first_and_last(&deeds.here));
    let lost_there: BTreeSet<&Field> = deeds
        .store
        .iter()
        .flat_map(|change| &change.conflicts)
        .filter(|conflict| conflict.winner == Winner::Store)
        .map(|conflict| &conflict.field)
        .collect();
    let mut fields = here;
    for (field, change) in store {
        if !(lost_there.contains(&field) && fields.contains_key(&field)) {
            fields.insert(field, change);
        }
    }
    fields.into_values().collect()
}
