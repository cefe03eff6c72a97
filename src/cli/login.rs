//! `login` and `logout`: a user's consent to the synchronization of an account, and its end.
//!
//! The consent is asked for in the browser; a refresh token from a file is taken for machines without one. Either way it
//! is tried at once and stored only when it is what the account needs: the consent of the configured user, to reading and
//! writing contacts.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::mpsc;
use url::Url;

use crate::config::{Account, At, GrantSource, Position, Secret, SecretSource};
use crate::daemon::worker::Worker;
use crate::domain::account::Outcome;
use crate::engine::chain;
use crate::remotes::consent::{Answer, Consent, ConsentClient, OnlyOnce, Question, Revoked};
use crate::remotes::oauth::GrantStore as _;
use crate::remotes::{Remote as _, RemoteError};
use crate::store::{Commit, Write};

use super::callback::{Callback, Visit};
use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::{stop, sync};

/// How long a question stays open.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Whose consent, and how it comes.
#[derive(Debug, Clone, clap::Args)]
pub struct LoginArgs {
    /// The account, by its name in the configuration
    #[arg(value_name = "ACCOUNT")]
    pub account: String,

    /// Take the refresh token in this file instead of asking in a browser; only its owner may be able to read it
    #[arg(long, value_name = "FILE")]
    pub refresh_token_file: Option<PathBuf>,

    /// Print the address to open, and open no browser
    #[arg(long, conflicts_with = "refresh_token_file")]
    pub no_browser: bool,
}

/// Whose consent ends.
#[derive(Debug, Clone, clap::Args)]
pub struct LogoutArgs {
    /// The account, by its name in the configuration
    #[arg(value_name = "ACCOUNT")]
    pub account: String,
}

#[derive(Serialize)]
struct LoggedIn<'a> {
    account: &'a str,
    email: Option<&'a str>,
    scopes: &'a [String],
}

#[derive(Serialize)]
struct LoggedOut<'a> {
    account: &'a str,
    revoked: bool,
}

/// Asks for consent and stores it.
///
/// # Errors
/// A consent that was refused, is somebody else's or does not cover contacts; then nothing is stored.
pub async fn login(args: &LoginArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let account = account_of(desk, &args.account)?;
    let worker = desk.worker()?;
    let client = worker.consent_client(account).map_err(anyhow::Error::msg)?;
    match &args.refresh_token_file {
        Some(path) => {
            let token = read_token(path.clone())?;
            let consent = client.check(token).await.context("trying the refresh token")?;
            let user = accept(&consent, account, &worker, desk).await?;
            keep(&consent, user.as_deref(), account, &worker, desk).await?;
        }
        None => ask(args, account, &client, &worker, desk).await?,
    }
    Ok(Exit::Done)
}

/// Gives the consent of an account back and forgets it.
///
/// # Errors
/// When the server cannot be reached; then the consent is kept.
pub async fn logout(args: &LogoutArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let account = account_of(desk, &args.account)?;
    let worker = desk.worker()?;
    let vault = worker.vault(account);
    let Some(token) = vault.load().await.context("reading the grant")? else {
        desk.out.remark(&format!("account {} has no consent to give back", account.name));
        return answer_logout(account, desk, Revoked::Before);
    };
    let client = worker.consent_client(account).map_err(anyhow::Error::msg)?;
    let revoked = client.revoke(&token).await.context("giving the consent back; it is kept")?;
    vault.forget().await?;
    if let GrantSource::RefreshToken(Secret { source: SecretSource::File(path), .. }) = &account.grant {
        desk.out.warn(&format!(
            "the configuration still names {}, which is worth nothing any more; delete it, or put a new token there",
            path.display()
        ));
    }
    answer_logout(account, desk, revoked)
}

fn answer_logout(account: &Account, desk: &Desk, revoked: Revoked) -> anyhow::Result<Exit> {
    let name = account.name.as_str();
    if desk.out.is_json() {
        desk.out.json(&LoggedOut { account: name, revoked: revoked == Revoked::Now })?;
        return Ok(Exit::Done);
    }
    desk.out.text(match revoked {
        Revoked::Now => "The consent is given back, and forgotten here. No contact is changed anywhere.",
        Revoked::Before => "There is no consent any more. No contact is changed anywhere.",
    })?;
    Ok(Exit::Done)
}

fn account_of<'d>(desk: &'d Desk, name: &str) -> anyhow::Result<&'d Account> {
    let account = sync::account_called(desk, name)?;
    if let GrantSource::ServiceAccount(_) = account.grant {
        let text = format!("account {name} is a service account: it proves itself with its key, and nobody logs in");
        return Err(UsageError(text).into());
    }
    Ok(account)
}

/// The secret in a file that the command line names, which its owner alone may read.
fn read_token(path: PathBuf) -> anyhow::Result<SecretString> {
    let at = At { file: path.clone(), position: Position { line: 1, column: 1 } };
    let place = format!("{at}: ");
    let secret = Secret { key: "--refresh-token-file", at, source: SecretSource::File(path) };
    secret.read().map_err(|error| {
        // It stands at no place of a configuration.
        let text = chain(&error);
        UsageError(text.strip_prefix(&place).unwrap_or(&text).to_owned()).into()
    })
}

/// Asks in the browser, and tells the browser what came of it.
async fn ask(
    args: &LoginArgs,
    account: &Account,
    client: &ConsentClient,
    worker: &Worker,
    desk: &Desk,
) -> anyhow::Result<()> {
    let mut callback = Callback::listen().await.context("listening for the answer of the consent page")?;
    let question = client.question(callback.url(), &account.email).context("the address of the consent page")?;
    let stopped = stop::signalled();
    invite(args, account, &question.url, desk);
    let (answer, visit) = tokio::select! {
        answered = wait_for_answer(&mut callback, &question, desk) => answered,
        () = desk.clock.sleep(PATIENCE) => bail!(no_consent("nobody answered within 15 minutes; nothing has changed")),
        () = stopped => {
            desk.out.remark("the question is taken back; nothing has changed");
            return Ok(());
        }
    };
    let ended = match answer {
        Answer::Code(code) => take(question, code, account, client, worker, desk).await,
        Answer::Refused(error) => Err(no_consent(&refusal(&error)).into()),
        Answer::Foreign => Err(no_consent("the page for the answer was closed").into()),
    };
    if let Some(visit) = visit {
        match &ended {
            Ok(()) => visit.welcome("The account is connected. You can close this window."),
            Err(error) => visit.refuse(&format!("The account is not connected: {error:#}.")),
        }
    }
    callback.close().await;
    ended
}

/// Tells the user where to go, and goes there when there is a browser.
fn invite(args: &LoginArgs, account: &Account, url: &Url, desk: &Desk) {
    desk.out.ask(&format!(
        "Open this address in a browser, choose {} and agree to the access to contacts (Ctrl-C gives up):\n\n{url}\n",
        account.email
    ));
    if std::io::stdin().is_terminal() {
        desk.out.ask(
            "A browser on another machine ends at a page that cannot be shown: paste the address of that page here.",
        );
    }
    if !args.no_browser && has_desktop() {
        open_browser(url, desk);
    }
}

fn has_desktop() -> bool {
    cfg!(target_os = "macos") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some())
}

fn open_browser(url: &Url, desk: &Desk) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let started = Command::new(program)
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        desk.out.remark(&format!("{program} could not be started ({error}); open the address yourself"));
    }
}

/// The answer to a question, from the browser or from the terminal, and who waits for a page.
async fn wait_for_answer(callback: &mut Callback, question: &Question, desk: &Desk) -> (Answer, Option<Visit>) {
    let mut pasted = pasted_lines();
    let mut is_typing = true;
    loop {
        tokio::select! {
            visit = callback.visit() => {
                let Some(visit) = visit else { return (Answer::Foreign, None) };
                match question.answer(&visit.query) {
                    Answer::Foreign => visit.refuse("This is not the answer that is waited for."),
                    answer => return (answer, Some(visit)),
                }
            }
            line = pasted.recv(), if is_typing => match line {
                None => is_typing = false,
                Some(line) if line.trim().is_empty() => {}
                Some(line) => {
                    let url = Url::parse(line.trim()).ok();
                    let query = url.as_ref().and_then(|url| url.query()).unwrap_or_default();
                    match question.answer(query) {
                        Answer::Foreign => desk.out.ask("This is not the address that is waited for; paste it once more."),
                        answer => return (answer, None),
                    }
                }
            },
        }
    }
}

/// What somebody types, line by line; nothing without a terminal.
fn pasted_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    if std::io::stdin().is_terminal() {
        // A thread of its own: reading a terminal cannot be called off, and must not hold up the end of the program.
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
    }
    lines
}

fn refusal(error: &str) -> String {
    match error {
        "access_denied" => "the access was denied at the consent page".to_owned(),
        "admin_policy_enforced" => "the administrator of the domain does not allow this application".to_owned(),
        other => format!("the consent page refuses ({other})"),
    }
}

/// Exchanges the code, checks what it is worth, and stores it.
async fn take(
    question: Question,
    code: String,
    account: &Account,
    client: &ConsentClient,
    worker: &Worker,
    desk: &Desk,
) -> anyhow::Result<()> {
    let consent = client.redeem(question, code).await.context("exchanging the answer for a grant")?;
    let user = accept(&consent, account, worker, desk).await?;
    keep(&consent, user.as_deref(), account, worker, desk).await
}

/// Checks that a consent covers contacts and is that of the configured user; returns the address of that one, if it was
/// told. What is not accepted is dropped and not given back: giving back ends every grant of that user, and an account
/// that works may live by another one.
async fn accept(consent: &Consent, account: &Account, worker: &Worker, desk: &Desk) -> anyhow::Result<Option<String>> {
    if !consent.covers_contacts() {
        bail!(no_consent(&format!(
            "the consent does not cover contacts; run `contactsync login {}` again and leave the box for contacts ticked",
            account.name
        )));
    }
    let source = Arc::new(OnlyOnce(consent.access.clone()));
    let google = worker.client_with(account, source).map_err(anyhow::Error::msg)?;
    let user = google.user().await.context("asking whose consent it is")?;
    match &user.email {
        Some(email) if !email.eq_ignore_ascii_case(&account.email) => bail!(no_consent(&format!(
            "this is the consent of {email}, and account {} is that of {}; nothing is stored",
            account.name, account.email
        ))),
        Some(_) => {}
        None => desk
            .out
            .warn(&format!("Google does not tell whose consent this is; it is taken to be that of {}", account.email)),
    }
    Ok(user.email)
}

async fn keep(
    consent: &Consent,
    user: Option<&str>,
    account: &Account,
    worker: &Worker,
    desk: &Desk,
) -> anyhow::Result<()> {
    worker.vault(account).save(&consent.refresh_token).await?;
    forget_refusal(account, desk).await?;
    let name = account.name.as_str();
    if desk.out.is_json() {
        let scopes = consent.scopes.as_deref().unwrap_or_default();
        desk.out.json(&LoggedIn { account: name, email: user, scopes })?;
        return Ok(());
    }
    desk.out.text(&format!("{} has consented: account {name} is connected.", user.unwrap_or(&account.email)))?;
    desk.out.remark(&format!(
        "`contactsync plan --account {name}` shows what a sync would do; a daemon goes on with its next run."
    ));
    Ok(())
}

/// What the last run said about a consent that was missing is true no more.
async fn forget_refusal(account: &Account, desk: &Desk) -> anyhow::Result<()> {
    let state = desk.store.account(&account.name).await.context("reading the account's state")?;
    let Some(mut state) = state.filter(|state| state.last_outcome == Some(Outcome::NoConsent)) else { return Ok(()) };
    (state.last_outcome, state.last_error) = (None, None);
    let commit = Commit { fence: None, writes: vec![Write::Account(Box::new(state))] };
    desk.store.commit(commit).await.context("recording the account's state")?;
    Ok(())
}

fn no_consent(reason: &str) -> RemoteError {
    RemoteError::NoConsent { reason: reason.to_owned() }
}
