//! Entries: what a team writes down besides contacts. Deals, activities, notes and relations hang on contacts;
//! custom fields, labels and pipelines are definitions that contacts and deals refer to by name.
//!
//! An entry has an identity, a version vector and a bin like a contact, and each of its edits is a row of the history.
//! Entries live in the store only: remotes see what contacts carry, never what hangs on them. So nothing here is merged,
//! and an edit that was decided on an older version is refused and decided again.

pub mod activity;
pub mod deal;
pub mod definition;
pub mod dismissal;
pub mod note;
pub mod relation;
pub mod rules;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::activity::Activity;
use self::deal::Deal;
use self::definition::{CustomField, Label, Pipeline};
use self::dismissal::Dismissal;
use self::note::Note;
use self::relation::Relation;
use super::history::{Action, Actor};
use super::id::{ContactId, EntryId, RunId};
use super::normal;
use super::time::Timestamp;
use super::version::VersionVector;

/// An entry of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Chosen once, never reused.
    pub id: EntryId,
    /// What it says.
    pub body: Body,
    /// Everything that ever happened to it.
    pub version: VersionVector,
    /// When it came into the store.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// When it was deleted; `None` while it lives.
    pub deleted: Option<Timestamp>,
}

impl Entry {
    /// Whether it lives.
    pub fn is_live(&self) -> bool {
        self.deleted.is_none()
    }
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the entry of that name")]
pub enum Body {
    Deal(Deal),
    Activity(Activity),
    Note(Note),
    Relation(Relation),
    Field(CustomField),
    Label(Label),
    Pipeline(Pipeline),
    Dismissal(Dismissal),
}

/// The kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the entry of that name")]
pub enum EntryKind {
    Deal,
    Activity,
    Note,
    Relation,
    Field,
    Label,
    Pipeline,
    Dismissal,
}

impl EntryKind {
    /// The kind as documents and commands spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Deal => "deal",
            EntryKind::Activity => "activity",
            EntryKind::Note => "note",
            EntryKind::Relation => "relation",
            EntryKind::Field => "field",
            EntryKind::Label => "label",
            EntryKind::Pipeline => "pipeline",
            EntryKind::Dismissal => "dismissal",
        }
    }
}

/// What an entry hangs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The person.
    #[serde(default)]
    pub person: Option<ContactId>,
    /// The organization.
    #[serde(default)]
    pub organization: Option<ContactId>,
}

impl About {
    /// Whether it is about nobody.
    pub fn is_nobody(self) -> bool {
        self.person.is_none() && self.organization.is_none()
    }

    fn contacts(self) -> impl Iterator<Item = ContactId> {
        [self.person, self.organization].into_iter().flatten()
    }

    fn replace(&mut self, from: ContactId, to: ContactId) {
        for side in [&mut self.person, &mut self.organization] {
            if *side == Some(from) {
                *side = Some(to);
            }
        }
    }
}

impl Body {
    /// Which kind of entry this is.
    pub fn kind(&self) -> EntryKind {
        match self {
            Body::Deal(_) => EntryKind::Deal,
            Body::Activity(_) => EntryKind::Activity,
            Body::Note(_) => EntryKind::Note,
            Body::Relation(_) => EntryKind::Relation,
            Body::Field(_) => EntryKind::Field,
            Body::Label(_) => EntryKind::Label,
            Body::Pipeline(_) => EntryKind::Pipeline,
            Body::Dismissal(_) => EntryKind::Dismissal,
        }
    }

    /// The contacts that it hangs on.
    pub fn contacts(&self) -> BTreeSet<ContactId> {
        match self {
            Body::Deal(deal) => deal.about.contacts().collect(),
            Body::Activity(activity) => activity.about.contacts().collect(),
            Body::Note(note) => note.about.contacts().collect(),
            Body::Relation(relation) => [relation.owner, relation.linked].into(),
            Body::Dismissal(dismissal) => [dismissal.first, dismissal.second].into(),
            Body::Field(_) | Body::Label(_) | Body::Pipeline(_) => BTreeSet::new(),
        }
    }

    /// The deal that it hangs on.
    pub fn deal(&self) -> Option<EntryId> {
        match self {
            Body::Activity(activity) => activity.deal,
            Body::Note(note) => note.deal,
            _ => None,
        }
    }

    /// What must be there only once among living entries of this kind: a definition's name, the couple of a relation.
    pub fn unique_name(&self) -> Option<String> {
        match self {
            Body::Field(field) => Some(format!("{}:{}", field.of.as_str(), normal::fold(&field.name))),
            Body::Label(label) => Some(label.name.clone()),
            Body::Pipeline(pipeline) => Some(normal::fold(&pipeline.name)),
            Body::Relation(relation) => {
                let (first, second) = relation.couple();
                Some(format!("{first}:{second}"))
            }
            Body::Dismissal(Dismissal { first, second }) => Some(format!("{first}:{second}")),
            Body::Deal(_) | Body::Activity(_) | Body::Note(_) => None,
        }
    }

    /// The same about `to`, wherever it is about `from`. What would be between a contact and itself is none: `None`.
    #[must_use]
    pub fn moved(&self, from: ContactId, to: ContactId) -> Option<Body> {
        let mut body = self.clone();
        match &mut body {
            Body::Deal(deal) => deal.about.replace(from, to),
            Body::Activity(activity) => activity.about.replace(from, to),
            Body::Note(note) => note.about.replace(from, to),
            Body::Relation(relation) => return relation.moved(from, to).map(Body::Relation),
            Body::Dismissal(dismissal) => return dismissal.moved(from, to).map(Body::Dismissal),
            Body::Field(_) | Body::Label(_) | Body::Pipeline(_) => {}
        }
        Some(body)
    }

    /// How people know it: a title, a name, the beginning of a text.
    pub fn title(&self) -> String {
        match self {
            Body::Deal(deal) => deal.title.clone(),
            Body::Activity(activity) => activity.subject.clone(),
            Body::Note(note) => note.content.lines().next().unwrap_or_default().chars().take(60).collect(),
            Body::Relation(relation) => relation.kind.as_str().to_owned(),
            Body::Field(field) => field.name.clone(),
            Body::Label(label) => label.name.clone(),
            Body::Pipeline(pipeline) => pipeline.name.clone(),
            Body::Dismissal(_) => "not the same".to_owned(),
        }
    }
}

/// One committed edit of an entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntryChange {
    /// The entry.
    pub entry: EntryId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Under which id it can be taken back, when it was made together with others.
    pub run: Option<RunId>,
    /// What happened to the entry as a whole: created, edited, deleted or restored.
    pub action: Action,
    /// What it said before; `None` when it was created.
    pub before: Option<Body>,
    /// What it says now; a deleted entry keeps its body.
    pub after: Body,
}

impl EntryChange {
    /// The contacts whose history the change belongs to.
    pub fn contacts(&self) -> BTreeSet<ContactId> {
        let mut contacts = self.after.contacts();
        contacts.extend(self.before.iter().flat_map(Body::contacts));
        contacts
    }
}

/// A member of an entry that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberChange {
    /// Its name.
    pub member: String,
    /// What it was; null when there was none.
    pub before: Value,
    /// What it is.
    pub after: Value,
}

impl EntryChange {
    /// The members that changed, by name; of a new entry those that say something.
    pub fn members(&self) -> Vec<MemberChange> {
        let as_object = |body: &Body| match serde_json::to_value(body) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        let (before, after) = (self.before.as_ref().map(as_object).unwrap_or_default(), as_object(&self.after));
        let is_blank = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        let changed = after.into_iter().filter(|(member, _)| member != "kind").filter_map(|(member, after)| {
            let before = before.get(&member).cloned().unwrap_or_default();
            (before != after && !(is_blank(&before) && is_blank(&after))).then_some(MemberChange {
                member,
                before,
                after,
            })
        });
        changed.collect()
    }
}

/// A change of an entry at its place in the history, which contacts and entries share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedEntryChange {
    /// Its place: greater means later.
    pub sequence: u64,
    /// The change.
    #[serde(flatten)]
    pub change: EntryChange,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::relation::RelationKind;

    fn contact(n: u128) -> ContactId {
        ContactId::new(Timestamp::EPOCH, n)
    }

    fn note(person: u128) -> Body {
        let about = About { person: Some(contact(person)), organization: None };
        Body::Note(Note { content: "Called.".into(), pinned: false, about, deal: None })
    }

    fn parent(owner: u128, linked: u128) -> Body {
        Body::Relation(Relation { kind: RelationKind::Parent, owner: contact(owner), linked: contact(linked) })
    }

    #[test]
    fn what_hangs_on_one_contact_can_hang_on_another() {
        assert_eq!(note(1).moved(contact(1), contact(2)), Some(note(2)));
        assert_eq!(note(3).moved(contact(1), contact(2)), Some(note(3)));
        assert_eq!(parent(1, 3).moved(contact(1), contact(2)), Some(parent(2, 3)));
        assert_eq!(parent(1, 2).moved(contact(1), contact(2)), None, "nobody is its own parent");
    }

    #[test]
    fn a_couple_has_one_relation_in_whichever_direction() {
        assert_eq!(parent(1, 2).unique_name(), parent(2, 1).unique_name());
        assert_ne!(parent(1, 2).unique_name(), parent(1, 3).unique_name());
        assert_eq!(note(1).unique_name(), None);
    }

    #[test]
    fn a_change_tells_the_members_that_changed() {
        let change = EntryChange {
            entry: EntryId::new(Timestamp::EPOCH, 1),
            at: Timestamp::EPOCH,
            actor: Actor::User,
            run: None,
            action: Action::Edited,
            before: Some(note(1)),
            after: note(2),
        };
        let names =
            |change: &EntryChange| change.members().into_iter().map(|changed| changed.member).collect::<Vec<_>>();
        assert_eq!(names(&change), ["person"]);
        assert_eq!(names(&EntryChange { before: None, ..change }), ["content", "person"]);
    }

    #[test]
    fn a_body_is_written_with_its_kind() {
        let text = serde_json::to_string(&note(1)).expect("a document");
        assert!(text.starts_with(r#"{"kind":"note","content":"Called.""#), "{text}");
        assert_eq!(serde_json::from_str::<Body>(&text).expect("a document"), note(1));
    }
}
