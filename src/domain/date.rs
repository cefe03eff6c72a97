//! Dates as people know them: a birthday may lack its year.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A day, with or without a year. Written `YYYY-MM-DD` or `--MM-DD`.
///
/// The whole date is one value: merging never takes the year from one side and the day from the other. 29 February
/// without a year is a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PartialDate {
    year: Option<u16>,
    month: u8,
    day: u8,
}

/// The text or the numbers name no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a date; expected YYYY-MM-DD, or --MM-DD without a year")]
pub struct ParseDateError {
    text: String,
}

impl PartialDate {
    /// The day, if there is such a day. A year is 1 to 9999.
    pub fn new(year: Option<u16>, month: u8, day: u8) -> Option<Self> {
        // A leap year stands in for the missing one, so that 29 February stays possible.
        let calendar_year = match year {
            Some(year @ 1..=9999) => i32::from(year),
            Some(_) => return None,
            None => 2000,
        };
        chrono::NaiveDate::from_ymd_opt(calendar_year, u32::from(month), u32::from(day)).map(|_| PartialDate {
            year,
            month,
            day,
        })
    }

    /// The year, when it is known.
    pub fn year(self) -> Option<u16> {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        self.day
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.year {
            Some(year) => write!(f, "{year:04}-{:02}-{:02}", self.month, self.day),
            None => write!(f, "--{:02}-{:02}", self.month, self.day),
        }
    }
}

impl FromStr for PartialDate {
    type Err = ParseDateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseDateError { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<PartialDate> {
    let (year, rest) = match text.strip_prefix("--") {
        Some(rest) => (None, rest),
        None => {
            let (year, rest) = text.split_once('-')?;
            (Some(number(year, 4)?), rest)
        }
    };
    let (month, day) = rest.split_once('-')?;
    PartialDate::new(year, u8::try_from(number(month, 2)?).ok()?, u8::try_from(number(day, 2)?).ok()?)
}

fn number(digits: &str, length: usize) -> Option<u16> {
    (digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> String {
        date.to_string()
    }
}

impl TryFrom<String> for PartialDate {
    type Error = ParseDateError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_with_and_without_a_year_round_trip() {
        for text in ["1990-05-17", "--05-17", "--02-29", "0001-01-01", "2024-02-29"] {
            assert_eq!(text.parse::<PartialDate>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in ["2023-02-29", "--02-30", "1990-13-01", "0000-01-01", "1990-5-17", "17.05.1990", "", "--"] {
            assert!(text.parse::<PartialDate>().is_err(), "{text}");
        }
    }
}
