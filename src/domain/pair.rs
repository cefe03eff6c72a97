//! The standing promise of the configuration for one account: which groups equal which selection of the store, in
//! which direction, under which policies.

use std::collections::BTreeMap;
use std::time::Duration;

use super::contact::{Card, Kind};
use super::dialling::HomeRegion;
use super::field::Field;
use super::filter::CardFilter;
use super::id::{AccountName, ReplicaId};
use super::policy::ConflictPolicy;

/// Everything a run has to know about the wishes for one account.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// The account.
    pub account: AccountName,
    /// The account inside version vectors.
    pub replica: ReplicaId,
    /// Which way changes may travel.
    pub direction: Direction,
    /// Who wins when both sides changed the same field.
    pub conflict: ConflictPolicy,
    /// Exceptions from it, per field.
    pub conflict_fields: BTreeMap<Field, ConflictPolicy>,
    /// Whether organizations are contacts of their own at the remote.
    pub organizations: Organizations,
    /// Whether photos are kept equal.
    pub photos: Photos,
    /// What a deletion on one side means for the other.
    pub delete: DeletePolicy,
    /// When to stop and ask.
    pub guard: Guard,
    /// The pairs; at least one.
    pub pairs: Vec<Pair>,
    /// The country that phone numbers without one belong to, when twins are looked for.
    pub home: Option<HomeRegion>,
}

/// One remote group and what of the store belongs into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The group's name.
    pub group: String,
    /// Whether to create the group when it is missing.
    pub missing_group: MissingGroup,
    /// Contacts with any of these labels; empty means every contact.
    pub labels: Vec<String>,
    /// Contacts of any of these owners; empty means every owner.
    pub owners: Vec<String>,
    /// Contacts that this selects as well; `None` asks nothing more of them.
    pub filter: Option<CardFilter>,
    /// What becomes of remote contacts in the group that have no twin in the store.
    pub strangers: Strangers,
    /// The label given to contacts that come in through this pair.
    pub add_label: Option<String>,
}

/// Which way changes may travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the direction of that name")]
pub enum Direction {
    TwoWay,
    ToRemote,
    FromRemote,
}

/// What to do about a pair's group that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says it")]
pub enum MissingGroup {
    Create,
    Report,
}

/// What becomes of remote contacts of a pair's group that have no twin in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says it")]
pub enum Strangers {
    Adopt,
    LeaveAlone,
}

/// What organizations of the store become at the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Organizations {
    /// Company contacts of their own, and the company field of persons.
    Contact,
    /// Only the company field of persons.
    Company,
    /// Neither.
    Off,
}

/// What becomes of photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Photos {
    /// They are kept equal on both sides.
    Travel,
    /// Each side keeps its own.
    Stay,
}

/// What a deletion on one side means for the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletePolicy {
    /// A contact was deleted at the remote.
    pub in_remote: InRemote,
    /// A contact was deleted in the store.
    pub in_store: InStore,
    /// A contact was taken out of the group at the remote.
    pub left_group: LeftGroup,
    /// How long to wait before a deletion is carried over.
    pub grace: Duration,
}

/// What a deletion at the remote does to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InRemote {
    /// The contact is deleted in the store too.
    Propagate,
    /// The contact stays in the store and is no longer linked.
    Unlink,
    /// As `Unlink`, and the contact is labelled `Archived`.
    Archive,
}

/// What a deletion in the store does to the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InStore {
    /// The remote contact is deleted too.
    Propagate,
    /// The remote contact stays as it is and is no longer linked.
    Unlink,
    /// The remote contact is moved out of the pairs' groups into a group of deleted contacts.
    TrashGroup,
}

/// What it means that a contact was taken out of the group at the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftGroup {
    /// Both stay, no longer kept equal.
    Unlink,
    /// The contact is deleted in the store.
    Delete,
    /// The contact loses the labels that select it for the pair.
    Unlabel,
}

/// How much harm of one kind may be done within a run and within a day before a run stops and asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// Deletions, on either side.
    pub max_deletes: Limit,
    /// Updates, on either side.
    pub max_updates: Limit,
    /// Contacts that would lose a value, on either side.
    pub max_blanked_fields: Limit,
    /// Contacts that would no longer be kept equal with their record.
    pub max_unlinks: Limit,
    /// Records that would be taken out of a pair's group.
    pub max_left_groups: Limit,
}

/// A limit on a number of contacts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Per cent of the linked contacts; never trips on five contacts or fewer.
    Percent(f64),
    /// A number of contacts.
    Absolute(u64),
}

impl Limit {
    /// Whether `count` of `linked` contacts is more than the limit allows.
    pub fn is_exceeded(self, count: u64, linked: u64) -> bool {
        match self {
            Limit::Absolute(most) => count > most,
            #[expect(clippy::cast_precision_loss, reason = "contacts are counted in thousands, not in 2^53")]
            Limit::Percent(percent) => count > 5 && count as f64 * 100.0 > percent * linked as f64,
        }
    }
}

impl Limit {
    /// The most of `linked` contacts that the limit allows.
    pub fn most(self, linked: u64) -> u64 {
        match self {
            Limit::Absolute(most) => most,
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "contacts are counted in thousands, and a share is not negative"
            )]
            Limit::Percent(percent) => ((percent * linked as f64 / 100.0) as u64).max(5),
        }
    }
}

impl Promise {
    /// Who wins a conflict over `field`, before anything is known about times.
    pub fn policy_for(&self, field: &Field) -> ConflictPolicy {
        self.conflict_fields.get(field).copied().unwrap_or(self.conflict)
    }

    /// Whether contacts of this kind are kept equal with records of their own.
    pub fn carries(&self, kind: Kind) -> bool {
        kind == Kind::Person || self.organizations == Organizations::Contact
    }

    /// The pairs that select a contact with this card, by their place in `pairs`.
    pub fn selecting<'a>(&'a self, card: &'a Card) -> impl Iterator<Item = (usize, &'a Pair)> {
        let carried = self.carries(card.kind());
        self.pairs.iter().enumerate().filter(move |(_, pair)| carried && pair.selects(card))
    }
}

impl Pair {
    /// Whether a contact with this card belongs into the group.
    pub fn selects(&self, card: &Card) -> bool {
        let by_label = self.labels.is_empty() || self.labels.iter().any(|label| card.labels.contains(label));
        let by_owner = self.owners.is_empty()
            || card.owner.as_ref().is_some_and(|owner| self.owners.iter().any(|o| o.eq_ignore_ascii_case(owner)));
        by_label && by_owner && self.filter.as_ref().is_none_or(|filter| filter.selects(card))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_never_trips_on_five_or_fewer() {
        assert!(!Limit::Percent(10.0).is_exceeded(5, 5));
        assert!(Limit::Percent(10.0).is_exceeded(6, 50));
        assert!(!Limit::Percent(10.0).is_exceeded(6, 60));
        assert!(Limit::Absolute(2).is_exceeded(3, 1000));
        assert!(!Limit::Absolute(3).is_exceeded(3, 3));
    }

    #[test]
    fn the_most_that_is_allowed_is_what_does_not_exceed() {
        for (limit, linked) in [
            (Limit::Percent(10.0), 42),
            (Limit::Percent(10.0), 60),
            (Limit::Percent(2.5), 1000),
            (Limit::Absolute(7), 9),
        ] {
            let most = limit.most(linked);
            assert!(!limit.is_exceeded(most, linked) && limit.is_exceeded(most + 1, linked), "{limit:?} of {linked}");
        }
    }
}
