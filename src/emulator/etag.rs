//! The etag of a person: a function of the mask, the sources and the version of the contact.
//!
//! Two reads of one version with different masks give different texts, and an update accepts both; recorded etags
//! decode to exactly this (field numbers, source numbers, the text of the source's etag).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::mask::{Mask, Sources};

const FIELDS: u8 = 0x12;
const SOURCES: u8 = 0x1a;
const VERSION: u8 = 0x22;

/// The etag of a person at `version`, read with `mask` from `sources`.
pub fn person(mask: Mask, sources: Sources, version: &str) -> String {
    let fields: Vec<u8> = mask.fields().map(super::mask::Field::number).collect();
    let mut bytes = Vec::with_capacity(fields.len() + version.len() + 12);
    for (tag, content) in [(FIELDS, fields.as_slice()), (SOURCES, sources.numbers()), (VERSION, version.as_bytes())] {
        bytes.push(tag);
        // INVARIANT: 29 fields, four sources and twelve characters all fit into one length byte.
        bytes.push(u8::try_from(content.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(content);
    }
    format!("%{}", STANDARD.encode(bytes))
}

/// The etag of a contact source.
pub fn source(version: &str) -> String {
    format!("#{version}")
}

/// The version inside a person's etag; `None` when the text is no such etag.
pub fn version_of(etag: &str) -> Option<String> {
    let bytes = STANDARD.decode(etag.strip_prefix('%')?).ok()?;
    let mut rest = bytes.as_slice();
    while let [tag, length, tail @ ..] = rest {
        let (content, next) = tail.split_at_checked(usize::from(*length))?;
        if *tag == VERSION {
            return String::from_utf8(content.to_vec()).ok();
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::mask::Field;
    use super::*;

    #[test]
    fn masks_and_sources_change_the_text_and_not_the_version() {
        let names = Mask::none().with(Field::Names);
        let contact_only = Sources { contact: true, profile: false };
        let texts = [
            person(names, Sources::DEFAULT, "obLD1OX2Bxg="),
            person(Mask::all(), Sources::DEFAULT, "obLD1OX2Bxg="),
            person(names, contact_only, "obLD1OX2Bxg="),
        ];
        assert!(texts[0] != texts[1] && texts[0] != texts[2]);
        for text in &texts {
            assert!(text.starts_with("%E"), "{text}");
            assert_eq!(version_of(text).as_deref(), Some("obLD1OX2Bxg="));
        }
    }

    #[test]
    fn other_texts_hold_no_version() {
        for text in ["", "#obLD1OX2Bxg=", "%", "%AAAA", "%EgY", "x", "%EgYBAgMJNy4a"] {
            assert_eq!(version_of(text), None, "{text}");
        }
    }
}
