//! The writes that a decision about a linked contact comes to.

use std::collections::BTreeSet;

use super::{Counted, Settled};
use crate::domain::contact::{Card, Contact};
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::history::Action;
use crate::domain::id::ReplicaId;
use crate::domain::link::{Base, Certainty, Former, Link, LinkState, Sighting};
use crate::domain::merge::Merged;
use crate::domain::policy::Winner;
use crate::domain::time::Timestamp;
use crate::domain::version::VersionVector;
use crate::engine::Run;
use crate::engine::decide::{Decision, Merge};
use crate::engine::identity::{self, Subject};
use crate::engine::operation::Operation;
use crate::engine::organizations::Organizations;
use crate::engine::reached::{self, Situation};
use crate::remotes::Codec;
use crate::store::{ContactWrite, Write};

impl Run<'_> {
    /// Turns a decision into writes.
    pub(super) fn apply(
        &mut self,
        mut link: Link,
        contact: Contact,
        decision: Decision,
        operations: Vec<Operation>,
        organizations: &mut Organizations,
    ) -> Settled {
        link.parked = None;
        link.leaving.clear();
        let mut settled = match decision {
            Decision::Nothing => Settled::default(),
            Decision::Adopt => self.adopt(link, &contact),
            Decision::GoOn => {
                self.look_away(&mut link);
                link.settled = VersionVector::new();
                only(link)
            }
            Decision::Respelled => {
                if let (Some(Sighting::Present { wire, .. }), Some(base)) = (link.seen.take(), &mut link.base) {
                    base.remote = wire;
                    base.certainty = Certainty::Answered;
                }
                link.settled = VersionVector::new();
                only(link)
            }
            Decision::Ignore => {
                self.look_away(&mut link);
                only(link)
            }
            Decision::Merge(merge) => self.apply_merge(link, contact, *merge, organizations),
            Decision::DeleteContact(_) => {
                reached::note(Situation::DeletedHere);
                self.delete_contact(link, contact)
            }
            Decision::Unlink { label, .. } => self.unlink(link, contact, label),
            Decision::Revive(_) => self.bring_back_unlinked(link, contact),
            Decision::Recreate(_) => {
                reached::note(Situation::EditOutlivesDeletionThere);
                self.recreate(link)
            }
            Decision::Forget => {
                reached::note(Situation::BothDeleted);
                link.state = if link.state == LinkState::Dormant { LinkState::Dormant } else { LinkState::Gone };
                // One that was set aside and is gone is in no state any more.
                link.etag = link.etag.filter(|_| link.state == LinkState::Gone);
                self.look_away(&mut link);
                link.settled = contact.version.clone();
                only(link)
            }
        };
        settled.operations = operations;
        settled
    }

    /// The record's state becomes what the next push goes out from; nothing is carried over. What it was before stays what
    /// both sides last agreed on.
    fn adopt(&self, mut link: Link, contact: &Contact) -> Settled {
        if let Some(Sighting::Present { wire, .. }) = link.seen.take()
            && let Some(base) = &mut link.base
        {
            let before = std::mem::replace(&mut base.remote, wire);
            base.agreed.get_or_insert(before);
            base.certainty = Certainty::Answered;
        }
        if link.contact == Some(contact.id) && contact.version.is_within(&link.acked) {
            link.settled = contact.version.clone();
        }
        only(link)
    }

    fn apply_merge(
        &mut self,
        mut link: Link,
        mut contact: Contact,
        mut merge: Merge,
        organizations: &mut Organizations,
    ) -> Settled {
        let mut settled = Settled::default();
        settled.writes.extend(self.resolve_company(&mut merge.merged, organizations));
        let found = (contact.version.clone(), contact.card.labels.clone());
        let push_due = self.differs_remotely(&merge.merged.base_store, &merge.merged.card, &merge.wire);
        let Merged { base_store, card, .. } = &merge.merged;
        settled.writes.extend(self.follow_conflicts(contact.id, base_store, card));
        self.write_merged(&mut settled, &link, &mut contact, &merge, push_due);
        let Merge { merged, wire, record_gone, agreed, returns, .. } = merge;
        if record_gone {
            settled.writes.extend(self.renew(&mut link));
            settled.writes.push(Write::Link(Box::new(link)));
            return settled;
        }
        if link.base.is_none()
            && let Some(record) = &link.remote
        {
            settled.writes.push(self.trace(contact.id, record, Action::Linked, Vec::new()));
        }
        // A first agreement, other labels, or a contact that no push has looked at yet may call for other groups: the
        // push has a look and settles it.
        let look_again = push_due
            || link.base.is_none()
            || link.state != LinkState::Bound
            || (&link.settled, &contact.card.labels) != (&found.0, &found.1);
        let marker = link.base.as_ref().and_then(|base| base.marker);
        let certainty = Certainty::Answered;
        link.base = Some(Base { store: merged.base_store, remote: wire, marker, certainty, agreed });
        link.seen = None;
        link.state = LinkState::Bound;
        // Our deletion may have gone unanswered and land yet: then the record has to be made again.
        link.own_delete = self.may_be_deleted_by_us(&link) || link.own_delete && returns;
        link.acked = if push_due {
            acknowledged(&link.acked, &contact, &self.order.promise.replica)
        } else {
            contact.version.clone()
        };
        link.settled = if look_again { VersionVector::new() } else { contact.version.clone() };
        link.map_revision = self.deps.remote.codec().map_revision();
        settled.writes.push(Write::Link(Box::new(link)));
        settled
    }

    /// Finds or makes the organization that a merged person's company is the name of. Returns the write that makes it.
    fn resolve_company(&mut self, merged: &mut Merged, organizations: &mut Organizations) -> Option<Write> {
        let unresolved = merged.card.as_person()?.organization.as_ref()?.id.is_none();
        if !self.pulls() {
            return None;
        }
        let agreed = !diff::changed_fields(&merged.base_store, &merged.card).contains(&Field::Organization);
        let write = self.resolve_organization(&mut merged.card, organizations);
        if unresolved && agreed {
            // The store spells the company as its organization is called; that is no reason to rewrite the record.
            diff::copy_field(&Field::Organization, &merged.card, &mut merged.base_store);
        }
        write
    }

    /// Writes what a merge changes in the contact, and what it has to say about it.
    fn write_merged(&self, settled: &mut Settled, link: &Link, contact: &mut Contact, merge: &Merge, push_due: bool) {
        let (card, before) = (&merge.merged.card, contact.card.clone());
        let becomes_own = contact.implicit && self.pulls();
        if *card == before && !merge.returns && !becomes_own && merge.merged.conflicts.is_empty() {
            return;
        }
        let expected = contact.version.clone();
        contact.version.tick(&self.order.promise.replica);
        if !expected.is_within(&link.acked) && push_due && *card != before {
            // A merge that neither side had is an event of the store.
            contact.version.tick(&ReplicaId::store(self.identity.epoch));
        }
        self.touch(contact, link, &before, card);
        contact.card = card.clone();
        contact.updated = self.now();
        contact.deleted = None;
        // It has a record of its own, whoever named it first.
        contact.implicit = false;
        if merge.returns {
            reached::note(Situation::EditOutlivesDeletionHere);
        }
        let action = if merge.returns { Action::Restored } else { Action::Edited };
        let mut change = self.change(contact.id, action, &before, card);
        change.conflicts.clone_from(&merge.merged.conflicts);
        match merge.returns {
            true => settled.counted.created += 1,
            false => settled.counted.updated += u64::from(*card != before),
        }
        settled.counted.conflicts += change.conflicts.len() as u64;
        for conflict in &change.conflicts {
            let held = conflict.winner == Winner::Hold;
            reached::note(if held { Situation::ConflictHeld } else { Situation::ConflictDecided });
            settled.writes.extend(self.hold(link, contact, conflict).map(|held| Write::Conflict(Box::new(held))));
        }
        let write = ContactWrite { contact: contact.clone(), expected: Some(expected), change };
        settled.writes.push(Write::Contact(Box::new(write)));
    }

    /// Whether the remote could hold the difference between two cards.
    fn differs_remotely(&self, base: &Card, card: &Card, wire: &serde_json::Value) -> bool {
        if base == card {
            return false;
        }
        let codec: &dyn Codec = self.deps.remote.codec();
        let tag = codec.tag(wire).unwrap_or_else(identity::no_tag);
        codec.recompose(wire, base, card, None, &tag).is_some()
    }

    /// Notes when each changed field changed: when the remote says the record did, else now.
    pub(crate) fn touch(&self, contact: &mut Contact, link: &Link, before: &Card, after: &Card) {
        let ahead = self.deps.remote.clock_ahead_ms().unwrap_or(self.state.clock_ahead_ms);
        let at = link.remote_time.map_or(self.now(), |time| {
            let own = time.as_micros().saturating_sub(ahead.saturating_mul(1000));
            Timestamp::from_micros(own).min(self.now())
        });
        for field in diff::changed_fields(before, after) {
            contact.touched.insert(field, at);
        }
    }

    fn delete_contact(&self, mut link: Link, mut contact: Contact) -> Settled {
        let expected = contact.version.clone();
        contact.version.tick(&self.order.promise.replica);
        contact.deleted = Some(self.now());
        contact.updated = self.now();
        let change = self.change(contact.id, Action::Deleted, &contact.card, &contact.card);
        link.state =
            if matches!(link.seen, Some(Sighting::Present { .. })) { LinkState::Dormant } else { LinkState::Gone };
        self.look_away(&mut link);
        link.acked = contact.version.clone();
        link.settled = contact.version.clone();
        Settled {
            writes: vec![
                Write::Contact(Box::new(ContactWrite { contact, expected: Some(expected), change })),
                Write::Link(Box::new(link)),
            ],
            operations: Vec::new(),
            counted: Counted { deleted: 1, ..Counted::default() },
        }
    }

    fn bring_back_unlinked(&self, link: Link, mut contact: Contact) -> Settled {
        let expected = contact.version.clone();
        contact.version.tick(&self.order.promise.replica);
        contact.deleted = None;
        contact.updated = self.now();
        let change = self.change(contact.id, Action::Restored, &contact.card, &contact.card);
        let mut settled = self.unlink(link, contact.clone(), None);
        settled.writes.push(Write::Contact(Box::new(ContactWrite { contact, expected: Some(expected), change })));
        settled.counted.created += 1;
        settled
    }

    fn unlink(&self, mut link: Link, mut contact: Contact, label: Option<&'static str>) -> Settled {
        let mut settled = Settled::default();
        reached::note(Situation::Unlinked);
        if let Some(label) = label
            && !contact.card.labels.contains(label)
        {
            let expected = contact.version.clone();
            let before = contact.card.clone();
            contact.card.labels.insert(label.to_owned());
            contact.version.tick(&self.order.promise.replica);
            contact.updated = self.now();
            contact.touched.insert(Field::Labels, self.now());
            let change = self.change(contact.id, Action::Edited, &before, &contact.card);
            settled.counted.updated += 1;
            settled.writes.push(Write::Contact(Box::new(ContactWrite {
                contact: contact.clone(),
                expected: Some(expected),
                change,
            })));
        }
        link.state = LinkState::Dormant;
        link.wanted.clear();
        if matches!(link.seen, Some(Sighting::Gone { .. })) {
            // There is no record any more that could be in any state.
            link.etag = None;
        }
        self.look_away(&mut link);
        link.settled = contact.version;
        settled.writes.push(Write::Link(Box::new(link)));
        settled
    }

    /// Forgets what was seen of a record that is not kept equal, but for its groups: they tell when it comes back. One that
    /// is gone is in none.
    fn look_away(&self, link: &mut Link) {
        let (seen, Some(base)) = (link.seen.take(), &mut link.base) else { return };
        let codec = self.deps.remote.codec();
        let groups = match seen {
            Some(Sighting::Present { wire, .. }) => codec.read(&wire, base.store.kind()).groups,
            Some(Sighting::Gone { .. }) => BTreeSet::new(),
            Some(Sighting::Suspect { .. }) | None => return,
        };
        base.remote = codec.with_groups(&base.remote, &groups);
    }

    fn recreate(&self, mut link: Link) -> Settled {
        let mut settled = Settled::default();
        settled.writes.extend(self.renew(&mut link));
        settled.writes.push(Write::Link(Box::new(link)));
        settled
    }

    /// Starts a new life of the link: the record is gone and has to be created again. Returns the write that remembers
    /// whose the record was, should somebody bring it back.
    pub(crate) fn renew(&self, link: &mut Link) -> Option<Write> {
        let former = link.remote.take();
        let (account, id) = (link.account.clone(), link.id);
        link.incarnation += 1;
        if let Some(contact) = link.contact {
            link.token = identity::token(&self.identity, &link.account, &Subject::Contact(contact), link.incarnation);
        }
        link.state = LinkState::Need;
        link.wanted.clear();
        link.leaving.clear();
        if let (Some(remote), Some(base)) = (former.clone(), link.base.take()) {
            // The time of one that was found gone is that of the finding, and it may have come back right before.
            let deleted_at = link.remote_time.filter(|_| link.own_delete);
            link.former = Some(Former { link: link.id, remote, base, photo: link.photo.clone(), deleted_at });
        }
        link.seen = None;
        link.etag = None;
        link.remote_time = None;
        // A new record has no photo; that of the contact goes there.
        *link.photo = crate::domain::link::PhotoTrail::default();
        link.own_delete = false;
        link.acked = VersionVector::new();
        link.settled = VersionVector::new();
        link.changed_at = self.now();
        former.map(|remote| Write::Alias { account, remote, link: id })
    }
}

fn only(link: Link) -> Settled {
    Settled { writes: vec![Write::Link(Box::new(link))], ..Settled::default() }
}

/// The remote has seen its own newest event, but not what the store still has to tell it.
pub(crate) fn acknowledged(acked: &VersionVector, contact: &Contact, replica: &ReplicaId) -> VersionVector {
    acked.join(&std::iter::once((replica.clone(), contact.version.get(replica))).collect())
}
