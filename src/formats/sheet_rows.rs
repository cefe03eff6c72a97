//! The rows of a sheet in the making: only what is there costs memory, and not without end.

use std::collections::BTreeMap;

use calamine::Dimensions;

use super::error::FormatError;
use super::limits::{MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_TEXT_BYTES};
use super::remark::Remark;
use super::sheet_read::too_large;
use super::table::{CellMark, RawRow};

/// Rows in the making.
pub(super) struct SheetRows<'n> {
    name: &'n str,
    rows: BTreeMap<u32, Row>,
    cells: usize,
    text_bytes: usize,
    /// How many cells got their value from merged ones.
    filled_down: usize,
}

#[derive(Default)]
struct Row {
    cells: Vec<String>,
    marks: Vec<(usize, CellMark)>,
}

impl<'n> SheetRows<'n> {
    pub(super) fn new(name: &'n str) -> Self {
        SheetRows { name, rows: BTreeMap::new(), cells: 0, text_bytes: 0, filled_down: 0 }
    }

    /// Puts a cell at its place, with what its text does not say.
    pub(super) fn put(
        &mut self,
        (row, column): (u32, u32),
        text: String,
        mark: Option<CellMark>,
    ) -> Result<(), FormatError> {
        let is_blank = text.trim().is_empty();
        if is_blank && mark.is_none() {
            return Ok(());
        }
        let column = column as usize;
        if column >= MAX_COLUMNS {
            return Err(self.beyond(MAX_COLUMNS, "columns"));
        }
        let row = self.rows.entry(row).or_default();
        if let Some(mark) = mark {
            self.cells += usize::from(is_blank);
            row.marks.push((column, mark));
        }
        if !is_blank {
            if column >= row.cells.len() {
                self.cells += column + 1 - row.cells.len();
                row.cells.resize(column + 1, String::new());
            }
            self.text_bytes += text.len();
            row.cells[column] = text;
        }
        self.check_limits()
    }

    /// Gives the value of merged cells to each row that they stand in. Rows without anything of their own stay away, and a
    /// value that is merged over several columns belongs to the first.
    pub(super) fn fill_down(&mut self, region: Dimensions) -> Result<(), FormatError> {
        let ((top, left), (bottom, _)) = (region.start, region.end);
        let column = left as usize;
        let value = self.rows.get(&top).and_then(|row| row.cells.get(column)).filter(|text| !text.is_empty()).cloned();
        let Some(value) = value.filter(|_| top < bottom) else { return Ok(()) };
        for row in self.rows.range_mut(top + 1..=bottom).map(|(_, row)| row) {
            // Each look counts, so that a file of nothing but merged cells comes to an end.
            self.cells += 1;
            if column >= row.cells.len() {
                self.cells += column + 1 - row.cells.len();
                row.cells.resize(column + 1, String::new());
            }
            if row.cells[column].is_empty() {
                self.text_bytes += value.len();
                self.filled_down += 1;
                row.cells[column].clone_from(&value);
            }
            if self.cells > MAX_CELLS || self.text_bytes > MAX_TEXT_BYTES {
                break;
            }
        }
        self.check_limits()
    }

    fn check_limits(&self) -> Result<(), FormatError> {
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

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows in their order, and the remarks with what is to be said about merged cells.
    pub(super) fn finish(self, mut remarks: Vec<Remark>) -> (Vec<RawRow>, Vec<Remark>) {
        if self.filled_down > 0 {
            remarks.push(Remark::MergedCells { count: self.filled_down });
        }
        let row = |(row, Row { cells, marks }): (u32, Row)| RawRow::Cells { line: u64::from(row) + 1, cells, marks };
        (self.rows.into_iter().map(row).collect(), remarks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_away_cell_does_not_cost_its_range() {
        let mut rows = SheetRows::new("x.xlsx");
        rows.put((1_048_575, 16_383), "far".to_owned(), None).expect("one row of 16,384 cells");
        assert_eq!(rows.cells, MAX_COLUMNS);
        let more = (0..2_000).try_for_each(|row| rows.put((row, 16_383), "far".to_owned(), None));
        assert!(matches!(more, Err(FormatError::TooLarge { unit: "cells", .. })));
    }

    #[test]
    fn one_long_text_in_many_cells_counts_in_each() {
        let long = "x".repeat(1024 * 1024);
        let mut rows = SheetRows::new("x.xlsx");
        let mebibytes = (MAX_TEXT_BYTES / long.len()) as u32;
        (0..mebibytes).try_for_each(|row| rows.put((row, 0), long.clone(), None)).expect("at the limit");
        let more = rows.put((mebibytes, 0), "x".to_owned(), None);
        assert!(matches!(more, Err(FormatError::TooLarge { unit: "bytes of text in its cells", .. })));
    }

    #[test]
    fn merged_cells_over_and_over_come_to_an_end() {
        let mut rows = SheetRows::new("x.xlsx");
        (0..10_000).try_for_each(|row| rows.put((row, 0), "x".to_owned(), None)).expect("within the limits");
        let region = Dimensions { start: (0, 0), end: (9_999, 0) };
        let more = (0..10_000).try_for_each(|_| rows.fill_down(region));
        assert!(matches!(more, Err(FormatError::TooLarge { unit: "cells", .. })));
    }
}
