//! What ends a run early. What concerns one contact never does: it becomes an entry of the summary.

use crate::domain::account::Outcome;
use crate::domain::run::Fault;
use crate::remotes::{Recovery, RemoteError};
use crate::store::StoreError;

/// Why a run of an account broke off.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error("the store failed while {doing}")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: StoreError,
    },
    /// The remote failed.
    #[error("the remote failed while {doing}")]
    Remote {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: RemoteError,
    },
    /// The grant belongs to another user than before, or than configured.
    #[error(
        "the consent was given by {found}, but the account belongs to {expected}; run `contactsync login` again as that user"
    )]
    AnotherUser {
        /// Who consented.
        found: String,
        /// Who should have.
        expected: String,
    },
    /// A group of a pair is missing and must not be created.
    #[error("group {group:?} does not exist in the account, and {why}")]
    GroupMissing {
        /// The group's name.
        group: String,
        /// Why it is not created.
        why: &'static str,
    },
    /// Somebody asked the run to stop; what was in flight is recorded.
    #[error("stopped on request; the rest of the work waits for the next run")]
    Stopped,
    /// A full listing is due but the last one began too recently.
    #[error(
        "a full listing is needed, but the last one began less than {minutes} minutes ago; it is done by a later run"
    )]
    FullTooSoon {
        /// The least distance between two automatic full listings.
        minutes: u64,
    },
}

impl EngineError {
    /// Calls the user who should have consented by address, as people do.
    pub(super) fn naming(self, email: &str) -> Self {
        match self {
            EngineError::AnotherUser { found, .. } => EngineError::AnotherUser { found, expected: email.to_owned() },
            other => other,
        }
    }

    /// How a run that broke off for this reason ended.
    pub fn outcome(&self) -> Outcome {
        match self {
            EngineError::Store { cause: StoreError::Unavailable { .. } | StoreError::LeaseLost { .. }, .. } => {
                Outcome::Unreachable
            }
            EngineError::Store { .. } | EngineError::GroupMissing { .. } => Outcome::Failed,
            EngineError::AnotherUser { .. } => Outcome::NoConsent,
            EngineError::Stopped | EngineError::FullTooSoon { .. } => Outcome::Unreachable,
            EngineError::Remote { cause, .. } => match cause.recovery() {
                Recovery::AskConsent => Outcome::NoConsent,
                Recovery::RetryAfter(_) | Recovery::FindOut | Recovery::ReadAgain | Recovery::ListInFull => {
                    Outcome::Unreachable
                }
                Recovery::GiveUp | Recovery::SetUp => Outcome::Failed,
            },
        }
    }

    /// Whose fault it is, where that is known and a person can do something about it.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            EngineError::Remote { cause, .. } if cause.recovery() == Recovery::SetUp => Some(Fault::Setup),
            _ => None,
        }
    }
}

/// Adds what was being done to a failure of the store or the remote.
pub trait Doing<T> {
    /// Names what was being done.
    fn doing(self, doing: &'static str) -> Result<T, EngineError>;
}

impl<T> Doing<T> for Result<T, StoreError> {
    fn doing(self, doing: &'static str) -> Result<T, EngineError> {
        self.map_err(|cause| EngineError::Store { doing, cause })
    }
}

impl<T> Doing<T> for Result<T, RemoteError> {
    fn doing(self, doing: &'static str) -> Result<T, EngineError> {
        self.map_err(|cause| match cause {
            RemoteError::AnotherUser { found, expected } => EngineError::AnotherUser { found, expected },
            cause => EngineError::Remote { doing, cause },
        })
    }
}
