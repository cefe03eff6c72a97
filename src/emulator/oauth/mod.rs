//! The authorization server: consent, token and revocation endpoints, and what an access token is worth.
//!
//! One OAuth client is known. Consent is given without a person (`GET /o/oauth2/v2/auth` redirects at once), as the
//! switches say. Access tokens live an hour on the emulator's clock; a revocation drops everything the account granted.

mod delegation;
mod grants;
mod identity;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use serde_json::{Value, json};
use url::Url;

pub use delegation::ServiceAccount;
pub use grants::{Client, Grants, Standing};

use super::account::Account;
use super::call::{Call, find};
use super::reply;
use super::settings::Consent;
use super::world::World;

/// Read and write contacts.
pub const CONTACTS: &str = "https://www.googleapis.com/auth/contacts";
/// Read contacts.
pub const CONTACTS_READONLY: &str = "https://www.googleapis.com/auth/contacts.readonly";
/// Scopes that show the address of the user.
pub const EMAIL_SCOPES: [&str; 2] = ["https://www.googleapis.com/auth/userinfo.email", "email"];
/// Scopes that show the name of the user.
pub const PROFILE_SCOPES: [&str; 2] = ["https://www.googleapis.com/auth/userinfo.profile", "profile"];

/// An endpoint of the authorization server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `GET /o/oauth2/v2/auth`.
    Authorize,
    /// `POST /token`.
    Token,
    /// `POST /revoke`.
    Revoke,
}

/// The endpoint behind `verb` and `path`.
pub fn endpoint(verb: &Method, path: &str) -> Option<Endpoint> {
    match (verb.as_str(), path) {
        ("GET", "/o/oauth2/v2/auth") => Some(Endpoint::Authorize),
        ("POST", "/token") => Some(Endpoint::Token),
        ("POST", "/revoke") => Some(Endpoint::Revoke),
        _ => None,
    }
}

impl Endpoint {
    /// Its name in counters and faults.
    pub fn name(self) -> &'static str {
        match self {
            Endpoint::Authorize => "oauth.authorize",
            Endpoint::Token => "oauth.token",
            Endpoint::Revoke => "oauth.revoke",
        }
    }
}

/// An answer of the authorization server, and the account it was about.
#[derive(Debug)]
pub struct Granted {
    /// The answer.
    pub response: Response<Bytes>,
    /// The account.
    pub account: Option<String>,
}

impl Granted {
    fn new(response: Response<Bytes>, account: Option<&str>) -> Self {
        Granted { response, account: account.map(str::to_owned) }
    }
}

/// A refusal of the token or revocation endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    error: &'static str,
    description: String,
}

impl Refusal {
    fn new(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        Refusal { status, error, description: description.into() }
    }

    fn dead_grant() -> Self {
        Refusal::new(400, "invalid_grant", "Token has been expired or revoked.")
    }
}

/// Asks the user: redirects to the client with a code, or with the refusal.
pub fn authorize(grants: &mut Grants, accounts: &[&Account], call: &Call, world: &World<'_>) -> Granted {
    let refused = |status, what: &str| Granted::new(reply::html(status, "Sign in", &format!("Error: {what}")), None);
    if !grants.client().is_called(call.parameter("client_id").unwrap_or_default()) {
        return refused(401, "invalid_client");
    }
    let redirect = call.parameter("redirect_uri").and_then(|text| Url::parse(text).ok()).filter(is_loopback);
    let Some(mut redirect) = redirect else { return refused(400, "redirect_uri_mismatch") };
    if call.parameter("response_type") != Some("code") {
        return refused(400, "unsupported_response_type");
    }
    let hint = call.parameter("login_hint").map(str::to_lowercase);
    let account = accounts.iter().find(|account| hint.as_deref().is_none_or(|hint| account.email() == hint));
    let Some(account) = account else { return refused(400, "no such account") };
    if let Some(state) = call.parameter("state") {
        redirect.query_pairs_mut().append_pair("state", state);
    }
    if world.settings.consent == Consent::Denied {
        redirect.query_pairs_mut().append_pair("error", "access_denied");
        return Granted::new(redirection(&redirect), Some(account.email()));
    }
    match grants.issue_code(account, call, world) {
        Ok((code, scope)) => {
            redirect.query_pairs_mut().append_pair("code", &code).append_pair("scope", &scope);
            Granted::new(redirection(&redirect), Some(account.email()))
        }
        Err(refusal) => refused(refusal.status, &refusal.description),
    }
}

fn is_loopback(url: &Url) -> bool {
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    url.scheme() == "http" && is_local && url.fragment().is_none()
}

fn redirection(target: &Url) -> Response<Bytes> {
    let mut response = reply::html(302, "Redirecting", "Found");
    if let Ok(value) = HeaderValue::from_str(target.as_str()) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// Exchanges a code or a refresh token.
pub fn token(grants: &mut Grants, accounts: &[&Account], call: &Call, world: &World<'_>) -> Granted {
    let form = call.form();
    match exchange(grants, accounts, call, &form, world) {
        Ok((body, account)) => Granted::new(answer(200, &body), Some(&account)),
        Err(refusal) => Granted::new(refuse(&refusal), None),
    }
}

fn exchange(
    grants: &mut Grants,
    accounts: &[&Account],
    call: &Call,
    form: &[(String, String)],
    world: &World<'_>,
) -> Result<(Value, String), Refusal> {
    if call.content_type.as_deref() != Some("application/x-www-form-urlencoded") {
        return Err(Refusal::new(400, "invalid_request", "The body must be form-encoded."));
    }
    let has_statement = find(form, "grant_type") == Some(delegation::GRANT_TYPE);
    if !has_statement {
        check_client(grants, call, form)?;
    }
    let field = |name: &'static str| {
        find(form, name)
            .ok_or_else(|| Refusal::new(400, "invalid_request", format!("Missing required parameter: {name}")))
    };
    let issue = match field("grant_type")? {
        "refresh_token" => grants.refresh(field("refresh_token")?, world)?,
        "authorization_code" => {
            grants.redeem(field("code")?, field("redirect_uri")?, find(form, "code_verifier"), world)?
        }
        delegation::GRANT_TYPE => grants.take_statement(field("assertion")?, world)?,
        other => return Err(Refusal::new(400, "unsupported_grant_type", format!("Invalid grant_type: {other}"))),
    };
    let account = accounts.iter().find(|account| account.email() == issue.account).ok_or_else(Refusal::dead_grant)?;
    let mut body = json!({
        "access_token": issue.access_token,
        "expires_in": world.settings.access_token_lifetime_s.saturating_sub(1),
        "scope": issue.scopes.join(" "),
        "token_type": "Bearer",
    });
    if let Some(refresh_token) = issue.refresh_token {
        body["refresh_token"] = json!(refresh_token);
    }
    if issue.scopes.iter().any(|scope| scope == "openid") {
        body["id_token"] = json!(identity::token(account, grants.client(), &issue.scopes, world));
    }
    Ok((body, issue.account))
}

fn check_client(grants: &Grants, call: &Call, form: &[(String, String)]) -> Result<(), Refusal> {
    let sent = call.basic.clone().or_else(|| {
        let text = |name: &str| find(form, name).map(str::to_owned);
        Some((text("client_id")?, text("client_secret").unwrap_or_default()))
    });
    match sent {
        None => Err(Refusal::new(400, "invalid_request", "Could not determine client ID from request.")),
        Some((id, _)) if !grants.client().is_called(&id) => {
            Err(Refusal::new(401, "invalid_client", "The OAuth client was not found."))
        }
        Some((_, secret)) if !grants.client().has_secret(&secret) => {
            Err(Refusal::new(401, "invalid_client", "Unauthorized"))
        }
        Some(_) => Ok(()),
    }
}

/// Drops everything the account behind a token has granted.
pub fn revoke(grants: &mut Grants, call: &Call) -> Granted {
    let form = call.form();
    let token = find(&form, "token").or_else(|| call.parameter("token")).unwrap_or_default();
    match grants.owner(token) {
        Some(account) => {
            grants.revoke(&account);
            Granted::new(answer(200, &json!({})), Some(&account))
        }
        None => Granted::new(refuse(&Refusal::new(400, "invalid_token", "Token expired or revoked")), None),
    }
}

fn refuse(refusal: &Refusal) -> Response<Bytes> {
    let body = json!({ "error": refusal.error, "error_description": refusal.description });
    answer(refusal.status, &body)
}

fn answer(status: u16, body: &Value) -> Response<Bytes> {
    let mut response = reply::with_body(status, "application/json; charset=utf-8", body.to_string());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, max-age=0"));
    response
}
