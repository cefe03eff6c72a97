//! The decision about one link: pure, total, and on one screen.
//!
//! What each side did since they last agreed is one of three things, and the whole rule is the table of
//! `Decision::about`. What a merge means for the fields is decided in [`crate::domain::merge`].

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::contact::{Card, Contact, Kind, Phone};
use crate::domain::dialling;
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::id::GroupId;
use crate::domain::link::{Certainty, Link, LinkState, Sighting};
use crate::domain::merge::{Merged, Rules, three_way};
use crate::domain::normal;
use crate::domain::pair::{Direction, InRemote, LeftGroup, Pair, Photos, Promise};
use crate::domain::policy::{ConflictPolicy, Winner};
use crate::domain::time::Timestamp;
use crate::engine::held::Held;
use crate::engine::restored::Deletions;
use crate::engine::rules::{self, Rule};
use crate::engine::scope::PairGroups;
use crate::remotes::Codec;

/// Everything that a decision depends on besides the link and the contact.
pub(crate) struct Rulebook<'a> {
    pub(crate) promise: &'a Promise,
    pub(crate) codec: &'a dyn Codec,
    pub(crate) pair_groups: &'a PairGroups,
    /// Fields that wait for a person, by contact.
    pub(crate) held: &'a Held,
    pub(crate) now: Timestamp,
    pub(crate) deletions: Deletions,
    /// By how much the remote's clock is ahead, to compare its times with ours.
    pub(crate) remote_ahead_ms: i64,
}

/// What one side did since both last agreed.
enum Since<'a, T> {
    Same,
    Edited(&'a T),
    Gone,
}

/// What is to be done in the store about what was seen at the remote.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    /// Nothing was seen, or it has to wait.
    Nothing,
    /// What was seen is what the next push goes out from; the contact stays as it is.
    Adopt,
    /// What was seen is forgotten: the link is not kept equal.
    Ignore,
    /// What was seen goes into the contact.
    Merge(Box<Merge>),
    /// The contact is deleted.
    DeleteContact(&'static str),
    /// Contact and record stay, and are no longer kept equal.
    Unlink {
        reason: &'static str,
        /// A label the contact gets, to be found again.
        label: Option<&'static str>,
    },
    /// The deleted contact comes back, since nobody had deleted it; record and contact are no longer kept equal.
    Revive(&'static str),
    /// The record is gone, but the contact lives on: it is created again.
    Recreate(&'static str),
    /// Nobody edited the record: a change of groups of ours was cut off half way, and goes on.
    GoOn,
    /// Nobody edited the record: what we sent is spelled in another way. What is to be done goes out from that.
    Respelled,
    /// Both are gone.
    Forget,
}

/// A merge, and what it does to the contact besides its fields.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Merge {
    pub(crate) merged: Merged,
    pub(crate) wire: Value,
    /// The contact was deleted and comes back, because its record was edited.
    pub(crate) returns: bool,
    /// The record is gone by now: a new one has to be created.
    pub(crate) record_gone: bool,
    /// The record without the edits that do not go into the contact in this direction; see
    /// [`crate::domain::link::Base::agreed`].
    pub(crate) agreed: Option<Value>,
    pub(crate) reason: &'static str,
}

impl Rulebook<'_> {
    /// Whether the record is in the group of any pair.
    fn is_in_a_pair(&self, wire: &Value, kind: Kind) -> bool {
        self.pair_groups.hold_any(&self.codec.read(wire, kind).groups)
    }
}

impl Decision {
    /// Decides about a link with a contact.
    pub(crate) fn about(link: &Link, contact: &Contact, rules: &Rulebook<'_>) -> Decision {
        let theirs = match &link.seen {
            None | Some(Sighting::Suspect { .. }) => Since::Same,
            Some(Sighting::Present { wire, .. }) => Since::Edited(wire),
            Some(Sighting::Gone { at }) if rules.now.since(*at) < rules.promise.delete.grace => Since::Same,
            Some(Sighting::Gone { .. }) if rules.deletions == Deletions::Held => Since::Same,
            Some(Sighting::Gone { .. }) => Since::Gone,
        };
        let pulls = rules.promise.direction != Direction::ToRemote;
        match (ours(link, contact, rules), theirs) {
            (_, Since::Same) => Decision::Nothing,
            _ if waits_for_group(link, contact, rules) => Decision::Nothing,
            (_, Since::Edited(wire)) if is_aside(link) => resume(link, contact, wire, rules),
            (_, Since::Edited(_)) if !pulls && link.base.is_some() => Decision::Adopt,
            (Since::Same | Since::Edited(()), Since::Edited(wire)) => edited(link, contact, wire, rules),
            (Since::Gone, Since::Edited(wire)) if is_own_move(link, contact, wire, rules) => Decision::GoOn,
            (Since::Gone, Since::Edited(wire)) if is_respelled(link, contact, wire, rules) => Decision::Respelled,
            (Since::Gone, Since::Edited(wire))
                if !rules.is_in_a_pair(wire, contact.card.kind()) && was_taken_for_gone(link, contact, rules) =>
            {
                Decision::Revive("taken for deleted in Google, and there, outside the group; both stay as they are")
            }
            (Since::Gone, Since::Edited(wire)) if !rules.is_in_a_pair(wire, contact.card.kind()) => Decision::Unlink {
                reason: "deleted in the store, and in no pair's group in Google any more; the record stays as it is",
                label: None,
            },
            (Since::Gone, Since::Edited(wire)) => merge(
                link,
                contact,
                wire,
                rules,
                match contact.version.is_within(&link.acked) {
                    true => "deleted in Google, and there again",
                    false => "edited in Google after it was deleted in the store: the edit survives",
                },
            ),
            (_, Since::Gone) if link.state == LinkState::Dormant || link.state == LinkState::Unselected => {
                Decision::Forget
            }
            (Since::Gone, Since::Gone) => Decision::Forget,
            (Since::Edited(()), Since::Gone) if !rules::holds(Rule::EditBeatsDelete) => {
                deleted_there(rules.promise.delete.in_remote)
            }
            // An edit outlives a concurrent deletion: a contact that comes back is seen and can be removed again; one
            // that vanishes takes its fresh edits along, and nobody goes looking.
            (Since::Edited(()), Since::Gone) => {
                Decision::Recreate("deleted in Google, but edited in the store since: the edit survives")
            }
            (Since::Same, Since::Gone) if link.own_delete => {
                Decision::Recreate("our own late deletion removed it after it was restored in the store")
            }
            (Since::Same, Since::Gone) if !pulls => Decision::Unlink {
                reason: "deleted in Google; the store is not changed in this direction",
                label: None,
            },
            (Since::Same, Since::Gone) => deleted_there(rules.promise.delete.in_remote),
        }
    }
}

/// Whether the contact's pairs have lost their groups; see [`PairGroups::keep_waiting`].
fn waits_for_group(link: &Link, contact: &Contact, rules: &Rulebook<'_>) -> bool {
    let groups = |wire: &Value| rules.codec.read(wire, contact.card.kind()).groups;
    let mut known = link.base.as_ref().map(|base| groups(&base.remote)).unwrap_or_default();
    if let Some(Sighting::Present { wire, .. }) = &link.seen {
        known.extend(groups(wire));
    }
    !is_aside(link) && rules.pair_groups.keep_waiting(rules.promise, &contact.card, &known)
}

fn ours(link: &Link, contact: &Contact, rules: &Rulebook<'_>) -> Since<'static, ()> {
    if !contact.is_live() {
        return Since::Gone;
    }
    let Some(base) = &link.base else { return Since::Edited(&()) };
    // A value that waits for a person never went to the remote: nobody there can have seen it.
    let waits = rules.held.get(&contact.id).is_some_and(|fields| {
        diff::changed_fields(&base.store, &contact.card).iter().any(|field| fields.contains(field))
    });
    if waits {
        return Since::Edited(&());
    }
    if has_untold_photo(link, contact, rules) {
        return Since::Edited(&());
    }
    if contact.version.is_within(&link.acked) || diff::changed_fields(&base.store, &contact.card).is_empty() {
        Since::Same
    } else {
        Since::Edited(&())
    }
}

/// Whether the contact was given another photo, or lost its own, which the remote was not told, or is never told in this
/// direction: nobody there can have seen it.
fn has_untold_photo(link: &Link, contact: &Contact, rules: &Rulebook<'_>) -> bool {
    let travels = rules.promise.photos == Photos::Travel;
    let ours = contact.card.photo().map(|photo| photo.digest.as_str());
    travels && link.photo.agreed.as_deref() != ours && link.photo.refusal(ours).is_none()
}

/// Whether the record differs from what is known of it in nothing but groups, and has left none but those that we were
/// taking it out of.
fn is_own_move(link: &Link, contact: &Contact, wire: &Value, rules: &Rulebook<'_>) -> bool {
    let Some(base) = link.base.as_ref().filter(|_| !link.leaving.is_empty()) else { return false };
    let (before, after) =
        (rules.codec.read(&base.remote, contact.card.kind()), rules.codec.read(wire, contact.card.kind()));
    let mut left = before.groups.difference(&after.groups);
    left.all(|group| link.leaving.contains(group)) && normal::card(&before.card) == normal::card(&after.card)
}

/// Whether the record says what we sent it, in capitals or not, and the answer was lost: the remote spells it its own way,
/// and nobody edited it.
fn is_respelled(link: &Link, contact: &Contact, wire: &Value, rules: &Rulebook<'_>) -> bool {
    let Some(base) = link.base.as_ref().filter(|base| base.certainty == Certainty::Sent) else { return false };
    let reading = |wire: &Value| rules.codec.read(wire, contact.card.kind());
    let (sent, seen) = (reading(&base.remote), reading(wire));
    let folded = |card: &Card| format!("{:?}", normal::card(card)).to_lowercase();
    sent.groups == seen.groups && folded(&sent.card) == folded(&seen.card)
}

fn deleted_there(policy: InRemote) -> Decision {
    match policy {
        InRemote::Propagate => Decision::DeleteContact("deleted in Google"),
        InRemote::Unlink => {
            Decision::Unlink { reason: "deleted in Google; delete.in_google keeps it in the store", label: None }
        }
        InRemote::Archive => Decision::Unlink {
            reason: "deleted in Google; delete.in_google archives it in the store",
            label: Some("Archived"),
        },
    }
}

fn is_aside(link: &Link) -> bool {
    matches!(link.state, LinkState::Dormant | LinkState::Unselected)
}

/// A record whose link is set aside was edited: only its return to a pair's group makes it ours again.
fn resume(link: &Link, contact: &Contact, wire: &Value, rules: &Rulebook<'_>) -> Decision {
    let is_in = |wire: &Value| rules.is_in_a_pair(wire, contact.card.kind());
    let returned = is_in(wire) && !link.base.as_ref().is_some_and(|base| is_in(&base.remote));
    if returned && (contact.is_live() || rules.promise.direction != Direction::ToRemote) {
        merge(link, contact, wire, rules, "put into the group again in Google")
    } else {
        Decision::Ignore
    }
}

/// The record was edited, and the contact lives.
fn edited(link: &Link, contact: &Contact, wire: &Value, rules: &Rulebook<'_>) -> Decision {
    let left = pairs_left(link, contact, wire, rules);
    if left.is_empty() {
        return merge(link, contact, wire, rules, reason_of_merge(link));
    }
    let labels: BTreeSet<&String> = left.iter().flat_map(|pair| &pair.labels).collect();
    match rules.promise.delete.left_group {
        LeftGroup::Unlabel if labels.iter().any(|label| contact.card.labels.contains(*label)) => {
            let mut decision = merge(link, contact, wire, rules, "taken out of the group in Google: loses the label");
            if let Decision::Merge(merge) = &mut decision {
                for label in labels {
                    merge.merged.card.labels.remove(label);
                    merge.merged.base_store.labels.remove(label);
                }
            }
            decision
        }
        LeftGroup::Delete if matches!(ours(link, contact, rules), Since::Same) => {
            Decision::DeleteContact("taken out of the group in Google; delete.left_group deletes it")
        }
        LeftGroup::Unlink | LeftGroup::Unlabel | LeftGroup::Delete => Decision::Unlink {
            reason: "taken out of the group in Google; both stay and are no longer kept equal",
            label: None,
        },
    }
}

/// Whether the contact was deleted because its record was gone, which a record that only left the group does not ask for.
fn was_taken_for_gone(link: &Link, contact: &Contact, rules: &Rulebook<'_>) -> bool {
    contact.version.is_within(&link.acked) && rules.promise.delete.left_group != LeftGroup::Delete
}

/// The pairs whose group the record left, when it is in no pair's group any more.
fn pairs_left<'a>(link: &Link, contact: &Contact, wire: &Value, rules: &Rulebook<'a>) -> Vec<&'a Pair> {
    let Some(base) = &link.base else { return Vec::new() };
    let kind = contact.card.kind();
    let (before, after) = (rules.codec.read(base.merged(), kind).groups, rules.codec.read(wire, kind).groups);
    if rules.pair_groups.hold_any(&after) {
        return Vec::new();
    }
    pairs_out_of(link, contact, &before, &after, rules)
}

/// The pairs whose group somebody took the record out of.
fn pairs_out_of<'a>(
    link: &Link,
    contact: &Contact,
    before: &BTreeSet<GroupId>,
    after: &BTreeSet<GroupId>,
    rules: &Rulebook<'a>,
) -> Vec<&'a Pair> {
    let Some(base) = &link.base else { return Vec::new() };
    let pairs = rules.promise.pairs.iter().enumerate();
    let has_left =
        |place| rules.pair_groups.of(place).is_some_and(|group| before.contains(group) && !after.contains(group));
    // Where the store itself no longer wants it there, it was we who took it out, and did not come to record it.
    let is_ours = |place, pair: &Pair| {
        pair.selects(&base.store) && !pair.selects(&contact.card)
            || rules.pair_groups.of(place).is_some_and(|group| link.leaving.contains(group))
    };
    pairs.filter(|(place, pair)| has_left(*place) && !is_ours(*place, pair)).map(|(_, pair)| pair).collect()
}

fn reason_of_merge(link: &Link) -> &'static str {
    if link.base.is_some() { "edited in Google" } else { "found on both sides: linked and merged" }
}

fn merge(link: &Link, contact: &Contact, wire: &Value, rules: &Rulebook<'_>, reason: &'static str) -> Decision {
    if rules.promise.direction == Direction::ToRemote {
        return bind_one_way(link, contact, wire, rules, reason);
    }
    let kind = contact.card.kind();
    let mut reading = rules.codec.read(wire, kind);
    let blank = Card::blank(kind);
    let (base_store, base_remote, before) = match &link.base {
        Some(base) => {
            let read = rules.codec.read(base.merged(), kind);
            (&base.store, read.card, read.groups)
        }
        None => (&blank, blank.clone(), BTreeSet::new()),
    };
    // Phones that nothing was agreed on so far: where both sides have one number, each keeps its own spelling of it.
    if base_store.phones.is_empty() && base_remote.phones.is_empty() {
        let home = rules.promise.home;
        dialling::spell_alike(&contact.card.phones, &mut reading.card.phones, home, &reading.numbers);
    }
    let certain = link.base.as_ref().is_none_or(|base| base.certainty == Certainty::Answered)
        || !rules::holds(Rule::UncertainBase);
    let none = BTreeSet::new();
    let winner = |field: &Field| {
        // What was sent and never answered may only look like a remote edit because the remote spelled it differently.
        if certain { winner(field, link, contact, rules) } else { Winner::Store }
    };
    let held = rules.held.get(&contact.id).unwrap_or(&none);
    let mut merged =
        three_way(base_store, &base_remote, &contact.card, &reading.card, &Rules { winner: &winner, held });
    let frozen = merged.conflicts.iter().filter(|conflict| conflict.winner == Winner::Hold);
    for field in frozen.map(|conflict| &conflict.field).chain(held) {
        // What the remote says, so that a person's decision is an edit as any other; see the module `held`. Of the photo,
        // the record says nothing, and the base has it; see the module `photos`.
        let says = if *field == Field::Photo { base_store } else { &reading.card };
        diff::copy_field(field, says, &mut merged.base_store);
    }
    for label in labels_of_left(link, contact, &before, &reading.groups, rules) {
        merged.card.labels.remove(&label);
        merged.base_store.labels.remove(&label);
    }
    let joined: BTreeSet<&GroupId> = reading.groups.difference(&before).collect();
    for label in labels_of_joined(&joined, &merged.card, rules) {
        merged.card.labels.insert(label.clone());
        merged.base_store.labels.insert(label);
    }
    Decision::Merge(Box::new(Merge {
        merged,
        wire: wire.clone(),
        returns: !contact.is_live(),
        record_gone: link.state == LinkState::Gone,
        agreed: None,
        reason,
    }))
}

/// The phones that the record has in another spelling: they need not be sent.
fn phones_known(contact: &Contact, wire: &Value, rules: &Rulebook<'_>) -> Vec<Phone> {
    let reading = rules.codec.read(wire, contact.card.kind());
    let mut phones = reading.card.phones.clone();
    dialling::spell_alike(&contact.card.phones, &mut phones, rules.promise.home, &reading.numbers);
    let respelled = phones.into_iter().zip(&reading.card.phones).filter(|(now, before)| now.value != before.value);
    respelled.map(|(now, _)| now).collect()
}

/// Nothing goes into the store; what it has and the record lacks is what the push adds. What the record has and the store
/// lacks is remembered for the day on which the direction changes.
fn bind_one_way(link: &Link, contact: &Contact, wire: &Value, rules: &Rulebook<'_>, reason: &'static str) -> Decision {
    let base = match &link.base {
        Some(base) => base.store.clone(),
        None => Card { phones: phones_known(contact, wire, rules), ..Card::blank(contact.card.kind()) },
    };
    let merged = Merged { card: contact.card.clone(), base_store: base, conflicts: Vec::new() };
    let agreed = Some(link.base.as_ref().map_or_else(|| Value::Object(Map::new()), |base| base.merged().clone()));
    let (wire, returns, record_gone) = (wire.clone(), false, false);
    Decision::Merge(Box::new(Merge { merged, wire, returns, record_gone, agreed, reason }))
}

/// The labels that a contact loses because its record was taken out of the groups of some of its pairs, and is in that of
/// another one still. A label that a pair with a group it is in asks for as well stays.
fn labels_of_left(
    link: &Link,
    contact: &Contact,
    before: &BTreeSet<GroupId>,
    after: &BTreeSet<GroupId>,
    rules: &Rulebook<'_>,
) -> BTreeSet<String> {
    if !rules.pair_groups.hold_any(after) {
        return BTreeSet::new();
    }
    let kept = pairs_in(after, rules).flat_map(|pair| &pair.labels).collect::<BTreeSet<_>>();
    let left = pairs_out_of(link, contact, before, after, rules);
    left.iter().flat_map(|pair| &pair.labels).filter(|label| !kept.contains(label)).cloned().collect()
}

/// The pairs whose group is among these.
fn pairs_in<'r>(groups: &'r BTreeSet<GroupId>, rules: &'r Rulebook<'_>) -> impl Iterator<Item = &'r Pair> {
    let pairs = rules.promise.pairs.iter().enumerate();
    let is_in = |place| rules.pair_groups.of(place).is_some_and(|group| groups.contains(group));
    pairs.filter(move |(place, _)| is_in(*place)).map(|(_, pair)| pair)
}

/// The labels that a contact gets because its record was put into the groups of pairs that do not select it yet.
fn labels_of_joined(joined: &BTreeSet<&GroupId>, card: &Card, rules: &Rulebook<'_>) -> Vec<String> {
    let pairs = rules.promise.pairs.iter().enumerate();
    let has_joined = |place| rules.pair_groups.of(place).is_some_and(|group| joined.contains(group));
    pairs
        .filter(|(place, pair)| !pair.selects(card) && has_joined(*place))
        .filter_map(|(_, pair)| pair.add_label.clone().or_else(|| pair.labels.first().cloned()))
        .collect()
}

/// Who wins a true conflict over a field.
pub(crate) fn winner(field: &Field, link: &Link, contact: &Contact, rules: &Rulebook<'_>) -> Winner {
    match rules.promise.policy_for(field) {
        ConflictPolicy::Store => Winner::Store,
        ConflictPolicy::Remote => Winner::Remote,
        ConflictPolicy::Manual => Winner::Hold,
        ConflictPolicy::Newest => {
            let ours = contact.touched_at(field);
            let theirs = link.remote_time.map(|time| {
                Timestamp::from_micros(time.as_micros().saturating_sub(rules.remote_ahead_ms.saturating_mul(1000)))
            });
            if theirs.is_some_and(|theirs| theirs > ours) { Winner::Remote } else { Winner::Store }
        }
    }
}
