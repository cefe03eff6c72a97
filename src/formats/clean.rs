//! Text as files carry it, made fit to be kept: line ends in one spelling, no control characters, no blanks around.
//!
//! Invisible direction marks are taken out of phone numbers only. In names and notes of right-to-left scripts they
//! can carry meaning, and there they are trimmed at the ends alone.

/// Makes one line end of every kind: CR LF, CR CR LF (seen in exports of old iPhones), lone CR.
pub(super) fn unify_line_ends(text: &str) -> String {
    let mut unified = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\r') {
        unified.push_str(&rest[..at]);
        unified.push('\n');
        let behind = &rest[at..];
        let returns = behind.len() - behind.trim_start_matches('\r').len();
        // CR CR LF is one line end, CR CR alone are two.
        rest = match behind[returns..].strip_prefix('\n') {
            Some(after) => after,
            None => &behind[1..],
        };
    }
    unified.push_str(rest);
    unified
}

/// A value without control characters and without blanks around it; line breaks and tabs inside stay.
pub(super) fn value(text: &str) -> String {
    let bare = |c: char| c.is_whitespace() || is_invisible(c) || c == '\u{feff}';
    if !text.chars().any(is_forbidden) {
        return text.trim_matches(bare).to_owned();
    }
    let kept: String = text.chars().filter(|&c| !is_forbidden(c)).collect();
    kept.trim_matches(bare).to_owned()
}

/// A value on one line: line breaks and runs of blanks become one blank.
pub(super) fn line(text: &str) -> String {
    value(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a person sees of a cell that was written to keep a spreadsheet from changing it: `="007"`, `'+49`.
pub(super) fn without_dress(cell: &str) -> &str {
    let bare = match cell.strip_prefix('\'') {
        Some(inner) if inner.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '=' | '-' | '@')) => inner,
        _ => cell,
    };
    bare.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(bare)
}

/// A phone number as typed, without the invisible marks some exports wrap it in, and without `tel:`.
pub(super) fn phone(text: &str) -> String {
    let visible: String = text.chars().filter(|&c| !is_invisible(c)).collect();
    let visible = line(&visible);
    match visible.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => visible[4..].trim().to_owned(),
        _ => visible,
    }
}

/// The text if there is any.
pub(super) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Direction marks and joiners that nobody sees.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Control characters that no text needs: C0 but for tab and line feed, DEL, and C1.
fn is_forbidden(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_becomes_one() {
        assert_eq!(unify_line_ends("a\r\nb\r\r\nc\rd\n\r\re"), "a\nb\nc\nd\n\n\ne");
        assert_eq!(unify_line_ends("\r"), "\n");
    }

    #[test]
    fn control_characters_go_and_line_breaks_stay() {
        assert_eq!(value("\u{feff} a\0\u{7}b\nc\t\u{a0}"), "ab\nc");
        assert_eq!(line(" a\n  b "), "a b");
    }

    #[test]
    fn dress_against_spreadsheets_comes_off() {
        for (cell, bare) in [
            ("=\"007\"", "007"),
            ("'=\"007\"", "007"),
            ("'+49 30", "+49 30"),
            ("'t Hooft", "'t Hooft"),
            ("=1+1", "=1+1"),
        ] {
            assert_eq!(without_dress(cell), bare);
        }
    }

    #[test]
    fn direction_marks_vanish_from_phones() {
        assert_eq!(phone("\u{202d}666 555 444\u{202c}"), "666 555 444");
        assert_eq!(phone("tel:+1-418-656-9254"), "+1-418-656-9254");
    }
}
