//! Secrets: where they may come from, and who else may read them.
//!
//! A secret is named in the configuration, but read only when it is needed, so that listing contacts does not need
//! the permission to read a refresh token. A file that other users may read is refused: a secret that leaked once
//! cannot be called back. Credentials handed over by systemd are exempt, because systemd lets the service read them
//! through an access list that shows as a group permission.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::error::{At, SecretError};

/// The longest secret; a service account's key file has about 2.4 KB.
const LENGTH_MAX: u64 = 64 * 1024;

/// A secret and where it comes from.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The key that names it.
    pub key: &'static str,
    /// The place of that key.
    pub at: At,
    /// Where it comes from.
    pub source: SecretSource,
}

/// Where a secret comes from.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// It stands in the configuration itself.
    Inline(SecretString),
    /// A file that only its owner may read.
    File(PathBuf),
    /// A credential handed over by systemd.
    Credential(PathBuf),
}

impl Secret {
    /// The secret, without blanks and line ends around it.
    ///
    /// # Errors
    /// [`SecretError`] names the place of the key, and what to do.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        match &self.source {
            SecretSource::Inline(secret) => Ok(secret.clone()),
            SecretSource::File(path) => self.read_file(path, Readers::OwnerOnly),
            SecretSource::Credential(path) => self.read_file(path, Readers::AsGranted),
        }
    }

    fn read_file(&self, path: &Path, readers: Readers) -> Result<SecretString, SecretError> {
        let unreadable =
            |cause| SecretError::Unreadable { at: self.at.clone(), key: self.key, secret: path.to_owned(), cause };
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if readers == Readers::OwnerOnly && metadata.permissions().mode() & 0o077 != 0 {
            return Err(SecretError::Exposed { at: self.at.clone(), key: self.key, secret: path.to_owned() });
        }
        let mut bytes = Vec::new();
        file.take(LENGTH_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let too_long = bytes.len() as u64 > LENGTH_MAX;
        let why = match String::from_utf8(bytes) {
            Ok(_) if too_long => "it is longer than 64 KiB",
            Ok(text) if !text.trim().is_empty() => return Ok(SecretString::from(text.trim())),
            Ok(_) => "it is empty",
            Err(_) => "it is not text",
        };
        Err(SecretError::Unusable { at: self.at.clone(), key: self.key, secret: path.to_owned(), why })
    }

    /// The error for a secret that can be read and is of no use.
    pub(super) fn unusable(&self, why: &'static str) -> SecretError {
        let secret = match &self.source {
            SecretSource::Inline(_) => PathBuf::new(),
            SecretSource::File(path) | SecretSource::Credential(path) => path.clone(),
        };
        SecretError::Unusable { at: self.at.clone(), key: self.key, secret, why }
    }

    /// Whether the secret stands in the configuration itself.
    pub(super) fn is_inline(&self) -> bool {
        matches!(&self.source, SecretSource::Inline(secret) if !secret.expose_secret().is_empty())
    }
}

/// Who may read the file of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    OwnerOnly,
    AsGranted,
}
