//! The configuration as the program itself reads it: where it is looked for, what is told when it is wrong, what is
//! printed of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::support::binary::Binary;

const ACCOUNT: &str = "[google]\nclient_id = \"id\"\nclient_secret_file = \"secret\"\n[[account]]\nname = \"sales\"\n\
                       email = \"sales@acme.example\"\nrefresh_token_file = \"token\"\n[[account.pair]]\n\
                       group = \"Customers\"\n";

#[test]
fn a_missing_configuration_ends_with_78_and_names_every_place() {
    let binary = Binary::bare();
    let named = binary.run(&["status"]);
    assert_eq!((named.code, named.stdout.as_str()), (78, ""));
    assert!(named.stderr.contains(&binary.folder().join("contactsync.toml").display().to_string()), "{}", named.stderr);
    let output = binary.command(&["status"]).env_remove("CONTACTSYNC_CONFIG").output().expect("the program");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(78));
    assert!(
        stderr.contains(".config/contactsync/contactsync.toml") && stderr.contains("/etc/contactsync/"),
        "{stderr}"
    );
}

#[test]
fn an_invalid_configuration_ends_with_78_and_names_file_line_and_key() {
    let binary = Binary::with_config("[log]\nlevel = \"loud\"\nfromat = \"json\"\n");
    for command in [vec!["check-config"], vec!["person", "list"], vec!["run"], vec!["sync", "--json"]] {
        let ran = binary.run(&command);
        assert_eq!((ran.code, ran.stdout.as_str()), (78, ""), "{command:?}");
        for expected in
            ["contactsync.toml:4:9: log.level: expected one of", "contactsync.toml:5:1: log.fromat: unknown key"]
        {
            assert!(ran.stderr.contains(expected), "{command:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_flag_comes_before_the_environment() {
    let binary = Binary::with_config("");
    let other = binary.write("other.toml", "[log]\nlevel = \"debug\"\n");
    let ran = binary.run(&["check-config", "--config", &other.display().to_string()]);
    assert!(ran.stdout.contains("level = \"debug\""), "{}", ran.stdout);
}

#[test]
fn the_effective_configuration_is_printed_without_secrets() {
    let binary = Binary::with_config("[google]\nclient_id = \"id\"\nclient_secret = \"hunter2\"\n");
    let ran = binary.run(&["check-config"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("client_secret = \"[redacted]\""), "{}", ran.stdout);
    let json = binary.json(&["check-config"]);
    assert_eq!(json["google"]["client_secret"], "[redacted]");
    assert_eq!(json["google"]["api_url"], "https://people.googleapis.com/");
    assert!(!format!("{}{}{json}", ran.stdout, ran.stderr).contains("hunter2"));
}

#[test]
fn a_secret_that_others_may_read_ends_with_78_and_names_the_cure() {
    let binary = Binary::with_config(ACCOUNT);
    let secret = binary.write("secret", "hunter2");
    let token = binary.write("token", "1//0token");
    assert_eq!(binary.run(&["check-config"]).code, 0);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("changed");
    for command in ["check-config", "sync"] {
        let ran = binary.run(&[command]);
        assert_eq!(ran.code, 78, "{command}");
        assert!(ran.stderr.contains(&format!("run: chmod 600 {}", secret.display())), "{command}: {}", ran.stderr);
        assert!(!ran.stderr.contains("hunter2"));
    }
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("changed");
    fs::remove_file(&token).expect("removed");
    let ran = binary.run(&["check-config"]);
    assert_eq!(ran.code, 78);
    assert!(ran.stderr.contains("account.refresh_token_file: cannot read"), "{}", ran.stderr);
}

#[test]
fn commands_on_the_store_need_no_secret() {
    let binary = Binary::with_config(ACCOUNT);
    assert_eq!(binary.json(&["person", "list"]), serde_json::json!([]));
}
