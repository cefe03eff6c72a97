//! Headings whose accents were lost before we saw them: `Stra<U+FFFD>e gesch<U+FFFD>ftlich`.
//!
//! Each mark stands for one letter that was, or two where the spelling without accents has two (`ß`, `ss`). A heading
//! is read only if everything it can stand for means the same.

use super::super::target::Target;
use super::spelling;
use super::{known, words};

const MARK: char = '\u{fffd}';

/// Reads a heading with marks in it; `None` when it has none, or when it is ambiguous.
pub(super) fn target(heading: &str) -> Option<Target> {
    if !heading.contains(MARK) {
        return None;
    }
    let pattern = spelling::key(heading);
    let mut whole = known::all().filter(|(key, _)| stands_for(&pattern, key)).map(|(_, target)| target);
    if let Some(first) = whole.next() {
        return whole.all(|other| other == first).then(|| first.clone());
    }
    let meanings: Option<Vec<words::Word>> = spelling::words(heading).iter().map(|word| meaning(word)).collect();
    words::combined(&meanings?)
}

fn meaning(word: &str) -> Option<words::Word> {
    if let Ok(ordinal) = word.parse() {
        return Some(words::Word::Ordinal(ordinal));
    }
    let mut meanings = words::vocabulary().filter(|(known, _)| stands_for(word, known)).map(|(_, meaning)| meaning);
    let first = meanings.next()?;
    meanings.all(|other| other == first).then_some(first)
}

/// Whether `pattern`, where each mark is one or two letters, can be `word`.
fn stands_for(pattern: &str, word: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let word: Vec<char> = word.chars().collect();
    // A heading that is mostly marks stands for anything.
    let marks = pattern.iter().filter(|&&c| c == MARK).count();
    marks * 3 <= pattern.len() && matches(&pattern, &word)
}

/// Walks the pattern with the set of all places in the word where it can stand.
fn matches(pattern: &[char], word: &[char]) -> bool {
    let mut places = vec![0_usize];
    for &c in pattern {
        let mut next: Vec<usize> = Vec::new();
        for &at in &places {
            if c == MARK {
                next.extend([at + 1, at + 2].into_iter().filter(|&end| end <= word.len()));
            } else if word.get(at) == Some(&c) {
                next.push(at + 1);
            }
        }
        next.sort_unstable();
        next.dedup();
        places = next;
    }
    places.contains(&word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_accents_are_no_obstacle_where_one_reading_is_left() {
        for (heading, expected) in [
            ("Stra\u{fffd}e gesch\u{fffd}ftlich", Some("address.work.street")),
            ("Stra\u{fffd}e privat 2", Some("address.home.street_2")),
            ("Telefon gesch\u{fffd}ftlich", Some("phone.work")),
            ("R\u{fffd}ckmeldung", Some("phone.callback")),
            ("Imi\u{fffd}", Some("name.given")),
            ("\u{fffd}\u{fffd}\u{fffd}", None),
            ("\u{fffd}ort", None),
            ("Vorname", None),
        ] {
            assert_eq!(target(heading).map(|target| target.to_string()).as_deref(), expected, "{heading}");
        }
    }
}
