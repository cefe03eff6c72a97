//! XLSX: one sheet, every cell a text.

use std::io::Write;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

use super::super::error::WriteError;
use super::ExportRecord;
use super::flat::Layout;

/// Rows of a sheet, the header included. Source: Excel specifications and limits (read 2026-11).
const MAX_SHEET_ROWS: usize = 1_048_576;

/// Columns of a sheet. Same source.
const MAX_SHEET_COLUMNS: usize = 16_384;

/// Characters of a cell. Same source.
const MAX_CELL_CHARS: usize = 32_767;

/// Writes a workbook with one row per contact below a frozen header. Texts are never formulas, and phone numbers keep
/// their zeros and pluses.
///
/// Not held: as in CSV ([`super::write_csv`]), and texts of more than 32,767 characters.
///
/// # Errors
/// [`WriteError::SheetFull`] when the contacts do not fit into one sheet or a text not into a cell,
/// [`WriteError::Io`] when `out` refuses.
pub fn write_xlsx(out: &mut dyn Write, records: impl IntoIterator<Item = ExportRecord>) -> Result<(), WriteError> {
    let records: Vec<ExportRecord> = records.into_iter().collect();
    let layout = Layout::of(&records);
    let headings = layout.headings();
    let full = |limit: usize, unit| Err(WriteError::SheetFull { limit: limit as u64, unit });
    if records.len() >= MAX_SHEET_ROWS {
        return full(MAX_SHEET_ROWS, "rows");
    }
    if headings.len() > MAX_SHEET_COLUMNS {
        return full(MAX_SHEET_COLUMNS, "columns");
    }
    let mut rows = vec![headings];
    rows.extend(records.iter().map(|record| layout.row(record)));
    if rows.iter().flatten().any(|cell| cell.chars().count() > MAX_CELL_CHARS) {
        return full(MAX_CELL_CHARS, "characters in a cell");
    }
    let bytes = workbook(&rows).map_err(WriteError::Workbook)?;
    out.write_all(&bytes).map_err(|cause| WriteError::Io { format: "XLSX", cause })
}

fn workbook(rows: &[Vec<String>]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The same contacts make the same bytes: no time of day goes into the file.
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?));
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet();
    sheet.set_name("Contacts")?;
    sheet.set_freeze_panes(1, 0)?;
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            match row {
                0 => sheet.write_string_with_format(row, column, cell, &bold)?,
                _ => sheet.write_string(row, column, cell)?,
            };
        }
    }
    workbook.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::Card;

    #[test]
    fn the_same_contacts_make_the_same_bytes() {
        let bytes = || {
            let mut out = Vec::new();
            let record = ExportRecord { json: serde_json::json!({}), card: Card::organization("=SUM(A1)") };
            write_xlsx(&mut out, [record]).expect("memory");
            out
        };
        assert_eq!(bytes(), bytes());
    }

    #[test]
    fn a_text_too_long_for_a_cell_is_refused() {
        let mut card = Card::organization("x");
        card.notes = Some("n".repeat(MAX_CELL_CHARS + 1));
        let refused = write_xlsx(&mut Vec::new(), [ExportRecord { json: serde_json::json!({}), card }]);
        assert!(matches!(refused, Err(WriteError::SheetFull { unit: "characters in a cell", .. })));
    }
}
