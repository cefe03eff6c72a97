//! Access tokens out of a user's consent: the refresh of OAuth 2.0, over our own transport.
//!
//! A server may replace the refresh token whenever it likes; the new one is stored before the access token that came
//! with it is used, since the old one may be dead by then. What the server refuses for good needs a person; anything
//! else may work the next time, and is never taken for a withdrawn consent.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    RefreshToken, RequestTokenError, StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Clock;
use crate::domain::id::AccountName;
use crate::domain::time::Timestamp;

use super::RemoteError;
use super::http::{MethodName, Transport, TransportError};
use super::id_token::IdentityField;
use super::token_cache::{AccessToken, TokenSource};

const METHOD: &str = "token refresh";
/// How long an access token lives when the server does not say.
const LIFE_ASSUMED: Duration = Duration::from_secs(3600);

/// Refusals beside those of the standard that only the user, or the administrator of the domain, can take back.
const WITHDRAWN: [&str; 3] = ["access_denied", "admin_policy_enforced", "account_disabled"];
/// Those that only the owner of the OAuth client can.
const SWITCHED_OFF: [&str; 2] = ["deleted_client", "disabled_client"];

/// Where the refresh token of an account is kept.
#[async_trait]
pub trait GrantStore: Send + Sync {
    /// The refresh token; `None` when nobody has consented yet.
    ///
    /// # Errors
    /// When the place cannot be read now.
    async fn load(&self) -> Result<Option<SecretString>, GrantError>;

    /// Replaces the refresh token. It is durable when this returns.
    ///
    /// # Errors
    /// When the place cannot be written now; the caller goes on with the access token nevertheless.
    async fn save(&self, refresh_token: &SecretString) -> Result<(), GrantError>;
}

/// Why a grant cannot be had, or kept.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// It cannot be read or written now; another time it may.
    #[error("the grant cannot be {doing}")]
    Unavailable {
        /// `read`, `stored` or `forgotten`.
        doing: &'static str,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is one, and nobody can read it any more.
    #[error("the grant cannot be opened: {why}")]
    Sealed {
        /// Why, with what would open it.
        why: String,
    },
}

/// The registered application that users consent to.
#[derive(Debug, Clone)]
pub struct OauthClient {
    /// Its public name.
    pub id: String,
    /// Its secret. Desktop applications have one too.
    pub secret: SecretString,
    /// Where tokens are exchanged.
    pub token_url: TokenUrl,
}

/// The answer of the token endpoint, with what OpenID Connect adds to it.
pub(super) type TokenAnswer = StandardTokenResponse<IdentityField, BasicTokenType>;

type RefreshClient = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Fetches access tokens with the refresh token of an account.
pub struct RefreshSource {
    account: AccountName,
    client: RefreshClient,
    transport: Arc<dyn Transport>,
    grants: Arc<dyn GrantStore>,
    clock: Arc<dyn Clock>,
    /// A renewed refresh token that could not be stored yet. The one in the store may be dead already.
    unsaved: Mutex<Option<SecretString>>,
}

impl RefreshSource {
    /// A source for one account.
    pub fn new(
        account: AccountName,
        client: OauthClient,
        transport: Arc<dyn Transport>,
        grants: Arc<dyn GrantStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let client = oauth2::Client::new(ClientId::new(client.id))
            .set_client_secret(ClientSecret::new(client.secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(client.token_url);
        RefreshSource { account, client, transport, grants, clock, unsaved: Mutex::new(None) }
    }

    /// The refresh token to use.
    async fn grant(&self) -> Result<SecretString, RemoteError> {
        let unsaved = self.unsaved().take();
        if let Some(unsaved) = unsaved {
            self.save(&unsaved).await;
            return Ok(unsaved);
        }
        let grant = self.grants.load().await.map_err(|error| match error {
            GrantError::Sealed { why } => no_consent(&self.account, &format!("{why}, or consent anew")),
            unavailable => lost("no grant".to_owned(), Some(Box::new(unavailable))),
        })?;
        grant.ok_or_else(|| no_consent(&self.account, "nobody has consented yet"))
    }

    /// Stores a renewed refresh token, or keeps it for the next time.
    async fn save(&self, renewed: &SecretString) {
        if let Err(error) = self.grants.save(renewed).await {
            tracing::warn!(
                account = %self.account, error = &error as &dyn std::error::Error,
                "a renewed grant could not be stored; it is tried again with the next token"
            );
            *self.unsaved() = Some(renewed.clone());
        }
    }

    fn unsaved(&self) -> MutexGuard<'_, Option<SecretString>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenAnswer, RemoteError> {
        let refresh_token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let http = Http(self.transport.as_ref());
        let answer = self.client.exchange_refresh_token(&refresh_token).request_async(&http).await;
        answer.map_err(|error| judge(METHOD, &self.account, error))
    }
}

fn no_consent(account: &AccountName, why: &str) -> RemoteError {
    RemoteError::NoConsent { reason: format!("{why}; run `contactsync login {account}`") }
}

/// What a refusal of the token endpoint means.
///
/// Source: RFC 6749, section 5.2; "Using OAuth 2.0 to Access Google APIs", refresh token expiration (read 2026-11).
pub(super) fn judge(
    method: &'static str,
    account: &AccountName,
    error: RequestTokenError<NoAnswer, BasicErrorResponse>,
) -> RemoteError {
    use BasicErrorResponseType::UnauthorizedClient;
    use BasicErrorResponseType::{Extension, InvalidClient, InvalidGrant, InvalidRequest, InvalidScope};
    let no_consent = |why: &str| no_consent(account, why);
    let not_set_up = |reason: &str| RemoteError::NotSetUp { reason: reason.to_owned() };
    let lost = |detail: String, cause| RemoteError::Lost { method, detail, cause };
    match error {
        RequestTokenError::ServerResponse(answer) => match answer.error() {
            InvalidGrant => no_consent(
                "the consent has expired or was withdrawn (the grants of an application in testing live 7 days)",
            ),
            InvalidClient | InvalidRequest => not_set_up(
                "Google does not accept the OAuth client: client_id and client secret must be those of one client as \
                 the Google Cloud console shows them",
            ),
            UnauthorizedClient => no_consent(
                "the consent was given to another OAuth client than that of client_id; put that one back, or consent anew",
            ),
            InvalidScope => no_consent("the consent does not cover contacts"),
            Extension(code) if WITHDRAWN.contains(&code.as_str()) => {
                no_consent("the user, or the administrator of the domain, does not allow the application any more")
            }
            Extension(code) if SWITCHED_OFF.contains(&code.as_str()) => not_set_up(
                "the OAuth client was deleted or switched off; create one in the Google Cloud console, put its id and \
                 secret into the configuration, and let every user consent anew",
            ),
            other => lost(format!("refused with {}", other.as_ref()), None),
        },
        RequestTokenError::Request(NoAnswer(TransportError::NotSent(cause))) => {
            RemoteError::Unreachable { method, cause }
        }
        RequestTokenError::Request(NoAnswer(TransportError::Lost(cause))) => lost("no answer".to_owned(), Some(cause)),
        // The body may hold tokens, so nothing of it is shown.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => lost("unreadable answer".to_owned(), None),
    }
}

fn lost(detail: String, cause: Option<Box<dyn std::error::Error + Send + Sync>>) -> RemoteError {
    RemoteError::Lost { method: METHOD, detail, cause }
}

/// The access token of an answer to a request sent at `asked`.
pub(super) fn access_token(answer: &TokenAnswer, asked: Timestamp) -> AccessToken {
    let life: Duration = answer.expires_in().unwrap_or(LIFE_ASSUMED);
    AccessToken {
        secret: answer.access_token().secret().as_str().into(),
        expires: asked.plus(life),
        identity: answer.extra_fields().identity.clone(),
    }
}

#[async_trait]
impl TokenSource for RefreshSource {
    async fn fetch(&self) -> Result<AccessToken, RemoteError> {
        let grant = self.grant().await?;
        // Counted from before the request: a token must not seem to live longer than it does.
        let asked = self.clock.now();
        let answer = self.refresh(&grant).await?;
        let renewed = answer.refresh_token().map(|token| SecretString::from(token.secret().as_str()));
        if let Some(renewed) = renewed.filter(|renewed| renewed.expose_secret() != grant.expose_secret()) {
            self.save(&renewed).await;
        }
        Ok(access_token(&answer, asked))
    }
}

/// Our transport, as the OAuth client wants it.
pub(super) struct Http<'t>(pub(super) &'t dyn Transport);

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct NoAnswer(TransportError);

impl<'c> AsyncHttpClient<'c> for Http<'_> {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut request = request.map(Bytes::from);
            request.extensions_mut().insert(MethodName("oauth2.token"));
            let answer = self.0.send(request).await.map_err(NoAnswer)?;
            Ok(answer.map(|body| body.to_vec()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use serde_json::json;

    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::time::Timestamp;
    use crate::remotes::Recovery;
    use crate::remotes::scripted::{Reply, Scripted};

    #[derive(Default)]
    struct Grants {
        token: Mutex<Option<String>>,
        is_full: AtomicBool,
    }

    impl Grants {
        fn stored(&self) -> Option<String> {
            self.token.lock().expect("lock").clone()
        }
    }

    #[async_trait]
    impl GrantStore for Grants {
        async fn load(&self) -> Result<Option<SecretString>, GrantError> {
            Ok(self.stored().map(SecretString::from))
        }

        async fn save(&self, refresh_token: &SecretString) -> Result<(), GrantError> {
            if self.is_full.load(Ordering::Relaxed) {
                return Err(GrantError::Unavailable { doing: "stored", cause: "disk full".into() });
            }
            *self.token.lock().expect("lock") = Some(refresh_token.expose_secret().to_owned());
            Ok(())
        }
    }

    fn source(
        grant: Option<&str>,
        reply: impl IntoIterator<Item = Reply>,
    ) -> (Arc<Scripted>, Arc<Grants>, RefreshSource) {
        let transport = Arc::new(Scripted::new(reply));
        let grants = Arc::new(Grants { token: Mutex::new(grant.map(str::to_owned)), ..Grants::default() });
        let client = OauthClient {
            id: "client".to_owned(),
            secret: "secret".into(),
            token_url: TokenUrl::new("https://oauth.example/token".to_owned()).expect("url"),
        };
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let account = AccountName::new("sales");
        let source = RefreshSource::new(account, client, transport.clone(), grants.clone(), clock);
        (transport, grants, source)
    }

    #[tokio::test]
    async fn a_refresh_sends_the_secret_in_the_body_and_counts_the_life_from_now() {
        let answer = json!({"access_token": "a1", "expires_in": 3599, "token_type": "Bearer"});
        let (transport, grants, source) = source(Some("r1"), Some(Reply::Json(200, answer)));
        let token = source.fetch().await.expect("token");
        assert_eq!((token.secret.expose_secret(), token.expires.as_millis()), ("a1", 3_599_000));
        let (line, body) = transport.asked().remove(0);
        assert_eq!(line, "POST /token");
        let expected = "grant_type=refresh_token&refresh_token=r1&client_id=client&client_secret=secret";
        assert_eq!(body, expected);
        assert_eq!(grants.stored().as_deref(), Some("r1"));
    }

    #[tokio::test]
    async fn an_identity_that_comes_along_is_kept_and_a_spoiled_one_does_no_harm() {
        use base64::Engine as _;
        let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"sub": "108"}"#);
        for (id_token, subject) in [(format!("x.{payload}.x"), Some("108")), ("spoiled".to_owned(), None)] {
            let answer = json!({"access_token": "a1", "token_type": "Bearer", "id_token": id_token});
            let token = source(Some("r1"), Some(Reply::Json(200, answer))).2.fetch().await.expect("token");
            assert_eq!(token.secret.expose_secret(), "a1");
            assert_eq!(token.identity.map(|identity| identity.subject).as_deref(), subject);
        }
    }

    #[tokio::test]
    async fn a_renewed_grant_is_stored() {
        let answer = json!({"access_token": "a1", "token_type": "Bearer", "refresh_token": "r2"});
        let (_, grants, source) = source(Some("r1"), Some(Reply::Json(200, answer)));
        source.fetch().await.expect("token");
        assert_eq!(grants.stored().as_deref(), Some("r2"));
    }

    #[tokio::test]
    async fn a_renewed_grant_that_cannot_be_stored_is_used_and_stored_later() {
        let answer = |token: &str| {
            Reply::Json(200, json!({"access_token": "a", "token_type": "Bearer", "refresh_token": token}))
        };
        let (transport, grants, source) = source(Some("r1"), [answer("r2"), answer("r2")]);
        grants.is_full.store(true, Ordering::Relaxed);
        source.fetch().await.expect("token");
        assert_eq!(grants.stored().as_deref(), Some("r1"));
        grants.is_full.store(false, Ordering::Relaxed);
        source.fetch().await.expect("token");
        assert_eq!(grants.stored().as_deref(), Some("r2"));
        assert!(transport.asked()[1].1.contains("refresh_token=r2"));
    }

    #[tokio::test]
    async fn a_dead_consent_names_the_command_that_renews_it() {
        let revoked = json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."});
        for (grant, reply) in [
            (Some("r1"), Some(Reply::Json(400, revoked))),
            (Some("r1"), Some(Reply::Json(401, json!({"error": "unauthorized_client"})))),
            (Some("r1"), Some(Reply::Json(403, json!({"error": "admin_policy_enforced"})))),
            (None, None),
        ] {
            let error = source(grant, reply).2.fetch().await.expect_err("refused");
            assert!(error.to_string().contains("contactsync login sales"), "{error}");
            assert_eq!(error.recovery(), Recovery::AskConsent);
        }
    }

    #[tokio::test]
    async fn an_oauth_client_that_is_not_accepted_is_no_matter_of_consent() {
        for (status, code) in [(401, "invalid_client"), (400, "invalid_request"), (403, "disabled_client")] {
            let reply = Reply::Json(status, json!({ "error": code }));
            let error = source(Some("r1"), Some(reply)).2.fetch().await.expect_err("refused");
            assert_eq!(error.recovery(), Recovery::SetUp, "{error}");
            let text = error.to_string();
            assert!(!text.contains("consent is missing") && !text.contains("contactsync login"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_token_server_in_trouble_is_no_withdrawn_consent() {
        for reply in [
            Reply::Raw(500, "<html>"),
            Reply::Raw(503, ""),
            Reply::Json(429, json!({"error": "slow_down"})),
            Reply::Raw(200, "{"),
            Reply::Lost,
            Reply::NotSent,
        ] {
            let error = source(Some("r1"), Some(reply)).2.fetch().await.expect_err("failed");
            assert_ne!(error.recovery(), Recovery::AskConsent, "{error}");
        }
    }
}
