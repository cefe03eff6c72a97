//! Changing groups. A change of members is a set operation: it needs no etag and may be repeated, so it needs no intent.
//! But it is noted before which groups records are taken out of: a run that is cut off must not leave it looking as if
//! somebody had taken them out in Google.
//!
//! It does not tell the new revision of the record either. So a record that was moved is read once more: what the change
//! stream shows of it later is then ordered by its time, and a state from before the move is not taken for somebody who
//! moved it back.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::contact::Contact;
use crate::domain::harm::Harm;
use crate::domain::id::{GroupId, LinkId, RemoteId};
use crate::domain::link::{Link, LinkState, Sighting, Suspicion};
use crate::engine::held::{Held, carried};
use crate::engine::push::{News, Push, Regroup};
use crate::engine::{Doing, EngineError, Run};
use crate::store::Write;

/// A record about to change groups.
struct Move {
    link: Link,
    contact: Contact,
    remote: RemoteId,
    regroup: Regroup,
}

impl Run<'_> {
    /// Lets records join and leave groups, group by group.
    pub(super) async fn change_groups(
        &mut self,
        changes: &[(LinkId, Regroup)],
        held: &Held,
    ) -> Result<News, EngineError> {
        let ids: Vec<LinkId> = changes.iter().map(|(id, _)| *id).collect();
        let mut moves = Vec::new();
        for (link, contact) in self.load(&ids).await? {
            let (Some(contact), Some(remote)) = (contact, link.remote.clone()) else { continue };
            if let Push::Regroup(regroup) = self.replan_link(&link, Some(&contact), held) {
                moves.push(Move { link, contact, remote, regroup });
            }
        }
        self.carry_moves(moves, held).await
    }

    /// Moves the records of deleted contacts out of the pairs' groups into a group of their own.
    pub(super) async fn move_to_trash(&mut self, ids: &[LinkId], held: &Held) -> Result<News, EngineError> {
        if ids.is_empty() {
            return Ok(News::None);
        }
        let trash = self.trash_group().await?;
        let pairs: BTreeSet<GroupId> = self.pair_groups().live().cloned().collect();
        let mut moves = Vec::new();
        for (link, contact) in self.load(ids).await? {
            let (Some(contact), Some(remote)) = (contact, link.remote.clone()) else { continue };
            if self.replan_link(&link, Some(&contact), held) != Push::Trash {
                continue;
            }
            let leave = self.groups_of(&link).intersection(&pairs).cloned().collect();
            let regroup = Regroup { join: BTreeSet::from([trash.clone()]), leave };
            moves.push(Move { link, contact, remote, regroup });
        }
        self.carry_moves(moves, held).await
    }

    async fn carry_moves(&mut self, moves: Vec<Move>, held: &Held) -> Result<News, EngineError> {
        let mut by_group: BTreeMap<&GroupId, (Vec<RemoteId>, Vec<RemoteId>)> = BTreeMap::new();
        for one in &moves {
            for group in &one.regroup.join {
                by_group.entry(group).or_default().0.push(one.remote.clone());
            }
            for group in &one.regroup.leave {
                by_group.entry(group).or_default().1.push(one.remote.clone());
            }
        }
        self.announce_moves(&moves).await?;
        // Cut off half way, a record is rather in too many groups than in none.
        let mut by_group: Vec<_> = by_group.into_iter().collect();
        by_group.sort_by_key(|(_, (join, _))| join.is_empty());
        let mut missing = BTreeSet::new();
        for (group, (join, leave)) in by_group {
            missing.extend(self.change_members(group, &join, &leave).await?);
        }
        let (gone, moved): (Vec<Move>, Vec<Move>) = moves.into_iter().partition(|one| missing.contains(&one.remote));
        for chunk in moved.chunks(200) {
            self.record_groups(chunk, held).await?;
        }
        let gone: Vec<LinkId> = gone.into_iter().map(|one| one.link.id).collect();
        self.suspect(&gone).await?;
        Ok(if moved.is_empty() && gone.is_empty() { News::None } else { News::Some })
    }

    /// Notes which groups records are about to leave. Until it is recorded that they did, nothing is known about them.
    async fn announce_moves(&mut self, moves: &[Move]) -> Result<(), EngineError> {
        let leaving: Vec<&Move> = moves.iter().filter(|one| !one.regroup.leave.is_empty()).collect();
        for chunk in leaving.chunks(200) {
            let announced = chunk.iter().map(|one| {
                let mut link = one.link.clone();
                link.leaving.clone_from(&one.regroup.leave);
                link.changed_at = self.now();
                link.etag = None;
                link.seen = Some(Sighting::Suspect { cause: Suspicion::Absence, at: self.now() });
                Write::Link(Box::new(link))
            });
            self.commit(announced.collect(), "announcing a change of groups").await?;
        }
        Ok(())
    }

    /// Calls the remote as often as its limit asks for. Returns the records it did not find.
    async fn change_members(
        &mut self,
        group: &GroupId,
        join: &[RemoteId],
        leave: &[RemoteId],
    ) -> Result<BTreeSet<RemoteId>, EngineError> {
        let most = self.deps.remote.limits().members.max(1);
        let mut missing = BTreeSet::new();
        let (mut join, mut leave) = (join, leave);
        while !join.is_empty() || !leave.is_empty() {
            self.check_stop()?;
            let (joining, rest) = join.split_at(join.len().min(most));
            join = rest;
            let (leaving, rest) = leave.split_at(leave.len().min(most - joining.len()));
            leave = rest;
            let changed = self.deps.remote.change_members(group, joining, leaving).await.doing("changing groups")?;
            missing.extend(changed.missing);
        }
        Ok(missing)
    }

    /// Records what was planned, not what the contacts are by now.
    async fn record_groups(&mut self, moved: &[Move], held: &Held) -> Result<(), EngineError> {
        let mut writes = Vec::new();
        for Move { link, contact, regroup, .. } in moved {
            if !regroup.leave.is_empty() {
                writes.extend(self.harm_at_remote(link, Harm::LeftGroups));
            }
            let groups = self.groups_after(link, regroup);
            writes.extend(self.trace_groups(link, &contact.card, &self.groups_of(link), &groups));
            let mut link = link.clone();
            if let Some(base) = &mut link.base {
                let codec = self.deps.remote.codec();
                base.remote = codec.with_groups(&base.remote, &groups);
                // Labels and owner are what selects a contact; the record itself says no more than before. What was
                // edited last on one that goes to the trash was never sent: it is due when the contact is restored.
                let said = if contact.is_live() { carried(contact, &base.store, held) } else { base.store.clone() };
                let agreed = self.agreed_after(base, &said);
                base.agreed = agreed.map(|agreed| {
                    let mut groups = codec.read(&agreed, base.store.kind()).groups;
                    groups.extend(regroup.join.iter().cloned());
                    groups.retain(|group| !regroup.leave.contains(group));
                    codec.with_groups(&agreed, &groups)
                });
                base.store = said;
                if contact.is_live() {
                    link.acked = contact.version.clone();
                }
            }
            if !contact.is_live() || !self.belongs(&contact.card, &groups) {
                link.state = LinkState::Unselected;
            }
            link.wanted = if contact.is_live() { self.groups_wanted(&contact.card) } else { BTreeSet::new() };
            link.changed_at = self.now();
            link.settled = contact.version.clone();
            link.parked = None;
            // The revision is another one by now, and nobody knows which; see `contradicts_own_move`.
            link.etag = None;
            link.seen = Some(Sighting::Suspect { cause: Suspicion::Absence, at: self.now() });
            writes.push(Write::Link(Box::new(link)));
            match contact.is_live() {
                true => self.summary.pushed.updated += 1,
                false => self.summary.pushed.deleted += 1,
            }
        }
        self.commit(writes, "recording changed groups").await
    }
}
