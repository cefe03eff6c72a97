//! Labels, custom fields and who may see a contact, at the command line.

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

fn custom(home: &Home, id: &str) -> Value {
    home.json(&["person", "show", id])["custom"].clone()
}

#[test]
fn a_value_is_brought_into_the_spelling_of_its_field() {
    let home = Home::alone();
    for (name, field_type) in [("Budget", "monetary"), ("Start", "date"), ("Size", "double"), ("Boss", "people")] {
        home.run(["field", "add", name, "--type", field_type]).ended(0);
    }
    home.run(["field", "add", "Colours", "--type", "set", "--option", "Red", "--option", "Blue"]).ended(0);
    let boss = home.id(&["person", "add", "--name", "Charles Babbage"]);
    let patch = json!({"name": "Ada King", "custom": {"budget": {"value": 500, "currency": "pln"}, "Start": "2026-02-01",
        "Size": 12.5, "Boss": "charles babbage", "Colours": ["blue", "red"], "Free": "anything"}});
    let ada = home.id(&["person", "add", "--patch", &patch.to_string()]);
    let boss_text = format!("Charles Babbage [{boss}]");
    let expected = json!({"Budget": "500 PLN", "Start": "2026-02-01", "Size": "12.5", "Boss": boss_text,
        "Colours": "Red; Blue", "Free": "anything"});
    assert_eq!(custom(&home, &ada), expected);
    for (flag, said) in [
        ("Size=big", "custom.Size: \"big\" is no number"),
        ("Start=1.2.2026", "custom.Start: \"1.2.2026\" is no date"),
        ("Colours=Green", "custom.Colours: \"Green\" is no option; expected one of Red, Blue"),
        ("Budget=500", "custom.Budget: \"500\" is no amount of money"),
        ("Boss=Nobody", "custom.Boss: \"Nobody\" is the name of no person"),
    ] {
        home.run(["person", "edit", &ada, "--custom", flag]).refused(2, &[said]);
    }
    assert_eq!(custom(&home, &ada), expected, "a value that is refused changes nothing");
    home.run(["person", "edit", &ada, "--custom", "Size=", "--custom", "Budget=12 EUR"]).ended(0);
    let after = custom(&home, &ada);
    assert_eq!((&after["Size"], &after["Budget"]), (&Value::Null, &json!("12 EUR")));
}

#[test]
fn values_follow_the_name_of_their_field_and_outlive_its_retirement() {
    let home = Home::alone();
    home.run(["field", "add", "Price list", "--type", "enum", "--option", "Retail", "--option", "Trade"]).ended(0);
    let ada = home.id(&["person", "add", "--name", "Ada King", "--custom", "Price list=retail"]);
    home.run(["field", "edit", "price list", "--name", "Tariff", "--rename-option", "Retail=Shop"]).ended(0);
    assert_eq!(custom(&home, &ada), json!({"Tariff": "Shop"}));
    home.run(["field", "edit", "Tariff", "--retire"]).ended(0);
    home.run(["person", "edit", &ada, "--custom", "Tariff=Trade"]).refused(2, &["the field is retired"]);
    home.run(["person", "edit", &ada, "--job-title", "CTO"]).ended(0);
    assert_eq!(custom(&home, &ada), json!({"Tariff": "Shop"}), "what is there stays");
    home.run(["field", "delete", "Tariff"]).refused(2, &["1 persons have a value", "retire"]);
    home.run(["field", "edit", "Tariff", "--reopen"]).ended(0);
    home.run(["person", "edit", &ada, "--custom", "Tariff="]).ended(0);
    home.run(["field", "delete", "Tariff"]).ended(0);
    assert_eq!(home.json(&["field", "list"]), json!([]));
}

#[test]
fn a_name_that_would_swallow_other_values_is_refused() {
    let home = Home::alone();
    home.run(["field", "add", "Size"]).ended(0);
    let ada = home.id(&["person", "add", "--name", "Ada King", "--custom", "Size=M", "--custom", "Shirt=L"]);
    home.run(["field", "edit", "Size", "--name", "Shirt"]).refused(2, &[&ada, "has a value under \"Shirt\" already"]);
    assert_eq!(custom(&home, &ada), json!({"Shirt": "L", "Size": "M"}));
    home.run(["field", "add", "size"]).refused(2, &["a field \"size\" exists already"]);
    home.run(["field", "edit", "Nothing", "--retire"]).refused(2, &["there is no custom field \"Nothing\""]);
    let listed = home.json(&["field", "list"]);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["type"], &listed[0]["values"]),
        (&json!("Shirt"), &Value::Null, &json!(1))
    );
    assert_eq!((&listed[1]["name"], &listed[1]["type"]), (&json!("Size"), &json!("varchar")));
}

#[test]
fn whoever_carries_a_label_follows_its_name() {
    let home = Home::alone();
    home.run(["label", "add", "Customer", "--label-colour", "green"]).ended(0);
    let ada = home.id(&["person", "add", "--name", "Ada King", "--label", "Customer", "--label", "VIP"]);
    let deal = home.id(&["deal", "add", "Pilot", "--organization", "Acme", "--label", "Customer"]);
    home.run(["label", "edit", "Customer", "--name", "Client"]).ended(0);
    assert_eq!(home.json(&["person", "show", &ada])["labels"], json!(["Client", "VIP"]));
    assert_eq!(home.json(&["deal", "show", &deal])["labels"], json!(["Client"]));
    let row = json!({"label": "Client", "colour": "green", "persons": 1, "organizations": 0, "deals": 1});
    assert_eq!(home.json(&["label", "list"])[0], row);
    let renamed = home.json(&["label", "edit", "Client", "--name", "Patron"]);
    assert_eq!((&renamed["contacts"], &renamed["deals"]), (&json!(1), &json!(1)));
    home.run(["undo", renamed["run"].as_str().expect("an id"), "--yes"]).ended(0);
    assert_eq!(home.json(&["person", "show", &ada])["labels"], json!(["Client", "VIP"]));
    assert_eq!(home.json(&["label", "list"])[0], row, "the definition and the deal are back too");
    home.run(["label", "edit", "VIP", "--label-colour", "pink"]).ended(0);
    assert_eq!(home.json(&["label", "list"])[1]["colour"], json!("pink"), "a label that only contacts named");
    home.run(["label", "delete", "Client"]).refused(2, &["2 contacts and deals carry label", "--anyway"]);
    home.run(["label", "delete", "Client", "--anyway"]).ended(0);
    assert_eq!(home.json(&["person", "show", &ada])["labels"], json!(["VIP"]));
    home.run(["label", "edit", "Client", "--label-colour", "red"]).refused(2, &["\"Client\" is no label"]);
    home.run(["label", "add", "x", "--label-colour", "mauve"]).refused(2, &["expected one of green"]);
}

#[test]
fn a_label_that_selects_the_contacts_of_a_group_is_not_renamed_by_accident() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.configure(&format!("{}labels = [\"Customer\"]\n", Home::configuration(&sandbox, "")));
    home.run(["person", "add", "--name", "Ada King", "--label", "Customer"]).ended(0);
    home.run(["label", "edit", "Customer", "--name", "Client"])
        .refused(2, &["selects the contacts of account", "--anyway"]);
    home.run(["label", "delete", "Customer"]).refused(2, &["selects the contacts of account"]);
    home.run(["label", "edit", "Customer", "--label-colour", "blue"]).ended(0);
}

#[test]
fn who_may_see_a_contact_is_one_of_four_words() {
    let home = Home::alone();
    let ada = home.id(&["person", "add", "--name", "Ada King", "--visibility", "group"]);
    assert_eq!(home.json(&["person", "show", &ada])["visibility"], json!("group"));
    home.run(["person", "edit", &ada, "--visibility", "friends"]).refused(2, &["visibility", "friends"]);
    assert_eq!(home.json(&["person", "edit", &ada, "--visibility", ""])["visibility"], Value::Null);
}
