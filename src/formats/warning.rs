//! What was odd about a row or card that could be read nevertheless. Where a value went elsewhere or was left out, the
//! text says so.

use std::fmt;

/// Something odd in a row or card that is used. Warnings name fields, never values, so they may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A date that can be read in two ways, and no other value of the column decides.
    AmbiguousDate {
        /// The heading or property.
        heading: String,
    },
    /// A text that is no date.
    UnreadableDate {
        /// The heading or property.
        heading: String,
    },
    /// A text in an e-mail column that is no address.
    NotAnEmail {
        /// The heading or property.
        heading: String,
    },
    /// A text in a phone column that is no number.
    NotAPhone {
        /// The heading or property.
        heading: String,
    },
    /// Photos are not read.
    PhotosLeftOut {
        /// How many.
        count: usize,
    },
    /// A card within a card, as the assistant of this one, is not read.
    AssistantLeftOut,
    /// Properties of a vCard that nobody here understands.
    PropertiesLeftOut {
        /// Their names, each once.
        names: Vec<String>,
    },
    /// Lines of a vCard that belong to no property.
    LinesLeftOut {
        /// How many.
        count: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::AmbiguousDate { heading } => {
                write!(f, "{heading}: day and month can be swapped; kept as text in the custom field {heading}")
            }
            Warning::UnreadableDate { heading } => {
                write!(f, "{heading}: not a date; kept as text in the custom field {heading}")
            }
            Warning::NotAnEmail { heading } => {
                write!(f, "{heading}: not an e-mail address; kept in the custom field {heading}")
            }
            Warning::NotAPhone { heading } => {
                write!(f, "{heading}: not a phone number; kept in the custom field {heading}")
            }
            Warning::PhotosLeftOut { count: 1 } => f.write_str("1 photo was left out"),
            Warning::PhotosLeftOut { count } => write!(f, "{count} photos were left out"),
            Warning::PropertiesLeftOut { names } => write!(f, "not understood and left out: {}", names.join(", ")),
            Warning::LinesLeftOut { count: 1 } => f.write_str("1 line that is no property was left out"),
            Warning::LinesLeftOut { count } => write!(f, "{count} lines that are no properties were left out"),
            Warning::AssistantLeftOut => f.write_str("the card of an assistant within this card was left out"),
        }
    }
}
