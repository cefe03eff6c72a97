//! A clock that was set back.
//!
//! What is remembered then lies in the future, and whatever waits for a time to pass would wait until the clock comes
//! there again, which may be years. It is taken to have happened just now: that waits once more, and never too short.
//! Unsettled links are brought back at once, settled ones when something depends on their time.

use super::reached::{self, Situation};
use super::{Doing, EngineError, Run};
use crate::domain::harm::HarmDone;
use crate::domain::link::{Link, Sighting};
use crate::domain::time::Timestamp;
use crate::store::Write;

impl Run<'_> {
    /// Brings what is remembered of the account back to the present.
    pub(crate) async fn follow_clock(&mut self) -> Result<(), EngineError> {
        let now = self.now();
        let lineage = self.state.contacts.as_ref().map(|cursor| cursor.lineage);
        let last_run = self.state.last_run.map(|run| run.time());
        let sent = self.intents.values().map(|intent| intent.last_sent);
        if !sent.chain(lineage).chain(last_run).any(|time| time > now) {
            return Ok(());
        }
        reached::note(Situation::ClockSetBack);
        if let Some(cursor) = &mut self.state.contacts {
            cursor.lineage = cursor.lineage.min(now);
        }
        let mut writes = Vec::new();
        for intent in self.intents.values_mut().filter(|intent| intent.last_sent > now) {
            intent.last_sent = now;
            writes.push(Write::ResendIntent(intent.marker, now));
        }
        // Else what was done would count against the guard until then.
        let account = &self.order.promise.account;
        let harms = self.deps.store.harms(account, now).await.doing("reading what was done lately")?;
        writes.extend(harms.into_iter().map(|done| Write::Harm(HarmDone { at: now, ..done })));
        self.commit(writes, "following the clock").await?;
        let mut after = None;
        while let Some(links) = self.unsettled(&mut after).await? {
            let writes = links
                .into_iter()
                .filter_map(|link| brought_back(link, now))
                .map(|link| Write::Link(Box::new(link)))
                .collect();
            self.commit(writes, "following the clock").await?;
        }
        Ok(())
    }

    /// Brings a link back of which something depends on when its record changed. Returns it as it is to be
    /// remembered, if that is another way; until a window from now, that the record cannot be found proves nothing.
    pub(crate) fn bring_back(&self, link: &Link) -> Option<Link> {
        let brought = brought_back(link.clone(), self.now());
        if brought.is_some() {
            reached::note(Situation::ClockSetBack);
        }
        brought
    }
}

fn brought_back(mut link: Link, now: Timestamp) -> Option<Link> {
    let mut is_ahead = link.changed_at > now;
    link.changed_at = link.changed_at.min(now);
    if let Some(Sighting::Present { at, .. } | Sighting::Suspect { at, .. } | Sighting::Gone { at }) = &mut link.seen {
        is_ahead |= *at > now;
        *at = (*at).min(now);
    }
    is_ahead.then_some(link)
}
