//! `approve`: what a guard has parked is named by `status`, let through by its run, and by no other name.

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

/// Ten of thirty contacts are deleted in Google, and the guard has parked that.
fn parked(home: &Home, sandbox: &Sandbox) -> String {
    let rows: String = (0..30).map(|n| format!("Person {n},p{n}@example.org\n")).collect();
    home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.json(&["import", "people.csv", "--yes"]);
    home.json(&["sync"]);
    for n in 10..20 {
        sandbox.delete(&sandbox.person_with(&format!("p{n}@example.org")));
    }
    let told = home.run(["sync"]);
    let run = home.json(&["status"])["accounts"][0]["approve"].as_str().expect("a run").to_owned();
    assert!(told.ended(3).out.contains(&format!("contactsync approve {run}")), "{}", told.out);
    run
}

fn living(home: &Home) -> usize {
    home.json(&["person", "list"]).as_array().expect("a list").len()
}

#[test]
fn status_names_the_run_and_approving_it_carries_out_what_was_parked() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let run = parked(&home, &sandbox);
    let status = home.json(&["status"])["accounts"][0].clone();
    assert_eq!((&status["parked"], &status["parked_by_guard"]), (&json!(10), &json!(10)), "{status}");
    let told = home.run(["status"]);
    assert!(told.ended(0).out.contains(&format!("contactsync approve {run}")), "{}", told.out);
    assert_eq!(living(&home), 30);

    let approved = home.json(&["approve", &run]);
    let account = &approved["accounts"][0];
    assert_eq!((&account["outcome"], &account["pulled"]["deleted"]), (&json!("done"), &json!(10)), "{approved}");
    assert_ne!(approved["run"], Value::String(run.clone()), "a run of its own");
    assert_eq!(living(&home), 20);
    assert_eq!(home.json(&["status"])["accounts"][0]["approve"], Value::Null);

    let again = home.run(["approve", &run]);
    assert!(again.ended(0).out.contains("nothing is parked"), "{}", again.out);
    assert_eq!(home.json(&["approve", &run]), json!({"run": run, "accounts": []}));
}

#[test]
fn what_waits_for_a_lost_group_is_told_with_its_cure_by_sync_and_by_status() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.json(&["sync"]);
    sandbox.delete_group("Team");
    let cure = "its pair waits: make a group \"Team\" there, or remove the pair";
    let told = home.run(["sync"]);
    assert!(told.ended(3).out.contains(cure), "{}", told.out);
    let told = home.run(["status"]);
    assert!(told.ended(0).out.contains(cure), "{}", told.out);
    let notices = home.json(&["status"])["accounts"][0]["notices"].clone();
    assert!(notices[0].as_str().is_some_and(|notice| notice.contains(cure)), "{notices}");
}

#[test]
fn a_guard_says_what_it_counts_and_what_it_allows() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    parked(&home, &sandbox);
    let told = home.run(["status"]);
    for words in
        ["10 deletions in the store are too many", "guard.max_deletes = 10% allows 5 within 24 hours", "30 contacts"]
    {
        assert!(told.ended(0).out.contains(words), "{words}: {}", told.out);
    }
    assert_eq!(told.out.matches("contactsync approve").count(), 1, "once: {}", told.out);
}

#[test]
fn a_sync_tells_of_links_and_groups_and_names_its_run() {
    let sandbox = Sandbox::start();
    let home = Home::with_account(&sandbox, "delete = { left_group = \"unlink\" }");
    home.json(&["sync"]);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    let ada = json!({"names": [{"givenName": "Ada"}], "emailAddresses": [{"value": "ada@example.org"}]});
    sandbox.create(&ada, Some("Team"));
    let linked = home.json(&["sync"])["accounts"][0]["links"].clone();
    assert_eq!(linked["linked"], json!(1), "{linked}");
    sandbox.leave(&sandbox.person_with("ada@example.org"), "Team");
    let told = home.run(["sync"]);
    for words in ["links and groups: 1 no longer kept equal", "contactsync undo"] {
        assert!(told.ended(0).out.contains(words), "{words}: {}", told.out);
    }
}

#[test]
fn a_run_that_nobody_knows_is_refused() {
    let home = Home::alone();
    let ran = home.run(["approve", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]);
    assert!(ran.ended(2).err.contains("there is no run 01ARZ3NDEKTSV4RRFFQ69G5FAV"), "{}", ran.err);
    home.run(["approve", "yesterday"]).ended(2);
}
