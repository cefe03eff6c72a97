//! `connections.list` without sync: pages, order, limits.

use serde_json::json;

use super::*;

const LIST: &str = "/v1/people/me/connections?personFields=names,metadata";

/// Creates `count` contacts in batches and answers their names.
pub(super) fn fill(kit: &mut Kit, count: usize) -> Vec<String> {
    let mut created = Vec::with_capacity(count);
    let numbers: Vec<usize> = (0..count).collect();
    for chunk in numbers.chunks(200) {
        let contacts: Vec<Value> = chunk
            .iter()
            .map(|n| json!({ "contactPerson": { "names": [{ "givenName": format!("N{n:05}") }] } }))
            .collect();
        let body = json!({ "contacts": contacts, "readMask": "metadata" });
        let answer = kit.ok("POST", "/v1/people:batchCreateContacts", Some(body));
        let responses = answer["createdPeople"].as_array().expect("people").iter();
        created.extend(responses.map(|response| name_of(&response["person"])));
    }
    created
}

/// Follows the page tokens of `path` to the end; answers all people and the last page.
pub(super) fn pages(kit: &mut Kit, path: &str) -> (Vec<Value>, Value) {
    let mut people = Vec::new();
    let mut page = kit.ok("GET", path, None);
    loop {
        people.extend(page["connections"].as_array().into_iter().flatten().cloned());
        let Some(token) = page["nextPageToken"].as_str() else { return (people, page) };
        assert!(page.get("nextSyncToken").is_none(), "the sync token comes on the last page only");
        page = kit.ok("GET", &format!("{path}&pageToken={token}"), None);
    }
}

#[test]
fn pages_hold_a_hundred_people_by_default_and_everybody_once() {
    let mut kit = Kit::new();
    let mut created = fill(&mut kit, 250);
    let first = kit.ok("GET", LIST, None);
    assert_eq!(first["connections"].as_array().map(Vec::len), Some(100));
    assert_eq!((&first["totalItems"], &first["totalPeople"]), (&json!(250), &json!(250)));
    let (people, last) = pages(&mut kit, LIST);
    let mut listed: Vec<String> = people.iter().map(name_of).collect();
    listed.sort();
    created.sort();
    assert_eq!(listed, created);
    assert!(last.get("nextSyncToken").is_none(), "nobody asked for a sync token");
}

#[test]
fn page_sizes_beyond_a_thousand_are_refused() {
    let mut kit = Kit::new();
    fill(&mut kit, 3);
    for size in ["1001", "-1", "many"] {
        kit.refused(400, "GET", &format!("{LIST}&pageSize={size}"), None);
    }
    let page = kit.ok("GET", &format!("{LIST}&pageSize=2"), None);
    assert_eq!(page["connections"].as_array().map(Vec::len), Some(2));
}

#[test]
fn other_parameters_on_a_later_page_are_refused() {
    let mut kit = Kit::new();
    fill(&mut kit, 5);
    let token = text(&kit.ok("GET", &format!("{LIST}&pageSize=2"), None)["nextPageToken"]).to_owned();
    kit.refused(400, "GET", &format!("{LIST}&pageSize=3&pageToken={token}"), None);
    let other = "/v1/people/me/connections?personFields=metadata,names&pageSize=2";
    kit.refused(400, "GET", &format!("{other}&pageToken={token}"), None);
    kit.refused(400, "GET", &format!("{LIST}&pageSize=2&pageToken=nonsense"), None);
    kit.ok("GET", &format!("{LIST}&pageSize=2&prettyPrint=false&pageToken={token}"), None);
}

#[test]
fn a_contact_deleted_between_two_pages_is_left_out_and_nobody_else_is_lost() {
    let mut kit = Kit::new();
    let created = fill(&mut kit, 6);
    let first = kit.ok("GET", &format!("{LIST}&pageSize=3"), None);
    let on_first = names(&first["connections"]);
    let gone = created.iter().find(|name| !on_first.contains(name)).expect("a name on page two").clone();
    kit.user().delete(&gone).expect("deleted");
    let token = text(&first["nextPageToken"]).to_owned();
    let second = kit.ok("GET", &format!("{LIST}&pageSize=3&pageToken={token}"), None);
    let rest = names(&second["connections"]);
    assert_eq!(rest.len(), 2);
    assert!(!rest.contains(&gone));
}

#[test]
fn sort_orders_work_without_sync_and_are_refused_with_it() {
    let mut kit = Kit::new();
    for name in ["Bo", "Al", "Cy"] {
        kit.add(name);
        kit.pass(Duration::from_secs(1));
    }
    let mut order = |order: &str| {
        let page = kit.ok("GET", &format!("{LIST}&sortOrder={order}"), None);
        let people = page["connections"].as_array().expect("people").iter();
        people.map(|person| text(&person["names"][0]["givenName"]).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(order("LAST_MODIFIED_ASCENDING"), ["Bo", "Al", "Cy"]);
    assert_eq!(order("LAST_MODIFIED_DESCENDING"), ["Cy", "Al", "Bo"]);
    assert_eq!(order("FIRST_NAME_ASCENDING"), ["Al", "Bo", "Cy"]);
    kit.refused(400, "GET", &format!("{LIST}&sortOrder=RANDOM"), None);
    kit.refused(400, "GET", &format!("{LIST}&requestSyncToken=true&sortOrder=LAST_MODIFIED_DESCENDING"), None);
    kit.ok("GET", &format!("{LIST}&requestSyncToken=true&sortOrder=LAST_MODIFIED_ASCENDING"), None);
}

#[test]
fn listings_show_a_hundred_addresses_and_direct_reads_all() {
    let mut kit = Kit::new();
    let mails: Vec<Value> = (0..120).map(|n| json!({ "value": format!("m{n}@x.test") })).collect();
    let phones: Vec<Value> = (0..101).map(|n| json!({ "value": format!("+49301234{n:04}") })).collect();
    let body = json!({ "emailAddresses": mails, "phoneNumbers": phones });
    let name = name_of(&kit.ok("POST", "/v1/people:createContact", Some(body)));
    let fields = "personFields=emailAddresses,phoneNumbers";
    let listed = kit.ok("GET", &format!("/v1/people/me/connections?{fields}"), None)["connections"][0].clone();
    let count = |person: &Value, field: &str| person[field].as_array().map(Vec::len);
    assert_eq!((count(&listed, "emailAddresses"), count(&listed, "phoneNumbers")), (Some(100), Some(100)));
    let read = kit.ok("GET", &format!("/v1/{name}?{fields}"), None);
    assert_eq!((count(&read, "emailAddresses"), count(&read, "phoneNumbers")), (Some(120), Some(101)));
}

#[test]
fn people_without_any_group_are_no_connections() {
    let mut kit = Kit::new();
    let name = kit.add("Ada");
    kit.add("Grace");
    kit.user().unlabel(&name, "myContacts").expect("unlabelled");
    let page = kit.ok("GET", LIST, None);
    assert_eq!(page["totalItems"], 1);
    assert!(!names(&page["connections"]).contains(&name));
}

#[test]
fn the_person_at_the_end_of_a_page_may_come_again_on_the_next() {
    let mut kit = Kit::new();
    fill(&mut kit, 5);
    kit.emulator.settings_mut().page_repeats = true;
    let (people, _) = pages(&mut kit, &format!("{LIST}&pageSize=2"));
    let listed: Vec<String> = people.iter().map(name_of).collect();
    assert_eq!(listed.len(), 7);
    assert_eq!((&listed[1], &listed[4]), (&listed[2], &listed[5]));
}

#[test]
fn a_full_address_book_is_listed_in_pages_of_a_thousand() {
    let mut kit = Kit::new();
    fill(&mut kit, 3000);
    kit.emulator.reset_counters();
    let (people, _) = pages(&mut kit, &format!("{LIST}&pageSize=1000&requestSyncToken=true&prettyPrint=false"));
    assert_eq!(people.len(), 3000);
    let count = kit.emulator.counters().method("people.connections.list");
    assert_eq!((count.calls, count.items, count.full_pulls, count.units.critical_reads), (3, 3000, 1, 3));
}
