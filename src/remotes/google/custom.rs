//! Custom fields: Google's `userDefined`, under the same key unless mapped otherwise.
//!
//! A key can stand several times at Google; the first one is ours, the others stay as they are.

use serde_json::Value;

use crate::domain::contact::Card;
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::normal;

use super::list::List;
use super::mapping::Mapping;
use super::text::{fits, put, same};
use super::wire::{self, Object, text};

/// A custom field as Google has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) value: String,
}

/// The custom fields of a record.
pub(super) struct Pairs;

impl List for Pairs {
    type Item = Pair;
    const FIELD: &'static str = "userDefined";

    fn read(item: &Value) -> Option<Pair> {
        Some(Pair { key: text(item, "key")?.to_owned(), value: text(item, "value")?.to_owned() })
    }

    fn key(item: &Pair) -> String {
        if normal::text(&item.value).is_empty() { String::new() } else { normal::text(&item.key) }
    }

    /// The key: fields of different keys are never each other's new value.
    fn label(item: &Pair) -> Option<String> {
        Some(normal::text(&item.key))
    }

    fn write(object: &mut Object, before: Option<&Pair>, after: &Pair) {
        if before.is_none() {
            put(object, "key", Some(&after.key));
        }
        put(object, "value", Some(&after.value));
    }

    fn fits(item: &Pair) -> bool {
        fits(Some(&item.key)) && fits(Some(&item.value))
    }

    fn same(one: &Pair, other: &Pair) -> bool {
        same(Some(&one.key), Some(&other.key)) && same(Some(&one.value), Some(&other.value))
    }
}

/// What a card has to say in custom fields of Google.
pub(super) fn of(card: &Card, mapping: &Mapping) -> Vec<Pair> {
    let pair = |field: &Field, value: String| Some(Pair { key: mapping.key_of(field)?, value });
    let own = card.custom.iter().map(|(key, value)| (Field::Custom(key.clone()), value.clone()));
    let text = |field: &Field| diff::field_value(card, field).as_str().map(str::to_owned);
    let moved = mapping.moved().filter_map(|field| Some((field.clone(), text(field)?)));
    own.chain(moved).filter_map(|(field, value)| pair(&field, value)).collect()
}

/// Reads the custom fields of a record into the card.
pub(super) fn read(wire: &Value, mapping: &Mapping, card: &mut Card) {
    for pair in wire::items(wire, Pairs::FIELD).iter().filter_map(Pairs::read) {
        match mapping.field_of(&pair.key) {
            Some(Field::Custom(key)) => _ = card.custom.entry(key).or_insert(pair.value),
            Some(field) if diff::field_value(card, &field).is_null() => {
                // A field that the other kind of contact has means nothing here.
                _ = diff::set_field(card, &field, &pair.value.into());
            }
            _ => {}
        }
    }
}
