//! Dates as people and programs write them in files.
//!
//! `03/04/1980` is the third of April in Europe and the fourth of March in America. One cell cannot tell, the column
//! can: a value that only one reading allows decides for all. A date that stays ambiguous is not guessed.

use chrono::{Datelike, NaiveDate};

use crate::domain::date::PartialDate;

/// Which number of `03/04/1980` is the day, as the values of a column prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateOrder {
    DayFirst,
    MonthFirst,
    /// No value decides, or they contradict each other.
    Unproven,
}

/// What a cell of a date column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing; `0.0.00` and the like mean nothing as well.
    Empty,
    Date(PartialDate),
    /// Two dates are possible.
    Ambiguous,
    /// No date that we know.
    Unreadable,
}

/// Two digits up to this one mean 20xx, the rest 19xx. The rule of spreadsheets; no clock is asked.
const LAST_SHORT_YEAR_OF_THIS_CENTURY: u16 = 29;

/// Serial day numbers of spreadsheets that are taken for dates: 1927 to 2119. Smaller numbers may be years.
const SERIAL_DAYS: std::ops::RangeInclusive<i64> = 10_000..=80_000;

/// Apple's stand-in for a year that is not known.
const NO_YEAR: u16 = 1604;

const MONTHS: [&[&str]; 12] = [
    &["january", "jan", "januar", "jänner", "stycznia", "styczeń", "sty"],
    &["february", "feb", "februar", "lutego", "luty", "lut"],
    &["march", "mar", "märz", "mär", "mrz", "marca", "marzec"],
    &["april", "apr", "kwietnia", "kwiecień", "kwi"],
    &["may", "mai", "maja", "maj"],
    &["june", "jun", "juni", "czerwca", "czerwiec", "cze"],
    &["july", "jul", "juli", "lipca", "lipiec", "lip"],
    &["august", "aug", "sierpnia", "sierpień", "sie"],
    &["september", "sep", "sept", "września", "wrzesień", "wrz"],
    &["october", "oct", "oktober", "okt", "października", "październik", "paź"],
    &["november", "nov", "listopada", "listopad", "lis"],
    &["december", "dec", "dezember", "dez", "grudnia", "grudzień", "gru"],
];

/// Finds out which order the values of one column are in.
pub(super) fn order_of<'a>(values: impl Iterator<Item = &'a str>) -> DateOrder {
    let (mut day_first, mut month_first) = (false, false);
    for (first, second) in values.filter_map(two_small_numbers) {
        day_first |= first > 12 && second <= 12;
        month_first |= second > 12 && first <= 12;
    }
    match (day_first, month_first) {
        (true, false) => DateOrder::DayFirst,
        (false, true) => DateOrder::MonthFirst,
        _ => DateOrder::Unproven,
    }
}

/// Reads one cell of a column whose order is `order`.
pub(super) fn read(text: &str, order: DateOrder) -> Reading {
    let text = without_time(text.trim());
    if !text.chars().any(|c| c.is_ascii_digit() && c != '0') {
        return if text.chars().any(char::is_alphabetic) { Reading::Unreadable } else { Reading::Empty };
    }
    match iso(text).or_else(|| serial(text)).or_else(|| spelled(text)) {
        Some(date) => Reading::Date(date),
        None => numeric(text, order),
    }
}

/// Cuts off the time of day: `1980-03-22T00:00:00`, `1980-03-22 00:00`, `22.03.1980 12:00:00`.
fn without_time(text: &str) -> &str {
    let at = text.find(['T', 't', ' ']);
    match at.map(|at| (&text[..at], text[at + 1..].trim_start())) {
        Some((date, time))
            if date.chars().filter(char::is_ascii_digit).count() >= 4
                && time.contains(':')
                && time.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            date
        }
        // vCard times without colons: 20190210T000033, 20090808T1430-0500.
        Some((date, time))
            if text.as_bytes().get(date.len()) == Some(&b'T')
                && date.chars().any(|c| c.is_ascii_digit())
                && time.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            date
        }
        _ => text,
    }
}

/// `1980-03-22`, `1980/3/22`, `19800322`, `--03-22`, `--0322`.
fn iso(text: &str) -> Option<PartialDate> {
    if let Some(rest) = text.strip_prefix("--") {
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        return match rest.split_once('-') {
            Some((month, day)) => date(None, month.parse().ok()?, day.parse().ok()?),
            None if digits.len() == 4 && rest.len() == 4 => {
                date(None, digits[..2].parse().ok()?, digits[2..].parse().ok()?)
            }
            None => None,
        };
    }
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return date(text[..4].parse().ok(), text[4..6].parse().ok()?, text[6..].parse().ok()?);
    }
    let mut parts = text.split(['-', '/', '.']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || parts.next().is_some_and(|rest| !rest.is_empty()) {
        return None;
    }
    date(Some(year.parse().ok()?), month.parse().ok()?, day.parse().ok()?)
}

/// The number of days since the end of 1899, as spreadsheets count: `45631`, `45631.0`.
fn serial(text: &str) -> Option<PartialDate> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) || whole.len() != 5 {
        return None;
    }
    let days: i64 = whole.parse().ok().filter(|days| SERIAL_DAYS.contains(days))?;
    let day = NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_signed(chrono::TimeDelta::try_days(days)?)?;
    date(u16::try_from(day.year()).ok(), u8::try_from(day.month()).ok()?, u8::try_from(day.day()).ok()?)
}

/// `15-Jan-24`, `01 Jul 2026`, `July 1, 2026`, `1. Januar 1990`, `17 maja`.
fn spelled(text: &str) -> Option<PartialDate> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let month = |word: &str| MONTHS.iter().position(|names| names.contains(&word)).map(|at| at as u8 + 1);
    let ordinal = |word: &str| word.trim_end_matches(|c: char| c.is_ascii_lowercase()).parse::<u8>().ok();
    let (day, month, year) = match words.as_slice() {
        [first, second, rest @ ..] if rest.len() <= 1 => match (month(first), month(second)) {
            (Some(month), None) => (ordinal(second)?, month, rest.first()),
            (None, Some(month)) => (ordinal(first)?, month, rest.first()),
            _ => return None,
        },
        _ => return None,
    };
    let year = match year {
        Some(year) => Some(full_year(year)?),
        None => None,
    };
    date(year, month, day)
}

/// `22.03.1980`, `22.3.80`, `22.3.`, `3/22/1980`, `22-03-1980`.
fn numeric(text: &str, order: DateOrder) -> Reading {
    let Some(separator) = text.chars().find(|c| matches!(c, '.' | '/' | '-')) else {
        return Reading::Unreadable;
    };
    let parts: Vec<&str> = text.split(separator).map(str::trim).collect();
    let (first, second, year) = match parts.as_slice() {
        // A dot behind the last number is German for a date without its year.
        [first, second, ""] if separator == '.' => (first, second, None),
        [first, second, year] => match full_year(year) {
            Some(year) => (first, second, Some(year)),
            None => return Reading::Unreadable,
        },
        _ => return Reading::Unreadable,
    };
    let (Ok(first), Ok(second)) = (first.parse::<u8>(), second.parse::<u8>()) else {
        return Reading::Unreadable;
    };
    let day_first = date(year, second, first);
    let month_first = date(year, first, second);
    let chosen = match (separator, order) {
        // Nobody writes the month first with dots.
        ('.', _) | (_, DateOrder::DayFirst) => day_first,
        (_, DateOrder::MonthFirst) => month_first,
        (_, DateOrder::Unproven) => match (day_first, month_first) {
            (Some(one), Some(other)) if one != other => return Reading::Ambiguous,
            (one, other) => one.or(other),
        },
    };
    chosen.map_or(Reading::Unreadable, Reading::Date)
}

fn two_small_numbers(text: &str) -> Option<(u8, u8)> {
    let text = without_time(text.trim());
    let mut parts = text.split(['/', '-']);
    let (first, second, _) = (parts.next()?, parts.next()?, parts.next()?);
    match (first.parse(), second.parse()) {
        (Ok(first), Ok(second)) if first > 0 && second > 0 => Some((first, second)),
        _ => None,
    }
}

fn full_year(text: &str) -> Option<u16> {
    let year: u16 = text.parse().ok()?;
    match text.len() {
        4 => Some(year),
        2 if year <= LAST_SHORT_YEAR_OF_THIS_CENTURY => Some(2000 + year),
        2 => Some(1900 + year),
        _ => None,
    }
}

fn date(year: Option<u16>, month: u8, day: u8) -> Option<PartialDate> {
    PartialDate::new(year.filter(|&year| year != NO_YEAR), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(text: &str, order: DateOrder) -> String {
        match read(text, order) {
            Reading::Date(date) => date.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn dates_of_every_spelling_are_read() {
        for (text, expected) in [
            ("1980-03-22", "1980-03-22"),
            ("1980-03-22T23:10:00Z", "1980-03-22"),
            ("1980-03-22 00:00:00", "1980-03-22"),
            ("20190210T000033", "2019-02-10"),
            ("20090808T1430-0500", "2009-08-08"),
            ("19781229", "1978-12-29"),
            ("--05-17", "--05-17"),
            ("--0203", "--02-03"),
            ("01.01.99", "1999-01-01"),
            ("1.2.2003", "2003-02-01"),
            ("17.5.", "--05-17"),
            ("15-Jan-24", "2024-01-15"),
            ("5-May-25", "2025-05-05"),
            ("01 Jul 2026", "2026-07-01"),
            ("July 1st, 2026", "2026-07-01"),
            ("1. Januar 1990", "1990-01-01"),
            ("17 maja 1990", "1990-05-17"),
            ("17 May", "--05-17"),
            ("45631.0", "2024-12-05"),
            ("45631", "2024-12-05"),
            ("13/01/1990", "1990-01-13"),
            ("01/13/1990", "1990-01-13"),
            ("05/05/1990", "1990-05-05"),
            ("1604-01-22", "--01-22"),
            ("03/04/1980", "Ambiguous"),
            ("0.0.00", "Empty"),
            ("00/00/0000", "Empty"),
            ("0000-00-00", "Empty"),
            ("", "Empty"),
            ("31.02.1990", "Unreadable"),
            ("soon", "Unreadable"),
            ("1980", "Unreadable"),
            ("32/13/1980", "Unreadable"),
        ] {
            assert_eq!(text_of(text, DateOrder::Unproven), expected, "{text:?}");
        }
    }

    #[test]
    fn one_value_decides_for_its_column() {
        let order = |values: &[&str]| order_of(values.iter().copied());
        assert_eq!(order(&["03/04/1980", "13/01/1990"]), DateOrder::DayFirst);
        assert_eq!(order(&["03/04/1980", "1/13/90", "", "soon"]), DateOrder::MonthFirst);
        assert_eq!(order(&["03/04/1980"]), DateOrder::Unproven);
        assert_eq!(order(&["13/01/1990", "01/13/1990"]), DateOrder::Unproven);
        assert_eq!(text_of("03/04/1980", DateOrder::DayFirst), "1980-04-03");
        assert_eq!(text_of("03/04/1980", DateOrder::MonthFirst), "1980-03-04");
    }
}
