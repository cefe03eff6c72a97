//! Exit codes, and messages that name what is wrong and what helps.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::json;

use crate::support::process::{Home, Program, Sandbox};

const NOBODY: &str = "01JD0000000000000000000000";

/// A sync that is in the middle of a call.
fn sync_in_flight(home: &Home, sandbox: &Sandbox) -> Program {
    // The first call hangs for longer than any test takes.
    sandbox.fault(&json!({"method": "contactGroups.list", "kind": {"delay": 600_000}}));
    let before = sandbox.calls(&["contactGroups.list"]);
    let mut sync = home.start(["sync", "--json"]);
    assert!(sandbox.sees(&["contactGroups.list"], before + 1, || !sync.has_ended()), "it did not wait for the call");
    sync
}

#[test]
fn what_is_asked_for_wrongly_ends_with_2_and_is_named() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.write("people.csv", "Name,E-mail\nAda King,ada@example.org\n");
    home.write("empty.csv", "");
    home.write("noise.csv", [0x50, 0x4b, 3, 4, 0, 0]);
    fs::create_dir(home.path("a folder")).expect("a folder");
    for (line, names) in [
        (&["frobnicate"][..], &["frobnicate"][..]),
        (&["sync", "--account", "nobody"], &["\"nobody\"", "sales"]),
        (&["plan", "--account", ""], &["\"\"", "sales"]),
        (&["person", "show", "7"], &["7", "26 letters and digits"]),
        (&["person", "show", NOBODY], &["no person", NOBODY]),
        (&["history", "7"], &["7"]),
        (&["import", "people.csv"], &["terminal", "--yes", "--dry-run"]),
        (&["import", "missing.csv", "--yes"], &["missing.csv", "No such file"]),
        (&["import", "a folder", "--yes"], &["a folder", "directory"]),
        (&["import", "people.csv", "--map", "missing.toml", "--yes"], &["missing.toml", "No such file"]),
        (&["import", "empty.csv", "--yes"], &["empty.csv is empty"]),
        (&["import", "noise.csv", "--yes"], &["noise.csv"]),
        (&["import", "/dev/zero", "--yes"], &["/dev/zero", "268435456 bytes"]),
        (&["export", "a folder", "--format", "csv"], &["a folder", "directory"]),
        (&["export", "all.txt"], &["all.txt", ".csv", "--format"]),
        (&["export", "missing/all.csv"], &["missing/all.csv", "No such file"]),
        (&["export", "--format", "pdf"], &["pdf", "vcard"]),
        (&["sandbox", "--listen", "0.0.0.0:0"], &["loopback", "0.0.0.0"]),
        (&["match", "show", NOBODY], &["nothing is in doubt", NOBODY, "match list"]),
        (&["match", "show", "Ada"], &["\"Ada\"", "people/"]),
        (&["match", "link", NOBODY, NOBODY], &["contact's id", "people/"]),
        (&["match", "link", NOBODY, "people/c1"], &["no contact", NOBODY]),
        (&["match", "forget", NOBODY, "people/c1"], &["nothing was said", "match list --answered"]),
        (&["conflict", "resolve", NOBODY, "--take", "store"], &["no conflict", NOBODY]),
        (&["person", "add", "--name", "Ada", "--phone", ":mobile"], &["--phone", ":mobile", "VALUE:LABEL"]),
        (&["person", "edit", NOBODY], &["nothing to change", "person edit --help"]),
        (&["person", "list", "--limit", "99999999999999"], &["99999999999999"]),
    ] {
        home.run(line).refused(2, names);
    }
    assert_eq!(sandbox.calls(&["*"]), 0);
}

#[test]
fn arguments_that_are_no_text_are_refused_or_taken_as_they_are() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::alone();
    let odd = OsStr::from_bytes(b"sm\xf6rg\xe5s.csv");
    home.run([OsStr::new("person"), OsStr::new("add"), OsStr::new("--name"), odd]).refused(2, &["UTF-8"]);
    home.write(odd, "Name,E-mail\nAda King,ada@example.org\n,\"x\n");
    let import = home.run([OsStr::new("import"), odd, OsStr::new("--yes"), OsStr::new("--json")]).json_after(3);
    assert_eq!(import["created"], 1);
    assert!(import["skip_file"].is_string(), "{import}");
    home.run([OsStr::new("export"), odd]).ended(0);
    let export = fs::read(home.path(odd)).expect("readable");
    assert!(String::from_utf8_lossy(&export).contains(",ada@example.org,"), "its extension says CSV");
}

#[test]
fn an_invalid_configuration_ends_with_78_and_names_file_line_key_and_expectation() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let sound = home.read("contactsync.toml");
    for (from, to, names) in [
        ("[google]\n", "[google]\nclient = \"x\"\n", &["contactsync.toml:5", "google.client", "unknown"][..]),
        ("[google]\n", "[google]\napi_ulr = \"x\"\n", &["contactsync.toml:5", "google.api_ulr", "unknown", "api_url"]),
        ("= 100000\nwrites", "= \"many\"\nwrites", &["contactsync.toml:11", "google.reads_per_minute", "number"]),
        ("= \"sales\"\n", "= 7\n", &["contactsync.toml:18", "account.name"]),
        ("schedule = \"0 0 0 1 1 *\"", "schedule = \"hourly\"", &["contactsync.toml:21", "account.schedule", "cron"]),
        ("name = \"sales\"\n", "", &["contactsync.toml:17", "account.name", "required"]),
        ("email = \"sales@example.org\"\n", "", &["contactsync.toml:17", "account.email", "required"]),
        ("client_id = \"sandbox.apps.example\"\n", "", &["contactsync.toml:4", "google.client_id", "required"]),
        (
            "client_secret = ",
            "client_secret_file = \"secret\"\nclient_secret = ",
            &["contactsync.toml:7", "google.client_secret", "contradict"],
        ),
        ("sqlite:contacts.db", "oracle:contacts.db", &["contactsync.toml:2", "store.url", "sqlite:"]),
        ("[[account.pair]]\ngroup = \"Team\"\n", "", &["contactsync.toml:17", "account.pair"]),
        ("[store]\n", "[store\n", &["contactsync.toml:1", "not TOML"]),
    ] {
        assert_eq!(sound.matches(from).count(), 1, "{from:?}");
        home.configure(&sound.replacen(from, to, 1));
        for line in [&["sync"][..], &["run"], &["check-config"], &["person", "list", "--json"]] {
            home.run(line).refused(78, names);
        }
    }
    assert_eq!(sandbox.calls(&["*"]), 0);
}

#[test]
fn every_problem_of_a_configuration_is_told_at_once() {
    let home = Home::empty();
    home.configure("[store]\nurl = 7\n[web]\nlisten = true\n[log]\nlevel = \"loud\"\n");
    home.run(["status"]).refused(78, &["toml:2", "store.url", "toml:4", "web.listen", "toml:6", "log.level", "debug"]);
}

#[test]
fn a_configuration_that_is_not_found_ends_with_78_and_the_places() {
    let home = Home::empty();
    home.run(["status"]).refused(78, &["no configuration", "contactsync.toml"]);
    home.run(["--config", "other.toml", "sync"]).refused(78, &["no configuration", "other.toml"]);
    home.run(["--config", ".", "sync"]).refused(78, &["cannot read the configuration", "directory"]);
}

#[test]
fn secrets_that_others_may_read_end_with_78_and_the_cure() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let token = home.path("refresh-token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o640)).expect("a mode");
    let cure = format!("chmod 600 {}", token.display());
    for line in [["sync"], ["plan"], ["run"]] {
        home.run(line).refused(78, &["contactsync.toml:20", "refresh_token_file", "other users", &cure]);
    }
    let checked = home.run(["check-config"]);
    assert!(checked.ended(78).err.contains(&cure), "{checked:?}");
    assert_eq!(sandbox.calls(&["*"]), 0);
    // What needs no grant still works.
    home.json(&["person", "list"]);
    home.write_private("refresh-token", " \n");
    home.run(["sync"]).refused(78, &["contactsync.toml:20", "refresh_token_file", "empty"]);
    fs::remove_file(token).expect("removed");
    home.run(["sync"]).refused(78, &["contactsync.toml:20", "refresh_token_file", "No such file"]);
}

#[test]
fn a_remote_that_is_down_ends_with_75() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["person", "add", "--email", "ada@example.org"]);
    sandbox.stop();
    // A preview works on a copy of the store, so both may try for a while at the same time.
    let (sync, plan) = (home.start(["sync"]), home.start(["plan", "--json"]));
    let told = sync.end();
    assert!(told.ended(75).out.contains("try again later"), "{told:?}");
    let plan = plan.end().json_after(75);
    assert!(plan["accounts"][0]["error"].is_string(), "{plan}");
    let account = &home.json(&["status"])["accounts"][0];
    assert_eq!((&account["last_outcome"], &account["last_good"]), (&json!("unreachable"), &json!(null)));
}

#[test]
fn a_consent_that_was_withdrawn_ends_with_77_and_the_command_that_renews_it() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["sync"]);
    sandbox.revoke_grant();
    for command in ["sync", "plan"] {
        let answer = home.run(["--json", command]).json_after(77);
        let error = answer["accounts"][0]["error"].as_str().expect("an error");
        assert!(error.contains("contactsync login sales"), "{error}");
    }
    let told = home.run(["sync"]);
    assert!(told.ended(77).out.contains("contactsync login sales"), "{told:?}");
    assert_eq!(home.json(&["status"])["accounts"][0]["last_outcome"], "no_consent");
}

#[test]
fn an_access_that_is_not_set_up_is_no_matter_of_consent_and_ends_with_78() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["sync"]);
    let is_told = |names: &[&str]| {
        let account = home.run(["sync", "--json"]).json_after(78)["accounts"][0].clone();
        assert_eq!((&account["outcome"], &account["fault"]), (&json!("failed"), &json!("setup")), "{account}");
        let error = account["error"].as_str().expect("an error");
        assert!(names.iter().all(|name| error.contains(name)), "{error}");
        assert!(!error.contains("consent is missing") && !error.contains("contactsync login"), "{error}");
        home.run(["plan", "--json"]).json_after(78);
    };
    sandbox.set(&json!({"api_enabled": false}));
    is_told(&["People API is switched off", "Google Cloud console"]);
    sandbox.set(&json!({"api_enabled": true}));
    home.json(&["sync"]);
    let sound = home.read("contactsync.toml");
    home.configure(&sound.replace(sandbox.fact("client_secret"), "wrong"));
    is_told(&["client secret", "contactsync.toml:6", "google.client_secret"]);
    home.configure(&sound);
    home.json(&["sync"]);
}

#[test]
fn a_consent_of_another_user_ends_with_77_and_names_both() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let other = &sandbox.facts["accounts"][1];
    home.write_private("refresh-token", other["refresh_token"].as_str().expect("a token"));
    let answer = home.run(["sync", "--json"]).json_after(77);
    let error = answer["accounts"][0]["error"].as_str().expect("an error");
    assert!(error.contains("sales@example.org") && error.contains("service@example.org"), "{error}");
}

#[test]
fn a_lease_of_a_living_process_ends_with_75_and_names_it() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let first = sync_in_flight(&home, &sandbox);
    let ran = home.run(["sync", "--json"]);
    let account = &ran.json_after(75)["accounts"][0];
    let error = account["error"].as_str().expect("an error");
    assert!(error.contains(&format!("process {}", first.id())), "{error}");
    assert_eq!((&account["outcome"], &account["calls"]), (&json!("unreachable"), &json!(0)));
    let working = home.json(&["status"])["accounts"][0]["working"].clone();
    assert!(working.as_str().is_some_and(|holder| holder.contains(&first.id().to_string())), "{working}");
    // Looking is not working.
    home.json(&["plan"]);
}

#[test]
fn a_lease_of_a_dead_process_is_taken_over_at_once() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["person", "add", "--email", "ada@example.org"]);
    sync_in_flight(&home, &sandbox).kill();
    let run = home.json(&["sync"]);
    assert_eq!(run["accounts"][0]["pushed"]["created"], 1, "{run}");
    assert_eq!(home.json(&["status"])["accounts"][0]["working"], json!(null));
}

#[test]
fn a_record_that_is_refused_ends_with_3_and_is_named_and_the_others_go_on() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    sandbox.fault(&json!({"method": "people.createContact", "times": 1, "kind": {"status": 400}}));
    let bad = home.id(&["person", "add", "--name", "Bad Bob", "--email", "bad@example.org"]);
    home.json(&["person", "add", "--name", "Good Ada", "--email", "good@example.org"]);
    let account = home.run(["sync", "--json"]).json_after(3)["accounts"][0].clone();
    assert_eq!((&account["outcome"], &account["pushed"]["created"]), (&json!("parked"), &json!(1)), "{account}");
    let failure = &account["failed"][0];
    assert_eq!(failure["contact"].as_str(), Some(bad.as_str()), "{account}");
    assert!(failure["reason"].as_str().is_some_and(|reason| reason.contains("refuses")), "{account}");
    assert_eq!((sandbox.people_with("good@example.org").len(), sandbox.people_with("bad@example.org").len()), (1, 0));
    // It is tried once more as it is, and then left alone; parked work is not counted as waiting work too.
    sandbox.fault(&json!({"method": "people.createContact", "times": 1, "kind": {"status": 400}}));
    home.run(["sync"]).ended(3);
    home.run(["sync"]).ended(3);
    let status = home.json(&["status"])["accounts"][0].clone();
    assert_eq!((&status["parked"], &status["waiting"]), (&json!(1), &json!(0)), "{status}");
    home.json(&["person", "edit", &bad, "--notes", "mended"]);
    assert_eq!(home.json(&["sync"])["accounts"][0]["pushed"]["created"], 1);
}

#[test]
fn a_guard_that_trips_ends_with_3_and_parks_the_deletions() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let rows: String = (0..60).map(|n| format!("Person {n},p{n}@example.org\n")).collect();
    home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.json(&["import", "people.csv", "--yes"]);
    home.json(&["sync"]);
    for n in 0..10 {
        sandbox.delete(&sandbox.person_with(&format!("p{n}@example.org")));
    }
    let account = home.run(["sync", "--json"]).json_after(3)["accounts"][0].clone();
    assert_eq!((&account["outcome"], &account["parked"]), (&json!("parked"), &json!(10)), "{account}");
    assert_eq!(account["pulled"]["deleted"], 0, "{account}");
    assert_eq!(home.json(&["person", "list"]).as_array().map(Vec::len), Some(60));
}

#[test]
fn a_one_shot_command_tells_its_outcome_once() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    sandbox.revoke_grant();
    let ran = home.run(["sync"]);
    assert_eq!((ran.ended(77).out.matches("contactsync login sales").count(), ran.err.as_str()), (1, ""), "{ran:?}");
    assert_eq!(home.run(["sync", "--json"]).ended(77).err, "");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = Home::alone();
    let rows: String = (0..3000).map(|n| format!("Person {n},p{n}@example.org\n")).collect();
    home.write("people.csv", format!("Name,E-mail\n{rows}"));
    home.json(&["import", "people.csv", "--yes"]);
    let mut export = home.command(["export", "--format", "json"]).stdout(Stdio::piped()).spawn().expect("a process");
    // A pipe holds 64 KiB, so it is in the middle of its answer.
    drop(export.stdout.take());
    assert_eq!(export.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_store_that_can_never_work_is_the_fault_of_the_configuration() {
    let home = Home::empty();
    home.write("noise.db", [7; 4_096]);
    home.write("a-file", "");
    fs::create_dir(home.path("a-folder")).expect("a folder");
    for (name, says) in [("a-folder", "directory"), ("a-file/contacts.db", "a-file"), ("noise.db", "not a database")] {
        home.configure(&format!("[store]\nurl = \"sqlite:{name}\"\n"));
        home.run(["person", "list"]).refused(78, &["contactsync.toml:2:7: store.url", name, says]);
    }
}

#[test]
fn a_second_organization_of_a_name_has_to_be_asked_for() {
    let home = Home::alone();
    let first = home.id(&["organization", "add", "--name", "Example GmbH"]);
    home.run(["organization", "add", "--name", "example  gmbh"]).refused(2, &[&first, "--anyway"]);
    home.json(&["organization", "add", "--name", "Example GmbH", "--anyway"]);
    assert_eq!(home.json(&["organization", "list"]).as_array().map(Vec::len), Some(2));
    home.json(&["organization", "delete", &first]);
    home.json(&["organization", "add", "--name", "Other GmbH"]);
}

#[test]
fn a_command_leaves_one_file_behind() {
    let home = Home::alone();
    home.json(&["person", "add", "--name", "Ada"]);
    home.json(&["person", "list"]);
    for beside in ["contacts.db-wal", "contacts.db-shm"] {
        assert!(!home.path(beside).exists(), "{beside}");
    }
}

#[test]
fn a_paused_account_changes_nothing_anywhere() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.json(&["sync"]);
    home.configure(&Home::configuration(&sandbox, "enabled = false"));
    let (rows, mutations) = (home.rows(), sandbox.mutations());
    assert!(home.run(["sync"]).ended(2).err.contains("every account is paused"));
    assert_eq!(home.json(&["status"])["accounts"][0]["enabled"], serde_json::json!(false));
    assert_eq!((home.rows(), sandbox.mutations()), (rows, mutations));
}

#[test]
fn a_contact_that_google_refuses_is_named_by_status_until_it_is_edited() {
    let sandbox = Sandbox::start();
    let home = Home::with(&sandbox);
    let id = home.id(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    let body =
        json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "nothing of it will do"}}).to_string();
    let answer = json!({"answer": {"status": 400, "content_type": "application/json", "body": body}});
    sandbox.fault(&json!({"method": "people.createContact", "kind": answer}));
    sandbox.fault(&json!({"method": "people.createContact", "kind": answer}));
    for _ in 0..3 {
        home.run(["sync"]);
    }
    let account = home.json(&["status"])["accounts"][0].clone();
    assert_eq!(account["refused"][0]["contact"], json!(id), "{account}");
    let page = home.run(["status"]).ended(0).out.clone();
    assert!(page.contains(&format!("contact {id} is refused until it is edited")), "{page}");
}
