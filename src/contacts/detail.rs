//! Everything that happens with a contact, gathered for one view: its people, deals, activities and notes, what waits for a
//! decision, how it stands in every account, and the end of its history.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::show::bare;
use super::show_entry::{Names, Shown as ShownEntry, due};
use crate::domain::contact::{Contact, Kind};
use crate::domain::entry::deal::Status;
use crate::domain::entry::{Body, Entry, EntryKind};
use crate::domain::field::Field;
use crate::domain::history::{Action, Actor, Change};
use crate::domain::id::{ConflictId, ContactId, RemoteId};
use crate::domain::link::{Link, LinkState};
use crate::domain::time::Timestamp;
use crate::store::{
    ContactOrder, ContactQuery, DeletedContacts, EntryHistoryQuery, EntryQuery, HistoryQuery, Store, StoreError,
};

/// How many people of an organization are named; all of them are counted.
const PEOPLE_MAX: u32 = 50;
/// How many changes of the history are told.
const HISTORY_MAX: u32 = 10;

/// What surrounds a contact.
#[derive(Debug)]
pub struct Detail {
    people: Vec<Contact>,
    entries: Vec<Entry>,
    names: Names,
    conflicts: Vec<Waiting>,
    replicas: Vec<Standing>,
    history: Vec<Event>,
}

/// A field that waits for a decision.
#[derive(Debug, Serialize)]
struct Waiting {
    id: ConflictId,
    field: Field,
    account: String,
    since: Timestamp,
}

/// How the contact stands in one account.
#[derive(Debug, Serialize)]
struct Standing {
    account: String,
    state: LinkState,
    record: Option<RemoteId>,
    /// Whether both sides are equal as far as is known.
    equal: bool,
    waits: Option<String>,
}

/// A change of the contact, or of what hangs on it.
#[derive(Debug, Serialize)]
struct Event {
    sequence: u64,
    at: Timestamp,
    who: String,
    replica: String,
    what: String,
}

#[derive(Serialize)]
struct Named {
    id: ContactId,
    name: String,
}

/// The detail as programs see it.
#[derive(Serialize)]
pub struct Shape<'d> {
    people: Vec<Named>,
    deals: Vec<ShownEntry<'d>>,
    activities: Vec<ShownEntry<'d>>,
    notes: Vec<ShownEntry<'d>>,
    conflicts: &'d [Waiting],
    replicas: &'d [Standing],
    history: &'d [Event],
}

impl Detail {
    /// Gathers what surrounds a contact.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn load(store: &dyn Store, contact: &Contact) -> Result<Self, StoreError> {
        let kinds = BTreeSet::from([EntryKind::Deal, EntryKind::Activity, EntryKind::Note]);
        let query = EntryQuery { kinds, contacts: [contact.id].into(), ..EntryQuery::default() };
        let entries = store.find_entries(&query).await?;
        let names = Names::load(store, &entries).await?;
        let conflicts = store.open_conflicts(Some(contact.id)).await?.into_iter().map(|conflict| Waiting {
            id: conflict.id,
            field: conflict.field,
            account: conflict.account.to_string(),
            since: conflict.since,
        });
        let links = store.links_of_contact(contact.id).await?;
        Ok(Detail {
            people: people(store, contact).await?,
            entries,
            names,
            conflicts: conflicts.collect(),
            replicas: links.iter().map(|link| standing(link, contact)).collect(),
            history: history(store, contact.id).await?,
        })
    }

    /// The detail as programs see it.
    pub fn shape(&self) -> Shape<'_> {
        let of = |kind: EntryKind| {
            let found = self.entries.iter().filter(|entry| entry.body.kind() == kind);
            found.map(|entry| ShownEntry::of(entry, &self.names)).collect()
        };
        let named = |person: &Contact| Named { id: person.id, name: person.card.display_name() };
        Shape {
            people: self.people.iter().map(named).collect(),
            deals: of(EntryKind::Deal),
            activities: of(EntryKind::Activity),
            notes: of(EntryKind::Note),
            conflicts: &self.conflicts,
            replicas: &self.replicas,
            history: &self.history,
        }
    }

    /// The detail as sections of text, each with its heading; empty ones are left out.
    pub fn text(&self) -> String {
        let mut text = String::new();
        section(&mut text, "People", self.people.iter().map(person_line));
        for (heading, is_open) in [("Open deals", true), ("Closed deals", false)] {
            section(&mut text, heading, self.entries.iter().filter_map(|entry| deal_line(entry, is_open)));
        }
        section(&mut text, "Activities", self.entries.iter().filter_map(activity_line));
        section(&mut text, "Notes", self.entries.iter().filter_map(note_line));
        section(&mut text, "Conflicts", self.conflicts.iter().map(conflict_line));
        section(&mut text, "Accounts", self.replicas.iter().map(Standing::line));
        section(&mut text, "Last changes", self.history.iter().map(Event::line));
        text.trim_end().to_owned()
    }
}

async fn people(store: &dyn Store, contact: &Contact) -> Result<Vec<Contact>, StoreError> {
    if contact.card.kind() == Kind::Person {
        return Ok(Vec::new());
    }
    let query = ContactQuery {
        kind: Some(Kind::Person),
        organization: Some(contact.id),
        deleted: DeletedContacts::Hidden,
        order: ContactOrder::Name,
        limit: Some(PEOPLE_MAX),
        ..ContactQuery::default()
    };
    store.find_contacts(&query).await
}

fn standing(link: &Link, contact: &Contact) -> Standing {
    Standing {
        account: link.account.to_string(),
        state: link.state,
        record: link.remote.clone(),
        equal: link.state == LinkState::Bound && link.parked.is_none() && link.is_settled(Some(&contact.version)),
        waits: link.parked.as_ref().map(|parked| parked.reason.clone()),
    }
}

async fn history(store: &dyn Store, contact: ContactId) -> Result<Vec<Event>, StoreError> {
    let of_contact = HistoryQuery { contact: Some(contact), limit: Some(HISTORY_MAX), ..HistoryQuery::default() };
    let rows = store.history(&of_contact).await?.into_iter().map(|row| Event {
        sequence: row.sequence,
        at: row.change.at,
        who: who(&row.change.actor),
        replica: row.remote.as_ref().map_or("store", |copy| copy.replica.display_name()).to_owned(),
        what: told(&verb(&row.change), row.change.fields.iter().map(|change| change.field.to_string())),
    });
    let mut events: Vec<Event> = rows.collect();
    let of_entries =
        EntryHistoryQuery { contact: Some(contact), limit: Some(HISTORY_MAX), ..EntryHistoryQuery::default() };
    events.extend(store.entry_history(&of_entries).await?.into_iter().map(|row| {
        let what = [row.change.after.kind().as_str().to_owned(), row.change.after.title()];
        Event {
            sequence: row.sequence,
            at: row.change.at,
            who: who(&row.change.actor),
            replica: "store".to_owned(),
            what: told(action(row.change.action), what.into_iter()),
        }
    }));
    events.sort_by_key(|event| std::cmp::Reverse(event.sequence));
    events.truncate(HISTORY_MAX as usize);
    Ok(events)
}

/// Who made a change, as people read it.
pub fn who(actor: &Actor) -> String {
    match actor {
        Actor::User => "user".to_owned(),
        Actor::Import { import } => format!("import {import}"),
        Actor::Merge { .. } => "merge".to_owned(),
        Actor::Replica { replica } => replica.display_name().to_owned(),
    }
}

/// What happened to a contact, as people read it.
pub fn verb(change: &Change) -> String {
    change.merged().map_or_else(|| action(change.action).to_owned(), |merged| merged.to_string())
}

/// What happened to a contact or an entry as a whole, as people read it.
pub fn action(action: Action) -> &'static str {
    match action {
        Action::Created => "created",
        Action::Edited => "edited",
        Action::Deleted => "deleted",
        Action::Restored => "restored",
        Action::Joined => "joined the group",
        Action::Left => "left the group",
        Action::Linked => "linked",
        Action::Unlinked => "unlinked",
    }
}

fn told(verb: &str, what: impl Iterator<Item = String>) -> String {
    let what: Vec<String> = what.collect();
    if what.is_empty() { verb.to_owned() } else { format!("{verb}: {}", what.join(", ")) }
}

fn section(text: &mut String, heading: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{heading}");
    for line in lines {
        let _ = writeln!(text, "  {}", bare(&line));
    }
    text.push('\n');
}

fn person_line(person: &Contact) -> String {
    let job = person.card.as_person().and_then(|person| person.job_title.clone());
    let job = job.map(|job| format!(", {job}")).unwrap_or_default();
    format!("{}  {}{job}", person.id, person.card.display_name())
}

fn deal_line(entry: &Entry, is_open: bool) -> Option<String> {
    let Body::Deal(deal) = &entry.body else { return None };
    if (deal.status == Status::Open) != is_open {
        return None;
    }
    let value = deal.value.as_ref().map(|value| format!(", {value}")).unwrap_or_default();
    let stage = if is_open { deal.stage.clone() } else { deal.status.as_str().to_owned() };
    Some(format!("{}  {}{value}, {stage}", entry.id, deal.title))
}

fn activity_line(entry: &Entry) -> Option<String> {
    let Body::Activity(activity) = &entry.body else { return None };
    let state = match (activity.done, activity.due) {
        (true, _) => "done".to_owned(),
        (false, Some(_)) => format!("due {}", due(activity)),
        (false, None) => "to do".to_owned(),
    };
    Some(format!("{}  {}: {} ({state})", entry.id, activity.activity_type, activity.subject))
}

fn note_line(entry: &Entry) -> Option<String> {
    let Body::Note(note) = &entry.body else { return None };
    let pinned = if note.pinned { ", pinned" } else { "" };
    Some(format!("{}  {}{pinned}: {}", entry.id, entry.created, entry.body.title()))
}

fn conflict_line(conflict: &Waiting) -> String {
    format!("{}  {} waits in account {} since {}", conflict.id, conflict.field, conflict.account, conflict.since)
}

impl Standing {
    fn line(&self) -> String {
        let record = self.record.as_ref().map(|record| format!(" as {record}")).unwrap_or_default();
        let state = match (self.state, self.equal) {
            (LinkState::Bound, true) => format!("linked{record}, equal"),
            (LinkState::Bound, false) => format!("linked{record}, the next run carries changes over"),
            (LinkState::Need, _) => "is created by the next run".to_owned(),
            (LinkState::Creating, _) => "is being created".to_owned(),
            (LinkState::Found, _) => format!("found{record}"),
            (LinkState::Unselected, _) => format!("no pair selects it{record}"),
            (LinkState::Dormant, _) => format!("set aside{record}"),
            (LinkState::Gone, _) => "deleted there".to_owned(),
        };
        let waits = self.waits.as_ref().map(|reason| format!("; waits: {reason}")).unwrap_or_default();
        format!("{}: {state}{waits}", self.account)
    }
}

impl Event {
    fn line(&self) -> String {
        let place = if self.replica == "store" { String::new() } else { format!(" in {}", self.replica) };
        format!("{}  {} by {}{place}", self.at, self.what, self.who)
    }
}
