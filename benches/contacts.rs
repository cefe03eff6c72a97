//! What somebody feels who works with a large store: bringing a file in, looking for a contact, turning the pages.
//!
//! A hundred thousand people, drawn from a seed, come in as two files of 50,000 rows through the real binary. Searches and
//! pages are measured twice: cold, as a command of its own with all that a process costs, and warm, on a store that is
//! open, as a daemon has it. Times on a shared machine are noisy; the ratios are not.
//!
//! Budgets at 100,000 contacts: a search below 50 ms on an open store, by name, e-mail, digits or a word of the notes, with
//! the first 50 that it finds in the order of names; the first page and one in the middle below 50 ms; an import of 50,000
//! rows at 1,000 rows a second or more, within 500 MB.

#![expect(clippy::disallowed_methods, reason = "a bench measures the machine's own time")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use contactsync::clock::SystemEntropy;
use contactsync::domain::contact::Kind;
use contactsync::domain::filter::Filter;
use contactsync::domain::id::ContactId;
use contactsync::domain::time::Timestamp;
use contactsync::store::sqlite::SqliteStore;
use contactsync::store::{ContactOrder, ContactQuery, ListDirection, Place, Store as _};

use usage::Usage;

mod usage;

const BINARY: &str = env!("CARGO_BIN_EXE_contactsync");
/// Rows of each of the two files.
const ROWS: usize = 50_000;
/// Contacts on a page.
const PAGE: u32 = 50;

fn main() {
    let bench = Bench::new();
    println!("import of {ROWS} rows   wall s   CPU s  peak MB   rows/s");
    bench.import(0, "into an empty store");
    bench.import(1, "into half the store");
    let size = std::fs::metadata(bench.folder.join("contacts.db")).expect("a database").len();
    println!("database: {:.0} MB\n", size as f64 / 1e6);

    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    println!("search, first {PAGE}        found  cold ms  peak MB   first ms  warm ms  worst ms");
    for (what, texts) in bench.searches() {
        bench.search(&runtime, what, &texts);
    }
    println!("\nlist of {PAGE} by name              first ms  warm ms  worst ms");
    bench.pages(&runtime);
}

/// A folder with a configuration, a store and two files.
struct Bench {
    folder: PathBuf,
    people: Vec<Person>,
}

/// Somebody who does not exist.
struct Person {
    given: String,
    family: String,
    email: String,
    phone: String,
    company: String,
    notes: String,
}

/// A small generator of numbers: SplitMix64, which is all that invented people need.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn word(&mut self, syllables: u64) -> String {
        const STARTS: [&str; 16] = ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "w", "sch", "st"];
        const ENDS: [&str; 12] = ["a", "e", "i", "o", "u", "an", "er", "in", "ol", "ü", "ei", "au"];
        let syllable = |draw: &mut Draw| {
            let start = STARTS[draw.below(STARTS.len() as u64) as usize];
            format!("{start}{}", ENDS[draw.below(ENDS.len() as u64) as usize])
        };
        (0..syllables).map(|_| syllable(self)).collect()
    }

    fn name(&mut self, syllables: u64) -> String {
        let word = self.word(syllables);
        let first: String = word.chars().take(1).flat_map(char::to_uppercase).collect();
        first + &word.chars().skip(1).collect::<String>()
    }
}

/// As many people as two files hold.
fn people() -> Vec<Person> {
    let mut draw = Draw(20_261_201);
    let given: Vec<String> = (0..600).map(|_| draw.name(2)).collect();
    let family: Vec<String> = (0..20_000).map(|_| draw.name(3)).collect();
    let companies: Vec<String> = (0..3_000).map(|_| format!("{} GmbH", draw.name(3))).collect();
    let words: Vec<String> = (0..5_000).map(|_| draw.word(3)).collect();
    let of = |list: &[String], draw: &mut Draw| list[draw.below(list.len() as u64) as usize].clone();
    (0..2 * ROWS)
        .map(|number| {
            let (given, family) = (of(&given, &mut draw), of(&family, &mut draw));
            let notes: Vec<String> = (0..8).map(|_| of(&words, &mut draw)).collect();
            Person {
                email: format!("{}.{number}@example.org", family.to_lowercase().replace('ü', "ue")),
                // One number for each, in no order.
                phone: format!("+49 30 {:08}", (number as u64 * 7_919_417) % 100_000_000),
                company: of(&companies, &mut draw),
                notes: notes.join(" "),
                given,
                family,
            }
        })
        .collect()
}

impl Bench {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("contactsync-bench-contacts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("contactsync.toml"), "[store]\nurl = \"sqlite:contacts.db\"\n").expect("written");
        Bench { folder, people: people() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(self.folder.join("contactsync.toml")).arg("-q");
        command
    }

    fn import(&self, part: usize, what: &str) {
        let mut rows = String::from("First name,Last name,Email,Phone,Organization,Notes\n");
        for Person { given, family, email, phone, company, notes } in &self.people[part * ROWS..(part + 1) * ROWS] {
            writeln!(rows, "{given},{family},{email},{phone},{company},{notes}").expect("a string");
        }
        let file = self.folder.join(format!("part{part}.csv"));
        std::fs::write(&file, rows).expect("the file is written");
        let (output, usage) = Usage::of(self.command().args(["import", "--yes"]).arg(&file));
        assert!(output.status.success(), "the import failed");
        println!(
            "{what:<22}  {:>7.1}  {:>6.1}  {:>7.1}  {:>7.0}",
            usage.wall.as_secs_f64(),
            usage.cpu_seconds,
            usage.peak_kib as f64 / 1024.0,
            ROWS as f64 / usage.wall.as_secs_f64(),
        );
    }

    /// What is looked for, with what people type.
    fn searches(&self) -> Vec<(&'static str, Vec<String>)> {
        let some =
            |pick: fn(&Person) -> String| (0..40).map(|n| pick(&self.people[n * 2_477 + 13])).collect::<Vec<_>>();
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        vec![
            ("family name", some(|person| person.family.to_uppercase())),
            ("full name", some(|person| format!("{} {}", person.given, person.family))),
            ("given name", some(|person| person.given.clone())),
            ("e-mail", some(|person| person.email.clone())),
            ("phone", some(|person| person.phone.replace("+49 ", "0"))),
            ("last digits", some(|person| person.phone.clone()).iter().map(|p| digits(p)[5..].to_owned()).collect()),
            ("word of a note", some(|person| person.notes.split(' ').nth(3).unwrap_or_default().to_owned())),
            (
                "name and note",
                some(|person| format!("{} {}", person.family, person.notes.split(' ').next().unwrap_or_default())),
            ),
            ("organization", some(|person| person.company.clone())),
            ("in everybody", vec!["example.org".to_owned(); 10]),
            ("in nobody", (0..20).map(|n| format!("nobody{n}")).collect()),
            ("two characters", some(|person| person.family.chars().take(2).collect())),
            ("two, in nobody", vec!["qx".to_owned(); 10]),
        ]
    }

    fn search(&self, runtime: &tokio::runtime::Runtime, what: &str, texts: &[String]) {
        let text = texts.first().expect("a text");
        let line = ["--json", "person", "list", "--limit", "50", text];
        let (output, cold) = Usage::of(self.command().args(line));
        assert!(output.status.success(), "the search failed");
        let (mut times, mut found) = (Vec::new(), 0);
        runtime.block_on(async {
            let store = self.open().await;
            for text in texts {
                let query = ContactQuery {
                    kind: Some(Kind::Person),
                    text: Some(text.clone()),
                    order: ContactOrder::Name,
                    limit: Some(PAGE),
                    ..ContactQuery::default()
                };
                let begun = Instant::now();
                let contacts = store.find_contacts(&query).await.expect("an answer");
                times.push(begun.elapsed());
                found += contacts.len();
            }
            store.close().await;
        });
        let found = found as f64 / texts.len() as f64;
        print!("{what:<18} {found:>9.1}  {:>7.1}  {:>7.1}   ", ms(cold.wall), cold.peak_kib as f64 / 1024.0);
        println!("{}", spread(times));
    }

    fn pages(&self, runtime: &tokio::runtime::Runtime) {
        runtime.block_on(async {
            let store = self.open().await;
            let order = ContactOrder::Name;
            let page = ContactQuery { kind: Some(Kind::Person), order, limit: Some(PAGE), ..ContactQuery::default() };
            // A name in the middle of the alphabet, as the cursor of a page has it.
            let named = |name: &str| ContactQuery {
                after: Some(ContactId::new(Timestamp::EPOCH, 0)),
                stood_at: Some(Place::Name(name.to_owned())),
                ..page.clone()
            };
            let noted = "notes~ei".parse().expect("a condition");
            let sifted = Filter { text: None, conditions: [noted].into() };
            for (what, query) in [
                ("first page", page.clone()),
                ("in the middle", named("m")),
                (
                    "last changed",
                    ContactQuery { order: ContactOrder::Updated, direction: ListDirection::Descending, ..page.clone() },
                ),
                ("by a field of the card", ContactQuery { filters: vec![sifted], ..page.clone() }),
            ] {
                let mut times = Vec::new();
                for _ in 0..20 {
                    let begun = Instant::now();
                    let contacts = store.find_contacts(&query).await.expect("an answer");
                    times.push(begun.elapsed());
                    assert_eq!(contacts.len(), PAGE as usize, "{what}");
                }
                println!("{what:<33} {}", spread(times));
            }
            store.close().await;
        });
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.folder.join("contacts.db"), &SystemEntropy).await.expect("opened")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // What is left behind when this fails is a folder of temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The first of these times, the one in the middle, and the longest.
fn spread(mut times: Vec<Duration>) -> String {
    let first = times.first().copied().unwrap_or_default();
    times.sort();
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    let last = times.last().copied().unwrap_or_default();
    format!("{:>8.1}  {:>7.1}  {:>8.1}", ms(first), ms(middle), ms(last))
}
