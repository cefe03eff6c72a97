//! CSV files: what people and programs write, and what is made of it.

use contactsync::domain::contact::{Card, Kind};
use contactsync::formats::{ColumnMap, FormatError, MapError, Warning};

use crate::support::{card, cards, data, emails, fixture, person, phones, read, try_read};

fn custom(card: &Card, key: &str) -> String {
    card.custom.get(key).cloned().unwrap_or_default()
}

#[test]
fn google_labels_stars_and_groups_are_understood() {
    let cards: Vec<Card> = read("google.csv", data("google.csv")).drafts.into_iter().map(|draft| draft.card).collect();
    let ada = &cards[0];
    assert_eq!(emails(ada), ["ada@example.org", "ada@example.com", "king@example.net"]);
    let labels: Vec<_> = ada.emails.iter().map(|email| email.label.as_deref()).collect();
    assert_eq!(labels, [Some("home"), Some("work"), Some("work")]);
    assert!(ada.emails[1].primary, "the star marks the first choice");
    assert_eq!(phones(ada), ["mobile: +49 30 23125 001", "workFax: +49 30 23125 002"]);
    assert_eq!(ada.labels.iter().map(String::as_str).collect::<Vec<_>>(), ["Friends, old", "Kunden"]);
    assert_eq!(person(ada).birthday.map(|date| date.to_string()).as_deref(), Some("--05-17"));
    assert_eq!(person(ada).events[0].label.as_deref(), Some("anniversary"));
    assert_eq!(person(ada).ims[0].protocol.as_deref(), Some("jabber"));
    assert_eq!(person(ada).relations[0].value, "Charles");
    assert_eq!(ada.custom.get("Price list").map(String::as_str), Some("Retail"));
    assert_eq!(ada.addresses[0].street.as_deref(), Some("Unter den Linden 1\nHof 2"));
    assert_eq!(cards[1].kind(), Kind::Organization, "a company without a person is an organization");
}

#[test]
fn cells_with_several_values_are_taken_apart() {
    let card = card(
        "Name;E-Mail;Telefon;Tags\nAda King;\"a@example.org, B@example.org; a@example.org\";\"030 1; 030 2\";x, y;\n",
    );
    assert_eq!(emails(&card), ["a@example.org", "B@example.org"]);
    assert_eq!(phones(&card), ["-: 030 1", "-: 030 2"]);
    assert_eq!(card.labels.len(), 2);
    assert!(card.emails[0].primary && !card.emails[1].primary && card.phones[0].primary);
}

#[test]
fn values_that_do_not_fit_go_to_custom_fields() {
    let read = read(
        "x.csv",
        "Name,E-mail,Phone,Birthday,Owner,Job title,Position\n\
         Ada,ada at example,ask Charles,soon,Charles,CTO,Founder\n",
    );
    let draft = &read.drafts[0];
    for (key, value) in [
        ("E-mail", "ada at example"),
        ("Phone", "ask Charles"),
        ("Birthday", "soon"),
        ("Owner", "Charles"),
        ("Position", "Founder"),
    ] {
        assert_eq!(custom(&draft.card, key), value);
    }
    assert_eq!(draft.warnings.len(), 3);
    assert!(draft.card.emails.is_empty() && draft.card.phones.is_empty());
}

#[test]
fn dates_are_read_in_the_order_their_column_proves() {
    let birthday = |card: &Card| person(card).birthday.map(|date| date.to_string()).unwrap_or_default();
    let proven = cards("Name,Birthday\nAda,03/04/1980\nBob,25/12/1990\nEve,0.0.00\n");
    assert_eq!(proven.iter().map(birthday).collect::<Vec<_>>(), ["1980-04-03", "1990-12-25", ""]);
    let american = cards("Name,Birthday\nAda,3/4/1980\nBob,12/25/90\n");
    assert_eq!(american.iter().map(birthday).collect::<Vec<_>>(), ["1980-03-04", "1990-12-25"]);

    let unproven = read("x.csv", "Name,Birthday\nAda,03/04/1980\n");
    assert_eq!(birthday(&unproven.drafts[0].card), "");
    assert_eq!(custom(&unproven.drafts[0].card, "Birthday"), "03/04/1980");
    assert_eq!(
        unproven.drafts[0].warnings,
        [Warning::AmbiguousDate { heading: "Birthday".into(), value: "03/04/1980".into() }]
    );
}

#[test]
fn broken_rows_cost_only_themselves() {
    let read = read("x.csv", data("broken-rows.csv"));
    let names: Vec<String> = read.drafts.iter().map(|draft| draft.card.display_name()).collect();
    assert_eq!(names, ["Ada King", "Bob Short", "Cleo Extra", "Dora Last"]);
    let lines: Vec<u64> = read.drafts.iter().map(|draft| draft.line).collect();
    assert_eq!(lines, [2, 3, 4, 9]);
    let reasons: Vec<(u64, &str)> = read.rejected.iter().map(|row| (row.line, row.reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            (5, "the row has 5 cells, the header 4"),
            (6, "no name, e-mail, phone or organization"),
            (8, "a quote is opened and never closed"),
        ],
    );
    assert_eq!(read.rejected[0].raw, ["Too", "many", "cells", "in", "here"]);
}

#[test]
fn encodings_are_found_out() {
    let text = "Vorname;Nachname;Straße\nJörg;Müller;Königsallee 1\nZoë;Größ;Ährenweg 2\n";
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    for (bytes, encoding) in
        [(text.as_bytes().to_vec(), "UTF-8"), (marked, "UTF-8"), (utf16, "UTF-16LE"), (latin, "windows-1252")]
    {
        let read = read("x.csv", bytes);
        assert_eq!(read.encoding, Some(encoding));
        assert_eq!(read.drafts[0].card.display_name(), "Jörg Müller", "{encoding}");
        assert_eq!(read.drafts[1].card.addresses[0].street.as_deref(), Some("Ährenweg 2"), "{encoding}");
    }
}

#[test]
fn line_ends_nulls_and_direction_marks_do_no_harm() {
    let card = card("Name,Phone\r\r\nAda\0 King,\"\u{202d}+49 30\u{202c}\u{7} 1\"\r\r\n\r\r\n,\r\n");
    assert_eq!((card.display_name().as_str(), phones(&card)[0].as_str()), ("Ada King", "-: +49 30 1"));
}

#[test]
fn a_header_below_other_lines_is_found() {
    let card =
        card("Notes:\nThis file holds connections\n\nFirst Name,Last Name,Email Address\nAda,King,a@example.org\n");
    assert_eq!(card.display_name(), "Ada King");
}

#[test]
fn without_headings_the_cells_tell() {
    let cards = cards("Ada King,ada@example.org,+49 30 1234567,red\nBob Low,bob@example.org,030 7654321,blue\n");
    assert_eq!(cards.len(), 2);
    assert_eq!(cards[0].display_name(), "Ada King");
    assert_eq!((emails(&cards[1]), phones(&cards[1])), (vec!["bob@example.org"], vec!["-: 030 7654321".to_owned()]));
    assert_eq!(custom(&cards[0], "Column 4"), "red");
}

#[test]
fn words_in_data_make_no_header() {
    let cards = cards("Osoba,Adresa,Druh,Druh 2,Mail\nAda King,Main St 1,Home,Mobile,a@example.org\n");
    assert_eq!((cards.len(), emails(&cards[0])), (1, vec!["a@example.org"]));
}

#[test]
fn numbers_beside_known_headings_are_no_phones() {
    let card = card("Name,Kundennr.\nAda,0012345678\n");
    assert_eq!((card.phones.len(), custom(&card, "Kundennr.")), (0, "0012345678".to_owned()));
}

#[test]
fn cells_dressed_against_spreadsheets_are_read_bare() {
    let card = card("Name,Phone,Code\nAda,'+49 30 23125 001,\"=\"\"007\"\"\"\n");
    assert_eq!((phones(&card), custom(&card, "Code")), (vec!["-: +49 30 23125 001".to_owned()], "007".to_owned()));
}

#[test]
fn headings_nobody_knows_become_custom_fields_and_machine_columns_are_left_out() {
    let read =
        read("x.csv", "Person - Name,Person - ID,Person - Open deals,Person - Shoe size,Photo\nAda,7,3,38,http://x\n");
    let card = &read.drafts[0].card;
    assert_eq!(card.custom.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["Shoe size=38"]);
    let columns = read.columns.expect("a table has columns");
    let ignored: Vec<&str> = columns.ignored().map(|column| column.heading.as_str()).collect();
    assert_eq!(ignored, ["Person - ID", "Person - Open deals", "Photo"]);
    assert_eq!(columns.unknown().map(|column| column.heading.as_str()).collect::<Vec<_>>(), ["Person - Shoe size"]);
}

#[test]
fn what_a_row_tells_of_the_organization_stays_with_it() {
    let text = "Person - Name,Person - Email,Organization - Name,Organization - Address,Organization - Tax ID\n\
                Ada,a@example.org,Example GmbH,\"Main St 1, Town\",DE1\n\
                ,,Example AG,Side St 2,DE2\n\
                Bob,b@example.org,-,Lane 3,-\n";
    let read = read("x.csv", text);
    assert_eq!(read.rejected, []);
    let [ada, company, bob] = &read.drafts[..] else { panic!("three rows") };
    let about = ada.organization.as_ref().expect("more than a name");
    assert_eq!(person(&ada.card).organization.as_ref().map(|o| o.name.as_str()), Some("Example GmbH"));
    assert_eq!(about.addresses[0].street.as_deref(), Some("Main St 1, Town"));
    assert_eq!(custom(about, "Tax ID"), "DE1");
    assert!(ada.card.addresses.is_empty() && ada.card.custom.is_empty());

    assert_eq!(company.card.kind(), Kind::Organization);
    assert_eq!(company.card.addresses[0].street.as_deref(), Some("Side St 2"));
    assert_eq!(custom(&company.card, "Tax ID"), "DE2");
    assert_eq!(company.organization, None);

    assert_eq!(bob.card.addresses[0].street.as_deref(), Some("Lane 3"), "no organization to keep it with");
    assert_eq!(person(&bob.card).organization, None);
}

#[test]
fn polish_and_german_lists_are_read() {
    let polish = card(
        "Imię;Nazwisko;Firma;Komórka;Ulica;Kod pocztowy;Miasto;Kraj;Urodziny;Notatki\nŁucja;Nowak;Przykład sp. z o.o.;+48 600 000 000;Długa 1;00-001;Warszawa;Polska;17.05.1990;x\n",
    );
    assert_eq!(polish.display_name(), "Łucja Nowak");
    assert_eq!(phones(&polish), ["mobile: +48 600 000 000"]);
    assert_eq!(polish.addresses[0].postal_code.as_deref(), Some("00-001"));
    assert_eq!(person(&polish).birthday.map(|date| date.to_string()).as_deref(), Some("1990-05-17"));
    assert!(polish.custom.is_empty());
    let german =
        card("Name;Vorname;Handy;Straße;PLZ;Ort;Land;Geburtstag\nMüller;Jörg;0171 1;Weg 1;10117;Berlin;DE;1.2.80\n");
    assert_eq!(german.display_name(), "Jörg Müller");
    assert_eq!(person(&german).birthday.map(|date| date.to_string()).as_deref(), Some("1980-02-01"));
    assert!(german.custom.is_empty());
}

#[test]
fn a_file_map_decides_over_guesses() {
    let map = ColumnMap::parse(
        "map.toml",
        "[columns]\n\"Shoe size\" = \"custom.Shoes\"\nContact = \"email.work\"\nPhone = \"ignore\"\n",
    );
    let text = "Name,Contact,Phone,Shoe size\nAda,a@example.org,030 1,38\n";
    let read = try_read("x.csv", text.as_bytes(), Some(&map.expect("valid"))).expect("readable");
    let card = &read.drafts[0].card;
    assert_eq!((emails(card), card.emails[0].label.as_deref()), (vec!["a@example.org"], Some("work")));
    assert!(card.phones.is_empty());
    assert_eq!(custom(card, "Shoes"), "38");
    let wrong = ColumnMap::parse("map.toml", "[columns]\nA = \"telephone\"\n").expect_err("no such target");
    assert!(matches!(FormatError::from(wrong), FormatError::Map(MapError::Target { line: 2, .. })));
}

#[test]
fn files_without_contacts_are_refused_with_a_reason() {
    for (name, bytes, expected) in [
        ("a.csv", &b" \n"[..], "a.csv is empty"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0", "a.png is no contact file; expected CSV, XLSX, XLS or vCard"),
        ("a.vcf", b"hello", "a.vcf holds no card: there is no line BEGIN:VCARD"),
    ] {
        let error = try_read(name, bytes, None).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected));
    }
}

/// What was counted outside this project, per file: rows, e-mails, phones, persons. `None` where the count differs on
/// purpose.
///
/// - `adb_outlook2007_default_de.csv`: five cells of its phone columns hold texts such as `tel_work`; they are no
///   numbers and are kept as custom fields. Two phones are left.
/// - `google-99`: none differs; 95 e-mails and 192 phones are what the cells hold, some are doubles within a row.
/// - `importtest_outlook2013.csv`: 4 phone cells, two of which hold the same number.
/// - `out1000.csv`: the cells of line 157 stand one column too far to the left, so a street is no e-mail address and an
///   e-mail address no phone number. Both are kept as custom fields.
/// - `importtest_lxoffice2.csv`: one e-mail cell holds three addresses, another column holds the contact person's.
const FACTS: [(&str, usize, usize, usize); 26] = [
    ("civicrm/individual_unicode.csv", 1, 0, 0),
    ("civicrm/organization_multiple_duplicates_invalid.csv", 3, 2, 0),
    ("google/constellation-google.csv", 2, 2, 1),
    ("google/google-export-new.header-48.csv", 0, 0, 0),
    ("google/googlemonicasync-99.csv", 99, 95, 192),
    ("google/rolomind-google.csv", 4, 4, 3),
    ("google/tine-adb_google_import.csv", 1, 1, 1),
    ("google/tine-google_contacts.csv", 5, 1, 5),
    ("hubspot/contacts-export.en.csv", 1, 1, 1),
    ("linkedin/constellation-linkedin.csv", 2, 1, 0),
    ("linkedin/rolomind-linkedin.csv", 5, 4, 0),
    ("pipedrive/deals-export.header.en.csv", 0, 0, 0),
    ("pipedrive/import-template.header.es.csv", 0, 0, 0),
    ("pipedrive/organizations-export.header.en.csv", 0, 0, 0),
    ("pipedrive/people-export-short.en.csv", 1, 1, 1),
    ("pipedrive/sample-import.en.csv", 1, 2, 1),
    ("salesforce/contacts-report.en.csv", 10, 10, 10),
    ("tine/adb_mac_import.csv", 1, 1, 1),
    ("tine/adb_outlook2007_default_de.csv", 2, 1, 2),
    ("tine/adb_tine_import_with_tag.csv", 2, 2, 2),
    ("tine/import_duplicate_1.csv", 2, 2, 2),
    ("tine/import_duplicate_2.csv", 2, 3, 4),
    ("tine/importtest_lxoffice2.csv", 6, 4, 7),
    ("tine/importtest_outlook2013.csv", 2, 2, 3),
    ("tine/importtest_win1252.csv", 4, 4, 0),
    ("tine/out1000.csv", 1000, 1999, 5184),
];

#[test]
fn exports_of_other_programs_hold_what_was_counted_in_them() {
    for (path, rows, emails, phones) in FACTS {
        let Some(bytes) = fixture(&format!("csv/{path}")) else { return };
        let read = read(path, bytes);
        assert_eq!(read.rejected, [], "{path}");
        let cards: Vec<&Card> = read
            .drafts
            .iter()
            .flat_map(|draft| std::iter::once(&draft.card).chain(draft.organization.as_ref()))
            .collect();
        let counted = (
            read.drafts.len(),
            cards.iter().map(|card| card.emails.len()).sum::<usize>(),
            cards.iter().map(|card| card.phones.len()).sum::<usize>(),
        );
        assert_eq!(counted, (rows, emails, phones), "{path}");
    }
}

#[test]
fn exports_of_other_programs_are_read_in_their_encoding() {
    for (path, encoding, name) in [
        ("tine/import_duplicate_1.csv", "windows-1252", "Herr Dr. Jörg Heinz"),
        ("tine/importtest_win1252.csv", "windows-1252", "Peter Pan"),
        ("tine/user_import_macCentralEurope.csv", "macintosh", "Mäx Müster"),
        ("google/constellation-google.csv", "UTF-8", "Jerry Mathis"),
    ] {
        let Some(bytes) = fixture(&format!("csv/{path}")) else { return };
        let read = read(path, bytes);
        assert_eq!((read.encoding, read.drafts[0].card.display_name()), (Some(encoding), name.to_owned()), "{path}");
    }
}

#[test]
fn every_heading_of_a_contact_in_outlook_exports_is_known() {
    let Some(bytes) = fixture("csv/headers/zimbra-contact-fields.xml") else { return };
    let text = String::from_utf8(bytes).expect("UTF-8");
    let mut checked = 0;
    for format in text.split("<format ").skip(1) {
        let is_outlook = format.starts_with("name=\"outlook-2003-csv\"");
        let is_known = ["locale=\"de\"", "locale=\"pl\"", "locale=\"en_GB\""].iter().any(|l| format.contains(l));
        if !is_outlook || !is_known {
            continue;
        }
        let of_contact = |line: &&str| {
            let fields = [
                "firstName",
                "middleName",
                "lastName",
                "company",
                "jobTitle",
                "department",
                "email",
                "Phone",
                "Fax",
                "Street",
                "City",
                "State",
                "PostalCode",
                "Country",
                "birthday",
                "anniversary",
                "notes",
                "URL",
            ];
            fields.iter().any(|field| {
                line.contains("field=\"") && line.split("field=\"").nth(1).is_some_and(|f| f.contains(field))
            })
        };
        let headings: Vec<String> = format
            .lines()
            .filter(of_contact)
            .filter_map(|line| line.split("name=\"").nth(1)?.split('"').next())
            .flat_map(|names| names.split(',').map(str::to_owned))
            .collect();
        assert!(headings.len() > 40, "{headings:?}");
        let columns = read("x.csv", format!("{}\n", headings.join(","))).columns.expect("columns");
        let unknown: Vec<&str> = columns.unknown().map(|column| column.heading.as_str()).collect();
        assert_eq!(unknown, Vec::<&str>::new());
        checked += 1;
    }
    assert_eq!(checked, 3);
}
