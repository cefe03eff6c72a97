//! The password of those who ask over HTTP.
//!
//! The file holds either the password or, better, its hash in the PHC format (`$argon2id$…`), as the program `argon2 -e`
//! makes it. What is tried is compared with the hash, in constant time.
//!
//! Source: RFC 9106 (Argon2), section 4; the parameters are the defaults of the library, which follow OWASP's.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Secret, SecretError};

/// A password that can be checked, and not be read.
pub struct Password {
    /// What the file says.
    text: SecretString,
    hash: String,
}

/// Whether both files say the same.
impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.text.expose_secret() == other.text.expose_secret()
    }
}

/// Why a password is of no use.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It looks like a hash, and is none.
    #[error(
        "{at}: web.password_file: it begins as a hash and is none that can be used; make one with `argon2 SALT -id -e`"
    )]
    Hash {
        /// The place of the key.
        at: String,
    },
    /// It cannot be hashed.
    #[error("{at}: web.password_file: it cannot be hashed")]
    Unhashed {
        /// The place of the key.
        at: String,
    },
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// Reads the password, or its hash.
    ///
    /// # Errors
    /// [`PasswordError`], which names the place of the key.
    pub fn read(secret: &Secret) -> Result<Password, PasswordError> {
        let text = secret.read()?;
        let at = || secret.at.to_string();
        if text.expose_secret().starts_with("$argon2") {
            let hash = text.expose_secret().to_owned();
            return match PasswordHash::new(&hash) {
                Ok(_) => Ok(Password { text, hash }),
                Err(_) => Err(PasswordError::Hash { at: at() }),
            };
        }
        let hash = Argon2::default().hash_password(text.expose_secret().as_bytes());
        hash.map(|hash| Password { text, hash: hash.to_string() }).map_err(|_| PasswordError::Unhashed { at: at() })
    }

    /// The password itself, where the file does not hold its hash only.
    pub(super) fn plain(&self) -> Option<&SecretString> {
        Some(&self.text).filter(|text| text.expose_secret() != self.hash)
    }

    /// Whether this is the password. It takes a tenth of a second of one processor, on purpose.
    pub(super) fn is(&self, tried: &SecretString) -> bool {
        PasswordHash::new(&self.hash)
            .is_ok_and(|hash| Argon2::default().verify_password(tried.expose_secret().as_bytes(), &hash).is_ok())
    }
}
