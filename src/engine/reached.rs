//! Counts which situations a run has met, so that the simulation can tell that it reaches them all: a case that is never
//! played is a case that nobody checks. A release build counts nothing.

/// A situation that a run can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant says it")]
pub enum Situation {
    UnknownRecordDeleted,
    UnknownRecordOutsideGroups,
    UnknownRecordFound,
    GhostShowsUp,
    LostCreateBound,
    LostCreateBoundDeleted,
    MembersDiffer,
    StoreRestored,
    DoubleKnowsLess,
    TwinFound,
    TwinFolded,
    FormerNameDeleted,
    RecordRenamed,
    StateLate,
    StateEcho,
    StateUnclear,
    StateNewer,
    OnlySpelledDifferently,
    MarkerOfBase,
    MarkerOfLostWrite,
    MarkerOlderThanBase,
    IntentProvedDead,
    Tombstone,
    TombstoneOfDeletedLink,
    DeadRecordShowsUp,
    AbsenceSuspected,
    MissingInsideWindow,
    MissingConfirmed,
    OverrunEditReturns,
    RecordIsBack,
    TokenExpired,
    FullListing,
    ListingIncomplete,
    LostCreateWaits,
    LostCreateSettled,
    LostUpdateRepeated,
    LostDeleteRedone,
    StaleEtagNews,
    StaleEtagTooEarly,
    UpdateNotFound,
    DeleteFindsNewer,
    DeleteFindsNothing,
    ContactMovedMeanwhile,
    LinkedToTwin,
    HeirAwaited,
    RivalAskedFor,
    TwinStandsIn,
    ReturnSuspected,
    DoubtfulTwin,
    Imported,
    DeletedHere,
    EditOutlivesDeletionThere,
    EditOutlivesDeletionHere,
    BothDeleted,
    Unlinked,
    ConflictDecided,
    ConflictHeld,
    ClockSetBack,
    ClockSetAhead,
    OwnMoveNotShown,
    FormerRecordTakenBack,
    OwnWriteShowsAfterDeletion,
}

impl Situation {
    /// All of them.
    pub const ALL: [Situation; 62] = [
        Situation::UnknownRecordDeleted,
        Situation::UnknownRecordOutsideGroups,
        Situation::UnknownRecordFound,
        Situation::GhostShowsUp,
        Situation::LostCreateBound,
        Situation::LostCreateBoundDeleted,
        Situation::MembersDiffer,
        Situation::StoreRestored,
        Situation::DoubleKnowsLess,
        Situation::TwinFound,
        Situation::TwinFolded,
        Situation::FormerNameDeleted,
        Situation::RecordRenamed,
        Situation::StateLate,
        Situation::StateEcho,
        Situation::StateUnclear,
        Situation::StateNewer,
        Situation::OnlySpelledDifferently,
        Situation::MarkerOfBase,
        Situation::MarkerOfLostWrite,
        Situation::MarkerOlderThanBase,
        Situation::IntentProvedDead,
        Situation::Tombstone,
        Situation::TombstoneOfDeletedLink,
        Situation::DeadRecordShowsUp,
        Situation::AbsenceSuspected,
        Situation::MissingInsideWindow,
        Situation::MissingConfirmed,
        Situation::OverrunEditReturns,
        Situation::RecordIsBack,
        Situation::TokenExpired,
        Situation::FullListing,
        Situation::ListingIncomplete,
        Situation::LostCreateWaits,
        Situation::LostCreateSettled,
        Situation::LostUpdateRepeated,
        Situation::LostDeleteRedone,
        Situation::StaleEtagNews,
        Situation::StaleEtagTooEarly,
        Situation::UpdateNotFound,
        Situation::DeleteFindsNewer,
        Situation::DeleteFindsNothing,
        Situation::ContactMovedMeanwhile,
        Situation::LinkedToTwin,
        Situation::HeirAwaited,
        Situation::RivalAskedFor,
        Situation::TwinStandsIn,
        Situation::ReturnSuspected,
        Situation::DoubtfulTwin,
        Situation::Imported,
        Situation::DeletedHere,
        Situation::EditOutlivesDeletionThere,
        Situation::EditOutlivesDeletionHere,
        Situation::BothDeleted,
        Situation::Unlinked,
        Situation::ConflictDecided,
        Situation::ConflictHeld,
        Situation::ClockSetBack,
        Situation::ClockSetAhead,
        Situation::OwnMoveNotShown,
        Situation::FormerRecordTakenBack,
        Situation::OwnWriteShowsAfterDeletion,
    ];
}

#[cfg(debug_assertions)]
mod counter {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::Situation;

    thread_local! {
        static MET: RefCell<BTreeMap<Situation, u64>> = const { RefCell::new(BTreeMap::new()) };
    }

    /// What this thread has met since it was last asked.
    pub fn take() -> BTreeMap<Situation, u64> {
        MET.take()
    }

    pub(crate) fn note(situation: Situation) {
        MET.with_borrow_mut(|met| *met.entry(situation).or_insert(0) += 1);
    }
}

#[cfg(debug_assertions)]
pub(crate) use counter::note;
#[cfg(debug_assertions)]
pub use counter::take;

#[cfg(not(debug_assertions))]
pub(crate) const fn note(_: Situation) {}

/// What this thread has met: nothing is counted in this build.
#[cfg(not(debug_assertions))]
pub fn take() -> std::collections::BTreeMap<Situation, u64> {
    std::collections::BTreeMap::new()
}
