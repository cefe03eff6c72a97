//! What is secret never leaves the program, whatever is asked and whatever goes wrong.

use serde_json::json;

use crate::support::process::{Home, Sandbox, ask};

const PASSWORD: &str = "correct horse battery staple";

/// Everything secret that the test knows of.
fn secrets(sandbox: &Sandbox, home: &Home) -> Vec<String> {
    let key = std::fs::read(home.path("contacts.db.key")).expect("a key");
    let as_text = String::from_utf8_lossy(&key).trim().to_owned();
    let as_hex = key.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        sandbox.fact("client_secret").to_owned(),
        sandbox.fact("refresh_token").to_owned(),
        PASSWORD.to_owned(),
        as_text,
        as_hex,
        // What access tokens of the sandbox begin with, and what goes before them.
        "ya29.".to_owned(),
        "Bearer ".to_owned(),
    ]
}

#[test]
fn no_secret_is_in_any_answer_remark_or_log() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.write_private("password", PASSWORD);
    let web = "[web]\nlisten = \"127.0.0.1:0\"\npassword_file = \"password\"\n";
    let configuration = home.read("contactsync.toml").replacen("[web]\nlisten = \"\"\n", web, 1);
    home.configure(&format!("{configuration}\n[log]\nformat = \"json\"\nlevel = \"debug\"\n"));
    home.json(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    home.run(["sync"]).ended(0);
    let secrets = secrets(&sandbox, &home);
    let says_nothing = |what: &str, said: &str| {
        for secret in &secrets {
            assert!(!said.contains(secret.as_str()), "{what} says {secret:?}: {said}");
        }
    };
    let lines: [&[&str]; 9] = [
        &["check-config"],
        &["--json", "check-config"],
        &["-vv", "doctor"],
        &["--json", "doctor"],
        &["--json", "status"],
        &["-vv", "sync"],
        &["-vv", "--json", "plan"],
        &["--json", "history"],
        &["-vv", "logout", "nobody"],
    ];
    for line in lines {
        let ran = home.run(line);
        says_nothing(&line.join(" "), &format!("{}{}", ran.out, ran.err));
    }
    // The service refuses a token, and answers something else than a new one.
    for (method, kind) in [
        ("people.connections.list", json!({"status": 401})),
        ("oauth.token", json!({"status": 400})),
        ("oauth.token", json!({"answer": {"status": 200, "content_type": "text/html", "body": "<html>"}})),
    ] {
        sandbox.fault(&json!({"method": method, "kind": kind, "times": 2}));
        let ran = home.run(["-vv", "sync"]);
        says_nothing(method, &format!("{}{}", ran.out, ran.err));
    }
    sandbox.control("DELETE", "/faults", None);

    let mut daemon = home.start(["run"]);
    let told = daemon.remark("health and metrics are served on");
    let address = told.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address").to_owned();
    daemon.signal("HUP");
    daemon.remark("the configuration was read again");
    let refused = ask(&address, "GET", "/metrics", "authorization: Basic bm90OnRoaXM=\r\n", "");
    says_nothing("the refusal", &format!("{}{}", refused.head, refused.body));
    daemon.signal("USR2");
    daemon.remark("account sales is");
    daemon.signal("TERM");
    let ended = daemon.end();
    says_nothing("the daemon", &format!("{}{}", ended.out, ended.err));
}

#[test]
fn neither_a_backup_nor_the_store_shows_a_consent() {
    let sandbox = Sandbox::start();
    let home = Home::empty();
    home.configure(&Home::configuration(&sandbox, "").replace("refresh_token_file = \"refresh-token\"\n", ""));
    home.write_private("token", sandbox.fact("refresh_token"));
    home.run(["login", "sales", "--refresh-token-file", "token"]).ended(0);
    home.run(["sync"]).ended(0);
    home.run(["backup", "backup.db"]).ended(0);
    let holds = |bytes: &[u8], secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    let key = std::fs::read(home.path("contacts.db.key")).expect("a key");
    for file in ["contacts.db", "backup.db"] {
        let bytes = std::fs::read(home.path(file)).expect("read");
        assert!(!holds(&bytes, sandbox.fact("refresh_token").as_bytes()), "{file} shows the consent");
        assert!(!holds(&bytes, &key), "{file} holds the key");
    }
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(home.path("backup.db")).expect("a backup").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
