//! What an XLSX file claims about its size, looked at before its reader believes it.
//!
//! The file is a ZIP archive, whose parts may unpack to anything. One part, the list of shared texts, states how many
//! there are, and the reader makes room for as many before it has seen one: a statement of a few bytes would end the
//! process for want of memory, which nothing can catch.
//!
//! Source: ECMA-376 part 1, 18.4.9 for the statement (read 2026-11), and the behaviour of the reader.

use std::io::{Cursor, Read};

/// The texts that may be shared. Each costs the reader three words before it is there.
pub(super) const MAX_SHARED_TEXTS: u64 = 20_000_000;

/// The attribute that states how many texts there are.
const STATEMENT: &[u8] = b"uniqueCount";

/// How much of a part is looked at in one piece.
const PIECE: usize = 64 * 1024;

/// What is wrong with the claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oversize {
    /// The parts unpack to more than the limit.
    Unpacked,
    /// More than [`MAX_SHARED_TEXTS`] are announced.
    Texts,
}

/// Unpacks every part into nothing, counts, and looks for the statement. What the archive says about the sizes of its
/// parts is not believed. An archive that cannot be opened is left to the workbook reader to complain about.
pub(super) fn check(bytes: &[u8], limit: u64) -> Result<(), Oversize> {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return Ok(()) };
    let mut left = limit;
    for at in 0..archive.len() {
        let Ok(part) = archive.by_index(at) else { continue };
        left = check_part(part, left)?;
    }
    Ok(())
}

/// Checks one part; what is left of the limit.
fn check_part(mut part: impl Read, mut left: u64) -> Result<u64, Oversize> {
    let (mut piece, mut stated) = (vec![0; PIECE], Statement::default());
    loop {
        // A part that is damaged further on is the reader's to complain about.
        let size = part.read(&mut piece).unwrap_or(0);
        if size == 0 {
            return Ok(left);
        }
        left = left.checked_sub(size as u64).ok_or(Oversize::Unpacked)?;
        if piece[..size].iter().any(|byte| stated.take(*byte) > MAX_SHARED_TEXTS) {
            return Err(Oversize::Texts);
        }
    }
}

/// A statement as its bytes come by: the name, something between, digits.
#[derive(Default)]
struct Statement {
    /// How much of the name was just passed.
    matched: usize,
    /// The digits behind the name, so far.
    number: u64,
}

impl Statement {
    /// The number stated up to this byte; zero where none is.
    fn take(&mut self, byte: u8) -> u64 {
        if self.matched < STATEMENT.len() {
            // No beginning of the name comes again within it, so a mismatch starts over.
            self.matched = match byte {
                _ if byte == STATEMENT[self.matched] => self.matched + 1,
                _ => usize::from(byte == STATEMENT[0]),
            };
            return 0;
        }
        match byte {
            b'0'..=b'9' => self.number = self.number.saturating_mul(10).saturating_add(u64::from(byte - b'0')),
            b' ' | b'\t' | b'\r' | b'\n' | b'=' | b'"' | b'\'' | b'+' if self.number == 0 => {}
            _ => *self = Statement::default(),
        }
        self.number
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            archive.start_file(*name, SimpleFileOptions::default()).expect("an archive");
            archive.write_all(bytes).expect("an archive");
        }
        archive.finish().expect("an archive").into_inner()
    }

    #[test]
    fn an_archive_is_refused_for_what_its_parts_unpack_to_together() {
        let bomb = archive(&[("xl/a.xml", &[0; 100_000]), ("xl/b.xml", &[0; 100_000])]);
        assert!(bomb.len() < 2_000, "small outside");
        assert_eq!(check(&bomb, 200_000), Ok(()));
        assert_eq!(check(&bomb, 199_999), Err(Oversize::Unpacked));
    }

    #[test]
    fn texts_that_are_announced_beyond_any_measure_are_refused() {
        for (text, expected) in [
            ("<sst uniqueCount=\"20000000\" count=\"99999999\">", Ok(())),
            ("<sst uniqueCount=\"20000001\">", Err(Oversize::Texts)),
            ("<x:sst uniqueCount = \n'100000000000'>", Err(Oversize::Texts)),
            ("<sst uniqueCount=\"99999999999999999999999\">", Err(Oversize::Texts)),
            ("<sst uniqueuniqueCount=\"99999999999\">", Err(Oversize::Texts)),
            ("<t>uniqueCount</t><t>99999999999</t>", Ok(())),
        ] {
            assert_eq!(check(&archive(&[("xl/sharedStrings.xml", text.as_bytes())]), 1_000_000), expected, "{text}");
        }
    }

    #[test]
    fn a_statement_is_found_wherever_the_pieces_end() {
        for before in PIECE - 20..PIECE + 2 {
            let part = format!("{}<sst uniqueCount=\"100000000000\">", " ".repeat(before));
            assert_eq!(check_part(part.as_bytes(), u64::MAX), Err(Oversize::Texts), "{before}");
        }
    }
}
