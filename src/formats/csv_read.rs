//! From CSV text to rows. Reading records is the `csv` crate's work; what is found out here is the separator, and
//! which records are not what their writer meant: a quote that is opened and never closed swallows good rows.

use super::limits::{MAX_COLUMNS, MAX_ROWS, MAX_UNCLOSED_QUOTES};
use super::table::RawRow;

/// The separators that files use.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// How much of a file is looked at to find its separator.
const SAMPLE_LINES: usize = 30;

/// Why a file of rows stopped being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overflow {
    Rows,
    Columns,
}

/// Reads all rows of a text whose line ends are all LF.
///
/// # Errors
/// [`Overflow`] beyond the limits.
pub(super) fn rows(text: &str) -> Result<Vec<RawRow>, Overflow> {
    let (text, skipped_lines, separator) = match declared_separator(text) {
        Some((separator, rest)) => (rest, 1, separator),
        None => (text, 0, find_separator(text)),
    };
    let mut rows = Vec::new();
    let mut scanner = Scanner { text, separator, start: 0, line: 1 + skipped_lines, unclosed: 0 };
    while scanner.start < text.len() {
        scanner.read_until_trouble(&mut rows)?;
    }
    Ok(rows)
}

/// Excel's hint in the first line: `sep=;`.
fn declared_separator(text: &str) -> Option<(u8, &str)> {
    let (first, rest) = text.split_once('\n')?;
    let separator = first.trim().trim_matches('"').strip_prefix("sep=")?;
    (separator.len() == 1).then(|| (separator.as_bytes()[0], rest))
}

/// The separator that stands outside quotes in the same number on the most lines.
fn find_separator(text: &str) -> u8 {
    let mut counts: Vec<[usize; 3]> = vec![[0; 3]];
    let mut is_quoted = false;
    for byte in text.bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => {
                if counts.len() > SAMPLE_LINES {
                    break;
                }
                counts.push([0; 3]);
            }
            byte if !is_quoted => {
                if let Some(at) = SEPARATORS.iter().position(|&separator| separator == byte)
                    && let Some(line) = counts.last_mut()
                {
                    line[at] += 1;
                }
            }
            _ => {}
        }
    }
    let score = |at: usize| {
        let of_line: Vec<usize> = counts.iter().map(|line| line[at]).filter(|&count| count > 0).collect();
        of_line.iter().map(|count| count * of_line.iter().filter(|other| *other == count).count()).max().unwrap_or(0)
    };
    // The first of equals wins: the comma.
    let best = (0..SEPARATORS.len()).rev().max_by_key(|&at| score(at)).unwrap_or(0);
    SEPARATORS[best]
}

/// Reads records one after the other; after a damaged one it starts anew behind its first line.
struct Scanner<'t> {
    text: &'t str,
    separator: u8,
    start: usize,
    line: u64,
    unclosed: usize,
}

impl Scanner<'_> {
    fn read_until_trouble(&mut self, rows: &mut Vec<RawRow>) -> Result<(), Overflow> {
        let rest = &self.text[self.start..];
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.separator)
            .from_reader(rest.as_bytes());
        let mut record = csv::StringRecord::new();
        // Reading from memory that is valid UTF-8 cannot fail; if it did, the rows so far would stand.
        while reader.read_record(&mut record).unwrap_or(false) {
            let from = record.position().map_or(0, |position| position.byte()) as usize;
            let until = (reader.position().byte() as usize).min(rest.len());
            let span = rest.get(from..until).unwrap_or_default();
            // The reader counts the blank lines above a record into it.
            let blank = span.len() - span.trim_start_matches('\n').len();
            let (from, span) = (from + blank, &span[blank..]);
            let line = self.line + record.position().map_or(1, |position| position.line()) - 1 + blank as u64;
            if self.unclosed < MAX_UNCLOSED_QUOTES && has_unclosed_quote(span, self.separator) {
                let first = span.split('\n').next().unwrap_or_default();
                rows.push(RawRow::Broken {
                    line,
                    reason: "a quote is opened and never closed".to_owned(),
                    raw: vec![first.to_owned()],
                });
                self.unclosed += 1;
                self.start += from + first.len() + 1;
                self.line = line + 1;
                return Ok(());
            }
            if record.len() > MAX_COLUMNS {
                return Err(Overflow::Columns);
            }
            if rows.len() >= MAX_ROWS {
                return Err(Overflow::Rows);
            }
            rows.push(RawRow::Cells { line, cells: record.iter().map(str::to_owned).collect(), marks: Vec::new() });
        }
        self.start = self.text.len();
        Ok(())
    }
}

/// Whether a record runs over several lines because its quote was never meant to.
///
/// Either the file ends inside the quote, or the quote that closes it is followed by text: it was the opening quote of
/// another row.
fn has_unclosed_quote(span: &str, separator: u8) -> bool {
    let span = span.trim_end_matches('\n');
    if !span.contains('"') {
        return false;
    }
    let mut at_start = true;
    let mut lines_in_quote: Option<usize> = None;
    let mut bytes = span.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match (&mut lines_in_quote, byte) {
            (Some(_), b'"') if bytes.peek() == Some(&b'"') => {
                bytes.next();
            }
            (Some(lines), b'"') => {
                let is_end = bytes.peek().is_none_or(|&next| next == separator || next == b'\n' || next == b' ');
                if *lines > 0 && !is_end {
                    return true;
                }
                lines_in_quote = None;
            }
            (Some(lines), b'\n') => *lines += 1,
            (Some(_), _) => {}
            (None, b'"') if at_start => lines_in_quote = Some(0),
            (None, _) => {}
        }
        at_start = lines_in_quote.is_none() && byte == separator;
    }
    lines_in_quote.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        rows(text)
            .expect("within the limits")
            .into_iter()
            .map(|row| match row {
                RawRow::Cells { line, cells, .. } => format!("{line}: {}", cells.join("|")),
                RawRow::Broken { line, reason, raw } => format!("{line}! {reason}: {}", raw.join("|")),
            })
            .collect()
    }

    #[test]
    fn the_separator_is_counted_outside_quotes() {
        for (text, expected) in [
            ("a;b\n\"x,y,z\";1\n", b';'),
            ("a,b\n\"x;y;z\",1\n", b','),
            ("a\tb\nx, y\t1\n", b'\t'),
            ("a;b;c\nButt, John;x;y\nx;y;z\n", b';'),
            ("one column\nof text\n", b','),
            ("", b','),
        ] {
            assert_eq!(find_separator(text), expected, "{text:?}");
        }
    }

    #[test]
    fn cells_may_hold_separators_quotes_and_line_breaks() {
        assert_eq!(
            shown("a,b\n\"x,1\",\"say \"\"hi\"\"\"\n\n\"two\nlines\",z"),
            ["1: a|b", "2: x,1|say \"hi\"", "4: two\nlines|z"]
        );
        assert_eq!(shown("sep=;\na;b\n1;2"), ["2: a|b", "3: 1|2"]);
    }

    #[test]
    fn a_quote_that_never_closes_costs_one_row() {
        let reason = "a quote is opened and never closed";
        assert_eq!(
            shown("a,b\n1,\"open\n2,x\n3,y\n"),
            ["1: a|b".to_owned(), format!("2! {reason}: 1,\"open"), "3: 2|x".to_owned(), "4: 3|y".to_owned()],
        );
        // The quote of a later row seems to close it.
        assert_eq!(
            shown("a,b\n1,\"open\n2,x\n3,\"fine\"\n4,z\n"),
            [
                "1: a|b".to_owned(),
                format!("2! {reason}: 1,\"open"),
                "3: 2|x".into(),
                "4: 3|fine".into(),
                "5: 4|z".into()
            ],
        );
    }

    #[test]
    fn quotes_inside_unquoted_cells_are_text() {
        assert_eq!(shown("a,b\n5\" pipe,x\n6\",y\n"), ["1: a|b", "2: 5\" pipe|x", "3: 6\"|y"]);
    }
}
