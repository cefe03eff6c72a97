//! Filters: what has to be true of a contact to be one of those selected.
//!
//! A [`Filter`] is a value: every one of its conditions has to hold, and its text has to be found. Lists are narrowed with
//! it, and a saved one, under a name, may say who is kept equal with a group. There is one definition of what a filter
//! selects, [`Filter::selects`]; a store may be quicker about it and must come to the same.
//!
//! What a contact is asked must not depend on what time it is. A filter that selects others tomorrow than today, although
//! nobody changed anything, would take contacts out of a group by itself; so there are days, and nothing like "last week".
//! A selection for a group knows cards only ([`CardFilter`]): what a contact was when both sides last agreed has no times.

mod condition;
mod parse;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::contact::{Card, Contact};
use super::search::{Search, SearchText};
use super::time::Timestamp;

pub use condition::{Asked, Condition, Test};
pub use parse::{ConditionError, day_range, instant};

/// The longest name of a saved filter.
const NAME_CHARS_MAX: usize = 100;

/// What has to be true of a contact. An empty filter selects everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// What has to be found, as [`Search`] reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What has to hold, all of it. In an order of its own, so that equal filters are written alike.
    #[serde(default)]
    pub conditions: BTreeSet<Condition>,
}

/// A filter that asks only what a card can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFilter(Filter);

/// A filter under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFilter {
    /// Its name; there is no other filter of this name.
    pub name: String,
    /// What it selects.
    pub filter: Filter,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

impl Filter {
    /// Whether nothing is asked, so that everybody is selected.
    pub fn is_empty(&self) -> bool {
        self.text.is_none() && self.conditions.is_empty()
    }

    /// Whether the contact is one of those selected.
    pub fn selects(&self, contact: &Contact) -> bool {
        self.conditions.iter().all(|condition| condition.holds_for(contact)) && self.finds(&contact.card)
    }

    fn finds(&self, card: &Card) -> bool {
        self.text.as_ref().is_none_or(|text| Search::new(text).finds(&SearchText::of(card)))
    }

    /// Whether anything is asked about times of the contact, which its card does not have.
    pub fn asks_for_times(&self) -> bool {
        self.conditions.iter().any(|condition| condition.asked().is_time())
    }

    /// The same for cards; `None` when something is asked that a card cannot answer.
    pub fn of_cards(self) -> Option<CardFilter> {
        (!self.asks_for_times()).then_some(CardFilter(self))
    }
}

impl CardFilter {
    /// Whether a contact with this card is one of those selected.
    pub fn selects(&self, card: &Card) -> bool {
        self.0.conditions.iter().all(|condition| condition.holds_for_card(card)) && self.0.finds(card)
    }

    /// What is asked.
    pub fn filter(&self) -> &Filter {
        &self.0
    }
}

/// The name as it is kept: without blanks around it.
///
/// # Errors
/// One sentence about a name that is none.
pub fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(format!(
            "{text:?} is not a name for a filter; expected 1 to {NAME_CHARS_MAX} characters on one line"
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::id::ContactId;
    use crate::domain::version::VersionVector;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn ada() -> Contact {
        let card = json!({
            "kind": "person", "name": {"given": "Zoë", "family": "Müller"}, "job_title": "CTO",
            "emails": [{"value": "Zoe@Example.org"}], "phones": [{"value": "+49 (30) 1234-567"}],
            "addresses": [{"city": "Berlin", "street": "Unter den Linden 1"}],
            "organization": {"id": "01JD0000000000000000000000", "name": "Example GmbH"}, "birthday": "1990-12-28",
            "labels": ["Customer"], "custom": {"Price list": "Retail", "a=b": "c"}, "owner": "Sales@Example.org", "visibility": "company",
        });
        Contact {
            id: ContactId::new(Timestamp::EPOCH, 1),
            card: serde_json::from_value(card).expect("a card"),
            version: VersionVector::new(),
            created: time("2026-11-01T12:00:00Z"),
            updated: time("2026-11-20T12:00:00Z"),
            deleted: None,
            touched: std::collections::BTreeMap::new(),
            implicit: false,
        }
    }

    fn holds(text: &str) -> bool {
        let condition: Condition = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        Filter { text: None, conditions: [condition].into() }.selects(&ada())
    }

    #[test]
    fn each_condition_asks_what_it_says() {
        for yes in [
            "job_title=cto",
            "job_title!=CEO",
            "job_title!=",
            "department=",
            "name~MULLER",
            "name=Zoe Müller",
            "name=müller",
            "emails=zoe@example.org",
            "emails~@example",
            "phones=+49 30 1234567",
            "phones~030 123",
            "addresses=berlin",
            "organization=example gmbh",
            "organization=01JD0000000000000000000000",
            "labels=Customer",
            "labels!=customer",
            "labels!=VIP",
            "custom.Price list=retail",
            "custom.Colour=",
            "custom.\"a=b\"=C",
            "owner=sales@example.org",
            "kind=person",
            "visibility=company",
            "photo=",
            "notes!~cotton",
            "created>=2026-11-01",
            "created>=2026-11-01T12:00:00Z",
            "created<2026-11-02",
            "updated>=2026-11-20",
            "birthday=1990-12-28",
            "birthday=12-28",
            "birthday=--12-28",
            "birthday=12-01..12-31",
            "birthday=12-20..01-05",
            "birthday~1990",
            "birthday!=",
        ] {
            assert!(holds(yes), "{yes}");
        }
        for no in [
            "job_title=CT",
            "job_title!=CTO",
            "job_title=",
            "department!=",
            "name~miller",
            "emails!~example",
            "phones=+49 30 1234568",
            "labels=customer",
            "labels!=Customer",
            "labels=",
            "custom.Price list!=Retail",
            "custom.Price list=",
            "kind=organization",
            "photo!=",
            "created>=2026-11-02",
            "created<2026-11-01",
            "updated<2026-11-20T12:00:00Z",
            "birthday=12-29",
            "birthday=01-05..12-20",
            "birthday=",
            "industry~x",
        ] {
            assert!(!holds(no), "{no}");
        }
    }

    #[test]
    fn every_condition_and_the_text_have_to_hold() {
        let filter = |text: Option<&str>, conditions: &[&str]| Filter {
            text: text.map(str::to_owned),
            conditions: conditions.iter().map(|text| text.parse().expect("a condition")).collect(),
        };
        assert!(Filter::default().selects(&ada()));
        assert!(filter(Some("muller"), &[]).selects(&ada()) && !filter(Some("muller linden"), &[]).selects(&ada()));
        assert!(filter(Some("muller retail"), &["labels=Customer", "job_title=CTO"]).selects(&ada()));
        assert!(!filter(Some("nobody"), &["labels=Customer"]).selects(&ada()));
        assert!(!filter(None, &["labels=Customer", "job_title=CEO"]).selects(&ada()));
    }

    #[test]
    fn a_filter_is_written_in_one_way_and_read_back() {
        let texts =
            ["labels=Customer", "created>=2026-11-01", "birthday=12-20..01-05", "notes=", "custom.Price list!=x"];
        let read = |texts: &mut dyn Iterator<Item = &&str>| Filter {
            text: Some("ada".into()),
            conditions: texts.map(|text| text.parse().expect("a condition")).collect(),
        };
        let (one, other) = (read(&mut texts.iter()), read(&mut texts.iter().rev()));
        let text = serde_json::to_string(&one).expect("JSON");
        assert_eq!(text, serde_json::to_string(&other).expect("JSON"));
        assert_eq!(serde_json::from_str::<Filter>(&text).expect("read back"), one);
    }

    #[test]
    fn what_is_not_understood_is_no_filter() {
        for odd in [
            json!({"conditions": [], "limit": 3}),
            json!({"conditions": [{"field": "labels", "test": "sounds_like", "values": ["x"]}]}),
            json!({"conditions": [{"field": "shoe_size", "test": "empty"}]}),
            json!({"conditions": [{"field": "labels", "test": "is", "values": []}]}),
            json!({"conditions": [{"field": "labels", "test": "is"}]}),
            json!({"conditions": [{"field": "labels", "test": "empty", "values": ["x"]}]}),
            json!({"conditions": [{"field": "labels", "test": "since", "time": "2026-11-01T00:00:00Z"}]}),
            json!({"conditions": [{"field": "created", "test": "empty"}]}),
            json!({"conditions": [{"field": "created", "test": "since", "time": "yesterday"}]}),
            json!({"conditions": [{"field": "notes", "test": "between", "from": "--01-01", "to": "--02-01"}]}),
        ] {
            assert!(serde_json::from_value::<Filter>(odd.clone()).is_err(), "{odd}");
        }
    }

    #[test]
    fn what_depends_on_the_time_of_day_is_refused_and_says_why() {
        for text in ["created>=today", "updated<7d", "created>=-1w", "created>=last month", "birthday=today..+7d"] {
            let error = text.parse::<Condition>().expect_err(text).to_string();
            assert!(error.contains("relative dates are not allowed"), "{text}: {error}");
        }
        for text in ["created=2026-11-01", "job_title", "shoe_size=3", "notes>=2026-11-01", "created~2026", "=x"] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }

    #[test]
    fn cards_answer_everything_but_times() {
        let filter = |text: &str| Filter { text: None, conditions: [text.parse().expect("a condition")].into() };
        let of_cards = filter("labels=Customer").of_cards().expect("labels are on the card");
        assert!(of_cards.selects(&ada().card));
        assert_eq!(filter("created>=2026-11-01").of_cards(), None);
        assert_eq!(filter("updated<2026-11-01").of_cards(), None);
    }
}
