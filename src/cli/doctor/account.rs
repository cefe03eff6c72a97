//! What can be wrong with one account, from its consent to its change token.
//!
//! The checks follow the way of a request: is there a consent, is it accepted, does it cover contacts, whose is it, is
//! the API switched on, are the groups there. What cannot be reached ends the way; what is known without asking (budget,
//! token, last run) is told in any case.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret as _;

use crate::config::{Account, GrantSource, PairWish};
use crate::daemon::worker::Worker;
use crate::daemon::{lease, selection};
use crate::domain::account::AccountState;
use crate::domain::normal;
use crate::domain::pair::MissingGroup;
use crate::domain::time::Timestamp;
use crate::engine::chain;
use crate::remotes::consent::OnlyOnce;
use crate::remotes::google::Google;
use crate::remotes::oauth::{GrantError, GrantStore as _};
use crate::remotes::{Group, Presence, Remote as _, RemoteError};

use super::{Desk, Exit, Finding};
use crate::cli::output::many;
use crate::cli::status::span;

/// Clocks that differ by more than this make `newest` decide by chance.
const SKEW_WORTH_A_LOOK: Duration = Duration::from_secs(60);
/// Tokens and consent pages are refused when clocks differ by more than this.
const SKEW_IN_THE_WAY: Duration = Duration::from_secs(5 * 60);
/// A change token dies seven days after the listing it descends from.
const TOKEN_OLD: Duration = Duration::from_secs(6 * 24 * 3600);
/// So many times the distance of two runs without a good one are worth a look.
const INTERVALS_MISSED: u32 = 3;

/// Checks one account.
///
/// # Errors
/// What the store says.
pub(super) async fn check(account: &Account, worker: &Worker, desk: &Desk) -> anyhow::Result<Vec<Finding>> {
    let name = &account.name;
    let state = desk.store.account(name).await.context("reading the account's state")?;
    let state = state.unwrap_or_else(|| AccountState::new(name.clone()));
    let mut findings = Vec::new();
    if !account.enabled {
        let cure = format!("set enabled = true for account {name} when it is to go on");
        findings.push(Finding::warning("account", "it is paused; nothing is synchronized or deleted", cure));
        return Ok(findings);
    }
    if let Some(google) = reach(account, worker, &mut findings).await {
        ask(account, &google, &state, &mut findings).await;
    }
    let now = desk.clock.now();
    findings.push(check_quota(&state, now));
    findings.push(check_token(&state, now));
    findings.push(check_last_run(account, &state, now));
    findings.extend(check_filters(account, desk).await);
    let holder = desk.store.lease_holder(name, now).await.context("reading the account's lease")?;
    if let Some((holder, _)) = holder.filter(|(holder, _)| !lease::is_dead(holder)) {
        findings.push(Finding::sound("lease", format!("worked on by {}", lease::described(&holder))));
    }
    Ok(findings)
}

/// Whether every filter that selects for a pair is there and can be read.
async fn check_filters(account: &Account, desk: &Desk) -> Option<Finding> {
    if account.pairs.iter().all(|wish| wish.filter.is_none()) {
        return None;
    }
    Some(match selection::promise(account, &*desk.store).await {
        Ok(_) => Finding::sound("filters", "the filters of the pairs are there"),
        Err(missing) => {
            let exit = if missing.fault.is_some() { Exit::Config } else { Exit::TryLater };
            Finding::failure("filters", exit, missing.sentence, "contactsync filter list")
        }
    })
}

/// A client with a token that was accepted; `None` when the way ends before.
async fn reach(account: &Account, worker: &Worker, findings: &mut Vec<Finding>) -> Option<Arc<Google>> {
    let name = &account.name;
    if matches!(account.grant, GrantSource::ServiceAccount(_)) {
        // Its token is asked for with the first call.
        return match worker.client_of(account) {
            Ok(google) => Some(google),
            Err(error) => {
                let cure = "let service_account_file name the key file that Google Cloud made for the service account";
                findings.push(Finding::failure("grant", Exit::Config, error, cure));
                None
            }
        };
    }
    let login = format!("contactsync login {name}");
    let vault = worker.vault(account);
    let token = match vault.load().await {
        Ok(Some(token)) => token,
        Ok(None) => {
            findings.push(Finding::failure("grant", Exit::NoConsent, "nobody has consented yet", login));
            return None;
        }
        Err(error @ GrantError::Sealed { .. }) => {
            findings.push(Finding::failure("grant", Exit::NoConsent, chain(&error), login));
            return None;
        }
        Err(error) => {
            let (told, cure) = (chain(&error), "let this user read the store and the files that the account names");
            let exit = Exit::of_error(&error.into());
            let exit = if exit == Exit::Failed { Exit::TryLater } else { exit };
            findings.push(Finding::failure("grant", exit, told, cure));
            return None;
        }
    };
    let client = match worker.consent_client(account) {
        Ok(client) => client,
        Err(error) => {
            findings.push(Finding::failure("grant", Exit::Config, error, "check client_id and client_secret"));
            return None;
        }
    };
    let consent = match client.check(token.clone()).await {
        Ok(consent) => consent,
        Err(error) => {
            findings.push(refused("grant", account, &error));
            return None;
        }
    };
    // Where every refresh brings another refresh token, the old one is dead now.
    if consent.refresh_token.expose_secret() != token.expose_secret()
        && let Err(error) = vault.save(&consent.refresh_token).await
    {
        findings.push(Finding::failure("grant", Exit::Failed, chain(&error), "let this user write the store"));
    }
    if !consent.covers_contacts() {
        let cure = format!("{login}, and leave the box for contacts ticked");
        findings.push(Finding::failure("scopes", Exit::NoConsent, "the consent does not cover contacts", cure));
        return None;
    }
    findings.push(Finding::sound("grant", "the consent is accepted and covers contacts"));
    match worker.client_with(account, Arc::new(OnlyOnce(consent.access))) {
        Ok(google) => Some(Arc::new(google)),
        Err(error) => {
            findings.push(Finding::failure("fields", Exit::Config, error, "correct [account.fields]"));
            None
        }
    }
}

/// What only the API itself can tell.
async fn ask(account: &Account, google: &Google, state: &AccountState, findings: &mut Vec<Finding>) {
    let user = match google.user().await {
        Ok(user) => user,
        Err(error) => return findings.push(refused("reachability", account, &error)),
    };
    findings.push(match &user.email {
        Some(email) if !email.eq_ignore_ascii_case(&account.email) => Finding::failure(
            "user",
            Exit::NoConsent,
            format!("the consent was given by {email}, and the account is that of {}", account.email),
            format!("contactsync login {}, as {}", account.name, account.email),
        ),
        Some(email) => Finding::sound("user", email.clone()),
        None => Finding::warning(
            "user",
            format!("Google does not tell whose account it is; it is taken to be that of {}", account.email),
            format!("contactsync login {} lets Google tell", account.name),
        ),
    });
    match groups(google).await {
        Ok(groups) => {
            findings.push(Finding::sound("API", "the People API answers"));
            findings.extend(check_groups(account, state, &groups));
        }
        Err(error) => findings.push(refused("API", account, &error)),
    }
    findings.extend(google.clock_ahead_ms().map(check_clock));
}

async fn groups(google: &Google) -> Result<Vec<Group>, RemoteError> {
    let (mut groups, mut next) = (Vec::new(), None);
    loop {
        let page = google.list_groups(next.as_deref()).await?;
        groups.extend(page.groups);
        next = page.next_page;
        if next.is_none() {
            return Ok(groups);
        }
    }
}

fn check_groups(account: &Account, state: &AccountState, groups: &[Group]) -> Vec<Finding> {
    let there = |group: &&Group| group.presence == Presence::Present;
    account
        .pairs
        .iter()
        .map(|PairWish { pair, .. }| {
            let wanted = normal::text(&pair.group).to_lowercase();
            let known = state.pair_groups.iter().find(|known| known.configured == pair.group);
            let by_id = |group: &&Group| known.is_some_and(|known| known.group == group.id);
            let by_name = |group: &&Group| normal::text(&group.name).to_lowercase() == wanted;
            let found = groups.iter().filter(there).find(by_id).or_else(|| groups.iter().filter(there).find(by_name));
            let name = &pair.group;
            match (found, known) {
                (Some(group), _) if by_name(&group) => {
                    Finding::sound("group", format!("{name:?} is there, with {}", many(group.members, "member")))
                }
                (Some(group), _) => Finding::sound(
                    "group",
                    format!("{name:?} is called {:?} in Google now; it is followed", group.name),
                ),
                (None, Some(_)) => Finding::failure(
                    "group",
                    Exit::Failed,
                    format!("{name:?} was deleted in Google; its pair waits"),
                    format!("make a group {name:?} in Google, or remove the pair"),
                ),
                (None, None) if pair.missing_group == MissingGroup::Report => Finding::failure(
                    "group",
                    Exit::Failed,
                    format!("there is no group {name:?}, and create_group is false"),
                    format!("make a group {name:?} in Google, or set create_group = true"),
                ),
                (None, None) => Finding::sound("group", format!("{name:?} is not there yet; the first run makes it")),
            }
        })
        .collect()
}

fn check_clock(ahead_ms: i64) -> Finding {
    let skew = Duration::from_millis(ahead_ms.unsigned_abs());
    let told = match ahead_ms {
        0 => "shows the same time as Google's".to_owned(),
        1.. => format!("is {} behind Google's", span(skew)),
        ..0 => format!("is {} ahead of Google's", span(skew)),
    };
    let cure = "set the time, best by a time service: timedatectl set-ntp true";
    match skew {
        skew if skew > SKEW_IN_THE_WAY => Finding::failure("clock", Exit::Failed, told, cure),
        skew if skew > SKEW_WORTH_A_LOOK => Finding::warning("clock", told, cure),
        _ => Finding::sound("clock", told),
    }
}

fn check_quota(state: &AccountState, now: Timestamp) -> Finding {
    let Some(budget) = &state.budget else {
        return Finding::sound("quota", "nothing has been spent yet");
    };
    let pause = budget.writes.paused_until.since(now).max(budget.reads.paused_until.since(now));
    if pause > Duration::ZERO {
        let told = format!("Google refused to do more for now; it is tried again in {}", span(pause));
        return Finding::warning("quota", told, "wait; nothing is lost meanwhile");
    }
    let per_minute = |units: u64| units / 1000;
    if budget.writes.is_slowed_down() || budget.reads.is_slowed_down() {
        let told = format!(
            "slowed down to {} reads and {} writes a minute, since Google refused some",
            per_minute(budget.reads.per_minute),
            per_minute(budget.writes.per_minute)
        );
        return Finding::warning("quota", told, "it recovers by itself; other programs may use the same OAuth client");
    }
    let (reads, writes) = (per_minute(budget.reads.per_minute), per_minute(budget.writes.per_minute));
    Finding::sound("quota", format!("{reads} reads and {writes} writes a minute, none refused"))
}

fn check_token(state: &AccountState, now: Timestamp) -> Finding {
    match state.contacts.as_ref().map(|cursor| now.since(cursor.lineage)) {
        None => Finding::sound("token", "there is none: the next run lists everything"),
        Some(age) if age > TOKEN_OLD => Finding::warning(
            "token",
            format!("it is {} old and dies after 7 days", span(age)),
            "let the daemon run, or run `contactsync sync`; everything is listed then",
        ),
        Some(age) => Finding::sound("token", format!("it is {} old, of 7 days", span(age))),
    }
}

fn check_last_run(account: &Account, state: &AccountState, now: Timestamp) -> Finding {
    const CURE: &str = "`contactsync status` tells why; `contactsync sync` tries at once";
    let told = |since: Timestamp| format!("both sides were proven equal {} ago", span(now.since(since)));
    let Some(proven) = state.proven_equal else {
        let cure = "contactsync plan shows what a first sync would do";
        return Finding::warning("last run", "both sides have never been proven equal", cure);
    };
    let next = account.schedule.next_after(now);
    let interval = next.and_then(|next| Some(account.schedule.next_after(next)?.since(next)));
    match interval {
        Some(interval) if now.since(proven) > interval.saturating_mul(INTERVALS_MISSED) => {
            Finding::warning("last run", told(proven), CURE)
        }
        _ => Finding::sound("last run", told(proven)),
    }
}

/// What an error of the remote means for a check.
fn refused(check: &'static str, account: &Account, error: &RemoteError) -> Finding {
    let told = chain(error);
    match error {
        RemoteError::NoConsent { .. } | RemoteError::AnotherUser { .. } => {
            Finding::failure(check, Exit::NoConsent, told, format!("contactsync login {}", account.name))
        }
        RemoteError::NotSetUp { .. } => Finding::failure(
            check,
            Exit::Config,
            told,
            "put [google] right, or the project of the OAuth client in the Google Cloud console",
        ),
        RemoteError::Unreachable { .. } | RemoteError::Lost { .. } => Finding::failure(
            check,
            Exit::TryLater,
            told,
            "check the network, a proxy, and api_url, token_url and auth_url in [google]",
        ),
        RemoteError::RateLimited { .. } => Finding::failure(check, Exit::TryLater, told, "wait some minutes"),
        _ => Finding::failure(check, Exit::Failed, told, "what Google says names the cause"),
    }
}
