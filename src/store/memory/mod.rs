//! The store in memory: for simulations, and for looking at what a run would do.
//!
//! It does what the SQLite store does, on ordered maps behind one lock, and nothing it does waits. Where the database
//! has an index or a key, there is a map here; `draft` keeps them in step and undoes a commit that is refused.

mod draft;
mod entry;
mod find;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::draft::Draft;
use self::state::State;
use super::lease::LeaseRow;
use super::marker::Minted;
use super::{
    Commit, Committed, ContactQuery, EntryHistoryQuery, EntryQuery, Fence, HistoryQuery, LeaseAnswer, LeaseRequest,
    LinkCounts, SealedGrant, Store, StoreError, StoreIdentity, Stranger,
};
use crate::clock::Entropy;
use crate::domain::account::AccountState;
use crate::domain::answer::Answer;
use crate::domain::conflict::Conflict;
use crate::domain::contact::Contact;
use crate::domain::digest::Digest;
use crate::domain::entry::{Entry, RecordedEntryChange};
use crate::domain::filter::SavedFilter;
use crate::domain::harm::HarmDone;
use crate::domain::history::{Actor, RecordedChange};
use crate::domain::id::{
    AccountName, ConflictId, ContactId, EntryId, Etag, GroupId, LinkId, LinkToken, Marker, RemoteId, RunId,
};
use crate::domain::link::{Link, LinkState};
use crate::domain::matching::MatchKey;
use crate::domain::outbox::{Intent, Sent};
use crate::domain::photo::PhotoFile;
use crate::domain::run::RunRecord;
use crate::domain::time::Timestamp;

/// The store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store, whose identity is drawn from `entropy`.
    pub fn new(entropy: &dyn Entropy) -> Self {
        MemoryStore { state: Mutex::new(State::new(StoreIdentity::draw(entropy))) }
    }

    /// A store of its own with all that this one holds now, leases and identity included.
    #[must_use]
    pub fn snapshot(&self) -> MemoryStore {
        MemoryStore { state: Mutex::new(self.state().clone()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked while holding the lock was inside this module; a refused commit is undone before it returns.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn identity(&self) -> Result<StoreIdentity, StoreError> {
        Ok(self.state().identity.clone())
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        Draft::run(&mut self.state(), commit)
    }

    async fn mint_markers(&self, count: u64, now: Timestamp) -> Result<Marker, StoreError> {
        let mut state = self.state();
        let minted = Minted::after(state.last_marker, count, now);
        state.last_marker = minted.last;
        Ok(Marker(minted.first))
    }

    async fn newest_marker(&self) -> Result<Marker, StoreError> {
        Ok(Marker(self.state().last_marker))
    }

    async fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>, StoreError> {
        let state = self.state();
        Ok(each_once(ids).into_iter().filter_map(|id| state.contacts.get(id).cloned()).collect())
    }

    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>, StoreError> {
        Ok(find::contacts(&self.state(), query))
    }

    async fn filter(&self, name: &str) -> Result<Option<SavedFilter>, StoreError> {
        Ok(self.state().filters.get(name).cloned())
    }

    async fn filters(&self) -> Result<Vec<SavedFilter>, StoreError> {
        Ok(self.state().filters.values().cloned().collect())
    }

    async fn contacts_with_keys(&self, keys: &BTreeSet<MatchKey>) -> Result<Vec<(MatchKey, ContactId)>, StoreError> {
        Ok(find::with_keys(&self.state(), keys))
    }

    async fn people_counts(&self, organizations: &[ContactId]) -> Result<BTreeMap<ContactId, u64>, StoreError> {
        Ok(find::people_counts(&self.state(), organizations))
    }

    async fn changed_contacts(&self, after: u64, limit: u32) -> Result<Vec<(ContactId, u64)>, StoreError> {
        let state = self.state();
        let later = state.feed.range(after.saturating_add(1)..).map(|(place, contact)| (*contact, *place));
        Ok(later.take(limit as usize).collect())
    }

    async fn feed_end(&self) -> Result<u64, StoreError> {
        Ok(self.state().feed_end())
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<RecordedChange>, StoreError> {
        let state = self.state();
        let rows = state.changes.range(..query.before.unwrap_or(u64::MAX)).rev();
        let wanted = rows
            .filter(|(_, row)| query.contact.is_none_or(|contact| row.change.contact == contact))
            .filter(|(_, row)| query.run.is_none_or(|run| row.change.run == Some(run)))
            .filter(|(_, row)| query.import.is_none_or(|import| row.change.actor == Actor::Import { import }))
            .map(|(_, row)| row.clone());
        Ok(wanted.take(query.limit.unwrap_or(u32::MAX) as usize).collect())
    }

    async fn entries(&self, ids: &[EntryId]) -> Result<Vec<Entry>, StoreError> {
        let state = self.state();
        Ok(each_once(ids).into_iter().filter_map(|id| state.entries.get(id).cloned()).collect())
    }

    async fn find_entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        Ok(entry::find(&self.state(), query))
    }

    async fn entry_history(&self, query: &EntryHistoryQuery) -> Result<Vec<RecordedEntryChange>, StoreError> {
        Ok(entry::history(&self.state(), query))
    }

    async fn links(&self, ids: &[LinkId]) -> Result<Vec<Link>, StoreError> {
        let state = self.state();
        Ok(each_once(ids).into_iter().filter_map(|id| state.links.get(id).cloned()).collect())
    }

    async fn links_of_remotes(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<Vec<(RemoteId, Link)>, StoreError> {
        let state = self.state();
        let found = each_once(remotes).into_iter().filter_map(|remote| {
            let key = (account.clone(), remote.clone());
            let link = state.link_of_remote.get(&key).or_else(|| state.aliases.get(&key))?;
            Some((remote.clone(), state.links.get(link)?.clone()))
        });
        Ok(found.collect())
    }

    async fn links_of_former_remotes(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<Vec<(RemoteId, Link)>, StoreError> {
        let state = self.state();
        let found = each_once(remotes).into_iter().filter_map(|remote| {
            let link = state.aliases.get(&(account.clone(), remote.clone()))?;
            Some((remote.clone(), state.links.get(link)?.clone()))
        });
        Ok(found.collect())
    }

    async fn links_of_tokens(&self, tokens: &[LinkToken]) -> Result<Vec<(LinkToken, Link)>, StoreError> {
        let state = self.state();
        let found = each_once(tokens).into_iter().filter_map(|token| {
            let link = state.tokens.get(token)?;
            Some((token.clone(), state.links.get(link)?.clone()))
        });
        Ok(found.collect())
    }

    async fn links_of_contacts(&self, account: &AccountName, contacts: &[ContactId]) -> Result<Vec<Link>, StoreError> {
        let state = self.state();
        let ids = contacts.iter().filter_map(|contact| state.link_of_contact.get(&(*contact, account.clone())));
        let ids: BTreeSet<&LinkId> = ids.collect();
        Ok(ids.into_iter().filter_map(|id| state.links.get(id).cloned()).collect())
    }

    async fn links_of_contact(&self, contact: ContactId) -> Result<Vec<Link>, StoreError> {
        let state = self.state();
        let ids: BTreeSet<LinkId> = state.links_of(contact).into_iter().collect();
        Ok(ids.iter().filter_map(|id| state.links.get(id).cloned()).collect())
    }

    async fn unsettled_links(
        &self,
        account: &AccountName,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<LinkId>, StoreError> {
        let state = self.state();
        Ok(state
            .unsettled_of(account)
            .filter(|link| after.is_none_or(|after| *link > after))
            .take(limit as usize)
            .collect())
    }

    async fn photo_links(
        &self,
        account: &AccountName,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<LinkId>, StoreError> {
        let state = self.state();
        let due = state.photo_due_of(account).filter(|link| after.is_none_or(|after| *link > after));
        Ok(due.take(limit as usize).collect())
    }

    async fn photo(&self, digest: &Digest) -> Result<Option<PhotoFile>, StoreError> {
        Ok(self.state().photos.get(digest).cloned())
    }

    async fn listed_remotes(&self, account: &AccountName) -> Result<BTreeSet<RemoteId>, StoreError> {
        let state = self.state();
        let links = state.links.values().filter(|link| link.account == *account);
        let listed = links.filter(|link| matches!(link.state, LinkState::Bound | LinkState::Found));
        Ok(listed.filter_map(|link| link.remote.clone()).collect())
    }

    async fn group_sizes(&self, account: &AccountName) -> Result<BTreeMap<GroupId, u64>, StoreError> {
        let state = self.state();
        let mut sizes = BTreeMap::new();
        for link in state.links.values().filter(|link| link.account == *account) {
            link.member_of.iter().for_each(|group| *sizes.entry(group.clone()).or_default() += 1);
        }
        Ok(sizes)
    }

    async fn remotes_in(&self, account: &AccountName, group: &GroupId) -> Result<BTreeSet<RemoteId>, StoreError> {
        let state = self.state();
        let members = state.links.values().filter(|link| link.account == *account && link.member_of.contains(group));
        Ok(members.filter_map(|link| link.remote.clone()).collect())
    }

    async fn link_counts(&self, account: &AccountName) -> Result<LinkCounts, StoreError> {
        let state = self.state();
        let links = || state.links.values().filter(|link| link.account == *account);
        Ok(LinkCounts {
            bound: links().filter(|link| link.state == LinkState::Bound).count() as u64,
            unsettled: state.unsettled_of(account).count() as u64,
            parked: links().filter(|link| link.parked.is_some()).count() as u64,
            questions: links()
                .filter(|link| link.parked.as_ref().is_some_and(|parked| !parked.candidates.is_empty()))
                .count() as u64,
            intents: state.intents.values().filter(|intent| intent.account == *account).count() as u64,
            conflicts: state.waiting().filter(|conflict| conflict.account == *account).count() as u64,
            strangers: state.strangers.keys().filter(|(owner, _)| owner == account).count() as u64,
        })
    }

    async fn open_intents(&self, account: &AccountName) -> Result<Vec<Intent>, StoreError> {
        Ok(self.state().intents.values().filter(|intent| intent.account == *account).cloned().collect())
    }

    async fn sent(&self, markers: &[Marker]) -> Result<Vec<Sent>, StoreError> {
        let state = self.state();
        Ok(each_once(markers).into_iter().filter_map(|marker| state.sent.get(marker).cloned()).collect())
    }

    async fn account(&self, name: &AccountName) -> Result<Option<AccountState>, StoreError> {
        Ok(self.state().accounts.get(name).cloned())
    }

    async fn accounts(&self) -> Result<Vec<AccountState>, StoreError> {
        Ok(self.state().accounts.values().cloned().collect())
    }

    async fn ghosts(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Timestamp>, StoreError> {
        let state = self.state();
        let seen = |remote: &RemoteId| state.ghosts.get(&(account.clone(), remote.clone())).copied();
        Ok(remotes.iter().filter_map(|remote| Some((remote.clone(), seen(remote)?))).collect())
    }

    async fn strangers(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Option<Etag>>, StoreError> {
        let state = self.state();
        let known = |remote: &RemoteId| state.strangers.get(&(account.clone(), remote.clone()));
        Ok(remotes.iter().filter_map(|remote| Some((remote.clone(), known(remote)?.etag.clone()))).collect())
    }

    async fn strangers_with_keys(
        &self,
        account: &AccountName,
        keys: &BTreeSet<Vec<u8>>,
    ) -> Result<Vec<Stranger>, StoreError> {
        let state = self.state();
        let strangers = state.strangers.values().filter(|stranger| stranger.account == *account);
        Ok(strangers.filter(|stranger| !stranger.keys.is_disjoint(keys)).cloned().collect())
    }

    async fn answers(&self, account: &AccountName) -> Result<Vec<Answer>, StoreError> {
        Ok(self.state().answers.values().filter(|answer| answer.account == *account).cloned().collect())
    }

    async fn harms(&self, account: &AccountName, since: Timestamp) -> Result<Vec<HarmDone>, StoreError> {
        let state = self.state();
        let done = state.harms.iter().filter(|((owner, ..), at)| owner == account && **at >= since);
        Ok(done
            .map(|((account, harm, contact, let_by), at)| HarmDone {
                account: account.clone(),
                harm: *harm,
                contact: *contact,
                let_by: *let_by,
                at: *at,
            })
            .collect())
    }

    async fn open_conflicts(&self, contact: Option<ContactId>) -> Result<Vec<Conflict>, StoreError> {
        let state = self.state();
        let waiting = state.waiting().filter(|conflict| contact.is_none_or(|contact| conflict.contact == contact));
        let mut waiting: Vec<Conflict> = waiting.cloned().collect();
        waiting.sort_by_key(|conflict| (conflict.since, conflict.id));
        Ok(waiting)
    }

    async fn conflict(&self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        Ok(self.state().conflicts.get(&id).cloned())
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>, StoreError> {
        let mut runs: Vec<RunRecord> = self.state().runs.values().cloned().collect();
        runs.sort_by_key(|run| std::cmp::Reverse((run.begun, run.run)));
        runs.truncate(limit as usize);
        Ok(runs)
    }

    async fn run(&self, id: RunId) -> Result<Option<RunRecord>, StoreError> {
        Ok(self.state().runs.get(&id).cloned())
    }

    async fn acquire_lease(&self, request: &LeaseRequest, now: Timestamp) -> Result<LeaseAnswer, StoreError> {
        let mut state = self.state();
        let current = state.leases.get(&request.account).cloned();
        match LeaseRow::ask(current, request, now) {
            Ok(row) => {
                let fence = Fence { account: request.account.clone(), token: row.token };
                state.leases.insert(request.account.clone(), row);
                Ok(LeaseAnswer::Held(fence))
            }
            Err(held) => Ok(LeaseAnswer::Busy { holder: held.holder.unwrap_or_default(), expires: held.expires }),
        }
    }

    async fn release_lease(&self, fence: &Fence) -> Result<(), StoreError> {
        if let Some(row) = self.state().leases.get_mut(&fence.account)
            && row.token == fence.token
        {
            row.holder = None;
        }
        Ok(())
    }

    async fn lease_holder(
        &self,
        account: &AccountName,
        now: Timestamp,
    ) -> Result<Option<(String, Timestamp)>, StoreError> {
        let state = self.state();
        let row = state.leases.get(account);
        Ok(row.and_then(|row| row.holder_at(now).map(|holder| (holder.to_owned(), row.expires))))
    }

    async fn grant(&self, account: &AccountName) -> Result<Option<SealedGrant>, StoreError> {
        Ok(self.state().grants.get(account).cloned())
    }

    async fn put_grant(&self, grant: &SealedGrant) -> Result<(), StoreError> {
        self.state().grants.insert(grant.account.clone(), grant.clone());
        Ok(())
    }

    async fn drop_grant(&self, account: &AccountName) -> Result<(), StoreError> {
        self.state().grants.remove(account);
        Ok(())
    }
}

fn each_once<T: Ord>(values: &[T]) -> BTreeSet<&T> {
    values.iter().collect()
}
