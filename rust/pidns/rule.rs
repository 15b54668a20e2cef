// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! The rule: which pid namespace the children of a task get by what it asks for.
//!
//! C header: [`include/uapi/linux/sched.h`](srctree/include/uapi/linux/sched.h)

use crate::roles::{
    ActiveNs,
    DefaultNs, //
};
use kernel::bindings;
#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
use kernel::prelude::*;

/// The namespaces that a call asks for anew.
#[derive(Clone, Copy)]
pub(crate) struct NewNamespaces(u64);

impl NewNamespaces {
    /// Takes the requests for namespaces from the flags of `clone()`, or from those of
    /// `unshare()`, which have the same bits for them. Other flags are not looked at.
    #[inline]
    pub(crate) fn requested_by(flags: u64) -> Self {
        Self(flags)
    }

    /// Returns whether there is any of these `kinds` among them, such as `CLONE_NEWPID`.
    #[inline]
    pub(crate) fn has(self, kinds: u32) -> bool {
        self.0 & u64::from(kinds) != 0
    }
}

/// Where the children of a task are born.
pub(crate) enum ForChildren<'a> {
    /// Where they were born so far.
    Default(DefaultNs<'a>),
    /// In a new namespace below this one.
    NewBelow(ActiveNs<'a>),
}

/// Returns where the children of a task whose namespaces are `active` and `default` are born when
/// it has `requested` new namespaces.
///
/// A new one lies below `active` whatever `default` is, see [`ActiveNs::as_ancestor`].
#[inline]
pub(crate) fn for_children<'a>(
    requested: NewNamespaces,
    active: ActiveNs<'a>,
    default: DefaultNs<'a>,
) -> ForChildren<'a> {
    if requested.has(bindings::CLONE_NEWPID) {
        ForChildren::NewBelow(active)
    } else {
        ForChildren::Default(default)
    }
}

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
#[kunit_tests(pidns_rule)]
mod tests {
    use super::*;

    const CLONE_NEWPID: u64 = 0x2000_0000;

    #[test]
    fn requests_for_namespaces_are_taken_from_any_flags() {
        assert!(NewNamespaces::requested_by(u64::MAX).has(bindings::CLONE_NEWPID));
        assert!(NewNamespaces::requested_by(CLONE_NEWPID).has(bindings::CLONE_NEWPID));
        assert!(!NewNamespaces::requested_by(!CLONE_NEWPID).has(bindings::CLONE_NEWPID));
    }
}
