//! One row of a table becomes one card.

use std::collections::BTreeMap;

use crate::domain::contact::{Card, Email, Event, Im, Phone, Relation, Subject, Visibility, Website};
use crate::domain::date::PartialDate;

use super::address_parts::{AddressParts, join};
use super::card_builder::{CardBuilder, Fidelity, Kind, Single};
use super::columns::{Column, Columns};
use super::dates::{self, DateOrder, Reading};
use super::headings::Dialect;
use super::labels::{self, Label};
use super::target::{DatePart, Group, ListField, Target};
use super::warning::Warning;
use super::{clean, emails};

/// Google's separator of several values in one cell.
const SEVERAL: &str = ":::";

/// What Outlook writes where somebody never chose.
const NEVER_CHOSEN: [&str; 3] = ["Unspecified", "Keine Angabe", "Nieokreślona"];

/// What a row says.
pub(super) struct RowCards {
    pub(super) card: Card,
    pub(super) organization: Option<Card>,
    pub(super) warnings: Vec<Warning>,
}

/// Reads one row; `None` when it holds nothing to know a contact by. `orders` has one entry per column.
pub(super) fn read(columns: &Columns, orders: &[DateOrder], cells: &[String]) -> Option<RowCards> {
    let fidelity = match columns.dialect {
        Dialect::Own => Fidelity::Exact,
        Dialect::Google | Dialect::Plain => Fidelity::Tidied,
    };
    let mut reader = RowReader {
        dialect: columns.dialect,
        marks: Marks::collect(columns, cells),
        own: Parts::new(fidelity),
        organization: Parts::new(fidelity),
        warnings: Vec::new(),
    };
    for ((column, &order), cell) in columns.iter().zip(orders).zip(cells) {
        reader.cell(column, order, cell);
    }
    reader.finish()
}

/// Whether a cell says nothing. Pipedrive writes a dash into empty cells.
pub(super) fn is_blank(cell: &str) -> bool {
    matches!(cell.trim(), "" | "-")
}

/// The same, except that our own export writes no dashes: there it is a value.
fn says_nothing(dialect: Dialect, cell: &str) -> bool {
    match dialect {
        Dialect::Own => cell.trim().is_empty(),
        Dialect::Google | Dialect::Plain => is_blank(cell),
    }
}

/// What label columns say about the entries in other columns of the row.
#[derive(Default)]
struct Marks {
    labels: BTreeMap<(ListField, Group), Vec<Label>>,
    protocols: BTreeMap<Group, String>,
    primaries: BTreeMap<ListField, usize>,
}

impl Marks {
    fn collect(columns: &Columns, cells: &[String]) -> Self {
        let mut marks = Marks::default();
        for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| !says_nothing(columns.dialect, cell)) {
            match &column.target {
                Target::LabelOf(field, group) => {
                    let read = |piece: &str| match columns.dialect {
                        Dialect::Own => Label { text: clean::some(clean::line(piece)), is_primary: false },
                        Dialect::Google | Dialect::Plain if *field == ListField::Custom => {
                            Label { text: clean::some(clean::line(piece)), is_primary: false }
                        }
                        Dialect::Google | Dialect::Plain => labels::read(piece),
                    };
                    let pieces = match columns.dialect {
                        Dialect::Own => vec![read(cell)],
                        Dialect::Google | Dialect::Plain => cell.split(SEVERAL).map(read).collect(),
                    };
                    marks.labels.insert((*field, group.clone()), pieces);
                }
                Target::ProtocolOf(group) => {
                    let protocol = match columns.dialect {
                        Dialect::Own => Some(clean::line(cell)),
                        Dialect::Google | Dialect::Plain => labels::canonical(cell),
                    };
                    marks.protocols.extend(protocol.map(|protocol| (group.clone(), protocol)));
                }
                Target::PrimaryOf(field) => {
                    marks.primaries.extend(cell.trim().parse().ok().map(|number| (*field, number)));
                }
                _ => {}
            }
        }
        marks
    }

    /// The label of the `at`-th value of an entry; a single label holds for all of them.
    fn label(&self, field: ListField, group: &Group, at: usize) -> Label {
        let labels = self.labels.get(&(field, group.clone()));
        labels.and_then(|labels| labels.get(at).or_else(|| labels.last())).cloned().unwrap_or_default()
    }
}

/// A card in the making, with its addresses and its birthday still in parts.
struct Parts {
    builder: CardBuilder,
    addresses: Vec<(Group, AddressParts)>,
    birthday: [Option<String>; 3],
}

impl Parts {
    fn new(fidelity: Fidelity) -> Self {
        Parts { builder: CardBuilder::new(fidelity), addresses: Vec::new(), birthday: Default::default() }
    }

    fn address(&mut self, group: &Group) -> &mut AddressParts {
        let at = match self.addresses.iter().position(|(known, _)| known == group) {
            Some(at) => at,
            None => {
                self.addresses.push((group.clone(), AddressParts::default()));
                self.addresses.len() - 1
            }
        };
        &mut self.addresses[at].1
    }

    fn finish(mut self) -> Option<Card> {
        self.builder.addresses.extend(self.addresses.into_iter().filter_map(|(_, parts)| parts.compose()));
        let [year, month, day] = self.birthday;
        if let (Some(month), Some(day)) = (month, day) {
            let text = format!("{month}/{day}/{}", year.as_deref().unwrap_or_default());
            let part = |text: &str| text.parse::<u8>().ok();
            let date = part(&month)
                .zip(part(&day))
                .and_then(|(month, day)| PartialDate::new(year.as_deref().and_then(|y| y.parse().ok()), month, day));
            match date {
                Some(date) => self.builder.birthday(date, "Birthday"),
                None => self.builder.custom("Birthday", &text),
            }
        }
        self.builder.finish()
    }
}

struct RowReader {
    dialect: Dialect,
    marks: Marks,
    own: Parts,
    organization: Parts,
    warnings: Vec<Warning>,
}

impl RowReader {
    fn cell(&mut self, column: &Column, order: DateOrder, cell: &str) {
        let value = match self.dialect {
            Dialect::Own => clean::value(cell),
            Dialect::Google | Dialect::Plain => clean::value(clean::without_dress(cell.trim())),
        };
        if says_nothing(self.dialect, &value) {
            return;
        }
        let mut context =
            CellContext { dialect: self.dialect, marks: &self.marks, order, column, warnings: &mut self.warnings };
        match &column.target {
            Target::OfOrganization(inner) => context.put(inner, &mut self.organization, &value),
            target => context.put(target, &mut self.own, &value),
        }
    }

    fn finish(mut self) -> Option<RowCards> {
        for (field, number) in std::mem::take(&mut self.marks.primaries) {
            let at = number.wrapping_sub(1);
            match field {
                ListField::Emails => self.own.builder.emails.get_mut(at).map(|email| email.primary = true),
                _ => self.own.builder.phones.get_mut(at).map(|phone| phone.primary = true),
            };
        }
        let mut organization = self.organization;
        organization.builder.kind = Some(Kind::Organization);
        let Some(mut card) = self.own.finish() else {
            // A row may hold nothing but the organization's phone; that is something to know it by.
            let card = organization.finish()?;
            return Some(RowCards { card, organization: None, warnings: self.warnings });
        };
        let organization = match named_organization(&card) {
            Some(name) => organization.finish_beyond_name(name),
            None => {
                // The contact is the organization itself, or a person without one: then the values are its own.
                organization.finish_nameless().into_iter().for_each(|about| unite(&mut card, about));
                None
            }
        };
        Some(RowCards { card, organization, warnings: self.warnings })
    }
}

impl Parts {
    /// What a row tells of an organization beyond its name; `None` when that is nothing.
    fn finish_beyond_name(mut self, name: String) -> Option<Card> {
        self.builder.single(Single::Organization, &name, "Organization");
        let about = self.finish()?;
        (about != Card::organization(name)).then_some(about)
    }

    /// The same where nobody says its name.
    fn finish_nameless(mut self) -> Option<Card> {
        // Without some name there would be no card; it is taken off again.
        self.builder.single(Single::Organization, "?", "Organization");
        self.finish()
    }
}

/// The organization that a person's card names.
fn named_organization(card: &Card) -> Option<String> {
    card.as_person()?.organization.as_ref().map(|organization| organization.name.clone())
}

/// Adds to a card what columns of the organization say, all but the name.
fn unite(card: &mut Card, about: Card) {
    let add_primary = (card.emails.is_empty(), card.phones.is_empty());
    card.emails
        .extend(about.emails.into_iter().map(|email| Email { primary: email.primary && add_primary.0, ..email }));
    card.phones
        .extend(about.phones.into_iter().map(|phone| Phone { primary: phone.primary && add_primary.1, ..phone }));
    card.addresses.extend(about.addresses);
    card.websites.extend(about.websites);
    card.labels.extend(about.labels);
    card.owner = card.owner.take().or(about.owner);
    card.visibility = card.visibility.or(about.visibility);
    card.notes = join(card.notes.take(), about.notes, "\n");
    for (key, value) in about.custom {
        card.custom.entry(key).or_insert(value);
    }
    if let (Subject::Organization(organization), Subject::Organization(other)) = (&mut card.subject, about.subject) {
        organization.industry = organization.industry.take().or(other.industry);
    }
}

/// One cell with all that decides how it is read.
struct CellContext<'a> {
    dialect: Dialect,
    marks: &'a Marks,
    order: DateOrder,
    column: &'a Column,
    warnings: &'a mut Vec<Warning>,
}

impl CellContext<'_> {
    fn put(&mut self, target: &Target, parts: &mut Parts, value: &str) {
        match target {
            Target::Email { label, group } => self.emails(parts, label.as_ref(), group, value),
            Target::Phone { label, group } => self.phones(parts, label.as_ref(), group, value),
            Target::Website { label, group } => {
                for (at, piece) in self.pieces(value) {
                    let label = self.label(ListField::Websites, group, at, label.as_ref()).text;
                    parts.builder.websites.push(Website { value: clean::line(piece), label });
                }
            }
            Target::Address { label, group, part } => {
                let marked = self.marks.label(ListField::Addresses, group, 0).text;
                let address = parts.address(group);
                address.label = address.label.take().or_else(|| label.clone()).or(marked);
                address.parts.push((*part, value.to_owned()));
            }
            Target::Im { protocol, label, group } => {
                for (at, piece) in self.pieces(value) {
                    let label = self.label(ListField::Ims, group, at, label.as_ref()).text;
                    let protocol = self.marks.protocols.get(group).cloned().or_else(|| protocol.clone());
                    parts.builder.ims.push(Im { value: clean::line(piece), protocol, label });
                }
            }
            Target::Relation { label, group } => {
                for (at, piece) in self.pieces(value) {
                    let label = self.label(ListField::Relations, group, at, label.as_ref()).text;
                    parts.builder.relations.push(Relation { value: clean::line(piece), label });
                }
            }
            Target::Event { label, group } => {
                let label = self.label(ListField::Events, group, 0, label.as_ref()).text;
                if let Some(date) = self.date(parts, value) {
                    parts.builder.events.push(Event { label, date });
                }
            }
            Target::Birthday => {
                if let Some(date) = self.date(parts, value) {
                    parts.builder.birthday(date, &self.column.heading);
                }
            }
            Target::BirthdayPart(part) => {
                let at = match part {
                    DatePart::Year => 0,
                    DatePart::Month => 1,
                    DatePart::Day => 2,
                };
                parts.birthday[at] = Some(value.to_owned());
            }
            Target::Custom { .. } if NEVER_CHOSEN.contains(&value) && self.dialect != Dialect::Own => {}
            Target::Custom { key, group } => {
                let marked = || self.marks.label(ListField::Custom, group, 0).text;
                let key = clean::some(key.clone()).or_else(marked).unwrap_or_else(|| self.column.heading.clone());
                parts.builder.custom(&key, value);
            }
            simple => self.simple(simple, &mut parts.builder, value),
        }
    }

    fn simple(&self, target: &Target, builder: &mut CardBuilder, value: &str) {
        let heading = self.column.heading.as_str();
        match target {
            Target::Name(part) => builder.name_part(*part, value),
            Target::Organization => builder.single(Single::Organization, value, heading),
            Target::JobTitle => builder.single(Single::JobTitle, value, heading),
            Target::Department => builder.single(Single::Department, value, heading),
            Target::Industry => builder.single(Single::Industry, value, heading),
            Target::Notes => builder.note(value),
            Target::Kind => {
                builder.kind = match value {
                    "person" => Some(Kind::Person),
                    "organization" => Some(Kind::Organization),
                    _ => None,
                }
            }
            // An owner is a user of ours, known by the e-mail address; another system's user name is kept as text.
            Target::Owner if value.contains('@') || self.dialect == Dialect::Own => {
                builder.single(Single::Owner, value, heading);
            }
            Target::Owner => builder.custom(heading, value),
            Target::Visibility if Visibility::parse(value).is_some() => {
                builder.single(Single::Visibility, value, heading);
            }
            Target::Visibility => builder.custom(heading, value),
            Target::Nickname if self.dialect == Dialect::Own => builder.nickname(value),
            Target::Nickname => value.split(SEVERAL).for_each(|piece| builder.nickname(piece)),
            Target::Labels => self.labels(builder, value),
            _ => {}
        }
    }

    /// The values of a cell that may hold several between ` ::: `.
    fn pieces<'v>(&self, value: &'v str) -> impl Iterator<Item = (usize, &'v str)> + use<'v> {
        let separator = if self.dialect == Dialect::Own { "\u{0}" } else { SEVERAL };
        value.split(separator).map(str::trim).filter(|piece| !piece.is_empty()).enumerate()
    }

    fn label(&self, field: ListField, group: &Group, at: usize, fixed: Option<&String>) -> Label {
        match fixed {
            Some(text) => Label { text: Some(text.clone()), is_primary: false },
            None => self.marks.label(field, group, at),
        }
    }

    fn emails(&mut self, parts: &mut Parts, fixed: Option<&String>, group: &Group, value: &str) {
        if self.dialect == Dialect::Own {
            let label = self.label(ListField::Emails, group, 0, fixed).text;
            parts.builder.emails.push(Email { value: value.to_owned(), label, primary: false });
            return;
        }
        for (at, piece) in self.pieces(value) {
            let found = emails::find(piece);
            let label = self.label(ListField::Emails, group, at, fixed);
            for address in found.addresses {
                let (label, primary) = (label.text.clone(), label.is_primary);
                parts.builder.emails.push(Email { value: address, label, primary });
            }
            for rest in found.rest {
                self.warnings.push(Warning::NotAnEmail { heading: self.column.heading.clone() });
                parts.builder.custom(&self.column.heading, &rest);
            }
        }
    }

    fn phones(&mut self, parts: &mut Parts, fixed: Option<&String>, group: &Group, value: &str) {
        if self.dialect == Dialect::Own {
            let label = self.label(ListField::Phones, group, 0, fixed).text;
            parts.builder.phones.push(Phone { value: value.to_owned(), label, primary: false });
            return;
        }
        for (at, piece) in self.pieces(value) {
            let label = self.label(ListField::Phones, group, at, fixed);
            for number in piece.split([';', '\n']).map(clean::phone).filter(|number| !number.is_empty()) {
                if is_number(&number) {
                    let (label, primary) = (label.text.clone(), label.is_primary);
                    parts.builder.phones.push(Phone { value: number, label, primary });
                } else {
                    self.warnings.push(Warning::NotAPhone { heading: self.column.heading.clone() });
                    parts.builder.custom(&self.column.heading, &number);
                }
            }
        }
    }

    /// Reads a date; a text that is none, or two, goes to the custom field of the heading.
    fn date(&mut self, parts: &mut Parts, value: &str) -> Option<PartialDate> {
        if self.dialect == Dialect::Own
            && let Ok(date) = value.parse()
        {
            return Some(date);
        }
        let heading = self.column.heading.clone();
        let warning = match dates::read(value, self.order) {
            Reading::Empty => return None,
            Reading::Date(date) => return Some(date),
            Reading::Ambiguous => Warning::AmbiguousDate { heading },
            Reading::Unreadable => Warning::UnreadableDate { heading },
        };
        self.warnings.push(warning);
        parts.builder.custom(&self.column.heading, value);
        None
    }

    fn labels(&self, builder: &mut CardBuilder, value: &str) {
        let at_commas = self.dialect == Dialect::Plain && !value.contains(SEVERAL);
        let pieces: Vec<&str> = match at_commas {
            true => value.split([',', ';', '\n']).collect(),
            false => value.split(SEVERAL).collect(),
        };
        for piece in pieces.into_iter().map(str::trim) {
            // A star marks the groups that Google makes by itself: `* myContacts`.
            if !piece.starts_with("* ") || self.dialect == Dialect::Own {
                builder.label(piece);
            }
        }
    }
}

/// A phone number has a digit, and is not one that a spreadsheet has already ruined: `4.91724E+12`.
fn is_number(text: &str) -> bool {
    let is_ruined = text.to_ascii_uppercase().split_once("E+").is_some_and(|(mantissa, exponent)| {
        mantissa.contains(['.', ','])
            && mantissa.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
            && exponent.chars().all(|c| c.is_ascii_digit())
    });
    text.chars().any(|c| c.is_numeric()) && !is_ruined
}
