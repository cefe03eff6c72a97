//! Normal forms, used only for comparing and finding: two spellings of one meaning have one normal form.
//!
//! Every function is total, idempotent and independent of locale, region and configuration. Nothing here is ever
//! written to a contact or to a remote: what people typed stays as they typed it. Texts are composed (NFC) but never
//! compatibility-folded, because NFKC destroys meaning; only the match key [`fold`] goes further.
//!
//! E-mail and web addresses are in `address.rs`, phone numbers in `phone.rs`, whole cards in `card.rs`. A change of
//! any rule raises [`REVISION`]: bases are then recomputed from what is stored, without writing to a remote.

mod address;
mod card;
#[cfg(test)]
mod laws;
mod phone;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use super::contact::{Card, Subject};

pub use address::{email_key, url_key};
pub use card::card;
pub(super) use card::{organization, photo, scalar, set};
pub use phone::{phone_key, phone_number, resemble};

/// The revision of the rules of this module; raised when a rule changes what is equal.
pub const REVISION: u32 = 1;

/// The labels that remotes have names for, in their spelling. Their case has no meaning.
///
/// Source: People API reference, the predefined `type` values of e-mails, phones, addresses, urls, events, relations
/// and IM clients (read 2026-11).
const LABELS: [&str; 33] = [
    "home",
    "work",
    "other",
    "mobile",
    "main",
    "homeFax",
    "workFax",
    "otherFax",
    "pager",
    "workMobile",
    "workPager",
    "googleVoice",
    "anniversary",
    "blog",
    "profile",
    "homePage",
    "ftp",
    "reservations",
    "appInstallPage",
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

/// The protocols of instant messengers that remotes have names for.
const PROTOCOLS: [&str; 9] = ["aim", "msn", "yahoo", "skype", "qq", "googleTalk", "icq", "jabber", "netMeeting"];

/// A text: composed (NFC), line ends as LF, without control characters but line feed and tab, trimmed. Blanks inside
/// are kept. What is left empty means "absent".
pub fn text(s: &str) -> String {
    match is_plain(s) {
        true => s.trim().to_owned(),
        false => composed(s).trim().to_owned(),
    }
}

/// Whether a text has no characters but those of ASCII that stay what they are. Most texts are like that, and every one
/// is compared many times.
fn is_plain(s: &str) -> bool {
    s.bytes().all(|byte| matches!(byte, b' '..=0x7f | b'\n' | b'\t'))
}

fn composed(s: &str) -> String {
    s.replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .filter(|c| *c >= ' ' || matches!(c, '\n' | '\t'))
        .nfc()
        .collect()
}

/// A key for finding what people would call the same words: without accents, case, width and surplus blanks.
///
/// Marks that are part of a letter in their script (vowel signs of India, voicing marks of Japan, tone marks of
/// Thailand) stay: without them different names would become one.
pub fn fold(s: &str) -> String {
    let text = text(s);
    match text.is_ascii() {
        true => spaced(&text.to_ascii_lowercase()),
        false => folded(&text),
    }
}

fn folded(text: &str) -> String {
    let mut folded = fold_once(text);
    // Folding can uncover characters that decompose further; the second pass nearly always changes nothing.
    for _ in 0..4 {
        let again = fold_once(&folded);
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

fn fold_once(s: &str) -> String {
    let bare: String =
        s.nfkd().filter(|c| !is_accent(*c) && !is_invisible(*c) && *c != '\0').default_case_fold().nfc().collect();
    spaced(&bare)
}

/// The words of a text, with one blank between them.
fn spaced(s: &str) -> String {
    s.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Combining marks that only decorate a letter. The classes left out spell letters: 7 nukta, 8 voicing marks of kana,
/// 9 virama, and the vowel and tone signs of Thai, Lao, Telugu and Tibetan (84 to 132).
fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 1 | 10..=36 | 200..=240)
}

/// Characters without a picture: zero-width blanks and joiners, direction marks, variation selectors, soft hyphens.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}')
}

/// The text as people see it: without characters that have no picture.
fn visible(s: &str) -> String {
    if s.is_ascii() {
        return text(s);
    }
    text(&s.chars().filter(|c| !is_invisible(*c)).collect::<String>())
}

/// A label: one of those that remotes know, whatever its case, else the text itself. `None` when there is nothing.
pub fn label(s: Option<&str>) -> Option<String> {
    known(s, &LABELS)
}

/// A protocol of instant messengers: one of those that remotes know, whatever its case, else the text itself.
pub fn protocol(s: Option<&str>) -> Option<String> {
    known(s, &PROTOCOLS)
}

fn known(s: Option<&str>, names: &[&str]) -> Option<String> {
    let text = text(s?);
    match names.iter().find(|name| name.eq_ignore_ascii_case(&text)) {
        Some(name) => Some((*name).to_owned()),
        None => (!text.is_empty()).then_some(text),
    }
}

/// The folded name of the contact: the full name of a person, the name of an organization. `None` when it has none.
pub fn name_key(card: &Card) -> Option<String> {
    let folded = match &card.subject {
        Subject::Person(person) => fold(&person.name.full()?),
        Subject::Organization(organization) => fold(&organization.name),
    };
    (!folded.is_empty()).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_composed_trimmed_and_have_one_kind_of_line_end() {
        for (raw, expected) in [
            ("  Ada  King\u{a0}", "Ada  King"),
            ("a\r\nb\rc\nd", "a\nb\nc\nd"),
            ("Zu\u{308}rich", "Zürich"),
            ("a\u{0}b\u{7}\tc", "ab\tc"),
            ("ﬁ ² Ⅷ", "ﬁ ² Ⅷ"),
            (" \r\n ", ""),
        ] {
            assert_eq!(text(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn folded_words_ignore_accents_case_width_and_surplus_blanks() {
        for (one, other) in [
            ("Müller", "MULLER"),
            ("Straße", "STRASSE"),
            ("İstanbul", "istanbul"),
            ("Ａｄａ\u{3000}Ｋｉｎｇ", "ada king"),
            ("Ada\u{200b} \t King", "ada king"),
            ("É́", "e"),
            ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ] {
            assert_eq!(fold(one), fold(other), "{one:?} {other:?}");
        }
        for (one, other) in [("が", "か"), ("कि", "क"), ("Ada King", "Ada Kings"), ("น้า", "นา")] {
            assert_ne!(fold(one), fold(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn known_labels_have_one_spelling_and_custom_ones_their_own() {
        assert_eq!(label(Some(" WORK ")).as_deref(), Some("work"));
        assert_eq!(label(Some("homefax")).as_deref(), Some("homeFax"));
        assert_eq!(label(Some("Alte Nummer")).as_deref(), Some("Alte Nummer"));
        assert_eq!(label(Some("  ")), None);
        assert_eq!(label(None), None);
        assert_eq!(protocol(Some("googletalk")).as_deref(), Some("googleTalk"));
    }
}
