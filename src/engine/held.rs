//! Fields that wait for a person.
//!
//! Under the policy `manual` a conflict holds its field as it is on each side: the base of the store keeps what the remote
//! says, nothing is carried over, and the other fields go on. The waiting conflict follows what both sides do to the field
//! meanwhile, and goes away when they come to agree. A person who decides edits the contact and closes the conflict; what
//! then differs from the base is pushed as any other edit.

use std::collections::{BTreeMap, BTreeSet};

use super::{Doing, EngineError, Run};
use crate::domain::conflict::Conflict;
use crate::domain::contact::{Card, Contact};
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::id::{ConflictId, ContactId};
use crate::domain::link::Link;
use crate::domain::merge::FieldConflict;
use crate::domain::policy::Winner;
use crate::store::Write;

/// Fields that wait for a person, by contact.
pub(crate) type Held = BTreeMap<ContactId, BTreeSet<Field>>;

impl Run<'_> {
    /// Reads which fields wait.
    pub(crate) async fn held_fields(&mut self) -> Result<Held, EngineError> {
        let account = &self.order.promise.account;
        let mut held = Held::new();
        self.conflicts.clear();
        for conflict in self.deps.store.open_conflicts(None).await.doing("reading conflicts")? {
            if conflict.account == *account {
                held.entry(conflict.contact).or_default().insert(conflict.field.clone());
                self.conflicts.entry(conflict.contact).or_default().push(conflict);
            }
        }
        Ok(held)
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
