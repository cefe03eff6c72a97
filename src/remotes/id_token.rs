//! Who consented: the two claims of an OpenID Connect identity token that say whose account it is.
//!
//! The token comes from the token endpoint itself, over a connection that proved whose endpoint it is, so its signature
//! adds nothing and is not checked. A token that cannot be read is no token: whoever wants to know asks elsewhere.
//!
//! Source: OpenID Connect Core 1.0, sections 2, 3.1.3.7 (point 6) and 12.2 (read 2026-11).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Whom an identity token speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user, as the issuer names it for ever: `sub`.
    pub subject: String,
    /// The address; only within a grant that shows it.
    pub email: Option<String>,
}

/// What a token answer says beside what OAuth itself knows. Of the identity token only the claims are kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct IdentityField {
    #[serde(default, rename = "id_token", deserialize_with = "lenient", skip_serializing)]
    pub(super) identity: Option<Identity>,
}

impl oauth2::ExtraTokenFields for IdentityField {}

/// Anything but a readable token is none: it must not spoil the access token that came with it.
fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Identity>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_str().and_then(claims))
}

/// Reads the payload, the second of the three parts of a signed token.
fn claims(token: &str) -> Option<Identity> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    // The standard forbids padding, and some issuers pad nevertheless.
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let text = |name: &str| claims.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty());
    Some(Identity { subject: text("sub")?.to_owned(), email: text("email").map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A token with this payload.
    fn token(payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(payload))
    }

    fn read(token: Value) -> Option<Identity> {
        serde_json::from_value::<IdentityField>(json!({ "id_token": token })).expect("a field").identity
    }

    #[test]
    fn subject_and_address_are_read() {
        let both = token(r#"{"sub": "108", "email": "ada@example.org", "exp": 1}"#);
        let identity = Identity { subject: "108".to_owned(), email: Some("ada@example.org".to_owned()) };
        assert_eq!(read(json!(both)), Some(identity.clone()));
        let padded = both.replacen(".c2ln", "==.c2ln", 1);
        assert_eq!(read(json!(padded)), Some(identity));
        let alone = Identity { subject: "108".to_owned(), email: None };
        assert_eq!(read(json!(token(r#"{"sub": "108", "email": " "}"#))), Some(alone));
    }

    #[test]
    fn what_cannot_be_read_is_no_token() {
        for odd in [
            json!(null),
            json!(7),
            json!(""),
            json!("a.b"),
            json!("a.!.c"),
            json!(token("no JSON")),
            json!(token("[]")),
            json!(token(r#"{"email": "ada@example.org"}"#)),
            json!(token(r#"{"sub": 108}"#)),
        ] {
            assert_eq!(read(odd.clone()), None, "{odd}");
        }
        assert_eq!(serde_json::from_value::<IdentityField>(json!({})).expect("a field").identity, None);
    }
}
