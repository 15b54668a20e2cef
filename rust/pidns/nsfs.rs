// SPDX-License-Identifier: GPL-2.0-only

//! What nsfs, `setns()` and `/proc/PID/ns/` ask of pid namespaces.

use crate::roles::ActiveNs;
use core::ptr::{
    null,
    null_mut, //
};
use kernel::{
    bindings,
    container_of,
    error::from_result,
    nsproxy::NsSet,
    pid_namespace::PidNamespace,
    prelude::*,
    str::as_char_ptr_in_const_context,
    sync::aref::ARef,
    task::Task, //
};

/// Makes `new` the default namespace for the children of a task that calls `setns()`.
///
/// A task can only go down, or back to where it is: its children must have a pid that it can see,
/// and must not escape from the namespace that it is in.
///
/// # Errors
///
/// - [`EPERM`] without CAP_SYS_ADMIN over the owner of `new`, and in the user namespace that the
///   task will be in;
/// - [`EINVAL`] if `new` is not the active namespace of the task, nor below it.
#[doc(alias = "pidns_install")]
pub(crate) fn install(set: &mut NsSet, new: &PidNamespace) -> Result {
    if !new.user_ns().current_is_admin() || !set.user_ns().current_is_admin() {
        return Err(EPERM);
    }
    set.set_pid_ns_for_children(new)
}

/// Returns the parent of `ns`, if the task whose active namespace is `active` may see it.
///
/// # Errors
///
/// [`EPERM`] if the parent is not `active`, nor below it; the initial namespace has none.
#[doc(alias = "pidns_get_parent")]
pub(crate) fn parent(ns: &PidNamespace, active: ActiveNs<'_>) -> Result<ARef<PidNamespace>> {
    let parent = ns.parent().ok_or(EPERM)?;
    if !active.as_ancestor().is_ancestor_of(parent) {
        return Err(EPERM);
    }
    Ok(parent.into())
}

/// A table of what nsfs can ask of a kind of namespace.
#[repr(transparent)]
pub(crate) struct Operations(bindings::proc_ns_operations);

// SAFETY: What the pointers in the table point to is static, and nobody writes to the table.
unsafe impl Sync for Operations {}

impl Operations {
    /// Returns the table for C.
    #[inline]
    pub(crate) const fn as_ptr(&self) -> *const bindings::proc_ns_operations {
        &raw const self.0
    }
}

/// `/proc/PID/ns/pid`, the active pid namespace of a task.
#[no_mangle]
pub(crate) static pidns_operations: Operations = Operations(bindings::proc_ns_operations {
    name: as_char_ptr_in_const_context(c"pid"),
    real_ns_name: null(),
    get: Some(pidns_get),
    put: Some(pidns_put),
    install: Some(pidns_install),
    owner: Some(pidns_owner),
    get_parent: Some(pidns_get_parent),
});

/// `/proc/PID/ns/pid_for_children`, the default pid namespace of a task for its children.
#[no_mangle]
pub(crate) static pidns_for_children_operations: Operations =
    Operations(bindings::proc_ns_operations {
        name: as_char_ptr_in_const_context(c"pid_for_children"),
        real_ns_name: as_char_ptr_in_const_context(c"pid"),
        get: Some(pidns_for_children_get),
        put: Some(pidns_put),
        install: Some(pidns_install),
        owner: Some(pidns_owner),
        get_parent: Some(pidns_get_parent),
    });

/// Returns the active pid namespace of `task` with a reference, or null if the task is gone.
///
/// # Safety
///
/// `task` must be valid for the duration of the call.
unsafe extern "C" fn pidns_get(task: *mut bindings::task_struct) -> *mut bindings::ns_common {
    // SAFETY: By the safety requirements.
    let task = unsafe { Task::from_ptr(task) };
    common(task.get_pid_ns())
}

/// Returns the default pid namespace of `task` for its children with a reference, or null if the
/// task is gone.
///
/// # Safety
///
/// `task` must be valid for the duration of the call.
unsafe extern "C" fn pidns_for_children_get(
    task: *mut bindings::task_struct,
) -> *mut bindings::ns_common {
    // SAFETY: By the safety requirements.
    let task = unsafe { Task::from_ptr(task) };
    common(task.get_pid_ns_for_children())
}

/// Gives up a reference.
///
/// # Safety
///
/// `ns` must be that of a pid namespace, and the caller must own a reference to it.
unsafe extern "C" fn pidns_put(ns: *mut bindings::ns_common) {
    // SAFETY: By the safety requirements.
    unsafe { bindings::put_pid_ns(container_of!(ns, bindings::pid_namespace, ns)) };
}

/// Makes a pid namespace the default one for the children of a task that calls `setns()`.
///
/// # Safety
///
/// `nsset` must be what `setns()` of the current task has prepared, and `ns` that of a pid
/// namespace, valid for the duration of the call.
unsafe extern "C" fn pidns_install(
    nsset: *mut bindings::nsset,
    ns: *mut bindings::ns_common,
) -> c_int {
    // SAFETY: By the safety requirements.
    let (set, new) = unsafe { (NsSet::from_ptr(nsset), from_common(ns)) };
    from_result(|| install(set, new).map(|()| 0))
}

/// Returns the user namespace that owns a pid namespace.
///
/// # Safety
///
/// `ns` must be that of a pid namespace, valid for the duration of the call.
unsafe extern "C" fn pidns_owner(ns: *mut bindings::ns_common) -> *mut bindings::user_namespace {
    // Not through a `PidNamespace`: the tree also asks this of a namespace that it is about to
    // lose, which has no references any more.
    // SAFETY: By the safety requirements. The field does not change.
    unsafe { (*container_of!(ns, bindings::pid_namespace, ns)).user_ns }
}

/// Returns the parent of a pid namespace with a reference, or `ERR_PTR(-EPERM)`.
///
/// # Safety
///
/// `ns` must be that of a pid namespace, valid for the duration of the call.
unsafe extern "C" fn pidns_get_parent(ns: *mut bindings::ns_common) -> *mut bindings::ns_common {
    // SAFETY: By the safety requirements.
    let ns = unsafe { from_common(ns) };
    let current = current!();
    let parent = current
        .active_pid_ns()
        .ok_or(EPERM)
        .and_then(|active| parent(ns, ActiveNs::new(active)));
    match parent {
        Ok(parent) => common(Some(parent)),
        Err(err) => err.to_ptr(),
    }
}

/// Hands a reference over to C.
fn into_raw(ns: ARef<PidNamespace>) -> *mut bindings::pid_namespace {
    // CAST: `PidNamespace` is a transparent wrapper around `struct pid_namespace`.
    ARef::into_raw(ns).as_ptr().cast()
}

/// Hands a reference, if there is one, over to C, which sees the part that all namespaces have.
fn common(ns: Option<ARef<PidNamespace>>) -> *mut bindings::ns_common {
    match ns {
        // SAFETY: The namespace is valid.
        Some(ns) => unsafe { &raw mut (*into_raw(ns)).ns },
        None => null_mut(),
    }
}

/// The pid namespace around the part that all namespaces have.
///
/// # Safety
///
/// `ns` must be that of a pid namespace, valid for the lifetime of the returned reference.
unsafe fn from_common<'a>(ns: *mut bindings::ns_common) -> &'a PidNamespace {
    // SAFETY: By the safety requirements.
    unsafe { PidNamespace::from_ptr(container_of!(ns, bindings::pid_namespace, ns)) }
}

/// Returns whether `ancestor` is `child` or lies above it.
///
/// # Safety
///
/// Both pointers must be valid for the duration of the call.
#[export]
pub(crate) unsafe extern "C" fn pidns_is_ancestor(
    child: *mut bindings::pid_namespace,
    ancestor: *mut bindings::pid_namespace,
) -> bool {
    // SAFETY: By the safety requirements.
    let (child, ancestor) = unsafe {
        (
            PidNamespace::from_ptr(child),
            PidNamespace::from_ptr(ancestor),
        )
    };
    ancestor.is_ancestor_of(child)
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
