// SPDX-License-Identifier: GPL-2.0

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! What a process does on its way out.
//!
//! There is no example: only the last thread of a process can do this, in `do_exit()`.
//!
//! C headers: [`include/linux/sched/signal.h`](srctree/include/linux/sched/signal.h),
//! [`include/linux/sched/task.h`](srctree/include/linux/sched/task.h)

use crate::{
    as_in_c,
    bindings,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    task::CurrentTask,
    types::NotThreadSafe, //
};
use core::ptr::null_mut;

as_in_c! {
    task_struct { sighand, signal }
    sighand_struct { siglock, action, count }
    k_sigaction { sa }
    sigaction { sa_handler }
    signal_struct { group_exit_code }
}

/// The value of a handler that stands for "ignore".
const SIG_IGN: usize = 1;

/// The last thread of a process, on its way out: the current task, when all other threads of its
/// group are exiting as well, and the group is marked as exiting.
///
/// # Invariants
///
/// - The value belongs to the current task.
/// - All other threads of the group have come to `exit_signals()`, where they have set
///   `PF_EXITING`. They may still run, but go nowhere but to their end. `SIGNAL_GROUP_EXIT` is set.
/// - The task has not been through `release_task()`: it has its `signal` and its `sighand`.
#[derive(Clone, Copy)]
pub struct LastThread<'a>(&'a CurrentTask);

impl<'a> LastThread<'a> {
    /// Says that the current task is the last thread of its process.
    ///
    /// # Safety
    ///
    /// All other threads of its group must have come to `exit_signals()`. It must be in
    /// `do_exit()`, after `synchronize_group_exit()` and before `release_task()`. It must hold no
    /// lock while a value of this type exists, but for those that are taken and released in
    /// between.
    #[inline]
    pub unsafe fn new(me: &'a CurrentTask) -> Self {
        // INVARIANT: By the safety requirements; `me` cannot leave the current task.
        Self(me)
    }

    /// Returns whether this thread leads its group.
    #[doc(alias = "thread_group_leader")]
    #[inline]
    pub fn leads_its_group(self) -> bool {
        // SAFETY: The task is valid. What C looks at is the sign of `exit_signal`, which only
        // execve() changes, in another thread of the group, and by the type invariant none of
        // these gets there; the parent may store SIGCHLD there as it exits, but to a leader, whose
        // sign is the same.
        unsafe { bindings::thread_group_leader(self.0.as_ptr()) }
    }

    /// Has children of this task reaped by themselves when they end.
    #[inline]
    pub fn ignore_sigchld(self) {
        // SAFETY:
        // - By the type invariant the task has its `sighand`, whose pointer only the task itself
        //   changes. The index is that of a signal that there is.
        // - No lock is held, by the safety requirements of `new`: so the siglock is not held by
        //   this task, and this is not within another section with interrupts off.
        // - The `sighand` can be shared with a task outside of the group (CLONE_SIGHAND without
        //   CLONE_THREAD), so that handlers are read and written under its lock, as this one is.
        // - A handler is a word, of which any value will do.
        unsafe {
            let sighand = (*self.0.as_ptr()).sighand;
            let action = &raw mut (*sighand).action[bindings::SIGCHLD as usize - 1];
            bindings::spin_lock_irq_disable(&raw mut (*sighand).siglock);
            (&raw mut (*action).sa.sa_handler)
                .cast::<usize>()
                .write(SIG_IGN);
            bindings::spin_unlock_irq_enable(&raw mut (*sighand).siglock);
        }
    }

    /// Waits until its thread group has no children left to wait for, whoever they are. Those that
    /// are `EXIT_DEAD`, as somebody else has reaped them, are none any more; one that its tracer is
    /// just reaping still is. Sleeps.
    ///
    /// Forgets signals that are pending, as they would keep the wait from sleeping; `_quiet` does
    /// the same for task work.
    #[doc(alias = "kernel_wait4")]
    #[inline]
    pub fn reap_children(self, _quiet: &NoNotifySignal) {
        loop {
            // SAFETY:
            // - The flag is one of the task's own, and changed atomically.
            // - Who waits must be in task context and hold no lock, by the safety requirements of
            //   `new`; it must be on the list of tasks with its `signal`, where those that exit
            //   wake it up, by the type invariant. That it is exiting is no obstacle: nobody else
            //   takes its children from it, and `release_task()` of each is as for any parent.
            // - Null pointers ask for no report.
            let result = unsafe {
                bindings::clear_tsk_thread_flag(self.0.as_ptr(), bindings::TIF_SIGPENDING as c_int);
                bindings::kernel_wait4(-1, null_mut(), bindings::__WALL as c_int, null_mut())
            };
            // The one error that ends it: a signal only interrupts.
            if result == -(bindings::ECHILD as c_long) {
                break;
            }
        }
    }

    /// Sleeps until `done` says so; does not count as load, and can be frozen. Somebody must wake
    /// the task up when the answer changes.
    ///
    /// `done` must not sleep itself: it would be asked again and again.
    // Inlined, so that /proc/PID/wchan names who calls it.
    #[doc(alias = "wait_event")]
    #[inline(always)]
    pub fn sleep_until(self, done: impl Fn() -> bool) {
        loop {
            // The state first, the question after: a wake-up in between sets the state back, and
            // schedule() returns at once.
            // SAFETY: Only the task itself, who wakes it up, and the freezer while it sleeps change
            // its state. No bit of this one is special: it is not about to die.
            unsafe { bindings::set_current_state(bindings::TASK_IDLE | bindings::TASK_FREEZABLE) };
            if done() {
                break;
            }
            // SAFETY: By the safety requirements of `new` no lock is held, so that the task may
            // sleep; by the type invariant it is alive, so that it can be woken up.
            unsafe { bindings::schedule() };
        }
        // SAFETY: As above. Nobody has to see this before what follows: the task runs.
        unsafe { bindings::__set_current_state(bindings::TASK_RUNNING) };
    }

    /// Sets the code that the parent of the process will see.
    #[inline]
    pub fn set_group_exit_code(self, code: c_int) {
        // SAFETY:
        // - By the type invariant the task has its `signal` and its `sighand`.
        // - The lock is free for this task to take, as in `ignore_sigchld`.
        // - All others who write the code hold the lock: those who end a group (of `kernel/exit.c`,
        //   `complete_signal()`, and `zap_process()` of a core dump), `coredump_finish()`, and
        //   those who stop a group, let it go on and wait for that.
        // - Of those who read it, /proc and whoever waits for a stop hold the lock.
        // - Without it, `do_group_exit()` reads it in a thread on its way to `exit_signals()`, to
        //   which all have come by the type invariant; `release_task()` and `wait4()` that of a
        //   leader that is a zombie, with no other thread left, and this one is left; and the panic
        //   of `do_exit()` in this very thread.
        // - Two others read it without the lock: `wait4()` of who traces another thread of the
        //   group, which is a zombie, and `do_notify_parent_cldstop()` in another thread that is
        //   still in `exit_signals()`. They report the old code or the new one: C reads it in one
        //   piece, as this store is.
        // - Who calls this when of all tasks of the namespace none but the leader of the group is
        //   left beside it, as zap does, meets neither: `delay_group_leader()` keeps `wait4()` from
        //   a leader that is not the last of its group; and a thread that is not the leader became
        //   the child reaper in or after `exit_notify()` of the leader, long after its
        //   `exit_signals()`.
        unsafe {
            let me = self.0.as_ptr();
            let siglock = &raw mut (*(*me).sighand).siglock;
            bindings::spin_lock_irq_disable(siglock);
            Atomic::from_ptr(&raw mut (*(*me).signal).group_exit_code).store(code, Relaxed);
            bindings::spin_unlock_irq_enable(siglock);
        }
    }
}

/// Evidence that task work does not interrupt the sleep of the current task.
///
/// # Invariants
///
/// `flags` is what `no_notify_signal_save()` has returned in the current task.
#[doc(alias = "no_notify_signal_save")]
pub struct NoNotifySignal {
    flags: c_uint,
    // The flags are those of one task.
    _not_send: NotThreadSafe,
}

impl NoNotifySignal {
    /// Does something that is not to be interrupted so.
    // By a closure, so that one ends within the other, as what is restored is what was saved. And
    // inlined, so that /proc/PID/wchan names who calls it.
    #[inline(always)]
    pub fn during<R>(work: impl FnOnce(&Self) -> R) -> R {
        let quiet = Self {
            // SAFETY: Changes the flags of the current task, which are its own.
            // INVARIANT: The value cannot leave the task.
            flags: unsafe { bindings::no_notify_signal_save() },
            _not_send: NotThreadSafe,
        };
        work(&quiet)
    }
}

impl Drop for NoNotifySignal {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariant they were saved in this very task.
        unsafe { bindings::no_notify_signal_restore(self.flags) };
    }
}
