//! Google's CSV export, both generations: `E-mail 1 - Type` and `E-mail 1 - Label`, `Organization 1 - Name` and
//! `Organization Name`. Values and labels of one entry meet in a group named by the number.

use super::super::target::{AddressPart, Group, ListField, Target};
use super::spelling::key;

/// Reads `THING N - PART`; `None` when the heading is not of this kind.
pub(super) fn target(heading: &str) -> Option<Target> {
    let (numbered, part) = heading.rsplit_once(" - ")?;
    let (thing, number) = numbered.trim().rsplit_once(' ')?;
    let number: u16 = number.parse().ok()?;
    let group = Group::named(number.to_string());
    let part = key(part);
    let is_label = matches!(part.as_str(), "type" | "label");
    let is_value = part == "value";
    let target = match key(thing).as_str() {
        "email" if is_label => Target::LabelOf(ListField::Emails, group),
        "email" if is_value => Target::Email { label: None, group },
        "phone" if is_label => Target::LabelOf(ListField::Phones, group),
        "phone" if is_value => Target::Phone { label: None, group },
        "website" if is_label => Target::LabelOf(ListField::Websites, group),
        "website" if is_value => Target::Website { label: None, group },
        "event" if is_label => Target::LabelOf(ListField::Events, group),
        "event" if is_value => Target::Event { label: None, group },
        "relation" if is_label => Target::LabelOf(ListField::Relations, group),
        "relation" if is_value => Target::Relation { label: None, group },
        "customfield" | "userdefinedfield" if is_label => Target::LabelOf(ListField::Custom, group),
        "customfield" | "userdefinedfield" if is_value => Target::Custom { key: String::new(), group },
        "im" if is_label => Target::LabelOf(ListField::Ims, group),
        "im" if part == "service" => Target::ProtocolOf(group),
        "im" if is_value => Target::Im { protocol: None, label: None, group },
        "address" if is_label => Target::LabelOf(ListField::Addresses, group),
        "address" if part == "fax" => Target::Phone { label: Some("fax".to_owned()), group: Group::default() },
        "address" => Target::Address { label: None, group, part: address_part(&part)? },
        "organization" if number == 1 => organization(&part)?,
        _ => return None,
    };
    Some(target)
}

fn address_part(part: &str) -> Option<AddressPart> {
    Some(match part {
        "formatted" => AddressPart::Formatted,
        "street" => AddressPart::Street,
        "city" => AddressPart::City,
        "pobox" => AddressPart::PoBox,
        "region" | "state" => AddressPart::Region,
        "postalcode" => AddressPart::PostalCode,
        "country" => AddressPart::Country,
        "extendedaddress" => AddressPart::Extended,
        _ => return None,
    })
}

fn organization(part: &str) -> Option<Target> {
    Some(match part {
        "name" => Target::Organization,
        "title" => Target::JobTitle,
        "department" => Target::Department,
        "type" | "label" => Target::Ignore,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_meet_in_one_group() {
        let one = || Group::named("1");
        for label in ["E-mail 1 - Type", "E-mail 1 - Label"] {
            assert_eq!(target(label), Some(Target::LabelOf(ListField::Emails, one())), "{label}");
        }
        assert_eq!(target("E-mail 1 - Value"), Some(Target::Email { label: None, group: one() }));
        assert_eq!(target("Organization 1 - Title"), Some(Target::JobTitle));
        assert_eq!(target("Organization 2 - Name"), None, "a second company is kept as a custom field");
        assert_eq!(target("Person - Email - Work"), None);
    }
}
