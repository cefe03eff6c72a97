//! Another field map: fields that travel from now on are met as for the first time, and nothing is blanked anywhere.

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

fn biography(sandbox: &Sandbox, email: &str) -> Value {
    sandbox.person_with(email)["biographies"][0]["value"].clone()
}

fn configure(home: &Home, sandbox: &Sandbox, fields: &str) {
    home.configure(&(Home::configuration(sandbox, "conflict = \"store\"") + "[account.fields]\n" + fields));
}

#[test]
fn a_field_that_is_switched_off_and_on_again_blanks_nothing() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    configure(&home, &sandbox, "notes = \"off\"\n");
    let mails = ["ours", "theirs", "both", "none"].map(|name| format!("{name}@example.org"));
    let add = |mail: &String, notes: &[&str]| {
        home.id(&[&["person", "add", "--name", &mail[..4], "--email", mail], notes].concat());
    };
    add(&mails[0], &["--notes", "from the store"]);
    add(&mails[1], &[]);
    add(&mails[2], &["--notes", "store's"]);
    add(&mails[3], &[]);
    home.json(&["sync"]);
    assert!(mails.iter().all(|mail| biography(&sandbox, mail).is_null()), "switched off");
    for (mail, notes) in [(&mails[1], "from Google"), (&mails[2], "Google's")] {
        sandbox.edit(&sandbox.person_with(mail), &json!({"biographies": [{"value": notes}]}));
    }
    home.json(&["sync"]);

    configure(&home, &sandbox, "");
    let plan = home.json(&["plan"]);
    assert!(plan["accounts"][0]["operations"].as_array().is_some_and(|list| list.len() >= 3), "shown first: {plan}");
    home.json(&["apply", plan["plan"].as_str().expect("an id")]);
    let notes = |mail: &String| home.person_with(mail)["notes"].clone();
    let expected = [json!("from the store"), json!("from Google"), json!("store's"), Value::Null];
    for (mail, expected) in mails.iter().zip(&expected) {
        assert_eq!((&notes(mail), &biography(&sandbox, mail)), (expected, expected), "{mail}");
    }
    assert!(home.json(&["plan"])["accounts"][0]["operations"].as_array().expect("a list").is_empty());

    // Off again: both sides keep what they have.
    configure(&home, &sandbox, "notes = \"off\"\n");
    let rows = home.json(&["sync"]);
    assert_eq!(rows["accounts"][0]["pushed"]["updated"], json!(0), "{rows}");
    for (mail, expected) in mails.iter().zip(&expected) {
        assert_eq!((&notes(mail), &biography(&sandbox, mail)), (expected, expected), "{mail}");
    }
    sandbox.has_no_complaints();
}

#[test]
fn a_field_that_travels_once_an_account_is_two_way_comes_along_with_what_was_edited_before() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    let mail = "ada@example.org";
    home.configure(
        &(Home::configuration(&sandbox, "direction = \"to-google\"") + "[account.fields]\nnotes = \"off\"\n"),
    );
    home.id(&["person", "add", "--name", "Ada", "--email", mail, "--notes", "from the store"]);
    home.json(&["sync"]);
    sandbox.edit(&sandbox.person_with(mail), &json!({"nicknames": [{"value": "Countess"}]}));
    home.json(&["sync"]);
    assert_eq!(home.person_with(mail)["nicknames"], json!([]), "nothing goes into the store yet");

    home.configure(&(Home::configuration(&sandbox, "direction = \"two-way\"")));
    home.json(&["sync"]);
    assert_eq!(home.person_with(mail)["nicknames"], json!(["Countess"]));
    assert_eq!(home.person_with(mail)["notes"], json!("from the store"));
    assert_eq!(biography(&sandbox, mail), json!("from the store"));
    assert!(home.json(&["plan"])["accounts"][0]["operations"].as_array().expect("a list").is_empty());
    sandbox.has_no_complaints();
}
