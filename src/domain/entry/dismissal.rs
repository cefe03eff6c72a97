//! Dismissals: what a person has said about two contacts that look alike, that they are not the same.

use serde::{Deserialize, Serialize};

use crate::domain::id::ContactId;

/// Two contacts that are not the same, in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissal {
    /// The one.
    pub first: ContactId,
    /// The other.
    pub second: ContactId,
}

impl Dismissal {
    /// Of these two, in whichever order.
    pub fn of(one: ContactId, other: ContactId) -> Self {
        Dismissal { first: one.min(other), second: one.max(other) }
    }

    /// The same with `to` in the place of `from`; `None` when that is one contact twice.
    pub(super) fn moved(self, from: ContactId, to: ContactId) -> Option<Self> {
        let place = |id: ContactId| if id == from { to } else { id };
        let moved = Dismissal::of(place(self.first), place(self.second));
        (moved.first != moved.second).then_some(moved)
    }
}
