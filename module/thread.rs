// SPDX-License-Identifier: GPL-2.0-only

//! The rule for threads, which the series has in `copy_process()`, in C.

use crate::{
    roles::ActiveNs,
    rule::NewNamespaces, //
};
use kernel::{
    bindings,
    pid_namespace::PidNamespace, //
};

/// Returns whether `flags` ask for a thread, and for one in the namespaces that bind its group.
///
/// All threads of a group are in one pid namespace and one user namespace. None can be born in a
/// new one: the kernel goes on to refuse that.
fn asks_for_thread(flags: u64) -> bool {
    flags & u64::from(bindings::CLONE_THREAD) != 0
        && !NewNamespaces::requested_by(flags).has(bindings::CLONE_NEWPID | bindings::CLONE_NEWUSER)
}

/// Returns the pid namespace that a thread is born in, if its maker lives in `active`.
///
/// It is the one where its group has its pids and that none of them can get out of. The default,
/// which the thread gets from its maker with the rest of the nsproxy, is for the children that it
/// will make.
#[inline]
pub(crate) fn birthplace(active: ActiveNs<'_>) -> &PidNamespace {
    active.as_ancestor()
}

/// Returns whether the kernel by itself would refuse a clone with `flags` that should not be
/// refused: one for a thread, by a task with the namespaces `active` and `default`.
#[inline]
pub(crate) fn is_refused(flags: u64, active: ActiveNs<'_>, default: &PidNamespace) -> bool {
    asks_for_thread(flags) && !core::ptr::eq(birthplace(active), default)
}
