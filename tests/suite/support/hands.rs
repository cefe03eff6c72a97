//! What else the users of a world do: in the web UI, in the store, and what goes wrong on the way.

use contactsync::domain::history::Action;
use contactsync::domain::id::{ContactId, ReplicaId};
use contactsync::domain::link::Link;
use contactsync::emulator::User;
use contactsync::emulator::fault::{Fault, FaultKind};
use contactsync::emulator::settings::Settings;
use serde_json::Value;

use super::world::{EMAIL, World};

impl World {
    /// Does something in the web UI.
    pub fn by_hand<T>(&self, act: impl FnOnce(&mut User<'_>) -> T) -> T {
        let now = self.tick();
        act(&mut self.emulator().user(EMAIL, now).expect("the account"))
    }

    /// The resource name of the person with this display name or company.
    pub fn resource(&self, name: &str) -> String {
        self.person(name)["resourceName"].as_str().expect("a name").to_owned()
    }

    /// Fails unless there are two people of this name.
    pub fn assert_twice(&self, name: &str) {
        let names = self.google_names();
        assert_eq!(names.iter().filter(|one| *one == name).count(), 2, "{names:?}");
    }

    /// The resource name of a group.
    pub fn group_resource(&self, name: &str) -> String {
        self.group(name)["resourceName"].as_str().expect("a name").to_owned()
    }

    /// Puts a label on a person.
    pub fn google_label(&self, person: &str, group: &str) {
        let (person, group) = (self.resource(person), self.group_resource(group));
        self.by_hand(|user| user.label(&person, &group).expect("labelled"));
    }

    /// Takes a label off a person.
    pub fn google_unlabel(&self, person: &str, group: &str) {
        let (person, group) = (self.resource(person), self.group_resource(group));
        self.by_hand(|user| user.unlabel(&person, &group).expect("unlabelled"));
    }

    /// The names of the groups that a person is in, in order; system groups by their id.
    pub fn groups_of(&self, person: &str) -> Vec<String> {
        let person = self.person(person);
        let groups = self.by_hand(|user| user.groups());
        let mut names: Vec<String> = person["memberships"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|membership| membership["contactGroupMembership"]["contactGroupResourceName"].as_str())
            .filter_map(|id| groups.iter().find(|group| group["resourceName"] == id))
            .filter_map(|group| group["name"].as_str().map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    /// The display names, or companies, of everybody in the account, in order.
    pub fn google_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.people().iter().map(super::world::shown).collect();
        names.sort();
        names
    }

    /// The display names of the living contacts of the store, in order; implicit organizations left out.
    pub async fn store_names(&self) -> Vec<String> {
        let contacts = self.contacts().await.into_iter().filter(|contact| !contact.implicit);
        let mut names: Vec<String> = contacts.map(|contact| contact.card.display_name()).collect();
        names.sort();
        names
    }

    /// Ends every change token handed out so far.
    pub fn expire_tokens(&self) {
        self.by_hand(|user| user.expire_sync_tokens());
    }

    /// Turns switches of the emulated service.
    pub fn switch(&self, turn: impl FnOnce(&mut Settings)) {
        turn(self.emulator().settings_mut());
    }

    /// The next call of this method runs into trouble.
    pub fn strike(&self, method: &str, kind: FaultKind) {
        self.emulator().faults_mut().push(Fault::once(method, kind));
    }

    /// Every call of this method runs into trouble, until [`World::calm`].
    pub fn strike_always(&self, method: &str, kind: FaultKind) {
        self.emulator().faults_mut().push(Fault { times: None, ..Fault::once(method, kind) });
    }

    /// No more trouble.
    pub fn calm(&self) {
        self.emulator().faults_mut().clear();
    }

    /// Brings a deleted contact of the store back, as a user would.
    pub async fn restore(&self, id: ContactId) {
        let now = self.tick();
        let mut contact = self.contact(id).await;
        let expected = contact.version.clone();
        contact.deleted = None;
        contact.version.tick(&ReplicaId::store(1));
        contact.updated = now;
        let change = self.change(id, Action::Restored, &contact.card, &contact.card);
        self.put(contact, Some(expected), change).await;
    }

    /// The link of a contact.
    pub async fn link(&self, id: ContactId) -> Link {
        self.store.links_of_contact(id).await.expect("read").pop().expect("a link")
    }
}

/// The first value of a member of the first item of a list.
pub fn first<'a>(person: &'a Value, list: &str, member: &str) -> Option<&'a str> {
    person.get(list)?.get(0)?.get(member)?.as_str()
}

/// All values of a list, in order.
pub fn values(person: &Value, list: &str) -> Vec<String> {
    let items = person.get(list).and_then(Value::as_array).into_iter().flatten();
    let mut values: Vec<String> = items.filter_map(|item| item["value"].as_str()).map(str::to_owned).collect();
    values.sort();
    values
}
