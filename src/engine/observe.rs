//! Step 2: what the remote has.
//!
//! Every record that the remote shows, by whatever call, comes in through one door, `Run::observe_records`. It decides
//! whose record it is, drops what is late or an echo of our own write, and stores the rest as sightings of links. No
//! contact is touched here. The order within a page is renames, then records that are there, then deleted ones, so that
//! the tombstone of a former name is not taken for a deletion.
//!
//! A complete listing also yields absences. An absence proves nothing by itself: it becomes a suspicion, and
//! `suspects` asks directly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::reached::{self, Situation};
use super::rules::{self, Rule};
use super::{Doing, EngineError, Purpose, Reach, Run, Step};
use crate::domain::account::{AccountState, Cursor};
use crate::domain::id::{ChangeToken, Etag, GroupId, LinkId, LinkToken, Marker, RemoteId};
use crate::domain::link::{Link, LinkState, Sighting, Suspicion};
use crate::domain::outbox::Sent;
use crate::domain::time::Timestamp;
use crate::remotes::{Fetched, PageRequest, Presence, Record, RemoteError, Tag, usable_cursor};
use crate::store::Write;

mod apart;
mod bearing;
mod classify;
mod members;

use apart::Doubled;
pub(crate) use bearing::is_undecided;
pub(crate) use classify::same_content;

/// A token dies seven days after the full listing it descends from; two days before, everything is listed anew.
const LINEAGE_LIFE: Duration = Duration::from_secs(5 * 24 * 3600);
/// Automatic full listings stay this far apart: the remote rations them.
const FULL_DISTANCE: Duration = Duration::from_secs(10 * 60);
/// What may lie between the noted beginning of a listing and its first call: the remote counts from that.
const FULL_START: Duration = Duration::from_secs(5);
/// One that showed fewer records than it counted is repeated later and later, at last once a day: where the remote counts
/// what it never shows, that does not change.
pub(crate) const SHORT_DISTANCE_MAX: Duration = Duration::from_secs(24 * 3600);

/// The full listing that a token descends from.
#[derive(Debug, Clone, Copy)]
struct Descent {
    begun: Timestamp,
    /// See [`Cursor::short`].
    short: u32,
}

impl From<&Cursor> for Descent {
    fn from(cursor: &Cursor) -> Self {
        Descent { begun: cursor.lineage, short: cursor.short }
    }
}

/// Whether the full listing that the token descends from showed too little, and the next one may be asked for.
fn is_due_again(cursor: &Cursor, now: Timestamp) -> bool {
    let times = 1_u32.checked_shl(cursor.short.saturating_sub(1)).unwrap_or(u32::MAX);
    let distance = FULL_DISTANCE.saturating_mul(times).min(SHORT_DISTANCE_MAX) + FULL_START;
    cursor.short > 0 && now.since(cursor.lineage) >= distance
}

/// Where records come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A listing, which may be late.
    Listing,
    /// A direct read. One that is as unclear as the listing was is taken as it is: it is the newest there is.
    Read,
}

/// What is known about the records of one page before they are classified, and what follows from them.
pub(crate) struct Page {
    source: Source,
    /// The links that the page is about, as they are and as they become.
    links: BTreeMap<LinkId, Link>,
    by_remote: BTreeMap<RemoteId, LinkId>,
    by_token: BTreeMap<LinkToken, LinkId>,
    /// Whose records those were once that could not be placed so far; see [`Run::load_former_names`].
    former: BTreeMap<RemoteId, LinkId>,
    sent: BTreeMap<Marker, Sent>,
    ghosts: BTreeSet<RemoteId>,
    /// Records outside the groups that carry our tag and were left alone, as they were then.
    strangers: BTreeMap<RemoteId, Option<Etag>>,
    pair_groups: BTreeSet<GroupId>,
    changed: BTreeSet<LinkId>,
    writes: Vec<Write>,
    open: Open,
}

impl Page {
    /// Takes a link away. What it stood for is once more known by whose record that was, if it was anybody's.
    fn let_go(&mut self, id: LinkId) {
        self.links.remove(&id);
        self.changed.remove(&id);
        let names: Vec<RemoteId> =
            self.by_remote.iter().filter(|(_, link)| **link == id).map(|(remote, _)| remote.clone()).collect();
        for name in names {
            match self.former.get(&name) {
                Some(former) => _ = self.by_remote.insert(name, *former),
                None => _ = self.by_remote.remove(&name),
            }
        }
    }

    /// Takes account of a write that is not in the store yet.
    fn foresee(&mut self, write: &Write) {
        match write {
            Write::Link(link) => {
                self.links.insert(link.id, (**link).clone());
                self.by_token.insert(link.token.clone(), link.id);
                if let Some(remote) = &link.remote {
                    self.by_remote.insert(remote.clone(), link.id);
                }
            }
            Write::DropLink(id) => self.let_go(*id),
            Write::Alias { remote, link, .. } => _ = self.by_remote.insert(remote.clone(), *link),
            Write::Ghost(ghost) => _ = self.ghosts.insert(ghost.remote.clone()),
            _ => {}
        }
    }
}

/// What a page leaves open; direct reads decide.
#[derive(Default)]
struct Open {
    /// Records whose order cannot be told from their time.
    unclear: Vec<RemoteId>,
    /// Records that name a link which has another record.
    doubled: Vec<Doubled>,
}

impl Run<'_> {
    /// Reads the stream of contacts up to its end and moves the change token.
    pub(crate) async fn observe_contacts(&mut self) -> Result<(), EngineError> {
        let template = self.deps.remote.contacts_template();
        let now = self.now();
        let cursor = usable_cursor(self.state.contacts.as_ref(), &template)
            .filter(|cursor| now.since(cursor.lineage) < LINEAGE_LIFE)
            .cloned();
        // A restored store is compared as a whole, as soon as another listing may be asked for.
        let may_continue = self.order.reach == Reach::Incremental && (!self.state.restored || self.listed_lately());
        let Some(cursor) = cursor.filter(|_| may_continue) else {
            return self.observe_everything().await;
        };
        if is_due_again(&cursor, now) {
            return match self.observe_everything().await {
                // Full listings are rationed; the token is still good.
                Err(EngineError::Remote { .. }) => self.observe_since(&cursor).await,
                other => other,
            };
        }
        if self.recovery_needs_listing() && !self.listed_lately() {
            return self.observe_everything().await;
        }
        self.observe_since(&cursor).await?;
        // Found out on the way: what the store has forgotten is not all in the change stream.
        match self.state.restored && !self.listed_whole && !self.listed_lately() {
            true => self.observe_everything().await,
            false => Ok(()),
        }
    }

    async fn observe_since(&mut self, cursor: &Cursor) -> Result<(), EngineError> {
        match self.observe_changes(cursor).await {
            Err(EngineError::Remote { cause: RemoteError::TokenExpired, .. }) => {
                reached::note(Situation::TokenExpired);
                self.observe_everything().await
            }
            other => other,
        }
    }

    async fn observe_changes(&mut self, cursor: &Cursor) -> Result<(), EngineError> {
        let mut request = PageRequest { since: Some(cursor.token.clone()), page: None };
        let (mut read, mut is_whole) = (0, true);
        loop {
            self.check_stop()?;
            let page = self.deps.remote.list_records(&request).await.doing("listing changed contacts")?;
            is_whole &= self.note_unreadable(&page.unreadable);
            read += page.records.len() as u64;
            self.deps.progress.advanced(Step::Reading, read, 0);
            let mut writes = self.observe_records(page.records).await?;
            if page.next_page.is_none() && !is_whole {
                // Who could not be read is asked for again, from where the token stood.
                return self.commit(writes, "storing what changed at the remote").await;
            }
            if page.next_page.is_none() && !rules::holds(Rule::CursorWithPage) {
                let writes = std::mem::take(&mut writes);
                self.move_cursor(page.next_token, cursor.into(), Vec::new()).await?;
                return self.commit(writes, "storing what changed at the remote").await;
            }
            if page.next_page.is_none() {
                self.move_cursor(page.next_token, cursor.into(), writes).await?;
                return self.compare_members().await;
            }
            self.commit(writes, "storing what changed at the remote").await?;
            request.page = page.next_page;
        }
    }

    async fn observe_everything(&mut self) -> Result<(), EngineError> {
        self.confirm_user().await?;
        reached::note(Situation::FullListing);
        let begun = self.now();
        if self.order.reach == Reach::Incremental && self.listed_lately() {
            return Err(EngineError::FullTooSoon { minutes: FULL_DISTANCE.as_secs() / 60 });
        }
        self.state.full_begun = Some(begun);
        if self.order.purpose == Purpose::Carry {
            let state = Write::Account(Box::new(self.state.clone()));
            self.commit(vec![state], "recording the start of a full listing").await?;
        }
        let account = &self.order.promise.account;
        let mut absent = self.deps.store.listed_remotes(account).await.doing("reading the links")?;
        let mut seen = BTreeSet::new();
        let mut is_whole = true;
        let mut request = PageRequest { since: None, page: None };
        loop {
            self.check_stop()?;
            let page = self.deps.remote.list_records(&request).await.doing("listing all contacts")?;
            is_whole &= self.note_unreadable(&page.unreadable);
            for record in &page.records {
                absent.remove(&record.id);
                for former in &record.former_ids {
                    absent.remove(former);
                }
                seen.insert(record.id.clone());
            }
            self.deps.progress.advanced(Step::Reading, seen.len() as u64, page.total.unwrap_or(0));
            let writes = self.observe_records(page.records).await?;
            self.commit(writes, "storing what the remote has").await?;
            if page.next_page.is_some() {
                request.page = page.next_page;
                continue;
            }
            if !is_whole {
                reached::note(Situation::ListingIncomplete);
                return Ok(());
            }
            // A listing that shows fewer contacts than it counts is no proof that the others are gone.
            let mut descent = Descent { begun, short: 0 };
            if page.next_token.is_some() && page.total.is_none_or(|total| seen.len() as u64 >= total) {
                self.suspect_absent(absent, begun).await?;
            } else {
                reached::note(Situation::ListingIncomplete);
                descent.short = self.state.contacts.as_ref().map_or(0, |cursor| cursor.short).saturating_add(1);
                self.notice(format!(
                    "the listing showed {} contacts of {}; nothing is concluded from those missing",
                    seen.len(),
                    page.total.unwrap_or_default()
                ));
            }
            self.move_cursor(page.next_token, descent, Vec::new()).await?;
            self.listed_whole = true;
            self.members_are_compared();
            return Ok(());
        }
    }

    /// Whether the last complete listing began so recently that another one has to be asked for. A listing that was cut
    /// off does not count: the work it was for is still to be done.
    fn listed_lately(&self) -> bool {
        let lineage = self.state.contacts.as_ref().map(|cursor| cursor.lineage);
        lineage.is_some_and(|lineage| self.now().since(lineage) < FULL_DISTANCE + FULL_START)
    }

    /// Names contacts of a page that cannot be read. Returns whether there were none.
    fn note_unreadable(&mut self, unreadable: &[String]) -> bool {
        for one in unreadable {
            self.waiting += 1;
            self.fail(
                one,
                "what Google shows of it cannot be read; nothing is concluded from it, or from who is missing",
            );
        }
        unreadable.is_empty()
    }

    /// Stores the change token together with the last of what it covers. What the run knows of the account moves only
    /// then: the end of a run is recorded even if this was refused.
    async fn move_cursor(
        &mut self,
        token: Option<ChangeToken>,
        descent: Descent,
        mut writes: Vec<Write>,
    ) -> Result<(), EngineError> {
        let Some(token) = token else { return self.commit(writes, "storing what the remote has").await };
        let template = self.deps.remote.contacts_template();
        let Descent { begun: lineage, short } = descent;
        let state = AccountState { contacts: Some(Cursor { token, template, lineage, short }), ..self.state.clone() };
        writes.push(Write::Account(Box::new(state.clone())));
        self.commit(writes, "storing the change token").await?;
        self.state = state;
        Ok(())
    }

    /// Marks links whose record a complete listing lacks.
    async fn suspect_absent(&mut self, absent: BTreeSet<RemoteId>, at: Timestamp) -> Result<(), EngineError> {
        let absent: Vec<RemoteId> = absent.into_iter().collect();
        for ids in absent.chunks(500) {
            let account = &self.order.promise.account;
            let links = self.deps.store.links_of_remotes(account, ids).await.doing("reading links")?;
            // What an earlier listing showed, and is not settled yet, is older than this one's silence.
            let is_known_there = |link: &Link| match &link.seen {
                None => link.state == LinkState::Bound,
                Some(Sighting::Present { at: seen, .. }) => *seen < at,
                Some(Sighting::Suspect { .. } | Sighting::Gone { .. }) => false,
            };
            let writes = links
                .into_iter()
                .filter(|(remote, link)| link.remote.as_ref() == Some(remote) && is_known_there(link))
                .map(|(_, mut link)| {
                    reached::note(Situation::AbsenceSuspected);
                    link.seen = Some(match rules::holds(Rule::AbsenceConfirmed) {
                        true => Sighting::Suspect { cause: Suspicion::Absence, at },
                        false => Sighting::Gone { at },
                    });
                    Write::Link(Box::new(link))
                })
                .collect();
            self.commit(writes, "noting which records were not listed").await?;
        }
        Ok(())
    }

    /// The one door for remote state: classifies records and returns what is to be stored. What the records leave open
    /// is read directly first, and what that leaves open is looked at again by the next run.
    pub(crate) async fn observe_records(&mut self, records: Vec<Record>) -> Result<Vec<Write>, EngineError> {
        let (mut writes, open) = self.classify_all(records, Source::Listing, &[]).await?;
        let Fetched { records, unclear } = self.fetch(&open.unclear).await?;
        writes.extend(self.still_unclear(&unclear, &writes).await?);
        let mut read: Vec<Record> = records.into_values().collect();
        let (told, untold) = self.tell_apart(open.doubled).await?;
        read.extend(told);
        let (more, _) = self.classify_all(read, Source::Read, &writes).await?;
        writes.extend(more);
        writes.extend(untold.into_iter().map(|record| self.look_again_at(record)));
        Ok(writes)
    }

    async fn classify_all(
        &mut self,
        mut records: Vec<Record>,
        source: Source,
        pending: &[Write],
    ) -> Result<(Vec<Write>, Open), EngineError> {
        if records.is_empty() {
            return Ok((Vec::new(), Open::default()));
        }
        records.sort_by_key(|record| (record.presence == Presence::Deleted, record.former_ids.is_empty()));
        let mut page = self.load_page(&mut records, source, pending).await?;
        for record in records {
            page.writes.extend(self.follow_answers(&record));
            self.classify(&mut page, record);
        }
        let mut writes = page.writes;
        for id in &page.changed {
            if let Some(link) = page.links.remove(id) {
                writes.push(Write::Link(Box::new(link)));
            }
        }
        Ok((writes, page.open))
    }

    /// Loads, in a few queries, everything that classifying these records needs; `pending` is on its way to the store.
    async fn load_page(
        &mut self,
        records: &mut [Record],
        source: Source,
        pending: &[Write],
    ) -> Result<Page, EngineError> {
        let account = self.order.promise.account.clone();
        let store = self.deps.store;
        let ids: Vec<RemoteId> =
            records.iter().flat_map(|record| std::iter::once(&record.id).chain(&record.former_ids)).cloned().collect();
        let tokens: Vec<LinkToken> =
            records.iter().flat_map(|record| &record.tags).map(|tag| tag.token.clone()).collect();
        let mut page = Page {
            source,
            links: BTreeMap::new(),
            by_remote: BTreeMap::new(),
            by_token: BTreeMap::new(),
            former: BTreeMap::new(),
            sent: BTreeMap::new(),
            ghosts: BTreeSet::new(),
            strangers: BTreeMap::new(),
            pair_groups: self.pair_groups().live().cloned().collect(),
            changed: BTreeSet::new(),
            writes: Vec::new(),
            open: Open::default(),
        };
        for (remote, link) in store.links_of_remotes(&account, &ids).await.doing("reading links")? {
            if link.state == LinkState::Gone && !rules::holds(Rule::TombstonesKept) {
                continue;
            }
            page.by_remote.insert(remote, link.id);
            page.links.insert(link.id, link);
        }
        self.load_former_names(&mut page).await?;
        for (token, link) in self.links_of_tokens(&tokens).await? {
            // A token of ours in another account is a contact somebody copied over: foreign, as any other.
            if link.account == account {
                page.by_token.insert(token, link.id);
                page.links.entry(link.id).or_insert(link);
            }
        }
        records.iter_mut().for_each(|record| bearing::choose_tag(&page, record));
        let known = |tag: &&Tag| page.by_token.contains_key(&tag.token);
        let tags: Vec<Tag> = records.iter().filter_map(|record| record.tag.as_ref()).filter(known).cloned().collect();
        self.notice_restored_store(&tags).await?;
        pending.iter().for_each(|write| page.foresee(write));
        let mut markers: Vec<Marker> = records
            .iter()
            .filter_map(|record| Some((record, record.tag.as_ref()?)))
            .filter(|(record, tag)| {
                page.by_token.get(&tag.token).and_then(|id| page.links.get(id)).is_some_and(|link| {
                    link.base.as_ref().and_then(|base| base.marker).is_none_or(|marker| marker < tag.marker)
                        || link.remote.as_ref() != Some(&record.id)
                })
            })
            .map(|(_, tag)| tag.marker)
            .collect();
        if !rules::holds(Rule::PayloadByMarker) {
            markers.extend(page.links.keys().filter_map(|id| Some(self.intents.get(id)?.marker)));
        }
        for sent in store.sent(&markers).await.doing("reading what was sent")? {
            page.sent.insert(sent.marker, sent);
        }
        let unlinked: Vec<RemoteId> = ids.into_iter().filter(|id| !page.by_remote.contains_key(id)).collect();
        let is_outside = |record: &&Record| record.tag.is_some() && record.groups.is_disjoint(&page.pair_groups);
        let tagged: Vec<RemoteId> = records.iter().filter(is_outside).map(|record| record.id.clone()).collect();
        page.strangers = store.strangers(&account, &tagged).await.doing("reading strangers")?;
        page.ghosts.extend(store.ghosts(&account, &unlinked).await.doing("reading ghosts")?.into_keys());
        Ok(page)
    }

    /// Finds out whose names those were once of records that could not be placed so far: the links that these have
    /// meanwhile hide it.
    async fn load_former_names(&self, page: &mut Page) -> Result<(), EngineError> {
        let is_unplaced = |id: &LinkId| page.links.get(id).is_some_and(is_undecided);
        let unplaced = page.by_remote.iter().filter(|(_, id)| is_unplaced(id)).map(|(remote, _)| remote.clone());
        let (unplaced, account): (Vec<RemoteId>, _) = (unplaced.collect(), &self.order.promise.account);
        let former = self.deps.store.links_of_former_remotes(account, &unplaced).await.doing("reading links")?;
        for (remote, link) in former {
            page.former.insert(remote, link.id);
            page.links.entry(link.id).or_insert(link);
        }
        Ok(())
    }

    /// The links that have or had these tokens, each with the one that was asked for.
    pub(crate) async fn links_of_tokens(&self, tokens: &[LinkToken]) -> Result<Vec<(LinkToken, Link)>, EngineError> {
        let mut links = self.deps.store.links_of_tokens(tokens).await.doing("reading links by token")?;
        links.retain(|(token, link)| *token == link.token || rules::holds(Rule::FormerTokens));
        Ok(links)
    }

    /// Reads records directly, as many as it takes. One that was renamed stands under the id asked for, and names it
    /// among its former ones. What is unclear is named, and nothing may follow from it.
    pub(crate) async fn fetch(&mut self, ids: &[RemoteId]) -> Result<Fetched, EngineError> {
        let mut all = Fetched::default();
        for chunk in ids.chunks(self.deps.remote.limits().fetch) {
            let fetched = self.deps.remote.fetch_records(chunk).await.doing("reading contacts directly")?;
            all.records.extend(fetched.records);
            all.unclear.extend(fetched.unclear);
        }
        for (asked, record) in &mut all.records {
            if record.id != *asked && !record.former_ids.contains(asked) {
                record.former_ids.push(asked.clone());
            }
        }
        for id in &all.unclear {
            self.waiting += 1;
            self.fail(id, "what Google answers about it cannot be read; it stays as it is");
        }
        Ok(all)
    }
}
