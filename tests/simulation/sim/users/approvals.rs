//! What people let through that a guard has parked.

use std::collections::BTreeSet;

use contactsync::domain::id::RunId;
use contactsync::domain::link::{Link, ParkedWhy};
use contactsync::engine::Licence;

use super::Users;
use crate::sim::stage::Stage;

impl Users {
    /// Somebody approves what a run has parked, and those before it; the next run of the account carries it out.
    pub(super) async fn approve(&mut self, stage: &Stage, account: usize) {
        let mut runs: Vec<RunId> = runs_that_parked(stage, account).await.into_iter().collect();
        runs.reverse();
        let Some(run) = self.tape.pick(&runs) else { return };
        self.note("approves", format!("somebody approves what run {run} of account {account} has parked"));
        self.licences.insert(account, Licence::Approved(run));
    }

    /// Somebody approves everything that guards have parked. Answers whether there was any.
    pub async fn approve_everything(&mut self, stage: &Stage) -> bool {
        for account in 0..stage.promises.len() {
            let newest = runs_that_parked(stage, account).await.pop_last();
            self.licences.extend(newest.map(|run| (account, Licence::Approved(run))));
        }
        if !self.licences.is_empty() {
            self.note("approves all", "somebody approves everything that is parked".to_owned());
        }
        !self.licences.is_empty()
    }

    /// What a person has let through for the next run of an account.
    pub fn take_licence(&mut self, account: usize) -> Licence {
        self.licences.remove(&account).unwrap_or_default()
    }

    /// Whether the next run of an account is to carry out something in particular, and leaves the rest to the one after it.
    pub fn has_licence(&self, account: usize) -> bool {
        self.licences.contains_key(&account)
    }
}

/// The links that a guard holds back in an account.
pub async fn parked(stage: &Stage, account: usize) -> Vec<Link> {
    let name = &stage.promises[account].account;
    let mut ids = stage.store.unsettled_links(name, None, 1000).await.expect("links");
    ids.extend(stage.store.photo_links(name, None, 1000).await.expect("links"));
    ids.sort();
    ids.dedup();
    let mut links = stage.store.links(&ids).await.expect("links");
    links.retain(|link| link.parked.as_ref().is_some_and(|parked| parked.why == ParkedWhy::Guard));
    links
}

async fn runs_that_parked(stage: &Stage, account: usize) -> BTreeSet<RunId> {
    parked(stage, account).await.into_iter().filter_map(|link| link.parked?.run).collect()
}
