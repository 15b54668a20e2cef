// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! What nsfs, `setns()` and `/proc/PID/ns/` ask of pid namespaces.

use crate::roles::{
    ActiveNs,
    DefaultNs, //
};
use kernel::{
    bindings,
    ns_common::{
        Operations,
        Table, //
    },
    nsproxy::NsSet,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::aref::ARef,
    task::Task, //
};

/// `/proc/PID/ns/pid`, the active pid namespace of a task.
#[no_mangle]
pub(crate) static pidns_operations: Table = Table::new::<File<false>>();

/// `/proc/PID/ns/pid_for_children`, the default pid namespace of a task for its children.
#[no_mangle]
pub(crate) static pidns_for_children_operations: Table = Table::new::<File<true>>();

/// One of the two files.
enum File<const FOR_CHILDREN: bool> {}

impl<const FOR_CHILDREN: bool> Operations for File<FOR_CHILDREN> {
    type Ns = PidNamespace;
    const NAME: &'static CStr = if FOR_CHILDREN {
        c"pid_for_children"
    } else {
        Self::KIND
    };
    const KIND: &'static CStr = c"pid";

    fn get(task: &Task) -> Option<ARef<PidNamespace>> {
        if FOR_CHILDREN {
            task.get_pid_ns_for_children()
        } else {
            task.get_pid_ns()
        }
    }

    /// Makes `new` the default namespace for the children of a task that calls `setns()`.
    ///
    /// A task can only go down, or back to where it is: its children must have a pid that it can
    /// see, and must not escape from the namespace that it is in.
    ///
    /// # Errors
    ///
    /// - [`EPERM`] without CAP_SYS_ADMIN over the owner of `new`, and in the user namespace that
    ///   the task will be in;
    /// - [`EINVAL`] if `new` is not the active namespace of the task, nor below it;
    /// - [`ESRCH`] if the task has been through `release_task()`, which no caller of `setns()` has.
    #[doc(alias = "pidns_install")]
    fn install(set: Pin<&mut NsSet>, new: &PidNamespace) -> Result {
        if !new.user_ns().current_is_admin() || !set.user_ns().current_is_admin() {
            return Err(EPERM);
        }
        let current = current!();
        let active = ActiveNs::new(PidNamespace::active(current)?);
        if !active.as_ancestor().is_ancestor_of(new) {
            return Err(EINVAL);
        }
        // SAFETY: It is the active namespace of the current task or lies below it, as just seen.
        unsafe { set.set_pid_ns_for_children(DefaultNs::new(new).get()) };
        Ok(())
    }

    fn parent(ns: &PidNamespace) -> Result<ARef<PidNamespace>> {
        parent(ns, ActiveNs::new(PidNamespace::active(current!())?))
    }
}

/// Returns the parent of `ns`, if the task whose active namespace is `active` may see it.
///
/// # Errors
///
/// [`EPERM`] if the parent is not `active`, nor below it; the initial namespace has none.
#[doc(alias = "pidns_get_parent")]
fn parent(ns: &PidNamespace, active: ActiveNs<'_>) -> Result<ARef<PidNamespace>> {
    let parent = ns.parent().ok_or(EPERM)?;
    if !active.as_ancestor().is_ancestor_of(parent) {
        return Err(EPERM);
    }
    Ok(parent.into())
}

/// Returns whether `ancestor` is `child` or lies above it.
///
/// # Safety
///
/// Both pointers must be valid, and somebody must hold a reference to each namespace for the
/// duration of the call.
#[export]
pub(crate) unsafe extern "C" fn pidns_is_ancestor(
    child: *mut bindings::pid_namespace,
    ancestor: *mut bindings::pid_namespace,
) -> bool {
    // SAFETY: By the safety requirements, of both.
    unsafe { PidNamespace::from_ptr(ancestor).is_ancestor_of(PidNamespace::from_ptr(child)) }
}

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
#[kunit_tests(pidns_nsfs)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn ancestors_are_those_above_and_the_namespace_itself() -> Result {
        let top = counted_ns()?;
        let (left, right) = (child_of(&top)?, child_of(&top)?);
        let below = child_of(&left)?;
        let initial = current!();
        let initial = initial.active_pid_ns().ok_or(ESRCH)?;

        // Columns: is the first an ancestor of the second?
        for (ancestor, ns, expected) in [
            (&*top, &*top, true),
            (&top, &left, true),
            (&top, &below, true),
            (initial, &below, true),
            (&left, &top, false),
            (&right, &below, false),
            (&below, &left, false),
            (&below, initial, false),
        ] {
            assert_eq!(ancestor.is_ancestor_of(ns), expected);
        }
        Ok(())
    }

    #[test]
    fn the_parent_is_shown_to_who_lives_there_or_above() -> Result {
        let top = counted_ns()?;
        let ns = child_of(&top)?;
        let stranger = child_of(&top)?;
        let initial = current!();
        let initial = initial.active_pid_ns().ok_or(ESRCH)?;

        assert!(parent(&ns, ActiveNs::new(&top))? == top);
        assert!(parent(&ns, ActiveNs::new(initial))? == top);
        assert_eq!(parent(&ns, ActiveNs::new(&ns)).err(), Some(EPERM));
        assert_eq!(parent(&ns, ActiveNs::new(&stranger)).err(), Some(EPERM));
        assert_eq!(parent(initial, ActiveNs::new(initial)).err(), Some(EPERM));
        Ok(())
    }
}
