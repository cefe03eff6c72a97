//! What users do in the web UI of an account.

use contactsync::clock::Clock as _;
use contactsync::domain::history::Action;
use contactsync::domain::link::Link;
use contactsync::emulator::ReturnName;
use contactsync::store::{ContactQuery, DeletedContacts};
use serde_json::{Value, json};

use super::organizations::is_person;
use super::{Users, address, is_deaf, places, slot, text};
use crate::sim::people::{
    group, owner, owner_of_card, owners, owners_of_card, people, resource, title, values_of_person,
};
use crate::sim::pictures;
use crate::sim::stage::Stage;

impl Users {
    /// Adds a person to an account.
    pub async fn add_to_google(&mut self, stage: &Stage, account: usize) {
        let mut name = format!("g{:04}", self.next());
        if self.tape.below(4) == 3
            && let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await
            && let Some(owner) = owner_of_card(&contact.card)
        {
            // Somebody who is in the store already; whether twice is one has to be found out.
            self.ledger.blurred(&owner);
            name = owner;
        }
        let into = self.tape.below(3) < 2;
        let Some(group) = group(stage, account) else { return };
        let mut memberships =
            vec![json!({"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}})];
        if into {
            memberships.push(json!({"contactGroupMembership": {"contactGroupResourceName": group}}));
        }
        let person = json!({
            "names": [{"givenName": name}],
            "emailAddresses": [{"value": address(&name), "type": "work"}],
            "clientData": [{"key": "another program", "value": format!("of {name}")}],
            "memberships": memberships,
        });
        self.note("Google adds", format!("Google {account} adds {name}, into the group: {into}"));
        stage.by_hand(account, |user| user.create(&person).map(drop).unwrap_or_default());
    }

    pub(super) fn pick_person(&mut self, stage: &Stage, account: usize) -> Option<Value> {
        let mut people = people(stage, account);
        people.retain(|person| owner(person).is_some());
        if let Some(focus) = &self.focus {
            people.retain(|person| owners(person).contains(focus));
        }
        self.tape.pick(&people)
    }

    pub(super) fn edit_google(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account).filter(is_person) else { return };
        let Some(owner) = owner(&person) else { return };
        let patch = match self.draw_field() {
            0 => {
                let value = self.value();
                let parent = text(&person["biographies"][0]["value"]);
                self.ledger.wrote(slot(&owner, "notes"), &value, parent);
                self.note("Google edits", format!("Google {account} {owner} notes = {value}"));
                json!({"biographies": [{"value": value}]})
            }
            1 => {
                let value = self.value();
                let parent = title(&person);
                self.ledger.wrote(slot(&owner, "job_title"), &value, parent);
                self.note("Google edits", format!("Google {account} {owner} job_title = {value}"));
                let mut entry =
                    bare(&person["organizations"], &["name"]).into_iter().next().unwrap_or_else(|| json!({}));
                entry["title"] = json!(value);
                json!({"organizations": [entry]})
            }
            2 => {
                let value = self.value();
                let mut items = bare(&person["userDefined"], &["key", "value"]);
                let parent = items.iter().find(|item| item["key"] == "Tier").and_then(|item| text(&item["value"]));
                items.retain(|item| item["key"] != "Tier");
                items.push(json!({"key": "Tier", "value": value}));
                self.ledger.wrote(slot(&owner, "custom.Tier"), &value, parent);
                self.note("Google edits", format!("Google {account} {owner} custom.Tier = {value}"));
                json!({"userDefined": items})
            }
            3 => {
                let value = self.value();
                let given = person["names"][0]["givenName"].clone();
                let parent = text(&person["names"][0]["familyName"]);
                self.ledger.wrote(slot(&owner, "family"), &value, parent);
                self.note("Google edits", format!("Google {account} {owner} family = {value}"));
                json!({"names": [{"givenName": given, "familyName": value}]})
            }
            4 => {
                let value = self.number();
                let mut items = bare(&person["phoneNumbers"], &["value", "type"]);
                items.push(json!({"value": value, "type": "work"}));
                self.ledger.added(slot(&owner, "phones"), &value);
                self.note("Google adds items", format!("Google {account} {owner} + {value}"));
                json!({"phoneNumbers": items})
            }
            5 if self.habits.relabel => {
                let mut items = bare(&person["phoneNumbers"], &["value", "type"]);
                let Some(place) = self.tape.pick(&places(items.len())) else { return };
                let value = self.value();
                let item = text(&items[place]["value"]).unwrap_or_default();
                let parent = text(&items[place]["type"]);
                items[place]["type"] = json!(value);
                let field = format!("label of {item}");
                self.ledger.relabelled(&item);
                self.ledger.wrote(slot(&owner, &field), &value, parent);
                self.note("Google relabels", format!("Google {account} {owner} {field} = {value}"));
                json!({"phoneNumbers": items})
            }
            _ => {
                let value = self.value();
                let mut items = bare(&person["nicknames"], &["value"]);
                items.push(json!({"value": value}));
                self.ledger.added(slot(&owner, "nicknames"), &value);
                self.note("Google adds items", format!("Google {account} {owner} + {value}"));
                json!({"nicknames": items})
            }
        };
        let value = format!("v{:04}", self.serial);
        let number = format!("+49 30 1{:05}", self.serial);
        for value in [value, number] {
            self.written_on(stage, account, &person, &value);
        }
        edit(stage, account, &person, &patch);
    }

    /// A value stands on a record from now on. Where nothing comes from the account, nobody else ever knows of it.
    pub(super) fn written_on(&mut self, stage: &Stage, account: usize, person: &Value, value: &str) {
        self.ledger.wrote_on(resource(person), value, stage.world.now());
        if is_deaf(stage, account) {
            self.ledger.stays_there(value);
        }
    }

    pub(super) fn remove_from_google(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        let Some(owner) = owner(&person) else { return };
        let mut items = bare(&person["phoneNumbers"], &["value", "type"]);
        let Some(place) = self.tape.pick(&places(items.len())) else { return };
        let item = items.remove(place);
        let value = text(&item["value"]).unwrap_or_default();
        // Whoever removes it has seen its label, and it may come back with another one.
        self.ledger.superseded.extend(text(&item["type"]));
        match is_deaf(stage, account) {
            true => _ = self.ledger.removed_there.insert(value.clone()),
            false => self.ledger.removed(&value),
        }
        self.note("Google removes items", format!("Google {account} {owner} - {value}"));
        edit(stage, account, &person, &json!({"phoneNumbers": items}));
    }

    pub(super) async fn delete_in_google(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        let Some(owner) = owner(&person) else { return };
        for owner in owners(&person) {
            if is_deaf(stage, account) {
                self.ledger.moved(&owner);
                continue;
            }
            let mut seen = values_of_person(&person);
            seen.extend(pictures::in_google(stage, account, resource(&person)));
            self.ledger.deleted(&owner, seen);
            // One of two copies may not be the one that the contact is linked to.
            let copies = people(stage, account).iter().filter(|one| owners(one).contains(&owner)).count();
            if copies > 1 || !is_acknowledged(stage, &owner).await {
                // Nobody can know yet whether what was sent had been seen, and an edit that may be unseen survives.
                self.ledger.deleted_too_soon(&owner);
            }
        }
        self.note("Google deletes", format!("Google {account} deletes {owner}"));
        stage.by_hand(account, |user| user.delete(resource(&person)).unwrap_or_default());
    }

    pub(super) async fn bring_back(&mut self, stage: &Stage, account: usize) {
        if self.tape.below(2) == 0 {
            let Some(contact) = self.pick_contact(stage, DeletedContacts::Only).await else { return };
            let Some(owner) = owner_of_card(&contact.card) else { return };
            self.ledger.blurred(&owner);
            self.note("store restores", format!("store restores {owner}"));
            let card = contact.card.clone();
            return self.store_edit(stage, contact, card, Action::Restored).await;
        }
        let trash = stage.by_hand(account, |user| user.trash());
        let Some(person) = self.tape.pick(&trash) else { return };
        let name = if self.tape.below(2) == 0 { ReturnName::Same } else { ReturnName::Fresh };
        for owner in owners(&person) {
            self.ledger.blurred(&owner);
        }
        self.note("Google restores", format!("Google {account} restores {:?} {name:?}", owners(&person)));
        stage.by_hand(account, |user| user.restore(resource(&person), name).map(drop).unwrap_or_default());
    }
}

pub(super) fn edit(stage: &Stage, account: usize, person: &Value, patch: &Value) {
    stage.by_hand(account, |user| user.edit(resource(person), patch).map(drop).expect("a user's edit is taken"));
}

/// The items of a list with nothing but these members.
pub(super) fn bare(list: &Value, members: &[&str]) -> Vec<Value> {
    let items = list.as_array().into_iter().flatten();
    let bare = |item: &Value| {
        members.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone()))).collect::<Value>()
    };
    items.map(bare).collect()
}

/// Whether every account is known to have everything that the store has of a person.
pub(super) async fn is_acknowledged(stage: &Stage, owner: &str) -> bool {
    let query = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
    let contacts = stage.store.find_contacts(&query).await.expect("contacts");
    let owned = contacts.iter().filter(|contact| owners_of_card(&contact.card).iter().any(|one| one == owner));
    for contact in owned {
        let links = stage.store.links_of_contact(contact.id).await.expect("links");
        // A deletion of ours may still be on its way, and is not taken for that of somebody else.
        let knows = |link: &Link| contact.version.is_within(&link.acked) && !link.own_delete;
        if links.len() < stage.promises.len() || !links.iter().all(knows) {
            return false;
        }
    }
    true
}
