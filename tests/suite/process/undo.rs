//! `undo` and `history`: what a run did on either side can be read, taken back, and brought back again.

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

/// A run that pushed an edit, pulled another and met a conflict.
fn edited(home: &Home, sandbox: &Sandbox) -> (String, Vec<String>) {
    let add = |name: &str| home.id(&["person", "add", "--name", name, "--email", &format!("{name}@example.org")]);
    let ids: Vec<String> = ["ada", "bob", "cleo"].map(add).into();
    home.json(&["sync"]);
    home.json(&["person", "edit", &ids[0], "--notes", "edited in the store"]);
    sandbox.edit(&sandbox.person_with("bob@example.org"), &json!({"nicknames": [{"value": "Bobby"}]}));
    home.json(&["person", "edit", &ids[2], "--notes", "ours"]);
    sandbox.edit(&sandbox.person_with("cleo@example.org"), &json!({"biographies": [{"value": "theirs"}]}));
    let run = home.json(&["sync"])["run"].as_str().expect("a run").to_owned();
    (run, ids)
}

fn notes(home: &Home, email: &str) -> Value {
    home.person_with(email)["notes"].clone()
}

#[test]
fn a_run_is_looked_at_undone_and_brought_back() {
    let sandbox = Sandbox::start();
    let home = Home::with_account(&sandbox, "conflict = \"store\"");
    let (run, ids) = edited(&home, &sandbox);

    let history = home.json(&["history", "--run", &run]);
    let rows = history.as_array().expect("rows");
    let of = |id: &str, replica: &str| {
        rows.iter().find(|row| row["contact"] == json!(id) && row["replica"] == json!(replica)).expect("a row").clone()
    };
    let pushed = of(&ids[0], "google:sales");
    assert_eq!(
        pushed["fields"],
        json!([{"field": "notes", "before": null, "after": "edited in the store"}]),
        "{pushed}"
    );
    assert!(pushed["record"].is_string() && pushed["run"] == json!(run), "{pushed}");
    assert_eq!(of(&ids[1], "store")["fields"][0]["field"], json!("nicknames"));
    assert_eq!(of(&ids[2], "store")["conflicts"][0]["remote"], json!("theirs"));
    let told = home.run(["history", &ids[2]]);
    assert!(told.ended(0).out.contains("theirs") && told.out.contains("Google's value lost"), "{}", told.out);

    let (rows, mutations) = (home.rows(), sandbox.mutations());
    let plan = home.json(&["undo", &run]);
    let operations = plan["accounts"][0]["operations"].as_array().expect("operations");
    let sides = |side: &str| operations.iter().filter(|one| one["side"] == json!(side)).count();
    assert_eq!((sides("store"), sides("google")), (3, 3), "{plan}");
    let told = home.run(["undo", &run]);
    assert!(told.ended(0).out.contains(&format!("contactsync undo {run} --yes")), "{}", told.out);
    assert_eq!((home.rows(), sandbox.mutations()), (rows, mutations), "nothing was written");

    let undone = home.json(&["undo", &run, "--yes"]);
    assert_eq!(undone["accounts"][0]["outcome"], json!("done"), "{undone}");
    assert_eq!(undone["accounts"][0]["pushed"]["updated"], json!(3), "{undone}");
    assert_eq!((notes(&home, "ada@example.org"), notes(&home, "cleo@example.org")), (Value::Null, json!("theirs")));
    assert_eq!(home.person_with("bob@example.org")["nicknames"], json!([]));
    assert!(sandbox.person_with("bob@example.org").get("nicknames").is_none());
    assert_eq!(sandbox.person_with("cleo@example.org")["biographies"][0]["value"], json!("theirs"));

    home.json(&["undo", undone["run"].as_str().expect("a run"), "--yes"]);
    assert_eq!(notes(&home, "ada@example.org"), json!("edited in the store"));
    assert_eq!(notes(&home, "cleo@example.org"), json!("ours"));
    assert_eq!(home.person_with("bob@example.org")["nicknames"], json!(["Bobby"]));
    sandbox.has_no_complaints();
}

#[test]
fn a_run_that_did_nothing_offers_nothing() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["sync"]);
    let run = home.json(&["sync"])["run"].as_str().expect("a run").to_owned();
    let told = home.run(["undo", &run]);
    assert!(told.ended(0).out.contains("there is nothing to take back"), "{}", told.out);
    assert!(!told.out.contains("--yes"), "{}", told.out);
}

#[test]
fn the_history_names_contacts() {
    let home = Home::alone();
    let id = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    let told = home.run(["history"]);
    assert!(told.ended(0).out.contains(&id) && told.out.contains("Ada King"), "{}", told.out);
    assert_eq!(home.json(&["history", &id])[0]["name"], json!("Ada King"));
}

#[test]
fn a_run_that_nobody_knows_is_refused() {
    let home = Home::alone();
    let ran = home.run(["undo", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "--yes"]);
    assert!(ran.ended(2).err.contains("there is no run"), "{}", ran.err);
    home.run(["undo", "tomorrow"]).ended(2);
}
