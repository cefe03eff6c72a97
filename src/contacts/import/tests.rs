//! An import among others who work on the same store.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use serde_json::json;

use super::*;
use crate::clock::{ManualClock, SeededEntropy};
use crate::contacts::edit::Editor;
use crate::domain::contact::Kind;
use crate::domain::time::Timestamp;
use crate::formats;
use crate::store::memory::MemoryStore;

/// Somebody who edits a contact whenever the import looks at the clock, which it does between reading a contact and
/// writing it.
struct Busybody<'a> {
    editor: Editor<'a>,
    contact: ContactId,
    edits: AtomicU32,
    edits_max: u32,
}

#[async_trait::async_trait]
impl Clock for Busybody<'_> {
    fn now(&self) -> Timestamp {
        let edit = self.edits.fetch_add(1, Ordering::SeqCst);
        if edit < self.edits_max {
            let patch = json!({"notes": format!("edit {edit}")});
            let edited = self.editor.edit(self.contact, Kind::Person, &patch).now_or_never();
            edited.expect("the store in memory never waits").expect("edited");
        }
        self.editor.clock.now()
    }

    async fn sleep(&self, _: std::time::Duration) {}
}

async fn import_beside(edits_max: u32) -> (Result<ImportReport, StoreError>, Card) {
    let entropy = SeededEntropy::new(7);
    let store = MemoryStore::new(&entropy);
    let clock = ManualClock::new("2026-11-23T15:00:00Z".parse().expect("a time"));
    let editor = Editor { store: &store, clock: &clock, entropy: &entropy, actor: Actor::User };
    let patch = json!({"name": "Ada King", "emails": ["ada@example.org"]});
    let contact = editor.add(Kind::Person, &patch).await.expect("added").id;
    let busybody = Busybody { editor, contact, edits: AtomicU32::new(0), edits_max };
    let importer = Importer {
        store: &store,
        clock: &busybody,
        entropy: &entropy,
        effect: Effect::Write,
        home: None,
        currency: None,
    };
    let file = b"Name,E-mail,Job title\nAda King,ada@example.org,CTO\nBob Stone,bob@example.org,CEO\n";
    let file = formats::open("people.csv", file, None).expect("a table");
    let import = ImportId::new(clock.now(), 1);
    let report = importer.import(import, file.items(), |_| (), |_| ()).await;
    let ada = store.contacts(&[contact]).await.expect("read").pop().expect("there").card;
    (report, ada)
}

#[tokio::test]
async fn an_edit_of_somebody_else_in_between_is_kept_and_counted_once() {
    let (report, ada) = import_beside(1).await;
    let report = report.expect("imported");
    assert_eq!((report.created, report.updated, report.unchanged), (1, 1, 0));
    let person = ada.as_person().expect("a person");
    assert_eq!((person.job_title.as_deref(), ada.notes.as_deref()), (Some("CTO"), Some("edit 0")));
}

#[tokio::test]
async fn an_import_gives_up_when_others_are_faster_each_time() {
    let (report, ada) = import_beside(u32::MAX).await;
    assert!(matches!(report, Err(StoreError::Moved { .. })), "{report:?}");
    assert_eq!(ada.as_person().expect("a person").job_title, None);
}

/// Somebody who imports the same file while the first import is between reading and writing.
struct Rival<'a> {
    store: &'a MemoryStore,
    clock: &'a ManualClock,
    entropy: &'a SeededEntropy,
    began: AtomicU32,
}

const PEOPLE: &[u8] = b"Name,E-mail,Company\nAda King,ada@example.org,Acme\nBob Stone,bob@example.org,Acme\nZoe,,\n";

async fn import_people(store: &MemoryStore, clock: &dyn Clock, entropy: &SeededEntropy) -> ImportReport {
    let importer = Importer { store, clock, entropy, effect: Effect::Write, home: None, currency: None };
    let file = formats::open("people.csv", PEOPLE, None).expect("a table");
    let import = ImportId::new("2026-11-23T15:00:00Z".parse().expect("a time"), entropy.next_u128());
    importer.import(import, file.items(), |_| (), |_| ()).await.expect("imported")
}

#[async_trait::async_trait]
impl Clock for Rival<'_> {
    fn now(&self) -> Timestamp {
        if self.began.fetch_add(1, Ordering::SeqCst) == 0 {
            let imported = import_people(self.store, self.clock, self.entropy).now_or_never();
            assert_eq!(imported.expect("the store in memory never waits").created, 4);
        }
        self.clock.now()
    }

    async fn sleep(&self, _: std::time::Duration) {}
}

#[tokio::test]
async fn two_imports_of_one_file_at_once_make_each_contact_once() {
    let entropy = SeededEntropy::new(7);
    let store = MemoryStore::new(&entropy);
    let clock = ManualClock::new("2026-11-23T15:00:00Z".parse().expect("a time"));
    let rival = Rival { store: &store, clock: &clock, entropy: &entropy, began: AtomicU32::new(0) };
    let report = import_people(&store, &rival, &entropy).await;
    assert_eq!((report.created, report.updated), (0, 0), "{report:?}");
    let all = store.find_contacts(&crate::store::ContactQuery::default()).await.expect("read");
    assert_eq!(all.len(), 4, "three people and their organization");
}

#[tokio::test]
async fn a_number_of_the_home_region_is_one_however_it_is_spelled() {
    let entropy = SeededEntropy::new(7);
    let store = MemoryStore::new(&entropy);
    let clock = ManualClock::new("2026-11-23T15:00:00Z".parse().expect("a time"));
    let take_in = async |phone: &str, home: Option<&str>| {
        let home = home.and_then(|code| code.parse().ok());
        let importer =
            Importer { store: &store, clock: &clock, entropy: &entropy, effect: Effect::Write, home, currency: None };
        let text = format!("Name,Phone\nAda King,{phone}\n");
        let file = formats::open("people.csv", text.as_bytes(), None).expect("a table");
        let import = ImportId::new(clock.now(), entropy.next_u128());
        importer.import(import, file.items(), |_| (), |_| ()).await.expect("imported")
    };
    assert_eq!(take_in("030 1234567", None).await.created, 1);
    for phone in ["+49 30 1234567", "0049-30-1234567", "(030) 1234567"] {
        let report = take_in(phone, Some("DE")).await;
        assert_eq!((report.created, report.updated, report.unchanged), (0, 0, 1), "{phone}");
    }
    let all = store.find_contacts(&crate::store::ContactQuery::default()).await.expect("read");
    let phones: Vec<&str> = all[0].card.phones.iter().map(|phone| phone.value.as_str()).collect();
    assert_eq!((all.len(), phones), (1, vec!["030 1234567"]), "the spelling of the store stays");
    assert_eq!(take_in("+49 30 1234567", None).await.created, 1, "without a region, nobody knows");
}
