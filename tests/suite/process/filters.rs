//! Saved filters: kept under a name, narrowing lists, and selecting contacts for a group without ever emptying it by mistake.

use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::support::process::{Home, Sandbox};

fn names(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|one| one["name"]["full"].as_str().expect("a name")).collect()
}

#[test]
fn a_filter_is_saved_shown_changed_and_removed() {
    let home = Home::alone();
    home.json(&["person", "add", "--name", "Ada King", "--label", "VIP", "--job-title", "CTO"]);
    home.json(&["person", "add", "--name", "Bob Adams", "--label", "VIP"]);
    let saved = home.json(&["filter", "add", "Chiefs", "--label", "VIP", "--field", "job_title~cto"]);
    let conditions = json!([
        {"field": "job_title", "test": "contains", "values": ["cto"]},
        {"field": "labels", "test": "is", "values": ["VIP"]},
    ]);
    assert_eq!((&saved["name"], &saved["conditions"], &saved["accounts"]), (&json!("Chiefs"), &conditions, &json!([])));
    assert_eq!(home.json(&["filter", "list"]), json!([saved]));
    assert_eq!(names(&home.json(&["person", "list", "--filter", "Chiefs"])), ["Ada King"]);
    assert_eq!(names(&home.json(&["person", "list", "--filter", "Chiefs", "adams"])), Vec::<&str>::new());
    let shown = home.json(&["filter", "show", "Chiefs"]);
    assert_eq!((&shown["contacts"], &shown["conditions"]), (&json!(1), &conditions));
    let told = home.run(["filter", "show", "Chiefs"]);
    assert_eq!(told.ended(0).out, "Chiefs: selects 1 contact now, where\n  job_title contains cto\n  labels is VIP\n");

    let edited = home.json(&["filter", "edit", "Chiefs", "--text", "adams"]);
    assert_eq!((&edited["text"], &edited["conditions"]), (&json!("adams"), &json!([])));
    assert_eq!(edited["created"], saved["created"]);
    assert_eq!(names(&home.json(&["person", "list", "--filter", "Chiefs"])), ["Bob Adams"]);
    assert_eq!(home.json(&["filter", "delete", "Chiefs"]), json!({"deleted": "Chiefs"}));
    assert_eq!(home.json(&["filter", "list"]), json!([]));
}

#[test]
fn what_is_no_filter_is_refused_and_says_why() {
    let home = Home::alone();
    home.json(&["filter", "add", "VIPs", "--label", "VIP"]);
    for (line, said) in [
        (vec!["add", "VIPs", "--label", "Other"], "there is a filter \"VIPs\" already"),
        (vec!["add", "Everybody"], "a filter that asks nothing selects everybody"),
        (vec!["add", " ", "--label", "x"], "is not a name for a filter"),
        (vec!["add", "Late", "--updated-since", "7d"], "relative dates are not allowed"),
        (vec!["add", "Late", "--field", "created>=last week"], "relative dates are not allowed"),
        (vec!["edit", "Nobody", "--label", "x"], "there is no filter \"Nobody\""),
        (vec!["edit", "VIPs"], "a filter that asks nothing selects everybody"),
        (vec!["delete", "Nobody"], "there is no filter \"Nobody\""),
        (vec!["show", "Nobody"], "there is no filter \"Nobody\""),
    ] {
        home.run([vec!["filter"], line].concat()).refused(2, &[said]);
    }
    assert_eq!(home.json(&["filter", "list"])[0]["conditions"][0]["values"], json!(["VIP"]));
}

/// Fifty contacts in the group, all selected by the filter; the last ten are VIPs as well.
fn fifty(sandbox: &Sandbox) -> Home {
    let home = Home::with(sandbox);
    home.configure(&(home.read("contactsync.toml") + "filter = \"Customers\"\nadd_label = \"Customer\"\n"));
    let row = |n: usize| {
        let labels = if n < 40 { "Customer" } else { "Customer, VIP" };
        format!("Person {n},p{n}@example.org,\"{labels}\"\n")
    };
    home.write("people.csv", format!("Name,E-mail,Labels\n{}", (0..50).map(row).collect::<String>()));
    home.json(&["import", "people.csv", "--yes"]);
    home.json(&["person", "add", "--name", "Outsider", "--email", "outsider@example.org"]);
    home.json(&["filter", "add", "Customers", "--label", "Customer"]);
    let run = home.json(&["sync"]);
    assert_eq!(run["accounts"][0]["pushed"]["created"], 50, "{run}");
    home
}

/// How many records are in a group besides My Contacts.
fn members(sandbox: &Sandbox) -> usize {
    let in_group = |person: &Value| {
        let memberships = person["memberships"].as_array().cloned().unwrap_or_default();
        memberships
            .iter()
            .any(|one| one["contactGroupMembership"]["contactGroupResourceName"] != "contactGroups/myContacts")
    };
    sandbox.people().iter().filter(|person| in_group(person)).count()
}

fn living(home: &Home) -> usize {
    home.json(&["person", "list"]).as_array().expect("a list").len()
}

#[test]
fn whom_an_edited_filter_no_longer_selects_waits_for_approval_and_is_unlinked_not_deleted() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = fifty(&sandbox);
    assert_eq!((members(&sandbox), sandbox.people().len(), living(&home)), (50, 50, 51));

    let told = home.run(["filter", "edit", "Customers", "--label", "VIP"]);
    assert!(told.ended(0).err.contains("contactsync plan"), "{told:?}");
    let plan = home.run(["--json", "plan"]).json();
    let operations = plan["accounts"][0]["operations"].as_array().expect("operations");
    assert_eq!(operations.len(), 40, "{plan}");
    assert!(operations.iter().all(|one| one["op"] == "leave" && one["side"] == "google"), "{plan}");
    assert_eq!(members(&sandbox), 50, "a plan does nothing");

    let run = home.run(["--json", "sync"]).json_after(3);
    let account = &run["accounts"][0];
    assert_eq!((&account["outcome"], &account["parked"]), (&json!("parked"), &json!(40)), "{run}");
    assert!(run.to_string().contains("guard.max_left_groups"), "{run}");
    assert_eq!((members(&sandbox), living(&home)), (50, 51), "what exceeds the limit waits");

    let approved = home.json(&["approve", run["run"].as_str().expect("a run")]);
    assert_eq!(approved["accounts"][0]["outcome"], "done", "{approved}");
    assert_eq!(approved["accounts"][0]["pushed"]["deleted"], 0, "{approved}");
    assert_eq!(approved["accounts"][0]["pulled"], json!({"created": 0, "updated": 0, "deleted": 0}), "{approved}");
    assert_eq!(
        (members(&sandbox), sandbox.people().len(), living(&home)),
        (10, 50, 51),
        "taken out, and deleted nowhere"
    );

    // And back: the same records come into the group again.
    home.json(&["filter", "edit", "Customers", "--label", "Customer"]);
    home.json(&["sync"]);
    assert_eq!((members(&sandbox), sandbox.people().len()), (50, 50));
    sandbox.has_no_complaints();
}

#[test]
fn a_filter_that_is_missing_or_cannot_be_read_fails_the_account_and_takes_nobody_out() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = fifty(&sandbox);
    let before = sandbox.mutations();
    // No command removes it while the configuration names it.
    let file = home.path("contactsync.toml").display().to_string();
    home.run(["filter", "delete", "Customers"]).refused(2, &["selects for pairs of sales", &file]);
    home.run(["filter", "edit", "Customers", "--updated-since", "2000-01-01"]).refused(2, &["created or last changed"]);
    let by_hand = |sql: &'static str| {
        let options = SqliteConnectOptions::new().filename(home.path("contacts.db"));
        let done = async {
            let mut connection = options.connect().await.expect("a database");
            sqlx::query(sql).execute(&mut connection).await.expect("done");
            connection.close().await.expect("closed");
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(done);
    };
    for (harm, said) in [
        (
            r#"UPDATE filter SET definition = '{"conditions":[{"field":"labels","test":"sounds_like"}]}'"#,
            "cannot be read",
        ),
        (r#"UPDATE filter SET definition = '{'"#, "cannot be read"),
        (r#"UPDATE filter SET definition = '{"conditions":[]}'"#, "asks nothing"),
        (
            r#"UPDATE filter SET definition = '{"conditions":[{"field":"created","test":"since","time":"2000-01-01T00:00:00Z"}]}'"#,
            "created or last changed",
        ),
        ("DELETE FROM filter", "does not exist"),
    ] {
        by_hand(harm);
        for command in ["plan", "sync"] {
            let ran = home.run(["--json", command]);
            let error = ran.json_after(78)["accounts"][0]["error"].as_str().expect("an error").to_owned();
            assert!(error.contains("\"Team\"") && error.contains("\"Customers\"") && error.contains(said), "{error}");
            assert!(error.contains("nobody was taken out of the group"), "{error}");
        }
    }
    assert_eq!((sandbox.mutations(), members(&sandbox), living(&home)), (before, 50, 51));
    // It is back, and everything is as it was.
    home.json(&["filter", "add", "Customers", "--label", "Customer"]);
    let run = home.json(&["sync"]);
    assert_eq!((&run["accounts"][0]["outcome"], sandbox.mutations()), (&json!("done"), before), "{run}");
}

#[test]
fn a_filter_that_cannot_be_read_is_mended_by_saying_it_anew() {
    let home = Home::alone();
    home.json(&["filter", "add", "VIPs", "--label", "VIP"]);
    let options = SqliteConnectOptions::new().filename(home.path("contacts.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = options.connect().await.expect("a database");
        sqlx::query("UPDATE filter SET definition = '{'").execute(&mut connection).await.expect("done");
        connection.close().await.expect("closed");
    });
    home.run(["person", "list", "--filter", "VIPs"]).refused(1, &["filter", "VIPs"]);
    home.json(&["filter", "edit", "VIPs", "--label", "VIP"]);
    assert_eq!(home.json(&["person", "list", "--filter", "VIPs"]), json!([]));
}

#[test]
fn what_a_selecting_filter_asks_for_is_not_renamed_under_it() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.configure(&(home.read("contactsync.toml") + "filter = \"Customers\"\nadopt = false\n"));
    home.json(&["person", "add", "--name", "Ada King", "--label", "VIP"]);
    home.json(&["filter", "add", "Customers", "--label", "VIP"]);
    home.json(&["filter", "add", "Others", "--label", "Other"]);
    for line in [["label", "delete", "VIP"].as_slice(), &["label", "edit", "VIP", "--name", "Partner"]] {
        home.run(line).refused(2, &["\"VIP\"", "\"Customers\"", "--anyway"]);
    }
    assert_eq!(names(&home.json(&["person", "list", "--label", "VIP"])), ["Ada King"]);
    home.json(&["person", "add", "--name", "Bob Adams", "--label", "Other"]);
    home.json(&["label", "edit", "Other", "--name", "Partner"]);
}
