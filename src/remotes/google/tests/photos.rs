//! Photos against a scripted Google: what is sent where, and what is refused.

use serde_json::json;

use super::client::World;
use crate::domain::id::RemoteId;
use crate::remotes::scripted::Reply;
use crate::remotes::{Recovery, Remote as _, RemoteError};

const ADDRESS: &str = "https://lh3.googleusercontent.com/contacts/abc=s100";

fn person(photo: &serde_json::Value) -> serde_json::Value {
    json!({
        "resourceName": "people/c1",
        "metadata": { "sources": [{ "type": "CONTACT", "id": "1", "etag": "e2", "updateTime": "2026-11-20T08:00:00Z" }] },
        "photos": [photo],
    })
}

#[tokio::test]
async fn an_upload_answers_with_the_whole_contact() {
    let source = json!({ "source": { "type": "CONTACT", "id": "1" } });
    let shown = person(&json!({ "metadata": source, "url": ADDRESS }));
    let world = World::new([Reply::Json(200, json!({ "person": shown })), Reply::Json(200, json!({}))]);
    let id = RemoteId::new("people/c1");
    let record = world.google.put_photo(&id, b"bytes").await.expect("uploaded");
    assert_eq!(world.google.codec().photo(&record.wire).as_deref(), Some(ADDRESS));
    assert_eq!(world.lines(), ["PATCH /v1/people/c1:updateContactPhoto?prettyPrint=false"]);
    let body = world.body(0);
    assert_eq!((&body["photoBytes"], &body["sources"]), (&json!("Ynl0ZXM="), &json!(["READ_SOURCE_TYPE_CONTACT"])));
    let fields = body["personFields"].as_str().expect("a mask");
    assert!(["photos", "metadata", "names"].iter().all(|field| fields.split(',').any(|one| one == *field)));
    // An answer without the contact says nothing about its new revision.
    let error = world.google.put_photo(&id, b"bytes").await.expect_err("unreadable");
    assert_eq!(error.recovery(), Recovery::FindOut);
}

#[tokio::test]
async fn a_removal_answers_with_a_contact_that_has_a_monogram() {
    let source = json!({ "source": { "type": "CONTACT", "id": "1" } });
    let monogram = json!({ "metadata": source, "url": "https://lh3.googleusercontent.com/cm/1=s100", "default": true });
    let world = World::new([Reply::Json(200, json!({ "person": person(&monogram) }))]);
    let record = world.google.remove_photo(&RemoteId::new("people/c1")).await.expect("removed");
    assert_eq!(world.google.codec().photo(&record.wire), None);
    let line = world.lines().remove(0);
    assert!(line.starts_with("DELETE /v1/people/c1:deleteContactPhoto?") && line.contains("personFields="), "{line}");
}

#[tokio::test]
async fn a_photo_of_a_profile_is_not_that_of_the_contact() {
    let profile = json!({ "metadata": { "source": { "type": "PROFILE", "id": "9" } }, "url": ADDRESS });
    let world = World::new([Reply::Json(200, json!({ "person": person(&profile) }))]);
    let record = world.google.put_photo(&RemoteId::new("people/c1"), b"x").await.expect("uploaded");
    assert_eq!(world.google.codec().photo(&record.wire), None);
}

#[tokio::test]
async fn a_download_sends_no_token_and_only_goes_to_the_hosts_of_pictures() {
    let world = World::new([Reply::Raw(404, ""), Reply::Raw(404, "")]);
    for address in [ADDRESS, "https://people.example/contacts/abc=s100"] {
        let error = world.google.download_photo(address).await.expect_err("missing");
        assert!(matches!(error, RemoteError::Missing { .. }), "{error:?}");
    }
    assert_eq!(world.lines(), ["GET /contacts/abc=s720"; 2]);
    assert_eq!((world.header(0, "authorization"), world.header(1, "authorization")), (None, None));
    for address in [
        "http://lh3.googleusercontent.com/contacts/abc",
        "https://lh3.googleusercontent.com:8443/contacts/abc",
        "https://user@lh3.googleusercontent.com/contacts/abc",
        "https://googleusercontent.com.example/contacts/abc",
        "https://notgoogleusercontent.com/contacts/abc",
        "http://people.example/contacts/abc",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "abc",
    ] {
        let error = world.google.download_photo(address).await.expect_err("refused");
        assert!(matches!(error, RemoteError::Refused { .. }), "{address}: {error:?}");
    }
    assert_eq!(world.lines().len(), 2, "nothing was sent to the others");
}

#[tokio::test]
async fn a_download_is_tried_again_and_has_to_be_a_picture() {
    let world = World::new([Reply::Raw(503, ""), Reply::Lost, Reply::Raw(200, "no picture"), Reply::Raw(302, "")]);
    let error = world.google.download_photo(ADDRESS).await.expect_err("no picture");
    assert!(error.to_string().contains("no JPEG or PNG"), "{error}");
    let error = world.google.download_photo(ADDRESS).await.expect_err("elsewhere");
    assert!(error.to_string().contains("HTTP 302"), "{error}");
    let world = World::new((0..5).map(|_| Reply::Raw(503, "")));
    let error = world.google.download_photo(ADDRESS).await.expect_err("down");
    assert_eq!(error.recovery(), Recovery::FindOut);
}
