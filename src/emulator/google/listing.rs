//! The two lists with pages and sync tokens: `people.connections.list` and `contactGroups.list`.

use serde_json::{Map, Value, json};

use super::{Answer, required_view};
use crate::emulator::account::Account;
use crate::emulator::call::Call;
use crate::emulator::contact::{Contact, ContactKey};
use crate::emulator::failure::{Code, Failure};
use crate::emulator::group::{self, GroupMask};
use crate::emulator::history::Channel;
use crate::emulator::listing::{Entry, Extent, Listing, Page, Repeats};
use crate::emulator::mask::Field;
use crate::emulator::person::{self, Place, View};
use crate::emulator::settings::{ExpiredSyncToken, Feed, ParameterMatch};
use crate::emulator::tokens::{Collection, Fingerprint, PageToken, SyncToken, fingerprint};
use crate::emulator::world::World;

/// The largest page.
const PAGE_SIZE_MAX: i64 = 1000;

/// `people.connections.list`.
pub(super) fn connections(account: &mut Account, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let view = required_view(call)?;
    let size = page_size(call, 100, world)?;
    let wants_token = call.flag("requestSyncToken")?;
    let order = Order::read(call)?;
    let is_syncing = wants_token || call.parameter("syncToken").is_some();
    if is_syncing && order != Order::OldestFirst && world.is_strict() {
        return Err(Failure::invalid_argument().because("a sort order together with sync tokens"));
    }
    let repeats = if world.settings.page_repeats { Repeats::LastEntry } else { Repeats::None };
    let request = Request::read(call, Collection::People, account, world)?;
    let page = match request.page {
        Some(token) => resume(account, token, &request, size, repeats)?,
        None => {
            if request.sync.is_some() {
                bump_some(account, world)?;
            }
            let listing = people(account, &request, order, wants_token, world);
            account.listings.begin(listing, size, repeats)
        }
    };
    let people: Vec<Value> =
        page.entries.iter().filter_map(|entry| shown(account, entry, page.extent, view, world)).collect();
    let items = people.len();
    let mut body = Map::new();
    put_list(&mut body, "connections", people);
    if let Some(total) = page.total.filter(|total| *total > 0) {
        body.insert("totalPeople".to_owned(), json!(total));
        body.insert("totalItems".to_owned(), json!(total));
    }
    put_tokens(&mut body, page);
    Ok(Answer::about(Value::Object(body), items))
}

/// `contactGroups.list`. A sync token comes without asking.
pub(super) fn groups(account: &mut Account, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let mask = GroupMask::parse(call.parameter("groupFields"), "groupFields", GroupMask::READ)?;
    let size = page_size(call, 30, world)?;
    let request = Request::read(call, Collection::Groups, account, world)?;
    let page = match request.page {
        Some(token) => resume(account, token, &request, size, Repeats::None)?,
        None => {
            let listing = all_groups(account, &request, world);
            account.listings.begin(listing, size, Repeats::None)
        }
    };
    let groups: Vec<Value> =
        page.entries.iter().filter_map(|entry| shown_group(account, entry, page.extent, mask, world)).collect();
    let items = groups.len();
    let mut body = Map::new();
    put_list(&mut body, "contactGroups", groups);
    if let Some(total) = page.total {
        body.insert("totalItems".to_owned(), json!(total));
    }
    put_tokens(&mut body, page);
    Ok(Answer::about(Value::Object(body), items))
}

fn page_size(call: &Call, default: i64, world: &World<'_>) -> Result<usize, Failure> {
    let size = call.number("pageSize")?.filter(|size| *size != 0).unwrap_or(default);
    if size < 0 || (size > PAGE_SIZE_MAX && world.is_strict()) {
        return Err(Failure::invalid_argument().because(format!("pageSize {size}")));
    }
    Ok(usize::try_from(size.min(PAGE_SIZE_MAX)).unwrap_or_default())
}

/// The tokens a call carries, checked.
struct Request {
    page: Option<PageToken>,
    sync: Option<SyncToken>,
    /// Of all parameters but the tokens.
    parameters: Fingerprint,
    /// Of all parameters but the page token.
    with_sync_token: Fingerprint,
}

impl Request {
    fn read(call: &Call, collection: Collection, account: &Account, world: &World<'_>) -> Result<Self, Failure> {
        let parameters = condensed(call, &["pageToken", "syncToken"], world);
        let sync = call.parameter("syncToken").filter(|text| !text.is_empty());
        let sync = sync.map(|text| {
            let token = SyncToken::decode(text, collection, account.number());
            check_sync_token(token, parameters, account, world)
        });
        let page = call.parameter("pageToken").filter(|text| !text.is_empty());
        let page = page.map(|text| {
            PageToken::decode(text).ok_or_else(|| Failure::invalid_argument().because("this is no page token"))
        });
        Ok(Request {
            page: page.transpose()?,
            sync: sync.transpose()?,
            parameters,
            with_sync_token: condensed(call, &["pageToken"], world),
        })
    }
}

fn check_sync_token(
    token: Option<SyncToken>,
    parameters: Fingerprint,
    account: &Account,
    world: &World<'_>,
) -> Result<SyncToken, Failure> {
    let token = token.ok_or_else(|| Failure::invalid_argument().because("this is no sync token of this list"))?;
    let lifetime = std::time::Duration::from_secs(world.settings.sync_token_lifetime_s);
    let is_old = world.now.since(token.began) >= lifetime;
    let is_killed = token.generation != account.sync_generation;
    if is_old || is_killed {
        return Err(expired(world));
    }
    if token.parameters != parameters {
        return Err(Failure::invalid_argument().because("other parameters than in the call the sync token came from"));
    }
    Ok(token)
}

fn expired(world: &World<'_>) -> Failure {
    let text = "Sync token is expired. Clear local cache and retry call without the sync token.";
    let failure = match world.settings.expired_sync_token {
        ExpiredSyncToken::FailedPrecondition => Failure::new(Code::FailedPrecondition, text),
        ExpiredSyncToken::InvalidArgument => Failure::new(Code::InvalidArgument, text),
        ExpiredSyncToken::Gone => Failure::new(Code::FailedPrecondition, text).with_http(410),
    };
    let metadata = json!({ "service": "people.googleapis.com" });
    failure.with_info("EXPIRED_SYNC_TOKEN", "people.googleapis.com", metadata)
}

/// Condenses the parameters that must stay the same between calls.
fn condensed(call: &Call, without: &[&str], world: &World<'_>) -> Fingerprint {
    const NAMES: [&str; 9] = [
        "groupFields",
        "pageSize",
        "pageToken",
        "personFields",
        "requestMask.includeField",
        "requestSyncToken",
        "sortOrder",
        "sources",
        "syncToken",
    ];
    let relevant =
        call.query.iter().filter(|(name, _)| NAMES.contains(&name.as_str()) && !without.contains(&name.as_str()));
    let mut pairs: Vec<(String, String)> = relevant.cloned().collect();
    if world.settings.parameter_match == ParameterMatch::Normalised {
        for (_, value) in &mut pairs {
            let mut paths: Vec<&str> = value.split(',').collect();
            paths.sort_unstable();
            *value = paths.join(",");
        }
    }
    // The order of different parameters in the address means nothing; that of repeated ones stays.
    pairs.sort_by(|left, right| match world.settings.parameter_match {
        ParameterMatch::Exact => left.0.cmp(&right.0),
        ParameterMatch::Normalised => left.cmp(right),
    });
    let text: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    fingerprint(&text.join("&"))
}

fn resume(
    account: &Account,
    token: PageToken,
    request: &Request,
    size: usize,
    repeats: Repeats,
) -> Result<Page, Failure> {
    account.listings.go_on(token, request.with_sync_token, size, repeats).ok_or_else(|| {
        Failure::invalid_argument().because("a page token that is too old, or other parameters than on the first page")
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
    GivenName,
    FamilyName,
}

impl Order {
    fn read(call: &Call) -> Result<Self, Failure> {
        Ok(match call.parameter("sortOrder") {
            None | Some("LAST_MODIFIED_ASCENDING") => Order::OldestFirst,
            Some("LAST_MODIFIED_DESCENDING") => Order::NewestFirst,
            Some("FIRST_NAME_ASCENDING") => Order::GivenName,
            Some("LAST_NAME_ASCENDING") => Order::FamilyName,
            Some(other) => {
                let text = format!("Invalid value at 'sort_order' (google.people.v1.SortOrder), {other:?}");
                return Err(Failure::bad_request("sort_order", text));
            }
        })
    }

    fn sort(self, people: &mut [(ContactKey, &std::sync::Arc<Contact>)]) {
        let name = |contact: &Contact, part: &str| {
            let first = contact.items(Field::Names).first();
            first.and_then(|name| name.get(part)).and_then(Value::as_str).unwrap_or_default().to_lowercase()
        };
        match self {
            Order::OldestFirst => people.sort_by_key(|(key, contact)| (contact.update_time, *key)),
            Order::NewestFirst => people.sort_by_key(|(key, contact)| (std::cmp::Reverse(contact.update_time), *key)),
            Order::GivenName => people.sort_by_cached_key(|(key, contact)| (name(contact, "givenName"), *key)),
            Order::FamilyName => people.sort_by_cached_key(|(key, contact)| (name(contact, "familyName"), *key)),
        }
    }
}

fn people(account: &Account, request: &Request, order: Order, wants_token: bool, world: &World<'_>) -> Listing {
    let sync_token = SyncToken {
        collection: Collection::People,
        account: account.number(),
        place: account.people_log.end(),
        began: request.sync.map_or(world.now, |token| token.began),
        parameters: request.parameters,
        generation: account.sync_generation,
    };
    let (entries, extent, total) = match request.sync {
        Some(token) => {
            let mut keys: Vec<ContactKey> = account.people_log.since(token.place).copied().collect();
            repeat_some(account, &mut keys, world);
            (keys, Extent::Delta, None)
        }
        None => {
            let mut people: Vec<_> = account.listed(world.now).collect();
            order.sort(&mut people);
            (people.into_iter().map(|(key, _)| key).collect(), Extent::Full, Some(account.connections()))
        }
    };
    Listing {
        entries: entries.into_iter().map(Entry::Person).collect(),
        extent,
        parameters: request.with_sync_token,
        sync_token: wants_token.then_some(sync_token),
        total,
    }
}

/// New etags without a visible change, as the service gives them now and then.
fn bump_some(account: &mut Account, world: &World<'_>) -> Result<(), Failure> {
    if world.settings.background_bumps == 0 {
        return Ok(());
    }
    let all: Vec<ContactKey> = account.listed(world.now).map(|(key, _)| key).collect();
    for _ in 0..world.settings.background_bumps {
        if let Some(key) = all.get(world.dice.below(all.len())) {
            account.change(*key, Feed::Shown, world, |_| {})?;
        }
    }
    account.people_log.settle(world.now);
    Ok(())
}

/// Unchanged contacts in a delta, as the service now and then delivers them.
fn repeat_some(account: &Account, keys: &mut Vec<ContactKey>, world: &World<'_>) {
    if world.settings.spurious_repeats == 0 {
        return;
    }
    let all: Vec<ContactKey> = account.listed(world.now).map(|(key, _)| key).collect();
    for _ in 0..world.settings.spurious_repeats {
        let drawn = all.get(world.dice.below(all.len())).copied();
        keys.extend(drawn.filter(|key| !keys.contains(key)));
    }
}

fn shown(account: &Account, entry: &Entry, extent: Extent, view: View, world: &World<'_>) -> Option<Value> {
    let Entry::Person(key) = entry else { return None };
    match extent {
        Extent::Full => {
            let contact = account.seen(*key, Channel::List, world.now).filter(|contact| contact.is_connection())?;
            Some(person::render(*key, contact, view, Place::List))
        }
        Extent::Delta => {
            let contact = account.seen(*key, Channel::Delta, world.now)?;
            Some(if contact.is_connection() {
                person::render(*key, contact, view, Place::Delta)
            } else {
                person::tombstone(*key, contact, view)
            })
        }
    }
}

fn all_groups(account: &Account, request: &Request, world: &World<'_>) -> Listing {
    let sync_token = SyncToken {
        collection: Collection::Groups,
        account: account.number(),
        place: account.groups_log.end(),
        began: request.sync.map_or(world.now, |token| token.began),
        parameters: request.parameters,
        generation: account.sync_generation,
    };
    let is_there =
        |id: &&String| account.seen_group(id, Channel::List, world.now).is_some_and(|group| !group.is_deleted);
    let (ids, extent): (Vec<String>, _) = match request.sync {
        Some(token) => (account.groups_log.since(token.place).cloned().collect(), Extent::Delta),
        None => (account.group_ids().iter().filter(is_there).cloned().collect(), Extent::Full),
    };
    let total = (extent == Extent::Full).then_some(ids.len());
    let entries = ids.into_iter().map(Entry::Group).collect();
    Listing { entries, extent, parameters: request.with_sync_token, sync_token: Some(sync_token), total }
}

fn shown_group(account: &Account, entry: &Entry, extent: Extent, mask: GroupMask, world: &World<'_>) -> Option<Value> {
    let Entry::Group(id) = entry else { return None };
    let channel = if extent == Extent::Full { Channel::List } else { Channel::Delta };
    let group = account.seen_group(id, channel, world.now)?;
    match (group.is_deleted, extent) {
        (false, _) => Some(group::render(id, group, mask, account.member_count(id))),
        (true, Extent::Delta) => Some(group::tombstone(id, group)),
        (true, Extent::Full) => None,
    }
}

fn put_list(body: &mut Map<String, Value>, name: &str, items: Vec<Value>) {
    if !items.is_empty() {
        body.insert(name.to_owned(), Value::Array(items));
    }
}

fn put_tokens(body: &mut Map<String, Value>, page: Page) {
    for (name, token) in [("nextPageToken", page.next_page), ("nextSyncToken", page.next_sync)] {
        if let Some(token) = token {
            body.insert(name.to_owned(), Value::String(token));
        }
    }
}
