//! Step 3: writes whose answer was lost.
//!
//! An open intent is never sent again as something new. What the pull showed may have closed it already. Of the rest, an
//! update is found out by a direct read, and repeated byte for byte when the record still is in the state it was
//! planned on: if the first one landed after all, the etag refuses the second. A delete is planned anew from its check.
//! A create is waited for: only when its token has not shown up in a full listing that began after the freshness window
//! is it taken to have failed.

use std::collections::BTreeMap;

use super::{Doing, EngineError, Purpose, Run};
use crate::domain::id::{LinkId, Marker, RemoteId};
use crate::domain::link::{Link, LinkState, Sighting, Suspicion};
use crate::domain::outbox::{Intent, IntentKind};
use crate::remotes::{FRESHNESS_WINDOW, Record};
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
        let mut writes = Vec::new();
        for link in links {
            let Some(intent) = self.intents.get(&link.id).cloned() else { continue };
            if intent.kind == IntentKind::Create {
                writes.extend(self.recover_create(link, &intent));
            } else if let Some(remote) = link.remote.clone() {
                asked.insert(remote, (link, intent));
            } else {
                writes.push(self.close_intent(&link, intent.marker));
            }
        }
        self.commit(writes, "settling lost creates").await?;
        let ids: Vec<RemoteId> = asked.keys().cloned().collect();
        let found = self.fetch(&ids).await?;
        for (remote, (link, intent)) in asked {
            self.check_stop()?;
            self.recover_write(link, intent, found.get(&remote).cloned()).await?;
        }
        Ok(())
    }

    fn recover_create(&mut self, mut link: Link, intent: &Intent) -> Vec<Write> {
        if link.state != LinkState::Creating {
            return vec![self.close_intent(&link, intent.marker)];
        }
        let settled_from = intent.last_sent.plus(FRESHNESS_WINDOW);
        let listed_since = self.state.contacts.as_ref().is_some_and(|cursor| cursor.lineage >= settled_from);
        if !listed_since {
            self.waiting += 1;
            return Vec::new();
        }
        let close = self.close_intent(&link, intent.marker);
        link.state = LinkState::Need;
        vec![close, Write::Link(Box::new(link))]
    }

    async fn recover_write(
        &mut self,
        mut link: Link,
        intent: Intent,
        record: Option<Record>,
    ) -> Result<(), EngineError> {
        let Some(record) = record else {
            let mut writes = vec![self.close_intent(&link, intent.marker)];
            match intent.kind {
                IntentKind::Delete => {
                    let time = link.remote_time;
                    writes.extend(self.finish_deletion(link, time).await?);
                }
                IntentKind::Create | IntentKind::Update => {
                    link.seen = Some(Sighting::Suspect { cause: Suspicion::Absence, at: self.now() });
                    writes.push(Write::Link(Box::new(link)));
                }
            }
            return self.commit(writes, "settling a lost write").await;
        };
        let untouched = record.time == intent.remote_time;
        let writes = self.observe_records(vec![record]).await?;
        self.commit(writes, "settling a lost write").await?;
        if !self.intents.contains_key(&link.id) {
            return Ok(());
        }
        match intent.kind {
            IntentKind::Delete => {
                let close = self.close_intent(&link, intent.marker);
                self.commit(vec![close], "settling a lost deletion").await
            }
            IntentKind::Update if untouched && self.order.purpose == Purpose::Carry => {
                self.repeat_update(link, &intent).await
            }
            IntentKind::Create | IntentKind::Update => {
                // The read is older than what the write was planned on; a later one will tell.
                self.waiting += 1;
                Ok(())
            }
        }
    }

    /// Closes an intent, here and in the store.
    pub(crate) fn close_intent(&mut self, link: &Link, marker: Marker) -> Write {
        self.intents.remove(&link.id);
        Write::CloseIntent(marker)
    }
}
