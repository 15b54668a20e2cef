// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! The end of all processes in a pid namespace, when its init exits.

use kernel::{
    bindings,
    exit::{
        LastThread,
        NoNotifySignal, //
    },
    pid_namespace::PidNamespace,
    prelude::*,
    tasklist::Tasklist, //
};

/// Sends SIGKILL to each thread in `ns` but pid 1, which is the leader of init. Returns whether
/// there is anybody but the `own_tasks` of init.
///
/// If another thread of init is the last one, C drops the signal for it, as its group is exiting.
/// Going through the pids hits threads of one process again and again, but the alternative is to
/// go through all processes of the machine.
fn kill_all_but_init(ns: &PidNamespace, own_tasks: u32) -> bool {
    let tasklist = Tasklist::read_lock();

    // Whoever was in `copy_process()` has come out with its child or has seen that there will be
    // none: from here on nobody comes any more, and an init that is alone stays so. Children of
    // it, wherever they live, have pids here.
    if ns.tasks() == own_tasks {
        return false;
    }
    for task in tasklist.in_pid_namespace(ns, 2) {
        if !task.sigkill_pending() {
            tasklist.kill_group(task);
        }
    }
    true
}

/// Waits until nobody but the `own_tasks` of `init` is left in `ns`.
// Inlined, so that /proc/PID/wchan names zap_pid_ns_processes.
#[inline(always)]
fn wait_for_all_but_init(ns: &PidNamespace, init: LastThread<'_>, own_tasks: u32) {
    // First for those that had ended before, and those that are traced from the parent namespace,
    // which we have to wait for until they are detached.
    //
    // Left are those whose parent is somebody else. If it is a member and exits, it leaves them to
    // us, where they are reaped at once; so we must stay to be their reaper. If it lives outside,
    // because it came here by setns() and forked, or made this namespace by unshare(), it waits
    // for them itself, or whoever takes over its children there.
    //
    // Tasks, not pids: a pid stays for as long as it is the id of a process group, which we may be
    // in ourselves, and is there before its task. `pid_ns_del_task()` wakes us up when one or two
    // tasks are left, as it knows by the lock of `kill_all_but_init` that we exit:
    // `Documentation/litmus-tests/pidns/init-is-woken.litmus`.
    NoNotifySignal::during(|quiet| {
        init.reap_children(quiet);
        init.sleep_until(|| ns.tasks() == own_tasks);
    });
}

/// Ends all processes in a pid namespace, whose init is the current task.
///
/// When it returns, nobody but that is left in the namespace or in one below. So whoever reaps an
/// init knows that its namespace is empty.
///
/// # Safety
///
/// `pid_ns` must be the active namespace of the current task, which must be a thread of its init in
/// `do_exit()`, after `synchronize_group_exit()` and before `release_task()`, when all other
/// threads have come to `exit_signals()`; and hold no locks.
#[export]
pub(crate) unsafe extern "C" fn zap_pid_ns_processes(pid_ns: *mut bindings::pid_namespace) {
    let current = current!();
    // SAFETY: By the safety requirements it is the active one. The pid of the current task has a
    // reference to it, and goes in `release_task()`, after this call.
    let ns = unsafe { PidNamespace::from_ptr(pid_ns) };
    // SAFETY: By the safety requirements.
    let init = unsafe { LastThread::new(current) };

    // Those that stay: this thread, and the leader of its group if it is another one.
    let own_tasks = if init.leads_its_group() { 1 } else { 2 };

    ns.disable_pid_allocation();
    // Children that end from here on are not kept for us to wait for. It is faster so, and the
    // last step relies on it.
    init.ignore_sigchld();

    if kill_all_but_init(ns, own_tasks) {
        wait_for_all_but_init(ns, init, own_tasks);
    }

    if let Some(code) = ns.reboot_code() {
        init.set_group_exit_code(code);
    }
    ns.end_accounting();
}
