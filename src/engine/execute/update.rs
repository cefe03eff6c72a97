//! Changing records. Every update carries the etag it was planned on; a refused etag means that somebody was faster, and
//! the record is read and merged before anything else is sent.

use std::collections::BTreeMap;

use super::{Verdict, ends_the_push, halves, split_named, verdict};
use crate::domain::contact::{Card, Contact};
use crate::domain::id::{Etag, LinkId, Marker};
use crate::domain::link::{Base, Certainty, Link, LinkState};
use crate::domain::outbox::{Intent, IntentKind, Sent};
use crate::engine::held::{Held, carried};
use crate::engine::push::{News, Push, Regroup};
use crate::engine::{Doing, EngineError, Run};
use crate::remotes::{ItemError, Record, RemoteError, Update, Updated, WriteKind};
use crate::store::Write;

/// A record about to be changed.
struct Edit {
    link: Link,
    contact: Contact,
    marker: Marker,
    /// What of the contact the record is to say.
    card: Card,
    update: Update,
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
            let writes = edits.iter().flat_map(|edit| self.announce(edit, &mask)).collect();
            self.commit(writes, "recording what is about to be updated").await?;
            let mut parts = vec![edits];
            while let Some(part) = parts.pop() {
                let updates: Vec<Update> = part.iter().map(|edit| edit.update.clone()).collect();
                match self.deps.remote.update_records(&mask, &updates).await {
                    Ok(answer) => news = news.or(self.updated(part, answer).await?),
                    Err(error) => news = news.or(self.not_updated(part, error, &mut parts).await?),
                }
            }
        }
        Ok(news)
    }

    async fn edits(&mut self, ids: &[LinkId], held: &Held) -> Result<Vec<(Vec<String>, Edit)>, EngineError> {
        let mut markers = self.markers(ids.len()).await?;
        let codec = self.deps.remote.codec();
        let mut edits = Vec::new();
        for (link, contact) in self.load(ids).await? {
            let (Some(contact), Some(base), Some(remote)) = (contact, link.base.clone(), link.remote.clone()) else {
                continue;
            };
            if !matches!(self.plan_link(&link, Some(&contact), held), Push::Update { .. }) {
                continue;
            }
            let (Some(marker), Some(etag)) = (markers.next(), link.etag.clone()) else { continue };
            let card = carried(&contact, &base.store, held);
            let regroup = self.regroup(&link, &contact, &base.store);
            let groups = (regroup != Regroup::default()).then(|| self.groups_after(&link, &regroup));
            let tag = self.tag(&link, marker);
            let Some(change) = codec.recompose(&base.remote, &base.store, &card, groups.as_ref(), &tag) else {
                continue;
            };
            let update = Update { id: remote, etag, wire: change.wire };
            edits.push((change.mask, Edit { link, contact, marker, card, update }));
        }
        Ok(edits)
    }

    fn announce(&self, edit: &Edit, mask: &[String]) -> [Write; 1] {
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
        let intent = self.intent(&edit.link, edit.marker, IntentKind::Update);
        [Write::OpenIntent(Box::new(intent), Box::new(sent))]
    }

    async fn updated(&mut self, part: Vec<Edit>, answer: Updated) -> Result<News, EngineError> {
        let Updated { mut records, mut refused, unknown } = answer;
        let mut writes = Vec::new();
        let mut unread = Vec::new();
        let mut set_aside = Vec::new();
        for (place, edit) in part.into_iter().enumerate() {
            if let Some(fault) = refused.remove(&place) {
                set_aside.push((edit, fault));
                continue;
            }
            if unknown.contains(&place) {
                // The next run finds out; until then the link must not be planned again.
                let intent = self.intent(&edit.link, edit.marker, IntentKind::Update);
                self.intents.insert(edit.link.id, intent);
                self.waiting += 1;
                continue;
            }
            let record = records.remove(&edit.update.id);
            if record.is_none() {
                unread.push(edit.update.id.clone());
            }
            writes.push(self.close_intent(&edit.link, edit.marker));
            writes.extend(self.acknowledge(edit.link, edit.card, &edit.contact, edit.marker, edit.update.wire, record));
            self.summary.pushed.updated += 1;
        }
        self.commit(writes, "recording what was updated").await?;
        let news = self.set_aside(set_aside).await?;
        if unread.is_empty() {
            return Ok(news);
        }
        // The remote said yes without showing the records: their new etags have to be read.
        let records = self.fetch(&unread).await?;
        let writes = self.observe_records(records.into_values().collect()).await?;
        self.commit(writes, "recording updated contacts").await?;
        Ok(News::Some)
    }

    /// The writes that record an update that went through.
    fn acknowledge(
        &self,
        mut link: Link,
        card: Card,
        contact: &Contact,
        marker: Marker,
        wire: serde_json::Value,
        record: Option<Record>,
    ) -> Vec<Write> {
        let mut writes = Vec::new();
        let mut certainty = Certainty::Sent;
        let mut remote_wire = wire;
        let groups = self.deps.remote.codec().read(&remote_wire, card.kind()).groups;
        if !self.belongs(&card, &groups) {
            link.state = LinkState::Unselected;
        }
        if let Some(record) = record {
            if link.remote.as_ref() != Some(&record.id)
                && let Some(former) = link.remote.replace(record.id)
            {
                writes.push(Write::Alias { account: link.account.clone(), remote: former, link: link.id });
            }
            link.etag = record.etag;
            link.remote_time = record.time;
            remote_wire = record.wire;
            certainty = Certainty::Answered;
        }
        link.changed_at = self.now();
        link.acked = contact.version.clone();
        link.settled = contact.version.clone();
        link.parked = None;
        link.map_revision = self.deps.remote.codec().map_revision();
        link.base = Some(Base { store: card, remote: remote_wire, marker: Some(marker), certainty });
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
        self.suspect(&missing).await?;
        let news = if missing.is_empty() { News::None } else { News::Some };
        Ok(news.or(self.read_again(&stale).await?))
    }

    /// Sends an update again, byte for byte, whose outcome is not known: its etag makes sure that it lands once at most.
    pub(crate) async fn repeat_update(&mut self, link: Link, intent: &Intent) -> Result<(), EngineError> {
        let sent = self.deps.store.sent(&[intent.marker]).await.doing("reading what was sent")?;
        let (Some(sent), Some(etag), Some(id)) = (sent.into_iter().next(), intent.etag.clone(), link.remote.clone())
        else {
            let close = self.close_intent(&link, intent.marker);
            return self.commit(vec![close], "closing an intent that cannot be repeated").await;
        };
        let again = Write::ResendIntent(intent.marker, self.now());
        self.commit(vec![again], "noting that a write is sent again").await?;
        let update = Update { id: id.clone(), etag: Etag::new(etag.as_str()), wire: sent.wire.clone() };
        match self.deps.remote.update_records(&sent.mask, std::slice::from_ref(&update)).await {
            Ok(Updated { mut records, refused, unknown }) if refused.is_empty() && unknown.is_empty() => {
                let close = self.close_intent(&link, intent.marker);
                let contacts = self.contacts_of(std::slice::from_ref(&link)).await?;
                let Some(mut contact) = link.contact.and_then(|id| contacts.get(&id)).cloned() else {
                    return self.commit(vec![close], "closing an intent").await;
                };
                // What was sent is acknowledged, not what the contact is by now.
                contact.version = sent.version;
                let mut writes = vec![close];
                let record = records.remove(&id);
                writes.extend(self.acknowledge(link, sent.card, &contact, intent.marker, sent.wire, record));
                self.summary.pushed.updated += 1;
                self.commit(writes, "recording what was updated").await
            }
            Err(error @ RemoteError::Lost { .. }) => {
                self.waiting += 1;
                Err(EngineError::Remote { doing: "repeating an update", cause: error })
            }
            Err(error) if ends_the_push(&error) => {
                Err(EngineError::Remote { doing: "repeating an update", cause: error })
            }
            Ok(answer) if !answer.unknown.is_empty() => {
                self.waiting += 1;
                Ok(())
            }
            // Refused: it landed after all, or the record changed. The next look at the record tells.
            Ok(_) | Err(_) => {
                let close = self.close_intent(&link, intent.marker);
                self.commit(vec![close], "closing an intent").await?;
                self.read_again(&[link]).await.map(|_| ())
            }
        }
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
