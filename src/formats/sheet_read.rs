//! From workbooks to rows. The first visible sheet that holds anything is read.
//!
//! Cells become the text a person would have typed: a phone number that the sheet keeps as a number has no `.0`, a
//! date is `YYYY-MM-DD`, an error such as `#N/A` is empty. Only cells that are there cost memory, whatever range the
//! sheet claims.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, ExcelDateTime, Reader, Sheet, SheetType, SheetVisible, Xls, XlsError, Xlsx, XlsxError};

use super::error::FormatError;
use super::limits::{MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED_BYTES};
use super::table::RawRow;
use super::xls_claims::{self, Claim, MAX_XLS_CELLS, MAX_XLS_CHARACTERS};

/// Reads the rows of an XLSX workbook.
///
/// # Errors
/// [`FormatError`] when it is damaged, encrypted, empty, or beyond a limit.
pub(super) fn xlsx_rows(name: &str, bytes: &[u8]) -> Result<Vec<RawRow>, FormatError> {
    check_unpacked_size(name, bytes, MAX_UNPACKED_BYTES)?;
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
        Err(Claim::TooLarge) => {
            return Err(FormatError::TooLarge { name: name.to_owned(), limit: MAX_XLS_CELLS, unit: "cells" });
        }
        Err(Claim::TooMuchText) => {
            return Err(FormatError::TooLarge {
                name: name.to_owned(),
                limit: MAX_XLS_CHARACTERS,
                unit: "characters in its cells",
            });
        }
        Err(Claim::Damaged) => return Err(damaged(name)),
    }
    guarded(name, || {
        let mut workbook: Xls<_> = match Xls::new(Cursor::new(bytes)) {
            Ok(workbook) => workbook,
            Err(XlsError::Password) => return Err(FormatError::Encrypted { name: name.to_owned() }),
            Err(cause) => {
                return Err(match Xlsx::new(Cursor::new(bytes)) {
                    Err(XlsxError::Password) => FormatError::Encrypted { name: name.to_owned() },
                    _ => FormatError::Workbook { name: name.to_owned(), cause: cause.into() },
                });
            }
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

/// Runs the workbook reader. It is not hardened against every damage, and a file that makes it panic is a damaged
/// file, not the end of the process.
fn guarded<T>(name: &str, read: impl FnOnce() -> Result<T, FormatError>) -> Result<T, FormatError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged(name)))
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

/// Unpacks every part into nothing and counts. What the archive claims about sizes is not believed.
fn check_unpacked_size(name: &str, bytes: &[u8], limit: u64) -> Result<(), FormatError> {
    // An archive that cannot be opened is left to the workbook reader to complain about.
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return Ok(()) };
    let mut left = limit;
    for at in 0..archive.len() {
        let Ok(part) = archive.by_index(at) else { continue };
        let mut limited = std::io::Read::take(part, left.saturating_add(1));
        let size = std::io::copy(&mut limited, &mut std::io::sink()).unwrap_or(0);
        left = left.checked_sub(size).ok_or_else(|| FormatError::TooLarge {
            name: name.to_owned(),
            limit,
            unit: "bytes when unpacked",
        })?;
    }
    Ok(())
}

/// Rows in the making.
struct SheetRows<'n> {
    name: &'n str,
    rows: std::collections::BTreeMap<u32, Vec<String>>,
    cells: usize,
}

impl<'n> SheetRows<'n> {
    fn new(name: &'n str) -> Self {
        SheetRows { name, rows: Default::default(), cells: 0 }
    }

    fn put(&mut self, (row, column): (u32, u32), text: String) -> Result<(), FormatError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let too_large =
            |limit: usize, unit| FormatError::TooLarge { name: self.name.to_owned(), limit: limit as u64, unit };
        let column = column as usize;
        if column >= MAX_COLUMNS {
            return Err(too_large(MAX_COLUMNS, "columns"));
        }
        let cells = self.rows.entry(row).or_default();
        if column >= cells.len() {
            self.cells += column + 1 - cells.len();
            cells.resize(column + 1, String::new());
        }
        cells[column] = text;
        if self.cells > MAX_CELLS {
            return Err(too_large(MAX_CELLS, "cells"));
        }
        if self.rows.len() > MAX_ROWS {
            return Err(too_large(MAX_ROWS, "rows"));
        }
        Ok(())
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
    fn an_archive_is_refused_for_what_its_parts_unpack_to_together() {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for part in ["xl/a.xml", "xl/b.xml"] {
            archive.start_file(part, zip::write::SimpleFileOptions::default()).expect("an archive");
            std::io::Write::write_all(&mut archive, &[0; 100_000]).expect("an archive");
        }
        let bomb = archive.finish().expect("an archive").into_inner();
        assert!(bomb.len() < 2_000, "small outside");
        assert!(check_unpacked_size("x.xlsx", &bomb, 200_000).is_ok());
        let refused = check_unpacked_size("x.xlsx", &bomb, 199_999);
        assert!(matches!(refused, Err(FormatError::TooLarge { unit: "bytes when unpacked", .. })));
    }

    #[test]
    fn a_far_away_cell_does_not_cost_its_range() {
        let mut rows = SheetRows::new("x.xlsx");
        rows.put((1_048_575, 16_383), "far".to_owned()).expect("one row of 16,384 cells");
        assert_eq!(rows.cells, MAX_COLUMNS);
        let more = (0..2_000).try_for_each(|row| rows.put((row, 16_383), "far".to_owned()));
        assert!(matches!(more, Err(FormatError::TooLarge { unit: "cells", .. })));
    }
}
