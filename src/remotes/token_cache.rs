//! Access tokens, kept until shortly before they die.
//!
//! Of many callers only one fetches: two refreshes at a time can burn each other's grant. Whoever finds a token refused
//! says so, and the next caller gets a new one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::domain::time::Timestamp;

use super::RemoteError;
use super::id_token::Identity;

/// A token is renewed this long before it dies, so that no request outlives it.
const RENEWED_BEFORE: Duration = Duration::from_secs(5 * 60);

/// An access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// What goes behind `Bearer`.
    pub secret: SecretString,
    /// When it dies, by our clock.
    pub expires: Timestamp,
    /// Whose it is, when the source was told.
    pub identity: Option<Identity>,
}

/// Where access tokens come from.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// Fetches a new token.
    ///
    /// # Errors
    /// [`RemoteError::NoConsent`] when a person has to consent again; [`RemoteError::Lost`] or
    /// [`RemoteError::Unreachable`] when another try may help.
    async fn fetch(&self) -> Result<AccessToken, RemoteError>;
}

/// The access token of one account.
pub struct TokenCache {
    source: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    token: Mutex<Option<AccessToken>>,
}

impl TokenCache {
    /// An empty cache over a source.
    pub fn new(source: Arc<dyn TokenSource>, clock: Arc<dyn Clock>) -> Self {
        TokenCache { source, clock, token: Mutex::new(None) }
    }

    /// A token that is good for some minutes more.
    ///
    /// # Errors
    /// What the source says; nothing is cached then.
    pub async fn token(&self) -> Result<SecretString, RemoteError> {
        self.current(|token| token.secret.clone()).await
    }

    /// As [`TokenCache::token`], with whose it is, as far as the source was told.
    ///
    /// # Errors
    /// As [`TokenCache::token`].
    pub async fn token_of_somebody(&self) -> Result<(SecretString, Option<Identity>), RemoteError> {
        self.current(|token| (token.secret.clone(), token.identity.clone())).await
    }

    /// Whose the token is, as far as the source was told; fetches one when there is none.
    ///
    /// # Errors
    /// As [`TokenCache::token`].
    pub async fn identity(&self) -> Result<Option<Identity>, RemoteError> {
        self.current(|token| token.identity.clone()).await
    }

    async fn current<T>(&self, part: impl FnOnce(&AccessToken) -> T) -> Result<T, RemoteError> {
        // Held while fetching, on purpose: whoever comes meanwhile waits for the same token.
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref().filter(|token| self.clock.now().plus(RENEWED_BEFORE) < token.expires) {
            return Ok(part(token));
        }
        let fresh = self.source.fetch().await?;
        Ok(part(token.insert(fresh)))
    }

    /// Forgets this token, which the remote has refused. Does nothing when another one has taken its place.
    pub async fn invalidate(&self, refused: &SecretString) {
        let mut token = self.token.lock().await;
        if token.as_ref().is_some_and(|token| token.secret.expose_secret() == refused.expose_secret()) {
            *token = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::clock::ManualClock;

    /// Hands out `token 1`, `token 2`, … with an hour to live each.
    struct Numbered {
        clock: Arc<ManualClock>,
        fetched: AtomicU32,
    }

    #[async_trait]
    impl TokenSource for Numbered {
        async fn fetch(&self) -> Result<AccessToken, RemoteError> {
            tokio::task::yield_now().await;
            let number = self.fetched.fetch_add(1, Ordering::Relaxed) + 1;
            let expires = self.clock.now().plus(Duration::from_secs(3600));
            let identity = Some(Identity { subject: format!("user of {number}"), email: None });
            Ok(AccessToken { secret: format!("token {number}").into(), expires, identity })
        }
    }

    fn cache() -> (Arc<ManualClock>, TokenCache) {
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let source = Arc::new(Numbered { clock: clock.clone(), fetched: AtomicU32::new(0) });
        (clock.clone(), TokenCache::new(source, clock))
    }

    async fn shown(cache: &TokenCache) -> String {
        cache.token().await.expect("token").expose_secret().to_owned()
    }

    #[tokio::test]
    async fn many_callers_share_one_fetch() {
        let (_, cache) = cache();
        let (one, other) = tokio::join!(shown(&cache), shown(&cache));
        assert_eq!((one.as_str(), other.as_str()), ("token 1", "token 1"));
    }

    #[tokio::test]
    async fn the_identity_belongs_to_the_token_it_came_with() {
        let (_, cache) = cache();
        let subject = async || cache.identity().await.expect("token").map(|identity| identity.subject);
        assert_eq!(subject().await.as_deref(), Some("user of 1"));
        assert_eq!(shown(&cache).await, "token 1");
        cache.invalidate(&"token 1".into()).await;
        assert_eq!(subject().await.as_deref(), Some("user of 2"));
    }

    #[tokio::test]
    async fn a_token_is_renewed_five_minutes_before_it_dies() {
        let (clock, cache) = cache();
        assert_eq!(shown(&cache).await, "token 1");
        clock.advance(Duration::from_secs(3600 - 301));
        assert_eq!(shown(&cache).await, "token 1");
        clock.advance(Duration::from_secs(1));
        assert_eq!(shown(&cache).await, "token 2");
    }

    #[tokio::test]
    async fn only_the_refused_token_is_forgotten() {
        let (_, cache) = cache();
        let first = cache.token().await.expect("token");
        cache.invalidate(&first).await;
        assert_eq!(shown(&cache).await, "token 2");
        cache.invalidate(&first).await;
        assert_eq!(shown(&cache).await, "token 2");
    }
}
