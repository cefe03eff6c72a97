//! The canonical form of phone numbers, roughly: enough to be there for numbers that look like numbers.

/// Country calling code and trunk prefix per region.
const REGIONS: [(&str, &str, &str); 20] = [
    ("AT", "43", "0"),
    ("AU", "61", "0"),
    ("BE", "32", "0"),
    ("BR", "55", "0"),
    ("CA", "1", "1"),
    ("CH", "41", "0"),
    ("CZ", "420", ""),
    ("DE", "49", "0"),
    ("DK", "45", ""),
    ("ES", "34", ""),
    ("FR", "33", "0"),
    ("GB", "44", "0"),
    ("IE", "353", "0"),
    ("IT", "39", ""),
    ("NL", "31", "0"),
    ("NO", "47", ""),
    ("PL", "48", ""),
    ("SE", "46", "0"),
    ("UA", "380", "0"),
    ("US", "1", "1"),
];

/// The number in E.164; `None` when it cannot be read, as for short codes and words.
pub fn canonical(value: &str, region: &str) -> Option<String> {
    let value = value.trim();
    let is_plausible = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-./()".contains(c);
    if !value.chars().all(is_plausible) || value.chars().skip(1).any(|c| c == '+') {
        return None;
    }
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let international = match value.strip_prefix('+') {
        Some(_) => digits.clone(),
        None => match digits.strip_prefix("00") {
            Some(rest) => rest.to_owned(),
            None => national(&digits, region)?,
        },
    };
    (8..=15).contains(&international.len()).then(|| format!("+{international}"))
}

fn national(digits: &str, region: &str) -> Option<String> {
    let (_, country, trunk) = REGIONS.iter().find(|(name, _, _)| *name == region)?;
    let is_trunk = !trunk.is_empty() && digits.len() > 7;
    let rest = digits.strip_prefix(trunk).filter(|_| is_trunk).unwrap_or(digits);
    (rest.len() >= 7).then(|| format!("{country}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_the_region_of_the_account() {
        let cases = [
            ("666 12 34 90", "ES", Some("+34666123490")),
            ("030 1234567", "DE", Some("+49301234567")),
            ("+49 (30) 1234567", "US", Some("+49301234567")),
            ("0049 30 1234567", "US", Some("+49301234567")),
            ("(212) 555-0100", "US", Some("+12125550100")),
            ("1-212-555-0100", "US", Some("+12125550100")),
            ("110", "DE", None),
            ("call me", "DE", None),
            ("555 x 12", "US", None),
        ];
        for (value, region, expected) in cases {
            assert_eq!(canonical(value, region).as_deref(), expected, "{value}");
        }
    }
}
