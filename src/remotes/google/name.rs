//! The name of a person, part by part.
//!
//! Whole names (`displayName`, `unstructuredName`) are Google's work and never sent beside parts: nobody knows which
//! of them wins. A name that came as a whole is split once, when a part of it changes.

use serde_json::Value;

use crate::domain::name::Name;

use super::draft::Draft;
use super::text::{fits, put, same};
use super::wire::{self, Object, text};

const FIELD: &str = "names";
const WHOLE: &str = "unstructuredName";

type Part = (&'static str, fn(&Name) -> Option<&str>);

const PARTS: [Part; 5] = [
    ("honorificPrefix", |name| name.prefix.as_deref()),
    ("givenName", |name| name.given.as_deref()),
    ("middleName", |name| name.middle.as_deref()),
    ("familyName", |name| name.family.as_deref()),
    ("honorificSuffix", |name| name.suffix.as_deref()),
];

/// The name of a record; without parts when it has none.
pub(super) fn read(wire: &Value) -> Name {
    wire::items(wire, FIELD).first().map(read_item).unwrap_or_default()
}

fn read_item(item: &Value) -> Name {
    let part = |name: &str| text(item, name).map(str::to_owned);
    let name = Name {
        prefix: part("honorificPrefix"),
        given: part("givenName"),
        middle: part("middleName"),
        family: part("familyName"),
        suffix: part("honorificSuffix"),
    };
    match text(item, WHOLE) {
        Some(whole) if name.is_empty() => Name::split(whole),
        _ => name,
    }
}

/// Changes the parts that differ.
pub(super) fn edit(draft: &mut Draft, from: &Name, to: &Name) {
    let changed: Vec<Part> =
        PARTS.into_iter().filter(|(_, part)| !same(part(from), part(to)) && fits(part(to))).collect();
    if changed.is_empty() {
        return;
    }
    // Google refuses a second name, so one is all there can be.
    let first = draft.items(FIELD).into_iter().next();
    let mut name = first.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    if !wire::has_name_parts(&name) && name.remove(WHOLE).is_some() {
        let split = first.as_ref().map(read_item).unwrap_or_default();
        PARTS.iter().for_each(|(member, part)| put(&mut name, member, part(&split)));
    }
    for (member, part) in changed {
        put(&mut name, member, part(to));
    }
    draft.replace(FIELD, if is_bare(&name) { Vec::new() } else { vec![Value::Object(name)] });
}

fn is_bare(name: &Object) -> bool {
    name.keys().all(|member| member == "metadata")
}

/// The parts that are too long for Google, by our names of them.
pub(super) fn too_long(name: &Name) -> impl Iterator<Item = &'static str> {
    let names = ["prefix", "given name", "middle name", "family name", "suffix"];
    let long = PARTS.map(|(_, part)| !fits(part(name)));
    names.into_iter().zip(long).filter(|(_, long)| *long).map(|(name, _)| name)
}
