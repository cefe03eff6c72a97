//! Version vectors: one counter per replica. They decide *whether* two histories are concurrent; the bases of a link
//! decide *what* changed (`merge`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::ReplicaId;

/// How two vectors relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Causality {
    /// The same history.
    Equal,
    /// The left one is part of the right one's history.
    Before,
    /// The right one is part of the left one's history.
    After,
    /// Each has seen something the other has not.
    Concurrent,
}

/// One counter per replica; a replica that is missing counts zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionVector(BTreeMap<ReplicaId, u64>);

impl VersionVector {
    /// The vector that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter of `replica`.
    pub fn get(&self, replica: &ReplicaId) -> u64 {
        self.0.get(replica).copied().unwrap_or(0)
    }

    /// Counts one more event of `replica`.
    pub fn tick(&mut self, replica: &ReplicaId) {
        let counter = self.0.entry(replica.clone()).or_insert(0);
        *counter = counter.saturating_add(1);
    }

    /// Forgets a replica that is retired. Vectors that lose the same replica relate as they did, as far as the others go.
    pub fn retire(&mut self, replica: &ReplicaId) {
        self.0.remove(replica);
    }

    /// The vector that has seen what either has seen.
    #[must_use]
    pub fn join(&self, other: &VersionVector) -> VersionVector {
        let mut joined = self.clone();
        for (replica, &counter) in &other.0 {
            let own = joined.0.entry(replica.clone()).or_insert(0);
            *own = (*own).max(counter);
        }
        joined
    }

    /// How `self` relates to `other`.
    pub fn compare(&self, other: &VersionVector) -> Causality {
        match (self.is_within(other), other.is_within(self)) {
            (true, true) => Causality::Equal,
            (true, false) => Causality::Before,
            (false, true) => Causality::After,
            (false, false) => Causality::Concurrent,
        }
    }

    /// Whether everything `self` has seen, `other` has seen too.
    pub fn is_within(&self, other: &VersionVector) -> bool {
        self.0.iter().all(|(replica, &counter)| counter <= other.get(replica))
    }

    /// Every replica with its counter, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&ReplicaId, u64)> {
        self.0.iter().map(|(replica, &counter)| (replica, counter))
    }

    /// The counters as people see them: the store's epochs are one replica, its counters added up.
    pub fn display(&self) -> BTreeMap<String, u64> {
        let mut shown = BTreeMap::new();
        for (replica, counter) in self.iter() {
            *shown.entry(replica.display_name().to_owned()).or_insert(0) += counter;
        }
        shown
    }
}

impl FromIterator<(ReplicaId, u64)> for VersionVector {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, u64)>>(counters: I) -> Self {
        VersionVector(counters.into_iter().filter(|(_, counter)| *counter > 0).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vectors() -> impl Strategy<Value = VersionVector> {
        proptest::collection::btree_map("[a-c]", 1_u64..4, 0..3)
            .prop_map(|counters| counters.into_iter().map(|(name, n)| (ReplicaId::new(name), n)).collect())
    }

    proptest! {
        #[test]
        fn joining_is_commutative_associative_and_idempotent(a in vectors(), b in vectors(), c in vectors()) {
            prop_assert_eq!(a.join(&b), b.join(&a));
            prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
            prop_assert_eq!(a.join(&a), a);
        }

        #[test]
        fn comparing_is_a_partial_order(a in vectors(), b in vectors(), c in vectors()) {
            prop_assert_eq!(a.compare(&a), Causality::Equal);
            prop_assert_eq!(a.compare(&b) == Causality::Before, b.compare(&a) == Causality::After);
            prop_assert_eq!(a.compare(&b) == Causality::Equal, a == b);
            if a.is_within(&b) && b.is_within(&c) {
                prop_assert!(a.is_within(&c));
            }
        }

        #[test]
        fn retiring_a_replica_forgets_it_and_keeps_the_order_of_the_rest(a in vectors(), b in vectors()) {
            let gone = ReplicaId::new("b");
            let without = |vector: &VersionVector| {
                let mut vector = vector.clone();
                vector.retire(&gone);
                vector
            };
            prop_assert_eq!(without(&a).get(&gone), 0);
            prop_assert_eq!(without(&a).join(&without(&b)), without(&a.join(&b)));
            if a.is_within(&b) {
                prop_assert!(without(&a).is_within(&without(&b)));
            }
            if a.get(&gone) == b.get(&gone) {
                prop_assert_eq!(without(&a).compare(&without(&b)), a.compare(&b));
            }
        }

        #[test]
        fn a_join_dominates_both_parents_and_a_tick_dominates_the_join(a in vectors(), b in vectors()) {
            let mut joined = a.join(&b);
            prop_assert!(a.is_within(&joined) && b.is_within(&joined));
            let before = joined.clone();
            joined.tick(&ReplicaId::store(1));
            prop_assert_eq!(before.compare(&joined), Causality::Before);
        }
    }
}
