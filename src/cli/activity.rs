//! `activity`: what is to be done with a contact, and what was.

use crate::contacts::show_entry::due;
use crate::domain::contact::Kind;
use crate::domain::date::PartialDate;
use crate::domain::entry::activity::Activity;
use crate::domain::entry::{About, Body, Entry, EntryKind};
use crate::domain::id::EntryId;

use super::desk::Desk;
use super::entry::{self, Listed, One, text_flag};
use super::exit::{Exit, UsageError};
use super::whom;

/// What to do with activities.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ActivityCommand {
    /// List activities, by the day they are due
    List(ListActivities),
    /// Show one activity
    Show(One),
    /// Add an activity
    Add(AddActivity),
    /// Edit an activity
    Edit(EditActivity),
    /// Note that an activity is done
    Done(One),
    /// Delete an activity; it can be restored
    Delete(One),
    /// Restore a deleted activity
    Restore(One),
}

/// Which activities to list.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ListActivities {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub listed: Listed,

    /// Only those that are still to be done
    #[arg(long, conflicts_with = "done")]
    pub open: bool,

    /// Only those that are done
    #[arg(long)]
    pub done: bool,
}

/// What an activity is to be.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ActivityFlags {
    /// Set the type: call, meeting, task, deadline, email, lunch or any other text
    #[arg(long = "type", value_name = "TYPE")]
    pub activity_type: Option<String>,

    /// Set the day it is due, as YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    pub due: Option<String>,

    /// Set the time of that day, as HH:MM
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,

    /// Say more about it
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,

    /// Set who does it
    #[arg(long, value_name = "EMAIL")]
    pub owner: Option<String>,

    /// With this person, by id or name
    #[arg(long, value_name = "ID|NAME")]
    pub person: Option<String>,

    /// With this organization, by id or name
    #[arg(long, value_name = "ID|NAME")]
    pub organization: Option<String>,

    /// For this deal
    #[arg(long, value_name = "ID")]
    pub deal: Option<EntryId>,
}

/// A new activity.
#[derive(Debug, Clone, clap::Args)]
pub struct AddActivity {
    /// What it is, in a few words
    #[arg(value_name = "SUBJECT")]
    pub subject: String,

    /// It is done already
    #[arg(long)]
    pub done: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub flags: ActivityFlags,
}

/// Which activity, and what becomes of it.
#[derive(Debug, Clone, clap::Args)]
pub struct EditActivity {
    /// The activity's id
    #[arg(value_name = "ID")]
    pub id: EntryId,

    /// Set what it is
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,

    /// It is still to be done
    #[arg(long)]
    pub undone: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub flags: ActivityFlags,
}

/// The flags, read.
struct Said<'f> {
    flags: &'f ActivityFlags,
    due: Option<Option<PartialDate>>,
    about: About,
}

/// Carries out a command on activities.
///
/// # Errors
/// What the store, the editor or the stream says.
pub async fn activity(command: &ActivityCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        ActivityCommand::List(list) => list_activities(list, desk).await,
        ActivityCommand::Show(one) => entry::show(one.id, EntryKind::Activity, desk).await,
        ActivityCommand::Add(new) => add(new, desk).await,
        ActivityCommand::Edit(edit) => edit_activity(edit, desk).await,
        ActivityCommand::Done(one) => finish(one.id, desk).await,
        ActivityCommand::Delete(one) => entry::delete(one.id, EntryKind::Activity, desk).await,
        ActivityCommand::Restore(one) => entry::restore(one.id, EntryKind::Activity, desk).await,
    }
}

async fn list_activities(list: &ListActivities, desk: &Desk) -> anyhow::Result<Exit> {
    let wanted = |entry: &Entry| match &entry.body {
        Body::Activity(activity) => !(list.open && activity.done || list.done && !activity.done),
        _ => false,
    };
    let mut found = list.listed.load(EntryKind::Activity, desk, wanted).await?;
    // Those without a day last.
    found.sort_by_key(|entry| match &entry.body {
        Body::Activity(activity) => (activity.due.is_none(), due(activity), entry.id),
        _ => (true, String::new(), entry.id),
    });
    entry::answer_list(
        &found,
        ["ID", "DUE", "TYPE", "SUBJECT", "DONE", "ABOUT"],
        |entry, names| match &entry.body {
            Body::Activity(activity) => [
                entry.id.to_string(),
                due(activity),
                activity.activity_type.clone(),
                if entry.is_live() { activity.subject.clone() } else { format!("{} (deleted)", activity.subject) },
                if activity.done { "yes".to_owned() } else { String::new() },
                names.about(activity.about),
            ],
            _ => Default::default(),
        },
        desk,
    )
    .await
}

impl<'f> Said<'f> {
    async fn read(flags: &'f ActivityFlags, desk: &Desk) -> anyhow::Result<Self> {
        let due = match &flags.due {
            None => None,
            Some(given) => {
                let read = |text: String| text.parse().map_err(|error| UsageError(format!("--due: {error}")));
                Some(text_flag(given).map(read).transpose()?)
            }
        };
        let about = About {
            person: whom::find_some(Kind::Person, flags.person.as_ref(), desk).await?,
            organization: whom::find_some(Kind::Organization, flags.organization.as_ref(), desk).await?,
        };
        Ok(Said { flags, due, about })
    }

    fn lay_over(&self, activity: &mut Activity) {
        let flags = self.flags;
        if let Some(activity_type) = &flags.activity_type {
            activity_type.trim().clone_into(&mut activity.activity_type);
        }
        if let Some(due) = self.due {
            activity.due = due;
        }
        let texts =
            [(&flags.time, &mut activity.time), (&flags.note, &mut activity.note), (&flags.owner, &mut activity.owner)];
        for (given, value) in texts {
            if let Some(text) = given {
                *value = text_flag(text);
            }
        }
        if flags.person.is_some() {
            activity.about.person = self.about.person;
        }
        if flags.organization.is_some() {
            activity.about.organization = self.about.organization;
        }
        if flags.deal.is_some() {
            activity.deal = flags.deal;
        }
    }
}

async fn add(new: &AddActivity, desk: &Desk) -> anyhow::Result<Exit> {
    let mut activity = Activity {
        subject: new.subject.trim().to_owned(),
        activity_type: "task".to_owned(),
        due: None,
        time: None,
        done: new.done,
        done_at: new.done.then(|| desk.clock.now()),
        note: None,
        owner: None,
        about: About::default(),
        deal: None,
    };
    Said::read(&new.flags, desk).await?.lay_over(&mut activity);
    let added = desk.editor().add_entry(&Body::Activity(activity)).await?;
    entry::answer_changed(&added, "added", desk).await
}

async fn edit_activity(edit: &EditActivity, desk: &Desk) -> anyhow::Result<Exit> {
    let said = Said::read(&edit.flags, desk).await?;
    let change = |body: &Body| {
        let mut body = body.clone();
        if let Body::Activity(activity) = &mut body {
            if let Some(subject) = &edit.subject {
                subject.trim().clone_into(&mut activity.subject);
            }
            if edit.undone {
                (activity.done, activity.done_at) = (false, None);
            }
            said.lay_over(activity);
        }
        Ok(body)
    };
    let saved = desk.editor().edit_entry(edit.id, EntryKind::Activity, &change).await?;
    entry::answer_changed(&saved, "saved", desk).await
}

async fn finish(id: EntryId, desk: &Desk) -> anyhow::Result<Exit> {
    let now = desk.clock.now();
    let change = |body: &Body| {
        let mut body = body.clone();
        if let Body::Activity(activity) = &mut body
            && !activity.done
        {
            (activity.done, activity.done_at) = (true, Some(now));
        }
        Ok(body)
    };
    let saved = desk.editor().edit_entry(id, EntryKind::Activity, &change).await?;
    entry::answer_changed(&saved, "done", desk).await
}
