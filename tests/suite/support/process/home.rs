//! A user's folder: configuration, store, files; and the program as the user runs it there.

use std::ffi::OsStr;
use std::fs;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tempfile::TempDir;

use super::program::{Program, Ran, command};
use super::sandbox::{ACCOUNT, Sandbox};

/// A user's folder.
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A folder without a configuration.
    pub fn empty() -> Home {
        Home { folder: tempfile::tempdir().expect("a folder") }
    }

    /// A folder with a store and no account.
    pub fn alone() -> Home {
        Home::with_store("")
    }

    /// A folder with a store, and what else the configuration is to say.
    pub fn with_store(rest: &str) -> Home {
        let home = Home::empty();
        home.configure(&format!("[store]\nurl = \"sqlite:contacts.db\"\n{rest}"));
        home
    }

    /// A folder with one account, whose group is `Team`.
    pub fn with(sandbox: &Sandbox) -> Home {
        Home::with_account(sandbox, "")
    }

    /// The same with more keys for the account.
    pub fn with_account(sandbox: &Sandbox, more: &str) -> Home {
        let home = Home::empty();
        home.write_private("refresh-token", sandbox.fact("refresh_token"));
        home.configure(&Home::configuration(sandbox, more));
        home
    }

    /// The configuration of a folder with one account. It comes due when it is asked, or at the first start.
    pub fn configuration(sandbox: &Sandbox, more: &str) -> String {
        let google: String = ["client_id", "client_secret", "api_url", "auth_url", "token_url", "revoke_url"]
            .map(|key| format!("{key} = \"{}\"\n", sandbox.fact(key)))
            .concat();
        format!(
            "[store]\nurl = \"sqlite:contacts.db\"\n\n\
             [google]\n{google}reads_per_minute = 100000\nwrites_per_minute = 100000\n\n\
             [web]\nlisten = \"\"\n\n\
             [[account]]\nname = \"sales\"\nemail = \"{ACCOUNT}\"\nrefresh_token_file = \"refresh-token\"\n\
             schedule = \"0 0 0 1 1 *\"\n{more}\n\
             [[account.pair]]\ngroup = \"Team\"\n"
        )
    }

    /// Writes the configuration.
    pub fn configure(&self, text: &str) {
        self.write_private("contactsync.toml", text);
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    /// Writes a file that nobody else may read.
    pub fn write_private(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(name, bytes);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        path
    }

    pub fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(name)).expect("readable")
    }

    /// A command that is not started yet.
    pub fn command<A: AsRef<OsStr>>(&self, line: impl IntoIterator<Item = A>) -> Command {
        let mut command = command(self.folder.path());
        command.env("CONTACTSYNC_CONFIG", self.path("contactsync.toml")).args(line);
        command
    }

    /// Starts a command, which goes on.
    pub fn start<A: AsRef<OsStr>>(&self, line: impl IntoIterator<Item = A>) -> Program {
        Program::start(self.command(line))
    }

    /// Runs a command to its end.
    pub fn run<A: AsRef<OsStr>>(&self, line: impl IntoIterator<Item = A>) -> Ran {
        self.start(line).end()
    }

    /// Runs a command to its end with this on its stdin.
    pub fn run_with_input<A: AsRef<OsStr>>(&self, line: impl IntoIterator<Item = A>, input: &str) -> Ran {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(input.as_bytes()).expect("written");
        file.rewind().expect("at its beginning");
        let mut command = self.command(line);
        command.stdin(file);
        Program::start(command).end()
    }

    /// Runs a command that has to succeed, and reads its answer.
    pub fn json(&self, line: &[&str]) -> Value {
        self.run([&["--json"], line].concat()).json_after(0)
    }

    /// The id in the answer of a command.
    pub fn id(&self, line: &[&str]) -> String {
        self.json(line)["id"].as_str().expect("an id").to_owned()
    }

    /// The one person with this e-mail.
    pub fn person_with(&self, email: &str) -> Value {
        let found = self.json(&["person", "list", email]);
        let found = found.as_array().expect("a list");
        assert_eq!(found.len(), 1, "{email}: {found:?}");
        found[0].clone()
    }

    /// Every row of the store, table by table.
    pub fn rows(&self) -> Vec<String> {
        let options = SqliteConnectOptions::new().filename(self.path("contacts.db")).read_only(true);
        let dump = async {
            let mut connection = options.connect().await.expect("a database");
            let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
            let tables = sqlx::query(tables).fetch_all(&mut connection).await.expect("tables");
            let mut rows = Vec::new();
            for table in tables {
                let table: String = table.get(0);
                let cells = format!(
                    "SELECT group_concat('quote(' || name || ')', ' || '','' || ') FROM pragma_table_info('{table}')"
                );
                let cells: String =
                    sqlx::query(sqlx::AssertSqlSafe(cells)).fetch_one(&mut connection).await.expect("columns").get(0);
                let all = format!("SELECT {cells} AS row FROM \"{table}\" ORDER BY row");
                let all = sqlx::query(sqlx::AssertSqlSafe(all)).fetch_all(&mut connection).await.expect("rows");
                rows.extend(all.into_iter().map(|row| format!("{table}: {}", row.get::<String, _>(0))));
            }
            connection.close().await.expect("closed");
            rows
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(dump)
    }
}

/// The folder with files of other programs; `None`, said loudly, where it is missing.
pub fn fixtures() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let folder = std::env::var_os("CONTACTSYNC_FIXTURES").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no fixtures at {}; set CONTACTSYNC_FIXTURES to check against them", folder.display());
    None
}
