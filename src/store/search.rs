//! Finding contacts by text, and their order by name: the one definition that every implementor shares.
//!
//! Everything is compared *folded*: compatibility forms unified, accents dropped, letters in one case, blanks
//! collapsed. What is folded is only ever compared and never shown.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::domain::contact::{Card, Subject};

/// Fewer digits than this are no phone number; they are looked for as text only.
const PHONE_DIGITS_MIN: usize = 3;

/// What a contact can be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SearchIndex {
    /// Name, e-mails, phones and notes, folded, one per line.
    pub text: String,
    /// The digits of each phone, one phone per line.
    pub phone_digits: String,
}

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    /// The text, folded.
    pub text: String,
    /// Its digits without leading zeros, when it looks like a phone number.
    pub phone_digits: Option<String>,
}

impl SearchIndex {
    /// What a contact with this card can be found by.
    pub(super) fn of(card: &Card) -> Self {
        let name = match &card.subject {
            Subject::Person(person) => person.name.full().unwrap_or_default(),
            Subject::Organization(organization) => organization.name.clone(),
        };
        let mut lines = vec![fold(&name)];
        lines.extend(card.emails.iter().map(|email| fold(&email.value)));
        lines.extend(card.phones.iter().map(|phone| fold(&phone.value)));
        lines.extend(card.notes.iter().map(|notes| fold(notes)));
        let phone_digits: Vec<String> = card.phones.iter().map(|phone| digits(&phone.value)).collect();
        SearchIndex { text: lines.join("\n"), phone_digits: phone_digits.join("\n") }
    }
}

impl Needle {
    /// What a search for `text` compares with.
    pub(super) fn new(text: &str) -> Self {
        let folded = fold(text);
        let number = digits(&folded);
        let is_number = number.len() >= PHONE_DIGITS_MIN
            && folded.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '(' | ')' | '/' | '.'));
        // A trunk prefix (`030 …`) and an exit code (`0049 …`) are no part of the international number.
        let number = number.trim_start_matches('0').to_owned();
        Needle { text: folded, phone_digits: (is_number && !number.is_empty()).then_some(number) }
    }

    /// Whether a contact that can be found by `index` is one of those looked for.
    pub(super) fn is_in(&self, index: &SearchIndex) -> bool {
        index.text.contains(&self.text)
            || self.phone_digits.as_ref().is_some_and(|number| index.phone_digits.contains(number))
    }
}

/// The text by which lists in the order of names are sorted: family name, then given name; whoever has no name of that
/// kind stands where the name shown for them belongs.
pub(super) fn sort_key(card: &Card) -> String {
    let parts = match card.as_person() {
        Some(person) => [&person.name.family, &person.name.given, &person.name.middle]
            .into_iter()
            .flatten()
            .map(|part| fold(part))
            .collect::<Vec<_>>(),
        None => Vec::new(),
    };
    // A folded part never contains a line break, so `Ann Smith` cannot sort as `Anns Mith`.
    if parts.is_empty() { fold(&card.display_name()) } else { parts.join("\n") }
}

/// The owner as it is compared: e-mail addresses of users differ by more than case or not at all.
pub(super) fn owner_key(owner: &str) -> String {
    owner.to_ascii_lowercase()
}

fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).default_case_fold() {
        match c {
            // Letters with a stroke and ligatures are letters of their own for Unicode, but not for who searches.
            'ł' => folded.push('l'),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            c if c.is_whitespace() || c.is_control() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            c => folded.push(c),
        }
    }
    folded.trim().to_owned()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::Phone;
    use crate::domain::name::Name;

    fn person(name: &str, phone: &str) -> Card {
        let mut card = Card::person();
        card.as_person_mut().expect("a person").name = Name::split(name);
        card.phones.push(Phone { value: phone.into(), label: None, primary: false });
        card
    }

    #[test]
    fn case_and_accents_do_not_matter() {
        let index = SearchIndex::of(&person("Łukasz Groß-Müller", "+49 30 1234567"));
        for text in ["lukasz", "GROSS", "groß", "müller", "  MULLER ", "Mu\u{308}ller"] {
            assert!(Needle::new(text).is_in(&index), "{text}");
        }
        assert!(!Needle::new("miller").is_in(&index));
    }

    #[test]
    fn digits_find_phones_however_they_are_written() {
        let index = SearchIndex::of(&person("Ada King", "+49 (30) 123-4567"));
        for text in ["+49 30 1234567", "0049301234567", "030/1234567", "123 45", "4567"] {
            assert!(Needle::new(text).is_in(&index), "{text}");
        }
        for text in ["030 7654321", "01", "ext 1234567"] {
            assert!(!Needle::new(text).is_in(&index), "{text}");
        }
    }

    #[test]
    fn a_text_is_not_found_across_two_values() {
        let mut card = person("Ada King", "1");
        card.notes = Some("Ada\nKing".into());
        assert!(!Needle::new("king 1").is_in(&SearchIndex::of(&card)));
        assert!(Needle::new("ada king").is_in(&SearchIndex::of(&card)));
    }

    #[test]
    fn names_sort_by_family_then_given() {
        let mut names =
            ["Ada Smithe", "Zoe Smith", "Éva Smith", "Plato", ""].map(|name| sort_key(&person(name, "555")));
        names.sort();
        assert_eq!(names, ["555", "plato", "smith\neva", "smith\nzoe", "smithe\nada"]);
    }
}
