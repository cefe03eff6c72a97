//! `[account.conflict_fields]`, `[account.delete]` and `[account.guard]`: who wins, what a deletion means, and when to
//! stop and ask.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::field::Field;
use crate::domain::pair::{DeletePolicy, Guard, InRemote, InStore, LeftGroup, Limit};
use crate::domain::policy::ConflictPolicy;

use super::pair::PairWish;
use super::table::{At, Notes, Table, found_value};
use super::value;

/// Who wins a conflict, by name.
pub(super) const CONFLICT: [(&str, ConflictPolicy); 4] = [
    ("newest", ConflictPolicy::Newest),
    ("store", ConflictPolicy::Store),
    ("google", ConflictPolicy::Remote),
    ("manual", ConflictPolicy::Manual),
];

/// What a deletion at Google does to the store, by name.
pub(super) const IN_GOOGLE: [(&str, InRemote); 3] =
    [("propagate", InRemote::Propagate), ("unlink", InRemote::Unlink), ("archive", InRemote::Archive)];

/// What a deletion in the store does to Google, by name.
pub(super) const IN_STORE: [(&str, InStore); 3] =
    [("propagate", InStore::Propagate), ("unlink", InStore::Unlink), ("trash-group", InStore::TrashGroup)];

/// What leaving the group means, by name.
pub(super) const LEFT_GROUP: [(&str, LeftGroup); 3] =
    [("unlink", LeftGroup::Unlink), ("delete", LeftGroup::Delete), ("unlabel", LeftGroup::Unlabel)];

/// Exceptions from the account's policy, per field.
pub(super) fn conflict_fields(mut table: Table<'_>, notes: &mut Notes<'_>) -> BTreeMap<Field, ConflictPolicy> {
    let mut policies = BTreeMap::new();
    for (name, word) in table.rest() {
        let key = table.key(&name.value);
        let field: Field = match name.value.parse() {
            Ok(field) => field,
            Err(error) => {
                notes.problem(&name.place, key, format!("{error}"));
                continue;
            }
        };
        match value::choice(&CONFLICT)(word.get_ref()) {
            Ok(policy) => {
                policies.insert(field, policy);
            }
            Err(expected) => {
                let message = format!("expected {expected}, found {}", found_value(word.get_ref()));
                notes.problem(&word.span(), key, message);
            }
        }
    }
    policies
}

/// What a deletion on one side means for the other, in an account with these pairs.
pub(super) fn delete(mut table: Table<'_>, pairs: &[PairWish], notes: &mut Notes<'_>) -> DeletePolicy {
    let in_remote = table.or("in_google", InRemote::Propagate, notes, value::choice(&IN_GOOGLE));
    let in_store = table.or("in_store", InStore::Propagate, notes, value::choice(&IN_STORE));
    let left_group = table.optional("left_group", notes, value::choice(&LEFT_GROUP));
    if let Some(At { value: LeftGroup::Unlabel, place }) = &left_group
        && pairs.iter().any(|wish| wish.pair.labels.is_empty())
    {
        let message = "\"unlabel\" does nothing to a pair without labels: whoever leaves its group is unlinked";
        notes.warning(place, table.key("left_group"), message);
    }
    let left_group = left_group.map_or(LeftGroup::Unlink, |at| at.value);
    let grace = table.or("grace", Duration::ZERO, notes, value::duration);
    table.finish(notes);
    DeletePolicy { in_remote, in_store, left_group, grace }
}

/// When to stop and ask.
pub(super) fn guard(mut table: Table<'_>, notes: &mut Notes<'_>) -> Guard {
    let guard = Guard {
        max_deletes: table.or("max_deletes", Limit::Percent(10.0), notes, value::limit),
        max_updates: table.or("max_updates", Limit::Percent(100.0), notes, value::limit),
        max_blanked_fields: table.or("max_blanked_fields", Limit::Percent(10.0), notes, value::limit),
        max_unlinks: table.or("max_unlinks", Limit::Percent(10.0), notes, value::limit),
        max_left_groups: table.or("max_left_groups", Limit::Percent(10.0), notes, value::limit),
    };
    table.finish(notes);
    guard
}
