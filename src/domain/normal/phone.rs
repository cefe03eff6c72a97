//! Phone numbers.
//!
//! Only a number written internationally says where it belongs, so only such a number becomes E.164; everything else
//! stays the digits that were typed. What holds letters besides a mark of an extension is a text (`ask for Ada`,
//! `1-800-FLOWERS`): reduced to its digits, an edit of the words would not be seen.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

use super::{text, visible};

/// Fewer digits than this are a short code or an extension, which many people share.
const DIGITS_MIN: usize = 7;

/// What stands between a number and its extension. Longer marks first: `ext` would hide `extn`.
const EXTENSION_MARKS: [&str; 14] =
    ["extension", "durchwahl", "anexo", "extn", "ext", "wewn", "wew", "dw", "x", ",", ";", "#", "доб", "вн"];

/// A phone number: E.164 when it is written internationally (`+…` or `00…`) and can be one, else its digits; an
/// extension follows as `;ext=…`. What is no number stays a [`text`]. Direction marks around it are ignored.
pub fn phone_key(s: &str) -> String {
    let shown = visible(s);
    let digits = with_ascii_digits(&shown);
    let bare = digits.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:")).map_or(&*digits, |_| &digits[4..]);
    let (main, extension) = split_extension(bare);
    let Some(number) = dialled(main) else { return text(&shown) };
    let number = international(&number).unwrap_or(number);
    match extension {
        Some(extension) => format!("{number};ext={extension}"),
        None => number,
    }
}

/// Whether a [`phone_key`] is a number that tells people apart: E.164, or at least seven digits.
pub fn phone_number(key: &str) -> bool {
    let main = key.split_once(";ext=").map_or(key, |(main, _)| main);
    let digits = main.strip_prefix('+').unwrap_or(main);
    digits.len() >= DIGITS_MIN && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether two [`phone_key`]s may be one number, of which a remote spells out the country and the other one does not.
pub fn resemble(one: &str, other: &str) -> bool {
    let significant = |key: &str| {
        let (main, extension) = key.split_once(";ext=").unwrap_or((key, ""));
        let digits = main.trim_start_matches('+').trim_start_matches('0').to_owned();
        phone_number(&digits).then(|| (digits, extension.to_owned()))
    };
    let (Some((one, of_one)), Some((other, of_other))) = (significant(one), significant(other)) else { return false };
    of_one == of_other && (one.ends_with(&other) || other.ends_with(&one))
}

/// Decimal digits of other scripts in ASCII.
fn with_ascii_digits(s: &str) -> String {
    const ZEROS: [u32; 7] = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10, 0x1d7ce];
    let ascii = |c: char| {
        let offset = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|offset| *offset < 10));
        match (offset.and_then(|offset| char::from_digit(offset, 10)), c) {
            (Some(digit), _) => digit,
            (None, '＋') => '+',
            (None, c) => c,
        }
    };
    s.chars().map(ascii).collect()
}

/// Splits `030 1234 ext. 56` into the number and the digits of its extension.
fn split_extension(s: &str) -> (&str, Option<&str>) {
    let front = s.trim_end_matches(|c: char| c.is_ascii_digit());
    let extension = &s[front.len()..];
    let marked = front.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ':' | '='));
    let mark = EXTENSION_MARKS.iter().find(|mark| ends_with_ignoring_case(marked, mark));
    match mark {
        Some(mark) if !extension.is_empty() => {
            let main = marked[..marked.len() - mark.len()]
                .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '(' | '#'));
            // `#31` and `x 5` are no extensions of anything.
            let enough = main.bytes().filter(u8::is_ascii_digit).count() >= 3;
            if enough { (main, Some(extension)) } else { (s, None) }
        }
        _ => (s, None),
    }
}

fn ends_with_ignoring_case(s: &str, end: &str) -> bool {
    let start = s.len().checked_sub(end.len());
    start.and_then(|start| s.get(start..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// What one would dial, with a leading `+` if there is one. `None` when it is no number.
fn dialled(s: &str) -> Option<String> {
    let mut out = String::new();
    for c in s.chars() {
        match c {
            '0'..='9' | '*' | '#' => out.push(c),
            '+' if out.is_empty() => out.push(c),
            '-' | '.' | '/' | '(' | ')' | '[' | ']' | '~' | '_' | '·' | '−' | '\u{2010}'..='\u{2015}' => {}
            c if c.is_whitespace() => {}
            _ => return None,
        }
    }
    out.bytes().any(|byte| byte.is_ascii_digit()).then_some(out)
}

fn international(dialled: &str) -> Option<String> {
    if let Some(digits) = dialled.strip_prefix('+') {
        return e164(digits);
    }
    let digits = dialled.strip_prefix("00")?;
    // Two zeros can also be the start of a number at home; a number too short or too long for its country is.
    let number = PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None).ok()?;
    if PHONE_NUMBER_UTIL.is_possible_number(&number) { e164(digits) } else { None }
}

/// The digits of a full number as E.164, without a national prefix in between (`+49 (0)30`).
fn e164(digits: &str) -> Option<String> {
    // The library sees nothing but a plus and digits: its own reading of letters, parameters and second numbers would
    // equate numbers that differ, and some of it panics on malformed parameters.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut current = format!("+{digits}");
    // A second pass could take another zero away; only a form that stays as it is may be a key.
    for _ in 0..4 {
        let number = PHONE_NUMBER_UTIL.parse(&current, None).ok()?;
        let next = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned();
        if next == current {
            return Some(current);
        }
        current = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_have_one_key() {
        for (raw, expected) in [
            ("+49 30 1234567", "+49301234567"),
            ("+49 (0)30 / 123-45-67", "+49301234567"),
            ("0049 30 1234567", "+49301234567"),
            ("tel:+49-30-1234567", "+49301234567"),
            ("\u{202d}+49 30 1234567\u{202c}", "+49301234567"),
            ("＋４９ 30 1234567", "+49301234567"),
            ("+39 06 1234567", "+39061234567"),
            ("030 1234567", "0301234567"),
            ("(030) 1234567", "0301234567"),
            ("٠٣٠ ١٢٣٤٥٦٧", "0301234567"),
            ("+49 30 1234567 ext. 12", "+49301234567;ext=12"),
            ("+49 30 1234567 x12", "+49301234567;ext=12"),
            ("+49 30 1234567;ext=12", "+49301234567;ext=12"),
            ("030 1234567 Durchwahl 12", "0301234567;ext=12"),
            ("030 1234567,,12", "0301234567;ext=12"),
            ("112", "112"),
            ("*100#", "*100#"),
            ("call me", "call me"),
            (" Room 5 ", "Room 5"),
            ("1-800-FLOWERS", "1-800-FLOWERS"),
            ("+999 12345678", "+99912345678"),
            ("0012", "0012"),
            ("00 12 345", "0012345"),
            ("+", "+"),
            ("", ""),
            (";phone-context=tel:", ";phone-context=tel:"),
        ] {
            assert_eq!(phone_key(raw), expected, "{raw:?}");
            assert_eq!(phone_key(expected), expected, "{expected:?}");
        }
    }

    #[test]
    fn a_number_resembles_itself_with_its_country() {
        for (one, other) in [
            ("0301234567", "+49301234567"),
            ("2125550100", "+12125550100"),
            ("12125550100", "+12125550100"),
            ("0301234567;ext=12", "+49301234567;ext=12"),
        ] {
            assert!(resemble(one, other) && resemble(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("+43301234567", "+49301234567"),
            ("0301234567;ext=12", "+49301234567"),
            ("112", "+49112"),
            ("call me", "call me"),
            ("", ""),
        ] {
            assert!(!resemble(one, other) && !resemble(other, one), "{one} {other}");
        }
    }

    #[test]
    fn only_long_numbers_tell_people_apart() {
        for key in ["+49301234567", "0301234567", "+49301234567;ext=12"] {
            assert!(phone_number(key), "{key}");
        }
        for key in ["112", "123456", "call me", "*100#", "", "12;ext=3456789"] {
            assert!(!phone_number(key), "{key}");
        }
    }
}
