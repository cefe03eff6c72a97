//! The request budget outlives a process: what Google refused one `sync` is not asked again by the next.

use serde_json::json;

use crate::support::process::{Home, Sandbox};

#[test]
fn a_refused_account_is_left_in_peace_by_the_next_process_and_status_says_why() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["sync"]);
    assert!(home.json(&["status"])["accounts"][0]["quota_left"]["writes"]["milliunits"].is_u64());
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    sandbox.fault(&json!({"method": "people.createContact", "kind": "storage_quota"}));
    home.run(["sync"]).ended(75);
    let asked = sandbox.mutations();
    home.run(["sync"]).ended(75);
    assert_eq!(sandbox.mutations(), asked, "it is asked again");
    let told = home.run(["status"]).ended(0).out.clone();
    for words in [
        "Google refused to write more for now; it is tried again in 4m",
        "slowed down to 50000 of 100000",
        "takes about",
    ] {
        assert!(told.contains(words), "{words:?} is not told: {told}");
    }
    let remaining = home.json(&["status"])["accounts"][0]["remaining_s"].as_u64().expect("a time");
    assert!((200..=300).contains(&remaining), "{remaining}");
}

#[test]
fn answers_are_asked_for_packed() {
    let sandbox = Sandbox::start();
    sandbox.set(&json!({"gzip_agents": "named"}));
    let home = Home::with(&sandbox);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.json(&["sync"]);
    sandbox.has_no_complaints();
}
