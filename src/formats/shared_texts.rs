//! How long the shared texts of an XLS workbook are.
//!
//! All texts of a workbook stand in one list, and cells name them by number. The list is one record with its
//! continuations; a text that goes on in the next one begins there with a byte of flags.
//!
//! Source: MS-XLS 2.5.293 (read 2026-11).

use super::compound_file::{u16_at, u32_at};

/// The lengths of the texts, in characters, by number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SharedTexts(Vec<u16>);

impl SharedTexts {
    /// Walks the list, as far as it can be followed.
    pub(super) fn read(first: &[u8], continuations: Vec<&[u8]>) -> Self {
        let mut parts = Parts { data: first.get(8..).unwrap_or_default(), next: continuations.into_iter() };
        let mut lengths = Vec::new();
        while let Some(length) = parts.text() {
            lengths.push(length);
        }
        SharedTexts(lengths)
    }

    /// How long a text is. One that could not be reached counts as the longest there may be.
    pub(super) fn length(&self, index: u32) -> u64 {
        let length = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        u64::from(length.copied().unwrap_or(u16::MAX))
    }
}

/// What is left of the list.
struct Parts<'b> {
    data: &'b [u8],
    next: std::vec::IntoIter<&'b [u8]>,
}

impl Parts<'_> {
    fn go_on(&mut self) -> Option<()> {
        self.data = self.next.next()?;
        Some(())
    }

    /// Passes over one text; its length.
    fn text(&mut self) -> Option<u16> {
        if self.data.is_empty() {
            self.go_on()?;
            // The reader takes an empty part for an empty text.
            if self.data.is_empty() {
                return Some(0);
            }
        }
        let (length, flags) = (u16_at(self.data, 0)?, *self.data.get(2)?);
        self.data = self.data.get(3..)?;
        let mut behind = 0_usize;
        if flags & 0x8 != 0 {
            behind += usize::from(u16_at(self.data, 0)?) * 4;
            self.data = self.data.get(2..)?;
        }
        if flags & 0x4 != 0 {
            behind = behind.checked_add(usize::try_from(u32_at(self.data, 0)?).ok()?)?;
            self.data = self.data.get(4..)?;
        }
        self.characters(usize::from(length), flags)?;
        self.skip(behind)?;
        Some(length)
    }

    fn characters(&mut self, mut left: usize, mut flags: u8) -> Option<()> {
        loop {
            let width = usize::from(flags & 1) + 1;
            let here = left.min(self.data.len() / width);
            self.data = self.data.get(here * width..)?;
            left -= here;
            if left == 0 {
                return Some(());
            }
            self.go_on()?;
            flags = *self.data.first()?;
            self.data = self.data.get(1..)?;
        }
    }

    fn skip(&mut self, mut bytes: usize) -> Option<()> {
        while bytes > self.data.len() {
            bytes -= self.data.len();
            self.go_on()?;
        }
        self.data = self.data.get(bytes..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(parts: &[&[u8]]) -> Vec<u16> {
        let first = [&[0; 8][..], parts[0]].concat();
        SharedTexts::read(&first, parts[1..].to_vec()).0
    }

    #[test]
    fn texts_are_measured_across_continuations() {
        assert_eq!(lengths(&[b"\x03\x00\x00abc\x01\x00\x01a\x00"]), [3, 1]);
        assert_eq!(lengths(&[b"\x05\x00\x00abc", b"\x01d\x00e\x00", b"\x00\x00\x00"]), [5, 0], "narrow, then wide");
        assert_eq!(lengths(&[b"\x01\x00\x0C\x01\x00\x02\x00\x00\x00a....", b"..\x02\x00\x00bc"]), [1, 2], "formats");
    }

    #[test]
    fn what_cannot_be_reached_counts_as_long() {
        let texts = SharedTexts::read(&[0; 8], vec![b"\xFF\xFF\x00a"]);
        assert_eq!(texts.length(0), 65_535);
    }
}
