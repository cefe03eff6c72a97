//! stub
use super::field::Field;
use super::policy::Winner;
use serde::{Deserialize, Serialize};
/// One conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldConflict {
    /// f
    pub field: Field,
    /// f
    pub base: serde_json::Value,
    /// f
    pub store: serde_json::Value,
    /// f
    pub remote: serde_json::Value,
    /// f
    pub winner: Winner,
}
