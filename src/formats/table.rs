//! Rows of cells, whatever file they came from: which row is the header, and what the rows below it say.

use std::collections::BTreeSet;

use super::amounts;
use super::columns::Columns;
use super::dates;
use super::entry_target::{ActivityPart, DealPart};
use super::headings::{self, Dialect};
use super::map_file::ColumnMap;
use super::row::{self, Cells, RowCards};
use super::row_entries::Style;
use super::target::Target;
use super::{Draft, Item, Rejected, clean, emails};

/// A row as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RawRow {
    Cells {
        line: u64,
        cells: Vec<String>,
        /// What the text of a cell does not say, by column, in their order.
        marks: Vec<(usize, CellMark)>,
    },
    /// A row that the format's reader could not take apart.
    Broken { line: u64, reason: String, raw: Vec<String> },
}

/// What a sheet says about a cell beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CellMark {
    /// It is a number to count with.
    Number,
    /// It holds a formula that was never calculated, so its text is missing.
    Uncalculated,
    /// It holds a formula that came to nothing.
    Nothing,
    /// It shows an error instead of a value.
    Failed(String),
}

/// How the cells of our own export are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Apostrophes {
    /// In CSV our export puts an apostrophe before what a spreadsheet would take for a formula.
    Guard,
    /// Cells of a sheet have types and need no guard.
    Text,
}

/// How far down the header is looked for: exports have a few lines of explanation above it.
const HEADER_WITHIN: usize = 25;

/// How many rows are looked at to tell what a column is.
const SAMPLE_ROWS: usize = 200;

/// A table whose header was found.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) columns: Columns,
    styles: Vec<Style>,
    rows: Vec<RawRow>,
    apostrophes: Apostrophes,
}

impl Table {
    /// Finds the header and decides about the columns.
    pub(super) fn new(mut rows: Vec<RawRow>, apostrophes: Apostrophes, map: Option<&ColumnMap>) -> Self {
        let header = find_header(&rows);
        let body = header.map_or(0, |at| at + 1);
        let width = rows[body..].iter().map(filled_width).max().unwrap_or(0);
        let sample: Vec<&[String]> = rows[body..]
            .iter()
            .filter_map(|row| if let RawRow::Cells { cells, .. } = row { Some(cells.as_slice()) } else { None })
            .take(SAMPLE_ROWS)
            .collect();
        let columns = match header.and_then(|at| rows.get(at)) {
            Some(RawRow::Cells { cells, .. }) => Columns::decide(&headings_of(cells), &sample, map),
            _ => Columns::without_headings(width, &sample, map),
        };
        let styles = styles(&columns, &rows[body..]);
        rows.drain(..body);
        Table { columns, styles, rows, apostrophes }
    }

    /// How many rows there are, blank ones included.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The contacts and what could not be used, in the order of the file.
    pub(super) fn items(self) -> impl Iterator<Item = Item> {
        let Table { columns, styles, rows, apostrophes } = self;
        rows.into_iter().filter_map(move |row| match row {
            RawRow::Broken { line, reason, raw } => Some(Item::Rejected(Rejected { line, reason, raw })),
            RawRow::Cells { line, cells, marks } => {
                read(&columns, &styles, apostrophes, line, Cells { texts: cells, marks })
            }
        })
    }
}

fn read(columns: &Columns, styles: &[Style], apostrophes: Apostrophes, line: u64, mut cells: Cells) -> Option<Item> {
    let is_empty = |mark: &CellMark| *mark != CellMark::Uncalculated;
    if cells.texts.iter().all(|cell| row::is_blank(cell)) && cells.marks.iter().all(|(_, mark)| is_empty(mark)) {
        return None;
    }
    let rejected = |reason: String, raw: Vec<String>| Some(Item::Rejected(Rejected { line, reason, raw }));
    let filled = cells.texts.iter().rposition(|cell| !row::is_blank(cell)).map_or(0, |last| last + 1);
    if filled > columns.count() {
        return rejected(format!("the row has {filled} cells, the header {}", columns.count()), cells.texts);
    }
    if columns.dialect == Dialect::Own && apostrophes == Apostrophes::Guard {
        cells.texts.iter_mut().for_each(unguard);
    }
    match row::read(columns, styles, &cells) {
        Ok(RowCards { card, organization, entries, warnings }) => {
            let raw = cells.texts;
            Some(Item::Draft(Box::new(Draft { line, card, organization, entries, warnings, raw })))
        }
        Err(reason) => rejected(reason, cells.texts),
    }
}

/// Takes the apostrophe off that our export put before a cell.
fn unguard(cell: &mut String) {
    if cell.strip_prefix('\'').is_some_and(super::export::needs_guard) {
        cell.remove(0);
    }
}

/// The row with the most known headings; where no row has any, the first that looks like a header.
fn find_header(rows: &[RawRow]) -> Option<usize> {
    let width = rows.iter().take(SAMPLE_ROWS).map(filled_cells).max().unwrap_or(0);
    let mut best: Option<(usize, usize)> = None;
    let mut looks = None;
    for (at, row) in rows.iter().enumerate().take(HEADER_WITHIN) {
        let RawRow::Cells { cells, .. } = row else { continue };
        let headings = headings_of(cells);
        let filled = filled_cells(row);
        // One word alone above a wide table is a title, even if it is `Notes:`.
        if filled == 0 || (filled == 1 && width > 2) {
            continue;
        }
        // A row that holds data can hold words that are headings elsewhere: `Home`, `Mobile`.
        let known =
            headings::recognised(&headings) / if headings.iter().any(|heading| is_data(heading)) { 2 } else { 1 };
        if known > best.map_or(0, |(_, most)| most) {
            best = Some((at, known));
        }
        if looks.is_none() && filled == width && is_header(&headings) {
            looks = Some(at);
        }
    }
    best.map(|(at, _)| at).or(looks)
}

/// Whether a row with no known heading is a header all the same: short texts, all different, nothing that is data.
fn is_header(headings: &[String]) -> bool {
    let cells: Vec<&String> = headings.iter().filter(|cell| !cell.is_empty()).collect();
    let distinct: BTreeSet<&String> = cells.iter().copied().collect();
    let is_odd = |cell: &&String| cell.contains('@') || cell.chars().any(|c| c.is_ascii_digit()) || cell.len() > 60;
    cells.len() > 1 && distinct.len() == cells.len() && !cells.iter().any(is_odd)
}

/// Whether a cell cannot be a heading: an e-mail address, a number of six digits or more.
fn is_data(cell: &str) -> bool {
    emails::is_address(cell) || cell.chars().filter(char::is_ascii_digit).count() >= 6
}

/// The cells of a row as headings, without the empty ones at the end.
fn headings_of(cells: &[String]) -> Vec<String> {
    let mut headings: Vec<String> = cells.iter().map(|cell| clean::line(cell)).collect();
    let filled = headings.iter().rposition(|heading| !heading.is_empty()).map_or(0, |last| last + 1);
    headings.truncate(filled);
    headings
}

fn filled_cells(row: &RawRow) -> usize {
    match row {
        RawRow::Cells { cells, .. } => cells.iter().filter(|cell| !row::is_blank(cell)).count(),
        RawRow::Broken { .. } => 0,
    }
}

fn filled_width(row: &RawRow) -> usize {
    match row {
        RawRow::Cells { cells, .. } => cells.iter().rposition(|cell| !row::is_blank(cell)).map_or(0, |last| last + 1),
        RawRow::Broken { .. } => 0,
    }
}

/// For each column of dates or amounts, which spelling its values prove.
fn styles(columns: &Columns, rows: &[RawRow]) -> Vec<Style> {
    let is_date = |target: &Target| match target {
        Target::OfOrganization(inner) => matches!(**inner, Target::Event { .. } | Target::Birthday),
        Target::Deal(DealPart::ExpectedClose) | Target::Activity(ActivityPart::Due) => true,
        target => matches!(target, Target::Event { .. } | Target::Birthday),
    };
    let cells = |at: usize| {
        rows.iter().filter_map(move |row| match row {
            RawRow::Cells { cells, .. } => cells.get(at).map(String::as_str),
            RawRow::Broken { .. } => None,
        })
    };
    let style = |(at, target): (usize, &Target)| match target {
        Target::Deal(DealPart::Value) => Style { decimal: amounts::mark_of(cells(at)), ..Style::UNPROVEN },
        target if is_date(target) => Style { order: dates::order_of(cells(at)), ..Style::UNPROVEN },
        _ => Style::UNPROVEN,
    };
    columns.iter().map(|column| &column.target).enumerate().map(style).collect()
}
