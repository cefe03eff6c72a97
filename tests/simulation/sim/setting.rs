//! What a scenario is like before it begins: how many accounts and people, under which promises, and what kinds of
//! trouble exist at all. A world in which everything goes wrong at once hides what a single fault does, so each seed
//! leaves most of it out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contactsync::domain::id::{AccountName, ReplicaId};
use contactsync::domain::pair::{
    DeletePolicy, Direction, Guard, InRemote, InStore, LeftGroup, Limit, MissingGroup, Organizations, Pair, Photos,
    Promise, Strangers,
};
use contactsync::domain::policy::ConflictPolicy;
use contactsync::emulator::fault::FaultKind;
use contactsync::emulator::settings::{
    BadItems, CreatedOrder, Delay, ExpiredSyncToken, Feed, MissingDelete, Propagation, Settings, Spelling,
    UpdateAnswers,
};

use super::tape::Tape;

mod aimed;
mod wide;

pub use aimed::Aim;
pub use wide::Feature;

/// The group that every pair is about.
pub const GROUP: &str = "Team";
/// The label that selects contacts, where labels select them.
pub const LABEL: &str = "Customer";
/// The group of a second pair, where there is one, and the label that selects for it.
pub const SECOND: (&str, &str) = ("Partners", "Partner");
/// A label that no pair speaks of.
pub const FRIEND: &str = "Friend";

/// What kind of scenario it is. Half of them are plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Persons who are kept equal in both directions.
    Plain,
    /// There is more than that: see `wide`.
    Wide,
    /// Trouble that meets by chance only once in many thousand scenarios: see `aimed`.
    Aimed,
}

/// See the module.
#[derive(Debug)]
pub struct Setting {
    /// What kind of scenario it is.
    pub flavour: Flavour,
    /// What there is beside persons who are kept equal in both directions; nothing unless it is wide.
    pub features: BTreeSet<Feature>,
    /// The accounts, each with its promise.
    pub promises: Vec<Promise>,
    /// People who are there at the beginning.
    pub people: usize,
    /// How many times users act and everybody is synchronized.
    pub rounds: usize,
    /// How many actions of users there are in a round, at most.
    pub acts: usize,
    /// How many seconds pass between users' actions and a run, at most.
    pub pause: usize,
    /// What users do at all.
    pub habits: Habits,
    /// How often things go wrong at all, in a thousand steps.
    pub rates: Rates,
    /// What goes wrong with calls; all there is when there is none.
    pub faults: Vec<FaultKind>,
    /// What an aimed scenario is turned towards.
    pub aim: Option<Aim>,
    /// How the service behaves.
    pub service: Settings,
}

/// What users do beside editing.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a scenario, each by itself")]
pub struct Habits {
    pub delete: bool,
    pub identify: bool,
    pub label: bool,
    pub regroup: bool,
    pub relabel: bool,
    /// New people come all the time.
    pub grow: bool,
}

/// How often things go wrong, in a thousand steps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    pub crash: u32,
    pub call: u32,
    pub twice: u32,
    pub listing: u32,
    pub interrupt: u32,
    pub stall: u32,
    pub refused: u32,
    pub tokens: u32,
    pub clock: u32,
    /// The process falls asleep between any two steps; only in aimed scenarios.
    pub nap: u32,
    /// The change stream shows an old state again; only in aimed scenarios.
    pub echo: u32,
}

impl Setting {
    /// Draws a setting.
    pub fn drawn(tape: &mut Tape) -> Self {
        let accounts = if tape.below(3) == 2 { 2 } else { 1 };
        let habits = Habits {
            delete: tape.below(3) > 0,
            identify: tape.below(3) == 2,
            label: tape.below(3) == 2,
            regroup: tape.below(3) == 2,
            relabel: tape.below(2) == 1,
            grow: tape.below(4) == 3,
        };
        let mut rate = |most: usize| -> u32 {
            let on = tape.below(2) == 1;
            let most = if on { 1 + tape.below(most) } else { 0 };
            u32::try_from(most).unwrap_or(0)
        };
        let rates = Rates {
            crash: rate(60),
            call: rate(150),
            twice: rate(40),
            listing: rate(100),
            interrupt: rate(120),
            stall: rate(20),
            refused: rate(20),
            tokens: rate(200),
            clock: rate(60),
            nap: 0,
            echo: 0,
        };
        let mut service = service(tape);
        if rates.clock > 0 {
            // Whose clock jumps cannot keep listings apart.
            service.full_pulls_apart_s = 0;
        }
        let promises = (0..accounts).map(|place| promise(tape, place, habits)).collect();
        let crowd = if tape.below(8) == 7 { 9 } else { 0 };
        let mut setting = Setting {
            flavour: Flavour::Plain,
            features: BTreeSet::new(),
            promises,
            people: 1 + tape.below(3) + crowd,
            rounds: 2 + tape.below(11),
            acts: 1 + tape.below(6),
            pause: tape.pick(&[600, 60, 240]).unwrap_or(600),
            habits,
            rates,
            faults: Vec::new(),
            aim: None,
            service,
        };
        // Drawn last, so that a tape that was kept before there was more than one stays what it was.
        match tape.below(4) {
            2 => wide::widen(&mut setting, tape),
            3 => aimed::aim(&mut setting, tape),
            _ => {}
        }
        setting
    }

    /// Whether there is that.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// Whether labels select contacts.
    pub fn has_labels(&self) -> bool {
        self.promises.iter().any(|promise| promise.pairs.iter().any(|pair| !pair.labels.is_empty()))
    }
}

fn service(tape: &mut Tape) -> Settings {
    let mut settings = Settings::default();
    if tape.below(2) == 1 {
        let most = |tape: &mut Tape, ms: u64| Delay { min_ms: 0, max_ms: if tape.below(2) == 1 { ms } else { 0 } };
        let get = if tape.below(3) == 2 { 300_000 } else { 5_000 };
        settings.propagation = Propagation {
            get: most(tape, get),
            list: most(tape, 300_000),
            delta: Delay { min_ms: 0, max_ms: 600_000 },
        };
    }
    settings.expired_sync_token = tape
        .pick(&[ExpiredSyncToken::FailedPrecondition, ExpiredSyncToken::InvalidArgument, ExpiredSyncToken::Gone])
        .unwrap_or(settings.expired_sync_token);
    settings.spurious_repeats = u32::try_from(tape.below(3)).unwrap_or(0);
    settings.page_repeats = tape.below(2) == 1;
    if tape.below(2) == 1 {
        settings.created_order = CreatedOrder::Shuffled;
    }
    if tape.below(3) == 2 {
        settings.update_answers = UpdateAnswers::Empty;
    }
    if tape.below(2) == 1 {
        settings.bad_items = BadItems::AnswerEach;
    }
    if tape.below(2) == 1 {
        settings.missing_delete = MissingDelete::Internal;
    }
    if tape.below(3) == 2 {
        settings.spelling = Spelling::Capitals;
    }
    if tape.below(4) == 3 {
        settings.membership_changes = Feed::Hidden;
    }
    settings
}

/// The name and address of the account at a place.
pub fn account(place: usize) -> (AccountName, &'static str) {
    match place {
        0 => (AccountName::new("sales"), "sales@example.org"),
        _ => (AccountName::new("field"), "field@example.org"),
    }
}

fn promise(tape: &mut Tape, place: usize, habits: Habits) -> Promise {
    let (account, _) = account(place);
    let policies = [ConflictPolicy::Newest, ConflictPolicy::Store, ConflictPolicy::Remote, ConflictPolicy::Manual];
    let many = Limit::Absolute(100_000);
    let has_second = habits.label && tape.below(2) == 1;
    Promise {
        replica: ReplicaId::google(&account),
        account,
        direction: Direction::TwoWay,
        conflict: tape.pick(&policies).unwrap_or_default(),
        conflict_fields: BTreeMap::new(),
        organizations: Organizations::Contact,
        photos: Photos::Travel,
        delete: DeletePolicy {
            in_remote: if tape.below(6) == 5 { InRemote::Unlink } else { InRemote::Propagate },
            in_store: match tape.below(6) {
                4 => InStore::TrashGroup,
                5 => InStore::Unlink,
                _ => InStore::Propagate,
            },
            left_group: tape
                .pick(&[LeftGroup::Unlink, LeftGroup::Unlabel, LeftGroup::Delete])
                .unwrap_or(LeftGroup::Unlink),
            grace: Duration::ZERO,
        },
        guard: Guard {
            max_deletes: many,
            max_updates: many,
            max_blanked_fields: many,
            max_unlinks: many,
            max_left_groups: many,
        },
        home: None,
        pairs: [(GROUP, LABEL), SECOND]
            .into_iter()
            .take(if has_second { 2 } else { 1 })
            .map(|(group, label)| pair(group, habits.label.then_some(label), habits.label && tape.below(2) == 1))
            .collect(),
    }
}

fn pair(group: &str, label: Option<&str>, gives_label: bool) -> Pair {
    let label = label.map(str::to_owned);
    Pair {
        group: group.to_owned(),
        missing_group: MissingGroup::Create,
        labels: label.iter().cloned().collect(),
        owners: Vec::new(),
        filter: None,
        strangers: Strangers::Adopt,
        add_label: label.filter(|_| gives_label),
    }
}
