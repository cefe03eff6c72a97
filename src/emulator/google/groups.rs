//! Contact groups: get, create, update, delete.

use serde_json::{Map, Value, json};

use super::{Answer, nothing};
use crate::emulator::account::{Account, MemberFate};
use crate::emulator::call::Call;
use crate::emulator::contact::resource_name;
use crate::emulator::failure::{Code, Failure};
use crate::emulator::group::{self, Group, GroupKind, GroupMask};
use crate::emulator::history::Channel;
use crate::emulator::schema;
use crate::emulator::strict;
use crate::emulator::world::World;

/// How many groups one call gets.
const GROUPS_MAX: usize = 200;
/// The bounds a careful client keeps; the true ones are not known.
const NAME_CHARS_MAX: usize = 100;
const LABELS_MAX: usize = 500;

/// `contactGroups.get`.
pub(super) fn get(account: &Account, id: &str, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let mask = GroupMask::parse(call.parameter("groupFields"), "groupFields", GroupMask::READ)?;
    let group = shown(account, id, mask, members_max(call)?, world)?;
    Ok(Answer::about(group, 1))
}

/// `contactGroups.batchGet`.
pub(super) fn batch_get(account: &Account, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let mask = GroupMask::parse(call.parameter("groupFields"), "groupFields", GroupMask::READ)?;
    let max = members_max(call)?;
    let names: Vec<&str> = call.parameters("resourceNames").collect();
    if !(1..=GROUPS_MAX).contains(&names.len()) {
        return Err(Failure::invalid_argument().because(format!("{} group names", names.len())));
    }
    let responses: Vec<Value> = names
        .iter()
        .map(|name| {
            let id = group::parse_resource_name(name).unwrap_or_default();
            match shown(account, id, mask, max, world) {
                Ok(group) => json!({ "requestedResourceName": name, "status": {}, "contactGroup": group }),
                Err(failure) => json!({ "requestedResourceName": name, "status": failure.status() }),
            }
        })
        .collect();
    Ok(Answer::about(json!({ "responses": responses }), names.len()))
}

fn members_max(call: &Call) -> Result<usize, Failure> {
    let max = call.number("maxMembers")?.unwrap_or(0);
    usize::try_from(max).map_err(|_| Failure::invalid_argument().because("maxMembers is negative"))
}

fn shown(account: &Account, id: &str, mask: GroupMask, max: usize, world: &World<'_>) -> Result<Value, Failure> {
    let group = account.seen_group(id, Channel::Get, world.now).filter(|group| !group.is_deleted);
    let mut value = group::render(id, group.ok_or_else(Failure::not_found)?, mask, account.member_count(id));
    if max > 0 && account.member_count(id) > 0 {
        value["memberResourceNames"] = account.members(id).take(max).map(resource_name).collect();
    }
    Ok(value)
}

/// `contactGroups.create`.
pub(super) fn create(account: &mut Account, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let body = strict::body(call, &schema::CREATE_GROUP, "")?;
    let mask = answer_mask(&body)?;
    let sent = sent_group(&body)?;
    let name = sent.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    check_name(account, &name, None, world)?;
    if account.labels() >= LABELS_MAX && world.is_strict() {
        return Err(Failure::invalid_argument().because("too many groups"));
    }
    let id = account.create_group(&name, client_data(sent), world);
    let group = account.group(&id)?;
    Ok(Answer::about(group::render(&id, group, mask, 0), 1))
}

/// `contactGroups.update`.
pub(super) fn update(account: &mut Account, id: &str, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let body = strict::body(call, &schema::UPDATE_GROUP, "")?;
    let mask = answer_mask(&body)?;
    let sent = sent_group(&body)?;
    let update = UpdateMask::parse(body.get("updateGroupFields").and_then(Value::as_str).unwrap_or_default())?;
    let group = account.group(id)?;
    refuse_system(group)?;
    check_etag(group, sent, world)?;
    let name = sent.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if update.name {
        check_name(account, &name, Some(id), world)?;
    }
    let data = client_data(sent);
    account.change_group(id, world, |group| {
        if update.name {
            group.name.clone_from(&name);
            group.formatted_name = name;
        }
        if update.client_data {
            group.client_data = data;
        }
    })?;
    let group = account.group(id)?;
    Ok(Answer::about(group::render(id, group, mask, account.member_count(id)), 1))
}

/// `contactGroups.delete`.
pub(super) fn delete(account: &mut Account, id: &str, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let fate = if call.flag("deleteContacts")? { MemberFate::Trash } else { MemberFate::Keep };
    refuse_system(account.group(id)?)?;
    account.delete_group(id, fate, world)?;
    Ok(Answer::about(nothing(), 1))
}

#[derive(Debug, Clone, Copy)]
struct UpdateMask {
    name: bool,
    client_data: bool,
}

impl UpdateMask {
    fn parse(text: &str) -> Result<Self, Failure> {
        if text.is_empty() {
            return Ok(UpdateMask { name: true, client_data: false });
        }
        let mut mask = UpdateMask { name: false, client_data: false };
        for path in text.split(',') {
            match path {
                "name" => mask.name = true,
                "clientData" => mask.client_data = true,
                _ => {
                    let text = format!("Invalid updateGroupFields mask path: \"{path}\".");
                    return Err(Failure::new(Code::InvalidArgument, text));
                }
            }
        }
        Ok(mask)
    }
}

fn answer_mask(body: &Map<String, Value>) -> Result<GroupMask, Failure> {
    let text = body.get("readGroupFields").and_then(Value::as_str);
    GroupMask::parse(text, "readGroupFields", GroupMask::WRITTEN)
}

fn sent_group(body: &Map<String, Value>) -> Result<&Map<String, Value>, Failure> {
    let group = body.get("contactGroup").and_then(Value::as_object);
    group.ok_or_else(|| Failure::invalid_argument().because("contactGroup is missing"))
}

fn client_data(group: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let entries = group.get("clientData").and_then(Value::as_array);
    entries.into_iter().flatten().map(|entry| (text(entry, "key"), text(entry, "value"))).collect()
}

fn refuse_system(group: &Group) -> Result<(), Failure> {
    match group.kind {
        GroupKind::User => Ok(()),
        GroupKind::System => Err(Failure::invalid_argument().because("system groups cannot be changed")),
    }
}

/// A stale etag is a conflict. Without one nobody knows what the service does; a careful client sends it.
fn check_etag(group: &Group, sent: &Map<String, Value>, world: &World<'_>) -> Result<(), Failure> {
    let etag = sent.get("etag").and_then(Value::as_str).filter(|text| !text.is_empty());
    match etag {
        None if world.is_strict() => Err(Failure::invalid_argument().because("a group update without etag")),
        Some(etag) if group.etag.as_deref() != Some(etag) => {
            let text = "Contact group etag is outdated. Get the latest contact group and retry.";
            Err(Failure::new(Code::Aborted, text))
        }
        _ => Ok(()),
    }
}

/// Checks that a label may be called `name`; `renamed` is the label that changes its name.
///
/// # Errors
/// Taken (conflict), reserved, empty or too long.
pub fn check_name(account: &Account, name: &str, renamed: Option<&str>, world: &World<'_>) -> Result<(), Failure> {
    if name.trim().is_empty() {
        return Err(Failure::invalid_argument().because("a group without a name"));
    }
    if world.is_strict() && name.chars().count() > NAME_CHARS_MAX {
        return Err(Failure::invalid_argument().because("the name of the group is too long"));
    }
    match account.group_named(name).filter(|id| Some(*id) != renamed) {
        None => Ok(()),
        Some(id) if group::SYSTEM.iter().any(|(system, _, _)| *system == id) => {
            Err(Failure::invalid_argument().because("the name of a system group"))
        }
        Some(_) => Err(Failure::new(Code::AlreadyExists, "Contact group name already exists")),
    }
}
