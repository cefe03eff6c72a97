//! Three-way merge of a multi-valued field.
//!
//! Items of the four states are first brought together as rows (`merge_rows`), each row one thing as it was and as it
//! is. Then every row is merged by itself:
//!
//! | at the remote | in the store | result |
//! |---|---|---|
//! | same | any | as in the store |
//! | added | absent | added |
//! | added | added too | value and label merged as single values with an empty base |
//! | removed | unchanged | removed |
//! | removed | edited | kept: an edit beats a removal, and will be written back |
//! | changed | removed | kept as the remote has it, for the same reason |
//! | changed | unchanged or changed | value and label merged as single values |
//!
//! The primary flag belongs to the set: it is one pointer to a row. Order has no meaning; the result keeps the order of
//! the store and appends what the remote added.

use super::item::{Flag, Item};
use super::merge::{Legs, Outcome, Referee, scalar};
use super::merge_rows::{Mark, Row, align, marks};
use super::normal;
use super::policy::Winner;

/// An item as written, with what is compared of it.
struct Entry<'a, T> {
    item: &'a T,
    mark: &'a Mark,
}

impl<T> Clone for Entry<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Entry<'_, T> {}

/// The item of one row as merged, and as it is in the new base.
type MergedRow<T> = Outcome<Option<T>>;

/// Merges one set. Conflicts go to `referee`; where nobody wins, the caller freezes the field.
pub(super) fn merge_set<T: Item>(legs: Legs<&[T]>, referee: &mut Referee<'_>) -> Outcome<Vec<T>> {
    let unchanged = || Outcome { card: legs.store.to_vec(), base: legs.base_store.to_vec() };
    // Most sets of most merges are the same to the letter; normal forms cost more than that look.
    if legs.remote == legs.base_remote {
        return unchanged();
    }
    let meaning = legs.map(normal::set);
    if meaning.remote == meaning.base_remote {
        return unchanged();
    }
    if meaning.remote == meaning.store {
        return Outcome { card: legs.store.to_vec(), base: legs.store.to_vec() };
    }
    let marks = legs.map(marks);
    let rows = align(&marks, T::resemble);
    let merged: Vec<MergedRow<T>> = rows.iter().map(|row| merge_row(entries(row, &legs, &marks), referee)).collect();
    let card_order = order(&rows, |row| [row.store, row.remote]);
    let base_order = order(&rows, |row| [row.base_store, row.remote]);
    let pointers = pointers(&marks, &rows);
    let mut primary = merge_primary(&pointers, &merged, referee);
    // A remote that alone changed a set is followed to the letter; otherwise a set with a primary item keeps one.
    let forward = meaning.store == meaning.base_store && meaning.base_store == meaning.base_remote;
    if !forward {
        primary.card = settle(primary.card, &pointers, &merged, &card_order);
    }
    let pick = |order: &[usize], primary: Option<usize>, side: fn(&MergedRow<T>) -> &Option<T>| {
        let item = |index: &usize| Some((*index, side(merged.get(*index)?).clone()?));
        order.iter().filter_map(item).map(|(index, item)| flagged(item, index, primary)).collect()
    };
    Outcome {
        card: pick(&card_order, primary.card, |row| &row.card),
        base: pick(&base_order, primary.base, |row| &row.base),
    }
}

/// The items with one primary item at most: of several, the least is meant, as in the normal form.
pub(super) fn one_primary<T: Item>(items: &[T]) -> Vec<T> {
    let meant = primary(&marks(items)).map(|mark| mark.position);
    let items = items.iter().cloned().enumerate();
    items.map(|(position, item)| flagged(item, position, meant)).collect()
}

fn entries<'a, T>(row: &Row, legs: &Legs<&'a [T]>, marks: &'a Legs<Vec<Mark>>) -> Legs<Option<Entry<'a, T>>> {
    fn entry<'a, T>(index: Option<usize>, items: &'a [T], marks: &'a [Mark]) -> Option<Entry<'a, T>> {
        let mark = marks.get(index?)?;
        Some(Entry { item: items.get(mark.position)?, mark })
    }
    Legs {
        base_store: entry(row.base_store, legs.base_store, &marks.base_store),
        base_remote: entry(row.base_remote, legs.base_remote, &marks.base_remote),
        store: entry(row.store, legs.store, &marks.store),
        remote: entry(row.remote, legs.remote, &marks.remote),
    }
}

fn copy<T: Clone>(entry: Option<Entry<'_, T>>) -> Option<T> {
    entry.map(|entry| entry.item.clone())
}

fn meaning<'a, T>(entry: Option<Entry<'a, T>>) -> Option<(&'a str, Option<&'a str>)> {
    entry.map(|entry| entry.mark.meaning())
}

/// The table of the module header for one row.
fn merge_row<T: Item>(row: Legs<Option<Entry<'_, T>>>, referee: &mut Referee<'_>) -> MergedRow<T> {
    if meaning(row.remote) == meaning(row.base_remote) {
        return Outcome { card: copy(row.store), base: copy(row.base_store) };
    }
    if row.store.is_none() {
        return Outcome { card: copy(row.remote), base: copy(row.remote) };
    }
    if row.remote.is_none() {
        let edited = meaning(row.store) != meaning(row.base_store);
        return Outcome { card: copy(row.store).filter(|_| edited), base: None };
    }
    let value = scalar(row, |entry| entry.map(|entry| entry.mark.key.clone()), referee);
    let label = |entry: Option<Entry<'_, T>>| entry.and_then(|entry| entry.item.label().map(str::to_owned));
    let label = scalar(row.map(label), |label| normal::label(label.as_deref()), referee);
    let put_together = |value: Option<Entry<'_, T>>, label: Option<String>| {
        let mut item = copy(value)?;
        item.relabel(label);
        Some(item)
    };
    // Both sides hold the item, so the base has it as well, even where the store's old base had not.
    Outcome {
        card: put_together(value.card.or(row.store), label.card),
        base: put_together(value.base.or(row.remote), label.base),
    }
}

/// The primary item of a state; the least of several is meant.
fn primary(marks: &[Mark]) -> Option<&Mark> {
    marks.iter().filter(|mark| mark.primary).min_by(|one, other| one.meaning().cmp(&other.meaning()))
}

/// Which row is primary in each state.
fn pointers(marks: &Legs<Vec<Mark>>, rows: &[Row]) -> Legs<Option<usize>> {
    let row_of = |marks: &[Mark], leg: fn(&Row) -> Option<usize>| {
        let meant = primary(marks)?;
        let mark = marks.iter().position(|mark| mark == meant)?;
        rows.iter().position(|row| leg(row) == Some(mark))
    };
    Legs {
        base_store: row_of(&marks.base_store, |row| row.base_store),
        base_remote: row_of(&marks.base_remote, |row| row.base_remote),
        store: row_of(&marks.store, |row| row.store),
        remote: row_of(&marks.remote, |row| row.remote),
    }
}

/// Merges the pointer to the primary row as a single value. A pointer beats none, and one whose row survives beats one
/// whose row does not; only two living pointers are a conflict.
fn merge_primary<T>(
    pointers: &Legs<Option<usize>>,
    merged: &[MergedRow<T>],
    referee: &mut Referee<'_>,
) -> Outcome<Option<usize>> {
    let Legs { base_store, base_remote, store, remote } = *pointers;
    if remote == base_remote {
        return Outcome { card: store, base: base_store };
    }
    if store == base_store || store == remote {
        return Outcome { card: remote, base: remote };
    }
    let card = match (alive(store, merged), alive(remote, merged)) {
        (None, theirs) => theirs,
        (ours, None) => ours,
        (ours, theirs) if referee.winner() == Winner::Remote => theirs.or(ours),
        (ours, _) => ours,
    };
    Outcome { card, base: remote }
}

fn alive<T>(pointer: Option<usize>, merged: &[MergedRow<T>]) -> Option<usize> {
    pointer.filter(|index| merged.get(*index).is_some_and(|row| row.card.is_some()))
}

/// The pointer, or what stands in for it when its row is gone: the other side's primary item, else the first item.
/// Where neither side has a primary item none is invented.
fn settle<T>(
    pointer: Option<usize>,
    pointers: &Legs<Option<usize>>,
    merged: &[MergedRow<T>],
    order: &[usize],
) -> Option<usize> {
    if pointers.store.is_none() && pointers.remote.is_none() {
        return None;
    }
    let first = || order.iter().copied().find(|index| alive(Some(*index), merged).is_some());
    [pointer, pointers.store, pointers.remote].into_iter().find_map(|pointer| alive(pointer, merged)).or_else(first)
}

fn flagged<T: Item>(mut item: T, index: usize, primary: Option<usize>) -> T {
    item.flag(if primary == Some(index) { Flag::Primary } else { Flag::Plain });
    item
}

/// The rows in the order of the first state that has them.
fn order(rows: &[Row], places: fn(&Row) -> [Option<usize>; 2]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let place = |index: &usize| rows.get(*index).map(|row| places(row).map(|place| place.unwrap_or(usize::MAX)));
    order.sort_by_key(place);
    order
}
