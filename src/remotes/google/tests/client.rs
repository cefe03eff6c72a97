//! Conversations with a scripted Google: what is sent, what is tried again, and what the caller is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::super::{Google, GoogleOptions, Mapping};
use crate::clock::{Clock as _, ManualClock, SeededEntropy};
use crate::domain::id::{AccountName, ChangeToken, Etag, GroupId, RemoteId};
use crate::domain::time::Timestamp;
use crate::remotes::id_token::Identity;
use crate::remotes::scripted::{Reply, Scripted};
use crate::remotes::token_cache::{AccessToken, TokenCache, TokenSource};
use crate::remotes::{PageRequest, Recovery, Remote, RemoteError, Update, Updated};

/// Hands out `t1`, `t2`, …
#[derive(Default)]
struct Tokens {
    number: AtomicU32,
    refused: bool,
    /// Whose they are, and whose from the second one on.
    identity: Option<Identity>,
    successor: Option<Identity>,
}

#[async_trait]
impl TokenSource for Tokens {
    async fn fetch(&self) -> Result<AccessToken, RemoteError> {
        if self.refused {
            return Err(RemoteError::Lost { method: "token", detail: "HTTP 503".to_owned(), cause: None });
        }
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        let expires = Timestamp::EPOCH.plus(Duration::from_secs(1_000_000));
        let identity = if number == 1 { &self.identity } else { &self.successor };
        Ok(AccessToken { secret: format!("t{number}").into(), expires, identity: identity.clone() })
    }
}

pub(super) struct World {
    pub(super) google: Google,
    script: Arc<Scripted>,
    clock: Arc<ManualClock>,
}

impl World {
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        World::with_tokens(replies, Tokens::default())
    }

    fn with_tokens(replies: impl IntoIterator<Item = Reply>, tokens: Tokens) -> Self {
        let script = Arc::new(Scripted::new(replies));
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let options = GoogleOptions {
            api_url: "https://people.example/".parse().expect("url"),
            account: AccountName::new("sales"),
            vouched: None,
            mapping: Mapping::default(),
            reads_per_minute: 60,
            writes_per_minute: 60,
        };
        let tokens = Arc::new(TokenCache::new(Arc::new(tokens), clock.clone()));
        let entropy = Arc::new(SeededEntropy::new(3));
        let google = Google::new(options, script.clone(), tokens, clock.clone(), entropy);
        World { google, script, clock }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.script.asked().into_iter().map(|(line, _)| line).collect()
    }

    pub(super) fn header(&self, number: usize, name: &str) -> Option<String> {
        self.script.header(number, name)
    }

    pub(super) fn body(&self, number: usize) -> Value {
        serde_json::from_str(&self.script.asked()[number].1).expect("a JSON body")
    }

    fn waited(&self) -> Duration {
        self.clock.now().since(Timestamp::EPOCH)
    }
}

pub(super) fn person(number: u32) -> Value {
    json!({"resourceName": format!("people/c{number}"),
        "metadata": {"sources": [{"type": "CONTACT", "id": format!("{number}"), "etag": format!("#{number}")}]},
        "names": [{"givenName": "Ada"}]})
}

pub(super) fn ids(numbers: std::ops::Range<u32>) -> Vec<RemoteId> {
    numbers.map(|number| RemoteId::new(format!("people/c{number}"))).collect()
}

fn update(number: u32) -> Update {
    Update {
        id: RemoteId::new(format!("people/c{number}")),
        etag: Etag::new(format!("#new{number}")),
        wire: person(number),
    }
}

fn mask() -> Vec<String> {
    vec!["names".to_owned(), "clientData".to_owned()]
}

pub(super) const ALL: PageRequest = PageRequest { since: None, page: None };

pub(super) fn since(token: &str, page: Option<&str>) -> PageRequest {
    PageRequest { since: Some(ChangeToken::new(token)), page: page.map(str::to_owned) }
}

pub(super) fn refusal(code: u16, message: &str) -> Reply {
    Reply::Json(code, json!({"error": {"code": code, "message": message, "status": "X"}}))
}

#[tokio::test]
async fn a_listing_is_asked_for_in_one_frozen_form() {
    let world = World::new([
        Reply::Json(
            200,
            json!({"connections": [person(1)], "nextPageToken": "p 2", "nextSyncToken": "early", "totalItems": 2}),
        ),
        Reply::Json(200, json!({"connections": [person(2)], "nextSyncToken": "s1"})),
        Reply::Json(200, json!({"nextSyncToken": "s2"})),
    ]);
    let page = world.google.list_records(&ALL).await.expect("a page");
    assert_eq!((page.records.len(), page.next_page.as_deref(), page.total), (1, Some("p 2"), Some(2)));
    assert!(page.next_token.is_none(), "only the last page has the token");
    let request = PageRequest { since: None, page: page.next_page };
    let page = world.google.list_records(&request).await.expect("a page");
    assert_eq!(page.next_token, Some(ChangeToken::new("s1")));
    let page = world.google.list_records(&since("s1", None)).await.expect("a page");
    assert!(page.records.is_empty());
    let first = "GET /v1/people/me/connections?personFields=names,nicknames,emailAddresses,phoneNumbers,addresses,\
        organizations,birthdays,events,biographies,urls,relations,imClients,userDefined,externalIds,\
        sipAddresses,calendarUrls,locations,occupations,interests,locales,genders,miscKeywords,clientData,\
        memberships,photos,metadata&sources=READ_SOURCE_TYPE_CONTACT&pageSize=1000&requestSyncToken=true&prettyPrint=false";
    assert_eq!(world.lines(), [first.to_owned(), format!("{first}&pageToken=p+2"), format!("{first}&syncToken=s1")]);
    assert_eq!(world.script.header(0, "authorization").as_deref(), Some("Bearer t1"));
    assert_eq!(world.script.header(0, "accept-language").as_deref(), Some("en"));
    assert_eq!(world.google.calls(), 3);
}

#[tokio::test]
async fn a_dead_change_token_is_told_apart_from_trouble() {
    let expired = "Sync token is expired. Clear local cache and retry call without the sync token.";
    let world = World::new([refusal(400, expired), refusal(400, "Request contains an invalid argument.")]);
    for _ in 0..2 {
        let error = world.google.list_records(&since("s", None)).await.expect_err("expired");
        assert!(matches!(error, RemoteError::TokenExpired), "{error:?}");
    }
}

#[tokio::test]
async fn reads_are_tried_five_times_with_growing_waits() {
    let world = World::new([
        Reply::Raw(503, "<html>"),
        Reply::Lost,
        Reply::NotSent,
        Reply::Raw(200, "{\"connections\": [tru"),
        Reply::Json(200, json!({"nextSyncToken": "s"})),
        Reply::Raw(500, ""),
        Reply::Raw(500, ""),
        Reply::Raw(500, ""),
        Reply::Raw(500, ""),
        Reply::Raw(500, ""),
    ]);
    world.google.list_records(&ALL).await.expect("the fifth try");
    assert!(world.waited() <= Duration::from_secs(15), "{:?}", world.waited());
    let error = world.google.list_records(&ALL).await.expect_err("five times");
    assert!(matches!(error, RemoteError::Lost { .. }), "{error:?}");
    assert_eq!(world.google.calls(), 10);
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_is_sent_once() {
    for reply in [Reply::Lost, Reply::Raw(503, ""), Reply::Raw(200, "{\"resourceNa"), Reply::Json(200, json!({}))] {
        let world = World::new([reply]);
        let error = world.google.create_records(&[person(1)]).await.expect_err("unknown");
        assert!(matches!(error, RemoteError::Lost { .. }), "{error:?}");
        assert_eq!(world.google.calls(), 1);
    }
    let world = World::new([Reply::NotSent]);
    let error = world.google.create_records(&[person(1)]).await.expect_err("not sent");
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_write_refused_for_its_pace_waits_for_the_next_minute_and_is_sent_again() {
    let world = World::new([refusal(429, "Quota exceeded"), Reply::Json(200, person(1))]);
    let records = world.google.create_records(&[person(1)]).await.expect("the second try").records;
    assert_eq!(records.len(), 1);
    assert!(world.waited() >= Duration::from_secs(60), "{:?}", world.waited());
    let world =
        World::new([refusal(429, "Quota exceeded"), refusal(429, "Quota exceeded"), refusal(429, "Quota exceeded")]);
    let error = world.google.create_records(&[person(1)]).await.expect_err("three times");
    assert!(matches!(error, RemoteError::RateLimited { .. }), "{error:?}");
}

#[tokio::test]
async fn an_exhausted_storage_stops_writes_for_long_and_reads_go_on() {
    let details = json!([{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []}]);
    let exhausted = || {
        Reply::Json(429, json!({"error": {"code": 429, "message": "Resource has been exhausted", "details": details}}))
    };
    let world = World::new([exhausted(), Reply::Json(200, json!({"nextSyncToken": "s"})), exhausted()]);
    let pause = |error| match error {
        RemoteError::RateLimited { retry_after, .. } => retry_after.as_secs(),
        other => panic!("{other:?}"),
    };
    assert_eq!(pause(world.google.create_records(&[person(1)]).await.expect_err("exhausted")), 300);
    world.google.list_records(&ALL).await.expect("a read");
    let paused = pause(world.google.create_records(&[person(1)]).await.expect_err("paused"));
    assert!(paused <= 300, "{paused}");
    assert_eq!(world.google.calls(), 2, "nothing is sent during the pause");
    world.clock.advance(Duration::from_secs(301));
    assert_eq!(pause(world.google.create_records(&[person(1)]).await.expect_err("again")), 600);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let world = World::new([refusal(401, "x"), Reply::Json(200, person(1)), refusal(401, "x"), refusal(401, "x")]);
    world.google.create_records(&[person(1)]).await.expect("the new token");
    assert_eq!(world.script.header(1, "authorization").as_deref(), Some("Bearer t2"));
    let error = world.google.create_records(&[person(1)]).await.expect_err("two tokens");
    assert!(error.to_string().contains("contactsync login sales"), "{error}");
}

#[tokio::test]
async fn without_a_token_a_write_was_certainly_not_sent() {
    let world = World::with_tokens([], Tokens { refused: true, ..Tokens::default() });
    let error = world.google.create_records(&[person(1)]).await.expect_err("no token");
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn direct_reads_leave_out_what_is_missing_and_follow_renames() {
    let world = World::new([
        Reply::Json(
            200,
            json!({"responses": [
            {"person": person(1), "requestedResourceName": "people/c1", "status": {}},
            {"person": person(9), "requestedResourceName": "people/c2"},
            {"requestedResourceName": "people/c3", "status": {"code": 5, "message": "Requested entity was not found."}},
            {"requestedResourceName": "people/c4", "status": {"code": 14}},
            {"requestedResourceName": "people/c5", "status": {"code": 13}}]}),
        ),
        Reply::Json(200, person(4)),
        refusal(404, "Requested entity was not found."),
    ]);
    let records = world.google.fetch_records(&ids(1..6)).await.expect("records").records;
    let found: Vec<(&str, &str)> = records.iter().map(|(asked, record)| (asked.as_str(), record.id.as_str())).collect();
    assert_eq!(found, [("people/c1", "people/c1"), ("people/c2", "people/c9"), ("people/c4", "people/c4")]);
    assert!(world.lines()[1].starts_with("GET /v1/people/c4?personFields="), "{:?}", world.lines());
}

#[tokio::test]
async fn many_ids_are_read_through_a_long_request() {
    let many: Vec<RemoteId> =
        (0..200).map(|number| RemoteId::new(format!("people/c{}", 1_152_921_504_606_846_977_u64 + number))).collect();
    let missing = |id: &RemoteId| json!({"requestedResourceName": id.as_str(), "status": {"code": 5}});
    let answer = json!({"responses": many.iter().map(missing).collect::<Vec<_>>()});
    let world = World::new([Reply::Json(200, answer)]);
    assert!(world.google.fetch_records(&many).await.expect("records").records.is_empty());
    assert_eq!(world.lines(), ["POST /v1/people:batchGet"]);
    assert_eq!(world.script.header(0, "x-http-method-override").as_deref(), Some("GET"));
}

#[tokio::test]
async fn contacts_with_as_many_addresses_as_a_listing_shows_are_read_directly() {
    let mut listed = person(1);
    listed["emailAddresses"] = (0..100).map(|number| json!({"value": format!("a{number}@example.org")})).collect();
    let mut whole = listed.clone();
    whole["emailAddresses"].as_array_mut().expect("a list").push(json!({"value": "last@example.org"}));
    let world = World::new([
        Reply::Json(200, json!({"connections": [person(2), listed], "nextSyncToken": "s"})),
        Reply::Json(200, json!({"responses": [{"person": whole, "requestedResourceName": "people/c1"}]})),
    ]);
    let page = world.google.list_records(&ALL).await.expect("a page");
    let counts: Vec<usize> =
        page.records.iter().map(|record| record.wire["emailAddresses"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(counts, [0, 101]);
}

#[tokio::test]
async fn one_update_has_its_own_call_and_sends_the_mask_only() {
    let mut wire = person(1);
    wire["notAsked"] = json!([{"value": "x"}]);
    let world = World::new([Reply::Json(200, person(1))]);
    let update = Update { wire, ..update(1) };
    let records = world.google.update_records(&mask(), &[update]).await.expect("updated").records;
    assert_eq!(records.len(), 1);
    let line = &world.lines()[0];
    assert!(line.starts_with("PATCH /v1/people/c1:updateContact?updatePersonFields=names,clientData&"), "{line}");
    let expected = json!({"resourceName": "people/c1", "names": [{"givenName": "Ada"}],
        "metadata": {"sources": [{"type": "CONTACT", "id": "1", "etag": "#new1"}]}});
    assert_eq!(world.body(0), expected);
}

#[tokio::test]
async fn several_updates_are_a_map_and_a_bare_answer_is_success() {
    let world = World::new([
        Reply::Json(200, json!({"updateResult": {"people/c1": {"person": person(1), "status": {}}, "people/c2": {}}})),
        Reply::Json(200, json!({})),
    ]);
    let records = world.google.update_records(&mask(), &[update(1), update(2)]).await.expect("updated").records;
    assert_eq!(records.keys().map(RemoteId::as_str).collect::<Vec<_>>(), ["people/c1"]);
    let updated = world.google.update_records(&mask(), &[update(1), update(2)]).await.expect("updated");
    assert_eq!(updated, Updated::default());
    let body = world.body(0);
    assert_eq!(body["updateMask"], "names,clientData");
    assert_eq!(body["contacts"]["people/c2"]["metadata"]["sources"][0]["etag"], "#new2");
}

#[tokio::test]
async fn new_contacts_are_sent_without_what_names_an_old_one() {
    let world = World::new([
        Reply::Json(200, person(1)),
        Reply::Json(200, json!({"createdPeople": [{"person": person(2)}, {"status": {"code": 13}}]})),
    ]);
    world.google.create_records(&[person(1)]).await.expect("created");
    assert_eq!(world.body(0), json!({"names": [{"givenName": "Ada"}]}));
    let created = world.google.create_records(&[person(1), person(2)]).await.expect("created");
    assert_eq!((created.records.len(), created.refused.len()), (1, 0), "one outcome is unknown");
    assert_eq!(world.body(1)["contacts"][1], json!({"contactPerson": {"names": [{"givenName": "Ada"}]}}));
}

#[tokio::test]
async fn deleting_what_is_not_there_is_told_apart_from_trouble() {
    let internal = || refusal(500, "Internal error encountered.");
    let missing = || refusal(404, "Requested entity was not found.");
    let world = World::new([
        Reply::Json(200, json!({})),
        missing(),
        internal(),
        missing(),
        internal(),
        Reply::Json(200, person(1)),
        Reply::Json(200, json!({})),
    ]);
    let one = ids(1..2);
    world.google.delete_records(&one).await.expect("deleted");
    for expected in ["missing", "missing", "unknown"] {
        let error = world.google.delete_records(&one).await.expect_err(expected);
        let word = if matches!(error, RemoteError::Missing { .. }) { "missing" } else { "unknown" };
        assert_eq!(word, expected, "{error:?}");
    }
    world.google.delete_records(&ids(1..3)).await.expect("deleted");
    assert_eq!(world.lines().last().map(String::as_str), Some("POST /v1/people:batchDeleteContacts?prettyPrint=false"));
    assert_eq!(world.body(6), json!({"resourceNames": ["people/c1", "people/c2"]}));
}

#[tokio::test]
async fn groups_are_listed_created_and_filled() {
    let group = json!({"resourceName": "contactGroups/5f", "etag": "e1", "groupType": "USER_CONTACT_GROUP",
        "name": "Customers", "memberCount": 3});
    let world = World::new([
        Reply::Json(
            200,
            json!({"contactGroups": [group, {"resourceName": "contactGroups/myContacts",
            "groupType": "SYSTEM_CONTACT_GROUP", "name": "myContacts"}], "nextPageToken": "p", "nextSyncToken": "s"}),
        ),
        Reply::Json(
            200,
            json!({"contactGroups": [{"resourceName": "contactGroups/6", "metadata": {"deleted": true}}],
            "nextSyncToken": "s"}),
        ),
        Reply::Json(200, group.clone()),
        refusal(409, "Contact group name already exists"),
        Reply::Json(
            200,
            json!({"notFoundResourceNames": ["people/c2"],
            "canNotRemoveLastContactGroupResourceNames": ["people/c3"]}),
        ),
    ]);
    let page = world.google.list_groups(None).await.expect("a page");
    assert_eq!((page.groups[0].members, page.groups[1].etag.as_ref()), (3, None));
    let page = world.google.list_groups(page.next_page.as_deref()).await.expect("a page");
    assert_eq!((page.groups.len(), page.next_page), (1, None));
    assert_eq!(world.google.create_group("Customers").await.expect("created").name, "Customers");
    let error = world.google.create_group("Customers").await.expect_err("taken");
    assert!(matches!(error, RemoteError::Exists { .. }), "{error:?}");
    let group = GroupId::new("contactGroups/5f");
    let changed = world.google.change_members(&group, &ids(1..3), &ids(3..4)).await.expect("changed");
    assert_eq!((changed.missing, changed.kept), (ids(2..3).into_iter().collect(), ids(3..4).into_iter().collect()));
    let line = "POST /v1/contactGroups/5f/members:modify?prettyPrint=false";
    assert_eq!(world.lines().last().map(String::as_str), Some(line));
}

#[tokio::test]
async fn a_large_group_is_asked_again_for_all_of_its_members() {
    let group = |count: u64, shown: std::ops::Range<u32>| {
        let names: Vec<String> = ids(shown).iter().map(ToString::to_string).collect();
        Reply::Json(
            200,
            json!({"resourceName": "contactGroups/5f", "groupType": "USER_CONTACT_GROUP", "name": "Customers",
            "memberCount": count, "memberResourceNames": names}),
        )
    };
    let empty = Reply::Json(200, json!({"resourceName": "contactGroups/5f", "name": "Customers"}));
    let missing = refusal(404, "Requested entity was not found.");
    let world = World::new([group(3, 1..3), group(1_002, 1..1_001), group(1_002, 1..1_003), empty, missing]);
    let id = GroupId::new("contactGroups/5f");
    let some = world.google.get_group(&id, 2).await.expect("a group");
    assert_eq!((some.group.id, some.group.members, some.members), (id.clone(), 3, ids(1..3)));
    assert_eq!(world.google.group_members(&id).await.expect("members"), ids(1..1_003));
    assert_eq!(world.google.group_members(&id).await.expect("members"), []);
    let error = world.google.group_members(&id).await.expect_err("missing");
    assert!(matches!(error, RemoteError::Missing { .. }), "{error:?}");
    let asked = |max| {
        format!(
            "GET /v1/contactGroups/5f?maxMembers={max}&groupFields=name,groupType,memberCount,metadata&prettyPrint=false"
        )
    };
    assert_eq!(world.lines(), [2, 1_000, 1_002, 1_000, 1_000].map(asked));
}

#[tokio::test]
async fn the_user_is_named_and_the_clock_over_there_is_noted() {
    let me = json!({"resourceName": "people/108", "emailAddresses": [{"value": "old@example.org"},
        {"value": "ada@example.org", "metadata": {"primary": true}}]});
    let date = Reply::Header(503, "date", "Thu, 01 Jan 1970 00:00:07 GMT");
    let world = World::new([date, Reply::Json(200, me)]);
    assert_eq!(world.google.clock_ahead_ms(), None);
    let user = world.google.user().await.expect("the user");
    assert_eq!((user.id.as_str(), user.email.as_deref()), ("people/108", Some("ada@example.org")));
    assert_eq!(world.google.clock_ahead_ms(), Some(7_000));
}

#[tokio::test]
async fn a_grant_that_names_its_user_saves_the_call() {
    let me = || Reply::Json(200, json!({"resourceName": "people/108"}));
    let identity = |email: Option<&str>| Identity { subject: "108".to_owned(), email: email.map(str::to_owned) };
    for (identity, email, sent) in [
        (Some(identity(Some("ada@example.org"))), Some("ada@example.org"), 0),
        (Some(identity(None)), None, 1),
        (None, None, 1),
    ] {
        let world = World::with_tokens([me()], Tokens { identity, ..Tokens::default() });
        let user = world.google.user().await.expect("the user");
        assert_eq!((user.id.as_str(), user.email.as_deref()), ("people/108", email));
        assert_eq!(world.google.calls(), sent);
    }
}

// A grant can be exchanged while its access token is in use; the next token tells.
#[tokio::test]
async fn nothing_is_sent_in_the_name_of_another_user_than_expected() {
    let of = |subject: &str| Some(Identity { subject: subject.to_owned(), email: None });
    let replies = [Reply::Json(200, person(1)), refusal(401, "x"), Reply::Json(200, person(1))];
    let tokens = Tokens { identity: of("108"), successor: of("109"), ..Tokens::default() };
    let world = World::with_tokens(replies, tokens);
    world.google.expect_user("people/108");
    world.google.create_records(&[person(1)]).await.expect("the right one");
    for _ in 0..2 {
        let error = world.google.create_records(&[person(1)]).await.expect_err("another user");
        assert!(matches!(error, RemoteError::AnotherUser { .. }), "{error:?}");
        assert_eq!(error.recovery(), Recovery::AskConsent);
    }
    assert_eq!(world.google.calls(), 2, "only the refused one was sent");
    world.google.expect_user("people/109");
    world.google.create_records(&[person(1)]).await.expect("the right one");
}

#[tokio::test]
async fn a_stated_wait_is_kept_unless_it_is_too_long() {
    for (status, wait, sent) in [(429, "90", 2), (503, "90", 2), (503, "600", 1)] {
        let world = World::new([Reply::Header(status, "retry-after", wait), Reply::Json(200, json!({}))]);
        let page = world.google.list_records(&since("s", None)).await;
        assert_eq!((page.is_ok(), world.google.calls()), (sent == 2, sent), "{status} {wait}");
        assert_eq!((90..100).contains(&world.waited().as_secs()), sent == 2, "{:?}", world.waited());
    }
}

#[tokio::test]
async fn a_refused_full_listing_is_not_asked_for_again() {
    let world = World::new([refusal(429, "Quota exceeded")]);
    let error = world.google.list_records(&ALL).await.expect_err("refused");
    assert!(matches!(error, RemoteError::RateLimited { .. }), "{error:?}");
    assert_eq!(world.waited(), Duration::ZERO);
}

#[tokio::test]
async fn writes_go_one_after_the_other() {
    let world = World::new([refusal(429, "Quota exceeded"), Reply::Json(200, person(1)), Reply::Json(200, person(2))]);
    let (one, other) = ([person(1)], [person(2)]);
    let (first, second) = tokio::join!(world.google.create_records(&one), world.google.create_records(&other));
    let names = [first, second].map(|created| created.expect("created").records[0].id.to_string());
    assert_eq!(names, ["people/c1", "people/c2"], "the second write waits until the first one is through");
}
