//! Who wins when both sides changed the same field.

/// The policy of an account or of one of its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictPolicy {
    /// The side that changed the field later; the store when that cannot be told.
    Newest,
    /// The store.
    Store,
    /// The remote.
    Remote,
    /// A person decides; until then the field is held on both sides.
    Manual,
}

/// Who wins one conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant says it")]
pub enum Winner {
    Store,
    Remote,
    Hold,
}
