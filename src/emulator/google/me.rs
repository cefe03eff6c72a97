//! `people/me`: the user itself, as far as the scopes of the token reach.

use serde_json::{Map, Value, json};

use super::{Answer, required_view};
use crate::emulator::account::Account;
use crate::emulator::admission::Caller;
use crate::emulator::call::Call;
use crate::emulator::failure::Failure;
use crate::emulator::mask::{Field, Mask, Sources};
use crate::emulator::oauth;

/// `people.get` of `people/me`. Its name has no `c`: it is a profile, not a contact.
pub(super) fn get(account: &Account, call: &Call, caller: &Caller) -> Result<Answer, Failure> {
    let view = required_view(call)?;
    let id = account.number().to_string();
    let field_metadata = json!({ "primary": true, "verified": true, "source": { "type": "ACCOUNT", "id": id } });
    let mut person = Map::new();
    person.insert("resourceName".to_owned(), json!(format!("people/{id}")));
    let version = format!("{:012}", account.number() % 1_000_000_000_000);
    person.insert("etag".to_owned(), json!(crate::emulator::etag::person(view.mask, view.sources, &version)));
    if view.mask.contains(Field::Metadata) {
        let profile = json!({ "objectType": "PERSON", "userTypes": ["GOOGLE_USER"] });
        let sources = json!([{ "type": "PROFILE", "id": id, "etag": "#me", "profileMetadata": profile }]);
        person.insert("metadata".to_owned(), json!({ "sources": sources, "objectType": "PERSON" }));
    }
    let reaches = |scopes: &[&str]| caller.scopes.iter().any(|scope| scopes.contains(&scope.as_str()));
    if shows(view.mask, view.sources, Field::EmailAddresses) && reaches(&oauth::EMAIL_SCOPES) {
        let item = json!([{ "metadata": field_metadata, "value": account.email() }]);
        person.insert("emailAddresses".to_owned(), item);
    }
    if shows(view.mask, view.sources, Field::Names) && reaches(&oauth::PROFILE_SCOPES) {
        let name = account.email().split('@').next().unwrap_or_default();
        let mut item = json!({ "metadata": field_metadata });
        for member in ["displayName", "givenName", "displayNameLastFirst", "unstructuredName"] {
            item[member] = json!(name);
        }
        person.insert("names".to_owned(), json!([item]));
    }
    Ok(Answer::about(Value::Object(person), 1))
}

fn shows(mask: Mask, sources: Sources, field: Field) -> bool {
    mask.contains(field) && sources.profile
}
