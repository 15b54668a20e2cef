// SPDX-License-Identifier: GPL-2.0-only

//! What the end of a pid namespace does to tasks: safe words for what C has as macros and fields.
//!
//! C headers: [`include/linux/sched/signal.h`](srctree/include/linux/sched/signal.h),
//! [`include/linux/sched/task.h`](srctree/include/linux/sched/task.h)

use core::ptr::{
    null_mut,
    without_provenance_mut,
    NonNull, //
};
use kernel::{
    bindings,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed, //
        },
        rcu, //
    },
    task::{
        CurrentTask,
        Task, //
    },
    types::NotThreadSafe, //
};

/// The sender of a signal that comes from the kernel itself.
#[doc(alias = "SEND_SIG_PRIV")]
const FROM_KERNEL: *mut bindings::kernel_siginfo = without_provenance_mut(1);

/// The value of a handler that stands for "ignore".
const SIG_IGN: usize = 1;

/// Evidence that the list of all tasks does not change: `tasklist_lock` is held for reading, within
/// an RCU read-side section.
///
/// Not to be taken twice: a writer that came in between would wait for the first, and the second
/// for the writer.
///
/// # Invariants
///
/// Both are held while a value of this type exists.
#[must_use = "the lock is released when the value is dropped"]
pub(crate) struct Tasklist {
    // Dropped after `drop` has released the lock.
    _rcu: rcu::Guard,
}

impl Tasklist {
    /// Takes the lock.
    pub(crate) fn read_lock() -> Self {
        let rcu = rcu::read_lock();
        // SAFETY: `tasklist_lock` is static.
        unsafe { bindings::read_lock(&raw mut bindings::tasklist_lock) };
        // INVARIANT: Both were just taken.
        Self { _rcu: rcu }
    }

    /// Goes through the tasks of `ns` whose pid there is at least `first`, in the order of pids.
    pub(crate) fn in_namespace_from<'a>(
        &'a self,
        ns: &'a PidNamespace,
        first: c_int,
    ) -> impl Iterator<Item = &'a Task> {
        let mut next = first;
        core::iter::from_fn(move || {
            // SAFETY: The namespace is valid, and its map may be read under RCU.
            let pid = unsafe { bindings::idr_get_next(&raw mut (*ns.as_ptr()).idr, &raw mut next) };
            next += 1;
            NonNull::new(pid.cast::<bindings::pid>())
        })
        .filter_map(|pid| {
            // SAFETY: RCU keeps `pid`, and `self` the task that it belongs to, if any.
            let task = unsafe { bindings::pid_task(pid.as_ptr(), bindings::pid_type_PIDTYPE_PID) };
            // SAFETY: If not null, the task is on the list, which `self` keeps as it is.
            // CAST: `Task` is a transparent wrapper around `struct task_struct`.
            unsafe { task.cast::<Task>().as_ref() }
        })
    }

    /// Sends SIGKILL to the thread group of `task`, as the kernel itself.
    pub(crate) fn kill_group(&self, task: &Task) {
        // SAFETY: The task is valid, and `self` keeps it from being released.
        unsafe {
            bindings::group_send_sig_info(
                bindings::SIGKILL as c_int,
                FROM_KERNEL,
                task.as_ptr(),
                bindings::pid_type_PIDTYPE_MAX,
            );
        }
    }

    /// Sends SIGKILL to the init of the namespace that `me` lives in, as the kernel itself.
    pub(crate) fn kill_init_of(&self, me: &CurrentTask) {
        if let Some(ns) = me.active_pid_ns() {
            // SAFETY: A task lives in the namespace, so its init has not been released: it waits
            // for all others first. `self` keeps the pointer from being changed meanwhile.
            unsafe {
                bindings::send_sig(bindings::SIGKILL as c_int, (*ns.as_ptr()).child_reaper, 1)
            };
        }
    }
}

impl Drop for Tasklist {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the lock is held.
        unsafe { bindings::read_unlock(&raw mut bindings::tasklist_lock) };
    }
}

/// The last thread of an init, on its way out: the current task, when all other threads of its
/// group have exited, and when its group can get no other exit code.
///
/// # Invariants
///
/// That is so, and it has not been through `release_task()`.
#[derive(Clone, Copy)]
pub(crate) struct LastThread<'a>(&'a CurrentTask);

impl<'a> LastThread<'a> {
    /// Says that the current task is the last thread of an init.
    ///
    /// # Safety
    ///
    /// It must be, and it must be where `find_child_reaper()` calls `zap_pid_ns_processes()`: after
    /// `synchronize_group_exit()`, before `release_task()`, without locks.
    pub(crate) unsafe fn new(me: &'a CurrentTask) -> Self {
        // INVARIANT: By the safety requirements.
        Self(me)
    }

    /// Returns whether this thread leads its group.
    #[doc(alias = "thread_group_leader")]
    pub(crate) fn leads_its_group(self) -> bool {
        // SAFETY: The task is valid. What C looks at is the sign of `exit_signal`, which only
        // execve() changes, in another thread of the group, of which there is none; the parent may
        // store SIGCHLD there as it exits, but to a leader, whose sign is the same.
        unsafe { bindings::thread_group_leader(self.0.as_ptr()) }
    }

    /// Has children of this task reaped by themselves when they end.
    pub(crate) fn ignore_sigchld(self) {
        // SAFETY: By the type invariant the task has its signal handlers still. They can be shared
        // with a task outside of the group, so that they change under their lock. A handler is a
        // word.
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

    /// Waits until this task has no children, whoever they are.
    ///
    /// Forgets signals that are pending, as they would keep the wait from sleeping; `_quiet` does
    /// the same for task work.
    // Inlined, so that /proc/PID/wchan names zap_pid_ns_processes.
    #[inline(always)]
    pub(crate) fn reap_children(self, _quiet: &NoNotifySignal) {
        loop {
            // SAFETY: The task is the current one; null pointers ask for no report.
            let result = unsafe {
                bindings::clear_tsk_thread_flag(self.0.as_ptr(), bindings::TIF_SIGPENDING as c_int);
                bindings::kernel_wait4(-1, null_mut(), bindings::__WALL as c_int, null_mut())
            };
            if result == -(bindings::ECHILD as c_long) {
                break;
            }
        }
    }

    /// Sleeps until `done` says so. Somebody must wake the task up when the answer changes.
    // Inlined, so that /proc/PID/wchan names zap_pid_ns_processes.
    #[inline(always)]
    pub(crate) fn sleep_until(self, done: impl Fn() -> bool) {
        loop {
            // The state first, the question after: a wake-up in between is not lost, see
            // `Documentation/litmus-tests/pidns/init-is-woken.litmus`.
            // SAFETY: The current task may sleep, as it holds no locks.
            unsafe { bindings::set_current_state(bindings::TASK_IDLE | bindings::TASK_FREEZABLE) };
            if done() {
                break;
            }
            // SAFETY: As above.
            unsafe { bindings::schedule() };
        }
        // SAFETY: As above.
        unsafe { bindings::__set_current_state(bindings::TASK_RUNNING) };
    }

    /// Ends with the code that says how `ns` was rebooted, if it was.
    pub(crate) fn adopt_reboot_code(self, ns: &PidNamespace) {
        let code = reboot_code(ns).load(Relaxed);
        if code != 0 {
            // SAFETY: By the type invariant the task has its signal handlers still, no other thread
            // is left to set the code, and the group is marked as exiting, so that no signal from
            // outside sets it. Whoever reads it for /proc does so under the lock.
            unsafe {
                let me = self.0.as_ptr();
                let siglock = &raw mut (*(*me).sighand).siglock;
                bindings::spin_lock_irq_disable(siglock);
                (*(*me).signal).group_exit_code = code;
                bindings::spin_unlock_irq_enable(siglock);
            }
        }
    }
}

/// Keeps task work from interrupting the sleep of the current task, while it exists.
#[doc(alias = "no_notify_signal_save")]
pub(crate) struct NoNotifySignal {
    flags: c_uint,
    // The flags are those of one task.
    _not_send: NotThreadSafe,
}

impl NoNotifySignal {
    /// Begins to.
    pub(crate) fn new() -> Self {
        Self {
            // SAFETY: Changes the flags of the current task, which are its own.
            flags: unsafe { bindings::no_notify_signal_save() },
            _not_send: NotThreadSafe,
        }
    }
}

impl Drop for NoNotifySignal {
    fn drop(&mut self) {
        // SAFETY: They were saved by `new`, in this very task.
        unsafe { bindings::no_notify_signal_restore(self.flags) };
    }
}

/// Lets no more pids be made in `ns`: a fork into it fails with ENOMEM from here on.
///
/// One that has got its pid before still makes its task if it has `tasklist_lock` by now. So who
/// takes that lock afterwards has seen the last task come
/// (`Documentation/litmus-tests/pidns/nobody-comes-unseen.litmus`).
pub(crate) fn disable_pid_allocation(ns: &PidNamespace) {
    // SAFETY: The namespace is valid; the function takes the lock that it needs.
    unsafe { bindings::disable_pid_allocation(ns.as_ptr()) };
}

/// Returns how many tasks have pids in `ns`, those in namespaces below included.
///
/// Who sees that a task is gone sees all that it did before
/// (`Documentation/litmus-tests/pidns/init-sees-what-others-did.litmus`).
pub(crate) fn tasks_in(ns: &PidNamespace) -> u32 {
    // SAFETY: The namespace is valid. C writes the field under `tasklist_lock`, by WRITE_ONCE()
    // and smp_store_release(); the latter, in `pid_ns_del_task()`, is what this load pairs with.
    unsafe { Atomic::from_ptr(&raw mut (*ns.as_ptr()).nr_tasks) }.load(Acquire)
}

/// Lets others run, where that is for the task to do.
#[inline]
pub(crate) fn cond_resched() {
    // SAFETY: Whoever is called as a safe function may sleep, unless it says otherwise.
    unsafe { bindings::cond_resched() };
}

/// Returns whether a SIGKILL is pending for this very thread.
#[doc(alias = "__fatal_signal_pending")]
pub(crate) fn is_being_killed(task: &Task) -> bool {
    // SAFETY: The task is valid; a stale answer does no harm.
    unsafe { bindings::__fatal_signal_pending(task.as_ptr()) != 0 }
}

/// Notes that `ns` was rebooted: its init will end with `signal`.
pub(crate) fn set_reboot_code(ns: &PidNamespace, signal: u32) {
    reboot_code(ns).store(signal as c_int, Relaxed);
}

/// The exit code for the init of `ns`, or 0 if there was no reboot.
fn reboot_code(ns: &PidNamespace) -> &Atomic<c_int> {
    // SAFETY: The namespace is valid, and nobody uses the field but through here.
    unsafe { Atomic::from_ptr(&raw mut (*ns.as_ptr()).reboot) }
}

/// Ends process accounting in `ns`.
pub(crate) fn acct_exit_ns(ns: &PidNamespace) {
    // SAFETY: The namespace is valid; the function takes the locks that it needs.
    unsafe { bindings::acct_exit_ns(ns.as_ptr()) };
}
