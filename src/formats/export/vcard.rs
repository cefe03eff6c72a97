//! vCard 4.0. What the format has no place for stands in groups with a label, as Apple and Google write it, or in
//! properties of our own.

use std::io::Write;

use calcard::vcard::{
    VCard, VCardEntry, VCardKind, VCardParameter, VCardParameterName, VCardProperty, VCardType, VCardValue,
    VCardValueType, VCardVersion,
};

use crate::domain::contact::{Address, Card, Event, Im, Organization, Person, Relation, Subject};
use crate::domain::date::PartialDate;

use super::super::error::WriteError;
use super::super::vcard::{CUSTOM, INDUSTRY, LABEL, OWNER, PRODID, PROTOCOL, VISIBILITY};
use super::ExportRecord;

/// Writes one card per contact.
///
/// Not held, and lost on a round trip: blanks around values and control characters; line breaks in everything but
/// notes, addresses and custom fields; addresses of which only the label is known; the year of a date in 1604, which
/// Apple uses for "no year"; contacts without a name, e-mail, phone or organization; what no format holds (see the
/// module).
///
/// # Errors
/// [`WriteError::Io`] when `out` refuses.
///
/// Source: RFC 6350, RFC 9554 for `DERIVED` (read 2026-11).
pub fn write_vcard(out: &mut dyn Write, records: impl IntoIterator<Item = ExportRecord>) -> Result<(), WriteError> {
    for record in records {
        let mut text = String::new();
        let io = |cause| WriteError::Io { format: "vCard", cause };
        let written = card(&record).write_to(&mut text, VCardVersion::V4_0);
        written.map_err(|_| io(std::io::Error::other("the card cannot be formatted")))?;
        out.write_all(text.as_bytes()).map_err(io)?;
    }
    Ok(())
}

fn card(record: &ExportRecord) -> VCard {
    let mut writer = CardWriter { entries: Vec::new(), groups: 0 };
    writer.text(VCardProperty::Prodid, format!("{PRODID}contactsync//EN"));
    let id = record.member("id");
    if !id.is_empty() {
        writer.text(VCardProperty::Uid, format!("contactsync:{id}"));
    }
    if let Some(revision) = revision(&record.member("updated")) {
        writer.text(VCardProperty::Rev, revision);
    }
    match &record.card.subject {
        Subject::Person(person) => writer.person(person, &record.card),
        Subject::Organization(organization) => writer.organization(organization),
    }
    writer.shared(&record.card);
    VCard { entries: writer.entries }
}

/// `2026-11-23T15:04:05.123Z` without its punctuation and fraction, as REV wants it.
fn revision(updated: &str) -> Option<String> {
    let seconds = updated.get(..19)?;
    let bare: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let is_time =
        bare.len() == 15 && bare.char_indices().all(|(at, c)| if at == 8 { c == 'T' } else { c.is_ascii_digit() });
    is_time.then(|| format!("{bare}Z"))
}

struct CardWriter {
    entries: Vec<VCardEntry>,
    groups: usize,
}

/// How a label is told: by types where the format has them, else by the label of a group.
struct LabelForm {
    types: &'static [VCardType],
    group: Option<String>,
}

impl LabelForm {
    fn of_place(label: Option<&String>) -> Self {
        match label.map(String::as_str) {
            None => LabelForm { types: &[], group: None },
            Some("work") => LabelForm { types: &[VCardType::Work], group: None },
            Some("home") => LabelForm { types: &[VCardType::Home], group: None },
            Some(other) => LabelForm { types: &[], group: Some(other.to_owned()) },
        }
    }

    fn of_phone(label: Option<&String>) -> Self {
        let types: &[VCardType] = match label.map(String::as_str) {
            Some("mobile") => &[VCardType::Cell],
            Some("workMobile") => &[VCardType::Work, VCardType::Cell],
            Some("fax") => &[VCardType::Fax],
            Some("workFax") => &[VCardType::Work, VCardType::Fax],
            Some("homeFax") => &[VCardType::Home, VCardType::Fax],
            Some("pager") => &[VCardType::Pager],
            Some("workPager") => &[VCardType::Work, VCardType::Pager],
            Some("main") => &[VCardType::MainNumber],
            _ => return LabelForm::of_place(label),
        };
        LabelForm { types, group: None }
    }

    fn of_relation(label: Option<&String>) -> Self {
        let types: &[VCardType] = match label.map(String::as_str) {
            Some("spouse") => &[VCardType::Spouse],
            Some("child") => &[VCardType::Child],
            Some("parent") => &[VCardType::Parent],
            Some("friend") => &[VCardType::Friend],
            Some("colleague") => &[VCardType::Colleague],
            _ => return LabelForm { types: &[], group: label.cloned() },
        };
        LabelForm { types, group: None }
    }
}

impl CardWriter {
    fn person(&mut self, person: &Person, card: &Card) {
        self.push(VCardEntry::new(VCardProperty::Kind).with_value(VCardKind::Individual));
        let full = VCardEntry::new(VCardProperty::Fn);
        self.push(match person.name.full() {
            Some(name) => full.with_value(name),
            // The format wants a name in every card.
            None => {
                full.with_param(VCardParameter::new(VCardParameterName::Derived, true)).with_value(card.display_name())
            }
        });
        let name = &person.name;
        let parts = [&name.family, &name.given, &name.middle, &name.prefix, &name.suffix];
        self.push(VCardEntry::new(VCardProperty::N).with_values(parts.map(component).to_vec()));
        if !person.nicknames.is_empty() {
            let nicknames = person.nicknames.iter().cloned().map(VCardValue::Text).collect();
            self.push(VCardEntry::new(VCardProperty::Nickname).with_values(nicknames));
        }
        if person.organization.is_some() || person.department.is_some() {
            let name = person.organization.as_ref().map(|organization| organization.name.clone());
            let mut units = vec![component(&name)];
            units.extend(person.department.clone().map(VCardValue::Text));
            self.push(VCardEntry::new(VCardProperty::Org).with_values(units));
        }
        self.text_if(VCardProperty::Title, person.job_title.as_ref());
        self.text_if(VCardProperty::Bday, person.birthday.map(basic).as_ref());
        person.ims.iter().for_each(|im| self.im(im));
        self.events(&person.events);
        person.relations.iter().for_each(|relation| self.relation(relation));
    }

    fn organization(&mut self, organization: &Organization) {
        self.push(VCardEntry::new(VCardProperty::Kind).with_value(VCardKind::Org));
        self.text(VCardProperty::Fn, organization.name.clone());
        self.text(VCardProperty::Org, organization.name.clone());
        self.text_if(VCardProperty::Other(INDUSTRY.to_owned()), organization.industry.as_ref());
    }

    fn shared(&mut self, card: &Card) {
        for email in &card.emails {
            let entry = VCardEntry::new(VCardProperty::Email).with_value(email.value.clone());
            self.labelled(preferred(entry, email.primary), LabelForm::of_place(email.label.as_ref()));
        }
        for phone in &card.phones {
            let entry = VCardEntry::new(VCardProperty::Tel).with_value(phone.value.clone());
            self.labelled(preferred(entry, phone.primary), LabelForm::of_phone(phone.label.as_ref()));
        }
        card.addresses.iter().for_each(|address| self.address(address));
        for website in &card.websites {
            let entry = VCardEntry::new(VCardProperty::Url).with_value(website.value.clone());
            self.labelled(entry, LabelForm::of_place(website.label.as_ref()));
        }
        if !card.labels.is_empty() {
            let labels = card.labels.iter().cloned().map(VCardValue::Text).collect();
            self.push(VCardEntry::new(VCardProperty::Categories).with_values(labels));
        }
        self.text_if(VCardProperty::Note, card.notes.as_ref());
        self.text_if(VCardProperty::Other(OWNER.to_owned()), card.owner.as_ref());
        let visibility = card.visibility.map(|visibility| visibility.as_str().to_owned());
        self.text_if(VCardProperty::Other(VISIBILITY.to_owned()), visibility.as_ref());
        for (key, value) in &card.custom {
            let entry = VCardEntry::new(VCardProperty::Other(CUSTOM.to_owned())).with_value(value.clone());
            self.labelled(entry, LabelForm { types: &[], group: Some(key.clone()) });
        }
    }

    fn address(&mut self, address: &Address) {
        let parts = [
            &None,
            &address.extended,
            &address.street,
            &address.city,
            &address.region,
            &address.postal_code,
            &address.country,
        ];
        let entry = VCardEntry::new(VCardProperty::Adr).with_values(parts.map(component).to_vec());
        self.labelled(entry, LabelForm::of_place(address.label.as_ref()));
    }

    /// A messenger is a scheme and a name. Its protocol also stands in a parameter, where Apple looks for it.
    fn im(&mut self, im: &Im) {
        let mut form = LabelForm::of_place(im.label.as_ref());
        let Some(protocol) = &im.protocol else {
            return self.labelled(VCardEntry::new(VCardProperty::Impp).with_value(im.value.clone()), form);
        };
        let scheme = match protocol.as_str() {
            "jabber" => "xmpp".to_owned(),
            other if other.chars().all(|c| c.is_ascii_alphanumeric()) && !other.is_empty() => other.to_lowercase(),
            _ => "x-im".to_owned(),
        };
        let name = im.value.replace('%', "%25").replace(' ', "%20");
        let is_plain = protocol.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
        let parameter = if is_plain { protocol.clone() } else { "other".to_owned() };
        let mut entry = VCardEntry::new(VCardProperty::Impp).with_value(format!("{scheme}:{name}"));
        entry.add_param(VCardParameter::new(VCardParameterName::Other("X-SERVICE-TYPE".to_owned()), parameter));
        if is_plain {
            return self.labelled(entry, form);
        }
        // What a parameter cannot hold stands in the group.
        let group = self.next_group();
        let hint = VCardEntry::new(VCardProperty::Other(PROTOCOL.to_owned())).with_value(protocol.clone());
        self.push(hint.with_group(Some(group.clone())));
        let label = form.group.take();
        self.push(typed(entry, form.types).with_group(Some(group.clone())));
        self.group_label(group, label);
    }

    /// The format has one anniversary; the other days are Apple's.
    fn events(&mut self, events: &[Event]) {
        let mut has_anniversary = false;
        for event in events {
            let is_anniversary = event.label.as_deref() == Some("anniversary");
            if is_anniversary && !has_anniversary {
                has_anniversary = true;
                self.text(VCardProperty::Anniversary, basic(event.date));
            } else {
                let entry = VCardEntry::new(VCardProperty::Other("X-ABDATE".to_owned())).with_value(basic(event.date));
                self.labelled(entry, LabelForm { types: &[], group: event.label.clone() });
            }
        }
    }

    fn relation(&mut self, relation: &Relation) {
        let entry = VCardEntry::new(VCardProperty::Related)
            .with_param(VCardParameter::value(VCardValueType::Text))
            .with_value(relation.value.clone());
        self.labelled(entry, LabelForm::of_relation(relation.label.as_ref()));
    }

    fn labelled(&mut self, entry: VCardEntry, form: LabelForm) {
        let entry = typed(entry, form.types);
        if form.group.is_none() {
            return self.push(entry);
        }
        let group = self.next_group();
        self.push(entry.with_group(Some(group.clone())));
        self.group_label(group, form.group);
    }

    fn group_label(&mut self, group: String, label: Option<String>) {
        if let Some(label) = label {
            let entry = VCardEntry::new(VCardProperty::Other(LABEL.to_owned())).with_value(label);
            self.push(entry.with_group(Some(group)));
        }
    }

    fn next_group(&mut self) -> String {
        self.groups += 1;
        format!("item{}", self.groups)
    }

    fn text(&mut self, property: VCardProperty, text: String) {
        self.push(VCardEntry::new(property).with_value(text));
    }

    fn text_if(&mut self, property: VCardProperty, text: Option<&String>) {
        text.into_iter().for_each(|text| self.text(property.clone(), text.clone()));
    }

    fn push(&mut self, entry: VCardEntry) {
        self.entries.push(entry);
    }
}

fn preferred(mut entry: VCardEntry, primary: bool) -> VCardEntry {
    if primary {
        entry.add_param(VCardParameter::pref(1_u32));
    }
    entry
}

fn typed(mut entry: VCardEntry, types: &[VCardType]) -> VCardEntry {
    types.iter().for_each(|kind| entry.add_param(VCardParameter::typ(kind.clone())));
    entry
}

fn component(text: &Option<String>) -> VCardValue {
    VCardValue::Text(text.clone().unwrap_or_default())
}

/// `19900517`, or `--0517` without a year.
fn basic(date: PartialDate) -> String {
    match date.year() {
        Some(year) => format!("{year:04}{:02}{:02}", date.month(), date.day()),
        None => format!("--{:02}{:02}", date.month(), date.day()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_have_no_punctuation() {
        assert_eq!(revision("2026-11-23T15:04:05.123456Z").as_deref(), Some("20261123T150405Z"));
        assert_eq!(revision(""), None);
        assert_eq!(revision("yesterday, in the morning"), None);
    }

    #[test]
    fn lines_are_folded_and_end_as_the_format_wants() {
        let mut card = Card::organization("Ünïcödé ".repeat(20).trim().to_owned());
        card.notes = Some("one\ntwo; three, four".into());
        let mut out = Vec::new();
        write_vcard(&mut out, [ExportRecord { json: serde_json::json!({"id": "01JD"}), card }]).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.starts_with("BEGIN:VCARD\r\nVERSION:4.0\r\nPRODID:"), "{text}");
        assert!(text.contains("NOTE:one\\ntwo\\; three\\, four\r\n"), "{text}");
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        assert!(text.ends_with("END:VCARD\r\n"), "{text}");
    }
}
