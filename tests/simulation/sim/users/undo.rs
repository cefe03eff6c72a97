//! Runs that people take back.

use contactsync::domain::contact::Contact;
use contactsync::domain::id::{ContactId, RunId};
use contactsync::engine::Licence;
use contactsync::store::HistoryQuery;

use super::Users;
use crate::sim::people::{owners, owners_of_card};
use crate::sim::stage::Stage;

/// How many of the last runs of an account people think of.
const LATELY: usize = 5;

impl Users {
    /// A run of an account has begun; people may take it back one day.
    pub fn heard_of(&mut self, account: usize, run: RunId) {
        self.runs.push((account, run));
    }

    /// Somebody takes back one of the last runs of an account; its next run carries that out.
    pub(super) async fn undo(&mut self, stage: &Stage, account: usize) {
        let of_account = self.runs.iter().rev().filter(|(of, _)| *of == account).map(|(_, run)| *run);
        let lately: Vec<RunId> = of_account.take(LATELY).collect();
        let Some(run) = self.tape.pick(&lately) else { return };
        let contacts = touched_by(stage, run).await;
        let owners: Vec<String> = contacts.iter().flat_map(|contact| owners_of_card(&contact.card)).collect();
        if contacts.is_empty() {
            return;
        }
        // Where the run had linked two people that look alike, the record is of the other one.
        for owner in owners_of_records(stage, &contacts).await {
            self.ledger.undone(&owner);
        }
        self.ledger.taken_back.extend(contacts.iter().map(|contact| contact.id));
        for owner in &owners {
            self.ledger.undone(owner);
        }
        self.note("undoes", format!("somebody takes back run {run} of account {account}, which was about {owners:?}"));
        self.licences.insert(account, Licence::Undoing(run));
    }

    /// The next run of an account takes back this one.
    pub fn takes_back(&mut self, account: usize, run: RunId) {
        self.note("undoes at rest", format!("somebody takes back run {run} of account {account}"));
        self.licences.insert(account, Licence::Undoing(run));
    }
}

/// Whom a run did something to.
async fn touched_by(stage: &Stage, run: RunId) -> Vec<Contact> {
    let query = HistoryQuery { run: Some(run), ..HistoryQuery::default() };
    let mut ids: Vec<_> =
        stage.store.history(&query).await.expect("history").iter().map(|row| row.change.contact).collect();
    ids.sort();
    ids.dedup();
    stage.store.contacts(&ids).await.expect("contacts")
}

/// Whom the records of these contacts are of.
async fn owners_of_records(stage: &Stage, contacts: &[Contact]) -> Vec<String> {
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    let mut found = Vec::new();
    for (account, promise) in stage.promises.iter().enumerate() {
        let links = stage.store.links_of_contacts(&promise.account, &ids).await.expect("links");
        let remotes = links.iter().filter_map(|link| link.remote.as_ref());
        found.extend(remotes.filter_map(|remote| stage.person(account, remote.as_str())).flat_map(|one| owners(&one)));
    }
    found
}
