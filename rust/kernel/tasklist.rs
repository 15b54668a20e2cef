// SPDX-License-Identifier: GPL-2.0

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! The list of all tasks, and what can be done to a task while it does not change.
//!
//! C headers: [`include/linux/sched/task.h`](srctree/include/linux/sched/task.h),
//! [`include/linux/sched/signal.h`](srctree/include/linux/sched/signal.h)

use crate::{
    as_in_c,
    bindings,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu, //
    },
    task::{
        CurrentTask,
        Task, //
    }, //
};
use core::ptr::without_provenance_mut;

as_in_c! {
    task_struct { flags }
}

/// The sender of a signal that comes from the kernel itself.
#[doc(alias = "SEND_SIG_PRIV")]
const FROM_KERNEL: *mut bindings::kernel_siginfo = without_provenance_mut(1);

/// Evidence that the list of all tasks does not change: `tasklist_lock` is held for reading, within
/// an RCU read-side section.
///
/// No task that is on the list goes through `release_task()` meanwhile. Not to be taken twice: a
/// writer that came in between would wait for the first, and the second for the writer. It is not
/// [`Send`], as a lock is the task's that has taken it.
///
/// # Invariants
///
/// Both are held while a value of this type exists.
///
/// # Examples
///
/// ```
/// use kernel::tasklist::Tasklist;
///
/// let me = current!();
/// let ns = me.active_pid_ns().ok_or(ESRCH)?;
/// let tasklist = Tasklist::read_lock();
/// // The init of the namespace is its pid 1.
/// assert!(tasklist.in_pid_namespace(ns, 1).next().is_some());
/// # Ok::<(), Error>(())
/// ```
#[must_use = "the lock is released when the value is dropped"]
pub struct Tasklist {
    // Dropped after `drop` has released the lock.
    rcu: rcu::Guard,
}

impl Tasklist {
    /// Takes the lock.
    #[doc(alias = "tasklist_lock")]
    #[inline]
    pub fn read_lock() -> Self {
        let rcu = rcu::read_lock();
        // SAFETY: `tasklist_lock` is static.
        unsafe { bindings::read_lock(&raw mut bindings::tasklist_lock) };
        // INVARIANT: Both were just taken.
        Self { rcu }
    }

    /// Goes through the tasks that have a pid in `ns`, itself or a namespace below being the one
    /// that they live in, from the pid `first` on, in the order of these pids.
    #[inline]
    pub fn in_pid_namespace<'a>(
        &'a self,
        ns: &'a PidNamespace,
        first: c_int,
    ) -> impl Iterator<Item = &'a Task> {
        ns.pids().iter_from(first, &self.rcu).filter_map(|pid| {
            // SAFETY: `pid` is valid, and `self` is the RCU read-side section and the lock, either
            // of which will do, that `pid_task()` asks for.
            let task = unsafe { bindings::pid_task(pid.get(), bindings::pid_type_PIDTYPE_PID) };
            // SAFETY: The task is on the list, which `self` keeps as it is: as long as `self` is
            // borrowed, nobody gives up the reference that `release_task()` does, so that it is
            // valid and counted.
            (!task.is_null()).then(|| unsafe { Task::from_ptr(task) })
        })
    }

    /// Sends SIGKILL to the thread group of `task`, as the kernel itself. A group that is gone gets
    /// none.
    #[doc(alias = "group_send_sig_info")]
    #[inline]
    pub fn kill_group(&self, task: &Task) {
        // SAFETY: The task is valid. C looks for its signal handlers under RCU, which `self` has,
        // and does nothing if they are gone.
        unsafe {
            bindings::group_send_sig_info(
                bindings::SIGKILL as c_int,
                FROM_KERNEL,
                task.as_ptr(),
                bindings::pid_type_PIDTYPE_MAX,
            );
        }
    }

    /// Sends SIGKILL to the init of the pid namespace that `me` lives in, as the kernel itself.
    ///
    /// That does nothing to the init of the machine, as C ignores it there. Nothing is sent by a
    /// task that is exiting: it may be the leader of that init, which the init does not wait for.
    #[inline]
    pub fn kill_init_of(&self, me: &CurrentTask) {
        let Ok(ns) = PidNamespace::active(me) else {
            return;
        };
        // SAFETY: The field is valid. Only the task changes its flags, and this runs in it; or an
        // interrupt on top of it, which does so in one piece and leaves this flag as it is.
        let flags = unsafe { Atomic::from_ptr(&raw mut (*me.as_ptr()).flags) }.load(Relaxed);
        if flags & bindings::PF_EXITING != 0 {
            return;
        }
        // SAFETY:
        // - The field is written under `tasklist_lock` alone, so that it does not change while
        //   `self` exists, and can be read.
        // - What it points to is on the list, and so valid while `self` exists: an init is not
        //   released before all that count in its namespace are, but for the leader of its group,
        //   which is exiting by then, and `me` is not. `me` counts, as it has its pid, without
        //   which it had no active namespace, and does not lose it while `self` exists. In the
        //   initial namespace nobody is counted, and its init is never released.
        // - `send_sig()` asks for a valid task. It takes the siglock, which comes after this lock.
        unsafe { bindings::send_sig(bindings::SIGKILL as c_int, (*ns.as_ptr()).child_reaper, 1) };
    }
}

impl Drop for Tasklist {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariant the lock is held.
        unsafe { bindings::read_unlock(&raw mut bindings::tasklist_lock) };
    }
}
