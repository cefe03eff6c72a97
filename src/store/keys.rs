//! The keys of a contact as the database spells them.

use std::collections::BTreeSet;

use crate::domain::contact::Card;
use crate::domain::matching::MatchKey;

/// The keys of a card.
// TODO(matching): replace by `domain::matching::keys` once it is there.
pub(super) fn keys(card: &Card) -> BTreeSet<MatchKey> {
    let emails = card.emails.iter().map(|email| MatchKey::Email(email.value.to_lowercase()));
    let phones = card.phones.iter().map(|phone| {
        MatchKey::Phone(phone.value.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect::<String>())
    });
    let name = card.as_organization().map(|organization| MatchKey::OrganizationName(organization.name.to_lowercase()));
    emails.chain(phones).chain(name).collect()
}

/// A key as text: its kind, a colon, its value.
// TODO(matching): replace by `MatchKey`'s `Display` once it is there.
pub(super) fn key_text(key: &MatchKey) -> String {
    match key {
        MatchKey::Email(value) => format!("email:{value}"),
        MatchKey::Phone(value) => format!("phone:{value}"),
        MatchKey::NameAtOrganization(value) => format!("name:{value}"),
        MatchKey::OrganizationName(value) => format!("organization:{value}"),
    }
}
