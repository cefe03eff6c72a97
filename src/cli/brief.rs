//! A contact's value in few words, for tables that people read. Programs get the whole of it as JSON.

use serde_json::Value;

/// Where a value is cut.
const LENGTH_MAX: usize = 60;

/// The members that say what an item of a set is, the most telling first.
const TELLING: [&str; 5] = ["value", "full", "name", "date", "street"];

/// A value in few words: of items in a set what they are, without labels.
pub fn brief(value: &Value) -> String {
    let text = whole(value);
    match text.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn whole(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "(none)".to_owned(),
        Value::Array(items) => items.iter().map(whole).collect::<Vec<_>>().join(", "),
        Value::Object(members) if members.values().all(Value::is_null) => "(none)".to_owned(),
        Value::Object(members) => {
            let telling = TELLING.into_iter().find_map(|name| members.get(name).filter(|member| !member.is_null()));
            telling.map_or_else(|| rest(members), whole)
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// What an item says that has none of the telling members, such as an address without a street.
fn rest(members: &serde_json::Map<String, Value>) -> String {
    members.values().filter(|member| !member.is_null()).map(whole).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_told_by_what_people_call_them() {
        for (value, expected) in [
            (json!(null), "(none)"),
            (json!([]), "(none)"),
            (json!({"full": null, "given": null}), "(none)"),
            (json!({"full": "Ada King", "given": "Ada"}), "Ada King"),
            (json!([{"value": "a@x.org", "label": "work"}, {"value": "b@x.org"}]), "a@x.org, b@x.org"),
            (json!([{"street": null, "city": "Berlin", "country": "DE"}]), "Berlin DE"),
            (json!(["Customer", "VIP"]), "Customer, VIP"),
            (json!("x".repeat(61)), &format!("{}…", "x".repeat(60))),
        ] {
            assert_eq!(brief(&value), expected);
        }
    }
}
