//! The local contact store at the command line: add, edit, delete, restore, show, list.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::process::Home;

const NOBODY: &str = "01JD0000000000000000000000";

fn ids(home: &Home, line: &[&str]) -> Vec<String> {
    let list = home.json(line);
    list.as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn every_friendly_flag_says_its_member() {
    let home = Home::alone();
    let line = [
        "person",
        "add",
        "--prefix",
        "Dr.",
        "--given",
        "Ada",
        "--middle",
        "B.",
        "--family",
        "King",
        "--email",
        "ada@example.org:work",
        "--email",
        "king@example.org",
        "--phone",
        "+49 30 1234567:mobile",
        "--address",
        "street=Unter den Linden 1; postal_code=10117; city=Berlin; country=DE; label=work",
        "--organization",
        "Example GmbH",
        "--job-title",
        "CTO",
        "--department",
        "Engines",
        "--birthday",
        "--05-17",
        "--event",
        "2015-06-01:anniversary",
        "--website",
        "https://example.org:8080/ada",
        "--im",
        "jabber:ada",
        "--relation",
        "Charles:friend",
        "--nickname",
        "Countess",
        "--notes",
        "first",
        "--label",
        "Customer",
        "--label",
        "VIP",
        "--custom",
        "Price list=Retail",
        "--owner",
        "sales@example.org",
    ];
    let ada = home.json(&line);
    for (name, expected) in [
        (
            "emails",
            json!([{"value": "ada@example.org", "label": "work", "primary": true},
                          {"value": "king@example.org", "label": null, "primary": false}]),
        ),
        ("phones", json!([{"value": "+49 30 1234567", "label": "mobile", "primary": true}])),
        (
            "addresses",
            json!([{"label": "work", "street": "Unter den Linden 1", "extended": null, "city": "Berlin",
                              "region": null, "postal_code": "10117", "country": "DE"}]),
        ),
        ("job_title", json!("CTO")),
        ("department", json!("Engines")),
        ("birthday", json!("--05-17")),
        ("events", json!([{"label": "anniversary", "date": "2015-06-01"}])),
        ("websites", json!([{"value": "https://example.org:8080/ada", "label": null}])),
        ("ims", json!([{"value": "ada", "protocol": "jabber", "label": null}])),
        ("relations", json!([{"value": "Charles", "label": "friend"}])),
        ("nicknames", json!(["Countess"])),
        ("notes", json!("first")),
        ("labels", json!(["Customer", "VIP"])),
        ("custom", json!({"Price list": "Retail"})),
        ("owner", json!("sales@example.org")),
    ] {
        assert_eq!(ada[name], expected, "{name}");
    }
    assert_eq!(ada["name"]["full"], "Dr. Ada B. King");
    assert_eq!(ada["organization"]["name"], "Example GmbH");
    let id = ada["id"].as_str().expect("an id");
    let line = [
        "person",
        "edit",
        id,
        "--email",
        "",
        "--notes",
        "",
        "--organization",
        "",
        "--custom",
        "Price list=",
        "--remove-label",
        "VIP",
        "--birthday",
        "",
        "--suffix",
        "PhD",
    ];
    let emptied = home.json(&line);
    assert_eq!(
        (&emptied["emails"], &emptied["custom"], &emptied["labels"]),
        (&json!([]), &json!({}), &json!(["Customer"]))
    );
    for name in ["notes", "organization", "birthday"] {
        assert_eq!(emptied[name], Value::Null, "{name}");
    }
    assert_eq!(emptied["name"]["full"], "Dr. Ada B. King PhD");
    assert_eq!(emptied["phones"], ada["phones"], "what is not named stays");
    let other = home.json(&[
        "organization",
        "add",
        "--name",
        "Acme",
        "--industry",
        "Anvils",
        "--website",
        "https://acme.example",
    ]);
    assert_eq!(
        (&other["industry"], &other["websites"][0]["value"]),
        (&json!("Anvils"), &json!("https://acme.example"))
    );
}

#[test]
fn a_patch_is_merged_into_the_record() {
    let home = Home::alone();
    let id = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org", "--custom", "a=1"]);
    let patched = home.json(&[
        "person",
        "edit",
        &id,
        "--patch",
        r#"{"name": {"middle": "B."}, "custom": {"b": "2"}, "organization": {"name": "Acme"}, "labels": ["New"]}"#,
    ]);
    assert_eq!(patched["name"]["full"], "Ada B. King");
    assert_eq!((&patched["custom"], &patched["labels"]), (&json!({"a": "1", "b": "2"}), &json!(["New"])));
    assert_eq!(patched["organization"]["id"], home.json(&["organization", "list"])[0]["id"]);
    let patched = home.json(&[
        "person",
        "edit",
        &id,
        "--patch",
        r#"{"custom": {"a": null}, "organization": null, "emails": null, "name": {"full": "Dr. Grace Hopper"}}"#,
    ]);
    assert_eq!(
        (&patched["custom"], &patched["organization"], &patched["emails"]),
        (&json!({"b": "2"}), &Value::Null, &json!([]))
    );
    assert_eq!((&patched["name"]["given"], &patched["name"]["prefix"]), (&json!("Grace"), &json!("Dr.")));
    // The whole record may come back with a change in it, on stdin.
    let mut whole = home.json(&["person", "show", &id]);
    whole["job_title"] = json!("Admiral");
    let mut child = home
        .command(["person", "edit", &id, "--json", "--patch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    child.stdin.take().expect("a pipe").write_all(whole.to_string().as_bytes()).expect("written");
    let answer: Value = serde_json::from_slice(&child.wait_with_output().expect("an end").stdout).expect("JSON");
    assert_eq!(answer["job_title"], "Admiral");
}

#[test]
fn a_patch_that_is_refused_names_member_and_rule_and_changes_nothing() {
    let home = Home::alone();
    let id = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    let acme = home.id(&["organization", "add", "--name", "Acme"]);
    let rows = home.rows();
    for (kind, id, patch, names) in [
        ("person", &id, r#"{"fax": "1"}"#, &["fax", "unknown member", "phones"][..]),
        ("person", &id, r#"{"notes": 7}"#, &["notes", "string"]),
        ("person", &id, r#"{"emails": "x@example.org"}"#, &["emails", "list"]),
        ("person", &id, r#"{"emails": [{"value": 7}]}"#, &["emails[0].value"]),
        ("person", &id, r#"{"emails": [{"value": ""}]}"#, &["emails[0]", "empty"]),
        (
            "person",
            &id,
            r#"{"emails": [{"value": "a@example.org", "primary": true}, {"value": "b@example.org", "primary": true}]}"#,
            &["emails", "primary"],
        ),
        ("person", &id, r#"{"phones": [{"number": "1"}]}"#, &["phones[0]", "number"]),
        ("person", &id, r#"{"birthday": "17.5.1980"}"#, &["birthday", "date"]),
        ("person", &id, r#"{"birthday": "--02-30"}"#, &["birthday", "date"]),
        ("person", &id, r#"{"name": {"first": "A"}}"#, &["name", "first"]),
        ("person", &id, r#"{"organization": {"name": ""}}"#, &["organization", "name"]),
        ("person", &id, r#"{"custom": ["x"]}"#, &["custom", "object"]),
        ("person", &id, r#"{"custom": {"": "x"}}"#, &["custom"]),
        ("person", &id, r#"{"version": {"store": 9}}"#, &["version", "cannot be changed"]),
        ("person", &id, r#"{"kind": "organization"}"#, &["kind", "person"]),
        ("person", &id, r#"{"photo": {"digest": "x"}}"#, &["photo"]),
        ("person", &id, r#"{"name": null, "emails": []}"#, &["nothing would be known"]),
        ("person", &id, r#"{"notes": "x"} {"#, &["--patch", "not JSON"]),
        ("person", &id, "7", &["--patch", "object"]),
        ("organization", &acme, r#"{"name": null}"#, &["name", "needs a name"]),
        ("organization", &acme, r#"{"birthday": "2000-01-01"}"#, &["birthday", "unknown member"]),
    ] {
        home.run([kind, "edit", id, "--patch", patch]).refused(2, names);
    }
    home.run(["person", "edit", &id, "--notes", "x", "--patch", r#"{"notes": "y"}"#]).refused(2, &["notes", "--patch"]);
    home.run(["person", "edit", &id, "--name", "A B", "--given", "C"]).refused(2, &["--name"]);
    home.run(["person", "edit", &id, "--custom", "nothing"]).refused(2, &["--custom", "KEY=VALUE"]);
    home.run(["person", "add"]).refused(2, &["nothing would be known"]);
    assert_eq!(home.rows(), rows);
}

#[test]
fn a_contact_that_is_not_there_is_named() {
    let home = Home::alone();
    let acme = home.id(&["organization", "add", "--name", "Acme"]);
    for (verb, more) in [("show", None), ("edit", Some("--notes=x")), ("delete", None), ("restore", None)] {
        let run = |kind, id| home.run([kind, verb, id].into_iter().chain(more));
        run("person", NOBODY).refused(2, &["no person", NOBODY]);
        run("organization", NOBODY).refused(2, &["no organization", NOBODY]);
        run("person", &acme).refused(2, &["no person", &acme]);
        run("person", "nonsense").refused(2, &["nonsense"]);
    }
}

#[test]
fn deleted_contacts_are_hidden_and_come_back_as_they_were() {
    let home = Home::alone();
    let ada = home.json(&["person", "add", "--name", "Ada King", "--email", "ada@example.org", "--label", "VIP"]);
    let id = ada["id"].as_str().expect("an id");
    assert!(home.json(&["person", "delete", id])["deleted"].is_string());
    assert_eq!(home.json(&["person", "list"]), json!([]));
    assert_eq!(ids(&home, &["person", "list", "--deleted"]), [id]);
    assert!(home.json(&["person", "show", id])["deleted"].is_string());
    home.run(["person", "edit", id, "--notes", "x"]).refused(2, &["deleted", "restore"]);
    let rows = home.rows();
    home.json(&["person", "delete", id]);
    assert_eq!(home.rows(), rows, "deleting again changes nothing");
    let back = home.json(&["person", "restore", id]);
    for name in ["name", "emails", "labels", "deleted", "created"] {
        assert_eq!(back[name], ada[name], "{name}");
    }
    assert_eq!(ids(&home, &["person", "list"]), [id]);
    let history = home.json(&["history", id]);
    let actions: Vec<&str> =
        history.as_array().expect("a list").iter().filter_map(|row| row["action"].as_str()).collect();
    assert_eq!(actions, ["restored", "deleted", "created"]);
}

#[test]
fn people_follow_a_new_name_of_their_organization() {
    let home = Home::alone();
    let people: Vec<String> = (0..3)
        .map(|n| home.id(&["person", "add", "--name", &format!("Person {n}"), "--organization", "Example GmbH"]))
        .collect();
    let stranger = home.id(&["person", "add", "--name", "Stranger", "--organization", "Other GmbH"]);
    let organization = home.json(&["organization", "list", "Example"])[0].clone();
    assert_eq!(organization["people_count"], 3);
    let id = organization["id"].as_str().expect("an id");
    home.json(&["organization", "edit", id, "--name", "Example AG"]);
    for person in &people {
        let shown = home.json(&["person", "show", person]);
        assert_eq!(shown["organization"], json!({"id": id, "name": "Example AG"}));
        assert_eq!(shown["version"], json!({"store": 2}), "a renamed organization is a change of its people");
    }
    assert_eq!(home.json(&["person", "show", &stranger])["organization"]["name"], "Other GmbH");
    assert_eq!(ids(&home, &["person", "list", "--organization", "example ag"]).len(), 3);
    assert_eq!(ids(&home, &["person", "list", "--organization", id]).len(), 3);
    // Its people keep the name of a deleted one.
    home.json(&["organization", "delete", id]);
    let shown = home.json(&["person", "show", &people[0]]);
    assert_eq!(shown["organization"], json!({"id": null, "name": "Example AG"}));
}

#[test]
fn an_organization_is_found_by_its_name_however_it_is_spelled() {
    let home = Home::alone();
    let first = home.json(&["person", "add", "--name", "Ada", "--organization", "Zürich AG"]);
    let second = home.json(&["person", "add", "--name", "Bob", "--organization", "  zürich ag "]);
    assert_eq!(second["organization"], first["organization"]);
    assert_eq!(home.json(&["organization", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn lists_are_narrowed_and_limited() {
    let home = Home::alone();
    let ada = home.id(&["person", "add", "--name", "Ada King", "--label", "VIP", "--owner", "sales@example.org"]);
    let bob =
        home.id(&["person", "add", "--name", "Bob Stone", "--phone", "+49 30 5550199", "--notes", "plays 100% Chess"]);
    for (line, expected) in [
        (&[][..], &[&ada, &bob][..]),
        (&["KING"], &[&ada]),
        (&["5550199"], &[&bob]),
        (&["100%"], &[&bob]),
        (&["--label", "VIP"], &[&ada]),
        (&["--label", "vip!"], &[]),
        (&["--owner", "SALES@example.org"], &[&ada]),
        (&["--limit", "1"], &[&ada]),
        (&["--limit", "0"], &[]),
        (&["--organization", "nobody"], &[]),
    ] {
        let expected: Vec<String> = expected.iter().map(|id| (*id).clone()).collect();
        assert_eq!(ids(&home, &[&["person", "list"], line].concat()), expected, "{line:?}");
    }
}

#[test]
fn an_edit_that_says_nothing_new_writes_nothing() {
    let home = Home::alone();
    let id = home.id(&["person", "add", "--name", "Ada King", "--notes", "x"]);
    let rows = home.rows();
    home.json(&["person", "edit", &id, "--notes", "x"]);
    home.run(["person", "edit", &id]).refused(2, &["nothing to change"]);
    assert_eq!(home.rows(), rows);
}

#[test]
fn texts_of_any_script_and_length_come_back_as_they_are() {
    let home = Home::alone();
    let long = "x".repeat(50_000);
    for name in ["王小明", "‏מרים", "O'Neill-Śmith", "<b>&amp;\"", "e\u{301}", "👩‍👩‍👧", "-dash", long.as_str()]
    {
        let id = home.id(&["person", "add", &format!("--name={name}"), &format!("--notes={name}\t{name}")]);
        let shown = home.json(&["person", "show", &id]);
        let full = shown["name"]["full"].as_str().expect("a name");
        assert_eq!(full.chars().count(), name.chars().count(), "{full}");
        assert_eq!(shown["notes"], format!("{name}\t{name}"));
    }
}
