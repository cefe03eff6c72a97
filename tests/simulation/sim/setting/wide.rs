//! Scenarios with more than persons who are kept equal in both directions. There is much that could be added, and each
//! seed adds little of it: what meets everything else at once is seen by nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use contactsync::domain::pair::{Direction, Guard, Limit, Promise};

use super::{Flavour, Setting};
use crate::sim::tape::Tape;

/// What can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Guards stop runs that do much harm, and people approve what was parked.
    Guards,
    /// Organizations beside persons.
    Organizations,
    /// Pairs that carry changes one way only.
    OneWay,
    /// Questions whether a contact and a record are the same, and their answers.
    Questions,
    /// Runs that are taken back.
    Undo,
    /// Photos on both sides.
    Photos,
    /// Two contacts of the store that are made one.
    Merges,
    /// The store put back from a backup.
    Backup,
    /// Deletions that wait before they are carried over.
    Grace,
}

impl Feature {
    /// All of them, in the order in which they are drawn.
    pub const ALL: [Feature; 9] = [
        Feature::Guards,
        Feature::Organizations,
        Feature::OneWay,
        Feature::Questions,
        Feature::Undo,
        Feature::Photos,
        Feature::Merges,
        Feature::Backup,
        Feature::Grace,
    ];

    /// As the counters of what was played name it.
    pub fn told(self) -> &'static str {
        match self {
            Feature::Guards => "scenario has guards",
            Feature::Organizations => "scenario has organizations",
            Feature::OneWay => "scenario has one-way accounts",
            Feature::Questions => "scenario has questions",
            Feature::Undo => "scenario has runs undone",
            Feature::Photos => "scenario has photos",
            Feature::Merges => "scenario has contacts merged",
            Feature::Backup => "scenario has a backup",
            Feature::Grace => "scenario has grace",
        }
    }
}

/// Adds to a setting.
pub fn widen(setting: &mut Setting, tape: &mut Tape) {
    setting.flavour = Flavour::Wide;
    setting.features = drawn(tape);
    if setting.features.contains(&Feature::Guards) {
        setting.promises.iter_mut().for_each(|promise| guard(promise, tape));
    }
    if setting.features.contains(&Feature::OneWay) {
        let ways = [Direction::ToRemote, Direction::FromRemote, Direction::TwoWay];
        for promise in &mut setting.promises {
            promise.direction = tape.pick(&ways).unwrap_or(Direction::TwoWay);
        }
    }
    if setting.features.contains(&Feature::Grace) {
        let minutes = [30, 5, 24 * 60];
        for promise in &mut setting.promises {
            promise.delete.grace = Duration::from_secs(60 * tape.pick(&minutes).unwrap_or(0));
        }
    }
}

/// One feature for sure, and each of the others in few scenarios.
fn drawn(tape: &mut Tape) -> BTreeSet<Feature> {
    let mut features: BTreeSet<Feature> = tape.pick(&Feature::ALL).into_iter().collect();
    features.extend(Feature::ALL.into_iter().filter(|_| tape.below(8) == 7));
    features
}

/// Guards that a handful of people can trip.
fn guard(promise: &mut Promise, tape: &mut Tape) {
    let limits = [Limit::Absolute(1), Limit::Absolute(0), Limit::Absolute(2), Limit::Percent(20.0)];
    let mut limit = |most: Limit| if tape.below(2) == 1 { tape.pick(&limits).unwrap_or(most) } else { most };
    let Guard { max_deletes, max_updates, max_blanked_fields, max_unlinks, max_left_groups } = promise.guard.clone();
    promise.guard = Guard {
        max_deletes: limit(max_deletes),
        max_updates: limit(max_updates),
        max_blanked_fields: limit(max_blanked_fields),
        max_unlinks: limit(max_unlinks),
        max_left_groups: limit(max_left_groups),
    };
}
