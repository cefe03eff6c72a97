//! Photos at the command line, and from there to Google and back.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contactsync::domain::digest::Digest;
use serde_json::{Value, json};

use crate::support::pictures::{picture, png};
use crate::support::process::{ACCOUNT, Home, Sandbox};

fn digest(bytes: &[u8]) -> Value {
    json!({ "digest": Digest::of_bytes(bytes).to_string() })
}

#[test]
fn a_photo_is_set_shown_written_out_and_taken_away() {
    let home = Home::alone();
    let (first, second) = (picture(1), picture(2));
    home.write("first.png", &first);
    home.write("second.png", &second);
    let added = home.json(&["person", "add", "--name", "Ada King", "--photo", "first.png"]);
    assert_eq!(added["photo"], digest(&first));
    let id = added["id"].as_str().expect("an id");
    let edited = home.json(&["person", "edit", id, "--photo", "second.png"]);
    assert_eq!((&edited["photo"], &edited["version"]["store"]), (&digest(&second), &json!(2)));
    let page = home.run(["person", "show", id]).ended(0).out.clone();
    assert!(page.contains(&format!("Photo         {}", Digest::of_bytes(&second))), "{page}");

    assert_eq!(home.json(&["person", "photo", id, "out.png"])["photo"], digest(&second));
    assert_eq!(fs::read(home.path("out.png")).expect("written"), second);
    let output = home.command(["person", "photo", id]).output().expect("a process");
    assert_eq!(output.stdout, second);
    // What was there before is in the history, and its bytes are still kept.
    let before = Digest::of_bytes(&first).to_string();
    assert!(home.json(&["history", id]).to_string().contains(&before));
    home.run(["person", "photo", id, "--digest", &before, "before.png"]).ended(0);
    assert_eq!(fs::read(home.path("before.png")).expect("written"), first);

    assert_eq!(home.json(&["person", "edit", id, "--no-photo"])["photo"], Value::Null);
    home.run(["person", "photo", id, "out.png"]).refused(2, &["has no photo"]);
    let exported = home.json(&["export"]);
    assert_eq!(exported["photo"], Value::Null);
}

#[test]
fn a_file_that_cannot_be_a_photo_is_refused_with_the_rule_it_breaks() {
    let home = Home::alone();
    let id = home.id(&["person", "add", "--name", "Ada King"]);
    home.write("wide.png", png(721, 10, 0));
    home.write("heavy.png", [picture(0), vec![0; 2 * 1024 * 1024]].concat());
    home.write("text.png", "no picture");
    for (file, rule) in [
        ("wide.png", "721 x 10 pixels; a photo is at most 720 x 720"),
        ("heavy.png", "a photo has at most 2097152"),
        ("text.png", "no JPEG or PNG"),
        ("missing.png", "cannot read it"),
    ] {
        home.run(["person", "edit", &id, "--photo", file]).refused(2, &[file, rule]);
    }
    home.run(["person", "edit", &id, "--photo", "wide.png", "--no-photo"]).refused(2, &["--no-photo"]);
    home.run(["person", "edit", &id, "--patch", r#"{"photo":{"digest":"00"}}"#]).refused(2, &["--photo FILE"]);
    home.run(["person", "photo", &id, "--json"]).refused(2, &["no photo"]);
    assert_eq!(home.json(&["person", "show", &id])["version"]["store"], 1);
}

/// Gives a contact a photo in the web UI, or takes it away.
fn set_in_google(sandbox: &Sandbox, person: &Value, bytes: Option<&[u8]>) {
    let path = photo_path(person);
    match bytes {
        Some(bytes) => sandbox.control("PUT", &path, Some(&json!({ "photoBytes": STANDARD.encode(bytes) }))),
        None => sandbox.control("DELETE", &path, None),
    };
}

fn in_google(sandbox: &Sandbox, person: &Value) -> Vec<u8> {
    let answer = sandbox.control("GET", &photo_path(person), None);
    STANDARD.decode(answer["photoBytes"].as_str().expect("bytes")).expect("base64")
}

fn photo_path(person: &Value) -> String {
    let name = person["resourceName"].as_str().expect("a name");
    format!("/accounts/{ACCOUNT}/{name}/photo")
}

#[test]
fn photos_travel_both_ways_and_plan_explain_history_and_undo_know_them() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.write("ada.png", picture(1));
    let id = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org", "--photo", "ada.png"]);
    home.run(["sync"]).ended(0);
    let ada = sandbox.person_with("ada@example.org");
    assert_eq!(in_google(&sandbox, &ada), picture(1));

    set_in_google(&sandbox, &ada, Some(&picture(2)));
    let plan = home.json(&["plan"]);
    let operations = plan["accounts"][0]["operations"].as_array().expect("a list").clone();
    assert_eq!(operations.len(), 1, "{plan}");
    assert_eq!((&operations[0]["op"], &operations[0]["side"]), (&json!("update"), &json!("store")));
    let change = &operations[0]["fields"]["photo"];
    assert_eq!(change["before"], digest(&picture(1)));
    let explained = home.json(&["explain", &id]);
    assert_eq!(explained["accounts"][0]["next"][0]["fields"]["photo"], *change);
    assert_eq!(home.json(&["person", "show", &id])["photo"], digest(&picture(1)), "nothing has changed yet");

    let run = home.json(&["sync"])["run"].as_str().expect("a run").to_owned();
    let taken = home.json(&["person", "show", &id])["photo"].clone();
    assert_eq!(taken, change["after"]);
    home.run(["person", "photo", &id, "out.png"]).ended(0);
    let bytes = fs::read(home.path("out.png")).expect("written");
    assert_eq!(digest(&bytes), taken);
    assert_ne!(bytes, picture(2), "Google compresses anew");
    assert!(home.json(&["history", &id]).to_string().contains(taken["digest"].as_str().expect("a digest")));
    assert_eq!(home.json(&["sync"])["accounts"][0]["calls"], 2);

    home.run(["undo", &run, "--yes"]).ended(0);
    assert_eq!(home.json(&["person", "show", &id])["photo"], digest(&picture(1)));
    assert_eq!(in_google(&sandbox, &ada), picture(1));

    set_in_google(&sandbox, &ada, None);
    home.run(["sync"]).ended(0);
    assert_eq!(home.json(&["person", "show", &id])["photo"], Value::Null);
    home.run(["person", "edit", &id, "--photo", "ada.png"]).ended(0);
    home.run(["sync"]).ended(0);
    assert_eq!(in_google(&sandbox, &ada), picture(1));
    home.run(["person", "edit", &id, "--no-photo"]).ended(0);
    home.run(["sync"]).ended(0);
    assert_eq!(sandbox.person_with("ada@example.org")["photos"][0]["default"], true);
    sandbox.has_no_complaints();
}

#[test]
fn photos_can_be_switched_off() {
    for key in ["photos = false", "[account.fields]\nphoto = \"off\""] {
        let sandbox = Sandbox::start();
        let home = Home::with_account(&sandbox, key);
        home.write("ada.png", picture(1));
        home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org", "--photo", "ada.png"]);
        home.run(["sync"]).ended(0);
        let ada = sandbox.person_with("ada@example.org");
        assert_eq!(ada["photos"][0]["default"], true, "{key}");
        set_in_google(&sandbox, &ada, Some(&picture(2)));
        assert_eq!(home.json(&["sync"])["accounts"][0]["calls"], 2, "{key}");
        assert_eq!(in_google(&sandbox, &ada), picture(2), "{key}");
        assert_eq!(home.person_with("ada@example.org")["photo"], digest(&picture(1)), "{key}");
    }
}

#[test]
fn photos_that_a_guard_holds_back_are_approved() {
    let sandbox = Sandbox::start();
    let home = Home::with_account(&sandbox, "[account.guard]\nmax_blanked_fields = 1");
    let addresses = ["ada@example.org", "grace@example.org", "alan@example.org"];
    for (shade, address) in (1..).zip(addresses) {
        let file = format!("{shade}.png");
        home.write(&file, picture(shade));
        home.id(&["person", "add", "--name", address, "--email", address, "--photo", &file]);
    }
    home.run(["sync"]).ended(0);
    for address in addresses {
        set_in_google(&sandbox, &sandbox.person_with(address), None);
    }
    let run = home.run(["--json", "sync"]).json_after(3)["run"].as_str().expect("a run").to_owned();
    home.run(["--json", "sync"]).ended(3);
    let photos = |home: &Home| addresses.map(|address| !home.person_with(address)["photo"].is_null());
    assert_eq!(photos(&home), [true; 3]);
    let named = home.json(&["status"])["accounts"][0]["approve"].as_str().expect("a run to approve").to_owned();
    assert!(named >= run, "status names the run to approve");
    home.run(["approve", &named]).ended(0);
    assert_eq!(photos(&home), [false; 3]);
    home.run(["sync"]).ended(0);
}
