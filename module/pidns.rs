// SPDX-License-Identifier: GPL-2.0-only

//! `pidns.ko`: the unshare semantics of 2011 for a kernel as it is.
//!
//! The kernel refuses three things with `EINVAL` while the default pid namespace of a task, where
//! its children will be born, is not the active one, where it was born itself: to make a pid
//! namespace by `clone()`, to make another one by `unshare()`, and to make a thread. While this
//! module is loaded it does them, by the rules of `rust/pidns/`, which are built in here as they
//! are: a new namespace lies below the active one, and a thread is born in the active one.
//!
//! # How
//!
//! Each refusal compares the default namespace with the active one, and goes on to use the default
//! one where the rule wants the active one. ftrace lets the module change what these four
//! functions are called with, or what is called instead:
//!
//! | Function               | While the module is loaded                                        |
//! | ---------------------- | ----------------------------------------------------------------- |
//! | `copy_pid_ns()`        | gets the active namespace as `old_ns` if it is to make a new one   |
//! | `copy_process()`       | is called by way of the module if it is to make such a thread     |
//! | `task_active_pid_ns()` | answers the one question of such a clone with the default one     |
//! | `alloc_pid()`          | gets the active namespace as `ns` from such a clone               |
//!
//! All else is the kernel's own code, with its own checks and references.
//!
//! # Why so
//!
//! - No task is ever given another `struct nsproxy`, not for a moment. So nobody can see one in
//!   `/proc/PID/ns/pid_for_children`, take a reference on one by `setns()` or `PIDFD_GET_*`, or
//!   inherit one; and the module owns no reference that could be lost or given up too early.
//! - Nothing is kept for later: a clone that fails half-way leaves nothing to undo but the entry of
//!   its task among the [makers](maker), which goes when the function that made it returns.
//! - `pidns_copy_process()` is a plain function around the kernel's, as a livepatch would have it.
//!   A kretprobe has as many instances as somebody chose, each taken by a clone that may be stuck
//!   for as long as user space likes; an fprobe that looks at the return costs every task of the
//!   machine a stack of return addresses. Here no clone is missed.
//! - No function is called by its address: on a machine with IBT only those that the kernel means
//!   to be called so can be. `copy_process()` is called by a static call, which is patched to be a
//!   direct one.
//! - A handler neither sleeps nor allocates nor takes a lock. What has to is in
//!   `pidns_copy_process()`, where the task may.
//! - Rust looks into none of the kernel's structures. What there is to know comes from C, as the
//!   bindings of a kernel need not be right.
//! - Only two hooks are `IPMODIFY`, where another function is called instead: those of
//!   `copy_process()` and `task_active_pid_ns()`. With something else that does the same, a
//!   livepatch for example, the one that comes second is refused. BPF programs that look at the
//!   return of such a function are not refused: they then call the rest of it indirectly, which
//!   the kernel does not survive on a machine with IBT. It is so with a livepatch as well; the
//!   module warns of it.
//! - The hooks are `PERMANENT`: as long as they are there, `kernel.ftrace_enabled` stays 1.
//! - That the kernel is one that the module knows is checked as far as can be. There must be
//!   functions of these four names that can be hooked, and `copy_process()` must have one call of
//!   `task_active_pid_ns()`. What the functions take and do is checked where the module is built:
//!   the patches of the series must apply to the source.
//!
//! # Coming and going
//!
//! The hooks of `copy_process()` and of what it asks come last, together. A clone that was under
//! way by then does not pass them any more and is refused as before.
//!
//! A clone that is inside has the module in use, so that rmmod refuses and does not wait. For a
//! clone can wait for user space as long as that likes: `CLONE_PIDFD` has a number written to the
//! memory of the caller, which another process may hold up; and one that fails half-way gives back
//! the files that it has copied, which asks the server of a FUSE file system. A clone that comes
//! when the module is on its way out is refused at the door.
//!
//! To go, the hooks are taken away. ftrace waits for who runs a handler, and RCU for each task that
//! may still be at the first or the last instructions of a function of the module, where it does
//! not have the module in use. All of that ends by itself. Where ftrace cannot take a hook away, as
//! it has found a bug of its own and stopped, rmmod says so and never returns: what is hooked still
//! calls the module.

#[expect(dead_code, reason = "the kernel has uses for more of it")]
#[path = "../rust/pidns/roles.rs"]
mod roles;
#[expect(dead_code, reason = "as above")]
#[path = "../rust/pidns/rule.rs"]
mod rule;

mod calls;
mod entries;
mod hooks;
mod in_use;
mod maker;
mod thread;

use hooks::Hooks;
use kernel::prelude::*;

module! {
    type: Module,
    name: "pidns",
    authors: ["pidns-rs maintainers"],
    description: "Allows threads and more pid namespaces after unshare(CLONE_NEWPID)",
    license: "GPL v2",
}

/// The module while it is loaded.
struct Module {
    _hooks: Hooks,
}

impl kernel::Module for Module {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let hooks = Hooks::add()?;
        pr_info!("hooked copy_pid_ns, copy_process, task_active_pid_ns and alloc_pid\n");
        Ok(Self { _hooks: hooks })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        pr_info!("going: threads and namespaces that were made stay\n");
    }
}
