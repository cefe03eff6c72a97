//! The program at the command line: help, exit codes, answers on stdout and everything else on stderr.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::json;

use super::support::process::Home;

#[test]
fn help_and_version_are_answers() {
    let home = Home::empty();
    for arguments in [vec!["--help"], vec!["person", "add", "--help"], vec!["--version"], vec!["help", "conflict"]] {
        let ran = home.run(&arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(!ran.out.is_empty(), "{arguments:?}");
    }
    let help = home.run(["--help"]).out;
    for code in ["0 ", "1 ", "2 ", "3 ", "75 ", "77 ", "78 "] {
        assert!(help.contains(&format!("\n  {code}")), "the help does not explain exit code {code}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_why_on_stderr() {
    let home = Home::alone();
    for arguments in [
        vec![],
        vec!["frobnicate"],
        vec!["person", "show"],
        vec!["person", "show", "nobody"],
        vec!["person", "show", "01JD0000000000000000000000"],
        vec!["person", "add"],
        vec!["person", "add", "--patch", "{"],
        vec!["organization", "add", "--industry", "Anvils"],
        vec!["-q", "-v", "status"],
    ] {
        let ran = home.run(&arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ran.err);
        assert!(!ran.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn contacts_are_kept_from_one_command_to_the_next() {
    let home = Home::alone();
    let line = [
        "person",
        "add",
        "--name",
        "Dr. Ada B. King",
        "--email",
        "ada@example.org:work",
        "--organization",
        "Example GmbH",
    ];
    let ada = home.json(&line);
    let id = ada["id"].as_str().expect("an id");
    assert_eq!(
        ada["name"],
        json!({"full": "Dr. Ada B. King", "given": "Ada", "middle": "B.", "family": "King", "prefix": "Dr.", "suffix": null})
    );
    let patch = r#"{"job_title": "CTO", "custom": {"Discount": 12.5}}"#;
    let edited = home.run_with_input(["person", "edit", id, "--json", "--patch", "-"], patch);
    edited.ended(0);
    let shown = home.json(&["person", "show", id]);
    assert_eq!(
        (&shown["job_title"], &shown["custom"], &shown["version"]),
        (&json!("CTO"), &json!({"Discount": "12.5"}), &json!({"store": 2}))
    );
    let company = shown["organization"]["id"].as_str().expect("an id");
    home.json(&["organization", "edit", company, "--name", "Example AG"]);
    assert_eq!(home.json(&["person", "show", id])["organization"]["name"], "Example AG");
    home.json(&["person", "delete", id]);
    assert_eq!(home.json(&["person", "list"]), json!([]));
    home.json(&["person", "restore", id]);
    assert_eq!(home.json(&["person", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn two_people_who_edit_one_contact_at_once_both_succeed() {
    let home = Home::alone();
    let ada = home.json(&["person", "add", "--name", "Ada"]);
    let id = ada["id"].as_str().expect("an id");
    let labels: Vec<String> = (0..6).map(|n| format!("L{n}")).collect();
    let edits = labels.iter().map(|label| home.start(["person", "edit", id, "--label", label]));
    let edits: Vec<_> = edits.collect();
    edits.into_iter().for_each(|edit| {
        edit.end().ended(0);
    });
    assert_eq!(home.json(&["person", "show", id])["labels"], json!(labels));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = Home::alone();
    for arguments in [vec!["completions", "bash"], vec!["man"], vec!["check-config"]] {
        let mut command = home.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        drop(child.stdout.take());
        let status = child.wait().expect("its end");
        let mut stderr = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn colours_appear_only_when_asked_for() {
    let home = Home::alone();
    home.json(&["person", "add", "--name", "Ada"]);
    let coloured = home.run(["person", "list", "--color", "always"]).out;
    assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    let plain = home.run(["person", "list"]).out;
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
}
