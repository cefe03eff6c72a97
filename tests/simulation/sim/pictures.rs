//! Pictures that show a value, on either side.

use std::collections::BTreeSet;

use contactsync::clock::Clock as _;
use contactsync::domain::contact::Card;
use contactsync::domain::digest::Digest;

use super::setting;
use super::stage::Stage;

const MARK: &str = "photo:";
/// How long the values of users are.
const VALUE_BYTES: usize = 5;

/// A small PNG picture that shows a value.
pub fn picture(value: &str) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(96_u32.to_be_bytes());
    bytes.extend(96_u32.to_be_bytes());
    bytes.extend([8, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(b"\0\0\0\x0bIDAT");
    bytes.extend(MARK.as_bytes());
    bytes.extend(value.as_bytes());
    bytes.extend(b"\0\0\0\0\0\0\0\0IEND\xae\x42\x60\x82");
    bytes
}

/// The value that a picture shows.
fn shown(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let after = text.split(MARK).nth(1)?;
    Some(after.chars().take(VALUE_BYTES).collect())
}

/// The value that the photo of a contact shows.
pub async fn in_store(stage: &Stage, card: &Card) -> Option<String> {
    by_digest(stage, &card.as_person()?.photo.as_ref()?.digest).await
}

/// The value that the picture with this digest shows.
pub async fn by_digest(stage: &Stage, digest: &str) -> Option<String> {
    let digest: Digest = digest.parse().ok()?;
    let file = stage.store.photo(&digest).await.expect("photos")?;
    shown(file.bytes())
}

/// The value that the photo of a record shows.
pub fn in_google(stage: &Stage, account: usize, record: &str) -> Option<String> {
    let now = stage.world.now();
    let mut emulator = stage.emulator();
    let user = emulator.user(setting::account(account).1, now).expect("the account");
    shown(user.photo(record).ok()?)
}

/// What the pictures show whose digests are among these texts.
pub async fn told(stage: &Stage, texts: &BTreeSet<String>) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for text in texts.iter().filter(|text| text.len() == 64) {
        values.extend(by_digest(stage, text).await);
    }
    values
}
