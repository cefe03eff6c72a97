//! Names: the parts are the truth, the display forms are computed.

use serde_json::{Map, Value};

use super::super::failure::Failure;
use super::super::world::World;

const PARTS: [&str; 5] = ["honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix"];

/// Adds the display forms. A name given as one string is split at its last word, as a rough stand-in for Google's own
/// undocumented split.
///
/// # Errors
/// Strict mode: parts and `unstructuredName` that say different things, since nobody knows which wins.
pub fn complete(name: &mut Map<String, Value>, world: &World<'_>) -> Result<(), Failure> {
    let whole = text(name, "unstructuredName").map(str::to_owned);
    let has_parts = PARTS.iter().any(|part| name.contains_key(*part));
    match (whole, has_parts) {
        (Some(whole), false) => split(name, &whole),
        (Some(whole), true) if whole != display(name) && world.is_strict() => {
            let reason = "unstructuredName and the parts of the name say different things";
            return Err(Failure::invalid_argument().because(reason));
        }
        _ => {
            put(name, "unstructuredName", display(name));
        }
    }
    put(name, "displayName", text(name, "unstructuredName").unwrap_or_default().to_owned());
    put(name, "displayNameLastFirst", last_first(name));
    Ok(())
}

fn split(name: &mut Map<String, Value>, whole: &str) {
    let words: Vec<&str> = whole.split_whitespace().collect();
    match words.as_slice() {
        [] => {}
        [only] => put(name, "givenName", (*only).to_owned()),
        [given @ .., family] => {
            put(name, "givenName", given.join(" "));
            put(name, "familyName", (*family).to_owned());
        }
    }
}

fn display(name: &Map<String, Value>) -> String {
    join(name, &PARTS)
}

fn last_first(name: &Map<String, Value>) -> String {
    let Some(family) = text(name, "familyName") else { return display(name) };
    let rest = join(name, &PARTS[..3]);
    let parts = [family, rest.as_str(), text(name, "honorificSuffix").unwrap_or_default()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

fn join(name: &Map<String, Value>, parts: &[&str]) -> String {
    let words: Vec<&str> = parts.iter().filter_map(|part| text(name, part)).collect();
    words.join(" ")
}

fn text<'a>(name: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    name.get(member).and_then(Value::as_str)
}

/// An empty text is no member: a name of phonetic parts only has no display form.
fn put(name: &mut Map<String, Value>, member: &str, text: String) {
    if !text.is_empty() {
        name.insert(member.to_owned(), Value::String(text));
    }
}
