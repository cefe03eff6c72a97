//! The photo of a record that is one too many. What was edited on such a record is folded into its contact before it is
//! deleted, and a photo is an edit as any other; but whether it is one shows only when it is looked at, which is done
//! right before the deletion.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::decide::{Sides, Verdict};
use super::{FETCHED_MAX, set_photo, value};
use crate::domain::contact::Contact;
use crate::domain::field::Field;
use crate::domain::history::Action;
use crate::domain::link::Link;
use crate::domain::merge::FieldConflict;
use crate::domain::pair::{Direction, Photos};
use crate::domain::policy::Winner;
use crate::engine::push::News;
use crate::engine::settle::is_folded_twin;
use crate::engine::{Doing, EngineError, Run};
use crate::store::{ContactWrite, Write};

impl Run<'_> {
    /// Whether a doubled record shows another photo than is known of it.
    pub(crate) fn has_photo_to_fold(&self, twin: &Link) -> bool {
        let travels = self.order.promise.photos == Photos::Travel && self.pulls();
        let is_given_up = twin.photo.refused.as_ref().is_some_and(|refused| refused.theirs == twin.photo.shown);
        let is_news = twin.photo.shown != twin.photo.address && !is_given_up;
        let is_person = twin.base.as_ref().is_some_and(|base| base.store.as_person().is_some());
        travels && is_folded_twin(twin) && is_news && is_person
    }

    /// Looks at the photo of a doubled record and folds it into the contact of the link that it doubles. Some news when
    /// that is done: nothing stands in the way of its deletion any more.
    pub(crate) fn fold_photo<'r>(
        &'r mut self,
        twin: Link,
        original: &'r Link,
    ) -> BoxFuture<'r, Result<News, EngineError>> {
        self.fold_one_photo(twin, original).boxed()
    }

    async fn fold_one_photo(&mut self, twin: Link, original: &Link) -> Result<News, EngineError> {
        let ids: Vec<_> = original.contact.into_iter().collect();
        let contacts = self.deps.store.contacts(&ids).await.doing("reading contacts")?;
        let Some(contact) = contacts.into_iter().next() else { return Ok(News::None) };
        let Some(mut twin) = self.look_at_double(twin, &contact).await? else { return Ok(News::None) };
        // One of ours was on its way there, so it is ours, as with any other record.
        if let Some(sent) = twin.photo.sending.take()
            && sent.digest.is_some() == twin.photo.shown.is_some()
        {
            self.settle_trail(&mut twin, sent.digest);
            self.commit(vec![Write::Link(Box::new(twin))], "recording what became of a photo").await?;
            return Ok(News::Some);
        }
        let Some(sides) = Sides::of(&twin.photo, &contact) else { return Ok(News::None) };
        let mut writes = Vec::new();
        match sides.verdict(&twin.photo, false, Direction::TwoWay, || Winner::Store) {
            Verdict::Take => writes.push(self.folded_photo(&twin, contact, sides.theirs.clone(), None)),
            Verdict::Conflict(winner) => {
                let conflict = FieldConflict {
                    field: Field::Photo,
                    base: value(twin.photo.agreed.as_deref()),
                    store: value(sides.ours.as_deref()),
                    remote: value(sides.theirs.as_deref()),
                    winner,
                };
                writes.push(self.folded_photo(&twin, contact, sides.ours.clone(), Some(conflict)));
            }
            Verdict::Rest | Verdict::Agree | Verdict::Send | Verdict::Follow | Verdict::Return => {}
        }
        let is_folded = !writes.is_empty();
        self.settle_trail(&mut twin, sides.theirs);
        writes.push(Write::Link(Box::new(twin)));
        if self.commit_unless_moved(writes, "folding the photo of a doubled record").await? {
            self.summary.pulled.updated += u64::from(is_folded);
            return Ok(News::Some);
        }
        Ok(News::None)
    }

    /// Fetches what a doubled record shows, and what its photo was; `None` while that cannot be told.
    async fn look_at_double(&mut self, twin: Link, contact: &Contact) -> Result<Option<Link>, EngineError> {
        if self.traffic.fetched >= FETCHED_MAX {
            self.left_over += 1;
            return Ok(None);
        }
        self.traffic.fetched += 1;
        let id = twin.id;
        self.look(twin, contact).await?;
        let links = self.deps.store.links(&[id]).await.doing("reading a link")?;
        Ok(links.into_iter().next())
    }

    /// The write of a contact that has this photo after a doubled record was folded into it. It comes back, should it
    /// have been deleted: an edit outlives a deletion.
    fn folded_photo(
        &self,
        twin: &Link,
        mut contact: Contact,
        photo: Option<String>,
        conflict: Option<FieldConflict>,
    ) -> Write {
        let (expected, before) = (contact.version.clone(), contact.card.clone());
        let action = if contact.is_live() { Action::Edited } else { Action::Restored };
        set_photo(&mut contact.card, photo.as_deref());
        let after = contact.card.clone();
        self.touch(&mut contact, twin, &before, &after);
        contact.version.tick(&self.order.promise.replica);
        contact.updated = self.now();
        contact.deleted = None;
        let mut change = self.change(contact.id, action, &before, &contact.card);
        change.conflicts.extend(conflict);
        Write::Contact(Box::new(ContactWrite { contact, expected: Some(expected), change }))
    }
}
