//! What a person decides who is asked.

use std::collections::BTreeSet;

use contactsync::domain::id::ContactId;
use contactsync::domain::policy::Winner;

use super::Users;
use super::editing::editor;
use crate::sim::people::values_of_card;
use crate::sim::stage::Stage;

impl Users {
    /// A person decides every conflict that waits.
    pub async fn resolve_conflicts(&mut self, stage: &Stage) {
        for conflict in stage.store.open_conflicts(None).await.expect("conflicts") {
            let takes_store = self.tape.below(2) == 0;
            self.log.push(format!("somebody decides {}: the store's value: {takes_store}", conflict.field));
            let before = values_of_contact(stage, conflict.contact).await;
            let winner = if takes_store { Winner::Store } else { Winner::Remote };
            self.ledger.chosen(if takes_store { &conflict.store } else { &conflict.remote });
            editor(stage).resolve(&conflict, winner).await.expect("a conflict is decided");
            let after = values_of_contact(stage, conflict.contact).await;
            self.ledger.given_up.extend(before.difference(&after).cloned());
        }
    }
}

pub(super) async fn values_of_contact(stage: &Stage, id: ContactId) -> BTreeSet<String> {
    let contact = stage.store.contacts(&[id]).await.expect("contacts").pop();
    contact.map(|contact| values_of_card(&contact.card)).unwrap_or_default()
}
