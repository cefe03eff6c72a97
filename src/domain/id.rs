//! Names of things. Each kind of name is a type of its own, so that a group cannot be taken for a contact.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::time::Timestamp;

/// A text that is not one of our identifiers (26 characters of Crockford's base 32).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an identifier of 26 letters and digits")]
pub struct ParseIdError {
    text: String,
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Ulid);

        impl $name {
            /// Makes an identifier from the time and 80 random bits (the upper bits of `random` are ignored).
            pub fn new(now: Timestamp, random: u128) -> Self {
                $name(Ulid::from_parts(u64::try_from(now.as_millis()).unwrap_or(0), random))
            }

            /// When it was made, to the millisecond.
            pub fn time(self) -> Timestamp {
                Timestamp::from_micros(i64::try_from(self.0.timestamp_ms().saturating_mul(1000)).unwrap_or(i64::MAX))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.to_string())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ulid::from_string(text).map($name).map_err(|_| ParseIdError { text: text.to_owned() })
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                $name(text.into())
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

ulid_id! {
    /// A contact of the store: a person or an organization. Never used twice.
    ContactId
}
ulid_id! {
    /// The claim that a contact is represented in an account by one remote record.
    LinkId
}
ulid_id! {
    /// One run: one invocation, or one scheduled tick, over one or more accounts.
    RunId
}
ulid_id! {
    /// A conflict that was decided or waits for a person.
    ConflictId
}
ulid_id! {
    /// One import of a file.
    ImportId
}
ulid_id! {
    /// An entry of the store: a deal, an activity, a note, a relation or a definition. Never used twice.
    EntryId
}

text_id! {
    /// A configured account, by the name that the configuration gives it.
    AccountName
}
text_id! {
    /// A holder of contacts inside version vectors: `store@<epoch>`, `google:<account>` or `pipedrive`.
    ReplicaId
}
text_id! {
    /// A remote record, as the remote names it (`people/c1152921504606846977`).
    RemoteId
}
text_id! {
    /// A remote group, as the remote names it (`contactGroups/myContacts`).
    GroupId
}
text_id! {
    /// The remote's mark of one revision; compared for equality, never parsed.
    Etag
}
text_id! {
    /// A place in a remote's change stream; may die, then list in full.
    ChangeToken
}
text_id! {
    /// The name of a link that travels inside the remote record, so that a record tells whose it is.
    LinkToken
}

/// The dot of one of our writes to a remote; greater means later, within one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marker(pub u64);

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl ReplicaId {
    /// The store during one of its epochs; the epoch rises when a backup is restored.
    pub fn store(epoch: u32) -> Self {
        ReplicaId(format!("store@{epoch}"))
    }

    /// A Google account.
    pub fn google(account: &AccountName) -> Self {
        ReplicaId(format!("google:{account}"))
    }

    /// How people see the replica: the store without its epoch.
    pub fn display_name(&self) -> &str {
        if self.0.starts_with("store@") { "store" } else { &self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_sort_by_time_and_round_trip() {
        let early = ContactId::new(Timestamp::from_micros(1_000_000), u128::MAX);
        let late = ContactId::new(Timestamp::from_micros(2_000_000), 0);
        assert!(early < late);
        assert_eq!(early.to_string().parse::<ContactId>(), Ok(early));
        assert!("people/c1".parse::<ContactId>().is_err());
    }

    #[test]
    fn the_store_is_shown_without_its_epoch() {
        assert_eq!(ReplicaId::store(2).display_name(), "store");
        assert_eq!(ReplicaId::google(&AccountName::new("sales")).display_name(), "google:sales");
    }
}
