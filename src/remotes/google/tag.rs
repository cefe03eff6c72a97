//! Our tag in a record: whose it is, and which of our writes it descends from.
//!
//! It is one entry of the record's `clientData`, which people do not see: key `contactsync`, value
//! `v1.<token>.<epoch>.<marker>`. Entries of other programs are carried over as they are.

use serde_json::{Value, json};

use crate::domain::id::{LinkToken, Marker};
use crate::remotes::Tag;

use super::draft::Draft;
use super::wire::{self, text};

const FIELD: &str = "clientData";
const KEY: &str = "contactsync";
const VERSION: &str = "v1.";

/// The tag of a record: of several, the one of the latest write.
pub(super) fn read(wire: &Value) -> Option<Tag> {
    read_all(wire).into_iter().next()
}

/// All tags of a record, the latest write first. A merge in Google's own pages can leave two.
pub(super) fn read_all(wire: &Value) -> Vec<Tag> {
    let entries = wire::items(wire, FIELD).iter().filter(|entry| is_ours(entry));
    let mut tags: Vec<Tag> = entries.filter_map(|entry| parse(text(entry, "value")?)).collect();
    tags.sort_by_key(|tag| std::cmp::Reverse((tag.epoch, tag.marker)));
    tags
}

/// Makes `tag` the only one of ours in the record.
pub(super) fn write(draft: &mut Draft, tag: &Tag) {
    let entry = json!({ "key": KEY, "value": format!("{VERSION}{}.{}.{}", tag.token, tag.epoch, tag.marker) });
    let mut entries = draft.items(FIELD);
    let place = entries.iter().position(is_ours).unwrap_or(entries.len());
    entries.retain(|entry| !is_ours(entry));
    entries.insert(place, entry);
    draft.replace(FIELD, entries);
}

fn is_ours(entry: &Value) -> bool {
    text(entry, "key") == Some(KEY)
}

fn parse(value: &str) -> Option<Tag> {
    let mut parts = value.strip_prefix(VERSION)?.rsplitn(3, '.');
    let marker = parts.next()?.parse().ok()?;
    let epoch = parts.next()?.parse().ok()?;
    let token = parts.next().filter(|token| !token.is_empty())?;
    Some(Tag { token: LinkToken::new(token), epoch, marker: Marker(marker) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(token: &str, epoch: u32, marker: u64) -> Tag {
        Tag { token: LinkToken::new(token), epoch, marker: Marker(marker) }
    }

    #[test]
    fn a_tag_round_trips_and_spares_entries_of_others() {
        let wire = json!({"clientData": [
            {"key": "crm", "value": "1"}, {"key": KEY, "value": "v1.old.1.3"}, {"key": "crm", "value": "1"},
            {"key": KEY, "value": "v1.other.1.2"}]});
        let mut draft = Draft::of(&wire);
        write(&mut draft, &tag("abc", 2, 7));
        let wire = draft.into_wire();
        assert_eq!(read(&wire), Some(tag("abc", 2, 7)));
        assert_eq!(
            wire["clientData"],
            json!([
            {"key": "crm", "value": "1"}, {"key": KEY, "value": "v1.abc.2.7"}, {"key": "crm", "value": "1"}])
        );
    }

    #[test]
    fn of_several_tags_the_latest_write_counts_and_nonsense_none() {
        let wire = |values: &[&str]| {
            let entries: Vec<Value> = values.iter().map(|value| json!({"key": KEY, "value": value})).collect();
            json!({ "clientData": entries })
        };
        let several = wire(&["v1.a.1.9", "v1.b.2.1", "v1.c.1.10"]);
        assert_eq!(read(&several), Some(tag("b", 2, 1)));
        assert_eq!(read_all(&several), [tag("b", 2, 1), tag("c", 1, 10), tag("a", 1, 9)]);
        assert_eq!(read(&wire(&["v1.a.1", "v2.a.1.1", "v1..1.1", "v1.a.x.1", ""])), None);
    }
}
