//! The past of one object, as far as somebody can still see it.
//!
//! A write is authoritative at once, and shows to readers later: at its own time for each way of reading. Until then
//! they see the version before. A history keeps exactly the versions that some reader can still be shown.

use std::sync::Arc;

use crate::domain::time::Timestamp;

/// A way of reading, each with its own freshness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Direct reads.
    Get,
    /// Listings without a sync token.
    List,
    /// Listings with a sync token.
    Delta,
}

/// From when on a version shows, per channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visibility {
    /// In direct reads.
    pub get: Timestamp,
    /// In listings without a sync token.
    pub list: Timestamp,
    /// In listings with a sync token.
    pub delta: Timestamp,
}

impl Visibility {
    fn on(&self, channel: Channel) -> Timestamp {
        match channel {
            Channel::Get => self.get,
            Channel::List => self.list,
            Channel::Delta => self.delta,
        }
    }

    fn is_complete(&self, now: Timestamp) -> bool {
        self.get <= now && self.list <= now && self.delta <= now
    }
}

#[derive(Debug)]
struct Version<T> {
    visible: Visibility,
    state: Arc<T>,
}

/// The versions of one object, oldest first, never empty.
#[derive(Debug)]
pub struct History<T> {
    older: Vec<Version<T>>,
    latest: Version<T>,
}

impl<T> History<T> {
    /// The history of an object that begins with `state`.
    pub fn begin(state: T, visible: Visibility) -> Self {
        History { older: Vec::new(), latest: Version { visible, state: Arc::new(state) } }
    }

    /// The authoritative state, which writes build on.
    pub fn latest(&self) -> &Arc<T> {
        &self.latest.state
    }

    /// Adds a version and forgets those nobody can be shown any more.
    pub fn push(&mut self, state: T, visible: Visibility, now: Timestamp) {
        let version = Version { visible, state: Arc::new(state) };
        let previous = std::mem::replace(&mut self.latest, version);
        self.older.push(previous);
        if self.latest.visible.is_complete(now) {
            self.older.clear();
        } else if let Some(settled) = self.older.iter().rposition(|version| version.visible.is_complete(now)) {
            self.older.drain(..settled);
        }
    }

    /// The state a reader on `channel` sees at `now`; `None` while not even the first version shows.
    pub fn view(&self, channel: Channel, now: Timestamp) -> Option<&Arc<T>> {
        std::iter::once(&self.latest)
            .chain(self.older.iter().rev())
            .find(|version| version.visible.on(channel) <= now)
            .map(|version| &version.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    const fn visible(get: i64, list: i64, delta: i64) -> Visibility {
        Visibility { get: at(get), list: at(list), delta: at(delta) }
    }

    #[test]
    fn each_channel_sees_the_newest_version_that_has_reached_it() {
        let mut history = History::begin("first", visible(0, 0, 0));
        history.push("second", visible(10, 20, 30), at(5));
        let seen = |channel, now| history.view(channel, at(now)).map(|state| **state);
        assert_eq!(seen(Channel::Get, 9), Some("first"));
        assert_eq!(seen(Channel::Get, 10), Some("second"));
        assert_eq!(seen(Channel::List, 19), Some("first"));
        assert_eq!(seen(Channel::Delta, 30), Some("second"));
        assert_eq!(**history.latest(), "second");
    }

    #[test]
    fn a_new_object_is_absent_until_it_shows() {
        let history = History::begin("only", visible(0, 7, 7));
        assert!(history.view(Channel::List, at(6)).is_none());
        assert!(history.view(Channel::List, at(7)).is_some());
    }

    #[test]
    fn versions_nobody_can_see_are_forgotten() {
        let mut history = History::begin(0, visible(0, 0, 0));
        for number in 1..100 {
            history.push(number, visible(number, number, number), at(number));
        }
        assert!(history.older.is_empty());
        history.push(100, visible(500, 500, 500), at(100));
        history.push(101, visible(500, 500, 500), at(100));
        assert_eq!(history.older.len(), 2);
    }
}
