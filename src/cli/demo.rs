//! `demo`: everything at once, with nothing else needed.
//!
//! An emulated Google, a store with the contacts of the sample file, a first sync, and the daemon, all in a folder that
//! goes away at the end. What is printed is what a user types next.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::clock::{Entropy as _, SystemEntropy};
use crate::config::{Config, Surroundings};
use crate::contacts::import::{Effect, Importer};
use crate::daemon::worker::Job;
use crate::domain::contact::Contact;
use crate::domain::id::ImportId;
use crate::engine::{Purpose, Reach, StopFlag};
use crate::formats;
use crate::store::{ContactQuery, Store};
use crate::telemetry::{self, LogColours, LogFormat, LogLevel};

use super::desk::Desk;
use super::exit::Exit;
use super::import::write_private;
use super::output::Output;
use super::progress::Bar;
use super::run::serve;
use super::sandbox::{ACCOUNTS, facts, start};

const SAMPLE: &[u8] = include_bytes!("../../config/sample-contacts.csv");
const GROUP: &str = "Demo";

/// How to show it. Nothing has to be said.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {}

/// The demo's folder; goes away when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("contactsync-demo-{:016x}", SystemEntropy.next_u64()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is invented, and the system cleans its folder of temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Shows everything until a signal comes.
///
/// # Errors
/// What keeps any part of it from starting.
pub async fn demo(_: &DemoArgs, out: &Arc<Output>) -> anyhow::Result<Exit> {
    let folder = Folder::new().context("making a folder for the demo")?;
    let server = start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), None).await?;
    let facts = facts(&server);
    let file = write_config(&folder.0, &facts)?;
    telemetry::start(LogFormat::Text, LogLevel::Warn, LogColours::Auto)?;
    let config = Config::load(&Surroundings::of_process(Some(file.clone())))?;
    let desk = Desk::open(config, Arc::clone(out)).await?;
    out.remark("Importing the sample contacts into a fresh store …");
    let imported = import_sample(&desk).await?;
    out.remark("Synchronizing them with an emulated Google account …");
    let calls = first_sync(&desk).await?;
    let example = example(desk.store.as_ref()).await?;
    let remote = remote_of(&desk, &example).await?;
    let shown = Shown { facts: &facts, file: &file, imported, calls, example: &example, remote: &remote };
    if out.is_json() {
        out.json(&shown.json())?;
    } else {
        out.text(&shown.text())?;
    }
    serve(desk, Box::new(|_| ())).await?;
    server.stop().await.context("stopping the sandbox")?;
    drop(folder);
    Ok(Exit::Done)
}

fn write_config(folder: &Path, facts: &Value) -> anyhow::Result<PathBuf> {
    let text = |name: &str| facts[name].as_str().unwrap_or_default();
    let config = format!(
        "# The demo's configuration. It is complete; config/contactsync.toml explains every key.\n\
         [store]\nurl = \"sqlite:contacts.db\"\n\n\
         [google]\nclient_id = \"{}\"\nclient_secret = \"{}\"\napi_url = \"{}\"\nauth_url = \"{}\"\n\
         token_url = \"{}\"\nrevoke_url = \"{}\"\nreads_per_minute = 600\nwrites_per_minute = 600\n\n\
         [[account]]\nname = \"sales\"\nemail = \"{}\"\nrefresh_token_file = \"refresh-token\"\n\
         schedule = \"0 * * * * *\"\n\n[[account.pair]]\ngroup = \"{GROUP}\"\n\n[web]\nlisten = \"\"\n",
        text("client_id"),
        text("client_secret"),
        text("api_url"),
        text("auth_url"),
        text("token_url"),
        text("revoke_url"),
        ACCOUNTS[0],
    );
    let file = folder.join("contactsync.toml");
    write_private(&file, config.as_bytes()).context("writing the demo's configuration")?;
    write_private(&folder.join("refresh-token"), text("refresh_token").as_bytes()).context("writing the grant")?;
    Ok(file)
}

async fn import_sample(desk: &Desk) -> anyhow::Result<u64> {
    let file = formats::open("sample-contacts.csv", SAMPLE, None)?;
    let importer = Importer {
        store: desk.store.as_ref(),
        clock: desk.clock.as_ref(),
        entropy: desk.entropy.as_ref(),
        effect: Effect::Write,
        home: desk.config.store.region,
        currency: None,
    };
    let import = ImportId::new(desk.clock.now(), desk.entropy.next_u128());
    let report = importer.import(import, file.items(), |_| (), |_| ()).await.context("importing the sample")?;
    Ok(report.created)
}

async fn first_sync(desk: &Desk) -> anyhow::Result<u64> {
    let worker = desk.worker()?;
    let accounts = desk.config.accounts.iter().collect();
    let job = Job { accounts, reach: Reach::Incremental, purpose: Purpose::Carry, licences: BTreeMap::new() };
    let bar = Bar::new(&desk.out, "synchronizing");
    let finished = worker.run(job, &bar, &StopFlag::default()).await.context("recording the first run")?;
    drop(bar);
    let Some(summary) = finished.record.accounts.first() else { anyhow::bail!("the first run did nothing") };
    if let Some(error) = &summary.error {
        anyhow::bail!("the first run did not finish: {error}");
    }
    Ok(summary.calls)
}

/// A contact to try things with.
async fn example(store: &dyn Store) -> anyhow::Result<Contact> {
    let query =
        ContactQuery { kind: Some(crate::domain::contact::Kind::Person), limit: Some(1), ..ContactQuery::default() };
    store.find_contacts(&query).await?.pop().context("the sample has no persons")
}

/// The last part of the resource name of a contact's record.
async fn remote_of(desk: &Desk, contact: &Contact) -> anyhow::Result<String> {
    let links = desk.store.links_of_contact(contact.id).await?;
    let remote = links.into_iter().find_map(|link| link.remote).context("the example is not in the group")?;
    Ok(remote.as_str().rsplit('/').next().unwrap_or_default().to_owned())
}

/// What the user is told.
struct Shown<'a> {
    facts: &'a Value,
    file: &'a Path,
    imported: u64,
    calls: u64,
    example: &'a Contact,
    remote: &'a str,
}

impl Shown<'_> {
    fn control(&self) -> String {
        let control = self.facts["control_url"].as_str().unwrap_or_default();
        format!("{control}/accounts/{}", ACCOUNTS[0])
    }

    fn json(&self) -> Value {
        let mut answer = self.facts.clone();
        let more = json!({
            "config": self.file,
            "pid": std::process::id(),
            "imported": self.imported,
            "calls": self.calls,
            "example": {"contact": self.example.id, "person": self.remote},
        });
        if let (Some(answer), Value::Object(more)) = (answer.as_object_mut(), more) {
            answer.extend(more);
        }
        answer
    }

    fn text(&self) -> String {
        let (id, name, pid) = (self.example.id, self.example.card.display_name(), std::process::id());
        let (control, person, file) = (self.control(), self.remote, self.file.display());
        let program = std::env::current_exe().map_or("contactsync".to_owned(), |path| path.display().to_string());
        format!(
            "
{} contacts are in the store, and in the group \"{GROUP}\" of an emulated Google account ({} calls).
The daemon runs as process {pid}. In another terminal:

    export CONTACTSYNC_CONFIG={file}
    alias contactsync={program}

Look at both sides:

    contactsync person list
    contactsync status
    curl -s {control}/people

Edit in the store, synchronize, and see it in Google:

    contactsync person edit {id} --job-title \"Edited in the store\"
    kill -USR1 {pid}
    curl -s {control}/people/{person} | grep -o '\"title\":\"[^\"]*\"'

Edit in Google, synchronize, and see it in the store ({name}):

    curl -s -X PATCH {control}/people/{person} -d '{{\"nicknames\":[{{\"value\":\"Edited in Google\"}}]}}'
    kill -USR1 {pid}
    contactsync person show {id}
    contactsync history {id}

Ctrl-C ends the demo and removes everything it made.
",
            self.imported, self.calls
        )
    }
}
