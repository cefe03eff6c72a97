//! Who wins when both sides changed the same thing.

use serde::{Deserialize, Serialize};

/// How true conflicts of a field are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictPolicy {
    /// The later edit wins: the time the field last changed in the store against the remote record's own update time.
    #[default]
    Newest,
    /// The store wins.
    Store,
    /// The remote wins.
    Remote,
    /// Nobody wins until a person decides; each side keeps its value.
    Manual,
}

/// The decision of one conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Winner {
    /// The store's value stays, and is to be written to the remote.
    Store,
    /// The remote's value goes into the store.
    Remote,
    /// Both sides keep their own value until a person decides.
    Hold,
}
