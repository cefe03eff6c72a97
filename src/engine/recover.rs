//! Step 3: writes whose answer was lost.
//!
//! An open intent is never sent again as something new. What the pull showed may have closed it already. Of the rest, an
//! update is found out by a direct read, and repeated byte for byte when the record still is in the state it was
//! planned on: if the first one landed after all, the etag refuses the second. A delete is planned anew from its check.
//! A create is waited for: only when its token has not shown up in a full listing that began after the freshness window
//! is it taken to have failed. One that shows fewer records than it counts may lack just that one, and settles it only after
//! a day: where the remote counts what it never shows, none ever shows them all. Until then it is looked for where it would stand, in its groups, since direct reads show
//! a new record long before the listings do; that it is not found there proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::group_search::Wanted;
use super::observe::SHORT_DISTANCE_MAX;
use super::reached::{self, Situation};
use super::rules::{self, Rule};
use super::{Doing, EngineError, Purpose, Run};
use crate::domain::harm::{Harm, Side};
use crate::domain::id::{GroupId, LinkId, LinkToken, Marker, RemoteId};
use crate::domain::link::{Link, LinkState, Sighting, Suspicion};
use crate::domain::outbox::{Intent, IntentKind};
use crate::remotes::{FRESHNESS_WINDOW, Fetched};
use crate::store::Write;

impl Run<'_> {
    /// Whether a full listing is due because a create can only be settled by one.
    pub(crate) fn recovery_needs_listing(&self) -> bool {
        let lineage = self.state.contacts.as_ref().map(|cursor| cursor.lineage);
        self.intents.values().any(|intent| {
            let settled_from = intent.last_sent.plus(FRESHNESS_WINDOW);
            intent.kind == IntentKind::Create
                && self.now() >= settled_from
                && lineage.is_none_or(|lineage| lineage < settled_from)
        })
    }

    /// Finds out what became of every open intent.
    pub(crate) async fn recover(&mut self) -> Result<(), EngineError> {
        if self.intents.is_empty() {
            return Ok(());
        }
        let ids: Vec<LinkId> = self.intents.keys().copied().collect();
        let links = self.deps.store.links(&ids).await.doing("reading links with open intents")?;
        let mut asked = BTreeMap::new();
        let mut creates = Vec::new();
        let mut writes = Vec::new();
        for link in links {
            let Some(intent) = self.intents.get(&link.id).cloned() else { continue };
            if intent.kind == IntentKind::Create {
                creates.push(intent.marker);
                writes.extend(self.recover_create(link, &intent));
            } else if let Some(remote) = link.remote.clone() {
                asked.insert(remote, (link, intent));
            } else {
                writes.push(self.close_intent(&link, intent.marker));
            }
        }
        self.commit(writes, "settling lost creates").await?;
        self.look_for(&creates).await?;
        self.recover_writes(asked).await
    }

    fn recover_create(&mut self, mut link: Link, intent: &Intent) -> Vec<Write> {
        if link.state != LinkState::Creating {
            return vec![self.close_intent(&link, intent.marker)];
        }
        let settled_from = intent.last_sent.plus(FRESHNESS_WINDOW);
        let listed_since = self.state.contacts.as_ref().is_some_and(|cursor| {
            let is_telling = cursor.short == 0 || cursor.lineage.since(intent.last_sent) >= SHORT_DISTANCE_MAX;
            cursor.lineage >= settled_from && is_telling
        });
        if !listed_since && rules::holds(Rule::WaitBeforeRecreate) {
            reached::note(Situation::LostCreateWaits);
            return Vec::new();
        }
        reached::note(Situation::LostCreateSettled);
        let close = self.close_intent(&link, intent.marker);
        link.state = LinkState::Need;
        vec![close, Write::Link(Box::new(link))]
    }

    /// Looks for creates that are still open among the members of the groups they were made for, and counts those that
    /// have to be waited for.
    ///
    /// Whether there can be anything to find is not told by the number of members that the listing of groups shows: a
    /// group need not be listed again when only its members change.
    async fn look_for(&mut self, creates: &[Marker]) -> Result<(), EngineError> {
        if !creates.is_empty() {
            let groups = self.groups_of_creates(&self.still_open(creates)).await?;
            let tokens = self.tokens_of(creates).await?;
            self.search_groups(&groups, &Wanted { tokens, untagged: Vec::new() }).await?;
        }
        self.waiting += self.still_open(creates).len() as u64;
        Ok(())
    }

    async fn tokens_of(&self, creates: &[Marker]) -> Result<BTreeSet<LinkToken>, EngineError> {
        let sent = self.deps.store.sent(creates).await.doing("reading what was sent")?;
        Ok(sent.into_iter().map(|sent| sent.token).collect())
    }

    fn still_open(&self, creates: &[Marker]) -> Vec<Marker> {
        self.intents.values().map(|intent| intent.marker).filter(|marker| creates.contains(marker)).collect()
    }

    async fn groups_of_creates(&self, creates: &[Marker]) -> Result<BTreeSet<GroupId>, EngineError> {
        let sent = self.deps.store.sent(creates).await.doing("reading what was sent")?;
        let codec = self.deps.remote.codec();
        let groups = sent.iter().flat_map(|sent| codec.read(&sent.wire, sent.card.kind()).groups);
        let of_pairs: BTreeSet<GroupId> = self.pair_groups().live().cloned().collect();
        Ok(groups.filter(|group| of_pairs.contains(group)).collect())
    }

    /// Finds out what became of updates and deletions, by the record they were for.
    async fn recover_writes(&mut self, asked: BTreeMap<RemoteId, (Link, Intent)>) -> Result<(), EngineError> {
        let Fetched { records: found, unclear } = self.fetch_own(asked.values().map(|(link, _)| link)).await?;
        let untouched: BTreeSet<LinkId> = asked
            .iter()
            .filter(|(remote, (_, intent))| found.get(*remote).is_some_and(|one| one.time == intent.remote_time))
            .map(|(_, (link, _))| link.id)
            .collect();
        let mut writes = Vec::new();
        let mut there = Vec::new();
        for (remote, (link, intent)) in asked.into_iter().filter(|(remote, _)| !unclear.contains(remote)) {
            match found.contains_key(&remote) {
                true => there.push((link, intent)),
                false => writes.extend(self.recover_missing(link, &intent).await?),
            }
        }
        writes.extend(self.observe_records(found.into_values().collect()).await?);
        // What the observation proved is closed by now.
        there.retain(|(link, _)| self.intents.contains_key(&link.id));
        let mut repeated = Vec::new();
        for (link, intent) in there {
            match intent.kind {
                // It did not land, or has not landed yet; it is decided anew from its check.
                IntentKind::Delete => {
                    reached::note(Situation::LostDeleteRedone);
                    writes.push(self.close_intent(&link, intent.marker));
                }
                IntentKind::Update if untouched.contains(&link.id) && self.order.purpose == Purpose::Carry => {
                    reached::note(Situation::LostUpdateRepeated);
                    repeated.push((link, intent));
                }
                // The read is older than what the write was planned on; a later one will tell.
                IntentKind::Create | IntentKind::Update => self.waiting += 1,
            }
        }
        self.commit(writes, "settling lost writes").await?;
        self.repeat_updates(repeated).await
    }

    /// What follows for a lost write whose record is not there any more.
    async fn recover_missing(&mut self, mut link: Link, intent: &Intent) -> Result<Vec<Write>, EngineError> {
        if intent.kind == IntentKind::Delete && self.may_be_hidden(&link) {
            self.waiting += 1;
            return Ok(self.bring_back(&link).map(|link| Write::Link(Box::new(link))).into_iter().collect());
        }
        let mut writes = vec![self.close_intent(&link, intent.marker)];
        match intent.kind {
            IntentKind::Delete => {
                let time = link.remote_time;
                writes.extend(self.harm_at_remote(&link, Harm::Deletes(Side::Remote)));
                writes.extend(self.trace_delete(&link));
                writes.extend(self.finish_deletion(link, time).await?);
            }
            IntentKind::Create | IntentKind::Update => {
                link.seen = Some(Sighting::Suspect { cause: Suspicion::Absence, at: self.now() });
                writes.push(Write::Link(Box::new(link)));
            }
        }
        Ok(writes)
    }

    /// Closes an intent, here and in the store.
    pub(crate) fn close_intent(&mut self, link: &Link, marker: Marker) -> Write {
        self.intents.remove(&link.id);
        Write::CloseIntent(marker)
    }
}
