//! The headings of our own CSV and XLSX export. One table serves the writer and this reader.

use super::super::target::{AddressPart, Group, ListField, NamePart, Target};

/// The column that marks an export as ours.
pub(in crate::formats) const ID: &str = "contactsync id";

/// Columns that occur once, in the order of the export.
pub(in crate::formats) const SINGLE: [(&str, Target); 14] = [
    ("Kind", Target::Kind),
    ("Prefix", Target::Name(NamePart::Prefix)),
    ("Given name", Target::Name(NamePart::Given)),
    ("Middle name", Target::Name(NamePart::Middle)),
    ("Family name", Target::Name(NamePart::Family)),
    ("Suffix", Target::Name(NamePart::Suffix)),
    ("Organization", Target::Organization),
    ("Job title", Target::JobTitle),
    ("Department", Target::Department),
    ("Industry", Target::Industry),
    ("Birthday", Target::Birthday),
    ("Labels", Target::Labels),
    ("Owner", Target::Owner),
    ("Visibility", Target::Visibility),
];

/// The column of the free text; it stands behind everything short.
pub(in crate::formats) const NOTES: &str = "Notes";

/// Columns that people read and an import leaves alone.
pub(in crate::formats) const FOR_PEOPLE: [&str; 6] = [ID, "Name", "Version", "Created", "Updated", "Deleted"];

/// What stands before the key of a custom field.
pub(in crate::formats) const CUSTOM: &str = "Custom: ";

/// The columns that say which entry is primary.
pub(in crate::formats) const PRIMARY: [(&str, ListField); 2] =
    [("Primary email", ListField::Emails), ("Primary phone", ListField::Phones)];

/// The fields with numbered columns: the name before the number, and the parts behind it. The part without a name is
/// the value.
pub(in crate::formats) const NUMBERED: [(&str, &[&str]); 8] = [
    ("Email", &["", "label"]),
    ("Phone", &["", "label"]),
    ("Address", &["label", "street", "extended", "city", "region", "postal code", "country"]),
    ("Website", &["", "label"]),
    ("IM", &["", "protocol", "label"]),
    ("Event", &["", "label"]),
    ("Relation", &["", "label"]),
    ("Nickname", &[""]),
];

/// Reads the headings of an export of ours; `None` when it is somebody else's.
pub(in crate::formats) fn targets(headings: &[String]) -> Option<Vec<Option<Target>>> {
    let is_ours = headings.iter().any(|heading| heading == ID) && headings.iter().any(|heading| heading == "Kind");
    is_ours.then(|| headings.iter().map(|heading| target(heading)).collect())
}

fn target(heading: &str) -> Option<Target> {
    if FOR_PEOPLE.contains(&heading) {
        return Some(Target::Ignore);
    }
    if heading == NOTES {
        return Some(Target::Notes);
    }
    if let Some(key) = heading.strip_prefix(CUSTOM) {
        return Some(Target::Custom { key: key.to_owned(), group: Group::default() });
    }
    let single = SINGLE.iter().find(|(name, _)| *name == heading).map(|(_, target)| target.clone());
    let primary = || PRIMARY.iter().find(|(name, _)| *name == heading).map(|(_, field)| Target::PrimaryOf(*field));
    single.or_else(primary).or_else(|| numbered(heading))
}

fn numbered(heading: &str) -> Option<Target> {
    let mut words = heading.splitn(3, ' ');
    let (name, number) = (words.next()?, words.next()?.parse::<u16>().ok()?);
    let part = words.next().unwrap_or_default();
    let (_, parts) = NUMBERED.iter().find(|(known, _)| *known == name)?;
    if !parts.contains(&part) {
        return None;
    }
    let group = Group::named(number.to_string());
    let label = None;
    let labelled = |field: ListField, value: Target| match part {
        "label" => Target::LabelOf(field, group.clone()),
        _ => value,
    };
    Some(match name {
        "Email" => labelled(ListField::Emails, Target::Email { label, group: group.clone() }),
        "Phone" => labelled(ListField::Phones, Target::Phone { label, group: group.clone() }),
        "Website" => labelled(ListField::Websites, Target::Website { label, group: group.clone() }),
        "Event" => labelled(ListField::Events, Target::Event { label, group: group.clone() }),
        "Relation" => labelled(ListField::Relations, Target::Relation { label, group: group.clone() }),
        "IM" if part == "protocol" => Target::ProtocolOf(group),
        "IM" => labelled(ListField::Ims, Target::Im { protocol: None, label, group: group.clone() }),
        "Nickname" => Target::Nickname,
        _ if part == "label" => Target::LabelOf(ListField::Addresses, group),
        _ => Target::Address { label, group, part: address_part(part)? },
    })
}

fn address_part(part: &str) -> Option<AddressPart> {
    Some(match part {
        "street" => AddressPart::Street,
        "extended" => AddressPart::Extended,
        "city" => AddressPart::City,
        "region" => AddressPart::Region,
        "postal code" => AddressPart::PostalCode,
        "country" => AddressPart::Country,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_the_export_is_read_back() {
        for (name, parts) in NUMBERED {
            for part in parts {
                let heading = format!("{name} 2 {part}");
                assert!(target(heading.trim()).is_some(), "{heading}");
            }
        }
        for heading in SINGLE.iter().map(|(name, _)| *name).chain(PRIMARY.iter().map(|(name, _)| *name)) {
            assert!(target(heading).is_some(), "{heading}");
        }
    }

    #[test]
    fn a_file_without_our_mark_is_not_ours() {
        assert_eq!(targets(&["Kind".to_owned(), "Name".to_owned()]), None);
    }
}
