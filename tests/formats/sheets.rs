//! Workbooks: XLSX made here, XLSX and XLS of other programs.

use contactsync::formats::FormatError;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::support::{emails, fixture, person, phones, read, try_read};

fn workbook(fill: impl FnOnce(&mut Workbook) -> Result<(), XlsxError>) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(&mut workbook).expect("a workbook");
    workbook.save_to_buffer().expect("memory takes everything")
}

fn texts(sheet: &mut Worksheet, row: u32, cells: &[&str]) -> Result<(), XlsxError> {
    (0..).zip(cells).try_for_each(|(column, cell)| sheet.write_string(row, column, *cell).map(|_| ()))
}

#[test]
fn numbers_and_dates_become_what_a_person_would_have_typed() {
    let bytes = workbook(|workbook| {
        let sheet = workbook.add_worksheet();
        texts(sheet, 0, &["My contacts"])?;
        texts(sheet, 2, &["Name", "Phone", "Birthday", "Postal code", "Shoe size"])?;
        sheet.write_string(4, 0, "Ada King")?;
        sheet.write_number(4, 1, 493_023_125_001.0)?;
        let date = Format::new().set_num_format("yyyy-mm-dd");
        sheet.write_datetime_with_format(4, 2, ExcelDateTime::from_ymd(1990, 5, 17)?, &date)?;
        sheet.write_string(4, 3, "01067")?;
        sheet.write_number(4, 4, 38.5)?;
        Ok(())
    });
    let read = read("contacts.xlsx", bytes);
    assert_eq!(read.rejected, []);
    let draft = &read.drafts[0];
    assert_eq!(draft.line, 5, "the row of the sheet");
    assert_eq!(phones(&draft.card), ["-: 493023125001"]);
    assert_eq!(person(&draft.card).birthday.map(|date| date.to_string()).as_deref(), Some("1990-05-17"));
    assert_eq!(draft.card.addresses[0].postal_code.as_deref(), Some("01067"));
    assert_eq!(draft.card.custom.get("Shoe size").map(String::as_str), Some("38.5"));
}

#[test]
fn serial_numbers_in_date_columns_are_dates() {
    let bytes = workbook(|workbook| {
        let sheet = workbook.add_worksheet();
        texts(sheet, 0, &["Name", "Birthday"])?;
        sheet.write_string(1, 0, "Ada")?;
        sheet.write_number(1, 1, 33_010.0)?;
        Ok(())
    });
    let read = read("x.xlsx", bytes);
    assert_eq!(person(&read.drafts[0].card).birthday.map(|date| date.to_string()).as_deref(), Some("1990-05-17"));
}

#[test]
fn the_first_visible_sheet_with_rows_is_read() {
    let bytes = workbook(|workbook| {
        workbook.add_worksheet().set_name("Empty")?;
        let hidden = workbook.add_worksheet();
        texts(hidden, 0, &["Name"])?;
        texts(hidden, 1, &["Hidden Person"])?;
        hidden.set_hidden(true);
        let visible = workbook.add_worksheet();
        texts(visible, 0, &["Name"])?;
        texts(visible, 1, &["Ada King"])?;
        workbook.add_worksheet().set_active(true);
        Ok(())
    });
    let read = read("x.xlsx", bytes);
    assert_eq!(read.drafts.iter().map(|draft| draft.card.display_name()).collect::<Vec<_>>(), ["Ada King"]);
}

#[test]
fn a_cell_in_the_last_corner_is_no_reason_to_give_up() {
    let bytes = workbook(|workbook| {
        let sheet = workbook.add_worksheet();
        texts(sheet, 0, &["Name", "E-mail"])?;
        texts(sheet, 1, &["Ada King", "ada@example.org"])?;
        sheet.write_string(1_048_575, 16_383, "far away")?;
        Ok(())
    });
    let read = read("x.xlsx", bytes);
    assert_eq!(emails(&read.drafts[0].card), ["ada@example.org"]);
    assert_eq!(read.rejected[0].reason, "the row has 16384 cells, the header 2");
}

#[test]
fn what_is_no_workbook_is_refused() {
    let good = workbook(|workbook| texts(workbook.add_worksheet(), 0, &["Name"]));
    let empty = workbook(|workbook| workbook.add_worksheet().set_name("Empty").map(|_| ()));
    assert!(matches!(try_read("x.xlsx", &good[..good.len() / 2], None), Err(FormatError::Workbook { .. })));
    assert!(matches!(try_read("x.xlsx", b"Name;Phone", None), Err(FormatError::Workbook { .. })));
    assert!(matches!(try_read("x.xls", b"Name;Phone", None), Err(FormatError::Workbook { .. })));
    assert!(matches!(try_read("x.xlsx", &empty, None), Err(FormatError::NoSheet { .. })));
}

/// Contacts and rejected rows per file. Files whose sheets hold no contacts reject their rows: they have no heading
/// that we know and nothing that looks like a name, an e-mail or a phone.
const FACTS: [(&str, usize, usize); 20] = [
    ("calamine/any_sheets.xls", 0, 4),
    ("calamine/any_sheets.xlsx", 0, 4),
    ("calamine/biff5_write.xls", 0, 4),
    ("calamine/date_1904.xls", 0, 3),
    ("calamine/date_1904.xlsx", 0, 3),
    ("calamine/date_iso.xlsx", 0, 6),
    ("calamine/empty_shared_string.xlsx", 0, 1),
    ("calamine/encoded_entities.xlsx", 0, 1),
    // One cell, `ABC DEF` over two lines: without headings two words with capitals are a name.
    ("calamine/has_x000D_.xlsx", 1, 0),
    ("calamine/header-row.xlsx", 0, 1),
    ("calamine/inlineStr_cdata.xlsx", 0, 1),
    ("calamine/issue444.xls", 9, 0),
    ("calamine/issue_174.xlsx", 1, 0),
    ("calamine/non_monotonic_si.xlsx", 0, 6),
    ("phpspreadsheet/issue.2463.xls", 1, 0),
    ("poi/33082.xls", 1, 0),
    // The second is the row of `@%#`: an organization of that name.
    ("poi/51626_contact.xlsx", 2, 0),
    ("poi/53282.xlsx", 1, 0),
    ("poi/55864.xlsx", 0, 0),
    ("tine/addressbook_contact_export.xlsx", 0, 2),
];

#[test]
fn workbooks_of_other_programs_hold_what_was_counted_in_them() {
    for (path, contacts, rejected) in FACTS {
        let Some(bytes) = fixture(&format!("xlsx/{path}")) else { return };
        let read = read(path, bytes);
        assert_eq!((read.drafts.len(), read.rejected.len()), (contacts, rejected), "{path}");
    }
}

#[test]
fn contact_lists_of_other_programs_are_understood() {
    let Some(bytes) = fixture("xlsx/poi/51626_contact.xlsx") else { return };
    let frank = &read("51626_contact.xlsx", bytes).drafts[0];
    assert_eq!((frank.line, frank.card.display_name().as_str()), (3, "Frank2 McKee"));
    assert_eq!(frank.card.addresses[0].postal_code.as_deref(), Some("04001"));
    assert_eq!(phones(&frank.card), ["work: 801-555-7712x4563", "work: 801-555-9999", "mobile: 999-999-5555"]);

    let Some(bytes) = fixture("xlsx/poi/33082.xls") else { return };
    let supplier = &read("33082.xls", bytes).drafts[0].card;
    assert_eq!(person(supplier).organization.as_ref().map(|o| o.name.as_str()), Some("ABC Company"));
    assert_eq!((emails(supplier), phones(supplier)), (vec!["Stacie@ABC.com"], vec!["-: 123-456-7890".to_owned()]));
    assert_eq!(supplier.custom.get("Survey Date").map(String::as_str), Some("2005-01-10"));

    let Some(bytes) = fixture("xlsx/phpspreadsheet/issue.2463.xls") else { return };
    let order = &read("issue.2463.xls", bytes).drafts[0].card;
    let streets: Vec<_> = order.addresses.iter().map(|a| (a.label.as_deref(), a.street.as_deref())).collect();
    assert_eq!(streets, [(Some("shipping"), Some("street 1")), (Some("billing"), Some("Street 1"))]);
}

#[test]
fn encrypted_and_broken_workbooks_are_refused_with_a_clear_message() {
    for (path, expected) in [
        ("pass_protected.xlsx", "pass_protected.xlsx is protected by a password; save it without one and try again"),
        ("too_small.xls", "too_small.xls is not a readable workbook"),
        ("misc_biff5_parsing.xls", "misc_biff5_parsing.xls has no visible sheet with rows in it"),
    ] {
        let Some(bytes) = fixture(&format!("xlsx/calamine/{path}")) else { return };
        let error = try_read(path, &bytes, None).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected));
    }
}
