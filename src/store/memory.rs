//! The store in memory, for the simulator and for fast tests: the same rules as in the database, on ordered maps.
//!
//! A commit works on a copy of the state and replaces it as a whole, so a write that is refused leaves nothing behind.
//! The maps hold shared rows, which makes the copy cheap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{
    Commit, Committed, ContactOrder, ContactQuery, ContactWrite, DeletedContacts, Fence, HistoryQuery, LeaseAnswer,
    LeaseRequest, LinkCounts, SealedGrant, Store, StoreError, StoreIdentity, Stranger, Write,
};
use crate::clock::Entropy;
use crate::domain::account::AccountState;
use crate::domain::conflict::Conflict;
use crate::domain::contact::{Contact, Subject};
use crate::domain::history::RecordedChange;
use crate::domain::id::{AccountName, ConflictId, ContactId, LinkId, LinkToken, Marker, RemoteId, RunId};
use crate::domain::link::{Link, LinkState};
use crate::domain::matching::{self, MatchKey};
use crate::domain::normal;
use crate::domain::outbox::{Intent, Sent};
use crate::domain::run::RunRecord;
use crate::domain::time::Timestamp;

/// A store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    identity: StoreIdentity,
    state: Mutex<State>,
}

type RemoteKey = (AccountName, RemoteId);

#[derive(Debug, Clone, Default)]
struct State {
    contacts: BTreeMap<ContactId, Arc<Contact>>,
    keys: BTreeSet<(MatchKey, ContactId)>,
    changes: BTreeMap<u64, Arc<RecordedChange>>,
    newest_change: BTreeMap<ContactId, u64>,
    links: BTreeMap<LinkId, Arc<Link>>,
    link_of_contact: BTreeMap<(AccountName, ContactId), LinkId>,
    link_of_remote: BTreeMap<RemoteKey, LinkId>,
    unsettled: BTreeSet<(AccountName, LinkId)>,
    tokens: BTreeMap<LinkToken, LinkId>,
    aliases: BTreeMap<RemoteKey, LinkId>,
    intents: BTreeMap<Marker, Arc<Intent>>,
    sent: BTreeMap<Marker, Arc<Sent>>,
    marker: u64,
    accounts: BTreeMap<AccountName, AccountState>,
    ghosts: BTreeMap<RemoteKey, Timestamp>,
    strangers: BTreeMap<RemoteKey, Arc<Stranger>>,
    conflicts: BTreeMap<ConflictId, Arc<Conflict>>,
    runs: BTreeMap<RunId, Arc<RunRecord>>,
    leases: BTreeMap<AccountName, Lease>,
    grants: BTreeMap<AccountName, SealedGrant>,
}

#[derive(Debug, Clone)]
struct Lease {
    holder: String,
    token: u64,
    expires: Option<Timestamp>,
}

impl MemoryStore {
    /// An empty store with an identity of its own.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut hash_key = [0; 32];
        for chunk in hash_key.chunks_mut(8) {
            chunk.copy_from_slice(&entropy.next_u64().to_le_bytes());
        }
        let identity = StoreIdentity { id: format!("{:032x}", entropy.next_u128()), epoch: 1, hash_key };
        MemoryStore { identity, state: Mutex::default() }
    }

    /// A copy of the store as it is now, independent of it from here on.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        MemoryStore { identity: self.identity.clone(), state: Mutex::new(self.with(|state| state.clone())) }
    }

    fn with<T>(&self, read: impl FnOnce(&mut State) -> T) -> T {
        read(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn write(&mut self, write: Write, committed: &mut Committed) -> Result<(), StoreError> {
        match write {
            Write::Contact(write) => committed.changes.push(self.put_contact(*write)?),
            Write::Link(link) => self.put_link(*link)?,
            Write::DropLink(id) => self.drop_link(id),
            Write::Alias { account, remote, link } => {
                self.aliases.insert((account, remote), link);
            }
            Write::OpenIntent(intent, sent) => self.open_intent(*intent, *sent)?,
            Write::ResendIntent(marker, at) => {
                if let Some(intent) = self.intents.get_mut(&marker) {
                    Arc::make_mut(intent).last_sent = at;
                }
            }
            Write::CloseIntent(marker) => {
                self.intents.remove(&marker);
            }
            Write::Account(state) => {
                self.accounts.insert(state.name.clone(), *state);
            }
            Write::Ghost(ghost) => {
                self.ghosts.insert((ghost.account, ghost.remote), ghost.seen);
            }
            Write::Stranger(stranger) => {
                self.strangers.insert((stranger.account.clone(), stranger.remote.clone()), Arc::new(stranger));
            }
            Write::DropStranger(account, remote) => {
                self.strangers.remove(&(account, remote));
            }
            Write::Conflict(conflict) => {
                self.conflicts.insert(conflict.id, Arc::new(*conflict));
            }
            Write::Run(run) => {
                self.runs.insert(run.run, Arc::new(*run));
            }
        }
        Ok(())
    }

    fn put_contact(&mut self, write: ContactWrite) -> Result<(ContactId, u64), StoreError> {
        let ContactWrite { contact, expected, change } = write;
        let id = contact.id;
        let present = self.contacts.get(&id).map(|stored| stored.version.clone());
        if present != expected {
            return Err(StoreError::Moved { contact: id });
        }
        if let Some(before) = self.contacts.get(&id) {
            for key in matching::index_keys(&before.card) {
                self.keys.remove(&(key, id));
            }
        }
        if contact.is_live() {
            self.keys.extend(matching::index_keys(&contact.card).into_iter().map(|key| (key, id)));
        }
        let sequence = self.changes.last_key_value().map_or(0, |(last, _)| *last) + 1;
        self.changes.insert(sequence, Arc::new(RecordedChange { sequence, change }));
        self.newest_change.insert(id, sequence);
        self.contacts.insert(id, Arc::new(contact));
        let links: Vec<LinkId> =
            self.link_of_contact.iter().filter(|((_, contact), _)| *contact == id).map(|(_, link)| *link).collect();
        for link in links {
            self.judge(link);
        }
        Ok((id, sequence))
    }

    fn put_link(&mut self, link: Link) -> Result<(), StoreError> {
        let id = link.id;
        if let Some(before) = self.links.get(&id).cloned() {
            self.forget_places(&before);
        }
        let taken = |what: &str| StoreError::Taken { what: what.to_owned() };
        if let Some(contact) = link.contact
            && self.link_of_contact.insert((link.account.clone(), contact), id).is_some_and(|other| other != id)
        {
            return Err(taken("a link of this contact in this account"));
        }
        if let Some(remote) = &link.remote
            && self.link_of_remote.insert((link.account.clone(), remote.clone()), id).is_some_and(|other| other != id)
        {
            return Err(taken("a link of this remote record"));
        }
        if self.tokens.insert(link.token.clone(), id).is_some_and(|other| other != id) {
            return Err(taken("a link with this token"));
        }
        self.links.insert(id, Arc::new(link));
        self.judge(id);
        Ok(())
    }

    fn drop_link(&mut self, id: LinkId) {
        let Some(link) = self.links.remove(&id) else { return };
        self.forget_places(&link);
        self.tokens.retain(|_, owner| *owner != id);
        self.unsettled.remove(&(link.account.clone(), id));
    }

    fn forget_places(&mut self, link: &Link) {
        if let Some(contact) = link.contact {
            self.link_of_contact.remove(&(link.account.clone(), contact));
        }
        if let Some(remote) = &link.remote {
            self.link_of_remote.remove(&(link.account.clone(), remote.clone()));
        }
    }

    /// Notes whether a link needs a look.
    fn judge(&mut self, id: LinkId) {
        let Some(link) = self.links.get(&id) else { return };
        let version = link.contact.and_then(|id| self.contacts.get(&id)).map(|contact| &contact.version);
        let place = (link.account.clone(), id);
        if link.is_settled(version) {
            self.unsettled.remove(&place);
        } else {
            self.unsettled.insert(place);
        }
    }

    fn open_intent(&mut self, intent: Intent, sent: Sent) -> Result<(), StoreError> {
        if self.intents.values().any(|open| open.link == intent.link) {
            return Err(StoreError::Taken { what: format!("an open intent of link {}", intent.link) });
        }
        self.sent.insert(sent.marker, Arc::new(sent));
        self.intents.insert(intent.marker, Arc::new(intent));
        Ok(())
    }

    fn check_fence(&self, fence: &Fence) -> Result<(), StoreError> {
        let held =
            self.leases.get(&fence.account).is_some_and(|lease| lease.token == fence.token && lease.expires.is_some());
        if held { Ok(()) } else { Err(StoreError::LeaseLost { account: fence.account.to_string() }) }
    }
}

fn owned<T: Clone>(rows: impl Iterator<Item = Arc<T>>) -> Vec<T> {
    rows.map(Arc::unwrap_or_clone).collect()
}

#[async_trait]
impl Store for MemoryStore {
    async fn identity(&self) -> Result<StoreIdentity, StoreError> {
        Ok(self.identity.clone())
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.with(|state| {
            if let Some(fence) = &commit.fence {
                state.check_fence(fence)?;
            }
            let mut next = state.clone();
            let mut committed = Committed::default();
            for write in commit.writes {
                next.write(write, &mut committed)?;
            }
            *state = next;
            Ok(committed)
        })
    }

    async fn mint_markers(&self, count: u64, now: Timestamp) -> Result<Marker, StoreError> {
        Ok(self.with(|state| {
            let first = (state.marker + 1).max(u64::try_from(now.as_micros()).unwrap_or(0));
            state.marker = first + count.max(1) - 1;
            Marker(first)
        }))
    }

    async fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>, StoreError> {
        let ids: BTreeSet<ContactId> = ids.iter().copied().collect();
        Ok(self.with(|state| owned(ids.iter().filter_map(|id| state.contacts.get(id).cloned()))))
    }

    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>, StoreError> {
        let mut found: Vec<Contact> =
            self.with(|state| owned(state.contacts.values().filter(|contact| is_selected(contact, query)).cloned()));
        if query.order == ContactOrder::Name {
            found.sort_by_cached_key(|contact| (sort_key(contact), contact.id));
        }
        if let Some(limit) = query.limit {
            found.truncate(limit as usize);
        }
        Ok(found)
    }

    async fn contacts_with_keys(&self, keys: &BTreeSet<MatchKey>) -> Result<Vec<(MatchKey, ContactId)>, StoreError> {
        let first = ContactId::new(Timestamp::EPOCH, 0);
        Ok(self.with(|state| {
            let mut found = Vec::new();
            for key in keys {
                let from = (key.clone(), first);
                found.extend(state.keys.range(from..).take_while(|(k, _)| k == key).cloned());
            }
            found
        }))
    }

    async fn people_counts(&self, organizations: &[ContactId]) -> Result<BTreeMap<ContactId, u64>, StoreError> {
        let wanted: BTreeSet<ContactId> = organizations.iter().copied().collect();
        Ok(self.with(|state| {
            let mut counts = BTreeMap::new();
            for contact in state.contacts.values().filter(|contact| contact.is_live()) {
                if let Some(id) = organization_of(contact).filter(|id| wanted.contains(id)) {
                    *counts.entry(id).or_insert(0) += 1;
                }
            }
            counts
        }))
    }

    async fn changed_contacts(&self, after: u64, limit: u32) -> Result<Vec<(ContactId, u64)>, StoreError> {
        Ok(self.with(|state| {
            state
                .changes
                .range(after + 1..)
                .filter(|(sequence, row)| state.newest_change.get(&row.change.contact) == Some(sequence))
                .take(limit as usize)
                .map(|(sequence, row)| (row.change.contact, *sequence))
                .collect()
        }))
    }

    async fn feed_end(&self) -> Result<u64, StoreError> {
        Ok(self.with(|state| state.changes.last_key_value().map_or(0, |(last, _)| *last)))
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<RecordedChange>, StoreError> {
        Ok(self.with(|state| {
            owned(
                state
                    .changes
                    .range(..query.before.unwrap_or(u64::MAX))
                    .rev()
                    .map(|(_, row)| row)
                    .filter(|row| query.contact.is_none_or(|contact| row.change.contact == contact))
                    .filter(|row| query.run.is_none_or(|run| row.change.run == Some(run)))
                    .take(query.limit.map_or(usize::MAX, |limit| limit as usize))
                    .cloned(),
            )
        }))
    }

    async fn links(&self, ids: &[LinkId]) -> Result<Vec<Link>, StoreError> {
        let ids: BTreeSet<LinkId> = ids.iter().copied().collect();
        Ok(self.with(|state| owned(ids.iter().filter_map(|id| state.links.get(id).cloned()))))
    }

    async fn links_of_remotes(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<Vec<(RemoteId, Link)>, StoreError> {
        let remotes: BTreeSet<&RemoteId> = remotes.iter().collect();
        Ok(self.with(|state| {
            remotes
                .into_iter()
                .filter_map(|remote| {
                    let place = (account.clone(), remote.clone());
                    let id = state.link_of_remote.get(&place).or_else(|| state.aliases.get(&place))?;
                    Some((remote.clone(), Link::clone(state.links.get(id)?)))
                })
                .collect()
        }))
    }

    async fn links_of_tokens(&self, tokens: &[LinkToken]) -> Result<Vec<(LinkToken, Link)>, StoreError> {
        let tokens: BTreeSet<&LinkToken> = tokens.iter().collect();
        Ok(self.with(|state| {
            tokens
                .into_iter()
                .filter_map(|token| Some((token.clone(), Link::clone(state.links.get(state.tokens.get(token)?)?))))
                .collect()
        }))
    }

    async fn links_of_contacts(&self, account: &AccountName, contacts: &[ContactId]) -> Result<Vec<Link>, StoreError> {
        let contacts: BTreeSet<ContactId> = contacts.iter().copied().collect();
        Ok(self.with(|state| {
            owned(contacts.into_iter().filter_map(|contact| {
                state.links.get(state.link_of_contact.get(&(account.clone(), contact))?).cloned()
            }))
        }))
    }

    async fn links_of_contact(&self, contact: ContactId) -> Result<Vec<Link>, StoreError> {
        Ok(self.with(|state| owned(state.links.values().filter(|link| link.contact == Some(contact)).cloned())))
    }

    async fn unsettled_links(
        &self,
        account: &AccountName,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<LinkId>, StoreError> {
        Ok(self.with(|state| {
            state
                .unsettled
                .iter()
                .filter(|(owner, id)| owner == account && after.is_none_or(|after| *id > after))
                .take(limit as usize)
                .map(|(_, id)| *id)
                .collect()
        }))
    }

    async fn bound_remotes(&self, account: &AccountName) -> Result<BTreeSet<RemoteId>, StoreError> {
        Ok(self.with(|state| {
            state
                .links
                .values()
                .filter(|link| link.account == *account && link.state == LinkState::Bound)
                .filter_map(|link| link.remote.clone())
                .collect()
        }))
    }

    async fn link_counts(&self, account: &AccountName) -> Result<LinkCounts, StoreError> {
        Ok(self.with(|state| {
            let links = || state.links.values().filter(|link| link.account == *account);
            LinkCounts {
                bound: links().filter(|link| link.state == LinkState::Bound).count() as u64,
                unsettled: state.unsettled.iter().filter(|(owner, _)| owner == account).count() as u64,
                parked: links().filter(|link| link.parked.is_some()).count() as u64,
                intents: state.intents.values().filter(|intent| intent.account == *account).count() as u64,
                conflicts: state
                    .conflicts
                    .values()
                    .filter(|conflict| conflict.account == *account && conflict.resolved.is_none())
                    .count() as u64,
                strangers: state.strangers.keys().filter(|(owner, _)| owner == account).count() as u64,
            }
        }))
    }

    async fn open_intents(&self, account: &AccountName) -> Result<Vec<Intent>, StoreError> {
        Ok(self.with(|state| owned(state.intents.values().filter(|intent| intent.account == *account).cloned())))
    }

    async fn sent(&self, markers: &[Marker]) -> Result<Vec<Sent>, StoreError> {
        let markers: BTreeSet<&Marker> = markers.iter().collect();
        Ok(self.with(|state| owned(markers.into_iter().filter_map(|marker| state.sent.get(marker).cloned()))))
    }

    async fn account(&self, name: &AccountName) -> Result<Option<AccountState>, StoreError> {
        Ok(self.with(|state| state.accounts.get(name).cloned()))
    }

    async fn accounts(&self) -> Result<Vec<AccountState>, StoreError> {
        Ok(self.with(|state| state.accounts.values().cloned().collect()))
    }

    async fn ghosts(
        &self,
        account: &AccountName,
        remotes: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Timestamp>, StoreError> {
        Ok(self.with(|state| {
            remotes
                .iter()
                .filter_map(|remote| Some((remote.clone(), *state.ghosts.get(&(account.clone(), remote.clone()))?)))
                .collect()
        }))
    }

    async fn strangers_with_keys(
        &self,
        account: &AccountName,
        keys: &BTreeSet<Vec<u8>>,
    ) -> Result<Vec<Stranger>, StoreError> {
        Ok(self.with(|state| {
            owned(
                state
                    .strangers
                    .values()
                    .filter(|stranger| stranger.account == *account && !stranger.keys.is_disjoint(keys))
                    .cloned(),
            )
        }))
    }

    async fn open_conflicts(&self, contact: Option<ContactId>) -> Result<Vec<Conflict>, StoreError> {
        Ok(self.with(|state| {
            owned(
                state
                    .conflicts
                    .values()
                    .filter(|conflict| conflict.resolved.is_none())
                    .filter(|conflict| contact.is_none_or(|contact| conflict.contact == contact))
                    .cloned(),
            )
        }))
    }

    async fn conflict(&self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        Ok(self.with(|state| state.conflicts.get(&id).map(|row| Conflict::clone(row))))
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>, StoreError> {
        Ok(self.with(|state| owned(state.runs.values().rev().take(limit as usize).cloned())))
    }

    async fn run(&self, id: RunId) -> Result<Option<RunRecord>, StoreError> {
        Ok(self.with(|state| state.runs.get(&id).map(|row| RunRecord::clone(row))))
    }

    async fn acquire_lease(&self, request: &LeaseRequest, now: Timestamp) -> Result<LeaseAnswer, StoreError> {
        Ok(self.with(|state| {
            let expires = Some(now.plus(request.ttl));
            let granted = |token| Fence { account: request.account.clone(), token };
            let Some(lease) = state.leases.get_mut(&request.account) else {
                let lease = Lease { holder: request.holder.clone(), token: 1, expires };
                state.leases.insert(request.account.clone(), lease);
                return LeaseAnswer::Held(granted(1));
            };
            let current = lease.expires.filter(|expires| *expires > now);
            if let Some(until) = current {
                if lease.holder == request.holder {
                    lease.expires = expires;
                    return LeaseAnswer::Held(granted(lease.token));
                }
                if request.dead_holder.as_ref() != Some(&lease.holder) {
                    return LeaseAnswer::Busy { holder: lease.holder.clone(), expires: until };
                }
            }
            *lease = Lease { holder: request.holder.clone(), token: lease.token + 1, expires };
            LeaseAnswer::Held(granted(lease.token))
        }))
    }

    async fn release_lease(&self, fence: &Fence) -> Result<(), StoreError> {
        self.with(|state| {
            if let Some(lease) = state.leases.get_mut(&fence.account).filter(|lease| lease.token == fence.token) {
                lease.expires = None;
            }
        });
        Ok(())
    }

    async fn lease_holder(
        &self,
        account: &AccountName,
        now: Timestamp,
    ) -> Result<Option<(String, Timestamp)>, StoreError> {
        Ok(self.with(|state| {
            let lease = state.leases.get(account)?;
            let until = lease.expires.filter(|expires| *expires > now)?;
            Some((lease.holder.clone(), until))
        }))
    }

    async fn grant(&self, account: &AccountName) -> Result<Option<SealedGrant>, StoreError> {
        Ok(self.with(|state| state.grants.get(account).cloned()))
    }

    async fn put_grant(&self, grant: &SealedGrant) -> Result<(), StoreError> {
        self.with(|state| state.grants.insert(grant.account.clone(), grant.clone()));
        Ok(())
    }
}

fn is_selected(contact: &Contact, query: &ContactQuery) -> bool {
    let by_deletion = match query.deleted {
        DeletedContacts::Hidden => contact.is_live(),
        DeletedContacts::Included => true,
        DeletedContacts::Only => !contact.is_live(),
    };
    by_deletion
        && query.kind.is_none_or(|kind| contact.card.kind() == kind)
        && query.label.as_ref().is_none_or(|label| contact.card.labels.contains(label))
        && query.owner.as_ref().is_none_or(|owner| contact.card.owner.as_ref() == Some(owner))
        && query.organization.is_none_or(|id| organization_of(contact) == Some(id))
        && query.after.is_none_or(|after| contact.id > after)
        && query.text.as_ref().is_none_or(|text| mentions(contact, text))
}

fn organization_of(contact: &Contact) -> Option<ContactId> {
    contact.card.as_person()?.organization.as_ref()?.id
}

/// Whether the text occurs in a name, an e-mail, a phone or the notes.
fn mentions(contact: &Contact, text: &str) -> bool {
    let wanted = normal::fold(text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let card = &contact.card;
    let mut texts = vec![card.display_name()];
    texts.extend(card.emails.iter().map(|email| email.value.clone()));
    texts.extend(card.notes.clone());
    let by_phone = digits.len() >= 3
        && card
            .phones
            .iter()
            .any(|phone| phone.value.chars().filter(char::is_ascii_digit).collect::<String>().contains(&digits));
    by_phone || texts.iter().any(|text| normal::fold(text).contains(&wanted))
}

fn sort_key(contact: &Contact) -> String {
    match &contact.card.subject {
        Subject::Person(person) => normal::fold(&format!(
            "{} {}",
            person.name.family.as_deref().unwrap_or_default(),
            person.name.given.as_deref().unwrap_or_default()
        )),
        Subject::Organization(organization) => normal::fold(&organization.name),
    }
}
