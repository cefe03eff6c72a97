//! Answers recorded from the live service, where they are at hand.

use std::path::PathBuf;

use serde_json::Value;

use super::super::{GoogleCodec, wire};
use super::tag;
use crate::domain::contact::Kind;
use crate::domain::normal;
use crate::remotes::Codec;

/// The folder of recorded data: named by the environment, else beside the project.
fn folder() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let folder = std::env::var_os("CONTACTSYNC_FIXTURES").map(PathBuf::from).unwrap_or_else(beside).join("google");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no recorded answers at {}; set CONTACTSYNC_FIXTURES", folder.display());
        return None;
    }
    Some(folder)
}

/// The text of a recorded file; `None` where there are no records.
pub(super) fn recorded(name: &str) -> Option<String> {
    let path = folder()?.join(name);
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The body of a recorded HTTP answer, or a file that is all body.
fn body(name: &str) -> Option<Value> {
    let text = recorded(name)?.replace("\r\n", "\n");
    let body = text.split_once("\n\n").filter(|_| text.starts_with("HTTP/")).map_or(text.as_str(), |(_, body)| body);
    Some(serde_json::from_str(body).unwrap_or_else(|error| panic!("{name}: {error}")))
}

#[test]
fn a_recorded_person_is_read_whole() {
    let Some(person) = body("libkgapi/person1_fetch_response.txt") else { return };
    let record = wire::record(&person).expect("a person");
    let card = GoogleCodec::default().read(&record.wire, Kind::Person).card;
    let own = card.as_person().expect("a person");
    assert_eq!(own.name.full().as_deref(), Some("Dr. John Jay Doe III"));
    assert_eq!(own.birthday.expect("a birthday").to_string(), "1999-11-03");
    assert_eq!(own.organization.as_ref().expect("a company").name, "KDE");
    assert_eq!((own.job_title.as_deref(), own.department.as_deref()), (Some("Developer"), Some("PIM")));
    assert_eq!((own.events.len(), own.ims.len(), own.relations.len(), own.nicknames.len()), (1, 2, 1, 1));
    assert_eq!((card.emails.len(), card.phones.len(), card.addresses.len(), card.websites.len()), (3, 3, 2, 2));
    assert_eq!(card.emails.iter().map(|email| email.primary).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(card.addresses[0].country.as_deref(), Some("ES"));
    assert_eq!(card.custom.get("Custom Field Number One").map(String::as_str), Some("custom field 1"));
    assert_eq!(record.etag.expect("etag").as_str(), "#Zm4YfTizA7M=");
    assert_eq!(record.groups.len(), 1);
    assert_eq!(record.wire["sipAddresses"][0]["value"], "123456789", "what we do not model is kept");
}

#[test]
fn recorded_persons_survive_reading_and_composing() {
    let Some(list) = body("libkgapi/connections_full_fetch_response.txt") else { return };
    let codec = GoogleCodec::default();
    let persons = list["connections"].as_array().expect("a list");
    assert_eq!(persons.len(), 2);
    for person in persons {
        let wire = wire::record(person).expect("a person").wire;
        let reading = codec.read(&wire, codec.kind(&wire));
        let composed = codec.compose(&reading.card, &reading.groups, &tag(1));
        let again = codec.read(&composed, reading.card.kind()).card;
        assert_eq!(normal::card(&again), normal::card(&reading.card));
        assert_eq!(codec.recompose(&wire, &reading.card, &again, Some(&reading.groups), &tag(1)), None);
    }
}
