//! Notes: free text about a person, an organization or a deal.

use serde::{Deserialize, Serialize};

use super::About;
use crate::domain::id::EntryId;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The text; several lines are possible, never empty.
    pub content: String,
    /// Whether it stands above the others.
    #[serde(default)]
    pub pinned: bool,
    /// Whom it is about.
    #[serde(flatten)]
    pub about: About,
    /// The deal it is about.
    #[serde(default)]
    pub deal: Option<EntryId>,
}
