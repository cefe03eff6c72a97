//! Random commands on both implementors: the same answers, the same refusals, the same state.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use contactsync::domain::contact::{Card, Contact, Kind};
use contactsync::domain::id::{AccountName, Etag, GroupId, LinkToken, Marker};
use contactsync::domain::link::{Link, LinkState, Sighting};
use contactsync::domain::matching::MatchKey;
use contactsync::store::memory::MemoryStore;
use contactsync::store::sqlite::SqliteStore;
use contactsync::store::{
    Commit, ContactOrder, ContactQuery, DeletedContacts, Fence, Ghost, HistoryQuery, LeaseRequest, Store, StoreError,
    Stranger, Write,
};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{memory_store, sqlite_store};
use crate::support::values::*;

const ACCOUNTS: [&str; 2] = ["sales", "other"];
const WORDS: [&str; 6] = ["Ada", "Łódź", "straße", "x_y%", "\\", "+49 30 12345"];

/// What happens to a store. Numbers are small, so that commands meet.
#[derive(Debug, Clone)]
enum Command {
    Commit { token: Option<u64>, writes: Vec<Draft> },
    Lease { holder: u8, dead: Option<u8>, at: i64 },
    Release { token: u64 },
    Mint { count: u64, at: i64 },
}

/// A write whose versions are filled in once the state is known.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a handful of values, not worth a box")]
enum Draft {
    Contact { number: u32, card: Card, is_deleted: bool, is_current: bool },
    Link { link: Link, is_settled: bool },
    Drop(u32),
    Alias(u8, u32, u32),
    Open(u64, u32, u8),
    Resend(u64),
    Close(u64),
    Account(u8, u64),
    Ghost(u8, u32, i64),
    Stranger(u8, u32, Vec<u8>),
    DropStranger(u8, u32),
    Conflict { number: u32, contact: u32, link: u32, resolved: bool },
    Run(u32, i64),
}

fn name(number: u8) -> AccountName {
    account(ACCOUNTS[usize::from(number)])
}

fn cards() -> impl Strategy<Value = Card> {
    let words = || proptest::sample::select(&WORDS[..]);
    (any::<bool>(), vec(words(), 0..4), proptest::option::of(0_u32..3)).prop_map(|(is_person, words, organization)| {
        let mut card = if is_person { person(&words.join(" ")) } else { Card::organization(words.join(" ")) };
        for word in &words {
            card = with_label(with_phone(with_email(card, word), word), word);
        }
        card.notes = words.first().map(|word| format!("{word}\n{word}"));
        card.owner = words.last().map(ToString::to_string);
        match organization {
            Some(organization) if is_person => at_organization(card, contact_id(organization)),
            _ => card,
        }
    })
}

fn links() -> impl Strategy<Value = Link> {
    let states = [LinkState::Found, LinkState::Need, LinkState::Bound, LinkState::Dormant, LinkState::Gone];
    (
        0_u32..4,
        0_u8..2,
        proptest::option::weighted(0.8, 0_u32..4),
        proptest::sample::select(states.to_vec()),
        proptest::option::weighted(0.8, 0_u32..4),
        0_u8..6,
        any::<bool>(),
    )
        .prop_map(|(number, owner, contact, state, record, token, is_seen)| Link {
            account: name(owner),
            // Mostly links that may be; what may not be is a case of its own.
            state: match (contact, record, token) {
                (_, _, 0) => state,
                (None, ..) => LinkState::Found,
                (Some(_), None, _) => LinkState::Need,
                _ => state,
            },
            remote: record.map(remote),
            token: LinkToken::new(token.to_string()),
            seen: is_seen.then(|| Sighting::Gone { at: time(1) }),
            ..link(number, contact.map(contact_id))
        })
}

fn drafts() -> impl Strategy<Value = Draft> {
    prop_oneof![
        6 => (0_u32..4, cards(), proptest::bool::weighted(0.2), proptest::bool::weighted(0.9)).prop_map(
            |(number, card, is_deleted, is_current)| Draft::Contact { number, card, is_deleted, is_current }
        ),
        6 => (links(), any::<bool>()).prop_map(|(link, is_settled)| Draft::Link { link, is_settled }),
        1 => (0_u32..4).prop_map(Draft::Drop),
        1 => (0_u8..2, 0_u32..4, 0_u32..4).prop_map(|(owner, record, link)| Draft::Alias(owner, record, link)),
        3 => (0_u64..5, 0_u32..4, 0_u8..2).prop_map(|(marker, link, owner)| Draft::Open(marker, link, owner)),
        1 => (0_u64..5).prop_map(Draft::Resend),
        2 => (0_u64..5).prop_map(Draft::Close),
        1 => (0_u8..2, 0_u64..9).prop_map(|(owner, position)| Draft::Account(owner, position)),
        1 => (0_u8..2, 0_u32..4, 0_i64..9).prop_map(|(owner, record, at)| Draft::Ghost(owner, record, at)),
        1 => (0_u8..2, 0_u32..4, vec(0_u8..4, 0..3)).prop_map(|(owner, record, keys)| Draft::Stranger(owner, record, keys)),
        1 => (0_u8..2, 0_u32..4).prop_map(|(owner, record)| Draft::DropStranger(owner, record)),
        1 => (0_u32..3, 0_u32..4, 0_u32..4, any::<bool>()).prop_map(
            |(number, contact, link, resolved)| Draft::Conflict { number, contact, link, resolved }
        ),
        1 => (0_u32..3, 0_i64..3).prop_map(|(number, begun)| Draft::Run(number, begun)),
    ]
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        8 => (proptest::option::weighted(0.2, 1_u64..4), vec(drafts(), 1..5))
            .prop_map(|(token, writes)| Command::Commit { token, writes }),
        1 => (0_u8..3, proptest::option::of(0_u8..3), 0_i64..200)
            .prop_map(|(holder, dead, at)| Command::Lease { holder, dead, at }),
        1 => (1_u64..4).prop_map(|token| Command::Release { token }),
        1 => (0_u64..4, 0_i64..9).prop_map(|(count, at)| Command::Mint { count, at }),
    ]
}

/// The write that a draft stands for while `store` is as it is.
async fn fill_in(draft: Draft, store: &MemoryStore) -> Write {
    match draft {
        Draft::Contact { number, card, is_deleted, is_current } => {
            let fresh = contact(number, card.clone());
            let current = store.contacts(&[fresh.id]).await.unwrap().pop();
            let next = |current: &Contact| {
                edited(current, |contact| {
                    contact.card = card;
                    contact.deleted = is_deleted.then(|| time(9));
                })
            };
            match current {
                Some(current) if is_current => replace(&next(&current), &current.version),
                None if !is_current => replace(&fresh, &version(7)),
                Some(_) | None => create(&fresh),
            }
        }
        Draft::Link { mut link, is_settled } => {
            let contacts = store.contacts(link.contact.as_slice()).await.unwrap();
            if let (true, [contact]) = (is_settled, contacts.as_slice()) {
                link.settled = contact.version.clone();
            }
            put(&link)
        }
        Draft::Drop(number) => Write::DropLink(link_id(number)),
        Draft::Alias(owner, record, link) => {
            Write::Alias { account: name(owner), remote: remote(record), link: link_id(link) }
        }
        Draft::Open(marker, number, owner) => open_intent(marker, &Link { account: name(owner), ..link(number, None) }),
        Draft::Resend(marker) => Write::ResendIntent(Marker(marker), time(30)),
        Draft::Close(marker) => Write::CloseIntent(Marker(marker)),
        Draft::Account(owner, feed_position) => {
            let mut state = account_state(ACCOUNTS[usize::from(owner)]);
            state.feed_position = feed_position;
            Write::Account(Box::new(state))
        }
        Draft::Ghost(owner, record, at) => {
            Write::Ghost(Ghost { account: name(owner), remote: remote(record), seen: time(at) })
        }
        Draft::Stranger(owner, record, keys) => Write::Stranger(Stranger {
            account: name(owner),
            remote: remote(record),
            etag: Some(Etag::new("e")),
            keys: keys.into_iter().map(|key| vec![key]).collect(),
        }),
        Draft::DropStranger(owner, record) => Write::DropStranger(name(owner), remote(record)),
        Draft::Conflict { number, contact, link: of, resolved } => {
            let mut conflict = conflict(number, contact_id(contact), &link(of, None));
            conflict.resolved = resolved.then(|| time(9));
            Write::Conflict(Box::new(conflict))
        }
        Draft::Run(number, begun) => {
            let mut run = run(number);
            run.begun = time(begun);
            Write::Run(Box::new(run))
        }
    }
}

/// Something to begin with, so that most commands have what they refer to.
fn a_beginning() -> Vec<Write> {
    let contacts = [1, 2, 3].map(|number| contact(number, with_email(person("Ada King"), "Ada")));
    let links = [1, 2].map(|number| link(number, Some(contact_id(number))));
    contacts.iter().map(create).chain(links.iter().map(put)).collect()
}

/// A refusal without what only one implementor can say.
fn meaning<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Inconsistent { table, row, .. }) => format!("inconsistent {table} {row}"),
        Err(StoreError::Unavailable { doing, cause }) => panic!("{doing}: {cause}"),
        outcome => format!("{outcome:?}"),
    }
}

async fn run_command(command: Command, memory: &MemoryStore, sqlite: &SqliteStore) -> [String; 2] {
    match command {
        Command::Commit { token, writes } => {
            let mut filled = Vec::new();
            for draft in writes {
                filled.push(fill_in(draft, memory).await);
            }
            let fence = token.map(|token| Fence { account: account("sales"), token });
            let commit = Commit { fence, writes: filled };
            [meaning(memory.commit(commit.clone()).await), meaning(sqlite.commit(commit).await)]
        }
        Command::Lease { holder, dead, at } => {
            let request = LeaseRequest {
                account: account("sales"),
                holder: holder.to_string(),
                ttl: Duration::from_secs(60),
                dead_holder: dead.map(|dead| dead.to_string()),
            };
            let (memory, sqlite) =
                (memory.acquire_lease(&request, time(at)).await, sqlite.acquire_lease(&request, time(at)).await);
            [meaning(memory), meaning(sqlite)]
        }
        Command::Release { token } => {
            let fence = Fence { account: account("sales"), token };
            [meaning(memory.release_lease(&fence).await), meaning(sqlite.release_lease(&fence).await)]
        }
        Command::Mint { count, at } => {
            [meaning(memory.mint_markers(count, time(at)).await), meaning(sqlite.mint_markers(count, time(at)).await)]
        }
    }
}

/// Everything that a store can be asked for.
async fn dump(store: &dyn Store) -> String {
    let mut text = String::new();
    let mut add = |what: &str, answer: &dyn std::fmt::Debug| writeln!(text, "{what}: {answer:?}").unwrap();
    let (contacts, links) = ((0..4).map(contact_id).collect::<Vec<_>>(), (0..4).map(link_id).collect::<Vec<_>>());
    let (remotes, markers) = ((0..4).map(remote).collect::<Vec<_>>(), (0..5).map(Marker).collect::<Vec<_>>());
    let tokens: Vec<LinkToken> = (0..6).map(|token| LinkToken::new(token.to_string())).collect();
    let keys: BTreeSet<MatchKey> = WORDS.iter().map(|word| MatchKey::Email(word.to_lowercase())).collect();
    add("contacts", &store.contacts(&contacts).await.unwrap());
    add("keys", &store.contacts_with_keys(&keys).await.unwrap());
    add("people", &store.people_counts(&contacts).await.unwrap());
    add("changed", &(store.changed_contacts(0, 3).await.unwrap(), store.changed_contacts(2, 9).await.unwrap()));
    add("feed", &store.feed_end().await.unwrap());
    add("history", &store.history(&HistoryQuery { before: Some(9), ..HistoryQuery::default() }).await.unwrap());
    add("links", &store.links(&links).await.unwrap());
    add("tokens", &store.links_of_tokens(&tokens).await.unwrap());
    add("sent", &store.sent(&markers).await.unwrap());
    add("accounts", &store.accounts().await.unwrap());
    add("runs", &store.runs(2).await.unwrap());
    for name in ACCOUNTS.map(account) {
        add("remotes", &store.links_of_remotes(&name, &remotes).await.unwrap());
        add("former remotes", &store.links_of_former_remotes(&name, &remotes).await.unwrap());
        add("of contacts", &store.links_of_contacts(&name, &contacts).await.unwrap());
        add("unsettled", &store.unsettled_links(&name, None, 9).await.unwrap());
        add("bound", &store.listed_remotes(&name).await.unwrap());
        for group in [2, 3].map(|number| GroupId::new(format!("contactGroups/{number}"))) {
            add("members", &store.remotes_in(&name, &group).await.unwrap());
        }
        add("group sizes", &store.group_sizes(&name).await.unwrap());
        add("counts", &store.link_counts(&name).await.unwrap());
        add("intents", &store.open_intents(&name).await.unwrap());
        add("ghosts", &store.ghosts(&name, &remotes).await.unwrap());
        add("strangers", &store.strangers_with_keys(&name, &BTreeSet::from([vec![1], vec![2]])).await.unwrap());
        add("lease", &store.lease_holder(&name, time(50)).await.unwrap());
    }
    for id in contacts {
        add("of contact", &store.links_of_contact(id).await.unwrap());
        add("conflicts", &store.open_conflicts(Some(id)).await.unwrap());
    }
    for number in 0..3 {
        add("conflict", &store.conflict(conflict_id(number)).await.unwrap());
    }
    for query in queries() {
        let found: Vec<_> = store.find_contacts(&query).await.unwrap().into_iter().map(|contact| contact.id).collect();
        add(&format!("{query:?}"), &found);
    }
    text
}

fn queries() -> Vec<ContactQuery> {
    let all = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
    let mut queries = vec![
        ContactQuery::default(),
        ContactQuery { deleted: DeletedContacts::Only, ..all.clone() },
        ContactQuery { kind: Some(Kind::Organization), ..all.clone() },
        ContactQuery { organization: Some(contact_id(1)), limit: Some(1), ..all.clone() },
        ContactQuery { after: Some(contact_id(1)), order: ContactOrder::Name, ..all.clone() },
        ContactQuery { after: Some(contact_id(1)), limit: Some(2), ..all.clone() },
    ];
    for word in WORDS {
        queries.push(ContactQuery { text: Some(word.to_uppercase()), ..all.clone() });
        queries.push(ContactQuery { label: Some(word.into()), ..all.clone() });
        queries.push(ContactQuery { owner: Some(word.into()), ..all.clone() });
    }
    queries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn both_implementors_do_the_same(commands in vec(commands(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let memory = memory_store();
            let (sqlite, _folder) = sqlite_store().await;
            let first = Commit { fence: None, writes: a_beginning() };
            assert_eq!(meaning(memory.commit(first.clone()).await), meaning(sqlite.commit(first).await));
            for command in commands {
                let shown = format!("{command:?}");
                let [in_memory, in_sqlite] = run_command(command, &memory, &sqlite).await;
                assert_eq!(in_memory, in_sqlite, "{shown}");
            }
            assert_eq!(dump(&memory).await, dump(&sqlite).await);
        });
    }
}
