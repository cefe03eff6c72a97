//! What listings have shown, to be shown again: a replica that lags behind knows of a record what was so minutes ago.

use std::time::Duration;

use contactsync::domain::time::Timestamp;
use serde_json::Value;

/// How long ago a state was shown that shows again. Together with the time that a change takes to show at all, that stays
/// within the freshness window that the engine reckons with.
const OLDEST: Duration = Duration::from_secs(240);

/// See the module.
#[derive(Debug, Default)]
pub struct Shown(Vec<(usize, Timestamp, Value)>);

impl Shown {
    /// Remembers the records of a page.
    pub fn note(&mut self, account: usize, now: Timestamp, page: &Value) {
        let items = page["connections"].as_array().into_iter().flatten();
        self.0.extend(items.map(|item| (account, now, item.clone())));
    }

    /// What was shown a short while ago.
    pub fn lately(&self, account: usize, now: Timestamp) -> Vec<Value> {
        let is_recent = |(whose, at, _): &&(usize, Timestamp, Value)| *whose == account && now.since(*at) < OLDEST;
        self.0.iter().filter(is_recent).map(|(_, _, item)| item.clone()).collect()
    }
}
