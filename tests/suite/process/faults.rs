//! What an operator meets at night: a damaged database, a database that cannot be written any more, names that nobody
//! resolves. The program says so, ends or goes on with the right code, and loses nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::support::process::{Home, Program, Sandbox};

fn daemon(home: &Home) -> Program {
    let mut daemon = home.start(["run"]);
    daemon.remark("contactsync is running");
    daemon
}

fn stops(daemon: Program) {
    daemon.signal("TERM");
    daemon.end().ended(0);
}

fn add(home: &Home, number: u32) {
    home.json(&["person", "add", "--name", &format!("Person {number}"), "--email", &format!("p{number}@example.org")]);
}

#[test]
fn a_damaged_database_is_named_with_its_cure_and_a_backup_brings_everything_back() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    (0..20).for_each(|number| add(&home, number));
    home.run(["sync"]).ended(0);
    home.run(["backup", "backup.db"]).ended(0);
    let file = home.path("contacts.db");
    let mut bytes = fs::read(&file).expect("read");
    bytes.chunks_mut(4096).skip(1).for_each(|page| page[..64].fill(7));
    fs::write(&file, bytes).expect("damaged");
    for line in [&["status"][..], &["person", "list"], &["sync"], &["run"]] {
        home.run(line).refused(78, &["contactsync.toml:2:7", "malformed", "contactsync restore"]);
    }
    home.run(["restore", "backup.db", "--yes"]).ended(0);
    sandbox.expect_full_pulls();
    // What was made in the last quarter of an hour may not show yet.
    let first = home.run(["sync"]);
    assert!(matches!(first.code, Some(0 | 75)), "{first:?}");
    assert_eq!(sandbox.people().len(), 20);
    assert_eq!(home.json(&["person", "list"]).as_array().map(Vec::len), Some(20));
}

#[test]
fn names_that_nobody_resolves_are_waited_for_and_everything_goes_on() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let sound = home.read("contactsync.toml");
    let nowhere = "https://people.nowhere.invalid";
    let lost = sound.replacen(sandbox.fact("api_url"), nowhere, 1);
    home.configure(&lost);
    let mut daemon = daemon(&home);
    let told = daemon.remark("account sales is not equal");
    assert!(told.contains("not finished, the next run goes on"), "{told}");
    add(&home, 1);
    daemon.remark("account sales is not equal");
    home.configure(&sound);
    daemon.signal("HUP");
    daemon.remark("the configuration was read again");
    daemon.signal("USR1");
    daemon.remark("account sales is equal");
    sandbox.person_with("p1@example.org");
    stops(daemon);
}

#[test]
fn a_store_in_a_folder_that_cannot_be_written_is_the_fault_of_the_configuration() {
    let home = Home::alone();
    home.json(&["person", "add", "--name", "Ada"]);
    let file = home.path("contacts.db");
    // Whoever may write everything is not kept out by permissions.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).expect("set");
    if fs::OpenOptions::new().write(true).open(&file).is_ok() {
        eprintln!("SKIPPED: this user may write every file, so that nothing is read-only for it");
        return;
    }
    for line in [&["status"][..], &["person", "add", "--name", "Bob"]] {
        home.run(line).refused(78, &["store.url", "contacts.db"]);
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
    assert_eq!(home.json(&["person", "list"])[0]["name"]["full"], json!("Ada"));
}
