//! What a run leaves in the history of what it wrote to the remote: a row for each record that was made, changed, moved
//! or deleted, in the transaction that records the answer. The edits of the store have rows of their own.

use std::collections::BTreeSet;

use super::Run;
use super::operation::{Operation, OperationKind};
use crate::domain::contact::Card;
use crate::domain::diff::{self, FieldChange};
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change, RemoteChange, RemoteCopy};
use crate::domain::id::{ContactId, GroupId, RemoteId, ReplicaId};
use crate::domain::link::Link;
use crate::domain::merge::FieldConflict;
use crate::store::Write;

impl Run<'_> {
    /// The rows about a record that was made from `card`, as it looks at the remote.
    pub(crate) fn trace_create(
        &self,
        contact: ContactId,
        record: &RemoteId,
        card: &Card,
        wire: &serde_json::Value,
    ) -> Vec<Write> {
        let made = self.deps.remote.codec().read(wire, card.kind());
        let fields = travelled(&Card::blank(card.kind()), &made.card, card);
        vec![self.trace(contact, record, Action::Created, fields)]
    }

    /// The rows about a record that was changed to hold `card`; `link` is as it was before, `wire` is what was sent.
    pub(crate) fn trace_update(&self, link: &Link, card: &Card, wire: &serde_json::Value) -> Vec<Write> {
        let (Some(contact), Some(record), Some(base)) = (link.contact, &link.remote, &link.base) else {
            return Vec::new();
        };
        let codec = self.deps.remote.codec();
        let (before, after) = (codec.read(&base.remote, card.kind()), codec.read(wire, card.kind()));
        let fields = travelled(&before.card, &after.card, card);
        let mut rows = Vec::new();
        if !fields.is_empty() {
            rows.push(self.trace(contact, record, Action::Edited, fields));
        }
        rows.extend(self.trace_groups(link, card, &before.groups, &after.groups));
        rows
    }

    /// The rows about a record that changed groups.
    pub(crate) fn trace_groups(
        &self,
        link: &Link,
        card: &Card,
        before: &BTreeSet<GroupId>,
        after: &BTreeSet<GroupId>,
    ) -> Vec<Write> {
        let (Some(contact), Some(record), Some(base)) = (link.contact, &link.remote, &link.base) else {
            return Vec::new();
        };
        let labels = self.moving_labels(&base.store, card);
        let moves =
            [(Action::Joined, after.difference(before).count()), (Action::Left, before.difference(after).count())];
        let made = moves.into_iter().filter(|(_, count)| *count > 0);
        made.map(|(action, _)| self.trace(contact, record, action, labels.clone())).collect()
    }

    /// What has to be put back when a change of groups is taken back: the labels that travel as groups. The others stay in
    /// the store, and no run has changed them.
    fn moving_labels(&self, base: &Card, card: &Card) -> Vec<FieldChange> {
        let pairs = &self.order.promise.pairs;
        // A filter may ask for any label.
        let any = pairs.iter().any(|pair| pair.filter.is_some());
        let of_pairs: BTreeSet<&String> =
            pairs.iter().flat_map(|pair| pair.labels.iter().chain(&pair.add_label)).collect();
        let moves = |label: &&String| any || of_pairs.contains(*label);
        let mut before = card.clone();
        before.labels = card.labels.iter().filter(|label| !moves(label)).cloned().collect();
        before.labels.extend(base.labels.iter().filter(moves).cloned());
        let mut changes = diff::changes(&before, card);
        changes.retain(|change| change.field == Field::Labels);
        changes
    }

    /// The rows about a record that was deleted.
    pub(crate) fn trace_delete(&self, link: &Link) -> Option<Write> {
        Some(self.trace(link.contact?, link.remote.as_ref()?, Action::Deleted, Vec::new()))
    }

    /// The row about a conflict that waited for a person when its record went.
    pub(crate) fn trace_conflict(&self, contact: ContactId, record: &RemoteId, told: FieldConflict) -> Write {
        let mut row = self.remote_change(contact, record, Action::Edited, Vec::new());
        row.change.conflicts.push(told);
        Write::RemoteChange(Box::new(row))
    }

    /// The rows about records that are no longer kept equal.
    pub(crate) fn trace_unlinks(&self, operations: &[Operation]) -> Vec<Write> {
        let unlinks = operations.iter().filter(|operation| operation.op == OperationKind::Unlink);
        unlinks
            .filter_map(|operation| {
                Some(self.trace(operation.contact?, operation.remote.as_ref()?, Action::Unlinked, Vec::new()))
            })
            .collect()
    }

    pub(crate) fn trace(
        &self,
        contact: ContactId,
        record: &RemoteId,
        action: Action,
        fields: Vec<FieldChange>,
    ) -> Write {
        Write::RemoteChange(Box::new(self.remote_change(contact, record, action, fields)))
    }

    fn remote_change(
        &self,
        contact: ContactId,
        record: &RemoteId,
        action: Action,
        fields: Vec<FieldChange>,
    ) -> RemoteChange {
        let copy = RemoteCopy { replica: self.order.promise.replica.clone(), record: record.clone() };
        let actor = Actor::Replica { replica: ReplicaId::store(self.identity.epoch) };
        let (at, run, conflicts) = (self.now(), Some(self.order.run), Vec::new());
        RemoteChange { copy, change: Change { contact, at, actor, run, action, fields, conflicts } }
    }
}

/// The fields in which a record changed: as it was, and as the contact says that was written into it.
fn travelled(before: &Card, after: &Card, card: &Card) -> Vec<FieldChange> {
    diff::changed_fields(before, after)
        .into_iter()
        .map(|field| FieldChange {
            before: diff::field_value(before, &field),
            after: diff::field_value(card, &field),
            field,
        })
        .collect()
}
