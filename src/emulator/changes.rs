//! The change log of one account: what changed since a place, in the order in which changes became visible.
//!
//! Sync tokens hold a place in this log, not a time: a change made before a token was issued and visible only after
//! it must still come after the token. So a change first waits until its time has come, and takes its place in the
//! log only then. A place holds one key at most once; a new change moves the key to the end, so the log never grows
//! beyond the number of objects and a delta costs what it delivers.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::domain::time::Timestamp;

/// A position in the log; 0 lies before everything.
pub type Place = u64;

#[derive(Debug, Clone, Copy)]
struct Seat {
    place: Place,
    change: u64,
}

/// The log.
#[derive(Debug)]
pub struct ChangeLog<K> {
    waiting: BTreeMap<(Timestamp, u64), K>,
    log: BTreeMap<Place, K>,
    seats: BTreeMap<K, Seat>,
    end: Place,
    changes: u64,
}

impl<K: Ord + Clone> Default for ChangeLog<K> {
    fn default() -> Self {
        ChangeLog { waiting: BTreeMap::new(), log: BTreeMap::new(), seats: BTreeMap::new(), end: 0, changes: 0 }
    }
}

impl<K: Ord + Clone> ChangeLog<K> {
    /// Notes a change of `key` that becomes visible at `visible_at`.
    pub fn record(&mut self, key: K, visible_at: Timestamp) {
        self.changes += 1;
        self.waiting.insert((visible_at, self.changes), key);
    }

    /// Gives every change that is visible at `now` its place.
    pub fn settle(&mut self, now: Timestamp) {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                return;
            }
            let ((_, change), key) = first.remove_entry();
            self.seat(key, change);
        }
    }

    fn seat(&mut self, key: K, change: u64) {
        match self.seats.get(&key) {
            // A later change of the same object has overtaken this one; readers already see it.
            Some(seat) if seat.change > change => return,
            Some(seat) => self.log.remove(&seat.place),
            None => None,
        };
        self.end += 1;
        self.log.insert(self.end, key.clone());
        self.seats.insert(key, Seat { place: self.end, change });
    }

    /// The place after the last visible change, as of the last [`ChangeLog::settle`].
    pub fn end(&self) -> Place {
        self.end
    }

    /// What became visible after `place`, in order.
    pub fn since(&self, place: Place) -> impl Iterator<Item = &K> {
        self.log.range((Bound::Excluded(place), Bound::Unbounded)).map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn keys(log: &ChangeLog<&'static str>, place: Place) -> Vec<&'static str> {
        log.since(place).copied().collect()
    }

    #[test]
    fn a_change_made_before_a_token_and_visible_after_it_is_not_skipped() {
        let mut log = ChangeLog::default();
        log.record("slow", at(100));
        log.record("fast", at(1));
        log.settle(at(10));
        let token = log.end();
        assert_eq!(keys(&log, 0), ["fast"]);
        log.settle(at(100));
        assert_eq!(keys(&log, token), ["slow"]);
    }

    #[test]
    fn changes_within_the_microsecond_of_a_token_come_after_it() {
        let mut log = ChangeLog::default();
        log.record("one", at(5));
        log.settle(at(5));
        let token = log.end();
        log.record("two", at(5));
        log.settle(at(5));
        assert_eq!(keys(&log, token), ["two"]);
    }

    #[test]
    fn an_object_comes_once_however_often_it_changed() {
        let mut log = ChangeLog::default();
        for time in 0..50 {
            log.record("a", at(time));
            log.settle(at(time));
        }
        assert_eq!(keys(&log, 0), ["a"]);
        assert_eq!(keys(&log, log.end()), [""; 0]);
    }

    #[test]
    fn an_overtaken_change_does_not_come_again() {
        let mut log = ChangeLog::default();
        log.record("a", at(9));
        log.record("a", at(2));
        log.settle(at(3));
        let token = log.end();
        log.settle(at(10));
        assert_eq!(keys(&log, token), [""; 0]);
    }
}
