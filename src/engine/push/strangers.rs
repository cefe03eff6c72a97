//! Contacts about to be created may exist at the remote already, outside every pair. Of those only hashes are kept, so
//! that a contact finds its twin there and joins it to the group instead of doubling it.
//!
//! All contacts that wait for a record are looked at together: of two that claim one stranger neither gets it. What is
//! in doubt is parked with a fingerprint of everything the doubt rests on: the contact, the strangers it shares
//! something with, and the contacts that do so too. It is asked about again when the fingerprint is another one, so a
//! doubt that stands costs no call.

use std::collections::{BTreeMap, BTreeSet};

use super::{News, is_given_up};
use crate::domain::contact::{Card, Contact};
use crate::domain::digest::Digest;
use crate::domain::id::{ContactId, Etag, LinkId, RemoteId};
use crate::domain::link::{Link, LinkState, Parked, ParkedWhy, Sighting};
use crate::domain::matching::{Verdict, judge};
use crate::engine::{Doing, EngineError, Run, identity};
use crate::remotes::{Fetched, Record};
use crate::store::{Stranger, Write};

/// A contact about to be created that may exist already, or was thought to.
struct Suitor {
    link: Link,
    contact: Contact,
    /// The strangers that it shares an e-mail or a phone with.
    strangers: BTreeSet<RemoteId>,
}

/// Contacts about to be created and the strangers they may be.
#[derive(Default)]
struct Meeting {
    suitors: Vec<Suitor>,
    strangers: BTreeMap<RemoteId, Option<Etag>>,
}

/// Strangers as they are now.
struct Acquaintance {
    /// Those that belong to no link, by the names they have.
    free: BTreeMap<RemoteId, Record>,
    /// Those names, by the ones they are remembered under: two strangers may lead to one record.
    names: BTreeMap<RemoteId, RemoteId>,
    /// Those that could not be read.
    unclear: BTreeSet<RemoteId>,
}

impl Run<'_> {
    /// Binds contacts that wait for a record to strangers that are their twins, parks those of which that cannot be told,
    /// and lets those go on of which it is told by now.
    pub(super) async fn meet_strangers(&mut self) -> Result<News, EngineError> {
        let account = &self.order.promise.account;
        let counts = self.deps.store.link_counts(account).await.doing("counting links")?;
        if counts.strangers == 0 && counts.parked == 0 {
            return Ok(News::None);
        }
        let meeting = self.gather().await?;
        let rivals = meeting.rivals();
        let prints: Vec<String> =
            meeting.suitors.iter().map(|suitor| suitor.fingerprint(&meeting.strangers, &rivals)).collect();
        if meeting.suitors.iter().zip(&prints).all(|(suitor, print)| suitor.is_parked_with(print)) {
            return Ok(News::None);
        }
        let acquaintance = self.ask_about(&meeting).await?;
        let twins: Vec<Vec<RemoteId>> =
            meeting.suitors.iter().map(|suitor| self.twins_of(suitor, &acquaintance)).collect();
        let mut claims: BTreeMap<&RemoteId, u32> = BTreeMap::new();
        for remote in twins.iter().flatten() {
            *claims.entry(remote).or_insert(0) += 1;
        }
        let mut news = News::None;
        let mut writes = Vec::new();
        for ((suitor, print), twins) in meeting.suitors.into_iter().zip(prints).zip(&twins) {
            let free = |remote: &RemoteId| acquaintance.free.get(remote).filter(|_| claims.get(remote) == Some(&1));
            if !suitor.strangers.is_disjoint(&acquaintance.unclear) {
                self.doubted.insert(suitor.contact.id);
                continue;
            }
            match twins.as_slice() {
                [] => writes.extend(suitor.goes_on()),
                [remote] if let Some(record) = free(remote) => {
                    writes.extend(self.bind_stranger(suitor.link, record, &acquaintance));
                    news = News::Some;
                }
                several => writes.extend(self.doubt_strangers(suitor, several, print)),
            }
        }
        self.commit(writes, "linking contacts to records outside the groups").await?;
        Ok(news)
    }

    /// The contacts that wait for a record and share something with a stranger, or did.
    async fn gather(&mut self) -> Result<Meeting, EngineError> {
        let mut meeting = Meeting::default();
        let mut after = None;
        while let Some(mut links) = self.unsettled(&mut after).await? {
            self.check_stop()?;
            links.retain(|link| link.state == LinkState::Need);
            let contacts = self.contacts_of(&links).await?;
            let mut waiting = Vec::new();
            for link in links {
                let contact = link.contact.and_then(|id| contacts.get(&id)).filter(|contact| contact.is_live());
                if let Some(contact) = contact
                    && self.may_be_created(contact)
                    && (is_doubtful(&link) || !is_given_up(&link, contact))
                {
                    let keys = identity::stranger_keys(&self.identity, &contact.card);
                    waiting.push((link, contact.clone(), keys));
                }
            }
            let all: BTreeSet<Vec<u8>> = waiting.iter().flat_map(|(_, _, keys)| keys).cloned().collect();
            let account = &self.order.promise.account;
            let found = self.deps.store.strangers_with_keys(account, &all).await.doing("looking for strangers")?;
            meeting.add(waiting, found);
        }
        Ok(meeting)
    }

    async fn ask_about(&mut self, meeting: &Meeting) -> Result<Acquaintance, EngineError> {
        let ids: Vec<RemoteId> = meeting.strangers.keys().cloned().collect();
        let Fetched { records, unclear } = self.fetch(&ids).await?;
        let names = records.iter().map(|(asked, record)| (asked.clone(), record.id.clone())).collect();
        Ok(Acquaintance { free: self.unlinked(records).await?, names, unclear })
    }

    /// The strangers that may be the contact.
    fn twins_of(&self, suitor: &Suitor, acquaintance: &Acquaintance) -> Vec<RemoteId> {
        let (codec, kind) = (self.deps.remote.codec(), suitor.contact.card.kind());
        let readings: BTreeMap<RemoteId, Card> = suitor
            .strangers
            .iter()
            .filter_map(|stranger| acquaintance.free.get(acquaintance.names.get(stranger)?))
            .filter(|record| codec.kind(&record.wire) == kind)
            .map(|record| (record.id.clone(), codec.read(&record.wire, kind).card))
            .collect();
        let candidates: Vec<_> = readings.iter().map(|(id, card)| (id.clone(), card)).collect();
        match judge(&suitor.contact.card, &candidates) {
            Verdict::Alone => Vec::new(),
            Verdict::Twin { id, .. } => vec![id],
            Verdict::Doubtful { candidates, .. } => candidates.into_iter().map(|(id, _)| id).collect(),
        }
    }

    fn bind_stranger(&self, mut link: Link, record: &Record, acquaintance: &Acquaintance) -> Vec<Write> {
        link.remote = Some(record.id.clone());
        link.state = LinkState::Bound;
        link.etag.clone_from(&record.etag);
        link.remote_time = record.time;
        link.changed_at = self.now();
        link.seen = Some(Sighting::Present { wire: record.wire.clone(), at: self.now() });
        let names = acquaintance.names.iter().filter(|(_, name)| **name == record.id).map(|(asked, _)| asked);
        let names: BTreeSet<&RemoteId> = names.chain([&record.id]).collect();
        let forgotten = names.into_iter().map(|name| Write::DropStranger(link.account.clone(), name.clone()));
        forgotten.chain([Write::Link(Box::new(link.clone()))]).collect()
    }

    /// The records that belong to no link, by the names they have.
    async fn unlinked(&self, records: BTreeMap<RemoteId, Record>) -> Result<BTreeMap<RemoteId, Record>, EngineError> {
        let mut free: BTreeMap<RemoteId, Record> =
            records.into_values().map(|record| (record.id.clone(), record)).collect();
        let names: Vec<RemoteId> = free.keys().cloned().collect();
        let account = &self.order.promise.account;
        for (linked, _) in self.deps.store.links_of_remotes(account, &names).await.doing("reading links")? {
            free.remove(&linked);
        }
        Ok(free)
    }

    fn doubt_strangers(&mut self, suitor: Suitor, candidates: &[RemoteId], print: String) -> Option<Write> {
        if suitor.is_parked_with(&print) {
            return None;
        }
        let Suitor { mut link, contact, .. } = suitor;
        let reason = format!(
            "it could be {} of the account, outside the group, and so could another; nothing is created until their e-mails \
             and phones tell them apart: edit or delete the one that is too many, in the store or in Google",
            candidates.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
        );
        let (why, digest, since) = (ParkedWhy::Doubtful, Some(print), self.now());
        link.parked = Some(Parked { why, reason, digest, run: None, since, times: 0 });
        self.notice_doubt(contact.id);
        Some(Write::Link(Box::new(link)))
    }

    fn notice_doubt(&mut self, contact: ContactId) {
        self.notice(format!("contact {contact} may exist in the account already, outside the group; it waits"));
    }
}

impl Meeting {
    /// Adds contacts with the hashes of their e-mails and phones, and the strangers that have any of these.
    fn add(&mut self, waiting: Vec<(Link, Contact, BTreeSet<Vec<u8>>)>, found: Vec<Stranger>) {
        for (link, contact, keys) in waiting {
            let shared = found.iter().filter(|stranger| !stranger.keys.is_disjoint(&keys));
            let strangers: BTreeSet<RemoteId> = shared.map(|stranger| stranger.remote.clone()).collect();
            if is_doubtful(&link) || !strangers.is_empty() {
                self.suitors.push(Suitor { link, contact, strangers });
            }
        }
        self.strangers.extend(found.into_iter().map(|stranger| (stranger.remote, stranger.etag)));
    }

    /// The links that share something with each stranger.
    fn rivals(&self) -> BTreeMap<RemoteId, BTreeSet<LinkId>> {
        let mut rivals: BTreeMap<RemoteId, BTreeSet<LinkId>> = BTreeMap::new();
        for suitor in &self.suitors {
            for stranger in &suitor.strangers {
                rivals.entry(stranger.clone()).or_default().insert(suitor.link.id);
            }
        }
        rivals
    }
}

impl Suitor {
    /// Names everything that decides which stranger the contact is.
    fn fingerprint(
        &self,
        strangers: &BTreeMap<RemoteId, Option<Etag>>,
        rivals: &BTreeMap<RemoteId, BTreeSet<LinkId>>,
    ) -> String {
        let mut parts = vec![Digest::of_card(&self.contact.card).to_string()];
        for stranger in &self.strangers {
            let etag = strangers.get(stranger).and_then(Option::as_ref).map(ToString::to_string);
            parts.push(format!("{stranger} {}", etag.unwrap_or_default()));
            parts.extend(rivals.get(stranger).into_iter().flatten().map(ToString::to_string));
        }
        identity::fingerprint(&parts)
    }

    fn is_parked_with(&self, print: &str) -> bool {
        is_doubtful(&self.link) && self.link.parked.as_ref().and_then(|parked| parked.digest.as_deref()) == Some(print)
    }

    /// No stranger is the contact, so it is created; what that takes when there was a doubt.
    fn goes_on(self) -> Option<Write> {
        let mut link = self.link;
        is_doubtful(&link).then(|| {
            link.parked = None;
            Write::Link(Box::new(link))
        })
    }
}

fn is_doubtful(link: &Link) -> bool {
    link.parked.as_ref().is_some_and(|parked| parked.why == ParkedWhy::Doubtful)
}
