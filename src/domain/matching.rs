//! Finding the twin of a contact that was never linked.
//!
//! Likeness is the last evidence, asked only where no link and no mark of ours says who a record is. What two contacts
//! share is found by keys, which the store keeps in an index; [`judge`] then weighs the candidates that share one. Empty
//! equals nothing, a name alone proves nothing, and where two would do, a person is asked.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::contact::{Card, Kind};
use super::normal;

/// One thing by which a contact can be recognized. Written `email:…`, `phone:…`, `name:…|…`,
/// `organization:…` and `person:…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchKey {
    /// An e-mail address ([`normal::email_key`]).
    Email(String),
    /// A phone number ([`normal::phone_key`]) that is E.164 or has at least seven digits.
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

/// Everything by which the contact can be found in an index: what it can be recognized by, and a person's name.
pub fn index_keys(card: &Card) -> BTreeSet<MatchKey> {
    let mut keys = keys(card);
    if card.kind() == Kind::Person {
        keys.extend(normal::name_key(card).map(MatchKey::PersonName));
    }
    keys
}

/// Everything by which the contact can be recognized. What is empty yields no key.
pub fn keys(card: &Card) -> BTreeSet<MatchKey> {
    let emails = card.emails.iter().map(|email| normal::email_key(&email.value)).filter(|key| !key.is_empty());
    let phones = card.phones.iter().map(|phone| normal::phone_key(&phone.value));
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

/// Why several candidates remain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Several candidates share the same evidence: they may be doubled contacts, or people behind one phone.
    SharedEvidence,
    /// Each piece of evidence points at another candidate.
    SplitEvidence,
}

/// Weighs candidates that share at least one key with the card. The order of the candidates does not matter.
///
/// Evidence is an e-mail, a phone, or a name at an organization in common; among organizations the name suffices. A
/// candidate is ruled out by another birthday, by a name without a word in common, and, among organizations, by another
/// name when only a phone is shared. Exactly one that remains is the twin.
pub fn judge<I: Clone + Ord>(card: &Card, candidates: &[(I, &Card)]) -> Verdict<I> {
    let own = keys(card);
    let mut left: Vec<(I, Vec<MatchKey>)> = candidates
        .iter()
        .filter(|(_, candidate)| candidate.kind() == card.kind())
        .map(|(id, candidate)| {
            (id.clone(), *candidate, keys(candidate).intersection(&own).cloned().collect::<Vec<_>>())
        })
        .filter(|(_, candidate, evidence)| !evidence.is_empty() && !is_ruled_out(card, candidate, evidence))
        .map(|(id, _, evidence)| (id, evidence))
        .collect();
    left.sort();
    left.dedup();
    match left.as_slice() {
        [] => Verdict::Alone,
        [(id, evidence)] => Verdict::Twin { id: id.clone(), evidence: evidence.clone() },
        several => {
            let reason = doubt(several);
            Verdict::Doubtful { candidates: left, reason }
        }
    }
}

fn doubt<I>(candidates: &[(I, Vec<MatchKey>)]) -> Doubt {
    let mut seen = BTreeSet::new();
    let disjoint = candidates.iter().flat_map(|(_, evidence)| evidence).all(|key| seen.insert(key));
    if disjoint { Doubt::SplitEvidence } else { Doubt::SharedEvidence }
}

fn is_ruled_out(card: &Card, candidate: &Card, evidence: &[MatchKey]) -> bool {
    have_different_birthdays(card, candidate)
        || match card.kind() {
            Kind::Person => have_contradictory_names(card, candidate),
            Kind::Organization => {
                let by_phone_only = evidence.iter().all(|key| matches!(key, MatchKey::Phone(_)));
                by_phone_only && have_different_names(card, candidate)
            }
        }
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

/// The words of a person's name without titles; `Müller-Lüdenscheidt` is two.
fn name_words(card: &Card) -> BTreeSet<String> {
    let Some(person) = card.as_person() else { return BTreeSet::new() };
    let parts = [&person.name.given, &person.name.middle, &person.name.family];
    let folded: Vec<String> = parts.into_iter().flatten().map(|part| normal::fold(part)).collect();
    let words = folded.iter().flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && !is_mark(c)));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Signs that belong to the letter before them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn have_different_names(card: &Card, candidate: &Card) -> bool {
    normal::name_key(card).zip(normal::name_key(candidate)).is_some_and(|(one, other)| one != other)
}
