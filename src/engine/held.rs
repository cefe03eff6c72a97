//! Fields that wait for a person.
//!
//! Under the policy `manual` a conflict holds its field as it is on each side: the base of the store keeps what the remote
//! says, nothing is carried over, and the other fields go on. The waiting conflict follows what both sides do to the field
//! meanwhile, and goes away when they come to agree. A person who decides edits the contact and closes the conflict; what
//! then differs from the base is pushed as any other edit. With the record it goes away too: one that is made in its place
//! is the store's, and says nothing that the store could be in conflict with.

use std::collections::{BTreeMap, BTreeSet};

use super::{Doing, EngineError, Run};
use crate::domain::conflict::Conflict;
use crate::domain::contact::{Card, Contact};
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::id::{ConflictId, ContactId, LinkId};
use crate::domain::link::{Link, LinkState};
use crate::domain::merge::FieldConflict;
use crate::domain::policy::Winner;
use crate::store::Write;

/// Fields that wait for a person, by contact.
pub(crate) type Held = BTreeMap<ContactId, BTreeSet<Field>>;

impl Run<'_> {
    /// Reads which fields wait.
    pub(crate) async fn held_fields(&mut self) -> Result<Held, EngineError> {
        let mut waiting = self.deps.store.open_conflicts(None).await.doing("reading conflicts")?;
        waiting.retain(|conflict| conflict.account == self.order.promise.account);
        let ids: BTreeSet<LinkId> = waiting.iter().map(|conflict| conflict.link).collect();
        let ids: Vec<LinkId> = ids.into_iter().collect();
        let mut without_record = self.deps.store.links(&ids).await.doing("reading the links of conflicts")?;
        without_record.retain(|link| link.base.is_none() || link.state == LinkState::Gone);
        let mut held = Held::new();
        let mut ended = Vec::new();
        self.conflicts.clear();
        for conflict in waiting {
            if let Some(link) = without_record.iter().find(|link| link.id == conflict.link) {
                ended.extend(self.end_conflict(link, conflict));
                continue;
            }
            held.entry(conflict.contact).or_default().insert(conflict.field.clone());
            self.conflicts.entry(conflict.contact).or_default().push(conflict);
        }
        self.commit(ended, "ending conflicts with records that are gone").await?;
        Ok(held)
    }

    /// Ends a conflict whose record is no more, and has the history remember what that one said last.
    fn end_conflict(&self, link: &Link, conflict: Conflict) -> Vec<Write> {
        let told = FieldConflict {
            field: conflict.field.clone(),
            base: conflict.base.clone(),
            store: conflict.store.clone(),
            remote: conflict.remote.clone(),
            winner: Winner::Store,
        };
        let record = link.remote.as_ref().or(link.former.as_ref().map(|former| &former.remote));
        let row = record.map(|record| self.trace_conflict(conflict.contact, record, told));
        let over = Write::Conflict(Box::new(Conflict { resolved: Some(self.now()), ..conflict }));
        row.into_iter().chain([over]).collect()
    }

    /// A conflict that waits for a person, as a row.
    pub(crate) fn hold(&self, link: &Link, contact: &Contact, conflict: &FieldConflict) -> Option<Conflict> {
        (conflict.winner == Winner::Hold).then(|| Conflict {
            id: ConflictId::new(self.now(), self.deps.entropy.next_u128()),
            contact: contact.id,
            link: link.id,
            account: link.account.clone(),
            field: conflict.field.clone(),
            base: conflict.base.clone(),
            store: conflict.store.clone(),
            remote: conflict.remote.clone(),
            policy: self.order.promise.policy_for(&conflict.field),
            since: self.now(),
            resolved: None,
        })
    }

    /// Brings the waiting conflicts of a contact up to date with what both sides hold by now: `card` the store, `base` the
    /// remote. Where they agree there is no conflict any more.
    pub(crate) fn follow_conflicts(&self, contact: ContactId, base: &Card, card: &Card) -> Vec<Write> {
        let waiting = self.conflicts.get(&contact).into_iter().flatten();
        let followed = waiting.filter_map(|conflict| {
            let mut followed = conflict.clone();
            followed.store = diff::field_value(card, &conflict.field);
            followed.remote = diff::field_value(base, &conflict.field);
            if !diff::changed_fields(base, card).contains(&conflict.field) {
                followed.resolved = Some(self.now());
            }
            (followed != *conflict).then(|| Write::Conflict(Box::new(followed)))
        });
        followed.collect()
    }
}

/// The card as it is carried to the remote: fields that wait for a person stay as they are in the base.
pub(crate) fn carried(contact: &Contact, base: &Card, held: &Held) -> Card {
    let mut card = contact.card.clone();
    for field in held.get(&contact.id).into_iter().flatten() {
        diff::copy_field(field, base, &mut card);
    }
    card
}
