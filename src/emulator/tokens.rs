//! Sync and page tokens: opaque to clients, self-contained where they must outlive a restart of the client.
//!
//! A sync token holds a place in the change log, when the full listing began that its chain descends from, and a
//! fingerprint of the parameters it was asked for with. A page token names a listing in progress and a position in it.
//! Both carry a checksum, so that garbage, and one kind sent as the other, is recognised as such.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest as _, Sha256};

use super::changes::Place;
use crate::domain::time::Timestamp;

/// Which list a token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// `people.connections.list`.
    People,
    /// `contactGroups.list`.
    Groups,
}

impl Collection {
    fn number(self) -> u64 {
        match self {
            Collection::People => 1,
            Collection::Groups => 2,
        }
    }
}

/// A condensed set of parameters.
pub type Fingerprint = u64;

/// The content of a sync token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncToken {
    /// Which list it belongs to.
    pub collection: Collection,
    /// The numeric id of the account.
    pub account: u64,
    /// What it has seen of the change log.
    pub place: Place,
    /// When the full listing began that the chain descends from.
    pub began: Timestamp,
    /// The parameters.
    pub parameters: Fingerprint,
    /// The generation of the account's tokens it belongs to.
    pub generation: u64,
}

/// The content of a page token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageToken {
    /// The listing.
    pub listing: u64,
    /// How many entries came before.
    pub offset: u64,
}

/// Condenses a text.
pub fn fingerprint(text: &str) -> Fingerprint {
    condense(text.as_bytes())
}

impl SyncToken {
    /// The text handed out.
    pub fn encode(&self) -> String {
        let began = u64::from_be_bytes(self.began.as_micros().to_be_bytes());
        seal(b'S', &[self.collection.number(), self.account, self.place, began, self.parameters, self.generation])
    }

    /// Reads a text back; `None` when it never was a sync token of this list and account.
    pub fn decode(text: &str, collection: Collection, account: u64) -> Option<Self> {
        let [list, owner, place, began, parameters, generation] = open(b'S', text)?;
        if list != collection.number() || owner != account {
            return None;
        }
        let began = Timestamp::from_micros(i64::from_be_bytes(began.to_be_bytes()));
        Some(SyncToken { collection, account, place, began, parameters, generation })
    }
}

impl PageToken {
    /// The text handed out.
    pub fn encode(&self) -> String {
        seal(b'P', &[self.listing, self.offset])
    }

    /// Reads a text back; `None` when it never was a page token.
    pub fn decode(text: &str) -> Option<Self> {
        let [listing, offset] = open(b'P', text)?;
        Some(PageToken { listing, offset })
    }
}

fn condense(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

fn seal(kind: u8, words: &[u64]) -> String {
    let mut bytes = vec![kind];
    bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    let checksum = condense(&bytes);
    bytes.extend(checksum.to_be_bytes());
    URL_SAFE.encode(bytes)
}

fn open<const N: usize>(kind: u8, text: &str) -> Option<[u64; N]> {
    let bytes = URL_SAFE.decode(text).ok()?;
    let (content, checksum) = bytes.split_last_chunk::<8>()?;
    let (first, words) = content.split_first()?;
    if *first != kind || words.len() != N * 8 || condense(content) != u64::from_be_bytes(*checksum) {
        return None;
    }
    let mut numbers = [0; N];
    for (number, chunk) in numbers.iter_mut().zip(words.chunks_exact(8)) {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        *number = u64::from_be_bytes(word);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_garbage_does_not() {
        let token = SyncToken {
            collection: Collection::People,
            account: 7,
            place: 42,
            began: Timestamp::from_micros(-5),
            parameters: 9,
            generation: 1,
        };
        let text = token.encode();
        assert_eq!(SyncToken::decode(&text, Collection::People, 7), Some(token));
        assert_eq!(SyncToken::decode(&text, Collection::Groups, 7), None);
        assert_eq!(SyncToken::decode(&text, Collection::People, 8), None);
        assert_eq!(PageToken::decode(&text), None);
        assert_eq!(SyncToken::decode("garbage", Collection::People, 7), None);
        let page = PageToken { listing: 1, offset: 2 };
        assert_eq!(PageToken::decode(&page.encode()), Some(page));
        assert_eq!(SyncToken::decode(&page.encode(), Collection::People, 7), None);
    }
}
