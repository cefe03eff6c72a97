//! Whether an update names what it changes and nothing else. The service takes any mask; a careful client keeps it small,
//! for whatever is named is replaced as a whole, and what is named and not sent is gone.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::emulator::contact::Contact;
use crate::emulator::mask::{Field, Mask};

/// The judgement of one call. A batch has one mask for all its people, so a field is named in vain when nobody's changes.
#[derive(Debug)]
pub(super) struct Economy {
    mask: Mask,
    /// How many people it is about; those who are refused do not count.
    people: usize,
    changed: BTreeSet<Field>,
    others: BTreeSet<String>,
}

impl Economy {
    /// Of a call with this mask.
    pub(super) fn of(mask: Mask) -> Self {
        Economy { mask, people: 0, changed: BTreeSet::new(), others: BTreeSet::new() }
    }

    /// Takes account of one person: as it is, as it becomes, and what was sent of it.
    pub(super) fn weigh(&mut self, before: &Contact, after: &Contact, sent: &Map<String, Value>) {
        self.people += 1;
        for field in self.mask.fields() {
            let is_same = match field {
                Field::Memberships => before.memberships == after.memberships,
                _ => before.items(field) == after.items(field),
            };
            if !is_same {
                self.changed.insert(field);
            }
        }
        let unnamed = sent.keys().filter_map(|name| Field::named(name)).filter(|field| !self.mask.contains(*field));
        for field in unnamed.filter(|field| *field != Field::Metadata) {
            self.others.insert(format!("sends {} and does not name it in the mask", field.name()));
        }
        if self.mask.contains(Field::ClientData) && drops_foreign(before, after) {
            self.others.insert("drops data of another client".to_owned());
        }
    }

    /// What is wrong with the call.
    pub(super) fn complaints(&self) -> Vec<String> {
        let idle = self.mask.fields().filter(|field| self.people > 0 && !self.changed.contains(field));
        let idle = idle.map(|field| format!("the mask names {}, which changes on nobody", field.name()));
        idle.chain(self.others.iter().cloned()).collect()
    }
}

/// Whether an entry is gone whose key was not written anew.
fn drops_foreign(before: &Contact, after: &Contact) -> bool {
    let (old, new) = (before.items(Field::ClientData), after.items(Field::ClientData));
    let is_rewritten =
        |gone: &Value| new.iter().any(|entry| entry.get("key") == gone.get("key") && !old.contains(entry));
    old.iter().any(|entry| !new.contains(entry) && !is_rewritten(entry))
}
