//! Names that are the same or nearly so, and the blocks in which contacts with such names meet.
//!
//! Two names are nearly the same when their words are, in whatever order, but for one that a slip of the pen or a pet name
//! makes another one. So they have all other words in common, and what is left over differs by few letters: every name is
//! put under each of its words together with what the rest becomes when a letter is left out, and with how the rest begins
//! and ends. Who is nearly the same meets there, and few others do.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::domain::contact::{Card, Kind};
use crate::domain::normal;

/// A block with more contacts than this tells nothing: too many bear the name.
pub(super) const BLOCK_MAX: usize = 60;
/// How many letters of a name may be beside another one's, for a pet name: Alex, Alexander.
const PREFIX_MIN: usize = 3;
/// How many letters at the end of a long word bring two of them together.
const ENDING: usize = 4;
/// From how many letters on a word may differ in two.
const LONG: usize = 7;
/// More words than this are a sentence.
const WORDS_MAX: usize = 6;
/// What tells of an organization's legal form only.
const LEGAL_FORMS: [&str; 41] = [
    "ab",
    "ag",
    "and",
    "as",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "ek",
    "ev",
    "gbr",
    "gmbh",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "kgaa",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "mbh",
    "nv",
    "o",
    "ohg",
    "oo",
    "oy",
    "plc",
    "pty",
    "sa",
    "sarl",
    "se",
    "sl",
    "sp",
    "spa",
    "srl",
    "ug",
    "und",
    "z",
];

/// How two names are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    Near,
}

/// The name of a contact, as it is compared here.
pub(super) struct Names {
    kind: Kind,
    whole: Option<String>,
    /// The words, folded, in the order of the alphabet; of an organization without its legal form.
    words: Vec<String>,
    /// The words as they follow each other, without anything between them.
    joined: String,
}

impl Names {
    pub(super) fn of(card: &Card) -> Self {
        let whole = normal::name_key(card);
        let mut words: Vec<String> = match card.as_person() {
            Some(person) => {
                let parts = [&person.name.given, &person.name.middle, &person.name.family].into_iter().flatten();
                parts.flat_map(|part| split(&normal::fold(part))).collect()
            }
            None => whole.iter().flat_map(|name| split(name)).collect(),
        };
        if card.kind() == Kind::Organization {
            words.retain(|word| !LEGAL_FORMS.contains(&word.as_str()));
        }
        let joined = words.concat();
        words.sort();
        Names { kind: card.kind(), whole, words, joined }
    }

    /// Whether two names are the same, or nearly so. A name of one word says too little of a person, and a legal form says
    /// nothing of an organization.
    pub(super) fn like(&self, other: &Names) -> Option<Likeness> {
        let (ours, theirs) = (self.whole.as_ref()?, other.whole.as_ref()?);
        let least = if self.kind == Kind::Person { 2 } else { 1 };
        if self.words.len() < least || other.words.len() < least {
            return None;
        }
        if ours == theirs {
            return Some(Likeness::Same);
        }
        let is_near = self.words == other.words
            || self.joined == other.joined
            || differ_in_one_word(&self.words, &other.words, self.kind);
        is_near.then_some(Likeness::Near)
    }

    /// Whether the names have the same words, so that what tells them apart stands beside them: a title, a junior.
    pub(super) fn same_words(&self, other: &Names) -> bool {
        self.words == other.words
    }

    /// Whether both are named, and not one word is the same.
    pub(super) fn contradict(&self, other: &Names) -> bool {
        let share = self.words.iter().any(|word| other.words.contains(word));
        !self.words.is_empty() && !other.words.is_empty() && !share
    }

    /// The blocks that the name belongs into.
    fn blocks(&self) -> BTreeSet<u64> {
        let mut blocks = BTreeSet::new();
        if self.words.is_empty() || self.words.len() > WORDS_MAX {
            return blocks;
        }
        blocks.extend([hashed("", &self.words.concat()), hashed("", &self.joined)]);
        for place in 0..self.words.len() {
            let mut rest = self.words.clone();
            let word = rest.remove(place);
            if rest.is_empty() {
                // One word alone: an organization's.
                blocks.extend(slips(&word).into_iter().map(|slip| hashed("|", &slip)));
                continue;
            }
            let rest = rest.concat();
            blocks.extend(slips(&rest).into_iter().map(|slip| hashed(&word, &slip)));
            for other in self.words.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, other)| other) {
                let letters: Vec<char> = other.chars().collect();
                let beginning: String = letters.iter().take(PREFIX_MIN).collect();
                blocks.insert(hashed(&word, &format!("{beginning}-")));
                if letters.len() >= LONG {
                    let ending: String = letters.iter().rev().take(ENDING).rev().collect();
                    blocks.insert(hashed(&word, &format!("-{ending}")));
                }
            }
        }
        blocks
    }
}

/// The groups of names that meet in a block, by their places.
pub(super) fn blocks<'n>(names: impl Iterator<Item = &'n Names>) -> Vec<Vec<usize>> {
    let mut placed: Vec<(u64, usize)> = Vec::new();
    for (place, name) in names.enumerate() {
        placed.extend(name.blocks().into_iter().map(|block| (block, place)));
    }
    placed.sort_unstable();
    let groups = placed.chunk_by(|one, other| one.0 == other.0);
    let groups = groups.filter(|group| (2..=BLOCK_MAX).contains(&group.len()));
    groups.map(|group| group.iter().map(|(_, place)| *place).collect()).collect()
}

fn hashed(word: &str, rest: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (word, rest).hash(&mut hasher);
    hasher.finish()
}

/// A text, and the same with each of its letters left out.
fn slips(text: &str) -> Vec<String> {
    let mut slips = vec![text.to_owned()];
    for (place, letter) in text.char_indices() {
        let (before, after) = (text.get(..place), text.get(place + letter.len_utf8()..));
        slips.push(format!("{}{}", before.unwrap_or_default(), after.unwrap_or_default()));
    }
    slips
}

fn split(folded: &str) -> Vec<String> {
    // `o.o.` and `e.V.` are words of single letters here, as they are with blanks.
    let words = folded.split(|c: char| !c.is_alphanumeric() && !unicode_normalization::char::is_combining_mark(c));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// All words but one are the same, and the two that are left differ by a slip of the pen, or one is short for the other. A
/// slip in two words is another name: Jan Kowalski, Jana Kowalska.
fn differ_in_one_word(one: &[String], other: &[String], kind: Kind) -> bool {
    let left = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|word| !those.contains(word)).cloned().collect()
    };
    let (ours, theirs) = (left(one, other), left(other, one));
    let ([ours], [theirs]) = (ours.as_slice(), theirs.as_slice()) else { return false };
    if [ours, theirs].into_iter().any(|word| word.chars().any(char::is_numeric)) {
        // Branches are numbered; another number is another one.
        return false;
    }
    let letters = |word: &str| word.chars().count();
    let (short, long) = if letters(ours) < letters(theirs) { (ours, theirs) } else { (theirs, ours) };
    let is_pet_name = letters(short) >= PREFIX_MIN && long.starts_with(short.as_str());
    let allowed = if letters(short) < LONG { 1 } else { 2 };
    kind == Kind::Person && is_pet_name
        || letters(short) >= PREFIX_MIN && strsim::damerau_levenshtein(ours, theirs) <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name::Name;

    fn person(full: &str) -> Names {
        let mut card = Card::person();
        if let Some(person) = card.as_person_mut() {
            person.name = Name::split(full);
        }
        Names::of(&card)
    }

    #[test]
    fn whoever_is_nearly_the_same_meets_in_a_block() {
        for (one, other) in [
            ("Katarzyna Nowak", "Katarzyna Novak"),
            ("Katarzyna Nowak", "Katarzina Nowak"),
            ("Konstantin Weiss", "Constantin Weiss"),
            ("Katarzyna Weiss", "Catharzyna Weiss"),
            ("Grace Hopper", "Hopper Grace"),
            ("Ada Augusta King", "Augusta Ada Kign"),
            ("Anna Maria Berg", "Annamaria Berg"),
            ("Alexander Berg", "Alex Berg"),
            ("J\u{f6}rg M\u{fc}ller", "Jorg Mueller"),
        ] {
            let names = [person(one), person(other)];
            assert_eq!(names[0].like(&names[1]), Some(Likeness::Near), "{one}, {other}");
            assert!(blocks(names.iter()).contains(&vec![0, 1]), "{one}, {other}");
        }
    }

    #[test]
    fn another_number_is_another_branch() {
        let branch = |number: u32| Names::of(&Card::organization(format!("Branch {number}")));
        assert_eq!(branch(1123).like(&branch(1124)), None);
        assert_eq!(branch(1123).like(&branch(1123)), Some(Likeness::Same));
    }

    // Twenty thousand people with names that repeat as they do in life: a few are very common, most are rare.
    #[test]
    fn large_books_are_compared_in_small_blocks() {
        let mut state = 7_u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let syllables =
            ["ka", "lo", "mi", "ren", "tas", "bu", "ve", "dor", "fin", "gal", "hu", "jes", "no", "pir", "sam"];
        let mut word = |common: u64| {
            let rank = draw(common).min(draw(common));
            let syllable = |place: u64| syllables[usize::try_from(place % 15).expect("small")];
            format!("{}{}{}", syllable(rank), syllable(rank / 15), syllable(rank / 225))
        };
        let names: Vec<Names> = (0..20_000).map(|_| person(&format!("{} {}", word(600), word(3_000)))).collect();
        let groups = blocks(names.iter());
        let looks: usize = groups.iter().map(|group| group.len() * (group.len() - 1) / 2).sum();
        assert!(looks > 0 && looks < names.len() * 200, "{looks}");
    }
}
