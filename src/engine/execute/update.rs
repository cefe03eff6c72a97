//! Changing records. Every update carries the etag it was planned on; a refused etag means that somebody was faster, and
//! the record is read and merged before anything else is sent.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Verdict, ends_the_push, halves, split_named, verdict};
use crate::domain::contact::{Card, Contact};
use crate::domain::harm::{Harm, Side};
use crate::domain::id::{LinkId, Marker, RemoteId};
use crate::domain::link::{Base, Certainty, Link, LinkState};
use crate::domain::outbox::{Intent, IntentKind, Sent};
use crate::domain::version::VersionVector;
use crate::engine::held::{Held, carried};
use crate::engine::push::{News, Push, Regroup};
use crate::engine::reached::{self, Situation};
use crate::engine::rules::{self, Rule};
use crate::engine::{Doing, EngineError, Run};
use crate::remotes::{FRESHNESS_WINDOW, ItemError, Record, RemoteError, Update, Updated, WriteKind};
use crate::store::Write;

/// A record about to be changed.
struct Edit {
    link: Link,
    contact: Contact,
    marker: Marker,
    /// What of the contact the record is to say.
    card: Card,
    update: Update,
    history: History,
}

/// Whether a write may have been carried out already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum History {
    /// It was never sent.
    Unsent,
    /// It was sent once, and nobody knows what became of it.
    Unknown,
    /// It was sent more than once, and still nobody knows. A batch may have hidden what is said about it.
    Unclear,
    /// The same for so long that the trouble is with this record.
    Stubborn,
}

impl Run<'_> {
    /// Changes the records of these links, all of which need the same fields replaced.
    pub(super) async fn update(&mut self, ids: &[LinkId], held: &Held) -> Result<News, EngineError> {
        let mut by_mask: BTreeMap<Vec<String>, Vec<Edit>> = BTreeMap::new();
        for (mask, edit) in self.edits(ids, held).await? {
            by_mask.entry(mask).or_default().push(edit);
        }
        let mut news = News::None;
        // One mask, unless somebody edited a contact since the plan was made.
        for (mask, edits) in by_mask {
            self.deps.remote.make_ready(WriteKind::Update, edits.len()).await.doing("waiting to update contacts")?;
            let writes = edits.iter().map(|edit| self.announce(edit, &mask)).collect();
            self.commit(writes, "recording what is about to be updated").await?;
            news = news.or(self.send(&mask, edits).await?);
        }
        Ok(news)
    }

    /// Sends updates in one call, unless the remote refuses some of them.
    async fn send(&mut self, mask: &[String], edits: Vec<Edit>) -> Result<News, EngineError> {
        let mut news = News::None;
        let mut parts = vec![edits];
        while let Some(part) = parts.pop() {
            let updates: Vec<Update> = part.iter().map(|edit| edit.update.clone()).collect();
            match self.deps.remote.update_records(mask, &updates).await {
                Ok(answer) => news = news.or(self.updated(part, answer).await?),
                Err(error) => news = news.or(self.not_updated(part, error, &mut parts).await?),
            }
        }
        Ok(news)
    }

    /// Sends a write again that nobody knows the outcome of. One that stays without an answer, whatever else is answered,
    /// keeps nobody else from being carried over.
    async fn send_alone(&mut self, mask: &[String], edit: Edit) -> Result<(), EngineError> {
        let (contact, history) = (edit.contact.id, edit.history);
        match self.send(mask, vec![edit]).await {
            Err(EngineError::Remote { cause: cause @ RemoteError::Lost { .. }, .. })
                if history == History::Stubborn =>
            {
                self.waiting += 1;
                self.fail(
                    contact,
                    format!("Google does not say what became of a change: {cause}; every run tries again"),
                );
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    async fn edits(&mut self, ids: &[LinkId], held: &Held) -> Result<Vec<(Vec<String>, Edit)>, EngineError> {
        let mut markers = self.markers(ids.len()).await?;
        let codec = self.deps.remote.codec();
        let mut edits = Vec::new();
        for (mut link, contact) in self.load(ids).await? {
            let parting = self.parted.get(&link.id).cloned();
            let agreed = parting.as_ref().map(|parting| parting.base.clone()).or_else(|| link.base.clone());
            let (Some(contact), Some(base), Some(remote)) = (contact, agreed, link.remote.clone()) else {
                continue;
            };
            if !matches!(self.replan_link(&link, Some(&contact), held), Push::Update { .. }) {
                continue;
            }
            let (Some(marker), Some(etag)) = (markers.next(), link.etag.clone()) else { continue };
            let (card, groups) = match &parting {
                Some(parting) => {
                    link.base = Some(base.clone());
                    (parting.card.clone(), self.groups_parted(parting))
                }
                None => {
                    let regroup = self.regroup(&link, &contact, &base.store);
                    let groups = (regroup != Regroup::default()).then(|| self.groups_after(&link, &regroup));
                    (carried(&contact, &base.store, held), groups)
                }
            };
            let tag = self.tag(&link, marker);
            let Some(change) = codec.recompose(&base.remote, &base.store, &card, groups.as_ref(), &tag) else {
                continue;
            };
            let update = Update { id: remote, etag, wire: change.wire };
            let history = History::Unsent;
            edits.push((change.mask, Edit { link, contact, marker, card, update, history }));
        }
        Ok(edits)
    }

    fn announce(&mut self, edit: &Edit, mask: &[String]) -> Write {
        let sent = Sent {
            marker: edit.marker,
            link: edit.link.id,
            token: edit.link.token.clone(),
            kind: IntentKind::Update,
            card: edit.card.clone(),
            wire: edit.update.wire.clone(),
            mask: mask.to_vec(),
            version: edit.contact.version.clone(),
            at: self.now(),
        };
        self.open_intent(&edit.link, sent)
    }

    async fn updated(&mut self, part: Vec<Edit>, answer: Updated) -> Result<News, EngineError> {
        let Updated { mut records, mut refused, unknown } = answer;
        let mut writes = Vec::new();
        let mut unread = BTreeMap::new();
        let mut set_aside = Vec::new();
        for (place, edit) in part.into_iter().enumerate() {
            let mut edit = edit;
            if !rules::holds(Rule::SentIsAcknowledged)
                && let Some((_, Some(now))) = self.load(&[edit.link.id]).await?.into_iter().next()
            {
                (edit.card, edit.contact) = (now.card.clone(), now);
            }
            if let Some(fault) = refused.remove(&place) {
                set_aside.push((edit, fault));
            } else if let Some(record) = records.remove(&edit.update.id) {
                writes.push(self.close_intent(&edit.link, edit.marker));
                writes.extend(self.harm_at_remote(&edit.link, Harm::Updates(Side::Remote)));
                writes.extend(self.trace_update(&edit.link, &edit.card, &edit.update.wire));
                writes.extend(self.acknowledge(edit.link, edit.card, edit.contact.version, edit.marker, record));
                self.summary.pushed.updated += 1;
            } else if unknown.contains(&place) {
                // The next run finds out.
                self.waiting += 1;
            } else {
                unread.insert(edit.update.id, (edit.link.id, edit.marker));
            }
        }
        self.commit(writes, "recording what was updated").await?;
        let news = self.set_aside(set_aside).await?;
        Ok(news.or(self.read_updated(&unread).await?))
    }

    /// The remote answered without a word about these records: their markers tell whether they were updated.
    async fn read_updated(&mut self, unread: &BTreeMap<RemoteId, (LinkId, Marker)>) -> Result<News, EngineError> {
        if unread.is_empty() {
            return Ok(News::None);
        }
        let ids: Vec<RemoteId> = unread.keys().cloned().collect();
        let records = self.fetch(&ids).await?.records;
        let writes = self.observe_records(records.into_values().collect()).await?;
        self.commit(writes, "recording updated contacts").await?;
        let sent: BTreeMap<LinkId, Marker> = unread.values().copied().collect();
        let ids: Vec<LinkId> = sent.keys().copied().collect();
        for link in self.deps.store.links(&ids).await.doing("reading updated links")? {
            let known = link.base.and_then(|base| base.marker);
            match known.is_some() && known == sent.get(&link.id).copied() {
                true => self.summary.pushed.updated += 1,
                // It was refused without a word, or the read came too early: the next run finds out.
                false if self.intents.contains_key(&link.id) => self.waiting += 1,
                false => {}
            }
        }
        Ok(News::Some)
    }

    /// The writes that record an update that went through; `version` is that of the contact as it was sent.
    fn acknowledge(
        &mut self,
        mut link: Link,
        card: Card,
        version: VersionVector,
        marker: Marker,
        record: Record,
    ) -> Vec<Write> {
        let mut writes = Vec::new();
        if link.state == LinkState::Bound && !self.belongs(&card, &record.groups) {
            link.state = LinkState::Unselected;
        }
        if link.remote.as_ref() != Some(&record.id)
            && let Some(former) = link.remote.replace(record.id)
        {
            writes.push(Write::Alias { account: link.account.clone(), remote: former, link: link.id });
        }
        link.etag = record.etag;
        link.remote_time = record.time;
        link.changed_at = self.now();
        link.acked = version.clone();
        link.settled = version;
        link.parked = None;
        link.map_revision = self.deps.remote.codec().map_revision();
        link.wanted = self.groups_wanted(&card);
        let agreed = link.base.as_ref().and_then(|base| self.agreed_after(base, &card));
        let (marker, certainty) = (Some(marker), Certainty::Answered);
        // The two have nothing in common any more, and a later round of this run has nothing to send again.
        let is_parted = self.parted.remove(&link.id).is_some();
        link.base = (!is_parted).then_some(Base { store: card, remote: record.wire, marker, certainty, agreed });
        writes.push(Write::Link(Box::new(link)));
        writes
    }

    async fn not_updated(
        &mut self,
        part: Vec<Edit>,
        error: RemoteError,
        parts: &mut Vec<Vec<Edit>>,
    ) -> Result<News, EngineError> {
        if matches!(error, RemoteError::Lost { .. }) || ends_the_push(&error) {
            let mut unsent: Vec<Edit> = parts.drain(..).flatten().collect();
            if matches!(error, RemoteError::Lost { .. }) {
                self.waiting += part.len() as u64;
            } else {
                unsent.extend(part);
            }
            let (unsent, unknown): (Vec<Edit>, Vec<Edit>) =
                unsent.into_iter().partition(|edit| edit.history == History::Unsent);
            self.waiting += unknown.len() as u64;
            let writes = unsent.iter().map(|edit| self.close_intent(&edit.link, edit.marker)).collect();
            self.commit(writes, "taking back what was not sent").await?;
            return Err(EngineError::Remote { doing: "updating contacts", cause: error });
        }
        match verdict(&error, part.len()) {
            Verdict::Named(places) => {
                let (named, rest) = split_named(part, &places);
                if !rest.is_empty() {
                    parts.push(rest);
                }
                self.set_aside(named.into_iter().map(|(place, edit)| (edit, fault(&error, place))).collect()).await
            }
            Verdict::Unnamed if part.len() == 1 => {
                self.set_aside(part.into_iter().map(|edit| (edit, fault(&error, 0))).collect()).await
            }
            Verdict::Unnamed => {
                let (first, second) = halves(part);
                parts.push(second);
                parts.push(first);
                Ok(News::None)
            }
        }
    }

    /// Handles records that were not updated, by what the remote says of them.
    async fn set_aside(&mut self, edits: Vec<(Edit, ItemError)>) -> Result<News, EngineError> {
        let mut writes = Vec::new();
        let mut stale = Vec::new();
        let mut missing = Vec::new();
        for (edit, fault) in edits {
            writes.push(self.close_intent(&edit.link, edit.marker));
            match fault {
                ItemError::Stale => stale.push(edit.link),
                ItemError::Missing => missing.push(edit.link.id),
                ItemError::Refused(reason) => {
                    let mut link = edit.link;
                    self.refuse(&mut link, &edit.contact, &format!("Google refuses the update: {reason}"));
                    writes.push(Write::Link(Box::new(link)));
                }
            }
        }
        self.commit(writes, "recording what was not updated").await?;
        for _ in &missing {
            reached::note(Situation::UpdateNotFound);
        }
        if rules::holds(Rule::MissingOnUpdate) {
            self.suspect(&missing).await?;
        }
        let news = if missing.is_empty() { News::None } else { News::Some };
        Ok(news.or(self.read_again(&stale).await?))
    }

    /// Sends updates again, byte for byte, whose outcome is not known: their etags make sure that each lands once at most.
    pub(crate) async fn repeat_updates(&mut self, lost: Vec<(Link, Intent)>) -> Result<(), EngineError> {
        let mut writes = Vec::new();
        let mut by_mask: BTreeMap<Vec<String>, Vec<Edit>> = BTreeMap::new();
        for (link, marker, repeated) in self.as_sent(lost).await? {
            match repeated {
                Some((mask, edit)) => {
                    writes.push(Write::ResendIntent(marker, self.now()));
                    by_mask.entry(mask).or_default().push(edit);
                }
                // What it said is forgotten; the contact is planned anew.
                None => writes.push(self.close_intent(&link, marker)),
            }
        }
        self.commit(writes, "noting that writes are sent again").await?;
        let (batch_from, most) = (self.deps.remote.batch_from(WriteKind::Update), self.deps.remote.limits().update);
        for (mask, edits) in by_mask {
            let (unclear, mut edits): (Vec<Edit>, Vec<Edit>) =
                edits.into_iter().partition(|edit| matches!(edit.history, History::Unclear | History::Stubborn));
            for edit in unclear {
                self.check_stop()?;
                self.send_alone(&mask, edit).await?;
            }
            let size = if edits.len() < batch_from { 1 } else { most.max(1) };
            while !edits.is_empty() {
                self.check_stop()?;
                let rest = edits.split_off(size.min(edits.len()));
                self.send(&mask, edits).await?;
                edits = rest;
            }
        }
        Ok(())
    }

    /// Updates as they were sent, with their masks; none for what is no longer remembered.
    async fn as_sent(
        &self,
        lost: Vec<(Link, Intent)>,
    ) -> Result<Vec<(Link, Marker, Option<(Vec<String>, Edit)>)>, EngineError> {
        let markers: Vec<Marker> = lost.iter().map(|(_, intent)| intent.marker).collect();
        let sent = self.deps.store.sent(&markers).await.doing("reading what was sent")?;
        let mut sent: BTreeMap<Marker, Sent> = sent.into_iter().map(|sent| (sent.marker, sent)).collect();
        let links: Vec<Link> = lost.iter().map(|(link, _)| link.clone()).collect();
        let contacts = self.contacts_of(&links).await?;
        let repeated = lost.into_iter().map(|(link, intent)| {
            let marker = intent.marker;
            let contact = link.contact.and_then(|id| contacts.get(&id)).cloned();
            let (Some(sent), Some(etag), Some(id), Some(contact)) =
                (sent.remove(&marker), intent.etag, link.remote.clone(), contact)
            else {
                return (link, marker, None);
            };
            // What was sent is acknowledged, not what the contact is by now.
            let contact = Contact { card: sent.card.clone(), version: sent.version, ..contact };
            let update = Update { id, etag, wire: sent.wire };
            let history = match intent.last_sent.since(intent.first_sent) {
                Duration::ZERO => History::Unknown,
                span if span < FRESHNESS_WINDOW => History::Unclear,
                _ => History::Stubborn,
            };
            let edit = Edit { link: link.clone(), contact, marker, card: sent.card, update, history };
            (link, marker, Some((sent.mask, edit)))
        });
        Ok(repeated.collect())
    }
}

/// What a refusal says about the record at one place.
fn fault(error: &RemoteError, place: usize) -> ItemError {
    match error {
        RemoteError::Stale { .. } => ItemError::Stale,
        RemoteError::Missing { .. } => ItemError::Missing,
        RemoteError::Refused { items, message, .. } => {
            items.get(&place).cloned().unwrap_or_else(|| ItemError::Refused(message.clone()))
        }
        other => ItemError::Refused(other.to_string()),
    }
}
