//! Step 1: the group of every pair.
//!
//! A group is found by name once and followed by its id from then on, so a rename at the remote changes nothing. A
//! missing group is created when the configuration allows it; that somebody created it meanwhile is no error, the
//! remote says so and the group is taken. A group that was deleted at the remote is not created again: the pair and its
//! contacts wait for a person, because nobody knows whether the deletion was meant for the contacts too. A new group of
//! that name is an answer.

use std::collections::BTreeMap;

use super::{Doing, EngineError, Purpose, Run};
use crate::domain::account::{Cursor, PairGroup};
use crate::domain::id::GroupId;
use crate::domain::normal;
use crate::domain::pair::{Direction, InStore, MissingGroup};
use crate::remotes::{Group, GroupOwnership, PageRequest, Presence, RemoteError, usable_cursor};
use crate::store::Write;

/// The name of the group that deleted contacts are moved to under the policy `trash-group`. It is remembered beside the
/// pairs' groups, under this name.
const TRASH_GROUP: &str = "Deleted by contactsync";

impl Run<'_> {
    /// Reads the stream of groups and finds, or creates, the group of every pair.
    pub(crate) async fn observe_groups(&mut self) -> Result<(), EngineError> {
        let before = self.state.pair_groups.clone();
        let configured: Vec<String> = self.order.promise.pairs.iter().map(|pair| pair.group.clone()).collect();
        let has_trash = self.order.promise.delete.in_store == InStore::TrashGroup;
        self.state
            .pair_groups
            .retain(|known| configured.contains(&known.configured) || (has_trash && known.configured == TRASH_GROUP));
        let all_known = configured.iter().all(|name| self.state.pair_groups.iter().any(|g| g.configured == *name));
        let seen = if all_known { self.changed_groups().await? } else { self.all_groups().await? };
        self.follow(&seen);
        self.take_up_lost(&seen);
        for name in &configured {
            if self.state.pair_groups.iter().any(|known| known.configured == *name) {
                continue;
            }
            let group = self.find_or_create(name, &seen).await?;
            self.state.pair_groups.push(pair_group(name, &group));
        }
        self.report_groups();
        if before != self.state.pair_groups && self.order.purpose == Purpose::Carry {
            let state = Write::Account(Box::new(self.state.clone()));
            self.commit(vec![state], "recording the groups of the pairs").await?;
        }
        Ok(())
    }

    /// The groups that changed since the last run, or all of them when the token is of no use.
    async fn changed_groups(&mut self) -> Result<BTreeMap<GroupId, Group>, EngineError> {
        let template = self.deps.remote.groups_template();
        let Some(cursor) = usable_cursor(self.state.groups.as_ref(), &template).cloned() else {
            return self.all_groups().await;
        };
        match self.read_groups(Some(&cursor)).await {
            Err(EngineError::Remote { cause: RemoteError::TokenExpired, .. }) => self.all_groups().await,
            other => other,
        }
    }

    pub(crate) async fn all_groups(&mut self) -> Result<BTreeMap<GroupId, Group>, EngineError> {
        self.confirm_user().await?;
        let groups = self.read_groups(None).await?;
        // What a complete listing lacks is gone; groups have no propagation window worth waiting for, and a pair whose
        // group seems gone only waits for a person.
        for known in &mut self.state.pair_groups {
            known.deleted = known.deleted || !groups.contains_key(&known.group);
        }
        Ok(groups)
    }

    async fn read_groups(&mut self, since: Option<&Cursor>) -> Result<BTreeMap<GroupId, Group>, EngineError> {
        let begun = self.now();
        let mut groups = BTreeMap::new();
        let mut request = PageRequest { since: since.map(|cursor| cursor.token.clone()), page: None };
        loop {
            let page = self.deps.remote.list_groups(&request).await.doing("listing groups")?;
            groups.extend(page.groups.into_iter().map(|group| (group.id.clone(), group)));
            if page.next_page.is_some() {
                request.page = page.next_page;
                continue;
            }
            self.state.groups = page.next_token.map(|token| Cursor {
                token,
                template: self.deps.remote.groups_template(),
                lineage: since.map_or(begun, |cursor| cursor.lineage),
                short: 0,
            });
            return Ok(groups);
        }
    }

    /// Brings what is known of the pairs' groups up to date.
    fn follow(&mut self, seen: &BTreeMap<GroupId, Group>) {
        for known in &mut self.state.pair_groups {
            let Some(group) = seen.get(&known.group) else { continue };
            known.deleted = group.presence == Presence::Deleted;
            if !known.deleted {
                known.name.clone_from(&group.name);
                known.etag.clone_from(&group.etag);
                known.members = group.members;
            }
        }
    }

    /// A person answers for a lost group by making one of its name again: the pair goes on with that one, and every
    /// contact is looked at anew.
    fn take_up_lost(&mut self, seen: &BTreeMap<GroupId, Group>) {
        let lost = self.state.pair_groups.iter().filter(|known| known.deleted);
        let found: Vec<PairGroup> = lost
            .filter_map(|known| Some(pair_group(&known.configured, &self.by_name(&known.configured, seen.values())?)))
            .collect();
        for group in found {
            self.state.pair_groups.retain(|known| known.configured != group.configured);
            self.state.pair_groups.push(group);
            self.state.feed_position = 0;
            self.state.settings = None;
        }
    }

    async fn find_or_create(&mut self, name: &str, seen: &BTreeMap<GroupId, Group>) -> Result<Group, EngineError> {
        if let Some(group) = self.by_name(name, seen.values()) {
            return Ok(group);
        }
        let missing = |why| EngineError::GroupMissing { group: name.to_owned(), why };
        if self.order.promise.direction == Direction::FromRemote {
            return Err(missing("nothing is written to an account that is only read"));
        }
        let pair = self.order.promise.pairs.iter().find(|pair| pair.group == name);
        if pair.is_some_and(|pair| pair.missing_group == MissingGroup::Report) {
            return Err(missing("create_group is false"));
        }
        if self.order.purpose == Purpose::Preview {
            self.notice(format!("group {name:?} would be created"));
            self.new_groups.insert(name.to_owned());
            return Ok(planned_group(name));
        }
        match self.deps.remote.create_group(name).await {
            Ok(group) => {
                self.notice(format!("group {name:?} was created"));
                Ok(group)
            }
            Err(RemoteError::Exists { .. } | RemoteError::Lost { .. }) => {
                let seen = self.all_groups().await?;
                self.by_name(name, seen.values()).ok_or_else(|| missing("creating it went unanswered"))
            }
            Err(cause) => Err(EngineError::Remote { doing: "creating a group", cause }),
        }
    }

    /// The group of deleted contacts, as far as there is one.
    pub(crate) fn known_trash(&self) -> Option<GroupId> {
        let known = self.state.pair_groups.iter().find(|known| known.configured == TRASH_GROUP && !known.deleted)?;
        Some(known.group.clone())
    }

    /// The group of deleted contacts, found or created.
    pub(crate) async fn trash_group(&mut self) -> Result<GroupId, EngineError> {
        if let Some(known) = self.known_trash() {
            return Ok(known);
        }
        let group = self.find_or_create(TRASH_GROUP, &BTreeMap::new()).await?;
        self.state.pair_groups.retain(|known| known.configured != TRASH_GROUP);
        self.state.pair_groups.push(pair_group(TRASH_GROUP, &group));
        let state = Write::Account(Box::new(self.state.clone()));
        self.commit(vec![state], "recording the group of deleted contacts").await?;
        Ok(group.id)
    }

    /// The group of this name; case and surrounding blanks do not matter, as they do not to the remote.
    fn by_name<'g>(&self, name: &str, mut groups: impl Iterator<Item = &'g Group>) -> Option<Group> {
        let wanted = normal::text(name).to_lowercase();
        let common = self.deps.remote.common_group();
        groups
            .find(|group| {
                group.presence == Presence::Present
                    && (normal::text(&group.name).to_lowercase() == wanted)
                    && (group.ownership == GroupOwnership::User || group.id == common)
            })
            .cloned()
    }

    fn report_groups(&mut self) {
        let common = self.deps.remote.common_group();
        let mut notices = Vec::new();
        for known in self.state.pair_groups.iter().filter(|known| known.configured != TRASH_GROUP) {
            if known.deleted {
                self.summary.parked += 1;
                notices.push(format!(
                    "group {:?} was deleted in Google; its pair waits: make a group {:?} there, or remove the pair",
                    known.name, known.configured
                ));
            } else if known.name != known.configured && known.group != common {
                notices.push(format!(
                    "group {:?} is called {:?} in Google now; it is followed",
                    known.configured, known.name
                ));
            }
        }
        for sentence in notices {
            self.notice(sentence);
        }
    }
}

fn pair_group(configured: &str, group: &Group) -> PairGroup {
    PairGroup {
        configured: configured.to_owned(),
        group: group.id.clone(),
        name: group.name.clone(),
        etag: group.etag.clone(),
        members: group.members,
        deleted: false,
    }
}

/// Stands for a group that a preview must not create.
fn planned_group(name: &str) -> Group {
    Group {
        id: GroupId::new(format!("planned:{name}")),
        name: name.to_owned(),
        etag: None,
        members: 0,
        ownership: GroupOwnership::User,
        presence: Presence::Present,
    }
}
