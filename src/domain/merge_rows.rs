//! Which items of the four states are one and the same thing.
//!
//! An item is known by its value in normal form. Where values do not meet, two devices help:
//!
//! - A remote rewrites what it is given (`030 1234567` comes back as `+49 30 1234567`). Items of the two bases that
//!   have no counterpart by value are therefore paired by likeness, else by label: they were one item when both sides
//!   agreed.
//! - A removal and an addition on one side under the same label are one edit of the value. Otherwise a relabelling on
//!   the other side would bring the old value back beside the new one.
//!
//! Pairing by label means: the only ones with that label, else those at the same place among the items of that label.
//! The same value twice in one state is told apart by a rank, in the order of labels.

use std::collections::{BTreeMap, BTreeSet};

use super::item::Item;
use super::merge::Legs;

/// What is compared of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where the item stands in its list.
    pub position: usize,
    /// Its value in normal form.
    pub key: String,
    /// Its label in normal form.
    pub label: Option<String>,
    /// Whether it carries the primary flag.
    pub primary: bool,
    /// Its number among items of the same value.
    rank: usize,
    /// Its number among items of the same label.
    place: usize,
}

impl Mark {
    /// What makes two items equal.
    pub(super) fn meaning(&self) -> (&str, Option<&str>) {
        (&self.key, self.label.as_deref())
    }

    fn id(&self) -> (&str, usize) {
        (&self.key, self.rank)
    }
}

/// One thing in the four states, by the number of its mark in each.
pub(super) type Row = Legs<Option<usize>>;

/// The marks of a list, in its order. Items without a value have none.
pub(super) fn marks<T: Item>(items: &[T]) -> Vec<Mark> {
    let normal = items.iter().enumerate().filter_map(|(position, item)| Some((position, item.normal()?)));
    let mut marks: Vec<Mark> = normal
        .map(|(position, item)| Mark {
            position,
            key: item.key(),
            label: item.label().map(str::to_owned),
            primary: item.is_primary(),
            rank: 0,
            place: 0,
        })
        .collect();
    let mut places: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for mark in &mut marks {
        let place = places.entry(mark.label.clone()).or_default();
        mark.place = *place;
        *place += 1;
    }
    let mut sorted: Vec<&mut Mark> = marks.iter_mut().collect();
    sorted.sort_by(|one, other| (one.meaning(), !one.primary).cmp(&(other.meaning(), !other.primary)));
    let mut ranks: BTreeMap<String, usize> = BTreeMap::new();
    for mark in sorted {
        let rank = ranks.entry(mark.key.clone()).or_default();
        mark.rank = *rank;
        *rank += 1;
    }
    marks
}

/// Brings the items of the four states together. Every mark is in exactly one row.
pub(super) fn align(marks: &Legs<Vec<Mark>>, resemble: fn(&str, &str) -> bool) -> Vec<Row> {
    let mut rows: Vec<Row> =
        (0..marks.base_store.len()).map(|index| Row { base_store: Some(index), ..Row::default() }).collect();
    align_bases(&mut rows, marks, resemble);
    align_side(&mut rows, marks, Side::Store);
    align_side(&mut rows, marks, Side::Remote);
    rows
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Store,
    Remote,
}

/// One state, as a place in a row and as a list of marks.
#[derive(Clone, Copy)]
struct Leg<'a> {
    marks: &'a [Mark],
    of: fn(&mut Row) -> &mut Option<usize>,
}

impl<'a> Leg<'a> {
    fn index(self, row: &Row) -> Option<usize> {
        let mut row = *row;
        *(self.of)(&mut row)
    }

    fn mark(self, row: &Row) -> Option<&'a Mark> {
        self.marks.get(self.index(row)?)
    }

    fn put(self, row: &mut Row, index: usize) {
        *(self.of)(row) = Some(index);
    }
}

fn legs(marks: &Legs<Vec<Mark>>) -> Legs<Leg<'_>> {
    Legs {
        base_store: Leg { marks: &marks.base_store, of: |row| &mut row.base_store },
        base_remote: Leg { marks: &marks.base_remote, of: |row| &mut row.base_remote },
        store: Leg { marks: &marks.store, of: |row| &mut row.store },
        remote: Leg { marks: &marks.remote, of: |row| &mut row.remote },
    }
}

fn align_bases(rows: &mut Vec<Row>, marks: &Legs<Vec<Mark>>, resemble: fn(&str, &str) -> bool) {
    let Legs { base_store, base_remote, .. } = legs(marks);
    let left: Vec<usize> = (0..base_remote.marks.len()).collect();
    let left = join_by_id(rows, base_remote, base_store, left);
    let left = join_by(rows, base_remote, base_store, left, |known, mark| resemble(&known.key, &mark.key));
    let left = pair_by_label(rows, base_remote, base_store, left);
    rows.extend(left.into_iter().map(|index| Row { base_remote: Some(index), ..Row::default() }));
}

fn align_side(rows: &mut Vec<Row>, marks: &Legs<Vec<Mark>>, side: Side) {
    let all = legs(marks);
    let (own, base, other, other_base) = match side {
        Side::Store => (all.store, all.base_store, all.remote, all.base_remote),
        Side::Remote => (all.remote, all.base_remote, all.store, all.base_store),
    };
    let left: Vec<usize> = (0..own.marks.len()).collect();
    let left = join_by_id(rows, own, base, left);
    let left = join_by_id(rows, own, other_base, left);
    let left = join_by_id(rows, own, other, left);
    // What the other side has under the same value is the same addition, not an edit of something else.
    let elsewhere: BTreeSet<&str> = other.marks.iter().map(|mark| mark.key.as_str()).collect();
    let is_there = |index: &usize| own.marks.get(*index).is_some_and(|mark| elsewhere.contains(mark.key.as_str()));
    let (there, new) = left.into_iter().partition(is_there);
    let left: Vec<usize> = [there, pair_by_label(rows, own, base, new)].concat();
    for index in left {
        let mut row = Row::default();
        own.put(&mut row, index);
        rows.push(row);
    }
}

/// Puts the items of `left` into rows where `by` has the same item and `own` has none yet. Returns what found no row.
fn join_by_id(rows: &mut [Row], own: Leg<'_>, by: Leg<'_>, left: Vec<usize>) -> Vec<usize> {
    join_by(rows, own, by, left, |known, mark| known.id() == mark.id())
}

/// The same for items that `is_same` takes for one.
fn join_by(
    rows: &mut [Row],
    own: Leg<'_>,
    by: Leg<'_>,
    left: Vec<usize>,
    is_same: impl Fn(&Mark, &Mark) -> bool,
) -> Vec<usize> {
    let unmatched = |index: &usize| {
        let Some(mark) = own.marks.get(*index) else { return false };
        let row = rows
            .iter_mut()
            .find(|row| own.index(row).is_none() && by.mark(row).is_some_and(|known| is_same(known, mark)));
        match row {
            Some(row) => {
                own.put(row, *index);
                false
            }
            None => true,
        }
    };
    left.into_iter().filter(unmatched).collect()
}

/// Puts the items of `left` into rows where `by` has an item of the same label and `own` has none: the only ones with
/// that label, else those at the same place. Returns what found no row.
fn pair_by_label(rows: &mut [Row], own: Leg<'_>, by: Leg<'_>, left: Vec<usize>) -> Vec<usize> {
    let labels: BTreeSet<&Option<String>> =
        left.iter().filter_map(|index| own.marks.get(*index)).map(|mark| &mark.label).collect();
    let mut paired = BTreeSet::new();
    for label in labels {
        let new: Vec<usize> =
            left.iter().copied().filter(|index| own.marks.get(*index).is_some_and(|m| m.label == *label)).collect();
        let mut open: Vec<&mut Row> = rows
            .iter_mut()
            .filter(|row| own.index(row).is_none() && by.mark(row).is_some_and(|mark| mark.label == *label))
            .collect();
        if let ([index], [row]) = (new.as_slice(), open.as_mut_slice()) {
            own.put(row, *index);
            paired.insert(*index);
            continue;
        }
        for row in open {
            let place = by.mark(row).map(|mark| mark.place);
            let same = |index: &&usize| own.marks.get(**index).map(|mark| mark.place) == place;
            if let Some(index) = new.iter().find(same) {
                own.put(row, *index);
                paired.insert(*index);
            }
        }
    }
    left.into_iter().filter(|index| !paired.contains(index)).collect()
}
