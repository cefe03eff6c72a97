//! Definitions: what custom fields, labels and pipelines there are, by name.
//!
//! A contact carries its labels and the values of its custom fields itself, by name; a definition adds what the name
//! alone does not say. A name without a definition is fine: such a label has no colour, such a field holds text.

use serde::{Deserialize, Serialize};

use crate::domain::contact::Kind;
use crate::domain::custom_field::FieldType;
use crate::domain::time::Timestamp;

/// A custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomField {
    /// What has it.
    pub of: FieldOf,
    /// Its name, which is the key of its values.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// The values it may have, in order; only of types with options.
    #[serde(default)]
    pub options: Vec<String>,
    /// When it was retired: it takes no new values, those that are there stay.
    #[serde(default)]
    pub retired: Option<Timestamp>,
}

/// What has a custom field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant says it")]
pub enum FieldOf {
    Person,
    Organization,
    Deal,
}

impl FieldOf {
    /// The word as documents and commands spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            FieldOf::Person => "person",
            FieldOf::Organization => "organization",
            FieldOf::Deal => "deal",
        }
    }
}

impl From<Kind> for FieldOf {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Person => FieldOf::Person,
            Kind::Organization => FieldOf::Organization,
        }
    }
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Its name, as contacts carry it.
    pub name: String,
    /// Its colour.
    #[serde(default)]
    pub colour: Option<Colour>,
}

/// The colours of labels.
///
/// Source: the colours of the default labels and of the label editor of Pipedrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant is the colour of that name")]
pub enum Colour {
    Green,
    Blue,
    Red,
    Yellow,
    Purple,
    Gray,
    Brown,
    Orange,
    Pink,
}

impl Colour {
    /// Every colour.
    pub const ALL: [Colour; 9] = [
        Colour::Green,
        Colour::Blue,
        Colour::Red,
        Colour::Yellow,
        Colour::Purple,
        Colour::Gray,
        Colour::Brown,
        Colour::Orange,
        Colour::Pink,
    ];

    /// The colour as documents and commands spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Colour::Green => "green",
            Colour::Blue => "blue",
            Colour::Red => "red",
            Colour::Yellow => "yellow",
            Colour::Purple => "purple",
            Colour::Gray => "gray",
            Colour::Brown => "brown",
            Colour::Orange => "orange",
            Colour::Pink => "pink",
        }
    }
}

/// A pipeline: the stages that deals pass through, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// Its stages, in order; at least one.
    pub stages: Vec<String>,
}

impl Pipeline {
    /// The pipeline that is there before anybody defines one.
    pub fn usual() -> Self {
        let stages = ["Qualified", "Contact made", "Demo scheduled", "Proposal made", "Negotiations started"];
        Pipeline { name: "Pipeline".to_owned(), stages: stages.map(str::to_owned).to_vec() }
    }
}
