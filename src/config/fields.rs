//! `[account.fields]`: fields that travel differently than usual.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use toml::de::DeValue;

use crate::domain::field::Field;

use super::table::{Notes, Table, found_value};

/// Where a field of a contact goes at Google, when not to its usual place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldTarget {
    /// Nowhere: the field stays in the store, and what Google has there is left alone.
    Off,
    /// Into the user-defined field with this key.
    UserDefined(String),
}

impl fmt::Display for FieldTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldTarget::Off => f.write_str("off"),
            FieldTarget::UserDefined(key) => write!(f, "userDefined:{key}"),
        }
    }
}

/// Reads the overrides. A target that two fields share is a contradiction: they would overwrite each other.
pub(super) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> BTreeMap<Field, FieldTarget> {
    let mut map = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for (name, word) in table.rest() {
        let key = table.key(&name.value);
        let field: Field = match name.value.parse() {
            Ok(field) => field,
            Err(error) => {
                notes.problem(&name.place, key, format!("{error}"));
                continue;
            }
        };
        match target(&field, word.get_ref()) {
            Ok(target) if target != FieldTarget::Off && !taken.insert(target.clone()) => {
                notes.problem(&word.span(), key, format!("{target} is the target of another field already"));
            }
            Ok(target) => {
                map.insert(field, target);
            }
            Err(expected) => {
                let message = format!("expected {expected}, found {}", found_value(word.get_ref()));
                notes.problem(&word.span(), key, message);
            }
        }
    }
    map
}

fn target(field: &Field, value: &DeValue<'_>) -> Result<FieldTarget, String> {
    let word = match value {
        DeValue::String(text) => text.trim(),
        _ => "",
    };
    match (field, word.split_once(':')) {
        (Field::Name, _) => Err("nothing: the name always travels, and always as the name".to_owned()),
        (_, None) if word == "off" => Ok(FieldTarget::Off),
        (field, Some(("userDefined", key))) if is_one_text(field) && !key.trim().is_empty() => {
            Ok(FieldTarget::UserDefined(key.trim().to_owned()))
        }
        (field, _) if is_one_text(field) => Err("\"off\" or \"userDefined:KEY\"".to_owned()),
        _ => Err("\"off\" (this field holds more than one text, so no other place can hold it)".to_owned()),
    }
}

/// Whether the field is one text, so that a user-defined field can hold it.
fn is_one_text(field: &Field) -> bool {
    match field {
        Field::JobTitle | Field::Department | Field::Industry | Field::Notes | Field::Owner | Field::Custom(_) => true,
        Field::Name
        | Field::Emails
        | Field::Phones
        | Field::Addresses
        | Field::Organization
        | Field::Birthday
        | Field::Events
        | Field::Websites
        | Field::Ims
        | Field::Relations
        | Field::Nicknames
        | Field::Labels
        | Field::Visibility
        | Field::Photo => false,
    }
}
