//! Changing groups. A change of members is a set operation: it needs no etag and may be repeated, so it needs no intent.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::{GroupId, LinkId, RemoteId};
use crate::domain::link::LinkState;
use crate::engine::push::{Regroup, TRASH_GROUP};
use crate::engine::{Doing, EngineError, Run};
use crate::remotes::{PageRequest, Presence, RemoteError};
use crate::store::Write;

impl Run<'_> {
    /// Lets records join and leave groups, group by group.
    pub(super) async fn change_groups(&mut self, changes: &[(LinkId, Regroup)]) -> Result<(), EngineError> {
        if changes.is_empty() {
            return Ok(());
        }
        let ids: Vec<LinkId> = changes.iter().map(|(id, _)| *id).collect();
        let remotes = self.remotes_of(&ids).await?;
        let mut by_group: BTreeMap<&GroupId, (Vec<RemoteId>, Vec<RemoteId>)> = BTreeMap::new();
        for (id, regroup) in changes {
            let Some(remote) = remotes.get(id) else { continue };
            for group in &regroup.join {
                by_group.entry(group).or_default().0.push(remote.clone());
            }
            for group in &regroup.leave {
                by_group.entry(group).or_default().1.push(remote.clone());
            }
        }
        let mut missing = BTreeSet::new();
        for (group, (join, leave)) in by_group {
            missing.extend(self.change_members(group, &join, &leave).await?);
        }
        let gone: Vec<LinkId> =
            ids.iter().filter(|id| remotes.get(id).is_some_and(|r| missing.contains(r))).copied().collect();
        let changed: Vec<&(LinkId, Regroup)> = changes.iter().filter(|(id, _)| !gone.contains(id)).collect();
        for chunk in changed.chunks(200) {
            self.record_groups(chunk).await?;
        }
        self.suspect(&gone).await
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

    async fn record_groups(&mut self, changed: &[&(LinkId, Regroup)]) -> Result<(), EngineError> {
        let ids: Vec<LinkId> = changed.iter().map(|(id, _)| *id).collect();
        let regroups: BTreeMap<LinkId, &Regroup> = changed.iter().map(|(id, regroup)| (*id, regroup)).collect();
        let mut writes = Vec::new();
        for (mut link, contact) in self.load(&ids).await? {
            let (Some(contact), Some(regroup)) = (contact, regroups.get(&link.id)) else { continue };
            let groups = self.groups_after(&link, regroup);
            let still_in = self.pair_groups().into_iter().flatten().any(|group| groups.contains(&group));
            if let Some(base) = &mut link.base {
                base.remote = self.deps.remote.codec().with_groups(&base.remote, &groups);
                // Labels and owner are what selects a contact; the record itself says no more than before.
                base.store = contact.card.clone();
            }
            link.state = if still_in { link.state } else { LinkState::Unselected };
            link.changed_at = self.now();
            link.acked = contact.version.clone();
            link.settled = contact.version;
            link.parked = None;
            writes.push(Write::Link(Box::new(link)));
            self.summary.pushed.updated += 1;
        }
        self.commit(writes, "recording changed groups").await
    }

    async fn remotes_of(&self, ids: &[LinkId]) -> Result<BTreeMap<LinkId, RemoteId>, EngineError> {
        let links = self.deps.store.links(ids).await.doing("reading links")?;
        Ok(links.into_iter().filter_map(|link| Some((link.id, link.remote?))).collect())
    }

    /// Moves the records of deleted contacts out of the pairs' groups into a group of their own.
    pub(super) async fn move_to_trash(&mut self, ids: &[LinkId]) -> Result<(), EngineError> {
        if ids.is_empty() {
            return Ok(());
        }
        let trash = self.trash_group().await?;
        let remotes: Vec<RemoteId> = self.remotes_of(ids).await?.into_values().collect();
        self.change_members(&trash, &remotes, &[]).await?;
        for group in self.pair_groups().into_iter().flatten() {
            self.change_members(&group, &[], &remotes).await?;
        }
        let mut writes = Vec::new();
        for (mut link, contact) in self.load(ids).await? {
            let Some(contact) = contact else { continue };
            link.state = LinkState::Dormant;
            link.settled = contact.version;
            link.parked = None;
            writes.push(Write::Link(Box::new(link)));
            self.summary.pushed.deleted += 1;
        }
        self.commit(writes, "recording contacts moved to the group of deleted ones").await
    }

    async fn trash_group(&mut self) -> Result<GroupId, EngineError> {
        match self.deps.remote.create_group(TRASH_GROUP).await {
            Ok(group) => return Ok(group.id),
            Err(RemoteError::Exists { .. }) => {}
            Err(cause) => return Err(EngineError::Remote { doing: "creating the group of deleted contacts", cause }),
        }
        let mut request = PageRequest { since: None, page: None };
        loop {
            let page = self.deps.remote.list_groups(&request).await.doing("listing groups")?;
            let found = page.groups.iter().find(|g| g.name == TRASH_GROUP && g.presence == Presence::Present);
            if let Some(group) = found {
                return Ok(group.id.clone());
            }
            request.page =
                Some(page.next_page.ok_or_else(|| EngineError::GroupMissing { group: TRASH_GROUP.to_owned() })?);
        }
    }
}
