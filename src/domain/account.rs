//! What is remembered of an account between runs: where its change streams were left, and which groups its pairs are.

use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::id::{AccountName, ChangeToken, Etag, GroupId, RunId};
use super::time::Timestamp;

/// The durable state of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// The account.
    pub name: AccountName,
    /// The user the grant belongs to, as the remote names it; `None` before the first run.
    pub remote_user: Option<String>,
    /// Where the stream of contacts was left.
    pub contacts: Option<Cursor>,
    /// When a full listing of contacts was last begun, whatever became of it.
    pub full_begun: Option<Timestamp>,
    /// Up to which change of the store the selection was evaluated.
    pub feed_position: u64,
    /// Digest of what decides the selection and the map, as of the last run; a different one means every contact is
    /// looked at again.
    pub settings: Option<String>,
    /// By how many milliseconds the remote's clock is ahead of ours.
    pub clock_ahead_ms: i64,
    /// When it was last noticed that our clock had been set ahead. What is remembered from before that looks older than
    /// it is.
    pub clock_set: Option<ClockSet>,
    /// What was left of the request budget after the last run.
    pub budget: Option<Budget>,
    /// When both sides were last proven equal.
    pub proven_equal: Option<Timestamp>,
    /// The last run that worked on the account.
    pub last_run: Option<RunId>,
    /// How that run ended for this account; `None` while it has never run.
    pub last_outcome: Option<Outcome>,
    /// One sentence about the last failure; `None` after a good run.
    pub last_error: Option<String>,
    /// Whether the store was put back from a backup, and no run has compared everything since. Nothing is deleted before.
    pub restored: bool,
    /// The groups of the configured pairs.
    pub pair_groups: Vec<PairGroup>,
}

/// That our clock was found to have been set ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSet {
    /// When that was noticed last.
    pub at: Timestamp,
    /// By how many milliseconds; several times that followed each other closely add up, and what was taken back since is
    /// left out.
    pub by_ms: i64,
}

/// A place in a change stream, with the request it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The remote's token.
    pub token: ChangeToken,
    /// Hash of the request that the token continues; with another request the token is worthless.
    pub template: String,
    /// When the full listing that the token descends from was begun. Its life is counted from there.
    pub lineage: Timestamp,
    /// How many full listings in a row, up to that one, showed fewer records than they counted. Nothing was concluded from
    /// who was missing there, so another one is due.
    #[serde(default)]
    pub short: u32,
}

/// The remote group of a configured pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairGroup {
    /// The group's name in the configuration.
    pub configured: String,
    /// The group as the remote names it.
    pub group: GroupId,
    /// Its name at the remote when last seen; differs from `configured` after a rename there.
    pub name: String,
    /// The remote's mark of the group's revision; system groups have none.
    pub etag: Option<Etag>,
    /// How many members the remote counts.
    pub members: u64,
    /// How many of them no link accounts for, as of the last comparison; `None` before the first. Negative when the
    /// remote had not counted all of ours yet.
    pub outsiders: Option<i64>,
    /// Since when comparing the members has left something open; `None` when the last comparison did not.
    pub odd_since: Option<Timestamp>,
    /// Whether the group was deleted at the remote; the pair then waits for a person.
    pub deleted: bool,
}

/// How a run ended for one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that was to be done is done.
    Done,
    /// Something waits for a person: a conflict, a refused record, a guard.
    Parked,
    /// The run broke off.
    Failed,
    /// The remote could not be reached, or asks us to wait; work is left for the next run.
    Unreachable,
    /// The user's consent is missing or was withdrawn.
    NoConsent,
}

impl AccountState {
    /// An account that has never been synchronized.
    pub fn new(name: AccountName) -> Self {
        AccountState {
            name,
            remote_user: None,
            contacts: None,
            full_begun: None,
            feed_position: 0,
            settings: None,
            clock_ahead_ms: 0,
            clock_set: None,
            budget: None,
            proven_equal: None,
            last_run: None,
            last_outcome: None,
            last_error: None,
            restored: false,
            pair_groups: Vec::new(),
        }
    }
}
