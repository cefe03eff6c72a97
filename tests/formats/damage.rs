//! Files that are damaged, cut off, or no contact files at all: they may be refused or read in part, but never end
//! the process, and a vCard or CSV file never loses a good card to a bad neighbour.

use contactsync::domain::contact::Card;
use contactsync::formats::{ExportRecord, Separator, write_csv, write_vcard, write_xlsx};
use proptest::prelude::*;

use crate::support::{data, fixture, read, try_read};

const NAMES: [&str; 5] = ["x.csv", "x.xlsx", "x.xls", "x.vcf", "x"];

/// Small files of every format, of ours and, where they are, of others.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples =
        vec![("x.csv", data("google.csv")), ("x.csv", data("broken-rows.csv")), ("x.vcf", data("apple.vcf"))];
    let record = || {
        let mut card = Card::organization("Example GmbH");
        card.notes = Some("one\ntwo".into());
        [ExportRecord { json: serde_json::json!({}), card }]
    };
    let mut bytes = [Vec::new(), Vec::new(), Vec::new()];
    write_csv(&mut bytes[0], record(), Separator::Comma).expect("memory");
    write_xlsx(&mut bytes[1], record()).expect("memory");
    write_vcard(&mut bytes[2], record()).expect("memory");
    samples.extend(["x.csv", "x.xlsx", "x.vcf"].into_iter().zip(bytes));
    let others = [
        ("x.xls", "xlsx/calamine/date_1904.xls"),
        ("x.xls", "xlsx/calamine/biff5_write.xls"),
        ("x.xls", "xlsx/poi/33082.xls"),
        ("x.xlsx", "xlsx/calamine/whitespace_trim.xlsx"),
        ("x.xlsx", "xlsx/calamine/pass_protected.xlsx"),
        ("x.vcf", "vcard/aosp/v21_japanese_2.vcf"),
        ("x.vcf", "vcard/evolution/12.vcf"),
        ("x.vcf", "vcard/calcard/048.vcf"),
        ("x.csv", "csv/tine/importtest_outlook2013.csv"),
    ];
    samples.extend(others.into_iter().filter_map(|(name, path)| Some((name, fixture(path)?))));
    samples
}

/// One way to damage a file: change a byte, cut the end off, take a piece out, put a piece in.
#[derive(Debug, Clone)]
enum Damage {
    Change(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let at = any::<prop::sample::Index>;
    let one = prop_oneof![
        6 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
        1 => at().prop_map(Damage::Cut),
        1 => (at(), 1_usize..64).prop_map(|(at, length)| Damage::Remove(at, length)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..16)).prop_map(|(at, piece)| Damage::Insert(at, piece)),
    ];
    prop::collection::vec(one, 1..8)
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        match damage {
            Damage::Change(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Remove(at, length) => {
                let from = at.index(bytes.len());
                let until = bytes.len().min(from + length);
                bytes.drain(from..until);
            }
            Damage::Insert(at, piece) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for name in NAMES {
            let _ = try_read(name, &bytes, None);
        }
    }

    #[test]
    fn random_text_never_ends_the_process(text in "([A-Za-zß0-9@+.;:,=\"'\\\\\t -]{0,12}[\n\r]?){0,30}") {
        for name in NAMES {
            let _ = try_read(name, text.as_bytes(), None);
        }
        let card = format!("BEGIN:VCARD\n{text}\nEND:VCARD\n");
        let _ = try_read("x.vcf", card.as_bytes(), None);
    }

    #[test]
    fn damaged_files_never_end_the_process(which in any::<prop::sample::Index>(), damages in damages()) {
        let samples = samples();
        let (name, bytes) = &samples[which.index(samples.len())];
        let _ = try_read(name, &damaged(bytes.clone(), &damages), None);
    }

    #[test]
    fn a_bad_card_costs_no_good_one(rubbish in "[A-Za-z;:=\\\\\" ,.]{0,40}") {
        let text = format!("BEGIN:VCARD\nFN:One\nEND:VCARD\nBEGIN:VCARD\nFN:Two\nX-{rubbish}\nEND:VCARD\nBEGIN:VCARD\nFN:Three\nEND:VCARD\n");
        let names: Vec<String> = read("x.vcf", text).drafts.iter().map(|draft| draft.card.display_name()).collect();
        prop_assert!(names.contains(&"One".to_owned()) && names.contains(&"Three".to_owned()), "{:?}", names);
    }
}

#[test]
fn a_file_of_unclosed_quotes_is_read_in_time() {
    let text = format!("Name,Phone\n{}Ada,1\n", "\"x,\"\"\n".repeat(20_000));
    let read = read("x.csv", text);
    assert!(!read.rejected.is_empty());
}

#[test]
fn deeply_nested_cards_are_read_in_time() {
    let depth = 20_000;
    let text = format!("{}FN:Ada\n{}", "BEGIN:VCARD\n".repeat(depth), "END:VCARD\n".repeat(depth));
    let read = read("x.vcf", text);
    assert_eq!((read.drafts.len(), read.rejected.len()), (1, depth - 1));
}
