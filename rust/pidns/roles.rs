// SPDX-License-Identifier: GPL-2.0-only

//! The two pid namespaces of a task, as two types.
//!
//! Both are a `struct pid_namespace` and C tells them apart by their place in an argument list.
//! Here a swapped call does not compile.

use kernel::{
    pid_namespace::PidNamespace,
    sync::aref::ARef, //
};

/// The pid namespace that a task was born in, which shows its pids and never changes.
#[doc(alias = "task_active_pid_ns")]
#[derive(Clone, Copy)]
pub(crate) struct ActiveNs<'a>(&'a PidNamespace);

/// The pid namespace that the children of a task are born in.
///
/// It is the active one until the task calls `unshare(CLONE_NEWPID)` or `setns()`.
#[doc(alias = "pid_ns_for_children")]
#[derive(Clone, Copy)]
pub(crate) struct DefaultNs<'a>(&'a PidNamespace);

impl<'a> ActiveNs<'a> {
    /// Says that `ns` is the active pid namespace of the task at hand.
    #[inline]
    pub(crate) fn new(ns: &'a PidNamespace) -> Self {
        Self(ns)
    }

    /// Returns the namespace as the ancestor of all that the task can make or join.
    ///
    /// It is the parent of a new one, whatever the default is: a task must see every child that it
    /// makes, and its own namespace is the only one in which it can. A second unshare therefore
    /// makes a sibling of what the first one made.
    #[inline]
    pub(crate) fn as_ancestor(self) -> &'a PidNamespace {
        self.0
    }
}

impl<'a> DefaultNs<'a> {
    /// Says that `ns` is the default pid namespace for the children of the task at hand.
    #[inline]
    pub(crate) fn new(ns: &'a PidNamespace) -> Self {
        Self(ns)
    }

    /// Takes a reference: what a task gets that asks for no new namespace, or joins this one.
    #[inline]
    pub(crate) fn get(self) -> ARef<PidNamespace> {
        self.0.into()
    }
}
