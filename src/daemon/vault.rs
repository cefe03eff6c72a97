//! The refresh token of an account: from the file that the configuration names, or sealed in the store.
//!
//! Google may hand out a new refresh token at any refresh; it is sealed in the store and used from then on, until
//! somebody puts another token into the file. Which token the file held when the new one came is remembered beside it
//! as a digest, so that a replaced file is noticed.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Entropy};
use crate::config::Secret;
use crate::domain::digest::Digest;
use crate::domain::id::AccountName;
use crate::remotes::oauth::{GrantError, GrantStore};
use crate::store::grant::{GrantError as SealError, SealingKey};
use crate::store::{SealedGrant, Store};

/// Where the refresh token of one account is kept.
pub struct Vault {
    account: AccountName,
    file: Option<Secret>,
    store: Arc<dyn Store>,
    key: Arc<SealingKey>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Grant {
    refresh_token: String,
    /// Digest of the token in the file when this one came; empty without a file.
    #[serde(default)]
    replaces: String,
}

impl Vault {
    /// The vault of one account; `file` is where the configuration says the token is.
    pub fn new(
        account: AccountName,
        file: Option<Secret>,
        store: Arc<dyn Store>,
        key: Arc<SealingKey>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Vault { account, file, store, key, clock, entropy }
    }

    /// Forgets what is sealed in the store. A file that the configuration names stays as it is.
    ///
    /// # Errors
    /// When the store cannot be written now.
    pub async fn forget(&self) -> Result<(), GrantError> {
        let unwritable = |cause| GrantError::Unavailable { doing: "forgotten", cause: Box::new(cause) };
        self.store.drop_grant(&self.account).await.map_err(unwritable)
    }

    fn read_file(&self) -> Result<Option<SecretString>, GrantError> {
        self.file
            .as_ref()
            .map(Secret::read)
            .transpose()
            .map_err(|cause| GrantError::Unavailable { doing: "read", cause: Box::new(cause) })
    }

    async fn sealed(&self) -> Result<Option<Grant>, GrantError> {
        let unreadable = |cause| GrantError::Unavailable { doing: "read", cause: Box::new(cause) };
        let Some(stored) = self.store.grant(&self.account).await.map_err(unreadable)? else { return Ok(None) };
        let opened = self.key.open(&self.account, &stored.sealed);
        let opened = opened.map_err(|cause| GrantError::Sealed { why: self.cure(&cause) })?;
        let damaged = |_| GrantError::Sealed { why: self.cure(&SealError::Damaged { account: self.account.clone() }) };
        serde_json::from_str(opened.expose_secret()).map(Some).map_err(damaged)
    }

    /// What would let a sealed grant be opened.
    fn cure(&self, cause: &SealError) -> String {
        match (cause, self.key.place()) {
            (SealError::OtherKey { .. }, Some(place)) => format!(
                "the consent in the store was sealed with another key than the one in {}; put that key back",
                place.display()
            ),
            _ => format!("{cause}; restore both from one backup"),
        }
    }
}

fn digest(token: Option<&SecretString>) -> String {
    token.map(|token| Digest::of_bytes(token.expose_secret().as_bytes()).to_string()).unwrap_or_default()
}

#[async_trait]
impl GrantStore for Vault {
    async fn load(&self) -> Result<Option<SecretString>, GrantError> {
        let file = self.read_file()?;
        let sealed = match (self.sealed().await, &file) {
            // A token in a file is a way in as well.
            (Err(GrantError::Sealed { why }), Some(_)) => {
                tracing::warn!(account = %self.account, "the token in the file is used: {why}");
                None
            }
            (sealed, _) => sealed?,
        };
        Ok(match sealed {
            Some(grant) if file.is_none() || grant.replaces == digest(file.as_ref()) => {
                Some(SecretString::from(grant.refresh_token))
            }
            _ => file,
        })
    }

    async fn save(&self, refresh_token: &SecretString) -> Result<(), GrantError> {
        let unwritable =
            |cause: Box<dyn std::error::Error + Send + Sync>| GrantError::Unavailable { doing: "stored", cause };
        let file = self.read_file()?;
        let grant = Grant { refresh_token: refresh_token.expose_secret().to_owned(), replaces: digest(file.as_ref()) };
        let text = serde_json::to_string(&grant).map_err(|cause| unwritable(Box::new(cause)))?;
        let sealed = self.key.seal(&self.account, &SecretString::from(text), self.entropy.as_ref());
        let sealed = SealedGrant { account: self.account.clone(), sealed, stored: self.clock.now() };
        self.store.put_grant(&sealed).await.map_err(|cause| unwritable(Box::new(cause)))
    }
}
