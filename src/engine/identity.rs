//! The names that the engine makes up: link tokens, and the keyed hashes of strangers.

use std::collections::BTreeSet;

use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};

use crate::clock::Entropy;
use crate::domain::contact::Card;
use crate::domain::dialling::HomeRegion;
use crate::domain::id::{AccountName, ContactId, LinkToken, Marker, RemoteId};
use crate::domain::matching::{Face, MatchKey};
use crate::remotes::{Reading, Tag};
use crate::store::StoreIdentity;

/// What a link token is derived from.
pub enum Subject<'a> {
    /// The contact the link is for.
    Contact(ContactId),
    /// The remote record, while nobody knows whose it is.
    Remote(&'a RemoteId),
}

/// The token of a link and incarnation: 128 bits that follow from whose it is, so that even a lost row derives it anew.
pub fn token(store: &StoreIdentity, account: &AccountName, subject: &Subject<'_>, incarnation: u32) -> LinkToken {
    let subject = match subject {
        Subject::Contact(id) => format!("contact:{id}"),
        Subject::Remote(id) => format!("remote:{id}"),
    };
    let hash = Sha256::digest(format!("{}\n{account}\n{subject}\n{incarnation}", store.id));
    LinkToken::new(hex(&hash[..16]))
}

/// A token that nothing has ever been called by.
pub fn random_token(entropy: &dyn Entropy) -> LinkToken {
    LinkToken::new(format!("{:032x}", entropy.next_u128()))
}

/// Stands for a tag where only the rest of a record matters.
pub fn no_tag() -> Tag {
    Tag { token: LinkToken::new(""), epoch: 0, marker: Marker(0) }
}

/// The keyed hashes under which a stranger's e-mails and phones are remembered. Names are not: they are no identity. They
/// follow from the record alone; the country that a number may be dialled from is the matter of [`suitor_keys`].
pub fn stranger_keys(store: &StoreIdentity, reading: &Reading) -> BTreeSet<Vec<u8>> {
    hashes(store, Face::of(&reading.card, None).told(reading.numbers.values()).keys())
}

/// The keyed hashes under which strangers are remembered that share an e-mail or a phone with the contact.
pub fn suitor_keys(store: &StoreIdentity, card: &Card, home: Option<HomeRegion>) -> BTreeSet<Vec<u8>> {
    hashes(store, &Face::of(card, home).search_keys(home))
}

fn hashes(store: &StoreIdentity, keys: &BTreeSet<MatchKey>) -> BTreeSet<Vec<u8>> {
    keys.iter()
        .filter(|key| matches!(key, MatchKey::Email(_) | MatchKey::Phone(_)))
        .filter_map(|key| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&store.hash_key).ok()?;
            mac.update(key.to_string().as_bytes());
            Some(mac.finalize().into_bytes().to_vec())
        })
        .collect()
}

/// A short name for all of these texts in this order.
pub fn fingerprint(parts: &[String]) -> String {
    hex(&Sha256::digest(parts.join("\n"))[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
