// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! Pid namespaces.
//!
//! A task has two of them:
//!
//! - the *active* one, where it was born and where its pids are shown. Its `struct pid` holds it,
//!   `task_active_pid_ns()` finds it, and it never changes;
//! - the *default* one for its children, where they will be born. Its `struct nsproxy` holds it as
//!   `pid_ns_for_children`, and `unshare(CLONE_NEWPID)` and `setns()` change it.
//!
//! ```text
//!                      unshare(CLONE_NEWPID)
//!
//!      before                             after
//!
//!   active == default                  active          default, a child of active
//!   +---------------+                  +---------------+   +---------------+
//!   | 1  init       |                  | 1  init       |   |               |
//!   | 42 the caller |                  | 42 the caller |   |  (nobody yet) |
//!   +---------------+                  | 43 1st child ------> 1  init       |
//!                                      | 44 2nd child ------> 2             |
//!                                      +---------------+   +---------------+
//! ```
//!
//! While the two differ, the caller does not map into its default namespace: seen from there, it is
//! pid 0.
//!
//! # Where to look
//!
//! A file that C calls by name has the rule for that call and its undo beside it; the others serve
//! these. None uses one that stands above it; `mod` lists them so.
//!
//! | File         | What it does                                                              |
//! | ------------ | ------------------------------------------------------------------------- |
//! | `boot.rs`    | `pid_namespaces_init()`: what is set up at boot                           |
//! | `create.rs`  | `copy_pid_ns()`: what has to hold for a new namespace, its steps and undo |
//! | `destroy.rs` | `put_pid_ns()`: how a namespace without references ends, and when         |
//! | `flags.rs`   | `check_unshare_flags()`: which flags `unshare()` accepts                  |
//! | `nsfs.rs`    | `setns()`, the parent that `ioctl()` shows, `pidns_is_ancestor()`         |
//! | `reboot.rs`  | `reboot_pid_ns()`                                                         |
//! | `sysctl.rs`  | `kernel.ns_last_pid`                                                      |
//! | `zap.rs`     | `zap_pid_ns_processes()`: the end of all processes, when init exits       |
//! | `caches.rs`  | the slab caches                                                           |
//! | `rule.rs`    | which namespace children get by the flags of `clone()` and `unshare()`    |
//! | `level.rs`   | how deep a namespace lies, and the limit on that                          |
//! | `roles.rs`   | `ActiveNs` and `DefaultNs`, so that nobody swaps the two                  |
//!
//! What is not about pid namespaces lies in `rust/kernel/`: `ns_common.rs` (any namespace),
//! `nsproxy.rs`, `user_namespace.rs`, `ucount.rs`, `tasklist.rs` and `exit.rs` (tasks), `llist.rs`,
//! `idr.rs`, `slab.rs`, `sysctl.rs`, `layout.rs`, and `pid_namespace.rs` for the fields that these
//! need.
//!
//! # What is still C, and why
//!
//! - `init_pid_ns`, in `kernel/pid.c`: other static data of C points to it.
//! - The allocation of pids, in `kernel/pid.c`: it is on the path of every `fork()`.
//! - `kernel.pid_max`, in `kernel/pid.c`: the table has a directory of its own for each namespace,
//!   with callbacks that the initial namespace, and so a kernel without this crate, needs as well.
//! - `vm.memfd_noexec`, in `kernel/pid_sysctl.h`: it is memfd's.
//! - `EXPORT_SYMBOL_GPL(put_pid_ns)` and `subsys_initcall(pid_namespaces_init)`, in
//!   `kernel/pid.c`: crates outside `rust/` export nothing, and only modules have initcalls.
//! - `rust/helpers/`: macros and inline functions of C, one each.
//!
//! # Life of a namespace
//!
//! ```text
//!   unshare(), clone()             one reference, that of the nsproxy; nobody inside
//!  Blank --> Numbered --publish()--+------------------------------+
//!    |          |                  | the first fork()             | no fork: the
//!    +----------+                  v                              | nsproxy changes
//!    dropped on failure:   init runs, others are born             | or ends
//!    undone step by step           |                              |
//!                                  | init exits                   |
//!                                  v                              |
//!                          zap: no more pids, all are killed,     |
//!                          init waits until it is alone           |
//!                                  |                              |
//!                                  | the last reference           |
//!                                  v                              v
//!                                Dying <--------------------------+
//!                                  | waits for the next batch, which somebody at the limit
//!                                  v can have run at once
//!                                bury()                           the parent is Dying as well,
//!                                  |                              if that was the last on it
//!                                  v
//!                                Buried --- grace period of RCU ---> freed, and counts no more
//! ```
//!
//! The short cut on the right is how the first of two unshares ends: `switch_task_namespaces()`
//! puts the old nsproxy, and with it the last reference. The init that waits in zap is woken by
//! `pid_ns_del_task()`, each time when one or two tasks are left.
//!
//! # References
//!
//! A namespace has two counts, see `include/linux/ns/ns_common_types.h`. `__ns_ref` decides when it
//! is freed. `__ns_ref_active` decides whether user space can find it, and is 0 before the other
//! is; each pid in the namespace, each nsproxy in use that names it, and its inode in nsfs, which
//! open files and mounts have in common, count there as well.
//!
//! References are held by
//!
//! - each `struct nsproxy` that names it, from `copy_pid_ns()` or `setns()` to `nsproxy_free()` or
//!   the next `setns()`;
//! - each pid whose deepest level it is, from `alloc_pid()` to the last `put_pid()`;
//! - each child namespace, from `Numbered::publish` to `Dying::bury`;
//! - each procfs that shows its pids, while it is mounted;
//! - each open file or mount of it, until `nsfs_evict()`;
//! - who will show pids later: perf events, FUSE connections, the iterators of `/proc/sysvipc`, BPF
//!   and cgroups.
//!
//! In turn a namespace holds its parent, its owner and one charge of its maker there.
//!
//! # Fields
//!
//! "In one piece" means by one load or store, without a lock.
//!
//! | Field                 | Written                          | Read                             |
//! | --------------------- | -------------------------------- | -------------------------------- |
//! | `level`, `parent`     | before `publish`                 | freely: they never change        |
//! | `user_ns`, `ucounts`  | before `publish`                 | freely: they never change        |
//! | `pid_cachep`          | before `publish`                 | freely: it never changes         |
//! | `idr`                 | before `publish`; under `pidmap_lock`; by `bury` | under RCU        |
//! | the cursor of `idr`   | so; by `ns_last_pid` in one piece | so; in one piece                |
//! | `pid_allocated`       | before `publish`; under `pidmap_lock` | so; elsewhere in one piece  |
//! | `nr_tasks`            | under `tasklist_lock`            | so; elsewhere in one piece       |
//! | `child_reaper`        | under `tasklist_lock`            | so; elsewhere in one piece       |
//! | `pid_max`             | before `publish`; by its sysctl  | in one piece                     |
//! | `memfd_noexec_scope`  | before `publish`; by its sysctl  | in one piece                     |
//! | `reboot`              | by `reboot()`, in one piece      | by zap, when nobody else is left |
//! | `sysctls`             | by `kernel/pid.c`                | there                            |
//! | `ns`                  | nscommon, nstree, nsfs           | see there                        |
//! | `bacct`               | `kernel/acct.c`                  | see there                        |
//! | `dying`               | by who has it: queue or batch    | so                               |
//! | `rcu`                 | by RCU, once it is buried        | so                               |
//!
//! # Locks, in their order
//!
//! Who holds one of these takes only those that stand below it.
//!
//! 1. `scx_fork_rwsem`, which `clone()` holds for reading while it calls `copy_pid_ns()`. So that
//!    waits for no namespace: `wait_for_pid_namespaces()` comes later, without any lock.
//! 2. `wait_mutex` of `wait_for_ended_pid_ns()`, while a process at the limit waits for the worker
//!    that buries. The worker does not take it.
//! 3. The locks of a namespace's sysctls, `sysctl_lock` in the end: burying waits for their
//!    handlers. The worker that buries holds no other lock meanwhile.
//! 4. `MAKING` in `caches.rs`, a mutex: while the cache of a level is made. Below it lie those of
//!    the slab allocator, `slab_mutex` first.
//! 5. `tasklist_lock`, for reading, within an RCU read-side section: `Tasklist`. Who kills a task
//!    takes its `siglock` below it. `zap_pid_ns_processes()` comes and goes without it.
//! 6. `siglock`, with interrupts off: `LastThread`.
//! 7. `pidmap_lock`, in `disable_pid_allocation()` and where C makes and frees pids.
//! 8. The locks of the tree of namespaces, `ns_tree_lock` in the end.
//! 9. `ucounts_lock`, where a user is charged for a first namespace, and freed of the last one.
//!
//! `put_pid_ns()` takes none of them, as it is called from nearly anywhere: what it adds to has no
//! lock, and queueing the work for the next tick takes raw spinlocks alone, as that of a CPU's
//! timers.

mod boot;
mod create;
mod destroy;
mod flags;
mod nsfs;
mod reboot;
#[cfg(all(CONFIG_CHECKPOINT_RESTORE, CONFIG_SYSCTL))]
mod sysctl;
mod zap;

mod caches;
mod rule;

mod level;

mod roles;

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
mod testing;
