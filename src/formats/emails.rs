//! E-mail addresses as cells hold them: several at once, with names around them, with `mailto:`.

use email_address::{EmailAddress, Options};

use super::clean;

/// What one cell of an e-mail column holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    /// Everything with an `@`, in order.
    pub(super) addresses: Vec<String>,
    /// The rest, which is no address.
    pub(super) rest: Vec<String>,
}

/// Takes a cell apart at commas, semicolons, blanks and line breaks.
pub(super) fn find(cell: &str) -> Found {
    let mut found = Found::default();
    for piece in cell.split([',', ';', '\n']).map(clean::line).filter(|piece| !piece.is_empty()) {
        piece_of(&piece, &mut found);
    }
    found
}

/// The address in a text that is meant to be one; the text itself when there is none in it.
pub(super) fn one(text: &str) -> String {
    let mut found = Found::default();
    piece_of(&clean::line(text), &mut found);
    found.addresses.into_iter().chain(found.rest).next().unwrap_or_default()
}

/// Whether the text is one e-mail address, without a name around it.
pub(super) fn is_address(text: &str) -> bool {
    let options = Options::default().without_display_text().with_required_tld();
    EmailAddress::parse_with_options(text.trim(), options).is_ok()
}

fn piece_of(piece: &str, found: &mut Found) {
    if !piece.contains('@') {
        found.rest.push(piece.to_owned());
        return;
    }
    // `Ada King <ada@example.org>`: the name says nothing that the card does not hold already.
    if let Some((_, rest)) = piece.split_once('<')
        && let Some((inner, _)) = rest.split_once('>')
        && inner.contains('@')
    {
        found.addresses.push(bare(inner));
        return;
    }
    let words: Vec<&str> = piece.split_whitespace().collect();
    if words.len() > 1 && words.iter().all(|word| word.contains('@')) {
        found.addresses.extend(words.into_iter().map(bare));
        return;
    }
    found.addresses.push(bare(piece));
}

fn bare(text: &str) -> String {
    let text = text.trim();
    match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text[7..].trim().to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_taken_apart_into_addresses() {
        for (cell, addresses, rest) in [
            ("a@x.org, b@x.org; c@x.org", &["a@x.org", "b@x.org", "c@x.org"][..], &[][..]),
            ("a@x.org b@x.org", &["a@x.org", "b@x.org"], &[]),
            ("Ada King <ada@example.org>", &["ada@example.org"], &[]),
            ("mailto:ada@example.org", &["ada@example.org"], &[]),
            ("ada at example, ada@example.org", &["ada@example.org"], &["ada at example"]),
            ("a b@c", &["a b@c"], &[]),
            ("", &[], &[]),
        ] {
            let found = find(cell);
            assert_eq!(
                (found.addresses, found.rest),
                (addresses.iter().map(|a| a.to_string()).collect(), rest.iter().map(|a| a.to_string()).collect()),
                "{cell}"
            );
        }
    }

    #[test]
    fn addresses_need_a_domain_with_a_top_level() {
        assert!(is_address("ada@example.org"));
        for text in ["ada", "ada@", "ada@localhost", "Ada <ada@example.org>"] {
            assert!(!is_address(text), "{text}");
        }
    }
}
