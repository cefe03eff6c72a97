//! `explain`: why a contact is as it is, on both sides, and what the next run will do about it.
//!
//! Shown are the three states that every decision is made of (what both sides last agreed on, the store, Google), how far
//! each replica has come, what holds the contact back, the change that was made last with the rule behind it, and the
//! part of the plan that is about the contact. The plan is made as by `plan`: nothing is written anywhere.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use crate::config::Account;
use crate::daemon::worker::{Finished, Job, Worker};
use crate::domain::conflict::Conflict;
use crate::domain::contact::{Card, Contact, Photo};
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change, RecordedChange};
use crate::domain::id::{ContactId, RemoteId, RunId};
use crate::domain::link::{Link, LinkState, ParkedWhy, PhotoTrail, Sighting};
use crate::domain::policy::Winner;
use crate::domain::time::Timestamp;
use crate::engine::{Operation, Purpose, Reach};
use crate::remotes::Remote as _;
use crate::store::HistoryQuery;

use super::brief::brief;
use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::plan;
use super::stop;

/// What to explain.
#[derive(Debug, Clone, clap::Args)]
pub struct ExplainArgs {
    /// The contact
    #[arg(value_name = "CONTACT")]
    pub contact: ContactId,
}

/// A contact, explained.
#[derive(Serialize)]
struct Explained {
    contact: ContactId,
    kind: &'static str,
    name: String,
    deleted: Option<Timestamp>,
    version: BTreeMap<String, u64>,
    last: Option<Last>,
    accounts: Vec<InAccount>,
}

/// The change that was made last.
#[derive(Serialize)]
struct Last {
    at: Timestamp,
    replica: String,
    run: Option<RunId>,
    fields: Vec<Field>,
    rule: String,
}

/// How a contact stands in one account.
#[derive(Serialize)]
struct InAccount {
    account: String,
    /// Where in its life the link is; `None` without a link.
    state: Option<LinkState>,
    record: Option<RemoteId>,
    /// The version that Google is known to have.
    acked: BTreeMap<String, u64>,
    parked: Option<Waiting>,
    /// Fields that wait for a person.
    held: BTreeSet<Field>,
    fields: Vec<ThreeStates>,
    /// What the next run will do.
    next: Vec<Operation>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Waiting {
    why: ParkedWhy,
    reason: String,
    since: Timestamp,
    run: Option<RunId>,
}

/// A field in the three states that a decision is made of.
#[derive(Serialize)]
struct ThreeStates {
    field: Field,
    /// Whether the two sides have something else by now.
    #[serde(skip)]
    differs: bool,
    base: Value,
    store: Value,
    google: Value,
}

/// Explains a contact.
///
/// # Errors
/// An unknown contact, and what the store says. That Google cannot be asked is told in the answer.
pub async fn explain(args: &ExplainArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let contact = desk.store.contacts(&[args.contact]).await.context("reading the contact")?.pop();
    let contact = contact.ok_or_else(|| UsageError(format!("there is no contact {}", args.contact)))?;
    let query = HistoryQuery { contact: Some(contact.id), limit: Some(1), ..HistoryQuery::default() };
    let last = desk.store.history(&query).await.context("reading the history")?.pop();
    let explained = Explained {
        contact: contact.id,
        kind: contact.card.kind().as_str(),
        name: contact.card.display_name(),
        deleted: contact.deleted,
        version: contact.version.display(),
        last: last.map(|row| Last::of(&row)),
        accounts: in_accounts(&contact, desk).await?,
    };
    if desk.out.is_json() {
        desk.out.json(&explained)?;
    } else {
        desk.out.text(&explained.page())?;
    }
    Ok(Exit::Done)
}

async fn in_accounts(contact: &Contact, desk: &Desk) -> anyhow::Result<Vec<InAccount>> {
    let links = desk.store.links_of_contact(contact.id).await.context("reading links")?;
    let conflicts = desk.store.open_conflicts(Some(contact.id)).await.context("reading conflicts")?;
    let accounts: Vec<&Account> = desk.config.accounts.iter().filter(|account| account.enabled).collect();
    let job = Job { accounts, reach: Reach::Incremental, purpose: Purpose::Preview, licences: BTreeMap::new() };
    let planned =
        if job.accounts.is_empty() { None } else { Some(plan::preview(desk, job, &stop::on_signals()).await?) };
    // Only what was agreed on once has to be read; before the first run, there is not even a key yet.
    let worker = if links.iter().any(|link| link.base.is_some()) { Some(desk.worker()?) } else { None };
    let mut explained = Vec::new();
    for account in &desk.config.accounts {
        let link = links.iter().find(|link| link.account == account.name);
        let held: Vec<&Conflict> = conflicts.iter().filter(|conflict| conflict.account == account.name).collect();
        let (next, error) = next(contact, link, account, planned.as_ref());
        explained.push(InAccount {
            account: account.name.to_string(),
            state: link.map(|link| link.state),
            record: link.and_then(|link| link.remote.clone()),
            acked: link.map(|link| link.acked.display()).unwrap_or_default(),
            parked: link.and_then(waiting),
            held: held.iter().map(|conflict| conflict.field.clone()).collect(),
            fields: three_states(contact, link, &held, account, worker.as_ref()),
            next,
            error,
        });
    }
    Ok(explained)
}

fn waiting(link: &Link) -> Option<Waiting> {
    let parked = link.parked.clone()?;
    Some(Waiting { why: parked.why, reason: parked.reason, since: parked.since, run: parked.run })
}

/// The part of the plan that is about the contact or its record.
fn next(
    contact: &Contact,
    link: Option<&Link>,
    account: &Account,
    planned: Option<&Finished>,
) -> (Vec<Operation>, Option<String>) {
    let Some(planned) = planned.filter(|_| account.enabled) else {
        return (Vec::new(), Some("the account is paused".to_owned()));
    };
    let summary = planned.record.accounts.iter().find(|summary| summary.account == account.name);
    let id = contact.id.to_string();
    let record = link.and_then(|link| link.remote.as_ref());
    let is_about = |operation: &&Operation| {
        operation.contact == Some(contact.id)
            || (record.is_some() && operation.remote.as_ref() == record)
            || operation.reason.contains(&id)
    };
    let operations = planned.operations.get(&account.name).map_or(&[][..], Vec::as_slice);
    (operations.iter().filter(is_about).cloned().collect(), summary.and_then(|summary| summary.error.clone()))
}

/// Every field that any of the three states has, as far as the record can be read.
///
/// What Google has is told in the language of the store: what is agreed on, with what was changed in Google since. A record
/// spells some fields in its own way and holds others elsewhere, such as labels in groups; that is no difference.
fn three_states(
    contact: &Contact,
    link: Option<&Link>,
    held: &[&Conflict],
    account: &Account,
    worker: Option<&Worker>,
) -> Vec<ThreeStates> {
    let blank = Card::blank(contact.card.kind());
    let base = link.and_then(|link| link.base.as_ref());
    let google = link.and_then(|link| at_google(link, account, worker?)).unwrap_or_else(|| blank.clone());
    let (mut agreed, mut google) = (base.map_or(&blank, |base| &base.store).clone(), google);
    if let Some(link) = link {
        tell_photo(&link.photo, &mut agreed, &mut google);
    }
    let agreed = &agreed;
    let mut fields: BTreeSet<Field> = BTreeSet::new();
    for card in [agreed, &contact.card, &google] {
        fields.extend(diff::changes(&blank, card).into_iter().map(|change| change.field));
    }
    fields.extend(held.iter().map(|conflict| conflict.field.clone()));
    let different = diff::changed_fields(&contact.card, &google);
    fields
        .into_iter()
        .map(|field| {
            // While a field waits for a person, the base follows Google; what was agreed on stands in the conflict.
            let before = held.iter().find(|conflict| conflict.field == field).map(|conflict| conflict.base.clone());
            ThreeStates {
                differs: different.contains(&field),
                base: before.unwrap_or_else(|| diff::field_value(agreed, &field)),
                store: diff::field_value(&contact.card, &field),
                google: diff::field_value(&google, &field),
                field,
            }
        })
        .collect()
}

/// The card of a linked record as it was seen last; `None` where it is gone, or nothing was agreed on yet.
fn at_google(link: &Link, account: &Account, worker: &Worker) -> Option<Card> {
    let base = link.base.as_ref()?;
    let wire = match &link.seen {
        Some(Sighting::Present { wire, .. }) => wire,
        Some(Sighting::Gone { .. }) => return None,
        Some(Sighting::Suspect { .. }) | None => &base.remote,
    };
    let client = worker.client_of(account).ok()?;
    let (codec, kind) = (client.codec(), base.store.kind());
    let (then, now) = (codec.read(base.merged(), kind).card, codec.read(wire, kind).card);
    let mut card = base.store.clone();
    for field in diff::changed_fields(&then, &now) {
        diff::copy_field(&field, &now, &mut card);
    }
    Some(card)
}

/// What both sides agreed on about the photo, and what Google has now, as far as it was looked at. A photo that was agreed
/// on is called as the store calls it, although Google serves other bytes.
fn tell_photo(trail: &PhotoTrail, base: &mut Card, google: &mut Card) {
    let photo = |digest: &Option<String>| digest.clone().map(|digest| Photo { digest });
    let looked = trail.looked.as_ref().filter(|look| Some(&look.address) == trail.shown.as_ref());
    let now = if trail.shown == trail.address { trail.agreed.clone() } else { looked.map(|look| look.digest.clone()) };
    for (card, digest) in [(base, &trail.agreed), (google, &now)] {
        if let Some(person) = card.as_person_mut() {
            person.photo = photo(digest);
        }
    }
}

impl Last {
    fn of(recorded: &RecordedChange) -> Self {
        let RecordedChange { change, remote, .. } = recorded;
        let replica = remote.as_ref().map_or("store", |copy| copy.replica.display_name()).to_owned();
        let fields = change.fields.iter().map(|field| field.field.clone()).collect();
        Last { at: change.at, rule: rule(change, remote.is_some()), replica, run: change.run, fields }
    }
}

/// The rule behind a change, in one sentence.
fn rule(change: &Change, at_remote: bool) -> String {
    if let Some(merged) = change.merged() {
        return format!("a person made one contact of two: {merged}");
    }
    if let Some(conflict) = change.conflicts.first() {
        let taken = match conflict.winner {
            Winner::Store => "the policy took the store's value, Google's is in the history",
            Winner::Remote => "the policy took Google's value, the store's is in the history",
            Winner::Hold => "the policy leaves it to a person; both sides keep theirs until then",
        };
        return format!("both sides had changed {}: {taken}", conflict.field);
    }
    let text = match (at_remote, &change.actor, change.action) {
        (true, _, Action::Created) => "it belongs to a pair and had no record: one was made",
        (true, _, Action::Edited) => "only the store had changed: carried to Google",
        (true, _, Action::Deleted) => "deleted in the store, or made by a run that was undone: deleted in Google",
        (true, _, Action::Joined) => "it belongs to a pair: its record was put into the group",
        (true, _, Action::Left) => "it no longer belongs to a pair: its record was taken out of the group",
        (true, _, Action::Linked) => "the same was found on both sides: kept equal from then on",
        (true, ..) => "no longer kept equal: both sides keep what they have",
        (false, Actor::User, _) if change.run.is_some() => "a person took back a run or a merge",
        (false, Actor::User, _) => "a person changed it in the store",
        (false, Actor::Import { .. }, _) => "a file was imported",
        (false, Actor::Merge { .. }, _) => "its organization was merged with another one",
        (false, Actor::Replica { .. }, Action::Created) => "new in the group in Google: taken into the store",
        (false, Actor::Replica { .. }, Action::Deleted) => "deleted in Google and unchanged in the store: deleted here",
        (false, Actor::Replica { .. }, Action::Restored) => {
            "edited in Google after it was deleted here: the edit survives"
        }
        (false, Actor::Replica { .. }, _) => "changed in Google: merged field by field",
    };
    text.to_owned()
}

impl Explained {
    fn page(&self) -> String {
        let deleted = self.deleted.map(|time| format!(", deleted {time}")).unwrap_or_default();
        let mut lines = vec![format!("{} ({} {}{deleted})", self.name, self.kind, self.contact)];
        lines.push(format!("  version: {}", shown_version(&self.version)));
        if let Some(last) = &self.last {
            let run = last.run.map(|run| format!(" by run {run}")).unwrap_or_default();
            let fields: Vec<String> = last.fields.iter().map(ToString::to_string).collect();
            let fields = if fields.is_empty() { String::new() } else { format!(", {}", fields.join(", ")) };
            lines.push(format!("  last change: {} in {}{run}{fields}", last.at, last.replica));
            lines.push(format!("    {}", last.rule));
        }
        self.accounts.iter().for_each(|account| account.tell(&mut lines));
        lines.join("\n")
    }
}

impl InAccount {
    fn tell(&self, lines: &mut Vec<String>) {
        let state = self.state.map_or("not linked", told_state);
        let record = self.record.as_ref().map(|record| format!(" ({record})")).unwrap_or_default();
        lines.push(format!("{}: {state}{record}", self.account));
        if !self.acked.is_empty() {
            lines.push(format!("  Google has seen: {}", shown_version(&self.acked)));
        }
        if let Some(parked) = &self.parked {
            let cure = match (parked.why, parked.run) {
                (ParkedWhy::Guard, Some(run)) => format!("; `contactsync approve {run}` lets it through"),
                _ => String::new(),
            };
            lines.push(format!("  waits since {}: {}{cure}", parked.since, parked.reason));
        }
        for field in &self.held {
            lines.push(format!("  {field} waits for a person; see `contactsync conflict list`"));
        }
        let (different, equal): (Vec<_>, Vec<_>) = self.fields.iter().partition(|field| field.differs);
        if self.record.is_some() {
            lines.push(format!("  {} agreed on both sides", super::output::many(equal.len() as u64, "field")));
            lines.extend(different.iter().map(|one| {
                let [base, store, google] = [&one.base, &one.store, &one.google].map(brief);
                format!("  {}: agreed {base} | store {store} | Google {google}", one.field)
            }));
        }
        match (&self.error, self.next.as_slice()) {
            (Some(error), _) => lines.push(format!("  what the next run will do is not known: {error}")),
            (None, []) => lines.push("  the next run has nothing to do with it".to_owned()),
            (None, operations) => {
                lines.push("  the next run:".to_owned());
                lines.extend(operations.iter().map(plan::lines));
            }
        }
    }
}

fn told_state(state: LinkState) -> &'static str {
    match state {
        LinkState::Found => "found in a group, not decided yet",
        LinkState::Need => "to be created",
        LinkState::Creating => "being created; the answer is waited for",
        LinkState::Bound => "linked",
        LinkState::Unselected => "linked, but not selected by any pair, or deleted: not kept equal",
        LinkState::Dormant => "set aside: not kept equal until it comes back to the group",
        LinkState::Gone => "its record is gone",
    }
}

fn shown_version(version: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = version.iter().map(|(replica, counter)| format!("{replica} {counter}")).collect();
    parts.join(", ")
}
