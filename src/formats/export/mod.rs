//! Contacts to files.

/// Whether a spreadsheet would take a cell for a formula, or a reader of our own for a guarded one.
pub(super) fn needs_guard(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\''])
}
