//! Photos: their bytes, and which links may have different ones on their sides.

use contactsync::domain::contact::{Card, Photo};
use contactsync::domain::digest::Digest;
use contactsync::domain::link::{Link, LinkState, PhotoLook, PhotoRefusal, PhotoSending, PhotoTrail};
use contactsync::domain::photo::PhotoFile;
use contactsync::store::Write;

use super::{AnyStore, write};
use crate::support::values::*;

fn with_photo(photo: Option<Photo>) -> Card {
    let mut card = person("Ada King");
    card.as_person_mut().expect("a person").photo = photo;
    card
}

pub async fn a_photo_is_kept_once_and_for_ever(store: AnyStore) {
    let (photo, other) = (PhotoFile::of(&b"one"[..]), PhotoFile::of(&b"two"[..]));
    assert_eq!(store.photo(&photo.digest()).await.unwrap(), None);
    let first = contact(1, with_photo(Some(photo.photo())));
    write(&*store, vec![Write::Photo(photo.clone()), create(&first)]).await.unwrap();
    write(&*store, vec![Write::Photo(photo.clone()), Write::Photo(other.clone())]).await.unwrap();
    let gone = edited(&first, |contact| contact.card = with_photo(None));
    write(&*store, vec![replace(&gone, &first.version)]).await.unwrap();
    assert_eq!(store.photo(&photo.digest()).await.unwrap(), Some(photo));
    assert_eq!(store.photo(&other.digest()).await.unwrap(), Some(other));
    assert_eq!(store.photo(&Digest::of_bytes(b"three")).await.unwrap(), None);
}

pub async fn a_refused_commit_keeps_no_photo(store: AnyStore) {
    let photo = PhotoFile::of(&b"one"[..]);
    let absent = contact(1, with_photo(Some(photo.photo())));
    let refused = write(&*store, vec![Write::Photo(photo.clone()), replace(&absent, &version(1))]).await;
    assert!(refused.is_err());
    assert_eq!(store.photo(&photo.digest()).await.unwrap(), None);
}

pub async fn a_photo_is_due_while_either_side_differs(store: AnyStore) {
    let due = async || store.photo_links(&account("sales"), None, 9).await.unwrap();
    let photo = PhotoFile::of(&b"one"[..]).photo();
    let first = contact(1, with_photo(None));
    let mut bound = link(1, Some(first.id));
    write(&*store, vec![create(&first), put(&bound)]).await.unwrap();
    assert_eq!(due().await, []);

    // The contact gets a photo, by an edit that knows nothing of links.
    let second = edited(&first, |contact| contact.card = with_photo(Some(photo.clone())));
    write(&*store, vec![replace(&second, &first.version)]).await.unwrap();
    assert_eq!(due().await, [bound.id]);
    *bound.photo = PhotoTrail { agreed: Some(photo.digest.clone()), ..PhotoTrail::default() };
    write(&*store, vec![put(&bound)]).await.unwrap();
    assert_eq!(due().await, []);

    // The remote shows one.
    bound.photo.shown = Some("https://example.org/p".to_owned());
    write(&*store, vec![put(&bound)]).await.unwrap();
    assert_eq!(due().await, [bound.id]);
    assert_eq!(store.photo_links(&account("other"), None, 9).await.unwrap(), []);
    assert_eq!(store.photo_links(&account("sales"), Some(bound.id), 9).await.unwrap(), []);
    bound.photo.address.clone_from(&bound.photo.shown);
    write(&*store, vec![put(&bound)]).await.unwrap();
    assert_eq!(due().await, [bound.id], "what is there was not looked at yet");
    bound.photo.served = Some("bb".to_owned());
    write(&*store, vec![put(&bound)]).await.unwrap();
    assert_eq!(due().await, []);

    // One is on its way.
    bound.photo.sending = Some(PhotoSending { digest: None, at: time(3) });
    write(&*store, vec![put(&bound)]).await.unwrap();
    assert_eq!(due().await, [bound.id]);
    // What is not kept equal needs nothing.
    write(&*store, vec![put(&Link { state: LinkState::Dormant, ..bound.clone() })]).await.unwrap();
    assert_eq!(due().await, []);
}

pub async fn what_is_known_of_a_photo_is_found_as_it_was_stored(store: AnyStore) {
    let text = |text: &str| Some(text.to_owned());
    let trail = PhotoTrail {
        agreed: text("aa"),
        address: text("https://example.org/1"),
        served: text("bb"),
        shown: text("https://example.org/2"),
        looked: Some(PhotoLook { address: "https://example.org/2".to_owned(), digest: "dd".to_owned() }),
        sending: Some(PhotoSending { digest: text("cc"), at: time(3) }),
        refused: Some(PhotoRefusal { ours: text("aa"), theirs: None, reason: "too large".to_owned() }),
    };
    let owner = contact(1, person("Ada King"));
    let kept = Link { photo: Box::new(trail), ..link(1, Some(owner.id)) };
    write(&*store, vec![create(&owner), put(&kept)]).await.unwrap();
    assert_eq!(store.links(&[kept.id]).await.unwrap(), [kept]);
}
