//! `duplicates`: contacts that may be the same, and why.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde::Serialize;

use crate::contacts::duplicates::{candidates, dismissals};
use crate::domain::contact::Kind;
use crate::domain::duplicates::{Candidate, Evidence, Strength};
use crate::domain::entry::Body;
use crate::domain::id::ContactId;

use super::desk::Desk;
use super::exit::Exit;

/// How many contacts are read at once.
const CHUNK: usize = 500;

/// Which couples to show, or what to say about one.
#[derive(Debug, Clone, clap::Args)]
pub struct DuplicatesArgs {
    /// Only of this kind: person or organization
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<Kind>,

    /// Show at most so many couples
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,

    /// Remember that these two are not the same
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["undismiss", "dismissed"])]
    pub dismiss: Vec<ContactId>,

    /// Forget that these two are not the same
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "dismissed")]
    pub undismiss: Vec<ContactId>,

    /// Show the couples that were dismissed
    #[arg(long)]
    pub dismissed: bool,
}

#[derive(Serialize)]
struct Named<'n> {
    id: ContactId,
    name: &'n str,
}

#[derive(Serialize)]
struct Couple<'n> {
    kind: Kind,
    first: Named<'n>,
    second: Named<'n>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strength: Option<Strength>,
    evidence: Vec<String>,
    against: Option<String>,
}

/// A kind of contacts by its name.
pub(super) fn kind(text: &str) -> Result<Kind, String> {
    let known = [Kind::Person, Kind::Organization];
    known.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| "expected person or organization".to_owned())
}

/// Shows likely duplicates, or remembers what is said about a couple.
///
/// # Errors
/// What the store, the editor or the stream says.
pub async fn duplicates(args: &DuplicatesArgs, desk: &Desk) -> anyhow::Result<Exit> {
    if let [one, other] = args.dismiss[..] {
        let entry = desk.editor().dismiss(one, other).await?;
        return super::entry::answer_changed(&entry, "remembered", desk).await;
    }
    if let [one, other] = args.undismiss[..] {
        let entry = desk.editor().take_dismissal_back(one, other).await?;
        return super::entry::answer_changed(&entry, "forgot", desk).await;
    }
    let mut found = if args.dismissed { dismissed(desk).await? } else { likely(args, desk).await? };
    found.retain(|couple| args.kind.is_none_or(|wanted| wanted == couple.kind));
    found.truncate(args.limit.unwrap_or(usize::MAX));
    answer(&found, desk).await
}

async fn likely(args: &DuplicatesArgs, desk: &Desk) -> anyhow::Result<Vec<Candidate>> {
    let mut found = Vec::new();
    for kind in [Kind::Person, Kind::Organization] {
        if args.kind.is_none_or(|wanted| wanted == kind) {
            let home = desk.config.store.region;
            found.extend(candidates(&*desk.store, kind, home).await.context("comparing contacts")?);
        }
    }
    found.sort_by_key(|couple| couple.strength);
    Ok(found)
}

async fn dismissed(desk: &Desk) -> anyhow::Result<Vec<Candidate>> {
    let entries = dismissals(&*desk.store).await.context("reading what was dismissed")?;
    let ids: Vec<ContactId> = entries.iter().flat_map(|entry| entry.body.contacts()).collect();
    let mut organizations = BTreeSet::new();
    for chunk in ids.chunks(CHUNK) {
        let contacts = desk.store.contacts(chunk).await.context("reading contacts")?;
        let of_kind = contacts.iter().filter(|contact| contact.card.kind() == Kind::Organization);
        organizations.extend(of_kind.map(|contact| contact.id));
    }
    let couple = |body: Body| match body {
        Body::Dismissal(couple) => Some(Candidate {
            first: couple.first,
            second: couple.second,
            kind: if organizations.contains(&couple.first) { Kind::Organization } else { Kind::Person },
            strength: Strength::Weak,
            evidence: Vec::new(),
            against: None,
        }),
        _ => None,
    };
    Ok(entries.into_iter().filter_map(|entry| couple(entry.body)).collect())
}

async fn answer(found: &[Candidate], desk: &Desk) -> anyhow::Result<Exit> {
    let mut ids: Vec<ContactId> = found.iter().flat_map(|couple| [couple.first, couple.second]).collect();
    ids.sort();
    ids.dedup();
    let mut names = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let contacts = desk.store.contacts(chunk).await.context("reading contacts")?;
        names.extend(contacts.into_iter().map(|contact| (contact.id, contact.card.display_name())));
    }
    let name = |id: ContactId| names.get(&id).map_or("", String::as_str);
    let shown: Vec<Couple<'_>> = found
        .iter()
        .map(|couple| Couple {
            kind: couple.kind,
            first: Named { id: couple.first, name: name(couple.first) },
            second: Named { id: couple.second, name: name(couple.second) },
            strength: (!couple.evidence.is_empty()).then_some(couple.strength),
            evidence: couple.evidence.iter().map(Evidence::told).collect(),
            against: couple.against.map(|against| against.to_string()),
        })
        .collect();
    if desk.out.is_json() {
        desk.out.json(&shown)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<[String; 6]> = shown.iter().map(row).collect();
    desk.out.table(["", "FIRST", "NAME", "SECOND", "NAME", "WHY"], rows)?;
    if let Some(couple) = found.first().filter(|couple| !couple.evidence.is_empty()) {
        let (word, first, second) = (couple.kind.as_str(), couple.first, couple.second);
        desk.out.remark(&format!(
            "`contactsync {word} merge {first} {second}` tells what a merge comes to; `contactsync duplicates --dismiss \
             {first} {second}` remembers that they are not the same"
        ));
    }
    Ok(Exit::Done)
}

fn row(couple: &Couple<'_>) -> [String; 6] {
    let strength = couple.strength.map(|strength| match strength {
        Strength::Strong => "strong",
        Strength::Likely => "likely",
        Strength::Weak => "weak",
    });
    let against = couple.against.as_ref().map(|against| format!("; but {against}")).unwrap_or_default();
    [
        strength.unwrap_or_default().to_owned(),
        couple.first.id.to_string(),
        couple.first.name.to_owned(),
        couple.second.id.to_string(),
        couple.second.name.to_owned(),
        format!("{}{against}", couple.evidence.join(", ")),
    ]
}
