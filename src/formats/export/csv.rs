//! CSV: UTF-8 without a mark, commas unless another separator is asked for, LF.

use std::io::Write;

use super::super::error::WriteError;
use super::flat::Layout;
use super::{ExportRecord, needs_guard};

/// What stands between the cells of a CSV file. Spreadsheets of countries with a decimal comma expect semicolons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

impl Separator {
    fn byte(self) -> u8 {
        match self {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
            Separator::Tab => b'\t',
        }
    }
}

/// Writes one row per contact, with a header.
///
/// A cell that a spreadsheet would take for a formula, such as a phone number with a plus, gets an apostrophe in
/// front; [`super::super::open`] takes it off again.
///
/// Not held, and lost on a round trip: blanks around values, control characters, CR as a line end of its own; line
/// breaks in everything but notes, addresses and custom fields; labels that contain ` ::: `; addresses of which only
/// the label is known; contacts without a name, e-mail, phone or organization; what no format holds (see the module).
///
/// # Errors
/// [`WriteError`] when `out` refuses.
pub fn write_csv(
    out: &mut dyn Write,
    records: impl IntoIterator<Item = ExportRecord>,
    separator: Separator,
) -> Result<(), WriteError> {
    let records: Vec<ExportRecord> = records.into_iter().collect();
    let layout = Layout::of(&records);
    let mut writer = csv::WriterBuilder::new().delimiter(separator.byte()).from_writer(out);
    writer.write_record(layout.headings()).map_err(WriteError::Csv)?;
    for record in &records {
        writer.write_record(layout.row(record).iter().map(|cell| guarded(cell))).map_err(WriteError::Csv)?;
    }
    writer.flush().map_err(|cause| WriteError::Io { format: "CSV", cause })
}

fn guarded(cell: &str) -> String {
    if needs_guard(cell) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::{Card, Phone};

    #[test]
    fn no_cell_is_a_formula() {
        let mut card = Card::organization("=1+1");
        card.phones.push(Phone { value: "+49 30 1234567".into(), label: Some("@work".into()), primary: true });
        card.notes = Some("'quoted'".into());
        for (separator, mark) in [(Separator::Comma, ','), (Separator::Semicolon, ';'), (Separator::Tab, '\t')] {
            let mut out = Vec::new();
            let record = ExportRecord { json: serde_json::json!({"id": "-1"}), card: card.clone() };
            write_csv(&mut out, [record], separator).expect("memory");
            let text = String::from_utf8(out).expect("UTF-8");
            let row = text.lines().nth(1).expect("a row");
            for cell in ["'=1+1", "'+49 30 1234567", "'@work", "''quoted'", "'-1"] {
                assert!(row.split(mark).any(|found| found == cell), "{cell} in {row}");
            }
            assert!(!row.split(mark).any(|cell| cell.starts_with(['=', '+', '-', '@'])), "{row}");
        }
    }
}
