//! A conflict: both sides changed the same field, to different values, neither of them the base. It is data, not an
//! error: it can be stored, shown and resolved later.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field::Field;
use super::id::{AccountName, ConflictId, ContactId, LinkId};
use super::policy::ConflictPolicy;
use super::time::Timestamp;

/// A conflict that waits for a person: the field is held on both sides, as it is, until it is resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// Chosen once.
    pub id: ConflictId,
    /// The contact.
    pub contact: ContactId,
    /// The link whose sides differ.
    pub link: LinkId,
    /// Its account.
    pub account: AccountName,
    /// The field.
    pub field: Field,
    /// What both had agreed on, in the public JSON shape.
    pub base: Value,
    /// What the store has.
    pub store: Value,
    /// What the remote has.
    pub remote: Value,
    /// The policy that held it.
    pub policy: ConflictPolicy,
    /// Since when.
    pub since: Timestamp,
    /// When it was resolved; `None` while it waits.
    pub resolved: Option<Timestamp>,
}
