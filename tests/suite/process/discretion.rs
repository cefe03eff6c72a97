//! What is logged names contacts by their ids, and never says what is in them.

use serde_json::json;

use crate::support::process::{Home, Program, Sandbox};

/// Words that occur nowhere but in contacts.
const PLANTED: [&str; 6] =
    ["Zebulon", "Quackenbush", "zebulon.q@example.org", "7946", "Xylophone Works", "met under the clock"];

fn says_nothing(what: &str, log: &str) {
    assert!(!log.is_empty(), "{what}: nothing was logged");
    for planted in PLANTED {
        assert!(!log.contains(planted), "{what} says {planted:?}: {log}");
    }
}

/// Contacts on both sides, one that both sides edited, and one that Google refuses.
fn plant(sandbox: &Sandbox, home: &Home) {
    let id = home.id(&[
        "person",
        "add",
        "--name",
        "Zebulon Quackenbush",
        "--email",
        "zebulon.q@example.org",
        "--phone",
        "+44 20 7946 0000",
        "--organization",
        "Xylophone Works",
    ]);
    home.run(["sync"]).ended(0);
    let record = sandbox.person_with("zebulon.q@example.org");
    sandbox.edit(&record, &json!({"biographies": [{"value": "met under the clock"}]}));
    home.json(&["person", "edit", &id, "--notes", "met under the clock, twice"]);
    home.json(&["person", "add", "--name", "Zebulon the Second", "--notes", "Quackenbush"]);
    sandbox.fault(&json!({"method": "people.createContact", "kind": {"status": 400}}));
}

#[test]
fn no_log_says_what_is_in_a_contact() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    plant(&sandbox, &home);
    let said = json!({"error": {"code": 400, "status": "INVALID_ARGUMENT",
        "message": "Invalid phone number '+44 20 7946 0000' of Zebulon Quackenbush"}});
    let kind = json!({"answer": {"status": 400, "content_type": "application/json", "body": said.to_string()}});
    sandbox.fault(&json!({"method": "people.updateContact", "kind": kind, "times": 1}));
    let ran = home.run(["-vv", "--json", "sync"]);
    says_nothing("sync", &ran.err);

    home.json(&["person", "add", "--name", "Quackenbush", "--email", "zebulon.q@example.org"]);
    let configuration = home.read("contactsync.toml");
    home.configure(&format!("{configuration}\n[log]\nformat = \"json\"\nlevel = \"debug\"\n"));
    let mut daemon: Program = home.start(["run"]);
    daemon.remark("contactsync is running");
    daemon.signal("USR2");
    daemon.remark("account sales is");
    daemon.signal("TERM");
    says_nothing("the daemon", &daemon.end().err);
}
