//! Listings in progress: what the pages after the first one need.
//!
//! The first page fixes which objects a listing shows and in which order, so that page tokens stay stable; what is
//! shown of each object is read when its page is fetched. The sync token at the end is the one of the first page: a
//! change made between two pages comes again in the next delta, and none is lost.

use std::collections::BTreeMap;

use super::contact::ContactKey;
use super::tokens::{Fingerprint, PageToken, SyncToken};

/// How many listings one account keeps; an older page token is refused.
const KEPT_MAX: usize = 32;

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A contact.
    Person(ContactKey),
    /// A group.
    Group(String),
}

/// Whether a listing shows everything or what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Full,
    /// What changed since a sync token.
    Delta,
}

/// One listing.
#[derive(Debug, Clone)]
pub struct Listing {
    /// What it shows.
    pub entries: Vec<Entry>,
    /// Everything or a delta.
    pub extent: Extent,
    /// The parameters of its first page, sync token included.
    pub parameters: Fingerprint,
    /// The token its last page hands out, if one was asked for.
    pub sync_token: Option<SyncToken>,
    /// How many objects there are in all; a delta does not tell.
    pub total: Option<usize>,
}

/// One page of a listing.
#[derive(Debug)]
pub struct Page {
    /// Its entries.
    pub entries: Vec<Entry>,
    /// Everything or a delta.
    pub extent: Extent,
    /// How many objects there are in all.
    pub total: Option<usize>,
    /// The token of the next page.
    pub next_page: Option<String>,
    /// The sync token, on the last page.
    pub next_sync: Option<String>,
}

/// The listings of one account.
#[derive(Debug, Default)]
pub struct Listings {
    kept: BTreeMap<u64, Listing>,
    last: u64,
}

impl Listings {
    /// Begins a listing and answers its first page.
    pub fn begin(&mut self, listing: Listing, size: usize, repeats: Repeats) -> Page {
        if listing.entries.len() <= size {
            return cut(&listing, 0, 0, size, Repeats::None);
        }
        self.last += 1;
        let page = cut(&listing, self.last, 0, size, repeats);
        self.kept.insert(self.last, listing);
        if self.kept.len() > KEPT_MAX {
            self.kept.pop_first();
        }
        page
    }

    /// The page behind `token`; `None` when its listing is not known any more or had other parameters.
    pub fn go_on(&self, token: PageToken, parameters: Fingerprint, size: usize, repeats: Repeats) -> Option<Page> {
        let listing = self.kept.get(&token.listing).filter(|listing| listing.parameters == parameters)?;
        let offset = usize::try_from(token.offset).ok()?;
        Some(cut(listing, token.listing, offset, size, repeats))
    }
}

/// Whether the last entry of a page comes again on the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// No.
    None,
    /// Yes.
    LastEntry,
}

fn cut(listing: &Listing, number: u64, offset: usize, size: usize, repeats: Repeats) -> Page {
    let end = offset.saturating_add(size).min(listing.entries.len());
    let mut entries = listing.entries.get(offset..end).unwrap_or_default().to_vec();
    if let (Repeats::LastEntry, Some(previous)) = (repeats, offset.checked_sub(1)) {
        entries.splice(0..0, listing.entries.get(previous).cloned());
    }
    let is_last = end == listing.entries.len();
    let offset = u64::try_from(end).unwrap_or(u64::MAX);
    Page {
        entries,
        extent: listing.extent,
        total: listing.total,
        next_page: (!is_last).then(|| PageToken { listing: number, offset }.encode()),
        next_sync: listing.sync_token.filter(|_| is_last).map(|token| token.encode()),
    }
}
