//! One emulated Google account: its people, its groups, and the two change logs behind the sync tokens.
//!
//! Every change of a contact goes through `Account::write`, which keeps the indexes (who is in which group, how many
//! are connections, what lies in the trash) and the change log in step. Nothing here knows HTTP or JSON requests.

mod groups;

pub use groups::MemberFate;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::domain::time::Timestamp;
use crate::emulator::changes::ChangeLog;
use crate::emulator::contact::{Contact, ContactKey, Life};
use crate::emulator::failure::{Code, Failure};
use crate::emulator::group::{self, Group};
use crate::emulator::history::{Channel, History, Visibility};
use crate::emulator::listing::Listings;
use crate::emulator::mask::Field;
use crate::emulator::settings::Feed;
use crate::emulator::world::World;

/// How long the trash keeps a contact.
pub const TRASH_TIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a new contact starts with.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its shaped items.
    pub fields: BTreeMap<Field, Arc<Vec<serde_json::Value>>>,
    /// Its groups.
    pub memberships: BTreeSet<String>,
}

/// The account.
#[derive(Debug)]
pub struct Account {
    email: String,
    number: u64,
    people: BTreeMap<ContactKey, History<Contact>>,
    groups: BTreeMap<String, History<Group>>,
    group_order: Vec<String>,
    group_names: BTreeMap<String, String>,
    members: BTreeMap<String, BTreeSet<ContactKey>>,
    connections: usize,
    trash: BTreeSet<(Timestamp, ContactKey)>,
    live: usize,
    /// What changed among the people.
    pub people_log: ChangeLog<ContactKey>,
    /// What changed among the groups.
    pub groups_log: ChangeLog<String>,
    /// The listings whose pages are being fetched.
    pub listings: Listings,
    /// Sync tokens of an earlier generation are expired, whatever their age.
    pub sync_generation: u64,
    /// Every photo ever uploaded, by the name in its address.
    pub photos: BTreeMap<String, Bytes>,
}

impl Account {
    /// An account without contacts. `number` is its numeric id.
    pub fn new(email: &str, number: u64, now: Timestamp) -> Self {
        let visible = Visibility { get: now, list: now, delta: now };
        let system = group::SYSTEM.map(|(id, formatted, _)| (id.to_owned(), Group::system(id, formatted)));
        Account {
            email: email.to_owned(),
            number,
            people: BTreeMap::new(),
            group_order: system.iter().map(|(id, _)| id.clone()).collect(),
            groups: system.into_iter().map(|(id, group)| (id, History::begin(group, visible))).collect(),
            group_names: group::SYSTEM
                .iter()
                .flat_map(|(id, formatted, _)| [(group::comparable(id), *id), (group::comparable(formatted), *id)])
                .map(|(name, id)| (name, id.to_owned()))
                .collect(),
            members: BTreeMap::new(),
            connections: 0,
            trash: BTreeSet::new(),
            live: 0,
            people_log: ChangeLog::default(),
            groups_log: ChangeLog::default(),
            listings: Listings::default(),
            sync_generation: 0,
            photos: BTreeMap::new(),
        }
    }

    /// The address.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The numeric id: `sub` of the identity token, `people/<number>` of the user itself.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many contacts `connections.list` shows in all.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// All contacts in the order of their keys, in their latest state, those in the trash and former names included.
    pub fn contacts(&self) -> impl Iterator<Item = (ContactKey, &Arc<Contact>)> {
        self.people.iter().map(|(key, history)| (*key, history.latest()))
    }

    /// The latest state of a contact; `None` for one never seen.
    pub fn contact(&self, key: ContactKey) -> Option<&Arc<Contact>> {
        self.people.get(&key).map(History::latest)
    }

    /// The latest state of a live contact.
    ///
    /// # Errors
    /// Not found.
    pub fn live_contact(&self, key: ContactKey) -> Result<&Arc<Contact>, Failure> {
        self.contact(key).filter(|contact| contact.life == Life::Live).ok_or_else(Failure::not_found)
    }

    /// What a reader on `channel` sees of a contact.
    pub fn seen(&self, key: ContactKey, channel: Channel, now: Timestamp) -> Option<&Arc<Contact>> {
        self.people.get(&key)?.view(channel, now)
    }

    /// The keys a full listing shows at `now`, with what orders them.
    pub fn listed(&self, now: Timestamp) -> impl Iterator<Item = (ContactKey, &Arc<Contact>)> {
        self.people.iter().filter_map(move |(key, history)| {
            let contact = history.view(Channel::List, now)?;
            contact.is_connection().then_some((*key, contact))
        })
    }

    /// Makes sure that `count` more contacts fit; the trash counts until its contacts are purged.
    ///
    /// # Errors
    /// The text that clients know the overflow by.
    pub fn check_room(&self, count: usize, world: &World<'_>) -> Result<(), Failure> {
        let purged_until = world.now.minus(TRASH_TIME);
        let purged = self.trash.range(..(purged_until, ContactKey::MAX)).count();
        if self.live + self.trash.len() - purged + count <= world.settings.contacts_max {
            return Ok(());
        }
        let text = "Request contains an invalid argument: MY_CONTACTS_OVERFLOW_COUNT.";
        Err(Failure::new(Code::InvalidArgument, text))
    }

    /// Adds a contact and answers its key. The room is checked by the caller, for a whole batch at once.
    pub fn create(&mut self, draft: Draft, world: &World<'_>) -> ContactKey {
        let key = self.free_key(world);
        let contact = Contact {
            fields: draft.fields,
            memberships: draft.memberships,
            photo: None,
            profile: None,
            previous: Vec::new(),
            etag: String::new(),
            update_time: Timestamp::EPOCH,
            life: Life::Live,
        };
        self.write(key, contact, Feed::Shown, world);
        key
    }

    fn free_key(&self, world: &World<'_>) -> ContactKey {
        loop {
            // Recorded ids use the lower 63 bits; the upper ones are set so that all have 16 hexadecimal digits.
            let key = (world.dice.bits() >> 1) | 0x1000_0000_0000_0000;
            if !self.people.contains_key(&key) {
                return key;
            }
        }
    }

    /// Changes a contact in place: new etag, later update time, an entry in the log unless `feed` hides it.
    ///
    /// # Errors
    /// Not found, when the contact is unknown.
    pub fn change(
        &mut self,
        key: ContactKey,
        feed: Feed,
        world: &World<'_>,
        edit: impl FnOnce(&mut Contact),
    ) -> Result<(), Failure> {
        let mut contact = Contact::clone(self.contact(key).ok_or_else(Failure::not_found)?);
        edit(&mut contact);
        self.write(key, contact, feed, world);
        Ok(())
    }

    /// Moves a contact to the trash.
    ///
    /// # Errors
    /// Not found, when it is not live.
    pub fn delete(&mut self, key: ContactKey, world: &World<'_>) -> Result<(), Failure> {
        self.live_contact(key)?;
        self.change(key, Feed::Shown, world, |contact| contact.life = Life::Trashed(world.now))
    }

    /// Gives a live contact a new resource name and answers its key. `follows` tells whether reads of the old name find
    /// the contact; `feed` whether the old name comes as a tombstone in the delta.
    ///
    /// # Errors
    /// Not found, when it is not live.
    pub fn rename(
        &mut self,
        key: ContactKey,
        follows: bool,
        feed: Feed,
        world: &World<'_>,
    ) -> Result<ContactKey, Failure> {
        let mut contact = Contact::clone(self.live_contact(key)?);
        let to = self.free_key(world);
        self.change(key, feed, world, |old| old.life = Life::Renamed { to, follows })?;
        contact.previous.push(key);
        self.write(to, contact, Feed::Shown, world);
        Ok(to)
    }

    fn write(&mut self, key: ContactKey, mut contact: Contact, feed: Feed, world: &World<'_>) {
        let before = self.people.get(&key).map(|history| Arc::clone(history.latest()));
        contact.update_time = world.update_time(contact.update_time);
        contact.etag = world.dice.etag();
        self.index(key, before.as_deref(), &contact);
        let visible = world.visibility();
        if feed == Feed::Shown {
            self.people_log.record(key, visible.delta);
        }
        match self.people.get_mut(&key) {
            Some(history) => history.push(contact, visible, world.now),
            None => {
                self.people.insert(key, History::begin(contact, visible));
            }
        }
    }

    fn index(&mut self, key: ContactKey, before: Option<&Contact>, after: &Contact) {
        let groups_of = |contact: Option<&Contact>| {
            contact
                .filter(|contact| contact.life == Life::Live)
                .map(|contact| contact.memberships.clone())
                .unwrap_or_default()
        };
        let (old, new) = (groups_of(before), groups_of(Some(after)));
        for group in old.difference(&new) {
            if let Some(members) = self.members.get_mut(group) {
                members.remove(&key);
            }
        }
        for group in new.difference(&old) {
            self.members.entry(group.clone()).or_default().insert(key);
        }
        let is = |contact: Option<&Contact>, life: fn(&Contact) -> bool| usize::from(contact.is_some_and(life));
        self.connections += is(Some(after), Contact::is_connection);
        self.connections -= is(before, Contact::is_connection);
        let is_live = |contact: &Contact| contact.life == Life::Live;
        self.live += is(Some(after), is_live);
        self.live -= is(before, is_live);
        if let Some(Life::Trashed(since)) = before.map(|contact| contact.life) {
            self.trash.remove(&(since, key));
        }
        if let Life::Trashed(since) = after.life {
            self.trash.insert((since, key));
        }
    }
}
