// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! How deep a pid namespace lies.

use crate::roles::ActiveNs;
use kernel::{
    bindings,
    pid_namespace::PidNamespace, //
};

/// How deep a new pid namespace lies below the initial one, which has level 0, and below whom.
///
/// # Invariants
///
/// `level` is one more than that of `parent`, and at most `MAX_PID_NS_LEVEL`.
#[derive(Clone, Copy)]
pub(crate) struct Level<'a> {
    level: u32,
    parent: &'a PidNamespace,
}

impl<'a> Level<'a> {
    /// Returns the level of a child of `active`, or [`None`] if that is too deep to have one.
    pub(crate) fn below(active: ActiveNs<'a>) -> Option<Self> {
        let parent = active.as_ancestor();
        // No overflow: the level of a namespace is at most the maximum, which is far from it.
        let level = parent.level() + 1;
        if level > bindings::MAX_PID_NS_LEVEL {
            return None;
        }
        // INVARIANT: As computed, and as compared.
        Some(Self { level, parent })
    }

    /// Returns the namespace that the new one lies below.
    #[inline]
    pub(crate) fn parent(self) -> &'a PidNamespace {
        self.parent
    }

    /// Returns the level as C stores it.
    #[inline]
    pub(crate) fn into_raw(self) -> u32 {
        self.level
    }
}
