//! Activities: what is to be done with a contact, and what was.

use serde::{Deserialize, Serialize};

use super::About;
use crate::domain::date::PartialDate;
use crate::domain::id::EntryId;
use crate::domain::time::Timestamp;

/// The types that activities usually have; any other text is one too.
pub const USUAL_TYPES: [&str; 6] = ["call", "meeting", "task", "deadline", "email", "lunch"];

/// An activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// What it is, in a few words; never empty.
    pub subject: String,
    /// `call`, `meeting`, `task` or any other text.
    #[serde(rename = "type")]
    pub activity_type: String,
    /// The day it is due, with its year.
    #[serde(default)]
    pub due: Option<PartialDate>,
    /// The time of that day, `HH:MM`.
    #[serde(default)]
    pub time: Option<String>,
    /// Whether it is done.
    #[serde(default)]
    pub done: bool,
    /// When it was done.
    #[serde(default)]
    pub done_at: Option<Timestamp>,
    /// What else there is to say.
    #[serde(default)]
    pub note: Option<String>,
    /// The e-mail address of the user who does it.
    #[serde(default)]
    pub owner: Option<String>,
    /// With whom.
    #[serde(flatten)]
    pub about: About,
    /// The deal it belongs to.
    #[serde(default)]
    pub deal: Option<EntryId>,
}
