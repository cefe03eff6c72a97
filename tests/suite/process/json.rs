//! The shapes that scripts read: every member that is promised, nothing on stdout but JSON.

use serde_json::{Value, json};

use crate::support::process::{Home, Program, Sandbox};

/// The members of an object, sorted.
fn members(value: &Value) -> Vec<&str> {
    let mut members: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    members.sort_unstable();
    members
}

#[track_caller]
fn has_members(value: &Value, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(members(value), expected, "{value}");
}

/// A record that is shown, without what surrounds the contact.
fn without_detail(mut shown: Value) -> Value {
    let detail = shown.as_object_mut().and_then(|members| members.remove("detail")).expect("what surrounds it");
    has_members(&detail, &["people", "deals", "activities", "notes", "conflicts", "replicas", "history"]);
    shown
}

const PERSON: [&str; 25] = [
    "id",
    "kind",
    "name",
    "emails",
    "phones",
    "addresses",
    "organization",
    "job_title",
    "department",
    "birthday",
    "events",
    "websites",
    "ims",
    "relations",
    "nicknames",
    "notes",
    "labels",
    "custom",
    "owner",
    "visibility",
    "photo",
    "version",
    "created",
    "updated",
    "deleted",
];

const ORGANIZATION: [&str; 19] = [
    "id",
    "kind",
    "name",
    "emails",
    "phones",
    "addresses",
    "websites",
    "industry",
    "notes",
    "labels",
    "custom",
    "owner",
    "visibility",
    "related",
    "people_count",
    "version",
    "created",
    "updated",
    "deleted",
];

/// Adds a person of whom everything is known that the shape can hold.
fn add_ada(home: &Home) -> Value {
    home.json(&[
        "person",
        "add",
        "--patch",
        r#"{"name": {"prefix": "Dr.", "given": "Ada", "middle": "B.", "family": "King"},
            "emails": [{"value": "ada@example.org", "label": "work", "primary": true}],
            "phones": [{"value": "+49 30 1234567", "label": "mobile"}],
            "addresses": [{"label": "work", "street": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117",
                           "country": "DE"}],
            "organization": {"name": "Example GmbH"}, "job_title": "CTO", "birthday": "--05-17",
            "events": [{"label": "anniversary", "date": "2015-06-01"}],
            "websites": [{"value": "https://example.org", "label": "work"}],
            "ims": [{"value": "ada", "protocol": "jabber", "label": "work"}],
            "relations": [{"value": "Charles", "label": "friend"}], "nicknames": ["Ada"], "notes": "first\nsecond",
            "labels": ["Customer"], "custom": {"Price list": "Retail"}, "owner": "sales@example.org"}"#,
    ])
}

#[test]
fn a_person_has_every_member_in_its_shape() {
    let home = Home::alone();
    let ada = add_ada(&home);
    has_members(&ada, &PERSON);
    assert_eq!(
        ada["name"],
        json!({"full": "Dr. Ada B. King", "given": "Ada", "middle": "B.", "family": "King", "prefix": "Dr.",
               "suffix": null})
    );
    assert_eq!(ada["phones"], json!([{"value": "+49 30 1234567", "label": "mobile", "primary": true}]));
    assert_eq!(
        ada["addresses"],
        json!([{"label": "work", "street": "Unter den Linden 1", "extended": null, "city": "Berlin", "region": null,
                "postal_code": "10117", "country": "DE"}])
    );
    has_members(&ada["organization"], &["id", "name"]);
    assert_eq!((&ada["birthday"], &ada["notes"]), (&json!("--05-17"), &json!("first\nsecond")));
    assert_eq!(ada["events"], json!([{"label": "anniversary", "date": "2015-06-01"}]));
    assert_eq!(ada["ims"], json!([{"value": "ada", "protocol": "jabber", "label": "work"}]));
    assert_eq!((&ada["custom"], &ada["version"]), (&json!({"Price list": "Retail"}), &json!({"store": 1})));
    let id = ada["id"].as_str().expect("an id");
    assert_eq!(without_detail(home.json(&["person", "show", id])), ada);
    assert_eq!(home.json(&["person", "list"]), json!([ada]));
    let edited = home.json(&["person", "edit", id, "--job-title", "CEO"]);
    has_members(&edited, &PERSON);
    assert_eq!(edited["version"], json!({"store": 2}));
}

#[test]
fn what_is_not_known_is_null_or_empty_and_never_missing() {
    let home = Home::alone();
    let bare = home.json(&["person", "add", "--email", "nobody@example.org"]);
    has_members(&bare, &PERSON);
    has_members(&bare["name"], &["full", "given", "middle", "family", "prefix", "suffix"]);
    for name in ["organization", "job_title", "department", "birthday", "notes", "owner", "photo", "deleted"] {
        assert_eq!(bare[name], Value::Null, "{name}");
    }
    for name in ["phones", "addresses", "events", "websites", "ims", "relations", "nicknames", "labels"] {
        assert_eq!(bare[name], json!([]), "{name}");
    }
    assert_eq!(bare["custom"], json!({}));
    let acme = home.json(&["organization", "add", "--name", "Acme"]);
    has_members(&acme, &ORGANIZATION);
    assert_eq!((&acme["industry"], &acme["related"], &acme["people_count"]), (&Value::Null, &json!([]), &json!(0)));
    let id = acme["id"].as_str().expect("an id");
    assert_eq!(without_detail(home.json(&["organization", "show", id])), acme);
    assert_eq!(home.json(&["organization", "list"]), json!([acme]));
}

#[test]
fn lists_without_contacts_are_empty_arrays() {
    let home = Home::alone();
    for line in [&["person", "list"], &["organization", "list"], &["label", "list"], &["conflict", "list"]] {
        assert_eq!(home.json(line), json!([]), "{line:?}");
    }
    assert_eq!(home.json(&["status"]), json!({"accounts": []}));
    assert_eq!(home.run(["export", "--format", "json"]).ended(0).out, "");
}

#[test]
fn an_export_is_one_object_a_line_persons_and_organizations_mixed() {
    let home = Home::alone();
    let ada = add_ada(&home);
    let acme = home.json(&["organization", "list"])[0].clone();
    let export = home.run(["export", "--format", "json"]).ended(0).out.clone();
    let mut lines: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines.sort_by_key(|line| line["kind"].to_string());
    assert_eq!(lines, [acme, ada]);
}

#[test]
fn a_run_and_a_plan_are_told_account_by_account() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    add_ada(&home);
    let plan = home.json(&["plan"]);
    has_members(&plan, &["plan", "accounts"]);
    assert_eq!(plan["accounts"][0]["account"], "sales");
    let operations = plan["accounts"][0]["operations"].as_array().expect("operations");
    assert_eq!(operations.len(), 2, "{plan}");
    for operation in operations {
        has_members(operation, &["op", "side", "contact", "remote", "name", "fields", "reason"]);
        assert_eq!(
            (&operation["op"], &operation["side"], &operation["remote"]),
            (&json!("create"), &json!("google"), &Value::Null)
        );
        assert!(operation["contact"].is_string() && operation["reason"].is_string(), "{operation}");
        for field in operation["fields"].as_object().expect("fields").values() {
            has_members(field, &["before", "after"]);
        }
    }
    let run = home.json(&["sync"]);
    has_members(&run, &["run", "accounts"]);
    let account = &run["accounts"][0];
    // A group was made, which is worth a remark.
    let members = [
        "account",
        "outcome",
        "pulled",
        "pushed",
        "links",
        "conflicts",
        "conflicts_waiting",
        "parked",
        "failed",
        "calls",
        "notices",
    ];
    has_members(account, &members);
    assert_eq!(account["pushed"], json!({"created": 2, "updated": 0, "deleted": 0}));
    assert_eq!(account["pulled"], json!({"created": 0, "updated": 0, "deleted": 0}));
    assert_eq!((&account["outcome"], &account["failed"]), (&json!("done"), &json!([])));
    assert!(account["calls"].as_u64().is_some_and(|calls| calls > 0), "{account}");
    let status = home.json(&["status"]);
    let account = &status["accounts"][0];
    has_members(
        account,
        &[
            "account",
            "email",
            "enabled",
            "last_run",
            "last_run_at",
            "last_outcome",
            "last_error",
            "notices",
            "last_good",
            "token_age_s",
            "linked",
            "waiting",
            "parked",
            "parked_by_guard",
            "questions",
            "approve",
            "refused",
            "conflicts",
            "working",
            "daemon",
            "next_run",
            "quota_left",
            "remaining_s",
        ],
    );
    assert_eq!((&account["linked"], &account["waiting"], &account["working"]), (&json!(2), &json!(0), &Value::Null));
    assert_eq!(account["last_run"], run["run"]);
}

#[test]
fn a_conflict_shows_all_three_values() {
    let sandbox = Sandbox::start();
    let home = Home::with_account(&sandbox, "conflict = \"manual\"");
    let id = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org", "--notes", "base"]);
    home.json(&["sync"]);
    let record = sandbox.person_with("ada@example.org");
    sandbox.edit(&record, &json!({"biographies": [{"value": "theirs", "contentType": "TEXT_PLAIN"}]}));
    home.json(&["person", "edit", &id, "--notes", "ours"]);
    let run = home.run(["sync", "--json"]).json_after(3);
    assert_eq!((&run["accounts"][0]["conflicts"], &run["accounts"][0]["outcome"]), (&json!(1), &json!("parked")));
    let conflicts = home.json(&["conflict", "list"]);
    let conflict = &conflicts[0];
    has_members(conflict, &["id", "contact", "field", "base", "store", "google", "account", "policy", "since"]);
    let expected = json!({"id": conflict["id"], "contact": id, "field": "notes", "base": "base", "store": "ours",
                          "google": "theirs", "account": "sales", "policy": "manual", "since": conflict["since"]});
    assert_eq!(conflicts, json!([expected]));
    home.run(["conflict", "resolve", conflict["id"].as_str().expect("an id"), "--take", "google"]).ended(0);
    home.json(&["sync"]);
    assert_eq!(home.json(&["person", "show", &id])["notes"], "theirs");
    assert_eq!(home.json(&["conflict", "list"]), json!([]));
}

#[test]
fn an_import_tells_its_id_its_counts_and_its_failures() {
    let home = Home::alone();
    home.write("people.csv", "Name,E-mail\nAda King,ada@example.org\n,\nBob Stone,bob@example.org\n");
    let answer = home.json(&["import", "people.csv", "--yes"]);
    for name in ["import", "created", "updated", "unchanged", "failed", "skip_file"] {
        assert!(answer.get(name).is_some(), "{name}: {answer}");
    }
    assert!(answer["import"].is_string(), "{answer}");
    assert_eq!(
        (&answer["created"], &answer["failed"], &answer["skip_file"]),
        (&json!(2), &json!([]), &Value::Null),
        "{answer}"
    );
    assert_eq!(home.json(&["import", "people.csv", "--dry-run"])["import"], Value::Null);
}

#[test]
fn the_first_line_of_the_sandbox_says_where_everything_is() {
    let sandbox = Sandbox::start();
    has_members(
        &sandbox.facts,
        &[
            "api_url",
            "auth_url",
            "token_url",
            "revoke_url",
            "control_url",
            "client_id",
            "client_secret",
            "accounts",
            "refresh_token",
        ],
    );
    let accounts = sandbox.facts["accounts"].as_array().expect("accounts");
    for account in accounts {
        has_members(account, &["email", "refresh_token"]);
    }
    assert_eq!(accounts[0]["refresh_token"], sandbox.facts["refresh_token"]);
    sandbox.stop();
}

#[test]
fn remarks_and_logs_go_to_stderr() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let ran = home.run(["--json", "-v", "-v", "person", "add", "--email", "ada@nowhere"]);
    ran.json_after(0);
    assert!(ran.err.contains("does not look like an e-mail address"), "{ran:?}");
    let ran = home.run(["--json", "-vv", "sync"]);
    ran.json_after(0);
    assert!(ran.err.contains("sales"), "{ran:?}");
    let ran = home.run(["--json", "export", "all.csv"]);
    assert_eq!(ran.json_after(0)["exported"], 1);
    let program: Program = home.start(["--json", "sync", "--account", "nobody"]);
    program.end().refused(2, &["nobody", "sales"]);
}
