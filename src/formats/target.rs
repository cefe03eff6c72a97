//! Where the values of a column go.
//!
//! The text form is what a file map uses and what a preview prints: `name.given`, `email.work`, `phone.mobile`,
//! `address.work.city`, `organization`, `organization.address.city`, `custom.Price list`, `label`, `deal.title`, `note`, `ignore`.

use std::fmt;
use std::str::FromStr;

use super::entry_target::{ActivityPart, DealPart};

/// A part of a person's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is the part of that name")]
pub enum NamePart {
    Full,
    Prefix,
    Given,
    Middle,
    Family,
    Suffix,
}

/// A part of a postal address, as columns divide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPart {
    /// Street and number.
    Street,
    /// Another line below the street, with its place among them.
    StreetLine(u8),
    /// The number, when the street comes without it.
    HouseNumber,
    /// Floor, building, care of.
    Extended,
    /// The post office box.
    PoBox,
    /// The town.
    City,
    /// State, province, canton.
    Region,
    /// The postal code.
    PostalCode,
    /// The country.
    Country,
    /// Postal code and town in one cell.
    PostalCodeAndCity,
    /// The whole address in one cell; used only where no column holds the street.
    Formatted,
}

/// A part of a date that is spread over three columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the part of that name")]
pub enum DatePart {
    Year,
    Month,
    Day,
}

/// The fields that hold several entries, each under a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum ListField {
    Emails,
    Phones,
    Addresses,
    Websites,
    Ims,
    Events,
    Relations,
    Custom,
}

/// Which entry of a list a column belongs to. Columns of one entry share the group: its value, its label, its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Group(pub(super) String);

impl Group {
    pub(super) fn named(name: impl Into<String>) -> Self {
        Group(name.into())
    }
}

/// Where the values of a column go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Nowhere.
    Ignore,
    /// `person` or `organization`; only our own export has this column.
    Kind,
    /// The person's name.
    Name(NamePart),
    /// An e-mail address, or several in one cell.
    Email {
        /// The label that all addresses of the column have.
        label: Option<String>,
        /// Its entry.
        group: Group,
    },
    /// A phone number, or several in one cell.
    Phone {
        /// The label that all numbers of the column have.
        label: Option<String>,
        /// Its entry.
        group: Group,
    },
    /// A part of an address.
    Address {
        /// The label of the address.
        label: Option<String>,
        /// Its entry.
        group: Group,
        /// Which part.
        part: AddressPart,
    },
    /// A web site.
    Website {
        /// The label of the web site.
        label: Option<String>,
        /// Its entry.
        group: Group,
    },
    /// A name at an instant messenger.
    Im {
        /// The messenger.
        protocol: Option<String>,
        /// The label of the name.
        label: Option<String>,
        /// Its entry.
        group: Group,
    },
    /// A day to remember.
    Event {
        /// What happened that day.
        label: Option<String>,
        /// Its entry.
        group: Group,
    },
    /// Somebody related.
    Relation {
        /// How they are related.
        label: Option<String>,
        /// Its entry.
        group: Group,
    },
    /// The label of the entry in the same group.
    LabelOf(ListField, Group),
    /// The messenger of the entry in the same group.
    ProtocolOf(Group),
    /// The number of the entry that is primary; only our own export has this column.
    PrimaryOf(ListField),
    /// The name of the organization: the person's, or the contact's own if it is an organization.
    Organization,
    /// Something about the person's organization that is not its name.
    OfOrganization(Box<Target>),
    /// The position.
    JobTitle,
    /// The department.
    Department,
    /// The line of business.
    Industry,
    /// The birthday.
    Birthday,
    /// A part of the birthday.
    BirthdayPart(DatePart),
    /// Nicknames.
    Nickname,
    /// Free text.
    Notes,
    /// Labels, several in one cell.
    Labels,
    /// The user who looks after the contact.
    Owner,
    /// Who may see the contact.
    Visibility,
    /// A custom field under this key; with an empty key the label column of the group names it.
    Custom {
        /// The key.
        key: String,
        /// Its entry.
        group: Group,
    },
    /// A part of the deal that the row tells of.
    Deal(DealPart),
    /// A custom field of that deal, under this key.
    DealCustom(String),
    /// A part of the activity that the row tells of.
    Activity(ActivityPart),
    /// A note about the contact, which stands beside it; [`Target::Notes`] stand in it.
    Note,
}

/// The text names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no target; expected {EXPECTED}")]
pub struct ParseTargetError {
    text: String,
}

const EXPECTED: &str = "name.full, name.prefix, name.given, name.middle, name.family, name.suffix, email, email.LABEL, \
     phone, phone.LABEL, address.PART or address.LABEL.PART (PART is street, house_number, extended, po_box, city, \
     region, postal_code, country or formatted), website, website.LABEL, im.PROTOCOL, event.LABEL, relation.LABEL, \
     organization, organization.TARGET, job_title, department, industry, birthday, nickname, notes, label, owner, \
     visibility, custom.KEY, deal.title, deal.value, deal.currency, deal.pipeline, deal.stage, deal.status, deal.lost_reason, \
     deal.expected_close, deal.owner, deal.label, deal.custom.KEY, activity.subject, activity.type, activity.due, \
     activity.time, activity.done, activity.note, note or ignore";

const PARTS: [(&str, AddressPart); 12] = [
    ("street", AddressPart::Street),
    ("street_2", AddressPart::StreetLine(2)),
    ("street_3", AddressPart::StreetLine(3)),
    ("house_number", AddressPart::HouseNumber),
    ("extended", AddressPart::Extended),
    ("po_box", AddressPart::PoBox),
    ("city", AddressPart::City),
    ("region", AddressPart::Region),
    ("postal_code", AddressPart::PostalCode),
    ("country", AddressPart::Country),
    ("postal_code_and_city", AddressPart::PostalCodeAndCity),
    ("formatted", AddressPart::Formatted),
];

const NAME_PARTS: [(&str, NamePart); 6] = [
    ("full", NamePart::Full),
    ("prefix", NamePart::Prefix),
    ("given", NamePart::Given),
    ("middle", NamePart::Middle),
    ("family", NamePart::Family),
    ("suffix", NamePart::Suffix),
];

const DATE_PARTS: [(&str, DatePart); 3] =
    [("year", DatePart::Year), ("month", DatePart::Month), ("day", DatePart::Day)];

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.trim()).ok_or_else(|| ParseTargetError { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<Target> {
    let (head, rest) = match text.split_once('.') {
        Some((head, rest)) if !rest.trim().is_empty() => (head, Some(rest.trim())),
        Some(_) => return None,
        None => (text, None),
    };
    let group = Group::default();
    let label = rest.map(str::to_owned);
    let target = match (head, rest) {
        ("name", Some(part)) => Target::Name(find(&NAME_PARTS, part)?),
        ("email", _) => Target::Email { label, group },
        ("phone", _) => Target::Phone { label, group },
        ("website", _) => Target::Website { label, group },
        ("event", _) => Target::Event { label, group },
        ("relation", _) => Target::Relation { label, group },
        ("im", Some(rest)) => {
            let (protocol, label) =
                rest.split_once('.').map_or((rest, None), |(protocol, label)| (protocol, Some(label)));
            Target::Im { protocol: Some(protocol.to_owned()), label: label.map(str::to_owned), group }
        }
        ("im", None) => Target::Im { protocol: None, label: None, group },
        ("address", Some(rest)) => {
            let (label, part) = rest.rsplit_once('.').map_or((None, rest), |(label, part)| (Some(label), part));
            let group = Group::named(label.unwrap_or_default());
            Target::Address { label: label.map(str::to_owned), group, part: find(&PARTS, part)? }
        }
        ("organization", Some(rest)) => match parse(rest)? {
            Target::OfOrganization(_) | Target::Organization => return None,
            Target::Deal(_) | Target::DealCustom(_) | Target::Activity(_) | Target::Note => return None,
            inner => Target::OfOrganization(Box::new(inner)),
        },
        ("deal", Some(rest)) => match rest.split_once('.') {
            Some(("custom", key)) if !key.trim().is_empty() => Target::DealCustom(key.trim().to_owned()),
            _ => Target::Deal(DealPart::named(rest)?),
        },
        ("activity", Some(part)) => Target::Activity(ActivityPart::named(part)?),
        ("birthday", Some(part)) => Target::BirthdayPart(find(&DATE_PARTS, part)?),
        ("custom", Some(key)) => Target::Custom { key: key.to_owned(), group },
        (_, Some(_)) => return None,
        ("organization", None) => Target::Organization,
        ("job_title", None) => Target::JobTitle,
        ("department", None) => Target::Department,
        ("industry", None) => Target::Industry,
        ("birthday", None) => Target::Birthday,
        ("nickname", None) => Target::Nickname,
        ("notes", None) => Target::Notes,
        ("note", None) => Target::Note,
        ("label" | "labels", None) => Target::Labels,
        ("owner", None) => Target::Owner,
        ("visibility", None) => Target::Visibility,
        ("kind", None) => Target::Kind,
        ("ignore", None) => Target::Ignore,
        _ => return None,
    };
    Some(target)
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("?", |(name, _)| name)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labelled = |f: &mut fmt::Formatter<'_>, name: &str, label: &Option<String>| match label {
            Some(label) => write!(f, "{name}.{label}"),
            None => f.write_str(name),
        };
        match self {
            Target::Ignore => f.write_str("ignore"),
            Target::Kind => f.write_str("kind"),
            Target::Name(part) => write!(f, "name.{}", name_of(&NAME_PARTS, part)),
            Target::Email { label, .. } => labelled(f, "email", label),
            Target::Phone { label, .. } => labelled(f, "phone", label),
            Target::Website { label, .. } => labelled(f, "website", label),
            Target::Event { label, .. } => labelled(f, "event", label),
            Target::Relation { label, .. } => labelled(f, "relation", label),
            Target::Address { label, part, .. } => {
                labelled(f, "address", label)?;
                match part {
                    AddressPart::StreetLine(line) => write!(f, ".street_{line}"),
                    part => write!(f, ".{}", name_of(&PARTS, part)),
                }
            }
            Target::Im { protocol, label, .. } => {
                labelled(f, "im", protocol)?;
                label.as_ref().map_or(Ok(()), |label| write!(f, ".{label}"))
            }
            Target::LabelOf(field, group) => write!(f, "(label of {} {})", field.noun(), group.0),
            Target::ProtocolOf(group) => write!(f, "(protocol of im {})", group.0),
            Target::PrimaryOf(field) => write!(f, "(which {} is primary)", field.noun()),
            Target::Organization => f.write_str("organization"),
            Target::OfOrganization(inner) => write!(f, "organization.{inner}"),
            Target::JobTitle => f.write_str("job_title"),
            Target::Department => f.write_str("department"),
            Target::Industry => f.write_str("industry"),
            Target::Birthday => f.write_str("birthday"),
            Target::BirthdayPart(part) => write!(f, "birthday.{}", name_of(&DATE_PARTS, part)),
            Target::Nickname => f.write_str("nickname"),
            Target::Notes => f.write_str("notes"),
            Target::Labels => f.write_str("label"),
            Target::Owner => f.write_str("owner"),
            Target::Visibility => f.write_str("visibility"),
            Target::Custom { key, .. } => write!(f, "custom.{key}"),
            Target::Deal(part) => write!(f, "deal.{}", part.as_str()),
            Target::DealCustom(key) => write!(f, "deal.custom.{key}"),
            Target::Activity(part) => write!(f, "activity.{}", part.as_str()),
            Target::Note => f.write_str("note"),
        }
    }
}

impl ListField {
    pub(super) fn noun(self) -> &'static str {
        match self {
            ListField::Emails => "email",
            ListField::Phones => "phone",
            ListField::Addresses => "address",
            ListField::Websites => "website",
            ListField::Ims => "im",
            ListField::Events => "event",
            ListField::Relations => "relation",
            ListField::Custom => "custom",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_round_trip_as_text() {
        for text in [
            "name.full",
            "name.given",
            "email",
            "email.work",
            "phone.mobile",
            "address.city",
            "address.work.postal_code",
            "address.work.street_2",
            "website.blog",
            "im.jabber",
            "im.jabber.work",
            "event.anniversary",
            "relation.spouse",
            "organization",
            "organization.address.city",
            "organization.industry",
            "job_title",
            "birthday",
            "birthday.month",
            "label",
            "custom.Price list",
            "custom.a.b",
            "deal.title",
            "deal.expected_close",
            "deal.label",
            "deal.custom.Price list",
            "activity.due",
            "note",
            "ignore",
        ] {
            assert_eq!(text.parse::<Target>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn wrong_targets_are_refused_with_the_right_ones() {
        for text in [
            "",
            "name",
            "name.first",
            "address",
            "address.work",
            "custom",
            "custom. ",
            "fax",
            "notes.x",
            "deal",
            "deal.x",
            "organization.deal.title",
            "note.x",
        ] {
            let error = text.parse::<Target>().expect_err(text).to_string();
            assert!(error.contains("expected name.full"), "{error}");
        }
    }
}
