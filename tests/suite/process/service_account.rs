//! A service account of a Workspace domain: nobody consents, the administrator has delegated its users.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::process::{ACCOUNT, Home, Sandbox};

const ROBOT: &str = "robot@project.example";

/// A new private key, PKCS#8 as PEM, and its public half.
fn key_pair(home: &Home) -> (String, String) {
    let path = home.path("robot.pem");
    let openssl = |line: &[&str]| {
        let made = Command::new("openssl").args(line).arg(&path).output().expect("openssl is installed");
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).expect("text")
    };
    openssl(&["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"]);
    let public = openssl(&["pkey", "-pubout", "-in"]);
    (home.read("robot.pem"), public)
}

fn key_file(private_key: &str) -> Value {
    json!({
        "type": "service_account", "project_id": "project", "private_key_id": "key-1", "private_key": private_key,
        "client_email": ROBOT, "client_id": "1178", "token_uri": "https://nowhere.example/token",
    })
}

/// A folder whose account is a service account, and the public half of its key.
fn delegated(sandbox: &Sandbox) -> (Home, String) {
    let home = Home::empty();
    let (private, public) = key_pair(&home);
    home.write_private("robot.json", key_file(&private).to_string());
    home.configure(&configuration(sandbox));
    (home, public)
}

fn configuration(sandbox: &Sandbox) -> String {
    let kept = |line: &&str| !line.starts_with("client_id") && !line.starts_with("client_secret");
    let lines = Home::configuration(sandbox, "")
        .replace("refresh_token_file = \"refresh-token\"", "service_account_file = \"robot.json\"");
    lines.lines().filter(kept).map(|line| format!("{line}\n")).collect()
}

fn register(sandbox: &Sandbox, public_key: &str, users: &[&str]) {
    let account = json!({"client_email": ROBOT, "public_key": public_key, "users": users});
    sandbox.control("POST", "/service-accounts", Some(&account));
}

/// A run ends for want of a consent, and says all this.
fn is_not_let_in(home: &Home, words: &[&str]) {
    let answer = home.run(["--json", "sync"]).json_after(77);
    let error = answer["accounts"][0]["error"].as_str().expect("a reason");
    for word in words {
        assert!(error.contains(word), "{word:?} is not named: {error}");
    }
}

#[test]
fn a_service_account_works_for_the_user_it_was_delegated() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let (home, public) = delegated(&sandbox);
    register(&sandbox, &public, &[ACCOUNT]);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    let run = home.json(&["sync"]);
    let account = &run["accounts"][0];
    assert_eq!((&account["outcome"], &account["notices"]), (&json!("done"), &json!(["group \"Team\" was created"])));
    sandbox.person_with("ada@example.org");
    home.json(&["sync", "--full"]);
    sandbox.has_no_complaints();
    home.run(["login", "sales"]).refused(2, &["service account", "nobody logs in"]);
}

#[test]
fn what_is_wrong_with_a_service_account_is_told_with_its_cure() {
    let sandbox = Sandbox::start();
    let (home, public) = delegated(&sandbox);
    is_not_let_in(&home, &[ROBOT, ACCOUNT, "not of its domain"]);
    register(&sandbox, &public, &["other@example.org"]);
    is_not_let_in(
        &home,
        &[ROBOT, ACCOUNT, "1178", "https://www.googleapis.com/auth/contacts", "Domain-wide delegation"],
    );
    register(&sandbox, &public, &[ACCOUNT]);
    let other = key_pair(&home).0;
    home.write_private("robot.json", key_file(&other).to_string());
    is_not_let_in(&home, &["the key was deleted"]);
    for (content, why) in [
        ("no JSON".to_owned(), "not the JSON key of a service account"),
        (json!({"type": "authorized_user", "client_email": "a", "private_key": "b"}).to_string(), "another kind"),
        (key_file("-----BEGIN RSA PRIVATE KEY-----").to_string(), "PKCS#8"),
    ] {
        home.write_private("robot.json", content);
        let told = home.run(["check-config"]);
        assert!(told.err.contains(why), "{told:?}");
        assert!(told.err.contains("service_account_file"), "{told:?}");
    }
}
