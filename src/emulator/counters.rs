//! What was asked of the emulator, so that tests can assert the least number of calls and the absence of bad manners.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many refusals and violations are kept as text.
const NOTES_MAX: usize = 1000;

/// What a call takes from the quotas of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Units {
    /// Of "critical read requests" per minute.
    pub critical_reads: u64,
    /// Of "critical write requests" per minute.
    pub critical_writes: u64,
    /// Of "contact writes" per day.
    pub daily_writes: u64,
    /// Of plain write requests.
    pub writes: u64,
}

impl Units {
    fn add(&mut self, other: Units) {
        self.critical_reads += other.critical_reads;
        self.critical_writes += other.critical_writes;
        self.daily_writes += other.daily_writes;
        self.writes += other.writes;
    }
}

/// The count of one method on one account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MethodCount {
    /// Calls, answered or not.
    pub calls: u64,
    /// People or groups that successful calls read or wrote.
    pub items: u64,
    /// First pages of full listings that asked for a sync token.
    pub full_pulls: u64,
    /// What the calls took from the quotas.
    pub units: Units,
    /// Bytes of request bodies.
    pub bytes_received: u64,
    /// Bytes of answer bodies before compression.
    pub bytes_sent: u64,
    /// Answers per HTTP status; 0 stands for a closed connection.
    pub statuses: BTreeMap<u16, u64>,
}

/// One call as it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The account, or nothing for a call without a valid token.
    pub account: Option<&'a str>,
    /// The method.
    pub method: &'a str,
    /// People or groups.
    pub items: usize,
    /// Whether it began a full listing with a sync token.
    pub is_full_pull: bool,
    /// Its share of the quotas.
    pub units: Units,
    /// Bytes of the request body.
    pub received: usize,
    /// Bytes of the answer body.
    pub sent: usize,
    /// The HTTP status, 0 for none.
    pub status: u16,
}

/// All counts.
#[derive(Debug, Default, Serialize)]
pub struct Counters {
    /// Per account, then per method; calls without a valid token count under "-".
    pub accounts: BTreeMap<String, BTreeMap<String, MethodCount>>,
    /// What no client should do although it is answered; the manual lists it.
    pub violations: Vec<String>,
    /// Refused calls with the reason the emulator had, oldest first.
    pub refusals: Vec<String>,
}

impl Counters {
    /// Counts a call.
    pub fn count(&mut self, call: &Counted<'_>) {
        let methods = self.accounts.entry(call.account.unwrap_or("-").to_owned()).or_default();
        let count = methods.entry(call.method.to_owned()).or_default();
        count.calls += 1;
        count.items += u64::try_from(call.items).unwrap_or(u64::MAX);
        count.full_pulls += u64::from(call.is_full_pull);
        count.units.add(call.units);
        count.bytes_received += u64::try_from(call.received).unwrap_or(u64::MAX);
        count.bytes_sent += u64::try_from(call.sent).unwrap_or(u64::MAX);
        *count.statuses.entry(call.status).or_default() += 1;
    }

    /// Notes bad manners.
    pub fn violation(&mut self, text: String) {
        note(&mut self.violations, text);
    }

    /// Notes a refusal.
    pub fn refusal(&mut self, text: String) {
        note(&mut self.refusals, text);
    }

    /// The count of `method` over all accounts.
    pub fn method(&self, method: &str) -> MethodCount {
        self.sum(|_, name| name == method)
    }

    /// The count of all methods on one account.
    pub fn account(&self, email: &str) -> MethodCount {
        self.sum(|account, _| account == email)
    }

    /// The count of everything.
    pub fn total(&self) -> MethodCount {
        self.sum(|_, _| true)
    }

    fn sum(&self, counts: impl Fn(&str, &str) -> bool) -> MethodCount {
        let mut sum = MethodCount::default();
        for (account, methods) in &self.accounts {
            for (_, count) in methods.iter().filter(|(method, _)| counts(account, method)) {
                sum.calls += count.calls;
                sum.items += count.items;
                sum.full_pulls += count.full_pulls;
                sum.units.add(count.units);
                sum.bytes_received += count.bytes_received;
                sum.bytes_sent += count.bytes_sent;
                for (status, times) in &count.statuses {
                    *sum.statuses.entry(*status).or_default() += times;
                }
            }
        }
        sum
    }
}

fn note(notes: &mut Vec<String>, text: String) {
    if notes.len() < NOTES_MAX {
        notes.push(text);
    }
}
