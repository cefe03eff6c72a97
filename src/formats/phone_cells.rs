//! Phone numbers as cells hold them, and what spreadsheets do to them.
//!
//! A spreadsheet takes `+48 601 602 603` for a number: the plus goes, zeros in front go, and `4.86016E+10` is what the next
//! program gets. Where all digits are still there, they are put together again; what may be missing is told. Where digits
//! are lost, it is no phone number any more.

use super::clean;

/// What a piece of a phone column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A number.
    Phone(String),
    /// The digits of a number that a spreadsheet took for one to count with: a plus or zeros in front may be missing.
    Digits(String),
    /// A number of which a spreadsheet has lost digits.
    Ruined(String),
    /// Something else.
    Other(String),
}

/// How many digits a number has at least that can hardly be without its country.
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 11..=15;

/// Takes a cell apart. `is_counted` says that the sheet keeps it as a number.
pub(super) fn pieces(cell: &str, is_counted: bool) -> Vec<Piece> {
    let numbers = cell.split([';', '\n']).map(clean::phone).filter(|number| !number.is_empty());
    numbers.map(|number| piece(number, is_counted)).collect()
}

fn piece(number: String, is_counted: bool) -> Piece {
    match scientific(&number) {
        Some(Ok(digits)) => return Piece::Digits(digits),
        Some(Err(Lost)) => return Piece::Ruined(number),
        None => {}
    }
    let is_bare = number.chars().all(|c| c.is_ascii_digit());
    let is_long = INTERNATIONAL_DIGITS.contains(&number.len()) && !number.starts_with('0');
    match number {
        number if is_bare && (is_counted || is_long) => Piece::Digits(number),
        number if number.chars().any(char::is_numeric) => Piece::Phone(number),
        other => Piece::Other(other),
    }
}

/// Digits are missing.
struct Lost;

/// The digits of `4.8601602603E+10`; `None` for what is not written so.
fn scientific(text: &str) -> Option<Result<String, Lost>> {
    let upper = text.to_ascii_uppercase();
    let (mantissa, exponent) = upper.split_once("E+")?;
    let (whole, decimals) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.len() != 1 || !are_digits(whole) || !are_digits(decimals) || !are_digits(exponent) {
        return None;
    }
    let wanted: usize = exponent.parse().ok()?;
    Some(if decimals.len() == wanted { Ok(format!("{whole}{decimals}")) } else { Err(Lost) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_did_to_a_number_is_seen() {
        for (cell, is_counted, expected) in [
            ("+48 601 602 603", false, Piece::Phone("+48 601 602 603".into())),
            ("030 1234567", false, Piece::Phone("030 1234567".into())),
            ("6505551212", false, Piece::Phone("6505551212".into())),
            ("48601602603", false, Piece::Digits("48601602603".into())),
            ("0048601602603", false, Piece::Phone("0048601602603".into())),
            ("301234567", true, Piece::Digits("301234567".into())),
            ("4.8601602603E+10", false, Piece::Digits("48601602603".into())),
            ("4,8601602603e+10", false, Piece::Digits("48601602603".into())),
            ("4.91724E+12", false, Piece::Ruined("4.91724E+12".into())),
            ("5E+11", false, Piece::Ruined("5E+11".into())),
            ("ask Charles", false, Piece::Other("ask Charles".into())),
            ("12E+34 ext", false, Piece::Phone("12E+34 ext".into())),
        ] {
            assert_eq!(pieces(cell, is_counted), [expected], "{cell}");
        }
        assert_eq!(pieces("030 1; 030 2\n", false).len(), 2);
    }
}
