//! One property of a card, looked at the way we need it.

use calcard::common::IanaString;
use calcard::vcard::{VCard, VCardEntry, VCardParameterName, VCardParameterValue, VCardValue};

use super::super::clean;
use super::super::dates::{self, DateOrder, Reading};
use super::super::labels;
use super::tables;
use crate::domain::date::PartialDate;

/// Types that say nothing about where or what for.
const IDLE_TYPES: [&str; 21] = [
    "VOICE",
    "INTERNET",
    "PREF",
    "MSG",
    "TEXT",
    "TEXTPHONE",
    "POSTAL",
    "PARCEL",
    "DOM",
    "INTL",
    "X400",
    "BBS",
    "MODEM",
    "DATE",
    "URI",
    "URL",
    "X-PREF",
    "PERSONAL",
    "CONTACT",
    "JPEG",
    "PNG",
];

/// A property with the card around it, for its label.
pub(super) struct Property<'c> {
    entry: &'c VCardEntry,
    card: &'c VCard,
}

/// What the types of a property say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Types {
    place: Option<&'static str>,
    device: Option<&'static str>,
    other: Option<String>,
}

impl<'c> Property<'c> {
    /// The properties of a card, in order.
    pub(super) fn all(card: &'c VCard) -> impl Iterator<Item = Property<'c>> {
        card.entries.iter().map(move |entry| Property { entry, card })
    }

    /// Its name in capitals.
    pub(super) fn name(&self) -> String {
        self.entry.name.as_str().trim().to_ascii_uppercase()
    }

    /// The value as one text; lists are joined with commas.
    pub(super) fn text(&self) -> String {
        clean::value(&self.values().join(","))
    }

    /// The values between separators, each with its list joined by `separator`.
    pub(super) fn components(&self, separator: &str) -> Vec<String> {
        let one = |value: &VCardValue| match value {
            VCardValue::Component(list) => {
                let filled: Vec<String> =
                    list.iter().map(|text| clean::value(text)).filter(|text| !text.is_empty()).collect();
                filled.join(separator)
            }
            value => clean::value(&text_of(value)),
        };
        self.entry.values.iter().map(one).collect()
    }

    /// The values of a list.
    pub(super) fn values(&self) -> Vec<String> {
        self.entry.values.iter().map(text_of).collect()
    }

    /// The value as a date. `Err` holds the text when it is none, such as a year alone.
    pub(super) fn date(&self) -> Result<Option<PartialDate>, String> {
        let text = clean::line(&self.text());
        match dates::read(&text, DateOrder::Unproven) {
            Reading::Empty => Ok(None),
            Reading::Date(date) => Ok(Some(self.without_omitted_year(date))),
            Reading::Ambiguous | Reading::Unreadable => Err(text),
        }
    }

    /// Apple writes some year where none is known and says so in a parameter.
    fn without_omitted_year(&self, date: PartialDate) -> PartialDate {
        let omitted: Option<u16> = self.param("X-APPLE-OMIT-YEAR").and_then(|year| year.trim().parse().ok());
        match date.year() {
            year @ Some(_) if year == omitted => PartialDate::new(None, date.month(), date.day()).unwrap_or(date),
            _ => date,
        }
    }

    /// The first value of a parameter.
    pub(super) fn param(&self, name: &str) -> Option<String> {
        let param = self.entry.params.iter().find(|param| param.name.as_str().eq_ignore_ascii_case(name))?;
        param_text(&param.value)
    }

    /// The label of the group, if it has one.
    pub(super) fn group_label(&self) -> Option<String> {
        self.in_group(tables::LABEL)
    }

    /// The value of another property in the same group.
    pub(super) fn in_group(&self, name: &str) -> Option<String> {
        let group = self.entry.group.as_deref()?;
        let is_same = |other: &str| other.eq_ignore_ascii_case(group);
        let found = Property::all(self.card)
            .find(|other| other.name() == name && other.entry.group.as_deref().is_some_and(is_same))?;
        clean::some(clean::line(&found.text()))
    }

    /// How much it is preferred; the smallest number wins. `None` when nothing says so.
    pub(super) fn preference(&self) -> Option<u32> {
        let rank = self.entry.params.iter().find(|param| param.name == VCardParameterName::Pref).map(|param| {
            match &param.value {
                VCardParameterValue::Integer(rank) => *rank,
                _ => 1,
            }
        });
        rank.or_else(|| self.types_text().any(|text| text == "PREF").then_some(1))
    }

    /// What its types say.
    pub(super) fn types(&self) -> Types {
        let mut types = Types::default();
        for text in self.types_text() {
            match text.as_str() {
                "WORK" => types.place = types.place.or(Some("work")),
                "HOME" => types.place = types.place.or(Some("home")),
                "OTHER" => types.place = types.place.or(Some("other")),
                "CELL" | "MOBILE" | "IPHONE" | "X-MOBIL" => types.device = types.device.or(Some("mobile")),
                "FAX" => types.device = Some("fax"),
                "PAGER" => types.device = Some("pager"),
                "MAIN" | "MAIN-NUMBER" => types.device = types.device.or(Some("main")),
                "CAR" => types.device = types.device.or(Some("car")),
                idle if idle.is_empty() || IDLE_TYPES.contains(&idle) => {}
                _ => types.other = types.other.or_else(|| self.spelled_type(&text)),
            }
        }
        types
    }

    /// An unusual type in its own spelling, without `X-`.
    fn spelled_type(&self, upper: &str) -> Option<String> {
        let texts = self.entry.params.iter().flat_map(types_in);
        let spelled = texts.into_iter().find(|text| text.to_ascii_uppercase() == upper)?;
        let bare = match spelled.get(..2) {
            Some(mark) if mark.eq_ignore_ascii_case("x-") => &spelled[2..],
            _ => &spelled,
        };
        labels::canonical(bare)
    }

    /// All types in capitals. Version 2.1 writes them without `TYPE=`.
    fn types_text(&self) -> impl Iterator<Item = String> {
        self.entry.params.iter().flat_map(types_in).map(|text| text.to_ascii_uppercase())
    }
}

impl Types {
    /// The label of an e-mail, address or web site.
    pub(super) fn place(self) -> Option<String> {
        self.place.map(str::to_owned).or(self.other)
    }

    /// The label of a phone.
    pub(super) fn phone(self) -> Option<String> {
        match (self.device, self.place) {
            (None, None) => self.other,
            (device, place) => labels::phone_label(device, place),
        }
    }
}

fn types_in(param: &calcard::vcard::VCardParameter) -> Vec<String> {
    let listed = |text: String| text.split(',').map(|text| text.trim().to_owned()).collect::<Vec<_>>();
    match &param.name {
        VCardParameterName::Type => param_text(&param.value).map(listed).unwrap_or_default(),
        VCardParameterName::Other(name) if matches!(param.value, VCardParameterValue::Null) => vec![name.clone()],
        VCardParameterName::Pref if matches!(param.value, VCardParameterValue::Null) => vec!["PREF".to_owned()],
        _ => Vec::new(),
    }
}

fn param_text(value: &VCardParameterValue) -> Option<String> {
    match value {
        VCardParameterValue::Text(text) => Some(text.clone()),
        VCardParameterValue::Integer(number) => Some(number.to_string()),
        VCardParameterValue::Bool(value) => Some(if *value { "TRUE" } else { "FALSE" }.to_owned()),
        VCardParameterValue::Type(kind) => Some(kind.as_str().to_lowercase()),
        _ => None,
    }
}

fn text_of(value: &VCardValue) -> String {
    match value {
        VCardValue::Text(text) => text.clone(),
        VCardValue::Component(list) => list.join(","),
        VCardValue::Integer(number) => number.to_string(),
        VCardValue::Float(number) => number.to_string(),
        VCardValue::Boolean(value) => value.to_string(),
        // The dates that we read are declared as text; others are of no use to us.
        VCardValue::PartialDateTime(_) => String::new(),
        VCardValue::Binary(_) => String::new(),
        VCardValue::Sex(sex) => sex.as_str().to_owned(),
        VCardValue::GramGender(gender) => gender.as_str().to_owned(),
        VCardValue::Kind(kind) => kind.as_str().to_owned(),
    }
}
