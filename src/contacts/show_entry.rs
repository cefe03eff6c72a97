//! Entries written down: the public JSON shapes for programs, and lines of text for people.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::contact::Kind;
use crate::domain::entry::activity::Activity;
use crate::domain::entry::deal::{Deal, Money, Status};
use crate::domain::entry::definition::{CustomField, Label, Pipeline};
use crate::domain::entry::note::Note;
use crate::domain::entry::relation::Relation;
use crate::domain::entry::{About, Body, Entry};
use crate::domain::id::{ContactId, EntryId};
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError};

/// How many contacts are read at once.
const CHUNK: usize = 500;

/// How people know the contacts and deals that entries hang on.
#[derive(Debug, Default)]
pub struct Names {
    contacts: BTreeMap<ContactId, String>,
    deals: BTreeMap<EntryId, String>,
}

impl Names {
    /// Reads the names that these entries need.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn load(store: &dyn Store, entries: &[Entry]) -> Result<Self, StoreError> {
        let ids: BTreeSet<ContactId> = entries.iter().flat_map(|entry| entry.body.contacts()).collect();
        let ids: Vec<ContactId> = ids.into_iter().collect();
        let mut contacts = BTreeMap::new();
        for chunk in ids.chunks(CHUNK) {
            let found = store.contacts(chunk).await?.into_iter();
            contacts.extend(found.map(|contact| {
                let name = contact.card.display_name();
                (contact.id, if contact.is_live() { name } else { format!("{name} (deleted)") })
            }));
        }
        let deals: BTreeSet<EntryId> = entries.iter().filter_map(|entry| entry.body.deal()).collect();
        let deals: Vec<EntryId> = deals.into_iter().collect();
        let deals = store.entries(&deals).await?.into_iter().map(|deal| (deal.id, deal.body.title())).collect();
        Ok(Names { contacts, deals })
    }

    /// How people know a contact; empty when it was not asked for.
    pub fn contact(&self, id: ContactId) -> &str {
        self.contacts.get(&id).map_or("", String::as_str)
    }

    /// Both sides of what an entry is about, in one line.
    pub fn about(&self, about: About) -> String {
        let names: Vec<&str> =
            [about.person, about.organization].into_iter().flatten().map(|id| self.contact(id)).collect();
        names.join(", ")
    }

    fn named(&self, id: Option<ContactId>) -> Option<Named<ContactId>> {
        id.map(|id| Named { id, name: self.contact(id).to_owned() })
    }

    fn deal(&self, id: Option<EntryId>) -> Option<Named<EntryId>> {
        id.map(|id| Named { id, name: self.deals.get(&id).cloned().unwrap_or_default() })
    }
}

/// Something by its id and its name.
#[derive(Serialize)]
struct Named<I> {
    id: I,
    name: String,
}

#[derive(Serialize)]
struct Shape<B> {
    id: EntryId,
    kind: &'static str,
    #[serde(flatten)]
    body: B,
    version: BTreeMap<String, u64>,
    created: Timestamp,
    updated: Timestamp,
    deleted: Option<Timestamp>,
}

#[derive(Serialize)]
struct DealShape<'e> {
    title: &'e str,
    value: &'e Option<Money>,
    pipeline: &'e str,
    stage: &'e str,
    status: Status,
    lost_reason: &'e Option<String>,
    expected_close: Option<String>,
    closed: Option<Timestamp>,
    person: Option<Named<ContactId>>,
    organization: Option<Named<ContactId>>,
    owner: &'e Option<String>,
    labels: &'e BTreeSet<String>,
    custom: &'e BTreeMap<String, String>,
}

#[derive(Serialize)]
struct ActivityShape<'e> {
    subject: &'e str,
    #[serde(rename = "type")]
    activity_type: &'e str,
    due: Option<String>,
    time: &'e Option<String>,
    done: bool,
    done_at: Option<Timestamp>,
    note: &'e Option<String>,
    person: Option<Named<ContactId>>,
    organization: Option<Named<ContactId>>,
    deal: Option<Named<EntryId>>,
    owner: &'e Option<String>,
}

#[derive(Serialize)]
struct NoteShape<'e> {
    content: &'e str,
    pinned: bool,
    person: Option<Named<ContactId>>,
    organization: Option<Named<ContactId>>,
    deal: Option<Named<EntryId>>,
}

#[derive(Serialize)]
struct RelationShape {
    relation: &'static str,
    owner: Option<Named<ContactId>>,
    linked: Option<Named<ContactId>>,
}

#[derive(Serialize)]
struct DismissalShape {
    first: Option<Named<ContactId>>,
    second: Option<Named<ContactId>>,
}

/// An entry in the shape of the public interface, in its order.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Shown<'e>(AnyShape<'e>);

#[derive(Serialize)]
#[serde(untagged)]
enum AnyShape<'e> {
    Deal(Shape<DealShape<'e>>),
    Activity(Shape<ActivityShape<'e>>),
    Note(Shape<NoteShape<'e>>),
    Relation(Shape<RelationShape>),
    Field(Shape<&'e CustomField>),
    Label(Shape<&'e Label>),
    Pipeline(Shape<&'e Pipeline>),
    Dismissal(Shape<DismissalShape>),
}

impl<'e> Shown<'e> {
    /// An entry, with the names of what it hangs on.
    pub fn of(entry: &'e Entry, names: &Names) -> Self {
        Shown(match &entry.body {
            Body::Deal(deal) => AnyShape::Deal(with(entry, deal_shape(deal, names))),
            Body::Activity(activity) => AnyShape::Activity(with(entry, activity_shape(activity, names))),
            Body::Note(note) => AnyShape::Note(with(entry, note_shape(note, names))),
            Body::Relation(relation) => AnyShape::Relation(with(entry, relation_shape(relation, names))),
            Body::Field(field) => AnyShape::Field(with(entry, field)),
            Body::Label(label) => AnyShape::Label(with(entry, label)),
            Body::Pipeline(pipeline) => AnyShape::Pipeline(with(entry, pipeline)),
            Body::Dismissal(couple) => {
                let [first, second] = [couple.first, couple.second].map(|id| names.named(Some(id)));
                AnyShape::Dismissal(with(entry, DismissalShape { first, second }))
            }
        })
    }
}

fn with<B>(entry: &Entry, body: B) -> Shape<B> {
    let Entry { id, version, created, updated, deleted, .. } = entry;
    let (kind, version) = (entry.body.kind().as_str(), version.display());
    Shape { id: *id, kind, body, version, created: *created, updated: *updated, deleted: *deleted }
}

fn deal_shape<'e>(deal: &'e Deal, names: &Names) -> DealShape<'e> {
    DealShape {
        title: &deal.title,
        value: &deal.value,
        pipeline: &deal.pipeline,
        stage: &deal.stage,
        status: deal.status,
        lost_reason: &deal.lost_reason,
        expected_close: deal.expected_close.map(|day| day.to_string()),
        closed: deal.closed,
        person: names.named(deal.about.person),
        organization: names.named(deal.about.organization),
        owner: &deal.owner,
        labels: &deal.labels,
        custom: &deal.custom,
    }
}

fn activity_shape<'e>(activity: &'e Activity, names: &Names) -> ActivityShape<'e> {
    ActivityShape {
        subject: &activity.subject,
        activity_type: &activity.activity_type,
        due: activity.due.map(|day| day.to_string()),
        time: &activity.time,
        done: activity.done,
        done_at: activity.done_at,
        note: &activity.note,
        person: names.named(activity.about.person),
        organization: names.named(activity.about.organization),
        deal: names.deal(activity.deal),
        owner: &activity.owner,
    }
}

fn note_shape<'e>(note: &'e Note, names: &Names) -> NoteShape<'e> {
    NoteShape {
        content: &note.content,
        pinned: note.pinned,
        person: names.named(note.about.person),
        organization: names.named(note.about.organization),
        deal: names.deal(note.deal),
    }
}

fn relation_shape(relation: &Relation, names: &Names) -> RelationShape {
    RelationShape {
        relation: relation.kind.as_str(),
        owner: names.named(Some(relation.owner)),
        linked: names.named(Some(relation.linked)),
    }
}

/// An entry as lines of a name and a value, the empty ones left out.
pub fn lines(entry: &Entry, names: &Names) -> Vec<(String, String)> {
    let mut lines: Vec<(&str, String)> = match &entry.body {
        Body::Deal(deal) => deal_lines(deal, names),
        Body::Activity(activity) => activity_lines(activity, names),
        Body::Note(note) => vec![
            ("Note", note.content.clone()),
            ("Pinned", if note.pinned { "yes".to_owned() } else { String::new() }),
            ("About", names.about(note.about)),
            ("Deal", note.deal.and_then(|deal| names.deals.get(&deal).cloned()).unwrap_or_default()),
        ],
        Body::Relation(relation) => vec![
            ("Relation", relation.kind.as_str().to_owned()),
            (Kind::Organization.as_str(), names.contact(relation.owner).to_owned()),
            (Kind::Organization.as_str(), names.contact(relation.linked).to_owned()),
        ],
        Body::Field(field) => vec![
            ("Field", field.name.clone()),
            ("Of", field.of.as_str().to_owned()),
            ("Type", field.field_type.to_string()),
            ("Options", field.options.join(", ")),
            ("Retired", field.retired.map(|at| at.to_string()).unwrap_or_default()),
        ],
        Body::Label(label) => vec![
            ("Label", label.name.clone()),
            ("Colour", label.colour.map(|colour| colour.as_str().to_owned()).unwrap_or_default()),
        ],
        Body::Pipeline(pipeline) => {
            vec![("Pipeline", pipeline.name.clone()), ("Stages", pipeline.stages.join(", "))]
        }
        Body::Dismissal(couple) => {
            vec![("Not the same", [couple.first, couple.second].map(|id| names.contact(id)).join(", "))]
        }
    };
    lines.push(("Id", entry.id.to_string()));
    lines.push(("Created", entry.created.to_string()));
    lines.push(("Updated", entry.updated.to_string()));
    lines.push(("Deleted", entry.deleted.map(|at| at.to_string()).unwrap_or_default()));
    let mut shown: Vec<(String, String)> = lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    if let Body::Deal(deal) = &entry.body {
        shown.extend(deal.custom.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    shown.retain(|(_, value)| !value.is_empty());
    shown
}

fn deal_lines(deal: &Deal, names: &Names) -> Vec<(&'static str, String)> {
    let status = match (&deal.lost_reason, deal.closed) {
        (Some(reason), _) => format!("{}: {reason}", deal.status.as_str()),
        (None, Some(at)) => format!("{}, {at}", deal.status.as_str()),
        (None, None) => deal.status.as_str().to_owned(),
    };
    vec![
        ("Deal", deal.title.clone()),
        ("Value", deal.value.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("Stage", format!("{} ({})", deal.stage, deal.pipeline)),
        ("Status", status),
        ("Close", deal.expected_close.map(|day| format!("expected {day}")).unwrap_or_default()),
        ("About", names.about(deal.about)),
        ("Owner", deal.owner.clone().unwrap_or_default()),
        ("Labels", deal.labels.iter().cloned().collect::<Vec<_>>().join(", ")),
    ]
}

fn activity_lines(activity: &Activity, names: &Names) -> Vec<(&'static str, String)> {
    vec![
        ("Activity", activity.subject.clone()),
        ("Type", activity.activity_type.clone()),
        ("Due", due(activity)),
        ("Done", done(activity)),
        ("Note", activity.note.clone().unwrap_or_default()),
        ("About", names.about(activity.about)),
        ("Deal", activity.deal.and_then(|deal| names.deals.get(&deal).cloned()).unwrap_or_default()),
        ("Owner", activity.owner.clone().unwrap_or_default()),
    ]
}

/// When an activity is due, as people read it.
pub fn due(activity: &Activity) -> String {
    let parts = [activity.due.map(|day| day.to_string()), activity.time.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn done(activity: &Activity) -> String {
    match (activity.done, activity.done_at) {
        (false, _) => String::new(),
        (true, None) => "yes".to_owned(),
        (true, Some(at)) => at.to_string(),
    }
}
