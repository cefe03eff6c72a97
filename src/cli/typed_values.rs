//! Values that somebody types have to be what they claim to be: a telephone number has digits, an e-mail address an `@`.
//!
//! Only what is typed is looked at. Files and Google may hold anything, and what a contact says already may be handed back
//! as it is.

use serde_json::{Map, Value};
use url::Url;

use crate::domain::contact::Card;
use crate::domain::date::PartialDate;
use crate::domain::diff;
use crate::domain::field::Field;

use super::exit::UsageError;

/// A set or a value whose content is looked at.
struct Claim {
    field: Field,
    /// The flag that says it.
    flag: &'static str,
    /// The member of an item that holds the value.
    member: &'static str,
    holds: fn(&str) -> bool,
    rule: &'static str,
}

const DATE: &str = "a date is YYYY-MM-DD, or --MM-DD without a year";

fn claims() -> [Claim; 5] {
    [
        Claim {
            field: Field::Emails,
            flag: "--email",
            member: "value",
            holds: is_email,
            rule: "an e-mail address has an @ with something on both sides, and no blanks",
        },
        Claim {
            field: Field::Phones,
            flag: "--phone",
            member: "value",
            holds: |text| text.contains(char::is_numeric),
            rule: "a telephone number has digits",
        },
        Claim {
            field: Field::Websites,
            flag: "--website",
            member: "value",
            holds: is_website,
            rule: "a web site is an address such as https://example.org or example.org/page",
        },
        Claim { field: Field::Events, flag: "--event", member: "date", holds: is_date, rule: DATE },
        Claim { field: Field::Birthday, flag: "--birthday", member: "", holds: is_date, rule: DATE },
    ]
}

/// Refuses values of a patch that are not what they claim to be and that the contact does not have already. `is_flag` says
/// whether a member of the patch comes from a flag.
///
/// # Errors
/// [`UsageError`] names the flag or the place in the patch, the value, and the rule.
pub(super) fn check(patch: &Map<String, Value>, card: &Card, is_flag: impl Fn(&str) -> bool) -> Result<(), UsageError> {
    for claim in claims() {
        let name = claim.field.to_string();
        let Some(said) = patch.get(&name) else { continue };
        let known = diff::field_value(card, &claim.field);
        let known: Vec<&str> = values(&known, claim.member);
        for (place, value) in values(said, claim.member).into_iter().enumerate() {
            if value.trim().is_empty() || (claim.holds)(value.trim()) || known.contains(&value) {
                continue;
            }
            let place = match (is_flag(&name), said.is_array()) {
                (true, _) => claim.flag.to_owned(),
                (false, true) => format!("--patch: {name}[{place}]"),
                (false, false) => format!("--patch: {name}"),
            };
            return Err(UsageError(format!("{place} {value:?}: {}", claim.rule)));
        }
    }
    Ok(())
}

/// The texts of a value, or of the items of a set.
fn values<'v>(value: &'v Value, member: &str) -> Vec<&'v str> {
    let text = |item: &'v Value| item.as_str().or_else(|| item.get(member)?.as_str());
    match value {
        Value::Array(items) => items.iter().map(|item| text(item).unwrap_or_default()).collect(),
        one => text(one).into_iter().collect(),
    }
}

fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()) && !text.contains(char::is_whitespace)
}

fn is_website(text: &str) -> bool {
    if text.contains(char::is_whitespace) {
        return false;
    }
    let names_host = |url: &Url| url.host_str().is_some_and(|host| host.contains(['.', ':']) || host == "localhost");
    // "example.org:8080" reads as a scheme of its own, so what has no slashes is looked at as a host first.
    match text.contains("://") {
        true => Url::parse(text).is_ok_and(|url| url.has_host()),
        false => Url::parse(&format!("http://{text}")).is_ok_and(|url| names_host(&url)),
    }
}

fn is_date(text: &str) -> bool {
    text.parse::<PartialDate>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contacts::patch;

    fn refusal(said: Value, card: &Card, is_flag: bool) -> Option<String> {
        check(said.as_object().expect("an object"), card, |_| is_flag).err().map(|error| error.0)
    }

    #[test]
    fn values_that_cannot_be_what_they_claim_are_refused_with_the_rule() {
        let blank = Card::person();
        for (said, flag, place) in [
            (json!({"phones": [{"value": "abc"}]}), "--phone \"abc\"", "--patch: phones[0] \"abc\""),
            (json!({"emails": ["a@x.org", "ada"]}), "--email \"ada\"", "--patch: emails[1] \"ada\""),
            (json!({"emails": ["a b@x.org"]}), "--email", "--patch: emails[0]"),
            (json!({"websites": [{"value": "no site"}]}), "--website \"no site\"", "--patch: websites[0]"),
            (json!({"websites": ["nonsense"]}), "--website", "--patch: websites[0]"),
            (json!({"birthday": "soon"}), "--birthday \"soon\"", "--patch: birthday \"soon\""),
            (json!({"events": [{"date": "2015-13-01"}]}), "--event \"2015-13-01\"", "--patch: events[0]"),
        ] {
            let told = refusal(said.clone(), &blank, true).expect("refused");
            assert!(told.starts_with(flag), "{told}");
            let told = refusal(said, &blank, false).expect("refused");
            assert!(told.starts_with(place), "{told}");
        }
    }

    #[test]
    fn everything_that_may_be_what_it_claims_is_accepted() {
        let said = json!({
            "phones": ["1", "+49 (30) 12-34", "0800 FLOWERS", "٠١٢"],
            "emails": ["ada@example.org", "ada@localhost", "\"a\"@x", "jörg@müller.example"],
            "websites": ["example.org", "example.org:8080/a?b#c", "https://intranet/x", "localhost", "[::1]:80", "müller.example"],
            "birthday": "--02-29",
            "events": [{"date": "2015-06-01"}],
        });
        assert_eq!(refusal(said, &Card::person(), true), None);
        assert_eq!(refusal(json!({"phones": [], "birthday": null, "emails": [""]}), &Card::person(), true), None);
    }

    #[test]
    fn what_a_contact_says_already_may_be_handed_back() {
        let card =
            patch::apply(&Card::person(), &json!({"phones": ["ask Bob"], "emails": ["unknown"]})).expect("valid");
        let whole = json!({"phones": [{"value": "ask Bob", "label": "work"}], "emails": [{"value": "unknown"}]});
        assert_eq!(refusal(whole, &card, false), None);
        assert!(refusal(json!({"phones": ["ask Bob", "ask Eve"]}), &card, true).is_some());
    }
}
