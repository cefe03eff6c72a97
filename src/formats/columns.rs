//! The columns of a file and where each goes: what the file map says, else what the heading means, else what the
//! cells look like, else a custom field under the heading.

use std::fmt;

use super::content;
use super::headings::{self, Dialect};
use super::map_file::ColumnMap;
use super::target::Target;

/// Why a column goes where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The file map says so.
    Map,
    /// The heading means it.
    Heading,
    /// The cells look like it.
    Content,
    /// Nobody knows the heading: the column is kept as a custom field.
    Unknown,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The heading as written; `Column 3` where the file has none.
    pub heading: String,
    /// Where its values go.
    pub target: Target,
    /// Why.
    pub origin: Origin,
}

/// All columns of a file, in its order. `Display` is the preview that a person checks before an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    columns: Vec<Column>,
    unmatched: Vec<String>,
    pub(super) dialect: Dialect,
}

impl Columns {
    /// Decides where each column goes, given the headings, some rows and the map.
    pub(super) fn decide(headings: &[String], rows: &[&[String]], map: Option<&ColumnMap>) -> Self {
        let read = headings::read(headings);
        let mut columns: Vec<Column> = headings
            .iter()
            .zip(read.targets.into_iter().zip(headings::custom(headings)))
            .map(|(heading, (guessed, custom))| {
                let mapped = map.and_then(|map| map.target(heading)).cloned();
                let (target, origin) = match (mapped, guessed) {
                    (Some(mapped), _) => (mapped, Origin::Map),
                    (None, Some(guessed)) => (guessed, Origin::Heading),
                    (None, None) => (custom, Origin::Unknown),
                };
                Column { heading: heading.clone(), target, origin }
            })
            .collect();
        content::look_at_cells(&mut columns, rows);
        let unmatched = map.map(|map| map.unmatched(headings)).unwrap_or_default();
        Columns { columns, unmatched, dialect: read.dialect }
    }

    /// Columns without headings: all that is known comes from the cells.
    pub(super) fn without_headings(count: usize, rows: &[&[String]], map: Option<&ColumnMap>) -> Self {
        let headings: Vec<String> = (1..=count).map(|number| format!("Column {number}")).collect();
        let mut columns = Columns::decide(&headings, rows, map);
        content::find_names(&mut columns.columns, rows);
        columns
    }

    /// The columns in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter()
    }

    /// How many columns there are.
    pub(super) fn count(&self) -> usize {
        self.columns.len()
    }

    /// The columns whose values go nowhere.
    pub fn ignored(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.target == Target::Ignore)
    }

    /// The columns nobody knows, kept as custom fields.
    pub fn unknown(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.origin == Origin::Unknown)
    }

    /// Headings that the file map names and the file does not have.
    pub fn unmatched(&self) -> &[String] {
        &self.unmatched
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.columns.iter().map(|column| column.heading.chars().count()).max().unwrap_or(0);
        for column in &self.columns {
            let note = match column.origin {
                Origin::Map => "  (by the map)",
                Origin::Heading => "",
                Origin::Content => "  (by its cells)",
                Origin::Unknown => "  (unknown)",
            };
            writeln!(f, "{:width$}  -> {}{note}", column.heading, column.target)?;
        }
        for heading in &self.unmatched {
            writeln!(f, "{heading:width$}  is in the map, but not in the file")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_wins_over_headings_and_cells() {
        let headings: Vec<String> = ["Name", "Contact", "Colour", "Reach at"].map(str::to_owned).to_vec();
        let row: Vec<String> = ["Ada", "ada@example.org", "blue", "ada@example.com"].map(str::to_owned).to_vec();
        let map = ColumnMap::parse("m", "[columns]\nContact = \"email.work\"\nGone = \"ignore\"").expect("valid");
        let columns = Columns::decide(&headings, &[&row], Some(&map));
        let shown = columns.to_string();
        assert_eq!(
            shown,
            "Name      -> name.full\nContact   -> email.work  (by the map)\nColour    -> custom.Colour  (unknown)\n\
             Reach at  -> custom.Reach at  (unknown)\nGone      is in the map, but not in the file\n",
        );
        assert_eq!(columns.unknown().count(), 2);
        assert_eq!(columns.unmatched(), ["Gone"]);
    }
}
