//! What spreadsheets do to contact lists: formulas, merged cells, other sheets, numbers made of phones, headings twice.

use contactsync::formats::{self, Remark, Warning};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet, XlsxError};

use crate::support::{card, emails, person, phones, read};

fn workbook(fill: impl FnOnce(&mut Workbook) -> Result<(), XlsxError>) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(&mut workbook).expect("a workbook");
    workbook.save_to_buffer().expect("memory takes everything")
}

fn texts(sheet: &mut Worksheet, row: u32, cells: &[&str]) -> Result<(), XlsxError> {
    (0..).zip(cells).try_for_each(|(column, cell)| sheet.write_string(row, column, *cell).map(|_| ()))
}

fn remarks(bytes: &[u8]) -> Vec<Remark> {
    formats::open("x.xlsx", bytes, None).expect("readable").remarks().to_vec()
}

#[test]
fn a_formula_counts_by_its_result() {
    let bytes = workbook(|workbook| {
        let sheet = workbook.add_worksheet();
        texts(sheet, 0, &["Name", "E-mail", "Total", "Looked up", "Note"])?;
        sheet.write_formula(1, 0, Formula::new("=CONCATENATE(\"Ada\",\" King\")").set_result("Ada King"))?;
        sheet.write_string(1, 1, "ada@example.org")?;
        sheet.write_formula(1, 2, Formula::new("=1+1").set_result("2"))?;
        sheet.write_formula(1, 3, Formula::new("=VLOOKUP(1,A1:B2,2)").set_result("#N/A"))?;
        Ok(())
    });
    let read = read("x.xlsx", bytes);
    assert_eq!(read.rejected, []);
    let draft = &read.drafts[0];
    assert_eq!(draft.card.display_name(), "Ada King");
    assert_eq!(draft.card.custom.get("Total").map(String::as_str), Some("2"));
    assert_eq!(draft.card.custom.get("Looked up"), None);
    assert_eq!(draft.warnings, [Warning::FailedFormula { heading: "Looked up".into(), value: "#N/A".into() }]);
}

/// A workbook of a program that writes formulas and leaves it to others to calculate them.
fn without_results(bytes: &[u8]) -> Vec<u8> {
    use std::io::{Cursor, Read as _, Write as _};
    let mut from = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..from.len() {
        let mut part = from.by_index(at).expect("a part");
        let (name, mut text) = (part.name().expect("a name").into_owned(), String::new());
        part.read_to_string(&mut text).expect("text");
        if name.ends_with("sheet1.xml") {
            text = text.replace("</f><v>0</v>", "</f>");
        }
        to.start_file(name, zip::write::SimpleFileOptions::default()).expect("a part");
        to.write_all(text.as_bytes()).expect("memory");
    }
    to.finish().expect("an archive").into_inner()
}

#[test]
fn a_formula_that_was_never_calculated_refuses_its_row_and_says_the_cure() {
    let bytes = workbook(|workbook| {
        let sheet = workbook.add_worksheet();
        texts(sheet, 0, &["Name", "E-mail", "Photo"])?;
        sheet.write_formula(1, 0, "=CONCATENATE(\"Ada\",\" King\")")?;
        sheet.write_string(1, 1, "ada@example.org")?;
        texts(sheet, 2, &["Bob Stone", "bob@example.org"])?;
        sheet.write_formula(2, 2, "=1+1")?;
        Ok(())
    });
    let read = read("x.xlsx", without_results(&bytes));
    let reasons: Vec<(u64, &str)> = read.rejected.iter().map(|row| (row.line, row.reason.as_str())).collect();
    let cure = "the cell holds a formula that was never calculated; open the file in a spreadsheet program and save it";
    assert_eq!(reasons, [(2, format!("Name: {cure}").as_str())]);
    assert_eq!(read.drafts[0].card.display_name(), "Bob Stone", "a column that goes nowhere refuses nobody");
}

#[test]
fn a_formula_in_a_text_file_is_a_text_and_is_told() {
    let read = read("x.csv", "Name,Total\nAda King,=SUM(A1:A9)\nBob Stone,= see below\n");
    let total = |at: usize| read.drafts[at].card.custom.get("Total").cloned();
    assert_eq!((total(0).as_deref(), total(1).as_deref()), (Some("=SUM(A1:A9)"), Some("= see below")));
    let told = Warning::FormulaAsText { heading: "Total".into(), value: "=SUM(A1:A9)".into() };
    assert_eq!((&read.drafts[0].warnings[..], &read.drafts[1].warnings[..]), (&[told][..], &[][..]));
}

#[test]
fn a_cell_merged_over_rows_counts_in_each_of_them() {
    let plain = Format::new();
    let bytes = workbook(|workbook| {
        let sheet = workbook.add_worksheet();
        sheet.merge_range(0, 0, 0, 2, "People we know", &plain)?;
        texts(sheet, 1, &["Name", "E-mail", "Company"])?;
        texts(sheet, 2, &["Ada King", "ada@example.org"])?;
        texts(sheet, 3, &["Bob Stone", "bob@example.org"])?;
        texts(sheet, 6, &["Cleo Last", "cleo@example.org", "Other"])?;
        sheet.merge_range(2, 2, 5, 2, "Example GmbH", &plain)?;
        Ok(())
    });
    let people = read("x.xlsx", &bytes);
    assert_eq!(people.rejected, []);
    let employers: Vec<_> = people
        .drafts
        .iter()
        .map(|draft| person(&draft.card).organization.as_ref().map(|organization| organization.name.as_str()))
        .collect();
    assert_eq!(employers, [Some("Example GmbH"), Some("Example GmbH"), Some("Other")]);
    assert_eq!(remarks(&bytes), [Remark::MergedCells { count: 1 }]);
    assert_eq!(remarks(&bytes)[0].to_string(), "1 cell got its value from cells that are merged over several rows");
}

#[test]
fn sheets_that_are_not_read_are_named() {
    let bytes = workbook(|workbook| {
        for (name, person, hidden) in
            [("People", "Ada King", false), ("More", "Bob Stone", false), ("Secret", "Cleo Last", true)]
        {
            let sheet = workbook.add_worksheet();
            sheet.set_name(name)?;
            sheet.set_hidden(hidden);
            texts(sheet, 0, &["Name"])?;
            texts(sheet, 1, &[person])?;
        }
        workbook.add_worksheet().set_name("Nothing")?;
        Ok(())
    });
    assert_eq!(read("x.xlsx", &bytes).drafts.len(), 1);
    let told: Vec<String> = remarks(&bytes).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "only the sheet \"People\" is read; not read: \"More\". Save each sheet as a file of its own to import it",
            "hidden sheets are not read: \"Secret\". Unhide them to import them",
        ]
    );
}

#[test]
fn a_phone_that_a_spreadsheet_made_a_number_of_is_told() {
    let bytes = workbook(|workbook| {
        let sheet = workbook.add_worksheet();
        texts(sheet, 0, &["Name", "Phone"])?;
        sheet.write_string(1, 0, "Ada King")?;
        sheet.write_number(1, 1, 48_601_602_603.0)?;
        texts(sheet, 2, &["Bob Stone", "+48 601 602 603"])?;
        texts(sheet, 3, &["Cleo Last", "4.91724E+12"])?;
        Ok(())
    });
    let read = read("x.xlsx", bytes);
    let draft = |at: usize| &read.drafts[at];
    assert_eq!(phones(&draft(0).card), ["-: 48601602603"]);
    assert_eq!(draft(0).warnings, [Warning::PhoneAsNumber { heading: "Phone".into(), value: "48601602603".into() }]);
    assert_eq!(
        draft(0).warnings[0].to_string(),
        "Phone: 48601602603 came as a number, so a plus or zeros in front may be missing; taken as it is"
    );
    assert_eq!((phones(&draft(1).card), draft(1).warnings.len()), (vec!["-: +48 601 602 603".to_owned()], 0));
    assert_eq!((draft(2).card.phones.len(), draft(2).card.custom["Phone"].as_str()), (0, "4.91724E+12"));
    assert_eq!(draft(2).warnings, [Warning::RuinedPhone { heading: "Phone".into(), value: "4.91724E+12".into() }]);
}

#[test]
fn a_phone_in_scientific_notation_that_lost_no_digit_is_put_together() {
    let card = card("Name;Phone\nAda;4,8601602603E+10\n");
    assert_eq!((phones(&card), card.custom.len()), (vec!["-: 48601602603".to_owned()], 0));
}

#[test]
fn days_in_the_order_of_a_country_are_read_in_sheets_as_in_text() {
    let date = Format::new().set_num_format("dd.mm.yyyy");
    let bytes = workbook(|workbook| {
        let sheet = workbook.add_worksheet();
        texts(sheet, 0, &["Name", "Birthday"])?;
        sheet.write_string(1, 0, "Ada King")?;
        sheet.write_datetime_with_format(1, 1, ExcelDateTime::from_ymd(1990, 4, 3)?, &date)?;
        texts(sheet, 2, &["Bob Stone", "03/04/1990"])?;
        texts(sheet, 3, &["Cleo Last", "25/12/1990"])?;
        Ok(())
    });
    let days: Vec<String> = read("x.xlsx", bytes)
        .drafts
        .iter()
        .map(|draft| person(&draft.card).birthday.expect("a day").to_string())
        .collect();
    assert_eq!(days, ["1990-04-03", "1990-04-03", "1990-12-25"]);
}

#[test]
fn headings_that_stand_twice_lose_no_value() {
    let card = card(
        "Name,Phone,Phone,E-mail,E-mail,Colour,Colour,Company,Company\n         Ada,030 1,030 2,a@example.org,b@example.org,red,blue,Acme,Beta\n",
    );
    assert_eq!(phones(&card), ["-: 030 1", "-: 030 2"]);
    assert_eq!(emails(&card), ["a@example.org", "b@example.org"]);
    assert_eq!(card.custom["Colour"], "red\nblue");
    assert_eq!(person(&card).organization.as_ref().map(|o| o.name.as_str()), Some("Acme"));
    assert_eq!(card.custom["Company"], "Beta");
}

#[test]
fn empty_lines_are_passed_over_wherever_they_are() {
    let read = read("x.csv", "\n\nName;Phone\n\n;;\nAda;030 1\n   \n-;-\nBob;030 2\n\n");
    assert_eq!(read.rejected, []);
    assert_eq!(read.drafts.iter().map(|draft| draft.line).collect::<Vec<_>>(), [6, 9]);
}

#[test]
fn an_archive_that_unpacks_to_gigabytes_is_refused_before_it_does() {
    use std::io::{Cursor, Write as _};
    let mut one = zip::ZipWriter::new(Cursor::new(Vec::new()));
    one.start_file("part", zip::write::SimpleFileOptions::default()).expect("a part");
    one.write_all(&vec![b' '; 16 * 1024 * 1024]).expect("memory");
    let mut one = zip::ZipArchive::new(one.finish().expect("an archive")).expect("an archive");
    let mut bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for sheet in 1..=200 {
        let part = one.by_index_raw(0).expect("the part");
        bomb.raw_copy_file_rename(part, format!("xl/worksheets/sheet{sheet}.xml")).expect("a copy");
    }
    let bytes = bomb.finish().expect("an archive").into_inner();
    assert!(bytes.len() < 4_000_000, "three gigabytes, small outside");
    let refused = formats::open("bomb.xlsx", &bytes, None).expect_err("refused").to_string();
    assert_eq!(refused, "bomb.xlsx is too large: more than 536870912 bytes when unpacked");
}
