//! Scripted trouble and the counters.

use serde_json::json;

use super::*;
use crate::emulator::fault::{Fault, FaultKind};

const LIST: &str = "/v1/people/me/connections?personFields=names";

fn push(kit: &mut Kit, method: &str, kind: FaultKind) {
    kit.emulator.faults_mut().push(Fault::once(method, kind));
}

fn create_request(kit: &Kit) -> Request<Bytes> {
    kit.request("POST", "/v1/people:createContact", Some(&json!({ "names": [{ "givenName": "A" }] })))
}

#[test]
fn a_status_strikes_once_and_changes_nothing() {
    let mut kit = Kit::new();
    for status in [409, 429, 500, 503] {
        push(&mut kit, "people.createContact", FaultKind::Status(status));
        kit.ok("GET", LIST, None);
        let (actual, body) = parsed(&kit.send(&create_request(&kit)));
        assert_eq!((actual, &body["error"]["code"]), (status, &json!(status)));
    }
    assert!(kit.user().people().is_empty());
    kit.create("A");
}

#[test]
fn a_bad_gateway_is_a_page() {
    let mut kit = Kit::new();
    push(&mut kit, "*", FaultKind::Status(502));
    let response = kit.send(&kit.request("GET", LIST, None));
    assert_eq!(response.status(), 502);
    assert!(response.body().starts_with(b"<!DOCTYPE html>"));
}

#[test]
fn both_kinds_of_exhausted_quota_can_be_told_apart_and_name_no_delay() {
    let mut kit = Kit::new();
    push(&mut kit, "*", FaultKind::MinuteQuota);
    push(&mut kit, "*", FaultKind::StorageQuota);
    let minute = kit.send(&kit.request("GET", LIST, None));
    assert!(minute.headers().get("retry-after").is_none());
    let (status, body) = parsed(&minute);
    assert_eq!((status, &body["error"]["details"][0]["reason"]), (429, &json!("RATE_LIMIT_EXCEEDED")));
    let error = kit.refused(429, "GET", LIST, None);
    assert_eq!(error["details"][0]["violations"][0]["description"], "FBS quota limit exceeded");
}

#[test]
fn any_answer_can_be_scripted() {
    let mut kit = Kit::new();
    let kind =
        FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body: "{\"x\":".to_owned() };
    push(&mut kit, "contactGroups.*", kind);
    let response = kit.send(&kit.request("GET", "/v1/contactGroups", None));
    assert_eq!((response.status().as_u16(), response.body().as_ref()), (200, b"{\"x\":".as_ref()));
}

#[test]
fn a_lost_answer_may_or_may_not_have_been_carried_out() {
    let mut kit = Kit::new();
    push(&mut kit, "people.createContact", FaultKind::Drop);
    assert!(is_dropped(&kit.reply(&create_request(&kit))));
    assert_eq!(kit.user().people().len(), 0);
    push(&mut kit, "people.createContact", FaultKind::DropAfter);
    assert!(is_dropped(&kit.reply(&create_request(&kit))));
    assert_eq!(kit.user().people().len(), 1);
    push(&mut kit, "people.createContact", FaultKind::StatusAfter(503));
    assert_eq!(kit.send(&create_request(&kit)).status(), 503);
    assert_eq!(kit.user().people().len(), 2);
}

#[test]
fn a_request_may_be_carried_out_long_after_its_connection_died() {
    let mut kit = Kit::new();
    push(&mut kit, "people.createContact", FaultKind::ApplyLate(90_000));
    assert!(is_dropped(&kit.reply(&create_request(&kit))));
    kit.pass(Duration::from_secs(89));
    assert_eq!(kit.user().people().len(), 0);
    kit.pass(Duration::from_secs(1));
    assert_eq!(kit.user().people().len(), 1);
}

#[test]
fn half_a_batch_may_be_written_before_the_error() {
    let mut kit = Kit::new();
    push(&mut kit, "people.batchCreateContacts", FaultKind::HalfApplied);
    let contacts: Vec<Value> =
        (0..10).map(|n| json!({ "contactPerson": { "names": [{ "givenName": format!("N{n}") }] } })).collect();
    kit.refused(500, "POST", "/v1/people:batchCreateContacts", Some(json!({ "contacts": contacts })));
    assert_eq!(kit.user().people().len(), 5);
}

#[test]
fn an_answer_may_break_off() {
    let mut kit = Kit::new();
    kit.create("A");
    push(&mut kit, "people.connections.list", FaultKind::Truncate);
    let reply = kit.reply(&kit.request("GET", LIST, None));
    let Outcome::Truncated { response, sent } = reply.outcome else { panic!("not truncated") };
    assert!(sent > 0 && sent < response.body().len());
}

#[test]
fn an_answer_may_be_held_back() {
    let mut kit = Kit::new();
    push(&mut kit, "*", FaultKind::Delay(1500));
    let reply = kit.reply(&kit.request("GET", LIST, None));
    assert_eq!(reply.after, Duration::from_millis(1500));
    assert!(reply.response().is_some());
}

#[test]
fn faults_can_skip_calls_repeat_and_pick_an_account() {
    let mut kit = Kit::new();
    let kind = FaultKind::Status(503);
    kit.emulator.faults_mut().push(Fault {
        skip: 1,
        times: Some(2),
        ..Fault::once("people.connections.list", kind.clone())
    });
    let statuses: Vec<u16> = (0..4).map(|_| kit.get(LIST).0).collect();
    assert_eq!(statuses, [200, 503, 503, 200]);
    kit.emulator.faults_mut().push(Fault { account: Some(OTHER.to_owned()), ..Fault::once("*", kind) });
    assert_eq!(kit.get(LIST).0, 200);
    kit.token = kit.fresh_token(OTHER);
    assert_eq!(kit.get(LIST).0, 503);
}

#[test]
fn a_fault_may_mean_full_listings_or_deltas_only() {
    let mut kit = Kit::new();
    let path = format!("{LIST}&requestSyncToken=true");
    let token = text(&kit.ok("GET", &path, None)["nextSyncToken"]).to_owned();
    push(&mut kit, "people.connections.list:full", FaultKind::MinuteQuota);
    kit.ok("GET", &format!("{path}&syncToken={token}"), None);
    kit.refused(429, "GET", &path, None);
    push(&mut kit, "people.connections.list:delta", FaultKind::Status(500));
    kit.ok("GET", &path, None);
    kit.refused(500, "GET", &format!("{path}&syncToken={token}"), None);
}

#[test]
fn seeded_trouble_strikes_in_its_share_of_calls() {
    let mut kit = Kit::new();
    let fault = Fault { times: None, permille: 300, ..Fault::once("*", FaultKind::Status(500)) };
    kit.emulator.faults_mut().push(fault);
    let struck = (0..200).filter(|_| kit.get(LIST).0 == 500).count();
    assert!((30..90).contains(&struck), "{struck}");
    kit.emulator.faults_mut().clear();
    kit.ok("GET", LIST, None);
}

#[test]
fn the_token_endpoint_fails_too() {
    let mut kit = Kit::new();
    push(&mut kit, "oauth.token", FaultKind::Status(503));
    let refresh = kit.emulator.refresh_token(EMAIL).expect("a token").to_owned();
    assert_eq!(kit.refresh(&refresh).0, 503);
    assert_eq!(kit.refresh(&refresh).0, 200);
}

#[test]
fn overlapping_mutations_of_one_user_are_a_violation() {
    let mut kit = Kit::new();
    let write = create_request(&kit);
    let read = kit.request("GET", LIST, None);
    kit.reply(&read);
    let first = kit.emulator.begin(&write);
    assert!(first.is_some());
    assert!(kit.emulator.begin(&read).is_none(), "reads may overlap");
    assert!(kit.emulator.counters().violations.is_empty());
    let second = kit.emulator.begin(&write);
    assert_eq!(kit.emulator.counters().violations.len(), 1);
    for ticket in [first, second].into_iter().flatten() {
        kit.emulator.end(ticket);
    }
    kit.emulator.begin(&write);
    assert_eq!(kit.emulator.counters().violations.len(), 1, "one after the other is fine");
}

#[test]
fn calls_items_units_and_bytes_are_counted_per_account_and_method() {
    let mut kit = Kit::new();
    kit.create("A");
    kit.create("B");
    kit.get("/v1/people/me/connections");
    let counters = kit.emulator.counters();
    let created = &counters.accounts[EMAIL]["people.createContact"];
    assert_eq!((created.calls, created.items, created.units.critical_writes), (2, 2, 2));
    assert!(created.bytes_received > 0 && created.bytes_sent > created.bytes_received);
    assert_eq!(counters.method("people.connections.list").statuses.get(&400), Some(&1));
    assert_eq!(counters.account(EMAIL).calls, 3);
    assert_eq!(counters.total().calls, 3);
    kit.emulator.reset_counters();
    assert_eq!(kit.emulator.counters().total().calls, 0);
}

#[test]
fn quotas_run_out_and_come_back_with_the_next_window() {
    let mut kit = Kit::new();
    let quotas = &mut kit.emulator.settings_mut().quotas;
    (quotas.critical_reads, quotas.critical_writes, quotas.full_pulls) = (Some(3), Some(6), Some(1));
    kit.create("A");
    let body = json!({ "contacts": [{ "contactPerson": { "names": [{ "givenName": "B" }] } }] });
    let error = kit.refused(429, "POST", "/v1/people:batchCreateContacts", Some(body));
    assert_eq!(error["details"][0]["metadata"]["quota_metric"], "people.googleapis.com/critical_read_requests");
    assert_eq!(kit.user().people().len(), 1);
    kit.ok("GET", LIST, None);
    kit.ok("GET", LIST, None);
    let error = kit.refused(429, "GET", LIST, None);
    assert_eq!(error["details"][0]["reason"], "RATE_LIMIT_EXCEEDED");
    kit.pass(Duration::from_secs(60));
    let full = format!("{LIST}&requestSyncToken=true");
    kit.ok("GET", &full, None);
    let error = kit.refused(429, "GET", &full, None);
    assert_eq!(error["details"][0]["metadata"]["quota_metric"], "people.googleapis.com/full_sync_requests");
    kit.ok("GET", LIST, None);
    kit.pass(Duration::from_secs(540));
    kit.refused(429, "GET", &full, None);
    kit.pass(Duration::from_secs(60));
    kit.ok("GET", &full, None);
}
