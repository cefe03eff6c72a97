//! The multi-valued fields, one by one: how an item of each is read from Google and written to it.
//!
//! Google's `type` is our label. Its predefined types have one spelling each; any other text is kept as it is. The
//! address has a file of its own.
//!
//! Source: People API reference, `Person` and its parts (read 2026-11).

use serde_json::Value;

use crate::domain::contact::{Email, Event, Im, Phone, Relation, Website};
use crate::domain::normal;

use super::dates;
use super::list::List;
use super::text::{fits, put, same};
use super::wire::{Object, text};

const EMAIL_TYPES: [&str; 3] = ["home", "work", "other"];
const PHONE_TYPES: [&str; 12] = [
    "home",
    "work",
    "mobile",
    "homeFax",
    "workFax",
    "otherFax",
    "pager",
    "workMobile",
    "workPager",
    "main",
    "googleVoice",
    "other",
];
const EVENT_TYPES: [&str; 2] = ["anniversary", "other"];
const URL_TYPES: [&str; 9] =
    ["home", "work", "blog", "profile", "homePage", "ftp", "reservations", "appInstallPage", "other"];
const RELATION_TYPES: [&str; 14] = [
    "spouse",
    "child",
    "mother",
    "father",
    "parent",
    "brother",
    "sister",
    "friend",
    "relative",
    "domesticPartner",
    "manager",
    "assistant",
    "referredBy",
    "partner",
];
const IM_TYPES: [&str; 3] = ["home", "work", "other"];
const IM_PROTOCOLS: [&str; 9] = ["aim", "msn", "yahoo", "skype", "qq", "googleTalk", "icq", "jabber", "netMeeting"];

/// The label of an item.
pub(super) fn label(item: &Value) -> Option<String> {
    text(item, "type").map(str::to_owned)
}

/// Sets the type of an item when the label has another meaning than before.
pub(super) fn put_label(object: &mut Object, before: Option<Option<&str>>, after: Option<&str>, types: &[&str]) {
    if before.is_none_or(|before| normal::label(before) != normal::label(after)) {
        put_word(object, "type", after, types);
    }
}

/// Sets a member that has predefined words: those in their one spelling, anything else as it is.
fn put_word(object: &mut Object, member: &str, text: Option<&str>, words: &[&str]) {
    let word = text.and_then(|text| words.iter().find(|word| word.eq_ignore_ascii_case(text.trim())));
    put(object, member, word.copied().or(text));
}

/// Sets the value of an item when its key has changed.
fn put_value(object: &mut Object, member: &str, before: Option<String>, after: (String, &str)) {
    if before.is_none_or(|before| before != after.0) {
        put(object, member, Some(after.1));
    }
}

/// E-mail addresses; Google's own display name of an address stays as it is.
pub(super) struct Emails;

impl List for Emails {
    type Item = Email;
    const FIELD: &'static str = "emailAddresses";

    fn read(item: &Value) -> Option<Email> {
        Some(Email { value: text(item, "value")?.to_owned(), label: label(item), primary: false })
    }

    fn key(item: &Email) -> String {
        normal::email_key(&item.value)
    }

    fn label(item: &Email) -> Option<String> {
        normal::label(item.label.as_deref())
    }

    fn write(object: &mut Object, before: Option<&Email>, after: &Email) {
        put_value(object, "value", before.map(Self::key), (Self::key(after), &after.value));
        put_label(object, before.map(|item| item.label.as_deref()), after.label.as_deref(), &EMAIL_TYPES);
    }

    fn fits(item: &Email) -> bool {
        fits(Some(&item.value)) && fits(item.label.as_deref())
    }

    fn is_primary(item: &Email) -> bool {
        item.primary
    }
}

/// Phone numbers, as typed. Where both sides were found to have one number, each keeps its own spelling.
pub(super) struct Phones;

impl List for Phones {
    type Item = Phone;
    const FIELD: &'static str = "phoneNumbers";

    fn read(item: &Value) -> Option<Phone> {
        Some(Phone { value: text(item, "value")?.to_owned(), label: label(item), primary: false })
    }

    fn key(item: &Phone) -> String {
        normal::phone_key(&item.value)
    }

    fn label(item: &Phone) -> Option<String> {
        normal::label(item.label.as_deref())
    }

    fn write(object: &mut Object, before: Option<&Phone>, after: &Phone) {
        put_value(object, "value", before.map(Self::key), (Self::key(after), &after.value));
        put_label(object, before.map(|item| item.label.as_deref()), after.label.as_deref(), &PHONE_TYPES);
    }

    fn fits(item: &Phone) -> bool {
        fits(Some(&item.value)) && fits(item.label.as_deref())
    }

    fn is_primary(item: &Phone) -> bool {
        item.primary
    }

    fn resembles(sent: &Phone, found: &Phone) -> bool {
        normal::resemble(&Self::key(sent), &Self::key(found))
    }
}

/// Web sites.
pub(super) struct Websites;

impl List for Websites {
    type Item = Website;
    const FIELD: &'static str = "urls";

    fn read(item: &Value) -> Option<Website> {
        Some(Website { value: text(item, "value")?.to_owned(), label: label(item) })
    }

    fn key(item: &Website) -> String {
        normal::url_key(&item.value)
    }

    fn label(item: &Website) -> Option<String> {
        normal::label(item.label.as_deref())
    }

    fn write(object: &mut Object, before: Option<&Website>, after: &Website) {
        put_value(object, "value", before.map(Self::key), (Self::key(after), &after.value));
        put_label(object, before.map(|item| item.label.as_deref()), after.label.as_deref(), &URL_TYPES);
    }

    fn fits(item: &Website) -> bool {
        fits(Some(&item.value)) && fits(item.label.as_deref())
    }
}

/// Days to remember. An item whose date is no whole day stays on the wire and out of the card.
pub(super) struct Events;

impl List for Events {
    type Item = Event;
    const FIELD: &'static str = "events";

    fn read(item: &Value) -> Option<Event> {
        Some(Event { label: label(item), date: dates::read(item)? })
    }

    fn key(item: &Event) -> String {
        item.date.to_string()
    }

    fn label(item: &Event) -> Option<String> {
        normal::label(item.label.as_deref())
    }

    fn write(object: &mut Object, before: Option<&Event>, after: &Event) {
        if before.is_none_or(|before| before.date != after.date) {
            dates::put(object, after.date);
        }
        put_label(object, before.map(|item| item.label.as_deref()), after.label.as_deref(), &EVENT_TYPES);
    }

    fn fits(item: &Event) -> bool {
        fits(item.label.as_deref())
    }
}

/// Relatives and the like, by name.
pub(super) struct Relations;

impl List for Relations {
    type Item = Relation;
    const FIELD: &'static str = "relations";

    fn read(item: &Value) -> Option<Relation> {
        Some(Relation { value: text(item, "person")?.to_owned(), label: label(item) })
    }

    fn key(item: &Relation) -> String {
        normal::text(&item.value)
    }

    fn label(item: &Relation) -> Option<String> {
        normal::label(item.label.as_deref())
    }

    fn write(object: &mut Object, before: Option<&Relation>, after: &Relation) {
        put_value(object, "person", before.map(Self::key), (Self::key(after), &after.value));
        put_label(object, before.map(|item| item.label.as_deref()), after.label.as_deref(), &RELATION_TYPES);
    }

    fn fits(item: &Relation) -> bool {
        fits(Some(&item.value)) && fits(item.label.as_deref())
    }
}

/// Instant messengers: the same name in two networks is two items.
pub(super) struct Ims;

impl List for Ims {
    type Item = Im;
    const FIELD: &'static str = "imClients";

    fn read(item: &Value) -> Option<Im> {
        let protocol = text(item, "protocol").map(str::to_owned);
        Some(Im { value: text(item, "username")?.to_owned(), protocol, label: label(item) })
    }

    fn key(item: &Im) -> String {
        match normal::text(&item.value) {
            user if user.is_empty() => user,
            user => format!("{user}\u{1f}{}", normal::protocol(item.protocol.as_deref()).unwrap_or_default()),
        }
    }

    fn label(item: &Im) -> Option<String> {
        normal::label(item.label.as_deref())
    }

    fn write(object: &mut Object, before: Option<&Im>, after: &Im) {
        if before.is_none_or(|before| !same(Some(&before.value), Some(&after.value))) {
            put(object, "username", Some(&after.value));
        }
        let protocol = |item: &Im| normal::protocol(item.protocol.as_deref());
        if before.is_none_or(|before| protocol(before) != protocol(after)) {
            put_word(object, "protocol", after.protocol.as_deref(), &IM_PROTOCOLS);
        }
        put_label(object, before.map(|item| item.label.as_deref()), after.label.as_deref(), &IM_TYPES);
    }

    fn fits(item: &Im) -> bool {
        [Some(item.value.as_str()), item.protocol.as_deref(), item.label.as_deref()].into_iter().all(fits)
    }
}

/// Nicknames; Google's own kinds of them stay as they are.
pub(super) struct Nicknames;

impl List for Nicknames {
    type Item = String;
    const FIELD: &'static str = "nicknames";

    fn read(item: &Value) -> Option<String> {
        text(item, "value").map(str::to_owned)
    }

    fn key(item: &String) -> String {
        normal::text(item)
    }

    fn label(_: &String) -> Option<String> {
        None
    }

    fn write(object: &mut Object, _: Option<&String>, after: &String) {
        put(object, "value", Some(after));
    }

    fn fits(item: &String) -> bool {
        fits(Some(item))
    }
}
