//! A user's consent: asked for in the browser, checked before it is stored, and given back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;
use url::Url;

use crate::support::process::{ACCOUNT, BOUND, Home, Program, Ran, Sandbox};

const CONTACTS: &str = "https://www.googleapis.com/auth/contacts";

/// A folder with one account that nobody has consented to yet.
fn without_consent(sandbox: &Sandbox) -> Home {
    let home = Home::empty();
    home.configure(&Home::configuration(sandbox, "").replace("refresh_token_file = \"refresh-token\"\n", ""));
    home
}

/// What a server answers to a browser.
struct Answered {
    status: u16,
    location: Option<String>,
    body: String,
}

fn browse(url: &str) -> Answered {
    let url = Url::parse(url).expect("an address");
    let address = url.socket_addrs(|| None).expect("an address")[0];
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(BOUND)).expect("a bound");
    let target = &url[url::Position::BeforePath..];
    write!(stream, "GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let location = head.lines().find_map(|line| line.strip_prefix("location: "));
    Answered { status, location: location.map(str::to_owned), body: body.to_owned() }
}

/// The address that the program wants opened.
fn invited(program: &mut Program) -> String {
    program.remark("/o/oauth2/v2/auth?").trim().to_owned()
}

/// Where the consent page sends the user who opens this address.
fn consented(url: &str) -> String {
    let page = browse(url);
    assert_eq!(page.status, 302, "{}", page.body);
    page.location.expect("a location")
}

fn login(home: &Home) -> Program {
    home.start(["--json", "login", "sales", "--no-browser"])
}

/// Logs in as the sandbox has it, and returns how that ended and what the browser showed.
fn logged_in(home: &Home) -> (Ran, Answered) {
    let mut program = login(home);
    let page = browse(&consented(&invited(&mut program)));
    (program.end(), page)
}

/// A run ends for want of a consent, and says this.
fn asks_for_consent(home: &Home, text: &str) {
    let answer = home.run(["--json", "sync"]).json_after(77);
    let error = answer["accounts"][0]["error"].as_str().expect("a reason");
    assert!(error.contains(text), "{error}");
}

#[test]
fn a_consent_in_the_browser_connects_the_account() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    asks_for_consent(&home, "contactsync login sales");
    assert_eq!(home.json(&["status"])["accounts"][0]["last_outcome"], json!("no_consent"));
    let (ran, page) = logged_in(&home);
    let answer = ran.json_after(0);
    assert_eq!(home.json(&["status"])["accounts"][0]["last_outcome"], json!(null), "that is over");
    assert_eq!((&answer["account"], &answer["email"]), (&json!("sales"), &json!(ACCOUNT)));
    assert!(answer["scopes"].as_array().expect("scopes").contains(&json!(CONTACTS)), "{answer}");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("is connected"), "{}", page.body);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.json(&["sync"]);
    sandbox.person_with("ada@example.org");
    sandbox.has_no_complaints();
}

#[test]
fn an_answer_to_no_question_changes_nothing() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    let mut program = login(&home);
    let url = invited(&mut program);
    let location = consented(&url);
    let (callback, query) = location.split_once('?').expect("a query");
    let state = Url::parse(&location).expect("an address");
    let state = state.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    for forged in ["", "?code=stolen", "?code=stolen&state=guessed", "?error=access_denied&state=guessed"] {
        let page = browse(&format!("{callback}{forged}"));
        assert_eq!(page.status, 400, "{forged}");
        assert!(!program.has_ended(), "{forged} ends the question");
    }
    assert!(!browse(&format!("{callback}?state={state}")).body.contains(&state), "the state is shown");
    assert_eq!(browse(&format!("{callback}?{query}")).status, 200);
    program.end().ended(0);
}

#[test]
fn a_refusal_is_told_and_nothing_is_stored() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    sandbox.set(&json!({"consent": "denied"}));
    let (ran, page) = logged_in(&home);
    ran.refused(77, &["the access was denied at the consent page"]);
    assert_eq!(page.status, 400);
    asks_for_consent(&home, "nobody has consented yet");
}

#[test]
fn a_consent_without_contacts_is_not_stored() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    sandbox.set(&json!({"granted_scopes": ["openid", "https://www.googleapis.com/auth/userinfo.email"]}));
    let (ran, page) = logged_in(&home);
    ran.refused(77, &["does not cover contacts", "contactsync login sales"]);
    assert!(page.body.contains("does not cover contacts"), "{}", page.body);
    asks_for_consent(&home, "nobody has consented yet");
    sandbox.set(&json!({"granted_scopes": null}));
    logged_in(&home).0.ended(0);
}

#[test]
fn the_consent_of_another_user_is_not_stored_and_stays_theirs() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    let other = sandbox.second_account()["email"].as_str().expect("an address").to_owned();
    let mut program = login(&home);
    let mut url = Url::parse(&invited(&mut program)).expect("an address");
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| (name.to_string(), if name == "login_hint" { other.clone() } else { value.to_string() }))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    browse(&consented(url.as_str()));
    program.end().refused(77, &[&other, ACCOUNT, "nothing is stored"]);
    asks_for_consent(&home, "nobody has consented yet");
    // That user's own account goes on.
    home.write_private("second-token", sandbox.second_account()["refresh_token"].as_str().expect("a token"));
    let configuration =
        Home::configuration(&sandbox, "").replace("\"refresh-token\"", "\"second-token\"").replace(ACCOUNT, &other);
    home.configure(&configuration);
    home.json(&["sync"]);
}

#[test]
fn a_refresh_token_from_a_file_is_tried_before_it_is_stored() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    let line = ["login", "sales", "--refresh-token-file", "token"];
    home.run(line).refused(2, &["--refresh-token-file", "token"]);
    home.write("token", sandbox.fact("refresh_token"));
    home.run(line).refused(2, &["--refresh-token-file", "other users may read", "chmod 600"]);
    home.write_private("token", "1//worthless");
    home.run(line).refused(77, &["the consent has expired or was withdrawn"]);
    let other = sandbox.second_account()["refresh_token"].as_str().expect("a token");
    home.write_private("token", other);
    home.run(line).refused(77, &[ACCOUNT]);
    home.write_private("token", sandbox.fact("refresh_token"));
    home.run(line).ended(0);
    std::fs::remove_file(home.path("token")).expect("removed");
    home.json(&["sync"]);
}

#[test]
fn a_key_that_was_lost_or_is_another_ends_with_77_and_names_it_and_the_login() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    logged_in(&home).0.ended(0);
    home.json(&["sync"]);
    let key = home.path("contacts.db.key");
    std::fs::remove_file(&key).expect("removed");
    let names_the_cure = |line: &str| {
        let answer = home.run(["--json", line]).json_after(77);
        let error = answer["accounts"][0]["error"].as_str().expect("a reason").to_owned();
        assert!(error.contains(&key.display().to_string()), "{line}: {error}");
        assert!(error.contains("contactsync login sales"), "{line}: {error}");
    };
    names_the_cure("plan");
    assert!(!key.exists(), "a plan makes no key");
    names_the_cure("sync");
    home.write_private("contacts.db.key", [7; 32]);
    names_the_cure("sync");
    assert_eq!(home.json(&["status"])["accounts"][0]["last_outcome"], json!("no_consent"));
    home.write_private("contacts.db.key", [7; 31]);
    home.run(["sync"]).refused(78, &["contacts.db.key", "32 random bytes", "contactsync login"]);
    home.write_private("contacts.db.key", [7; 32]);
    logged_in(&home).0.ended(0);
    home.json(&["sync"]);
}

#[test]
fn a_logout_gives_the_consent_back_and_changes_no_contact() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    logged_in(&home).0.ended(0);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.json(&["sync"]);
    assert_eq!(home.json(&["logout", "sales"]), json!({"account": "sales", "revoked": true}));
    asks_for_consent(&home, "nobody has consented yet");
    assert_eq!(home.json(&["logout", "sales"]), json!({"account": "sales", "revoked": false}));
    sandbox.person_with("ada@example.org");
    home.person_with("ada@example.org");
    logged_in(&home).0.ended(0);
    let run = home.json(&["sync"]);
    assert_eq!(run["accounts"][0]["pushed"], json!({"created": 0, "updated": 0, "deleted": 0}), "{run}");
}

#[test]
fn a_logout_that_reaches_nobody_keeps_the_consent() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    logged_in(&home).0.ended(0);
    sandbox.fault(&json!({"method": "oauth.revoke", "kind": {"status": 503}, "times": 1}));
    home.run(["logout", "sales"]).refused(75, &["it is kept"]);
    home.json(&["sync"]);
}

#[test]
fn an_account_that_is_not_there_and_a_question_taken_back_are_told() {
    let sandbox = Sandbox::start();
    let home = without_consent(&sandbox);
    home.run(["login", "service"]).refused(2, &["no account", "sales"]);
    home.run(["logout", "service"]).refused(2, &["no account", "sales"]);
    let mut program = login(&home);
    invited(&mut program);
    program.signal("TERM");
    program.end().refused(0, &["taken back", "nothing has changed"]);
    assert_eq!(home.json(&["status"])["accounts"][0]["last_outcome"], json!(null));
}
