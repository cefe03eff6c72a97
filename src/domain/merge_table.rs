//! Merges by example. A card is written as words: `given=Ada tel=030_1234567~home*` is a person with a given name and
//! a phone (`_` is a blank, `~home` the label, `*` the primary flag); `company=…` makes it an organization.

use std::collections::BTreeSet;

use super::contact::{Address, Card, Email, Event, Im, OrganizationRef, Person, Phone, Photo, Relation, Website};
use super::field::Field;
use super::merge::{Merged, Rules, three_way};
use super::normal;
use super::policy::Winner;

const WINNERS: [Winner; 3] = [Winner::Store, Winner::Remote, Winner::Hold];

/// Description, base, ours, theirs, expected: nobody has to decide anything.
#[rustfmt::skip]
const AGREEMENTS: &[[&str; 5]] = &[
    // Single values.
    ["nothing changed", "notes=a", "notes=a", "notes=a", "notes=a"],
    ["changed here", "notes=a", "notes=b", "notes=a", "notes=b"],
    ["changed there", "notes=a", "notes=a", "notes=b", "notes=b"],
    ["filled there", "", "", "notes=b", "notes=b"],
    ["changed to the same on both sides", "notes=a", "notes=b", "notes=b", "notes=b"],
    ["changed to the same in two spellings: ours stays", "job=a", "job=Zu\u{308}rich", "job=Zürich_", "job=Zu\u{308}rich"],
    ["cleared there", "notes=a", "notes=a", "", ""],
    ["cleared here", "notes=a", "", "notes=a", ""],
    ["cleared on both sides", "notes=a", "", "notes=_", ""],
    ["a blank is as good as nothing", "", "", "notes=_", ""],
    ["cleared with a blank there", "notes=a", "notes=a", "notes=_", "notes=_"],
    ["other fields on each side", "notes=a job=x", "notes=b job=x", "notes=a job=y", "notes=b job=y"],
    ["line ends are no change", "notes=a\nb", "notes=c", "notes=a\r\nb", "notes=c"],
    ["a trailing no-break space is no change", "notes=a", "notes=c", "notes=a\u{a0}", "notes=c"],
    ["composition is no change", "dept=Zürich", "dept=x", "dept=Zu\u{308}rich", "dept=x"],
    ["compatibility characters are a change", "notes=1", "notes=1", "notes=①", "notes=①"],
    ["a selector of emoji variants is a change", "notes=❤", "notes=❤", "notes=❤\u{fe0f}", "notes=❤\u{fe0f}"],
    // Names.
    ["each side fills another part of the name", "given=Ada", "given=Ada prefix=Dr.", "given=Ada family=King", "prefix=Dr. given=Ada family=King"],
    ["one part cleared there, another changed here", "given=Ada middle=B. family=King", "given=Eda middle=B. family=King", "given=Ada family=King", "given=Eda family=King"],
    ["the name of an organization changed there", "company=Old", "company=Old industry=Toys", "company=New", "company=New industry=Toys"],
    // Dates: one value, no arithmetic.
    ["the year of a birthday becomes known there", "born=--05-17", "born=--05-17", "born=1990-05-17", "born=1990-05-17"],
    ["29 February without a year is a birthday", "", "notes=a", "born=--02-29", "notes=a born=--02-29"],
    ["the year is taken away there", "born=1990-05-17", "born=1990-05-17 notes=a", "born=--05-17", "born=--05-17 notes=a"],
    // The organization of a person, by name.
    ["moved to another organization there", "org=Old", "org=Old", "org=New", "org=New"],
    ["left the organization there", "org=Old", "org=Old", "", ""],
    ["a blank behind the organization is no change", "org=Old", "org=New", "org=Old_", "org=New"],
    // Custom fields and labels.
    ["custom fields are fields of their own", "custom.a=1 custom.b=1", "custom.a=2 custom.b=1", "custom.a=1 custom.b=2 custom.c=1", "custom.a=2 custom.b=2 custom.c=1"],
    ["a custom field removed there", "custom.a=1 custom.b=1", "custom.a=1 custom.b=2", "custom.b=1", "custom.b=2"],
    ["a custom key in another composition is the same key", "custom.Zürich=1", "custom.Zürich=1", "custom.Zu\u{308}rich=2", "custom.Zu\u{308}rich=2"],
    ["labels of both sides come and go", "label=a label=b label=c", "label=b label=c label=d", "label=a label=b label=e", "label=b label=d label=e"],
    ["a label removed on both sides", "label=a", "", "", ""],
    ["the same label added on both sides", "", "label=a", "label=a", "label=a"],
    // Items of sets.
    ["added there", "tel=1", "tel=1", "tel=1 tel=2", "tel=1 tel=2"],
    ["added on both sides: ours first", "tel=1", "tel=1 tel=3", "tel=1 tel=2", "tel=1 tel=3 tel=2"],
    ["the same added on both sides in two spellings", "", "tel=+49_30_1234567", "tel=0049301234567", "tel=+49_30_1234567"],
    ["added on both sides, labelled there", "", "tel=1", "tel=1~home", "tel=1~home"],
    ["added on both sides, labelled here", "", "tel=1~home", "tel=1", "tel=1~home"],
    ["removed there", "tel=1 tel=2", "tel=1 tel=2", "tel=2", "tel=2"],
    ["removed here", "tel=1 tel=2", "tel=1", "tel=1 tel=2", "tel=1"],
    ["removed on both sides", "tel=1", "", "", ""],
    ["removed here and another there", "tel=1~a tel=2~b", "tel=2~b", "tel=1~a", ""],
    ["removed there, relabelled here: the edit wins", "tel=1~home", "tel=1~work", "", "tel=1~work"],
    ["removed here, relabelled there: the edit wins", "tel=1~home", "", "tel=1~work", "tel=1~work"],
    ["removed there, value edited here: the edit wins", "tel=1~home", "tel=2~home", "", "tel=2~home"],
    ["removed here, value edited there: the edit wins", "tel=1~home", "", "tel=2~home", "tel=2~home"],
    ["relabelled there keeps our spelling", "tel=030/1", "tel=030/1", "tel=0301~work", "tel=030/1~work"],
    ["relabelled to the same on both sides", "tel=1~home", "tel=1~work", "tel=1~WORK", "tel=1~work"],
    ["the label taken away there", "tel=1~home", "tel=1~home notes=a", "tel=1", "tel=1 notes=a"],
    ["value edited there", "tel=1~home tel=2", "tel=1~home tel=2", "tel=3~home tel=2", "tel=3~home tel=2"],
    ["value edited there, relabelled here: one item", "tel=1~home", "tel=1~work", "tel=2~home", "tel=2~work"],
    ["a country put in front there, relabelled here", "tel=030_1234567~home", "tel=030_1234567~work", "tel=+49_30_1234567~home notes=a", "tel=+49_30_1234567~work notes=a"],
    ["value edited here, relabelled there: one item", "tel=1~home", "tel=2~home", "tel=1~work", "tel=2~work"],
    ["value edited to the same on both sides", "tel=1~home", "tel=2~home", "tel=2~home", "tel=2~home"],
    ["other items edited on each side", "tel=1~home tel=2~work", "tel=3~home tel=2~work", "tel=1~home tel=4~work", "tel=3~home tel=4~work"],
    ["items of one label edited at their places", "tel=1 tel=2", "tel=3 tel=2", "tel=1 tel=4", "tel=3 tel=4"],
    ["the only ones of a label belong together at any place", "tel=1~home tel=2~home", "tel=1~work tel=2~home", "tel=2~home tel=3~home", "tel=3~work tel=2~home"],
    ["order is no change", "tel=1 tel=2 tel=3", "tel=1 tel=3", "tel=3 tel=2 tel=1", "tel=1 tel=3"],
    ["a known label in another case is no change", "tel=1~homeFax", "tel=2~homeFax", "tel=1~HOMEFAX", "tel=2~homeFax"],
    ["a custom label in another case is a change", "tel=1~Alt", "tel=1~Alt", "tel=1~ALT", "tel=1~ALT"],
    ["one of two items of one value removed there", "tel=1~home tel=1~work", "tel=1~home tel=1~work notes=a", "tel=1~home", "tel=1~home notes=a"],
    ["an item without a value does not exist", "tel=1", "tel=1", "tel=1 tel=_~home", "tel=1"],
    // What makes items equal.
    ["a number in another spelling is no change", "tel=+49_30_1234567", "tel=+49_30_1234567 tel=1", "tel=+49(0)30-1234567", "tel=+49_30_1234567 tel=1"],
    ["direction marks around a number are no change", "tel=+48221234567", "", "tel=\u{202d}+48_22_123_45_67\u{202c}", ""],
    ["another extension is another number", "tel=030123456_ext._1", "tel=030123456_ext._1", "tel=030123456_x2", "tel=030123456_x2"],
    ["a text instead of a number is compared as text", "tel=ask_for_Ada", "tel=ask_for_Ada", "tel=ask_for_Bob", "tel=ask_for_Bob"],
    ["an address in another case is no change", "mail=ADA@example.org", "mail=ADA@example.org~work", "mail=ada@EXAMPLE.org", "mail=ADA@example.org~work"],
    ["a domain in either alphabet is no change", "mail=a@bücher.example", "", "mail=a@xn--bcher-kva.example", ""],
    ["a dotless i is another address", "mail=i@example.org", "mail=i@example.org", "mail=ı@example.org", "mail=ı@example.org"],
    ["a lone slash and the default port are no change", "web=https://example.org", "", "web=HTTPS://Example.org:443/", ""],
    ["a part of a postal address edited there, its label here", "addr=Road_1,Rome,IT~home", "addr=Road_1,Rome,IT~work", "addr=Road_2,Rome,IT~home", "addr=Road_2,Rome,IT~work"],
    ["a country code in another case is no change", "addr=Road_1,Rome,IT", "", "addr=Road_1,Rome,it", ""],
    ["a day moved there, others added on both sides", "event=2015-06-01~anniversary", "event=2015-06-01~anniversary event=--01-02", "event=2015-06-02~anniversary event=--03-04", "event=2015-06-02~anniversary event=--01-02 event=--03-04"],
    ["a messenger under another protocol is edited", "im=ada@jabber", "im=ada@jabber notes=a", "im=ada@skype", "im=ada@skype notes=a"],
    ["relations and nicknames unite", "rel=Bob~friend nick=Ada", "rel=Bob~friend nick=Ada nick=A", "rel=Bob~friend rel=Eve~child nick=Ada nick=B", "rel=Bob~friend rel=Eve~child nick=Ada nick=A nick=B"],
    // Primary items.
    ["primary moved there", "tel=1* tel=2", "tel=1* tel=2", "tel=1 tel=2*", "tel=1 tel=2*"],
    ["primary moved there, an item added here", "tel=1* tel=2", "tel=1* tel=2 tel=3~a", "tel=1 tel=2*", "tel=1 tel=2* tel=3~a"],
    ["primary moved to the same on both sides", "tel=1* tel=2~a tel=3~b", "tel=1 tel=2~a* tel=3~b", "tel=1 tel=2~a* tel=3~c", "tel=1 tel=2~a* tel=3~c"],
    ["a new primary item there, another item here", "tel=1*", "tel=1* tel=2", "tel=1 tel=3*", "tel=1 tel=2 tel=3*"],
    ["a value edited there keeps the flag set here", "tel=1~a tel=2~b", "tel=1~a* tel=2~b", "tel=3~a tel=2~b", "tel=3~a* tel=2~b"],
    ["the primary item removed there, an item added here: the first stands in", "tel=1~a* tel=2~b", "tel=1~a* tel=2~b tel=3~c", "tel=2~b", "tel=2~b* tel=3~c"],
    ["primary moved here to an item removed there: theirs stays", "tel=1~a* tel=2~b", "tel=1~a tel=2~b*", "tel=1~a*", "tel=1~a*"],
    ["primary moved there to an item removed here: ours stays", "tel=1~a* tel=2~b", "tel=1~a* tel=3~c", "tel=1~a tel=2~b*", "tel=1~a* tel=3~c"],
    ["two first items meet and none had been primary", "", "tel=1*", "tel=2", "tel=1* tel=2"],
    ["two primary items here are one, although nothing changed there", "tel=1", "tel=2* tel=1*", "tel=1", "tel=2 tel=1*"],
    ["two primary items since long are one", "tel=1* tel=2*", "tel=1* tel=2*", "tel=1* tel=2* notes=a", "tel=1* tel=2 notes=a"],
    ["two primary items here are one, when another is added there", "tel=1* tel=2*", "tel=1* tel=2*", "tel=1* tel=2 tel=3", "tel=1* tel=2 tel=3"],
    ["two equal primary items here are one, when both sides mean the same", "", "tel=1* tel=1*", "tel=1* tel=1", "tel=1* tel=1"],
    ["two primary items there are one", "tel=1", "tel=1 notes=a", "tel=1* tel=2*", "tel=1* tel=2 notes=a"],
    ["which of two equal items is primary is no change", "tel=1* tel=1 tel=2~b", "tel=1 tel=1 tel=2~b*", "tel=1 tel=1* tel=2~b tel=3~c", "tel=1 tel=1 tel=2~b* tel=3~c"],
    ["no primary item is invented", "tel=1", "tel=1 tel=2", "tel=1 tel=3", "tel=1 tel=2 tel=3"],
    ["the remote alone takes the flag away", "tel=1*", "tel=1* notes=a", "tel=1", "tel=1 notes=a"],
];

/// Description, base, ours, theirs, the field in conflict, expected when the store wins, and when the remote wins.
#[rustfmt::skip]
const CONFLICTS: &[[&str; 7]] = &[
    ["a text changed on both sides", "notes=a", "notes=b", "notes=c", "notes", "notes=b", "notes=c"],
    ["a text filled on both sides", "", "job=b", "job=c", "job_title", "job=b", "job=c"],
    ["changed here, cleared there", "notes=a", "notes=b", "", "notes", "notes=b", ""],
    ["cleared here, changed there", "notes=a", "", "notes=c", "notes", "", "notes=c"],
    ["the rest of the card merges nevertheless", "notes=a dept=x", "notes=b dept=y", "notes=c dept=x tel=1", "notes", "notes=b dept=y tel=1", "notes=c dept=y tel=1"],
    ["a birthday is never put together from two sides", "born=--05-17", "born=1990-05-17", "born=--05-18", "birthday", "born=1990-05-17", "born=--05-18"],
    ["one part of a name, the other parts merge", "given=Ada family=King", "given=Eda family=King", "given=Ida family=Byron", "name", "given=Eda family=Byron", "given=Ida family=Byron"],
    ["the name of an organization", "company=A", "company=B", "company=C", "name", "company=B", "company=C"],
    ["the organization of a person", "org=A", "org=B", "org=C", "organization", "org=B", "org=C"],
    ["a custom field", "custom.a=1", "custom.a=2", "custom.a=3 custom.b=1", "custom.a", "custom.a=2 custom.b=1", "custom.a=3 custom.b=1"],
    ["a photo", "photo=aa", "photo=bb", "photo=cc", "photo", "photo=bb", "photo=cc"],
    ["an owner", "", "owner=a@example.org", "owner=b@example.org", "owner", "owner=a@example.org", "owner=b@example.org"],
    ["an industry", "company=A", "company=A industry=Toys", "company=A industry=Cars", "industry", "company=A industry=Toys", "company=A industry=Cars"],
    ["an item relabelled on both sides", "tel=1~home tel=2", "tel=1~work tel=2", "tel=1~main tel=2 tel=3~a", "phones", "tel=1~work tel=2 tel=3~a", "tel=1~main tel=2 tel=3~a"],
    ["an item added on both sides with other labels", "", "tel=1~home", "tel=1~work", "phones", "tel=1~home", "tel=1~work"],
    ["a value edited on both sides", "tel=1~home", "tel=2~home", "tel=3~home", "phones", "tel=2~home", "tel=3~home"],
    ["a nickname edited on both sides", "nick=Ada", "nick=Eda", "nick=Ida", "nicknames", "nick=Eda", "nick=Ida"],
    ["value and label edited on both sides", "mail=a@x.org~home", "mail=b@x.org~home", "mail=c@x.org~home mail=d@x.org", "emails", "mail=b@x.org~home mail=d@x.org", "mail=c@x.org~home mail=d@x.org"],
    ["primary moved to two items", "tel=1~a* tel=2~b tel=3~c", "tel=1~a tel=2~b* tel=3~c", "tel=1~a tel=2~b tel=3~c*", "phones", "tel=1~a tel=2~b* tel=3~c", "tel=1~a tel=2~b tel=3~c*"],
];

/// Description, base of the store, base of the remote, ours, theirs, expected, expected new base of the store.
#[rustfmt::skip]
const TWO_BASES: &[[&str; 7]] = &[
    ["what the remote cannot hold is never cleared", "notes=a job=x", "job=x", "notes=a job=x", "job=y", "notes=a job=y", "notes=a job=y"],
    ["what the remote drops from a set stays", "tel=1 tel=112", "tel=1", "tel=1 tel=112", "tel=1~home", "tel=1~home tel=112", "tel=1~home tel=112"],
    ["a truncated echo does not cut the original", "notes=abcdef", "notes=abc", "notes=abcdef", "notes=abc", "notes=abcdef", "notes=abcdef"],
    ["the user's edit of a truncated text comes in", "notes=abcdef", "notes=abc", "notes=abcdef", "notes=x", "notes=x", "notes=x"],
    ["a rewritten number is no change", "tel=0301", "tel=+49301", "tel=0302", "tel=+49301", "tel=0302", "tel=0301"],
    ["a rewritten number relabelled there keeps our spelling", "tel=0301~home", "tel=+49301~home", "tel=0301~home", "tel=+49301~work", "tel=0301~work", "tel=0301~work"],
    ["a rewritten number removed there is removed here", "tel=0301~home tel=5", "tel=+49301~home tel=5", "tel=0301~home tel=5", "tel=5", "tel=5", "tel=5"],
    ["a rewritten number removed there, relabelled here", "tel=0301~home", "tel=+49301~home", "tel=0301~work", "", "tel=0301~work", ""],
    ["a rewritten number edited there", "tel=0301~home", "tel=+49301~home", "tel=0301~home", "tel=+49302~home", "tel=+49302~home", "tel=+49302~home"],
    ["a rewritten number removed here, another added there", "tel=0301~home", "tel=+49301~home", "", "tel=+49301~home tel=7~work", "tel=7~work", "tel=0301~home tel=7~work"],
    ["our number becomes what the remote made of it", "tel=0301~home", "tel=+49301~home", "tel=+49301~home", "tel=+49301~work", "tel=+49301~work", "tel=0301~work"],
    ["first contact: values unite, nothing is blanked", "", "", "given=Ada tel=1~home", "given=Ada mail=a@x.org tel=2", "given=Ada mail=a@x.org tel=1~home tel=2", "given=Ada mail=a@x.org tel=2"],
    ["an item missing in the base of the store alone", "", "tel=1~home", "tel=1", "tel=1~work", "tel=1~work", "tel=1~work"],
    ["a label the store gained stays although the remote lost it", "", "label=a", "label=a", "", "label=a", ""],
];

#[test]
fn merges_without_conflict_come_out_as_described() {
    assert!(AGREEMENTS.len() >= 40);
    for [description, base, ours, theirs, expected] in AGREEMENTS {
        let [base, ours, theirs, expected] = [base, ours, theirs, expected].map(|words| card(words));
        for winner in WINNERS {
            let merged = merge([&base, &base, &ours, &theirs], winner);
            assert_eq!(merged.card, expected, "{description}");
            assert_eq!(merged.conflicts, [], "{description}");
            assert_eq!(normal::card(&merged.base_store), normal::card(&theirs), "{description}: the new base");
        }
    }
}

#[test]
fn conflicts_go_to_the_winner_and_are_reported_once() {
    for [description, base, ours, theirs, field, store_wins, remote_wins] in CONFLICTS {
        let [base, ours, theirs, store_wins, remote_wins] =
            [base, ours, theirs, store_wins, remote_wins].map(|words| card(words));
        let field: Field = field.parse().expect(description);
        for winner in WINNERS {
            let merged = merge([&base, &base, &ours, &theirs], winner);
            let reported: Vec<_> = merged.conflicts.iter().map(|conflict| (&conflict.field, conflict.winner)).collect();
            assert_eq!(reported, [(&field, winner)], "{description}");
            match winner {
                Winner::Store => assert_eq!(merged.card, store_wins, "{description}: the store wins"),
                Winner::Remote => assert_eq!(merged.card, remote_wins, "{description}: the remote wins"),
                Winner::Hold => assert_frozen(&merged, &ours, &field, description),
            }
        }
    }
}

#[test]
fn two_bases_keep_a_rewriting_remote_from_looking_edited() {
    for [description, base_store, base_remote, ours, theirs, expected, expected_base] in TWO_BASES {
        let [base_store, base_remote, ours, theirs, expected, expected_base] =
            [base_store, base_remote, ours, theirs, expected, expected_base].map(|words| card(words));
        for winner in WINNERS {
            let merged = merge([&base_store, &base_remote, &ours, &theirs], winner);
            assert_eq!(merged.card, expected, "{description}");
            assert_eq!(normal::card(&merged.base_store), normal::card(&expected_base), "{description}: the new base");
            assert_eq!(merged.conflicts, [], "{description}");
        }
    }
}

#[test]
fn the_store_keeps_the_identity_of_an_organization_and_looks_up_a_new_one() {
    let id = "01JD0000000000000000000000".parse().expect("an identifier");
    let at = |id, name: &str| {
        let organization = Some(OrganizationRef { id, name: name.to_owned() });
        let mut card = Card::person();
        if let Some(person) = card.as_person_mut() {
            person.organization = organization;
        }
        card
    };
    let base = at(Some(id), "Old");
    let moved = merge([&base, &at(None, "Old"), &base, &at(None, "New")], Winner::Store);
    assert_eq!(moved.card, at(None, "New"));
    let respelled = merge([&base, &at(None, "Older"), &base, &at(None, " Old ")], Winner::Store);
    assert_eq!(respelled.card, base);
    // A remote that somehow names an identity does not get to choose it.
    let odd = merge([&base, &at(None, "Old"), &base, &at(Some(id), "New")], Winner::Store);
    assert_eq!(odd.card, at(None, "New"));
}

#[test]
fn a_held_field_stays_frozen_until_it_is_released() {
    let [base, ours, theirs] = ["notes=a job=x", "notes=b job=x", "notes=c job=y"].map(card);
    let held = BTreeSet::from([Field::Notes]);
    let rules = Rules { winner: &|_| Winner::Remote, held: &held };
    let merged = three_way(&base, &base, &ours, &theirs, &rules);
    assert_eq!(merged, Merged { card: card("notes=b job=y"), base_store: card("notes=b job=y"), conflicts: vec![] });
}

fn assert_frozen(merged: &Merged, ours: &Card, field: &Field, description: &str) {
    for card in [&merged.card, &merged.base_store] {
        let value = super::diff::field_value(card, field);
        assert_eq!(value, super::diff::field_value(ours, field), "{description}: nobody wins");
    }
}

fn merge(legs: [&Card; 4], winner: Winner) -> Merged {
    let [base_store, base_remote, store, remote] = legs;
    three_way(base_store, base_remote, store, remote, &Rules { winner: &|_| winner, held: &BTreeSet::new() })
}

/// Reads a card from words.
fn card(words: &str) -> Card {
    let words: Vec<(&str, String)> = words
        .split(' ')
        .filter_map(|word| word.split_once('='))
        .map(|(key, value)| (key, value.replace('_', " ")))
        .collect();
    let company = words.iter().find(|(key, _)| *key == "company");
    let mut card = company.map_or_else(Card::person, |(_, name)| Card::organization(name.clone()));
    for (key, value) in words.into_iter().filter(|(key, _)| *key != "company") {
        add(&mut card, key, &value);
    }
    card
}

fn add(card: &mut Card, key: &str, value: &str) {
    let (item, primary) = value.strip_suffix('*').map_or((value, false), |item| (item, true));
    let (item, label) = item.split_once('~').map_or((item, None), |(item, label)| (item, Some(label.to_owned())));
    let text = Some(value.to_owned());
    match key {
        "tel" => card.phones.push(Phone { value: item.to_owned(), label, primary }),
        "mail" => card.emails.push(Email { value: item.to_owned(), label, primary }),
        "web" => card.websites.push(Website { value: item.to_owned(), label }),
        "addr" => {
            let mut parts = item.split(',').map(str::to_owned);
            let (street, city, country) = (parts.next(), parts.next(), parts.next());
            card.addresses.push(Address { label, street, city, country, ..Address::default() });
        }
        "notes" => card.notes = text,
        "owner" => card.owner = text,
        "label" => {
            card.labels.insert(value.to_owned());
        }
        "industry" => {
            super::diff::set_field(card, &Field::Industry, &value.into()).expect("an organization");
        }
        custom if custom.starts_with("custom.") => {
            card.custom.insert(custom.replace("custom.", ""), value.to_owned());
        }
        own => add_own(card.as_person_mut().expect("a person"), own, item, label),
    }
}

fn add_own(person: &mut Person, key: &str, value: &str, label: Option<String>) {
    let text = Some(value.to_owned());
    match key {
        "prefix" => person.name.prefix = text,
        "given" => person.name.given = text,
        "middle" => person.name.middle = text,
        "family" => person.name.family = text,
        "org" => person.organization = Some(OrganizationRef { id: None, name: value.to_owned() }),
        "job" => person.job_title = text,
        "dept" => person.department = text,
        "born" => person.birthday = Some(value.parse().expect("a date")),
        "photo" => person.photo = Some(Photo { digest: value.to_owned() }),
        "event" => person.events.push(Event { label, date: value.parse().expect("a date") }),
        "im" => {
            let (value, protocol) = value.split_once('@').expect("name@protocol");
            person.ims.push(Im { value: value.to_owned(), protocol: Some(protocol.to_owned()), label });
        }
        "rel" => person.relations.push(Relation { value: value.to_owned(), label }),
        "nick" => person.nicknames.push(value.to_owned()),
        other => panic!("unknown word {other}"),
    }
}
