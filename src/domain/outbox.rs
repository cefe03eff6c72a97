//! The outbox: writes to a remote that are committed before they are sent, and resolved only by evidence.
//!
//! There is at most one open intent per link. An open intent is either repeated byte for byte or closed because
//! something proves what became of it; it is never retried as something new. [`Sent`] outlives the intent: it is the
//! dictionary from a marker found in a remote record to what we meant by that write.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::contact::Card;
use super::id::{AccountName, Etag, LinkId, LinkToken, Marker};
use super::time::Timestamp;
use super::version::VersionVector;

/// One write that was, or may have been, sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// The dot of this write; travels inside the remote record.
    pub marker: Marker,
    /// The link it is for.
    pub link: LinkId,
    /// Whose account.
    pub account: AccountName,
    /// What kind of write.
    pub kind: IntentKind,
    /// The etag the write is conditional on; `None` for a create.
    pub etag: Option<Etag>,
    /// The remote's time of the state the write was planned on.
    pub remote_time: Option<Timestamp>,
    /// When it was first sent, or committed to be.
    pub first_sent: Timestamp,
    /// When it was last sent.
    pub last_sent: Timestamp,
}

/// The kinds of writes that need an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the write of that name")]
pub enum IntentKind {
    Create,
    Update,
    Delete,
}

impl IntentKind {
    /// The kind as the database spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            IntentKind::Create => "create",
            IntentKind::Update => "update",
            IntentKind::Delete => "delete",
        }
    }

    /// The kind that the database spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a write of ours meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// The dot of the write.
    pub marker: Marker,
    /// The link it was for.
    pub link: LinkId,
    /// The link's token at that time.
    pub token: LinkToken,
    /// What kind of write.
    pub kind: IntentKind,
    /// The contact's card at that time.
    pub card: Card,
    /// The remote record as it should look after the write, in wire form.
    pub wire: Value,
    /// The fields the write replaces, as the remote names them, in order; empty for a create.
    pub mask: Vec<String>,
    /// The contact's version at that time.
    pub version: VersionVector,
    /// When.
    pub at: Timestamp,
}
