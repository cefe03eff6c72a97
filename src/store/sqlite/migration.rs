//! The schema and its versions. The list names every file of `migrations/sqlite`; a released file is never edited.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection, SqlitePool};

use super::error::{unavailable, unopened};
use super::{meta, text};
use crate::clock::Entropy;
use crate::store::StoreError;

const DOING: &str = "bringing the schema up to date";

/// Number, name and text of each step, oldest first.
const STEPS: [(i64, &str, &str); 9] = [
    (1, "init", include_str!("../../../migrations/sqlite/0001_init.sql")),
    (2, "photos", include_str!("../../../migrations/sqlite/0002_photos.sql")),
    (3, "answers", include_str!("../../../migrations/sqlite/0003_answers.sql")),
    (4, "members", include_str!("../../../migrations/sqlite/0004_members.sql")),
    (5, "odd_groups", include_str!("../../../migrations/sqlite/0005_odd_groups.sql")),
    (6, "linked", include_str!("../../../migrations/sqlite/0006_linked.sql")),
    (7, "entries", include_str!("../../../migrations/sqlite/0007_entries.sql")),
    (8, "search", include_str!("../../../migrations/sqlite/0008_search.sql")),
    (9, "filters", include_str!("../../../migrations/sqlite/0009_filters.sql")),
];

/// Creates the tables that are missing, and the store's identity when it is new; all of it or nothing.
///
/// The write lock is taken before looking, so that two processes that start at once do not both create the tables.
pub(super) async fn bring_up_to_date(pool: &SqlitePool, entropy: &dyn Entropy) -> Result<(), StoreError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(unopened(DOING))?;
    refuse_newer(&mut transaction).await?;
    migrator().run_direct(None, &mut *transaction, false).await.map_err(not_migrated)?;
    meta::create_when_missing(&mut transaction, entropy).await?;
    text::refill_when_old(&mut transaction).await?;
    transaction.commit().await.map_err(unavailable(DOING))
}

/// A schema that another program made stays what it is; everything else may pass.
fn not_migrated(cause: MigrateError) -> StoreError {
    match cause {
        MigrateError::VersionMismatch(_) | MigrateError::VersionMissing(_) | MigrateError::Dirty(_) => {
            StoreError::Unusable { doing: DOING, cause: Box::new(cause) }
        }
        _ => StoreError::Unavailable { doing: DOING, cause: Box::new(cause) },
    }
}

fn migrator() -> Migrator {
    let steps = STEPS.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(steps.to_vec())
}

async fn refuse_newer(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let known = STEPS.iter().map(|(version, ..)| *version).max().unwrap_or(0);
    let is_new: bool = sqlx::query_scalar("SELECT COUNT(*) = 0 FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await
        .map_err(unavailable(DOING))?;
    if is_new {
        return Ok(());
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await
        .map_err(unavailable(DOING))?;
    match found {
        Some(found) if found > known => Err(StoreError::TooNew { found, known }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_every_file_of_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let listed: Vec<String> = STEPS.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
        assert_eq!(files, listed);
    }
}
