// SPDX-License-Identifier: GPL-2.0-only

//! The functions that C calls. Raw pointers end here.

use crate::{
    create,
    flags::{
        self,
        NewNamespaces, //
    },
    roles::{
        ActiveNs,
        DefaultNs, //
    },
};
use kernel::{
    bindings,
    error::from_result,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::aref::ARef,
    user_namespace::UserNamespace, //
};

/// Finds the pid namespace for the children of a task.
///
/// Returns `default_ns`, or a new namespace if `flags` has `CLONE_NEWPID`, with a reference that
/// belongs to the caller; or an `ERR_PTR()`, see [`create::copy`].
///
/// * `flags`: the flags of `clone()` or `unshare()`; all but `CLONE_NEWPID` are ignored.
/// * `user_ns`: the user namespace that will own a new namespace.
/// * `active_ns`: the pid namespace that the calling task was born in, and the parent of a new one.
/// * `default_ns`: the pid namespace that its children are born in so far.
///
/// # Safety
///
/// The three pointers must be valid, and stay so for the duration of the call: the caller holds a
/// reference on each, or is a task that does.
#[export]
pub(crate) unsafe extern "C" fn copy_pid_ns(
    flags: u64,
    user_ns: *mut bindings::user_namespace,
    active_ns: *mut bindings::pid_namespace,
    default_ns: *mut bindings::pid_namespace,
) -> *mut bindings::pid_namespace {
    // SAFETY: By the safety requirements `user_ns` is valid for the duration of this call, which is
    // longer than the reference is used.
    let user_ns = unsafe { UserNamespace::from_ptr(user_ns) };
    // SAFETY: As above, for `active_ns`.
    let active = ActiveNs::new(unsafe { PidNamespace::from_ptr(active_ns) });
    // SAFETY: As above, for `default_ns`.
    let default = DefaultNs::new(unsafe { PidNamespace::from_ptr(default_ns) });

    match create::copy(NewNamespaces::requested_by(flags), user_ns, active, default) {
        // CAST: `PidNamespace` is a transparent wrapper around `struct pid_namespace`.
        Ok(ns) => ARef::into_raw(ns).as_ptr().cast(),
        Err(err) => err.to_ptr(),
    }
}

/// Decides whether `unshare(unshare_flags)` may go ahead for the current task.
///
/// Returns 0, or `-EINVAL`, see [`flags::check_unshare`].
///
/// # Safety
///
/// Must be called in task context, by a task that has not been through `release_task()`.
#[export]
pub(crate) unsafe extern "C" fn check_unshare_flags(unshare_flags: c_ulong) -> c_int {
    from_result(|| flags::check_unshare(unshare_flags as u64, current!()).map(|()| 0))
}
