//! Relations between organizations: one is the parent of the other, or they are related in some other way.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::id::ContactId;

/// A relation of two organizations. A couple has one at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Of which kind.
    #[serde(rename = "relation")]
    pub kind: RelationKind,
    /// The parent; of related organizations, either of them.
    pub owner: ContactId,
    /// The daughter; of related organizations, the other one.
    pub linked: ContactId,
}

/// What two organizations are to each other, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RelationKind {
    /// The owner is the parent of the linked one.
    Parent,
    /// Neither is above the other.
    Related,
}

impl RelationKind {
    /// The kind as documents spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            RelationKind::Parent => "parent",
            RelationKind::Related => "related",
        }
    }
}

/// What the other organization is, seen from one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant says it")]
pub enum Seen {
    Parent,
    Daughter,
    Related,
}

impl Seen {
    /// The word as documents and commands spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Seen::Parent => "parent",
            Seen::Daughter => "daughter",
            Seen::Related => "related",
        }
    }

    /// The relation in which `other` is this to `organization`.
    pub fn between(self, organization: ContactId, other: ContactId) -> Relation {
        match self {
            Seen::Parent => Relation { kind: RelationKind::Parent, owner: other, linked: organization },
            Seen::Daughter => Relation { kind: RelationKind::Parent, owner: organization, linked: other },
            Seen::Related => Relation { kind: RelationKind::Related, owner: organization, linked: other },
        }
    }
}

impl Relation {
    /// Both organizations, in the order of their ids.
    pub fn couple(&self) -> (ContactId, ContactId) {
        (self.owner.min(self.linked), self.owner.max(self.linked))
    }

    /// The other organization, and what it is to this one; `None` when this one has no part in the relation.
    pub fn seen_from(&self, organization: ContactId) -> Option<(Seen, ContactId)> {
        let (other, owned) = if organization == self.owner {
            (self.linked, Seen::Daughter)
        } else if organization == self.linked {
            (self.owner, Seen::Parent)
        } else {
            return None;
        };
        let seen = match self.kind {
            RelationKind::Parent => owned,
            RelationKind::Related => Seen::Related,
        };
        Some((seen, other))
    }

    /// The same with `to` in the place of `from`; `None` when that relates an organization to itself.
    pub(super) fn moved(&self, from: ContactId, to: ContactId) -> Option<Relation> {
        let place = |id: ContactId| if id == from { to } else { id };
        let moved = Relation { kind: self.kind, owner: place(self.owner), linked: place(self.linked) };
        (moved.owner != moved.linked).then_some(moved)
    }
}

/// Whether `candidate` is below `organization`, over however many steps, or is that organization itself.
pub fn is_below(candidate: ContactId, organization: ContactId, relations: &[Relation]) -> bool {
    let mut seen = BTreeSet::from([organization]);
    let mut open = vec![organization];
    while let Some(parent) = open.pop() {
        let daughters = relations.iter().filter(|known| known.kind == RelationKind::Parent && known.owner == parent);
        open.extend(daughters.map(|known| known.linked).filter(|daughter| seen.insert(*daughter)));
    }
    seen.contains(&candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    fn id(n: u128) -> ContactId {
        ContactId::new(Timestamp::EPOCH, n)
    }

    fn parent(owner: u128, linked: u128) -> Relation {
        Seen::Daughter.between(id(owner), id(linked))
    }

    #[test]
    fn either_side_has_its_own_word() {
        let relation = parent(1, 2);
        assert_eq!(relation.seen_from(id(1)), Some((Seen::Daughter, id(2))));
        assert_eq!(relation.seen_from(id(2)), Some((Seen::Parent, id(1))));
        assert_eq!(relation.seen_from(id(3)), None);
        assert_eq!(Seen::Parent.between(id(2), id(1)), relation);
        assert_eq!(Seen::Related.between(id(2), id(1)).seen_from(id(1)), Some((Seen::Related, id(2))));
    }

    #[test]
    fn a_granddaughter_is_below_and_a_cycle_that_is_there_ends() {
        let relations = [parent(1, 2), parent(2, 3), Seen::Related.between(id(3), id(4))];
        assert!(is_below(id(3), id(1), &relations));
        assert!(is_below(id(1), id(1), &relations));
        assert!(!is_below(id(1), id(3), &relations));
        assert!(!is_below(id(4), id(1), &relations), "related is not below");
        assert!(is_below(id(2), id(1), &[parent(1, 2), parent(2, 1)]));
    }
}
