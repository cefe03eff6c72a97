//! Postal addresses: the formatted text is joined from the parts when the client sends none.

use serde_json::{Map, Value};

const LINES: [&str; 7] = ["streetAddress", "extendedAddress", "poBox", "city", "region", "postalCode", "country"];

/// Adds `formattedValue`, one part per line, in the order of recorded answers.
pub fn complete(address: &mut Map<String, Value>) {
    if address.contains_key("formattedValue") {
        return;
    }
    let lines: Vec<&str> = LINES.iter().filter_map(|part| address.get(*part).and_then(Value::as_str)).collect();
    if !lines.is_empty() {
        let text = lines.join("\n");
        address.insert("formattedValue".to_owned(), Value::String(text));
    }
}
