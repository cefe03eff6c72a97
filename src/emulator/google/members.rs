//! `contactGroups.members.modify`: who is in a group, as a set operation without an etag.

use serde_json::{Map, Value, json};

use super::{Answer, strings};
use crate::emulator::account::Account;
use crate::emulator::call::Call;
use crate::emulator::contact::{ContactKey, parse_resource_name, resource_name};
use crate::emulator::failure::Failure;
use crate::emulator::group::{self, Additions};
use crate::emulator::schema;
use crate::emulator::strict;
use crate::emulator::world::World;

/// How many names one call carries.
const NAMES_MAX: usize = 1000;

/// Adds and removes members. Members already there and strangers already gone are left alone; unknown people, and those
/// who would be left without any group, are named in the answer.
pub(super) fn modify(account: &mut Account, id: &str, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let body = strict::body(call, &schema::MODIFY_MEMBERS, "")?;
    let (add, remove) = (strings(&body, "resourceNamesToAdd"), strings(&body, "resourceNamesToRemove"));
    let count = add.len() + remove.len();
    if count == 0 || count > NAMES_MAX {
        return Err(Failure::invalid_argument().because(format!("{count} names, 1 to {NAMES_MAX} are allowed")));
    }
    account.group(id)?;
    if !add.is_empty() && group::additions(id) == Additions::Refused {
        return Err(Failure::invalid_argument().because("the group takes no members"));
    }
    if world.is_strict() && add.iter().any(|name| remove.contains(name)) {
        return Err(Failure::invalid_argument().because("a name is both added and removed"));
    }
    let mut missing = Vec::new();
    let mut stuck = Vec::new();
    for name in add {
        match live(account, name) {
            Some(key) => join(account, key, id, world)?,
            None => missing.push(name),
        }
    }
    for name in remove {
        match live(account, name) {
            Some(key) if is_last_group(account, key, id) => stuck.push(resource_name(key)),
            Some(key) => leave(account, key, id, world)?,
            None => missing.push(name),
        }
    }
    Ok(Answer::about(answer(&missing, &stuck), count))
}

fn answer(missing: &[&str], stuck: &[String]) -> Value {
    let mut answer = Map::new();
    if !missing.is_empty() {
        answer.insert("notFoundResourceNames".to_owned(), json!(missing));
    }
    if !stuck.is_empty() {
        answer.insert("canNotRemoveLastContactGroupResourceNames".to_owned(), json!(stuck));
    }
    Value::Object(answer)
}

fn live(account: &Account, name: &str) -> Option<ContactKey> {
    parse_resource_name(name).filter(|key| account.live_contact(*key).is_ok())
}

fn is_last_group(account: &Account, key: ContactKey, id: &str) -> bool {
    account.contact(key).is_some_and(|contact| contact.memberships.len() == 1 && contact.memberships.contains(id))
}

fn join(account: &mut Account, key: ContactKey, id: &str, world: &World<'_>) -> Result<(), Failure> {
    if account.contact(key).is_some_and(|contact| contact.memberships.contains(id)) {
        return Ok(());
    }
    account.change(key, world.settings.membership_changes, world, |contact| {
        contact.memberships.insert(id.to_owned());
    })
}

fn leave(account: &mut Account, key: ContactKey, id: &str, world: &World<'_>) -> Result<(), Failure> {
    if account.contact(key).is_some_and(|contact| !contact.memberships.contains(id)) {
        return Ok(());
    }
    account.change(key, world.settings.membership_changes, world, |contact| {
        contact.memberships.remove(id);
    })
}
