//! vCard files of many programs, and what is made of them.

use contactsync::domain::contact::{Card, Kind};
use contactsync::formats::{Draft, Warning};

use crate::support::{data, emails, fixture, person, phones, read, try_read};

fn draft(text: &str) -> Draft {
    let mut read = read("x.vcf", text);
    assert_eq!((read.drafts.len(), read.rejected.as_slice()), (1, &[][..]), "{text}");
    read.drafts.remove(0)
}

fn card(lines: &str) -> Card {
    draft(&format!("BEGIN:VCARD\nVERSION:3.0\n{lines}\nEND:VCARD\n")).card
}

fn of_file(path: &str) -> Option<Vec<Draft>> {
    Some(read(path, fixture(&format!("vcard/{path}"))?).drafts)
}

#[test]
fn a_card_with_everything_is_understood() {
    let draft = draft(&String::from_utf8(data("apple.vcf")).expect("UTF-8"));
    let card = &draft.card;
    let ada = person(card);
    assert_eq!(card.display_name(), "Dr. Ada B. King");
    assert_eq!(ada.organization.as_ref().map(|o| o.name.as_str()), Some("Example GmbH; Berlin"));
    assert_eq!((ada.department.as_deref(), ada.job_title.as_deref()), (Some("Engines, Analysis"), Some("CTO")));
    assert_eq!(emails(card), ["ada@example.org", "king@example.net"]);
    assert!(!card.emails[0].primary && card.emails[1].primary);
    assert_eq!(phones(card), ["mobile: +49 30 23125 001", "workFax: +49 30 23125 002", "Lab: +49 30 23125 003"]);
    assert_eq!(card.addresses[0].street.as_deref(), Some("Unter den Linden 1\nHof 2"));
    assert_eq!(card.addresses[0].extended.as_deref(), Some("2nd floor, PF 12"));
    assert_eq!(ada.birthday.map(|date| date.to_string()).as_deref(), Some("--01-22"));
    let events: Vec<String> = ada.events.iter().map(|e| format!("{:?} {}", e.label, e.date)).collect();
    assert_eq!(events, ["Some(\"anniversary\") 2014-03-10", "Some(\"First engine\") --07-18"]);
    assert_eq!(ada.relations[0].label.as_deref(), Some("mother"));
    assert_eq!(ada.nicknames, ["Ada", "Countess"]);
    let ims: Vec<String> = ada.ims.iter().map(|im| format!("{:?} {}", im.protocol, im.value)).collect();
    assert_eq!(ims, ["Some(\"jabber\") ada@example.org", "Some(\"skype\") ada king"]);
    let sites: Vec<String> = card.websites.iter().map(|site| format!("{:?} {}", site.label, site.value)).collect();
    assert_eq!(sites, ["Some(\"homePage\") https://example.org", "Some(\"mastodon\") https://example.social/@ada"]);
    assert_eq!(card.labels.iter().map(String::as_str).collect::<Vec<_>>(), ["Customer", "VIP, old"]);
    assert_eq!(card.notes.as_deref(), Some("one, two;\nthree"));
    let names = vec!["X-CUSTOM1".to_owned()];
    assert_eq!(draft.warnings, [Warning::PhotosLeftOut { count: 1 }, Warning::PropertiesLeftOut { names }]);
}

#[test]
fn companies_are_organizations() {
    for lines in [
        "N:;;;;\nFN:Example GmbH\nORG:Example GmbH;\nX-ABShowAs:COMPANY\nTEL:1",
        "KIND:org\nFN:Example GmbH",
        "N:;;;;\nORG:Example GmbH\nEMAIL:info@example.org",
        "FN:Example GmbH\nORG:Example GmbH",
    ] {
        let card = card(lines);
        assert_eq!((card.kind(), card.display_name().as_str()), (Kind::Organization, "Example GmbH"), "{lines}");
    }
    let person = card("N:;;;;\nORG:Example GmbH\nTITLE:CEO\nEMAIL:ceo@example.org");
    assert_eq!(person.kind(), Kind::Person, "somebody who has a job there");
}

#[test]
fn birthdays_of_every_spelling_are_read() {
    for (property, expected) in [
        ("BDAY:1990-05-17", Some("1990-05-17")),
        ("BDAY:19900517", Some("1990-05-17")),
        ("BDAY;VALUE=date:1990-05-17", Some("1990-05-17")),
        ("BDAY:1990-05-17T00:00:00Z", Some("1990-05-17")),
        ("BDAY:20190210T000033", Some("2019-02-10")),
        ("BDAY:--0517", Some("--05-17")),
        ("BDAY:--05-17", Some("--05-17")),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-05-17", Some("--05-17")),
        ("BDAY;X-APPLE-OMIT-YEAR=2000:2000-05-17", Some("--05-17")),
        ("BDAY:1604-05-17", Some("--05-17")),
        ("BDAY;VALUE=text:circa 1800", None),
        ("BDAY:1990", None),
    ] {
        let card = card(&format!("FN:Ada\n{property}"));
        assert_eq!(person(&card).birthday.map(|date| date.to_string()).as_deref(), expected, "{property}");
        assert_eq!(card.custom.contains_key("Birthday"), expected.is_none(), "{property}: no text is lost");
    }
}

#[test]
fn text_of_old_phones_is_decoded() {
    for (lines, name) in [
        ("N;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg", "Jörg Müller"),
        ("N;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg", "Jörg Müller"),
        ("N;CHARSET=ISO-8859-2;ENCODING=QUOTED-PRINTABLE:=A3ucja;", "Łucja"),
        ("N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=\nM=C3=BCller;=\nJ=C3=B6rg", "Jörg Müller"),
    ] {
        assert_eq!(card(lines).display_name(), name, "{lines}");
    }
}

#[test]
fn groups_and_nameless_cards_are_rejected_with_their_text() {
    let text = "BEGIN:VCARD\nKIND:group\nFN:Friends\nMEMBER:urn:uuid:1\nEND:VCARD\n\
                BEGIN:VCARD\nNOTE:lonely\nEND:VCARD\nBEGIN:VCARD\nFN:Ada\nEND:VCARD\n";
    let read = read("x.vcf", text);
    let reasons: Vec<(u64, &str)> = read.rejected.iter().map(|card| (card.line, card.reason.as_str())).collect();
    assert_eq!(reasons, [(1, "a group of contacts is no contact"), (6, "no name, e-mail, phone or organization")]);
    assert_eq!(read.rejected[1].raw, ["BEGIN:VCARD\nNOTE:lonely\nEND:VCARD\n"]);
    assert_eq!(read.drafts[0].line, 9);
}

/// Cards, phones, e-mails and addresses of each file, as counted outside this project from its lines. The files where
/// we differ on purpose are in [`DIFFERENCES`].
const FACTS: [(&str, usize, usize, usize, usize); 82] = [
    ("aosp/v21_adr_multiple_line.vcf", 1, 0, 0, 2),
    ("aosp/v21_android_custom_prop.vcf", 1, 0, 0, 0),
    ("aosp/v21_backslash.vcf", 1, 0, 0, 0),
    ("aosp/v21_base64_no_2_crlf.vcf", 1, 0, 0, 0),
    ("aosp/v21_blackberry_photo.vcf", 1, 2, 1, 0),
    ("aosp/v21_complicated.vcf", 1, 5, 2, 2),
    ("aosp/v21_invalid_comment_line.vcf", 1, 0, 0, 0),
    ("aosp/v21_invalid_multiple_line.vcf", 1, 0, 1, 0),
    ("aosp/v21_japanese_1.vcf", 1, 1, 0, 0),
    ("aosp/v21_japanese_2.vcf", 1, 0, 0, 1),
    ("aosp/v21_malformed_photo.vcf", 1, 0, 0, 0),
    ("aosp/v21_multiple_entry.vcf", 3, 12, 0, 0),
    ("aosp/v21_nest.vcf", 3, 1, 0, 0),
    ("aosp/v21_pref_handling.vcf", 1, 3, 2, 0),
    ("aosp/v21_sip.vcf", 1, 0, 0, 0),
    ("aosp/v21_winmo_65.vcf", 1, 0, 0, 0),
    ("aosp/v21_x_param.vcf", 1, 2, 2, 1),
    ("aosp/v30_comma_separated.vcf", 1, 1, 0, 0),
    ("aosp/v30_ios_613_multiline.vcf", 1, 1, 1, 0),
    ("aosp/v30_japanese.vcf", 1, 0, 0, 0),
    ("aosp/v30_multibyte_param.vcf", 1, 1, 0, 0),
    ("aosp/v30_pager.vcf", 1, 1, 0, 0),
    ("aosp/v30_pause_wait.vcf", 1, 1, 0, 0),
    ("aosp/v30_simple.vcf", 1, 1, 0, 0),
    ("aosp/v40_sip.vcf", 1, 2, 0, 0),
    ("aosp/v40_sort_as.vcf", 1, 0, 0, 0),
    ("calcard/004.vcf", 3, 3, 3, 2),
    ("calcard/006.vcf", 1, 3, 2, 1),
    ("calcard/007.vcf", 1, 2, 1, 2),
    ("calcard/009.vcf", 10, 5, 4, 2),
    ("calcard/010.vcf", 1, 1, 0, 1),
    ("calcard/048.vcf", 1, 1, 3, 1),
    ("calcard/051.vcf", 1, 4, 2, 2),
    ("calcard/056.vcf", 1, 0, 1, 0),
    ("calcard/057.vcf", 1, 1, 1, 0),
    ("calcard/064.vcf", 1, 1, 1, 1),
    ("calcard/066.vcf", 1, 9, 4, 2),
    ("calcard/074.vcf", 1, 0, 2, 0),
    ("calcard/077.vcf", 1, 0, 1, 0),
    ("caldavtester-errors/1.vcf", 1, 2, 1, 1),
    ("caldavtester-errors/2.vcf", 1, 3, 1, 1),
    ("caldavtester-errors/3.vcf", 1, 2, 1, 1),
    ("caldavtester-errors/5.vcf", 1, 2, 1, 1),
    ("caldavtester-errors/6.vcf", 1, 3, 0, 1),
    ("caldavtester-errors/7.vcf", 1, 2, 1, 1),
    ("caldavtester-errors/8.vcf", 1, 2, 1, 1),
    ("evolution/1.vcf", 1, 2, 2, 1),
    ("evolution/10.vcf", 1, 2, 0, 1),
    ("evolution/12.vcf", 1, 3, 1, 1),
    ("evolution/13.vcf", 1, 2, 2, 2),
    ("evolution/9.vcf", 1, 2, 0, 1),
    ("ez-vcard/John_Doe_BLACK_BERRY.vcf", 1, 1, 0, 0),
    ("ez-vcard/John_Doe_EVOLUTION.vcf", 1, 2, 1, 1),
    ("ez-vcard/John_Doe_GMAIL.vcf", 1, 2, 1, 1),
    ("ez-vcard/John_Doe_IPHONE.vcf", 1, 7, 1, 2),
    ("ez-vcard/John_Doe_LOTUS_NOTES.vcf", 1, 2, 2, 1),
    ("ez-vcard/John_Doe_MAC_ADDRESS_BOOK.vcf", 1, 7, 1, 2),
    ("ez-vcard/John_Doe_MS_OUTLOOK.vcf", 1, 2, 1, 2),
    ("ez-vcard/fullcontact.vcf", 1, 9, 5, 4),
    ("ez-vcard/gmail-list.vcf", 3, 0, 3, 0),
    ("ez-vcard/gmail-single.vcf", 1, 2, 1, 2),
    ("ez-vcard/gmail-single2.vcf", 1, 11, 5, 5),
    ("ez-vcard/issue114.vcf", 1, 2, 1, 1),
    ("ez-vcard/outlook-2003.vcf", 1, 4, 1, 1),
    ("ez-vcard/outlook-2007.vcf", 1, 4, 1, 1),
    ("ez-vcard/rfc2426-example.vcf", 2, 4, 3, 2),
    ("ez-vcard/rfc6350-example.vcf", 1, 2, 1, 1),
    ("ez-vcard/thunderbird-MoreFunctionsForAddressBook-extension.vcf", 1, 5, 5, 2),
    ("nametag/apple-vcard-example.vcf", 1, 3, 2, 2),
    ("nametag/google-vcard-example.vcf", 1, 3, 2, 2),
    ("nametag/v4-contact.vcf", 1, 2, 2, 2),
    ("nextcloud/forrest-gump.vcf", 1, 0, 1, 0),
    ("nextcloud/without-uid.vcf", 1, 0, 1, 0),
    ("sabre/issue153.vcf", 1, 0, 0, 0),
    ("sabre/issue64.vcf", 1, 0, 0, 0),
    ("tine/WebDAVCollaborator.vcf", 1, 4, 3, 2),
    ("tine/contactUmlaut.vcf", 1, 0, 1, 1),
    ("tine/emclient_addressbook.vcf", 1, 6, 2, 2),
    ("tine/ios_5_addressbook.vcf", 1, 9, 3, 2),
    ("tine/sogo_connector.vcf", 1, 5, 2, 2),
    ("tine/without_N_property.vcf", 1, 0, 1, 1),
    ("tine/without_adr_type.vcf", 1, 5, 2, 1),
];

/// The same where we differ, with the reason.
const DIFFERENCES: [(&str, usize, usize, usize, usize, &str); 8] = [
    ("aosp/v21_android_custom_prop.vcf", 1, 0, 0, 0, "the card is rejected: nobody could be known by it"),
    ("sabre/issue64.vcf", 1, 0, 0, 0, "the card is rejected: nothing but a photo"),
    ("calcard/059.vcf", 1, 3, 1, 0, "two of four phones are one number"),
    ("calcard/060.vcf", 1, 1, 2, 0, "all five phones are one number"),
    ("evolution/5.vcf", 1, 1, 1, 1, "all four phones are one text"),
    ("ez-vcard/John_Doe_ANDROID.vcf", 6, 7, 4, 0, "one number occurs three times; one e-mail is no address"),
    ("tine/mac_os_x_addressbook.vcf", 1, 9, 2, 3, "one phone occurs twice; two e-mails are no addresses"),
    ("tine/rcube_contacts-3.vcf", 2, 0, 3, 0, "the name of one is an e-mail address of its own"),
];

#[test]
fn files_of_other_programs_hold_what_was_counted_in_them() {
    let facts = FACTS.iter().map(|&(path, cards, phones, emails, addresses)| (path, cards, phones, emails, addresses));
    let differences = DIFFERENCES.iter().map(|&(path, c, p, e, a, _)| (path, c, p, e, a));
    for (path, cards, phones, emails, addresses) in facts.chain(differences) {
        let Some(bytes) = fixture(&format!("vcard/{path}")) else { return };
        let read = read(path, bytes);
        let sum = |count: fn(&Card) -> usize| read.drafts.iter().map(|draft| count(&draft.card)).sum::<usize>();
        let counted = (
            read.drafts.len() + read.rejected.len(),
            sum(|card| card.phones.len()),
            sum(|card| card.emails.len()),
            sum(|card| card.addresses.len()),
        );
        assert_eq!(counted, (cards, phones, emails, addresses), "{path}");
    }
}

#[test]
fn a_file_without_a_line_that_begins_a_card_is_refused() {
    let Some(bytes) = fixture("vcard/caldavtester-errors/4.vcf") else { return };
    let error = try_read("4.vcf", &bytes, None).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("4.vcf holds no card: there is no line BEGIN:VCARD"));
}

#[test]
fn every_vcard_fixture_is_checked() {
    let Some(folder) = crate::support::fixtures() else { return };
    let mut found = Vec::new();
    for maker in std::fs::read_dir(folder.join("vcard")).expect("a folder").flatten() {
        for file in std::fs::read_dir(maker.path()).expect("a folder").flatten() {
            let (maker, file) = (maker.file_name(), file.file_name());
            found.push(format!("{}/{}", maker.to_string_lossy(), file.to_string_lossy()));
        }
    }
    let known: Vec<&str> = FACTS.iter().map(|fact| fact.0).chain(DIFFERENCES.iter().map(|fact| fact.0)).collect();
    found.retain(|path| !known.contains(&path.as_str()));
    assert_eq!(found, ["caldavtester-errors/4.vcf"], "it has a test of its own");
}

#[test]
fn names_of_other_programs_are_decoded() {
    for (path, names) in [
        ("aosp/v21_japanese_1.vcf", &["安藤ロイド"][..]),
        ("aosp/v30_japanese.vcf", &["圭一 伊予 伊能"]),
        ("aosp/v21_multiple_entry.vcf", &["安藤ロイド3", "安藤ロイド4", "安藤ロイド5"]),
        ("aosp/v21_nest.vcf", &["parent", "nest1", "nest2"]),
        ("aosp/v21_complicated.vcf", &["Pos Forrest Hoge Gump Tao"]),
        ("calcard/004.vcf", &["Derik Stenerson", "Anik Ganguly", "Robert Moskowitz"]),
        ("calcard/077.vcf", &["{NAME}"]),
        ("evolution/12.vcf", &["Michael Brüning"]),
        ("evolution/5.vcf", &["十城目管理大型知座"]),
        ("caldavtester-errors/8.vcf", &["HiAscii Śuterry"]),
        ("tine/contactUmlaut.vcf", &["Hans Müller"]),
        ("tine/rcube_contacts-3.vcf", &["some.one@mytine.de", "der der"]),
        ("ez-vcard/John_Doe_IPHONE.vcf", &["Mr. John Richter James Doe Sr."]),
    ] {
        let Some(drafts) = of_file(path) else { return };
        let read: Vec<String> = drafts.iter().map(|draft| draft.card.display_name()).collect();
        assert_eq!(read, names, "{path}");
    }
}

#[test]
fn the_same_person_from_google_and_apple_has_the_same_data() {
    let (Some(google), Some(apple)) =
        (of_file("nametag/google-vcard-example.vcf"), of_file("nametag/apple-vcard-example.vcf"))
    else {
        return;
    };
    let sorted = |card: &Card| {
        let mut phones = phones(card);
        phones.sort();
        phones
    };
    assert_eq!(sorted(&google[0].card), sorted(&apple[0].card), "direction marks are gone");
    for card in [&google[0].card, &apple[0].card] {
        assert_eq!(person(card).birthday.map(|date| date.to_string()).as_deref(), Some("--01-22"));
        assert!(person(card).events.iter().any(|event| event.date.to_string() == "2014-03-10"));
        assert!(card.labels.is_empty(), "Google's group of all contacts is no label");
    }
}
