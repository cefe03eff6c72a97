//! `conflict`: the inbox of fields that both sides changed.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;

use crate::domain::conflict::Conflict;
use crate::domain::field::Field;
use crate::domain::id::{ConflictId, ContactId};
use crate::domain::policy::{ConflictPolicy, Winner};
use crate::domain::time::Timestamp;

use super::brief::briefs;
use super::desk::Desk;
use super::exit::{Exit, UsageError};

/// What to do with conflicts.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ConflictCommand {
    /// List the conflicts that wait for a decision
    List {
        /// Only those of this contact
        #[arg(long, value_name = "ID")]
        contact: Option<ContactId>,

        /// List at most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Show one conflict with the values of both sides
    Show {
        /// The id of a conflict, or of a contact that has only one
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Decide a conflict, or all conflicts of a contact
    Resolve(Resolve),
}

/// A decision.
#[derive(Debug, Clone, clap::Args)]
pub struct Resolve {
    /// The id of a conflict, or of a contact for all of its conflicts
    #[arg(value_name = "ID")]
    pub id: String,

    /// Take this side's value: "store" or "google"; or FIELD=SIDE for single fields
    #[arg(long, required = true, num_args = 1.., value_name = "SIDE|FIELD=SIDE")]
    pub take: Vec<Take>,
}

/// Which side to take, for one field or for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    field: Option<Field>,
    winner: Winner,
}

impl FromStr for Take {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, side) = match text.rsplit_once('=') {
            Some((field, side)) => (Some(field.parse().map_err(|error| UsageError(format!("{error}")))?), side),
            None => (None, text),
        };
        let winner = match side {
            "store" => Winner::Store,
            "google" => Winner::Remote,
            _ => return Err(UsageError(format!("{side:?} is not a side; expected store or google"))),
        };
        Ok(Take { field, winner })
    }
}

/// A conflict as programs see it.
#[derive(Debug, Serialize)]
struct Shown<'c> {
    id: ConflictId,
    contact: ContactId,
    field: &'c Field,
    base: &'c Value,
    store: &'c Value,
    google: &'c Value,
    account: &'c str,
    policy: &'static str,
    since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<Timestamp>,
}

impl<'c> From<&'c Conflict> for Shown<'c> {
    fn from(conflict: &'c Conflict) -> Self {
        Shown {
            id: conflict.id,
            contact: conflict.contact,
            field: &conflict.field,
            base: &conflict.base,
            store: &conflict.store,
            google: &conflict.remote,
            account: conflict.account.as_str(),
            policy: match conflict.policy {
                ConflictPolicy::Newest => "newest",
                ConflictPolicy::Store => "store",
                ConflictPolicy::Remote => "google",
                ConflictPolicy::Manual => "manual",
            },
            since: conflict.since,
            resolved: conflict.resolved,
        }
    }
}

/// Carries out a command on conflicts.
///
/// # Errors
/// What the store or the stream says.
pub async fn conflict(command: &ConflictCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        ConflictCommand::List { contact, limit } => list(*contact, *limit, desk).await,
        ConflictCommand::Show { id } => show(id, desk).await,
        ConflictCommand::Resolve(resolve) => decide(resolve, desk).await,
    }
}

async fn list(contact: Option<ContactId>, limit: Option<usize>, desk: &Desk) -> anyhow::Result<Exit> {
    let mut conflicts = desk.store.open_conflicts(contact).await.context("reading conflicts")?;
    conflicts.truncate(limit.unwrap_or(usize::MAX));
    if desk.out.is_json() {
        desk.out.json(&conflicts.iter().map(Shown::from).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    let ids: Vec<ContactId> =
        conflicts.iter().map(|conflict| conflict.contact).collect::<BTreeSet<_>>().into_iter().collect();
    let contacts = desk.store.contacts(&ids).await.context("reading the contacts")?;
    let names: BTreeMap<ContactId, String> =
        contacts.into_iter().map(|contact| (contact.id, contact.card.display_name())).collect();
    let cells = |conflict: &Conflict| {
        let [store, google] = briefs([&conflict.store, &conflict.remote]);
        [
            conflict.id.to_string(),
            conflict.contact.to_string(),
            names.get(&conflict.contact).cloned().unwrap_or_default(),
            conflict.account.to_string(),
            conflict.field.to_string(),
            store,
            google,
            conflict.since.to_string(),
        ]
    };
    let header = ["ID", "CONTACT", "NAME", "ACCOUNT", "FIELD", "STORE", "GOOGLE", "SINCE"];
    desk.out.table(header, conflicts.iter().map(cells).collect())?;
    Ok(Exit::Done)
}

async fn show(id: &str, desk: &Desk) -> anyhow::Result<Exit> {
    let conflict = the_one(id, desk).await?;
    if desk.out.is_json() {
        desk.out.json(&Shown::from(&conflict))?;
        return Ok(Exit::Done);
    }
    let contact = desk.store.contacts(&[conflict.contact]).await.context("reading the contact")?.pop();
    let name = contact.map_or_else(String::new, |contact| contact.card.display_name());
    let rows = [
        ("Conflict", conflict.id.to_string()),
        ("Contact", format!("{} {name}", conflict.contact)),
        ("Account", conflict.account.to_string()),
        ("Field", conflict.field.to_string()),
        ("Before", readable(&conflict.base)),
        ("Store", readable(&conflict.store)),
        ("Google", readable(&conflict.remote)),
        ("Since", conflict.since.to_string()),
        ("Resolved", conflict.resolved.map_or_else(|| "waits".to_owned(), |time| time.to_string())),
    ];
    desk.out.table(["", ""], rows.map(|(name, value)| [name.to_owned(), value]).into())?;
    Ok(Exit::Done)
}

/// The conflict that an id stands for: its own, waiting or not, or the only one of a contact that waits.
async fn the_one(id: &str, desk: &Desk) -> anyhow::Result<Conflict> {
    let own: ConflictId = id.parse().map_err(|error| UsageError(format!("{error}")))?;
    if let Some(conflict) = desk.store.conflict(own).await.context("reading the conflict")? {
        return Ok(conflict);
    }
    let contact: ContactId = id.parse().map_err(|error| UsageError(format!("{error}")))?;
    let mut waiting = desk.store.open_conflicts(Some(contact)).await.context("reading conflicts")?;
    let one =
        waiting.pop().ok_or_else(|| UsageError(format!("there is no conflict {id}, and none of a contact {id}")))?;
    if waiting.is_empty() {
        return Ok(one);
    }
    waiting.push(one);
    let told: Vec<String> = waiting.iter().map(|one| format!("  {} over {}", one.id, one.field)).collect();
    let count = waiting.len();
    Err(UsageError(format!("contact {id} has {count} conflicts; name one of them:\n{}", told.join("\n"))).into())
}

async fn decide(resolve: &Resolve, desk: &Desk) -> anyhow::Result<Exit> {
    let conflicts = waiting(&resolve.id, desk).await?;
    let mut decided = Vec::new();
    for conflict in &conflicts {
        if let Some(winner) = winner_for(&conflict.field, &resolve.take) {
            desk.editor().resolve(conflict, winner).await?;
            decided.push(conflict.id);
        }
    }
    let unmatched = resolve.take.iter().filter_map(|take| take.field.as_ref());
    let unmatched: Vec<String> = unmatched
        .filter(|field| !conflicts.iter().any(|conflict| conflict.field == **field))
        .map(ToString::to_string)
        .collect();
    if !unmatched.is_empty() {
        return Err(UsageError(format!("no conflict waits over {}", unmatched.join(", "))).into());
    }
    if desk.out.is_json() {
        desk.out.json(&serde_json::json!({ "resolved": decided }))?;
    } else {
        desk.out.text(&format!("resolved {}; the next run carries it out", decided.len()))?;
    }
    Ok(Exit::Done)
}

/// The waiting conflicts that an id stands for: its own, or all of the contact's.
async fn waiting(id: &str, desk: &Desk) -> anyhow::Result<Vec<Conflict>> {
    let own = match id.parse::<ConflictId>() {
        Ok(id) => desk.store.conflict(id).await.context("reading the conflict")?,
        Err(error) => return Err(UsageError(error.to_string()).into()),
    };
    if let Some(conflict) = own {
        return match conflict.resolved {
            Some(time) => Err(UsageError(format!("conflict {id} was resolved at {time}")).into()),
            None => Ok(vec![conflict]),
        };
    }
    let contact: ContactId = id.parse().map_err(|error| UsageError(format!("{error}")))?;
    let conflicts = desk.store.open_conflicts(Some(contact)).await.context("reading conflicts")?;
    if conflicts.is_empty() {
        return Err(UsageError(format!("no conflict waits under {id}")).into());
    }
    Ok(conflicts)
}

/// The side to take for a field: what is said of the field itself, else what is said of all.
fn winner_for(field: &Field, takes: &[Take]) -> Option<Winner> {
    let own = takes.iter().find(|take| take.field.as_ref() == Some(field));
    own.or_else(|| takes.iter().find(|take| take.field.is_none())).map(|take| take.winner)
}

fn readable(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(words: &[&str]) -> Vec<Take> {
        words.iter().map(|word| word.parse().expect(word)).collect()
    }

    #[test]
    fn a_side_is_taken_for_single_fields_or_for_all() {
        let takes = takes(&["notes=google", "custom.a=b=store", "store"]);
        assert_eq!(winner_for(&Field::Notes, &takes), Some(Winner::Remote));
        assert_eq!(winner_for(&Field::Custom("a=b".into()), &takes), Some(Winner::Store));
        assert_eq!(winner_for(&Field::JobTitle, &takes), Some(Winner::Store));
        assert_eq!(winner_for(&Field::JobTitle, &takes[..2]), None);
    }

    #[test]
    fn a_side_that_means_nothing_is_refused() {
        for word in ["pipedrive", "notes=mine", "fax=store", ""] {
            assert!(word.parse::<Take>().is_err(), "{word}");
        }
    }
}
