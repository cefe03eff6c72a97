//! The field map of an account: which fields are switched off, and which custom field of Google holds what.
//!
//! Without a rule every field travels as Google names it, and a custom field under its own key.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::domain::digest::Digest;
use crate::domain::field::Field;
use crate::domain::normal;

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// It does not travel. Written `off`.
    Off,
    /// It travels as the custom field with this key. Written `userDefined:<key>`.
    UserDefined(String),
}

/// The text names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no target of a field; expected off or userDefined:<key>")]
pub struct ParseTargetError {
    text: String,
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "off" => Ok(Target::Off),
            Some(("userDefined", key)) if !key.trim().is_empty() => Ok(Target::UserDefined(key.trim().to_owned())),
            _ => Err(ParseTargetError { text: text.to_owned() }),
        }
    }
}

/// Rules that cannot all hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// A custom field of Google is one text, and the field is more than that.
    #[error("{field} cannot travel as a custom field: it is more than one text")]
    NoText {
        /// The field.
        field: Field,
    },
    /// Without a name a contact is nothing.
    #[error("{field} cannot be switched off")]
    AlwaysOn {
        /// The field.
        field: Field,
    },
    /// Two fields cannot share a key.
    #[error("{one} and {other} would share the custom field {key:?}")]
    Shared {
        /// The key.
        key: String,
        /// One field.
        one: Field,
        /// The other field.
        other: Field,
    },
}

/// The field map of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    off: BTreeSet<Field>,
    keys: BTreeMap<Field, String>,
    fields: BTreeMap<String, Field>,
}

impl Mapping {
    /// The map that these rules make.
    ///
    /// # Errors
    /// [`MappingError`] names the field, or the two fields, that cannot be mapped so.
    pub fn new(rules: impl IntoIterator<Item = (Field, Target)>) -> Result<Self, MappingError> {
        let mut mapping = Mapping::default();
        for (field, target) in rules {
            match (target, &field) {
                (Target::Off, Field::Name) => return Err(MappingError::AlwaysOn { field }),
                (Target::Off, _) => _ = mapping.off.insert(field),
                (Target::UserDefined(key), text) if is_one_text(text) => {
                    let key = normal::text(&key);
                    if let Some(one) = mapping.fields.insert(key.clone(), field.clone()) {
                        return Err(MappingError::Shared { key, one, other: field });
                    }
                    mapping.keys.insert(field, key);
                }
                (Target::UserDefined(_), _) => return Err(MappingError::NoText { field }),
            }
        }
        Ok(mapping)
    }

    /// A number of its own for each map, that of a release for the map without rules.
    pub fn revision(&self, release: u32) -> u32 {
        if *self == Mapping::default() {
            return release;
        }
        let off: Vec<String> = self.off.iter().map(ToString::to_string).collect();
        let keys: Vec<String> = self.keys.iter().map(|(field, key)| format!("{field}={key}")).collect();
        let digest = Digest::of_bytes(format!("{release}\n{}\n{}", off.join("\n"), keys.join("\n")).as_bytes());
        let [a, b, c, d, ..] = *digest.as_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// Whether the field travels at all, as far as Google has a place for it.
    pub fn is_on(&self, field: &Field) -> bool {
        !self.off.contains(field)
    }

    /// Whether the field stands where Google usually has it.
    pub fn is_usual(&self, field: &Field) -> bool {
        self.is_on(field) && !self.keys.contains_key(field)
    }

    /// The fields that rules put into custom fields of Google, but for our own custom fields.
    pub fn moved(&self) -> impl Iterator<Item = &Field> {
        self.keys.keys().filter(|field| !matches!(field, Field::Custom(_)))
    }

    /// The key of the custom field of Google that holds the field; `None` when none does.
    ///
    /// A custom field without a rule cannot use a key that a rule gives to another field.
    pub fn key_of(&self, field: &Field) -> Option<String> {
        match (self.keys.get(field), field) {
            (Some(key), _) => Some(key.clone()),
            (None, Field::Custom(key)) if self.is_on(field) => {
                (!self.fields.contains_key(&normal::text(key))).then(|| key.clone())
            }
            _ => None,
        }
    }

    /// The field that the custom field of Google with this key holds; `None` when it is not ours.
    pub fn field_of(&self, key: &str) -> Option<Field> {
        let own = || Some(Field::Custom(key.to_owned())).filter(|own| self.is_on(own) && !self.keys.contains_key(own));
        self.fields.get(&normal::text(key)).cloned().or_else(own)
    }
}

/// Whether the field is one text, so that a custom field of Google can hold it.
fn is_one_text(field: &Field) -> bool {
    use Field::{Custom, Department, Industry, JobTitle, Notes, Owner};
    matches!(field, Custom(_) | Department | Industry | JobTitle | Notes | Owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(key: &str) -> Field {
        Field::Custom(key.to_owned())
    }

    fn mapping(rules: &[(&str, &str)]) -> Result<Mapping, MappingError> {
        Mapping::new(
            rules.iter().map(|(field, target)| (field.parse().expect("field"), target.parse().expect("target"))),
        )
    }

    #[test]
    fn targets_are_off_or_a_custom_field() {
        assert_eq!("off".parse(), Ok(Target::Off));
        assert_eq!("userDefined:Price list".parse(), Ok(Target::UserDefined("Price list".to_owned())));
        for text in ["", "on", "userDefined:", "userDefined: ", "names:x"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_that_a_rule_gives_away_is_nobody_elses() {
        let mapping =
            mapping(&[("custom.A", "userDefined:B"), ("custom.C", "off"), ("industry", "userDefined:Branch")])
                .expect("valid");
        for (field, key) in [
            (custom("A"), Some("B")),
            (custom("B"), None),
            (custom("C"), None),
            (custom("D"), Some("D")),
            (custom("Branch"), None),
            (Field::Industry, Some("Branch")),
            (Field::Owner, None),
        ] {
            assert_eq!(mapping.key_of(&field).as_deref(), key, "{field}");
        }
        for (key, field) in [
            ("A", None),
            ("B", Some(custom("A"))),
            ("C", None),
            ("D", Some(custom("D"))),
            ("Branch", Some(Field::Industry)),
        ] {
            assert_eq!(mapping.field_of(key), field, "{key}");
        }
    }

    #[test]
    fn rules_that_cannot_hold_are_refused() {
        assert_eq!(mapping(&[("name", "off")]), Err(MappingError::AlwaysOn { field: Field::Name }));
        assert_eq!(mapping(&[("emails", "userDefined:N")]), Err(MappingError::NoText { field: Field::Emails }));
        let shared = mapping(&[("custom.A", "userDefined:X"), ("owner", "userDefined:X")]);
        assert!(matches!(shared, Err(MappingError::Shared { .. })), "{shared:?}");
    }
}
