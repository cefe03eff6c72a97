//! `pipeline`: the stages that deals pass through.

use anyhow::Context as _;

use crate::contacts::definitions::find_definition;
use crate::contacts::entries::pipelines;
use crate::domain::entry::definition::Pipeline;
use crate::domain::entry::{Body, EntryKind};
use crate::store::EntryQuery;

use super::desk::Desk;
use super::entry;
use super::exit::{Exit, UsageError};

/// What to do with pipelines.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum PipelineCommand {
    /// List the pipelines and their stages
    List,
    /// Define a pipeline
    Add(AddPipeline),
    /// Add stages to a pipeline
    Edit(AddPipeline),
    /// Delete a pipeline that no deal is in
    Delete(Which),
}

/// A pipeline.
#[derive(Debug, Clone, clap::Args)]
pub struct AddPipeline {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    /// A stage; repeat it for more, in order
    #[arg(long = "stage", value_name = "NAME", required = true)]
    pub stages: Vec<String>,
}

/// Which pipeline.
#[derive(Debug, Clone, clap::Args)]
pub struct Which {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Carries out a command on pipelines.
///
/// # Errors
/// What the store, the editor or the stream says.
pub async fn pipeline(command: &PipelineCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        PipelineCommand::List => list(desk).await,
        PipelineCommand::Add(new) => {
            let body = Body::Pipeline(Pipeline { name: new.name.trim().to_owned(), stages: stages(new) });
            entry::answer_changed(&desk.editor().add_entry(&body).await?, "added", desk).await
        }
        PipelineCommand::Edit(more) => edit(more, desk).await,
        PipelineCommand::Delete(which) => delete(&which.name, desk).await,
    }
}

fn stages(given: &AddPipeline) -> Vec<String> {
    given.stages.iter().map(|stage| stage.trim().to_owned()).collect()
}

async fn list(desk: &Desk) -> anyhow::Result<Exit> {
    let found = pipelines(&*desk.store).await.context("reading the pipelines")?;
    if desk.out.is_json() {
        desk.out.json(&found)?;
    } else {
        let rows = found.into_iter().map(|pipeline| [pipeline.name, pipeline.stages.join(" > ")]).collect();
        desk.out.table(["PIPELINE", "STAGES"], rows)?;
    }
    Ok(Exit::Done)
}

async fn edit(more: &AddPipeline, desk: &Desk) -> anyhow::Result<Exit> {
    let id = find(&more.name, desk).await?;
    let added = stages(more);
    let change = |body: &Body| {
        let mut body = body.clone();
        if let Body::Pipeline(pipeline) = &mut body {
            pipeline.stages.extend(added.iter().cloned());
        }
        Ok(body)
    };
    let saved = desk.editor().edit_entry(id, EntryKind::Pipeline, &change).await?;
    entry::answer_changed(&saved, "saved", desk).await
}

async fn find(name: &str, desk: &Desk) -> anyhow::Result<crate::domain::id::EntryId> {
    let like = Body::Pipeline(Pipeline { name: name.trim().to_owned(), stages: Vec::new() });
    let found = find_definition(&*desk.store, &like).await.context("reading the pipeline")?;
    let text = || UsageError(format!("there is no pipeline {name:?}; define it with `contactsync pipeline add`"));
    Ok(found.map(|entry| entry.id).ok_or_else(text)?)
}

async fn delete(name: &str, desk: &Desk) -> anyhow::Result<Exit> {
    let id = find(name, desk).await?;
    let query = EntryQuery { kinds: [EntryKind::Deal].into(), ..EntryQuery::default() };
    let deals = desk.store.find_entries(&query).await.context("reading deals")?;
    let inside = deals.iter().filter(|entry| matches!(&entry.body, Body::Deal(deal) if deal.pipeline == name.trim()));
    let count = inside.count();
    if count > 0 {
        return Err(
            UsageError(format!("{count} deals are in pipeline {name:?}; move them to another one first")).into()
        );
    }
    entry::delete(id, EntryKind::Pipeline, desk).await
}
