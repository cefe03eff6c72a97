//! Who a card or a record is of, and what users wrote into it. A person is known by an e-mail address that nobody edits.

use std::collections::{BTreeMap, BTreeSet};

use contactsync::clock::Clock as _;
use contactsync::domain::contact::Card;
use contactsync::domain::diff;
use contactsync::domain::field::Field;
use serde_json::Value;

use super::setting::{self, GROUP};
use super::stage::Stage;

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Everybody in an account.
pub fn people(stage: &Stage, account: usize) -> Vec<Value> {
    let now = stage.world.now();
    let mut emulator = stage.emulator();
    emulator.user(setting::account(account).1, now).expect("the account").people()
}

/// The resource name of the pair's group in an account, when there is one.
pub fn group(stage: &Stage, account: usize) -> Option<String> {
    group_called(stage, account, GROUP)
}

/// The resource name of the group of this name in an account, when there is one.
pub fn group_called(stage: &Stage, account: usize, name: &str) -> Option<String> {
    let now = stage.world.now();
    let groups = stage.emulator().user(setting::account(account).1, now).expect("the account").groups();
    groups.iter().find(|group| group["name"] == name).and_then(|group| text(&group["resourceName"]))
}

/// The resource names of the pairs' groups in an account, as far as they are there, by their names.
pub fn groups(stage: &Stage, account: usize) -> BTreeMap<String, String> {
    let now = stage.world.now();
    let groups = stage.emulator().user(setting::account(account).1, now).expect("the account").groups();
    let of_pairs = |name: &str| stage.promises[account].pairs.iter().any(|pair| pair.group == name);
    let named = groups.iter().filter_map(|group| Some((text(&group["name"])?, text(&group["resourceName"])?)));
    named.filter(|(name, _)| of_pairs(name)).collect()
}

/// The resource name of a person.
pub fn resource(person: &Value) -> &str {
    person["resourceName"].as_str().unwrap_or_default()
}

/// The token that we wrote into a record.
pub fn token(person: &Value) -> Option<&str> {
    let mut entries = person["clientData"].as_array().into_iter().flatten();
    let own = entries.find(|entry| entry["key"] == "contactsync")?;
    own["value"].as_str()?.split('.').nth(1)
}

/// Whether a record was merged with another one of ours: which of the two its tags name is anybody's guess.
pub fn has_several_tokens(person: &Value) -> bool {
    let entries = person["clientData"].as_array().into_iter().flatten();
    entries.filter(|entry| entry["key"] == "contactsync").count() > 1
}

/// The people that a record is of: one, unless records were merged.
pub fn owners(person: &Value) -> Vec<String> {
    let emails = person["emailAddresses"].as_array().into_iter().flatten();
    emails.filter_map(|email| owner_in(email["value"].as_str()?)).collect()
}

/// The person that a record is of.
pub fn owner(person: &Value) -> Option<String> {
    owners(person).into_iter().next()
}

/// The people that a card is of.
pub fn owners_of_card(card: &Card) -> Vec<String> {
    card.emails.iter().filter_map(|email| owner_in(&email.value)).collect()
}

pub fn owner_of_card(card: &Card) -> Option<String> {
    owners_of_card(card).into_iter().next()
}

fn owner_in(address: &str) -> Option<String> {
    address.strip_suffix("@id.example.org").map(str::to_owned)
}

/// Everything in a card that users write.
pub fn values_of_card(card: &Card) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    values.extend(card.notes.clone());
    values.extend(card.custom.get("Tier").cloned());
    values.extend(card.phones.iter().flat_map(|phone| [Some(phone.value.clone()), phone.label.clone()]).flatten());
    if let Some(person) = card.as_person() {
        values.extend(person.job_title.as_ref().map(|title| title.to_lowercase()));
        values.extend(person.name.family.clone());
        values.extend(person.nicknames.iter().cloned());
        values.extend(person.organization.as_ref().map(|company| company.name.clone()));
    }
    values.extend(card.as_organization().map(|organization| organization.name.clone()));
    values
}

/// The job title in a record, as whoever wrote it spelled it; the service may spell it otherwise.
pub fn title(person: &Value) -> Option<String> {
    Some(person["organizations"][0]["title"].as_str()?.to_lowercase())
}

/// Everything in a record that users write.
pub fn values_of_person(person: &Value) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    values.extend(text(&person["biographies"][0]["value"]));
    values.extend(title(person));
    values.extend(text(&person["names"][0]["familyName"]));
    let all = |list: &str, member: &str| -> Vec<String> {
        person[list].as_array().into_iter().flatten().filter_map(|item| text(&item[member])).collect()
    };
    values.extend(all("phoneNumbers", "value"));
    values.extend(all("phoneNumbers", "type"));
    values.extend(all("organizations", "name"));
    values.extend(all("nicknames", "value"));
    values.extend(all("userDefined", "value"));
    values
}

/// The fields of a card that wait for a person.
pub fn without(card: &Card, fields: &BTreeSet<Field>) -> Card {
    let (blank, mut card) = (Card::blank(card.kind()), card.clone());
    for field in fields {
        diff::copy_field(field, &blank, &mut card);
    }
    card
}
