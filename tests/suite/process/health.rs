//! What the daemon tells over HTTP: whether it lives, how its accounts are, what was measured; and who may ask.

use serde_json::Value;

use crate::support::process::{Answer, Home, Program, Sandbox, ask};

/// A daemon that serves on a port of its own, and where.
fn serving(home: &Home) -> (Program, String) {
    let mut daemon = home.start(["run"]);
    let address = address(&mut daemon);
    (daemon, address)
}

/// Where the daemon serves from now on.
fn address(daemon: &mut Program) -> String {
    let told = daemon.remark("health and metrics are served on");
    let address = told.split("http://").nth(1).and_then(|rest| rest.split('/').next());
    address.expect("an address").to_owned()
}

fn get(address: &str, path: &str) -> Answer {
    ask(address, "GET", path, "", "")
}

fn get_with(address: &str, path: &str, user_and_password: &str) -> Answer {
    use base64::Engine as _;
    let credentials = base64::engine::general_purpose::STANDARD.encode(user_and_password);
    ask(address, "GET", path, &format!("authorization: Basic {credentials}\r\n"), "")
}

fn listening(home: &Home, web: &str) {
    let sound = home.read("contactsync.toml");
    home.configure(&sound.replacen("[web]\nlisten = \"\"\n", web, 1));
}

/// The value of a metric with these labels.
fn value(text: &str, metric: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(&format!("{metric} ")));
    let value = line.unwrap_or_else(|| panic!("no {metric} in\n{text}")).rsplit(' ').next();
    value.and_then(|value| value.parse().ok()).expect("a number")
}

fn stops(daemon: Program) {
    daemon.signal("TERM");
    daemon.end().ended(0);
}

#[test]
fn an_account_that_is_equal_is_ready_and_what_it_took_is_measured() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    listening(&home, "[web]\nlisten = \"127.0.0.1:0\"\n");
    home.json(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    let (mut daemon, address) = serving(&home);
    daemon.remark("account sales is equal");
    assert_eq!(get(&address, "/healthz").status, 200);
    let ready = get(&address, "/readyz");
    assert_eq!(ready.status, 200, "{}", ready.body);
    let ready: Value = serde_json::from_str(&ready.body).expect("JSON");
    assert_eq!(ready["ready"], true);
    let [account] = ready["accounts"].as_array().expect("a list").as_slice() else { panic!("{ready}") };
    assert_eq!(
        (&account["account"], &account["outcome"], &account["overdue"]),
        (&"sales".into(), &"done".into(), &false.into())
    );
    assert!(account["last_good"].is_string(), "{account}");
    let measured = get(&address, "/metrics");
    assert_eq!(measured.status, 200);
    assert!(measured.head.contains("application/openmetrics-text"), "{}", measured.head);
    let text = measured.body;
    assert!(value(&text, "contactsync_runs_total{account=\"sales\",outcome=\"done\"}") >= 1.0);
    assert_eq!(value(&text, "contactsync_items_total{account=\"sales\",side=\"google\",operation=\"create\"}"), 1.0);
    assert_eq!(value(&text, "contactsync_remote_calls_total{method=\"people.createContact\",status=\"200\"}"), 1.0);
    assert_eq!(value(&text, "contactsync_remote_calls_total{method=\"oauth2.token\",status=\"200\"}"), 1.0);
    assert_eq!(value(&text, "contactsync_links{account=\"sales\"}"), 1.0);
    assert_eq!(value(&text, "contactsync_overdue{account=\"sales\"}"), 0.0);
    assert!(value(&text, "contactsync_store_bytes") > 4096.0);
    assert!(!text.contains("Ada") && !text.contains("ada@") && !text.contains("sales@"), "nobody is named: {text}");
    assert_eq!(get(&address, "/other").status, 404);
    stops(daemon);
}

// Every second a run that finds nobody there.
#[test]
fn an_account_that_is_silent_for_three_intervals_is_overdue_and_that_is_said_once() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    listening(&home, "[web]\nlisten = \"127.0.0.1:0\"\n");
    home.configure(&home.read("contactsync.toml").replacen("0 0 0 1 1 *", "* * * * * *", 1));
    let (mut daemon, address) = serving(&home);
    daemon.remark("account sales is equal");
    sandbox.revoke_grant();
    let told = daemon.remark("last proven equal");
    assert!(told.contains("ERROR") && told.contains("contactsync status"), "{told}");
    let ready = get(&address, "/readyz");
    assert_eq!(ready.status, 503, "{}", ready.body);
    let ready: Value = serde_json::from_str(&ready.body).expect("JSON");
    assert_eq!((&ready["ready"], &ready["accounts"][0]["overdue"]), (&false.into(), &true.into()));
    assert_eq!(value(&get(&address, "/metrics").body, "contactsync_overdue{account=\"sales\"}"), 1.0);
    assert_eq!(get(&address, "/healthz").status, 200, "it lives, and a restart would not help");
    // A run later it is not said again.
    daemon.remark("account sales is not equal");
    daemon.remark("account sales is not equal");
    daemon.signal("TERM");
    let ended = daemon.end();
    ended.ended(0);
    assert_eq!(ended.err.matches("last proven equal").count(), 1, "{}", ended.err);
}

#[test]
fn whoever_does_not_know_the_password_learns_only_whether_the_daemon_lives() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.write_private("password", "correct horse\n");
    listening(&home, "[web]\nlisten = \"127.0.0.1:0\"\npassword_file = \"password\"\n");
    let (daemon, address) = serving(&home);
    assert_eq!(get(&address, "/healthz").status, 200);
    for path in ["/readyz", "/metrics"] {
        let refused = get(&address, path);
        assert_eq!(refused.status, 401, "{path}");
        assert!(refused.head.to_lowercase().contains("www-authenticate: basic"), "{}", refused.head);
        assert!(!refused.body.contains("sales"), "{}", refused.body);
    }
    assert_eq!(get_with(&address, "/metrics", "anybody:correct horse").status, 200);
    let tries: Vec<u16> = (0..7).map(|_| get_with(&address, "/metrics", "me:wrong").status).collect();
    assert_eq!(tries[0], 401);
    assert_eq!(tries[6], 429, "{tries:?}");
    assert_eq!(
        get_with(&address, "/metrics", "anybody:correct horse").status,
        429,
        "a right guess looks like a wrong one"
    );
    assert_eq!(get(&address, "/healthz").status, 200);
    stops(daemon);
}

#[test]
fn a_password_may_be_kept_as_a_hash_and_a_bad_hash_is_refused() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    // Of "correct horse", made by the reference implementation with small parameters.
    let hash = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$u/SsfP5LytnfIgVbxFHe7Q";
    home.write_private("password", hash);
    listening(&home, "[web]\nlisten = \"127.0.0.1:0\"\npassword_file = \"password\"\n");
    let (daemon, address) = serving(&home);
    assert_eq!(get_with(&address, "/readyz", "me:wrong").status, 401);
    assert_eq!(get_with(&address, "/readyz", "me:correct horse").status, 200);
    stops(daemon);
    home.write_private("password", "$argon2id$v=19$nonsense");
    home.run(["run"]).refused(78, &["web.password_file", "argon2"]);
}

#[test]
fn a_reload_moves_the_door_and_an_address_that_is_taken_keeps_nobody_from_synchronizing() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let occupied = taken.local_addr().expect("an address");
    listening(&home, &format!("[web]\nlisten = \"{occupied}\"\n"));
    let mut daemon = home.start(["run"]);
    assert!(daemon.remark("nothing is served on").contains(&occupied.to_string()));
    daemon.remark("account sales is equal");
    let sound = home.read("contactsync.toml");
    home.configure(&sound.replacen(&occupied.to_string(), "127.0.0.1:0", 1));
    daemon.signal("HUP");
    let address = address(&mut daemon);
    assert_eq!(get(&address, "/readyz").status, 200);
    home.configure(&sound.replacen(&occupied.to_string(), "", 1));
    daemon.signal("HUP");
    daemon.remark("the configuration was read again");
    assert!((0..100_000).any(|_| std::net::TcpStream::connect(&address).is_err()), "the door stays open");
    stops(daemon);
}
