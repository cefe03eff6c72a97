//! The control API.

use serde_json::json;

use super::*;

fn base() -> String {
    format!("/control/accounts/{EMAIL}")
}

#[test]
fn the_user_creates_edits_labels_and_deletes_contacts() {
    let mut kit = Kit::new();
    let base = base();
    let person = kit.ok(
        "POST",
        &format!("{base}/people"),
        Some(json!({ "names": [{ "givenName": "Ada" }], "urls": [{ "value": "x.test" }] })),
    );
    let id = text(&person["resourceName"]).strip_prefix("people/").expect("a name").to_owned();
    let path = format!("{base}/people/{id}");
    let patch = json!({ "names": [{ "givenName": "Bo" }], "urls": null });
    let edited = kit.ok("PATCH", &path, Some(patch));
    assert_eq!(edited["names"][0]["displayName"], "Bo");
    assert!(edited.get("urls").is_none());
    let group = kit.ok("POST", &format!("{base}/groups"), Some(json!({ "name": "VIP" })));
    let group_id = text(&group["resourceName"]).strip_prefix("contactGroups/").expect("a group").to_owned();
    let labelled = kit.ok("PUT", &format!("{path}/labels/{group_id}"), None);
    assert_eq!(labelled["memberships"].as_array().map(Vec::len), Some(2));
    let renamed = kit.ok("PATCH", &format!("{base}/groups/{group_id}"), Some(json!({ "name": "Very VIP" })));
    assert_eq!(renamed["formattedName"], "Very VIP");
    let groups = kit.ok("GET", &format!("{base}/groups"), None);
    let last = groups.as_array().and_then(|groups| groups.last()).expect("a group");
    assert_eq!(last["memberResourceNames"], json!([person["resourceName"]]));
    kit.ok("DELETE", &format!("{path}/labels/{group_id}"), None);
    kit.ok("DELETE", &format!("{base}/groups/{group_id}"), None);
    assert_eq!(kit.ok("GET", &path, None)["memberships"].as_array().map(Vec::len), Some(1));
    kit.ok("DELETE", &path, None);
    assert_eq!(kit.ok("GET", &format!("{base}/people"), None), json!([]));
    assert_eq!(kit.ok("GET", &format!("{base}/trash"), None)[0]["metadata"]["deleted"], true);
    let restored = kit.ok("POST", &format!("{path}/restore"), None);
    assert_eq!(restored["resourceName"], person["resourceName"]);
}

#[test]
fn the_dump_is_complete_and_sorted() {
    let mut kit = Kit::new();
    let people: Vec<Value> = (0..20).map(|n| json!({ "names": [{ "givenName": format!("N{n}") }] })).collect();
    kit.ok("POST", &format!("{}/people", base()), Some(Value::Array(people)));
    let dump = kit.ok("GET", &format!("{}/people", base()), None);
    let listed = names(&dump);
    assert_eq!(listed.len(), 20);
    assert!(listed.is_sorted());
    assert!(dump[0]["memberships"].is_array() && dump[0]["metadata"]["sources"].is_array());
}

#[test]
fn merges_renames_bumps_and_profiles_have_routes() {
    let mut kit = Kit::new();
    let (one, two) = (kit.add("A"), kit.add("B"));
    let base = base();
    let path = format!("{base}/{one}");
    kit.ok("PUT", &format!("{path}/profile"), Some(json!({ "nicknames": [{ "value": "P" }] })));
    kit.ok("POST", &format!("{path}/bump-etag"), None);
    kit.ok("POST", &format!("{path}/merge"), Some(json!({ "others": [two], "previous_names": true })));
    let renamed = kit.ok("POST", &format!("{path}/rename"), Some(json!({ "tombstone": true, "old_name_leads": true })));
    assert_ne!(name_of(&renamed), one);
    kit.ok("GET", &format!("/v1/{one}?personFields=names"), None);
}

#[test]
fn the_user_sets_and_removes_photos() {
    let mut kit = Kit::new();
    let person = kit.add("Ada");
    let path = format!("{}/{person}/photo", base());
    assert_eq!(kit.get(&path).0, 404);
    let bytes = json!({ "photoBytes": "/9j/2Q==" });
    let shown = kit.ok("PUT", &path, Some(bytes.clone()));
    assert_eq!(kit.ok("GET", &path, None), bytes);
    let rotated = kit.ok("POST", &format!("{}/{person}/rotate-photo", base()), None);
    assert_ne!(shown["photos"][0]["url"], rotated["photos"][0]["url"]);
    assert_eq!(kit.ok("GET", &path, None), bytes);
    assert_eq!(kit.ok("DELETE", &path, None)["photos"][0]["default"], true);
    assert_eq!(kit.call("PUT", &path, Some(json!({ "photoBytes": "%" }))).0, 400);
    assert_eq!(kit.call("PUT", &path, Some(json!({ "photoBytes": "bm90" }))).0, 409);
}

#[test]
fn the_clock_moves_forward_and_tokens_age_with_it() {
    let mut kit = Kit::new();
    let before = text(&kit.ok("GET", "/control/clock", None)["now"]).parse::<Timestamp>().expect("a time");
    let after = kit.ok("POST", "/control/clock", Some(json!({ "advance_ms": 3_600_000 })));
    let after = text(&after["now"]).parse::<Timestamp>().expect("a time");
    assert_eq!(after.since(before), Duration::from_secs(3600));
    assert_eq!(kit.get("/v1/people/me?personFields=names").0, 401);
    kit.token = kit.fresh_token(EMAIL);
    kit.pass(Duration::from_secs(1));
    let later = text(&kit.ok("GET", "/control/clock", None)["now"]).parse::<Timestamp>().expect("a time");
    assert_eq!(later.since(after), Duration::from_secs(1));
    kit.ok("GET", &format!("{}/people", base()), None);
    kit.ok("GET", "/control/accounts", None);
    assert_eq!(kit.ok("GET", "/control/clock", None)["now"], json!(later.to_string()), "looking costs no time");
    assert_eq!(kit.post("/control/clock", json!({ "advance_ms": -5 })).0, 400);
}

#[test]
fn settings_faults_and_counters_are_set_and_read() {
    let mut kit = Kit::new();
    let patch = json!({ "propagation": { "delta": { "min_ms": 0, "max_ms": 5 } }, "mode": "lenient", "granted_scopes": ["openid"] });
    let settings = kit.ok("PATCH", "/control/settings", Some(patch));
    assert_eq!(settings["propagation"]["delta"]["max_ms"], 5);
    assert_eq!(kit.ok("GET", "/control/settings", None), settings);
    assert_eq!(
        kit.call("PATCH", "/control/settings", Some(json!({ "granted_scopes": null }))).1["granted_scopes"],
        Value::Null
    );
    assert_eq!(kit.call("PATCH", "/control/settings", Some(json!({ "modus": "x" }))).0, 400);

    let fault = json!({ "method": "people.get", "times": 2, "kind": { "status": 503 } });
    kit.ok("POST", "/control/faults", Some(fault));
    kit.ok("POST", "/control/faults", Some(json!([{ "kind": "drop" }, { "kind": { "apply_late": 10 } }])));
    assert_eq!(kit.ok("GET", "/control/faults", None).as_array().map(Vec::len), Some(3));
    assert_eq!(kit.get("/v1/people/me?personFields=names").0, 503);
    kit.ok("DELETE", "/control/faults", None);
    assert_eq!(kit.post("/control/faults", json!({ "kind": "explode" })).0, 400);

    let counters = kit.ok("GET", "/control/counters", None);
    assert_eq!(counters["total"]["calls"], 1);
    assert_eq!(counters["accounts"][EMAIL]["people.get"]["statuses"]["503"], 1);
    kit.ok("DELETE", "/control/counters", None);
    assert_eq!(kit.ok("GET", "/control/counters", None)["total"]["calls"], 0);
}

#[test]
fn grants_and_tokens_can_be_ended() {
    let mut kit = Kit::new();
    let base = base().replace('@', "%40");
    kit.ok("POST", &format!("{base}/expire-access-tokens"), None);
    assert_eq!(kit.get("/v1/people/me?personFields=names").0, 401);
    kit.token = text(&kit.ok("POST", &format!("{base}/access-token"), None)["access_token"]).to_owned();
    assert_eq!(kit.get("/v1/people/me?personFields=names").0, 200);
    kit.ok("POST", &format!("{base}/expire-sync-tokens"), None);
    kit.ok("POST", &format!("{base}/revoke-grant"), None);
    assert!(kit.emulator.refresh_token(EMAIL).is_none());
    let token = kit.ok("POST", &format!("{base}/grant"), None);
    assert_eq!(kit.emulator.refresh_token(EMAIL), token["refresh_token"].as_str());
}

#[test]
fn a_reset_brings_the_beginning_back_and_not_the_time() {
    let mut kit = Kit::new();
    let refresh = kit.emulator.refresh_token(EMAIL).expect("a token").to_owned();
    kit.add("A");
    let now = kit.emulator.now();
    kit.ok("POST", "/control/reset", None);
    assert_eq!(kit.emulator.refresh_token(EMAIL), Some(refresh.as_str()));
    assert_eq!(kit.emulator.now(), now);
    assert!(kit.user().people().is_empty());
    let accounts = kit.ok("GET", "/control/accounts", None);
    assert_eq!(accounts[0]["email"], EMAIL);
    assert_eq!(accounts[0]["refresh_token"], json!(refresh));
}

#[test]
fn what_is_not_there_is_said_so() {
    let mut kit = Kit::new();
    for (verb, path) in [
        ("GET", "/control/accounts/nobody@acme.example/people".to_owned()),
        ("DELETE", format!("{}/people/c5", base())),
        ("GET", "/control/nothing".to_owned()),
        ("POST", format!("{}/people/c5/restore", base())),
    ] {
        assert_eq!(kit.call(verb, &path, None).0, 404, "{verb} {path}");
    }
    assert_eq!(kit.post(&format!("{}/people", base()), json!({ "names": [{}, {}] })).0, 409);
    assert_eq!(kit.call("PATCH", &format!("{}/groups/starred", base()), Some(json!({ "name": "x" }))).0, 409);
}

/// One `curl` line of the manual: verb, path and body, with the variables filled in.
fn example(line: &str, values: &[(&str, &str)]) -> (String, String, Option<Value>) {
    let filled = values.iter().fold(line.to_owned(), |line, (name, value)| line.replace(name, value));
    let (command, body) = match filled.split_once(" -d '") {
        Some((command, body)) => (command.to_owned(), Some(body.trim_end_matches('\'').to_owned())),
        None => (filled, None),
    };
    let words: Vec<&str> = command.split(' ').collect();
    let (verb, path) = match words.as_slice() {
        ["curl", path] => ("GET", *path),
        ["curl", "-X", verb, path] => (*verb, *path),
        _ => panic!("not an example: {line}"),
    };
    let body = body.map(|body| serde_json::from_str(&body).expect("JSON"));
    (verb.to_owned(), path.to_owned(), body)
}

#[test]
fn every_example_of_the_manual_works() {
    let manual = include_str!("../../../docs/sandbox.md");
    let lines: Vec<&str> = manual.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(lines.len() > 30);
    for line in lines {
        let mut kit = Kit::new();
        let (person, other, trashed) = (kit.add("A"), kit.add("B"), kit.add("C"));
        kit.user().delete(&trashed).expect("deleted");
        let photogenic = kit.add("D");
        kit.user().set_photo(&photogenic, b"\xff\xd8\xff\xd9").expect("set");
        let group = name_of(&kit.user().create_group("VIP").expect("created"));
        let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let (person, other, trashed, group) = (id(&person), id(&other), id(&trashed), id(&group));
        let photogenic = id(&photogenic);
        let values = [
            ("$CONTROL", "/control"),
            ("$EMAIL", EMAIL),
            ("$PERSON", &person),
            ("$OTHER", &other),
            ("$TRASHED", &trashed),
            ("$PHOTOGENIC", &photogenic),
            ("$GROUP", &group),
        ];
        let (verb, path, body) = example(line, &values);
        kit.ok(&verb, &path, body);
    }
}
