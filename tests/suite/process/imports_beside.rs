//! Imports of rows that tell of deals, activities and notes beside their contact; what a preview shows; what the store's
//! own rules refuse; and exports for spreadsheets of other countries.

use serde_json::{Value, json};

use crate::support::process::{Home, fixtures};

const ROWS: &str = "Person - Name,Person - Email,Organization - Name,Deal - Title,Deal - Value,Deal - Currency of Value,\
                    Deal - Stage,Deal - Status,Activity - Subject,Note - Content\n\
                    Ada King,ada@example.org,Example GmbH,Engine,12000.50,EUR,Contact made,Open,Call her,Likes tea\n\
                    Bob Stone,bob@example.org,Example GmbH,Tower,7,PLN,,Won,,\n\
                    ,,Lonely SA,Bridge,5,PLN,Nowhere,Open,,\n";

fn import(home: &Home, file: &str, code: i32) -> Value {
    home.run(["import", file, "--yes", "--json"]).json_after(code)
}

fn list(home: &Home, what: &str) -> Vec<Value> {
    home.json(&[what, "list"]).as_array().expect("a list").clone()
}

fn counts(home: &Home) -> [usize; 5] {
    ["person", "organization", "deal", "activity", "note"].map(|what| list(home, what).len())
}

#[test]
fn a_row_brings_its_contact_and_its_deal_together_or_not_at_all() {
    let home = Home::alone();
    home.write("deals.csv", ROWS);
    let answer = import(&home, "deals.csv", 3);
    assert_eq!(
        (&answer["created"], &answer["deals"], &answer["notes"]),
        (&json!(3), &json!({"created": 2, "unchanged": 0}), &json!({"created": 1, "unchanged": 0})),
        "{answer}"
    );
    let reason = answer["failed"][0]["reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("deal stage: \"Nowhere\" is none of pipeline \"Pipeline\"; expected one of"),
        "{reason}"
    );
    assert_eq!(counts(&home), [2, 1, 2, 1, 1], "nothing of the refused row came in");
    let deals = list(&home, "deal");
    let engine = deals.iter().find(|deal| deal["title"] == "Engine").expect("there");
    assert_eq!((&engine["stage"], &engine["status"]), (&json!("Contact made"), &json!("open")), "{engine}");
    assert_eq!(engine["value"]["amount"], "12000.50", "{engine}");
    let ada = home.person_with("ada@example.org");
    assert_eq!((&engine["person"]["id"], &ada["custom"]), (&ada["id"], &json!({})), "{engine}");
    let skipped = home.read(answer["skip_file"].as_str().expect("a file"));
    assert!(skipped.contains(",,Lonely SA,Bridge,5,PLN,Nowhere,Open,,,4,\"deal stage: "), "{skipped}");
}

#[test]
fn the_same_file_again_makes_no_deal_twice_and_an_undo_takes_all_of_it_back() {
    let home = Home::alone();
    home.write("deals.csv", ROWS);
    let first = import(&home, "deals.csv", 3);
    let again = import(&home, "deals.csv", 3);
    assert_eq!((&again["created"], &again["updated"]), (&json!(0), &json!(0)), "{again}");
    for (what, unchanged) in [("deals", 2), ("activities", 1), ("notes", 1)] {
        assert_eq!(again[what], json!({"created": 0, "unchanged": unchanged}), "{what}: {again}");
    }
    assert_eq!(counts(&home), [2, 1, 2, 1, 1]);

    let id = first["import"].as_str().expect("an id");
    let told = home.run(["import", "undo", id]);
    assert!(told.ended(0).out.contains("  delete deal ") && told.out.contains(" Engine\n"), "{}", told.out);
    assert_eq!(counts(&home), [2, 1, 2, 1, 1], "nothing was written");
    let done = home.json(&["import", "undo", id, "--yes"]);
    assert_eq!((&done["deleted"], &done["entries"]), (&json!(3), &json!(4)), "{done}");
    assert_eq!(counts(&home), [0, 0, 0, 0, 0]);
}

#[test]
fn an_undo_leaves_what_somebody_has_worked_on_since() {
    let home = Home::alone();
    home.write("deals.csv", ROWS);
    let first = import(&home, "deals.csv", 3);
    let deals = list(&home, "deal");
    let engine = deals.iter().find(|deal| deal["title"] == "Engine").expect("there")["id"].as_str().expect("an id");
    home.json(&["deal", "edit", engine, "--title", "Bigger engine"]);
    let done = home.json(&["import", "undo", first["import"].as_str().expect("an id"), "--yes"]);
    let left: Vec<&str> =
        done["skipped"].as_array().expect("a list").iter().filter_map(|left| left["name"].as_str()).collect();
    let whom = "whom the deal is about stays with it";
    assert_eq!(left, ["Ada King", "Example GmbH", "deal \"Bigger engine\""], "{whom}: {done}");
    assert_eq!(counts(&home), [1, 1, 1, 0, 0]);
}

#[test]
fn a_deal_of_a_contact_that_is_there_joins_it() {
    let home = Home::alone();
    let ada = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    home.write("deals.csv", "Name,E-mail,Deal title,Deal value\nAda King,ada@example.org,Engine,\"1.200,50 €\"\n");
    let answer = import(&home, "deals.csv", 0);
    assert_eq!((&answer["created"], &answer["unchanged"], &answer["matched"]), (&json!(0), &json!(1), &json!(1)));
    let deals = list(&home, "deal");
    assert_eq!((deals.len(), &deals[0]["person"]["id"]), (1, &json!(ada)), "{deals:?}");
    let id = answer["import"].as_str().expect("an id");
    home.json(&["import", "undo", id, "--yes"]);
    assert_eq!(counts(&home), [1, 0, 0, 0, 0], "an import that made nothing but a deal can be taken back too");
}

#[test]
fn an_amount_without_a_currency_is_kept_and_told_unless_the_currency_is_named() {
    let Some(fixtures) = fixtures() else { return };
    let sample = fixtures.join("csv/pipedrive/sample-import.en.csv");
    let sample = sample.to_str().expect("text");
    let home = Home::alone();
    let answer = import(&home, sample, 0);
    let warning = answer["warnings"][0]["reason"].as_str().expect("a warning");
    assert!(
        warning.starts_with("deal value: 100.0 has no currency; kept in the deal's custom field Value"),
        "{answer}"
    );
    assert_eq!(list(&home, "deal")[0]["custom"], json!({"Value": "100.0"}));
    assert_eq!(counts(&home), [1, 1, 1, 1, 0], "the row is cut off before its note");
    assert_eq!(import(&home, sample, 0)["deals"], json!({"created": 0, "unchanged": 1}));

    let home = Home::alone();
    home.run(["import", sample, "--yes", "--currency", "usd"]).ended(0);
    let deals = list(&home, "deal");
    assert_eq!((&deals[0]["value"]["currency"], &deals[0]["title"]), (&json!("USD"), &json!("Moveer Deal")));
    home.run(["import", sample, "--yes", "--currency", "dollars"]).refused(2, &["dollars", "expected three letters"]);
}

#[test]
fn a_value_that_its_custom_field_refuses_refuses_the_row() {
    let home = Home::alone();
    home.json(&["field", "add", "Customer since", "--of", "person", "--type", "date"]);
    home.write("people.csv", "Name,customer since\nAda King,2020-05-01\nBob Stone,soon\n");
    let answer = import(&home, "people.csv", 3);
    assert_eq!((&answer["created"], &answer["failed"][0]["line"]), (&json!(1), &json!(3)), "{answer}");
    let reason = answer["failed"][0]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("person custom.Customer since: \"soon\" "), "{reason}");
    assert!(home.read("people.csv.skipped.csv").contains("Bob Stone,soon,3,"), "it can be mended");
    assert_eq!(list(&home, "person")[0]["custom"], json!({"Customer since": "2020-05-01"}));
}

#[test]
fn a_preview_shows_numbers_examples_matches_and_problems_and_writes_nothing() {
    let home = Home::alone();
    let ada = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    home.write("deals.csv", ROWS);
    let ran = home.run(["import", "deals.csv", "--dry-run"]);
    for words in [
        " Deal - Stage              deal.stage        its heading",
        "The first rows as they come in:",
        "  line 2: there already, takes something in: person Ada King\n      emails: ada@example.org\n      \
         organization: Example GmbH\n      deal: Engine, 12000.50 EUR, Contact made, open\n      activity: Call her\n      \
         note: Likes tea\n",
        "  line 3: new person Bob Stone\n",
        &format!("1 row is of contacts that are there already:\n  line 2: Ada King ({ada}): takes organization\n"),
        "2 contacts would be created, 1 updated; 0 are there already, 1 row could not be used",
        "2 deals would be created, 0 are there already; 1 activity would be created",
        "1 row that could not be used:\n  line 4: deal stage: \"Nowhere\" is none",
    ] {
        assert!(ran.ended(3).out.contains(words), "{words:?}: {}", ran.out);
    }
    assert_eq!(counts(&home), [1, 0, 0, 0, 0]);
    let told = home.run(["import", "deals.csv", "--dry-run", "--json"]).json_after(3);
    assert_eq!(told["matches"], json!([{"line": 2, "contact": ada, "name": "Ada King", "takes": ["organization"]}]));
    assert_eq!((&told["import"], &told["skip_file"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_thousand_bad_rows_among_ten_thousand_are_explained_and_the_others_come_in() {
    let home = Home::alone();
    let row = |n: usize| match n % 20 {
        0 => "too,many,cells,here\n".to_owned(),
        10 => ",,+\n".to_owned(),
        _ => format!("Person {n},p{n}@example.org,+48 600 {n:06}\n"),
    };
    home.write("people.csv", format!("Name,E-mail,Phone\n{}", (0..10_000).map(row).collect::<String>()));
    let answer = import(&home, "people.csv", 3);
    assert_eq!(answer["created"], 9000, "{}", answer["created"]);
    let failed = answer["failed"].as_array().expect("a list");
    assert_eq!(failed.len(), 1000);
    for (at, row) in failed.iter().enumerate() {
        let reason =
            if at % 2 == 0 { "the row has 4 cells, the header 3" } else { "no name, e-mail, phone or organization" };
        assert_eq!(*row, json!({"line": at * 10 + 2, "reason": reason}));
    }
    let skipped = home.read("people.csv.skipped.csv");
    assert_eq!(skipped.lines().count(), 1001);
    assert_eq!(skipped.lines().nth(2), Some(",,'+,,12,\"no name, e-mail, phone or organization\""));
}

#[test]
fn an_export_for_another_country_comes_back_equal() {
    let home = Home::alone();
    home.json(&["person", "add", "--name", "Ada; King", "--phone", "+49 30 1", "--notes", "=1+1\n-2;3\t4"]);
    for separator in ["semicolon", "tab"] {
        home.run(["export", "people.csv", "--separator", separator]).ended(0);
        let text = home.read("people.csv");
        assert!(text.contains("'+49 30 1") && text.contains("'=1+1"), "{text}");
        let other = Home::alone();
        other.write("people.csv", &text);
        assert_eq!(import(&other, "people.csv", 0)["created"], 1);
        let (back, there) = (list(&other, "person"), list(&home, "person"));
        for member in ["name", "phones", "notes"] {
            assert_eq!(back[0][member], there[0][member], "{separator}");
        }
    }
    home.run(["export", "people.xlsx", "--separator", "tab"]).refused(2, &["--separator is for CSV"]);
}
