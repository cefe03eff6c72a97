//! Quotas per user: so many units a minute, so many contact writes a day, so many full listings in ten minutes.
//!
//! The service counts all calls it admits, also those it then refuses for their content. A window begins with the first
//! call in it. Nothing tells a client when the next one begins. Without limits in the settings nothing is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::counters::Units;
use super::failure::{Code, Failure};
use crate::domain::time::Timestamp;

/// The limits of one user; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Critical read requests per minute.
    pub critical_reads: Option<u64>,
    /// Critical write requests per minute.
    pub critical_writes: Option<u64>,
    /// Contact writes per day.
    pub daily_writes: Option<u64>,
    /// First pages of full listings with a sync token per ten minutes.
    pub full_pulls: Option<u64>,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Reads of people.
    CriticalReads,
    /// Creates and updates of people.
    CriticalWrites,
    /// The same per day.
    DailyWrites,
    /// Full listings.
    FullPulls,
}

impl Metric {
    const ALL: [Metric; 4] = [Metric::CriticalReads, Metric::CriticalWrites, Metric::DailyWrites, Metric::FullPulls];

    fn window(self) -> Duration {
        Duration::from_secs(match self {
            Metric::CriticalReads | Metric::CriticalWrites => 60,
            Metric::DailyWrites => 24 * 3600,
            Metric::FullPulls => 600,
        })
    }

    fn limit(self, limits: &Limits) -> Option<u64> {
        match self {
            Metric::CriticalReads => limits.critical_reads,
            Metric::CriticalWrites => limits.critical_writes,
            Metric::DailyWrites => limits.daily_writes,
            Metric::FullPulls => limits.full_pulls,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Timestamp,
    used: u64,
}

/// What the users have used of their quotas.
#[derive(Debug, Default)]
pub struct Quotas(BTreeMap<(String, Metric), Window>);

impl Quotas {
    /// Charges a call of `account`.
    ///
    /// # Errors
    /// The quota that does not suffice; then nothing is charged.
    pub fn charge(
        &mut self,
        account: &str,
        units: Units,
        full_pulls: u64,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let costs = Metric::ALL.map(|metric| {
            let cost = match metric {
                Metric::CriticalReads => units.critical_reads,
                Metric::CriticalWrites => units.critical_writes,
                Metric::DailyWrites => units.daily_writes,
                Metric::FullPulls => full_pulls,
            };
            (metric, cost)
        });
        for (metric, cost) in costs {
            if let Some(limit) = metric.limit(limits).filter(|limit| self.used(account, metric, now) + cost > *limit) {
                return Err(exceeded(metric, limit));
            }
        }
        for (metric, cost) in costs.into_iter().filter(|(metric, cost)| *cost > 0 && metric.limit(limits).is_some()) {
            let window = self.0.entry((account.to_owned(), metric)).or_insert(Window { began: now, used: 0 });
            if now.since(window.began) >= metric.window() {
                *window = Window { began: now, used: 0 };
            }
            window.used += cost;
        }
        Ok(())
    }

    fn used(&self, account: &str, metric: Metric, now: Timestamp) -> u64 {
        let window = self.0.get(&(account.to_owned(), metric));
        window.filter(|window| now.since(window.began) < metric.window()).map_or(0, |window| window.used)
    }
}

/// The refusal of a call that goes beyond `limit`.
pub fn exceeded(metric: Metric, limit: u64) -> Failure {
    let (title, name, quota, period) = match metric {
        Metric::CriticalReads => (
            "Critical read requests (Contact and Profile Reads)",
            "critical_read_requests",
            "CriticalReadsPerMinutePerProjectPerUser",
            "minute",
        ),
        Metric::CriticalWrites => (
            "Critical write requests (Contact Creates and Updates)",
            "critical_write_requests",
            "CriticalWritesPerMinutePerProjectPerUser",
            "minute",
        ),
        Metric::DailyWrites => {
            ("Daily Contact Writes (Total)", "daily_contact_writes", "DailyContactWritesPerProjectPerUser", "day")
        }
        Metric::FullPulls => (
            "Full sync requests (First page of full sync)",
            "full_sync_requests",
            "FullSyncRequestsPerProjectPerUser",
            "10 minutes",
        ),
    };
    let text = format!(
        "Quota exceeded for quota metric '{title}' and limit '{title} per {period} per user' of service \
         'people.googleapis.com' for consumer 'project_number:123456789012'."
    );
    let metadata = json!({
        "service": "people.googleapis.com",
        "quota_metric": format!("people.googleapis.com/{name}"),
        "quota_limit": quota,
        "quota_limit_value": limit.to_string(),
        "consumer": "projects/123456789012",
    });
    Failure::new(Code::ResourceExhausted, text).with_info("RATE_LIMIT_EXCEEDED", "googleapis.com", metadata)
}
