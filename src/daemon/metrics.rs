//! What is measured, in the text format that Prometheus reads.
//!
//! Counters grow with what this process does. Gauges are taken anew from the store each time somebody asks, so that they
//! also tell what other processes did. Labels are names of accounts and methods, never anything about a contact.
//!
//! Source: the OpenMetrics text format, version 1.0.0 (read 2026-11).

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::domain::account::Outcome;
use crate::domain::run::{AccountSummary, Counts};

/// What [`Metrics::encode`] answers in.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the durations of runs, in seconds: an idle run takes less than one, the first one of a large
/// address book hours.
const DURATIONS: [f64; 10] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0];

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfAccount {
    account: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfRun {
    account: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfCall {
    method: &'static str,
    status: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfItem {
    account: String,
    side: &'static str,
    operation: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfQuota {
    account: String,
    kind: &'static str,
}

type Numbers = Family<OfAccount, Gauge<i64, AtomicI64>>;

/// How things stand with one account when somebody asks.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountGauges {
    /// Its name.
    pub account: String,
    /// Contacts that are kept equal.
    pub links: u64,
    /// Links and intents that are not settled.
    pub outbox_depth: u64,
    /// Conflicts that wait for a person.
    pub conflicts: u64,
    /// Operations that wait for a person.
    pub parked: u64,
    /// Doubts about who is who that wait for a person.
    pub questions: u64,
    /// Units left to read and to write, in this minute; `None` before the first run.
    pub quota_left: Option<(u64, u64)>,
    /// How old the listing is that the change token descends from; `None` without one.
    pub change_token_age: Option<Duration>,
    /// How long ago both sides were proven equal; `None` while they never were.
    pub since_equal: Option<Duration>,
    /// Whether that is too long ago.
    pub is_overdue: bool,
    /// Whether a run goes on.
    pub is_running: bool,
}

/// Everything that is measured.
pub struct Metrics {
    registry: Registry,
    runs: Family<OfRun, Counter>,
    run_durations: Family<OfAccount, Histogram, fn() -> Histogram>,
    calls: Family<OfCall, Counter>,
    items: Family<OfItem, Counter>,
    gauges: Mutex<Gauges>,
    in_flight: AtomicU64,
}

/// A request that is not answered yet; ends when it is dropped.
pub(super) struct Flight<'m>(&'m AtomicU64);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Gauges {
    links: Numbers,
    outbox_depth: Numbers,
    conflicts: Numbers,
    parked: Numbers,
    questions: Numbers,
    quota_left: Family<OfQuota, Gauge<i64, AtomicI64>>,
    change_token_age: Family<OfAccount, Gauge<f64, AtomicU64>>,
    since_equal: Family<OfAccount, Gauge<f64, AtomicU64>>,
    overdue: Numbers,
    running: Numbers,
    store_bytes: Gauge<i64, AtomicI64>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    /// Nothing has been measured yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("contactsync");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What is running", build);
        let metrics = Metrics {
            runs: Family::default(),
            run_durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            calls: Family::default(),
            items: Family::default(),
            gauges: Mutex::default(),
            in_flight: AtomicU64::new(0),
            registry: Registry::default(),
        };
        registry.register("runs", "Runs that ended, by outcome", metrics.runs.clone());
        registry.register("run_duration_seconds", "How long runs took", metrics.run_durations.clone());
        registry.register("remote_calls", "Requests to remotes, by method and HTTP status", metrics.calls.clone());
        registry.register("items", "Contacts that were written, by side and operation", metrics.items.clone());
        metrics.with_gauges(|gauges| gauges.register(&mut registry));
        Metrics { registry, ..metrics }
    }

    /// An account is cared for from now on: its counters begin at zero, so that the first run that ends badly is seen as
    /// one more than before.
    pub fn knows(&self, account: &str) {
        for outcome in OUTCOMES {
            _ = self.runs.get_or_create(&OfRun { account: account.to_owned(), outcome: word(outcome) });
        }
    }

    /// A run of an account ended.
    pub fn ran(&self, summary: &AccountSummary, took: Duration) {
        let account = summary.account.to_string();
        self.run_durations.get_or_create(&OfAccount { account: account.clone() }).observe(took.as_secs_f64());
        self.runs.get_or_create(&OfRun { account: account.clone(), outcome: word(summary.outcome) }).inc();
        for (side, counts) in [("store", summary.pulled), ("google", summary.pushed)] {
            let Counts { created, updated, deleted } = counts;
            for (operation, count) in [("create", created), ("update", updated), ("delete", deleted)] {
                let labels = OfItem { account: account.clone(), side, operation };
                self.items.get_or_create(&labels).inc_by(count);
            }
        }
    }

    /// A run of an account ended, and nobody knows how.
    pub(super) fn lost(&self, account: &str) {
        self.runs.get_or_create(&OfRun { account: account.to_owned(), outcome: word(Outcome::Failed) }).inc();
    }

    /// A request is under way for as long as this is kept.
    pub(super) fn flight(&self) -> Flight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Flight(&self.in_flight)
    }

    /// How many requests are not answered yet.
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A request was sent; `status` is that of the answer, if there was one.
    pub fn called(&self, method: &'static str, status: Option<StatusCode>) {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.as_u16().to_string());
        self.calls.get_or_create(&OfCall { method, status }).inc();
    }

    /// Everything, with the gauges as they stand.
    pub fn encode(&self, accounts: &[AccountGauges], store_bytes: u64) -> String {
        self.with_gauges(|gauges| {
            gauges.set(accounts, store_bytes);
            let mut out = String::new();
            // Writing into a string cannot fail.
            let _ = text::encode(&mut out, &self.registry);
            out
        })
    }

    fn with_gauges<T>(&self, use_them: impl FnOnce(&mut Gauges) -> T) -> T {
        use_them(&mut self.gauges.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Gauges {
    fn register(&self, registry: &mut Registry) {
        for (name, help, numbers) in [
            ("links", "Contacts that are kept equal", &self.links),
            ("outbox_depth", "Links and intents that are not settled", &self.outbox_depth),
            ("conflicts", "Conflicts that wait for a person", &self.conflicts),
            ("parked", "Operations that wait for a person", &self.parked),
            ("questions", "Doubts about who is who that wait for a person", &self.questions),
            ("overdue", "1 when not proven equal for three intervals of the schedule", &self.overdue),
            ("running", "1 while a run goes on", &self.running),
        ] {
            registry.register(name, help, numbers.clone());
        }
        registry.register("quota_left", "Units left of the budget of a minute", self.quota_left.clone());
        let age = "Age of the listing that the change token descends from; Google lets it live seven days";
        registry.register("change_token_age_seconds", age, self.change_token_age.clone());
        let since = "Time since both sides were last proven equal";
        registry.register("seconds_since_equal", since, self.since_equal.clone());
        registry.register("store_bytes", "Size of the store's files", self.store_bytes.clone());
    }

    fn set(&self, accounts: &[AccountGauges], store_bytes: u64) {
        let all = [&self.links, &self.outbox_depth, &self.conflicts, &self.parked, &self.questions];
        all.into_iter().chain([&self.overdue, &self.running]).for_each(Family::clear);
        self.quota_left.clear();
        self.change_token_age.clear();
        self.since_equal.clear();
        self.store_bytes.set(signed(store_bytes));
        for gauges in accounts {
            let labels = OfAccount { account: gauges.account.clone() };
            for (numbers, value) in [
                (&self.links, gauges.links),
                (&self.outbox_depth, gauges.outbox_depth),
                (&self.conflicts, gauges.conflicts),
                (&self.parked, gauges.parked),
                (&self.questions, gauges.questions),
                (&self.overdue, u64::from(gauges.is_overdue)),
                (&self.running, u64::from(gauges.is_running)),
            ] {
                numbers.get_or_create(&labels).set(signed(value));
            }
            for (kind, left) in
                gauges.quota_left.iter().flat_map(|(reads, writes)| [("reads", reads), ("writes", writes)])
            {
                let labels = OfQuota { account: gauges.account.clone(), kind };
                self.quota_left.get_or_create(&labels).set(signed(*left));
            }
            if let Some(age) = gauges.change_token_age {
                self.change_token_age.get_or_create(&labels).set(age.as_secs_f64());
            }
            if let Some(since) = gauges.since_equal {
                self.since_equal.get_or_create(&labels).set(since.as_secs_f64());
            }
        }
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Every way in which a run can end.
const OUTCOMES: [Outcome; 5] =
    [Outcome::Done, Outcome::Parked, Outcome::Failed, Outcome::Unreachable, Outcome::NoConsent];

/// An outcome as a label.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Parked => "parked",
        Outcome::Failed => "failed",
        Outcome::Unreachable => "unreachable",
        Outcome::NoConsent => "no_consent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::AccountName;

    #[test]
    fn what_was_measured_is_told_with_its_labels() {
        let metrics = Metrics::new();
        metrics.knows("sales");
        let mut summary = AccountSummary::new(AccountName::new("sales"));
        summary.pushed = Counts { created: 2, updated: 1, deleted: 0 };
        metrics.ran(&summary, Duration::from_millis(700));
        metrics.called("people.get", Some(StatusCode::OK));
        metrics.called("people.get", None);
        let gauges = AccountGauges {
            account: "sales".to_owned(),
            links: 5,
            outbox_depth: 1,
            conflicts: 0,
            parked: 2,
            questions: 0,
            quota_left: Some((7, 9)),
            change_token_age: None,
            since_equal: Some(Duration::from_millis(1500)),
            is_overdue: true,
            is_running: false,
        };
        let text = metrics.encode(std::slice::from_ref(&gauges), 4096);
        for line in [
            "contactsync_runs_total{account=\"sales\",outcome=\"done\"} 1",
            "contactsync_runs_total{account=\"sales\",outcome=\"no_consent\"} 0",
            "contactsync_run_duration_seconds_bucket{le=\"1.0\",account=\"sales\"} 1",
            "contactsync_remote_calls_total{method=\"people.get\",status=\"200\"} 1",
            "contactsync_remote_calls_total{method=\"people.get\",status=\"none\"} 1",
            "contactsync_items_total{account=\"sales\",side=\"google\",operation=\"create\"} 2",
            "contactsync_links{account=\"sales\"} 5",
            "contactsync_quota_left{account=\"sales\",kind=\"writes\"} 9",
            "contactsync_seconds_since_equal{account=\"sales\"} 1.5",
            "contactsync_overdue{account=\"sales\"} 1",
            "contactsync_store_bytes 4096",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("contactsync_change_token_age_seconds{"), "{text}");
        let without = metrics.encode(&[], 0);
        assert!(!without.contains("contactsync_links{"), "an account that is no more is not told of: {without}");
    }
}
