//! What holds for every normal form, tried on arbitrary texts and on cards.

use proptest::prelude::*;

use crate::domain::contact::Card;
use crate::domain::diff::changed_fields;
use crate::domain::digest::Digest;
use crate::domain::generate::{card, config, respelled, scene};

use super::{
    card as normal_card, composed, email_key, fold, folded, label, name_key, phone_key, protocol, text, url_key,
};

/// Any text, and texts that look like what people type into the fields of a contact.
fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,12}",
        "[+0]{0,3}[0-9 ()./-]{0,14}(ext|x|,|;ext=|#)?[ .]{0,2}[0-9]{0,4}",
        "[a-zA-ZäÄßİı.+]{0,6}@[a-zA-ZüÜ.-]{0,8}",
        "([hH][tT][tT][pP][sS]?://)?[a-zA-Zü.]{0,8}(:[0-9]{0,4}){0,2}[/?#]?[a-zA-Z/]{0,4}",
        "[ \\t\\r\\n\u{a0}\u{200b}\u{202d}\u{301}\u{345}aüÜßﬁ²ΣςÅ\u{1100}\u{1161}]{0,8}",
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn normal_forms_of_texts_are_normal(raw in typed()) {
        for normal in [text, fold, email_key, phone_key, url_key] {
            let once = normal(&raw);
            prop_assert_eq!(normal(&once), once.clone(), "{:?}", raw);
            prop_assert_eq!(once.trim(), once.as_str());
        }
        for normal in [label, protocol] {
            let once = normal(Some(&raw));
            prop_assert_eq!(normal(once.as_deref()), once.clone());
        }
    }

    #[test]
    fn normal_forms_do_not_tell_compositions_apart(raw in typed()) {
        use unicode_normalization::UnicodeNormalization;
        let decomposed: String = raw.nfd().collect();
        for normal in [text, fold, email_key, phone_key, url_key] {
            prop_assert_eq!(normal(&decomposed), normal(&raw), "{:?}", raw);
        }
    }

    #[test]
    fn the_short_way_of_plain_texts_is_the_long_way(raw in "[\\x00-\\x7f]{0,16}") {
        let long = composed(&raw);
        prop_assert_eq!(text(&raw), long.trim());
        prop_assert_eq!(fold(&raw), folded(&text(&raw)));
    }

    #[test]
    fn folding_ignores_case(raw in "[a-zA-ZäÄöÖßéÉłŁøØçÇñÑ ]{0,12}") {
        prop_assert_eq!(fold(&raw.to_uppercase()), fold(&raw));
        prop_assert_eq!(fold(&raw.to_lowercase()), fold(&raw));
    }

    #[test]
    fn the_normal_form_of_a_card_is_normal(card in card()) {
        let once = normal_card(&card);
        prop_assert_eq!(normal_card(&once), once);
    }

    #[test]
    fn order_and_spelling_have_no_meaning(card in card()) {
        let other = respelled(&card);
        prop_assert_eq!(normal_card(&other), normal_card(&card));
        prop_assert_eq!(Digest::of_card(&other), Digest::of_card(&card));
        prop_assert_eq!(name_key(&other), name_key(&card));
        prop_assert!(changed_fields(&card, &other).is_empty());
    }

    #[test]
    fn cards_differ_in_a_field_exactly_when_their_digests_differ(scene in scene()) {
        let changed = changed_fields(&scene.store, &scene.remote);
        prop_assert_eq!(&changed, &changed_fields(&scene.remote, &scene.store));
        prop_assert_eq!(changed.is_empty(), Digest::of_card(&scene.store) == Digest::of_card(&scene.remote));
        prop_assert_eq!(changed.is_empty(), normal_card(&scene.store) == normal_card(&scene.remote));
    }
}

#[test]
fn nothing_empty_is_left_in_a_normal_card() {
    let mut person = Card::person();
    person.notes = Some(" \r\n".into());
    person.owner = Some(" ".into());
    person.labels.insert(" ".into());
    person.custom.insert("Price list".into(), " ".into());
    assert_eq!(normal_card(&person), Card::person());
}
