//! What one account knows of one contact at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::mask::Field;
use crate::domain::time::Timestamp;

/// Number of a contact: the decimal number of its resource name, the hexadecimal id of its source.
pub type ContactKey = u64;

/// Whether the contact is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Yes.
    Live,
    /// In the trash since then.
    Trashed(Timestamp),
    /// Its resource name has become another one.
    Renamed {
        /// The new name.
        to: ContactKey,
        /// Whether a direct read of the old name still finds the contact.
        follows: bool,
    },
}

/// The profile of the person behind a contact: read-only, merged into reads that ask for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its id in `metadata.sources`.
    pub id: String,
    /// Its items, shaped like those of contacts.
    pub fields: BTreeMap<Field, Arc<Vec<Value>>>,
}

/// The state.
#[derive(Debug, Clone)]
pub struct Contact {
    /// The shaped items without their metadata, per field; a field without items is absent.
    pub fields: BTreeMap<Field, Arc<Vec<Value>>>,
    /// The ids of its groups.
    pub memberships: BTreeSet<String>,
    /// The address of the uploaded photo; `None` shows a monogram.
    pub photo: Option<String>,
    /// The profile it is linked to.
    pub profile: Option<Arc<Profile>>,
    /// The names it had before.
    pub previous: Vec<ContactKey>,
    /// The version: new with every accepted change.
    pub etag: String,
    /// When it changed last; later than any time before.
    pub update_time: Timestamp,
    /// Whether it is there.
    pub life: Life,
}

impl Contact {
    /// Whether `connections.list` shows it: a contact without any group is an "other contact".
    pub fn is_connection(&self) -> bool {
        self.life == Life::Live && !self.memberships.is_empty()
    }

    /// Sets a field; without items it is absent.
    pub fn set(&mut self, field: Field, items: Vec<Value>) {
        if items.is_empty() {
            self.fields.remove(&field);
        } else {
            self.fields.insert(field, Arc::new(items));
        }
    }

    /// The items of a field.
    pub fn items(&self, field: Field) -> &[Value] {
        self.fields.get(&field).map_or(&[], |items| items.as_slice())
    }
}

/// The resource name of a contact.
pub fn resource_name(key: ContactKey) -> String {
    format!("people/c{key}")
}

/// The key in a contact's resource name; `None` for anything else, profiles included.
pub fn parse_resource_name(name: &str) -> Option<ContactKey> {
    let digits = name.strip_prefix("people/c")?;
    let is_canonical = !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    is_canonical.then(|| digits.parse().ok()).flatten()
}
