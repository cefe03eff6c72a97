//! Deals, activities and notes of a file, made ready for the store.
//!
//! A row is refused before anything of it is taken when one of them breaks a rule, so that no half of a row comes in. What
//! is there already is not made again: a deal of the same title and value, an activity of the same subject and day, a note
//! of the same text, each with the same contact.

use std::collections::BTreeMap;

use crate::contacts::custom::Definitions;
use crate::contacts::entries::{EntryError, pipelines, place_deal};
use crate::domain::contact::Card;
use crate::domain::entry::activity::Activity;
use crate::domain::entry::deal::{Currency, Deal, Money, Status, parse_amount};
use crate::domain::entry::definition::{FieldOf, Pipeline};
use crate::domain::entry::note::Note;
use crate::domain::entry::{About, Body};
use crate::domain::id::{ContactId, EntryId};
use crate::domain::normal;
use crate::domain::time::Timestamp;
use crate::formats::{ActivityDraft, DealDraft, DraftEntries};
use crate::store::{Store, StoreError};

/// Under which key a deal keeps an amount that has no currency.
const BARE_VALUE: &str = "Value";

/// The type of an activity that says none.
const USUAL_ACTIVITY: &str = "task";

/// What the store defines, read once for an import.
pub(super) struct Catalogue {
    pipelines: Vec<Pipeline>,
    person: Definitions,
    organization: Definitions,
    deal: Definitions,
    /// The currency of amounts that have none.
    currency: Option<Currency>,
}

/// What makes an entry the same as another: its kind, what it says, and with whom it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryKey {
    words: String,
    contact: Option<ContactId>,
}

#[derive(Clone)]
/// What one row makes beside its contact, in the order in which it is made: the others hang on the deal.
pub(super) struct RowEntries {
    pub(super) bodies: Vec<Body>,
    /// What is odd about them.
    pub(super) oddities: Vec<String>,
}

impl Catalogue {
    pub(super) async fn load(store: &dyn Store, currency: Option<Currency>) -> Result<Self, StoreError> {
        Ok(Catalogue {
            pipelines: pipelines(store).await?,
            person: Definitions::load(store, FieldOf::Person).await?,
            organization: Definitions::load(store, FieldOf::Organization).await?,
            deal: Definitions::load(store, FieldOf::Deal).await?,
            currency,
        })
    }

    /// Brings the custom values of a card into the spelling of their fields.
    ///
    /// # Errors
    /// Entity, field, value and rule of the first that does not fit.
    pub(super) fn spell(&self, card: &mut Card) -> Result<(), String> {
        let kind = card.kind();
        let definitions = if FieldOf::from(kind) == FieldOf::Person { &self.person } else { &self.organization };
        if definitions.is_empty() {
            return Ok(());
        }
        definitions.spell_card(card).map_err(|error| format!("{} {error}", kind.as_str()))
    }

    /// Makes entries of what a row says. They are about nobody yet.
    ///
    /// # Errors
    /// Entity, field, value and rule of the first value that cannot be taken.
    pub(super) fn entries(&self, draft: DraftEntries, card: &Card) -> Result<RowEntries, String> {
        let mut row = RowEntries { bodies: Vec::new(), oddities: Vec::new() };
        let DraftEntries { deal, activity, notes } = draft;
        if let Some(deal) = deal {
            let deal = self.deal(deal, card, &mut row.oddities)?;
            row.bodies.push(Body::Deal(deal));
        }
        row.bodies.extend(activity.map(activity_of).transpose()?.map(Body::Activity));
        row.bodies.extend(
            notes
                .into_iter()
                .map(|content| Body::Note(Note { content, pinned: false, about: About::default(), deal: None })),
        );
        for body in &row.bodies {
            // Whom it is about is not known before the contact is found; that it is somebody is.
            let mut about_somebody = body.clone();
            set_about(&mut about_somebody, About { person: Some(somebody()), organization: None });
            about_somebody.check().map_err(|error| error.to_string())?;
        }
        Ok(row)
    }

    fn deal(&self, draft: DealDraft, card: &Card, oddities: &mut Vec<String>) -> Result<Deal, String> {
        let mut custom = draft.custom;
        let value = self.value(draft.value, draft.currency, &mut custom, oddities)?;
        let mut deal = Deal {
            title: draft.title.unwrap_or_else(|| title_after(card)),
            value,
            pipeline: draft.pipeline.unwrap_or_default(),
            stage: draft.stage.unwrap_or_default(),
            status: draft.status.unwrap_or(Status::Open),
            lost_reason: draft.lost_reason,
            expected_close: draft.expected_close,
            closed: None,
            owner: draft.owner,
            labels: draft.labels,
            custom,
            about: About::default(),
        };
        self.choose_pipeline(&mut deal);
        place_deal(&self.pipelines, &mut deal).map_err(|error: EntryError| error.to_string())?;
        self.deal.spell(&mut deal.custom).map_err(|error| format!("deal {error}"))?;
        Ok(deal)
    }

    /// A stage may say by itself which pipeline is meant.
    fn choose_pipeline(&self, deal: &mut Deal) {
        let wanted = normal::fold(&deal.stage);
        if !deal.pipeline.is_empty() || wanted.is_empty() {
            return;
        }
        let has_stage = |pipeline: &&Pipeline| pipeline.stages.iter().any(|stage| normal::fold(stage) == wanted);
        if let Some(pipeline) = self.pipelines.iter().find(has_stage) {
            deal.pipeline.clone_from(&pipeline.name);
        }
    }

    /// The value of a deal; an amount without a currency becomes a custom field.
    fn value(
        &self,
        amount: Option<String>,
        currency: Option<String>,
        custom: &mut BTreeMap<String, String>,
        oddities: &mut Vec<String>,
    ) -> Result<Option<Money>, String> {
        let named = currency.map(|text| text.parse::<Currency>().map_err(|error| format!("deal currency: {error}")));
        let currency = named.transpose()?.or(self.currency);
        let Some(text) = amount else { return Ok(None) };
        let Some(amount) = parse_amount(&text) else {
            return Err(format!("deal value: {text:?} is no amount of money; expected such as 1200.50"));
        };
        let Some(currency) = currency else {
            oddities.push(format!(
                "deal value: {text} has no currency; kept in the deal's custom field {BARE_VALUE}. Name the currency with \
                 --currency"
            ));
            custom.insert(BARE_VALUE.to_owned(), text);
            return Ok(None);
        };
        Ok(Some(Money { amount, currency }))
    }
}

/// The name that a deal gets from its contact.
fn title_after(card: &Card) -> String {
    let organization = card.as_person().and_then(|person| person.organization.as_ref());
    let name = organization.map_or_else(|| card.display_name(), |organization| organization.name.clone());
    format!("{name} deal")
}

fn activity_of(draft: ActivityDraft) -> Result<Activity, String> {
    let Some(subject) = draft.subject.or_else(|| draft.activity_type.clone()) else {
        return Err("activity subject: \"\" is empty".to_owned());
    };
    Ok(Activity {
        subject,
        activity_type: draft.activity_type.unwrap_or_else(|| USUAL_ACTIVITY.to_owned()),
        due: draft.due,
        time: draft.time,
        done: draft.done,
        done_at: None,
        note: draft.note,
        owner: None,
        about: About::default(),
        deal: None,
    })
}

/// Says whom an entry is about.
pub(super) fn set_about(body: &mut Body, about: About) {
    match body {
        Body::Deal(deal) => deal.about = about,
        Body::Activity(activity) => activity.about = about,
        Body::Note(note) => note.about = about,
        _ => {}
    }
}

/// Says on which deal an entry hangs.
pub(super) fn set_deal(body: &mut Body, deal: Option<EntryId>) {
    match body {
        Body::Activity(activity) => activity.deal = deal,
        Body::Note(note) => note.deal = deal,
        _ => {}
    }
}

/// What makes an entry the same; `None` for kinds that no file brings.
pub(super) fn key_of(body: &Body) -> Option<EntryKey> {
    let (words, about) = match body {
        Body::Deal(deal) => {
            let money = deal.value.as_ref().map(|money| format!("{} {}", money.amount.normalize(), money.currency));
            let bare = deal.custom.get(BARE_VALUE).cloned();
            (format!("deal\0{}\0{}", normal::fold(&deal.title), money.or(bare).unwrap_or_default()), deal.about)
        }
        Body::Activity(activity) => {
            let due = activity.due.map(|day| day.to_string()).unwrap_or_default();
            (format!("activity\0{}\0{due}", normal::fold(&activity.subject)), activity.about)
        }
        Body::Note(note) => (format!("note\0{}", note.content), note.about),
        _ => return None,
    };
    // The organization of a deal with a person may change with the person.
    Some(EntryKey { words, contact: about.person.or(about.organization) })
}

/// Some contact, to check a rule about having one.
fn somebody() -> ContactId {
    ContactId::new(Timestamp::EPOCH, 0)
}
