//! What must hold for every call that changes a record, seen from the service: an update takes effect once, changes what
//! it names and really is other than what was there, and leaves what belongs to others; a deletion is of a record that
//! the same run has just read; and no run writes one record again and again.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use contactsync::domain::time::Timestamp;
use serde_json::Value;

use super::judge::Fault;
use super::people;
use super::stage::Stage;

/// How often one run may change one record: once, and again after an edit that came between.
const CHANGES_PER_RUN: u32 = 4;
/// What the group for contacts that were deleted in the store is called.
const TRASH_GROUP: &str = "Deleted by contactsync";
/// What a record is known by; it says nothing of the contact.
const IDENTITY: [&str; 3] = ["etag", "metadata", "resourceName"];

/// What was seen of one account.
#[derive(Default)]
struct Seen {
    /// Records that the run in progress has read directly, and when it last did.
    read: BTreeMap<String, Timestamp>,
    /// How often it changed each record.
    changes: BTreeMap<String, u32>,
    /// Updates that took effect, by record and marker.
    effects: BTreeSet<(String, String)>,
}

/// See the module.
#[derive(Default)]
pub struct Watch {
    accounts: BTreeMap<usize, Seen>,
}

/// An update that is under way.
pub struct Pending {
    account: usize,
    mask: BTreeSet<String>,
    /// What is sent, and what is there before, by record.
    changes: BTreeMap<String, Change>,
}

struct Change {
    sent: Value,
    before: Value,
}

impl Watch {
    /// A run of an account begins.
    pub fn begin_run(&mut self, account: usize) {
        let seen = self.accounts.entry(account).or_default();
        seen.read.clear();
        seen.changes.clear();
    }

    /// Records are read directly.
    pub fn note_read(&mut self, account: usize, request: &http::Request<Bytes>, at: Timestamp) {
        let read = read_by(request).into_iter().map(|name| (name, at));
        self.accounts.entry(account).or_default().read.extend(read);
    }

    /// When the run in progress last read a record directly.
    pub fn read_at(&self, account: usize, name: &str) -> Option<Timestamp> {
        self.accounts.get(&account)?.read.get(name).copied()
    }

    /// I13: what is deleted was read in this run.
    pub fn check_deletion(&self, account: usize, deleted: &[String]) -> Option<Fault> {
        let seen = self.accounts.get(&account)?;
        let blind = deleted.iter().find(|name| !seen.read.contains_key(*name))?;
        Some(("I13", format!("account {account}: {blind} is deleted, and this run has not read it")))
    }

    /// What an update went through with. I12, I19, I20, I22.
    pub fn check_update(&mut self, pending: &Pending, stage: &Stage, groups: &BTreeSet<String>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let seen = self.accounts.entry(pending.account).or_default();
        for (name, change) in &pending.changes {
            let after = stage.person(pending.account, name).filter(|after| after["etag"] != change.before["etag"]);
            let Some(after) = after else { continue };
            let changes = seen.changes.entry(name.clone()).or_default();
            *changes += 1;
            if *changes > CHANGES_PER_RUN {
                faults.push(("I22", format!("{name} is changed {changes} times in one run")));
            }
            if !seen.effects.insert((name.clone(), own_entry(&after))) {
                faults.push(("I12", format!("one update of {name} takes effect twice")));
            }
            faults.extend(differences(name, change, &after, &pending.mask, groups));
        }
        faults
    }
}

/// What an update is about to change; `None` for other calls.
pub fn pending(account: usize, request: &http::Request<Bytes>, stage: &Stage) -> Option<Pending> {
    let (mask, sent) = updated_by(request)?;
    let changes = sent.into_iter().filter_map(|(name, sent)| {
        let before = stage.person(account, &name)?;
        Some((name, Change { sent, before }))
    });
    Some(Pending { account, mask, changes: changes.collect() })
}

/// I19, I20: only what the mask names is other than before, all of it is, and what others wrote is still there.
fn differences(
    name: &str,
    Change { sent, before }: &Change,
    after: &Value,
    mask: &BTreeSet<String>,
    groups: &BTreeSet<String>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let members = |person: &Value| person.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    let (left, right): (BTreeSet<String>, BTreeSet<String>) = (members(before), members(after));
    for field in left.union(&right).filter(|field| !IDENTITY.contains(&field.as_str())) {
        let is_equal = plain(&before[field]) == plain(&after[field]);
        match (field.as_str(), mask.contains(field)) {
            ("clientData", _) if foreign_entries(before) != foreign_entries(after) => {
                faults.push(("I20", format!("{name}: what another program wrote is changed")));
            }
            ("memberships", _) if foreign_groups(before, groups) != foreign_groups(after, groups) => {
                faults.push(("I20", format!("{name}: it is in other groups than before")));
            }
            ("clientData" | "memberships", _) => {}
            (_, false) if !is_equal => faults.push(("I20", format!("{name}: {field} is not named and changes"))),
            // The service may spell it its own way again.
            (_, true) if is_equal && texts(&sent[field]).is_subset(&texts(&before[field])) => {
                faults.push(("I19", format!("{name}: {field} is written as it was: {}", plain(&after[field]))));
            }
            _ => {}
        }
    }
    faults
}

/// Every text in a field.
fn texts(field: &Value) -> BTreeSet<&str> {
    match field {
        Value::String(text) => BTreeSet::from([text.as_str()]),
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => BTreeSet::new(),
    }
}

/// A field without what the service says about its items.
fn plain(field: &Value) -> Value {
    let mut items = field.clone();
    for item in items.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        item.remove("metadata");
    }
    items
}

fn entries(person: &Value) -> impl Iterator<Item = &Value> {
    person["clientData"].as_array().into_iter().flatten()
}

fn foreign_entries(person: &Value) -> Vec<Value> {
    entries(person).filter(|entry| entry["key"] != "contactsync").map(|entry| entry["value"].clone()).collect()
}

fn own_entry(person: &Value) -> String {
    entries(person).filter(|entry| entry["key"] == "contactsync").map(|entry| entry["value"].to_string()).collect()
}

fn foreign_groups(person: &Value, ours: &BTreeSet<String>) -> BTreeSet<String> {
    let memberships = person["memberships"].as_array().into_iter().flatten();
    let names = memberships.filter_map(|one| one["contactGroupMembership"]["contactGroupResourceName"].as_str());
    names.filter(|name| !ours.contains(*name)).map(str::to_owned).collect()
}

/// The records that a call reads directly.
fn read_by(request: &http::Request<Bytes>) -> Vec<String> {
    let path = request.uri().path();
    if request.method() == http::Method::GET && path.starts_with("/v1/people/") {
        return vec![path.trim_start_matches("/v1/").to_owned()];
    }
    if !path.ends_with("people:batchGet") {
        return Vec::new();
    }
    parameters(request).into_iter().filter(|(name, _)| name == "resourceNames").map(|(_, value)| value).collect()
}

/// The fields that a call updates, and what it sends of each record.
fn updated_by(request: &http::Request<Bytes>) -> Option<(BTreeSet<String>, BTreeMap<String, Value>)> {
    let path = request.uri().path();
    let fields = |mask: &str| mask.split(',').map(str::to_owned).collect();
    let body = || serde_json::from_slice::<Value>(request.body()).ok();
    if let Some(name) = path.strip_suffix(":updateContact") {
        let parameters = parameters(request);
        let (_, mask) = parameters.iter().find(|(name, _)| name == "updatePersonFields")?;
        return Some((fields(mask), BTreeMap::from([(name.trim_start_matches("/v1/").to_owned(), body()?)])));
    }
    if !path.ends_with("people:batchUpdateContacts") {
        return None;
    }
    let body = body()?;
    let sent = body["contacts"].as_object()?.iter().map(|(name, sent)| (name.clone(), sent.clone())).collect();
    Some((fields(body["updateMask"].as_str()?), sent))
}

fn parameters(request: &http::Request<Bytes>) -> Vec<(String, String)> {
    let query = request.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The resource names of the groups that are ours: those of the pairs, and the one that deleted contacts are put into.
pub fn groups(stage: &Stage, account: usize) -> BTreeSet<String> {
    let of_pairs = people::groups(stage, account).into_values();
    of_pairs.chain(people::group_called(stage, account, TRASH_GROUP)).collect()
}
