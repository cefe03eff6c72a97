//! A photo that somebody changed in Google while its contact was deleted in the store. An edit outlives a deletion, and a
//! photo is an edit as any other; that its address has changed is none. So the record is not deleted before what the
//! address leads to was looked at.

use super::digest_of;
use crate::domain::contact::Contact;
use crate::domain::history::Action;
use crate::domain::link::{Link, LinkState};
use crate::domain::pair::Photos;
use crate::domain::version::VersionVector;
use crate::engine::push::News;
use crate::engine::{EngineError, Run};
use crate::store::{ContactWrite, Write};

impl Run<'_> {
    /// Whether the record of a deleted contact shows a photo of which nothing is known yet, or has lost its own: the
    /// deletion waits until that is settled.
    pub(crate) fn waits_for_photo(&self, link: &Link, contact: &Contact) -> bool {
        let travels = self.order.promise.photos == Photos::Travel && self.pulls();
        let is_news = link.photo.shown != link.photo.address;
        let is_given_up = link.photo.refusal(digest_of(contact).as_deref()).is_some();
        let is_kept = link.state == LinkState::Bound && link.base.is_some() && link.remote.is_some();
        travels && is_news && is_kept && !is_given_up && contact.card.as_person().is_some() && !contact.is_live()
    }

    /// Brings a deleted contact back. Its photo is carried, and what else was edited is pushed, as those of any other.
    pub(super) async fn return_for_photo(&mut self, mut link: Link, mut contact: Contact) -> Result<News, EngineError> {
        let expected = contact.version.clone();
        contact.version.tick(&self.order.promise.replica);
        contact.deleted = None;
        contact.updated = self.now();
        let change = self.change(contact.id, Action::Restored, &contact.card, &contact.card);
        link.settled = VersionVector::new();
        let write = ContactWrite { contact, expected: Some(expected), change };
        let writes = vec![Write::Contact(Box::new(write)), Write::Link(Box::new(link))];
        if !self.commit_unless_moved(writes, "bringing a contact back for its photo").await? {
            return Ok(News::None);
        }
        self.summary.pulled.created += 1;
        Ok(News::Some)
    }
}
