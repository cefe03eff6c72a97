//! `[pipedrive]`: the CRM that stands behind the store. Read and checked, so that a file can be prepared for it; this
//! release does not synchronize with it yet, and says so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::table::{Notes, Table};
use super::value;

/// How a Pipedrive company is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipedrive {
    /// The company's address.
    pub company_url: Url,
    /// How we prove who we are.
    pub access: PipedriveAccess,
    /// How often changes are asked for.
    pub poll: Duration,
    /// How many tokens of the daily budget may be spent.
    pub daily_token_budget: u32,
}

/// How we prove to Pipedrive who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipedriveAccess {
    /// A personal API token.
    Token(PathBuf),
    /// An OAuth client.
    OAuth {
        /// The client's id.
        client_id: String,
        /// The file with its secret.
        client_secret_file: PathBuf,
    },
}

impl Pipedrive {
    /// Reads the table; `None` when something required is missing or wrong, and then the problem is noted.
    pub(super) fn read(mut table: Table<'_>, folder: &Path, notes: &mut Notes<'_>) -> Option<Self> {
        let place = table.place().clone();
        notes.warning(
            &place,
            "pipedrive",
            "this release does not synchronize with Pipedrive yet; the section is only checked",
        );
        let company_url = table.required("company_url", notes, value::address);
        let access = access(&mut table, folder, notes);
        let poll = table.or("poll", Duration::from_secs(120), notes, value::duration);
        let daily_token_budget = table.or("daily_token_budget", 30_000, notes, value::number(1, u32::MAX));
        table.finish(notes);
        Some(Pipedrive { company_url: company_url?.value, access: access?, poll, daily_token_budget })
    }
}

fn access(table: &mut Table<'_>, folder: &Path, notes: &mut Notes<'_>) -> Option<PipedriveAccess> {
    let token = table.optional("api_token_file", notes, value::text).map(|at| at.value);
    let id = table.optional("client_id", notes, value::text).map(|at| at.value);
    let secret = table.optional("client_secret_file", notes, value::text).map(|at| at.value);
    match (token, id, secret) {
        (Some(token), None, None) => Some(PipedriveAccess::Token(folder.join(token))),
        (None, Some(client_id), Some(secret)) => {
            Some(PipedriveAccess::OAuth { client_id, client_secret_file: folder.join(secret) })
        }
        _ => {
            let message = "expected either api_token_file, or client_id together with client_secret_file";
            notes.problem(&table.place().clone(), table.key("api_token_file"), message);
            None
        }
    }
}
