//! Contact groups: the system's own and the labels of the user.

use serde_json::{Map, Value, json};

use super::failure::{Code, Failure};
use crate::domain::time::Timestamp;

/// The system groups: id, the name users see, and whether contacts can still be added.
pub const SYSTEM: [(&str, &str, Additions); 8] = [
    ("myContacts", "My Contacts", Additions::Allowed),
    ("starred", "Starred", Additions::Allowed),
    ("all", "All Contacts", Additions::Refused),
    ("blocked", "Blocked", Additions::Refused),
    ("chatBuddies", "Chat contacts", Additions::Refused),
    ("coworkers", "Coworkers", Additions::Refused),
    ("family", "Family", Additions::Refused),
    ("friends", "Friends", Additions::Refused),
];

/// The group a contact is in by default.
pub const MY_CONTACTS: &str = "myContacts";

/// Whether a system group still takes members; the old ones only let them go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Additions {
    /// It does.
    Allowed,
    /// It does not.
    Refused,
}

/// Whose group it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKind {
    /// The system's.
    System,
    /// The user's.
    User,
}

/// The state of a group at one moment.
#[derive(Debug, Clone)]
pub struct Group {
    /// Whose it is.
    pub kind: GroupKind,
    /// Its name.
    pub name: String,
    /// The name users see.
    pub formatted_name: String,
    /// Data of clients: key and value.
    pub client_data: Vec<(String, String)>,
    /// The version; system groups have none.
    pub etag: Option<String>,
    /// When it changed last; system groups do not say.
    pub update_time: Option<Timestamp>,
    /// Whether it is gone.
    pub is_deleted: bool,
}

impl Group {
    /// A system group.
    pub fn system(id: &str, formatted_name: &str) -> Self {
        Group {
            kind: GroupKind::System,
            name: id.to_owned(),
            formatted_name: formatted_name.to_owned(),
            client_data: Vec::new(),
            etag: None,
            update_time: None,
            is_deleted: false,
        }
    }
}

/// Whether contacts can be added to the group `id`.
pub fn additions(id: &str) -> Additions {
    SYSTEM.iter().find(|(name, _, _)| *name == id).map_or(Additions::Allowed, |(_, _, additions)| *additions)
}

/// The id in a group's resource name.
pub fn parse_resource_name(name: &str) -> Option<&str> {
    name.strip_prefix("contactGroups/").filter(|id| !id.is_empty() && !id.contains('/'))
}

/// The form in which names are compared for uniqueness: without outer blanks, composed, in lower case.
pub fn comparable(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    name.trim().nfc().collect::<String>().to_lowercase()
}

/// Which members of a group an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupMask {
    client_data: bool,
    kind: bool,
    member_count: bool,
    metadata: bool,
    name: bool,
}

impl GroupMask {
    /// The default of reads.
    pub const READ: GroupMask =
        GroupMask { client_data: false, kind: true, member_count: true, metadata: true, name: true };
    /// The default of the answers to writes.
    pub const WRITTEN: GroupMask = GroupMask { member_count: false, ..GroupMask::READ };
    /// Everything.
    pub const ALL: GroupMask = GroupMask { client_data: true, ..GroupMask::READ };

    /// Reads a mask; `default` applies when it is missing.
    ///
    /// # Errors
    /// A path that does not exist.
    pub fn parse(text: Option<&str>, parameter: &str, default: GroupMask) -> Result<GroupMask, Failure> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(default) };
        let mut mask = GroupMask { client_data: false, kind: false, member_count: false, metadata: false, name: false };
        for path in text.split(',') {
            match path {
                "clientData" => mask.client_data = true,
                "groupType" => mask.kind = true,
                "memberCount" => mask.member_count = true,
                "metadata" => mask.metadata = true,
                "name" => mask.name = true,
                _ => {
                    let text = format!("Invalid {parameter} mask path: \"{path}\".");
                    return Err(Failure::new(Code::InvalidArgument, text));
                }
            }
        }
        Ok(mask)
    }
}

/// Writes out a group.
pub fn render(id: &str, group: &Group, mask: GroupMask, member_count: usize) -> Value {
    let mut value = Map::new();
    let mut put = |name: &str, member: Value| value.insert(name.to_owned(), member);
    put("resourceName", json!(format!("contactGroups/{id}")));
    if let Some(etag) = &group.etag {
        put("etag", json!(etag));
    }
    if mask.metadata
        && let Some(time) = group.update_time
    {
        put("metadata", json!({ "updateTime": time.to_string() }));
    }
    if mask.kind {
        let kind = match group.kind {
            GroupKind::System => "SYSTEM_CONTACT_GROUP",
            GroupKind::User => "USER_CONTACT_GROUP",
        };
        put("groupType", json!(kind));
    }
    if mask.name {
        put("name", json!(group.name));
        put("formattedName", json!(group.formatted_name));
    }
    if mask.member_count && member_count > 0 {
        put("memberCount", json!(member_count));
    }
    if mask.client_data && !group.client_data.is_empty() {
        let entries: Vec<Value> =
            group.client_data.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        put("clientData", Value::Array(entries));
    }
    Value::Object(value)
}

/// Writes out a deleted group. The word `deleted` stands there whatever the mask says, as nothing else tells.
pub fn tombstone(id: &str, group: &Group) -> Value {
    let mut metadata = json!({ "deleted": true });
    if let Some(time) = group.update_time {
        metadata["updateTime"] = json!(time.to_string());
    }
    json!({ "resourceName": format!("contactGroups/{id}"), "metadata": metadata })
}
