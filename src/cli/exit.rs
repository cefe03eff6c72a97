//! Every exit code, with its meaning, and which one an error or a run leads to.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::apply::Outdated;
use crate::config::{ConfigError, SecretError};
use crate::contacts::answer::AnswerError;
use crate::contacts::edit::EditError;
use crate::contacts::entries::EntryError;
use crate::contacts::patch::PatchError;
use crate::daemon::service::ServiceError;
use crate::domain::account::Outcome;
use crate::domain::run::{AccountSummary, Fault};
use crate::engine::EngineError;
use crate::remotes::oauth::GrantError;
use crate::remotes::{Recovery, RemoteError};
use crate::store::StoreError;
use crate::store::grant::GrantError as SealError;
use crate::web::PasswordError;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or stopped on request.
    Done = 0,
    /// Unexpected failure.
    Failed = 1,
    /// Wrong usage: an argument that means nothing, a contact that is not there, a patch that is refused.
    Usage = 2,
    /// Finished, but records failed, conflicts wait or a guard parked work; or nothing was begun, because the plan to be
    /// applied is out of date.
    Unfinished = 3,
    /// Try again later: the remote or the database cannot be reached, or another process holds the lease.
    TryLater = 75,
    /// Consent is missing or was withdrawn.
    NoConsent = 77,
    /// The configuration is missing or invalid, or what it says of the access to Google is not accepted there.
    Config = 78,
}

/// What the command line asks for cannot be done as it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// What it means that a file which the command line names cannot be read or written. A path that leads nowhere is wrong
/// usage; a disk that fails is not.
pub fn named_file(doing: &'static str, path: &Path, error: io::Error) -> anyhow::Error {
    use io::ErrorKind::{
        AlreadyExists, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem,
    };
    let text = format!("cannot {doing} {}", path.display());
    match error.kind() {
        NotFound | AlreadyExists | IsADirectory | NotADirectory | PermissionDenied | ReadOnlyFilesystem
        | InvalidInput => UsageError(format!("{text}: {error}")).into(),
        _ => anyhow::Error::new(error).context(text),
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl Exit {
    /// What an error means. The first cause in the chain that has a meaning of its own decides; a reader that closed
    /// its end of our output wants no more, and that is no failure.
    pub fn of_error(error: &anyhow::Error) -> Exit {
        error.chain().find_map(meaning).unwrap_or(Exit::Failed)
    }

    /// What a run over several accounts means: the first that applies of 1, 78, 77, 3 and 75.
    pub fn of_accounts<'a>(accounts: impl IntoIterator<Item = &'a AccountSummary>) -> Exit {
        let exits: Vec<Exit> = accounts.into_iter().map(Exit::of_account).collect();
        let order = [Exit::Failed, Exit::Config, Exit::NoConsent, Exit::Unfinished, Exit::TryLater];
        order.into_iter().find(|exit| exits.contains(exit)).unwrap_or(Exit::Done)
    }

    fn of_account(account: &AccountSummary) -> Exit {
        match account.outcome {
            Outcome::Failed if account.fault == Some(Fault::Setup) => Exit::Config,
            Outcome::Failed => Exit::Failed,
            Outcome::NoConsent => Exit::NoConsent,
            Outcome::Parked => Exit::Unfinished,
            Outcome::Unreachable => Exit::TryLater,
            Outcome::Done if account.parked > 0 || !account.failed.is_empty() => Exit::Unfinished,
            Outcome::Done => Exit::Done,
        }
    }
}

fn meaning(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if let Some(error) = cause.downcast_ref::<std::io::Error>() {
        return (error.kind() == std::io::ErrorKind::BrokenPipe).then_some(Exit::Done);
    }
    if cause.is::<UsageError>() || cause.is::<PatchError>() {
        return Some(Exit::Usage);
    }
    if let Some(ServiceError::ServedElsewhere { .. }) = cause.downcast_ref::<ServiceError>() {
        return Some(Exit::TryLater);
    }
    if cause.is::<Outdated>() {
        return Some(Exit::Unfinished);
    }
    if cause.is::<ConfigError>() || cause.is::<SecretError>() || cause.is::<PasswordError>() {
        return Some(Exit::Config);
    }
    if let Some(error) = cause.downcast_ref::<SealError>() {
        return Some(match error {
            SealError::KeyFile { .. } | SealError::KeyExposed { .. } | SealError::KeyMalformed { .. } => Exit::Config,
            SealError::OtherKey { .. } | SealError::Damaged { .. } => Exit::NoConsent,
        });
    }
    if let Some(GrantError::Sealed { .. }) = cause.downcast_ref::<GrantError>() {
        return Some(Exit::NoConsent);
    }
    if let Some(error) = cause.downcast_ref::<EditError>() {
        return match error {
            EditError::NotFound { .. }
            | EditError::Deleted { .. }
            | EditError::Patch(_)
            | EditError::Custom(_)
            | EditError::Same { .. }
            | EditError::NothingToTake { .. }
            | EditError::Value(_) => Some(Exit::Usage),
            EditError::Store(_) => None,
        };
    }
    if let Some(error) = cause.downcast_ref::<EntryError>() {
        return match error {
            EntryError::NotFound { .. }
            | EntryError::Deleted { .. }
            | EntryError::Rule(_)
            | EntryError::Custom(_)
            | EntryError::Contradiction(_) => Some(Exit::Usage),
            EntryError::Store(StoreError::Taken { .. }) => Some(Exit::Usage),
            EntryError::Contact(EditError::Store(_)) | EntryError::Store(_) => None,
            EntryError::Contact(_) => Some(Exit::Usage),
        };
    }
    if let Some(error) = cause.downcast_ref::<AnswerError>() {
        return match error {
            AnswerError::NoContact(_)
            | AnswerError::Deleted(_)
            | AnswerError::Linked { .. }
            | AnswerError::ContactTaken { .. }
            | AnswerError::RecordTaken { .. } => Some(Exit::Usage),
            AnswerError::Store(_) => None,
        };
    }
    if let Some(error) = cause.downcast_ref::<EngineError>() {
        if error.fault() == Some(Fault::Setup) {
            return Some(Exit::Config);
        }
        return Some(match error.outcome() {
            Outcome::NoConsent => Exit::NoConsent,
            Outcome::Unreachable => Exit::TryLater,
            Outcome::Done | Outcome::Parked | Outcome::Failed => Exit::Failed,
        });
    }
    if let Some(error) = cause.downcast_ref::<RemoteError>() {
        return Some(match error.recovery() {
            Recovery::AskConsent => Exit::NoConsent,
            Recovery::GiveUp => Exit::Failed,
            Recovery::SetUp => Exit::Config,
            _ => Exit::TryLater,
        });
    }
    match cause.downcast_ref::<StoreError>()? {
        StoreError::Unavailable { .. }
        | StoreError::LeaseLost { .. }
        | StoreError::Moved { .. }
        | StoreError::EntryMoved { .. } => Some(Exit::TryLater),
        StoreError::Unusable { .. }
        | StoreError::Inconsistent { .. }
        | StoreError::Taken { .. }
        | StoreError::TooNew { .. } => Some(Exit::Failed),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;
    use crate::domain::id::AccountName;
    use crate::domain::run::Failure;

    fn summary(outcome: Outcome) -> AccountSummary {
        AccountSummary { outcome, ..AccountSummary::new(AccountName::new("a")) }
    }

    #[test]
    fn the_first_that_applies_of_several_accounts_decides() {
        for (outcomes, expected) in [
            (vec![], 0),
            (vec![Outcome::Done, Outcome::Done], 0),
            (vec![Outcome::Unreachable, Outcome::Done], 75),
            (vec![Outcome::Unreachable, Outcome::Parked], 3),
            (vec![Outcome::Parked, Outcome::NoConsent], 77),
            (vec![Outcome::NoConsent, Outcome::Failed, Outcome::Parked], 1),
        ] {
            let accounts: Vec<AccountSummary> = outcomes.iter().copied().map(summary).collect();
            assert_eq!(Exit::of_accounts(&accounts) as u8, expected, "{outcomes:?}");
        }
    }

    #[test]
    fn an_oauth_client_that_is_not_set_up_is_a_matter_of_configuration() {
        let unset = AccountSummary { fault: Some(Fault::Setup), ..summary(Outcome::Failed) };
        assert_eq!(Exit::of_accounts(&[summary(Outcome::NoConsent), unset.clone()]), Exit::Config);
        assert_eq!(Exit::of_accounts(&[summary(Outcome::Failed), unset]), Exit::Failed);
    }

    #[test]
    fn refused_records_leave_a_run_unfinished() {
        let failed = vec![Failure { contact: "c".into(), reason: "refused".into() }];
        assert_eq!(Exit::of_accounts(&[AccountSummary { failed, ..summary(Outcome::Done) }]), Exit::Unfinished);
    }

    #[test]
    fn the_cause_in_the_chain_decides() {
        let unavailable = StoreError::Unavailable { doing: "opening it", cause: "locked".into() };
        let missing = ConfigError::Missing { looked_for: Vec::new() };
        let pipe = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        for (error, expected) in [
            (anyhow::anyhow!("anything"), Exit::Failed),
            (anyhow::Error::new(unavailable).context("listing persons"), Exit::TryLater),
            (anyhow::Error::new(missing), Exit::Config),
            (anyhow::Error::new(UsageError("no".into())), Exit::Usage),
            (anyhow::Error::new(EditError::Patch(PatchError::NotAnObject)), Exit::Usage),
            (anyhow::Error::new(RemoteError::NotSetUp { reason: "wrong secret".into() }), Exit::Config),
            (anyhow::Error::new(RemoteError::NoConsent { reason: "revoked".into() }), Exit::NoConsent),
            (Err::<(), _>(pipe).context("writing").expect_err("a broken pipe"), Exit::Done),
        ] {
            assert_eq!(Exit::of_error(&error), expected, "{error:#}");
        }
    }
}
