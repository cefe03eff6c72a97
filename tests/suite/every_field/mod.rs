//! Whatever a person has in Google, one edit in the store changes its own part there and nothing else: 2,000 drawn people
//! with every field of the API go from Google into a real store, each is edited there once, and what the emulated service
//! holds afterwards is compared with what it held before, byte by byte.

mod edits;
mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contactsync::clock::SeededEntropy;
use contactsync::domain::account::Outcome;
use contactsync::domain::pair::Limit;
use contactsync::engine::Reach;
use contactsync::store::sqlite::SqliteStore;
use serde_json::{Map, Value, json};

use crate::support::world::{EMAIL, World, promise, shown};
use edits::{Change, Part};
use people::Draw;

/// People of one world.
const PEOPLE: usize = 500;

#[tokio::test]
async fn the_first_five_hundred_people_keep_everything_else() {
    check(1).await;
}

#[tokio::test]
async fn the_second_five_hundred_people_keep_everything_else() {
    check(2).await;
}

#[tokio::test]
async fn the_third_five_hundred_people_keep_everything_else() {
    check(3).await;
}

#[tokio::test]
async fn the_fourth_five_hundred_people_keep_everything_else() {
    check(4).await;
}

async fn check(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("contacts.db"), &SeededEntropy::new(seed)).await.unwrap();
    let mut promise = promise();
    promise.guard.max_blanked_fields = Limit::Absolute(PEOPLE as u64);
    let world = World::on(Arc::new(store), promise);
    world.sync().await;
    let draw = Draw::new(seed);
    populate(&world, &draw);
    let untouched = world.people();
    for list in LISTS {
        let having = untouched.iter().filter(|person| person.get(list).is_some()).count();
        assert!(having > PEOPLE / 5, "{having} people have {list}");
    }
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.created as usize), (Outcome::Done, PEOPLE), "{summary:?}");
    assert_eq!(world.people(), untouched, "taking people in writes nothing to them");
    world.advance(Duration::from_secs(3600));

    let parts = edit_everybody(&world, &draw).await;
    let before = by_name(untouched);
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated as usize), (Outcome::Done, PEOPLE), "{summary:?}");
    assert_eq!((summary.pulled.total(), summary.failed.len(), summary.conflicts), (0, 0, 0), "{summary:?}");
    let after = by_name(world.people());
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, (what, part)) in &parts {
        if let Err(difference) = compare(&before[name], &after[name], part) {
            panic!("seed {seed}, {what}: {difference}\nbefore: {}\nafter:  {}", before[name], after[name]);
        }
    }
    world.assert_quiet(Reach::Incremental).await;
    let drawn: BTreeSet<&str> = parts.values().map(|(what, _)| *what).collect();
    assert!(drawn.len() >= 30, "too few kinds of edits: {drawn:?}");
}

/// Every list that a person can have of one's own, and who makes it.
const LISTS: [&str; 24] = [
    "names",
    "nicknames",
    "emailAddresses",
    "phoneNumbers",
    "addresses",
    "organizations",
    "birthdays",
    "events",
    "biographies",
    "urls",
    "relations",
    "imClients",
    "userDefined",
    "externalIds",
    "clientData",
    "sipAddresses",
    "calendarUrls",
    "locations",
    "occupations",
    "interests",
    "locales",
    "genders",
    "miscKeywords",
    "memberships",
];

/// Makes the people in the web UI: in the pair's group, some in others too, some with a star, some with a profile.
fn populate(world: &World, draw: &Draw) {
    let other = world.by_hand(|user| user.create_group("Golf").unwrap());
    let team = world.group_resource("Team");
    let now = world.tick();
    let mut emulator = world.emulator();
    let mut user = emulator.user(EMAIL, now).expect("the account");
    for number in 0..PEOPLE {
        let mut person = draw.person(number);
        let mut groups = vec![json!("contactGroups/myContacts"), json!(team)];
        if draw.chance(30) {
            groups.push(other["resourceName"].clone());
        }
        if draw.chance(20) {
            groups.push(json!("contactGroups/starred"));
        }
        let member = |group| json!({"contactGroupMembership": {"contactGroupResourceName": group}});
        person["memberships"] = groups.into_iter().map(member).collect();
        let created = user.create(&person).unwrap_or_else(|error| panic!("{error}: {person}"));
        if draw.chance(10) {
            let name = created["resourceName"].as_str().unwrap();
            user.link_profile(name, &draw.profile(number)).unwrap();
        }
    }
}

/// Edits every person of the store once. Answers, by resource name, what was edited and what it may change.
async fn edit_everybody(world: &World, draw: &Draw) -> BTreeMap<String, (&'static str, Part)> {
    let mut parts = BTreeMap::new();
    let persons = world.contacts().await.into_iter().filter(|contact| contact.card.as_person().is_some());
    for (number, contact) in persons.enumerate() {
        let edit = draw.edit(&contact.card, number);
        world.edit(contact.id, edit.apply).await;
        let remote = world.link(contact.id).await.remote.expect("a record");
        parts.insert(remote.to_string(), (edit.what, edit.part));
    }
    assert_eq!(parts.len(), PEOPLE);
    parts
}

fn by_name(people: Vec<Value>) -> BTreeMap<String, Value> {
    people.into_iter().map(|person| (person["resourceName"].as_str().unwrap().to_owned(), content(person))).collect()
}

/// The person without what every write changes: revisions, times, our own entry among the data of clients, and which item
/// the service shows first.
fn content(mut person: Value) -> Value {
    let object = person.as_object_mut().unwrap();
    object.remove("etag");
    for source in object["metadata"]["sources"].as_array_mut().into_iter().flatten() {
        let source = source.as_object_mut().unwrap();
        source.remove("etag");
        source.remove("updateTime");
    }
    if let Some(entries) = object.get_mut("clientData").and_then(Value::as_array_mut) {
        entries.retain(|entry| entry["key"] != "contactsync");
        if entries.is_empty() {
            object.remove("clientData");
        }
    }
    for item in object.values_mut().filter_map(Value::as_array_mut).flatten() {
        if let Some(metadata) = item.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("primary");
        }
    }
    person
}

/// Whether nothing but the part differs.
fn compare(before: &Value, after: &Value, part: &Part) -> Result<(), String> {
    let rest = |person: &Value| -> Map<String, Value> {
        let members = person.as_object().unwrap().clone();
        members.into_iter().filter(|(name, _)| name != part.list).collect()
    };
    if rest(before) != rest(after) {
        return Err(format!("{} is not all that changed of {}", part.list, shown(before)));
    }
    let list = |person: &Value| person.get(part.list).and_then(Value::as_array).cloned().unwrap_or_default();
    let (before, after) = (list(before), list(after));
    match part.change {
        Change::Added => has_one_more(&before, &after),
        Change::Removed => has_one_more(&after, &before),
        Change::Changed => has_one_changed(&before, &after, part.members),
        Change::ChangedOrAdded => {
            has_one_changed(&before, &after, part.members).or_else(|_| has_one_more(&before, &after))
        }
        Change::Preferred => has_another_first(&before, &after),
    }
}

/// Whether `more` is `fewer` with one more item, in the same order.
fn has_one_more(fewer: &[Value], more: &[Value]) -> Result<(), String> {
    let without =
        |place: usize| more.iter().enumerate().filter(move |(other, _)| *other != place).map(|(_, item)| item);
    let fits = |place: usize| without(place).eq(fewer);
    let is_one = more.len() == fewer.len() + 1 && (0..more.len()).any(fits);
    is_one.then_some(()).ok_or_else(|| "not just one item came or went".to_owned())
}

/// Whether the lists differ in one item, and that in these members.
fn has_one_changed(before: &[Value], after: &[Value], members: &[&str]) -> Result<(), String> {
    if before.len() != after.len() {
        return Err(format!("{} items became {}", before.len(), after.len()));
    }
    let changed: Vec<(&Value, &Value)> = before.iter().zip(after).filter(|(before, after)| before != after).collect();
    let [(before, after)] = changed.as_slice() else { return Err(format!("{} items changed", changed.len())) };
    let rest = |item: &Value| -> Map<String, Value> {
        let all = item.as_object().unwrap().clone();
        all.into_iter().filter(|(name, _)| !members.contains(&name.as_str())).collect()
    };
    (rest(before) == rest(after)).then_some(()).ok_or_else(|| format!("more than {members:?} changed of {before}"))
}

/// Whether the lists hold the same items, in another order and with another mark.
fn has_another_first(before: &[Value], after: &[Value]) -> Result<(), String> {
    let sorted = |items: &[Value]| {
        let mut items: Vec<String> = items
            .iter()
            .cloned()
            .map(|mut item| {
                item["metadata"].as_object_mut().unwrap().remove("sourcePrimary");
                item.to_string()
            })
            .collect();
        items.sort();
        items
    };
    if sorted(before) != sorted(after) {
        return Err("more than the order changed".to_owned());
    }
    (before != after).then_some(()).ok_or_else(|| "nothing changed".to_owned())
}

#[test]
fn what_must_not_differ_is_found() {
    let draw = Draw::new(1);
    let mut before = json!({"resourceName": "people/c1", "metadata": {"sources": []}});
    for (list, items) in draw.person(1).as_object().unwrap() {
        before[list] = items.clone();
    }
    before["phoneNumbers"] = json!([{"value": "1", "type": "work"}, {"value": "2", "type": "Boat"}]);
    let part = Part { list: "phoneNumbers", members: &["value"], change: Change::Changed };
    let altered = |alter: fn(&mut Value)| {
        let mut after = before.clone();
        after["phoneNumbers"][1]["value"] = json!("3");
        alter(&mut after);
        compare(&before, &after, &part)
    };
    assert_eq!(altered(|_| ()), Ok(()));
    let wrong: [fn(&mut Value); 6] = [
        |after| after["phoneNumbers"][1]["type"] = json!("boat"),
        |after| after["phoneNumbers"][0]["value"] = json!("4"),
        |after| after["phoneNumbers"].as_array_mut().unwrap().reverse(),
        |after| _ = after["phoneNumbers"].as_array_mut().unwrap().remove(0),
        |after| after["names"][0]["phoneticGivenName"] = json!("x"),
        |after| after["skills"] = json!([]),
    ];
    for (number, alter) in wrong.into_iter().enumerate() {
        assert!(altered(alter).is_err(), "alteration {number} is not found");
    }
    let one = [json!(1)];
    assert!(has_one_more(&one, &[json!(1), json!(2)]).is_ok() && has_one_more(&one, &[json!(2), json!(3)]).is_err());
    assert!(has_one_more(&one, &one).is_err() && has_one_changed(&one, &one, &[]).is_err());
}
