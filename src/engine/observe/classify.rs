//! Whose record it is, and whether it says anything new.
//!
//! The rules are those of a link's life: identity by id, by a former id, then by our tag; the remote's own time orders
//! states of one record; the marker in our tag says which of our writes a state descends from, so that a lost answer
//! never leaves the base in doubt.

use std::collections::BTreeSet;

use super::bearing::{Bearing, bearing, former_life, is_looked_at_again, is_provisional};
use super::{Doubled, Page, Run, Source};
use crate::domain::contact::{Card, Kind};
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::harm::{Harm, Side};
use crate::domain::id::{GroupId, LinkId, Marker, RemoteId};
use crate::domain::link::{Base, Certainty, Former, Link, LinkState, PhotoTrail, Sighting, Suspicion};
use crate::domain::normal;
use crate::domain::outbox::{IntentKind, Sent};
use crate::domain::pair::Strangers;
use crate::domain::version::VersionVector;
use crate::engine::identity::{self, Subject};
use crate::engine::reached::{self, Situation};
use crate::engine::rules::{self, Rule};
use crate::engine::settle::is_folded_twin;
use crate::remotes::{Codec, FRESHNESS_WINDOW, Presence, Record};
use crate::store::{Ghost, Stranger, Write};

impl Run<'_> {
    /// Classifies one record of a page.
    pub(super) fn classify(&mut self, page: &mut Page, record: Record) {
        if record.presence == Presence::Present && is_looked_at_again(page, &record) {
            forget_found(page, &record);
        }
        match bearing(page, &record) {
            Bearing::Own(id) => self.classify_own(page, id, record),
            // It was renamed before we deleted it under a name that led nowhere any more.
            Bearing::Renamed(id) if self.outlived_own_deletion(page, id, &record) => {
                forget_found(page, &record);
                self.classify_twin(page, id, record);
            }
            Bearing::Renamed(id) => {
                reached::note(Situation::RecordRenamed);
                inherit_base(page, self.deps.remote.codec(), id, &record);
                forget_found(page, &record);
                if self.outlived_own_deletion(page, id, &record) {
                    revive(page, id);
                }
                rename(page, id, &record);
                self.classify_own(page, id, record);
            }
            Bearing::Awaited(id) => self.bind(page, id, record),
            Bearing::Twin(id) => self.classify_twin(page, id, record),
            Bearing::Former => reached::note(Situation::FormerNameDeleted),
            Bearing::None => self.classify_unlinked(page, record, IsTwin::No, None),
        }
    }

    fn classify_own(&mut self, page: &mut Page, id: LinkId, record: Record) {
        let now = self.now();
        let Some(mut link) = page.links.get(&id).cloned() else { return };
        if record.presence == Presence::Deleted {
            match link.state {
                LinkState::Found => {
                    page.writes.extend(self.drop_answers(&record.id));
                    page.changed.remove(&id);
                    page.links.remove(&id);
                    page.by_remote.remove(&record.id);
                    page.writes.push(Write::DropLink(id));
                    page.writes.push(Write::Ghost(self.ghost(record.id)));
                    return;
                }
                LinkState::Gone => {
                    reached::note(Situation::TombstoneOfDeletedLink);
                    return;
                }
                LinkState::Need
                | LinkState::Creating
                | LinkState::Bound
                | LinkState::Unselected
                | LinkState::Dormant => {
                    if matches!(link.seen, Some(Sighting::Gone { .. })) {
                        return;
                    }
                    reached::note(Situation::Tombstone);
                    link.seen = Some(Sighting::Suspect { cause: Suspicion::Tombstone, at: now });
                }
            }
            return keep(page, link);
        }
        if self.contradicts_own_move(page, &link, &record) {
            reached::note(Situation::OwnMoveNotShown);
            self.waiting += 1;
            link.seen = Some(Sighting::Suspect { cause: Suspicion::Absence, at: now });
            return keep(page, link);
        }
        match order(&link, &record) {
            Order::Late if page.source == Source::Listing && may_have_returned(&link, &record) => {
                reached::note(Situation::ReturnSuspected);
                if matches!(link.seen, None | Some(Sighting::Gone { .. })) {
                    link.seen = Some(Sighting::Suspect { cause: Suspicion::Return, at: now });
                }
                keep(page, link);
            }
            Order::Late if rules::holds(Rule::OrderByRemoteTime) => {
                reached::note(Situation::StateLate);
                // What we moved ourselves has not shown yet: its link stays in doubt, and the run is not done.
                self.waiting += u64::from(link.etag.is_none() && matches!(link.seen, Some(Sighting::Suspect { .. })));
            }
            Order::Late => self.accept(page, link, record),
            Order::Echo => {
                reached::note(Situation::StateEcho);
                if is_doubted(&link) {
                    self.note_news(&mut link, &record);
                    keep(page, link);
                } else if self.shows_another_photo(&link, &record) {
                    if let Some(base) = &mut link.base {
                        base.remote = record.wire;
                    }
                    keep(page, link);
                }
            }
            Order::Unclear => {
                reached::note(Situation::StateUnclear);
                if self.says_the_same(&link, &record) {
                    link.etag.clone_from(&record.etag);
                    if is_doubted(&link) {
                        self.note_news(&mut link, &record);
                    }
                    if let Some(base) = &mut link.base {
                        base.remote = record.wire;
                    }
                    keep(page, link);
                } else if page.source == Source::Read || !rules::holds(Rule::UnclearIsRead) {
                    self.accept(page, link, record);
                } else {
                    page.open.unclear.push(record.id);
                }
            }
            Order::Newer => {
                reached::note(Situation::StateNewer);
                self.accept(page, link, record);
            }
        }
    }

    /// Whether a record is in other groups of pairs than we moved it to a short while ago. It may not show yet; until it
    /// must, nobody is taken to have moved it back.
    fn contradicts_own_move(&self, page: &Page, link: &Link, record: &Record) -> bool {
        let Some(base) = link.base.as_ref().filter(|_| link.etag.is_none() && self.may_be_hidden(link)) else {
            return false;
        };
        if !link.leaving.is_disjoint(&record.groups) {
            return true;
        }
        let meant = self.deps.remote.codec().read(&base.remote, base.store.kind()).groups;
        let of_pairs = |groups: &BTreeSet<GroupId>| -> BTreeSet<GroupId> {
            groups.intersection(&page.pair_groups).cloned().collect()
        };
        of_pairs(&meant) != of_pairs(&record.groups)
    }

    /// A record that names a link which has another one. When that one is no more, this one has taken its place: it was
    /// renamed, merged into this one, or taken out of the trash under another name. Else it is one too many.
    fn classify_twin(&mut self, page: &mut Page, id: LinkId, record: Record) {
        let Some(link) = page.links.get(&id) else { return };
        if is_from_before_deletion(link, &record) && rules::holds(Rule::OrderByRemoteTime) {
            return reached::note(Situation::StateLate);
        }
        match &link.remote {
            // The first one that is there again has the link already.
            _ if link.state == LinkState::Gone && matches!(link.seen, Some(Sighting::Present { .. })) => {
                self.classify_unlinked(page, record, IsTwin::Yes, None);
            }
            _ if link.state == LinkState::Gone
                && (self.changed_after_death(link, &record)
                    || had_another_name(page, link, &record)
                    || self.was_edited_under_another_name(page, link, &record)) =>
            {
                let made = payload_of_double(page, self.deps.remote.codec(), link, &record);
                go_out_from(page, id, made.map(without_photo));
                rename(page, id, &record);
                self.classify_own(page, id, record);
            }
            _ if link.state == LinkState::Gone
                && page.source == Source::Listing
                && page.by_remote.get(&record.id) == Some(&id) =>
            {
                // A name that it had, in a state from before it was deleted: late, most likely.
                page.open.unclear.push(record.id);
            }
            // It was looked at, and nothing has happened to either since.
            Some(_) if link.seen.is_none() && is_left_alone(page, &record) => {}
            Some(other) if link.state != LinkState::Gone && page.source == Source::Listing => {
                if !rules::holds(Rule::TwinRepair) {
                    return;
                }
                reached::note(Situation::TwinFound);
                // The time of one that was found gone is that of the finding.
                let is_gone = matches!(link.seen, Some(Sighting::Gone { .. }));
                let is_older = !is_gone && record.time < link.remote_time;
                let is_former_life = record.tag.as_ref().is_some_and(|tag| tag.token != link.token);
                let other_may_be_hidden = self.may_be_hidden(link);
                let other_is_reported_gone = is_reported_gone(link);
                let brought_back = self.bring_back(link);
                let (other, known) = (other.clone(), page.by_remote.get(&record.id));
                let is_folded = known.and_then(|known| page.links.get(known)).is_some_and(is_folded_twin);
                page.open.doubled.push(Doubled {
                    other,
                    record,
                    is_older,
                    is_former_life,
                    other_may_be_hidden,
                    other_is_reported_gone,
                    is_folded,
                });
                if let Some(link) = brought_back {
                    keep(page, link);
                }
            }
            _ => {
                let former = former_life(link, &record).cloned().or_else(|| deleted_life(link, &record));
                self.classify_unlinked(page, record, IsTwin::Yes, former);
            }
        }
    }

    /// Whether the record was renamed before we deleted it, under a name that led nowhere any more.
    fn outlived_own_deletion(&self, page: &Page, id: LinkId, record: &Record) -> bool {
        let link = page.links.get(&id).filter(|link| link.state == LinkState::Gone && link.own_delete);
        record.presence == Presence::Present && link.is_some_and(|link| !self.changed_after_death(link, record))
    }

    /// Whether our deletion found nothing under the name that it knew, and this is the record that it was meant for, with
    /// edits that nobody knew of who deleted the contact: our last write was an update, which only one record can have got,
    /// and this one says something newer than what was checked. The edits bring the contact back. Where nobody edited
    /// it, it may be a copy that somebody made, and is left to itself.
    fn was_edited_under_another_name(&self, page: &Page, link: &Link, record: &Record) -> bool {
        let marker = link.base.as_ref().and_then(|base| base.marker);
        let last = record.tag.as_ref().filter(|tag| tag.token == link.token && Some(tag.marker) == marker);
        let is_update = |sent: &Sent| sent.kind == IntentKind::Update;
        link.own_delete
            && record.presence == Presence::Present
            && page.by_remote.get(&record.id) != Some(&link.id)
            && last.and_then(|tag| page.sent.get(&tag.marker)).is_some_and(is_update)
            && record.time > link.remote_time
            && !self.says_the_same(link, record)
    }

    /// Whether somebody changed the record after the one of its link was deleted. A create of ours that landed late is
    /// from before.
    fn changed_after_death(&self, link: &Link, record: &Record) -> bool {
        let ours = link.own_delete.then(|| self.remote_time_of(link.changed_at));
        record.time > link.remote_time.max(ours)
    }

    /// Takes over a state of the link's record that is newer than what is known.
    fn accept(&mut self, page: &mut Page, mut link: Link, record: Record) {
        // Asked before the link takes over the record's time.
        let is_from_before = link.own_delete && !self.changed_after_death(&link, &record);
        let doubt = self.outlasting_doubt(&link, &record);
        let is_ours = self.descend(page, &mut link, &record) == Origin::LostWrite;
        link.etag = record.etag.clone().or(link.etag);
        link.remote_time = record.time.or(link.remote_time);
        // Of one that we deleted it stays known when that was: a state from before does not say that it is there.
        let is_deleted_by_us = link.own_delete && !self.intents.contains_key(&link.id);
        if rules::holds(Rule::WindowFromObservations) && !is_deleted_by_us {
            link.changed_at = self.now();
        }
        if link.state == LinkState::Gone {
            if !rules::holds(Rule::OverrunRepair) {
                return;
            }
            // Who deleted the contact knew what it says.
            if is_ours && is_from_before && link.seen.is_none() && self.says_the_same(&link, &record) {
                reached::note(Situation::OwnWriteShowsAfterDeletion);
                if let Some(base) = &mut link.base {
                    base.remote = record.wire;
                }
                return keep(page, link);
            }
            reached::note(Situation::DeadRecordShowsUp);
        }
        // A doubled record of ours that was folded stays one, wherever it is moved.
        let is_new = link.state == LinkState::Found && link.base.is_none();
        if is_new && record.groups.is_disjoint(&page.pair_groups) {
            page.changed.remove(&link.id);
            page.links.remove(&link.id);
            page.by_remote.remove(&record.id);
            page.writes.push(Write::DropLink(link.id));
            page.writes.push(Write::Stranger(self.stranger(&record)));
            return;
        }
        self.note_news(&mut link, &record);
        if link.seen.is_none() {
            reached::note(Situation::OnlySpelledDifferently);
            // Only spelled differently, or changed where we do not look: the base takes the new spelling, nobody edits.
            if let Some(base) = &mut link.base {
                base.remote = record.wire;
                base.certainty = Certainty::Answered;
            }
        }
        link.seen = doubt.or(link.seen);
        keep(page, link);
    }

    /// The evidence that a record was deleted, when a state of it is no proof against that: it is from before, and only
    /// reached us later.
    fn outlasting_doubt(&self, link: &Link, record: &Record) -> Option<Sighting> {
        let Some(Sighting::Suspect { cause: Suspicion::Tombstone, at }) = link.seen else { return None };
        let is_from_before = record.time <= Some(self.remote_time_of(at));
        (is_from_before && self.is_recent(at) && !link.own_delete).then(|| link.seen.clone()).flatten()
    }

    /// Notes what a state of the link's record says that is to be settled, if anything. A state that was seen before may
    /// not be settled yet.
    pub(crate) fn note_news(&self, link: &mut Link, record: &Record) {
        let is_owed = self.pulls() && link.base.as_ref().is_some_and(|base| base.agreed.is_some());
        if self.says_the_same(link, record) && link.state != LinkState::Gone && !is_owed {
            link.seen = None;
            link.leaving.clear();
        } else {
            link.seen = Some(Sighting::Present { wire: record.wire.clone(), at: self.now() });
        }
    }

    /// Finds out which of our writes the state descends from, and what that says about an open intent. The link's base follows
    /// a write whose answer was lost.
    fn descend(&mut self, page: &mut Page, link: &mut Link, record: &Record) -> Origin {
        let marker = record.tag.as_ref().filter(|tag| tag.token == link.token).map(|tag| tag.marker);
        let known = link.base.as_ref().and_then(|base| base.marker);
        note_marker(marker.as_ref(), known.as_ref());
        // Of a couple that was parted, nothing is agreed on.
        let is_parted = link.state == LinkState::Dormant && link.base.is_none();
        let mut descent = Origin::Known;
        if let Some(marker) = marker.filter(|_| !is_parted)
            && rules::holds(Rule::WriteMarker)
            && known.is_none_or(|known| marker > known)
            && let Some(sent) = sent_as(page, link, marker).cloned()
        {
            // Our write landed and its answer was lost: the state descends from what we sent.
            page.writes.extend(self.trace_landed(link, record, &sent));
            let agreed = link.base.as_ref().and_then(|base| self.agreed_after(base, &sent.card));
            link.base = Some(Base {
                store: sent.card,
                remote: sent.wire,
                marker: Some(marker),
                certainty: Certainty::Sent,
                agreed,
            });
            link.acked = sent.version;
            // The contact may have become again what it was before that write.
            link.settled = VersionVector::new();
            descent = Origin::LostWrite;
        }
        let Some(intent) = self.intents.get(&link.id) else { return descent };
        // A newer state that does not carry the intent's marker proves that the write never landed: it was conditional
        // on the state before. A delete is no such proof; it is redone from its check.
        if intent.kind != IntentKind::Delete && rules::holds(Rule::DeadIntentClosed) {
            reached::note(Situation::IntentProvedDead);
            page.writes.push(Write::CloseIntent(intent.marker));
            self.intents.remove(&link.id);
        }
        descent
    }

    /// What is remembered of a write that landed although its answer was lost; `link` is as it was before.
    fn trace_landed(&self, link: &Link, record: &Record, sent: &Sent) -> Vec<Write> {
        match (sent.kind, link.contact) {
            (IntentKind::Create, Some(contact)) => self.trace_create(contact, &record.id, &sent.card, &sent.wire),
            (IntentKind::Update, _) => {
                let mut writes = self.trace_update(link, &sent.card, &sent.wire);
                writes.extend(self.harm_at_remote(link, Harm::Updates(Side::Remote)));
                writes
            }
            (IntentKind::Create | IntentKind::Delete, _) => Vec::new(),
        }
    }

    /// Binds a record to the link that was waiting for it: the answer of the create was lost.
    fn bind(&mut self, page: &mut Page, id: LinkId, record: Record) {
        let Some(mut link) = page.links.get(&id).cloned() else { return };
        reached::note(Situation::LostCreateBound);
        link.remote = Some(record.id.clone());
        link.state = LinkState::Bound;
        link.remote_time = None;
        // The contact may have been deleted while its record was waited for.
        link.settled = VersionVector::new();
        page.by_remote.insert(record.id.clone(), id);
        page.writes.push(Write::DropStranger(link.account.clone(), record.id.clone()));
        if record.presence == Presence::Deleted {
            reached::note(Situation::LostCreateBoundDeleted);
            link.seen = Some(Sighting::Suspect { cause: Suspicion::Tombstone, at: self.now() });
            return keep(page, link);
        }
        self.accept(page, link, record);
    }

    /// `former` is the record as both sides last agreed on it, when it was ours once.
    fn classify_unlinked(&mut self, page: &mut Page, record: Record, twin: IsTwin, former: Option<Former>) {
        let account = self.order.promise.account.clone();
        if record.presence == Presence::Deleted {
            reached::note(Situation::UnknownRecordDeleted);
            page.writes.extend(self.drop_answers(&record.id));
            page.writes.push(Write::DropStranger(account, record.id.clone()));
            page.writes.push(Write::Ghost(self.ghost(record.id)));
            return;
        }
        if record.groups.is_disjoint(&page.pair_groups) && twin == IsTwin::No {
            reached::note(Situation::UnknownRecordOutsideGroups);
            page.writes.push(Write::Stranger(self.stranger(&record)));
            return;
        }
        // Somebody may have deleted it since; a direct read tells before it is imported.
        let suspicious = page.ghosts.contains(&record.id) && rules::holds(Rule::Ghosts);
        reached::note(if suspicious { Situation::GhostShowsUp } else { Situation::UnknownRecordFound });
        let now = self.now();
        let id = LinkId::new(now, self.deps.entropy.next_u128());
        let link = Link {
            id,
            account: account.clone(),
            contact: None,
            state: LinkState::Found,
            remote: Some(record.id.clone()),
            incarnation: 1,
            token: match twin {
                IsTwin::No => identity::token(&self.identity, &account, &Subject::Remote(&record.id), 1),
                // The name that follows from the record may be one that its former link has had.
                IsTwin::Yes => identity::random_token(self.deps.entropy),
            },
            base: former.as_ref().map(|former| former.base.clone()),
            acked: VersionVector::new(),
            settled: VersionVector::new(),
            etag: record.etag,
            remote_time: record.time,
            changed_at: now,
            seen: Some(if suspicious {
                Sighting::Suspect { cause: Suspicion::Tombstone, at: now }
            } else {
                Sighting::Present { wire: record.wire, at: now }
            }),
            own_delete: false,
            parked: None,
            map_revision: self.deps.remote.codec().map_revision(),
            wanted: BTreeSet::new(),
            leaving: BTreeSet::new(),
            member_of: BTreeSet::new(),
            photo: former.as_ref().map(|former| former.photo.clone()).unwrap_or_default(),
            former,
        };
        page.writes.push(Write::DropStranger(account, record.id.clone()));
        page.by_remote.insert(record.id, id);
        page.links.insert(id, link);
        page.changed.insert(id);
    }

    /// Whether a record says what both sides last agreed on.
    pub(crate) fn says_the_same(&self, link: &Link, record: &Record) -> bool {
        let Some(base) = &link.base else { return false };
        same_content(self.deps.remote.codec(), base.store.kind(), &base.remote, &record.wire)
    }

    /// Whether a state that is known says more of the photo than was known of it: its address may change without anything
    /// else, and former releases did not ask for it.
    fn shows_another_photo(&self, link: &Link, record: &Record) -> bool {
        let codec = self.deps.remote.codec();
        let base = link.base.as_ref().filter(|base| base.certainty == Certainty::Answered && link.seen.is_none());
        let is_another = |base: &Base| codec.photo(&base.remote) != codec.photo(&record.wire);
        // What was edited on a record that is set aside is no part of what was agreed on, and is still to be found.
        base.is_some_and(is_another) && self.says_the_same(link, record)
    }

    fn ghost(&self, remote: RemoteId) -> Ghost {
        Ghost { account: self.order.promise.account.clone(), remote, seen: self.now() }
    }

    pub(crate) fn stranger(&self, record: &Record) -> Stranger {
        let codec = self.deps.remote.codec();
        let reading = codec.read(&record.wire, codec.kind(&record.wire));
        Stranger {
            account: self.order.promise.account.clone(),
            remote: record.id.clone(),
            etag: record.etag.clone(),
            keys: identity::stranger_keys(&self.identity, &reading),
        }
    }

    /// Whether any pair takes in contacts of the remote that have no twin.
    pub(crate) fn adopts(&self, groups: &std::collections::BTreeSet<crate::domain::id::GroupId>) -> bool {
        let known = self.pair_groups();
        self.order.promise.pairs.iter().enumerate().any(|(place, pair)| {
            pair.strangers == Strangers::Adopt && known.of(place).is_some_and(|group| groups.contains(group))
        })
    }
}

/// Whether the contact was deleted because its record was not to be found, and this is that record: it carries the tag of
/// the last write. It had got another name, and nothing showed it under that one.
fn had_another_name(page: &Page, link: &Link, record: &Record) -> bool {
    let is_new = page.by_remote.get(&record.id) != Some(&link.id);
    let marker = link.base.as_ref().and_then(|base| base.marker);
    let is_that = record.tag.as_ref().is_some_and(|tag| tag.token == link.token && Some(tag.marker) == marker);
    // Where the store or we deleted it, the remote has not been told of the deletion.
    is_new && is_that && !link.own_delete && link.settled.is_within(&link.acked) && record.presence == Presence::Present
}

/// Whether a record outside the groups was left alone in the very state that it has.
fn is_left_alone(page: &Page, record: &Record) -> bool {
    record.groups.is_disjoint(&page.pair_groups)
        && record.etag.is_some()
        && page.strangers.get(&record.id) == Some(&record.etag)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IsTwin {
    Yes,
    No,
}

/// What both sides last agreed on about a record that we deleted in vain: it had another name by then. Whether anything was
/// edited on it since decides what becomes of it, and it need not carry our tag.
fn deleted_life(link: &Link, record: &Record) -> Option<Former> {
    let (Some(base), Some(remote)) = (&link.base, &link.remote) else { return None };
    let is_that = link.state == LinkState::Gone && link.own_delete && record.former_ids.contains(remote);
    let former = || Former {
        link: link.id,
        remote: remote.clone(),
        base: base.clone(),
        photo: link.photo.clone(),
        deleted_at: None,
    };
    is_that.then(former)
}

/// Forgets that a record was found which is known by a former name: a listing had shown it without that name.
fn forget_found(page: &mut Page, record: &Record) {
    if let Some(id) = page.by_remote.get(&record.id).copied()
        && page.links.get(&id).is_some_and(is_provisional)
    {
        page.let_go(id);
        page.writes.push(Write::DropLink(id));
    }
}

/// What a state of a record goes back to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// What was known of it.
    Known,
    /// A write of ours whose answer was lost.
    LostWrite,
}

/// What the write with this marker meant.
fn sent_as<'p>(page: &'p Page, link: &Link, marker: Marker) -> Option<&'p Sent> {
    if rules::holds(Rule::PayloadByMarker) {
        return page.sent.get(&marker);
    }
    page.sent.values().rfind(|sent| sent.link == link.id)
}

fn note_marker(marker: Option<&Marker>, known: Option<&Marker>) {
    match (marker, known) {
        (Some(marker), Some(known)) if marker == known => reached::note(Situation::MarkerOfBase),
        (Some(marker), Some(known)) if marker < known => reached::note(Situation::MarkerOlderThanBase),
        (Some(_), _) => reached::note(Situation::MarkerOfLostWrite),
        (None, _) => {}
    }
}

/// The link's record is there after all, and is to be deleted again.
fn revive(page: &mut Page, id: LinkId) {
    let Some(link) = page.links.get_mut(&id) else { return };
    link.state = LinkState::Bound;
    link.settled = VersionVector::new();
}

/// A record that takes the place of another one has never had what that one was told: it brings what it agreed on itself, as
/// a double, in a former life, or with what it was made.
fn inherit_base(page: &mut Page, codec: &dyn Codec, id: LinkId, record: &Record) {
    let Some(link) = page.links.get(&id) else { return };
    let twin = page.by_remote.get(&record.id).and_then(|twin| page.links.get(twin));
    let folded =
        twin.filter(|twin| is_folded_twin(twin)).and_then(|twin| Some((twin.base.clone()?, twin.photo.clone())));
    let made = || payload_of_double(page, codec, link, record).map(without_photo);
    let inherited = folded.or_else(made).or_else(|| agreed_in_former_life(link, record));
    go_out_from(page, id, inherited);
}

/// Such a record never had the photo that the other one has lost by going.
fn without_photo(base: Base) -> (Base, Box<PhotoTrail>) {
    (base, Box::default())
}

/// Has a link go on with another record that has never had more than this, if anything is known of that.
fn go_out_from(page: &mut Page, id: LinkId, agreed: Option<(Base, Box<PhotoTrail>)>) {
    if let (Some((base, photo)), Some(link)) = (agreed, page.links.get_mut(&id)) {
        link.base = Some(base);
        link.acked = VersionVector::new();
        link.settled = VersionVector::new();
        link.photo = photo;
    }
}

/// Whether this is a state of a record that we deleted, older than the one that was checked then: it lacks what was written
/// since, and nobody took that away.
fn is_from_before_deletion(link: &Link, record: &Record) -> bool {
    let former = link.former.as_ref().filter(|former| former.remote == record.id);
    let deleted = former.and_then(|former| former.deleted_at);
    record.time.zip(deleted).is_some_and(|(seen, deleted)| seen < deleted)
}

/// Whether a record is from before the link's own one was made: it is known by its name, or carries the tag of that time.
fn is_former_life(link: &Link, record: &Record) -> bool {
    let is_of_then = record.tag.as_ref().is_some_and(|tag| tag.token != link.token);
    link.former.is_some() && (is_of_then || former_life(link, record).is_some())
}

/// What both sides agreed on before a record of a former life was taken for gone. Of a link that is set aside it only counts
/// whether its record is in a group by now.
fn agreed_in_former_life(link: &Link, record: &Record) -> Option<(Base, Box<PhotoTrail>)> {
    let is_kept = link.state == LinkState::Bound && is_former_life(link, record);
    let former = link.former.as_ref().filter(|_| is_kept)?;
    Some((former.base.clone(), former.photo.clone()))
}

/// What was sent with the write that a record under another name descends from, when the record that it takes the place of
/// has had more. A record that only changed its name has had the same.
fn payload_of_double(page: &Page, codec: &dyn Codec, link: &Link, record: &Record) -> Option<Base> {
    let tag = record.tag.as_ref().filter(|_| rules::holds(Rule::TwinOwnPayload))?;
    let is_former = tag.token != link.token;
    let lived = if is_former { link.former.as_ref().map(|former| &former.base) } else { link.base.as_ref() }?;
    let (known, sent) = (lived.marker?, page.sent.get(&tag.marker)?);
    let is_create = sent.kind == IntentKind::Create;
    // Somebody may have set the record itself back to an older state; that is an edit, and newer. What a create made twice
    // may have been edited since.
    let knows_less = tag.marker < known && (is_create || record.time <= link.remote_time);
    // A record that only changed its name does not go back in time. Of one that was found gone, the time is that of the
    // finding, and of one in a former life it is no longer known: there, only what the record says tells.
    let is_from_before = tag.marker == known && is_create && record.time < link.remote_time;
    let is_found_gone = link.state == LinkState::Gone || matches!(link.seen, Some(Sighting::Gone { .. }));
    let is_dated = !is_former && !is_found_gone;
    let is_another = is_from_before && (is_dated || never_had_edits(codec, lived, sent, record));
    let knows_less = knows_less || is_another;
    if !knows_less {
        return None;
    }
    reached::note(Situation::DoubleKnowsLess);
    Some(Base {
        store: sent.card.clone(),
        remote: sent.wire.clone(),
        marker: Some(tag.marker),
        certainty: Certainty::Sent,
        agreed: None,
    })
}

/// Whether a record shows nothing of what was edited in Google on the one that it takes the place of, and is as it was made
/// where that was: no write of ours tells the two apart. What is only spelled in capitals by now was edited on neither.
fn never_had_edits(codec: &dyn Codec, lived: &Base, sent: &Sent, record: &Record) -> bool {
    let card = |wire: &serde_json::Value| codec.read(wire, lived.store.kind()).card;
    let (made, edited, seen) = (card(&sent.wire), card(&lived.remote), card(&record.wire));
    let since_made = |card: &Card| {
        let mut changed = diff::changed_fields(&made, card);
        changed.retain(|field| !is_spelled_alike(field, &made, card));
        changed
    };
    let (edits, since_made) = (since_made(&edited), since_made(&seen));
    let lacks = diff::changed_fields(&edited, &seen);
    edits.iter().all(|field| lacks.contains(field)) && edits.iter().any(|field| !since_made.contains(field))
}

/// Whether a field says the same on two cards, but for capitals: the remote may write what it is sent in its own way.
fn is_spelled_alike(field: &Field, one: &Card, other: &Card) -> bool {
    let folded = |card: &Card| {
        let mut only = Card::blank(card.kind());
        diff::copy_field(field, card, &mut only);
        format!("{:?}", normal::card(&only)).to_lowercase()
    };
    folded(one) == folded(other)
}

fn rename(page: &mut Page, id: LinkId, record: &Record) {
    let Some(link) = page.links.get_mut(&id) else { return };
    if let Some(former) = link.remote.replace(record.id.clone()) {
        page.writes.push(Write::Alias { account: link.account.clone(), remote: former, link: id });
    }
    if record.time < link.remote_time {
        // Times order the states of one record, not those of two.
        link.remote_time = None;
    }
    page.by_remote.insert(record.id.clone(), id);
    page.changed.insert(id);
}

fn keep(page: &mut Page, link: Link) {
    page.changed.insert(link.id);
    page.links.insert(link.id, link);
}

/// Whether more than silence speaks for it that the link's record is gone: the change stream says so, or it was confirmed.
fn is_reported_gone(link: &Link) -> bool {
    matches!(link.seen, Some(Sighting::Gone { .. } | Sighting::Suspect { cause: Suspicion::Tombstone, .. }))
}

/// Whether nothing but silence speaks for it that the link's record is gone.
fn is_doubted(link: &Link) -> bool {
    matches!(link.seen, Some(Sighting::Suspect { cause: Suspicion::Absence | Suspicion::Rival, .. }))
}

/// How an observation of a link's record stands to what is known of it.
enum Order {
    /// Older.
    Late,
    /// The very state that is known.
    Echo,
    /// Of the same time, but marked differently.
    Unclear,
    /// Newer.
    Newer,
}

fn order(link: &Link, record: &Record) -> Order {
    match (record.time, link.remote_time) {
        (Some(seen), Some(known)) if seen < known => Order::Late,
        (Some(seen), Some(known)) if seen > known => Order::Newer,
        (_, None) => Order::Newer,
        _ if record.etag == link.etag => Order::Echo,
        _ => Order::Unclear,
    }
}

/// Whether a state of a record that was found gone may be from after that: somebody brought it back while reads did not
/// show it yet. Such a state looks just like a late one from before.
fn may_have_returned(link: &Link, record: &Record) -> bool {
    let (Some(seen), Some(found_gone)) = (record.time, link.remote_time) else { return false };
    let is_gone = link.state == LinkState::Gone || matches!(link.seen, Some(Sighting::Gone { .. }));
    is_gone && !link.own_delete && seen.plus(FRESHNESS_WINDOW) > found_gone
}

/// Whether two wire forms mean the same: their cards are equal in canonical form, and so are their groups.
pub(crate) fn same_content(codec: &dyn Codec, kind: Kind, one: &serde_json::Value, other: &serde_json::Value) -> bool {
    if one == other {
        return true;
    }
    let (one, other) = (codec.read(one, kind), codec.read(other, kind));
    one.groups == other.groups && normal::card(&one.card) == normal::card(&other.card)
}
