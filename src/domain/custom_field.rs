//! Custom fields: the sixteen types of values, and what makes a value one of its type.
//!
//! A value is kept as text, in one spelling per type, so that it travels to remotes and files as people read it. What a
//! person or a program gives may be spelled in other ways too: a list for a set, an object for an amount of money.
//!
//! A value that came from elsewhere and does not fit its type is never touched; only new values are held to the rules.
//!
//! Source: Pipedrive's Fields API v2, types allowed on creation and shapes of their values (read 2026-11). Numbers of
//! options are theirs; here an option is its label.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::contact::Kind;
use super::date::PartialDate;
use super::entry::deal::{Money, parse_amount};
use super::entry::definition::CustomField;
use super::normal;

/// The most characters of a short text.
const SHORT_MAX: usize = 255;
/// The most characters of a long text.
const LONG_MAX: usize = 65_000;
/// Between the options of a set; no option contains it.
const BETWEEN: char = ';';

/// What the values of a custom field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// A line of text.
    Varchar,
    /// A line of text that the product completes from earlier ones.
    VarcharAuto,
    /// A text of several lines.
    Text,
    /// A number, exact.
    Double,
    /// An amount of a currency: `500 PLN`.
    Monetary,
    /// One of the options.
    Enum,
    /// Any of the options: `Red; Blue`.
    Set,
    /// A day: `2026-02-01`.
    Date,
    /// From a day to a day, both included: `2026-02-01/2026-02-28`.
    Daterange,
    /// A time of day, with or without its zone: `09:30 Europe/Warsaw`.
    Time,
    /// From a time to a time: `09:30/11:00 Europe/Warsaw`.
    Timerange,
    /// A phone number as typed.
    Phone,
    /// A postal address in one line.
    Address,
    /// An organization of the store: `Acme [01JD…]`.
    Org,
    /// A person of the store: `Ada King [01JD…]`.
    People,
    /// A user, by the e-mail address.
    User,
}

impl FieldType {
    /// Every type.
    pub const ALL: [FieldType; 16] = [
        FieldType::Varchar,
        FieldType::VarcharAuto,
        FieldType::Text,
        FieldType::Double,
        FieldType::Monetary,
        FieldType::Enum,
        FieldType::Set,
        FieldType::Date,
        FieldType::Daterange,
        FieldType::Time,
        FieldType::Timerange,
        FieldType::Phone,
        FieldType::Address,
        FieldType::Org,
        FieldType::People,
        FieldType::User,
    ];

    /// The type as documents and commands spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            FieldType::Varchar => "varchar",
            FieldType::VarcharAuto => "varchar_auto",
            FieldType::Text => "text",
            FieldType::Double => "double",
            FieldType::Monetary => "monetary",
            FieldType::Enum => "enum",
            FieldType::Set => "set",
            FieldType::Date => "date",
            FieldType::Daterange => "daterange",
            FieldType::Time => "time",
            FieldType::Timerange => "timerange",
            FieldType::Phone => "phone",
            FieldType::Address => "address",
            FieldType::Org => "org",
            FieldType::People => "people",
            FieldType::User => "user",
        }
    }

    /// Whether its values are chosen from options.
    pub fn has_options(self) -> bool {
        matches!(self, FieldType::Enum | FieldType::Set)
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value in the one spelling of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The text to keep.
    Text(String),
    /// A contact of this kind, by its id or name as it was given; who knows the store makes the text of it.
    Contact(Kind, String),
}

/// A value does not fit its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("custom.{field}: {value} {rule}")]
pub struct ValueError {
    field: String,
    value: String,
    rule: String,
}

impl ValueError {
    /// A value of `field` that breaks `rule`, a phrase that follows the value: `is no date`.
    pub fn new(field: &CustomField, value: &Value, rule: impl Into<String>) -> Self {
        ValueError { field: field.name.clone(), value: value.to_string(), rule: rule.into() }
    }
}

impl CustomField {
    /// Brings a value into the one spelling of the field's type.
    ///
    /// # Errors
    /// [`ValueError`] says by which rule the value is refused.
    pub fn read(&self, value: &Value) -> Result<Reading, ValueError> {
        let refused = |rule: String| ValueError::new(self, value, rule);
        if self.retired.is_some() {
            return Err(refused("is not taken, the field is retired".to_owned()));
        }
        if let FieldType::Org | FieldType::People = self.field_type {
            let kind = if self.field_type == FieldType::Org { Kind::Organization } else { Kind::Person };
            return text_of(value).map(|text| Reading::Contact(kind, text)).map_err(refused);
        }
        self.spell(value).map(Reading::Text).map_err(refused)
    }

    /// Whether a text that is kept is a value of this field as it is spelled here. References are taken as they are.
    pub fn fits(&self, text: &str) -> bool {
        match self.field_type {
            FieldType::Org | FieldType::People => true,
            _ => self.spell(&Value::from(text)).is_ok(),
        }
    }

    fn spell(&self, value: &Value) -> Result<String, String> {
        match self.field_type {
            FieldType::Varchar | FieldType::VarcharAuto | FieldType::Phone | FieldType::Address => line(value),
            FieldType::Text => long_text(value),
            FieldType::Double => number(value),
            FieldType::Monetary => money(value),
            FieldType::Enum => self.option(&text_of(value)?),
            FieldType::Set => self.options_of(value),
            FieldType::Date => date(&text_of(value)?).map(|day| day.to_string()),
            FieldType::Daterange => {
                let (from, until) = ends(value)?;
                let (from, until) = (date(&from)?, date(&until)?);
                if from > until { Err("ends before it begins".into()) } else { Ok(format!("{from}/{until}")) }
            }
            FieldType::Time => zoned(value, time),
            FieldType::Timerange => zoned(value, |text| {
                let (from, until) = text.split_once('/').ok_or("is no range; expected such as 09:30/11:00")?;
                Ok(format!("{}/{}", time(from)?, time(until)?))
            }),
            FieldType::User => user(&text_of(value)?),
            FieldType::Org | FieldType::People => text_of(value),
        }
    }

    fn option(&self, given: &str) -> Result<String, String> {
        let folded = normal::fold(given);
        let known = self.options.iter().find(|option| normal::fold(option) == folded);
        known.cloned().ok_or_else(|| format!("is no option; expected one of {}", self.options.join(", ")))
    }

    /// Options in the order of the field, each once.
    fn options_of(&self, value: &Value) -> Result<String, String> {
        let given: Vec<String> = match value {
            Value::Array(items) => items.iter().map(text_of).collect::<Result<_, _>>()?,
            other => text_of(other)?.split(BETWEEN).map(|part| part.trim().to_owned()).collect(),
        };
        let chosen: Vec<String> = given.iter().map(|text| self.option(text)).collect::<Result<_, _>>()?;
        let ordered = self.options.iter().filter(|option| chosen.contains(option)).cloned();
        Ok(ordered.collect::<Vec<_>>().join("; "))
    }
}

/// Whether a text can be an option.
///
/// # Errors
/// The rule it breaks, a phrase that follows the option.
pub fn check_option(option: &str) -> Result<(), String> {
    if option.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if option.contains([BETWEEN, '\n']) {
        return Err("contains a semicolon or a line break, which stand between options".to_owned());
    }
    if option.chars().count() > SHORT_MAX {
        return Err(format!("has more than {SHORT_MAX} characters"));
    }
    Ok(())
}

fn text_of(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Value::String(_) => Err("is empty; null takes a value away".to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("has another shape; expected a text".to_owned()),
    }
}

fn line(value: &Value) -> Result<String, String> {
    let text = match value {
        Value::Object(members) => members.get("value").map_or_else(|| Err("has no value".to_owned()), text_of)?,
        other => text_of(other)?,
    };
    if text.contains('\n') {
        return Err("has several lines; expected one".to_owned());
    }
    if text.chars().count() > SHORT_MAX {
        return Err(format!("has more than {SHORT_MAX} characters"));
    }
    Ok(text)
}

fn long_text(value: &Value) -> Result<String, String> {
    let text = text_of(value)?;
    if text.chars().count() > LONG_MAX { Err(format!("has more than {LONG_MAX} characters")) } else { Ok(text) }
}

fn number(value: &Value) -> Result<String, String> {
    let text = text_of(value)?;
    let exact = parse_amount(&text).or_else(|| Decimal::from_scientific(&text).ok());
    exact.map(|number| number.to_string()).ok_or_else(|| "is no number; expected such as 12.5".to_owned())
}

fn money(value: &Value) -> Result<String, String> {
    const EXPECTED: &str = "is no amount of money; expected such as 500 PLN";
    let text = match value {
        Value::Object(members) => {
            let part = |name: &str| members.get(name).and_then(|part| text_of(part).ok()).ok_or(EXPECTED);
            format!("{} {}", part("value")?, part("currency")?)
        }
        other => text_of(other)?,
    };
    text.parse::<Money>().map(|money| money.to_string()).map_err(|_| EXPECTED.to_owned())
}

fn date(text: &str) -> Result<PartialDate, String> {
    let day = PartialDate::from_str(text.trim()).ok().filter(|day| day.year().is_some());
    day.ok_or_else(|| "is no date; expected YYYY-MM-DD".to_owned())
}

/// Both ends of a range: of an object with `value` and `until`, or of a text with a slash.
fn ends(value: &Value) -> Result<(String, String), String> {
    const EXPECTED: &str = "is no range; expected such as 2026-02-01/2026-02-28";
    if let Value::Object(members) = value {
        let end = |name: &str| members.get(name).ok_or(EXPECTED.to_owned()).and_then(text_of);
        return Ok((end("value")?, end("until")?));
    }
    let text = text_of(value)?;
    let (from, until) = text.split_once('/').ok_or(EXPECTED)?;
    Ok((from.to_owned(), until.to_owned()))
}

/// A time of day as `HH:MM`, or `HH:MM:SS` where the seconds are not zero.
fn time(text: &str) -> Result<String, String> {
    let text = text.trim();
    let read = |form| chrono::NaiveTime::parse_from_str(text, form).ok();
    let time = read("%H:%M").or_else(|| read("%H:%M:%S")).ok_or("is no time; expected such as 09:30")?;
    Ok(time.format(if time.format("%S").to_string() == "00" { "%H:%M" } else { "%H:%M:%S" }).to_string())
}

/// A time or a range of times, with its zone behind it when one is given.
fn zoned(value: &Value, spell: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let text = match value {
        Value::Object(members) => {
            let part = |name: &str| members.get(name).filter(|part| !part.is_null()).map(text_of).transpose();
            let from = part("value")?.ok_or("has no value")?;
            let until = part("until")?.map(|until| format!("/{until}")).unwrap_or_default();
            format!("{from}{until} {}", part("timezone_name")?.unwrap_or_default())
        }
        other => text_of(other)?,
    };
    let (times, zone) = text.trim().split_once(' ').map_or((text.trim(), ""), |(times, zone)| (times, zone.trim()));
    let times = spell(times)?;
    if zone.is_empty() {
        return Ok(times);
    }
    let zone: chrono_tz::Tz =
        zone.parse().map_err(|_| "names no time zone; expected such as Europe/Warsaw".to_owned())?;
    Ok(format!("{times} {zone}"))
}

fn user(text: &str) -> Result<String, String> {
    match text.split_once('@') {
        Some((name, domain)) if !name.is_empty() && domain.contains('.') => Ok(text.to_ascii_lowercase()),
        _ => Err("is no user; expected the e-mail address".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::entry::definition::FieldOf;

    fn field(field_type: FieldType) -> CustomField {
        let options = if field_type.has_options() {
            ["Red", "Blue", "Deep green"].map(str::to_owned).to_vec()
        } else {
            Vec::new()
        };
        CustomField { of: FieldOf::Person, name: "Field".into(), field_type, options, retired: None }
    }

    fn spelled(field_type: FieldType, value: Value) -> String {
        match field(field_type).read(&value).unwrap_or_else(|error| panic!("{error}")) {
            Reading::Text(text) => text,
            Reading::Contact(kind, text) => format!("{} {text}", kind.as_str()),
        }
    }

    #[test]
    fn every_type_has_one_spelling() {
        use FieldType as T;
        for (field_type, value, expected) in [
            (T::Varchar, json!(" Retail "), "Retail"),
            (T::Varchar, json!(12), "12"),
            (T::VarcharAuto, json!("Retail"), "Retail"),
            (T::Text, json!("one\ntwo"), "one\ntwo"),
            (T::Double, json!(12.5), "12.5"),
            (T::Double, json!("-0.10"), "-0.10"),
            (T::Monetary, json!({"value": 500, "currency": "pln"}), "500 PLN"),
            (T::Monetary, json!("EUR 12.50"), "12.50 EUR"),
            (T::Enum, json!("blue"), "Blue"),
            (T::Set, json!(["blue", "RED", "blue"]), "Red; Blue"),
            (T::Set, json!("Deep green; Red"), "Red; Deep green"),
            (T::Date, json!("2026-02-01"), "2026-02-01"),
            (T::Daterange, json!({"value": "2026-02-01", "until": "2026-02-28"}), "2026-02-01/2026-02-28"),
            (T::Daterange, json!("2026-02-01/2026-02-01"), "2026-02-01/2026-02-01"),
            (T::Time, json!("09:30:00"), "09:30"),
            (T::Time, json!({"value": "09:30:15", "timezone_name": "Europe/Warsaw"}), "09:30:15 Europe/Warsaw"),
            (
                T::Timerange,
                json!({"value": "09:30", "until": "11:00:00", "timezone_name": "Europe/Warsaw"}),
                "09:30/11:00 Europe/Warsaw",
            ),
            (T::Timerange, json!("22:00/06:00"), "22:00/06:00"),
            (T::Phone, json!("+48 22 555 01 20"), "+48 22 555 01 20"),
            (T::Address, json!({"value": "Rynek 1, Kraków"}), "Rynek 1, Kraków"),
            (T::Org, json!("Acme"), "organization Acme"),
            (T::People, json!("Ada King"), "person Ada King"),
            (T::User, json!("Ada@Example.org"), "ada@example.org"),
        ] {
            let text = spelled(field_type, value);
            assert_eq!(text, expected, "{field_type}");
            let again = field(field_type);
            assert!(again.fits(expected), "{field_type}: what is kept is a value");
        }
    }

    #[test]
    fn a_value_of_another_kind_names_field_value_and_rule() {
        use FieldType as T;
        for (field_type, value, expected) in [
            (T::Varchar, json!("a\nb"), r#"custom.Field: "a\nb" has several lines; expected one"#),
            (T::Varchar, json!(" "), r#"custom.Field: " " is empty; null takes a value away"#),
            (T::Varchar, json!(["a"]), r#"custom.Field: ["a"] has another shape; expected a text"#),
            (T::Double, json!("12,5"), r#"custom.Field: "12,5" is no number; expected such as 12.5"#),
            (T::Monetary, json!("500"), r#"custom.Field: "500" is no amount of money; expected such as 500 PLN"#),
            (T::Enum, json!("green"), r#"custom.Field: "green" is no option; expected one of Red, Blue, Deep green"#),
            (
                T::Set,
                json!(["Red", "x"]),
                r#"custom.Field: ["Red","x"] is no option; expected one of Red, Blue, Deep green"#,
            ),
            (T::Date, json!("--02-01"), r#"custom.Field: "--02-01" is no date; expected YYYY-MM-DD"#),
            (T::Date, json!("2026-02-30"), r#"custom.Field: "2026-02-30" is no date; expected YYYY-MM-DD"#),
            (
                T::Daterange,
                json!("2026-02-02/2026-02-01"),
                r#"custom.Field: "2026-02-02/2026-02-01" ends before it begins"#,
            ),
            (T::Time, json!("25:00"), r#"custom.Field: "25:00" is no time; expected such as 09:30"#),
            (
                T::Time,
                json!("09:30 Mars"),
                r#"custom.Field: "09:30 Mars" names no time zone; expected such as Europe/Warsaw"#,
            ),
            (T::Timerange, json!("09:30"), r#"custom.Field: "09:30" is no range; expected such as 09:30/11:00"#),
            (T::User, json!("Ada"), r#"custom.Field: "Ada" is no user; expected the e-mail address"#),
        ] {
            let error = field(field_type).read(&value).expect_err("refused");
            assert_eq!(error.to_string(), expected);
        }
        let long = "x".repeat(256);
        assert!(field(T::Varchar).read(&json!(long)).is_err());
        assert!(field(T::Text).read(&json!(long)).is_ok());
    }

    #[test]
    fn a_retired_field_takes_no_value_and_what_it_has_still_fits() {
        let retired = CustomField { retired: Some(crate::domain::time::Timestamp::EPOCH), ..field(FieldType::Double) };
        let refused = retired.read(&json!(1)).expect_err("refused").to_string();
        assert_eq!(refused, "custom.Field: 1 is not taken, the field is retired");
        assert!(retired.fits("1"));
    }

    #[test]
    fn types_are_spelled_in_documents_as_in_commands() {
        for field_type in FieldType::ALL {
            assert_eq!(serde_json::to_value(field_type).expect("a word"), json!(field_type.as_str()));
        }
    }

    #[test]
    fn what_stands_between_options_is_no_part_of_one() {
        assert!(check_option("Deep green").is_ok());
        for option in ["", " ", "a;b", "a\nb"] {
            assert!(check_option(option).is_err(), "{option:?}");
        }
    }
}
