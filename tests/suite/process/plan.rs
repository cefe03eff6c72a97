//! `plan`: looks, tells, and leaves no trace on either side.

use std::fs;

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

fn operations(plan: &Value) -> Vec<String> {
    let operations = plan["accounts"][0]["operations"].as_array().expect("operations");
    let mut told: Vec<String> = operations
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("side"), text("op"), text("name"))
        })
        .collect();
    told.sort();
    told
}

/// Both sides after a first sync, with a change of every kind on each.
fn changed_on_both_sides(home: &Home, sandbox: &Sandbox) {
    for name in ["Ada", "Bob", "Cleo", "Dora", "Emil"] {
        home.json(&["person", "add", "--name", name, "--email", &format!("{}@example.org", name.to_lowercase())]);
    }
    home.json(&["sync"]);
    let id = |name: &str| home.person_with(&format!("{name}@example.org"))["id"].as_str().expect("an id").to_owned();
    home.json(&["person", "edit", &id("ada"), "--notes", "edited in the store"]);
    home.json(&["person", "delete", &id("bob")]);
    home.json(&["person", "add", "--name", "Fritz", "--email", "fritz@example.org"]);
    sandbox.edit(&sandbox.person_with("cleo@example.org"), &json!({"nicknames": [{"value": "edited in Google"}]}));
    sandbox.delete(&sandbox.person_with("dora@example.org"));
    sandbox.create(
        &json!({"names": [{"givenName": "Gerd"}], "emailAddresses": [{"value": "gerd@example.org"}]}),
        Some("Team"),
    );
}

fn files(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.path("")).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_plan_writes_nowhere_is_the_same_twice_and_comes_true() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    changed_on_both_sides(&home, &sandbox);
    let (rows, mutations, files) = (home.rows(), sandbox.mutations(), self::files(&home));
    let plan = home.json(&["plan"]);
    assert_eq!(
        operations(&plan),
        [
            "google create Fritz",
            "google delete Bob",
            "google update Ada",
            "store create Gerd",
            "store delete Dora",
            "store update Cleo",
        ],
        "{plan}"
    );
    assert_eq!(home.json(&["plan"]), plan);
    assert_eq!(home.json(&["plan", "--account", "sales"])["accounts"], plan["accounts"]);
    let told = home.run(["plan"]);
    for words in [
        "sales: 6 operations",
        "google update   Ada",
        "notes: (none) -> edited in the store",
        plan["plan"].as_str().expect("an id"),
    ] {
        assert!(told.ended(0).out.contains(words), "{words:?}: {}", told.out);
    }
    assert_eq!(home.rows(), rows, "the store is untouched");
    assert_eq!(sandbox.mutations(), mutations, "Google is untouched");
    assert_eq!(self::files(&home), files, "no scratch stays behind");
    let run = home.json(&["sync"])["accounts"][0].clone();
    assert_eq!(run["pushed"], json!({"created": 1, "updated": 1, "deleted": 1}), "{run}");
    assert_eq!(run["pulled"], json!({"created": 1, "updated": 1, "deleted": 1}), "{run}");
    let empty = home.json(&["plan"]);
    assert_eq!(operations(&empty), Vec::<String>::new(), "{empty}");
    assert_ne!(empty["plan"], plan["plan"]);
    assert_eq!(home.json(&["plan", "--full"])["accounts"], empty["accounts"]);
    assert!(home.run(["plan"]).ended(0).out.contains("no contact has to change"));
    sandbox.has_no_complaints();
}

#[test]
fn a_plan_in_a_new_folder_makes_no_store() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    sandbox.create(&json!({"names": [{"givenName": "Gerd"}]}), None);
    let before = files(&home);
    let ran = home.run(["plan"]);
    assert!(ran.ended(0).err.contains("there is no store at") && ran.out.contains("\"Team\""), "{ran:?}");
    assert_eq!(files(&home), before);
    home.configure(&home.read("contactsync.toml").replace("sqlite:contacts.db", "sqlite:new/folder/contacts.db"));
    home.json(&["plan"]);
    assert_eq!(files(&home), before);
}

#[test]
fn a_plan_in_a_new_folder_keeps_a_refresh_token_that_came_with_it() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    home.configure(&home.read("contactsync.toml").replace("sqlite:contacts.db", "sqlite:new/folder/contacts.db"));
    sandbox.set(&json!({"rotate_refresh_tokens": true}));
    let ran = home.run(["plan"]);
    assert!(ran.ended(0).err.contains("Google replaced the consent"), "{ran:?}");
    home.json(&["plan"]);
    home.json(&["sync"]);
}

#[test]
fn a_conflict_is_planned_as_the_policy_decides_it() {
    for (policy, taken, both) in [
        ("store", "store", "store ours | Google theirs -> the store's is taken"),
        ("google", "remote", "store ours | Google theirs -> Google's is taken"),
        ("manual", "hold", "store ours | Google theirs -> each side keeps its own"),
    ] {
        let sandbox = Sandbox::start();
        let home = Home::with_account(&sandbox, &format!("conflict = \"{policy}\""));
        let id = home.id(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
        home.json(&["sync"]);
        home.json(&["person", "edit", &id, "--notes", "ours"]);
        sandbox.edit(&sandbox.person_with("ada@example.org"), &json!({"biographies": [{"value": "theirs"}]}));
        let plan = home.run(["plan", "--json"]).json();
        let operations = plan["accounts"][0]["operations"].as_array().expect("operations");
        let conflict = &operations.iter().find(|one| one["op"] == "conflict").expect("a conflict")["fields"]["notes"];
        let sides = json!({"store": "ours", "google": "theirs", "taken": taken});
        assert_eq!((&conflict["before"], &conflict["conflict"]), (&json!("ours"), &sides), "{plan}");
        let told = home.run(["plan"]);
        assert!(told.out.contains(both), "{}", told.out);
        home.run(["sync"]);
        let after = home.person_with("ada@example.org")["notes"].clone();
        assert_eq!(conflict["after"], after, "the plan comes true under {policy}");
    }
}

#[test]
fn a_plan_before_the_first_sync_makes_no_group() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    let rows = home.rows();
    let plan = home.json(&["plan"]);
    assert_eq!(operations(&plan), ["google create Ada"]);
    assert!(plan["accounts"][0]["notices"][0].as_str().is_some_and(|notice| notice.contains("\"Team\"")), "{plan}");
    assert_eq!((sandbox.mutations(), home.rows()), (0, rows));
}

#[test]
fn names_cannot_talk_to_the_terminal() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    let name = "Ada\u{1b}]0;owned\u{7}\u{1b}[31m King";
    let id = home.id(&["person", "add", "--name", name, "--email", "ada@example.org"]);
    for line in [
        &["plan"][..],
        &["sync"],
        &["person", "list"],
        &["person", "show", &id],
        &["person", "edit", &id, "--notes", "\u{1b}c"],
        &["history", &id],
    ] {
        let ran = home.run(line);
        assert!(!ran.ended(0).out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{ran:?}");
    }
}

#[test]
fn a_plan_keeps_a_refresh_token_that_came_with_it() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    sandbox.set(&json!({"rotate_refresh_tokens": true}));
    home.json(&["plan"]);
    home.json(&["plan"]);
    home.json(&["sync"]);
}

#[test]
fn a_plan_tells_a_conflict_and_a_guard() {
    let sandbox = Sandbox::start();
    let home = Home::with_account(&sandbox, "conflict = \"manual\"");
    let rows: String = (0..30).map(|n| format!("Person {n},p{n}@example.org\n")).collect();
    home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.json(&["import", "people.csv", "--yes"]);
    home.json(&["sync"]);
    let id = home.person_with("p29@example.org")["id"].as_str().expect("an id").to_owned();
    home.json(&["person", "edit", &id, "--notes", "ours"]);
    let theirs = json!({"biographies": [{"value": "theirs", "contentType": "TEXT_PLAIN"}]});
    sandbox.edit(&sandbox.person_with("p29@example.org"), &theirs);
    for n in 10..20 {
        sandbox.delete(&sandbox.person_with(&format!("p{n}@example.org")));
    }
    let rows = home.rows();
    let plan = home.run(["plan", "--json"]);
    let code = plan.code;
    let plan = plan.json();
    let told = operations(&plan);
    assert!(told.iter().any(|one| one == "google conflict Person 29" || one == "store conflict Person 29"), "{plan}");
    assert_eq!(told.iter().filter(|one| one.starts_with("store delete")).count(), 10, "{plan}");
    assert_eq!(code, Some(3), "what sync would end with");
    assert_eq!(home.rows(), rows);
}
