//! Contacts about to be created may exist at the remote already, outside every pair. Of those only hashes are kept, so
//! that a contact finds its twin there and joins it to the group instead of doubling it.
//!
//! All contacts that wait for a record are looked at together: of two that claim one stranger neither gets it. What is
//! in doubt is parked with a fingerprint of everything the doubt rests on: the contact, the strangers it shares
//! something with, and the contacts that do so too. It is asked about again when the fingerprint is another one, so a
//! doubt that stands costs no call. What a person has said about a couple comes before all of that.

use std::collections::{BTreeMap, BTreeSet};

use super::{News, is_given_up};
use crate::domain::answer::Candidates;
use crate::domain::contact::Contact;
use crate::domain::digest::Digest;
use crate::domain::id::{ContactId, Etag, LinkId, RemoteId};
use crate::domain::link::{Link, LinkState, Parked, ParkedWhy, Sighting};
use crate::domain::matching::{Doubt, Face, Verdict, judge};
use crate::engine::answers::Answers;
use crate::engine::operation::{Operation, OperationKind, Side};
use crate::engine::{Doing, EngineError, Run, identity};
use crate::remotes::{Fetched, Reading, Record};
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
    /// Those that were found in a group meanwhile; whose they are is decided there.
    found: BTreeSet<RemoteId>,
    /// Those that could not be read.
    unclear: BTreeSet<RemoteId>,
}

/// Which stranger a contact is.
enum Meant {
    Nobody,
    /// A person said so.
    Chosen(RemoteId),
    Twin(RemoteId),
    Doubtful(Vec<RemoteId>, Doubt),
}

impl Meant {
    fn candidates(&self) -> &[RemoteId] {
        match self {
            Meant::Nobody => &[],
            Meant::Chosen(remote) | Meant::Twin(remote) => std::slice::from_ref(remote),
            Meant::Doubtful(several, _) => several,
        }
    }
}

impl Run<'_> {
    /// Binds contacts that wait for a record to strangers that are their twins, parks those of which that cannot be told,
    /// and lets those go on of which it is told by now.
    pub(super) async fn meet_strangers(&mut self) -> Result<News, EngineError> {
        let account = &self.order.promise.account;
        let counts = self.deps.store.link_counts(account).await.doing("counting links")?;
        if counts.strangers == 0 && counts.parked == 0 && self.answers.is_empty() {
            return Ok(News::None);
        }
        let meeting = self.gather().await?;
        let rivals = meeting.rivals();
        let prints: Vec<String> = meeting
            .suitors
            .iter()
            .map(|suitor| suitor.fingerprint(&meeting.strangers, &rivals, &self.answers))
            .collect();
        if meeting.suitors.iter().zip(&prints).all(|(suitor, print)| suitor.is_parked_with(print)) {
            meeting.suitors.iter().for_each(|suitor| self.tell_doubt(suitor));
            return Ok(News::None);
        }
        let acquaintance = self.ask_about(&meeting).await?;
        let twins: Vec<Meant> = meeting.suitors.iter().map(|suitor| self.twins_of(suitor, &acquaintance)).collect();
        let mut claims: BTreeMap<&RemoteId, u32> = BTreeMap::new();
        for remote in twins.iter().flat_map(Meant::candidates) {
            *claims.entry(remote).or_insert(0) += 1;
        }
        let mut news = News::None;
        let mut writes = Vec::new();
        for ((suitor, print), twins) in meeting.suitors.into_iter().zip(prints).zip(&twins) {
            let free = |remote: &RemoteId| acquaintance.free.get(remote).filter(|_| claims.get(remote) == Some(&1));
            let said = self.answers.record_of(suitor.contact.id);
            let waits = said.is_some_and(|said| acquaintance.found.contains(said));
            if waits || !suitor.strangers.is_disjoint(&acquaintance.unclear) {
                self.doubted.insert(suitor.contact.id);
                continue;
            }
            let contact = suitor.contact.id;
            match twins {
                // What was said of a record that is no more, or somebody else's, is overtaken: who it is then is judged anew,
                // with everybody whom the answer had ruled out.
                Meant::Nobody if said.is_some() => {
                    writes.extend(self.fulfilled(contact));
                    self.answers.forget(contact);
                    self.doubted.insert(contact);
                    news = News::Some;
                }
                Meant::Nobody => writes.extend(suitor.goes_on()),
                Meant::Chosen(remote) if let Some(record) = acquaintance.free.get(remote) => {
                    writes.extend(self.bind_stranger(suitor.link, record, &acquaintance));
                    writes.extend(self.fulfilled(contact));
                    news = News::Some;
                }
                Meant::Twin(remote) if let Some(record) = free(remote) => {
                    writes.extend(self.bind_stranger(suitor.link, record, &acquaintance));
                    news = News::Some;
                }
                Meant::Chosen(remote) | Meant::Twin(remote) => {
                    let why = "and so could another contact";
                    writes.extend(self.doubt_strangers(suitor, std::slice::from_ref(remote), why, print));
                }
                Meant::Doubtful(several, Doubt::AnotherBirthday) => {
                    writes.extend(self.doubt_strangers(suitor, several, "but for the birthday", print));
                }
                Meant::Doubtful(several, Doubt::AnotherGivenName) => {
                    writes.extend(self.doubt_strangers(suitor, several, "but for the given name", print));
                }
                Meant::Doubtful(several, _) => {
                    writes.extend(self.doubt_strangers(suitor, several, "but not all", print))
                }
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
                    let keys = identity::suitor_keys(&self.identity, &contact.card, self.order.promise.home);
                    waiting.push((link, contact.clone(), keys));
                }
            }
            let all: BTreeSet<Vec<u8>> = waiting.iter().flat_map(|(_, _, keys)| keys).cloned().collect();
            let account = &self.order.promise.account;
            let found = self.deps.store.strangers_with_keys(account, &all).await.doing("looking for strangers")?;
            meeting.add(waiting, found, &self.answers);
        }
        Ok(meeting)
    }

    async fn ask_about(&mut self, meeting: &Meeting) -> Result<Acquaintance, EngineError> {
        let ids: Vec<RemoteId> = meeting.strangers.keys().cloned().collect();
        let Fetched { records, unclear } = self.fetch(&ids).await?;
        let names = records.iter().map(|(asked, record)| (asked.clone(), record.id.clone())).collect();
        let followed: Vec<Write> = records.values().flat_map(|record| self.follow_answers(record)).collect();
        self.commit(followed, "following records to their new names").await?;
        let (free, found) = self.unlinked(records).await?;
        Ok(Acquaintance { free, names, found, unclear })
    }

    /// The strangers that may be the contact.
    fn twins_of(&self, suitor: &Suitor, acquaintance: &Acquaintance) -> Meant {
        let (codec, kind) = (self.deps.remote.codec(), suitor.contact.card.kind());
        let contact = suitor.contact.id;
        let said = self.answers.record_of(contact).map(|said| acquaintance.names.get(said).unwrap_or(said));
        let is_kind = |record: &&Record| codec.kind(&record.wire) == kind;
        if let Some(record) = said.and_then(|said| acquaintance.free.get(said)).filter(is_kind) {
            return Meant::Chosen(record.id.clone());
        }
        let home = self.order.promise.home;
        let readings: BTreeMap<RemoteId, Reading> = suitor
            .strangers
            .iter()
            .filter_map(|stranger| acquaintance.free.get(acquaintance.names.get(stranger)?))
            .filter(is_kind)
            .filter(|record| !self.answers.part(contact, &record.id))
            .map(|record| (record.id.clone(), codec.read(&record.wire, kind)))
            .collect();
        let faces = readings
            .iter()
            .map(|(id, reading)| (id.clone(), Face::of(&reading.card, home).told(reading.numbers.values())));
        match judge(&Face::of(&suitor.contact.card, home), &faces.collect::<Vec<_>>()) {
            Verdict::Alone => Meant::Nobody,
            Verdict::Twin { id, .. } => Meant::Twin(id),
            Verdict::Doubtful { candidates, reason } => {
                Meant::Doubtful(candidates.into_iter().map(|(id, _)| id).collect(), reason)
            }
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

    /// The records that belong to no link, by the names they have, and the names of those whose link waits to be decided.
    async fn unlinked(
        &self,
        records: BTreeMap<RemoteId, Record>,
    ) -> Result<(BTreeMap<RemoteId, Record>, BTreeSet<RemoteId>), EngineError> {
        let mut free: BTreeMap<RemoteId, Record> =
            records.into_values().map(|record| (record.id.clone(), record)).collect();
        let names: Vec<RemoteId> = free.keys().cloned().collect();
        let account = &self.order.promise.account;
        let mut found = BTreeSet::new();
        for (linked, link) in self.deps.store.links_of_remotes(account, &names).await.doing("reading links")? {
            free.remove(&linked);
            if link.state == LinkState::Found {
                found.insert(linked);
            }
        }
        Ok((free, found))
    }

    fn doubt_strangers(&mut self, suitor: Suitor, several: &[RemoteId], why: &str, print: String) -> Option<Write> {
        let is_known = suitor.is_parked_with(&print);
        let Suitor { mut link, contact, strangers } = suitor;
        if !is_known {
            let names = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            let reason = format!(
                "it could be {names} of the account, outside the group, {why}; nothing is created until a person has \
                 decided: contactsync match show {}",
                contact.id
            );
            let since = link.parked.as_ref().filter(|_| is_doubtful(&link)).map_or(self.now(), |parked| parked.since);
            let candidates = Candidates { records: several.iter().cloned().collect(), ..Candidates::default() };
            let (why, digest) = (ParkedWhy::Doubtful, Some(print));
            link.parked = Some(Parked { why, reason, digest, run: None, since, times: 0, candidates });
            self.notice_doubt(contact.id);
        }
        let suitor = Suitor { link, contact, strangers };
        self.tell_doubt(&suitor);
        (!is_known).then(|| Write::Link(Box::new(suitor.link)))
    }

    /// Puts a doubt into the plan.
    fn tell_doubt(&mut self, suitor: &Suitor) {
        let Some(parked) = &suitor.link.parked else { return };
        let names = parked.candidates.records.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        let id = suitor.contact.id;
        let told =
            format!("doubtful: it could be {names}, which is in no pair's group; decide: contactsync match show {id}");
        let operation = Operation::new(OperationKind::Conflict, Side::Remote, &suitor.contact.card, told);
        self.record(operation.about(Some(id), None));
    }

    fn notice_doubt(&mut self, contact: ContactId) {
        self.notice(format!("contact {contact} may exist in the account already, outside the group; it waits"));
    }
}

impl Meeting {
    /// Adds contacts with the hashes of their e-mails and phones, and the strangers that have any of these.
    fn add(&mut self, waiting: Vec<(Link, Contact, BTreeSet<Vec<u8>>)>, found: Vec<Stranger>, answers: &Answers) {
        for (link, contact, keys) in waiting {
            let shared = found
                .iter()
                .filter(|stranger| !stranger.keys.is_disjoint(&keys) && !answers.part(contact.id, &stranger.remote));
            let mut strangers: BTreeSet<RemoteId> = shared.map(|stranger| stranger.remote.clone()).collect();
            if let Some(said) = answers.record_of(contact.id) {
                strangers.insert(said.clone());
                self.strangers.entry(said.clone()).or_insert(None);
            }
            if is_doubtful(&link) || !strangers.is_empty() {
                self.suitors.push(Suitor { link, contact, strangers });
            }
        }
        // Those that nobody claims any more are none of this.
        let claimed: BTreeSet<&RemoteId> = self.suitors.iter().flat_map(|suitor| &suitor.strangers).collect();
        let claimed = found.into_iter().filter(|stranger| claimed.contains(&stranger.remote));
        self.strangers.extend(claimed.map(|stranger| (stranger.remote, stranger.etag)));
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
        answers: &Answers,
    ) -> String {
        let mut parts = vec![Digest::of_card(&self.contact.card).to_string()];
        parts.extend(answers.about(self.contact.id));
        for stranger in &self.strangers {
            let etag = strangers.get(stranger).and_then(Option::as_ref).map(ToString::to_string);
            parts.push(format!("{stranger} {}", etag.unwrap_or_default()));
            parts.extend(rivals.get(stranger).into_iter().flatten().map(ToString::to_string));
        }
        identity::fingerprint(&parts)
    }

    fn is_parked_with(&self, print: &str) -> bool {
        let is_same = |parked: &Parked| parked.digest.as_deref() == Some(print) && !parked.candidates.is_empty();
        is_doubtful(&self.link) && self.link.parked.as_ref().is_some_and(is_same)
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
