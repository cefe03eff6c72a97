//! What guards promise: no run does more harm by itself than it may, what is parked stays as it is, and once a person
//! has let it through, it comes through.

use std::collections::BTreeSet;

use contactsync::domain::history::Action;
use contactsync::domain::id::{ContactId, RunId};
use contactsync::domain::pair::Limit;
use contactsync::engine::{Licence, Reach};
use contactsync::store::HistoryQuery;

use super::users::approvals;
use super::{Scenario, judge};

impl Scenario {
    /// People approve what is parked, after it was seen to wait. Answers whether there was any.
    pub(super) async fn approve_everything(&mut self) -> Result<bool, judge::Fault> {
        self.parked_stays().await?;
        let any = self.users.lock().await.approve_everything(&self.stage).await;
        self.take_users_log().await;
        Ok(any)
    }

    /// Another round at the same time neither changes anything nor forgets who parked what.
    async fn parked_stays(&mut self) -> Result<(), judge::Fault> {
        let before = self.waiting_for_approval().await;
        if before.is_empty() {
            return Ok(());
        }
        let (writes, feed) = (self.conductor.writes(), self.stage.store.feed_end().await.expect("the feed"));
        for account in 0..self.stage.promises.len() {
            self.sync(account, Reach::Incremental).await;
        }
        let after = self.waiting_for_approval().await;
        if before != after {
            return Err(("I13", format!("what is parked does not stay so: {before:?} becomes {after:?}")));
        }
        if self.conductor.writes() > writes || self.stage.store.feed_end().await.expect("the feed") > feed {
            return Err(("I13", "something changes while everything that is left to do is parked".to_owned()));
        }
        Ok(())
    }

    async fn waiting_for_approval(&self) -> Vec<String> {
        let mut waiting = Vec::new();
        for account in 0..self.stage.promises.len() {
            let links = approvals::parked(&self.stage, account).await;
            waiting.extend(links.iter().map(|link| format!("{} {:?}", link.id, link.parked)));
        }
        waiting
    }

    /// I13: no more contacts are deleted in the store by one run than the guard allows.
    pub(super) async fn check_limits(&self, account: usize, run: RunId, licence: &Licence) -> Option<judge::Fault> {
        let Limit::Absolute(most) = self.stage.promises[account].guard.max_deletes else { return None };
        if *licence != Licence::Guarded {
            return None;
        }
        let query = HistoryQuery { run: Some(run), ..HistoryQuery::default() };
        let rows = self.stage.store.history(&query).await.expect("history");
        let deleted: BTreeSet<ContactId> = rows
            .into_iter()
            .filter(|row| row.remote.is_none() && row.change.action == Action::Deleted)
            .map(|row| row.change.contact)
            .collect();
        let is_too_much = deleted.len() as u64 > most;
        is_too_much
            .then(|| ("I13", format!("a run of account {account} deletes {} contacts, of {most}", deleted.len())))
    }
}
