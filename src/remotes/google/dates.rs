//! Dates: Google's `{year, month, day}`, where zero or nothing stands for what is not known.
//!
//! Our dates have a month and a day; what says less (a year, a month, a text) cannot become one. It stays on the wire.
//!
//! Source: People API reference, `Date`, `Birthday` and `Event` (read 2026-11).

use serde_json::{Value, json};

use crate::domain::date::PartialDate;

use super::draft::Draft;
use super::wire::{self, Object};

const BIRTHDAYS: &str = "birthdays";

/// The date of an item, if it names a day.
pub(super) fn read(item: &Value) -> Option<PartialDate> {
    let part = |name: &str| item.get("date")?.get(name)?.as_u64().filter(|part| *part > 0);
    let month = u8::try_from(part("month")?).ok()?;
    let day = u8::try_from(part("day")?).ok()?;
    let year = part("year").map(u16::try_from).transpose().ok()?;
    PartialDate::new(year, month, day)
}

/// Sets the date of an item. A text beside it would contradict it, so it goes.
pub(super) fn put(object: &mut Object, date: PartialDate) {
    let mut value = json!({ "month": date.month(), "day": date.day() });
    if let (Some(year), Some(parts)) = (date.year(), value.as_object_mut()) {
        parts.insert("year".to_owned(), year.into());
    }
    object.insert("date".to_owned(), value);
    object.remove("text");
}

/// The birthday; there is one at most.
pub(super) fn birthday(wire: &Value) -> Option<PartialDate> {
    wire::items(wire, BIRTHDAYS).iter().find_map(read)
}

/// Changes the birthday.
pub(super) fn edit_birthday(draft: &mut Draft, from: Option<PartialDate>, to: Option<PartialDate>) {
    if from == to {
        return;
    }
    let items = draft.items(BIRTHDAYS);
    let mut item = items.iter().find(|item| read(item).is_some()).or(items.first()).cloned();
    let Some(date) = to else {
        // What never was a birthday to us is not ours to remove.
        if item.as_ref().and_then(read).is_some() {
            draft.replace(BIRTHDAYS, Vec::new());
        }
        return;
    };
    let item = item.get_or_insert_with(|| Value::Object(Object::new()));
    if read(item) == Some(date) {
        return;
    }
    if let Some(object) = item.as_object_mut() {
        put(object, date);
    }
    draft.replace(BIRTHDAYS, vec![item.clone()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_days_become_dates() {
        for (date, expected) in [
            (json!({"date": {"year": 1990, "month": 5, "day": 17}}), Some("1990-05-17")),
            (json!({"date": {"month": 5, "day": 17}}), Some("--05-17")),
            (json!({"date": {"year": 0, "month": 2, "day": 29}}), Some("--02-29")),
            (json!({"date": {"year": 1990}}), None),
            (json!({"date": {"year": 1990, "month": 5, "day": 0}}), None),
            (json!({"date": {"year": 2023, "month": 2, "day": 29}}), None),
            (json!({"date": {"year": 70000, "month": 2, "day": 2}}), None),
            (json!({"text": "17 May"}), None),
            (json!({}), None),
        ] {
            assert_eq!(read(&date).map(|date| date.to_string()).as_deref(), expected, "{date}");
        }
    }

    #[test]
    fn a_date_that_replaces_a_text_takes_the_text_away() {
        let mut item = json!({"text": "some day"}).as_object().cloned().expect("object");
        put(&mut item, "--05-17".parse().expect("date"));
        assert_eq!(Value::Object(item), json!({"date": {"month": 5, "day": 17}}));
    }
}
