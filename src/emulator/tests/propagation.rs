//! Changes that take their time to show.

use serde_json::json;

use super::listing::pages;
use super::sync::{SYNC, delta, full};
use super::*;
use crate::emulator::settings::Delay;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn a_write_shows_in_each_way_of_reading_at_its_own_time() {
    let mut kit = Kit::new();
    let person = kit.create("Before");
    let name = name_of(&person);
    let token = full(&mut kit);
    let propagation = &mut kit.emulator.settings_mut().propagation;
    propagation.get = Delay::constant(5_000);
    propagation.list = Delay::constant(20_000);
    propagation.delta = Delay::constant(60_000);
    let (status, updated) = kit.update(&person, "names", json!({ "names": [{ "givenName": "After" }] }));
    assert_eq!(status, 200);
    assert_eq!(updated["names"][0]["givenName"], "After", "the answer of the write is authoritative");

    let given = |person: &Value| text(&person["names"][0]["givenName"]).to_owned();
    let seen = |kit: &mut Kit| {
        let read = kit.ok("GET", &format!("/v1/{name}?personFields=names"), None);
        let (listed, _) = pages(kit, SYNC);
        (given(&read), given(&listed[0]), delta(kit, &token).0.len())
    };
    let (before, after) = ("Before".to_owned(), "After".to_owned());
    assert_eq!(seen(&mut kit), (before.clone(), before.clone(), 0));
    kit.pass(seconds(5));
    assert_eq!(seen(&mut kit), (after.clone(), before, 0));
    kit.pass(seconds(15));
    assert_eq!(seen(&mut kit), (after.clone(), after.clone(), 0));
    kit.pass(seconds(40));
    assert_eq!(seen(&mut kit), (after.clone(), after, 1));
}

#[test]
fn a_stale_read_leads_to_a_stale_update() {
    let mut kit = Kit::new();
    let person = kit.create("Ada");
    let name = name_of(&person);
    kit.emulator.settings_mut().propagation.get = Delay::constant(3_000);
    assert_eq!(kit.update(&person, "names", json!({ "names": [{ "givenName": "B" }] })).0, 200);
    let path = format!("/v1/{name}?personFields=names");
    let stale = kit.ok("GET", &path, None);
    let (status, answer) = kit.update(&stale, "names", json!({ "names": [{ "givenName": "C" }] }));
    assert_eq!((status, &answer["error"]["status"]), (400, &json!("FAILED_PRECONDITION")));
    kit.pass(seconds(3));
    let fresh = kit.ok("GET", &path, None);
    assert_eq!(kit.update(&fresh, "names", json!({ "names": [{ "givenName": "C" }] })).0, 200);
}

#[test]
fn a_token_issued_before_a_change_shows_does_not_skip_it() {
    let mut kit = Kit::new();
    let token = full(&mut kit);
    kit.emulator.settings_mut().propagation.delta = Delay::constant(60_000);
    let slow = kit.add("Slow");
    kit.emulator.settings_mut().propagation.delta = Delay::default();
    let fast = kit.add("Fast");
    let (first, token) = delta(&mut kit, &token);
    assert_eq!(first.iter().map(name_of).collect::<Vec<_>>(), [fast]);
    let (_, token) = delta(&mut kit, &token);
    kit.pass(seconds(60));
    let (second, _) = delta(&mut kit, &token);
    assert_eq!(second.iter().map(name_of).collect::<Vec<_>>(), [slow]);
}

#[test]
fn a_token_of_a_full_listing_that_did_not_show_a_change_brings_it_later() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().propagation.list = Delay::constant(30_000);
    let name = kit.add("Late");
    let (listed, last) = pages(&mut kit, SYNC);
    assert!(listed.is_empty());
    let token = text(&last["nextSyncToken"]).to_owned();
    kit.pass(seconds(30));
    assert_eq!(delta(&mut kit, &token).0.iter().map(name_of).collect::<Vec<_>>(), [name]);
}

#[test]
fn random_delays_lose_nothing() {
    let mut kit = Kit::new();
    let bounds = Delay { min_ms: 0, max_ms: 600_000 };
    let propagation = &mut kit.emulator.settings_mut().propagation;
    (propagation.list, propagation.delta) = (bounds, bounds);
    let mut token = full(&mut kit);
    let mut created = Vec::new();
    let mut delivered = std::collections::BTreeSet::new();
    for round in 0..60 {
        if round < 40 {
            created.push(kit.add(&format!("N{round}")));
        }
        kit.pass(seconds(40));
        let (people, next) = delta(&mut kit, &token);
        delivered.extend(people.iter().map(name_of));
        token = next;
    }
    created.sort();
    assert_eq!(delivered.into_iter().collect::<Vec<_>>(), created);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let mut kit = Kit::new();
        kit.emulator.settings_mut().propagation.delta = Delay { min_ms: 0, max_ms: 90_000 };
        let token = full(&mut kit);
        for number in 0..5 {
            kit.add(&format!("N{number}"));
        }
        kit.pass(seconds(45));
        delta(&mut kit, &token)
    };
    assert_eq!(run(), run());
}
