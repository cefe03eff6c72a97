//! `[google]`: the OAuth client and the service addresses, the same for all accounts.

use std::path::Path;

use secrecy::SecretString;
use url::Url;

use super::Surroundings;
use super::error::{At, SecretError};
use super::secret::{Secret, SecretSource};
use super::table::{self, Notes, Table};
use super::value;

/// The addresses of Google, in the order of the file.
pub(super) const ADDRESSES: [(&str, &str); 4] = [
    ("api_url", "https://people.googleapis.com"),
    ("auth_url", "https://accounts.google.com/o/oauth2/v2/auth"),
    ("token_url", "https://oauth2.googleapis.com/token"),
    ("revoke_url", "https://oauth2.googleapis.com/revoke"),
];

/// How accounts reach Google.
#[derive(Debug, Clone)]
pub struct Google {
    /// The OAuth client's id; `None` only when no account needs it.
    pub client_id: Option<String>,
    /// The OAuth client's secret; `None` when none of its places has it.
    pub client_secret: Option<Secret>,
    /// The People API.
    pub api_url: Url,
    /// The consent page.
    pub auth_url: Url,
    /// Where tokens are exchanged and refreshed.
    pub token_url: Url,
    /// Where a grant is given back.
    pub revoke_url: Url,
    /// Reads per minute and account, at most.
    pub reads_per_minute: u32,
    /// Writes per minute and account, at most.
    pub writes_per_minute: u32,
    place: At,
}

impl Google {
    /// Reads the table; `None` only when an address could not be had, and then the problem is noted.
    pub(super) fn read(
        mut table: Table<'_>,
        file: &Path,
        folder: &Path,
        around: &Surroundings,
        notes: &mut Notes<'_>,
    ) -> Option<Self> {
        let place = At { file: file.to_owned(), position: notes.position(table.place().start) };
        let client_id = table.optional("client_id", notes, value::text).map(|at| at.value);
        let client_secret = client_secret(&mut table, &place, folder, around, notes);
        let [api_url, auth_url, token_url, revoke_url] =
            ADDRESSES.map(|(key, default)| match table.optional(key, notes, value::address) {
                Some(at) => Some(at.value),
                None => Url::parse(default).ok(),
            });
        let reads_per_minute = table.or("reads_per_minute", 60, notes, value::number(1, 1_000_000));
        let writes_per_minute = table.or("writes_per_minute", 60, notes, value::number(1, 1_000_000));
        table.finish(notes);
        Some(Google {
            client_id,
            client_secret,
            api_url: api_url?,
            auth_url: auth_url?,
            token_url: token_url?,
            revoke_url: revoke_url?,
            reads_per_minute,
            writes_per_minute,
            place,
        })
    }

    /// Where the configuration names the OAuth client, for people: keys, file and line.
    pub fn place_of_client(&self) -> String {
        match &self.client_secret {
            Some(Secret { key, at, .. }) => format!("google.client_id and {key}, {at}"),
            None => format!("google.client_id, {}", self.place),
        }
    }

    /// The OAuth client's secret.
    ///
    /// # Errors
    /// [`SecretError`] when no place has it, or others may read it; the message names the cure.
    pub fn read_client_secret(&self) -> Result<SecretString, SecretError> {
        match &self.client_secret {
            Some(secret) => secret.read(),
            None => Err(SecretError::Missing {
                file: self.place.file.clone(),
                key: "google.client_secret",
                cure: "set google.client_secret_file or google.client_secret, or hand over the systemd credential \
                       google-client-secret",
            }),
        }
    }
}

fn client_secret(
    table: &mut Table<'_>,
    place: &At,
    folder: &Path,
    around: &Surroundings,
    notes: &mut Notes<'_>,
) -> Option<Secret> {
    let inline = table.hidden("client_secret", notes, value::text);
    let file = table.optional("client_secret_file", notes, value::text);
    let at = |at: &table::At<String>, notes: &Notes<'_>| At {
        file: place.file.clone(),
        position: notes.position(at.place.start),
    };
    match (inline, file) {
        (Some(inline), Some(_)) => {
            let message = "client_secret and client_secret_file contradict each other; keep one";
            notes.problem(&inline.place, table.key("client_secret"), message);
            None
        }
        (Some(inline), None) => Some(Secret {
            key: "google.client_secret",
            at: at(&inline, notes),
            source: SecretSource::Inline(SecretString::from(inline.value)),
        }),
        (None, Some(path)) => Some(Secret {
            key: "google.client_secret_file",
            at: at(&path, notes),
            source: around.secret_file(folder.join(path.value)),
        }),
        (None, None) => around.credential("google-client-secret").map(|path| Secret {
            key: "google.client_secret",
            at: place.clone(),
            source: SecretSource::Credential(path),
        }),
    }
}
