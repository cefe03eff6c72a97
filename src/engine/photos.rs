//! Step 8: photos, beside the records.
//!
//! A photo does not travel with its record: each way it is a call of its own, and the remote makes other bytes of what it
//! is sent. So it has a base of its own in the link (see [`crate::domain::link::PhotoTrail`]) and is carried after the
//! records. The store tells which links may differ, so a run without news of photos makes no call.
//!
//! 1. `look`: what a changed address leads to is fetched and remembered by its digest. Another address with the same
//!    bytes is no edit. What became of an upload whose answer was lost is found out first.
//! 2. `decide`: from the digests on both sides follows, purely, what is to be done: as for any other single value.
//! 3. The guard has its say, and records whose photo is to be replaced are read once more.
//! 4. `carry`: the contact takes the remote's photo, or the remote is sent the contact's.
//!
//! The photo of one contact that cannot be carried is told and left alone until it changes; nothing else waits for it.
//! Before a record is deleted, what somebody made of its photo is looked at: in `outlived` because its contact was deleted,
//! in `doubled` because it is one too many.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::execute::is_later;
use super::guard::{Barred, Tally};
use super::held::Held;
use super::licence::Ruling;
use super::operation::{Operation, Side};
use super::push::News;
use super::{CHUNK, Doing, EngineError, Licence, Purpose, Run};
use crate::domain::contact::{Contact, Photo};
use crate::domain::field::Field;
use crate::domain::harm::LetBy;
use crate::domain::id::{ContactId, LinkId, RemoteId};
use crate::domain::link::{Certainty, Link, LinkState, ParkedWhy, PhotoRefusal, Sighting};
use crate::domain::pair::Photos;
use crate::remotes::Record;
use crate::store::Write;

mod carry;
mod decide;
mod doubled;
mod look;
mod outlived;

use decide::{Sides, Verdict};

/// How many photos a run sends; at one call each this is some minutes. The others wait for the next run, behind whatever
/// people have edited by then.
const SENT_MAX: u64 = 200;
/// How many photos a run fetches.
const FETCHED_MAX: u64 = 500;

/// How many photos a run has carried, and how many are left to the next one.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    sent: u64,
    fetched: u64,
    left: u64,
}

impl Run<'_> {
    /// Makes the photos of both sides equal. It lives on the heap: most runs have no use for the room that it takes, and
    /// a thread's stack is small.
    pub(crate) fn carry_photos(&mut self) -> BoxFuture<'_, Result<News, EngineError>> {
        Box::pin(self.carry_all_photos())
    }

    async fn carry_all_photos(&mut self) -> Result<News, EngineError> {
        if self.order.promise.photos == Photos::Stay {
            return self.let_go_of_photos().await;
        }
        self.traffic.left = 0;
        self.look_at_photos().boxed().await?;
        let held = self.held_fields().await?;
        let mut tally = Tally::default();
        let mut sent = Vec::new();
        let mut after = None;
        while let Some(due) = self.photos_due(&mut after).await? {
            for (link, contact) in &due {
                let (verdict, sides) = self.verdict_on_photo(link, contact, &held);
                let operations = self.operations_of_photo(link, contact, &verdict, &sides);
                if !self.newborn.contains(&contact.id) {
                    operations.iter().for_each(|operation| tally.count(operation));
                }
                if let Some(remote) = &link.remote
                    && operations.iter().any(|operation| operation.side == Side::Remote)
                {
                    sent.push((remote.clone(), operations));
                }
            }
        }
        let barred = self.bar(&tally).await?;
        // What the guard stops is not sent, unless a person lets it through.
        let is_guarded = *self.order.licence == Licence::Guarded;
        sent.retain(|(_, operations)| !(is_guarded && operations.iter().any(|operation| barred.stops(operation))));
        let sent: Vec<RemoteId> = sent.into_iter().map(|(remote, _)| remote).collect();
        let mut news = self.read_before_sending(&sent).boxed().await?;
        let mut after = None;
        while let Some(due) = self.photos_due(&mut after).await? {
            for (link, contact) in due {
                self.check_stop()?;
                news = news.or(self.carry_photo(link, contact, &held, &barred).boxed().await?);
            }
        }
        let left = self.traffic.left;
        if left > 0 {
            self.left_over += left;
            self.notice(format!("{} are left for the next run", photos(left)));
        }
        Ok(news)
    }

    /// Where photos stay, none waits for a person any more.
    async fn let_go_of_photos(&mut self) -> Result<News, EngineError> {
        let account = self.order.promise.account.clone();
        if self.deps.store.link_counts(&account).await.doing("counting links")?.parked == 0 {
            return Ok(News::None);
        }
        let mut after = None;
        while let Some(due) = self.photos_due(&mut after).await? {
            let waiting = due.into_iter().filter(|(link, contact)| {
                link.is_settled(Some(&contact.version))
                    && link.parked.as_ref().is_some_and(|parked| parked.why == ParkedWhy::Guard)
            });
            let released = waiting.map(|(mut link, _)| {
                link.parked = None;
                Write::Link(Box::new(link))
            });
            self.commit(released.collect(), "letting go of photos").await?;
        }
        Ok(News::None)
    }

    /// Reads records directly whose photos are about to be replaced: the call that does it takes no condition, and a listing
    /// may be minutes late. What has changed is merged first.
    async fn read_before_sending(&mut self, records: &[RemoteId]) -> Result<News, EngineError> {
        if self.order.purpose == Purpose::Preview || records.is_empty() {
            return Ok(News::None);
        }
        let most = usize::try_from(SENT_MAX).unwrap_or(usize::MAX);
        let read = self.fetch(&records[..records.len().min(most)]).await?.records;
        let ids: Vec<RemoteId> = read.keys().cloned().collect();
        let account = self.order.promise.account.clone();
        let links = self.deps.store.links_of_remotes(&account, &ids).await.doing("reading links")?;
        let known: BTreeMap<RemoteId, Link> = links.into_iter().collect();
        let is_news = |(id, record): &(RemoteId, Record)| known.get(id).is_some_and(|link| is_later(record, link));
        let newer: Vec<Record> = read.into_iter().filter(is_news).map(|(_, record)| record).collect();
        if newer.is_empty() {
            return Ok(News::None);
        }
        let writes = self.observe_records(newer).await?;
        self.commit(writes, "recording what changed meanwhile").await?;
        Ok(News::Some)
    }

    /// Links that may differ in their photos and can be worked on, with their contacts.
    async fn photos_due(&self, after: &mut Option<LinkId>) -> Result<Option<Vec<(Link, Contact)>>, EngineError> {
        let (store, account) = (self.deps.store, &self.order.promise.account);
        loop {
            let ids = store.photo_links(account, *after, CHUNK).await.doing("reading which photos are due")?;
            let Some(last) = ids.last() else { return Ok(None) };
            *after = Some(*last);
            let links = store.links(&ids).await.doing("reading links")?;
            let contacts: BTreeMap<ContactId, Contact> = self.contacts_of(&links).await?;
            let due: Vec<(Link, Contact)> = links
                .into_iter()
                .filter_map(|link| {
                    let contact = contacts.get(&link.contact?)?.clone();
                    self.may_carry_photo(&link, &contact).then_some((link, contact))
                })
                .collect();
            if !due.is_empty() {
                return Ok(Some(due));
            }
        }
    }

    /// Whether contact and record are kept equal, or were until the contact was deleted, and nothing about the record itself
    /// is open.
    fn may_carry_photo(&self, link: &Link, contact: &Contact) -> bool {
        let is_open = link.seen.is_some() || self.intents.contains_key(&link.id);
        let is_kept = link.state == LinkState::Bound && link.base.is_some() && link.remote.is_some();
        let is_due = contact.is_live() || self.waits_for_photo(link, contact);
        is_kept && !is_open && is_due && contact.card.as_person().is_some()
    }

    /// The address of the photo that the remote is known to show now. Only persons have photos.
    pub(crate) fn shown_photo(&self, link: &Link) -> Option<String> {
        let base = link.base.as_ref()?;
        base.store.as_person()?;
        let wire = match &link.seen {
            Some(Sighting::Present { wire, .. }) => wire,
            // What was sent says nothing of a photo.
            Some(Sighting::Suspect { .. } | Sighting::Gone { .. }) | None if base.certainty == Certainty::Sent => {
                return link.photo.shown.clone();
            }
            Some(Sighting::Suspect { .. } | Sighting::Gone { .. }) | None => &base.remote,
        };
        self.deps.remote.codec().photo(wire)
    }

    /// Carries one photo, if the guard and whoever gave the licence agree.
    async fn carry_photo(
        &mut self,
        link: Link,
        contact: Contact,
        held: &Held,
        barred: &Barred,
    ) -> Result<News, EngineError> {
        let (verdict, sides) = self.verdict_on_photo(&link, &contact, held);
        let operations = self.operations_of_photo(&link, &contact, &verdict, &sides);
        let let_by = match self.ruling_on_photo(&link, &contact, &operations, barred) {
            Ruling::Go(let_by) => let_by,
            Ruling::Leave => return Ok(News::None),
            Ruling::Park => {
                let is_held_back = self.held_back.contains(&link.id);
                let settled = self.park_for_guard(link, operations);
                // A link waits for one approval at a time. Were the photo to take its place, each run would take it anew, and
                // nobody could ever approve either.
                if !is_held_back {
                    self.commit(settled.writes, "parking what the guard stopped").await?;
                }
                settled.operations.into_iter().for_each(|operation| self.record(operation));
                return Ok(News::None);
            }
        };
        let is_new = self.newborn.contains(&contact.id);
        let harm = if is_new { Vec::new() } else { self.harm_of(&operations, let_by) };
        operations.into_iter().for_each(|operation| self.record(operation));
        match verdict {
            Verdict::Rest => Ok(News::None),
            Verdict::Agree => self.agree_on_photo(link, &contact, &sides).await,
            Verdict::Take => self.take_photo(link, contact, &sides, Vec::new(), harm).await,
            Verdict::Send => self.send_unless_preview(link, contact, &sides, harm).await,
            Verdict::Conflict(winner) => self.settle_photo_conflict(link, contact, &sides, winner, harm).await,
            Verdict::Follow => self.follow_photo_conflict(link, &contact, &sides).await,
            Verdict::Return => self.return_for_photo(link, contact).await,
        }
    }

    /// The photo of a contact that this very run has made comes along with it and harms nobody; a plan that a person has
    /// seen is a plan all the same.
    fn ruling_on_photo(&mut self, link: &Link, contact: &Contact, operations: &[Operation], barred: &Barred) -> Ruling {
        let is_new = self.newborn.contains(&contact.id);
        match self.order.licence {
            Licence::Guarded | Licence::Approved(_) if is_new => Ruling::Go(LetBy::Guard),
            _ => self.ruling(link, operations, barred),
        }
    }

    /// A person who only looks is shown what would be sent.
    async fn send_unless_preview(
        &mut self,
        link: Link,
        contact: Contact,
        sides: &Sides,
        harm: Vec<Write>,
    ) -> Result<News, EngineError> {
        if self.order.purpose == Purpose::Preview {
            return Ok(News::None);
        }
        if self.traffic.sent >= SENT_MAX {
            self.traffic.left += 1;
            return Ok(News::None);
        }
        self.traffic.sent += 1;
        self.send_photo(link, contact, sides, harm).await
    }

    /// Leaves a photo alone until it changes on either side, and tells why.
    async fn refuse_photo(&mut self, mut link: Link, contact: &Contact, reason: String) -> Result<(), EngineError> {
        self.fail(contact.id, reason.clone());
        link.photo.sending = None;
        link.photo.refused = Some(PhotoRefusal { ours: digest_of(contact), theirs: self.shown_photo(&link), reason });
        self.commit(vec![Write::Link(Box::new(link))], "recording a refused photo").await
    }
}

/// The digest of the contact's photo.
fn digest_of(contact: &Contact) -> Option<String> {
    contact.card.photo().map(|photo| photo.digest.clone())
}

/// A photo as plans, history and conflicts write it.
fn value(digest: Option<&str>) -> serde_json::Value {
    digest.map_or(serde_json::Value::Null, |digest| serde_json::json!({ "digest": digest }))
}

fn set_photo(card: &mut crate::domain::contact::Card, digest: Option<&str>) {
    if let Some(person) = card.as_person_mut() {
        person.photo = digest.map(|digest| Photo { digest: digest.to_owned() });
    }
}

fn waits_for_a_person(contact: &Contact, held: &Held) -> bool {
    held.get(&contact.id).is_some_and(|fields| fields.contains(&Field::Photo))
}

fn photos(count: u64) -> String {
    format!("{count} photo{}", if count == 1 { "" } else { "s" })
}
