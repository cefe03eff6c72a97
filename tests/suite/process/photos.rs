//! Photos at the command line.

use std::fs;

use contactsync::domain::digest::Digest;
use serde_json::{Value, json};

use crate::support::pictures::{picture, png};
use crate::support::process::Home;

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
