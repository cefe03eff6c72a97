//! Which format a file is in: by what it begins with, and by its extension only where the content says nothing.

use std::fmt;
use std::path::Path;

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the format of that name")]
pub enum Format {
    Csv,
    Xlsx,
    Xls,
    VCard,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Csv => "CSV",
            Format::Xlsx => "XLSX",
            Format::Xls => "XLS",
            Format::VCard => "vCard",
        })
    }
}

/// The first bytes of a ZIP archive.
const ZIP: &[u8] = b"PK\x03\x04";

/// The first bytes of a compound document: XLS, and any office document that is encrypted.
const COMPOUND: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// How much of a text is searched for the first card.
const TEXT_SAMPLE_BYTES: usize = 4_096;

/// The format of a file by content first, extension second; `None` when neither tells.
pub(super) fn format(name: &str, bytes: &[u8]) -> Option<Format> {
    let extension = Path::new(name).extension().map(|extension| extension.to_string_lossy().to_lowercase());
    if bytes.starts_with(ZIP) {
        return Some(Format::Xlsx);
    }
    if bytes.starts_with(COMPOUND) {
        return Some(Format::Xls);
    }
    if begins_card(bytes) {
        return Some(Format::VCard);
    }
    match extension.as_deref() {
        Some("vcf" | "vcard") => Some(Format::VCard),
        Some("xlsx" | "xlsm") => Some(Format::Xlsx),
        Some("xls") => Some(Format::Xls),
        Some("csv" | "tsv" | "txt" | "tab") => Some(Format::Csv),
        _ if begins_json(bytes) || begins_markup(bytes) => None,
        _ => looks_like_text(bytes).then_some(Format::Csv),
    }
}

/// Whether a card begins on one of the first lines; in UTF-16 as well.
fn begins_card(bytes: &[u8]) -> bool {
    let sample: Vec<u8> =
        bytes.iter().take(TEXT_SAMPLE_BYTES).filter(|&&byte| byte != 0).map(u8::to_ascii_uppercase).collect();
    sample.split(|&byte| byte == b'\n' || byte == b'\r').any(|line| {
        let text = String::from_utf8_lossy(line);
        text.trim_start_matches(['\u{feff}', '\u{fffd}']).trim().trim_start_matches('"') == "BEGIN:VCARD"
    })
}

/// Whether it is JSON, which has commas but no rows.
fn begins_json(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"{\"") || text.starts_with(b"[{")
}

/// Whether it is XML or a web page, which have commas but no rows either.
fn begins_markup(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start().starts_with(b"<")
}

/// Whether the bytes are text with rows: no control characters beyond tabs and line ends, and a separator somewhere.
fn looks_like_text(bytes: &[u8]) -> bool {
    let text = super::encoding::decode(&bytes[..bytes.len().min(TEXT_SAMPLE_BYTES)]).text;
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) && text.contains([',', ';', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_wins_over_the_extension() {
        for (name, bytes, expected) in [
            ("contacts.csv", &b"BEGIN:VCARD\r\nVERSION:3.0\r\n"[..], Some(Format::VCard)),
            ("contacts.csv", b"PK\x03\x04....", Some(Format::Xlsx)),
            ("contacts.vcf", b"begin:vcard\n", Some(Format::VCard)),
            ("contacts.xls", b"PK\x03\x04", Some(Format::Xlsx)),
            ("contacts.vcf", b"nothing of the kind", Some(Format::VCard)),
            ("contacts.txt", b"Name\tPhone\n", Some(Format::Csv)),
            ("contacts", b"Name;Phone\n", Some(Format::Csv)),
            ("photo", b"\x89PNG\r\n\x1a\n", None),
            ("contacts.xml", b"<?xml version=\"1.0\"?>\n<a b=\"c, d\"/>\n", None),
            ("contacts.html", b"\xEF\xBB\xBF <!DOCTYPE html>\n<p>a, b</p>\n", None),
        ] {
            assert_eq!(format(name, bytes), expected, "{name}");
        }
    }
}
