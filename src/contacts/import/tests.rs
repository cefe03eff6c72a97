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
    let importer = Importer { store: &store, clock: &busybody, entropy: &entropy, effect: Effect::Write };
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
