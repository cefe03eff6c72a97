//! Quotas: what runs out, how it comes back, and what is counted.

use serde_json::json;

use super::*;
use crate::emulator::quota::{Limits, Refill};

const LIST: &str = "/v1/people/me/connections?personFields=names";

fn limit(kit: &mut Kit, limits: Limits) {
    kit.emulator.settings_mut().quotas = limits;
}

fn lists(kit: &mut Kit) -> u16 {
    kit.get(LIST).0
}

#[test]
fn a_quota_per_minute_comes_back_steadily() {
    let mut kit = Kit::new();
    limit(&mut kit, Limits { critical_reads: Some(6), ..Limits::default() });
    assert_eq!((0..7).map(|_| lists(&mut kit)).collect::<Vec<_>>(), [200, 200, 200, 200, 200, 200, 429]);
    kit.pass(Duration::from_secs(9));
    assert_eq!(lists(&mut kit), 429);
    kit.pass(Duration::from_secs(1));
    assert_eq!((lists(&mut kit), lists(&mut kit)), (200, 429), "one unit in ten seconds");
    kit.pass(Duration::from_secs(600));
    assert_eq!(
        (0..7).map(|_| lists(&mut kit)).filter(|status| *status == 200).count(),
        6,
        "never more than a minute's"
    );
}

#[test]
fn a_quota_per_minute_may_come_back_all_at_once() {
    let mut kit = Kit::new();
    limit(&mut kit, Limits { critical_reads: Some(2), refill: Refill::Window, ..Limits::default() });
    assert_eq!((lists(&mut kit), lists(&mut kit)), (200, 200));
    kit.pass(Duration::from_secs(59));
    assert_eq!(lists(&mut kit), 429);
    kit.pass(Duration::from_secs(1));
    assert_eq!((lists(&mut kit), lists(&mut kit), lists(&mut kit)), (200, 200, 429));
}

#[test]
fn a_batch_costs_the_same_however_small_it_is() {
    let mut kit = Kit::new();
    limit(&mut kit, Limits { critical_writes: Some(11), ..Limits::default() });
    let body =
        json!({ "contacts": [{ "contactPerson": { "names": [{ "givenName": "B" }] } }], "readMask": "metadata" });
    kit.ok("POST", "/v1/people:batchCreateContacts", Some(body.clone()));
    let error = kit.refused(429, "POST", "/v1/people:batchCreateContacts", Some(body));
    assert_eq!(error["details"][0]["metadata"]["quota_metric"], "people.googleapis.com/critical_write_requests");
    for _ in 0..5 {
        kit.create("A");
    }
    kit.refused(429, "POST", "/v1/people:createContact", Some(json!({ "names": [{ "givenName": "A" }] })));
}

#[test]
fn deletions_have_a_quota_of_their_own() {
    let mut kit = Kit::new();
    let names: Vec<String> = ["A", "B", "C"].map(|name| kit.add(name)).to_vec();
    limit(&mut kit, Limits { writes: Some(11), ..Limits::default() });
    kit.ok("DELETE", &format!("/v1/{}:deleteContact", names[0]), None);
    kit.ok("POST", "/v1/people:batchDeleteContacts", Some(json!({ "resourceNames": [names[1]] })));
    let error = kit.refused(429, "DELETE", &format!("/v1/{}:deleteContact", names[2]), None);
    assert_eq!(error["details"][0]["metadata"]["quota_metric"], "people.googleapis.com/write_requests");
    kit.create("D");
}

#[test]
fn the_budget_of_a_day_counts_a_batch_as_two_hundred() {
    let mut kit = Kit::new();
    limit(&mut kit, Limits { daily_writes: Some(201), ..Limits::default() });
    kit.create("A");
    let body =
        json!({ "contacts": [{ "contactPerson": { "names": [{ "givenName": "B" }] } }], "readMask": "metadata" });
    kit.ok("POST", "/v1/people:batchCreateContacts", Some(body));
    let create = json!({ "names": [{ "givenName": "C" }] });
    let error = kit.refused(429, "POST", "/v1/people:createContact", Some(create));
    assert_eq!(error["details"][0]["metadata"]["quota_metric"], "people.googleapis.com/daily_contact_writes");
    kit.pass(Duration::from_secs(24 * 3600));
    kit.token = kit.fresh_token(EMAIL);
    kit.create("C");
}

#[test]
fn the_storage_refuses_in_its_own_words() {
    let mut kit = Kit::new();
    limit(&mut kit, Limits { storage_writes: Some(1), ..Limits::default() });
    let name = kit.add("A");
    let error = kit.refused(429, "DELETE", &format!("/v1/{name}:deleteContact"), None);
    assert_eq!(error["details"][0]["violations"][0]["description"], "FBS quota limit exceeded");
    assert_eq!(lists(&mut kit), 200, "reads go on");
    kit.pass(Duration::from_secs(3600));
    kit.token = kit.fresh_token(EMAIL);
    kit.ok("DELETE", &format!("/v1/{name}:deleteContact"), None);
}

#[test]
fn a_call_that_is_not_let_in_takes_nothing() {
    let mut kit = Kit::new();
    limit(&mut kit, Limits { critical_reads: Some(1), ..Limits::default() });
    assert_eq!((lists(&mut kit), lists(&mut kit)), (200, 429));
    kit.token = "ya29.nonsense".to_owned();
    assert_eq!(lists(&mut kit), 401);
    assert_eq!(kit.emulator.counters().total().units.critical_reads, 1);
    assert_eq!(kit.emulator.counters().method("people.connections.list").statuses[&429], 1);
}

#[test]
fn users_have_their_quotas_each() {
    let mut kit = Kit::new();
    limit(&mut kit, Limits { critical_reads: Some(1), ..Limits::default() });
    assert_eq!((lists(&mut kit), lists(&mut kit)), (200, 429));
    kit.token = kit.fresh_token(OTHER);
    assert_eq!(lists(&mut kit), 200);
}
