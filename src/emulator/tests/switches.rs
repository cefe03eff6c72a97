//! Switches that have no other home among the tests, and the guard that every one of them is used by a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::sync::{SYNC, delta, full};
use super::*;
use crate::emulator::fault::{Fault, FaultKind};
use crate::emulator::settings::Overlaps;

const LIST: &str = "/v1/people/me/connections?personFields=names";

#[test]
fn access_tokens_live_as_long_as_it_is_said() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().access_token_lifetime_s = 60;
    let refresh = kit.emulator.refresh_token(EMAIL).expect("a token").to_owned();
    let (_, answer) = kit.refresh(&refresh);
    assert_eq!(answer["expires_in"], 59);
    kit.token = text(&answer["access_token"]).to_owned();
    kit.pass(Duration::from_secs(59));
    assert_eq!(kit.get(LIST).0, 200);
    kit.pass(Duration::from_secs(1));
    assert_eq!(kit.get(LIST).0, 401);
}

#[test]
fn sync_tokens_live_as_long_as_it_is_said() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().sync_token_lifetime_s = 1000;
    let token = full(&mut kit);
    kit.pass(Duration::from_secs(999));
    let (_, token) = delta(&mut kit, &token);
    kit.pass(Duration::from_secs(1));
    let error = kit.refused(400, "GET", &format!("{SYNC}&syncToken={token}"), None);
    assert_eq!(error["details"][0]["reason"], "EXPIRED_SYNC_TOKEN");
    full(&mut kit);
    assert!(kit.emulator.counters().violations.is_empty(), "there was no other way");
}

#[test]
fn etags_change_in_the_background() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    let token = full(&mut kit);
    kit.emulator.settings_mut().background_bumps = 1;
    let (people, token) = delta(&mut kit, &token);
    assert_eq!(people[0]["names"], person["names"]);
    assert_ne!(people[0]["metadata"]["sources"][0]["etag"], person["metadata"]["sources"][0]["etag"]);
    assert_eq!(kit.update(&person, "names", json!({ "names": [{ "givenName": "B" }] })).0, 400, "stale");
    kit.emulator.settings_mut().background_bumps = 0;
    assert!(delta(&mut kit, &token).0.is_empty());
}

#[test]
fn changes_in_one_second_have_one_time() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    kit.emulator.settings_mut().update_time_step_ms = 3_600_000;
    let (_, first) = kit.update(&person, "names", json!({ "names": [{ "givenName": "B" }] }));
    let (_, second) = kit.update(&first, "names", json!({ "names": [{ "givenName": "C" }] }));
    let source = |person: &serde_json::Value, member: &str| person["metadata"]["sources"][0][member].clone();
    assert_eq!(source(&first, "updateTime"), source(&second, "updateTime"));
    assert_ne!(source(&first, "etag"), source(&second, "etag"));
}

#[test]
fn mutations_that_overlap_are_refused_or_take_longer() {
    let mut kit = Kit::new();
    let write = kit.request("POST", "/v1/people:createContact", Some(&json!({ "names": [{ "givenName": "A" }] })));
    let now = kit.now;
    let first = kit.emulator.begin(&write);
    let second = kit.emulator.begin(&write);
    kit.emulator.settings_mut().overlaps = Overlaps { aborted_permille: 1000, delay_ms: 700 };
    let reply = kit.emulator.handle_announced(&write, second, now);
    let (status, body) = parsed(reply.response().expect("an answer"));
    assert_eq!((status, &body["error"]["status"], reply.after.as_millis()), (409, &json!("ABORTED"), 700));
    assert!(kit.user().people().is_empty());
    kit.emulator.settings_mut().overlaps.aborted_permille = 0;
    let reply = kit.emulator.handle_announced(&write, second, now);
    assert_eq!((parsed(reply.response().expect("an answer")).0, reply.after.as_millis()), (200, 700));
    let reply = kit.emulator.handle_announced(&write, first, now);
    assert_eq!(
        (parsed(reply.response().expect("an answer")).0, reply.after.as_millis()),
        (200, 0),
        "the first had the way"
    );
    assert_eq!(kit.emulator.counters().violations.len(), 1);
}

#[test]
fn random_trouble_of_several_kinds_is_drawn_from_the_seed() {
    let statuses = || {
        let mut kit = Kit::new();
        let kinds = vec![FaultKind::Status(500), FaultKind::Status(503), FaultKind::Drop, FaultKind::Delay(40_000)];
        let fault = Fault { times: None, permille: 500, ..Fault::once("*", FaultKind::OneOf(kinds)) };
        kit.emulator.faults_mut().push(fault);
        let list = kit.request("GET", LIST, None);
        let outcomes: Vec<(u16, bool)> = (0..60)
            .map(|_| {
                let reply = kit.reply(&list);
                (reply.response().map_or(0, |response| response.status().as_u16()), reply.after.is_zero())
            })
            .collect();
        outcomes
    };
    let drawn = statuses();
    assert_eq!(drawn, statuses());
    let kinds: BTreeSet<(u16, bool)> = drawn.into_iter().collect();
    assert_eq!(kinds, BTreeSet::from([(0, true), (200, false), (200, true), (500, true), (503, true)]));
}

#[test]
fn a_choice_of_nothing_does_nothing() {
    let mut kit = Kit::new();
    kit.emulator.faults_mut().push(Fault::once("*", FaultKind::OneOf(Vec::new())));
    kit.ok("GET", LIST, None);
}

// ---- every switch is used by a test: the sources are read, so that a new one without a test is found

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a source file")
}

/// The sources of the tests, without comments.
fn tests() -> String {
    let mut folders =
        vec![root().join("src/emulator/tests"), root().join("tests/suite"), root().join("tests/simulation")];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(path).expect("a source file");
                source.lines().filter(|line| !line.trim_start().starts_with("//")).for_each(|line| {
                    text.push_str(line);
                    text.push('\n');
                });
            }
        }
    }
    text
}

fn is_word(text: &str, start: usize, end: usize) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    !text[..start].chars().next_back().is_some_and(part) && !text[end..].chars().next().is_some_and(part)
}

fn names(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, found)| is_word(text, start, start + found.len()))
}

/// Whether a test sets or reads a field, in Rust or as JSON.
fn uses(tests: &str, field: &str) -> bool {
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let is_reached = tests.split(&format!(".{field}")).skip(1).any(is_end);
    let befores: Vec<&str> = tests.split(&format!("{field}: ")).collect();
    let is_filled = befores.iter().rev().skip(1).any(|before| before.ends_with([' ', '{', '\n']));
    is_reached || is_filled || tests.contains(&format!("\"{field}\""))
}

/// The variants of an enum, or the fields of a struct, as the source declares them.
fn members(source: &str, declaration: &str) -> Vec<String> {
    let start = source.find(declaration).unwrap_or_else(|| panic!("no {declaration}"));
    let body = &source[start..];
    let body = &body[..body.find("\n}").expect("an end")];
    body.lines()
        .filter(|line| line.starts_with("    ") && !line.starts_with("     "))
        .map(str::trim)
        .filter(|line| !line.starts_with(['/', '#', '}']))
        .map(|line| line.trim_start_matches("pub ").split([':', ',', '(', ' ']).next().unwrap_or_default().to_owned())
        .collect()
}

/// What is declared with `pub enum` or `pub struct` in a source.
fn declared<'a>(source: &'a str, keyword: &str) -> Vec<&'a str> {
    let lines = source.lines().filter_map(|line| line.strip_prefix(keyword)?.strip_suffix(" {"));
    lines.map(str::trim).collect()
}

#[test]
fn every_switch_is_used_by_a_test() {
    let tests = tests();
    let mut unused = Vec::new();
    for (file, structs) in [
        ("src/emulator/settings.rs", vec!["Settings", "Overlaps", "Propagation"]),
        ("src/emulator/quota.rs", vec!["Limits"]),
    ] {
        let text = source(file);
        for name in structs {
            let fields = members(&text, &format!("pub struct {name} {{"));
            assert!(fields.len() > 1, "{fields:?}");
            unused.extend(fields.into_iter().filter(|field| !uses(&tests, field)));
        }
    }
    let enums = [
        ("src/emulator/settings.rs", None),
        ("src/emulator/quota.rs", Some("Refill")),
        ("src/emulator/fault.rs", Some("FaultKind")),
    ];
    for (file, only) in enums {
        let text = source(file);
        let found = declared(&text, "pub enum ");
        assert!(!found.is_empty(), "{file}");
        for name in found.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
            let variants = members(&text, &format!("pub enum {name} {{"));
            let defaults = source("src/emulator/settings.rs");
            let defaults = &defaults[defaults.find("impl Default for Settings").expect("the defaults")..];
            let is_default = |variant: &str| {
                names(defaults, &format!("{name}::{variant}")) || text.contains(&format!("#[default]\n    {variant},"))
            };
            unused.extend(
                variants
                    .into_iter()
                    .filter(|variant| !is_default(variant) && !names(&tests, &format!("{name}::{variant}")))
                    .map(|variant| format!("{name}::{variant}")),
            );
        }
    }
    assert!(unused.is_empty(), "no test uses {unused:?}");
}

/// The routes of the control API, as its source matches them: verb and path, with `*` for what varies.
fn routes() -> Vec<(String, String)> {
    let text = source("src/emulator/control.rs");
    let (general, of_accounts) = text.split_once("\nfn on_account(").expect("two tables");
    let of_accounts = of_accounts.split("\nfn ").next().unwrap_or_default();
    let actions = text.split("\nfn on_person(").nth(1).and_then(|rest| rest.split("\n}").next()).expect("actions");
    let mut routes = Vec::new();
    for (table, prefix) in [(general, ""), (of_accounts, "accounts/*/")] {
        for line in table.lines().map(str::trim).filter(|line| line.starts_with("(\"") && line.contains("=>")) {
            let (verb, rest) = line[2..].split_once('"').expect("a verb");
            let list = rest.split_once('[').and_then(|(_, rest)| rest.split_once(']')).expect("a path").0;
            let parts: Vec<&str> = list.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
            let parts = parts.iter().map(|part| part.strip_prefix('"').map_or("*", |text| text.trim_end_matches('"')));
            let path = format!("{prefix}{}", parts.collect::<Vec<_>>().join("/"));
            routes.push((verb.to_owned(), path.trim_end_matches('/').to_owned()));
        }
    }
    routes.retain(|(verb, path)| !(verb == "POST" && path == "accounts/*/people/*/*"));
    for line in actions.lines().map(str::trim).filter(|line| line.starts_with('"') && line.contains("=>")) {
        let action = line[1..].split('"').next().unwrap_or_default();
        routes.push(("POST".to_owned(), format!("accounts/*/people/*/{action}")));
    }
    routes
}

fn fits(route: &str, path: &str) -> bool {
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len() && route.iter().zip(&path).all(|(wanted, found)| *wanted == "*" || wanted == found)
}

// Every example of the manual is run by a test of its own.
#[test]
fn the_manual_names_every_route_of_the_control_api_with_an_example() {
    let manual = source("docs/sandbox.md");
    let rows: Vec<(&str, &str)> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .filter_map(|(route, _)| route.split_once(" /"))
        .collect();
    let examples: Vec<(&str, &str)> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("curl "))
        .map(|line| match line.strip_prefix("-X ").and_then(|line| line.split_once(' ')) {
            Some((verb, rest)) => (verb, rest),
            None => ("GET", line),
        })
        .filter_map(|(verb, rest)| Some((verb, rest.strip_prefix("$CONTROL/")?.split([' ', '?']).next()?)))
        .collect();
    let routes = routes();
    assert!(routes.len() > 35, "{routes:?}");
    for (verb, path) in routes {
        let is_it = |(one, other): &&(&str, &str)| *one == verb && fits(&path, other);
        assert!(rows.iter().any(|row| is_it(&row)), "no row for {verb} /{path}");
        // A key pair is made with a tool of its own; the way there is described instead.
        assert!(path == "service-accounts" || examples.iter().any(|one| is_it(&one)), "no example for {verb} /{path}");
    }
}

#[test]
fn the_manual_names_every_setting_and_every_fault() {
    let manual = source("docs/sandbox.md");
    for file in ["src/emulator/settings.rs", "src/emulator/quota.rs"] {
        let text = source(file);
        let structs: &[&str] =
            if file.ends_with("quota.rs") { &["Limits"] } else { &["Settings", "Overlaps", "Propagation"] };
        for name in structs {
            for field in members(&text, &format!("pub struct {name} {{")) {
                let is_named = ["`", "`.", "."].iter().any(|before| manual.contains(&format!("{before}{field}`")));
                assert!(is_named || manual.contains(&format!("`{field}.")), "{field}");
            }
        }
    }
    for variant in members(&source("src/emulator/fault.rs"), "pub enum FaultKind {") {
        let name = crate::emulator::strict::snake_case(&variant).trim_start_matches('_').to_owned();
        assert!(manual.contains(&format!("\"{name}\"")), "{name}");
    }
}
