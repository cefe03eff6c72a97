//! Backups of the store: made while a daemon works, and put back in place of a store that is kept.

use serde_json::{Value, json};

use crate::support::process::{Home, Program, Sandbox};

fn add(home: &Home, name: &str) -> String {
    home.id(&["person", "add", "--name", name, "--email", &format!("{}@example.org", name.to_lowercase())])
}

fn names(home: &Home) -> Vec<String> {
    let persons = home.json(&["person", "list"]);
    let persons = persons.as_array().expect("persons").iter();
    persons.map(|person| person["name"]["full"].as_str().expect("a name").to_owned()).collect()
}

/// Files beside the database that a restored store has taken the place of.
fn kept(home: &Home) -> Vec<String> {
    let entries = std::fs::read_dir(home.path("")).expect("the folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    names.filter(|name| name.contains(".before-")).collect()
}

fn daemon(home: &Home) -> Program {
    let mut daemon = home.start(["run"]);
    daemon.remark("contactsync is running");
    daemon
}

#[test]
fn a_restored_store_gets_back_from_google_what_was_done_since_and_deletes_nobody() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    let ada = add(&home, "Ada");
    home.run(["sync"]).ended(0);
    let backup = home.path("backup.db");
    let file = backup.to_str().expect("UTF-8");

    let running = daemon(&home);
    let answer = home.json(&["backup", file]);
    assert_eq!(answer["contacts"], 1, "{answer}");
    home.run(["backup", file]).refused(2, &["cannot write", "exists"]);
    home.run(["restore", file, "--yes"]).ended(75);
    running.signal("TERM");
    running.end().ended(0);

    add(&home, "Grace");
    home.run(["person", "edit", &ada, "--note", "since the backup"]).ended(0);
    home.run(["sync"]).ended(0);

    let told = home.json(&["restore", file]);
    assert_eq!((&told["done"], &told["contacts"]), (&json!(false), &json!(1)), "{told}");
    assert_eq!((names(&home).len(), kept(&home).len()), (2, 0), "only told");
    let done = home.json(&["restore", file, "--yes"]);
    assert_eq!(done["done"], true, "{done}");
    assert_eq!((names(&home), kept(&home).len()), (vec!["Ada".to_owned()], 1));
    home.run(["sync"]);
    home.run(["sync"]).ended(0);
    assert_eq!(names(&home), ["Ada", "Grace"]);
    assert_eq!(home.json(&["person", "show", &ada])["notes"], "since the backup");
    let people: Vec<Value> = sandbox.people();
    assert_eq!(people.len(), 2, "nobody is doubled or deleted: {people:?}");
}

#[test]
fn what_is_no_backup_is_refused_and_the_store_stays_what_it_is() {
    let home = Home::alone();
    add(&home, "Ada");
    let garbage = home.write("garbage.db", "no database at all, whatever it is called");
    let empty = home.write("empty.db", "");
    for file in [garbage, empty] {
        home.run(["restore", file.to_str().expect("UTF-8"), "--yes"]).refused(2, &["is no backup"]);
    }
    home.run(["restore", "missing.db", "--yes"]).refused(2, &["missing.db"]);
    home.run(["restore", home.path("contacts.db").to_str().expect("UTF-8"), "--yes"]).refused(2, &["the store itself"]);
    assert_eq!((names(&home), kept(&home).len()), (vec!["Ada".to_owned()], 0));
}

// A store that cannot be opened is the reason to restore one; it is kept for whoever wants to look into it.
#[test]
fn a_damaged_store_gives_way_to_a_backup() {
    let home = Home::alone();
    add(&home, "Ada");
    let backup = home.path("backup.db");
    home.run(["backup", backup.to_str().expect("UTF-8")]).ended(0);
    home.write("contacts.db", "damaged beyond repair, from the first byte to the last");
    home.run(["restore", backup.to_str().expect("UTF-8"), "--yes"]).ended(0);
    assert_eq!((names(&home), kept(&home).len()), (vec!["Ada".to_owned()], 1));
}

#[test]
fn a_store_that_is_damaged_inside_gives_way_too() {
    let home = Home::alone();
    let rows: String = (0..400).map(|n| format!("Person {n} Name{n},person{n}@example.org\n")).collect();
    let file = home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.run(["import", file.to_str().expect("text"), "--yes"]).ended(0);
    let backup = home.path("backup.db");
    home.run(["backup", backup.to_str().expect("UTF-8")]).ended(0);
    let mut bytes = std::fs::read(home.path("contacts.db")).expect("a store");
    // The header and the schema stay, so that it opens.
    let from = bytes.len() / 3;
    bytes[from..].fill(0x5a);
    home.write("contacts.db", bytes);
    let ran = home.run(["restore", backup.to_str().expect("UTF-8"), "--yes"]);
    ran.ended(0);
    assert!(ran.err.contains("damaged"), "{ran:?}");
    assert_eq!((names(&home).len(), kept(&home).len()), (400, 1));
}
