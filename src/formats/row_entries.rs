//! What one row tells of a deal, an activity and notes: things that hang on the contact and are not part of it.
//!
//! A value that cannot be read refuses the row, since half a deal is none. Which pipelines and stages there are, only the
//! store knows.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::date::PartialDate;
use crate::domain::entry::activity::USUAL_TYPES;
use crate::domain::entry::deal::Status;

use super::amounts::{self, DecimalMark};
use super::clean;
use super::dates::{self, DateOrder};
use super::entry_target::{ActivityPart, DealPart};
use super::headings::key;

/// What hangs on the contact of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftEntries {
    /// The deal.
    pub deal: Option<DealDraft>,
    /// The activity.
    pub activity: Option<ActivityDraft>,
    /// The notes.
    pub notes: Vec<String>,
}

/// A deal as a file describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the deal's of that name")]
pub struct DealDraft {
    /// What it is about; a deal without it is named after its contact.
    pub title: Option<String>,
    /// A number with a decimal point.
    pub value: Option<String>,
    /// As the file has it.
    pub currency: Option<String>,
    pub pipeline: Option<String>,
    pub stage: Option<String>,
    pub status: Option<Status>,
    pub lost_reason: Option<String>,
    pub expected_close: Option<PartialDate>,
    pub owner: Option<String>,
    pub labels: BTreeSet<String>,
    pub custom: BTreeMap<String, String>,
}

/// An activity as a file describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the activity's of that name")]
pub struct ActivityDraft {
    pub subject: Option<String>,
    pub activity_type: Option<String>,
    pub due: Option<PartialDate>,
    pub time: Option<String>,
    pub done: bool,
    pub note: Option<String>,
}

impl DraftEntries {
    /// Whether nothing hangs on the contact.
    pub fn is_empty(&self) -> bool {
        *self == DraftEntries::default()
    }
}

/// How the cells of a column are to be read, as its values prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) order: DateOrder,
    pub(super) decimal: DecimalMark,
}

impl Style {
    pub(super) const UNPROVEN: Style = Style { order: DateOrder::Unproven, decimal: DecimalMark::Unproven };
}

/// Puts a cell into the deal.
///
/// # Errors
/// What is wrong with the value, for the person who mends the row.
pub(super) fn put_deal(deal: &mut DealDraft, part: DealPart, value: &str, style: Style) -> Result<(), String> {
    let field = part.as_str();
    let line = || Some(clean::line(value));
    match part {
        DealPart::Title => deal.title = line(),
        DealPart::Currency => deal.currency = line(),
        DealPart::Pipeline => deal.pipeline = line(),
        DealPart::Stage => deal.stage = line(),
        DealPart::LostReason => deal.lost_reason = Some(value.to_owned()),
        // As with contacts, a user of ours is known by the e-mail address.
        DealPart::Owner if value.contains('@') => deal.owner = line(),
        DealPart::Owner => {
            deal.custom.insert("Owner".to_owned(), value.to_owned());
        }
        DealPart::Labels => {
            let labels = value.split([',', ';', '\n']).map(clean::line);
            deal.labels.extend(labels.filter(|label| !label.is_empty()));
        }
        DealPart::Status => deal.status = Some(status(value)?),
        DealPart::ExpectedClose => deal.expected_close = day("deal", field, value, style.order)?,
        DealPart::Value => match amounts::read(value, style.decimal) {
            amounts::Reading::Amount { number, currency } => {
                deal.value = Some(number);
                deal.currency = deal.currency.take().or(currency);
            }
            amounts::Reading::Ambiguous => {
                return Err(format!(
                    "deal {field}: {value:?} can be read in two ways, and no other value of the column decides; \
                     write it without separators"
                ));
            }
            amounts::Reading::Unreadable => {
                return Err(format!("deal {field}: {value:?} is no amount of money; expected such as 1200.50"));
            }
        },
    }
    Ok(())
}

/// Puts a cell into the activity.
///
/// # Errors
/// As [`put_deal`].
pub(super) fn put_activity(
    activity: &mut ActivityDraft,
    part: ActivityPart,
    value: &str,
    style: Style,
) -> Result<(), String> {
    match part {
        ActivityPart::Subject => activity.subject = Some(clean::line(value)),
        ActivityPart::Type => {
            let lower = value.to_lowercase();
            let usual = USUAL_TYPES.contains(&lower.as_str());
            activity.activity_type = Some(if usual { lower } else { clean::line(value) });
        }
        ActivityPart::Due => activity.due = day("activity", part.as_str(), value, style.order)?,
        ActivityPart::Time => activity.time = Some(clock_time(value)),
        ActivityPart::Done => activity.done = is_done(value)?,
        ActivityPart::Note => activity.note = Some(value.to_owned()),
    }
    Ok(())
}

fn status(value: &str) -> Result<Status, String> {
    match key(value).as_str() {
        "open" | "offen" | "otwarta" | "otwarty" | "otwarte" | "abierto" | "aberto" => Ok(Status::Open),
        "won" | "gewonnen" | "wygrana" | "wygrany" | "wygrane" | "ganado" | "ganho" => Ok(Status::Won),
        "lost" | "verloren" | "przegrana" | "przegrany" | "przegrane" | "utracona" | "perdido" => Ok(Status::Lost),
        _ => Err(format!("deal status: {value:?} is none; expected open, won or lost")),
    }
}

fn is_done(value: &str) -> Result<bool, String> {
    match key(value).as_str() {
        "1" | "x" | "yes" | "true" | "done" | "ja" | "erledigt" | "tak" | "wykonane" | "si" | "sim" => Ok(true),
        "0" | "no" | "false" | "todo" | "nein" | "offen" | "nie" | "nao" => Ok(false),
        _ => Err(format!("activity done: {value:?} is neither; expected yes or no")),
    }
}

fn day(kind: &str, field: &str, value: &str, order: DateOrder) -> Result<Option<PartialDate>, String> {
    match dates::read(value, order) {
        dates::Reading::Empty => Ok(None),
        dates::Reading::Date(date) => Ok(Some(date)),
        dates::Reading::Ambiguous => Err(format!(
            "{kind} {field}: day and month of {value:?} can be swapped, and no other value of the column decides; \
             write it as YYYY-MM-DD"
        )),
        dates::Reading::Unreadable => Err(format!("{kind} {field}: {value:?} is no date; expected such as 2026-11-30")),
    }
}

/// `9:30` and `09:30:00` as `09:30`; anything else stays for the rule to refuse.
fn clock_time(value: &str) -> String {
    let mut parts = value.trim().split(':');
    match (parts.next(), parts.next()) {
        (Some(hour), Some(minute)) if !hour.is_empty() && hour.len() <= 2 => format!("{hour:0>2}:{minute}"),
        _ => value.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_read_is_named_with_its_field_and_the_rule() {
        let mut deal = DealDraft::default();
        for (part, value, expected) in [
            (DealPart::Value, "=A1*2", "deal value: \"=A1*2\" is no amount of money; expected such as 1200.50"),
            (DealPart::Value, "1.200", "deal value: \"1.200\" can be read in two ways"),
            (DealPart::Status, "deleted", "deal status: \"deleted\" is none; expected open, won or lost"),
            (DealPart::ExpectedClose, "soon", "deal expected_close: \"soon\" is no date"),
            (DealPart::ExpectedClose, "03/04/2027", "deal expected_close: day and month of \"03/04/2027\""),
        ] {
            let error = put_deal(&mut deal, part, value, Style::UNPROVEN).expect_err(value);
            assert!(error.starts_with(expected), "{error}");
        }
        assert_eq!(deal, DealDraft::default(), "nothing was taken");
        let error = put_activity(&mut ActivityDraft::default(), ActivityPart::Done, "perhaps", Style::UNPROVEN);
        assert_eq!(error.expect_err("no answer"), "activity done: \"perhaps\" is neither; expected yes or no");
    }

    #[test]
    fn statuses_and_answers_are_known_in_three_languages() {
        for (value, expected) in
            [("Won", Status::Won), ("Gewonnen", Status::Won), ("Przegrana", Status::Lost), ("offen", Status::Open)]
        {
            assert_eq!(status(value), Ok(expected), "{value}");
        }
        for (value, expected) in [("Tak", true), ("ja", true), ("1", true), ("Nein", false), ("nie", false)] {
            assert_eq!(is_done(value), Ok(expected), "{value}");
        }
        assert_eq!((clock_time("9:30").as_str(), clock_time("09:30:00").as_str()), ("09:30", "09:30"));
    }
}
