//! Quotas per user: so many units a minute, so many contact writes a day, so many full listings in ten minutes, and what
//! the storage behind the service takes in an hour.
//!
//! The service counts all calls it admits, also those it then refuses for their content. The quotas per minute are
//! buckets that fill up steadily, or windows that begin with the first call in them, as the settings say; the others are
//! windows. Nothing tells a client when a unit comes back. Without limits in the settings nothing is refused.

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
    /// Plain write requests per minute: deletions.
    pub writes: Option<u64>,
    /// Contact writes per day.
    pub daily_writes: Option<u64>,
    /// Contact writes and deletions per hour that the storage behind the service takes; beyond, the other 429.
    pub storage_writes: Option<u64>,
    /// First pages of full listings with a sync token per ten minutes.
    pub full_pulls: Option<u64>,
    /// How the quotas per minute come back.
    pub refill: Refill,
}

/// How a quota per minute comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refill {
    /// Steadily, up to what a minute allows.
    #[default]
    Steady,
    /// All at once, a minute after the first call that used it.
    Window,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Reads of people.
    CriticalReads,
    /// Creates and updates of people.
    CriticalWrites,
    /// Deletions.
    Writes,
    /// Creates and updates per day.
    DailyWrites,
    /// What the storage takes.
    Storage,
    /// Full listings.
    FullPulls,
}

impl Metric {
    const ALL: [Metric; 6] = [
        Metric::CriticalReads,
        Metric::CriticalWrites,
        Metric::Writes,
        Metric::DailyWrites,
        Metric::Storage,
        Metric::FullPulls,
    ];

    fn window(self) -> Duration {
        Duration::from_secs(match self {
            Metric::CriticalReads | Metric::CriticalWrites | Metric::Writes => 60,
            Metric::DailyWrites => 24 * 3600,
            Metric::Storage => 3600,
            Metric::FullPulls => 600,
        })
    }

    fn refill(self, limits: &Limits) -> Refill {
        match self {
            Metric::CriticalReads | Metric::CriticalWrites | Metric::Writes => limits.refill,
            Metric::DailyWrites | Metric::Storage | Metric::FullPulls => Refill::Window,
        }
    }

    fn limit(self, limits: &Limits) -> Option<u64> {
        match self {
            Metric::CriticalReads => limits.critical_reads,
            Metric::CriticalWrites => limits.critical_writes,
            Metric::Writes => limits.writes,
            Metric::DailyWrites => limits.daily_writes,
            Metric::Storage => limits.storage_writes,
            Metric::FullPulls => limits.full_pulls,
        }
    }

    fn cost(self, units: Units, full_pulls: u64) -> u64 {
        match self {
            Metric::CriticalReads => units.critical_reads,
            Metric::CriticalWrites => units.critical_writes,
            Metric::Writes => units.writes,
            Metric::DailyWrites => units.daily_writes,
            Metric::Storage => units.daily_writes + units.writes,
            Metric::FullPulls => full_pulls,
        }
    }
}

/// What one user has used of one quota.
#[derive(Debug, Clone, Copy)]
enum Use {
    /// The bucket is full again at this time.
    FullAt(Timestamp),
    /// So much since then.
    Since { began: Timestamp, used: u64 },
}

/// What the users have used of their quotas.
#[derive(Debug, Default)]
pub struct Quotas(BTreeMap<(String, Metric), Use>);

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
        let mut charged = Vec::new();
        for metric in Metric::ALL {
            let (cost, Some(limit)) = (metric.cost(units, full_pulls), metric.limit(limits)) else { continue };
            if cost == 0 {
                continue;
            }
            let key = (account.to_owned(), metric);
            let after = match metric.refill(limits) {
                Refill::Steady => drain(self.0.get(&key), cost, limit, now),
                Refill::Window => count(self.0.get(&key), cost, limit, metric.window(), now),
            };
            charged.push((key, after.ok_or_else(|| exceeded(metric, limit))?));
        }
        self.0.extend(charged);
        Ok(())
    }
}

/// Takes `cost` out of a bucket of `limit` that fills up in a minute.
fn drain(before: Option<&Use>, cost: u64, limit: u64, now: Timestamp) -> Option<Use> {
    let full_at = match before {
        Some(Use::FullAt(time)) => now.max(*time),
        _ => now,
    };
    let minute = Metric::CriticalReads.window();
    let per_unit = u32::try_from(limit).ok().filter(|limit| *limit > 0).map(|limit| minute / limit)?;
    let full_at = full_at.plus(per_unit.saturating_mul(u32::try_from(cost).unwrap_or(u32::MAX)));
    (full_at.since(now) <= minute).then_some(Use::FullAt(full_at))
}

/// Counts `cost` in a window.
fn count(before: Option<&Use>, cost: u64, limit: u64, window: Duration, now: Timestamp) -> Option<Use> {
    let (began, used) = match before {
        Some(Use::Since { began, used }) if now.since(*began) < window => (*began, *used),
        _ => (now, 0),
    };
    let used = used.saturating_add(cost);
    (used <= limit).then_some(Use::Since { began, used })
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
        Metric::Writes => ("Write requests", "write_requests", "WritesPerMinutePerProjectPerUser", "minute"),
        Metric::Storage => return storage_exhausted(),
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

/// The refusal of the storage behind the service, which may last for hours.
fn storage_exhausted() -> Failure {
    let detail = json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{ "subject": "QUOTA_EXCEEDED", "description": "FBS quota limit exceeded" }],
    });
    Failure::new(Code::ResourceExhausted, "Resource has been exhausted (e.g. check quota).").with_detail(detail)
}
