//! Harm: what a run does that somebody may not have wanted, by kind, so that much of it at once makes the run stop and
//! ask. What was done is remembered for a day, so that a little every hour is noticed too.

use std::time::Duration;

use serde::Serialize;

use super::id::{AccountName, ContactId};
use super::time::Timestamp;

/// For how long harm done counts together with the harm about to be done.
pub const HARM_WINDOW: Duration = Duration::from_secs(24 * 3600);

/// A side of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The store.
    Store,
    /// The remote.
    #[serde(rename = "google")]
    Remote,
}

impl Side {
    /// The side as a plan spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Store => "store",
            Side::Remote => "google",
        }
    }
}

/// A kind of harm that is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Contacts deleted on a side.
    Deletes(Side),
    /// Contacts changed on a side.
    Updates(Side),
    /// Contacts that lose a value on a side.
    Blanks(Side),
    /// Contacts that are no longer kept equal with their record.
    Unlinks,
    /// Records taken out of a pair's group.
    LeftGroups,
}

impl Harm {
    /// All kinds.
    pub const ALL: [Harm; 8] = [
        Harm::Deletes(Side::Store),
        Harm::Deletes(Side::Remote),
        Harm::Updates(Side::Store),
        Harm::Updates(Side::Remote),
        Harm::Blanks(Side::Store),
        Harm::Blanks(Side::Remote),
        Harm::Unlinks,
        Harm::LeftGroups,
    ];

    /// The kind as the database spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Harm::Deletes(Side::Store) => "deleted_in_store",
            Harm::Deletes(Side::Remote) => "deleted_at_remote",
            Harm::Updates(Side::Store) => "updated_in_store",
            Harm::Updates(Side::Remote) => "updated_at_remote",
            Harm::Blanks(Side::Store) => "blanked_in_store",
            Harm::Blanks(Side::Remote) => "blanked_at_remote",
            Harm::Unlinks => "unlinked",
            Harm::LeftGroups => "left_group",
        }
    }

    /// The kind that the database spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|harm| harm.as_str() == text)
    }
}

/// Who let a harm happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LetBy {
    /// The guard, because it was within the limit.
    Guard,
    /// A person who had seen it; it does not count towards the limit.
    Person,
}

impl LetBy {
    /// The word as the database spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            LetBy::Guard => "guard",
            LetBy::Person => "person",
        }
    }

    /// The word that the database spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [LetBy::Guard, LetBy::Person].into_iter().find(|one| one.as_str() == text)
    }
}

/// A harm that was done to one contact. Of the same harm to the same contact only the last one is remembered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HarmDone {
    /// In which account's run.
    pub account: AccountName,
    /// The kind.
    pub harm: Harm,
    /// To whom.
    pub contact: ContactId,
    /// Who let it happen.
    pub let_by: LetBy,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_spelling_of_its_own() {
        for harm in Harm::ALL {
            assert_eq!(Harm::parse(harm.as_str()), Some(harm));
        }
        assert_eq!(Harm::parse("bored"), None);
    }
}
