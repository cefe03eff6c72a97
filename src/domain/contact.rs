//! A contact: a person or an organization, and what is known of it.
//!
//! [`Card`] is the content, [`Contact`] the content under an identity, with its version and times. A card serializes
//! to the JSON shape of the public interface, in its order, without the identity; absent values are `null` or `[]`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::date::PartialDate;
use super::field::Field;
use super::id::ContactId;
use super::name::Name;
use super::time::Timestamp;
use super::version::VersionVector;

/// The two kinds of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant is the kind of that name")]
pub enum Kind {
    Person,
    Organization,
}

impl Kind {
    /// The kind as the JSON shape spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Organization => "organization",
        }
    }
}

/// A contact of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Chosen once, never reused.
    pub id: ContactId,
    /// What is known of it. A deleted contact keeps its card.
    pub card: Card,
    /// Everything that ever happened to it.
    pub version: VersionVector,
    /// When it came into the store.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// When it was deleted; `None` while it lives.
    pub deleted: Option<Timestamp>,
    /// When each field last changed in the store; a field that never changed since creation is missing.
    pub touched: BTreeMap<Field, Timestamp>,
    /// An organization that exists only because a remote contact names it as its company. It is not written to a
    /// remote as a contact of its own until somebody edits or labels it.
    pub implicit: bool,
}

impl Contact {
    /// Whether it lives.
    pub fn is_live(&self) -> bool {
        self.deleted.is_none()
    }

    /// When `field` last changed in the store.
    pub fn touched_at(&self, field: &Field) -> Timestamp {
        self.touched.get(field).copied().unwrap_or(self.created)
    }
}

/// The content of a contact: what both kinds share, and the part that is the kind's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Shape", from = "Shape")]
pub struct Card {
    /// The part that is a person's or an organization's own.
    pub subject: Subject,
    /// E-mail addresses; at most one is primary.
    pub emails: Vec<Email>,
    /// Phone numbers as typed; at most one is primary.
    pub phones: Vec<Phone>,
    /// Postal addresses.
    pub addresses: Vec<Address>,
    /// Web sites.
    pub websites: Vec<Website>,
    /// Free text.
    pub notes: Option<String>,
    /// Labels, by name.
    pub labels: BTreeSet<String>,
    /// Custom fields, by key.
    pub custom: BTreeMap<String, String>,
    /// The e-mail address of the user who looks after the contact.
    pub owner: Option<String>,
    /// Who may see the contact.
    pub visibility: Option<Visibility>,
}

/// Who may see a contact, narrowest first. Nothing said means everybody.
///
/// Source: Pipedrive API reference, `visible_to` with its values 1, 3, 5 and 7 (read 2026-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// The owner only.
    Owner,
    /// The owner's visibility group.
    Group,
    /// The owner's visibility group and those below it.
    Subgroups,
    /// The whole company.
    Company,
}

impl Visibility {
    /// Every value, narrowest first.
    pub const ALL: [Visibility; 4] = [Visibility::Owner, Visibility::Group, Visibility::Subgroups, Visibility::Company];

    /// The value as the JSON shape spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Visibility::Owner => "owner",
            Visibility::Group => "group",
            Visibility::Subgroups => "subgroups",
            Visibility::Company => "company",
        }
    }

    /// The value of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Visibility::ALL.into_iter().find(|visibility| visibility.as_str() == text)
    }
}

/// What is a person's or an organization's own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the kind of that name")]
#[expect(clippy::large_enum_variant, reason = "nearly every contact is a person; a box would only cost allocations")]
pub enum Subject {
    Person(Person),
    Organization(Organization),
}

/// The fields that only a person has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The name, in parts.
    pub name: Name,
    /// The organization the person works for.
    pub organization: Option<OrganizationRef>,
    /// The position there.
    pub job_title: Option<String>,
    /// The department there.
    pub department: Option<String>,
    /// The birthday, with or without the year.
    pub birthday: Option<PartialDate>,
    /// Other days to remember.
    pub events: Vec<Event>,
    /// Instant messengers.
    pub ims: Vec<Im>,
    /// Relatives and the like, by name.
    pub relations: Vec<Relation>,
    /// Nicknames.
    pub nicknames: Vec<String>,
    /// The photo, by the digest of its bytes.
    pub photo: Option<Photo>,
}

/// The fields that only an organization has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organization {
    /// The name, as one text.
    pub name: String,
    /// The line of business.
    pub industry: Option<String>,
}

/// An organization as a person names it: by identity once it is known, else by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationRef {
    /// The organization of the store, once it was found or created.
    #[serde(default)]
    pub id: Option<ContactId>,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The address as written.
    pub value: String,
    /// `work`, `home`, or any other text.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether it is the one to use first.
    #[serde(default)]
    pub primary: bool,
}

/// A phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phone {
    /// The number as typed.
    pub value: String,
    /// `work`, `home`, `mobile`, or any other text.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether it is the one to use first.
    #[serde(default)]
    pub primary: bool,
}

/// A postal address in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// `work`, `home`, or any other text.
    #[serde(default)]
    pub label: Option<String>,
    /// Street and number; several lines are possible.
    #[serde(default)]
    pub street: Option<String>,
    /// What stands besides the street: floor, building, care of.
    #[serde(default)]
    pub extended: Option<String>,
    /// The town.
    #[serde(default)]
    pub city: Option<String>,
    /// State, province, canton.
    #[serde(default)]
    pub region: Option<String>,
    /// The postal code.
    #[serde(default)]
    pub postal_code: Option<String>,
    /// The country as the user wrote it, or its code of two letters.
    #[serde(default)]
    pub country: Option<String>,
}

/// A web site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Website {
    /// The address as written.
    pub value: String,
    /// `work`, `home`, `blog`, or any other text.
    #[serde(default)]
    pub label: Option<String>,
}

/// A day to remember.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// `anniversary`, or any other text.
    #[serde(default)]
    pub label: Option<String>,
    /// The day.
    pub date: PartialDate,
}

/// An instant messenger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Im {
    /// The user's name there.
    pub value: String,
    /// `jabber`, `skype`, or any other text.
    #[serde(default)]
    pub protocol: Option<String>,
    /// `work`, `home`, or any other text.
    #[serde(default)]
    pub label: Option<String>,
}

/// Somebody the person is related to, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// The other person's name.
    pub value: String,
    /// `spouse`, `friend`, `manager`, or any other text.
    #[serde(default)]
    pub label: Option<String>,
}

/// A photo, by what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Photo {
    /// The SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
}

impl Card {
    /// The photo, which only persons have.
    pub fn photo(&self) -> Option<&Photo> {
        self.as_person()?.photo.as_ref()
    }

    /// A person of whom nothing is known yet.
    pub fn person() -> Self {
        Card::of(Subject::Person(Person::default()))
    }

    /// An organization of which only the name is known.
    pub fn organization(name: impl Into<String>) -> Self {
        Card::of(Subject::Organization(Organization { name: name.into(), industry: None }))
    }

    /// A contact of this kind of which nothing is known.
    pub fn blank(kind: Kind) -> Self {
        match kind {
            Kind::Person => Card::person(),
            Kind::Organization => Card::organization(""),
        }
    }

    fn of(subject: Subject) -> Self {
        Card {
            subject,
            emails: Vec::new(),
            phones: Vec::new(),
            addresses: Vec::new(),
            websites: Vec::new(),
            notes: None,
            labels: BTreeSet::new(),
            custom: BTreeMap::new(),
            owner: None,
            visibility: None,
        }
    }

    /// Which kind of contact this is.
    pub fn kind(&self) -> Kind {
        match self.subject {
            Subject::Person(_) => Kind::Person,
            Subject::Organization(_) => Kind::Organization,
        }
    }

    /// The person's part, if this is a person.
    pub fn as_person(&self) -> Option<&Person> {
        match &self.subject {
            Subject::Person(person) => Some(person),
            Subject::Organization(_) => None,
        }
    }

    /// The person's part, if this is a person.
    pub fn as_person_mut(&mut self) -> Option<&mut Person> {
        match &mut self.subject {
            Subject::Person(person) => Some(person),
            Subject::Organization(_) => None,
        }
    }

    /// The organization's part, if this is an organization.
    pub fn as_organization(&self) -> Option<&Organization> {
        match &self.subject {
            Subject::Organization(organization) => Some(organization),
            Subject::Person(_) => None,
        }
    }

    /// The name to show: the full name or the organization's name, else an e-mail, a phone, the company, or nothing.
    pub fn display_name(&self) -> String {
        let own = match &self.subject {
            Subject::Person(person) => person.name.full(),
            Subject::Organization(organization) => Some(organization.name.clone()),
        };
        own.filter(|name| !name.is_empty())
            .or_else(|| self.emails.first().map(|email| email.value.clone()))
            .or_else(|| self.phones.first().map(|phone| phone.value.clone()))
            .or_else(|| self.as_person()?.nicknames.first().cloned())
            .or_else(|| self.as_person()?.organization.as_ref().map(|organization| organization.name.clone()))
            .unwrap_or_default()
    }

    /// Whether nothing at all is known: no name and no value in any field. Labels, the owner and the visibility do not count.
    pub fn is_blank(&self) -> bool {
        let mut bare = self.clone();
        bare.labels.clear();
        bare.owner = None;
        bare.visibility = None;
        bare == Card::person() || bare == Card::organization("")
    }
}

/// The JSON shape: one enum variant per kind, members in the order of the public interface.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Person(Box<PersonShape>),
    Organization(Box<OrganizationShape>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonShape {
    #[serde(default)]
    name: Name,
    #[serde(default)]
    emails: Vec<Email>,
    #[serde(default)]
    phones: Vec<Phone>,
    #[serde(default)]
    addresses: Vec<Address>,
    #[serde(default)]
    organization: Option<OrganizationRef>,
    #[serde(default)]
    job_title: Option<String>,
    #[serde(default)]
    department: Option<String>,
    #[serde(default)]
    birthday: Option<PartialDate>,
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default)]
    websites: Vec<Website>,
    #[serde(default)]
    ims: Vec<Im>,
    #[serde(default)]
    relations: Vec<Relation>,
    #[serde(default)]
    nicknames: Vec<String>,
    #[serde(default)]
    notes: Option<String>,
    #[serde(default)]
    labels: BTreeSet<String>,
    #[serde(default)]
    custom: BTreeMap<String, String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    visibility: Option<Visibility>,
    #[serde(default)]
    photo: Option<Photo>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganizationShape {
    #[serde(default)]
    name: String,
    #[serde(default)]
    emails: Vec<Email>,
    #[serde(default)]
    phones: Vec<Phone>,
    #[serde(default)]
    addresses: Vec<Address>,
    #[serde(default)]
    websites: Vec<Website>,
    #[serde(default)]
    industry: Option<String>,
    #[serde(default)]
    notes: Option<String>,
    #[serde(default)]
    labels: BTreeSet<String>,
    #[serde(default)]
    custom: BTreeMap<String, String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    visibility: Option<Visibility>,
}

impl From<Card> for Shape {
    fn from(card: Card) -> Self {
        let Card { subject, emails, phones, addresses, websites, notes, labels, custom, owner, visibility } = card;
        match subject {
            Subject::Person(person) => Shape::Person(Box::new(PersonShape {
                name: person.name,
                emails,
                phones,
                addresses,
                organization: person.organization,
                job_title: person.job_title,
                department: person.department,
                birthday: person.birthday,
                events: person.events,
                websites,
                ims: person.ims,
                relations: person.relations,
                nicknames: person.nicknames,
                notes,
                labels,
                custom,
                owner,
                visibility,
                photo: person.photo,
            })),
            Subject::Organization(organization) => Shape::Organization(Box::new(OrganizationShape {
                name: organization.name,
                emails,
                phones,
                addresses,
                websites,
                industry: organization.industry,
                notes,
                labels,
                custom,
                owner,
                visibility,
            })),
        }
    }
}

impl From<Shape> for Card {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Person(shape) => Card {
                subject: Subject::Person(Person {
                    name: shape.name,
                    organization: shape.organization,
                    job_title: shape.job_title,
                    department: shape.department,
                    birthday: shape.birthday,
                    events: shape.events,
                    ims: shape.ims,
                    relations: shape.relations,
                    nicknames: shape.nicknames,
                    photo: shape.photo,
                }),
                emails: shape.emails,
                phones: shape.phones,
                addresses: shape.addresses,
                websites: shape.websites,
                notes: shape.notes,
                labels: shape.labels,
                custom: shape.custom,
                owner: shape.owner,
                visibility: shape.visibility,
            },
            Shape::Organization(shape) => Card {
                subject: Subject::Organization(Organization { name: shape.name, industry: shape.industry }),
                emails: shape.emails,
                phones: shape.phones,
                addresses: shape.addresses,
                websites: shape.websites,
                notes: shape.notes,
                labels: shape.labels,
                custom: shape.custom,
                owner: shape.owner,
                visibility: shape.visibility,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_the_shape_of_the_public_interface() {
        let text = r#"{"kind":"person","name":{"full":"Dr. Ada B. King","given":"Ada","middle":"B.","family":"King","prefix":"Dr.","suffix":null},"emails":[{"value":"ada@example.org","label":"work","primary":true}],"phones":[{"value":"+49 30 1234567","label":"mobile","primary":true}],"addresses":[{"label":"work","street":"Unter den Linden 1","extended":null,"city":"Berlin","region":null,"postal_code":"10117","country":"DE"}],"organization":{"id":null,"name":"Example GmbH"},"job_title":"CTO","department":null,"birthday":"--05-17","events":[{"label":"anniversary","date":"2015-06-01"}],"websites":[{"value":"https://example.org","label":"work"}],"ims":[{"value":"ada","protocol":"jabber","label":"work"}],"relations":[{"value":"Charles","label":"friend"}],"nicknames":["Ada"],"notes":"-","labels":["Customer"],"custom":{"Price list":"Retail"},"owner":"sales@example.org","visibility":"group","photo":null}"#;
        let card: Card = serde_json::from_str(text).expect("the shape");
        assert_eq!(serde_json::to_string(&card).expect("the shape"), text);
    }

    #[test]
    fn an_organization_has_a_name_of_one_text() {
        let card = Card::organization("Example GmbH");
        let text = serde_json::to_string(&card).expect("the shape");
        assert!(text.starts_with(r#"{"kind":"organization","name":"Example GmbH","emails":[]"#), "{text}");
        assert_eq!(serde_json::from_str::<Card>(&text).expect("the shape"), card);
    }

    #[test]
    fn unknown_members_are_refused() {
        assert!(serde_json::from_str::<Card>(r#"{"kind":"person","fax":"1"}"#).is_err());
    }

    #[test]
    fn a_contact_without_a_name_is_shown_by_what_it_has() {
        let mut card = Card::person();
        assert_eq!((card.display_name().as_str(), card.is_blank()), ("", true));
        card.emails.push(Email { value: "ada@example.org".into(), label: None, primary: false });
        assert_eq!((card.display_name().as_str(), card.is_blank()), ("ada@example.org", false));
    }
}
