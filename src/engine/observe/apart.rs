//! Records that cannot be placed by what a listing shows of them.
//!
//! A record that names a link which has another one is either that one under a new name, or one too many: direct reads
//! tell. What they leave open too is remembered and asked for again, since the change token moves on.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::{LinkId, RemoteId};
use crate::domain::link::{Link, LinkState, Sighting, Suspicion};
use crate::domain::version::VersionVector;
use crate::engine::{Doing, EngineError, Run, identity};
use crate::remotes::{FRESHNESS_WINDOW, Fetched, Record};
use crate::store::Write;

/// A record that names a link which has another record.
pub(super) struct Doubled {
    pub(super) record: Record,
    pub(super) other: RemoteId,
    /// Whether the other one has changed since.
    pub(super) is_older: bool,
    /// Whether it is from before the other one was made in its stead.
    pub(super) is_former_life: bool,
    /// Whether that was just now, so that a read which does not find the other one proves nothing.
    pub(super) other_may_be_hidden: bool,
    /// Whether the change stream has the other one deleted: that a read does not find it confirms that then, however
    /// lately it changed.
    pub(super) other_is_reported_gone: bool,
    /// Whether it is known as one too many already.
    pub(super) is_folded: bool,
}

impl Run<'_> {
    /// Asks for the other record of each link that has two. Where it is no more, or leads to this one, this one is the
    /// same under a new name, and says so. A late state under a name that leads here no more is left out. Returns apart
    /// those of which it cannot be told yet.
    pub(super) async fn tell_apart(
        &mut self,
        doubled: Vec<Doubled>,
    ) -> Result<(Vec<Record>, Vec<Record>), EngineError> {
        let asked: BTreeSet<&RemoteId> =
            doubled.iter().flat_map(|doubled| [&doubled.record.id, &doubled.other]).collect();
        let Fetched { records: found, unclear } = self.fetch(&asked.into_iter().cloned().collect::<Vec<_>>()).await?;
        let (mut told, mut untold) = (Vec::new(), Vec::new());
        for mut doubled in doubled {
            let Doubled { record, other, is_older, is_former_life, other_may_be_hidden, .. } = &doubled;
            let other_is_gone = doubled.other_is_reported_gone;
            let is_unclear = unclear.contains(&record.id) || unclear.contains(other);
            let (found, found_other) = (found.get(&record.id), found.get(other));
            // Listed before a direct read shows it, or the other one is not shown yet.
            let is_untold = match (found, found_other) {
                _ if is_unclear => true,
                (None, Some(_)) => *is_older && self.is_fresh(record),
                // Nor is either of the two.
                (None, None) => *other_may_be_hidden || *is_older && self.is_fresh(record),
                // A create that went through twice, and one of the two was edited: that the other one is not found proves
                // nothing yet, and taken for this one it would show up as somebody new.
                (Some(own), None) => own.id == record.id && *other_may_be_hidden && !other_is_gone,
                // What a listing and a read show may both be from before it got the other name.
                (Some(own), _) => own.id == record.id && (*is_older || *is_former_life) && *other_may_be_hidden,
            };
            let is_stale = match found {
                None => *is_older,
                Some(own) => own.id != record.id,
            };
            if is_untold {
                untold.push(doubled);
            } else if !is_stale {
                if found_other.is_none_or(|other| other.id == record.id) {
                    doubled.record.former_ids.push(doubled.other);
                }
                told.push(doubled.record);
            }
        }
        // What was folded is remembered, and not deleted before it is told apart.
        let (folded, untold): (Vec<Doubled>, Vec<Doubled>) = untold.into_iter().partition(|one| one.is_folded);
        self.waiting += folded.len() as u64;
        Ok((told, untold.into_iter().map(|one| one.record).collect()))
    }

    /// Whether a record changed so recently that a read may not show it yet.
    fn is_fresh(&self, record: &Record) -> bool {
        record.time.is_some_and(|time| self.remote_now().since(time) < FRESHNESS_WINDOW)
    }

    /// Remembers a record that cannot be told from another yet; `suspects` asks for it, and it comes in here once more.
    pub(super) fn look_again_at(&mut self, record: Record) -> Write {
        self.waiting += 1;
        let now = self.now();
        Write::Link(Box::new(Link {
            id: LinkId::new(now, self.deps.entropy.next_u128()),
            account: self.order.promise.account.clone(),
            contact: None,
            state: LinkState::Found,
            remote: Some(record.id),
            incarnation: 1,
            token: identity::random_token(self.deps.entropy),
            base: None,
            acked: VersionVector::new(),
            settled: VersionVector::new(),
            etag: None,
            remote_time: record.time,
            changed_at: now,
            seen: Some(Sighting::Suspect { cause: Suspicion::Absence, at: now }),
            own_delete: false,
            parked: None,
            map_revision: self.deps.remote.codec().map_revision(),
            wanted: BTreeSet::new(),
            leaving: BTreeSet::new(),
            member_of: BTreeSet::new(),
            former: None,
            photo: Box::default(),
        }))
    }

    /// Has records read once more whose listed state could not be ordered, and of which a direct read told nothing.
    /// `pending` is on its way to the store.
    pub(super) async fn still_unclear(
        &self,
        unclear: &BTreeSet<RemoteId>,
        pending: &[Write],
    ) -> Result<Vec<Write>, EngineError> {
        let ids: Vec<RemoteId> = unclear.iter().cloned().collect();
        let stored =
            self.deps.store.links_of_remotes(&self.order.promise.account, &ids).await.doing("reading links")?;
        let mut links: BTreeMap<LinkId, Link> = stored.into_iter().map(|(_, link)| (link.id, link)).collect();
        for write in pending {
            if let Write::Link(link) = write {
                links.insert(link.id, (**link).clone());
            }
        }
        links.retain(|_, link| link.remote.as_ref().is_some_and(|remote| unclear.contains(remote)));
        let doubtful = |mut link: Link| {
            link.etag = None;
            link.seen = Some(Sighting::Suspect { cause: Suspicion::Absence, at: self.now() });
            Write::Link(Box::new(link))
        };
        Ok(links.into_values().map(doubtful).collect())
    }
}
