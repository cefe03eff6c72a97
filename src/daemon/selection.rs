//! The saved filters that the pairs of an account are selected by, read at the start of a run.
//!
//! A run knows either what every one of them selects, or nothing: a filter that is missing or cannot be read is never taken
//! for one that selects nobody, which would take everybody out of the group, nor for one that selects everybody.

use std::collections::BTreeMap;

use crate::config::{Account, Definitions};
use crate::domain::account::Outcome;
use crate::domain::pair::Promise;
use crate::domain::run::Fault;
use crate::engine::chain;
use crate::store::{Store, StoreError};

/// Why an account has no selection.
#[derive(Debug)]
pub struct NoSelection {
    /// How a run of the account ends.
    pub outcome: Outcome,
    /// Whose fault it is, where a person can do something about it.
    pub fault: Option<Fault>,
    /// One sentence.
    pub sentence: String,
}

/// Everything a run has to know about the wishes for an account.
///
/// # Errors
/// [`NoSelection`] when a filter that a pair names is missing, cannot be read, or cannot be the selection of a pair.
pub async fn promise(account: &Account, store: &dyn Store) -> Result<Promise, NoSelection> {
    let definitions = definitions(account, store).await?;
    account.promise(&definitions).map_err(|error| NoSelection {
        outcome: Outcome::Failed,
        fault: Some(Fault::Setup),
        sentence: chain(&error),
    })
}

/// What the filters select that the pairs of an account name.
async fn definitions(account: &Account, store: &dyn Store) -> Result<Definitions, NoSelection> {
    let mut definitions = BTreeMap::new();
    for wish in &account.pairs {
        let Some(name) = &wish.filter else { continue };
        let about = format!("the pair {:?} is selected by the filter {name:?}", wish.pair.group);
        let setup = |why: String| {
            let sentence = format!("{about}, {why}; nothing was carried, and nobody was taken out of the group");
            NoSelection { outcome: Outcome::Failed, fault: Some(Fault::Setup), sentence }
        };
        let saved = match store.filter(name).await {
            Ok(Some(saved)) => saved,
            Ok(None) => {
                return Err(setup(
                    "which does not exist: make it with `contactsync filter add`, or take it out of the configuration"
                        .into(),
                ));
            }
            Err(error @ StoreError::Inconsistent { .. }) => {
                let why = format!(
                    "which cannot be read ({}): say anew with `contactsync filter edit` what it selects",
                    chain(&error)
                );
                return Err(setup(why));
            }
            Err(error) => {
                let sentence = format!("{about}, which cannot be read now: {}", chain(&error));
                return Err(NoSelection { outcome: Outcome::Unreachable, fault: None, sentence });
            }
        };
        if saved.filter.is_empty() {
            return Err(setup("which asks nothing: say with `contactsync filter edit` what it selects".into()));
        }
        let of_cards = saved.filter.of_cards().ok_or_else(|| {
            setup("which asks when contacts were created or last changed, and a pair cannot be selected by that".into())
        })?;
        definitions.insert(name.clone(), of_cards);
    }
    Ok(definitions)
}
