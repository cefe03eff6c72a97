//! Contacts to files: JSON Lines, CSV, XLSX, vCard 4.0, and the rows an import could not use.
//!
//! JSON Lines hold everything. The other formats are read back by [`super::open`] to equal cards, except for what a
//! format cannot hold; each writer says what that is. None of them holds photos, the identity of a person's
//! organization (its name is kept), or the contact's history.

mod csv;
mod flat;
mod skip_file;
mod vcard;
mod xlsx;

use std::io::Write;

use crate::domain::contact::Card;

use super::error::WriteError;

pub use csv::{Separator, write_csv};
pub use skip_file::write_skip_file;
pub use vcard::write_vcard;
pub use xlsx::write_xlsx;

/// A contact as it is exported.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportRecord {
    /// The full public shape. The flat formats take `id`, `version`, `created`, `updated` and `deleted` from it.
    pub json: serde_json::Value,
    /// The content.
    pub card: Card,
}

impl ExportRecord {
    /// A member of the public shape as text; empty when it is absent.
    fn member(&self, name: &str) -> String {
        match self.json.get(name) {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }
}

/// Writes one JSON object per line, in the public shape.
///
/// # Errors
/// [`WriteError::Io`] when `out` refuses.
pub fn write_json_lines(
    out: &mut dyn Write,
    records: impl IntoIterator<Item = ExportRecord>,
) -> Result<(), WriteError> {
    for record in records {
        serde_json::to_writer(&mut *out, &record.json).map_err(WriteError::Json)?;
        out.write_all(b"\n").map_err(|cause| WriteError::Io { format: "JSON", cause })?;
    }
    Ok(())
}

/// Whether a spreadsheet would take a cell for a formula, or our own reader for a guarded one.
pub(super) fn needs_guard(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_lines_are_one_object_per_line() {
        let record = |n: u8| ExportRecord {
            json: serde_json::json!({"id": n.to_string(), "notes": "two\nlines"}),
            card: Card::person(),
        };
        let mut out = Vec::new();
        write_json_lines(&mut out, [record(1), record(2)]).expect("memory takes everything");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(text, "{\"id\":\"1\",\"notes\":\"two\\nlines\"}\n{\"id\":\"2\",\"notes\":\"two\\nlines\"}\n");
    }
}
