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
