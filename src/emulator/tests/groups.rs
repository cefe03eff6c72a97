//! Groups and who is in them.

use serde_json::json;

use super::sync::{delta, full};
use super::*;
use crate::emulator::account::MemberFate;
use crate::emulator::settings::Feed;

const GROUPS: &str = "/v1/contactGroups?pageSize=1000&groupFields=name,groupType,memberCount,metadata,clientData";

fn label(kit: &mut Kit, name: &str) -> Value {
    kit.ok("POST", "/v1/contactGroups", Some(json!({ "contactGroup": { "name": name } })))
}

fn modify(kit: &mut Kit, group: &str, add: &[&str], remove: &[&str]) -> Value {
    let body = json!({ "resourceNamesToAdd": add, "resourceNamesToRemove": remove });
    kit.ok("POST", &format!("/v1/{group}/members:modify"), Some(body))
}

fn groups_of(kit: &mut Kit, name: &str) -> Vec<String> {
    let person = kit.user().person(name).expect("there");
    let memberships = person["memberships"].as_array().cloned().unwrap_or_default();
    memberships.iter().map(|item| text(&item["contactGroupMembership"]["contactGroupId"]).to_owned()).collect()
}

#[test]
fn the_list_shows_system_groups_and_labels_with_a_token_unasked() {
    let mut kit = Kit::new();
    kit.add("Ada");
    let created = label(&mut kit, "Customers");
    let body = kit.ok("GET", GROUPS, None);
    assert!(body["nextSyncToken"].is_string());
    let groups = body["contactGroups"].as_array().expect("groups");
    assert_eq!(body["totalItems"], json!(groups.len()));
    let mine = &groups[0];
    assert_eq!((&mine["resourceName"], &mine["memberCount"]), (&json!("contactGroups/myContacts"), &json!(1)));
    assert_eq!((&mine["groupType"], &mine["formattedName"]), (&json!("SYSTEM_CONTACT_GROUP"), &json!("My Contacts")));
    assert!(mine.get("etag").is_none() && mine.get("metadata").is_none());
    let own = groups.last().expect("the label");
    assert_eq!(own["resourceName"], created["resourceName"]);
    assert_eq!((&own["groupType"], &own["name"]), (&json!("USER_CONTACT_GROUP"), &json!("Customers")));
    assert!(own["etag"].is_string() && own["metadata"]["updateTime"].is_string());
    assert!(own.get("memberCount").is_none(), "zero is left out");
}

#[test]
fn groups_come_thirty_to_a_page_by_default() {
    let mut kit = Kit::new();
    for number in 0..30 {
        label(&mut kit, &format!("L{number}"));
    }
    let first = kit.ok("GET", "/v1/contactGroups", None);
    assert_eq!(first["contactGroups"].as_array().map(Vec::len), Some(30));
    assert!(first.get("nextSyncToken").is_none());
    let token = text(&first["nextPageToken"]).to_owned();
    let second = kit.ok("GET", &format!("/v1/contactGroups?pageToken={token}"), None);
    assert_eq!(second["contactGroups"].as_array().map(Vec::len), Some(8));
    assert!(second["nextSyncToken"].is_string());
}

#[test]
fn the_group_delta_brings_new_renamed_and_deleted_labels() {
    let mut kit = Kit::new();
    let (renamed, deleted) = (label(&mut kit, "Old"), label(&mut kit, "Gone"));
    let token = text(&kit.ok("GET", GROUPS, None)["nextSyncToken"]).to_owned();
    let path = format!("{GROUPS}&syncToken={token}");
    let empty = kit.ok("GET", &path, None);
    assert_eq!(empty.as_object().expect("a body").keys().collect::<Vec<_>>(), ["nextSyncToken"]);
    kit.user().rename_group(&name_of(&renamed), "New").expect("renamed");
    kit.user().delete_group(&name_of(&deleted), MemberFate::Keep).expect("deleted");
    let added = label(&mut kit, "Added");
    let body = kit.ok("GET", &path, None);
    let groups = body["contactGroups"].as_array().expect("groups");
    assert_eq!(names(&body["contactGroups"]), [name_of(&renamed), name_of(&deleted), name_of(&added)]);
    assert_eq!(groups[0]["name"], "New");
    assert_eq!(groups[1]["metadata"]["deleted"], true);
    kit.user().expire_sync_tokens();
    let error = kit.refused(400, "GET", &path, None);
    assert_eq!(error["details"][0]["reason"], "EXPIRED_SYNC_TOKEN");
}

#[test]
fn names_are_unique_whatever_their_case() {
    let mut kit = Kit::new();
    label(&mut kit, "Café");
    for name in ["Café", "  CAFÉ ", "Cafe\u{301}"] {
        let error = kit.refused(409, "POST", "/v1/contactGroups", Some(json!({ "contactGroup": { "name": name } })));
        assert_eq!(
            (&error["status"], &error["message"]),
            (&json!("ALREADY_EXISTS"), &json!("Contact group name already exists"))
        );
    }
    let other = label(&mut kit, "Other");
    let body = json!({ "contactGroup": { "etag": other["etag"], "name": "café" } });
    kit.refused(409, "PUT", &format!("/v1/{}", name_of(&other)), Some(body));
    let own = json!({ "contactGroup": { "etag": other["etag"], "name": "OTHER" } });
    kit.ok("PUT", &format!("/v1/{}", name_of(&other)), Some(own));
    for name in ["myContacts", "My Contacts", "", " "] {
        kit.refused(400, "POST", "/v1/contactGroups", Some(json!({ "contactGroup": { "name": name } })));
    }
    kit.user().delete_group(&name_of(&other), MemberFate::Keep).expect("deleted");
    label(&mut kit, "Other");
}

#[test]
fn a_stale_group_etag_is_a_conflict_and_none_is_refused() {
    let mut kit = Kit::new();
    let group = label(&mut kit, "Customers");
    let path = format!("/v1/{}", name_of(&group));
    let rename = |etag: &Value, name: &str| json!({ "contactGroup": { "etag": etag, "name": name } });
    let updated = kit.ok("PUT", &path, Some(rename(&group["etag"], "Clients")));
    assert_ne!(updated["etag"], group["etag"]);
    let error = kit.refused(409, "PUT", &path, Some(rename(&group["etag"], "Again")));
    assert_eq!(error["status"], "ABORTED");
    assert!(text(&error["message"]).starts_with("Contact group etag is outdated"));
    kit.refused(400, "PUT", &path, Some(json!({ "contactGroup": { "name": "Bare" } })));
}

#[test]
fn group_client_data_is_written_and_read_only_when_masked() {
    let mut kit = Kit::new();
    let data = json!([{ "key": "id", "value": "3" }]);
    let body = json!({ "contactGroup": { "name": "L", "clientData": data }, "readGroupFields": "name,clientData" });
    let group = kit.ok("POST", "/v1/contactGroups", Some(body));
    assert_eq!(group["clientData"], data);
    let path = format!("/v1/{}", name_of(&group));
    assert!(kit.ok("GET", &path, None).get("clientData").is_none());
    let update = json!({
        "contactGroup": { "etag": group["etag"], "clientData": [] },
        "updateGroupFields": "clientData", "readGroupFields": "name,clientData",
    });
    let updated = kit.ok("PUT", &path, Some(update));
    assert_eq!((&updated["name"], updated.get("clientData")), (&json!("L"), None));
}

#[test]
fn system_groups_cannot_be_changed() {
    let mut kit = Kit::new();
    let body = json!({ "contactGroup": { "etag": "x", "name": "Mine" } });
    kit.refused(400, "PUT", "/v1/contactGroups/myContacts", Some(body));
    kit.refused(400, "DELETE", "/v1/contactGroups/starred", None);
    kit.refused(404, "DELETE", "/v1/contactGroups/1234", None);
    kit.refused(404, "GET", "/v1/contactGroups/1234", None);
}

#[test]
fn members_come_and_go_as_a_set() {
    let mut kit = Kit::new();
    let (ada, bo) = (kit.add("Ada"), kit.add("Bo"));
    let group = name_of(&label(&mut kit, "Customers"));
    let token = full(&mut kit);
    assert_eq!(modify(&mut kit, &group, &[&ada, &bo], &[]), json!({}));
    assert_eq!(modify(&mut kit, &group, &[&ada], &[]), json!({}), "adding twice is fine");
    let read = kit.ok("GET", &format!("/v1/{group}?maxMembers=10&groupFields=memberCount"), None);
    assert_eq!(read["memberCount"], 2);
    assert_eq!(read["memberResourceNames"].as_array().map(Vec::len), Some(2));
    let (people, next) = delta(&mut kit, &token);
    assert_eq!(people.len(), 2);
    assert_eq!(modify(&mut kit, &group, &[], &[&ada, &ada]), json!({}));
    assert_eq!(groups_of(&mut kit, &ada), ["myContacts"]);
    assert_eq!(delta(&mut kit, &next).0.len(), 1);
}

#[test]
fn membership_changes_may_stay_out_of_the_delta() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    let group = name_of(&label(&mut kit, "Customers"));
    let token = full(&mut kit);
    kit.emulator.settings_mut().membership_changes = Feed::Hidden;
    modify(&mut kit, &group, &[&name_of(&person)], &[]);
    assert_eq!(delta(&mut kit, &token).0, Vec::<Value>::new());
    let read = kit.ok("GET", &format!("/v1/{}?personFields=memberships,metadata", name_of(&person)), None);
    assert_eq!(read["memberships"].as_array().map(Vec::len), Some(2));
    assert_ne!(read["metadata"]["sources"][0]["etag"], person["metadata"]["sources"][0]["etag"]);
}

#[test]
fn nobody_loses_the_last_group_and_strangers_are_named() {
    let mut kit = Kit::new();
    let ada = kit.add("Ada");
    let answer = modify(&mut kit, "contactGroups/myContacts", &[], &[&ada]);
    assert_eq!(answer, json!({ "canNotRemoveLastContactGroupResourceNames": [ada] }));
    assert_eq!(groups_of(&mut kit, &ada), ["myContacts"]);
    let group = name_of(&label(&mut kit, "Customers"));
    let answer = modify(&mut kit, &group, &[&ada, "people/c9"], &["people/c8"]);
    assert_eq!(answer, json!({ "notFoundResourceNames": ["people/c9", "people/c8"] }));
    assert_eq!(modify(&mut kit, "contactGroups/myContacts", &[], &[&ada]), json!({}));
}

#[test]
fn old_system_groups_only_let_people_go_and_a_thousand_names_are_the_limit() {
    let mut kit = Kit::new();
    let ada = kit.add("Ada");
    let path = "/v1/contactGroups/friends/members:modify";
    kit.refused(400, "POST", path, Some(json!({ "resourceNamesToAdd": [ada] })));
    kit.ok("POST", path, Some(json!({ "resourceNamesToRemove": [ada] })));
    kit.ok("POST", "/v1/contactGroups/starred/members:modify", Some(json!({ "resourceNamesToAdd": [ada] })));
    let many: Vec<String> = (0..1001).map(|n| format!("people/c{}", n + 1)).collect();
    let body = json!({ "resourceNamesToAdd": many });
    kit.refused(400, "POST", "/v1/contactGroups/starred/members:modify", Some(body));
    kit.refused(404, "POST", "/v1/contactGroups/1234/members:modify", Some(json!({ "resourceNamesToAdd": [ada] })));
}

#[test]
fn members_of_a_deleted_group_stay_with_a_new_etag_and_a_silent_delta() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    let name = name_of(&person);
    let group = name_of(&label(&mut kit, "Customers"));
    modify(&mut kit, &group, &[&name], &[]);
    let token = full(&mut kit);
    kit.ok("DELETE", &format!("/v1/{group}?deleteContacts=false"), None);
    assert_eq!(groups_of(&mut kit, &name), ["myContacts"]);
    assert_eq!(delta(&mut kit, &token).0, Vec::<Value>::new());
    assert_eq!(kit.update(&person, "names", json!({ "names": [{ "givenName": "B" }] })).0, 400);

    kit.emulator.settings_mut().group_deletions = Feed::Shown;
    let group = name_of(&label(&mut kit, "Partners"));
    modify(&mut kit, &group, &[&name], &[]);
    let token = full(&mut kit);
    kit.ok("DELETE", &format!("/v1/{group}"), None);
    assert_eq!(delta(&mut kit, &token).0.len(), 1);
}

#[test]
fn a_group_may_take_its_members_to_the_trash() {
    let mut kit = Kit::new();
    let (ada, bo) = (kit.add("Ada"), kit.add("Bo"));
    let group = name_of(&label(&mut kit, "Customers"));
    modify(&mut kit, &group, &[&ada], &[]);
    kit.ok("DELETE", &format!("/v1/{group}?deleteContacts=true"), None);
    assert_eq!(kit.user().people().iter().map(name_of).collect::<Vec<_>>(), [bo]);
    assert_eq!(kit.user().trash().iter().map(name_of).collect::<Vec<_>>(), [ada]);
}

#[test]
fn several_groups_are_read_at_once() {
    let mut kit = Kit::new();
    let path = "/v1/contactGroups:batchGet?resourceNames=contactGroups/starred&resourceNames=contactGroups/x";
    let answer = kit.ok("GET", path, None);
    assert_eq!(answer["responses"][0]["contactGroup"]["name"], "starred");
    assert_eq!(answer["responses"][1]["status"]["code"], 5);
}
