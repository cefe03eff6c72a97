//! The rule of markers, shared by every implementor.

use crate::domain::time::Timestamp;

/// Markers minted at once; they follow each other one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Minted {
    /// The first of them.
    pub first: u64,
    /// The last of them; the greatest marker ever minted.
    pub last: u64,
}

impl Minted {
    /// Mints `count` markers when `last` is the greatest minted before.
    ///
    /// Markers never fall behind the clock's microseconds: when the database was lost or restored, those minted from
    /// now on are still greater than those that are out in remote records. A clock that goes back changes nothing.
    pub(super) fn after(last: u64, count: u64, now: Timestamp) -> Self {
        let clock = u64::try_from(now.as_micros()).unwrap_or(0);
        let first = last.saturating_add(1).max(clock);
        Minted { first, last: last.max(first.saturating_add(count).saturating_sub(1)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn markers_strictly_grow_whatever_the_clock_does(calls in proptest::collection::vec((0_u64..5, -9_i64..99), 1..20)) {
            let mut last = 0;
            for (count, now) in calls {
                let minted = Minted::after(last, count, Timestamp::from_micros(now));
                prop_assert!(minted.first > last);
                prop_assert!(minted.last >= last);
                prop_assert!(count == 0 || minted.last - minted.first == count - 1);
                last = minted.last;
            }
        }
    }
}
