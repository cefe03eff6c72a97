//! The parser of request bodies: an unknown member, a list for a map or a word for a number is refused by name.
//!
//! Google's JSON front end knows every message and answers before the service sees the call. Paths in its messages
//! are snake_case and start at the HTTP body's field (`person` for single people, nothing for batches).

use serde_json::{Map, Value};

use super::call::Call;
use super::failure::Failure;
use super::schema::{Kind, Shape};

/// Parses and checks the body of `call` against `shape`; an empty body is an empty message. `root` is the path of the
/// body in the request message, empty for the whole message.
///
/// # Errors
/// A body that is no JSON, or not of this shape, with the text Google's parser uses.
pub fn body(call: &Call, shape: &Shape, root: &str) -> Result<Map<String, Value>, Failure> {
    if call.body.is_empty() {
        return Ok(Map::new());
    }
    if call.content_type.as_deref() != Some("application/json") {
        let text = "Invalid JSON payload received. The content type is not application/json.";
        return Err(Failure::bad_request(root, text));
    }
    let value: Value = serde_json::from_slice(&call.body)
        .map_err(|error| Failure::bad_request(root, format!("Invalid JSON payload received. {error}")))?;
    check(&value, shape, root)?;
    match value {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

/// Checks one message against `shape`.
///
/// # Errors
/// The first member that does not fit.
pub fn check(value: &Value, shape: &Shape, root: &str) -> Result<(), Failure> {
    message(value, shape).map_err(|problem| problem.into_failure(root))
}

/// The way a JSON name is spelled in Google's messages.
pub fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

enum Complaint {
    Unknown { name: String, why: String },
    Invalid(String),
}

struct Problem {
    /// From the inside out.
    path: Vec<String>,
    complaint: Complaint,
}

impl Problem {
    fn unknown(name: &str, why: impl Into<String>) -> Self {
        Problem { path: Vec::new(), complaint: Complaint::Unknown { name: name.to_owned(), why: why.into() } }
    }

    fn invalid(text: impl Into<String>) -> Self {
        Problem { path: Vec::new(), complaint: Complaint::Invalid(text.into()) }
    }

    fn under(mut self, segment: String) -> Self {
        self.path.push(segment);
        self
    }

    fn into_failure(self, root: &str) -> Failure {
        let mut path = root.to_owned();
        for segment in self.path.iter().rev() {
            if !path.is_empty() && !segment.starts_with('[') {
                path.push('.');
            }
            path.push_str(segment);
        }
        match self.complaint {
            Complaint::Unknown { name, why } => {
                let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
                let text = format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: {why}");
                Failure::bad_request(&path, text)
            }
            Complaint::Invalid(what) => Failure::bad_request(&path, format!("Invalid value at '{path}' {what}")),
        }
    }
}

fn message(value: &Value, shape: &Shape) -> Result<(), Problem> {
    let Value::Object(map) = value else {
        return Err(Problem::invalid(format!("(a message is due), {value}")));
    };
    for (name, value) in map {
        let Some(found) = shape.member(name) else {
            return Err(Problem::unknown(name, "Cannot find field."));
        };
        member(name, value, &found.kind)?;
    }
    Ok(())
}

fn member(name: &str, value: &Value, kind: &Kind) -> Result<(), Problem> {
    // The parser reads null as "not set".
    if value.is_null() {
        return Ok(());
    }
    match (kind, value) {
        (Kind::Many(item), Value::Array(items)) => list(name, items, item),
        (Kind::Many(_), _) => {
            Err(Problem::invalid(format!("(a list is due), {}", short(value))).under(snake_case(name)))
        }
        (Kind::Map(shape), Value::Object(entries)) => entries.iter().try_for_each(|(key, value)| {
            message(value, shape).map_err(|problem| problem.under(format!("[{key}]")).under(snake_case(name)))
        }),
        (Kind::Map(_), _) => Err(Problem::unknown(name, format!("Cannot bind a list to map for field '{name}'."))),
        (_, Value::Array(_)) if !matches!(kind, Kind::Any) => {
            Err(Problem::unknown(name, "Proto field is not repeating, cannot start list."))
        }
        (Kind::One(shape), _) => message(value, shape).map_err(|problem| problem.under(snake_case(name))),
        _ => scalar(value, kind).map_err(|problem| problem.under(snake_case(name))),
    }
}

fn list(name: &str, items: &[Value], kind: &Kind) -> Result<(), Problem> {
    for (index, item) in items.iter().enumerate() {
        let checked = match kind {
            Kind::One(shape) => message(item, shape),
            _ => scalar(item, kind),
        };
        checked.map_err(|problem| problem.under(format!("{}[{index}]", snake_case(name))))?;
    }
    Ok(())
}

fn scalar(value: &Value, kind: &Kind) -> Result<(), Problem> {
    if value.is_object() {
        return Err(Problem::invalid("(a scalar is due), Starting an object on a scalar field"));
    }
    let wanted = match kind {
        Kind::Text | Kind::Time if value.is_string() => return Ok(()),
        Kind::Text => "TYPE_STRING",
        Kind::Time => "Field 'updateTime', Illegal timestamp format",
        Kind::Flag if value.is_boolean() => return Ok(()),
        Kind::Flag => "TYPE_BOOL",
        Kind::Number if is_integer(value) => return Ok(()),
        Kind::Number => "TYPE_INT32",
        Kind::Paths if value.is_string() => return Ok(()),
        Kind::Paths => "type.googleapis.com/google.protobuf.FieldMask",
        Kind::Blob if value.as_str().is_some_and(|text| super::blob::decode(text).is_some()) => return Ok(()),
        Kind::Blob => "TYPE_BYTES",
        Kind::Choice(_, words) if value.as_str().is_some_and(|word| words.contains(&word)) => return Ok(()),
        Kind::Choice(name, _) => name,
        Kind::Any | Kind::One(_) | Kind::Many(_) | Kind::Map(_) => return Ok(()),
    };
    Err(Problem::invalid(format!("({wanted}), {}", short(value))))
}

fn is_integer(value: &Value) -> bool {
    let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number.is_some_and(|number| i32::try_from(number).is_ok())
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema;
    use super::*;

    fn complaint(value: Value, shape: &Shape, root: &str) -> String {
        check(&value, shape, root).expect_err("refused").message().to_owned()
    }

    #[test]
    fn an_unknown_member_is_refused_with_its_snake_case_path() {
        let person = json!({"addresses": [{"city": "X", "formatted": "Y"}]});
        assert_eq!(
            complaint(person, &schema::PERSON, "person"),
            "Invalid JSON payload received. Unknown name \"formatted\" at 'person.addresses[0]': Cannot find field."
        );
        let batch = json!({"contacts": [{"contact_person": {}}]});
        assert_eq!(
            complaint(batch, &schema::BATCH_CREATE, ""),
            "Invalid JSON payload received. Unknown name \"contact_person\" at 'contacts[0]': Cannot find field."
        );
        let nested = json!({"contacts": [{"contactPerson": {"emailAddresses": [{"mail": "x"}]}}]});
        let text = complaint(nested, &schema::BATCH_CREATE, "");
        assert!(text.contains("'contacts[0].contact_person.email_addresses[0]'"), "{text}");
    }

    #[test]
    fn the_violation_names_the_field() {
        let failure = check(&json!({"nickname": []}), &schema::PERSON, "person").expect_err("refused");
        let body = failure.envelope(super::super::failure::ErrorFormat::Plain);
        assert_eq!(body["error"]["details"][0]["fieldViolations"][0]["field"], "person");
        assert_eq!(body["error"]["code"], 400);
    }

    #[test]
    fn lists_maps_and_scalars_are_not_interchangeable() {
        complaint(json!({"names": {}}), &schema::PERSON, "person");
        complaint(json!({"names": "Ada"}), &schema::PERSON, "person");
        complaint(json!({"etag": ["x"]}), &schema::PERSON, "person");
        complaint(json!({"etag": 7}), &schema::PERSON, "person");
        complaint(json!({"birthdays": [{"date": {"year": "soon"}}]}), &schema::PERSON, "person");
        complaint(json!({"nicknames": [{"value": "x", "type": "FUNNY"}]}), &schema::PERSON, "person");
        let text = complaint(json!({"contacts": [{}]}), &schema::BATCH_UPDATE, "");
        assert!(text.contains("Cannot bind a list to map"), "{text}");
    }

    #[test]
    fn output_only_members_and_nulls_are_accepted() {
        let person = json!({
            "names": [{"displayName": "A B", "givenName": "A", "metadata": {"primary": true}}],
            "phoneNumbers": [{"value": "1", "canonicalForm": "+1", "formattedType": "Home"}],
            "biographies": null,
        });
        assert!(check(&person, &schema::PERSON, "person").is_ok());
    }
}
