//! Amounts of money as people and spreadsheets write them: `1200.50`, `1.200,50 €`, `1 200,50 PLN`, `1'200.50`.
//!
//! `1.200` is one and a fifth in America and twelve hundred in Germany. One cell cannot tell, the column can: a value that
//! only one reading allows decides for all. An amount that stays ambiguous is not guessed.

/// Which character stands before the decimals, as the values of a column prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecimalMark {
    Point,
    Comma,
    /// No value decides, or they contradict each other.
    Unproven,
}

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// A number with a decimal point, and the currency that stands beside it.
    Amount { number: String, currency: Option<String> },
    /// Two amounts are possible.
    Ambiguous,
    /// No amount that we know.
    Unreadable,
}

/// Signs that stand for one currency only; a dollar can be that of many countries.
const SIGNS: [(&str, &str); 4] = [("€", "EUR"), ("£", "GBP"), ("zł", "PLN"), ("US$", "USD")];

/// Finds out which character stands before the decimals in one column.
pub(super) fn mark_of<'a>(values: impl Iterator<Item = &'a str>) -> DecimalMark {
    let (mut point, mut comma) = (false, false);
    for value in values {
        match proof(&taken_apart(value).0) {
            Some('.') => point = true,
            Some(_) => comma = true,
            None => {}
        }
    }
    match (point, comma) {
        (true, false) => DecimalMark::Point,
        (false, true) => DecimalMark::Comma,
        _ => DecimalMark::Unproven,
    }
}

/// Reads one cell of a column whose mark is `mark`.
pub(super) fn read(text: &str, mark: DecimalMark) -> Reading {
    let (digits, currency) = taken_apart(text);
    let (sign, bare) = match digits.strip_prefix('-') {
        Some(bare) => ("-", bare),
        None => ("", digits.strip_prefix('+').unwrap_or(&digits)),
    };
    let is_plain = bare.starts_with(|c: char| c.is_ascii_digit())
        && bare.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    if !is_plain {
        return Reading::Unreadable;
    }
    let decimal = match (proof(bare), mark) {
        (Some(proven), _) => Some(proven),
        (None, DecimalMark::Point) => Some('.'),
        (None, DecimalMark::Comma) => Some(','),
        (None, DecimalMark::Unproven) if bare.contains(['.', ',']) => return Reading::Ambiguous,
        (None, DecimalMark::Unproven) => None,
    };
    match plain(bare, decimal) {
        Some(number) => Reading::Amount { number: format!("{sign}{number}"), currency },
        None => Reading::Unreadable,
    }
}

/// The digits with their marks, without what groups them for the eye, and the currency.
fn taken_apart(text: &str) -> (String, Option<String>) {
    let mut text = text.trim().to_owned();
    let mut currency = None;
    for (sign, code) in SIGNS {
        if let Some(at) = text.find(sign) {
            text.replace_range(at..at + sign.len(), "");
            currency = Some(code.to_owned());
        }
    }
    if currency.is_none() {
        let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
        let is_beside = |letters: &str| text.starts_with(letters) || text.ends_with(letters);
        if letters.len() == 3 && letters.is_ascii() && is_beside(&letters) {
            text = text.replace(&letters, "");
            currency = Some(letters.to_ascii_uppercase());
        }
    }
    let bare = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’' | '$'));
    (bare.collect(), currency)
}

/// The decimal mark that a number proves by itself.
fn proof(number: &str) -> Option<char> {
    let count = |mark: char| number.matches(mark).count();
    match (count('.'), count(',')) {
        (0, 0) => None,
        (points, commas) if points > 0 && commas > 0 => number.chars().rev().find(|c| matches!(c, '.' | ',')),
        (1, 0) => (!is_ambiguous(number, '.')).then_some('.'),
        (0, 1) => (!is_ambiguous(number, ',')).then_some(','),
        // What comes twice groups thousands.
        (0, _) => Some('.'),
        _ => Some(','),
    }
}

/// Whether one mark may group thousands as well: up to three digits before it, three behind.
fn is_ambiguous(number: &str, mark: char) -> bool {
    let number = number.trim_start_matches(['-', '+']);
    number
        .split_once(mark)
        .is_some_and(|(whole, rest)| rest.len() == 3 && (1..=3).contains(&whole.len()) && whole != "0")
}

/// The number with a point before its decimals; `None` when what groups its digits does not stand at thousands.
fn plain(number: &str, decimal: Option<char>) -> Option<String> {
    let (whole, decimals) = match decimal.and_then(|mark| number.rsplit_once(mark)) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (number, None),
    };
    if decimals.is_some_and(|decimals| decimals.is_empty() || !decimals.chars().all(|c| c.is_ascii_digit())) {
        return None;
    }
    let groups: Vec<&str> = whole.split(['.', ',']).collect();
    let (first, others) = groups.split_first()?;
    if first.is_empty() || (!others.is_empty() && first.len() > 3) || others.iter().any(|group| group.len() != 3) {
        return None;
    }
    Some(match decimals {
        Some(decimals) => format!("{}.{decimals}", groups.concat()),
        None => groups.concat(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, mark: DecimalMark) -> String {
        match read(text, mark) {
            Reading::Amount { number, currency } => {
                format!("{number} {}", currency.unwrap_or_default()).trim().to_owned()
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn amounts_of_every_spelling_are_read() {
        for (text, expected) in [
            ("12000", "12000"),
            ("12000.50", "12000.50"),
            ("12000,5", "12000.5"),
            ("1.200,50 €", "1200.50 EUR"),
            ("1 200,50 zł", "1200.50 PLN"),
            ("1\u{202f}200,50\u{a0}PLN", "1200.50 PLN"),
            ("£1,200.50", "1200.50 GBP"),
            ("chf 1'200.50", "1200.50 CHF"),
            ("$5", "5"),
            ("-3.5", "-3.5"),
            ("1,234,567", "1234567"),
            ("0.125", "0.125"),
            ("1234.567", "1234.567"),
            ("1.200", "Ambiguous"),
            ("1,200 EUR", "Ambiguous"),
            ("=A1*2", "Unreadable"),
            ("1.2E+4", "Unreadable"),
            ("1,2,3", "Unreadable"),
            ("12,34.567", "Unreadable"),
            ("about 5", "Unreadable"),
            ("5.", "Unreadable"),
            ("", "Unreadable"),
        ] {
            assert_eq!(shown(text, DecimalMark::Unproven), expected, "{text:?}");
        }
    }

    #[test]
    fn one_value_decides_for_its_column() {
        let mark = |values: &[&str]| mark_of(values.iter().copied());
        assert_eq!(mark(&["1.200", "3,50"]), DecimalMark::Comma);
        assert_eq!(mark(&["1.200", "3.5"]), DecimalMark::Point);
        assert_eq!(mark(&["1.200", "7"]), DecimalMark::Unproven);
        assert_eq!(mark(&["3,5", "3.5"]), DecimalMark::Unproven);
        assert_eq!(shown("1.200", DecimalMark::Comma), "1200");
        assert_eq!(shown("1.200", DecimalMark::Point), "1.200");
    }
}
