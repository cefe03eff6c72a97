//! `deal`: what may be sold to a contact. A deal may bring its person and its organization into the store.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::contacts::entries::{EntryError, Who};
use crate::domain::contact::Kind;
use crate::domain::date::PartialDate;
use crate::domain::entry::deal::{Deal, Money, Status};
use crate::domain::entry::{About, Body, Entry, EntryKind};
use crate::domain::id::EntryId;

use super::card_flags::custom_field;
use super::desk::Desk;
use super::entry::{self, Listed, One, text_flag};
use super::exit::{Exit, UsageError};
use super::whom::{self, Found};

/// What to do with deals.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum DealCommand {
    /// List deals
    List(ListDeals),
    /// Show one deal
    Show(One),
    /// Add a deal, with its person and organization where they are new
    ///
    /// Names the person, the organization or both. Who is not there yet is added with the deal: all of it, or nothing
    Add(Box<AddDeal>),
    /// Edit a deal
    Edit(Box<EditDeal>),
    /// Delete a deal; it can be restored
    Delete(One),
    /// Restore a deleted deal
    Restore(One),
}

/// Which deals to list.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ListDeals {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub listed: Listed,

    /// Only those that stand so: open, won or lost
    #[arg(long, value_name = "STATUS", value_parser = status)]
    pub status: Option<Status>,

    /// Only those of this pipeline
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
}

/// What a deal is to be.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DealFlags {
    /// Set what it is worth, such as "12000 EUR"; an empty text takes it away
    #[arg(long, value_name = "AMOUNT CURRENCY")]
    pub value: Option<String>,

    /// Set the pipeline; the first one there is without it
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,

    /// Set the stage; the first one of the pipeline without it
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,

    /// Set how it stands: open, won or lost
    #[arg(long, value_name = "STATUS", value_parser = status)]
    pub status: Option<Status>,

    /// Say why it was lost
    #[arg(long, value_name = "TEXT")]
    pub lost_reason: Option<String>,

    /// Set when it is expected to be closed, as YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    pub expected_close: Option<String>,

    /// Set who looks after it
    #[arg(long, value_name = "EMAIL")]
    pub owner: Option<String>,

    /// Add a label; repeat it for more
    #[arg(long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,

    /// Take a label away; repeat it for more
    #[arg(long = "remove-label", value_name = "LABEL")]
    pub removed_labels: Vec<String>,

    /// Set a custom field; repeat it for more, "KEY=" takes one away
    #[arg(long, value_name = "KEY=VALUE")]
    pub custom: Vec<String>,
}

/// A new deal.
#[derive(Debug, Clone, clap::Args)]
pub struct AddDeal {
    /// What it is about; made from the contact's name without it
    #[arg(value_name = "TITLE")]
    pub title: Option<String>,

    /// With this person, by id or name; added when there is none of the name
    #[arg(long, value_name = "ID|NAME")]
    pub person: Option<String>,

    /// The e-mail address of a person who is added
    #[arg(long, value_name = "ADDRESS", requires = "person")]
    pub person_email: Option<String>,

    /// The phone number of a person who is added
    #[arg(long, value_name = "NUMBER", requires = "person")]
    pub person_phone: Option<String>,

    /// With this organization, by id or name; added when there is none of the name
    #[arg(long, value_name = "ID|NAME")]
    pub organization: Option<String>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub flags: DealFlags,
}

/// Which deal, and what becomes of it.
#[derive(Debug, Clone, clap::Args)]
pub struct EditDeal {
    /// The deal's id
    #[arg(value_name = "ID")]
    pub id: EntryId,

    /// Set what it is about
    #[arg(long, value_name = "TITLE")]
    pub title: Option<String>,

    /// Set the person, by id or name; an empty text takes it away
    #[arg(long, value_name = "ID|NAME")]
    pub person: Option<String>,

    /// Set the organization, by id or name; an empty text takes it away
    #[arg(long, value_name = "ID|NAME")]
    pub organization: Option<String>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub flags: DealFlags,
}

fn status(text: &str) -> Result<Status, String> {
    let known = [Status::Open, Status::Won, Status::Lost];
    known.into_iter().find(|status| status.as_str() == text).ok_or_else(|| "expected open, won or lost".to_owned())
}

/// Carries out a command on deals.
///
/// # Errors
/// What the store, the editor or the stream says.
pub async fn deal(command: &DealCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        DealCommand::List(list) => list_deals(list, desk).await,
        DealCommand::Show(one) => entry::show(one.id, EntryKind::Deal, desk).await,
        DealCommand::Add(new) => add(new, desk).await,
        DealCommand::Edit(edit) => edit_deal(edit, desk).await,
        DealCommand::Delete(one) => entry::delete(one.id, EntryKind::Deal, desk).await,
        DealCommand::Restore(one) => entry::restore(one.id, EntryKind::Deal, desk).await,
    }
}

async fn list_deals(list: &ListDeals, desk: &Desk) -> anyhow::Result<Exit> {
    let wanted = |entry: &Entry| match &entry.body {
        Body::Deal(deal) => {
            list.status.is_none_or(|status| deal.status == status)
                && list.pipeline.as_ref().is_none_or(|pipeline| deal.pipeline == *pipeline)
        }
        _ => false,
    };
    let found = list.listed.load(EntryKind::Deal, desk, wanted).await?;
    let header = ["ID", "TITLE", "VALUE", "STAGE", "STATUS", "CLOSE", "ABOUT"];
    entry::answer_list(
        &found,
        header,
        |entry, names| match &entry.body {
            Body::Deal(deal) => [
                entry.id.to_string(),
                if entry.is_live() { deal.title.clone() } else { format!("{} (deleted)", deal.title) },
                deal.value.as_ref().map(ToString::to_string).unwrap_or_default(),
                deal.stage.clone(),
                deal.status.as_str().to_owned(),
                deal.expected_close.map(|day| day.to_string()).unwrap_or_default(),
                names.about(deal.about),
            ],
            _ => Default::default(),
        },
        desk,
    )
    .await
}

async fn add(new: &AddDeal, desk: &Desk) -> anyhow::Result<Exit> {
    let person = who(Kind::Person, new.person.as_deref(), new, desk).await?;
    let organization = who(Kind::Organization, new.organization.as_deref(), new, desk).await?;
    if person == Who::Nobody && organization == Who::Nobody {
        let text = "a deal belongs to a person, an organization or both: say --person, --organization or both";
        return Err(UsageError(text.to_owned()).into());
    }
    let title = match new.title.as_deref().map(str::trim) {
        Some(title) => title.to_owned(),
        None => title_of(new, &organization, &person, desk).await?,
    };
    let blank = Deal {
        title,
        value: None,
        pipeline: String::new(),
        stage: String::new(),
        status: Status::Open,
        lost_reason: None,
        expected_close: None,
        closed: None,
        owner: None,
        labels: BTreeSet::new(),
        custom: std::collections::BTreeMap::new(),
        about: About::default(),
    };
    let mut deal = blank;
    new.flags.lay_over(&mut deal)?;
    let added = desk.editor().add_deal(&deal, &person, &organization).await?;
    if !desk.out.is_json() {
        for contact in &added.contacts {
            desk.answer_changed(contact, "added").await?;
        }
    }
    entry::answer_changed(&added.entry, "added", desk).await
}

/// `Acme deal`, after the organization, else after the person.
async fn title_of(new: &AddDeal, organization: &Who, person: &Who, desk: &Desk) -> anyhow::Result<String> {
    let by_name = [(organization, &new.organization), (person, &new.person)];
    for (who, asked) in by_name {
        match (who, asked) {
            (Who::Nobody, _) => {}
            (Who::Known(id), _) => {
                if let Some(contact) = desk.store.contacts(&[*id]).await?.pop() {
                    return Ok(format!("{} deal", contact.card.display_name()));
                }
            }
            (Who::New(_), asked) => return Ok(format!("{} deal", asked.as_deref().unwrap_or_default().trim())),
        }
    }
    Ok(String::new())
}

/// Who a deal is with: somebody who is there, or somebody new of this name.
async fn who(kind: Kind, asked: Option<&str>, new: &AddDeal, desk: &Desk) -> anyhow::Result<Who> {
    let Some(name) = asked.map(str::trim).filter(|name| !name.is_empty()) else { return Ok(Who::Nobody) };
    let details = kind == Kind::Person && (new.person_email.is_some() || new.person_phone.is_some());
    match whom::look_up(kind, name, desk).await? {
        Found::One(_) if details => {
            let text = format!("person {name:?} is there already; --person-email and --person-phone are for a new one");
            Err(UsageError(text).into())
        }
        Found::One(id) => Ok(Who::Known(id)),
        Found::Nobody => {
            let mut patch = Map::from_iter([("name".to_owned(), json!(name))]);
            if kind == Kind::Person {
                patch.extend(new.person_email.iter().map(|email| ("emails".to_owned(), json!([email]))));
                patch.extend(new.person_phone.iter().map(|phone| ("phones".to_owned(), json!([phone]))));
            }
            Ok(Who::New(Value::Object(patch)))
        }
    }
}

async fn edit_deal(edit: &EditDeal, desk: &Desk) -> anyhow::Result<Exit> {
    let flags = &edit.flags;
    if edit.title.is_none() && edit.person.is_none() && edit.organization.is_none() && flags.says_nothing() {
        return Err(UsageError("nothing to change; see `contactsync deal edit --help`".to_owned()).into());
    }
    let person = whom::find_some(Kind::Person, edit.person.as_ref(), desk).await?;
    let organization = whom::find_some(Kind::Organization, edit.organization.as_ref(), desk).await?;
    let change = |body: &Body| {
        let mut body = body.clone();
        if let Body::Deal(deal) = &mut body {
            if let Some(title) = &edit.title {
                title.trim().clone_into(&mut deal.title);
            }
            if edit.person.is_some() {
                deal.about.person = person;
            }
            if edit.organization.is_some() {
                deal.about.organization = organization;
            }
            if flags.pipeline.is_some() && flags.stage.is_none() {
                deal.stage.clear();
            }
            flags.lay_over(deal).map_err(|error| EntryError::Contradiction(error.to_string()))?;
        }
        Ok(body)
    };
    let saved = desk.editor().edit_entry(edit.id, EntryKind::Deal, &change).await?;
    entry::answer_changed(&saved, "saved", desk).await
}

impl DealFlags {
    fn says_nothing(&self) -> bool {
        self.value.is_none()
            && self.pipeline.is_none()
            && self.stage.is_none()
            && self.status.is_none()
            && self.lost_reason.is_none()
            && self.expected_close.is_none()
            && self.owner.is_none()
            && self.labels.is_empty()
            && self.removed_labels.is_empty()
            && self.custom.is_empty()
    }

    fn money(&self) -> Result<Option<Option<Money>>, UsageError> {
        let Some(given) = &self.value else { return Ok(None) };
        let read = |text: String| text.parse().map_err(|error| UsageError(format!("--value: {error}")));
        Ok(Some(text_flag(given).map(read).transpose()?))
    }

    fn close(&self) -> Result<Option<Option<PartialDate>>, UsageError> {
        let Some(given) = &self.expected_close else { return Ok(None) };
        let read = |text: String| text.parse().map_err(|error| UsageError(format!("--expected-close: {error}")));
        Ok(Some(text_flag(given).map(read).transpose()?))
    }

    fn lay_over(&self, deal: &mut Deal) -> Result<(), UsageError> {
        let (money, close) = (self.money()?, self.close()?);
        if let Some(money) = money {
            deal.value = money;
        }
        if let Some(close) = close {
            deal.expected_close = close;
        }
        for (given, value) in [(&self.pipeline, &mut deal.pipeline), (&self.stage, &mut deal.stage)] {
            if let Some(text) = given {
                text.trim().clone_into(value);
            }
        }
        for (given, value) in [(&self.lost_reason, &mut deal.lost_reason), (&self.owner, &mut deal.owner)] {
            if let Some(text) = given {
                *value = text_flag(text);
            }
        }
        if let Some(status) = self.status {
            if status != Status::Lost && self.lost_reason.is_none() {
                deal.lost_reason = None;
            }
            deal.status = status;
        }
        deal.labels.extend(self.labels.iter().filter_map(|label| text_flag(label)));
        deal.labels.retain(|label| !self.removed_labels.iter().any(|removed| removed.trim() == label));
        for field in &self.custom {
            let (key, value) = custom_field(field)?;
            match value.as_str() {
                Some(value) => deal.custom.insert(key, value.to_owned()),
                None => deal.custom.remove(&key),
            };
        }
        Ok(())
    }
}
