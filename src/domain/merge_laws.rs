//! What holds for every merge, tried on cards that were edited apart.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;

use super::contact::{Card, Phone};
use super::diff::{changed_fields, copy_field, field_value, fields_of};
use super::field::Field;
use super::generate::{Scene, card, config, edited, respelled, scene, some_fields};
use super::item::{Flag, Item};
use super::merge::{Merged, Rules, three_way};
use super::merge_set::one_primary;
use super::normal;
use super::policy::Winner;

fn winner() -> impl Strategy<Value = Winner> {
    select(&[Winner::Store, Winner::Remote, Winner::Hold][..])
}

fn merge(scene: &Scene, winner: Winner) -> Merged {
    merge_holding(scene, winner, &BTreeSet::new())
}

fn merge_holding(scene: &Scene, winner: Winner, held: &BTreeSet<Field>) -> Merged {
    // The base of the remote is spelled as a remote would, so that no law leans on equal spelling.
    let base_remote = respelled(&scene.base);
    three_way(&scene.base, &base_remote, &scene.store, &scene.remote, &Rules { winner: &|_| winner, held })
}

fn decided(merged: &Merged, field: &Field) -> Option<Winner> {
    merged.conflicts.iter().find(|conflict| conflict.field == *field).map(|conflict| conflict.winner)
}

/// Value and label of every item, by family.
fn items(card: &Card) -> BTreeMap<Field, BTreeSet<(String, Option<String>)>> {
    fn of<T: Item>(items: &[T]) -> BTreeSet<(String, Option<String>)> {
        normal::set(items).iter().map(|item| (item.key(), item.label().map(str::to_owned))).collect()
    }
    let mut families = BTreeMap::from([
        (Field::Emails, of(&card.emails)),
        (Field::Phones, of(&card.phones)),
        (Field::Addresses, of(&card.addresses)),
        (Field::Websites, of(&card.websites)),
    ]);
    if let Some(person) = card.as_person() {
        families.insert(Field::Events, of(&person.events));
        families.insert(Field::Ims, of(&person.ims));
        families.insert(Field::Relations, of(&person.relations));
        families.insert(Field::Nicknames, of(&person.nicknames));
    }
    families
}

/// Every single value, by field and part, and each label as a value of its own.
fn values(card: &Card) -> BTreeMap<(Field, String), String> {
    let card = normal::card(card);
    let mut values = BTreeMap::new();
    let families = items(&card);
    for field in fields_of(card.kind()).iter().filter(|field| !families.contains_key(field)) {
        match field_value(&card, field) {
            serde_json::Value::Object(parts) => values.extend(
                parts
                    .into_iter()
                    .filter(|(part, value)| part != "full" && !value.is_null())
                    .map(|(part, value)| ((field.clone(), part), value.to_string())),
            ),
            serde_json::Value::Array(labels) => {
                values.extend(labels.into_iter().map(|label| ((field.clone(), label.to_string()), label.to_string())));
            }
            value if value.is_null() || value == "" => {}
            value => {
                values.insert((field.clone(), String::new()), value.to_string());
            }
        }
    }
    values.extend(card.custom.iter().map(|(key, value)| ((Field::Custom(key.clone()), String::new()), value.clone())));
    values
}

/// Fails when a value of `ours` is gone although `theirs` had not seen it, or saw it and left it alone.
fn nothing_disappears(
    ours: &Card,
    scene: &Scene,
    theirs: &Card,
    merged: &Merged,
    loses: &[Winner],
) -> Result<(), String> {
    let (base, theirs, result) = (&scene.base, theirs, &merged.card);
    let lost = |field: &Field| decided(merged, field).is_some_and(|winner| loses.contains(&winner));
    let (was, is, now) = (items(base), items(theirs), items(result));
    for (family, own) in items(ours) {
        let has_key =
            |items: &BTreeSet<(String, Option<String>)>, wanted: &str| items.iter().any(|(key, _)| key == wanted);
        for (key, label) in own.iter().filter(|_| !lost(&family)) {
            let removed_by_theirs = has_key(&was[&family], key) && !has_key(&is[&family], key);
            if !has_key(&now[&family], key) && !removed_by_theirs {
                return Err(format!("{family}: {key} disappeared"));
            }
            // A label that the base had may have gone with another item; a new one is an edit of its own.
            let edited = !was[&family].iter().any(|(_, was)| was == label);
            let survives = now[&family].iter().any(|(_, now)| now == label);
            if edited && label.is_some() && !survives {
                return Err(format!("{family}: the label {label:?} of {key} disappeared"));
            }
        }
    }
    let (was, is, now) = (values(base), values(theirs), values(result));
    for (place, value) in values(ours).into_iter().filter(|((field, _), _)| !lost(field)) {
        let changed_by_theirs = was.get(&place) == Some(&value) && is.get(&place) != Some(&value);
        if now.get(&place) != Some(&value) && !changed_by_theirs {
            return Err(format!("{place:?}: {value} disappeared"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_remote_that_changed_nothing_changes_nothing(scene in scene(), winner in winner()) {
        let scene = Scene { remote: respelled(&respelled(&scene.base)), ..scene };
        let merged = merge(&scene, winner);
        prop_assert_eq!(&merged.card, &with_one_primary(&scene.store));
        prop_assert_eq!(&merged.base_store, &with_one_primary(&scene.base));
        prop_assert!(merged.conflicts.is_empty());
    }

    #[test]
    fn a_remote_that_alone_changed_something_is_followed(scene in scene(), winner in winner()) {
        let scene = Scene { store: respelled(&scene.base), ..scene };
        let merged = merge(&scene, winner);
        prop_assert_eq!(normal::card(&merged.card), normal::card(&scene.remote));
        prop_assert_eq!(normal::card(&merged.base_store), normal::card(&scene.remote));
        prop_assert!(merged.conflicts.is_empty());
    }

    #[test]
    fn equal_edits_on_both_sides_are_no_conflict(scene in scene(), winner in winner()) {
        let scene = Scene { remote: respelled(&scene.store), ..scene };
        let merged = merge(&scene, winner);
        prop_assert_eq!(&merged.card, &with_one_primary(&scene.store));
        prop_assert!(merged.conflicts.is_empty());
        prop_assert_eq!(normal::card(&merged.base_store), normal::card(&scene.store));
    }

    #[test]
    fn merging_again_against_the_new_bases_changes_nothing(scene in scene(), winner in winner()) {
        let merged = merge(&scene, winner);
        let rules = Rules { winner: &|_| winner, held: &BTreeSet::new() };
        let again = three_way(&merged.base_store, &scene.remote, &merged.card, &scene.remote, &rules);
        prop_assert_eq!(again, Merged { conflicts: Vec::new(), ..merged });
    }

    #[test]
    fn the_new_base_means_what_the_remote_holds(scene in scene(), winner in winner()) {
        let merged = merge(&scene, winner);
        let differing = changed_fields(&merged.base_store, &scene.remote);
        for field in differing {
            prop_assert_eq!(decided(&merged, &field), Some(Winner::Hold), "{}", field);
        }
    }

    #[test]
    fn merging_is_symmetric_but_for_names(scene in scene(), winner in winner()) {
        let swapped = match winner {
            Winner::Store => Winner::Remote,
            Winner::Remote => Winner::Store,
            Winner::Hold => Winner::Hold,
        };
        // One base for both sides, to the letter: which of several edits under one label belong together may hang on
        // their order.
        let Scene { base, store, remote } = &scene;
        let held = BTreeSet::new();
        let merged = three_way(base, base, store, remote, &Rules { winner: &|_| winner, held: &held });
        let other = three_way(base, base, remote, store, &Rules { winner: &|_| swapped, held: &held });
        let fields = |merged: &Merged| merged.conflicts.iter().map(|conflict| conflict.field.clone()).collect::<Vec<_>>();
        prop_assert_eq!(fields(&merged), fields(&other));
        let frozen = |field: &Field| decided(&merged, field) == Some(Winner::Hold);
        let differing = changed_fields(&without_stand_in(&merged.card, &scene), &without_stand_in(&other.card, &scene));
        prop_assert!(differing.iter().all(frozen), "{:?}\n{:?}\n{:?}", differing, merged.card, other.card);
    }

    #[test]
    fn no_value_of_either_side_disappears_unseen(scene in scene(), winner in winner()) {
        let merged = merge(&scene, winner);
        let ours = nothing_disappears(&scene.store, &scene, &scene.remote, &merged, &[Winner::Remote]);
        let theirs = nothing_disappears(&scene.remote, &scene, &scene.store, &merged, &[Winner::Store, Winner::Hold]);
        prop_assert_eq!((ours, theirs), (Ok(()), Ok(())), "{:#?}", merged);
    }

    #[test]
    fn every_value_of_the_result_comes_from_one_of_the_sides(scene in scene(), winner in winner()) {
        let merged = merge(&scene, winner);
        let (ours, theirs) = (items(&scene.store), items(&scene.remote));
        for (family, result) in items(&merged.card) {
            for (key, label) in result {
                let known = |known: &(String, Option<String>)| known.0 == key;
                let labelled = |known: &(String, Option<String>)| known.1 == label;
                prop_assert!(ours[&family].iter().chain(&theirs[&family]).any(known), "{}: {}", family, key);
                prop_assert!(ours[&family].iter().chain(&theirs[&family]).any(labelled), "{}: {:?}", family, label);
            }
        }
    }

    #[test]
    fn held_fields_are_frozen_and_not_reported_again(scene in scene(), winner in winner(), held in some_fields()) {
        let merged = merge_holding(&scene, winner, &held);
        let store = with_one_primary(&scene.store);
        for field in &held {
            prop_assert_eq!(field_value(&merged.card, field), field_value(&store, field));
            prop_assert_eq!(field_value(&merged.base_store, field), field_value(&store, field));
            prop_assert_eq!(decided(&merged, field), None);
        }
        let free = merge(&scene, winner);
        let others = free.conflicts.iter().filter(|conflict| !held.contains(&conflict.field));
        prop_assert!(others.eq(&merged.conflicts));
    }

    #[test]
    fn conflicts_on_hold_freeze_their_field(scene in scene()) {
        let merged = merge(&scene, Winner::Hold);
        let store = with_one_primary(&scene.store);
        for conflict in &merged.conflicts {
            prop_assert_eq!(field_value(&merged.card, &conflict.field), field_value(&store, &conflict.field));
            prop_assert_eq!(field_value(&merged.base_store, &conflict.field), field_value(&store, &conflict.field));
        }
    }

    #[test]
    fn conflicts_name_only_fields_that_both_sides_changed(scene in scene(), winner in winner()) {
        let merged = merge(&scene, winner);
        let (ours, theirs) = (changed_fields(&scene.base, &scene.store), changed_fields(&scene.base, &scene.remote));
        for conflict in &merged.conflicts {
            prop_assert!(ours.contains(&conflict.field) && theirs.contains(&conflict.field), "{}", conflict.field);
            prop_assert_eq!(&conflict.store, &field_value(&scene.store, &conflict.field));
            prop_assert_eq!(&conflict.remote, &field_value(&scene.remote, &conflict.field));
        }
    }

    #[test]
    fn only_what_the_store_changed_is_left_to_push(scene in scene(), winner in winner()) {
        let merged = merge(&scene, winner);
        let ours = changed_fields(&scene.base, &scene.store);
        prop_assert!(changed_fields(&merged.base_store, &merged.card).is_subset(&ours));
    }

    #[test]
    fn a_set_has_at_most_one_primary_item_and_keeps_one(scene in scene(), winner in winner()) {
        fn check<T: Item>(base: &[T], store: &[T], remote: &[T], result: &[T]) -> Result<(), TestCaseError> {
            let primaries = |items: &[T]| normal::set(items).iter().filter(|item| item.is_primary()).count();
            prop_assert!(result.iter().filter(|item| item.is_primary()).count() <= 1);
            let [base_meaning, ours, theirs] = [base, store, remote].map(normal::set);
            let both_changed = ours != base_meaning && theirs != base_meaning && ours != theirs;
            if both_changed && !normal::set(result).is_empty() && normal::set(result) != ours {
                prop_assert_eq!(primaries(result), usize::from(primaries(store) + primaries(remote) > 0));
            }
            Ok(())
        }
        let merged = merge(&scene, winner).card;
        check(&scene.base.emails, &scene.store.emails, &scene.remote.emails, &merged.emails)?;
        check(&scene.base.phones, &scene.store.phones, &scene.remote.phones, &merged.phones)?;
    }

    #[test]
    fn what_the_remote_cannot_hold_stays_as_it_is(
        scene in scene(),
        lost in some_fields(),
        winner in winner(),
    ) {
        // The remote never knew these fields: they are empty in its base and now.
        let empty = match scene.base.kind() {
            super::contact::Kind::Person => Card::person(),
            super::contact::Kind::Organization => Card::organization(""),
        };
        let (mut base_remote, mut remote) = (scene.base.clone(), scene.remote.clone());
        for field in &lost {
            copy_field(field, &empty, &mut base_remote);
            copy_field(field, &empty, &mut remote);
        }
        let rules = Rules { winner: &|_| winner, held: &BTreeSet::new() };
        let merged = three_way(&scene.base, &base_remote, &scene.store, &remote, &rules);
        let (store, base) = (with_one_primary(&scene.store), with_one_primary(&scene.base));
        for field in &lost {
            prop_assert_eq!(field_value(&merged.card, field), field_value(&store, field), "{}", field);
            prop_assert_eq!(field_value(&merged.base_store, field), field_value(&base, field), "{}", field);
        }
    }

    #[test]
    fn a_rewritten_phone_is_still_the_same_phone(
        (base, edits) in card().prop_flat_map(|base| (Just(base.clone()), edited(with_rewritten_phones(&base)))),
        winner in winner(),
    ) {
        // The remote gave every number another value when it was written; then it was edited there.
        let rules = Rules { winner: &|_| winner, held: &BTreeSet::new() };
        let rewritten = with_rewritten_phones(&base);
        let merged = three_way(&base, &rewritten, &base, &edits, &rules);
        let labels = |card: &Card| {
            let mut labels: Vec<_> = normal::set(&card.phones).into_iter().map(|phone| phone.label).collect();
            labels.sort();
            labels
        };
        prop_assert_eq!(labels(&merged.card), labels(&edits), "{:?}", merged.card.phones);
        prop_assert!(merged.conflicts.is_empty());
    }

    #[test]
    fn any_four_cards_merge(
        (base_store, base_remote, store, remote) in (card(), card(), card(), card()),
        winner in winner(),
        held in some_fields(),
    ) {
        let rules = Rules { winner: &|_| winner, held: &held };
        let merged = three_way(&base_store, &base_remote, &store, &remote, &rules);
        prop_assert_eq!(&merged, &three_way(&base_store, &base_remote, &store, &remote, &rules));
        prop_assert_eq!(merged.card.kind(), store.kind());
    }
}

/// The card as every merge leaves it: of several primary items of a set, one is.
fn with_one_primary(card: &Card) -> Card {
    Card { emails: one_primary(&card.emails), phones: one_primary(&card.phones), ..card.clone() }
}

/// The same card, each phone with another number, as a remote with its own idea of numbers would return it.
fn with_rewritten_phones(card: &Card) -> Card {
    let phones = card.phones.iter().filter(|phone| phone.normal().is_some());
    let rewritten = phones.map(|phone| Phone { value: format!("7{}", phone.value), ..phone.clone() });
    Card { phones: rewritten.collect(), ..card.clone() }
}

/// The card without the primary flags of items that only stand in for a primary item that is gone: which one that is
/// depends on the order of the store. Where a value stands twice in a set, it may be its other item.
fn without_stand_in(card: &Card, scene: &Scene) -> Card {
    fn strip<T: Item>(items: &mut [T], sides: [&[T]; 2]) {
        let sides = sides.map(normal::set);
        let with_key =
            |key: &str, side: &[T]| side.iter().filter(|known| known.key() == key).cloned().collect::<Vec<_>>();
        for item in items.iter_mut() {
            let key = item.normal().map(|item| item.key()).unwrap_or_default();
            let same = sides.each_ref().map(|side| with_key(&key, side));
            let chosen = same.iter().flatten().any(Item::is_primary) && same.iter().all(|same| same.len() < 2);
            if !chosen {
                item.flag(Flag::Plain);
            }
        }
    }
    let mut card = card.clone();
    strip(&mut card.emails, [&scene.store.emails, &scene.remote.emails]);
    strip(&mut card.phones, [&scene.store.phones, &scene.remote.phones]);
    card
}
