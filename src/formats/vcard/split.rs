//! Takes a file apart into cards.
//!
//! Cards may be nested: version 2.1 puts the card of an assistant behind `AGENT:`, and some programs put cards into
//! cards without saying why. The former are left out, the latter are cards of their own. A card without an end ends
//! with the file.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::super::encoding;

/// The lines of one card, without those of cards within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::formats) struct RawCard {
    /// The line of its beginning, from 1.
    pub(super) line: u64,
    /// The physical lines between beginning and end, without line ends.
    pub(super) lines: Vec<Vec<u8>>,
    /// The encoding of lines that are no UTF-8 and do not name theirs.
    pub(super) fallback: &'static Encoding,
    /// Whether the card of an assistant was left out.
    pub(super) has_assistant: bool,
}

impl RawCard {
    /// The card as text, for the skip file.
    pub(super) fn text(&self) -> String {
        let lines = self.lines.iter().map(|line| match std::str::from_utf8(line) {
            Ok(text) => format!("{text}\n"),
            Err(_) => format!("{}\n", self.fallback.decode_without_bom_handling(line).0),
        });
        format!("BEGIN:VCARD\n{}END:VCARD\n", lines.collect::<String>())
    }
}

/// All cards of a file in the order of their beginnings, and the encoding of the file.
pub(in crate::formats) fn cards(bytes: &[u8]) -> (Vec<RawCard>, &'static Encoding) {
    let guessed = encoding::guess(bytes);
    if guessed == UTF_16LE || guessed == UTF_16BE {
        return (split(encoding::decode(bytes).text.as_bytes(), UTF_8), guessed);
    }
    (split(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes), guessed), guessed)
}

fn split(bytes: &[u8], fallback: &'static Encoding) -> Vec<RawCard> {
    let mut done: Vec<RawCard> = Vec::new();
    let mut open: Vec<(RawCard, IsAssistant)> = Vec::new();
    for (number, line) in (1..).zip(physical_lines(bytes)) {
        // Within a card a line that begins with a blank belongs to the line above.
        let is_folded = !open.is_empty() && line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if !is_folded && is_mark(line, b"BEGIN:VCARD") {
            let assistant = match open.last_mut() {
                Some((outer, _)) if outer.lines.last().is_some_and(|last| is_empty_assistant(last)) => {
                    outer.has_assistant = true;
                    IsAssistant::Yes
                }
                _ => IsAssistant::No,
            };
            open.push((RawCard { line: number, lines: Vec::new(), fallback, has_assistant: false }, assistant));
        } else if !is_folded && is_mark(line, b"END:VCARD") {
            close(&mut open, &mut done);
        } else if let Some((card, _)) = open.last_mut() {
            card.lines.push(line.to_vec());
        }
    }
    while !open.is_empty() {
        close(&mut open, &mut done);
    }
    done.sort_by_key(|card| card.line);
    done
}

/// Whether a nested card is the assistant of the outer one.
#[derive(PartialEq, Eq)]
enum IsAssistant {
    Yes,
    No,
}

fn close(open: &mut Vec<(RawCard, IsAssistant)>, done: &mut Vec<RawCard>) {
    if let Some((card, IsAssistant::No)) = open.pop() {
        done.push(card);
    }
}

/// The lines of a file, whatever their ends: LF, CR LF, CR CR LF, or CR where there is no LF at all.
fn physical_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    bytes.split(move |&byte| byte == end).map(|line| {
        let returns = line.iter().rev().take_while(|&&byte| byte == b'\r').count();
        &line[..line.len() - returns]
    })
}

fn is_mark(line: &[u8], mark: &[u8]) -> bool {
    line.trim_ascii().eq_ignore_ascii_case(mark)
}

fn is_empty_assistant(line: &[u8]) -> bool {
    let line = line.trim_ascii().to_ascii_uppercase();
    line.starts_with(b"AGENT") && line.ends_with(b":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let (cards, _) = cards(text.as_bytes());
        cards
            .iter()
            .map(|card| {
                let lines: Vec<_> = card.lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
                format!("{}: {}", card.line, lines.join("|"))
            })
            .collect()
    }

    #[test]
    fn cards_within_cards_are_cards_of_their_own() {
        let text = "BEGIN:VCARD\nN:a\nBEGIN:VCARD\nN:b\nEND:VCARD\nTEL:1\nEND:VCARD\nbegin:vcard\r\nN:c\r\r\nend:vcard";
        assert_eq!(shown(text), ["1: N:a|TEL:1", "3: N:b", "8: N:c"]);
    }

    #[test]
    fn an_assistant_is_left_out() {
        let text = "BEGIN:VCARD\nN:a\nAGENT:\nBEGIN:VCARD\nN:b\nEND:VCARD\nTEL:1\nEND:VCARD\n";
        let (cards, _) = cards(text.as_bytes());
        assert_eq!(shown(text), ["1: N:a|AGENT:|TEL:1"]);
        assert!(cards[0].has_assistant);
    }

    #[test]
    fn a_card_without_an_end_ends_with_the_file() {
        assert_eq!(shown("x\nBEGIN:VCARD\nN:a\nBEGIN:VCARD\nN:b\n"), ["2: N:a", "4: N:b|"]);
        assert_eq!(shown("--BEGIN:VCARD\nN:a\n"), Vec::<String>::new());
        assert_eq!(shown("BEGIN:VCARD\n BEGIN:VCARD\nEND:VCARD"), ["1:  BEGIN:VCARD"]);
    }

    #[test]
    fn lines_may_end_with_a_lone_return() {
        assert_eq!(shown("BEGIN:VCARD\rN:a\rEND:VCARD\r"), ["1: N:a"]);
    }
}
