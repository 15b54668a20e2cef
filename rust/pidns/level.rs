// SPDX-License-Identifier: GPL-2.0-only

//! How deep a pid namespace lies.

use kernel::{
    bindings,
    pid_namespace::PidNamespace, //
};

/// How deep a pid namespace lies below the initial one, which has level 0.
///
/// # Invariants
///
/// From 1 to `MAX_PID_NS_LEVEL`.
#[derive(Clone, Copy)]
pub(crate) struct Level(u32);

impl Level {
    /// Returns the level of a child of `parent`, or [`None`] if `parent` is too deep to have one.
    pub(crate) fn below(parent: &PidNamespace) -> Option<Self> {
        // No overflow: the level of a namespace is at most the maximum, which is far from it.
        let level = parent.level() + 1;
        if level > bindings::MAX_PID_NS_LEVEL {
            return None;
        }
        // INVARIANT: More than that of the parent, which is at least 0, and at most the maximum.
        Some(Self(level))
    }

    /// Returns the level as C stores it.
    #[inline]
    pub(crate) fn into_raw(self) -> u32 {
        self.0
    }

    /// Returns the place of this level in a list that begins with level 1.
    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0 as usize - 1
    }
}
