//! The container of an XLS file: a small file system of sectors and chains.
//!
//! It is walked before the workbook reader sees the file, because that reader follows chains for as long as the file
//! tells it to: a directory whose chain runs in a circle would fill all memory there is. Here no chain may use a sector
//! twice, and no table of chains may be listed twice; with that, nothing that is read from a file is larger than it.
//!
//! Source: MS-CFB (read 2026-11).

use std::collections::BTreeSet;

const HEADER_BYTES: usize = 512;
const DIRECTORY_BYTES: usize = 128;
const MINI_SECTOR_BYTES: usize = 64;
/// Streams below this size live in the mini stream.
const MINI_STREAM_BELOW: u64 = 4_096;
/// Numbers from here on are marks, not sectors.
const FIRST_MARK: u32 = 0xFFFF_FFFA;

/// The file cannot be walked, or one of its chains runs in a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// An opened container.
pub(super) struct CompoundFile<'b> {
    sectors: &'b [u8],
    sector_bytes: usize,
    chains: Vec<u32>,
    mini_chains: Vec<u32>,
    mini_stream: Vec<u8>,
    directory: Vec<u8>,
}

impl<'b> CompoundFile<'b> {
    /// Reads the tables of a container: what follows what, the directory, and the stream of short streams.
    pub(super) fn open(bytes: &'b [u8]) -> Result<Self, Broken> {
        let header = bytes.get(..HEADER_BYTES).ok_or(Broken)?;
        let sector_bytes = match u16_at(header, 30) {
            Some(9) => 512,
            Some(12) => 4_096,
            _ => return Err(Broken),
        };
        // Larger sectors make the header one sector long.
        let sectors = bytes.get(sector_bytes..).ok_or(Broken)?;
        let mut file = CompoundFile {
            sectors,
            sector_bytes,
            chains: Vec::new(),
            mini_chains: Vec::new(),
            mini_stream: Vec::new(),
            directory: Vec::new(),
        };
        let place = |at| u32_at(header, at).ok_or(Broken);
        file.chains = file.read_chains(header)?;
        file.directory = file.chain(place(48)?)?;
        if place(64)? > 0 {
            file.mini_chains = numbers(&file.chain(place(60)?)?).collect();
            file.mini_stream = file.chain(u32_at(&file.directory, 116).unwrap_or(FIRST_MARK))?;
        }
        Ok(file)
    }

    /// The streams of this name, in any case, in the order of the directory.
    pub(super) fn streams(&self, name: &str) -> Result<Vec<Vec<u8>>, Broken> {
        let entries = self.directory.chunks_exact(DIRECTORY_BYTES);
        entries.filter(|entry| entry_name(entry).eq_ignore_ascii_case(name)).map(|entry| self.stream(entry)).collect()
    }

    fn stream(&self, entry: &[u8]) -> Result<Vec<u8>, Broken> {
        let (first, length) = (u32_at(entry, 116).ok_or(Broken)?, self.length(entry).ok_or(Broken)?);
        let mut bytes = if length < MINI_STREAM_BELOW { self.mini_chain(first)? } else { self.chain(first)? };
        bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(bytes)
    }

    /// Files with small sectors state lengths in four bytes; what the other four hold is not defined.
    fn length(&self, entry: &[u8]) -> Option<u64> {
        let low = u64::from(u32_at(entry, 120)?);
        let high = if self.sector_bytes == 512 { 0 } else { u64::from(u32_at(entry, 124)?) };
        Some(high << 32 | low)
    }

    /// The table that says which sector follows which.
    fn read_chains(&self, header: &[u8]) -> Result<Vec<u32>, Broken> {
        let mut places: Vec<u32> = numbers(header.get(76..).ok_or(Broken)?).collect();
        let mut next = u32_at(header, 68).ok_or(Broken)?;
        let mut seen = BTreeSet::new();
        while next < FIRST_MARK {
            if !seen.insert(next) {
                return Err(Broken);
            }
            let mut more: Vec<u32> = numbers(self.sector(next).ok_or(Broken)?).collect();
            next = more.pop().ok_or(Broken)?;
            places.extend(more);
        }
        places.retain(|&place| place < FIRST_MARK);
        let mut listed = BTreeSet::new();
        if !places.iter().all(|&place| listed.insert(place)) {
            return Err(Broken);
        }
        Ok(places.into_iter().filter_map(|place| self.sector(place)).flat_map(numbers).collect())
    }

    /// A sector; the last one of a file may be short.
    fn sector(&self, at: u32) -> Option<&'b [u8]> {
        let start = usize::try_from(at).ok()?.checked_mul(self.sector_bytes)?;
        let rest = self.sectors.get(start..)?;
        Some(&rest[..rest.len().min(self.sector_bytes)])
    }

    /// All bytes of a chain, as far as it can be followed.
    fn chain(&self, first: u32) -> Result<Vec<u8>, Broken> {
        follow(first, &self.chains, self.sectors.len() / self.sector_bytes + 1, |at| self.sector(at))
    }

    fn mini_chain(&self, first: u32) -> Result<Vec<u8>, Broken> {
        let sector = |at: u32| {
            let start = usize::try_from(at).ok()?.checked_mul(MINI_SECTOR_BYTES)?;
            let rest = self.mini_stream.get(start..)?;
            Some(&rest[..rest.len().min(MINI_SECTOR_BYTES)])
        };
        follow(first, &self.mini_chains, self.mini_stream.len() / MINI_SECTOR_BYTES + 1, sector)
    }
}

/// Follows a chain to its end. One with more links than there are sectors runs in a circle.
fn follow<'s>(
    first: u32,
    chains: &[u32],
    sectors: usize,
    sector: impl Fn(u32) -> Option<&'s [u8]>,
) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    let mut at = first;
    for _ in 0..=sectors {
        let Some(piece) = Some(at).filter(|&at| at < FIRST_MARK).and_then(&sector) else { return Ok(bytes) };
        bytes.extend_from_slice(piece);
        let next = usize::try_from(at).ok().and_then(|at| chains.get(at));
        at = next.copied().unwrap_or(FIRST_MARK);
    }
    Err(Broken)
}

fn entry_name(entry: &[u8]) -> String {
    let units = entry[..64].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units.take_while(|&unit| unit != 0)).flatten().collect()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

/// A number of two bytes at this place.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes([two[0], two[1]]))
}

/// A number of four bytes at this place.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    numbers(bytes.get(at..at.checked_add(4)?)?).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 0xFFFF_FFFE;
    const FREE: u32 = 0xFFFF_FFFF;

    /// A file of sectors of 512 bytes: the table of chains in sector 0, the directory in sector 1, a stream from 2 on.
    pub(crate) fn file(chains: &[u32], stream: &[u8], length: u32) -> Vec<u8> {
        let mut header = vec![0_u8; HEADER_BYTES];
        header[..8].copy_from_slice(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
        header[26] = 3;
        header[30] = 9;
        header[32] = 6;
        let mut put = |at: usize, number: u32| header[at..at + 4].copy_from_slice(&number.to_le_bytes());
        put(48, 1);
        put(60, END);
        put(68, END);
        (76..HEADER_BYTES).step_by(4).for_each(|at| put(at, FREE));
        put(76, 0);
        let mut table: Vec<u8> = chains.iter().flat_map(|next| next.to_le_bytes()).collect();
        table.resize(512, 0xFF);
        let mut directory = vec![0_u8; 512];
        for (at, letter) in "Workbook".bytes().enumerate() {
            directory[DIRECTORY_BYTES + 2 * at] = letter;
        }
        directory[DIRECTORY_BYTES + 116..][..4].copy_from_slice(&2_u32.to_le_bytes());
        directory[DIRECTORY_BYTES + 120..][..4].copy_from_slice(&length.to_le_bytes());
        [header, table, directory, stream.to_vec()].concat()
    }

    #[test]
    fn a_stream_is_as_long_as_its_entry_says() {
        let bytes = file(&[FREE, END, 3, 4, 5, 6, 7, 8, 9, END], &[7; 8 * 512], 4_096);
        let streams = CompoundFile::open(&bytes).and_then(|file| file.streams("workbook"));
        assert_eq!(streams, Ok(vec![vec![7; 4_096]]));
    }

    #[test]
    fn chains_in_a_circle_are_refused() {
        let directory = file(&[FREE, 1, END], &[0; 512], 512);
        assert_eq!(CompoundFile::open(&directory).err(), Some(Broken), "the directory");
        let stream = file(&[FREE, END, 3, 2], &[0; 1_024], u32::MAX);
        let streams = CompoundFile::open(&stream).and_then(|file| file.streams("Workbook"));
        assert_eq!(streams, Err(Broken), "the workbook");
    }

    #[test]
    fn a_table_of_chains_that_is_listed_twice_is_refused() {
        let mut bytes = file(&[FREE, END, END], &[0; 512], 512);
        bytes[80..84].copy_from_slice(&0_u32.to_le_bytes());
        assert_eq!(CompoundFile::open(&bytes).err(), Some(Broken));
        let mut bytes = file(&[FREE, END, END], &[0xFF; 512], 512);
        bytes[68..72].copy_from_slice(&2_u32.to_le_bytes());
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&2_u32.to_le_bytes());
        assert_eq!(CompoundFile::open(&bytes).err(), Some(Broken), "a list of tables that is its own next part");
    }
}
