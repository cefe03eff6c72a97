//! What an XLS file claims about its size, looked at before its reader believes it.
//!
//! The reader allocates one cell for every place between the first and the last filled one, and trusts the range a
//! sheet states; two crafted records would cost more memory than there is. So the records are walked here first. Only
//! positions are read, nothing is decoded.
//!
//! Source: MS-CFB for the container, MS-XLS for the records (read 2026-11).

/// Cells between the first and the last of each sheet, over all sheets: 65,536 rows of 120 columns.
pub(super) const MAX_XLS_CELLS: u64 = 8_000_000;

/// Columns of a sheet in this format.
const MAX_XLS_COLUMNS: u64 = 256;

/// Rows of a sheet in this format.
const MAX_XLS_ROWS: u64 = 65_536;

const HEADER_BYTES: usize = 512;
const DIRECTORY_BYTES: usize = 128;
const MINI_SECTOR_BYTES: usize = 64;
/// Streams below this size live in the mini stream.
const MINI_STREAM_BELOW: usize = 4_096;
/// Numbers from here on are marks, not sectors.
const FIRST_MARK: u32 = 0xFFFF_FFFA;

/// What is wrong with the claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// The container cannot be walked.
    Damaged,
    /// The sheets span more cells than [`MAX_XLS_CELLS`], or lie where the format has no cells.
    TooLarge,
}

/// Checks the claims of a file. A container without a workbook in it is fine here; the reader will say what it is.
pub(super) fn check(bytes: &[u8]) -> Result<(), Claim> {
    let container = Container::open(bytes).ok_or(Claim::Damaged)?;
    let workbook = ["workbook", "book"].into_iter().find_map(|name| container.stream(name));
    workbook.map_or(Ok(()), |stream| check_records(&stream))
}

fn check_records(stream: &[u8]) -> Result<(), Claim> {
    let mut total = 0_u64;
    let mut sheet = Extent::default();
    let mut rest = stream;
    while let Some((kind, data, tail)) = record(rest) {
        rest = tail;
        match kind {
            // A new sheet begins.
            0x0809 => total = total.saturating_add(std::mem::take(&mut sheet).cells()),
            0x0200 => check_stated_range(data)?,
            // Number, label, rich string, truth value, RK number, shared string, formula.
            0x0203 | 0x0204 | 0x00D6 | 0x0205 | 0x027E | 0x00FD | 0x0006 => {
                let (Some(row), Some(column)) = (u16_at(data, 0), u16_at(data, 2)) else { return Err(Claim::Damaged) };
                sheet.take(row, column);
            }
            // Several RK numbers; the last column stands at the end.
            0x00BD => {
                let last = data.len().checked_sub(2).and_then(|at| u16_at(data, at));
                let (Some(row), Some(first), Some(last)) = (u16_at(data, 0), u16_at(data, 2), last) else {
                    return Err(Claim::Damaged);
                };
                sheet.take(row, first);
                sheet.take(row, last);
            }
            _ => {}
        }
    }
    let total = total.saturating_add(sheet.cells());
    if total > MAX_XLS_CELLS { Err(Claim::TooLarge) } else { Ok(()) }
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
    if is_beyond { Err(Claim::TooLarge) } else { Ok(()) }
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

/// The compound file around the workbook: a small file system of sectors and chains.
struct Container<'b> {
    sectors: &'b [u8],
    sector_bytes: usize,
    chains: Vec<u32>,
    mini_chains: Vec<u32>,
    mini_stream: Vec<u8>,
    directory: Vec<u8>,
}

impl<'b> Container<'b> {
    fn open(bytes: &'b [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_BYTES)?;
        let sector_bytes = match u16_at(header, 30)? {
            9 => 512,
            12 => 4_096,
            _ => return None,
        };
        // Larger sectors make the header one sector long.
        let sectors = bytes.get(sector_bytes..)?;
        let mut container = Container {
            sectors,
            sector_bytes,
            chains: Vec::new(),
            mini_chains: Vec::new(),
            mini_stream: Vec::new(),
            directory: Vec::new(),
        };
        container.chains = container.read_chains(header)?;
        container.directory = container.chain(u32_at(header, 48)?);
        let mini_chains = container.chain(u32_at(header, 60)?);
        container.mini_chains = numbers(&mini_chains).collect();
        let root = u32_at(&container.directory, 116).unwrap_or(FIRST_MARK);
        container.mini_stream = container.chain(root);
        Some(container)
    }

    /// The table that says which sector follows which.
    fn read_chains(&self, header: &[u8]) -> Option<Vec<u32>> {
        let mut places: Vec<u32> = numbers(header.get(76..)?).collect();
        let mut next = u32_at(header, 68)?;
        let mut read = 0;
        while next < FIRST_MARK && read <= self.count() {
            let mut more: Vec<u32> = numbers(self.sector(next)?).collect();
            next = more.pop()?;
            places.extend(more);
            read += 1;
        }
        let tables = places.into_iter().filter(|&place| place < FIRST_MARK).filter_map(|place| self.sector(place));
        Some(tables.flat_map(numbers).collect())
    }

    fn count(&self) -> usize {
        self.sectors.len() / self.sector_bytes + 1
    }

    /// A sector; the last one of a file may be short.
    fn sector(&self, at: u32) -> Option<&'b [u8]> {
        let start = usize::try_from(at).ok()?.checked_mul(self.sector_bytes)?;
        let rest = self.sectors.get(start..)?;
        Some(&rest[..rest.len().min(self.sector_bytes)])
    }

    /// All bytes of a chain, as far as it can be followed. A chain in a circle ends after as many sectors as there are.
    fn chain(&self, first: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut at = first;
        for _ in 0..self.count() {
            let Some(sector) = Some(at).filter(|&at| at < FIRST_MARK).and_then(|at| self.sector(at)) else { break };
            bytes.extend_from_slice(sector);
            let next = usize::try_from(at).ok().and_then(|at| self.chains.get(at));
            at = next.copied().unwrap_or(FIRST_MARK);
        }
        bytes
    }

    fn mini_chain(&self, first: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut at = first;
        for _ in 0..=self.mini_stream.len() / MINI_SECTOR_BYTES {
            let Ok(place) = usize::try_from(at) else { break };
            let start = place.saturating_mul(MINI_SECTOR_BYTES);
            let Some(rest) = self.mini_stream.get(start..) else { break };
            bytes.extend_from_slice(&rest[..rest.len().min(MINI_SECTOR_BYTES)]);
            at = self.mini_chains.get(place).copied().unwrap_or(FIRST_MARK);
        }
        bytes
    }

    /// The stream of this name, in lower case.
    fn stream(&self, name: &str) -> Option<Vec<u8>> {
        let entry = self.directory.chunks_exact(DIRECTORY_BYTES).find(|entry| {
            let units = entry[..64].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let text: String = char::decode_utf16(units.take_while(|&unit| unit != 0)).flatten().collect();
            text.to_lowercase() == name
        })?;
        let (first, length) = (u32_at(entry, 116)?, usize::try_from(u32_at(entry, 120)?).ok()?);
        let mut bytes = if length < MINI_STREAM_BELOW { self.mini_chain(first) } else { self.chain(first) };
        bytes.truncate(length);
        Some(bytes)
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes([two[0], two[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    numbers(bytes.get(at..at + 4)?).next()
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

    #[test]
    fn cells_far_apart_are_refused_before_anything_is_allocated() {
        let near = records(&[(0x0809, &[0; 4]), (0x0203, &[0; 14]), (0x0203, &[1, 0, 9, 0])]);
        assert_eq!(check_records(&near), Ok(()));
        let far = records(&[(0x0203, &[0; 14]), (0x0203, &[0xFF, 0xFF, 0xFF, 0xFF])]);
        assert_eq!(check_records(&far), Err(Claim::TooLarge));
        let several = records(&[(0x0203, &[0xFF, 0xFF, 0xFF, 0xFF]), (0x0809, &[0; 4]), (0x0203, &[0; 14])]);
        assert_eq!(check_records(&several), Ok(()), "each sheet has its own rectangle");
    }

    #[test]
    fn stated_ranges_beyond_the_format_are_refused() {
        let stated = |first: u32, last: u32, columns: u16| {
            let rows = [first.to_le_bytes(), last.to_le_bytes()].concat();
            let data = [&rows[..], &0_u16.to_le_bytes(), &columns.to_le_bytes(), &[0, 0]].concat();
            check_records(&records(&[(0x0200, &data)]))
        };
        assert_eq!(stated(0, 65_536, 256), Ok(()));
        assert_eq!(stated(0, 0, 0), Ok(()));
        assert_eq!(stated(0, u32::MAX, 2), Err(Claim::TooLarge));
        assert_eq!(stated(0, 10, u16::MAX), Err(Claim::TooLarge));
        assert_eq!(stated(9, 3, 2), Err(Claim::Damaged));
    }

    #[test]
    fn no_container_is_walked_beyond_its_end() {
        for length in [0, 8, 511, 512, 1_024, 4_096] {
            let mut bytes = vec![0_u8; length];
            if length >= HEADER_BYTES {
                bytes[30] = 9;
            }
            assert!(matches!(check(&bytes), Ok(()) | Err(Claim::Damaged)), "{length}");
        }
    }
}
