//! `explain`: both sides, what they agreed on, how far each has come, what decided last, and what comes next.

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

fn field<'a>(account: &'a Value, name: &str) -> &'a Value {
    let fields = account["fields"].as_array().expect("fields");
    fields.iter().find(|one| one["field"] == json!(name)).unwrap_or_else(|| panic!("{name}: {account}"))
}

#[test]
fn a_contact_is_explained_on_both_sides_without_writing_anywhere() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    let id = home.id(&["person", "add", "--name", "Ada", "--email", "ada@example.org", "--notes", "first"]);
    let new = home.json(&["explain", &id]);
    assert_eq!((&new["accounts"][0]["state"], &new["accounts"][0]["next"][0]["op"]), (&Value::Null, &json!("create")));
    home.json(&["sync"]);
    home.json(&["person", "edit", &id, "--notes", "second"]);
    sandbox.edit(&sandbox.person_with("ada@example.org"), &json!({"nicknames": [{"value": "Countess"}]}));
    let (rows, mutations) = (home.rows(), sandbox.mutations());
    let explained = home.json(&["explain", &id]);
    assert_eq!((home.rows(), sandbox.mutations()), (rows, mutations));
    assert_eq!(explained["version"], json!({"store": 2}), "{explained}");
    let last = &explained["last"];
    assert_eq!((&last["replica"], &last["rule"]), (&json!("store"), &json!("a person changed it in the store")));
    let account = &explained["accounts"][0];
    assert_eq!((&account["state"], &account["acked"]), (&json!("bound"), &json!({"store": 1})), "{account}");
    let notes = field(account, "notes");
    assert_eq!(notes, &json!({"field": "notes", "base": "first", "store": "second", "google": "first"}), "{account}");
    let next = account["next"].as_array().expect("operations");
    let told: Vec<String> = next.iter().map(|one| format!("{} {}", one["side"], one["op"])).collect();
    assert_eq!(told, ["\"store\" \"update\"", "\"google\" \"update\""], "{account}");
    let told = home.run(["explain", &id]);
    for words in ["Ada (person ", "version: store 2", "sales: linked", "agreed first | store second | Google first"] {
        assert!(told.ended(0).out.contains(words), "{words}: {}", told.out);
    }
    home.json(&["sync"]);
    let told = home.run(["explain", &id]);
    assert!(told.ended(0).out.contains("the next run has nothing to do with it"), "{}", told.out);
}

#[test]
fn what_both_sides_say_in_their_own_way_is_no_difference() {
    let sandbox = Sandbox::start();
    let home = Home::with_account(&sandbox, "conflict = \"manual\"");
    let id = home.id(&[
        "person",
        "add",
        "--name",
        "Ada",
        "--email",
        "ada@example.org",
        "--label",
        "Customer",
        "--organization",
        "Example GmbH",
        "--owner",
        "sales@example.org",
        "--notes",
        "agreed",
    ]);
    home.json(&["sync"]);
    let differences = || {
        let told = home.run(["explain", &id]);
        let lines: Vec<String> =
            told.ended(0).out.lines().filter(|line| line.contains(": agreed ")).map(str::to_owned).collect();
        lines
    };
    assert_eq!(differences(), [] as [String; 0]);
    home.json(&["person", "edit", &id, "--notes", "ours"]);
    sandbox.edit(&sandbox.person_with("ada@example.org"), &json!({"biographies": [{"value": "theirs"}]}));
    home.run(["sync"]).ended(3);
    assert_eq!(differences(), ["  notes: agreed agreed | store ours | Google theirs"]);
    let told = home.run(["sync"]);
    assert!(told.ended(3).out.contains("1 conflict waits: contactsync conflict list"), "{}", told.out);
    let told = home.run(["status"]);
    assert!(told.ended(0).out.contains("1 conflict waits: contactsync conflict list"), "{}", told.out);
}

#[test]
fn a_conflict_is_shown_under_the_contact_too() {
    let sandbox = Sandbox::start();
    let home = Home::with_account(&sandbox, "conflict = \"manual\"");
    let id = home.id(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.json(&["sync"]);
    home.json(&["person", "edit", &id, "--notes", "ours"]);
    sandbox.edit(&sandbox.person_with("ada@example.org"), &json!({"biographies": [{"value": "theirs"}]}));
    home.run(["sync"]).ended(3);
    let shown = home.json(&["conflict", "show", &id]);
    assert_eq!((&shown["field"], &shown["google"]), (&json!("notes"), &json!("theirs")));
    home.json(&["person", "edit", &id, "--job-title", "ours"]);
    sandbox.edit(&sandbox.person_with("ada@example.org"), &json!({"organizations": [{"title": "theirs"}]}));
    home.run(["sync"]).ended(3);
    let other = shown["id"].as_str().expect("an id");
    home.run(["conflict", "show", &id]).refused(2, &["2 conflicts", other, "notes", "job_title"]);
    assert_eq!(home.json(&["conflict", "show", other]), shown);
}

#[test]
fn what_waits_is_explained() {
    let sandbox = Sandbox::start();
    let home = Home::with_account(&sandbox, "conflict = \"manual\"\nguard = { max_deletes = 0 }");
    let [ada, bob] = ["ada", "bob"]
        .map(|name| home.id(&["person", "add", "--name", name, "--email", &format!("{name}@example.org")]));
    home.json(&["sync"]);
    home.json(&["person", "edit", &ada, "--notes", "ours"]);
    sandbox.edit(&sandbox.person_with("ada@example.org"), &json!({"biographies": [{"value": "theirs"}]}));
    home.json(&["person", "delete", &bob]);
    home.run(["sync"]).ended(3);
    let account = home.json(&["explain", &ada])["accounts"][0].clone();
    assert_eq!(account["held"], json!(["notes"]), "{account}");
    let account = home.json(&["explain", &bob])["accounts"][0].clone();
    assert_eq!(
        (&account["parked"]["why"], &account["next"][0]["parked"]),
        (&json!("guard"), &json!(true)),
        "{account}"
    );
    let told = home.run(["explain", &bob]);
    let run = account["parked"]["run"].as_str().expect("a run");
    assert!(told.ended(0).out.contains(&format!("contactsync approve {run}")), "{}", told.out);
    assert!(home.run(["explain", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).ended(2).err.contains("there is no contact"));
}
