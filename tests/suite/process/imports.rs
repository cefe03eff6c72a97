//! Files of contacts into the store and out of it: what is damaged, how it is encoded, where it comes from.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1250, WINDOWS_1252};
use serde_json::{Value, json};

use crate::support::process::{Home, fixtures};

const DAMAGED: &str = "Name,E-mail,Phone\n\
                       Ada King,ada@example.org,+49 30 1\n\
                       Too,many,cells,in,here\n\
                       ,,\n\
                       ,\"\",+\n\
                       Bob Stone,bob@example.org,\n\
                       Open Quote,\"open@example.org,\n\
                       Cleo Last,cleo@example.org,\n";

fn names(home: &Home) -> Vec<String> {
    let list = home.json(&["person", "list"]);
    let mut names: Vec<String> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|person| person["name"]["full"].as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

fn import(home: &Home, file: impl AsRef<Path>, code: i32) -> Value {
    let file = file.as_ref().to_str().expect("text").to_owned();
    home.run(["import", &file, "--yes", "--json"]).json_after(code)
}

/// Everything in the store that a file can carry: no ids, versions and times.
fn content(home: &Home) -> Vec<Value> {
    let export = home.run(["export", "--format", "json"]).ended(0).out.clone();
    let mut contacts: Vec<Value> = export
        .lines()
        .map(|line| {
            let mut contact: Value = serde_json::from_str(line).expect("JSON");
            let members = contact.as_object_mut().expect("an object");
            for name in ["id", "version", "created", "updated"] {
                members.remove(name).expect(name);
            }
            if let Some(Value::Object(organization)) = members.get_mut("organization") {
                organization.remove("id");
            }
            contact
        })
        .collect();
    contacts.sort_by_key(Value::to_string);
    contacts
}

#[test]
fn damaged_rows_cost_only_themselves_and_can_be_mended() {
    let home = Home::alone();
    home.write("people.csv", DAMAGED);
    let answer = import(&home, "people.csv", 3);
    assert_eq!((&answer["created"], names(&home).len()), (&json!(3), 3), "{answer}");
    let failed: Vec<(u64, &str)> = answer["failed"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (row["line"].as_u64().expect("a line"), row["reason"].as_str().expect("a reason")))
        .collect();
    assert_eq!(
        failed,
        [
            (3, "the row has 5 cells, the header 3"),
            (5, "no name, e-mail, phone or organization"),
            (7, "a quote is opened and never closed"),
        ],
        "a blank row is no failure"
    );
    let skipped = answer["skip_file"].as_str().expect("a file");
    assert_eq!(skipped, "people.csv.skipped.csv");
    let mode = fs::metadata(home.path(skipped)).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds personal data");
    let mended = home
        .read(skipped)
        .replacen("Too,many,cells,in,here", "Dora Mended,dora@example.org,,,", 1)
        .replacen(",,'+", "Emil Mended,emil@example.org,", 1)
        .replacen("\"Open Quote,\"\"open@example.org,\",,", "Open Quote,open@example.org,", 1);
    home.write("mended.csv", mended);
    let answer = import(&home, "mended.csv", 0);
    assert_eq!(answer["created"], 3, "{answer}");
    assert_eq!(names(&home), ["Ada King", "Bob Stone", "Cleo Last", "Dora Mended", "Emil Mended", "Open Quote"]);
    for person in home.json(&["person", "list"]).as_array().expect("a list") {
        assert_eq!(person["custom"], json!({}), "the columns about the rejection are none of the contact: {person}");
    }
}

#[test]
fn people_are_told_the_lines_and_where_the_rows_are() {
    let home = Home::alone();
    home.write("people.csv", DAMAGED);
    let ran = home.run(["import", "people.csv", "--yes"]);
    for words in ["3 contacts created", "line 3: the row has 5 cells", "line 7: a quote", "people.csv.skipped.csv"] {
        assert!(ran.ended(3).out.contains(words), "{words:?}: {ran:?}");
    }
    assert_eq!(ran.err, "");
}

#[test]
fn a_skip_file_that_somebody_is_mending_is_left_alone() {
    let home = Home::alone();
    home.write("people.csv", DAMAGED);
    assert_eq!(import(&home, "people.csv", 3)["skip_file"], "people.csv.skipped.csv");
    let first = home.read("people.csv.skipped.csv");
    // The same rows again need no second file.
    assert_eq!(import(&home, "people.csv", 3)["skip_file"], "people.csv.skipped.csv");
    home.write("people.csv.skipped.csv", "half mended");
    assert_eq!(import(&home, "people.csv", 3)["skip_file"], "people.csv.skipped-2.csv");
    assert_eq!(home.read("people.csv.skipped.csv"), "half mended");
    assert_eq!(home.read("people.csv.skipped-2.csv"), first);
}

#[test]
fn an_import_whose_skip_file_cannot_be_written_is_answered_nevertheless() {
    let home = Home::alone();
    // No file system takes a name that is still longer.
    let name = format!("{}.csv", "x".repeat(250));
    home.write(&name, DAMAGED);
    let ran = home.run(["import", &name, "--yes", "--json"]);
    let answer = ran.json_after(3);
    assert_eq!((&answer["created"], &answer["skip_file"]), (&json!(3), &Value::Null));
    assert!(ran.err.contains("skipped.csv") && ran.err.contains("too long"), "{ran:?}");
    assert_eq!(names(&home).len(), 3);
}

#[test]
fn what_comes_through_a_pipe_leaves_its_rejected_rows_in_the_working_folder() {
    let home = Home::alone();
    let mut command = home.command(["import", "/dev/stdin", "--yes", "--json"]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().expect("a process");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), DAMAGED.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("an end");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&answer["created"], &answer["skip_file"]), (&json!(3), &json!("stdin.skipped.csv")));
    assert!(home.path("stdin.skipped.csv").exists());
}

#[test]
fn cards_that_cannot_be_used_are_listed_and_can_be_mended() {
    let home = Home::alone();
    let card = |lines: &str| format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}\r\nEND:VCARD\r\n");
    let cards = [
        card("FN:Ada King\r\nN:King;Ada;;;\r\nEMAIL:ada@example.org"),
        card("NOTE:nobody"),
        card("FN:Bob Stone\r\nN:Stone;Bob;;;\r\nTEL:+49 30 2"),
    ];
    home.write("cards.vcf", cards.concat());
    let answer = import(&home, "cards.vcf", 3);
    assert_eq!(answer["created"], 2, "{answer}");
    assert_eq!(answer["failed"][0]["line"], 7, "{answer}");
    let skipped = answer["skip_file"].as_str().expect("a file");
    assert_eq!(skipped, "cards.vcf.skipped.vcf");
    let mode = fs::metadata(home.path(skipped)).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mended = home.read(skipped).replace("NOTE:nobody", "FN:Cleo Mended\r\nNOTE:somebody");
    home.write("mended.vcf", mended);
    assert_eq!(import(&home, "mended.vcf", 0)["created"], 1);
    assert_eq!(names(&home), ["Ada King", "Bob Stone", "Cleo Mended"]);
}

#[test]
fn every_encoding_gives_the_same_contacts() {
    let polish =
        "Imię;Nazwisko;E-mail;Miasto\nŻaneta;Dąbrówka;zaneta@example.org;Łódź\nJerzy;Ćwik;jerzy@example.org;Gdańsk\n";
    let german = "Vorname;Nachname;E-Mail;Ort\nJörg;Müller;joerg@example.org;Köln\nZoë;Größ;zoe@example.org;Nürnberg\n";
    let encoded = |text: &str, encoding: &'static Encoding| encoding.encode(text).0.into_owned();
    let utf16 = |text: &str| [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let marked = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for (text, legacy, expected) in
        [(polish, WINDOWS_1250, ["Jerzy Ćwik", "Żaneta Dąbrówka"]), (german, WINDOWS_1252, ["Jörg Müller", "Zoë Größ"])]
    {
        let home = Home::alone();
        let files: [(&str, Vec<u8>); 4] = [
            ("plain", encoded(text, UTF_8)),
            ("bom", marked(text)),
            ("utf16", utf16(text)),
            ("legacy", encoded(text, legacy)),
        ];
        for (place, (name, bytes)) in files.into_iter().enumerate() {
            home.write("people.csv", bytes);
            let answer = import(&home, "people.csv", 0);
            let (created, unchanged) = if place == 0 { (2, 0) } else { (0, 2) };
            assert_eq!((&answer["created"], &answer["unchanged"]), (&json!(created), &json!(unchanged)), "{name}");
            assert_eq!(names(&home), expected, "{name}");
        }
    }
}

#[test]
fn the_same_file_again_changes_nothing() {
    let home = Home::alone();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/sample-contacts.csv");
    let first = import(&home, &sample, 0);
    let created = first["created"].as_u64().expect("a number");
    assert!(created > 10, "{first}");
    let rows = home.rows();
    let again = import(&home, &sample, 0);
    assert_eq!((&again["created"], &again["updated"]), (&json!(0), &json!(0)), "{again}");
    assert_eq!(home.rows(), rows);
}

#[test]
fn a_dry_run_tells_what_would_be_and_writes_nothing() {
    let home = Home::alone();
    home.write("people.csv", DAMAGED);
    home.json(&["person", "add", "--name", "Ada King", "--email", "ada@example.org"]);
    let rows = home.rows();
    let told = home.run(["import", "people.csv", "--dry-run", "--json"]).json_after(3);
    assert_eq!((&told["import"], &told["skip_file"]), (&Value::Null, &Value::Null));
    assert_eq!((&told["created"], &told["updated"], &told["unchanged"]), (&json!(2), &json!(1), &json!(0)), "{told}");
    assert_eq!(home.rows(), rows);
    assert!(!home.path("people.csv.skipped.csv").exists());
    let done = import(&home, "people.csv", 3);
    for name in ["created", "updated", "unchanged", "failed"] {
        assert_eq!(done[name], told[name], "{name}");
    }
}

#[test]
fn values_that_the_store_has_otherwise_stay_and_are_told() {
    let home = Home::alone();
    home.json(&["person", "add", "--name", "Ada King", "--email", "ada@example.org", "--job-title", "CTO"]);
    home.write("people.csv", "Name,E-mail,Job title,Department\nAda King,ada@example.org,CEO,Engines\n");
    let answer = import(&home, "people.csv", 0);
    assert_eq!((&answer["updated"], &answer["kept"][0]["field"]), (&json!(1), &json!("job_title")), "{answer}");
    assert_eq!((&answer["kept"][0]["store"], &answer["kept"][0]["file"]), (&json!("CTO"), &json!("CEO")), "{answer}");
    let ada = home.person_with("ada@example.org");
    assert_eq!((&ada["job_title"], &ada["department"]), (&json!("CTO"), &json!("Engines")));
}

#[test]
fn an_import_of_many_shows_no_progress_in_a_pipe() {
    let home = Home::alone();
    let rows: String = (0..1000).map(|n| format!("Person {n},p{n}@example.org\n")).collect();
    home.write("people.csv", format!("Name,E-mail\n{rows}"));
    let ran = home.run(["import", "people.csv", "--yes", "--color", "always"]);
    assert!(ran.ended(0).out.contains("1000 contacts created"), "{ran:?}");
    assert_eq!(ran.err, "");
}

#[test]
fn what_is_exported_comes_back_equal() {
    let home = Home::alone();
    import(&home, Path::new(env!("CARGO_MANIFEST_DIR")).join("config/sample-contacts.csv"), 0);
    home.json(&[
        "person",
        "add",
        "--name",
        "Dr. Zoë Ada van der Größ",
        "--notes",
        "two\nlines, \"quotes\"; and =1+1",
        "--phone",
        "+49 30 23125 009",
        "--birthday",
        "--02-29",
        "--custom",
        "Price list=Retail",
        "--address",
        "street=Linden 1; city=Berlin; country=DE; label=home",
    ]);
    home.json(&["organization", "add", "--name", "Nobody's & Sons", "--industry", "Anvils"]);
    let content = self::content(&home);
    for name in ["all.csv", "all.xlsx", "all.vcf"] {
        home.run(["export", name]).ended(0);
        let mode = fs::metadata(home.path(name)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let other = Home::alone();
        let answer = import(&other, home.path(name), 0);
        assert_eq!(answer["created"].as_u64(), Some(content.len() as u64), "{name}: {answer}");
        let back = self::content(&other);
        for (back, there) in back.iter().zip(&content) {
            assert_eq!(back, there, "{name}");
        }
        assert_eq!(back.len(), content.len(), "{name}");
        // And into the store it came from, nothing.
        let again = import(&home, home.path(name), 0);
        assert_eq!((&again["created"], &again["updated"]), (&json!(0), &json!(0)), "{name}: {again}");
    }
    home.run(["export", "all.json"]).ended(0);
    home.run(["import", "all.json", "--yes"]).refused(2, &["all.json", "expected CSV, XLSX, XLS or vCard"]);
}

#[test]
fn exports_of_other_programs_come_in_without_a_map() {
    let Some(fixtures) = fixtures() else { return };
    for (file, persons, example) in [
        ("csv/google/googlemonicasync-99.csv", 99, "jbutt@gmail.com"),
        ("csv/google/rolomind-google.csv", 4, "john@example.com"),
        ("csv/google/constellation-google.csv", 2, "zoe@example.com"),
        ("csv/tine/importtest_outlook2013.csv", 2, ""),
        ("csv/tine/adb_outlook2007_default_de.csv", 1, ""),
        ("csv/pipedrive/people-export-short.en.csv", 1, ""),
        ("csv/pipedrive/sample-import.en.csv", 1, ""),
        ("vcard/ez-vcard/gmail-list.vcf", 3, ""),
        ("vcard/ez-vcard/outlook-2007.vcf", 1, ""),
        ("xlsx/poi/51626_contact.xlsx", 1, ""),
        ("xlsx/poi/33082.xls", 1, ""),
    ] {
        let home = Home::alone();
        let path = fixtures.join(file);
        let answer = import(&home, &path, 0);
        let list = home.json(&["person", "list"]);
        assert_eq!(list.as_array().map(Vec::len), Some(persons), "{file}: {answer}");
        if !example.is_empty() {
            home.person_with(example);
        }
        let again = import(&home, &path, 0);
        assert_eq!((&again["created"], &again["updated"]), (&json!(0), &json!(0)), "{file}: {again}");
    }
}

#[test]
fn an_import_is_taken_back_as_far_as_nothing_has_changed_since() {
    let home = Home::alone();
    let dora = home.id(&["person", "add", "--name", "Dora Old", "--email", "dora@example.org"]);
    home.json(&["person", "add", "--name", "Emil Old", "--email", "emil@example.org"]);
    home.write(
        "people.csv",
        "Name,E-mail,Phone,Company,Notes\n\
         Ada King,ada@example.org,+49 30 1,Example GmbH,\n\
         Bob Stone,bob@example.org,+49 30 2,Example GmbH,\n\
         Cleo Last,cleo@example.org,+49 30 3,Other GmbH,\n\
         Dora Old,dora@example.org,+49 30 4,,taken in\n\
         Emil Old,emil@example.org,+49 30 5,,taken in\n",
    );
    let before = content(&home);
    let answer = import(&home, "people.csv", 0);
    let id = answer["import"].as_str().expect("an id").to_owned();
    let edited = home.person_with("bob@example.org")["id"].as_str().expect("an id").to_owned();
    home.json(&["person", "edit", &edited, "--notes", "edited since"]);
    home.json(&["person", "edit", &dora, "--phone", "+49 30 99"]);
    let rows = home.rows();

    let told = home.run(["import", "undo", &id]);
    for words in
        ["Ada King", "edited since", "phones changed since", "1 person belongs to it", &format!("undo {id} --yes")]
    {
        assert!(told.ended(0).out.contains(words), "{words}: {}", told.out);
    }
    let plan = home.json(&["import", "undo", &id]);
    assert_eq!(home.rows(), rows, "nothing was written");
    let of = |op: &str| {
        let operations = plan["operations"].as_array().expect("operations");
        let mut names: Vec<&str> =
            operations.iter().filter(|one| one["op"] == op).filter_map(|one| one["name"].as_str()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(of("delete"), ["Ada King", "Cleo Last", "Other GmbH"], "{plan}");
    assert_eq!(of("update"), ["Dora Old", "Emil Old"], "{plan}");

    let done = home.json(&["import", "undo", &id, "--yes"]);
    assert_eq!((&done["deleted"], &done["updated"]), (&json!(3), &json!(2)), "{done}");
    assert_eq!(names(&home), ["Bob Stone", "Dora Old", "Emil Old"]);
    let dora = home.person_with("dora@example.org");
    assert_eq!((&dora["notes"], &dora["phones"][0]["value"]), (&Value::Null, &json!("+49 30 99")));
    let emil = home.person_with("emil@example.org");
    assert_eq!((&emil["notes"], &emil["phones"]), (&Value::Null, &json!([])));
    assert!(before.iter().any(|one| one["name"]["full"] == "Emil Old" && one["phones"] == json!([])));
    let again = home.run(["import", "undo", &id, "--yes"]);
    assert!(again.ended(0).out.contains("there is nothing to take back"), "{}", again.out);
    home.run(["import", "undo", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).refused(2, &["no import"]);
    home.run(["import"]).ended(2);
}

#[test]
fn an_untouched_import_is_taken_back_whole() {
    let home = Home::alone();
    let rows: String = (0..600).map(|n| format!("Person {n},p{n}@example.org,Company {}\n", n / 100)).collect();
    home.write("people.csv", format!("Name,E-mail,Company\n{rows}"));
    let answer = import(&home, "people.csv", 0);
    let id = answer["import"].as_str().expect("an id");
    let done = home.json(&["import", "undo", id, "--yes"]);
    assert_eq!((&done["deleted"], &done["skipped"]), (&json!(606), &json!([])), "{done}");
    assert_eq!(content(&home), [] as [Value; 0]);
    assert_eq!(home.json(&["organization", "list"]), json!([]));
}

#[test]
fn people_of_one_family_or_behind_one_address_all_come_in_and_do_so_once() {
    let home = Home::alone();
    let rows = "Name,Company,E-mail,Phone\n\
                Anna Meier,,,+49 40 5556667\n\
                Bernd Meier,,,+49 40 5556667\n\
                Clara Lang,Example GmbH,info@example.org,\n\
                David Lang,Example GmbH,info@example.org,\n";
    let file = home.write("families.csv", rows);
    import(&home, &file, 0);
    let all = ["Anna Meier", "Bernd Meier", "Clara Lang", "David Lang"];
    assert_eq!(names(&home), all);
    import(&home, &file, 0);
    assert_eq!(names(&home), all, "the same file again changes nothing");
}
