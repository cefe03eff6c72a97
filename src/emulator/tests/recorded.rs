//! The emulator against recorded traffic of the real service: the same members, and where nothing is random, the same
//! values. Skipped, loudly, where the recordings are not there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;

use super::*;

const ALL_FIELDS: &str = "addresses,ageRanges,biographies,birthdays,calendarUrls,clientData,coverPhotos,emailAddresses,\
                          events,externalIds,genders,imClients,interests,locales,locations,memberships,metadata,\
                          miscKeywords,names,nicknames,occupations,organizations,phoneNumbers,photos,relations,\
                          sipAddresses,skills,urls,userDefined";

fn recording(name: &str) -> Option<Value> {
    let folder = std::env::var_os("CONTACTSYNC_FIXTURES").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures"));
    let path = folder.join("google/libkgapi").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no recording at {}", path.display());
        return None;
    };
    let (_, body) =
        text.replace("\r\n", "\n").split_once("\n\n").map(|(head, body)| (head.to_owned(), body.to_owned()))?;
    Some(serde_json::from_str(&body).expect("a JSON body"))
}

fn kit_in_spain() -> Kit {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().region = "ES".to_owned();
    kit
}

/// The paths of all members, items of a list counted as one.
fn members(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let path = format!("{path}.{name}");
                into.insert(path.clone());
                members(value, &path, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, path, into)),
        _ => {}
    }
}

fn paths(value: &Value) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    members(value, "", &mut set);
    set
}

/// Replaces what differs from run to run.
fn scrub(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                let is_random = matches!(name.as_str(), "resourceName" | "etag" | "id" | "updateTime" | "url");
                if is_random && value.is_string() {
                    *value = json!("*");
                } else {
                    scrub(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(scrub),
        _ => {}
    }
}

#[test]
fn a_recorded_create_gives_the_recorded_answer() {
    let (Some(sent), Some(mut expected)) =
        (recording("person1_create_request.txt"), recording("person1_create_response.txt"))
    else {
        return;
    };
    let mut kit = kit_in_spain();
    let mut actual = kit.ok("POST", "/v1/people:createContact?prettyPrint=false", Some(sent));
    scrub(&mut actual);
    scrub(&mut expected);
    assert_eq!(actual, expected);
}

#[test]
fn a_recorded_update_and_photo_give_the_recorded_members() {
    let (Some(created), Some(mut update), Some(expected), Some(photo), Some(with_photo)) = (
        recording("person1_create_request.txt"),
        recording("person1_modify_request.txt"),
        recording("person1_modify_response.txt"),
        recording("person1_photo_update_request.txt"),
        recording("person1_photo_update_response.txt"),
    ) else {
        return;
    };
    let mut kit = kit_in_spain();
    let person = kit.ok("POST", "/v1/people:createContact", Some(created));
    let mask =
        ALL_FIELDS.split(',').filter(|f| !["ageRanges", "coverPhotos", "metadata", "photos", "skills"].contains(f));
    let mask: Vec<&str> = mask.collect();
    for member in ["resourceName", "etag", "metadata"] {
        update[member] = person[member].clone();
    }
    let label = kit.user().create_group("test1").expect("created");
    for membership in update["memberships"].as_array_mut().into_iter().flatten() {
        let group = &mut membership["contactGroupMembership"]["contactGroupResourceName"];
        if text(group) != "contactGroups/myContacts" {
            *group = label["resourceName"].clone();
        }
    }
    let path = format!("/v1/{}:updateContact?updatePersonFields={}", name_of(&person), mask.join(","));
    let updated = kit.ok("PATCH", &path, Some(update));
    assert_eq!(paths(&updated), paths(&expected));
    let answer = kit.ok("PATCH", &format!("/v1/{}:updateContactPhoto", name_of(&person)), Some(photo));
    let missing: Vec<String> = paths(&with_photo).difference(&paths(&answer)).cloned().collect();
    assert_eq!(missing, [""; 0]);
    assert!(answer["person"]["photos"][0].get("default").is_none());
}

#[test]
fn a_listing_has_the_recorded_members() {
    let (Some(sent), Some(expected)) =
        (recording("person1_create_request.txt"), recording("connections_full_fetch_response.txt"))
    else {
        return;
    };
    let mut kit = kit_in_spain();
    kit.ok("POST", "/v1/people:createContact", Some(sent));
    kit.add("Ada");
    let path = format!("/v1/people/me/connections?personFields={ALL_FIELDS}&requestSyncToken=true&prettyPrint=false");
    let actual = kit.ok("GET", &path, None);
    assert_eq!(paths(&actual), paths(&expected));
    assert_eq!((&actual["totalPeople"], &actual["totalItems"]), (&json!(2), &json!(2)));
}

#[test]
fn groups_have_the_recorded_members() {
    let (Some(list), Some(created), Some(updated)) = (
        recording("contactgroup_list_fetch_full_response.txt"),
        recording("contactgroup2_create_response.txt"),
        recording("contactgroup2_modify_response.txt"),
    ) else {
        return;
    };
    let mut kit = Kit::new();
    kit.add("Ada");
    let body = json!({ "contactGroup": { "name": "test1" }, "readGroupFields": "clientData,groupType,metadata,name" });
    let group = kit.ok("POST", "/v1/contactGroups", Some(body));
    // The recording carries a member count that its mask did not ask for.
    let mut expected = paths(&created);
    expected.remove(".memberCount");
    assert_eq!(paths(&group), expected);
    let path = "/v1/contactGroups?groupFields=clientData,groupType,memberCount,metadata,name&prettyPrint=false";
    assert_eq!(paths(&kit.ok("GET", path, None)), paths(&list));
    let body = json!({ "contactGroup": { "resourceName": group["resourceName"], "etag": group["etag"], "name": "test1 modified" } });
    let renamed = kit.ok("PUT", &format!("/v1/{}?prettyPrint=false", name_of(&group)), Some(body));
    assert_eq!(paths(&renamed), paths(&updated));
}

#[test]
fn recorded_etags_are_read_as_what_they_are() {
    let Some(person) = recording("person1_create_response.txt") else { return };
    let version = super::super::etag::version_of(text(&person["etag"])).expect("a version");
    assert_eq!(format!("#{version}"), text(&person["metadata"]["sources"][0]["etag"]));
}
