//! Lists: narrowed by anything, in any order, page by page.

use serde_json::Value;

use crate::support::process::Home;

/// The names of a list, in its order.
fn names(home: &Home, line: &[&str]) -> Vec<String> {
    named(&home.json(line))
}

fn named(list: &Value) -> Vec<String> {
    let name = |one: &Value| one["name"]["full"].as_str().or(one["name"].as_str()).unwrap_or_default().to_owned();
    list.as_array().expect("a list").iter().map(name).collect()
}

/// Three people and their organizations.
fn acquaintances() -> Home {
    let home = Home::alone();
    for line in [
        "--name|Ada King|--email|ada@example.org|--organization|Acme|--label|Customer|--job-title|CTO|--birthday|1990-12-28",
        "--name|Bob Adams|--phone|+49 30 1234567|--organization|Acme|--label|VIP|--owner|sales@example.org|--notes|likes cotton",
        "--name|Cleo Byron|--nickname|Countess|--organization|Beta|--custom|Price list=Retail|--birthday|--01-03",
    ] {
        home.json(&[vec!["person", "add"], line.split('|').collect()].concat());
    }
    home
}

#[test]
fn a_list_is_narrowed_by_any_field() {
    let home = acquaintances();
    for (flags, expected) in [
        (vec!["--label", "Customer"], vec!["Ada King"]),
        (vec!["--label", "Customer", "--label", "VIP"], vec!["Bob Adams", "Ada King"]),
        (vec!["--owner", "SALES@example.org"], vec!["Bob Adams"]),
        (vec!["--organization", "acme"], vec!["Bob Adams", "Ada King"]),
        (vec!["--organization", "acme", "--field", "job_title=cto"], vec!["Ada King"]),
        (vec!["--organization", "nobody"], vec![]),
        (vec!["--field", "custom.Price list=Retail"], vec!["Cleo Byron"]),
        (vec!["--field", "custom.Price list!=Retail"], vec!["Bob Adams", "Ada King"]),
        (vec!["--field", "notes~COTTON"], vec!["Bob Adams"]),
        (vec!["--field", "job_title="], vec!["Bob Adams", "Cleo Byron"]),
        (vec!["--field", "job_title!="], vec!["Ada King"]),
        (vec!["--birthday", "12-20..01-05"], vec!["Cleo Byron", "Ada King"]),
        (vec!["--created-since", "2000-01-01"], vec!["Bob Adams", "Cleo Byron", "Ada King"]),
        (vec!["--created-before", "2000-01-01"], vec![]),
        (vec!["--updated-since", "2000-01-01T00:00:00Z", "--label", "VIP"], vec!["Bob Adams"]),
        (vec!["--updated-before", "2000-01-01"], vec![]),
        (vec!["countess", "retail"], vec!["Cleo Byron"]),
        (vec!["acme 030 1234567"], vec!["Bob Adams"]),
        (vec!["\"king ada\""], vec![]),
        (vec!["acme", "--label", "VIP"], vec!["Bob Adams"]),
    ] {
        assert_eq!(names(&home, &[vec!["person", "list"], flags.clone()].concat()), expected, "{flags:?}");
    }
    assert_eq!(names(&home, &["organization", "list"]), ["Acme", "Beta"]);
    assert_eq!(names(&home, &["organization", "list", "--field", "name~bet"]), ["Beta"]);
    assert_eq!(names(&home, &["organization", "list", "--sort", "created", "--desc"]), ["Beta", "Acme"]);
}

#[test]
fn a_list_is_put_in_order_and_goes_on_page_by_page() {
    let home = acquaintances();
    let by = |flags: &[&str]| names(&home, &[&["person", "list"], flags].concat());
    assert_eq!(by(&["--sort", "created"]), ["Ada King", "Bob Adams", "Cleo Byron"]);
    assert_eq!(by(&["--sort", "name", "--desc"]), ["Ada King", "Cleo Byron", "Bob Adams"]);
    let ada = home.person_with("ada@example.org")["id"].as_str().expect("an id").to_owned();
    home.json(&["person", "edit", &ada, "--notes", "edited"]);
    assert_eq!(by(&["--sort", "updated", "--desc"])[0], "Ada King");

    for order in [&["--sort", "name"][..], &["--sort", "created", "--desc"]] {
        let (mut listed, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let after: Vec<&str> = cursor.as_deref().map(|cursor| vec!["--after", cursor]).unwrap_or_default();
            let page = home.run([&["--json", "person", "list", "--limit", "2"], order, &after].concat());
            listed.extend(named(&page.json_after(0)));
            cursor = page.err.split("--after ").nth(1).map(|rest| rest.trim().to_owned());
            if cursor.is_none() {
                assert_eq!(page.err, "", "the last page says nothing of another one");
                break;
            }
        }
        assert_eq!(listed, by(order), "{order:?}");
    }
    let told = home.run(["person", "list", "--limit", "1"]);
    assert!(told.ended(0).err.contains("there are more; go on with --after "), "{told:?}");
}

#[test]
fn what_a_list_cannot_be_asked_is_refused_and_says_why() {
    let home = acquaintances();
    let page = home.run(["person", "list", "--limit", "1"]);
    let cursor = page.err.split("--after ").nth(1).expect("a cursor").trim().to_owned();
    for (flags, names) in [
        (vec!["--field", "shoe_size=3"], vec!["\"shoe_size\" is not a field", "custom.<key>"]),
        (vec!["--field", "job_title"], vec!["FIELD=VALUE"]),
        (vec!["--field", "created=2026-01-01"], vec!["created cannot be tested that way"]),
        (vec!["--created-since", "yesterday"], vec!["--created-since", "relative dates are not allowed"]),
        (vec!["--birthday", "13-01"], vec!["--birthday", "MM-DD..MM-DD"]),
        (vec!["--after", "nonsense"], vec!["is not the cursor of a list"]),
        (vec!["--after", &cursor, "--sort", "updated"], vec!["the cursor is of a list with --sort name"]),
        (vec!["--after", &cursor, "--desc"], vec!["the cursor is of a list with --sort name"]),
        (vec!["--filter", "Nobody"], vec!["there is no filter \"Nobody\"", "contactsync filter list"]),
    ] {
        home.run([vec!["person", "list"], flags].concat()).refused(2, &names);
    }
}
