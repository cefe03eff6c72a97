//! Batches: sizes, all or nothing, per-item answers.

use serde_json::json;

use super::listing::fill;
use super::*;
use crate::emulator::settings::{BadItems, CreatedOrder, UpdateAnswers};

const CREATE: &str = "/v1/people:batchCreateContacts";
const UPDATE: &str = "/v1/people:batchUpdateContacts";
const DELETE: &str = "/v1/people:batchDeleteContacts";

fn person(given_name: &str) -> Value {
    json!({ "contactPerson": { "names": [{ "givenName": given_name }] } })
}

#[test]
fn answers_carry_status_name_and_person() {
    let mut kit = Kit::new();
    let body = json!({ "contacts": [person("A"), person("B")], "readMask": "names,metadata", "sources": ["READ_SOURCE_TYPE_CONTACT"] });
    let answer = kit.ok("POST", CREATE, Some(body));
    let created = answer["createdPeople"].as_array().expect("people");
    assert_eq!(created.len(), 2);
    for (response, given) in created.iter().zip(["A", "B"]) {
        assert_eq!((&response["httpStatusCode"], &response["status"]), (&json!(200), &json!({})));
        assert_eq!(response["requestedResourceName"], response["person"]["resourceName"]);
        assert_eq!(response["person"]["names"][0]["givenName"], given);
    }
}

#[test]
fn without_a_read_mask_nothing_comes_back() {
    let mut kit = Kit::new();
    assert_eq!(kit.ok("POST", CREATE, Some(json!({ "contacts": [person("A")] }))), json!({}));
    let created = kit.user().people()[0].clone();
    let contacts = json!({ name_of(&created): { "etag": created["etag"], "names": [{ "givenName": "B" }] } });
    assert_eq!(kit.ok("POST", UPDATE, Some(json!({ "contacts": contacts, "updateMask": "names" }))), json!({}));
    assert_eq!(kit.user().people()[0]["names"][0]["givenName"], "B");
}

#[test]
fn batches_that_are_too_large_or_empty_are_refused() {
    let mut kit = Kit::new();
    let many = |count: usize| (0..count).map(|n| person(&format!("N{n}"))).collect::<Vec<_>>();
    kit.refused(400, "POST", CREATE, Some(json!({ "contacts": many(201) })));
    kit.refused(400, "POST", CREATE, Some(json!({ "contacts": [] })));
    kit.ok("POST", CREATE, Some(json!({ "contacts": many(200) })));
    let created: Vec<String> = kit.user().people().iter().map(name_of).collect();
    let query: Vec<String> = created.iter().map(|name| format!("resourceNames={name}")).collect();
    kit.ok("GET", &format!("/v1/people:batchGet?personFields=names&{}", query.join("&")), None);
    let too_many = format!("{}&resourceNames={}", query.join("&"), created[0]);
    kit.refused(400, "GET", &format!("/v1/people:batchGet?personFields=names&{too_many}"), None);
    let names: Vec<String> = (0..501).map(|n| format!("people/c{}", n + 1)).collect();
    kit.refused(400, "POST", DELETE, Some(json!({ "resourceNames": names })));
}

#[test]
fn one_bad_item_refuses_a_create_and_is_named_by_its_index() {
    let mut kit = Kit::new();
    let bad = json!({ "contactPerson": { "names": [{ "givenName": "A" }, { "givenName": "B" }] } });
    let body = json!({ "contacts": [person("A"), bad.clone()], "readMask": "names" });
    let error = kit.refused(400, "POST", CREATE, Some(body));
    let details = &error["details"][0];
    assert_eq!(details["@type"], "type.googleapis.com/google.people.v1.BatchCreateContactsErrorDetails");
    let errors = details["contactErrors"].as_object().expect("a map");
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["1"]);
    assert_eq!(errors["1"], json!({ "code": 3, "message": "Cannot have more than one person.names per source." }));
    assert!(kit.user().people().is_empty(), "nothing is written");
}

#[test]
fn one_stale_item_refuses_an_update_and_is_named_by_its_resource_name() {
    let mut kit = Kit::new();
    let (fresh, stale) = (kit.create("A"), kit.create("B"));
    kit.user().bump_etag(&name_of(&stale)).expect("bumped");
    let entry = |person: &Value| json!({ "etag": person["etag"], "names": [{ "givenName": "New" }] });
    let contacts =
        json!({ name_of(&fresh): entry(&fresh), name_of(&stale): entry(&stale), "people/c77": entry(&fresh) });
    let body = json!({ "contacts": contacts, "updateMask": "names", "readMask": "names" });
    let error = kit.refused(400, "POST", UPDATE, Some(body.clone()));
    let details = &error["details"][0];
    assert_eq!(details["@type"], "type.googleapis.com/google.people.v1.BatchUpdateContactsErrorDetails");
    assert_eq!(details["contactErrors"].as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(details["contactErrors"][name_of(&stale)]["code"], 9);
    assert_eq!(details["contactErrors"]["people/c77"]["code"], 5);
    let is_new = |person: &Value| person["names"][0]["givenName"] == "New";
    assert!(!kit.user().people().iter().any(is_new), "nothing is written");

    kit.emulator.settings_mut().bad_items = BadItems::AnswerEach;
    let answer = kit.ok("POST", UPDATE, Some(body));
    assert_eq!(answer["updateResult"][name_of(&fresh)]["person"]["names"][0]["givenName"], "New");
    assert_eq!(answer["updateResult"][name_of(&stale)]["status"]["code"], 9);
    assert_eq!(kit.user().people().iter().filter(|person| is_new(person)).count(), 1);
}

#[test]
fn one_mask_holds_for_every_entry_and_the_map_must_be_a_map() {
    let mut kit = Kit::new();
    let sent = json!({ "names": [{ "givenName": "A" }], "nicknames": [{ "value": "Al" }] });
    let person = kit.ok("POST", "/v1/people:createContact", Some(sent));
    let contacts = json!({ name_of(&person): { "etag": person["etag"], "names": [{ "givenName": "B" }] } });
    let body = json!({ "contacts": contacts, "updateMask": "names,nicknames", "readMask": "names,nicknames,metadata" });
    let answer = kit.ok("POST", UPDATE, Some(body));
    let updated = &answer["updateResult"][name_of(&person)]["person"];
    assert_eq!(updated["names"][0]["givenName"], "B");
    assert!(updated.get("nicknames").is_none(), "masked and absent is cleared");
    kit.refused(400, "POST", UPDATE, Some(json!({ "contacts": [], "updateMask": "names" })));
    let no_mask = kit.refused(400, "POST", UPDATE, Some(json!({ "contacts": {} })));
    assert!(text(&no_mask["message"]).starts_with("updateMask mask is required."));
}

#[test]
fn the_answer_to_an_update_may_be_empty_and_that_of_a_create_shuffled() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().update_answers = UpdateAnswers::Empty;
    kit.emulator.settings_mut().created_order = CreatedOrder::Shuffled;
    let contacts: Vec<Value> = (0..20).map(|n| person(&format!("N{n:02}"))).collect();
    let answer = kit.ok("POST", CREATE, Some(json!({ "contacts": contacts, "readMask": "names" })));
    let given = |response: &Value| text(&response["person"]["names"][0]["givenName"]).to_owned();
    let order: Vec<String> = answer["createdPeople"].as_array().expect("people").iter().map(given).collect();
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(sorted.len(), 20);
    assert_ne!(order, sorted);
    let created = &answer["createdPeople"][0]["person"];
    let contacts = json!({ name_of(created): { "etag": created["etag"], "names": [{ "givenName": "Z" }] } });
    let body = json!({ "contacts": contacts, "updateMask": "names", "readMask": "names" });
    assert_eq!(kit.ok("POST", UPDATE, Some(body)), json!({}));
}

#[test]
fn a_get_of_many_says_which_are_missing() {
    let mut kit = Kit::new();
    let name = kit.add("A");
    let answer = kit.ok(
        "GET",
        &format!("/v1/people:batchGet?resourceNames={name}&resourceNames=people/c9&personFields=names"),
        None,
    );
    assert_eq!(answer["responses"][0]["status"], json!({}));
    let missing = &answer["responses"][1];
    assert!(missing.get("person").is_none());
    assert_eq!((&missing["httpStatusCode"], &missing["status"]["code"]), (&json!(404), &json!(5)));
}

#[test]
fn a_delete_of_many_fails_as_a_whole_when_one_is_missing() {
    let mut kit = Kit::new();
    let created = fill(&mut kit, 3);
    kit.refused(404, "POST", DELETE, Some(json!({ "resourceNames": [created[0], "people/c9"] })));
    kit.refused(400, "POST", DELETE, Some(json!({ "resourceNames": [created[0], created[0]] })));
    assert_eq!(kit.user().people().len(), 3);
    assert_eq!(kit.ok("POST", DELETE, Some(json!({ "resourceNames": created }))), json!({}));
    assert_eq!((kit.user().people().len(), kit.user().trash().len()), (0, 3));
}

#[test]
fn a_batch_that_would_overflow_writes_nothing() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().contacts_max = 2;
    let contacts: Vec<Value> = (0..3).map(|n| person(&format!("N{n}"))).collect();
    let error = kit.refused(400, "POST", CREATE, Some(json!({ "contacts": contacts })));
    assert!(text(&error["message"]).contains("MY_CONTACTS_OVERFLOW_COUNT"));
    assert!(kit.user().people().is_empty());
}

#[test]
fn a_batch_costs_the_quota_like_a_full_one() {
    let mut kit = Kit::new();
    kit.ok("POST", CREATE, Some(json!({ "contacts": [person("A")] })));
    let count = kit.emulator.counters().method("people.batchCreateContacts");
    assert_eq!((count.calls, count.items), (1, 1));
    assert_eq!((count.units.critical_reads, count.units.critical_writes, count.units.daily_writes), (6, 6, 200));
}
