//! What cannot be read is never taken for what is not there: a missing contact can become a deletion.

use serde_json::{Value, json};

use super::client::{ALL, World, ids, person, refusal, since};
use crate::remotes::scripted::Reply;
use crate::remotes::{Presence, Remote as _, RemoteError};

/// People as an answer may hold them, of whom nothing can be said.
fn unreadable() -> [Value; 3] {
    let mut nameless = person(2);
    nameless.as_object_mut().expect("an object").remove("resourceName");
    [json!({}), json!("people/c2"), nameless]
}

fn batch(second: Value) -> Reply {
    let first = json!({"person": person(1), "requestedResourceName": "people/c1"});
    Reply::Json(200, json!({"responses": [first, second]}))
}

#[tokio::test]
async fn a_page_with_somebody_unreadable_says_so_and_shows_the_others() {
    for odd in unreadable() {
        for request in [ALL, since("s", None)] {
            let answer = json!({"connections": [person(1), odd], "nextSyncToken": "s2", "totalItems": 1});
            let world = World::new([Reply::Json(200, answer)]);
            let page = world.google.list_records(&request).await.expect("a page");
            assert_eq!((page.records.len(), page.unreadable.len()), (1, 1), "{odd}: {page:?}");
            assert!(page.unreadable[0].starts_with("entry 2 of a page"), "{page:?}");
        }
    }
}

#[tokio::test]
async fn an_item_that_does_not_say_that_there_is_no_contact_is_asked_for_by_itself() {
    let profile = json!({"resourceName": "people/c2", "metadata": {"sources": [{"type": "PROFILE", "id": "2"}]}});
    let bare = json!({"resourceName": "people/c2", "etag": "x"});
    let persons = unreadable().into_iter().chain([profile, bare]).map(|person| json!({"person": person}));
    let without = [json!({}), json!({"status": {}}), json!({"status": {"code": 3, "message": "Bad name."}})];
    for mut item in persons.chain(without) {
        item["requestedResourceName"] = json!("people/c2");
        let world = World::new([batch(item.clone()), Reply::Json(200, person(2))]);
        let records = world.google.fetch_records(&ids(1..3)).await.expect("records").records;
        assert_eq!(records.keys().map(|id| id.as_str()).collect::<Vec<_>>(), ["people/c1", "people/c2"], "{item}");
        let world = World::new([batch(item.clone()), refusal(404, "Requested entity was not found.")]);
        assert_eq!(world.google.fetch_records(&ids(1..3)).await.expect("records").records.len(), 1, "{item}");
        let world = World::new([batch(item.clone()), Reply::Json(200, json!({}))]);
        let fetched = world.google.fetch_records(&ids(1..3)).await.expect("records");
        assert_eq!((fetched.records.len(), fetched.unclear), (1, ids(2..3).into_iter().collect()), "{item}");
    }
}

#[tokio::test]
async fn contacts_that_an_answer_passes_over_are_asked_for_and_an_empty_one_is_no_answer() {
    let world = World::new([batch(json!({"status": {"code": 5}})), Reply::Json(200, person(2))]);
    assert_eq!(world.google.fetch_records(&ids(1..3)).await.expect("records").records.len(), 2);
    assert!(world.lines()[1].starts_with("GET /v1/people/c2?"), "{:?}", world.lines());
    let world = World::new([Reply::Json(200, json!({}))]);
    let error = world.google.fetch_records(&ids(1..3)).await.expect_err("nothing said");
    assert!(matches!(error, RemoteError::Lost { .. }), "{error:?}");
}

#[tokio::test]
async fn a_deleted_contact_needs_no_more_than_to_say_so() {
    let deleted = json!({"resourceName": "people/c2", "metadata": {"deleted": true}});
    let item = json!({"person": deleted, "requestedResourceName": "people/c2"});
    let world = World::new([batch(item)]);
    assert_eq!(world.google.fetch_records(&ids(1..3)).await.expect("records").records.len(), 1);
    let answer = json!({"connections": [deleted], "nextSyncToken": "s2"});
    let world = World::new([Reply::Json(200, answer)]);
    let page = world.google.list_records(&since("s", None)).await.expect("a page");
    assert_eq!(page.records.iter().map(|record| record.presence).collect::<Vec<_>>(), [Presence::Deleted]);
}

// The listing shows a hundred addresses at most; what it left out must not look removed.
#[tokio::test]
async fn a_contact_that_is_listed_in_part_and_cannot_be_read_is_not_shown() {
    let mut listed = person(1);
    listed["emailAddresses"] = (0..100).map(|number| json!({"value": format!("a{number}@example.org")})).collect();
    let missing = json!({"requestedResourceName": "people/c1", "status": {"code": 5}});
    let world = World::new([
        Reply::Json(200, json!({"connections": [listed], "nextSyncToken": "s"})),
        Reply::Json(200, json!({"responses": [missing]})),
    ]);
    let page = world.google.list_records(&ALL).await.expect("a page");
    assert_eq!((page.records, page.unreadable), (Vec::new(), vec!["people/c1".to_owned()]));
}
