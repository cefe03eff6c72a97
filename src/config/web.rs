//! `[web]`: where the console and the API listen.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use toml::de::DeValue;

use super::Surroundings;
use super::error::At;
use super::secret::Secret;
use super::table::{Notes, Table};
use super::value;

/// Where the console listens when the file does not say.
pub(super) const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8732);

/// Where the console and the API listen, and what they ask of a caller.
#[derive(Debug, Clone)]
pub struct Web {
    /// The address; `None` when it is switched off.
    pub listen: Option<SocketAddr>,
    /// The console's password; always there when listening beyond loopback.
    pub password: Option<Secret>,
}

impl Web {
    pub(super) fn read(
        mut table: Table<'_>,
        file: &Path,
        folder: &Path,
        around: &Surroundings,
        notes: &mut Notes<'_>,
    ) -> Self {
        let listen = table.optional("listen", notes, listen);
        let password = table.optional("password_file", notes, value::text).map(|path| Secret {
            key: "web.password_file",
            at: At { file: file.to_owned(), position: notes.position(path.place.start) },
            source: around.secret_file(folder.join(path.value)),
        });
        if let Some(at) = &listen
            && at.value.is_some_and(|address| !address.ip().is_loopback())
            && password.is_none()
        {
            let message = "required when listening beyond loopback";
            notes.problem(&at.place, table.key("password_file"), message);
        }
        table.finish(notes);
        Web { listen: listen.map_or(Some(DEFAULT_LISTEN), |at| at.value), password }
    }
}

fn listen(value: &DeValue<'_>) -> Result<Option<SocketAddr>, String> {
    let text = value::text_or_empty(value).unwrap_or_else(|_| "?".to_owned());
    if text.is_empty() {
        return Ok(None);
    }
    let numeric = text.strip_prefix("localhost:").map_or_else(|| text.clone(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map(Some).map_err(|_| "an address and a port such as \"127.0.0.1:8732\", or \"\"".to_owned())
}
