//! Violations: what no careful client does although it is answered.

use serde_json::json;

use super::sync::{SYNC, delta, full};
use super::*;
use crate::emulator::fault::{Fault, FaultKind};

const CREATE: &str = "/v1/people:createContact";

fn lose(kit: &mut Kit, kind: FaultKind) {
    kit.emulator.faults_mut().push(Fault::once("people.*", kind));
}

fn violations(kit: &Kit) -> Vec<String> {
    kit.emulator.counters().violations.clone()
}

/// A create with this mark of the client's own, of which nothing but its content says who it is.
fn create(kit: &mut Kit, mark: &str) {
    let body = json!({ "names": [{ "givenName": "Ada" }], "clientData": [{ "key": "id", "value": mark }] });
    let request = kit.request("POST", CREATE, Some(&body));
    kit.reply(&request);
}

#[test]
fn a_create_whose_answer_was_lost_is_not_sent_again_blindly() {
    for kind in [
        FaultKind::Drop,
        FaultKind::DropAfter,
        FaultKind::Status(500),
        FaultKind::StatusAfter(503),
        FaultKind::Truncate,
        FaultKind::ApplyLate(5),
        FaultKind::Delay(40_000),
        FaultKind::HalfApplied,
    ] {
        let mut kit = Kit::new();
        lose(&mut kit, kind.clone());
        create(&mut kit, "1");
        assert!(violations(&kit).is_empty());
        create(&mut kit, "2");
        let found = violations(&kit);
        assert_eq!(found.len(), 1, "{kind:?}");
        assert!(found[0].contains("a create again 0 s after its answer was lost, without a listing"), "{found:?}");
        create(&mut kit, "3");
        assert_eq!(violations(&kit).len(), 1, "that one was answered");
    }
}

#[test]
fn a_batch_is_no_way_around_it() {
    let mut kit = Kit::new();
    lose(&mut kit, FaultKind::DropAfter);
    create(&mut kit, "1");
    let person = |name: &str| json!({ "contactPerson": { "names": [{ "givenName": name }] } });
    let body = json!({ "contacts": [person("Bo"), person("Ada")], "readMask": "metadata" });
    kit.ok("POST", "/v1/people:batchCreateContacts", Some(body));
    assert_eq!(violations(&kit).len(), 1);
}

#[test]
fn who_has_waited_and_looked_may_create_again() {
    let mut kit = Kit::new();
    lose(&mut kit, FaultKind::Drop);
    create(&mut kit, "1");
    kit.pass(Duration::from_secs(600));
    create(&mut kit, "2");
    assert_eq!(violations(&kit).len(), 1, "waiting alone tells nothing");
    kit.emulator.reset_counters();
    lose(&mut kit, FaultKind::Drop);
    create(&mut kit, "3");
    kit.pass(Duration::from_secs(600));
    full(&mut kit);
    create(&mut kit, "4");
    assert!(violations(&kit).is_empty());
}

#[test]
fn who_was_refused_or_answered_may_create_at_once() {
    for kind in [FaultKind::MinuteQuota, FaultKind::StorageQuota, FaultKind::Status(409), FaultKind::Delay(9_000)] {
        let mut kit = Kit::new();
        lose(&mut kit, kind);
        create(&mut kit, "1");
        create(&mut kit, "2");
        assert!(violations(&kit).is_empty());
    }
}

#[test]
fn full_listings_keep_their_distance() {
    let mut kit = Kit::new();
    full(&mut kit);
    kit.pass(Duration::from_secs(599));
    full(&mut kit);
    assert!(violations(&kit)[0].contains("a full listing 599 s after the last one"), "{:?}", violations(&kit));
    kit.pass(Duration::from_secs(600));
    full(&mut kit);
    assert_eq!(violations(&kit).len(), 1);
    kit.emulator.expect_full_pull(EMAIL);
    full(&mut kit);
    assert_eq!(violations(&kit).len(), 1, "somebody asked for it");
    kit.emulator.settings_mut().full_pulls_apart_s = 0;
    full(&mut kit);
    assert_eq!(violations(&kit).len(), 1);
}

#[test]
fn a_dead_token_or_a_lost_page_is_reason_enough_to_list_anew() {
    let mut kit = Kit::new();
    let token = full(&mut kit);
    kit.user().expire_sync_tokens();
    kit.refused(400, "GET", &format!("{SYNC}&syncToken={token}"), None);
    full(&mut kit);
    assert!(violations(&kit).is_empty());
    kit.pass(Duration::from_secs(600));
    lose(&mut kit, FaultKind::Truncate);
    kit.reply(&kit.request("GET", SYNC, None));
    full(&mut kit);
    assert!(violations(&kit).is_empty());
}

#[test]
fn a_mask_names_what_changes_and_nothing_else() {
    let mut kit = Kit::new();
    let body = json!({ "names": [{ "givenName": "Ada" }], "biographies": [{ "value": "x" }] });
    let person = kit.ok("POST", CREATE, Some(body));
    let same = json!({ "names": [{ "givenName": "Bo" }], "biographies": [{ "value": "x" }] });
    let (_, person) = kit.update(&person, "names,biographies", same);
    let found = violations(&kit);
    assert!(found[0].contains("the mask names biographies, which changes on nobody"), "{found:?}");
    kit.emulator.reset_counters();
    let more = json!({ "names": [{ "givenName": "Cy" }], "urls": [{ "value": "x.test" }] });
    let (_, person) = kit.update(&person, "names", more);
    let found = violations(&kit);
    assert!(found[0].contains("sends urls and does not name it in the mask"), "{found:?}");
    kit.emulator.reset_counters();
    assert_eq!(kit.update(&person, "biographies", json!({})).0, 200);
    assert!(violations(&kit).is_empty(), "emptied on purpose");
}

#[test]
fn the_one_mask_of_a_batch_may_be_wider_than_each_of_its_people_needs() {
    let mut kit = Kit::new();
    let people = [kit.create("Ada"), kit.create("Bo")];
    let changed = |person: &Value, given: &str, note: &str| json!({ "etag": person["etag"], "names": [{ "givenName": given }], "biographies": [{ "value": note }] });
    let contacts = json!({
        name_of(&people[0]): changed(&people[0], "Ada Maria", "note"),
        name_of(&people[1]): changed(&people[1], "Bo", "note"),
    });
    let body = json!({ "contacts": contacts, "updateMask": "names,biographies", "readMask": "metadata" });
    kit.ok("POST", "/v1/people:batchUpdateContacts", Some(body));
    assert!(violations(&kit).is_empty());
}

#[test]
fn data_of_another_client_is_carried_along() {
    let mut kit = Kit::new();
    let entry = |key: &str, value: &str| json!({ "key": key, "value": value });
    let entries = json!([entry("crm", "1"), entry("crm", "2"), entry("own", "a")]);
    let person = kit.ok("POST", CREATE, Some(json!({ "names": [{ "givenName": "Ada" }], "clientData": entries })));
    let rewritten = json!({ "clientData": [entry("crm", "1"), entry("crm", "2"), entry("own", "b")] });
    let (_, person) = kit.update(&person, "clientData", rewritten);
    assert!(violations(&kit).is_empty(), "its own entry is its own business");
    let dropped = json!({ "clientData": [entry("crm", "1"), entry("own", "c")] });
    kit.update(&person, "clientData", dropped);
    assert!(violations(&kit)[0].contains("drops data of another client"), "{:?}", violations(&kit));
}

#[test]
fn answers_are_asked_for_so_that_they_can_be_used() {
    let mut kit = Kit::new();
    kit.ok("GET", "/v1/people/me/connections?personFields=names&requestSyncToken=true", None);
    assert!(violations(&kit)[0].contains("without metadata tells no deletions"), "{:?}", violations(&kit));
    kit.emulator.reset_counters();
    let body = json!({ "contacts": [{ "contactPerson": { "names": [{ "givenName": "A" }] } }] });
    kit.ok("POST", "/v1/people:batchCreateContacts", Some(body));
    assert!(violations(&kit)[0].contains("creates without a read mask"), "{:?}", violations(&kit));
}

#[test]
fn violations_name_account_and_method_and_can_be_counted_anew() {
    let mut kit = Kit::new();
    full(&mut kit);
    let token = full(&mut kit);
    let counters = kit.ok("GET", "/control/counters", None);
    let text = format!("{EMAIL} people.connections.list: ");
    assert!(super::text(&counters["violations"][0]).starts_with(&text), "{counters}");
    kit.ok("DELETE", "/control/counters", None);
    delta(&mut kit, &token);
    kit.ok("POST", &format!("/control/accounts/{EMAIL}/expect-full-pull"), None);
    full(&mut kit);
    assert!(violations(&kit).is_empty());
    assert_eq!(kit.call("POST", "/control/accounts/nobody@acme.example/expect-full-pull", None).0, 404);
}
