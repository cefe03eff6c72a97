//! Notes: Google's `biographies`, of which a contact has one at most.

use serde_json::{Value, json};

use super::draft::Draft;
use super::text::{notes_fit, put, same};
use super::wire::{self, text};

const FIELD: &str = "biographies";

/// The notes of a record. A body in HTML is read as it is.
pub(super) fn read(wire: &Value) -> Option<String> {
    wire::items(wire, FIELD).iter().find_map(|item| text(item, "value")).map(str::to_owned)
}

/// Changes the notes. Notes that are too long leave the record as it is.
pub(super) fn edit(draft: &mut Draft, from: Option<&str>, to: Option<&str>) {
    if same(from, to) || !notes_fit(to) {
        return;
    }
    let first = draft.items(FIELD).into_iter().next();
    if same(first.as_ref().and_then(|item| text(item, "value")), to) {
        return;
    }
    let mut item = first.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    put(&mut item, "value", to);
    if !item.contains_key("value") {
        return draft.replace(FIELD, Vec::new());
    }
    item.insert("contentType".to_owned(), json!("TEXT_PLAIN"));
    draft.replace(FIELD, vec![Value::Object(item)]);
}
