//! Memberships of a record.
//!
//! Google replaces the whole set, and wants at least one group; everything visible is in My Contacts. Memberships of
//! a Workspace domain cannot be written and were taken out when the record was read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::domain::id::GroupId;

use super::draft::Draft;
use super::wire;

const FIELD: &str = "memberships";

/// The group that everything visible in the address book is in.
pub(super) const MY_CONTACTS: &str = "contactGroups/myContacts";

/// The groups a record is in.
pub(super) fn read(wire: &Value) -> BTreeSet<GroupId> {
    wire::items(wire, FIELD).iter().filter_map(group).map(GroupId::new).collect()
}

/// Makes `groups` the groups of the record; none at all means My Contacts, since Google refuses a contact in no group.
pub(super) fn write(draft: &mut Draft, groups: &BTreeSet<GroupId>) {
    let everyone = BTreeSet::from([GroupId::new(MY_CONTACTS)]);
    let groups = if groups.is_empty() { &everyone } else { groups };
    let mut items: Vec<Value> =
        draft.items(FIELD).into_iter().filter(|item| group(item).is_some_and(|group| groups.contains(group))).collect();
    for wanted in groups {
        if !items.iter().any(|item| group(item) == Some(wanted.as_str())) {
            items.push(json!({ "contactGroupMembership": { "contactGroupResourceName": wanted.as_str() } }));
        }
    }
    draft.replace(FIELD, items);
}

fn group(item: &Value) -> Option<&str> {
    wire::text(item.get("contactGroupMembership")?, "contactGroupResourceName")
}
