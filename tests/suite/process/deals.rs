//! What hangs on contacts, at the command line: deals, activities, notes, relations, and the view that gathers them.

use serde_json::{Value, json};

use crate::support::process::Home;

const NOBODY: &str = "01JD0000000000000000000000";

fn names(list: &Value, member: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item[member].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn a_deal_brings_its_person_and_its_organization_along() {
    let home = Home::alone();
    let line = [
        "deal",
        "add",
        "--person",
        "Ada King",
        "--person-email",
        "ada@example.org",
        "--organization",
        "Acme GmbH",
        "--value",
        "12000.50 eur",
        "--expected-close",
        "2026-12-24",
        "--label",
        "Hot",
        "--custom",
        "Source=Fair",
    ];
    let deal = home.json(&line);
    for (member, expected) in [
        ("kind", json!("deal")),
        ("title", json!("Acme GmbH deal")),
        ("value", json!({"amount": "12000.50", "currency": "EUR"})),
        ("pipeline", json!("Pipeline")),
        ("stage", json!("Qualified")),
        ("status", json!("open")),
        ("expected_close", json!("2026-12-24")),
        ("labels", json!(["Hot"])),
        ("custom", json!({"Source": "Fair"})),
        ("version", json!({"store": 1})),
        ("deleted", Value::Null),
    ] {
        assert_eq!(deal[member], expected, "{member}");
    }
    let ada = home.person_with("ada@example.org");
    assert_eq!(deal["person"], json!({"id": ada["id"], "name": "Ada King"}));
    assert_eq!(ada["organization"], deal["organization"], "a new person works for the organization");
    let again = home.json(&["deal", "add", "Second", "--person", "ada king", "--organization", "ACME GmbH"]);
    assert_eq!((&again["person"], &again["organization"]), (&deal["person"], &deal["organization"]), "both were there");
    assert_eq!(home.json(&["person", "list"]).as_array().expect("a list").len(), 1);
}

#[test]
fn a_deal_that_is_refused_brings_nobody() {
    let home = Home::alone();
    for (line, said) in [
        (vec!["deal", "add", "x"], "a deal belongs to a person, an organization or both"),
        (vec!["deal", "add", "x", "--person", "Ada", "--stage", "Foo"], "deal stage: \"Foo\" is none of pipeline"),
        (vec!["deal", "add", "x", "--person", "Ada", "--pipeline", "Foo"], "deal pipeline: \"Foo\" is none"),
        (vec!["deal", "add", "x", "--person", "Ada", "--value", "12"], "--value: \"12\" is no amount of money"),
        (
            vec!["deal", "add", "x", "--person", "Ada", "--expected-close", "24.12.2026"],
            "--expected-close: \"24.12.2026\"",
        ),
        (
            vec!["deal", "add", "x", "--person", "Ada", "--expected-close=--12-24"],
            "expected_close: \"--12-24\" has no year",
        ),
        (vec!["deal", "add", "x", "--person", "Ada", "--lost-reason", "price"], "lost_reason: \"price\" is given, but"),
        (vec!["deal", "add", "x", "--person", NOBODY], "there is no person 01JD"),
        (vec!["deal", "add", "", "--person", "Ada"], "title: \"\" is empty"),
    ] {
        home.run(&line).refused(2, &[said]);
    }
    assert_eq!(home.json(&["person", "list"]), json!([]));
    assert_eq!(home.json(&["deal", "list"]), json!([]));
    home.run(["person", "add", "--name", "Ada"]).ended(0);
    home.run(["person", "add", "--name", "Ada"]).ended(0);
    home.run(["deal", "add", "x", "--person", "Ada"]).refused(2, &["\"Ada\" is the name of 2 persons"]);
}

#[test]
fn a_deal_moves_on_is_closed_and_opened_again() {
    let home = Home::alone();
    home.run(["pipeline", "add", "Sales", "--stage", "First", "--stage", "Second"]).ended(0);
    let id = home.id(&["deal", "add", "Pilot", "--organization", "Acme"]);
    let moved = home.json(&["deal", "edit", &id, "--stage", "second", "--value", "5 EUR"]);
    assert_eq!((&moved["pipeline"], &moved["stage"]), (&json!("Sales"), &json!("Second")));
    let lost = home.json(&["deal", "edit", &id, "--status", "lost", "--lost-reason", "price"]);
    assert_eq!((&lost["status"], &lost["lost_reason"]), (&json!("lost"), &json!("price")));
    assert!(lost["closed"].is_string(), "{lost}");
    assert_eq!(names(&home.json(&["deal", "list", "--status", "lost"]), "title"), ["Pilot"]);
    assert_eq!(home.json(&["deal", "list", "--status", "open"]), json!([]));
    let open = home.json(&["deal", "edit", &id, "--status", "open"]);
    assert_eq!((&open["lost_reason"], &open["closed"]), (&Value::Null, &Value::Null));
    home.run(["deal", "edit", &id, "--organization", ""]).refused(2, &["is nobody"]);
    home.run(["deal", "edit", &id]).refused(2, &["nothing to change"]);
    home.run(["pipeline", "delete", "Sales"]).refused(2, &["1 deals are in pipeline"]);
}

#[test]
fn a_deal_keeps_the_value_of_a_field_that_was_retired_whatever_else_is_edited() {
    let home = Home::alone();
    home.run(["field", "add", "Size", "--of", "deal"]).ended(0);
    let id = home.id(&["deal", "add", "Pilot", "--organization", "Acme", "--custom", "Size=M"]);
    home.run(["field", "edit", "Size", "--of", "deal", "--retire"]).ended(0);
    let edited = home.json(&["deal", "edit", &id, "--stage", "Proposal made", "--custom", "Source=Fair"]);
    assert_eq!(
        (&edited["stage"], &edited["custom"]),
        (&json!("Proposal made"), &json!({"Size": "M", "Source": "Fair"}))
    );
    home.run(["deal", "edit", &id, "--title", "Renamed"]).ended(0);
    home.run(["deal", "edit", &id, "--custom", "Size=L"]).refused(2, &["the field is retired"]);
}

#[test]
fn a_deal_that_is_won_when_it_is_added_tells_since_when() {
    let home = Home::alone();
    let won = home.json(&["deal", "add", "Pilot", "--organization", "Acme", "--status", "won"]);
    assert!(won["closed"].is_string(), "{won}");
}

#[test]
fn what_is_deleted_can_be_restored_as_it_was() {
    let home = Home::alone();
    let ada = home.id(&["person", "add", "--name", "Ada King"]);
    for (kind, line) in [
        ("deal", vec!["deal", "add", "Pilot", "--person", &ada]),
        ("note", vec!["note", "add", "Called.", "--person", &ada, "--pin"]),
        ("activity", vec!["activity", "add", "Call", "--person", &ada, "--due", "2026-12-03", "--time", "09:30"]),
    ] {
        let before = home.json(&line);
        let id = before["id"].as_str().expect("an id");
        assert!(home.json(&[kind, "delete", id])["deleted"].is_string());
        assert_eq!(home.json(&[kind, "list"]), json!([]));
        assert_eq!(home.json(&[kind, "list", "--deleted"]).as_array().expect("a list").len(), 1);
        home.run([kind, "show", NOBODY]).refused(2, &["there is no"]);
        let mut after = home.json(&[kind, "restore", id]);
        for member in ["version", "updated"] {
            after[member] = before[member].clone();
        }
        assert_eq!(after, before);
    }
    home.run(["note", "show", &ada]).refused(2, &["there is no note"]);
}

#[test]
fn activities_are_listed_by_the_day_they_are_due() {
    let home = Home::alone();
    home.run(["activity", "add", "Some day", "--organization", "Acme"]).refused(2, &["there is no organization"]);
    home.run(["organization", "add", "--name", "Acme"]).ended(0);
    for (subject, due) in [("Some day", ""), ("Later", "2026-12-24"), ("Sooner", "2026-12-03")] {
        home.run(["activity", "add", subject, "--organization", "Acme", "--due", due, "--type", "call"]).ended(0);
    }
    let list = home.json(&["activity", "list", "--open"]);
    assert_eq!(names(&list, "subject"), ["Sooner", "Later", "Some day"]);
    let sooner = list[0]["id"].as_str().expect("an id");
    assert_eq!(home.json(&["activity", "done", sooner])["done"], json!(true));
    assert_eq!(names(&home.json(&["activity", "list", "--done"]), "subject"), ["Sooner"]);
    assert_eq!(names(&home.json(&["activity", "list", "--open"]), "subject"), ["Later", "Some day"]);
    let undone = home.json(&["activity", "edit", sooner, "--undone", "--due", ""]);
    assert_eq!((&undone["done"], &undone["done_at"], &undone["due"]), (&json!(false), &Value::Null, &Value::Null));
    home.run(["activity", "add", "x", "--time", "9:30"]).refused(2, &["activity time: \"9:30\" is no time"]);
}

#[test]
fn either_side_of_a_relation_has_its_own_word_and_no_circle_closes() {
    let home = Home::alone();
    let [acme, north, south] =
        ["Acme", "Acme North", "Acme South"].map(|name| home.id(&["organization", "add", "--name", name]));
    home.run(["organization", "relate", "Acme", "--daughter", "Acme North"]).ended(0);
    home.run(["organization", "relate", &south, "--parent", &north]).ended(0);
    home.run(["organization", "relate", &south, "--related", "Acme"]).ended(0);
    let related = |id: &str| home.json(&["organization", "show", id])["related"].clone();
    assert_eq!(
        related(&north),
        json!([{"kind": "parent", "id": acme, "name": "Acme"}, {"kind": "daughter", "id": south, "name": "Acme South"}])
    );
    assert_eq!(
        related(&acme),
        json!([{"kind": "daughter", "id": north, "name": "Acme North"}, {"kind": "related", "id": south, "name": "Acme South"}])
    );
    home.run(["organization", "relate", "Acme", "--parent", "Acme South"])
        .refused(2, &["is below", "cannot be its parent"]);
    home.run(["organization", "relate", "Acme", "--related", "Acme"]).refused(2, &["is the organization itself"]);
    home.run(["organization", "unrelate", &acme, &south]).ended(0);
    home.run(["organization", "unrelate", &acme, &south]).refused(2, &["are not related"]);
    assert_eq!(related(&south).as_array().expect("a list").len(), 1);
    home.run(["organization", "delete", &north]).ended(0);
    assert_eq!(related(&south), json!([]), "who is in the bin is not shown");
    home.run(["organization", "restore", &north]).ended(0);
    assert_eq!(related(&south)[0]["name"], json!("Acme North"));
}

#[test]
fn one_view_gathers_everything_that_happens_with_a_contact() {
    let home = Home::alone();
    let deal =
        home.json(&["deal", "add", "Pilot", "--person", "Ada King", "--organization", "Acme", "--value", "5 EUR"]);
    let [ada, acme] = ["person", "organization"].map(|side| deal[side]["id"].as_str().expect("an id").to_owned());
    let won = home.id(&["deal", "add", "Old one", "--organization", "Acme", "--status", "won"]);
    home.run(["note", "add", "Prefers mail.", "--person", &ada, "--pin"]).ended(0);
    home.run(["activity", "add", "Call back", "--person", &ada, "--due", "2026-12-03", "--type", "call"]).ended(0);
    let shown = home.json(&["organization", "show", &acme]);
    let detail = &shown["detail"];
    assert_eq!(names(&detail["people"], "name"), ["Ada King"]);
    assert_eq!(names(&detail["deals"], "title"), ["Pilot", "Old one"]);
    assert_eq!((&shown["people_count"], &detail["notes"]), (&json!(1), &json!([])));
    let detail = home.json(&["person", "show", &ada])["detail"].clone();
    assert_eq!(names(&detail["notes"], "content"), ["Prefers mail."]);
    assert_eq!(names(&detail["activities"], "subject"), ["Call back"]);
    let told = names(&detail["history"], "what");
    assert_eq!(told[..2], ["created: activity, Call back", "created: note, Prefers mail."], "{told:?}");
    let page = home.run(["organization", "show", &acme]).ended(0).out.clone();
    for line in ["People\n", "Open deals\n", "Pilot, 5 EUR, Qualified", "Closed deals\n", &won, "Last changes\n"] {
        assert!(page.contains(line), "{line}: {page}");
    }
    let handed_back = home.json(&["organization", "show", &acme]).to_string();
    home.run(["organization", "edit", &acme, "--patch", &handed_back]).ended(0);
}

#[test]
fn a_contact_in_the_bin_keeps_what_hangs_on_it() {
    let home = Home::alone();
    let ada = home.id(&["person", "add", "--name", "Ada King"]);
    home.run(["note", "add", "Prefers mail.", "--person", &ada]).ended(0);
    home.run(["person", "delete", &ada]).ended(0);
    home.run(["note", "add", "More.", "--person", &ada]).refused(2, &["is deleted; restore it first"]);
    home.run(["person", "restore", &ada]).ended(0);
    assert_eq!(names(&home.json(&["person", "show", &ada])["detail"]["notes"], "content"), ["Prefers mail."]);
}

#[test]
fn the_history_tells_what_happened_to_what_hangs_on_a_contact() {
    let home = Home::alone();
    let deal = home.json(&["deal", "add", "Pilot", "--person", "Ada King"]);
    let [ada, id] = [&deal["person"]["id"], &deal["id"]].map(|id| id.as_str().expect("an id").to_owned());
    home.run(["deal", "edit", &id, "--value", "5 EUR"]).ended(0);
    home.run(["deal", "delete", &id]).ended(0);
    let rows = home.json(&["history", &ada]);
    assert_eq!(names(&rows, "action"), ["deleted", "edited", "created", "created"]);
    assert_eq!((&rows[1]["entry"], &rows[1]["kind"]), (&json!(id), &json!("deal")));
    assert_eq!(rows[1]["after"]["value"], json!({"amount": "5", "currency": "EUR"}));
    assert_eq!(rows[3]["contact"], json!(ada));
    let text = home.run(["history", &ada]).ended(0).out.clone();
    assert!(text.contains("deal edited") && text.contains("value"), "{text}");
    assert_eq!(home.json(&["history", &ada, "--limit", "1"]).as_array().expect("a list").len(), 1);
}
