//! The authorization server.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Request;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::*;
use crate::emulator::settings::Consent;

const CONTACTS: &str = "https://www.googleapis.com/auth/contacts";
const REDIRECT: &str = "http://127.0.0.1:4711";
const VERIFIER: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJK";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

fn consent_url(extra: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let mut pairs = vec![
        ("client_id", "sandbox.apps.example"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "https://www.googleapis.com/auth/contacts openid email"),
        ("state", "xyz"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
    ];
    for (name, value) in extra {
        pairs.retain(|(other, _)| other != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    format!("/o/oauth2/v2/auth?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// The parameters of the redirect after a consent.
fn consent(kit: &mut Kit, extra: &[(&str, &str)]) -> Vec<(String, String)> {
    let request = Request::get(consent_url(extra)).body(Bytes::new()).expect("a request");
    let response = kit.send(&request);
    assert_eq!(response.status(), 302, "{:?}", response.body());
    let target = Url::parse(response.headers()["location"].to_str().expect("a text")).expect("an address");
    assert!(target.as_str().starts_with(REDIRECT));
    target.query_pairs().into_owned().collect()
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    super::super::call::find(pairs, name).unwrap_or_default()
}

fn redeem(kit: &mut Kit, code: &str, extra: &[(&str, &str)]) -> (u16, Value) {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", "sandbox.apps.example"),
        ("client_secret", "sandbox-secret"),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in extra {
        fields.retain(|(other, _)| other != name);
        fields.push((name, value));
    }
    kit.form("/token", &fields)
}

fn claims(id_token: &Value) -> Value {
    let payload = text(id_token).split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("claims")
}

#[test]
fn a_refresh_gives_an_hour_and_says_for_what() {
    let mut kit = Kit::new();
    let refresh = kit.emulator.refresh_token(EMAIL).expect("a token").to_owned();
    let (status, body) = kit.refresh(&refresh);
    assert_eq!(status, 200);
    assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(3599), &json!("Bearer")));
    assert!(text(&body["scope"]).contains(CONTACTS));
    assert!(body.get("refresh_token").is_none());
    let claims = claims(&body["id_token"]);
    assert_eq!(claims["email"], EMAIL);
    let me = kit.ok("GET", "/v1/people/me?personFields=metadata", None);
    assert_eq!(text(&me["resourceName"]), format!("people/{}", text(&claims["sub"])));
}

#[test]
fn client_credentials_are_checked_and_may_come_in_the_header() {
    let mut kit = Kit::new();
    let refresh = kit.emulator.refresh_token(EMAIL).expect("a token").to_owned();
    let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let mut with = |id: &str, secret: &str| {
        let mut fields = grant.to_vec();
        fields.extend([("client_id", id), ("client_secret", secret)]);
        kit.form("/token", &fields)
    };
    assert_eq!(with("sandbox.apps.example", "wrong").0, 401);
    assert_eq!(
        with("nobody", "sandbox-secret"),
        (401, json!({ "error": "invalid_client", "error_description": "The OAuth client was not found." }))
    );
    assert_eq!(kit.form("/token", &grant).0, 400);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(grant).finish();
    let basic = STANDARD.encode("sandbox.apps.example:sandbox-secret");
    let request = Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {basic}"))
        .body(Bytes::from(body))
        .expect("a request");
    assert_eq!(kit.send(&request).status(), 200);
}

#[test]
fn a_code_needs_its_verifier_and_its_redirect_address_and_works_once() {
    let mut kit = Kit::new();
    let short = "tooshort";
    for (extra, error) in [
        (vec![("code_verifier", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGXXXX")], "invalid_grant"),
        (vec![("code_verifier", short)], "invalid_grant"),
        (vec![("redirect_uri", "http://127.0.0.1:1")], "redirect_uri_mismatch"),
    ] {
        let pairs = consent(&mut kit, &[("prompt", "consent")]);
        let (status, body) = redeem(&mut kit, value(&pairs, "code"), &extra);
        assert_eq!((status, &body["error"]), (400, &json!(error)));
    }
    let pairs = consent(&mut kit, &[("prompt", "consent"), ("login_hint", OTHER)]);
    assert_eq!(value(&pairs, "state"), "xyz");
    let (status, body) = redeem(&mut kit, value(&pairs, "code"), &[]);
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(&body["id_token"])["email"], OTHER);
    let refresh_token = text(&body["refresh_token"]).to_owned();
    assert_eq!(redeem(&mut kit, value(&pairs, "code"), &[]).1["error"], "invalid_grant");
    assert_eq!(kit.refresh(&refresh_token).0, 200);
}

#[test]
fn a_code_expires() {
    let mut kit = Kit::new();
    let pairs = consent(&mut kit, &[]);
    kit.pass(Duration::from_secs(601));
    assert_eq!(redeem(&mut kit, value(&pairs, "code"), &[]).1["error"], "invalid_grant");
}

#[test]
fn a_second_consent_gives_no_refresh_token_unless_asked_again() {
    let mut kit = Kit::new();
    let pairs = consent(&mut kit, &[]);
    assert!(redeem(&mut kit, value(&pairs, "code"), &[]).1.get("refresh_token").is_none());
    let pairs = consent(&mut kit, &[("prompt", "consent")]);
    assert!(redeem(&mut kit, value(&pairs, "code"), &[]).1["refresh_token"].is_string());
}

#[test]
fn the_user_may_say_no_or_untick_a_scope() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().consent = Consent::Denied;
    assert_eq!(value(&consent(&mut kit, &[]), "error"), "access_denied");
    kit.emulator.settings_mut().consent = Consent::Granted;
    let readonly = "https://www.googleapis.com/auth/contacts.readonly";
    kit.emulator.settings_mut().granted_scopes = Some(vec![readonly.to_owned()]);
    let scope = format!("{CONTACTS} {readonly}");
    let pairs = consent(&mut kit, &[("scope", &scope)]);
    let (_, body) = redeem(&mut kit, value(&pairs, "code"), &[]);
    assert_eq!(body["scope"], readonly);
    kit.token = text(&body["access_token"]).to_owned();
    kit.ok("GET", "/v1/people/me/connections?personFields=names", None);
    let request = kit.request("POST", "/v1/people:createContact", Some(&json!({ "names": [{ "givenName": "A" }] })));
    let response = kit.send(&request);
    assert_eq!(response.status(), 403);
    assert!(response.headers()["www-authenticate"].to_str().expect("a text").contains("insufficient_scope"));
    let (_, body) = parsed(&response);
    assert_eq!(body["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
}

#[test]
fn consent_wants_a_loopback_address_a_challenge_and_a_known_client() {
    let mut kit = Kit::new();
    for (extra, status) in [
        (("redirect_uri", "https://evil.example/"), 400),
        (("code_challenge", ""), 400),
        (("code_challenge_method", "plain"), 400),
        (("client_id", "nobody"), 401),
        (("response_type", "token"), 400),
        (("scope", ""), 400),
        (("login_hint", "nobody@acme.example"), 400),
    ] {
        let request = Request::get(consent_url(&[extra])).body(Bytes::new()).expect("a request");
        assert_eq!(kit.send(&request).status().as_u16(), status, "{extra:?}");
    }
}

#[test]
fn a_revocation_ends_everything_the_account_granted() {
    let mut kit = Kit::new();
    let refresh = kit.emulator.refresh_token(EMAIL).expect("a token").to_owned();
    assert_eq!(kit.form("/revoke", &[("token", &refresh)]).0, 200);
    assert_eq!(kit.form("/revoke", &[("token", &refresh)]).1["error"], "invalid_token");
    let (status, body) = kit.refresh(&refresh);
    assert_eq!(status, 400);
    assert_eq!(body, json!({ "error": "invalid_grant", "error_description": "Token has been expired or revoked." }));
    assert_eq!(kit.get("/v1/people/me?personFields=names").0, 401);
    assert!(kit.emulator.refresh_token(OTHER).is_some(), "others are untouched");
    let anew = kit.user().grant();
    assert_eq!(kit.refresh(&anew).0, 200);
}

#[test]
fn refresh_tokens_rotate_when_told_to() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().rotate_refresh_tokens = true;
    let first = kit.emulator.refresh_token(EMAIL).expect("a token").to_owned();
    let (_, body) = kit.refresh(&first);
    let second = text(&body["refresh_token"]).to_owned();
    assert_eq!(kit.refresh(&first).1["error"], "invalid_grant");
    assert_eq!(kit.refresh(&second).0, 200);
}

#[test]
fn other_grant_types_and_bodies_are_refused() {
    let mut kit = Kit::new();
    let client = [("client_id", "sandbox.apps.example"), ("client_secret", "sandbox-secret")];
    let mut fields = client.to_vec();
    fields.push(("grant_type", "password"));
    assert_eq!(kit.form("/token", &fields).1["error"], "unsupported_grant_type");
    assert_eq!(kit.form("/token", &client).1["error"], "invalid_request");
    assert_eq!(kit.post("/token", json!({ "grant_type": "refresh_token" })).1["error"], "invalid_request");
}
