//! One run of one account: observe, plan, guard, execute, record.
//!
//! A run compares three trees for every link: what both sides last agreed on, what the store has now, and what the
//! remote was last seen to have (see [`crate::domain::link`]). It goes through these steps, always in this order:
//!
//! 1. `groups`: reads the stream of groups and finds, or creates, the group of every pair.
//! 2. `observe`: reads the stream of contacts and stores what differs from what is known: observations, never work.
//!    The change token moves in the transaction that stores the last page.
//! 3. `recover`: settles what became of writes whose answer was lost.
//!    Where the run is to `undo` an earlier one, that is the moment.
//! 4. `suspects`: asks directly for records that seem to be gone.
//! 5. `settle`: carries what was seen at the remote into the store, merging where both sides changed.
//! 6. `scope`: reads the store's change feed and opens links for contacts that belong to the account and have none.
//! 7. `push`: carries what changed in the store to the remote.
//! 8. `photos`: carries photos, both ways.
//!
//! Steps 5 to 8 go out from durable state alone, so a run can be cut off anywhere and the next one goes on from there.
//! What is sent to the remote is committed before it is sent, and recorded after; no transaction waits for the network.
//! A run with nothing to do reads two pages and writes nothing but its own summary.
//!
//! Nothing here knows real time, sockets, SQL or a vendor: the [`Clock`], the [`Entropy`], the [`Store`] and the
//! [`Remote`] are handed in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::{Clock, Entropy};
use crate::domain::account::{AccountState, Outcome};
use crate::domain::conflict::Conflict;
use crate::domain::harm::Harm;
use crate::domain::id::{ContactId, GroupId, LinkId, LinkToken, Marker, RunId};
use crate::domain::outbox::Intent;
use crate::domain::pair::{Direction, Promise};
use crate::domain::run::{AccountSummary, Failure, Fault};
use crate::domain::time::Timestamp;
use crate::remotes::Remote;
use crate::store::{Fence, LeaseRequest, Store, StoreIdentity, Write};

mod answers;
mod clock;
mod decide;
pub mod error;
mod execute;
mod fidelity;
mod group_search;
mod groups;
mod guard;
mod held;
mod identity;
mod lease;
mod licence;
mod observe;
pub mod operation;
mod organizations;
mod photos;
mod push;
pub mod reached;
mod reconnect;
mod recover;
mod remap;
mod restored;
pub mod rules;
mod scope;
mod settle;
mod suspects;
mod trace;
mod undo;

pub use error::{Doing, EngineError};
pub use licence::{Licence, Seen};
pub use operation::Operation;

use answers::Answers;
use fidelity::Fidelity;
use guard::{Excess, Tally};
use lease::Tenure;
use push::Planned;

/// How long a lease holds without being renewed.
pub const LEASE_TTL: Duration = Duration::from_secs(90);
/// After how long it is renewed.
const LEASE_RENEWAL: Duration = Duration::from_secs(30);
/// How many links are decided and committed together.
const CHUNK: u32 = 400;

/// Which part of the remote a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What changed since the last run; everything when the change token is missing, dead or old.
    Incremental,
    /// Everything, because somebody asked for it.
    Full,
}

/// What a run may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Make both sides equal.
    Carry,
    /// Say what would be done: nothing is sent to the remote, and the store is a scratch copy.
    Preview,
}

/// Asks a run to stop at the next point where nothing is in flight.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Asks.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Hears how far a run has come.
pub trait Progress: Send + Sync {
    /// `done` of about `total` contacts have gone through `step`; a total of zero is not known.
    fn advanced(&self, step: Step, done: u64, total: u64);
}

/// The steps of a run that can take long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says it")]
pub enum Step {
    Reading,
    Merging,
    Writing,
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn advanced(&self, _: Step, _: u64, _: u64) {}
}

/// What a run works with.
pub struct Deps<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// Held while what was seen goes into the store: of two accounts that run at the same time, the second one has to find
    /// the contacts and organizations that the first one brings.
    pub settling: &'a tokio::sync::Mutex<()>,
    /// The account at the vendor.
    pub remote: &'a dyn Remote,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness for ids.
    pub entropy: &'a dyn Entropy,
    /// Who hears of the progress.
    pub progress: &'a dyn Progress,
    /// Who may ask the run to stop.
    pub stop: &'a StopFlag,
}

/// What is wanted of a run.
pub struct Order<'a> {
    /// The wishes for the account.
    pub promise: &'a Promise,
    /// The address of the user who must have consented.
    pub email: &'a str,
    /// Digest of the settings that decide selection and map.
    pub settings: &'a str,
    /// Which part of the remote to read.
    pub reach: Reach,
    /// What to do.
    pub purpose: Purpose,
    /// The run this belongs to.
    pub run: RunId,
    /// The lease under which it works.
    pub lease: LeaseRequest,
    /// The fence of that lease.
    pub fence: Fence,
    /// What a person has let through beforehand.
    pub licence: &'a Licence,
    /// Contacts that runs of other accounts have made under the same run.
    pub newborn: BTreeSet<ContactId>,
}

/// What a run did or would do.
#[derive(Debug, Clone)]
pub struct Report {
    /// The numbers.
    pub summary: AccountSummary,
    /// Every operation, by side and kind; empty unless the purpose was a preview.
    pub operations: Vec<Operation>,
    /// Groups that would be made, by name; empty unless the purpose was a preview.
    pub new_groups: BTreeSet<String>,
    /// Contacts that the run has made, with those it was told of.
    pub newborn: BTreeSet<ContactId>,
}

impl Report {
    /// A report of a run that did nothing but end.
    pub fn of_nothing(summary: AccountSummary, newborn: BTreeSet<ContactId>) -> Self {
        Report { summary, operations: Vec::new(), new_groups: BTreeSet::new(), newborn }
    }
}

/// Runs one account once. Always returns a report: what endangers the rest ends the run and is told in its summary.
///
/// # Cancellation
/// Dropping the future is as safe as a crash: the next run finds out what became of what was in flight.
pub fn run_account<'r>(deps: Deps<'r>, order: Order<'r>) -> BoxFuture<'r, Report> {
    // Boxed, so that the engine is compiled once and not in every program that runs it; and on the heap, since its steps
    // together take more room than a thread has to spare.
    Box::pin(run_to_end(deps, order))
}

async fn run_to_end(deps: Deps<'_>, order: Order<'_>) -> Report {
    let calls_before = deps.remote.calls();
    let mut run = match Run::begin(&deps, &order).await {
        Ok(run) => run,
        Err(error) => {
            let mut summary = AccountSummary::new(order.promise.account.clone());
            close(&mut summary, Some(&error));
            return Report::of_nothing(summary, order.newborn.clone());
        }
    };
    let result = run.steps().await.map_err(|error| error.naming(order.email));
    run.summary.calls = deps.remote.calls() - calls_before;
    let finished = run.finish(result).await;
    if let Err(error) = finished {
        close(&mut run.summary, Some(&error));
    }
    // The order in which records are found is nobody's choice; people and digests want one they know.
    run.operations.sort_by_cached_key(Operation::sort_key);
    let Run { summary, operations, new_groups, newborn, .. } = run;
    Report { summary, operations, new_groups, newborn }
}

/// One run in progress: what it works with, what it knows, and what it has done so far.
pub(crate) struct Run<'a> {
    pub(crate) deps: &'a Deps<'a>,
    pub(crate) order: &'a Order<'a>,
    pub(crate) identity: StoreIdentity,
    pub(crate) state: AccountState,
    pub(crate) summary: AccountSummary,
    pub(crate) operations: Vec<Operation>,
    /// Groups that would be made, by name.
    pub(crate) new_groups: BTreeSet<String>,
    /// What the operations are about.
    told: BTreeSet<String>,
    /// Where in the summary each contact stands that could not be synchronized.
    failures: BTreeMap<String, usize>,
    /// Contents that the remote refused in this run, by link: they are tried again by another run.
    pub(crate) refused: BTreeMap<LinkId, String>,
    /// Open intents by link.
    pub(crate) intents: BTreeMap<LinkId, Intent>,
    /// Conflicts that wait for a person, by contact, as they were when last read.
    pub(crate) conflicts: BTreeMap<ContactId, Vec<Conflict>>,
    /// What people have said about who is who.
    pub(crate) answers: Answers,
    /// The tokens that links of contacts have or would have, when they were needed; see the module `reconnect`.
    pub(crate) derived: Option<BTreeMap<LinkToken, ContactId>>,
    /// The most linked contacts that this run has counted; percentages of the guard are of these.
    pub(crate) linked: u64,
    /// Contacts that a new record could be, where a person has to decide: they are not created meanwhile.
    pub(crate) doubted: BTreeSet<ContactId>,
    /// New records that may be those of contacts whose own record seems to be gone.
    pub(crate) heirs: BTreeSet<LinkId>,
    /// Contacts of which this run knows whether their record is still there, since a new one looks like them.
    pub(crate) asked: BTreeSet<ContactId>,
    /// Those of which it is about to ask.
    pub(crate) asking: BTreeSet<ContactId>,
    /// What the remote cannot hold of what is carried to it.
    pub(crate) fidelity: Fidelity,
    /// Links that could not be finished in this run and are worth another one soon.
    pub(crate) waiting: u64,
    /// What is left for the next run for another reason.
    pub(crate) left_over: u64,
    /// The newest write of ours that the store is known to have made.
    pub(crate) newest_marker: Marker,
    /// Whether a full listing was complete in this run.
    pub(crate) listed_whole: bool,
    /// Groups of pairs whose members were all looked at.
    pub(crate) compared: BTreeSet<GroupId>,
    /// Groups of pairs whose members were odd for so long that this run has left them to the full listings.
    pub(crate) given_up: BTreeSet<GroupId>,
    /// Whether the remote has said in this run whose account it is.
    user_confirmed: bool,
    /// Contacts made in this run.
    pub(crate) newborn: BTreeSet<ContactId>,
    /// The kinds of harm of which too much was planned.
    pub(crate) excesses: BTreeMap<Harm, Excess>,
    /// Links of which the guard stopped something other than the photo.
    pub(crate) held_back: BTreeSet<LinkId>,
    /// What a person has let through, as far as this run carried it out.
    pub(crate) released: Tally,
    /// Links whose operations are none of this run's business, with the times they were met.
    pub(crate) left_alone: u64,
    /// Contacts that the run which is undone did something to.
    pub(crate) undone: BTreeSet<ContactId>,
    /// Links whose records are to be deleted although their contacts stay.
    pub(crate) retracted: BTreeSet<LinkId>,
    /// Links that are parted, and what becomes of their records.
    pub(crate) parted: BTreeMap<LinkId, undo::Parting>,
    /// What is about to be done at the remote, by link.
    pub(crate) planned: BTreeMap<LinkId, Planned>,
    /// Links whose records this run has made.
    pub(crate) made: BTreeSet<LinkId>,
    /// How many photos were carried.
    pub(crate) traffic: photos::Traffic,
    tenure: Tenure,
}

impl<'a> Run<'a> {
    async fn begin(deps: &'a Deps<'a>, order: &'a Order<'a>) -> Result<Run<'a>, EngineError> {
        let account = &order.promise.account;
        let identity = deps.store.identity().await.doing("reading the store's identity")?;
        let state = deps.store.account(account).await.doing("reading the account's state")?;
        let intents = deps.store.open_intents(account).await.doing("reading the outbox")?;
        let answers = deps.store.answers(account).await.doing("reading what was said about who is who")?;
        Ok(Run {
            deps,
            order,
            identity,
            state: state.unwrap_or_else(|| AccountState::new(account.clone())),
            summary: AccountSummary::new(account.clone()),
            operations: Vec::new(),
            new_groups: BTreeSet::new(),
            told: BTreeSet::new(),
            failures: BTreeMap::new(),
            refused: BTreeMap::new(),
            intents: intents.into_iter().map(|intent| (intent.link, intent)).collect(),
            conflicts: BTreeMap::new(),
            answers: Answers::of(answers),
            derived: None,
            linked: 0,
            doubted: BTreeSet::new(),
            heirs: BTreeSet::new(),
            asked: BTreeSet::new(),
            asking: BTreeSet::new(),
            fidelity: Fidelity::default(),
            waiting: 0,
            left_over: 0,
            newest_marker: Marker(0),
            listed_whole: false,
            compared: BTreeSet::new(),
            given_up: BTreeSet::new(),
            user_confirmed: false,
            newborn: order.newborn.clone(),
            excesses: BTreeMap::new(),
            held_back: BTreeSet::new(),
            released: Tally::default(),
            left_alone: 0,
            undone: BTreeSet::new(),
            retracted: BTreeSet::new(),
            parted: BTreeMap::new(),
            planned: BTreeMap::new(),
            made: BTreeSet::new(),
            traffic: photos::Traffic::default(),
            tenure: Tenure::begin(order.fence.clone(), deps.clock.now()),
        })
    }

    async fn steps(&mut self) -> Result<(), EngineError> {
        if let Some(budget) = &self.state.budget {
            self.deps.remote.resume_budget(budget);
        }
        self.check_user().await?;
        self.apply_settings();
        self.follow_clock().await?;
        self.observe_groups().await?;
        self.notice_clock_set().await?;
        self.observe_contacts().await?;
        self.recover().await?;
        self.undo().await?;
        // What a push finds out (a record that changed meanwhile, a stranger that turns out to be a twin) is merged and
        // pushed again. Every round needs news, so a few rounds are enough; the rest waits for the next run.
        let mut rounds = 0;
        while rounds < 4 {
            self.confirm_suspects().await?;
            self.settle().await?;
            self.count_outsiders().await?;
            let opened = self.open_links().await?;
            match opened.or(self.push().await?) {
                push::News::Some => {
                    rounds += 1;
                    continue;
                }
                // Records were made before, of which there is an end.
                push::News::Edits => continue,
                push::News::None => {}
            }
            if self.carry_photos().await? == push::News::None {
                return Ok(());
            }
            rounds += 1;
        }
        self.left_over += 1;
        Ok(())
    }

    /// The user behind the grant must be the configured one, and the same as ever. The client looks at every new access
    /// token that says whose it is; [`Run::confirm_user`] asks where much depends on it.
    async fn check_user(&mut self) -> Result<(), EngineError> {
        if let Some(known) = &self.state.remote_user {
            self.deps.remote.expect_user(known);
            return Ok(());
        }
        let user = self.deps.remote.user().await.doing("asking whose account it is")?;
        match &user.email {
            Some(email) if !email.eq_ignore_ascii_case(self.order.email) => {
                return Err(EngineError::AnotherUser { found: email.clone(), expected: self.order.email.to_owned() });
            }
            Some(_) => {}
            None => self.summary.notices.push(format!(
                "the remote does not tell whose account this is; it was taken to be {}",
                self.order.email
            )),
        }
        self.deps.remote.expect_user(&user.id);
        self.state.remote_user = Some(user.id);
        self.user_confirmed = true;
        Ok(())
    }

    /// Asks whose account it is, once in a run, before everything is listed: what another user's account lacks would
    /// look deleted. Costs a call only when the grant does not say it.
    pub(crate) async fn confirm_user(&mut self) -> Result<(), EngineError> {
        let Some(expected) = self.state.remote_user.clone().filter(|_| !self.user_confirmed) else { return Ok(()) };
        let user = self.deps.remote.user().await.doing("asking whose account it is")?;
        if user.id != expected {
            return Err(EngineError::AnotherUser { found: user.email.unwrap_or(user.id), expected });
        }
        self.user_confirmed = true;
        Ok(())
    }

    /// Other settings than last time: the selection of every contact is evaluated again, and everything is listed, since
    /// records that nobody touched may belong into a pair now. That is known to be done when `open_links` has come to
    /// the end; a run that is cut off before that leaves it to the next one.
    fn apply_settings(&mut self) {
        if self.has_new_settings() {
            self.state.feed_position = 0;
            if self.state.settings.is_some() {
                self.state.contacts = None;
            }
        }
    }

    /// Whether not everything was looked at yet under the settings of this run.
    pub(crate) fn has_new_settings(&self) -> bool {
        self.state.settings.as_deref() != Some(self.settings().as_str())
    }

    /// What decides selection and map: the configuration, and what this release makes of it.
    pub(crate) fn settings(&self) -> String {
        format!("{}/{}", self.order.settings, self.deps.remote.codec().map_revision())
    }

    /// Writes the end of the run into the account's state and the summary.
    async fn finish(&mut self, result: Result<(), EngineError>) -> Result<(), EngineError> {
        if result.is_ok() {
            self.conclude_restored();
        }
        let counts = self.deps.store.link_counts(&self.order.promise.account).await.doing("counting links")?;
        self.summary.parked += counts.parked;
        self.summary.conflicts_waiting = counts.conflicts;
        if counts.questions > 0 {
            self.notice(questions(counts.questions));
        }
        if self.waiting + self.left_over + counts.intents > 0 {
            self.summary.outcome = Outcome::Unreachable;
            self.summary.error = Some(match (counts.intents, self.left_over) {
                (0, 0) => NOT_SHOWN_YET.to_owned(),
                (0, _) => LEFT_OVER.to_owned(),
                _ => OUTCOME_UNKNOWN.to_owned(),
            });
            self.summary.fault = (counts.intents + self.left_over == 0).then_some(Fault::Lag);
        }
        if self.summary.parked > 0 || counts.conflicts > 0 || !self.summary.failed.is_empty() {
            self.summary.outcome = Outcome::Parked;
        }
        if self.left_alone > 0 {
            self.notice("changes that are not part of this are left for the next run".to_owned());
        }
        self.fidelity.sentences().into_iter().for_each(|sentence| self.notice(sentence));
        close(&mut self.summary, result.as_ref().err());
        if self.order.purpose == Purpose::Preview {
            return Ok(());
        }
        self.notice_clock_set().await?;
        self.state.last_run = Some(self.order.run);
        self.state.last_outcome = Some(self.summary.outcome);
        self.state.last_error = self.summary.error.clone();
        if self.summary.outcome == Outcome::Done && self.left_alone == 0 {
            self.state.proven_equal = Some(self.now());
        }
        if let Some(ahead) = self.deps.remote.clock_ahead_ms() {
            self.state.clock_ahead_ms = ahead;
        }
        self.state.budget = self.deps.remote.budget();
        let forget = Write::ForgetHarm(self.order.promise.account.clone(), self.window());
        let state = Write::Account(Box::new(self.state.clone()));
        self.commit(vec![forget, state], "recording the end of the run").await?;
        self.give_back().await.doing("giving back the lease")
    }

    /// Whether anything of the account goes into the store.
    pub(crate) fn pulls(&self) -> bool {
        self.order.promise.direction != Direction::ToRemote
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    /// The remote's time now, as far as its clock is known.
    pub(crate) fn remote_now(&self) -> Timestamp {
        self.remote_time_of(self.now())
    }

    /// What the remote's clock shows at a time of ours, as far as it is known.
    pub(crate) fn remote_time_of(&self, time: Timestamp) -> Timestamp {
        let ahead = self.deps.remote.clock_ahead_ms().unwrap_or(self.state.clock_ahead_ms);
        Timestamp::from_micros(time.as_micros().saturating_add(ahead.saturating_mul(1000)))
    }

    /// Commits under the lease, renewing it first when it is time.
    pub(crate) async fn commit(&mut self, writes: Vec<Write>, doing: &'static str) -> Result<(), EngineError> {
        if writes.is_empty() {
            return Ok(());
        }
        self.try_commit(writes).await.doing(doing)
    }

    /// Ends the run when somebody asked for it; called where nothing is in flight.
    pub(crate) fn check_stop(&self) -> Result<(), EngineError> {
        if self.deps.stop.is_stopped() { Err(EngineError::Stopped) } else { Ok(()) }
    }

    /// Notes a contact that could not be synchronized; each once, with what came last.
    pub(crate) fn fail(&mut self, contact: impl ToString, reason: impl Into<String>) {
        let failure = Failure { contact: contact.to_string(), reason: reason.into() };
        match self.failures.get(&failure.contact) {
            Some(place) => self.summary.failed[*place] = failure,
            None => {
                self.failures.insert(failure.contact.clone(), self.summary.failed.len());
                self.summary.failed.push(failure);
            }
        }
    }

    /// Notes what people should know; the same sentence once.
    pub(crate) fn notice(&mut self, sentence: String) {
        if !self.summary.notices.contains(&sentence) {
            self.summary.notices.push(sentence);
        }
    }

    /// Keeps an operation for the plan; a run that carries out only counts. What waits is decided again in each round, and
    /// told once.
    pub(crate) fn record(&mut self, operation: Operation) {
        if self.order.purpose == Purpose::Preview && self.told.insert(operation.subject()) {
            self.operations.push(self.as_told(&operation));
        }
    }
}

/// How many questions wait, and where they are answered.
fn questions(count: u64) -> String {
    let what = if count == 1 { "1 contact may be one that exists" } else { "contacts may be some that exist" };
    let what = if count == 1 { what.to_owned() } else { format!("{count} {what}") };
    format!("{what} on the other side already, and a person has to decide: contactsync match list")
}

/// Writes why a run broke off into its summary. The worst outcome stays.
fn close(summary: &mut AccountSummary, error: Option<&EngineError>) {
    let Some(error) = error else { return };
    let outcome = error.outcome();
    // What waits for a person does not hide that the run has not come to its end.
    if severity(outcome) >= severity(summary.outcome) || summary.outcome == Outcome::Parked {
        summary.outcome = outcome;
    }
    summary.fault = error.fault();
    summary.error = Some(chain(error));
}

/// Why a run is not done that waits for Google to show what it knows.
const NOT_SHOWN_YET: &str = "Google may not show yet what became of some contacts; a run within the next 15 minutes decides \
                             about them";
/// Why a run is not done whose calls were not all answered.
const OUTCOME_UNKNOWN: &str = "a call was not answered, and what became of it is not known yet; the next run finds out";
/// Why a run is not done that did as much as one run does.
const LEFT_OVER: &str = "work is left; the next run goes on with it";

fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Done => 0,
        Outcome::Unreachable => 1,
        Outcome::Parked => 2,
        Outcome::NoConsent => 3,
        Outcome::Failed => 4,
    }
}

/// An error with its causes, in one line. A cause that the error before it quotes is not said twice.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = inner.source();
    }
    text
}
