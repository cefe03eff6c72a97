//! What a file may say, what it must not say, and how it is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use secrecy::ExposeSecret;

use crate::domain::field::Field;
use crate::domain::filter::Filter;
use crate::domain::pair::{Direction, InStore, Limit, Promise};
use crate::domain::policy::ConflictPolicy;

use super::*;

const ACCOUNT: &str = "[google]\nclient_id = \"id\"\n[[account]]\nname = \"sales\"\nemail = \"sales@acme.example\"\n";
const PAIR: &str = "[[account.pair]]\ngroup = \"CRM\"\n";

fn parse(source: &str) -> Result<Config, ConfigError> {
    Config::parse(source, Path::new("/etc/contactsync/contactsync.toml"), &Surroundings::default())
}

fn accepted(source: &str) -> Config {
    parse(source).unwrap_or_else(|error| panic!("{error}"))
}

/// The problems of a file, as `line:column key: message`.
fn problems(source: &str) -> Vec<String> {
    match parse(source) {
        Ok(_) => Vec::new(),
        Err(ConfigError::Invalid { problems, .. }) => problems
            .iter()
            .map(|p| format!("{}:{} {}: {}", p.position.line, p.position.column, p.key, p.message))
            .collect(),
        Err(other) => panic!("{other}"),
    }
}

fn promise_of(account: &Account) -> Promise {
    account.promise(&Definitions::new()).expect("no filter is named")
}

/// The settings digest of the one account.
fn digest_of(config: &Config) -> String {
    config.accounts[0].settings_digest(&promise_of(&config.accounts[0]).pairs)
}

#[test]
fn an_empty_file_is_a_configuration_of_defaults() {
    let config = accepted("");
    assert_eq!(config.store.path, Path::new("/var/lib/contactsync/contacts.db"));
    assert_eq!(config.store.key, KeyPlace::Beside("/var/lib/contactsync/contacts.db.key".into()));
    assert_eq!(config.google.api_url.as_str(), "https://people.googleapis.com/");
    assert_eq!((config.google.reads_per_minute, config.google.writes_per_minute), (60, 60));
    assert_eq!(config.web.listen.map(|address| address.to_string()).as_deref(), Some("127.0.0.1:8732"));
    assert!(config.accounts.is_empty() && config.pipedrive.is_none());
}

#[test]
fn an_account_has_a_default_for_all_but_three_keys() {
    let config = accepted(&format!("{ACCOUNT}{PAIR}"));
    let account = config.account("sales").expect("configured");
    let promise = promise_of(account);
    assert_eq!(promise.replica.as_str(), "google:sales");
    assert_eq!((promise.direction, promise.conflict), (Direction::TwoWay, ConflictPolicy::Newest));
    assert_eq!(promise.guard.max_deletes, Limit::Percent(10.0));
    assert_eq!(
        (promise.guard.max_unlinks, promise.guard.max_left_groups),
        (Limit::Percent(10.0), Limit::Percent(10.0))
    );
    assert_eq!(promise.delete.in_store, InStore::Propagate);
    assert_eq!(account.schedule.to_string(), DEFAULT_PATTERN);
    assert!(account.enabled && account.photos);
}

#[test]
fn every_wrong_value_is_told_with_its_place_its_key_and_what_is_expected() {
    for (lines, expected) in [
        ("colour = 1", "6:1 account.colour: unknown key; expected one of name, email, refresh_token_file"),
        ("enabled = \"yes\"", "6:11 account.enabled: expected true or false, found \"yes\""),
        ("schedule = \"every day\"", "6:12 account.schedule: expected a cron pattern of six fields"),
        ("schedule = \"0 0 0 30 2 *\"", "6:12 account.schedule: expected a cron pattern of six fields"),
        ("schedule = 5", "6:12 account.schedule: expected a cron pattern of six fields"),
        ("timezone = \"Mars\"", "6:12 account.timezone: expected the name of a time zone"),
        (
            "direction = \"both\"",
            "6:13 account.direction: expected one of \"two-way\", \"to-google\", \"from-google\", found \"both\"",
        ),
        ("conflict = \"pipedrive\"", "6:12 account.conflict: expected one of \"newest\""),
        (
            "organizations = true",
            "6:17 account.organizations: expected one of \"contact\", \"company\", \"off\", found true",
        ),
        ("photos = 1", "6:10 account.photos: expected true or false, found 1"),
        ("conflict_fields = { notes = \"maybe\" }", "6:29 account.conflict_fields.notes: expected one of \"newest\""),
        ("conflict_fields = { fax = \"store\" }", "6:21 account.conflict_fields.fax: \"fax\" is not a field"),
        (
            "delete = { grace = \"soon\" }",
            "6:20 account.delete.grace: expected a duration such as \"90s\", \"5m\" or \"2h\", found \"soon\"",
        ),
        ("delete = { grace = 90 }", "6:20 account.delete.grace: expected a duration"),
        ("delete = { in_google = \"trash-group\" }", "6:24 account.delete.in_google: expected one of"),
        (
            "delete = { in_pipedrive = \"unlink\" }",
            "6:12 account.delete.in_pipedrive: unknown key; expected one of in_google, in_store, left_group, grace",
        ),
        ("guard = { max_deletes = \"110%\" }", "6:25 account.guard.max_deletes: expected a percentage"),
        ("guard = { max_deletes = \"ten\" }", "6:25 account.guard.max_deletes: expected a percentage"),
        ("guard = { max_deletes = -1 }", "6:25 account.guard.max_deletes: expected a percentage"),
        ("guard = 10", "6:9 account.guard: expected a table [account.guard], found a whole number"),
        ("fields = { notes = \"skype\" }", "6:20 account.fields.notes: expected \"off\" or \"userDefined:KEY\""),
        ("fields = { emails = \"userDefined:x\" }", "6:21 account.fields.emails: expected \"off\""),
        ("fields = { name = \"off\" }", "6:19 account.fields.name: expected nothing"),
        (
            "fields = { notes = \"userDefined:x\", owner = \"userDefined:x\" }",
            "6:45 account.fields.owner: userDefined:x is the target of another field already",
        ),
        (
            "refresh_token_file = \"a\"\nservice_account_file = \"b\"",
            "7:24 account.service_account_file: refresh_token_file and service_account_file contradict",
        ),
    ] {
        let found = problems(&format!("{ACCOUNT}{lines}\n{PAIR}"));
        assert_eq!(found.len(), 1, "{lines}: {found:?}");
        assert!(found[0].starts_with(expected), "{lines}: {}", found[0]);
    }
}

#[test]
fn every_wrong_section_is_told_with_its_place_its_key_and_what_is_expected() {
    for (source, expected) in [
        ("[stoer]", "1:2 stoer: unknown key; expected one of store, google, pipedrive, account, web, log"),
        ("store = 1", "1:9 store: expected a table [store], found a whole number"),
        ("[store]\nurl = \"mysql:x\"", "2:7 store.url: expected the address of a SQLite database"),
        ("[store]\nurl = \"sqlite:\"", "2:7 store.url: expected the address of a SQLite database"),
        (
            "[google]\napi_url = \"http://people.googleapis.com\"",
            "2:11 google.api_url: expected an address that begins with https://",
        ),
        ("[google]\napi_url = \"people.googleapis.com\"", "2:11 google.api_url: expected an address"),
        (
            "[google]\napi_url = \"https://me:pw@example.org\"",
            "2:11 google.api_url: expected an address without a user name",
        ),
        ("[google]\nreads_per_minute = 0", "2:20 google.reads_per_minute: expected a whole number from 1"),
        (
            "[google]\nclient_secret = \"a\"\nclient_secret_file = \"b\"",
            "2:17 google.client_secret: client_secret and client_secret_file contradict",
        ),
        (
            "[pipedrive]\ncompany_url = \"https://acme.pipedrive.com\"",
            "1:1 pipedrive.api_token_file: expected either api_token_file",
        ),
        ("[pipedrive]\napi_token_file = \"t\"", "1:1 pipedrive.company_url: required, but missing"),
        ("account = 1", "1:11 account: expected tables, each headed [[account]]"),
        (
            "[[account]]\nname = \"a b\"\nemail = \"a@b.example\"\n[[account.pair]]\ngroup = \"x\"\n[google]\nclient_id = \"i\"",
            "2:8 account.name: expected a name of letters",
        ),
        ("[web]\nlisten = \"0.0.0.0:8732\"", "2:10 web.password_file: required when listening beyond loopback"),
        ("[web]\nlisten = \"8732\"", "2:10 web.listen: expected an address and a port"),
        (
            "[log]\nlevel = \"loud\"",
            "2:9 log.level: expected one of \"error\", \"warn\", \"info\", \"debug\", \"trace\", found \"loud\"",
        ),
        ("[log]\nformat = \"xml\"", "2:10 log.format: expected one of \"auto\", \"text\", \"json\", \"journald\""),
    ] {
        let found = problems(source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert!(found[0].starts_with(expected), "{source}: {}", found[0]);
    }
}

#[test]
fn what_is_required_is_missed_where_it_belongs() {
    let found = problems("[[account]]\nphotos = true\n[[account]]\nname = \"b\"\nemail = \"b@acme.example\"\n");
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found[0], "1:1 account.email: required, but missing");
    assert_eq!(found[1], "1:1 account.name: required, but missing");
    assert!(found[2].starts_with("1:1 account.pair: required, but missing"), "{}", found[2]);
    assert!(found[3].starts_with("3:1 account.pair: required, but missing"), "{}", found[3]);
}

#[test]
fn the_client_is_required_once_an_account_needs_it() {
    let account = "[[account]]\nname = \"a\"\nemail = \"a@acme.example\"\n[[account.pair]]\ngroup = \"x\"\n";
    assert_eq!(
        problems(&format!("[google]\n{account}")),
        ["1:1 google.client_id: required with accounts, but missing"]
    );
    let delegated = account.replace("[[account.pair]]", "service_account_file = \"key.json\"\n[[account.pair]]");
    assert_eq!(problems(&delegated), Vec::<String>::new());
}

#[test]
fn accounts_and_groups_must_be_unique() {
    let second = "[[account]]\nname = \"sales\"\nemail = \"SALES@acme.example\"\n[[account.pair]]\ngroup = \"CRM\"\n";
    let found = problems(&format!("{ACCOUNT}{PAIR}{PAIR}{second}"));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("9:9 account.pair.group: the group \"CRM\" has a pair"), "{}", found[0]);
    assert!(found[1].starts_with("11:8 account.name: another account is called \"sales\""), "{}", found[1]);
    assert!(found[2].starts_with("12:9 account.email: another account belongs to"), "{}", found[2]);
}

#[test]
fn all_problems_of_a_file_are_told_at_once_in_its_order() {
    let found = problems("[log]\nlevel = 1\nlevle = 2\n[web]\nlisten = 3\n[store]\nurl = 4\n");
    let keys: Vec<&str> = found.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(keys, ["log.level:", "log.levle:", "web.listen:", "store.url:"]);
}

#[test]
fn a_file_that_is_no_toml_is_told_without_its_lines() {
    let source = "[google]\nclient_secret = \"hunter2\nclient_id = \"x\"\n";
    let error = parse(source).expect_err("an unclosed text");
    let text = format!("{error} {error:?}");
    assert!(text.contains("contactsync.toml:2:"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn no_message_shows_a_secret() {
    for source in [
        "[google]\nclient_secret = [\"hunter2\"]",
        "[google]\nclient_secret = \"hunter2\"\nclient_secret_file = \"x\"",
        "[store]\nurl = \"postgres://me:hunter2@host/db\"",
        "[google]\ntoken_url = \"https://me:hunter2@host/token\"",
    ] {
        let error = parse(source).expect_err(source);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn postgres_is_announced_for_later() {
    let found = problems("[store]\nurl = \"postgres://user@host/contactsync\"");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("2:7 store.url: ") && found[0].contains("postgres comes in a later release"),
        "{}",
        found[0]
    );
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let config = accepted(&format!(
        "[store]\nurl = \"sqlite:data/c.db\"\nkey_file = \"key\"\n{ACCOUNT}refresh_token_file = \"tokens/sales\"\n{PAIR}"
    ));
    assert_eq!(config.store.path, Path::new("/etc/contactsync/data/c.db"));
    assert_eq!(config.store.key, KeyPlace::File("/etc/contactsync/key".into()));
    let GrantSource::RefreshToken(secret) = &config.accounts[0].grant else { panic!("a refresh token") };
    assert!(matches!(&secret.source, SecretSource::File(path) if path == Path::new("/etc/contactsync/tokens/sales")));
}

#[test]
fn plain_http_is_accepted_for_loopback_addresses_only() {
    for (host, is_accepted) in [
        ("localhost:1", true),
        ("127.0.0.1:1", true),
        ("127.9.9.9", true),
        ("[::1]:1", true),
        ("10.0.0.1", false),
        ("localhost.example", false),
    ] {
        let found = problems(&format!("[google]\napi_url = \"http://{host}\""));
        assert_eq!(found.is_empty(), is_accepted, "{host}: {found:?}");
    }
}

#[test]
fn my_contacts_is_allowed_and_warned_about() {
    let config = accepted(&format!("{ACCOUNT}[[account.pair]]\ngroup = \"myContacts\"\n"));
    assert_eq!(config.warnings.len(), 1);
    assert_eq!((config.warnings[0].position.line, config.warnings[0].key.as_str()), (7, "account.pair.group"));
}

#[test]
fn groups_that_differ_in_case_and_blanks_only_are_one_group() {
    let found =
        problems(&format!("{ACCOUNT}[[account.pair]]\ngroup = \"Team\"\n[[account.pair]]\ngroup = \"TEAM \"\n"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("9:9 account.pair.group: ") && found[0].ends_with("in line 7"), "{}", found[0]);
}

#[test]
fn unlabel_is_warned_about_where_a_pair_has_no_labels() {
    let delete = "[account.delete]\nleft_group = \"unlabel\"\n";
    let config = accepted(&format!("{ACCOUNT}{delete}{PAIR}"));
    let warned: Vec<&str> = config.warnings.iter().map(|warning| warning.key.as_str()).collect();
    assert_eq!(warned, ["account.delete.left_group"]);
    let line = |config: &str| config.lines().position(|line| line.starts_with("left_group")).map(|line| line + 1);
    assert_eq!(Some(config.warnings[0].position.line), line(&format!("{ACCOUNT}{delete}")));
    let config = accepted(&format!(
        "{ACCOUNT}{delete}[[account.pair]]\ngroup = \"Team\"\nlabels = [\"Team\"]\nadd_label = \"Team\"\n"
    ));
    assert_eq!(config.warnings, []);
}

#[test]
fn labelled_contacts_that_come_in_without_a_label_are_warned_about() {
    for (pair, warned) in [
        ("labels = [\"A\", \"B\"]\n", true),
        ("labels = [\"A\"]\nadd_label = \"C\"\n", true),
        ("labels = [\"A\", \"B\"]\nadd_label = \"B\"\n", false),
        ("labels = [\"A\"]\nadopt = false\n", false),
        ("add_label = \"C\"\n", false),
    ] {
        let config = accepted(&format!("{ACCOUNT}[[account.pair]]\ngroup = \"Team\"\n{pair}"));
        let told: Vec<&str> = config.warnings.iter().map(|warning| warning.key.as_str()).collect();
        assert_eq!(told, if warned { vec!["account.pair.labels"] } else { vec![] }, "{pair}");
        assert!(config.warnings.iter().all(|warning| warning.message.contains("add_label = \"A\"")), "{pair}");
    }
}

#[test]
fn groups_that_google_keeps_for_itself_are_refused() {
    for (group, cure) in
        [("Starred", "a label of your own"), ("My Contacts", "myContacts"), ("family", "a label of your own")]
    {
        let config = format!("{ACCOUNT}[[account.pair]]\ngroup = \"{group}\"\n");
        let problems = problems(&config);
        let told = problems.iter().any(|problem| problem.contains("account.pair.group") && problem.contains(cure));
        assert!(told, "{problems:?}");
    }
}

#[test]
fn a_map_of_fields_names_custom_fields_too() {
    let config = accepted(&format!(
        "{ACCOUNT}{PAIR}[account.fields]\n\"custom.Price list\" = \"userDefined:Tariff\"\nnotes = \"off\"\n\
         [account.conflict_fields]\n\"custom.Price list\" = \"google\"\n"
    ));
    let (account, price_list) = (&config.accounts[0], Field::Custom("Price list".into()));
    assert_eq!(account.fields.get(&price_list), Some(&FieldTarget::UserDefined("Tariff".into())));
    assert_eq!(account.fields.get(&Field::Notes), Some(&FieldTarget::Off));
    assert_eq!(promise_of(account).policy_for(&price_list), ConflictPolicy::Remote);
}

#[test]
fn the_effective_configuration_means_the_same() {
    let source = format!(
        "{ACCOUNT}schedule = \"5 4 * * *\"\ntimezone = \"Europe/Warsaw\"\nenabled = false\ndirection = \"to-google\"\n\
         refresh_token_file = \"t\"\n[account.guard]\nmax_deletes = 50\nmax_updates = \"2.5%\"\nmax_unlinks = 7\nmax_left_groups = \"3%\"\n[account.delete]\n\
         grace = \"36h\"\nin_store = \"trash-group\"\n{PAIR}labels = [\"A \\\"b\\\"\", \"ü\"]\nadd_label = \"L\"\n\
         [account.fields]\n\"custom.Price list\" = \"userDefined:P: x\"\n[account.conflict_fields]\nnotes = \"manual\"\n\
         [pipedrive]\ncompany_url = \"https://acme.pipedrive.com\"\napi_token_file = \"p\"\npoll = \"90s\"\n\
         [web]\nlisten = \"\"\n[log]\nformat = \"json\"\nlevel = \"debug\"\n"
    );
    let effective = accepted(&source).effective();
    assert_eq!(accepted(&effective).effective(), effective);
    for line in [
        "schedule = \"0 5 4 * * *\"",
        "max_deletes = 50",
        "max_updates = \"2.5%\"",
        "max_unlinks = 7",
        "max_left_groups = \"3%\"",
        "grace = \"36h\"",
        "poll = \"90s\"",
    ] {
        assert!(effective.contains(line), "{line} in\n{effective}");
    }
}

#[test]
fn the_effective_configuration_shows_no_secret() {
    let effective = accepted("[google]\nclient_id = \"id\"\nclient_secret = \"hunter2\"\n").effective();
    assert!(effective.contains("client_secret = \"[redacted]\""), "{effective}");
    assert!(!effective.contains("hunter2"), "{effective}");
}

#[test]
fn the_settings_digest_follows_what_decides_contents_and_nothing_else() {
    let digest = |lines: &str, pair: &str| digest_of(&accepted(&format!("{ACCOUNT}{lines}\n{PAIR}{pair}\n")));
    let plain = digest("", "");
    assert_eq!(plain.len(), 64);
    for (lines, pair) in [
        ("schedule = \"0 0 * * *\"", ""),
        ("enabled = false", ""),
        ("guard = { max_deletes = 1 }", ""),
        ("", "labels = []"),
    ] {
        assert_eq!(digest(lines, pair), plain, "{lines}{pair}");
    }
    let mut seen = BTreeSet::from([plain]);
    for (lines, pair) in [
        ("direction = \"to-google\"", ""),
        ("conflict = \"manual\"", ""),
        ("conflict_fields = { notes = \"manual\" }", ""),
        ("organizations = \"off\"", ""),
        ("photos = false", ""),
        ("delete = { grace = \"1s\" }", ""),
        ("fields = { notes = \"off\" }", ""),
        ("", "labels = [\"a\", \"b\"]"),
        ("", "labels = [\"a, b\"]"),
        ("", "owners = [\"a\", \"b\"]"),
        ("", "adopt = false"),
        ("", "add_label = \"a\""),
    ] {
        assert!(seen.insert(digest(lines, pair)), "{lines}{pair}");
    }
    assert_eq!(digest("", "labels = [\"a\", \"b\"]"), digest("", "labels = [\"b\", \"a\"]"));
}

/// What the filter `VIPs` selects.
fn defined(condition: &str) -> Definitions {
    let filter = Filter { text: None, conditions: [condition.parse().expect("a condition")].into() };
    [("VIPs".to_owned(), filter.of_cards().expect("of cards"))].into()
}

#[test]
fn there_is_no_promise_without_what_the_filter_of_a_pair_selects() {
    let config = accepted(&format!("{ACCOUNT}{PAIR}filter = \"VIPs\"\nadopt = false\n"));
    assert_eq!(config.warnings, []);
    assert!(config.effective().contains("filter = \"VIPs\""), "{}", config.effective());
    let account = &config.accounts[0];
    let missing = account.promise(&Definitions::new()).expect_err("the filter is not known");
    assert_eq!(missing.to_string(), "what the filter \"VIPs\" selects is not known");
    let promise = account.promise(&defined("labels=VIP")).expect("known");
    let mut card = crate::domain::contact::Card::person();
    assert!(!promise.pairs[0].selects(&card));
    card.labels.insert("VIP".into());
    assert!(promise.pairs[0].selects(&card));
}

#[test]
fn the_settings_digest_follows_what_a_filter_selects_and_not_its_name() {
    let digest = |pair: &str, condition: &str| {
        let config = accepted(&format!("{ACCOUNT}{PAIR}{pair}\n"));
        let promise = config.accounts[0].promise(&defined(condition)).expect("known");
        config.accounts[0].settings_digest(&promise.pairs)
    };
    let vips = digest("filter = \"VIPs\"", "labels=VIP");
    assert_eq!(vips, digest("filter = \"VIPs\"", "labels=VIP"));
    assert_ne!(vips, digest("filter = \"VIPs\"", "labels=Other"));
    assert_ne!(vips, digest("", "labels=VIP"));
    assert_eq!(digest("", "labels=VIP"), digest_of(&accepted(&format!("{ACCOUNT}\n{PAIR}\n"))));
}

#[test]
fn a_pair_whose_filter_may_not_select_who_comes_in_is_warned_about() {
    for (pair, warned) in [
        ("filter = \"VIPs\"", true),
        ("filter = \"VIPs\"\nadd_label = \"VIP\"", false),
        ("filter = \"VIPs\"\nadopt = false", false),
        ("filter = \"\"", false),
    ] {
        let config = accepted(&format!("{ACCOUNT}{PAIR}{pair}\n"));
        let keys: Vec<&str> = config.warnings.iter().map(|warning| warning.key.as_str()).collect();
        assert_eq!(keys, if warned { vec!["account.pair.filter"] } else { vec![] }, "{pair}");
    }
}

#[test]
fn the_region_is_a_country_and_part_of_what_decides_contents() {
    let with = |region: &str| accepted(&format!("[store]\nregion = \"{region}\"\n{ACCOUNT}\n{PAIR}\n"));
    let (none, german) = (with(""), with("de"));
    assert_eq!(promise_of(&none.accounts[0]).home, None);
    assert_eq!(promise_of(&german.accounts[0]).home, "DE".parse().ok());
    assert!(german.effective().contains("region = \"DE\""), "{}", german.effective());
    assert_eq!(digest_of(&none), digest_of(&accepted(&format!("{ACCOUNT}\n{PAIR}\n"))));
    assert_ne!(digest_of(&none), digest_of(&german));
    for value in ["\"Germany\"", "\"XX\"", "49", "\"+49\""] {
        let problems = problems(&format!("[store]\nregion = {value}\n")).concat();
        assert!(problems.contains("store.region: expected the two-letter code of a country"), "{value}: {problems}");
    }
}

#[test]
fn a_missing_file_is_told_with_every_place_it_was_looked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let around = Surroundings { user_folder: Some(folder.path().to_owned()), ..Surroundings::default() };
    let error = around.locate().expect_err("no file").to_string();
    assert!(error.contains(&format!("{}/contactsync/contactsync.toml", folder.path().display())), "{error}");
    assert!(error.contains("/etc/contactsync/contactsync.toml"), "{error}");
    let named = Surroundings { named: Some("/nowhere/a.toml".into()), ..around.clone() };
    assert_eq!(named.locate().expect_err("no file").to_string(), "no configuration file; looked for /nowhere/a.toml");
    let asked = Surroundings { asked_for: Some("/nowhere/b.toml".into()), ..named };
    assert_eq!(asked.locate().expect_err("no file").to_string(), "no configuration file; looked for /nowhere/b.toml");
}

#[test]
fn the_users_own_file_comes_before_the_systems() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("contactsync/contactsync.toml");
    fs::create_dir(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, "[log]\nlevel = \"debug\"\n").expect("written");
    let around = Surroundings { user_folder: Some(folder.path().to_owned()), ..Surroundings::default() };
    assert_eq!(Config::load(&around).expect("valid").file, file);
}

fn secret_with_mode(mode: u32, text: &str) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("secret");
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
    let source = "[google]\nclient_id = \"id\"\nclient_secret_file = \"secret\"\n";
    let config = Config::parse(source, &folder.path().join("contactsync.toml"), &Surroundings::default());
    (folder, config.expect("valid"))
}

#[test]
fn a_secret_is_read_without_the_blanks_around_it() {
    let (_folder, config) = secret_with_mode(0o600, "  hunter2\n");
    assert_eq!(config.google.read_client_secret().expect("readable").expose_secret(), "hunter2");
}

#[test]
fn a_secret_that_others_may_read_is_refused_with_the_cure() {
    for mode in [0o640, 0o604, 0o660] {
        let (folder, config) = secret_with_mode(mode, "hunter2");
        let error = config.google.read_client_secret().expect_err("exposed").to_string();
        let cure = format!("run: chmod 600 {}/secret", folder.path().display());
        assert!(error.contains(&cure) && error.contains("contactsync.toml:3:22: google.client_secret_file"), "{error}");
    }
}

#[test]
fn an_empty_secret_is_refused() {
    let (_folder, config) = secret_with_mode(0o600, " \n");
    assert!(config.google.read_client_secret().expect_err("empty").to_string().ends_with("it is empty"));
}

#[test]
fn a_secret_nobody_has_is_told_with_the_places_it_may_come_from() {
    let config = accepted(&format!("{ACCOUNT}{PAIR}"));
    let errors: Vec<String> = config.check_secrets().iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("google.client_secret_file") && errors[0].contains("google-client-secret"),
        "{}",
        errors[0]
    );
}

#[test]
fn credentials_of_systemd_are_found_and_may_show_a_group_permission() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("google-client-secret", "hunter2"), ("store-key", "k"), ("sales", "token")] {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).expect("changed");
    }
    let around = Surroundings { credentials: Some(folder.path().to_owned()), ..Surroundings::default() };
    let token = folder.path().join("sales");
    let source = format!("{ACCOUNT}refresh_token_file = {:?}\n{PAIR}", token.display().to_string());
    let config = Config::parse(&source, Path::new("/etc/contactsync.toml"), &around).expect("valid");
    assert_eq!(config.google.read_client_secret().expect("readable").expose_secret(), "hunter2");
    assert_eq!(config.store.key, KeyPlace::Credential(folder.path().join("store-key")));
    assert!(config.check_secrets().is_empty());
}

#[test]
fn a_secret_in_a_file_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("contactsync.toml");
    fs::write(&file, "[google]\nclient_secret = \"hunter2\"\n").expect("written");
    let around = Surroundings { asked_for: Some(file.clone()), ..Surroundings::default() };
    for mode in [0o644, 0o640, 0o600] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("changed");
        let told = Config::load(&around).map(drop).map_err(|error| error.to_string());
        match mode {
            0o600 => assert_eq!(told, Ok(())),
            _ => assert!(told.is_err_and(|told| told.contains("2:17") && told.contains("chmod 600")), "{mode:o}"),
        }
    }
}

/// Every key that the code asks a complete file for, dotted.
fn schema(source: &str) -> BTreeSet<String> {
    let mut notes = Notes::new(source);
    let (root, _) = DeTable::parse_recoverable(source);
    Config::read(root, Path::new("/etc/contactsync.toml"), &Surroundings::default(), &mut notes);
    notes.keys().clone()
}

#[test]
fn the_sample_is_valid_and_names_every_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/contactsync.toml");
    let sample = fs::read_to_string(path).expect("the sample");
    let config = accepted(&sample);
    assert_eq!(config.accounts.len(), 1);
    // A commented line `# key = value` counts: the sample shows alternatives that exclude each other.
    let complete = "[pipedrive]\n[[account]]\n[[account.pair]]\n";
    let mut section = String::new();
    let mut shown = BTreeSet::new();
    for line in sample.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_start_matches('[').split(']').next().unwrap_or_default().to_owned();
            shown.insert(section.clone());
        } else if let Some((key, _)) = line.split_once(" = ") {
            shown.insert(format!("{section}.{key}"));
        }
    }
    let missing: Vec<String> = schema(complete).into_iter().filter(|key| !shown.contains(key)).collect();
    assert!(missing.is_empty(), "the sample does not show {missing:?}");
}
