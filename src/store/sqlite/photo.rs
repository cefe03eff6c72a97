//! Rows of photos.

use sqlx::SqliteConnection;

use super::error::unavailable;
use crate::domain::digest::Digest;
use crate::domain::photo::PhotoFile;
use crate::store::StoreError;

/// Keeps a photo, unless it is kept already.
pub(super) async fn put(connection: &mut SqliteConnection, photo: &PhotoFile) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO photo (digest, bytes) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING")
        .bind(photo.digest().as_bytes().to_vec())
        .bind(photo.bytes().to_vec())
        .execute(connection)
        .await
        .map_err(unavailable("storing a photo"))?;
    Ok(())
}

/// The photo of this digest.
pub(super) async fn load(connection: &mut SqliteConnection, digest: &Digest) -> Result<Option<PhotoFile>, StoreError> {
    let found: Option<Vec<u8>> = sqlx::query_scalar("SELECT bytes FROM photo WHERE digest = $1")
        .bind(digest.as_bytes().to_vec())
        .fetch_optional(connection)
        .await
        .map_err(unavailable("loading a photo"))?;
    // What a disk has spoilt is not the photo any more.
    match found.map(PhotoFile::of) {
        Some(photo) if photo.digest() != *digest => Err(StoreError::inconsistent("photo", "bytes", digest)),
        found => Ok(found),
    }
}
