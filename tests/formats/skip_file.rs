//! What could not be used, written out to be mended and imported again.

use contactsync::formats::write_skip_file;

use crate::support::{data, emails, read};

#[test]
fn mended_rows_are_imported_like_the_others() {
    let first = read("x.csv", data("broken-rows.csv"));
    let mut skipped = Vec::new();
    write_skip_file(&mut skipped, first.columns.as_ref(), &first.rejected).expect("memory takes everything");
    let text = String::from_utf8(skipped).expect("UTF-8");
    assert!(text.starts_with("Name,E-mail,Phone,Note,,Rejected line,Rejected because\n"), "{text}");
    assert!(text.contains("Too,many,cells,in,here,5,\"the row has 5 cells, the header 4\"\n"), "{text}");
    assert!(text.contains("\"\"\"open,quote@example.org,\",,,,,8,a quote is opened and never closed\n"), "{text}");

    let mended = text.replace("-,,-,nobody", "Emil,emil@example.org,-,nobody");
    let second = read("mended.csv", mended);
    let emil = second.drafts.iter().find(|draft| draft.card.display_name() == "Emil").expect("mended");
    assert_eq!((emails(&emil.card), emil.card.custom.len()), (vec!["emil@example.org"], 0), "reasons are no data");
}

#[test]
fn rejected_cards_carry_their_reason_and_can_be_read_again() {
    let first = read("x.vcf", "BEGIN:VCARD\nVERSION:3.0\nNOTE:lonely\nEND:VCARD\n");
    let mut skipped = Vec::new();
    write_skip_file(&mut skipped, None, &first.rejected).expect("memory takes everything");
    let text = String::from_utf8(skipped).expect("UTF-8");
    assert_eq!(
        text,
        "BEGIN:VCARD\nX-CONTACTSYNC-REASON:line 1: no name\\, e-mail\\, phone or organization\n\
         VERSION:3.0\nNOTE:lonely\nEND:VCARD\n",
    );
    let mended = read("x.vcf", text.replace("NOTE:", "FN:Ada\nNOTE:"));
    assert_eq!((mended.drafts[0].card.display_name().as_str(), mended.drafts[0].warnings.len()), ("Ada", 0));
}
