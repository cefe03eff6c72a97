//! Two contacts of the store that people make one.

use std::collections::BTreeSet;

use contactsync::contacts::merge::MergeRequest;
use contactsync::domain::contact::Kind;
use contactsync::store::DeletedContacts;

use super::Users;
use super::editing::{Edit, carry_out};
use crate::sim::people::{owners_of_card, values_of_card};
use crate::sim::stage::Stage;

impl Users {
    /// Somebody makes two persons one.
    pub(super) async fn merge_in_store(&mut self, stage: &Stage) {
        let Some(keep) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(other) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        if keep.id == other.id {
            return;
        }
        let (kept, gone) = (owners_of_card(&keep.card), owners_of_card(&other.card));
        // An edit in Google of the one that went outlives it, and the two are two again.
        for owner in kept.iter().chain(&gone) {
            self.ledger.blurred(owner);
            self.ledger.deleted(owner, values_of_card(&other.card));
        }
        self.note("store merges", format!("store merges {gone:?} into {kept:?}"));
        let (from_other, home) = (BTreeSet::new(), None);
        let request = MergeRequest { kind: Kind::Person, keep: keep.id, other: other.id, from_other, home };
        carry_out(stage, Edit::Merge(request)).await;
    }
}
