//! The company of a person, and the name of an organization: one entry of Google's `organizations`.
//!
//! Of several entries the first current one is ours, else the first; former and further employments stay as they are.

use serde_json::Value;

use crate::domain::contact::Card;
use crate::domain::contact::Subject;

use super::draft::Draft;
use super::text::{fits, put, same};
use super::wire::{self, Object, text};

const FIELD: &str = "organizations";

/// What our entry says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Company {
    pub(super) name: Option<String>,
    pub(super) title: Option<String>,
    pub(super) department: Option<String>,
}

type Member = (&'static str, fn(&Company) -> Option<&str>);

const MEMBERS: [Member; 3] = [
    ("name", |company| company.name.as_deref()),
    ("title", |company| company.title.as_deref()),
    ("department", |company| company.department.as_deref()),
];

impl Company {
    /// What a card says of it.
    pub(super) fn of(card: &Card) -> Self {
        match &card.subject {
            Subject::Person(person) => Company {
                name: person.organization.as_ref().map(|organization| organization.name.clone()),
                title: person.job_title.clone(),
                department: person.department.clone(),
            },
            Subject::Organization(organization) => {
                Company { name: Some(organization.name.clone()), ..Company::default() }
            }
        }
    }

    /// What a record says of it.
    pub(super) fn read(wire: &Value) -> Self {
        let items = wire::items(wire, FIELD);
        place(items).map(|place| read_item(&items[place])).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        MEMBERS.iter().all(|(_, member)| same(member(self), None))
    }
}

fn read_item(item: &Value) -> Company {
    let member = |name: &str| text(item, name).map(str::to_owned);
    Company { name: member("name"), title: member("title"), department: member("department") }
}

/// Where our entry is.
fn place(items: &[Value]) -> Option<usize> {
    let current = |item: &Value| item.get("current").and_then(Value::as_bool) == Some(true);
    items.iter().position(current).or((!items.is_empty()).then_some(0))
}

/// Changes the members that differ. `known` is what the record says, as far as it concerns the card.
pub(super) fn edit(draft: &mut Draft, known: &Company, from: &Company, to: &Company) {
    let changed: Vec<Member> =
        MEMBERS.into_iter().filter(|(_, member)| !same(member(from), member(to)) && fits(member(to))).collect();
    if changed.is_empty() {
        return;
    }
    let mut items = draft.items(FIELD);
    let place = place(&items).filter(|_| is_ours(known, from, to));
    let place = place.unwrap_or_else(|| {
        items.insert(0, serde_json::json!({ "current": true }));
        0
    });
    if let Some(entry) = items[place].as_object_mut() {
        for (name, member) in changed {
            put(entry, name, member(to));
        }
        if is_bare(entry) {
            items.remove(place);
        }
    }
    draft.replace(FIELD, items);
}

/// Whether the entry is the one the card speaks of. When the card knew no company and the record has one, the entry
/// is an employment that we left alone so far, and a new one goes in front of it.
fn is_ours(entry: &Company, from: &Company, to: &Company) -> bool {
    !from.is_empty() || entry.is_empty() || same(entry.name.as_deref(), to.name.as_deref())
}

/// Whether the entry says nothing any more.
fn is_bare(entry: &Object) -> bool {
    entry.keys().all(|member| matches!(member.as_str(), "type" | "current" | "metadata"))
}
