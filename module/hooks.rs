// SPDX-License-Identifier: GPL-2.0-only

//! The hooks as a value, and what `hooks.c` has for the other files.
//!
//! C header: `module/hooks.h`

use crate::{
    calls::return_of_only_call,
    inside::Inside, //
};
use core::slice;
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// A function of the kernel: `struct pidns_function`.
#[repr(C)]
#[derive(Default)]
struct Function {
    /// Its address.
    start: usize,
    /// Its size in bytes.
    size: usize,
    /// Where ftrace calls hooks from.
    hook: usize,
}

/// Where the inner hooks are: `struct pidns_inner`.
#[repr(C)]
struct Inner {
    /// That of `task_active_pid_ns()`.
    thread_check: usize,
    /// Behind the call of that by which `copy_process()` decides whether a thread may be made.
    asks: usize,
    /// That of `alloc_pid()`.
    alloc_pid: usize,
    /// That of `copy_pid_ns()`.
    copy_pid_ns: usize,
}

// Each is declared in `hooks.h`.
#[allow(
    improper_ctypes,
    reason = "some have empty fields, by the configuration"
)]
extern "C" {
    fn pidns_find(name: *const c_char, function: *mut Function) -> c_int;
    fn pidns_hook_inner(at: *const Inner) -> c_int;
    fn pidns_unhook_inner();
    fn pidns_hook_outer(copy_process: *const Function) -> c_int;
    fn pidns_unhook_outer();
    fn pidns_wait_for_text();
    pub(crate) fn pidns_place() -> usize;
    pub(crate) fn pidns_get_module() -> bool;
    pub(crate) fn pidns_put_module();
    pub(crate) fn pidns_original_copy_process(
        pid: *mut bindings::pid,
        trace: c_int,
        node: c_int,
        args: *mut bindings::kernel_clone_args,
    ) -> *mut bindings::task_struct;

    static mut pidns_inside: bindings::srcu_struct;
    static mut pidns_makers: bindings::xarray;
    static mut pidns_below_active: usize;
    static mut pidns_thread_in_active: usize;
}

/// Returns the SRCU of [`Inside`].
#[inline]
pub(crate) fn inside() -> *mut bindings::srcu_struct {
    &raw mut pidns_inside
}

/// Returns the array of [`Maker`](crate::maker::Maker).
#[inline]
pub(crate) fn makers() -> *mut bindings::xarray {
    &raw mut pidns_makers
}

/// A rule whose uses are counted, for the administrator to see in sysfs.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    /// A new pid namespace lies below the active one, though the default is another.
    BelowActive,
    /// A thread is born in the active namespace, though the default is another.
    ThreadInActive,
}

impl Rule {
    /// Counts one more use.
    pub(crate) fn count(self) {
        let counter = match self {
            Self::BelowActive => &raw mut pidns_below_active,
            Self::ThreadInActive => &raw mut pidns_thread_in_active,
        };
        // SAFETY: The counter is static. While the module is loaded it is changed here alone; sysfs
        // reads it in one piece.
        unsafe { Atomic::from_ptr(counter) }.add(1, Relaxed);
    }
}

/// Finds a function by its name.
///
/// # Errors
///
/// [`ENOENT`] if the kernel has none of that name, or none that can be hooked.
fn find(name: &CStr) -> Result<Function> {
    let mut function = Function::default();
    // SAFETY: Both pointers are valid for the duration of the call.
    to_result(unsafe { pidns_find(name.as_char_ptr(), &raw mut function) }).map_err(|_| {
        pr_err!("not loaded: this kernel has no {name} that can be hooked\n");
        ENOENT
    })?;
    Ok(function)
}

/// Returns where the one call of `callee` in `function` returns to.
fn only_call(function: &Function, callee: &Function) -> Option<usize> {
    // SAFETY: This is the text of a function of the kernel, which is not unloaded. It may be
    // patched while it is read; then what is read is one or the other.
    let text = unsafe { slice::from_raw_parts(function.start as *const u8, function.size) };
    return_of_only_call(text, function.start, callee.start)
}

/// The inner hooks, which change what a clone does on its way.
struct InnerHooks(());

impl InnerHooks {
    fn add(at: &Inner) -> Result<Self> {
        // SAFETY: `at` is valid for the duration of the call, and has what `find` has found.
        to_result(unsafe { pidns_hook_inner(at) })?;
        Ok(Self(()))
    }
}

impl Drop for InnerHooks {
    fn drop(&mut self) {
        // SAFETY: They were added, and nobody is inside any more who relies on them.
        unsafe { pidns_unhook_inner() };
        // SAFETY: No requirements. This context may sleep.
        unsafe { pidns_wait_for_text() };
    }
}

/// The outer hook, by which a clone comes into the module.
struct OuterHook(());

impl OuterHook {
    /// Adds it. The inner hooks must be there, else a clone that comes in is refused.
    fn add(copy_process: &Function, _inner: &InnerHooks) -> Result<Self> {
        // SAFETY: `copy_process` is valid for the duration of the call, and `find` has found it.
        to_result(unsafe { pidns_hook_outer(copy_process) })?;
        Ok(Self(()))
    }
}

impl Drop for OuterHook {
    fn drop(&mut self) {
        // SAFETY: It was added.
        unsafe { pidns_unhook_outer() };
        // Who was sent to `pidns_copy_process()` and has not entered yet.
        // SAFETY: No requirements. This context may sleep.
        unsafe { pidns_wait_for_text() };
        Inside::wait_until_empty();
    }
}

/// All hooks.
///
/// They go in the order of the fields.
pub(crate) struct Hooks {
    _outer: OuterHook,
    _inner: InnerHooks,
}

impl Hooks {
    /// Adds all hooks.
    ///
    /// # Errors
    ///
    /// - [`ENOENT`] if the kernel is none that the module knows;
    /// - [`EBUSY`] if something else changes one of the functions, or ftrace is switched off;
    /// - [`ENOMEM`].
    pub(crate) fn add() -> Result<Self> {
        let copy_process = find(c"copy_process")?;
        let task_active_pid_ns = find(c"task_active_pid_ns")?;
        let asks = only_call(&copy_process, &task_active_pid_ns).ok_or_else(|| {
            pr_err!("not loaded: this kernel's copy_process is none that is known here\n");
            ENOENT
        })?;
        let inner = Inner {
            thread_check: task_active_pid_ns.hook,
            asks,
            alloc_pid: find(c"alloc_pid")?.hook,
            copy_pid_ns: find(c"copy_pid_ns")?.hook,
        };

        let busy = |err| {
            pr_err!("not loaded: ftrace is off, or another module changes the same functions\n");
            err
        };
        let inner = InnerHooks::add(&inner).map_err(busy)?;
        let outer = OuterHook::add(&copy_process, &inner).map_err(busy)?;
        Ok(Self {
            _outer: outer,
            _inner: inner,
        })
    }
}
