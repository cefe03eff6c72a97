//! What a column is by the look of its cells, for files whose headings tell nothing.

use super::columns::{Column, Origin};
use super::emails;
use super::target::{Group, NamePart, Target};

/// How many of ten filled cells must look like it.
const OF_TEN: usize = 7;

/// Finds a column of e-mail addresses and one of phone numbers among the unknown ones, if no heading named any.
pub(super) fn look_at_cells(columns: &mut [Column], rows: &[&[String]]) {
    let has = |columns: &[Column], wanted: fn(&Target) -> bool| columns.iter().any(|column| wanted(&column.target));
    if !has(columns, |target| matches!(target, Target::Email { .. })) {
        let email = Target::Email { label: None, group: Group::default() };
        claim(columns, rows, emails::is_address, &email);
    }
    // An e-mail address is unmistakable. A number is taken for a phone only where no heading says anything: beside
    // known headings an unknown one is more likely a customer's number.
    let headings_tell =
        columns.iter().any(|column| column.origin == Origin::Heading && column.target != Target::Ignore);
    if !headings_tell && !has(columns, |target| matches!(target, Target::Phone { .. })) {
        let phone = Target::Phone { label: None, group: Group::default() };
        claim(columns, rows, looks_like_phone, &phone);
    }
}

/// Takes the first unknown column that looks like one of names for the full name, in files without headings.
pub(super) fn find_names(columns: &mut [Column], rows: &[&[String]]) {
    if columns.iter().any(|column| matches!(column.target, Target::Name(_))) {
        return;
    }
    let first = (0..columns.len()).find(|&at| is_unknown(&columns[at]) && mostly(rows, at, looks_like_name));
    if let Some(column) = first.and_then(|at| columns.get_mut(at)) {
        column.target = Target::Name(NamePart::Full);
        column.origin = Origin::Content;
    }
}

fn claim(columns: &mut [Column], rows: &[&[String]], looks: fn(&str) -> bool, target: &Target) {
    for (at, column) in columns.iter_mut().enumerate() {
        if is_unknown(column) && mostly(rows, at, looks) {
            column.target = target.clone();
            column.origin = Origin::Content;
        }
    }
}

fn is_unknown(column: &Column) -> bool {
    column.origin == Origin::Unknown
}

fn mostly(rows: &[&[String]], at: usize, looks: fn(&str) -> bool) -> bool {
    let filled: Vec<&str> =
        rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    let alike = filled.iter().filter(|cell| looks(cell)).count();
    !filled.is_empty() && alike * 10 >= filled.len() * OF_TEN
}

/// Seven to fifteen digits in phone dress. A bare number is more likely an identifier, so there must be a plus or a
/// zero in front, or something between the digits that is not a date's.
fn looks_like_phone(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let is_dressed = cell.chars().all(|c| c.is_ascii_digit() || " +-()/.".contains(c));
    let is_grouped = cell.contains(' ') || cell.matches('-').count() > 1 || cell.contains('(');
    (7..=15).contains(&digits)
        && is_dressed
        && (cell.starts_with('+') || cell.starts_with('0') || is_grouped)
        && super::dates::read(cell, super::dates::DateOrder::DayFirst) == super::dates::Reading::Unreadable
}

/// Two to four words that all begin with a capital.
fn looks_like_name(cell: &str) -> bool {
    let words: Vec<&str> = cell.split_whitespace().collect();
    (2..=4).contains(&words.len())
        && !cell.chars().any(|c| c.is_ascii_digit() || c == '@')
        && words.iter().all(|word| word.chars().next().is_some_and(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_told_from_identifiers_and_dates() {
        for phone in ["+49 30 1234567", "(650) 555-1212", "030 1234567", "555-555-1111", "0301234567"] {
            assert!(looks_like_phone(phone), "{phone}");
        }
        for other in ["12345678", "2024-01-15", "01.02.1990", "12/05/1980", "4711", "Berlin", ""] {
            assert!(!looks_like_phone(other), "{other}");
        }
    }
}
