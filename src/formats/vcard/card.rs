//! From the properties of a card to a [`Card`].

use calcard::vcard::VCard;

use crate::domain::contact::{Address, Card, Email, Event, Im, Phone, Relation, Visibility, Website};

use super::super::card_builder::{CardBuilder, Fidelity, Kind, Single};
use super::super::target::NamePart;
use super::super::warning::Warning;
use super::super::{clean, emails, labels};
use super::property::Property;
use super::tables::{self, ANNIVERSARIES, CUSTOM_FIELDS, FOR_PROGRAMS, MESSENGERS, RELATIONS};

/// Tells the properties into a card.
///
/// # Errors
/// A phrase that says why there is no contact in it.
pub(super) fn read(card: &VCard, warnings: &mut Vec<Warning>) -> Result<Card, &'static str> {
    let is_ours = Property::all(card).any(|p| p.name() == "PRODID" && p.text().starts_with(tables::PRODID));
    let fidelity = if is_ours { Fidelity::Exact } else { Fidelity::Tidied };
    let mut reader = CardReader {
        builder: CardBuilder::new(fidelity),
        fidelity,
        preferred_email: None,
        preferred_phone: None,
        is_group: false,
        left_out: Vec::new(),
        warnings,
    };
    Property::all(card).for_each(|property| reader.property(&property));
    // The role stands for the job only where no title does.
    let roles = Property::all(card).filter(|property| property.name() == "ROLE");
    roles.for_each(|role| reader.builder.single(Single::JobTitle, &role.text(), "Role"));
    reader.finish()
}

struct CardReader<'w> {
    builder: CardBuilder,
    fidelity: Fidelity,
    /// The rank and the place of the e-mail that is preferred most so far.
    preferred_email: Option<(u32, usize)>,
    preferred_phone: Option<(u32, usize)>,
    is_group: bool,
    left_out: Vec<String>,
    warnings: &'w mut Vec<Warning>,
}

impl CardReader<'_> {
    fn finish(mut self) -> Result<Card, &'static str> {
        if self.is_group {
            return Err("a group of contacts is no contact");
        }
        if let Some((_, at)) = self.preferred_email {
            self.builder.emails.get_mut(at).into_iter().for_each(|email| email.primary = true);
        }
        if let Some((_, at)) = self.preferred_phone {
            self.builder.phones.get_mut(at).into_iter().for_each(|phone| phone.primary = true);
        }
        if !self.left_out.is_empty() {
            self.warnings.push(Warning::PropertiesLeftOut { names: self.left_out });
        }
        self.builder.finish().ok_or("no name, e-mail, phone or organization")
    }

    fn property(&mut self, property: &Property<'_>) {
        let name = property.name();
        match name.as_str() {
            "FN" => self.full_name(property),
            "N" => self.name(property),
            "NICKNAME" => property.values().iter().for_each(|nickname| self.builder.nickname(nickname)),
            "ORG" => self.organization(property),
            "TITLE" => self.builder.single(Single::JobTitle, &property.text(), "Title"),
            "ROLE" => {}
            "TEL" | "X-MS-TEL" => self.phone(property),
            "EMAIL" => self.email(property),
            "ADR" => self.address(property),
            "URL" => self.website(property),
            "BDAY" => self.birthday(property),
            "X-ABDATE" => self.event(property, None),
            name if ANNIVERSARIES.contains(&name) => self.event(property, Some("anniversary")),
            "NOTE" => self.builder.note(&property.values().join(",")),
            "CATEGORIES" => self.labels(property),
            "IMPP" => self.im(property),
            "X-SOCIALPROFILE" | "SOCIALPROFILE" => self.profile(property),
            "X-MS-IMADDRESS" | "X-OUTLOOK-IM-ADDRESS" => self.push_im(&property.text(), None, None),
            "RELATED" | "X-ABRELATEDNAMES" => self.relation(property),
            "KIND" | "X-ADDRESSBOOKSERVER-KIND" => self.kind(property),
            "X-ABSHOWAS" if property.text().eq_ignore_ascii_case("COMPANY") => {
                self.builder.kind = Some(Kind::Organization);
            }
            "X-ANDROID-CUSTOM" => self.android(property),
            tables::CUSTOM => {
                let key = property.group_label().unwrap_or_else(|| "Custom".to_owned());
                self.builder.custom(&key, &property.text());
            }
            tables::VISIBILITY if Visibility::parse(&property.text()).is_some() => {
                self.builder.single(Single::Visibility, &property.text(), "Visibility");
            }
            tables::OWNER => self.builder.single(Single::Owner, &property.text(), "Owner"),
            tables::INDUSTRY => self.builder.single(Single::Industry, &property.text(), "Industry"),
            name => self.by_table(name, property),
        }
    }

    fn by_table(&mut self, name: &str, property: &Property<'_>) {
        let find = |table: &[(&str, &'static str)]| {
            table.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning)
        };
        let text = property.text();
        if let Some(protocol) = find(&MESSENGERS) {
            let value = text.strip_prefix("sip:").unwrap_or(&text);
            self.push_im(value, Some(protocol.to_owned()), self.place(property));
        } else if let Some(label) = find(&RELATIONS) {
            self.push_relation(&text, Some(label.to_owned()));
        } else if let Some(key) = find(&CUSTOM_FIELDS) {
            self.builder.custom(key, &text);
        } else if !is_for_programs(name) && !text.is_empty() && !self.left_out.iter().any(|known| known == name) {
            self.left_out.push(name.to_owned());
        }
    }

    /// The label of the group, or what the types say.
    fn place(&self, property: &Property<'_>) -> Option<String> {
        self.label(property).or_else(|| property.types().place())
    }

    fn label(&self, property: &Property<'_>) -> Option<String> {
        let label = property.group_label()?;
        match self.fidelity {
            Fidelity::Exact => Some(label),
            Fidelity::Tidied => labels::canonical(&label),
        }
    }

    fn full_name(&mut self, property: &Property<'_>) {
        // What is derived from other properties says nothing new. Our own export has every name in parts as well.
        let is_derived = property.param("DERIVED").is_some_and(|derived| derived.eq_ignore_ascii_case("TRUE"));
        if !is_derived && self.fidelity == Fidelity::Tidied {
            self.builder.name_part(NamePart::Full, &property.text());
        }
    }

    fn name(&mut self, property: &Property<'_>) {
        let components = property.components(" ");
        let parts = [NamePart::Family, NamePart::Given, NamePart::Middle, NamePart::Prefix, NamePart::Suffix];
        if !self.builder.name.is_empty() {
            self.builder.custom("Name", &components.join(" "));
            return;
        }
        for (part, value) in parts.into_iter().zip(components) {
            self.builder.name_part(part, &value);
        }
    }

    fn organization(&mut self, property: &Property<'_>) {
        let mut units: Vec<String> =
            property.values().iter().map(|unit| clean::line(unit)).filter(|unit| !unit.is_empty()).collect();
        if property.values().first().is_some_and(|name| clean::line(name).is_empty()) {
            // A department without a company.
            self.builder.single(Single::Department, &units.join(", "), "Department");
        } else if !units.is_empty() {
            let name = units.remove(0);
            self.builder.single(Single::Organization, &name, "Organization");
            self.builder.single(Single::Department, &units.join(", "), "Department");
        }
    }

    fn phone(&mut self, property: &Property<'_>) {
        let text = property.text();
        let value = match (self.fidelity, text.get(..4)) {
            (Fidelity::Exact, _) => text,
            (_, Some(scheme)) if scheme.eq_ignore_ascii_case("tel:") => {
                clean::phone(&text.replacen(";ext=", " ext. ", 1))
            }
            _ => clean::phone(&text),
        };
        if value.is_empty() {
            return;
        }
        prefer(&mut self.preferred_phone, property, self.builder.phones.len());
        let label = self.label(property).or_else(|| property.types().phone());
        self.builder.phones.push(Phone { value, label, primary: false });
    }

    fn email(&mut self, property: &Property<'_>) {
        let text = property.text();
        let value = match self.fidelity {
            Fidelity::Exact => text.clone(),
            Fidelity::Tidied => emails::one(&text),
        };
        if value.is_empty() {
            return;
        }
        if self.fidelity == Fidelity::Tidied && !value.contains('@') {
            self.warnings.push(Warning::NotAnEmail { heading: "Email".to_owned(), value: text.clone() });
            self.builder.custom("Email", &text);
            return;
        }
        prefer(&mut self.preferred_email, property, self.builder.emails.len());
        let label = self.place(property);
        self.builder.emails.push(Email { value, label, primary: false });
    }

    fn address(&mut self, property: &Property<'_>) {
        let mut parts = property.components(", ").into_iter().map(clean::some);
        let mut next = || parts.next().flatten();
        let (po_box, extended, street) = (next(), next(), next());
        let extended = match (extended, po_box) {
            (Some(extended), Some(po_box)) => Some(format!("{extended}, {po_box}")),
            (extended, po_box) => extended.or(po_box),
        };
        let address = Address {
            label: None,
            street,
            extended,
            city: next(),
            region: next(),
            postal_code: next(),
            country: next(),
        };
        if address != Address::default() {
            self.builder.addresses.push(Address { label: self.place(property), ..address });
        }
    }

    fn website(&mut self, property: &Property<'_>) {
        if let Some(value) = clean::some(property.text()) {
            self.builder.websites.push(Website { value, label: self.place(property) });
        }
    }

    fn birthday(&mut self, property: &Property<'_>) {
        match property.date() {
            Ok(Some(date)) => self.builder.birthday(date, "Birthday"),
            Ok(None) => {}
            Err(text) => self.no_date("Birthday", &text),
        }
    }

    fn event(&mut self, property: &Property<'_>, label: Option<&str>) {
        let label = label.map(str::to_owned).or_else(|| self.label(property));
        match property.date() {
            Ok(Some(date)) => self.builder.events.push(Event { label, date }),
            Ok(None) => {}
            Err(text) => self.no_date(label.as_deref().unwrap_or("Date"), &text),
        }
    }

    fn no_date(&mut self, key: &str, text: &str) {
        self.warnings.push(Warning::UnreadableDate { heading: key.to_owned(), value: text.to_owned() });
        self.builder.custom(key, text);
    }

    /// Google's own group of all contacts is no label.
    fn labels(&mut self, property: &Property<'_>) {
        for label in property.values() {
            let is_system = matches!(label.trim(), "myContacts" | "My Contacts") && self.fidelity == Fidelity::Tidied;
            if !is_system {
                self.builder.label(&label);
            }
        }
    }

    fn kind(&mut self, property: &Property<'_>) {
        match property.text().to_ascii_lowercase().as_str() {
            "group" => self.is_group = true,
            "org" | "organization" => self.builder.kind = Some(Kind::Organization),
            // Other programs write this everywhere, also above companies.
            "individual" if self.fidelity == Fidelity::Exact => self.builder.kind = Some(Kind::Person),
            _ => {}
        }
    }

    fn im(&mut self, property: &Property<'_>) {
        let text = property.text();
        let service = property.param("X-SERVICE-TYPE").or_else(|| property.param("SERVICE-TYPE"));
        let (scheme, value) = match (self.fidelity, &service) {
            (Fidelity::Exact, None) => (None, text),
            (Fidelity::Exact, Some(_)) => (None, percent_decode(text.split_once(':').map_or("", |(_, name)| name))),
            _ => split_scheme(&text),
        };
        let protocol = match (self.fidelity, &service) {
            (Fidelity::Exact, _) => property.in_group(tables::PROTOCOL).or(service),
            (_, Some(service)) => labels::canonical(service),
            (_, None) => scheme.as_deref().and_then(labels::canonical),
        };
        // The label of the group often only repeats the service.
        let label = self.place(property).filter(|label| {
            self.fidelity == Fidelity::Exact || protocol.as_ref().is_none_or(|p| !p.eq_ignore_ascii_case(label))
        });
        self.push_im(&value, protocol, label);
    }

    fn push_im(&mut self, value: &str, protocol: Option<String>, label: Option<String>) {
        let value = clean::line(value);
        if !value.is_empty() {
            self.builder.ims.push(Im { value, protocol, label });
        }
    }

    /// A profile with an address is a web site, one with a name only is a messenger.
    fn profile(&mut self, property: &Property<'_>) {
        let text = property.text();
        let service = property.param("SERVICE-TYPE").and_then(|service| labels::canonical(&service));
        let label = self.label(property).or(service).or_else(|| property.types().place());
        if text.starts_with("http://") || text.starts_with("https://") {
            self.builder.websites.push(Website { value: text, label });
        } else {
            let (_, value) = split_scheme(&text);
            let value = property.param("X-USER").or_else(|| property.param("USERNAME")).unwrap_or(value);
            self.push_im(&value, label, None);
        }
    }

    fn relation(&mut self, property: &Property<'_>) {
        let label = self.label(property).or_else(|| labels::canonical(&property.param("TYPE")?));
        self.push_relation(&property.text(), label.filter(|label| !label.eq_ignore_ascii_case("pref")));
    }

    fn push_relation(&mut self, value: &str, label: Option<String>) {
        let value = clean::line(value);
        if !value.is_empty() {
            self.builder.relations.push(Relation { value, label });
        }
    }

    /// Android's private properties: a type, then columns of its database.
    fn android(&mut self, property: &Property<'_>) {
        let text = property.text();
        let mut columns = text.split(';');
        let kind = columns.next().unwrap_or_default();
        let value = columns.next().unwrap_or_default();
        match kind.rsplit('/').next() {
            Some("nickname") => self.builder.nickname(value),
            Some("relation") => self.push_relation(value, None),
            _ => self.left_out.push("X-ANDROID-CUSTOM".to_owned()),
        }
    }
}

fn is_for_programs(name: &str) -> bool {
    // Outlook's add-ons say each e-mail again, with its display name.
    FOR_PROGRAMS.contains(&name) || name.starts_with("X-OUTLOOK-EMAIL")
}

/// Remembers the entry that is to be added at `at` if it is preferred more than any before.
fn prefer(best: &mut Option<(u32, usize)>, property: &Property<'_>, at: usize) {
    if let Some(rank) = property.preference()
        && best.is_none_or(|(least, _)| rank < least)
    {
        *best = Some((rank, at));
    }
}

/// `xmpp:ada@example.org` is a scheme and a name; `im:slack:ada` has the service in second place. Names are
/// percent-encoded.
fn split_scheme(text: &str) -> (Option<String>, String) {
    let is_scheme = |scheme: &str| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+'))
    };
    match text.split_once(':') {
        Some(("im" | "x-apple" | "x-im", rest)) => match rest.split_once(':') {
            Some((service, name)) if is_scheme(service) => (Some(service.to_owned()), percent_decode(name)),
            _ => (None, percent_decode(rest)),
        },
        Some((scheme, name)) if is_scheme(scheme) => (Some(scheme.to_owned()), percent_decode(name)),
        _ => (None, text.to_owned()),
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messengers_are_told_by_scheme() {
        for (text, scheme, name) in [
            ("xmpp:ada@example.org", Some("xmpp"), "ada@example.org"),
            ("aim:Messenger%20Work%20(AIM)", Some("aim"), "Messenger Work (AIM)"),
            ("im:slack:ada", Some("slack"), "ada"),
            ("x-apple:ada", None, "ada"),
            ("ada", None, "ada"),
            ("100%", None, "100%"),
        ] {
            assert_eq!(split_scheme(text), (scheme.map(str::to_owned), name.to_owned()), "{text}");
        }
    }
}
