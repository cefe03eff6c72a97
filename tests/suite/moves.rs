//! A contact that moves from one pair to another changes two groups in two calls. Half of that is no edit of anybody's.

use std::time::Duration;

use contactsync::domain::id::ContactId;
use contactsync::domain::link::LinkState;
use contactsync::domain::pair::{InStore, LeftGroup};
use contactsync::emulator::fault::{Fault, FaultKind};
use contactsync::emulator::settings::Delay;

use crate::support::fuse::{Cut, Fuse};
use crate::support::world::{GROUP, World, pair, person, promise};

const HOUR: Duration = Duration::from_secs(3600);
/// Both ways: the calls come in the order of the groups.
const WAYS: [(&str, &str); 2] = [("A", "B"), ("B", "A")];

/// A contact in the group of one of two pairs, that was given the label of the other in the store.
async fn relabelled(from: &str, to: &str) -> (World, ContactId) {
    let mut promise = promise();
    promise.pairs = ["A", "B"].map(pair).to_vec();
    for pair in &mut promise.pairs {
        pair.labels = vec![pair.group.clone()];
    }
    let world = World::with(promise);
    let mut card = person("Ada King");
    card.labels.insert(from.to_owned());
    let ada = world.add(card).await;
    world.settle().await;
    world.advance(HOUR);
    world.edit(ada, |card| card.labels = [to.to_owned()].into()).await;
    (world, ada)
}

async fn assert_moved(world: &World, ada: ContactId, to: &str, at: &str) {
    assert_eq!(world.groups_of("Ada King"), [to, "myContacts"], "{at}");
    assert_eq!(world.link(ada).await.state, LinkState::Bound, "{at}");
    assert_eq!(world.contact(ada).await.card.labels, [to.to_owned()].into(), "{at}");
    world.assert_at_rest().await;
}

#[tokio::test]
async fn a_move_that_was_refused_half_way_is_finished() {
    for (from, to) in WAYS {
        let (world, ada) = relabelled(from, to).await;
        let refusal = Fault::once("contactGroups.members.modify", FaultKind::Status(503));
        world.emulator().faults_mut().push(Fault { skip: 1, times: Some(8), ..refusal });
        world.sync().await;
        world.calm();
        world.advance(HOUR);
        world.settle().await;
        assert_moved(&world, ada, to, &format!("{from} to {to}")).await;
    }
}

#[tokio::test]
async fn a_move_that_was_cut_off_anywhere_is_finished() {
    for (from, to) in WAYS {
        let counting = Fuse::counting();
        let (mut world, _) = relabelled(from, to).await;
        world.fuse(&counting);
        world.sync_or_crash().expect("the fuse does not blow");
        for step in 0..counting.steps() {
            let (mut world, ada) = relabelled(from, to).await;
            world.fuse(&Fuse::at(step, Cut::After));
            assert!(world.sync_or_crash().is_none(), "step {step} was not reached");
            world.unfuse();
            world.settle().await;
            assert_moved(&world, ada, to, &format!("{from} to {to}, cut after step {step}")).await;
        }
    }
}

/// Ada, selected by her label, in an account where leaving the group deletes.
async fn customer() -> (World, ContactId) {
    let mut promise = promise();
    promise.delete.left_group = LeftGroup::Delete;
    promise.pairs[0].labels = vec!["Customer".to_owned()];
    let world = World::with(promise);
    let mut card = person("Ada King");
    card.labels.insert("Customer".to_owned());
    let ada = world.add(card).await;
    world.settle().await;
    world.advance(HOUR);
    (world, ada)
}

// Taken out of its group because it lost the label, and given the label again before anything was recorded of that: what
// is out of the group then was taken out by us, and not by somebody in Google whose wish would be law.
#[tokio::test]
async fn a_contact_that_returns_to_the_selection_after_a_run_was_cut_off_is_put_back() {
    let mut step = 0;
    loop {
        let (mut world, ada) = customer().await;
        world.edit(ada, |card| card.labels.clear()).await;
        world.fuse(&Fuse::at(step, Cut::After));
        let finished = world.sync_or_crash().is_some();
        world.unfuse();
        world.edit(ada, |card| _ = card.labels.insert("Customer".to_owned())).await;
        world.advance(HOUR);
        world.settle().await;
        assert!(world.contact(ada).await.is_live(), "cut at {step}");
        assert_eq!(world.groups_of("Ada King"), [GROUP, "myContacts"], "cut at {step}");
        assert_eq!(world.link(ada).await.state, LinkState::Bound, "cut at {step}");
        world.assert_at_rest().await;
        if finished {
            break;
        }
        step += 1;
    }
    assert!(step > 5, "{step} steps are too few to prove anything");
}

// The leaving is announced and carried out, and the run dies before it is recorded. The contact is selected again at once,
// while a direct read still shows the record in the group that it has left.
#[tokio::test]
async fn a_late_read_after_a_move_of_ours_does_not_make_it_somebody_elses() {
    let mut step = 0;
    loop {
        let (mut world, ada) = customer().await;
        world.switch(|settings| settings.propagation.get = Delay::constant(240_000));
        world.edit(ada, |card| card.labels.clear()).await;
        world.fuse(&Fuse::at(step, Cut::After));
        let finished = world.sync_or_crash().is_some();
        world.unfuse();
        world.edit(ada, |card| _ = card.labels.insert("Customer".to_owned())).await;
        for _ in 0..8 {
            world.advance(Duration::from_secs(150));
            world.sync().await;
        }
        world.advance(HOUR);
        world.settle().await;
        assert!(world.contact(ada).await.is_live(), "cut at {step}");
        assert_eq!(world.groups_of("Ada King"), [GROUP, "myContacts"], "cut at {step}");
        assert_eq!(world.link(ada).await.state, LinkState::Bound, "cut at {step}");
        world.assert_at_rest().await;
        if finished {
            break;
        }
        step += 1;
    }
    assert!(step > 5, "{step} steps are too few to prove anything");
}

// Deleted in the store, and moved to the group of deleted contacts in two calls. Half of that is no edit of anybody's.
#[tokio::test]
async fn a_move_to_the_trash_group_that_was_cut_off_anywhere_is_finished() {
    let mut step = 0;
    loop {
        let mut promise = promise();
        promise.delete.in_store = InStore::TrashGroup;
        let mut world = World::with(promise);
        let ada = world.add(person("Ada King")).await;
        world.settle().await;
        world.advance(HOUR);
        world.delete(ada).await;
        world.fuse(&Fuse::at(step, Cut::After));
        let finished = world.sync_or_crash().is_some();
        world.unfuse();
        world.advance(HOUR);
        world.settle().await;
        assert!(!world.contact(ada).await.is_live(), "cut at {step}");
        assert_eq!(world.groups_of("Ada King"), ["Deleted by contactsync", "myContacts"], "cut at {step}");
        assert_eq!(world.link(ada).await.state, LinkState::Unselected, "cut at {step}");
        world.assert_at_rest().await;
        if finished {
            break;
        }
        step += 1;
    }
    assert!(step > 5, "{step} steps are too few to prove anything");
}
