//! `doctor`: whether everything is in place, and what cures what is not.
//!
//! Each check is one finding: sound, worth a look, or in the way of syncing; the latter two name their cure. Nothing is
//! changed, but for a refresh token that the authorization server replaces while it is tried: the new one is kept.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use crate::config::{Config, KeyPlace};
use crate::engine::chain;
use crate::store::ContactQuery;

use super::desk::Desk;
use super::exit::Exit;
use super::output::{Output, many};

mod account;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Sound,
    /// Works, but not as well, or not for long.
    Warning,
    /// In the way.
    Failure,
}

/// One check and what it found.
#[derive(Debug, Serialize)]
struct Finding {
    /// `None` for what concerns all accounts.
    account: Option<String>,
    check: &'static str,
    result: Verdict,
    finding: String,
    /// What to do about it; `None` for what is sound.
    cure: Option<String>,
    #[serde(skip)]
    exit: Exit,
}

impl Finding {
    fn sound(check: &'static str, finding: impl Into<String>) -> Self {
        let finding = finding.into();
        Finding { account: None, check, result: Verdict::Sound, finding, cure: None, exit: Exit::Done }
    }

    fn warning(check: &'static str, finding: impl Into<String>, cure: impl Into<String>) -> Self {
        let cure = Some(cure.into());
        Finding { result: Verdict::Warning, cure, ..Finding::sound(check, finding) }
    }

    fn failure(check: &'static str, exit: Exit, finding: impl Into<String>, cure: impl Into<String>) -> Self {
        Finding { result: Verdict::Failure, exit, ..Finding::warning(check, finding, cure) }
    }

    fn of(self, account: &str) -> Self {
        Finding { account: Some(account.to_owned()), ..self }
    }
}

/// Checks everything and tells it.
///
/// # Errors
/// What the store or the stream says.
pub async fn doctor(config: Config, out: std::sync::Arc<Output>) -> anyhow::Result<Exit> {
    let mut findings = check_configuration(&config);
    if config.store.path.exists() {
        findings.extend(check_files(&config));
        match Desk::open(config, std::sync::Arc::clone(&out)).await {
            Ok(desk) => {
                let checked = check_store(&desk, &mut findings).await;
                desk.database.close().await;
                checked?;
            }
            Err(error) => findings.push(Finding::failure(
                "store",
                Exit::of_error(&error),
                chain(error.as_ref()),
                cure_of_the_store(&error),
            )),
        }
    } else {
        findings.push(Finding::warning(
            "store",
            format!("there is none yet at {}", config.store.path.display()),
            "the first command that works with contacts makes it; accounts are checked once it is there",
        ));
    }
    tell(&findings, &out)?;
    Ok(exit(&findings))
}

fn check_configuration(config: &Config) -> Vec<Finding> {
    let accounts = many(config.accounts.len() as u64, "account");
    let mut findings = vec![Finding::sound("configuration", format!("{}: {accounts}", config.file.display()))];
    findings.extend(config.warnings.iter().map(|warning| {
        Finding::warning("configuration", warning.in_file(&config.file), "change the line, or leave it if it is meant")
    }));
    let faults = config.check_secrets();
    if faults.is_empty() {
        findings.push(Finding::sound("secrets", "every secret that the configuration names can be read"));
    }
    findings.extend(faults.into_iter().map(|fault| {
        let cure = "put the secret where the configuration says it is, readable by this user alone (mode 600)";
        Finding::failure("secrets", Exit::Config, chain(&fault), cure)
    }));
    findings
}

/// Nobody else may read the contacts or the key.
fn check_files(config: &Config) -> Vec<Finding> {
    let key = match &config.store.key {
        KeyPlace::File(path) | KeyPlace::Beside(path) => Some(path.as_path()),
        // Who may read a credential is the service manager's care.
        KeyPlace::Credential(_) => None,
    };
    let files = [Some(config.store.path.as_path()), key].into_iter().flatten().filter(|path| path.exists());
    files.map(check_file).collect()
}

fn check_file(path: &Path) -> Finding {
    let shown = path.display();
    match path.metadata() {
        Err(error) => Finding::failure(
            "permissions",
            Exit::Failed,
            format!("{shown} cannot be looked at: {error}"),
            "let this user own the file and its folder",
        ),
        Ok(meta) if meta.mode() & 0o077 != 0 => Finding::warning(
            "permissions",
            format!("others may read or write {shown} (mode {:03o})", meta.mode() & 0o777),
            format!("chmod 600 {shown}"),
        ),
        Ok(_) => Finding::sound("permissions", format!("{shown} is this user's alone")),
    }
}

async fn check_store(desk: &Desk, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let contacts = desk.store.find_contacts(&ContactQuery::default()).await.context("reading the contacts")?;
    let path = desk.config.store.path.display();
    findings.push(Finding::sound("store", format!("{path}: {}", many(contacts.len() as u64, "contact"))));
    if desk.config.accounts.is_empty() {
        findings.push(Finding::warning(
            "accounts",
            "none is configured",
            "add an [[account]] to the configuration; config/contactsync.toml shows one",
        ));
        return Ok(());
    }
    let worker = match desk.worker() {
        Ok(worker) => worker,
        Err(error) => {
            let cure = "put the former key back, or remove the file and log in to every account again";
            findings.push(Finding::failure("key", Exit::of_error(&error), chain(error.as_ref()), cure));
            return Ok(());
        }
    };
    for account in &desk.config.accounts {
        let name = account.name.as_str();
        findings.extend(account::check(account, &worker, desk).await?.into_iter().map(|finding| finding.of(name)));
    }
    Ok(())
}

fn tell(findings: &[Finding], out: &Output) -> anyhow::Result<()> {
    let count = |verdict| findings.iter().filter(|finding| finding.result == verdict).count() as u64;
    let (warnings, failures) = (count(Verdict::Warning), count(Verdict::Failure));
    if out.is_json() {
        out.json(&serde_json::json!({ "healthy": failures == 0, "findings": findings }))?;
        return Ok(());
    }
    let mut subject = None;
    for finding in findings {
        if finding.account != subject {
            subject.clone_from(&finding.account);
            out.text(&format!("\naccount {}", subject.as_deref().unwrap_or_default()))?;
        }
        let mark = match finding.result {
            Verdict::Sound => "ok  ",
            Verdict::Warning => "look",
            Verdict::Failure => "FAIL",
        };
        out.text(&format!("{mark}  {:<13} {}", finding.check, finding.finding))?;
        if let Some(cure) = &finding.cure {
            out.text(&format!("{:>6}{:<13} cure: {cure}", "", ""))?;
        }
    }
    let summary = match (failures, warnings) {
        (0, 0) => "Everything is in place.".to_owned(),
        (0, warnings) => format!("Nothing is in the way; {} to look at.", many(warnings, "thing")),
        (failures, _) => format!("{} in the way of syncing.", many(failures, "thing")),
    };
    out.text(&format!("\n{summary}"))?;
    Ok(())
}

/// The first that applies of 78, 1, 77 and 75.
fn exit(findings: &[Finding]) -> Exit {
    let order = [Exit::Config, Exit::Failed, Exit::NoConsent, Exit::TryLater];
    order.into_iter().find(|exit| findings.iter().any(|finding| finding.exit == *exit)).unwrap_or(Exit::Done)
}
/// What helps against a store that cannot be opened.
fn cure_of_the_store(error: &anyhow::Error) -> &'static str {
    let told = chain(error.as_ref());
    if told.contains("Permission denied") || told.contains("readonly") || told.contains("Read-only") {
        "let the user who runs contactsync read and write the file and its folder"
    } else {
        "put a backup in its place with `contactsync restore FILE`, or let the configuration name another one"
    }
}
