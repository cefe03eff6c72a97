//! Where the values of a column go that belong to what hangs on a contact: a deal, an activity, a note.

/// A part of the deal that a row tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DealPart {
    /// What it is about.
    Title,
    /// What it is worth; the currency may stand in the same cell.
    Value,
    /// The currency of the value.
    Currency,
    /// The pipeline, by name.
    Pipeline,
    /// The stage of the pipeline, by name.
    Stage,
    /// Open, won or lost.
    Status,
    /// Why it was lost.
    LostReason,
    /// The day it is expected to be closed.
    ExpectedClose,
    /// The user who looks after it.
    Owner,
    /// Labels, several in one cell.
    Labels,
}

/// A part of the activity that a row tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActivityPart {
    /// What it is, in a few words.
    Subject,
    /// Call, meeting, task and the like.
    Type,
    /// The day it is due.
    Due,
    /// The time of that day.
    Time,
    /// Whether it is done.
    Done,
    /// What else there is to say.
    Note,
}

const DEAL_PARTS: [(&str, DealPart); 10] = [
    ("title", DealPart::Title),
    ("value", DealPart::Value),
    ("currency", DealPart::Currency),
    ("pipeline", DealPart::Pipeline),
    ("stage", DealPart::Stage),
    ("status", DealPart::Status),
    ("lost_reason", DealPart::LostReason),
    ("expected_close", DealPart::ExpectedClose),
    ("owner", DealPart::Owner),
    ("label", DealPart::Labels),
];

const ACTIVITY_PARTS: [(&str, ActivityPart); 6] = [
    ("subject", ActivityPart::Subject),
    ("type", ActivityPart::Type),
    ("due", ActivityPart::Due),
    ("time", ActivityPart::Time),
    ("done", ActivityPart::Done),
    ("note", ActivityPart::Note),
];

impl DealPart {
    /// The part as maps and previews spell it.
    pub fn as_str(self) -> &'static str {
        DEAL_PARTS.iter().find(|(_, part)| *part == self).map_or("title", |(name, _)| name)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        DEAL_PARTS.iter().find(|(known, _)| *known == name).map(|(_, part)| *part)
    }
}

impl ActivityPart {
    /// The part as maps and previews spell it.
    pub fn as_str(self) -> &'static str {
        ACTIVITY_PARTS.iter().find(|(_, part)| *part == self).map_or("subject", |(name, _)| name)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        ACTIVITY_PARTS.iter().find(|(known, _)| *known == name).map(|(_, part)| *part)
    }
}
