//! The file that says where columns go when the guesses are wrong.
//!
//! ```toml
//! [columns]
//! "Kunde seit" = "custom.Customer since"
//! "Tel. Zentrale" = "phone.main"
//! "Interne Nr." = "ignore"
//! ```
//!
//! A heading that the map does not name is still guessed. Headings are compared without case, accents and punctuation.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

use super::headings;
use super::target::{ParseTargetError, Target};

/// Where columns go, by heading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap {
    /// By the heading as written.
    columns: BTreeMap<String, Target>,
}

/// A map that cannot be used.
#[derive(Debug, Error)]
pub enum MapError {
    /// The file is no TOML, or has other keys than `[columns]`.
    #[error("{file}:{line}: {message}; expected [columns] with lines like \"Heading\" = \"name.given\"")]
    Syntax {
        /// The name of the map file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the TOML reader says.
        message: String,
    },
    /// A heading is mapped to something that is no target.
    #[error("{file}:{line}: columns.{heading:?}: {cause}")]
    Target {
        /// The name of the map file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The heading.
        heading: String,
        /// What is expected instead. Part of the message, because it is the cure.
        cause: ParseTargetError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    columns: BTreeMap<String, Spanned<String>>,
}

impl ColumnMap {
    /// Reads a map; `file` is its name, for messages.
    ///
    /// # Errors
    /// [`MapError`] names file, line, heading and what is expected.
    pub fn parse(file: &str, text: &str) -> Result<Self, MapError> {
        let parsed: File = toml::from_str(text).map_err(|error| MapError::Syntax {
            file: file.to_owned(),
            line: error.span().map_or(1, |span| line_at(text, span.start)),
            message: error.message().trim().to_owned(),
        })?;
        let target = |(heading, target): (String, Spanned<String>)| match target.get_ref().parse() {
            Ok(target) => Ok((heading, target)),
            Err(cause) => {
                let line = line_at(text, target.span().start);
                Err(MapError::Target { file: file.to_owned(), line, heading, cause })
            }
        };
        Ok(ColumnMap { columns: parsed.columns.into_iter().map(target).collect::<Result<_, _>>()? })
    }

    /// Where the column of this heading goes, if the map says so.
    pub(super) fn target(&self, heading: &str) -> Option<&Target> {
        self.columns.get(heading).or_else(|| {
            let key = headings::key(heading);
            self.columns.iter().find(|(known, _)| headings::key(known) == key).map(|(_, target)| target)
        })
    }

    /// The headings that no column of the file has.
    pub(super) fn unmatched(&self, present: &[String]) -> Vec<String> {
        let present: Vec<String> = present.iter().map(|heading| headings::key(heading)).collect();
        self.columns.keys().filter(|heading| !present.contains(&headings::key(heading))).cloned().collect()
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found_in_any_spelling() {
        let map = ColumnMap::parse("map.toml", "[columns]\n\"Tel. Zentrale\" = \"phone.main\"\n").expect("valid");
        assert_eq!(map.target("TEL ZENTRALE").map(ToString::to_string).as_deref(), Some("phone.main"));
        assert_eq!(map.target("Telefon"), None);
        assert_eq!(map.unmatched(&["Telefon".to_owned()]), ["Tel. Zentrale"]);
    }

    #[test]
    fn errors_name_file_line_heading_and_cure() {
        let error =
            ColumnMap::parse("map.toml", "[columns]\nA = \"name.given\"\nB = \"name.first\"\n").expect_err("wrong");
        let text = error.to_string();
        assert!(
            text.starts_with("map.toml:3: columns.\"B\": \"name.first\" is no target; expected name.full"),
            "{text}"
        );
        for (text, line) in [("[columns]\nA = 5\n", 2), ("\n[colums]\nA = \"email\"\n", 2), ("[columns\n", 1)] {
            let shown = ColumnMap::parse("map.toml", text).expect_err(text).to_string();
            assert!(shown.starts_with(&format!("map.toml:{line}: ")), "{shown}");
            assert!(shown.contains("expected [columns]"), "{shown}");
        }
    }
}
