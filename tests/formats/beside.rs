//! Rows that tell of a deal, an activity and notes beside their contact.

use contactsync::domain::entry::deal::Status;
use contactsync::formats::{ColumnMap, DealDraft, Draft, Warning};

use crate::support::{fixture, person, read, try_read};

fn only(csv: &str) -> Draft {
    let mut read = read("x.csv", csv);
    assert_eq!((read.drafts.len(), &read.rejected), (1, &Vec::new()), "{csv}");
    read.drafts.remove(0)
}

fn deal(csv: &str) -> DealDraft {
    only(csv).entries.deal.expect("a deal")
}

#[test]
fn one_row_holds_a_person_an_organization_and_a_deal() {
    let draft = only(
        "Person - Name,Organization - Name,Deal - Title,Deal - Value,Deal - Currency of Value,Deal - Stage,Deal - Status,\
         Deal - Expected close date,Deal - Size,Activity - Subject,Activity - Type,Activity - Due date,Note - Content\n\
         Ada King,Example GmbH,Engine,12000.50,EUR,Qualified,Won,2027-01-15,large,First call,Call,2026-12-24,Likes tea\n",
    );
    assert_eq!(person(&draft.card).organization.as_ref().map(|o| o.name.as_str()), Some("Example GmbH"));
    assert!(draft.card.custom.is_empty() && draft.card.notes.is_none(), "nothing of it is the person's");
    let deal = draft.entries.deal.expect("a deal");
    assert_eq!((deal.title.as_deref(), deal.value.as_deref()), (Some("Engine"), Some("12000.50")));
    assert_eq!((deal.currency.as_deref(), deal.status), (Some("EUR"), Some(Status::Won)));
    assert_eq!(deal.expected_close.map(|day| day.to_string()).as_deref(), Some("2027-01-15"));
    assert_eq!(deal.custom.get("Size").map(String::as_str), Some("large"));
    let activity = draft.entries.activity.expect("an activity");
    assert_eq!((activity.subject.as_deref(), activity.activity_type.as_deref()), (Some("First call"), Some("call")));
    assert_eq!(draft.entries.notes, ["Likes tea"]);
}

#[test]
fn polish_and_german_deals_are_read_with_their_amounts_and_days() {
    let polish = deal(
        "Imię i nazwisko;Szansa - Tytuł;Szansa - Wartość;Waluta;Etap;Przewidywana data zamknięcia;Stan\n\
         Łucja Nowak;Maszyna;1 200,50;PLN;Qualified;15.01.2027;Wygrana\n",
    );
    assert_eq!((polish.title.as_deref(), polish.value.as_deref()), (Some("Maszyna"), Some("1200.50")));
    assert_eq!((polish.currency.as_deref(), polish.stage.as_deref()), (Some("PLN"), Some("Qualified")));
    assert_eq!(polish.expected_close.map(|day| day.to_string()).as_deref(), Some("2027-01-15"));
    assert_eq!(polish.status, Some(Status::Won));
    let german =
        deal("Ansprechpartner;Geschäft - Titel;Wert;Phase;Status\nJörg Müller;Anlage;12.000,00 €;Qualified;Offen\n");
    assert_eq!((german.value.as_deref(), german.currency.as_deref()), (Some("12000.00"), Some("EUR")));
    assert_eq!(german.status, Some(Status::Open));
}

#[test]
fn a_value_of_a_deal_that_cannot_be_read_refuses_its_row_only() {
    let read = read(
        "x.csv",
        "Name;Deal title;Deal value;Expected close date\n\
         Ada;One;1.200;2027-01-15\n\
         Bob;Two;=A1*2;\n\
         Cleo;Three;5;someday\n\
         Dora;Four;7;03/04/2027\n\
         Emil;Five;8;\n",
    );
    let reasons: Vec<(u64, &str)> = read.rejected.iter().map(|row| (row.line, row.reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            (
                2,
                "deal value: \"1.200\" can be read in two ways, and no other value of the column decides; write it \
                 without separators"
            ),
            (3, "deal value: \"=A1*2\" is no amount of money; expected such as 1200.50"),
            (4, "deal expected_close: \"someday\" is no date; expected such as 2026-11-30"),
            (
                5,
                "deal expected_close: day and month of \"03/04/2027\" can be swapped, and no other value of the column \
                 decides; write it as YYYY-MM-DD"
            ),
        ],
    );
    assert_eq!(read.drafts.len(), 1);
    assert_eq!(read.rejected[1].raw, ["Bob", "Two", "=A1*2", ""], "the skip file gets the row as it came");
}

#[test]
fn other_values_of_the_column_decide_how_amounts_and_days_are_read() {
    let read =
        read("x.csv", "Name;Deal title;Value;Expected close date\nAda;One;1.200;03/04/2027\nBob;Two;3,50;25/12/2027\n");
    let deals: Vec<(String, String)> = read
        .drafts
        .into_iter()
        .filter_map(|draft| draft.entries.deal)
        .map(|deal| (deal.value.expect("a value"), deal.expected_close.expect("a day").to_string()))
        .collect();
    assert_eq!(deals, [("1200".into(), "2027-04-03".into()), ("3.50".into(), "2027-12-25".into())]);
}

#[test]
fn a_deal_needs_a_contact_and_more_than_a_currency() {
    let nobody = read("x.csv", "Name,Deal - Title,Deal - Value\n,Tower,5\n");
    assert_eq!(nobody.rejected[0].reason, "the deal \"Tower\" has neither a person nor an organization");
    let constant = only("Name,Deal - Title,Deal - Value,Deal - Currency\nAda,,,EUR\n");
    assert_eq!(constant.entries.deal, None);
    assert_eq!(constant.warnings, [Warning::NoDeal { headings: vec!["Deal - Currency".into()] }]);
    let untitled = deal("Name,Deal - Title,Deal - Value\nAda,,5\n");
    assert_eq!((untitled.title, untitled.value.as_deref()), (None, Some("5")), "it is named after its contact later");
}

#[test]
fn a_file_map_says_what_belongs_to_the_deal() {
    let map = ColumnMap::parse(
        "map.toml",
        "[columns]\nVorgang = \"deal.title\"\nSumme = \"deal.value\"\n\"Größe\" = \"deal.custom.Size\"\n\
         Anruf = \"activity.subject\"\nBemerkung = \"note\"\n",
    );
    let text = "Name;Vorgang;Summe;Größe;Anruf;Bemerkung\nAda;Engine;5 EUR;L;Call her;Likes tea\n";
    let read = try_read("x.csv", text.as_bytes(), Some(&map.expect("valid"))).expect("readable");
    let entries = &read.drafts[0].entries;
    let deal = entries.deal.as_ref().expect("a deal");
    assert_eq!((deal.title.as_deref(), deal.currency.as_deref()), (Some("Engine"), Some("EUR")));
    assert_eq!(deal.custom.get("Size").map(String::as_str), Some("L"));
    assert!(entries.activity.is_some() && entries.notes == ["Likes tea"]);
}

#[test]
fn the_sample_that_pipedrive_offers_is_read_whole() {
    let Some(bytes) = fixture("csv/pipedrive/sample-import.en.csv") else { return };
    let draft = &read("sample-import.en.csv", bytes).drafts[0];
    let deal = draft.entries.deal.as_ref().expect("a deal");
    assert_eq!((deal.title.as_deref(), deal.value.as_deref()), (Some("Moveer Deal"), Some("100.0")));
    let activity = draft.entries.activity.as_ref().expect("an activity");
    assert_eq!(activity.due.map(|day| day.to_string()).as_deref(), Some("2024-12-05"), "a serial number of a sheet");
}
