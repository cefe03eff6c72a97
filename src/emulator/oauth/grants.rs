//! Codes, refresh tokens and access tokens, and which account stands behind each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::delegation::Delegations;
use super::{CONTACTS, EMAIL_SCOPES, PROFILE_SCOPES, Refusal};
use crate::domain::time::Timestamp;
use crate::emulator::account::Account;
use crate::emulator::call::Call;
use crate::emulator::world::{Dice, World};

/// How long a code can be redeemed.
const CODE_TIME: Duration = Duration::from_secs(600);

/// The one OAuth client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret, which for an installed program is none.
    pub secret: String,
}

impl Client {
    /// Whether `id` is its id.
    pub fn is_called(&self, id: &str) -> bool {
        self.id == id
    }

    /// Whether `secret` is its secret.
    pub fn has_secret(&self, secret: &str) -> bool {
        self.secret == secret
    }
}

/// What an access token is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It speaks for this account within these scopes.
    Valid {
        /// The account.
        account: String,
        /// The scopes.
        scopes: Vec<String>,
    },
    /// It did once.
    Expired,
    /// It never did, or its grant was revoked.
    Unknown,
}

/// What the token endpoint hands out.
#[derive(Debug)]
pub struct Issue {
    /// For whom.
    pub account: String,
    /// What it allows.
    pub scopes: Vec<String>,
    /// The access token.
    pub access_token: String,
    /// A refresh token, where a new one is due.
    pub refresh_token: Option<String>,
}

#[derive(Debug, Clone)]
struct Grant {
    account: String,
    scopes: Vec<String>,
}

#[derive(Debug)]
struct Access {
    grant: Grant,
    expires: Timestamp,
}

#[derive(Debug)]
struct Code {
    grant: Grant,
    redirect_uri: String,
    challenge: Option<String>,
    is_offline: bool,
    expires: Timestamp,
}

/// All tokens.
#[derive(Debug)]
pub struct Grants {
    client: Client,
    refresh_tokens: BTreeMap<String, Grant>,
    access_tokens: BTreeMap<String, Access>,
    codes: BTreeMap<String, Code>,
    consented: BTreeSet<String>,
    delegations: Delegations,
}

impl Grants {
    /// No tokens yet.
    pub fn new(client: Client) -> Self {
        Grants {
            client,
            refresh_tokens: BTreeMap::new(),
            access_tokens: BTreeMap::new(),
            codes: BTreeMap::new(),
            consented: BTreeSet::new(),
            delegations: Delegations::default(),
        }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Lets `account` grant access to its contacts and its address, and answers the refresh token.
    pub fn grant(&mut self, account: &str, dice: &Dice) -> String {
        self.consented.insert(account.to_owned());
        self.new_refresh_token(full_grant(account), dice)
    }

    /// The oldest-named live refresh token of `account`.
    pub fn refresh_token(&self, account: &str) -> Option<&str> {
        self.refresh_tokens.iter().find(|(_, grant)| grant.account == account).map(|(token, _)| token.as_str())
    }

    fn new_refresh_token(&mut self, grant: Grant, dice: &Dice) -> String {
        let token = format!("1//0g{}", dice.secret(5));
        self.refresh_tokens.insert(token.clone(), grant);
        token
    }

    /// What `token` is worth at `now`.
    pub fn standing(&self, token: &str, now: Timestamp) -> Standing {
        match self.access_tokens.get(token) {
            Some(access) if access.expires <= now => Standing::Expired,
            Some(access) => {
                Standing::Valid { account: access.grant.account.clone(), scopes: access.grant.scopes.clone() }
            }
            None => Standing::Unknown,
        }
    }

    /// The account behind a refresh or access token.
    pub fn owner(&self, token: &str) -> Option<String> {
        let refresh = self.refresh_tokens.get(token).map(|grant| &grant.account);
        let access = || self.access_tokens.get(token).map(|access| &access.grant.account);
        refresh.or_else(access).cloned()
    }

    /// Drops everything `account` has granted.
    pub fn revoke(&mut self, account: &str) {
        self.refresh_tokens.retain(|_, grant| grant.account != account);
        self.access_tokens.retain(|_, access| access.grant.account != account);
        self.codes.retain(|_, code| code.grant.account != account);
        self.consented.remove(account);
    }

    /// Ends all access tokens of `account`; the refresh tokens stay.
    pub fn expire_access_tokens(&mut self, account: &str, now: Timestamp) {
        for access in self.access_tokens.values_mut().filter(|access| access.grant.account == account) {
            access.expires = access.expires.min(now);
        }
    }

    /// An access token of `account` for contacts and address, without asking the token endpoint.
    pub fn access_token(&mut self, account: &str, world: &World<'_>) -> String {
        self.issue(full_grant(account), None, world).access_token
    }

    /// Issues a code for a consent, and answers it with the granted scopes.
    pub(super) fn issue_code(
        &mut self,
        account: &Account,
        call: &Call,
        world: &World<'_>,
    ) -> Result<(String, String), Refusal> {
        let asked: Vec<String> = call.parameter("scope").unwrap_or_default().split(' ').map(full_scope).collect();
        if asked.iter().any(String::is_empty) {
            return Err(Refusal::new(400, "invalid_request", "Missing required parameter: scope"));
        }
        let challenge = call.parameter("code_challenge").map(str::to_owned);
        let is_challenge_odd = match call.parameter("code_challenge_method") {
            Some("S256") => challenge.is_none(),
            // Plain challenges are legal and prove nothing; a careful client sends none.
            _ => challenge.is_some() || world.is_strict(),
        };
        if is_challenge_odd {
            return Err(Refusal::new(400, "invalid_request", "A code challenge of the method S256 is due."));
        }
        let granted = world.settings.granted_scopes.as_ref();
        let scopes: Vec<String> =
            asked.into_iter().filter(|scope| granted.is_none_or(|granted| granted.contains(scope))).collect();
        let scope = scopes.join(" ");
        // A second consent brings a refresh token only when the client insists on asking again.
        let is_first = self.consented.insert(account.email().to_owned());
        let asks_again = call.parameter("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "consent"));
        let code = format!("4/0A{}", world.dice.secret(4));
        let issued = Code {
            grant: Grant { account: account.email().to_owned(), scopes },
            redirect_uri: call.parameter("redirect_uri").unwrap_or_default().to_owned(),
            challenge,
            is_offline: call.parameter("access_type") == Some("offline") && (is_first || asks_again),
            expires: world.now.plus(CODE_TIME),
        };
        self.codes.insert(code.clone(), issued);
        Ok((code, scope))
    }

    /// Exchanges a code. It works once, from the redirect address it was sent to, with the verifier behind its
    /// challenge.
    pub(super) fn redeem(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        world: &World<'_>,
    ) -> Result<Issue, Refusal> {
        let malformed = || Refusal::new(400, "invalid_grant", "Malformed auth code.");
        let issued = self.codes.remove(code).filter(|issued| world.now < issued.expires).ok_or_else(malformed)?;
        if issued.redirect_uri != redirect_uri {
            return Err(Refusal::new(400, "redirect_uri_mismatch", "Bad Request"));
        }
        if let Some(challenge) = &issued.challenge {
            let verifier = verifier.ok_or_else(|| Refusal::new(400, "invalid_grant", "Missing code verifier."))?;
            if !is_verifier(verifier) || URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != *challenge {
                return Err(Refusal::new(400, "invalid_grant", "Invalid code verifier."));
            }
        }
        let refresh_token = issued.is_offline.then(|| self.new_refresh_token(issued.grant.clone(), world.dice));
        Ok(self.issue(issued.grant, refresh_token, world))
    }

    /// Exchanges a refresh token. Under rotation it works once.
    pub(super) fn refresh(&mut self, token: &str, world: &World<'_>) -> Result<Issue, Refusal> {
        let grant = self.refresh_tokens.get(token).cloned().ok_or_else(Refusal::dead_grant)?;
        let refresh_token = world.settings.rotate_refresh_tokens.then(|| {
            self.refresh_tokens.remove(token);
            self.new_refresh_token(grant.clone(), world.dice)
        });
        Ok(self.issue(grant, refresh_token, world))
    }

    /// The service accounts.
    pub fn delegations_mut(&mut self) -> &mut Delegations {
        &mut self.delegations
    }

    /// Exchanges the signed statement of a service account. It brings no refresh token.
    pub(super) fn take_statement(&mut self, assertion: &str, world: &World<'_>) -> Result<Issue, Refusal> {
        let (account, scopes) = self.delegations.accept(assertion, world)?;
        Ok(self.issue(Grant { account, scopes }, None, world))
    }

    fn issue(&mut self, grant: Grant, refresh_token: Option<String>, world: &World<'_>) -> Issue {
        let access_token = format!("ya29.a0Af{}", world.dice.secret(8));
        let lifetime = Duration::from_secs(world.settings.access_token_lifetime_s);
        let issue = Issue {
            account: grant.account.clone(),
            scopes: grant.scopes.clone(),
            access_token: access_token.clone(),
            refresh_token,
        };
        // Long dead tokens need no answer of their own any more.
        let forgotten = world.now.minus(Duration::from_secs(24 * 3600));
        self.access_tokens.retain(|_, access| access.expires > forgotten);
        self.access_tokens.insert(access_token, Access { grant, expires: world.now.plus(lifetime) });
        issue
    }
}

fn full_grant(account: &str) -> Grant {
    let scopes = [CONTACTS, "openid", EMAIL_SCOPES[0]].map(str::to_owned).to_vec();
    Grant { account: account.to_owned(), scopes }
}

/// The short OpenID names stand for full scopes, which is what the token answer names.
fn full_scope(scope: &str) -> String {
    match scope {
        "email" => EMAIL_SCOPES[0].to_owned(),
        "profile" => PROFILE_SCOPES[0].to_owned(),
        other => other.to_owned(),
    }
}

fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}
