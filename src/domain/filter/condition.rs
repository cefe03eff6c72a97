//! One condition: what is asked of a contact, and which answers hold.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::parse::ConditionError;
use crate::domain::contact::{Address, Card, Contact, Event, Person, Subject};
use crate::domain::date::PartialDate;
use crate::domain::field::Field;
use crate::domain::normal;
use crate::domain::search::{self, fold, owner_key};
use crate::domain::time::Timestamp;

/// What a contact is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// A field of its card.
    Field(Field),
    /// Whether it is a person or an organization.
    Kind,
    /// When it came into the store.
    Created,
    /// When it last changed.
    Updated,
}

/// Which answers hold. Labels are compared as they are spelled, owners without the case of their letters, phones by
/// number, everything else without case and accents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Test {
    /// One of the values is one of these.
    Is(BTreeSet<String>),
    /// None of the values is any of these.
    IsNot(BTreeSet<String>),
    /// One of these occurs in one of the values.
    Contains(BTreeSet<String>),
    /// None of these occurs in any value.
    ContainsNot(BTreeSet<String>),
    /// There is no value.
    Empty,
    /// There is a value.
    Present,
    /// At this time or later.
    Since(Timestamp),
    /// Before this time.
    Before(Timestamp),
    /// On one of the days from the first to the second, in any year; over the new year when the first is the later one.
    Between(PartialDate, PartialDate),
}

/// What has to hold. Made by [`Condition::new`] only, so that what is asked and what is tested fit each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "Shape", try_from = "Shape")]
pub struct Condition {
    asked: Asked,
    test: Test,
}

impl Asked {
    /// Whether it is a time of the contact, which its card does not have.
    pub fn is_time(&self) -> bool {
        matches!(self, Asked::Created | Asked::Updated)
    }
}

impl Condition {
    /// A condition of what is asked and which answers hold.
    ///
    /// # Errors
    /// [`ConditionError::Misfit`] when the two do not fit each other.
    pub fn new(asked: Asked, test: Test) -> Result<Self, ConditionError> {
        let fits = match &test {
            Test::Since(_) | Test::Before(_) => asked.is_time(),
            Test::Between(..) => asked == Asked::Field(Field::Birthday),
            Test::Empty | Test::Present => matches!(asked, Asked::Field(_)),
            Test::Is(values) | Test::IsNot(values) | Test::Contains(values) | Test::ContainsNot(values) => {
                !asked.is_time() && !values.is_empty()
            }
        };
        if fits { Ok(Condition { asked, test }) } else { Err(ConditionError::Misfit { asked: asked.to_string() }) }
    }

    /// What is asked.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Which answers hold.
    pub fn test(&self) -> &Test {
        &self.test
    }

    /// The texts that answers are compared with.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let values = match &self.test {
            Test::Is(values) | Test::IsNot(values) | Test::Contains(values) | Test::ContainsNot(values) => Some(values),
            Test::Empty | Test::Present | Test::Since(_) | Test::Before(_) | Test::Between(..) => None,
        };
        values.into_iter().flatten().map(String::as_str)
    }

    /// Whether it holds for this contact.
    pub fn holds_for(&self, contact: &Contact) -> bool {
        let time = match self.asked {
            Asked::Created => contact.created,
            Asked::Updated => contact.updated,
            Asked::Field(_) | Asked::Kind => return self.holds_for_card(&contact.card),
        };
        match self.test {
            Test::Since(from) => time >= from,
            Test::Before(until) => time < until,
            // INVARIANT: `new` lets nothing else be asked of times.
            _ => false,
        }
    }

    /// Whether it holds for a contact with this card. What is asked about times of the contact never does.
    pub(super) fn holds_for_card(&self, card: &Card) -> bool {
        let field = match &self.asked {
            Asked::Field(field) => Some(field),
            Asked::Kind => None,
            Asked::Created | Asked::Updated => return false,
        };
        let values = field.map_or_else(|| vec![card.kind().as_str().to_owned()], |field| values(card, field));
        match &self.test {
            Test::Is(wanted) => is_any(field, &values, wanted),
            Test::IsNot(unwanted) => !is_any(field, &values, unwanted),
            Test::Contains(wanted) => contains_any(field, &values, wanted),
            Test::ContainsNot(unwanted) => !contains_any(field, &values, unwanted),
            Test::Empty => values.is_empty(),
            Test::Present => !values.is_empty(),
            Test::Between(from, to) => {
                card.as_person().and_then(|person| person.birthday).is_some_and(|day| is_between(day, *from, *to))
            }
            Test::Since(_) | Test::Before(_) => false,
        }
    }
}

fn is_any(field: Option<&Field>, values: &[String], wanted: &BTreeSet<String>) -> bool {
    values.iter().any(|value| wanted.iter().any(|wanted| comparable(field, value) == comparable(field, wanted)))
}

fn contains_any(field: Option<&Field>, values: &[String], wanted: &BTreeSet<String>) -> bool {
    let occurs = |value: &String, wanted: &String| {
        let by_number = || search::number_occurs(wanted, value);
        fold(value).contains(&fold(wanted)) || field == Some(&Field::Phones) && by_number()
    };
    values.iter().any(|value| wanted.iter().any(|wanted| occurs(value, wanted)))
}

/// A value as it is compared with another one of the field.
fn comparable(field: Option<&Field>, value: &str) -> String {
    match field {
        Some(Field::Labels) => value.to_owned(),
        Some(Field::Owner) => owner_key(value),
        Some(Field::Phones) => normal::phone_key(value),
        _ => fold(value),
    }
}

/// Whether a day of the year is one of those from `from` to `to`.
fn is_between(day: PartialDate, from: PartialDate, to: PartialDate) -> bool {
    let place = |date: PartialDate| (date.month(), date.day());
    let (day, from, to) = (place(day), place(from), place(to));
    if from <= to { from <= day && day <= to } else { from <= day || day <= to }
}

/// The values that a card has in a field; what has several parts counts with each of them. No field is left to chance: one
/// that read as empty would take contacts out of a group.
fn values(card: &Card, field: &Field) -> Vec<String> {
    let mut values: Vec<String> = match field {
        Field::Name => names(card),
        Field::Emails => card.emails.iter().map(|email| email.value.clone()).collect(),
        Field::Phones => card.phones.iter().map(|phone| phone.value.clone()).collect(),
        Field::Addresses => card.addresses.iter().flat_map(parts_of_address).collect(),
        Field::Websites => card.websites.iter().map(|website| website.value.clone()).collect(),
        Field::Notes => card.notes.iter().cloned().collect(),
        Field::Labels => card.labels.iter().cloned().collect(),
        Field::Custom(key) => card.custom.get(key).cloned().into_iter().collect(),
        Field::Owner => card.owner.iter().cloned().collect(),
        Field::Visibility => card.visibility.iter().map(|visibility| visibility.as_str().to_owned()).collect(),
        Field::Industry => {
            card.as_organization().and_then(|organization| organization.industry.clone()).into_iter().collect()
        }
        Field::Organization
        | Field::JobTitle
        | Field::Department
        | Field::Birthday
        | Field::Events
        | Field::Ims
        | Field::Relations
        | Field::Nicknames
        | Field::Photo => card.as_person().map(|person| of_person(person, field)).unwrap_or_default(),
    };
    values.retain(|value| !value.trim().is_empty());
    values
}

fn names(card: &Card) -> Vec<String> {
    match &card.subject {
        Subject::Person(Person { name, .. }) => {
            let parts = [&name.prefix, &name.given, &name.middle, &name.family, &name.suffix];
            name.full().into_iter().chain(parts.into_iter().flatten().cloned()).collect()
        }
        Subject::Organization(organization) => vec![organization.name.clone()],
    }
}

fn of_person(person: &Person, field: &Field) -> Vec<String> {
    match field {
        Field::Organization => {
            let named = person.organization.iter();
            named.flat_map(|one| [Some(one.name.clone()), one.id.map(|id| id.to_string())]).flatten().collect()
        }
        Field::JobTitle => person.job_title.iter().cloned().collect(),
        Field::Department => person.department.iter().cloned().collect(),
        Field::Birthday => person.birthday.iter().map(|day| day.to_string()).collect(),
        Field::Events => {
            let parts = |event: &Event| [event.label.clone(), Some(event.date.to_string())];
            person.events.iter().flat_map(parts).flatten().collect()
        }
        Field::Ims => person.ims.iter().map(|im| im.value.clone()).collect(),
        Field::Relations => person.relations.iter().map(|relation| relation.value.clone()).collect(),
        Field::Nicknames => person.nicknames.clone(),
        Field::Photo => person.photo.iter().map(|photo| photo.digest.clone()).collect(),
        // INVARIANT: `values` asks for nothing else.
        _ => Vec::new(),
    }
}

fn parts_of_address(address: &Address) -> Vec<String> {
    let Address { label: _, street, extended, city, region, postal_code, country } = address;
    [street, extended, city, region, postal_code, country].into_iter().flatten().cloned().collect()
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asked::Field(field) => field.fmt(f),
            Asked::Kind => f.write_str("kind"),
            Asked::Created => f.write_str("created"),
            Asked::Updated => f.write_str("updated"),
        }
    }
}

impl FromStr for Asked {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "kind" => Ok(Asked::Kind),
            "created" => Ok(Asked::Created),
            "updated" => Ok(Asked::Updated),
            field => field.parse().map(Asked::Field).map_err(ConditionError::Field),
        }
    }
}

/// As people read it: `labels is Customer or VIP`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any = |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(" or ");
        let asked = &self.asked;
        match &self.test {
            Test::Is(values) => write!(f, "{asked} is {}", any(values)),
            Test::IsNot(values) => write!(f, "{asked} is not {}", any(values)),
            Test::Contains(values) => write!(f, "{asked} contains {}", any(values)),
            Test::ContainsNot(values) => write!(f, "{asked} does not contain {}", any(values)),
            Test::Empty => write!(f, "{asked} is empty"),
            Test::Present => write!(f, "{asked} is not empty"),
            Test::Since(time) => write!(f, "{asked} since {time}"),
            Test::Before(time) => write!(f, "{asked} before {time}"),
            Test::Between(from, to) => write!(f, "{asked} from {from} to {to}"),
        }
    }
}

/// A condition in JSON; what belongs to another test is refused.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    field: String,
    test: TestName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<PartialDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<PartialDate>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TestName {
    Is,
    IsNot,
    Contains,
    ContainsNot,
    Empty,
    Present,
    Since,
    Before,
    Between,
}

impl From<Condition> for Shape {
    fn from(condition: Condition) -> Self {
        let bare = |test| {
            let field = condition.asked.to_string();
            Shape { field, test, values: None, time: None, from: None, to: None }
        };
        match condition.test {
            Test::Is(values) => Shape { values: Some(values), ..bare(TestName::Is) },
            Test::IsNot(values) => Shape { values: Some(values), ..bare(TestName::IsNot) },
            Test::Contains(values) => Shape { values: Some(values), ..bare(TestName::Contains) },
            Test::ContainsNot(values) => Shape { values: Some(values), ..bare(TestName::ContainsNot) },
            Test::Empty => bare(TestName::Empty),
            Test::Present => bare(TestName::Present),
            Test::Since(time) => Shape { time: Some(time), ..bare(TestName::Since) },
            Test::Before(time) => Shape { time: Some(time), ..bare(TestName::Before) },
            Test::Between(from, to) => Shape { from: Some(from), to: Some(to), ..bare(TestName::Between) },
        }
    }
}

impl TryFrom<Shape> for Condition {
    type Error = ConditionError;

    fn try_from(shape: Shape) -> Result<Self, Self::Error> {
        let Shape { field, test, values, time, from, to } = shape;
        let test = match (test, values, time, from.zip(to)) {
            (TestName::Is, Some(values), None, None) => Test::Is(values),
            (TestName::IsNot, Some(values), None, None) => Test::IsNot(values),
            (TestName::Contains, Some(values), None, None) => Test::Contains(values),
            (TestName::ContainsNot, Some(values), None, None) => Test::ContainsNot(values),
            (TestName::Empty, None, None, None) => Test::Empty,
            (TestName::Present, None, None, None) => Test::Present,
            (TestName::Since, None, Some(time), None) => Test::Since(time),
            (TestName::Before, None, Some(time), None) => Test::Before(time),
            (TestName::Between, None, None, Some((from, to))) => Test::Between(from, to),
            _ => return Err(ConditionError::Misfit { asked: field }),
        };
        Condition::new(field.parse()?, test)
    }
}
