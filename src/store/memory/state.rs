//! All that the store in memory holds: a map per table, and a map per key that is looked up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::domain::account::AccountState;
use crate::domain::answer::Answer;
use crate::domain::conflict::Conflict;
use crate::domain::contact::Contact;
use crate::domain::digest::Digest;
use crate::domain::entry::{Entry, RecordedEntryChange};
use crate::domain::filter::SavedFilter;
use crate::domain::harm::{Harm, LetBy};
use crate::domain::history::RecordedChange;
use crate::domain::id::{
    AccountName, ConflictId, ContactId, EntryId, LinkId, LinkToken, Marker, RemoteId, ReplicaId, RunId,
};
use crate::domain::link::Link;
use crate::domain::matching::MatchKey;
use crate::domain::outbox::{Intent, Sent};
use crate::domain::photo::PhotoFile;
use crate::domain::run::RunRecord;
use crate::domain::time::Timestamp;
use crate::store::lease::LeaseRow;
use crate::store::{SealedGrant, StoreIdentity, Stranger};

/// The smallest identifier: where the entries of a pair's first half begin.
pub(super) static FIRST_CONTACT: LazyLock<ContactId> = LazyLock::new(|| ContactId::new(Timestamp::EPOCH, 0));
/// The same for links.
static FIRST_LINK: LazyLock<LinkId> = LazyLock::new(|| LinkId::new(Timestamp::EPOCH, 0));

/// What a harm is remembered by.
pub(super) type HarmKey = (AccountName, Harm, ContactId, LetBy);

/// A record of an account.
pub(super) type Record = (AccountName, RemoteId);

#[derive(Debug, Clone)]
pub(super) struct State {
    pub identity: StoreIdentity,
    pub last_marker: u64,
    pub contacts: BTreeMap<ContactId, Contact>,
    /// Keys of living contacts.
    pub keys: BTreeMap<(MatchKey, ContactId), ()>,
    pub changes: BTreeMap<u64, RecordedChange>,
    pub entries: BTreeMap<EntryId, Entry>,
    pub entry_changes: BTreeMap<u64, RecordedEntryChange>,
    /// The newest change of each contact.
    pub feed: BTreeMap<u64, ContactId>,
    /// The place of each contact in `feed`.
    pub newest: BTreeMap<ContactId, u64>,
    pub links: BTreeMap<LinkId, Link>,
    pub link_of_contact: BTreeMap<(ContactId, AccountName), LinkId>,
    pub link_of_remote: BTreeMap<Record, LinkId>,
    pub tokens: BTreeMap<LinkToken, LinkId>,
    pub aliases: BTreeMap<Record, LinkId>,
    pub unsettled: BTreeMap<(AccountName, LinkId), ()>,
    /// Bound links whose photos may differ.
    pub photo_due: BTreeMap<(AccountName, LinkId), ()>,
    pub photos: BTreeMap<Digest, PhotoFile>,
    pub intents: BTreeMap<Marker, Intent>,
    pub intent_of_link: BTreeMap<LinkId, Marker>,
    pub sent: BTreeMap<Marker, Sent>,
    pub accounts: BTreeMap<AccountName, AccountState>,
    pub ghosts: BTreeMap<Record, Timestamp>,
    pub strangers: BTreeMap<Record, Stranger>,
    pub answers: BTreeMap<(AccountName, ContactId, RemoteId), Answer>,
    pub filters: BTreeMap<String, SavedFilter>,
    pub conflicts: BTreeMap<ConflictId, Conflict>,
    pub runs: BTreeMap<RunId, RunRecord>,
    pub harms: BTreeMap<HarmKey, Timestamp>,
    pub leases: BTreeMap<AccountName, LeaseRow>,
    pub grants: BTreeMap<AccountName, SealedGrant>,
}

impl State {
    /// Nothing but an identity.
    pub(super) fn new(identity: StoreIdentity) -> Self {
        State {
            identity,
            last_marker: 0,
            contacts: BTreeMap::new(),
            keys: BTreeMap::new(),
            changes: BTreeMap::new(),
            entries: BTreeMap::new(),
            entry_changes: BTreeMap::new(),
            feed: BTreeMap::new(),
            newest: BTreeMap::new(),
            links: BTreeMap::new(),
            link_of_contact: BTreeMap::new(),
            link_of_remote: BTreeMap::new(),
            tokens: BTreeMap::new(),
            aliases: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            photo_due: BTreeMap::new(),
            photos: BTreeMap::new(),
            intents: BTreeMap::new(),
            intent_of_link: BTreeMap::new(),
            sent: BTreeMap::new(),
            accounts: BTreeMap::new(),
            ghosts: BTreeMap::new(),
            strangers: BTreeMap::new(),
            answers: BTreeMap::new(),
            filters: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            runs: BTreeMap::new(),
            harms: BTreeMap::new(),
            leases: BTreeMap::new(),
            grants: BTreeMap::new(),
        }
    }

    /// The unsettled links of an account, in the order of their ids.
    pub(super) fn unsettled_of(&self, account: &AccountName) -> impl Iterator<Item = LinkId> {
        of_account(&self.unsettled, account)
    }

    /// The links of an account whose photos may differ, in the order of their ids.
    pub(super) fn photo_due_of(&self, account: &AccountName) -> impl Iterator<Item = LinkId> {
        of_account(&self.photo_due, account)
    }

    /// The last place in the feed.
    pub(super) fn feed_end(&self) -> u64 {
        self.feed.keys().next_back().copied().unwrap_or(0)
    }

    /// The last place in the history, which contacts and entries share.
    pub(super) fn last_place(&self) -> u64 {
        let last = [self.changes.keys().next_back(), self.entry_changes.keys().next_back()];
        last.into_iter().flatten().copied().max().unwrap_or(0)
    }

    /// The links of a contact, in the order of their accounts.
    pub(super) fn links_of(&self, contact: ContactId) -> Vec<LinkId> {
        let from = (contact, AccountName::new(""));
        let links = self.link_of_contact.range(from..).take_while(|((owner, _), _)| *owner == contact);
        links.map(|(_, link)| *link).collect()
    }

    /// Removes what is known of an account, and the counter of its replica everywhere.
    pub(super) fn forget(&mut self, account: &AccountName, replica: &ReplicaId) {
        let gone: BTreeSet<LinkId> =
            self.links.values().filter(|link| link.account == *account).map(|link| link.id).collect();
        self.links.retain(|id, _| !gone.contains(id));
        self.link_of_contact.retain(|_, link| !gone.contains(link));
        self.link_of_remote.retain(|_, link| !gone.contains(link));
        self.tokens.retain(|_, link| !gone.contains(link));
        self.aliases.retain(|_, link| !gone.contains(link));
        self.unsettled.retain(|(owner, _), ()| owner != account);
        self.intents.retain(|_, intent| !gone.contains(&intent.link));
        self.intent_of_link.retain(|link, _| !gone.contains(link));
        self.sent.retain(|_, sent| !gone.contains(&sent.link));
        self.conflicts.retain(|_, conflict| conflict.account != *account);
        self.accounts.remove(account);
        self.grants.remove(account);
        self.ghosts.retain(|(owner, _), _| owner != account);
        self.strangers.retain(|(owner, _), _| owner != account);
        self.harms.retain(|(owner, ..), _| owner != account);
        self.answers.retain(|(owner, ..), _| owner != account);
        self.contacts.values_mut().for_each(|contact| contact.version.retire(replica));
        for link in self.links.values_mut() {
            link.acked.retire(replica);
            link.settled.retire(replica);
        }
        self.sent.values_mut().for_each(|sent| sent.version.retire(replica));
    }

    /// Conflicts that wait, by id.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Conflict> {
        self.conflicts.values().filter(|conflict| conflict.resolved.is_none())
    }
}

fn of_account<'m>(
    marked: &'m BTreeMap<(AccountName, LinkId), ()>,
    account: &AccountName,
) -> impl Iterator<Item = LinkId> + use<'m> {
    let from = (account.clone(), *FIRST_LINK);
    let account = account.clone();
    let keys = marked.range(from..).map(|(key, ())| key);
    keys.take_while(move |(owner, _)| *owner == account).map(|key| key.1)
}
