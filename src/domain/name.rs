//! The name of a person: its parts are the truth, the full name is composed from them.

use serde::{Deserialize, Serialize};

/// The parts of a person's name. An absent part is `None`, never an empty text.
///
/// As JSON it also carries `full`, composed from the parts; on input a lone `full` is split.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "NameShape", from = "NameShape")]
#[expect(missing_docs, reason = "each part is the part of that name")]
pub struct Name {
    pub prefix: Option<String>,
    pub given: Option<String>,
    pub middle: Option<String>,
    pub family: Option<String>,
    pub suffix: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameShape {
    #[serde(default)]
    full: Option<String>,
    #[serde(default)]
    given: Option<String>,
    #[serde(default)]
    middle: Option<String>,
    #[serde(default)]
    family: Option<String>,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    suffix: Option<String>,
}

const PREFIXES: [&str; 17] = [
    "dr", "prof", "mr", "mrs", "ms", "miss", "sir", "herr", "frau", "ing", "mgr", "pan", "pani", "inż", "hab", "dipl",
    "med",
];
const SUFFIXES: [&str; 10] = ["jr", "sr", "ii", "iii", "iv", "phd", "md", "esq", "mba", "cpa"];
const PARTICLES: [&str; 17] =
    ["van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "la", "le", "ten", "ter", "zu", "zum", "bin"];

impl Name {
    /// The name in full, `Dr. Ada B. King Jr.`; `None` when no part is known.
    pub fn full(&self) -> Option<String> {
        let parts = [&self.prefix, &self.given, &self.middle, &self.family, &self.suffix];
        let full = parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
        (!full.is_empty()).then_some(full)
    }

    /// Whether no part is known.
    pub fn is_empty(&self) -> bool {
        *self == Name::default()
    }

    /// Splits a full name at its blanks: titles in front, suffixes behind, the last word (with `van`, `de` and the
    /// like before it) is the family name, the first one the given name. `King, Ada` is read the other way round.
    ///
    /// No word is lost: composing the parts gives the words back, in this order unless a comma reversed them.
    pub fn split(full: &str) -> Name {
        let full = full.trim();
        if let Some((family, rest)) = full.split_once(',')
            && !rest.trim().is_empty()
            && !rest.split_whitespace().all(|word| is_one_of(word, &SUFFIXES))
        {
            let mut name = Name::split(&rest.replace(',', " "));
            // `King, Ada B.`: what stands behind the comma has no family name of its own.
            name.middle = join([name.middle.take(), name.family.take()]);
            name.family = text(family);
            return name;
        }
        let mut words: Vec<&str> = full.split_whitespace().collect();
        let front = words.iter().take_while(|word| is_one_of(word, &PREFIXES)).count();
        let front = if front == words.len() { 0 } else { front };
        let prefix: Vec<&str> = words.drain(..front).collect();
        let back = words.iter().rev().take_while(|word| is_one_of(word, &SUFFIXES)).count();
        let back = if back >= words.len().saturating_sub(1) && words.len() < 3 { 0 } else { back };
        let suffix = words.split_off(words.len() - back.min(words.len()));
        let mut name = Name { prefix: text(&prefix.join(" ")), suffix: text(&suffix.join(" ")), ..Name::default() };
        match words.as_slice() {
            [] => {}
            [only] => name.given = text(only.trim_end_matches(',')),
            [given, rest @ ..] => {
                name.given = text(given);
                let mut start = rest.len() - 1;
                while start > 0 && is_one_of(rest[start - 1], &PARTICLES) {
                    start -= 1;
                }
                name.middle = text(&rest[..start].join(" "));
                name.family = text(rest[start..].join(" ").trim_end_matches(','));
            }
        }
        name
    }
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    let bare = word.trim_matches(|c: char| c == '.' || c == ',').to_lowercase();
    list.contains(&bare.as_str())
}

fn join<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    text(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn text(part: &str) -> Option<String> {
    let part = part.trim();
    (!part.is_empty()).then(|| part.to_owned())
}

impl From<Name> for NameShape {
    fn from(name: Name) -> Self {
        NameShape {
            full: name.full(),
            given: name.given,
            middle: name.middle,
            family: name.family,
            prefix: name.prefix,
            suffix: name.suffix,
        }
    }
}

impl From<NameShape> for Name {
    fn from(shape: NameShape) -> Self {
        let part = |value: Option<String>| value.as_deref().and_then(text);
        let name = Name {
            prefix: part(shape.prefix),
            given: part(shape.given),
            middle: part(shape.middle),
            family: part(shape.family),
            suffix: part(shape.suffix),
        };
        match shape.full {
            Some(full) if name.is_empty() => Name::split(&full),
            _ => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(full: &str) -> [String; 5] {
        let name = Name::split(full);
        [name.prefix, name.given, name.middle, name.family, name.suffix].map(Option::unwrap_or_default)
    }

    #[test]
    fn full_names_are_split_into_parts() {
        for (full, expected) in [
            ("Ada Lovelace", ["", "Ada", "", "Lovelace", ""]),
            ("Dr. Ada B. King", ["Dr.", "Ada", "B.", "King", ""]),
            ("Prof. Dr. Max Mustermann", ["Prof. Dr.", "Max", "", "Mustermann", ""]),
            ("Ludwig van Beethoven", ["", "Ludwig", "", "van Beethoven", ""]),
            ("Martin Luther King Jr.", ["", "Martin", "Luther", "King", "Jr."]),
            ("Plato", ["", "Plato", "", "", ""]),
            ("King, Ada", ["", "Ada", "", "King", ""]),
            ("King, Dr. Ada B.", ["Dr.", "Ada", "B.", "King", ""]),
            ("John Doe, PhD", ["", "John", "", "Doe", "PhD"]),
            ("  ", ["", "", "", "", ""]),
            ("Dr.", ["", "Dr.", "", "", ""]),
        ] {
            assert_eq!(parts(full), expected.map(String::from), "{full}");
        }
    }

    #[test]
    fn a_lone_full_name_is_split_and_parts_win_over_it() {
        let lone: Name = serde_json::from_str(r#"{"full":"Ada King"}"#).expect("valid");
        assert_eq!(lone.family.as_deref(), Some("King"));
        let both: Name = serde_json::from_str(r#"{"full":"Somebody Else","given":"Ada"}"#).expect("valid");
        assert_eq!(both.full().as_deref(), Some("Ada"));
    }
}
