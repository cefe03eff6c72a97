//! Labels of e-mails, phones and the like: the many spellings of `work` become one.
//!
//! The words that both our store and Google know (`work`, `home`, `mobile`, `workFax`, `spouse`, ...) are kept in
//! Google's spelling, so that a file and the account it came from agree. Any other text is kept as written.

use super::clean;

/// Every predefined label with the spellings that mean it, in lower case.
const SPELLINGS: [(&str, &[&str]); 46] = [
    ("work", &["work", "business", "office", "arbeit", "geschäftlich", "dienstlich", "praca", "służbowy", "służbowe"]),
    ("home", &["home", "private", "personal", "privat", "zuhause", "dom", "domowy", "prywatny"]),
    ("other", &["other", "andere", "sonstige", "sonstiges", "weitere", "inny", "inne"]),
    ("mobile", &["mobile", "cell", "cell phone", "mobile phone", "mobil", "handy", "iphone", "komórka", "komórkowy"]),
    ("main", &["main", "primary", "main-number", "haupt", "hauptnummer", "główny"]),
    ("pager", &["pager"]),
    ("fax", &["fax", "faks"]),
    (
        "workFax",
        &["work fax", "business fax", "fax (work)", "workfax", "work_fax", "fax geschäftlich", "faks służbowy"],
    ),
    ("homeFax", &["home fax", "fax (home)", "homefax", "home_fax", "fax privat", "faks domowy"]),
    ("otherFax", &["other fax", "otherfax", "other_fax"]),
    ("workMobile", &["work mobile", "workmobile", "work_mobile", "work cell"]),
    ("workPager", &["work pager", "workpager"]),
    ("googleVoice", &["google voice", "googlevoice", "grand_central"]),
    ("school", &["school"]),
    ("homePage", &["home page", "homepage", "home-page"]),
    ("blog", &["blog", "weblog"]),
    ("profile", &["profile", "profil"]),
    ("ftp", &["ftp"]),
    ("anniversary", &["anniversary", "jahrestag", "hochzeitstag", "rocznica"]),
    ("spouse", &["spouse", "wife", "husband", "ehepartner", "ehefrau", "ehemann", "współmałżonek"]),
    ("child", &["child", "kind", "dziecko"]),
    ("mother", &["mother", "mutter", "matka"]),
    ("father", &["father", "vater", "ojciec"]),
    ("parent", &["parent"]),
    ("brother", &["brother", "bruder", "brat"]),
    ("sister", &["sister", "schwester", "siostra"]),
    ("friend", &["friend", "freund", "freundin", "przyjaciel"]),
    ("relative", &["relative", "kin"]),
    ("domesticPartner", &["domestic partner", "domesticpartner"]),
    ("partner", &["partner"]),
    ("manager", &["manager", "vorgesetzter", "menedżer", "boss"]),
    ("assistant", &["assistant", "assistent", "assistentin", "asystent"]),
    ("referredBy", &["referred by", "referredby", "empfohlen von"]),
    ("colleague", &["colleague", "co-worker"]),
    ("aim", &["aim"]),
    ("msn", &["msn", "windows live", "live messenger"]),
    ("yahoo", &["yahoo", "yahoo!"]),
    ("skype", &["skype", "skype-username"]),
    ("qq", &["qq"]),
    ("googleTalk", &["google talk", "googletalk", "google-talk", "gtalk", "google_talk", "hangouts"]),
    ("icq", &["icq"]),
    ("jabber", &["jabber", "xmpp"]),
    ("netMeeting", &["netmeeting"]),
    ("sip", &["sip"]),
    ("car", &["car", "auto"]),
    ("callback", &["callback"]),
];

/// A label with what its source says about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Label {
    pub(super) text: Option<String>,
    /// Google's old export marks the first choice with a star: `* Work`.
    pub(super) is_primary: bool,
}

/// Reads the cell of a label column: `Work`, `* Home`, `Mobil`, `Private number`.
pub(super) fn read(cell: &str) -> Label {
    let cell = clean::line(cell);
    match cell.strip_prefix('*') {
        Some(starred) => Label { text: canonical(starred), is_primary: true },
        None => Label { text: canonical(&cell), is_primary: false },
    }
}

/// The label in the spelling we keep; `None` when there is none.
pub(super) fn canonical(text: &str) -> Option<String> {
    let text = clean::line(text);
    // Apple's marks around labels that its programs translate.
    let bare = text.strip_prefix("_$!<").and_then(|rest| rest.strip_suffix(">!$_")).unwrap_or(&text);
    let lower = bare.to_lowercase();
    let known = SPELLINGS
        .iter()
        .find(|(label, spellings)| label.eq_ignore_ascii_case(&lower) || spellings.contains(&lower.as_str()))
        .map(|(label, _)| (*label).to_owned());
    known.or_else(|| clean::some(bare.to_owned()))
}

/// The label of a phone that is a fax or mobile at a place.
pub(super) fn phone_label(device: Option<&str>, place: Option<&str>) -> Option<String> {
    let label = match (device, place) {
        (Some("fax"), Some("work")) => "workFax",
        (Some("fax"), Some("home")) => "homeFax",
        (Some("fax"), Some("other")) => "otherFax",
        (Some("mobile"), Some("work")) => "workMobile",
        (Some("pager"), Some("work")) => "workPager",
        (Some(device), _) => device,
        (None, Some(place)) => place,
        (None, None) => return None,
    };
    Some(label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_label_become_one() {
        for (text, expected) in [
            ("Work", "work"),
            ("_$!<Home>!$_", "home"),
            ("Cell", "mobile"),
            ("Work Fax", "workFax"),
            ("workFax", "workFax"),
            ("Arbeit", "work"),
            ("Sales desk", "Sales desk"),
            ("_$!<Lake>!$_", "Lake"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(canonical("  "), None);
    }

    #[test]
    fn a_star_marks_the_first_choice() {
        assert_eq!(read("* Work"), Label { text: Some("work".into()), is_primary: true });
        assert_eq!(read("*"), Label { text: None, is_primary: true });
    }

    #[test]
    fn no_spelling_means_two_labels() {
        let mut seen = std::collections::BTreeMap::new();
        for (label, spellings) in SPELLINGS {
            for spelling in spellings {
                assert_eq!(spelling.to_lowercase(), **spelling, "spellings are written in lower case");
                assert_eq!(seen.insert(*spelling, label), None, "{spelling}");
            }
        }
    }
}
