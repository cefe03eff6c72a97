//! Whose record one is: by its id, by a former id, then by our tag.

use super::{Page, Source};
use crate::domain::id::{LinkId, RemoteId};
use crate::domain::link::{Former, Link, LinkState, Sighting, Suspicion};
use crate::engine::rules::{self, Rule};
use crate::engine::settle::is_folded_twin;
use crate::remotes::{Presence, Record, Tag};

/// How a record relates to a link.
pub(super) enum Bearing {
    /// It is the link's record.
    Own(LinkId),
    /// It is the link's record under a new name.
    Renamed(LinkId),
    /// It carries the token of a link that waits for its record.
    Awaited(LinkId),
    /// It carries the token of a link, or was a link's record once, but the link has another one.
    Twin(LinkId),
    /// It is a former name of a link's record.
    Former,
    /// It is nobody's.
    None,
}

/// What both sides agreed on before the record of the link was taken for gone, when this is that very record: under
/// another name that had not been shown yet.
pub(super) fn former_life<'l>(link: &'l Link, record: &Record) -> Option<&'l Former> {
    let former = link.former.as_ref()?;
    (record.id == former.remote || record.former_ids.contains(&former.remote)).then_some(former)
}

/// Settles which of several tags counts in a record that was merged with another one: that of the link whose record it is;
/// else that of a link as it is now, before that of one in a former life; else that of the latest write.
pub(super) fn choose_tag(page: &Page, record: &mut Record) {
    if record.tags.len() < 2 {
        return;
    }
    let own = linked_by(page, &record.id).map_or_else(|| renamed(page, record), |link| vec![link]);
    let is_own = |tag: &&Tag| own.iter().any(|link| link.token == tag.token);
    let is_present = |tag: &&Tag| {
        let link = page.by_token.get(&tag.token).and_then(|id| page.links.get(id));
        link.is_some_and(|link| link.token == tag.token)
    };
    let chosen = record.tags.iter().find(is_own).or_else(|| record.tags.iter().find(is_present));
    if let Some(tag) = chosen.cloned() {
        record.tag = Some(tag);
    }
}

/// The link whose record has this name.
fn linked_by<'p>(page: &'p Page, name: &RemoteId) -> Option<&'p Link> {
    let link = page.links.get(page.by_remote.get(name)?)?;
    (link.remote.as_ref() == Some(name)).then_some(link)
}

/// The links whose records have former names of this one.
fn renamed<'p>(page: &'p Page, record: &Record) -> Vec<&'p Link> {
    record.former_ids.iter().filter_map(|former| linked_by(page, former)).collect()
}

/// The one of them that goes on with it: where several records became one, the one that its tag names.
fn heir(page: &Page, record: &Record) -> Option<LinkId> {
    let links = renamed(page, record);
    let named = links.iter().find(|link| record.tag.as_ref().is_some_and(|tag| tag.token == link.token));
    named.or(links.first()).map(|link| link.id)
}

/// How a record relates to the links of its page.
pub(super) fn bearing(page: &Page, record: &Record) -> Bearing {
    let renamed = heir(page, record);
    if let Some(id) = page.by_remote.get(&record.id) {
        let Some(link) = page.links.get(id) else { return Bearing::None };
        if let Some(renamed) = renamed.filter(|_| is_provisional(link)) {
            return Bearing::Renamed(renamed);
        }
        if let Some(original) = doubted_original(page, link, record) {
            return Bearing::Twin(original);
        }
        return match &link.remote {
            Some(own) if *own == record.id => Bearing::Own(*id),
            _ if record.presence == Presence::Deleted => Bearing::Former,
            _ => Bearing::Twin(*id),
        };
    }
    if let Some(id) = renamed {
        return Bearing::Renamed(id);
    }
    if let Some(id) = former_record(page, record) {
        return Bearing::Twin(id);
    }
    if !rules::holds(Rule::LinkToken) {
        return Bearing::None;
    }
    let awaited = record.tag.as_ref().and_then(|tag| page.links.get(page.by_token.get(&tag.token)?));
    match awaited {
        Some(link) if link.remote.is_none() && record.tag.as_ref().is_some_and(|tag| tag.token == link.token) => {
            Bearing::Awaited(link.id)
        }
        Some(link) if record.presence == Presence::Present => Bearing::Twin(link.id),
        _ => Bearing::None,
    }
}

/// The link whose record this was before it was taken for gone and made anew. It may never have carried our tag.
fn former_record(page: &Page, record: &Record) -> Option<LinkId> {
    let links = record.former_ids.iter().filter_map(|former| page.links.get(page.by_remote.get(former)?));
    let mut own = links.filter(|link| record.presence == Presence::Present && former_life(link, record).is_some());
    own.next().map(|link| link.id)
}

/// The link whose tag a found record carries, when that one's own record seems to be gone: this may be it. Direct reads say it
/// by the former name that they add.
fn doubted_original(page: &Page, twin: &Link, record: &Record) -> Option<LinkId> {
    let is_listed = page.source == Source::Listing && record.presence == Presence::Present;
    let is_there = is_listed && is_provisional(twin);
    let tag = record.tag.as_ref().filter(|_| is_there)?;
    let original = page.links.get(page.by_token.get(&tag.token)?)?;
    let is_doubted = matches!(original.seen, Some(Sighting::Suspect { .. } | Sighting::Gone { .. }));
    (original.state == LinkState::Bound && is_doubted).then_some(original.id)
}

/// Whether what was decided about a found record ends when it turns out to be a link's under another name.
pub(super) fn is_provisional(link: &Link) -> bool {
    is_undecided(link) || is_folded_twin(link)
}

/// Whether a record was found, and whose it is has not been decided.
pub(crate) fn is_undecided(link: &Link) -> bool {
    link.state == LinkState::Found && link.base.is_none()
}

/// Whether a record could not be told from another one when it was found; see `look_again_at`.
pub(super) fn is_looked_at_again(page: &Page, record: &Record) -> bool {
    let link = page.by_remote.get(&record.id).and_then(|id| page.links.get(id));
    link.is_some_and(|link| {
        is_undecided(link) && matches!(link.seen, Some(Sighting::Suspect { cause: Suspicion::Absence, .. }))
    })
}
