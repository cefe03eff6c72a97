//! The history: one row per committed edit of a contact, and one per write that a run made to a remote. It is what people
//! read and the memory that undo needs. The edits of the store are also the feed that tells a run which contacts changed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::diff::FieldChange;
use super::id::{ContactId, ImportId, RemoteId, ReplicaId, RunId};
use super::merge::FieldConflict;
use super::time::Timestamp;

/// One committed edit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The contact.
    pub contact: ContactId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// In which run, when a run did it.
    pub run: Option<RunId>,
    /// What happened to the contact as a whole.
    pub action: Action,
    /// Which fields changed, before and after.
    pub fields: Vec<FieldChange>,
    /// Fields that both sides had changed, with the values of both and the one that was taken.
    pub conflicts: Vec<FieldConflict>,
}

/// A change at its place in the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedChange {
    /// Its place: greater means later.
    pub sequence: u64,
    /// The change.
    #[serde(flatten)]
    pub change: Change,
    /// Where it was made; `None` for the store.
    pub remote: Option<RemoteCopy>,
}

/// A contact's copy at a remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteCopy {
    /// The remote.
    pub replica: ReplicaId,
    /// The record.
    pub record: RemoteId,
}

/// What a run wrote to a remote.
///
/// The values before are those of the record; the values after are those of the contact that was written, as the store
/// spells them.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteChange {
    /// Where.
    pub copy: RemoteCopy,
    /// What.
    pub change: Change,
}

/// The part of a contact in a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// It stayed, and says what this one said too.
    With(ContactId),
    /// It went to the bin, and this one stayed.
    Into(ContactId),
}

impl fmt::Display for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Merged::With(other) => write!(f, "merged with {other}"),
            Merged::Into(survivor) => write!(f, "merged into {survivor}"),
        }
    }
}

impl Change {
    /// The contact's part in a merge, if the change is one of the two that made one contact of two.
    pub fn merged(&self) -> Option<Merged> {
        match self.actor {
            Actor::Merge { survivor, gone } if self.contact == survivor => Some(Merged::With(gone)),
            Actor::Merge { survivor, gone } if self.contact == gone => Some(Merged::Into(survivor)),
            _ => None,
        }
    }
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Actor {
    /// Somebody at the command line or the console.
    User,
    /// An import of a file.
    Import {
        /// Which import.
        import: ImportId,
    },
    /// Somebody who made one contact of two.
    Merge {
        /// The contact that stayed.
        survivor: ContactId,
        /// The one that went to the bin.
        gone: ContactId,
    },
    /// A replica whose change was pulled.
    Replica {
        /// Which replica.
        replica: ReplicaId,
    },
}

/// What happened to a contact as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the action of that name")]
pub enum Action {
    Created,
    Edited,
    Deleted,
    Restored,
    /// The record was put into a pair's group; at a remote only.
    Joined,
    /// The record was taken out of a pair's group; at a remote only.
    Left,
    /// A contact and a record that were there before are kept equal from now on; at a remote only.
    Linked,
    /// Contact and record are no longer kept equal; at a remote only.
    Unlinked,
}
