//! Sync tokens: deltas, tombstones, expiry, renames, repeats.

use serde_json::json;

use super::listing::{fill, pages};
use super::*;
use crate::emulator::settings::{ExpiredSyncToken, Feed, ParameterMatch};
use crate::emulator::user::{FormerName, MergeTrace, ReturnName};

pub(super) const SYNC: &str =
    "/v1/people/me/connections?personFields=names,memberships,metadata&pageSize=1000&requestSyncToken=true";

pub(super) fn full(kit: &mut Kit) -> String {
    let (_, last) = pages(kit, SYNC);
    text(&last["nextSyncToken"]).to_owned()
}

/// One delta: its people and the next token.
pub(super) fn delta(kit: &mut Kit, token: &str) -> (Vec<Value>, String) {
    let (people, last) = pages(kit, &format!("{SYNC}&syncToken={token}"));
    (people, text(&last["nextSyncToken"]).to_owned())
}

fn is_deleted(person: &Value) -> bool {
    person["metadata"]["deleted"] == true
}

#[test]
fn an_empty_delta_has_no_people_at_all() {
    let mut kit = Kit::new();
    kit.add("Ada");
    let token = full(&mut kit);
    let body = kit.ok("GET", &format!("{SYNC}&syncToken={token}"), None);
    let members: Vec<&String> = body.as_object().expect("a body").keys().collect();
    assert_eq!(members, ["nextSyncToken"]);
}

#[test]
fn a_delta_brings_changed_people_whole_and_deleted_ones_as_tombstones() {
    let mut kit = Kit::new();
    let (edited, deleted, untouched) = (kit.create("Ada"), kit.add("Bo"), kit.add("Cy"));
    let token = full(&mut kit);
    let (status, answer) = kit.update(&edited, "names", json!({ "names": [{ "givenName": "Ada Maria" }] }));
    assert_eq!(status, 200, "{answer}");
    kit.ok("DELETE", &format!("/v1/{deleted}:deleteContact"), None);
    let added = kit.add("Di");
    let (people, next) = delta(&mut kit, &token);
    let listed: Vec<String> = people.iter().map(name_of).collect();
    assert_eq!(listed, [name_of(&edited), deleted, added]);
    assert!(!listed.contains(&untouched));
    assert_eq!(people[0]["names"][0]["givenName"], "Ada Maria");
    assert!(people[0].get("memberships").is_some(), "whole, not a patch");
    let tombstone: Vec<&String> = people[1].as_object().expect("a person").keys().collect();
    assert_eq!(tombstone, ["etag", "metadata", "resourceName"]);
    assert!(is_deleted(&people[1]));
    assert_eq!(delta(&mut kit, &next).0, Vec::<Value>::new());
}

#[test]
fn a_token_can_be_used_again_and_gives_the_same_delta() {
    let mut kit = Kit::new();
    let token = full(&mut kit);
    kit.add("Ada");
    let (first, _) = delta(&mut kit, &token);
    let (second, _) = delta(&mut kit, &token);
    assert_eq!(first, second);
    assert_eq!(first.len(), 1);
}

#[test]
fn a_change_between_two_pages_comes_in_the_next_delta() {
    let mut kit = Kit::new();
    let created = fill(&mut kit, 4);
    let path = SYNC.replace("pageSize=1000", "pageSize=2");
    let first = kit.ok("GET", &path, None);
    let name = names(&first["connections"])[0].clone();
    assert!(created.contains(&name));
    kit.user().edit(&name, &json!({ "names": [{ "givenName": "New" }] })).expect("edited");
    let page = text(&first["nextPageToken"]).to_owned();
    let last = kit.ok("GET", &format!("{path}&pageToken={page}"), None);
    let token = text(&last["nextSyncToken"]).to_owned();
    let (people, _) = pages(&mut kit, &format!("{path}&syncToken={token}"));
    assert_eq!(people.iter().map(name_of).collect::<Vec<_>>(), [name]);
}

#[test]
fn a_long_delta_has_pages_and_keeps_the_sync_token_in_place() {
    let mut kit = Kit::new();
    let path = SYNC.replace("pageSize=1000", "pageSize=2");
    let (_, last) = pages(&mut kit, &path);
    let token = text(&last["nextSyncToken"]).to_owned();
    fill(&mut kit, 5);
    let (people, _) = pages(&mut kit, &format!("{path}&syncToken={token}"));
    assert_eq!(people.len(), 5);
    let first = kit.ok("GET", &format!("{path}&syncToken={token}"), None);
    let page = text(&first["nextPageToken"]).to_owned();
    kit.refused(400, "GET", &format!("{path}&pageToken={page}"), None);
}

#[test]
fn a_chain_dies_seven_days_after_its_full_listing_however_often_it_is_used() {
    let mut kit = Kit::new();
    let mut token = full(&mut kit);
    for _ in 0..6 {
        kit.pass(Duration::from_secs(24 * 3600));
        kit.token = kit.fresh_token(EMAIL);
        token = delta(&mut kit, &token).1;
    }
    kit.pass(Duration::from_secs(24 * 3600));
    kit.token = kit.fresh_token(EMAIL);
    let path = format!("{SYNC}&syncToken={token}");
    let error = kit.refused(400, "GET", &path, None);
    assert_eq!(error["message"], "Sync token is expired. Clear local cache and retry call without the sync token.");
    assert_eq!(error["status"], "FAILED_PRECONDITION");
    assert_eq!(error["details"][0]["reason"], "EXPIRED_SYNC_TOKEN");
    kit.emulator.settings_mut().expired_sync_token = ExpiredSyncToken::InvalidArgument;
    assert_eq!(kit.refused(400, "GET", &path, None)["status"], "INVALID_ARGUMENT");
    kit.emulator.settings_mut().expired_sync_token = ExpiredSyncToken::Gone;
    assert_eq!(kit.refused(410, "GET", &path, None)["details"][0]["reason"], "EXPIRED_SYNC_TOKEN");
    full(&mut kit);
}

#[test]
fn tokens_can_be_ended_at_once() {
    let mut kit = Kit::new();
    let token = full(&mut kit);
    kit.user().expire_sync_tokens();
    let error = kit.refused(400, "GET", &format!("{SYNC}&syncToken={token}"), None);
    assert_eq!(error["details"][0]["reason"], "EXPIRED_SYNC_TOKEN");
    let token = full(&mut kit);
    delta(&mut kit, &token);
}

#[test]
fn garbage_and_page_tokens_are_no_sync_tokens() {
    let mut kit = Kit::new();
    fill(&mut kit, 3);
    let page = text(&kit.ok("GET", &SYNC.replace("1000", "2"), None)["nextPageToken"]).to_owned();
    for token in ["garbage", page.as_str()] {
        let error = kit.refused(400, "GET", &format!("{SYNC}&syncToken={token}"), None);
        assert_eq!(error["message"], "Request contains an invalid argument.");
        assert!(error.get("details").is_none());
    }
    let token = full(&mut kit);
    kit.token = kit.fresh_token(OTHER);
    kit.refused(400, "GET", &format!("{SYNC}&syncToken={token}"), None);
}

#[test]
fn other_parameters_than_those_of_the_token_are_refused() {
    let mut kit = Kit::new();
    let token = full(&mut kit);
    let permuted = SYNC.replace("names,memberships", "memberships,names");
    for path in [
        SYNC.replace("pageSize=1000", "pageSize=500"),
        SYNC.replace("&requestSyncToken=true", ""),
        format!("{SYNC}&sources=READ_SOURCE_TYPE_CONTACT"),
        permuted.clone(),
    ] {
        let error = kit.refused(400, "GET", &format!("{path}&syncToken={token}"), None);
        assert_eq!(error["status"], "INVALID_ARGUMENT");
    }
    kit.emulator.settings_mut().parameter_match = ParameterMatch::Normalised;
    let token = full(&mut kit);
    kit.ok("GET", &format!("{permuted}&syncToken={token}"), None);
}

#[test]
fn a_renamed_contact_brings_its_previous_name_in_deltas_only() {
    let mut kit = Kit::new();
    let old = kit.add("Ada");
    let token = full(&mut kit);
    let renamed = kit.user().rename(&old, FormerName::Gone, Feed::Shown).expect("renamed");
    let new = name_of(&renamed);
    let (people, _) = delta(&mut kit, &token);
    assert_eq!(people.len(), 2);
    assert!(is_deleted(&people[0]) && name_of(&people[0]) == old);
    assert_eq!(people[1]["metadata"]["previousResourceNames"], json!([old]));
    assert_eq!(name_of(&people[1]), new);
    let (listed, _) = pages(&mut kit, SYNC);
    assert_eq!(listed.iter().map(name_of).collect::<Vec<_>>(), [new.as_str()]);
    assert!(listed[0]["metadata"].get("previousResourceNames").is_none());
    kit.refused(404, "GET", &format!("/v1/{old}?personFields=names"), None);
}

#[test]
fn a_former_name_may_lead_to_the_contact() {
    let mut kit = Kit::new();
    let old = kit.add("Ada");
    let token = full(&mut kit);
    let new = name_of(&kit.user().rename(&old, FormerName::Leads, Feed::Hidden).expect("renamed"));
    assert_eq!(delta(&mut kit, &token).0.iter().map(name_of).collect::<Vec<_>>(), [new.as_str()]);
    let answer = kit.ok("GET", &format!("/v1/people:batchGet?resourceNames={old}&personFields=names"), None);
    assert_eq!(answer["responses"][0]["requestedResourceName"], json!(old));
    assert_eq!(name_of(&answer["responses"][0]["person"]), new);
}

#[test]
fn unchanged_people_may_come_again() {
    let mut kit = Kit::new();
    fill(&mut kit, 10);
    let token = full(&mut kit);
    kit.emulator.settings_mut().spurious_repeats = 3;
    let (people, _) = delta(&mut kit, &token);
    assert!((1..=3).contains(&people.len()), "{}", people.len());
    let name = name_of(&people[0]);
    let read = kit.ok("GET", &format!("/v1/{name}?personFields=metadata"), None);
    assert_eq!(read["metadata"]["sources"], people[0]["metadata"]["sources"], "the same version");
}

#[test]
fn a_bumped_etag_comes_as_a_change_without_a_difference() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    let token = full(&mut kit);
    kit.user().bump_etag(&name_of(&person)).expect("bumped");
    let (people, _) = delta(&mut kit, &token);
    assert_eq!(people[0]["names"], person["names"]);
    assert_ne!(people[0]["metadata"]["sources"][0]["etag"], person["metadata"]["sources"][0]["etag"]);
    assert_eq!(kit.update(&person, "names", json!({ "names": [{ "givenName": "B" }] })).0, 400);
}

#[test]
fn a_merge_leaves_the_survivor_with_everything_and_tombstones_for_the_others() {
    let mut kit = Kit::new();
    let person = |mail: &str, tag: &str| {
        json!({
            "names": [{ "givenName": "Ada" }], "emailAddresses": [{ "value": mail }],
            "clientData": [{ "key": "tag", "value": tag }],
        })
    };
    let survivor = name_of(&kit.user().create(&person("a@x.test", "1")).expect("created"));
    let loser = name_of(&kit.user().create(&person("b@x.test", "2")).expect("created"));
    let token = full(&mut kit);
    let merged = kit.user().merge(&survivor, &[&loser], MergeTrace::PreviousNames).expect("merged");
    assert_eq!(merged["emailAddresses"].as_array().map(Vec::len), Some(2));
    assert_eq!(merged["clientData"].as_array().map(Vec::len), Some(2));
    assert_eq!(merged["names"].as_array().map(Vec::len), Some(1));
    let (people, _) = delta(&mut kit, &token);
    assert!(is_deleted(&people[0]) && name_of(&people[0]) == loser);
    assert_eq!(people[1]["metadata"]["previousResourceNames"], json!([loser]));
}

#[test]
fn a_contact_comes_back_from_the_trash_under_its_own_or_a_new_name() {
    let mut kit = Kit::new();
    let (one, two) = (kit.add("Ada"), kit.add("Bo"));
    for name in [&one, &two] {
        kit.user().delete(name).expect("deleted");
    }
    assert_eq!(kit.user().trash().len(), 2);
    let token = full(&mut kit);
    assert_eq!(name_of(&kit.user().restore(&one, ReturnName::Same).expect("restored")), one);
    let fresh = name_of(&kit.user().restore(&two, ReturnName::Fresh).expect("restored"));
    assert_ne!(fresh, two);
    let (people, _) = delta(&mut kit, &token);
    assert_eq!(people.iter().map(name_of).collect::<Vec<_>>(), [one, fresh]);
    assert!(!people.iter().any(is_deleted));
}

#[test]
fn a_contact_that_leaves_its_last_group_is_a_tombstone() {
    let mut kit = Kit::new();
    let name = kit.add("Ada");
    let token = full(&mut kit);
    kit.user().unlabel(&name, "myContacts").expect("unlabelled");
    let (people, _) = delta(&mut kit, &token);
    assert!(is_deleted(&people[0]));
}
