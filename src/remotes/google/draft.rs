//! A record while it is being changed: its lists are replaced one by one, and the draft remembers which differ.

use std::collections::BTreeSet;

use serde_json::Value;

use super::wire::{self, FIELDS, Object};

/// A record on its way from one wire form to the next.
pub(super) struct Draft {
    wire: Value,
    changed: BTreeSet<&'static str>,
}

impl Draft {
    /// A draft that starts from this wire form, as far as it can be sent.
    pub(super) fn of(wire: &Value) -> Self {
        let mut wire = if wire.is_object() { wire.clone() } else { Value::Object(Object::new()) };
        wire::without_canonical(&mut wire);
        Draft { wire, changed: BTreeSet::new() }
    }

    /// The record as it is now.
    pub(super) fn wire(&self) -> &Value {
        &self.wire
    }

    /// The items of a list as they are now.
    pub(super) fn items(&self, field: &'static str) -> Vec<Value> {
        wire::items(&self.wire, field).to_vec()
    }

    /// Replaces a list. The field counts as changed when anything in it is not the same to the byte.
    pub(super) fn replace(&mut self, field: &'static str, items: Vec<Value>) {
        if wire::items(&self.wire, field) == items {
            return;
        }
        self.changed.insert(field);
        if let Some(record) = self.wire.as_object_mut() {
            match items.is_empty() {
                // A field that is named in the mask and missing in the body is emptied.
                true => _ = record.remove(field),
                false => _ = record.insert(field.to_owned(), Value::Array(items)),
            }
        }
    }

    /// The changed fields as a mask, in the order of [`FIELDS`].
    pub(super) fn mask(&self) -> Vec<String> {
        FIELDS.iter().filter(|field| self.changed.contains(*field)).map(|field| (*field).to_owned()).collect()
    }

    /// The wire form as it is to be.
    pub(super) fn into_wire(self) -> Value {
        self.wire
    }
}
