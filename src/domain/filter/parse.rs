//! Conditions as they are typed: `job_title=CTO`, `notes~cotton`, `birthday=05-01..05-31`, `created>=2026-11-01`.

use std::str::FromStr;

use super::condition::{Asked, Condition, Test};
use crate::domain::date::PartialDate;
use crate::domain::field::{Field, ParseFieldError};
use crate::domain::time::Timestamp;

/// Why a text or a document is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// There is no sign that says what is tested.
    #[error(
        "{text:?} is not a condition; expected FIELD=VALUE, FIELD!=VALUE, FIELD~TEXT or FIELD!~TEXT, FIELD= for an empty \
         field and FIELD!= for one that is not"
    )]
    NoTest {
        /// What was typed.
        text: String,
    },
    /// What is asked is no field.
    #[error("{0}; a filter may also ask for kind, created and updated")]
    Field(ParseFieldError),
    /// What is asked and what is tested do not fit each other.
    #[error(
        "{asked} cannot be tested that way: created and updated take >= and < with a day, birthday also a range of days, \
         and fields take =, !=, ~ and !~ with a value"
    )]
    Misfit {
        /// What was asked.
        asked: String,
    },
    /// What should be a day or a time is none.
    #[error(
        "{text:?} is not a day; expected {expected}; relative dates are not allowed: whoever a filter selects must not \
         change by the clock alone"
    )]
    Day {
        /// What was typed.
        text: String,
        /// What is understood.
        expected: &'static str,
    },
}

/// What stands between field and value. The longer ones come first, since some begin alike.
const SIGNS: [&str; 6] = ["!=", "!~", ">=", "=", "~", "<"];

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, sign, value) = split(text).ok_or_else(|| ConditionError::NoTest { text: text.to_owned() })?;
        let asked: Asked = field.parse()?;
        let one = || [value.to_owned()].into();
        let test = match sign {
            ">=" => Test::Since(instant_of(&asked, value)?),
            "<" => Test::Before(instant_of(&asked, value)?),
            "=" if value.is_empty() => Test::Empty,
            "!=" if value.is_empty() => Test::Present,
            "=" if asked == Asked::Field(Field::Birthday) => birthday(value)?,
            "=" => Test::Is(one()),
            "!=" => Test::IsNot(one()),
            "~" | "!~" if value.is_empty() => return Err(ConditionError::NoTest { text: text.to_owned() }),
            "~" => Test::Contains(one()),
            _ => Test::ContainsNot(one()),
        };
        Condition::new(asked, test)
    }
}

/// Field, sign and value. The key of a custom field may stand in quotation marks, when it has such a sign in it.
fn split(text: &str) -> Option<(String, &'static str, &str)> {
    const CUSTOM: &str = "custom.";
    if let Some((key, rest)) =
        text.strip_prefix(CUSTOM).and_then(|key| key.strip_prefix('"')).and_then(|quoted| quoted.split_once('"'))
    {
        let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
        return Some((format!("{CUSTOM}{key}"), sign, rest[sign.len()..].trim()));
    }
    // The first sign counts; of those that begin at one place, the first in the list.
    let (place, sign) = (SIGNS.into_iter().enumerate())
        .filter_map(|(rank, sign)| Some((text.find(sign)?, rank, sign)))
        .min()
        .map(|(place, _, sign)| (place, sign))?;
    Some((text[..place].trim().to_owned(), sign, text[place + sign.len()..].trim()))
}

fn instant_of(asked: &Asked, value: &str) -> Result<Timestamp, ConditionError> {
    if asked.is_time() { instant(value) } else { Err(ConditionError::Misfit { asked: asked.to_string() }) }
}

fn birthday(value: &str) -> Result<Test, ConditionError> {
    match value.parse::<PartialDate>() {
        Ok(day) if day.year().is_some() => Ok(Test::Is([value.to_owned()].into())),
        _ => day_range(value).map(|(from, to)| Test::Between(from, to)),
    }
}

/// A point in time: an RFC 3339 time, or the beginning of a day in UTC.
///
/// # Errors
/// [`ConditionError::Day`] when it is neither.
pub fn instant(text: &str) -> Result<Timestamp, ConditionError> {
    let text = text.trim();
    let day = || text.parse::<PartialDate>().ok().filter(|day| day.year().is_some());
    (text.parse().ok())
        .or_else(|| format!("{}T00:00:00Z", day()?).parse().ok())
        .ok_or_else(|| day_error(text, "YYYY-MM-DD, in UTC, or an RFC 3339 time"))
}

/// Days of the year: `MM-DD..MM-DD`, or one of them.
///
/// # Errors
/// [`ConditionError::Day`] when they are none.
pub fn day_range(text: &str) -> Result<(PartialDate, PartialDate), ConditionError> {
    const EXPECTED: &str = "MM-DD, or MM-DD..MM-DD";
    let day = |part: &str| {
        let bare = part.trim().trim_start_matches("--");
        format!("--{bare}").parse::<PartialDate>().map_err(|_| day_error(text, EXPECTED))
    };
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    Ok((day(from)?, day(to)?))
}

fn day_error(text: &str, expected: &'static str) -> ConditionError {
    ConditionError::Day { text: text.to_owned(), expected }
}
