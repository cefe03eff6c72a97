//! Making records. A create is never sent twice: its answer names it, or a later listing does, by the token it carries.
//!
//! A record that is made in the place of one that is gone gets back what that one had, also what no contact can hold.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Room, Verdict, ends_the_push, halves, split_named, verdict};
use crate::domain::contact::Contact;
use crate::domain::id::{GroupId, LinkId, LinkToken, Marker};
use crate::domain::link::{Base, Certainty, Link, LinkState};
use crate::domain::outbox::{IntentKind, Sent};
use crate::engine::push::Push;
use crate::engine::{Doing, EngineError, Run};
use crate::remotes::{Created, ItemError, Presence, Record, RemoteError, WriteKind};
use crate::store::Write;

/// A record about to be made.
struct Draft {
    link: Link,
    contact: Contact,
    marker: Marker,
    wire: Value,
}

impl Run<'_> {
    /// Makes the records of these links, in one call unless the remote refuses some of them.
    pub(super) async fn create(&mut self, ids: &[LinkId]) -> Result<Room, EngineError> {
        let drafts = self.draft(ids).await?;
        if drafts.is_empty() {
            return Ok(Room::Left);
        }
        self.deps.remote.make_ready(WriteKind::Create, drafts.len()).await.doing("waiting to create contacts")?;
        let mut writes = Vec::new();
        for draft in &drafts {
            let sent = Sent {
                marker: draft.marker,
                link: draft.link.id,
                token: draft.link.token.clone(),
                kind: IntentKind::Create,
                card: draft.contact.card.clone(),
                wire: draft.wire.clone(),
                mask: Vec::new(),
                version: draft.contact.version.clone(),
                at: self.now(),
            };
            writes.push(Write::Link(Box::new(draft.link.clone())));
            writes.push(self.open_intent(&draft.link, sent));
        }
        self.commit(writes, "recording what is about to be created").await?;
        let mut parts = vec![drafts];
        while let Some(part) = parts.pop() {
            let wires: Vec<Value> = part.iter().map(|draft| draft.wire.clone()).collect();
            match self.deps.remote.create_records(&wires).await {
                Ok(answer) => self.created(part, answer).await?,
                Err(error @ RemoteError::Full { .. }) => {
                    let unsent = part.into_iter().chain(parts.into_iter().flatten()).collect();
                    self.no_room(unsent, &error).await?;
                    return Ok(Room::None);
                }
                Err(error) => self.not_created(part, error, &mut parts).await?,
            }
        }
        Ok(Room::Left)
    }

    /// Names contacts that are not even tried, because there is no room for more.
    pub(super) async fn leave_out(&mut self, ids: &[LinkId]) -> Result<(), EngineError> {
        for (_, contact) in self.load(ids).await? {
            if let Some(contact) = contact {
                self.fail(contact.id, "the address book is full");
            }
        }
        Ok(())
    }

    /// Takes back what a full address book has no room for. It is tried again by the next run: somebody may have made
    /// room by then.
    async fn no_room(&mut self, drafts: Vec<Draft>, error: &RemoteError) -> Result<(), EngineError> {
        for draft in &drafts {
            self.fail(draft.contact.id, error.to_string());
        }
        self.withdraw(drafts).await
    }

    async fn draft(&mut self, ids: &[LinkId]) -> Result<Vec<Draft>, EngineError> {
        let mut markers = self.markers(ids.len()).await?;
        let loaded = self.load(ids).await?;
        let codec = self.deps.remote.codec();
        let others = self.groups_to_return_to(loaded.iter().map(|(link, _)| link)).await?;
        let held = BTreeMap::new();
        let mut drafts = Vec::new();
        for (mut link, contact) in loaded {
            let Some(contact) = contact else { continue };
            if self.replan_link(&link, Some(&contact), &held) != Push::Create {
                continue;
            }
            let Some(marker) = markers.next() else { continue };
            let mut groups = self.groups_wanted(&contact.card);
            groups.insert(self.deps.remote.common_group());
            let tag = self.tag(&link, marker);
            let wire = match former_base(&link) {
                Some(base) => {
                    let had = codec.read(&base.remote, base.store.kind()).groups;
                    groups.extend(had.intersection(&others).cloned());
                    codec.compose_again(&base.remote, &base.store, &contact.card, &groups, &tag)
                }
                None => codec.compose(&contact.card, &groups, &tag),
            };
            link.state = LinkState::Creating;
            drafts.push(Draft { link, contact, marker, wire });
        }
        Ok(drafts)
    }

    /// The groups of no pair that records of these links were in when they went, as far as those are there.
    async fn groups_to_return_to(
        &mut self,
        links: impl Iterator<Item = &Link>,
    ) -> Result<BTreeSet<GroupId>, EngineError> {
        let codec = self.deps.remote.codec();
        let bases = links.filter_map(former_base);
        let mut had: BTreeSet<GroupId> =
            bases.flat_map(|base| codec.read(&base.remote, base.store.kind()).groups).collect();
        let ours: BTreeSet<GroupId> = self.state.pair_groups.iter().map(|known| known.group.clone()).collect();
        had.retain(|group| !ours.contains(group) && *group != self.deps.remote.common_group());
        if had.is_empty() {
            return Ok(had);
        }
        let there = self.listed_groups().await?;
        had.retain(|group| there.get(group).is_some_and(|group| group.presence == Presence::Present));
        Ok(had)
    }

    async fn created(&mut self, part: Vec<Draft>, answer: Created) -> Result<(), EngineError> {
        let Created { records, refused } = answer;
        let mut by_token: BTreeMap<LinkToken, Record> =
            records.into_iter().filter_map(|record| Some((record.tag.as_ref()?.token.clone(), record))).collect();
        let (set_aside, part) = split_named(part, &refused.keys().copied().collect());
        let mut writes = Vec::new();
        for draft in part {
            let Some(record) = by_token.remove(&draft.link.token) else {
                self.waiting += 1;
                continue;
            };
            let mut link = draft.link;
            writes.push(self.close_intent(&link, draft.marker));
            writes.extend(self.trace_create(draft.contact.id, &record.id, &draft.contact.card, &record.wire));
            link.state = LinkState::Bound;
            link.remote = Some(record.id);
            link.etag = record.etag;
            link.remote_time = record.time;
            link.changed_at = self.now();
            link.acked = draft.contact.version.clone();
            link.settled = draft.contact.version;
            link.parked = None;
            link.wanted = self.groups_wanted(&draft.contact.card);
            link.base = Some(Base {
                store: draft.contact.card,
                remote: record.wire,
                marker: Some(draft.marker),
                certainty: Certainty::Answered,
                agreed: None,
            });
            self.made.insert(link.id);
            writes.push(Write::Link(Box::new(link)));
            self.summary.pushed.created += 1;
        }
        self.commit(writes, "recording what was created").await?;
        for (place, draft) in set_aside {
            let reason = refused.get(&place).map(ToString::to_string).unwrap_or_default();
            self.refuse_create(draft, &reason).await?;
        }
        Ok(())
    }

    async fn not_created(
        &mut self,
        part: Vec<Draft>,
        error: RemoteError,
        parts: &mut Vec<Vec<Draft>>,
    ) -> Result<(), EngineError> {
        if let RemoteError::Lost { .. } = error {
            // Those of this call may exist; the others were never sent.
            self.waiting += part.len() as u64;
            self.withdraw(parts.drain(..).flatten().collect()).await?;
            return Err(EngineError::Remote { doing: "creating contacts", cause: error });
        }
        if ends_the_push(&error) {
            let unsent = part.into_iter().chain(parts.drain(..).flatten()).collect();
            self.withdraw(unsent).await?;
            return Err(EngineError::Remote { doing: "creating contacts", cause: error });
        }
        match verdict(&error, part.len()) {
            Verdict::Named(places) => {
                let (named, rest) = split_named(part, &places);
                for (place, draft) in named {
                    self.refuse_create(draft, &fault(&error, place)).await?;
                }
                if !rest.is_empty() {
                    parts.push(rest);
                }
            }
            Verdict::Unnamed if part.len() == 1 => {
                for draft in part {
                    self.refuse_create(draft, &fault(&error, 0)).await?;
                }
            }
            Verdict::Unnamed => {
                let (first, second) = halves(part);
                parts.push(second);
                parts.push(first);
            }
        }
        Ok(())
    }

    async fn refuse_create(&mut self, draft: Draft, reason: &str) -> Result<(), EngineError> {
        let mut link = draft.link;
        link.state = LinkState::Need;
        self.refuse(&mut link, &draft.contact, &format!("Google refuses to create it: {reason}"));
        let close = self.close_intent(&link, draft.marker);
        self.commit(vec![close, Write::Link(Box::new(link))], "recording a refused contact").await
    }

    /// Takes back intents whose call was certainly not carried out.
    async fn withdraw(&mut self, drafts: Vec<Draft>) -> Result<(), EngineError> {
        let mut writes = Vec::new();
        for draft in drafts {
            let mut link = draft.link;
            link.state = LinkState::Need;
            writes.push(self.close_intent(&link, draft.marker));
            writes.push(Write::Link(Box::new(link)));
        }
        self.commit(writes, "taking back what was not sent").await
    }
}

/// What both sides agreed on about the record that the link had before this one.
fn former_base(link: &Link) -> Option<&Base> {
    link.former.as_ref().filter(|former| former.link == link.id).map(|former| &former.base)
}

/// What a refusal says about the record at one place.
fn fault(error: &RemoteError, place: usize) -> String {
    match error {
        RemoteError::Refused { items, message, .. } => match items.get(&place) {
            Some(ItemError::Refused(reason)) => reason.clone(),
            _ => message.clone(),
        },
        other => other.to_string(),
    }
}
