//! Looks for records among the members of the pairs' groups, by the tokens they carry.
//!
//! Direct reads show a record long before the listings do, and an entry of the change stream can get lost. So a record
//! whose create was never answered, or one that seems to be gone and may have got another name, is looked for where it
//! would stand. That it is not found there proves nothing.

use std::collections::BTreeSet;

use super::observe::is_undecided;
use super::{Doing, EngineError, Run};
use crate::domain::contact::{Card, Kind};
use crate::domain::dialling::HomeRegion;
use crate::domain::id::{GroupId, LinkToken, RemoteId};
use crate::domain::matching::Face;
use crate::remotes::Record;

/// Which of the members that were asked for a read shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Everyone.
    All,
    /// Not everyone: some were put there so recently that only the group knows of them, or are no more.
    Some,
}

/// What is looked for.
#[derive(Default)]
pub(crate) struct Wanted {
    /// The tokens that the records carry.
    pub(crate) tokens: BTreeSet<LinkToken>,
    /// What records say that never got a tag from us.
    pub(crate) untagged: Vec<Card>,
}

impl Wanted {
    /// Whether a record without our tag that says this may be one of those that never got it.
    fn may_be(&self, card: &Card, home: Option<HomeRegion>) -> bool {
        let face = Face::of(card, home);
        self.untagged.iter().any(|known| !face.keys().is_disjoint(Face::of(known, home).keys()))
    }
}

/// How many members of a group are looked up in the store at once.
const MEMBERS_CHUNK: usize = 500;

impl Run<'_> {
    /// Observes the members of these groups that may be one of these and of which nothing has been decided yet. Whoever else is there is
    /// for the listings to tell, which know who was renamed. Returns whether members are there that no read shows yet.
    pub(crate) async fn search_groups(
        &mut self,
        groups: &BTreeSet<GroupId>,
        wanted: &Wanted,
    ) -> Result<Shown, EngineError> {
        let home = self.order.promise.home;
        let mut shown = Shown::All;
        let mut left = wanted.tokens.len();
        for chunk in self.unknown_members(groups).await?.chunks(self.deps.remote.limits().fetch) {
            if left == 0 && wanted.untagged.is_empty() {
                break;
            }
            self.check_stop()?;
            let mut found: Vec<Record> = self.fetch(chunk).await?.records.into_values().collect();
            if found.len() < chunk.len() {
                shown = Shown::Some;
            }
            found.retain(|record| match &record.tags[..] {
                [] => wanted.may_be(&self.deps.remote.codec().read(&record.wire, Kind::Person).card, home),
                tags => tags.iter().any(|tag| wanted.tokens.contains(&tag.token)),
            });
            left = left.saturating_sub(found.iter().filter(|record| record.tag.is_some()).count());
            let writes = self.observe_records(found).await?;
            self.commit(writes, "recording what was found in the groups").await?;
        }
        Ok(shown)
    }

    /// The members of groups of which it has not been decided whose they are.
    async fn unknown_members(&mut self, groups: &BTreeSet<GroupId>) -> Result<Vec<RemoteId>, EngineError> {
        let mut unknown = BTreeSet::new();
        for group in groups {
            self.check_stop()?;
            unknown.extend(self.members_of(group).await?.unwrap_or_default());
        }
        let members: Vec<RemoteId> = unknown.iter().cloned().collect();
        for ids in members.chunks(MEMBERS_CHUNK) {
            let account = &self.order.promise.account;
            let links = self.deps.store.links_of_remotes(account, ids).await.doing("reading links")?;
            for (remote, _) in links.into_iter().filter(|(_, link)| !is_undecided(link)) {
                unknown.remove(&remote);
            }
        }
        Ok(unknown.into_iter().collect())
    }
}
