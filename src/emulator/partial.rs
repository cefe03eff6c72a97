//! Partial answers: the `fields` parameter, as in `connections(resourceName,names/givenName),nextSyncToken`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What is kept of an object; empty keeps everything.
#[derive(Debug, Default)]
struct Selection(BTreeMap<String, Selection>);

/// The part of `body` that `fields` names; `None` when `fields` cannot be read.
pub fn select(body: &Value, fields: &str) -> Option<Value> {
    let mut rest = fields;
    let selection = list(&mut rest)?;
    rest.is_empty().then(|| keep(body, &selection))
}

fn list(rest: &mut &str) -> Option<Selection> {
    let mut selection = Selection::default();
    loop {
        path(rest, &mut selection)?;
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Some(selection),
        }
    }
}

fn path(rest: &mut &str, into: &mut Selection) -> Option<()> {
    let end = rest.find([',', '/', '(', ')']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name.is_empty() {
        return None;
    }
    let inner = into.0.entry(name.trim().to_owned()).or_default();
    *rest = after;
    if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
        return path(rest, inner);
    }
    if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        inner.0.extend(list(rest)?.0);
        *rest = rest.strip_prefix(')')?;
    }
    Some(())
}

fn keep(value: &Value, selection: &Selection) -> Value {
    if selection.0.is_empty() {
        return value.clone();
    }
    match value {
        Value::Array(items) => items.iter().map(|item| keep(item, selection)).collect(),
        Value::Object(members) => {
            let kept: Map<String, Value> = members
                .iter()
                .filter_map(|(name, value)| {
                    let inner = selection.0.get(name).or_else(|| selection.0.get("*"))?;
                    Some((name.clone(), keep(value, inner)))
                })
                .collect();
            Value::Object(kept)
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_named_members_are_kept() {
        let body = json!({
            "connections": [{"resourceName": "people/c1", "etag": "e", "names": [{"givenName": "A", "familyName": "B"}]}],
            "nextSyncToken": "t", "totalItems": 1,
        });
        let kept = select(&body, "connections(resourceName,names/givenName),nextSyncToken");
        let expected = json!({"connections": [{"resourceName": "people/c1", "names": [{"givenName": "A"}]}], "nextSyncToken": "t"});
        assert_eq!(kept, Some(expected));
        assert_eq!(
            select(&body, "connections/*/givenName").map(|kept| kept["connections"][0]["names"].clone()),
            Some(json!([{"givenName": "A"}]))
        );
        assert_eq!(select(&body, "connections(etag"), None);
        assert_eq!(select(&body, ""), None);
    }
}
