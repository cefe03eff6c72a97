//! Headings as they are compared: `E-Mail-Adresse`, `email_adresse` and `EmailAdresse` are one.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A heading without case, accents, blanks and punctuation. The mark of damaged text, U+FFFD, stays.
pub(in crate::formats) fn key(heading: &str) -> String {
    fold(heading).chars().filter(|&c| is_part_of_word(c)).collect()
}

/// The words of a heading, folded; `BusinessPhone2` has three.
pub(super) fn words(heading: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before: Option<char> = None;
    for c in heading.chars() {
        let starts_anew = before.is_some_and(|before| {
            (before.is_lowercase() && c.is_uppercase())
                || (before.is_alphabetic() && c.is_ascii_digit())
                || (before.is_ascii_digit() && c.is_alphabetic())
        });
        if (starts_anew || !is_part_of_word(c)) && !word.is_empty() {
            words.push(fold(&std::mem::take(&mut word)));
        }
        if is_part_of_word(c) {
            word.push(c);
        }
        before = Some(c);
    }
    if !word.is_empty() {
        words.push(fold(&word));
    }
    words
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '\u{fffd}'
}

/// Lower case without accents; letters that Unicode does not take apart are spelled as people without them do.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'ł' => folded.push('l'),
            'ø' => folded.push('o'),
            'æ' => folded.push_str("ae"),
            c => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_heading_are_equal() {
        for heading in ["E-Mail-Adresse", "email_adresse", "EmailAdresse", " E-mail adresse* "] {
            assert_eq!(key(heading), "emailadresse", "{heading}");
        }
        assert_eq!(key("Straße geschäftlich"), "strassegeschaftlich");
        assert_eq!(key("Główny"), "glowny");
    }

    #[test]
    fn words_end_at_blanks_capitals_and_digits() {
        assert_eq!(words("BusinessPhone2"), ["business", "phone", "2"]);
        assert_eq!(words("tel_cell_private"), ["tel", "cell", "private"]);
        assert_eq!(words("ZIP/Postal code"), ["zip", "postal", "code"]);
    }
}
