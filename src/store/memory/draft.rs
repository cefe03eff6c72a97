//! A commit in the making: writes take effect one by one, each remembers what it replaced, and a refusal puts
//! everything back.

use std::collections::{BTreeMap, BTreeSet};

use super::state::State;
use super::{entry, find};
use crate::domain::contact::Contact;
use crate::domain::filter::SavedFilter;
use crate::domain::history::{RecordedChange, RemoteChange};
use crate::domain::id::{AccountName, LinkId, Marker};
use crate::domain::link::{Link, LinkState};
use crate::domain::matching;
use crate::domain::matching::MatchKey;
use crate::domain::outbox::{Intent, Sent};
use crate::store::check::check;
use crate::store::{Commit, Committed, ContactWrite, Fence, StoreError, Write};

/// One of the maps of the state.
type Table<K, V> = fn(&mut State) -> &mut BTreeMap<K, V>;

/// Puts back what one step replaced.
type Undo = Box<dyn FnOnce(&mut State)>;

/// The state while a commit is being made.
pub(super) struct Draft<'a> {
    state: &'a mut State,
    undo: Vec<Undo>,
    committed: Committed,
}

impl<'a> Draft<'a> {
    /// Makes all writes true, or none.
    pub(super) fn run(state: &'a mut State, commit: Commit) -> Result<Committed, StoreError> {
        if let Some(fence) = &commit.fence {
            check_fence(state, fence)?;
        }
        let mut draft = Draft { state, undo: Vec::new(), committed: Committed::default() };
        for write in commit.writes {
            if let Err(refusal) = check(&write).and_then(|()| draft.apply(write)) {
                draft.undo.into_iter().rev().for_each(|undo| undo(draft.state));
                return Err(refusal);
            }
        }
        Ok(draft.committed)
    }

    /// What is there so far.
    pub(super) fn state(&self) -> &State {
        self.state
    }

    pub(super) fn put<K: Ord + Clone + 'static, V: 'static>(&mut self, table: Table<K, V>, key: K, value: V) {
        let replaced = table(self.state).insert(key.clone(), value);
        self.undo.push(Box::new(move |state| restore(table(state), key, replaced)));
    }

    fn remove<K: Ord + 'static, V: 'static>(&mut self, table: Table<K, V>, key: K) {
        let removed = table(self.state).remove(&key);
        self.undo.push(Box::new(move |state| restore(table(state), key, removed)));
    }

    fn apply(&mut self, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Contact(write) => return self.put_contact(*write),
            Write::Entry(write) => return entry::put(self, *write),
            Write::Only { keys, contacts } => {
                let mut found = find::with_keys(self.state, &keys).into_iter();
                if let Some((_, contact)) = found.find(|(_, contact)| !contacts.contains(contact)) {
                    return Err(StoreError::Moved { contact });
                }
            }
            Write::Photo(photo) => self.put(|state| &mut state.photos, photo.digest(), photo),
            Write::RemoteChange(write) => return self.append(*write),
            Write::Link(link) => return self.put_link(*link),
            Write::DropLink(link) => return self.drop_link(link),
            Write::Alias { account, remote, link } => {
                self.must_have_link(link, "link_alias", &remote)?;
                self.put(|state| &mut state.aliases, (account, remote), link);
            }
            Write::OpenIntent(intent, sent) => return self.open_intent(*intent, *sent),
            Write::ResendIntent(marker, at) => {
                let Some(intent) = self.state.intents.get(&marker) else {
                    return Err(StoreError::inconsistent("intent", "marker", &marker));
                };
                let resent = Intent { last_sent: at, ..intent.clone() };
                self.put(|state| &mut state.intents, marker, resent);
            }
            Write::CloseIntent(marker) => self.close_intent(marker),
            Write::Account(account) => self.put(|state| &mut state.accounts, account.name.clone(), *account),
            Write::Ghost(ghost) => self.put(|state| &mut state.ghosts, (ghost.account, ghost.remote), ghost.seen),
            Write::Stranger(stranger) => {
                let key = (stranger.account.clone(), stranger.remote.clone());
                self.put(|state| &mut state.strangers, key, stranger);
            }
            Write::DropStranger(account, remote) => self.remove(|state| &mut state.strangers, (account, remote)),
            Write::Answer(answer) => {
                if !self.state.contacts.contains_key(&answer.contact) {
                    return Err(StoreError::inconsistent("answer", "contact", &answer.contact));
                }
                let key = (answer.account.clone(), answer.contact, answer.remote.clone());
                self.put(|state| &mut state.answers, key, answer);
            }
            Write::DropAnswer { account, contact, remote } => {
                self.remove(|state| &mut state.answers, (account, contact, remote));
            }
            Write::AddFilter(saved) => {
                if self.state.filters.contains_key(&saved.name) {
                    return Err(StoreError::filter_taken(&saved.name));
                }
                self.put(|state| &mut state.filters, saved.name.clone(), *saved);
            }
            Write::Filter(saved) => {
                if let Some(current) = self.state.filters.get(&saved.name) {
                    let saved = SavedFilter { created: current.created, ..*saved };
                    self.put(|state| &mut state.filters, saved.name.clone(), saved);
                }
            }
            Write::DropFilter(name) => self.remove(|state| &mut state.filters, name),
            Write::Conflict(conflict) => {
                self.must_have_link(conflict.link, "conflict", &conflict.id)?;
                if !self.state.contacts.contains_key(&conflict.contact) {
                    return Err(StoreError::inconsistent("conflict", "contact", &conflict.id));
                }
                self.put(|state| &mut state.conflicts, conflict.id, *conflict);
            }
            Write::Run(run) => self.put(|state| &mut state.runs, run.run, *run),
            Write::ForgetAccount(account, replica) => {
                let before = self.state.clone();
                self.state.forget(&account, &replica);
                self.undo.push(Box::new(move |state| *state = before));
            }
            Write::RaiseEpoch { over } => {
                let (epoch, marker) = (self.state.identity.epoch, self.state.last_marker);
                let accounts = self.state.accounts.clone();
                self.state.identity.epoch += 1;
                self.state.last_marker = marker.max(over.0);
                for account in self.state.accounts.values_mut() {
                    (account.restored, account.contacts) = (true, None);
                }
                self.undo.push(Box::new(move |state| {
                    (state.identity.epoch, state.last_marker, state.accounts) = (epoch, marker, accounts);
                }));
            }
            Write::Harm(done) => {
                let key = (done.account, done.harm, done.contact, done.let_by);
                self.put(|state| &mut state.harms, key, done.at);
            }
            Write::ForgetHarm(account, before) => {
                let old = self.state.harms.iter().filter(|((owner, ..), at)| *owner == account && **at < before);
                for key in old.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
                    self.remove(|state| &mut state.harms, key);
                }
            }
        }
        Ok(())
    }

    fn put_contact(&mut self, write: ContactWrite) -> Result<(), StoreError> {
        let ContactWrite { contact, expected, change } = write;
        let id = contact.id;
        let current = self.state.contacts.get(&id);
        if current.map(|current| &current.version) != expected.as_ref() {
            return Err(StoreError::Moved { contact: id });
        }
        let (old, new) = (current.map(keys_of).unwrap_or_default(), keys_of(&contact));
        for key in old.difference(&new) {
            self.remove(|state| &mut state.keys, (key.clone(), id));
        }
        for key in new.difference(&old) {
            self.put(|state| &mut state.keys, (key.clone(), id), ());
        }
        self.put(|state| &mut state.contacts, id, contact);

        let place = self.state.last_place() + 1;
        self.put(|state| &mut state.changes, place, RecordedChange { sequence: place, change, remote: None });
        if let Some(before) = self.state.newest.get(&id).copied() {
            self.remove(|state| &mut state.feed, before);
        }
        self.put(|state| &mut state.newest, id, place);
        self.put(|state| &mut state.feed, place, id);
        self.committed.changes.push((id, place));

        for link in self.state.links_of(id) {
            self.mark(link);
        }
        Ok(())
    }

    fn append(&mut self, write: RemoteChange) -> Result<(), StoreError> {
        let place = self.state.last_place() + 1;
        let RemoteChange { copy, change } = write;
        if !self.state.contacts.contains_key(&change.contact) {
            return Err(StoreError::inconsistent("change", "contact", &place));
        }
        self.put(|state| &mut state.changes, place, RecordedChange { sequence: place, change, remote: Some(copy) });
        Ok(())
    }

    fn put_link(&mut self, link: Link) -> Result<(), StoreError> {
        self.check_link(&link)?;
        let id = link.id;
        self.forget_keys_of(id);
        if let Some(contact) = link.contact {
            self.put(|state| &mut state.link_of_contact, (contact, link.account.clone()), id);
        }
        if let Some(remote) = link.remote.clone() {
            self.put(|state| &mut state.link_of_remote, (link.account.clone(), remote), id);
        }
        self.put(|state| &mut state.tokens, link.token.clone(), id);
        self.put(|state| &mut state.links, id, link);
        self.mark(id);
        Ok(())
    }

    /// Refuses a link for the reason that the database would name first.
    fn check_link(&self, link: &Link) -> Result<(), StoreError> {
        let is_other = |found: Option<&LinkId>| found.is_some_and(|found| *found != link.id);
        let state = &self.state;
        let contact_is_taken =
            link.contact.is_some_and(|contact| is_other(state.link_of_contact.get(&(contact, link.account.clone()))));
        let remote_is_taken = link
            .remote
            .as_ref()
            .is_some_and(|remote| is_other(state.link_of_remote.get(&(link.account.clone(), remote.clone()))));
        if contact_is_taken || remote_is_taken {
            return Err(StoreError::link_taken(&link.account));
        }
        if link.contact.is_some_and(|contact| !state.contacts.contains_key(&contact)) {
            return Err(StoreError::inconsistent("link", "contact", &link.id));
        }
        if is_other(state.tokens.get(&link.token)) {
            return Err(StoreError::link_taken(&link.account));
        }
        Ok(())
    }

    /// Takes a link out of the maps by which its contact and its remote record lead to it, and out of its account's
    /// unsettled ones.
    fn forget_keys_of(&mut self, id: LinkId) {
        let Some(link) = self.state.links.get(&id) else { return };
        let (account, contact, remote) = (link.account.clone(), link.contact, link.remote.clone());
        if let Some(contact) = contact {
            self.remove(|state| &mut state.link_of_contact, (contact, account.clone()));
        }
        if let Some(remote) = remote {
            self.remove(|state| &mut state.link_of_remote, (account.clone(), remote));
        }
        self.remove(|state| &mut state.unsettled, (account.clone(), id));
        self.remove(|state| &mut state.photo_due, (account, id));
    }

    /// Notes whether a link is unsettled, and whether its photo may differ.
    fn mark(&mut self, id: LinkId) {
        let Some(link) = self.state.links.get(&id) else { return };
        let contact = link.contact.and_then(|contact| self.state.contacts.get(&contact));
        let is_settled = link.is_settled(contact.map(|contact| &contact.version));
        let is_photo_due = contact.is_some_and(|contact| link.is_photo_due(&contact.card));
        let key = (link.account.clone(), id);
        self.flag(|state| &mut state.unsettled, key.clone(), !is_settled);
        self.flag(|state| &mut state.photo_due, key, is_photo_due);
    }

    fn flag(&mut self, table: Table<(AccountName, LinkId), ()>, key: (AccountName, LinkId), is_set: bool) {
        if is_set { self.put(table, key, ()) } else { self.remove(table, key) }
    }

    fn drop_link(&mut self, id: LinkId) -> Result<(), StoreError> {
        let Some(link) = self.state.links.get(&id) else { return Ok(()) };
        if link.state != LinkState::Found {
            return Err(StoreError::inconsistent("link", "state", &id));
        }
        let state = &self.state;
        let is_referred_to = state.intent_of_link.contains_key(&id)
            || state.sent.values().any(|sent| sent.link == id)
            || state.conflicts.values().any(|conflict| conflict.link == id);
        if is_referred_to {
            return Err(StoreError::inconsistent("link", "id", &id));
        }
        let led_to = |(_, link): &(_, &LinkId)| **link == id;
        let tokens: Vec<_> = state.tokens.iter().filter(led_to).map(|(token, _)| token.clone()).collect();
        let aliases: Vec<_> =
            state.aliases.iter().filter(|(_, link)| **link == id).map(|(key, _)| key.clone()).collect();
        self.forget_keys_of(id);
        for token in tokens {
            self.remove(|state| &mut state.tokens, token);
        }
        for alias in aliases {
            self.remove(|state| &mut state.aliases, alias);
        }
        self.remove(|state| &mut state.links, id);
        Ok(())
    }

    fn open_intent(&mut self, intent: Intent, sent: Sent) -> Result<(), StoreError> {
        let (marker, link) = (intent.marker, intent.link);
        if self.state.intent_of_link.contains_key(&link) || self.state.intents.contains_key(&marker) {
            return Err(StoreError::intent_taken(&link));
        }
        self.must_have_link(link, "intent", &marker)?;
        if self.state.sent.contains_key(&marker) {
            return Err(StoreError::intent_taken(&link));
        }
        self.put(|state| &mut state.intent_of_link, link, marker);
        self.put(|state| &mut state.intents, marker, intent);
        self.put(|state| &mut state.sent, marker, sent);
        Ok(())
    }

    fn close_intent(&mut self, marker: Marker) {
        if let Some(link) = self.state.intents.get(&marker).map(|intent| intent.link) {
            self.remove(|state| &mut state.intent_of_link, link);
            self.remove(|state| &mut state.intents, marker);
        }
    }

    fn must_have_link(&self, link: LinkId, table: &'static str, row: &dyn std::fmt::Display) -> Result<(), StoreError> {
        if self.state.links.contains_key(&link) { Ok(()) } else { Err(StoreError::inconsistent(table, "link", row)) }
    }
}

fn restore<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => table.insert(key, value),
        None => table.remove(&key),
    };
}

fn check_fence(state: &State, fence: &Fence) -> Result<(), StoreError> {
    match state.leases.get(&fence.account) {
        Some(row) if row.token == fence.token && row.holder.is_some() => Ok(()),
        _ => Err(StoreError::LeaseLost { account: fence.account.to_string() }),
    }
}

fn keys_of(contact: &Contact) -> BTreeSet<MatchKey> {
    if contact.is_live() { matching::index_keys(&contact.card) } else { BTreeSet::new() }
}
