//! The command line against a real store: what is answered, and how it ends.

use clap::CommandFactory;
use serde_json::{Value, json};

use super::output::tests::on_paper;
use super::*;
use crate::clock::{ManualClock, SeededEntropy};
use crate::store::sqlite::SqliteStore;

struct World {
    _folder: tempfile::TempDir,
    store: SqliteStore,
    clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
}

/// What a command answered, remarked, and how it ended.
struct Ran {
    answer: String,
    remarks: String,
    exit: Exit,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let entropy = Arc::new(SeededEntropy::new(7));
        let clock = ManualClock::new("2026-11-23T15:00:00Z".parse().expect("a time"));
        let store = SqliteStore::open(&folder.path().join("contacts.db"), &*entropy).await.expect("a store");
        World { _folder: folder, store, clock: Arc::new(clock), entropy }
    }

    async fn run(&self, line: &[&str]) -> Ran {
        self.clock.advance(std::time::Duration::from_secs(1));
        let arguments = Arguments::try_parse_from([&["contactsync"], line].concat()).expect("arguments");
        let (out, answers, remarks) = on_paper(arguments.global.form(), arguments.global.verbosity());
        let config = "[google]\nclient_id = \"id\"\n[[account]]\nname = \"sales\"\nemail = \"sales@acme.example\"\n\
                      schedule = \"0 0 18 * * *\"\n[[account.pair]]\ngroup = \"CRM\"\n";
        let config = Config::parse(config, "/etc/contactsync.toml".as_ref(), &Surroundings::default());
        let entropy = Arc::clone(&self.entropy) as _;
        let mut desk = Desk::at(config.expect("valid"), self.store.clone(), entropy, Arc::new(out));
        desk.clock = Arc::clone(&self.clock) as _;
        let exit = match carry_out(&arguments.command, &desk).await {
            Ok(exit) => exit,
            Err(error) => {
                desk.out.error(&error);
                Exit::of_error(&error)
            }
        };
        Ran { answer: answers.text(), remarks: remarks.text(), exit }
    }

    async fn json(&self, line: &[&str]) -> Value {
        let ran = self.run(&[&["--json"], line].concat()).await;
        assert_eq!(ran.exit, Exit::Done, "{}", ran.remarks);
        serde_json::from_str(&ran.answer).expect("one JSON value")
    }

    async fn add(&self, line: &[&str]) -> String {
        self.json(line).await["id"].as_str().expect("an id").to_owned()
    }
}

#[test]
fn the_definitions_hold_together() {
    Arguments::command().debug_assert();
}

#[test]
fn global_flags_stand_before_or_behind_the_command() {
    for line in [["contactsync", "--json", "-v", "status"], ["contactsync", "status", "-v", "--json"]] {
        let arguments = Arguments::try_parse_from(line).expect("accepted");
        assert!(arguments.global.json && arguments.global.verbose == 1);
    }
    assert!(Arguments::try_parse_from(["contactsync", "-v", "-q", "status"]).is_err());
}

#[test]
fn every_help_text_begins_in_the_imperative_and_has_no_final_stop() {
    fn check(command: &clap::Command) {
        let texts = command
            .get_subcommands()
            .filter_map(clap::Command::get_about)
            .chain(command.get_arguments().filter_map(clap::Arg::get_help));
        for text in texts.map(ToString::to_string) {
            assert!(!text.ends_with('.'), "{}: {text}", command.get_name());
            assert!(text.starts_with(|c: char| c.is_uppercase()), "{}: {text}", command.get_name());
        }
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {} has no help", command.get_name(), argument.get_id());
        }
        command.get_subcommands().for_each(check);
    }
    check(&Arguments::command());
}

#[tokio::test]
async fn an_added_person_is_answered_as_its_record() {
    let world = World::new().await;
    let line = [
        "person",
        "add",
        "--name",
        "Ada King",
        "--email",
        "ada@example.org:work",
        "--organization",
        "Acme",
        "--label",
        "VIP",
    ];
    let record = world.json(&line).await;
    assert_eq!(record["name"]["full"], "Ada King");
    assert_eq!(record["emails"], json!([{"value": "ada@example.org", "label": "work", "primary": true}]));
    assert_eq!((&record["organization"]["name"], &record["version"]), (&json!("Acme"), &json!({"store": 1})));
    let id = record["id"].as_str().expect("an id");
    let mut shown = world.json(&["person", "show", id]).await;
    let detail = shown.as_object_mut().and_then(|members| members.remove("detail")).expect("what surrounds it");
    assert_eq!((&shown, &detail["deals"]), (&record, &json!([])));
    assert_eq!(world.json(&["person", "list"]).await, json!([record]));
    let acme = &world.json(&["organization", "list"]).await[0];
    assert_eq!((&acme["id"], &acme["people_count"]), (&record["organization"]["id"], &json!(1)));
}

#[tokio::test]
async fn a_person_is_edited_deleted_and_restored() {
    let world = World::new().await;
    let id = world.add(&["person", "add", "--name", "Ada King", "--label", "VIP"]).await;
    let edited = world.json(&["person", "edit", &id, "--label", "New", "--patch", r#"{"job_title":"CTO"}"#]).await;
    assert_eq!((&edited["labels"], &edited["job_title"]), (&json!(["New", "VIP"]), &json!("CTO")));
    assert!(world.json(&["person", "delete", &id]).await["deleted"].is_string());
    assert_eq!(world.json(&["person", "list"]).await, json!([]));
    assert_eq!(world.json(&["person", "list", "--deleted"]).await[0]["id"], json!(id));
    assert_eq!(world.run(&["person", "edit", &id, "--notes", "x"]).await.exit, Exit::Usage);
    assert!(world.json(&["person", "restore", &id]).await["deleted"].is_null());
    let history = world.json(&["history", &id]).await;
    let actions: Vec<&str> =
        history.as_array().expect("a list").iter().filter_map(|row| row["action"].as_str()).collect();
    assert_eq!(actions, ["restored", "deleted", "edited", "created"]);
}

#[tokio::test]
async fn persons_are_listed_by_text_label_and_organization() {
    let world = World::new().await;
    let ada =
        world.add(&["person", "add", "--name", "Ada King", "--organization", "Zürich AG", "--label", "VIP"]).await;
    let bob = world.add(&["person", "add", "--name", "Bob Stone", "--email", "bob@example.org"]).await;
    for (line, expected) in [
        (vec![], vec![&ada, &bob]),
        (vec!["king"], vec![&ada]),
        (vec!["--label", "VIP"], vec![&ada]),
        (vec!["--organization", "zurich ag"], vec![&ada]),
        (vec!["--organization", "nobody"], vec![]),
        (vec!["--limit", "1"], vec![&ada]),
    ] {
        let found = world.json(&[&["person", "list"], &line[..]].concat()).await;
        let found: Vec<&str> =
            found.as_array().expect("a list").iter().filter_map(|person| person["id"].as_str()).collect();
        assert_eq!(found, expected.iter().map(|id| id.as_str()).collect::<Vec<_>>(), "{line:?}");
    }
}

#[tokio::test]
async fn what_is_asked_for_wrongly_ends_as_wrong_usage_and_says_why() {
    let world = World::new().await;
    let nobody = "01JD0000000000000000000000";
    for (line, expected) in [
        (vec!["person", "show", nobody], "there is no person"),
        (vec!["person", "edit", nobody, "--notes", "x"], "there is no person"),
        (vec!["person", "add"], "nothing would be known of this contact"),
        (vec!["person", "add", "--birthday", "17.5."], "--birthday \"17.5.\": a date is YYYY-MM-DD"),
        (vec!["person", "add", "--phone", "abc"], "--phone \"abc\": a telephone number has digits"),
        (
            vec!["person", "add", "--patch", r#"{"emails":["ada"]}"#],
            "--patch: emails[0] \"ada\": an e-mail address has",
        ),
        (vec!["person", "add", "--patch", r#"{"fax":"1"}"#], "fax: unknown member"),
        (vec!["organization", "add", "--notes", "x"], "name: an organization needs a name"),
        (vec!["conflict", "resolve", nobody, "--take", "store"], "no conflict waits"),
        (vec!["conflict", "show", nobody], "there is no conflict"),
    ] {
        let ran = world.run(&line).await;
        assert_eq!((ran.exit, ran.answer.as_str()), (Exit::Usage, ""), "{line:?}");
        assert!(ran.remarks.starts_with(&format!("error: {expected}")), "{line:?}: {}", ran.remarks);
    }
}

#[tokio::test]
async fn an_odd_address_is_saved_with_a_warning() {
    let ran = World::new().await.run(&["person", "add", "--email", "ada@nowhere"]).await;
    assert_eq!(
        (ran.exit, ran.remarks.as_str()),
        (Exit::Done, "warning: \"ada@nowhere\" does not look like an e-mail address\n")
    );
}

#[tokio::test]
async fn people_read_tables_and_pages() {
    let world = World::new().await;
    let id = world.add(&["person", "add", "--name", "Ada King", "--phone", "+49 30 1:mobile"]).await;
    let list = world.run(&["person", "list"]).await.answer;
    assert!(list.starts_with(" ID ") && list.contains("Ada King") && list.lines().count() == 2, "{list}");
    let page = world.run(&["person", "show", &id]).await.answer;
    assert!(page.starts_with("Ada King  (person)\n\nPhone         +49 30 1 (mobile, primary)\n"), "{page}");
    let saved = world.run(&["person", "edit", &id, "--notes", "x"]).await.answer;
    assert_eq!(saved, format!("saved person {id} Ada King\n"));
}

#[tokio::test]
async fn labels_are_counted() {
    let world = World::new().await;
    world.add(&["person", "add", "--name", "Ada", "--label", "VIP", "--label", "Customer"]).await;
    world.add(&["organization", "add", "--name", "Acme", "--label", "Customer"]).await;
    let labels = world.json(&["label", "list"]).await;
    let expected = json!([
        {"label": "Customer", "colour": null, "persons": 1, "organizations": 1, "deals": 0},
        {"label": "VIP", "colour": null, "persons": 1, "organizations": 0, "deals": 0}
    ]);
    assert_eq!(labels, expected);
}

#[tokio::test]
async fn an_account_that_has_never_run_has_a_status() {
    let world = World::new().await;
    let status = world.json(&["status"]).await;
    let account = &status["accounts"][0];
    assert_eq!(
        (&account["account"], &account["last_outcome"], &account["linked"]),
        (&json!("sales"), &Value::Null, &json!(0))
    );
    assert_eq!(account["next_run"], "2026-11-23T18:00:00Z");
    let table = world.run(&["status"]).await.answer;
    assert!(table.contains("never run") && table.contains("no daemon runs"), "{table}");
}

#[test]
fn completions_and_man_pages_are_generated() {
    let (out, answers, _) = on_paper(Form::Human, Verbosity::Normal);
    manual::completions(&manual::CompletionsArgs { shell: clap_complete::Shell::Bash }, &out).expect("written");
    assert!(answers.text().contains("check-config"));
    let folder = tempfile::tempdir().expect("a folder");
    let args = manual::ManArgs { folder: Some(folder.path().join("man")) };
    manual::man(&args, &out).expect("written");
    assert!(folder.path().join("man/contactsync-person-add.1").exists());
}
