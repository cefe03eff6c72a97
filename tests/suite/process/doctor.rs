//! `doctor`: what it finds, what it names as the cure, and how it ends.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::process::{ACCOUNT, Home, Sandbox};

/// The findings of one check.
fn of<'a>(answer: &'a Value, check: &str) -> Vec<&'a Value> {
    let findings = answer["findings"].as_array().expect("findings");
    findings.iter().filter(|finding| finding["check"] == check).collect()
}

/// The only finding of one check that is not sound; its words and its cure.
fn wrong(answer: &Value, check: &str) -> (String, String) {
    let found = of(answer, check);
    let [finding] = found.iter().filter(|one| one["result"] != "sound").collect::<Vec<_>>()[..] else {
        panic!("{check}: {answer}");
    };
    let text = |member: &str| finding[member].as_str().unwrap_or_default().to_owned();
    (text("finding"), text("cure"))
}

#[test]
fn a_sound_account_is_found_sound_and_nothing_is_written() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.run(["sync"]).ended(0);
    let (mutations, history) = (sandbox.mutations(), home.run(["history", "--json"]).out.clone());
    let answer = home.json(&["doctor"]);
    assert_eq!(answer["healthy"], true, "{answer}");
    for check in ["configuration", "secrets", "permissions", "store", "grant", "user", "API", "group", "clock", "quota"]
    {
        assert!(of(&answer, check).iter().all(|finding| finding["result"] == "sound"), "{check}: {answer}");
        assert!(!of(&answer, check).is_empty(), "{check}: {answer}");
    }
    assert_eq!((sandbox.mutations(), home.run(["history", "--json"]).out.clone()), (mutations, history));
    let told = home.run(["doctor"]).ended(0).out.clone();
    assert!(told.contains("Everything is in place.") && told.contains("account sales"), "{told}");
}

#[test]
fn before_the_first_command_no_store_is_made() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let answer = home.json(&["doctor"]);
    assert!(wrong(&answer, "store").0.contains("none yet"), "{answer}");
    assert!(!home.path("contacts.db").exists());
}

#[test]
fn each_failure_names_its_cure() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.run(["sync"]).ended(0);

    set_permissions(home.path("contacts.db"), Permissions::from_mode(0o644)).expect("allowed");
    let answer = home.json(&["doctor"]);
    assert!(wrong(&answer, "permissions").1.contains("chmod 600"), "{answer}");
    set_permissions(home.path("contacts.db"), Permissions::from_mode(0o600)).expect("allowed");

    let groups = sandbox.control("GET", &format!("/accounts/{ACCOUNT}/groups"), None);
    let group = groups.as_array().expect("groups").iter().find(|group| group["groupType"] == "USER_CONTACT_GROUP");
    let id = group.expect("a group")["resourceName"].as_str().expect("a name").trim_start_matches("contactGroups/");
    sandbox.control("DELETE", &format!("/accounts/{ACCOUNT}/groups/{id}"), None);
    let answer = home.run(["--json", "doctor"]).json_after(1);
    let (found, cure) = wrong(&answer, "group");
    assert!(found.contains("was deleted in Google") && cure.contains("make a group"), "{answer}");

    sandbox.control("POST", "/clock", Some(&json!({"advance_ms": 600_000})));
    let answer = home.run(["--json", "doctor"]).json_after(1);
    let (found, cure) = wrong(&answer, "clock");
    assert!(found.contains("behind Google's") && cure.contains("timedatectl"), "{answer}");

    sandbox.set(&json!({"api_enabled": false}));
    let answer = home.run(["--json", "doctor"]).json_after(78);
    let (found, cure) = wrong(&answer, "API");
    assert!(found.contains("switched off") && cure.contains("Cloud console"), "{answer}");
    sandbox.set(&json!({"api_enabled": true}));

    sandbox.revoke_grant();
    let answer = home.run(["--json", "doctor"]).json_after(77);
    assert!(wrong(&answer, "grant").1.contains("contactsync login sales"), "{answer}");
}

#[test]
fn a_remote_that_is_not_there_is_tried_later() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.run(["sync"]).ended(0);
    sandbox.stop();
    let answer = home.run(["--json", "doctor"]).json_after(75);
    assert!(wrong(&answer, "grant").1.contains("network"), "{answer}");
}
