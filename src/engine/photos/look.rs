//! Finds out what the photos of records are: by fetching what a new address leads to, and by asking what became of
//! uploads whose answer was lost.
//!
//! What is fetched is committed before anything is decided about it, photo by photo: decisions go out from stored state
//! alone, and a run that is cut off has lost nothing.

use super::{FETCHED_MAX, digest_of};
use crate::domain::contact::Contact;
use crate::domain::link::{Link, PhotoLook, PhotoTrail};
use crate::domain::photo::PhotoFile;
use crate::engine::{Doing, EngineError, Run};
use crate::remotes::{FRESHNESS_WINDOW, Fetched, Recovery, RemoteError};
use crate::store::Write;

/// Whether the next photo can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Answers,
    /// There is no use in asking it for more now.
    Silent,
}

/// What an address leads to, of those that a trail names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// What both sides agreed on; its digest is not known yet.
    Base(String),
    /// What the remote shows instead.
    Shown(String),
}

impl Run<'_> {
    /// Looks at every photo of which that is not known.
    pub(super) async fn look_at_photos(&mut self) -> Result<(), EngineError> {
        let mut after = None;
        while let Some(due) = self.photos_due(&mut after).await? {
            for (link, contact) in due {
                self.check_stop()?;
                if let Some(refusal) = link.photo.refusal(digest_of(&contact).as_deref()) {
                    let reason = refusal.reason.clone();
                    self.fail(contact.id, reason);
                    continue;
                }
                let Some(link) = self.find_out(link, &contact).await? else { continue };
                if target(&link.photo).is_none() {
                    continue;
                }
                if self.traffic.fetched >= FETCHED_MAX {
                    self.traffic.left += 1;
                    continue;
                }
                self.traffic.fetched += 1;
                if self.look(link, &contact).await? == Host::Silent {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Fetches what a trail names and remembers it.
    pub(super) async fn look(&mut self, mut link: Link, contact: &Contact) -> Result<Host, EngineError> {
        while let Some(target) = target(&link.photo) {
            let (Target::Base(address) | Target::Shown(address)) = &target;
            match self.deps.remote.download_photo(address).await {
                Ok(bytes) => {
                    let file = PhotoFile::of(bytes);
                    let digest = file.digest().to_string();
                    let mut writes = Vec::new();
                    match target {
                        Target::Base(_) => link.photo.served = Some(digest),
                        Target::Shown(address) => {
                            if link.photo.served.as_ref() != Some(&digest) {
                                writes.push(Write::Photo(file));
                            }
                            link.photo.looked = Some(PhotoLook { address, digest });
                        }
                    }
                    writes.push(Write::Link(Box::new(link.clone())));
                    self.commit(writes, "keeping a photo").await?;
                }
                Err(error) => return self.not_fetched(link, contact, &target, error).await,
            }
        }
        Ok(Host::Answers)
    }

    async fn not_fetched(
        &mut self,
        mut link: Link,
        contact: &Contact,
        target: &Target,
        error: RemoteError,
    ) -> Result<Host, EngineError> {
        let is_final = matches!(error, RemoteError::Missing { .. } | RemoteError::Refused { .. });
        match (target, error) {
            // What we sent ourselves may take a while to show.
            (Target::Base(_), _) if is_final && link.photo.shown == link.photo.address => Ok(Host::Answers),
            // It has another address by now, and what the former one led to cannot be told any more. It is most likely what
            // we sent ourselves, never looked at; that must not be taken for an edit.
            (Target::Base(_), _) if is_final => {
                link.photo.address.clone_from(&link.photo.shown);
                self.commit(vec![Write::Link(Box::new(link))], "following the address of a photo").await?;
                Ok(Host::Answers)
            }
            (_, RemoteError::Missing { .. }) => {
                self.fail(contact.id, "Google names a photo that it does not serve; the next run asks again");
                Ok(Host::Answers)
            }
            (_, RemoteError::Refused { message, .. }) => {
                let reason = format!("its photo in Google is not taken over: {message}");
                self.refuse_photo(link, contact, reason).await?;
                Ok(Host::Answers)
            }
            (_, error) if error.recovery() == Recovery::AskConsent => Err(error).doing("fetching a photo"),
            (_, error) => {
                self.left_over += 1;
                self.notice(format!("photos cannot be fetched now: {error}"));
                Ok(Host::Silent)
            }
        }
    }

    /// Asks what became of a photo that was sent and not answered. Returns the link, unless that is still open.
    async fn find_out(&mut self, link: Link, contact: &Contact) -> Result<Option<Link>, EngineError> {
        let (Some(sending), Some(remote)) = (link.photo.sending.clone(), link.remote.clone()) else {
            return Ok(Some(link));
        };
        let Fetched { records, unclear } = self.fetch(std::slice::from_ref(&remote)).await?;
        let Some(record) = records.into_values().next() else {
            if !unclear.contains(&remote) {
                self.suspect(&[link.id]).await?;
            }
            self.left_over += 1;
            return Ok(None);
        };
        let shown = self.deps.remote.codec().photo(&record.wire);
        let writes = self.observe_records(vec![record]).await?;
        self.commit(writes, "recording what became of a photo").await?;
        let links = self.deps.store.links(&[link.id]).await.doing("reading a link")?;
        let Some(mut link) = links.into_iter().next() else { return Ok(None) };
        match (&sending.digest, &shown) {
            (_, shown) if *shown == link.photo.address => {
                // It may land yet, and then over what is sent next.
                if self.age(sending.at) < FRESHNESS_WINDOW {
                    let brought = self.bring_back(&link).map(|link| Write::Link(Box::new(link)));
                    self.commit(brought.into_iter().collect(), "following the clock").await?;
                    self.left_over += 1;
                    return Ok(None);
                }
                link.photo.sending = None;
                self.commit(vec![Write::Link(Box::new(link.clone()))], "giving up a lost photo").await?;
            }
            // Whose photo it is cannot be told from its bytes. One of ours was on its way when the address changed, so it is
            // ours; taking it for somebody's edit would play our own photo back, compressed once more. Was it somebody's
            // after all, each side keeps its own until the next change.
            (Some(_), Some(_)) | (None, None) => self.note_sent(&mut link, contact, &sending.digest, shown).await?,
            // Somebody was there after us, or instead of us.
            (Some(_), None) | (None, Some(_)) => {
                link.photo.sending = None;
                self.commit(vec![Write::Link(Box::new(link.clone()))], "recording what became of a photo").await?;
            }
        }
        if !self.may_carry_photo(&link, contact) {
            self.left_over += 1;
            return Ok(None);
        }
        Ok(Some(link))
    }

    /// Looks at what was just sent, so that it is known when it comes back under another address. That it cannot be
    /// fetched yet matters little: the next run asks again.
    pub(super) async fn look_at_sent(&mut self, link: Link, contact: &Contact) -> Result<(), EngineError> {
        if matches!(target(&link.photo), Some(Target::Base(_))) {
            self.look(link, contact).await?;
        }
        Ok(())
    }
}

/// The address that has to be looked at next.
fn target(trail: &PhotoTrail) -> Option<Target> {
    if let (Some(address), None) = (&trail.address, &trail.served) {
        return Some(Target::Base(address.clone()));
    }
    let shown = trail.shown.as_ref().filter(|_| trail.shown != trail.address)?;
    let is_known = trail.looked.as_ref().is_some_and(|look| look.address == *shown);
    (!is_known).then(|| Target::Shown(shown.clone()))
}
