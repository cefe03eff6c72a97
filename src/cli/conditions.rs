//! Flags that say which contacts are meant: those of lists and of saved filters alike.

use std::collections::BTreeSet;

use anyhow::Context as _;

use crate::domain::field::Field;
use crate::domain::filter::{Asked, Condition, ConditionError, SavedFilter, Test, day_range, instant};
use crate::domain::id::ContactId;
use crate::domain::matching::MatchKey;
use crate::domain::normal;
use crate::store::Store;

use super::exit::UsageError;

/// What has to be true of a contact.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConditionFlags {
    /// Only those with this label; repeated, with any of them
    #[arg(long, value_name = "LABEL")]
    pub label: Vec<String>,

    /// Only those this user looks after; repeated, any of them
    #[arg(long, value_name = "EMAIL")]
    pub owner: Vec<String>,

    /// Only those of whom this holds; repeated, all of it
    ///
    /// FIELD=VALUE, FIELD!=VALUE, FIELD~TEXT (contains) or FIELD!~TEXT; FIELD= for an empty field, FIELD!= for one that is
    /// not. FIELD is a field as `person show --json` names it, such as job_title or "custom.Price list"; or kind, created,
    /// updated. birthday also takes MM-DD..MM-DD, and created and updated take >=DAY and <DAY. Of a name or an address,
    /// each part counts. Case and accents do not matter, but for labels
    #[arg(long, value_name = "CONDITION")]
    pub field: Vec<Condition>,

    /// Only those that came into the store on this day (UTC), at this time, or later
    #[arg(long, value_name = "DAY")]
    pub created_since: Option<String>,

    /// Only those that came into the store before this day (UTC) or time
    #[arg(long, value_name = "DAY")]
    pub created_before: Option<String>,

    /// Only those that last changed on this day (UTC), at this time, or later
    #[arg(long, value_name = "DAY")]
    pub updated_since: Option<String>,

    /// Only those that last changed before this day (UTC) or time
    #[arg(long, value_name = "DAY")]
    pub updated_before: Option<String>,

    /// Only those whose birthday is on one of these days, in any year; the second may lie in the new year
    #[arg(long, value_name = "MM-DD..MM-DD", allow_hyphen_values = true)]
    pub birthday: Option<String>,
}

impl ConditionFlags {
    /// What is asked, as conditions.
    ///
    /// # Errors
    /// [`UsageError`] when a day is none.
    pub fn conditions(&self) -> Result<BTreeSet<Condition>, UsageError> {
        let mut conditions: BTreeSet<Condition> = self.field.iter().cloned().collect();
        for (field, values) in [(Field::Labels, &self.label), (Field::Owner, &self.owner)] {
            if !values.is_empty() {
                let test = Test::Is(values.iter().cloned().collect());
                conditions.insert(Condition::new(Asked::Field(field), test).map_err(usage("--label"))?);
            }
        }
        for (flag, day, asked, test) in [
            ("--created-since", &self.created_since, Asked::Created, Test::Since as fn(_) -> _),
            ("--created-before", &self.created_before, Asked::Created, Test::Before),
            ("--updated-since", &self.updated_since, Asked::Updated, Test::Since),
            ("--updated-before", &self.updated_before, Asked::Updated, Test::Before),
        ] {
            let Some(day) = day else { continue };
            let time = instant(day).map_err(usage(flag))?;
            conditions.insert(Condition::new(asked, test(time)).map_err(usage(flag))?);
        }
        if let Some(days) = &self.birthday {
            let (from, to) = day_range(days).map_err(usage("--birthday"))?;
            let condition = Condition::new(Asked::Field(Field::Birthday), Test::Between(from, to));
            conditions.insert(condition.map_err(usage("--birthday"))?);
        }
        Ok(conditions)
    }
}

fn usage(flag: &'static str) -> impl FnOnce(ConditionError) -> UsageError {
    move |error| UsageError(format!("{flag}: {error}"))
}

/// The condition to be one of the people of an organization; `None` when there is none of the name.
///
/// # Errors
/// What the store says.
pub async fn people_of(asked: &str, store: &dyn Store) -> anyhow::Result<Option<Condition>> {
    let ids: BTreeSet<String> = match asked.parse::<ContactId>() {
        Ok(id) => [id.to_string()].into(),
        Err(_) => {
            let key = MatchKey::OrganizationName(normal::fold(asked));
            let found = store.contacts_with_keys(&[key].into()).await.context("looking for the organization")?;
            found.into_iter().map(|(_, id)| id.to_string()).collect()
        }
    };
    // Without an organization, there is no condition to be made.
    Ok(Condition::new(Asked::Field(Field::Organization), Test::Is(ids)).ok())
}

/// The saved filter of this name.
///
/// # Errors
/// [`UsageError`] when there is none, and what the store says.
pub async fn saved_filter(name: &str, store: &dyn Store) -> anyhow::Result<SavedFilter> {
    let found = store.filter(name).await.with_context(|| format!("reading the filter {name:?}"))?;
    found.ok_or_else(|| no_filter(name).into())
}

/// That there is no filter of a name.
pub fn no_filter(name: &str) -> UsageError {
    UsageError(format!("there is no filter {name:?}; see `contactsync filter list`"))
}
