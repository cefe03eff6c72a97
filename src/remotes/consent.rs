//! A user's consent: asked for in the browser, checked, and given back.
//!
//! The consent page answers to an address on this machine, which the caller listens on. The question carries a state that
//! only its asker knows, and the challenge of a verifier that never leaves the process, so that nobody else can answer it
//! or use the answer. What was granted is read from the answer, not from what was asked for: a user may untick scopes.
//!
//! Source: RFC 6749, 7009, 7636 and 8252; "OAuth 2.0 for Mobile & Desktop Apps" of Google (read 2026-11).

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, header};
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    TokenResponse,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;
use url::form_urlencoded;

use crate::clock::Clock;
use crate::domain::id::AccountName;
use crate::domain::time::Timestamp;

use super::RemoteError;
use super::http::{MethodName, Transport, TransportError};
use super::oauth::{Http, NoAnswer, OauthClient, TokenAnswer, access_token, judge};
use super::token_cache::{AccessToken, TokenSource};

/// Reading and writing contacts; without it nothing can be synchronized.
pub const CONTACTS: &str = "https://www.googleapis.com/auth/contacts";
/// What is asked for: contacts, and whose they are.
const SCOPES: [&str; 3] = [CONTACTS, "openid", "email"];
const EXCHANGE: &str = "code exchange";
const REVOKE: &str = "token revocation";

/// Where a consent is asked for and given back.
#[derive(Debug, Clone)]
pub struct ConsentAddresses {
    /// The consent page.
    pub auth_url: Url,
    /// Where a grant is given back.
    pub revoke_url: Url,
}

type CodeClient = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Asks users of one account for their consent.
pub struct ConsentClient {
    account: AccountName,
    client: CodeClient,
    revoke_url: Url,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

/// A question to the user, and what proves that an answer belongs to it.
pub struct Question {
    /// The consent page, with everything that is asked.
    pub url: Url,
    /// What the answer has to carry.
    state: CsrfToken,
    verifier: PkceCodeVerifier,
    redirect: RedirectUrl,
}

/// What a user granted.
pub struct Consent {
    /// What access tokens are fetched with.
    pub refresh_token: SecretString,
    /// The first of them.
    pub access: AccessToken,
    /// The scopes, as far as the server named them.
    pub scopes: Option<Vec<String>>,
}

impl Consent {
    /// Whether contacts may be read and written, as far as the server told.
    pub fn covers_contacts(&self) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|scope| scope == CONTACTS))
    }
}

/// What the consent page sent back.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The user agreed; the code is good for one exchange.
    Code(String),
    /// The user or an administrator refused, in the server's word.
    Refused(String),
    /// It belongs to another question, or to none.
    Foreign,
}

impl Question {
    /// Reads the query that the consent page sent back.
    pub fn answer(&self, query: &str) -> Answer {
        let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let find = |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        if find("state").as_deref() != Some(self.state.secret()) {
            return Answer::Foreign;
        }
        match (find("code"), find("error")) {
            (_, Some(error)) => Answer::Refused(error),
            (Some(code), None) => Answer::Code(code),
            (None, None) => Answer::Foreign,
        }
    }
}

impl ConsentClient {
    /// A client for one account.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(
        account: AccountName,
        client: OauthClient,
        addresses: ConsentAddresses,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, url::ParseError> {
        let auth_url = AuthUrl::new(addresses.auth_url.to_string())?;
        let client = oauth2::Client::new(ClientId::new(client.id))
            .set_client_secret(ClientSecret::new(client.secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(auth_url)
            .set_token_uri(client.token_url);
        Ok(ConsentClient { account, client, revoke_url: addresses.revoke_url, transport, clock })
    }

    /// A question whose answer goes to `redirect`; `email` is the user whose answer is wanted.
    ///
    /// # Errors
    /// An address that is none.
    pub fn question(&self, redirect: String, email: &str) -> Result<Question, url::ParseError> {
        let redirect = RedirectUrl::new(redirect)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state) = self
            .client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .set_redirect_uri(std::borrow::Cow::Borrowed(&redirect))
            // Without these a second consent brings no refresh token.
            .add_extra_param("access_type", "offline")
            .add_extra_param("prompt", "consent")
            .add_extra_param("login_hint", email)
            .url();
        Ok(Question { url, state, verifier, redirect })
    }

    /// Exchanges the code that answered a question.
    ///
    /// # Errors
    /// [`RemoteError::NoConsent`] when the code is not accepted, or brings nothing to go on with; other errors may pass,
    /// but the code is spent.
    pub async fn redeem(&self, question: Question, code: String) -> Result<Consent, RemoteError> {
        let asked = self.clock.now();
        let http = Http(self.transport.as_ref());
        let request = self
            .client
            .exchange_code(AuthorizationCode::new(code))
            .set_redirect_uri(std::borrow::Cow::Owned(question.redirect))
            .set_pkce_verifier(question.verifier);
        let answer = request.request_async(&http).await.map_err(|error| self.refused(error))?;
        let Some(refresh_token) = answer.refresh_token().map(|token| token.secret().as_str().into()) else {
            return Err(RemoteError::NoConsent {
                reason: "the answer brings no refresh token, so nothing could be synchronized an hour from now"
                    .to_owned(),
            });
        };
        Ok(self.granted(&answer, refresh_token, asked))
    }

    fn refused(&self, error: RequestTokenError<NoAnswer, BasicErrorResponse>) -> RemoteError {
        match &error {
            RequestTokenError::ServerResponse(answer) if answer.error().as_ref() == "invalid_grant" => {
                RemoteError::NoConsent { reason: "the code is spent or too old; ask once more".to_owned() }
            }
            _ => judge(EXCHANGE, &self.account, error),
        }
    }

    /// Tries a refresh token that came another way.
    ///
    /// # Errors
    /// [`RemoteError::NoConsent`] when it is not accepted; other errors may pass.
    pub async fn check(&self, refresh_token: SecretString) -> Result<Consent, RemoteError> {
        let asked = self.clock.now();
        let http = Http(self.transport.as_ref());
        let known = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let answer = self.client.exchange_refresh_token(&known).request_async(&http).await;
        let answer = answer.map_err(|error| judge(EXCHANGE, &self.account, error))?;
        let renewed = answer.refresh_token().map(|token| SecretString::from(token.secret().as_str()));
        Ok(self.granted(&answer, renewed.unwrap_or(refresh_token), asked))
    }

    fn granted(&self, answer: &TokenAnswer, refresh_token: SecretString, asked: Timestamp) -> Consent {
        let access = access_token(answer, asked);
        let scopes = answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
        Consent { refresh_token, access, scopes }
    }

    /// Gives a grant back, and with it everything else that the same user granted this application. Returns whether the
    /// server knew the grant still.
    ///
    /// # Errors
    /// When the server was not reached, or did not carry it out.
    pub async fn revoke(&self, token: &SecretString) -> Result<Revoked, RemoteError> {
        let body: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("token", token.expose_secret()).finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.revoke_url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .extension(MethodName(REVOKE))
            .body(Bytes::from(body))
            .map_err(|cause| lost("no address", Some(Box::new(cause))))?;
        let answer = self.transport.send(request).await.map_err(|error| match error {
            TransportError::NotSent(cause) => RemoteError::Unreachable { method: REVOKE, cause },
            TransportError::Lost(cause) => lost("no answer", Some(cause)),
        })?;
        let error = serde_json::from_slice::<Value>(answer.body()).ok();
        let error = error.as_ref().and_then(|body| body.get("error")?.as_str());
        match (answer.status().is_success(), error) {
            (true, _) => Ok(Revoked::Now),
            (false, Some("invalid_token")) => Ok(Revoked::Before),
            (false, _) => Err(lost(&format!("refused with {}", answer.status()), None)),
        }
    }
}

/// When a grant ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// By this call.
    Now,
    /// It had expired or was withdrawn already.
    Before,
}

fn lost(detail: &str, cause: Option<Box<dyn std::error::Error + Send + Sync>>) -> RemoteError {
    RemoteError::Lost { method: REVOKE, detail: detail.to_owned(), cause }
}

/// One access token, for asking whose it is.
pub struct OnlyOnce(pub AccessToken);

#[async_trait]
impl TokenSource for OnlyOnce {
    async fn fetch(&self) -> Result<AccessToken, RemoteError> {
        Ok(self.0.clone())
    }
}
