//! `filter`: what has to be true of a contact, under a name.
//!
//! A filter narrows lists, and a pair of the configuration may be selected by it. Then it decides who is kept equal with a
//! group, so it is neither removed nor renamed while the configuration names it, and it cannot ask what a pair cannot know.

use anyhow::Context as _;
use serde::Serialize;

use crate::config::{Config, PairWish};
use crate::domain::filter::{self, Condition, Filter, SavedFilter};
use crate::domain::time::Timestamp;
use crate::store::{Commit, ContactQuery, StoreError, Write};

use super::conditions::{ConditionFlags, no_filter, saved_filter};
use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::output::many;

/// What to do with saved filters.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum FilterCommand {
    /// List the saved filters
    List,
    /// Show what a filter selects, and how many contacts that is now
    Show(Named),
    /// Save a filter under a name
    Add(Box<Definition>),
    /// Say anew what a filter selects; what it selected so far is replaced
    ///
    /// Where a pair is selected by it, the next run looks at everybody anew, and `plan` shows what that comes to. Whoever is
    /// not selected any more is taken out of the group, and deleted nowhere
    Edit(Box<Definition>),
    /// Remove a filter; one that the configuration names is kept
    Delete(Named),
}

/// Which filter.
#[derive(Debug, Clone, clap::Args)]
pub struct Named {
    /// The filter's name
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// What a filter selects.
#[derive(Debug, Clone, clap::Args)]
pub struct Definition {
    /// The filter's name
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Only those in whom every one of these words is found, as `person list` finds them
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub conditions: ConditionFlags,
}

/// A filter as scripts read it.
#[derive(Serialize)]
struct Row<'f> {
    name: &'f str,
    #[serde(flatten)]
    filter: &'f Filter,
    /// The accounts of which a pair is selected by it.
    accounts: Vec<String>,
    created: Timestamp,
    updated: Timestamp,
}

/// The same with how many it selects.
#[derive(Serialize)]
struct Shown<'f> {
    #[serde(flatten)]
    row: Row<'f>,
    contacts: u64,
}

/// Carries out a command on saved filters.
///
/// # Errors
/// [`UsageError`] when what is asked for cannot be done, and what the store or the stream says.
pub async fn filter(command: &FilterCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        FilterCommand::List => list(desk).await?,
        FilterCommand::Show(named) => show(&named.name, desk).await?,
        FilterCommand::Add(definition) => add(definition, desk).await?,
        FilterCommand::Edit(definition) => edit(definition, desk).await?,
        FilterCommand::Delete(named) => delete(&named.name, desk).await?,
    }
    Ok(Exit::Done)
}

async fn list(desk: &Desk) -> anyhow::Result<()> {
    let filters = desk.store.filters().await.context("reading the filters")?;
    if desk.out.is_json() {
        let rows: Vec<Row<'_>> = filters.iter().map(|saved| row(saved, &desk.config)).collect();
        return Ok(desk.out.json(&rows)?);
    }
    let cells = |saved: &SavedFilter| {
        [saved.name.clone(), told(&saved.filter).join("; "), accounts(&desk.config, &saved.name).join(", ")]
    };
    Ok(desk.out.table(["NAME", "SELECTS WHERE", "PAIRS OF"], filters.iter().map(cells).collect())?)
}

async fn show(name: &str, desk: &Desk) -> anyhow::Result<()> {
    let saved = saved_filter(name, &*desk.store).await?;
    let query = ContactQuery { filters: vec![saved.filter.clone()], ..ContactQuery::default() };
    let contacts = desk.store.find_contacts(&query).await.context("counting who is selected")?.len() as u64;
    if desk.out.is_json() {
        return Ok(desk.out.json(&Shown { row: row(&saved, &desk.config), contacts })?);
    }
    let mut lines = vec![format!("{}: selects {} now, where", saved.name, many(contacts, "contact"))];
    lines.extend(told(&saved.filter).into_iter().map(|line| format!("  {line}")));
    let accounts = accounts(&desk.config, &saved.name);
    if !accounts.is_empty() {
        lines.push(format!("selects for pairs of: {}", accounts.join(", ")));
    }
    Ok(desk.out.text(&lines.join("\n"))?)
}

async fn add(definition: &Definition, desk: &Desk) -> anyhow::Result<()> {
    let saved = definition.read(desk)?;
    let write = Write::AddFilter(Box::new(saved.clone()));
    match desk.store.commit(Commit { fence: None, writes: vec![write] }).await {
        Err(StoreError::Taken { .. }) => {
            let name = &saved.name;
            let text = format!("there is a filter {name:?} already; change it with `contactsync filter edit`");
            Err(UsageError(text).into())
        }
        done => {
            done.context("saving the filter")?;
            answer(&saved, "added", desk)
        }
    }
}

async fn edit(definition: &Definition, desk: &Desk) -> anyhow::Result<()> {
    let saved = definition.read(desk)?;
    let created = match desk.store.filter(&saved.name).await {
        Ok(Some(current)) => current.created,
        Ok(None) => return Err(no_filter(&saved.name).into()),
        // What cannot be read is mended by saying it anew.
        Err(StoreError::Inconsistent { .. }) => saved.created,
        Err(error) => return Err(anyhow::Error::new(error).context("reading the filter")),
    };
    let saved = SavedFilter { created, ..saved };
    let write = Write::Filter(Box::new(saved.clone()));
    desk.store.commit(Commit { fence: None, writes: vec![write] }).await.context("saving the filter")?;
    answer(&saved, "saved", desk)?;
    let accounts = accounts(&desk.config, &saved.name);
    if !accounts.is_empty() {
        let accounts = accounts.join(", ");
        desk.out
            .remark(&format!("it selects for pairs of {accounts}: `contactsync plan` shows what the change comes to"));
    }
    Ok(())
}

async fn delete(name: &str, desk: &Desk) -> anyhow::Result<()> {
    let accounts = accounts(&desk.config, name);
    if !accounts.is_empty() {
        let text = format!(
            "the filter {name:?} selects for pairs of {}; take it out of {} first",
            accounts.join(", "),
            desk.config.file.display()
        );
        return Err(UsageError(text).into());
    }
    match desk.store.filter(name).await {
        Ok(None) => return Err(no_filter(name).into()),
        // What cannot be read can be removed.
        Ok(Some(_)) | Err(StoreError::Inconsistent { .. }) => {}
        Err(error) => return Err(anyhow::Error::new(error).context("reading the filter")),
    }
    let write = Write::DropFilter(name.to_owned());
    desk.store.commit(Commit { fence: None, writes: vec![write] }).await.context("removing the filter")?;
    if desk.out.is_json() {
        return Ok(desk.out.json(&serde_json::json!({ "deleted": name }))?);
    }
    Ok(desk.out.text(&format!("deleted filter {name}"))?)
}

impl Definition {
    /// The filter that the flags say.
    fn read(&self, desk: &Desk) -> Result<SavedFilter, UsageError> {
        let name = filter::name(&self.name).map_err(UsageError)?;
        let text = self.text.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let filter = Filter { text, conditions: self.conditions.conditions()? };
        if filter.is_empty() {
            let text = "a filter that asks nothing selects everybody; say what it selects, see `contactsync filter add --help`";
            return Err(UsageError(text.to_owned()));
        }
        let accounts = accounts(&desk.config, &name);
        if filter.asks_for_times() && !accounts.is_empty() {
            let text = format!(
                "the filter {name:?} selects for pairs of {}, so it cannot ask when contacts were created or last changed",
                accounts.join(", ")
            );
            return Err(UsageError(text));
        }
        let now = desk.clock.now();
        Ok(SavedFilter { name, filter, created: now, updated: now })
    }
}

fn answer(saved: &SavedFilter, what: &str, desk: &Desk) -> anyhow::Result<()> {
    if desk.out.is_json() {
        return Ok(desk.out.json(&row(saved, &desk.config))?);
    }
    Ok(desk.out.text(&format!("{what} filter {}: {}", saved.name, told(&saved.filter).join("; ")))?)
}

fn row<'f>(saved: &'f SavedFilter, config: &Config) -> Row<'f> {
    let accounts = accounts(config, &saved.name);
    Row { name: &saved.name, filter: &saved.filter, accounts, created: saved.created, updated: saved.updated }
}

/// What has to be true, one sentence each.
fn told(filter: &Filter) -> Vec<String> {
    let text = filter.text.iter().map(|text| format!("found by {text}"));
    text.chain(filter.conditions.iter().map(ToString::to_string)).collect()
}

/// A filter by which a pair is selected, and which has such a condition.
///
/// # Errors
/// What the store says.
pub(super) async fn selecting_by(is_one: impl Fn(&Condition) -> bool, desk: &Desk) -> anyhow::Result<Option<String>> {
    for saved in desk.store.filters().await.context("reading the filters")? {
        if saved.filter.conditions.iter().any(&is_one) && !accounts(&desk.config, &saved.name).is_empty() {
            return Ok(Some(saved.name));
        }
    }
    Ok(None)
}

/// The accounts of which a pair is selected by the filter, by name.
fn accounts(config: &Config, name: &str) -> Vec<String> {
    let is_named = |wish: &PairWish| wish.filter.as_deref() == Some(name);
    let naming = config.accounts.iter().filter(|account| account.pairs.iter().any(is_named));
    naming.map(|account| account.name.to_string()).collect()
}
