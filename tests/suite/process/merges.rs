//! Likely duplicates, merges, and merges taken back, at the command line and in Google.

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

fn emails(record: &Value) -> Vec<&str> {
    let emails = record["emails"].as_array().expect("a list").iter();
    emails.map(|email| email["value"].as_str().expect("a text")).collect()
}

fn add(home: &Home, name: &str, email: &str) -> String {
    home.id(&["person", "add", "--name", name, "--email", email])
}

/// Two Adas that are one, and Grace, who is nobody's double.
fn two_adas(home: &Home) -> [String; 2] {
    let keep = home.id(&[
        "person",
        "add",
        "--name",
        "Ada King",
        "--email",
        "ada@example.org",
        "--job-title",
        "CTO",
        "--notes",
        "Likes tea.",
    ]);
    let other = home.id(&[
        "person",
        "add",
        "--name",
        "Ada Kinge",
        "--email",
        "ada@example.org",
        "--email",
        "king@example.org",
        "--job-title",
        "Chief",
        "--department",
        "R&D",
        "--notes",
        "Prefers mail.",
    ]);
    add(home, "Grace Hopper", "grace@example.org");
    [keep, other]
}

#[test]
fn duplicates_tell_their_evidence_and_are_dismissed_for_good() {
    let home = Home::alone();
    let [keep, other] = two_adas(&home);
    let found = home.json(&["duplicates"]);
    assert_eq!(found.as_array().expect("a list").len(), 1, "{found}");
    let (first, second) = if keep < other { (&keep, &other) } else { (&other, &keep) };
    assert_eq!((&found[0]["first"]["id"], &found[0]["second"]["id"]), (&json!(first), &json!(second)));
    assert_eq!(found[0]["strength"], json!("strong"));
    assert_eq!(found[0]["evidence"], json!(["e-mail ada@example.org", "near-equal names"]));
    assert_eq!(found[0]["kind"], json!("person"));
    assert_eq!(home.json(&["duplicates", "--kind", "organization"]), json!([]));
    let acme = home.id(&["organization", "add", "--name", "Acme"]);
    home.run(["duplicates", "--dismiss", &acme, &keep]).refused(2, &["a person and an organization anyway"]);
    for _ in 0..2 {
        home.run(["duplicates", "--dismiss", &other, &keep]).ended(0);
    }
    assert_eq!(home.json(&["duplicates"]), json!([]));
    assert_eq!(home.json(&["duplicates", "--dismissed"])[0]["first"]["id"], json!(first));
    home.run(["duplicates", "--undismiss", &keep, &other]).ended(0);
    assert_eq!(home.json(&["duplicates"]).as_array().expect("a list").len(), 1);
    home.run(["duplicates", "--undismiss", &keep, &other]).refused(2, &["nobody said"]);
    home.run(["duplicates", "--dismiss", &keep, &keep]).refused(2, &["is the contact itself"]);
}

#[test]
fn a_merge_is_told_field_by_field_and_changes_nothing_before_it_is_wanted() {
    let home = Home::alone();
    let [keep, other] = two_adas(&home);
    let before = home.rows();
    let plan = home.json(&["person", "merge", &keep, &other]);
    assert_eq!(plan["survivor"], json!(keep));
    let field = |name: &str| {
        let fields = plan["fields"].as_array().expect("a list");
        fields.iter().find(|field| field["field"] == name).unwrap_or_else(|| panic!("{name}: {plan}")).clone()
    };
    assert_eq!(field("job_title")["result"], json!("CTO"));
    assert_eq!(field("job_title")["lost"], json!("Chief"));
    assert_eq!(field("department")["result"], json!("R&D"));
    assert_eq!(field("notes")["result"], json!("Likes tea.\n\nPrefers mail."));
    assert_eq!(field("notes")["lost"], Value::Null);
    let page = home.run(["person", "merge", &keep, &other, "--take", "job_title=other"]).ended(0).out.clone();
    assert!(page.contains("--take \"job_title=other\" --yes` carries this out"), "{page}");
    assert_eq!(home.rows(), before);
    home.run(["person", "merge", &keep, &other, "--take", "birthday=other"]).refused(2, &["has no birthday"]);
    home.run(["person", "merge", &keep, &keep]).refused(2, &["a merge takes two"]);
    home.run(["organization", "merge", &keep, &other]).refused(2, &["there is no organization"]);
    home.run(["person", "merge", &keep, "Nobody"]).refused(2, &["there is no person \"Nobody\""]);
}

#[test]
fn what_hung_on_the_other_one_follows_and_goes_back_again() {
    let home = Home::alone();
    let [keep, other] = two_adas(&home);
    let deal = home.id(&["deal", "add", "Pilot", "--person", &other]);
    let note = home.id(&["note", "add", "Called.", "--person", &other]);
    let before = home.json(&["person", "show", &keep]);
    let merged = home.json(&["person", "merge", &keep, &other, "--yes"]);
    let run = merged["run"].as_str().expect("an id").to_owned();
    assert_eq!((&merged["survivor"], &merged["gone"]), (&json!(keep), &json!(other)));
    let after = home.json(&["person", "show", &keep]);
    assert_eq!(emails(&after), ["ada@example.org", "king@example.org"]);
    assert_eq!((&after["job_title"], &after["department"]), (&json!("CTO"), &json!("R&D")));
    assert_eq!(after["detail"]["deals"][0]["id"], json!(deal));
    assert_eq!(after["detail"]["notes"][0]["id"], json!(note));
    assert!(home.json(&["person", "show", &other])["deleted"].is_string());
    assert_eq!(home.json(&["duplicates"]), json!([]));

    home.run(["person", "edit", &keep, "--birthday", "1815-12-10", "--job-title", "CEO"]).ended(0);
    let plan = home.json(&["undo", &run]);
    assert_eq!(plan["skipped"][0]["reason"], Value::Null, "nobody else touched what the merge changed: {plan}");
    home.run(["undo", &run, "--yes"]).ended(0);
    let back = home.json(&["person", "show", &keep]);
    assert_eq!(
        (&back["emails"], &back["department"], &back["notes"]),
        (&before["emails"], &Value::Null, &before["notes"])
    );
    assert_eq!((&back["birthday"], &back["job_title"]), (&json!("1815-12-10"), &json!("CEO")), "what came later stays");
    let other = home.json(&["person", "show", &other]);
    assert_eq!((&other["deleted"], &other["job_title"]), (&Value::Null, &json!("Chief")));
    assert_eq!(other["detail"]["deals"][0]["id"], json!(deal));
    assert_eq!(back["detail"]["notes"], json!([]));
    assert_eq!(home.run(["undo", &run]).ended(0).out, "there is nothing to take back\n");
}

#[test]
fn people_and_relations_of_an_organization_follow() {
    let home = Home::alone();
    let [acme, double, north] =
        ["Acme GmbH", "Acme Gmbh & Co", "Acme North"].map(|name| home.id(&["organization", "add", "--name", name]));
    let ada = home.id(&["person", "add", "--name", "Ada King", "--organization", "Acme Gmbh & Co"]);
    home.run(["organization", "relate", &double, "--daughter", &north]).ended(0);
    home.run(["organization", "relate", &double, "--related", &acme]).ended(0);
    let merged = home.json(&["organization", "merge", &acme, &double, "--yes"]);
    let shown = home.json(&["person", "show", &ada]);
    assert_eq!(shown["organization"], json!({"id": acme, "name": "Acme GmbH"}));
    let related = home.json(&["organization", "show", &acme])["related"].clone();
    assert_eq!(related, json!([{"kind": "daughter", "id": north, "name": "Acme North"}]));
    home.run(["undo", merged["run"].as_str().expect("an id"), "--yes"]).ended(0);
    let shown = home.json(&["person", "show", &ada]);
    assert_eq!(shown["organization"], json!({"id": double, "name": "Acme Gmbh & Co"}));
    assert_eq!(home.json(&["organization", "show", &double])["related"].as_array().expect("a list").len(), 2);
}

#[test]
fn a_merge_reaches_google_as_one_updated_and_one_deleted_contact() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let [keep, other] = two_adas(&home);
    home.run(["match", "list"]).ended(0);
    home.run(["sync"]).ended(0);
    assert_eq!(sandbox.people().len(), 3);
    let merged = home.json(&["person", "merge", &keep, &other, "--yes"]);
    let summary = home.json(&["sync"]);
    let pushed = &summary["accounts"][0]["pushed"];
    assert_eq!(pushed, &json!({"created": 0, "updated": 1, "deleted": 1}), "{summary}");
    assert_eq!(sandbox.people().len(), 2);
    assert_eq!(sandbox.people_with("king@example.org").len(), 1);
    let quiet = sandbox.mutations();
    home.run(["sync"]).ended(0);
    assert_eq!(sandbox.mutations(), quiet, "a further run writes nothing");
    home.run(["undo", merged["run"].as_str().expect("an id"), "--yes"]).ended(0);
    home.run(["sync"]).ended(0);
    assert_eq!(sandbox.people().len(), 3);
    sandbox.has_no_complaints();
}

#[test]
fn the_one_that_is_linked_survives_so_that_its_record_stays() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let other = add(&home, "Ada Kinge", "ada@example.org");
    home.run(["sync"]).ended(0);
    let record = sandbox.person_with("ada@example.org")["resourceName"].clone();
    let keep = home.id(&["person", "add", "--name", "Ada King", "--email", "king@example.org"]);
    let page = home.run(["person", "merge", &keep, &other]).ended(0).out.clone();
    assert!(page.contains("it is the one that stays"), "{page}");
    assert_eq!(home.json(&["person", "merge", &keep, &other, "--yes"])["survivor"], json!(other));
    home.run(["sync"]).ended(0);
    let people = sandbox.people();
    assert_eq!(people.len(), 1, "{people:?}");
    assert_eq!((&people[0]["resourceName"], &people[0]["names"][0]["familyName"]), (&record, &json!("King")));
    assert_eq!(people[0]["emailAddresses"].as_array().expect("a list").len(), 2);
    sandbox.has_no_complaints();
}

#[test]
fn an_edit_in_google_of_the_one_that_went_is_not_lost() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let [keep, other] = two_adas(&home);
    home.run(["sync"]).ended(0);
    let record = sandbox.person_with("king@example.org");
    sandbox.edit(&record, &json!({"nicknames": [{"value": "Countess"}]}));
    home.run(["person", "merge", &keep, &other, "--yes"]).ended(0);
    home.run(["sync"]).ended(0);
    let nicknames = |id: &str| home.json(&["person", "show", id])["nicknames"].clone();
    let kept = [nicknames(&keep), nicknames(&other)];
    assert!(kept.contains(&json!(["Countess"])), "{kept:?}");
    sandbox.has_no_complaints();
}

#[test]
fn the_history_and_the_bin_say_who_was_merged_with_whom() {
    let home = Home::alone();
    let [keep, other] = two_adas(&home);
    let merged = home.json(&["person", "merge", &keep, &other, "--yes"]);
    let run = merged["run"].as_str().expect("an id");
    let page = home.run(["history", &keep, "--limit", "1"]).ended(0).out.clone();
    assert!(page.contains(&format!("merged with {other}")) && page.contains("merge, this value lost"), "{page}");
    assert!(page.contains("Chief"), "the value that lost is in the history: {page}");
    let page = home.run(["explain", &other]).ended(0).out.clone();
    assert!(page.contains(&format!("merged into {keep}")), "{page}");
    assert_eq!(home.json(&["history", "--run", run]).as_array().expect("a list").len(), 2);
    for line in [&["bin"][..], &["bin", "list", "--kind", "person"]] {
        let bin = home.json(line);
        assert_eq!((&bin[0]["id"], &bin[0]["merged_into"], &bin[0]["run"]), (&json!(other), &json!(keep), &json!(run)));
        assert!(bin[0]["deleted"].is_string(), "{bin}");
    }
    let back = home.json(&["undo", run, "--yes"]);
    assert_eq!((&back["undo"], &back["accounts"]), (&json!(run), &json!([])));
    assert_eq!(home.json(&["bin"]), json!([]));
    let page = home.run(["explain", &keep]).ended(0).out.clone();
    assert!(page.contains("a person took back"), "{page}");
    home.run(["undo", back["run"].as_str().expect("an id"), "--yes"]).ended(0);
    assert!(home.json(&["person", "show", &other])["deleted"].is_string(), "taken back, and that taken back in turn");
}

// One is linked in the one account, the other in the other: the survivor gets a record where it had none.
#[test]
fn two_that_are_linked_in_different_accounts_become_one_in_each() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let account = sandbox.second_account();
    home.write_private("second-token", account["refresh_token"].as_str().expect("a token"));
    let more = format!(
        "labels = [\"A\"]\n\n[[account]]\nname = \"service\"\nemail = {}\nrefresh_token_file = \"second-token\"\n\
         schedule = \"0 0 0 1 1 *\"\n[[account.pair]]\ngroup = \"Others\"\nlabels = [\"B\"]\n",
        account["email"]
    );
    home.configure(&(Home::configuration(&sandbox, "") + &more));
    let person = |name: &str, email: &str, label: &str| {
        home.id(&["person", "add", "--name", name, "--email", email, "--label", label])
    };
    let keep = person("Ada King", "ada@example.org", "A");
    let other = person("Ada Kinge", "king@example.org", "B");
    home.run(["sync"]).ended(0);
    assert_eq!((sandbox.people().len(), sandbox.people_of_second().len()), (1, 1));
    let plan = home.json(&["person", "merge", &keep, &other]);
    let records = plan["records"].as_array().expect("a list");
    assert_eq!((records.len(), &plan["survivor"]), (2, &json!(keep)), "{plan}");
    assert!(records[0]["told"].as_str().expect("a text").contains("gets the values of both"), "{plan}");
    assert!(records[1]["told"].as_str().expect("a text").contains("one of the contact that stays is made"), "{plan}");
    let merged = home.json(&["person", "merge", &keep, &other, "--yes"]);
    home.run(["sync"]).ended(0);
    for people in [sandbox.people(), sandbox.people_of_second()] {
        assert_eq!(people.len(), 1, "{people:?}");
        assert_eq!(people[0]["emailAddresses"].as_array().expect("a list").len(), 2, "{people:?}");
    }
    let quiet = sandbox.mutations();
    home.run(["sync"]).ended(0);
    assert_eq!(sandbox.mutations(), quiet, "a further run writes nothing");
    home.run(["undo", merged["run"].as_str().expect("an id"), "--yes"]).ended(0);
    home.run(["sync"]).ended(0);
    assert_eq!(sandbox.person_with("ada@example.org")["emailAddresses"].as_array().expect("a list").len(), 1);
    let kings: Vec<Value> = sandbox
        .people_of_second()
        .into_iter()
        .filter(|person| person["names"][0]["familyName"] == json!("Kinge"))
        .collect();
    assert_eq!(kings.len(), 1, "{kings:?}");
    assert_eq!(kings[0]["emailAddresses"].as_array().expect("a list").len(), 1);
    sandbox.has_no_complaints();
}
