//! From bytes to text: which encoding a file is in.
//!
//! In this order: a byte order mark; UTF-16 without a mark, when every second byte is zero; valid UTF-8; else a guess
//! from the bytes. The guesser knows no Macintosh encoding, so the one sign of it is looked for here: capitals in the
//! middle of words, which no Windows text has.

use encoding_rs::{Encoding, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE};

/// The text of a file and the encoding it was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) encoding: &'static Encoding,
}

/// How many bytes of the file are looked at for signs of UTF-16.
const UTF16_SAMPLE_BYTES: usize = 512;

/// Decodes a whole file. What the encoding cannot explain becomes U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let encoding = guess(bytes);
    let (text, encoding, _) = encoding.decode(bytes);
    Decoded { text: text.into_owned(), encoding }
}

/// The encoding that `bytes` are most likely in.
pub(super) fn guess(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return encoding;
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new();
    detector.feed(bytes, true);
    let guessed = detector.guess(None, false);
    if has_capitals_inside_words(&guessed.decode_without_bom_handling(bytes).0) {
        return MACINTOSH;
    }
    guessed
}

fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(UTF16_SAMPLE_BYTES)];
    let pairs = sample.len() / 2;
    if pairs < 4 {
        return None;
    }
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    match () {
        () if second * 2 > pairs && first == 0 => Some(UTF_16LE),
        () if first * 2 > pairs && second == 0 => Some(UTF_16BE),
        () => None,
    }
}

/// Whether most letters beyond ASCII are capitals with a small letter right behind and a letter right before them,
/// as in `MŠx` for `Mäx`.
fn has_capitals_inside_words(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let foreign = letters.iter().filter(|c| !c.is_ascii()).count();
    let odd = letters.windows(3).filter(|three| {
        !three[1].is_ascii() && three[1].is_uppercase() && three[0].is_alphabetic() && three[2].is_lowercase()
    });
    foreign > 0 && odd.count() * 2 > foreign
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: &[u8]) -> String {
        decode(bytes).text
    }

    #[test]
    fn byte_order_marks_decide_and_vanish() {
        assert_eq!(text_of(b"\xEF\xBB\xBFName"), "Name");
        assert_eq!(text_of(b"\xFF\xFEN\0a\0"), "Na");
        assert_eq!(text_of(b"\xFE\xFF\0N\0a"), "Na");
    }

    #[test]
    fn utf16_without_a_mark_is_seen_by_its_zeros() {
        let little: Vec<u8> = "Name;Email\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "Name;Email\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(text_of(&little), "Name;Email\n");
        assert_eq!(text_of(&big), "Name;Email\n");
    }

    #[test]
    fn legacy_encodings_are_guessed() {
        for (encoding, text) in [
            (encoding_rs::WINDOWS_1252, "Vorname;Ort\nJörg;Köln\nZoë;Straße\nRené;Übersee\n"),
            (encoding_rs::WINDOWS_1250, "Imię;Miasto\nŁukasz;Łódź\nMałgorzata Święcicka;Gdańsk\nJerzy;Kraków\n"),
            (encoding_rs::MACINTOSH, "first;last\nMäx;Müster\n"),
        ] {
            let (bytes, _, lossy) = encoding.encode(text);
            assert!(!lossy, "{text}");
            assert_eq!(text_of(&bytes), text, "{}", encoding.name());
        }
    }
}
