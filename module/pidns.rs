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
//!   machine a stack of return addresses. Here no clone is missed. One that must be refused, as
//!   the module is about to go, is refused at the door, as the kernel would.
//! - No function is called by its address: on a machine with IBT only those that the kernel means
//!   to be called so can be. `copy_process()` is called by a static call, which is patched to be a
//!   direct one.
//! - A handler neither sleeps nor allocates nor takes a lock. What has to is in
//!   `pidns_copy_process()`, where the task may.
//! - Of the kernel's structures, Rust looks into one, `struct kernel_clone_args`, at its first
//!   field. What else there is to know comes from C, as the bindings of a kernel need not be right.
//! - The hooks are `IPMODIFY`: with something else that changes the same functions, a livepatch
//!   for example, the one that comes second is refused. They are `PERMANENT`: as long as they are
//!   there, `kernel.ftrace_enabled` stays 1.
//! - That the kernel is one that the module knows is checked as far as can be: the four functions
//!   must be there, and `copy_process()` must ask for the active namespace in one place.
//!
//! # Coming and going
//!
//! The inner hooks, which do nothing without the outer one, come first. A clone that was under way
//! by then does not pass the outer one any more and is refused as before.
//!
//! To go, first the outer hook goes, so that no more clones come in; then those that are inside are
//! waited for, and then the inner hooks go. At each step ftrace waits for who runs a handler, and
//! RCU for each task that may still be at the first or the last instructions of a function of
//! the module. All of that ends by itself: in the middle of a clone nothing waits for user space,
//! but for one thing. `CLONE_PIDFD` has a number written to the memory of the caller, which another
//! process may hold up. So such a clone is no wait of rmmod's: it keeps the module in use,
//! and rmmod says so.

#[expect(dead_code, reason = "the kernel has uses for more of it")]
#[path = "../rust/pidns/roles.rs"]
mod roles;
#[expect(dead_code, reason = "as above")]
#[path = "../rust/pidns/rule.rs"]
mod rule;

mod calls;
mod entries;
mod hooks;
mod inside;
mod maker;
mod thread;

use hooks::Hooks;
use kernel::prelude::*;

module! {
    type: Module,
    name: "pidns",
    authors: ["pidns-rs maintainers"],
    description: "Lets who has unshared its pid namespace make threads and more pid namespaces",
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
