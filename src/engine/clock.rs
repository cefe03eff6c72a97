//! A clock that was set.
//!
//! Set back: what is remembered then lies in the future, and whatever waits for a time to pass would wait until the clock
//! comes there again, which may be years. It is taken to have happened just now: that waits once more, and never too
//! short. Unsettled links are brought back at once, settled ones when something depends on their time.
//!
//! Set ahead: what happened a minute ago looks old, and what a reader is not shown yet looks gone. That shows only in how
//! far the remote's clock is from ours. From the moment it is noticed, silence proves nothing for a whole window.

use std::time::Duration;

use super::reached::{self, Situation};
use super::{Doing, EngineError, Run};
use crate::domain::account::ClockSet;
use crate::domain::harm::HarmDone;
use crate::domain::link::{Link, Sighting};
use crate::domain::time::Timestamp;
use crate::remotes::FRESHNESS_WINDOW;
use crate::store::Write;

/// By how much the distance of the two clocks may change without anybody having set one: dates of answers are whole
/// seconds, and answers take their time.
const UNSTEADINESS_MS: i64 = 60_000;
/// For how long several steps add up. Nothing that is measured by the clock waits longer.
const STEPS_LIFE: Duration = Duration::from_secs(48 * 3600);

impl Run<'_> {
    /// Finds out whether our clock was set since the last run; once the remote has said what time it is.
    pub(crate) async fn notice_clock_set(&mut self) -> Result<(), EngineError> {
        let Some(ahead) = self.deps.remote.clock_ahead_ms().filter(|_| self.state.last_run.is_some()) else {
            return Ok(());
        };
        let by_ms = self.state.clock_ahead_ms.saturating_sub(ahead);
        if by_ms.abs() <= UNSTEADINESS_MS {
            return Ok(());
        }
        self.state.clock_ahead_ms = ahead;
        if by_ms > 0 { self.note_clock_set_ahead(by_ms).await } else { self.note_clock_set_back(by_ms).await }
    }

    async fn note_clock_set_ahead(&mut self, by_ms: i64) -> Result<(), EngineError> {
        reached::note(Situation::ClockSetAhead);
        let now = self.now();
        let before = self.state.clock_set.filter(|set| now.since(set.at) < STEPS_LIFE).map_or(0, |set| set.by_ms);
        self.state.clock_set = Some(ClockSet { at: now, by_ms: by_ms.saturating_add(before) });
        let mut writes = vec![Write::Account(Box::new(self.state.clone()))];
        for intent in self.intents.values_mut() {
            intent.last_sent = now;
            writes.push(Write::ResendIntent(intent.marker, now));
        }
        self.commit(writes, "following the clock").await
    }

    /// What came before a step ahead that was taken back since is as old as it looks. Without this it would seem to have
    /// just happened for as long as the step was.
    async fn note_clock_set_back(&mut self, by_ms: i64) -> Result<(), EngineError> {
        let Some(set) = self.state.clock_set.filter(|set| set.by_ms > 0) else { return Ok(()) };
        self.state.clock_set = Some(ClockSet { by_ms: set.by_ms.saturating_add(by_ms).max(0), ..set });
        self.commit(vec![Write::Account(Box::new(self.state.clone()))], "following the clock").await
    }

    /// Whether the record changed so recently that a reader may not be shown it yet.
    pub(crate) fn may_be_hidden(&self, link: &Link) -> bool {
        self.is_recent(link.changed_at)
    }

    /// Whether the newest known state of the record is from before our deletion of it: then it may be gone, whatever a late
    /// read shows, and that is our own doing.
    pub(crate) fn may_be_deleted_by_us(&self, link: &Link) -> bool {
        link.own_delete && link.remote_time <= Some(self.remote_time_of(link.changed_at))
    }

    /// Whether something happened so recently that a reader may not be shown it yet, or may look so because of the clock.
    pub(crate) fn is_recent(&self, at: Timestamp) -> bool {
        let since = self.state.clock_set.map_or(at, |set| set.at.max(at));
        self.now().since(since) < FRESHNESS_WINDOW
    }

    /// How long ago something was, by a clock that nobody set ahead since.
    pub(crate) fn age(&self, at: Timestamp) -> Duration {
        let age = self.now().since(at);
        let jumped = self.state.clock_set.filter(|set| set.at >= at).map_or(0, |set| set.by_ms);
        age.saturating_sub(Duration::from_millis(u64::try_from(jumped).unwrap_or(0)))
    }

    /// Brings what is remembered of the account back to the present.
    pub(crate) async fn follow_clock(&mut self) -> Result<(), EngineError> {
        let now = self.now();
        let lineage = self.state.contacts.as_ref().map(|cursor| cursor.lineage);
        let last_run = self.state.last_run.map(|run| run.time());
        let sent = self.intents.values().map(|intent| intent.last_sent);
        let set = self.state.clock_set.map(|set| set.at);
        if !sent.chain(lineage).chain(last_run).chain(set).any(|time| time > now) {
            return Ok(());
        }
        reached::note(Situation::ClockSetBack);
        if let Some(cursor) = &mut self.state.contacts {
            cursor.lineage = cursor.lineage.min(now);
        }
        self.state.clock_set = self.state.clock_set.map(|set| ClockSet { at: set.at.min(now), ..set });
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
    if let Some(sending) = &mut link.photo.sending {
        is_ahead |= sending.at > now;
        sending.at = sending.at.min(now);
    }
    is_ahead.then_some(link)
}
