//! A table of the file while it is being read.
//!
//! Derived deserializers stop at the first surprise and quote the line it stands on, which may hold a secret. Here
//! every key is taken out of its table one by one, whatever is wrong is noted, reading goes on with the default, and
//! what nobody took is unknown. So one look at a file finds everything, each with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Position, Problem};

/// What was found so far while reading one file.
#[derive(Debug)]
pub(super) struct Notes<'s> {
    source: &'s str,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    keys: BTreeSet<String>,
}

impl<'s> Notes<'s> {
    /// Nothing was found yet.
    pub(super) fn new(source: &'s str) -> Self {
        Notes { source, problems: Vec::new(), warnings: Vec::new(), keys: BTreeSet::new() }
    }

    /// The place of a byte of the file.
    pub(super) fn position(&self, offset: usize) -> Position {
        Position::of(self.source, offset)
    }

    /// Notes something that makes the file unusable.
    pub(super) fn problem(&mut self, place: &Range<usize>, key: impl Into<String>, message: impl Into<String>) {
        let position = self.position(place.start);
        self.problems.push(Problem { position, key: key.into(), message: message.into() });
    }

    /// Notes something that a person should know.
    pub(super) fn warning(&mut self, place: &Range<usize>, key: impl Into<String>, message: impl Into<String>) {
        let position = self.position(place.start);
        self.warnings.push(Problem { position, key: key.into(), message: message.into() });
    }

    /// Whether something makes the file unusable.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Problems and warnings, each in the order of the file.
    pub(super) fn finish(mut self) -> (Vec<Problem>, Vec<Problem>) {
        self.problems.sort();
        self.warnings.sort();
        (self.problems, self.warnings)
    }

    /// Every key that was asked for, dotted: the schema as the code knows it.
    #[cfg(test)]
    pub(super) fn keys(&self) -> &BTreeSet<String> {
        &self.keys
    }
}

/// A value with its place, for checks that need more than the value.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    /// The value.
    pub(super) value: T,
    /// Where it stands.
    pub(super) place: Range<usize>,
}

/// Whether a value may be shown in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Display {
    Shown,
    Hidden,
}

/// A table of which keys are taken one by one.
#[derive(Debug)]
pub(super) struct Table<'t> {
    path: String,
    place: Range<usize>,
    entries: BTreeMap<String, (Range<usize>, Spanned<DeValue<'t>>)>,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// The root of a file.
    pub(super) fn root(table: Spanned<DeTable<'t>>) -> Self {
        // The span of the root says nothing; a problem of the whole file stands at its start.
        Table::new(String::new(), 0..0, table.into_inner())
    }

    fn new(path: String, place: Range<usize>, table: DeTable<'t>) -> Self {
        let entries = table
            .into_iter()
            .map(|(key, value)| {
                let place = key.span();
                (key.into_inner().into_owned(), (place, value))
            })
            .collect();
        Table { path, place, entries, known: Vec::new() }
    }

    /// A table that is not in the file: every key has its default.
    fn absent(path: String, place: Range<usize>) -> Self {
        Table { path, place, entries: BTreeMap::new(), known: Vec::new() }
    }

    /// Where the table begins.
    pub(super) fn place(&self) -> &Range<usize> {
        &self.place
    }

    /// The dotted name of a key of this table.
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Option<(Range<usize>, Spanned<DeValue<'t>>)> {
        self.known.push(key);
        notes.keys.insert(self.key(key));
        self.entries.remove(key)
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        display: Display,
        notes: &mut Notes<'_>,
        parse: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<At<T>> {
        let (_, value) = self.take(key, notes)?;
        let place = value.span();
        match parse(value.get_ref()) {
            Ok(value) => Some(At { value, place }),
            Err(expected) => {
                let found = found(value.get_ref(), display);
                notes.problem(&place, self.key(key), format!("expected {expected}, found {found}"));
                None
            }
        }
    }

    /// The value of a key with its place; `None` when it is absent or wrong, and then the problem is noted.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        notes: &mut Notes<'_>,
        parse: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<At<T>> {
        self.read(key, Display::Shown, notes, parse)
    }

    /// As [`Table::optional`], for a value that no message may show.
    pub(super) fn hidden<T>(
        &mut self,
        key: &'static str,
        notes: &mut Notes<'_>,
        parse: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<At<T>> {
        self.read(key, Display::Hidden, notes, parse)
    }

    /// The value of a key, or its default.
    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        notes: &mut Notes<'_>,
        parse: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> T {
        self.optional(key, notes, parse).map_or(default, |at| at.value)
    }

    /// The value of a key that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        notes: &mut Notes<'_>,
        parse: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<At<T>> {
        if !self.entries.contains_key(key) {
            self.known.push(key);
            notes.keys.insert(self.key(key));
            notes.problem(&self.place, self.key(key), "required, but missing");
            return None;
        }
        self.optional(key, notes, parse)
    }

    /// The table under a key; an absent one reads as empty.
    pub(super) fn table(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Table<'t> {
        let place = self.place.clone();
        self.table_if_present(key, notes).unwrap_or_else(|| Table::absent(self.key(key), place))
    }

    /// The table under a key, if there is one.
    pub(super) fn table_if_present(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Option<Table<'t>> {
        let (_, value) = self.take(key, notes)?;
        let place = value.span();
        match value.into_inner() {
            DeValue::Table(table) => Some(Table::new(self.key(key), place, table)),
            other => {
                let found = found(&other, Display::Hidden);
                notes.problem(&place, self.key(key), format!("expected a table [{}], found {found}", self.key(key)));
                None
            }
        }
    }

    /// The tables of an array of tables, with the place of the array; empty when the key is absent.
    pub(super) fn tables(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Vec<Table<'t>> {
        let Some((_, value)) = self.take(key, notes) else { return Vec::new() };
        let (place, path) = (value.span(), self.key(key));
        let DeValue::Array(items) = value.into_inner() else {
            notes.problem(&place, path.clone(), format!("expected tables, each headed [[{path}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            let place = item.span();
            match item.into_inner() {
                DeValue::Table(table) => tables.push(Table::new(path.clone(), place, table)),
                _ => notes.problem(&place, path.clone(), format!("expected a table headed [[{path}]]")),
            }
        }
        tables
    }

    /// Takes every key that is left, with its place, for a table whose keys are free.
    pub(super) fn rest(&mut self) -> Vec<(At<String>, Spanned<DeValue<'t>>)> {
        std::mem::take(&mut self.entries)
            .into_iter()
            .map(|(key, (place, value))| (At { value: key, place }, value))
            .collect()
    }

    /// Ends the table: what nobody took is unknown.
    pub(super) fn finish(self, notes: &mut Notes<'_>) {
        for (key, (place, _)) in &self.entries {
            let message = format!("unknown key; expected one of {}", self.known.join(", "));
            notes.problem(place, self.key(key), message);
        }
    }
}

/// What a value is, for a message.
pub(super) fn found_value(value: &DeValue<'_>) -> String {
    found(value, Display::Shown)
}

fn found(value: &DeValue<'_>, display: Display) -> String {
    const SHOWN_MAX: usize = 60;
    match (value, display) {
        (DeValue::String(text), Display::Shown) if text.chars().count() <= SHOWN_MAX && !may_hold_password(text) => {
            format!("{text:?}")
        }
        (DeValue::Integer(number), Display::Shown) => number.to_string(),
        (DeValue::Boolean(value), Display::Shown) => value.to_string(),
        (DeValue::String(_), _) => "a text".to_owned(),
        (DeValue::Integer(_), _) => "a whole number".to_owned(),
        (DeValue::Float(_), _) => "a number with a fraction".to_owned(),
        (DeValue::Boolean(_), _) => "true or false".to_owned(),
        (DeValue::Datetime(_), _) => "a date".to_owned(),
        (DeValue::Array(_), _) => "a list".to_owned(),
        (DeValue::Table(_), _) => "a table".to_owned(),
    }
}

/// Whether the text may be an address with a user and a password in it.
fn may_hold_password(text: &str) -> bool {
    text.contains("://") && text.contains('@')
}
