//! Contacts of the store that may be the same: which couples a person should look at, and why.
//!
//! Couples are found by what they share (an e-mail, a phone, a name at an organization; of organizations a domain or an
//! address too) and by names that are the same or nearly so. Empty equals nothing. Not every couple is compared: only
//! contacts that share a key, or a block of their names (`names`), so that a hundred thousand take seconds. A key that many
//! share is a switchboard or an office's address: it makes no couples, and proves nothing where the names do. A name that
//! very many bear makes none by itself either.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::contact::{Card, Kind};
use super::date::PartialDate;
use super::dialling::HomeRegion;
use super::id::ContactId;
use super::matching::{self, Face, MatchKey, Objection};
use super::normal;

mod names;

use names::{Likeness, Names};

/// Of more contacts than this that share a key, only those with like names make couples.
const SHARED_BY_MAX: usize = 12;
/// Domains that tell nothing of an organization: whoever wants has an address there.
const NOBODYS_DOMAINS: [&str; 24] = [
    "gmail.com",
    "googlemail.com",
    "gmx.de",
    "gmx.net",
    "gmx.at",
    "gmx.ch",
    "web.de",
    "t-online.de",
    "freenet.de",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "yahoo.com",
    "yahoo.de",
    "icloud.com",
    "me.com",
    "aol.com",
    "proton.me",
    "protonmail.com",
    "wp.pl",
    "o2.pl",
    "onet.pl",
    "facebook.com",
];

/// Two contacts that may be the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The one.
    pub first: ContactId,
    /// The other, whose id is greater.
    pub second: ContactId,
    /// Of which kind they are.
    pub kind: Kind,
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
    /// They share an e-mail, a phone, the name at an organization or on a birthday, and nothing speaks against it; of
    /// organizations the name suffices.
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
    /// Names that differ in a letter or two, in their order, by a pet name or a legal form.
    NearName,
    /// The organization they work for.
    Organization,
    /// The birthday, with its year.
    Birthday(String),
    /// The domain of an organization's web site or e-mails.
    Domain(String),
    /// The street address of an organization.
    Address,
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
            Evidence::Birthday(day) => format!("birthday {day}"),
            Evidence::Domain(domain) => format!("domain {domain}"),
            Evidence::Address => "same address".to_owned(),
        }
    }
}

/// A contact as it is compared here.
struct Portrait<'c> {
    id: ContactId,
    face: Face<'c>,
    names: Names,
    /// Of persons: the organization, folded, and the birthday.
    organization: Option<String>,
    birthday: Option<PartialDate>,
    /// Of organizations: their own domains and their street addresses, folded.
    domains: BTreeSet<String>,
    addresses: BTreeSet<String>,
}

/// The couples among these living contacts of one kind that may be the same, strongest first, then in the order of their
/// ids. Couples in `dismissed`, the lesser id first, are left out.
pub fn find(
    contacts: &[(ContactId, Card)],
    home: Option<HomeRegion>,
    dismissed: &BTreeSet<(ContactId, ContactId)>,
) -> Vec<Candidate> {
    let portraits: Vec<Portrait<'_>> = contacts.iter().map(|(id, card)| Portrait::of(*id, card, home)).collect();
    let mut couples: Vec<(usize, usize)> = Vec::new();
    let mut crowds: BTreeSet<MatchKey> = BTreeSet::new();
    for (key, group) in shared(&portraits, |portrait| portrait.face.keys()) {
        let is_crowd = group.len() > SHARED_BY_MAX && matches!(key, MatchKey::Email(_) | MatchKey::Phone(_));
        if is_crowd {
            crowds.insert(key.clone());
        } else if group.len() <= names::BLOCK_MAX {
            pairs(&group, |one, other| couples.push((one, other)));
        }
    }
    for groups in [shared(&portraits, |portrait| &portrait.domains), shared(&portraits, |portrait| &portrait.addresses)]
    {
        for group in groups.into_values().filter(|group| group.len() <= SHARED_BY_MAX) {
            pairs(&group, |one, other| couples.push((one, other)));
        }
    }
    for group in names::blocks(portraits.iter().map(|portrait| &portrait.names)) {
        pairs(&group, |one, other| {
            if alike(&portraits, one, other).is_some() {
                couples.push((one, other));
            }
        });
    }
    couples.sort_unstable();
    couples.dedup();
    let compared = couples.into_iter().filter_map(|(one, other)| {
        let (one, other) = (portraits.get(one)?, portraits.get(other)?);
        compare(one, other, &crowds)
    });
    let mut found: Vec<Candidate> =
        compared.filter(|couple| !dismissed.contains(&(couple.first, couple.second))).collect();
    found.sort_by_key(|couple| (couple.strength, Reverse(couple.evidence.len()), couple.first, couple.second));
    found
}

/// The groups of at least two that share what `of` tells of each.
fn shared<'p, 'c, K: Ord>(
    portraits: &'p [Portrait<'c>],
    of: impl Fn(&'p Portrait<'c>) -> &'p BTreeSet<K>,
) -> BTreeMap<&'p K, Vec<usize>> {
    let mut groups: BTreeMap<&K, Vec<usize>> = BTreeMap::new();
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

fn alike(portraits: &[Portrait<'_>], one: usize, other: usize) -> Option<Likeness> {
    portraits.get(one)?.names.like(&portraits.get(other)?.names)
}

impl<'c> Portrait<'c> {
    fn of(id: ContactId, card: &'c Card, home: Option<HomeRegion>) -> Self {
        let person = card.as_person();
        let organization = person.and_then(|person| person.organization.as_ref());
        let organization = organization.map(|one| normal::fold(&one.name)).filter(|name| !name.is_empty());
        let of_organization = |all: BTreeSet<String>| if person.is_none() { all } else { BTreeSet::new() };
        Portrait {
            id,
            face: Face::of(card, home),
            names: Names::of(card),
            organization,
            birthday: person.and_then(|person| person.birthday).filter(|day| day.year().is_some()),
            domains: of_organization(domains(card)),
            addresses: of_organization(addresses(card)),
        }
    }
}

/// The domains of a contact's e-mails and web sites, but for those that are nobody's own.
fn domains(card: &Card) -> BTreeSet<String> {
    let of_emails = card.emails.iter().filter_map(|email| {
        let key = normal::email_key(&email.value);
        key.rsplit_once('@').map(|(_, domain)| domain.to_owned())
    });
    let of_sites = card.websites.iter().filter_map(|site| {
        let key = normal::url_key(&site.value);
        let rest = key.split_once("://").map_or(key.as_str(), |(_, rest)| rest);
        let host = rest.split(['/', '?', '#', ':']).next()?.to_lowercase();
        Some(host.strip_prefix("www.").map_or_else(|| host.clone(), str::to_owned))
    });
    let is_own = |domain: &String| domain.contains('.') && !NOBODYS_DOMAINS.contains(&domain.as_str());
    of_emails.chain(of_sites).filter(is_own).collect()
}

/// The street addresses of a contact, as far as they say where that is.
fn addresses(card: &Card) -> BTreeSet<String> {
    let folded = |part: &Option<String>| part.as_deref().map(normal::fold).filter(|part| !part.is_empty());
    let addresses = card.addresses.iter().filter_map(|address| {
        let place = folded(&address.postal_code).or_else(|| folded(&address.city))?;
        Some(format!("{}|{place}", folded(&address.street)?))
    });
    addresses.collect()
}

fn compare(one: &Portrait<'_>, other: &Portrait<'_>, crowds: &BTreeSet<MatchKey>) -> Option<Candidate> {
    let comparison = matching::compare(&one.face, &other.face);
    if comparison.against == Some(Objection::AnotherKind) {
        return None;
    }
    let likeness = one.names.like(&other.names);
    let evidence = evidence(one, other, &comparison.evidence, likeness);
    if evidence.is_empty() {
        return None;
    }
    // That two organizations have other names speaks against a phone in common; where they share no key, their names are
    // what is compared.
    let shares_nothing = comparison.evidence.is_empty() && one.face.kind() == Kind::Organization;
    let against = comparison.against.filter(|against| !(shares_nothing && *against == Objection::AnotherName));
    let has_proof = comparison.evidence.iter().any(|key| !crowds.contains(key));
    let weighed = Weighed { one, other, likeness, has_proof, evidence: &evidence };
    let strength = match (against, one.face.kind()) {
        // Another birthday or given name may be a slip where the names are nearly the same. Where they are the same but for
        // that, it is a namesake, or the junior of the other.
        (Some(_), _) if has_proof && likeness == Some(Likeness::Near) && !one.names.same_words(&other.names) => {
            Strength::Likely
        }
        (Some(_), _) => Strength::Weak,
        (None, Kind::Person) => weighed.persons(),
        (None, Kind::Organization) => weighed.organizations(),
    };
    let (first, second) = (one.id.min(other.id), one.id.max(other.id));
    let (kind, evidence) = (one.face.kind(), evidence.into_iter().collect());
    Some(Candidate { first, second, kind, strength, evidence, against })
}

/// Everything that two have in common.
fn evidence(
    one: &Portrait<'_>,
    other: &Portrait<'_>,
    keys: &[MatchKey],
    likeness: Option<Likeness>,
) -> BTreeSet<Evidence> {
    let mut evidence: BTreeSet<Evidence> = keys.iter().filter_map(told).collect();
    if !evidence.contains(&Evidence::NameAtOrganization) {
        evidence.extend(likeness.map(|likeness| match likeness {
            Likeness::Same => Evidence::SameName,
            Likeness::Near => Evidence::NearName,
        }));
    }
    if likeness.is_some() {
        let share_employer = one.organization.is_some() && one.organization == other.organization;
        evidence.extend((share_employer && likeness == Some(Likeness::Near)).then_some(Evidence::Organization));
        let birthday = one.birthday.filter(|day| Some(*day) == other.birthday);
        evidence.extend(birthday.map(|day| Evidence::Birthday(day.to_string())));
    }
    let has_email = evidence.iter().any(|one| matches!(one, Evidence::Email(_)));
    evidence.extend(one.domains.intersection(&other.domains).filter(|_| !has_email).cloned().map(Evidence::Domain));
    evidence.extend(one.addresses.intersection(&other.addresses).next().map(|_| Evidence::Address));
    evidence
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

/// What speaks for a couple against which nothing speaks.
struct Weighed<'w> {
    one: &'w Portrait<'w>,
    other: &'w Portrait<'w>,
    likeness: Option<Likeness>,
    /// Whether they share a key that not everybody has.
    has_proof: bool,
    evidence: &'w BTreeSet<Evidence>,
}

impl Weighed<'_> {
    fn persons(&self) -> Strength {
        let born = self.has(|one| matches!(one, Evidence::Birthday(_)));
        if self.are_named_apart() {
            Strength::Weak
        } else if self.has_proof || self.likeness == Some(Likeness::Same) && born {
            Strength::Strong
        } else if self.likeness.is_some()
            && (born || self.shares_a_key() || self.has(|one| *one == Evidence::Organization))
        {
            Strength::Likely
        } else {
            Strength::Weak
        }
    }

    fn organizations(&self) -> Strength {
        let domain = self.has(|one| matches!(one, Evidence::Domain(_)));
        let address = self.has(|one| *one == Evidence::Address);
        // Branches bear one name at several places.
        let elsewhere = !self.one.addresses.is_empty() && !self.other.addresses.is_empty() && !address;
        match self.likeness {
            Some(Likeness::Same) if elsewhere && !domain && !self.shares_a_key() => Strength::Likely,
            Some(Likeness::Same) => Strength::Strong,
            _ if self.shares_a_key() && !self.are_named_apart() => Strength::Strong,
            _ if self.shares_a_key() => Strength::Likely,
            Some(Likeness::Near) if domain || address => Strength::Likely,
            _ if domain && address => Strength::Likely,
            _ => Strength::Weak,
        }
    }

    fn has(&self, wanted: impl Fn(&Evidence) -> bool) -> bool {
        self.evidence.iter().any(wanted)
    }

    fn shares_a_key(&self) -> bool {
        self.has(|one| matches!(one, Evidence::Email(_) | Evidence::Phone(_)))
    }

    fn are_named_apart(&self) -> bool {
        self.likeness.is_none() && self.one.names.contradict(&self.other.names)
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
    fn one_mailbox_of_several_people_is_weak_evidence() {
        for (one, other, expected) in [
            ("Anna|info@acme.example||", "Bob|info@acme.example||", Strength::Weak),
            ("Anna Berg|info@acme.example||", "Bob Berg|info@acme.example||", Strength::Weak),
            ("Tom Berg|tom@acme.example||", "Tom Berg Jr.|tom@acme.example||", Strength::Weak),
            ("Jon Berg|jon@acme.example||", "John Berg|jon@acme.example||", Strength::Likely),
            ("Anna|info@acme.example||", "Anna Berg|info@acme.example||", Strength::Strong),
            ("|info@acme.example||", "Anna Berg|info@acme.example||", Strength::Strong),
        ] {
            let found: Vec<Strength> = couples(&[one, other]).into_iter().map(|(_, _, strength, _)| strength).collect();
            assert_eq!(found, [expected], "{one}, {other}");
        }
    }

    #[test]
    fn organizations_are_found_by_name_domain_and_address() {
        let at = |street: &str| json!([{"street": street, "postal_code": "10117", "city": "Berlin"}]);
        let acme = |more: Value| {
            let mut shape = json!({"kind": "organization", "name": "Acme"});
            shape.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            shape
        };
        let site = |address: &str| json!([{ "value": address }]);
        for (one, other, expected) in [
            (json!({"name": "Acme GmbH"}), json!({"name": "ACME  gmbh"}), Some((Strength::Strong, "same name"))),
            (json!({"name": "Acme GmbH"}), json!({}), Some((Strength::Weak, "near-equal names"))),
            (
                json!({"name": "Acme GmbH", "websites": site("https://www.acme.example/about")}),
                json!({"emails": [{"value": "info@acme.example"}]}),
                Some((Strength::Likely, "near-equal names, domain acme.example")),
            ),
            (
                json!({"websites": site("acme.example")}),
                json!({"name": "Northern Anvils", "websites": site("http://acme.example")}),
                Some((Strength::Weak, "domain acme.example")),
            ),
            (
                json!({"addresses": at("Linden 1")}),
                json!({"addresses": at("Am Tor 7")}),
                Some((Strength::Likely, "same name")),
            ),
            (
                json!({"name": "Konditorei Meyer", "addresses": at("Linden 1")}),
                json!({"name": "Konditorei Meier", "addresses": at("LINDEN 1")}),
                Some((Strength::Likely, "near-equal names, same address")),
            ),
            (
                json!({"emails": [{"value": "acme@gmail.com"}]}),
                json!({"name": "Apex Tools", "emails": [{"value": "apex@gmail.com"}]}),
                None,
            ),
            (json!({"name": "GmbH"}), json!({"name": "AG"}), None),
        ] {
            let [one, other] = [acme(one), acme(other)];
            let card = |shape: &Value| serde_json::from_value(shape.clone()).expect("the shape");
            let found = find(&[(id(1), card(&one)), (id(2), card(&other))], None, &BTreeSet::new());
            let told = |couple: &Candidate| couple.evidence.iter().map(Evidence::told).collect::<Vec<_>>().join(", ");
            let told: Vec<(Strength, String)> = found.iter().map(|couple| (couple.strength, told(couple))).collect();
            let expected: Vec<(Strength, String)> =
                expected.into_iter().map(|(strength, told)| (strength, told.to_owned())).collect();
            assert_eq!(told, expected, "{one} {other}");
        }
    }

    #[test]
    fn a_couple_that_was_dismissed_is_not_shown_again() {
        let cards = [(id(1), person("Ada King|a@x.org")), (id(2), person("Ada King|a@x.org"))];
        assert_eq!(find(&cards, None, &BTreeSet::new()).len(), 1);
        assert_eq!(find(&cards, None, &[(id(1), id(2))].into()), []);
    }
}
