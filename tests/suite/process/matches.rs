//! `match`: a question is told by every command that meets it, shown with both sides, answered, and then it is done.

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

const PHONE: &str = "+49 30 1234567";

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

fn google_person(given: &str) -> Value {
    let name = if given.is_empty() {
        json!({"familyName": "King"})
    } else {
        json!({"givenName": given, "familyName": "King"})
    };
    json!({"names": [name],
        "phoneNumbers": [{"value": "0049 30 1234567"}], "biographies": [{"value": "secret of the stranger"}]})
}

/// A family with one phone: two contacts, and a record in the group that may be either of them.
fn family(sandbox: &Sandbox, home: &Home) -> ([String; 2], String) {
    home.json(&["sync"]);
    let add = |name: &str| home.id(&["person", "add", "--name", name, "--phone", PHONE]);
    let ids = [add("Ada King"), add("Eve King")];
    let record = sandbox.create(&google_person(""), Some("Team"));
    (ids, record["resourceName"].as_str().expect("a name").to_owned())
}

#[test]
fn an_answer_about_a_record_that_nobody_has_seen_is_kept_and_doubted_aloud() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let (ids, record) = family(&sandbox, &home);
    home.run(["sync"]).ended(3);
    let told = home.run(["match", "link", &ids[0], "people/c999", "--account", "sales"]);
    assert!(told.ended(0).err.contains("has not seen people/c999"), "{told:?}");
    let known = home.run(["match", "link", &ids[0], &record]);
    assert!(!known.ended(0).err.contains("has not seen"), "{known:?}");
}

#[test]
fn a_record_in_doubt_is_shown_linked_and_done() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let ([ada, eve], record) = family(&sandbox, &home);
    let plan = home.run(["plan"]);
    assert!(plan.out.contains(&format!("contactsync match show {record}")), "{}", plan.out);
    let sync = home.run(["sync"]);
    sync.ended(3);
    assert!(sync.out.contains("contactsync match list"), "{}", sync.out);
    let status = home.run(["status"]);
    assert!(status.out.contains("contactsync match list"), "{}", status.out);

    let list = home.json(&["match", "list"]);
    assert_eq!(
        (list.as_array().map(Vec::len), &list[0]["id"], &list[0]["name"]),
        (Some(1), &json!(record), &json!("King"))
    );
    let mut both = [ada.as_str(), eve.as_str()];
    both.sort_unstable();
    assert_eq!(texts(&list[0]["candidates"]), both);
    let page = home.run(["match", "show", &record]);
    page.ended(0);
    for told in ["King", "Ada King", "Eve King", "in common: phone +49301234567", &format!("match link {record} {eve}")]
    {
        assert!(page.out.contains(told), "{told}: {}", page.out);
    }
    let sheet = &home.json(&["match", "show", &record])[0];
    assert_eq!((&sheet["subject"]["side"], &sheet["candidates"][0]["side"]), (&json!("google"), &json!("store")));

    let said = home.json(&["match", "link", &record, &eve]);
    assert_eq!((&said["answers"][0]["said"], &said["answers"][0]["contact"]), (&json!("same"), &json!(eve)));
    assert!(home.run(["match", "list", "--answered"]).out.contains(&record));
    let run = home.json(&["sync"]);
    assert_eq!(run["accounts"][0]["outcome"], "done", "{run}");
    assert_eq!(sandbox.people().len(), 2, "Ada is made, Eve is the record");
    assert_eq!(home.json(&["match", "list"]), json!([]));
    assert_eq!(home.json(&["match", "list", "--answered"]), json!([]));
    assert_eq!(home.json(&["person", "show", &eve])["notes"], "secret of the stranger");
    home.run(["match", "link", &record, &eve]).refused(2, &["already", "contactsync undo RUN"]);
    home.run(["match", "link", &record, &ada]).refused(2, &[&ada, "can have one only"]);
}

#[test]
fn a_contact_in_doubt_shows_strangers_as_google_has_them_and_keeps_nothing_of_them() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    for given in ["Ada", "Eve"] {
        sandbox.create(&google_person(given), None);
    }
    home.json(&["sync"]);
    let contact = home.id(&["person", "add", "--name", "King", "--phone", PHONE]);
    home.run(["sync"]).ended(3);
    let sheet = &home.json(&["match", "show", &contact])[0];
    let names: Vec<&str> =
        sheet["candidates"].as_array().expect("two").iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!((names.len(), names.contains(&"Ada King"), names.contains(&"Eve King")), (2, true, true), "{sheet}");
    assert_eq!(texts(&sheet["candidates"][0]["evidence"]), ["phone +49301234567"]);
    let file = std::fs::read(home.path("contacts.db")).expect("the database");
    for secret in ["secret of the stranger", "Eve King"] {
        assert!(!file.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret}");
    }

    let said = home.json(&["match", "separate", &contact]);
    assert_eq!(said["answers"].as_array().map(Vec::len), Some(2), "{said}");
    let record = said["answers"][0]["record"].as_str().expect("a record").to_owned();
    home.run(["match", "forget", &contact, &record]).ended(0);
    home.run(["match", "separate", &contact, &record]).ended(0);
    let run = home.json(&["sync"]);
    assert_eq!((&run["accounts"][0]["outcome"], sandbox.people().len()), (&json!("done"), 3), "{run}");
    assert_eq!(home.json(&["match", "list", "--answered"]).as_array().map(Vec::len), Some(2), "for ever");
}
