//! Step 4: records that seem to be gone.
//!
//! Silence deletes nothing. A tombstone of the change stream is evidence, and a direct read that finds nothing confirms
//! it. That a listing or a call did not find a record is only a suspicion, and a read that confirms it counts only
//! outside the freshness window. A record that shows up although we deleted it is asked for too: it is there again, or
//! an edit overran our deletion.

use std::collections::{BTreeMap, BTreeSet};

use super::group_search::{Shown, Wanted};
use super::push::News;
use super::reached::{self, Situation};
use super::rules::{self, Rule};
use super::settle::is_folded_twin;
use super::{CHUNK, Doing, EngineError, Run};
use crate::domain::contact::Contact;
use crate::domain::id::{GroupId, LinkId, RemoteId};
use crate::domain::link::{Link, LinkState, Sighting, Suspicion};
use crate::domain::time::Timestamp;
use crate::domain::version::VersionVector;
use crate::remotes::{Fetched, Record};
use crate::store::{Ghost, Write};

/// A record that was asked for.
struct Asked {
    link: LinkId,
    /// The name it was asked for by.
    remote: RemoteId,
    /// When, as the remote's clock shows it.
    at: Timestamp,
}

/// Records that a direct read did not find, and where to look for them before they are taken for gone.
#[derive(Default)]
struct Lost {
    links: Vec<Asked>,
    /// What they are known by.
    wanted: Wanted,
    /// The groups they were last known to be in.
    groups: BTreeSet<GroupId>,
    /// Records that were taken for one too many.
    twins: Vec<Link>,
    /// What was asked so far. One that cannot be told from another yet is noted under a new link, which comes by once
    /// more; it is not asked for again.
    asked: BTreeSet<(RemoteId, IsDead)>,
}

/// Whether the link was dead for which a record was asked for: whether it is there again is another question than whether
/// it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum IsDead {
    No,
    Yes,
}

impl Run<'_> {
    /// Asks directly for every record that seems to be gone, or seems to be there again.
    pub(crate) async fn confirm_suspects(&mut self) -> Result<(), EngineError> {
        let mut lost = Lost::default();
        // What one read shows may be the record of a link that was passed already: a dead one, whose record it is then.
        while self.ask_for_suspects(&mut lost).await? == News::Some {}
        self.conclude(lost).await
    }

    /// Goes through the suspects once. Some news when that brought states of records that have to be asked for as well.
    async fn ask_for_suspects(&mut self, lost: &mut Lost) -> Result<News, EngineError> {
        let mut news = News::None;
        let mut after = None;
        lost.twins.clear();
        while let Some(links) = self.unsettled(&mut after).await? {
            self.check_stop()?;
            lost.twins.extend(links.iter().filter(|link| is_folded_twin(link)).cloned());
            let suspects: Vec<Link> =
                links.into_iter().filter(is_suspect).filter(|link| lost.is_unasked(link)).collect();
            if suspects.is_empty() {
                continue;
            }
            lost.asked.extend(suspects.iter().filter_map(question));
            // What happens to a record from here on is news, whatever the read shows.
            let asked_at = self.remote_now();
            let Fetched { records: mut found, unclear } = self.fetch_own(suspects.iter()).await?;
            let contacts = self.contacts_of(&suspects).await?;
            let mut writes = Vec::new();
            let mut seen_again = Vec::new();
            let is_clear = |link: &Link| link.remote.as_ref().is_none_or(|id| !unclear.contains(id));
            for link in suspects.into_iter().filter(is_clear) {
                match link.remote.as_ref().and_then(|id| found.remove(id)) {
                    None if link.state == LinkState::Bound && !self.may_be_unfound(&link) => {
                        lost.add(&link, self.groups_of(&link), asked_at);
                    }
                    None if link.state == LinkState::Gone => {
                        let contact = link.contact.and_then(|id| contacts.get(&id));
                        writes.extend(self.missing_again(link, contact));
                    }
                    None => writes.extend(self.missing(link, asked_at)),
                    Some(record) => match self.present(&link, &record) {
                        Some(link) => writes.push(Write::Link(Box::new(link))),
                        None => seen_again.push(record),
                    },
                }
            }
            self.commit(writes, "recording which records are gone").await?;
            let writes = self.observe_records(seen_again).await?;
            let is_open =
                |write: &Write| matches!(write, Write::Link(link) if is_suspect(link) && lost.is_unasked(link));
            if writes.iter().any(is_open) {
                news = News::Some;
            }
            self.commit(writes, "recording which records are there").await?;
        }
        Ok(news)
    }

    /// Takes for gone what is not found in its groups either. A record that got another name is gone under the old one,
    /// and the entry that tells may have got lost. Until it was looked for it stays a suspect, so that a run that is cut
    /// off while looking leaves that to the next one.
    async fn conclude(&mut self, lost: Lost) -> Result<(), EngineError> {
        if lost.links.is_empty() {
            return Ok(());
        }
        let groups = self.pair_groups().live().filter(|group| lost.groups.contains(*group)).cloned().collect();
        let shown = self.search_groups(&groups, &lost.wanted).await?;
        let originals = self.originals_of(lost.twins.iter()).await?;
        let twins: BTreeMap<LinkId, &Link> =
            lost.twins.iter().filter_map(|twin| Some((originals.get(&twin.id)?.id, twin))).collect();
        for chunk in lost.links.chunks(CHUNK as usize) {
            let ids: Vec<LinkId> = chunk.iter().map(|asked| asked.link).collect();
            let asked: BTreeMap<LinkId, &Asked> = chunk.iter().map(|asked| (asked.link, asked)).collect();
            let mut writes = Vec::new();
            for link in self.deps.store.links(&ids).await.doing("reading links")? {
                let asked = asked.get(&link.id).filter(|asked| link.remote.as_ref() == Some(&asked.remote));
                let Some(asked) = asked.filter(|_| is_suspect(&link)) else { continue };
                match twins.get(&link.id) {
                    Some(twin) => {
                        self.waiting += 1;
                        writes.extend(stand_in(twin, &link, self.now()));
                    }
                    // It may be the one that is not shown yet, under another name.
                    None if shown == Shown::Some && self.is_suspected_recently(&link) => self.waiting += 1,
                    None => writes.extend(self.missing(link, asked.at)),
                }
            }
            self.commit(writes, "recording which records are gone").await?;
        }
        Ok(())
    }

    /// Reads the records of these links directly. One whose name leads to another link's record was merged into that one,
    /// and is not found.
    pub(crate) async fn fetch_own(&mut self, links: impl Iterator<Item = &Link>) -> Result<Fetched, EngineError> {
        let asked: Vec<(RemoteId, LinkId)> = links.filter_map(|link| Some((link.remote.clone()?, link.id))).collect();
        let ids: Vec<RemoteId> = asked.iter().map(|(remote, _)| remote.clone()).collect();
        let mut fetched = self.fetch(&ids).await?;
        let taken = self.taken_by_others(&fetched.records).await?;
        let owners: BTreeMap<RemoteId, LinkId> = asked.into_iter().collect();
        let is_own = |asked: &RemoteId, record: &Record| {
            taken.get(&record.id).is_none_or(|other| owners.get(asked) == Some(other))
        };
        fetched.records.retain(|asked, record| is_own(asked, record));
        Ok(fetched)
    }

    /// Which of these records, read under a former name, are other links' by now: they were merged there.
    pub(crate) async fn taken_by_others(
        &self,
        found: &BTreeMap<RemoteId, Record>,
    ) -> Result<BTreeMap<RemoteId, LinkId>, EngineError> {
        let renamed: Vec<RemoteId> =
            found.iter().filter(|(asked, record)| record.id != **asked).map(|(_, record)| record.id.clone()).collect();
        if renamed.is_empty() {
            return Ok(BTreeMap::new());
        }
        let account = &self.order.promise.account;
        let links = self.deps.store.links_of_remotes(account, &renamed).await.doing("reading links")?;
        let own = links.into_iter().filter(|(remote, link)| link.remote.as_ref() == Some(remote));
        let settled = own.filter(|(_, link)| link.base.is_some() && !is_folded_twin(link));
        Ok(settled.map(|(remote, link)| (remote, link.id)).collect())
    }

    /// Whether a record seems to be gone for so short a while that a read may not show where it went.
    fn is_suspected_recently(&self, link: &Link) -> bool {
        matches!(link.seen, Some(Sighting::Suspect { at, .. }) if self.is_recent(at))
    }

    /// The next unsettled links, loaded; `None` after the last.
    pub(crate) async fn unsettled(&mut self, after: &mut Option<LinkId>) -> Result<Option<Vec<Link>>, EngineError> {
        let account = &self.order.promise.account;
        let store = self.deps.store;
        let ids = store.unsettled_links(account, *after, CHUNK).await.doing("reading what is to be done")?;
        let Some(last) = ids.last() else { return Ok(None) };
        *after = Some(*last);
        Ok(Some(store.links(&ids).await.doing("reading links")?))
    }

    /// What follows from a direct read that did not find the record, sent when the remote's clock showed `asked_at`.
    fn missing(&mut self, mut link: Link, asked_at: Timestamp) -> Vec<Write> {
        let now = self.now();
        if link.state == LinkState::Found && link.base.is_none() && self.may_be_unfound(&link) {
            self.waiting += 1;
            return self.bring_back(&link).map(|link| Write::Link(Box::new(link))).into_iter().collect();
        }
        if link.state == LinkState::Found {
            let Some(remote) = link.remote else { return Vec::new() };
            return vec![Write::DropLink(link.id), Write::Ghost(Ghost { account: link.account, remote, seen: now })];
        }
        if self.may_be_unfound(&link) {
            reached::note(Situation::MissingInsideWindow);
            self.waiting += 1;
            return self.bring_back(&link).map(|link| Write::Link(Box::new(link))).into_iter().collect();
        }
        if self.may_have_returned_lately(&link) {
            self.waiting += 1;
            return self.bring_back(&link).map(|link| Write::Link(Box::new(link))).into_iter().collect();
        }
        if link.etag.is_none()
            && link.remote_time.is_none()
            && matches!(link.seen, Some(Sighting::Suspect { cause: Suspicion::Absence, .. }))
        {
            // It went while the link was set aside, and nobody followed it. The contact was selected or restored since.
            let renewed = self.renew(&mut link);
            return renewed.into_iter().chain([Write::Link(Box::new(link))]).collect();
        }
        reached::note(Situation::MissingConfirmed);
        // Late entries of the change stream from before the deletion must not pass for an undelete.
        if rules::holds(Rule::RemoteTimeOnMissing) {
            link.remote_time = link.remote_time.max(Some(asked_at));
        }
        link.seen = Some(Sighting::Gone { at: now });
        vec![Write::Link(Box::new(link))]
    }

    /// What follows when a record that was gone was listed since, and a direct read does not find it.
    fn missing_again(&mut self, mut link: Link, contact: Option<&Contact>) -> Vec<Write> {
        match link.seen {
            // Somebody brought it back, or may have, and reads do not show that yet.
            Some(Sighting::Suspect { at, .. } | Sighting::Present { at, .. })
                if !self.may_be_deleted_by_us(&link) && self.is_recent(at) =>
            {
                self.waiting += 1;
                link.seen = Some(Sighting::Suspect { cause: Suspicion::Return, at: at.min(self.now()) });
                vec![Write::Link(Box::new(link))]
            }
            Some(Sighting::Suspect { .. }) => {
                // It was a late state, from before, or it went again. The contact may have been restored meanwhile.
                link.seen = None;
                let renewed = contact.filter(|contact| self.is_wanted(contact)).and_then(|_| self.renew(&mut link));
                renewed.into_iter().chain([Write::Link(Box::new(link))]).collect()
            }
            _ => {
                reached::note(Situation::OverrunEditReturns);
                // An edit overran our deletion: it is kept as a sighting, and the contact comes back with it.
                Vec::new()
            }
        }
    }

    /// Whether the record was listed after it had been found gone, so recently that a read may show either state.
    fn may_have_returned_lately(&self, link: &Link) -> bool {
        matches!(link.seen, Some(Sighting::Suspect { cause: Suspicion::Return, at }) if self.is_recent(at))
    }

    /// Whether it proves nothing that a read did not find the record.
    fn may_be_unfound(&self, link: &Link) -> bool {
        matches!(link.seen, Some(Sighting::Suspect { cause: Suspicion::Absence | Suspicion::Rival, .. }))
            && self.may_be_hidden(link)
            && rules::holds(Rule::MissingDistrusted)
    }

    /// What follows, without more ado, from a direct read that found the record; `None` when it has to be observed.
    fn present(&mut self, link: &Link, record: &Record) -> Option<Link> {
        let mut link = link.clone();
        match (&link.state, &link.seen) {
            // It could not be told from another one so far.
            (LinkState::Found, Some(Sighting::Suspect { cause: Suspicion::Absence, .. })) if link.base.is_none() => {
                None
            }
            (LinkState::Found, _) => {
                link.seen = Some(Sighting::Present { wire: record.wire.clone(), at: self.now() });
                link.etag.clone_from(&record.etag);
                link.remote_time = record.time;
                Some(link)
            }
            // What the read shows may be from before the record was found gone.
            (LinkState::Gone, Some(Sighting::Suspect { at, .. })) if self.is_recent(*at) => {
                self.waiting += 1;
                Some(link)
            }
            (_, Some(Sighting::Suspect { .. })) if self.may_have_returned_lately(&link) => {
                self.waiting += 1;
                Some(link)
            }
            (LinkState::Bound, Some(Sighting::Suspect { cause: Suspicion::Return, .. })) => {
                reached::note(Situation::RecordIsBack);
                link.etag.clone_from(&record.etag);
                link.remote_time = record.time;
                link.changed_at = self.now();
                self.note_news(&mut link, record);
                Some(link)
            }
            (LinkState::Gone, Some(Sighting::Suspect { .. })) => {
                reached::note(Situation::RecordIsBack);
                link.seen = Some(Sighting::Present { wire: record.wire.clone(), at: self.now() });
                link.etag.clone_from(&record.etag);
                link.remote_time = record.time;
                link.changed_at = self.now();
                link.state = LinkState::Bound;
                // Whether it is wanted there is another question.
                link.settled = VersionVector::new();
                Some(link)
            }
            (LinkState::Gone, _) => {
                reached::note(Situation::RecordIsBack);
                link.state = LinkState::Bound;
                link.settled = VersionVector::new();
                if link.own_delete {
                    // The store had deleted it, not the remote.
                    link.acked = VersionVector::new();
                }
                link.own_delete = self.may_be_deleted_by_us(&link);
                if !link.own_delete {
                    link.changed_at = self.now();
                }
                Some(link)
            }
            // A state from right before the deletion, of which the change stream knows already.
            (_, Some(Sighting::Suspect { cause: Suspicion::Tombstone, at }))
                if self.is_recent(*at)
                    && link.remote.as_ref() == Some(&record.id)
                    && link.etag.is_some()
                    && !link.own_delete =>
            {
                self.waiting += 1;
                Some(link)
            }
            (_, Some(Sighting::Suspect { cause, at }))
                if (link.etag.is_some() || link.state == LinkState::Dormant) && !is_newer(record, &link) =>
            {
                let is_late = record.time < link.remote_time;
                if (is_late || *cause != Suspicion::Rival) && self.is_recent(*at) {
                    // The read is the late one, or may be: the listing knew better.
                    self.waiting += 1;
                } else if is_late {
                    // It is there, and what the read shows of it is no news.
                    link.seen = None;
                    if link.etag.is_none() {
                        link.etag.clone_from(&record.etag);
                    }
                } else {
                    self.note_news(&mut link, record);
                }
                Some(link)
            }
            _ => None,
        }
    }
}

impl Lost {
    fn is_unasked(&self, link: &Link) -> bool {
        question(link).is_none_or(|question| !self.asked.contains(&question))
    }

    fn add(&mut self, link: &Link, groups: BTreeSet<GroupId>, at: Timestamp) {
        self.links.extend(link.remote.clone().map(|remote| Asked { link: link.id, remote, at }));
        self.wanted.tokens.insert(link.token.clone());
        let untagged = link.base.as_ref().filter(|base| base.marker.is_none());
        self.wanted.untagged.extend(untagged.map(|base| base.store.clone()));
        self.groups.extend(groups);
    }
}

/// What is remembered when the record of a link is gone and one that had been taken for its double is there: that one
/// takes its place. It has never had what the other one was told, so it brings what it agreed on itself. Whether it is
/// there is asked once more.
pub(crate) fn stand_in(twin: &Link, original: &Link, now: Timestamp) -> Vec<Write> {
    reached::note(Situation::TwinStandsIn);
    let link = Link {
        remote: twin.remote.clone(),
        base: twin.base.clone(),
        etag: twin.etag.clone(),
        remote_time: twin.remote_time,
        changed_at: now,
        acked: VersionVector::new(),
        settled: VersionVector::new(),
        leaving: BTreeSet::new(),
        member_of: BTreeSet::new(),
        seen: Some(Sighting::Suspect { cause: Suspicion::Rival, at: now }),
        // Nobody took the photo of the other one away: this record has never had it.
        photo: twin.photo.clone(),
        ..original.clone()
    };
    let (account, id) = (link.account.clone(), link.id);
    let former = original.remote.clone().map(|remote| Write::Alias { account, remote, link: id });
    [Write::DropLink(twin.id), Write::Link(Box::new(link))].into_iter().chain(former).collect()
}

/// What is asked about a suspect.
fn question(link: &Link) -> Option<(RemoteId, IsDead)> {
    let is_dead = if link.state == LinkState::Gone { IsDead::Yes } else { IsDead::No };
    Some((link.remote.clone()?, is_dead))
}

fn is_suspect(link: &Link) -> bool {
    matches!(link.seen, Some(Sighting::Suspect { .. }))
        || (link.state == LinkState::Gone && matches!(link.seen, Some(Sighting::Present { .. })))
}

fn is_newer(record: &Record, link: &Link) -> bool {
    let known: Option<Timestamp> = link.remote_time;
    match (record.time, known) {
        (Some(seen), Some(known)) => seen > known,
        _ => record.etag != link.etag,
    }
}
