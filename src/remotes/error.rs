//! What can go wrong at a remote, by what it means; callers act on [`RemoteError::recovery`].

use std::collections::BTreeMap;
use std::time::Duration;

/// Why a remote did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No usable answer: no connection, a time limit, a cut or unreadable answer, or a server error. A write may have
    /// been carried out, wholly, in part or not at all.
    #[error("no usable answer to {method}: {detail}")]
    Lost {
        /// The call.
        method: &'static str,
        /// What came instead; never a body.
        detail: String,
        /// What the network said.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The request could not be sent at all; nothing was carried out.
    #[error("cannot reach the remote for {method}")]
    Unreachable {
        /// The call.
        method: &'static str,
        /// What the network said.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The quota is used up; nothing was carried out.
    #[error("the remote asks to slow down ({method})")]
    RateLimited {
        /// The call.
        method: &'static str,
        /// How long to wait at least.
        retry_after: Duration,
    },
    /// The grant is missing, expired, revoked, or does not cover the call; a person has to consent.
    #[error("consent is missing: {reason}")]
    NoConsent {
        /// One sentence.
        reason: String,
    },
    /// The program itself is not accepted: its OAuth client, or the project behind it. Nothing was carried out, and no
    /// consent of a user helps.
    #[error("the access to Google is not set up: {reason}")]
    NotSetUp {
        /// One sentence with the cure.
        reason: String,
    },
    /// The grant is another user's than the account has always been; nothing was sent.
    #[error("the consent was given by {found}, but the account has always been that of {expected}")]
    AnotherUser {
        /// Who consented.
        found: String,
        /// Who should have.
        expected: String,
    },
    /// The change token is no longer accepted; list everything.
    #[error("the change token has expired")]
    TokenExpired,
    /// Records changed since they were read; nothing was written. In a batch, those named.
    #[error("{count} records have changed since they were read", count = .items.len().max(1))]
    Stale {
        /// The places in the request, when the remote names them.
        items: Vec<usize>,
    },
    /// The record or group does not exist.
    #[error("the record does not exist ({method})")]
    Missing {
        /// The call.
        method: &'static str,
    },
    /// There is one of that name already.
    #[error("there is one of that name already ({method})")]
    Exists {
        /// The call.
        method: &'static str,
    },
    /// The remote refuses the content, for good; nothing was written.
    #[error("the remote refuses {method}: {message}")]
    Refused {
        /// The call.
        method: &'static str,
        /// What it said about the whole call.
        message: String,
        /// What it said about single items, by their place in the request.
        items: BTreeMap<usize, ItemError>,
    },
    /// There is no room for more records; nothing was written.
    #[error("the address book is full ({method})")]
    Full {
        /// The call.
        method: &'static str,
    },
}

/// What a remote says about one item of a batch that it did not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// It has changed since it was read.
    #[error("it has changed since it was read")]
    Stale,
    /// It, or what it refers to, does not exist.
    #[error("it, or something it refers to, does not exist")]
    Missing,
    /// Its content is refused.
    #[error("{0}")]
    Refused(String),
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// Try again, at the earliest after this long; the call had no effect.
    RetryAfter(Duration),
    /// Find out what became of the call before doing anything else about it.
    FindOut,
    /// List everything instead.
    ListInFull,
    /// Ask a person for consent.
    AskConsent,
    /// Ask a person to set up the OAuth client or its project; no call can succeed before.
    SetUp,
    /// Read again and merge again.
    ReadAgain,
    /// Give this content up until it changes.
    GiveUp,
}

impl RemoteError {
    /// What to do next.
    pub fn recovery(&self) -> Recovery {
        match self {
            RemoteError::Lost { .. } => Recovery::FindOut,
            RemoteError::Unreachable { .. } => Recovery::RetryAfter(Duration::from_secs(60)),
            RemoteError::RateLimited { retry_after, .. } => Recovery::RetryAfter(*retry_after),
            RemoteError::NoConsent { .. } | RemoteError::AnotherUser { .. } => Recovery::AskConsent,
            RemoteError::NotSetUp { .. } => Recovery::SetUp,
            RemoteError::TokenExpired => Recovery::ListInFull,
            RemoteError::Stale { .. } | RemoteError::Missing { .. } | RemoteError::Exists { .. } => Recovery::ReadAgain,
            RemoteError::Refused { .. } | RemoteError::Full { .. } => Recovery::GiveUp,
        }
    }
}
