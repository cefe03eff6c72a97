//! When an account is synchronized: a cron pattern in a time zone.

use std::fmt;

use chrono::{DateTime, SubsecRound, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use toml::de::DeValue;

use crate::domain::time::Timestamp;

/// The pattern of an account that names none: every two minutes.
pub const DEFAULT_PATTERN: &str = "0 */2 * * * *";

/// A cron pattern in a time zone, proven to come round.
#[derive(Debug, Clone)]
pub struct Schedule {
    pattern: Pattern,
    timezone: Tz,
}

/// A cron pattern: second, minute, hour, day of the month, month, weekday.
/// Two schedules are one when they are spelled alike.
impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.pattern.text == other.pattern.text && self.timezone == other.timezone
    }
}

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    cron: Cron,
    text: String,
}

impl Schedule {
    pub(super) fn new(pattern: Pattern, timezone: Tz) -> Self {
        Schedule { pattern, timezone }
    }

    /// The first time after `now` at which the pattern comes round; `None` past the end of the calendar.
    ///
    /// In spring, a fixed time inside the hour that does not exist comes at the end of the gap; in autumn, a fixed time
    /// inside the doubled hour comes once.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        // The search keeps fractions of the second it starts from, so they are cut off first. They cannot be what makes
        // the answer late: an occurrence lies on a whole second, and is searched strictly after the cut one.
        let start: DateTime<Tz> = now.to_utc().trunc_subsecs(0).with_timezone(&self.timezone);
        let next = self.pattern.cron.find_next_occurrence(&start, false).ok()?;
        Some(Timestamp::from(next.with_timezone(&Utc)))
    }

    /// The time zone the pattern is read in.
    pub fn timezone(&self) -> Tz {
        self.timezone
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern.text)
    }
}

/// A cron pattern of six fields, or of five with the seconds left out.
pub(super) fn pattern(value: &DeValue<'_>) -> Result<Pattern, String> {
    const EXPECTED: &str =
        "a cron pattern of six fields, second minute hour day month weekday, such as \"0 */5 * * * *\"";
    let DeValue::String(text) = value else { return Err(EXPECTED.to_owned()) };
    parse_pattern(text.trim()).map_err(|why| format!("{EXPECTED} ({why})"))
}

/// The pattern of an account that names none.
pub(super) fn default_pattern() -> Option<Pattern> {
    parse_pattern(DEFAULT_PATTERN).ok()
}

fn parse_pattern(text: &str) -> Result<Pattern, String> {
    let fields = text.split_whitespace().count();
    let text = match fields {
        // The habit of crontab(5): no seconds.
        5 => format!("0 {text}"),
        _ => text.to_owned(),
    };
    let cron = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Disallowed)
        .build()
        .parse(&text)
        .map_err(|error| error.to_string().trim_end_matches('.').to_owned())?;
    // 30 February parses, but never comes. Four years hold every day there is.
    let probe = Utc
        .with_ymd_and_hms(2024, 1, 1, 0, 0, 0)
        .single()
        .and_then(|start| cron.find_next_occurrence(&start, true).ok());
    match probe {
        Some(_) => Ok(Pattern { cron, text }),
        None => Err("this day never comes".to_owned()),
    }
}

/// A time zone by its name in the tz database.
pub(super) fn timezone(value: &DeValue<'_>) -> Result<Tz, String> {
    let parsed = match value {
        DeValue::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    parsed.ok_or_else(|| "the name of a time zone such as \"Europe/Warsaw\"".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(pattern: &str, timezone: &str) -> Schedule {
        Schedule::new(parse_pattern(pattern).expect(pattern), timezone.parse().expect(timezone))
    }

    fn due(schedule: &Schedule, times: &[&str]) {
        for pair in times.windows(2) {
            let next = schedule.next_after(pair[0].parse().expect("a time")).map(|time| time.to_string());
            assert_eq!(next.as_deref(), Some(pair[1]), "{schedule} after {}", pair[0]);
        }
    }

    #[test]
    fn a_pattern_comes_round_on_whole_seconds() {
        due(
            &schedule("0 */2 * * * *", "UTC"),
            &["2026-11-23T15:00:00.964Z", "2026-11-23T15:02:00Z", "2026-11-23T15:04:00Z"],
        );
        due(&schedule("*/10 * * * * *", "UTC"), &["2026-11-23T15:00:09.999999Z", "2026-11-23T15:00:10Z"]);
    }

    #[test]
    fn a_pattern_of_five_fields_starts_at_second_zero() {
        due(&schedule("30 18 * * 1-5", "UTC"), &["2026-11-20T18:30:00Z", "2026-11-23T18:30:00Z"]);
        assert_eq!(schedule("30 18 * * *", "UTC").to_string(), "0 30 18 * * *");
    }

    #[test]
    fn a_local_time_follows_its_zone_through_both_changes_of_the_clock() {
        // Warsaw: UTC+1 until 2026-03-29, UTC+2 until 2026-10-25.
        due(
            &schedule("0 0 18 * * *", "Europe/Warsaw"),
            &["2026-03-28T00:00:00Z", "2026-03-28T17:00:00Z", "2026-03-29T16:00:00Z"],
        );
        due(
            &schedule("0 0 18 * * *", "Europe/Warsaw"),
            &["2026-10-24T00:00:00Z", "2026-10-24T16:00:00Z", "2026-10-25T17:00:00Z"],
        );
    }

    #[test]
    fn a_time_inside_the_spring_gap_comes_at_its_end() {
        due(
            &schedule("0 30 2 * * *", "Europe/Warsaw"),
            &["2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        );
    }

    #[test]
    fn a_time_inside_the_doubled_autumn_hour_comes_once() {
        due(
            &schedule("0 30 2 * * *", "Europe/Warsaw"),
            &["2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        );
    }

    #[test]
    fn patterns_that_mean_nothing_are_refused() {
        for text in ["", "hourly", "* * * *", "0 0 0 30 2 *", "61 * * * * *", "0 0 * * * * 2030", "0 0 25 * * *"] {
            assert!(parse_pattern(text).is_err(), "{text}");
        }
    }
}
