//! The groups of an account: the system's own, the labels of the user, and who is in them.

use std::sync::Arc;
use std::time::Duration;

use super::Account;
use crate::domain::time::Timestamp;
use crate::emulator::contact::ContactKey;
use crate::emulator::failure::Failure;
use crate::emulator::group::{self, Group, GroupKind, MY_CONTACTS};
use crate::emulator::history::{Channel, History};
use crate::emulator::world::World;

impl Account {
    /// The latest state of a group that is there.
    ///
    /// # Errors
    /// Not found.
    pub fn group(&self, id: &str) -> Result<&Arc<Group>, Failure> {
        self.groups.get(id).map(History::latest).filter(|group| !group.is_deleted).ok_or_else(Failure::not_found)
    }

    /// What a reader on `channel` sees of a group, gone or not.
    pub fn seen_group(&self, id: &str, channel: Channel, now: Timestamp) -> Option<&Arc<Group>> {
        self.groups.get(id)?.view(channel, now)
    }

    /// The ids of all groups there ever were, in the order of their creation.
    pub fn group_ids(&self) -> &[String] {
        &self.group_order
    }

    /// How many labels the user has.
    pub fn labels(&self) -> usize {
        let is_label = |history: &&History<Group>| {
            let group = history.latest();
            group.kind == GroupKind::User && !group.is_deleted
        };
        self.groups.values().filter(is_label).count()
    }

    /// The live members of a group.
    pub fn members(&self, id: &str) -> impl Iterator<Item = ContactKey> {
        self.members.get(id).into_iter().flatten().copied()
    }

    /// How many live members a group has.
    pub fn member_count(&self, id: &str) -> usize {
        self.members.get(id).map_or(0, std::collections::BTreeSet::len)
    }

    /// The group that has this name, in the sense in which names are unique.
    pub fn group_named(&self, name: &str) -> Option<&str> {
        self.group_names.get(&group::comparable(name)).map(String::as_str)
    }

    /// Adds a label and answers its id. The caller has checked the name.
    pub fn create_group(&mut self, name: &str, client_data: Vec<(String, String)>, world: &World<'_>) -> String {
        let id = loop {
            let id = format!("{:016x}", world.dice.bits() | 0x1000_0000_0000_0000);
            if !self.groups.contains_key(&id) {
                break id;
            }
        };
        let group = Group { kind: GroupKind::User, client_data, ..Group::system(name, name) };
        self.group_order.push(id.clone());
        self.write_group(&id, group, world);
        id
    }

    /// Changes a label: new etag, later update time, an entry in the log.
    ///
    /// # Errors
    /// Not found, when it is not there.
    pub fn change_group(&mut self, id: &str, world: &World<'_>, edit: impl FnOnce(&mut Group)) -> Result<(), Failure> {
        let mut group = Group::clone(self.group(id)?);
        self.group_names.remove(&group::comparable(&group.name));
        edit(&mut group);
        self.write_group(id, group, world);
        Ok(())
    }

    /// Deletes a label. Its members lose it, or go to the trash with it.
    ///
    /// # Errors
    /// Not found, when it is not there.
    pub fn delete_group(&mut self, id: &str, fate: MemberFate, world: &World<'_>) -> Result<(), Failure> {
        self.change_group(id, world, |group| group.is_deleted = true)?;
        let members: Vec<ContactKey> = self.members(id).collect();
        for key in members {
            match fate {
                MemberFate::Trash => self.delete(key, world)?,
                MemberFate::Keep => self.change(key, world.settings.group_deletions, world, |contact| {
                    contact.memberships.remove(id);
                    // A contact always is in some group.
                    if contact.memberships.is_empty() {
                        contact.memberships.insert(MY_CONTACTS.to_owned());
                    }
                })?,
            }
        }
        Ok(())
    }

    fn write_group(&mut self, id: &str, mut group: Group, world: &World<'_>) {
        let earliest = group.update_time.map(|time| time.plus(Duration::from_micros(1)));
        group.update_time = Some(earliest.map_or(world.now, |earliest| earliest.max(world.now)));
        group.etag = Some(world.dice.etag());
        if !group.is_deleted {
            self.group_names.insert(group::comparable(&group.name), id.to_owned());
        }
        let visible = world.visibility();
        self.groups_log.record(id.to_owned(), visible.delta);
        match self.groups.get_mut(id) {
            Some(history) => history.push(group, visible, world.now),
            None => {
                self.groups.insert(id.to_owned(), History::begin(group, visible));
            }
        }
    }
}

/// What becomes of the members of a deleted group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberFate {
    /// They stay, without the label.
    Keep,
    /// They go to the trash.
    Trash,
}
