//! A commit is one thing.

use std::collections::BTreeSet;

use contactsync::domain::id::Marker;
use contactsync::domain::matching::MatchKey;
use contactsync::store::{Committed, ContactQuery, Ghost, HistoryQuery, LinkCounts, Stranger, Write};

use super::{AnyStore, write};
use crate::support::values::*;

pub async fn a_refused_commit_leaves_nothing(store: AnyStore) {
    let before = contact(1, with_label(with_email(person("Ada King"), "old@x.org"), "old"));
    let bound = link(1, Some(before.id));
    let state = account_state("sales");
    write(&*store, vec![create(&before), put(&bound), Write::Account(Box::new(state.clone()))]).await.unwrap();

    let after = edited(&before, |contact| contact.card = with_label(with_email(person("Eve"), "new@x.org"), "new"));
    let found = found(2);
    let stranger = Stranger { account: account("sales"), remote: remote(9), etag: None, keys: [vec![1]].into() };
    let mut moved = state.clone();
    moved.feed_position = 5;
    let writes = vec![
        replace(&after, &before.version),
        create(&contact(2, person("Eve Hill"))),
        put(&contactsync::domain::link::Link { token: token("other"), remote: Some(remote(5)), ..bound.clone() }),
        put(&found),
        Write::Alias { account: account("sales"), remote: remote(7), link: found.id },
        Write::DropLink(found.id),
        open_intent(5, &bound),
        Write::ResendIntent(Marker(5), time(50)),
        Write::Account(Box::new(moved)),
        Write::Ghost(Ghost { account: account("sales"), remote: remote(8), seen: time(1) }),
        Write::Stranger(stranger),
        Write::Conflict(Box::new(conflict(1, before.id, &bound))),
        Write::Run(Box::new(run(1))),
    ];
    for refused_at in 1..=writes.len() {
        let mut cut: Vec<Write> = writes[..refused_at].to_vec();
        cut.push(create(&before));
        assert!(write(&*store, cut).await.is_err());
        let sales = account("sales");
        assert_eq!(store.find_contacts(&ContactQuery::default()).await.unwrap(), std::slice::from_ref(&before));
        let labelled = |label: &str| ContactQuery { label: Some(label.into()), ..ContactQuery::default() };
        assert_eq!(store.find_contacts(&labelled("old")).await.unwrap().len(), 1);
        assert_eq!(store.find_contacts(&labelled("new")).await.unwrap().len(), 0);
        let keys: BTreeSet<MatchKey> = ["old@x.org", "new@x.org"].map(|a| MatchKey::Email(a.into())).into();
        assert_eq!(store.contacts_with_keys(&keys).await.unwrap(), [(MatchKey::Email("old@x.org".into()), before.id)]);
        assert_eq!(store.history(&HistoryQuery::default()).await.unwrap().len(), 1);
        assert_eq!((store.feed_end().await.unwrap(), store.changed_contacts(0, 9).await.unwrap().len()), (1, 1));
        assert_eq!(store.links(&[bound.id, found.id]).await.unwrap(), std::slice::from_ref(&bound));
        let tokens = [token("other"), bound.token.clone(), found.token.clone()];
        assert_eq!(store.links_of_tokens(&tokens).await.unwrap(), [(bound.token.clone(), bound.clone())]);
        let remotes = [1, 2, 5, 7].map(remote);
        assert_eq!(store.links_of_remotes(&sales, &remotes).await.unwrap(), [(remote(1), bound.clone())]);
        assert_eq!(store.unsettled_links(&sales, None, 9).await.unwrap(), []);
        assert_eq!(store.open_intents(&sales).await.unwrap(), []);
        assert_eq!(store.sent(&[Marker(5)]).await.unwrap(), []);
        assert_eq!(store.account(&sales).await.unwrap(), Some(state.clone()));
        assert!(store.ghosts(&sales, &[remote(8)]).await.unwrap().is_empty());
        assert_eq!(store.link_counts(&sales).await.unwrap(), LinkCounts { bound: 1, ..LinkCounts::default() });
        assert_eq!(store.runs(9).await.unwrap(), []);
    }
    let committed = write(&*store, writes).await.unwrap();
    assert_eq!(committed.changes, [(before.id, 2), (contact_id(2), 3)]);
}

pub async fn a_commit_sees_its_own_writes_in_order(store: AnyStore) {
    let ada = contact(1, person("Ada King"));
    let bound = link(1, Some(ada.id));
    let writes =
        vec![create(&ada), put(&bound), open_intent(5, &bound), Write::CloseIntent(Marker(5)), open_intent(6, &bound)];
    write(&*store, writes).await.unwrap();
    assert_eq!(store.open_intents(&account("sales")).await.unwrap(), [intent(6, &bound)]);
    // A link before the contact it names: the order counts.
    let second = link(2, Some(contact_id(2)));
    assert!(write(&*store, vec![put(&second), create(&contact(2, person("Eve Hill")))]).await.is_err());
}

pub async fn an_empty_commit_is_fine(store: AnyStore) {
    assert_eq!(write(&*store, Vec::new()).await.unwrap(), Committed::default());
}
