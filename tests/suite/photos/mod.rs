//! Photos, both ways: the real engine and client against the emulated service, which never serves the bytes it was given.

mod conflicts;
mod trouble;
mod wishes;

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::field::Field;
use contactsync::domain::id::{ContactId, RunId};
use contactsync::domain::pair::Promise;
use contactsync::domain::photo::PhotoFile;
use contactsync::domain::policy::ConflictPolicy;
use contactsync::remotes::Remote as _;
use contactsync::store::{Commit, Write};
use serde_json::{Value, json};

use crate::support::pictures::picture;
use crate::support::world::{World, as_person, person, promise};

const ADA: &str = "Ada King";
const UPLOAD: &str = "people.updateContactPhoto";
const REMOVAL: &str = "people.deleteContactPhoto";

impl World {
    /// Gives a contact of the store a photo, or takes it away, as a user would.
    async fn set_photo(&self, id: ContactId, bytes: Option<Vec<u8>>) {
        let file = bytes.map(PhotoFile::of);
        let photo = file.as_ref().map(PhotoFile::photo);
        let writes = file.into_iter().map(Write::Photo).collect();
        self.store.commit(Commit { fence: None, writes }).await.expect("kept");
        self.edit(id, |card| as_person(card).photo = photo).await;
    }

    /// Gives a person in Google a photo, or takes it away.
    fn google_set_photo(&self, name: &str, bytes: Option<Vec<u8>>) {
        let resource = self.resource(name);
        self.by_hand(|user| match bytes {
            Some(bytes) => user.set_photo(&resource, &bytes).map(drop),
            None => user.remove_photo(&resource).map(drop),
        })
        .expect("done");
    }

    /// The photo of a contact of the store.
    async fn store_photo(&self, id: ContactId) -> Option<Vec<u8>> {
        let digest = self.contact(id).await.card.photo()?.digest.clone();
        let file = self.store.photo(&digest.parse().expect("a digest")).await.expect("read");
        Some(file.expect("the bytes are kept").bytes().to_vec())
    }

    /// The photo of a person in Google as it was uploaded.
    fn google_photo(&self, name: &str) -> Option<Vec<u8>> {
        let resource = self.resource(name);
        self.by_hand(|user| user.photo(&resource).ok().map(<[u8]>::to_vec))
    }

    /// What Google serves as the photo of a person.
    async fn served_photo(&self, name: &str) -> Vec<u8> {
        let url = self.person(name)["photos"][0]["url"].as_str().expect("an address").to_owned();
        self.google.download_photo(&url).await.expect("served").to_vec()
    }

    fn calls_of(&self, method: &str) -> u64 {
        self.emulator().counters().method(method).calls
    }

    /// A run has nothing to do, and costs what it always costs.
    async fn assert_idle(&self) {
        let summary = self.sync().await;
        assert_eq!(
            (summary.outcome, summary.calls, summary.pulled.total() + summary.pushed.total()),
            (Outcome::Done, 2, 0),
            "{summary:?}"
        );
        self.assert_no_violation();
    }

    async fn run_id(&self) -> RunId {
        self.last_run().await
    }
}

/// One contact on both sides, without a photo.
async fn linked(promise: Promise) -> (World, ContactId) {
    let world = World::with(promise);
    let id = world.add(person(ADA)).await;
    world.settle().await;
    (world, id)
}

/// One contact on both sides with the same photo, which came from Google.
async fn pictured(promise: Promise) -> (World, ContactId) {
    let (world, id) = linked(promise).await;
    world.google_set_photo(ADA, Some(picture(1)));
    world.settle().await;
    assert_eq!(world.store_photo(id).await, Some(world.served_photo(ADA).await));
    world.advance(Duration::from_secs(48 * 3600));
    (world, id)
}

fn by(conflict: ConflictPolicy) -> Promise {
    Promise { conflict, ..promise() }
}

fn digest(bytes: &[u8]) -> Value {
    json!({ "digest": PhotoFile::of(bytes.to_vec()).photo().digest })
}

#[tokio::test]
async fn a_photo_set_in_the_store_goes_to_google_and_never_comes_back() {
    let (world, id) = linked(promise()).await;
    world.set_photo(id, Some(picture(1))).await;
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pushed.updated), (Outcome::Done, 1), "{summary:?}");
    assert_eq!(world.google_photo(ADA), Some(picture(1)));
    assert_ne!(world.served_photo(ADA).await, picture(1));
    world.assert_idle().await;
    world.sync_in_full().await;
    assert_eq!(world.store_photo(id).await, Some(picture(1)));
    assert_eq!(world.calls_of(UPLOAD), 1);
    world.set_photo(id, Some(picture(2))).await;
    world.sync().await;
    assert_eq!(world.google_photo(ADA), Some(picture(2)));
    world.assert_idle().await;
}

#[tokio::test]
async fn a_photo_set_in_google_comes_into_the_store() {
    let (world, id) = linked(promise()).await;
    world.google_set_photo(ADA, Some(picture(1)));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.updated, summary.pushed.total()), (Outcome::Done, 1, 0), "{summary:?}");
    assert_eq!(world.store_photo(id).await, Some(world.served_photo(ADA).await));
    let change = world.history(id).await.remove(0);
    assert_eq!((change.fields[0].field.clone(), change.run), (Field::Photo, Some(world.run_id().await)));
    world.assert_idle().await;
    assert_eq!(world.calls_of(UPLOAD), 0);
}

#[tokio::test]
async fn a_photo_removed_on_one_side_goes_on_the_other() {
    let (world, id) = pictured(promise()).await;
    world.google_set_photo(ADA, None);
    world.sync().await;
    assert_eq!(world.store_photo(id).await, None);
    world.assert_idle().await;

    let (world, id) = pictured(promise()).await;
    world.set_photo(id, None).await;
    world.sync().await;
    assert_eq!((world.google_photo(ADA), world.calls_of(REMOVAL)), (None, 1));
    world.assert_idle().await;
}

#[tokio::test]
async fn a_new_contact_brings_its_photo_along_either_way() {
    let (world, _) = linked(promise()).await;
    let mut grace = person("Grace Hopper");
    let file = PhotoFile::of(picture(3));
    as_person(&mut grace).photo = Some(file.photo());
    world.store.commit(Commit { fence: None, writes: vec![Write::Photo(file)] }).await.expect("kept");
    world.add(grace).await;
    world.google_create(json!({"names": [{"givenName": "Alan", "familyName": "Turing"}]}), &["Team"]);
    world.google_set_photo("Alan Turing", Some(picture(4)));
    let summary = world.sync().await;
    let (pushed, pulled) = (&summary.pushed, &summary.pulled);
    assert_eq!((pushed.created, pushed.updated, pulled.created, pulled.updated), (1, 0, 1, 0), "{summary:?}");
    assert_eq!(world.google_photo("Grace Hopper"), Some(picture(3)));
    let alan = world.by_name("Alan Turing").await.id;
    assert_eq!(world.store_photo(alan).await, Some(world.served_photo("Alan Turing").await));
    world.assert_idle().await;
}

#[tokio::test]
async fn another_address_of_the_same_photo_is_no_edit() {
    let (world, id) = pictured(promise()).await;
    let before = world.contact(id).await.version;
    let resource = world.resource(ADA);
    world.by_hand(|user| user.rotate_photo(&resource).expect("rotated"));
    let summary = world.sync().await;
    assert_eq!((summary.outcome, summary.pulled.total()), (Outcome::Done, 0), "{summary:?}");
    assert_eq!(world.contact(id).await.version, before);
    world.assert_idle().await;
    // The same for a photo that we sent.
    world.set_photo(id, Some(picture(2))).await;
    world.sync().await;
    world.by_hand(|user| user.rotate_photo(&resource).expect("rotated"));
    world.sync().await;
    assert_eq!(world.store_photo(id).await, Some(picture(2)));
    world.assert_idle().await;
}

#[tokio::test]
async fn an_edit_made_in_google_while_a_photo_is_sent_is_not_lost() {
    let (world, id) = linked(promise()).await;
    world.set_photo(id, Some(picture(1))).await;
    world.sync().await;
    world.set_photo(id, Some(picture(2))).await;
    // The listing of the next run does not show the edit yet; the answer to the upload does.
    world.switch(|settings| {
        settings.propagation.delta.min_ms = 60_000;
        settings.propagation.delta.max_ms = 60_000;
    });
    world.google_edit(ADA, &json!({"biographies": [{"value": "met in London"}]}));
    world.sync().await;
    assert_eq!(world.contact(id).await.card.notes.as_deref(), Some("met in London"));
    world.settle().await;
    assert_eq!(world.google_photo(ADA), Some(picture(2)));
    world.assert_equal().await;
}
