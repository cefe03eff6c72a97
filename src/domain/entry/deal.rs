//! Deals: what may be sold to a contact.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::About;
use crate::domain::date::PartialDate;
use crate::domain::time::Timestamp;

/// A deal with a person, an organization or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// What it is about; never empty.
    pub title: String,
    /// What it is worth.
    #[serde(default)]
    pub value: Option<Money>,
    /// The pipeline it moves through, by name.
    pub pipeline: String,
    /// How far it has come, by the name of the pipeline's stage.
    pub stage: String,
    /// How it stands.
    pub status: Status,
    /// Why it was lost.
    #[serde(default)]
    pub lost_reason: Option<String>,
    /// When it is expected to be closed; with its year.
    #[serde(default)]
    pub expected_close: Option<PartialDate>,
    /// When it was won or lost.
    #[serde(default)]
    pub closed: Option<Timestamp>,
    /// The e-mail address of the user who looks after it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Labels, by name.
    #[serde(default)]
    pub labels: BTreeSet<String>,
    /// Custom fields, by key.
    #[serde(default)]
    pub custom: BTreeMap<String, String>,
    /// With whom; never nobody.
    #[serde(flatten)]
    pub about: About,
}

/// How a deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant says it")]
pub enum Status {
    Open,
    Won,
    Lost,
}

impl Status {
    /// The status as documents and commands spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Won => "won",
            Status::Lost => "lost",
        }
    }
}

/// An amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// How much; exact to the last digit that was typed.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// The currency's code of three capital letters.
    pub currency: Currency,
}

/// A currency's code of three capital letters (ISO 4217).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Currency([u8; 3]);

/// The text is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {expected}")]
pub struct ParseMoneyError {
    text: String,
    expected: &'static str,
}

impl FromStr for Currency {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters: Option<[u8; 3]> = text.trim().to_ascii_uppercase().into_bytes().try_into().ok();
        letters.filter(|letters| letters.iter().all(u8::is_ascii_uppercase)).map(Currency).ok_or_else(|| {
            ParseMoneyError { text: text.to_owned(), expected: "currency; expected three letters such as EUR" }
        })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.to_string()
    }
}

impl TryFrom<String> for Currency {
    type Error = ParseMoneyError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Money {
    type Err = ParseMoneyError;

    /// Reads `12000 EUR`, `EUR 12000` or `1 200.50 PLN`; blanks between digits are passed over.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused =
            || ParseMoneyError { text: text.to_owned(), expected: "amount of money; expected such as 12000 EUR" };
        let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
        let currency: Currency = letters.parse().map_err(|_| refused())?;
        let trimmed = text.trim();
        let number = trimmed.strip_suffix(letters.as_str()).or_else(|| trimmed.strip_prefix(letters.as_str()));
        let amount = number.and_then(parse_amount).ok_or_else(refused)?;
        Ok(Money { amount, currency })
    }
}

/// A number with a decimal point, blanks between its digits passed over.
pub fn parse_amount(text: &str) -> Option<Decimal> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let is_plain = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
    is_plain.then(|| digits.parse().ok()).flatten()
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_however_the_currency_stands() {
        for (text, shown) in [
            ("12000 EUR", "12000 EUR"),
            ("EUR 12000.50", "12000.50 EUR"),
            ("1 200.5pln", "1200.5 PLN"),
            ("-5 USD", "-5 USD"),
        ] {
            assert_eq!(text.parse::<Money>().expect(text).to_string(), shown);
        }
        for text in ["", "12000", "EUR", "12,5 EUR", "1e3 EUR", "12 EURO", "12 EUR 3", "12 €"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_amount_keeps_its_digits() {
        let text = r#"{"amount":"0.10","currency":"EUR"}"#;
        let money: Money = serde_json::from_str(text).expect("a document");
        assert_eq!(serde_json::to_string(&money).expect("a document"), text);
        assert!(serde_json::from_str::<Money>(r#"{"amount":"1","currency":"euro"}"#).is_err());
    }
}
