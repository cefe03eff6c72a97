//! The kinds of values that keys have: each reads one TOML value, or says what it would have expected.

use std::net::IpAddr;
use std::time::Duration;

use toml::de::DeValue;
use url::{Host, Url};

use crate::domain::pair::Limit;

/// A text that is not empty.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        _ => Err("a text that is not empty".to_owned()),
    }
}

/// A text that may be empty.
pub(super) fn text_or_empty(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.trim().to_owned()),
        _ => Err("a text".to_owned()),
    }
}

/// A list of texts that are not empty.
pub(super) fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let expected = || "a list of texts, such as [\"Customer\"]".to_owned();
    match value {
        DeValue::Array(items) => items.iter().map(|item| text(item.get_ref()).map_err(|_| expected())).collect(),
        _ => Err(expected()),
    }
}

/// `true` or `false`.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(value) => Ok(*value),
        _ => Err("true or false".to_owned()),
    }
}

/// A whole number in a range.
pub(super) fn number(least: u32, most: u32) -> impl FnOnce(&DeValue<'_>) -> Result<u32, String> {
    move |value| {
        whole(value)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| format!("a whole number from {least} to {most}"))
    }
}

fn whole(value: &DeValue<'_>) -> Option<u64> {
    match value {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

/// One of a few words.
pub(super) fn choice<T: Copy>(choices: &'static [(&'static str, T)]) -> impl Fn(&DeValue<'_>) -> Result<T, String> {
    move |value| {
        let found = match value {
            DeValue::String(text) => choices.iter().find(|(word, _)| *word == text.as_ref()),
            _ => None,
        };
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            format!("one of {}", words.join(", "))
        })
    }
}

/// The word that stands for a choice.
pub(super) fn name_of<T: PartialEq>(choices: &[(&'static str, T)], choice: T) -> &'static str {
    choices.iter().find(|(_, other)| *other == choice).map_or("", |(word, _)| word)
}

/// A span of time: `"90s"`, `"5m"`, `"2h"`, `"7d"`, or several of them, `"1h30m"`.
pub(super) fn duration(value: &DeValue<'_>) -> Result<Duration, String> {
    let parsed = match value {
        DeValue::String(text) => parse_duration(text.trim()),
        _ => None,
    };
    parsed.ok_or_else(|| "a duration such as \"90s\", \"5m\" or \"2h\"".to_owned())
}

fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b's' => 1,
            b'm' => 60,
            b'h' => 60 * 60,
            b'd' => 24 * 60 * 60,
            _ => return None,
        };
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then(|| Duration::from_secs(seconds))
}

/// A span of time as the file writes it.
pub(super) fn show_duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 => "0s".to_owned(),
        _ if seconds.is_multiple_of(24 * 60 * 60) => format!("{}d", seconds / (24 * 60 * 60)),
        _ if seconds.is_multiple_of(60 * 60) => format!("{}h", seconds / (60 * 60)),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// A limit: a percentage such as `"10%"`, or a number of contacts.
pub(super) fn limit(value: &DeValue<'_>) -> Result<Limit, String> {
    let parsed = match value {
        DeValue::String(text) => text
            .trim()
            .strip_suffix('%')
            .and_then(|number| number.trim().parse::<f64>().ok())
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(Limit::Percent),
        number => whole(number).map(Limit::Absolute),
    };
    parsed.ok_or_else(|| "a percentage from \"0%\" to \"100%\", or a number of contacts such as 50".to_owned())
}

/// The base address of a service. `https`, or `http` on a loopback address.
pub(super) fn address(value: &DeValue<'_>) -> Result<Url, String> {
    const EXPECTED: &str = "an address that begins with https:// (http:// only for a loopback address)";
    let url = match value {
        DeValue::String(text) => Url::parse(text.trim()).ok(),
        _ => None,
    };
    let url = url.ok_or(EXPECTED)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address without a user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("an address without ? and #".to_owned());
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("an address that begins with https://, as this is not a loopback address".to_owned()),
        _ => Err(EXPECTED.to_owned()),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// An e-mail address, without a name in front.
pub(super) fn email(value: &DeValue<'_>) -> Result<String, String> {
    let options = email_address::Options::default().without_display_text().without_domain_literal();
    match value {
        DeValue::String(text) if email_address::EmailAddress::parse_with_options(text.trim(), options).is_ok() => {
            Ok(text.trim().to_owned())
        }
        _ => Err("an e-mail address".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("2h", Some(7200)),
            ("1h30m", Some(5400)),
            ("7d", Some(604_800)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("m", None),
            ("-5m", None),
            ("5 m", None),
            ("5ü", None),
            ("99999999999999999999s", None),
            ("9999999999999999d", None),
        ] {
            assert_eq!(parse_duration(text).map(|span| span.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn durations_are_written_in_their_largest_unit() {
        for text in ["90s", "5m", "2h", "7d", "0s"] {
            assert_eq!(show_duration(parse_duration(text).expect("valid")), text);
        }
    }
}
