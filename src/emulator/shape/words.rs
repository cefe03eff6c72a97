//! The texts a user sees for types and protocols.

use super::super::mask::Field;

/// The predefined types of a field; anything else is a custom type and is shown as it is written.
fn predefined(field: Field) -> &'static [&'static str] {
    match field {
        Field::EmailAddresses | Field::Addresses => &["home", "work", "other"],
        Field::PhoneNumbers => &[
            "home",
            "work",
            "mobile",
            "homeFax",
            "workFax",
            "otherFax",
            "pager",
            "workMobile",
            "workPager",
            "main",
            "googleVoice",
            "other",
        ],
        Field::Organizations => &["work", "school"],
        Field::Events => &["anniversary", "other"],
        Field::Urls => {
            &["home", "work", "blog", "profile", "homePage", "ftp", "reservations", "appInstallPage", "other"]
        }
        Field::Relations => &[
            "spouse",
            "child",
            "mother",
            "father",
            "parent",
            "brother",
            "sister",
            "friend",
            "relative",
            "domesticPartner",
            "manager",
            "assistant",
            "referredBy",
            "partner",
        ],
        Field::ImClients => &[
            "home",
            "work",
            "other",
            "aim",
            "msn",
            "yahoo",
            "skype",
            "qq",
            "googleTalk",
            "icq",
            "jabber",
            "netMeeting",
        ],
        Field::ExternalIds => &["account", "customer", "loginId", "network", "organization"],
        Field::SipAddresses => &["home", "work", "mobile", "other"],
        Field::CalendarUrls => &["home", "freeBusy", "work"],
        _ => &[],
    }
}

/// The text for a type or protocol of `field`: the predefined ones in words, custom ones verbatim.
pub fn label(field: Field, word: &str) -> String {
    match word {
        "aim" | "msn" | "qq" | "icq" if field == Field::ImClients => word.to_ascii_uppercase(),
        "netMeeting" if field == Field::ImClients => "NetMeeting".to_owned(),
        "ftp" if field == Field::Urls => "FTP".to_owned(),
        _ if predefined(field).contains(&word) => formatted(word),
        _ => word.to_owned(),
    }
}

/// `domesticPartner` as "Domestic Partner".
pub fn formatted(word: &str) -> String {
    let mut text = String::with_capacity(word.len() + 2);
    for (index, letter) in word.chars().enumerate() {
        if index == 0 {
            text.push(letter.to_ascii_uppercase());
            continue;
        }
        if letter.is_ascii_uppercase() {
            text.push(' ');
        }
        text.push(letter);
    }
    text
}
