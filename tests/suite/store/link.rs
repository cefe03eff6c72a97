//! Links: uniqueness, tokens, aliases, and which of them need a look.

use contactsync::domain::answer::Candidates;
use contactsync::domain::id::{GroupId, LinkId};
use contactsync::domain::link::{Link, LinkState, Parked, ParkedWhy, Sighting, Suspicion};
use contactsync::domain::version::VersionVector;
use contactsync::store::{Ghost, LinkCounts, Store, StoreError, Stranger, Write};
use serde_json::json;

use super::{AnyStore, write};
use crate::support::values::*;

async fn unsettled(store: &dyn Store) -> Vec<LinkId> {
    store.unsettled_links(&account("sales"), None, 100).await.unwrap()
}

pub(super) async fn store_contacts(store: &dyn Store, count: u32) {
    let writes = (1..=count).map(|number| create(&contact(number, person("Ada King")))).collect();
    write(store, writes).await.unwrap();
}

pub async fn a_link_is_found_as_it_was_stored(store: AnyStore) {
    store_contacts(&*store, 2).await;
    let mut full = link(2, Some(contact_id(2)));
    full.seen = Some(Sighting::Present { wire: json!({ "b": [1, 2.5, null], "a": "ł" }), at: time(3) });
    full.parked = Some(Parked {
        why: ParkedWhy::Refused,
        reason: "too long".into(),
        digest: Some("00ff".into()),
        since: time(4),
        run: None,
        times: 2,
        candidates: Candidates { contacts: [contact_id(1)].into(), records: [remote(7)].into() },
    });
    full.own_delete = true;
    full.remote_time = None;
    let bare = Link {
        base: None,
        etag: None,
        remote: None,
        state: LinkState::Need,
        acked: VersionVector::new(),
        ..link(1, Some(contact_id(1)))
    };
    write(&*store, vec![put(&full), put(&bare)]).await.unwrap();
    assert_eq!(store.links(&[full.id, link_id(9), bare.id]).await.unwrap(), [bare.clone(), full.clone()]);
    let contacts = [contact_id(2), contact_id(1), contact_id(9)];
    assert_eq!(store.links_of_contacts(&account("sales"), &contacts).await.unwrap(), [bare, full.clone()]);
    assert_eq!(store.links_of_contacts(&account("other"), &contacts).await.unwrap(), []);
    let elsewhere = Link { account: account("other"), ..link(3, Some(contact_id(2))) };
    write(&*store, vec![put(&elsewhere)]).await.unwrap();
    assert_eq!(store.links_of_contact(contact_id(2)).await.unwrap(), [full, elsewhere]);
}

pub async fn a_contact_has_one_link_per_account(store: AnyStore) {
    store_contacts(&*store, 1).await;
    write(&*store, vec![put(&link(1, Some(contact_id(1))))]).await.unwrap();
    let refused = write(&*store, vec![put(&link(2, Some(contact_id(1))))]).await;
    assert!(matches!(refused, Err(StoreError::Taken { .. })), "{refused:?}");
    let elsewhere = Link { account: account("other"), ..link(2, Some(contact_id(1))) };
    write(&*store, vec![put(&elsewhere)]).await.unwrap();
}

pub async fn a_remote_record_has_one_link_per_account(store: AnyStore) {
    store_contacts(&*store, 2).await;
    write(&*store, vec![put(&link(1, Some(contact_id(1))))]).await.unwrap();
    let second = Link { remote: Some(remote(1)), ..link(2, Some(contact_id(2))) };
    let refused = write(&*store, vec![put(&second)]).await;
    assert!(matches!(refused, Err(StoreError::Taken { .. })), "{refused:?}");
    write(&*store, vec![put(&Link { account: account("other"), ..second.clone() })]).await.unwrap();

    // The record changes hands once the first link has let go of it.
    let first = Link { remote: None, state: LinkState::Need, ..link(1, Some(contact_id(1))) };
    write(&*store, vec![put(&first), put(&second)]).await.unwrap();
    let found = store.links_of_remotes(&account("sales"), &[remote(1)]).await.unwrap();
    assert_eq!(found, [(remote(1), second)]);
}

pub async fn a_token_belongs_to_one_link_for_ever(store: AnyStore) {
    store_contacts(&*store, 2).await;
    let first = link(1, Some(contact_id(1)));
    let reborn = Link { token: token("second life"), incarnation: 2, ..first.clone() };
    write(&*store, vec![put(&first), put(&reborn), put(&first), put(&reborn)]).await.unwrap();
    let thief = Link { token: first.token.clone(), ..link(2, Some(contact_id(2))) };
    let refused = write(&*store, vec![put(&thief)]).await;
    assert!(matches!(refused, Err(StoreError::Taken { .. })), "{refused:?}");
}

pub async fn tokens_of_former_incarnations_lead_to_the_link(store: AnyStore) {
    store_contacts(&*store, 1).await;
    let first = link(1, Some(contact_id(1)));
    let reborn = Link { token: token("second life"), incarnation: 2, ..first.clone() };
    write(&*store, vec![put(&first)]).await.unwrap();
    write(&*store, vec![put(&reborn)]).await.unwrap();
    let tokens = [first.token.clone(), token("unknown"), reborn.token.clone()];
    let found = store.links_of_tokens(&tokens).await.unwrap();
    assert_eq!(found, [(reborn.token.clone(), reborn.clone()), (first.token, reborn)]);
}

pub async fn aliases_lead_to_the_link_but_its_own_id_goes_first(store: AnyStore) {
    store_contacts(&*store, 2).await;
    let (first, second) = (link(1, Some(contact_id(1))), link(2, Some(contact_id(2))));
    let alias = |number, link: &Link| Write::Alias { account: account("sales"), remote: remote(number), link: link.id };
    write(&*store, vec![put(&first), put(&second), alias(7, &first), alias(2, &first), alias(8, &first)])
        .await
        .unwrap();
    write(&*store, vec![alias(8, &second), alias(8, &second)]).await.unwrap();
    let found = store.links_of_remotes(&account("sales"), &[9, 8, 7, 2, 1, 1].map(remote)).await.unwrap();
    let expected = [
        (remote(1), first.clone()),
        (remote(2), second.clone()),
        (remote(7), first.clone()),
        (remote(8), second.clone()),
    ];
    assert_eq!(found, expected);
    let found = store.links_of_former_remotes(&account("sales"), &[9, 8, 7, 2, 1, 1].map(remote)).await.unwrap();
    assert_eq!(found, [(remote(2), first.clone()), (remote(7), first), (remote(8), second)]);
    assert_eq!(store.links_of_former_remotes(&account("other"), &[remote(7)]).await.unwrap(), []);
    assert_eq!(store.links_of_remotes(&account("other"), &[remote(7)]).await.unwrap(), []);
    let dangling = Write::Alias { account: account("sales"), remote: remote(5), link: link_id(77) };
    let refused = write(&*store, vec![dangling]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "link_alias", .. })), "{refused:?}");
}

pub async fn only_links_without_contact_are_dropped(store: AnyStore) {
    store_contacts(&*store, 1).await;
    let bound = link(1, Some(contact_id(1)));
    write(&*store, vec![put(&bound)]).await.unwrap();
    let refused = write(&*store, vec![Write::DropLink(bound.id)]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "link", .. })), "{refused:?}");
    assert_eq!(store.links(&[bound.id]).await.unwrap(), [bound]);
    write(&*store, vec![Write::DropLink(link_id(77))]).await.unwrap();
}

pub async fn a_dropped_link_leaves_nothing(store: AnyStore) {
    let dropped = found(1);
    let alias = Write::Alias { account: account("sales"), remote: remote(7), link: dropped.id };
    write(&*store, vec![put(&dropped), alias]).await.unwrap();
    assert_eq!(unsettled(&*store).await, [dropped.id]);
    write(&*store, vec![Write::DropLink(dropped.id)]).await.unwrap();
    assert_eq!(store.links(&[dropped.id]).await.unwrap(), []);
    assert_eq!(store.links_of_tokens(std::slice::from_ref(&dropped.token)).await.unwrap(), []);
    assert_eq!(store.links_of_remotes(&account("sales"), &[remote(1), remote(7)]).await.unwrap(), []);
    assert_eq!(unsettled(&*store).await, []);
    // Nothing stands in the way of another link for the same record.
    write(&*store, vec![put(&Link { id: link_id(2), ..dropped })]).await.unwrap();
}

pub async fn a_link_needs_the_contact_it_names(store: AnyStore) {
    let refused = write(&*store, vec![put(&link(1, Some(contact_id(1))))]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "link", column: "contact", .. })), "{refused:?}");
}

pub async fn a_link_without_contact_is_found_only(store: AnyStore) {
    let refused = write(&*store, vec![put(&link(1, None))]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "link", column: "contact", .. })), "{refused:?}");
    let nowhere = Link { remote: None, ..link(1, Some(contact_id(1))) };
    let refused = write(&*store, vec![create(&contact(1, person("Ada King"))), put(&nowhere)]).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "link", column: "remote", .. })), "{refused:?}");
}

pub async fn an_edit_unsettles_and_a_settled_version_settles(store: AnyStore) {
    let ada = contact(1, person("Ada King"));
    let first = link(1, Some(ada.id));
    write(&*store, vec![create(&ada), put(&first)]).await.unwrap();
    assert_eq!(unsettled(&*store).await, []);
    let again = edited(&ada, |_| {});
    write(&*store, vec![replace(&again, &ada.version)]).await.unwrap();
    assert_eq!(unsettled(&*store).await, [first.id]);
    write(&*store, vec![put(&Link { settled: again.version.clone(), ..first })]).await.unwrap();
    assert_eq!(unsettled(&*store).await, []);
}

pub async fn links_that_rest_are_settled_whatever_order_they_are_written_in(store: AnyStore) {
    let ada = contact(1, person("Ada King"));
    let again = edited(&ada, |_| {});
    let settled = Link { settled: again.version.clone(), ..link(1, Some(ada.id)) };
    // First the link, which is ahead of its contact; then the contact that catches up with it.
    write(&*store, vec![create(&ada), put(&settled)]).await.unwrap();
    assert_eq!(unsettled(&*store).await, [settled.id]);
    write(&*store, vec![replace(&again, &ada.version)]).await.unwrap();
    assert_eq!(unsettled(&*store).await, []);
    for (state, needs_a_look) in [
        (LinkState::Need, true),
        (LinkState::Creating, true),
        (LinkState::Unselected, false),
        (LinkState::Dormant, false),
        (LinkState::Gone, false),
    ] {
        write(&*store, vec![put(&Link { state, ..settled.clone() })]).await.unwrap();
        assert_eq!(!unsettled(&*store).await.is_empty(), needs_a_look, "{state:?}");
    }
}

pub async fn a_sighting_unsettles_a_link(store: AnyStore) {
    store_contacts(&*store, 1).await;
    let quiet = link(1, Some(contact_id(1)));
    for seen in [
        Sighting::Present { wire: json!({}), at: time(1) },
        Sighting::Suspect { cause: Suspicion::Absence, at: time(1) },
        Sighting::Gone { at: time(1) },
    ] {
        let noticed = Link { seen: Some(seen), ..quiet.clone() };
        write(&*store, vec![put(&noticed)]).await.unwrap();
        assert_eq!(unsettled(&*store).await, [quiet.id]);
        assert_eq!(store.links(&[quiet.id]).await.unwrap(), [noticed]);
        write(&*store, vec![put(&quiet)]).await.unwrap();
        assert_eq!(unsettled(&*store).await, []);
    }
}

pub async fn unsettled_links_are_listed_in_pages_per_account(store: AnyStore) {
    let mut writes: Vec<Write> = (1..=5).map(|number| put(&found(number))).collect();
    writes.push(put(&Link { account: account("other"), ..found(6) }));
    write(&*store, writes).await.unwrap();
    let sales = account("sales");
    assert_eq!(store.unsettled_links(&sales, None, 2).await.unwrap(), [1, 2].map(link_id));
    assert_eq!(store.unsettled_links(&sales, Some(link_id(2)), 9).await.unwrap(), [3, 4, 5].map(link_id));
    assert_eq!(store.unsettled_links(&account("other"), None, 9).await.unwrap(), [link_id(6)]);
}

pub async fn the_members_of_a_group_are_counted_and_named(store: AnyStore) {
    store_contacts(&*store, 3).await;
    let group = |number: u32| GroupId::new(format!("contactGroups/{number}"));
    let groups = |numbers: &[u32]| numbers.iter().map(|number| group(*number)).collect();
    let in_groups = |number: u32, of: &[u32]| Link { member_of: groups(of), ..link(number, Some(contact_id(number))) };
    let elsewhere = Link { account: account("other"), member_of: groups(&[1]), ..found(4) };
    let writes = vec![put(&in_groups(1, &[1, 2])), put(&in_groups(2, &[2])), put(&in_groups(3, &[])), put(&elsewhere)];
    write(&*store, writes).await.unwrap();
    let sales = account("sales");
    let sizes = store.group_sizes(&sales).await.unwrap();
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [(group(1), 1), (group(2), 2)]);
    let members = store.remotes_in(&sales, &group(2)).await.unwrap();
    assert_eq!(members.into_iter().collect::<Vec<_>>(), [remote(1), remote(2)]);
    assert_eq!(store.remotes_in(&sales, &group(3)).await.unwrap().len(), 0);
}

pub async fn numbers_count_each_account_alone(store: AnyStore) {
    store_contacts(&*store, 3).await;
    let (first, second) = (link(1, Some(contact_id(1))), link(2, Some(contact_id(2))));
    let parked = Link {
        state: LinkState::Dormant,
        parked: Some(Parked {
            why: ParkedWhy::Guard,
            reason: "too many deletes".into(),
            digest: None,
            since: time(1),
            run: None,
            times: 1,
            candidates: Candidates { records: [remote(7)].into(), ..Candidates::default() },
        }),
        ..link(3, Some(contact_id(3)))
    };
    let resolved =
        contactsync::domain::conflict::Conflict { resolved: Some(time(9)), ..conflict(2, contact_id(1), &first) };
    let stranger = Stranger { account: account("sales"), remote: remote(9), etag: None, keys: Default::default() };
    let writes = vec![
        put(&first),
        put(&second),
        put(&parked),
        put(&found(4)),
        put(&Link { account: account("other"), ..found(5) }),
        open_intent(1, &second),
        Write::Conflict(Box::new(conflict(1, contact_id(1), &first))),
        Write::Conflict(Box::new(resolved)),
        Write::Stranger(stranger),
        Write::Ghost(Ghost { account: account("sales"), remote: remote(10), seen: time(1) }),
    ];
    write(&*store, writes).await.unwrap();
    let expected =
        LinkCounts { bound: 2, unsettled: 1, parked: 1, questions: 1, intents: 1, conflicts: 1, strangers: 1 };
    assert_eq!(store.link_counts(&account("sales")).await.unwrap(), expected);
    let expected = LinkCounts { unsettled: 1, ..LinkCounts::default() };
    assert_eq!(store.link_counts(&account("other")).await.unwrap(), expected);
    let bound = store.listed_remotes(&account("sales")).await.unwrap();
    assert_eq!(bound.into_iter().collect::<Vec<_>>(), [remote(1), remote(2), remote(4)], "bound or found");
}
