//! Photos that differ on both sides: at the first link, and when both were changed.

use contactsync::contacts::edit::Editor;
use contactsync::domain::account::Outcome;
use contactsync::domain::history::Actor;
use contactsync::domain::policy::{ConflictPolicy, Winner};
use serde_json::json;

use crate::support::pictures::picture;
use crate::support::world::{World, person};

use super::{ADA, REMOVAL, by, digest, pictured};

#[tokio::test]
async fn at_the_first_link_a_photo_fills_the_empty_side_and_nothing_is_blanked() {
    let world = World::with(by(ConflictPolicy::Remote));
    world.add(person("Nobody")).await;
    world.settle().await;
    let mut ids = Vec::new();
    for (name, ours, theirs) in
        [("Ada King", Some(1), None), ("Grace Hopper", None, Some(2)), ("Alan Turing", Some(3), Some(4))]
    {
        let address = format!("{}@example.org", name.to_lowercase().replace(' ', "."));
        let (given, family) = name.split_once(' ').expect("two names");
        let there = json!({"names": [{"givenName": given, "familyName": family}],
                           "emailAddresses": [{"value": address, "type": "work"}]});
        world.google_create(there, &["Team"]);
        if let Some(shade) = theirs {
            world.google_set_photo(name, Some(picture(shade)));
        }
        let id = world.add(person(name)).await;
        if let Some(shade) = ours {
            world.set_photo(id, Some(picture(shade))).await;
        }
        ids.push(id);
    }
    let summary = world.sync().await;
    assert_eq!((summary.pushed.created, summary.pulled.created, summary.conflicts), (0, 0, 1), "{summary:?}");
    assert_eq!(world.google_photo("Ada King"), Some(picture(1)));
    assert_eq!(world.store_photo(ids[1]).await, Some(world.served_photo("Grace Hopper").await));
    assert_eq!(world.store_photo(ids[2]).await, Some(world.served_photo("Alan Turing").await));
    assert_eq!(world.calls_of(REMOVAL), 0);
    world.settle().await;
    world.assert_idle().await;
}

#[tokio::test]
async fn a_photo_changed_on_both_sides_follows_the_policy_and_the_loser_stays_in_the_history() {
    for (policy, winner) in [
        (ConflictPolicy::Store, Winner::Store),
        (ConflictPolicy::Remote, Winner::Remote),
        (ConflictPolicy::Newest, Winner::Remote),
    ] {
        let (world, id) = pictured(by(policy)).await;
        world.set_photo(id, Some(picture(2))).await;
        world.google_set_photo(ADA, Some(picture(3)));
        let theirs = world.served_photo(ADA).await;
        let summary = world.sync().await;
        assert_eq!((summary.outcome, summary.conflicts), (Outcome::Done, 1), "{policy:?}: {summary:?}");
        match winner {
            Winner::Store => assert_eq!(world.google_photo(ADA), Some(picture(2))),
            _ => assert_eq!(world.store_photo(id).await, Some(theirs.clone())),
        }
        let told = world.history(id).await.into_iter().find_map(|change| change.conflicts.into_iter().next());
        let told = told.expect("a conflict in the history");
        assert_eq!((told.winner, &told.store, &told.remote), (winner, &digest(&picture(2)), &digest(&theirs)));
        // Either can be had back.
        for lost in [&told.store, &told.remote] {
            let digest = lost["digest"].as_str().expect("a digest").parse().expect("a digest");
            assert!(world.store.photo(&digest).await.expect("read").is_some());
        }
        world.assert_idle().await;
    }
}

#[tokio::test]
async fn under_manual_each_side_keeps_its_photo_until_a_person_has_decided() {
    for take in [Winner::Store, Winner::Remote] {
        let (world, id) = pictured(by(ConflictPolicy::Manual)).await;
        world.set_photo(id, Some(picture(2))).await;
        world.google_set_photo(ADA, Some(picture(3)));
        assert_eq!(world.sync().await.outcome, Outcome::Parked);
        world.edit(id, |card| card.notes = Some("goes on".to_owned())).await;
        world.settle_but(Outcome::Parked).await;
        assert_eq!(world.person(ADA)["biographies"][0]["value"], "goes on");
        let theirs = world.served_photo(ADA).await;
        assert_eq!((world.store_photo(id).await, world.google_photo(ADA)), (Some(picture(2)), Some(picture(3))));
        // Google's is changed once more: the conflict follows.
        world.google_set_photo(ADA, Some(picture(4)));
        world.settle_but(Outcome::Parked).await;
        let conflict = world.store.open_conflicts(Some(id)).await.expect("read").remove(0);
        let newest = world.served_photo(ADA).await;
        assert_ne!(newest, theirs);
        assert_eq!((&conflict.store, &conflict.remote), (&digest(&picture(2)), &digest(&newest)));

        let editor = Editor {
            store: world.store.as_ref(),
            clock: world.clock.as_ref(),
            entropy: world.entropy.as_ref(),
            actor: Actor::User,
        };
        world.tick();
        editor.resolve(&conflict, take).await.expect("resolved");
        world.settle().await;
        match take {
            Winner::Store => assert_eq!(world.google_photo(ADA), Some(picture(2))),
            _ => assert_eq!(world.store_photo(id).await, Some(newest)),
        }
        assert!(world.store.open_conflicts(None).await.expect("read").is_empty());
        world.assert_idle().await;
    }
}
