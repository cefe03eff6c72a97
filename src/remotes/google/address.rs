//! Postal addresses.
//!
//! Google keeps more parts than we do (the PO box) and a formatted text beside them. The text of an address without
//! parts is read as its street. Once parts are written, the text would contradict them, so Google has to make it anew.
//! A country of two letters also travels as `countryCode`.

use serde_json::Value;

use crate::domain::contact::Address;
use crate::domain::normal;

use super::items::{label, put_label};
use super::list::List;
use super::text::{fits, put, same};
use super::wire::{Object, text};

const TYPES: [&str; 3] = ["home", "work", "other"];
const FORMATTED: &str = "formattedValue";
const STREET: &str = "streetAddress";
/// The parts that make the formatted text superfluous.
const PARTS: [&str; 8] = ["poBox", STREET, "extendedAddress", "city", "region", "postalCode", "country", "countryCode"];

/// Postal addresses.
pub(super) struct Addresses;

impl List for Addresses {
    type Item = Address;
    const FIELD: &'static str = "addresses";

    fn read(item: &Value) -> Option<Address> {
        let part = |name: &str| text(item, name).map(str::to_owned);
        let only_text = PARTS.iter().all(|name| text(item, name).is_none());
        let address = Address {
            label: label(item),
            street: if only_text { part(FORMATTED) } else { part(STREET) },
            extended: part("extendedAddress"),
            city: part("city"),
            region: part("region"),
            postal_code: part("postalCode"),
            country: part("country").or_else(|| part("countryCode")),
        };
        (!Self::key(&address).is_empty()).then_some(address)
    }

    fn key(item: &Address) -> String {
        let parts = parts(item).map(|part| normal::text(part.unwrap_or_default()));
        let country = normal::text(item.country.as_deref().unwrap_or_default());
        let country = country_code(&country).unwrap_or(country);
        if parts.iter().all(String::is_empty) && country.is_empty() {
            return String::new();
        }
        format!("{}\u{1f}{country}", parts.join("\u{1f}"))
    }

    fn label(item: &Address) -> Option<String> {
        normal::label(item.label.as_deref())
    }

    fn write(object: &mut Object, before: Option<&Address>, after: &Address) {
        if before.is_none_or(|before| Self::key(before) != Self::key(after)) {
            write_parts(object, before, after);
        }
        put_label(object, before.map(|item| item.label.as_deref()), after.label.as_deref(), &TYPES);
    }

    fn fits(item: &Address) -> bool {
        parts(item).into_iter().chain([item.country.as_deref(), item.label.as_deref()]).all(fits)
    }

    /// Google may spell the country in another way than it was written.
    fn resembles(sent: &Address, found: &Address) -> bool {
        let placed = sent.street.is_some() || sent.city.is_some() || sent.postal_code.is_some();
        placed && parts(sent).into_iter().zip(parts(found)).all(|(sent, found)| same(sent, found))
    }
}

/// All parts but the country.
fn parts(address: &Address) -> [Option<&str>; 5] {
    let Address { street, extended, city, region, postal_code, .. } = address;
    [street.as_deref(), extended.as_deref(), city.as_deref(), region.as_deref(), postal_code.as_deref()]
}

fn write_parts(object: &mut Object, before: Option<&Address>, after: &Address) {
    let formatted = object.remove(FORMATTED);
    if let (Some(formatted), true) = (formatted, PARTS.iter().all(|part| !object.contains_key(*part))) {
        object.insert(STREET.to_owned(), formatted);
    }
    let names = [STREET, "extendedAddress", "city", "region", "postalCode"];
    let before_parts = before.map(parts);
    for (place, (name, part)) in names.into_iter().zip(parts(after)).enumerate() {
        if before_parts.is_none_or(|before| !same(before[place], part)) {
            put(object, name, part);
        }
    }
    if before.is_none_or(|before| !same(before.country.as_deref(), after.country.as_deref())) {
        put(object, "country", after.country.as_deref());
        put(object, "countryCode", after.country.as_deref().and_then(country_code).as_deref());
    }
}

/// The code that a text of two letters is.
fn country_code(country: &str) -> Option<String> {
    let country = country.trim();
    (country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic())).then(|| country.to_ascii_uppercase())
}
