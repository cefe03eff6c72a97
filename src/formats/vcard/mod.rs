//! vCard files of version 2.1, 3.0 and 4.0.
//!
//! A file is taken apart into cards ([`split`]), the lines of a card are made plain: folding, quoted-printable and
//! legacy encodings are undone ([`plain`]). The properties are then read by the vCard crate and told into a card
//! ([`card`]). Properties that only programs need are passed over; any other that is not understood is named in a
//! warning.

mod card;
mod plain;
mod property;
mod quoted_printable;
mod split;
mod tables;

use super::warning::Warning;
use super::{Draft, DraftEntries, Item, Rejected};

pub(super) use split::{RawCard, cards};
pub(super) use tables::{CUSTOM, INDUSTRY, LABEL, OWNER, PRODID, PROTOCOL, REASON, VISIBILITY};

/// Reads one card.
pub(super) fn read(raw: RawCard) -> Item {
    let line = raw.line;
    let rejected = |reason: &str, raw: &RawCard| {
        Item::Rejected(Rejected { line, reason: reason.to_owned(), raw: vec![raw.text()] })
    };
    let plain = plain::card(&raw);
    let Ok(parsed) = calcard::vcard::VCard::parse(&plain.text) else {
        return rejected("the card cannot be read", &raw);
    };
    let mut warnings = Vec::new();
    if plain.photos > 0 {
        warnings.push(Warning::PhotosLeftOut { count: plain.photos });
    }
    if raw.has_assistant {
        warnings.push(Warning::AssistantLeftOut);
    }
    if plain.strange_lines > 0 {
        warnings.push(Warning::LinesLeftOut { count: plain.strange_lines });
    }
    match card::read(&parsed, &mut warnings) {
        Ok(card) => {
            let raw = vec![raw.text()];
            Item::Draft(Box::new(Draft {
                line,
                card,
                organization: None,
                entries: DraftEntries::default(),
                warnings,
                raw,
            }))
        }
        Err(reason) => rejected(reason, &raw),
    }
}
