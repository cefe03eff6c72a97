//! `sandbox`: emulated remotes on loopback.

use std::net::SocketAddr;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::clock::{Clock, SystemClock};
use crate::emulator::server::{self, Server};
use crate::emulator::{Config, Emulator};

use super::exit::{Exit, UsageError};
use super::output::Output;
use super::stop;

/// The addresses of the emulated accounts; the first one is what everything that needs one account uses.
pub(super) const ACCOUNTS: [&str; 2] = ["sales@example.org", "service@example.org"];

const GIVEN: [&str; 12] = [
    "Agnieszka",
    "Bruno",
    "Chiara",
    "Dmitri",
    "Élodie",
    "Farid",
    "Greta",
    "Hiroshi",
    "Inés",
    "Jürgen",
    "Katarzyna",
    "Liam",
];
const FAMILY: [&str; 11] =
    ["Aalto", "Borg", "Castillo", "Dvořák", "Eriksen", "Fontaine", "Grabowska", "Huber", "Ionescu", "Jansen", "Köhler"];
/// How many contacts a seeded account has.
const SEEDED: u64 = 40;

/// Where the sandbox listens, and what is in it.
#[derive(Debug, Clone, clap::Args)]
pub struct SandboxArgs {
    /// Listen here; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Fill the accounts with contacts that follow from this number
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Serves until a signal comes.
///
/// # Errors
/// An address beyond loopback, or one that cannot be bound.
pub async fn sandbox(args: &SandboxArgs, out: &Output) -> anyhow::Result<Exit> {
    if !args.listen.ip().is_loopback() {
        let message = format!("the sandbox listens on loopback addresses only, not on {}", args.listen);
        return Err(UsageError(message).into());
    }
    let signalled = stop::signalled();
    let server = start(args.listen, args.seed).await?;
    let facts = facts(&server);
    if out.is_json() {
        out.json(&facts)?;
    } else {
        out.text(&introduction(&facts))?;
    }
    signalled.await;
    server.stop().await.context("stopping the sandbox")?;
    Ok(Exit::Done)
}

/// Starts an emulator behind an address.
pub(super) async fn start(listen: SocketAddr, seed: Option<u64>) -> anyhow::Result<Server> {
    let clock = std::sync::Arc::new(SystemClock);
    let mut emulator = Emulator::new(Config::new(seed.unwrap_or(1), &ACCOUNTS));
    if let Some(seed) = seed {
        fill(&mut emulator, seed).context("filling the sandbox")?;
    }
    server::serve(listen, emulator, clock).await.with_context(|| format!("cannot listen on {listen}"))
}

fn fill(emulator: &mut Emulator, seed: u64) -> anyhow::Result<()> {
    let now = SystemClock.now();
    for (place, email) in ACCOUNTS.iter().enumerate() {
        let mut user = emulator.user(email, now)?;
        for n in 0..SEEDED {
            let draw = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n * 2 + place as u64);
            let (given, family) = (pick(&GIVEN, draw), pick(&FAMILY, draw / 12));
            user.create(&json!({
                "names": [{"givenName": given, "familyName": family}],
                "emailAddresses": [{"value": format!("contact{n}.{place}@example.org"), "type": "work"}],
                "phoneNumbers": [{"value": format!("+49 30 5550{n:03}{place}"), "type": "work"}],
            }))?;
        }
    }
    Ok(())
}

fn pick<'a>(words: &[&'a str], draw: u64) -> &'a str {
    // The remainder is smaller than the number of words.
    words.get((draw % words.len() as u64) as usize).copied().unwrap_or_default()
}

/// What a client has to know, as scripts read it.
pub(super) fn facts(server: &Server) -> Value {
    let url = server.url();
    let emulator = server.emulator();
    let accounts: Vec<Value> =
        ACCOUNTS.iter().map(|email| json!({"email": email, "refresh_token": emulator.refresh_token(email)})).collect();
    let refresh_token = emulator.refresh_token(ACCOUNTS[0]);
    json!({
        "api_url": url,
        "auth_url": format!("{url}/o/oauth2/v2/auth"),
        "token_url": format!("{url}/token"),
        "revoke_url": format!("{url}/revoke"),
        "control_url": format!("{url}/control"),
        "client_id": emulator.client().id,
        "client_secret": emulator.client().secret,
        "refresh_token": refresh_token,
        "accounts": accounts,
    })
}

fn introduction(facts: &Value) -> String {
    let text = |name: &str| facts[name].as_str().unwrap_or_default();
    let mut lines = vec![
        "An emulated Google is listening. In the configuration:".to_owned(),
        String::new(),
        "[google]".to_owned(),
        format!("client_id = \"{}\"", text("client_id")),
        format!("client_secret = \"{}\"", text("client_secret")),
    ];
    for key in ["api_url", "auth_url", "token_url", "revoke_url"] {
        lines.push(format!("{key} = \"{}\"", text(key)));
    }
    lines.push(String::new());
    for account in facts["accounts"].as_array().into_iter().flatten() {
        lines.push(format!(
            "account {}: refresh token {}",
            account["email"].as_str().unwrap_or_default(),
            account["refresh_token"].as_str().unwrap_or_default()
        ));
    }
    lines.push(String::new());
    lines.push(format!("Control API: {} (see docs/sandbox.md). Ctrl-C ends it.", text("control_url")));
    lines.join("\n")
}
