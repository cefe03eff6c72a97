//! Carries out what was decided about a photo: into the contact, to the remote, or into the inbox of a person.
//!
//! What is about to be sent is committed before it is sent, and recorded after. A call whose answer is lost stays open
//! until `look` has found out what became of it.

use super::decide::Sides;
use super::{digest_of, set_photo, value};
use crate::domain::contact::Contact;
use crate::domain::diff::FieldChange;
use crate::domain::digest::Digest;
use crate::domain::field::Field;
use crate::domain::history::Action;
use crate::domain::link::{Link, ParkedWhy, PhotoSending, PhotoTrail};
use crate::domain::merge::FieldConflict;
use crate::domain::pair::Direction;
use crate::domain::photo::{self, PhotoFile};
use crate::domain::policy::Winner;
use crate::engine::push::News;
use crate::engine::settle::acknowledged;
use crate::engine::{Doing, EngineError, Run};
use crate::remotes::{Record, Recovery, RemoteError, WriteKind};
use crate::store::{ContactWrite, StoreError, Write};

/// What a call about a photo is, in the words of a failure.
const CHANGING: &str = "changing a photo";

impl Run<'_> {
    /// Remembers that both sides have the same photo.
    pub(super) async fn agree_on_photo(
        &mut self,
        mut link: Link,
        contact: &Contact,
        sides: &Sides,
    ) -> Result<News, EngineError> {
        let mut writes = self.close_photo_conflict(contact, sides);
        self.settle_trail(&mut link, digest_of(contact));
        writes.push(Write::Link(Box::new(link)));
        self.commit(writes, "agreeing on a photo").await?;
        // The deletion of the record waited for that.
        Ok(if contact.is_live() { News::None } else { News::Some })
    }

    /// Gives the contact the remote's photo.
    pub(super) async fn take_photo(
        &mut self,
        mut link: Link,
        mut contact: Contact,
        sides: &Sides,
        conflicts: Vec<FieldConflict>,
        harm: Vec<Write>,
    ) -> Result<News, EngineError> {
        let (count, is_new) = (conflicts.len() as u64, self.newborn.contains(&contact.id));
        let before = contact.clone();
        set_photo(&mut contact.card, sides.theirs.as_deref());
        let card = contact.card.clone();
        self.touch(&mut contact, &link, &before.card, &card);
        let mut writes = self.close_photo_conflict(&contact, sides);
        writes.extend(harm);
        writes.push(self.pulled_photo(&mut link, &mut contact, &before, conflicts));
        self.settle_trail(&mut link, sides.theirs.clone());
        writes.push(Write::Link(Box::new(link)));
        if self.commit_unless_moved(writes, "taking a photo over").await? {
            self.summary.pulled.updated += u64::from(!is_new);
            self.summary.conflicts += count;
        }
        Ok(News::None)
    }

    /// Both sides changed the photo: the one that wins is carried, the other one goes into the history.
    pub(super) async fn settle_photo_conflict(
        &mut self,
        mut link: Link,
        mut contact: Contact,
        sides: &Sides,
        winner: Winner,
        harm: Vec<Write>,
    ) -> Result<News, EngineError> {
        let conflict = FieldConflict {
            field: Field::Photo,
            base: value(link.photo.agreed.as_deref()),
            store: value(sides.ours.as_deref()),
            remote: value(sides.theirs.as_deref()),
            winner,
        };
        if winner == Winner::Remote {
            return self.take_photo(link, contact, sides, vec![conflict], harm).await;
        }
        let before = contact.clone();
        let mut writes: Vec<Write> =
            self.hold(&link, &contact, &conflict).map(|held| Write::Conflict(Box::new(held))).into_iter().collect();
        writes.push(self.pulled_photo(&mut link, &mut contact, &before, vec![conflict]));
        // What the remote has is known and lost, or waits: from now on only the store differs from the base.
        self.settle_trail(&mut link, sides.theirs.clone());
        writes.push(Write::Link(Box::new(link.clone())));
        if !self.commit_unless_moved(writes, "recording a conflict over a photo").await? {
            return Ok(News::None);
        }
        self.summary.conflicts += 1;
        if winner == Winner::Store && self.order.promise.direction != Direction::FromRemote {
            link.photo.shown = self.shown_photo(&link);
            return self.send_unless_preview(link, contact, sides, harm).await;
        }
        Ok(News::None)
    }

    /// Brings a conflict that waits for a person up to date with what the remote has by now.
    pub(super) async fn follow_photo_conflict(
        &mut self,
        mut link: Link,
        contact: &Contact,
        sides: &Sides,
    ) -> Result<News, EngineError> {
        let waiting = self.conflicts.get(&contact.id).into_iter().flatten();
        let mut writes: Vec<Write> = waiting
            .filter(|conflict| conflict.field == Field::Photo)
            .map(|conflict| {
                let mut followed = conflict.clone();
                followed.store = value(sides.ours.as_deref());
                followed.remote = value(sides.theirs.as_deref());
                Write::Conflict(Box::new(followed))
            })
            .collect();
        self.settle_trail(&mut link, sides.theirs.clone());
        writes.push(Write::Link(Box::new(link)));
        self.commit(writes, "following a conflict over a photo").await?;
        Ok(News::None)
    }

    /// Sends the contact's photo, or its absence, to the remote.
    pub(super) async fn send_photo(
        &mut self,
        mut link: Link,
        contact: Contact,
        sides: &Sides,
        harm: Vec<Write>,
    ) -> Result<News, EngineError> {
        let Some(remote) = link.remote.clone() else { return Ok(News::None) };
        let file = match &sides.ours {
            None => None,
            Some(digest) => match self.photo_to_send(digest).await? {
                Ok(file) => Some(file),
                Err(reason) => {
                    self.refuse_photo(link, &contact, format!("its photo is not sent to Google: {reason}")).await?;
                    return Ok(News::None);
                }
            },
        };
        self.deps.remote.make_ready(WriteKind::Photo, 1).await.doing("waiting to change a photo")?;
        // What is there now is known and will be overwritten: whatever is found there later is ours, or came after us.
        self.settle_trail(&mut link, sides.theirs.clone());
        link.photo.sending = Some(PhotoSending { digest: sides.ours.clone(), at: self.now() });
        self.commit(vec![Write::Link(Box::new(link.clone()))], "recording that a photo is about to be changed").await?;
        let answer = match &file {
            Some(file) => self.deps.remote.put_photo(&remote, file.bytes()).await,
            None => self.deps.remote.remove_photo(&remote).await,
        };
        match answer {
            Ok(record) => self.photo_sent(link, &contact, sides, record, harm).await,
            Err(error) => self.photo_not_sent(link, &contact, error).await,
        }
    }

    /// The photo of this digest, or one sentence about why it cannot travel.
    async fn photo_to_send(&self, digest: &str) -> Result<Result<PhotoFile, String>, EngineError> {
        let Ok(digest) = digest.parse::<Digest>() else {
            return Ok(Err("the contact names a photo by what is no digest".to_owned()));
        };
        let Some(file) = self.deps.store.photo(&digest).await.doing("reading a photo")? else {
            return Ok(Err("the store does not have it; set it anew with `contactsync person edit`".to_owned()));
        };
        Ok(match photo::check(file.bytes()) {
            Ok(_) => Ok(file),
            Err(error) => Err(error.to_string()),
        })
    }

    async fn photo_sent(
        &mut self,
        link: Link,
        contact: &Contact,
        sides: &Sides,
        record: Record,
        harm: Vec<Write>,
    ) -> Result<News, EngineError> {
        let shown = self.deps.remote.codec().photo(&record.wire);
        let mut writes = self.observe_records(vec![record]).await?;
        writes.extend(harm);
        self.commit(writes, "recording the answer about a photo").await?;
        let links = self.deps.store.links(&[link.id]).await.doing("reading a link")?;
        let Some(mut link) = links.into_iter().next() else { return Ok(News::None) };
        self.note_sent(&mut link, contact, &sides.ours, shown).await?;
        let news = if link.seen.is_some() { News::Some } else { News::None };
        self.look_at_sent(link, contact).await?;
        Ok(news)
    }

    /// Records that the remote has the photo that was sent, under this address.
    pub(super) async fn note_sent(
        &mut self,
        link: &mut Link,
        contact: &Contact,
        sent: &Option<String>,
        address: Option<String>,
    ) -> Result<(), EngineError> {
        let (before, after) = (value(link.photo.agreed.as_deref()), value(sent.as_deref()));
        let change = FieldChange { field: Field::Photo, before, after };
        let mut writes = Vec::new();
        if let Some(record) = &link.remote {
            writes.push(self.trace(contact.id, record, Action::Edited, vec![change]));
        }
        *link.photo = PhotoTrail {
            agreed: sent.clone(),
            address,
            served: None,
            shown: self.shown_photo(link),
            looked: None,
            sending: None,
            refused: None,
        };
        if let Some(base) = &mut link.base {
            set_photo(&mut base.store, sent.as_deref());
        }
        release(link);
        writes.push(Write::Link(Box::new(link.clone())));
        self.commit(writes, "recording that a photo was changed").await?;
        if !self.made.contains(&link.id) {
            self.summary.pushed.updated += 1;
        }
        Ok(())
    }

    async fn photo_not_sent(
        &mut self,
        mut link: Link,
        contact: &Contact,
        error: RemoteError,
    ) -> Result<News, EngineError> {
        if let RemoteError::Lost { .. } = error {
            self.left_over += 1;
            return Err(error).doing(CHANGING);
        }
        link.photo.sending = None;
        if matches!(error.recovery(), Recovery::RetryAfter(_) | Recovery::AskConsent) {
            self.commit(vec![Write::Link(Box::new(link))], "taking back a photo that was not sent").await?;
            return Err(error).doing(CHANGING);
        }
        if let RemoteError::Missing { .. } = error {
            let id = link.id;
            self.commit(vec![Write::Link(Box::new(link))], "taking back a photo that was not sent").await?;
            self.suspect(&[id]).await?;
            return Ok(News::Some);
        }
        let reason = match error {
            RemoteError::Refused { message, .. } => message,
            other => other.to_string(),
        };
        self.refuse_photo(link, contact, format!("Google refuses its photo: {reason}")).await?;
        Ok(News::None)
    }

    /// The write of a contact for something that was pulled about its photo; brings the link along, so that the record has
    /// seen what comes from it.
    fn pulled_photo(
        &self,
        link: &mut Link,
        contact: &mut Contact,
        before: &Contact,
        conflicts: Vec<FieldConflict>,
    ) -> Write {
        let (expected, replica) = (before.version.clone(), &self.order.promise.replica);
        contact.version.tick(replica);
        contact.updated = self.now();
        let knew_all = expected.is_within(&link.acked);
        link.acked = if knew_all { contact.version.clone() } else { acknowledged(&link.acked, contact, replica) };
        if link.settled == expected {
            link.settled = contact.version.clone();
        }
        let mut change = self.change(contact.id, Action::Edited, &before.card, &contact.card);
        change.conflicts = conflicts;
        Write::Contact(Box::new(ContactWrite { contact: contact.clone(), expected: Some(expected), change }))
    }

    /// Both sides agree on the photo that the contact knows by this digest, where the remote shows it now.
    pub(super) fn settle_trail(&self, link: &mut Link, agreed: Option<String>) {
        let shown = self.shown_photo(link);
        let trail = &mut link.photo;
        let looked = trail.looked.take().filter(|look| Some(&look.address) == shown.as_ref());
        trail.served = match (&shown, looked) {
            (None, _) => None,
            (Some(_), Some(look)) => Some(look.digest),
            (Some(_), None) => trail.served.take(),
        };
        trail.address.clone_from(&shown);
        trail.shown = shown;
        trail.agreed.clone_from(&agreed);
        trail.refused = None;
        if let Some(base) = &mut link.base {
            set_photo(&mut base.store, agreed.as_deref());
        }
        release(link);
    }

    /// The write that closes a conflict over which both sides have come to agree.
    fn close_photo_conflict(&self, contact: &Contact, sides: &Sides) -> Vec<Write> {
        let waiting = self.conflicts.get(&contact.id).into_iter().flatten();
        let over_photo = waiting.filter(|conflict| conflict.field == Field::Photo);
        over_photo
            .map(|conflict| {
                let mut closed = conflict.clone();
                closed.store = value(digest_of(contact).as_deref());
                closed.remote = value(sides.theirs.as_deref());
                closed.resolved = Some(self.now());
                Write::Conflict(Box::new(closed))
            })
            .collect()
    }

    /// Commits; `false` when somebody edited the contact meanwhile, which the next run looks at.
    pub(super) async fn commit_unless_moved(
        &mut self,
        writes: Vec<Write>,
        doing: &'static str,
    ) -> Result<bool, EngineError> {
        match self.try_commit(writes).await {
            Err(StoreError::Moved { .. }) => {
                self.left_over += 1;
                Ok(false)
            }
            other => other.map(|()| true).doing(doing),
        }
    }
}

/// What the guard held back about the photo is done, or no longer to be done.
fn release(link: &mut Link) {
    link.parked = link.parked.take().filter(|parked| parked.why != ParkedWhy::Guard);
}
