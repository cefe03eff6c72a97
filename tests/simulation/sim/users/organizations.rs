//! What users do to organizations, and to the companies that persons name. An organization is known as a person is, by an
//! e-mail address that nobody edits; its name is a value as any other, which its people follow.

use contactsync::domain::contact::{Contact, Kind};
use contactsync::store::{ContactQuery, DeletedContacts};
use serde_json::{Value, json};

use super::editing::{Edit, carry_out};
use super::in_google::{bare, edit};
use super::{Users, address, slot, text};
use crate::sim::people::{group, owner, owner_of_card, people, values_of_card};
use crate::sim::setting::LABEL;
use crate::sim::stage::Stage;

impl Users {
    /// Somebody does something that has to do with organizations.
    pub(super) async fn act_on_organizations(&mut self, stage: &Stage, account: usize) {
        match self.tape.below(10) {
            2 => self.add_organization_to_google(stage, account),
            3 | 4 => self.edit_organization_in_store(stage).await,
            5 | 6 => self.edit_organization_in_google(stage, account),
            7 => self.employ_in_store(stage).await,
            8 => self.employ_in_google(stage, account).await,
            9 if self.habits.delete => self.delete_organization_in_store(stage).await,
            _ => self.add_organization_to_store(stage).await,
        }
    }

    async fn add_organization_to_store(&mut self, stage: &Stage) {
        let name = format!("o{:04}", self.next());
        let mut patch = json!({"name": name, "emails": [{"value": address(&name), "label": "work", "primary": true}]});
        if !self.habits.label || self.tape.below(3) > 0 {
            patch["labels"] = json!([LABEL]);
        }
        self.note("store adds organizations", format!("store adds the organization {name}"));
        carry_out(stage, Edit::Add(Kind::Organization, patch)).await;
    }

    fn add_organization_to_google(&mut self, stage: &Stage, account: usize) {
        let name = format!("o{:04}", self.next());
        let Some(group) = group(stage, account) else { return };
        let into = self.tape.below(3) < 2;
        let groups = ["contactGroups/myContacts", group.as_str()].into_iter().take(if into { 2 } else { 1 });
        let memberships: Vec<Value> =
            groups.map(|group| json!({"contactGroupMembership": {"contactGroupResourceName": group}})).collect();
        let record = json!({
            "organizations": [{"name": name}],
            "emailAddresses": [{"value": address(&name), "type": "work"}],
            "memberships": memberships,
        });
        self.note(
            "Google adds organizations",
            format!("Google {account} adds the organization {name}, into the group: {into}"),
        );
        stage.by_hand(account, |user| user.create(&record).map(drop).unwrap_or_default());
    }

    async fn pick_organization(&mut self, stage: &Stage) -> Option<(Contact, String)> {
        let query = ContactQuery { kind: Some(Kind::Organization), ..living() };
        let found = stage.store.find_contacts(&query).await.expect("contacts");
        let owned = found.into_iter().filter_map(|contact| {
            let owner = owner_of_card(&contact.card)?;
            Some((contact, owner))
        });
        self.tape.pick(&owned.collect::<Vec<_>>())
    }

    async fn edit_organization_in_store(&mut self, stage: &Stage) {
        let Some((contact, owner)) = self.pick_organization(stage).await else { return };
        let card = &contact.card;
        let (field, patch, parent) = match self.tape.below(4) {
            0 => {
                let value = self.number();
                let mut phones: Vec<Value> =
                    card.phones.iter().map(|phone| json!({"value": phone.value, "label": phone.label})).collect();
                phones.push(json!({"value": value, "label": "work"}));
                self.ledger.added(slot(&owner, "phones"), &value);
                self.note("store edits organizations", format!("store {owner} + {value}"));
                return carry_out(stage, Edit::Patch(contact.id, contact.card.kind(), json!({ "phones": phones })))
                    .await;
            }
            1 => ("notes", json!({"notes": self.value()}), card.notes.clone()),
            2 => ("custom.Tier", json!({"custom": {"Tier": self.value()}}), card.custom.get("Tier").cloned()),
            _ => ("name", json!({"name": self.value()}), card.as_organization().map(|one| one.name.clone())),
        };
        let value = format!("v{:04}", self.serial);
        self.ledger.wrote(slot(&owner, field), &value, parent);
        self.note("store edits organizations", format!("store {owner} {field} = {value}"));
        carry_out(stage, Edit::Patch(contact.id, contact.card.kind(), patch)).await;
    }

    fn edit_organization_in_google(&mut self, stage: &Stage, account: usize) {
        let mut records = people(stage, account);
        records.retain(|record| !is_person(record) && owner(record).is_some());
        let Some(record) = self.tape.pick(&records) else { return };
        let Some(owner) = owner(&record) else { return };
        let which = self.tape.below(3);
        let value = self.value();
        let (field, patch, parent) = match which {
            0 => ("notes", json!({"biographies": [{"value": value}]}), text(&record["biographies"][0]["value"])),
            1 => {
                let mut items = bare(&record["phoneNumbers"], &["value", "type"]);
                let value = format!("+49 30 1{:05}", self.serial);
                items.push(json!({"value": value, "type": "work"}));
                self.ledger.added(slot(&owner, "phones"), &value);
                self.written_on(stage, account, &record, &value);
                self.note("Google edits organizations", format!("Google {account} {owner} + {value}"));
                return edit(stage, account, &record, &json!({ "phoneNumbers": items }));
            }
            _ => ("name", json!({"organizations": [{"name": value}]}), text(&record["organizations"][0]["name"])),
        };
        self.ledger.wrote(slot(&owner, field), &value, parent);
        self.written_on(stage, account, &record, &value);
        self.note("Google edits organizations", format!("Google {account} {owner} {field} = {value}"));
        edit(stage, account, &record, &patch);
    }

    /// A person gets a company: one that nobody has named yet, or one of the organizations.
    async fn employ_in_store(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(owner) = owner_of_card(&contact.card) else { return };
        let before =
            contact.card.as_person().and_then(|person| person.organization.clone()).map(|company| company.name);
        let company = self.company(stage, &owner, before).await;
        self.note("store employs", format!("store {owner} works for {company}"));
        carry_out(stage, Edit::Patch(contact.id, contact.card.kind(), json!({ "organization": company }))).await;
    }

    async fn employ_in_google(&mut self, stage: &Stage, account: usize) {
        let Some(record) = self.pick_person(stage, account).filter(is_person) else { return };
        let Some(owner) = owner(&record) else { return };
        let mut entry = bare(&record["organizations"], &["name", "title"]).into_iter().next().unwrap_or_default();
        let company = self.company(stage, &owner, text(&entry["name"])).await;
        if company == format!("v{:04}", self.serial) {
            self.written_on(stage, account, &record, &company);
        }
        self.note("Google employs", format!("Google {account} {owner} works for {company}"));
        entry["name"] = json!(company);
        edit(stage, account, &record, &json!({"organizations": [entry]}));
    }

    /// The name of a company, in place of another one.
    async fn company(&mut self, stage: &Stage, owner: &str, before: Option<String>) -> String {
        let own = slot(owner, "company");
        let there = before.clone();
        // The name of an organization that has a life of its own is no less true because somebody leaves.
        let before = before.filter(|name| self.ledger.is_of(name, &own));
        if self.tape.below(2) == 0
            && let Some((organization, _)) = self.pick_organization(stage).await
        {
            self.ledger.superseded.extend(before);
            let company = organization.card.display_name();
            self.ledger.employed(owner, &company, there);
            return company;
        }
        let value = self.value();
        self.ledger.employed(owner, &value, there);
        self.ledger.wrote(own, &value, before);
        value
    }

    async fn delete_organization_in_store(&mut self, stage: &Stage) {
        let Some((contact, owner)) = self.pick_organization(stage).await else { return };
        self.ledger.deleted(&owner, values_of_card(&contact.card));
        self.note("store deletes organizations", format!("store deletes the organization {owner}"));
        carry_out(stage, Edit::Delete(contact.id, Kind::Organization)).await;
    }
}

/// Whether a record is a person's.
pub(super) fn is_person(record: &Value) -> bool {
    record["names"].as_array().is_some_and(|names| !names.is_empty())
}

fn living() -> ContactQuery {
    ContactQuery { deleted: DeletedContacts::Hidden, ..ContactQuery::default() }
}
