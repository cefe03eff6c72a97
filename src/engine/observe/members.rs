//! Whether the groups of the pairs have as many members as the links account for.
//!
//! The change stream of contacts need not show that somebody was put into a group, or taken out of it. The count of
//! members does, and every run reads it with the groups. Where it is not explained, the members themselves are read, and
//! every record that is in the group for only one of the two sides is read directly.
//!
//! Not every member has to belong to a link: how many do not is remembered whenever everybody was looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::Fetched;
use crate::domain::account::PairGroup;
use crate::domain::id::{GroupId, LinkToken, RemoteId};
use crate::domain::link::{Link, LinkState, Sighting, Suspicion};
use crate::engine::reached::{self, Situation};
use crate::engine::{Doing, EngineError, Purpose, Run};
use crate::remotes::{FRESHNESS_WINDOW, Record, Recovery};
use crate::store::Write;

/// How many members of a group are looked up in the store at once.
const MEMBERS_CHUNK: usize = 500;

/// How many of the members that differ were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    Full,
    /// The next runs compare again; see [`Run::leave_open`].
    Partial,
}

impl Run<'_> {
    /// After a full listing: everybody was looked at.
    pub(super) fn members_are_compared(&mut self) {
        let groups = self.state.pair_groups.iter().filter(|group| !group.deleted);
        self.compared.extend(groups.map(|group| group.group.clone()));
    }

    /// After the change stream: reads the members of every group whose count is not explained by what is known.
    pub(super) async fn compare_members(&mut self) -> Result<(), EngineError> {
        let known = self.known_sizes().await?;
        let is_odd = |group: &&PairGroup| {
            !group.deleted && group.outsiders != Some(difference(group.members, known.get(&group.group)))
        };
        let odd: Vec<GroupId> = self.state.pair_groups.iter().filter(is_odd).map(|group| group.group.clone()).collect();
        for group in odd {
            self.check_stop()?;
            reached::note(Situation::MembersDiffer);
            let Some(members) = self.members_of(&group).await? else {
                self.leave_open(&group, known.get(&group));
                continue;
            };
            let coverage = self.look_at_differences(&group, &members).await?;
            let is_counted = |known: &PairGroup| known.group == group && known.members == members.len() as u64;
            // One that is counted and not shown yet, or the other way round, would be missed for good.
            if coverage == Coverage::Full && self.state.pair_groups.iter().any(is_counted) {
                self.compared.insert(group);
            } else {
                self.leave_open(&group, known.get(&group));
            }
        }
        Ok(())
    }

    /// Has the next runs compare the group again, for as long as what a read shows may be late. What is odd even then, with
    /// so many `accounted` for, is left to the full listings until the count changes.
    fn leave_open(&mut self, group: &GroupId, accounted: Option<&u64>) {
        let now = self.now();
        let Some(known) = self.state.pair_groups.iter_mut().find(|known| known.group == *group) else { return };
        // The clock may have been ahead when that was noted.
        let since = known.odd_since.map_or(now, |since| since.min(now));
        known.odd_since = Some(since);
        if now.since(since) >= FRESHNESS_WINDOW {
            known.outsiders = Some(difference(known.members, accounted));
            known.odd_since = None;
            self.given_up.insert(group.clone());
        }
    }

    /// Remembers how many members of the groups that were compared belong to no link. To be called once it is decided who
    /// is taken in, and before anything is written to the remote.
    pub(crate) async fn count_outsiders(&mut self) -> Result<(), EngineError> {
        let (compared, given_up) = (std::mem::take(&mut self.compared), std::mem::take(&mut self.given_up));
        if compared.is_empty() && given_up.is_empty() || self.order.purpose == Purpose::Preview {
            return Ok(());
        }
        let known = self.known_sizes().await?;
        // What was settled since may have left fewer of them to look at.
        let is_odd_anew = |group: &&PairGroup| {
            given_up.contains(&group.group)
                && group.outsiders != Some(difference(group.members, known.get(&group.group)))
        };
        self.left_over += self.state.pair_groups.iter().filter(is_odd_anew).count() as u64;
        if compared.is_empty() {
            return Ok(());
        }
        for group in self.state.pair_groups.iter_mut().filter(|group| compared.contains(&group.group)) {
            group.outsiders = Some(difference(group.members, known.get(&group.group)));
            group.odd_since = None;
        }
        let state = Write::Account(Box::new(self.state.clone()));
        self.commit(vec![state], "recording the size of the groups").await
    }

    async fn known_sizes(&self) -> Result<BTreeMap<GroupId, u64>, EngineError> {
        self.deps.store.group_sizes(&self.order.promise.account).await.doing("counting the members of groups")
    }

    /// The members of a group; `None` when they cannot be read, which large groups are known to bar.
    pub(crate) async fn members_of(&self, group: &GroupId) -> Result<Option<BTreeSet<RemoteId>>, EngineError> {
        match self.deps.remote.group_members(group).await {
            Ok(members) => Ok(Some(members.into_iter().collect())),
            Err(cause)
                if matches!(cause.recovery(), Recovery::RetryAfter(_) | Recovery::AskConsent | Recovery::SetUp) =>
            {
                Err(EngineError::Remote { doing: "reading the members of a group", cause })
            }
            Err(error) => {
                tracing::debug!(
                    account = %self.order.promise.account, error = &error as &dyn std::error::Error,
                    "the members of a group cannot be read; the listings have to tell"
                );
                Ok(None)
            }
        }
    }

    /// Reads the records that are in the group only according to one side. One that got another name is on both: where
    /// there are some of either, only those that are known are asked for, and the listings tell who the others are.
    async fn look_at_differences(
        &mut self,
        group: &GroupId,
        members: &BTreeSet<RemoteId>,
    ) -> Result<Coverage, EngineError> {
        let account = &self.order.promise.account;
        let known = self.deps.store.remotes_in(account, group).await.doing("reading the members of a group")?;
        let missing: Vec<RemoteId> = known.difference(members).cloned().collect();
        let unknown: Vec<RemoteId> = members.difference(&known).cloned().collect();
        let (differing, mut coverage) = match (missing.is_empty(), unknown.is_empty()) {
            (false, false) => (missing, Coverage::Partial),
            (false, true) => (missing, Coverage::Full),
            (true, _) => (unknown, Coverage::Full),
        };
        let mut lost = Vec::new();
        for ids in differing.chunks(MEMBERS_CHUNK) {
            self.check_stop()?;
            let account = &self.order.promise.account;
            let links = self.deps.store.links_of_remotes(account, ids).await.doing("reading links")?;
            // Who is in doubt already is asked for by `suspects`, which knows what an early answer is worth.
            let doubted: BTreeSet<&RemoteId> =
                links.iter().filter(|(_, link)| is_doubted(link)).map(|(remote, _)| remote).collect();
            let ids: Vec<RemoteId> = ids.iter().filter(|id| !doubted.contains(id)).cloned().collect();
            let Fetched { mut records, unclear } = self.fetch(&ids).await?;
            let (unread, unfound): (Vec<_>, Vec<_>) =
                ids.into_iter().filter(|id| !records.contains_key(id)).partition(|id| unclear.contains(id));
            // A member that a read does not find, or finds elsewhere, is there all the same; one of the two is late.
            let contradicts = |record: &Record| record.groups.contains(group) != members.contains(&record.id);
            if !unread.is_empty() || unfound.iter().any(|id| members.contains(id)) || records.values().any(contradicts)
            {
                coverage = Coverage::Partial;
            }
            lost.extend(unfound);
            let strange = self.named_otherwise(records.values()).await?;
            if !strange.is_empty() && !self.is_odd_for_long(group) {
                coverage = Coverage::Partial;
                records.retain(|_, record| !strange.contains(&record.id));
            }
            let writes = self.observe_records(records.into_values().collect()).await?;
            self.commit(writes, "recording who is in a group").await?;
        }
        self.doubt_lost(&lost).await?;
        Ok(coverage)
    }

    /// Whether a group has been odd for so long that reads must show what there is.
    fn is_odd_for_long(&self, group: &GroupId) -> bool {
        let known = self.state.pair_groups.iter().find(|known| known.group == *group);
        known.and_then(|known| known.odd_since).is_some_and(|since| !self.is_recent(since))
    }

    /// The records that carry the token of a link which has another record: an early direct read does not say whether they
    /// are the same under another name.
    async fn named_otherwise(&self, records: impl Iterator<Item = &Record>) -> Result<BTreeSet<RemoteId>, EngineError> {
        let by_token: BTreeMap<LinkToken, RemoteId> =
            records.filter_map(|record| Some((record.tag.as_ref()?.token.clone(), record.id.clone()))).collect();
        let tokens: Vec<LinkToken> = by_token.keys().cloned().collect();
        let links = self.links_of_tokens(&tokens).await?;
        let other = links.into_iter().filter_map(|(token, link)| {
            let id = by_token.get(&token)?;
            let is_other =
                link.account == self.order.promise.account && link.remote.as_ref().is_some_and(|own| own != id);
            is_other.then(|| id.clone())
        });
        Ok(other.collect())
    }

    /// Records that are neither members any more nor found may be gone, unless they got another name.
    async fn doubt_lost(&mut self, lost: &[RemoteId]) -> Result<(), EngineError> {
        let links = self.deps.store.links_of_remotes(&self.order.promise.account, lost).await.doing("reading links")?;
        let at = self.now();
        let own = links.into_iter().filter(|(remote, link)| link.remote.as_ref() == Some(remote));
        let settled = own.filter(|(_, link)| link.state == LinkState::Bound && link.seen.is_none());
        let writes = settled.map(|(_, mut link)| {
            link.seen = Some(Sighting::Suspect { cause: Suspicion::Absence, at });
            Write::Link(Box::new(link))
        });
        let writes = writes.collect();
        self.commit(writes, "noting who was not found").await
    }

    /// The groups that a link's record is known to be in.
    pub(crate) fn known_groups(&self, link: &Link) -> BTreeSet<GroupId> {
        let has_record = !matches!(link.state, LinkState::Need | LinkState::Creating | LinkState::Gone);
        let wire = match &link.seen {
            Some(Sighting::Present { wire, .. }) => Some(wire),
            Some(Sighting::Gone { .. }) => None,
            Some(Sighting::Suspect { .. }) | None => link.base.as_ref().filter(|_| has_record).map(|base| &base.remote),
        };
        wire.filter(|_| link.remote.is_some()).map(|wire| self.deps.remote.codec().groups(wire)).unwrap_or_default()
    }
}

fn is_doubted(link: &Link) -> bool {
    matches!(link.seen, Some(Sighting::Suspect { .. }))
}

/// How many members more there are than are known.
fn difference(members: u64, known: Option<&u64>) -> i64 {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    signed(members) - signed(known.copied().unwrap_or(0))
}
