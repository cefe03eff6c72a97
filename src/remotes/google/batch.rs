//! Writing contacts: one by one, or many in one call.
//!
//! A single contact has calls of its own, which cost less of the daily budget than a batch. Which of the two is used
//! follows from how many contacts a call is given.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::id::RemoteId;
use crate::remotes::{Created, Record, RemoteError, Update, Updated};

use super::answers::{self, Found, PersonResponse};
use super::client::{Failure, Google};
use super::people::{PERSON_FIELDS, SOURCE, decode, unreadable};
use super::request::{About, Call, DELETE, DELETE_BATCH, WRITE, WRITE_BATCH, path_of};
use super::wire::{self, Object};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CreatedPeople {
    created_people: Vec<PersonResponse>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct UpdatedPeople {
    update_result: BTreeMap<String, PersonResponse>,
}

impl Google {
    /// people.createContact, people.batchCreateContacts
    pub(super) async fn create_people(&self, wires: &[Value]) -> Result<Created, RemoteError> {
        match wires {
            [] => Ok(Created::default()),
            [wire] => Ok(Created { records: vec![self.create_person(wire).await?], ..Created::default() }),
            wires => self.batch_create(wires).await,
        }
    }

    async fn create_person(&self, wire: &Value) -> Result<Record, RemoteError> {
        const METHOD: &str = "people.createContact";
        let path = format!("/v1/people:createContact?personFields={PERSON_FIELDS}&sources={SOURCE}&prettyPrint=false");
        let about = About::Creation(1);
        let call = Call { method: METHOD, verb: Method::POST, path, body: Some(wire::lists(wire)), cost: WRITE, about };
        let person = self.write(&call).await.map_err(error)?;
        wire::record(&person).map_err(|error| unreadable(METHOD, &error.to_string()))
    }

    async fn batch_create(&self, wires: &[Value]) -> Result<Created, RemoteError> {
        const METHOD: &str = "people.batchCreateContacts";
        let contacts: Vec<Value> = wires.iter().map(|wire| json!({ "contactPerson": wire::lists(wire) })).collect();
        let body = json!({ "contacts": contacts, "readMask": PERSON_FIELDS, "sources": [SOURCE] });
        let path = "/v1/people:batchCreateContacts?prettyPrint=false".to_owned();
        let about = About::Creation(wires.len());
        let call = Call { method: METHOD, verb: Method::POST, path, body: Some(body), cost: WRITE_BATCH, about };
        let answer: CreatedPeople = decode(METHOD, self.write(&call).await.map_err(error)?)?;
        Ok(answers::created(wires, &answer.created_people))
    }

    /// people.updateContact, people.batchUpdateContacts
    pub(super) async fn update_people(&self, mask: &[String], updates: &[Update]) -> Result<Updated, RemoteError> {
        match updates {
            [] => Ok(Updated::default()),
            [update] => {
                let record = self.update_person(mask, update).await?;
                let records = record.map(|record| (update.id.clone(), record)).into_iter().collect();
                Ok(Updated { records, ..Updated::default() })
            }
            updates => self.batch_update(mask, updates).await,
        }
    }

    async fn update_person(&self, mask: &[String], update: &Update) -> Result<Option<Record>, RemoteError> {
        const METHOD: &str = "people.updateContact";
        let (name, mask_text) = (path_of(update.id.as_str()), mask.join(","));
        let path = format!(
            "/v1/{name}:updateContact?updatePersonFields={mask_text}&personFields={PERSON_FIELDS}&sources={SOURCE}\
             &prettyPrint=false"
        );
        let ids = [update.id.clone()];
        let (body, about) = (Some(changed_person(mask, update)), About::Persons(&ids));
        let call = Call { method: METHOD, verb: Method::PATCH, path, body, cost: WRITE, about };
        let person = self.write(&call).await.map_err(error)?;
        // Success is success; what cannot be read of the answer can be read from the contact.
        Ok(wire::record(&person).ok())
    }

    async fn batch_update(&self, mask: &[String], updates: &[Update]) -> Result<Updated, RemoteError> {
        const METHOD: &str = "people.batchUpdateContacts";
        let ids: Vec<RemoteId> = updates.iter().map(|update| update.id.clone()).collect();
        let contacts: Object =
            updates.iter().map(|update| (update.id.to_string(), changed_person(mask, update))).collect();
        let body = json!({
            "contacts": contacts, "updateMask": mask.join(","), "readMask": PERSON_FIELDS, "sources": [SOURCE],
        });
        let path = "/v1/people:batchUpdateContacts?prettyPrint=false".to_owned();
        let about = About::Persons(&ids);
        let call = Call { method: METHOD, verb: Method::POST, path, body: Some(body), cost: WRITE_BATCH, about };
        let answer: UpdatedPeople = decode(METHOD, self.write(&call).await.map_err(error)?)?;
        Ok(answers::updated(&ids, &answer.update_result))
    }

    /// people.deleteContact, people.batchDeleteContacts
    pub(super) async fn delete_people(&self, ids: &[RemoteId]) -> Result<(), RemoteError> {
        match ids {
            [] => Ok(()),
            [id] => self.delete_person(id).await,
            ids => self.batch_delete(ids).await,
        }
    }

    async fn delete_person(&self, id: &RemoteId) -> Result<(), RemoteError> {
        const METHOD: &str = "people.deleteContact";
        let path = format!("/v1/{}:deleteContact?prettyPrint=false", path_of(id.as_str()));
        let ids = [id.clone()];
        let about = About::Persons(&ids);
        let call = Call { method: METHOD, verb: Method::DELETE, path, body: None, cost: DELETE, about };
        match self.write(&call).await {
            Ok(_) => Ok(()),
            // Google answers so about contacts that do not exist; only a direct read tells the two apart.
            Err(failure) if failure.code == Some(500) => match self.get_person(id).await {
                Ok(Found::Nothing) => Err(RemoteError::Missing { method: METHOD }),
                _ => Err(failure.error),
            },
            Err(failure) => Err(failure.error),
        }
    }

    async fn batch_delete(&self, ids: &[RemoteId]) -> Result<(), RemoteError> {
        const METHOD: &str = "people.batchDeleteContacts";
        let names: Vec<&str> = ids.iter().map(RemoteId::as_str).collect();
        let body = json!({ "resourceNames": names });
        let path = "/v1/people:batchDeleteContacts?prettyPrint=false".to_owned();
        let about = About::Persons(ids);
        let call = Call { method: METHOD, verb: Method::POST, path, body: Some(body), cost: DELETE_BATCH, about };
        self.write(&call).await.map(|_| ()).map_err(error)
    }
}

fn error(failure: Failure) -> RemoteError {
    failure.error
}

/// The body of an update: whose revision is expected, and the fields of the mask. A field that is in the mask and not
/// in the body is emptied.
fn changed_person(mask: &[String], update: &Update) -> Value {
    let mut source = json!({ "type": "CONTACT", "etag": update.etag.as_str() });
    let id = wire::contact_source(&update.wire).and_then(|known| wire::text(known, "id"));
    if let (Some(id), Some(source)) = (id, source.as_object_mut()) {
        source.insert("id".to_owned(), id.into());
    }
    let mut body = Object::new();
    body.insert("resourceName".to_owned(), update.id.as_str().into());
    body.insert("metadata".to_owned(), json!({ "sources": [source] }));
    for field in mask {
        if let Some(items) = update.wire.get(field) {
            body.insert(field.clone(), items.clone());
        }
    }
    Value::Object(body)
}
