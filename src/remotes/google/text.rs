//! Texts on their way to Google: cleaned, and refused when they are too long.
//!
//! Source: Google Contacts Help, contacts errors and limits (read 2026-11): 1,024 characters per field except notes.
//! The limit of notes is not published; 30,000 bytes is what we dare to send.

use super::wire::Object;

/// The most characters of any text but notes.
pub(super) const TEXT_CHARS_MAX: usize = 1_024;
/// The most bytes of notes.
pub(super) const NOTES_BYTES_MAX: usize = 30_000;

/// The text as it is sent: line ends as LF, without control characters but line feed and tab, without blanks around
/// it. `None` when nothing is left, because an empty item is an error or noise to Google.
pub(super) fn sendable(text: &str) -> Option<String> {
    let clean: String = text
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .filter(|c| *c >= ' ' || matches!(c, '\n' | '\t'))
        .collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

/// Whether Google can hold the text. A longer one is not sent at all: a shortened value would come back as an edit.
pub(super) fn fits(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.chars().count() <= TEXT_CHARS_MAX)
}

/// Whether Google can hold these notes.
pub(super) fn notes_fit(notes: Option<&str>) -> bool {
    notes.is_none_or(|notes| notes.len() <= NOTES_BYTES_MAX)
}

/// Sets a text member, or takes it away when there is nothing to say.
pub(super) fn put(object: &mut Object, member: &str, text: Option<&str>) {
    match text.and_then(sendable) {
        Some(text) => _ = object.insert(member.to_owned(), text.into()),
        None => _ = object.remove(member),
    }
}

/// Whether two texts mean the same; absent and empty are the same.
pub(super) fn same(one: Option<&str>, other: Option<&str>) -> bool {
    let normal = |text: Option<&str>| crate::domain::normal::text(text.unwrap_or_default());
    normal(one) == normal(other)
}
