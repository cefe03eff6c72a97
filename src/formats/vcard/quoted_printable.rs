//! Quoted-printable values of version 2.1, made into values that need no decoding.
//!
//! The vCard crate decodes them too, but takes text without a CHARSET for Latin-1 and knows few charsets. Here the
//! charset is any that there is, and a value without one is read as UTF-8 if it is valid UTF-8.

use encoding_rs::{Encoding, UTF_8};

use super::super::encoding;

/// Decodes a value whose lines are joined already. What was encoded stands for itself: an encoded semicolon separates
/// nothing, so it is escaped.
pub(super) fn decode(value: &[u8], charset: Option<&'static Encoding>) -> String {
    let bytes = unquote(value, charset);
    let charset = match charset {
        Some(charset) => charset,
        None => encoding::guess(&bytes),
    };
    charset.decode_without_bom_handling(&bytes).0.into_owned()
}

fn unquote(value: &[u8], charset: Option<&'static Encoding>) -> Vec<u8> {
    // In the multi-byte encodings of Asia the byte of a backslash can be half of a letter.
    let backslash_is_whole = charset.is_none_or(|charset| charset == UTF_8 || charset.is_single_byte());
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, tail)) = rest.split_first() {
        let decoded = if first == b'=' { tail.get(..2).and_then(hex) } else { None };
        let Some(byte) = decoded else {
            bytes.push(first);
            rest = tail;
            continue;
        };
        rest = &tail[2..];
        match byte {
            b'\r' if rest.get(..3).is_some_and(|next| next.eq_ignore_ascii_case(b"=0A")) => {}
            b'\r' | b'\n' => bytes.extend(b"\\n"),
            b';' | b',' => bytes.extend([b'\\', byte]),
            b'\\' if backslash_is_whole => bytes.extend(b"\\\\"),
            byte => bytes.push(byte),
        }
    }
    bytes
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*digits.first()?)? * 16 + digit(*digits.get(1)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_in_their_charset() {
        for (value, charset, expected) in [
            ("Stra=C3=9Fe 1", None, "Straße 1"),
            ("Stra=DFe", None, "Straße"),
            ("Reid=92s", None, "Reid’s"),
            ("Br=C3=BCning;=3B=2C", Some("utf-8"), "Brüning;\\;\\,"),
            ("a=0D=0Ab=0Ac=0D", Some("utf-8"), "a\\nb\\nc\\n"),
            ("=83=81=83=82", Some("shift_jis"), "メモ"),
            ("=83=5C", Some("shift_jis"), "ソ"),
            ("=5C", None, "\\\\"),
            ("50=% =G1 =", None, "50=% =G1 ="),
        ] {
            let charset = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
            assert_eq!(decode(value.as_bytes(), charset), expected, "{value}");
        }
    }
}
