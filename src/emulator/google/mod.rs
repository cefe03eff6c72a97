//! The People API: which path and verb is which method, and what holds for all of them.
//!
//! [`route`] finds the method, [`Route::is_write`] and [`Route::parameters`] say what it may be called with, [`answer`]
//! carries it out on one account. Credentials, faults, counters and the envelope are the business of
//! [`super::Emulator::handle`].

mod batches;
mod draft;
mod economy;
mod groups;
mod listing;
mod me;
mod members;
mod people;
mod photos;

use http::Method;
use serde_json::{Value, json};

use super::account::Account;
use super::admission::Caller;
use super::call::Call;
use super::counters::Units;
use super::failure::{Code, Failure};
use super::mask::{Mask, Purpose, Sources};
use super::partial;
use super::person::View;
use super::world::World;

pub use draft::{check_size, draft, for_update};
pub use groups::check_name;
pub use photos::{named as named_photo, set as set_photo};

/// A method of the API, with the object it is called on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the API; `Route::name` spells them out")]
pub enum Route {
    Connections,
    Me,
    Person(String),
    BatchGet,
    Create,
    Update(String),
    Delete(String),
    BatchCreate,
    BatchUpdate,
    BatchDelete,
    UpdatePhoto(String),
    DeletePhoto(String),
    Groups,
    Group(String),
    GroupBatchGet,
    CreateGroup,
    UpdateGroup(String),
    DeleteGroup(String),
    ModifyMembers(String),
    /// A method that exists and is not emulated.
    NotEmulated(&'static str),
}

/// The method behind `verb` and `path`; `None` where the service answers with a page that says 404.
pub fn route(verb: &Method, path: &str) -> Option<Route> {
    let path = path.strip_prefix("/v1/").filter(|path| !path.contains('%'))?;
    let (resource, action) = match path.rsplit_once(':') {
        Some((resource, action)) => (resource, Some(action)),
        None => (path, None),
    };
    let parts: Vec<&str> = resource.split('/').collect();
    let verb = verb.as_str();
    Some(match (verb, parts.as_slice(), action) {
        ("GET", ["people", "me", "connections"], None) => Route::Connections,
        ("GET", ["people", "me"], None) => Route::Me,
        ("GET", ["people", id], None) => Route::Person((*id).to_owned()),
        ("GET", ["people"], Some("batchGet")) => Route::BatchGet,
        ("POST", ["people"], Some("createContact")) => Route::Create,
        ("POST", ["people"], Some("batchCreateContacts")) => Route::BatchCreate,
        ("POST", ["people"], Some("batchUpdateContacts")) => Route::BatchUpdate,
        ("POST", ["people"], Some("batchDeleteContacts")) => Route::BatchDelete,
        ("PATCH", ["people", id], Some("updateContact")) => Route::Update((*id).to_owned()),
        ("DELETE", ["people", id], Some("deleteContact")) => Route::Delete((*id).to_owned()),
        ("PATCH", ["people", id], Some("updateContactPhoto")) => Route::UpdatePhoto((*id).to_owned()),
        ("DELETE", ["people", id], Some("deleteContactPhoto")) => Route::DeletePhoto((*id).to_owned()),
        ("GET", ["people"], Some("searchContacts")) => Route::NotEmulated("people.searchContacts"),
        ("GET", ["people"], Some("listDirectoryPeople")) => Route::NotEmulated("people.listDirectoryPeople"),
        ("GET", ["people"], Some("searchDirectoryPeople")) => Route::NotEmulated("people.searchDirectoryPeople"),
        ("GET", ["otherContacts"], None) => Route::NotEmulated("otherContacts.list"),
        ("GET", ["otherContacts"], Some("search")) => Route::NotEmulated("otherContacts.search"),
        ("GET", ["contactGroups"], None) => Route::Groups,
        ("GET", ["contactGroups"], Some("batchGet")) => Route::GroupBatchGet,
        ("POST", ["contactGroups"], None) => Route::CreateGroup,
        ("GET", ["contactGroups", id], None) => Route::Group((*id).to_owned()),
        ("PUT", ["contactGroups", id], None) => Route::UpdateGroup((*id).to_owned()),
        ("DELETE", ["contactGroups", id], None) => Route::DeleteGroup((*id).to_owned()),
        ("POST", ["contactGroups", id, "members"], Some("modify")) => Route::ModifyMembers((*id).to_owned()),
        _ => return None,
    })
    .filter(|route| route.has_object())
}

impl Route {
    fn has_object(&self) -> bool {
        match self {
            Route::Person(id)
            | Route::Update(id)
            | Route::Delete(id)
            | Route::UpdatePhoto(id)
            | Route::DeletePhoto(id)
            | Route::Group(id)
            | Route::UpdateGroup(id)
            | Route::DeleteGroup(id)
            | Route::ModifyMembers(id) => !id.is_empty(),
            _ => true,
        }
    }

    /// The name of the method, as counters and faults know it.
    pub fn name(&self) -> &'static str {
        match self {
            Route::Connections => "people.connections.list",
            Route::Me | Route::Person(_) => "people.get",
            Route::BatchGet => "people.getBatchGet",
            Route::Create => "people.createContact",
            Route::Update(_) => "people.updateContact",
            Route::Delete(_) => "people.deleteContact",
            Route::BatchCreate => "people.batchCreateContacts",
            Route::BatchUpdate => "people.batchUpdateContacts",
            Route::BatchDelete => "people.batchDeleteContacts",
            Route::UpdatePhoto(_) => "people.updateContactPhoto",
            Route::DeletePhoto(_) => "people.deleteContactPhoto",
            Route::Groups => "contactGroups.list",
            Route::Group(_) => "contactGroups.get",
            Route::GroupBatchGet => "contactGroups.batchGet",
            Route::CreateGroup => "contactGroups.create",
            Route::UpdateGroup(_) => "contactGroups.update",
            Route::DeleteGroup(_) => "contactGroups.delete",
            Route::ModifyMembers(_) => "contactGroups.members.modify",
            Route::NotEmulated(name) => name,
        }
    }

    /// Whether the call is the first page of a full listing with a sync token, which has a quota of its own.
    pub fn is_full_pull(&self, call: &Call) -> bool {
        let is_first = call.parameter("pageToken").is_none() && call.parameter("syncToken").is_none();
        *self == Route::Connections && is_first && call.parameter("requestSyncToken") == Some("true")
    }

    /// The kind of a listing call, for faults that mean only one kind: the first page of a full listing, or anything
    /// with a sync token.
    pub fn variant(&self, call: &Call) -> Option<&'static str> {
        let (has_page, has_sync) = (call.parameter("pageToken").is_some(), call.parameter("syncToken").is_some());
        match self {
            Route::Connections if has_sync => Some("people.connections.list:delta"),
            Route::Connections if !has_page => Some("people.connections.list:full"),
            Route::Groups if has_sync => Some("contactGroups.list:delta"),
            Route::Groups if !has_page => Some("contactGroups.list:full"),
            _ => None,
        }
    }

    /// The name of the method inside the service, as error details spell it.
    pub fn rpc(&self) -> &'static str {
        match self {
            Route::Connections => "google.people.v1.PeopleService.ListConnections",
            Route::Groups => "google.people.v1.ContactGroupsService.ListContactGroups",
            _ => "google.people.v1.PeopleService",
        }
    }

    /// Whether the method changes something.
    pub fn is_write(&self) -> bool {
        match self {
            Route::Connections
            | Route::Me
            | Route::Person(_)
            | Route::BatchGet
            | Route::Groups
            | Route::Group(_)
            | Route::GroupBatchGet
            | Route::NotEmulated(_) => false,
            Route::Create
            | Route::Update(_)
            | Route::Delete(_)
            | Route::BatchCreate
            | Route::BatchUpdate
            | Route::BatchDelete
            | Route::UpdatePhoto(_)
            | Route::DeletePhoto(_)
            | Route::CreateGroup
            | Route::UpdateGroup(_)
            | Route::DeleteGroup(_)
            | Route::ModifyMembers(_) => true,
        }
    }

    /// What the method takes from the quotas; figures that no document states count as one unit.
    pub fn units(&self) -> Units {
        match self {
            Route::Create | Route::Update(_) => {
                Units { critical_reads: 1, critical_writes: 1, daily_writes: 1, ..Units::default() }
            }
            Route::BatchCreate | Route::BatchUpdate => {
                Units { critical_reads: 6, critical_writes: 6, daily_writes: 200, ..Units::default() }
            }
            Route::Delete(_) => Units { writes: 1, ..Units::default() },
            Route::BatchDelete => Units { writes: 10, ..Units::default() },
            _ if self.is_write() => Units { critical_writes: 1, ..Units::default() },
            _ => Units { critical_reads: 1, ..Units::default() },
        }
    }

    fn parameters(&self) -> &'static [&'static str] {
        match self {
            Route::Connections => &[
                "personFields",
                "requestMask.includeField",
                "pageSize",
                "pageToken",
                "requestSyncToken",
                "syncToken",
                "sortOrder",
                "sources",
            ],
            Route::Me | Route::Person(_) => &["personFields", "requestMask.includeField", "sources"],
            Route::BatchGet => &["personFields", "requestMask.includeField", "sources", "resourceNames"],
            Route::Create | Route::DeletePhoto(_) => &["personFields", "sources"],
            Route::Update(_) => &["personFields", "sources", "updatePersonFields"],
            Route::Groups => &["groupFields", "pageSize", "pageToken", "syncToken"],
            Route::Group(_) => &["groupFields", "maxMembers"],
            Route::GroupBatchGet => &["groupFields", "maxMembers", "resourceNames"],
            Route::DeleteGroup(_) => &["deleteContacts"],
            _ => &[],
        }
    }
}

/// The parameters every method takes.
const COMMON_PARAMETERS: [&str; 12] = [
    "$.xgafv",
    "access_token",
    "alt",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "quotaUser",
    "uploadType",
    "upload_protocol",
    "uploadProtocol",
];

/// Parameters that may come more than once.
const REPEATED_PARAMETERS: [&str; 2] = ["resourceNames", "sources"];

/// The body of a successful answer, and how many objects it was about.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The body.
    pub body: Value,
    /// People or groups read or written.
    pub items: usize,
    /// What a careful client would have done otherwise.
    pub complaints: Vec<String>,
}

impl Answer {
    fn about(body: Value, items: usize) -> Self {
        Answer { body, items, complaints: Vec::new() }
    }

    fn with_complaints(self, complaints: Vec<String>) -> Self {
        Answer { complaints, ..self }
    }
}

/// Carries out a call on the caller's account.
///
/// # Errors
/// What the service refuses.
pub fn answer(
    route: &Route,
    account: &mut Account,
    call: &Call,
    caller: &Caller,
    world: &World<'_>,
) -> Result<Answer, Failure> {
    check_parameters(route, call)?;
    account.people_log.settle(world.now);
    account.groups_log.settle(world.now);
    match route {
        Route::Connections => listing::connections(account, call, world),
        Route::Me => me::get(account, call, caller),
        Route::Person(id) => people::get(account, id, call, world),
        Route::BatchGet => batches::get(account, call, world),
        Route::Create => people::create(account, call, world),
        Route::Update(id) => people::update(account, id, call, world),
        Route::Delete(id) => people::delete(account, id, world),
        Route::BatchCreate => batches::create(account, call, world),
        Route::BatchUpdate => batches::update(account, call, world),
        Route::BatchDelete => batches::delete(account, call, world),
        Route::UpdatePhoto(id) => photos::update(account, id, call, world),
        Route::DeletePhoto(id) => photos::delete(account, id, call, world),
        Route::Groups => listing::groups(account, call, world),
        Route::Group(id) => groups::get(account, id, call, world),
        Route::GroupBatchGet => groups::batch_get(account, call, world),
        Route::CreateGroup => groups::create(account, call, world),
        Route::UpdateGroup(id) => groups::update(account, id, call, world),
        Route::DeleteGroup(id) => groups::delete(account, id, call, world),
        Route::ModifyMembers(id) => members::modify(account, id, call, world),
        Route::NotEmulated(name) => Err(Failure::new(Code::Unimplemented, "Operation is not implemented.")
            .because(format!("{name} is not emulated"))),
    }
}

fn check_parameters(route: &Route, call: &Call) -> Result<(), Failure> {
    let own = route.parameters();
    for (index, (name, value)) in call.query.iter().enumerate() {
        if !own.contains(&name.as_str()) && !COMMON_PARAMETERS.contains(&name.as_str()) {
            let text = format!(
                "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. \
                 Field '{name}' could not be found in request message."
            );
            return Err(Failure::bad_request("", text));
        }
        let is_repeated = call.query[..index].iter().any(|(earlier, _)| earlier == name);
        if is_repeated && !REPEATED_PARAMETERS.contains(&name.as_str()) {
            return Err(Failure::invalid_argument().because(format!("the parameter {name} comes twice")));
        }
        if name == "fields" && partial::select(&Value::Null, value).is_none() {
            return Err(Failure::new(Code::InvalidArgument, format!("Invalid field selection {value}")));
        }
        if name == "alt" && value != "json" {
            return Err(Failure::invalid_argument().because("only alt=json is emulated"));
        }
    }
    call.flag("prettyPrint").map(|_| ())
}

/// Reads `personFields` and `sources`; the mask must be there.
fn required_view(call: &Call) -> Result<View, Failure> {
    let mask = match (call.parameter("personFields"), call.parameter("requestMask.includeField")) {
        (None, Some(obsolete)) => Mask::require(Some(&obsolete.replace("person.", "")), "personFields", Purpose::Read)?,
        (text, _) => Mask::require(text, "personFields", Purpose::Read)?,
    };
    Ok(View { mask, sources: Sources::parse(call.parameters("sources"))? })
}

/// Reads `personFields` and `sources`; without a mask everything comes back.
fn optional_view(call: &Call) -> Result<View, Failure> {
    let text = call.parameter("personFields").unwrap_or_default();
    let mask = Mask::parse(text, "personFields", Purpose::Read)?.unwrap_or_else(Mask::all);
    Ok(View { mask, sources: Sources::parse(call.parameters("sources"))? })
}

/// Reads a mask and `sources` from the body of a batch or a photo call; `None` without a mask.
fn body_view(body: &serde_json::Map<String, Value>, mask: &str) -> Result<Option<View>, Failure> {
    let text = body.get(mask).and_then(Value::as_str).unwrap_or_default();
    let words = body.get("sources").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let sources = Sources::parse(words)?;
    Ok(Mask::parse(text, mask, Purpose::Read)?.map(|mask| View { mask, sources }))
}

/// The strings of a list in a body.
fn strings<'a>(body: &'a serde_json::Map<String, Value>, name: &str) -> Vec<&'a str> {
    body.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The answer to a mutation without a body.
fn nothing() -> Value {
    json!({})
}
