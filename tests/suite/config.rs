//! The configuration as the program itself reads it: where it is looked for, what is told when it is wrong, what is
//! printed of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::support::process::Home;

const ACCOUNT: &str = "[google]\nclient_id = \"id\"\nclient_secret_file = \"secret\"\n[[account]]\nname = \"sales\"\n\
                       email = \"sales@acme.example\"\nrefresh_token_file = \"token\"\n[[account.pair]]\n\
                       group = \"Customers\"\n";

#[test]
fn a_missing_configuration_ends_with_78_and_names_every_place() {
    let home = Home::empty();
    let named = home.run(["status"]);
    assert_eq!((named.code, named.out.as_str()), (Some(78), ""));
    assert!(named.err.contains(&home.path("contactsync.toml").display().to_string()), "{}", named.err);
    let output = home.command(["status"]).env_remove("CONTACTSYNC_CONFIG").output().expect("the program");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(78));
    assert!(
        stderr.contains(".config/contactsync/contactsync.toml") && stderr.contains("/etc/contactsync/"),
        "{stderr}"
    );
}

#[test]
fn an_invalid_configuration_ends_with_78_and_names_file_line_and_key() {
    let home = Home::with_store("[log]\nlevel = \"loud\"\nfromat = \"json\"\n");
    for command in [vec!["check-config"], vec!["person", "list"], vec!["run"], vec!["sync", "--json"]] {
        let ran = home.run(&command);
        assert_eq!((ran.code, ran.out.as_str()), (Some(78), ""), "{command:?}");
        for expected in
            ["contactsync.toml:4:9: log.level: expected one of", "contactsync.toml:5:1: log.fromat: unknown key"]
        {
            assert!(ran.err.contains(expected), "{command:?}: {}", ran.err);
        }
    }
}

#[test]
fn a_flag_comes_before_the_environment() {
    let home = Home::alone();
    let other = home.write_private("other.toml", "[log]\nlevel = \"debug\"\n");
    let ran = home.run(["check-config", "--config", &other.display().to_string()]);
    assert!(ran.out.contains("level = \"debug\""), "{}", ran.out);
}

#[test]
fn the_effective_configuration_is_printed_without_secrets() {
    let home = Home::with_store("[google]\nclient_id = \"id\"\nclient_secret = \"hunter2\"\n");
    let ran = home.run(["check-config"]);
    ran.ended(0);
    assert!(ran.out.contains("client_secret = \"[redacted]\""), "{}", ran.out);
    let json = home.json(&["check-config"]);
    assert_eq!(json["google"]["client_secret"], "[redacted]");
    assert_eq!(json["google"]["api_url"], "https://people.googleapis.com/");
    assert!(!format!("{}{}{json}", ran.out, ran.err).contains("hunter2"));
}

#[test]
fn a_secret_that_others_may_read_ends_with_78_and_names_the_cure() {
    let home = Home::with_store(ACCOUNT);
    let secret = home.write_private("secret", "hunter2");
    let token = home.write_private("token", "1//0token");
    home.run(["check-config"]).ended(0);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("changed");
    for command in ["check-config", "sync"] {
        let ran = home.run([command]);
        ran.ended(78);
        assert!(ran.err.contains(&format!("run: chmod 600 {}", secret.display())), "{command}: {}", ran.err);
        assert!(!ran.err.contains("hunter2"));
    }
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("changed");
    fs::remove_file(&token).expect("removed");
    let ran = home.run(["check-config"]);
    ran.ended(78);
    assert!(ran.err.contains("account.refresh_token_file: cannot read"), "{}", ran.err);
}

#[test]
fn commands_on_the_store_need_no_secret() {
    let home = Home::with_store(ACCOUNT);
    assert_eq!(home.json(&["person", "list"]), serde_json::json!([]));
}
