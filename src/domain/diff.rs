//! stub
use super::field::Field;
use serde::{Deserialize, Serialize};
/// One changed field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// f
    pub field: Field,
    /// b
    pub before: serde_json::Value,
    /// a
    pub after: serde_json::Value,
}
