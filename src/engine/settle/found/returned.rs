//! A record that was taken for gone and is there again, while its link has no other one and will not get one: the contact
//! is not selected, or nothing is made in its account. The link goes on with it; to fold it would be to delete the only
//! record there is.

use std::collections::BTreeSet;

use super::{Candidate, Settled};
use crate::domain::id::ContactId;
use crate::domain::link::{Link, LinkState};
use crate::domain::pair::Direction;
use crate::domain::version::VersionVector;
use crate::engine::decide::Decision;
use crate::engine::held::Held;
use crate::engine::organizations::Organizations;
use crate::engine::reached::{self, Situation};
use crate::engine::{Doing, EngineError, Run};
use crate::store::Write;

impl Run<'_> {
    /// Whether a link without a record stays without one, unless a former one comes back.
    pub(super) fn gets_no_record(&self, link: &Link) -> bool {
        let is_only_read = self.order.promise.direction == Direction::FromRemote;
        link.remote.is_none() && (is_only_read || link.state == LinkState::Unselected)
    }

    /// Lets the link of a contact go on with its former record, from what both sides agreed on before it went.
    pub(super) async fn take_back(
        &mut self,
        candidate: Candidate,
        original: &Link,
        held: &Held,
        organizations: &mut Organizations,
    ) -> Result<Settled, EngineError> {
        let ids: Vec<ContactId> = original.contact.into_iter().collect();
        let contacts = self.deps.store.contacts(&ids).await.doing("reading contacts")?;
        let Some(contact) = contacts.into_iter().next() else { return Ok(Settled::default()) };
        let found = candidate.link;
        let mut writes = vec![Write::DropLink(found.id)];
        let link = Link {
            remote: found.remote,
            base: found.base,
            etag: found.etag,
            remote_time: found.remote_time,
            changed_at: found.changed_at,
            seen: found.seen,
            member_of: found.member_of,
            photo: found.photo,
            state: LinkState::Bound,
            former: None,
            acked: VersionVector::new(),
            settled: VersionVector::new(),
            leaving: BTreeSet::new(),
            ..original.clone()
        };
        reached::note(Situation::FormerRecordTakenBack);
        let pair_groups = self.pair_groups();
        let decision = Decision::about(&link, &contact, &self.rulebook(held, &pair_groups));
        let operations = super::super::operations_of(&link, &contact, &decision);
        if self.is_left_alone(&link, &operations) {
            return Ok(Settled::default());
        }
        let mut settled = self.apply(link, contact, decision, operations, organizations);
        writes.append(&mut settled.writes);
        settled.writes = writes;
        Ok(settled)
    }
}
