//! What a run cost, and proof that it did nothing.

use std::collections::BTreeMap;

use contactsync::domain::account::Outcome;
use contactsync::domain::id::ContactId;
use contactsync::domain::version::VersionVector;
use contactsync::engine::{Purpose, Reach};
use contactsync::store::{ContactQuery, DeletedContacts};
use serde_json::Value;

use super::world::World;

/// Methods that change something.
const WRITES: [&str; 10] = [
    "people.createContact",
    "people.updateContact",
    "people.deleteContact",
    "people.batchCreateContacts",
    "people.batchUpdateContacts",
    "people.batchDeleteContacts",
    "contactGroups.create",
    "contactGroups.update",
    "contactGroups.delete",
    "contactGroups.members.modify",
];

/// Everything that a run which has nothing to do must leave alone.
#[derive(Debug, PartialEq)]
struct Standing {
    versions: BTreeMap<ContactId, VersionVector>,
    feed_end: u64,
    people: Vec<Value>,
    groups: Vec<Value>,
}

impl World {
    /// Counts calls from here on.
    pub fn count_anew(&self) {
        self.assert_no_violation();
        self.emulator().reset_counters();
    }

    /// The calls of the API since [`World::count_anew`], by method.
    pub fn api_calls(&self) -> BTreeMap<String, u64> {
        let mut calls = BTreeMap::new();
        for methods in self.emulator().counters().accounts.values() {
            for (method, count) in methods.iter().filter(|(method, _)| !method.starts_with("oauth")) {
                *calls.entry(method.clone()).or_default() += count.calls;
            }
        }
        calls
    }

    /// Those of them that change something.
    pub fn write_calls(&self) -> u64 {
        self.api_calls().iter().filter(|(method, _)| WRITES.contains(&method.as_str())).map(|(_, calls)| calls).sum()
    }

    async fn standing(&self) -> Standing {
        let query = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
        let contacts = self.store.find_contacts(&query).await.expect("read");
        Standing {
            versions: contacts.into_iter().map(|contact| (contact.id, contact.version)).collect(),
            feed_end: self.store.feed_end().await.expect("read"),
            people: self.people(),
            groups: self.by_hand(|user| user.groups()),
        }
    }

    /// Fails unless a run changes nothing on either side, writes no contact and moves no version. Returns its calls.
    pub async fn assert_quiet(&self, reach: Reach) -> BTreeMap<String, u64> {
        let before = self.standing().await;
        self.count_anew();
        let summary = self.run(reach, Purpose::Carry).await.summary;
        let calls = self.api_calls();
        assert_eq!(summary.outcome, Outcome::Done, "{summary:?}");
        assert_eq!((summary.pulled.total(), summary.pushed.total(), summary.conflicts), (0, 0, 0), "{summary:?}");
        assert_eq!(self.write_calls(), 0, "{calls:?}");
        assert_eq!(self.standing().await, before);
        assert_eq!(summary.calls, calls.values().sum::<u64>(), "the summary counts the calls");
        calls
    }

    /// As [`World::assert_quiet`], for both ways of reading.
    pub async fn assert_at_rest(&self) {
        self.assert_quiet(Reach::Incremental).await;
        self.assert_quiet(Reach::Full).await;
    }
}

/// Calls by method, to compare with.
pub fn calls(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected.iter().map(|(method, calls)| ((*method).to_owned(), *calls)).collect()
}
