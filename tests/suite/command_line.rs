//! The program at the command line: help, exit codes, answers on stdout and everything else on stderr.

use std::io::Read as _;

use serde_json::json;

use super::support::binary::Binary;

#[test]
fn help_and_version_are_answers() {
    let binary = Binary::bare();
    for arguments in [vec!["--help"], vec!["person", "add", "--help"], vec!["--version"], vec!["help", "conflict"]] {
        let ran = binary.run(&arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(!ran.stdout.is_empty(), "{arguments:?}");
    }
    let help = binary.run(&["--help"]).stdout;
    for code in ["0 ", "1 ", "2 ", "3 ", "75 ", "77 ", "78 "] {
        assert!(help.contains(&format!("\n  {code}")), "the help does not explain exit code {code}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_why_on_stderr() {
    let binary = Binary::with_config("");
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
        let ran = binary.run(&arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn contacts_are_kept_from_one_command_to_the_next() {
    let binary = Binary::with_config("");
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
    let ada = binary.json(&line);
    let id = ada["id"].as_str().expect("an id");
    assert_eq!(
        ada["name"],
        json!({"full": "Dr. Ada B. King", "given": "Ada", "middle": "B.", "family": "King", "prefix": "Dr.", "suffix": null})
    );
    let patch = r#"{"job_title": "CTO", "custom": {"Discount": 12.5}}"#;
    let edited = binary.run_with_input(&["person", "edit", id, "--json", "--patch", "-"], patch);
    assert_eq!(edited.code, 0, "{}", edited.stderr);
    let shown = binary.json(&["person", "show", id]);
    assert_eq!(
        (&shown["job_title"], &shown["custom"], &shown["version"]),
        (&json!("CTO"), &json!({"Discount": "12.5"}), &json!({"store": 2}))
    );
    let company = shown["organization"]["id"].as_str().expect("an id");
    binary.json(&["organization", "edit", company, "--name", "Example AG"]);
    assert_eq!(binary.json(&["person", "show", id])["organization"]["name"], "Example AG");
    binary.json(&["person", "delete", id]);
    assert_eq!(binary.json(&["person", "list"]), json!([]));
    binary.json(&["person", "restore", id]);
    assert_eq!(binary.json(&["person", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn two_people_who_edit_one_contact_at_once_both_succeed() {
    let binary = Binary::with_config("");
    let ada = binary.json(&["person", "add", "--name", "Ada"]);
    let id = ada["id"].as_str().expect("an id");
    let labels: Vec<String> = (0..6).map(|n| format!("L{n}")).collect();
    let edits = labels.iter().map(|label| binary.command(&["person", "edit", id, "--label", label]).spawn());
    let edits: Vec<_> = edits.map(|edit| edit.expect("the program")).collect();
    for edit in edits {
        let output = edit.wait_with_output().expect("its end");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(binary.json(&["person", "show", id])["labels"], json!(labels));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let binary = Binary::with_config("");
    for arguments in [vec!["completions", "bash"], vec!["man"], vec!["check-config"]] {
        let mut child = binary.command(&arguments).spawn().expect("the program");
        drop(child.stdout.take());
        let status = child.wait().expect("its end");
        let mut stderr = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn colours_appear_only_when_asked_for() {
    let binary = Binary::with_config("");
    binary.json(&["person", "add", "--name", "Ada"]);
    let coloured = binary.run(&["person", "list", "--color", "always"]).stdout;
    assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    let plain = binary.run(&["person", "list"]).stdout;
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
}
