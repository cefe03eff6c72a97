//! One row of a table becomes one card.

use std::collections::BTreeMap;

use crate::domain::contact::{Card, Email, Event, Im, Phone, Relation, Subject, Visibility, Website};
use crate::domain::date::PartialDate;

use super::address_parts::{AddressParts, join};
use super::amounts::DecimalMark;
use super::card_builder::{CardBuilder, Fidelity, Kind, Single};
use super::columns::{Column, Columns};
use super::dates::{self, Reading};
use super::headings::Dialect;
use super::labels::{self, Label};
use super::phone_cells::{self, Piece};
use super::row_entries::{self, DraftEntries, Style};
use super::table::CellMark;
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
    pub(super) entries: DraftEntries,
    pub(super) warnings: Vec<Warning>,
}

/// The cells of a row.
pub(super) struct Cells {
    pub(super) texts: Vec<String>,
    pub(super) marks: Vec<(usize, CellMark)>,
}

impl Cells {
    fn mark(&self, column: usize) -> Option<&CellMark> {
        self.marks.iter().find(|(at, _)| *at == column).map(|(_, mark)| mark)
    }
}

/// Reads one row. `styles` has one entry per column.
///
/// # Errors
/// Why it cannot be used: there is nothing to know a contact by, or a value of what hangs on it cannot be read.
pub(super) fn read(columns: &Columns, styles: &[Style], cells: &Cells) -> Result<RowCards, String> {
    let fidelity = match columns.dialect {
        Dialect::Own => Fidelity::Exact,
        Dialect::Google | Dialect::Plain => Fidelity::Tidied,
    };
    let mut reader = RowReader {
        dialect: columns.dialect,
        marks: Marks::collect(columns, &cells.texts),
        own: Parts::new(fidelity),
        organization: Parts::new(fidelity),
        entries: DraftEntries::default(),
        deal_headings: Vec::new(),
        warnings: Vec::new(),
    };
    for (at, (column, style)) in columns.iter().zip(styles).enumerate() {
        let mark = cells.mark(at);
        reader.mark(column, mark)?;
        if let Some(cell) = cells.texts.get(at) {
            reader.cell(column, *style, mark, cell)?;
        }
    }
    let why = reader.why_nobody();
    reader.finish().ok_or(why)
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
    entries: DraftEntries,
    /// The columns that say something of the deal.
    deal_headings: Vec<String>,
    warnings: Vec<Warning>,
}

impl RowReader {
    /// Tells what is wrong with a cell whose text does not say it.
    fn mark(&mut self, column: &Column, mark: Option<&CellMark>) -> Result<(), String> {
        let heading = column.heading.clone();
        match mark {
            _ if column.target == Target::Ignore => {}
            None | Some(CellMark::Number) => {}
            Some(CellMark::Uncalculated) => {
                return Err(format!(
                    "{heading}: the cell holds a formula that was never calculated; open the file in a spreadsheet \
                     program and save it"
                ));
            }
            Some(CellMark::Nothing) => self.warnings.push(Warning::EmptyFormula { heading }),
            Some(CellMark::Failed(value)) => {
                self.warnings.push(Warning::FailedFormula { heading, value: value.clone() });
            }
        }
        Ok(())
    }

    fn cell(&mut self, column: &Column, mut style: Style, mark: Option<&CellMark>, cell: &str) -> Result<(), String> {
        let value = match self.dialect {
            Dialect::Own => clean::value(cell),
            Dialect::Google | Dialect::Plain => clean::value(clean::without_dress(cell.trim())),
        };
        if says_nothing(self.dialect, &value) {
            return Ok(());
        }
        let is_counted = mark == Some(&CellMark::Number);
        if is_counted {
            // A sheet keeps numbers as such, whatever they look like on the screen.
            style.decimal = DecimalMark::Point;
        }
        if self.put_entry(&column.target, &value, style)? {
            if matches!(column.target, Target::Deal(_) | Target::DealCustom(_)) {
                self.deal_headings.push(column.heading.clone());
            }
            return Ok(());
        }
        if self.dialect != Dialect::Own && looks_like_formula(&value) {
            let heading = column.heading.clone();
            self.warnings.push(Warning::FormulaAsText { heading, value: value.clone() });
        }
        let dialect = self.dialect;
        let mut context =
            CellContext { dialect, marks: &self.marks, style, is_counted, column, warnings: &mut self.warnings };
        match &column.target {
            Target::OfOrganization(inner) => context.put(inner, &mut self.organization, &value),
            target => context.put(target, &mut self.own, &value),
        }
        Ok(())
    }

    /// Puts a cell into what hangs on the contact, if it belongs there.
    fn put_entry(&mut self, target: &Target, value: &str, style: Style) -> Result<bool, String> {
        let entries = &mut self.entries;
        match target {
            Target::Deal(part) => {
                row_entries::put_deal(entries.deal.get_or_insert_default(), *part, value, style)?;
            }
            Target::DealCustom(key) => {
                let deal = entries.deal.get_or_insert_default();
                deal.custom.entry(key.clone()).or_insert_with(|| value.to_owned());
            }
            Target::Activity(part) => {
                row_entries::put_activity(entries.activity.get_or_insert_default(), *part, value, style)?;
            }
            Target::Note if !entries.notes.iter().any(|note| note == value) => entries.notes.push(value.to_owned()),
            Target::Note => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What to say when there is nothing to know a contact by.
    fn why_nobody(&self) -> String {
        match self.entries.deal.as_ref().and_then(|deal| deal.title.as_ref()) {
            Some(title) => format!("the deal {title:?} has neither a person nor an organization"),
            None => "no name, e-mail, phone or organization".to_owned(),
        }
    }

    /// A deal that is only a currency or a stage, as columns with one value throughout have it, is none.
    fn settle_deal(&mut self) {
        let Some(deal) = &mut self.entries.deal else { return };
        if deal.title.is_none() && deal.value.is_none() {
            self.entries.deal = None;
            self.warnings.push(Warning::NoDeal { headings: std::mem::take(&mut self.deal_headings) });
        }
    }

    fn finish(mut self) -> Option<RowCards> {
        self.settle_deal();
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
            return Some(RowCards { card, organization: None, entries: self.entries, warnings: self.warnings });
        };
        let organization = match named_organization(&card) {
            Some(name) => organization.finish_beyond_name(name),
            None => {
                // The contact is the organization itself, or a person without one: then the values are its own.
                organization.finish_nameless().into_iter().for_each(|about| unite(&mut card, about));
                None
            }
        };
        Some(RowCards { card, organization, entries: self.entries, warnings: self.warnings })
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
    style: Style,
    is_counted: bool,
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
                let heading = self.column.heading.clone();
                self.warnings.push(Warning::NotAnEmail { heading, value: rest.clone() });
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
            for piece in phone_cells::pieces(piece, self.is_counted) {
                let heading = self.column.heading.clone();
                let (value, odd) = match piece {
                    Piece::Phone(value) => (value, None),
                    Piece::Digits(value) => (value.clone(), Some(Warning::PhoneAsNumber { heading, value })),
                    Piece::Ruined(value) => {
                        parts.builder.custom(&heading, &value);
                        self.warnings.push(Warning::RuinedPhone { heading, value });
                        continue;
                    }
                    Piece::Other(value) => {
                        parts.builder.custom(&heading, &value);
                        self.warnings.push(Warning::NotAPhone { heading, value });
                        continue;
                    }
                };
                self.warnings.extend(odd);
                let (label, primary) = (label.text.clone(), label.is_primary);
                parts.builder.phones.push(Phone { value, label, primary });
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
        let (heading, text) = (self.column.heading.clone(), value.to_owned());
        let warning = match dates::read(value, self.style.order) {
            Reading::Empty => return None,
            Reading::Date(date) => return Some(date),
            Reading::Ambiguous => Warning::AmbiguousDate { heading, value: text },
            Reading::Unreadable => Warning::UnreadableDate { heading, value: text },
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

/// Whether a text is a formula of a spreadsheet rather than a text that begins with its sign: `=A1*2`, `=SUM(B2:B9)`.
fn looks_like_formula(text: &str) -> bool {
    text.strip_prefix('=').is_some_and(|rest| {
        let is_call = rest.contains('(') && rest.ends_with(')');
        let is_sum = rest.contains(['+', '*', '/', '&', '!', ':']) && rest.chars().any(|c| c.is_ascii_digit());
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '$') && (is_call || is_sum)
    })
}
