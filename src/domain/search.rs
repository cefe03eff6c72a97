//! Finding contacts by text, and their order by name: the one definition that every store and every filter shares.
//!
//! Everything is compared *folded*: compatibility forms unified, accents dropped, letters in one case, blanks
//! collapsed. What is folded is only ever compared and never shown.
//!
//! A search is made of words, and every one of them has to occur somewhere in the contact: in a name, an e-mail, the
//! notes, whichever value it is. Words in quotation marks stay together and occur in one value. Words that follow each
//! other and look like a phone number are one number: it is found however it is written.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::contact::{Card, Subject};

/// Fewer digits than this are no phone number; they are looked for as text only.
const PHONE_DIGITS_MIN: usize = 3;

/// The revision of [`SearchText`]; raised when a contact can be found by something else than before, so that stores know
/// that what they remember of it is old.
pub const REVISION: u32 = 1;

/// What a contact can be found by, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText {
    /// Every value, one per line.
    pub text: String,
    /// The digits of each phone, one phone per line.
    pub phone_digits: String,
}

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    terms: Vec<Term>,
}

/// One of the things that have to occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A word, or words that stay together, folded.
    Text(String),
    /// What looks like a phone number.
    Number {
        /// Its digits without leading zeros, for phones.
        digits: String,
        /// The words that it is made of, which may also occur as text, folded.
        words: Vec<String>,
    },
}

impl SearchText {
    /// What a contact with this card can be found by.
    pub fn of(card: &Card) -> Self {
        let lines: Vec<String> = values(card).into_iter().map(|value| fold(&value)).collect();
        let phone_digits: Vec<String> = card.phones.iter().map(|phone| digits(&phone.value)).collect();
        SearchText { text: lines.join("\n"), phone_digits: phone_digits.join("\n") }
    }
}

/// Every value that a contact can be found by, as it is written. This is the place for more: what is added here is found
/// everywhere, once [`REVISION`] is raised.
fn values(card: &Card) -> Vec<String> {
    let mut values = Vec::new();
    match &card.subject {
        Subject::Person(person) => {
            values.extend(person.name.full());
            values.extend(person.nicknames.iter().cloned());
            values.extend(person.organization.as_ref().map(|organization| organization.name.clone()));
        }
        Subject::Organization(organization) => values.push(organization.name.clone()),
    }
    values.extend(card.emails.iter().map(|email| email.value.clone()));
    values.extend(card.phones.iter().map(|phone| phone.value.clone()));
    values.extend(card.notes.clone());
    values.extend(card.custom.values().cloned());
    values
}

impl Search {
    /// What a search for `text` looks for. Nothing but blanks finds everything.
    pub fn new(text: &str) -> Self {
        let mut terms = Vec::new();
        let mut number: Vec<String> = Vec::new();
        for piece in pieces(text) {
            match piece {
                Piece::Word(word) if looks_like_number(&word) => number.push(word),
                Piece::Word(word) => {
                    end_number(&mut number, &mut terms);
                    terms.push(Term::Text(word));
                }
                Piece::Phrase(phrase) => {
                    end_number(&mut number, &mut terms);
                    terms.push(term_of_phrase(phrase));
                }
            }
        }
        end_number(&mut number, &mut terms);
        Search { terms }
    }

    /// What finds only what all of these find.
    pub fn of_all(searches: impl IntoIterator<Item = Search>) -> Self {
        Search { terms: searches.into_iter().flat_map(|search| search.terms).collect() }
    }

    /// The things that have to occur, all of them.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether a contact that can be found by `text` is one of those looked for.
    pub fn finds(&self, text: &SearchText) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Text(word) => text.text.contains(word),
            Term::Number { digits, words } => {
                text.phone_digits.contains(digits) || words.iter().all(|word| text.text.contains(word))
            }
        })
    }
}

/// A part of what was typed, folded and not empty.
enum Piece {
    Word(String),
    Phrase(String),
}

/// Splits at blanks and quotation marks. A mark that nothing closes, and one inside a word, is a sign like any other.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some((phrase, after)) = rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            pieces.push(Piece::Phrase(fold(phrase)));
            rest = after.trim_start();
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        pieces.push(Piece::Word(fold(&rest[..end])));
        rest = rest[end..].trim_start();
    }
    pieces.retain(|piece| matches!(piece, Piece::Word(text) | Piece::Phrase(text) if !text.is_empty()));
    pieces
}

/// Makes the words that look like parts of a number one number, or words again when they are too short for one.
fn end_number(number: &mut Vec<String>, terms: &mut Vec<Term>) {
    let words = std::mem::take(number);
    match significant_digits(&words.concat()) {
        // Signs between the digits need not occur as text.
        Some(digits) => {
            let words = words.into_iter().filter(|word| word.contains(|c: char| c.is_ascii_digit())).collect();
            terms.push(Term::Number { digits, words });
        }
        None => terms.extend(words.into_iter().map(Term::Text)),
    }
}

fn term_of_phrase(phrase: String) -> Term {
    match significant_digits(&phrase).filter(|_| looks_like_number(&phrase)) {
        Some(digits) => Term::Number { digits, words: vec![phrase] },
        None => Term::Text(phrase),
    }
}

/// Whether `text` looks like a part of a phone number and occurs in `phone`, however both are written.
pub(super) fn number_occurs(text: &str, phone: &str) -> bool {
    let folded = fold(text);
    looks_like_number(&folded) && significant_digits(&folded).is_some_and(|number| digits(phone).contains(&number))
}

fn looks_like_number(folded: &str) -> bool {
    folded.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '(' | ')' | '/' | '.'))
}

/// The digits by which a phone is looked for. A trunk prefix (`030 …`) and an exit code (`0049 …`) are no part of the
/// international number.
fn significant_digits(text: &str) -> Option<String> {
    let digits = digits(text);
    let significant = digits.trim_start_matches('0');
    (digits.len() >= PHONE_DIGITS_MIN && !significant.is_empty()).then(|| significant.to_owned())
}

/// The text by which lists in the order of names are sorted: family name, then given name; whoever has no name of that
/// kind stands where the name shown for them belongs.
pub fn sort_key(card: &Card) -> String {
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
pub fn owner_key(owner: &str) -> String {
    owner.to_ascii_lowercase()
}

/// A text as it is compared.
pub fn fold(text: &str) -> String {
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
    use crate::domain::contact::{OrganizationRef, Phone};
    use crate::domain::name::Name;

    fn person(name: &str, phone: &str) -> Card {
        let mut card = Card::person();
        card.as_person_mut().expect("a person").name = Name::split(name);
        card.phones.push(Phone { value: phone.into(), label: None, primary: false });
        card
    }

    #[track_caller]
    fn finds(card: &Card, texts: &[&str]) {
        for text in texts {
            assert!(
                Search::new(text).finds(&SearchText::of(card)),
                "{text} finds nothing in {:?}",
                SearchText::of(card)
            );
        }
    }

    #[track_caller]
    fn finds_not(card: &Card, texts: &[&str]) {
        for text in texts {
            assert!(!Search::new(text).finds(&SearchText::of(card)), "{text} finds {:?}", SearchText::of(card));
        }
    }

    #[test]
    fn case_and_accents_do_not_matter() {
        let card = person("Łukasz Groß-Müller", "+49 30 1234567");
        finds(&card, &["lukasz", "GROSS", "groß", "müller", "  MULLER ", "Mu\u{308}ller"]);
        finds_not(&card, &["miller"]);
    }

    #[test]
    fn digits_find_phones_however_they_are_written() {
        let card = person("Ada King", "+49 (30) 123-4567");
        finds(&card, &["+49 30 1234567", "0049301234567", "030/1234567", "030 / 1234567", "123 45", "4567"]);
        finds_not(&card, &["030 7654321", "01", "ext 1234567"]);
    }

    #[test]
    fn every_word_occurs_in_any_value_and_a_phrase_in_one() {
        let mut card = person("Ada King", "+49 30 1234567");
        card.notes = Some("likes 100% cotton\nsince 2019".into());
        finds(
            &card,
            &["king ada", "ada cotton", "king 030 1234567", "\"ada king\" likes", "1234567 ada", "2019 cotton"],
        );
        finds(&card, &["\"cotton since\"", "\"30 1234567\"", ""]);
        finds_not(&card, &["ada linen", "\"king ada\"", "\"ada likes\"", "ada 7654321"]);
    }

    #[test]
    fn a_mark_that_nothing_closes_is_a_sign() {
        let mut card = person("Ada \"Countess\" King", "1");
        card.notes = Some("a 5\" pipe".into());
        finds(&card, &["5\"", "\"countess", "countess\" king", "5\" pipe"]);
        finds_not(&card, &["\"pipe"]);
    }

    #[test]
    fn a_contact_is_found_by_names_organization_notes_and_custom_values() {
        let mut card = person("Ada King", "1");
        let ada = card.as_person_mut().expect("a person");
        ada.nicknames.push("Countess".into());
        ada.organization = Some(OrganizationRef { id: None, name: "Müller & Söhne".into() });
        card.custom.insert("Price list".into(), "Retail".into());
        finds(&card, &["countess", "sohne", "retail", "ada muller retail"]);
        finds_not(&card, &["price"]);
    }

    #[test]
    fn names_sort_by_family_then_given() {
        let mut names =
            ["Ada Smithe", "Zoe Smith", "Éva Smith", "Plato", ""].map(|name| sort_key(&person(name, "555")));
        names.sort();
        assert_eq!(names, ["555", "plato", "smith\neva", "smith\nzoe", "smithe\nada"]);
    }
}
