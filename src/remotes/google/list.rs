//! Carries the change of a multi-valued field over to Google's list, item by item.
//!
//! 1. The items before and after are paired: same value and label, else same value, else (an edited value) same label
//!    in order of appearance.
//! 2. Each item from before is found on the wire by its value.
//! 3. A pair changes only the members that differ, on the item found; a lone item from before is taken off the wire;
//!    a lone item from after is appended, unless the wire has it already.
//! 4. A newly preferred item moves to the front and is marked.
//!
//! Every other item stays as it is, to the byte: those that did not change, and those that our cards cannot express.

use serde_json::Value;

use super::wire::{self, Object};

/// A multi-valued field as cards and Google spell it.
pub(super) trait List {
    /// An item of the card.
    type Item: Clone;

    /// Google's name of the field.
    const FIELD: &'static str;

    /// Reads an item; `None` when a card cannot express it.
    fn read(item: &Value) -> Option<Self::Item>;

    /// What makes the item itself, in normal form. An item whose key is empty does not exist.
    fn key(item: &Self::Item) -> String;

    /// Its label in normal form.
    fn label(item: &Self::Item) -> Option<String>;

    /// Sets the members in which `after` differs from `before`; all of them for a new item.
    fn write(object: &mut Object, before: Option<&Self::Item>, after: &Self::Item);

    /// Whether Google can hold it.
    fn fits(item: &Self::Item) -> bool;

    /// Whether it is the one to use first.
    fn is_primary(_item: &Self::Item) -> bool {
        false
    }

    /// Whether `sent` may have become `found` by Google's own rewriting.
    fn resembles(_sent: &Self::Item, _found: &Self::Item) -> bool {
        false
    }

    /// Whether both say the same of the same value; the preference is settled apart.
    fn same(one: &Self::Item, other: &Self::Item) -> bool {
        Self::key(one) == Self::key(other) && Self::label(one) == Self::label(other)
    }
}

/// The list after the change from `from` to `to`.
pub(super) fn edit<L: List>(wire: &[Value], from: &[L::Item], to: &[L::Item]) -> Vec<Value> {
    let mut slots: Vec<Slot<L::Item>> =
        wire.iter().map(|item| Slot { item: Some(item.clone()), read: L::read(item), taken: false }).collect();
    let from: Vec<&L::Item> = from.iter().filter(|item| !L::key(item).is_empty()).collect();
    let to: Vec<&L::Item> = to.iter().filter(|item| !L::key(item).is_empty()).collect();
    let places = find::<L>(&mut slots, &from);
    for (before, after) in pair::<L>(&from, &to) {
        let place = before.and_then(|before| places[before]);
        match (before.map(|before| from[before]), after.map(|after| to[after])) {
            (Some(_), None) => {
                if let Some(place) = place {
                    slots[place].item = None;
                }
            }
            (Some(before), Some(after)) => match place {
                // The new value is there already, put there by somebody else: the old item has to go.
                Some(place) if L::fits(after) && has_free::<L>(&slots, before, after) => {
                    slots[place].item = None;
                    add::<L>(&mut slots, after);
                }
                Some(place) => change::<L>(&mut slots[place], before, after),
                // It is not there under the name we knew; unless the change asks for it, it stays as it is.
                None if L::same(before, after) => {}
                None => add::<L>(&mut slots, after),
            },
            (None, Some(after)) => add::<L>(&mut slots, after),
            (None, None) => {}
        }
    }
    let mut items: Vec<Value> = slots.into_iter().filter_map(|slot| slot.item).collect();
    prefer::<L>(&mut items, &from, &to);
    items
}

/// Whether two items belong together.
type Rule<T> = fn(&T, &T) -> bool;

/// A place on the wire.
struct Slot<T> {
    /// The item; `None` once it is removed.
    item: Option<Value>,
    /// What it says; `None` when cards cannot express it.
    read: Option<T>,
    /// Whether an item of the card was found here.
    taken: bool,
}

/// The places of items on the wire: by value and label, else by value, else by what Google may have made of it.
fn find<L: List>(slots: &mut [Slot<L::Item>], items: &[&L::Item]) -> Vec<Option<usize>> {
    let mut places = vec![None; items.len()];
    let rules: [Rule<L::Item>; 3] = [L::same, |item, found| L::key(item) == L::key(found), L::resembles];
    for rule in rules {
        for (place, item) in places.iter_mut().zip(items).filter(|(place, _)| place.is_none()) {
            *place =
                slots.iter().position(|slot| !slot.taken && slot.read.as_ref().is_some_and(|found| rule(item, found)));
            if let Some(place) = *place {
                slots[place].taken = true;
            }
        }
    }
    places
}

/// Pairs of places in `from` and `to`, removals first, additions last and in order.
fn pair<L: List>(from: &[&L::Item], to: &[&L::Item]) -> Vec<(Option<usize>, Option<usize>)> {
    let mut partner: Vec<Option<usize>> = vec![None; from.len()];
    let mut free: Vec<bool> = vec![true; to.len()];
    let rules: [Rule<L::Item>; 3] =
        [L::same, |before, after| L::key(before) == L::key(after), |before, after| L::label(before) == L::label(after)];
    for rule in rules {
        for (before, partner) in partner.iter_mut().enumerate().filter(|(_, partner)| partner.is_none()) {
            *partner = (0..to.len()).find(|&after| free[after] && rule(from[before], to[after]));
            if let Some(after) = *partner {
                free[after] = false;
            }
        }
    }
    let kept = partner.iter().enumerate().map(|(before, after)| (Some(before), *after));
    let added = (0..to.len()).filter(|&after| free[after]).map(|after| (None, Some(after)));
    kept.chain(added).collect()
}

fn change<L: List>(slot: &mut Slot<L::Item>, before: &L::Item, after: &L::Item) {
    if L::same(before, after) || !L::fits(after) {
        return;
    }
    if let Some(object) = slot.item.as_mut().and_then(Value::as_object_mut) {
        L::write(object, Some(before), after);
        slot.read = Some(after.clone());
    }
}

/// Whether a new value stands already on an item that is nobody's yet.
fn has_free<L: List>(slots: &[Slot<L::Item>], before: &L::Item, after: &L::Item) -> bool {
    L::key(before) != L::key(after) && slots.iter().any(|slot| is_free::<L>(slot, after))
}

fn is_free<L: List>(slot: &Slot<L::Item>, item: &L::Item) -> bool {
    !slot.taken && slot.read.as_ref().is_some_and(|found| L::key(found) == L::key(item))
}

fn add<L: List>(slots: &mut Vec<Slot<L::Item>>, after: &L::Item) {
    if let Some(slot) = slots.iter_mut().find(|slot| is_free::<L>(slot, after)) {
        slot.taken = true;
        if let Some(found) = slot.read.clone() {
            change::<L>(slot, &found, after);
        }
        return;
    }
    // The same thing twice says nothing; Google may merge doubled items or refuse them.
    let doubled =
        slots.iter().any(|slot| slot.item.is_some() && slot.read.as_ref().is_some_and(|found| L::same(found, after)));
    if doubled || !L::fits(after) {
        return;
    }
    let mut object = Object::new();
    L::write(&mut object, None, after);
    slots.push(Slot { item: Some(Value::Object(object)), read: Some(after.clone()), taken: true });
}

/// The place of the item to use first: the marked one, else the first.
pub(super) fn preferred(items: &[Value]) -> Option<usize> {
    items.iter().position(wire::is_preferred).or((!items.is_empty()).then_some(0))
}

/// Makes the item that `to` prefers the one to use first, when `from` preferred another one.
fn prefer<L: List>(items: &mut Vec<Value>, from: &[&L::Item], to: &[&L::Item]) {
    let wanted = |list: &[&L::Item]| list.iter().find(|item| L::is_primary(item)).map(|item| L::key(item));
    let (Some(key), before) = (wanted(to), wanted(from)) else { return };
    if before.as_ref() == Some(&key) {
        return;
    }
    let Some(place) = items.iter().position(|item| L::read(item).is_some_and(|item| L::key(&item) == key)) else {
        return;
    };
    if preferred(items) == Some(place) {
        return;
    }
    for item in items.iter_mut().filter(|item| wire::is_preferred(item)).filter_map(Value::as_object_mut) {
        wire::unprefer(item);
    }
    let mut item = items.remove(place);
    if let Some(object) = item.as_object_mut() {
        wire::prefer(object);
    }
    items.insert(0, item);
}
