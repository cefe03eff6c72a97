//! Taking back what rows of the history did to a card: each field gets the value from before, unless somebody has changed
//! it since.

use std::collections::{BTreeMap, BTreeSet};

use super::contact::Card;
use super::diff::{self, FieldChange};
use super::field::Field;
use super::history::{Action, Change};

/// What several rows come to, by field: the first value before, the last one after. Rows are given oldest first.
pub fn first_and_last<'c>(rows: impl IntoIterator<Item = &'c Change>) -> BTreeMap<Field, FieldChange> {
    let mut fields: BTreeMap<Field, FieldChange> = BTreeMap::new();
    let rows = rows.into_iter().filter(|row| !matches!(row.action, Action::Created));
    for change in rows.flat_map(|row| &row.fields) {
        fields
            .entry(change.field.clone())
            .and_modify(|known| known.after.clone_from(&change.after))
            .or_insert_with(|| change.clone());
    }
    fields
}

/// The card with the values from before these changes, and the fields that changed since and stay as they are. `news` are
/// fields that have changed elsewhere without having come into the card yet.
pub fn put_back(
    card: &Card,
    changes: impl IntoIterator<Item = FieldChange>,
    news: &BTreeSet<Field>,
) -> (Card, Vec<Field>) {
    let mut result = card.clone();
    let mut skipped = Vec::new();
    for FieldChange { field, before, after } in changes {
        let (mut as_before, mut as_after) = (card.clone(), card.clone());
        if diff::set_field(&mut as_before, &field, &before).is_err()
            || diff::set_field(&mut as_after, &field, &after).is_err()
        {
            skipped.push(field);
            continue;
        }
        if !diff::changed_fields(card, &as_before).contains(&field) {
            continue;
        }
        if news.contains(&field) || diff::changed_fields(card, &as_after).contains(&field) {
            skipped.push(field);
        } else {
            diff::copy_field(&field, &as_before, &mut result);
        }
    }
    (result, skipped)
}
