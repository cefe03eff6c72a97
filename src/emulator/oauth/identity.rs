//! The identity token: who consented. It has the form of a signed token and no signature worth checking.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Client, EMAIL_SCOPES};
use crate::emulator::account::Account;
use crate::emulator::world::World;

/// The token for `account`; it names the address only within a scope that shows it.
pub fn token(account: &Account, client: &Client, scopes: &[String], world: &World<'_>) -> String {
    let issued_s = world.now.as_micros().div_euclid(1_000_000);
    let mut claims = json!({
        "iss": "https://accounts.google.com",
        "azp": client.id,
        "aud": client.id,
        "sub": account.number().to_string(),
        "iat": issued_s,
        "exp": issued_s + 3600,
    });
    if scopes.iter().any(|scope| EMAIL_SCOPES.contains(&scope.as_str())) {
        claims["email"] = json!(account.email());
        claims["email_verified"] = json!(true);
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims))
}
