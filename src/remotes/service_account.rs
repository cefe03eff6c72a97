//! Access tokens of a Workspace service account to which the domain's administrator has delegated its users: nobody
//! consents, the program signs that it speaks for the user.
//!
//! Only contacts are asked for: what the administrator did not delegate would make the whole request fail.
//!
//! Source: RFC 7523; "Using OAuth 2.0 for Server to Server Applications" of Google (read 2026-11).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, Request, header};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::clock::Clock;
use crate::domain::time::Timestamp;

use super::RemoteError;
use super::consent::CONTACTS;
use super::http::{MethodName, Transport, TransportError};
use super::oauth::{TokenAnswer, access_token};
use super::token_cache::{AccessToken, TokenSource};

const METHOD: &str = "token request of a service account";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long a signed statement is good for; the server allows no more.
const LIFE: Duration = Duration::from_secs(3600);
/// Our clock may be ahead of the server's by so much.
const SLACK: Duration = Duration::from_secs(30);

/// What a service account is and proves itself with.
#[derive(Debug, Clone)]
pub struct ServiceIdentity {
    /// Its address.
    pub client_email: String,
    /// The number by which the administrator delegates to it; may be empty.
    pub client_id: String,
    /// The name of the key; may be empty.
    pub key_id: String,
    /// The private key, PKCS#8 as PEM.
    pub private_key: SecretString,
}

/// The private key is none, or cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the private key of the service account is damaged; create a new key")]
pub struct DamagedKey;

/// Fetches access tokens for one user of the domain.
pub struct ServiceAccountSource {
    identity: ServiceIdentity,
    key: RsaKeyPair,
    user: String,
    token_url: Url,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl ServiceAccountSource {
    /// A source for the user with this address.
    ///
    /// # Errors
    /// A key that cannot sign.
    pub fn new(
        identity: ServiceIdentity,
        user: String,
        token_url: Url,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DamagedKey> {
        let pem = identity.private_key.expose_secret().as_bytes();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| DamagedKey)?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| DamagedKey)?;
        Ok(ServiceAccountSource { identity, key, user, token_url, transport, clock })
    }

    /// The signed statement that we speak for the user.
    fn assertion(&self, now: Timestamp) -> Result<String, RemoteError> {
        let issued = now.minus(SLACK).as_micros().div_euclid(1_000_000);
        let life = i64::try_from(LIFE.as_secs()).unwrap_or(i64::MAX);
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.identity.key_id });
        let claims = json!({
            "iss": self.identity.client_email,
            "sub": self.user,
            "scope": CONTACTS,
            "aud": self.token_url.as_str(),
            "iat": issued,
            "exp": issued.saturating_add(life),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let statement = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), statement.as_bytes(), &mut signature)
            .map_err(|_| RemoteError::NotSetUp { reason: DamagedKey.to_string() })?;
        Ok(format!("{statement}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// What a refusal means.
    fn judge(&self, status: http::StatusCode, body: &[u8]) -> RemoteError {
        let error = serde_json::from_slice::<Value>(body).ok();
        let code = error.as_ref().and_then(|body| body.get("error")?.as_str()).unwrap_or_default();
        let ServiceIdentity { client_email, client_id, .. } = &self.identity;
        let no_consent = |reason: String| RemoteError::NoConsent { reason };
        match code {
            "unauthorized_client" | "access_denied" | "invalid_scope" => no_consent(format!(
                "the service account {client_email} may not act for {}: an administrator of the domain has to allow its \
                 client id {client_id} the scope {CONTACTS} (Security, API controls, Domain-wide delegation)",
                self.user
            )),
            "invalid_grant" => no_consent(format!(
                "Google does not accept the service account {client_email} for {}: the user is not of its domain, the \
                 key was deleted, or the clock of this machine is off by minutes",
                self.user
            )),
            "invalid_client" | "deleted_client" | "disabled_client" => RemoteError::NotSetUp {
                reason: format!(
                    "the service account {client_email} was deleted or switched off; see IAM, Service accounts in the \
                     Google Cloud console"
                ),
            },
            _ => lost(format!("refused with {status}"), None),
        }
    }
}

fn lost(detail: String, cause: Option<Box<dyn std::error::Error + Send + Sync>>) -> RemoteError {
    RemoteError::Lost { method: METHOD, detail, cause }
}

#[async_trait]
impl TokenSource for ServiceAccountSource {
    async fn fetch(&self) -> Result<AccessToken, RemoteError> {
        let asked = self.clock.now();
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", GRANT_TYPE)
            .append_pair("assertion", &self.assertion(asked)?)
            .finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.token_url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .extension(MethodName(METHOD))
            .body(Bytes::from(body))
            .map_err(|cause| lost("no address".to_owned(), Some(Box::new(cause))))?;
        let answer = self.transport.send(request).await.map_err(|error| match error {
            TransportError::NotSent(cause) => RemoteError::Unreachable { method: METHOD, cause },
            TransportError::Lost(cause) => lost("no answer".to_owned(), Some(cause)),
        })?;
        if !answer.status().is_success() {
            return Err(self.judge(answer.status(), answer.body()));
        }
        // The body holds a token, so nothing of it is shown.
        let answer: TokenAnswer =
            serde_json::from_slice(answer.body()).map_err(|_| lost("unreadable answer".to_owned(), None))?;
        Ok(access_token(&answer, asked))
    }
}
