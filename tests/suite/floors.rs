//! Who may know whom. In a single crate nothing but this keeps the floors apart: the sources are read, and a path into
//! a floor that the file's own floor must not know is a failure, and so is an external crate outside its owner.

use std::fs;
use std::path::{Path, PathBuf};

/// A floor and the modules that its files may name; a module covers everything below it.
struct Floor {
    name: &'static str,
    knows: &'static [&'static str],
    /// Exceptions from `knows`.
    but_not: &'static [&'static str],
}

const FLOORS: [Floor; 13] = [
    Floor { name: "domain", knows: &[], but_not: &[] },
    Floor { name: "clock", knows: &["domain"], but_not: &[] },
    Floor { name: "telemetry", knows: &["domain", "clock"], but_not: &[] },
    Floor { name: "store", knows: &["domain", "clock"], but_not: &[] },
    Floor { name: "remotes", knows: &["domain", "clock"], but_not: &[] },
    Floor { name: "config", knows: &["domain", "clock", "telemetry"], but_not: &[] },
    Floor { name: "formats", knows: &["domain"], but_not: &[] },
    Floor { name: "contacts", knows: &["domain", "clock", "store", "formats"], but_not: &["store::sqlite"] },
    Floor {
        name: "engine",
        knows: &["domain", "clock", "store", "remotes"],
        but_not: &["store::sqlite", "store::memory", "remotes::google", "remotes::http", "remotes::oauth"],
    },
    Floor {
        name: "daemon",
        knows: &["domain", "clock", "telemetry", "config", "store", "remotes", "engine"],
        but_not: &["store::sqlite"],
    },
    Floor {
        name: "web",
        knows: &["domain", "clock", "config", "engine", "daemon"],
        but_not: &["daemon::worker", "daemon::service"],
    },
    // It types the vendor's documents anew, so that one misreading cannot hide in both.
    Floor { name: "emulator", knows: &["domain::time", "clock"], but_not: &[] },
    Floor {
        name: "cli",
        knows: &[
            "domain",
            "clock",
            "telemetry",
            "config",
            "store",
            "remotes",
            "formats",
            "contacts",
            "engine",
            "daemon",
            "web",
            "emulator",
        ],
        but_not: &[],
    },
];

/// External crates and the floors that own them.
const OWNERS: [(&str, &[&str]); 19] = [
    ("sqlx", &["store"]),
    ("reqwest", &["remotes"]),
    ("ring", &["remotes", "emulator"]),
    ("oauth2", &["remotes", "daemon"]),
    ("backoff", &["remotes"]),
    ("governor", &["remotes"]),
    ("axum", &["emulator", "web", "cli"]),
    ("prometheus_client", &["daemon"]),
    ("argon2", &["web"]),
    ("hyper", &["web"]),
    ("hyper_util", &["web"]),
    ("toml", &["config", "cli", "formats"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("tokio_cron_scheduler", &["daemon"]),
    ("sd_notify", &["daemon"]),
    ("tracing_subscriber", &["telemetry"]),
    ("calcard", &["formats"]),
    ("calamine", &["formats"]),
];

/// What the ground floor deliberately does not know: it has no async, no I/O, no log lines and no randomness.
const UNKNOWN_TO_DOMAIN: [&str; 6] = ["tokio", "tracing", "http", "async_trait", "getrandom", "rand"];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file below `folder`, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The floor of a file: the name of its folder or, for `src/clock.rs`, its own.
fn floor_of(file: &Path) -> String {
    let below = file.strip_prefix(sources()).expect("a source file");
    let first = below.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file, line by line: without comments, and without tests, which may build whatever they need.
fn code(text: &str) -> Vec<(usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    let lines = text[..end].lines().enumerate();
    lines.map(|(place, line)| (place + 1, line.split("//").next().unwrap_or_default())).collect()
}

/// The paths behind `crate::` in a line, `store::sqlite` and the like; groups in braces yield one each.
fn inner_paths(line: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for rest in line.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap_or_default();
                paths.extend(group.split(',').map(|item| leading_path(item.trim())));
            }
            None => paths.push(leading_path(rest)),
        }
    }
    paths.retain(|path| !path.is_empty());
    paths
}

fn leading_path(text: &str) -> String {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    text[..end].trim_end_matches(':').to_owned()
}

fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether the line names the external crate at the start of a path.
fn names_crate(line: &str, name: &str) -> bool {
    let pattern = format!("{name}::");
    line.match_indices(&pattern).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
    })
}

#[test]
fn no_floor_knows_what_it_must_not_know() {
    let mut wrong = Vec::new();
    for file in files(&sources()) {
        let floor = floor_of(&file);
        if floor == "lib" || floor == "main" {
            continue;
        }
        let Some(rule) = FLOORS.iter().find(|rule| rule.name == floor) else {
            wrong.push(format!("{}: no floor is called {floor}", file.display()));
            continue;
        };
        let text = fs::read_to_string(&file).expect("readable");
        for (number, line) in code(&text) {
            for path in inner_paths(line) {
                let may = is_within(&path, rule.name) || rule.knows.iter().any(|module| is_within(&path, module));
                if !may || rule.but_not.iter().any(|module| is_within(&path, module)) {
                    wrong.push(format!("{}:{number}: {floor} must not know {path}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_external_crate_stays_with_its_owner() {
    let mut wrong = Vec::new();
    for file in files(&sources()) {
        let floor = floor_of(&file);
        let text = fs::read_to_string(&file).expect("readable");
        for (number, line) in code(&text) {
            for (name, owners) in OWNERS {
                if names_crate(line, name) && floor != "main" && !owners.contains(&floor.as_str()) {
                    wrong.push(format!("{}:{number}: {name} belongs to {}", file.display(), owners.join(", ")));
                }
            }
            for name in UNKNOWN_TO_DOMAIN {
                if floor == "domain" && names_crate(line, name) {
                    wrong.push(format!("{}:{number}: domain must not know {name}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_forbidden_use_is_found_however_it_is_written() {
    assert_eq!(inner_paths("use crate::store::sqlite::SqliteStore;"), ["store::sqlite::SqliteStore"]);
    assert_eq!(inner_paths("use crate::{store::Store, engine};"), ["store::Store", "engine"]);
    assert_eq!(
        inner_paths("let x = crate::store::Write::Run(crate::domain::run());"),
        ["store::Write::Run", "domain::run"]
    );
    assert!(is_within("store::sqlite::SqliteStore", "store::sqlite") && !is_within("storehouse", "store"));
    assert!(names_crate("use sqlx::query;", "sqlx") && !names_crate("use my_sqlx::query;", "sqlx"));
    assert!(!names_crate("use crate::toml::x;", "toml"));
    assert_eq!(code("a // crate::engine\n#[cfg(test)]\nmod tests { crate::cli }"), [(1, "a ")]);
}
