//! Step 6: contacts of the store that belong to the account and are not linked yet.
//!
//! The store's change feed names every contact that changed since it was last read, new ones included. The place in the
//! feed moves in the transaction that opens the links, so that no contact is skipped and none is looked at twice.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::{self, Subject};
use super::push::News;
use super::{CHUNK, Doing, EngineError, Run};
use crate::domain::account::{AccountState, PairGroup};
use crate::domain::contact::{Card, Contact};
use crate::domain::id::{ContactId, GroupId, LinkId};
use crate::domain::link::{Link, LinkState, Sighting, Suspicion};
use crate::domain::pair::{Direction, Promise};
use crate::domain::version::VersionVector;
use crate::store::Write;

/// The groups of the pairs at the remote.
#[derive(Debug, Clone, Default)]
pub(crate) struct PairGroups {
    /// By the pair's place in the promise; `None` where the group was deleted.
    of_pair: Vec<Option<GroupId>>,
    /// The deleted ones.
    lost: BTreeSet<GroupId>,
}

impl PairGroups {
    /// The group of the pair at this place of the promise.
    pub(crate) fn of(&self, place: usize) -> Option<&GroupId> {
        self.of_pair.get(place)?.as_ref()
    }

    /// All that are there.
    pub(crate) fn live(&self) -> impl Iterator<Item = &GroupId> {
        self.of_pair.iter().flatten()
    }

    /// Whether any of these groups is a pair's.
    pub(crate) fn hold_any(&self, groups: &BTreeSet<GroupId>) -> bool {
        self.live().any(|group| groups.contains(group))
    }

    /// Whether a contact is kept equal only for pairs whose group was deleted: nothing happens to it until a person has
    /// answered for the group. `groups` are those of its record.
    pub(crate) fn keep_waiting(&self, promise: &Promise, card: &Card, groups: &BTreeSet<GroupId>) -> bool {
        let (live, lost): (Vec<_>, Vec<_>) = promise.selecting(card).partition(|(place, _)| self.of(*place).is_some());
        live.is_empty() && !self.hold_any(groups) && (!lost.is_empty() || !self.lost.is_disjoint(groups))
    }
}

impl Run<'_> {
    /// Opens links for contacts that belong to the account and have none. A link that was set aside and is wanted again
    /// is news: its record has to be looked at first.
    pub(crate) async fn open_links(&mut self) -> Result<News, EngineError> {
        let mut news = News::None;
        // New settings: links are looked at again although neither side changed.
        let anew = self.has_new_settings();
        loop {
            self.check_stop()?;
            let store = self.deps.store;
            let changed =
                store.changed_contacts(self.state.feed_position, CHUNK).await.doing("reading the change feed")?;
            let Some((_, position)) = changed.last().copied() else {
                self.state.settings = Some(self.settings());
                return Ok(news);
            };
            let ids: Vec<ContactId> = changed.into_iter().map(|(id, _)| id).collect();
            let contacts = store.contacts(&ids).await.doing("reading contacts")?;
            let links = store.links_of_contacts(&self.order.promise.account, &ids).await.doing("reading links")?;
            let links: BTreeMap<ContactId, Link> =
                links.into_iter().filter_map(|link| Some((link.contact?, link))).collect();
            let mut writes = Vec::new();
            for contact in &contacts {
                let opened = match links.get(&contact.id) {
                    None => self.open(contact),
                    Some(link) => self.reopen(contact, link, anew, &mut writes),
                };
                let Some(link) = opened else { continue };
                if link.seen.is_some() {
                    news = News::Some;
                }
                writes.push(Write::Link(Box::new(link)));
            }
            let state = AccountState { feed_position: position, ..self.state.clone() };
            writes.push(Write::Account(Box::new(state.clone())));
            self.commit(writes, "opening links").await?;
            // Not before: the end of a run is recorded even if this was refused.
            self.state = state;
        }
    }

    fn open(&self, contact: &Contact) -> Option<Link> {
        if !self.is_wanted(contact) {
            return None;
        }
        let now = self.now();
        let account = self.order.promise.account.clone();
        Some(Link {
            id: LinkId::new(now, self.deps.entropy.next_u128()),
            contact: Some(contact.id),
            state: LinkState::Need,
            remote: None,
            incarnation: 1,
            token: identity::token(&self.identity, &account, &Subject::Contact(contact.id), 1),
            account,
            base: None,
            acked: VersionVector::new(),
            settled: VersionVector::new(),
            etag: None,
            remote_time: None,
            changed_at: now,
            seen: None,
            own_delete: false,
            parked: None,
            map_revision: self.deps.remote.codec().map_revision(),
            wanted: BTreeSet::new(),
            leaving: BTreeSet::new(),
            member_of: BTreeSet::new(),
            former: None,
            photo: Box::default(),
        })
    }

    /// Looks at a link again; what else that takes goes into `writes`.
    fn reopen(&self, contact: &Contact, link: &Link, anew: bool, writes: &mut Vec<Write>) -> Option<Link> {
        let mut link = link.clone();
        match link.state {
            // Restored in the store after its record was deleted. One that seems to be there again is asked for first.
            LinkState::Gone if link.seen.is_some() => return None,
            LinkState::Gone if self.is_wanted(contact) => writes.extend(self.renew(&mut link)),
            LinkState::Unselected if self.is_wanted(contact) || self.is_wanted_back(contact, &link) => {
                self.take_up(&mut link);
            }
            LinkState::Bound if anew => {
                self.remap(&mut link);
                self.look_again(&mut link);
            }
            _ => return None,
        }
        Some(link)
    }

    /// Has a link looked at although neither side changed. Edits of the record that did not go into the store so far do so
    /// now, when the direction has changed.
    fn look_again(&self, link: &mut Link) {
        link.settled = VersionVector::new();
        if let Some(base) = link.base.as_ref().filter(|base| self.pulls() && base.agreed.is_some())
            && link.seen.is_none()
        {
            link.seen = Some(Sighting::Present { wire: base.remote.clone(), at: self.now() });
        }
    }

    /// Takes up a link that was set aside. What happened to its record meanwhile was not followed, so nothing may be
    /// written before it was read; where there is none, it has to be made.
    pub(crate) fn take_up(&self, link: &mut Link) {
        link.settled = VersionVector::new();
        if link.remote.is_none() {
            link.state = LinkState::Need;
            return;
        }
        link.state = LinkState::Bound;
        link.seen = Some(Sighting::Suspect { cause: Suspicion::Absence, at: self.now() });
        link.etag = None;
        link.remote_time = None;
    }

    pub(crate) fn is_wanted(&self, contact: &Contact) -> bool {
        contact.is_live()
            && !contact.implicit
            && self.order.promise.direction != Direction::FromRemote
            && self.order.promise.selecting(&contact.card).next().is_some()
    }

    /// Whether a contact, selected by a label or by the group that its record was left in, has a record to go on with.
    fn is_wanted_back(&self, contact: &Contact, link: &Link) -> bool {
        contact.is_live()
            && !contact.implicit
            && link.remote.is_some()
            && self.belongs(&contact.card, &self.groups_of(link))
    }

    /// What is known of the groups of the pairs.
    pub(crate) fn pair_groups(&self) -> PairGroups {
        let pairs = &self.order.promise.pairs;
        let known = |name: &str| self.state.pair_groups.iter().find(|group| group.configured == *name);
        let live = |known: &PairGroup| (!known.deleted).then(|| known.group.clone());
        PairGroups {
            of_pair: pairs.iter().map(|pair| known(&pair.group).and_then(live)).collect(),
            lost: pairs
                .iter()
                .filter_map(|pair| known(&pair.group).filter(|known| known.deleted))
                .map(|known| known.group.clone())
                .collect(),
        }
    }

    /// The groups of the pairs that select a card, as far as they exist.
    pub(crate) fn groups_wanted(&self, card: &Card) -> BTreeSet<GroupId> {
        let known = self.pair_groups();
        self.order.promise.selecting(card).filter_map(|(place, _)| known.of(place).cloned()).collect()
    }

    /// Whether a contact with this card and its record in these groups are to be kept equal at all.
    pub(crate) fn belongs(&self, card: &Card, groups: &BTreeSet<GroupId>) -> bool {
        self.order.promise.selecting(card).next().is_some() || self.pair_groups().hold_any(groups)
    }

    /// Those of them that a record is not in.
    pub(crate) fn groups_missing(&self, card: &Card, groups: &BTreeSet<GroupId>) -> BTreeSet<GroupId> {
        self.groups_wanted(card).difference(groups).cloned().collect()
    }
}
