//! Looks for records among the members of the pairs' groups, by the tokens they carry.
//!
//! Direct reads show a record long before the listings do, and an entry of the change stream can get lost. So a record
//! whose create was never answered, or one that seems to be gone and may have got another name, is looked for where it
//! would stand. That it is not found there proves nothing.

use std::collections::BTreeSet;

use super::{Doing, EngineError, Run};
use crate::domain::id::{GroupId, LinkToken, RemoteId};
use crate::remotes::{Record, Recovery};

/// How many members of a group are looked up in the store at once.
const MEMBERS_CHUNK: usize = 500;

impl Run<'_> {
    /// Observes the members of these groups that belong to no link yet and carry one of these tokens. Whoever else is
    /// there is for the listings to tell, which know who was renamed.
    pub(crate) async fn search_groups(
        &mut self,
        groups: &BTreeSet<GroupId>,
        tokens: &BTreeSet<LinkToken>,
    ) -> Result<(), EngineError> {
        let mut left = tokens.len();
        for chunk in self.unknown_members(groups).await?.chunks(self.deps.remote.limits().fetch) {
            if left == 0 {
                break;
            }
            self.check_stop()?;
            let mut found: Vec<Record> = self.fetch(chunk).await?.records.into_values().collect();
            found.retain(|record| record.tag.as_ref().is_some_and(|tag| tokens.contains(&tag.token)));
            left = left.saturating_sub(found.len());
            let writes = self.observe_records(found).await?;
            self.commit(writes, "recording what was found in the groups").await?;
        }
        Ok(())
    }

    /// The members of groups that belong to no link.
    async fn unknown_members(&mut self, groups: &BTreeSet<GroupId>) -> Result<Vec<RemoteId>, EngineError> {
        let mut unknown = BTreeSet::new();
        for group in groups {
            self.check_stop()?;
            match self.deps.remote.group_members(group).await {
                Ok(members) => unknown.extend(members),
                Err(cause)
                    if matches!(cause.recovery(), Recovery::RetryAfter(_) | Recovery::AskConsent | Recovery::SetUp) =>
                {
                    return Err(EngineError::Remote { doing: "reading the members of a group", cause });
                }
                // Looking is a short cut, which large groups are known to bar: the listings will tell as well.
                Err(error) => tracing::debug!(
                    account = %self.order.promise.account, error = &error as &dyn std::error::Error,
                    "the members of a group cannot be read; the listings have to tell"
                ),
            }
        }
        let members: Vec<RemoteId> = unknown.iter().cloned().collect();
        for ids in members.chunks(MEMBERS_CHUNK) {
            let account = &self.order.promise.account;
            for (remote, _) in self.deps.store.links_of_remotes(account, ids).await.doing("reading links")? {
                unknown.remove(&remote);
            }
        }
        Ok(unknown.into_iter().collect())
    }
}
