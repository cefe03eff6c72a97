//! What the user of an account does in the web UI, and what happens to an account behind everybody's back.
//!
//! Edits are shaped and spread like those of clients, but need no etag. Resource names and ids of groups may be given
//! with or without their collection. Answers are complete people and groups, as the API would show them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::account::{Account, MemberFate, TRASH_TIME};
use super::contact::{Contact, ContactKey, Life, Profile, parse_resource_name, resource_name};
use super::failure::Failure;
use super::google;
use super::group::{self, GroupMask};
use super::mask::{Field, Mask};
use super::oauth::Grants;
use super::person::{self, Place, View};
use super::schema;
use super::settings::Feed;
use super::shape;
use super::strict;
use super::world::World;

/// Why an action of the user did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no such account.
    #[error("no account {email}")]
    UnknownAccount {
        /// The address asked for.
        email: String,
    },
    /// There is no such contact or group, or not in the state the action needs.
    #[error("{name} is not there")]
    NotFound {
        /// What was asked for.
        name: String,
    },
    /// The service would not accept it.
    #[error("refused: {reason}")]
    Refused {
        /// Its reason.
        reason: String,
    },
}

impl From<Failure> for ControlError {
    fn from(failure: Failure) -> Self {
        if failure.http() == 404 {
            return ControlError::NotFound { name: failure.explanation() };
        }
        ControlError::Refused { reason: failure.explanation() }
    }
}

/// Under which name a contact comes back from the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnName {
    /// Its own.
    Same,
    /// A new one; the old one stays deleted.
    Fresh,
}

/// What a direct read of a former name finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormerName {
    /// Nothing.
    Gone,
    /// The contact under its present name.
    Leads,
}

/// Whether the survivor of a merge names the others among its previous names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeTrace {
    /// It does.
    PreviousNames,
    /// It does not: the others are mere tombstones.
    None,
}

/// The hands of the user of one account, at one moment.
#[derive(Debug)]
pub struct User<'a> {
    account: &'a mut Account,
    grants: &'a mut Grants,
    world: World<'a>,
}

impl<'a> User<'a> {
    pub(super) fn new(account: &'a mut Account, grants: &'a mut Grants, world: World<'a>) -> Self {
        User { account, grants, world }
    }

    /// All live contacts in their latest state, complete, sorted by resource name.
    pub fn people(&self) -> Vec<Value> {
        self.dump(|contact| contact.life == Life::Live)
    }

    /// The contacts in the trash, for the thirty days it keeps them.
    pub fn trash(&self) -> Vec<Value> {
        let is_kept = |since| self.world.now.since(since) < TRASH_TIME;
        self.dump(|contact| matches!(contact.life, Life::Trashed(since) if is_kept(since)))
    }

    fn dump(&self, shows: impl Fn(&Contact) -> bool) -> Vec<Value> {
        let shown = self.account.contacts().filter(|(_, contact)| shows(contact));
        let mut people: Vec<(String, Value)> = shown
            .map(|(key, contact)| (resource_name(key), person::render(key, contact, View::full(), Place::Alone)))
            .collect();
        people.sort_by(|left, right| left.0.cmp(&right.0));
        people.into_iter().map(|(_, person)| person).collect()
    }

    /// All groups that are there, complete, with their members.
    pub fn groups(&self) -> Vec<Value> {
        let ids = self.account.group_ids().iter();
        ids.filter_map(|id| self.show_group(id).ok()).collect()
    }

    fn show_group(&self, id: &str) -> Result<Value, ControlError> {
        let group = self.account.group(id)?;
        let mut value = group::render(id, group, GroupMask::ALL, self.account.member_count(id));
        if self.account.member_count(id) > 0 {
            value["memberResourceNames"] = self.account.members(id).map(resource_name).collect();
        }
        Ok(value)
    }

    /// One live contact, complete.
    ///
    /// # Errors
    /// Not there.
    pub fn person(&self, name: &str) -> Result<Value, ControlError> {
        self.show(live(self.account, name)?)
    }

    fn show(&self, key: ContactKey) -> Result<Value, ControlError> {
        let contact = self.account.live_contact(key)?;
        Ok(person::render(key, contact, View::full(), Place::Alone))
    }

    /// Creates a contact from a `Person`.
    ///
    /// # Errors
    /// Refused, as `createContact` would.
    pub fn create(&mut self, person: &Value) -> Result<Value, ControlError> {
        strict::check(person, &schema::PERSON, "person")?;
        let empty = Map::new();
        let draft = google::draft(self.account, person.as_object().unwrap_or(&empty), &self.world)?;
        self.account.check_room(1, &self.world)?;
        let key = self.account.create(draft, &self.world);
        self.show(key)
    }

    /// Edits a contact with a merge patch over its `Person`: named fields are replaced, `null` clears.
    ///
    /// # Errors
    /// Not there; or refused, as `updateContact` would for the content.
    pub fn edit(&mut self, name: &str, patch: &Value) -> Result<Value, ControlError> {
        let key = live(self.account, name)?;
        strict::check(patch, &schema::PERSON, "person")?;
        let empty = Map::new();
        let patch = patch.as_object().unwrap_or(&empty);
        let fields = patch.keys().filter_map(|name| Field::named(name)).filter(|field| field.is_updatable());
        let mask = fields.fold(Mask::none(), Mask::with);
        let contact = self.account.live_contact(key)?;
        let updated = google::for_update(self.account, contact, patch, mask, &self.world)?;
        self.account.change(key, Feed::Shown, &self.world, |contact| *contact = updated)?;
        self.show(key)
    }

    /// Moves a contact to the trash.
    ///
    /// # Errors
    /// Not there.
    pub fn delete(&mut self, name: &str) -> Result<(), ControlError> {
        let key = live(self.account, name)?;
        Ok(self.account.delete(key, &self.world)?)
    }

    /// Takes a contact out of the trash.
    ///
    /// # Errors
    /// Not in the trash.
    pub fn restore(&mut self, name: &str, as_name: ReturnName) -> Result<Value, ControlError> {
        let key = key(name)?;
        let is_kept = |since| self.world.now.since(since) < TRASH_TIME;
        let in_trash = |contact: &&Arc<Contact>| matches!(contact.life, Life::Trashed(since) if is_kept(since));
        let contact = self.account.contact(key).filter(in_trash);
        let contact = contact.ok_or_else(|| ControlError::NotFound { name: name.to_owned() })?;
        let mut memberships: BTreeSet<String> =
            contact.memberships.iter().filter(|id| self.account.group(id).is_ok()).cloned().collect();
        if memberships.is_empty() {
            memberships.insert(group::MY_CONTACTS.to_owned());
        }
        match as_name {
            ReturnName::Same => {
                self.account.change(key, Feed::Shown, &self.world, |contact| {
                    contact.life = Life::Live;
                    contact.memberships = memberships;
                })?;
                self.show(key)
            }
            ReturnName::Fresh => {
                let draft = super::account::Draft { fields: contact.fields.clone(), memberships };
                let fresh = self.account.create(draft, &self.world);
                self.account.change(key, Feed::Hidden, &self.world, |old| {
                    old.life = Life::Renamed { to: fresh, follows: false };
                })?;
                self.show(fresh)
            }
        }
    }

    /// Merges contacts: the survivor gets every item of the others that it lacks, the others go.
    ///
    /// Of singletons the survivor keeps its own. Data of clients is kept from all.
    ///
    /// # Errors
    /// One of them is not there, or the result would be too large.
    pub fn merge(&mut self, survivor: &str, others: &[&str], trace: MergeTrace) -> Result<Value, ControlError> {
        let key = live(self.account, survivor)?;
        let keys = others.iter().map(|name| live(self.account, name)).collect::<Result<Vec<_>, _>>()?;
        if keys.contains(&key) {
            return Err(ControlError::Refused { reason: "a contact cannot be merged with itself".to_owned() });
        }
        let mut merged = Contact::clone(self.account.live_contact(key)?);
        for other in &keys {
            absorb(&mut merged, self.account.live_contact(*other)?);
            if trace == MergeTrace::PreviousNames {
                merged.previous.push(*other);
            }
        }
        google::check_size(&merged.fields)?;
        for other in keys {
            self.account.delete(other, &self.world)?;
        }
        self.account.change(key, Feed::Shown, &self.world, |contact| *contact = merged)?;
        self.show(key)
    }

    /// Gives a contact a new resource name, as linking it to a profile can do. `tombstone` tells whether the old name
    /// comes as a deletion in the same delta.
    ///
    /// # Errors
    /// Not there.
    pub fn rename(&mut self, name: &str, former: FormerName, tombstone: Feed) -> Result<Value, ControlError> {
        let key = live(self.account, name)?;
        let to = self.account.rename(key, former == FormerName::Leads, tombstone, &self.world)?;
        self.show(to)
    }

    /// Gives a contact a new etag without any visible change, as the service itself does now and then.
    ///
    /// # Errors
    /// Not there.
    pub fn bump_etag(&mut self, name: &str) -> Result<Value, ControlError> {
        let key = live(self.account, name)?;
        self.account.change(key, Feed::Shown, &self.world, |_| {})?;
        self.show(key)
    }

    /// Links a contact to a profile with these fields, written like those of a `Person`; without fields, unlinks it.
    ///
    /// # Errors
    /// Not there, or refused.
    pub fn link_profile(&mut self, name: &str, fields: &Value) -> Result<Value, ControlError> {
        let key = live(self.account, name)?;
        strict::check(fields, &schema::PERSON, "person")?;
        let mut profile = Profile { id: (self.world.dice.bits() >> 4).to_string(), fields: Default::default() };
        for (name, items) in fields.as_object().into_iter().flatten() {
            let (Some(field), Some(items)) = (Field::named(name), items.as_array()) else { continue };
            profile.fields.insert(field, Arc::new(shape::items(field, items, &self.world)?));
        }
        let profile = (!profile.fields.is_empty()).then(|| Arc::new(profile));
        self.account.change(key, Feed::Shown, &self.world, |contact| contact.profile = profile)?;
        self.show(key)
    }

    /// Gives a contact a photo.
    ///
    /// # Errors
    /// Not there; or the bytes are no picture.
    pub fn set_photo(&mut self, name: &str, bytes: &[u8]) -> Result<Value, ControlError> {
        let key = live(self.account, name)?;
        google::set_photo(self.account, key, bytes.to_vec().into(), &self.world)?;
        self.show(key)
    }

    /// Takes the photo of a contact away.
    ///
    /// # Errors
    /// Not there.
    pub fn remove_photo(&mut self, name: &str) -> Result<Value, ControlError> {
        let key = live(self.account, name)?;
        self.account.change(key, Feed::Shown, &self.world, |contact| contact.photo = None)?;
        self.show(key)
    }

    /// Gives the photo of a contact another address, as the service itself does now and then.
    ///
    /// # Errors
    /// Not there, or without a photo.
    pub fn rotate_photo(&mut self, name: &str) -> Result<Value, ControlError> {
        let bytes = self.photo(name)?.to_vec();
        self.set_photo(name, &bytes)
    }

    /// The photo of a contact as it was uploaded.
    ///
    /// # Errors
    /// Not there, or without a photo.
    pub fn photo(&self, name: &str) -> Result<&[u8], ControlError> {
        let contact = self.account.live_contact(live(self.account, name)?)?;
        let path = contact.photo.as_ref().and_then(|url| Some(&url[url.find("/contacts/")?..]));
        let photo = path.and_then(google::named_photo).and_then(|(photo, _)| self.account.photos.get(photo));
        photo.map(|bytes| bytes.as_ref()).ok_or_else(|| ControlError::NotFound { name: format!("the photo of {name}") })
    }

    /// Puts a label on a contact.
    ///
    /// # Errors
    /// Contact or group not there.
    pub fn label(&mut self, name: &str, group: &str) -> Result<Value, ControlError> {
        let (key, id) = (live(self.account, name)?, self.group_id(group)?);
        let feed = self.world.settings.membership_changes;
        self.account.change(key, feed, &self.world, |contact| {
            contact.memberships.insert(id);
        })?;
        self.show(key)
    }

    /// Takes a label off a contact. Without any group left it is an "other contact", which listings do not show.
    ///
    /// # Errors
    /// Contact or group not there.
    pub fn unlabel(&mut self, name: &str, group: &str) -> Result<Value, ControlError> {
        let (key, id) = (live(self.account, name)?, self.group_id(group)?);
        let feed = self.world.settings.membership_changes;
        self.account.change(key, feed, &self.world, |contact| {
            contact.memberships.remove(&id);
        })?;
        self.show(key)
    }

    /// Creates a label.
    ///
    /// # Errors
    /// The name is taken or odd.
    pub fn create_group(&mut self, name: &str) -> Result<Value, ControlError> {
        google::check_name(self.account, name, None, &self.world)?;
        let id = self.account.create_group(name, Vec::new(), &self.world);
        self.show_group(&id)
    }

    /// Renames a label.
    ///
    /// # Errors
    /// Not there, a system group, or the name is taken or odd.
    pub fn rename_group(&mut self, group: &str, name: &str) -> Result<Value, ControlError> {
        let id = self.label_id(group)?;
        google::check_name(self.account, name, Some(&id), &self.world)?;
        self.account.change_group(&id, &self.world, |group| {
            group.name = name.to_owned();
            group.formatted_name = name.to_owned();
        })?;
        self.show_group(&id)
    }

    /// Deletes a label.
    ///
    /// # Errors
    /// Not there, or a system group.
    pub fn delete_group(&mut self, group: &str, fate: MemberFate) -> Result<(), ControlError> {
        let id = self.label_id(group)?;
        Ok(self.account.delete_group(&id, fate, &self.world)?)
    }

    fn group_id(&self, group: &str) -> Result<String, ControlError> {
        let id = group.strip_prefix("contactGroups/").unwrap_or(group);
        let missing = |_| ControlError::NotFound { name: group.to_owned() };
        self.account.group(id).map(|_| id.to_owned()).map_err(missing)
    }

    fn label_id(&self, group: &str) -> Result<String, ControlError> {
        let id = self.group_id(group)?;
        if self.account.group(&id)?.kind == group::GroupKind::System {
            return Err(ControlError::Refused { reason: "system groups cannot be changed".to_owned() });
        }
        Ok(id)
    }

    /// Withdraws everything the account has granted: refreshes answer `invalid_grant`, calls 401.
    pub fn revoke_grant(&mut self) {
        self.grants.revoke(self.account.email());
    }

    /// Grants access anew and answers the refresh token.
    pub fn grant(&mut self) -> String {
        self.grants.grant(self.account.email(), self.world.dice)
    }

    /// An access token for contacts and address, without a call of the token endpoint.
    pub fn access_token(&mut self) -> String {
        self.grants.access_token(self.account.email(), &self.world)
    }

    /// Ends the access tokens handed out so far.
    pub fn expire_access_tokens(&mut self) {
        self.grants.expire_access_tokens(self.account.email(), self.world.now);
    }

    /// Ends the sync tokens handed out so far, of people and groups.
    pub fn expire_sync_tokens(&mut self) {
        self.account.sync_generation += 1;
    }

    /// The account in figures.
    pub fn summary(&self) -> Value {
        json!({
            "email": self.account.email(),
            "id": self.account.number().to_string(),
            "connections": self.account.connections(),
            "labels": self.account.labels(),
            "refresh_token": self.grants.refresh_token(self.account.email()),
        })
    }
}

fn key(name: &str) -> Result<ContactKey, ControlError> {
    let full = if name.starts_with("people/") { name.to_owned() } else { format!("people/{name}") };
    parse_resource_name(&full).ok_or(ControlError::NotFound { name: full })
}

fn live(account: &Account, name: &str) -> Result<ContactKey, ControlError> {
    let key = key(name)?;
    account.live_contact(key).map(|_| key).map_err(|_| ControlError::NotFound { name: name.to_owned() })
}

/// Adds what `other` has and `contact` lacks.
fn absorb(contact: &mut Contact, other: &Contact) {
    for (field, theirs) in &other.fields {
        let mut items = contact.items(*field).to_vec();
        if field.is_singleton() && !items.is_empty() {
            continue;
        }
        for item in theirs.iter() {
            if !items.contains(item) {
                items.push(item.clone());
            }
        }
        contact.set(*field, items);
    }
    contact.memberships.extend(other.memberships.iter().cloned());
    if contact.photo.is_none() {
        contact.photo.clone_from(&other.photo);
    }
}
