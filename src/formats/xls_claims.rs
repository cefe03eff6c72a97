//! What an XLS file claims about its size, looked at before its reader believes it.
//!
//! The reader allocates one cell for every place between the first and the last filled one, trusts the range a sheet
//! states and the length a text states, reads a sheet as often as it is listed, and copies a shared text into every
//! cell that names it; a few crafted records would cost more memory than there is. So the records are walked here
//! first, in the way the reader will walk them, and what they would cost is added up. Nothing is decoded.
//!
//! Source: MS-XLS for the records (read 2026-11), and the behaviour of the reader.

use super::compound_file::{Broken, CompoundFile, u16_at, u32_at};
use super::shared_texts::SharedTexts;

/// Cells between the first and the last of each sheet, over all sheets: 65,536 rows of 120 columns.
pub(super) const MAX_XLS_CELLS: u64 = 8_000_000;

/// Characters in all cells of all sheets, a shared text counted wherever it stands.
pub(super) const MAX_XLS_CHARACTERS: u64 = 64_000_000;

/// How often the bytes of a workbook may be read: the list of sheets, then each sheet once.
const MAX_PASSES: u64 = 4;

/// Columns of a sheet in this format.
const MAX_XLS_COLUMNS: u64 = 256;

/// Rows of a sheet in this format.
const MAX_XLS_ROWS: u64 = 65_536;

const BEGIN: u16 = 0x0809;
const END: u16 = 0x000A;

/// What is wrong with the claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// The container cannot be walked, or a sheet is listed again and again.
    Damaged,
    /// The sheets span more cells than [`MAX_XLS_CELLS`], or lie where the format has no cells.
    TooLarge,
    /// The cells hold more text than can be meant.
    TooMuchText,
}

impl From<Broken> for Claim {
    fn from(Broken: Broken) -> Self {
        Claim::Damaged
    }
}

/// Checks the claims of a file. A container without a workbook in it is fine here; the reader will say what it is.
pub(super) fn check(bytes: &[u8]) -> Result<(), Claim> {
    let container = CompoundFile::open(bytes)?;
    // The reader takes the second name when it stumbles over the first.
    for name in ["Workbook", "Book"] {
        for stream in container.streams(name)? {
            check_workbook(&stream)?;
        }
    }
    Ok(())
}

fn check_workbook(stream: &[u8]) -> Result<(), Claim> {
    let globals = Globals::read(stream)?;
    let mut costs = Costs::default();
    costs.read_bytes(stream, stream)?;
    for &place in &globals.sheets {
        // A sheet beyond the end is the reader's to complain about.
        let Some(sheet) = stream.get(place..) else { continue };
        check_sheet(stream, sheet, &globals, &mut costs)?;
    }
    Ok(())
}

/// What the first part of a workbook says about the others.
#[derive(Default)]
struct Globals {
    sheets: Vec<usize>,
    texts: SharedTexts,
    longest_name: u64,
}

impl Globals {
    fn read(stream: &[u8]) -> Result<Self, Claim> {
        let mut globals = Globals::default();
        let mut rest = stream;
        while let Some((kind, data, tail)) = record(rest) {
            rest = tail;
            match kind {
                END => break,
                0x0085 => {
                    let place = u32_at(data, 0).and_then(|place| usize::try_from(place).ok());
                    globals.sheets.push(place.ok_or(Claim::Damaged)?);
                    globals.take_name(data.get(6));
                }
                0x0018 => globals.take_name(data.get(3)),
                0x00FC => globals.texts = SharedTexts::read(data, continuations(tail)),
                _ => {}
            }
        }
        Ok(globals)
    }

    fn take_name(&mut self, length: Option<&u8>) {
        self.longest_name = self.longest_name.max(length.copied().map_or(0, u64::from));
    }
}

/// What reading would cost, so far.
#[derive(Default)]
struct Costs {
    bytes: u64,
    cells: u64,
    characters: u64,
}

impl Costs {
    fn read_bytes(&mut self, read: &[u8], of: &[u8]) -> Result<(), Claim> {
        self.bytes = self.bytes.saturating_add(length(read));
        if self.bytes > length(of).saturating_mul(MAX_PASSES) { Err(Claim::Damaged) } else { Ok(()) }
    }

    fn hold_cells(&mut self, cells: u64) -> Result<(), Claim> {
        self.cells = self.cells.saturating_add(cells);
        if self.cells > MAX_XLS_CELLS { Err(Claim::TooLarge) } else { Ok(()) }
    }

    fn hold_text(&mut self, characters: u64) -> Result<(), Claim> {
        self.characters = self.characters.saturating_add(characters);
        if self.characters > MAX_XLS_CHARACTERS { Err(Claim::TooMuchText) } else { Ok(()) }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Walks one sheet to its end. What is embedded in it, such as a chart, is passed over.
fn check_sheet(stream: &[u8], sheet: &[u8], globals: &Globals, costs: &mut Costs) -> Result<(), Claim> {
    let mut extent = Extent::default();
    let mut depth = 0_u64;
    let mut rest = sheet;
    while let Some((kind, data, tail)) = record(rest) {
        costs.read_bytes(&rest[..rest.len() - tail.len()], stream)?;
        rest = tail;
        match (kind, depth) {
            (BEGIN, _) => depth += 1,
            (END, 0 | 1) => break,
            (END, _) => depth -= 1,
            (_, 0 | 1) => check_cells(kind, data, globals, &mut extent, costs)?,
            _ => {}
        }
    }
    costs.hold_cells(extent.cells())
}

fn check_cells(kind: u16, data: &[u8], globals: &Globals, extent: &mut Extent, costs: &mut Costs) -> Result<(), Claim> {
    match kind {
        0x0200 => return check_stated_range(data),
        // Number, label, rich string, truth value, RK number, shared string, formula.
        0x0203 | 0x0204 | 0x00D6 | 0x0205 | 0x027E | 0x00FD | 0x0006 => {
            let (Some(row), Some(column)) = (u16_at(data, 0), u16_at(data, 2)) else { return Err(Claim::Damaged) };
            extent.take(row, column);
        }
        // Several RK numbers; the last column stands at the end.
        0x00BD => {
            let last = data.len().checked_sub(2).and_then(|at| u16_at(data, at));
            let (Some(row), Some(first), Some(last)) = (u16_at(data, 0), u16_at(data, 2), last) else {
                return Err(Claim::Damaged);
            };
            extent.take(row, first);
            extent.take(row, last);
        }
        _ => {}
    }
    match kind {
        // Room is made for as many characters as a text states, whether they follow or not.
        0x0204 | 0x00D6 => costs.hold_text(u16_at(data, 6).map_or(0, u64::from)),
        0x0207 => costs.hold_text(u16_at(data, 0).map_or(0, u64::from)),
        0x00FD => costs.hold_text(u32_at(data, 6).map_or(0, |index| globals.texts.length(index))),
        // A formula is spelled out; its shortest part that stands for a name has five bytes.
        0x0006 => costs.hold_text(length(data).saturating_mul(8 + globals.longest_name / 5)),
        _ => Ok(()),
    }
}

/// The data of the records that continue the one before.
fn continuations(stream: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = stream;
    while let Some((0x003C, data, tail)) = record(rest) {
        parts.push(data);
        rest = tail;
    }
    parts
}

/// The range that a sheet states, in the spelling of old and new versions.
fn check_stated_range(data: &[u8]) -> Result<(), Claim> {
    let (first_row, last_row, last_column) = match data.len() {
        10 => (u16_at(data, 0).map(u64::from), u16_at(data, 2).map(u64::from), u16_at(data, 6)),
        _ => (u32_at(data, 0).map(u64::from), u32_at(data, 4).map(u64::from), u16_at(data, 10)),
    };
    let (Some(first_row), Some(last_row), Some(last_column)) = (first_row, last_row, last_column) else {
        return Err(Claim::Damaged);
    };
    let is_backwards = last_row > 0 && first_row >= last_row;
    let is_beyond = last_row > MAX_XLS_ROWS || first_row > MAX_XLS_ROWS || u64::from(last_column) > MAX_XLS_COLUMNS;
    if is_backwards {
        return Err(Claim::Damaged);
    }
    let stated = last_row.saturating_mul(u64::from(last_column));
    if is_beyond || stated > MAX_XLS_CELLS { Err(Claim::TooLarge) } else { Ok(()) }
}

/// The rectangle around the cells of a sheet.
#[derive(Default)]
struct Extent {
    rows: Option<(u16, u16)>,
    columns: Option<(u16, u16)>,
}

impl Extent {
    fn take(&mut self, row: u16, column: u16) {
        let wider = |range: Option<(u16, u16)>, at: u16| {
            Some(range.map_or((at, at), |(first, last)| (first.min(at), last.max(at))))
        };
        self.rows = wider(self.rows, row);
        self.columns = wider(self.columns, column);
    }

    fn cells(&self) -> u64 {
        let length = |range: Option<(u16, u16)>| range.map_or(0, |(first, last)| u64::from(last - first) + 1);
        length(self.rows) * length(self.columns)
    }
}

/// The first record of a stream: its kind, its data, and what follows.
fn record(stream: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (kind, length) = (u16_at(stream, 0)?, usize::from(u16_at(stream, 2)?));
    let body = stream.get(4..)?;
    Some((kind, body.get(..length)?, &body[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(records: &[(u16, &[u8])]) -> Vec<u8> {
        let one = |(kind, data): &(u16, &[u8])| {
            let length = u16::try_from(data.len()).expect("short");
            [&kind.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
        };
        records.iter().flat_map(one).collect()
    }

    /// A workbook that lists its sheets `times` times, each with the records given.
    fn workbook(globals: &[(u16, &[u8])], sheets: &[&[(u16, &[u8])]], times: usize) -> Vec<u8> {
        const NAME: [u8; 4] = [0, 0, 0, 0];
        let globals = records(globals);
        let listed = sheets.len() * times;
        let mut place = 12 * listed + globals.len() + 4;
        let (mut list, mut bodies) = (Vec::new(), Vec::new());
        for sheet in sheets {
            let body = [records(&[(BEGIN, &[0; 4])]), records(sheet), records(&[(END, &[])])].concat();
            let entry = [&u32::try_from(place).expect("small").to_le_bytes()[..], &NAME].concat();
            (0..times).for_each(|_| list.extend(records(&[(0x0085, &entry)])));
            place += body.len();
            bodies.extend(body);
        }
        [list, globals, records(&[(END, &[])]), bodies].concat()
    }

    fn verdict(sheets: &[&[(u16, &[u8])]]) -> Result<(), Claim> {
        check_workbook(&workbook(&[], sheets, 1))
    }

    const FIRST: (u16, &[u8]) = (0x0203, &[0; 14]);
    const LAST: (u16, &[u8]) = (0x0203, &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

    #[test]
    fn cells_far_apart_are_refused_before_anything_is_allocated() {
        assert_eq!(verdict(&[&[FIRST, (0x0203, &[1, 0, 9, 0])]]), Ok(()));
        assert_eq!(verdict(&[&[FIRST, LAST]]), Err(Claim::TooLarge));
        assert_eq!(verdict(&[&[LAST], &[FIRST]]), Ok(()), "each sheet has its own rectangle");
    }

    #[test]
    fn what_is_embedded_in_a_sheet_does_not_end_it() {
        let chart = [(BEGIN, &[0; 4][..]), (END, &[])];
        assert_eq!(verdict(&[&[FIRST, chart[0], chart[1], LAST]]), Err(Claim::TooLarge));
        assert_eq!(verdict(&[&[FIRST, chart[0], LAST, chart[1]]]), Ok(()), "cells of a chart are not read");
    }

    #[test]
    fn a_sheet_that_is_listed_again_and_again_is_refused() {
        let cells = vec![FIRST; 100];
        assert_eq!(check_workbook(&workbook(&[], &[&cells], 2)), Ok(()));
        assert_eq!(check_workbook(&workbook(&[], &[&cells], 9)), Err(Claim::Damaged));
    }

    #[test]
    fn a_long_text_that_many_cells_share_is_refused() {
        let list = [&[0; 8][..], &[0xFF, 0x1F, 0], &[b'a'; 0x1FFF]].concat();
        let cell = (0x00FD, &[0; 10][..]);
        let cells = |count| workbook(&[(0x00FC, &list)], &[&vec![cell; count]], 1);
        assert_eq!(check_workbook(&cells(7_000)), Ok(()));
        assert_eq!(check_workbook(&cells(8_000)), Err(Claim::TooMuchText));
    }

    #[test]
    fn texts_that_state_more_than_they_hold_are_counted_as_stated() {
        let label = (0x0204, &[0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0][..]);
        assert_eq!(verdict(&[&[label; 900]]), Ok(()));
        assert_eq!(verdict(&[&[label; 1_000]]), Err(Claim::TooMuchText));
    }

    #[test]
    fn stated_ranges_beyond_the_format_are_refused() {
        let stated = |first: u32, last: u32, columns: u16| {
            let rows = [first.to_le_bytes(), last.to_le_bytes()].concat();
            let data = [&rows[..], &0_u16.to_le_bytes(), &columns.to_le_bytes(), &[0, 0]].concat();
            verdict(&[&[(0x0200, &data)]])
        };
        assert_eq!(stated(0, 65_536, 120), Ok(()));
        assert_eq!(stated(0, 0, 0), Ok(()));
        assert_eq!(stated(0, 65_536, 256), Err(Claim::TooLarge), "room is made for all of them");
        assert_eq!(stated(0, u32::MAX, 2), Err(Claim::TooLarge));
        assert_eq!(stated(0, 10, u16::MAX), Err(Claim::TooLarge));
        assert_eq!(stated(9, 3, 2), Err(Claim::Damaged));
    }

    #[test]
    fn no_container_is_walked_beyond_its_end() {
        for length in [0, 8, 511, 512, 1_024, 4_096] {
            let mut bytes = vec![0_u8; length];
            if length >= 512 {
                bytes[30] = 9;
            }
            assert!(matches!(check(&bytes), Ok(()) | Err(Claim::Damaged)), "{length}");
        }
    }
}
