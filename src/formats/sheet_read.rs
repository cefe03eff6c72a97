//! From workbooks to rows. The first visible sheet that holds anything is read.
//!
//! Cells become the text a person would have typed: a phone number that the sheet keeps as a number has no `.0`, a
//! date is `YYYY-MM-DD`, an error such as `#N/A` is empty. Only cells that are there cost memory, whatever range the
//! sheet claims; and all of them together cost no more than a limit, however often a sheet names one long text.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, ExcelDateTime, Reader, Sheet, SheetType, SheetVisible, Xls, XlsError, Xlsx, XlsxError};

use super::error::FormatError;
use super::limits::{MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_TEXT_BYTES, MAX_UNPACKED_BYTES};
use super::table::RawRow;
use super::xls_claims::{self, Claim, MAX_XLS_CELLS, MAX_XLS_CHARACTERS};
use super::xlsx_claims::{self, MAX_SHARED_TEXTS, Oversize};

/// Reads the rows of an XLSX workbook.
///
/// # Errors
/// [`FormatError`] when it is damaged, encrypted, empty, or beyond a limit.
pub(super) fn xlsx_rows(name: &str, bytes: &[u8]) -> Result<Vec<RawRow>, FormatError> {
    match xlsx_claims::check(bytes, MAX_UNPACKED_BYTES) {
        Ok(()) => {}
        Err(Oversize::Unpacked) => return Err(too_large(name, MAX_UNPACKED_BYTES, "bytes when unpacked")),
        Err(Oversize::Texts) => return Err(too_large(name, MAX_SHARED_TEXTS, "texts")),
    }
    guarded(name, || {
        let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|cause| xlsx_error(name, cause))?;
        for sheet in visible(workbook.sheets_metadata()) {
            let mut rows = SheetRows::new(name);
            let mut cells = match workbook.worksheet_cells_reader(&sheet) {
                Ok(cells) => cells,
                // Chart sheets are listed with the others.
                Err(XlsxError::NotAWorksheet(_) | XlsxError::WorksheetNotFound(_)) => continue,
                Err(cause) => return Err(xlsx_error(name, cause)),
            };
            while let Some(cell) = cells.next_cell().map_err(|cause| xlsx_error(name, cause))? {
                rows.put(cell.get_position(), text_of(cell.get_value()))?;
            }
            if !rows.is_empty() {
                return Ok(rows.finish());
            }
        }
        Err(FormatError::NoSheet { name: name.to_owned() })
    })
}

/// Reads the rows of an XLS workbook, of Excel 95 to 2003.
///
/// # Errors
/// As [`xlsx_rows`]. An encrypted XLSX file looks like an XLS file and is refused here.
pub(super) fn xls_rows(name: &str, bytes: &[u8]) -> Result<Vec<RawRow>, FormatError> {
    match xls_claims::check(bytes) {
        Ok(()) => {}
        Err(Claim::TooLarge) => return Err(too_large(name, MAX_XLS_CELLS, "cells")),
        Err(Claim::TooMuchText) => return Err(too_large(name, MAX_XLS_CHARACTERS, "characters in its cells")),
        Err(Claim::Damaged) => return Err(damaged(name)),
    }
    guarded(name, || {
        let mut workbook: Xls<_> = match Xls::new(Cursor::new(bytes)) {
            Ok(workbook) => workbook,
            Err(XlsError::Password) => return Err(FormatError::Encrypted { name: name.to_owned() }),
            Err(_) if is_encrypted(bytes) => return Err(FormatError::Encrypted { name: name.to_owned() }),
            Err(cause) => return Err(FormatError::Workbook { name: name.to_owned(), cause: cause.into() }),
        };
        for sheet in visible(workbook.sheets_metadata()) {
            let Ok(range) = workbook.worksheet_range(&sheet) else { continue };
            let start = range.start().unwrap_or_default();
            let mut rows = SheetRows::new(name);
            for (row, column, value) in range.used_cells() {
                let (Ok(row), Ok(column)) = (u32::try_from(row), u32::try_from(column)) else { continue };
                rows.put((start.0.saturating_add(row), start.1.saturating_add(column)), text_of_owned(value))?;
            }
            if !rows.is_empty() {
                return Ok(rows.finish());
            }
        }
        Err(FormatError::NoSheet { name: name.to_owned() })
    })
}

/// Whether a container that holds no XLS workbook holds an encrypted XLSX file. It may be an archive as well, and then
/// what that claims counts.
fn is_encrypted(bytes: &[u8]) -> bool {
    xlsx_claims::check(bytes, MAX_UNPACKED_BYTES).is_ok()
        && matches!(Xlsx::new(Cursor::new(bytes)), Err(XlsxError::Password))
}

/// Runs the workbook reader. It is not hardened against every damage, and a file that makes it panic is a damaged
/// file, not the end of the process.
fn guarded<T>(name: &str, read: impl FnOnce() -> Result<T, FormatError>) -> Result<T, FormatError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged(name)))
}

fn too_large(name: &str, limit: u64, unit: &'static str) -> FormatError {
    FormatError::TooLarge { name: name.to_owned(), limit, unit }
}

fn damaged(name: &str) -> FormatError {
    FormatError::Workbook { name: name.to_owned(), cause: calamine::Error::Msg("the workbook is damaged") }
}

fn xlsx_error(name: &str, cause: XlsxError) -> FormatError {
    match cause {
        XlsxError::Password => FormatError::Encrypted { name: name.to_owned() },
        cause => FormatError::Workbook { name: name.to_owned(), cause: cause.into() },
    }
}

fn visible(sheets: &[Sheet]) -> Vec<String> {
    sheets
        .iter()
        .filter(|sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet)
        .map(|sheet| sheet.name.clone())
        .collect()
}

/// Rows in the making.
struct SheetRows<'n> {
    name: &'n str,
    rows: std::collections::BTreeMap<u32, Vec<String>>,
    cells: usize,
    text_bytes: usize,
}

impl<'n> SheetRows<'n> {
    fn new(name: &'n str) -> Self {
        SheetRows { name, rows: Default::default(), cells: 0, text_bytes: 0 }
    }

    fn put(&mut self, (row, column): (u32, u32), text: String) -> Result<(), FormatError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let column = column as usize;
        if column >= MAX_COLUMNS {
            return Err(self.beyond(MAX_COLUMNS, "columns"));
        }
        let cells = self.rows.entry(row).or_default();
        if column >= cells.len() {
            self.cells += column + 1 - cells.len();
            cells.resize(column + 1, String::new());
        }
        self.text_bytes += text.len();
        cells[column] = text;
        if self.cells > MAX_CELLS {
            return Err(self.beyond(MAX_CELLS, "cells"));
        }
        if self.rows.len() > MAX_ROWS {
            return Err(self.beyond(MAX_ROWS, "rows"));
        }
        if self.text_bytes > MAX_TEXT_BYTES {
            return Err(self.beyond(MAX_TEXT_BYTES, "bytes of text in its cells"));
        }
        Ok(())
    }

    fn beyond(&self, limit: usize, unit: &'static str) -> FormatError {
        too_large(self.name, limit as u64, unit)
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn finish(self) -> Vec<RawRow> {
        let row = |(row, cells): (u32, Vec<String>)| RawRow::Cells { line: u64::from(row) + 1, cells };
        self.rows.into_iter().map(row).collect()
    }
}

fn text_of_owned(value: &Data) -> String {
    match value {
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number_text(*number),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Bool(value) => value.to_string(),
        Data::DateTime(time) => date_text(time),
        Data::Error(_) | Data::Empty => String::new(),
    }
}

fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(time) => date_text(time),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

/// A number as typed: `32470123456`, not `32470123456.0` and not `3.2470123456E10`.
fn number_text(number: f64) -> String {
    format!("{number}")
}

/// A date without its midnight.
fn date_text(time: &ExcelDateTime) -> String {
    match time.as_datetime() {
        Some(moment) if time.is_datetime() => {
            let text = moment.format("%Y-%m-%d %H:%M:%S").to_string();
            text.strip_suffix(" 00:00:00").map(str::to_owned).unwrap_or(text)
        }
        _ => number_text(time.as_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_typed() {
        for (number, text) in
            [(32_470_123_456.0, "32470123456"), (4_930_123_456_789.0, "4930123456789"), (19.25, "19.25"), (-3.0, "-3")]
        {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn a_far_away_cell_does_not_cost_its_range() {
        let mut rows = SheetRows::new("x.xlsx");
        rows.put((1_048_575, 16_383), "far".to_owned()).expect("one row of 16,384 cells");
        assert_eq!(rows.cells, MAX_COLUMNS);
        let more = (0..2_000).try_for_each(|row| rows.put((row, 16_383), "far".to_owned()));
        assert!(matches!(more, Err(FormatError::TooLarge { unit: "cells", .. })));
    }

    #[test]
    fn one_long_text_in_many_cells_counts_in_each() {
        let long = "x".repeat(1024 * 1024);
        let mut rows = SheetRows::new("x.xlsx");
        let mebibytes = (MAX_TEXT_BYTES / long.len()) as u32;
        (0..mebibytes).try_for_each(|row| rows.put((row, 0), long.clone())).expect("at the limit");
        let more = rows.put((mebibytes, 0), "x".to_owned());
        assert!(matches!(more, Err(FormatError::TooLarge { unit: "bytes of text in its cells", .. })));
    }
}
