// SPDX-License-Identifier: GPL-2.0-only

//! The functions and tables that C knows by name. Raw pointers end here.

use crate::{
    boot,
    create,
    destroy::{
        destroy,
        reap, //
    },
    dying::{
        self,
        Dying, //
    },
    flags,
    nsfs,
    reboot,
    roles::{
        ActiveNs,
        DefaultNs, //
    },
    rule::NewNamespaces,
    tasks::LastThread,
    zap::zap, //
};
use core::ptr::{
    null,
    null_mut,
    NonNull, //
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
    task::Task,
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
        Ok(ns) => into_raw(ns),
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

/// Gives up a reference to a pid namespace. The last one has it destroyed, some time later.
///
/// # Safety
///
/// `ns` must be null, or the caller must own a reference to it and not use it after the call.
#[export]
pub(crate) unsafe extern "C" fn put_pid_ns(ns: *mut bindings::pid_namespace) {
    let Some(ns) = NonNull::new(ns) else { return };
    // SAFETY: `ns` is not null, so the safety requirements say that the caller owns a reference.
    if let Some(dying) = unsafe { Dying::put(ns) } {
        dying.destroy_later();
    }
}

/// Frees a pid namespace that nobody can look at any more.
///
/// # Safety
///
/// To be called by RCU, for what was passed to it by [`Dying::bury`].
// Its name as in C, for those who look at callbacks.
#[no_mangle]
pub(crate) unsafe extern "C" fn delayed_free_pidns(head: *mut bindings::callback_head) {
    // SAFETY: By the safety requirements it is that of a namespace.
    let ns = unsafe { NonNull::new_unchecked(container_of!(head, bindings::pid_namespace, rcu)) };
    // SAFETY: The namespace is buried, and this is the one call, after the grace period.
    unsafe { dying::free(ns) };
}

/// The work item that destroys pid namespaces: those that have lost their last reference since it
/// ran last.
///
/// # Safety
///
/// To be called by the workqueue, which runs it once at a time.
// Its name as in C, for those who look at workqueues.
#[no_mangle]
pub(crate) unsafe extern "C" fn destroy_pid_namespaces(_work: *mut bindings::work_struct) {
    destroy();
}

/// Waits at the limit for pid namespaces that have ended.
///
/// To be called after `copy_pid_ns()` has returned `-ERESTART`, when no locks are held any more. It
/// can take some grace periods.
///
/// Returns 0 if `copy_pid_ns()` is to be called again; `-ENOSPC` if all that count are in use;
/// `-ERESTARTNOINTR` if a signal is pending; `-ENOMEM` if there is no memory.
///
/// # Safety
///
/// Must be called in task context, where it may sleep.
#[export]
pub(crate) unsafe extern "C" fn wait_for_pid_namespaces() -> c_int {
    // SAFETY: By the safety requirements; the function has those of this one.
    unsafe { bindings::wait_for_pid_ns_ucount(Some(reap_pid_namespaces)) }
}

/// Has what has no references destroyed, and waits for RCU.
///
/// # Safety
///
/// Must be called in task context, where it may sleep.
unsafe extern "C" fn reap_pid_namespaces() {
    reap();
}

/// Ends all processes in a pid namespace, whose init is the current task, and waits for that.
///
/// # Safety
///
/// `pid_ns` must be the active namespace of the current task, which must be the last thread of its
/// init, after `synchronize_group_exit()` and before `release_task()`, and hold no locks.
#[export]
pub(crate) unsafe extern "C" fn zap_pid_ns_processes(pid_ns: *mut bindings::pid_namespace) {
    // SAFETY: The active namespace of the current task is valid for as long as that is there.
    let ns = unsafe { PidNamespace::from_ptr(pid_ns) };
    let current = current!();
    // SAFETY: By the safety requirements.
    zap(ns, unsafe { LastThread::new(current) });
}

/// Does what `reboot(cmd)` means in a pid namespace.
///
/// Returns 0 for the initial one: the caller reboots the machine. Returns `-EINVAL` for a command
/// that is unknown here. Else ends the namespace, and does not return.
///
/// # Safety
///
/// `_pid_ns` must be the active namespace of the current task, which must hold no locks.
#[export]
pub(crate) unsafe extern "C" fn reboot_pid_ns(
    _pid_ns: *mut bindings::pid_namespace,
    cmd: c_int,
) -> c_int {
    match reboot::reboot(current!(), cmd as u32) {
        Ok(reboot::Outcome::Machine) => 0,
        // SAFETY: The current task holds no locks, and nothing of this frame has to be dropped.
        Ok(reboot::Outcome::Ends) => unsafe { bindings::do_exit(0) },
        Err(err) => err.to_errno(),
    }
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

/// Sets up pid namespaces at boot.
///
/// # Safety
///
/// To be called once, as an initcall, before there is any user space.
#[export]
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn pid_namespaces_init() -> c_int {
    // SAFETY: By the safety requirements.
    unsafe { boot::init() };
    0
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
    unsafe { put_pid_ns(container_of!(ns, bindings::pid_namespace, ns)) };
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
    from_result(|| nsfs::install(set, new).map(|()| 0))
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
        .and_then(|active| nsfs::parent(ns, ActiveNs::new(active)));
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
