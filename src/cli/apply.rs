//! `apply`: carries out a plan that a person has seen, and only that.
//!
//! The plan is made again first. When it does not come out the same, somebody has changed something since, and nothing is
//! done at all. What comes up between that look and the run itself is left for the next run. What the plan lists counts
//! as approved; what it shows as parked stays parked.

use std::collections::BTreeMap;

use anyhow::Context as _;

use crate::daemon::worker::{Finished, Job, was_stopped};
use crate::engine::{Licence, Purpose, Seen};

use super::desk::Desk;
use super::exit::Exit;
use super::plan::{self, plan_id};
use super::plan_id::PlanId;
use super::progress::Bar;
use super::stop;
use super::sync::{self, chosen, ended};

/// What to carry out.
#[derive(Debug, Clone, clap::Args)]
pub struct ApplyArgs {
    /// The id that `contactsync plan` ended with
    #[arg(value_name = "PLAN")]
    pub plan: PlanId,
}

/// Somebody has changed something since the plan was made.
#[derive(Debug, thiserror::Error)]
#[error(
    "the world has moved since plan {0} was made, and nothing was written; `contactsync plan` shows what would be done now"
)]
pub struct Outdated(PlanId);

/// Carries out a plan and answers with the run that did.
///
/// # Errors
/// [`Outdated`] when the plan does not come out the same any more; then nothing was written. And as `sync`.
pub async fn apply(args: &ApplyArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let PlanId { account, reach, .. } = &args.plan;
    let accounts = chosen(desk, account.as_deref())?;
    desk.check_secrets()?;
    let look = Job { accounts: accounts.clone(), reach: *reach, purpose: Purpose::Preview, licences: BTreeMap::new() };
    let stop = stop::on_signals();
    let seen = plan::preview(desk, look, &stop).await?;
    if seen.record.accounts.iter().any(was_stopped) {
        return Ok(ended(&seen, &stop, desk));
    }
    if plan_id(&seen, account.as_deref(), *reach) != args.plan {
        return refuse(&args.plan, &seen, desk);
    }
    let licences =
        seen.operations.iter().map(|(name, list)| (name.clone(), Licence::Planned(Seen::of(list)))).collect();
    let worker = desk.worker()?;
    let finished = {
        let bar = Bar::new(&desk.out, "carrying out");
        let job = Job { accounts, reach: *reach, purpose: Purpose::Carry, licences };
        worker.run(job, &bar, &stop).await.context("recording the run")?
    };
    sync::answer(desk, &finished)?;
    Ok(ended(&finished, &stop, desk))
}

/// Nothing was written: an account could not be looked at, or something has changed since.
fn refuse(plan: &PlanId, seen: &Finished, desk: &Desk) -> anyhow::Result<Exit> {
    let mut broken = Vec::new();
    for account in seen.record.accounts.iter().filter(|account| account.error.is_some()) {
        let error = account.error.as_deref().unwrap_or_default();
        desk.out.warn(&format!("{}: {error}", account.account));
        broken.push(account);
    }
    match Exit::of_accounts(broken) {
        Exit::Done => Err(Outdated(plan.clone()).into()),
        exit => {
            desk.out.warn(&format!("whether plan {plan} still holds is not known, and nothing was written"));
            Ok(exit)
        }
    }
}
