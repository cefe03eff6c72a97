//! `apply`: a plan that was seen is carried out, and nothing else ever is.

use std::fs;

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

/// Two contacts on both sides, and an edit on each.
fn edited(home: &Home, sandbox: &Sandbox) {
    for name in ["ada", "bob"] {
        home.json(&["person", "add", "--name", name, "--email", &format!("{name}@example.org")]);
    }
    home.json(&["sync"]);
    let id = home.person_with("ada@example.org")["id"].as_str().expect("an id").to_owned();
    home.json(&["person", "edit", &id, "--notes", "edited in the store"]);
    sandbox.edit(&sandbox.person_with("bob@example.org"), &json!({"nicknames": [{"value": "Bobby"}]}));
    let company = json!({"names": [{"givenName": "Cleo"}], "organizations": [{"name": "New Company"}]});
    sandbox.create(&company, Some("Team"));
}

fn plan(home: &Home, line: &[&str]) -> String {
    let plan = home.json(&[&["plan"], line].concat());
    plan["plan"].as_str().expect("an id").to_owned()
}

/// Every file of the folder with what is in it.
fn files(home: &Home) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(home.path("")).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap_or_default()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_plan_is_carried_out_once() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    edited(&home, &sandbox);
    let id = plan(&home, &[]);
    assert_eq!(plan(&home, &[]), id, "the same plan has the same id");
    let run = home.json(&["apply", &id]);
    let account = &run["accounts"][0];
    assert_eq!(account["pushed"], json!({"created": 0, "updated": 1, "deleted": 0}), "{run}");
    assert_eq!(account["pulled"], json!({"created": 1, "updated": 1, "deleted": 0}), "{run}");
    assert_eq!(account["outcome"], json!("done"), "{run}");
    assert!(run["run"].is_string(), "{run}");
    let (rows, mutations) = (home.rows(), sandbox.mutations());
    let again = home.run(["apply", &id]);
    assert!(again.ended(3).err.contains("the world has moved"), "{}", again.err);
    assert_eq!((home.rows(), sandbox.mutations()), (rows, mutations), "nothing was written");
    let nothing = plan(&home, &[]);
    assert_eq!(home.json(&["apply", &nothing])["accounts"][0]["pushed"]["updated"], json!(0));
}

#[test]
fn a_plan_is_refused_when_the_world_has_moved() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    edited(&home, &sandbox);
    let id = plan(&home, &[]);
    let person = sandbox.person_with("bob@example.org");
    sandbox.edit(&person, &json!({"nicknames": [{"value": "Robert"}]}));
    let (rows, mutations) = (home.rows(), sandbox.mutations());
    let ran = home.run(["apply", &id]);
    assert!(ran.ended(3).err.contains("contactsync plan"), "{}", ran.err);
    assert_eq!((home.rows(), sandbox.mutations()), (rows, mutations), "nothing was written");
    let moved = plan(&home, &[]);
    assert_ne!(moved, id);
    home.json(&["apply", &moved]);
}

#[test]
fn a_plan_that_cannot_be_looked_at_any_more_says_why() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    edited(&home, &sandbox);
    let id = plan(&home, &[]);
    sandbox.revoke_grant();
    home.run(["apply", &id]).refused(77, &["contactsync login sales", "nothing was written"]);
}

#[test]
fn a_plan_that_only_makes_a_group_is_a_plan_of_its_own() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    home.json(&["person", "list"]);
    let makes_a_group = plan(&home, &[]);
    home.json(&["apply", &makes_a_group]);
    assert_ne!(plan(&home, &[]), makes_a_group);
    home.run(["apply", &makes_a_group]).ended(3);
}

#[test]
fn the_id_says_what_the_plan_was_made_of() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    edited(&home, &sandbox);
    let all = plan(&home, &[]);
    let [one, full, both] = [
        plan(&home, &["--account", "sales"]),
        plan(&home, &["--full"]),
        plan(&home, &["--account", "sales", "--full"]),
    ];
    assert_eq!([&one, &full, &both], [&format!("{all}:sales"), &format!("{all}-full"), &format!("{all}-full:sales")]);
    home.json(&["apply", &both]);
    for nonsense in ["plan", "0123", "0123456789abcdef0123456789:"] {
        assert!(home.run(["apply", nonsense]).ended(2).err.contains("not the id of a plan"), "{nonsense}");
    }
    home.run(["apply", &format!("{all}:nobody")]).ended(2);
}

#[test]
fn what_the_plan_shows_as_parked_stays_parked() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let rows: String = (0..30).map(|n| format!("Person {n},p{n}@example.org\n")).collect();
    home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.json(&["import", "people.csv", "--yes"]);
    home.json(&["sync"]);
    for n in 10..20 {
        sandbox.delete(&sandbox.person_with(&format!("p{n}@example.org")));
    }
    sandbox.edit(&sandbox.person_with("p20@example.org"), &json!({"nicknames": [{"value": "Twenty"}]}));
    let told = home.run(["--json", "plan"]);
    let told: Value = serde_json::from_str(&told.ended(3).out).expect("a plan");
    let operations = told["accounts"][0]["operations"].as_array().expect("operations");
    assert_eq!(operations.iter().filter(|one| one["parked"] == json!(true)).count(), 10, "{told}");
    let ran = home.run(["--json", "apply", told["plan"].as_str().expect("an id")]);
    let run: Value = serde_json::from_str(&ran.ended(3).out).expect("a run");
    let account = &run["accounts"][0];
    assert_eq!((&account["parked"], &account["pulled"]["updated"]), (&json!(10), &json!(1)), "{run}");
    assert_eq!(account["pulled"]["deleted"], json!(0), "{run}");
    let approved = home.json(&["approve", run["run"].as_str().expect("a run")]);
    assert_eq!(approved["accounts"][0]["pulled"]["deleted"], json!(10), "{approved}");
}

#[test]
fn a_plan_leaves_every_file_as_it_was() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    edited(&home, &sandbox);
    let before = files(&home);
    home.run(["plan"]).ended(0);
    home.run(["plan", "--full"]).ended(0);
    let after = files(&home);
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before));
    for ((name, was), (_, is)) in before.iter().zip(&after) {
        assert!(was == is, "{name} changed");
    }
}

#[test]
fn a_plan_before_the_first_sync_leaves_every_file_as_it_was() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    let before = files(&home);
    home.run(["plan"]).ended(0);
    assert!(files(&home) == before, "{:?}", files(&home).iter().map(|(name, _)| name).collect::<Vec<_>>());
}
