//! One planned or executed change of one side, as a plan prints it and as the guards count it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::domain::contact::Card;
use crate::domain::diff;
use crate::domain::digest::Digest;
use crate::domain::field::Field;
pub use crate::domain::harm::Side;
use crate::domain::id::{ContactId, RemoteId};
use crate::domain::merge::FieldConflict;
use crate::domain::policy::Winner;

/// One change of one side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operation {
    /// What is done.
    pub op: OperationKind,
    /// To which side.
    pub side: Side,
    /// The contact; `None` where it does not exist yet.
    pub contact: Option<ContactId>,
    /// The remote record; `None` where it does not exist yet.
    pub remote: Option<RemoteId>,
    /// How people know the contact.
    pub name: String,
    /// The fields that change, before and after.
    pub fields: BTreeMap<String, BeforeAfter>,
    /// Why, in one sentence.
    pub reason: String,
    /// Whether the guard holds it back; it is not carried out before a person has approved it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parked: bool,
}

/// A value before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each value is what its name says")]
pub struct BeforeAfter {
    pub before: Value,
    pub after: Value,
    /// What both sides have, where both had changed the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<BothSides>,
}

/// The values of a field that both sides had changed, and whose is taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each value is what its name says")]
pub struct BothSides {
    pub store: Value,
    pub google: Value,
    /// `hold` while a person has to decide.
    pub taken: Winner,
}

impl BeforeAfter {
    /// A value that becomes another one.
    pub fn new(before: Value, after: Value) -> Self {
        BeforeAfter { before, after, conflict: None }
    }

    /// What becomes of the store's value of a field that both sides had changed.
    pub fn of_conflict(conflict: &FieldConflict) -> Self {
        let after = match conflict.winner {
            Winner::Store | Winner::Hold => conflict.store.clone(),
            Winner::Remote => conflict.remote.clone(),
        };
        let sides =
            BothSides { store: conflict.store.clone(), google: conflict.remote.clone(), taken: conflict.winner };
        BeforeAfter { before: conflict.store.clone(), after, conflict: Some(sides) }
    }
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// A contact or record is made.
    Create,
    /// Fields of it change.
    Update,
    /// It is deleted.
    Delete,
    /// A contact and a record that exist are bound together.
    Link,
    /// They are no longer kept equal; both stay.
    Unlink,
    /// A record is put into a pair's group.
    Join,
    /// A record is taken out of a pair's group.
    Leave,
    /// Both sides changed a field; the policy, or a person, decides.
    Conflict,
}

impl OperationKind {
    /// The kind as a plan spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            OperationKind::Create => "create",
            OperationKind::Update => "update",
            OperationKind::Delete => "delete",
            OperationKind::Link => "link",
            OperationKind::Unlink => "unlink",
            OperationKind::Join => "join",
            OperationKind::Leave => "leave",
            OperationKind::Conflict => "conflict",
        }
    }
}

impl Operation {
    /// An operation on a contact without a change of fields.
    pub fn new(op: OperationKind, side: Side, card: &Card, reason: impl Into<String>) -> Self {
        Operation {
            op,
            side,
            contact: None,
            remote: None,
            name: card.display_name(),
            fields: BTreeMap::new(),
            reason: reason.into(),
            parked: false,
        }
    }

    /// Names the contact and the record it is about.
    #[must_use]
    pub fn about(mut self, contact: Option<ContactId>, remote: Option<&RemoteId>) -> Self {
        self.contact = contact;
        self.remote = remote.cloned();
        self
    }

    /// Lists the fields that lead from one card to the other.
    #[must_use]
    pub fn changing(mut self, before: &Card, after: &Card) -> Self {
        let changed = diff::changed_fields(before, after);
        self.fields = changed
            .into_iter()
            .map(|field| {
                let values = BeforeAfter::new(diff::field_value(before, &field), diff::field_value(after, &field));
                (field.to_string(), values)
            })
            .collect();
        self
    }

    /// What it is about, as a text: two operations about the same are one.
    pub fn subject(&self) -> String {
        let fields: Vec<&String> = self.fields.keys().collect();
        format!("{:?} {:?} {:?} {:?} {fields:?}", self.side, self.op, self.contact, self.remote)
    }

    /// The place of an operation in a plan: by side, kind and name.
    pub(crate) fn sort_key(&self) -> (Side, OperationKind, String, String) {
        (self.side, self.op, self.name.clone(), self.canonical())
    }

    /// A digest over what these operations do, whatever their order: the kind, the side, whom they are about, and every
    /// value before and after. How it is explained does not matter.
    pub fn digest_of<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> Digest {
        let mut told: Vec<String> = operations.into_iter().map(Operation::canonical).collect();
        told.sort_unstable();
        Digest::of_bytes(told.join("\n").as_bytes())
    }

    fn canonical(&self) -> String {
        let Operation { op, side, contact, remote, fields, .. } = self;
        serde_json::json!([side, op, contact, remote, fields]).to_string()
    }

    /// Takes the ids of these organizations out of the values: they exist only where the operation was found.
    pub(crate) fn forget_organizations(&mut self, ids: &BTreeSet<ContactId>) {
        if ids.is_empty() {
            return;
        }
        let Some(values) = self.fields.get_mut(&Field::Organization.to_string()) else { return };
        for value in [&mut values.before, &mut values.after] {
            let id = value.get("id").and_then(Value::as_str).and_then(|id| id.parse::<ContactId>().ok());
            if id.is_some_and(|id| ids.contains(&id)) {
                value["id"] = Value::Null;
            }
        }
    }

    /// Whether a contact would lose a value: a field is emptied, or a list gets shorter.
    pub fn blanks(&self) -> bool {
        self.op == OperationKind::Update
            && self.fields.values().any(|values| size(&values.after) < size(&values.before))
    }
}

/// How many values a field holds.
fn size(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Array(items) => items.len(),
        Value::Object(members) => usize::from(members.values().any(|member| !member.is_null())),
        Value::String(text) => usize::from(!text.is_empty()),
        Value::Bool(_) | Value::Number(_) => 1,
    }
}
