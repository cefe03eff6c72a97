//! Google's client and codec against the emulated service, without the engine between them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contactsync::clock::{Clock as _, SystemClock, SystemEntropy};
use contactsync::domain::contact::{Card, Email, Kind};
use contactsync::domain::id::{AccountName, Etag, GroupId, LinkToken, Marker, RemoteId};
use contactsync::domain::normal;
use contactsync::emulator::fault::{Fault, FaultKind};
use contactsync::emulator::server::{Server, serve};
use contactsync::emulator::settings::{CreatedOrder, ExpiredSyncToken, MissingDelete, UpdateAnswers};
use contactsync::emulator::{Config, Emulator, User};
use contactsync::remotes::error::ItemError;
use contactsync::remotes::google::{Google, GoogleOptions, Mapping};
use contactsync::remotes::http::ReqwestTransport;
use contactsync::remotes::oauth::{GrantError, GrantStore, OauthClient, RefreshSource};
use contactsync::remotes::token_cache::TokenCache;
use contactsync::remotes::{PageRequest, Presence, Record, Remote, RemoteError, Tag, Update, Updated};
use oauth2::TokenUrl;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::world::{EMAIL, World};

const RICH: &str = r#"{"kind":"person",
    "name":{"given":"Ada","middle":"B.","family":"King","prefix":"Dr.","suffix":"Jr."},
    "emails":[{"value":"ada@example.org","label":"work","primary":true},{"value":"ada@home.example","label":"Boat"}],
    "phones":[{"value":"+49 30 1234567","label":"work","primary":true},{"value":"+49 170 7654321","label":"mobile"}],
    "addresses":[{"label":"work","street":"Linden 1","extended":"2nd floor","city":"Berlin","region":"BE",
                  "postal_code":"10117","country":"DE"}],
    "organization":{"name":"Example GmbH"},"job_title":"CTO","department":"Engines","birthday":"--02-29",
    "events":[{"label":"anniversary","date":"2015-06-01"}],"websites":[{"value":"example.org","label":"homePage"}],
    "ims":[{"value":"ada","protocol":"jabber","label":"work"}],"relations":[{"value":"Charles","label":"friend"}],
    "nicknames":["Adie"],"notes":"Likes engines.\nAnd more.","custom":{"Price list":"Retail"}}"#;

fn rich() -> Card {
    serde_json::from_str(RICH).unwrap()
}

fn tag(marker: u64) -> Tag {
    Tag { token: LinkToken::new(format!("token{marker}")), epoch: 1, marker: Marker(marker) }
}

fn my_contacts() -> BTreeSet<GroupId> {
    BTreeSet::from([GroupId::new("contactGroups/myContacts")])
}

fn wire(world: &World, card: &Card, marker: u64) -> Value {
    world.google.codec().compose(card, &my_contacts(), &tag(marker))
}

fn plain(name: &str) -> Card {
    let mut card = Card::person();
    card.as_person_mut().unwrap().name.given = Some(name.to_owned());
    card
}

/// Changes a card; what has to be sent for it.
fn change(world: &World, record: &Record, edit: impl FnOnce(&mut Card)) -> (Vec<String>, Update) {
    let codec = world.google.codec();
    let from = codec.read(&record.wire, Kind::Person).card;
    let mut to = from.clone();
    edit(&mut to);
    let changed = codec.recompose(&record.wire, &from, &to, None, &tag(1_000)).unwrap();
    (changed.mask, Update { id: record.id.clone(), etag: record.etag.clone().unwrap(), wire: changed.wire })
}

async fn create(world: &World, card: &Card) -> Record {
    world.google.create_records(&[wire(world, card, 1)]).await.unwrap().records.remove(0)
}

fn as_user<T>(world: &World, act: impl FnOnce(&mut User<'_>) -> T) -> T {
    let now = world.clock.now();
    act(&mut world.emulator().user(EMAIL, now).unwrap())
}

async fn list(world: &World, since: Option<contactsync::domain::id::ChangeToken>) -> Vec<Record> {
    let page = world.google.list_records(&PageRequest { since, page: None }).await.unwrap();
    assert!(page.next_page.is_none() && page.next_token.is_some());
    page.records
}

#[tokio::test]
async fn a_card_survives_the_way_to_google_and_back() {
    let world = World::new();
    let created = create(&world, &rich()).await;
    assert_eq!(created.tag, Some(tag(1)));
    assert_eq!(created.groups, my_contacts());
    let read = |record: &Record| normal::card(&world.google.codec().read(&record.wire, Kind::Person).card);
    assert_eq!(read(&created), normal::card(&rich()));
    let fetched = world.google.fetch_records(std::slice::from_ref(&created.id)).await.unwrap().records;
    assert_eq!(fetched[&created.id], created);
    assert_eq!(list(&world, None).await, [created]);
    world.assert_no_violation();
}

#[tokio::test]
async fn each_field_can_be_changed_and_emptied() {
    let world = World::new();
    let mut record = create(&world, &rich()).await;
    let edits: [fn(&mut Card); 12] = [
        |card| card.as_person_mut().unwrap().name.family = Some("Lovelace".to_owned()),
        |card| card.emails[1].value = "new@home.example".to_owned(),
        |card| {
            card.emails[0].primary = false;
            card.emails[1].primary = true;
        },
        |card| _ = card.phones.remove(0),
        |card| card.addresses[0].city = Some("Potsdam".to_owned()),
        |card| card.as_person_mut().unwrap().job_title = None,
        |card| card.as_person_mut().unwrap().birthday = "1990-05-17".parse().ok(),
        |card| card.notes = None,
        |card| _ = card.custom.insert("Size".to_owned(), "L".to_owned()),
        |card| card.as_person_mut().unwrap().nicknames.push("Countess".to_owned()),
        |card| card.as_person_mut().unwrap().ims.clear(),
        |card| *card = plain("Ada"),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut expected = world.google.codec().read(&record.wire, Kind::Person).card;
        edit(&mut expected);
        if let Some(first) = expected.phones.first_mut() {
            first.primary = true;
        }
        let (mask, update) = change(&world, &record, edit);
        let mut updated = world.google.update_records(&mask, &[update]).await.unwrap().records;
        let updated = updated.remove(&record.id).unwrap();
        let read = world.google.codec().read(&updated.wire, Kind::Person).card;
        assert_eq!(normal::card(&read), normal::card(&expected), "edit {number}");
        assert_ne!(updated.etag, record.etag);
        record = updated;
    }
    world.assert_no_violation();
}

#[tokio::test]
async fn a_batch_is_matched_by_tag_whatever_its_order() {
    let world = World::new();
    world.emulator().settings_mut().created_order = CreatedOrder::Shuffled;
    let wires: Vec<Value> = (0..20).map(|number| wire(&world, &plain(&format!("Number {number}")), number)).collect();
    let records = world.google.create_records(&wires).await.unwrap().records;
    for (number, sent) in (0..20).zip(&wires) {
        let record = records.iter().find(|record| record.tag == Some(tag(number))).unwrap();
        assert_eq!(record.wire["names"], sent["names"]);
    }
    assert_eq!(world.emulator().counters().method("people.batchCreateContacts").calls, 1);
    world.assert_no_violation();
}

#[tokio::test]
async fn a_batch_of_updates_names_the_stale_ones_and_may_answer_nothing() {
    let world = World::new();
    let wires: Vec<Value> = (0..4).map(|number| wire(&world, &plain("Ada"), number)).collect();
    let records = world.google.create_records(&wires).await.unwrap().records;
    let mut updates = Vec::new();
    let mut mask = Vec::new();
    for record in &records {
        let (fields, update) = change(&world, record, |card| card.notes = Some("x".to_owned()));
        (mask, updates) = (fields, [updates, vec![update]].concat());
    }
    for place in [1, 3] {
        as_user(&world, |user| user.edit(records[place].id.as_str(), &json!({"nicknames": [{"value": "N"}]})).unwrap());
    }
    let error = world.google.update_records(&mask, &updates).await.unwrap_err();
    assert!(matches!(&error, RemoteError::Stale { items } if *items == [1, 3]), "{error:?}");
    world.emulator().settings_mut().update_answers = UpdateAnswers::Empty;
    let fresh = [updates[0].clone(), updates[2].clone()];
    assert_eq!(world.google.update_records(&mask, &fresh).await.unwrap(), Updated::default());
    let ids = [records[0].id.clone(), records[1].id.clone()];
    let fetched = world.google.fetch_records(&ids).await.unwrap().records;
    assert_eq!(fetched[&ids[0]].wire["biographies"][0]["value"], "x");
    assert_eq!(fetched[&ids[1]].wire.get("biographies"), None);
}

#[tokio::test]
async fn a_batch_names_what_is_refused_and_what_is_gone() {
    let world = World::new();
    let bad = json!({"names": [{"givenName": "A"}, {"givenName": "B"}]});
    let error = world.google.create_records(&[wire(&world, &plain("Ada"), 1), bad]).await.unwrap_err();
    let RemoteError::Refused { items, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(items.iter().collect::<Vec<_>>()[..], [(1, ItemError::Refused(_))]), "{error:?}");
    assert_eq!(world.people().len(), 0);
    let wires = [wire(&world, &plain("A"), 1), wire(&world, &plain("B"), 2)];
    let records = world.google.create_records(&wires).await.unwrap().records;
    let changes: Vec<(Vec<String>, Update)> =
        records.iter().map(|record| change(&world, record, |card| card.notes = Some("x".to_owned()))).collect();
    world.google.delete_records(std::slice::from_ref(&records[1].id)).await.unwrap();
    let updates: Vec<Update> = changes.iter().map(|(_, update)| update.clone()).collect();
    let error = world.google.update_records(&changes[0].0, &updates).await.unwrap_err();
    let RemoteError::Refused { items, .. } = &error else { panic!("{error:?}") };
    assert_eq!(items.get(&1), Some(&ItemError::Missing), "{error:?}");
    let error = world.google.update_records(&changes[1].0, &updates[1..]).await.unwrap_err();
    assert!(matches!(error, RemoteError::Missing { .. }), "{error:?}");
}

#[tokio::test]
async fn a_stale_update_writes_nothing() {
    let world = World::new();
    let record = create(&world, &rich()).await;
    let (mask, mut update) = change(&world, &record, |card| card.notes = None);
    update.etag = Etag::new("#stale");
    let error = world.google.update_records(&mask, &[update]).await.unwrap_err();
    assert!(matches!(&error, RemoteError::Stale { items } if *items == [0]), "{error:?}");
    let fetched = world.google.fetch_records(std::slice::from_ref(&record.id)).await.unwrap().records;
    assert_eq!(fetched[&record.id], record);
}

#[tokio::test]
async fn changes_and_deletions_come_through_the_change_stream() {
    let world = World::new();
    let (kept, gone) = (create(&world, &plain("Kept")).await, create(&world, &plain("Gone")).await);
    let page = world.google.list_records(&PageRequest { since: None, page: None }).await.unwrap();
    world.advance(Duration::from_secs(60));
    as_user(&world, |user| user.edit(kept.id.as_str(), &json!({"nicknames": [{"value": "K"}]})).unwrap());
    world.google.delete_records(std::slice::from_ref(&gone.id)).await.unwrap();
    let changed = list(&world, page.next_token).await;
    let presence: Vec<(&RemoteId, Presence)> = changed.iter().map(|record| (&record.id, record.presence)).collect();
    assert!(presence.contains(&(&kept.id, Presence::Present)) && presence.contains(&(&gone.id, Presence::Deleted)));
    assert!(world.google.fetch_records(std::slice::from_ref(&gone.id)).await.unwrap().records.is_empty());
}

#[tokio::test]
async fn a_dead_change_token_means_listing_in_full() {
    for answer in [ExpiredSyncToken::FailedPrecondition, ExpiredSyncToken::InvalidArgument, ExpiredSyncToken::Gone] {
        let world = World::new();
        let page = world.google.list_records(&PageRequest { since: None, page: None }).await.unwrap();
        world.emulator().settings_mut().expired_sync_token = answer;
        as_user(&world, |user| user.expire_sync_tokens());
        let request = PageRequest { since: page.next_token, page: None };
        let error = world.google.list_records(&request).await.unwrap_err();
        assert!(matches!(error, RemoteError::TokenExpired), "{answer:?}: {error:?}");
    }
}

#[tokio::test]
async fn deleting_twice_is_told() {
    for answer in [MissingDelete::NotFound, MissingDelete::Internal] {
        let world = World::new();
        world.emulator().settings_mut().missing_delete = answer;
        let record = create(&world, &plain("Ada")).await;
        let one = std::slice::from_ref(&record.id);
        world.google.delete_records(one).await.unwrap();
        let error = world.google.delete_records(one).await.unwrap_err();
        assert!(matches!(error, RemoteError::Missing { .. }), "{answer:?}: {error:?}");
    }
}

#[tokio::test]
async fn many_contacts_are_deleted_and_read_in_few_calls() {
    let world = World::new();
    let wires: Vec<Value> = (0..200).map(|number| wire(&world, &plain("Ada"), number)).collect();
    let records = world.google.create_records(&wires).await.unwrap().records;
    let ids: Vec<RemoteId> = records.into_iter().map(|record| record.id).collect();
    assert_eq!(world.google.fetch_records(&ids).await.unwrap().records.len(), 200);
    world.google.delete_records(&ids).await.unwrap();
    assert!(list(&world, None).await.is_empty());
    let calls = |method| world.emulator().counters().method(method).calls;
    assert_eq!((calls("people.getBatchGet"), calls("people.batchDeleteContacts")), (1, 1));
    world.assert_no_violation();
}

#[tokio::test]
async fn contacts_with_more_addresses_than_a_listing_shows_are_read_whole() {
    let world = World::new();
    let mut card = plain("Ada");
    for number in 0..130 {
        card.emails.push(Email { value: format!("a{number}@example.org"), label: None, primary: false });
    }
    create(&world, &card).await;
    let records = list(&world, None).await;
    assert_eq!(records[0].wire["emailAddresses"].as_array().unwrap().len(), 130);
}

#[tokio::test]
async fn groups_are_created_once_and_filled() {
    let world = World::new();
    let record = create(&world, &plain("Ada")).await;
    let group = world.google.create_group("Customers").await.unwrap();
    let error = world.google.create_group("Customers").await.unwrap_err();
    assert!(matches!(error, RemoteError::Exists { .. }), "{error:?}");
    let nobody = RemoteId::new("people/c1");
    let added = world.google.change_members(&group.id, &[record.id.clone(), nobody.clone()], &[]).await.unwrap();
    assert_eq!(added.missing, BTreeSet::from([nobody]));
    let common = world.google.common_group();
    world.google.change_members(&common, &[], std::slice::from_ref(&record.id)).await.unwrap();
    let kept = world.google.change_members(&group.id, &[], std::slice::from_ref(&record.id)).await.unwrap();
    assert_eq!(kept.kept, BTreeSet::from([record.id.clone()]));
    let page = world.google.list_groups(None).await.unwrap();
    let listed = page.groups.iter().find(|listed| listed.id == group.id).unwrap();
    assert_eq!((listed.name.as_str(), listed.members), ("Customers", 1));
    let filled = world.google.get_group(&group.id, 5).await.unwrap();
    assert_eq!((&filled.group, &filled.members[..]), (listed, std::slice::from_ref(&record.id)));
    assert_eq!(world.google.get_group(&group.id, 0).await.unwrap().members, []);
    assert_eq!(world.google.group_members(&group.id).await.unwrap(), std::slice::from_ref(&record.id));
    let error = world.google.rename_group(&group.id, &Etag::new("stale"), "Clients").await.unwrap_err();
    assert!(matches!(error, RemoteError::Stale { .. }), "{error:?}");
    let etag = listed.etag.clone().unwrap();
    assert_eq!(world.google.rename_group(&group.id, &etag, "Clients").await.unwrap().name, "Clients");
}

#[tokio::test]
async fn a_member_of_several_groups_keeps_them_through_an_update() {
    let world = World::new();
    let record = create(&world, &plain("Ada")).await;
    let group = world.google.create_group("Customers").await.unwrap();
    let codec = world.google.codec();
    let card = codec.read(&record.wire, Kind::Person).card;
    let groups = BTreeSet::from([world.google.common_group(), group.id.clone()]);
    let changed = codec.recompose(&record.wire, &card, &card, Some(&groups), &tag(2)).unwrap();
    assert_eq!(changed.mask, ["clientData", "memberships"]);
    let update = Update { id: record.id.clone(), etag: record.etag.clone().unwrap(), wire: changed.wire };
    let updated = world.google.update_records(&changed.mask, &[update]).await.unwrap().records;
    assert_eq!(updated[&record.id].groups, groups);
    world.assert_no_violation();
}

#[tokio::test]
async fn an_answer_lost_after_the_write_leaves_the_outcome_open() {
    for kind in [FaultKind::DropAfter, FaultKind::StatusAfter(503), FaultKind::Truncate] {
        let world = World::new();
        world.emulator().faults_mut().push(Fault::once("people.createContact", kind.clone()));
        let error = world.google.create_records(&[wire(&world, &plain("Ada"), 1)]).await.unwrap_err();
        assert!(matches!(error, RemoteError::Lost { .. }), "{kind:?}: {error:?}");
        assert_eq!(world.people().len(), 1, "{kind:?}: carried out, and not a second time");
    }
}

#[tokio::test]
async fn quotas_slow_down_and_consent_is_asked_for() {
    let world = World::new();
    world.emulator().faults_mut().push(Fault::once("people.createContact", FaultKind::MinuteQuota));
    create(&world, &plain("Ada")).await;
    assert_eq!(world.people().len(), 1);
    world.emulator().faults_mut().push(Fault::once("people.createContact", FaultKind::StorageQuota));
    let error = world.google.create_records(&[wire(&world, &plain("Ada"), 1)]).await.unwrap_err();
    let RemoteError::RateLimited { retry_after, .. } = error else { panic!("{error:?}") };
    assert_eq!(retry_after.as_secs(), 300);
    as_user(&world, |user| user.expire_access_tokens());
    assert_eq!(list(&world, None).await.len(), 1, "a new token is fetched");
    let one = [RemoteId::new("people/c1")];
    world.emulator().settings_mut().api_enabled = false;
    let error = world.google.fetch_records(&one).await.unwrap_err();
    assert!(matches!(error, RemoteError::NotSetUp { .. }), "{error:?}");
    world.emulator().settings_mut().api_enabled = true;
    as_user(&world, |user| user.revoke_grant());
    let error = world.google.fetch_records(&one).await.unwrap_err();
    assert!(error.to_string().contains("contactsync login sales"), "{error:?}");
}

#[tokio::test]
async fn the_user_is_known_from_the_grant_without_a_call_and_is_the_same_one_otherwise() {
    let mut world = World::new();
    let user = world.google.user().await.unwrap();
    assert_eq!((user.email.as_deref(), world.google.calls()), (Some(EMAIL), 0));
    // Tokens as a grant without OpenID scopes brings them, and a spoiled one.
    for id_token in [Value::Null, json!("spoiled")] {
        world.restart();
        let token = as_user(&world, |user| user.access_token());
        let body = json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer", "id_token": id_token});
        let answer =
            FaultKind::Answer { status: 200, content_type: "application/json".to_owned(), body: body.to_string() };
        world.emulator().faults_mut().push(Fault::once("oauth.token", answer));
        assert_eq!((world.google.user().await.unwrap(), world.google.calls()), (user.clone(), 1), "{id_token}");
    }
}

/// The grant of an account, for as long as the test lives.
struct Kept(SecretString);

#[async_trait]
impl GrantStore for Kept {
    async fn load(&self) -> Result<Option<SecretString>, GrantError> {
        Ok(Some(self.0.clone()))
    }

    async fn save(&self, _: &SecretString) -> Result<(), GrantError> {
        Ok(())
    }
}

/// A client of a served emulator, on the machine's own clock and network.
fn client_of(server: &Server) -> Google {
    let (account, clock) = (AccountName::new("sales"), Arc::new(SystemClock));
    let (id, secret) = {
        let emulator = server.emulator();
        (emulator.client().id.clone(), emulator.client().secret.clone().into())
    };
    let oauth = OauthClient { id, secret, token_url: TokenUrl::new(format!("{}/token", server.url())).unwrap() };
    let grants = Arc::new(Kept(server.emulator().refresh_token(EMAIL).unwrap().into()));
    let transport = Arc::new(ReqwestTransport::new().unwrap());
    let source = RefreshSource::new(account.clone(), oauth, transport.clone(), grants, clock.clone());
    let tokens = Arc::new(TokenCache::new(Arc::new(source), clock.clone()));
    let options = GoogleOptions {
        api_url: server.url().parse().unwrap(),
        account,
        vouched: None,
        mapping: Mapping::default(),
        reads_per_minute: 60,
        writes_per_minute: 60,
    };
    Google::new(options, transport, tokens, clock, Arc::new(SystemEntropy))
}

#[tokio::test]
async fn the_same_client_works_over_a_real_connection() {
    let emulator = Emulator::new(Config::new(3, &[EMAIL]));
    let server = serve(([127, 0, 0, 1], 0).into(), emulator, Arc::new(SystemClock)).await.unwrap();
    let google = client_of(&server);
    let new = |number| google.codec().compose(&rich(), &my_contacts(), &tag(number));
    let created = google.create_records(&(0..30).map(new).collect::<Vec<_>>()).await.unwrap().records;
    let page = google.list_records(&PageRequest { since: None, page: None }).await.unwrap();
    assert_eq!((created.len(), page.records.len()), (30, 30));
    // More ids than fit into an address.
    let nobody = |number: u64| RemoteId::new(format!("people/c{}", u64::MAX - number));
    let found = google.fetch_records(&(0..200).map(nobody).collect::<Vec<_>>()).await.unwrap().records;
    assert!(found.is_empty());
    assert_eq!(server.emulator().counters().violations, Vec::<String>::new());
    server.stop().await.unwrap();
}
