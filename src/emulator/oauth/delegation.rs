//! Service accounts, and the users to whom the domain's administrator delegated each.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::Value;

use super::{CONTACTS, Refusal};
use crate::emulator::world::World;

/// The grant type of a signed statement.
pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest life of a statement, in seconds.
const LIFE_MAX_S: i64 = 3600;
/// How far the clocks may be apart, in seconds.
const CLOCKS_APART_S: i64 = 300;

/// A service account as the control API registers it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// Its address.
    pub client_email: String,
    /// Its public key, RSA as PEM (`BEGIN PUBLIC KEY`).
    pub public_key: String,
    /// The users to whom it was delegated.
    #[serde(default)]
    pub users: BTreeSet<String>,
}

#[derive(Debug)]
struct Known {
    key: Vec<u8>,
    users: BTreeSet<String>,
}

/// All service accounts.
#[derive(Debug, Default)]
pub struct Delegations {
    known: BTreeMap<String, Known>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    #[serde(default)]
    sub: String,
    scope: String,
    aud: String,
    iat: i64,
    exp: i64,
}

impl Delegations {
    /// Registers a service account, or replaces what is known of it.
    ///
    /// # Errors
    /// One sentence about a key that is none.
    pub fn register(&mut self, account: ServiceAccount) -> Result<(), String> {
        let info = SubjectPublicKeyInfoDer::from_pem_slice(account.public_key.as_bytes())
            .map_err(|_| "public_key is not PEM (BEGIN PUBLIC KEY)".to_owned())?;
        let key = rsa_key(&info).ok_or_else(|| "public_key is no RSA key".to_owned())?.to_vec();
        let users = account.users.iter().map(|user| user.to_lowercase()).collect();
        self.known.insert(account.client_email, Known { key, users });
        Ok(())
    }

    /// Checks a signed statement. Returns the user and the scopes that it is good for.
    pub(super) fn accept(&self, assertion: &str, world: &World<'_>) -> Result<(String, Vec<String>), Refusal> {
        let grant = |text: &str| Refusal::new(400, "invalid_grant", text);
        let (signed, signature) = assertion.rsplit_once('.').ok_or_else(|| grant("Bad Request"))?;
        let (header, claims) = signed.split_once('.').ok_or_else(|| grant("Bad Request"))?;
        let header: Value = read(header).ok_or_else(|| grant("Invalid JWT: Failed to parse header."))?;
        let claims: Claims = read(claims).ok_or_else(|| grant("Invalid JWT: Failed to parse claims."))?;
        let known = self.known.get(&claims.iss).ok_or_else(|| grant("Invalid grant: account not found"))?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| grant("Invalid JWT Signature."))?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &known.key);
        if header["alg"] != "RS256" || key.verify(signed.as_bytes(), &signature).is_err() {
            return Err(grant("Invalid JWT Signature."));
        }
        let now = world.now.as_micros().div_euclid(1_000_000);
        let is_timely = claims.iat <= now + CLOCKS_APART_S && claims.exp > now && claims.exp - claims.iat <= LIFE_MAX_S;
        if !is_timely {
            return Err(grant(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            ));
        }
        if !claims.aud.ends_with("/token") {
            return Err(grant("Invalid JWT: Failed audience check."));
        }
        let scopes: Vec<String> = claims.scope.split(' ').map(str::to_owned).collect();
        let user = claims.sub.to_lowercase();
        if !known.users.contains(&user) || scopes.iter().any(|scope| scope != CONTACTS) {
            return Err(Refusal::new(
                401,
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any \
                 of the scopes requested.",
            ));
        }
        Ok((user, scopes))
    }
}

/// The RSA key in a public key's wrapping: behind the name of the algorithm stands a bit string with the key in it.
fn rsa_key(info: &[u8]) -> Option<&[u8]> {
    const RSA_ENCRYPTION: [u8; 13] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00];
    let place = info.windows(RSA_ENCRYPTION.len()).position(|bytes| bytes == RSA_ENCRYPTION)?;
    let bits = info.get(place + RSA_ENCRYPTION.len()..)?.strip_prefix(&[0x03])?;
    // A long length says first in how many bytes it is written.
    let (length, rest) = bits.split_first()?;
    let rest = if *length < 0x80 { rest } else { rest.get(usize::from(length & 0x7F)..)? };
    rest.strip_prefix(&[0x00])
}

fn read<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
