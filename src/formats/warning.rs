//! What was odd about a row or card that could be read nevertheless. Where a value went elsewhere or was left out, the
//! text says so. It names the value, which is personal data: it is for the person who imports and belongs in no log.

use std::fmt;

/// Something odd in a row or card that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A date that can be read in two ways, and no other value of the column decides.
    AmbiguousDate {
        /// The heading or property.
        heading: String,
        /// The text.
        value: String,
    },
    /// A text that is no date.
    UnreadableDate {
        /// The heading or property.
        heading: String,
        /// The text.
        value: String,
    },
    /// A text in an e-mail column that is no address.
    NotAnEmail {
        /// The heading or property.
        heading: String,
        /// The text.
        value: String,
    },
    /// A text in a phone column that is no number.
    NotAPhone {
        /// The heading or property.
        heading: String,
        /// The text.
        value: String,
    },
    /// A phone number that a spreadsheet took for a number to count with, and lost digits of.
    RuinedPhone {
        /// The heading or property.
        heading: String,
        /// The text.
        value: String,
    },
    /// A phone number that came as a number to count with.
    PhoneAsNumber {
        /// The heading or property.
        heading: String,
        /// The digits.
        value: String,
    },
    /// A cell that looks like a formula, in a file that has no formulas.
    FormulaAsText {
        /// The heading.
        heading: String,
        /// The text.
        value: String,
    },
    /// A cell whose formula failed, such as `#N/A`.
    FailedFormula {
        /// The heading.
        heading: String,
        /// The error that the cell shows.
        value: String,
    },
    /// A cell whose formula came to nothing.
    EmptyFormula {
        /// The heading.
        heading: String,
    },
    /// A row that says something of a deal, but not what the deal is.
    NoDeal {
        /// The headings of what was left out.
        headings: Vec<String>,
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
            Warning::AmbiguousDate { heading, value } => {
                write!(f, "{heading}: day and month of {value:?} can be swapped; kept in the custom field {heading}")
            }
            Warning::UnreadableDate { heading, value } => {
                write!(f, "{heading}: {value:?} is not a date; kept in the custom field {heading}")
            }
            Warning::NotAnEmail { heading, value } => {
                write!(f, "{heading}: {value:?} is not an e-mail address; kept in the custom field {heading}")
            }
            Warning::NotAPhone { heading, value } => {
                write!(f, "{heading}: {value:?} is not a phone number; kept in the custom field {heading}")
            }
            Warning::RuinedPhone { heading, value } => write!(
                f,
                "{heading}: a spreadsheet made {value:?} of a phone number, and digits are lost; kept in the custom field \
                 {heading}"
            ),
            Warning::PhoneAsNumber { heading, value } => {
                write!(
                    f,
                    "{heading}: {value} came as a number, so a plus or zeros in front may be missing; taken as it is"
                )
            }
            Warning::FormulaAsText { heading, value } => {
                write!(f, "{heading}: {value:?} looks like a formula and was taken as text")
            }
            Warning::FailedFormula { heading, value } => write!(f, "{heading}: the cell shows {value}; left empty"),
            Warning::EmptyFormula { heading } => {
                write!(f, "{heading}: the formula in the cell came to nothing; left empty")
            }
            Warning::NoDeal { headings } => {
                write!(f, "{}: there is neither title nor value of a deal, so none is made", headings.join(", "))
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
