//! Finding the twin of a contact that was never linked.
//!
//! Likeness is the last evidence, asked only where no link and no mark of ours says who a record is. What two contacts
//! share is found by keys, which the store keeps in an index; [`judge`] then weighs the candidates that share one. Empty
//! equals nothing, a name alone proves nothing, and where two would do, a person is asked.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::contact::{Card, Kind, Person};
use super::dialling::{self, HomeRegion};
use super::normal;

/// One thing by which a contact can be recognized. Written `email:…`, `phone:…`, `name:…|…`,
/// `organization:…` and `person:…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchKey {
    /// An e-mail address ([`normal::email_key`]).
    Email(String),
    /// A phone number ([`dialling::number_key`]) that is E.164 or has at least seven digits.
    Phone(String),
    /// A person's name and the name of the organization, folded, with `|` between them.
    NameAtOrganization(String),
    /// The folded name of an organization.
    OrganizationName(String),
    /// The folded full name of a person. It is no evidence, only a way to find a contact that has nothing else.
    PersonName(String),
}

/// The text is not a match key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a match key")]
pub struct ParseMatchKeyError {
    text: String,
}

impl fmt::Display for MatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MatchKey::Email(key) => write!(f, "email:{key}"),
            MatchKey::Phone(key) => write!(f, "phone:{key}"),
            MatchKey::NameAtOrganization(key) => write!(f, "name:{key}"),
            MatchKey::OrganizationName(key) => write!(f, "organization:{key}"),
            MatchKey::PersonName(key) => write!(f, "person:{key}"),
        }
    }
}

impl FromStr for MatchKey {
    type Err = ParseMatchKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = match text.split_once(':') {
            Some((_, "")) | None => None,
            Some(("email", key)) => Some(MatchKey::Email(key.to_owned())),
            Some(("phone", key)) => Some(MatchKey::Phone(key.to_owned())),
            Some(("name", key)) => Some(MatchKey::NameAtOrganization(key.to_owned())),
            Some(("organization", key)) => Some(MatchKey::OrganizationName(key.to_owned())),
            Some(("person", key)) => Some(MatchKey::PersonName(key.to_owned())),
            Some(_) => None,
        };
        key.ok_or_else(|| ParseMatchKeyError { text: text.to_owned() })
    }
}

/// A contact as it is compared with others.
#[derive(Debug, Clone)]
pub struct Face<'c> {
    card: &'c Card,
    /// What it can be recognized by. What is empty yields no key.
    keys: BTreeSet<MatchKey>,
}

impl<'c> Face<'c> {
    /// The face of a contact, with its phone numbers read in the home region.
    pub fn of(card: &'c Card, home: Option<HomeRegion>) -> Self {
        Face { card, keys: keys(card, home) }
    }

    /// The same with numbers that the remote takes its phones for.
    #[must_use]
    pub fn told<'n>(mut self, numbers: impl IntoIterator<Item = &'n String>) -> Self {
        let keys = numbers.into_iter().map(|number| dialling::number_key(number, None));
        self.keys.extend(keys.filter(|key| normal::phone_number(key)).map(MatchKey::Phone));
        self
    }

    /// Which kind of contact it is.
    pub fn kind(&self) -> Kind {
        self.card.kind()
    }

    /// What it can be recognized by.
    pub fn keys(&self) -> &BTreeSet<MatchKey> {
        &self.keys
    }

    /// What an index of [`index_keys`] is to be asked for, to find everybody with a key in common.
    pub fn search_keys(&self, home: Option<HomeRegion>) -> BTreeSet<MatchKey> {
        let spelled = |key: &MatchKey| match key {
            MatchKey::Phone(number) => dialling::spellings(number, home).into_iter().map(MatchKey::Phone).collect(),
            other => vec![other.clone()],
        };
        self.keys.iter().flat_map(spelled).collect()
    }
}

/// Everything by which the contact can be found in an index: what it can be recognized by, and a person's name. It
/// follows from the card alone; see [`Face::search_keys`].
pub fn index_keys(card: &Card) -> BTreeSet<MatchKey> {
    let mut keys = keys(card, None);
    if card.kind() == Kind::Person {
        keys.extend(normal::name_key(card).map(MatchKey::PersonName));
    }
    keys
}

fn keys(card: &Card, home: Option<HomeRegion>) -> BTreeSet<MatchKey> {
    let emails = card.emails.iter().map(|email| normal::email_key(&email.value)).filter(|key| !key.is_empty());
    let phones = card.phones.iter().map(|phone| dialling::number_key(&phone.value, home));
    emails
        .map(MatchKey::Email)
        .chain(phones.filter(|key| normal::phone_number(key)).map(MatchKey::Phone))
        .chain(name_evidence(card))
        .collect()
}

fn name_evidence(card: &Card) -> Option<MatchKey> {
    let name = normal::name_key(card)?;
    let Some(person) = card.as_person() else { return Some(MatchKey::OrganizationName(name)) };
    let organization = normal::fold(&person.organization.as_ref()?.name);
    let [name, organization] = [name, organization].map(|part| normal::fold(&part.replace('|', " ")));
    (!name.is_empty() && !organization.is_empty())
        .then(|| MatchKey::NameAtOrganization(format!("{name}|{organization}")))
}

/// Whether one of the candidates is the contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<I> {
    /// This one is it.
    Twin {
        /// The candidate.
        id: I,
        /// What both have in common, in order.
        evidence: Vec<MatchKey>,
    },
    /// Several could be it; a person decides.
    Doubtful {
        /// The candidates, each with what it has in common with the contact, in order.
        candidates: Vec<(I, Vec<MatchKey>)>,
        /// Why it cannot be decided.
        reason: Doubt,
    },
    /// None of them.
    Alone,
}

/// Why a person has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Several candidates share the same evidence: they may be doubled contacts, or people behind one phone.
    SharedEvidence,
    /// Each piece of evidence points at another candidate.
    SplitEvidence,
    /// The only candidates share an e-mail or a phone and were born on other days: one of both is wrong.
    AnotherBirthday,
    /// The only candidates share an e-mail or a phone and a family name, and have other given names: a nickname, or another
    /// one of the family.
    AnotherGivenName,
}

/// What speaks for it that two contacts are the same, and what against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What both have in common, in order.
    pub evidence: Vec<MatchKey>,
    /// What rules it out.
    pub against: Option<Objection>,
}

/// Why two contacts are not the same although they have something in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// One is a person, the other an organization.
    AnotherKind,
    /// Both are named in full, and not one word of the names is the same; of organizations that share a phone only, the
    /// names differ.
    AnotherName,
    /// They have a word of their names in common, but not the given name; or one is the junior of the other.
    AnotherGivenName,
    /// They were born on different days.
    AnotherBirthday,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Objection::AnotherKind => "one is a person, the other an organization",
            Objection::AnotherName => "another name",
            Objection::AnotherGivenName => "another given name",
            Objection::AnotherBirthday => "another birthday",
        })
    }
}

/// Compares two contacts.
pub fn compare(one: &Face<'_>, other: &Face<'_>) -> Comparison {
    let evidence: Vec<MatchKey> = one.keys.intersection(&other.keys).cloned().collect();
    let against = objection(one.card, other.card, &evidence);
    Comparison { evidence, against }
}

/// Weighs candidates that share at least one key with the contact. The order of the candidates does not matter.
///
/// Evidence is an e-mail, a phone, or a name at an organization in common; among organizations the name suffices. A
/// candidate is ruled out by another birthday, by a name without a word in common, and, among organizations, by another
/// name when only a phone is shared. Exactly one that remains is the twin; of several the one that has in common whatever
/// any other has, and more: people of one name at one firm, or behind one switchboard, are told apart by the rest. It is not
/// taken when it bears another name and one of the others the very same. Where none remains, but one was ruled out by
/// nothing but its birthday or its given name although it has the e-mail or phone, a person decides: a day is easily
/// mistyped, and a given name may be a nickname, or that of another one of the family.
pub fn judge<I: Clone + Ord>(face: &Face<'_>, candidates: &[(I, Face<'_>)]) -> Verdict<I> {
    // Who shares more than another one and bears another name is not simply taken where that one bears the same.
    let own_name = normal::name_key(face.card);
    let namesakes: BTreeSet<I> = candidates
        .iter()
        .filter(|(_, candidate)| own_name.is_some() && normal::name_key(candidate.card) == own_name)
        .map(|(id, _)| id.clone())
        .collect();
    let mut candidates: Vec<(I, Comparison)> =
        candidates.iter().map(|(id, candidate)| (id.clone(), compare(face, candidate))).collect();
    candidates.retain(|(_, comparison)| !comparison.evidence.is_empty());
    let with = |wanted: &dyn Fn(&Comparison) -> bool| {
        let these = candidates.iter().filter(|(_, comparison)| wanted(comparison));
        let mut these: Vec<(I, Vec<MatchKey>)> =
            these.map(|(id, comparison)| (id.clone(), comparison.evidence.clone())).collect();
        these.sort();
        these.dedup();
        these
    };
    let left = with(&|comparison| comparison.against.is_none());
    match left.as_slice() {
        [] => {
            let asked = |why: Objection| move |comparison: &Comparison| may_be_all_the_same(comparison, why);
            let [born_else, called_else] =
                [Objection::AnotherBirthday, Objection::AnotherGivenName].map(|why| with(&asked(why)));
            match (born_else.is_empty(), called_else.is_empty()) {
                (true, true) => Verdict::Alone,
                (false, _) => Verdict::Doubtful { candidates: born_else, reason: Doubt::AnotherBirthday },
                (true, false) => Verdict::Doubtful { candidates: called_else, reason: Doubt::AnotherGivenName },
            }
        }
        [(id, evidence)] => Verdict::Twin { id: id.clone(), evidence: evidence.clone() },
        several => match best(several) {
            Some((id, evidence)) if namesakes.contains(id) || !several.iter().any(|(id, _)| namesakes.contains(id)) => {
                Verdict::Twin { id: id.clone(), evidence: evidence.clone() }
            }
            _ => Verdict::Doubtful { reason: doubt(several), candidates: left },
        },
    }
}

/// The candidate whose evidence holds that of every other one, and more.
fn best<I: PartialEq>(candidates: &[(I, Vec<MatchKey>)]) -> Option<&(I, Vec<MatchKey>)> {
    let best = candidates.iter().max_by_key(|(_, evidence)| evidence.len())?;
    let is_more = |other: &(I, Vec<MatchKey>)| {
        other.0 == best.0 || other.1.len() < best.1.len() && other.1.iter().all(|key| best.1.contains(key))
    };
    candidates.iter().all(is_more).then_some(best)
}

/// Whether nothing but this speaks against an e-mail or a phone in common.
fn may_be_all_the_same(comparison: &Comparison, why: Objection) -> bool {
    comparison.against == Some(why)
        && comparison.evidence.iter().any(|key| matches!(key, MatchKey::Email(_) | MatchKey::Phone(_)))
}

fn doubt<I>(candidates: &[(I, Vec<MatchKey>)]) -> Doubt {
    let mut seen = BTreeSet::new();
    let disjoint = candidates.iter().flat_map(|(_, evidence)| evidence).all(|key| seen.insert(key));
    if disjoint { Doubt::SplitEvidence } else { Doubt::SharedEvidence }
}

fn objection(one: &Card, other: &Card, evidence: &[MatchKey]) -> Option<Objection> {
    if one.kind() != other.kind() {
        return Some(Objection::AnotherKind);
    }
    let by_phone_only = evidence.iter().all(|key| matches!(key, MatchKey::Phone(_)));
    let are_named_apart = match one.kind() {
        Kind::Person => have_contradictory_names(one, other),
        Kind::Organization => by_phone_only && have_different_names(one, other),
    };
    if are_named_apart {
        return Some(Objection::AnotherName);
    }
    if have_different_birthdays(one, other) {
        return Some(Objection::AnotherBirthday);
    }
    have_different_given_names(one, other).then_some(Objection::AnotherGivenName)
}

fn have_different_birthdays(card: &Card, candidate: &Card) -> bool {
    let birthday = |card: &Card| card.as_person().and_then(|person| person.birthday);
    let (Some(one), Some(other)) = (birthday(card), birthday(candidate)) else { return false };
    let years = one.year().zip(other.year());
    (one.month(), one.day()) != (other.month(), other.day()) || years.is_some_and(|(one, other)| one != other)
}

/// Both are named in full, and not one word of the names is the same.
fn have_contradictory_names(card: &Card, candidate: &Card) -> bool {
    let (one, other) = (name_words(card), name_words(candidate));
    one.len() >= 2 && other.len() >= 2 && one.is_disjoint(&other)
}

/// What tells those of one name in a family from each other, as it is spelled.
const GENERATIONS: [(&str, &str); 9] = [
    ("jr", "junior"),
    ("jun", "junior"),
    ("junior", "junior"),
    ("sr", "senior"),
    ("sen", "senior"),
    ("senior", "senior"),
    ("ii", "second"),
    ("iii", "third"),
    ("iv", "fourth"),
];

/// Both are named in full and share a word of their names, but the given names contradict each other; or only one of them is
/// a junior or a senior.
fn have_different_given_names(card: &Card, candidate: &Card) -> bool {
    let (Some(one), Some(other)) = (card.as_person(), candidate.as_person()) else { return false };
    let (ones, others) = (name_words(card), name_words(candidate));
    if ones.len() < 2 || others.len() < 2 {
        return false;
    }
    if generation(one) != generation(other) {
        return true;
    }
    // One may have everything in one part, or the parts the other way round.
    ones != others && contradict(&given_names(one, other), &given_names(other, one))
}

fn generation(person: &Person) -> BTreeSet<&'static str> {
    let whole = ordered_words(person.name.family.as_ref());
    // Behind other names; by itself it is the family's name.
    let is_behind = whole.len() > 1 || person.name.middle.is_some();
    let family = whole.into_iter().filter(|_| is_behind);
    let named = |word: String| GENERATIONS.iter().find(|(spelled, _)| *spelled == word).map(|(_, meant)| *meant);
    words([&person.name.suffix]).into_iter().chain(family).filter_map(named).collect()
}

/// The given names in their order; of somebody whose names are all in one part, those that are not the other's family name.
fn given_names(person: &Person, other: &Person) -> Vec<String> {
    let mut given = [&person.name.given, &person.name.middle].into_iter().flat_map(|part| ordered_words(part.as_ref()));
    if person.name.family.is_some() {
        return given.collect();
    }
    let family = words([&other.name.family]);
    given.by_ref().filter(|word| !family.contains(word)).collect()
}

/// Whether not every one of the fewer names is among the others. An initial stands for every name that begins with it and
/// has the same place.
fn contradict(one: &[String], other: &[String]) -> bool {
    let (fewer, more) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let is_known = |(place, name): (usize, &String)| {
        more.contains(name) || more.get(place).is_some_and(|there| is_initial(name, there) || is_initial(there, name))
    };
    !fewer.iter().enumerate().all(is_known)
}

fn is_initial(short: &str, long: &str) -> bool {
    short.chars().count() == 1 && long.starts_with(short)
}

/// The words of a person's name without titles; `Müller-Lüdenscheidt` is two.
fn name_words(card: &Card) -> BTreeSet<String> {
    let Some(person) = card.as_person() else { return BTreeSet::new() };
    words([&person.name.given, &person.name.middle, &person.name.family])
}

/// The words of parts of a name.
fn words<const N: usize>(parts: [&Option<String>; N]) -> BTreeSet<String> {
    parts.into_iter().flat_map(|part| ordered_words(part.as_ref())).collect()
}

fn ordered_words(part: Option<&String>) -> Vec<String> {
    let folded = part.map(|part| normal::fold(part)).unwrap_or_default();
    let words = folded.split(|c: char| !c.is_alphanumeric() && !is_mark(c));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Signs that belong to the letter before them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn have_different_names(card: &Card, candidate: &Card) -> bool {
    normal::name_key(card).zip(normal::name_key(candidate)).is_some_and(|(one, other)| one != other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::contact::{Email, OrganizationRef, Phone};
    use crate::domain::generate::{card, config, respelled};
    use crate::domain::name::Name;

    /// Reads `name|organization|birthday|e-mail|phone`; parts may be empty or missing.
    fn person(words: &str) -> Card {
        let mut parts = words.split('|').map(str::to_owned).chain(std::iter::repeat_with(String::new));
        let mut next = || parts.next().unwrap_or_default();
        let mut card = Card::person();
        if let Some(person) = card.as_person_mut() {
            person.name = Name::split(&next());
            person.organization = Some(OrganizationRef { id: None, name: next() });
            person.birthday = next().parse().ok();
        }
        reachable(card, next(), next())
    }

    /// Reads `name|e-mail|phone` of an organization.
    fn organization(words: &str) -> Card {
        let mut parts = words.split('|').map(str::to_owned).chain(std::iter::repeat_with(String::new));
        let mut next = || parts.next().unwrap_or_default();
        reachable(Card::organization(next()), next(), next())
    }

    fn reachable(mut card: Card, email: String, phone: String) -> Card {
        card.emails.push(Email { value: email, label: None, primary: false });
        card.phones.push(Phone { value: phone, label: None, primary: false });
        card
    }

    fn face(card: &Card) -> Face<'_> {
        Face::of(card, None)
    }

    fn is_twin(card: &Card, candidate: &Card) -> bool {
        match judge(&face(card), &[(1, face(candidate))]) {
            Verdict::Twin { evidence, .. } => !evidence.is_empty(),
            Verdict::Doubtful { .. } | Verdict::Alone => false,
        }
    }

    /// Description, contact, candidate.
    const TWINS: [[&str; 3]; 16] = [
        ["an e-mail in another case", "Ada King|||ada@x.org", "Ada King|||ADA@X.org"],
        ["an e-mail, one name unknown", "|||ada@x.org", "Ada King|||ada@x.org"],
        ["an e-mail, married meanwhile", "Ada Byron|||ada@x.org", "Ada King|||ada@x.org"],
        ["an e-mail, only one word of a name", "Bob|||b@x.org", "Robert King|||b@x.org"],
        ["an e-mail, one given name more", "Ada King|||a@x.org", "Ada Augusta King|||a@x.org"],
        ["an e-mail, called by the second name", "Peter Lang|||p@x.org", "Hans Peter Lang|||p@x.org"],
        ["an e-mail, a middle initial", "Ada B. King|||a@x.org", "Ada King|||a@x.org"],
        ["an e-mail, junior spelled out", "Tom Bauer Jr.|||t@x.org", "Tom Bauer Junior|||t@x.org"],
        ["an e-mail, a family called Sen", "Amartya Sen|||a@x.org", "A. Sen|||a@x.org"],
        ["a phone in another spelling", "Ada King||||+49 30 1234567", "Ada King||||0049 (30) 1234567"],
        ["a phone at home", "Ada King||||030 1234567", "A. King||||(030) 123-45-67"],
        ["the name at an organization", "Jörg Weiß|Example GmbH", "JÖRG WEISS|example  gmbh"],
        ["the name at an organization, words in one part", "Ada King|X", "King, Ada|X"],
        ["the same birthday, one without its year", "Ada||--05-17|a@x.org", "Eda||1990-05-17|a@x.org"],
        ["half of a double name", "Eva Müller-Lee|||e@x.org", "Eva Lee|||e@x.org"],
        ["one organization unknown", "Ada King|||a@x.org", "Ada King|X||a@x.org"],
    ];

    /// Description, contact, candidate.
    const STRANGERS: [[&str; 3]; 11] = [
        ["a name alone", "Ada King", "Ada King"],
        ["a name at another organization", "Ada King|X", "Ada King|Y"],
        ["an organization without names", "|X", "|X"],
        ["nothing known of either", "", ""],
        ["an emergency number", "Ada King||||112", "Ada King||||112"],
        ["a text instead of a phone", "Ada King||||call me tomorrow", "Ada King||||call me tomorrow"],
        ["another extension", "Ada King||||+49301234567 x1", "Ada King||||+49301234567 x2"],
        ["the name at an organization and another birthday", "Ada King|X|1990-05-17", "Ada King|X|1991-05-17"],
        ["a phone and a name without a common word", "Ada King||||0301234567", "Bob Smith||||0301234567"],
        ["an e-mail and a name without a common word", "Ada King|||a@x.org", "Bob Smith|||a@x.org"],
        ["a title is no word of a name", "Dr. Ada King|||a@x.org", "Dr. Bob Smith|||a@x.org"],
    ];

    #[test]
    fn persons_with_common_evidence_are_twins() {
        for [description, one, other] in TWINS {
            assert!(is_twin(&person(one), &person(other)), "{description}");
            assert!(is_twin(&person(other), &person(one)), "{description}, the other way round");
        }
    }

    #[test]
    fn persons_without_evidence_or_with_contradictions_are_strangers() {
        for [description, one, other] in STRANGERS {
            assert!(!is_twin(&person(one), &person(other)), "{description}");
            assert!(!is_twin(&person(other), &person(one)), "{description}, the other way round");
        }
    }

    #[test]
    fn an_e_mail_or_phone_with_another_birthday_is_a_question() {
        for [one, other] in [
            ["Ada King||1990-05-17|a@x.org", "Ada King||1991-05-17|a@x.org"],
            ["Ada||--05-17|a@x.org", "Ada||1990-05-18|a@x.org"],
            ["Ada King||1990-05-17||0301234567", "Ada King||1990-07-15||0301234567"],
        ] {
            let (one, other) = (person(one), person(other));
            let verdict = judge(&face(&one), &[(1, face(&other))]);
            let Verdict::Doubtful { candidates, reason: Doubt::AnotherBirthday } = verdict else {
                panic!("{verdict:?}")
            };
            assert_eq!(candidates.len(), 1);
            assert_eq!(compare(&face(&one), &face(&other)).against, Some(Objection::AnotherBirthday));
        }
        // Of two, the one that nothing speaks against is it.
        let card = person("Ada King||1990-05-17|a@x.org");
        let [same, else_born] = ["Ada King||1990-05-17|a@x.org", "Ada King||1991-05-17|a@x.org"].map(person);
        let verdict = judge(&face(&card), &[(1, face(&else_born)), (2, face(&same))]);
        assert!(matches!(verdict, Verdict::Twin { id: 2, .. }), "{verdict:?}");
    }

    #[test]
    fn an_e_mail_or_phone_with_another_given_name_is_a_question() {
        for [one, other] in [
            ["Greta Lang||||+49405556667", "Hugo Lang||||+49405556667"],
            ["Bob King|||b@x.org", "Robert King|||b@x.org"],
            ["Jan Nowak||||+48221234567", "Jana Nowak||||+48221234567"],
            ["Clara Meier|X||info@x.org", "David Meier|X||info@x.org"],
            ["Thomas Bauer||||+49405556667", "Thomas Bauer jun.||||+49405556667"],
            ["Mary J. Smith||||+49405556667", "John Smith||||+49405556667"],
            ["Greta L. Lang||||+49405556667", "Hugo Lang||||+49405556667"],
            ["Ann O'Neil||||+49405556667", "Olaf O'Neil||||+49405556667"],
            ["Hans Peter Müller||||+49405556667", "Karl Peter Müller||||+49405556667"],
            ["Jean-Pierre Dupont|||d@x.org", "Jean-Luc Dupont|||d@x.org"],
            ["Jan van Dijk|||d@x.org", "Piet van Dijk|||d@x.org"],
        ] {
            let (one, other) = (person(one), person(other));
            for (one, other) in [(&one, &other), (&other, &one)] {
                let verdict = judge(&face(one), &[(1, face(other))]);
                assert!(matches!(verdict, Verdict::Doubtful { reason: Doubt::AnotherGivenName, .. }), "{verdict:?}");
            }
        }
        // Of a family, the one of that name is it.
        let [greta, hugo, of_greta] =
            ["Greta Lang||||+49405556667", "Hugo Lang||||+49405556667", "G. Lang||||+49405556667"].map(person);
        let verdict = judge(&face(&of_greta), &[(1, face(&hugo)), (2, face(&greta))]);
        assert!(matches!(verdict, Verdict::Twin { id: 2, .. }), "{verdict:?}");
    }

    #[test]
    fn organizations_are_known_by_name_or_mail_and_not_by_a_shared_switchboard() {
        assert!(is_twin(&organization("Example GmbH"), &organization("EXAMPLE GMBH")));
        assert!(is_twin(&organization("Example|info@x.org"), &organization("Sample|info@x.org")));
        assert!(is_twin(&organization("||0301234567"), &organization("Sample||0301234567")));
        assert!(!is_twin(&organization("Example||0301234567"), &organization("Sample||0301234567")));
        assert!(!is_twin(&organization(""), &organization("")));
    }

    #[test]
    fn numbers_meet_in_the_home_region_and_by_what_the_remote_takes_them_for() {
        let (national, international) = (person("Ada King||||030 1234567"), person("Ada King||||+49 30 1234567"));
        assert!(!is_twin(&national, &international), "nobody knows which country it is");
        let home = "DE".parse().ok();
        let at_home = |card| Face::of(card, home);
        assert!(matches!(judge(&at_home(&national), &[(1, at_home(&international))]), Verdict::Twin { .. }));
        let asked = at_home(&international).search_keys(home);
        assert!(index_keys(&national).iter().any(|key| asked.contains(key)), "{asked:?}");
        let told = face(&national).told([&"+49301234567".to_owned()]);
        assert!(matches!(judge(&told, &[(1, face(&international))]), Verdict::Twin { .. }));
        assert!(matches!(judge(&told, &[(1, face(&national))]), Verdict::Twin { .. }), "as it is typed, too");
    }

    #[test]
    fn a_person_is_never_the_twin_of_an_organization() {
        assert!(!is_twin(&person("Example|||a@x.org"), &organization("Example|a@x.org")));
    }

    #[test]
    fn several_candidates_are_a_question_and_contradicted_ones_do_not_count() {
        let card = person("Ada King|||a@x.org|0301234567");
        let [by_mail, by_phone, other] =
            ["Ada|||a@x.org", "Ada||||0301234567", "Bob Smith|||a@x.org|0301234567"].map(person);
        let mail = MatchKey::Email("a@x.org".into());
        let phone = MatchKey::Phone("0301234567".into());
        assert_eq!(
            judge(&face(&card), &[(2, face(&by_phone)), (1, face(&by_mail)), (3, face(&other))]),
            Verdict::Doubtful {
                candidates: vec![(1, vec![mail.clone()]), (2, vec![phone])],
                reason: Doubt::SplitEvidence,
            }
        );
        assert_eq!(
            judge(&face(&card), &[(3, face(&other)), (1, face(&by_mail))]),
            Verdict::Twin { id: 1, evidence: vec![mail.clone()] }
        );
        assert!(matches!(
            judge(&face(&card), &[(1, face(&by_mail)), (2, face(&by_mail))]),
            Verdict::Doubtful { reason: Doubt::SharedEvidence, .. }
        ));
        assert_eq!(judge(&face(&card), &[(3, face(&other))]), Verdict::Alone);
        assert_eq!(judge::<u8>(&face(&card), &[]), Verdict::Alone);
    }

    #[test]
    fn of_several_the_one_that_has_all_in_common_and_more_is_it() {
        let card = person("Ada King|X||a@x.org|0301234567");
        let [whole, behind_the_switchboard, of_that_name] =
            ["Ada King|X||a@x.org|0301234567", "Ada Stone|X|||0301234567", "Ada King|X||king@x.org"].map(person);
        let candidates = [(1, face(&behind_the_switchboard)), (2, face(&whole)), (3, face(&of_that_name))];
        assert!(matches!(judge(&face(&card), &candidates), Verdict::Twin { id: 2, .. }));
        let [_, whole, _] = candidates.clone();
        let doubled = [whole.clone(), (4, whole.1)];
        assert!(matches!(judge(&face(&card), &doubled), Verdict::Doubtful { reason: Doubt::SharedEvidence, .. }));
        let [one, _, other] = candidates;
        assert!(matches!(judge(&face(&card), &[one, other]), Verdict::Doubtful { reason: Doubt::SplitEvidence, .. }));
    }

    #[test]
    fn a_bar_in_a_name_does_not_shift_the_border_to_the_organization() {
        let keys = |words: [&str; 2]| {
            let mut card = person(&format!("|{}", words[1]));
            if let Some(person) = card.as_person_mut() {
                person.name.given = Some(words[0].to_owned());
            }
            keys(&card, None)
        };
        assert_ne!(keys(["a|b", "c"]), keys(["a", "b|c"]));
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn keys_survive_their_text_and_another_spelling(card in card()) {
            let own = keys(&card, None);
            for key in &own {
                prop_assert_eq!(key.to_string().parse::<MatchKey>(), Ok(key.clone()));
                prop_assert!(!key.to_string().ends_with(':'));
            }
            prop_assert_eq!(keys(&respelled(&card), None), own);
        }

        #[test]
        fn the_order_of_candidates_does_not_matter(
            one in card(),
            others in proptest::collection::vec(card(), 0..5),
        ) {
            let mut candidates: Vec<(usize, Face<'_>)> =
                others.iter().map(face).enumerate().collect();
            let verdict = judge(&face(&one), &candidates);
            candidates.reverse();
            prop_assert_eq!(judge(&face(&one), &candidates), verdict);
        }

        #[test]
        fn being_twins_is_mutual_and_needs_a_common_key(one in card(), other in card()) {
            prop_assert_eq!(is_twin(&one, &other), is_twin(&other, &one));
            if is_twin(&one, &other) {
                prop_assert!(!keys(&one, None).is_disjoint(&keys(&other, None)));
            }
        }
    }

    #[test]
    fn texts_that_are_no_keys_are_refused() {
        for text in ["", "email:", "fax:1", "ada@x.org"] {
            assert!(text.parse::<MatchKey>().is_err(), "{text}");
        }
    }
}
