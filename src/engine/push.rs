//! Step 7: what changed in the store goes to the remote.
//!
//! First every unsettled link is planned, which is pure: from the base and the contact follows what the record has to
//! become. Then the guard has its say, and then the plan is carried out by `execute`, grouped into the fewest
//! calls: records to be made, records to be changed by the fields that change, groups to be joined and left, records to
//! be deleted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::guard::{Tally, harms_of};
use super::held::{Held, carried};
use super::licence::Ruling;
use super::operation::{BeforeAfter, Operation, OperationKind, Side};
use super::restored::Deletions;
use super::rules::{self, Rule};
use super::undo::Parting;
use super::{EngineError, Licence, Purpose, Run, Step, identity};
use crate::domain::contact::{Card, Contact, Kind};
use crate::domain::diff;
use crate::domain::digest::Digest;
use crate::domain::field::Field;
use crate::domain::harm::{Harm, LetBy};
use crate::domain::id::{ContactId, GroupId, LinkId};
use crate::domain::link::{Base, Link, LinkState, ParkedWhy};
use crate::domain::pair::{Direction, InStore, Photos};
use crate::remotes::Tag;
use crate::store::Write;

mod strangers;

/// Whether a push found out something that has to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    None,
    /// Not that; but the store was edited meanwhile, and the rest of the push waits for the edits.
    Edits,
    Some,
}

impl News {
    pub(crate) fn or(self, other: News) -> News {
        match (self, other) {
            (News::Some, _) | (_, News::Some) => News::Some,
            (News::Edits, _) | (_, News::Edits) => News::Edits,
            (News::None, News::None) => News::None,
        }
    }
}

/// What one link needs at the remote.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Push {
    /// Nothing; the store's state is acknowledged as it is.
    Acknowledge,
    /// Nothing; the link changes its state.
    Rest(LinkState),
    /// Nothing now: it waits for something, or for somebody.
    Wait,
    /// The record has to be made.
    Create,
    /// Fields of the record have to be replaced.
    Update { mask: Vec<String> },
    /// The record has to change groups, and nothing else.
    Regroup(Regroup),
    /// The record has to be deleted.
    Delete,
    /// The record has to be deleted and its link set aside; the contact stays.
    Retract,
    /// The record has to be moved to the group of deleted contacts.
    Trash,
}

/// A change of groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Regroup {
    pub(crate) join: BTreeSet<GroupId>,
    pub(crate) leave: BTreeSet<GroupId>,
}

/// In which order records are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// Company contacts.
    First,
    /// Persons.
    Second,
}

impl Order {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Organization => Order::First,
            Kind::Person => Order::Second,
        }
    }
}

/// What is about to be done about one link, as it was judged.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    harms: Vec<Harm>,
    let_by: LetBy,
    digest: Digest,
}

/// Everything that is to be done at the remote, by kind of call.
#[derive(Debug, Default)]
pub(crate) struct PushPlan {
    /// Company contacts first, so that they are there when their people are looked at.
    /// Within that, in the order in which they came into the store.
    pub(crate) create: BTreeMap<(Order, ContactId), LinkId>,
    pub(crate) update: BTreeMap<Vec<String>, Vec<LinkId>>,
    pub(crate) regroup: Vec<(LinkId, Regroup)>,
    pub(crate) trash: Vec<LinkId>,
    pub(crate) delete: Vec<LinkId>,
}

impl PushPlan {
    fn add(&mut self, link: &Link, kind: Kind, push: Push) {
        match push {
            Push::Acknowledge | Push::Rest(_) | Push::Wait => {}
            Push::Create => {
                if let Some(contact) = link.contact {
                    self.create.insert((Order::of(kind), contact), link.id);
                }
            }
            Push::Update { mask } => self.update.entry(mask).or_default().push(link.id),
            Push::Regroup(regroup) => self.regroup.push((link.id, regroup)),
            Push::Trash => self.trash.push(link.id),
            Push::Delete | Push::Retract => self.delete.push(link.id),
        }
    }

    pub(crate) fn len(&self) -> usize {
        let updates: usize = self.update.values().map(Vec::len).sum();
        self.create.len() + updates + self.regroup.len() + self.trash.len() + self.delete.len()
    }
}

impl Run<'_> {
    /// Carries what changed in the store to the remote.
    pub(crate) async fn push(&mut self) -> Result<News, EngineError> {
        let held = self.held_fields().await?;
        let mut tally = Tally::default();
        let news = self.meet_strangers().await?;
        let mut after = None;
        while let Some(links) = self.unsettled(&mut after).await? {
            self.check_stop()?;
            let contacts = self.contacts_of(&links).await?;
            let mut writes = Vec::new();
            for link in &links {
                let contact = link.contact.and_then(|id| contacts.get(&id));
                let push = self.plan_link(link, contact, &held);
                if let (Some(contact), Some(base), None) = (contact, &link.base, &link.seen) {
                    writes.extend(self.follow_conflicts(contact.id, &base.store, &contact.card));
                }
                self.note_losses(link, contact, &push);
                let operations = self.operations_of_push(link, contact, &push, &held);
                if operations.is_empty() {
                    writes.extend(self.settle_quietly(link, contact, &push, &held));
                }
                operations.iter().for_each(|operation| tally.count(operation));
            }
            self.commit(writes, "acknowledging contacts").await?;
        }
        if news == News::Some {
            return Ok(news);
        }
        let barred = self.bar(&tally).await?;
        let mut plan = PushPlan::default();
        self.planned.clear();
        let mut after = None;
        while let Some(links) = self.unsettled(&mut after).await? {
            let contacts = self.contacts_of(&links).await?;
            let mut writes = Vec::new();
            for link in links {
                let contact = link.contact.and_then(|id| contacts.get(&id));
                let push = self.plan_link(&link, contact, &held);
                let operations = self.operations_of_push(&link, contact, &push, &held);
                let let_by = match self.ruling(&link, &operations, &barred) {
                    Ruling::Go(let_by) => let_by,
                    Ruling::Leave => continue,
                    Ruling::Park => {
                        self.held_back.insert(link.id);
                        let settled = self.park_for_guard(link, operations);
                        writes.extend(settled.writes);
                        settled.operations.into_iter().for_each(|operation| self.record(operation));
                        continue;
                    }
                };
                if let Push::Rest(_) = push {
                    writes.extend(self.settle_quietly(&link, contact, &push, &held));
                    writes.extend(self.harm_of(&operations, let_by));
                    writes.extend(self.trace_unlinks(&operations));
                }
                let kind = contact.map_or(Kind::Person, |contact| contact.card.kind());
                plan.add(&link, kind, push);
                self.note_planned(&link, &operations, let_by);
                operations.into_iter().for_each(|operation| self.record(operation));
            }
            self.commit(writes, "parking what the guard stopped").await?;
        }
        if self.order.purpose == Purpose::Preview || plan.len() == 0 {
            return Ok(News::None);
        }
        self.deps.progress.advanced(Step::Writing, 0, plan.len() as u64);
        self.execute(plan, &held).await
    }

    fn note_planned(&mut self, link: &Link, operations: &[Operation], let_by: LetBy) {
        let harms = operations.iter().flat_map(harms_of).collect();
        self.planned.insert(link.id, Planned { harms, let_by, digest: self.digest_of(operations) });
    }

    /// The writes that remember the harm which was planned for a link and is done now; `unplanned` is what it came to
    /// when an earlier run had sent it.
    pub(crate) fn harm_at_remote(&self, link: &Link, unplanned: Harm) -> Vec<Write> {
        let Some(contact) = link.contact else { return Vec::new() };
        match self.planned.get(&link.id) {
            Some(Planned { harms, let_by, .. }) => {
                harms.iter().map(|harm| self.harm_done(*harm, contact, *let_by)).collect()
            }
            None => vec![self.harm_done(unplanned, contact, LetBy::Guard)],
        }
    }

    /// What one link needs at the remote just before it is sent. Where a person has let through something particular,
    /// nothing else is sent: what was edited since waits for the next run.
    pub(crate) fn replan_link(&mut self, link: &Link, contact: Option<&Contact>, held: &Held) -> Push {
        let push = self.plan_link(link, contact, held);
        if *self.order.licence == Licence::Guarded {
            return push;
        }
        let operations = self.operations_of_push(link, contact, &push, held);
        let as_judged = self.planned.get(&link.id).is_some_and(|planned| planned.digest == self.digest_of(&operations));
        if as_judged || operations.is_empty() {
            return push;
        }
        self.left_alone += 1;
        Push::Wait
    }

    /// What one link needs at the remote.
    pub(crate) fn plan_link(&self, link: &Link, contact: Option<&Contact>, held: &Held) -> Push {
        match self.plan_link_freely(link, contact, held) {
            Push::Delete | Push::Retract | Push::Trash if self.deletions() == Deletions::Held => Push::Wait,
            push => push,
        }
    }

    fn plan_link_freely(&self, link: &Link, contact: Option<&Contact>, held: &Held) -> Push {
        let Some(contact) = contact else {
            let is_one_too_many = super::settle::is_folded_twin(link);
            let may_go = is_one_too_many && self.order.promise.direction != Direction::FromRemote;
            return if may_go { Push::Delete } else { Push::Wait };
        };
        if link.seen.is_some() || self.intents.contains_key(&link.id) || self.is_set_aside(link, contact) {
            return Push::Wait;
        }
        if let Some(parting) = self.parted.get(&link.id) {
            return self.plan_parting(link, parting);
        }
        if self.retracted.contains(&link.id) && link.remote.is_some() && link.base.is_some() {
            return Push::Retract;
        }
        let groups = self.groups_of(link);
        if link.state == LinkState::Bound && self.pair_groups().keep_waiting(self.order.promise, &contact.card, &groups)
        {
            return Push::Wait;
        }
        match (link.state, contact.is_live()) {
            (LinkState::Found | LinkState::Creating, _) => Push::Wait,
            (LinkState::Unselected | LinkState::Dormant | LinkState::Gone, _) => Push::Rest(link.state),
            (LinkState::Need, false) => Push::Rest(LinkState::Gone),
            (LinkState::Need, true) => self.plan_create(contact),
            (LinkState::Bound, false) => self.plan_delete(link, contact),
            (LinkState::Bound, true) => self.plan_update(link, contact, held),
        }
    }

    /// What a record needs that goes back to what it was before it was linked.
    fn plan_parting(&self, link: &Link, parting: &Parting) -> Push {
        if link.state != LinkState::Dormant || self.order.promise.direction == Direction::FromRemote {
            return Push::Rest(link.state);
        }
        let Base { store, remote, .. } = &parting.base;
        let groups = self.groups_parted(parting);
        let codec = self.deps.remote.codec();
        let change = codec.recompose(remote, store, &parting.card, groups.as_ref(), &identity::no_tag());
        change.map_or(Push::Rest(LinkState::Dormant), |change| Push::Update { mask: change.mask })
    }

    /// All groups of a record that is parted; `None` when they stay.
    pub(crate) fn groups_parted(&self, parting: &Parting) -> Option<BTreeSet<GroupId>> {
        if parting.leaves.is_empty() {
            return None;
        }
        let mut groups = self.deps.remote.codec().groups(&parting.base.remote);
        groups.retain(|group| !parting.leaves.contains(group));
        groups.insert(self.deps.remote.common_group());
        Some(groups)
    }

    /// Whether this content is not tried, or not again in this run. That the contact is deleted is another matter.
    fn is_set_aside(&self, link: &Link, contact: &Contact) -> bool {
        let refused_now = || self.refused.get(&link.id).is_some_and(|digest| *digest == digest_of(contact));
        let is_idle = link.state == LinkState::Need && !self.may_be_created(contact);
        contact.is_live() && !is_idle && (is_given_up(link, contact) || refused_now())
    }

    /// Whether a contact may get a record at all. What is not selected any more waits for none, and is in no doubt.
    fn may_be_created(&self, contact: &Contact) -> bool {
        self.order.promise.direction != Direction::FromRemote
            && self.order.promise.selecting(&contact.card).next().is_some()
    }

    fn plan_create(&self, contact: &Contact) -> Push {
        if !self.may_be_created(contact) {
            return Push::Rest(LinkState::Unselected);
        }
        // Selected, but only by pairs whose group was deleted, or perhaps there already: that is for a person to decide.
        let waits = self.groups_wanted(&contact.card).is_empty() || self.doubted.contains(&contact.id);
        if waits { Push::Wait } else { Push::Create }
    }

    fn plan_delete(&self, link: &Link, contact: &Contact) -> Push {
        if self.order.promise.direction == Direction::FromRemote {
            return Push::Rest(LinkState::Unselected);
        }
        if self.waits_for_photo(link, contact) {
            return Push::Wait;
        }
        let grace = self.order.promise.delete.grace;
        if contact.deleted.is_some_and(|deleted| self.now().since(deleted) < grace) {
            return Push::Wait;
        }
        match self.order.promise.delete.in_store {
            InStore::Propagate => Push::Delete,
            // Nobody parted the two: they are taken up again when the contact is restored.
            InStore::Unlink => Push::Rest(LinkState::Unselected),
            InStore::TrashGroup => Push::Trash,
        }
    }

    fn plan_update(&self, link: &Link, contact: &Contact, held: &Held) -> Push {
        let Some(base) = &link.base else { return Push::Wait };
        if self.order.promise.direction == Direction::FromRemote {
            return Push::Rest(LinkState::Bound);
        }
        let card = carried(contact, &base.store, held);
        if !self.belongs(&contact.card, &self.groups_of(link)) {
            return Push::Rest(LinkState::Unselected);
        }
        let regroup = self.regroup(link, contact, &base.store);
        let own = rules::holds(Rule::OwnBasePerSide);
        let theirs = (!own).then(|| self.deps.remote.codec().read(&base.remote, card.kind()).card);
        let from = theirs.as_ref().unwrap_or(&base.store);
        let change = self.deps.remote.codec().recompose(&base.remote, from, &card, None, &identity::no_tag());
        match change {
            Some(change) => {
                let mut mask = change.mask;
                if regroup != Regroup::default() {
                    // The record is written anyway: its groups go along.
                    let groups = self.groups_after(link, &regroup);
                    let tag = identity::no_tag();
                    let codec = self.deps.remote.codec();
                    if let Some(whole) = codec.recompose(&base.remote, &base.store, &card, Some(&groups), &tag) {
                        mask = whole.mask;
                    }
                }
                Push::Update { mask }
            }
            None if regroup != Regroup::default() => Push::Regroup(regroup),
            None => Push::Acknowledge,
        }
    }

    /// The pairs' groups that the record has to join, because the contact belongs there, and to leave, because it did
    /// and does not any more. Memberships that no pair speaks of are left alone.
    pub(crate) fn regroup(&self, link: &Link, contact: &Contact, base: &Card) -> Regroup {
        let current = self.groups_of(link);
        let wanted = self.groups_wanted(&contact.card);
        // What the store had put it into, under whatever configuration. Groups of pairs that are no more are left alone.
        let mut before: BTreeSet<GroupId> = self.pair_groups().live().cloned().collect();
        before.retain(|group| link.wanted.contains(group));
        before.extend(self.groups_wanted(base));
        let mut join: BTreeSet<GroupId> = wanted.difference(&current).cloned().collect();
        if !join.is_empty() {
            let common = self.deps.remote.common_group();
            if !current.contains(&common) {
                join.insert(common);
            }
        }
        let mut leave: BTreeSet<GroupId> =
            before.difference(&wanted).filter(|group| current.contains(*group)).cloned().collect();
        leave.extend(self.known_trash().filter(|trash| !wanted.is_empty() && current.contains(trash)));
        Regroup { join, leave }
    }

    pub(crate) fn groups_of(&self, link: &Link) -> BTreeSet<GroupId> {
        let Some(base) = &link.base else { return BTreeSet::new() };
        self.deps.remote.codec().read(&base.remote, base.store.kind()).groups
    }

    /// The groups that a record leaves and joins, by their names, as a plan tells them.
    fn moved(&self, leave: &BTreeSet<GroupId>, join: &BTreeSet<GroupId>) -> Option<(String, BeforeAfter)> {
        let names = |groups: &BTreeSet<GroupId>| -> Value {
            let known = self.state.pair_groups.iter().filter(|known| groups.contains(&known.group));
            let names: Vec<&str> = known.map(|known| known.name.as_str()).collect();
            if names.is_empty() { Value::Null } else { Value::from(names.join(", ")) }
        };
        let (before, after) = (names(leave), names(join));
        (before != after).then(|| ("groups".to_owned(), BeforeAfter::new(before, after)))
    }

    /// All groups of the record after a change of groups.
    pub(crate) fn groups_after(&self, link: &Link, regroup: &Regroup) -> BTreeSet<GroupId> {
        let mut groups = self.groups_of(link);
        groups.extend(regroup.join.iter().cloned());
        groups.retain(|group| !regroup.leave.contains(group));
        if groups.is_empty() {
            groups.insert(self.deps.remote.common_group());
        }
        groups
    }

    /// The write that settles a link which needs nothing at the remote.
    fn settle_quietly(&self, link: &Link, contact: Option<&Contact>, push: &Push, held: &Held) -> Option<Write> {
        let contact = contact?;
        let mut settled = link.clone();
        match push {
            Push::Acknowledge => {
                if let Some(base) = &mut settled.base {
                    let card = carried(contact, &base.store, held);
                    base.agreed = self.agreed_after(base, &card);
                    base.store = card;
                }
                settled.acked = contact.version.clone();
                settled.wanted = self.groups_wanted(&contact.card);
            }
            Push::Rest(state) => {
                settled.state = *state;
                if *state != LinkState::Bound {
                    settled.wanted.clear();
                }
            }
            Push::Wait
            | Push::Create
            | Push::Update { .. }
            | Push::Regroup(_)
            | Push::Delete
            | Push::Retract
            | Push::Trash => return None,
        }
        settled.parked = None;
        settled.settled = contact.version.clone();
        Some(Write::Link(Box::new(settled)))
    }

    /// The record without the edits that never went into the contact, after the remote was told this card.
    pub(crate) fn agreed_after(&self, base: &Base, card: &Card) -> Option<Value> {
        let agreed = base.agreed.as_ref()?;
        let told = self.deps.remote.codec().recompose(agreed, &base.store, card, None, &identity::no_tag());
        Some(told.map_or_else(|| agreed.clone(), |told| told.wire))
    }

    /// What a push means, for plans and guards.
    fn operations_of_push(&self, link: &Link, contact: Option<&Contact>, push: &Push, held: &Held) -> Vec<Operation> {
        let Some(contact) = contact else { return Vec::new() };
        let parting = self.parted.get(&link.id);
        let parted = parting.map(|parting| Contact { card: parting.card.clone(), ..contact.clone() });
        let contact = parted.as_ref().unwrap_or(contact);
        let codec = self.deps.remote.codec();
        let kind = contact.card.kind();
        let operation = |op, reason: &str| {
            Operation::new(op, Side::Remote, &contact.card, reason).about(Some(contact.id), link.remote.as_ref())
        };
        let regrouped = |regroup: &Regroup| {
            let mut operations = Vec::new();
            if !regroup.join.is_empty() {
                let mut join = operation(OperationKind::Join, "belongs to the pair, but is not in its group");
                join.fields.extend(self.moved(&BTreeSet::new(), &regroup.join));
                operations.push(join);
            }
            if !regroup.leave.is_empty() {
                let was_selected = link.base.as_ref().is_some_and(|base| !self.groups_wanted(&base.store).is_empty());
                let reason = match was_selected {
                    true => "no longer belongs to the pair",
                    false => "the configuration no longer selects it; both stay",
                };
                let mut leave = operation(OperationKind::Leave, reason);
                leave.fields.extend(self.moved(&regroup.leave, &BTreeSet::new()));
                operations.push(leave);
            }
            operations
        };
        match push {
            // Only what was kept equal until now ceases to be.
            Push::Rest(LinkState::Unselected) if link.state == LinkState::Bound => {
                let reason = match contact.is_live() {
                    true => "no pair selects it any more; both stay and are no longer kept equal",
                    false => "deleted in the store; the record in Google stays as it is",
                };
                vec![operation(OperationKind::Unlink, reason)]
            }
            Push::Acknowledge | Push::Rest(_) | Push::Wait => Vec::new(),
            Push::Create => {
                let blank = Card::blank(contact.card.kind());
                let mut card = contact.card.clone();
                if self.order.promise.photos == Photos::Stay {
                    diff::copy_field(&Field::Photo, &blank, &mut card);
                }
                vec![
                    operation(OperationKind::Create, "belongs to the pair and has no record in Google")
                        .changing(&blank, &card),
                ]
            }
            Push::Update { .. } => {
                let Some(base) = parting.map(|parting| &parting.base).or(link.base.as_ref()) else { return Vec::new() };
                let card = match parting {
                    Some(_) => contact.card.clone(),
                    None => carried(contact, &base.store, held),
                };
                // What the record says before and after: not all that changed in the store can travel.
                let changed = codec.recompose(&base.remote, &base.store, &card, None, &identity::no_tag());
                let after = changed.map_or_else(|| base.remote.clone(), |changed| changed.wire);
                let (before, after) = (codec.read(&base.remote, kind).card, codec.read(&after, kind).card);
                let reason = if parting.is_some() { "as it was before the run" } else { "edited in the store" };
                let mut operations = vec![operation(OperationKind::Update, reason).changing(&before, &after)];
                let regroup = match parting {
                    Some(parting) => Regroup { join: BTreeSet::new(), leave: parting.leaves.clone() },
                    None => self.regroup(link, contact, &base.store),
                };
                operations.extend(regrouped(&regroup));
                operations
            }
            Push::Regroup(regroup) => regrouped(regroup),
            Push::Delete => vec![operation(OperationKind::Delete, "deleted in the store")],
            Push::Retract => {
                vec![operation(OperationKind::Delete, "made by the run that is undone; the contact stays")]
            }
            Push::Trash => {
                vec![operation(OperationKind::Leave, "deleted in the store; moved to the group of deleted contacts")]
            }
        }
    }

    /// The tag of a new write.
    pub(crate) fn tag(&self, link: &Link, marker: crate::domain::id::Marker) -> Tag {
        Tag { token: link.token.clone(), epoch: self.identity.epoch, marker }
    }
}

/// Whether this very content was refused twice, or the contact cannot be told from others. A doubt is taken away by
/// [`Run::meet_strangers`] alone, which knows what it rests on.
pub(crate) fn is_given_up(link: &Link, contact: &Contact) -> bool {
    let Some(parked) = &link.parked else { return false };
    match parked.why {
        ParkedWhy::Refused => parked.times >= 2 && parked.digest.as_deref() == Some(digest_of(contact).as_str()),
        ParkedWhy::Doubtful => link.state == LinkState::Need,
        ParkedWhy::Guard => false,
    }
}

fn digest_of(contact: &Contact) -> String {
    Digest::of_card(&contact.card).to_string()
}
