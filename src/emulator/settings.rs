//! The switches of the emulator: what the real service leaves open, and what a test wants to provoke.
//!
//! The defaults are the strict reading of the documents without delays and without accidents. Everything here can be
//! changed while the emulator runs, from Rust and over the control API, where the same names appear as JSON keys.

use serde::{Deserialize, Serialize};

use super::quota::Limits;

/// How the emulator treats what the documents leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Refuses everything the service is documented to refuse, and whatever is unknown and a careful client never
    /// sends.
    Strict,
    /// Accepts what is unknown.
    Lenient,
}

/// A span of time drawn anew for each change, between two bounds, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// The shortest span.
    pub min_ms: u64,
    /// The longest span; below `min_ms` it counts as `min_ms`.
    pub max_ms: u64,
}

impl Delay {
    /// A span that is always `ms`.
    pub const fn constant(ms: u64) -> Self {
        Delay { min_ms: ms, max_ms: ms }
    }
}

/// How long a change takes to show, per way of reading.
///
/// A change never shows in a listing with a sync token before it shows in one without: a token handed out by a full
/// listing would otherwise step over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Propagation {
    /// Until `people.get` and `batchGet` show it.
    pub get: Delay,
    /// Until a listing without a sync token shows it.
    pub list: Delay,
    /// Until a listing with a sync token shows it.
    pub delta: Delay,
}

/// The answer to an expired sync token; reports from the field disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiredSyncToken {
    /// HTTP 400, `FAILED_PRECONDITION`.
    FailedPrecondition,
    /// HTTP 400, `INVALID_ARGUMENT`.
    InvalidArgument,
    /// HTTP 410, as an old translation of the guide says.
    Gone,
}

/// How the parameters of calls that share a token are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterMatch {
    /// Character by character: another order of the same paths is another request.
    Exact,
    /// As sets.
    Normalised,
}

/// Whether a change that is not an edit of the contact itself appears in the delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feed {
    /// It appears.
    Shown,
    /// The contact gets a new etag, and the delta stays silent.
    Hidden,
}

/// The answer to the deletion of a contact that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingDelete {
    /// HTTP 404.
    NotFound,
    /// HTTP 500, as it was seen in the field.
    Internal,
}

/// What `batchUpdateContacts` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateAnswers {
    /// The people, as the read mask asks.
    Full,
    /// `{}`, whatever the read mask asks.
    Empty,
}

/// How the service spells what clients write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// As they do.
    Kept,
    /// Job titles in capitals: one of the ways in which a value may come back otherwise than it was sent, none of which
    /// is documented.
    Capitals,
}

/// The order of `createdPeople`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatedOrder {
    /// As in the request.
    Request,
    /// Any.
    Shuffled,
}

/// What becomes of a batch with a bad item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadItems {
    /// The whole call is refused and nothing is written, as documented.
    RefuseCall,
    /// The good items are written; the bad ones carry their error inside a 200.
    AnswerEach,
}

/// What the user says on the consent screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Yes.
    Granted,
    /// No: the redirect carries `error=access_denied`.
    Denied,
}

/// Which clients get packed answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GzipAgents {
    /// All that accept gzip.
    Any,
    /// Those whose `User-Agent` says gzip, too, as the guide to the service asks; to do without is a violation.
    Named,
}

/// What becomes of a mutation that arrives while another one of the same user is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overlaps {
    /// How often it is refused with 409 `ABORTED`, in a thousand.
    pub aborted_permille: u16,
    /// How much longer it takes otherwise, in milliseconds.
    pub delay_ms: u64,
}

/// All switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Strict or lenient.
    pub mode: Mode,
    /// The region that phone numbers without a country code belong to, as an ISO 3166 code.
    pub region: String,
    /// `false`: the project has the API switched off, every call is a 403.
    pub api_enabled: bool,
    /// How long changes take to show.
    pub propagation: Propagation,
    /// How long a sync token lives, counted from the full listing its chain began with, in seconds.
    pub sync_token_lifetime_s: u64,
    /// The answer to a token beyond that age.
    pub expired_sync_token: ExpiredSyncToken,
    /// How the parameters of calls that share a token are compared.
    pub parameter_match: ParameterMatch,
    /// How many unchanged contacts each delta repeats.
    pub spurious_repeats: u32,
    /// How many contacts get a new etag without a visible change before each delta, as the service itself does it in the
    /// background.
    pub background_bumps: u32,
    /// How coarse update times are, in milliseconds: changes of one contact within such a span may have the same time. At
    /// 0, each has a later one than the one before.
    pub update_time_step_ms: u64,
    /// `true`: the last person of a page comes again as the first of the next one.
    pub page_repeats: bool,
    /// Whether `members.modify` and label changes in the web UI appear in the delta of the people.
    pub membership_changes: Feed,
    /// Whether the members of a deleted group appear in the delta of the people.
    pub group_deletions: Feed,
    /// The answer to the deletion of a contact that does not exist.
    pub missing_delete: MissingDelete,
    /// What `batchUpdateContacts` answers.
    pub update_answers: UpdateAnswers,
    /// How the service spells what clients write; what users write in the web UI stays as it is.
    pub spelling: Spelling,
    /// The order of `createdPeople`.
    pub created_order: CreatedOrder,
    /// What becomes of a batch with a bad item.
    pub bad_items: BadItems,
    /// The quotas of each user; without limits at first.
    pub quotas: Limits,
    /// How many contacts one account holds, those in the trash included.
    pub contacts_max: usize,
    /// `true`: every refresh brings a new refresh token and kills the old one.
    pub rotate_refresh_tokens: bool,
    /// How long an access token lives, in seconds.
    pub access_token_lifetime_s: u64,
    /// What the user says on the consent screen.
    pub consent: Consent,
    /// The scopes the user leaves ticked; `None` grants what was asked for.
    pub granted_scopes: Option<Vec<String>>,
    /// What becomes of mutations of one user that overlap, beside the violation.
    pub overlaps: Overlaps,
    /// How far apart full listings have to be, in seconds, so that they are no violation.
    pub full_pulls_apart_s: u64,
    /// Which clients get packed answers.
    pub gzip_agents: GzipAgents,
    /// How long the server holds each answer back, in milliseconds.
    pub latency_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            mode: Mode::Strict,
            region: "US".to_owned(),
            api_enabled: true,
            propagation: Propagation::default(),
            sync_token_lifetime_s: 7 * 24 * 3600,
            expired_sync_token: ExpiredSyncToken::FailedPrecondition,
            parameter_match: ParameterMatch::Exact,
            spurious_repeats: 0,
            background_bumps: 0,
            update_time_step_ms: 0,
            page_repeats: false,
            membership_changes: Feed::Shown,
            group_deletions: Feed::Hidden,
            missing_delete: MissingDelete::NotFound,
            update_answers: UpdateAnswers::Full,
            spelling: Spelling::Kept,
            created_order: CreatedOrder::Request,
            bad_items: BadItems::RefuseCall,
            quotas: Limits::default(),
            contacts_max: 25_000,
            rotate_refresh_tokens: false,
            access_token_lifetime_s: 3600,
            consent: Consent::Granted,
            granted_scopes: None,
            overlaps: Overlaps::default(),
            full_pulls_apart_s: 600,
            gzip_agents: GzipAgents::Any,
            latency_ms: 0,
        }
    }
}
