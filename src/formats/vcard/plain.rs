//! Makes the lines of a card plain: one property per line, in UTF-8, nothing encoded, no pictures.

use encoding_rs::{Encoding, UTF_8};

use super::quoted_printable;
use super::split::RawCard;

/// The card as the vCard crate gets it.
pub(super) struct PlainCard {
    pub(super) text: String,
    /// How many photos were left out.
    pub(super) photos: usize,
    /// How many lines belong to no property.
    pub(super) strange_lines: usize,
}

/// Binary things that we do not read; the first is counted.
const PICTURES: [&str; 5] = ["PHOTO", "LOGO", "SOUND", "KEY", "X-MS-CARDPICTURE"];

/// Properties whose values are dates. They are declared as text, because the crate reads dates only in the spelling of
/// the card's version, and programs mix them.
const DATES: [&str; 3] = ["BDAY", "ANNIVERSARY", "DEATHDATE"];

/// The version all cards are read as; it must stand before the properties. Nothing we read depends on it.
const BEGIN: &str = "BEGIN:VCARD\nVERSION:4.0\n";

/// Makes a card plain.
pub(super) fn card(raw: &RawCard) -> PlainCard {
    let mut plain = PlainCard { text: BEGIN.to_owned(), photos: 0, strange_lines: 0 };
    let mut last = Last::Other;
    let mut lines = raw.lines.iter().map(Vec::as_slice).peekable();
    while let Some(line) = lines.next() {
        let mut whole = line.to_vec();
        // A header can be folded before its colon.
        while !whole.contains(&b':')
            && let Some(next) = lines.next_if(|next| is_folded(next))
        {
            whole.extend_from_slice(&next[1..]);
        }
        let Some(header) = Header::of(&whole) else {
            last.take_strange(&whole, raw.fallback, &mut plain);
            continue;
        };
        let value_at = header.end + 1;
        let is_quoted = header.has_quoted_printable();
        while let Some(next) = lines.peek() {
            if is_quoted && whole.ends_with(b"=") {
                whole.pop();
                whole.extend_from_slice(next);
            } else if is_folded(next) && !is_quoted {
                whole.extend_from_slice(&next[1..]);
            } else if whole.ends_with(b"\\") && !is_quoted && Header::of(next).is_none() && !next.is_empty() {
                // A line break that was escaped instead of written as `\n`.
                whole.push(b'n');
                whole.extend_from_slice(next);
            } else {
                break;
            }
            lines.next();
        }
        let value = whole.get(value_at..).unwrap_or_default();
        if header.name == "VERSION" {
            continue;
        }
        if PICTURES.contains(&header.name.as_str()) {
            plain.photos += usize::from(header.name == PICTURES[0]);
            last = Last::Picture;
            continue;
        }
        let charset = header.charset();
        let value =
            if is_quoted { quoted_printable::decode(value, charset) } else { decode(value, charset, raw.fallback) };
        last = if header.name == "NOTE" { Last::Note } else { Last::Other };
        plain.text.push_str(&header.without_encoding());
        plain.text.push(':');
        plain.text.push_str(&value.replace(['\n', '\r'], " "));
        plain.text.push('\n');
    }
    plain.text.push_str("END:VCARD\n");
    plain
}

/// Text that claims a charset can be UTF-8 all the same, and text that claims none can be anything.
fn decode(value: &[u8], charset: Option<&'static Encoding>, fallback: &'static Encoding) -> String {
    if let Some(charset) = charset.filter(|&charset| charset != UTF_8)
        && !value.is_ascii()
    {
        return charset.decode_without_bom_handling(value).0.into_owned();
    }
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => fallback.decode_without_bom_handling(value).0.into_owned(),
    }
}

fn is_folded(line: &[u8]) -> bool {
    line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'))
}

/// What the property before a line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Picture,
    Note,
    Other,
}

impl Last {
    /// A line without a property: the rest of a picture, a line of a note that was not folded, a comment, or rubbish.
    fn take_strange(self, line: &[u8], fallback: &'static Encoding, plain: &mut PlainCard) {
        match self {
            Last::Picture => {}
            _ if line.trim_ascii().is_empty() || line.starts_with(b"#") => {}
            Last::Note => {
                plain.text.truncate(plain.text.trim_end_matches('\n').len());
                plain.text.push_str("\\n");
                plain.text.push_str(&decode(line, None, fallback));
                plain.text.push('\n');
            }
            Last::Other => plain.strange_lines += 1,
        }
    }
}

/// What stands before the value: group, name and parameters.
struct Header {
    /// Where the colon is.
    end: usize,
    /// The name of the property, without its group, in capitals.
    name: String,
    /// Group with name, then each parameter.
    parts: Vec<String>,
}

impl Header {
    /// The header of a line; `None` when the line is none of a property.
    fn of(line: &[u8]) -> Option<Header> {
        if is_folded(line) {
            return None;
        }
        let mut is_quoted = false;
        let mut start = 0;
        let mut parts = Vec::new();
        let mut end = None;
        for (at, &byte) in line.iter().enumerate() {
            match byte {
                b'"' => is_quoted = !is_quoted,
                b';' | b':' if !is_quoted => {
                    parts.push(String::from_utf8_lossy(&line[start..at]).into_owned());
                    start = at + 1;
                    if byte == b':' {
                        end = Some(at);
                        break;
                    }
                }
                _ => {}
            }
        }
        let end = end?;
        let first = parts.first()?;
        let name = first.rsplit('.').next().unwrap_or(first).trim().to_ascii_uppercase();
        let is_name =
            !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '/'));
        (is_name && !first.starts_with('#')).then_some(Header { end, name, parts })
    }

    fn params(&self) -> impl Iterator<Item = (String, &str)> {
        self.parts.iter().skip(1).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim().to_ascii_uppercase(), value.trim().trim_matches('"'))
        })
    }

    fn has_quoted_printable(&self) -> bool {
        self.params().any(|(name, value)| {
            name == "QUOTED-PRINTABLE" || (name == "ENCODING" && value.eq_ignore_ascii_case("QUOTED-PRINTABLE"))
        })
    }

    fn charset(&self) -> Option<&'static Encoding> {
        self.params().find_map(|(name, value)| (name == "CHARSET").then(|| Encoding::for_label(value.as_bytes()))?)
    }

    /// The header without what is undone now.
    fn without_encoding(&self) -> String {
        let is_undone = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = name.trim().to_ascii_uppercase();
            matches!(name.as_str(), "CHARSET" | "QUOTED-PRINTABLE")
                || (name == "VALUE"
                    && (DATES.contains(&self.name.as_str()) || value.to_ascii_uppercase().contains("DATE")))
                || (name == "ENCODING" && !matches!(value.trim().to_ascii_uppercase().as_str(), "B" | "BASE64"))
        };
        let kept = self.parts.iter().enumerate().filter(|(at, part)| *at == 0 || !is_undone(part));
        let text = DATES.contains(&self.name.as_str()).then_some("VALUE=TEXT");
        kept.map(|(_, part)| part.as_str()).chain(text).collect::<Vec<_>>().join(";")
    }
}

#[cfg(test)]
mod tests {
    use super::super::split::cards;
    use super::*;

    fn plain(lines: &[u8]) -> PlainCard {
        let bytes = [b"BEGIN:VCARD\n", lines, b"\nEND:VCARD\n"].concat();
        card(&cards(&bytes).0[0])
    }

    fn text(lines: &[u8]) -> String {
        let text = plain(lines).text;
        text.trim_start_matches(BEGIN).trim_end_matches("\nEND:VCARD\n").to_owned()
    }

    #[test]
    fn folding_and_encodings_are_undone() {
        for (lines, expected) in [
            (&b"NOTE:one\n  two\n\tthree"[..], "NOTE:one twothree"),
            (b"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=\nBr=C3=BCning;=\nMichael", "N:Brüning;Michael"),
            (b"TEL;TYPE=WORK;QUOTED-PRINTABLE:=31", "TEL;TYPE=WORK:1"),
            (b"ADR;HOME:;;Street\\\n5\\\nflat;Town", "ADR;HOME:;;Street\\n5\\nflat;Town"),
            (b"N;CHARSET=SHIFT_JIS:\x88\xC0\x93\xA1", "N:安藤"),
            (b"N:Stra\xC3\n \x9Fe", "N:Straße"),
            (b"BDAY;VALUE=DATE:19900517", "BDAY;VALUE=TEXT:19900517"),
            (b"X-ABDATE;VALUE=date-and-or-time:19900517", "X-ABDATE:19900517"),
            (b"TEL;TYPE=VOICE,M\n\tSG,WORK:1", "TEL;TYPE=VOICE,MSG,WORK:1"),
            (b"NOTE:one\ntwo\n# a comment\nFN:x", "NOTE:one\\ntwo\nFN:x"),
            (b"TEL;TYPE=\"a:b;c\":1", "TEL;TYPE=\"a:b;c\":1"),
        ] {
            assert_eq!(text(lines), expected, "{}", String::from_utf8_lossy(lines));
        }
    }

    #[test]
    fn pictures_are_counted_and_left_out() {
        let card = plain(b"PHOTO;ENCODING=BASE64:\nAAAA\n BBBB\n\nLOGO:x\nTEL:1\nrubbish");
        assert_eq!(card.text, format!("{BEGIN}TEL:1\nEND:VCARD\n"));
        assert_eq!((card.photos, card.strange_lines), (1, 1));
    }
}
