//! Single people: create, get, update, delete, photos, etags, limits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::json;

use super::*;
use crate::emulator::ReturnName;
use crate::emulator::settings::{MissingDelete, Spelling};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot really";

fn source_etag(person: &Value) -> String {
    text(&person["metadata"]["sources"][0]["etag"]).to_owned()
}

#[test]
fn a_created_contact_comes_back_whole_and_in_my_contacts() {
    let mut kit = Kit::new();
    let sent = json!({
        "names": [{ "givenName": "Ada", "familyName": "Example" }],
        "emailAddresses": [{ "value": "ada@example.org", "type": "work" }],
        "clientData": [{ "key": "k", "value": "v" }],
    });
    let person = kit.ok("POST", "/v1/people:createContact", Some(sent));
    let digits = text(&person["resourceName"]).strip_prefix("people/c").expect("a contact");
    let source = &person["metadata"]["sources"][0];
    assert_eq!(u64::from_str_radix(text(&source["id"]), 16).ok(), digits.parse().ok());
    assert_eq!(source["type"], "CONTACT");
    assert!(text(&source["etag"]).starts_with('#') && text(&person["etag"]).starts_with('%'));
    assert_eq!(person["names"][0]["displayNameLastFirst"], "Example, Ada");
    assert_eq!(person["names"][0]["metadata"]["primary"], true);
    assert_eq!(person["emailAddresses"][0]["formattedType"], "Work");
    let group = &person["memberships"][0]["contactGroupMembership"];
    assert_eq!(
        group,
        &json!({ "contactGroupId": "myContacts", "contactGroupResourceName": "contactGroups/myContacts" })
    );
    assert_eq!(person["photos"][0]["default"], true);
}

#[test]
fn only_masked_fields_come_back_and_always_name_and_etag() {
    let mut kit = Kit::new();
    let name = kit.add("Ada");
    let person = kit.ok("GET", &format!("/v1/{name}?personFields=birthdays,names"), None);
    let members: Vec<&String> = person.as_object().expect("a person").keys().collect();
    assert_eq!(members, ["etag", "names", "resourceName"]);
    let error = kit.refused(400, "GET", &format!("/v1/{name}"), None);
    assert!(
        text(&error["message"]).starts_with("personFields mask is required. Please specify one or more valid paths.")
    );
    let error = kit.refused(400, "GET", &format!("/v1/{name}?personFields=phones"), None);
    assert!(text(&error["message"]).starts_with("Invalid personFields mask path: \"phones\"."));
}

#[test]
fn an_empty_contact_and_one_with_a_foreign_etag_are_refused() {
    let mut kit = Kit::new();
    kit.refused(400, "POST", "/v1/people:createContact", Some(json!({})));
    let foreign = json!({ "names": [{ "givenName": "Ada" }], "etag": "%EgY=" });
    kit.refused(400, "POST", "/v1/people:createContact", Some(foreign));
    let harmless = json!({ "names": [{ "givenName": "Ada" }], "etag": "", "resourceName": "", "metadata": {} });
    kit.ok("POST", "/v1/people:createContact", Some(harmless));
}

#[test]
fn etags_of_different_masks_differ_and_all_work_while_the_version_is_the_same() {
    let mut kit = Kit::new();
    let name = kit.add("Ada");
    let narrow = kit.ok("GET", &format!("/v1/{name}?personFields=names"), None);
    let wide = kit.ok("GET", &format!("/v1/{name}?personFields=names,metadata"), None);
    let contact_only = kit.ok("GET", &format!("/v1/{name}?personFields=names&sources=READ_SOURCE_TYPE_CONTACT"), None);
    assert!(narrow["etag"] != wide["etag"] && narrow["etag"] != contact_only["etag"]);
    for etag in [&narrow["etag"], &wide["etag"], &contact_only["etag"]] {
        let mut kit = Kit::new();
        assert_eq!(kit.add("Ada"), name, "the same seed gives the same contact");
        let (status, answer) = kit.update(
            &json!({ "resourceName": name, "etag": etag }),
            "names",
            json!({ "names": [{ "givenName": "B" }] }),
        );
        assert_eq!(status, 200, "{answer}");
    }
    let (status, person) = kit.update(&narrow, "names", json!({ "names": [{ "givenName": "B" }] }));
    assert_eq!(status, 200);
    assert_ne!(source_etag(&person), source_etag(&wide));
    let (status, answer) = kit.update(&wide, "names", json!({ "names": [{ "givenName": "C" }] }));
    assert_eq!((status, &answer["error"]["status"]), (400, &json!("FAILED_PRECONDITION")));
}

#[test]
fn an_update_needs_a_fresh_etag_in_its_place() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    let path = format!("/v1/{}:updateContact?updatePersonFields=names", name_of(&person));
    let names = json!([{ "givenName": "B" }]);
    let error = kit.refused(400, "PATCH", &path, Some(json!({ "names": names })));
    assert_eq!(
        error["message"],
        "Request must set person.etag or person.metadata.sources.etag for the source that is being updated."
    );
    let misplaced = json!({ "names": names, "etag": source_etag(&person) });
    let error = kit.refused(400, "PATCH", &path, Some(misplaced));
    assert_eq!(
        error["message"],
        "Request person.etag is different than the current person.etag. Clear local cache and get the latest person."
    );
    let source = person["metadata"]["sources"][0].clone();
    let by_source = json!({ "names": names, "metadata": { "sources": [source] } });
    kit.ok("PATCH", &path, Some(by_source.clone()));
    let error = kit.refused(400, "PATCH", &path, Some(by_source));
    assert_eq!(error["status"], "FAILED_PRECONDITION");
    assert!(text(&error["message"]).contains("person.metadata.sources.etag is different"));
}

#[test]
fn masked_fields_are_replaced_absent_ones_cleared_others_untouched() {
    let mut kit = Kit::new();
    let sent = json!({
        "names": [{ "givenName": "Ada" }],
        "emailAddresses": [{ "value": "a@x.test" }, { "value": "b@x.test" }],
        "urls": [{ "value": "x.test" }],
        "nicknames": [{ "value": "Countess" }],
    });
    let person = kit.ok("POST", "/v1/people:createContact", Some(sent));
    let fields = json!({ "emailAddresses": [{ "value": "c@x.test" }], "nicknames": [{ "value": "ignored" }] });
    let (status, updated) = kit.update(&person, "emailAddresses,urls", fields);
    assert_eq!(status, 200, "{updated}");
    assert_eq!(updated["emailAddresses"].as_array().map(Vec::len), Some(1));
    assert_eq!(updated["emailAddresses"][0]["value"], "c@x.test");
    assert!(updated.get("urls").is_none());
    assert_eq!(updated["nicknames"], person["nicknames"]);
}

#[test]
fn items_of_a_linked_profile_survive_updates_and_are_shown_only_when_asked_for() {
    let mut kit = Kit::new();
    let name = kit.add("Ada");
    let profile = json!({ "names": [{ "givenName": "Augusta" }], "emailAddresses": [{ "value": "p@x.test" }] });
    kit.user().link_profile(&name, &profile).expect("linked");
    let both = kit.ok("GET", &format!("/v1/{name}?personFields=names,metadata,emailAddresses"), None);
    assert_eq!(both["names"].as_array().map(Vec::len), Some(2));
    assert_eq!(both["metadata"]["sources"].as_array().map(Vec::len), Some(2));
    let mut fields = json!({ "emailAddresses": both["emailAddresses"], "names": both["names"] });
    fields["names"][0]["givenName"] = json!("Ada Maria");
    fields["names"][0].as_object_mut().expect("a name").remove("unstructuredName");
    let (status, updated) = kit.update(&both, "names,emailAddresses", fields);
    assert_eq!(status, 200, "{updated}");
    assert_eq!(updated["emailAddresses"], both["emailAddresses"]);
    let own =
        kit.ok("GET", &format!("/v1/{name}?personFields=names,emailAddresses&sources=READ_SOURCE_TYPE_CONTACT"), None);
    assert_eq!(own["names"].as_array().map(Vec::len), Some(1));
    assert!(own.get("emailAddresses").is_none());
}

#[test]
fn update_masks_refuse_what_cannot_be_written() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    for path in ["photos", "metadata", "skills", "ageRanges", "coverPhotos", "names.givenName"] {
        let (status, answer) = kit.update(&person, path, json!({}));
        assert_eq!(status, 400);
        assert!(text(&answer["error"]["message"]).starts_with("Invalid updatePersonFields mask path"), "{answer}");
    }
    let (status, answer) = kit.update(&person, "", json!({}));
    assert_eq!(status, 400);
    assert!(text(&answer["error"]["message"]).starts_with("updatePersonFields mask is required."));
}

#[test]
fn masked_memberships_without_a_group_are_refused() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    assert_eq!(kit.update(&person, "memberships", json!({})).0, 400);
    let only_id = json!({ "memberships": [{ "contactGroupMembership": { "contactGroupId": "starred" } }] });
    assert_eq!(kit.update(&person, "memberships", only_id).0, 400);
    let old_group = json!({ "memberships": [{ "contactGroupMembership": { "contactGroupResourceName": "contactGroups/friends" } }] });
    assert_eq!(kit.update(&person, "memberships", old_group).0, 400);
    let starred = json!({ "memberships": [{ "contactGroupMembership": { "contactGroupResourceName": "contactGroups/starred" } }] });
    let (status, updated) = kit.update(&person, "memberships", starred);
    assert_eq!(status, 200, "{updated}");
    assert_eq!(updated["memberships"].as_array().map(Vec::len), Some(1), "the set is replaced as a whole");
}

#[test]
fn the_update_time_always_grows_even_when_the_clock_stands_still() {
    let mut kit = Kit::new();
    let mut person = kit.create("Ada");
    for number in 0..3 {
        let (status, updated) =
            kit.update(&person, "names", json!({ "names": [{ "givenName": format!("A{number}") }] }));
        assert_eq!(status, 200);
        let time = |person: &Value| {
            text(&person["metadata"]["sources"][0]["updateTime"]).parse::<Timestamp>().expect("a time")
        };
        assert!(time(&updated) > time(&person));
        person = updated;
    }
}

#[test]
fn what_does_not_exist_is_not_found() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    let name = name_of(&person);
    kit.ok("DELETE", &format!("/v1/{name}:deleteContact"), None);
    let error = kit.refused(404, "GET", &format!("/v1/{name}?personFields=names"), None);
    assert_eq!((&error["status"], &error["message"]), (&json!("NOT_FOUND"), &json!("Requested entity was not found.")));
    assert_eq!(kit.update(&person, "names", json!({})).0, 404);
    kit.refused(404, "DELETE", &format!("/v1/{name}:deleteContact"), None);
    kit.refused(404, "GET", "/v1/people/c0?personFields=names", None);
    kit.emulator.settings_mut().missing_delete = MissingDelete::Internal;
    let error = kit.refused(500, "DELETE", &format!("/v1/{name}:deleteContact"), None);
    assert_eq!(error["message"], "Internal error encountered.");
}

#[test]
fn accounts_do_not_see_each_other() {
    let mut kit = Kit::new();
    let name = kit.add("Ada");
    kit.token = kit.fresh_token(OTHER);
    kit.refused(404, "GET", &format!("/v1/{name}?personFields=names"), None);
}

#[test]
fn too_much_in_one_contact_is_refused() {
    let mut kit = Kit::new();
    let many: Vec<Value> = (0..501).map(|n| json!({ "value": format!("{n}@x.test") })).collect();
    kit.refused(400, "POST", "/v1/people:createContact", Some(json!({ "emailAddresses": many })));
    let large: Vec<Value> = (0..140).map(|n| json!({ "key": format!("k{n}"), "value": "x".repeat(1000) })).collect();
    kit.refused(400, "POST", "/v1/people:createContact", Some(json!({ "userDefined": large })));
}

#[test]
fn a_full_account_says_overflow_and_the_trash_counts() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().contacts_max = 2;
    let first = kit.add("A");
    kit.add("B");
    kit.ok("DELETE", &format!("/v1/{first}:deleteContact"), None);
    let body = json!({ "names": [{ "givenName": "C" }] });
    let error = kit.refused(400, "POST", "/v1/people:createContact", Some(body));
    assert!(text(&error["message"]).contains("MY_CONTACTS_OVERFLOW_COUNT"));
    kit.pass(Duration::from_secs(31 * 24 * 3600));
    assert!(kit.user().trash().is_empty());
    assert!(kit.user().restore(&first, ReturnName::Same).is_err(), "purged");
    kit.token = kit.fresh_token(EMAIL);
    kit.create("C");
}

#[test]
fn a_photo_gets_a_new_address_and_a_new_etag_at_every_upload() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    let name = name_of(&person);
    let path = format!("/v1/{name}:updateContactPhoto");
    let bytes = STANDARD.encode(PNG);
    let mut seen = vec![text(&person["photos"][0]["url"]).to_owned()];
    for _ in 0..2 {
        let body = json!({ "photoBytes": bytes, "personFields": "photos,metadata" });
        let answer = kit.ok("PATCH", &path, Some(body));
        let photo = &answer["person"]["photos"][0];
        assert!(photo.get("default").is_none());
        assert_ne!(answer["person"]["etag"], person["etag"]);
        let url = text(&photo["url"]).to_owned();
        assert!(!seen.contains(&url));
        seen.push(url);
    }
    assert_eq!(kit.ok("PATCH", &path, Some(json!({ "photoBytes": bytes }))), json!({}));
    let answer = kit.ok("DELETE", &format!("/v1/{name}:deleteContactPhoto?personFields=photos"), None);
    assert_eq!(answer["person"]["photos"][0]["default"], true);
    kit.refused(400, "PATCH", &path, Some(json!({ "photoBytes": "%%%" })));
    kit.refused(400, "PATCH", &path, Some(json!({ "photoBytes": "bm90IGEgcGljdHVyZQ==" })));
}

#[test]
fn a_photo_is_served_in_other_bytes_to_whoever_has_its_address() {
    let mut kit = Kit::new();
    let name = kit.add("Ada");
    let uploaded = b"\xff\xd8\xff\xd9";
    let mut url = || {
        let person = kit.user().set_photo(&name, uploaded).expect("set");
        text(&person["photos"][0]["url"]).to_owned()
    };
    let (first, second) = (url(), url());
    assert!(first.starts_with("https://lh3.googleusercontent.com/contacts/") && first.ends_with("=s100"), "{first}");
    let mut download = |url: &str, token: Option<&str>| {
        let mut request = Request::get(url);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        kit.send(&request.body(Bytes::new()).expect("a request"))
    };
    let (small, large) = (download(&first, None), download(&first.replace("=s100", "=s720"), None));
    assert_eq!((small.status(), large.status()), (StatusCode::OK, StatusCode::OK));
    assert!(large.body().starts_with(b"\xff\xd8") && large.body() != small.body() && **large.body() != *uploaded);
    assert_eq!(download(&second, None).body(), small.body(), "another address, the same photo");
    assert_eq!(download("https://lh3.googleusercontent.com/contacts/none=s720", None).status(), 404);
    download(&first, Some("secret"));
    assert_eq!(kit.emulator.counters().violations.len(), 1);
}

#[test]
fn strict_checks_explain_themselves_in_the_log_of_refusals() {
    let mut kit = Kit::new();
    let (status, _) = kit.post("/v1/people:createContact", json!({ "names": [{ "displayName": "Ada" }] }));
    assert_eq!(status, 400);
    let refusals = &kit.emulator.counters().refusals;
    assert_eq!(refusals.len(), 1);
    assert!(refusals[0].contains("nothing but a display name"), "{refusals:?}");
}

#[test]
fn what_clients_write_may_come_back_in_another_spelling() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().spelling = Spelling::Capitals;
    let sent = json!({ "names": [{ "givenName": "A" }], "organizations": [{ "title": "clerk" }] });
    let person = kit.ok("POST", "/v1/people:createContact?personFields=organizations,metadata", Some(sent));
    assert_eq!(person["organizations"][0]["title"], "CLERK");
    let sent = json!({ "etag": person["etag"], "organizations": [{ "title": "head" }] });
    let path = format!("/v1/{}:updateContact?updatePersonFields=organizations", text(&person["resourceName"]));
    assert_eq!(kit.ok("PATCH", &path, Some(sent))["organizations"][0]["title"], "HEAD");
}
