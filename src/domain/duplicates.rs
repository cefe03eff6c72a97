//! Contacts of the store that may be the same: which couples a person should look at, and why.
//!
//! Couples are found by what they share (an e-mail, a phone, a name at an organization) and by names that are the same or
//! nearly so. Empty equals nothing. Not every couple is compared: only contacts that share a key, or a block of their names,
//! so that a hundred thousand take seconds. A key that many share is a switchboard or an office's address; of those only
//! couples with like names are looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::contact::{Card, Kind};
use super::dialling::HomeRegion;
use super::id::ContactId;
use super::matching::{self, Face, MatchKey, Objection};
use super::normal;

/// Of more contacts than this that share a key, only those with like names make couples.
const SHARED_BY_MAX: usize = 12;
/// A block of names with more contacts than this tells nothing.
const BLOCK_MAX: usize = 400;
/// How many letters of a name may be beside another one's, for a pet name: Alex, Alexander.
const PREFIX_MIN: usize = 3;

/// Two contacts that may be the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The one.
    pub first: ContactId,
    /// The other, whose id is greater.
    pub second: ContactId,
    /// How much speaks for it.
    pub strength: Strength,
    /// What speaks for it, in order; never empty.
    pub evidence: Vec<Evidence>,
    /// What speaks against it.
    pub against: Option<Objection>,
}

/// How much speaks for it that two contacts are the same; the strongest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// They share an e-mail, a phone, or the name at an organization, and nothing speaks against it.
    Strong,
    /// Their names are nearly the same, and so is something else.
    Likely,
    /// Only their names are alike, or something speaks against it.
    Weak,
}

/// What two contacts have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// An e-mail address.
    Email(String),
    /// A phone number.
    Phone(String),
    /// The name, at the same organization.
    NameAtOrganization,
    /// The name.
    SameName,
    /// Names that differ in a letter or two, in their order, or by a pet name.
    NearName,
    /// The organization they work for.
    Organization,
}

impl Evidence {
    /// What it is, as people read it.
    pub fn told(&self) -> String {
        match self {
            Evidence::Email(address) => format!("e-mail {address}"),
            Evidence::Phone(number) => format!("phone {number}"),
            Evidence::NameAtOrganization => "same name at the same organization".to_owned(),
            Evidence::SameName => "same name".to_owned(),
            Evidence::NearName => "near-equal names".to_owned(),
            Evidence::Organization => "same organization".to_owned(),
        }
    }
}

/// A contact as it is compared here.
struct Portrait<'c> {
    id: ContactId,
    face: Face<'c>,
    /// The words of the name, folded, in the order of the alphabet.
    words: Vec<String>,
    name: Option<String>,
    organization: Option<String>,
}

/// The couples among these living contacts of one kind that may be the same, strongest first, then in the order of their
/// ids. Couples in `dismissed`, the lesser id first, are left out.
pub fn find(
    contacts: &[(ContactId, Card)],
    home: Option<HomeRegion>,
    dismissed: &BTreeSet<(ContactId, ContactId)>,
) -> Vec<Candidate> {
    let portraits: Vec<Portrait<'_>> = contacts.iter().map(|(id, card)| Portrait::of(*id, card, home)).collect();
    let mut couples: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (place, group) in shared(&portraits, |portrait| portrait.face.keys().iter().cloned().collect()) {
        let is_crowd = group.len() > SHARED_BY_MAX && !matches!(place, MatchKey::OrganizationName(_));
        pairs(&group, |one, other| {
            if !is_crowd || alike(&portraits[one], &portraits[other]).is_some() {
                couples.insert((one, other));
            }
        });
    }
    for (_, group) in shared(&portraits, |portrait| portrait.blocks()) {
        if group.len() <= BLOCK_MAX {
            pairs(&group, |one, other| {
                if alike(&portraits[one], &portraits[other]).is_some() {
                    couples.insert((one, other));
                }
            });
        }
    }
    let compared = couples.into_iter().filter_map(|(one, other)| compare(&portraits[one], &portraits[other]));
    let mut found: Vec<Candidate> =
        compared.filter(|couple| !dismissed.contains(&(couple.first, couple.second))).collect();
    found
        .sort_by_key(|couple| (couple.strength, std::cmp::Reverse(couple.evidence.len()), couple.first, couple.second));
    found
}

/// The groups of at least two that share what `of` tells of each.
fn shared<K: Ord>(portraits: &[Portrait<'_>], of: impl Fn(&Portrait<'_>) -> Vec<K>) -> BTreeMap<K, Vec<usize>> {
    let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (place, portrait) in portraits.iter().enumerate() {
        for key in of(portrait) {
            groups.entry(key).or_default().push(place);
        }
    }
    groups.retain(|_, group| group.len() > 1);
    groups
}

fn pairs(group: &[usize], mut each: impl FnMut(usize, usize)) {
    for (place, one) in group.iter().enumerate() {
        for other in group.iter().skip(place + 1).filter(|other| *other != one) {
            each(*one.min(other), *one.max(other));
        }
    }
}

impl<'c> Portrait<'c> {
    fn of(id: ContactId, card: &'c Card, home: Option<HomeRegion>) -> Self {
        let name = normal::name_key(card);
        let mut words: Vec<String> = match card.as_person() {
            Some(person) => [&person.name.given, &person.name.middle, &person.name.family]
                .into_iter()
                .flatten()
                .flat_map(|part| split(&normal::fold(part)))
                .collect(),
            None => name.iter().flat_map(|name| split(name)).collect(),
        };
        words.sort();
        let organization = card.as_person().and_then(|person| person.organization.as_ref());
        let organization =
            organization.map(|organization| normal::fold(&organization.name)).filter(|name| !name.is_empty());
        Portrait { id, face: Face::of(card, home), words, name, organization }
    }

    /// Where contacts of like names meet: every word with the first letter of another one, and the beginnings of two words.
    fn blocks(&self) -> Vec<String> {
        let beginning = |word: &String, letters: usize| word.chars().take(letters).collect::<String>();
        let mut blocks = BTreeSet::new();
        for (place, one) in self.words.iter().enumerate() {
            for (_, other) in self.words.iter().enumerate().filter(|(at, _)| *at != place) {
                blocks.insert(format!("{one} {}", beginning(other, 1)));
                let mut both = [beginning(one, 3), beginning(other, 3)];
                both.sort();
                blocks.insert(both.join("|"));
            }
        }
        if let [only] = self.words.as_slice()
            && self.face.kind() == Kind::Organization
        {
            blocks.insert(beginning(only, 5));
        }
        blocks.into_iter().collect()
    }
}

fn split(folded: &str) -> Vec<String> {
    let words = folded.split(|c: char| !c.is_alphanumeric() && !unicode_normalization::char::is_combining_mark(c));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether two names are the same, or nearly so. A name of one word says too little of a person.
fn alike(one: &Portrait<'_>, other: &Portrait<'_>) -> Option<Evidence> {
    let (ours, theirs) = (one.name.as_ref()?, other.name.as_ref()?);
    let is_person = one.face.kind() == Kind::Person;
    if is_person && (one.words.len() < 2 || other.words.len() < 2) {
        return None;
    }
    if ours == theirs {
        return Some(Evidence::SameName);
    }
    if one.words == other.words {
        return Some(Evidence::NearName);
    }
    let is_near = one.words.concat() == other.words.concat() || differ_in_one_word(&one.words, &other.words, is_person);
    is_near.then_some(Evidence::NearName)
}

/// All words but one are the same, and the two that are left differ by a slip of the pen, or one is short for the other. A
/// slip in two words is another name: Jan Kowalski, Jana Kowalska.
fn differ_in_one_word(one: &[String], other: &[String], is_person: bool) -> bool {
    let left = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|word| !those.contains(word)).cloned().collect()
    };
    let (ours, theirs) = (left(one, other), left(other, one));
    let ([ours], [theirs]) = (ours.as_slice(), theirs.as_slice()) else { return false };
    let letters = |word: &str| word.chars().count();
    let (short, long) = if letters(ours) < letters(theirs) { (ours, theirs) } else { (theirs, ours) };
    let is_pet_name = letters(short) >= PREFIX_MIN && long.starts_with(short.as_str());
    let allowed = if letters(short) < 7 { 1 } else { 2 };
    is_person && is_pet_name || letters(short) > 2 && strsim::damerau_levenshtein(ours, theirs) <= allowed
}

fn compare(one: &Portrait<'_>, other: &Portrait<'_>) -> Option<Candidate> {
    let comparison = matching::compare(&one.face, &other.face);
    let mut evidence: BTreeSet<Evidence> = comparison.evidence.iter().filter_map(told).collect();
    let has_proof = !evidence.is_empty();
    evidence.extend(alike(one, other));
    if evidence.contains(&Evidence::NameAtOrganization) {
        evidence.remove(&Evidence::SameName);
    }
    let share_employer = one.organization.is_some() && one.organization == other.organization;
    if share_employer && evidence.contains(&Evidence::NearName) {
        evidence.insert(Evidence::Organization);
    }
    if evidence.is_empty() || comparison.against == Some(Objection::AnotherKind) {
        return None;
    }
    let strength = match (has_proof, comparison.against) {
        (true, None) => Strength::Strong,
        (false, None) if evidence.contains(&Evidence::Organization) => Strength::Likely,
        // Another birthday or given name may be a slip where the names are nearly the same.
        (true, Some(_)) if evidence.contains(&Evidence::NearName) => Strength::Likely,
        _ => Strength::Weak,
    };
    let (first, second) = (one.id.min(other.id), one.id.max(other.id));
    Some(Candidate { first, second, strength, evidence: evidence.into_iter().collect(), against: comparison.against })
}

fn told(key: &MatchKey) -> Option<Evidence> {
    match key {
        MatchKey::Email(address) => Some(Evidence::Email(address.clone())),
        MatchKey::Phone(number) => Some(Evidence::Phone(number.clone())),
        MatchKey::NameAtOrganization(_) => Some(Evidence::NameAtOrganization),
        MatchKey::OrganizationName(_) => Some(Evidence::SameName),
        MatchKey::PersonName(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::time::Timestamp;

    fn id(n: usize) -> ContactId {
        ContactId::new(Timestamp::EPOCH, n as u128)
    }

    /// Reads `name|e-mail|phone|organization`; parts may be empty.
    fn person(text: &str) -> Card {
        let parts: Vec<&str> = text.split('|').collect();
        let part = |place: usize| parts.get(place).copied().filter(|part| !part.is_empty());
        let list = |place: usize| part(place).map_or(json!([]), |value| json!([{ "value": value }]));
        let name = crate::domain::name::Name::split(part(0).unwrap_or_default());
        let shape: Value = json!({"kind": "person", "name": name, "emails": list(1), "phones": list(2),
            "organization": part(3).map(|name| json!({"id": null, "name": name}))});
        serde_json::from_value(shape).expect("the shape")
    }

    fn couples(texts: &[&str]) -> Vec<(usize, usize, Strength, String)> {
        let cards: Vec<(ContactId, Card)> =
            texts.iter().enumerate().map(|(place, text)| (id(place), person(text))).collect();
        let found = find(&cards, None, &BTreeSet::new());
        let place = |wanted: ContactId| cards.iter().position(|(id, _)| *id == wanted).expect("one of them");
        let told = |couple: &Candidate| couple.evidence.iter().map(Evidence::told).collect::<Vec<_>>().join(", ");
        found.iter().map(|couple| (place(couple.first), place(couple.second), couple.strength, told(couple))).collect()
    }

    #[test]
    fn what_two_have_in_common_is_told_strongest_first() {
        let found = couples(&[
            "Ada King|ada@example.org||Acme",
            "Ada King|ADA@example.org|+49 30 1234567|",
            "Charles Babbage||+49 30 1234567|",
            "Ada Kinge|||Acme",
            "Grace Hopper|||",
            "Hopper Grace|||",
        ]);
        let expected = [
            (0, 1, Strength::Strong, "e-mail ada@example.org, same name"),
            (0, 3, Strength::Likely, "near-equal names, same organization"),
            (1, 2, Strength::Weak, "phone +49301234567"),
            (1, 3, Strength::Weak, "near-equal names"),
            (4, 5, Strength::Weak, "near-equal names"),
        ];
        assert_eq!(found, expected.map(|(one, other, strength, told)| (one, other, strength, told.to_owned())));
    }

    #[test]
    fn empty_equals_nothing_and_one_word_is_no_name() {
        assert_eq!(couples(&["Ada|||", "Ada|||", "|||", "|||", "||123|", "||123|"]), []);
    }

    #[test]
    fn names_that_are_nearly_the_same_are_found() {
        for (one, other, found) in [
            ("Katarzyna Nowak", "Katarzyna Novak", true),
            ("Katarzyna Nowak", "Katarzina Nowak", true),
            ("Zoë Müller", "Zoe Muller", true),
            ("Alexander Berg", "Alex Berg", true),
            ("Alexander Berg", "Al Berg", false),
            ("Anna Berg", "Anja Borg", false),
            ("Jan Kowalski", "Jana Kowalska", false),
            ("Ann Lee", "Bob Lee", false),
        ] {
            assert_eq!(!couples(&[one, other]).is_empty(), found, "{one}, {other}");
        }
    }

    #[test]
    fn a_switchboard_makes_no_couples_of_strangers() {
        let mut texts: Vec<String> = (0..40).map(|n| format!("Person{n} Name{n}||+49 30 1234567|")).collect();
        texts.push("Ada King||+49 30 1234567|".to_owned());
        texts.push("Ada Kinge||+49 30 1234567|".to_owned());
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found: Vec<(usize, usize)> = couples(&texts).into_iter().map(|(one, other, ..)| (one, other)).collect();
        assert!(found.contains(&(40, 41)), "{found:?}");
        assert!(found.iter().all(|(one, _)| *one >= 40 || texts[*one].contains("Person")), "{found:?}");
        assert!(!found.iter().any(|(one, other)| *other >= 40 && *one < 40), "{found:?}");
    }

    #[test]
    fn a_couple_that_was_dismissed_is_not_shown_again() {
        let cards = [(id(1), person("Ada King|a@x.org")), (id(2), person("Ada King|a@x.org"))];
        assert_eq!(find(&cards, None, &BTreeSet::new()).len(), 1);
        assert_eq!(find(&cards, None, &[(id(1), id(2))].into()), []);
    }
}
