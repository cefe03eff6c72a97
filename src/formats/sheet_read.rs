//! From workbooks to rows. The first visible sheet that holds anything is read, and the others are named.
//!
//! Cells become the text a person would have typed: a phone number that the sheet keeps as a number has no `.0`, a
//! date is `YYYY-MM-DD`, an error such as `#N/A` is empty. Only cells that are there cost memory, whatever range the
//! sheet claims; and all of them together cost no more than a limit, however often a sheet names one long text.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, ExcelDateTime, Reader, Sheet, SheetType, SheetVisible, Xls, XlsError, Xlsx, XlsxError};

use super::error::FormatError;
use super::limits::MAX_UNPACKED_BYTES;
use super::remark::Remark;
use super::sheet_rows::SheetRows;
use super::table::{CellMark, RawRow};
use super::xls_claims::{self, Claim, MAX_XLS_CELLS, MAX_XLS_CHARACTERS};
use super::xlsx_claims::{self, MAX_SHARED_TEXTS, Oversize};

/// The rows of a sheet, and what there is to say about the workbook.
pub(super) type SheetContent = (Vec<RawRow>, Vec<Remark>);

/// Reads the rows of an XLSX workbook.
///
/// # Errors
/// [`FormatError`] when it is damaged, encrypted, empty, or beyond a limit.
pub(super) fn xlsx_rows(name: &str, bytes: &[u8]) -> Result<SheetContent, FormatError> {
    match xlsx_claims::check(bytes, MAX_UNPACKED_BYTES) {
        Ok(()) => {}
        Err(Oversize::Unpacked) => return Err(too_large(name, MAX_UNPACKED_BYTES, "bytes when unpacked")),
        Err(Oversize::Texts) => return Err(too_large(name, MAX_SHARED_TEXTS, "texts")),
    }
    guarded(name, || {
        let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|cause| xlsx_error(name, cause))?;
        let sheets = workbook.sheets_metadata().to_vec();
        for sheet in visible(&sheets) {
            let Some(mut rows) = xlsx_sheet(name, &mut workbook, &sheet)? else { continue };
            // A list of merged cells that cannot be read is no reason to refuse the cells.
            for region in workbook.merge_cells_by_sheet_name(&sheet).unwrap_or_default() {
                rows.fill_down(region)?;
            }
            let others = left_out(&sheets, &sheet, |other| is_filled(&mut workbook, other));
            return Ok(rows.finish(others));
        }
        Err(FormatError::NoSheet { name: name.to_owned() })
    })
}

/// Reads one sheet; `None` when nothing is in it.
fn xlsx_sheet<'n>(
    name: &'n str,
    workbook: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
) -> Result<Option<SheetRows<'n>>, FormatError> {
    let mut rows = SheetRows::new(name);
    let mut cells = match workbook.worksheet_cells_reader(sheet) {
        Ok(cells) => cells,
        // Chart sheets are listed with the others.
        Err(XlsxError::NotAWorksheet(_) | XlsxError::WorksheetNotFound(_)) => return Ok(None),
        Err(cause) => return Err(xlsx_error(name, cause)),
    };
    while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(|cause| xlsx_error(name, cause))? {
        let mark = match &cell.value {
            DataRef::Int(_) | DataRef::Float(_) => Some(CellMark::Number),
            DataRef::Error(error) => Some(CellMark::Failed(error.to_string())),
            DataRef::Empty if cell.formula.is_some() => Some(CellMark::Uncalculated),
            _ => None,
        };
        rows.put(cell.pos, text_of(&cell.value), mark)?;
    }
    Ok((!rows.is_empty()).then_some(rows))
}

/// Whether a sheet has a cell with something in it.
fn is_filled(workbook: &mut Xlsx<Cursor<&[u8]>>, sheet: &str) -> bool {
    let Ok(mut cells) = workbook.worksheet_cells_reader(sheet) else { return false };
    while let Ok(Some(cell)) = cells.next_cell() {
        if !text_of(cell.get_value()).trim().is_empty() {
            return true;
        }
    }
    false
}

/// Reads the rows of an XLS workbook, of Excel 95 to 2003.
///
/// # Errors
/// As [`xlsx_rows`]. An encrypted XLSX file looks like an XLS file and is refused here.
pub(super) fn xls_rows(name: &str, bytes: &[u8]) -> Result<SheetContent, FormatError> {
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
        let sheets = workbook.sheets_metadata().to_vec();
        for sheet in visible(&sheets) {
            let Some(mut rows) = xls_sheet(name, &mut workbook, &sheet)? else { continue };
            for region in workbook.merge_cells_by_sheet_name(&sheet).unwrap_or_default() {
                rows.fill_down(region)?;
            }
            let others = left_out(&sheets, &sheet, |other| {
                workbook.worksheet_range(other).is_ok_and(|range| range.used_cells().next().is_some())
            });
            return Ok(rows.finish(others));
        }
        Err(FormatError::NoSheet { name: name.to_owned() })
    })
}

/// Reads one sheet; `None` when nothing is in it. A formula in this format always has a result, which can be nothing.
fn xls_sheet<'n>(
    name: &'n str,
    workbook: &mut Xls<Cursor<&[u8]>>,
    sheet: &str,
) -> Result<Option<SheetRows<'n>>, FormatError> {
    let Ok(range) = workbook.worksheet_range(sheet) else { return Ok(None) };
    let start = range.start().unwrap_or_default();
    let place = |start: (u32, u32), row: usize, column: usize| {
        let (row, column) = (u32::try_from(row).ok()?, u32::try_from(column).ok()?);
        Some((start.0.saturating_add(row), start.1.saturating_add(column)))
    };
    let mut rows = SheetRows::new(name);
    for (row, column, value) in range.used_cells() {
        let Some(at) = place(start, row, column) else { continue };
        let mark = match value {
            Data::Int(_) | Data::Float(_) => Some(CellMark::Number),
            Data::Error(error) => Some(CellMark::Failed(error.to_string())),
            _ => None,
        };
        rows.put(at, text_of_owned(value), mark)?;
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let formulas = workbook.worksheet_formula(sheet).unwrap_or_default();
    let start = formulas.start().unwrap_or_default();
    for (row, column, _) in formulas.used_cells().filter(|(_, _, formula)| !formula.is_empty()) {
        let Some(at) = place(start, row, column) else { continue };
        if range.get_value(at).is_none_or(|value| text_of_owned(value).is_empty() && !matches!(value, Data::Error(_))) {
            rows.put(at, String::new(), Some(CellMark::Nothing))?;
        }
    }
    Ok(Some(rows))
}

/// The sheets that hold something and are not read.
fn left_out(sheets: &[Sheet], read: &str, mut is_filled: impl FnMut(&str) -> bool) -> Vec<Remark> {
    let mut names = |is_wanted: fn(&SheetVisible) -> bool| -> Vec<String> {
        let wanted = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet && is_wanted(&sheet.visible));
        wanted.map(|sheet| sheet.name.clone()).filter(|name| name != read && is_filled(name)).collect()
    };
    let others = names(|visible| *visible == SheetVisible::Visible);
    let hidden = names(|visible| *visible != SheetVisible::Visible);
    let mut remarks = Vec::new();
    if !others.is_empty() {
        remarks.push(Remark::SheetsLeftOut { read: read.to_owned(), names: others });
    }
    if !hidden.is_empty() {
        remarks.push(Remark::HiddenSheetsLeftOut { names: hidden });
    }
    remarks
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

pub(super) fn too_large(name: &str, limit: u64, unit: &'static str) -> FormatError {
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
}
