//! Carries out what `push` planned: intent, call, record.
//!
//! Before a write is sent, an intent for every record in it is committed; after the answer, the new bases are, and the
//! intents are closed, in one transaction each. What users edited goes before what is only carried over: updates before
//! creates, and edits that come in while records are made are planned and sent before the rest of those. What the answer does not tell stays open and is found out by a later
//! run. A batch that the remote refuses as a whole is told apart: the records it names are set aside, and the healthy
//! rest is sent again at once; when it names none, the batch is cut in halves. Records that it refuses while it carries
//! out the rest are set aside in the same way.

use std::collections::BTreeSet;

use super::held::Held;
use super::push::{News, PushPlan};
use super::reached::{self, Situation};
use super::rules::{self, Rule};
use super::{Doing, EngineError, Licence, Run, Step};
use crate::domain::answer::Candidates;
use crate::domain::contact::Contact;
use crate::domain::digest::Digest;
use crate::domain::id::{LinkId, Marker};
use crate::domain::link::{Link, Parked, ParkedWhy};
use crate::domain::outbox::{Intent, Sent};
use crate::remotes::{Fetched, Record, Recovery, RemoteError, WriteKind};
use crate::store::Write;

mod create;
mod delete;
mod members;
mod update;

/// What a refused call says about the records in it.
enum Verdict {
    /// These are to be handled by themselves; the others are to be sent again.
    Named(BTreeSet<usize>),
    /// Nobody knows which record it was.
    Unnamed,
}

/// Whether the remote takes more records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Left,
    None,
}

impl Run<'_> {
    /// Carries out a plan. What was found out on the way has to be merged before more is pushed.
    pub(crate) async fn execute(&mut self, plan: PushPlan, held: &Held) -> Result<News, EngineError> {
        let total = plan.len() as u64;
        let mut done = 0;
        let mut news = News::None;
        let limits = self.deps.remote.limits();
        for ids in plan.update.values() {
            for chunk in calls(ids, self.deps.remote.batch_from(WriteKind::Update), limits.update) {
                self.check_stop()?;
                news = news.or(self.update(chunk, held).await?);
                done += chunk.len() as u64;
                self.deps.progress.advanced(Step::Writing, done, total);
            }
        }
        let creates: Vec<LinkId> = plan.create.into_values().collect();
        let (mut room, mut made) = (Room::Left, 0);
        for chunk in calls(&creates, self.deps.remote.batch_from(WriteKind::Create), limits.create) {
            self.check_stop()?;
            if made > 0 && self.is_overtaken().await? {
                return Ok(news.or(News::Edits));
            }
            match room {
                Room::Left => room = self.create(chunk).await?,
                Room::None => self.leave_out(chunk).await?,
            }
            made += chunk.len();
            done += chunk.len() as u64;
            self.deps.progress.advanced(Step::Writing, done, total);
        }
        news = news.or(self.change_groups(&plan.regroup, held).await?);
        news = news.or(self.move_to_trash(&plan.trash, held).await?);
        for chunk in plan.delete.chunks(limits.delete) {
            self.check_stop()?;
            news = news.or(self.delete(chunk).await?);
            done += chunk.len() as u64;
            self.deps.progress.advanced(Step::Writing, done, total);
        }
        self.deps.progress.advanced(Step::Writing, total, total);
        Ok(news)
    }

    /// Whether somebody edited the store since the plan was made. Filling an address book takes many minutes; an edit does
    /// not wait for the end of it.
    async fn is_overtaken(&self) -> Result<bool, EngineError> {
        let end = self.deps.store.feed_end().await.doing("reading the change feed")?;
        Ok(end > self.state.feed_position && *self.order.licence == Licence::Guarded)
    }

    /// Links with their contacts, in the order of the ids.
    async fn load(&self, ids: &[LinkId]) -> Result<Vec<(Link, Option<Contact>)>, EngineError> {
        let links = self.deps.store.links(ids).await.doing("reading links")?;
        let contacts = self.contacts_of(&links).await?;
        Ok(links
            .into_iter()
            .map(|link| {
                let contact = link.contact.and_then(|id| contacts.get(&id)).cloned();
                (link, contact)
            })
            .collect())
    }

    async fn markers(&self, count: usize) -> Result<impl Iterator<Item = Marker> + use<>, EngineError> {
        let first = self.deps.store.mint_markers(count as u64, self.now()).await.doing("minting markers")?;
        Ok((first.0..).map(Marker))
    }

    /// The write that opens the intent of what is about to be sent.
    fn open_intent(&mut self, link: &Link, sent: Sent) -> Write {
        let intent = Intent {
            marker: sent.marker,
            link: link.id,
            account: link.account.clone(),
            kind: sent.kind,
            etag: link.etag.clone(),
            remote_time: link.remote_time,
            first_sent: self.now(),
            last_sent: self.now(),
        };
        if !rules::holds(Rule::IntentLog) {
            return Write::CloseIntent(sent.marker);
        }
        self.intents.insert(link.id, intent.clone());
        Write::OpenIntent(Box::new(intent), Box::new(sent))
    }

    /// Sets a record aside whose content the remote refuses.
    fn refuse(&mut self, link: &mut Link, contact: &Contact, reason: &str) {
        let digest = Digest::of_card(&contact.card).to_string();
        self.refused.insert(link.id, digest.clone());
        let before = link.parked.take().filter(|parked| parked.digest.as_deref() == Some(digest.as_str()));
        let (times, since) = before.map_or((0, self.now()), |parked| (parked.times, parked.since));
        link.parked = Some(Parked {
            why: ParkedWhy::Refused,
            reason: reason.to_owned(),
            digest: Some(digest),
            since,
            run: None,
            times: times + 1,
            candidates: Candidates::default(),
        });
        self.fail(contact.id, reason);
    }

    /// Marks records as possibly gone, because a write did not find them.
    pub(crate) async fn suspect(&mut self, ids: &[LinkId]) -> Result<(), EngineError> {
        let links = self.deps.store.links(ids).await.doing("reading links")?;
        let at = self.now();
        let writes = links
            .into_iter()
            .map(|mut link| {
                link.seen =
                    Some(crate::domain::link::Sighting::Suspect { cause: crate::domain::link::Suspicion::Absence, at });
                Write::Link(Box::new(link))
            })
            .collect();
        self.commit(writes, "noting which records were not found").await
    }

    /// Reads records again whose etag was refused. Those that changed are news; the others were read too early.
    async fn read_again(&mut self, links: &[Link]) -> Result<News, EngineError> {
        let Fetched { records: mut found, unclear } = self.fetch_own(links.iter()).await?;
        let mut newer = Vec::new();
        let mut forced = Vec::new();
        let mut missing = Vec::new();
        for link in links {
            match link.remote.as_ref().and_then(|id| found.remove(id)) {
                Some(record) if !rules::holds(Rule::EtagPrecondition) => forced.push((link.clone(), record)),
                Some(record) if is_later(&record, link) => {
                    reached::note(Situation::StaleEtagNews);
                    newer.push(record);
                }
                // Read too early: neither that state nor the refused one is what there is. A later run asks again.
                Some(_) => {
                    reached::note(Situation::StaleEtagTooEarly);
                    self.waiting += 1;
                }
                None if link.remote.as_ref().is_some_and(|id| unclear.contains(id)) => {}
                None => missing.push(link.id),
            }
        }
        if !forced.is_empty() {
            let taken = |(mut link, record): (Link, Record)| {
                (link.etag, link.remote_time) = (record.etag, record.time);
                Write::Link(Box::new(link))
            };
            self.commit(forced.into_iter().map(taken).collect(), "taking over etags").await?;
            return Ok(News::Some);
        }
        let news = if newer.is_empty() && missing.is_empty() { News::None } else { News::Some };
        let writes = self.observe_records(newer).await?;
        self.commit(writes, "recording what changed meanwhile").await?;
        self.suspect(&missing).await?;
        Ok(news)
    }
}

/// Whether a record shows another state than the one its link knows, and not one from before.
pub(crate) fn is_later(record: &Record, link: &Link) -> bool {
    record.time > link.remote_time || (record.time == link.remote_time && record.etag != link.etag)
}

/// Cuts a list into calls: singles while they are cheaper, else batches of the size that the remote takes.
fn calls(ids: &[LinkId], batch_from: usize, most: usize) -> impl Iterator<Item = &[LinkId]> {
    ids.chunks(if ids.len() < batch_from { 1 } else { most.max(1) })
}

/// Whether the remote has certainly not carried out the call, and will not carry out the next one either.
fn ends_the_push(error: &RemoteError) -> bool {
    matches!(error.recovery(), Recovery::RetryAfter(_) | Recovery::AskConsent | Recovery::SetUp)
}

/// Which records a refusal is about.
fn verdict(error: &RemoteError, count: usize) -> Verdict {
    let named: BTreeSet<usize> = match error {
        RemoteError::Stale { items } => items.iter().copied().collect(),
        RemoteError::Refused { items, .. } => items.keys().copied().collect(),
        RemoteError::Missing { .. } | RemoteError::Exists { .. } => BTreeSet::new(),
        _ => BTreeSet::new(),
    };
    let named: BTreeSet<usize> = named.into_iter().filter(|place| *place < count).collect();
    if named.is_empty() { Verdict::Unnamed } else { Verdict::Named(named) }
}

/// Splits a list at its middle.
fn halves<T>(mut whole: Vec<T>) -> (Vec<T>, Vec<T>) {
    let rest = whole.split_off(whole.len() / 2);
    (whole, rest)
}

/// Splits a list into the items at these places, each with its place, and the others.
fn split_named<T>(whole: Vec<T>, named: &BTreeSet<usize>) -> (Vec<(usize, T)>, Vec<T>) {
    let mut picked = Vec::new();
    let mut rest = Vec::new();
    for (place, item) in whole.into_iter().enumerate() {
        if named.contains(&place) { picked.push((place, item)) } else { rest.push(item) }
    }
    (picked, rest)
}
