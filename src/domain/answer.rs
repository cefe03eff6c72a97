//! What a person has said about whether a contact and a record are the same.
//!
//! An answer is about a couple, not about a question: it counts before the question is asked, holds when it would be asked
//! again, and stands until it is taken back or contradicted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::id::{AccountName, ContactId, RemoteId};
use super::time::Timestamp;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The account of the record.
    pub account: AccountName,
    /// The contact.
    pub contact: ContactId,
    /// The record.
    pub remote: RemoteId,
    /// What was said.
    pub said: Said,
    /// When.
    pub at: Timestamp,
}

/// What was said about a couple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// They are the same: the next run links them, whatever speaks for it or against it.
    Same,
    /// They are not: they are never linked.
    Different,
}

/// Who a contact or a record in doubt may be: what a person is asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidates {
    /// Contacts that a record may be.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub contacts: BTreeSet<ContactId>,
    /// Records that a contact may have.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub records: BTreeSet<RemoteId>,
}

impl Candidates {
    /// Whether there are none: nothing to be asked.
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty() && self.records.is_empty()
    }
}
