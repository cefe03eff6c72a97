//! `run`: what signals ask of the daemon, how it stops, and how it shares a store with others.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::process::{ACCOUNT, BOUND, Home, Program, Sandbox};

/// Long before the daemon gives up a request in flight by itself.
const AT_ONCE: Duration = Duration::from_secs(20);
/// Longer than anything waits.
const FOR_EVER_MS: u64 = 600_000;

/// A daemon that has made its first run.
fn daemon(home: &Home) -> Program {
    let mut daemon = home.start(["run"]);
    daemon.remark("contactsync is running");
    daemon.remark("account sales is equal");
    daemon
}

/// A daemon in the middle of a call that is answered after this time.
fn daemon_in_flight(home: &Home, sandbox: &Sandbox, delay_ms: u64) -> Program {
    let mut daemon = daemon(home);
    sandbox.fault(&json!({"method": "people.createContact", "kind": {"delay": delay_ms}}));
    home.json(&["person", "add", "--name", "In Flight", "--email", "flight@example.org"]);
    let before = sandbox.calls(&["people.createContact"]);
    daemon.signal("USR1");
    assert!(sandbox.sees(&["people.createContact"], before + 1, || !daemon.has_ended()));
    daemon
}

fn stops(daemon: Program) {
    daemon.signal("TERM");
    daemon.end().ended(0);
}

/// Another configuration, `both.toml`, that has a second account beside the first.
fn with_a_second_account(home: &Home, sandbox: &Sandbox) {
    let second = sandbox.second_account();
    home.write_private("second-token", second["refresh_token"].as_str().expect("a token"));
    let more = format!(
        "\n[[account]]\nname = \"field\"\nemail = {}\nrefresh_token_file = \"second-token\"\n\
         schedule = \"0 0 0 1 1 *\"\n[[account.pair]]\ngroup = \"Others\"\n",
        second["email"]
    );
    home.write_private("both.toml", home.read("contactsync.toml") + &more);
}

#[test]
fn edits_travel_in_both_directions_when_a_signal_asks() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let id = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    let mut daemon = daemon(&home);
    let record = sandbox.person_with("ada@example.org");
    home.json(&["person", "edit", &id, "--job-title", "Edited in the store"]);
    sandbox.edit(&record, &json!({"nicknames": [{"value": "Edited in Google"}]}));
    daemon.signal("USR1");
    daemon.remark("account sales is equal");
    assert_eq!(sandbox.person_with("ada@example.org")["organizations"][0]["title"], "Edited in the store");
    assert_eq!(home.json(&["person", "show", &id])["nicknames"], json!(["Edited in Google"]));
    stops(daemon);
    sandbox.has_no_complaints();
}

#[test]
fn a_signal_can_ask_for_a_full_listing() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    let mut daemon = daemon(&home);
    let first = sandbox.full_listings();
    daemon.signal("USR1");
    daemon.remark("account sales is equal");
    assert_eq!(sandbox.full_listings(), first);
    daemon.signal("USR2");
    daemon.remark("account sales is equal");
    assert_eq!(sandbox.full_listings(), first + 1);
    stops(daemon);
}

#[test]
fn the_schedule_carries_edits_without_being_asked() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.configure(&home.read("contactsync.toml").replace("0 0 0 1 1 *", "* * * * * *"));
    let mut daemon = daemon(&home);
    home.json(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    assert!((0..30).any(|_| daemon.remark("account sales is equal").contains("1 pushed")));
    sandbox.person_with("ada@example.org");
    stops(daemon);
}

#[test]
fn a_valid_configuration_is_taken_over() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    let mut daemon = daemon(&home);
    let token = sandbox.facts["accounts"][1]["refresh_token"].as_str().expect("a token");
    home.write_private("other-token", token);
    let more = "[log]\nlevel = \"debug\"\n[[account]]\nname = \"service\"\nemail = \"service@example.org\"\n\
                refresh_token_file = \"other-token\"\n[[account.pair]]\ngroup = \"Crew\"\n";
    home.configure(&format!("{}{more}", home.read("contactsync.toml")));
    daemon.signal("HUP");
    daemon.remark("the configuration was read again");
    // The new account was never synchronized, so it is due; and the log says more than before.
    daemon.remark("\"DEBUG\"");
    daemon.remark("account service is equal");
    stops(daemon);
}

#[test]
fn an_invalid_configuration_is_named_and_the_old_one_stays() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let mut daemon = daemon(&home);
    let sound = home.read("contactsync.toml");
    for (from, to, names) in [
        ("[google]\n", "[google]\nclient = 1\n", ["contactsync.toml:5:", "google.client", "unknown"]),
        ("sqlite:contacts.db", "sqlite:other.db", ["store", "restart", "stays"]),
        ("refresh-token\"", "no-token\"", ["contactsync.toml:20:", "account.refresh_token_file", "no-token"]),
    ] {
        home.configure(&sound.replacen(from, to, 1));
        daemon.signal("HUP");
        let told = daemon.remark("stays");
        assert!(names.iter().all(|name| told.contains(name)), "{names:?}: {told}");
    }
    home.configure(&sound);
    home.json(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    daemon.signal("USR1");
    daemon.remark("account sales is equal");
    sandbox.person_with("ada@example.org");
    stops(daemon);
}

#[test]
fn what_is_edited_in_the_store_leaves_without_being_asked_for_and_together() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let mut daemon = daemon(&home);
    let rows: String = (0..20).map(|n| format!("Person {n},person{n}@example.org\n")).collect();
    let file = home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.run(["import", file.to_str().expect("text"), "--yes"]).ended(0);
    daemon.remark("20 pushed");
    assert_eq!(sandbox.calls(&["people.batchCreateContacts", "people.createContact"]), 1, "in one batch");
    let ada = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    daemon.remark("1 pushed");
    home.json(&["person", "edit", &ada, "--job-title", "Countess"]);
    daemon.remark("1 pushed");
    assert_eq!(sandbox.person_with("ada@example.org")["organizations"][0]["title"], "Countess");
    stops(daemon);
}

#[test]
fn accounts_do_not_wait_for_each_other() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    with_a_second_account(&home, &sandbox);
    home.configure(&home.read("both.toml"));
    sandbox.fault(&json!({"method": "contactGroups.create", "account": ACCOUNT, "kind": {"delay": FOR_EVER_MS}}));
    let mut daemon = home.start(["run"]);
    daemon.remark("account field is equal");
    home.json(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    daemon.remark("1 pushed");
    daemon.signal("TERM");
    daemon.signal("TERM");
    daemon.end().ended(0);
}

#[test]
fn a_reload_names_the_accounts_that_came_went_and_rest() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    with_a_second_account(&home, &sandbox);
    let one = home.read("contactsync.toml");
    let two = home.read("both.toml");
    let mut daemon = daemon(&home);
    for (text, told) in [
        (two.clone(), "read again; new: field"),
        (two.replacen("name = \"field\"", "name = \"road\"", 1), "read again; gone: field; new: road"),
        (two.replacen("name = \"field\"", "name = \"road\"\nenabled = false", 1), "read again; paused: road"),
        (two.replacen("name = \"field\"", "name = \"road\"", 1), "read again; resumed: road"),
        (one.replacen("0 0 0 1 1 *", "* * * * * *", 1), "read again; gone: road"),
    ] {
        home.configure(&text);
        daemon.signal("HUP");
        daemon.remark(told);
    }
    // The new schedule rules from now on.
    daemon.remark("account sales is equal");
    daemon.remark("account sales is equal");
    stops(daemon);
}

#[test]
fn a_batch_in_flight_is_finished_and_recorded_before_the_daemon_stops() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let daemon = daemon(&home);
    sandbox.fault(&json!({"method": "people.batchCreateContacts", "kind": {"delay": 3_000}}));
    let rows: String = (0..20).map(|n| format!("Person {n},person{n}@example.org\n")).collect();
    let file = home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.run(["import", file.to_str().expect("text"), "--yes"]).ended(0);
    assert!(sandbox.sees(&["people.batchCreateContacts"], 1, || true));
    stops(daemon);
    assert_eq!(home.json(&["status"])["accounts"][0]["linked"], 20, "all are recorded");
    home.run(["sync"]).ended(0);
    assert_eq!(sandbox.people().len(), 20, "and none is made again");
}

#[test]
fn what_was_left_is_taken_up_by_the_next_daemon_long_before_its_schedule() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    stops(daemon(&home));
    let rows: String = (0..250).map(|n| format!("Person {n},person{n}@example.org\n")).collect();
    let file = home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.run(["import", file.to_str().expect("text"), "--yes"]).ended(0);
    // The links of all are opened, so that the change feed tells the next daemon nothing; the second batch is left.
    sandbox.fault(&json!({"method": "people.batchCreateContacts", "kind": {"delay": 2_000}}));
    let sync = home.start(["sync"]);
    assert!(sandbox.sees(&["people.batchCreateContacts"], 1, || true));
    sync.signal("TERM");
    sync.end();
    assert_eq!(sandbox.people().len(), 200);
    let mut next = home.start(["run"]);
    next.remark("account sales has work left from before");
    next.remark("account sales is equal");
    assert_eq!(sandbox.people().len(), 250);
    stops(next);
}

#[test]
fn what_was_edited_while_an_account_was_paused_goes_out_when_it_is_resumed() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let mut daemon = daemon(&home);
    home.configure(&Home::configuration(&sandbox, "enabled = false"));
    daemon.signal("HUP");
    daemon.remark("paused: sales");
    home.run(["person", "add", "--name", "Ada King", "--email", "ada@example.org"]).ended(0);
    home.configure(&Home::configuration(&sandbox, ""));
    daemon.signal("HUP");
    daemon.remark("resumed: sales");
    daemon.remark("1 pushed");
    sandbox.person_with("ada@example.org");
    stops(daemon);
}

#[test]
fn a_daemon_that_waits_for_its_budget_stops_at_once() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let mut daemon = daemon(&home);
    sandbox.fault(&json!({"method": "contactGroups.list", "kind": "minute_quota"}));
    let before = sandbox.calls(&["contactGroups.list"]);
    daemon.signal("USR1");
    assert!(sandbox.sees(&["contactGroups.list"], before + 1, || !daemon.has_ended()));
    daemon.signal("TERM");
    assert!(daemon.ends_within(AT_ONCE), "long before the minute is over");
    daemon.end().ended(0);
}

#[test]
fn a_request_in_flight_is_finished_and_recorded_before_the_daemon_stops() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let daemon = daemon_in_flight(&home, &sandbox, 1_500);
    daemon.signal("TERM");
    let ran = daemon.end();
    assert!(ran.ended(0).err.contains("stopping"), "{ran:?}");
    sandbox.person_with("flight@example.org");
    let status = home.json(&["status"])["accounts"][0].clone();
    assert_eq!((&status["linked"], &status["waiting"], &status["working"]), (&json!(1), &json!(0), &Value::Null));
    // Nothing has to be found out: the next run creates nothing and ends well.
    assert_eq!(home.json(&["sync"])["accounts"][0]["pushed"]["created"], 0);
}

#[test]
fn a_second_request_to_stop_ends_at_once() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let mut daemon = daemon_in_flight(&home, &sandbox, FOR_EVER_MS);
    daemon.signal("INT");
    daemon.remark("stopping");
    daemon.signal("TERM");
    assert!(daemon.ends_within(AT_ONCE));
    daemon.end().ended(0);
    // Its lease does not outlive it, and what was in flight is not sent twice.
    let run = home.json(&["sync"])["accounts"][0].clone();
    assert_eq!(run["outcome"], "done", "{run}");
    sandbox.person_with("flight@example.org");
}

#[test]
fn a_one_shot_sync_stops_as_the_daemon_does() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["sync"]);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.json(&["person", "add", "--name", "Bob", "--email", "bob@example.org"]);
    sandbox.fault(&json!({"method": "people.createContact", "kind": {"delay": 1_500}}));
    let before = sandbox.calls(&["people.createContact"]);
    let mut sync = home.start(["sync", "--json"]);
    assert!(sandbox.sees(&["people.createContact"], before + 1, || !sync.has_ended()));
    sync.signal("TERM");
    let run = sync.end().json_after(0)["accounts"][0].clone();
    assert_eq!((&run["outcome"], &run["pushed"]["created"]), (&json!("unreachable"), &json!(1)), "{run}");
    assert_eq!(home.json(&["sync"])["accounts"][0]["pushed"]["created"], 1);
}

#[test]
fn of_two_daemons_on_one_store_one_works_on_the_account() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let first = daemon_in_flight(&home, &sandbox, FOR_EVER_MS);
    with_a_second_account(&home, &sandbox);
    let mut second = home.start(["--config", "both.toml", "run"]);
    let told = second.remark("account sales is served by another daemon");
    assert!(told.contains(&format!("process {}", first.id())), "{told}");
    second.remark("account field is equal");
    second.signal("USR1");
    second.remark("asked to synchronize every account now");
    // Once the first one is gone, the second one goes on where it was.
    first.kill();
    second.remark("account sales is served by this daemon from now on");
    second.remark("account sales is equal");
    sandbox.person_with("flight@example.org");
    second.signal("TERM");
    let told = second.end();
    assert_eq!(told.ended(0).err.matches("is served by another daemon").count(), 1, "once: {}", told.err);
    sandbox.has_no_complaints();
}

#[test]
fn a_second_daemon_on_one_store_refuses_and_commands_are_not_kept_out() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let first = daemon(&home);
    home.run(["run"]).refused(75, &["another daemon serves these accounts already", "process"]);
    home.json(&["sync"]);
    stops(first);
    let mut next = home.start(["run"]);
    next.remark("contactsync is running");
    stops(next);
}

#[test]
fn a_daemon_waits_for_an_account_that_another_one_serves_and_serves_the_others() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    with_a_second_account(&home, &sandbox);
    let first = daemon(&home);
    let mut other = home.start(["--config", "both.toml", "run"]);
    other.remark("account sales is served by another daemon");
    other.remark("account field is equal");
    stops(first);
    other.remark("account sales is served by this daemon from now on");
    stops(other);
}

#[test]
fn an_account_without_consent_does_not_stop_the_others() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    sandbox.revoke_grant();
    let token = sandbox.facts["accounts"][1]["refresh_token"].as_str().expect("a token");
    home.write_private("other-token", token);
    let more = "[[account]]\nname = \"service\"\nemail = \"service@example.org\"\nrefresh_token_file = \"other-token\"\n\
                [[account.pair]]\ngroup = \"Crew\"\n";
    home.configure(&format!("{}{more}", home.read("contactsync.toml")));
    let mut daemon = home.start(["run"]);
    assert!(daemon.remark("account sales cannot be synchronized now").contains("contactsync login sales"));
    assert!(daemon.remark("account sales is not equal").contains("contactsync login sales"));
    daemon.remark("account service is equal");
    stops(daemon);
}

#[test]
fn a_remote_that_is_down_is_waited_for() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    sandbox.stop();
    let mut daemon = home.start(["run"]);
    daemon.remark("contactsync is running");
    // In the middle of its attempts.
    daemon.signal("TERM");
    assert!(daemon.ends_within(AT_ONCE));
    daemon.end().ended(0);
}

#[test]
fn the_service_manager_hears_of_start_reload_life_and_stop() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let socket = UnixDatagram::bind(home.path("notify")).expect("a socket");
    socket.set_read_timeout(Some(BOUND)).expect("a bound");
    let hear = |wanted: &str| loop {
        let mut message = [0; 4096];
        let length = socket.recv(&mut message).unwrap_or_else(|error| panic!("waiting for {wanted}: {error}"));
        let message = String::from_utf8_lossy(&message[..length]).into_owned();
        if message.lines().any(|line| line.starts_with(wanted)) {
            return message;
        }
    };
    let mut command = home.command(["run"]);
    command.env("NOTIFY_SOCKET", home.path("notify"));
    let mut daemon = Program::start(command);
    hear("READY=1");
    daemon.remark("the consent of account sales is accepted");
    daemon.remark("contactsync is running");
    assert!(hear("STATUS=").contains("1 at work"));
    assert!(hear("STATUS=").contains("1 equal"));
    hear("WATCHDOG=1");
    daemon.signal("HUP");
    assert!(hear("RELOADING=1").contains("MONOTONIC_USEC="));
    hear("READY=1");
    home.configure("nonsense = 1\n");
    daemon.signal("HUP");
    assert!(hear("STATUS=the configuration is refused").contains("nonsense"));
    hear("READY=1");
    daemon.signal("TERM");
    hear("STOPPING=1");
    daemon.end().ended(0);
}
