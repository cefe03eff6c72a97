//! The rules that keep values from being lost, doubled or brought back, each by a name, and one switch that breaks one of
//! them. The simulation breaks them one by one and has to notice: a rule whose loss it does not see is a rule that
//! nobody checks. A release build has no switch, and every rule holds.

/// A rule that can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A push is the difference of the store from its own base, not from what the remote says.
    OwnBasePerSide,
    /// An update whose etag was refused is decided anew on what is there, not sent again over it.
    EtagPrecondition,
    /// An edit outlives a concurrent deletion.
    EditBeatsDelete,
    /// States of a record are ordered by the remote's own time.
    OrderByRemoteTime,
    /// A record is known by the token of its link.
    LinkToken,
    /// An intent that a newer state disproves is closed.
    DeadIntentClosed,
    /// What was sent is acknowledged, not what the contact is by now.
    SentIsAcknowledged,
    /// While a base is uncertain, the store's value wins.
    UncertainBase,
    /// The marker in a record tells from which write its state descends.
    WriteMarker,
    /// A record that is there twice is folded into its contact and deleted.
    TwinRepair,
    /// A doubled record is compared with what its own create had sent.
    TwinOwnPayload,
    /// A doubled record keeps a base of its own after it was folded.
    TwinOwnBase,
    /// That a listing lacks a record is confirmed by a direct read.
    AbsenceConfirmed,
    /// A write that does not find its record raises a suspicion.
    MissingOnUpdate,
    /// Not finding a record means nothing as long as it may not show yet.
    MissingDistrusted,
    /// Links of deleted records are remembered.
    TombstonesKept,
    /// Tokens of a link's former lives are remembered.
    FormerTokens,
    /// Any change that is seen makes a record too young for negative evidence.
    WindowFromObservations,
    /// What is sent is recorded before.
    IntentLog,
    /// A state is traced to the write whose marker it carries, not to the newest one.
    PayloadByMarker,
    /// Commits of a run carry its fence.
    Fence,
    /// A deletion of our own is remembered as ours.
    OwnDelete,
    /// A create whose answer was lost is waited for.
    WaitBeforeRecreate,
    /// The change token moves with the last of what it covers.
    CursorWithPage,
    /// Deletions of records that were never linked are remembered.
    Ghosts,
    /// A record is read directly before it is deleted.
    CheckBeforeDelete,
    /// An edit that a deletion of ours ran over brings the contact back.
    OverrunRepair,
    /// A deletion that was not ours is dated by the remote's clock.
    ///
    /// Another rule does its work by now, and breaking this one breaks nothing: whatever shows again of a record that was
    /// found gone is asked for until it must show, and what is not found then was late, be its time what it may. Kept for
    /// the day on which that rule is wrong.
    RemoteTimeOnMissing,
    /// What a listing shows out of order is read directly.
    ///
    /// Needed only where two changes of a record can have one time, which no document rules out; see
    /// `update_time_step_ms` of the emulator.
    UnclearIsRead,
}

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 29] = [
        Rule::OwnBasePerSide,
        Rule::EtagPrecondition,
        Rule::EditBeatsDelete,
        Rule::OrderByRemoteTime,
        Rule::LinkToken,
        Rule::DeadIntentClosed,
        Rule::SentIsAcknowledged,
        Rule::UncertainBase,
        Rule::WriteMarker,
        Rule::TwinRepair,
        Rule::TwinOwnPayload,
        Rule::TwinOwnBase,
        Rule::AbsenceConfirmed,
        Rule::MissingOnUpdate,
        Rule::MissingDistrusted,
        Rule::TombstonesKept,
        Rule::FormerTokens,
        Rule::WindowFromObservations,
        Rule::IntentLog,
        Rule::PayloadByMarker,
        Rule::Fence,
        Rule::OwnDelete,
        Rule::WaitBeforeRecreate,
        Rule::CursorWithPage,
        Rule::Ghosts,
        Rule::CheckBeforeDelete,
        Rule::OverrunRepair,
        Rule::RemoteTimeOnMissing,
        Rule::UnclearIsRead,
    ];
}

#[cfg(debug_assertions)]
mod switch {
    use std::cell::Cell;

    use super::Rule;

    thread_local! {
        static BROKEN: Cell<Option<Rule>> = const { Cell::new(None) };
    }

    /// Breaks a rule, or none, for whatever this thread runs from now on.
    pub fn break_rule(rule: Option<Rule>) {
        BROKEN.set(rule);
    }

    pub(crate) fn holds(rule: Rule) -> bool {
        BROKEN.get() != Some(rule)
    }
}

#[cfg(debug_assertions)]
pub use switch::break_rule;
#[cfg(debug_assertions)]
pub(crate) use switch::holds;

/// Whether this build can break rules, and count situations.
pub const CAN_BREAK: bool = cfg!(debug_assertions);

/// Breaks nothing: this build cannot.
#[cfg(not(debug_assertions))]
pub const fn break_rule(_: Option<Rule>) {}

/// Whether a rule holds: always, but for the simulation.
#[cfg(not(debug_assertions))]
pub(crate) const fn holds(_: Rule) -> bool {
    true
}
