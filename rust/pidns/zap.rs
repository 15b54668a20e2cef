// SPDX-License-Identifier: GPL-2.0-only

//! The end of all processes in a pid namespace, when its init exits.

use crate::tasks::{
    self,
    LastThread,
    NoNotifySignal,
    Tasklist, //
};
use kernel::pid_namespace::PidNamespace;

/// Ends all processes in `ns`, whose init is the task that runs this.
///
/// When it returns, nobody but `init` is left in `ns` or in a namespace below. So whoever reaps an
/// init knows that its namespace is empty.
// Inlined, so that /proc/PID/wchan names zap_pid_ns_processes.
#[doc(alias = "zap_pid_ns_processes")]
#[inline(always)]
pub(crate) fn zap(ns: &PidNamespace, init: LastThread<'_>) {
    // The pids that stay: that of this thread, and that of its group if it does not lead it.
    let own_pids = if init.leads_its_group() { 1 } else { 2 };

    let quiet = NoNotifySignal::new();

    // Nobody can come any more, so an init that is alone stays so. Children of it, wherever they
    // live, have pids here.
    if tasks::disable_pid_allocation(ns) != own_pids {
        end_all_others(ns, &init, &quiet, own_pids);
    }

    init.adopt_reboot_code(ns);
    tasks::acct_exit_ns(ns);
}

/// Ends all in `ns` but `init`, and waits until `own_pids` are left.
#[inline(always)]
fn end_all_others(ns: &PidNamespace, init: &LastThread<'_>, quiet: &NoNotifySignal, own_pids: u32) {
    // Children that end from here on are not kept for us to wait for. It is faster so, and the
    // last step relies on it.
    init.ignore_sigchld();

    kill_all_but_init(ns);

    // Those that had ended before, and those that are traced from the parent namespace, which we
    // have to wait for until they are detached.
    init.reap_children(quiet);

    // Left are those of which somebody outside is the parent: it came here by setns() and forked,
    // or made this namespace by unshare(). Until it has waited for them, or has ended and left
    // them to us, where they are reaped at once, we must stay to be their reaper. free_pid() wakes
    // us up when one or two pids are left.
    init.sleep_until(|| tasks::pids_in_use(ns) == own_pids);
}

/// Sends SIGKILL to each thread in `ns` but pid 1, which is the leader of init.
///
/// If another thread of init is the last one, it gets the signal too, and forgets it when it waits.
/// Going through the pids hits threads of one process again and again, but the alternative is to
/// go through all processes of the machine.
fn kill_all_but_init(ns: &PidNamespace) {
    let tasklist = Tasklist::read_lock();
    for task in tasklist.in_namespace_from(ns, 2) {
        if !tasks::is_being_killed(task) {
            tasklist.kill_group(task);
        }
    }
}
