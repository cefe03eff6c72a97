//! Routing, credentials, the error envelope, strict parsing.

use http::Request;
use serde_json::json;

use super::*;
use crate::emulator::settings::Mode;

#[test]
fn wrong_verbs_and_paths_get_a_page_that_says_404() {
    let mut kit = Kit::new();
    let name = kit.add("Ada");
    for (verb, path) in [
        ("POST", "/v1/people/me/connections".to_owned()),
        ("GET", "/v1/people:createContact".to_owned()),
        ("POST", format!("/v1/{name}:updateContact")),
        ("GET", "/v1/people%2Fme".to_owned()),
        ("POST", "/v1/people/me:createContact".to_owned()),
        ("POST", "/v1/people:batchMagic".to_owned()),
        ("POST", "/batch".to_owned()),
        ("GET", "/v2/people/me".to_owned()),
        ("POST", "/v1/contactGroups/x:modify".to_owned()),
    ] {
        let response = kit.send(&kit.request(verb, &path, None));
        assert_eq!(response.status(), 404, "{verb} {path}");
        assert_eq!(response.headers()["content-type"], "text/html; charset=UTF-8");
    }
}

#[test]
fn missing_wrong_and_expired_tokens_are_unauthenticated() {
    let mut kit = Kit::new();
    let path = "/v1/people/me/connections?personFields=names";
    let anonymous = Request::get(path).body(Bytes::new()).expect("a request");
    let (status, body) = parsed(&kit.send(&anonymous));
    assert_eq!((status, &body["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
    assert_eq!(body["error"]["details"][0]["reason"], "CREDENTIALS_MISSING");

    let good = std::mem::replace(&mut kit.token, "ya29.nonsense".to_owned());
    assert_eq!(kit.get(path).0, 401);
    kit.token = good;
    assert_eq!(kit.get(path).0, 200);
    kit.pass(Duration::from_secs(3599));
    assert_eq!(kit.get(path).0, 200);
    kit.pass(Duration::from_secs(1));
    let error = kit.refused(401, "GET", path, None);
    assert_eq!(error["details"][0]["reason"], "ACCESS_TOKEN_EXPIRED");
}

#[test]
fn a_switched_off_api_is_forbidden() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().api_enabled = false;
    let error = kit.refused(403, "GET", "/v1/people/me/connections?personFields=names", None);
    assert_eq!(error["details"][0]["reason"], "SERVICE_DISABLED");
}

#[test]
fn the_legacy_error_list_comes_on_request_only() {
    let mut kit = Kit::new();
    let error = kit.refused(400, "GET", "/v1/people/me/connections", None);
    assert!(error.get("errors").is_none());
    let error = kit.refused(400, "GET", "/v1/people/me/connections?$.xgafv=1", None);
    assert_eq!(error["errors"][0]["reason"], "badRequest");
}

#[test]
fn an_unknown_member_is_refused_with_a_field_violation() {
    let mut kit = Kit::new();
    let body = json!({ "names": [{ "givenName": "Ada" }], "addresses": [{ "city": "X", "formatted": "Y" }] });
    let error = kit.refused(400, "POST", "/v1/people:createContact", Some(body));
    let text = "Invalid JSON payload received. Unknown name \"formatted\" at 'person.addresses[0]': Cannot find field.";
    assert_eq!(error["message"], text);
    assert_eq!(
        error["details"][0]["fieldViolations"][0],
        json!({ "field": "person.addresses[0]", "description": text })
    );
    assert!(kit.user().people().is_empty());
}

#[test]
fn unknown_parameters_doubled_masks_and_odd_flags_are_refused() {
    let mut kit = Kit::new();
    for query in
        ["personfields=names", "personFields=names&personFields=urls", "personFields=names&requestSyncToken=yes"]
    {
        kit.refused(400, "GET", &format!("/v1/people/me/connections?{query}"), None);
    }
}

#[test]
fn a_body_that_is_no_json_is_refused() {
    let mut kit = Kit::new();
    let mut request = kit.request("POST", "/v1/people:createContact", None);
    *request.body_mut() = Bytes::from_static(b"{\"names\":");
    assert_eq!(kit.send(&request).status(), 400);
    *request.body_mut() = Bytes::from_static(b"{}");
    request.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain"));
    assert_eq!(kit.send(&request).status(), 400);
}

#[test]
fn answers_are_indented_unless_asked_otherwise_and_cut_to_fields() {
    let mut kit = Kit::new();
    let name = kit.add("Ada");
    let pretty = kit.send(&kit.request("GET", &format!("/v1/{name}?personFields=names"), None));
    assert!(pretty.body().starts_with(b"{\n  "));
    let plain = kit.send(&kit.request("GET", &format!("/v1/{name}?personFields=names&prettyPrint=false"), None));
    assert!(!plain.body().contains(&b'\n'));
    let cut = kit.ok("GET", &format!("/v1/{name}?personFields=names&fields=resourceName"), None);
    assert_eq!(cut, json!({ "resourceName": name }));
    kit.refused(400, "GET", &format!("/v1/{name}?personFields=names&fields=names("), None);
}

#[test]
fn a_long_get_may_come_as_a_post_with_a_form() {
    let mut kit = Kit::new();
    let created: Vec<String> = ["Ada", "Grace"].map(|name| kit.add(name)).to_vec();
    let mut pairs: Vec<(&str, &str)> = created.iter().map(|name| ("resourceNames", name.as_str())).collect();
    pairs.push(("personFields", "names,metadata"));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = Request::post("/v1/people:batchGet")
        .header("authorization", format!("Bearer {}", kit.token))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-http-method-override", "GET")
        .body(Bytes::from(body))
        .expect("a request");
    let (status, answer) = parsed(&kit.send(&request));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["responses"].as_array().map(Vec::len), Some(2));
}

#[test]
fn lenient_mode_takes_what_is_merely_unknown() {
    let mut kit = Kit::new();
    let empty = json!({ "emailAddresses": [{ "value": "" }] });
    kit.refused(400, "POST", "/v1/people:createContact", Some(empty.clone()));
    assert!(kit.emulator.counters().refusals[0].contains("an empty item in emailAddresses"));
    kit.emulator.settings_mut().mode = Mode::Lenient;
    kit.ok("POST", "/v1/people:createContact", Some(empty));
}

#[test]
fn the_user_itself_is_a_profile_with_its_address() {
    let mut kit = Kit::new();
    let me = kit.ok("GET", "/v1/people/me?personFields=emailAddresses,names,metadata", None);
    assert_eq!(me["emailAddresses"][0]["value"], EMAIL);
    let id = text(&me["resourceName"]).strip_prefix("people/").expect("a person").to_owned();
    assert!(id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    assert!(me.get("names").is_none(), "the profile scope was not granted");
}

#[test]
fn what_exists_and_is_not_emulated_says_so() {
    let mut kit = Kit::new();
    let error = kit.refused(501, "GET", "/v1/otherContacts", None);
    assert_eq!(error["status"], "UNIMPLEMENTED");
}
