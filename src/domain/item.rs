//! The items of multi-valued fields, seen alike: each has a value, perhaps a label, perhaps the primary flag.
//!
//! The value is what makes an item itself; label and flag are what one says about it. An item whose value is empty
//! does not exist.

use super::contact::{Address, Email, Event, Im, Phone, Relation, Website};
use super::normal;

/// One item of a multi-valued field.
pub(super) trait Item: Clone + PartialEq {
    /// The item in normal form, with its label and flag; `None` when its value is empty.
    fn normal(&self) -> Option<Self>;

    /// The text that two items with the same value share. Takes an item in normal form.
    fn key(&self) -> String;

    /// Whether two keys that differ may be one value, as a remote spells it and as it was given.
    fn resemble(_one: &str, _other: &str) -> bool {
        false
    }

    /// What kind of value it is: `work`, `home`, …
    fn label(&self) -> Option<&str> {
        None
    }

    /// Gives it another label; nothing happens where items have none.
    fn relabel(&mut self, _label: Option<String>) {}

    /// Whether it is the one to use first.
    fn is_primary(&self) -> bool {
        false
    }

    /// Sets the flag; nothing happens where items have none.
    fn flag(&mut self, _flag: Flag) {}
}

/// Whether an item is the one to use first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    Primary,
    Plain,
}

/// Parts of a value are joined by a character that normal texts never hold.
const BETWEEN: &str = "\u{1f}";

fn filled(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

fn part(text: Option<&String>) -> Option<String> {
    filled(normal::text(text?))
}

impl Item for Email {
    fn normal(&self) -> Option<Self> {
        let value = filled(normal::email_key(&self.value))?;
        Some(Email { value, label: normal::label(self.label.as_deref()), primary: self.primary })
    }

    fn key(&self) -> String {
        self.value.clone()
    }

    fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    fn relabel(&mut self, label: Option<String>) {
        self.label = label;
    }

    fn is_primary(&self) -> bool {
        self.primary
    }

    fn flag(&mut self, flag: Flag) {
        self.primary = flag == Flag::Primary;
    }
}

impl Item for Phone {
    fn normal(&self) -> Option<Self> {
        let value = filled(normal::phone_key(&self.value))?;
        Some(Phone { value, label: normal::label(self.label.as_deref()), primary: self.primary })
    }

    fn key(&self) -> String {
        self.value.clone()
    }

    fn resemble(one: &str, other: &str) -> bool {
        normal::resemble(one, other)
    }

    fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    fn relabel(&mut self, label: Option<String>) {
        self.label = label;
    }

    fn is_primary(&self) -> bool {
        self.primary
    }

    fn flag(&mut self, flag: Flag) {
        self.primary = flag == Flag::Primary;
    }
}

impl Item for Address {
    fn normal(&self) -> Option<Self> {
        let address = Address {
            label: normal::label(self.label.as_deref()),
            street: part(self.street.as_ref()),
            extended: part(self.extended.as_ref()),
            city: part(self.city.as_ref()),
            region: part(self.region.as_ref()),
            postal_code: part(self.postal_code.as_ref()),
            country: part(self.country.as_ref()).map(country),
        };
        let nowhere = Address { label: address.label.clone(), ..Address::default() };
        (address != nowhere).then_some(address)
    }

    fn key(&self) -> String {
        [&self.street, &self.extended, &self.city, &self.region, &self.postal_code, &self.country]
            .map(|part| part.as_deref().unwrap_or_default())
            .join(BETWEEN)
    }

    fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    fn relabel(&mut self, label: Option<String>) {
        self.label = label;
    }
}

/// A code of two letters means the same in either case; a name stays as written.
fn country(text: String) -> String {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        text.to_ascii_uppercase()
    } else {
        text
    }
}

impl Item for Website {
    fn normal(&self) -> Option<Self> {
        let value = filled(normal::url_key(&self.value))?;
        Some(Website { value, label: normal::label(self.label.as_deref()) })
    }

    fn key(&self) -> String {
        self.value.clone()
    }

    fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    fn relabel(&mut self, label: Option<String>) {
        self.label = label;
    }
}

impl Item for Event {
    fn normal(&self) -> Option<Self> {
        Some(Event { label: normal::label(self.label.as_deref()), date: self.date })
    }

    fn key(&self) -> String {
        self.date.to_string()
    }

    fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    fn relabel(&mut self, label: Option<String>) {
        self.label = label;
    }
}

impl Item for Im {
    fn normal(&self) -> Option<Self> {
        let value = filled(normal::text(&self.value))?;
        let protocol = normal::protocol(self.protocol.as_deref());
        Some(Im { value, protocol, label: normal::label(self.label.as_deref()) })
    }

    fn key(&self) -> String {
        format!("{}{BETWEEN}{}", self.value, self.protocol.as_deref().unwrap_or_default())
    }

    fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    fn relabel(&mut self, label: Option<String>) {
        self.label = label;
    }
}

impl Item for Relation {
    fn normal(&self) -> Option<Self> {
        let value = filled(normal::text(&self.value))?;
        Some(Relation { value, label: normal::label(self.label.as_deref()) })
    }

    fn key(&self) -> String {
        self.value.clone()
    }

    fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    fn relabel(&mut self, label: Option<String>) {
        self.label = label;
    }
}

/// Nicknames and labels: the text is all there is.
impl Item for String {
    fn normal(&self) -> Option<Self> {
        filled(normal::text(self))
    }

    fn key(&self) -> String {
        self.clone()
    }
}
