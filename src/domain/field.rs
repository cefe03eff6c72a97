//! The fields of a contact by name, as policies, conflicts and the history speak of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One field of a contact. Written as in the JSON shape; a custom field as `custom.<key>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum Field {
    Name,
    Emails,
    Phones,
    Addresses,
    Organization,
    JobTitle,
    Department,
    Birthday,
    Events,
    Websites,
    Ims,
    Relations,
    Nicknames,
    Industry,
    Notes,
    Labels,
    Custom(String),
    Owner,
    Visibility,
    Photo,
}

/// No field has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a field; expected one of {}, or custom.<key>", Field::NAMES.map(|(name, _)| name).join(", "))]
pub struct ParseFieldError {
    name: String,
}

impl Field {
    const NAMES: [(&'static str, Field); 19] = [
        ("name", Field::Name),
        ("emails", Field::Emails),
        ("phones", Field::Phones),
        ("addresses", Field::Addresses),
        ("organization", Field::Organization),
        ("job_title", Field::JobTitle),
        ("department", Field::Department),
        ("birthday", Field::Birthday),
        ("events", Field::Events),
        ("websites", Field::Websites),
        ("ims", Field::Ims),
        ("relations", Field::Relations),
        ("nicknames", Field::Nicknames),
        ("industry", Field::Industry),
        ("notes", Field::Notes),
        ("labels", Field::Labels),
        ("owner", Field::Owner),
        ("visibility", Field::Visibility),
        ("photo", Field::Photo),
    ];
}

impl Field {
    /// Every field but the custom ones, by name, in the order of the JSON shape.
    pub fn names() -> impl Iterator<Item = (&'static str, Field)> {
        Field::NAMES.into_iter()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Custom(key) => write!(f, "custom.{key}"),
            named => {
                let name = Field::NAMES.iter().find(|(_, field)| field == named).map_or("", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

impl FromStr for Field {
    type Err = ParseFieldError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(key) = text.strip_prefix("custom.") {
            return Ok(Field::Custom(key.to_owned()));
        }
        Field::NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, field)| field.clone())
            .ok_or_else(|| ParseFieldError { name: text.to_owned() })
    }
}

impl From<Field> for String {
    fn from(field: Field) -> String {
        field.to_string()
    }
}

impl TryFrom<String> for Field {
    type Error = ParseFieldError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_round_trips_by_name() {
        for (name, field) in Field::NAMES {
            assert_eq!(field.to_string(), name);
            assert_eq!(name.parse(), Ok(field));
        }
        assert_eq!("custom.Price list".parse(), Ok(Field::Custom("Price list".into())));
        assert!("favourite_colour".parse::<Field>().is_err());
    }
}
