//! A patch turns one card into another: an RFC 7396 merge patch over the public JSON shape.
//!
//! Members that are not named stay, `null` empties a member, sets are replaced as a whole, custom fields one by one. A
//! patch may be friendlier than the shape: a name may be one text, an item of a set may be its bare value, a number
//! may stand where a custom field has text. What it must not do is be quietly wrong: an unknown member, a value of
//! another shape and an item without content are refused, each by the path where it stands.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::domain::contact::{
    Address, Card, Email, Event, Im, Kind, OrganizationRef, Phone, Photo, Relation, Subject, Visibility, Website,
};
use crate::domain::date::PartialDate;
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::name::Name;

/// Why a patch is refused.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// It is not a JSON object.
    #[error("a patch is a JSON object such as {{\"job_title\":\"CTO\"}}")]
    NotAnObject,
    /// There is no such member.
    #[error("{member}: unknown member; expected one of {}", expected.join(", "))]
    Unknown {
        /// The member.
        member: String,
        /// The members there are.
        expected: Vec<&'static str>,
    },
    /// The member is there to be read.
    #[error("{member}: cannot be changed; the store keeps it")]
    ReadOnly {
        /// The member.
        member: String,
    },
    /// The value has not the shape of the member.
    #[error("{path}: {rule}")]
    Shape {
        /// The path of the value.
        path: String,
        /// What is wrong with it.
        rule: String,
    },
    /// An item of a set says nothing.
    #[error("{path}: is empty; leave it out instead")]
    Empty {
        /// The path of the item.
        path: String,
    },
    /// More than one item of a set is the primary one.
    #[error("{member}: more than one item is primary")]
    ManyPrimary {
        /// The set.
        member: &'static str,
    },
    /// An organization would be without a name.
    #[error("name: an organization needs a name")]
    Nameless,
    /// Nothing at all would be known of the contact.
    #[error("nothing would be known of this contact; give it a name, an e-mail, a phone or anything else")]
    Blank,
}

/// Members of the public shape that are there to be read.
pub const READ_ONLY: [&str; 8] =
    ["id", "version", "created", "updated", "deleted", "related", "people_count", "detail"];

/// The card after the patch.
///
/// An organization that is named comes back without an id: whoever stores the card finds or makes it.
///
/// # Errors
/// [`PatchError`] names the path of what is wrong, and the rule. The first problem in the order of the members' names
/// is reported.
pub fn apply(card: &Card, patch: &Value) -> Result<Card, PatchError> {
    let Value::Object(members) = patch else { return Err(PatchError::NotAnObject) };
    let mut patched = card.clone();
    for (member, value) in members {
        match member.as_str() {
            "kind" if value.as_str() == Some(card.kind().as_str()) => {}
            "kind" => {
                return Err(shape("kind", format!("this contact is of kind {:?} and stays so", card.kind().as_str())));
            }
            "custom" => patch_custom(&mut patched, value)?,
            member if READ_ONLY.contains(&member) => return Err(PatchError::ReadOnly { member: member.to_owned() }),
            member => patch_field(&mut patched, member, value)?,
        }
    }
    if patched.as_organization().is_some_and(|organization| organization.name.is_empty()) {
        return Err(PatchError::Nameless);
    }
    if patched.is_blank() { Err(PatchError::Blank) } else { Ok(patched) }
}

/// What is allowed, but odd, one sentence each: e-mail addresses that no mail will reach.
pub fn oddities(card: &Card) -> Vec<String> {
    let options = email_address::Options::default().without_display_text().with_required_tld();
    card.emails
        .iter()
        .filter(|email| email_address::EmailAddress::parse_with_options(&email.value, options).is_err())
        .map(|email| format!("{:?} does not look like an e-mail address", email.value))
        .collect()
}

fn patch_field(card: &mut Card, member: &str, value: &Value) -> Result<(), PatchError> {
    let fields = diff::fields_of(card.kind());
    let Some(field) = member.parse().ok().filter(|field| fields.contains(field)) else {
        return Err(unknown(card.kind(), member));
    };
    let value = match (&field, &card.subject) {
        (Field::Name, Subject::Person(person)) => name(&person.name, value)?,
        (Field::Name, Subject::Organization(_)) => Value::from(required_text("name", value)?),
        (Field::Organization, Subject::Person(person)) => organization(person.organization.as_ref(), value)?,
        (Field::Photo, Subject::Person(person)) => photo(person.photo.as_ref(), value)?,
        (Field::Visibility, _) => checked::<Option<Visibility>>("visibility", blank_to_null(value))?,
        (Field::Birthday, _) => checked::<Option<PartialDate>>("birthday", blank_to_null(value))?,
        (Field::Labels | Field::Nicknames, _) => texts(member, value)?,
        (Field::Emails, _) => set::<Email>(member, Primary::Possible, value)?,
        (Field::Phones, _) => set::<Phone>(member, Primary::Possible, value)?,
        (Field::Addresses, _) => set::<Address>(member, Primary::Never, value)?,
        (Field::Websites, _) => set::<Website>(member, Primary::Never, value)?,
        (Field::Events, _) => set::<Event>(member, Primary::Never, value)?,
        (Field::Ims, _) => set::<Im>(member, Primary::Never, value)?,
        (Field::Relations, _) => set::<Relation>(member, Primary::Never, value)?,
        _ => text(member, value)?,
    };
    diff::set_field(card, &field, &value).map_err(|error| shape(member, error.to_string()))
}

fn unknown(kind: Kind, member: &str) -> PatchError {
    let names = Field::names();
    let fields = diff::fields_of(kind);
    let mut expected: Vec<&'static str> =
        names.into_iter().filter(|(_, field)| fields.contains(field)).map(|(name, _)| name).collect();
    expected.push("custom");
    PatchError::Unknown { member: member.to_owned(), expected }
}

fn shape(path: impl Into<String>, rule: impl Into<String>) -> PatchError {
    PatchError::Shape { path: path.into(), rule: rule.into() }
}

/// Reads the value as what it has to be, to learn the path of what it is not.
fn checked<T: DeserializeOwned>(member: &str, value: Value) -> Result<Value, PatchError> {
    serde_path_to_error::deserialize::<_, T>(&value).map(|_| ()).map_err(|error| {
        let inner = error.path().to_string();
        let path = match inner.as_str() {
            "." => member.to_owned(),
            inner if inner.starts_with('[') => format!("{member}{inner}"),
            inner => format!("{member}.{inner}"),
        };
        shape(path, error.into_inner().to_string())
    })?;
    Ok(value)
}

fn blank_to_null(value: &Value) -> Value {
    match value {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) => Value::from(text.trim()),
        other => other.clone(),
    }
}

/// One text; an empty one is none.
fn text(member: &str, value: &Value) -> Result<Value, PatchError> {
    checked::<Option<String>>(member, blank_to_null(value))
}

fn required_text(member: &str, value: &Value) -> Result<String, PatchError> {
    match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Null => Ok(String::new()),
        _ => Err(shape(member, "expected a text")),
    }
}

/// A list of texts.
fn texts(member: &str, value: &Value) -> Result<Value, PatchError> {
    let items: Option<Vec<String>> =
        serde_json::from_value(checked::<Option<Vec<String>>>(member, value.clone())?).unwrap_or_default();
    let mut kept = Vec::new();
    for (place, item) in items.unwrap_or_default().into_iter().enumerate() {
        let item = item.trim().to_owned();
        if item.is_empty() {
            return Err(PatchError::Empty { path: format!("{member}[{place}]") });
        }
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    Ok(Value::from(kept))
}

/// The parts of a name. A lone full name, or a bare text, is split; parts are laid over the parts there are.
fn name(before: &Name, value: &Value) -> Result<Value, PatchError> {
    let patch = match value {
        Value::Null => return Ok(Value::Null),
        Value::String(full) => return to_json("name", &Name::split(full)),
        Value::Object(patch) => patch,
        _ => return Err(shape("name", "expected a text, or an object of the parts of the name")),
    };
    checked::<Name>("name", value.clone())?;
    let is_said = |member: &&String| patch.get(member.as_str()).is_some_and(|value| !value.is_null());
    if patch.keys().filter(is_said).eq(["full"]) {
        return to_json("name", &Name::split(patch["full"].as_str().unwrap_or_default()));
    }
    let Value::Object(mut parts) = to_json("name", before)? else { return Ok(Value::Null) };
    parts.extend(patch.iter().map(|(part, value)| (part.clone(), blank_to_null(value))));
    // The full name is always composed from the parts.
    parts.remove("full");
    Ok(Value::Object(parts))
}

fn to_json(member: &str, value: &impl serde::Serialize) -> Result<Value, PatchError> {
    serde_json::to_value(value).map_err(|error| shape(member, error.to_string()))
}

/// The organization of a person. Another name than the present one is another organization, whatever id stands beside
/// it; an id without a name, or with the same one, is taken by the id.
fn organization(before: Option<&OrganizationRef>, value: &Value) -> Result<Value, PatchError> {
    let wanted = match value {
        Value::Null => return Ok(Value::Null),
        Value::String(name) => OrganizationRef { id: None, name: name.clone() },
        value => {
            checked::<OrganizationRef>("organization", value.clone())?;
            OrganizationRef::deserialize(value).map_err(|error| shape("organization", error.to_string()))?
        }
    };
    let name = wanted.name.trim().to_owned();
    if name.is_empty() && wanted.id.is_none() {
        return Err(shape("organization", "expected a name, or null for none"));
    }
    let is_renamed = before.is_some_and(|before| before.id == wanted.id && before.name != name && !name.is_empty());
    let id = if is_renamed { None } else { wanted.id };
    to_json("organization", &OrganizationRef { id, name })
}

/// A photo can be taken away. To set one takes its bytes, which a patch has not.
fn photo(before: Option<&Photo>, value: &Value) -> Result<Value, PatchError> {
    let same = before.map(|photo| to_json("photo", photo)).transpose()?.as_ref() == Some(value);
    if value.is_null() || same {
        Ok(value.clone())
    } else {
        Err(shape(
            "photo",
            "expected null: a patch cannot bring a photo; `contactsync person edit ID --photo FILE` can",
        ))
    }
}

fn patch_custom(card: &mut Card, value: &Value) -> Result<(), PatchError> {
    let members = match value {
        Value::Null => {
            card.custom.clear();
            return Ok(());
        }
        Value::Object(members) => members,
        _ => return Err(shape("custom", "expected an object of keys and texts")),
    };
    for (key, value) in members {
        let path = format!("custom.{key}");
        if key.trim().is_empty() {
            return Err(PatchError::Empty { path });
        }
        let value = match value {
            Value::Number(number) => Value::from(number.to_string()),
            Value::Bool(flag) => Value::from(flag.to_string()),
            other => text(&path, other)?,
        };
        let field = Field::Custom(key.trim().to_owned());
        diff::set_field(card, &field, &value).map_err(|error| shape(path, error.to_string()))?;
    }
    Ok(())
}

/// Whether items of a set may be primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Primary {
    Possible,
    Never,
}

/// A set of items. When no item says whether it is primary, the first one is.
fn set<T: DeserializeOwned>(member: &str, primary: Primary, value: &Value) -> Result<Value, PatchError> {
    let items = match value {
        Value::Null => return Ok(Value::Null),
        Value::Array(items) => items,
        _ => return Err(shape(member, "expected a list")),
    };
    let mut cleaned = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let item = clean_item(item);
        checked::<T>(&format!("{member}[{place}]"), item.clone())?;
        if !says_something(&item) {
            return Err(PatchError::Empty { path: format!("{member}[{place}]") });
        }
        if !cleaned.contains(&item) {
            cleaned.push(item);
        }
    }
    if primary == Primary::Possible {
        settle_primary(member, &mut cleaned)?;
    }
    Ok(Value::Array(cleaned))
}

/// An item with its texts trimmed; a bare text is the value of an item.
fn clean_item(item: &Value) -> Value {
    match item {
        Value::String(text) => Value::from(Map::from_iter([("value".to_owned(), Value::from(text.trim()))])),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| match (name.as_str(), value) {
                // A value that is required must not turn into null, or the message would be about null.
                ("value" | "date", Value::String(text)) => (name.clone(), Value::from(text.trim())),
                (_, value) => (name.clone(), blank_to_null(value)),
            })
            .collect(),
        other => other.clone(),
    }
}

/// Whether an item has more than a label and flags.
fn says_something(item: &Value) -> bool {
    let Value::Object(members) = item else { return false };
    members
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "label" | "primary" | "protocol"))
        .any(|(_, value)| value.as_str().is_some_and(|text| !text.is_empty()))
}

fn settle_primary(member: &str, items: &mut [Value]) -> Result<(), PatchError> {
    let count = items.iter().filter(|item| item["primary"] == Value::Bool(true)).count();
    if count > 1 {
        let member = if member == "emails" { "emails" } else { "phones" };
        return Err(PatchError::ManyPrimary { member });
    }
    let unsaid = items.iter().all(|item| item.get("primary").is_none_or(Value::is_null));
    if let (true, Some(Value::Object(first))) = (unsaid, items.first_mut()) {
        first.insert("primary".to_owned(), Value::Bool(true));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ada() -> Card {
        let shape = json!({
            "kind": "person",
            "name": {"given": "Ada", "middle": "B.", "family": "King", "prefix": "Dr."},
            "emails": [{"value": "ada@example.org", "label": "work", "primary": true}],
            "organization": {"id": "01JD0000000000000000000000", "name": "Example GmbH"},
            "job_title": "CTO",
            "labels": ["Customer"],
            "custom": {"Price list": "Retail", "Number": "7"},
            "photo": {"digest": "00"},
        });
        serde_json::from_value(shape).expect("the shape")
    }

    /// The member of the card after the patch.
    fn patched(patch: Value, member: &str) -> Value {
        let card = apply(&ada(), &patch).unwrap_or_else(|error| panic!("{patch}: {error}"));
        serde_json::to_value(card).expect("the shape")[member].clone()
    }

    fn refused(card: &Card, patch: Value) -> String {
        apply(card, &patch).expect_err(&patch.to_string()).to_string()
    }

    #[test]
    fn members_that_are_not_named_stay() {
        let after = apply(&ada(), &json!({"job_title": "CEO"})).expect("valid");
        let mut expected = ada();
        expected.as_person_mut().expect("a person").job_title = Some("CEO".into());
        assert_eq!(after, expected);
        assert_eq!(apply(&ada(), &json!({})).expect("valid"), ada());
    }

    #[test]
    fn null_empties_a_member() {
        for (member, empty) in [
            ("job_title", Value::Null),
            ("organization", Value::Null),
            ("photo", Value::Null),
            ("emails", json!([])),
            ("labels", json!([])),
            ("custom", json!({})),
        ] {
            assert_eq!(patched(json!({ member: null }), member), empty, "{member}");
        }
    }

    #[test]
    fn a_name_is_patched_by_its_parts_and_composed_again() {
        for (patch, full) in [
            (json!({"family": "Lovelace"}), "Dr. Ada B. Lovelace"),
            (json!({"prefix": null, "middle": ""}), "Ada King"),
            (json!({"full": "Grace Hopper"}), "Grace Hopper"),
            (json!({"full": "Grace Hopper", "given": null, "family": null}), "Grace Hopper"),
            (json!({"full": "somebody else", "given": "Augusta"}), "Dr. Augusta B. King"),
            (json!("Grace Hopper"), "Grace Hopper"),
        ] {
            assert_eq!(patched(json!({ "name": patch }), "name")["full"], full, "{patch}");
        }
    }

    #[test]
    fn sets_are_replaced_as_a_whole_and_the_first_item_is_primary_when_nobody_says_so() {
        let item =
            |value: &str, label: Value, primary: bool| json!({"value": value, "label": label, "primary": primary});
        for (patch, expected) in [
            (
                json!(["a@x.org", {"value": " b@x.org ", "label": "home"}]),
                json!([item("a@x.org", Value::Null, true), item("b@x.org", json!("home"), false)]),
            ),
            (
                json!([{"value": "a@x.org"}, {"value": "b@x.org", "primary": true}]),
                json!([item("a@x.org", Value::Null, false), item("b@x.org", Value::Null, true)]),
            ),
            (json!([{"value": "a@x.org", "primary": false}]), json!([item("a@x.org", Value::Null, false)])),
            (json!(["a@x.org", "a@x.org"]), json!([item("a@x.org", Value::Null, true)])),
            (json!([]), json!([])),
        ] {
            assert_eq!(patched(json!({ "emails": patch }), "emails"), expected, "{patch}");
        }
        assert_eq!(patched(json!({"labels": [" VIP ", "VIP"]}), "labels"), json!(["VIP"]));
    }

    #[test]
    fn custom_fields_are_patched_one_by_one_and_hold_text() {
        let after =
            patched(json!({"custom": {"Price list": null, "Discount": 12.5, "Checked": true, "Number": ""}}), "custom");
        assert_eq!(after, json!({"Discount": "12.5", "Checked": "true"}));
    }

    #[test]
    fn an_organization_is_named_or_unlinked() {
        let id = "01JD0000000000000000000000";
        let other = "01JD0000000000000000000001";
        for (patch, expected) in [
            (json!({"name": "Acme"}), json!({"id": null, "name": "Acme"})),
            (json!("Acme"), json!({"id": null, "name": "Acme"})),
            (json!({"id": id, "name": "Example GmbH"}), json!({"id": id, "name": "Example GmbH"})),
            (json!({"id": id, "name": "Acme"}), json!({"id": null, "name": "Acme"})),
            (json!({"id": other}), json!({"id": other, "name": ""})),
            (Value::Null, Value::Null),
        ] {
            assert_eq!(patched(json!({ "organization": patch }), "organization"), expected, "{patch}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_path() {
        for (patch, expected) in [
            (json!([]), "a patch is a JSON object"),
            (
                json!({"fax": "1"}),
                "fax: unknown member; expected one of name, emails, phones, addresses, organization,",
            ),
            (json!({"industry": "x"}), "industry: unknown member"),
            (json!({"id": "x"}), "id: cannot be changed"),
            (json!({"kind": "organization"}), "kind: this contact is of kind \"person\""),
            (json!({"job_title": 5}), "job_title: invalid type: integer `5`, expected a string"),
            (json!({"emails": "a@x.org"}), "emails: expected a list"),
            (
                json!({"emails": [{"valeu": "a@x.org"}]}),
                "emails[0].valeu: unknown field `valeu`, expected one of `value`, `label`, `primary`",
            ),
            (json!({"emails": ["a@x.org", {"label": "work"}]}), "emails[1]: missing field `value`"),
            (json!({"emails": [{"value": " "}]}), "emails[0]: is empty"),
            (json!({"emails": [null]}), "emails[0]: invalid type: null"),
            (
                json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}),
                "emails: more than one",
            ),
            (
                json!({"phones": [{"value": "1", "primary": "yes"}]}),
                "phones[0].primary: invalid type: string \"yes\", expected a boolean",
            ),
            (json!({"addresses": [{"label": "work"}]}), "addresses[0]: is empty"),
            (json!({"addresses": [{"town": "Berlin"}]}), "addresses[0].town: unknown field `town`"),
            (json!({"events": [{"date": "2015-02-30"}]}), "events[0].date: \"2015-02-30\" is not a date"),
            (json!({"birthday": "17.05.1990"}), "birthday: \"17.05.1990\" is not a date; expected YYYY-MM-DD"),
            (json!({"name": {"first": "Ada"}}), "name.first: unknown field `first`"),
            (json!({"name": ["Ada"]}), "name: expected a text, or an object"),
            (json!({"labels": ["x", ""]}), "labels[1]: is empty"),
            (json!({"labels": {"x": 1}}), "labels: invalid type: map"),
            (json!({"custom": {"A": ["x"]}}), "custom.A: invalid type: sequence"),
            (json!({"custom": "A"}), "custom: expected an object"),
            (json!({"organization": {}}), "organization: expected a name, or null"),
            (json!({"organization": {"id": "7", "name": "x"}}), "organization.id: \"7\" is not an identifier"),
            (json!({"photo": {"digest": "11"}}), "photo: expected null"),
        ] {
            let error = refused(&ada(), patch.clone());
            assert!(error.starts_with(expected), "{patch}: {error}");
        }
    }

    #[test]
    fn a_contact_of_whom_nothing_is_known_is_refused() {
        assert!(refused(&Card::person(), json!({"labels": ["VIP"]})).starts_with("nothing would be known"));
        assert!(apply(&Card::person(), &json!({"emails": ["a@x.org"]})).is_ok());
    }

    #[test]
    fn an_organization_needs_a_name() {
        let acme = Card::organization("Acme");
        for patch in [json!({"name": null}), json!({"name": " "})] {
            assert_eq!(refused(&acme, patch), "name: an organization needs a name");
        }
        assert_eq!(refused(&acme, json!({"name": {"full": "x"}})), "name: expected a text");
        assert!(refused(&acme, json!({"birthday": null})).starts_with("birthday: unknown member"));
        let renamed = apply(&acme, &json!({"name": " Acme Inc. ", "industry": "Anvils"})).expect("valid");
        assert_eq!(renamed.display_name(), "Acme Inc.");
    }

    #[test]
    fn an_odd_address_is_kept_and_warned_about() {
        let card = apply(&ada(), &json!({"emails": ["ada@example.org", "ada at example"]})).expect("kept");
        assert_eq!(oddities(&card), ["\"ada at example\" does not look like an e-mail address"]);
    }
}
