//! What the service makes of the items it is sent: members it fills itself are dropped, the computed ones added.
//!
//! The result is what a later read shows, without the metadata (which depends on the reader). Items that belong to a
//! profile are not contact data and are ignored. Where the documents do not say what becomes of odd input, the strict
//! mode refuses it, because a careful client does not send it.

mod address;
mod name;
mod phone;
mod words;

use serde_json::{Map, Value, json};

use super::failure::{Code, Failure};
use super::mask::Field;
use super::schema::{Access, Kind, Shape};
use super::world::World;

/// The longest text of one member, in characters; notes excepted.
const TEXT_CHARS_MAX: usize = 1024;
/// The longest note the strict mode accepts, in bytes; the true limit is not known.
const NOTE_BYTES_MAX: usize = 30_000;

/// Shapes the items sent for `field`.
///
/// # Errors
/// Two items of a singleton field, a name that has only a display name, a text that is too long; in strict mode also
/// empty items, duplicates, impossible dates and contradicting names.
pub fn items(field: Field, sent: &[Value], world: &World<'_>) -> Result<Vec<Value>, Failure> {
    let mut shaped: Vec<Value> = Vec::with_capacity(sent.len());
    for item in sent.iter().filter_map(Value::as_object).filter(|item| is_contact_data(item)) {
        if let Some(item) = one(field, item, world)? {
            shaped.push(item);
        }
    }
    if field.is_singleton() && shaped.len() > 1 {
        let text = format!("Cannot have more than one person.{} per source.", field.name());
        return Err(Failure::new(Code::InvalidArgument, text));
    }
    if shaped.iter().filter(|item| item.get("metadata").is_some()).count() > 1 {
        return Err(Failure::invalid_argument().because(format!("two primary items in {}", field.name())));
    }
    refuse_duplicates(field, shaped, world)
}

fn is_contact_data(item: &Map<String, Value>) -> bool {
    let source = item.get("metadata").and_then(|metadata| metadata.get("source")).and_then(|source| source.get("type"));
    source.and_then(Value::as_str).is_none_or(|kind| kind == "CONTACT")
}

fn refuse_duplicates(field: Field, mut shaped: Vec<Value>, world: &World<'_>) -> Result<Vec<Value>, Failure> {
    if matches!(field, Field::ClientData | Field::UserDefined) || shaped.len() < 2 {
        return Ok(shaped);
    }
    let mut seen = std::collections::BTreeSet::new();
    let count = shaped.len();
    shaped.retain(|item| seen.insert(item.to_string()));
    if shaped.len() < count && world.is_strict() {
        return Err(Failure::invalid_argument().because(format!("the same item twice in {}", field.name())));
    }
    Ok(shaped)
}

fn one(field: Field, sent: &Map<String, Value>, world: &World<'_>) -> Result<Option<Value>, Failure> {
    let mut item = writable(sent, field.shape());
    if is_hollow(&item) {
        if field == Field::Names && sent.contains_key("displayName") {
            return Err(Failure::invalid_argument().because("a name with nothing but a display name"));
        }
        if world.is_strict() {
            return Err(Failure::invalid_argument().because(format!("an empty item in {}", field.name())));
        }
        return Ok(None);
    }
    check_lengths(field, &item, world)?;
    check_dates(field, &item, world)?;
    complete(field, &mut item, world)?;
    let marked = sent.get("metadata").and_then(|metadata| metadata.get("sourcePrimary")) == Some(&Value::Bool(true));
    if marked {
        item.insert("metadata".to_owned(), json!({ "sourcePrimary": true }));
    }
    Ok(Some(Value::Object(item)))
}

/// The members a client may write, without empty ones.
fn writable(sent: &Map<String, Value>, shape: &Shape) -> Map<String, Value> {
    let mut item = Map::new();
    for (name, value) in sent {
        let Some(member) = shape.member(name) else { continue };
        if member.access == Access::OutputOnly || name == "metadata" {
            continue;
        }
        let value = match (&member.kind, value) {
            (Kind::One(inner), Value::Object(map)) => Value::Object(writable(map, inner)),
            (Kind::Number, Value::String(text)) => text.parse::<i64>().map_or(Value::Null, Value::from),
            _ => value.clone(),
        };
        if !is_empty(&value) {
            item.insert(name.clone(), value);
        }
    }
    item
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    }
}

/// Whether an item says nothing: a label without a value.
fn is_hollow(item: &Map<String, Value>) -> bool {
    item.keys().all(|name| matches!(name.as_str(), "type" | "current" | "contentType" | "protocol"))
}

fn check_lengths(field: Field, item: &Map<String, Value>, world: &World<'_>) -> Result<(), Failure> {
    for (name, value) in item {
        let Some(text) = value.as_str() else { continue };
        let is_too_long = match field {
            Field::Biographies => world.is_strict() && text.len() > NOTE_BYTES_MAX,
            _ => text.chars().count() > TEXT_CHARS_MAX,
        };
        if is_too_long {
            return Err(Failure::invalid_argument().because(format!("{}.{name} is too long", field.name())));
        }
    }
    Ok(())
}

fn check_dates(field: Field, item: &Map<String, Value>, world: &World<'_>) -> Result<(), Failure> {
    for name in ["date", "startDate", "endDate"] {
        let Some(date) = item.get(name) else { continue };
        let part = |name: &str| date.get(name).and_then(Value::as_i64).unwrap_or(0);
        if world.is_strict() && !is_date(part("year"), part("month"), part("day")) {
            return Err(Failure::invalid_argument().because(format!("{} has an impossible {name}", field.name())));
        }
    }
    Ok(())
}

/// A date whose parts may be zero, from the right for a year or a month, from the left for a birthday without a year.
fn is_date(year: i64, month: i64, day: i64) -> bool {
    let days = match month {
        0 => 0,
        2 if year == 0 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (0..=9999).contains(&year) && (0..=12).contains(&month) && (0..=days).contains(&day) && (year > 0 || day > 0)
}

fn complete(field: Field, item: &mut Map<String, Value>, world: &World<'_>) -> Result<(), Failure> {
    let put = |item: &mut Map<String, Value>, name: &str, text: String| {
        item.insert(name.to_owned(), Value::String(text));
    };
    match field {
        Field::Names => name::complete(item, world)?,
        Field::Addresses => address::complete(item),
        Field::PhoneNumbers => {
            let value = item.get("value").and_then(Value::as_str).unwrap_or_default();
            if let Some(number) = phone::canonical(value, &world.settings.region) {
                put(item, "canonicalForm", number);
            }
        }
        Field::Biographies if !item.contains_key("contentType") => put(item, "contentType", "TEXT_PLAIN".to_owned()),
        Field::Nicknames if item.get("type").is_some_and(|kind| kind == "DEFAULT") => {
            item.remove("type");
        }
        Field::Genders => {
            let value = item.get("value").and_then(Value::as_str).unwrap_or_default();
            let text = words::formatted(value);
            put(item, "formattedValue", text);
        }
        _ => {}
    }
    for (source, target) in [("type", "formattedType"), ("protocol", "formattedProtocol")] {
        let text = item.get(source).and_then(Value::as_str).map(|word| words::label(field, word));
        if let Some(text) = text.filter(|_| field.shape().member(target).is_some()) {
            put(item, target, text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
