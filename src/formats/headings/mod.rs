//! What the heading of a column means.
//!
//! Each heading is looked at alone first: a numbered column of Google's export, a prefix as Pipedrive writes it, a
//! heading known by heart, words that together name a phone, an e-mail or a part of an address. Then the neighbours
//! are asked ([`context`]): `Title` beside `Job title` is the `Dr.`, alone it is the job. What nobody knows is left to
//! the caller; columns that only machines read are recognised so that they can be left out.

mod context;
mod damaged;
mod entries;
mod google;
mod known;
pub(super) mod own;
mod pipedrive;
mod spelling;
mod words;

use super::target::{Group, Target};

pub(super) use spelling::key;

/// Which program wrote the file, as far as it matters for reading cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Our own export: cells are taken as they are.
    Own,
    /// Google's export: labels stand between ` ::: ` and may contain commas.
    Google,
    /// Any other.
    Plain,
}

/// What the headings of a file say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) dialect: Dialect,
    /// One per heading; `None` where nobody knows it.
    pub(super) targets: Vec<Option<Target>>,
}

/// Reads all headings of a file.
pub(super) fn read(headings: &[String]) -> Reading {
    if let Some(targets) = own::targets(headings) {
        return Reading { dialect: Dialect::Own, targets };
    }
    let google = headings.iter().filter(|heading| google::target(heading).is_some()).count();
    let dialect = if google >= 2 { Dialect::Google } else { Dialect::Plain };
    let mut targets: Vec<Option<Target>> = headings.iter().map(|heading| one(heading)).collect();
    context::settle(headings, &mut targets);
    Reading { dialect, targets }
}

/// How many cells of a row are headings that we know: the row with the most is the header.
pub(super) fn recognised(cells: &[String]) -> usize {
    if own::targets(cells).is_some() {
        return cells.len();
    }
    cells.iter().filter(|cell| !cell.is_empty() && one(cell).is_some()).count()
}

/// A custom field for each heading that nobody knows: under the heading, without a vendor's prefix and without the
/// star of required columns. What belongs to the organization goes to its custom fields.
pub(super) fn custom(headings: &[String]) -> Vec<Target> {
    let one = |(at, heading): (usize, &String)| {
        let (scope, bare) = pipedrive::scope(heading);
        let key = match bare.trim_end_matches('*').trim() {
            "" => format!("Column {}", at + 1),
            key => key.to_owned(),
        };
        let custom = Target::Custom { key, group: Group::default() };
        match scope {
            pipedrive::Scope::Organization => Target::OfOrganization(Box::new(custom)),
            pipedrive::Scope::None if context::is_company_with_contact_person(headings) => {
                Target::OfOrganization(Box::new(custom))
            }
            _ => custom,
        }
    };
    headings.iter().enumerate().map(one).collect()
}

/// Reads one heading without its neighbours.
fn one(heading: &str) -> Option<Target> {
    google::target(heading).or_else(|| pipedrive::target(heading)).or_else(|| plain(heading))
}

/// Reads a heading that carries no vendor's pattern.
fn plain(heading: &str) -> Option<Target> {
    known::target(heading).or_else(|| words::target(heading)).or_else(|| damaged::target(heading))
}
