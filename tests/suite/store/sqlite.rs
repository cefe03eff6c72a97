//! What only the SQLite store does: files, processes side by side, interruptions.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use contactsync::clock::SeededEntropy;
use contactsync::store::sqlite::SqliteStore;
use contactsync::store::{ContactQuery, LeaseRequest, Store, StoreError, Write};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::{sqlite_store, write};
use crate::support::values::*;

async fn open(path: &Path, seed: u64) -> SqliteStore {
    SqliteStore::open(path, &SeededEntropy::new(seed)).await.unwrap()
}

/// A connection that knows nothing of the rules of the store.
async fn by_hand(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[tokio::test]
async fn all_files_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/contactsync/store.db");
    let store = open(&path, 1).await;
    write(&store, vec![create(&contact(1, person("Ada King")))]).await.unwrap();
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    for made in [path.parent().unwrap(), &folder.path().join("state")] {
        assert_eq!(mode(made), 0o700, "{}", made.display());
    }
    store.close().await;
}

#[tokio::test]
async fn a_store_that_is_opened_again_finds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (ada, state) = (contact(1, person("Ada King")), account_state("sales"));
    let bound = link(1, Some(ada.id));
    let request = LeaseRequest {
        account: account("sales"),
        holder: "one".into(),
        ttl: std::time::Duration::from_secs(90),
        dead_holder: None,
    };

    let store = open(&path, 1).await;
    let identity = store.identity().await.unwrap();
    let writes = vec![create(&ada), put(&bound), open_intent(5, &bound), Write::Account(Box::new(state.clone()))];
    write(&store, writes).await.unwrap();
    let marker = store.mint_markers(10, time(0)).await.unwrap();
    let lease = store.acquire_lease(&request, time(0)).await.unwrap();
    store.close().await;
    assert!(!path.with_file_name("store.db-wal").exists(), "the journal is folded into the file");

    let store = open(&path, 2).await;
    assert_eq!(store.identity().await.unwrap(), identity);
    assert_eq!(store.contacts(&[ada.id]).await.unwrap(), [ada]);
    assert_eq!(store.links(&[bound.id]).await.unwrap(), std::slice::from_ref(&bound));
    assert_eq!(store.open_intents(&account("sales")).await.unwrap(), [intent(5, &bound)]);
    assert_eq!(store.accounts().await.unwrap(), [state]);
    assert_eq!(store.feed_end().await.unwrap(), 1);
    assert_eq!(store.mint_markers(1, time(0)).await.unwrap().0, marker.0 + 10);
    assert_eq!(store.acquire_lease(&request, time(1)).await.unwrap(), lease);
    store.close().await;
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    open(&path, 1).await.close().await;
    let mut connection = by_hand(&path).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (999, 'future', TRUE, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let before = fs::read(&path).unwrap();
    let refused = SqliteStore::open(&path, &SeededEntropy::new(1)).await;
    assert!(matches!(refused, Err(StoreError::TooNew { found: 999, known: 9 })), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let content = "name,phone\n".repeat(1000);
    fs::write(&path, &content).unwrap();
    let refused = SqliteStore::open(&path, &SeededEntropy::new(1)).await;
    assert!(matches!(refused, Err(StoreError::Unusable { .. })), "{refused:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_that_start_at_once_share_one_new_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let opened = (1..=4).map(|seed| {
        let path = path.clone();
        tokio::spawn(async move { open(&path, seed).await.identity().await.unwrap() })
    });
    let identities = try_join_all(opened).await.unwrap();
    assert!(identities.iter().all(|identity| *identity == identities[0]), "{identities:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_of_two_programs_on_one_file_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (one, two) = (open(&path, 1).await, open(&path, 2).await);
    let tasks = (0..40).map(|number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move {
            let ada = contact(number, person("Ada King"));
            let again = edited(&ada, |_| {});
            write(&store, vec![create(&ada)]).await?;
            store.mint_markers(1, time(0)).await?;
            let found = store.contacts(&[ada.id]).await?;
            assert_eq!(found, std::slice::from_ref(&ada));
            write(&store, vec![replace(&again, &ada.version)]).await
        })
    });
    let outcomes = try_join_all(tasks).await.unwrap();
    let mut places: Vec<u64> = outcomes.into_iter().map(|outcome| outcome.unwrap().changes[0].1).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!((places.len(), one.feed_end().await.unwrap()), (40, 80));
    assert_eq!(two.changed_contacts(0, 100).await.unwrap().len(), 40);
}

#[tokio::test]
async fn of_two_writes_decided_on_one_version_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (one, two) = (open(&path, 1).await, open(&path, 2).await);
    let ada = contact(1, person("Ada King"));
    write(&one, vec![create(&ada)]).await.unwrap();
    let edit = |notes: &str| edited(&ada, |contact| contact.card.notes = Some(notes.into()));
    let (first, second) = (edit("first"), edit("second"));
    let outcomes = futures_util::join!(
        write(&one, vec![replace(&first, &ada.version)]),
        write(&two, vec![replace(&second, &ada.version)]),
    );
    assert!(
        matches!(outcomes, (Ok(_), Err(StoreError::Moved { .. })) | (Err(StoreError::Moved { .. }), Ok(_))),
        "{outcomes:?}"
    );
}

/// Many rows in many tables: all of them are there, or none.
fn a_large_commit() -> Vec<Write> {
    let contacts: Vec<_> = (1..=60).map(|number| contact(number, with_label(person("Ada King"), "x"))).collect();
    let links: Vec<_> = contacts.iter().zip(1..).map(|(contact, number)| link(number, Some(contact.id))).collect();
    contacts.iter().map(create).chain(links.iter().map(put)).collect()
}

async fn rows_of_a_large_commit(store: &dyn Store) -> (usize, usize, u64) {
    let contacts: Vec<_> = (1..=60).map(contact_id).collect();
    let links: Vec<_> = (1..=60).map(link_id).collect();
    (
        store.contacts(&contacts).await.unwrap().len(),
        store.links(&links).await.unwrap().len(),
        store.feed_end().await.unwrap(),
    )
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_still_ends_as_a_whole() {
    let (store, _folder) = sqlite_store().await;
    // Polled once, then dropped.
    assert!(write(&store, a_large_commit()).now_or_never().is_none());
    // The next write waits for the one that goes on.
    store.mint_markers(1, time(0)).await.unwrap();
    assert_eq!(rows_of_a_large_commit(&store).await, (60, 60, 60));
}

#[test]
fn a_commit_cut_off_with_its_runtime_is_there_as_a_whole_or_not_at_all() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for cut in 0..24_u32 {
        let path = folder.path().join(format!("{cut}.db"));
        let first = runtime();
        first.block_on(async {
            let store = open(&path, 1).await;
            assert!(write(&store, a_large_commit()).now_or_never().is_none());
            // Each step of the commit wakes this task about once.
            for _ in 0..cut * cut * 10 {
                tokio::task::yield_now().await;
            }
        });
        drop(first);
        runtime().block_on(async {
            let rows = rows_of_a_large_commit(&open(&path, 1).await).await;
            assert!(rows == (0, 0, 0) || rows == (60, 60, 60), "cut at {cut}: {rows:?}");
            seen.insert(rows);
        });
    }
    assert!(seen.contains(&(0, 0, 0)), "every commit was whole before it was cut");
}

#[tokio::test]
async fn a_copy_is_a_store_of_its_own() {
    let (store, folder) = sqlite_store().await;
    let ada = contact(1, person("Ada King"));
    write(&store, vec![create(&ada)]).await.unwrap();
    let path = folder.path().join("copy/preview.db");
    store.copy_to(&path).await.unwrap();
    assert_eq!(mode(&path), 0o600);
    write(&store, vec![create(&contact(2, person("Eve Hill")))]).await.unwrap();

    let copy = open(&path, 2).await;
    assert_eq!(copy.contacts(&[1, 2].map(contact_id)).await.unwrap(), [ada]);
    assert_eq!(copy.identity().await.unwrap(), store.identity().await.unwrap());
    write(&copy, vec![create(&contact(3, person("Zoe Adams")))]).await.unwrap();
    assert_eq!(store.contacts(&[contact_id(3)]).await.unwrap(), []);
    copy.close().await;

    let before = fs::read(&path).unwrap();
    let refused = store.copy_to(&path).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn an_odd_row_is_named() {
    let (store, folder) = sqlite_store().await;
    let ada = contact(1, person("Ada King"));
    write(&store, vec![create(&ada)]).await.unwrap();
    let mut connection = by_hand(&folder.path().join("store.db")).await;
    sqlx::query("UPDATE contact SET card = '{'").execute(&mut connection).await.unwrap();
    let refused = store.contacts(&[ada.id]).await;
    let Err(StoreError::Inconsistent { table: "contact", column: "card", row, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(row, ada.id.to_string());
}

#[tokio::test]
async fn the_schema_itself_refuses_what_must_not_be() {
    let (store, folder) = sqlite_store().await;
    let ada = contact(1, person("Ada King"));
    write(&store, vec![create(&ada), put(&link(1, Some(ada.id)))]).await.unwrap();
    let mut connection = by_hand(&folder.path().join("store.db")).await;
    for harm in [
        "UPDATE link SET contact = NULL",
        "UPDATE link SET remote = NULL",
        "UPDATE link SET state = 'lost'",
        "UPDATE link SET base_remote = NULL",
        "UPDATE link SET contact = '01ARZ3NDEKTSV4RRFFQ69G5FAV'",
        "UPDATE contact SET kind = 'robot'",
        "DELETE FROM contact",
        "DELETE FROM link",
        "INSERT INTO store_meta SELECT 2, id, epoch, hash_key, last_marker, last_place, search_revision FROM store_meta",
        "UPDATE change SET action = 'guessed'",
    ] {
        // What is deleted is referred to by tokens and keys, whose rows go with a link but not with a contact.
        let outcome = sqlx::query(harm).execute(&mut connection).await;
        assert_eq!(outcome.is_err(), harm != "DELETE FROM link", "{harm}: {outcome:?}");
    }
}

fn looking_for(text: &str) -> ContactQuery {
    ContactQuery { text: Some(text.into()), ..ContactQuery::default() }
}

#[tokio::test]
async fn contacts_of_a_former_release_are_found_once_the_store_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let contacts: Vec<_> = (1..=700).map(|number| contact(number, person(&format!("Ada Number{number}")))).collect();
    let store = open(&path, 1).await;
    write(&store, contacts.iter().map(create).collect()).await.unwrap();
    store.close().await;
    // As the migration leaves it.
    let mut connection = by_hand(&path).await;
    for clear in [
        "DELETE FROM contact_trigram",
        "DELETE FROM contact_text",
        "UPDATE store_meta SET search_revision = 0",
        "UPDATE contact SET card = '{' WHERE id = (SELECT MIN(id) FROM contact)",
    ] {
        sqlx::query(clear).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();

    let store = open(&path, 2).await;
    for (text, expected) in [("number700", contacts[699].id), ("ada number350", contacts[349].id)] {
        let found = store.find_contacts(&looking_for(text)).await.unwrap();
        assert_eq!(found.iter().map(|contact| contact.id).collect::<Vec<_>>(), [expected], "{text}");
    }
    store.close().await;
    let mut connection = by_hand(&path).await;
    let numbers: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM contact_text").fetch_one(&mut connection).await.unwrap();
    assert_eq!(numbers, 699, "the odd row is left to whoever reads it");
}

#[tokio::test]
async fn a_copy_finds_what_its_original_finds_and_what_came_later() {
    let (store, folder) = sqlite_store().await;
    // Rows go and come, so that numbers are not those of the rows of contacts.
    let (ada, eve) = (contact(2, person("Ada King")), contact(1, person("Eve Hill")));
    write(&store, vec![create(&ada)]).await.unwrap();
    write(&store, vec![create(&eve)]).await.unwrap();
    let path = folder.path().join("copy/preview.db");
    store.copy_to(&path).await.unwrap();
    let copy = open(&path, 2).await;
    write(&copy, vec![create(&contact(3, person("Zoe Adams")))]).await.unwrap();
    for (text, expected) in [("king", ada.id), ("hill", eve.id), ("adams", contact_id(3))] {
        let found = copy.find_contacts(&looking_for(text)).await.unwrap();
        assert_eq!(found.iter().map(|contact| contact.id).collect::<Vec<_>>(), [expected], "{text}");
    }
    copy.close().await;
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_named() {
    let (store, folder) = sqlite_store().await;
    let mut connection = by_hand(&folder.path().join("store.db")).await;
    let odd = r#"INSERT INTO filter VALUES ('VIPs', '{"conditions":[{"field":"labels","test":"sounds_like"}]}', 1, 1)"#;
    sqlx::query(odd).execute(&mut connection).await.unwrap();
    for refused in [store.filter("VIPs").await.map(|_| ()), store.filters().await.map(|_| ())] {
        let Err(StoreError::Inconsistent { table: "filter", column: "definition", row, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(row, "VIPs");
    }
}
