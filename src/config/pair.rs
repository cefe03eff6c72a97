//! `[[account.pair]]`: a Google group, and what of the store belongs into it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::domain::pair::{MissingGroup, Pair, Strangers};

use super::table::{Notes, Table};
use super::value;

/// Google's name for the group of everything visible in the address book.
const MY_CONTACTS: &str = "myContacts";

/// A pair as it is configured: what its filter selects is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairWish {
    /// The pair, without what the filter selects.
    pub pair: Pair,
    /// The name of the filter, if it has one.
    pub filter: Option<String>,
}

/// Reads the pairs of an account that begins at `account`; none at all is a problem.
pub(super) fn read(tables: Vec<Table<'_>>, account: &Range<usize>, notes: &mut Notes<'_>) -> Vec<PairWish> {
    if tables.is_empty() {
        let message = "required, but missing: expected at least one table headed [[account.pair]]";
        notes.problem(account, "account.pair", message);
    }
    let mut groups = BTreeMap::new();
    let mut pairs = Vec::new();
    for table in tables {
        pairs.extend(read_one(table, &mut groups, notes));
    }
    pairs
}

fn read_one(mut table: Table<'_>, groups: &mut BTreeMap<String, usize>, notes: &mut Notes<'_>) -> Option<PairWish> {
    let group = table.required("group", notes, value::text);
    if let Some(group) = &group {
        let line = notes.position(group.place.start).line;
        // As the remote compares names of groups.
        let name = group.value.trim().to_lowercase();
        if let Some(cure) = system_group(&name) {
            notes.problem(
                &group.place,
                table.key("group"),
                format!("{:?} is a group of Google's own; {cure}", group.value),
            );
        }
        if let Some(earlier) = groups.get(&name) {
            let message = format!("the group {:?} has a pair in this account already, in line {earlier}", group.value);
            notes.problem(&group.place, table.key("group"), message);
        } else {
            groups.insert(name, line);
        }
        if group.value == MY_CONTACTS {
            let message = "every contact of the address book is a member of this group, so all of it is synchronized";
            notes.warning(&group.place, table.key("group"), message);
        }
    }
    let missing_group = match table.or("create_group", true, notes, value::flag) {
        true => MissingGroup::Create,
        false => MissingGroup::Report,
    };
    let labels = table.or("labels", Vec::new(), notes, value::texts);
    let owners = table.or("owners", Vec::new(), notes, value::texts);
    let filter = table.or("filter", String::new(), notes, value::text_or_empty);
    let filter = (!filter.is_empty()).then_some(filter);
    let strangers = match table.or("adopt", true, notes, value::flag) {
        true => Strangers::Adopt,
        false => Strangers::LeaveAlone,
    };
    let add_label = table.or("add_label", String::new(), notes, value::text_or_empty);
    let add_label = (!add_label.is_empty()).then_some(add_label);
    if strangers == Strangers::Adopt && !labels.is_empty() && !add_label.iter().any(|label| labels.contains(label)) {
        let place = group.as_ref().map_or_else(|| table.place().clone(), |group| group.place.clone());
        notes.warning(&place, table.key("labels"), unlabelled(&labels, add_label.as_deref()));
    }
    if strangers == Strangers::Adopt && add_label.is_none() && labels.is_empty() && filter.is_some() {
        let place = group.as_ref().map_or_else(|| table.place().clone(), |group| group.place.clone());
        notes.warning(&place, table.key("filter"), UNSELECTED);
    }
    table.finish(notes);
    let pair = Pair { group: group?.value, missing_group, labels, owners, filter: None, strangers, add_label };
    Some(PairWish { pair, filter })
}

/// What becomes of contacts that come in through a pair with a filter.
const UNSELECTED: &str = "contacts that come in from Google are kept equal only while they are in the group, unless the \
                          filter selects them: set add_label to a label that it asks for, or adopt = false";

/// What becomes of contacts that come in through a pair of labelled contacts without one of its labels.
fn unlabelled(labels: &[String], added: Option<&str>) -> String {
    let first = labels.first().map(String::as_str).unwrap_or_default();
    let said = added
        .map_or_else(|| "add_label is not set".to_owned(), |added| format!("add_label = {added:?} is none of them"));
    format!(
        "contacts that come in from Google get none of these labels, since {said}: they are kept equal only while they are \
         in the group; set add_label = {first:?}, or adopt = false"
    )
}

/// What to do instead, when a group of this name, in small letters, is one that Google keeps for itself.
///
/// Source: People API, `contactGroups`: names and titles of system groups (read 2026-11).
fn system_group(name: &str) -> Option<&'static str> {
    match name {
        "my contacts" => Some("write \"myContacts\" for the whole address book"),
        "starred" | "blocked" | "chatbuddies" | "all" | "friends" | "family" | "coworkers" => {
            Some("name a label of your own, it is created when it is missing")
        }
        _ => None,
    }
}
