//! What an import could not use, in the format it came in: to be mended and imported again.

use std::io::Write;

use super::super::Rejected;
use super::super::columns::Columns;
use super::super::error::WriteError;
use super::super::headings::Dialect;
use super::super::vcard::REASON;
use super::needs_guard;

/// Writes the rejected rows below their header, with the line and the reason in two columns behind; or, without
/// `columns`, the rejected cards, each with a property that holds the reason.
///
/// Somebody mends the file in a spreadsheet, so a cell that would become a formula there gets an apostrophe in front; it is
/// taken off when the file is read. Rows come as CSV also where they came from a workbook. A row that could not be taken apart stands in one cell.
///
/// # Errors
/// [`WriteError`] when `out` refuses.
pub fn write_skip_file(
    out: &mut dyn Write,
    columns: Option<&Columns>,
    rejected: &[Rejected],
) -> Result<(), WriteError> {
    match columns {
        Some(columns) => rows(out, columns, rejected),
        None => cards(out, rejected),
    }
}

fn rows(out: &mut dyn Write, columns: &Columns, rejected: &[Rejected]) -> Result<(), WriteError> {
    let mut writer = csv::WriterBuilder::new().from_writer(out);
    let headings = columns.iter().map(|column| column.heading.as_str());
    let width = rejected.iter().map(|row| row.raw.len()).max().unwrap_or(0).max(columns.count());
    let beyond = width - columns.count();
    let added = ["Rejected line", "Rejected because"];
    let header = headings.chain(std::iter::repeat_n("", beyond)).chain(added);
    writer.write_record(header).map_err(WriteError::Csv)?;
    let guarded = |cell: &String| guarded(cell, columns.dialect);
    for row in rejected {
        let missing = width - row.raw.len();
        let cells = row.raw.iter().map(guarded).chain(std::iter::repeat_n(String::new(), missing));
        writer.write_record(cells.chain([row.line.to_string(), row.reason.clone()])).map_err(WriteError::Csv)?;
    }
    writer.flush().map_err(|cause| WriteError::Io { format: "skip", cause })
}

/// A cell as the reader of this dialect takes it back.
fn guarded(cell: &str, dialect: Dialect) -> String {
    let is_dangerous = match dialect {
        Dialect::Own => needs_guard(cell),
        // A dash alone is an empty cell there.
        Dialect::Google | Dialect::Plain => cell.trim() != "-" && cell.starts_with(['=', '+', '-', '@']),
    };
    if is_dangerous { format!("'{cell}") } else { cell.to_owned() }
}

fn cards(out: &mut dyn Write, rejected: &[Rejected]) -> Result<(), WriteError> {
    for card in rejected {
        let text = card.raw.concat();
        let (begin, rest) = text.split_once('\n').unwrap_or((text.as_str(), ""));
        let marked = format!("{begin}\n{REASON}:line {}: {}\n{rest}", card.line, card.reason.replace(',', "\\,"));
        out.write_all(marked.as_bytes()).map_err(|cause| WriteError::Io { format: "skip", cause })?;
    }
    Ok(())
}
