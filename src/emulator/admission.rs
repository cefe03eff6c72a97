//! The door of the API: credentials, scopes, and whether the API is switched on at all.

use serde_json::json;

use super::call::Call;
use super::failure::{Code, Failure};
use super::google::Route;
use super::oauth::{self, Grants, Standing};
use super::world::World;

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account the token speaks for.
    pub account: String,
    /// The scopes of the token.
    pub scopes: Vec<String>,
}

/// Who is calling, and whether the scopes of the token reach as far as the method.
///
/// # Errors
/// 401 without a token that is worth something now, 403 when it does not reach far enough or the API is switched off.
pub fn admit(route: &Route, call: &Call, grants: &Grants, world: &World<'_>) -> Result<Caller, Failure> {
    let unauthenticated = |reason: &str| {
        let text = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or \
                    other valid authentication credential. See \
                    https://developers.google.com/identity/sign-in/web/devconsole-project.";
        let metadata = json!({ "service": "people.googleapis.com", "method": route.rpc() });
        Failure::new(Code::Unauthenticated, text)
            .with_info(reason, "googleapis.com", metadata)
            .with_header("www-authenticate", "Bearer realm=\"https://accounts.google.com/\"".to_owned())
    };
    let token = call.bearer.as_deref().ok_or_else(|| unauthenticated("CREDENTIALS_MISSING"))?;
    let caller = match grants.standing(token, world.now) {
        Standing::Valid { account, scopes } => Caller { account, scopes },
        Standing::Expired => return Err(unauthenticated("ACCESS_TOKEN_EXPIRED")),
        Standing::Unknown => return Err(unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED")),
    };
    if !world.settings.api_enabled {
        let text = "People API has not been used in project 123456789012 before or it is disabled. Enable it by \
                    visiting the console, then retry.";
        let metadata = json!({ "service": "people.googleapis.com", "consumer": "projects/123456789012" });
        return Err(Failure::new(Code::PermissionDenied, text).with_info(
            "SERVICE_DISABLED",
            "googleapis.com",
            metadata,
        ));
    }
    let wanted: &[&str] = match route {
        Route::Me => return Ok(caller),
        _ if route.is_write() => &[oauth::CONTACTS],
        _ => &[oauth::CONTACTS, oauth::CONTACTS_READONLY],
    };
    if caller.scopes.iter().any(|scope| wanted.contains(&scope.as_str())) {
        return Ok(caller);
    }
    let metadata = json!({ "service": "people.googleapis.com", "method": route.rpc() });
    let challenge = format!(
        "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", scope=\"{}\"",
        wanted.join(" ")
    );
    Err(Failure::new(Code::PermissionDenied, "Request had insufficient authentication scopes.")
        .with_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com", metadata)
        .with_header("www-authenticate", challenge))
}
