//! Sealing of OAuth grants: the database holds them only encrypted, under a key that lies outside the database.
//!
//! | sealed bytes | hold |
//! |---|---|
//! | 0 | the layout, 1 |
//! | 1 to 8 | which key sealed it: part of a digest of the key |
//! | 9 to 32 | the nonce, random |
//! | from 33 | XChaCha20-Poly1305 of the secret, with all before it and the account as associated data |
//!
//! So a backup of the database gives no access to any account, a grant moved to another account's row does not open,
//! and one that was changed does not either. The nonce is long enough to be drawn at random for ever.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use sha2::{Digest, Sha256};

use super::private_file;
use crate::clock::Entropy;
use crate::domain::id::AccountName;

const LAYOUT: u8 = 1;
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES;

/// Why a grant cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The key file cannot be read or created.
    #[error("the key file {} cannot be read or created", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Others than the owner may read or write the key file; the key may be known to them.
    #[error("others than the owner may use the key file {} (mode {mode:03o}); make it 600", path.display())]
    KeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file holds no key.
    #[error(
        "the key file {} must hold 32 random bytes and nothing else; put the right one back, or remove it and run \
         `contactsync login` for every account",
        path.display()
    )]
    KeyMalformed {
        /// The file.
        path: PathBuf,
    },
    /// The grant was sealed with another key; only a new login helps, or the old key.
    #[error("the grant of account {account} was sealed with another key")]
    OtherKey {
        /// The account.
        account: AccountName,
    },
    /// The sealed bytes were changed, cut off, or belong to another account.
    #[error("the stored grant of account {account} is damaged or belongs to another account")]
    Damaged {
        /// The account.
        account: AccountName,
    },
}

/// The key that seals grants. It prints redacted and is wiped when dropped.
#[derive(Debug)]
pub struct SealingKey {
    /// The file it was read from.
    place: Option<PathBuf>,
    key: SecretBox<[u8; KEY_BYTES]>,
}

impl SealingKey {
    /// Reads the key, 32 bytes, from the file at `path`; draws it from `entropy` and creates the file, mode 0600, when
    /// there is none. When two processes do so at once, both end with the same key.
    ///
    /// # Errors
    /// [`GrantError::KeyExposed`] when anybody but the owner may use the file, [`GrantError::KeyMalformed`] when it
    /// holds something else, [`GrantError::KeyFile`] when the system refuses.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<Self, GrantError> {
        let failed = |cause| GrantError::KeyFile { path: path.to_owned(), cause };
        match Self::load(path) {
            Err(GrantError::KeyFile { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                create(path, entropy).map_err(failed)?;
                Self::load(path)
            }
            loaded => loaded,
        }
    }

    /// Reads the key from the file at `path`.
    ///
    /// # Errors
    /// As [`SealingKey::load_or_create`]; a missing file is one that the system refuses.
    pub fn load(path: &Path) -> Result<Self, GrantError> {
        let failed = |cause| GrantError::KeyFile { path: path.to_owned(), cause };
        let file = fs::File::open(path).map_err(failed)?;
        // Asked of the open file, not of the path: between the two, the path may lead elsewhere.
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(GrantError::KeyExposed { path: path.to_owned(), mode });
        }
        Self::read(path, file)
    }

    /// Reads the key from a credential that systemd hands to the service. Who may read it is systemd's care: it gives
    /// access by an access control list, which shows in the mode as if the group might read.
    ///
    /// # Errors
    /// [`GrantError::KeyFile`] and [`GrantError::KeyMalformed`], as [`SealingKey::load_or_create`].
    pub fn load_credential(path: &Path) -> Result<Self, GrantError> {
        let file = fs::File::open(path).map_err(|cause| GrantError::KeyFile { path: path.to_owned(), cause })?;
        Self::read(path, file)
    }

    fn read(path: &Path, mut file: fs::File) -> Result<Self, GrantError> {
        let mut key = SecretBox::new(Box::new([0; KEY_BYTES]));
        let read = file.read_exact(key.expose_secret_mut());
        // One byte more would show that the file holds something else.
        let rest = read.and_then(|()| file.read(&mut [0]));
        match rest {
            Ok(0) => Ok(SealingKey { place: Some(path.to_owned()), key }),
            Ok(_) => Err(GrantError::KeyMalformed { path: path.to_owned() }),
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                Err(GrantError::KeyMalformed { path: path.to_owned() })
            }
            Err(cause) => Err(GrantError::KeyFile { path: path.to_owned(), cause }),
        }
    }

    /// The same key, known to people under another path: the one it stands in for.
    #[must_use]
    pub fn called(self, place: &Path) -> Self {
        SealingKey { place: Some(place.to_owned()), ..self }
    }

    /// The file that the key was read from, as people know it.
    pub fn place(&self) -> Option<&Path> {
        self.place.as_deref()
    }

    /// Seals the secret of an account, under a nonce drawn from `entropy`. The same secret gives other bytes each time.
    pub fn seal(&self, account: &AccountName, secret: &SecretString, entropy: &dyn Entropy) -> Vec<u8> {
        let mut sealed = vec![LAYOUT];
        sealed.extend(self.id());
        let nonce: [u8; NONCE_BYTES] = random_bytes(entropy);
        let associated = associated_data(&sealed, account);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &associated };
        let secret = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            // INVARIANT: the cipher takes up to 256 GiB, and a secret that is in memory is smaller.
            .expect("a secret is small enough to be sealed");
        sealed.extend(nonce);
        sealed.extend(secret);
        sealed
    }

    /// Opens what [`SealingKey::seal`] sealed for the same account.
    ///
    /// # Errors
    /// [`GrantError::OtherKey`] when another key sealed it, [`GrantError::Damaged`] when it is not what was sealed or
    /// was sealed for another account.
    pub fn open(&self, account: &AccountName, sealed: &[u8]) -> Result<SecretString, GrantError> {
        let damaged = || GrantError::Damaged { account: account.clone() };
        let (header, rest) = sealed.split_at_checked(HEADER_BYTES).ok_or_else(damaged)?;
        let (nonce, secret) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
        if header[0] != LAYOUT {
            return Err(damaged());
        }
        if header[1..] != self.id() {
            return Err(GrantError::OtherKey { account: account.clone() });
        }
        let payload = Payload { msg: secret, aad: &associated_data(header, account) };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| damaged())?;
        String::from_utf8(opened).map(SecretString::from).map_err(|_| damaged())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.key.expose_secret()))
    }

    /// Which key this is, without telling the key.
    fn id(&self) -> [u8; KEY_ID_BYTES] {
        let digest = Sha256::new().chain_update(b"contactsync sealing key\0").chain_update(self.key.expose_secret());
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest.finalize()[..KEY_ID_BYTES]);
        id
    }
}

/// The header says how the secret was sealed, the account says where it belongs.
fn associated_data(header: &[u8], account: &AccountName) -> Vec<u8> {
    [b"contactsync grant\0", header, account.as_str().as_bytes()].concat()
}

fn random_bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    for piece in bytes.chunks_mut(8) {
        piece.copy_from_slice(&entropy.next_u64().to_be_bytes()[..piece.len()]);
    }
    bytes
}

/// Creates the key file with a new key, unless there is one by then. The file appears under its name only when it is
/// whole.
fn create(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    let draft = path.with_extension(format!("draft-{:016x}", entropy.next_u64()));
    let key = SecretBox::new(Box::new(random_bytes::<KEY_BYTES>(entropy)));
    let mut file = private_file::create(&draft)?;
    let written = file.write_all(key.expose_secret()).and_then(|()| file.sync_all());
    let named = written.and_then(|()| match fs::hard_link(&draft, path) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&draft)?;
    named
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::clock::SeededEntropy;

    fn key(seed: u64) -> SealingKey {
        SealingKey { place: None, key: SecretBox::new(Box::new(random_bytes(&SeededEntropy::new(seed)))) }
    }

    fn account(name: &str) -> AccountName {
        AccountName::new(name)
    }

    fn sealed() -> Vec<u8> {
        key(1).seal(&account("sales"), &SecretString::from("refresh token"), &SeededEntropy::new(2))
    }

    #[test]
    fn what_was_sealed_opens_for_the_same_account() {
        let opened = key(1).open(&account("sales"), &sealed()).expect("sealed with this key");
        assert_eq!(opened.expose_secret(), "refresh token");
    }

    #[test]
    fn sealed_bytes_do_not_show_the_secret_and_differ_each_time() {
        let (entropy, secret) = (SeededEntropy::new(2), SecretString::from("refresh token"));
        let first = key(1).seal(&account("sales"), &secret, &entropy);
        let second = key(1).seal(&account("sales"), &secret, &entropy);
        assert_ne!(first, second);
        assert!(!first.windows(7).any(|window| window == b"refresh"));
    }

    #[test]
    fn a_grant_moved_to_another_account_does_not_open() {
        let opened = key(1).open(&account("office"), &sealed());
        assert!(matches!(opened, Err(GrantError::Damaged { .. })), "{opened:?}");
    }

    #[test]
    fn a_changed_or_cut_grant_does_not_open() {
        let whole = sealed();
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            assert!(key(1).open(&account("sales"), &changed).is_err(), "byte {place}");
            assert!(key(1).open(&account("sales"), &whole[..place]).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn another_key_is_told_from_damage() {
        let opened = key(9).open(&account("sales"), &sealed());
        assert!(matches!(opened, Err(GrantError::OtherKey { .. })), "{opened:?}");
    }

    #[test]
    fn a_key_file_is_created_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/sealing.key");
        let first = SealingKey::load_or_create(&path, &SeededEntropy::new(1)).expect("created");
        let again = SealingKey::load_or_create(&path, &SeededEntropy::new(2)).expect("loaded");
        assert_eq!(first.id(), again.id());
        let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("a folder").count(), 1);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sealing.key");
        SealingKey::load_or_create(&path, &SeededEntropy::new(1)).expect("created");
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
            let loaded = SealingKey::load_or_create(&path, &SeededEntropy::new(1));
            assert!(matches!(loaded, Err(GrantError::KeyExposed { .. })), "{mode:o}: {loaded:?}");
        }
        assert!(SealingKey::load_credential(&path).is_ok());
    }

    #[test]
    fn a_file_without_key_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sealing.key");
        for content in [&b""[..], &[1; 31], &[1; 33], &[1; 5000]] {
            fs::write(&path, content).expect("ours");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
            let loaded = SealingKey::load_or_create(&path, &SeededEntropy::new(1));
            assert!(matches!(loaded, Err(GrantError::KeyMalformed { .. })), "{loaded:?}");
            assert_eq!(fs::read(&path).expect("ours"), content);
        }
    }

    #[test]
    fn a_key_prints_redacted() {
        assert!(format!("{:?}", key(1)).contains("REDACTED"));
    }
}
