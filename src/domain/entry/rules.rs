//! What makes an entry valid. Each rule names the kind of entry, the field, the value and what is wrong with it.

use std::collections::BTreeSet;

use super::activity::Activity;
use super::deal::{Deal, Status};
use super::definition::{CustomField, Pipeline};
use super::{Body, EntryKind};
use crate::domain::custom_field::check_option;
use crate::domain::date::PartialDate;
use crate::domain::normal;

/// The most characters of a title, a subject or a name.
const NAME_MAX: usize = 255;
/// The most characters of a note.
const NOTE_MAX: usize = 100_000;

/// A value of an entry breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {field}: {value:?} {rule}", kind.as_str())]
pub struct RuleError {
    /// The kind of entry.
    pub kind: EntryKind,
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// What is wrong, a phrase that follows the value.
    pub rule: String,
}

impl Body {
    /// Refuses an entry that breaks a rule which does not need the store: whether contacts, stages and parents are there is
    /// for others to say.
    ///
    /// # Errors
    /// [`RuleError`], the first in the order of the fields.
    pub fn check(&self) -> Result<(), RuleError> {
        match self {
            Body::Deal(deal) => check_deal(deal),
            Body::Activity(activity) => check_activity(activity),
            Body::Note(note) => {
                text(EntryKind::Note, "content", &note.content, NOTE_MAX)?;
                let is_adrift = note.about.is_nobody() && note.deal.is_none();
                somewhere(EntryKind::Note, is_adrift, "belongs to a person, an organization or a deal")
            }
            Body::Relation(relation) if relation.owner == relation.linked => {
                Err(broken(EntryKind::Relation, "linked", &relation.linked.to_string(), "is the organization itself"))
            }
            Body::Dismissal(couple) if couple.first == couple.second => {
                Err(broken(EntryKind::Dismissal, "second", &couple.second.to_string(), "is the contact itself"))
            }
            Body::Relation(_) | Body::Dismissal(_) => Ok(()),
            Body::Field(field) => check_field(field),
            Body::Label(label) => text(EntryKind::Label, "name", &label.name, NAME_MAX),
            Body::Pipeline(pipeline) => check_pipeline(pipeline),
        }
    }
}

fn broken(kind: EntryKind, field: &'static str, value: &str, rule: impl Into<String>) -> RuleError {
    RuleError { kind, field, value: value.to_owned(), rule: rule.into() }
}

fn text(kind: EntryKind, field: &'static str, value: &str, max: usize) -> Result<(), RuleError> {
    if value.trim().is_empty() {
        return Err(broken(kind, field, value, "is empty"));
    }
    if value.chars().count() > max {
        let beginning: String = value.chars().take(40).collect();
        return Err(broken(kind, field, &beginning, format!("… has more than {max} characters")));
    }
    Ok(())
}

fn somewhere(kind: EntryKind, is_adrift: bool, rule: &str) -> Result<(), RuleError> {
    if is_adrift { Err(broken(kind, "person, organization", "", format!("is nobody; it {rule}"))) } else { Ok(()) }
}

fn whole_date(kind: EntryKind, field: &'static str, date: Option<PartialDate>) -> Result<(), RuleError> {
    match date {
        Some(date) if date.year().is_none() => Err(broken(kind, field, &date.to_string(), "has no year")),
        _ => Ok(()),
    }
}

fn check_deal(deal: &Deal) -> Result<(), RuleError> {
    text(EntryKind::Deal, "title", &deal.title, NAME_MAX)?;
    somewhere(EntryKind::Deal, deal.about.is_nobody(), "belongs to a person, an organization or both")?;
    whole_date(EntryKind::Deal, "expected_close", deal.expected_close)?;
    match &deal.lost_reason {
        Some(reason) if deal.status != Status::Lost => {
            Err(broken(EntryKind::Deal, "lost_reason", reason, "is given, but the deal is not lost"))
        }
        _ => Ok(()),
    }
}

fn check_activity(activity: &Activity) -> Result<(), RuleError> {
    text(EntryKind::Activity, "subject", &activity.subject, NAME_MAX)?;
    text(EntryKind::Activity, "type", &activity.activity_type, NAME_MAX)?;
    whole_date(EntryKind::Activity, "due", activity.due)?;
    let Some(time) = &activity.time else { return Ok(()) };
    if chrono::NaiveTime::parse_from_str(time, "%H:%M").is_err() || time.len() != 5 {
        return Err(broken(EntryKind::Activity, "time", time, "is no time; expected such as 09:30"));
    }
    if activity.due.is_none() {
        return Err(broken(EntryKind::Activity, "time", time, "has no day; say when it is due"));
    }
    Ok(())
}

fn check_field(field: &CustomField) -> Result<(), RuleError> {
    text(EntryKind::Field, "name", &field.name, NAME_MAX)?;
    if field.field_type.has_options() && field.options.is_empty() {
        let rule = "has no options; give at least one";
        return Err(broken(EntryKind::Field, "options", field.field_type.as_str(), rule));
    }
    if !field.field_type.has_options() && !field.options.is_empty() {
        let given = field.options.join(", ");
        return Err(broken(EntryKind::Field, "options", &given, "are given, but only an enum or a set has options"));
    }
    let mut seen = BTreeSet::new();
    for option in &field.options {
        check_option(option).map_err(|rule| broken(EntryKind::Field, "options", option, rule))?;
        if !seen.insert(normal::fold(option)) {
            return Err(broken(EntryKind::Field, "options", option, "is there twice"));
        }
    }
    Ok(())
}

fn check_pipeline(pipeline: &Pipeline) -> Result<(), RuleError> {
    text(EntryKind::Pipeline, "name", &pipeline.name, NAME_MAX)?;
    if pipeline.stages.is_empty() {
        return Err(broken(EntryKind::Pipeline, "stages", "", "has none; give at least one"));
    }
    let mut seen = BTreeSet::new();
    for stage in &pipeline.stages {
        text(EntryKind::Pipeline, "stages", stage, NAME_MAX)?;
        if !seen.insert(normal::fold(stage)) {
            return Err(broken(EntryKind::Pipeline, "stages", stage, "is there twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::custom_field::FieldType;
    use crate::domain::entry::About;
    use crate::domain::entry::definition::{FieldOf, Label};
    use crate::domain::entry::note::Note;
    use crate::domain::id::ContactId;
    use crate::domain::time::Timestamp;

    fn ada() -> About {
        About { person: Some(ContactId::new(Timestamp::EPOCH, 1)), organization: None }
    }

    fn deal(change: impl FnOnce(&mut Deal)) -> Body {
        let mut deal = Deal {
            title: "Pilot".into(),
            value: None,
            pipeline: "Pipeline".into(),
            stage: "Qualified".into(),
            status: Status::Open,
            lost_reason: None,
            expected_close: None,
            closed: None,
            owner: None,
            labels: BTreeSet::new(),
            custom: std::collections::BTreeMap::new(),
            about: ada(),
        };
        change(&mut deal);
        Body::Deal(deal)
    }

    fn activity(change: impl FnOnce(&mut Activity)) -> Body {
        let mut activity = Activity {
            subject: "Call".into(),
            activity_type: "call".into(),
            due: None,
            time: None,
            done: false,
            done_at: None,
            note: None,
            owner: None,
            about: About::default(),
            deal: None,
        };
        change(&mut activity);
        Body::Activity(activity)
    }

    fn field(field_type: FieldType, options: &[&str]) -> Body {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Body::Field(CustomField { of: FieldOf::Person, name: "Size".into(), field_type, options, retired: None })
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let day = |text: &str| text.parse().ok();
        let note = |about| Body::Note(Note { content: "Called.".into(), pinned: false, about, deal: None });
        for (body, expected) in [
            (deal(|_| {}), ""),
            (deal(|deal| deal.title = " ".into()), r#"deal title: " " is empty"#),
            (
                deal(|deal| deal.about = About::default()),
                r#"deal person, organization: "" is nobody; it belongs to a person, an organization or both"#,
            ),
            (deal(|deal| deal.expected_close = day("--12-24")), r#"deal expected_close: "--12-24" has no year"#),
            (
                deal(|deal| deal.lost_reason = Some("price".into())),
                r#"deal lost_reason: "price" is given, but the deal is not lost"#,
            ),
            (activity(|_| {}), ""),
            (
                activity(|activity| activity.time = Some("9:30".into())),
                r#"activity time: "9:30" is no time; expected such as 09:30"#,
            ),
            (
                activity(|activity| activity.time = Some("09:30".into())),
                r#"activity time: "09:30" has no day; say when it is due"#,
            ),
            (note(ada()), ""),
            (
                note(About::default()),
                r#"note person, organization: "" is nobody; it belongs to a person, an organization or a deal"#,
            ),
            (field(FieldType::Enum, &["S", "M"]), ""),
            (field(FieldType::Enum, &[]), r#"field options: "enum" has no options; give at least one"#),
            (field(FieldType::Set, &["S", "s"]), r#"field options: "s" is there twice"#),
            (field(FieldType::Date, &["S"]), r#"field options: "S" are given, but only an enum or a set has options"#),
            (Body::Label(Label { name: String::new(), colour: None }), r#"label name: "" is empty"#),
            (
                Body::Pipeline(Pipeline { name: "Sales".into(), stages: vec![] }),
                r#"pipeline stages: "" has none; give at least one"#,
            ),
        ] {
            let told = body.check().err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(told, expected);
        }
    }
}
