// SPDX-License-Identifier: GPL-2.0-only

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
//! | File         | What it does                                                            |
//! | ------------ | ----------------------------------------------------------------------- |
//! | `exports.rs` | the functions that C calls; raw pointers become references here         |
//! | `flags.rs`   | the flags of `clone()` and `unshare()`, and which of them are accepted  |
//! | `roles.rs`   | [`ActiveNs`] and [`DefaultNs`], so that nobody swaps the two            |
//! | `create.rs`  | `copy_pid_ns()`: which namespace children get; the rules for a new one  |
//! | `unborn.rs`  | a namespace that is being made: each step, and the undo of each step    |
//!
//! # What is still C, and why
//!
//! - `kernel/pid_namespace.c`: the slab caches, the end of a namespace, what nsfs asks of it, and
//!   `kernel.ns_last_pid`.
//! - `kernel/pid.c`: `init_pid_ns`, which other static data points to; the allocation of pids, which
//!   is on the path of every `fork()`; and `kernel.pid_max`.
//!
//! # Life of a namespace
//!
//! ```text
//!  Blank ---> Numbered ---> Configured --publish()--> in the tree, one reference, nobody inside
//!    |            |              |                        |
//!    +------------+--------------+                        | the first fork(): pid 1, child_reaper
//!    dropped on failure: undone step by step              v
//!                                                     init runs ---> init exits: all are killed
//!                                                                          |
//!                       freed <--- RCU <--- work item <--- last reference gone
//! ```
//!
//! A namespace that loses its last reference before the first fork takes the short cut straight to
//! the work item: that is how the first of two unshares ends.
//!
//! References are held by each `struct pid` whose deepest level it is, by each `struct nsproxy`
//! that names it, by each child namespace, by each procfs that shows its pids, and by the open files
//! and mounts that name it.
//!
//! [`ActiveNs`]: roles::ActiveNs
//! [`DefaultNs`]: roles::DefaultNs

mod create;
mod exports;
mod flags;
mod roles;
mod unborn;
