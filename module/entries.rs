// SPDX-License-Identifier: GPL-2.0-only

//! What the hooks call. Raw pointers end here.

use crate::{
    hooks::{
        pidns_original_copy_process,
        Rule, //
    },
    in_use::InUse,
    maker::Maker,
    roles::{
        ActiveNs,
        DefaultNs, //
    },
    rule::{
        for_children,
        ForChildren,
        NewNamespaces, //
    },
    thread,
};
use kernel::{
    bindings,
    pid_namespace::PidNamespace,
    prelude::*, //
};

/// Returns what `copy_pid_ns()` is to take for the old namespace: if `flags` ask for a new one, the
/// namespace that it is to lie below.
///
/// # Safety
///
/// `active` must be the active pid namespace of the current task, and `default` the default one of
/// the task that `copy_pid_ns()` is called for, which the caller holds for the duration of the call.
#[no_mangle]
unsafe extern "C" fn pidns_parent(
    flags: u64,
    active: *mut bindings::pid_namespace,
    default: *mut bindings::pid_namespace,
) -> *mut bindings::pid_namespace {
    // SAFETY: By the safety requirements; the current task holds its active namespace.
    let active_ns = ActiveNs::new(unsafe { PidNamespace::from_ptr(active) });
    // SAFETY: By the safety requirements.
    let default_ns = DefaultNs::new(unsafe { PidNamespace::from_ptr(default) });
    match for_children(NewNamespaces::requested_by(flags), active_ns, default_ns) {
        ForChildren::Default(_) => default,
        ForChildren::NewBelow(active_ns) => {
            let parent = active_ns.as_ancestor().as_ptr();
            if parent != default {
                Rule::BelowActive.count();
            }
            parent
        }
    }
}

/// Returns where `alloc_pid()` is to allocate a pid: where the child of the current task is born.
///
/// # Safety
///
/// `active` must be the active pid namespace of the current task, and to be used while the current
/// task lives.
#[no_mangle]
unsafe extern "C" fn pidns_birthplace(
    active: *mut bindings::pid_namespace,
    default: *mut bindings::pid_namespace,
) -> *mut bindings::pid_namespace {
    if active == default || !Maker::is_current() {
        return default;
    }
    Rule::ThreadInActive.count();
    // SAFETY: By the safety requirements; the current task holds its active namespace.
    thread::birthplace(ActiveNs::new(unsafe { PidNamespace::from_ptr(active) })).as_ptr()
}

/// Returns whether [`pidns_copy_process`] is to take the place of `copy_process()`: for a clone by
/// the current task with `flags` that the kernel by itself would refuse, unless it is from there
/// that the kernel's function was called.
///
/// # Safety
///
/// `active` and `default` must be the two pid namespaces of the current task.
#[no_mangle]
unsafe extern "C" fn pidns_takes(
    flags: u64,
    active: *mut bindings::pid_namespace,
    default: *mut bindings::pid_namespace,
) -> bool {
    // SAFETY: By the safety requirements; the current task holds both.
    let (active, default) = unsafe {
        (
            ActiveNs::new(PidNamespace::from_ptr(active)),
            PidNamespace::from_ptr(default),
        )
    };
    thread::is_refused(flags, active, default) && !Maker::is_current()
}

/// Returns whether the current task is making a thread by way of [`pidns_copy_process`].
#[no_mangle]
extern "C" fn pidns_is_maker() -> bool {
    Maker::is_current()
}

/// Makes a thread: the kernel's `copy_process()`, which the current task goes through as a
/// [`Maker`].
///
/// # Safety
///
/// As for `copy_process()`, with `args` that [`pidns_takes`] was asked about.
#[no_mangle]
unsafe extern "C" fn pidns_copy_process(
    pid: *mut bindings::pid,
    trace: c_int,
    node: c_int,
    args: *mut bindings::kernel_clone_args,
) -> *mut bindings::task_struct {
    // Dropped last, for what comes before may sleep, and for as long as user space likes.
    let Some(_in_use) = InUse::begin() else {
        // As the kernel by itself.
        return EINVAL.to_ptr();
    };
    match Maker::begin() {
        // SAFETY: By the safety requirements.
        Ok(_maker) => unsafe { pidns_original_copy_process(pid, trace, node, args) },
        Err(err) => err.to_ptr(),
    }
}
