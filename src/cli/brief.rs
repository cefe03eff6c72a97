//! A contact's value in few words, for tables that people read. Programs get the whole of it as JSON.

use serde_json::Value;

/// Where a value is cut.
const LENGTH_MAX: usize = 60;

/// The members that say what an item of a set is, the most telling first.
const TELLING: [&str; 5] = ["value", "full", "name", "date", "street"];

/// A value in few words: of items in a set what they are, without labels.
pub fn brief(value: &Value) -> String {
    cut(whole(value))
}

/// Values that are told beside each other: each in few words, and with labels and the like where the words alone would be
/// the same for two that differ.
pub fn briefs<const N: usize>(values: [&Value; N]) -> [String; N] {
    let told = values.map(brief);
    let seem_alike = |one: usize, other: usize| values[one] != values[other] && told[one] == told[other];
    match (0..N).any(|one| (one + 1..N).any(|other| seem_alike(one, other))) {
        true => values.map(|value| cut(in_full(value))),
        false => told,
    }
}

fn cut(text: String) -> String {
    // What a person typed may have line ends, which would look like another entry.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
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

/// A value with everything that its items say.
fn in_full(value: &Value) -> String {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(in_full).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let told = whole(value);
            let more: Vec<String> = members.iter().filter_map(|(name, member)| aside(name, member, &told)).collect();
            if more.is_empty() { told } else { format!("{told} ({})", more.join(", ")) }
        }
        other => whole(other),
    }
}

/// What a member adds to what is told already.
fn aside(name: &str, member: &Value, told: &str) -> Option<String> {
    match member {
        Value::Bool(true) => Some(name.to_owned()),
        Value::Null | Value::Bool(false) => None,
        other => Some(whole(other)).filter(|text| text != told),
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
    fn values_that_differ_are_told_differently() {
        let phone = |label: &str| json!([{"value": "+49 30 1", "label": label, "primary": label == "home"}]);
        assert_eq!(briefs([&phone("work"), &json!([])]), ["+49 30 1", "(none)"]);
        assert_eq!(briefs([&phone("work"), &phone("home")]), ["+49 30 1 (work)", "+49 30 1 (home, primary)"]);
        assert_eq!(briefs([&phone("work"), &phone("work")]), ["+49 30 1", "+49 30 1"]);
        let name = |given: &str| json!({"full": "Ada King", "given": given, "family": null});
        assert_eq!(briefs([&name("Ada"), &name("Ada King")]), ["Ada King (Ada)", "Ada King"]);
    }

    #[test]
    fn a_text_of_several_lines_is_told_in_one() {
        assert_eq!(brief(&json!("first\n\nsecond\tline")), "first second line");
    }

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
