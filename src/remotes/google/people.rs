//! Reading contacts: the listing with its change stream, and direct reads.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::domain::id::{ChangeToken, RemoteId};
use crate::remotes::id_token::Identity;
use crate::remotes::{Fetched, PageRequest, Presence, Record, RecordPage, RemoteError, RemoteUser};

use super::answers::{Found, PersonResponse};
use super::client::{Google, user_id};
use super::request::{About, Call, add_parameter, path_of};
use super::wire;

/// What is asked of every contact. The order is frozen: another one may count as another request, whose change tokens
/// are worthless.
///
/// All that can be written is asked for, also what no contact here can hold: a contact that has to be made again gets it
/// back.
pub(super) const PERSON_FIELDS: &str = "names,nicknames,emailAddresses,phoneNumbers,addresses,organizations,birthdays,\
    events,biographies,urls,relations,imClients,userDefined,externalIds,sipAddresses,calendarUrls,locations,\
    occupations,interests,locales,genders,miscKeywords,clientData,memberships,photos,metadata";
/// Only the contact itself, not the profile somebody with the same address has.
pub(super) const SOURCE: &str = "READ_SOURCE_TYPE_CONTACT";
const ME: &str = "people.get(me)";
const LISTING: &str = "people.connections.list";
/// The most ids of one direct read.
pub(super) const FETCH_MAX: usize = 200;
/// A listing shows no more e-mails or phones of one contact than these.
///
/// Source: People API reference, `people.connections.list` (read 2026-11).
const LISTED_VALUES_MAX: usize = 100;
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Connections {
    connections: Vec<Value>,
    next_page_token: Option<String>,
    next_sync_token: Option<String>,
    total_items: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Responses {
    responses: Vec<PersonResponse>,
}

/// The request for the listing, without tokens.
pub(super) fn listing() -> String {
    format!(
        "/v1/people/me/connections?personFields={PERSON_FIELDS}&sources={SOURCE}&pageSize=1000&requestSyncToken=true\
         &prettyPrint=false"
    )
}

/// Reads an answer into the shape it should have.
///
/// # Errors
/// [`RemoteError::Lost`], which names the odd member but none of its values.
pub(super) fn decode<T: serde::de::DeserializeOwned>(method: &'static str, answer: Value) -> Result<T, RemoteError> {
    serde_path_to_error::deserialize(answer)
        .map_err(|error| unreadable(method, &format!("an odd member {}", error.path())))
}

/// An answer that lacks what it must have.
pub(super) fn unreadable(method: &'static str, what: &str) -> RemoteError {
    RemoteError::Lost { method, detail: what.to_owned(), cause: None }
}

impl Google {
    /// people.connections.list
    pub(super) async fn list_people(&self, request: &PageRequest) -> Result<RecordPage, RemoteError> {
        const METHOD: &str = LISTING;
        let mut call = Call::get(METHOD, listing());
        call.about = About::FullListing;
        for (name, token) in
            [("pageToken", &request.page), ("syncToken", &request.since.as_ref().map(ToString::to_string))]
        {
            if let Some(token) = token {
                call.about = About::Continuation;
                add_parameter(&mut call.path, name, token);
            }
        }
        let answer: Connections = decode(METHOD, self.read(&call).await?)?;
        let persons = answer.connections.iter().filter(|person| !wire::is_profile_only(person));
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for (place, person) in persons.enumerate() {
            match wire::record(person) {
                Ok(record) => records.push(record),
                Err(error) => unreadable.push(format!("entry {} of a page of the listing ({error})", place + 1)),
            }
        }
        let in_part = self.complete(&mut records).await?;
        unreadable.extend(in_part.iter().map(ToString::to_string));
        let last = answer.next_page_token.is_none();
        Ok(RecordPage {
            records,
            next_page: answer.next_page_token,
            next_token: answer.next_sync_token.filter(|_| last).map(ChangeToken::new),
            total: answer.total_items,
            unreadable,
        })
    }

    /// Reads those records directly of which the listing may have left out values. Returns those of which that did not
    /// succeed, taken out: what was listed of them would look as if the rest had been removed.
    async fn complete(&self, records: &mut Vec<Record>) -> Result<BTreeSet<RemoteId>, RemoteError> {
        let values = |record: &Record, field| wire::items(&record.wire, field).len();
        let is_cut = |record: &Record| {
            record.presence == Presence::Present
                && ["emailAddresses", "phoneNumbers"].iter().any(|field| values(record, field) >= LISTED_VALUES_MAX)
        };
        let mut in_part: BTreeSet<RemoteId> =
            records.iter().filter(|record| is_cut(record)).map(|record| record.id.clone()).collect();
        let ids: Vec<RemoteId> = in_part.iter().cloned().collect();
        let mut whole = self.fetch_people(&ids).await?.records;
        for record in records.iter_mut() {
            let Some(whole) = whole.remove(&record.id) else { continue };
            in_part.remove(&record.id);
            let former_ids = std::mem::take(&mut record.former_ids);
            *record = Record { former_ids, ..whole };
        }
        records.retain(|record| !in_part.contains(&record.id));
        Ok(in_part)
    }

    /// people.getBatchGet; what is not there is left out. An item counts as missing only when it says so. One that says
    /// nothing, or nothing that can be read, is asked for by itself, and is unclear when that tells no more.
    pub(super) async fn fetch_people(&self, ids: &[RemoteId]) -> Result<Fetched, RemoteError> {
        const METHOD: &str = "people.getBatchGet";
        // A name that stands twice in a request may be refused.
        let ids: Vec<&RemoteId> = ids.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut fetched = Fetched::default();
        for chunk in ids.chunks(FETCH_MAX) {
            let mut path =
                format!("/v1/people:batchGet?personFields={PERSON_FIELDS}&sources={SOURCE}&prettyPrint=false");
            chunk.iter().for_each(|id| add_parameter(&mut path, "resourceNames", id.as_str()));
            let answer: Responses = decode(METHOD, self.read(&Call::get(METHOD, path)).await?)?;
            let mut found: BTreeMap<RemoteId, Found> = answer
                .responses
                .iter()
                .filter_map(|response| Some((response.requested()?, response.found())))
                .collect();
            if chunk.len() > 1 && chunk.iter().all(|id| !found.contains_key(*id)) {
                return Err(unreadable(METHOD, "an answer without any of the contacts that were asked for"));
            }
            for id in chunk {
                let one = match found.remove(*id) {
                    Some(Found::Unclear) | None => self.get_person(id).await?,
                    Some(told) => told,
                };
                match one {
                    Found::Record(record) if record.presence == Presence::Present => {
                        fetched.records.insert((*id).clone(), *record);
                    }
                    Found::Record(_) | Found::Nothing => {}
                    Found::Unclear => _ = fetched.unclear.insert((*id).clone()),
                }
            }
        }
        Ok(fetched)
    }

    /// people.get
    pub(super) async fn get_person(&self, id: &RemoteId) -> Result<Found, RemoteError> {
        const METHOD: &str = "people.get";
        let path = path_of(id.as_str());
        let path = format!("/v1/{path}?personFields={PERSON_FIELDS}&sources={SOURCE}&prettyPrint=false");
        match self.read(&Call::get(METHOD, path)).await {
            Ok(person) => Ok(wire::contact(&person).map_or(Found::Unclear, |record| Found::Record(Box::new(record)))),
            Err(RemoteError::Missing { .. }) => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    /// The user, as the grant itself tells; people.get of the user when it tells no address. Both ways name the user
    /// the same.
    pub(super) async fn get_user(&self) -> Result<RemoteUser, RemoteError> {
        match self.identity(ME).await? {
            Some(identity @ Identity { email: Some(_), .. }) => {
                Ok(RemoteUser { id: user_id(&identity), email: identity.email })
            }
            _ => self.get_me().await,
        }
    }

    /// people.get of the user
    async fn get_me(&self) -> Result<RemoteUser, RemoteError> {
        let path = "/v1/people/me?personFields=emailAddresses,names,metadata&prettyPrint=false".to_owned();
        let me = self.read(&Call::get(ME, path)).await?;
        let id = wire::text(&me, "resourceName").ok_or_else(|| unreadable(ME, "a person without resourceName"))?;
        let addresses = wire::items(&me, "emailAddresses");
        let primary = |item: &&Value| item.pointer("/metadata/primary").and_then(Value::as_bool) == Some(true);
        let address = addresses.iter().find(primary).or(addresses.first());
        let email = address.and_then(|item| wire::text(item, "value")).map(str::to_owned);
        let email = email.or_else(|| self.vouched.clone());
        Ok(RemoteUser { id: id.to_owned(), email })
    }
}
