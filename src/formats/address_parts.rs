//! An address whose parts stand in columns of their own.

use crate::domain::contact::Address;

use super::clean;
use super::target::AddressPart;

/// The parts of one address, in the order of the columns.
#[derive(Default)]
pub(super) struct AddressParts {
    pub(super) label: Option<String>,
    pub(super) parts: Vec<(AddressPart, String)>,
}

impl AddressParts {
    /// Puts the parts together; `None` when there is none.
    pub(super) fn compose(mut self) -> Option<Address> {
        let mut take = |wanted: AddressPart, separator: &str| {
            let (found, rest): (Vec<_>, Vec<_>) = self.parts.drain(..).partition(|(part, _)| *part == wanted);
            self.parts = rest;
            clean::some(found.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(separator))
        };
        let mut street = take(AddressPart::Street, "\n");
        if let Some(number) = take(AddressPart::HouseNumber, " ") {
            street = Some(street.map_or_else(|| number.clone(), |street| format!("{street} {number}")));
        }
        let formatted = take(AddressPart::Formatted, "\n");
        street = street.or(formatted);
        let city = take(AddressPart::City, ", ");
        let (code, town) = take(AddressPart::PostalCodeAndCity, " ").map_or((None, None), |both| code_and_town(&both));
        let mut address = Address {
            label: None,
            extended: join(take(AddressPart::Extended, ", "), take(AddressPart::PoBox, ", "), ", "),
            city: city.or(town),
            region: take(AddressPart::Region, ", "),
            postal_code: take(AddressPart::PostalCode, " ").or(code),
            country: take(AddressPart::Country, ", "),
            street: None,
        };
        // What is left are further lines below the street, in the order of the columns.
        let lines = self.parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n");
        address.street = join(street, clean::some(lines), "\n");
        if address == Address::default() {
            return None;
        }
        address.label = self.label;
        Some(address)
    }
}

/// Two texts as one; an absent one leaves no separator.
pub(super) fn join(first: Option<String>, second: Option<String>, separator: &str) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}{separator}{second}")),
        (first, second) => first.or(second),
    }
}

/// `21222 Köln`: the code is the first word, if it has a digit.
fn code_and_town(text: &str) -> (Option<String>, Option<String>) {
    match text.split_once(' ') {
        Some((code, town)) if code.chars().any(|c| c.is_ascii_digit()) => {
            (Some(code.to_owned()), clean::some(town.trim().to_owned()))
        }
        _ => (None, Some(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(parts: &[(AddressPart, &str)]) -> Option<Address> {
        let parts = parts.iter().map(|(part, text)| (*part, (*text).to_owned())).collect();
        AddressParts { label: Some("work".to_owned()), parts }.compose()
    }

    #[test]
    fn lines_and_numbers_join_the_street() {
        let address = composed(&[
            (AddressPart::HouseNumber, "5a"),
            (AddressPart::Street, "Main St"),
            (AddressPart::StreetLine(2), "2nd floor"),
            (AddressPart::Formatted, "all of it"),
        ]);
        assert_eq!(address.and_then(|address| address.street).as_deref(), Some("Main St 5a\n2nd floor"));
    }

    #[test]
    fn the_whole_address_serves_where_no_street_is_given() {
        let address = composed(&[(AddressPart::Formatted, "1 Main St, Town"), (AddressPart::City, "Town")]);
        let address = address.expect("an address");
        assert_eq!((address.street.as_deref(), address.city.as_deref()), (Some("1 Main St, Town"), Some("Town")));
    }

    #[test]
    fn code_and_town_come_apart_at_the_first_blank() {
        for (text, code, town) in [("21222 Bad Tölz", Some("21222"), "Bad Tölz"), ("Bad Tölz", None, "Bad Tölz")] {
            let address = composed(&[(AddressPart::PostalCodeAndCity, text)]).expect("an address");
            assert_eq!((address.postal_code.as_deref(), address.city.as_deref()), (code, Some(town)), "{text}");
        }
    }

    #[test]
    fn a_label_alone_is_no_address() {
        assert_eq!(composed(&[]), None);
    }
}
