//! Who may ask.
//!
//! HTTP Basic authentication, as every scraper knows it; the user's name does not matter. Checking a password is slow on
//! purpose, so one is checked at a time, one that is known to be right is known again by a keyed digest, and after some
//! wrong ones from an address nobody there is listened to for a while, not even with the right one, so that guessing gets
//! nowhere and locks nobody else out.
//!
//! Source: RFC 7617 (Basic authentication).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use tracing::warn;

use super::Password;
use crate::clock::Entropy;

/// How many wrong passwords are put up with at a time.
const TRIES: u32 = 5;
/// How long until one more is.
const PAUSE: Duration = Duration::from_secs(12);
/// Of how many addresses that is remembered. Beyond that, nobody new is listened to who does not know the password.
const ADDRESSES_MAX: usize = 1024;

/// Where a caller is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Keeps out who does not know the password.
pub(super) struct Guard {
    password: Option<Arc<Password>>,
    /// The key of digests; new with each process.
    key: [[u8; 16]; 2],
    known: Mutex<Known>,
    /// Held by whoever's password is being checked.
    checking: tokio::sync::Mutex<()>,
}

/// What was seen of callers.
struct Known {
    /// The digest of what was right.
    right: Option<[u8; 32]>,
    tries: BTreeMap<IpAddr, Tries>,
}

impl Known {
    /// Whether so many wrong passwords came from this address that it is not listened to now, whatever it says: a right
    /// guess among wrong ones must look like one of them.
    fn is_shut_out(&mut self, address: IpAddr, now: Instant) -> bool {
        self.tries.get_mut(&address).is_some_and(|tries| {
            tries.refill(now);
            tries.left == 0
        })
    }

    /// Whether somebody at this address may try one more password.
    fn may_try(&mut self, address: IpAddr, now: Instant) -> bool {
        if self.tries.len() >= ADDRESSES_MAX && !self.tries.contains_key(&address) {
            self.tries.retain(|_, tries| {
                tries.refill(now);
                tries.left < TRIES
            });
            if self.tries.len() >= ADDRESSES_MAX {
                return false;
            }
        }
        self.tries.entry(address).or_insert(Tries { left: TRIES, since: now }).take(now)
    }
}

/// How many wrong passwords are still put up with: a bucket that fills slowly.
#[derive(Debug, Clone, Copy)]
struct Tries {
    left: u32,
    since: Instant,
}

impl Tries {
    /// Takes the time that has passed into account.
    fn refill(&mut self, now: Instant) {
        let pauses = now.duration_since(self.since).as_secs() / PAUSE.as_secs();
        if pauses > 0 {
            let more = u32::try_from(pauses).unwrap_or(TRIES);
            self.left = self.left.saturating_add(more).min(TRIES);
            self.since = now;
        }
    }

    /// Whether one more may be tried.
    fn take(&mut self, now: Instant) -> bool {
        self.refill(now);
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

/// What is answered to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Welcome,
    Unknown,
    TooMany,
}

impl Guard {
    /// Asks for this password; without one, nobody is asked.
    pub(super) fn new(password: Option<Arc<Password>>, entropy: &dyn Entropy) -> Self {
        let key = [entropy.next_u128().to_be_bytes(), entropy.next_u128().to_be_bytes()];
        let known = Mutex::new(Known { right: None, tries: BTreeMap::new() });
        let guard = Guard { password, key, known, checking: tokio::sync::Mutex::default() };
        let right = guard.password.as_ref().and_then(|password| password.plain()).map(|plain| guard.digest(plain));
        guard.known().right = right;
        guard
    }

    async fn judge(&self, peer: IpAddr, tried: Option<SecretString>) -> Verdict {
        let Some(password) = &self.password else { return Verdict::Welcome };
        let Some(tried) = tried else { return Verdict::Unknown };
        let digest = self.digest(&tried);
        if self.known().is_shut_out(peer, Instant::now()) {
            return Verdict::TooMany;
        }
        if self.is_known(&digest) {
            return Verdict::Welcome;
        }
        let _alone = self.checking.lock().await;
        if self.is_known(&digest) {
            return Verdict::Welcome;
        }
        if !self.known().may_try(peer, Instant::now()) {
            return Verdict::TooMany;
        }
        let password = Arc::clone(password);
        let is_right = tokio::task::spawn_blocking(move || password.is(&tried)).await.unwrap_or(false);
        if !is_right {
            if self.known().is_shut_out(peer, Instant::now()) {
                warn!(address = %peer, "too many wrong passwords from {peer}; nobody there is listened to for a while");
            }
            return Verdict::Unknown;
        }
        let mut known = self.known();
        known.right = Some(digest);
        known.tries.remove(&peer);
        Verdict::Welcome
    }

    fn is_known(&self, digest: &[u8; 32]) -> bool {
        self.known().right.is_some_and(|right| bool::from(right.ct_eq(digest)))
    }

    fn digest(&self, tried: &SecretString) -> [u8; 32] {
        // A key of any length is taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_flattened()) else { return [1; 32] };
        mac.update(tried.expose_secret().as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a request through whose password is right.
pub(super) async fn admit(
    State(guard): State<Arc<Guard>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    match guard.judge(peer, tried(&request)).await {
        Verdict::Welcome => next.run(request).await,
        Verdict::Unknown => {
            let challenge = HeaderValue::from_static("Basic realm=\"contactsync\", charset=\"UTF-8\"");
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], "the password is missing or wrong\n")
                .into_response()
        }
        Verdict::TooMany => {
            let pause = HeaderValue::from(PAUSE.as_secs());
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, pause)], "too many wrong passwords; try later\n")
                .into_response()
        }
    }
}

/// The password that a request brings.
fn tried(request: &Request) -> Option<SecretString> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (_, password) = text.split_once(':')?;
    Some(SecretString::from(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_passwords_are_put_up_with_until_there_are_too_many() {
        let begin = Instant::now();
        let mut tries = Tries { left: TRIES, since: begin };
        assert!((0..TRIES).all(|_| tries.take(begin)));
        assert!(!tries.take(begin));
        assert!(!tries.take(begin + PAUSE - Duration::from_millis(1)));
        assert!(tries.take(begin + PAUSE));
        assert!(!tries.take(begin + PAUSE));
        let rested = begin + PAUSE * 100;
        assert!((0..TRIES).all(|_| tries.take(rested)) && !tries.take(rested), "no more than at the start");
    }

    #[test]
    fn who_guesses_locks_out_nobody_at_another_address() {
        let now = Instant::now();
        let mut known = Known { right: None, tries: BTreeMap::new() };
        let address = |last: u16| IpAddr::from([10, 0, u8::try_from(last / 256).expect("small"), (last % 256) as u8]);
        while known.may_try(address(1), now) {}
        assert!(known.may_try(address(2), now));
        (3..2000).for_each(|last| _ = known.may_try(address(last), now));
        assert!(known.tries.len() <= ADDRESSES_MAX, "{}", known.tries.len());
        assert!(!known.may_try(address(2000), now), "there are too many who guess");
        assert!(known.may_try(address(2000), now + PAUSE), "until they have been forgotten");
    }

    #[test]
    fn the_password_is_what_follows_the_first_colon() {
        let of = |value: &str| {
            let request = Request::builder().header(header::AUTHORIZATION, value).body(axum::body::Body::empty());
            tried(&request.expect("a request")).map(|tried| tried.expose_secret().to_owned())
        };
        assert_eq!(of(&format!("Basic {}", STANDARD.encode("me:a:b"))).as_deref(), Some("a:b"));
        assert_eq!(of(&format!("basic {}", STANDARD.encode(":x"))).as_deref(), Some("x"));
        for odd in ["Bearer abc", "Basic", "Basic ***", &format!("Basic {}", STANDARD.encode("no colon"))] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }
}
