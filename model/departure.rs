// SPDX-License-Identifier: GPL-2.0-only

//! Rules that are not ours: those of mainline, and mistakes.

/// In what a set of rules differs from ours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Departure {
    // Mainline's.
    /// EINVAL for a new namespace or a new thread while active and default differ.
    RefusesWhileTheyDiffer,
    /// An init that exits waits until no `struct pid` but its own is left.
    InitWaitsForPids,

    // Mistakes, each of which a property must see.
    /// A new namespace lies below the default one.
    NewBelowDefault,
    /// A thread is born in the default namespace.
    ThreadBornInDefault,
    /// A fork into a namespace whose init has exited succeeds.
    BornInDead,
    /// `setns()` takes any namespace.
    SetnsTakesAny,
    /// `unshare()` keeps the reference to the default that it replaces.
    UnshareKeepsOldDefault,
    /// An open file does not count as a reference.
    FileIsNoReference,
    /// A namespace that is freed stays charged.
    ChargeIsKept,
    /// Only the limit of the innermost user namespace holds.
    OuterLimitIsIgnored,
    /// An init that exits kills only who lives in its own namespace, not below.
    InitSparesThoseBelow,
    /// An init that exits waits for nobody.
    InitWaitsForNobody,
    /// A subreaper takes orphans from namespaces below its own.
    SubreaperReachesBelow,
    /// An orphan goes to the init of the namespace above that where its parent lived.
    OrphanGoesFurtherOut,
    /// `unshare()` changes the default of all threads.
    UnshareChangesAllThreads,
    /// Signals from inside reach an init.
    InsideKillsInit,
    /// A `struct pid` goes with its task, though it is the id of a group.
    PidGoesWithTask,
}

/// All mistakes; what mainline does is none.
pub const MISTAKES: [Departure; 15] = [
    Departure::NewBelowDefault,
    Departure::ThreadBornInDefault,
    Departure::BornInDead,
    Departure::SetnsTakesAny,
    Departure::UnshareKeepsOldDefault,
    Departure::FileIsNoReference,
    Departure::ChargeIsKept,
    Departure::OuterLimitIsIgnored,
    Departure::InitSparesThoseBelow,
    Departure::InitWaitsForNobody,
    Departure::SubreaperReachesBelow,
    Departure::OrphanGoesFurtherOut,
    Departure::UnshareChangesAllThreads,
    Departure::InsideKillsInit,
    Departure::PidGoesWithTask,
];

/// A set of rules: ours but for some departures.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rules(u32);

impl Rules {
    /// Those of this series.
    pub const OURS: Rules = Rules(0);
    /// Those of the kernel without it.
    pub const MAINLINE: Rules = Rules::OURS
        .but(Departure::RefusesWhileTheyDiffer)
        .but(Departure::InitWaitsForPids);

    /// Those of the module, which cannot change how an init waits.
    pub const MODULE: Rules = Rules::OURS.but(Departure::InitWaitsForPids);

    /// The same with one more departure.
    pub const fn but(self, departure: Departure) -> Rules {
        Rules(self.0 | (1 << departure as u32))
    }

    /// Is that one of its departures?
    pub fn has(self, departure: Departure) -> bool {
        self.0 & (1 << departure as u32) != 0
    }
}
