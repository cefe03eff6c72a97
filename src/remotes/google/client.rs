//! How a call reaches Google: budget, token, request, verdict, and whether it may be tried again.
//!
//! Reads are tried up to five times. A write is tried again only when Google says that it did nothing; everything else
//! about a write is told to the caller, who alone knows how to find out. Writes of an account go one after the other,
//! as Google asks for.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{DATE, RETRY_AFTER};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::Instrument as _;
use url::Url;

use crate::clock::{Clock, Entropy};
use crate::domain::budget::Budget;
use crate::domain::id::AccountName;
use crate::domain::time::Timestamp;
use crate::remotes::http::{MethodName, Transport, TransportError};
use crate::remotes::id_token::Identity;
use crate::remotes::quota::{Metric, Quota, Resumed};
use crate::remotes::retry::{READS, RetryLimits, RetrySchedule, retry_after};
use crate::remotes::token_cache::TokenCache;
use crate::remotes::{RemoteError, WriteKind};

use super::codec::GoogleCodec;
use super::errors::{Exhaustion, Refusal, Verdict, judge};
use super::mapping::Mapping;
use super::request::{self, About, Call};

/// For writes that Google refused without doing anything. The waits on top of these are those of the budget.
const WRITES: RetryLimits = RetryLimits { tries_max: 3, first: Duration::from_secs(5), cap: Duration::from_secs(30) };
/// The longest wait between two tries; when more is asked for, the caller has to come again.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// The pause when the storage behind the API is exhausted; doubled each time, up to the longest.
const EXHAUSTED_PAUSE: Duration = Duration::from_secs(5 * 60);
const EXHAUSTED_PAUSE_MAX: Duration = Duration::from_secs(6 * 3600);
/// A budget of a day is whole again after so long at the latest.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// No answer has told the remote's time yet.
const UNKNOWN: i64 = i64::MIN;

/// What a Google account needs to know.
#[derive(Debug, Clone)]
pub struct GoogleOptions {
    /// Where the People API is.
    pub api_url: Url,
    /// The account, as the configuration names it.
    pub account: AccountName,
    /// The address of its user, when whoever gives us tokens vouches for it: a domain's administrator, for a service
    /// account.
    pub vouched: Option<String>,
    /// Its field map.
    pub mapping: Mapping,
    /// Budget of reads per minute.
    pub reads_per_minute: u32,
    /// Budget of writes per minute.
    pub writes_per_minute: u32,
}

/// The contacts of one Google account.
pub struct Google {
    pub(super) codec: GoogleCodec,
    account: AccountName,
    pub(super) vouched: Option<String>,
    base: String,
    pub(super) transport: Arc<dyn Transport>,
    tokens: Arc<TokenCache>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    quota: Quota,
    /// Held by the write that is under way.
    lane: Mutex<()>,
    /// Whose grants are used, as the API names the user; anybody's before somebody is expected.
    expected: std::sync::Mutex<Option<String>>,
    calls: AtomicU64,
    clock_ahead_ms: AtomicI64,
    /// How often in a row the storage was exhausted.
    exhausted: AtomicU32,
    /// Until when batches are more than the budget of the day allows; in microseconds since the epoch.
    singles_until: AtomicI64,
}

/// A call that did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: RemoteError,
    /// The HTTP status, when there was an answer.
    pub(super) code: Option<u16>,
    again: Again,
    /// How long the remote asks to wait.
    named: Duration,
}

/// Who may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Nobody.
    Never,
    /// A read.
    Reads,
    /// Anybody: the call had no effect, and the remote is there.
    All,
}

impl Failure {
    fn never(error: RemoteError) -> Self {
        Failure { error, code: None, again: Again::Never, named: Duration::ZERO }
    }

    fn reads(error: RemoteError) -> Self {
        Failure { again: Again::Reads, ..Failure::never(error) }
    }
}

impl Google {
    /// An account over a transport. Nothing is sent yet.
    pub fn new(
        options: GoogleOptions,
        transport: Arc<dyn Transport>,
        tokens: Arc<TokenCache>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let GoogleOptions { api_url, account, vouched, mapping, reads_per_minute, writes_per_minute } = options;
        Google {
            codec: GoogleCodec::new(mapping),
            account,
            vouched,
            base: api_url.as_str().trim_end_matches('/').to_owned(),
            transport,
            tokens,
            quota: Quota::new(reads_per_minute, writes_per_minute, clock.clone(), entropy.clone()),
            clock,
            entropy,
            lane: Mutex::new(()),
            expected: std::sync::Mutex::default(),
            calls: AtomicU64::new(0),
            clock_ahead_ms: AtomicI64::new(UNKNOWN),
            exhausted: AtomicU32::new(0),
            singles_until: AtomicI64::new(i64::MIN),
        }
    }

    /// What is left of the budget.
    pub(super) fn left_over(&self) -> Budget {
        let (reads, writes) = self.quota.left();
        let singles_until = Timestamp::from_micros(self.singles_until.load(Ordering::Relaxed));
        let singles_until = Some(singles_until).filter(|until| *until > self.clock.now());
        Budget { reads, writes, exhausted: self.exhausted.load(Ordering::Relaxed), singles_until }
    }

    /// Goes on with what another process has left, unless the own budget is newer.
    pub(super) fn go_on_with(&self, budget: &Budget) {
        if self.quota.resume(&budget.reads, &budget.writes) == Resumed::Theirs {
            self.exhausted.store(budget.exhausted, Ordering::Relaxed);
            let until = budget.singles_until.map(|until| until.min(self.clock.now().plus(DAY)));
            self.singles_until.store(until.map_or(i64::MIN, Timestamp::as_micros), Ordering::Relaxed);
        }
    }

    /// How many requests were sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Counts a request.
    pub(super) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Where the API is, without a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// By how much the remote's clock is ahead.
    pub(super) fn ahead_ms(&self) -> Option<i64> {
        Some(self.clock_ahead_ms.load(Ordering::Relaxed)).filter(|ahead| *ahead != UNKNOWN)
    }

    /// Waits until a write of this kind could be sent at once.
    pub(super) async fn ready_for(&self, kind: WriteKind, records: usize) -> Result<(), RemoteError> {
        let method = "a write";
        let cost = match (kind, records) {
            (WriteKind::Photo, _) => request::PHOTO,
            (WriteKind::Create | WriteKind::Update, ..=1) => request::WRITE,
            (WriteKind::Create | WriteKind::Update, _) => request::WRITE_BATCH,
            (WriteKind::Delete, ..=1) => request::DELETE,
            (WriteKind::Delete, _) => request::DELETE_BATCH,
        };
        self.quota.wait_for(cost).await.map_err(|retry_after| RemoteError::RateLimited { method, retry_after })?;
        self.token(method).await.map_err(|failure| failure.error)?;
        Ok(())
    }

    /// Carries out a read, again if need be.
    pub(super) async fn read(&self, call: &Call<'_>) -> Result<Value, RemoteError> {
        let mut schedule = RetrySchedule::new(READS);
        loop {
            let failure = match self.attempt(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let wait = schedule.next_wait(self.entropy.as_ref()).map(|wait| wait.max(failure.named));
            let Some(wait) = wait.filter(|wait| failure.again != Again::Never && *wait <= WAIT_MAX) else {
                return Err(failure.error);
            };
            self.clock.sleep(wait).await;
        }
    }

    /// Carries out a write, after those that came before it.
    pub(super) async fn write(&self, call: &Call<'_>) -> Result<Value, Failure> {
        let _lane = self.lane.lock().await;
        let mut schedule = RetrySchedule::new(WRITES);
        loop {
            let failure = match self.attempt(call).await {
                Ok(answer) => {
                    self.exhausted.store(0, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let wait = schedule.next_wait(self.entropy.as_ref()).map(|wait| wait.max(failure.named));
            let Some(wait) = wait.filter(|wait| failure.again == Again::All && *wait <= WAIT_MAX) else {
                return Err(failure);
            };
            self.clock.sleep(wait).await;
        }
    }

    /// One try; a refused token is replaced once.
    async fn attempt(&self, call: &Call<'_>) -> Result<Value, Failure> {
        let method = call.method;
        let paused = |retry_after| Failure::never(RemoteError::RateLimited { method, retry_after });
        self.quota.spend(call.cost).await.map_err(paused)?;
        let token = self.token(method).await?;
        if let Some(outcome) = self.exchange(call, &token).await {
            return outcome;
        }
        self.tokens.invalidate(&token).await;
        let token = self.token(method).await?;
        self.exchange(call, &token).await.unwrap_or_else(|| {
            let reason = format!("Google refuses even a new token; run `contactsync login {}`", self.account);
            Err(Failure { code: Some(401), ..Failure::never(RemoteError::NoConsent { reason }) })
        })
    }

    /// Uses no other user's grants from now on.
    pub(super) fn expect(&self, id: &str) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.to_owned());
    }

    /// A token; without one the call was not sent, whatever became of the request for the token.
    async fn token(&self, method: &'static str) -> Result<SecretString, Failure> {
        let (token, identity) = self.tokens.token_of_somebody().await.map_err(|error| not_sent(method, error))?;
        let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (expected, identity) {
            (Some(expected), Some(identity)) if user_id(&identity) != expected => {
                // The next one may be of a grant that was put right meanwhile.
                self.tokens.invalidate(&token).await;
                let found = identity.email.unwrap_or(identity.subject);
                Err(Failure::never(RemoteError::AnotherUser { found, expected }))
            }
            _ => Ok(token),
        }
    }

    /// Whether the consent is there and accepted.
    ///
    /// # Errors
    /// What is in the way of a token.
    pub async fn check_consent(&self) -> Result<(), RemoteError> {
        self.token("a token").await.map(drop).map_err(|failure| failure.error)
    }

    /// Whose grant it is, when the token endpoint says so.
    pub(super) async fn identity(&self, method: &'static str) -> Result<Option<Identity>, RemoteError> {
        self.tokens.identity().await.map_err(|error| not_sent(method, error).error)
    }

    /// One request and what came of it; `None` when the token was refused.
    async fn exchange(&self, call: &Call<'_>, token: &SecretString) -> Option<Result<Value, Failure>> {
        let span = tracing::debug_span!("remote.request", account = %self.account, remote.method = call.method);
        async {
            let started = self.clock.now();
            let outcome = self.send(call, token).await;
            let duration_ms = self.clock.now().since(started).as_millis();
            match &outcome {
                Some(Ok(_)) => tracing::debug!(duration_ms, "the call succeeded"),
                Some(Err(failure)) => {
                    // Why is told by the run: the service's own words may quote the contact.
                    tracing::debug!(duration_ms, http.status = failure.code, "the call failed");
                }
                None => tracing::debug!(duration_ms, http.status = 401, "the token was refused"),
            }
            outcome
        }
        .instrument(span)
        .await
    }

    async fn send(&self, call: &Call<'_>, token: &SecretString) -> Option<Result<Value, Failure>> {
        let method = call.method;
        let mut request = match call.request(&self.base, token) {
            Ok(request) => request,
            Err(cause) => {
                let error = RemoteError::Unreachable { method, cause: Box::new(cause) };
                return Some(Err(Failure::never(error)));
            }
        };
        self.count_call();
        request.extensions_mut().insert(MethodName(method));
        match self.transport.send(request).await {
            Ok(answer) => {
                self.note_time(&answer);
                self.judge(call, &answer)
            }
            Err(TransportError::NotSent(cause)) => {
                Some(Err(Failure::reads(RemoteError::Unreachable { method, cause })))
            }
            Err(TransportError::Lost(cause)) => {
                let detail = "no full answer".to_owned();
                Some(Err(Failure::reads(RemoteError::Lost { method, detail, cause: Some(cause) })))
            }
        }
    }

    /// What an answer means.
    fn judge(&self, call: &Call<'_>, answer: &Response<Bytes>) -> Option<Result<Value, Failure>> {
        let method = call.method;
        if answer.status().is_success() {
            let body: &[u8] = if answer.body().is_empty() { b"{}" } else { answer.body() };
            let unreadable = |_| {
                let detail = "an answer that is no JSON".to_owned();
                Failure::reads(RemoteError::Lost { method, detail, cause: None })
            };
            return Some(serde_json::from_slice(body).map_err(unreadable));
        }
        let refusal = Refusal::read(answer.status().as_u16(), answer.body());
        let named = answer.headers().get(RETRY_AFTER).and_then(|header| header.to_str().ok());
        let named = named.and_then(|header| retry_after(header, self.clock.now()));
        let limited = |retry_after| RemoteError::RateLimited { method, retry_after };
        let (error, again) = match judge(&refusal, call) {
            Verdict::Unauthenticated => return None,
            Verdict::Final(error) => (error, Again::Never),
            Verdict::Quota(metric) => {
                let pause = self.quota.refused(metric, named);
                // Full listings have a budget of their own that no waiting here can fill.
                let full = matches!(call.about, About::FullListing);
                (limited(pause), if full { Again::Never } else { Again::All })
            }
            Verdict::Exhausted(what) => {
                if what == Exhaustion::Day && call.cost == request::WRITE_BATCH {
                    self.afford_single_writes_only();
                }
                (limited(self.exhausted(call, named)), Again::Never)
            }
            Verdict::Busy => (limited(named.unwrap_or(WRITES.first)), Again::All),
            Verdict::Failed => (RemoteError::Lost { method, detail: refusal.summary(), cause: None }, Again::Reads),
        };
        let named = named.unwrap_or_default();
        Some(Err(Failure { error, code: Some(refusal.code()), again, named }))
    }

    /// A batch takes 200 writes from the budget of the day, however small it is. What is left of the day may do for single
    /// ones.
    fn afford_single_writes_only(&self) {
        self.singles_until.store(self.clock.now().plus(DAY).as_micros(), Ordering::Relaxed);
    }

    /// The fewest contacts for which a batch is cheaper than single calls.
    pub(super) fn cheap_batch(&self, kind: WriteKind) -> usize {
        let only_singles = self.clock.now().as_micros() < self.singles_until.load(Ordering::Relaxed);
        match kind {
            WriteKind::Delete => request::DELETE_BATCH_FROM,
            WriteKind::Create | WriteKind::Update if only_singles => usize::MAX,
            WriteKind::Create | WriteKind::Update => request::WRITE_BATCH_FROM,
            // Each photo is a call of its own.
            WriteKind::Photo => usize::MAX,
        }
    }

    /// Pauses for long: reads go on while writes wait, and the other way round.
    fn exhausted(&self, call: &Call<'_>, named: Option<Duration>) -> Duration {
        let times = self.exhausted.fetch_add(1, Ordering::Relaxed).min(16);
        let pause = named.unwrap_or_else(|| EXHAUSTED_PAUSE.saturating_mul(1 << times).min(EXHAUSTED_PAUSE_MAX));
        let metric = if call.cost.writes > 0 { Metric::Writes } else { Metric::Reads };
        self.quota.refused(metric, Some(pause))
    }

    /// Remembers what time it is over there. The header tells whole seconds, so within one second there is no
    /// difference.
    fn note_time(&self, answer: &Response<Bytes>) {
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok()) else { return };
        let seconds = |time: Timestamp| time.as_millis().div_euclid(1_000);
        let ahead = seconds(Timestamp::from(date.to_utc())) - seconds(self.clock.now());
        self.clock_ahead_ms.store(ahead.saturating_mul(1_000), Ordering::Relaxed);
    }
}

/// The user, as the API names it.
///
/// Source: `people/me` is `people/` and the number that is `sub` of the identity token (People API reference,
/// `people.get`; OpenID Connect at Google; read 2026-11).
pub(super) fn user_id(identity: &Identity) -> String {
    format!("people/{}", identity.subject)
}

/// Without a token a call was not sent.
fn not_sent(method: &'static str, error: RemoteError) -> Failure {
    match error {
        error @ (RemoteError::Lost { .. } | RemoteError::Unreachable { .. }) => {
            Failure::reads(RemoteError::Unreachable { method, cause: Box::new(error) })
        }
        error => Failure::never(error),
    }
}
