//! Where the configuration is looked for, and what else the environment has to say about it.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::secret::SecretSource;

/// What the environment of the process says; read once, at the door, and handed down.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `--config`.
    pub asked_for: Option<PathBuf>,
    /// `$CONTACTSYNC_CONFIG`.
    pub named: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`, else `$HOME/.config`.
    pub user_folder: Option<PathBuf>,
    /// `$CREDENTIALS_DIRECTORY`, which systemd sets.
    pub credentials: Option<PathBuf>,
}

impl Surroundings {
    /// What the environment of this process says, with the file that `--config` named.
    pub fn of_process(asked_for: Option<PathBuf>) -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Surroundings {
            asked_for,
            named: variable("CONTACTSYNC_CONFIG"),
            // The base directory specification: a relative path there is invalid and to be ignored.
            user_folder: variable("XDG_CONFIG_HOME")
                .filter(|path| path.is_absolute())
                .or_else(|| variable("HOME").map(|home| home.join(".config"))),
            credentials: variable("CREDENTIALS_DIRECTORY"),
        }
    }

    /// The configuration file. A file that was named is the only one that counts, whether it is there or not.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] with every place it was looked for.
    pub fn locate(&self) -> Result<PathBuf, ConfigError> {
        let candidates = match (&self.asked_for, &self.named) {
            (Some(path), _) | (None, Some(path)) => vec![path.clone()],
            (None, None) => self
                .user_folder
                .iter()
                .map(|folder| folder.join("contactsync/contactsync.toml"))
                .chain([PathBuf::from("/etc/contactsync/contactsync.toml")])
                .collect(),
        };
        // Anything but "not there" is found, so that a file without permission is reported as such and not skipped.
        let found = candidates.iter().find(|path| path.try_exists().unwrap_or(true));
        found.cloned().ok_or(ConfigError::Missing { looked_for: candidates })
    }

    /// A credential handed over by systemd, if there is one of that name.
    pub(super) fn credential(&self, name: &str) -> Option<PathBuf> {
        let path = self.credentials.as_ref()?.join(name);
        path.try_exists().unwrap_or(true).then_some(path)
    }

    /// A file that holds a secret; one inside the folder of credentials is a credential.
    pub(super) fn secret_file(&self, path: PathBuf) -> SecretSource {
        let within = |folder: &PathBuf| Path::starts_with(&path, folder);
        if self.credentials.as_ref().is_some_and(within) {
            SecretSource::Credential(path)
        } else {
            SecretSource::File(path)
        }
    }
}
