//! `[[account]]`: one Google account, when it is synchronized, and the promise that is kept for it.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeValue;

use crate::domain::dialling::HomeRegion;
use crate::domain::field::Field;
use crate::domain::filter::CardFilter;
use crate::domain::id::{AccountName, ReplicaId};
use crate::domain::pair::{DeletePolicy, Direction, Guard, Organizations, Pair, Photos, Promise};
use crate::domain::policy::ConflictPolicy;

use super::Surroundings;
use super::error::At;
use super::fields::{self, FieldTarget};
use super::pair::{self, PairWish};
use super::policy;
use super::schedule::{self, Schedule};
use super::secret::Secret;
use super::table::{self, Notes, Table};
use super::value;

/// The directions by name.
pub(super) const DIRECTIONS: [(&str, Direction); 3] =
    [("two-way", Direction::TwoWay), ("to-google", Direction::ToRemote), ("from-google", Direction::FromRemote)];

/// What organizations become, by name.
pub(super) const ORGANIZATIONS: [(&str, Organizations); 3] =
    [("contact", Organizations::Contact), ("company", Organizations::Company), ("off", Organizations::Off)];

/// One Google account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name; the replica is called `google:<name>`.
    pub name: AccountName,
    /// The address of the user whose consent is accepted.
    pub email: String,
    /// Where the consent is found.
    pub grant: GrantSource,
    /// When it is synchronized.
    pub schedule: Schedule,
    /// Whether it is synchronized at all; a paused one keeps everything it has.
    pub enabled: bool,
    /// Which way changes may travel.
    pub direction: Direction,
    /// Who wins when both sides changed the same field.
    pub conflict: ConflictPolicy,
    /// Exceptions from it.
    pub conflict_fields: BTreeMap<Field, ConflictPolicy>,
    /// What organizations of the store become at Google.
    pub organizations: Organizations,
    /// Whether photos travel.
    pub photos: bool,
    /// What a deletion on one side means for the other.
    pub delete: DeletePolicy,
    /// When to stop and ask.
    pub guard: Guard,
    /// The groups and what belongs into them; at least one.
    pub pairs: Vec<PairWish>,
    /// Fields that travel differently than usual.
    pub fields: BTreeMap<Field, FieldTarget>,
    /// The country that phone numbers without one belong to; that of the store.
    pub home: Option<HomeRegion>,
}

/// What saved filters select, by name.
pub type Definitions = BTreeMap<String, CardFilter>;

/// A filter that a pair names is not among the definitions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what the filter {name:?} selects is not known")]
pub struct Undefined {
    name: String,
}

/// Where the user's consent is found.
#[derive(Debug, Clone)]
pub enum GrantSource {
    /// In the store, where `contactsync login` puts it.
    Store,
    /// In a file with a refresh token.
    RefreshToken(Secret),
    /// A service account to which the domain's administrator delegated the user.
    ServiceAccount(Secret),
}

/// An account as read, with the places that checks between accounts need.
pub(super) struct ReadAccount {
    pub(super) account: Account,
    pub(super) name: table::At<String>,
    pub(super) email: table::At<String>,
}

impl PairWish {
    /// The pair with what its filter selects.
    fn with(&self, definitions: &Definitions) -> Result<Pair, Undefined> {
        let filter = match &self.filter {
            Some(name) => Some(definitions.get(name).cloned().ok_or_else(|| Undefined { name: name.clone() })?),
            None => None,
        };
        Ok(Pair { filter, ..self.pair.clone() })
    }
}

impl Account {
    /// Everything a run has to know about the wishes for this account, with what its filters select.
    ///
    /// # Errors
    /// [`Undefined`] when a pair names a filter that is not among the definitions: there is no promise without it.
    pub fn promise(&self, definitions: &Definitions) -> Result<Promise, Undefined> {
        let pairs: Result<Vec<Pair>, Undefined> = self.pairs.iter().map(|wish| wish.with(definitions)).collect();
        Ok(Promise {
            account: self.name.clone(),
            replica: ReplicaId::google(&self.name),
            direction: self.direction,
            conflict: self.conflict,
            conflict_fields: self.conflict_fields.clone(),
            organizations: self.organizations,
            photos: match self.photos && self.fields.get(&Field::Photo) != Some(&FieldTarget::Off) {
                true => Photos::Travel,
                false => Photos::Stay,
            },
            delete: self.delete.clone(),
            guard: self.guard.clone(),
            pairs: pairs?,
            home: self.home,
        })
    }

    /// Whether the account needs the OAuth client; a service account proves itself with its own key.
    pub fn needs_client(&self) -> bool {
        !matches!(self.grant, GrantSource::ServiceAccount(_))
    }

    /// Reads one account; `None` when something required is missing, and then the problem is noted.
    pub(super) fn read(
        mut table: Table<'_>,
        file: &Path,
        folder: &Path,
        around: &Surroundings,
        home: Option<HomeRegion>,
        notes: &mut Notes<'_>,
    ) -> Option<ReadAccount> {
        let name = table.required("name", notes, name);
        let email = table.required("email", notes, value::email);
        let grant = grant(&mut table, file, folder, around, notes);
        let pattern = table.optional("schedule", notes, schedule::pattern).map(|at| at.value);
        let timezone = table.or("timezone", chrono_tz::UTC, notes, schedule::timezone);
        let enabled = table.or("enabled", true, notes, value::flag);
        let direction = table.or("direction", Direction::TwoWay, notes, value::choice(&DIRECTIONS));
        let conflict = table.or("conflict", ConflictPolicy::Newest, notes, value::choice(&policy::CONFLICT));
        let organizations = table.or("organizations", Organizations::Contact, notes, value::choice(&ORGANIZATIONS));
        let photos = table.or("photos", true, notes, value::flag);
        let conflict_fields = policy::conflict_fields(table.table("conflict_fields", notes), notes);
        let delete_table = table.table("delete", notes);
        let guard = policy::guard(table.table("guard", notes), notes);
        let place = table.place().clone();
        let pairs = pair::read(table.tables("pair", notes), &place, notes);
        let delete = policy::delete(delete_table, &pairs, notes);
        let fields = fields::read(table.table("fields", notes), notes);
        table.finish(notes);
        let (name, email) = (name?, email?);
        let account = Account {
            name: AccountName::new(name.value.clone()),
            email: email.value.clone(),
            grant,
            schedule: Schedule::new(pattern.or_else(schedule::default_pattern)?, timezone),
            enabled,
            direction,
            conflict,
            conflict_fields,
            organizations,
            photos,
            delete,
            guard,
            pairs,
            fields,
            home,
        };
        Some(ReadAccount { account, name, email })
    }
}

fn grant(
    table: &mut Table<'_>,
    file: &Path,
    folder: &Path,
    around: &Surroundings,
    notes: &mut Notes<'_>,
) -> GrantSource {
    let token = table.optional("refresh_token_file", notes, value::text);
    let service = table.optional("service_account_file", notes, value::text);
    let secret = |key, path: table::At<String>, notes: &Notes<'_>| Secret {
        key,
        at: At { file: file.to_owned(), position: notes.position(path.place.start) },
        source: around.secret_file(folder.join(path.value)),
    };
    match (token, service) {
        (None, None) => GrantSource::Store,
        (Some(path), None) => GrantSource::RefreshToken(secret("account.refresh_token_file", path, notes)),
        (None, Some(path)) => GrantSource::ServiceAccount(secret("account.service_account_file", path, notes)),
        (Some(_), Some(path)) => {
            let message = "refresh_token_file and service_account_file contradict each other; keep one";
            notes.problem(&path.place, table.key("service_account_file"), message);
            GrantSource::Store
        }
    }
}

/// A name that stays readable inside `google:<name>`, on a command line and in a log.
fn name(value: &DeValue<'_>) -> Result<String, String> {
    const LENGTH_MAX: usize = 64;
    let text = value::text(value).unwrap_or_default();
    let plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+'));
    if plain && !text.is_empty() && text.chars().count() <= LENGTH_MAX && !text.starts_with('-') {
        Ok(text)
    } else {
        Err("a name of letters, digits and - _ . @ +".to_owned())
    }
}
