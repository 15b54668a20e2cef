// SPDX-License-Identifier: GPL-2.0-only

//! The hooks as a value, and what `hooks.c` has for the other files.
//!
//! C header: `module/hooks.h`

use crate::calls::return_of_only_call;
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

/// Where the hooks are, and what else they know by its address: `struct pidns_places`.
#[repr(C)]
struct Places {
    /// That of `copy_process()`.
    copy_process: usize,
    /// Where `copy_process()` begins.
    original: usize,
    /// That of `task_active_pid_ns()`.
    question: usize,
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
    fn pidns_hook(at: *const Places) -> c_int;
    fn pidns_unhook();
    fn pidns_has_ibt() -> bool;
    pub(crate) fn pidns_place() -> usize;
    pub(crate) fn pidns_get_module() -> bool;
    pub(crate) fn pidns_put_module();
    pub(crate) fn pidns_original_copy_process(
        pid: *mut bindings::pid,
        trace: c_int,
        node: c_int,
        args: *mut bindings::kernel_clone_args,
    ) -> *mut bindings::task_struct;

    static mut pidns_makers: bindings::xarray;
    static mut pidns_below_active: usize;
    static mut pidns_thread_in_active: usize;
}

/// Returns the array of [`Maker`](crate::maker::Maker).
#[inline]
pub(crate) fn makers() -> *mut bindings::xarray {
    &raw mut pidns_makers
}

/// A rule whose uses are counted, for the administrator to see in sysfs.
///
/// What is counted are calls that come to where the kernel by itself refuses them. They can fail
/// later, for want of memory for example.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    /// A new pid namespace is to lie below the active one, though the default is another.
    BelowActive,
    /// A thread is to be born in the active namespace, though the default is another.
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
///
/// A kprobe on that very call has put another instruction in its place: then it is not found.
///
/// # Errors
///
/// [`ENOENT`] if there is no such call or more than one, [`ENOMEM`], or that the text cannot be
/// read.
fn only_call(function: &Function, callee: &Function) -> Result<usize> {
    let mut text = KVVec::from_elem(0u8, function.size, GFP_KERNEL)?;
    // SAFETY: There is room for so much. What cannot be read is an error; what is patched while it
    // is read, a jump label for example, is none of what is looked for.
    to_result(unsafe {
        bindings::copy_from_kernel_nofault(
            text.as_mut_ptr().cast(),
            function.start as *const c_void,
            function.size,
        )
    } as c_int)?;
    return_of_only_call(&text, function.start, callee.start).ok_or(ENOENT)
}

/// All hooks.
pub(crate) struct Hooks(());

impl Hooks {
    /// Adds all hooks.
    ///
    /// # Errors
    ///
    /// - [`ENOENT`] if the kernel is none that the module knows;
    /// - [`EBUSY`] if something else is called in the place of one of the functions, or ftrace is
    ///   switched off;
    /// - [`ENOMEM`].
    pub(crate) fn add() -> Result<Self> {
        let copy_process = find(c"copy_process")?;
        let task_active_pid_ns = find(c"task_active_pid_ns")?;
        let asks = only_call(&copy_process, &task_active_pid_ns).inspect_err(|_| {
            pr_err!("not loaded: copy_process is none that is known here, or has a kprobe\n");
        })?;
        let places = Places {
            copy_process: copy_process.hook,
            original: copy_process.start,
            question: task_active_pid_ns.hook,
            asks,
            alloc_pid: find(c"alloc_pid")?.hook,
            copy_pid_ns: find(c"copy_pid_ns")?.hook,
        };
        // SAFETY: `places` is valid for the duration of the call, and has what `find` has found.
        to_result(unsafe { pidns_hook(&raw const places) }).inspect_err(|_| {
            pr_err!("not loaded: ftrace is off, or another module changes the same functions\n");
        })?;
        // SAFETY: No requirements.
        if unsafe { pidns_has_ibt() } {
            pr_warn!("no BPF fexit or fmod_ret on copy_process and task_active_pid_ns: this CPU has IBT\n");
        }
        Ok(Self(()))
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        // SAFETY: They were added. The module is on its way out, so that nobody is in the middle of
        // a clone by way of it: that would have it in use.
        unsafe { pidns_unhook() };
    }
}
