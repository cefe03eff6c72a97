//! Deleting records. No precondition guards a deletion, so the record is read directly before it: one that was edited
//! since is not deleted, because an edit outlives a deletion. What slips through the gap is seen later by its time, and
//! brings the contact back (see [`crate::engine::decide`]).
//!
//! A record that was taken for one too many is deleted only while the one that it doubles is there too, and not before a
//! read must show both: one that got another name looks just like a second one as long as its old name still shows.

use std::collections::{BTreeMap, BTreeSet};

use super::{ends_the_push, halves};
use crate::domain::contact::Contact;
use crate::domain::harm::{Harm, Side};
use crate::domain::id::{LinkId, LinkToken, Marker, RemoteId};
use crate::domain::link::{Base, Link, LinkState, Sighting};
use crate::domain::outbox::{IntentKind, Sent};
use crate::domain::time::Timestamp;
use crate::engine::push::{News, Push};
use crate::engine::reached::{self, Situation};
use crate::engine::rules::{self, Rule};
use crate::engine::settle::is_folded_twin;
use crate::engine::suspects::stand_in;
use crate::engine::{Doing, EngineError, Run};
use crate::remotes::{Fetched, Record, RemoteError, WriteKind};
use crate::store::Write;

/// A record about to be deleted, as it was checked.
struct Removal {
    link: Link,
    base: Base,
    remote: RemoteId,
    marker: Marker,
}

/// What is known of a record right before it is deleted.
enum Checked<'o> {
    /// It is as it was last seen.
    AsKnown,
    /// It was edited since, or is another record by now.
    Newer(Box<Record>),
    /// It is gone already.
    Gone,
    /// It is not found, which proves nothing yet.
    Hidden,
    /// It was taken for a double of this link's record, and that one is not there.
    OnlyOne(&'o Link),
    /// It cannot be told.
    Unknown,
}

impl Run<'_> {
    /// Deletes the records of these links, unless they were edited since they were last seen.
    pub(super) async fn delete(&mut self, ids: &[LinkId]) -> Result<News, EngineError> {
        let (removals, news) = self.check_deletions(ids).await?;
        if removals.is_empty() {
            return Ok(news);
        }
        self.deps.remote.make_ready(WriteKind::Delete, removals.len()).await.doing("waiting to delete contacts")?;
        let writes = removals.iter().flat_map(|removal| self.announce_deletion(removal)).collect::<Vec<_>>();
        self.commit(writes, "recording what is about to be deleted").await?;
        let single = removals.len() < self.deps.remote.batch_from(WriteKind::Delete);
        let mut parts: Vec<Vec<Removal>> =
            if single { removals.into_iter().map(|removal| vec![removal]).collect() } else { vec![removals] };
        while let Some(part) = parts.pop() {
            let remotes: Vec<RemoteId> = part.iter().map(|removal| removal.remote.clone()).collect();
            match self.deps.remote.delete_records(&remotes).await {
                Ok(()) => self.deleted(part).await?,
                Err(RemoteError::Missing { .. }) if part.len() == 1 => self.deleted(part).await?,
                Err(error) => self.not_deleted(part, error, &mut parts).await?,
            }
        }
        Ok(news)
    }

    /// What is committed before a deletion is sent. A folded twin says by itself that it is to be deleted, and that is
    /// decided anew from its check, so it needs no intent.
    fn announce_deletion(&mut self, removal: &Removal) -> Vec<Write> {
        if is_folded_twin(&removal.link) {
            return Vec::new();
        }
        let mut link = removal.link.clone();
        link.own_delete = rules::holds(Rule::OwnDelete);
        if self.retracted.contains(&link.id) {
            // Should the answer be lost, the contact must not be taken for one that misses its record.
            link.state = LinkState::Dormant;
        }
        let sent = Sent {
            marker: removal.marker,
            link: link.id,
            token: link.token.clone(),
            kind: IntentKind::Delete,
            card: removal.base.store.clone(),
            wire: removal.base.remote.clone(),
            mask: Vec::new(),
            version: link.acked.clone(),
            at: self.now(),
        };
        let opened = self.open_intent(&link, sent);
        vec![Write::Link(Box::new(link)), opened]
    }

    /// Reads the records once more. Returns those that are as they were last seen.
    async fn check_deletions(&mut self, ids: &[LinkId]) -> Result<(Vec<Removal>, News), EngineError> {
        let held = BTreeMap::new();
        let mut markers = self.markers(ids.len()).await?;
        let mut loaded = self.load(ids).await?;
        loaded.retain(|(link, contact)| {
            matches!(self.replan_link(link, contact.as_ref(), &held), Push::Delete | Push::Retract)
        });
        let originals = self.originals_of(loaded.iter().map(|(link, _)| link)).await?;
        let mut writes = Vec::new();
        for (twin, original) in loaded.iter().filter_map(|(link, _)| Some((link, originals.get(&link.id)?))) {
            if matches!(original.seen, Some(Sighting::Gone { .. })) {
                // There is only one, whatever follows from that in time.
                self.waiting += 1;
                writes.extend(stand_in(twin, original, self.now()));
            }
        }
        self.commit(writes, "recording what is not doubled any more").await?;
        loaded.retain(|(link, _)| !is_folded_twin(link) || self.may_be_doubled(link, originals.get(&link.id)));
        let twins = loaded.iter().map(|(link, _)| link).filter(|link| self.has_photo_to_fold(link));
        let pictured = self.doubled_by(twins, |original| original.contact.is_some()).await?;
        let own = loaded.iter().filter_map(|(link, _)| link.remote.clone());
        let others = loaded.iter().filter_map(|(link, _)| originals.get(&link.id)?.remote.clone());
        let remotes: BTreeSet<RemoteId> = own.chain(others).collect();
        let fetched = self.fetch(&remotes.into_iter().collect::<Vec<_>>()).await?;
        let taken = self.taken_by_others(&fetched.records).await?;
        let (mut removals, mut newer, mut gone, mut writes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut news = News::None;
        for (link, _) in loaded {
            let (Some(remote), Some(base)) = (link.remote.clone(), link.base.clone()) else { continue };
            match self.check_deletion(&link, &remote, originals.get(&link.id), &fetched) {
                Checked::AsKnown if let Some(original) = pictured.get(&link.id) => {
                    news = news.or(self.fold_photo(link, original).await?);
                }
                Checked::AsKnown => {
                    let Some(marker) = markers.next() else { continue };
                    removals.push(Removal { link, base, remote, marker });
                }
                // Another link has it by now: the two were merged there.
                Checked::Newer(record) if taken.get(&record.id).is_some_and(|other| *other != link.id) => {
                    gone.push(link)
                }
                Checked::Newer(record) => newer.push(*record),
                Checked::Gone => gone.push(link),
                Checked::Hidden => {
                    self.waiting += 1;
                    writes.extend(self.bring_back(&link).map(|link| Write::Link(Box::new(link))));
                }
                Checked::OnlyOne(original) => {
                    self.waiting += 1;
                    writes.extend(stand_in(&link, original, self.now()));
                }
                Checked::Unknown => self.waiting += 1,
            }
        }
        if !newer.is_empty() {
            news = News::Some;
        }
        let seen = self.observe_records(newer).await?;
        self.commit(seen, "recording what changed before its deletion").await?;
        for link in gone {
            let time = self.remote_now();
            writes.extend(self.finish_deletion(link, Some(time)).await?);
        }
        self.commit(writes, "recording what is not to be deleted").await?;
        Ok((removals, news))
    }

    /// What a direct read says about a record that is to be deleted; `original` is the link that it doubles, if it does.
    fn check_deletion<'o>(
        &mut self,
        link: &Link,
        remote: &RemoteId,
        original: Option<&'o Link>,
        Fetched { records, unclear }: &Fetched,
    ) -> Checked<'o> {
        if let Some(original) = original
            && let Some(first) = &original.remote
        {
            match records.get(first) {
                _ if unclear.contains(first) => return Checked::Unknown,
                None => return Checked::OnlyOne(original),
                // Its name leads here: both are the same record.
                Some(record) if record.id == *remote => return Checked::OnlyOne(original),
                Some(_) => {}
            }
        }
        let Some(record) = records.get(remote) else {
            return match () {
                () if unclear.contains(remote) => Checked::Unknown,
                () if self.may_be_hidden(link) => Checked::Hidden,
                () => {
                    reached::note(Situation::DeleteFindsNothing);
                    Checked::Gone
                }
            };
        };
        if !rules::holds(Rule::CheckBeforeDelete) {
            return Checked::AsKnown;
        }
        // It was renamed: the name leads to a record that is somebody else's, or has to be looked at first.
        if record.id != *remote {
            return if is_folded_twin(link) { Checked::Gone } else { Checked::Newer(Box::new(record.clone())) };
        }
        match record.time.cmp(&link.remote_time) {
            // Nobody looks at what is edited on a record that is set aside, so its time may be known and its edit not.
            std::cmp::Ordering::Equal if self.retracted.contains(&link.id) && !self.says_the_same(link, record) => {
                self.leave_retracted(link, remote);
                Checked::Newer(Box::new(record.clone()))
            }
            std::cmp::Ordering::Equal if link.etag.is_none() || record.etag == link.etag => Checked::AsKnown,
            // Edited within the same moment: the etag tells what the time does not.
            std::cmp::Ordering::Equal => Checked::Newer(Box::new(record.clone())),
            std::cmp::Ordering::Less => Checked::Unknown,
            std::cmp::Ordering::Greater => {
                reached::note(Situation::DeleteFindsNewer);
                self.leave_retracted(link, remote);
                Checked::Newer(Box::new(record.clone()))
            }
        }
    }

    /// Leaves a record alone that was to be taken back, when somebody has edited it.
    fn leave_retracted(&mut self, link: &Link, remote: &RemoteId) {
        if self.retracted.remove(&link.id) {
            self.notice(format!("record {remote} was edited meanwhile; it is left as it is"));
        }
    }

    /// The links whose records these folded twins double, by twin, as far as those have one.
    pub(crate) async fn originals_of(
        &self,
        links: impl Iterator<Item = &Link>,
    ) -> Result<BTreeMap<LinkId, Link>, EngineError> {
        self.doubled_by(links, |link| link.state == LinkState::Bound).await
    }

    /// The links that these folded twins were made for, or were the records of, by twin: of those that are looked for.
    async fn doubled_by(
        &self,
        links: impl Iterator<Item = &Link>,
        is_looked_for: impl Fn(&Link) -> bool,
    ) -> Result<BTreeMap<LinkId, Link>, EngineError> {
        let codec = self.deps.remote.codec();
        let mut tokens = BTreeMap::new();
        let mut formers = BTreeMap::new();
        for twin in links.filter(|link| is_folded_twin(link)) {
            if let Some(tag) = twin.base.as_ref().and_then(|base| codec.tag(&base.remote)) {
                tokens.insert(twin.id, tag.token);
            }
            if let Some(former) = &twin.former {
                formers.insert(twin.id, former.link);
            }
        }
        let named: Vec<LinkToken> = tokens.values().cloned().collect();
        let by_token: BTreeMap<LinkToken, Link> = self.links_of_tokens(&named).await?.into_iter().collect();
        let ids: Vec<LinkId> = formers.values().copied().collect();
        let known = self.deps.store.links(&ids).await.doing("reading links")?;
        let by_id: BTreeMap<LinkId, Link> = known.into_iter().map(|link| (link.id, link)).collect();
        let named = tokens.iter().filter_map(|(twin, token)| Some((*twin, by_token.get(token)?.clone())));
        let remembered = formers.iter().filter_map(|(twin, id)| Some((*twin, by_id.get(id)?.clone())));
        // What its tag says comes first, as when it was folded.
        let account = &self.order.promise.account;
        let is_meant = |link: &Link| link.account == *account && is_looked_for(link);
        Ok(remembered.chain(named).filter(|(_, link)| is_meant(link)).collect())
    }

    /// Whether it can be told by now that a record is one too many. One that got another name looks just like that as
    /// long as its old name still shows; deleting it then would delete the only one there is.
    fn may_be_doubled(&mut self, twin: &Link, original: Option<&Link>) -> bool {
        // What is seen of the other one, and waits for a person, says that it is there.
        let is_doubted =
            |original: &Link| matches!(original.seen, Some(Sighting::Suspect { .. } | Sighting::Gone { .. }));
        let waits = self.may_be_hidden(twin) || original.is_some_and(is_doubted);
        self.waiting += u64::from(waits);
        !waits
    }

    async fn deleted(&mut self, part: Vec<Removal>) -> Result<(), EngineError> {
        let mut writes = Vec::new();
        for removal in part {
            writes.push(self.close_intent(&removal.link, removal.marker));
            // The time stays that of the state that was checked: a newer one, seen later, is an edit that was overrun.
            let time = removal.link.remote_time;
            writes.extend(self.harm_at_remote(&removal.link, Harm::Deletes(Side::Remote)));
            writes.extend(self.trace_delete(&removal.link));
            writes.extend(self.finish_deletion(removal.link, time).await?);
            self.summary.pushed.deleted += 1;
        }
        self.commit(writes, "recording what was deleted").await
    }

    /// What is recorded of a record that is gone because we wanted it gone; `time` is that of the state it was in.
    pub(crate) async fn finish_deletion(
        &mut self,
        mut link: Link,
        time: Option<Timestamp>,
    ) -> Result<Vec<Write>, EngineError> {
        if is_folded_twin(&link) {
            let mut writes = vec![Write::DropLink(link.id)];
            if let (Some(former), Some(remote)) = (&link.former, &link.remote) {
                let (account, remote) = (link.account.clone(), remote.clone());
                writes.push(Write::Alias { account, remote, link: former.link });
            }
            let tag = link.base.as_ref().and_then(|base| self.deps.remote.codec().tag(&base.remote));
            if let (Some(tag), Some(remote)) = (tag, link.remote) {
                let originals = self.links_of_tokens(&[tag.token]).await?;
                writes.extend(originals.into_iter().map(|(_, original)| Write::Alias {
                    account: original.account.clone(),
                    remote: remote.clone(),
                    link: original.id,
                }));
            }
            return Ok(writes);
        }
        let contacts = self.contacts_of(std::slice::from_ref(&link)).await?;
        let contact = link.contact.and_then(|id| contacts.get(&id));
        let is_set_aside = link.state == LinkState::Dormant || self.retracted.contains(&link.id);
        let lives = contact.is_some_and(Contact::is_live);
        if lives && !is_set_aside {
            // It came back while its deletion was on the way: it needs another record.
            link.own_delete = rules::holds(Rule::OwnDelete);
            let former = self.renew(&mut link);
            return Ok(former.into_iter().chain([Write::Link(Box::new(link))]).collect());
        }
        if let Some(contact) = contact {
            link.settled = contact.version.clone();
            link.acked = contact.version.clone();
        }
        link.state = if lives { LinkState::Dormant } else { LinkState::Gone };
        link.remote_time = time;
        link.own_delete = rules::holds(Rule::OwnDelete);
        link.changed_at = self.now();
        link.seen = None;
        link.parked = None;
        Ok(vec![Write::Link(Box::new(link))])
    }

    async fn not_deleted(
        &mut self,
        part: Vec<Removal>,
        error: RemoteError,
        parts: &mut Vec<Vec<Removal>>,
    ) -> Result<(), EngineError> {
        if matches!(error, RemoteError::Lost { .. }) || ends_the_push(&error) {
            let mut unsent: Vec<Removal> = parts.drain(..).flatten().collect();
            if matches!(error, RemoteError::Lost { .. }) {
                self.waiting += part.len() as u64;
            } else {
                unsent.extend(part);
            }
            let writes = unsent.iter().map(|removal| self.close_intent(&removal.link, removal.marker)).collect();
            self.commit(writes, "taking back what was not sent").await?;
            return Err(EngineError::Remote { doing: "deleting contacts", cause: error });
        }
        if part.len() > 1 {
            let (first, second) = halves(part);
            parts.push(second);
            parts.push(first);
            return Ok(());
        }
        for removal in part {
            let close = self.close_intent(&removal.link, removal.marker);
            self.commit(vec![close], "recording what was not deleted").await?;
            let contact = removal.link.contact.map_or_else(|| removal.remote.to_string(), |id| id.to_string());
            self.fail(contact, format!("Google refuses to delete it: {error}"));
        }
        Ok(())
    }
}
