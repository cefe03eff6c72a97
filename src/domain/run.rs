//! What a run did, counted: feeds the exit code, `status`, the log and the history.

use serde::{Deserialize, Serialize};

use super::account::Outcome;
use super::id::{AccountName, RunId};
use super::time::Timestamp;

/// One run over one or more accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its id.
    pub run: RunId,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended; `None` while it goes on, or when it was cut off.
    pub ended: Option<Timestamp>,
    /// What it did, account by account.
    pub accounts: Vec<AccountSummary>,
}

/// What a run did for one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountSummary {
    /// The account.
    pub account: AccountName,
    /// How it ended.
    pub outcome: Outcome,
    /// What came into the store.
    pub pulled: Counts,
    /// What went to the remote.
    pub pushed: Counts,
    /// What happened to the bonds between contacts and records.
    #[serde(default)]
    pub links: Bonds,
    /// Conflicts that this run found; decided by policy or waiting.
    pub conflicts: u64,
    /// Conflicts that wait for a person, found by this run or an earlier one.
    #[serde(default)]
    pub conflicts_waiting: u64,
    /// Operations that wait for a person.
    pub parked: u64,
    /// Contacts that could not be synchronized, with the reason.
    pub failed: Vec<Failure>,
    /// Calls made to the remote.
    pub calls: u64,
    /// One sentence about why the outcome is not `done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whose fault it is that the run failed, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What a person should know: a renamed group, a deleted group, a doubtful twin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// Contacts by what happened to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each number is what its name says")]
pub struct Counts {
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
}

impl Counts {
    /// All of them.
    pub fn total(self) -> u64 {
        self.created + self.updated + self.deleted
    }
}

/// Whose fault it is that a run has not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// That of the OAuth client or of its project at Google: a wrong secret, a client that was deleted, an API that is
    /// switched off.
    Setup,
    /// Nobody's: the remote may not show yet what it knows, and the runs of the next quarter of an hour decide.
    Lag,
}

/// Contacts by what happened to the bond with their record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bonds {
    /// Found on both sides and linked.
    pub linked: u64,
    /// No longer kept equal; both stay.
    pub unlinked: u64,
    /// Records that were put into a pair's group.
    pub joined: u64,
    /// Records that were taken out of one.
    pub left: u64,
}

impl AccountSummary {
    /// Whether the run did anything that an undo could take back.
    pub fn has_deeds(&self) -> bool {
        let Bonds { unlinked, joined, left, .. } = self.links;
        self.pulled.total() + self.pushed.total() + unlinked + joined + left > 0
    }
}

/// A contact that could not be synchronized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The contact's id; the remote's id where there is no contact yet.
    pub contact: String,
    /// One sentence.
    pub reason: String,
}

impl AccountSummary {
    /// A summary of nothing done.
    pub fn new(account: AccountName) -> Self {
        AccountSummary {
            account,
            outcome: Outcome::Done,
            pulled: Counts::default(),
            pushed: Counts::default(),
            links: Bonds::default(),
            conflicts: 0,
            conflicts_waiting: 0,
            parked: 0,
            failed: Vec::new(),
            calls: 0,
            error: None,
            fault: None,
            notices: Vec::new(),
        }
    }
}
