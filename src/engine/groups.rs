//! Step 1: the group of every pair.
//!
//! A group is found by name once and followed by its id from then on, so a rename at the remote changes nothing. A
//! missing group is created when the configuration allows it; that somebody created it meanwhile is no error, the
//! remote says so and the group is taken. A group that was deleted at the remote is not created again: the pair and its
//! contacts wait for a person, because nobody knows whether the deletion was meant for the contacts too. A new group of
//! that name is an answer.

use std::collections::BTreeMap;

use super::{Doing, EngineError, Purpose, Run};
use crate::domain::account::PairGroup;
use crate::domain::id::GroupId;
use crate::domain::normal;
use crate::domain::pair::{Direction, InStore, MissingGroup};
use crate::remotes::{Group, GroupOwnership, Presence, RemoteError};
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
        let mut seen = self.listed_groups().await?;
        let is_known = |name: &String| self.state.pair_groups.iter().any(|known| known.configured == *name);
        if !configured.iter().all(is_known) {
            self.confirm_user().await?;
        }
        self.ask_for_absent(&mut seen).await?;
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

    /// All groups that the remote lists. Everything is listed each time: it is one call as well, and a group's count of
    /// members is told whether or not the group itself changed.
    pub(crate) async fn listed_groups(&self) -> Result<BTreeMap<GroupId, Group>, EngineError> {
        let mut groups = BTreeMap::new();
        let mut next = None;
        loop {
            let page = self.deps.remote.list_groups(next.as_deref()).await.doing("listing groups")?;
            groups.extend(page.groups.into_iter().map(|group| (group.id.clone(), group)));
            next = page.next_page;
            if next.is_none() {
                return Ok(groups);
            }
        }
    }

    /// Asks directly for the pairs' groups that the listing lacks: a listing can be short.
    async fn ask_for_absent(&mut self, seen: &mut BTreeMap<GroupId, Group>) -> Result<(), EngineError> {
        let is_absent = |known: &&PairGroup| !known.deleted && !seen.contains_key(&known.group);
        let absent: Vec<GroupId> =
            self.state.pair_groups.iter().filter(is_absent).map(|known| known.group.clone()).collect();
        if absent.is_empty() {
            return Ok(());
        }
        // What another user's account lacks would look deleted.
        self.confirm_user().await?;
        for id in absent {
            match self.deps.remote.group(&id).await {
                Ok(group) => _ = seen.insert(id, group),
                Err(RemoteError::Missing { .. }) => {
                    let gone = self.state.pair_groups.iter_mut().filter(|known| known.group == id);
                    gone.for_each(|known| known.deleted = true);
                }
                Err(cause) => return Err(EngineError::Remote { doing: "reading a group", cause }),
            }
        }
        Ok(())
    }

    /// Brings what is known of the pairs' groups up to date.
    fn follow(&mut self, seen: &BTreeMap<GroupId, Group>) {
        for known in &mut self.state.pair_groups {
            let Some(group) = seen.get(&known.group) else { continue };
            let was_lost = std::mem::replace(&mut known.deleted, group.presence == Presence::Deleted);
            if !known.deleted {
                // Whatever was decided without it is decided again, and its members are looked at one by one.
                if was_lost {
                    known.outsiders = None;
                    self.state.feed_position = 0;
                    self.state.settings = None;
                }
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
                let seen = self.listed_groups().await?;
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
        outsiders: None,
        odd_since: None,
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
